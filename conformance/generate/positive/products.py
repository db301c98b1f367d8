"""matmul, einsum."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.positive.declare import FLUSHED, ROWS, declare, empty_batch, lengths, repeated, special
from generate.positive.values import constant

ORDER = "Any order of the terms; fused multiply-add is allowed."


def _cancelling(r: Draw, *shape: int) -> Any:
    """Pairs of neighbours, along the last axis, whose sum is a thousandth of their size."""
    half = r.normal(*shape[:-1], shape[-1] // 2)
    return np.stack([half, -half * np.float32(0.999)], axis=-1).reshape(shape)


def _with_constant(op: str, x: Any, value: Any, first: bool = False, made: Any = None, **rest: Any) -> Graph:
    """A product of rows and of a value without a batch."""
    graph = Graph()
    node, other = graph.input("x", x, rest.pop("x", None)), constant(graph, "value", value)
    pair = (other, node) if first else (node, other)
    graph.outputs.append(graph.apply("y", op, *pair, shape=made, **rest))
    return graph


# matmul

TERMS = "y[…, i, j] = Σₗ x1[…, i, l] · x2[…, l, j]"
LEADING = "The leading dimensions of y are walked as in elementwise arithmetic."
MADE = "(…, m, n): the leading dimensions as they broadcast together, then m and n, which are never broadcast."
SIZES = "A = Σₗ |x1[…, i, l]| · |x2[…, l, j]|. K = k, the number that it is in the call."

for _name, _title, _says, _first, _second in (
    ("rank-3", "A matrix for each row, of each input.", TERMS, (2, 3, 5), (2, 5, 4)),
    ("square", "Square matrices.", TERMS, (2, 3, 3), (2, 3, 3)),
    ("rank-4", "Heads of attention: queries and keys.", TERMS, (2, 3, 5, 4), (2, 3, 4, 6)),
    ("stretched-second", "One matrix of the second for all heads.", LEADING, (2, 3, 5, 4), (2, 1, 4, 2)),
    ("stretched-first", "One matrix of the first for all heads.", LEADING, (2, 1, 5, 4), (2, 3, 4, 2)),
    ("stretched-both", "Leading dimensions that are stretched crosswise.", LEADING, (2, 1, 3, 2, 4), (2, 5, 1, 4, 2)),
    ("rank-8", "As many dimensions as the format allows.", MADE, (2, 1, 2, 1, 3, 1, 2, 3), (2, 2, 1, 1, 3, 1, 3, 2)),
    ("one-term", "Products alone.", TERMS, (2, 3, 1), (2, 1, 4)),
    ("one-element", "Products of vectors.", TERMS, (3, 1, 5), (3, 5, 1)),
    ("row", "One row each.", TERMS, (3, 1, 5), (3, 5, 4)),
    ("column", "One column each.", TERMS, (3, 4, 5), (3, 5, 1)),
    ("long", "Sums of many terms.", SIZES, (1, 2, 300), (1, 300, 2)),
):
    declare(
        f"matmul/{_name}",
        _title,
        _says,
        lambda r, first=_first, second=_second: one("matmul", r.normal(*first), r.normal(*second)),
    )
for _name, _title, _x, _value, _first, _made in (
    ("rank-2", "Rows of numbers times one matrix.", (3, 5), (5, 4), False, ("batch", 4)),
    ("constant-second", "Every row times one matrix.", (2, 4, 5), (5, 3), False, ("batch", 4, 3)),
    ("constant-first", "One matrix times every row.", (2, 4, 5), (3, 4), True, ("batch", 3, 5)),
    ("constant-stack", "Every row times a stack of matrices.", (2, 1, 4, 5), (3, 5, 2), False, ("batch", 3, 4, 2)),
    ("constant-stack-first", "A stack of matrices times every row.", (2, 1, 4, 5), (3, 2, 4), True, ("batch", 3, 2, 5)),
    ("constant-of-one", "A stack of a single matrix.", (2, 3, 4, 5), (1, 5, 2), False, ("batch", 3, 4, 2)),
):
    declare(
        f"matmul/{_name}",
        _title,
        LEADING if "stack" in _name or "constant" in _name else TERMS,
        lambda r, x=_x, value=_value, first=_first, made=_made: _with_constant(
            "matmul", r.normal(*x), r.normal(*value), first, made
        ),
    )
declare(
    "matmul/symbolic",
    "Queries and keys whose numbers only running tells.",
    MADE,
    lambda r: one(
        "matmul",
        r.normal(2, 3, 5, 4),
        r.normal(2, 1, 4, 6),
        shapes=[("batch", "h", "q", 4), ("batch", 1, 4, "t")],
        shape=("batch", "h", "q", "t"),
    ),
)
declare(
    "matmul/symbolic-terms",
    "Sums over a dimension that only running tells.",
    SIZES,
    lambda r: one(
        "matmul",
        r.normal(2, 3, 5),
        r.normal(2, 5, 4),
        shapes=[("batch", "q", "t"), ("batch", "t", 4)],
        shape=("batch", "q", 4),
    ),
)
declare(
    "matmul/cancellation",
    "Terms that cancel to a thousandth of their size.",
    ORDER,
    lambda r: one("matmul", _cancelling(r, 2, 3, 40), np.repeat(r.normal(2, 20, 4), 2, axis=1)),
)
declare(
    "matmul/all-positive",
    "Sums that only grow: the error of an accumulator shows.",
    "Accumulate in the dtype of x1 or better.",
    lambda r: one("matmul", r.uniform(0.5, 1, 1, 1, 700), r.uniform(0.5, 1, 1, 700, 1)),
)
declare(
    "matmul/scales",
    "Terms from 1e-15 to 1e15 within one sum.",
    ORDER,
    lambda r: one("matmul", r.powers(-8, 8, 2, 3, 12), r.powers(-7, 7, 2, 12, 3)),
)
special(
    "matmul/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: one("matmul", np.array([[[1e-39, 1, 1e-45], [-1e-42, 2, 0]]], np.float32), r.uniform(-1, 1, 1, 3, 2)),
)
STAYS = (
    "A NaN, or an infinity that meets a 0 (0 · ∞ = NaN), stays within its row of x1 or its column of x2; do not skip "
    "zeros."
)


def _not_finite(r: Draw) -> Graph:
    """NaN and infinities in rows of the first, which meet zeros and others, and in columns of the second."""
    first, second = np.tile(r.normal(4, 3), (3, 1, 1)), np.tile(r.uniform(1, 2, 3, 4), (3, 1, 1))
    first[0, :3, 1] = np.nan, np.inf, -np.inf
    second[1, 0, :3] = np.nan, np.inf, -np.inf
    second[0, 1, 2] = first[1, 2, 0] = 0
    return one("matmul", first, second)


special("matmul/not-finite", "NaN and infinities reach their rows and columns and no others.", STAYS, _not_finite)
empty_batch("matmul", lambda r: one("matmul", r.normal(0, 2, 3), r.normal(0, 3, 4)))
lengths("matmul", lambda r, n: one("matmul", r.normal(n, 2, 3), r.normal(n, 3, 2)))
declare(
    "matmul/lengths-rank-2",
    "Rows of numbers times one matrix, few and many.",
    ROWS,
    lambda r: _with_constant("matmul", r.normal(35, 5), r.normal(5, 3), made=("batch", 3)),
    kind="meta",
)


# einsum

SUMMED = "y[labels of y] = Σ over all s₁, …, sₖ of x1[labels of x1] · x2[labels of x2]"
LABELLED = "The dimensions of the labels of y, in their order."
TERMS_OF_SUM = "K is the product of the dimensions of the summed labels in the call, 1 where there are none."
ALONE = "what one input alone is summed over may be added up before it is multiplied"

for _name, _title, _says, _equation, _first, _second in (
    ("matrices", "A matrix for each row, of each input.", SUMMED, "abc,acd->abd", (2, 3, 5), (2, 5, 4)),
    ("matrices-transposed", "The second one by its columns.", SUMMED, "abc,adc->abd", (2, 3, 5), (2, 4, 5)),
    ("matrices-exchanged", "The product, transposed.", LABELLED, "abc,acd->adb", (2, 3, 5), (2, 5, 4)),
    (
        "scores",
        "Attention: what each query has in common with each key.",
        'x1 (batch, q, 2, 4), x2 (batch, t, 2, 4), "aecd,abcd->acbe" → (batch, 2, t, q)',
        "aecd,abcd->acbe",
        (2, 3, 2, 4),
        (2, 5, 2, 4),
    ),
    ("weighted", "Attention: the sum of the values.", SUMMED, "acbe,aecd->abcd", (2, 2, 3, 5), (2, 5, 2, 4)),
    ("grouped", "Several queries for one key.", SUMMED, "abcde,afce->acdbf", (2, 3, 2, 2, 4), (2, 5, 2, 4)),
    ("outer", "Every number of one with every number of the other.", TERMS_OF_SUM, "ab,ac->abc", (3, 4), (3, 5)),
    ("elementwise", "No sum: one by one.", TERMS_OF_SUM, "ab,ab->ab", (3, 4), (3, 4)),
    ("rank-1", "One number of each row.", TERMS_OF_SUM, "a,ab->ab", (3,), (3, 4)),
    ("inner", "The product of two rows.", SUMMED, "ab,ab->a", (3, 7), (3, 7)),
    ("two-summed", "Two axes of both are summed over.", TERMS_OF_SUM, "abcd,acdb->ab", (2, 3, 4, 5), (2, 4, 5, 3)),
    ("sum-of-first", "Axes that the first alone has are summed over.", ALONE, "abcd,ac->ac", (2, 3, 4, 5), (2, 4)),
    ("sum-of-second", "Axes that the second alone has are summed over.", ALONE, "ab,acbd->ab", (2, 3), (2, 4, 3, 5)),
    ("sum-of-each", "Each has axes that are summed over alone.", ALONE, "abc,adb->ab", (2, 3, 4), (2, 5, 3)),
    ("sum-of-all", "All axes but the batch are summed over.", ALONE, "abc,ad->a", (2, 3, 4), (2, 5)),
    (
        "labels-descend",
        "Labels that do not come in the order of the alphabet.",
        LABELLED,
        "zyx,zxw->zwy",
        (2, 3, 4),
        (2, 4, 5),
    ),
    ("labels-capital", "Capital letters are other labels.", LABELLED, "abA,aAB->aBb", (2, 3, 4), (2, 4, 5)),
    (
        "rank-8",
        "As many labels as there may be.",
        SUMMED,
        "abcdefgh,ahgfedc->abdf",
        (2, 2, 1, 3, 1, 2, 2, 1),
        (2, 1, 2, 2, 1, 3, 1),
    ),
    (
        "rank-8-made",
        "As many dimensions as the format allows.",
        LABELLED,
        "abcde,afgh->ahbgcfde",
        (2, 2, 1, 3, 2),
        (2, 1, 2, 3),
    ),
):
    declare(
        f"einsum/{_name}",
        _title,
        _says,
        lambda r, equation=_equation, first=_first, second=_second: one(
            "einsum", r.normal(*first), r.normal(*second), equation=equation
        ),
    )
for _name, _title, _equation, _x, _value, _first, _made in (
    ("dense", "A layer of units.", "abc,cd->abd", (2, 3, 5), (5, 4), False, ("batch", 3, 4)),
    ("rank-2", "Rows of numbers times one matrix.", "ab,bc->ac", (3, 5), (5, 4), False, ("batch", 4)),
    ("heads", "One matrix for each head.", "abc,cde->abde", (2, 3, 5), (5, 2, 4), False, ("batch", 3, 2, 4)),
    ("heads-joined", "Heads brought together again.", "abcd,cde->abe", (2, 3, 2, 4), (2, 4, 5), False, ("batch", 3, 5)),
    ("constant-first", "The value without a batch comes first.", "bc,ac->ab", (2, 5), (4, 5), True, ("batch", 4)),
    ("constant-scaled", "An axis of its own for each number.", "a,b->ab", (3,), (4,), False, ("batch", 4)),
    ("constant-summed", "A constant that is summed over alone.", "ab,cd->abc", (2, 3), (4, 5), False, ("batch", 3, 4)),
):
    declare(
        f"einsum/{_name}",
        _title,
        SUMMED,
        lambda r, equation=_equation, x=_x, value=_value, first=_first, made=_made: _with_constant(
            "einsum", r.normal(*x), r.normal(*value), first, made, equation=equation
        ),
    )


def _scalar(r: Draw) -> Graph:
    """A number made of two constants, added to rows."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 3))
    pair = constant(graph, "first", r.normal(3, 4)), constant(graph, "second", r.normal(4, 3))
    total = graph.apply("total", "einsum", *pair, shape=(), equation="ab,ba->")
    graph.outputs.append(graph.apply("y", "add", x, total))
    return graph


declare(
    "einsum/scalar",
    "A result of no label, made of values without a batch.",
    "there are 1 to 8 for each input and 0 to 8 for y",
    _scalar,
)
declare(
    "einsum/symbolic",
    "Labels of dimensions that only running tells, kept and summed over.",
    LABELLED,
    lambda r: one(
        "einsum",
        r.normal(2, 2, 3, 5),
        r.normal(2, 5, 2, 4),
        shapes=[("batch", 2, "q", "t"), ("batch", "t", 2, 4)],
        shape=("batch", "q", 2, 4),
        equation="acbe,aecd->abcd",
    ),
)


def _folded(r: Draw) -> Graph:
    """Rows that are not the batch's are dimensions like any other."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 3, 4))
    rows = graph.apply("rows", "fold", x, shape=("rows", 4), axis=1)
    made = graph.apply(
        "made", "einsum", rows, constant(graph, "kernel", r.normal(4, 5)), shape=("rows", 5), equation="rc,cu->ru"
    )
    graph.outputs.append(graph.apply("y", "unfold", made, x, axis=1))
    return graph


declare("einsum/folded", "A value whose rows are not those of the batch.", LABELLED, _folded)
declare(
    "einsum/cancellation",
    "Terms that cancel to a thousandth of their size.",
    "Accumulate in the dtype of x1 or better.",
    lambda r: one(
        "einsum", _cancelling(r, 2, 3, 40), np.repeat(r.normal(2, 4, 20), 2, axis=2), equation="abc,adc->abd"
    ),
)
declare(
    "einsum/long",
    "Sums of many terms.",
    TERMS_OF_SUM,
    lambda r: one("einsum", r.normal(1, 30, 20), r.normal(1, 20, 30), equation="abc,acb->a"),
)
special(
    "einsum/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: one(
        "einsum",
        np.array([[1e-39, 1, 1e-45], [-1e-42, 2, 0]], np.float32),
        r.uniform(-1, 1, 2, 3, 2),
        equation="ab,abc->ac",
    ),
)


def _reaching(r: Draw) -> Graph:
    first, second = r.normal(3, 4, 5), r.uniform(1, 2, 3, 5, 2)
    first[0, 1, 2] = np.nan
    first[1, 0, 1], second[1, 1, 0] = np.inf, 0
    second[2, 3, 1] = -np.inf
    return one("einsum", first, second, equation="abc,acd->abd")


special(
    "einsum/not-finite",
    "NaN and infinities, one of which meets a 0.",
    "A NaN reaches the elements of y whose sum it is in, and so does the NaN of 0 · ∞; do not skip zeros.",
    _reaching,
)
special(
    "einsum/not-finite-long",
    "NaN in front, in the middle and at the end of long sums, without a sum of one input alone.",
    "A NaN reaches the elements of y whose sum it is in, and so does the NaN of 0 · ∞; do not skip zeros.",
    lambda r: one(
        "einsum", repeated(np.diag([np.nan, np.inf, 1, -np.inf])), r.uniform(1, 2, 4, 36), equation="ab,ab->a"
    ),
)
empty_batch("einsum", lambda r: one("einsum", r.normal(0, 2, 3), r.normal(0, 3), equation="abc,ac->ab"))
lengths("einsum", lambda r, n: one("einsum", r.normal(n, 2, 3), r.normal(n, 4, 3), equation="abc,adc->abd"))
