"""What every operator with numpy's broadcasting is tried with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import Quote, quote
from generate.positive.declare import declare, empty_batch
from generate.positive.values import constant

Operands = Callable[..., list[Any]]
"""(draw, a shape for each operand) -> the operands."""

_PAGE = "ops/elementwise.md"
ALIKE = quote(_PAGE, "m = n (the same number, or the same symbol): the result has m;")
FIRST_OF_1 = quote(_PAGE, "m = 1: the result has n;")
SECOND_OF_1 = quote(_PAGE, "n = 1: the result has m;")
ALIGNED = quote(
    _PAGE,
    "Write the two shapes one below the other, right-aligned, and put 1 where the shorter one has no dimension.",
)
SYMBOL_OF_1 = quote(
    _PAGE, "A symbol may stand for 1 in a call; then its axis has one element, and the rule does not change."
)


def broadcasting(op: str, operands: Operands, aligned: Quote = ALIGNED, symbol_of_1: Quote = SYMBOL_OF_1) -> None:
    """The cases of an operator of two or three values; the first, of many rows, is called with few and many.

    Args:
        op: the operator.
        operands: draws its inputs.
        aligned: what is said of shapes of several ranks.
        symbol_of_1: what is said of symbols.
    """
    n = len(operands(Draw(op), (1,), (1,), (1,)))

    def alike(r: Draw, *shape: int) -> Graph:
        return one(op, *operands(r, *[shape] * n))

    declare(f"{op}/rank-1", "Batches of numbers, of many rows.", ALIKE, lambda r: alike(r, 19))
    declare(f"{op}/rank-2", "Element by element.", ALIKE, lambda r: alike(r, 3, 5))
    declare(f"{op}/ranks", "Shapes of 0 to 8 dimensions.", aligned, lambda r: _ranks(r, op, operands))
    declare(
        f"{op}/stretched",
        "Each input is stretched, along other axes.",
        FIRST_OF_1,
        lambda r: one(op, *operands(r, (2, 1, 3, 1), (2, 4, 1, 5), (2, 4, 3, 1))),
    )
    declare(
        f"{op}/symbolic",
        "A dimension that only running tells fits itself and 1.",
        SECOND_OF_1,
        lambda r: _symbolic(r, op, operands, 5),
    )
    declare(
        f"{op}/symbol-of-1",
        "A dimension that only running tells, and that then is 1.",
        symbol_of_1,
        lambda r: _symbolic(r, op, operands, 1),
    )
    empty_batch(op, lambda r: alike(r, 0, 3))


def _ranks(r: Draw, op: str, operands: Operands) -> Graph:
    """Values of 8 and of 4 dimensions with constants of fewer, which come first or last."""
    graph = Graph()
    deep, middle = (2, 1, 1, 1, 1, 1, 3, 2), (2, 4, 3, 2)
    for name, shape, others in (("deep", deep, ((), (3, 1))), ("middle", middle, ((3, 2),))):
        given = [graph.input(f"{name} {i}", x) for i, x in enumerate(operands(r, shape, shape, shape))]
        made = []
        for other in others:
            first, *_, last = operands(r, other, other, other)
            made.append(graph.apply(f"{other} first", op, constant(graph, f"first {other}", first), *given[1:]))
            made.append(graph.apply(f"{other} last", op, *given[:-1], constant(graph, f"last {other}", last)))
        graph.outputs.append(graph.apply(name, "concatenate", *made, axis=1))
    return graph


def _symbolic(r: Draw, op: str, operands: Operands, time: int) -> Graph:
    values = operands(r, (2, time, 3), (2, 1, 3), (2, time, 3))
    shapes: list[list[int | str]] = [["batch", "time", 3], ["batch", 1, 3], ["batch", "time", 3]]
    return one(op, *values, shapes=shapes[: len(values)], shape=["batch", "time", 3])
