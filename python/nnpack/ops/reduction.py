"""Along axes: spec/ops/reduction.md, spec/ops/argmax.md, spec/ops/cumulative.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnpack.format.dtypes import FLOATS, NUMBERS
from nnpack.ops.operator import (
    AXES,
    AXIS,
    BOOLEAN,
    Call,
    Infer,
    Made,
    OpenShape,
    exact,
    operator,
    require_axis,
    require_dtype,
    rounded,
    summed,
)
from nnpack.ops.rounding import normalizer

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

REDUCED = {"axes": AXES, "keepdims": BOOLEAN}


def _reduced_shape(call: Call, axes: Sequence[int], at: str) -> OpenShape:
    """The axes with 1 element, or left out."""
    require_axis(call, axes[-1], at)
    shape, keepdims = call.inputs[0].shape, call.attributes["keepdims"]
    return tuple(1 if axis in axes else n for axis, n in enumerate(shape) if keepdims or axis not in axes)


def _reduced(*dtypes: str) -> Infer:
    """The rule of a reduction of one of these dtypes, which stays."""

    def types(call: Call) -> Made:
        return require_dtype(call, 0, *dtypes), _reduced_shape(call, call.attributes["axes"], "/attributes/axes")

    return types


def _multiplied(y: Array, factors: int) -> Array:
    """A product of so many factors; integers are exact."""
    return rounded(y) * (1 + factors / 8)


def _terms(x: Array, axes: Sequence[int]) -> int:
    """How many elements become one."""
    return math.prod(x.shape[axis] for axis in axes)


def _sum_rounding(y: Array, x: Array, axes: list[int], keepdims: bool) -> Array:
    return summed(sum_(np.abs(x), axes, keepdims), _terms(x, axes))


@operator(_reduced(*NUMBERS), _sum_rounding, attributes=REDUCED)
def sum_(x: Array, axes: list[int], keepdims: bool) -> Array:
    return np.asarray(np.sum(x, axis=tuple(axes), keepdims=keepdims, dtype=x.dtype))


def _mean_rounding(y: Array, x: Array, axes: list[int], keepdims: bool) -> Array:
    return summed(mean(np.abs(x), axes, keepdims), _terms(x, axes))


@operator(_reduced(*FLOATS), _mean_rounding, attributes=REDUCED)
def mean(x: Array, axes: list[int], keepdims: bool) -> Array:
    return np.asarray(np.mean(x, axis=tuple(axes), keepdims=keepdims))


def _prod_rounding(y: Array, x: Array, axes: list[int], keepdims: bool) -> Array:
    return _multiplied(y, _terms(x, axes))


@operator(_reduced(*NUMBERS), _prod_rounding, attributes=REDUCED)
def prod(x: Array, axes: list[int], keepdims: bool) -> Array:
    return np.asarray(np.prod(x, axis=tuple(axes), keepdims=keepdims, dtype=x.dtype))


@operator(_reduced(*NUMBERS), exact, attributes=REDUCED)
def max_(x: Array, axes: list[int], keepdims: bool) -> Array:
    return np.asarray(np.max(x, axis=tuple(axes), keepdims=keepdims))


@operator(_reduced(*NUMBERS), exact, attributes=REDUCED)
def min_(x: Array, axes: list[int], keepdims: bool) -> Array:
    return np.asarray(np.min(x, axis=tuple(axes), keepdims=keepdims))


def _variance_rounding(y: Array, x: Array, axes: list[int], keepdims: bool) -> Array:
    terms = _terms(x, axes)
    # an error of the mean changes the mean square by the error's own square
    off = mean(np.abs(x), axes, keepdims) * (4 + 2 * math.sqrt(terms))
    return summed(y, terms) + np.square(off) * 2.0**-27


@operator(_reduced(*FLOATS), _variance_rounding, attributes=REDUCED)
def variance(x: Array, axes: list[int], keepdims: bool) -> Array:
    """The mean of the squared differences from the mean."""
    return mean(np.square(x - mean(x, axes, keepdims=True)), axes, keepdims)


def _finite_max(x: Array, axes: list[int]) -> Array:
    """The maximum along axes, 0 where that is not finite: an infinity would not survive the shift."""
    most = np.max(x, axis=tuple(axes), keepdims=True)
    return np.where(np.isfinite(most), most, x.dtype.type(0))


def _logsumexp_rounding(y: Array, x: Array, axes: list[int], keepdims: bool) -> Array:
    shifted = x - _finite_max(x, axes)
    relative, total = normalizer(shifted, np.exp(shifted), axes)
    return np.abs(y) + (np.log(total) + relative).reshape(y.shape)


@operator(_reduced(*FLOATS), _logsumexp_rounding, attributes=REDUCED)
def logsumexp(x: Array, axes: list[int], keepdims: bool) -> Array:
    """max + log Σ exp(x - max)."""
    most = _finite_max(x, axes)
    y = most + np.log(np.exp(x - most).sum(axis=tuple(axes), keepdims=True))
    return y if keepdims else np.squeeze(y, tuple(axes))


@operator(_reduced("bool"), exact, attributes=REDUCED)
def any_(x: Array, axes: list[int], keepdims: bool) -> Array:
    return np.asarray(np.any(x, axis=tuple(axes), keepdims=keepdims))


@operator(_reduced("bool"), exact, attributes=REDUCED)
def all_(x: Array, axes: list[int], keepdims: bool) -> Array:
    return np.asarray(np.all(x, axis=tuple(axes), keepdims=keepdims))


# Which element


def _argmax_types(call: Call) -> Made:
    require_dtype(call, 0, *NUMBERS)
    return "int32", _reduced_shape(call, [call.attributes["axis"]], "/attributes/axis")


@operator(_argmax_types, exact, attributes={"axis": AXIS, "keepdims": BOOLEAN})
def argmax(x: Array, axis: int, keepdims: bool) -> Array:
    return np.argmax(x, axis, keepdims=keepdims).astype(np.int32)


@operator(_argmax_types, exact, attributes={"axis": AXIS, "keepdims": BOOLEAN})
def argmin(x: Array, axis: int, keepdims: bool) -> Array:
    return np.argmin(x, axis, keepdims=keepdims).astype(np.int32)


# So far


def _cumulative_types(call: Call) -> Made:
    dtype = require_dtype(call, 0, *FLOATS, "int32", "int64")
    require_axis(call, call.attributes["axis"], "/attributes/axis")
    return dtype, call.inputs[0].shape


def _cumsum_rounding(y: Array, x: Array, axis: int) -> Array:
    if y.dtype.kind != "f":
        return exact(y)
    magnitude = np.cumsum(np.abs(x), axis)
    # one after the other, like elements are rounded alike: no random walk
    return np.asarray(magnitude * (4 + 2 * math.sqrt(x.shape[axis])) + np.cumsum(magnitude, axis)) / 8


@operator(_cumulative_types, _cumsum_rounding, attributes={"axis": AXIS})
def cumsum(x: Array, axis: int) -> Array:
    return np.cumsum(x, axis, dtype=x.dtype)


def _cumprod_rounding(y: Array, x: Array, axis: int) -> Array:
    return _multiplied(y, x.shape[axis])


@operator(_cumulative_types, _cumprod_rounding, attributes={"axis": AXIS})
def cumprod(x: Array, axis: int) -> Array:
    return np.cumprod(x, axis, dtype=x.dtype)
