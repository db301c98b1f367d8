"""Convolutions of every kind, as conv and conv_transpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers

from nnpack.exporters.keras.activations import activate
from nnpack.exporters.keras.call import Array, Call, to_numpy
from nnpack.exporters.keras.layout import in_channels_last
from nnpack.exporters.keras.quirks import added_as
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value


@handles(layers.Conv1D, layers.Conv2D, layers.Conv3D)
def convolution(call: Call) -> Value:
    layer = call.operation
    attributes = _sliding(layer, layer.groups)
    return _activated(call, lambda x, biased: call.emit("conv", [x], _weights(layer, layer.kernel, biased), attributes))


@handles(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
def depthwise_convolution(call: Call) -> Value:
    layer = call.operation
    kernel = per_channel(layer.kernel)
    attributes = _sliding(layer, layer.kernel.shape[-2])
    return _activated(call, lambda x, biased: call.emit("conv", [x], _weights(layer, kernel, biased), attributes))


@handles(layers.SeparableConv1D, layers.SeparableConv2D)
def separable_convolution(call: Call) -> Value:
    layer = call.operation
    depthwise = _sliding(layer, layer.depthwise_kernel.shape[-2])
    ones = [1] * len(layer.strides)
    pointwise = {"strides": ones, "dilation_rate": ones, "groups": 1, "padding": "valid"}

    def lower(x: Value, biased: bool) -> Value:
        y = call.emit("conv", [x], {"kernel": per_channel(layer.depthwise_kernel)}, depthwise, part="depthwise")
        return call.emit("conv", [y], _weights(layer, layer.pointwise_kernel, biased), pointwise, part="pointwise")

    return _activated(call, lower)


@handles(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
def transposed_convolution(call: Call) -> Value:
    layer = call.operation
    attributes = {
        "strides": list(layer.strides),
        "dilation_rate": list(layer.dilation_rate),
        "cropping": cropping(
            layer.kernel_size, layer.strides, layer.dilation_rate, layer.padding.lower(), layer.output_padding
        ),
    }
    return _activated(
        call, lambda x, biased: call.emit("conv_transpose", [x], _weights(layer, layer.kernel, biased), attributes)
    )


def cropping(
    kernel_size: tuple[int, ...],
    strides: tuple[int, ...],
    dilation_rate: tuple[int, ...],
    padding: str,
    output_padding: int | tuple[int, ...] | None,
) -> list[int]:
    """What Keras cuts off the full result of a transposed convolution: before and after, for each axis."""
    n = len(kernel_size)
    added = output_padding if isinstance(output_padding, tuple | list) else [output_padding] * n
    cropped: list[int] = []
    for k, s, d, more in zip(kernel_size, strides, dilation_rate, added, strict=True):
        extent = (k - 1) * d + 1
        if padding == "valid":
            cropped += [0, -(max(s - extent, 0) if more is None else more)]
        else:
            total = extent - s if more is None else extent - extent % 2 - more
            before = max(total, 0) // 2
            cropped += [before, total - before]
    return cropped


def per_channel(kernel: Any) -> Array:
    """(*kernel_size, channels, depth_multiplier) -> (*kernel_size, 1, filters), a group for each channel."""
    array = to_numpy(kernel)
    return array.reshape(*array.shape[:-2], 1, -1)


def _sliding(layer: Any, groups: int) -> dict[str, Any]:
    return {
        "strides": list(layer.strides),
        "dilation_rate": list(layer.dilation_rate),
        "groups": int(groups),
        "padding": layer.padding.lower(),
    }


def _weights(layer: Any, kernel: Any, biased: bool) -> dict[str, Any]:
    return {"kernel": kernel, "bias": layer.bias} if biased else {"kernel": kernel}


def _activated(call: Call, lower: Callable[[Value, bool], Value]) -> Value:
    """The convolution, and the layer's activation, which sees the layer's own layout.

    Args:
        call: of a layer with data_format, bias and activation.
        lower: (x with its channels last, whether the bias is added) -> the convolution.
    """
    layer = call.operation
    outside = layer.bias is not None and _added_elsewhere(call)
    biased = layer.bias is not None and not outside
    y = in_channels_last(call, call.inputs[0], layer.data_format, lambda x: lower(x, biased))
    if outside:
        y = call.emit("add", [y, call.constant(layer.bias, y.dtype, "bias")])
    return activate(call, y, layer.activation)


def _added_elsewhere(call: Call) -> bool:
    """Whether Keras adds the bias along the last axis though channels are first: where the two are equally long."""
    layer, shape = call.operation, tuple(call.outputs[0].shape)
    filters = layer.bias.shape[0]
    own, last = (filters, *[1] * (len(shape) - 2)), shape[-1]
    if layer.data_format == "channels_last" or own == added_as(own, (*shape[:-1], filters)):
        return False
    if last is None:
        reason = f"a bias with channels first, which Keras adds along the last axis once that has {filters} elements"
        raise call.refuse(reason, "data_format='channels_last', use_bias=False, or a size that is known")
    return bool(last == filters)
