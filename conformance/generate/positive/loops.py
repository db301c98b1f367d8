"""What the cases of the recurrent operators share: layers of several outputs, their weights, masks, activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from generate import scalar
from generate.case import Draw
from generate.graph import Evaluate, Graph, Node
from generate.pages import Quote, cells, quote, rows, sections
from naive.operators.recurrent import ACTIVATIONS as OF_OPERATORS

ACTIVATIONS = (*OF_OPERATORS, "linear")

SWITCHES = {"go_backwards": False, "return_sequences": True, "zero_output_for_mask": False}
GATED = {"activation": "tanh", "recurrent_activation": "sigmoid", **SWITCHES}
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "simple_rnn": {"activation": "tanh", **SWITCHES},
    "gru": {**GATED, "reset_after": True},
    "lstm": GATED,
}
GATES = {"simple_rnn": 1, "gru": 3, "lstm": 4}
STATES = {
    "simple_rnn": ("state",),
    "gru": ("state",),
    "lstm": ("state_h", "state_c"),
    "conv_lstm": ("state_h", "state_c"),
}

# Sentences of all of their pages

SYMBOL = "time may be a symbol; y keeps it."
BACKWARDS = "the steps are taken from the last to the first. y has them in the order in which they are taken."
ZERO = "the output of a step that the mask leaves out is 0, not that of the step taken before it."
WITHOUT_MASK = "Without a mask it changes nothing."
NO_BIAS = "may be absent: nothing is added"
MASK = "(rows, time), false at steps to be left out; may be absent: true"
LAST_INPUT = "The mask, where there is one, is the last input."
NOT_READ = "A step that the mask leaves out is not read: NaN or an infinity in x there changes nothing."
ALL_LEFT_OUT = "A row whose mask is false at every step: y is 0 throughout"
PRECISION = "The dtype of x or better, from step to step."

ALL_MASKS = np.array(
    [
        [True, True, True, True],
        [False, False, True, True],
        [True, True, False, False],
        [True, False, True, True],
        [False, True, False, True],
        [False, False, False, False],
    ]
)
"""Rows of which nothing is left out; the beginning, the end, the middle; here and there; everything."""


def dense_weights(
    r: Draw, op: str, features: int, units: int, *, bias: bool = True, reset_after: bool = True, spread: float = 1.0
) -> dict[str, Any]:
    """Weights of simple_rnn, gru or lstm."""
    width = GATES[op] * units
    weights = {
        "kernel": r.normal(features, width, scale=spread / sqrt(features)),
        "recurrent_kernel": r.normal(units, width, scale=spread / sqrt(units)),
    }
    if bias:
        weights["bias"] = r.normal(*((2, width) if op == "gru" and reset_after else (width,)), scale=0.5)
    return weights


def add(
    graph: Graph,
    name: str,
    op: str,
    x: Node,
    *others: Node,
    weights: Mapping[str, Any],
    state: Sequence[int | str] | None = None,
    **attributes: Any,
) -> list[Node]:
    """A layer of these operators: y, then the final states.

    Args:
        state: the shape of a state without its rows, where it is not (units,).
    """
    rows, time, *_ = x.shape
    shape = tuple(state or weights["recurrent_kernel"].shape[:1])
    y = (rows, time, *shape) if attributes["return_sequences"] else (rows, *shape)
    shapes = [y, *[(rows, *shape)] * len(STATES[op])]
    return graph.apply_all(name, op, x, *others, weights=weights, shapes=shapes, **attributes)


def loop(
    op: str,
    x: Any,
    weights: Mapping[str, Any],
    states: Sequence[Any] = (),
    mask: Any = None,
    *,
    time: int | str | None = None,
    state: Sequence[int] | None = None,
    evaluate: Evaluate = scalar.exact,
    **attributes: Any,
) -> Graph:
    """A model of one layer; all that it makes is an output.

    Args:
        time: what is declared: a symbol, or the number of steps (None).
    """
    graph = Graph(evaluate)
    steps = time or x.shape[1]
    nodes = [graph.input("x", x, ("batch", steps, *x.shape[2:]))]
    nodes += [graph.input(name, array) for name, array in zip(STATES[op], states, strict=False)]
    nodes += [] if mask is None else [graph.input("mask", mask, ("batch", steps))]
    graph.outputs += add(graph, "y", op, *nodes, weights=weights, state=state, **attributes)
    return graph


def activation_of(name: str) -> Quote:
    """The row of the table of activations that has this name."""
    page = "ops/simple_rnn.md"
    (row,) = (row for row in rows(sections(page)["Activations by name"]) if name in cells(row)[0].split(", "))
    return quote(page, row)


def next_to(name: str) -> str:
    """Another activation for the gates: each is somebody's."""
    return ACTIVATIONS[(ACTIVATIONS.index(name) + 5) % len(ACTIVATIONS)]


def extents(space: Sequence[int], kernel_size: Sequence[int], attributes: Mapping[str, Any]) -> tuple[int, ...]:
    """The pixels of conv_lstm's states along each axis."""
    axes = zip(space, kernel_size, attributes["strides"], attributes["dilation_rate"], strict=True)
    covered = [(n, 1 if attributes["padding"] == "same" else (k - 1) * d + 1, s) for n, k, s, d in axes]
    return tuple((n - extent) // s + 1 for n, extent, s in covered)
