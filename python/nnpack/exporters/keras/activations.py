"""Activations, in their three shapes: functions that layers hold, layers of their own, operations on tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import activations, layers

from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value


def _sparsemax() -> str:
    """The operator that the installed Keras's sparsemax is: up to 3.15 it adds up running sums (0.1 here, not 0.6)."""
    return (
        "sparsemax"
        if float(activations.sparsemax(np.array([[1.0, 0.8]], np.float32))[0, 0]) > 0.5
        else "cumulative_sparsemax"
    )


# keras.activations -> the operator and Keras's default values of its attributes
_FUNCTIONS: dict[Callable[..., Any], tuple[str, Mapping[str, Any]]] = {
    activations.celu: ("celu", {"alpha": 1.0}),
    activations.elu: ("elu", {"alpha": 1.0}),
    activations.exponential: ("exponential", {}),
    activations.gelu: ("gelu", {"approximate": False}),
    activations.glu: ("glu", {"axis": -1}),
    activations.hard_shrink: ("hard_shrink", {"threshold": 0.5}),
    activations.hard_sigmoid: ("hard_sigmoid", {}),
    activations.hard_silu: ("hard_silu", {}),
    activations.hard_tanh: ("hard_tanh", {}),
    activations.leaky_relu: ("leaky_relu", {"negative_slope": 0.2}),
    activations.log_sigmoid: ("log_sigmoid", {}),
    activations.log_softmax: ("log_softmax", {"axis": -1}),
    activations.mish: ("mish", {}),
    activations.relu: ("relu", {}),
    activations.relu6: ("relu6", {}),
    activations.selu: ("selu", {}),
    activations.sigmoid: ("sigmoid", {}),
    activations.silu: ("silu", {}),
    activations.soft_shrink: ("soft_shrink", {"threshold": 0.5}),
    activations.softmax: ("softmax", {"axis": -1}),
    activations.softplus: ("softplus", {}),
    activations.softsign: ("softsign", {}),
    activations.sparse_plus: ("sparse_plus", {}),
    activations.sparse_sigmoid: ("sparse_sigmoid", {}),
    activations.sparsemax: ("sparsemax", {"axis": -1}),
    activations.squareplus: ("squareplus", {"b": 4}),
    activations.tanh: ("tanh", {}),
    activations.tanh_shrink: ("tanh_shrink", {}),
}

# class of an operation -> the operator and its attributes, which the operation has by the same names
_OPERATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Celu": ("celu", ("alpha",)),
    "Elu": ("elu", ("alpha",)),
    "Exp": ("exponential", ()),
    "Gelu": ("gelu", ("approximate",)),
    "Glu": ("glu", ("axis",)),
    "HardShrink": ("hard_shrink", ("threshold",)),
    "HardSigmoid": ("hard_sigmoid", ()),
    "HardSilu": ("hard_silu", ()),
    "HardTanh": ("hard_tanh", ()),
    "LeakyRelu": ("leaky_relu", ("negative_slope",)),
    "LogSigmoid": ("log_sigmoid", ()),
    "LogSoftmax": ("log_softmax", ("axis",)),
    "Mish": ("mish", ()),
    "Relu": ("relu", ()),
    "Relu6": ("relu6", ()),
    "Selu": ("selu", ()),
    "Sigmoid": ("sigmoid", ()),
    "Silu": ("silu", ()),
    "SoftShrink": ("soft_shrink", ("threshold",)),
    "Softmax": ("softmax", ("axis",)),
    "Softplus": ("softplus", ()),
    "Softsign": ("softsign", ()),
    "SparsePlus": ("sparse_plus", ()),
    "SparseSigmoid": ("sparse_sigmoid", ()),
    "Sparsemax": ("sparsemax", ("axis",)),
    "Squareplus": ("squareplus", ("b",)),
    "Tanh": ("tanh", ()),
    "TanhShrink": ("tanh_shrink", ()),
    "Threshold": ("threshold", ("threshold", "default_value")),
}


def activate(call: Call, x: Value, function: Any) -> Value:
    """Applies what a layer holds as its activation: a function of Keras, or any made of Keras's operations."""
    if function is None or function is activations.linear:
        return x
    name = operator_of(function)
    if name is None:
        return call.traced(function, x)
    return emit(call, x, name, next(given for op, given in _FUNCTIONS.values() if op == name))


def operator_of(function: Any) -> str | None:
    """The operator that a function of keras.activations is, with its default arguments; None for other functions."""
    if function is None or function is activations.linear:
        return "linear"
    return next((op for keras_function, (op, _) in _FUNCTIONS.items() if keras_function is function), None)


def as_operator(name: str, dtype: str) -> bool:
    """Whether an operator with Keras's default arguments computes what Keras does in this dtype."""
    return dtype != "float64" or name not in _FLOAT32_CONSTANTS


def emit(call: Call, x: Value, op: str, attributes: Mapping[str, Any]) -> Value:
    """An activation with Keras's attributes, in the terms of the specification: floats, axes from the front."""
    op = _sparsemax() if op == "sparsemax" else op
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
