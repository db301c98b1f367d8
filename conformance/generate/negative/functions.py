"""Faults of functions of one number, of what is reduced or added up along axes, and of where."""

from __future__ import annotations

from typing import Any

from generate.encoding import File, document, layer, value
from generate.negative.operators import AXES, AXIS, BOOLEAN, FOUR, Shape, case, every, inputs

Attributes = dict[str, tuple[Any, dict[str, Any]]]
"""Attribute -> a sound item, and faults."""

FLOATS = (
    *("floor", "ceil", "round", "trunc", "sqrt", "reciprocal", "rsqrt", "expm1", "log", "log1p", "log2", "log10"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arctanh"),
    *("erf", "erfc", "isnan", "isinf", "isfinite"),
)
NUMBERS = ("abs", "negative", "sign", "square")

REDUCED: Attributes = {"axes": ([1], AXES), "keepdims": (False, BOOLEAN)}
FOUND: Attributes = {"axis": (1, AXIS), "keepdims": (False, BOOLEAN)}
RUNNING: Attributes = {"axis": (1, AXIS)}


def _one(op: str, dtype: str, made: Shape, makes: str, x: int = 1, **attributes: Any) -> File:
    """x -> y, of so many times x."""
    y = value("y", made, makes)
    return document([value("x", FOUR, dtype)], [layer(op, ["x"] * x, y, **attributes)], ["y"])


def _declare(op: str, dtype: str, made: Shape, makes: str, wrong: str, attributes: Attributes) -> None:
    """What can be wrong with an operator of one input.

    Args:
        op: the operator.
        dtype: that it takes.
        made: the shape that it makes of (batch, 4).
        makes: the dtype of that; "" where the input's stays.
        wrong: a dtype that it does not take.
        attributes: its attributes.
    """
    given = {key: item for key, (item, _) in attributes.items()}
    sound = _one(op, dtype, made, makes or dtype, **given)
    every(op, sound, attributes)
    case(
        op,
        "two-inputs",
        "An input too many.",
        "input-count",
        "0/inputs",
        _one(op, dtype, made, makes or dtype, x=2, **given),
    )
    case(
        op,
        wrong,
        f"{wrong} where {dtype} belongs.",
        "dtype-mismatch",
        "0/inputs/0",
        _one(op, wrong, made, makes or wrong, **given),
        "C1",
    )
    for key in attributes.keys() & {"axis", "axes"}:
        beyond = {**given, key: [1, 2] if key == "axes" else 2}
        case(
            op,
            f"{key}-beyond-rank",
            "Axis 2, where there are 0 and 1.",
            "axis-range",
            f"0/attributes/{key}",
            _one(op, dtype, made, makes or dtype, **beyond),
            "C2",
        )


for _op in FLOATS:
    _declare(_op, "float32", FOUR, "bool" if _op.startswith("is") else "", "int32", {})
for _op in NUMBERS:
    _declare(_op, "float32", FOUR, "", "bool", {})
_declare("logical_not", "bool", FOUR, "", "float32", {})
for _op in ("sum", "prod", "max", "min"):
    _declare(_op, "float32", ["batch"], "", "bool", REDUCED)
for _op in ("mean", "variance", "logsumexp"):
    _declare(_op, "float32", ["batch"], "", "int32", REDUCED)
for _op in ("any", "all"):
    _declare(_op, "bool", ["batch"], "", "float32", REDUCED)
for _op in ("argmax", "argmin"):
    _declare(_op, "float32", ["batch"], "int32", "bool", FOUND)
for _op in ("cumsum", "cumprod"):
    _declare(_op, "float32", FOUR, "", "int8", RUNNING)


# where


def _where(
    *shapes: Shape,
    made: Shape = FOUR,
    dtypes: tuple[str, ...] = ("bool", "float32", "float32"),
    makes: str = "float32",
) -> File:
    return inputs("where", *shapes, made=made, dtypes=dtypes, makes=makes)


every("where", _where(FOUR, FOUR, FOUR), {})
for _n in (2, 4):
    case(
        "where",
        f"{_n}-inputs",
        f"{_n} inputs in the place of 3.",
        "input-count",
        "0/inputs",
        _where(*[FOUR] * _n, dtypes=("bool", *["float32"] * (_n - 1))),
    )
case(
    "where",
    "condition-of-numbers",
    "A condition that is no bool.",
    "dtype-mismatch",
    "0/inputs/0",
    _where(FOUR, FOUR, FOUR, dtypes=("int32", "float32", "float32")),
    "C1",
)
case(
    "where",
    "strings",
    "Values of dtype string.",
    "dtype-mismatch",
    "0/inputs/1",
    _where(FOUR, FOUR, FOUR, dtypes=("bool", "string", "string")),
    "C2",
)
case(
    "where",
    "two-dtypes",
    "float32 and int32.",
    "dtype-mismatch",
    "0/inputs/2",
    _where(FOUR, FOUR, FOUR, dtypes=("bool", "float32", "int32")),
    "C2",
)
for _place, _shapes in enumerate(((["batch", 3], FOUR, FOUR), (FOUR, ["batch", 3], FOUR), (FOUR, FOUR, ["batch", 2]))):
    case(
        "where",
        f"broadcast-{_place}",
        "One of the three does not broadcast with the others.",
        "broadcast-mismatch",
        f"0/inputs/{max(_place, 1)}",
        _where(*_shapes),
        "C3",
    )
case(
    "where",
    "broadcast-symbols",
    "Two symbols do not broadcast, whatever they stand for.",
    "broadcast-mismatch",
    "0/inputs/2",
    _where(["batch", "time", 4], ["batch", 1, 4], ["batch", "steps", 4], made=["batch", "time", 4]),
    "C3",
)
case(
    "where",
    "batch-moved",
    "The batch of the condition comes to lie at axis 1.",
    "batch-axis",
    "0/inputs",
    _where(FOUR, ["batch", 1, 4], ["batch", 1, 4], made=["batch", "batch", 4]),
    "C4",
)
