"""Tolerances of layers that normalize groups of elements: their pages' own rules, with n elements in a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def _standardized(x: Any, axes: Sequence[int], gamma: Any, beta: Any, epsilon: float) -> Any:
    """gamma and beta broadcast with x."""
    axes = tuple(axes)
    n = np.prod([x.shape[axis] for axis in axes])
    size = np.abs(x) + np.mean(np.abs(x), axes, keepdims=True)
    deviation = np.sqrt(np.var(x, axes, keepdims=True) + epsilon)
    return (8 + 2 * np.sqrt(n)) * (size * np.abs(gamma) / deviation + np.abs(beta))


def _layer(y: Any, x: Any, gamma: Any = 1.0, beta: Any = 0.0, *, axes: list[int], epsilon: float, **_: Any) -> Any:
    shape = [n if axis in axes else 1 for axis, n in enumerate(x.shape)]
    gamma, beta = (weight if np.ndim(weight) == 0 else weight.reshape(shape) for weight in (gamma, beta))
    return _standardized(x, axes, gamma, beta, epsilon)


def _group(
    y: Any, x: Any, gamma: Any = 1.0, beta: Any = 0.0, *, axis: int, groups: int, epsilon: float, **_: Any
) -> Any:
    split = np.moveaxis(x, axis, 1)
    split = split.reshape(len(x), groups, x.shape[axis] // groups, *split.shape[2:])
    channels = (1, *split.shape[1:3], *[1] * (split.ndim - 3))
    gamma, beta = (weight if np.ndim(weight) == 0 else weight.reshape(channels) for weight in (gamma, beta))
    allowed = _standardized(split, range(2, split.ndim), gamma, beta, epsilon)
    allowed = allowed.reshape(len(x), x.shape[axis], *split.shape[3:])
    return np.moveaxis(allowed, 1, axis)


def _relative(y: Any, x: Any, axes: list[int], **_: Any) -> Any:
    n = np.prod([x.shape[axis] for axis in axes])
    return np.abs(y) * (8 + 2 * np.sqrt(n))


OWN = {
    "layer_normalization": _layer,
    "group_normalization": _group,
    "rms_normalization": _relative,
    "unit_normalization": _relative,
}
