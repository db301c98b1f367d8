"""dense, conv and pooling: sums of products, and windows that slide over an input."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from nnpack.converters.spreadsheet.formulas import Call, Filling, handles
from nnpack.converters.spreadsheet.layout import Array, Block, Sheet, Span, indices
from nnpack.ops.windows import spatial_windows

ARGUMENTS = 255
"""The most arguments that a function takes."""


def matrix(span: Span, line: int, here: Sheet) -> str:
    """A line as MMULT takes it, which refuses cells that are left empty: those that a person types into may be."""
    text = span.at(line, here)
    return text if span.block.formula or span.block.fixed else f"{text}+0"


@handles("dense")
def dense(call: Call) -> Filling:
    x, kernel, bias = call.inputs[0], call.needed("kernel"), call.weight("bias")
    n, units = kernel.shape
    last = f"+{bias.name}" if bias else ""

    def formula(line: int, place: int) -> str:
        first = place // units * n
        return f"MMULT({matrix(Span(x, first, first + n - 1), line, call.sheet)},{kernel.name}){last}"

    return Filling(formula, units)


def _folded(name: str, spans: Sequence[str]) -> str:
    """A function of more arguments than one takes."""
    while len(spans) > ARGUMENTS:
        spans = [_folded(name, spans[at : at + ARGUMENTS]) for at in range(0, len(spans), ARGUMENTS)]
    return f"{name}({','.join(spans)})"


def _neighbours(places: Array, *others: Array) -> list[tuple[int, int]]:
    """Where the numbers of all sequences go on by 1: (from, to), the last included."""
    pairs: list[tuple[int, int]] = []
    for i in range(len(places)):
        if pairs and all(of[i] == of[i - 1] + 1 for of in (places, *others)):
            pairs[-1] = pairs[-1][0], i
        else:
            pairs.append((i, i))
    return pairs


def _windows(call: Call, size: Sequence[int], dilation_rate: Sequence[int]) -> Array:
    """(*out, *size, channels): the place of each element of each window, -1 for padding."""
    shape = call.inputs[0].cells.shape
    places = np.arange(1, prod(shape) + 1).reshape(shape)  # 0 is what padding has
    return spatial_windows(places, size, call.attributes["strides"], call.attributes["padding"], dilation_rate)[0] - 1


def _require_rows(call: Call) -> Block:
    x = call.inputs[0]
    if x.fixed:
        raise call.refused("of an input that is the same for every row")
    return x


@handles("conv")
def conv(call: Call) -> Filling:
    """Every line of a window that lies within x times its part of the kernel, which stands filter by filter."""
    x, kernel, groups = _require_rows(call), call.array("kernel"), call.attributes["groups"]
    *size, depth, filters = kernel.shape
    taps = prod(size) * depth
    by_filter = call.needed(
        "kernel",
        np.moveaxis(kernel, -1, 0).reshape(filters, taps),
        labels=indices(kernel.shape[:-1]),
        headings=[f"filter {k}" for k in range(filters)],
    )
    bias = call.weight("bias")
    windows = _windows(call, size, call.attributes["dilation_rate"])
    windows = windows.reshape(-1, prod(size), groups, depth)

    def formula(line: int, place: int) -> str:
        at, k = divmod(place, filters)
        places = windows[at, :, k // (filters // groups)].reshape(-1)
        inside = np.flatnonzero(places >= 0)
        terms = [f"{bias.at(line, k)}"] if bias else []
        for first, last in _neighbours(places[inside], inside):
            elements = Span(x, int(places[inside[first]]), int(places[inside[last]])).at(line, call.sheet)
            weights = Span(by_filter, k * taps + int(inside[first]), k * taps + int(inside[last]))
            product = f"{elements},{weights.at(line, call.sheet)}"
            terms.append(product.replace(",", "*") if first == last else f"SUMPRODUCT({product})")
        return "+".join(terms) or "0"

    return Filling(formula)


@handles("max_pool", "average_pool")
def pool(call: Call) -> Filling:
    x, size = _require_rows(call), call.attributes["pool_size"]
    windows = np.moveaxis(_windows(call, size, [1] * len(size)), -1, len(size))
    windows = windows.reshape(-1, prod(size))

    def formula(line: int, place: int) -> str:
        places = windows[place][windows[place] >= 0]
        spans = [
            Span(x, int(places[first]), int(places[last])).at(line, call.sheet) for first, last in _neighbours(places)
        ]
        if call.op == "max_pool":
            return _folded("MAX", spans)
        return f"{_folded('SUM', spans)}/{len(places)}"

    return Filling(formula)
