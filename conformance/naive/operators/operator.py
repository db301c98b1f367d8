"""What an operator is: how many inputs, which weights and attributes, what it makes of them, and its formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from naive.arithmetic import Arithmetic, Number
from naive.arrays import FLOATS, Array, Shape
from naive.errors import require

NEW_SYMBOL = ""
"""Stands in an inferred shape for a symbol that the layer declares; no name is empty."""


class Typed(Protocol):
    """What has a dtype and a shape: a value of the graph, or an array."""

    @property
    def dtype(self) -> str: ...

    @property
    def shape(self) -> Shape: ...


@dataclass(frozen=True)
class Type:
    dtype: str
    shape: Shape


@dataclass(frozen=True)
class Site:
    """What the constraints of a layer speak of; in a call, all dimensions are numbers."""

    inputs: Sequence[Typed]
    weights: Mapping[str, Array]
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """What a formula is given: numbers of its arithmetic, and the dtype and shape of its result."""

    a: Arithmetic
    inputs: Sequence[Array]
    weights: Mapping[str, Array]
    attributes: Mapping[str, Any]
    dtype: str
    shape: tuple[int, ...]


Infer = Callable[[Site], Type]
"""Checks the constraints of a page and follows its rule of shapes, for the shapes of a file or those of a call."""

Compute = Callable[[Call], list[Number]]
Check = Callable[[Any, str], None]


@dataclass(frozen=True)
class Operator:
    infer: Infer
    compute: Compute
    inputs: tuple[int, int] = (1, 1)
    weights: Mapping[str, bool] = field(default_factory=dict)
    """Role -> whether it is always needed."""
    attributes: Mapping[str, Check] = field(default_factory=dict)


def number(least: float = -math.inf, but: float | None = None) -> Check:
    def check(x: Any, at: str) -> None:
        require(isinstance(x, float), "wrong-type", at, "a number", x)
        require(x >= least and x != but, "wrong-value", at, f"a number of at least {least}, not {but}", x)

    return check


def integer(least: int, most: int) -> Check:
    def check(x: Any, at: str) -> None:
        require(type(x) is int, "wrong-type", at, "an integer", x)
        require(least <= x <= most, "wrong-value", at, f"{least} to {most}", x)

    return check


def boolean(x: Any, at: str) -> None:
    require(isinstance(x, bool), "wrong-type", at, "a boolean", x)


def one_of(choices: Sequence[str]) -> Check:
    def check(x: Any, at: str) -> None:
        require(isinstance(x, str), "wrong-type", at, "a string", x)
        require(x in choices, "wrong-value", at, ", ".join(choices), x)

    return check


def integers(x: Any, at: str) -> None:
    require(isinstance(x, list), "wrong-type", at, "a list of integers", x)
    for item in x:
        require(type(item) is int, "wrong-type", at, "integers", item)


AXIS = integer(1, 7)


def check_float(x: Typed) -> None:
    require(x.dtype in FLOATS, "dtype-mismatch", "/inputs/0", "float32 or float64", x.dtype)


def check_axis(x: Typed, axis: int, name: str = "axis") -> None:
    rank = len(x.shape)
    require(axis < rank, "axis-range", f"/attributes/{name}", f"less than {rank}", axis)


def around(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """outer, n, inner: the elements before an axis, along it, and behind it."""
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
