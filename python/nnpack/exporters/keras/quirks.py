"""Where Keras computes something else than it says, or than numpy: what a file has to predict is what Keras does."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np

from nnpack.format.document import Shape


@cache
def _takes_for_bias() -> bool:
    """Whether keras.ops.add adds what looks like a bias along the last axis, wherever it lies (Keras 3.5 to 3.15)."""
    x, bias = np.zeros((1, 2, 2), np.float32), np.array([[1.0], [2.0]], np.float32)
    return float(keras.ops.convert_to_numpy(keras.ops.add(x, bias))[0, 0, 1]) == 2


@cache
def sparsemax() -> str:
    """The operator that the installed Keras's sparsemax is: up to 3.15 it adds up running sums (0.1 here, not 0.6)."""
    first = keras.activations.sparsemax(np.array([[1.0, 0.8]], np.float32))[0, 0]
    return "sparsemax" if float(first) > 0.5 else "cumulative_sparsemax"


def added_as(addend: tuple[int, ...], x: Shape) -> tuple[int, ...]:
    """The shape with which a constant of shape `addend` is to be added to x, so that it is added as Keras adds it.

    That is its own, unless all of it lies along one axis, of as many elements as the last axis of x, or the first
    behind the batch: then Keras calls `tf.nn.bias_add` along that axis.
    """
    long = [n for n in addend if n > 1]
    if len(long) != 1 or len(x) < 2 or long[0] not in (x[1], x[-1]) or not _takes_for_bias():
        return addend
    return (long[0],) if x[-1] == long[0] else (long[0],) + (1,) * (len(x) - 2)
