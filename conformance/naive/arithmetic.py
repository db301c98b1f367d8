"""What formulas are computed in.

A formula uses `+ - *` and comparisons on numbers, and the functions of an `Arithmetic` for all else. So one formula
serves as a runtime in float64, as one in float32, and as the exact reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from naive.arrays import round32

Number = Any
"""A number of an arithmetic: a float, a `Float32` or mpmath's; an int, where the dtype is an integer's."""


def forward(terms: Sequence[Number], zero: Number) -> Number:
    return reduce(lambda total, term: total + term, terms, zero)


def backward(terms: Sequence[Number], zero: Number) -> Number:
    return forward(terms[::-1], zero)


def pairwise(terms: Sequence[Number], zero: Number) -> Number:
    if len(terms) < 3:
        return forward(terms, zero)
    half = len(terms) // 2
    return pairwise(terms[:half], zero) + pairwise(terms[half:], zero)


ORDERS: dict[str, Callable[[Sequence[Number], Number], Number]] = {
    "forward": forward,
    "reversed": backward,
    "pairwise": pairwise,
}


class Arithmetic:
    """The functions that a formula may use: Python's floats, with the answers of IEEE 754 where Python raises."""

    def of(self, dtype: str) -> Arithmetic:
        """The arithmetic that layers of a dtype are computed in."""
        return self

    def number(self, x: Number) -> Number:
        """A number of this arithmetic: of a float, an int, decimal digits, or a number of another."""
        return float(x)

    def float64(self, x: Number) -> float:
        """The nearest float64."""
        return float(x)

    def sum(self, terms: Sequence[Number]) -> Number:
        return forward(terms, 0.0)

    def divide(self, x: Number, y: Number) -> Number:
        if y != 0:
            return x / y
        return math.nan if x == 0 or x != x else math.copysign(math.inf, x) * math.copysign(1, y)

    def sqrt(self, x: Number) -> Number:
        return math.nan if x < 0 else math.sqrt(x)

    def exp(self, x: Number) -> Number:
        try:
            return math.exp(x)
        except OverflowError:
            return math.inf

    def expm1(self, x: Number) -> Number:
        try:
            return math.expm1(x)
        except OverflowError:
            return math.inf

    def log(self, x: Number) -> Number:
        if x > 0:
            return math.log(x)
        return -math.inf if x == 0 else math.nan

    def log1p(self, x: Number) -> Number:
        if x > -1:
            return math.log1p(x)
        return -math.inf if x == -1 else math.nan

    def tanh(self, x: Number) -> Number:
        return math.tanh(x)

    def erfc(self, x: Number) -> Number:
        return math.erfc(x)


class Float32Number(float):
    """A float32: every operation is rounded, which from float64 gives the same as one rounding."""

    __slots__ = ()

    def __add__(self, other: float) -> Float32Number:
        return Float32Number(round32(float.__add__(self, other)))

    def __sub__(self, other: float) -> Float32Number:
        return Float32Number(round32(float.__sub__(self, other)))

    def __rsub__(self, other: float) -> Float32Number:
        return Float32Number(round32(float.__rsub__(self, other)))

    def __mul__(self, other: float) -> Float32Number:
        return Float32Number(round32(float.__mul__(self, other)))

    def __neg__(self) -> Float32Number:
        return Float32Number(float.__neg__(self))

    def __abs__(self) -> Float32Number:
        return Float32Number(float.__abs__(self))

    __radd__ = __add__
    __rmul__ = __mul__
    __truediv__ = None  # type: ignore[assignment]  # float's own would not be rounded
    __rtruediv__ = None  # type: ignore[assignment]


FLOAT64 = Arithmetic()


def rounded(name: str) -> Any:
    """A function of float64 whose result is rounded."""
    return lambda self, *numbers: self.number(getattr(FLOAT64, name)(*map(float, numbers)))


class Float32(Arithmetic):
    """Float32 throughout, for layers in float32; those in float64 are computed in float64."""

    def __init__(self, order: str = "forward") -> None:
        self.order = order

    def of(self, dtype: str) -> Arithmetic:
        return FLOAT64 if dtype == "float64" else self

    def number(self, x: Number) -> Number:
        return Float32Number(round32(float(x)))

    def sum(self, terms: Sequence[Number]) -> Number:
        return ORDERS[self.order](terms, Float32Number(0.0))

    divide = rounded("divide")
    sqrt = rounded("sqrt")
    exp = rounded("exp")
    expm1 = rounded("expm1")
    log = rounded("log")
    log1p = rounded("log1p")
    tanh = rounded("tanh")
    erfc = rounded("erfc")


class Exact(Arithmetic):
    """mpmath's numbers, of so many bits that no float64 shows what they were rounded by. For finite numbers."""

    def __init__(self, bits: int = 300) -> None:
        import mpmath  # type: ignore[import-untyped]

        self.context = mpmath.MPContext()
        self.context.prec = bits

    def number(self, x: Number) -> Number:
        return self.context.mpf(x)

    def sum(self, terms: Sequence[Number]) -> Number:
        return forward(terms, self.number(0))

    def divide(self, x: Number, y: Number) -> Number:
        return self.number(x) / y if y != 0 else self.number(FLOAT64.divide(self.float64(x), self.float64(y)))

    def sqrt(self, x: Number) -> Number:
        return self.context.nan if x < 0 else self.context.sqrt(x)

    def exp(self, x: Number) -> Number:
        return self.context.exp(x)

    def expm1(self, x: Number) -> Number:
        return self.context.expm1(x)

    def log(self, x: Number) -> Number:
        return self.context.nan if x < 0 else self.context.log(x)

    def log1p(self, x: Number) -> Number:
        return self.context.nan if x < -1 else self.context.log1p(x)

    def tanh(self, x: Number) -> Number:
        return self.context.tanh(x)

    def erfc(self, x: Number) -> Number:
        return self.context.erfc(x)


def larger(x: Number, y: Number) -> Number:
    """max(x, y), NaN where either is: no comparison with NaN holds, but ≠."""
    return x if x > y or x != x else y


def smaller(x: Number, y: Number) -> Number:
    """min(x, y), NaN where either is."""
    return x if x < y or x != x else y
