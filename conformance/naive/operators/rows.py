"""spec/ops: broadcast_batch.md, fold.md, unfold.md: what has a row of its own."""

from __future__ import annotations

import math

from naive.arithmetic import Number
from naive.arrays import elements
from naive.errors import require
from naive.operators.moving import compute_same
from naive.operators.operator import AXIS, NEW_SYMBOL, Call, Operator, Site, Type, Typed, check_any, check_axis


def check_rank(x: Typed, at: str) -> None:
    require(len(x.shape) >= 1, "rank-range", at, "at least 1 dimension", x.shape)


def infer_broadcast_batch(site: Site) -> Type:
    x, like = site.inputs
    check_any(x)
    check_any(like, "/inputs/1")
    check_rank(x, "/inputs/0")  # C1
    check_rank(like, "/inputs/1")  # C1
    require(x.shape[0] == 1, "axis-size", "/inputs/0", "1 at axis 0", x.shape)  # C2
    return Type(x.dtype, (like.shape[0], *x.shape[1:]))


def compute_broadcast_batch(call: Call) -> list[Number]:
    return call.inputs[0].data * call.shape[0]


def infer_fold(site: Site) -> Type:
    (x,) = site.inputs
    axis = site.attributes["axis"]
    check_any(x)
    check_axis(x, axis)  # C1
    merged = x.shape[: axis + 1]
    return Type(x.dtype, (elements(merged) if site.in_call else NEW_SYMBOL, *x.shape[axis + 1 :]))


def infer_unfold(site: Site) -> Type:
    x, like = site.inputs
    axis = site.attributes["axis"]
    check_any(x)
    check_any(like, "/inputs/1")
    check_rank(x, "/inputs/0")  # C3
    rows, first = x.shape[0], like.shape[: axis + 1]
    if not site.in_call:
        folded = isinstance(rows, str) and rows != "batch"
        require(folded, "batch-axis", "/inputs/0", "a symbol other than batch at axis 0", x.shape)  # C1
    rank = len(like.shape)
    require(axis < rank, "axis-range", "/attributes/axis", f"less than {rank}", axis)  # C2
    shape = (*first, *x.shape[1:])
    require(len(shape) <= 8, "rank-range", "/inputs/0", "at most 8 dimensions of the result", shape)  # C3
    if site.in_call:
        count = math.prod(map(int, first))
        require(rows == count, "shape", "/inputs/0", f"{count} rows", rows)
    return Type(x.dtype, shape)


OPERATORS = {
    "broadcast_batch@1": Operator(infer_broadcast_batch, compute_broadcast_batch, inputs=(2, 2)),
    "fold@1": Operator(infer_fold, compute_same, attributes={"axis": AXIS}),
    "unfold@1": Operator(infer_unfold, compute_same, inputs=(2, 2), attributes={"axis": AXIS}),
}
