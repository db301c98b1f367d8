"""Dense; the layers that vanish at inference; Rescaling."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from nnpack.exporters.keras.activations import activate
from nnpack.exporters.keras.call import Call, to_numpy
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value


@handles(layers.Dense)
def dense(call: Call) -> Value:
    layer = call.operation
    weights = {"kernel": layer.kernel}
    if layer.bias is not None:
        weights["bias"] = layer.bias
    x = call.cast(call.inputs[0], layer.compute_dtype)
    return activate(call, call.emit("dense", [x], weights), layer.activation)


@handles(
    layers.ActivityRegularization,
    layers.AlphaDropout,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Identity,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
)
def vanishing(call: Call) -> list[Value]:
    return call.inputs


@handles(layers.Rescaling)
def rescaling(call: Call) -> Value:
    layer = call.operation
    y = call.cast(call.inputs[0], layer.compute_dtype)
    for op, part, number in (("multiply", "scale", layer.scale), ("add", "offset", layer.offset)):
        array = to_numpy(number)
        if op == "add" and not np.any(array):
            continue
        if array.ndim and keras.config.image_data_format() == "channels_first":
            array = array.reshape(array.shape + (1,) * (3 - array.ndim))
        y = call.emit(op, [y, call.constant(array, layer.compute_dtype, part)])
    return y
