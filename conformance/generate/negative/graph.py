"""Faults of the graph that concern no operator in particular, and of the self-test."""

from __future__ import annotations

from typing import Any

from generate.encoding import File, document, layer, stored, value
from generate.negative.declare import TESTED, numbers, put, reject
from generate.negative.operators import GENERAL
from generate.pages import operator

X, Y = value("x", ["batch", 4]), value("y", ["batch", 4])


def _model(layers: Any, outputs: Any = ("y",), inputs: Any = (X,), **rest: Any) -> File:
    return document(inputs, layers, outputs, **rest)


def _graph(case_id: str, title: str, code: str, at: str, file: File) -> None:
    reject(f"graph/{case_id}", title, code, at, file, constraint=GENERAL.get(code))


_H = value("h", ["batch", 4])
_TWO = [layer("relu", ["x"], _H), layer("tanh", ["h"], Y)]
_graph(
    "duplicate-layer",
    "Two layers of one name.",
    "duplicate-layer",
    "/layers/1/name",
    _model(_TWO).but(put("layers", 1, "name", "h")),
)
_graph(
    "duplicate-value",
    "Two layers make a value of one name.",
    "duplicate-value",
    "/layers/1/outputs/0/name",
    _model([layer("relu", ["x"], Y), {**layer("tanh", ["x"], Y), "name": "again"}]),
)
_graph(
    "duplicate-input",
    "Two inputs of one name.",
    "duplicate-value",
    "/inputs/1/name",
    _model([layer("add", ["x", "x"], Y)], inputs=[X, X]),
)
_graph(
    "input-made-again",
    "A layer makes a value of an input's name.",
    "duplicate-value",
    "/layers/0/outputs/0/name",
    _model([layer("relu", ["x"], X)], ["x"]),
)
_graph(
    "undefined-value",
    "A layer reads what nothing makes.",
    "undefined-value",
    "/layers/0/inputs/0",
    _model([layer("relu", ["z"], Y)]),
)
_graph(
    "forward-reference",
    "A layer reads what the next one makes.",
    "forward-reference",
    "/layers/0/inputs/0",
    _model(_TWO[::-1]),
)
_graph(
    "forward-reference-of-output",
    "A layer reads what the next one makes; both are outputs, so that neither is dead.",
    "forward-reference",
    "/layers/0/inputs/0",
    _model(_TWO[::-1], ["y", "h"]),
)
_graph(
    "cycle",
    "A layer reads what it makes itself.",
    "forward-reference",
    "/layers/0/inputs/1",
    _model([layer("add", ["x", "y"], Y)]),
)
_graph(
    "cycle-of-two",
    "Two layers read from each other.",
    "forward-reference",
    "/layers/0/inputs/1",
    _model([layer("add", ["x", "y"], _H), layer("tanh", ["h"], Y)]),
)
_graph(
    "dead-layer",
    "No output depends on the last layer.",
    "dead-layer",
    "/layers/1",
    _model([layer("relu", ["x"], Y), layer("tanh", ["x"], _H)]),
)
_graph(
    "dead-chain",
    "No output depends on the last layer; the one before it is dead with it.",
    "dead-layer",
    "/layers/2",
    _model([layer("relu", ["x"], Y), layer("tanh", ["x"], _H), layer("relu", ["h"], value("z", ["batch", 4]))]),
)
_graph(
    "undefined-output",
    "An output that is no value.",
    "undefined-output",
    "/outputs/1",
    _model([layer("relu", ["x"], Y)], ["y", "z"]),
)
_graph(
    "two-outputs",
    "A layer that makes more than its operator.",
    "output-count",
    "/layers/0/outputs",
    _model([{**layer("relu", ["x"], Y), "outputs": [Y, _H]}], ["y", "h"]),
)
_graph(
    "input-without-batch",
    "An input whose first dimension is a number.",
    "batch-axis",
    "/inputs/1/shape",
    _model([], ["x"], inputs=[X, value("z", [4])]),
)
_graph(
    "input-of-rank-0",
    "An input without a dimension.",
    "batch-axis",
    "/inputs/1/shape",
    _model([], ["x"], inputs=[X, value("z", [])]),
)
_graph(
    "input-other-symbol",
    "An input whose first dimension is another symbol.",
    "batch-axis",
    "/inputs/1/shape",
    _model([], ["x"], inputs=[X, value("z", ["time", 4])]),
)
_graph(
    "batch-twice",
    "The batch stands at two axes of an input.",
    "batch-axis",
    "/inputs/0/shape",
    _model([], ["x"], inputs=[value("x", ["batch", "batch"])]),
)
_graph(
    "output-without-batch",
    "An output that is the same for every row.",
    "batch-axis",
    "/outputs/1",
    _model(
        [layer("relu", ["x"], Y), layer("constant", [], value("c", [4]), {"value": "v"})],
        ["y", "c"],
        tensors={"v": numbers(4)},
    ),
)


# Declared types


def _declared(case_id: str, title: str, shape: Any, file: File) -> None:
    _graph(
        case_id,
        title,
        "shape-declared",
        "/layers/0/outputs/0/shape",
        file.but(put("layers", 0, "outputs", 0, "shape", shape)),
    )


_RELU = _model([layer("relu", ["x"], Y)])
_TIME = document([value("x", ["batch", "time", 4])], [layer("relu", ["x"], value("y", ["batch", "time", 4]))], ["y"])
_declared("declared-number", "A dimension that is another number.", ["batch", 5], _RELU)
_declared("declared-rank", "A dimension too many.", ["batch", 4, 1], _RELU)
_declared("declared-symbol-for-number", "A symbol for a dimension that is known.", ["batch", "four"], _RELU)
_declared("declared-number-for-symbol", "A number for a dimension that only running tells.", ["batch", 7, 4], _TIME)
_declared("declared-other-symbol", "Another symbol than the input's.", ["batch", "steps", 4], _TIME)
_declared(
    "declared-batch", "A number for the batch.", [1, 4], _model([layer("relu", ["x"], _H), layer("add", ["x", "h"], Y)])
)
reject(
    "graph/declared-batch-for-new",
    "The batch for rows that only running tells.",
    "shape-declared",
    "/layers/0/outputs/0/shape",
    document(
        [value("x", ["batch", "time", 4])],
        [layer("fold", ["x"], value("y", ["batch", 4]), axis=1)],
        ["y"],
    ),
    constraint="G7",
    level=operator("fold").level,
)
_graph(
    "declared-dtype",
    "Another dtype than the operator makes.",
    "dtype-mismatch",
    "/layers/0/outputs/0/dtype",
    document([X], [layer("relu", ["x"], value("y", ["batch", 4], "float64"))], ["y"]),
)
_graph(
    "declared-dtype-cast",
    "Another dtype than the cast's own attribute says.",
    "dtype-mismatch",
    "/layers/0/outputs/0/dtype",
    document([X], [layer("cast", ["x"], value("y", ["batch", 4], "int64"), dtype="int32")], ["y"]),
)
_HUGE: list[int | str] = ["batch", 2**15, 2**15]
_graph(
    "activation-limit",
    "A file of few bytes that asks for 2^31 numbers.",
    "activation-limit",
    "/layers/0/outputs/0/shape",
    document([value("x", _HUGE)], [layer("relu", ["x"], value("y", _HUGE))], ["y"]),
)
_WIDE: list[int | str] = ["batch", 2**30]
_graph(
    "inferred-dimension-2-31",
    "Two values of 2^30 columns that are joined: one too many for a dimension, as it is declared.",
    "dimension-range",
    "/layers/0/outputs/0/shape/1",
    document([value("x", _WIDE)], [layer("concatenate", ["x", "x"], value("y", ["batch", 2**31]), axis=1)], ["y"]),
)


# Self-test


def _tested(case_id: str, title: str, code: str, at: str, file: File) -> None:
    reject(f"selftest/{case_id}", title, code, f"/selftest/{at}", file)


def _with(**tensors: Any) -> File:
    """The self-test of `TESTED` with other tensors."""
    parts = {"x": numbers(2, 4), "y": numbers(2, 4), "tolerance": stored([[0.5] * 4] * 2)} | tensors
    names = {"inputs": ["test/x"], "outputs": ["test/y"], "tolerances": ["test/tolerance"]}
    stored_parts = {f"test/{key}": part for key, part in parts.items()}
    return document([X], [layer("relu", ["x"], Y)], ["y"], stored_parts, selftest=names)


_tested(
    "inputs-missing",
    "No tensor for the input.",
    "selftest-count",
    "inputs",
    document(
        [X],
        [layer("relu", ["x"], Y)],
        ["y"],
        {"y": numbers(2, 4), "t": numbers(2, 4)},
        selftest={"inputs": [], "outputs": ["y"], "tolerances": ["t"]},
    ),
)
for _key in ("inputs", "outputs"):
    _tested(
        f"{_key}-too-many",
        f"Two tensors of {_key} where there is one.",
        "selftest-count",
        _key,
        TESTED.but(put("selftest", _key, TESTED.header["selftest"][_key] * 2)),
    )
_tested(
    "tolerances-too-many",
    "Two tensors of tolerances for one output.",
    "selftest-count",
    "tolerances",
    TESTED.but(put("selftest", "tolerances", ["test/tolerance"] * 2)),
)
_tested(
    "tensor-missing",
    "A tensor that there is not.",
    "tensor-missing",
    "outputs/0",
    document(
        [X],
        [layer("relu", ["x"], Y)],
        ["y"],
        {"x": numbers(2, 4), "t": numbers(2, 4)},
        selftest={"inputs": ["x"], "outputs": ["y"], "tolerances": ["t"]},
    ),
)
_tested("shape", "Expected values of another shape.", "selftest-tensor", "outputs/0", _with(y=numbers(2, 3)))
_tested(
    "shape-flat",
    "Expected values of another shape and as many elements: the right ones.",
    "selftest-tensor",
    "outputs/0",
    _with(y=stored(numbers(2, 4).array.reshape(8))),
)
_tested("dtype", "An input of another dtype.", "selftest-tensor", "inputs/0", _with(x=numbers(2, 4, dtype="float64")))
_tested(
    "float16",
    "Expected values of a storage type.",
    "selftest-tensor",
    "outputs/0",
    _with(y=numbers(2, 4, dtype="float16")),
)
_tested(
    "rows",
    "Fewer rows of tolerances than of inputs.",
    "selftest-tensor",
    "tolerances/0",
    _with(tolerance=numbers(1, 4)),
)


# Self-tests that fail


def _failing(case_id: str, title: str, file: File) -> None:
    reject(f"selftest/{case_id}", title, "selftest-failed", "/selftest", file, level="L1")


def _expecting(x: Any, y: Any, negative_slope: float, requires: Any = ()) -> File:
    """A leaky_relu of four columns; tolerances of 0.001."""
    tests = {"test/x": stored(x), "test/y": stored(y), "test/tolerance": stored([[1e-3] * 4] * len(x))}
    names = {"inputs": ["test/x"], "outputs": ["test/y"], "tolerances": ["test/tolerance"]}
    layers = [layer("leaky_relu", ["x"], Y, negative_slope=negative_slope)]
    return document([X], layers, ["y"], tests, requires, selftest=names)


_X, _RIGHT = [[-4, -2, 1, 3], [-1, 0, 2, 0.5]], [[-1, -0.5, 1, 3], [-0.25, 0, 2, 0.5]]
_failing(
    "attribute-damaged",
    "A bit of an attribute has changed, from 0.25 to 0.125: the hash is that of the payload alone.",
    _expecting(_X, _RIGHT, 0.125),
)
_failing(
    "expected-off",
    "One expected value, the last but one, is off by ten times its tolerance.",
    _expecting(_X, [_RIGHT[0], [-0.25, 0, 2.01, 0.5]], 0.25),
)
_failing(
    "expected-off-slightly",
    "An expected value that is off by twice its tolerance, which is a millionth.",
    _with(x=stored([[1, 2, 0.5, -3]]), y=stored([[1.000002, 2, 0.5, 0]]), tolerance=stored([[1e-6] * 4])),
)
_failing(
    "nan",
    "NaN comes out where a number is expected: no comparison with NaN holds.",
    _expecting([_X[0], [-1, 0, float("nan"), 0.5]], _RIGHT, 0.25, ["feature:nonfinite"]),
)
