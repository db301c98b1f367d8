"""Keras itself as a runtime: python conformance/adapters/keras_float32.py

Files are read and refused by naive/; each layer is then computed by Keras, as its users run it: in float32, and in
float64 where the file says so. That the suite passes it shows that no tolerance asks for more than Keras gives.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
sys.path.insert(0, str(Path(__file__).parents[1]))

import keras
import numpy as np

from generate import oracle
from naive.adapter import Conversation, converse
from naive.arithmetic import FLOAT64, Arithmetic
from naive.arrays import STRING, Array
from naive.document import Layer
from naive.model import Model
from naive.operators.operator import Type


class KerasModel(Model):
    """A file that naive has read, with Keras's numbers."""

    def compute(
        self, layer: Layer, values: Mapping[str, Array], made: Sequence[Type], arithmetic: Arithmetic
    ) -> list[Array]:
        function = oracle.exact if made[0].dtype == "float64" else oracle.float32
        weights = {role: _numpy(self.weights[name]) for role, name in layer.weights.items()}
        operands = [_numpy(values[name]) for name in layer.inputs]
        results = function(layer.op.partition("@")[0], operands, weights, layer.attributes)
        results = results if isinstance(results, list) else [results]
        # Keras adds int8 up as int32
        return [_array(y.astype(each.dtype)) for y, each in zip(results, made, strict=True)]


class Keras(Conversation):
    """naive's conversation, about Keras's models."""

    def hello(self, request: dict[str, Any]) -> dict[str, Any]:
        return {**super().hello(request), "name": "keras", "version": keras.__version__}

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = super().load(request)
        read = self.models[answer["handle"]]
        self.models[answer["handle"]] = KerasModel(read.container, read.document, read.weights)
        return answer


def _numpy(x: Array) -> Any:
    return np.array(x.data, object if x.dtype == STRING else x.dtype).reshape(x.shape)


def _array(y: Any) -> Array:
    return Array(y.dtype.name, y.shape, y.ravel().tolist())


if __name__ == "__main__":
    sys.exit(converse(Keras(FLOAT64)))
