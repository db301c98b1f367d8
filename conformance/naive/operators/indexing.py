"""spec/ops: take.md, take_along_axis.md, embedding.md, one_hot.md, positions.md: elements by their indices."""

from __future__ import annotations

from naive.arithmetic import Number
from naive.arrays import FLOATS, INTEGERS, VALUES, elements
from naive.errors import Failed, require
from naive.operators.operator import (
    AXIS,
    LARGEST,
    Call,
    Operator,
    Site,
    Type,
    Typed,
    around,
    check_any,
    check_axis,
    check_dtype,
    integer,
    one_of,
)


def counted(k: int, n: int) -> int:
    """An index into n elements; negative ones count from the end."""
    if not -n <= k < n:
        raise Failed("index-range", "", f"{-n} to {n - 1}", f"{k}")
    return k + n if k < 0 else k


def infer_take(site: Site) -> Type:
    x, indices = site.inputs
    axis = site.attributes["axis"]
    check_any(x)
    check_dtype(indices, INTEGERS, "/inputs/1")  # C1
    check_axis(x, axis)  # C2
    require("batch" not in indices.shape, "batch-axis", "/inputs/1", "no batch", indices.shape)  # C3
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    require(len(shape) <= 8, "rank-range", "/inputs/1", "at most 8 dimensions of the result", shape)  # C4
    return Type(x.dtype, shape)


def compute_take(call: Call) -> list[Number]:
    x, indices = call.inputs
    outer, n, inner = around(x.shape, call.attributes["axis"])
    y = []
    for o in range(outer):
        for k in indices.data:
            at = (o * n + counted(k, n)) * inner
            y.extend(x.data[at : at + inner])
    return y


def infer_take_along_axis(site: Site) -> Type:
    x, indices = site.inputs
    axis = site.attributes["axis"]
    check_any(x)
    check_dtype(indices, INTEGERS, "/inputs/1")  # C1
    check_axis(x, axis)  # C2
    same = len(x.shape) == len(indices.shape) and all(
        m == n for k, (m, n) in enumerate(zip(x.shape, indices.shape, strict=True)) if k != axis
    )
    require(same, "operand-shape", "/inputs/1", f"{x.shape}, but for axis {axis}", indices.shape)  # C3
    return Type(x.dtype, indices.shape)


def compute_take_along_axis(call: Call) -> list[Number]:
    x, indices = call.inputs
    axis = call.attributes["axis"]
    n = x.shape[axis]
    outer, count, inner = around(indices.shape, axis)
    y = []
    for o in range(outer):
        for j in range(count):
            for i in range(inner):
                k = counted(indices.data[(o * count + j) * inner + i], n)
                y.append(x.data[(o * n + k) * inner + i])
    return y


def check_indices(x: Typed) -> None:
    check_dtype(x, INTEGERS)
    require(1 <= len(x.shape) <= 7, "rank-range", "/inputs/0", "1 to 7 dimensions", x.shape)


def infer_embedding(site: Site) -> Type:
    (x,) = site.inputs
    table = site.weights["embeddings"]
    check_indices(x)  # C1, C3
    check_dtype(table, FLOATS, "/weights/embeddings")  # C2
    two = len(table.shape) == 2
    require(two, "weight-shape", "/weights/embeddings", "(input_dim, output_dim)", table.shape)  # C4
    return Type(table.dtype, (*x.shape, table.shape[1]))


def compute_embedding(call: Call) -> list[Number]:
    table = call.weights["embeddings"]
    input_dim, output_dim = table.shape
    y = []
    for index in call.inputs[0].data:
        k = counted(index, input_dim)
        y.extend(table.data[k * output_dim : (k + 1) * output_dim])
    return y


def infer_one_hot(site: Site) -> Type:
    (x,) = site.inputs
    check_indices(x)  # C1, C2
    return Type(site.attributes["dtype"], (*x.shape, site.attributes["num_classes"]))


def compute_one_hot(call: Call) -> list[Number]:
    zero, one = (call.a.number(0), call.a.number(1)) if call.dtype in FLOATS else (0, 1)
    classes = range(call.attributes["num_classes"])
    return [one if k == j else zero for k in call.inputs[0].data for j in classes]


def infer_positions(site: Site) -> Type:
    (x,) = site.inputs
    axis = site.attributes["axis"]
    check_any(x)
    check_axis(x, axis)  # C1
    return Type("int32", (x.shape[axis],))


def compute_positions(call: Call) -> list[Number]:
    return list(range(elements(call.shape)))


OPERATORS = {
    "take@1": Operator(infer_take, compute_take, inputs=(2, 2), attributes={"axis": AXIS}),
    "take_along_axis@1": Operator(
        infer_take_along_axis, compute_take_along_axis, inputs=(2, 2), attributes={"axis": AXIS}
    ),
    "embedding@1": Operator(infer_embedding, compute_embedding, weights={"embeddings": True}),
    "one_hot@1": Operator(
        infer_one_hot, compute_one_hot, attributes={"num_classes": integer(1, LARGEST), "dtype": one_of(VALUES)}
    ),
    "positions@1": Operator(infer_positions, compute_positions, attributes={"axis": AXIS}),
}
