"""Mistakes in images of another size: spec/ops/resize.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

from mutants.mutant import Mutant, Patch, changing, of_faults, of_numbers, overlooking
from naive.arithmetic import Arithmetic, Number
from naive.arrays import round32
from naive.operators import resizing
from naive.operators.operator import Call
from naive.operators.resizing import Weights

Weigh = Callable[..., Weights]
"""(arithmetic, elements of x, elements of y, an element of y, …) -> its weights."""


def corners_aligned(n: int, out: int, p: int) -> tuple[int, float]:
    position = round32(p * round32((n - 1) / max(out - 1, 1)))
    return min(int(position), n - 1), position - min(int(position), n - 1)


def without_half_pixels(n: int, out: int, p: int) -> tuple[int, float]:
    position = round32(p * round32(n / out))
    return int(position), position - int(position)


def nearest_at(place: Callable[[int, int, int], float]) -> Weigh:
    def nearest(a: Arithmetic, n: int, out: int, p: int) -> Weights:
        return [(min(max(int(place(n, out, p)), 0), n - 1), a.number(1))]

    return nearest


def unrounded(weigh: Weigh) -> Weigh:
    """Positions in float64."""

    def weights(*given: object) -> Weights:
        with patch.object(resizing, "round32", float):
            return weigh(*given)

    return weights


def between_distances(a: Arithmetic, n: int, out: int, p: int) -> Weights:
    """The cubic kernel at any distance."""
    low, lerp = resizing.between(n, out, p)
    taps = [(low + j, resizing.cubic(a, a.number(abs(j - lerp)))) for j in range(-1, 3) if 0 <= low + j < n]
    return resizing.normalized(a, taps)


def from_the_border(a: Arithmetic, n: int, out: int, p: int) -> Weights:
    """Pixels beyond the border are those at the border."""
    low, lerp = resizing.between(n, out, p)
    frac = round(lerp * 1024) / 1024
    return [(min(max(low + j, 0), n - 1), resizing.cubic(a, a.number(abs(j - frac)))) for j in range(-1, 3)]


def not_normalized(a: Arithmetic, kernel: Weights) -> Weights:
    return kernel


def sharper(a: Arithmetic, t: Number) -> Number:
    """The cubic kernel of Keys with −3/4 in the place of −1/2."""
    c, square = a.number(-0.75), t * t
    if t < 1:
        return (c + 2) * square * t - (c + 3) * square + 1
    return c * square * t - 5 * c * square + 8 * c * t - 4 * c if t < 2 else a.number(0)


def whole_pixels(a: Arithmetic, n: int, out: int, p: int) -> Weights:
    """The mean of all pixels that an area touches."""
    first, last = p * n // out, max(-(-(p + 1) * n // out), p * n // out + 1)
    return [(i, a.divide(a.number(1), a.number(last - first))) for i in range(first, last)]


def with_antialias(antialias: bool) -> Weigh:
    right = resizing.weights

    def weights(a: Arithmetic, n: int, out: int, p: int, interpolation: str, _: bool) -> Weights:
        return right(a, n, out, p, interpolation, antialias)

    return weights


def as_interpolation(taken: str, other: str) -> Weigh:
    right = resizing.weights

    def weights(a: Arithmetic, n: int, out: int, p: int, interpolation: str, antialias: bool) -> Weights:
        return right(a, n, out, p, other if interpolation == taken else interpolation, antialias)

    return weights


def widened(a: Arithmetic, n: int, out: int, p: int, interpolation: str, antialias: bool) -> Weights:
    return RIGHT_SAMPLED(a, n, out, p, interpolation, True)


RIGHT_SAMPLED = resizing.sampled


def size_swapped(call: Call) -> list[Number]:
    """The weights of the other axis; what is then beyond the image is at its border."""
    _, height, width, channels = call.inputs[0].shape
    rows, h, w, _ = call.shape
    x = replace(call.inputs[0], shape=(rows, width, height, channels))
    return resizing.compute(replace(call, inputs=[x], shape=(rows, w, h, channels)))


def of_resizing(name: str, says: str, *changes: Patch, groups: tuple[str, ...] = ("resize",)) -> Mutant:
    return of_numbers(f"{groups[0]}: {name}", says, *changes, page="ops/resize.md", groups=groups)


def replaced(name: str, function: object) -> Patch:
    return patch.object(resizing, name, function)


CENTRES = "position = (p + 0.5) · step − 0.5: the centres of pixels lie at halves"
FLOAT32 = "positions are computed in float32"
TAPS = "four pixels, the cubic kernel at distances that are multiples of 1/1024; pixels beyond the border do not count"
CUBIC = "the cubic kernel: 1.5·t³ − 2.5·t² + 1, −0.5·t³ + 2.5·t² − 4·t + 2"
SAMPLED = "widen = max(step, 1) with antialias, else 1"
NEAREST = "floor((p + 0.5) · step)"

MUTANTS = (
    of_resizing("corners aligned", CENTRES, replaced("between", corners_aligned)),
    of_resizing("centres of pixels at integers", CENTRES, replaced("between", without_half_pixels)),
    of_resizing(
        "nearest: corners aligned",
        NEAREST,
        replaced("nearest", nearest_at(lambda n, out, p: p * (n - 1) / max(out - 1, 1) + 0.5)),
    ),
    of_resizing(
        "nearest: centres of pixels at integers",
        NEAREST,
        replaced("nearest", nearest_at(lambda n, out, p: p * n / out)),
    ),
    of_resizing(
        "nearest: rounded", NEAREST, replaced("nearest", nearest_at(lambda n, out, p: (p + 0.5) * n / out + 0.5))
    ),
    of_resizing("nearest: positions in float64", FLOAT32, replaced("nearest", unrounded(resizing.nearest))),
    of_resizing("area: positions in float64", FLOAT32, replaced("area", unrounded(resizing.area))),
    of_resizing(
        "area: all pixels alike",
        "the part of each pixel that lies between two positions",
        replaced("area", whole_pixels),
    ),
    of_resizing(
        "area: as bilinear",
        "area: the part of each pixel that lies between two positions",
        replaced("weights", as_interpolation("area", "bilinear")),
    ),
    of_resizing("bicubic: as bilinear", TAPS, replaced("weights", as_interpolation("bicubic", "bilinear"))),
    of_resizing("bicubic: at any distance", TAPS, replaced("table", between_distances)),
    of_resizing("bicubic: the border goes on", TAPS, replaced("table", from_the_border)),
    of_resizing("bicubic: the kernel of −3/4", CUBIC, replaced("cubic", sharper)),
    of_resizing("weights do not add up to 1", "W[p, i] = K[i] / Σ K", replaced("normalized", not_normalized)),
    of_resizing(
        "lanczos5: as lanczos3",
        "lanczos, with R = 3 or 5",
        replaced("weights", as_interpolation("lanczos5", "lanczos3")),
    ),
    of_resizing("lanczos3: widened without antialias", SAMPLED, replaced("sampled", widened)),
    of_resizing("antialias left out", SAMPLED, replaced("weights", with_antialias(False))),
    of_resizing("antialias always", SAMPLED, replaced("weights", with_antialias(True))),
    of_resizing(
        "height and width swapped", "(rows, h, w, channels), in C order", changing("resize", compute=size_swapped)
    ),
    of_resizing("corners aligned", CENTRES, replaced("between", corners_aligned), groups=("upsample",)),
    of_resizing(
        "always nearest",
        "interpolation is an attribute",
        replaced("weights", lambda a, n, out, p, *_: resizing.nearest(a, n, out, p)),
        groups=("upsample",),
    ),
    of_resizing(
        "height and width swapped",
        "factors[0] is that of the height",
        changing("upsample", compute=size_swapped),
        groups=("upsample",),
    ),
    *(
        of_faults(
            f"{op}: {name}",
            says,
            overlooking(resizing, code),
            groups=(op,),
            page="ops/resize.md",
        )
        for op in ("resize", "upsample")
        for name, says, code in (
            ("integers in between", "integers where interpolation is nearest alone", "dtype-mismatch"),
            ("any rank", "x has 4 dimensions", "rank-range"),
        )
    ),
)
