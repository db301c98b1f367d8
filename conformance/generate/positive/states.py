"""Models with states: a sequence in pieces, cut in every way, gives what it gives as a whole."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, Node
from generate.pages import Quote, quote
from generate.positive.declare import Make, declare
from generate.positive.loops import ATTRIBUTES, GATED, STATES, add, dense_weights

ROWS, TIME, FEATURES, UNITS = 3, 4, 3, 2


def _says(sentence: str) -> Quote:
    return quote("format.md", sentence)


PIECES = _says("it is given a sequence piece by piece, and answers as if it had been given the whole")
INITIAL = _says("names the tensor that each row of the state is before the first call")
GOES_ON = _says("Row r of one call goes on where row r of the call before ended.")
AT_ONCE = _says("All states change at once, when the call is done")
RESET = _says("A model begins as after a reset, and a reset is what its user asks for.")
ONE_VALUE = _says("It may be an output of the model too, and several states may become one value.")
MADE = _says("one that a layer makes (`undefined-output`), of the dtype and shape of `input` (`state-mismatch`)")


def _sequence(graph: Graph, array: Any, name: str = "x") -> Node:
    return graph.input(name, array, ("batch", "time", *array.shape[2:]))


def _carried(graph: Graph, r: Draw, name: str, op: str, x: Node, *mask: Node, units: int = UNITS, **given: Any) -> Node:
    """A layer of simple_rnn, gru or lstm that goes on from call to call."""
    initial = [graph.state(f"{name}/{state}", r.normal(units)) for state in STATES[op]]
    attributes = {**ATTRIBUTES[op], **given}
    weights = dense_weights(r, op, int(x.shape[-1]), units, reset_after=attributes.get("reset_after", True))
    y, *final = add(graph, name, op, x, *initial, *mask, weights=weights, **attributes)
    for state, becomes in zip(initial, final, strict=True):
        graph.carry(state, becomes)
    return y


def _declare(name: str, title: str, says: Quote, make: Make) -> None:
    declare(f"states/{name}", title, says, make, kind="states")


def _loop(op: str, *, time: int = TIME, units: int = UNITS, scale: float = 1.0, **given: Any) -> Make:
    def make(r: Draw) -> Graph:
        graph = Graph()
        x = _sequence(graph, r.normal(ROWS, time, FEATURES, scale=scale))
        graph.outputs.append(_carried(graph, r, "y", op, x, units=units, **given))
        return graph

    return make


_declare("lstm", "Two states.", PIECES, _loop("lstm", time=5))
_declare("gru", "One state, which is also the output.", PIECES, _loop("gru"))
_declare(
    "gru-reset-before", "The same with the reset gate before the product.", GOES_ON, _loop("gru", reset_after=False)
)
_declare("simple-rnn", "One state, which is also the output.", PIECES, _loop("simple_rnn", time=5))


def _masked(r: Draw) -> Graph:
    """A piece whose first steps are left out goes on with the states, and answers 0 for them, as the whole does."""
    graph = Graph()
    x = _sequence(graph, r.normal(ROWS, TIME, FEATURES))
    mask = np.array([[True, True, False, True], [False, True, False, False], [True, False, True, True]])
    given = _sequence(graph, mask, "mask")
    graph.outputs.append(_carried(graph, r, "y", "lstm", x, given, zero_output_for_mask=True))
    return graph


_declare("mask", "Steps left out, of which the states know nothing.", GOES_ON, _masked)


def _conv_lstm(r: Draw) -> Graph:
    graph = Graph()
    x = _sequence(graph, r.normal(2, TIME, 3, 2))
    initial = [graph.state(f"y/{state}", r.normal(3, 2)) for state in STATES["conv_lstm"]]
    weights = {
        "kernel": r.normal(2, 2, 8, scale=0.5),
        "recurrent_kernel": r.normal(2, 2, 8, scale=0.5),
        "bias": r.normal(8),
    }
    attributes = {**GATED, "strides": [1], "dilation_rate": [1], "padding": "same"}
    y, *final = add(graph, "y", "conv_lstm", x, *initial, weights=weights, state=(3, 2), **attributes)
    for state, becomes in zip(initial, final, strict=True):
        graph.carry(state, becomes)
    graph.outputs.append(y)
    return graph


_declare("conv-lstm", "States that are images.", PIECES, _conv_lstm)


def _stack(r: Draw) -> Graph:
    """A layer between the two is given pieces as well."""
    graph = Graph()
    x = _sequence(graph, r.normal(ROWS, TIME, FEATURES))
    first = _carried(graph, r, "first", "lstm", x)
    kernel = r.normal(UNITS, 3, scale=1 / sqrt(UNITS))
    between = graph.apply("between", "dense", first, weights={"kernel": kernel}, shape=("batch", "time", 3))
    graph.outputs.append(_carried(graph, r, "second", "gru", between, units=3))
    return graph


_declare("stack", "An LSTM, a dense layer and a GRU in a row: three states of two shapes.", GOES_ON, _stack)


def _two_outputs(r: Draw) -> Graph:
    """Two layers side by side read one sequence; the outputs are in another order than the states."""
    graph = Graph()
    x = _sequence(graph, r.normal(ROWS, TIME, FEATURES))
    made = [_carried(graph, r, name, "simple_rnn", x, activation=name) for name in ("tanh", "softsign")]
    graph.outputs += made[::-1]
    return graph


_declare("side-by-side", "Two layers of one sequence, each with a state of its own.", GOES_ON, _two_outputs)


# States without a loop


def _row(graph: Graph, name: str, x: Node, start: int) -> Node:
    """x[:, start], counted from the end."""
    given: dict[str, Any] = {"axis": 1, "start": start, "stop": start + 1 or 2**31 - 1, "step": 1}
    last = graph.apply(f"{name} alone", "slice", x, shape=("batch", 1, *x.shape[2:]), **given)
    return graph.apply(name, "squeeze", last, axes=[1])


def _distance(graph: Graph, left: Node, right: Node) -> Node:
    difference = graph.apply("difference", "subtract", left, right, shape=left.shape)
    return graph.apply("y", "abs", difference, shape=left.shape)


def _difference(r: Draw) -> Graph:
    """y[t] = |x[t] - x[t - 2]|; what the states become is made before they are read."""
    graph = Graph()
    x = _sequence(graph, r.normal(ROWS, TIME, FEATURES))
    earlier, before = (graph.state(name, r.normal(FEATURES)) for name in ("earlier", "before"))
    rows = [graph.apply(f"row {state.name}", "expand_dims", state, axis=1) for state in (earlier, before)]
    longer = graph.apply("longer", "concatenate", *rows, x, axis=1, shape=("batch", "longer", FEATURES))
    graph.carry(before, _row(graph, "next before", longer, -1))
    graph.carry(earlier, _row(graph, "next earlier", longer, -2))
    given: dict[str, Any] = {"axis": 1, "start": 0, "stop": -2, "step": 1}
    shifted = graph.apply("shifted", "slice", longer, shape=("batch", "time", FEATURES), **given)
    graph.outputs.append(_distance(graph, x, shifted))
    return graph


def _total(r: Draw) -> Graph:
    """y[t] = y[t - 1] + x[t], of integers; what the state becomes is made before it is read once more."""
    graph = Graph()
    x = _sequence(graph, r.integers(-99, 99, ROWS, TIME, 2))
    total = graph.state("total", r.integers(-999, 999, 2))
    sums = graph.apply("sums", "cumsum", x, axis=1, shape=("batch", "time", 2))
    graph.carry(total, graph.apply("next", "add", _row(graph, "last", sums, -1), total))
    before = graph.apply("before", "expand_dims", total, axis=1)
    graph.outputs.append(graph.apply("y", "add", sums, before, shape=("batch", "time", 2)))
    return graph


def _one_value(r: Draw) -> Graph:
    """y[t] = |a[t] - b[t]|, where a and b are x[t - 1], and differ at the first step."""
    graph = Graph()
    x = _sequence(graph, r.normal(ROWS, TIME, FEATURES))
    a, b = (graph.state(name, r.normal(FEATURES)) for name in "ab")
    rows = [graph.apply(f"row {state.name}", "expand_dims", state, axis=1) for state in (a, b)]
    last = _row(graph, "last", x, -1)
    graph.carry(a, last)
    graph.carry(b, last)
    made = []
    for state, row in zip((a, b), rows, strict=True):
        longer = graph.apply(f"longer {state.name}", "concatenate", row, x, axis=1, shape=("batch", "longer", FEATURES))
        given: dict[str, Any] = {"axis": 1, "start": 0, "stop": -1, "step": 1}
        made.append(graph.apply(f"before {state.name}", "slice", longer, shape=("batch", "time", FEATURES), **given))
    graph.outputs += [_distance(graph, *made), *made]
    return graph


_declare("difference", "What the two rows before were, without a loop.", MADE, _difference)
_declare("total", "A sum of integers that goes on, read after what it becomes was made.", AT_ONCE, _total)
_declare("one-value", "Two states that begin apart and become one value.", ONE_VALUE, _one_value)
_declare(
    "initial", "Small inputs, so that the initial states are what counts.", INITIAL, _loop("gru", units=3, scale=0.05)
)
_declare("reset", "A sequence of few steps, again and again.", RESET, _loop("lstm", time=2, units=3))
