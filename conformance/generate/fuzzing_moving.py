"""Fresh cases of what moves elements, picks them by their indices, looks them up, and multiplies."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np
from hypothesis import strategies as st

from generate.drawing import (
    DTYPES,
    INTEGERS,
    WIDE,
    Draw,
    Make,
    array,
    axes_of,
    axis_of,
    fresh,
    one,
    shape_of,
    typed,
)
from generate.graph import Graph
from generate.positive.values import constant

ANY = st.sampled_from(DTYPES)
INDEX = st.sampled_from(tuple(INTEGERS))


def _typed(draw: Draw, shape: tuple[int, ...], dtypes: Any = ANY) -> Any:
    dtype = draw(dtypes)
    return array(draw, shape, typed(draw, dtype), dtype)


# Moved


def transpose(draw: Draw) -> Graph:
    shape = shape_of(draw, 1, 5)
    return one("transpose", _typed(draw, shape), perm=[0, *draw(st.permutations(range(1, len(shape))))])


def expand_dims(draw: Draw) -> Graph:
    shape = shape_of(draw)
    axis = draw(st.integers(1, len(shape)))
    return one("expand_dims", _typed(draw, shape), axis=axis)


def squeeze(draw: Draw) -> Graph:
    shape = shape_of(draw, 2)
    axes = axes_of(draw, shape)
    narrow = tuple(1 if axis in axes else n for axis, n in enumerate(shape))
    return one("squeeze", _typed(draw, narrow), axes=axes)


def slice_(draw: Draw) -> Graph:
    """Bounds that leave something, written from either end or beyond it."""
    shape = shape_of(draw, 2)
    axis = axis_of(draw, shape)
    n = shape[axis]
    first = draw(st.integers(0, n - 1))
    last = draw(st.integers(first + 1, n))
    start = draw(st.sampled_from([first, first - n, *([-n - 7] if first == 0 else [])]))
    stop = draw(st.sampled_from([last, last - n if last < n else n + 3]))
    step = draw(st.integers(1, n + 1))
    return one("slice", _typed(draw, shape), axis=axis, start=start, stop=stop, step=step)


def flip(draw: Draw) -> Graph:
    shape = shape_of(draw, 2)
    return one("flip", _typed(draw, shape), axes=axes_of(draw, shape))


def pad(draw: Draw) -> Graph:
    shape = shape_of(draw)
    mode = draw(st.sampled_from(("constant", "reflect", "symmetric", "edge")))
    less = {"reflect": 1, "symmetric": 0}
    sides = [draw(st.integers(0, n - less[mode] if mode in less else 3)) for n in shape[1:] for _ in range(2)]
    x = _typed(draw, shape, st.sampled_from([dtype for dtype in DTYPES if dtype != "bool"]))
    value = float(draw(st.integers(0, 100))) if x.dtype.kind in "iu" else draw(WIDE)
    return one("pad", x, pad_width=[0, 0, *sides], mode=mode, constant_value=value)


def repeat(draw: Draw) -> Graph:
    shape = shape_of(draw, 2)
    axis, repeats = axis_of(draw, shape), draw(st.integers(1, 4))
    return one("repeat", _typed(draw, shape), axis=axis, repeats=repeats)


def tile(draw: Draw) -> Graph:
    shape = shape_of(draw)
    repeats = [1, *(draw(st.integers(1, 3)) for _ in shape[1:])]
    return one("tile", _typed(draw, shape), repeats=repeats)


# Rows


def broadcast_batch(draw: Draw) -> Graph:
    graph = fresh()
    like = graph.input("like", _typed(draw, shape_of(draw, 1, 3)))
    row = constant(graph, "row", _typed(draw, (1, *shape_of(draw)[1:])))
    graph.outputs.append(graph.apply("y", "broadcast_batch", row, like))
    return graph


def folding(draw: Draw) -> Graph:
    """Folded and unfolded up to the same axis, maybe by a value of other dimensions."""
    graph = fresh()
    shape = shape_of(draw, 2)
    axis = axis_of(draw, shape)
    x = graph.input("x", _typed(draw, shape))
    like = x
    if draw(st.booleans()):  # the same rows, in another order of sizes, and an axis that counts for nothing
        sizes = draw(st.permutations(shape[1 : axis + 1]))
        like = graph.input("like", _typed(draw, (shape[0], *sizes, draw.dimension())))
    rows = graph.apply("rows", "fold", x, shape=("rows", *shape[axis + 1 :]), axis=axis)
    made = (*like.shape[: axis + 1], *shape[axis + 1 :])
    graph.outputs.append(graph.apply("y", "unfold", rows, like, shape=made, axis=axis))
    return graph


# Indices


def _indices(draw: Draw, shape: tuple[int, ...], n: int) -> Any:
    dtype = draw(INDEX)
    return array(draw, shape, st.integers(0 if dtype == "uint8" else -n, n - 1), dtype)


def take(draw: Draw) -> Graph:
    graph = fresh()
    shape = shape_of(draw, 2, 3)
    axis = axis_of(draw, shape)
    x = graph.input("x", _typed(draw, shape))
    places = tuple(draw.dimension() for _ in range(draw(st.integers(0, 2))))
    indices = constant(graph, "indices", _indices(draw, places, shape[axis]))
    graph.outputs.append(graph.apply("y", "take", x, indices, axis=axis))
    return graph


def take_along_axis(draw: Draw) -> Graph:
    shape = shape_of(draw, 2)
    axis = axis_of(draw, shape)
    places = (*shape[:axis], draw.dimension(), *shape[axis + 1 :])
    pair = _typed(draw, shape), _indices(draw, places, shape[axis])
    return one("take_along_axis", *pair, axis=axis)


def embedding(draw: Draw) -> Graph:
    rows = draw.dimension()
    table = {"embeddings": array(draw, (rows, draw.dimension()), WIDE)}
    return one("embedding", _indices(draw, shape_of(draw), rows), weights=table)


def one_hot(draw: Draw) -> Graph:
    classes = draw.dimension()
    x = array(draw, shape_of(draw), st.integers(0, classes + 1), draw(INDEX))
    if x.dtype.kind == "i":
        x = x - x.dtype.type(1)
    return one("one_hot", x, num_classes=classes, dtype=draw(ANY))


def positions(draw: Draw) -> Graph:
    """As many steps as x has, of which each row of counts is a multiple."""
    graph = fresh()
    shape = shape_of(draw, 2)
    axis = axis_of(draw, shape)
    x = graph.input("x", _typed(draw, shape))
    counts = graph.input("counts", array(draw, (shape[0], shape[axis]), st.integers(-9, 9), "int32"))
    steps = graph.apply("steps", "positions", x, shape=(shape[axis],), axis=axis)
    graph.outputs.append(graph.apply("y", "multiply", counts, steps))
    return graph


# Lookups


def bucketize(draw: Draw) -> Graph:
    dtype = draw(st.sampled_from([dtype for dtype in DTYPES if dtype != "bool"]))
    elements = typed(draw, dtype)
    boundaries = np.unique(np.array(draw(st.lists(elements, min_size=1, max_size=6)), dtype))
    x = array(draw, shape_of(draw), st.one_of(elements, st.sampled_from(boundaries.tolist())), dtype)
    return one("bucketize", x, weights={"boundaries": boundaries})


def integer_lookup(draw: Draw) -> Graph:
    entries = draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6, unique=True))
    x = array(draw, shape_of(draw), st.one_of(st.sampled_from(entries), st.integers(-9, 9)), "int64")
    weights = {"vocabulary": np.array(entries, np.int64)}
    return one("integer_lookup", x, weights=weights)


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=4)


def string_lookup(draw: Draw) -> Graph:
    entries = draw(st.lists(TEXT, min_size=1, max_size=6, unique=True).filter(any))
    parts = [entry.encode() for entry in entries]
    weights = {
        "vocabulary": np.frombuffer(b"".join(parts), np.uint8),
        "offsets": np.array([0, *accumulate(map(len, parts))], np.int64),
    }
    x = array(draw, shape_of(draw), st.one_of(st.sampled_from(entries), TEXT), "object")
    return one("string_lookup", x, weights=weights)


# Products


def matmul(draw: Draw) -> Graph:
    """Two stacks of matrices that broadcast."""
    m, k, n = (draw.dimension() for _ in range(3))
    leading = shape_of(draw, 1, 3)
    other = (leading[0], *(size if draw(st.booleans()) else 1 for size in leading[1:]))
    stacks = (leading, other) if draw(st.booleans()) else (other, leading)
    pair = [array(draw, (*stack, *matrix), WIDE) for stack, matrix in zip(stacks, ((m, k), (k, n)), strict=True)]
    return one("matmul", *pair)


def einsum(draw: Draw) -> Graph:
    """Labels of each input, in any order behind that of the batch; any of them in the result."""
    sizes = {"a": draw.rows(), **{label: draw.dimension() for label in "bcdeZ"}}
    behind = st.lists(st.sampled_from("bcdeZ"), max_size=3, unique=True)
    first, second = ("".join(["a", *draw(behind)]) for _ in range(2))
    kept = draw(st.lists(st.sampled_from(sorted({*first, *second})), max_size=4, unique=True))
    made = "".join(["a", *(label for label in kept if label != "a")])
    pair = [array(draw, tuple(sizes[label] for label in labels), WIDE) for labels in (first, second)]
    return one("einsum", *pair, equation=f"{first},{second}->{made}")


MAKE: Mapping[str, Make] = {
    "transpose": transpose,
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "slice": slice_,
    "flip": flip,
    "pad": pad,
    "repeat": repeat,
    "tile": tile,
    "broadcast_batch": broadcast_batch,
    "fold": folding,
    "unfold": folding,
    "take": take,
    "take_along_axis": take_along_axis,
    "embedding": embedding,
    "one_hot": one_hot,
    "positions": positions,
    "bucketize": bucketize,
    "integer_lookup": integer_lookup,
    "string_lookup": string_lookup,
    "matmul": matmul,
    "einsum": einsum,
}

BESIDE: Mapping[str, tuple[str, ...]] = {
    "broadcast_batch": ("constant",),
    "fold": ("unfold",),
    "unfold": ("fold",),
    "take": ("constant",),
    "positions": ("multiply",),
}
"""Operator -> others that its models have."""
