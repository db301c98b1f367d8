"""spec/ops: cast.md, concatenate.md, constant.md, identity.md, reshape.md: elements that stay what they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from naive.arithmetic import Arithmetic, Number
from naive.arrays import FLOATS, VALUES, Shape, elements, round32, wrap
from naive.errors import require
from naive.operators.moving import compute_same
from naive.operators.operator import (
    AXIS,
    LARGEST,
    NEW_SYMBOL,
    Call,
    Operator,
    Site,
    Type,
    around,
    check_any,
    check_axis,
    integers,
    one_of,
)


def infer_constant(site: Site) -> Type:
    value = site.weights["value"]
    return Type(value.dtype, value.shape)


def compute_constant(call: Call) -> list[Number]:
    return call.weights["value"].data


def infer_identity(site: Site) -> Type:
    (x,) = site.inputs
    check_any(x)
    return Type(x.dtype, x.shape)


def infer_cast(site: Site) -> Type:
    (x,) = site.inputs
    check_any(x)
    return Type(site.attributes["dtype"], x.shape)


def convert(a: Arithmetic, v: Number, source: str, target: str) -> Number:
    if target == source:
        return v
    if target == "bool":
        return int(v != 0)
    if target in FLOATS:
        return to_float(a, v, target)
    return wrap(truncate(v), target)


def to_float(a: Arithmetic, v: Number, target: str) -> Number:
    """What float32 cannot hold keeps its digits, unless the arithmetic rounds, but not its range."""
    number = a.number(v)
    overflows = target == "float32" and math.isinf(round32(a.float64(number)))
    return a.number(round32(a.float64(number))) if overflows else number


def truncate(v: Number) -> int:
    """Toward zero; NaN and infinities, which are unspecified, to 0."""
    return int(v) if v - v == 0 else 0


def compute_cast(call: Call) -> list[Number]:
    (x,) = call.inputs
    return [convert(call.a, v, x.dtype, call.dtype) for v in x.data]


def infer_concatenate(site: Site) -> Type:
    first, axis = site.inputs[0], site.attributes["axis"]
    check_any(first)
    check_axis(first, axis)  # C1
    for k, x in enumerate(site.inputs):
        at = f"/inputs/{k}"
        require(x.dtype == first.dtype, "dtype-mismatch", at, first.dtype, x.dtype)  # C2
        require(len(x.shape) == len(first.shape), "concatenate-mismatch", at, f"{first.shape}", x.shape)  # C3
        same = without(x.shape, axis) == without(first.shape, axis)
        require(same, "concatenate-mismatch", at, f"{first.shape}, but for axis {axis}", x.shape)  # C3
    joined = join([x.shape[axis] for x in site.inputs])
    return Type(first.dtype, (*first.shape[:axis], joined, *first.shape[axis + 1 :]))


def without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def join(dimensions: Sequence[int | str]) -> int | str:
    if len(dimensions) == 1:
        return dimensions[0]
    numbers = [n for n in dimensions if isinstance(n, int)]
    return sum(numbers) if len(numbers) == len(dimensions) else NEW_SYMBOL


def compute_concatenate(call: Call) -> list[Number]:
    axis = call.attributes["axis"]
    outer, _, inner = around(call.shape, axis)
    y: list[Number] = []
    for o in range(outer):
        for x in call.inputs:
            part = x.shape[axis] * inner
            y.extend(x.data[o * part : (o + 1) * part])
    return y


def check_target_shape(x: Any, at: str) -> None:
    integers(x, at)
    require(len(x) <= 7, "wrong-value", at, "at most 7 integers", x)
    require(all(n == -1 or 1 <= n <= LARGEST for n in x), "wrong-value", at, "1 to 2³¹ − 1, or −1", x)
    require(x.count(-1) <= 1, "wrong-value", at, "one −1 at most", x)


def infer_reshape(site: Site) -> Type:
    (x,) = site.inputs
    check_any(x)
    target = site.attributes["target_shape"]
    require(len(x.shape) >= 1, "rank-range", "/inputs/0", "at least 1 dimension", x.shape)  # C1
    symbols = [n for n in x.shape[1:] if isinstance(n, str)]
    have, want = elements(x.shape[1:]), elements(n for n in target if n != -1)
    if -1 not in target:
        fits = not symbols and have == want
        require(fits, "reshape-count", "/attributes/target_shape", f"{have} elements", target)  # C2
    elif not symbols:
        fits = have % want == 0 and have // want <= LARGEST
        require(fits, "reshape-count", "/attributes/target_shape", f"a part of {have} elements", target)  # C3
    return Type(x.dtype, (x.shape[0], *(rest(symbols, have, want) if n == -1 else n for n in target)))


def rest(symbols: Sequence[str], have: int, want: int) -> int | str:
    """What −1 stands for."""
    if not symbols:
        return have // want
    return symbols[0] if len(symbols) == 1 and have == want else NEW_SYMBOL


OPERATORS = {
    "constant@1": Operator(infer_constant, compute_constant, inputs=(0, 0), weights={"value": True}),
    "identity@1": Operator(infer_identity, compute_same),
    "cast@1": Operator(infer_cast, compute_cast, attributes={"dtype": one_of(VALUES)}),
    "concatenate@1": Operator(infer_concatenate, compute_concatenate, inputs=(1, 65_536), attributes={"axis": AXIS}),
    "reshape@1": Operator(infer_reshape, compute_same, attributes={"target_shape": check_target_shape}),
}
