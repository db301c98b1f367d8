"""batch_normalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.errors import FormatError
from nnpack.ops.operator import (
    AXIS,
    NOT_NEGATIVE,
    Call,
    OpenShape,
    operator,
    require_axis,
    require_float,
    require_shape,
    summed,
)

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

_WEIGHTS = {"gamma": False, "beta": False, "moving_mean": True, "moving_variance": True}


def _types(call: Call) -> tuple[str, OpenShape]:
    dtype, x, axis = require_float(call), call.inputs[0], call.attributes["axis"]
    require_axis(call, axis, "/attributes/axis")
    if not isinstance(x.shape[axis], int):
        raise FormatError("axis-range", "/attributes/axis", "an axis whose dimension is a number", x.shape[axis])
    for role in call.weights:
        require_shape(call, role, x.shape[axis])
    return dtype, x.shape


def _check_variance(weights: Mapping[str, Array], attributes: Mapping[str, Any]) -> None:
    variance = weights["moving_variance"]
    least = variance.min() + variance.dtype.type(attributes["epsilon"])
    if not least > 0:  # NaN is not
        raise FormatError("variance-range", "/weights/moving_variance", "moving_variance + epsilon above 0", least)


def _along(axis: int, x: Array, weight: Array) -> Array:
    """(channels,) -> the shape that broadcasts along `axis` of x."""
    return weight.reshape([-1 if k == axis else 1 for k in range(x.ndim)])


def _rounding(
    y: Array,
    x: Array,
    moving_mean: Array,
    moving_variance: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    *,
    axis: int,
    epsilon: float,
) -> Array:
    scale = 1 / np.sqrt(_along(axis, x, moving_variance) + epsilon)
    if gamma is not None:
        scale = scale * np.abs(_along(axis, x, gamma))
    magnitude = (np.abs(x) + np.abs(_along(axis, x, moving_mean))) * scale
    if beta is not None:
        magnitude = magnitude + np.abs(_along(axis, x, beta))
    return summed(magnitude, 3)


@operator(
    _types,
    _rounding,
    weights=_WEIGHTS,
    check_weights=_check_variance,
    attributes={"axis": AXIS, "epsilon": NOT_NEGATIVE},
)
def batch_normalization(
    x: Array,
    moving_mean: Array,
    moving_variance: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    *,
    axis: int,
    epsilon: float,
) -> Array:
    """(x - moving_mean) · gamma / sqrt(moving_variance + epsilon) + beta. Source: spec/ops/batch_normalization.md."""
    scale = 1 / np.sqrt(moving_variance + x.dtype.type(epsilon))
    if gamma is not None:
        scale = scale * gamma
    y = (x - _along(axis, x, moving_mean)) * _along(axis, x, scale)
    if beta is not None:
        y += _along(axis, x, beta)
    return y
