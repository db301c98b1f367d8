"""The normalizing layers: by moving averages, by a value's own statistics, by fixed numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from nnpack.exporters.keras.call import Array, Call, Ref, to_numpy
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS


@handles(layers.BatchNormalization, masks=True)  # a mask counts in training alone
def batch_normalization(call: Call) -> Value:
    layer, x = call.operation, call.inputs[0]
    dtype = keras.backend.result_type(x.dtype, "float32")
    weights = {"moving_mean": layer.moving_mean, "moving_variance": layer.moving_variance}
    if layer.scale:
        weights["gamma"] = layer.gamma
    if layer.center:
        weights["beta"] = layer.beta
    axis = layer.axis[0] if isinstance(layer.axis, list | tuple) else layer.axis
    attributes = {"axis": call.axis(axis, len(x.shape)), "epsilon": float(layer.epsilon)}
    y = call.emit("batch_normalization", [call.cast(x, dtype)], _in(call, weights, dtype), attributes)
    return call.cast(y, layer.compute_dtype)


@handles(layers.LayerNormalization)
def layer_normalization(call: Call) -> Value:
    layer, x = call.operation, _floating(call)
    axes, sizes = _axes(call, layer.axis, x)
    # Keras declares the weights by its own order of the axes, and takes them in that of the input
    weights = {
        role: w if tuple(w.shape) == sizes else to_numpy(w).reshape(sizes)
        for role, w in (("gamma", layer.gamma), ("beta", layer.beta))
        if w is not None
    }
    if getattr(layer, "rms_scaling", False):
        y = over_deviation(call, x, axes, float(layer.epsilon))
        if "gamma" in weights:
            shape = [sizes[axes.index(axis)] if axis in axes else 1 for axis in range(1, len(x.shape))]
            gamma = call.constant(to_numpy(weights["gamma"]).reshape(shape), x.dtype, "gamma")
            y = call.emit("multiply", [y, gamma], part="scaled")
        return call.cast(y, layer.compute_dtype)
    attributes = {"axes": axes, "epsilon": float(layer.epsilon)}
    y = call.emit("layer_normalization", [x], _in(call, weights, x.dtype), attributes)
    return call.cast(y, layer.compute_dtype)


def over_deviation(call: Call, x: Value, axes: list[int], epsilon: float) -> Value:
    """x over its standard deviation, without taking off the mean: what Keras calls `rms_scaling`."""
    variance = call.emit("variance", [x], attributes={"axes": axes, "keepdims": True})
    raised = call.emit("add", [variance, call.constant(epsilon, x.dtype, "epsilon")])
    return call.emit("multiply", [x, call.emit("rsqrt", [raised])])


@handles(layers.GroupNormalization)
def group_normalization(call: Call) -> Value:
    layer, x = call.operation, _floating(call)
    weights = {role: w for role, w in (("gamma", layer.gamma), ("beta", layer.beta)) if w is not None}
    axis = call.axis(layer.axis, len(x.shape))
    attributes = {"groups": int(layer.groups), "axis": axis, "epsilon": float(layer.epsilon)}
    y = call.emit("group_normalization", [x], _in(call, weights, x.dtype), attributes)
    return call.cast(y, layer.compute_dtype)


def rms_normalization(call: Call) -> Value:
    layer, x = call.operation, _floating(call)
    axes, _ = _axes(call, layer.axis, x)
    return rms_normalized(call, x, axes, float(layer.epsilon), layer.scale)


def rms_normalized(call: Call, x: Value, axes: list[int], epsilon: float, scale: Any) -> Value:
    """x over the root of its mean square, times a scale: a weight, a value, or None."""
    attributes, rank = {"axes": axes, "epsilon": epsilon}, len(x.shape)
    aligned = axes == list(range(rank - len(axes), rank))
    constant = scale is not None and not isinstance(scale, Ref)
    if constant and list(scale.shape) == [x.shape[axis] for axis in axes] and aligned:
        return call.emit("rms_normalization", [x], {"scale": call.weight(scale, x.dtype)}, attributes)
    y = call.emit("rms_normalization", [x], attributes=attributes, part="normalized")
    # Keras broadcasts the scale against the last axes, whichever it normalizes
    return y if scale is None else call.emit("multiply", [y, call.operand(scale, x.dtype, "scale")])


if hasattr(layers, "RMSNormalization"):  # Keras 3.9
    handles(layers.RMSNormalization)(rms_normalization)


@handles(layers.UnitNormalization)
def unit_normalization(call: Call) -> Value:
    x = call.inputs[0]
    axes, _ = _axes(call, call.operation.axis, x)
    return unit_normalized(call, x, axes, 1e-12)


def unit_normalized(call: Call, x: Value, axes: list[int], epsilon: float, part: str | None = None) -> Value:
    """x with groups of length 1."""
    return call.emit("unit_normalization", [x], attributes={"axes": axes, "epsilon": float(epsilon)}, part=part)


def _floating(call: Call) -> Value:
    """The input of a layer that answers in the dtype of its input, and would cut off the fractions of integers."""
    x = call.inputs[0]
    if x.dtype not in FLOATS:
        raise call.refuse(f"an input of {x.dtype}", f"an input of {' or '.join(FLOATS)}")
    return x


def _axes(call: Call, given: int | Sequence[int], x: Value) -> tuple[list[int], tuple[int | str, ...]]:
    """The axes in ascending order, and the dimensions of x there."""
    axes = sorted(call.axis(axis, len(x.shape)) for axis in ([given] if isinstance(given, int) else given))
    if len(set(axes)) < len(axes):
        raise call.refuse(f"axis={given}, which names an axis twice", "different axes")
    return axes, tuple(x.shape[axis] for axis in axes)


def _in(call: Call, weights: dict[str, Any], dtype: str) -> dict[str, Any]:
    return {role: call.weight(weight, dtype) for role, weight in weights.items()}


@handles(layers.Normalization)
def normalization(call: Call) -> Value:
    layer, dtype = call.operation, call.operation.compute_dtype
    x = call.cast(call.inputs[0], dtype)
    mean = _for_one_row(to_numpy(layer.mean))
    deviation = np.maximum(np.sqrt(_for_one_row(to_numpy(layer.variance))), np.asarray(keras.config.epsilon(), dtype))
    mean_value, deviation_value = call.constant(mean, dtype, "mean"), call.constant(deviation, dtype, "deviation")
    if layer.invert:
        return call.emit("add", [call.emit("multiply", [x, deviation_value]), mean_value])
    return call.emit("divide", [call.emit("subtract", [x, mean_value]), deviation_value])


def _for_one_row(array: Array) -> Array:
    """Without leading axes of 1: broadcasting needs none, and a scalar says that all features share a number."""
    while array.ndim and array.shape[0] == 1:
        array = array[0]
    return array
