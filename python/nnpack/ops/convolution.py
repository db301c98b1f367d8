"""conv and conv_transpose."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nnpack.errors import FormatError
from nnpack.format.document import Dimension, show
from nnpack.format.limits import DIMENSION
from nnpack.ops.operator import (
    Call,
    OpenShape,
    integer,
    integers,
    one_of,
    operator,
    require_float,
    require_shape,
    summed,
)
from nnpack.ops.windows import (
    SPATIAL,
    blocks,
    overlap,
    require_counts,
    require_space,
    slid,
    spatial_windows,
)

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

_WEIGHTS = {"kernel": True, "bias": False}


def _require_channels(call: Call) -> int:
    """The channels, a number."""
    channels = call.inputs[0].shape[-1]
    if not isinstance(channels, int):
        raise FormatError("rank-range", "/inputs/0", "a number of channels", show(call.inputs[0].shape))
    return channels


def _require_divided(groups: int, n: Dimension, what: str) -> None:
    if not isinstance(n, int) or n % groups:
        raise FormatError("groups-divide", "/attributes/groups", f"a divisor of {n} {what}", groups)


def _kernel_size(call: Call) -> list[int]:
    """Weights have numbers alone as dimensions."""
    return [n for n in call.weights["kernel"].shape[:-2] if isinstance(n, int)]


def _require_bias(call: Call, filters: Dimension) -> None:
    if "bias" in call.weights:
        require_shape(call, "bias", filters)


# Convolution


def _conv_types(call: Call) -> tuple[str, OpenShape]:
    dtype, x, attributes = require_float(call), call.inputs[0], call.attributes
    n = require_space(call, ("strides", "dilation_rate"))
    channels, groups, padding = _require_channels(call), attributes["groups"], attributes["padding"]
    if padding == "causal" and n > 1:
        raise FormatError("rank-range", "/attributes/padding", "valid or same with several spatial axes", padding)
    _require_divided(groups, channels, "channels")
    require_shape(call, "kernel", *[None] * n, channels // groups, None)
    filters = call.weights["kernel"].shape[-1]
    _require_divided(groups, filters, "filters")
    _require_bias(call, filters)
    axes = zip(x.shape[1:-1], _kernel_size(call), attributes["strides"], attributes["dilation_rate"], strict=True)
    return dtype, (x.shape[0], *(slid(*axis, padding) for axis in axes), filters)


def _conv_rounding(
    y: Array,
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: list[int],
    dilation_rate: list[int],
    groups: int,
    padding: str,
) -> Array:
    magnitude = conv(
        np.abs(x),
        np.abs(kernel),
        None if bias is None else np.abs(bias),
        strides=strides,
        dilation_rate=dilation_rate,
        groups=groups,
        padding=padding,
    )
    return summed(magnitude, prod(kernel.shape[:-1]) + (bias is not None))


def _products(windows: Array, kernel: Array, groups: int) -> Array:
    """Every window as a row of a matrix, times the kernel as another; a block of windows at a time."""
    n, channels, filters = kernel.ndim - 2, windows.shape[-1], kernel.shape[-1]
    matrix = np.moveaxis(kernel.reshape(-1, groups, filters // groups), 1, 0)
    windows = windows.reshape(*windows.shape[:-1], groups, channels // groups)
    y = np.empty((*windows.shape[: n + 1], filters), windows.dtype)
    for block in blocks(windows):
        rows = np.moveaxis(windows[block], -2, 0).reshape(groups, -1, matrix.shape[1])
        out = np.moveaxis(y[block].reshape(-1, groups, filters // groups), 1, 0)
        np.matmul(rows, matrix, out=out)
    return y


def _depthwise(windows: Array, kernel: Array) -> Array:
    """Every channel by itself: elementwise products, summed over the places of the kernel."""
    n = kernel.ndim - 2
    y = np.empty((*windows.shape[: n + 1], windows.shape[-1]), windows.dtype)
    places = list(np.ndindex(kernel.shape[:n]))
    for block in blocks(windows):
        part, total = np.moveaxis(windows[block], range(n + 1, 2 * n + 1), range(n)), y[block]
        product = np.empty_like(total)
        np.multiply(part[places[0]], kernel[places[0]], out=total)
        for place in places[1:]:
            total += np.multiply(part[place], kernel[place], out=product)
    return y


@operator(
    _conv_types,
    _conv_rounding,
    weights=_WEIGHTS,
    attributes={
        "strides": SPATIAL,
        "dilation_rate": SPATIAL,
        "groups": integer(1),
        "padding": one_of("valid", "same", "causal"),
    },
)
def conv(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: Sequence[int],
    dilation_rate: Sequence[int],
    groups: int,
    padding: str,
) -> Array:
    """(rows, *space, channels) * (*kernel_size, channels / groups, filters) -> (rows, *out, filters).

    Source: spec/ops/conv.md.

    Raises:
        ShapeError: a dimension that the model leaves open is too small for the kernel.
    """
    *kernel_size, depth, filters = kernel.shape
    if depth == 1 and groups > 1:
        x = x if filters == groups else np.repeat(x, filters // groups, -1)
        y = _depthwise(spatial_windows(x, kernel_size, strides, padding, dilation_rate), kernel)
    else:
        y = _products(spatial_windows(x, kernel_size, strides, padding, dilation_rate), kernel, groups)
    if bias is not None:
        y += bias
    return y


# Its transpose


def _uncropped(n: int, size: int, stride: int, dilation: int) -> int:
    """The extent of the full result."""
    return (n - 1) * stride + (size - 1) * dilation + 1


def _cropped(n: Dimension, size: int, stride: int, dilation: int, before: int, after: int) -> Dimension | None:
    if isinstance(n, int):
        return _uncropped(n, size, stride, dilation) - before - after
    return n if stride == 1 and (size - 1) * dilation == before + after else None


def _conv_transpose_types(call: Call) -> tuple[str, OpenShape]:
    dtype, x, attributes = require_float(call), call.inputs[0], call.attributes
    n = require_space(call, ("strides", "dilation_rate"), ("cropping",))
    channels, cropping = _require_channels(call), attributes["cropping"]
    if min(cropping[::2]) < 0:
        raise FormatError("wrong-value", "/attributes/cropping", "0 or more before each axis", cropping)
    require_shape(call, "kernel", *[None] * n, None, channels)
    filters = call.weights["kernel"].shape[-2]
    _require_bias(call, filters)
    strides, dilation_rate = attributes["strides"], attributes["dilation_rate"]
    axes = zip(x.shape[1:-1], _kernel_size(call), strides, dilation_rate, cropping[::2], cropping[1::2], strict=True)
    return dtype, (x.shape[0], *(_cropped(*axis) for axis in axes), filters)


def _conv_transpose_rounding(
    y: Array,
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: list[int],
    dilation_rate: list[int],
    cropping: list[int],
) -> Array:
    magnitude = conv_transpose(
        np.abs(x),
        np.abs(kernel),
        None if bias is None else np.abs(bias),
        strides=strides,
        dilation_rate=dilation_rate,
        cropping=cropping,
    )
    terms = prod(kernel.shape[:-2]) * kernel.shape[-1] + (bias is not None)
    return summed(magnitude, terms)


@operator(
    _conv_transpose_types,
    _conv_transpose_rounding,
    weights=_WEIGHTS,
    attributes={
        "strides": SPATIAL,
        "dilation_rate": SPATIAL,
        "cropping": integers(1 - DIMENSION, DIMENSION - 1, (2, 6)),
    },
)
def conv_transpose(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: Sequence[int],
    dilation_rate: Sequence[int],
    cropping: Sequence[int],
) -> Array:
    """(rows, *space, channels) * (*kernel_size, filters, channels) -> (rows, *out, filters).

    Source: spec/ops/conv_transpose.md.

    Raises:
        ShapeError: a dimension that the model leaves open is too small for the cropping.
    """
    *kernel_size, filters, channels = kernel.shape
    space, before, after = x.shape[1:-1], cropping[::2], cropping[1::2]
    axes = zip(space, kernel_size, strides, dilation_rate, before, after, strict=True)
    out = [_uncropped(*axis) - front - back for *axis, front, back in axes]
    require_counts(out, "conv_transpose", x)
    y = np.zeros((len(x), *out, filters), x.dtype)
    if bias is not None:
        y += bias
    for place in np.ndindex(*kernel_size):
        offsets = [k * d - front for k, d, front in zip(place, dilation_rate, before, strict=True)]
        reached = [overlap(*axis) for axis in zip(offsets, strides, out, space, strict=True)]
        windows, elements = zip(*reached, strict=True)
        inside = (slice(None), *windows)
        part = x[inside]
        product = part.reshape(-1, channels) @ kernel[place].T
        at = (slice(None), *elements)
        y[at] += product.reshape(*part.shape[:-1], filters)
    return y
