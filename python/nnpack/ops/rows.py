"""broadcast_batch, fold, unfold: what happens to axis 0."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nnpack.errors import FormatError, ShapeError
from nnpack.format.document import show
from nnpack.format.limits import BATCH, RANK
from nnpack.ops.operator import AXIS, Call, Made, exact, operator, require_axis, require_rank

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _broadcast_batch_types(call: Call) -> Made:
    for i in range(2):
        require_rank(call, i, 1)
    x, like = call.inputs
    if x.shape[0] != 1:
        raise FormatError("axis-size", "/inputs/0", "1 element along axis 0", show(x.shape))
    return x.dtype, (like.shape[0], *x.shape[1:])


@operator(_broadcast_batch_types, exact, inputs=2, view=True)
def broadcast_batch(x: Array, like: Array) -> Array:
    """(1, …) -> (batch, …), the one row of x for every row of like. Source: spec/ops/broadcast_batch.md."""
    return np.broadcast_to(x, (len(like), *x.shape[1:]))


def _fold_types(call: Call) -> Made:
    (dtype, shape), axis = call.inputs[0], call.attributes["axis"]
    require_axis(call, axis, "/attributes/axis")
    return dtype, (None, *shape[axis + 1 :])


@operator(_fold_types, exact, attributes={"axis": AXIS}, view=True)
def fold(x: Array, axis: int) -> Array:
    """(batch, time, …) -> (batch · time, …), all axes up to `axis` merged. Source: spec/ops/fold.md."""
    return x.reshape(prod(x.shape[: axis + 1]), *x.shape[axis + 1 :])


def _unfold_types(call: Call) -> Made:
    axis = call.attributes["axis"]
    x, like = call.inputs
    require_rank(call, 0, 1)
    if x.shape[0] == BATCH or isinstance(x.shape[0], int):
        raise FormatError("batch-axis", "/inputs/0", f"a symbol other than {BATCH!r} as first dimension", show(x.shape))
    if axis >= like.rank:
        raise FormatError("axis-range", "/attributes/axis", f"an axis below {like.rank}, the rank of the second", axis)
    require_rank(call, 0, 1, RANK - axis)
    return x.dtype, (*like.shape[: axis + 1], *x.shape[1:])


@operator(_unfold_types, exact, inputs=2, attributes={"axis": AXIS}, view=True)
def unfold(x: Array, like: Array, axis: int) -> Array:
    """(batch · time, …) -> (batch, time, …), the first axes as those of like. Source: spec/ops/unfold.md.

    Raises:
        ShapeError: x has another number of rows than like gives.
    """
    merged = like.shape[: axis + 1]
    if len(x) != prod(merged):
        raise ShapeError("shape", "unfold", f"{prod(merged)} rows, one for each of {show(merged)}", len(x))
    return x.reshape(*merged, *x.shape[1:])
