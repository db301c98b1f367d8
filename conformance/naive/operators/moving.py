"""spec/ops: transpose, expand_dims, squeeze, slice, flip, repeat and tile: elements in other places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from naive.arithmetic import Number
from naive.arrays import Shape, elements
from naive.errors import require
from naive.operators.operator import (
    AXIS,
    LARGEST,
    NEW_SYMBOL,
    Call,
    Operator,
    Site,
    Type,
    around,
    check_any,
    check_axes,
    check_axis,
    integer,
    integers,
    integers_from,
)
from naive.operators.windows import place


def indices(place: int, shape: tuple[int, ...]) -> list[int]:
    """Of the element at a place, its index along each axis."""
    found = []
    for n in reversed(shape):
        place, index = divmod(place, n)
        found.append(index)
    return found[::-1]


def moved(call: Call, source: Callable[[list[int]], list[int]]) -> list[Number]:
    """Each element of y from the indices that its own indices give."""
    (x,) = call.inputs
    return [x.data[place(source(indices(out, call.shape)), x.shape)] for out in range(elements(call.shape))]


def times(n: int | str, repeats: int) -> int | str:
    """n · repeats, for a number or a symbol."""
    if isinstance(n, int):
        return n * repeats
    return n if repeats == 1 else NEW_SYMBOL


def put(shape: Shape, axis: int, n: int | str) -> Shape:
    return (*shape[:axis], n, *shape[axis + 1 :])


def compute_same(call: Call) -> list[Number]:
    """The elements stay where they are."""
    return call.inputs[0].data


def check_perm(x: Any, at: str) -> None:
    integers(x, at)
    require(1 <= len(x) <= 8, "wrong-value", at, "1 to 8 integers", x)
    sound = x[0] == 0 and sorted(x) == list(range(len(x)))
    require(sound, "wrong-value", at, "a permutation of 0, 1, … that begins with 0", x)


def infer_transpose(site: Site) -> Type:
    (x,) = site.inputs
    perm = site.attributes["perm"]
    check_any(x)
    require(len(x.shape) == len(perm), "rank-range", "/inputs/0", f"{len(perm)} dimensions", x.shape)  # C1
    return Type(x.dtype, tuple(x.shape[axis] for axis in perm))


def compute_transpose(call: Call) -> list[Number]:
    perm = call.attributes["perm"]
    return moved(call, lambda i: [i[perm.index(axis)] for axis in range(len(perm))])


def infer_expand_dims(site: Site) -> Type:
    (x,) = site.inputs
    axis, rank = site.attributes["axis"], len(x.shape)
    check_any(x)
    require(1 <= rank <= 7, "rank-range", "/inputs/0", "1 to 7 dimensions", x.shape)  # C1
    require(axis <= rank, "axis-range", "/attributes/axis", f"at most {rank}", axis)  # C2
    return Type(x.dtype, (*x.shape[:axis], 1, *x.shape[axis:]))


def infer_squeeze(site: Site) -> Type:
    (x,) = site.inputs
    axes = site.attributes["axes"]
    check_any(x)
    check_axis(x, axes[-1], "axes")  # C1
    for axis in axes:
        require(x.shape[axis] == 1, "axis-size", "/inputs/0", f"1 at axis {axis}", x.shape)  # C2
    return Type(x.dtype, tuple(n for axis, n in enumerate(x.shape) if axis not in axes))


def slice_from(v: int, n: int) -> int:
    return max(v + n, 0) if v < 0 else min(v, n)


def slice_count(n: int, start: int, stop: int, step: int) -> int:
    first, last = slice_from(start, n), slice_from(stop, n)
    return (last - first + step - 1) // step if first < last else 0


def infer_slice(site: Site) -> Type:
    (x,) = site.inputs
    axis = site.attributes["axis"]
    bounds = site.attributes["start"], site.attributes["stop"], site.attributes["step"]
    check_any(x)
    check_axis(x, axis)  # C1
    n = x.shape[axis]
    if isinstance(n, str):
        return Type(x.dtype, put(x.shape, axis, n if bounds == (0, LARGEST, 1) else NEW_SYMBOL))
    count = slice_count(n, *bounds)
    require(count >= 1 or site.in_call, "dimension-range", "/attributes", "at least 1 element", count)  # C2
    return Type(x.dtype, put(x.shape, axis, count))


def compute_slice(call: Call) -> list[Number]:
    axis, start, step = call.attributes["axis"], call.attributes["start"], call.attributes["step"]
    (x,) = call.inputs
    first = slice_from(start, x.shape[axis])
    return moved(call, lambda i: [*i[:axis], first + i[axis] * step, *i[axis + 1 :]])


def infer_flip(site: Site) -> Type:
    (x,) = site.inputs
    check_any(x)
    check_axis(x, site.attributes["axes"][-1], "axes")  # C1
    return Type(x.dtype, x.shape)


def compute_flip(call: Call) -> list[Number]:
    axes, n = call.attributes["axes"], call.shape
    return moved(call, lambda i: [n[k] - 1 - index if k in axes else index for k, index in enumerate(i)])


def infer_repeat(site: Site) -> Type:
    (x,) = site.inputs
    axis = site.attributes["axis"]
    check_any(x)
    check_axis(x, axis)  # C1
    return Type(x.dtype, put(x.shape, axis, times(x.shape[axis], site.attributes["repeats"])))


def compute_repeat(call: Call) -> list[Number]:
    x, repeats = call.inputs[0].data, call.attributes["repeats"]
    outer, n, inner = around(call.inputs[0].shape, call.attributes["axis"])
    y = []
    for o in range(outer):
        for j in range(n * repeats):
            at = (o * n + j // repeats) * inner
            y.extend(x[at : at + inner])
    return y


def check_repeats(x: Any, at: str) -> None:
    integers_from(1, LARGEST, 1, 8)(x, at)
    require(x[0] == 1, "wrong-value", at, "1 at axis 0", x)


def infer_tile(site: Site) -> Type:
    (x,) = site.inputs
    repeats = site.attributes["repeats"]
    check_any(x)
    require(len(x.shape) == len(repeats), "rank-range", "/inputs/0", f"{len(repeats)} dimensions", x.shape)  # C1
    return Type(x.dtype, tuple(map(times, x.shape, repeats)))


def compute_tile(call: Call) -> list[Number]:
    n = call.inputs[0].shape
    return moved(call, lambda i: [index % n[k] for k, index in enumerate(i)])


BOUND = integer(-LARGEST, LARGEST)
OPERATORS = {
    "transpose@1": Operator(infer_transpose, compute_transpose, attributes={"perm": check_perm}),
    "expand_dims@1": Operator(infer_expand_dims, compute_same, attributes={"axis": AXIS}),
    "squeeze@1": Operator(infer_squeeze, compute_same, attributes={"axes": check_axes}),
    "slice@1": Operator(
        infer_slice,
        compute_slice,
        attributes={"axis": AXIS, "start": BOUND, "stop": BOUND, "step": integer(1, LARGEST)},
    ),
    "flip@1": Operator(infer_flip, compute_flip, attributes={"axes": check_axes}),
    "repeat@1": Operator(infer_repeat, compute_repeat, attributes={"axis": AXIS, "repeats": integer(1, LARGEST)}),
    "tile@1": Operator(infer_tile, compute_tile, attributes={"repeats": check_repeats}),
}
