"""broadcast_batch, fold, unfold."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, Node
from generate.positive.declare import declare, empty_batch, lengths, special
from generate.positive.values import constant, every_dtype, folded

KEPT = "All numbers are kept, NaN and infinities too."
NUMBERS = np.float32([[[np.nan, np.inf], [-np.inf, -0.0], [1, 2]]])
DEEP = (2, 3, 1, 2, 1, 2, 1, 2)


# broadcast_batch

GIVEN = "(1, d₁, …, dᵣ₋₁) → (b, d₁, …, dᵣ₋₁), where b is the first dimension of like, usually batch."
COPIED = "y[o · inner + i] = x[i]"
NEVER = "Of like, only the number of rows is read, never an element."


def _given(x: Any, like: Any) -> Graph:
    graph = Graph()
    rows = graph.input("x", like)
    graph.outputs.append(graph.apply("y", "broadcast_batch", constant(graph, "row", x), rows))
    return graph


declare("broadcast_batch/rank-2", "A row for every row.", COPIED, lambda r: _given(r.normal(1, 4), r.normal(3, 2)))
declare("broadcast_batch/rank-1", "One number for every row.", GIVEN, lambda r: _given(r.normal(1), r.normal(5)))
declare(
    "broadcast_batch/rank-3",
    "A token in front of the steps of a sequence.",
    COPIED,
    lambda r: _given(r.normal(1, 2, 3), r.normal(3, 4, 3)),
)
declare(
    "broadcast_batch/rank-8",
    "As many dimensions as the format allows.",
    GIVEN,
    lambda r: _given(r.normal(1, 2, 1, 3, 1, 2, 1, 2), r.normal(3)),
)


def _like(graph: Graph, like: Node) -> Node:
    value = constant(graph, f"{like.name} row", np.array([[-3, 0, 1]]).astype(like.dtype))
    return graph.apply(f"{like.name} rows", "broadcast_batch", value, like)


every_dtype("broadcast_batch", "| like | any | any of rank ≥ 1 |", _like)


def _by_folded(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 3, 4))
    row = constant(graph, "row", r.normal(1, 5))
    rows = graph.apply("rows", "broadcast_batch", row, folded(graph, "folded", x), shape=("rows", 5))
    graph.outputs.append(graph.apply("y", "unfold", rows, x, axis=1))
    return graph


declare("broadcast_batch/folded", "Rows that are not those of the batch.", GIVEN, _by_folded)


def _by_constant(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 3, 4))
    row, like = constant(graph, "row", r.normal(1, 4)), constant(graph, "like", r.normal(3))
    graph.outputs.append(graph.apply("y", "add", x, graph.apply("rows", "broadcast_batch", row, like, shape=(3, 4))))
    return graph


declare("broadcast_batch/constant", "As many rows as a value without a batch has.", GIVEN, _by_constant)


def _not_finite(r: Draw) -> Graph:
    graph = _given(NUMBERS, r.normal(2))
    graph.requires.append("feature:nonfinite")
    return graph


special(
    "broadcast_batch/not-finite",
    "NaN and infinities are data like any other.",
    KEPT,
    _not_finite,
)
special(
    "broadcast_batch/like-not-finite",
    "NaN and infinities that are not read.",
    NEVER,
    lambda r: _given(r.normal(1, 2), NUMBERS[0]),
)
empty_batch("broadcast_batch", lambda r: _given(r.normal(1, 2), r.normal(0, 3)))
lengths("broadcast_batch", lambda r, n: _given(r.normal(1, 3), r.normal(n, 2)))


# fold, unfold

MERGED = (
    "(d₀, …, dᵣ₋₁) → (rows, d[axis + 1], …, dᵣ₋₁), where rows is a new symbol, also where all dimensions are numbers."
)
COUNT = "In a call rows is d₀ · … · d[axis]."
IN_PLACE = "The elements stay where they are, in C order:"
PARTED = "(d₀, …, d[axis], e₁, …, eᵣ₋₁)."
SYMBOLS = "Symbols of like and of x are kept."
NEVER_SHAPE = "Of like, only the shape is read, never an element."


def _again(x: Any, axis: int, like: Any = None, *, at: int | None = None, shape: Any = None, op: str = "") -> Graph:
    """Folded up to an axis; unfolded up to the same one as x, or up to another one as another value."""
    graph = Graph()
    node = graph.input("x", x, shape)
    given = node if like is None else graph.input("like", like)
    at = axis if at is None else at
    rest = node.shape[axis + 1 :]
    rows = graph.apply("rows", "fold", node, shape=("rows", *rest), axis=axis)
    if op:
        rows = graph.apply("made", op, rows, shape=rows.shape)
    graph.outputs.append(graph.apply("y", "unfold", rows, given, shape=(*given.shape[: at + 1], *rest), axis=at))
    return graph


def _both(name: str, title: str, fold: str, unfold: str, make: Any) -> None:
    declare(f"fold/{name}", title, fold, make)
    declare(f"unfold/{name}", title, unfold, make)


_both(
    "rank-3",
    "Each step of time as a row.",
    IN_PLACE,
    PARTED,
    lambda r: _again(r.normal(2, 3, 4), 1, op="softsign"),
)
_both("rank-2", "Each number as a row.", MERGED, PARTED, lambda r: _again(r.normal(3, 4), 1))
_both(
    "regrouped",
    "Six steps come back as two times three: each row is where the order of C has it.",
    IN_PLACE,
    "The elements stay where they are, in C order:",
    lambda r: _again(r.normal(2, 6, 4), 1, r.normal(2, 2, 3), at=2),
)
_both(
    "two-axes",
    "Two axes and the batch, apart again in another order of sizes.",
    COUNT,
    PARTED,
    lambda r: _again(r.normal(2, 3, 4, 2), 2, r.normal(2, 4, 3, 1), at=2),
)
_both("rank-8-all", "All of as many axes as the format allows.", MERGED, PARTED, lambda r: _again(r.normal(*DEEP), 7))
_both("rank-8", "The first of as many axes as the format allows.", MERGED, PARTED, lambda r: _again(r.normal(*DEEP), 1))
_both(
    "symbolic",
    "Dimensions that only running tells, merged and beside.",
    COUNT,
    SYMBOLS,
    lambda r: _again(r.normal(2, 3, 5, 4), 1, shape=("batch", "time", "width", 4), op="softsign"),
)


def _numbered(r: Draw) -> Graph:
    """Folded rows of a constant, whose number is declared."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 12, 2))
    rows = graph.apply("rows", "fold", constant(graph, "value", r.normal(3, 4, 2)), shape=(12, 2), axis=1)
    graph.outputs.append(graph.apply("y", "add", x, rows))
    return graph


def _constant(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 3, 4, 2))
    value = constant(graph, "value", r.normal(3, 4, 2))
    rows = graph.apply("rows", "fold", value, shape=("rows", 2), axis=1)
    again = graph.apply("again", "unfold", rows, value, shape=(3, 4, 2), axis=1)
    graph.outputs.append(graph.apply("y", "add", x, again))
    return graph


declare(
    "fold/number",
    "A value without a batch, and the number of its rows where the symbol may stand.",
    MERGED,
    _numbered,
)
_both("constant", "A value without a batch.", MERGED, SYMBOLS, _constant)


def _twice(r: Draw) -> Graph:
    """Rows of rows, which come back one after the other."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 3, 2, 4))
    steps = graph.apply("steps", "fold", x, shape=("steps", 2, 4), axis=1)
    rows = graph.apply("rows", "fold", steps, shape=("rows", 4), axis=1)
    made = graph.apply("made", "softsign", rows, shape=rows.shape)
    again = graph.apply("again", "unfold", made, steps, shape=("steps", 2, 4), axis=1)
    graph.outputs.append(graph.apply("y", "unfold", again, x, axis=1))
    return graph


_both("twice", "Rows of rows.", COUNT, SYMBOLS, _twice)


def _distributed(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 3, 4, 5))
    rows = graph.apply("rows", "fold", x, shape=("rows", 4, 5), axis=1)
    flat = graph.apply("flat", "reshape", rows, shape=("rows", 20), target_shape=[20])
    weights = {"kernel": r.normal(20, 3), "bias": r.normal(3)}
    made = graph.apply("made", "dense", flat, shape=("rows", 3), weights=weights)
    graph.outputs.append(graph.apply("y", "unfold", made, x, axis=1))
    return graph


declare("fold/distributed", "A layer for each step: what follows works on rows as on any.", MERGED, _distributed)


def _folded_dtype(graph: Graph, x: Node) -> Node:
    return graph.apply(f"{x.name} again", "unfold", folded(graph, f"{x.name} rows", x), x, axis=1)


every_dtype("fold", "| x | any | (d₀, …, dᵣ₋₁), rank r ≥ 2 |", _folded_dtype)
every_dtype("unfold", "| like | any | (d₀, d₁, …), more dimensions than axis |", _folded_dtype)


def _like_not_finite(r: Draw) -> Graph:
    return _again(r.normal(1, 3, 2), 1, NUMBERS)


special("fold/not-finite", "NaN and infinities are data like any other.", KEPT, lambda r: _again(NUMBERS, 1))
special("unfold/not-finite", "NaN and infinities are data like any other.", KEPT, lambda r: _again(NUMBERS, 1))
special("unfold/like-not-finite", "NaN and infinities that are not read.", NEVER_SHAPE, _like_not_finite)
for _op in ("fold", "unfold"):
    empty_batch(_op, lambda r: _again(r.normal(0, 3, 2), 1, op="softsign"))
    lengths(_op, lambda r, n: _again(r.normal(n, 3, 2), 1))
