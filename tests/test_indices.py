"""Calls that have to fail, in nnpack and in the naive interpreter: indices and rows that a model does not have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nnpack
from generate.encoding import File, document, layer, stored, value
from naive import model as naive
from naive.arrays import Array
from naive.errors import Failed
from nnpack.errors import NnpackError

DTYPES = ("int8", "uint8", "int32", "int64")


def embedding(dtype: str = "int32") -> File:
    """(batch, 2) indices -> (batch, 2, 1), of a table of three rows."""
    return document(
        [value("x", ["batch", 2], dtype)],
        [layer("embedding", ["x"], value("y", ["batch", 2, 1]), {"embeddings": "table"})],
        ["y"],
        {"table": stored([[0.5], [1.5], [2.5]])},
    )


def take_along_axis(dtype: str = "int32") -> File:
    """(batch, 2) indices -> (batch, 2), of the same three numbers for every row."""
    return document(
        [value("x", ["batch", 2], dtype)],
        [
            layer("constant", [], value("row", [1, 3]), {"value": "row"}),
            layer("broadcast_batch", ["row", "x"], value("rows", ["batch", 3])),
            layer("take_along_axis", ["rows", "x"], value("y", ["batch", 2]), axis=1),
        ],
        ["y"],
        {"row": stored([[0.5, 1.5, 2.5]])},
    )


def take(*indices: int) -> File:
    """(batch, time) -> (batch, n), those of these indices."""
    return document(
        [value("x", ["batch", "time"])],
        [
            layer("constant", [], value("indices", [len(indices)], "int32"), {"value": "indices"}),
            layer("take", ["x", "indices"], value("y", ["batch", len(indices)]), axis=1),
        ],
        ["y"],
        {"indices": stored(indices, "int32")},
    )


def unfold() -> File:
    """(batch, time, 2), (batch, steps) -> (batch, steps, 2), where time and steps are the same number."""
    return document(
        [value("x", ["batch", "time", 2]), value("like", ["batch", "steps"])],
        [
            layer("fold", ["x"], value("rows", ["rows", 2]), axis=1),
            layer("unfold", ["rows", "like"], value("y", ["batch", "steps", 2]), axis=1),
        ],
        ["y"],
    )


def pad(mode: str, before: int, after: int) -> File:
    """(batch, time) -> (batch, longer)."""
    attributes: dict[str, Any] = {"pad_width": [0, 0, before, after], "mode": mode, "constant_value": 0.0}
    return document(
        [value("x", ["batch", "time"])], [layer("pad", ["x"], value("y", ["batch", "longer"]), **attributes)], ["y"]
    )


def table(axis_of: str) -> File:
    """(batch, time) numbers, added to as many of a table of three."""
    return document(
        [value("x", ["batch", "time"])],
        [
            layer("positions", ["x"], value("steps", ["time"], "int32"), axis=1),
            *(
                [
                    layer("embedding", ["steps"], value("rows", ["time", 1]), {"embeddings": "table"}),
                    layer("squeeze", ["rows"], value("row", ["time"]), axes=[1]),
                ]
                if axis_of == "embedding"
                else [
                    layer("constant", [], value("numbers", [1, 3]), {"value": "table"}),
                    layer("take", ["numbers", "steps"], value("row", [1, "time"]), axis=1),
                ]
            ),
            layer("add", ["x", "row"], value("y", ["batch", "time"])),
        ],
        ["y"],
        {"table": stored([[0.5], [1.5], [2.5]] if axis_of == "embedding" else [[0.5, 1.5, 2.5]])},
    )


def answers(file: File, *inputs: Any) -> list[Any]:
    """What nnpack and the naive interpreter answer, or the codes that they fail with."""
    found: list[Any] = []
    try:
        found.append(nnpack.loads(bytes(file)).predict(list(inputs)).tolist())
    except NnpackError as error:
        found.append(error.code)
    arrays = [Array(x.dtype.name, x.shape, x.ravel().tolist()) for x in inputs]
    try:
        (y,) = naive.load(bytes(file)).run(arrays)
        found.append(np.array(y.data).reshape(y.shape).tolist())
    except Failed as fault:
        found.append(fault.code)
    return found


@pytest.mark.parametrize("make", [embedding, take_along_axis])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index", [3, 100, -4, -100])
def test_index_out_of_range_fails(make: Any, dtype: str, index: int) -> None:
    x = np.array([[0, 1], [2, index % 256 if dtype == "uint8" else index]], dtype)
    assert answers(make(dtype), x) == ["index-range"] * 2


@pytest.mark.parametrize("make", [embedding, take_along_axis])
def test_indices_beyond_32_bits_fail(make: Any) -> None:
    assert answers(make("int64"), np.array([[2**32, 0]])) == ["index-range"] * 2


@pytest.mark.parametrize("make", [embedding, take_along_axis])
def test_no_row_has_no_index_that_is_out_of_range(make: Any) -> None:
    assert answers(make(), np.zeros((0, 2), np.int32)) == [[], []]


@pytest.mark.parametrize("make", [embedding, take_along_axis])
def test_indices_at_the_ends_are_in_range(make: Any) -> None:
    first, second = answers(make(), np.array([[-3, 2]], np.int32))
    assert np.ravel(first).tolist() == np.ravel(second).tolist() == [0.5, 2.5]


@pytest.mark.parametrize("indices", [(3,), (0, 3), (-4,), (2**31 - 1,), (-(2**31),)])
def test_index_of_a_constant_is_checked_in_each_call(indices: tuple[int, ...]) -> None:
    """Whether the axis has it, only the call tells where the axis is a symbol."""
    assert answers(take(*indices), np.zeros((2, 3), np.float32)) == ["index-range"] * 2


def test_index_that_a_shorter_axis_does_not_have() -> None:
    x = np.arange(10, dtype=np.float32).reshape(2, 5)
    assert answers(take(4, -5), x) == [[[4, 0], [9, 5]]] * 2
    assert answers(take(4, -5), x[:, :4]) == ["index-range"] * 2


@pytest.mark.parametrize("kind", ["embedding", "take"])
def test_sequence_longer_than_its_table_fails(kind: str) -> None:
    x = np.zeros((2, 4), np.float32)
    assert answers(table(kind), x[:, :3]) == [[[0.5, 1.5, 2.5]] * 2] * 2
    assert answers(table(kind), x) == ["index-range"] * 2


def test_one_hot_takes_any_index() -> None:
    file = document(
        [value("x", ["batch", 1], "int64")],
        [layer("one_hot", ["x"], value("y", ["batch", 1, 2], "int8"), num_classes=2, dtype="int8")],
        ["y"],
    )
    x = np.array([[0], [-1], [2], [2**63 - 1], [-(2**63)]])
    assert answers(file, x) == [[[[1, 0]], *[[[0, 0]]] * 4]] * 2


@pytest.mark.parametrize("steps", [2, 4])
def test_another_number_of_rows_than_there_were_does_not_unfold(steps: int) -> None:
    x = np.ones((2, 3, 2), np.float32)
    assert answers(unfold(), x, np.zeros((2, 3), np.float32)) == [x.tolist()] * 2
    assert answers(unfold(), x, np.zeros((2, steps), np.float32)) == ["shape"] * 2


@pytest.mark.parametrize(
    ("mode", "before", "after", "least"), [("reflect", 2, 0, 3), ("reflect", 1, 2, 3), ("symmetric", 2, 3, 3)]
)
def test_symbol_too_small_for_its_padding_fails(mode: str, before: int, after: int, least: int) -> None:
    x = np.ones((2, least), np.float32)
    assert answers(pad(mode, before, after), x) == [np.ones((2, least + before + after)).tolist()] * 2
    assert answers(pad(mode, before, after), x[:, 1:]) == ["shape"] * 2
