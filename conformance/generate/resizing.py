"""The weights of spec/ops/resize.md, as a matrix for each axis: what Keras's numbers and tolerances are made from.

TensorFlow computes all of them in float32 but `nearest`, so that Keras in float64 is no oracle: the matrices are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

F32 = np.float32


@dataclass(frozen=True)
class Axis:
    """One axis of n elements that becomes one of `out`.

    Attributes:
        weights: (out, n), float64.
        spread: (out, n), in what proportion to u each weight may be off: D of the page.
        reach: the most elements that one reads: T of the page.
    """

    weights: Any
    spread: Any
    reach: int


def axis(n: int, out: int, interpolation: str, antialias: bool) -> Axis:
    if interpolation == "nearest":
        return _nearest(n, out)
    if interpolation == "area":
        return _area(n, out)
    if antialias or interpolation.startswith("lanczos"):
        return _sampled(n, out, *KERNELS[interpolation], antialias=antialias)
    return _linear(n, out) if interpolation == "bilinear" else _table(n, out)


def _matrix(n: int, out: int, places: Any, values: Any) -> Any:
    """(out, n), with values (out, taps) at places (out, taps); those of one place add up."""
    matrix = np.zeros((out, n))
    np.add.at(matrix, (np.arange(out)[:, None], np.clip(places, 0, n - 1)), values)
    return matrix


def _scaled(n: int, out: int) -> Any:
    """(out, 1): the centre of each new pixel, in old ones; float32."""
    return ((np.arange(out, dtype=F32) + F32(0.5)) * (F32(n) / F32(out)))[:, None]


def _nearest(n: int, out: int) -> Axis:
    places = np.floor(_scaled(n, out)).astype(int)
    return Axis(_matrix(n, out, places, 1.0), np.zeros((out, n)), 1)


def _linear(n: int, out: int) -> Axis:
    position = _scaled(n, out) - F32(0.5)
    low = np.floor(position)
    lerp = np.float64(position - low)
    places = low.astype(int) + np.arange(2)
    return Axis(_matrix(n, out, places, np.hstack([1 - lerp, lerp])), _matrix(n, out, places, 1.0), 2)


def _table(n: int, out: int) -> Axis:
    position = _scaled(n, out) - F32(0.5)
    low = np.floor(position)
    fraction = np.rint((position - low) * F32(1024)) / 1024.0
    beside = np.arange(-1, 3)
    places = low.astype(int) + beside
    inside = (places >= 0) & (places < n)
    kernel = np.where(inside, _cubic(np.abs(beside - fraction)), 0)
    total = kernel.sum(1, keepdims=True)
    return Axis(_matrix(n, out, places, kernel / total), _matrix(n, out, places, inside * 8 / total), 4)


def _sampled(n: int, out: int, kernel: Callable[[Any], Any], radius: int, spread: int, antialias: bool) -> Axis:
    step = F32(1) / (F32(out) / F32(n))
    position = np.float64((np.arange(out, dtype=F32) + F32(0.5)) * step)[:, None]
    widen = max(float(step), 1.0) if antialias else 1.0
    distance = np.abs(np.arange(n) + 0.5 - position) / widen
    within = distance <= radius
    values = np.where(within, kernel(distance), 0)
    total = values.sum(1, keepdims=True)
    return Axis(values / total, within * spread / total, min(2 * ceil(radius * widen) + 1, n))


def _area(n: int, out: int) -> Axis:
    step = F32(n) / F32(out)
    edges = np.float64(np.arange(out + 1, dtype=F32) * step)[:, None]
    start, end = edges[:-1], edges[1:]
    pixels = np.arange(n + 2)  # rounding may put the last edge behind the last pixel
    before, beyond = pixels < start, pixels + 1 > end
    part = np.select(
        [(pixels + 1 <= start) | (pixels >= end), before & beyond, before, beyond],
        [0.0, float(step), pixels + 1 - start, end - pixels],
        1.0,
    )
    weights = _matrix(n, out, pixels[None, :], part / float(step))
    return Axis(weights, weights, ceil(step) + 1)


def _triangle(t: Any) -> Any:
    return np.maximum(1 - t, 0)


def _cubic(t: Any) -> Any:
    return np.select([t < 1, t < 2], [1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2], 0)


def _lanczos(radius: int) -> Callable[[Any], Any]:
    return lambda t: np.where(t <= 0.001, 1, np.sinc(t) * np.sinc(t / radius))


KERNELS: dict[str, tuple[Callable[[Any], Any], int, int]] = {
    "bilinear": (_triangle, 1, 1),
    "bicubic": (_cubic, 2, 8),
    "lanczos3": (_lanczos(3), 3, 1),
    "lanczos5": (_lanczos(5), 5, 1),
}
"""Interpolation -> its kernel, the kernel's radius, and in what proportion to u its values may be off."""
