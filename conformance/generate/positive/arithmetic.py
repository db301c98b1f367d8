"""power, floor_divide, mod, arctan2; integers in all of arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import row_of
from generate.positive.broadcasting import broadcasting
from generate.positive.declare import declare, repeated, special

INF, NAN = np.inf, np.nan


# Numbers that the operators are specified for


def _powers(r: Draw, *shapes: tuple[int, ...]) -> list[Any]:
    """A base above 0 and any exponent."""
    return [r.uniform(0.2, 3, *shapes[0]), r.normal(*shapes[1], scale=1.5)]


def _quotients(r: Draw, *shapes: tuple[int, ...]) -> list[Any]:
    """Halves through odd numbers: no quotient is near an integer, unless it is one."""
    halves = r.integers(-12, 12, *shapes[0]) + 0.5
    divisors = np.asarray(r.random.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 5.0], shapes[1]))
    return [halves.astype(np.float32), divisors.astype(np.float32)]


def _points(r: Draw, *shapes: tuple[int, ...]) -> list[Any]:
    return [r.normal(*shape) for shape in shapes[:2]]


for _op, _operands in (("power", _powers), ("floor_divide", _quotients), ("mod", _quotients), ("arctan2", _points)):
    broadcasting(_op, _operands)


# Over the whole range


def _far_quotients(r: Draw) -> tuple[Any, Any]:
    """Quotients of both signs up to 200, of numbers of all magnitudes."""
    x2 = r.powers(-15, 15, 4, 9).astype(np.float64)
    quotient = r.integers(-200, 200, 4, 9) + r.random.uniform(0.1, 0.9, (4, 9))
    return (quotient * x2).astype(np.float32), x2.astype(np.float32)


RANGES: dict[str, Callable[[Draw], tuple[Any, Any]]] = {
    "power": lambda r: (np.abs(r.powers(-10, 10, 4, 9)), r.uniform(-3, 3, 4, 9)),
    "floor_divide": _far_quotients,
    "mod": _far_quotients,
    "arctan2": lambda r: (r.powers(-18, 18, 4, 9), r.powers(-18, 18, 4, 9)),
}

for _op, _make in RANGES.items():
    declare(
        f"{_op}/range",
        "Magnitudes over the whole range, of both signs.",
        row_of(_op),
        lambda r, op=_op, make=_make: one(op, *make(r)),
    )


def _pairs(op: str, firsts: list[float], seconds: list[float]) -> Graph:
    """Each of the first numbers with each of the second."""
    x1, x2 = np.meshgrid(np.asarray(firsts, np.float32), np.asarray(seconds, np.float32))
    return one(op, x1.reshape(len(seconds), -1), x2.reshape(len(seconds), -1))


# Special values

WHOLE = [-7, -6, -3, -1, 1, 3, 6, 7]
SIGNS = "So mod has the sign of x2, of −7 and 3 it is 2; and floor_divide rounds towards −∞, of −7 and 3 it is −3."
for _op in ("floor_divide", "mod"):
    declare(
        f"{_op}/whole",
        "Whole numbers of both signs, of which some divide others.",
        SIGNS,
        lambda r, op=_op: _pairs(op, [0.0, -0.0, *WHOLE], WHOLE),
    )
special(
    "floor_divide/not-finite",
    "By zeros of both signs; with NaN and infinities.",
    row_of("floor_divide"),
    lambda r: one(
        "floor_divide",
        repeated([[1, -1, 1, -1, 0, NAN, 1, INF, -INF, INF, INF, 2]]),
        repeated([[0, 0, -0.0, -0.0, 0, 1, NAN, 2, 2, -2, INF, INF]]),
    ),
)
special(
    "mod/not-finite",
    "By zeros of both signs; of infinities; with NaN.",
    row_of("mod"),
    lambda r: one("mod", repeated([[1, -1, 0, 0.5, INF, -INF, NAN, 1]]), repeated([[0, -0.0, 0, -0.0, 2, -3, 1, NAN]])),
)

POWERS: dict[str, tuple[str, str, list[float], list[float]]] = {
    "one": (
        "To the power of 0, and of 1: 1, whatever the other is.",
        "power is 1 where x2 is 0 or x1 is 1, even where the other is NaN; else NaN gives NaN.",
        [1, NAN, 2, -3, INF, -INF, 0],
        [0, -0.0],
    ),
    "of-one": (
        "1 to any power; NaN to others than 0.",
        "power is 1 where x2 is 0 or x1 is 1, even where the other is NaN; else NaN gives NaN.",
        [1, NAN],
        [NAN, 2, -3.5, 0, 1e30, -1e30],
    ),
    "negative": (
        "Numbers below 0, to the power of whole numbers, odd and even, and of others.",
        "power of a finite x1 < 0: NaN where x2 is finite and no integer; negative where x2 is an odd integer; "
        "positive where x2 is an even one.",
        [-2, -0.75, -1],
        [1, 2, 3, -1, -2, 5, 8, 0.5, -1.5, 2.25, 16777216],
    ),
    "zero": (
        "Zeros of both signs.",
        "power of x1 = 0 or −0: 0 where x2 > 0; +∞ where x2 < 0, but −∞ for −0 where x2 is an odd integer.",
        [0.0, -0.0],
        [1, 2, 3, 0.5, INF, -1, -2, -3, -0.5, -INF],
    ),
    "to-infinity": (
        "Infinite exponents.",
        "power with x2 = +∞: +∞ where |x1| > 1, 0 where |x1| < 1; with x2 = −∞ the other way round; of x1 = −1: "
        "unspecified.",
        [2, -2, 0.5, -0.5, 1.25, INF],
        [INF, -INF],
    ),
    "of-infinity": (
        "Infinities of both signs.",
        "power of x1 = +∞: +∞ where x2 > 0, 0 where x2 < 0; of x1 = −∞ the same, but −∞ where x2 is an odd integer "
        "above 0.",
        [INF, -INF],
        [1, 2, 3, 0.5, 2.5, -1, -2, -3, -0.5],
    ),
    "overflow": (
        "Results beyond the range, to either side.",
        "Results that overflow become infinities.",
        [10, -10],
        [39, 50, 51, -60, -61],
    ),
}
for _name, (_title, _says, _firsts, _seconds) in POWERS.items():
    special(f"power/{_name}", _title, _says, lambda r, xs=_firsts, ys=_seconds: _pairs("power", xs, ys))

ANGLES: dict[str, tuple[str, str, list[float], list[float]]] = {
    "zero": (
        "Zeros of both signs: the side of the axis counts.",
        "arctan2 of x1 = 0 or −0, where x2 < 0 or x2 is −0: π for 0, −π for −0; where x2 > 0 or x2 is 0: 0.",
        [0.0, -0.0],
        [-2, -0.0, 0.0, 3, INF, -INF],
    ),
    "axes": (
        "Points on the axis of x1.",
        "π/2 where x2 = 0 and x1 > 0, −π/2 where x2 = 0 and x1 < 0.",
        [2, -2, 1e-30, -1e30],
        [0.0, -0.0],
    ),
    "infinite-x2": (
        "x2 is infinite, x1 is not.",
        "arctan2 with x2 = −∞ and a finite x1: π, or −π where x1 < 0; with x2 = +∞ and a finite x1: 0.",
        [1, -1, 1e30, -1e-30],
        [INF, -INF],
    ),
    "infinite-x1": (
        "x1 is infinite.",
        "arctan2 with x1 = ±∞: ±π/4 where x2 is +∞, ±3π/4 where x2 is −∞, ±π/2 where x2 is finite.",
        [INF, -INF],
        [INF, -INF, 0.0, -0.0, 1, -2],
    ),
    "nan": ("NaN in either input.", "arctan2 with NaN: NaN.", [NAN, 1, 0, INF], [NAN, NAN]),
}
for _name, (_title, _says, _firsts, _seconds) in ANGLES.items():
    special(f"arctan2/{_name}", _title, _says, lambda r, xs=_firsts, ys=_seconds: _pairs("arctan2", xs, ys))
special(
    "arctan2/nan-first",
    "NaN as first input, where the second is a number.",
    "arctan2 with NaN: NaN.",
    lambda r: _pairs("arctan2", [NAN, 1], [1, -1, 0, INF]),
)


# Integers

BOUNDS = {"int8": (-11, 11), "uint8": (0, 15), "int32": (-46340, 46340), "int64": (-94_906_265, 94_906_265)}
"""The square of each still fits, that of int64 into the float64 of an expected value."""

SUMS = {"int8": (-64, 63), "uint8": (0, 127), "int32": (-(2**30), 2**30 - 1), "int64": (-(2**52), 2**52)}
"""The sum of two still fits."""

LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int32": (-(2**31), 2**31 - 1), "int64": (-(2**53), 2**53)}
"""Of the dtype, or of float64."""


def _integers(r: Draw, dtype: str, bounds: dict[str, tuple[int, int]]) -> list[Any]:
    low, high = bounds[dtype]
    drawn = [r.random.randint(low, high + 1, (3, 6), dtype=np.int64) for _ in range(2)]
    drawn[0][0, :2], drawn[1][0, :2] = (low, high), (high, low)
    return [x.astype(dtype) for x in drawn]


def _sums(r: Draw, dtype: str) -> list[Any]:
    return _integers(r, dtype, SUMS)


def _differences(r: Draw, dtype: str) -> list[Any]:
    x1, x2 = _integers(r, dtype, SUMS)
    return [np.maximum(x1, x2), np.minimum(x1, x2)] if dtype == "uint8" else [x1, x2]


def _divisions(r: Draw, dtype: str) -> list[Any]:
    """Dividends of all sizes through divisors near 0, of both signs."""
    x1, _ = _integers(r, dtype, LIMITS)
    x1.flat[:6] = [7, 1, 6, 0, 5, 3] if dtype == "uint8" else [7, -7, 6, -6, 5, 0]
    x2 = r.integers(1, 8, 3, 6, dtype=dtype)
    return [x1, x2 if dtype == "uint8" else x2 * np.where(r.random.random_sample((3, 6)) < 0.5, -1, 1).astype(dtype)]


INTEGERS: dict[str, Callable[[Draw, str], list[Any]]] = {
    "add": _sums,
    "subtract": _differences,
    "multiply": partial(_integers, bounds=BOUNDS),
    "maximum": partial(_integers, bounds=LIMITS),
    "minimum": partial(_integers, bounds=LIMITS),
    "floor_divide": _divisions,
    "mod": _divisions,
}
EXACT = "Integers are computed exactly."
for _op, _drawn in INTEGERS.items():
    for _dtype in LIMITS:
        declare(
            f"{_op}/{_dtype}",
            f"Numbers of {_dtype}, up to the largest whose results it holds.",
            EXACT,
            lambda r, op=_op, dtype=_dtype, drawn=_drawn: one(op, *drawn(r, dtype)),
        )
