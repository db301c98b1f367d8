"""Faults of transpose, expand_dims, squeeze, slice, flip, pad, repeat, tile; and of broadcast_batch, fold, unfold."""

from __future__ import annotations

from typing import Any

from generate.encoding import File, document, layer, value
from generate.negative.declare import numbers, put, reject
from generate.negative.operators import AXES, AXIS, FOUR, Shape, case, every
from generate.pages import operator, quote

STRINGS = quote("README.md", "**any**, as the dtype of an input, is every dtype but string (`dtype-mismatch`).")

PERM: dict[str, tuple[Any, str]] = {
    "empty": ([], "wrong-value"),
    "without-0": ([1, 2], "wrong-value"),
    "moved-0": ([1, 0], "wrong-value"),
    "twice": ([0, 1, 1], "wrong-value"),
    "gap": ([0, 2], "wrong-value"),
    "negative": ([0, -1], "wrong-value"),
    "nine": (list(range(9)), "wrong-value"),
    "integer": (0, "wrong-type"),
    "float": ([0, 1.0], "wrong-type"),
    "boolean": ([False, True], "wrong-type"),
}
BOUND: dict[str, tuple[Any, str]] = {
    "2-31": (2**31, "wrong-value"),
    "minus-2-31": (-(2**31), "wrong-value"),
    "float": (1.0, "wrong-type"),
    "boolean": (True, "wrong-type"),
    "string": ("end", "wrong-type"),
}
FROM_1: dict[str, tuple[Any, str]] = {
    "zero": (0, "wrong-value"),
    "negative": (-1, "wrong-value"),
    "2-31": (2**31, "wrong-value"),
    "float": (2.0, "wrong-type"),
    "boolean": (True, "wrong-type"),
    "list": ([2], "wrong-type"),
}
REPEATS: dict[str, tuple[Any, str]] = {
    "empty": ([], "wrong-value"),
    "of-rows": ([2, 2], "wrong-value"),
    "zero": ([1, 0], "wrong-value"),
    "negative": ([1, -2], "wrong-value"),
    "2-31": ([1, 2**31], "wrong-value"),
    "nine": ([1] * 9, "wrong-value"),
    "integer": (2, "wrong-type"),
    "float": ([1, 2.0], "wrong-type"),
    "boolean": ([True, True], "wrong-type"),
}
PAD_WIDTH: dict[str, tuple[Any, str]] = {
    "empty": ([], "wrong-value"),
    "odd": ([0, 0, 1], "wrong-value"),
    "of-rows": ([1, 0, 1, 1], "wrong-value"),
    "behind-rows": ([0, 1, 1, 1], "wrong-value"),
    "negative": ([0, 0, -1, 2], "wrong-value"),
    "2-31": ([0, 0, 2**31, 0], "wrong-value"),
    "eighteen": ([0] * 18, "wrong-value"),
    "integer": (1, "wrong-type"),
    "pairs": ([[0, 0], [1, 1]], "wrong-type"),
    "float": ([0, 0, 1.0, 1], "wrong-type"),
}
MODE: dict[str, tuple[Any, str]] = {
    "wrap": ("wrap", "wrong-value"),
    "upper-case": ("REFLECT", "wrong-value"),
    "integer": (0, "wrong-type"),
}
NUMBER: dict[str, tuple[Any, str]] = {"integer": (0, "wrong-type"), "string": ("0.0", "wrong-type")}

PAD: dict[str, Any] = {"pad_width": [0, 0, 1, 1], "mode": "constant", "constant_value": 0.0}
SLICE: dict[str, Any] = {"axis": 1, "start": 1, "stop": 3, "step": 1}

# op -> the shapes of x and y, sound attributes, their faults
MOVING: dict[str, tuple[Shape, Shape, dict[str, Any], dict[str, dict[str, tuple[Any, str]]]]] = {
    "transpose": (["batch", 3, 4], ["batch", 4, 3], {"perm": [0, 2, 1]}, {"perm": PERM}),
    "expand_dims": (FOUR, ["batch", 1, 4], {"axis": 1}, {"axis": AXIS}),
    "squeeze": (["batch", 1, 4], FOUR, {"axes": [1]}, {"axes": AXES}),
    "slice": (FOUR, ["batch", 2], SLICE, {"axis": AXIS, "start": BOUND, "stop": BOUND, "step": FROM_1}),
    "flip": (FOUR, FOUR, {"axes": [1]}, {"axes": AXES}),
    "pad": (FOUR, ["batch", 6], PAD, {"pad_width": PAD_WIDTH, "mode": MODE, "constant_value": NUMBER}),
    "repeat": (FOUR, ["batch", 8], {"axis": 1, "repeats": 2}, {"axis": AXIS, "repeats": FROM_1}),
    "tile": (FOUR, ["batch", 8], {"repeats": [1, 2]}, {"repeats": REPEATS}),
}


def _one(
    op: str, x: Shape | None = None, y: Shape | None = None, dtype: str = "float32", times: int = 1, **attributes: Any
) -> File:
    """x -> y, with some attributes other than the sound ones."""
    sound_x, sound_y, sound, _ = MOVING[op]
    made = layer(op, ["x"] * times, value("y", y or sound_y, dtype))
    made["attributes"] = {**sound, **attributes}
    return document([value("x", x or sound_x, dtype)], [made], ["y"])


def strings(op: str, file: File, place: int = 0, at: int = 0) -> None:
    where = f"/layers/{at}/inputs/{place}"
    level = operator(op).level
    reject(f"{op}/strings", "Strings, which no layer moves.", "dtype-mismatch", where, file, level=level, says=STRINGS)


for _op, (_x, _y, _, _faults) in MOVING.items():
    every(_op, _one(_op), {key: (MOVING[_op][2][key], faults) for key, faults in _faults.items()})
    case(_op, "two-inputs", "An input too many.", "input-count", "0/inputs", _one(_op, times=2))
    case(_op, "no-input", "No input.", "input-count", "0/inputs", _one(_op, times=0))
    _text = value("text", _x, "string")
    if _op != "pad":
        strings(
            _op,
            document([_text], [layer(_op, ["text"], value("y", _y), **MOVING[_op][2])], ["y"]),
        )

_WIDE: Shape = ["batch", 1, 2, 1, 2, 1, 2, 1]

# op, name, title, code, at, x, y, attributes, constraint
for _op, _name, _title, _code, _at, _x, _y, _given, _label in (
    ("transpose", "rank-below", "Two axes of three.", "rank-range", "inputs/0", ["batch", 3], ["batch", 3], {}, "C1"),
    (
        "transpose",
        "rank-above",
        "Three axes of two.",
        "rank-range",
        "inputs/0",
        ["batch", 3, 4, 5],
        ["batch", 4, 3, 5],
        {},
        "C1",
    ),
    (
        "expand_dims",
        "rank-8",
        "A ninth dimension.",
        "rank-range",
        "inputs/0",
        _WIDE,
        ["batch", *_WIDE[1:]],
        {"axis": 7},
        "C1",
    ),
    (
        "expand_dims",
        "axis-beyond-rank",
        "An axis of y that would not be the last one.",
        "axis-range",
        "attributes/axis",
        FOUR,
        ["batch", 4, 1],
        {"axis": 3},
        "C2",
    ),
    (
        "squeeze",
        "axis-beyond-rank",
        "The second of the axes is beyond the rank.",
        "axis-range",
        "attributes/axes",
        ["batch", 1, 4],
        FOUR,
        {"axes": [1, 3]},
        "C1",
    ),
    (
        "squeeze",
        "four",
        "An axis of four.",
        "axis-size",
        "inputs/0",
        ["batch", 1, 4],
        ["batch", 1],
        {"axes": [2]},
        "C2",
    ),
    (
        "squeeze",
        "one-and-four",
        "An axis of one and an axis of four.",
        "axis-size",
        "inputs/0",
        ["batch", 1, 4, 3],
        ["batch", 3],
        {"axes": [1, 2]},
        "C2",
    ),
    (
        "squeeze",
        "symbol",
        "A symbol, which may stand for 1.",
        "axis-size",
        "inputs/0",
        ["batch", "time", 4],
        FOUR,
        {"axes": [1]},
        "C2",
    ),
    (
        "slice",
        "axis-beyond-rank",
        "Axis 2 of two axes.",
        "axis-range",
        "attributes/axis",
        FOUR,
        FOUR,
        {"axis": 2},
        "C1",
    ),
    (
        "slice",
        "nothing",
        "From an element up to itself.",
        "dimension-range",
        "attributes",
        FOUR,
        ["batch", 1],
        {"start": 2, "stop": 2},
        "C2",
    ),
    (
        "slice",
        "backwards",
        "It ends before it begins.",
        "dimension-range",
        "attributes",
        FOUR,
        ["batch", 1],
        {"start": -1, "stop": 1},
        "C2",
    ),
    (
        "slice",
        "behind-the-end",
        "From behind the last element on.",
        "dimension-range",
        "attributes",
        FOUR,
        ["batch", 1],
        {"start": 4, "stop": 9},
        "C2",
    ),
    (
        "slice",
        "before-the-start",
        "Up to before the first element.",
        "dimension-range",
        "attributes",
        FOUR,
        ["batch", 1],
        {"start": 0, "stop": -4},
        "C2",
    ),
    (
        "slice",
        "declared-rounded-down",
        "Two of three elements, where a step counts the last one too.",
        "shape-declared",
        "outputs/0/shape",
        ["batch", 5],
        ["batch", 2],
        {"start": 0, "stop": 5, "step": 2},
        None,
    ),
    (
        "slice",
        "symbol-declared",
        "The symbol of x for a part of it that all of it is declared to be.",
        "shape-declared",
        "outputs/0/shape",
        ["batch", "time"],
        ["batch", "other"],
        {"start": 0, "stop": 2**31 - 1},
        None,
    ),
    (
        "flip",
        "axis-beyond-rank",
        "The last of the axes is beyond the rank.",
        "axis-range",
        "attributes/axes",
        FOUR,
        FOUR,
        {"axes": [1, 2]},
        "C1",
    ),
    (
        "pad",
        "rank-below",
        "Widths of three axes for two.",
        "rank-range",
        "inputs/0",
        FOUR,
        ["batch", 6],
        {"pad_width": [0, 0, 1, 1, 0, 0]},
        "C2",
    ),
    (
        "pad",
        "rank-above",
        "Widths of one axis for two.",
        "rank-range",
        "inputs/0",
        FOUR,
        FOUR,
        {"pad_width": [0, 0]},
        "C2",
    ),
    (
        "pad",
        "reflect-before",
        "Four elements reflect three, not four.",
        "axis-size",
        "inputs/0",
        FOUR,
        ["batch", 8],
        {"pad_width": [0, 0, 4, 0], "mode": "reflect"},
        "C4",
    ),
    (
        "pad",
        "reflect-after",
        "The same at the other end, of the last axis.",
        "axis-size",
        "inputs/0",
        ["batch", 4, 3],
        ["batch", 5, 6],
        {"pad_width": [0, 0, 1, 0, 0, 3], "mode": "reflect"},
        "C4",
    ),
    (
        "pad",
        "reflect-one",
        "A single element reflects none.",
        "axis-size",
        "inputs/0",
        ["batch", 1],
        ["batch", 2],
        {"pad_width": [0, 0, 1, 0], "mode": "reflect"},
        "C4",
    ),
    (
        "pad",
        "symmetric-before",
        "Four elements give four, not five.",
        "axis-size",
        "inputs/0",
        FOUR,
        ["batch", 9],
        {"pad_width": [0, 0, 5, 0], "mode": "symmetric"},
        "C4",
    ),
    (
        "pad",
        "symmetric-after",
        "The same at the other end.",
        "axis-size",
        "inputs/0",
        FOUR,
        ["batch", 9],
        {"pad_width": [0, 0, 0, 5], "mode": "symmetric"},
        "C4",
    ),
    (
        "pad",
        "too-large",
        "More elements than a dimension counts.",
        "dimension-range",
        "outputs/0/shape",
        FOUR,
        FOUR,
        {"pad_width": [0, 0, 2**31 - 1, 0]},
        None,
    ),
    (
        "repeat",
        "axis-beyond-rank",
        "Axis 2 of two axes.",
        "axis-range",
        "attributes/axis",
        FOUR,
        FOUR,
        {"axis": 2},
        "C1",
    ),
    (
        "repeat",
        "too-large",
        "More elements than a dimension counts.",
        "dimension-range",
        "outputs/0/shape",
        FOUR,
        FOUR,
        {"repeats": 2**30},
        None,
    ),
    (
        "repeat",
        "symbol-declared",
        "The symbol of x for what is declared to be once as long.",
        "shape-declared",
        "outputs/0/shape",
        ["batch", "time"],
        ["batch", "other"],
        {"repeats": 1},
        None,
    ),
    (
        "tile",
        "rank-below",
        "Copies along three axes of two.",
        "rank-range",
        "inputs/0",
        FOUR,
        ["batch", 8],
        {"repeats": [1, 2, 1]},
        "C1",
    ),
    (
        "tile",
        "rank-above",
        "Copies along one axis of two.",
        "rank-range",
        "inputs/0",
        FOUR,
        FOUR,
        {"repeats": [1]},
        "C1",
    ),
    (
        "tile",
        "activation-limit",
        "More elements than a layer may have.",
        "activation-limit",
        "outputs/0/shape",
        FOUR,
        ["batch", 2**30],
        {"repeats": [1, 2**28]},
        None,
    ),
):
    _file = _one(_op, _x, _y, **_given)
    case(_op, _name, _title, _code, f"0/{_at}", _file, _label)

case(
    "transpose",
    "symbols-declared",
    "The shape of x is declared, whose symbol has moved.",
    "shape-declared",
    "0/outputs/0/shape",
    _one("transpose", ["batch", "time", 4], ["batch", "time", 4]),
)
case(
    "pad",
    "booleans",
    "Truth values have no numbers around them.",
    "dtype-mismatch",
    "0/inputs/0",
    _one("pad", dtype="bool"),
    "C1",
)
for _dtype, _name, _number in (
    ("int32", "fraction", 0.5),
    ("int8", "beyond-int8", 128.0),
    ("uint8", "below-uint8", -1.0),
    ("int32", "beyond-int32", 2.0**31),
    ("int64", "beyond-int64", 2.0**63),
):
    case(
        "pad",
        f"constant-value-{_name}",
        f"{_dtype} does not hold the number that is put around it.",
        "wrong-value",
        "0/attributes/constant_value",
        _one("pad", dtype=_dtype, constant_value=_number),
        "C3",
    )
case(
    "pad",
    "constant-value-unused",
    "C3 holds in the modes that do not use the number too.",
    "wrong-value",
    "0/attributes/constant_value",
    _one("pad", dtype="int8", mode="edge", constant_value=0.5),
    "C3",
)


# broadcast_batch


def _given(*inputs: str, shape: Shape | None = None, made: Shape | None = None) -> File:
    """A constant for every row of x."""
    shape = [1, 3] if shape is None else shape
    return document(
        [value("x", FOUR)],
        [
            layer("constant", [], value("row", shape), {"value": "row"}),
            layer("broadcast_batch", inputs or ["row", "x"], value("y", made or ["batch", 3])),
        ],
        ["y"],
        {"row": numbers(*shape)},
    )


every("broadcast_batch", _given(), {}, at=1)
for _name, _title, _inputs in (
    ("one-input", "Without the rows to count.", ["row"]),
    ("three-inputs", "An input too many.", ["row", "x", "x"]),
):
    case("broadcast_batch", _name, _title, "input-count", "1/inputs", _given(*_inputs))
case(
    "broadcast_batch",
    "scalar",
    "A number without a dimension has no axis 0.",
    "rank-range",
    "1/inputs/0",
    _given(shape=[], made=["batch"]),
    "C1",
)
case(
    "broadcast_batch",
    "two-rows",
    "Two rows for every row.",
    "axis-size",
    "1/inputs/0",
    _given(shape=[2, 3]),
    "C2",
)
case(
    "broadcast_batch",
    "batch",
    "A batch for every row: a symbol is not 1.",
    "axis-size",
    "0/inputs/0",
    document([value("x", FOUR)], [layer("broadcast_batch", ["x", "x"], value("y", FOUR))], ["y"]),
    "C2",
)
case(
    "broadcast_batch",
    "like-scalar",
    "A number without a dimension has no rows to count.",
    "rank-range",
    "2/inputs/1",
    document(
        [value("x", ["batch", 3])],
        [
            layer("constant", [], value("row", [1, 3]), {"value": "row"}),
            layer("constant", [], value("one", []), {"value": "one"}),
            layer("broadcast_batch", ["row", "one"], value("rows", [1, 3])),
            layer("add", ["x", "rows"], value("y", ["batch", 3])),
        ],
        ["y"],
        {"row": numbers(1, 3), "one": numbers()},
    ),
    "C1",
)
_text = _given().but(
    lambda h: (h["inputs"][0].update(dtype="string"), h.update(requires=sorted({*h["requires"], "dtype:string"})))
)
strings("broadcast_batch", _text, place=1, at=1)


# fold, unfold


def _rows(
    *inputs: str,
    x: Shape | None = None,
    rows: Shape | None = None,
    y: Shape | None = None,
    axis: int = 1,
    at: int | None = None,
    dtype: str = "float32",
) -> File:
    """x folded up to an axis, and unfolded as x up to another."""
    x = x or ["batch", 3, 4]
    return document(
        [value("x", x, dtype)],
        [
            layer("fold", ["x"], value("rows", rows or ["rows", 4], dtype), axis=axis),
            layer("unfold", inputs or ["rows", "x"], value("y", y or x, dtype), axis=axis if at is None else at),
        ],
        ["y"],
    )


def _fold_inputs(*inputs: str) -> File:
    return _rows().but(put("layers", 0, "inputs", list(inputs)))


every("fold", _rows(), {"axis": (1, AXIS)})
every("unfold", _rows(), {"axis": (1, AXIS)}, at=1)
case("fold", "two-inputs", "An input too many.", "input-count", "0/inputs", _fold_inputs("x", "x"))
case("fold", "no-input", "No input.", "input-count", "0/inputs", _fold_inputs())
case("unfold", "one-input", "Without the value that has the axes.", "input-count", "1/inputs", _rows("rows"))
case("unfold", "three-inputs", "An input too many.", "input-count", "1/inputs", _rows("rows", "x", "x"))
case(
    "fold",
    "axis-beyond-rank",
    "Axis 3 of three axes.",
    "axis-range",
    "0/attributes/axis",
    _rows(axis=3, at=1, rows=["rows", 4]),
    "C1",
)
case(
    "fold",
    "declared-batch",
    "The rows of x with their steps are not the batch.",
    "shape-declared",
    "0/outputs/0/shape",
    document([value("x", ["batch", 3, 4])], [layer("fold", ["x"], value("y", FOUR), axis=1)], ["y"]),
    says=quote("README.md", 'where the rule says "a new symbol", it is any but `batch`.'),
)
case(
    "unfold",
    "batch",
    "The rows of the batch are not folded.",
    "batch-axis",
    "0/inputs/0",
    document(
        [value("x", FOUR), value("like", ["batch", 1])],
        [layer("unfold", ["x", "like"], value("y", ["batch", 1, 4]), axis=1)],
        ["y"],
    ),
    "C1",
)
case(
    "unfold",
    "number",
    "Twelve rows, which are as many as they have to be.",
    "batch-axis",
    "1/inputs/0",
    document(
        [value("x", ["batch", 3, 4, 2])],
        [
            layer("constant", [], value("c", [12, 2]), {"value": "c"}),
            layer("unfold", ["c", "x"], value("u", ["batch", 3, 2]), axis=1),
        ],
        ["u"],
        {"c": numbers(12, 2)},
    ),
    "C1",
)
case(
    "unfold",
    "scalar",
    "A number without a dimension has no axis 0.",
    "rank-range",
    "1/inputs/0",
    document(
        [value("x", ["batch", 3])],
        [
            layer("constant", [], value("c", []), {"value": "c"}),
            layer("unfold", ["c", "x"], value("y", ["batch", 3]), axis=1),
        ],
        ["y"],
        {"c": numbers()},
    ),
    "C3",
)
case(
    "unfold",
    "axis-beyond-rank",
    "Axis 3 of a value of three axes.",
    "axis-range",
    "1/attributes/axis",
    _rows(at=3, y=["batch", 3, 4]),
    "C2",
)
case(
    "unfold",
    "rank-9",
    "Eight axes, and one behind them.",
    "rank-range",
    "1/inputs/0",
    document(
        [value("x", ["batch", 3, 4]), value("like", _WIDE)],
        [
            layer("fold", ["x"], value("rows", ["rows", 4]), axis=1),
            layer("unfold", ["rows", "like"], value("y", _WIDE), axis=7),
        ],
        ["y"],
    ),
    "C3",
)


def _strings_with_rows(*inputs: str) -> File:
    """Numbers and strings, one of which is folded and unfolded as the other."""
    return document(
        [value("x", ["batch", 3]), value("text", ["batch", 3], "string")],
        [
            layer("fold", inputs[:1], value("rows", ["rows"]), axis=1),
            layer("unfold", ["rows", inputs[1]], value("y", ["batch", 3]), axis=1),
        ],
        ["y"],
    )


strings("fold", _strings_with_rows("text", "x"))
strings("unfold", _strings_with_rows("x", "text"), place=1, at=1)
