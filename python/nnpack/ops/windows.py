"""Windows that slide over the spatial axes of (rows, *space, channels): where they lie, and what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnpack.errors import FormatError, ShapeError
from nnpack.format.document import Dimension, show
from nnpack.ops.operator import Call, integers, require_rank

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

SPATIAL = integers(1, lengths=(1, 3))
"""An integer for each spatial axis."""

_BLOCK = 2**23


def along(axis: int, part: slice) -> tuple[slice, ...]:
    """The index of a part of one axis."""
    return (*[slice(None)] * axis, part)


class Sliding(NamedTuple):
    """So many `windows` along an axis that has `before` and `after` elements of padding around it."""

    before: int
    after: int
    windows: int


def sliding(n: int, size: int, stride: int, dilation: int, padding: str) -> Sliding:
    """Windows of `size` elements, `dilation` apart, over n elements; a count below 1 where none fits."""
    extent = (size - 1) * dilation + 1
    if padding == "valid":
        return Sliding(0, 0, (n - extent) // stride + 1)
    if padding == "causal":
        return Sliding(extent - 1, 0, (n - 1) // stride + 1)
    count = -(-n // stride)
    missing = max((count - 1) * stride + extent - n, 0)
    return Sliding(missing // 2, missing - missing // 2, count)


def slid(n: Dimension, size: int, stride: int, dilation: int, padding: str) -> Dimension | None:
    """How many windows there are; None where only a call tells."""
    if isinstance(n, int):
        return sliding(n, size, stride, dilation, padding).windows
    return n if stride == 1 and (padding != "valid" or size == 1) else None


def require_space(call: Call, each: Sequence[str], both_sides: Sequence[str] = ()) -> int:
    """The number of spatial axes, 1 to 3; attributes have one element for each, or two."""
    n = require_rank(call, 0, 3, 5) - 2
    for key, length in [*((key, n) for key in each), *((key, 2 * n) for key in both_sides)]:
        if len(call.attributes[key]) != length:
            raise FormatError("rank-range", f"/attributes/{key}", f"a list of {length}", call.attributes[key])
    return n


def require_counts(counts: Sequence[int], name: str, x: Array) -> None:
    """Something remains of every spatial axis, in a call."""
    if min(counts) < 1:
        raise ShapeError("shape", name, f"spatial axes that leave more than {show(tuple(counts))}", show(x.shape[1:-1]))


def spatial_windows(
    x: Array, kernel_size: Sequence[int], strides: Sequence[int], padding: str, dilation_rate: Sequence[int]
) -> Array:
    """(rows, *space, channels) -> (rows, *out, *kernel_size, channels), a view where there is no padding."""
    n = x.ndim - 2
    slides = [sliding(*axis, padding) for axis in zip(x.shape[1:-1], kernel_size, strides, dilation_rate, strict=True)]
    require_counts([slide.windows for slide in slides], "conv", x)
    if any(slide.before or slide.after for slide in slides):
        x = np.pad(x, [(0, 0), *((slide.before, slide.after) for slide in slides), (0, 0)])
    space = x.strides[1:-1]
    return np.lib.stride_tricks.as_strided(
        x,
        (len(x), *(slide.windows for slide in slides), *kernel_size, x.shape[-1]),
        (
            x.strides[0],
            *(space[axis] * strides[axis] for axis in range(n)),
            *(space[axis] * dilation_rate[axis] for axis in range(n)),
            x.strides[-1],
        ),
        writeable=False,
    )


def blocks(windows: Array) -> Iterator[tuple[slice, slice]]:
    """Parts of the rows, or of one row along its first spatial axis, whose windows fit into a cache."""
    rows, lines = windows.shape[:2]
    line = windows.itemsize * prod(windows.shape[2:])
    many = _BLOCK // max(line, 1)
    if many >= lines:
        step = max(many // lines, 1)
        for row in range(0, rows, step):
            yield slice(row, row + step), slice(None)
    else:
        step = max(many, 1)
        for row in range(rows):
            for start in range(0, lines, step):
                yield slice(row, row + 1), slice(start, start + step)


def overlap(offset: int, stride: int, n: int, count: int) -> tuple[slice, slice]:
    """Of `count` windows, those whose element at `offset` lies within n elements; and these elements."""
    first = max(-(offset // stride), 0)
    last = min((n - 1 - offset) // stride, count - 1)
    if last < first:
        return slice(0, 0), slice(0, 0)
    return slice(first, last + 1), slice(first * stride + offset, last * stride + offset + 1, stride)
