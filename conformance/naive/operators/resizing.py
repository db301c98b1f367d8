"""spec/ops/resize.md: images of another height and width."""

from __future__ import annotations

import math
from collections.abc import Callable

from naive.arithmetic import Arithmetic, Number
from naive.arrays import BITS, FLOATS, round32
from naive.errors import require
from naive.operators.convolution import images
from naive.operators.moving import times
from naive.operators.operator import LARGEST, Call, Check, Operator, Site, Type, boolean, integers_from, one_of

PI = "3.14159265358979323846264338327950288419716939937510"

Weights = list[tuple[int, Number]]
"""Which pixels an element of the result reads, and their weights."""


def check_image(site: Site) -> None:
    (x,) = site.inputs
    nearest = site.attributes["interpolation"] == "nearest"
    dtypes = (*FLOATS, *BITS) if nearest else FLOATS
    require(x.dtype in dtypes, "dtype-mismatch", "/inputs/0", ", ".join(dtypes), x.dtype)  # C1
    require(len(x.shape) == 4, "rank-range", "/inputs/0", "4 dimensions", x.shape)  # C2


def infer_resize(site: Site) -> Type:
    check_image(site)  # C1, C2
    (x,) = site.inputs
    return Type(x.dtype, (x.shape[0], *site.attributes["size"], x.shape[3]))


def infer_upsample(site: Site) -> Type:
    check_image(site)  # C1, C2
    (x,) = site.inputs
    height, width = (times(n, f) for n, f in zip(x.shape[1:3], site.attributes["factors"], strict=True))
    return Type(x.dtype, (x.shape[0], height, width, x.shape[3]))


def quotient(x: float, y: float) -> float:
    return round32(x / y)


def centre(p: int, step: float) -> float:
    return round32((p + 0.5) * step)


def nearest(a: Arithmetic, n: int, out: int, p: int) -> Weights:
    return [(min(math.floor(centre(p, quotient(n, out))), n - 1), a.number(1))]


def between(n: int, out: int, p: int) -> tuple[int, float]:
    """The pixel before a position, and how far behind it the position is."""
    position = round32(centre(p, quotient(n, out)) - 0.5)
    return math.floor(position), round32(position - math.floor(position))


def linear(a: Arithmetic, n: int, out: int, p: int) -> Weights:
    low, lerp = between(n, out, p)
    return [(max(low, 0), 1 - a.number(lerp)), (min(low + 1, n - 1), a.number(lerp))]


def table(a: Arithmetic, n: int, out: int, p: int) -> Weights:
    low, lerp = between(n, out, p)
    frac = round(lerp * 1024) / 1024
    return normalized(a, [(low + j, cubic(a, a.number(abs(j - frac)))) for j in range(-1, 3) if 0 <= low + j < n])


def normalized(a: Arithmetic, kernel: Weights) -> Weights:
    total = a.sum([k for _, k in kernel])
    return [(i, a.divide(k, total)) for i, k in kernel]


def triangle(a: Arithmetic, t: Number) -> Number:
    return 1 - t if t < 1 else a.number(0)


def cubic(a: Arithmetic, t: Number) -> Number:
    half, square = a.number(0.5), t * t
    if t < 1:
        return 3 * half * square * t - 5 * half * square + 1
    return 5 * half * square - half * square * t - 4 * t + 2 if t < 2 else a.number(0)


def lanczos(radius: int) -> Callable[[Arithmetic, Number], Number]:
    def kernel(a: Arithmetic, t: Number) -> Number:
        if t <= a.number("0.001"):
            return a.number(1)
        v = a.number(PI) * t
        return a.divide(radius * a.sin(v) * a.sin(a.divide(v, radius)), v * v)

    return kernel


KERNELS: dict[str, tuple[Callable[[Arithmetic, Number], Number], int]] = {
    "bilinear": (triangle, 1),
    "bicubic": (cubic, 2),
    "lanczos3": (lanczos(3), 3),
    "lanczos5": (lanczos(5), 5),
}
"""Interpolation -> its kernel and the kernel's radius."""


def sampled(a: Arithmetic, n: int, out: int, p: int, interpolation: str, antialias: bool) -> Weights:
    kernel, radius = KERNELS[interpolation]
    step = quotient(1, quotient(out, n))
    position = a.number(centre(p, step))
    widen = a.number(max(step, 1.0) if antialias else 1.0)
    distances = [a.divide(abs(a.number(i + 0.5) - position), widen) for i in range(n)]
    return normalized(a, [(i, kernel(a, t)) for i, t in enumerate(distances) if t <= radius])


def area(a: Arithmetic, n: int, out: int, p: int) -> Weights:
    step = quotient(n, out)
    start, end = round32(p * step), round32((p + 1) * step)
    return [
        (min(i, n - 1), a.divide(a.number(part(i, step, start, end)), a.number(step)))
        for i in range(math.floor(start), math.ceil(end))
    ]


def part(i: int, step: float, start: float, end: float) -> float:
    """How much of pixel i lies between start and end."""
    if i < start:
        return step if i + 1 > end else i + 1 - start
    return end - i if i + 1 > end else 1.0


def weights(a: Arithmetic, n: int, out: int, p: int, interpolation: str, antialias: bool) -> Weights:
    plain = {"nearest": nearest, "area": area}
    if not antialias:
        plain |= {"bilinear": linear, "bicubic": table}
    if interpolation in plain:
        return plain[interpolation](a, n, out, p)
    return sampled(a, n, out, p, interpolation, antialias)


def compute(call: Call) -> list[Number]:
    a, (x,) = call.a, call.inputs
    _, height, width, channels = x.shape
    interpolation, antialias = call.attributes["interpolation"], call.attributes.get("antialias", False)
    rows = [weights(a, height, call.shape[1], p, interpolation, antialias) for p in range(call.shape[1])]
    columns = [weights(a, width, call.shape[2], q, interpolation, antialias) for q in range(call.shape[2])]
    y = []
    for image in images(x):
        for row in rows:
            for column in columns:
                pixels = [((i * width + j) * channels, w_h, w_w) for i, w_h in row for j, w_w in column]
                y += [read(a, image, pixels, c, interpolation == "nearest") for c in range(channels)]
    return y


def read(
    a: Arithmetic, image: list[Number], pixels: list[tuple[int, Number, Number]], channel: int, nearest: bool
) -> Number:
    if nearest:
        ((place, _, _),) = pixels
        return image[place + channel]
    return a.sum([w_h * image[place + channel] * w_w for place, w_h, w_w in pixels])


PAIR = integers_from(1, LARGEST, 2, 2)
INTERPOLATION: dict[str, Check] = {
    "interpolation": one_of(("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"))
}

OPERATORS = {
    "resize@1": Operator(infer_resize, compute, attributes={"size": PAIR, **INTERPOLATION, "antialias": boolean}),
    "upsample@1": Operator(infer_upsample, compute, attributes={"factors": PAIR, **INTERPOLATION}),
}
