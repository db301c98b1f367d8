"""take, take_along_axis, embedding, one_hot, positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, Node, one
from generate.positive.declare import declare, empty_batch, lengths, repeated, special
from generate.positive.values import INTEGRAL, constant, every_dtype, folded, several

KEPT = "All numbers are kept, NaN and infinities too."
INTEGERS = ("int8", "uint8", "int32", "int64")
DEEP = (2, 2, 1, 3, 1, 2, 1, 4)
NUMBERS = np.float32([[np.nan, np.inf, -np.inf, -0.0, 1]])


def _indices(*indices: int, dtype: str = "int32") -> Any:
    return np.array(indices, dtype)


# take

PICKED = "y[(o · count + j) · inner + i] = x[(o · n + k) · inner + i]"
REPLACED = "The shape of x, with the shape of indices in place of the dimension at axis."
SCALAR = "A scalar takes that axis out."
FROM_END = "A negative index counts from the end."


def _take(x: Any, indices: Any, axis: int = 1, shape: Any = None, made: Any = None) -> Graph:
    graph = Graph()
    node = graph.input("x", x, shape)
    chosen = constant(graph, "indices", indices)
    graph.outputs.append(graph.apply("y", "take", node, chosen, shape=made, axis=axis))
    return graph


for _name, _title, _says, _shape, _chosen, _axis in (
    ("rank-2", "Some columns, one of them twice.", PICKED, (3, 5), _indices(3, 0, 3), 1),
    ("middle-axis", "Along an axis that is not the last.", PICKED, (2, 4, 3), _indices(2, 1, 0, 3, 3), 1),
    ("axis-2", "One of four.", PICKED, (2, 3, 4, 2), _indices(1, 3, 0), 2),
    ("negative", "Every index from the end.", FROM_END, (2, 4, 3), _indices(-1, -4, -2, -3), 1),
    ("both-signs", "From either end.", FROM_END, (2, 4), _indices(-1, 0, 3, -4, 1), 1),
    ("matrix", "Indices of two dimensions.", REPLACED, (2, 4, 3), np.array([[2, 0, 1], [3, 3, -1]], np.int64), 1),
    ("scalar", "One index, without a dimension.", SCALAR, (2, 4, 3), np.array(2), 1),
    ("scalar-negative", "The last element, of the last axis.", SCALAR, (2, 4, 3), np.array(-1), 2),
    ("one", "One index that has a dimension.", REPLACED, (2, 4), _indices(2), 1),
    ("rank-8", "The last of as many axes as the format allows.", REPLACED, DEEP, _indices(3, 1), 7),
    ("rank-2-to-8", "Indices of seven dimensions.", REPLACED, (2, 3), np.arange(8).reshape(2, 1, 2, 1, 1, 2, 1) % 3, 1),
):
    declare(
        f"take/{_name}",
        _title,
        _says,
        lambda r, shape=_shape, chosen=_chosen, axis=_axis: _take(r.normal(*shape), chosen, axis),
    )


CHOSEN = {
    "int8": (127, -1, -128, 0),
    "uint8": (199, 128, 127, 0),
    "int32": (199, -200, 128, -129),
    "int64": (199, -200, 128, -129),
}
"""Indices of 200 elements, as far as their dtype counts."""


def _long_axis(r: Draw, apply: Callable[[Graph, Node, str, Any], Node]) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(1, 200))
    for dtype, chosen in CHOSEN.items():
        graph.outputs.append(apply(graph, x, dtype, np.array(chosen, dtype)))
    return graph


def _taken(graph: Graph, x: Node, dtype: str, chosen: Any) -> Node:
    return graph.apply(f"by {dtype}", "take", x, constant(graph, dtype, chosen), axis=1)


declare(
    "take/dtypes-of-indices",
    "Axes longer than the largest int8: k + n does not fit into it.",
    "| indices | int8, int32, int64 or uint8 | any without batch, a scalar too; rank at most 9 − r |",
    lambda r: _long_axis(r, _taken),
)
declare(
    "take/symbolic",
    "Along a dimension that only running tells, from both ends, beside another.",
    REPLACED,
    lambda r: _take(
        r.normal(2, 5, 3), _indices(0, -1, 4), shape=("batch", "time", "width"), made=("batch", 3, "width")
    ),
)
declare(
    "take/symbolic-scalar",
    "The last of steps whose number only running tells.",
    "x (batch, time, 5), indices (), axis 1 → (batch, 5)",
    lambda r: _take(r.normal(3, 4, 5), np.array(-1), shape=("batch", "time", 5), made=("batch", 5)),
)


def _positions(r: Draw) -> Graph:
    """A table of positions, of which each sequence has as many as it has steps."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 5, 3), ("batch", "time", 3))
    steps = graph.apply("steps", "positions", x, shape=("time",), axis=1)
    table = constant(graph, "table", r.normal(1, 9, 3))
    taken = graph.apply("taken", "take", table, steps, shape=(1, "time", 3), axis=1)
    graph.outputs.append(graph.apply("y", "add", x, taken, shape=x.shape))
    return graph


declare("take/positions", "Indices whose number only running tells, and a value without a batch.", REPLACED, _positions)


def _take_folded(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 3, 4))
    chosen = constant(graph, "indices", _indices(3, -3))
    taken = graph.apply("taken", "take", folded(graph, "rows", x), chosen, shape=("rows", 2), axis=1)
    graph.outputs.append(graph.apply("y", "unfold", taken, x, axis=1))
    return graph


declare("take/folded", "A value whose rows are not those of the batch.", PICKED, _take_folded)


def _third(graph: Graph, x: Node) -> Node:
    return graph.apply(f"{x.name} taken", "take", x, constant(graph, f"{x.name} index", _indices(2, -1)), axis=1)


every_dtype("take", "| x | any | any of rank r ≥ 2 |", _third)
special(
    "take/not-finite",
    "NaN and infinities are data like any other.",
    KEPT,
    lambda r: _take(NUMBERS, np.arange(4, -1, -1)),
)
empty_batch("take", lambda r: _take(r.normal(0, 3), _indices(2, 0)))
lengths("take", lambda r, n: _take(r.normal(n, 3, 2), _indices(2, 0, -2)))


# take_along_axis

OWN = "y[…, j, …] = x[…, indices[…, j, …], …] with j, and the index, at axis"
LOOPED = "y[(o · count + j) · inner + i] = x[(o · n + k) · inner + i]"
OF_INDICES = "The shape of indices."
LIKE_X = "| indices | int8, int32, int64 or uint8 | that of x, but for the dimension at axis |"


def _along(r: Draw, shape: tuple[int, ...], axis: int, count: int, dtype: str = "int32", x: Any = None) -> Graph:
    n = shape[axis]
    chosen = r.integers(0 if dtype == "uint8" else -n, n, *shape[:axis], count, *shape[axis + 1 :], dtype=dtype)
    return one("take_along_axis", r.normal(*shape) if x is None else x, chosen, axis=axis)


for _name, _title, _says, _shape, _axis, _count in (
    ("rank-2", "Other columns from every row.", OWN, (3, 5), 1, 4),
    ("middle-axis", "Along an axis that is not the last.", LOOPED, (2, 4, 3), 1, 5),
    ("last-axis", "Along the last of three axes.", LOOPED, (2, 3, 4), 2, 2),
    ("axis-2", "One of four.", LOOPED, (2, 3, 4, 2), 2, 3),
    ("more", "More than x has.", OF_INDICES, (2, 3), 1, 7),
    ("one", "One from each row.", OF_INDICES, (4, 3), 1, 1),
    ("rank-8", "The last of as many axes as the format allows.", OF_INDICES, DEEP, 7, 3),
):
    declare(
        f"take_along_axis/{_name}",
        _title,
        _says,
        lambda r, shape=_shape, axis=_axis, count=_count: _along(r, shape, axis, count),
    )
declare(
    "take_along_axis/negative",
    "From both ends, the first and the last included.",
    FROM_END,
    lambda r: one(
        "take_along_axis", r.normal(2, 4), np.array([[-1, -4, 3, 0, -2], [0, 1, -1, -3, -4]], np.int64), axis=1
    ),
)


def _own(graph: Graph, x: Node, dtype: str, chosen: Any) -> Node:
    return graph.apply(f"by {dtype}", "take_along_axis", x, graph.input(dtype, chosen[None]), axis=1)


declare(
    "take_along_axis/dtypes-of-indices",
    "Axes longer than the largest int8: k + n does not fit into it.",
    LIKE_X,
    lambda r: _long_axis(r, _own),
)


def _own_of_dtypes(r: Draw) -> Graph:
    graph = Graph()
    chosen = graph.input("indices", r.integers(-4, 4, 2, 3))
    for dtype in INTEGRAL:
        x = graph.input(dtype, r.integers(0, 2 if dtype == "bool" else 100, 2, 4, dtype=dtype))
        graph.outputs.append(graph.apply(f"{dtype} taken", "take_along_axis", x, chosen, axis=1))
    return graph


declare(
    "take_along_axis/dtypes",
    "Integers and booleans are moved like other numbers.",
    "| x | any | any of rank ≥ 2 |",
    _own_of_dtypes,
)
declare(
    "take_along_axis/symbolic",
    "Dimensions that only running tells, along the axis and beside it.",
    OF_INDICES,
    lambda r: one(
        "take_along_axis",
        r.normal(2, 5, 3),
        r.integers(-5, 5, 2, 4, 3),
        shapes=[("batch", "time", "width"), ("batch", "count", "width")],
        shape=("batch", "count", "width"),
        axis=1,
    ),
)


def _own_of_constants(r: Draw) -> Graph:
    """A value without a batch, and indices into it."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 5, 3))
    table, chosen = constant(graph, "table", r.normal(5, 4)), constant(graph, "indices", r.integers(-4, 4, 5, 3))
    graph.outputs.append(
        graph.apply("y", "add", x, graph.apply("taken", "take_along_axis", table, chosen, shape=(5, 3), axis=1))
    )
    return graph


declare("take_along_axis/constants", "Values without a batch.", OWN, _own_of_constants)
special(
    "take_along_axis/not-finite",
    "NaN and infinities are data like any other.",
    KEPT,
    lambda r: one("take_along_axis", NUMBERS, np.arange(4, -1, -1)[None], axis=1),
)
empty_batch("take_along_axis", lambda r: _along(r, (0, 3), 1, 2))
lengths("take_along_axis", lambda r, n: _along(r, (n, 3, 2), 1, 2))


# embedding

ROW = "y[…, j] = embeddings[x[…], j]"
BEHIND = "The shape of x, with output_dim behind it."
INDEX = "| x | int8, int32, int64 or uint8 | any of rank 1 to 7 |"


def _embedding(x: Any, table: Any, **shapes: Any) -> Graph:
    return one("embedding", x, weights={"embeddings": table}, **shapes)


for _name, _title, _says, _shape, _table in (
    ("rank-2", "A sequence of indices, some of them twice.", ROW, (3, 5), (4, 3)),
    ("rank-1", "A batch of indices.", BEHIND, (6,), (4, 3)),
    ("rank-4", "Four dimensions.", BEHIND, (2, 3, 1, 2), (5, 2)),
    ("rank-7", "As many dimensions as leave one for output_dim.", BEHIND, DEEP[:7], (5, 2)),
    ("one-column", "Rows of one number.", BEHIND, (2, 3), (4, 1)),
    ("one-row", "A table of one row.", ROW, (2, 3), (1, 4)),
):
    declare(
        f"embedding/{_name}",
        _title,
        _says,
        lambda r, shape=_shape, table=_table: _embedding(r.integers(0, table[0], *shape), r.normal(*table)),
    )
declare(
    "embedding/negative",
    "Indices from both ends of the table.",
    "A negative index counts from the end of the table.",
    lambda r: _embedding(_indices(-1, 0, -4, 3, -2, 1, 2, -3).reshape(2, 4), r.normal(4, 3)),
)


def _long_table(r: Draw) -> Graph:
    graph = Graph()
    table: Any = r.normal(200, 2)
    for dtype, chosen in CHOSEN.items():
        x = graph.input(dtype, np.array([chosen], dtype))
        graph.outputs.append(graph.apply(f"by {dtype}", "embedding", x, weights={"embeddings": table}))
        table = "by int8/embeddings"
    return graph


declare(
    "embedding/dtypes", "A table longer than the largest int8: k + input_dim does not fit into it.", INDEX, _long_table
)
declare(
    "embedding/symbolic",
    "Sequences whose length only running tells.",
    BEHIND,
    lambda r: _embedding(
        r.integers(0, 4, 2, 5, dtype="int64"), r.normal(4, 3), shapes=[("batch", "time")], shape=("batch", "time", 3)
    ),
)


def _embedded_positions(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 5, 3), ("batch", "time", 3))
    steps = graph.apply("steps", "positions", x, shape=("time",), axis=1)
    table = {"embeddings": r.normal(9, 3)}
    rows = graph.apply("rows", "embedding", steps, weights=table, shape=("time", 3))
    graph.outputs.append(graph.apply("y", "add", x, rows, shape=x.shape))
    return graph


declare("embedding/positions", "Indices without a batch: those of steps.", ROW, _embedded_positions)


def _shared(r: Draw) -> Graph:
    graph = Graph()
    first, second = graph.input("first", r.integers(0, 6, 3, 2)), graph.input("second", r.integers(-6, 6, 3, 4))
    graph.outputs.append(graph.apply("y", "embedding", first, weights={"embeddings": r.normal(6, 3)}))
    graph.outputs.append(graph.apply("z", "embedding", second, weights={"embeddings": "y/embeddings"}))
    return graph


declare("embedding/shared", "Two layers of one table.", "The dtype of y is that of embeddings.", _shared)


def _not_finite(r: Draw) -> Graph:
    table = np.array([[1, np.nan], [np.inf, 2], [-np.inf, -0.0], [3, 4]], np.float32)
    graph = _embedding(_indices(3, 0, 1, 2).reshape(4, 1), table)
    graph.requires.append("feature:nonfinite")
    return graph


special(
    "embedding/not-finite",
    "NaN and infinities of a table.",
    "All numbers of the table are kept, NaN and infinities too.",
    _not_finite,
)
empty_batch("embedding", lambda r: _embedding(r.integers(0, 4, 0, 3), r.normal(4, 2)))
lengths("embedding", lambda r, n: _embedding(r.integers(-4, 4, n, 2), r.normal(4, 3)))


# one_hot

ONE = "y[i · num_classes + j] = 1 where x[i] = j, else 0"
CLASSES = "The shape of x, with num_classes behind it."
ZEROS = "An index below 0, or num_classes or larger, gives a row of zeros."
TYPED = "The dtype of y is the attribute dtype."


def _one_hot(x: Any, num_classes: int, dtype: str = "float32", **shapes: Any) -> Graph:
    return one("one_hot", x, num_classes=num_classes, dtype=dtype, **shapes)


for _name, _title, _says, _shape, _classes in (
    ("rank-2", "A row for each index.", ONE, (2, 3), 4),
    ("rank-1", "A batch of indices.", CLASSES, (6,), 4),
    ("rank-4", "Four dimensions.", CLASSES, (2, 3, 1, 2), 5),
    ("rank-7", "As many dimensions as leave one for the classes.", CLASSES, DEEP[:7], 3),
    ("one-class", "A single class.", ONE, (3, 2), 1),
):
    declare(
        f"one_hot/{_name}",
        _title,
        _says,
        lambda r, shape=_shape, classes=_classes: _one_hot(r.integers(0, classes, *shape), classes),
    )
declare(
    "one_hot/dtypes",
    "Rows of every dtype.",
    TYPED,
    lambda r: several(
        "one_hot",
        _indices(2, 0, 4, -1, 3).reshape(1, 5),
        [{"num_classes": 4, "dtype": dtype} for dtype in ("float32", *INTEGRAL)],
    ),
)
declare(
    "one_hot/to-float64",
    "Rows of float64.",
    TYPED,
    lambda r: _one_hot(_indices(2, 0, 1, -1, 3).reshape(1, 5), 3, "float64"),
)
for _dtype, _classes, _chosen in (
    ("int8", 128, (127, -1, -128)),
    ("uint8", 130, (128, 129, 255)),
    ("int32", 3, (2, 2**31 - 1, -(2**31), 1)),
    ("int64", 3, (2, 2**32 + 1, -(2**63), 2**63 - 1, 2**32)),
):
    declare(
        f"one_hot/of-{_dtype}",
        "Indices up to the ends of their dtype.",
        ZEROS,
        lambda r, dtype=_dtype, classes=_classes, chosen=_chosen: _one_hot(np.array([chosen], dtype), classes, "uint8"),
    )
special(
    "one_hot/out-of-range",
    "Indices of no class, below and beyond.",
    ZEROS,
    lambda r: _one_hot(repeated([[-1, 0, 3, 4, 5, -4, -5]], "int32"), 4),
)
declare(
    "one_hot/negative",
    "The last class is not −1.",
    "Negative indices do not count from the end.",
    lambda r: _one_hot(_indices(-1, -2, -3).reshape(3, 1), 3),
)
declare(
    "one_hot/symbolic",
    "Sequences whose length only running tells.",
    CLASSES,
    lambda r: _one_hot(r.integers(0, 4, 2, 5), 4, shapes=[("batch", "time")], shape=("batch", "time", 4)),
)


def _one_hot_constant(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 4, 3))
    rows = graph.apply(
        "rows",
        "one_hot",
        constant(graph, "classes", _indices(2, 0, 7, 1)),
        shape=(4, 3),
        num_classes=3,
        dtype="float32",
    )
    graph.outputs.append(graph.apply("y", "add", x, rows))
    return graph


declare("one_hot/constant", "Indices without a batch.", CLASSES, _one_hot_constant)
empty_batch("one_hot", lambda r: _one_hot(r.integers(0, 4, 0, 3), 4))
lengths("one_hot", lambda r, n: _one_hot(r.integers(-1, 4, n, 2), 3))


# positions

COUNTED = "(n), where n is the dimension of x at axis, a number or a symbol."
SAME = "y has no batch: it is the same for every row."
UNREAD = "Only the shape of x is read, never an element."


def _counted(x: Any, axis: int, rank: int, shape: Any = None) -> Graph:
    """x, an array of integers, whose axis is followed by others, plus the positions along it."""
    graph = Graph()
    node = graph.input("x", x, shape)
    n = node.shape[axis]
    steps = graph.apply("steps", "positions", node, shape=(n,), axis=axis)
    for k in range(rank - 1 - axis):
        steps = graph.apply(f"steps {k}", "expand_dims", steps, shape=(n, *[1] * (k + 1)), axis=k + 1)
    graph.outputs.append(graph.apply("y", "add", node, steps, shape=node.shape))
    return graph


for _name, _title, _shape, _axis in (
    ("rank-2", "Along the last of two axes.", (3, 4), 1),
    ("rank-3", "Along an axis that is not the last.", (2, 4, 3), 1),
    ("last-axis", "Along the last of three axes.", (2, 3, 5), 2),
    ("one", "A single element: 0.", (3, 1), 1),
    ("rank-8", "The last of as many axes as the format allows.", DEEP, 7),
):
    declare(
        f"positions/{_name}",
        _title,
        COUNTED,
        lambda r, shape=_shape, axis=_axis: _counted(r.integers(0, 1000, *shape), axis, len(shape)),
    )
declare(
    "positions/symbolic",
    "A dimension that only running tells.",
    COUNTED,
    lambda r: _counted(r.integers(0, 1000, 2, 5, 3), 1, 3, ("batch", "time", 3)),
)


def _of_dtype(graph: Graph, x: Node) -> Node:
    steps = graph.apply(f"{x.name} steps", "positions", x, shape=(4,), axis=1)
    row = graph.apply(f"{x.name} row", "reshape", steps, shape=(4, 1), target_shape=[1])
    return graph.apply(f"{x.name} y", "add", graph.apply(f"{x.name} x", "cast", x, dtype="int32"), row)


every_dtype("positions", "The dtype of y is int32.", _of_dtype)


def _unread(x: Any) -> Graph:
    graph = Graph()
    node = graph.input("x", x)
    counts = graph.input("counts", np.arange(x.size, dtype=np.int32).reshape(x.shape))
    steps = graph.apply("steps", "positions", node, shape=(x.shape[1],), axis=1)
    graph.outputs.append(graph.apply("y", "multiply", counts, steps))
    return graph


special("positions/not-finite", "NaN and infinities that are not read.", UNREAD, lambda r: _unread(NUMBERS))


def _causal(r: Draw) -> Graph:
    """A mask of what each step may see."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 4, 4), ("batch", "time", "time"))
    steps = graph.apply("steps", "positions", x, shape=("time",), axis=1)
    column = graph.apply("column", "expand_dims", steps, shape=("time", 1), axis=1)
    seen = graph.apply("seen", "greater_equal", column, steps, shape=("time", "time"))
    low = constant(graph, "low", np.array(-1e9, np.float32))
    graph.outputs.append(graph.apply("y", "where", seen, x, low, shape=x.shape))
    return graph


declare("positions/causal-mask", "Each step and those before it.", SAME, _causal)


def _of_constant(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.integers(0, 100, 3, 4))
    steps = graph.apply("steps", "positions", constant(graph, "value", r.normal(2, 4)), shape=(4,), axis=1)
    graph.outputs.append(graph.apply("y", "add", x, steps))
    return graph


declare("positions/constant", "Of a value without a batch.", COUNTED, _of_constant)
empty_batch("positions", lambda r: _unread(r.normal(0, 4)), "Empty batch: y is the same as for any other.")
lengths("positions", lambda r, n: _unread(r.normal(n, 3)))
