"""Mistakes in the functions of one number: spec/ops/unary.md, predicate.md, logical_not.md."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from mutants.activations import clipped_by_c
from mutants.mutant import FLOAT32, of_formula
from naive.arithmetic import Arithmetic, Number
from naive.operators.unary import FORMULAS, NOT, PREDICATES

Formula = Callable[[Arithmetic, Number], Number]


def nearest_away_from_0(a: Arithmetic, x: Number) -> Number:
    half = a.floor(abs(x) + a.number(0.5))
    return half if x > 0 else -half


def signed(function: Formula) -> Formula:
    """The function of |x|, with the sign of x."""
    return lambda a, x: function(a, x) if x >= 0 else -function(a, -x)


def reduced(function: str) -> Formula:
    """A function of an angle that is brought to one turn by a π of four digits."""
    turn = 6.2832
    return lambda a, x: getattr(a, function)(x - a.number(turn) * a.round(a.divide(x, a.number(turn))))


def erf_of_five_terms(a: Arithmetic, x: Number) -> Number:
    """The well-known polynomial, which is off by 1.5e-7."""
    t = a.divide(a.number(1), 1 + a.number(0.3275911) * x)
    y = a.number(0)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        y = (y + a.number(factor)) * t
    return 1 - y * a.exp(-x * x)


def arcsinh_as_written(a: Arithmetic, x: Number) -> Number:
    return a.log(x + a.sqrt(x * x + 1))


def arccosh_as_written(a: Arithmetic, x: Number) -> Number:
    return a.log(x + a.sqrt(x * x - 1))


def arctanh_as_written(a: Arithmetic, x: Number) -> Number:
    return a.divide(a.log(a.divide(1 + x, 1 - x)), a.number(2))


mistake = partial(of_formula, {"unary": FORMULAS, "predicate": PREDICATES, "logical_not": NOT})


MUTANTS = (
    mistake("abs: 0 below 0", "x where x ≥ 0, else −x", lambda a, x: x if x != x or x > 0 else x - x),
    mistake("negative: all bits of an integer", "−x", lambda a, x: -x - 1 if isinstance(x, int) else -x),
    mistake("negative: below 0 alone", "−x", lambda a, x: -x if x < 0 else x),
    mistake(
        "sign: 1 for 0", "0 where x is neither above 0 nor below", lambda a, x: 1 if x >= 0 else -1 if x < 0 else x
    ),
    mistake("sign: 0 for NaN", "NaN gives NaN", lambda a, x: int(x > 0) - int(x < 0)),
    mistake("floor: towards 0", "the largest integer that is not above x", lambda a, x: a.trunc(x)),
    mistake("ceil: the floor and 1", "the smallest integer that is not below x", lambda a, x: a.floor(x) + 1),
    mistake("round: halves away from 0", "of two equally near ones the even one", nearest_away_from_0),
    mistake("round: floor(x + 0.5)", "of two equally near ones the even one", lambda a, x: a.floor(x + a.number(0.5))),
    mistake("trunc: the floor", "x without its fraction, towards 0", lambda a, x: a.floor(x)),
    mistake("square: the sign of x", "x · x", lambda a, x: x * abs(x)),
    mistake("sqrt: of |x|", "NaN for x < 0", lambda a, x: a.sqrt(abs(x))),
    mistake("reciprocal: 0 for 0", "±∞ for ±0", lambda a, x: x if x == 0 else a.divide(1, x)),
    mistake("rsqrt: not the reciprocal", "1 / √x", lambda a, x: a.sqrt(x)),
    mistake("rsqrt: 0 for 0", "+∞ for 0", lambda a, x: x if x == 0 else a.divide(1, a.sqrt(x))),
    mistake("expm1: exp(x) − 1 as written", "exp(x) − 1; safe", lambda a, x: a.exp(x) - 1, FLOAT32),
    mistake("log1p: log(1 + x) as written", "log(1 + x); safe", lambda a, x: a.log(1 + x), FLOAT32),
    mistake("log: of |x|", "NaN for x < 0", lambda a, x: a.log(abs(x))),
    mistake("log: to the base of 10", "log(x), the natural logarithm", lambda a, x: a.log10(x)),
    mistake("log2: natural", "log(x) / log(2)", lambda a, x: a.log(x)),
    mistake("log10: natural", "log(x) / log(10)", lambda a, x: a.log(x)),
    mistake("sin: in degrees", "x in radians", lambda a, x: a.sin(a.divide(x * a.number(math.pi), a.number(180)))),
    *(
        mistake(f"{op}: turns of a π of four digits", f"{op}(x), within 8 · u · (|y| + |x·f′(x)|)", reduced(op))
        for op in ("sin", "cos", "tan")
    ),
    mistake("arcsin: clipped to the domain", "NaN for |x| > 1", lambda a, x: a.arcsin(clipped_by_c(a, x, -1, 1))),
    mistake("arccos: clipped to the domain", "NaN for |x| > 1", lambda a, x: a.arccos(clipped_by_c(a, x, -1, 1))),
    mistake(
        "arctan: through arcsin",
        "±π/2 for ±∞",
        lambda a, x: a.arcsin(a.divide(x, a.sqrt(1 + x * x))),
    ),
    mistake(
        "sinh: as written",
        "(exp(x) − exp(−x)) / 2; safe",
        lambda a, x: a.divide(a.exp(x) - a.exp(-x), a.number(2)),
        FLOAT32,
    ),
    mistake("cosh: not halved", "(exp(x) + exp(−x)) / 2", lambda a, x: a.exp(x) + a.exp(-x)),
    mistake("arcsinh: as written", "log(x + √(x² + 1)); safe", arcsinh_as_written, FLOAT32),
    mistake(
        "arcsinh: as written, with the sign of x",
        "cancellation near 0; x² overflows",
        signed(arcsinh_as_written),
        FLOAT32,
    ),
    mistake("arccosh: as written", "log(x + √(x² − 1)); safe", arccosh_as_written, FLOAT32),
    mistake("arctanh: as written", "log((1 + x) / (1 − x)) / 2; safe", arctanh_as_written, FLOAT32),
    mistake("erf: a polynomial of five terms", "16 · u · |y|, also near 0", signed(erf_of_five_terms)),
    mistake("erf: without the factor 2/√π", "2/√π · ∫₀ˣ exp(−t²) dt", lambda a, x: a.erf(x) * a.number(0.886226925)),
    mistake("erfc: 1 − erf(x) as written", "1 − erf(x); safe", lambda a, x: 1 - a.erf(x), FLOAT32),
    mistake("isnan: infinities too", "false for ±∞", lambda a, x: int(x - x != 0)),
    mistake("isinf: +∞ alone", "true for ±∞", lambda a, x: int(x == math.inf)),
    mistake("isinf: NaN too", "false for NaN", lambda a, x: int(x - x != 0)),
    mistake("isfinite: NaN too", "false for NaN", lambda a, x: int(abs(x) != math.inf)),
    mistake("logical_not: all bits of a byte", "true becomes false", lambda a, x: int(x ^ 255 != 0)),
)
