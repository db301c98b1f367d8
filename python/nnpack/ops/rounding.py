"""Scales of rounding that families of operators share: spec/accuracy.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.ops.operator import Attribute, Rounding, operator, same

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

_STEP = 2.0**-20


def _smooth(function: Callable[..., Array], magnitude: Callable[..., Array] | None) -> Rounding:
    """|y| + |x·f'(x)|, and the size of the terms that cancel within the formula."""

    def rounding(y: Array, x: Array, **attributes: Any) -> Array:
        above, below = function(x * (1 + _STEP), **attributes), function(x * (1 - _STEP), **attributes)
        scale = np.abs(y) + np.abs(above - below) / (2 * _STEP)
        return np.asarray(scale if magnitude is None else scale + magnitude(x, **attributes))

    return rounding


def smooth(
    magnitude: Callable[..., Array] | None = None, attributes: Mapping[str, Attribute] | None = None
) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """Registers an elementwise function that rounds as a smooth function does."""

    def register(function: Callable[..., Array]) -> Callable[..., Array]:
        return operator(same, _smooth(function, magnitude), attributes=attributes)(function)

    return register


def normalizer(shifted: Array, exponentials: Array, axes: Sequence[int]) -> tuple[Array, Array]:
    """The relative rounding of Σ exp, in u, and Σ exp itself."""
    total = exponentials.sum(axis=tuple(axes), keepdims=True)
    weighted = np.where(exponentials > 0, exponentials * np.abs(shifted), 0).sum(axis=tuple(axes), keepdims=True)
    terms = np.prod([shifted.shape[axis] for axis in axes])
    return 1 + np.sqrt(terms) / 4 + weighted / total / 4, total
