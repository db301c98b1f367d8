"""Mistakes in combining two values: spec/ops/elementwise.md."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

from mutants.activations import fmax, fmin
from mutants.mutant import Mutant, Patch, changing, of_numbers
from naive.arithmetic import Arithmetic, Number
from naive.arrays import Shape, elements
from naive.operators import elementwise
from naive.operators.elementwise import FORMULAS
from naive.operators.operator import Call, Compute

PAGE = "ops/elementwise.md"


def left_aligned(shape: Shape, rank: int) -> Shape:
    return shape + (1,) * (rank - len(shape))


def repeated(op: str) -> Compute:
    """A value that ends is begun anew."""

    def compute(call: Call) -> list[Number]:
        x1, x2 = (x.data for x in call.inputs)
        return [FORMULAS[op](call.a, x1[i % len(x1)], x2[i % len(x2)]) for i in range(elements(call.shape))]

    return compute


def mistake(name: str, says: str, formula: Callable[[Arithmetic, Number, Number], Number]) -> Mutant:
    """Another formula for the operator that the name begins with."""
    op = name.partition(":")[0]
    return of_numbers(name, says, patch.dict(FORMULAS, {op: formula}), page=PAGE, groups=(op,))


def of_broadcasting(name: str, says: str, *patches: Patch) -> Mutant:
    return of_numbers(f"broadcasting: {name}", says, *patches, page=PAGE, groups=tuple(FORMULAS))


MUTANTS = (
    mistake("subtract: swapped", "x1 − x2", lambda a, x1, x2: x2 - x1),
    mistake("divide: swapped", "x1 / x2", lambda a, x1, x2: a.divide(x2, x1)),
    mistake(
        "divide: 0 where the divisor is 0",
        "x / ±0 is an infinity, 0 / 0 is NaN",
        lambda a, x1, x2: a.number(0) if x2 == 0 else a.divide(x1, x2),
    ),
    mistake(
        "divide: −0 counts as 0",
        "x / ±0 is an infinity whose sign is the product of the signs of x and of the zero",
        lambda a, x1, x2: a.divide(x1, abs(x2) if x2 == 0 else x2),
    ),
    mistake("maximum: C's fmax", "NaN where either is NaN", lambda a, x1, x2: fmax(x1, x2)),
    mistake("minimum: C's fmin", "NaN where either is NaN", lambda a, x1, x2: fmin(x1, x2)),
    mistake("maximum: NaN of x1 is lost", "NaN where either is NaN", lambda a, x1, x2: x1 if x1 > x2 else x2),
    mistake("minimum: NaN of x1 is lost", "NaN where either is NaN", lambda a, x1, x2: x1 if x1 < x2 else x2),
    of_broadcasting(
        "left-aligned",
        "the two shapes are right-aligned",
        patch.object(elementwise, "right_aligned", left_aligned),
    ),
    of_broadcasting(
        "the shorter value is repeated",
        "where an axis has one element, that one serves the whole axis",
        *(changing(op, compute=repeated(op)) for op in FORMULAS),
    ),
)
