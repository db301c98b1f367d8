"""resize, upsample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import row_of
from generate.positive.declare import FLUSHED, declare, empty_batch, lengths, special

Shape = Sequence[int | str]


def _resize(
    x: Any, size: Sequence[int], interpolation: str, antialias: bool = False, shape: Shape | None = None
) -> Graph:
    shapes = [shape] if shape else None
    return one("resize", x, shapes=shapes, size=list(size), interpolation=interpolation, antialias=antialias)


def _upsample(
    x: Any,
    factors: Sequence[int],
    interpolation: str,
    shape: Shape | None = None,
    made: Shape | None = None,
) -> Graph:
    shapes = [shape] if shape else None
    return one("upsample", x, shapes=shapes, shape=made, factors=list(factors), interpolation=interpolation)


RULES = {
    "nearest": "i = min(floor(f32((p + 0.5) · step)), I − 1)",
    "bilinear": "W[p, max(low, 0)] += 1 − lerp; W[p, min(low + 1, I − 1)] += lerp",
    "bicubic": "for j = −1 … 2 with 0 ≤ low + j < I",
    "lanczos3": "K[i] = k(|i + 0.5 − position| / widen) 0 where that is above R",
    "lanczos5": "K[i] = k(|i + 0.5 − position| / widen) 0 where that is above R",
    "area": "1 otherwise W[p, min(i, I − 1)] += part / step",
}
"""Interpolation -> what it comes to, without antialias."""

WIDENED = "widen = max(step, 1) with antialias, else 1"
UNCHANGED = "antialias changes nothing for `nearest` and `area`."
TWICE = "Some rules name a pixel twice at the borders; then the weights add up."
BORDER = "This counts where a position falls on the border between two pixels."
STEP = "step is not f32(I / O) here."
SHAPE = "(rows, h, w, channels) → (rows, Oₕ, O_w, channels)."
ONCE = "All weights that a rule does not name are 0."
MULTIPLIED = "upsample: where h is a symbol, Oₕ is that symbol if factors[0] = 1, else a new symbol."
SEPARATE = "Rows of images and columns are resized apart, with weights that do not depend on x:"
ORDER = "the sum in any order; height first, width first, or both at once."


def _declare(name: str, title: str, says: str, *shape: int, **rest: Any) -> None:
    declare(f"resize/{name}", title, says, lambda r: _resize(r.normal(*shape), **rest))


_declare("sizes", "Another height than width.", SHAPE, 3, 4, 6, 2, size=(3, 5), interpolation="bilinear")
for _interpolation, _rule in RULES.items():
    _how: dict[str, Any] = {"interpolation": _interpolation, "antialias": False}
    _declare(f"{_interpolation}-smaller", "Smaller images.", _rule, 2, 7, 5, 2, size=(3, 4), **_how)
    _declare(f"{_interpolation}-larger", "Larger images.", _rule, 2, 4, 3, 1, size=(7, 8), **_how)
    _declare(f"{_interpolation}-both", "Higher, but not as wide.", SEPARATE, 2, 5, 12, 1, size=(9, 5), **_how)
    _declare(f"{_interpolation}-shrunk", "Smaller by far.", _rule, 2, 3, 33, 1, size=(2, 4), **_how)
    _declare(f"{_interpolation}-one", "To one pixel.", ONCE, 2, 4, 5, 2, size=(1, 1), **_how)
    _declare(f"{_interpolation}-from-one", "From one pixel, and from two.", TWICE, 2, 1, 2, 2, size=(3, 5), **_how)
    _declare(f"{_interpolation}-alike", "The same size.", SEPARATE, 2, 3, 4, 1, size=(3, 4), **_how)
    _how["antialias"] = True
    _says = UNCHANGED if _interpolation in ("nearest", "area") else WIDENED
    _declare(f"{_interpolation}-antialias-smaller", "Smaller images.", _says, 2, 7, 5, 2, size=(3, 4), **_how)
    if _interpolation not in ("nearest", "area"):
        _declare(f"{_interpolation}-antialias-larger", "Larger images.", _says, 2, 4, 3, 1, size=(7, 8), **_how)
        _declare(f"{_interpolation}-antialias-shrunk", "Smaller by far.", _says, 2, 3, 33, 1, size=(2, 4), **_how)

for _interpolation, _n, _out in (
    ("nearest", 2, 41),
    ("nearest", 26, 11),
    ("nearest", 14, 23),
    ("area", 3, 21),
    ("area", 7, 13),
    ("area", 41, 4),
):
    _declare(
        f"{_interpolation}-border-{_n}-to-{_out}",
        "Positions in float32 are on another side of a border than exact ones.",
        BORDER,
        *(2, 2, _n, 1),
        size=(2, _out),
        interpolation=_interpolation,
    )
_declare(
    "lanczos3-step", "1 / f32(O / I) is not f32(I / O).", STEP, 2, 13, 3, 1, size=(3, 13), interpolation="lanczos3"
)
_declare(
    "bicubic-table",
    "Distances that are no multiples of 1/1024.",
    "four pixels, the cubic kernel at distances that are multiples of 1/1024",
    *(2, 3, 17, 1),
    size=(7, 11),
    interpolation="bicubic",
)


def _steps(r: Draw, interpolation: str, antialias: bool = False) -> Graph:
    """Large numbers of either sign: what is between them cancels."""
    x = r.uniform(0.999, 1.001, 2, 4, 5, 1)
    x[:, ::2] *= -1
    return _resize(x, (5, 7), interpolation, antialias)


for _interpolation in RULES:
    declare(
        f"resize/{_interpolation}-cancellation",
        "Lines of one sign and of the other.",
        ORDER,
        lambda r, interpolation=_interpolation: _steps(r, interpolation),
    )
    declare(
        f"resize/{_interpolation}-symbolic",
        "Height and width that only running tells.",
        "h and w may be symbols.",
        lambda r, interpolation=_interpolation: _resize(
            r.normal(2, 5, 4, 1), (3, 6), interpolation, True, ("batch", "h", "w", 1)
        ),
    )


INTEGERS = "with interpolation `nearest` also int8, int32, int64 or uint8"


def _integers(r: Draw, dtype: str, least: int, most: int) -> Any:
    return (least + r.random.randint(0, min(most - least, 2**32 - 1), (2, 4, 3, 2), "int64")).astype(dtype)


for _dtype, _least, _most in (
    ("int8", -128, 127),
    ("uint8", 0, 255),
    ("int32", -(2**31), 2**31 - 1),
    ("int64", 2**62, 2**62 + 1000),  # what no float holds
):
    declare(
        f"resize/nearest-{_dtype}",
        f"{_dtype} as it is.",
        INTEGERS,
        lambda r, drawn=(_dtype, _least, _most): _resize(_integers(r, *drawn), (5, 2), "nearest"),
    )
    declare(
        f"upsample/nearest-{_dtype}",
        f"{_dtype} as it is.",
        INTEGERS,
        lambda r, drawn=(_dtype, _least, _most): _upsample(_integers(r, *drawn), (1, 2), "nearest"),
    )


def _not_finite(r: Draw, *shape: int) -> Any:
    x = r.normal(*shape)
    x[0, 1, 0, 0], x[1, 0, 1, 1], x[1, 1, 1, 0] = np.nan, np.inf, -np.inf
    return x


KEPT = "`nearest` keeps all numbers, NaN and infinities too."
special(
    "resize/nearest-not-finite",
    "NaN, infinities.",
    KEPT,
    lambda r: _resize(_not_finite(r, 2, 3, 4, 2), (5, 2), "nearest"),
)
special(
    "upsample/nearest-not-finite",
    "NaN, infinities.",
    KEPT,
    lambda r: _upsample(_not_finite(r, 2, 2, 3, 2), (3, 2), "nearest"),
)


def _with_nan(r: Draw) -> Any:
    x = r.normal(3, 2, 2, 2)
    x[0, 1, 0, 0] = np.nan
    return x


for _interpolation in RULES:
    if _interpolation != "nearest":
        special(
            f"resize/{_interpolation}-nan",
            "NaN where every pixel counts; other channels and rows do not change.",
            "Others: y is NaN where x has a NaN in a pixel of which neither weight is 0.",
            lambda r, interpolation=_interpolation: _resize(_with_nan(r), (1, 1), interpolation),
        )
special(
    "resize/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: _resize(np.array([1e-39, -1e-45, 1e-41, 3], np.float32).reshape(1, 1, 4, 1), (1, 3), "bilinear"),
)
empty_batch("resize", lambda r: _resize(r.normal(0, 4, 5, 2), (3, 7), "bicubic"))
lengths("resize", lambda r, n: _resize(r.normal(n, 2, 2, 1), (3, 1), "bilinear"))


# upsample


def _declare_upsample(name: str, title: str, says: str, *shape: int, **rest: Any) -> None:
    declare(f"upsample/{name}", title, says, lambda r: _upsample(r.normal(*shape), **rest))


ROW = row_of("upsample")
_declare_upsample("factors", "Another factor for the height.", ROW, 3, 2, 3, 2, factors=(3, 2), interpolation="nearest")
for _interpolation, _rule in RULES.items():
    _declare_upsample(_interpolation, "Both.", _rule, 2, 3, 4, 1, factors=(2, 3), interpolation=_interpolation)
    _declare_upsample(
        f"{_interpolation}-width", "Width.", _rule, 2, 2, 5, 1, factors=(1, 4), interpolation=_interpolation
    )
_declare_upsample(
    "nearest-integral",
    "Factors that are no powers of two.",
    "For upsample that is p div factor.",
    *(2, 2, 3, 1),
    factors=(3, 11),
    interpolation="nearest",
)
declare(
    "upsample/symbolic",
    "A symbol that stays, and a new one.",
    MULTIPLIED,
    lambda r: _upsample(
        r.normal(2, 3, 4, 2), (1, 2), "bilinear", shape=("batch", "h", "w", 2), made=("batch", "h", "wide", 2)
    ),
)
declare(
    "upsample/symbolic-height",
    "The other way round.",
    "w likewise.",
    lambda r: _upsample(
        r.normal(2, 3, 4, 2), (2, 1), "nearest", shape=("batch", "h", "w", 2), made=("batch", "high", "w", 2)
    ),
)
special(
    "upsample/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: _upsample(np.array([1e-39, -1e-45, 1e-41, 3], np.float32).reshape(1, 2, 2, 1), (2, 2), "bilinear"),
)
empty_batch("upsample", lambda r: _upsample(r.normal(0, 2, 3, 2), (2, 3), "bilinear"))
lengths("upsample", lambda r, n: _upsample(r.normal(n, 1, 2, 1), (2, 1), "nearest"))
