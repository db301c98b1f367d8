"""What is drawn for arithmetic, functions, comparison, logic, where; and for what is computed along axes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from generate.drawing import (
    DTYPES,
    INTEGERS,
    WIDE,
    Draw,
    Make,
    array,
    attributes,
    axes_of,
    axis_of,
    numbers,
    one,
    shape_of,
    typed,
)
from generate.graph import Graph
from generate.positive.arithmetic import BOUNDS, LIMITS, SUMS
from generate.positive.reduction import REDUCTIONS
from generate.positive.unary import FUNCTIONS, LARGE, OF_NUMBERS, ROOTS

Elements = st.SearchStrategy[Any]

ARITHMETIC = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
LOGIC = ("logical_and", "logical_or", "logical_xor")

BESIDE_1 = st.floats(float(np.float32(0.9)), float(np.float32(1.1)), width=32)
"""Factors of which the product of many neither overflows nor vanishes."""


def stretched(draw: Draw, n: int) -> list[tuple[int, ...]]:
    """Shapes that broadcast, all of which have the batch."""
    shape = shape_of(draw)
    others = [(shape[0], *(d if draw(st.booleans()) else 1 for d in shape[1:])) for _ in range(n - 1)]
    shapes: list[tuple[int, ...]] = draw(st.permutations([shape, *others]))
    return shapes


def of_two(draw: Draw, op: str, first: Elements, second: Elements, dtype: str = "float32") -> Graph:
    shapes = stretched(draw, 2)
    pair = [array(draw, shape, each, dtype) for shape, each in zip(shapes, (first, second), strict=True)]
    return one(op, *pair)


# Arithmetic


def arithmetic(draw: Draw, op: str) -> Graph:
    dtype = draw(st.sampled_from(["float32", *([] if op == "divide" else INTEGERS)]))
    if dtype == "float32":
        return of_two(draw, op, WIDE, WIDE)
    low, high = {"multiply": BOUNDS, "add": SUMS, "subtract": SUMS}.get(op, LIMITS)[dtype]
    if op == "subtract" and dtype == "uint8":
        return of_two(draw, op, st.integers(high, 2 * high), st.integers(0, high), dtype)
    return of_two(draw, op, st.integers(low, high), st.integers(low, high), dtype)


def divided(draw: Draw, op: str) -> Graph:
    """Integers; or halves through odd numbers, whose quotient is no integer."""
    dtype = draw(st.sampled_from(["float32", *INTEGERS]))
    if dtype == "float32":
        halves = st.integers(-100, 100).map(lambda n: n + 0.5)
        return of_two(draw, op, halves, st.sampled_from([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 5.0]))
    low, high = LIMITS[dtype]
    divisors = [n for n in range(-7, 8) if n and (n > 0 or low < 0)]
    return of_two(draw, op, st.integers(min(low + 1, 0), high), st.sampled_from(divisors), dtype)


# Comparison, logic, where


def few(dtype: str) -> Elements:
    """Elements of which many are equal."""
    if dtype == "bool":
        return st.booleans()
    return st.integers(0, 3) if dtype == "uint8" else st.integers(-2, 2)


def compared(draw: Draw, op: str) -> Graph:
    dtype = draw(st.sampled_from(("float32", *INTEGERS)))
    return of_two(draw, op, few(dtype), few(dtype), dtype)


def combined(draw: Draw, op: str) -> Graph:
    return of_two(draw, op, st.booleans(), st.booleans(), "bool")


def where(draw: Draw) -> Graph:
    dtype = draw(st.sampled_from(DTYPES))
    shapes = stretched(draw, 3)
    pair = [array(draw, shape, typed(draw, dtype), dtype) for shape in shapes[1:]]
    return one("where", array(draw, shapes[0], st.booleans(), "bool"), *pair)


# Functions of one number


def function(draw: Draw, op: str) -> Graph:
    known = FUNCTIONS[op]
    dtype = draw(st.sampled_from(["float32", *(INTEGERS if op in OF_NUMBERS else ())]))
    elements = numbers(known.low, known.high, 1e-18)
    if dtype != "float32":
        most = (ROOTS if op == "square" else LARGE)[dtype]
        elements = st.integers(0 if dtype == "uint8" else -most, 0 if (op, dtype) == ("negative", "uint8") else most)
    return one(op, array(draw, shape_of(draw), elements, dtype))


def predicate(draw: Draw, op: str) -> Graph:
    elements = st.floats(width=32, allow_subnormal=False)
    return one(op, array(draw, shape_of(draw), elements))


def opposite(draw: Draw) -> Graph:
    return one("logical_not", array(draw, shape_of(draw), st.booleans(), "bool"))


# Along axes


def elements_of(draw: Draw, op: str) -> tuple[str, Elements]:
    """A dtype and elements of it, of which the result is specified."""
    if op in ("any", "all"):
        return "bool", st.booleans()
    dtype = draw(st.sampled_from(("float32", "int32", "int64")))
    if dtype != "float32" and op not in ("mean", "variance", "logsumexp"):
        return dtype, st.sampled_from([-1, 1, 1]) if "prod" in op else st.integers(-1000, 1000)
    if "prod" in op:
        return "float32", st.builds(lambda x, sign: x * sign, BESIDE_1, st.sampled_from([-1.0, 1.0]))
    if "arg" in op:
        return "float32", st.integers(-16, 16).map(lambda n: n / 8)
    return "float32", numbers(-1e4, 1e4, 1e-6)


def reduced(draw: Draw, op: str) -> Graph:
    shape = shape_of(draw, 2)
    axes = axes_of(draw, shape)
    dtype, elements = elements_of(draw, op)
    x = array(draw, shape, elements, dtype)
    return one(op, x, axes=axes, **attributes(draw, op))


def along(draw: Draw, op: str) -> Graph:
    shape = shape_of(draw, 2)
    dtype, elements = elements_of(draw, op)
    x = array(draw, shape, elements, dtype)
    axis = axis_of(draw, shape)
    return one(op, x, axis=axis, **attributes(draw, op))


MAKE: Mapping[str, Make] = {
    **{op: partial(arithmetic, op=op) for op in ARITHMETIC},
    **{op: partial(divided, op=op) for op in ("floor_divide", "mod")},
    "power": lambda draw: of_two(draw, "power", numbers(0.1, 10), numbers(-4, 4, 2.0**-10)),
    "arctan2": lambda draw: of_two(draw, "arctan2", WIDE, WIDE),
    **{op: partial(compared, op=op) for op in COMPARISONS},
    **{op: partial(combined, op=op) for op in LOGIC},
    "logical_not": opposite,
    "where": where,
    **{op: partial(function, op=op) for op in FUNCTIONS},
    **{op: partial(predicate, op=op) for op in ("isnan", "isinf", "isfinite")},
    **{op: partial(reduced, op=op) for op in REDUCTIONS},
    **{op: partial(along, op=op) for op in ("argmax", "argmin", "cumsum", "cumprod")},
}
