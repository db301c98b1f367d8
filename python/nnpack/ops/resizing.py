"""resize and upsample: weights along each axis that depend on nothing but the sizes."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnpack.format.document import Dimension
from nnpack.ops.operator import (
    BOOLEAN,
    Call,
    OpenShape,
    integers,
    one_of,
    operator,
    require_float,
    require_number,
    require_rank,
)
from nnpack.ops.windows import require_counts

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

_PAIR = integers(1, lengths=(2, 2))
_INTERPOLATION = one_of("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area")


class Taps(NamedTuple):
    """What each element of y reads along an axis.

    Attributes:
        at: (out, taps), places in x; places beyond the borders are moved to them.
        weights: (out, taps), float64.
        spread: (out, taps): how far a weight may be off, in units of u.
        reach: the number of taps that the tolerance counts.
        step: what the sum, and with it weights and spread, are to be divided by.
    """

    at: Array
    weights: Array
    spread: Array
    reach: int
    step: np.float32 = np.float32(1)


def _triangle(t: Array) -> Array:
    return np.maximum(1 - t, 0)


def _cubic(t: Array) -> Array:
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0))


def _lanczos(radius: int) -> Callable[[Array], Array]:
    def kernel(t: Array) -> Array:
        wave = np.sinc(t) * np.sinc(t / radius)
        return np.where(t <= 0.001, 1, np.where(t <= radius, wave, 0))

    return kernel


class Kernel(NamedTuple):
    """A function of the distance, 0 beyond the radius; and how far it may be off, in units of u."""

    function: Callable[[Array], Array]
    radius: int
    spread: int


_KERNELS = {
    "bilinear": Kernel(_triangle, 1, 1),
    "bicubic": Kernel(_cubic, 2, 8),
    "lanczos3": Kernel(_lanczos(3), 3, 1),
    "lanczos5": Kernel(_lanczos(5), 5, 1),
}


# Rules of weights. Positions are float32 by definition: they decide on which side of a border one falls.


def _centres(out: int) -> Array:
    return np.arange(out, dtype=np.float32) + np.float32(0.5)


def _step(n: int, out: int) -> np.float32:
    return np.float32(n) / np.float32(out)


def _within(at: Array, n: int, weights: Array, spread: Array, reach: int) -> Taps:
    return Taps(np.clip(at, 0, n - 1), weights, spread, reach)


def _normalized(at: Array, n: int, values: Array, within: Array, reach: int) -> Taps:
    """Pixels beyond the border do not count; the others' weights add up to 1."""
    values = np.where((at >= 0) & (at < n), values, 0)
    total = values.sum(axis=1, keepdims=True)
    return _within(at, n, values / total, within * (at >= 0) * (at < n) / total, reach)


def _nearest(n: int, out: int) -> Taps:
    at = np.floor(_centres(out) * _step(n, out)).astype(np.int64)[:, None]
    return _within(at, n, np.ones(at.shape), np.zeros(at.shape), 1)


def _linear(n: int, out: int) -> Taps:
    position = _centres(out) * _step(n, out) - np.float32(0.5)
    low = np.floor(position)
    lerp = (position - low).astype(np.float64)
    at = low.astype(np.int64)[:, None] + np.arange(2)
    return _within(at, n, np.stack([1 - lerp, lerp], 1), np.ones(at.shape), 2)


def _table(n: int, out: int) -> Taps:
    position = _centres(out) * _step(n, out) - np.float32(0.5)
    low = np.floor(position)
    fraction = np.rint((position - low) * 1024).astype(np.float64) / 1024
    offsets = np.arange(-1, 3)
    at = low.astype(np.int64)[:, None] + offsets
    kernel, _, spread = _KERNELS["bicubic"]
    return _normalized(at, n, kernel(np.abs(offsets - fraction[:, None])), np.full(at.shape, spread), 4)


def _sampled(n: int, out: int, interpolation: str, antialias: bool) -> Taps:
    kernel, radius, spread = _KERNELS[interpolation]
    step = np.float32(1) / _step(out, n)
    position = (_centres(out) * step).astype(np.float64)[:, None]
    widen = max(float(step), 1.0) if antialias else 1.0
    first = np.ceil(position - radius * widen - 0.5)
    reach = min(2 * ceil(radius * widen) + 1, n)
    # a span that starts in front of the border is moved, so that it needs no more taps than there are pixels
    first = np.clip(first, 0, n - reach)
    at = first.astype(np.int64) + np.arange(reach)
    distance = np.abs(at + 0.5 - position) / widen
    return _normalized(at, n, kernel(distance), spread * (distance <= radius), reach)


def _area(n: int, out: int) -> Taps:
    step = _step(n, out)
    edges = np.arange(out + 1, dtype=np.float32) * step
    start, end = edges[:-1].astype(np.float64)[:, None], edges[1:].astype(np.float64)[:, None]
    first, last = np.floor(start), np.ceil(end)
    pixel = first + np.arange(int((last - first).max()))
    part = np.minimum(pixel + 1, end) - np.maximum(pixel, start)
    part = np.where((pixel < start) & (pixel + 1 > end), float(step), np.where(pixel < last, part, 0))
    return _within(pixel.astype(np.int64), n, part, part, ceil(step) + 1)._replace(step=step)


def _taps(n: int, out: int, interpolation: str, antialias: bool) -> Taps:
    if interpolation == "nearest":
        return _nearest(n, out)
    if interpolation == "area":
        return _area(n, out)
    if interpolation.startswith("lanczos") or antialias:
        return _sampled(n, out, interpolation, antialias)
    return _linear(n, out) if interpolation == "bilinear" else _table(n, out)


def _weighted(x: Array, taps: Taps, axis: int) -> Array:
    """y[…, p, …] = Σ x[…, at[p, k], …] · weights[p, k]."""
    at = taps.at
    weights = taps.weights.astype(x.dtype).reshape(*at.shape, *[1] * (x.ndim - 1 - axis))
    y = x.take(at[:, 0], axis) * weights[:, 0]
    for k in range(1, at.shape[1]):
        y += x.take(at[:, k], axis) * weights[:, k]
    return y


def _between(x: Array, taps: Taps, axis: int) -> Array:
    """The same for two taps whose weights add up to 1, where what lies midway between two numbers is exactly that."""
    low, high = (x.take(taps.at[:, k], axis) for k in range(2))
    lerp = taps.weights[:, 1].astype(x.dtype).reshape(-1, *[1] * (x.ndim - 1 - axis))
    high -= low
    high *= lerp
    low += high
    return low


# The operators


def _require_dtype(call: Call) -> str:
    return require_number(call) if call.attributes["interpolation"] == "nearest" else require_float(call)


def _resize_types(call: Call) -> tuple[str, OpenShape]:
    dtype, x = _require_dtype(call), call.inputs[0]
    require_rank(call, 0, 4, 4)
    return dtype, (x.shape[0], *call.attributes["size"], x.shape[3])


def _resize_rounding(y: Array, x: Array, size: list[int], interpolation: str, antialias: bool) -> Array:
    if interpolation == "nearest":
        return np.zeros_like(y, np.float64)
    height, width = (_taps(n, out, interpolation, antialias) for n, out in zip(x.shape[1:3], size, strict=True))
    high, wide = np.abs(height.weights), np.abs(width.weights)

    def total(first: Array, second: Array) -> Array:
        return _weighted(_weighted(np.abs(x), height._replace(weights=first), 1), width._replace(weights=second), 2)

    terms = height.reach * width.reach
    off_high, off_wide = np.abs(height.spread), np.abs(width.spread)
    off = total(off_high, wide) + total(high, off_wide) + 2.0**-22 * total(off_high, off_wide)
    step = float(height.step) * float(width.step)
    return np.asarray((total(high, wide) * (2 + np.sqrt(terms)) / 4 + off / 2) / step)


@operator(
    _resize_types,
    _resize_rounding,
    attributes={"size": _PAIR, "interpolation": _INTERPOLATION, "antialias": BOOLEAN},
)
def resize(x: Array, size: list[int], interpolation: str, antialias: bool) -> Array:
    """(rows, height, width, channels) -> (rows, *size, channels). Source: spec/ops/resize.md."""
    require_counts(x.shape[1:3], "resize", x)
    high, wide = (_taps(n, out, interpolation, antialias) for n, out in zip(x.shape[1:3], size, strict=True))
    if interpolation == "nearest":
        return x.take(high.at[:, 0], 1).take(wide.at[:, 0], 2)
    # the order of sums is TensorFlow's, so that integers that are rounded from x are Keras's at ties too
    if interpolation == "area":
        y = _weighted(_weighted(x, wide, 2), high, 1)
        y *= 1 / (x.dtype.type(high.step) * x.dtype.type(wide.step))
        return y
    if interpolation == "bilinear" and not antialias:
        return _between(_between(x, wide, 2), high, 1)
    return _weighted(_weighted(x, high, 1), wide, 2)


def _multiplied(n: Dimension, factor: int) -> Dimension | None:
    if isinstance(n, int):
        return n * factor
    return n if factor == 1 else None


def _upsample_types(call: Call) -> tuple[str, OpenShape]:
    dtype, x = _require_dtype(call), call.inputs[0]
    require_rank(call, 0, 4, 4)
    space = (_multiplied(n, factor) for n, factor in zip(x.shape[1:3], call.attributes["factors"], strict=True))
    return dtype, (x.shape[0], *space, x.shape[3])


def _new_size(x: Array, factors: list[int]) -> list[int]:
    return [n * factor for n, factor in zip(x.shape[1:3], factors, strict=True)]


def _upsample_rounding(y: Array, x: Array, factors: list[int], interpolation: str) -> Array:
    return _resize_rounding(y, x, _new_size(x, factors), interpolation, antialias=False)


@operator(_upsample_types, _upsample_rounding, attributes={"factors": _PAIR, "interpolation": _INTERPOLATION})
def upsample(x: Array, factors: list[int], interpolation: str) -> Array:
    """(rows, height, width, channels) -> (rows, height * factors[0], …). Source: spec/ops/resize.md."""
    y: Array = resize(x, _new_size(x, factors), interpolation, antialias=False)
    return y
