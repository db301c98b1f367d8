"""Comparison, logic, where."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import operator, quote, row_of
from generate.positive.broadcasting import broadcasting
from generate.positive.declare import declare, repeated, special

INF, NAN = np.inf, np.nan
SMALL = {"int8": (-128, 127), "uint8": (0, 255), "int32": (-(2**31), 2**31 - 1), "int64": (-(2**62), 2**62)}


# Comparison

COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


def _few(r: Draw, *shapes: tuple[int, ...]) -> list[Any]:
    """Numbers of which many are equal."""
    return [np.asarray(r.integers(-2, 3, *shape) / 2, np.float32) for shape in shapes[:2]]


def _near(r: Draw) -> list[Any]:
    """Numbers, and those beside them."""
    x = r.powers(-20, 20, 3, 4)
    beside = [np.nextafter(x, np.float32(end)) for end in (-np.inf, np.inf)]
    return [np.tile(x, 3), np.concatenate([x, *beside], axis=1)]


def _integers(r: Draw, op: str) -> Graph:
    """Integers of every dtype, of which many are equal, and others differ in their last digit alone."""
    graph = Graph()
    for dtype, (low, high) in SMALL.items():
        x1 = r.random.randint(low, high, (3, 6), dtype=np.int64)
        x1[0, :2] = (low, high - 1)
        x2 = np.clip(x1 + r.random.randint(-1, 2, (3, 6)), low, high)
        pair = [graph.input(f"{dtype} {i}", x.astype(dtype)) for i, x in enumerate((x1, x2))]
        graph.outputs.append(graph.apply(f"y {dtype}", op, *pair))
    return graph


THEMSELVES = "The comparison is that of the numbers themselves, in their own dtype: int64 is not compared as float64."

for _op in COMPARISONS:
    broadcasting(_op, _few)
    declare(
        f"{_op}/near",
        "Numbers that are equal, or differ in their last digit.",
        row_of(_op),
        lambda r, op=_op: one(op, *_near(r)),
    )
    declare(f"{_op}/integers", "Integers of every dtype.", THEMSELVES, lambda r, op=_op: _integers(r, op))
    special(
        f"{_op}/nan",
        "NaN in either input, and in both.",
        "NaN: the table.",
        lambda r, op=_op: one(op, repeated([[NAN, 1, NAN, INF, 2]]), repeated([[1, NAN, NAN, NAN, 2]])),
    )
    special(
        f"{_op}/infinities",
        "Infinities, which equal themselves.",
        "An infinity equals the infinity of its sign.",
        lambda r, op=_op: one(
            op, repeated([[INF, INF, -INF, -INF, 1, INF]]), repeated([[INF, -INF, -INF, INF, INF, 1]])
        ),
    )
    special(
        f"{_op}/zeros",
        "Zeros of both signs.",
        "0 and −0 are equal.",
        lambda r, op=_op: one(op, repeated([[0, -0.0, 0, -0.0]]), repeated([[0, 0, -0.0, 1]])),
    )
for _op in ("equal", "not_equal"):
    declare(
        f"{_op}/bool",
        "Truth values.",
        row_of(_op),
        lambda r, op=_op: one(op, np.array([[True, True, False, False]]), np.array([[True, False, True, False]])),
    )
special(
    "equal/shape",
    "y is bool, whatever is compared.",
    "The dtype of y is bool.",
    lambda r: one("equal", np.array([[1, 2, 3]], np.int32), np.array([[1, 0, 3]], np.int32)),
)
for _op in ("equal", "logical_and"):
    special(
        f"{_op}/stretched-both",
        "Both inputs are stretched.",
        "That of [elementwise arithmetic](elementwise.md#shape).",
        lambda r, op=_op: one(op, *(_few if op == "equal" else _truths)(r, (2, 1, 4), (2, 3, 1))),
    )


# Logic


def _truths(r: Draw, *shapes: tuple[int, ...]) -> list[Any]:
    return [np.asarray(r.random.random_sample(shape) < 0.5) for shape in shapes[:2]]


for _op in ("logical_and", "logical_or", "logical_xor"):
    broadcasting(_op, _truths)
    declare(
        f"{_op}/table",
        "Every pair of truth values.",
        row_of(_op),
        lambda r, op=_op: one(op, np.array([[True, True, False, False]]), np.array([[True, False, True, False]])),
    )


# where

WHERE = operator("where").page


def _choices(r: Draw, *shapes: tuple[int, ...]) -> list[Any]:
    condition, first, second = shapes
    return [np.asarray(r.random.random_sample(condition) < 0.5), r.normal(*first), r.normal(*second, mean=5)]


def _of_every_dtype(r: Draw) -> Graph:
    graph = Graph()
    condition = graph.input("condition", r.random.random_sample((3, 5)) < 0.5)
    for dtype, (low, high) in SMALL.items():
        pair = [r.random.randint(low, high, (3, 5), dtype=np.int64) // 2**9 for _ in range(2)]
        nodes = [graph.input(f"{dtype} {i}", x.astype(dtype)) for i, x in enumerate(pair)]
        graph.outputs.append(graph.apply(f"y {dtype}", "where", condition, *nodes))
    truths = [graph.input(f"bool {i}", r.random.random_sample((3, 5)) < 0.5) for i in range(2)]
    graph.outputs.append(graph.apply("y bool", "where", condition, *truths))
    return graph


broadcasting(
    "where",
    _choices,
    quote(
        WHERE,
        "Write the three shapes one below the other, right-aligned, and put 1 where a shorter one has no dimension. On "
        "each axis, the dimensions other than 1 must all be the same number or the same symbol, which the result has; "
        "where all three are 1, the result has 1.",
    ),
    quote(WHERE, "A symbol may stand for 1 in a call; then its axis has one element, and the rule does not change."),
)
declare("where/dtypes", "Values of every dtype.", "The dtype of y is that of x1.", _of_every_dtype)
special(
    "where/not-finite",
    "NaN and infinities, selected or not: what is not selected leaves no trace.",
    "where is not condition · x1 + (1 − condition) · x2.",
    lambda r: one(
        "where",
        np.tile([[True, False, True, False, True, False]], 9),
        repeated([[NAN, NAN, INF, INF, 1, 2]]),
        repeated([[1, 2, 3, 4, NAN, -INF]]),
    ),
)
