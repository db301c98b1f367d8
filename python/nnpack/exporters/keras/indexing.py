"""Operations that choose elements by their places: x[…], take, one_hot, triangles, diagonals, bins."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from nnpack.exporters.keras.call import Array, Call, Ref
from nnpack.exporters.keras.operands import (
    as_tensor,
    common_dtype,
    composed,
    filled,
    integral,
    known,
    operands,
    result_dtype,
    value_of,
)
from nnpack.exporters.keras.registry import handles
from nnpack.exporters.keras.shapes import permuted, picked, sliced, spread, squeezed
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS, INTEGERS

# x[…]


@handles("GetItem")
def get_item(call: Call) -> Value:
    x, key = value_of(call, call.arguments["x"], "x"), call.arguments["key"]
    parts = _spelled_out(call, list(key) if isinstance(key, list | tuple) else [key], len(x.shape))
    dropped: list[int] = []
    for axis, part in enumerate(parts):
        if part is None:
            x = call.emit("expand_dims", [x], attributes={"axis": call.axis(axis, len(x.shape) + 1)})
        elif isinstance(part, slice):
            x = _part(call, x, axis, part)
        else:
            x = picked(call, x, call.axis(axis, len(x.shape)), _integer(call, part))
            dropped.append(axis)
    return squeezed(call, x, dropped)


def _spelled_out(call: Call, key: list[Any], rank: int) -> list[Any]:
    """The key with a slice for each axis that an ellipsis, or the lack of one, stands for."""
    if any(isinstance(part, Ref) or np.ndim(part) for part in key if part is not None and part is not Ellipsis):
        raise call.refuse("an index that is an array", "ops.take or ops.take_along_axis")
    at = next((i for i, part in enumerate(key) if part is Ellipsis), len(key))
    named = [part for part in key if part is not None and part is not Ellipsis]
    return key[:at] + [slice(None)] * (rank - len(named)) + key[at + 1 :]


def _part(call: Call, x: Value, axis: int, part: slice) -> Value:
    start, stop, step = (k if k is None else _integer(call, k) for k in (part.start, part.stop, part.step))
    all_rows = axis == 0 and stop is not None and stop == call.export.rows
    if (start or 0, None if all_rows else stop, step or 1) == (0, None, 1):
        return x
    return sliced(call, x, call.axis(axis, len(x.shape)), start, stop, step)


def _integer(call: Call, k: Any) -> int:
    try:
        return operator.index(k)
    except TypeError as error:
        raise call.refuse(f"the index {k!r}", "integers, slices, None and Ellipsis as indices") from error


@handles("Slice")
def slice_(call: Call) -> Value:
    x = value_of(call, call.arguments["inputs"], "inputs")
    starts = known(call, call.arguments["start_indices"], "a start").tolist()
    sizes = [-1 if n is None else int(n) for n in call.operation.shape]
    sizes[0] = -1 if sizes[0] == call.export.rows else sizes[0]
    if (starts[0], sizes[0]) != (0, -1):
        raise call.refuse(f"{sizes[0]} rows from {starts[0]}", "0 and -1, all rows, for the first axis")
    for axis, (start, size) in enumerate(zip(starts[1:], sizes[1:], strict=True), 1):
        x = sliced(call, x, axis, start, None if size == -1 else start + size)
    return x


@handles("SliceUpdate")
def slice_update(call: Call) -> Value:
    dtype = result_dtype(call)
    x, updates = operands(call, dtype, inputs=call.arguments["inputs"], updates=call.arguments["updates"])
    starts = known(call, call.arguments["start_indices"], "a start").tolist()
    sizes, parts = ([n for n in value.shape[1:] if isinstance(n, int)] for value in (x, updates))
    if starts[0] or x.shape[0] != updates.shape[0] or {len(sizes), len(parts)} != {len(x.shape) - 1}:
        raise call.refuse("an update of some rows, or of unknown size", "an update of all rows, of known size")
    inside = np.zeros(sizes, np.bool_)
    inside[tuple(slice(start, start + n) for start, n in zip(starts[1:], parts, strict=True))] = True
    widths = [(start, n - start - part) for start, n, part in zip(starts[1:], sizes, parts, strict=True)]
    attributes = {"pad_width": [0, 0, *(n for pair in widths for n in pair)], "mode": "constant", "constant_value": 0.0}
    padded = call.emit("pad", [call.cast(updates, "uint8") if dtype == "bool" else updates], attributes=attributes)
    return call.emit("where", [call.constant(inside, "bool", "inside"), call.cast(padded, dtype), x])


# Places that are tensors


@handles("Take")
def take(call: Call) -> Value:
    x, indices, axis = call.arguments["x"], call.arguments["indices"], call.operation.axis
    if not isinstance(x, Ref):
        return _taken_from_table(call, x, call.value(indices), axis)
    value = call.value(x)
    if axis is None:
        raise call.refuse("elements of all rows", "an axis other than the first")
    axis = call.axis(axis, len(value.shape))
    places = known(call, indices, "indices into a value of the batch")
    if not places.ndim:
        return squeezed(call, picked(call, value, axis, int(places)), [axis])
    return call.emit("take", [value, call.constant(places, _index_dtype(places), "indices")], attributes={"axis": axis})


def _index_dtype(places: Array) -> str:
    return str(places.dtype) if str(places.dtype) in INTEGERS else "int64"


def _taken_from_table(call: Call, given: Any, indices: Value, axis: int | None) -> Value:
    """Rows of a constant, by indices that the model computes."""
    table = as_tensor(given)
    if axis is None:
        table, axis = table.reshape(-1), 0
    if axis % table.ndim:
        raise call.refuse(f"columns of a table, axis {axis}", "axis=0")
    dtype, shape = str(table.dtype), table.shape[1:]
    exact = dtype if dtype in FLOATS else "float64"
    if dtype == "int64" and np.abs(table).max(initial=0) > 2**53:
        raise call.refuse("a table of integers above 2**53", "smaller integers")
    as_it_is = table.ndim == 2 and isinstance(given, keras.Variable)
    embeddings = given if as_it_is else table.reshape(len(table), -1)
    y = call.emit("embedding", [integral(call, indices)], {"embeddings": call.weight(embeddings, exact)})
    if len(shape) != 1:
        y = _last_axis_as(call, y, shape)
    return call.cast(y, dtype)


def _last_axis_as(call: Call, x: Value, shape: Sequence[int]) -> Value:
    """The last axis as several, or as none."""
    if not shape:
        return call.emit("squeeze", [x], attributes={"axes": [len(x.shape) - 1]})
    if sum(isinstance(n, str) for n in x.shape[1:]) > 1:
        raise call.refuse("a table of rank 3 and indices with several unknown axes", "a table of rank 1 or 2")
    open_ = [n if isinstance(n, int) else -1 for n in x.shape[1:-1]]
    return call.emit("reshape", [x], attributes={"target_shape": [*open_, *shape]})


@handles("TakeAlongAxis")
def take_along_axis(call: Call) -> Value:
    x, indices, axis = call.arguments["x"], call.arguments["indices"], call.operation.axis
    if axis is None:
        raise call.refuse("elements of all rows", "an axis other than the first")
    value, places = (
        call.value(given) if isinstance(given, Ref) else call.constant(given, str(as_tensor(given).dtype), part)
        for given, part in ((x, "x"), (indices, "indices"))
    )
    axis = call.axis(axis, len(value.shape))
    value, places = call.export.unify([value, integral(call, places)], skip=axis)
    value = spread(call, value, places, axis)
    return call.emit("take_along_axis", [value, spread(call, places, value, axis)], attributes={"axis": axis})


@handles("OneHot")
def one_hot(call: Call) -> Value:
    given, x = call.operation, call.inputs[0]
    return _one_hot(call, x, given.axis, str(keras.backend.standardize_dtype(given.dtype)))


def _one_hot(call: Call, x: Value, axis: int, dtype: str) -> Value:
    if call.operation.sparse:
        raise call.refuse("sparse=True", "sparse=False")
    y = call.emit(
        "one_hot", [integral(call, x)], attributes={"num_classes": int(call.operation.num_classes), "dtype": dtype}
    )
    rank = len(y.shape)
    perm = list(range(rank - 1))
    perm.insert(call.axis(axis, rank), rank - 1)
    return permuted(call, y, perm)


@handles("MultiHot")
def multi_hot(call: Call) -> Value:
    x, dtype = call.inputs[0], str(keras.backend.standardize_dtype(call.operation.dtype))
    if len(x.shape) < 2:
        raise call.refuse("a multi_hot of the batch", "integers (batch, …) of rank 2 or more")
    y = _one_hot(call, x, call.operation.axis, dtype)
    op = "any" if dtype == "bool" else "max"
    return call.emit(op, [y], attributes={"axes": [1], "keepdims": False})


@composed("UnravelIndex")
def unravel_index(call: Call, indices: Any) -> Any:
    places = []
    # Keras on TensorFlow takes the sizes from the front, unless the indices have one axis
    for n in call.operation.shape[:: -1 if len(indices.shape) == 1 else 1]:
        places.append(ops.mod(indices, np.asarray(n, indices.dtype)))
        indices = ops.floor_divide(indices, np.asarray(n, indices.dtype))
    return places[::-1]


# Triangles and diagonals of the last axes


@handles("Tril", "Triu")
def tril(call: Call) -> Value:
    x, k, lower = call.inputs[0], call.operation.k, call.class_name == "Tril"
    if not isinstance(k, int | np.integer):
        raise call.refuse(f"k={k!r}", "an integer k")
    if len(x.shape) < 3:
        raise call.refuse("a triangle of the batch", "values of rank 3 or more")
    inside = band(call, x, int(k), lower)
    outside = call.constant(0, x.dtype, "zero")
    return call.emit("where", [inside, x, outside])


def band(call: Call, x: Value, k: int, lower: bool) -> Value:
    """Which places of the last two axes of x are on the k-th diagonal or below it (or above it), as truth values."""
    rows, columns = x.shape[-2:]
    if isinstance(rows, int) and isinstance(columns, int):
        ones = np.ones((rows, columns), np.bool_)
        return call.constant(np.tril(ones, k) if lower else np.triu(ones, k), "bool", "inside")
    rank = len(x.shape)
    i, j = (call.emit("positions", [x], attributes={"axis": axis}) for axis in (rank - 2, rank - 1))
    i = call.emit("expand_dims", [i], attributes={"axis": 1})
    if k:
        i = call.emit("add", [i, call.constant(k, "int32", "k")])
    return call.emit("greater_equal" if lower else "less_equal", [i, j])


@handles("Diagonal")
def diagonal(call: Call) -> Value:
    return _diagonal(call, call.inputs[0])


@handles("Trace")
def trace(call: Call) -> Value:
    y = _diagonal(call, call.cast(call.inputs[0], result_dtype(call)))
    return call.emit("sum", [y], attributes={"axes": [len(y.shape) - 1], "keepdims": False})


def _diagonal(call: Call, x: Value) -> Value:
    """Every (columns + 1)-th element of a matrix whose rows stand one behind the other."""
    given, rank = call.operation, len(x.shape)
    axes = [call.axis(axis, rank) for axis in (given.axis1, given.axis2)]
    x = permuted(call, x, [axis for axis in range(rank) if axis not in axes] + axes)
    *rest, rows, columns = x.shape[1:]
    if not isinstance(rows, int) or not isinstance(columns, int) or sum(isinstance(n, str) for n in rest) > 1:
        raise call.refuse("a diagonal of axes of unknown size", "axes of known size")
    first = (max(-given.offset, 0), max(given.offset, 0))
    length = min(rows - first[0], columns - first[1])
    if length < 1:
        raise call.refuse(f"the diagonal {given.offset} of {rows} × {columns}", "a diagonal that has elements")
    target = [n if isinstance(n, int) else -1 for n in rest]
    flat = call.emit("reshape", [x], attributes={"target_shape": [*target, rows * columns]})
    start = first[0] * columns + first[1]
    return sliced(call, flat, len(flat.shape) - 1, start, start + (length - 1) * (columns + 1) + 1, columns + 1)


# Bins and sets


@handles("Digitize")
def digitize(call: Call) -> Value:
    x = value_of(call, call.arguments["x"], "x")
    bins = np.asarray(known(call, call.arguments["bins"], "bins"), np.float32)  # TensorFlow's type for any x
    return _counted(call, x if x.dtype == "float64" else call.cast(x, "float32"), bins, "right")


@handles("SearchSorted")
def searchsorted(call: Call) -> Value:
    values = value_of(call, call.arguments["values"], "values")
    return _counted(call, values, known(call, call.arguments["sorted_sequence"], "a sequence"), call.operation.side)


def _counted(call: Call, x: Value, ascending: Array, side: str) -> Value:
    """How many elements of a sequence are below x or, with side `right`, at most x."""
    ascending = ascending.astype(x.dtype)
    if side == "right" and ascending.size and np.isfinite(ascending).all() and (np.diff(ascending) > 0).all():
        return call.emit("bucketize", [x], {"boundaries": ascending})
    op = "less_equal" if side == "right" else "less"
    last = call.emit("expand_dims", [x], attributes={"axis": len(x.shape)})
    below = call.emit(op, [call.constant(ascending, x.dtype, "sequence"), last])
    return call.emit("sum", [call.cast(below, "int32")], attributes={"axes": [len(x.shape)], "keepdims": False})


@handles("IsIn")
def isin(call: Call) -> Value:
    x1, x2 = call.arguments["x1"], call.arguments["x2"]
    members = known(call, x2, "a set").reshape(-1)
    dtype = common_dtype(call, x1, x2)
    x = call.cast(value_of(call, x1, "x1"), dtype)
    if not members.size:
        return filled(call, x, False, "bool")
    last = call.emit("expand_dims", [x], attributes={"axis": len(x.shape)})
    same = call.emit("equal", [last, call.constant(members, dtype, "members")])
    found = call.emit("any", [same], attributes={"axes": [len(x.shape)], "keepdims": False})
    return call.emit("logical_not", [found]) if call.operation.invert else found


@composed("ExtractSequences")
def extract_sequences(call: Call, x: Any) -> Any:
    length, stride, n = call.operation.sequence_length, call.operation.sequence_stride, x.shape[-1]
    if n is None:
        raise call.refuse("sequences of an axis of unknown size", "an axis of known size")
    starts = np.arange(0, n - length + 1, stride)
    return ops.take(x, starts[:, np.newaxis] + np.arange(length), axis=-1)
