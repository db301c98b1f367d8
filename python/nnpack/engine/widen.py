"""A document that is computed in float64, with the numbers of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnpack.format.document import Document, Layer, Tensor, Value


def widened(document: Document) -> Document:
    """The same model in float64: what float32 rounds, it rounds to 53 bits.

    Weights and attributes stay the float32 numbers that they are. The self-test is left out.
    """
    document = document.without_selftest()
    states = tuple(state._replace(input=_value(state.input)) for state in document.states)
    return document._replace(
        inputs=tuple(map(_value, document.inputs)),
        layers=tuple(_layer(layer) for layer in document.layers),
        tensors={name: _tensor(document, name) for name in document.tensors},
        states=states,
    )


def _value(value: Value) -> Value:
    return value._replace(dtype="float64") if value.dtype == "float32" else value


def _layer(layer: Layer) -> Layer:
    outputs = tuple(map(_value, layer.outputs))
    attributes = layer.attributes
    if any(value.dtype == "float32" for value in layer.outputs):
        attributes = _attributes(attributes)
    return layer._replace(outputs=outputs, attributes=attributes)


def _attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """An attribute is a float32 like any other operand."""
    rounded = {key: float(np.float32(item)) if type(item) is float else item for key, item in attributes.items()}
    return {**rounded, "dtype": "float64"} if rounded.get("dtype") == "float32" else rounded


def _tensor(document: Document, name: str) -> Tensor:
    if document.computed_dtype(name) != "float32":
        return document.tensors[name]
    return Tensor(name, "float64", document.computed(name).astype(np.float64))
