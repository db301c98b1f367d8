"""add, subtract, multiply, divide, maximum, minimum: numpy's broadcasting."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import row_of
from generate.positive.declare import FLUSHED, declare, empty_batch, lengths, repeated, special

OPERATORS = ("add", "subtract", "multiply", "divide", "maximum", "minimum")

ALIKE = "m = n (the same number, or the same symbol): the result has m;"
ALIGNED = "Write the two shapes one below the other, right-aligned, and put 1 where the shorter one has no dimension."
ROUNDED_ONCE = "One operation of IEEE 754 in the dtype of the inputs."
RULES = "IEEE 754 rules; the table names what is easily missed."
SELECTED = "C's `fmax` and `fmin` do *not* give NaN where one operand is NaN."


def _spread(r: Draw, op: str) -> tuple[Any, Any]:
    """Numbers of all magnitudes whose sum, product and quotient stay within range."""
    far = 18 if op in ("multiply", "divide") else 30
    return r.powers(-far, far, 4, 9), r.powers(-far, far, 4, 9)


def _near(r: Draw) -> tuple[Any, Any]:
    """Numbers that differ in their last digits, or not at all."""
    x = r.normal(3, 6)
    return x, np.concatenate([np.nextafter(x[:, :3], np.float32(9)), x[:, 3:]], axis=1)


def _constant(r: Draw, op: str, *shape: int) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(3, 4))
    value = graph.apply("value", "constant", weights={"value": np.asarray(r.normal(*shape, mean=2))}, shape=shape)
    graph.outputs.append(graph.apply("y", op, value, x))
    return graph


def _constants(r: Draw, op: str) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 2, 3, 2))
    parts = []
    for shape in (*product((1, 2), (1, 3), (1, 2)), (3, 2), (3, 1), (1, 2), (2,), (1,), ()):
        name = f"value {'x'.join(map(str, shape))}"
        value = graph.apply(name, "constant", weights={"value": np.asarray(r.normal(*shape, mean=5))}, shape=shape)
        parts += [graph.apply(f"{name} first", op, value, x), graph.apply(f"{name} second", op, x, value)]
    graph.outputs.append(graph.apply("y", "concatenate", *parts, axis=1))
    return graph


def _itself(r: Draw, op: str) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(3, 4))
    graph.outputs.append(graph.apply("y", op, x, x))
    return graph


EXTREMES = repeated([[np.nan, 1, np.inf, -np.inf, np.inf, -np.inf]])
OTHERS = repeated([[1, np.nan, 2, 3, np.inf, np.inf]])
SUBNORMAL = np.array([[1e-39, -1e-39, 1e-42, 1e-45]], np.float32)


def _declare(op: str) -> None:
    declare(f"{op}/same-shape", "Element by element.", ALIKE, lambda r: one(op, r.normal(3, 4), r.normal(3, 4)))
    declare(f"{op}/rank-1", "Two batches of numbers.", ALIKE, lambda r: one(op, r.normal(6), r.normal(6)))
    declare(f"{op}/rank-4", "Four dimensions.", ALIKE, lambda r: one(op, r.normal(2, 3, 5, 4), r.normal(2, 3, 5, 4)))
    declare(
        f"{op}/rank-8",
        "As many dimensions as the format allows, stretched in the middle.",
        ALIKE,
        lambda r: one(op, r.normal(2, 1, 3, 1, 2, 1, 1, 2), r.normal(2, 1, 1, 1, 1, 1, 1, 2)),
    )
    declare(
        f"{op}/ones",
        "Dimensions of 1 are stretched, in either input.",
        "m = 1: the result has n;",
        lambda r: one(op, r.normal(2, 1, 5, 4), r.normal(2, 3, 1, 4)),
    )
    declare(
        f"{op}/constant-first",
        "An input of lower rank, without the batch, comes first.",
        ALIGNED,
        lambda r: _constant(r, op, 4),
    )
    declare(f"{op}/scalar", "A constant without a dimension.", "any, a scalar too", lambda r: _constant(r, op))
    declare(
        f"{op}/symbolic",
        "A dimension that only running tells fits itself and 1.",
        "n = 1: the result has m;",
        lambda r: one(
            op,
            r.normal(2, 5, 3),
            r.normal(2, 1, 3),
            shapes=[("batch", "time", 3), ("batch", 1, 3)],
            shape=("batch", "time", 3),
        ),
    )
    declare(
        f"{op}/symbol-of-1",
        "A dimension that only running tells, and that then is 1.",
        "A symbol may stand for 1 in a call; then its axis has one element, and the rule does not change.",
        lambda r: one(
            op,
            r.normal(2, 1, 3),
            r.normal(2, 1, 3),
            shapes=[("batch", "time", 3), ("batch", "time", 3)],
            shape=("batch", "time", 3),
        ),
    )
    declare(f"{op}/itself", "Both inputs are one value.", row_of(op), lambda r: _itself(r, op))
    declare(f"{op}/range", "Magnitudes over the whole range.", ROUNDED_ONCE, lambda r: one(op, *_spread(r, op)))
    declare(f"{op}/near", "Numbers that differ in their last digits.", ROUNDED_ONCE, lambda r: one(op, *_near(r)))
    special(
        f"{op}/subnormal",
        "Numbers below the smallest normal one, which may count as 0.",
        FLUSHED,
        lambda r: one(op, SUBNORMAL, np.full_like(SUBNORMAL, 1.5) if op == "divide" else r.normal(1, 4)),
    )
    empty_batch(op, lambda r: one(op, r.normal(0, 3), r.normal(0, 3)))
    declare(
        f"{op}/constants",
        "A constant that is stretched along each choice of axes, as first and as second input.",
        ALIGNED,
        lambda r: _constants(r, op),
    )
    lengths(op, lambda r, n: one(op, r.normal(n), r.normal(n, mean=5)))


def _declare_overflow(op: str, x1: tuple[float, ...], x2: tuple[float, ...], dtype: str, suffix: str = "") -> None:
    special(
        f"{op}/overflow{suffix}",
        f"Results beyond the range of {dtype}, to either side.",
        "Results that overflow become infinities.",
        lambda r: one(op, np.array([x1], dtype), np.array([x2], dtype)),
        level="L4" if dtype == "float64" else "L1",
    )


def _declare_not_finite(op: str) -> None:
    special(
        f"{op}/not-finite",
        "NaN in either input gives NaN; infinities as IEEE 754 has them.",
        SELECTED if op in ("maximum", "minimum") else RULES,
        lambda r: one(op, EXTREMES, OTHERS),
    )


for _op in OPERATORS:
    _declare(_op)
    if _op != "divide":
        _declare_not_finite(_op)

for _op, _x1, _x2 in (
    ("add", (3.0, -3.0, 3.0), (3.0, -3.0, -3.0)),
    ("subtract", (3.0, -3.0, 3.0), (-3.0, 3.0, 3.0)),
):
    _declare_overflow(_op, tuple(x * 1e38 for x in _x1), tuple(x * 1e38 for x in _x2), "float32")
    _declare_overflow(_op, tuple(x * 5e307 for x in _x1), tuple(x * 5e307 for x in _x2), "float64", "-float64")
for _op, _x2 in (("multiply", (1.0, 1.0, -1.0)), ("divide", (-1.0, -1.0, 1.0))):
    for _dtype, _far, _suffix in (("float32", 25, ""), ("float64", 200, "-float64")):
        _x1 = tuple(sign * 10.0**_far for sign in (1, -1, 1))
        _declare_overflow(_op, _x1, tuple(10.0 ** (_far * power) for power in _x2), _dtype, _suffix)
special(
    "multiply/infinity-times-zero",
    "Infinities times zeros.",
    row_of("multiply"),
    lambda r: one(
        "multiply",
        repeated([[np.inf, -np.inf, 0, -0.0, 0]]),
        repeated([[0, 0, -np.inf, np.inf, 3]]),
    ),
)
special(
    "divide/not-finite",
    "By zeros of both signs, of zero by zero, by infinities.",
    row_of("divide"),
    lambda r: one(
        "divide",
        repeated([[1, -1, 1, -1, 0, 1, -1, np.inf, np.inf, np.nan]]),
        repeated([[0, 0, -0.0, -0.0, 0, np.inf, np.inf, np.inf, -2, 1]]),
    ),
)
for _op in ("maximum", "minimum"):
    special(
        f"{_op}/zeros",
        "Zeros of both signs: which of them comes out does not count.",
        "maximum and minimum of 0 and −0: either.",
        lambda r, op=_op: one(op, np.array([[0, -0.0, 0, 1]], np.float32), np.array([[-0.0, 0, 0, -0.0]], np.float32)),
    )
