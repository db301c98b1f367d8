"""Files of one layer that break a rule of its operator. Labels are those of the pages in spec/ops/."""

from __future__ import annotations

from typing import Any

from generate.encoding import File, Stored, document, layer, value
from generate.negative.declare import reject
from generate.pages import Quote, operator, rules

Shape = list[Any]
FOUR: Shape = ["batch", 4]

GENERAL = {code: label for label, rule in rules().items() for code in rule.codes}
"""Code -> the constraint of every operator that it belongs to."""


def case(
    op: str,
    name: str,
    title: str,
    code: str,
    at: str,
    file: File,
    constraint: str | None = None,
    says: Quote | None = None,
) -> None:
    """A file that breaks a constraint of the operator's page; without a label, one of every operator."""
    label = constraint or GENERAL[code]
    reject(f"{op}/{name}", title, code, f"/layers/{at}", file, constraint=label, level=operator(op).level, says=says)


def weighted(
    op: str, shape: Shape, made: Shape, weights: dict[str, Stored], dtype: str = "float32", **attributes: Any
) -> File:
    """x -> y, one operator with weights."""
    names = {role: role for role in weights}
    return document(
        [value("x", shape, dtype)], [layer(op, ["x"], value("y", made, dtype), names, **attributes)], ["y"], weights
    )


def inputs(
    op: str, *shapes: Shape, made: Shape, dtypes: tuple[str, ...] = (), makes: str = "", **attributes: Any
) -> File:
    """x0, x1, … -> y, one operator; y has the first input's dtype, unless another is named."""
    dtypes = dtypes or ("float32",) * len(shapes)
    inputs = [value(f"x{i}", shape, dtype) for i, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=True))]
    names = [item["name"] for item in inputs]
    return document(inputs, [layer(op, names, value("y", made, makes or dtypes[0]), **attributes)], ["y"])


# Attributes: missing, unknown, of another type, out of range

AXIS = {
    "0": (0, "wrong-value"),
    "negative": (-1, "wrong-value"),
    "8": (8, "wrong-value"),
    "float": (1.0, "wrong-type"),
    "boolean": (True, "wrong-type"),
    "list": ([1], "wrong-type"),
}
NUMBER = {"integer": (1, "wrong-type"), "string": ("1.0", "wrong-type"), "boolean": (True, "wrong-type")}
NOT_NEGATIVE = {**NUMBER, "negative": (-0.5, "wrong-value")}
NONZERO = {**NUMBER, "zero": (0.0, "wrong-value"), "minus-zero": (-0.0, "wrong-value")}
BOOLEAN = {"integer": (1, "wrong-type"), "string": ("tanh", "wrong-type")}
AXES = {
    "empty": ([], "wrong-value"),
    "0": ([0, 1], "wrong-value"),
    "negative": ([-1], "wrong-value"),
    "descending": ([2, 1], "wrong-value"),
    "twice": ([1, 1], "wrong-value"),
    "8": ([1, 8], "wrong-value"),
    "integer": (1, "wrong-type"),
    "float": ([1.0], "wrong-type"),
    "boolean": ([True], "wrong-type"),
}
TARGET_SHAPE = {
    "two-inferred": ([-1, -1], "wrong-value"),
    "zero": ([0, 4], "wrong-value"),
    "minus-2": ([-2, 2], "wrong-value"),
    "2-31": ([2**31], "wrong-value"),
    "rank-9": ([1] * 7 + [4], "wrong-value"),
    "integer": (4, "wrong-type"),
    "float": ([4.0], "wrong-type"),
    "symbol": (["time", 4], "wrong-type"),
}
DTYPE = {
    "storage-type": ("float16", "wrong-value"),
    "unknown": ("complex64", "wrong-value"),
    "integer": (32, "wrong-type"),
}


def _changed(file: File, at: int, **attributes: Any) -> File:
    """Other attributes of a layer; None takes one away."""

    def change(header: dict[str, Any]) -> None:
        for key, item in attributes.items():
            header["layers"][at]["attributes"][key] = item
            if item is None:
                del header["layers"][at]["attributes"][key]

    return file.but(change)


def _redeclare(header: dict[str, Any], at: int, **declared: Any) -> None:
    """Another declaration of what a layer makes; the header still requires the dtypes that it uses."""
    header["layers"][at]["outputs"][0].update(declared)
    made = [output for layer in header["layers"] for output in layer["outputs"]]
    typed = [*header["inputs"], *made, *header["tensors"]]
    others = {item for item in header["requires"] if not item.startswith("dtype:")}
    header["requires"] = sorted(others | {f"dtype:{item['dtype']}" for item in typed})


def every(op: str, file: File, attributes: dict[str, tuple[Any, dict[str, Any]]], at: int = 0) -> None:
    """What can be wrong with each operator, G3 to G7.

    Args:
        op: the operator.
        file: a sound one.
        attributes: name -> a sound item, and the faults of others.
        at: the place of the operator's layer.
    """
    case(
        op,
        "attribute-unknown",
        "An attribute that the operator does not have.",
        "attribute-unknown",
        f"{at}/attributes/units",
        _changed(file, at, units=3),
    )
    output = file.header["layers"][at]["outputs"][0]
    other = "float64" if output["dtype"] == "float32" else "float32"
    case(
        op,
        "two-outputs",
        "A layer that makes a second value, which nothing reads.",
        "output-count",
        f"{at}/outputs",
        file.but(lambda h: h["layers"][at]["outputs"].append({**output, "name": "second"})),
    )
    case(
        op,
        "declared-dtype",
        "Another dtype is declared than the operator makes.",
        "dtype-mismatch",
        f"{at}/outputs/0/dtype",
        file.but(lambda h: _redeclare(h, at, dtype=other)),
        "G6",
    )
    *rest, last = output["shape"]
    numbered = isinstance(last, int)
    more = "One element more is declared along the last axis" if numbered else "A dimension more is declared"
    shape = [*rest, last + 1] if numbered else [*rest, last, 1]
    case(
        op,
        "declared-shape",
        f"{more} than the operator makes.",
        "shape-declared",
        f"{at}/outputs/0/shape",
        file.but(lambda h: _redeclare(h, at, shape=shape)),
    )
    for key, (_, faults) in attributes.items():
        name = key.replace("_", "-")
        case(
            op,
            f"{name}-missing",
            f"Without {key}: nothing has a default.",
            "attribute-missing",
            f"{at}/attributes",
            _changed(file, at, **{key: None}),
        )
        for fault, (item, code) in faults.items():
            what = "of another type" if code == "wrong-type" else "out of its range"
            case(
                op,
                f"{name}-{fault}",
                f"{key} is {what}.",
                code,
                f"{at}/attributes/{key}",
                _changed(file, at, **{key: item}),
            )
