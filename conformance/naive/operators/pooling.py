"""spec/ops/pooling.md and adaptive_pooling.md: the largest element of a window, or the mean of its elements."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from naive.arithmetic import Arithmetic, Number
from naive.operators.convolution import images
from naive.operators.operator import Call, Compute, Operator, Site, Type, check_float, one_of
from naive.operators.reduction import mean
from naive.operators.softmax import largest
from naive.operators.windows import (
    check_image,
    check_lengths,
    dimension,
    place,
    places,
    spatial,
    window,
)

Span = Callable[[Call, int, int], range]
"""The elements, along an axis of the image, of the window that belongs to element p of the result."""


def infer_pool(site: Site) -> Type:
    (x,) = site.inputs
    check_float(x)  # C1
    check_image(x.shape)  # C2
    rows, *space, channels = x.shape
    sizes, strides, padding = (site.attributes[name] for name in ("pool_size", "strides", "padding"))
    check_lengths(site, len(space), pool_size=1, strides=1)  # C3
    out = [dimension(padding, *axis) for axis in zip(space, sizes, strides, strict=True)]
    return Type(x.dtype, (rows, *out, channels))


def infer_adaptive(site: Site) -> Type:
    (x,) = site.inputs
    check_float(x)  # C1
    check_image(x.shape)  # C2
    check_lengths(site, len(x.shape) - 2, output_size=1)  # C3
    return Type(x.dtype, (x.shape[0], *site.attributes["output_size"], x.shape[-1]))


def sliding(call: Call, axis: int, p: int) -> range:
    n = call.inputs[0].shape[1 + axis]
    size, stride = call.attributes["pool_size"][axis], call.attributes["strides"][axis]
    first = p * stride - window(call.attributes["padding"], n, size, stride).before
    return range(max(first, 0), min(first + size, n))


def adaptive(call: Call, axis: int, p: int) -> range:
    n, out = call.inputs[0].shape[1 + axis], call.shape[1 + axis]
    return range(p * n // out, -(-(p + 1) * n // out))


def pool(reduce: Callable[[Arithmetic, list[Number]], Number], span: Span) -> Compute:
    def compute(call: Call) -> list[Number]:
        _, *space, channels = call.inputs[0].shape
        windows = []
        for at in places(call.shape[1:-1]):
            spans = [span(call, axis, p) for axis, p in enumerate(at)]
            windows.append([place(index, space) for index in product(*spans)])
        return [
            reduce(call.a, [image[h * channels + c] for h in inside])
            for image in images(call.inputs[0])
            for inside in windows
            for c in range(channels)
        ]

    return compute


POOL = {"pool_size": spatial(), "strides": spatial(), "padding": one_of(("valid", "same"))}
ADAPTIVE = {"output_size": spatial()}

OPERATORS = {
    "max_pool@1": Operator(infer_pool, pool(largest, sliding), attributes=POOL),
    "average_pool@1": Operator(infer_pool, pool(mean, sliding), attributes=POOL),
    "adaptive_max_pool@1": Operator(infer_adaptive, pool(largest, adaptive), attributes=ADAPTIVE),
    "adaptive_average_pool@1": Operator(infer_adaptive, pool(mean, adaptive), attributes=ADAPTIVE),
}
