"""What an operator is: how many inputs, which weights and attributes, what it makes of them, and its formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from naive.arithmetic import Arithmetic, Number
from naive.arrays import BITS, FLOATS, VALUES, Array, Shape, elements, wrap
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
    in_call: bool = False


@dataclass(frozen=True)
class Call:
    """What a formula is given: numbers of its arithmetic, the dtype and shape of its (first) result, all shapes."""

    a: Arithmetic
    inputs: Sequence[Array]
    weights: Mapping[str, Array]
    attributes: Mapping[str, Any]
    dtype: str
    shape: tuple[int, ...]
    shapes: Sequence[tuple[int, ...]] = ()


Infer = Callable[[Site], Type | list[Type]]
"""Checks the constraints of a page and follows its rule of shapes, for the shapes of a file or those of a call.

Answers a list where the operator makes several values."""

Compute = Callable[[Call], list[Any]]
"""The elements of the result; of several, a list of such lists."""

Check = Callable[[Any, str], None]


@dataclass(frozen=True)
class Operator:
    infer: Infer
    compute: Compute
    inputs: tuple[int, int] = (1, 1)
    weights: Mapping[str, bool] = field(default_factory=dict)
    """Role -> whether it is always needed."""
    attributes: Mapping[str, Check] = field(default_factory=dict)


def inferred(operator: Operator, site: Site) -> list[Type]:
    """The types of all values that a layer makes."""
    made = operator.infer(site)
    return made if isinstance(made, list) else [made]


def computed(
    operator: Operator,
    a: Arithmetic,
    inputs: Sequence[Array],
    weights: Mapping[str, Array],
    attributes: Mapping[str, Any],
    made: Sequence[Type],
) -> list[Array]:
    """All values that a layer makes; nothing is computed where none of them has an element."""
    shapes = [tuple(map(int, each.shape)) for each in made]
    results: list[list[Number]] = [[] for _ in made]
    if any(map(elements, shapes)):
        y = operator.compute(Call(a, inputs, weights, attributes, made[0].dtype, shapes[0], shapes))
        results = y if len(made) > 1 else [y]
    return [Array(each.dtype, shape, held(each.dtype, y)) for each, shape, y in zip(made, shapes, results, strict=True)]


def held(dtype: str, numbers: list[Number]) -> list[Number]:
    """What the dtype can hold of numbers; the pages leave unspecified what integers beyond its range become."""
    return [wrap(v, dtype) for v in numbers] if dtype in BITS else numbers


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


def integers_from(least: int, most: int, shortest: int, longest: int) -> Check:
    def check(x: Any, at: str) -> None:
        integers(x, at)
        require(shortest <= len(x) <= longest, "wrong-value", at, f"{shortest} to {longest} integers", x)
        require(all(least <= item <= most for item in x), "wrong-value", at, f"integers from {least} to {most}", x)

    return check


def check_axes(x: Any, at: str) -> None:
    integers_from(1, 7, 1, 7)(x, at)
    require(x == sorted(set(x)), "wrong-value", at, "ascending axes", x)


AXIS = integer(1, 7)
LARGEST = 2**31 - 1
"""Of the integers of attributes, and of dimensions."""


def check_dtype(x: Typed, dtypes: Sequence[str], at: str = "/inputs/0") -> None:
    require(x.dtype in dtypes, "dtype-mismatch", at, ", ".join(dtypes), x.dtype)


def check_float(x: Typed) -> None:
    check_dtype(x, FLOATS)


def check_any(x: Typed, at: str = "/inputs/0") -> None:
    """Any dtype, as the pages say, is any but string."""
    check_dtype(x, VALUES, at)


def check_axis(x: Typed, axis: int, name: str = "axis") -> None:
    rank = len(x.shape)
    require(axis < rank, "axis-range", f"/attributes/{name}", f"less than {rank}", axis)


def around(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """outer, n, inner: the elements before an axis, along it, and behind it."""
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
