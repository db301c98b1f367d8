"""reshape, concatenate, transpose, expand_dims, squeeze, flip: the same elements in another order or shape."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nnpack.errors import FormatError, ShapeError
from nnpack.format.document import Dimension, show
from nnpack.format.limits import DIMENSION, RANK
from nnpack.ops.operator import (
    AXES,
    AXIS,
    TARGET_SHAPE,
    Attribute,
    Call,
    Made,
    OpenShape,
    exact,
    operator,
    require_axis,
    require_rank,
)

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _reshape_types(call: Call) -> tuple[str, OpenShape]:
    x, target = call.inputs[0], call.attributes["target_shape"]
    if not x.shape:
        raise FormatError("rank-range", "/inputs/0", "at least 1 dimension", show(x.shape))
    symbols = [n for n in x.shape[1:] if isinstance(n, str)]
    have = prod(n for n in x.shape[1:] if isinstance(n, int))
    want = prod(n for n in target if n != -1)
    mismatch = FormatError("reshape-count", "/attributes/target_shape", f"elements of {show(x.shape)}", target)
    if -1 not in target:
        if symbols or have != want:
            raise mismatch
        return x.dtype, (x.shape[0], *target)
    inferred: Dimension | None = None  # known when the operator runs
    if not symbols:
        quotient, rest = divmod(have, want)
        if rest or quotient >= DIMENSION:
            raise mismatch
        inferred = quotient
    elif len(symbols) == 1 and have == want:
        inferred = symbols[0]
    return x.dtype, (x.shape[0], *(inferred if n == -1 else n for n in target))


@operator(_reshape_types, exact, attributes={"target_shape": TARGET_SHAPE}, view=True)
def reshape(x: Array, target_shape: list[int]) -> Array:
    """(batch, …) -> (batch, *target_shape), in C order. Source: spec/ops/reshape.md.

    Raises:
        ShapeError: a dimension that the model leaves open does not divide as -1 needs it.
    """
    # numpy cannot infer -1 where the batch is empty
    known = prod(n for n in target_shape if n != -1)
    inferred, rest = divmod(prod(x.shape[1:]), known)
    if rest:
        raise ShapeError("shape", "reshape", f"a row that divides into {target_shape}", show(x.shape[1:]))
    return x.reshape(x.shape[0], *(inferred if n == -1 else n for n in target_shape))


def _concatenate_types(call: Call) -> tuple[str, OpenShape]:
    axis, first = call.attributes["axis"], call.inputs[0]
    require_axis(call, axis, "/attributes/axis")
    along: Dimension | None = 0
    for i, x in enumerate(call.inputs):
        if x.dtype != first.dtype:
            raise FormatError("dtype-mismatch", f"/inputs/{i}", first.dtype, x.dtype)
        if x.rank != first.rank or any(
            a != b for k, (a, b) in enumerate(zip(x.shape, first.shape, strict=True)) if k != axis
        ):
            expected = f"{show(first.shape)}, other only along axis {axis}"
            raise FormatError("concatenate-mismatch", f"/inputs/{i}", expected, show(x.shape))
        n = x.shape[axis]
        along = along + n if isinstance(along, int) and isinstance(n, int) else None
    if len(call.inputs) == 1:
        along = first.shape[axis]
    return first.dtype, (*first.shape[:axis], along, *first.shape[axis + 1 :])


@operator(_concatenate_types, exact, inputs=(1, 65_536), attributes={"axis": AXIS})
def concatenate(*xs: Array, axis: int) -> Array:
    """The inputs one behind the other along an axis. Source: spec/ops/concatenate.md."""
    return np.concatenate(xs, axis)


PERM = Attribute(
    "a permutation of 0, 1, 2, … that begins with 0, of at most 8 integers",
    AXES.accepts,
    lambda perm: perm[:1] == [0] and len(perm) <= RANK and sorted(perm) == list(range(len(perm))),
)


def _transpose_types(call: Call) -> Made:
    x, perm = call.inputs[0], call.attributes["perm"]
    require_rank(call, 0, len(perm), len(perm))
    return x.dtype, tuple(x.shape[axis] for axis in perm)


@operator(_transpose_types, exact, attributes={"perm": PERM}, view=True)
def transpose(x: Array, perm: list[int]) -> Array:
    """The axes in another order: axis k of the result is axis perm[k] of x. Source: spec/ops/transpose.md."""
    return x.transpose(perm)


def _expand_dims_types(call: Call) -> Made:
    (dtype, shape), axis = call.inputs[0], call.attributes["axis"]
    rank = require_rank(call, 0, 1, RANK - 1)
    if axis > rank:
        raise FormatError("axis-range", "/attributes/axis", f"an axis of at most {rank}, the rank of the input", axis)
    return dtype, (*shape[:axis], 1, *shape[axis:])


@operator(_expand_dims_types, exact, attributes={"axis": AXIS}, view=True)
def expand_dims(x: Array, axis: int) -> Array:
    """A new axis of one element. Source: spec/ops/expand_dims.md."""
    return np.expand_dims(x, axis)


def _squeeze_types(call: Call) -> Made:
    (dtype, shape), axes = call.inputs[0], call.attributes["axes"]
    require_axis(call, axes[-1], "/attributes/axes")
    for axis in axes:
        if shape[axis] != 1:
            raise FormatError("axis-size", "/inputs/0", f"1 element along axis {axis}", show(shape))
    return dtype, tuple(n for axis, n in enumerate(shape) if axis not in axes)


@operator(_squeeze_types, exact, attributes={"axes": AXES}, view=True)
def squeeze(x: Array, axes: list[int]) -> Array:
    """x without axes of one element. Source: spec/ops/squeeze.md."""
    return x.squeeze(tuple(axes))


def _flip_types(call: Call) -> Made:
    require_axis(call, call.attributes["axes"][-1], "/attributes/axes")
    return call.inputs[0]


@operator(_flip_types, exact, attributes={"axes": AXES}, view=True)
def flip(x: Array, axes: list[int]) -> Array:
    """The elements along axes in reverse order. Source: spec/ops/flip.md."""
    return np.flip(x, tuple(axes))
