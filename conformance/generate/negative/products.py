"""Faults of matmul and einsum."""

from __future__ import annotations

from typing import Any

from generate.encoding import File, document, layer, value
from generate.negative.declare import numbers
from generate.negative.operators import Shape, case, every, inputs

X1: Shape = ["batch", 2, 3]
X2: Shape = ["batch", 3, 4]
Y: Shape = ["batch", 2, 4]

EQUATION: dict[str, tuple[Any, str]] = {
    "empty": ("", "wrong-value"),
    "one-input": ("abc->ab", "wrong-value"),
    "three-inputs": ("abc,acd,d->abd", "wrong-value"),
    "without-arrow": ("abc,acd", "wrong-value"),
    "space": ("abc,acd -> abd", "wrong-value"),
    "line-break": ("abc,acd->abd\n", "wrong-value"),
    "ellipsis": ("...bc,...cd->...bd", "wrong-value"),
    "digit": ("ab1,a1d->abd", "wrong-value"),
    "letter-beyond-ascii": ("abé,aéd->abd", "wrong-value"),
    "diagonal": ("aba,acd->abd", "wrong-value"),
    "diagonal-of-second": ("abc,acc->ab", "wrong-value"),
    "twice-in-result": ("abc,acd->abb", "wrong-value"),
    "new-in-result": ("abc,acd->abe", "wrong-value"),
    "no-label": (",acd->acd", "wrong-value"),
    "nine-labels": ("abcdefghi,acd->abd", "wrong-value"),
    "list": (["abc", "acd", "abd"], "wrong-type"),
    "integer": (0, "wrong-type"),
}


def _product(
    op: str, first: Shape, second: Shape, made: Shape, dtypes: tuple[str, ...] = (), **attributes: Any
) -> File:
    return inputs(op, first, second, made=made, dtypes=dtypes, **attributes)


for _op, _given in (("matmul", {}), ("einsum", {"equation": "abc,acd->abd"})):
    _sound = _product(_op, X1, X2, Y, **_given)
    every(_op, _sound, {"equation": (_given["equation"], EQUATION)} if _given else {})
    for _name, _title, _names in (
        ("one-input", "Without the second.", ["x0"]),
        ("three-inputs", "An input too many.", ["x0", "x1", "x1"]),
    ):
        case(
            _op,
            _name,
            _title,
            "input-count",
            "0/inputs",
            _sound.but(lambda h, names=_names: h["layers"][0].update(inputs=names)),
        )
    case(
        _op,
        "integers",
        "Integers where floats belong.",
        "dtype-mismatch",
        "0/inputs/0",
        _product(_op, X1, X2, Y, ("int32", "int32"), **_given),
        "C1",
    )
    case(
        _op,
        "two-dtypes",
        "float32 and float64.",
        "dtype-mismatch",
        "0/inputs/1",
        _product(_op, X1, X2, Y, ("float32", "float64"), **_given),
        "C1",
    )


# matmul

for _name, _title, _code, _at, _first, _second, _made, _label in (
    ("rank-1-first", "A vector first.", "rank-range", "0", ["batch"], ["batch", 3], ["batch"], "C2"),
    ("rank-1-second", "A vector second.", "rank-range", "1", ["batch", 2, 3], ["batch"], ["batch", 2], "C2"),
    ("terms", "3 columns and 4 rows.", "operand-shape", "1", X1, ["batch", 4, 3], ["batch", 2, 3], "C3"),
    ("terms-of-1", "A row of 1 is not stretched.", "operand-shape", "1", X1, ["batch", 1, 4], Y, "C3"),
    ("terms-transposed", "The second by its columns.", "operand-shape", "1", X1, ["batch", 4, 3], Y, "C3"),
    (
        "terms-symbols",
        "Two symbols, whatever they stand for.",
        "operand-shape",
        "1",
        ["batch", 2, "a"],
        ["batch", "b", 4],
        Y,
        "C3",
    ),
    (
        "terms-symbol-and-number",
        "A symbol and a number.",
        "operand-shape",
        "1",
        ["batch", 2, "a"],
        ["batch", 3, 4],
        Y,
        "C3",
    ),
    (
        "leading",
        "2 and 3 matrices.",
        "broadcast-mismatch",
        "1",
        ["batch", 2, 2, 3],
        ["batch", 3, 3, 4],
        ["batch", 2, 2, 4],
        "C4",
    ),
    (
        "leading-symbols",
        "Two symbols do not broadcast.",
        "broadcast-mismatch",
        "1",
        ["batch", "a", 2, 3],
        ["batch", "b", 3, 4],
        ["batch", "a", 2, 4],
        "C4",
    ),
):
    case("matmul", _name, _title, _code, f"0/inputs/{_at}", _product("matmul", _first, _second, _made), _label)
for _name, _title, _first, _second, _made in (
    ("batch-behind", "The rows of the first become those of each matrix.", ["batch", 3], X2, ["batch", 1, 4]),
    (
        "batch-moved",
        "The batch of the input of lower rank comes to lie at axis 1.",
        ["batch", 1, 2, 3],
        X2,
        ["batch", 1, 2, 4],
    ),
):
    case("matmul", _name, _title, "batch-axis", "0/inputs", _product("matmul", _first, _second, _made), "C5")
case(
    "matmul",
    "batch-of-columns",
    "The rows of the second become columns.",
    "operand-shape",
    "1/inputs/1",
    document(
        [value("x", ["batch", 3])],
        [
            layer("constant", [], value("c", [2, 3]), {"value": "c"}),
            layer("matmul", ["c", "x"], value("y", ["batch", 2])),
        ],
        ["y"],
        {"c": numbers(2, 3)},
    ),
    "C3",
)


# einsum

for _name, _title, _code, _at, _first, _second, _made, _equation, _label in (
    ("rank-below", "Two axes for three labels.", "rank-range", "0", ["batch", 3], X2, Y, "abc,acd->abd", "C2"),
    ("rank-above", "Three axes for two labels.", "rank-range", "1", X1, X2, ["batch", 2], "abc,ac->ab", "C2"),
    (
        "dimension",
        "3 and 4 for one label.",
        "operand-shape",
        "1",
        X1,
        ["batch", 4, 3],
        ["batch", 2, 3],
        "abc,acd->abd",
        "C3",
    ),
    (
        "dimension-of-1",
        "1 and 3 for one label: nothing is stretched.",
        "operand-shape",
        "1",
        X1,
        ["batch", 1, 4],
        Y,
        "abc,acd->abd",
        "C3",
    ),
    (
        "symbols",
        "Two symbols for one label.",
        "operand-shape",
        "1",
        ["batch", 2, "a"],
        ["batch", "b", 4],
        Y,
        "abc,acd->abd",
        "C3",
    ),
    (
        "symbol-and-number",
        "A symbol and a number for one label.",
        "operand-shape",
        "1",
        ["batch", 2, "a"],
        X2,
        Y,
        "abc,acd->abd",
        "C3",
    ),
    (
        "batch-and-number",
        "The batch and a number for one label.",
        "operand-shape",
        "1",
        ["batch", 3],
        ["batch", 4],
        ["batch", 4],
        "ab,bc->ac",
        "C3",
    ),
    (
        "batch-moved",
        "The batch is the second axis of the result.",
        "batch-axis",
        "0",
        X1,
        X2,
        ["batch", 4],
        "abc,acd->bad",
        "C4",
    ),
    (
        "batch-of-second",
        "Each row with every row.",
        "batch-axis",
        "1",
        ["batch", 3],
        ["batch", 3],
        ["batch", 1],
        "ab,cb->ac",
        "C4",
    ),
):
    case(
        "einsum",
        _name,
        _title,
        _code,
        f"0/inputs/{_at}",
        _product("einsum", _first, _second, _made, equation=_equation),
        _label,
    )
case(
    "einsum",
    "batch-summed",
    "The rows are added up, and their sum is added to every row.",
    "batch-axis",
    "1/inputs/0",
    document(
        [value("x", X1), value("z", Y)],
        [
            layer("constant", [], value("kernel", [3, 4]), {"value": "kernel"}),
            layer("einsum", ["x", "kernel"], value("sum", [2, 4]), equation="abc,cd->bd"),
            layer("add", ["z", "sum"], value("y", Y)),
        ],
        ["y"],
        {"kernel": numbers(3, 4)},
    ),
    "C4",
)
case(
    "einsum",
    "declared-in-order",
    "The dimensions are declared in the order of the alphabet.",
    "shape-declared",
    "0/outputs/0/shape",
    _product("einsum", X1, X2, Y, equation="abc,acd->adb"),
)
