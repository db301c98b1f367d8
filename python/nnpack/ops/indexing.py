"""take, take_along_axis, embedding, one_hot, positions: integers that say where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnpack.errors import FormatError, InputError
from nnpack.format.document import show
from nnpack.format.dtypes import FLOATS, INTEGERS
from nnpack.format.limits import BATCH, RANK
from nnpack.ops.operator import (
    AXIS,
    DTYPE,
    Call,
    Made,
    exact,
    integer,
    operator,
    require_axis,
    require_dtype,
    require_rank,
    require_shape,
)

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _require_within(op: str, indices: Array, n: int) -> None:
    """An axis of n elements has all of these indices; negative ones count from the end, as numpy's do."""
    if not indices.size:
        return
    least, most = indices.min(), indices.max()
    if least < -n or most >= n:
        raise InputError("index-range", op, f"indices from {-n} to {n - 1}", least if least < -n else most)


def _take_types(call: Call) -> Made:
    axis = call.attributes["axis"]
    require_dtype(call, 1, *INTEGERS)
    require_axis(call, axis, "/attributes/axis")
    x, indices = call.inputs
    if BATCH in indices.shape:
        raise FormatError("batch-axis", "/inputs/1", f"indices without {BATCH!r}", show(indices.shape))
    require_rank(call, 1, 0, RANK + 1 - x.rank)
    return x.dtype, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


@operator(_take_types, exact, inputs=2, attributes={"axis": AXIS})
def take(x: Array, indices: Array, axis: int) -> Array:
    """Elements along an axis by their indices, the same for every row. Source: spec/ops/take.md.

    Raises:
        InputError: an index that the axis does not have.
    """
    _require_within("take", indices, x.shape[axis])
    return x.take(indices, axis)


def _take_along_axis_types(call: Call) -> Made:
    axis = call.attributes["axis"]
    require_dtype(call, 1, *INTEGERS)
    require_axis(call, axis, "/attributes/axis")
    x, indices = call.inputs
    if indices.rank != x.rank or any(
        n != m for k, (n, m) in enumerate(zip(indices.shape, x.shape, strict=True)) if k != axis
    ):
        expected = f"{show(x.shape)}, other only along axis {axis}"
        raise FormatError("operand-shape", "/inputs/1", expected, show(indices.shape))
    return x.dtype, indices.shape


@operator(_take_along_axis_types, exact, inputs=2, attributes={"axis": AXIS})
def take_along_axis(x: Array, indices: Array, axis: int) -> Array:
    """Elements along an axis by indices of their own for every place. Source: spec/ops/take_along_axis.md.

    Raises:
        InputError: an index that the axis does not have.
    """
    _require_within("take_along_axis", indices, x.shape[axis])
    return np.take_along_axis(x, indices, axis)


def _embedding_types(call: Call) -> Made:
    require_dtype(call, 0, *INTEGERS)
    embeddings = call.weights["embeddings"]
    if embeddings.dtype not in FLOATS:
        raise FormatError("dtype-mismatch", "/weights/embeddings", f"one of {', '.join(FLOATS)}", embeddings.dtype)
    require_rank(call, 0, 1, RANK - 1)
    require_shape(call, "embeddings", None, None)
    return embeddings.dtype, (*call.inputs[0].shape, embeddings.shape[1])


@operator(_embedding_types, exact, weights={"embeddings": True})
def embedding(x: Array, embeddings: Array) -> Array:
    """(batch, …) integers -> (batch, …, output_dim), rows of embeddings. Source: spec/ops/embedding.md.

    Raises:
        InputError: an index that the table does not have.
    """
    _require_within("embedding", x, len(embeddings))
    return embeddings.take(x, 0)


def _one_hot_types(call: Call) -> Made:
    require_dtype(call, 0, *INTEGERS)
    require_rank(call, 0, 1, RANK - 1)
    return call.attributes["dtype"], (*call.inputs[0].shape, call.attributes["num_classes"])


@operator(_one_hot_types, exact, attributes={"num_classes": integer(1), "dtype": DTYPE})
def one_hot(x: Array, num_classes: int, dtype: str) -> Array:
    """(batch, …) integers -> (batch, …, num_classes), 1 at the index, else 0. Source: spec/ops/one_hot.md."""
    y = np.zeros((x.size, num_classes), dtype)
    index = x.reshape(-1)
    known = np.flatnonzero((index >= 0) & (index < num_classes))
    y[known, index[known]] = 1
    return y.reshape(*x.shape, num_classes)


def _positions_types(call: Call) -> Made:
    require_axis(call, call.attributes["axis"], "/attributes/axis")
    return "int32", (call.inputs[0].shape[call.attributes["axis"]],)


@operator(_positions_types, exact, attributes={"axis": AXIS})
def positions(x: Array, axis: int) -> Array:
    """0, 1, 2, … along an axis. Source: spec/ops/positions.md."""
    return np.arange(x.shape[axis], dtype=np.int32)
