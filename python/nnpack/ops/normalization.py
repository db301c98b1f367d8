"""batch_normalization, layer_normalization, rms_normalization, unit_normalization, group_normalization."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.errors import FormatError
from nnpack.ops.operator import (
    AXES,
    AXIS,
    NOT_NEGATIVE,
    Call,
    OpenShape,
    integer,
    operator,
    require_axis,
    require_float,
    require_shape,
    summed,
)

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

# With the statistics that training found


def _require_channels(call: Call) -> int:
    """The dimension of x at axis, a number."""
    axis = call.attributes["axis"]
    require_axis(call, axis, "/attributes/axis")
    channels = call.inputs[0].shape[axis]
    if not isinstance(channels, int):
        raise FormatError("axis-range", "/attributes/axis", "an axis whose dimension is a number", channels)
    return channels


def _types(call: Call) -> tuple[str, OpenShape]:
    dtype, channels = require_float(call), _require_channels(call)
    for role in call.weights:
        require_shape(call, role, channels)
    return dtype, call.inputs[0].shape


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
    weights={"gamma": False, "beta": False, "moving_mean": True, "moving_variance": True},
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


# With the statistics of the values themselves


def _standardize(x: Array, axes: Sequence[int], gamma: Array | None, beta: Array | None, epsilon: float) -> Array:
    """(x - mean) / sqrt(variance + epsilon) · gamma + beta, the statistics along axes."""
    y = np.asarray(x - x.mean(axis=tuple(axes), keepdims=True))
    y /= np.sqrt(np.square(y).mean(axis=tuple(axes), keepdims=True) + x.dtype.type(epsilon))
    if gamma is not None:
        y *= gamma
    if beta is not None:
        y += beta
    return y


def _standardize_rounding(
    x: Array, axes: Sequence[int], gamma: Array | None, beta: Array | None, epsilon: float
) -> Array:
    """How the mean rounds decides, where numbers are far from 0 and near each other."""
    size = np.abs(x)
    magnitude = (size + size.mean(axis=tuple(axes), keepdims=True)) / np.sqrt(
        x.var(axis=tuple(axes), keepdims=True) + epsilon
    )
    if gamma is not None:
        magnitude = magnitude * np.abs(gamma)
    if beta is not None:
        magnitude = magnitude + np.abs(beta)
    return summed(magnitude, _elements(x, axes))


def _elements(x: Array, axes: Sequence[int]) -> int:
    """How many elements a group has."""
    return prod(x.shape[axis] for axis in axes)


def _axes_types(call: Call) -> tuple[str, OpenShape]:
    dtype, x, axes = require_float(call), call.inputs[0], call.attributes["axes"]
    require_axis(call, axes[-1], "/attributes/axes")
    for role in call.weights:
        require_shape(call, role, *(x.shape[axis] for axis in axes))
    return dtype, x.shape


def _over(axes: Sequence[int], x: Array, weight: Array | None) -> Array | None:
    """A weight of the dimensions at axes -> the shape that broadcasts with x."""
    return None if weight is None else weight.reshape([n if k in axes else 1 for k, n in enumerate(x.shape)])


_AXES_ATTRIBUTES = {"axes": AXES, "epsilon": NOT_NEGATIVE}


def _layer_rounding(
    y: Array, x: Array, gamma: Array | None = None, beta: Array | None = None, *, axes: list[int], epsilon: float
) -> Array:
    return _standardize_rounding(x, axes, _over(axes, x, gamma), _over(axes, x, beta), epsilon)


@operator(_axes_types, _layer_rounding, weights={"gamma": False, "beta": False}, attributes=_AXES_ATTRIBUTES)
def layer_normalization(
    x: Array, gamma: Array | None = None, beta: Array | None = None, *, axes: list[int], epsilon: float
) -> Array:
    """Mean 0 and variance 1 along axes, then scaled and shifted. Source: spec/ops/layer_normalization.md."""
    return _standardize(x, axes, _over(axes, x, gamma), _over(axes, x, beta), epsilon)


def _group_types(call: Call) -> tuple[str, OpenShape]:
    dtype, channels, groups = require_float(call), _require_channels(call), call.attributes["groups"]
    if channels % groups:
        raise FormatError("groups-divide", "/attributes/groups", f"a divisor of {channels} channels", groups)
    for role in call.weights:
        require_shape(call, role, channels)
    return dtype, call.inputs[0].shape


def _grouped(
    function: Callable[..., Array],
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    axis: int,
    groups: int,
    epsilon: float,
) -> Array:
    """The function on x whose channels are an axis of groups and one of the channels of each."""
    split = x.reshape(*x.shape[:axis], groups, x.shape[axis] // groups, *x.shape[axis + 1 :])
    axes = [k for k in range(1, split.ndim) if k != axis]
    weights = (_over((axis, axis + 1), split, weight) for weight in (gamma, beta))
    return np.asarray(function(split, axes, *weights, epsilon).reshape(x.shape))


def _group_rounding(
    y: Array,
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    *,
    axis: int,
    groups: int,
    epsilon: float,
) -> Array:
    return _grouped(_standardize_rounding, x, gamma, beta, axis, groups, epsilon)


@operator(
    _group_types,
    _group_rounding,
    weights={"gamma": False, "beta": False},
    attributes={"axis": AXIS, "groups": integer(1), "epsilon": NOT_NEGATIVE},
)
def group_normalization(
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    *,
    axis: int,
    groups: int,
    epsilon: float,
) -> Array:
    """Mean 0 and variance 1 of each row's groups of channels. Source: spec/ops/group_normalization.md."""
    return _grouped(_standardize, x, gamma, beta, axis, groups, epsilon)


# With the size of the values


def _rms_rounding(y: Array, x: Array, scale: Array | None = None, *, axes: list[int], epsilon: float) -> Array:
    return summed(np.abs(y), _elements(x, axes))


@operator(_axes_types, _rms_rounding, weights={"scale": False}, attributes=_AXES_ATTRIBUTES)
def rms_normalization(x: Array, scale: Array | None = None, *, axes: list[int], epsilon: float) -> Array:
    """x / sqrt(mean of squares + epsilon) · scale along axes. Source: spec/ops/rms_normalization.md."""
    y = x / np.sqrt(np.square(x).mean(axis=tuple(axes), keepdims=True) + x.dtype.type(epsilon))
    if scale is not None:
        y *= _over(axes, x, scale)
    return np.asarray(y)


def _unit_rounding(y: Array, x: Array, *, axes: list[int], epsilon: float) -> Array:
    return summed(np.abs(y), _elements(x, axes))


@operator(_axes_types, _unit_rounding, attributes=_AXES_ATTRIBUTES)
def unit_normalization(x: Array, axes: list[int], epsilon: float) -> Array:
    """x / max(norm, epsilon) along axes. Source: spec/ops/unit_normalization.md."""
    norm = np.sqrt(np.square(x).sum(axis=tuple(axes), keepdims=True))
    return np.asarray(x / np.maximum(norm, x.dtype.type(epsilon)))
