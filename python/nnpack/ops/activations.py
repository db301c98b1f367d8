"""The activations: spec/ops/activations.md, spec/ops/softmax.md, spec/ops/glu.md, spec/ops/sparsemax.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.errors import FormatError
from nnpack.format.document import show
from nnpack.ops.operator import (
    AXES,
    AXIS,
    BOOLEAN,
    NONZERO,
    NOT_NEGATIVE,
    NUMBER,
    Call,
    OpenShape,
    exact,
    operator,
    require_axis,
    require_float,
    rounded,
    same,
    summed,
)
from nnpack.ops.rounding import normalizer, smooth
from nnpack.ops.special import erfc

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

# Elementwise


def _size(x: Array, **attributes: Any) -> Array:
    """|x|: the formula subtracts numbers of that size."""
    return np.abs(x)


def _underflow(x: Array, **attributes: Any) -> Array:
    """|x| times the smallest normal float32, in units of u: the factor of x may be flushed to 0 below that."""
    return np.abs(x) * 2.0**-102


def _exponential_size(x: Array, alpha: float = SELU_ALPHA) -> Array:
    """|alpha| where x < 0: exp(x) - 1 may be computed as it stands."""
    return np.where(x < 0, abs(alpha), 0.0)


@operator(same, exact)
def relu(x: Array) -> Array:
    return np.maximum(x, 0)


@operator(same, exact)
def relu6(x: Array) -> Array:
    return np.minimum(np.maximum(x, 0), 6)


@operator(same, rounded, attributes={"negative_slope": NUMBER})
def leaky_relu(x: Array, negative_slope: float) -> Array:
    return np.where(x > 0, x, negative_slope * x)


@operator(same, rounded, attributes={"negative_slope": NUMBER, "threshold": NUMBER})
def thresholded_relu(x: Array, negative_slope: float, threshold: float) -> Array:
    return np.where(x > threshold, x, negative_slope * np.minimum(x - threshold, 0))


@operator(same, rounded, attributes={"max_value": NOT_NEGATIVE, "negative_slope": NUMBER, "threshold": NUMBER})
def clipped_relu(x: Array, max_value: float, negative_slope: float, threshold: float) -> Array:
    below = negative_slope * np.minimum(x - threshold, 0)
    return np.where(x > threshold, np.clip(x, 0, max_value), below)


@smooth(_exponential_size, {"alpha": NUMBER})
def elu(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@smooth(attributes={"alpha": NONZERO})
def celu(x: Array, alpha: float) -> Array:
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha)


@smooth(_exponential_size)
def selu(x: Array) -> Array:
    return np.where(x > 0, SELU_SCALE * x, SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(x, 0)))


@smooth(_size, {"approximate": BOOLEAN})
def gelu(x: Array, approximate: bool) -> Array:
    if approximate:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi).astype(x.dtype) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * erfc(x * -np.sqrt(0.5).astype(x.dtype))


@smooth()
def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


@smooth(_underflow)
def silu(x: Array) -> Array:
    return x / (1 + np.exp(-x))


@smooth(_underflow)
def mish(x: Array) -> Array:
    return x * np.tanh(softplus(x))


@smooth()
def softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@smooth()
def log_sigmoid(x: Array) -> Array:
    return -softplus(-x)


@smooth()
def softsign(x: Array) -> Array:
    return x / (1 + np.abs(x))


@smooth()
def tanh(x: Array) -> Array:
    return np.tanh(x)


@smooth(_size)
def tanh_shrink(x: Array) -> Array:
    return x - np.tanh(x)


@smooth()
def exponential(x: Array) -> Array:
    return np.exp(x)


@smooth()
def hard_sigmoid(x: Array) -> Array:
    return np.clip(x + 3, 0, 6) / 6


@smooth()
def hard_silu(x: Array) -> Array:
    return x * hard_sigmoid(x)


@operator(same, exact)
def hard_tanh(x: Array) -> Array:
    return np.clip(x, -1, 1)


@operator(same, exact, attributes={"threshold": NUMBER})
def hard_shrink(x: Array, threshold: float) -> Array:
    return np.where(np.abs(x) > threshold, x, x.dtype.type(0))


@operator(same, rounded, attributes={"threshold": NUMBER})
def soft_shrink(x: Array, threshold: float) -> Array:
    return np.where(x > threshold, x - threshold, np.where(x < -threshold, x + threshold, x.dtype.type(0)))


@operator(same, exact, attributes={"threshold": NUMBER, "default_value": NUMBER})
def threshold_(x: Array, threshold: float, default_value: float) -> Array:
    return np.where(x > threshold, x, x.dtype.type(default_value))


@smooth()
def sparse_sigmoid(x: Array) -> Array:
    return np.clip(0.5 * (x + 1), 0, 1)


@smooth()
def sparse_plus(x: Array) -> Array:
    return np.where(x < 1, np.square(np.maximum(x + 1, 0)) / 4, x)


@smooth(_size, {"b": NOT_NEGATIVE})
def squareplus(x: Array, b: float) -> Array:
    root = np.hypot(x, np.sqrt(b).astype(x.dtype))
    # for x < 0 the sum of the formula cancels; its product with the conjugate does not
    return np.where(x >= 0, (x + root) / 2, b / 2 / (root - np.minimum(x, 0)))


# Along axes


def _axes_types(call: Call) -> tuple[str, OpenShape]:
    require_axis(call, call.attributes["axes"][-1], "/attributes/axes")
    return same(call)


def _shifted(x: Array, axes: list[int]) -> tuple[Array, Array]:
    """x - max(x) along axes, and exp of it: the largest exponential is 1, so that none overflows."""
    shifted = x - np.max(x, axis=tuple(axes), keepdims=True)
    return shifted, np.exp(shifted)


def _softmax_rounding(y: Array, x: Array, axes: list[int]) -> Array:
    shifted, exponentials = _shifted(x, axes)
    relative, total = normalizer(shifted, exponentials, axes)
    relative = relative + np.abs(shifted) / 4
    if len(axes) > 1:  # Keras computes exp(x - log Σ exp(x)) there, and that logarithm is rounded
        relative = relative + np.abs(np.max(x, axis=tuple(axes), keepdims=True) + np.log(total))
    return np.where(y > 0, y * relative, 0)


@operator(_axes_types, _softmax_rounding, attributes={"axes": AXES})
def softmax(x: Array, axes: list[int]) -> Array:
    """exp(x - max) / Σ exp(x - max) over axes."""
    _, y = _shifted(x, axes)
    y /= y.sum(axis=tuple(axes), keepdims=True)
    return y


def _log_softmax_rounding(y: Array, x: Array, axes: list[int]) -> Array:
    shifted, exponentials = _shifted(x, axes)
    relative, total = normalizer(shifted, exponentials, axes)
    return np.asarray(np.abs(y) + np.abs(shifted) + np.log(total) + relative)


@operator(_axes_types, _log_softmax_rounding, attributes={"axes": AXES})
def log_softmax(x: Array, axes: list[int]) -> Array:
    """x - max - log Σ exp(x - max) over axes."""
    shifted, exponentials = _shifted(x, axes)
    return np.asarray(shifted - np.log(exponentials.sum(axis=tuple(axes), keepdims=True)))


def _sparsemax_types(call: Call) -> tuple[str, OpenShape]:
    require_axis(call, call.attributes["axis"], "/attributes/axis")
    return same(call)


def _support(x: Array, axis: int) -> tuple[Array, Array, Array]:
    """x from its largest to its smallest along axis, the running sums, and which of the ranks are kept."""
    descending = -np.sort(-x, axis=axis)
    sums = np.cumsum(descending, axis=axis)
    ranks = np.arange(1, x.shape[axis] + 1, dtype=x.dtype).reshape([-1 if k == axis else 1 for k in range(x.ndim)])
    return descending, sums, descending - (sums - 1) / ranks > 0


def _tau(summands: Array, kept: Array, one: float, axis: int) -> Array:
    """(Σ of the summands that are kept - one) / how many are."""
    count = kept.sum(axis=axis, keepdims=True).astype(summands.dtype)
    return np.asarray((np.where(kept, summands, 0).sum(axis=axis, keepdims=True) - one) / count)


def _sparsemax_rounding(y: Array, x: Array, axis: int) -> Array:
    descending, _, kept = _support(x, axis)
    return summed(np.abs(x) + _tau(np.abs(descending), kept, -1, axis), x.shape[axis])


@operator(_sparsemax_types, _sparsemax_rounding, attributes={"axis": AXIS})
def sparsemax(x: Array, axis: int) -> Array:
    """max(x - τ, 0), whose sum along axis is 1: the point of the probability simplex nearest to x."""
    descending, _, kept = _support(x, axis)
    return np.asarray(np.maximum(x - _tau(descending, kept, 1, axis), 0))


def _cumulative_sparsemax_rounding(y: Array, x: Array, axis: int) -> Array:
    descending, _, kept = _support(x, axis)
    return summed(np.abs(x) + _tau(np.cumsum(np.abs(descending), axis=axis), kept, -1, axis), x.shape[axis])


@operator(_sparsemax_types, _cumulative_sparsemax_rounding, attributes={"axis": AXIS})
def cumulative_sparsemax(x: Array, axis: int) -> Array:
    """What Keras up to 3.15 computes as sparsemax: its τ adds up the running sums instead of the numbers."""
    _, sums, kept = _support(x, axis)
    return np.asarray(np.maximum(x - _tau(sums, kept, 1, axis), 0))


def _glu_types(call: Call) -> tuple[str, OpenShape]:
    dtype, x, axis = require_float(call), call.inputs[0], call.attributes["axis"]
    require_axis(call, axis, "/attributes/axis")
    n = x.shape[axis]
    if not isinstance(n, int) or n % 2:
        raise FormatError("axis-odd", "/inputs/0", f"an even number of elements along axis {axis}", show(x.shape))
    return dtype, (*x.shape[:axis], n // 2, *x.shape[axis + 1 :])


def _glu_rounding(y: Array, x: Array, axis: int) -> Array:
    a, gate = np.split(x, 2, axis)
    return np.asarray(np.abs(y) * (1 + np.abs(gate)) + _underflow(a))


@operator(_glu_types, _glu_rounding, attributes={"axis": AXIS})
def glu(x: Array, axis: int) -> Array:
    """a · sigmoid(b), where a and b are the halves of x along axis."""
    a, b = np.split(x, 2, axis)
    return np.asarray(a * sigmoid(b))
