"""simple_rnn, gru, lstm."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph
from generate.pages import Quote, quote, sections
from generate.positive.declare import FLUSHED, Make, declare, empty_batch, lengths, special
from generate.positive.loops import (
    ACTIVATIONS,
    ALL_LEFT_OUT,
    ALL_MASKS,
    ATTRIBUTES,
    BACKWARDS,
    LAST_INPUT,
    MASK,
    NO_BIAS,
    NOT_READ,
    PRECISION,
    STATES,
    SYMBOL,
    WITHOUT_MASK,
    ZERO,
    activation_of,
    add,
    dense_weights,
    loop,
    next_to,
)

ROWS, TIME, FEATURES, UNITS = len(ALL_MASKS), ALL_MASKS.shape[1], 3, 2


def _attributes(op: str, given: dict[str, Any]) -> dict[str, Any]:
    return {key: given.get(key, item) for key, item in ATTRIBUTES[op].items()}


def _recurrent(
    r: Draw,
    op: str,
    *,
    x: Any = None,
    rows: int = ROWS,
    time: int = TIME,
    features: int = FEATURES,
    units: int = UNITS,
    states: bool = False,
    mask: Any = None,
    bias: bool = True,
    symbol: str | None = None,
    spread: float = 1.0,
    **given: Any,
) -> Graph:
    attributes = _attributes(op, given)
    drawn = r.normal(rows, time, features) if x is None else x
    weights = dense_weights(
        r, op, drawn.shape[2], units, bias=bias, reset_after=attributes.get("reset_after", True), spread=spread
    )
    initial = [r.normal(len(drawn), units) for _ in STATES[op]] if states else []
    return loop(op, drawn, weights, initial, mask, time=symbol, **attributes)


SEQUENCES = "y is (rows, time, units) where return_sequences is true, and (rows, units) where it is false."
KEPT = "before the first step that is not left out, last is 0"
NAN = "NaN in x at a step that the mask does not leave out gives NaN in the output of that step"
SUMS = "The products x[:, t] · kernel of all steps may be computed before the loop"
ORDER = {
    "simple_rnn": "Outputs: y, then the final state.",
    "gru": "Outputs: y, then the final state.",
    "lstm": "Outputs: y, then state_h and state_c.",
}
SHAPE = {
    "simple_rnn": "The final state is (rows, units).",
    "gru": "The final state is (rows, units).",
    "lstm": "state_h and state_c are (rows, units).",
}
INITIAL = {
    "simple_rnn": "(rows, units), the state before the first step; may be absent: 0",
    "gru": "(rows, units), the state before the first step; may be absent: 0",
    "lstm": "(rows, units), c before the first step; absent where state_h is: 0",
}
EMPTY = {
    "simple_rnn": "Empty batch: y and the final state have 0 rows.",
    "gru": "Empty batch: y and the final state have 0 rows.",
    "lstm": "Empty batch: y and the final states have 0 rows.",
}


def _formula(op: str) -> str:
    """The last line of the first block of Semantics: the new output."""
    block = sections(f"ops/{op}.md")["Semantics"].split("```")[1]
    return block.strip().splitlines()[-1]


def _declare_loop(op: str) -> None:
    def case(name: str, title: str, says: str | Quote, *, calls: bool = False, **rest: Any) -> None:
        declare(f"{op}/{name}", title, says, _made(op, rest), calls=calls)

    def of_mask(name: str, title: str, says: str, *, calls: bool = False, **rest: Any) -> None:
        case(name, title, says, calls=calls, mask=ALL_MASKS, **rest)

    case("rank-3", "Every step's output, and the last state.", _formula(op))
    case("last-output", "The output of the last step alone.", SEQUENCES, return_sequences=False)
    case("states", "Initial states.", INITIAL[op], states=True, calls=True)
    case("no-bias", "Nothing is added.", NO_BIAS, bias=False, states=True)
    case("backwards", "From the last step to the first.", BACKWARDS, go_backwards=True)
    case("backwards-last-output", "The first step is the last.", BACKWARDS, go_backwards=True, return_sequences=False)
    case("zero-output-without-mask", "There is no mask.", WITHOUT_MASK, zero_output_for_mask=True)
    case("one-step", "A sequence of one step.", SHAPE[op], time=1, states=True)
    case("one-unit", "One unit, one feature.", SHAPE[op], units=1, features=1, rows=2)
    case("wide", "More units than features; numbers that no vector divides.", SHAPE[op], rows=2, units=5, time=2)
    case("many-features", "More features than units.", SUMS, rows=2, features=11, units=3, time=2)
    case("two-steps", "What the second step reads.", ORDER[op], time=2, rows=3, states=True)
    case("symbolic-time", "A time that only running tells.", SYMBOL, symbol="time")
    case("symbolic-time-last-output", "The same without sequences.", SYMBOL, symbol="time", return_sequences=False)

    of_mask("mask", "Steps left out at the beginning, the end, in the middle, and all.", MASK, calls=True)
    of_mask("mask-last-output", "The last step that is not left out.", KEPT, return_sequences=False)
    of_mask(
        "mask-states", "Initial states of rows whose first steps are left out.", LAST_INPUT, states=True, calls=True
    )
    of_mask("mask-states-last-output", "The same without sequences.", KEPT, states=True, return_sequences=False)
    of_mask("mask-backwards", "The mask goes with its steps.", BACKWARDS, go_backwards=True, states=True)
    of_mask("mask-zero-output", "0 at each step that is left out.", ZERO, zero_output_for_mask=True, states=True)
    of_mask(
        "mask-zero-output-last-output",
        "0 where the last step is left out.",
        ZERO,
        zero_output_for_mask=True,
        return_sequences=False,
    )
    of_mask(
        "mask-zero-output-backwards",
        "0 at each step that is left out, from the last to the first.",
        ZERO,
        zero_output_for_mask=True,
        go_backwards=True,
    )
    of_mask("mask-symbolic-time", "A mask of a time that only running tells.", SYMBOL, symbol="time")

    case("saturated", "Inputs far beyond what gates tell apart.", PRECISION, x=LARGE, states=True)
    case("long", "Forty steps, each of which goes on with what the last one rounded.", PRECISION, rows=2, time=40)
    declare(f"{op}/cancellation", "Sums of terms that add up to nearly nothing.", PRECISION, _cancelling(op))
    for name in ACTIVATIONS:
        gates = {} if op == "simple_rnn" else {"recurrent_activation": next_to(name)}
        title = f"activation: {name}" + "".join(f"; gates: {gate}" for gate in gates.values())
        declare(f"{op}/activation-{name.replace('_', '-')}", title, activation_of(name), _activated(op, name, gates))

    special(f"{op}/left-out-not-finite", "NaN and infinities at steps left out.", NOT_READ, _left_out(op))
    special(
        f"{op}/all-left-out",
        "Rows of which every step is left out, with initial states.",
        ALL_LEFT_OUT,
        _made(op, {"rows": 2, "states": True, "mask": np.zeros((2, TIME), bool)}),
    )
    special(f"{op}/nan", "NaN in one row, at the second step.", NAN, _with_nan(op))
    special(
        f"{op}/subnormal",
        "Inputs below the smallest normal number.",
        FLUSHED,
        _made(op, {"x": np.array([[[1e-39, -1e-45], [1e-40, 0]]], np.float32), "bias": False}),
    )
    empty_batch(op, _made(op, {"rows": 0}), EMPTY[op])
    special(
        f"{op}/empty-batch-of-all-inputs",
        "No row, of states and mask too.",
        EMPTY[op],
        _made(op, {"rows": 0, "states": True, "mask": ALL_MASKS[:0]}),
    )
    lengths(op, lambda r, n: _recurrent(r, op, rows=n, time=2, features=2))


def _made(op: str, rest: dict[str, Any]) -> Make:
    return lambda r: _recurrent(r, op, **rest)


LARGE = np.array(
    [[[90, -80, 20], [-300, 5, 0], [0.01, -0.02, 0]], [[1e4, 1e3, -1e4], [-8, 9, 7], [1, 2, 3]]], np.float32
)


def _cancelling(op: str) -> Make:
    """Every other feature is what is in front of it, and is weighed with nearly the opposite."""

    def make(r: Draw) -> Graph:
        x = np.repeat(r.uniform(5, 20, 3, TIME, 3), 2, axis=2)
        weights = dense_weights(r, op, 6, UNITS, spread=0.5)
        opposite = weights["kernel"][::2] * r.uniform(0.999, 1.001, 3, 1)
        weights["kernel"][1::2] = -opposite
        return loop(op, x, weights, **ATTRIBUTES[op])

    return make


def _activated(op: str, name: str, gates: dict[str, str]) -> Make:
    """Few and small numbers; those of silu alone are positive: Keras's float32 is not near enough at its minimum."""

    def make(r: Draw) -> Graph:
        x, weights = r.normal(2, 3, 3), dense_weights(r, op, 3, 3, spread=0.6)
        if (op, name) == ("simple_rnn", "silu"):
            x, weights = np.abs(x), {role: np.abs(weight) for role, weight in weights.items()}
        return loop(op, x, weights, **_attributes(op, {"activation": name, **gates}))

    return make


def _left_out(op: str) -> Make:
    def make(r: Draw) -> Graph:
        x = r.normal(ROWS, TIME, FEATURES)
        x[~ALL_MASKS] = np.resize(np.array([np.nan, np.inf, -np.inf, 1e38], np.float32), (~ALL_MASKS).sum())[:, None]
        return _recurrent(r, op, x=x, states=True, mask=ALL_MASKS)

    return make


def _with_nan(op: str) -> Make:
    def make(r: Draw) -> Graph:
        x = r.normal(3, TIME, FEATURES)
        x[1, 1, 2] = np.nan
        return _recurrent(r, op, x=x)

    return make


for _op in ("simple_rnn", "gru", "lstm"):
    _declare_loop(_op)


# gru alone

BEFORE = "the reset gate multiplies the candidate's product h · recurrent_kernel, not h before that product."
TWO_BIASES = "The first row of a bias of two belongs to kernel, the second one to recurrent_kernel."


def _declare_gru(name: str, title: str, says: str, **rest: Any) -> None:
    declare(f"gru/{name}", title, says, _made("gru", rest))


_declare_gru("reset-before", "h is reset before the product.", BEFORE, reset_after=False, states=True)
_declare_gru("reset-before-no-bias", "The same without a bias.", BEFORE, reset_after=False, bias=False, states=True)
_declare_gru(
    "reset-before-mask",
    "The same with steps left out, from the last to the first.",
    BEFORE,
    reset_after=False,
    mask=ALL_MASKS,
    go_backwards=True,
)
_declare_gru("two-biases", "Biases of both kernels.", TWO_BIASES, states=True)


# Some of the outputs


def _final_states(r: Draw) -> Graph:
    graph = _recurrent(r, "lstm", states=True, mask=ALL_MASKS)
    _, state_h, state_c = graph.outputs
    graph.outputs = [state_c, state_h]
    return graph


def _first_output(r: Draw) -> Graph:
    graph = _recurrent(r, "lstm", states=True)
    graph.outputs = graph.outputs[:1]
    return graph


MADE = quote("format.md", "the values that it makes; most operators make one")
declare("lstm/final-states", "The final states alone, the carry first; nothing reads y.", MADE, _final_states)
declare("lstm/output-alone", "The output alone; nothing reads the final states.", MADE, _first_output)


# In networks


def _encoder_decoder(r: Draw) -> Graph:
    """What is read of one sequence, of any length, is what writing another begins with."""
    graph = Graph()
    x = graph.input("x", r.normal(3, 5, FEATURES), ("batch", "time", FEATURES))
    z = graph.input("z", r.normal(3, 4, 2), ("batch", "steps", 2))
    mask = graph.input("mask", np.array([[True] * 5, [True] * 3 + [False] * 2, [False] * 5]), ("batch", "time"))
    _, *read = add(
        graph, "encoder", "lstm", x, mask, weights=dense_weights(r, "lstm", FEATURES, 3), **ATTRIBUTES["lstm"]
    )
    y, *written = add(graph, "decoder", "lstm", z, *read, weights=dense_weights(r, "lstm", 2, 3), **ATTRIBUTES["lstm"])
    graph.outputs += [y, *written]
    return graph


declare(
    "network/encoder-decoder",
    "The final states of one layer are the initial ones of another, over sequences of two lengths.",
    quote("ops/lstm.md", "| state_h | as x | (rows, units), h before the first step; may be absent: 0 |"),
    _encoder_decoder,
    kind="network",
    calls=True,
)
