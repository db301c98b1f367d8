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


def attempt(function: Callable[..., float], *numbers: float, overflow: float = math.inf) -> float:
    """A function of `math`: NaN outside of its domain, an infinity where it overflows."""
    try:
        return float(function(*numbers))
    except ValueError:
        return math.nan
    except OverflowError:
        return overflow


def integral(function: Callable[[float], int], x: float) -> float:
    """A function that gives integers; NaN and infinities stay what they are."""
    return float(function(x)) if math.isfinite(x) else x


def is_odd(x: float) -> bool:
    return math.isfinite(x) and math.fmod(x, 2) in (1, -1)


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

    def site(self, terms: Sequence[Number], count: int) -> Number:
        """A sum that a step of a loop rounds, of so many terms by its page: disturbed, where rounding is sampled."""
        return self.sum(terms)

    def activated(self, name: str, x: list[Number], y: list[Number]) -> list[Number]:
        """The same of y, the results of an activation of x."""
        return y

    def divide(self, x: Number, y: Number) -> Number:
        if y != 0:
            return x / y
        return math.nan if x == 0 or x != x else math.copysign(math.inf, x) * math.copysign(1, y)

    def sqrt(self, x: Number) -> Number:
        return math.nan if x < 0 else math.sqrt(x)

    def exp(self, x: Number) -> Number:
        return attempt(math.exp, x)

    def expm1(self, x: Number) -> Number:
        return attempt(math.expm1, x)

    def log(self, x: Number) -> Number:
        if x > 0:
            return math.log(x)
        return -math.inf if x == 0 else math.nan

    def log1p(self, x: Number) -> Number:
        if x > -1:
            return math.log1p(x)
        return -math.inf if x == -1 else math.nan

    def log2(self, x: Number) -> Number:
        return -math.inf if x == 0 else attempt(math.log2, x)

    def log10(self, x: Number) -> Number:
        return -math.inf if x == 0 else attempt(math.log10, x)

    def power(self, x: Number, y: Number) -> Number:
        if x == 0 and y < 0:
            return math.copysign(math.inf, x) if is_odd(y) else math.inf
        return attempt(math.pow, x, y, overflow=-math.inf if x < 0 and is_odd(y) else math.inf)

    def sin(self, x: Number) -> Number:
        return attempt(math.sin, x)

    def cos(self, x: Number) -> Number:
        return attempt(math.cos, x)

    def tan(self, x: Number) -> Number:
        return attempt(math.tan, x)

    def arcsin(self, x: Number) -> Number:
        return attempt(math.asin, x)

    def arccos(self, x: Number) -> Number:
        return attempt(math.acos, x)

    def arctan(self, x: Number) -> Number:
        return math.atan(x)

    def arctan2(self, y: Number, x: Number) -> Number:
        return math.atan2(y, x)

    def sinh(self, x: Number) -> Number:
        return attempt(math.sinh, x, overflow=math.copysign(math.inf, x))

    def cosh(self, x: Number) -> Number:
        return attempt(math.cosh, x)

    def tanh(self, x: Number) -> Number:
        return math.tanh(x)

    def arcsinh(self, x: Number) -> Number:
        return math.asinh(x)

    def arccosh(self, x: Number) -> Number:
        return attempt(math.acosh, x)

    def arctanh(self, x: Number) -> Number:
        return math.copysign(math.inf, x) if abs(x) == 1 else attempt(math.atanh, x)

    def erf(self, x: Number) -> Number:
        return math.erf(x)

    def erfc(self, x: Number) -> Number:
        return math.erfc(x)

    def floor(self, x: Number) -> Number:
        return integral(math.floor, x)

    def ceil(self, x: Number) -> Number:
        return integral(math.ceil, x)

    def trunc(self, x: Number) -> Number:
        return integral(math.trunc, x)

    def round(self, x: Number) -> Number:
        """The nearest integer, of two the even one."""
        return integral(round, x)


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
    log2 = rounded("log2")
    log10 = rounded("log10")
    power = rounded("power")
    sin = rounded("sin")
    cos = rounded("cos")
    tan = rounded("tan")
    arcsin = rounded("arcsin")
    arccos = rounded("arccos")
    arctan = rounded("arctan")
    arctan2 = rounded("arctan2")
    sinh = rounded("sinh")
    cosh = rounded("cosh")
    tanh = rounded("tanh")
    arcsinh = rounded("arcsinh")
    arccosh = rounded("arccosh")
    arctanh = rounded("arctanh")
    erf = rounded("erf")
    erfc = rounded("erfc")
    floor = rounded("floor")
    ceil = rounded("ceil")
    trunc = rounded("trunc")
    round = rounded("round")


class Exact(Arithmetic):
    """mpmath's numbers, of so many bits that no float64 shows what they were rounded by. For finite numbers."""

    def __init__(self, bits: int = 300) -> None:
        import mpmath  # type: ignore[import-untyped]

        self.context = mpmath.MPContext()
        self.context.prec = bits

    def number(self, x: Number) -> Number:
        # mpmath has one zero only: those of float keep their signs.
        return x if isinstance(x, float) and x == 0 else self.context.mpf(x)

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

    def log2(self, x: Number) -> Number:
        return self.context.nan if x < 0 else self.context.log(x, 2)

    def log10(self, x: Number) -> Number:
        return self.context.nan if x < 0 else self.context.log10(x)

    def power(self, x: Number, y: Number) -> Number:
        usual = FLOAT64.power(self.float64(x), self.float64(y))
        regular = x != 0 and all(map(math.isfinite, (self.float64(x), self.float64(y), usual)))
        return self.context.power(x, y) if regular else self.number(usual)

    def sin(self, x: Number) -> Number:
        return self.context.sin(x)

    def cos(self, x: Number) -> Number:
        return self.context.cos(x)

    def tan(self, x: Number) -> Number:
        return self.context.tan(x)

    def arcsin(self, x: Number) -> Number:
        return self.context.nan if abs(x) > 1 else self.context.asin(x)

    def arccos(self, x: Number) -> Number:
        return self.context.nan if abs(x) > 1 else self.context.acos(x)

    def arctan(self, x: Number) -> Number:
        return self.context.atan(x)

    def arctan2(self, y: Number, x: Number) -> Number:
        if y != 0:
            return self.context.atan2(y, x)
        angle = self.context.pi if math.copysign(1, x) < 0 else self.number(0)
        return angle if math.copysign(1, y) > 0 else -angle

    def sinh(self, x: Number) -> Number:
        return self.context.sinh(x)

    def cosh(self, x: Number) -> Number:
        return self.context.cosh(x)

    def tanh(self, x: Number) -> Number:
        return self.context.tanh(x)

    def arcsinh(self, x: Number) -> Number:
        return self.context.asinh(x)

    def arccosh(self, x: Number) -> Number:
        return self.context.acosh(x) if x >= 1 else self.context.nan

    def arctanh(self, x: Number) -> Number:
        return self.context.nan if abs(x) > 1 else self.context.atanh(x)

    def erf(self, x: Number) -> Number:
        return self.context.erf(x)

    def erfc(self, x: Number) -> Number:
        # It is less than any float64 long before mpmath cannot compute it.
        return self.context.erfc(x) if x < 10_000 else self.number(0)

    def floor(self, x: Number) -> Number:
        return self.context.floor(x)

    def ceil(self, x: Number) -> Number:
        return self.context.ceil(x)

    def trunc(self, x: Number) -> Number:
        return self.context.floor(x) if x > 0 else self.context.ceil(x)

    def round(self, x: Number) -> Number:
        return self.context.nint(x)


def larger(x: Number, y: Number) -> Number:
    """max(x, y), NaN where either is: no comparison with NaN holds, but ≠."""
    return x if x > y or x != x else y


def smaller(x: Number, y: Number) -> Number:
    """min(x, y), NaN where either is."""
    return x if x < y or x != x else y
