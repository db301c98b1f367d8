"""conv: chosen by the shape of its kernel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnpack.engine.graph import Node
from nnpack.engine.kernels.kernel import BLOCK, Call, Kernel, kernel
from nnpack.engine.kernels.products import Ending, product
from nnpack.engine.memory import Spec
from nnpack.ops.windows import sliding

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

_COLUMNS = 2**20
"""Elements of the matrix of windows that is made at once."""


_SHORT_RUN = 12
"""Elements of a line of a window that are too few to be copied one line at a time."""


class Geometry(NamedTuple):
    """A convolution over an image, or over a line as an image of height 1; pairs are (height, width)."""

    size: Sequence[int]
    strides: Sequence[int]
    dilation: Sequence[int]
    pads: Sequence[tuple[int, int]]
    x: tuple[int, ...]
    y: tuple[int, ...]

    @property
    def padded(self) -> tuple[int, ...]:
        rows, height, width, channels = self.x
        (top, bottom), (left, right) = self.pads
        return rows, top + height + bottom, left + width + right, channels

    @property
    def has_pads(self) -> bool:
        return any(map(any, self.pads))


def geometry(node: Node, x: Sequence[int], y: Sequence[int]) -> Geometry | None:
    """None where there are three spatial axes."""
    kernel, attributes = node.weights["kernel"], node.attributes
    n = kernel.ndim - 2
    if n > 2:
        return None
    size, strides, dilation = kernel.shape[:n], attributes["strides"], attributes["dilation_rate"]
    pads = []
    for axis, (length, extent, stride, apart) in enumerate(zip(x[1:-1], size, strides, dilation, strict=True)):
        before, after = node.pads[axis] if node.pads else (0, 0)
        slide = sliding(before + length + after, extent, stride, apart, attributes["padding"])
        pads.append((before + slide.before, after + slide.after))
    flat = [1] * (2 - n)
    return Geometry(
        (*flat, *size),
        (*flat, *strides),
        (*flat, *dilation),
        (*[(0, 0)] * (2 - n), *pads),
        (x[0], *flat, *x[1:]),
        (y[0], *flat, *y[1:]),
    )


@kernel("conv@1")
def conv(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """1×1, depthwise, or windows as rows of a matrix."""
    kernel, groups = node.weights["kernel"], node.attributes["groups"]
    shape = geometry(node, inputs[0].shape, outputs[0].shape)
    if shape is None:
        return None
    if groups > 1:
        if kernel.shape[-2] == 1 and kernel.shape[-1] == groups:
            return _depthwise(node, shape, inputs[0].dtype)
        return _grouped(node, shape, inputs[0].dtype)
    if shape.size == (1, 1) and not shape.has_pads:
        return _pointwise(node, shape, inputs[0].dtype)
    return _windows(node, shape, inputs[0].dtype)


def _pointwise(node: Node, shape: Geometry, dtype: np.dtype) -> Kernel:
    """Every pixel by itself: one product; with strides, of the pixels that remain."""
    matrix = np.ascontiguousarray(node.weights["kernel"].reshape(shape.x[-1], -1))
    ending = Ending(node, Spec(shape.y, dtype))
    picked = Spec((*shape.y[:-1], shape.x[-1]), dtype)
    strided = shape.strides != (1, 1)

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        x: Array = inputs[0].reshape(shape.x)
        y = outputs[0]
        calls: list[Call] = []
        if strided:
            pixels, *scratch = scratch
            calls.append(partial(np.copyto, pixels, x[:, :: shape.strides[0], :: shape.strides[1]]))
            x = pixels
        flat = y.reshape(-1, y.shape[-1])
        return calls + product(x.reshape(-1, x.shape[-1]), matrix, flat, ending, scratch)

    return Kernel(bind, (*([picked] if strided else []), *ending.scratch), note="1×1: one product")


def _blocks(shape: Geometry, line: int, most: int) -> Iterator[tuple[slice, slice]]:
    """Parts of y, of whole rows or of lines of one row, of about `most` elements; a line has so many."""
    rows, lines = shape.y[:2]
    many = max(1, most // max(1, line))
    if many >= lines:
        step = max(1, many // lines)
        for row in range(0, rows, step):
            yield slice(row, row + step), slice(0, lines)
        return
    step = -(-lines // -(-lines // many))  # parts of equal size
    for row in range(rows):
        for at in range(0, lines, step):
            yield slice(row, row + 1), slice(at, at + step)


def _surrounded(
    shape: Geometry, inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]
) -> tuple[Array, Array, list[Call], Sequence[Array]]:
    """x with zeros around, y, the calls that put x there, and the scratch behind the memory of that."""
    x: Array = inputs[0].reshape(shape.x)
    y: Array = outputs[0].reshape(shape.y)
    if not shape.has_pads:
        return x, y, [], scratch
    return scratch[0], y, _filled(x, scratch[0], shape), scratch[1:]


def _zeros(shape: Geometry, dtype: np.dtype) -> tuple[Spec, ...]:
    """The memory that x with zeros around needs, where there are any."""
    return (Spec(shape.padded, dtype),) if shape.has_pads else ()


def _filled(x: Array, padded: Array, shape: Geometry) -> list[Call]:
    """What copies x into the middle of zeros."""
    (top, bottom), (left, right) = shape.pads
    height, width = padded.shape[1:3]
    borders = [
        padded[:, :top],
        padded[:, height - bottom :],
        padded[:, top : height - bottom, :left],
        padded[:, top : height - bottom, width - right :],
    ]
    middle = padded[:, top : height - bottom, left : width - right]
    zero = np.zeros((), x.dtype)
    return [*(partial(np.copyto, part, zero) for part in borders if part.size), partial(np.copyto, middle, x)]


def _windows(node: Node, shape: Geometry, dtype: np.dtype) -> Kernel:
    """Windows as rows of a matrix, some lines of the image at a time, times the kernel as another.

    The matrix is filled one line of a window after the other; where these are short, one place of the kernel after
    the other, which makes it lie transposed.
    """
    kernel, ending = node.weights["kernel"], Ending(node, Spec(shape.y, dtype))
    matrix = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]))
    (kh, kw), (sh, sw), (dh, dw) = shape.size, shape.strides, shape.dilation
    (rows, height, width), channels, k = shape.y[:3], shape.x[-1], len(matrix)
    transposed = kw * channels <= _SHORT_RUN
    blocks = list(_blocks(shape, width * k, _COLUMNS))
    most = max((r.stop - r.start) * (min(p.stop, height) - p.start) for r, p in blocks)
    columns = Spec((most * width * k,), dtype)

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        x, y, calls, scratch = _surrounded(shape, inputs, outputs, scratch)
        memory, *rest = scratch
        s = x.strides
        pixels, places = (s[0], s[1] * sh, s[2] * sw), (s[1] * dh, s[2] * dw, s[3])
        windows = np.lib.stride_tricks.as_strided(
            x, (rows, height, width, kh, kw, channels), (*pixels, *places), writeable=False
        )
        for part in blocks:
            window, out = windows[part], y[part].reshape(-1, y.shape[-1])
            if transposed:
                window = window.transpose(3, 4, 5, 0, 1, 2)
                cells = memory[: window.size].reshape(window.shape)
                table = cells.reshape(k, -1).T
            else:
                cells = memory[: window.size].reshape(window.shape)
                table = cells.reshape(-1, k)
            calls += [partial(np.copyto, cells, window), partial(table.dot, matrix, out), *ending.calls(out, rest)]
        return calls

    note = f"windows as a matrix{', transposed' if transposed else ''}, {len(blocks)} blocks"
    return Kernel(bind, (*_zeros(shape, dtype), columns, *ending.scratch), note=note)


def _grouped(node: Node, shape: Geometry, dtype: np.dtype) -> Kernel:
    """A matrix of windows for each group, some lines of the image at a time, and one stack of products."""
    kernel, groups, ending = node.weights["kernel"], node.attributes["groups"], Ending(node, Spec(shape.y, dtype))
    channels, filters = kernel.shape[-2], kernel.shape[-1] // groups
    k = kernel.size // kernel.shape[-1]
    matrices = np.ascontiguousarray(kernel.reshape(k, groups, filters).transpose(1, 0, 2))
    (kh, kw), (sh, sw), (dh, dw) = shape.size, shape.strides, shape.dilation
    rows, height, width = shape.y[:3]
    blocks = list(_blocks(shape, width * k * groups, _COLUMNS))
    most = max((r.stop - r.start) * (min(p.stop, height) - p.start) for r, p in blocks)
    columns = Spec((most * width * k * groups,), dtype)

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        x, y, calls, scratch = _surrounded(shape, inputs, outputs, scratch)
        memory, *rest = scratch
        s = x.strides
        windows = np.lib.stride_tricks.as_strided(
            x,
            (groups, rows, height, width, kh, kw, channels),
            (channels * s[3], s[0], s[1] * sh, s[2] * sw, s[1] * dh, s[2] * dw, s[3]),
            writeable=False,
        )
        for part in blocks:
            window, out = windows[:, part[0], part[1]], y[part].reshape(-1, y.shape[-1])
            cells = memory[: window.size].reshape(window.shape)
            made = out.reshape(-1, groups, filters).transpose(1, 0, 2)
            calls += [
                partial(np.copyto, cells, window),
                partial(np.matmul, cells.reshape(groups, -1, k), matrices, made),
                *ending.calls(out, rest),
            ]
        return calls

    note = f"windows as a matrix for each of {groups} groups, {len(blocks)} blocks"
    return Kernel(bind, (*_zeros(shape, dtype), columns, *ending.scratch), note=note)


_MANY_CHANNELS = 64


def _depthwise(node: Node, shape: Geometry, dtype: np.dtype) -> Kernel:
    """Every channel by itself: each window times the kernel, summed up by one pass over the image."""
    (kh, kw), (sh, sw), (dh, dw) = shape.size, shape.strides, shape.dilation
    width, channels = shape.y[2:]
    kernel, ending = node.weights["kernel"].reshape(kh, kw, channels), Ending(node, Spec(shape.y, dtype))
    if sw == 1 and dw == 1:  # a line of the image, shifted, is one run of numbers; so is as long a line of weights
        weights, equation = np.tile(kernel, (1, 1, width)), "bhijn,ijn->bhn"
        line: tuple[int, ...] = (width * channels,)
        axes: tuple[int, ...] = (3,)
    elif channels >= _MANY_CHANNELS:
        weights, equation = np.ascontiguousarray(kernel), "bhijwn,ijn->bhwn"
        line, axes = (width, channels), (2, 3)
    else:
        return _shifted(node, shape, dtype)
    blocks = list(_blocks(shape, width * channels, BLOCK))

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        x, y, calls, scratch = _surrounded(shape, inputs, outputs, scratch)
        s = (x.strides[0], x.strides[1], x.strides[2] * sw, x.strides[3])
        steps = (s[0], s[1] * sh, x.strides[1] * dh, x.strides[2] * dw, *(s[axis] for axis in axes))
        windows = np.lib.stride_tricks.as_strided(x, (*shape.y[:2], kh, kw, *line), steps)
        for part in blocks:
            window, out = windows[part], y[part]
            flat = out.reshape(*out.shape[:2], *line)
            calls.append(partial(np.einsum, equation, window, weights, out=flat))
            calls += ending.calls(out.reshape(-1, channels), scratch)
        return calls

    return Kernel(
        bind, (*_zeros(shape, dtype), *ending.scratch), note=f"depthwise: sums of windows, {len(blocks)} blocks"
    )


def _shifted(node: Node, shape: Geometry, dtype: np.dtype) -> Kernel:
    """Shifted images times one number for each channel, added up while they are in the cache."""
    kernel, ending = node.weights["kernel"], Ending(node, Spec(shape.y, dtype))
    (kh, kw), (sh, sw), (dh, dw) = shape.size, shape.strides, shape.dilation
    _, _, width, channels = shape.y
    # one number for each column and channel: then a line of an image is one run of numbers
    weights = np.tile(kernel.reshape(kh, kw, 1, channels), (1, 1, width, 1))
    blocks = list(_blocks(shape, width * channels, BLOCK))
    most = max((r.stop - r.start) * (min(p.stop, shape.y[1]) - p.start) for r, p in blocks)
    products = Spec((most * width * channels,), dtype)

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        x, y, calls, scratch = _surrounded(shape, inputs, outputs, scratch)
        memory, *rest = scratch
        for rows, lines in blocks:
            out = y[rows, lines]
            part = memory[: out.size].reshape(out.shape)
            for i, j in np.ndindex(kh, kw):
                top = i * dh + lines.start * sh
                shifted = x[
                    rows, top : top + (out.shape[1] - 1) * sh + 1 : sh, j * dw : j * dw + (width - 1) * sw + 1 : sw
                ]
                if i == j == 0:
                    calls.append(partial(np.multiply, shifted, weights[i, j], out))
                else:
                    calls.append(partial(np.multiply, shifted, weights[i, j], part))
                    calls.append(partial(np.add, out, part, out))
            calls += ending.calls(out.reshape(-1, channels), rest)
        return calls

    return Kernel(
        bind, (*_zeros(shape, dtype), products, *ending.scratch), note=f"depthwise: shifted sums, {len(blocks)} blocks"
    )
