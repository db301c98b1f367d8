"""The pictures of the parity report, as SVG that stands in the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnpack.conformance.reports.markup import Markup, element
from nnpack.conformance.reports.text import brief

Array = NDArray[Any]

POINTS = 2_000
"""The most points of a scatter; more would only make the page large."""

SIZE, LEFT, BOTTOM, TOP = 320, 52, 44, 10
"""A picture's width and height, and the room beside its axes."""

BINS_PER_DECADE = 3
DECADES = 12
"""The most powers of ten that a histogram spans; what is smaller counts to its first bar."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scatter(name: str, keras: Array, nnpack: Array, error: Array) -> tuple[Markup, str]:
    """Keras across, nnpack up, and the line on which both are equal.

    Args:
        name: the output.
        keras: what Keras predicts.
        nnpack: what the file predicts, of the same shape.
        error: how far apart they are.

    Returns:
        The picture, and what has to be said of it.
    """
    x, y, far = (numbers.astype(np.float64).ravel() for numbers in (keras, nnpack, error))
    finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    told = "Keras across, nnpack up; the dashed line is where both are equal."
    if len(finite) < len(x):
        told += f" Not finite, and so not shown: {len(x) - len(finite):,}."
    if not len(finite):
        return _picture("no element is finite"), told
    kept, worst = finite, finite[np.argmax(far[finite])]
    if len(finite) > POINTS:
        kept = finite[np.linspace(0, len(finite) - 1, POINTS).astype(int)]
        told += f" {POINTS:,} of {len(finite):,} elements are shown, evenly chosen."
    shown = np.append(kept, worst)
    low, high = min(x[shown].min(), y[shown].min()), max(x[shown].max(), y[shown].max())
    margin = 0.04 * (high - low) or 0.05 * abs(high) or 1.0
    across, up = _axes(low - margin, high + margin, low - margin, high + margin)
    ticks = _ticks(low, high)
    parts = [
        *(_tick(across(tick), label) for tick, label in zip(ticks, _labels(ticks), strict=True)),
        *(_tick_up(up(tick), label) for tick, label in zip(ticks, _labels(ticks), strict=True)),
        element("line", x1=_at(LEFT), y1=_at(SIZE - BOTTOM), x2=_at(SIZE), y2=_at(TOP), class_="equal"),
        element("path", d=_dots(across(x[shown]), up(y[shown])), class_="points"),
    ]
    if far[worst]:
        told += " The ring is around the largest difference."
        parts.append(element("circle", cx=_at(across(x[worst])), cy=_at(up(y[worst])), r="6", class_="worst"))
    return _picture(f"{name}: Keras against nnpack", *parts), told


def histogram(errors: Array, limit: float | None = None) -> Markup:
    """How many errors there are of which size, by powers of ten; those that are 0, and infinite ones, stand apart.

    Args:
        errors: none below 0, and no NaN.
        limit: where a line is drawn.
    """
    sizes = errors[(errors > 0) & np.isfinite(errors)]
    spanned = np.log10([*sizes[[sizes.argmin(), sizes.argmax()]], limit or sizes[0]] if sizes.size else [limit or 1.0])
    high = math.floor(spanned.max()) + 1
    low = max(math.floor(spanned.min()), high - DECADES)
    bins = (high - low) * BINS_PER_DECADE
    places = np.clip((np.log10(sizes) - low) * BINS_PER_DECADE, 0, bins - 1).astype(int)
    counts = [
        int((errors == 0).sum()),
        0,
        *map(int, np.bincount(places, minlength=bins)),
        0,
        int(np.isinf(errors).sum()),
    ]
    across, up = _axes(0, len(counts), 0, max(counts) * 1.05)
    bars = "".join(
        f"M{across(i) + 0.5:.1f} {up(0):.1f}V{min(up(n), up(0) - 1):.1f}H{across(i + 1) - 0.5:.1f}V{up(0):.1f}z"
        for i, n in enumerate(counts)
        if n
    )
    step = max(1, round((high - low) / 5))
    powers = range(high, low, -step)  # beside the lowest stands the 0
    parts = [
        _tick(across(0.5), "0") if counts[0] else "",
        _tick(across(len(counts) - 0.5), "∞") if counts[-1] else "",
        *(_tick(across(2 + (n - low) * BINS_PER_DECADE), f"10{str(n).translate(_SUPERSCRIPTS)}") for n in powers),
        *(_tick_up(up(n), f"{n:,.0f}") for n in _ticks(0, max(counts)) if n == int(n)),
        element("path", d=bars, class_="bars"),
    ]
    if limit is not None:
        at = _at(across(2 + max(0, math.log10(limit) - low) * BINS_PER_DECADE))
        parts.append(element("line", x1=at, x2=at, y1=_at(TOP), y2=_at(SIZE - BOTTOM), class_="limit"))
    return _picture("errors by size", *parts)


# Parts of pictures


class _Axis(NamedTuple):
    """Numbers from `low` to `high`, from place `start` to place `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, x: Any) -> Any:
        return self.start + (x - self.low) * ((self.end - self.start) / (self.high - self.low))


def _dots(x: Array, y: Array) -> str:
    """Points as a path of lines without length, whose round ends are seen; those that fall together are one."""
    places = np.unique(np.round(np.stack([x, y], axis=1)).astype(int), axis=0)
    return "".join(f"M{i} {j}h0" for i, j in places)


def _axes(left: float, right: float, bottom: float, top: float) -> tuple[_Axis, _Axis]:
    return _Axis(left, right, LEFT, SIZE), _Axis(bottom, top, SIZE - BOTTOM, TOP)


def _picture(label: str, *parts: str) -> Markup:
    frame = element(
        "rect", x=_at(LEFT), y=_at(TOP), width=_at(SIZE - LEFT), height=_at(SIZE - BOTTOM - TOP), class_="frame"
    )
    return element("svg", frame, *parts, viewBox=f"0 0 {SIZE} {SIZE - BOTTOM + 22}", role="img", aria_label=label)


def _tick(x: float, label: str) -> Markup:
    foot = SIZE - BOTTOM
    line = element("line", x1=_at(x), x2=_at(x), y1=_at(foot), y2=_at(foot + 4), class_="axis")
    return element("g", line, element("text", label, x=_at(x), y=_at(foot + 17), text_anchor="middle"))


def _tick_up(y: float, label: str) -> Markup:
    line = element("line", x1=_at(LEFT - 4), x2=_at(LEFT), y1=_at(y), y2=_at(y), class_="axis")
    return element("g", line, element("text", label, x=_at(LEFT - 8), y=_at(y + 4), text_anchor="end"))


def _at(place: float) -> str:
    return f"{place:.5g}"


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers from low to high."""
    if not high > low:
        return [low]
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.8)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]


def _labels(ticks: Sequence[float]) -> list[str]:
    """The ticks in as many digits as tell them apart."""
    tried = ([brief(tick, digits) for tick in ticks] for digits in range(3, 18))
    return next((labels for labels in tried if len({*labels}) == len(ticks)), [str(tick) for tick in ticks])
