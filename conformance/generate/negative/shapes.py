"""Faults of axes and shapes: softmax, log_softmax, sparsemax, glu, reshape, concatenate."""

from __future__ import annotations

from generate.encoding import document, layer, stored, value
from generate.negative.declare import numbers, unary
from generate.negative.operators import FOUR, case, inputs
from generate.pages import quote

# softmax, log_softmax, sparsemax, glu

for _op in ("softmax", "log_softmax"):
    case(
        _op,
        "axis-beyond-rank",
        "The last of the axes is beyond the rank.",
        "axis-range",
        "0/attributes/axes",
        unary(_op, axes=[1, 2]),
        "C2",
    )
for _op, _made in (("sparsemax", ["batch", 4]), ("cumulative_sparsemax", ["batch", 4]), ("glu", ["batch", 2])):
    case(
        _op,
        "axis-beyond-rank",
        "Axis 2 of two axes.",
        "axis-range",
        "0/attributes/axis",
        unary(_op, ["batch", 4], _made, axis=2),
        "C2",
    )
case(
    "glu",
    "odd",
    "Five elements cannot be halved.",
    "axis-odd",
    "0/inputs/0",
    unary("glu", ["batch", 5], ["batch", 2], axis=1),
    "C3",
)
case(
    "glu",
    "symbolic-axis",
    "A number that is not known may be odd.",
    "axis-odd",
    "0/inputs/0",
    unary("glu", ["batch", "time", 4], ["batch", "half", 4], axis=1),
    "C3",
)
case(
    "glu",
    "axis-0-of-constant",
    "Axis 0 of a value that is the same for every row.",
    "wrong-value",
    "1/attributes/axis",
    document(
        [value("x", ["batch", 2, 3])],
        [
            layer("constant", [], value("c", [4, 3]), {"value": "v"}),
            layer("glu", ["c"], value("g", [2, 3]), axis=0),
            layer("add", ["x", "g"], value("y", ["batch", 2, 3])),
        ],
        ["y"],
        {"v": numbers(4, 3)},
    ),
)


# reshape, concatenate

case(
    "reshape",
    "scalar",
    "A value without a dimension has no axis 0 to keep.",
    "rank-range",
    "1/inputs/0",
    document(
        [value("x", ["batch", 4])],
        [
            layer("constant", [], value("c", []), {"value": "v"}),
            layer("reshape", ["c"], value("r", [1]), target_shape=[]),
            layer("add", ["x", "r"], value("y", ["batch", 4])),
        ],
        ["y"],
        {"v": stored(2.0)},
    ),
    "C1",
)
case(
    "reshape",
    "count",
    "4 elements into 6.",
    "reshape-count",
    "0/attributes/target_shape",
    unary("reshape", ["batch", 4], ["batch", 2, 3], target_shape=[2, 3]),
    "C2",
)
case(
    "reshape",
    "count-fewer",
    "4 elements into 2.",
    "reshape-count",
    "0/attributes/target_shape",
    unary("reshape", ["batch", 4], ["batch", 2], target_shape=[2]),
    "C2",
)
case(
    "reshape",
    "symbol-without-infer",
    "A symbol into numbers.",
    "reshape-count",
    "0/attributes/target_shape",
    unary("reshape", ["batch", "time", 4], ["batch", 2, 3], target_shape=[2, 3]),
    "C2",
    quote("ops/reshape.md", "| (batch, time, 4) | [2, 3] | refused: C2 |"),
)
case(
    "reshape",
    "infer-rest",
    "3 does not divide 4.",
    "reshape-count",
    "0/attributes/target_shape",
    unary("reshape", ["batch", 4], ["batch", 3, 1], target_shape=[3, -1]),
    "C3",
)
case(
    "reshape",
    "infer-less-than-1",
    "8 is more than 4: -1 would be less than 1.",
    "reshape-count",
    "0/attributes/target_shape",
    unary("reshape", ["batch", 4], ["batch", 8, 1], target_shape=[8, -1]),
    "C3",
)
for _name, _title, _x, _target, _y, _code in (
    ("two-inferred-ones", "Both -1 can be 1 alone.", [1], [-1, -1], [1, 1], "wrong-value"),
    ("zero-kept", "0 for the dimension that stands there, as other formats have it.", [4], [0], [4], "wrong-value"),
    ("integer-alone", "The only dimension, not in a list.", [4], 4, [4], "wrong-type"),
    ("floats", "Floats for the declared dimensions.", [4], [2.0, 2.0], [2, 2], "wrong-type"),
    ("symbol-kept", "The symbol of x, which -1 would keep.", ["time", 2, 2], ["time", 4], ["time", 4], "wrong-type"),
):
    case(
        "reshape",
        f"target-shape-{_name}",
        _title,
        _code,
        "0/attributes/target_shape",
        unary("reshape", ["batch", *_x], ["batch", *_y], target_shape=_target),
    )

case(
    "concatenate",
    "axis-beyond-rank",
    "Axis 2 of two axes.",
    "axis-range",
    "0/attributes/axis",
    inputs("concatenate", FOUR, FOUR, made=FOUR, axis=2),
    "C1",
)
case(
    "concatenate",
    "two-dtypes",
    "float32 and int32.",
    "dtype-mismatch",
    "0/inputs/1",
    inputs("concatenate", FOUR, FOUR, made=["batch", 8], dtypes=("float32", "int32"), axis=1),
    "C2",
)
case(
    "concatenate",
    "dimension",
    "Another dimension beside the axis.",
    "concatenate-mismatch",
    "0/inputs/1",
    inputs("concatenate", ["batch", 2, 4], ["batch", 3, 4], made=["batch", 2, 8], axis=2),
    "C3",
)
case(
    "concatenate",
    "rank",
    "Another rank.",
    "concatenate-mismatch",
    "0/inputs/1",
    inputs("concatenate", ["batch", 2, 4], ["batch", 4], made=["batch", 3, 4], axis=1),
    "C3",
)
case(
    "concatenate",
    "rank-lower",
    "A rank lower, and the declared sum along the axis.",
    "concatenate-mismatch",
    "0/inputs/1",
    inputs("concatenate", ["batch", 2, 4], ["batch", 4], made=["batch", 6, 4], axis=1),
    "C3",
)
case(
    "concatenate",
    "symbols",
    "Two symbols beside the axis.",
    "concatenate-mismatch",
    "0/inputs/1",
    inputs("concatenate", ["batch", "time", 4], ["batch", "steps", 4], made=["batch", "time", 8], axis=2),
    "C3",
)
case(
    "concatenate",
    "batch-and-number",
    "A constant of one row is not stretched.",
    "concatenate-mismatch",
    "1/inputs/1",
    document(
        [value("x", ["batch", 4])],
        [
            layer("constant", [], value("c", [1, 4]), {"value": "v"}),
            layer("concatenate", ["x", "c"], value("y", ["batch", 8]), axis=1),
        ],
        ["y"],
        {"v": numbers(1, 4)},
    ),
    "C3",
)
