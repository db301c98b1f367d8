"""Pooling: sliding windows, adaptive windows, and whole axes, which are reductions."""

from __future__ import annotations

from keras import layers

from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.layout import first_spatial_axis, in_channels_last
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS


@handles(
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.AveragePooling3D,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.MaxPooling3D,
)
def pooling(call: Call) -> Value:
    layer = call.operation
    op = f"{layer.pool_mode}_pool"
    attributes = {
        "pool_size": list(layer.pool_size),
        "strides": list(layer.strides),
        "padding": layer.padding.lower(),
    }
    x = call.inputs[0]
    wide = _EXACTLY.get(x.dtype, x.dtype) if op == "max_pool" else x.dtype
    y = in_channels_last(
        call, call.cast(x, wide), layer.data_format, lambda x: call.emit(op, [x], attributes=attributes)
    )
    return call.cast(y, x.dtype)


_EXACTLY = {"int8": "float32", "uint8": "float32", "int32": "float64"}
"""The floating-point dtypes that hold every integer of a dtype."""

_ADAPTIVE_MAX = {
    getattr(layers, name)
    for name in ("AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D")
    if hasattr(layers, name)
}
_ADAPTIVE_AVERAGE = {
    getattr(layers, name)
    for name in ("AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D")
    if hasattr(layers, name)
}


@handles(*_ADAPTIVE_MAX, *_ADAPTIVE_AVERAGE)
def adaptive_pooling(call: Call) -> Value:
    layer = call.operation
    op = "adaptive_max_pool" if type(layer) in _ADAPTIVE_MAX else "adaptive_average_pool"
    attributes = {"output_size": list(layer.output_size)}
    return in_channels_last(
        call, call.inputs[0], layer.data_format, lambda x: call.emit(op, [x], attributes=attributes)
    )


@handles(layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D)
def global_average(call: Call) -> Value:
    return _averaged(call)


def _averaged(call: Call) -> Value:
    x = call.inputs[0]
    # ops.mean answers integers in float32
    return _reduced(call, "mean", call.cast(x, x.dtype if x.dtype in FLOATS else "float32"))


@handles(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D)
def global_max(call: Call) -> Value:
    return _reduced(call, "max", call.inputs[0])


@handles(layers.GlobalAveragePooling1D, masks=True)
def global_average_1d(call: Call) -> Value | list[Value]:
    mask = call.arguments.get("mask")
    if mask is None:
        return _averaged(call)
    layer = call.operation
    return [call.value(made) for made in call.trace(layer.call, Ref(call.inputs[0].name), mask=mask)]


def _reduced(call: Call, op: str, x: Value) -> Value:
    first = first_spatial_axis(call.operation.data_format)
    attributes = {"axes": list(range(first, first + len(x.shape) - 2)), "keepdims": bool(call.operation.keepdims)}
    return call.emit(op, [x], attributes=attributes)
