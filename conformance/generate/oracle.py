"""Every operator as Keras computes it, at the dtype of what it is given, and its class of tolerance.

Where Keras loses digits in float64 the same function is written with keras.ops. TensorFlow's elu and selu are
exp(x) - 1, which is 0 for every small x. Its gelu holds its constants as float32, its leaky_relu the slope, and Keras's
relu the threshold. squareplus cancels for x < 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import pi, sqrt
from typing import Any

import keras
import numpy as np
from keras import activations, layers, ops

from generate import tolerances
from generate.tolerances import EXACT, ROUNDED, Tolerance, below_zero, size, smooth, underflow


@dataclass(frozen=True)
class Oracle:
    """An operator's oracle.

    Attributes:
        exact: float64 arrays, weights and attributes -> what is right.
        keras: the same as Keras users run it, for the headroom that float32 leaves.
        tolerance: the class of its tolerance.
    """

    exact: Callable[..., Any]
    keras: Callable[..., Any]
    tolerance: Tolerance


def _numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with arrays going in and coming out."""

    def call(*inputs: Any, **rest: Any) -> Any:
        return np.asarray(function(*map(ops.convert_to_tensor, inputs), **rest))

    return call


# Functions of each element


def _elementwise(
    function: Callable[..., Any],
    tolerance: Tolerance | None = None,
    *,
    exact: Callable[..., Any] | None = None,
    cancelling: Callable[..., Any] | None = None,
) -> Oracle:
    """An activation; without a class it is a smooth one."""
    right = _numpy(exact or function)
    return Oracle(right, _numpy(function), tolerance or smooth(right, cancelling))


def _relu(x: Any, negative_slope: float, threshold: float = 0.0, max_value: float | None = None) -> Any:
    kept = x if max_value is None else ops.minimum(ops.maximum(x, 0), max_value)
    return ops.where(x > threshold, kept, negative_slope * (x - threshold))


def _elu(x: Any, alpha: float) -> Any:
    return ops.where(x > 0, x, alpha * ops.expm1(ops.minimum(x, 0)))


def _selu(x: Any) -> Any:
    return 1.0507009873554805 * _elu(x, 1.6732632423543772)


def _gelu(x: Any, approximate: bool) -> Any:
    if approximate:
        return 0.5 * x * (1 + ops.tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x)))
    # TensorFlow's vectorized erf of an infinity is NaN; beyond 10 it is 1
    return 0.5 * x * (1 + ops.erf(ops.clip(x / sqrt(2), -10, 10)))


def _squareplus(x: Any, b: float) -> Any:
    root = ops.sqrt(x * x + b)
    return ops.where(x >= 0, (x + root) / 2, b / 2 / (root - ops.minimum(x, 0)))


ORACLES = {
    "relu": _elementwise(activations.relu, EXACT),
    "relu6": _elementwise(activations.relu6, EXACT),
    "leaky_relu": _elementwise(activations.leaky_relu, ROUNDED, exact=_relu),
    "thresholded_relu": _elementwise(activations.relu, ROUNDED, exact=_relu),
    "clipped_relu": _elementwise(activations.relu, ROUNDED, exact=_relu),
    "elu": _elementwise(activations.elu, exact=_elu, cancelling=below_zero),
    "celu": _elementwise(activations.celu),
    "selu": _elementwise(activations.selu, exact=_selu, cancelling=below_zero),
    "gelu": _elementwise(activations.gelu, exact=_gelu, cancelling=size),
    "sigmoid": _elementwise(activations.sigmoid),
    "silu": _elementwise(activations.silu, cancelling=underflow),
    "mish": _elementwise(activations.mish, cancelling=underflow),
    "softplus": _elementwise(activations.softplus),
    "log_sigmoid": _elementwise(activations.log_sigmoid),
    "softsign": _elementwise(activations.softsign),
    "tanh": _elementwise(activations.tanh),
    "tanh_shrink": _elementwise(activations.tanh_shrink, cancelling=size),
    "exponential": _elementwise(activations.exponential),
    "hard_sigmoid": _elementwise(activations.hard_sigmoid),
    "hard_silu": _elementwise(activations.hard_silu),
    "hard_tanh": _elementwise(activations.hard_tanh, EXACT),
    "hard_shrink": _elementwise(activations.hard_shrink, EXACT),
    "soft_shrink": _elementwise(activations.soft_shrink, ROUNDED),
    "threshold": _elementwise(activations.threshold, EXACT),
    "sparse_sigmoid": _elementwise(activations.sparse_sigmoid),
    "sparse_plus": _elementwise(activations.sparse_plus),
    "squareplus": _elementwise(activations.squareplus, exact=_squareplus, cancelling=size),
}


# Functions of several elements, arithmetic, shapes


def _plain(function: Callable[..., Any], tolerance: Tolerance) -> Oracle:
    call = _numpy(function)
    return Oracle(call, call, tolerance)


def _softmax(x: Any, axes: list[int]) -> Any:
    return layers.Softmax(axis=axes if len(axes) > 1 else axes[0], dtype=x.dtype)(x)


def _log_softmax(x: Any, axes: list[int]) -> Any:
    return ops.log_softmax(x, axis=tuple(axes) if len(axes) > 1 else axes[0])


def _sparsemax(x: Any, axis: int, cumulative: bool = False) -> Any:
    """Both sparsemaxes, written out: which of them keras.activations.sparsemax is depends on Keras's version."""
    descending = -ops.sort(-x, axis=axis)
    sums = ops.cumsum(descending, axis=axis)
    ranks = ops.reshape(
        ops.arange(1, x.shape[axis] + 1, dtype=x.dtype), [-1 if k == axis else 1 for k in range(x.ndim)]
    )
    kept = descending - (sums - 1) / ranks > 0
    total = ops.sum(ops.where(kept, sums if cumulative else descending, 0), axis=axis, keepdims=True)
    return ops.maximum(x - (total - 1) / ops.sum(ops.cast(kept, x.dtype), axis=axis, keepdims=True), 0)


def _layer(layer: Any, x: Any, weights: list[Any]) -> Any:
    """A Keras layer of these weights applied to x."""
    layer.build(x.shape)
    layer.set_weights([weight for weight in weights if weight is not None])
    return layer(x)


def _dense(x: Any, kernel: Any, bias: Any = None) -> Any:
    layer = layers.Dense(kernel.shape[1], use_bias=bias is not None, dtype=x.dtype)
    return _layer(layer, x, [kernel, bias])


def _batch_normalization(
    x: Any, moving_mean: Any, moving_variance: Any, gamma: Any = None, beta: Any = None, *, axis: int, epsilon: float
) -> Any:
    layer = layers.BatchNormalization(
        axis=axis, epsilon=epsilon, scale=gamma is not None, center=beta is not None, dtype=x.dtype
    )
    return _layer(layer, x, [gamma, beta, moving_mean, moving_variance])


def _cast(x: Any, dtype: str) -> Any:
    """A cast to float32 keeps float64's digits where the oracle is exact: rounding is what the tolerance is for."""
    return ops.cast(x, dtype)


def _cast_exactly(x: Any, dtype: str) -> Any:
    return ops.cast(x, "float64" if dtype == "float32" else dtype)


ORACLES |= {
    "softmax": _plain(_softmax, tolerances.SOFTMAX),
    "log_softmax": _plain(_log_softmax, tolerances.LOG_SOFTMAX),
    "sparsemax": _plain(_sparsemax, tolerances.SPARSEMAX),
    "cumulative_sparsemax": _plain(partial(_sparsemax, cumulative=True), tolerances.CUMULATIVE_SPARSEMAX),
    "glu": _plain(activations.glu, tolerances.GLU),
    "dense": _plain(_dense, tolerances.DENSE),
    "batch_normalization": _plain(_batch_normalization, tolerances.BATCH_NORMALIZATION),
    "constant": _plain(lambda value: ops.convert_to_tensor(value), EXACT),
    "identity": _plain(lambda x: layers.Identity(dtype=x.dtype)(x), EXACT),
    "cast": Oracle(_numpy(_cast_exactly), _numpy(_cast), tolerances.CAST),
    "add": _plain(lambda x1, x2: x1 + x2, ROUNDED),  # ops.add takes an empty batch for a bias, and fails
    "subtract": _plain(ops.subtract, ROUNDED),
    "multiply": _plain(ops.multiply, ROUNDED),
    "divide": _plain(ops.divide, ROUNDED),
    "maximum": _plain(ops.maximum, EXACT),
    "minimum": _plain(ops.minimum, EXACT),
    "reshape": _plain(lambda x, target_shape: layers.Reshape(target_shape, dtype=x.dtype)(x), EXACT),
    "concatenate": _plain(lambda *xs, axis: ops.concatenate(xs, axis), EXACT),
}


def versions() -> dict[str, str]:
    import tensorflow as tf

    return {
        "oracle": "keras, float64",
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
    }
