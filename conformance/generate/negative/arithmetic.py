"""Faults of operators of two values that broadcast: arithmetic, comparison, logic."""

from __future__ import annotations

from functools import partial

from generate.encoding import document, layer, stored, value
from generate.negative.declare import numbers
from generate.negative.operators import FOUR, case, every, inputs
from generate.pages import operator, quote

_SYMBOLS = quote(
    "ops/elementwise.md",
    "anything else breaks C2. Two different symbols, or a symbol and a number other than 1, do not broadcast, whatever "
    "they stand for in a call.",
)

FLOATS, NUMBERS, ANY, TRUTHS = "floats", "numbers", "any dtype", "truth values"
OPERATORS = {
    **dict.fromkeys(("divide", "power", "arctan2"), FLOATS),
    **dict.fromkeys(("add", "subtract", "multiply", "maximum", "minimum", "floor_divide", "mod"), NUMBERS),
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal"), NUMBERS),
    **dict.fromkeys(("equal", "not_equal"), ANY),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), TRUTHS),
}
COMPARING = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")

WRONG = {
    FLOATS: ("integers", "int32"),
    NUMBERS: ("bool", "bool"),
    ANY: ("strings", "string"),
    TRUTHS: ("integers", "int32"),
}
"""What the operators take -> what they do not take, in words and as a dtype."""

for _op, _takes in OPERATORS.items():
    _dtype = "bool" if _takes == TRUTHS else "float32"
    _makes = "bool" if _op in COMPARING else ""
    _inputs = partial(inputs, _op, makes=_makes)
    _alike = partial(_inputs, dtypes=(_dtype, _dtype))
    every(_op, _alike(FOUR, FOUR, made=FOUR), {})
    case(
        _op,
        "one-input",
        "An input is missing.",
        "input-count",
        "0/inputs",
        document([value("x", FOUR, _dtype)], [layer(_op, ["x"], value("y", FOUR, _makes or _dtype))], ["y"]),
    )
    case(
        _op,
        "three-inputs",
        "An input too many.",
        "input-count",
        "0/inputs",
        _inputs(FOUR, FOUR, FOUR, made=FOUR, dtypes=(_dtype,) * 3),
    )
    _words, _wrong = WRONG[_takes]
    case(
        _op,
        _words,
        f"{_words.capitalize()} where {_takes} belong{'s' if _takes == ANY else ''}.",
        "dtype-mismatch",
        "0/inputs/0",
        _inputs(FOUR, FOUR, made=FOUR, dtypes=(_wrong, _wrong)),
        "C1",
    )
    _other = "uint8" if _takes == TRUTHS else "float64"
    case(
        _op,
        "two-dtypes",
        f"{_dtype} and {_other}.",
        "dtype-mismatch",
        "0/inputs/1",
        _inputs(FOUR, FOUR, made=FOUR, dtypes=(_dtype, _other)),
        "C1",
    )
    case(
        _op,
        "broadcast",
        "3 and 4 do not broadcast.",
        "broadcast-mismatch",
        "0/inputs/1",
        _alike(["batch", 3], FOUR, made=FOUR),
        "C2",
    )
    case(
        _op,
        "broadcast-multiple",
        "2 goes into 4, but does not broadcast to it.",
        "broadcast-mismatch",
        "0/inputs/1",
        _alike(FOUR, ["batch", 2], made=FOUR),
        "C2",
    )
    case(
        _op,
        "broadcast-symbols",
        "Two symbols do not broadcast, whatever they stand for.",
        "broadcast-mismatch",
        "0/inputs/1",
        _alike(["batch", "time", 4], ["batch", "steps", 4], made=["batch", "time", 4]),
        "C2",
        _SYMBOLS if operator(_op).page == "ops/elementwise.md" else None,
    )
    case(
        _op,
        "broadcast-symbol-and-number",
        "A symbol and a number other than 1.",
        "broadcast-mismatch",
        "0/inputs/1",
        _alike(["batch", "time", 4], ["batch", 5, 4], made=["batch", "time", 4]),
        "C2",
        _SYMBOLS if operator(_op).page == "ops/elementwise.md" else None,
    )
    case(
        _op,
        "broadcast-ranks",
        "Shapes are aligned at their ends.",
        "broadcast-mismatch",
        "1/inputs/1",
        document(
            [value("x", ["batch", 3, 4], _dtype)],
            [
                layer("constant", [], value("c", [3], _dtype), {"value": "v"}),
                layer(_op, ["x", "c"], value("y", ["batch", 3, 4], _makes or _dtype)),
            ],
            ["y"],
            {"v": stored([1, 0, 1], "bool") if _takes == TRUTHS else numbers(3)},
        ),
        "C2",
    )
    case(
        _op,
        "batch-moved",
        "The batch of the input of lower rank comes to lie at axis 1.",
        "batch-axis",
        "0/inputs",
        _alike(["batch", 1, 4], FOUR, made=["batch", "batch", 4]),
        "C3",
    )
