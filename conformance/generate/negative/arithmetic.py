"""Faults of add, subtract, multiply, divide, maximum, minimum."""

from __future__ import annotations

from generate.encoding import document, layer, value
from generate.negative.declare import numbers, unary
from generate.negative.operators import case, every, inputs
from generate.pages import quote

_SYMBOLS = quote(
    "ops/elementwise.md",
    "anything else breaks C2. Two different symbols, or a symbol and a number other than 1, do not broadcast, whatever "
    "they stand for in a call.",
)

for _op in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
    _four = ["batch", 4]
    _sound = inputs(_op, _four, _four, made=_four)
    every(_op, _sound, {})
    case(_op, "one-input", "An input is missing.", "input-count", "0/inputs", unary(_op))
    case(
        _op,
        "three-inputs",
        "An input too many.",
        "input-count",
        "0/inputs",
        inputs(_op, _four, _four, _four, made=_four),
    )
    case(
        _op,
        "integers",
        "Integers where numbers belong.",
        "dtype-mismatch",
        "0/inputs/0",
        inputs(_op, _four, _four, made=_four, dtypes=("int32", "int32")),
        "C1",
    )
    case(
        _op,
        "two-dtypes",
        "float32 and float64.",
        "dtype-mismatch",
        "0/inputs/1",
        inputs(_op, _four, _four, made=_four, dtypes=("float32", "float64")),
        "C1",
    )
    case(
        _op,
        "broadcast",
        "3 and 4 do not broadcast.",
        "broadcast-mismatch",
        "0/inputs/1",
        inputs(_op, ["batch", 3], _four, made=_four),
        "C2",
    )
    case(
        _op,
        "broadcast-multiple",
        "2 goes into 4, but does not broadcast to it.",
        "broadcast-mismatch",
        "0/inputs/1",
        inputs(_op, _four, ["batch", 2], made=_four),
        "C2",
    )
    case(
        _op,
        "broadcast-symbols",
        "Two symbols do not broadcast, whatever they stand for.",
        "broadcast-mismatch",
        "0/inputs/1",
        inputs(_op, ["batch", "time", 4], ["batch", "steps", 4], made=["batch", "time", 4]),
        "C2",
        _SYMBOLS,
    )
    case(
        _op,
        "broadcast-symbol-and-number",
        "A symbol and a number other than 1.",
        "broadcast-mismatch",
        "0/inputs/1",
        inputs(_op, ["batch", "time", 4], ["batch", 5, 4], made=["batch", "time", 4]),
        "C2",
        _SYMBOLS,
    )
    case(
        _op,
        "broadcast-ranks",
        "Shapes are aligned at their ends.",
        "broadcast-mismatch",
        "1/inputs/1",
        document(
            [value("x", ["batch", 3, 4])],
            [
                layer("constant", [], value("c", [3]), {"value": "v"}),
                layer(_op, ["x", "c"], value("y", ["batch", 3, 4])),
            ],
            ["y"],
            {"v": numbers(3)},
        ),
        "C2",
    )
    case(
        _op,
        "batch-moved",
        "The batch of the input of lower rank comes to lie at axis 1.",
        "batch-axis",
        "0/inputs",
        inputs(_op, ["batch", 1, 4], _four, made=["batch", "batch", 4]),
        "C3",
    )
