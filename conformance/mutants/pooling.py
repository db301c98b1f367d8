"""Mistakes in windows: spec/ops/pooling.md, adaptive_pooling.md."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mutants.convolution import ALL_BEHIND, BELOW_0, EXTRA_IN_FRONT, backwards, channels_first, with_attributes
from mutants.mutant import Mutant, Patch, changing, of_faults, of_numbers, overlooking
from mutants.weighted import Accumulating, round_bfloat16
from naive.arithmetic import FLOAT64, Arithmetic, Number
from naive.operators import pooling, windows
from naive.operators.operator import Call, Compute
from naive.operators.pooling import Span

LOWEST = -3.4028234663852886e38


def largest_but_nan(a: Arithmetic, x: list[Number]) -> Number:
    """C's fmax."""
    numbers = [v for v in x if v == v]
    return pooling.largest(a, numbers) if numbers else x[0]


def from_lowest(a: Arithmetic, x: list[Number]) -> Number:
    return pooling.largest(a, [a.number(LOWEST), *x])


def largest_size(a: Arithmetic, x: list[Number]) -> Number:
    return max(x, key=abs)


def padding_counts(least: Callable[[Call], int]) -> Compute:
    """Every window is as large as the pool."""

    def compute(call: Call) -> list[Number]:
        def over_all(a: Arithmetic, x: list[Number]) -> Number:
            return a.divide(a.sum(x), least(call))

        return pooling.pool(over_all, pooling.sliding)(call)

    return compute


def zeros_in_padding(call: Call) -> list[Number]:
    """Where a window is smaller than the pool, 0 is one of its elements."""
    whole = math.prod(call.attributes["pool_size"])

    def with_zero(a: Arithmetic, x: list[Number]) -> Number:
        return pooling.largest(a, x if len(x) == whole else [*x, a.number(0)])

    return pooling.pool(with_zero, pooling.sliding)(call)


def equal_parts(call: Call, axis: int, p: int) -> range:
    n, out = call.inputs[0].shape[1 + axis], call.shape[1 + axis]
    size = -(-n // out)
    return range(min(p * size, n - 1), max(min((p + 1) * size, n), min(p * size, n - 1) + 1))


def rest_to_the_last(call: Call, axis: int, p: int) -> range:
    n, out = call.inputs[0].shape[1 + axis], call.shape[1 + axis]
    size = max(n // out, 1)
    first = min(p * size, n - 1)
    return range(first, n if p == out - 1 else min(first + size, n))


def never_overlapping(call: Call, axis: int, p: int) -> range:
    n, out = call.inputs[0].shape[1 + axis], call.shape[1 + axis]
    first = p * n // out
    return range(first, max((p + 1) * n // out, first + 1))


def as_strided(call: Call, axis: int, p: int) -> range:
    """Windows of one size: stride floor(I / O), the rest in the size."""
    n, out = call.inputs[0].shape[1 + axis], call.shape[1 + axis]
    stride = n // out
    return range(p * stride, n - (out - 1 - p) * stride)


def sizes_swapped(call: Call, axis: int, p: int) -> range:
    """The window of another axis, as far as there are elements."""
    n = len(call.shape) - 2
    found = pooling.adaptive(call, n - 1 - axis, min(p, call.shape[n - axis] - 1))
    last = call.inputs[0].shape[1 + axis]
    return range(min(found.start, last - 1), max(min(found.stop, last), min(found.start, last - 1) + 1))


def of_pool(op: str, name: str, says: str, change: Patch, arithmetic: Arithmetic = FLOAT64) -> Mutant:
    page = "ops/adaptive_pooling.md" if op.startswith("adaptive") else "ops/pooling.md"
    return of_numbers(f"{op}: {name}", says, change, page=page, groups=(op,), arithmetic=arithmetic)


def combined(op: str, reduce: Callable[[Arithmetic, list[Number]], Number]) -> Patch:
    span: Span = pooling.adaptive if op.startswith("adaptive") else pooling.sliding
    return changing(op, compute=pooling.pool(reduce, span))


def spanned(op: str, span: Span) -> Patch:
    reduce = pooling.largest if "max" in op else pooling.mean
    return changing(op, compute=pooling.pool(reduce, span))


ELEMENTS = "elements of the padding are neither compared, nor added, nor counted"
BEFORE = "same: floor(P / 2) elements of padding in front"


def both_sliding(op: str) -> tuple[Mutant, ...]:
    compute = pooling.OPERATORS[f"{op}@1"].compute
    swapped: dict[str, Any] = {key: with_attributes(compute, **{key: backwards}) for key in ("strides", "pool_size")}
    return (
        of_pool(op, "the extra element of padding in front", BEFORE, patch.object(pooling, "window", EXTRA_IN_FRONT)),
        of_pool(op, "all of the padding behind", BEFORE, patch.object(pooling, "window", ALL_BEHIND)),
        of_pool(op, "padding below 0", "P = max((O − 1)·s + k − I, 0)", patch.object(pooling, "window", BELOW_0)),
        *(
            of_pool(op, f"{key} in the other order", f"{key} has an element for each axis", changing(op, compute=wrong))
            for key, wrong in swapped.items()
        ),
        of_pool(
            op,
            "strides are those of the pool",
            "strides is an attribute of its own",
            changing(op, compute=strides_of_pool(compute)),
        ),
        of_pool(
            op, "channels first", "x is (rows, I₁, …, Iₙ, channels)", changing(op, compute=channels_first(compute))
        ),
    )


def strides_of_pool(compute: Compute) -> Compute:
    return lambda call: compute(replace(call, attributes={**call.attributes, "strides": call.attributes["pool_size"]}))


def both_maxima(op: str) -> tuple[Mutant, ...]:
    return (
        of_pool(op, "NaN is ignored", "NaN where the window has a NaN", combined(op, largest_but_nan)),
        of_pool(op, "begins with the lowest number", "a window of −∞ alone gives −∞", combined(op, from_lowest)),
        of_pool(op, "the largest magnitude", "the largest element of the window", combined(op, largest_size)),
    )


def both_adaptive(op: str) -> tuple[Mutant, ...]:
    start, end = "start(p) = floor(p · I / O)", "end(p) = ceil((p + 1) · I / O)"
    return (
        of_pool(op, "windows of one size", start, spanned(op, equal_parts)),
        of_pool(op, "the last window has the rest", start, spanned(op, rest_to_the_last)),
        of_pool(op, "windows that never overlap", end, spanned(op, never_overlapping)),
        of_pool(op, "one size and one stride", end, spanned(op, as_strided)),
        of_pool(op, "height and width swapped", "output_size has an element for each axis", spanned(op, sizes_swapped)),
    )


def lengths(op: str) -> Mutant:
    return of_faults(
        f"{op}: attributes of any length",
        "an element for each spatial axis",
        overlooking(windows, "rank-range", at="/attributes/*"),
        groups=(op,),
        page="ops/adaptive_pooling.md" if op.startswith("adaptive") else "ops/pooling.md",
    )


MUTANTS = (
    *map(lengths, ("max_pool", "average_pool", "adaptive_max_pool", "adaptive_average_pool")),
    *both_sliding("max_pool"),
    *both_maxima("max_pool"),
    of_pool("max_pool", "zeros in the padding", ELEMENTS, changing("max_pool", compute=zeros_in_padding)),
    *both_sliding("average_pool"),
    of_pool(
        "average_pool",
        "the padding is counted",
        ELEMENTS,
        changing("average_pool", compute=padding_counts(lambda call: math.prod(call.attributes["pool_size"]))),
    ),
    of_pool(
        "average_pool",
        "the sum",
        "the sum of the elements of the window, divided by their number",
        changing("average_pool", compute=padding_counts(lambda call: 1)),
    ),
    of_pool(
        "average_pool",
        "sums in bfloat16",
        "the dtype of x or better",
        changing("average_pool", compute=pooling.OPERATORS["average_pool@1"].compute),
        Accumulating(round_bfloat16),
    ),
    *both_adaptive("adaptive_max_pool"),
    *both_maxima("adaptive_max_pool"),
    *both_adaptive("adaptive_average_pool"),
)
