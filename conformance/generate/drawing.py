"""What fresh cases are drawn from: shapes, arrays and attributes; hypothesis draws and shrinks them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache, partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from generate import graph, pages, scalar
from generate.graph import Graph


class Draw:
    """Draws from strategies.

    Attributes:
        most: the largest dimension.
    """

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], most: int) -> None:
        self._draw, self.most = draw, most

    def __call__(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self._draw(strategy)

    def dimension(self) -> int:
        found: int = self(st.integers(1, self.most))
        return found

    def rows(self) -> int:
        found: int = self(st.integers(0, self.most))
        return found


Make = Callable[[Draw], Graph]

one = partial(graph.one, evaluate=scalar.float64)
"""A model of one layer, whose values are the scalar oracle's in float64."""


def fresh() -> Graph:
    """An empty model, whose values are the scalar oracle's in float64."""
    return Graph(scalar.float64)


# Arrays


def numbers(low: float, high: float, least: float = 1e-15) -> st.SearchStrategy[float]:
    """0, and float32 numbers of at least that magnitude."""
    parts = [st.just(0.0)] if low <= 0 <= high else []
    floats = partial(st.floats, width=32, allow_subnormal=False)
    if high > 0:
        parts.append(floats(float(np.float32(max(low, least))), float(np.float32(high))))
    if low < 0:
        parts.append(floats(float(np.float32(low)), float(np.float32(min(high, -least)))))
    return st.one_of(parts)


def array(draw: Draw, shape: Sequence[int], elements: st.SearchStrategy[Any], dtype: str = "float32") -> Any:
    n = prod(shape)
    return np.array(draw(st.lists(elements, min_size=n, max_size=n)), dtype).reshape(shape)


def shape_of(draw: Draw, least: int = 1, most: int = 4) -> tuple[int, ...]:
    """A shape with a batch, of at least and at most so many dimensions."""
    return (draw.rows(), *(draw.dimension() for _ in range(draw(st.integers(least - 1, most - 1)))))


def axis_of(draw: Draw, shape: Sequence[int]) -> int:
    """An axis other than that of the batch."""
    found: int = draw(st.integers(1, len(shape) - 1))
    return found


def axes_of(draw: Draw, shape: Sequence[int]) -> list[int]:
    """One or more of them, ascending."""
    return sorted(draw(st.sets(st.integers(1, len(shape) - 1), min_size=1)))


TAME = numbers(-8, 8, 2.0**-10)
WIDE = numbers(-1e15, 1e15)


# Attributes, from the schema of the operator


@cache
def _schema(op: str) -> dict[str, Any]:
    stem = Path(pages.operator(op).page).stem
    path = pages.SPEC / "schema" / "1" / "ops" / f"{stem}@1.schema.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))["$defs"][op]["properties"]["attributes"]
    return found


def attributes(draw: Draw, op: str) -> dict[str, Any]:
    """Its numbers and booleans; what depends on the shape of x is drawn with x."""
    found = {}
    for key, schema in _schema(op).get("properties", {}).items():
        if schema.get("type") == "boolean":
            found[key] = draw(st.booleans())
        elif schema.get("type") == "number":
            low = max(-4.0, float(schema.get("minimum", -4)))
            excluded = schema.get("not", {}).get("const")
            found[key] = draw(numbers(low, 4, 2.0**-6).filter(lambda x, excluded=excluded: x != excluded))
    return found


# Dtypes

INTEGERS = {"int8": (-128, 127), "uint8": (0, 255), "int32": (-(2**31), 2**31 - 1), "int64": (-(2**53), 2**53)}


def typed(draw: Draw, dtype: str) -> st.SearchStrategy[Any]:
    if dtype == "bool":
        return st.booleans()
    if dtype in INTEGERS:
        return st.integers(*INTEGERS[dtype])
    return numbers(-1e30, 1e30, 1e-30)


DTYPES = ("float32", "float64", *INTEGERS, "bool")
