"""conv, conv_transpose, the pools, resize, upsample.

TensorFlow lacks some of it on a CPU. Strides together with dilation, and dilated transposes: the kernel is written with
zeros between its elements. Pools in float64, maxima of NaN and of minus infinity: reduced window by window, as are
windows of three axes that are shorter than their strides, which `same` shifts; of a convolution the padding is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import layers, ops

from generate import resizing
from generate.oracles.declare import Oracle, on_arrays, plain


def _missing(n: int, extent: int, stride: int) -> tuple[int, int]:
    """The padding of `same`, in front and behind."""
    total = max((-(-n // stride) - 1) * stride + extent - n, 0)
    return total // 2, total - total // 2


def _shifted(pool_size: Sequence[int], strides: Sequence[int], padding: str) -> bool:
    shorter = any(size < stride for size, stride in zip(pool_size, strides, strict=True))
    return padding == "same" and len(pool_size) == 3 and shorter


def _stretched(kernel: Any, rates: Sequence[int]) -> Any:
    """The kernel with rate − 1 zeros between its elements."""
    kernel = np.asarray(kernel)
    for axis, rate in enumerate(rates):
        kernel = np.insert(kernel, np.repeat(np.arange(1, kernel.shape[axis]), rate - 1), 0, axis)
    return ops.convert_to_tensor(kernel)


def _biased(y: Any, bias: Any) -> Any:
    return y if bias is None else y + bias


def _conv(
    x: Any,
    kernel: Any,
    bias: Any = None,
    *,
    strides: list[int],
    dilation_rate: list[int],
    groups: int,
    padding: str,
) -> Any:
    """Keras knows the groups by the shapes of x and kernel."""
    extents = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:-2], dilation_rate, strict=True)]
    if padding == "causal":
        x, padding = ops.pad(x, [(0, 0), (extents[0] - 1, 0), (0, 0)]), "valid"
    elif _shifted(extents, strides, padding):
        around = [_missing(*axis) for axis in zip(x.shape[1:-1], extents, strides, strict=True)]
        x, padding = ops.pad(x, [(0, 0), *around, (0, 0)]), "valid"
    if max(strides) > 1 and max(dilation_rate) > 1:
        kernel, dilation_rate = _stretched(kernel, dilation_rate), [1] * len(extents)
    return _biased(ops.conv(x, kernel, strides, padding, dilation_rate=dilation_rate), bias)


def _conv_transpose(
    x: Any,
    kernel: Any,
    bias: Any = None,
    *,
    strides: list[int],
    dilation_rate: list[int],
    cropping: list[int],
) -> Any:
    """Keras's `valid` gives the whole result, with zeros behind it where the stride is beyond the kernel."""
    kernel = _stretched(kernel, dilation_rate)
    whole = [(n - 1) * s + k for n, s, k in zip(x.shape[1:-1], strides, kernel.shape, strict=False)]
    y = ops.conv_transpose(x, kernel, strides, "valid")
    for axis, (extent, before, after) in enumerate(zip(whole, cropping[::2], cropping[1::2], strict=True), 1):
        y = ops.moveaxis(y, axis, 0)[before : extent - max(after, 0)]
        y = ops.pad(y, [(0, max(extent - before - after - len(y), 0)), *[(0, 0)] * (len(y.shape) - 1)])
        y = ops.moveaxis(y, 0, axis)
    return _biased(y, bias)


# Pools

Bounds = list[tuple[int, int]]
"""For each window along an axis, its first element, and the first one behind it."""

Reduce = Callable[[Any, int], Any]


def _reduced(x: Any, bounds: Sequence[Bounds], reduce: Reduce) -> Any:
    """Each window reduced, axis by axis."""
    for axis, windows in enumerate(bounds, 1):
        lines = ops.moveaxis(x, axis, 0)
        x = ops.moveaxis(ops.stack([reduce(lines[first:last], 0) for first, last in windows]), 0, axis)
    return x


def _largest(x: Any, axis: int) -> Any:
    return ops.where(ops.any(ops.isnan(x), axis), np.nan, ops.max(x, axis, initial=-np.inf))


def _sliding(n: int, size: int, stride: int, padding: str) -> Bounds:
    before, after = _missing(n, size, stride) if padding == "same" else (0, 0)
    firsts = range(-before, n + after - size + 1, stride)
    return [(max(first, 0), min(first + size, n)) for first in firsts]


def _by_windows(reduce: Reduce) -> Callable[..., Any]:
    def pool(x: Any, pool_size: list[int], strides: list[int], padding: str) -> Any:
        axes = zip(x.shape[1:-1], pool_size, strides, strict=True)
        return _reduced(x, [_sliding(*axis, padding) for axis in axes], reduce)

    return pool


def _by_adaptive_windows(reduce: Reduce) -> Callable[..., Any]:
    def pool(x: Any, output_size: list[int]) -> Any:
        axes = zip(x.shape[1:-1], output_size, strict=True)
        bounds = [[(p * n // out, -(-(p + 1) * n // out)) for p in range(out)] for n, out in axes]
        return _reduced(x, bounds, reduce)

    return pool


def _max_pool(x: Any, **attributes: Any) -> Any:
    known = np.isfinite(x).all() and not _shifted(**attributes)
    return ops.max_pool(x, **attributes) if known else _by_windows(_largest)(x, **attributes)


def _average_pool(x: Any, **attributes: Any) -> Any:
    pool = _by_windows(ops.mean) if _shifted(**attributes) else ops.average_pool
    return pool(x, **attributes)


def _adaptive_max_pool(x: Any, output_size: list[int]) -> Any:
    pool = ops.adaptive_max_pool if np.isfinite(x).all() else _by_adaptive_windows(_largest)
    return pool(x, output_size)


# Images of another size


def _resized(x: Any, size: list[int], interpolation: str, antialias: bool) -> Any:
    """The matrices of generate.resizing."""
    if interpolation == "nearest":
        return on_arrays(_resize)(x, size=size, interpolation=interpolation, antialias=antialias)
    high, wide = (
        resizing.axis(n, out, interpolation, antialias).weights for n, out in zip(x.shape[1:3], size, strict=True)
    )
    return np.einsum("pi,bijc,qj->bpqc", high, x, wide)


def _resize(x: Any, size: list[int], interpolation: str, antialias: bool) -> Any:
    return ops.image.resize(x, size, interpolation, antialias)


def _upsampled(x: Any, factors: list[int], interpolation: str) -> Any:
    size = [n * factor for n, factor in zip(x.shape[1:3], factors, strict=True)]
    return _resized(x, size, interpolation, antialias=False)


def _upsample(x: Any, factors: list[int], interpolation: str) -> Any:
    return layers.UpSampling2D(factors, interpolation=interpolation, dtype=x.dtype)(x)


ORACLES = {
    "conv": plain(_conv),
    "conv_transpose": plain(_conv_transpose),
    "max_pool": plain(_max_pool, _by_windows(_largest)),
    "average_pool": plain(_average_pool, _by_windows(ops.mean)),
    "adaptive_max_pool": plain(_adaptive_max_pool, _by_adaptive_windows(_largest)),
    "adaptive_average_pool": plain(ops.adaptive_average_pool, _by_adaptive_windows(ops.mean)),
    "resize": Oracle(_resized, on_arrays(_resize)),
    "upsample": Oracle(_upsampled, on_arrays(_upsample)),
}
