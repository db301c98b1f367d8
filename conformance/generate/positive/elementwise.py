"""add, subtract, multiply, divide, maximum, minimum: numpy's broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.positive.declare import declare, special

OPERATORS = ("add", "subtract", "multiply", "divide", "maximum", "minimum")


def _spread(r: Draw, op: str) -> tuple[Any, Any]:
    """Numbers of all magnitudes whose sum, product and quotient stay within range."""
    far = 18 if op in ("multiply", "divide") else 30
    return r.powers(-far, far, 4, 9), r.powers(-far, far, 4, 9)


def _near(r: Draw) -> tuple[Any, Any]:
    """Numbers that differ in their last digits, or not at all."""
    x = r.normal(3, 6)
    return x, np.concatenate([np.nextafter(x[:, :3], np.float32(9)), x[:, 3:]], axis=1)


def _constant(r: Draw, op: str) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(3, 4))
    value = graph.apply("value", "constant", weights={"value": r.normal(4, mean=2)}, shape=(4,))
    graph.outputs.append(graph.apply("y", op, value, x))
    return graph


def _itself(r: Draw, op: str) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(3, 4))
    graph.outputs.append(graph.apply("y", op, x, x))
    return graph


EXTREMES = np.array([[np.nan, 1, np.inf, -np.inf, np.inf, -np.inf]], np.float32)
OTHERS = np.array([[1, np.nan, 2, 3, np.inf, np.inf]], np.float32)


def _declare(op: str) -> None:
    declare(f"{op}/same-shape", "Element by element.", lambda r: one(op, r.normal(3, 4), r.normal(3, 4)))
    declare(f"{op}/rank-4", "Four dimensions.", lambda r: one(op, r.normal(2, 3, 5, 4), r.normal(2, 3, 5, 4)))
    declare(
        f"{op}/ones",
        "Dimensions of 1 are stretched, in either input.",
        lambda r: one(op, r.normal(2, 1, 5, 4), r.normal(2, 3, 1, 4)),
    )
    declare(
        f"{op}/constant-first",
        "An input of lower rank, without the batch, comes first.",
        lambda r: _constant(r, op),
    )
    declare(
        f"{op}/symbolic",
        "A dimension that only running tells fits itself and 1.",
        lambda r: one(
            op,
            r.normal(2, 5, 3),
            r.normal(2, 1, 3),
            shapes=[("batch", "time", 3), ("batch", 1, 3)],
            shape=("batch", "time", 3),
        ),
    )
    declare(f"{op}/itself", "Both inputs are one value.", lambda r: _itself(r, op))
    declare(f"{op}/range", "Magnitudes over the whole range.", lambda r: one(op, *_spread(r, op)))
    declare(f"{op}/near", "Numbers that differ in their last digits.", lambda r: one(op, *_near(r)))
    special(f"{op}/empty-batch", "No row in, no row out.", lambda r: one(op, r.normal(0, 3), r.normal(0, 3)))


def _declare_not_finite(op: str) -> None:
    special(
        f"{op}/not-finite",
        "NaN in either input gives NaN; infinities as IEEE 754 has them.",
        lambda r: one(op, EXTREMES, OTHERS),
    )


for _op in OPERATORS:
    _declare(_op)
    if _op != "divide":
        _declare_not_finite(_op)

special(
    "divide/not-finite",
    "By zero, of zero by zero, by infinities.",
    lambda r: one(
        "divide",
        np.array([[1, -1, 0, 1, -1, np.inf, np.nan]], np.float32),
        np.array([[0, 0, 0, np.inf, np.inf, np.inf, 1]], np.float32),
    ),
)
