"""Mistakes in moving elements: transpose, expand_dims, squeeze, slice, flip, pad, repeat, tile, and what makes rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any
from unittest.mock import patch

from mutants.mutant import Mutant, Patch, changing, of_faults, of_numbers, overlooking
from naive.arithmetic import Number
from naive.arrays import Array, elements
from naive.operators import moving, pad, rows
from naive.operators.moving import indices, moved
from naive.operators.operator import Call, Compute, Site, Type
from naive.operators.windows import place


def mistake(name: str, says: str, *patches: Patch, page: str = "") -> Mutant:
    """A mistake in the operator that the name begins with."""
    op = name.partition(":")[0]
    return of_numbers(name, says, *patches, page=f"ops/{page or op}.md", groups=(op,))


def computing(name: str, says: str, compute: Compute) -> Mutant:
    return mistake(name, says, changing(name.partition(":")[0], compute=compute))


def shaping(name: str, says: str, infer: Callable[[Site], Type]) -> Mutant:
    return mistake(name, says, changing(name.partition(":")[0], infer=infer))


def taking(name: str, says: str, module: ModuleType, code: str, at: str = "*", page: str = "") -> Mutant:
    """A reader that does not check a constraint."""
    op = name.partition(":")[0]
    return of_faults(name, says, overlooking(module, code, at=at), groups=(op,), page=f"ops/{page or op}.md")


def axes_of(call: Call) -> list[int]:
    found: list[int] = call.attributes["axes"]
    return found


# transpose


def by_the_inverse(call: Call) -> list[Number]:
    (x,) = call.inputs
    perm = call.attributes["perm"]
    made = tuple(x.shape[perm.index(axis)] for axis in range(len(perm)))
    return moved(replace(call, shape=made), lambda i: [i[axis] for axis in perm])


def last_two_axes(call: Call) -> list[Number]:
    rank = len(call.shape)
    if rank < 3:
        return call.inputs[0].data
    perm = [*range(rank - 2), rank - 1, rank - 2]
    shape = tuple(call.inputs[0].shape[axis] for axis in perm)
    return moving.compute_transpose(replace(call, shape=shape, attributes={"perm": perm}))


PERMUTED = "perm says, for each axis of y, which axis of x it is"

TRANSPOSE = (
    computing("transpose: by the inverse", PERMUTED, by_the_inverse),
    computing("transpose: another shape alone", PERMUTED, moving.compute_same),
    computing("transpose: always the last two axes", PERMUTED, last_two_axes),
    taking("transpose: any number of axes", "x has as many dimensions as perm has elements", moving, "rank-range"),
)


# expand_dims, squeeze


def always_behind_rows(site: Site) -> Type:
    return moving.infer_expand_dims(replace(site, attributes={"axis": 1}))


def of_every_1(site: Site) -> Type:
    x = site.inputs[0]
    axes = [axis for axis, n in enumerate(x.shape) if n == 1 and axis]
    return moving.infer_squeeze(replace(site, attributes={"axes": axes}))


def rows_of_1_too(site: Site) -> Type:
    """What numpy does without an axis: the batch of one row goes too."""
    made = moving.infer_squeeze(site)
    return Type(made.dtype, tuple(n for n in made.shape if n != 1 or not site.in_call))


AXES_OF_1 = (
    shaping("expand_dims: always behind the rows", "axis is where the new axis stands in y", always_behind_rows),
    shaping("squeeze: every axis of 1", "the shape of x without the dimensions at axes", of_every_1),
    shaping("squeeze: the rows too", "the shape of x without the dimensions at axes", rows_of_1_too),
    taking("squeeze: an axis of any size", "the dimension of x at each of axes is the number 1", moving, "axis-size"),
)


# slice

right_count, right_from = moving.slice_count, moving.slice_from

SLICE = (
    mistake(
        "slice: stop included",
        "before stop",
        patch.object(moving, "slice_count", lambda n, start, stop, step: right_count(n, start, stop + 1, step)),
    ),
    mistake(
        "slice: the count rounded down",
        "count = (last − first + step − 1) div step",
        patch.object(moving, "slice_count", lambda n, start, stop, step: right_count(n, start, stop, 1) // step),
    ),
    mistake(
        "slice: negative counts are 0",
        "a negative start or stop counts from the end of the axis",
        patch.object(moving, "slice_from", lambda v, n: right_from(max(v, 0), n)),
    ),
    mistake(
        "slice: −1 is behind the last element",
        "−1 is the last element",
        patch.object(
            moving, "slice_from", lambda v, n: right_from(v + 1, n) if v < -1 else n if v == -1 else right_from(v, n)
        ),
    ),
    mistake(
        "slice: what lies beyond an end is taken as it is",
        "what lies beyond an end stands for that end",
        patch.object(moving, "slice_from", lambda v, n: v + n if v < 0 else v),
    ),
    mistake(
        "slice: beyond an end is cut off on one side",
        "what lies beyond an end stands for that end",
        patch.object(moving, "slice_from", lambda v, n: v + n if v < 0 else min(v, n)),
    ),
    computing(
        "slice: step left out",
        "every step-th",
        lambda call: moving.compute_slice(replace(call, attributes={**call.attributes, "step": 1})),
    ),
    computing(
        "slice: from the first element",
        "from start",
        lambda call: moving.compute_slice(replace(call, attributes={**call.attributes, "start": 0})),
    ),
)


# flip


def flipped(axes: Callable[[Call], list[int]]) -> Compute:
    return lambda call: moving.compute_flip(replace(call, attributes={"axes": axes(call)}))


FLIPPED = "jₖ = nₖ − 1 − iₖ for each k in axes"

FLIP = (
    computing("flip: left out", FLIPPED, moving.compute_same),
    computing("flip: the rows too", FLIPPED, flipped(lambda call: [0, *axes_of(call)])),
    computing("flip: always the last axis", FLIPPED, flipped(lambda call: [len(call.shape) - 1])),
    computing("flip: the first of the axes alone", FLIPPED, flipped(lambda call: axes_of(call)[:1])),
    computing(
        "flip: all elements of a row",
        FLIPPED,
        flipped(lambda call: list(range(1, len(call.shape)))),
    ),
)


# repeat, tile


def in_a_row(call: Call) -> list[Number]:
    """What repeat makes of the same numbers of copies, axis by axis."""
    x = call.inputs[0]
    for axis, repeats in enumerate(call.attributes["repeats"]):
        shape = tuple(n * repeats if k == axis else n for k, n in enumerate(x.shape))
        step = replace(call, inputs=[x], shape=shape, attributes={"axis": axis, "repeats": repeats})
        x = Array(x.dtype, shape, moving.compute_repeat(step))
    return x.data


COPIES = (
    computing("repeat: copies side by side", "each element along an axis several times in a row", moving.compute_tile),
    computing(
        "repeat: the elements of the last axis",
        "each element along an axis several times in a row",
        lambda call: [v for v in call.inputs[0].data for _ in range(call.attributes["repeats"])],
    ),
    computing("tile: each element in a row", "copies of x side by side", in_a_row),
    computing(
        "tile: one copy behind the other",
        "copies of x side by side",
        lambda call: (call.inputs[0].data * elements(call.shape))[: elements(call.shape)],
    ),
)


# pad

PAD_SAYS = "along one axis source(i) is the element of x that stands at i"


def padding(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Compute:
    return lambda call: pad.compute(replace(call, attributes={**call.attributes, **change(dict(call.attributes))}))


def source(mode: str, function: Callable[[int, int], int | None]) -> Patch:
    return patch.dict(pad.SOURCES, {mode: function})


def ends_exchanged(attributes: dict[str, Any]) -> dict[str, Any]:
    width = attributes["pad_width"]
    return {"pad_width": [n for before, after in zip(width[::2], width[1::2], strict=True) for n in (after, before)]}


def all_before_first(attributes: dict[str, Any]) -> dict[str, Any]:
    """before₀, before₁, …, after₀, after₁, …, as ONNX has it."""
    width = attributes["pad_width"]
    half = len(width) // 2
    return {"pad_width": [n for pair in zip(width[:half], width[half:], strict=True) for n in pair]}


def last_axis_first(attributes: dict[str, Any]) -> dict[str, Any]:
    """The last axis's in front, as PyTorch has it."""
    width = attributes["pad_width"]
    pairs = list(zip(width[::2], width[1::2], strict=True))
    return {"pad_width": [0, 0, *(n for pair in pairs[:0:-1] for n in pair)]}


def cornerless(call: Call) -> list[Number]:
    """Corners hold the number, in every mode."""
    y = pad.compute(call)
    before = call.attributes["pad_width"][::2]
    for out in range(elements(call.shape)):
        index = zip(indices(out, call.shape), before, call.inputs[0].shape, strict=True)
        if sum(not 0 <= i - first < n for i, first, n in index) > 1:
            y[out] = call.a.number(0) if call.dtype.startswith("float") else 0
    return y


PAD = (
    computing("pad: before and after exchanged", "before and after per axis", padding(ends_exchanged)),
    computing("pad: all befores first", "pad_width is before₀, after₀, before₁, after₁, …", padding(all_before_first)),
    computing("pad: the last axis first", "pad_width is before₀, after₀, before₁, after₁, …", padding(last_axis_first)),
    computing(
        "pad: always zeros", "y is constant_value where source is none", padding(lambda _: {"constant_value": 0.0})
    ),
    computing("pad: no corners", "corners are padded along one axis, then along the next", cornerless),
    mistake("pad: reflect with the edge", PAD_SAYS, source("reflect", lambda i, n: pad.SOURCES["symmetric"](i, n))),
    mistake(
        "pad: symmetric without the edge",
        PAD_SAYS,
        source("symmetric", lambda i, n: -i if i < 0 else i if i < n else 2 * n - 2 - i),
    ),
    mistake("pad: edge as zeros", PAD_SAYS, source("edge", lambda i, n: i if 0 <= i < n else None)),
    mistake("pad: edge wraps around", PAD_SAYS, source("edge", lambda i, n: i % n)),
    mistake("pad: reflect at one end alone", PAD_SAYS, source("reflect", lambda i, n: -i if i < 0 else min(i, n - 1))),
    taking(
        "pad: reflects any number",
        "each padded dimension that is a number is larger than its before and its after",
        pad,
        "axis-size",
    ),
    taking(
        "pad: any constant_value",
        "where x has an integer dtype, constant_value is an integer that this dtype holds",
        pad,
        "wrong-value",
        at="/attributes/constant_value",
    ),
)


# broadcast_batch, fold, unfold


def first_row_alone(call: Call) -> list[Number]:
    zero = call.a.number(0) if call.dtype.startswith("float") else 0
    n = elements(call.shape[1:])
    return [*call.inputs[0].data, *[zero] * (n * (call.shape[0] - 1))]


def element_by_element(call: Call) -> list[Number]:
    return [v for v in call.inputs[0].data for _ in range(call.shape[0])]


def last_axis_of_rows(shape: tuple[int, ...], axis: int) -> list[int]:
    """For each row in C order its place where the axes are counted from the other end."""
    merged = shape[: axis + 1]
    return [place(indices(k, merged)[::-1], merged[::-1]) for k in range(elements(merged))]


def folded_from_the_end(call: Call) -> list[Number]:
    x = call.inputs[0]
    order = last_axis_of_rows(x.shape, call.attributes["axis"])
    inner = elements(x.shape) // max(len(order), 1)
    y: list[Number] = [0.0] * len(x.data)
    for k, at in enumerate(order):
        y[at * inner : (at + 1) * inner] = x.data[k * inner : (k + 1) * inner]
    return y


def unfolded_from_the_end(call: Call) -> list[Number]:
    x = call.inputs[0]
    order = last_axis_of_rows(call.shape, call.attributes["axis"])
    inner = len(x.data) // max(len(order), 1)
    return [v for at in order for v in x.data[at * inner : (at + 1) * inner]]


def folded_of_batch(site: Site) -> Type:
    made = rows.infer_fold(site)
    return made if site.in_call else Type(made.dtype, ("batch", *made.shape[1:]))


def unfolded_by_two(site: Site) -> Type:
    """The first two axes of like, whatever axis is."""
    return rows.infer_unfold(replace(site, attributes={"axis": 1}))


EVERY_ROW = "y[o · inner + i] = x[i]"
IN_PLACE = "the elements stay where they are, in C order"

ROWS = (
    computing("broadcast_batch: the first row alone", EVERY_ROW, first_row_alone),
    computing("broadcast_batch: element by element", EVERY_ROW, element_by_element),
    computing("fold: the batch counts fastest", IN_PLACE, folded_from_the_end),
    shaping("fold: declared as the batch", "rows is a new symbol", folded_of_batch),
    computing("unfold: the batch counts fastest", IN_PLACE, unfolded_from_the_end),
    shaping("unfold: always two axes", "axis is the last axis of like that y has", unfolded_by_two),
    taking("broadcast_batch: any number of rows", "the first dimension of x is the number 1", rows, "axis-size"),
    taking("unfold: of the batch", "the first dimension of x is a symbol other than batch", rows, "batch-axis"),
)

MUTANTS = (*TRANSPOSE, *AXES_OF_1, *SLICE, *FLIP, *COPIES, *PAD, *ROWS)
