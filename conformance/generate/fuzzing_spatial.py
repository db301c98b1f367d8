"""What is drawn of what slides over images, resizes them, or normalizes groups of elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from hypothesis import strategies as st

from generate.drawing import TAME, WIDE, Draw, Make, array, axes_of, axis_of, numbers, one, shape_of
from generate.graph import Graph

KERNEL, STRIDE, RATE = st.integers(1, 3), st.integers(1, 3), st.integers(1, 2)


def _axes(draw: Draw) -> int:
    found: int = draw(st.integers(1, 3))
    return found


def _each(draw: Draw, n: int, strategy: st.SearchStrategy[int]) -> list[int]:
    return [draw(strategy) for _ in range(n)]


def _space(draw: Draw, extents: Sequence[int], padding: str) -> list[int]:
    """Spatial axes in which a window of these extents has a place."""
    least = extents if padding == "valid" else [1] * len(extents)
    return [n - 1 + draw(st.integers(1, min(draw.most, 4))) for n in least]


def conv(draw: Draw) -> Graph:
    n = _axes(draw)
    size, strides, rates = (_each(draw, n, strategy) for strategy in (KERNEL, STRIDE, RATE))
    padding = draw(st.sampled_from(("valid", "same", "causal") if n == 1 else ("valid", "same")))
    extents = [(k - 1) * d + 1 for k, d in zip(size, rates, strict=True)]
    groups, depth, multiple = draw(KERNEL), draw(RATE), draw(RATE)
    filters = groups * multiple
    weights = {"kernel": array(draw, (*size, depth, filters), TAME)}
    if draw(st.booleans()):
        weights["bias"] = array(draw, (filters,), TAME)
    x = array(draw, (min(draw.rows(), 2), *_space(draw, extents, padding), groups * depth), TAME)
    return one("conv", x, weights=weights, strides=strides, dilation_rate=rates, groups=groups, padding=padding)


def conv_transpose(draw: Draw) -> Graph:
    n = _axes(draw)
    size, strides, rates = (_each(draw, n, strategy) for strategy in (KERNEL, RATE, RATE))
    filters, channels = draw(RATE), draw(RATE)
    space = _each(draw, n, st.integers(1, 3))
    cropping = []
    for i, k, s, d in zip(space, size, strides, rates, strict=True):
        whole = (i - 1) * s + (k - 1) * d + 1
        before = draw(st.integers(0, whole - 1))
        cropping += [before, draw(st.integers(-2, whole - before - 1))]
    weights = {"kernel": array(draw, (*size, filters, channels), TAME)}
    if draw(st.booleans()):
        weights["bias"] = array(draw, (filters,), TAME)
    return one(
        "conv_transpose",
        array(draw, (min(draw.rows(), 2), *space, channels), TAME),
        weights=weights,
        strides=strides,
        dilation_rate=rates,
        cropping=cropping,
    )


def pool(draw: Draw, op: str) -> Graph:
    n = _axes(draw)
    size, strides = _each(draw, n, KERNEL), _each(draw, n, STRIDE)
    padding = draw(st.sampled_from(("valid", "same")))
    shape = (min(draw.rows(), 2), *_space(draw, size, padding), draw(RATE))
    return one(op, array(draw, shape, WIDE), pool_size=size, strides=strides, padding=padding)


def adaptive_pool(draw: Draw, op: str) -> Graph:
    n = _axes(draw)
    shape = (min(draw.rows(), 2), *_each(draw, n, st.integers(1, 5)), draw(RATE))
    return one(op, array(draw, shape, WIDE), output_size=_each(draw, n, st.integers(1, 6)))


INTERPOLATION = st.sampled_from(("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"))


def _images(draw: Draw) -> list[int]:
    return [min(draw.rows(), 2), *_each(draw, 2, st.integers(1, 7)), draw(RATE)]


def resize(draw: Draw) -> Graph:
    return one(
        "resize",
        array(draw, _images(draw), WIDE),
        size=_each(draw, 2, st.integers(1, 9)),
        interpolation=draw(INTERPOLATION),
        antialias=draw(st.booleans()),
    )


def upsample(draw: Draw) -> Graph:
    return one(
        "upsample", array(draw, _images(draw), WIDE), factors=_each(draw, 2, STRIDE), interpolation=draw(INTERPOLATION)
    )


# Statistics: neither squares that overflow, nor groups of next to nothing

EPSILON = numbers(1e-6, 4, 1e-6)
ROLES = {"layer_normalization": ("gamma", "beta"), "rms_normalization": ("scale",), "unit_normalization": ()}


def over_axes(draw: Draw, op: str) -> Graph:
    shape = shape_of(draw, 2)
    axes = axes_of(draw, shape)
    at = [shape[axis] for axis in axes]
    weights = {role: array(draw, at, TAME) for role in ROLES[op] if draw(st.booleans())}
    x = array(draw, shape, TAME)
    return one(op, x, weights=weights, axes=axes, epsilon=draw(EPSILON))


def group_normalization(draw: Draw) -> Graph:
    shape = list(shape_of(draw, 2))
    axis = axis_of(draw, shape)
    groups = draw(STRIDE)
    shape[axis] *= groups
    weights = {role: array(draw, shape[axis : axis + 1], TAME) for role in ("gamma", "beta") if draw(st.booleans())}
    return one(
        "group_normalization",
        array(draw, shape, TAME),
        weights=weights,
        axis=axis,
        groups=groups,
        epsilon=draw(EPSILON),
    )


MAKE: Mapping[str, Make] = {
    **{op: partial(over_axes, op=op) for op in ROLES},
    **{op: partial(pool, op=op) for op in ("max_pool", "average_pool")},
    **{op: partial(adaptive_pool, op=op) for op in ("adaptive_max_pool", "adaptive_average_pool")},
    "conv": conv,
    "conv_transpose": conv_transpose,
    "group_normalization": group_normalization,
    "resize": resize,
    "upsample": upsample,
}
