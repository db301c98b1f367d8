"""Mistakes in combining two values: spec/ops/elementwise.md."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from unittest.mock import patch

from mutants.activations import fmax, fmin
from mutants.mutant import FLOAT32, Mutant, Patch, changing, of_formula, of_numbers
from naive.arithmetic import Arithmetic, Number
from naive.arrays import Shape, elements
from naive.operators import elementwise
from naive.operators.elementwise import FORMULAS, floor_divide
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


def truncated(a: Arithmetic, x1: Number, x2: Number) -> Number:
    """C's division of integers; of floats, towards 0."""
    if isinstance(x1, int):
        return abs(x1) // abs(x2) * (1 if (x1 < 0) == (x2 < 0) else -1)
    return a.trunc(a.divide(x1, x2))


def of_zeros(a: Arithmetic, x1: Number, x2: Number) -> Number:
    return a.number(0) if x1 == 0 and x2 != 0 else a.power(x1, x2)


def in_float32(op: str) -> Callable[[Arithmetic, Number, Number], Number]:
    """Integers become float32 first."""

    def formula(a: Arithmetic, x1: Number, x2: Number) -> Number:
        if not isinstance(x1, int):
            return RIGHT[op](a, x1, x2)
        return int(RIGHT[op](FLOAT32, FLOAT32.number(x1), FLOAT32.number(x2)))

    return formula


RIGHT = dict(FORMULAS)
OF_INTEGERS = ("add", "subtract", "multiply", "maximum", "minimum", "floor_divide", "mod")


mistake = partial(of_formula, {"elementwise": FORMULAS})


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
    mistake(
        "power: exp(x2 · log(x1))",
        "not for x1 ≤ 0: of a negative x1 to an integer, the sign is that of the exponent's oddness",
        lambda a, x1, x2: a.exp(x2 * a.log(x1)),
    ),
    mistake("power: swapped", "x1 to the power of x2", lambda a, x1, x2: a.power(x2, x1)),
    mistake("power: of |x1|", "negative where x2 is an odd integer", lambda a, x1, x2: a.power(abs(x1), x2)),
    mistake(
        "power: NaN whatever the other is",
        "1 where x2 is 0 or x1 is 1, even where the other is NaN",
        lambda a, x1, x2: a.number(math.nan) if x1 != x1 or x2 != x2 else a.power(x1, x2),
    ),
    mistake("power: 0 of 0", "+∞ where x2 < 0, but −∞ for −0 where x2 is an odd integer", of_zeros),
    mistake("floor_divide: towards 0", "floor_divide rounds towards −∞", truncated),
    mistake("floor_divide: not rounded", "floor(x1 / x2)", lambda a, x1, x2: x1 if x2 == 1 else a.divide(x1, x2)),
    mistake("floor_divide: swapped", "floor(x1 / x2)", lambda a, x1, x2: floor_divide(a, x2, x1)),
    mistake("mod: the sign of x1", "mod has the sign of x2", lambda a, x1, x2: x1 - x2 * truncated(a, x1, x2)),
    mistake("mod: never below 0", "mod has the sign of x2", lambda a, x1, x2: abs(elementwise.mod(a, x1, abs(x2)))),
    mistake("mod: swapped", "x1 − x2 · floor(x1 / x2)", lambda a, x1, x2: elementwise.mod(a, x2, x1)),
    mistake(
        "arctan2: arctan(x1 / x2)",
        "that plus π where x2 < 0 and x1 ≥ 0, that minus π where x2 < 0 and x1 < 0",
        lambda a, x1, x2: a.arctan(a.divide(x1, x2)),
    ),
    mistake("arctan2: swapped", "the angle of the point (x2, x1)", lambda a, x1, x2: a.arctan2(x2, x1)),
    mistake(
        "arctan2: −0 counts as 0",
        "of x1 = 0 or −0, where x2 < 0 or x2 is −0: π for 0, −π for −0",
        lambda a, x1, x2: a.arctan2(x1 + 0.0, x2 + 0.0),
    ),
    mistake(
        "arctan2: from 0 to 2π",
        "the angle from −π to π",
        lambda a, x1, x2: a.arctan2(x1, x2) + (a.number(2 * math.pi) if x1 < 0 else a.number(0)),
    ),
    *(mistake(f"{op}: integers become float32", "integers are computed exactly", in_float32(op)) for op in OF_INTEGERS),
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
