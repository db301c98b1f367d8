"""Faults of take, take_along_axis, embedding, one_hot, positions."""

from __future__ import annotations

from typing import Any

from generate.encoding import File, Stored, document, layer, stored, value
from generate.negative.declare import numbers, put
from generate.negative.moving import FROM_1, strings
from generate.negative.operators import AXIS, DTYPE, FOUR, Shape, case, every, inputs

INDICES = stored([2, 0], "int32")


# take, take_along_axis


def _take(
    *inputs: str,
    x: Shape | None = None,
    y: Shape | None = None,
    indices: Stored = INDICES,
    dtype: str = "float32",
    axis: int = 1,
) -> File:
    """Elements of x by constant indices."""
    return document(
        [value("x", x or FOUR, dtype)],
        [
            layer("constant", [], value("indices", indices.array.shape, indices.dtype), {"value": "indices"}),
            layer("take", inputs or ["x", "indices"], value("y", y or ["batch", 2]), axis=axis),
        ],
        ["y"],
        {"indices": indices},
    )


every("take", _take(), {"axis": (1, AXIS)}, at=1)
case("take", "one-input", "Without a value.", "input-count", "1/inputs", _take("indices"))
case("take", "three-inputs", "An input too many.", "input-count", "1/inputs", _take("x", "indices", "x"))
strings("take", _take(dtype="string"), at=1)
for _name, _indices in (("floats", stored([2, 0])), ("booleans", stored([True, False], "bool"))):
    case(
        "take",
        f"indices-{_name}",
        f"Indices that are {_name}.",
        "dtype-mismatch",
        "1/inputs/1",
        _take(indices=_indices),
        "C1",
    )
case(
    "take",
    "axis-beyond-rank",
    "Axis 2 of two axes.",
    "axis-range",
    "1/attributes/axis",
    _take(axis=2),
    "C2",
)
case(
    "take",
    "batch-of-indices",
    "An index for each row is for take_along_axis.",
    "batch-axis",
    "0/inputs/1",
    inputs("take", FOUR, ["batch"], made=["batch", "batch"], dtypes=("float32", "int32"), axis=1).but(
        put("layers", 0, "outputs", 0, "shape", ["batch", 1])
    ),
    "C3",
)
case(
    "take",
    "rank-9",
    "Indices of three axes in the place of one of seven.",
    "rank-range",
    "1/inputs/1",
    _take(
        x=["batch", 4, 1, 1, 1, 1, 1],
        indices=stored([[[0, 1]]], "int32"),
        y=["batch", 1, 1, 2, 1, 1, 1, 1],
    ),
    "C4",
)
case(
    "take",
    "declared-one",
    "A scalar takes the axis out, and leaves no 1.",
    "shape-declared",
    "1/outputs/0/shape",
    _take(indices=stored(2, "int32"), y=["batch", 1]),
)


def _along(
    x: Shape,
    indices: Shape,
    dtypes: tuple[str, str] = ("float32", "int32"),
    made: Shape | None = None,
    makes: str = "",
    axis: int = 1,
) -> File:
    return inputs("take_along_axis", x, indices, made=made or indices, dtypes=dtypes, makes=makes, axis=axis)


def _along_inputs(*names: str) -> File:
    return _along(FOUR, ["batch", 2]).but(put("layers", 0, "inputs", list(names)))


every("take_along_axis", _along(FOUR, ["batch", 2]), {"axis": (1, AXIS)})
case("take_along_axis", "one-input", "Without indices.", "input-count", "0/inputs", _along_inputs("x0"))
case(
    "take_along_axis", "three-inputs", "An input too many.", "input-count", "0/inputs", _along_inputs("x0", "x1", "x1")
)
strings("take_along_axis", _along(["batch", 4], ["batch", 2], ("string", "int32"), makes="float32"))
for _dtype in ("float32", "bool"):
    case(
        "take_along_axis",
        f"indices-{_dtype}",
        f"Indices of {_dtype}.",
        "dtype-mismatch",
        "0/inputs/1",
        _along(FOUR, ["batch", 2], ("float32", _dtype)),
        "C1",
    )
case(
    "take_along_axis",
    "axis-beyond-rank",
    "Axis 2 of two axes.",
    "axis-range",
    "0/attributes/axis",
    _along(FOUR, FOUR, axis=2),
    "C2",
)
for _name, _title, _x, _indices, _made in (
    ("rank-below", "Indices of a rank lower.", ["batch", 4, 3], ["batch", 2], ["batch", 2, 3]),
    ("rank-above", "Indices of a rank higher.", FOUR, ["batch", 2, 1], ["batch", 2, 1]),
    ("dimension", "Another dimension beside the axis.", ["batch", 4, 3], ["batch", 2, 2], ["batch", 2, 2]),
    ("one-beside", "1 beside the axis is not stretched.", ["batch", 4, 3], ["batch", 2, 1], ["batch", 2, 3]),
    ("symbols-beside", "Two symbols beside the axis.", ["batch", 4, "a"], ["batch", 2, "b"], ["batch", 2, "b"]),
):
    case("take_along_axis", _name, _title, "operand-shape", "0/inputs/1", _along(_x, _indices, made=_made), "C3")


# embedding, one_hot


def _embedding(
    *names: str,
    x: Shape | None = None,
    y: Shape | None = None,
    dtype: str = "int32",
    table: Stored | None = None,
    **weights: Stored,
) -> File:
    weights = {"embeddings": table or numbers(4, 3), **weights}
    roles = {role: role for role in weights}
    return document(
        [value("x", x or ["batch", 2], dtype)],
        [layer("embedding", names or ["x"], value("y", y or ["batch", 2, 3]), roles)],
        ["y"],
        weights,
    )


every("embedding", _embedding(), {})
case("embedding", "two-inputs", "An input too many.", "input-count", "0/inputs", _embedding("x", "x"))
case(
    "embedding",
    "no-embeddings",
    "Without the table.",
    "weight-missing",
    "0/weights",
    document([value("x", ["batch", 2], "int32")], [layer("embedding", ["x"], value("y", ["batch", 2, 3]))], ["y"]),
)
case(
    "embedding",
    "weight-unknown",
    "A bias, which the operator does not have.",
    "weight-unknown",
    "0/weights/bias",
    _embedding(bias=numbers(3)),
)
for _dtype in ("float32", "bool"):
    case(
        "embedding",
        f"of-{_dtype}",
        f"Indices of {_dtype}.",
        "dtype-mismatch",
        "0/inputs/0",
        _embedding(dtype=_dtype),
        "C1",
    )
case(
    "embedding",
    "table-of-integers",
    "A table of integers.",
    "dtype-mismatch",
    "0/weights/embeddings",
    _embedding(table=stored([[1, 2, 3], [4, 5, 6]], "int32")),
    "C2",
)
_eight: Shape = ["batch", 1, 1, 1, 1, 1, 1, 2]
case(
    "embedding",
    "rank-8",
    "A ninth dimension.",
    "rank-range",
    "0/inputs/0",
    _embedding(x=_eight, y=[*_eight[:-1], 3]),
    "C3",
)
case(
    "embedding",
    "table-rank-1",
    "A table of one dimension.",
    "weight-shape",
    "0/weights/embeddings",
    _embedding(table=numbers(12)),
    "C4",
)
case(
    "embedding",
    "table-rank-3",
    "A table of three dimensions.",
    "weight-shape",
    "0/weights/embeddings",
    _embedding(table=numbers(4, 1, 3)),
    "C4",
)
case(
    "embedding",
    "declared-input-dim",
    "The rows of the table are declared, not its columns.",
    "shape-declared",
    "0/outputs/0/shape",
    _embedding(y=["batch", 2, 4]),
)


def _one_hot(
    *names: str,
    x: Shape | None = None,
    y: Shape | None = None,
    dtype: str = "int32",
    classes: int = 3,
    to: str = "float32",
) -> File:
    attributes: dict[str, Any] = {"num_classes": classes, "dtype": to}
    made = layer("one_hot", names or ["x"], value("y", y or ["batch", 2, classes], to), **attributes)
    return document([value("x", x or ["batch", 2], dtype)], [made], ["y"])


every(
    "one_hot",
    _one_hot(),
    {"num_classes": (3, FROM_1), "dtype": ("float32", {**DTYPE, "of-strings": ("string", "wrong-value")})},
)
case("one_hot", "two-inputs", "An input too many.", "input-count", "0/inputs", _one_hot("x", "x"))
for _dtype in ("float32", "bool"):
    case(
        "one_hot", f"of-{_dtype}", f"Indices of {_dtype}.", "dtype-mismatch", "0/inputs/0", _one_hot(dtype=_dtype), "C1"
    )
case(
    "one_hot",
    "rank-8",
    "A ninth dimension.",
    "rank-range",
    "0/inputs/0",
    _one_hot(x=_eight, y=[*_eight[:-1], 3]),
    "C2",
)
case(
    "one_hot",
    "activation-limit",
    "More elements than a layer may have.",
    "activation-limit",
    "0/outputs/0/shape",
    _one_hot(classes=2**30),
)


# positions


def _positions(
    *names: str, x: Shape | None = None, steps: Shape | None = None, dtype: str = "float32", axis: int = 1
) -> File:
    """The positions of x, added to integers."""
    x, steps = x or FOUR, steps or [4]
    return document(
        [value("x", x, dtype), value("counts", ["batch", *steps], "int32")],
        [
            layer("positions", names or ["x"], value("steps", steps, "int32"), axis=axis),
            layer("add", ["counts", "steps"], value("y", ["batch", *steps], "int32")),
        ],
        ["y"],
    )


every("positions", _positions(), {"axis": (1, AXIS)})
case("positions", "two-inputs", "An input too many.", "input-count", "0/inputs", _positions("x", "x"))
case(
    "positions",
    "axis-beyond-rank",
    "Axis 2 of two axes.",
    "axis-range",
    "0/attributes/axis",
    _positions(axis=2),
    "C1",
)
case(
    "positions",
    "symbol-declared",
    "Another symbol than that of x.",
    "shape-declared",
    "0/outputs/0/shape",
    _positions(x=["batch", "time"], steps=["steps"]),
)
case(
    "positions",
    "declared-int64",
    "int64 is declared for what is int32.",
    "dtype-mismatch",
    "0/outputs/0/dtype",
    _positions().but(
        lambda h: (
            h["layers"][0]["outputs"][0].update(dtype="int64"),
            h.update(requires=sorted({*h["requires"], "dtype:int64"})),
        )
    ),
    "G6",
)
strings("positions", _positions(dtype="string"))
