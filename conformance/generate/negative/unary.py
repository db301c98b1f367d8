"""Faults of operators of one input: attributes, the number of inputs, their dtype."""

from __future__ import annotations

from typing import Any

from generate.encoding import document, layer, value
from generate.negative.declare import numbers, unary
from generate.negative.operators import (
    AXES,
    AXIS,
    BOOLEAN,
    DTYPE,
    NONZERO,
    NOT_NEGATIVE,
    NUMBER,
    TARGET_SHAPE,
    Shape,
    case,
    every,
    weighted,
)

# op -> (attribute -> (a sound item, faults)), the shape of x, that of y
ATTRIBUTES: dict[str, tuple[dict[str, tuple[Any, dict[str, Any]]], Shape, Shape]] = {
    "leaky_relu": ({"negative_slope": (0.25, NUMBER)}, ["batch", 4], ["batch", 4]),
    "thresholded_relu": (
        {"negative_slope": (0.25, NUMBER), "threshold": (1.0, NUMBER)},
        ["batch", 4],
        ["batch", 4],
    ),
    "clipped_relu": (
        {"max_value": (6.0, NOT_NEGATIVE), "negative_slope": (0.25, NUMBER), "threshold": (1.0, NUMBER)},
        ["batch", 4],
        ["batch", 4],
    ),
    "elu": ({"alpha": (1.0, NUMBER)}, ["batch", 4], ["batch", 4]),
    "celu": ({"alpha": (1.0, NONZERO)}, ["batch", 4], ["batch", 4]),
    "gelu": ({"approximate": (False, BOOLEAN)}, ["batch", 4], ["batch", 4]),
    "hard_shrink": ({"threshold": (0.5, NUMBER)}, ["batch", 4], ["batch", 4]),
    "soft_shrink": ({"threshold": (0.5, NUMBER)}, ["batch", 4], ["batch", 4]),
    "threshold": ({"threshold": (0.5, NUMBER), "default_value": (0.0, NUMBER)}, ["batch", 4], ["batch", 4]),
    "squareplus": ({"b": (4.0, NOT_NEGATIVE)}, ["batch", 4], ["batch", 4]),
    "softmax": ({"axes": ([1], AXES)}, ["batch", 3, 4], ["batch", 3, 4]),
    "log_softmax": ({"axes": ([1], AXES)}, ["batch", 3, 4], ["batch", 3, 4]),
    "sparsemax": ({"axis": (1, AXIS)}, ["batch", 4], ["batch", 4]),
    "cumulative_sparsemax": ({"axis": (1, AXIS)}, ["batch", 4], ["batch", 4]),
    "glu": ({"axis": (1, AXIS)}, ["batch", 4], ["batch", 2]),
    "concatenate": ({"axis": (1, AXIS)}, ["batch", 4], ["batch", 4]),
    "reshape": ({"target_shape": ([2, 2], TARGET_SHAPE)}, ["batch", 4], ["batch", 2, 2]),
    "cast": ({"dtype": ("float32", DTYPE)}, ["batch", 4], ["batch", 4]),
}
PLAIN = (
    "exponential",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "tanh",
    "tanh_shrink",
    "identity",
)


def attributes_of(op: str) -> dict[str, Any]:
    return {key: item for key, (item, _) in ATTRIBUTES[op][0].items()}


for _op, (_known, _x, _y) in ATTRIBUTES.items():
    # not `unary`: it would take cast's attribute for the dtype of the values
    _file = document([value("x", _x)], [layer(_op, ["x"], value("y", _y), **attributes_of(_op))], ["y"])
    every(_op, _file, _known)
for _op in PLAIN:
    every(_op, unary(_op), {})


# Inputs of operators of one input: how many, of which dtype

for _op in (*ATTRIBUTES, *PLAIN):
    if _op == "concatenate":
        continue
    _known, _x, _y = ATTRIBUTES.get(_op, ({}, ["batch", 4], ["batch", 4]))
    _given = attributes_of(_op) if _known else {}
    case(
        _op,
        "two-inputs",
        "An input too many.",
        "input-count",
        "0/inputs",
        document([value("x", _x)], [layer(_op, ["x", "x"], value("y", _y), **_given)], ["y"]),
    )
    if _op not in ("identity", "cast", "reshape"):
        case(
            _op,
            "integers",
            "Integers where numbers belong.",
            "dtype-mismatch",
            "0/inputs/0",
            unary(_op, _x, _y, "int32", **_given),
            "C1",
        )

for _op in ("relu", "identity", "concatenate"):
    _given = {"axis": 1} if _op == "concatenate" else {}
    case(
        _op,
        "no-input",
        "An operator without its input.",
        "input-count",
        "1/inputs",
        document(
            [value("x", ["batch", 4])],
            [layer("tanh", ["x"], value("z", ["batch", 4])), layer(_op, [], value("y", ["batch", 4]), **_given)],
            ["z", "y"],
        ),
    )

case(
    "relu",
    "weight-unknown",
    "A weight, of an operator that has none.",
    "weight-unknown",
    "0/weights/kernel",
    weighted("relu", ["batch", 4], ["batch", 4], {"kernel": numbers(4)}),
)
