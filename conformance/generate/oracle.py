"""Every operator as Keras computes it, at the dtype of what it is given: the oracle that expected values are held to.

Where Keras loses digits in float64 the same function is written with keras.ops. TensorFlow's elu and selu are
exp(x) - 1, which is 0 for every small x. Its gelu holds its constants as float32, its leaky_relu the slope, and Keras's
relu the threshold. squareplus cancels for x < 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import pi, sqrt
from typing import Any

import keras
import numpy as np
from keras import activations, layers, ops

from generate.oracles import elementwise, moving, normalization, recurrent, spatial
from generate.oracles.declare import plain, run


def exact(op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """An operator's value as Keras has it in float64."""
    return ORACLES[op].exact(*operands, **weights, **attributes)


def float32(op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """An operator's value as Keras users see it."""
    narrow = {role: w.astype(np.float32) if w.dtype == np.float64 else w for role, w in weights.items()}
    return ORACLES[op].keras(*operands, **narrow, **attributes)


# Functions of each element


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
    return 0.5 * x * (1 + elementwise.erf(x / sqrt(2)))


def _squareplus(x: Any, b: float) -> Any:
    root = ops.sqrt(x * x + b)
    return ops.where(x >= 0, (x + root) / 2, b / 2 / (root - ops.minimum(x, 0)))


ORACLES = {
    "relu": plain(activations.relu),
    "relu6": plain(activations.relu6),
    "leaky_relu": plain(activations.leaky_relu, _relu),
    "thresholded_relu": plain(_relu),  # Keras's own, up to 3.12, makes NaN of infinities
    "clipped_relu": plain(_relu),
    "elu": plain(activations.elu, _elu),
    "celu": plain(activations.celu),
    "selu": plain(activations.selu, _selu),
    "gelu": plain(activations.gelu, _gelu),
    "sigmoid": plain(activations.sigmoid),
    "silu": plain(activations.silu),
    "mish": plain(activations.mish),
    "softplus": plain(activations.softplus),
    "log_sigmoid": plain(activations.log_sigmoid),
    "softsign": plain(activations.softsign),
    "tanh": plain(activations.tanh),
    "tanh_shrink": plain(activations.tanh_shrink),
    "exponential": plain(activations.exponential),
    "hard_sigmoid": plain(activations.hard_sigmoid),
    "hard_silu": plain(activations.hard_silu),
    "hard_tanh": plain(activations.hard_tanh),
    "hard_shrink": plain(activations.hard_shrink),
    "soft_shrink": plain(activations.soft_shrink),
    "threshold": plain(activations.threshold),
    "sparse_sigmoid": plain(activations.sparse_sigmoid),
    "sparse_plus": plain(activations.sparse_plus),
    "squareplus": plain(activations.squareplus, _squareplus),
}


# Functions of several elements, arithmetic, shapes


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


def _dense(x: Any, kernel: Any, bias: Any = None) -> Any:
    layer = layers.Dense(kernel.shape[1], use_bias=bias is not None, dtype=x.dtype)
    return run(layer, x, [kernel, bias])


def _batch_normalization(
    x: Any, moving_mean: Any, moving_variance: Any, gamma: Any = None, beta: Any = None, *, axis: int, epsilon: float
) -> Any:
    layer = layers.BatchNormalization(
        axis=axis, epsilon=epsilon, scale=gamma is not None, center=beta is not None, dtype=x.dtype
    )
    return run(layer, x, [gamma, beta, moving_mean, moving_variance])


def _cast_exactly(x: Any, dtype: str) -> Any:
    """A cast to float32 keeps float64's digits: rounding is what the tolerance is for."""
    return ops.cast(x, "float64" if dtype == "float32" else dtype)


ORACLES |= {
    "softmax": plain(_softmax),
    "log_softmax": plain(_log_softmax),
    "sparsemax": plain(_sparsemax),
    "cumulative_sparsemax": plain(partial(_sparsemax, cumulative=True)),
    "glu": plain(activations.glu),
    "dense": plain(_dense),
    "batch_normalization": plain(_batch_normalization),
    "constant": plain(lambda value: ops.convert_to_tensor(value)),
    "identity": plain(lambda x: layers.Identity(dtype=x.dtype)(x)),
    "cast": plain(ops.cast, _cast_exactly),
    "add": plain(lambda x1, x2: x1 + x2),  # ops.add takes an empty batch for a bias, and fails
    "subtract": plain(ops.subtract),
    "multiply": plain(ops.multiply),
    "divide": plain(ops.divide),
    "maximum": plain(ops.maximum),
    "minimum": plain(ops.minimum),
    "reshape": plain(lambda x, target_shape: layers.Reshape(target_shape, dtype=x.dtype)(x)),
    "concatenate": plain(lambda *xs, axis: ops.concatenate(xs, axis)),
}

for _family in (elementwise, normalization, spatial, moving):
    ORACLES |= _family.ORACLES
ORACLES |= recurrent.oracles(ORACLES)


def versions() -> dict[str, str]:
    import tensorflow as tf

    return {
        "oracle": "keras, float64",
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
    }
