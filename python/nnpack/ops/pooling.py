"""max_pool, average_pool, and the adaptive ones: one spatial axis after the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.ops.operator import Call, OpenShape, exact, one_of, operator, require_float, summed
from nnpack.ops.windows import SPATIAL, along, overlap, require_counts, require_space, slid, sliding

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _column(numbers: Sequence[int], axis: int, x: Array) -> Array:
    """Numbers in the dtype of x, in the shape that broadcasts along `axis` of x."""
    return np.array(numbers, x.dtype).reshape([-1 if k == axis else 1 for k in range(x.ndim)])


# Windows of one size


def _types(call: Call) -> tuple[str, OpenShape]:
    dtype, x, attributes = require_float(call), call.inputs[0], call.attributes
    require_space(call, ("pool_size", "strides"))
    axes = zip(x.shape[1:-1], attributes["pool_size"], attributes["strides"], strict=True)
    counts = (slid(n, size, stride, 1, attributes["padding"]) for n, size, stride in axes)
    return dtype, (x.shape[0], *counts, x.shape[-1])


def _pool(
    combine: np.ufunc, start: float, name: str, x: Array, pool_size: list[int], strides: list[int], padding: str
) -> tuple[Array, list[Array]]:
    """The elements of every window combined; and how many there are, as one array for each axis."""
    slides = [
        sliding(n, size, stride, 1, padding) for n, size, stride in zip(x.shape[1:-1], pool_size, strides, strict=True)
    ]
    require_counts([slide.windows for slide in slides], name, x)
    sizes = []
    for axis, (slide, size, stride) in enumerate(zip(slides, pool_size, strides, strict=True), 1):
        n = x.shape[axis]
        y = np.full((*x.shape[:axis], slide.windows, *x.shape[axis + 1 :]), start, x.dtype)
        count = [0] * slide.windows
        for place in range(-slide.before, size - slide.before):
            windows, elements = overlap(place, stride, n, slide.windows)
            at = along(axis, windows)
            combine(y[at], x[along(axis, elements)], out=y[at])
            for window in range(slide.windows)[windows]:
                count[window] += 1
        x = y
        sizes.append(_column(count, axis, x))
    return x, sizes


_ATTRIBUTES = {"pool_size": SPATIAL, "strides": SPATIAL, "padding": one_of("valid", "same")}


@operator(_types, exact, attributes=_ATTRIBUTES)
def max_pool(x: Array, pool_size: list[int], strides: list[int], padding: str) -> Array:
    """(rows, *space, channels) -> (rows, *out, channels). Source: spec/ops/pooling.md.

    Raises:
        ShapeError: a dimension that the model leaves open is too small for the window.
    """
    y, _ = _pool(np.maximum, -np.inf, "max_pool", x, pool_size, strides, padding)
    return y


def _average_rounding(y: Array, x: Array, pool_size: list[int], strides: list[int], padding: str) -> Array:
    return summed(average_pool(np.abs(x), pool_size, strides, padding), prod(pool_size))


@operator(_types, _average_rounding, attributes=_ATTRIBUTES)
def average_pool(x: Array, pool_size: list[int], strides: list[int], padding: str) -> Array:
    """(rows, *space, channels) -> (rows, *out, channels). Source: spec/ops/pooling.md.

    Raises:
        ShapeError: a dimension that the model leaves open is too small for the window.
    """
    y, sizes = _pool(np.add, 0, "average_pool", x, pool_size, strides, padding)
    y /= reduce(np.multiply, sizes)
    return y


# Windows as long as it takes


def _adaptive_types(call: Call) -> tuple[str, OpenShape]:
    dtype, x = require_float(call), call.inputs[0]
    require_space(call, ("output_size",))
    return dtype, (x.shape[0], *call.attributes["output_size"], x.shape[-1])


def _bounds(n: int, count: int) -> list[slice]:
    """The windows into which n elements fall: as many as wanted, as equal as can be."""
    return [slice(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


def _adaptive_pool(combine: Any, x: Array, output_size: list[int]) -> Array:
    """The elements of every window combined along one axis after the other."""
    require_counts(x.shape[1:-1], "adaptive pooling", x)
    for axis, count in enumerate(output_size, 1):
        parts = [combine(x[along(axis, part)], axis=axis) for part in _bounds(x.shape[axis], count)]
        x = np.stack(parts, axis)
    return x


@operator(_adaptive_types, exact, attributes={"output_size": SPATIAL})
def adaptive_max_pool(x: Array, output_size: list[int]) -> Array:
    """(rows, *space, channels) -> (rows, *output_size, channels). Source: spec/ops/adaptive_pooling.md."""
    return _adaptive_pool(np.max, x, output_size)


def _adaptive_average_rounding(y: Array, x: Array, output_size: list[int]) -> Array:
    terms = np.ones(1)
    for axis, count in enumerate(output_size, 1):
        sizes = [part.stop - part.start for part in _bounds(x.shape[axis], count)]
        terms = terms * _column(sizes, axis, np.asarray(y, np.float64))
    return np.asarray(adaptive_average_pool(np.abs(x), output_size) * (1 + np.sqrt(terms) / 4))


@operator(_adaptive_types, _adaptive_average_rounding, attributes={"output_size": SPATIAL})
def adaptive_average_pool(x: Array, output_size: list[int]) -> Array:
    """(rows, *space, channels) -> (rows, *output_size, channels). Source: spec/ops/adaptive_pooling.md."""
    return _adaptive_pool(np.mean, x, output_size)
