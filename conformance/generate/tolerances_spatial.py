"""Tolerances of what slides over images, or resizes them: conv, conv_transpose, the pools, resize, upsample."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from generate import resizing

# Windows: along an axis, the places of the elements that each element of y reads; −1 is none


def _sliding(n: int, size: int, stride: int, rate: int, padding: str) -> Any:
    """(out, size)"""
    extent = (size - 1) * rate + 1
    out, before = (n - extent) // stride + 1, 0
    if padding == "same":
        out = -(-n // stride)
        before = max((out - 1) * stride + extent - n, 0) // 2
    elif padding == "causal":
        out, before = (n - 1) // stride + 1, extent - 1
    places = stride * np.arange(out)[:, None] + rate * np.arange(size) - before
    return np.where((places >= 0) & (places < n), places, -1)


def _adaptive(n: int, out: int) -> Any:
    """(out, the size of the largest window)"""
    first, last = (
        np.array([f(p) for p in range(out)]) for f in (lambda p: p * n // out, lambda p: -(-(p + 1) * n // out))
    )
    places = first[:, None] + np.arange((last - first).max())
    return np.where(places < last[:, None], places, -1)


def _read(x: Any, places: Sequence[Any]) -> Any:
    """(rows, *space, channels) -> (rows, *out, elements of a window, channels), 0 where nothing is read."""
    n = len(places)
    for axis in range(n, 0, -1):
        at = places[axis - 1]
        found = np.take(x, np.maximum(at, 0), axis)
        x = np.where((at >= 0).reshape(*at.shape, *[1] * (found.ndim - axis - 2)), found, 0)
    x = np.moveaxis(x, range(2, 2 * n + 1, 2), range(n + 1, 2 * n + 1))
    return x.reshape(*x.shape[: n + 1], prod(x.shape[n + 1 : -1]), x.shape[-1])


def _mean(x: Any, places: Sequence[Any]) -> tuple[Any, Any]:
    """A, and the number of elements of each window."""
    count = _read(np.ones((1, *x.shape[1:-1], 1)), places).sum(-2)
    return _read(np.abs(x), places).sum(-2) / count, count


# Rules


def _conv(
    y: Any,
    x: Any,
    kernel: Any,
    bias: Any = None,
    *,
    strides: list[int],
    dilation_rate: list[int],
    groups: int,
    padding: str,
    **_: Any,
) -> tuple[Any, int]:
    *sizes, depth, filters = kernel.shape
    axes = zip(x.shape[1:-1], sizes, strides, dilation_rate, strict=True)
    windows = _read(np.abs(x), [_sliding(*axis, padding) for axis in axes])
    windows = windows.reshape(*windows.shape[:-1], groups, depth)
    flat = np.abs(kernel).reshape(-1, depth, groups, filters // groups)
    magnitude = np.einsum("...kgc,kcgf->...gf", windows, flat).reshape(y.shape)
    return _with_bias(magnitude, bias, prod(sizes) * depth)


def _with_bias(magnitude: Any, bias: Any, terms: int) -> tuple[Any, int]:
    return (magnitude, terms) if bias is None else (magnitude + np.abs(bias), terms + 1)


def _conv_transpose(
    y: Any,
    x: Any,
    kernel: Any,
    bias: Any = None,
    *,
    strides: list[int],
    dilation_rate: list[int],
    cropping: list[int],
    **_: Any,
) -> tuple[Any, int]:
    """Each element of x spread over the whole result, which is cut, or continued with zeros, at the end."""
    *sizes, filters, channels = kernel.shape
    before = cropping[::2]
    most = [
        max((n - 1) * s + (k - 1) * d + 1, front + out)
        for n, k, s, d, front, out in zip(
            x.shape[1:-1], sizes, strides, dilation_rate, before, y.shape[1:-1], strict=True
        )
    ]
    full = np.zeros((len(x), *most, filters))
    for place in np.ndindex(*sizes):
        first = [i * d for i, d in zip(place, dilation_rate, strict=True)]
        reached = (slice(f, f + (n - 1) * s + 1, s) for f, n, s in zip(first, x.shape[1:-1], strides, strict=True))
        full[(slice(None), *reached)] += np.abs(x) @ np.abs(kernel[place]).T
    kept = (slice(front, front + out) for front, out in zip(before, y.shape[1:-1], strict=True))
    return _with_bias(full[(slice(None), *kept)], bias, prod(sizes) * channels)


def _average_pool(y: Any, x: Any, pool_size: list[int], strides: list[int], padding: str, **_: Any) -> tuple[Any, int]:
    axes = zip(x.shape[1:-1], pool_size, strides, strict=True)
    magnitude, _count = _mean(x, [_sliding(n, size, stride, 1, padding) for n, size, stride in axes])
    return magnitude, prod(pool_size)


def _adaptive_average_pool(y: Any, x: Any, output_size: list[int], **_: Any) -> tuple[Any, Any]:
    return _mean(x, [_adaptive(n, out) for n, out in zip(x.shape[1:-1], output_size, strict=True)])


def _resize(y: Any, x: Any, interpolation: str, antialias: bool = False, **_: Any) -> Any:
    if interpolation == "nearest":
        return np.zeros(y.shape)
    high, wide = (
        resizing.axis(n, out, interpolation, antialias) for n, out in zip(x.shape[1:3], y.shape[1:3], strict=True)
    )

    def total(first: Any, second: Any) -> Any:
        return np.einsum("pi,bijc,qj->bpqc", np.abs(first), np.abs(x), np.abs(second))

    magnitude = total(high.weights, wide.weights)
    off = total(high.spread, wide.weights) + total(high.weights, wide.spread)
    off = off + 2.0**-22 * total(high.spread, wide.spread)
    return magnitude * (4 + 2 * np.sqrt(high.reach * wide.reach)) + 4 * off


SUMS = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "average_pool": _average_pool,
    "adaptive_average_pool": _adaptive_average_pool,
}
OWN = {"resize": _resize, "upsample": _resize}
