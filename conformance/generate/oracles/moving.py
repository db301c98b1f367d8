"""Elements in other places, by rules or by indices; products; places among boundaries and in vocabularies.

Indices are widened first: Keras adds the number of elements to a negative one in its own dtype. Of pads, TensorFlow
lacks the mode `edge`, int8 and uint8, and reflections of no rows. Keras's buckets have boundaries of float32.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from generate.oracles.declare import Oracle, plain


def _slice(x: Any, axis: int, start: int, stop: int, step: int) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


def _in_int32(function: Callable[..., Any]) -> Callable[..., Any]:
    """Small integers by way of large ones."""

    def call(x: Any, **rest: Any) -> Any:
        dtype = keras.backend.standardize_dtype(x.dtype)
        if not dtype.endswith("int8"):
            return function(x, **rest)
        return ops.cast(function(ops.cast(x, "int32"), **rest), dtype)

    return call


def _pad(x: Any, pad_width: list[int], mode: str, constant_value: float) -> Any:
    sides = list(zip(pad_width[::2], pad_width[1::2], strict=True))
    if mode == "edge":
        for axis, (before, after) in enumerate(sides[1:], 1):
            places = np.clip(np.arange(-before, x.shape[axis] + after), 0, x.shape[axis] - 1)
            x = ops.take(x, places, axis)
        return x
    if mode == "constant" or not len(x):
        return ops.pad(x, sides, constant_values=ops.cast(constant_value, x.dtype))
    return ops.pad(x, sides, mode)


def _take(x: Any, indices: Any, axis: int) -> Any:
    return ops.take(x, ops.cast(indices, "int64"), axis)


def _embedding(x: Any, embeddings: Any) -> Any:
    layer = layers.Embedding(*embeddings.shape, dtype=embeddings.dtype)
    layer.build(x.shape)
    layer.set_weights([embeddings])
    return layer(x)


def _fold(x: Any, axis: int) -> Any:
    return ops.reshape(x, (prod(x.shape[: axis + 1]), *x.shape[axis + 1 :]))


def _bucketize(x: Any, boundaries: Any) -> Any:
    if boundaries.dtype == np.float32:
        return ops.digitize(x, boundaries)
    return _counted(x, boundaries)


def _counted(x: Any, boundaries: Any) -> Any:
    return ops.sum(ops.cast(ops.expand_dims(x, -1) >= boundaries, "int32"), -1)


def _integer_lookup(x: Any, vocabulary: Any) -> Any:
    """Keras counts from the entry for whatever it does not know, which is a number of its own."""
    unknown = min(set(range(len(vocabulary) + 1)) - {*vocabulary.tolist()})
    return layers.IntegerLookup(vocabulary=vocabulary, oov_token=unknown)(x) - 1


def _string_lookup(x: Any, vocabulary: Any, offsets: Any) -> Any:
    entries = [bytes(vocabulary[start:end]).decode() for start, end in pairwise(offsets)]
    return layers.StringLookup(vocabulary=np.array(entries, object), oov_token="\n")(x) - 1  # noqa: S106 - no password


ORACLES: dict[str, Oracle] = {
    "transpose": plain(lambda x, perm: ops.transpose(x, perm)),
    "expand_dims": plain(ops.expand_dims),
    "squeeze": plain(lambda x, axes: ops.squeeze(x, tuple(axes))),
    "slice": plain(_slice),
    "flip": plain(lambda x, axes: ops.flip(x, axes)),
    "pad": plain(_in_int32(_pad)),
    "repeat": plain(ops.repeat),
    "tile": plain(ops.tile),
    "take": plain(_take),
    "take_along_axis": plain(ops.take_along_axis),
    "embedding": plain(_embedding),
    "one_hot": plain(ops.one_hot),
    "positions": plain(lambda x, axis: ops.arange(x.shape[axis], dtype="int32")),
    "broadcast_batch": plain(lambda x, like: ops.broadcast_to(x, (len(like), *x.shape[1:]))),
    "fold": plain(_fold),
    "unfold": plain(lambda x, like, axis: ops.reshape(x, (*like.shape[: axis + 1], *x.shape[1:]))),
    "matmul": plain(ops.matmul),
    "einsum": plain(lambda x1, x2, equation: ops.einsum(equation, x1, x2)),
    "bucketize": plain(_bucketize, _counted),
    "integer_lookup": plain(_integer_lookup),
    "string_lookup": plain(_string_lookup),
}
