"""slice, pad, repeat, tile: fewer or more elements along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnpack.errors import FormatError, ShapeError
from nnpack.format.document import Dimension, show
from nnpack.format.dtypes import INTEGERS, NUMBERS
from nnpack.format.limits import DIMENSION, RANK
from nnpack.ops.operator import (
    AXIS,
    NUMBER,
    Attribute,
    Call,
    Made,
    exact,
    integer,
    integers,
    one_of,
    operator,
    require_axis,
    require_dtype,
    require_rank,
)

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

END = DIMENSION - 1
"""As a stop: the end of every axis."""


def _slice_types(call: Call) -> Made:
    (dtype, shape), axis = call.inputs[0], call.attributes["axis"]
    require_axis(call, axis, "/attributes/axis")
    n: Dimension | None = shape[axis]
    start, stop, step = (call.attributes[key] for key in ("start", "stop", "step"))
    if isinstance(n, int):
        kept = len(range(n)[start:stop:step])
        if not kept:
            raise FormatError("dimension-range", "/attributes", f"some of {n} elements", f"[{start}:{stop}:{step}]")
        n = kept
    elif (start, stop, step) != (0, END, 1):
        n = None
    return dtype, (*shape[:axis], n, *shape[axis + 1 :])


_PLACE = integer(-END, END)


@operator(
    _slice_types,
    exact,
    attributes={"axis": AXIS, "start": _PLACE, "stop": _PLACE, "step": integer(1)},
    view=True,
)
def slice_(x: Array, axis: int, start: int, stop: int, step: int) -> Array:
    """Every step-th element along an axis, from start, before stop. Source: spec/ops/slice.md."""
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


PAD_WIDTH = Attribute(
    f"an even number of integers from 0 to {END}, at most {2 * RANK}, the first two 0",
    integers(0).accepts,
    lambda widths: widths[:2] == [0, 0] and len(widths) % 2 == 0 and integers(0, lengths=(2, 2 * RANK)).range(widths),
)
MODE = one_of("constant", "reflect", "symmetric", "edge")


def _reaches(mode: str, n: int, before: int, after: int) -> bool:
    """Whether an axis of n elements has as many as the mode takes from it."""
    most = {"reflect": n - 1, "symmetric": n}.get(mode)
    return most is None or max(before, after) <= most


def _holds(dtype: str, value: float) -> bool:
    return value.is_integer() and np.iinfo(dtype).min <= int(value) <= np.iinfo(dtype).max


def _pad_types(call: Call) -> Made:
    dtype, x = require_dtype(call, 0, *NUMBERS), call.inputs[0]
    widths, mode, value = (call.attributes[key] for key in ("pad_width", "mode", "constant_value"))
    require_rank(call, 0, len(widths) // 2, len(widths) // 2)
    if dtype in INTEGERS and not _holds(dtype, value):
        raise FormatError("wrong-value", "/attributes/constant_value", f"an integer that {dtype} holds", value)
    shape: list[Dimension | None] = []
    for n, before, after in zip(x.shape, widths[::2], widths[1::2], strict=True):
        if isinstance(n, int):
            if not _reaches(mode, n, before, after):
                expected = f"an axis that {mode} can extend by {before} and {after} elements"
                raise FormatError("axis-size", "/inputs/0", expected, show(x.shape))
            shape.append(before + n + after)
        else:
            shape.append(None if before or after else n)
    return dtype, tuple(shape)


def _source(mode: str, i: Array, n: int) -> Array:
    """Which of n elements stand at the places i, which count from the first of them."""
    if mode == "reflect":
        return n - 1 - np.abs(n - 1 - np.abs(i))
    if mode == "symmetric":
        i = np.where(i < 0, -1 - i, i)
        return np.where(i >= n, 2 * n - 1 - i, i)
    return np.clip(i, 0, n - 1)


@operator(
    _pad_types,
    exact,
    attributes={"pad_width": PAD_WIDTH, "mode": MODE, "constant_value": NUMBER},
    view=True,
)
def pad(x: Array, pad_width: list[int], mode: str, constant_value: float) -> Array:
    """Elements put before and behind those of x. Source: spec/ops/pad.md.

    Raises:
        ShapeError: a dimension that the model leaves open is too small for the mode.
    """
    widths = list(zip(x.shape, pad_width[::2], pad_width[1::2], strict=True))
    if mode == "constant":
        y = np.full([before + n + after for n, before, after in widths], constant_value, x.dtype)
        y[tuple(slice(before, before + n) for n, before, _ in widths)] = x
        return y
    for axis, (n, before, after) in enumerate(widths):
        if not (before or after):
            continue
        if not _reaches(mode, n, before, after):
            expected = f"an axis that {mode} can extend by {before} and {after} elements"
            raise ShapeError("shape", "pad", expected, show(x.shape))
        x = x.take(_source(mode, np.arange(-before, n + after), n), axis)
    return x


def _times(n: Dimension, count: int) -> Dimension | None:
    if isinstance(n, int):
        return n * count
    return n if count == 1 else None


def _repeat_types(call: Call) -> Made:
    (dtype, shape), axis = call.inputs[0], call.attributes["axis"]
    require_axis(call, axis, "/attributes/axis")
    return dtype, (*shape[:axis], _times(shape[axis], call.attributes["repeats"]), *shape[axis + 1 :])


@operator(_repeat_types, exact, attributes={"axis": AXIS, "repeats": integer(1)})
def repeat(x: Array, axis: int, repeats: int) -> Array:
    """Each element along an axis several times in a row. Source: spec/ops/repeat.md."""
    return x.repeat(repeats, axis)


REPEATS = Attribute(
    f"{integers(1).kind}, the first 1",
    integers(1).accepts,
    lambda repeats: repeats[:1] == [1] and integers(1).range(repeats),
)


def _tile_types(call: Call) -> Made:
    x, repeats = call.inputs[0], call.attributes["repeats"]
    require_rank(call, 0, len(repeats), len(repeats))
    return x.dtype, tuple(map(_times, x.shape, repeats))


@operator(_tile_types, exact, attributes={"repeats": REPEATS})
def tile(x: Array, repeats: list[int]) -> Array:
    """Copies of x side by side. Source: spec/ops/tile.md."""
    return np.tile(x, repeats)
