"""Rules of tolerance of spec/ops/elementwise.md, unary.md, reduction.md and cumulative.md, in units of u."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# Arithmetic, functions


def _power(y: Any, x1: Any, x2: Any, **_: Any) -> Any:
    plain = (x1 == 1) | (x2 == 0)
    sensitivity = np.where(plain, 1, 1 + np.abs(x2) + np.abs(x2 * np.log(np.abs(x1))))
    return np.where(y == 0, 0, 8 * np.abs(y) * sensitivity)


def _mod(y: Any, x1: Any, x2: Any, **_: Any) -> Any:
    return 8 * (np.abs(y) + np.abs(x1))


def _arctan2(y: Any, x1: Any, x2: Any, **_: Any) -> Any:
    return 8 * (np.abs(y) + np.abs(np.sin(2 * y)))


def _several_steps(y: Any, x: Any, **_: Any) -> Any:
    return 16 * np.abs(y)


def _arccos(y: Any, x: Any, **_: Any) -> Any:
    return 8 * (np.abs(y) + 1)


# Along axes


def _terms(x: Any, axes: Sequence[int]) -> int:
    return math.prod(x.shape[axis] for axis in axes)


def _sum(y: Any, x: Any, axes: list[int], keepdims: bool, **_: Any) -> tuple[Any, int]:
    return np.abs(x).sum(tuple(axes), keepdims=keepdims), _terms(x, axes)


def _mean(y: Any, x: Any, axes: list[int], keepdims: bool, **_: Any) -> tuple[Any, int]:
    magnitude, terms = _sum(y, x, axes, keepdims)
    return magnitude / terms, terms


def _prod(y: Any, x: Any, axes: list[int], **_: Any) -> Any:
    return np.abs(y) * (8 + _terms(x, axes))


def _variance(y: Any, x: Any, axes: list[int], keepdims: bool, **_: Any) -> Any:
    magnitude, terms = _mean(y, x, axes, keepdims)
    return y * (8 + 2 * math.sqrt(terms)) + 2.0**-24 * (magnitude * (4 + 2 * math.sqrt(terms))) ** 2


def shifted(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any, int]:
    """|x - max|, log Σ exp(x - max), Σ p·|x - max|, and the number of terms."""
    below = np.max(x, axes, keepdims=True) - x
    exponentials = np.exp(-below)
    total = exponentials.sum(axes, keepdims=True)
    spread = (exponentials * np.where(exponentials > 0, below, 0)).sum(axes, keepdims=True) / total
    return below, np.log(total), spread, int(np.prod([x.shape[axis] for axis in axes]))


def _logsumexp(y: Any, x: Any, axes: list[int], **_: Any) -> Any:
    _, log_total, spread, n = shifted(x, tuple(axes))
    slack = log_total + 1 + math.sqrt(n) / 4 + spread / 4
    return 8 * (np.abs(y) + slack.reshape(y.shape))


def _cumsum(y: Any, x: Any, axis: int, **_: Any) -> Any:
    running = np.cumsum(np.abs(x), axis)
    return running * (4 + 2 * math.sqrt(x.shape[axis])) + np.cumsum(running, axis)


def _cumprod(y: Any, x: Any, axis: int, **_: Any) -> Any:
    return np.abs(y) * (8 + x.shape[axis])


OWN: dict[str, Callable[..., Any]] = {
    "power": _power,
    "mod": _mod,
    "arctan2": _arctan2,
    **dict.fromkeys(("log1p", "arcsin", "arccosh", "arctanh", "erf"), _several_steps),
    "arccos": _arccos,
    "prod": _prod,
    "variance": _variance,
    "logsumexp": _logsumexp,
    "cumsum": _cumsum,
    "cumprod": _cumprod,
}
"""Operator -> its own rule: (y, *inputs, **attributes) -> an array like y."""

SUMS: dict[str, Callable[..., Any]] = {"sum": _sum, "mean": _mean}
"""Operator -> A and K of the class sum."""
