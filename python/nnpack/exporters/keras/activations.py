"""Activations, in their three shapes: functions that layers hold, layers of their own, operations on tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import activations, layers

from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.quirks import sparsemax
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value

_DEFAULTS: dict[str, Mapping[str, Any]] = {
    "celu": {"alpha": 1.0},
    "elu": {"alpha": 1.0},
    "exponential": {},
    "gelu": {"approximate": False},
    "glu": {"axis": -1},
    "hard_shrink": {"threshold": 0.5},
    "hard_sigmoid": {},
    "hard_silu": {},
    "hard_tanh": {},
    "leaky_relu": {"negative_slope": 0.2},
    "log_sigmoid": {},
    "log_softmax": {"axis": -1},
    "mish": {},
    "relu": {},
    "relu6": {},
    "selu": {},
    "sigmoid": {},
    "silu": {},
    "soft_shrink": {"threshold": 0.5},
    "softmax": {"axis": -1},
    "softplus": {},
    "softsign": {},
    "sparse_plus": {},
    "sparse_sigmoid": {},
    "sparsemax": {"axis": -1},
    "squareplus": {"b": 4},
    "tanh": {},
    "tanh_shrink": {},
}
"""Operators by the names of keras.activations, with Keras's default values of their attributes."""

_FUNCTIONS: dict[Callable[..., Any], str] = {getattr(activations, op): op for op in _DEFAULTS}


def _class_of(op: str) -> str:
    """The name of Keras's operation: leaky_relu is LeakyRelu."""
    return "Exp" if op == "exponential" else "".join(part.capitalize() for part in op.split("_"))


_OPERATIONS = {_class_of(op): (op, tuple(attributes)) for op, attributes in _DEFAULTS.items()}
_OPERATIONS["Threshold"] = ("threshold", ("threshold", "default_value"))
"""Classes of operations: the operator and its attributes, which the operation has by the same names."""


def activate(call: Call, x: Value, function: Any) -> Value:
    """Applies what a layer holds as its activation: a function of Keras, or any made of Keras's operations."""
    if function is None or function is activations.linear:
        return x
    name = operator_of(function)
    if name is None:
        return call.traced(function, x)
    return emit(call, x, name, _DEFAULTS[name])


def operator_of(function: Any) -> str | None:
    """The operator that a function of keras.activations is, with its default arguments; None for other functions."""
    if function is None or function is activations.linear:
        return "linear"
    return next((op for keras_function, op in _FUNCTIONS.items() if keras_function is function), None)


def as_operator(name: str, dtype: str) -> bool:
    """Whether an operator with Keras's default arguments computes what Keras does in this dtype."""
    return dtype != "float64" or name not in _FLOAT32_CONSTANTS


def emit(call: Call, x: Value, op: str, attributes: Mapping[str, Any]) -> Value:
    """An activation with Keras's attributes, in the terms of the specification: floats, axes from the front."""
    op = sparsemax() if op == "sparsemax" else op
    rank = len(x.shape)
    given: dict[str, Any] = {}
    for name, value in attributes.items():
        if name != "axis":
            given[name] = value if isinstance(value, bool) else float(value)
        elif op in ("softmax", "log_softmax"):
            axes = range(rank) if value is None else value if isinstance(value, list | tuple) else (value,)
            given["axes"] = sorted({int(axis) % rank for axis in axes})
        else:
            given["axis"] = int(value) % rank
    if x.dtype == "float64" and op in _FLOAT32_CONSTANTS:
        return _of_float64(call, x, op, given)
    return call.emit(op, [x], attributes=given)


_FLOAT32_CONSTANTS = ("gelu", "leaky_relu")
"""Activations whose constants TensorFlow rounds to float32 for float64 too."""


def _of_float64(call: Call, x: Value, op: str, given: Mapping[str, Any]) -> Value:
    if op == "leaky_relu":
        return call.emit(op, [x], attributes={"negative_slope": float(np.float32(given["negative_slope"]))})

    def gelu(x: Any) -> Any:
        if given["approximate"]:
            inner = 0.7978845608028654 * (x + float(np.float32(0.044715)) * x * x * x)
            return 0.5 * x * (1.0 + keras.ops.tanh(inner))
        return 0.5 * x * (1.0 + keras.ops.erf(x * float(np.float32(0.5**0.5))))

    return call.traced(gelu, x)


def relu(call: Call, x: Value, negative_slope: float, max_value: float | None, threshold: float) -> Value:
    """Keras's relu with all of its arguments, as the simplest operator that does it."""
    if max_value is not None and max_value != np.inf:
        if (max_value, negative_slope, threshold) == (6, 0, 0):
            return call.emit("relu6", [x])
        attributes = {"max_value": max_value, "negative_slope": negative_slope, "threshold": threshold}
        return emit(call, x, "clipped_relu", attributes)
    if threshold:
        return emit(call, x, "thresholded_relu", {"negative_slope": negative_slope, "threshold": threshold})
    return emit(call, x, "leaky_relu", {"negative_slope": negative_slope}) if negative_slope else call.emit("relu", [x])


@handles(*_OPERATIONS)
def operation(call: Call) -> Value:
    op, names = _OPERATIONS[call.class_name]
    x = call.cast(call.inputs[0], str(call.outputs[0].dtype))
    return emit(call, x, op, {name: getattr(call.operation, name) for name in names})


@handles("ReLU", layers.ReLU)
def relu_call(call: Call) -> Value:
    given = call.operation
    return relu(call, call.inputs[0], given.negative_slope, given.max_value, given.threshold)


@handles(layers.Activation)
def activation(call: Call) -> Value | list[Value]:
    return activate(call, call.inputs[0], call.operation.activation)


@handles(layers.LeakyReLU)
def leaky_relu(call: Call) -> Value:
    return emit(call, call.inputs[0], "leaky_relu", {"negative_slope": call.operation.negative_slope})


@handles(layers.ELU)
def elu(call: Call) -> Value:
    return emit(call, call.inputs[0], "elu", {"alpha": call.operation.alpha})


@handles(layers.PReLU)
def prelu(call: Call) -> Value:
    x, dtype = call.inputs[0], call.operation.compute_dtype
    positive = call.emit("relu", [x])
    negative = call.emit("minimum", [x, call.constant(0, dtype, "zero")])
    return call.emit(
        "add", [positive, call.emit("multiply", [negative, call.constant(call.operation.alpha, dtype, "alpha")])]
    )


@handles(layers.Softmax, masks=True)
def softmax(call: Call) -> Value:
    x, given = call.inputs[0], call.arguments.get("mask")
    if given is None:
        return emit(call, x, "softmax", {"axis": call.operation.axis})
    mask = call.operand(given, call.value(given).dtype if isinstance(given, Ref) else "bool", "mask")
    if mask.dtype != "bool":
        half = call.constant(0.5, "float32", "half")
        mask = call.emit("less", [half, call.cast(mask, "float32")], part="kept")
    low = call.constant(-1e9, x.dtype, "masked_out")
    y = emit(call, call.emit("where", [mask, x, low], part="masked"), "softmax", {"axis": call.operation.axis})
    return call.emit("where", [mask, y, call.constant(0, x.dtype, "zero")])
