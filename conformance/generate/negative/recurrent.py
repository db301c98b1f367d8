"""Faults of simple_rnn, gru, lstm, conv_lstm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generate.encoding import File, Stored, document, layer, stored, value
from generate.negative.declare import numbers, put
from generate.negative.operators import BOOLEAN, Shape, case, every
from generate.negative.spatial import PADDING, SPATIAL

ACTIVATION: dict[str, tuple[Any, str]] = {
    "unknown": ("swish", "wrong-value"),
    "upper-case": ("Tanh", "wrong-value"),
    "with-version": ("tanh@1", "wrong-value"),
    "empty": ("", "wrong-value"),
    "not-of-keras": ("thresholded_relu", "wrong-value"),
    "integer": (0, "wrong-type"),
    "map": ({"name": "tanh"}, "wrong-type"),
}
SWITCHES = {
    "go_backwards": (False, BOOLEAN),
    "return_sequences": (True, BOOLEAN),
    "zero_output_for_mask": (False, BOOLEAN),
}
GATED = {"activation": ("tanh", ACTIVATION), "recurrent_activation": ("sigmoid", ACTIVATION), **SWITCHES}

FEATURES, UNITS, TIME = 3, 2, 5


@dataclass(frozen=True)
class Loop:
    """An operator of this module.

    Attributes:
        attributes: name -> a sound item, and faults.
        gates: how many units' widths the last axes of weights have.
        states: the names of its states.
        space: of x, n elements; the kernels are one element long along each.
        labels: of the constraints of recurrent_kernel, kernel, bias, states and mask.
    """

    attributes: dict[str, tuple[Any, dict[str, Any]]]
    gates: int
    states: tuple[str, ...]
    space: tuple[int, ...] = ()
    labels: tuple[str, ...] = ("C3", "C4", "C5", "C6", "C7")

    @property
    def x(self) -> Shape:
        return ["batch", TIME, *self.space, FEATURES]

    @property
    def state(self) -> Shape:
        return ["batch", *self.space, UNITS]

    @property
    def weights(self) -> dict[str, Stored]:
        ones, width = [1] * len(self.space), self.gates * UNITS
        bias = (2, width) if "reset_after" in self.attributes else (width,)
        return {
            "bias": numbers(*bias),
            "kernel": numbers(*ones, FEATURES, width),
            "recurrent_kernel": numbers(*ones, UNITS, width),
        }


CONVOLVED = {**GATED, "strides": ([1], SPATIAL), "dilation_rate": ([1], SPATIAL), "padding": ("valid", PADDING)}
LOOPS = {
    "simple_rnn": Loop({"activation": ("tanh", ACTIVATION), **SWITCHES}, 1, ("state",)),
    "gru": Loop({**GATED, "reset_after": (True, BOOLEAN)}, 3, ("state",)),
    "lstm": Loop(GATED, 4, ("state_h", "state_c")),
    "conv_lstm": Loop(CONVOLVED, 4, ("state_h", "state_c"), (4,), ("C4", "C5", "C6", "C7", "C8")),
}


def file_of(
    op: str,
    *others: dict[str, Any],
    x: Shape | None = None,
    dtype: str = "float32",
    y: Shape | None = None,
    state: Shape | None = None,
    without: str = "",
    weights: dict[str, Stored] | None = None,
    **attributes: Any,
) -> File:
    """x and others -> y and the final states.

    Args:
        others: the values that are read beside x.
        without: the role of a weight that is left out.
        weights: in the place of sound ones, or beside them.
    """
    loop = LOOPS[op]
    x, state = x or loop.x, state or loop.state
    tensors = {**loop.weights, **(weights or {})}
    tensors = {role: tensors[role] for role in sorted(tensors) if role != without}
    given = {key: item for key, (item, _) in loop.attributes.items()} | attributes
    y = y or ([state[0], x[1], *state[1:]] if given["return_sequences"] else state)
    made = [value("y", y, dtype), *(value(f"final_{name}", state, dtype) for name in loop.states)]
    inputs = [value("x", x, dtype), *others]
    names = [item["name"] for item in inputs]
    return document(inputs, [layer(op, names, made, {role: role for role in tensors}, **given)], ["y"], tensors)


def _mask(shape: Shape | None = None, dtype: str = "bool") -> dict[str, Any]:
    return value("mask", shape or ["batch", TIME], dtype)


def _faults_of(op: str) -> None:
    loop = LOOPS[op]
    states = [value(name, loop.state) for name in loop.states]
    every(op, file_of(op), loop.attributes)

    def refused(name: str, title: str, code: str, at: str, file: File, label: str | None = None) -> None:
        case(op, name, title, code, f"0/{at}", file, label)

    # counts
    count = 2 + len(loop.states)
    many = file_of(op, *states, _mask(), value("more", ["batch", TIME], "bool"))
    refused("no-input", "No input.", "input-count", "inputs", file_of(op).but(put("layers", 0, "inputs", [])))
    refused("inputs-too-many", f"{count + 1} inputs, of {count} at most.", "input-count", "inputs", many)
    alone = file_of(op).but(lambda h: h["layers"][0].update(outputs=h["layers"][0]["outputs"][:1]))
    refused("two-outputs-missing", "y alone is declared, without the final states.", "output-count", "outputs", alone)
    for role in ("kernel", "recurrent_kernel"):
        name = role.replace("_", "-")
        refused(f"no-{name}", f"Without {role}.", "weight-missing", "weights", file_of(op, without=role))
    gamma = file_of(op, weights={"gamma": numbers(UNITS)})
    refused("weight-unknown", "A role that it does not have.", "weight-unknown", "weights/gamma", gamma)

    _faults_of_dtypes(op)
    _faults_of_weights(op)
    _faults_of_operands(op)

    other = file_of(op).but(put("layers", 0, "outputs", 1, "shape", [*loop.state[:-1], UNITS + 1]))
    refused("declared-state", "A final state of another shape is declared.", "shape-declared", "outputs/1/shape", other)
    sequences = file_of(op, y=loop.state)
    refused(
        "declared-last-output", "The last output is declared, not all.", "shape-declared", "outputs/0/shape", sequences
    )


def _faults_of_dtypes(op: str) -> None:
    loop = LOOPS[op]

    def refused(name: str, title: str, at: str, file: File) -> None:
        case(op, name, title, "dtype-mismatch", f"0/{at}", file, "C1")

    integers = {role: stored(tensor.array * 9, "int32") for role, tensor in loop.weights.items()}
    refused("integers", "Integers where numbers belong.", "inputs/0", file_of(op, dtype="int32", weights=integers))
    for role, tensor in loop.weights.items():
        wide = file_of(op, weights={role: stored(tensor.array, "float64")})
        refused(f"{role.replace('_', '-')}-float64", f"{role} in float64.", f"weights/{role}", wide)
    states = [value(name, loop.state, "float64") for name in loop.states]
    refused("states-float64", "Initial states in float64.", "inputs/1", file_of(op, *states))
    states = [value(name, loop.state) for name in loop.states]
    last = len(loop.states) + 1
    refused("mask-int32", "A mask of integers.", f"inputs/{last}", file_of(op, *states, _mask(dtype="int32")))
    if len(loop.states) > 1:
        refused("one-state", "One of two states: in its place is the mask's.", "inputs/1", file_of(op, states[0]))
        masked = file_of(op, states[0], _mask())
        refused("one-state-and-mask", "A mask in the place of the second state.", "inputs/2", masked)
    else:
        refused("mask-first", "The mask in front of the state.", "inputs/1", file_of(op, _mask(), *states))


def _faults_of_weights(op: str) -> None:
    loop = LOOPS[op]
    of_recurrent, of_kernel, of_bias, *_ = loop.labels
    ones, width = [1] * len(loop.space), loop.gates * UNITS

    def refused(role: str, name: str, title: str, label: str, shape: tuple[int, ...]) -> None:
        at = f"0/weights/{role}"
        file = file_of(op, weights={role: numbers(*shape)})
        case(op, f"{role.replace('_', '-')}-{name}", title, "weight-shape", at, file, label)

    refused(
        "recurrent_kernel", "gates", "A unit more in its last axis.", of_recurrent, (*ones, UNITS, width + loop.gates)
    )
    refused("recurrent_kernel", "rank", "An axis more.", of_recurrent, (1, *ones, UNITS, width))
    refused("recurrent_kernel", "rank-1", "One axis alone.", of_recurrent, (width,))
    refused("kernel", "rows", "A kernel for a feature more.", of_kernel, (*ones, FEATURES + 1, width))
    refused(
        "kernel", "columns", "A unit more than recurrent_kernel has.", of_kernel, (*ones, FEATURES, width + loop.gates)
    )
    refused("kernel", "transposed", "The last two axes swapped.", of_kernel, (*ones, width, FEATURES))
    refused("bias", "length", "An element more.", of_bias, (*loop.weights["bias"].array.shape[:-1], width + 1))
    if "reset_after" in loop.attributes:
        refused("bias", "of-one-row", "One row, of two.", of_bias, (width,))
        refused("bias", "of-both-in-one", "Both rows one behind the other.", of_bias, (2 * width,))
        before = file_of(op, reset_after=False)
        case(op, "bias-of-two-rows", "Two rows, of one.", "weight-shape", "0/weights/bias", before, of_bias)
    else:
        refused("bias", "of-two-rows", "Two rows, of one.", of_bias, (2, width))
    if loop.space:
        refused("kernel", "size", "Longer than recurrent_kernel.", of_kernel, (2, FEATURES, width))


def _faults_of_operands(op: str) -> None:
    loop = LOOPS[op]
    *_, of_states, of_mask = loop.labels
    last = len(loop.states)

    def ranked(name: str, title: str, x: Shape, y: Shape) -> None:
        case(op, name, title, "rank-range", "0/inputs/0", file_of(op, x=x, y=y), "C2")

    def refused(name: str, title: str, at: int, label: str, *others: dict[str, Any]) -> None:
        case(op, name, title, "operand-shape", f"0/inputs/{at}", file_of(op, *others), label)

    ranked("rank-below", "An axis less.", [*loop.x[:-2], FEATURES], loop.state)
    more = [*loop.x[:-1], *([1] * (4 if loop.space else 1)), FEATURES]
    ranked("rank-above", "More axes than there may be.", more, ["batch", *more[1:-1], UNITS])
    ranked("symbolic-features", "A symbol as last dimension.", [*loop.x[:-1], "features"], [*loop.x[:-1], UNITS])

    good = [value(name, loop.state) for name in loop.states]
    for shape, name, title in (
        ([*loop.state[:-1], UNITS + 1], "units", "A unit more."),
        ([*loop.state[:-1], 1], "one", "One unit, which is not stretched."),
        (["batch", TIME, *loop.state[1:]], "of-every-step", "A state for every step."),
    ):
        refused(f"state-{name}", title, last, of_states, *good[:-1], value(loop.states[-1], shape))
    for shape, name, title in (
        (["batch", TIME + 1], "time", "A step more."),
        (["batch", 1], "one", "One step, which is not stretched."),
        (["batch"], "rank-1", "No axis of time."),
        (["batch", TIME, 1], "rank-3", "An axis more."),
        (["batch", "time"], "symbol", "A symbol, where x has a number."),
    ):
        refused(f"mask-{name}", title, last + 1, of_mask, *good, _mask(shape))
        if len(good) > 1 and name == "time":
            refused("mask-alone-time", "The same without states.", 1, of_mask, _mask(shape))


for _op in LOOPS:
    _faults_of(_op)


# Rows that differ


def _rows(op: str, name: str, times: int, label: str) -> None:
    """One row, of a constant, in the place of the states or the mask."""
    loop = LOOPS[op]
    row = numbers(1, *loop.state[1:]) if name == "state" else stored([[True] * TIME], "bool")
    made = value("row", row.array.shape, row.dtype)
    header = file_of(op).header
    layers = [layer("constant", [], made, {"value": "row"}), {**header["layers"][0], "inputs": ["x", *["row"] * times]}]
    file = document(header["inputs"], layers, ["y"], {**loop.weights, "row": row})
    title = "One row, which is not stretched."
    case(op, f"{name}-of-one-row", title, "operand-shape", "1/inputs/1", file, label)


for _op in LOOPS:
    *_, _of_states, _of_mask = LOOPS[_op].labels
    _rows(_op, "state", len(LOOPS[_op].states), _of_states)
    _rows(_op, "mask", 1, _of_mask)


# conv_lstm alone


def _lengths(name: str, **attributes: Any) -> None:
    (key,) = attributes
    case(
        "conv_lstm",
        name,
        f"{key} for two spatial axes, of one.",
        "rank-range",
        f"0/attributes/{key}",
        file_of("conv_lstm", **attributes),
        "C3",
    )


_lengths("strides-length", strides=[1, 1])
_lengths("dilation-rate-length", dilation_rate=[1, 1])
case(
    "conv_lstm",
    "symbolic-space",
    "A spatial axis that only running tells.",
    "rank-range",
    "0/inputs/0",
    file_of("conv_lstm", x=["batch", TIME, "width", FEATURES], state=["batch", "width", UNITS]),
    "C2",
)
case(
    "conv_lstm",
    "recurrent-kernel-filters",
    "Four times as wide as it is deep, but of filters that kernel does not have.",
    "weight-shape",
    "0/weights/kernel",
    file_of("conv_lstm", weights={"recurrent_kernel": numbers(1, 3, 12)}),
    "C5",
)
case(
    "conv_lstm",
    "kernel-beyond-x",
    "A window that is longer than x: no pixel is left.",
    "dimension-range",
    "0/outputs/0/shape",
    file_of(
        "conv_lstm",
        weights={"kernel": numbers(5, FEATURES, 8), "recurrent_kernel": numbers(5, UNITS, 8)},
    ),
)
case(
    "conv_lstm",
    "state-of-x",
    "A state as large as x, where strides make it smaller.",
    "operand-shape",
    "0/inputs/1",
    file_of(
        "conv_lstm",
        *(value(name, ["batch", 4, UNITS]) for name in ("state_h", "state_c")),
        state=["batch", 2, UNITS],
        strides=[2],
    ),
    "C7",
)
