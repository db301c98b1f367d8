"""Faults of the states, and sound files that have some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from generate.encoding import File, Stored, document, layer, stored, value
from generate.negative.declare import canonical, numbers, put, reject, without

Shape = list[Any]


def _with_state(
    *layers: dict[str, Any],
    initial: Stored | None = None,
    shape: Shape | None = None,
    x: Shape | None = None,
    dtype: str = "float32",
    becomes: str = "y",
    tensors: dict[str, Stored] | None = None,
    **optional: Any,
) -> File:
    """x, and the state total that is `initial` at first, through these layers to y; (batch, 4) without shapes."""
    return document(
        [value("x", x or ["batch", 4], dtype)],
        layers or [_add(dtype)],
        ["y"],
        {"initial": initial or numbers(4, dtype=dtype), **(tensors or {})},
        states=[
            {
                "input": value("total", ["batch", 4] if shape is None else shape, dtype),
                "output": becomes,
                "initial": "initial",
            }
        ],
        **optional,
    )


def _add(dtype: str = "float32", made: Shape | None = None, name: str = "y") -> dict[str, Any]:
    return layer("add", ["total", "x"], value(name, made or ["batch", 4], dtype))


def _delays() -> File:
    """x, what it was in the call before, and what that was."""
    states = [
        {"input": value("before", ["batch", 4]), "output": "now", "initial": "zeros"},
        {"input": value("earlier", ["batch", 4]), "output": "then", "initial": "zeros"},
    ]
    return document(
        [value("x", ["batch", 4])],
        [
            layer("identity", ["x"], value("now", ["batch", 4])),
            layer("identity", ["before"], value("then", ["batch", 4])),
            layer("concatenate", ["x", "before", "earlier"], value("y", ["batch", 12]), axis=1),
        ],
        ["y"],
        {"zeros": stored(np.zeros(4))},
        states=states,
    )


SOUND, DELAYS = _with_state(), _delays()

UNIQUE = "Its name is its own (`duplicate-value`)"
BATCH = "its first dimension is `batch`, and nowhere else is `batch` (`batch-axis`)"
BECOMES = "one that a layer makes (`undefined-output`), of the dtype and shape of `input` (`state-mismatch`)"
INITIAL = "names the tensor that each row of the state is before the first call (`tensor-missing`)"
ROW = "of the dtype of `input`, of its shape without `batch`, and not quantized (`state-mismatch`)"
NUMBERS = "So the dimensions of a state are numbers, all but the first."
EACH = "Each state is `{input, output, initial}`; the list has at least one."
READS = "the names of the values that it reads, each an input of the model, a state, or made by an earlier layer"
ALIVE = "A layer that no output, and no output of a state, depends on is refused (`dead-layer`)."


def _refused(case_id: str, title: str, code: str, at: str, file: File, says: str | None = None) -> None:
    reject(f"states/{case_id}", title, code, at, file, says=says)


def _changed(case_id: str, title: str, code: str, at: str, says: str, *changes: Callable[[Any], None]) -> None:
    """The sound file with its first state changed."""
    file = SOUND
    for change in changes:
        file = file.but(change)
    _refused(case_id, title, code, f"/states/0{at}", file, says)


# Keys and lists

_refused("none", "A list without a state.", "list-length", "/states", SOUND.but(put("states", [])), EACH)
_refused("map", "A map where the list belongs.", "wrong-type", "/states", SOUND.but(put("states", {})), EACH)
_changed("string", "A name where a state belongs.", "wrong-type", "", EACH, put("states", 0, "total"))
_changed(
    "unknown-key", "A key that states do not have.", "unknown-key", "/reset", EACH, put("states", 0, "reset", True)
)
_changed(
    "unknown-key-in-input",
    "A key that values do not have.",
    "unknown-key",
    "/input/rows",
    EACH,
    put("states", 0, "input", "rows", 1),
)
for _key in ("input", "output", "initial"):
    _changed(f"missing-{_key}", f"Without the key {_key}.", "missing-key", "", EACH, without("states", 0, _key))
_changed(
    "input-name", "The name of a value in its place.", "wrong-type", "/input", EACH, put("states", 0, "input", "total")
)

# Requirements

_refused(
    "feature-missing",
    "A model with states that does not require them.",
    "requires-incomplete",
    "/requires",
    SOUND.but(lambda h: h["requires"].remove("feature:states")),
)
_refused(
    "feature-unused",
    "States are required, and there are none.",
    "requires-unused",
    "/requires",
    document(
        [value("x", ["batch", 4])],
        [layer("relu", ["x"], value("y", ["batch", 4]))],
        ["y"],
        requires=["feature:states"],
    ),
)
# The value that layers read

_changed(
    "input-of-model",
    "A state of an input's name.",
    "duplicate-value",
    "/input/name",
    UNIQUE,
    put("states", 0, "input", "name", "x"),
    put("layers", 0, "inputs", ["x", "x"]),
)
_refused(
    "two-of-one-name",
    "Two states of one name.",
    "duplicate-value",
    "/states/1/input/name",
    DELAYS.but(put("states", 1, "input", "name", "before")).but(put("layers", 2, "inputs", ["x", "before", "before"])),
    UNIQUE,
)
_refused(
    "made-again",
    "A layer makes a value of a state's name.",
    "duplicate-value",
    "/layers/0/outputs/0/name",
    SOUND.but(put("layers", 0, "outputs", 0, "name", "total"))
    .but(put("states", 0, "output", "total"))
    .but(put("outputs", ["total"])),
    UNIQUE,
)


def _kept(shape: Shape, initial: Stored | None = None) -> File:
    """A state of this shape, which stays as it is, beside y."""
    made = [layer("identity", ["total"], value("kept", shape)), layer("relu", ["x"], value("y", ["batch", 4]))]
    return _with_state(*made, shape=shape, initial=initial, becomes="kept")


_refused(
    "without-batch",
    "A state whose first dimension is a number.",
    "batch-axis",
    "/states/0/input/shape",
    _kept([1, 4]),
    BATCH,
)
_refused(
    "of-rank-0",
    "A state without a dimension.",
    "batch-axis",
    "/states/0/input/shape",
    _kept([], stored(0.5)),
    BATCH,
)
_refused(
    "other-symbol",
    "A state whose first dimension is another symbol.",
    "batch-axis",
    "/states/0/input/shape",
    _kept(["rows", 4]),
    BATCH,
)
_refused(
    "batch-later",
    "A state with the batch as second dimension too.",
    "batch-axis",
    "/states/0/input/shape",
    _kept(["batch", "batch"]),
    BATCH,
)

# What it becomes

_changed(
    "output-unknown",
    "A value that there is not.",
    "undefined-output",
    "/output",
    BECOMES,
    put("states", 0, "output", "z"),
)
_changed(
    "output-input",
    "An input of the model, which no layer makes.",
    "undefined-output",
    "/output",
    BECOMES,
    put("states", 0, "output", "x"),
)
_changed(
    "output-itself",
    "The state itself, which no layer makes.",
    "undefined-output",
    "/output",
    BECOMES,
    put("states", 0, "output", "total"),
)
_refused(
    "output-shape",
    "A value of another shape, which broadcasting makes of the state.",
    "state-mismatch",
    "/states/0/output",
    _with_state(shape=["batch", 1], initial=numbers(1)),
    BECOMES,
)
_refused(
    "output-rank",
    "A value of another rank and as many elements.",
    "state-mismatch",
    "/states/0/output",
    _with_state(
        _add(),
        layer("reshape", ["y"], value("square", ["batch", 2, 2]), target_shape=[2, 2]),
        becomes="square",
    ),
    BECOMES,
)
_refused(
    "output-dtype",
    "A value of another dtype.",
    "state-mismatch",
    "/states/0/output",
    _with_state(
        _add(),
        layer("cast", ["y"], value("wide", ["batch", 4], "float64"), dtype="float64"),
        becomes="wide",
    ),
    BECOMES,
)

# What it is at first

_changed(
    "initial-unknown",
    "A tensor that there is not.",
    "tensor-missing",
    "/initial",
    INITIAL,
    put("states", 0, "initial", "zeros"),
)
_refused(
    "initial-shape",
    "A row of another shape.",
    "state-mismatch",
    "/states/0/initial",
    _with_state(initial=numbers(3)),
    ROW,
)
_refused(
    "initial-with-batch",
    "One row with an axis of rows.",
    "state-mismatch",
    "/states/0/initial",
    _with_state(initial=numbers(1, 4)),
    ROW,
)
_refused(
    "initial-scalar",
    "A number for all elements, which is not stretched.",
    "state-mismatch",
    "/states/0/initial",
    _with_state(initial=stored(0.0)),
    ROW,
)
_refused(
    "initial-dtype",
    "Numbers of another dtype.",
    "state-mismatch",
    "/states/0/initial",
    _with_state(initial=numbers(4, dtype="float64")),
    ROW,
)
_refused(
    "initial-float16",
    "Numbers of a storage type: the dtype is that of the tensor, not of what it is widened to.",
    "state-mismatch",
    "/states/0/initial",
    _with_state(initial=numbers(4, dtype="float16")),
    ROW,
)


def _quantized(dtype: str) -> File:
    row = Stored("int8", np.array([1, -2, 3, 4], np.int8), {"scale": "scale", "zero_point": "zero_point"})
    parts = {"scale": stored(0.5), "zero_point": stored(1, "int8")}
    return _with_state(initial=row, dtype=dtype, tensors=parts)


_refused("initial-quantized", "Quantized numbers.", "state-mismatch", "/states/0/initial", _quantized("float32"), ROW)
_refused(
    "initial-quantized-integers",
    "Quantized numbers, of the dtype that they are stored in.",
    "state-mismatch",
    "/states/0/initial",
    _quantized("int8"),
    ROW,
)
_refused(
    "symbol",
    "A dimension of a state that only running tells.",
    "state-mismatch",
    "/states/0/initial",
    _with_state(_add(made=["batch", "time"]), shape=["batch", "time"], x=["batch", "time"]),
    NUMBERS,
)

# Layers

_refused(
    "undefined-value",
    "A layer reads a state's tensor, which is no value.",
    "undefined-value",
    "/layers/0/inputs/0",
    SOUND.but(put("layers", 0, "inputs", 0, "initial")),
    READS,
)
_refused(
    "dead-layer",
    "A layer that reads a state, and that nothing depends on.",
    "dead-layer",
    "/layers/1",
    _with_state(_add(), layer("tanh", ["total"], value("z", ["batch", 4]))),
    ALIVE,
)
_refused(
    "operator-takes-no-state",
    "A state of a dtype that its layer does not take: it is a value like any other.",
    "dtype-mismatch",
    "/layers/0/inputs/0",
    _with_state(
        layer("tanh", ["total"], value("y", ["batch", 4], "int32")),
        initial=stored([1, 2, 3, 4], "int32"),
        dtype="int32",
    ),
    READS,
)

# Sound files


def _sound(case_id: str, title: str, says: str, file: File) -> None:
    canonical(f"sound/{case_id}", title, says, file)


_sound("states", "A model with a state that is its output too.", EACH, SOUND)
_sound("two-states", "Two states of one tensor, of which one becomes what the other was.", EACH, DELAYS)
_sound(
    "state-of-integers", "A state of integers.", ROW, _with_state(initial=stored([1, 2, 3, 4], "int64"), dtype="int64")
)
_sound(
    "states-of-one-value",
    "Two states that become one value.",
    "several states may become one value",
    DELAYS.but(put("states", 0, "output", "then")).but(lambda h: h["layers"].pop(0)),
)
_sound(
    "state-unread",
    "A state that no layer reads.",
    "`output` names the value that the state becomes",
    _with_state(layer("relu", ["x"], value("y", ["batch", 4]))),
)
_sound(
    "layer-of-a-state",
    "A layer on which a state alone depends.",
    ALIVE,
    _with_state(layer("relu", ["total"], value("y", ["batch", 4])), _add(name="next"), becomes="next"),
)
_sound(
    "state-as-output",
    "A state that is an output of the model as it is read.",
    "`input` is a value, `{name, dtype, shape}`, which layers read like an input of the model.",
    SOUND.but(put("outputs", ["y", "total"])),
)
_sound(
    "state-of-rank-1",
    "A number for each row; the tensor of one row is a scalar.",
    ROW,
    _with_state(_add(made=["batch"]), shape=["batch"], x=["batch"], initial=stored(0.5)),
)


def _tested(x: Any, y: Any) -> File:
    tests = {"test/x": stored(x), "test/y": stored(y), "test/tolerance": stored([[1e-3] * 4] * len(x))}
    names = {"inputs": ["test/x"], "outputs": ["test/y"], "tolerances": ["test/tolerance"]}
    return _with_state(initial=stored([1, 2, 3, 4]), tensors=tests, selftest=names)


TEST = "A self-test is one call that begins as after a reset, and leaves the states of the model as they are."
_sound(
    "selftest-of-states",
    "A self-test begins with the initial states.",
    TEST,
    _tested([[1, 1, 1, 1], [0, 0, 0, 5]], [[2, 3, 4, 5], [1, 2, 3, 9]]),
)
reject(
    "selftest/initial-states",
    "A self-test whose expected values leave the initial state out.",
    "selftest-failed",
    "/selftest",
    _tested([[1, 1, 1, 1], [0, 0, 0, 5]], [[1, 1, 1, 1], [0, 0, 0, 5]]),
    level="L1",
    says=TEST,
)
