"""Layers that move elements, and compute nothing: reshaping, cropping, padding, repeating, resizing."""

from __future__ import annotations

from math import prod

from keras import layers

from nnpack.exporters.keras.call import Call
from nnpack.exporters.keras.layout import channels_last, first_spatial_axis, in_channels_last
from nnpack.exporters.keras.registry import handles
from nnpack.exporters.keras.shapes import sliced
from nnpack.format.document import Value


@handles(layers.Flatten)
def flatten(call: Call) -> Value:
    x = call.inputs[0]
    if call.operation.data_format == "channels_first" and len(x.shape) > 2:
        x = channels_last(call, x)
    known = all(isinstance(n, int) for n in x.shape[1:])
    target = prod(n for n in x.shape[1:] if isinstance(n, int)) if known else -1
    return call.emit("reshape", [x], attributes={"target_shape": [target]})


@handles(layers.Reshape)
def reshape(call: Call) -> Value:
    target = [-1 if n is None else int(n) for n in call.operation.target_shape]
    return call.emit("reshape", call.inputs, attributes={"target_shape": target})


@handles(layers.Permute)
def permute(call: Call) -> Value:
    return call.emit("transpose", call.inputs, attributes={"perm": [0, *call.operation.dims]})


@handles(layers.RepeatVector)
def repeat_vector(call: Call) -> Value:
    x = call.emit("expand_dims", call.inputs, attributes={"axis": 1})
    return repeated(call, x, 1, call.operation.n)


@handles(layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
def cropping(call: Call) -> Value:
    layer, y = call.operation, call.inputs[0]
    first = first_spatial_axis(getattr(layer, "data_format", "channels_last"))
    for axis, (before, after) in enumerate(_pairs(layer.cropping), first):
        y = sliced(call, y, axis, before, -after if after else None)
    return y


@handles(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
def zero_padding(call: Call) -> Value:
    layer, x = call.operation, call.inputs[0]
    first = first_spatial_axis(getattr(layer, "data_format", "channels_last"))
    pad_width = [0] * (2 * len(x.shape))
    for axis, (before, after) in enumerate(_pairs(layer.padding), first):
        pad_width[2 * axis : 2 * axis + 2] = before, after
    return call.emit("pad", [x], attributes={"pad_width": pad_width, "mode": "constant", "constant_value": 0.0})


def _pairs(amounts: tuple[int, int] | tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """(before, after) for each axis; a layer of one axis holds only its own."""
    return [amounts] if isinstance(amounts[0], int) else list(amounts)


@handles(layers.UpSampling1D)
def up_sampling_1d(call: Call) -> Value:
    return repeated(call, call.inputs[0], 1, call.operation.size)


@handles(layers.UpSampling2D)
def up_sampling_2d(call: Call) -> Value:
    layer = call.operation
    attributes = {"factors": list(layer.size), "interpolation": layer.interpolation}
    return in_channels_last(
        call, call.inputs[0], layer.data_format, lambda x: call.emit("upsample", [x], attributes=attributes)
    )


@handles(layers.UpSampling3D)
def up_sampling_3d(call: Call) -> Value:
    y = call.inputs[0]
    for axis, factor in enumerate(call.operation.size, first_spatial_axis(call.operation.data_format)):
        y = repeated(call, y, axis, factor)
    return y


def repeated(call: Call, x: Value, axis: int, repeats: int) -> Value:
    """Each element along an axis, so many times in a row."""
    return x if repeats == 1 else call.emit("repeat", [x], attributes={"axis": axis, "repeats": repeats})
