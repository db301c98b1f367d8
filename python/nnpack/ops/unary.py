"""Functions of one number: spec/ops/unary.md, spec/ops/predicate.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnpack.ops import special
from nnpack.ops.operator import Call, Made, exact, operator, require_float, require_number, rounded, same
from nnpack.ops.rounding import smooth

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _numbers(call: Call) -> Made:
    return require_number(call), call.inputs[0].shape


def _twice(y: Array, x: Array) -> Array:
    """Several steps that lose nothing; |x·f'(x)| has no bound where the domain ends, or falls below the steps."""
    return 2 * np.abs(y)


@operator(_numbers, exact)
def abs_(x: Array) -> Array:
    return np.abs(x)


@operator(_numbers, exact)
def negative(x: Array) -> Array:
    return np.negative(x)


@operator(_numbers, exact)
def sign(x: Array) -> Array:
    return np.sign(x)


@operator(same, exact)
def floor(x: Array) -> Array:
    return np.floor(x)


@operator(same, exact)
def ceil(x: Array) -> Array:
    return np.ceil(x)


@operator(same, exact)
def round_(x: Array) -> Array:
    return np.round(x)


@operator(same, exact)
def trunc(x: Array) -> Array:
    return np.trunc(x)


@operator(_numbers, rounded)
def square(x: Array) -> Array:
    return np.square(x)


@operator(same, rounded)
def sqrt(x: Array) -> Array:
    return np.sqrt(x)


@operator(same, rounded)
def reciprocal(x: Array) -> Array:
    return 1 / x


@smooth()
def rsqrt(x: Array) -> Array:
    return 1 / np.sqrt(x)


@smooth()
def expm1(x: Array) -> Array:
    return np.expm1(x)


@smooth()
def log(x: Array) -> Array:
    return np.log(x)


@operator(same, _twice)
def log1p(x: Array) -> Array:
    return np.log1p(x)


@smooth()
def log2(x: Array) -> Array:
    return np.log2(x)


@smooth()
def log10(x: Array) -> Array:
    return np.log10(x)


@smooth()
def sin(x: Array) -> Array:
    return np.sin(x)


@smooth()
def cos(x: Array) -> Array:
    return np.cos(x)


@smooth()
def tan(x: Array) -> Array:
    return np.tan(x)


@operator(same, _twice)
def arcsin(x: Array) -> Array:
    return np.arcsin(x)


def _arccos_rounding(y: Array, x: Array) -> Array:
    return np.abs(y) + 1  # π/2 - arcsin(x) cancels


@operator(same, _arccos_rounding)
def arccos(x: Array) -> Array:
    return np.arccos(x)


@smooth()
def arctan(x: Array) -> Array:
    return np.arctan(x)


@smooth()
def sinh(x: Array) -> Array:
    return np.sinh(x)


@smooth()
def cosh(x: Array) -> Array:
    return np.cosh(x)


@smooth()
def arcsinh(x: Array) -> Array:
    return np.arcsinh(x)


@operator(same, _twice)
def arccosh(x: Array) -> Array:
    return np.arccosh(x)


@operator(same, _twice)
def arctanh(x: Array) -> Array:
    return np.arctanh(x)


@operator(same, _twice)
def erf(x: Array) -> Array:
    return special.erf(x)


@smooth()
def erfc(x: Array) -> Array:
    return special.erfc(x)


# Predicates


def _predicate(call: Call) -> Made:
    require_float(call)
    return "bool", call.inputs[0].shape


@operator(_predicate, exact)
def isnan(x: Array) -> Array:
    return np.isnan(x)


@operator(_predicate, exact)
def isinf(x: Array) -> Array:
    return np.isinf(x)


@operator(_predicate, exact)
def isfinite(x: Array) -> Array:
    return np.isfinite(x)
