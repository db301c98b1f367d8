"""Every operator as Keras computes it, at the dtype of what it is given: the oracle that expected values are held to.

Where Keras loses digits in float64 the same function is written with keras.ops. TensorFlow's elu and selu are
exp(x) - 1, which is 0 for every small x. Its gelu holds its constants as float32, its leaky_relu the slope, and Keras's
relu the threshold. squareplus cancels for x < 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import pi, sqrt
from typing import Any

import keras
import numpy as np
from keras import activations, layers, ops


@dataclass(frozen=True)
class Oracle:
    """An operator's oracle.

    Attributes:
        exact: float64 arrays, weights and attributes -> what is right.
        keras: the same as Keras users run it, for the headroom that float32 leaves.
    """

    exact: Callable[..., Any]
    keras: Callable[..., Any]


def exact(op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """An operator's value as Keras has it in float64."""
    return ORACLES[op].exact(*operands, **weights, **attributes)


def float32(op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """An operator's value as Keras users see it."""
    narrow = {role: w.astype(np.float32) if w.dtype == np.float64 else w for role, w in weights.items()}
    return ORACLES[op].keras(*operands, **narrow, **attributes)


def _numpy(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with arrays going in and coming out."""

    def call(*inputs: Any, **rest: Any) -> Any:
        return np.asarray(function(*map(ops.convert_to_tensor, inputs), **rest))

    return call


# Functions of each element


def _elementwise(function: Callable[..., Any], exact: Callable[..., Any] | None = None) -> Oracle:
    return Oracle(_numpy(exact or function), _numpy(function))


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
    "relu": _elementwise(activations.relu),
    "relu6": _elementwise(activations.relu6),
    "leaky_relu": _elementwise(activations.leaky_relu, _relu),
    "thresholded_relu": _elementwise(_relu),  # Keras's own, up to 3.12, makes NaN of infinities
    "clipped_relu": _elementwise(_relu),
    "elu": _elementwise(activations.elu, _elu),
    "celu": _elementwise(activations.celu),
    "selu": _elementwise(activations.selu, _selu),
    "gelu": _elementwise(activations.gelu, _gelu),
    "sigmoid": _elementwise(activations.sigmoid),
    "silu": _elementwise(activations.silu),
    "mish": _elementwise(activations.mish),
    "softplus": _elementwise(activations.softplus),
    "log_sigmoid": _elementwise(activations.log_sigmoid),
    "softsign": _elementwise(activations.softsign),
    "tanh": _elementwise(activations.tanh),
    "tanh_shrink": _elementwise(activations.tanh_shrink),
    "exponential": _elementwise(activations.exponential),
    "hard_sigmoid": _elementwise(activations.hard_sigmoid),
    "hard_silu": _elementwise(activations.hard_silu),
    "hard_tanh": _elementwise(activations.hard_tanh),
    "hard_shrink": _elementwise(activations.hard_shrink),
    "soft_shrink": _elementwise(activations.soft_shrink),
    "threshold": _elementwise(activations.threshold),
    "sparse_sigmoid": _elementwise(activations.sparse_sigmoid),
    "sparse_plus": _elementwise(activations.sparse_plus),
    "squareplus": _elementwise(activations.squareplus, _squareplus),
}


# Functions of several elements, arithmetic, shapes


def _plain(function: Callable[..., Any]) -> Oracle:
    call = _numpy(function)
    return Oracle(call, call)


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
    "softmax": _plain(_softmax),
    "log_softmax": _plain(_log_softmax),
    "sparsemax": _plain(_sparsemax),
    "cumulative_sparsemax": _plain(partial(_sparsemax, cumulative=True)),
    "glu": _plain(activations.glu),
    "dense": _plain(_dense),
    "batch_normalization": _plain(_batch_normalization),
    "constant": _plain(lambda value: ops.convert_to_tensor(value)),
    "identity": _plain(lambda x: layers.Identity(dtype=x.dtype)(x)),
    "cast": Oracle(_numpy(_cast_exactly), _numpy(_cast)),
    "add": _plain(lambda x1, x2: x1 + x2),  # ops.add takes an empty batch for a bias, and fails
    "subtract": _plain(ops.subtract),
    "multiply": _plain(ops.multiply),
    "divide": _plain(ops.divide),
    "maximum": _plain(ops.maximum),
    "minimum": _plain(ops.minimum),
    "reshape": _plain(lambda x, target_shape: layers.Reshape(target_shape, dtype=x.dtype)(x)),
    "concatenate": _plain(lambda *xs, axis: ops.concatenate(xs, axis)),
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
