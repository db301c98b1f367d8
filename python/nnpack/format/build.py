"""Document -> header map and payload, in canonical form: spec/format.md, "Canonical form"."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np

from nnpack.errors import FormatError
from nnpack.format.digest import sha256
from nnpack.format.document import Document, Layer, Tensor, Value
from nnpack.format.dtypes import DTYPES
from nnpack.format.limits import aligned


def build(document: Document) -> tuple[dict[str, Any], list[bytes]]:
    """The header and the pieces of the payload that a document stands for."""
    tensors, pieces, end = [], [], 0
    for tensor in document.tensors.values():
        data = np.ascontiguousarray(tensor.array, DTYPES[tensor.dtype].stored).tobytes()
        pieces += [bytes(aligned(end) - end), data]
        offset, end = aligned(end), aligned(end) + len(data)
        tensors.append(_tensor_map(tensor, offset, len(data)))
    header: dict[str, Any] = {
        "inputs": [_value_map(value) for value in document.inputs],
        "layers": [_layer_map(layer) for layer in document.layers],
        "model": {"name": document.name},
        "outputs": list(document.outputs),
        "payload_sha256": sha256(pieces),
        "producer": dict(document.producer),
        "requires": document.requires(),
        "tensors": tensors,
    }
    if document.metadata is not None:
        header["model"]["metadata"] = dict(document.metadata)
    if document.ext is not None:
        header["ext"] = dict(document.ext)
    if document.output_structure is not None:
        header["output_structure"] = document.output_structure
    if document.states:
        header["states"] = [
            {"input": _value_map(state.input), "output": state.output, "initial": state.initial}
            for state in document.states
        ]
    if document.selftest:
        header["selftest"] = {key: list(names) for key, names in document.selftest._asdict().items()}
    return _nfc(header), pieces


def _value_map(value: Value) -> dict[str, Any]:
    return {"name": value.name, "dtype": value.dtype, "shape": list(value.shape)}


def _tensor_map(tensor: Tensor, offset: int, nbytes: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": tensor.name,
        "dtype": tensor.dtype,
        "shape": list(tensor.shape),
        "offset": offset,
        "nbytes": nbytes,
    }
    if tensor.quantization:
        entry["quantization"] = {k: v for k, v in tensor.quantization._asdict().items() if v is not None}
    return entry


def _layer_map(layer: Layer) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": layer.name,
        "op": layer.op,
        "inputs": list(layer.inputs),
        "outputs": [_value_map(value) for value in layer.outputs],
        "weights": dict(layer.weights),
        "attributes": dict(layer.attributes),
    }
    if layer.source:
        entry["source"] = {"class": layer.source.class_name, "name": layer.source.name}
    return entry


def _nfc(item: Any) -> Any:
    """The same, every string in Unicode's normal form C."""
    if isinstance(item, str):
        return item if item.isascii() else unicodedata.normalize("NFC", item)
    if isinstance(item, dict):
        normal = {_nfc(key): _nfc(member) for key, member in item.items()}
        if len(normal) < len(item):
            raise FormatError("duplicate-key", "", "keys that differ in normal form C", ", ".join(map(ascii, item)))
        return normal
    if isinstance(item, list | tuple):
        return [_nfc(member) for member in item]
    return item
