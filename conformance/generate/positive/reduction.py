"""Reductions, argmax and argmin, cumsum and cumprod."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import row_of
from generate.positive.declare import declare, empty_batch, repeated, special

INF, NAN = np.inf, np.nan
DEEP = (2, 2, 1, 2, 1, 3, 1, 2)
DTYPES = ("int8", "uint8", "int32", "int64")

Drawn = Callable[..., Any]
"""(draw, *shape) -> numbers for an operator."""

Along = Callable[..., dict[str, Any]]
"""(axes of a reduction) -> the attributes that say so."""


def _drawn_for(op: str) -> Drawn:
    """Numbers for an operator: products near 1, truth values, distinct weights of both signs."""
    if op in ("any", "all"):
        rare = 0.15 if op == "any" else 0.85
        return lambda r, *shape: np.asarray(r.random.random_sample(shape) < rare)
    if op in ("prod", "cumprod"):
        return lambda r, *shape: (
            r.uniform(0.5, 1.8, *shape) * np.where(r.random.random_sample(shape) < 0.5, -1, 1).astype(np.float32)
        )
    return lambda r, *shape: r.normal(*shape, scale=3, mean=1)


def _symbolic(op: str, x: Any, shape: list[int | str], attributes: dict[str, Any]) -> Graph:
    return one(op, x, shapes=[["batch", "time", 3]], shape=shape, **attributes)


# What all of them have in common


def _declare(op: str, shape_rule: str, along: Along) -> None:
    drawn = _drawn_for(op)
    row = row_of(op)
    declare(f"{op}/rank-2", "Along the only axis, many rows.", row, lambda r: one(op, drawn(r, 19, 5), **along(1)))
    declare(
        f"{op}/middle-axis",
        "Along an axis that is not the last; all dimensions differ.",
        shape_rule,
        lambda r: one(op, drawn(r, 2, 5, 3, 4), **along(2)),
    )
    declare(
        f"{op}/first-axis", "Along axis 1 of four.", shape_rule, lambda r: one(op, drawn(r, 2, 5, 3, 4), **along(1))
    )
    declare(
        f"{op}/rank-8",
        "Along the last of as many dimensions as the format allows.",
        shape_rule,
        lambda r: one(op, drawn(r, *DEEP), **along(7)),
    )
    declare(f"{op}/one-element", "Along an axis of one element.", row, lambda r: one(op, drawn(r, 3, 1, 2), **along(1)))
    empty_batch(op, lambda r: one(op, drawn(r, 0, 3), **along(1)))


# Reductions

REDUCTIONS = ("sum", "mean", "prod", "max", "min", "variance", "logsumexp", "any", "all")
STAYS = "The shape of x, but the dimensions at axes are 1 where keepdims is true."
LEFT_OUT = "Where keepdims is false, they are left out."


def _over(*axes: int, keepdims: bool = False) -> dict[str, Any]:
    return {"axes": list(axes), "keepdims": keepdims}


for _op in REDUCTIONS:
    _drawn = _drawn_for(_op)
    _declare(_op, LEFT_OUT, _over)
    declare(
        f"{_op}/two-axes",
        "Over two axes that are not neighbours, which stay.",
        STAYS,
        lambda r, op=_op, drawn=_drawn: one(op, drawn(r, 2, 4, 3, 2), **_over(1, 3, keepdims=True)),
    )
    declare(
        f"{_op}/every-axis",
        "Over all axes but the batch.",
        LEFT_OUT,
        lambda r, op=_op, drawn=_drawn: one(op, drawn(r, 3, 2, 4), **_over(1, 2)),
    )
    declare(
        f"{_op}/symbolic",
        "Over a dimension that only running tells.",
        LEFT_OUT,
        lambda r, op=_op, drawn=_drawn: _symbolic(op, drawn(r, 2, 5, 3), ["batch", 3], _over(1)),
    )
    declare(
        f"{_op}/symbol-stays",
        "A dimension that only running tells beside the one that is reduced.",
        STAYS,
        lambda r, op=_op, drawn=_drawn: _symbolic(op, drawn(r, 2, 5, 3), ["batch", "time", 1], _over(2, keepdims=True)),
    )

for _op in ("sum", "mean", "variance"):
    declare(
        f"{_op}/long",
        "Many terms of one sign.",
        "The dtype of x or better; sums and products in any order.",
        lambda r, op=_op: one(op, r.uniform(1, 2, 2, 500), **_over(1)),
    )
for _op in ("sum", "mean"):
    declare(
        f"{_op}/cancelling",
        "Terms that cancel, of all magnitudes.",
        row_of(_op),
        lambda r, op=_op: one(
            op, np.concatenate([x := r.powers(-8, 8, 3, 12), -x[:, ::-1], r.normal(3, 2)], 1), **_over(1)
        ),
    )
declare(
    "variance/far-from-0",
    "Numbers whose mean is large beside their spread.",
    "variance is not the mean of x² minus mean²: that cancels where the mean is far from 0.",
    lambda r: one("variance", r.normal(4, 9, mean=1000), **_over(1)),
)
declare(
    "variance/few",
    "Two and three elements: n divides, not n − 1.",
    "It divides by n, not by n − 1.",
    lambda r: one("variance", r.normal(4, 2, 3), **_over(1)),
)
declare(
    "variance/equal",
    "Numbers that are all the same.",
    "The second term of variance is the square of how far the mean may be off, which is all that an error of the mean "
    "does to it.",
    lambda r: one("variance", np.repeat(r.normal(4, 1, mean=5), 7, axis=1), **_over(1)),
)
declare(
    "logsumexp/large",
    "Exponentials that overflow, or all vanish, without the shift by the maximum.",
    "Subtracting m changes nothing in exact arithmetic; without it, exp overflows in float32 above 88.7.",
    lambda r: one(
        "logsumexp", np.array([[1e4, 9999, -1e4], [-1e4, -9998, -1e4], [500, 500, 500]], np.float32), **_over(1)
    ),
)
special(
    "logsumexp/minus-infinity",
    "Minus infinity beside numbers, and alone.",
    "−∞ beside a finite number changes nothing in logsumexp.",
    lambda r: one("logsumexp", np.array([[1, -INF, 2], [-INF, 0, -INF], [-INF, -INF, -INF]], np.float32), **_over(1)),
)

NOT_FINITE: dict[str, list[list[float]]] = {
    "sum": [[1, NAN, 2], [INF, 1, -INF], [INF, INF, 1], [-INF, 2, 3], [NAN, INF, 1], [1, 2, 3]],
    "mean": [[1, NAN, 2], [INF, 1, -INF], [INF, INF, 1], [-INF, 2, 3], [NAN, INF, 1], [1, 2, 3]],
    "prod": [[1, NAN, 2], [0, 1, INF], [INF, -2, 1], [-INF, -INF, 3], [NAN, 0, 1], [0, 2, 3]],
    "max": [[1, NAN, 2], [NAN, 1, 2], [1, 2, NAN], [INF, 1, 2], [-INF, -INF, -INF], [-INF, 3, 2], [NAN, INF, 1]],
    "min": [[1, NAN, 2], [NAN, 1, 2], [1, 2, NAN], [-INF, 1, 2], [INF, INF, INF], [INF, 3, 4], [NAN, -INF, 1]],
    "variance": [[1, NAN, 2], [INF, 1, 2], [-INF, -INF, 2], [1, 2, 4]],
    "logsumexp": [[1, NAN, 2], [INF, 1, 2], [INF, -INF, 0], [NAN, INF, 1], [1, 2, 4], [-INF, INF, INF]],
}
for _op, _rows in NOT_FINITE.items():
    special(
        f"{_op}/not-finite",
        "NaN and infinities, in the groups that they are in and in no other.",
        "NaN and infinities: the table.",
        lambda r, op=_op, rows=_rows: one(op, np.array([rows] * 2, np.float32).reshape(-1, 3), **_over(1)),
    )
    special(
        f"{_op}/not-finite-long",
        "Long rows with NaN in front, in the middle and at the end.",
        row_of(_op),
        lambda r, op=_op: one(op, _with_nan(r, op), **_over(1)),
    )


def _with_nan(r: Draw, op: str) -> Any:
    x = _drawn_for(op)(r, 5, 18)
    for row, place in enumerate((0, 8, 16, 17)):
        x[row, place] = NAN
    return x


def _integers(r: Draw, op: str, attributes: dict[str, Any], dtypes: tuple[str, ...] = DTYPES) -> Graph:
    """Integers of every dtype, whose results the dtype holds: few distinct ones, and large ones where they fit."""
    graph = Graph()
    for dtype in dtypes:
        info = np.iinfo(dtype)
        if "prod" in op:
            x = r.random.randint(0 if dtype == "uint8" else -3, 4, (4, 4))
            x[1] = np.where(x[1] == 0, 2, x[1])
        elif "sum" in op:
            most = min(info.max // 5, 2**50)
            x = r.random.randint(0 if dtype == "uint8" else -most, most, (4, 4), dtype=np.int64)
        else:
            x = r.random.randint(max(info.min, -(2**53)), min(info.max, 2**53), (4, 4), dtype=np.int64)
            x[0, 1], x[1, 2] = max(info.min, -(2**53)), min(info.max, 2**53)
            x[2, 1] = x[2, 3] = x[2].max()
            x[3, 0] = x[3, 2] = x[3].min()
        graph.outputs.append(graph.apply(f"y {dtype}", op, graph.input(dtype, x.astype(dtype)), **attributes))
    return graph


for _op in ("sum", "prod", "max", "min"):
    declare(
        f"{_op}/integers",
        "Integers of every dtype, which stays.",
        "The dtype stays: a sum of int8 is int8.",
        lambda r, op=_op: _integers(r, op, _over(1)),
    )
for _op in ("max", "min"):
    declare(
        f"{_op}/one-sign",
        "Rows of which all numbers have one sign: the start takes no part.",
        row_of(_op),
        lambda r, op=_op: one(op, np.array([[-3, -1, -2], [3, 1, 2], [-1e38, -2e38, -3e38]], np.float32), **_over(1)),
    )
    special(
        f"{_op}/zeros",
        "Zeros of both signs: which of them comes out does not count.",
        "max of 0 and −0, and min of them: either.",
        lambda r, op=_op: one(op, np.array([[0, -0.0], [-0.0, 0], [-0.0, -0.0]], np.float32), **_over(1)),
    )
for _op in ("any", "all"):
    declare(
        f"{_op}/rows",
        "Rows of true alone, of false alone, with one of them in front or at the end.",
        row_of(_op),
        lambda r, op=_op: one(
            op,
            np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0]], bool),
            **_over(1),
        ),
    )


# argmax, argmin

ALONG = "Where keepdims is false, it is left out."
ONE = "The shape of x, but the dimension at axis is 1 where keepdims is true."


def _where(axis: int, keepdims: bool = False) -> dict[str, Any]:
    return {"axis": axis, "keepdims": keepdims}


for _op in ("argmax", "argmin"):
    _declare(_op, ALONG, _where)
    declare(
        f"{_op}/keepdims",
        "The axis stays.",
        ONE,
        lambda r, op=_op: one(op, r.normal(2, 5, 3), **_where(1, keepdims=True)),
    )
    declare(
        f"{_op}/symbolic",
        "Along a dimension that only running tells.",
        ALONG,
        lambda r, op=_op: _symbolic(op, r.normal(2, 5, 3), ["batch", 3], _where(1)),
    )
    declare(
        f"{_op}/ties",
        "Several equal ones: the first.",
        row_of(_op),
        lambda r, op=_op: one(op, r.integers(0, 3, 6, 11).astype(np.float32), **_where(1)),
    )
    declare(
        f"{_op}/integers",
        "Integers of every dtype; the result is int32.",
        "The dtype of y is int32.",
        lambda r, op=_op: _integers(r, op, _where(1)),
    )
    special(
        f"{_op}/infinities",
        "Infinities of both signs.",
        "An infinity is a number like any other: the largest, or the smallest.",
        lambda r, op=_op: one(
            op, repeated([[1, -INF, INF], [-INF, -INF, 3], [INF, 2, INF], [-INF, -INF, -INF]]), **_where(1)
        ),
    )


# cumsum, cumprod

SAME = "The shape of x."


def _running(axis: int) -> dict[str, Any]:
    return {"axis": axis}


for _op in ("cumsum", "cumprod"):
    _declare(_op, SAME, _running)
    declare(
        f"{_op}/symbolic",
        "Along a dimension that only running tells.",
        SAME,
        lambda r, op=_op: _symbolic(op, _drawn_for(op)(r, 2, 5, 3), ["batch", "time", 3], _running(1)),
    )
    declare(
        f"{_op}/integers",
        "Integers.",
        "Integers are computed exactly.",
        lambda r, op=_op: _integers(r, op, _running(1), ("int32", "int64")),
    )
special(
    "cumsum/not-finite",
    "NaN and infinities: from where they come on.",
    "NaN and infinities: the table.",
    lambda r: one(
        "cumsum",
        np.array([[1, NAN, 2, 3], [1, INF, 2, 3], [1, INF, -INF, 1], [-INF, -INF, 1, NAN]], np.float32),
        **_running(1),
    ),
)
special(
    "cumprod/not-finite",
    "NaN and infinities: from where they come on.",
    "What comes before them along axis is as if they were not there.",
    lambda r: one(
        "cumprod",
        np.array([[2, NAN, 2, 3], [2, INF, -2, 3], [2, INF, 0, 1], [0, 2, -INF, 1], [-INF, -INF, 1, 0]], np.float32),
        **_running(1),
    ),
)
declare(
    "cumsum/long",
    "Many terms of one sign.",
    "Running sums and products are computed one after the other.",
    lambda r: one("cumsum", r.uniform(1, 2, 2, 200), **_running(1)),
)
declare(
    "cumprod/zeros",
    "A zero, and what comes behind it.",
    row_of("cumprod"),
    lambda r: one("cumprod", np.array([[2, 3, 0, 4], [0, 1, 2, 3], [1.5, -2, 3, -1]], np.float32), **_running(1)),
)
