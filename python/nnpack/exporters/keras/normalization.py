"""BatchNormalization and Normalization."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from nnpack.exporters.keras.call import Array, Call, to_numpy
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value


@handles(layers.BatchNormalization, masks=True)  # a mask counts in training alone
def batch_normalization(call: Call) -> Value:
    layer, x = call.operation, call.inputs[0]
    weights = {"moving_mean": layer.moving_mean, "moving_variance": layer.moving_variance}
    if layer.scale:
        weights["gamma"] = layer.gamma
    if layer.center:
        weights["beta"] = layer.beta
    axis = layer.axis[0] if isinstance(layer.axis, list | tuple) else layer.axis
    attributes = {"axis": axis % len(x.shape), "epsilon": float(layer.epsilon)}
    return call.emit("batch_normalization", [call.cast(x, layer.compute_dtype)], weights, attributes)


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
