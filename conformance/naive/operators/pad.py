"""spec/ops/pad.md: elements before and behind those of x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from naive.arithmetic import Number
from naive.arrays import BITS, INTEGERS, NUMBERS, elements, wrap
from naive.errors import require
from naive.operators.moving import indices
from naive.operators.operator import (
    LARGEST,
    NEW_SYMBOL,
    Call,
    Operator,
    Site,
    Type,
    check_dtype,
    integers_from,
    number,
    one_of,
)
from naive.operators.windows import place

SOURCES: dict[str, Callable[[int, int], int | None]] = {
    "constant": lambda i, n: i if 0 <= i < n else None,
    "reflect": lambda i, n: -i if i < 0 else i if i < n else 2 * (n - 1) - i,
    "symmetric": lambda i, n: -1 - i if i < 0 else i if i < n else 2 * n - 1 - i,
    "edge": lambda i, n: min(max(i, 0), n - 1),
}
"""Mode -> the element of x that stands at i, which counts from the first of n."""

LEAST = {"reflect": 1, "symmetric": 0}
"""How many elements more than its padding an axis has."""


def check_pad_width(x: Any, at: str) -> None:
    integers_from(0, LARGEST, 2, 16)(x, at)
    require(len(x) % 2 == 0, "wrong-value", at, "an even number of integers", x)
    require(x[:2] == [0, 0], "wrong-value", at, "0 and 0 for axis 0", x)


def holds(dtype: str, x: float) -> bool:
    return x == int(x) and wrap(int(x), dtype) == x


def padded(n: int | str, before: int, after: int) -> int | str:
    if isinstance(n, int):
        return n + before + after
    return n if before == after == 0 else NEW_SYMBOL


def infer(site: Site) -> Type:
    (x,) = site.inputs
    width, mode, value = (site.attributes[name] for name in ("pad_width", "mode", "constant_value"))
    check_dtype(x, NUMBERS)  # C1
    fits = len(width) == 2 * len(x.shape)
    require(fits, "rank-range", "/inputs/0", f"{len(width) // 2} dimensions", x.shape)  # C2
    held = x.dtype not in INTEGERS or holds(x.dtype, value)
    require(held, "wrong-value", "/attributes/constant_value", f"a number of {BITS.get(x.dtype)} bits", value)  # C3
    sides = list(zip(width[::2], width[1::2], strict=True))
    for n, (before, after) in zip(x.shape, sides, strict=True):
        most = max(before, after)
        enough = mode not in LEAST or most == 0 or isinstance(n, str) or n >= most + LEAST[mode]
        require(enough, "axis-size", "/inputs/0", f"at least {most + LEAST.get(mode, 0)} elements", n)  # C4
    return Type(x.dtype, tuple(padded(n, *side) for n, side in zip(x.shape, sides, strict=True)))


def compute(call: Call) -> list[Number]:
    (x,) = call.inputs
    source, before = SOURCES[call.attributes["mode"]], call.attributes["pad_width"][::2]
    constant = call.attributes["constant_value"]
    if call.dtype in INTEGERS:
        constant = int(constant)
    y = []
    for out in range(elements(call.shape)):
        index = indices(out, call.shape)
        found = [source(i - first, n) for i, first, n in zip(index, before, x.shape, strict=True)]
        sources = [i for i in found if i is not None]
        y.append(x.data[place(sources, x.shape)] if len(sources) == len(found) else constant)
    return y


OPERATORS = {
    "pad@1": Operator(
        infer,
        compute,
        attributes={"pad_width": check_pad_width, "mode": one_of(list(SOURCES)), "constant_value": number()},
    )
}
