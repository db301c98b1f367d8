"""Operations on images: sizes, borders, grey, blocks and patches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from nnpack.exporters.keras.call import Call
from nnpack.exporters.keras.layout import first_spatial_axis, in_channels_last
from nnpack.exporters.keras.operands import composed
from nnpack.exporters.keras.preprocessing import as_images, resized
from nnpack.exporters.keras.registry import handles
from nnpack.exporters.keras.shapes import sliced
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS


@handles("Resize")
def resize(call: Call) -> Value:
    given, x = call.operation, as_images(call, call.inputs[0])
    if given.crop_to_aspect_ratio or given.pad_to_aspect_ratio:
        raise call.refuse("a resize that keeps the aspect ratio", "keras.layers.Resizing, or a crop and a resize")
    size = (int(given.size[0]), int(given.size[1]))
    return in_channels_last(
        call, x, given.data_format, lambda y: resized(call, y, size, given.interpolation, given.antialias)
    )


@handles("CropImages")
def crop_images(call: Call) -> Value:
    given, x = call.operation, as_images(call, call.inputs[0])
    first = first_spatial_axis(given.data_format)
    for axis, before, after, target in (
        (first, given.top_cropping, given.bottom_cropping, given.target_height),
        (first + 1, given.left_cropping, given.right_cropping, given.target_width),
    ):
        n = x.shape[axis]
        if not isinstance(n, int) and (before is None or target is None):
            raise call.refuse("a crop of an axis of unknown size", "croppings before and target sizes")
        if before is None:
            before = n - target - after
        x = sliced(call, x, axis, before, n - after if target is None else before + target)
    return x


@handles("PadImages")
def pad_images(call: Call) -> Value:
    given, x = call.operation, as_images(call, call.inputs[0])
    first = first_spatial_axis(given.data_format)
    widths = [0] * 8
    for axis, before, after, target in (
        (first, given.top_padding, given.bottom_padding, given.target_height),
        (first + 1, given.left_padding, given.right_padding, given.target_width),
    ):
        n = x.shape[axis]
        if not isinstance(n, int) and (before is None or after is None):
            raise call.refuse("a target of an axis of unknown size", "paddings on both sides")
        before = target - after - n if before is None else before
        after = target - before - n if after is None else after
        widths[2 * axis : 2 * axis + 2] = before, after
    if min(widths) < 0:
        raise call.refuse(f"padding {widths}", "a target of at least the size of the images")
    return call.emit("pad", [x], attributes={"pad_width": widths, "mode": "constant", "constant_value": 0.0})


@composed("RGBToGrayscale")
def rgb_to_grayscale(call: Call, images: Any) -> Any:
    axis = -1 if call.operation.data_format == "channels_last" else -3
    if images.shape[axis] == 1:
        return images
    if images.dtype not in FLOATS:
        raise call.refuse(f"grey of {images.dtype}, which cuts off fractions", "images of float32")
    grey = ops.matmul(ops.moveaxis(images, axis, -1), np.array([[0.2989], [0.5870], [0.1140]], images.dtype))
    return ops.moveaxis(grey, -1, axis)


# Blocks


@composed("SpaceToDepth")
def space_to_depth(call: Call, x: Any) -> Any:
    b, first = call.operation.block_size, call.operation.data_format == "channels_first"
    x = ops.transpose(x, (0, 2, 3, 1)) if first else x
    height, width, channels = _known(call, x)
    x = ops.reshape(x, (-1, height // b, b, width // b, b, channels))
    x = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height // b, width // b, b * b * channels))
    return ops.transpose(x, (0, 3, 1, 2)) if first else x


@composed("DepthToSpace")
def depth_to_space(call: Call, x: Any) -> Any:
    b, first = call.operation.block_size, call.operation.data_format == "channels_first"
    x = ops.transpose(x, (0, 2, 3, 1)) if first else x
    height, width, channels = _known(call, x)
    x = ops.reshape(x, (-1, height, width, b, b, channels // b**2))
    x = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height * b, width * b, channels // b**2))
    return ops.transpose(x, (0, 3, 1, 2)) if first else x


@composed("ExtractPatches")
def extract_patches(call: Call, images: Any) -> Any:
    given = call.operation
    size = _pair(given.size)
    strides, dilation = _pair(given.strides or given.size), _pair(given.dilation_rate)
    first = given.data_format == "channels_first"
    x = ops.transpose(images, (0, 2, 3, 1)) if first else images
    if len(size) != 2 or len(x.shape) != 4:
        raise call.refuse(f"patches of size {tuple(size)} of {tuple(x.shape)}", "patches of a batch of images")
    if strides == size and dilation == [1, 1] and given.padding == "valid" and None not in x.shape[1:]:
        (_, height, width, channels), (h, w) = x.shape, size
        x = x[:, : height // h * h, : width // w * w]
        x = ops.reshape(x, (-1, height // h, h, width // w, w, channels))
        patches = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height // h, width // w, h * w * channels))
    else:
        n = size[0] * size[1] * x.shape[-1]
        kernel = np.eye(n, dtype=x.dtype).reshape(*size, x.shape[-1], n)
        patches = ops.conv(x, kernel, strides, given.padding, "channels_last", dilation)
    return ops.transpose(patches, (0, 3, 1, 2)) if first else patches


def _known(call: Call, x: Any) -> list[int]:
    if None in x.shape[1:]:
        raise call.refuse("images of unknown size", "images of known size")
    return list(x.shape[1:])


# Patches, which keras.ops calls unfold and fold; the operators of these names move rows


@composed("Unfold")
def unfold(call: Call, x: Any) -> Any:
    given = call.operation
    kernel, dilation, padding, stride = (
        _pair(n) for n in (given.kernel_size, given.dilation, given.padding, given.stride)
    )
    channels, *sizes = _known(call, x)
    if any(padding):
        x = ops.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    places = [
        _places(k, d, s, (n + 2 * p - d * (k - 1) - 1) // s + 1)
        for n, k, d, p, s in zip(sizes, kernel, dilation, padding, stride, strict=True)
    ]
    x = ops.take(ops.take(x, places[0], axis=2), places[1], axis=4)
    x = ops.transpose(x, (0, 1, 2, 4, 3, 5))
    rows, columns = (part.shape[1] for part in places)
    return ops.reshape(x, (-1, channels * kernel[0] * kernel[1], rows * columns))


def _places(k: int, d: int, s: int, windows: int) -> Any:
    """(k, windows): where element i of window j is."""
    return np.arange(k)[:, np.newaxis] * d + np.arange(windows) * s


def _pair(n: int | Sequence[int]) -> list[int]:
    return [n, n] if isinstance(n, int) else [int(k) for k in n]


@handles("Fold")
def fold(call: Call) -> Value:
    """Sums of overlapping patches: a transposed convolution that puts element k of a patch in place k."""
    given, x = call.operation, call.inputs[0]
    size, kernel, dilation, padding, stride = (
        _pair(n) for n in (given.output_size, given.kernel_size, given.dilation, given.padding, given.stride)
    )
    count = kernel[0] * kernel[1]
    if not isinstance(x.shape[1], int):
        raise call.refuse("patches of unknown size", "patches of known size")
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    windows = [(n + 2 * p - e) // s + 1 for n, p, e, s in zip(size, padding, extents, stride, strict=True)]
    patches = call.emit("reshape", [x], attributes={"target_shape": [x.shape[1] // count, count, *windows]})
    y = call.emit("fold", [patches], attributes={"axis": 1})
    y = call.emit("transpose", [y], attributes={"perm": [0, 2, 3, 1]})
    cropping: list[int] = []
    for n, p, e, s, o in zip(windows, padding, extents, stride, size, strict=True):
        cropping += [p, (n - 1) * s + e - p - o]
    places = np.eye(count, dtype=x.dtype).reshape(*kernel, 1, count)
    attributes = {"strides": stride, "dilation_rate": dilation, "cropping": cropping}
    y = call.emit("conv_transpose", [y], {"kernel": places}, attributes)
    y = call.emit("squeeze", [y], attributes={"axes": [3]})
    return call.emit("unfold", [y, patches], attributes={"axis": 1})
