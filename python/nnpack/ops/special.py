"""Functions that numpy lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


# Chebyshev coefficients of exp(z²) · erfc(z) · (2 + z) / 2 as a function of 4/(2 + z) - 1, for z >= 0.
# Computed with 40 digits; their rapid decay is what makes a shorter sum enough for float32.
_COEFFICIENTS = (
    0.57703373861646968862, 0.35543692127049848731, 0.06509515882878652455, 0.0036711423958366391659,
    -0.0011128447433526324969, -0.00016075829915378079758, 0.000032780315741731370605, 5.4424416455050160333e-6,
    -1.5154665553171481622e-6, -1.4297608181169864917e-7, 8.234608827419493433e-8, -1.2962846852306562536e-9,
    -4.1547216310151983042e-9, 6.3470582783628111814e-10, 1.4320822712256223707e-10, -6.1603901052045855418e-11,
    2.0612138554721696306e-12, 3.571493148847704445e-12, -8.5864228432517964757e-13, -6.145600213790630554e-14,
    7.4187257485966170573e-14, -1.2895042755032325614e-14, -2.3587263857106323586e-15, 1.5729349381685911334e-15,
    -2.2782966239546461217e-16, -6.3123304507564392972e-17, 3.5916763531814936981e-17,
)  # fmt: skip
_TERMS = {np.dtype(np.float32): 13, np.dtype(np.float64): len(_COEFFICIENTS)}


def erfc(x: Array) -> Array:
    """1 - erf(x) for float32 or float64, without the cancellation that the difference suffers for large x."""
    z = np.abs(x)
    t = 2 / (2 + z)
    twice = 8 / (2 + z) - 2
    after: Array | float = 0.0
    current: Array | float = 0.0
    for coefficient in reversed(_COEFFICIENTS[1 : _TERMS[x.dtype]]):  # Clenshaw's recurrence
        after, current = current, twice * current - after + coefficient
    upper = t * np.exp(-z * z) * (twice / 2 * current - after + _COEFFICIENTS[0])
    return np.where(x >= 0, upper, 2 - upper)


_SQUARES = {np.dtype(np.float32): 10, np.dtype(np.float64): 20}
"""How many terms of erf's series are needed for |x| < 1."""


def erf(x: Array) -> Array:
    """2/√π · ∫₀ˣ exp(-t²) dt for float32 or float64, without the cancellation that 1 - erfc(x) suffers near 0."""
    near = np.clip(x, -1, 1)
    square = near * near
    total: Array | float = 1.0
    for n in range(_SQUARES[x.dtype], 0, -1):  # Σ 2ⁿ x²ⁿ / (1 · 3 · … · (2n + 1)), Horner's scheme
        total = 1 + total * square * (2 / (2 * n + 1))
    series = near * np.exp(-square) * total * (2 / float(np.sqrt(np.pi)))
    return np.where(np.abs(x) < 1, series, np.copysign(1 - erfc(np.abs(x)), x))
