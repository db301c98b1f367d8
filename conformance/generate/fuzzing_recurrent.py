"""Draws for simple_rnn, gru, lstm, conv_lstm."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st

from generate import scalar
from generate.drawing import Draw, Make, array, numbers
from generate.graph import Graph
from generate.positive.loops import GATES, STATES, extents, loop

SMALL = numbers(-2, 2, 2.0**-10)
ACTIVATIONS = ("tanh", "sigmoid", "relu", "linear", "softmax", "elu", "hard_sigmoid", "softsign", "softplus", "gelu")
"""Without a jump, and that do not grow beyond what they are given."""


def _attributes(draw: Draw, *activations: str) -> dict[str, Any]:
    switches = {name: draw(st.booleans()) for name in ("go_backwards", "return_sequences", "zero_output_for_mask")}
    return {**{name: draw(st.sampled_from(ACTIVATIONS)) for name in activations}, **switches}


def _looped(draw: Draw, op: str, x: Any, weights: dict[str, Any], state: tuple[int, ...], **attributes: Any) -> Graph:
    """The layer, with or without initial states and a mask."""
    states = [array(draw, (len(x), *state), SMALL) for _ in STATES[op]] if draw(st.booleans()) else []
    mask = array(draw, x.shape[:2], st.booleans(), "bool") if draw(st.booleans()) else None
    time = draw(st.sampled_from((None, "time")))
    return loop(op, x, weights, states, mask, time=time, state=state, evaluate=scalar.float64, **attributes)


def recurrent(draw: Draw, op: str) -> Graph:
    rows, time, features, units = draw.rows(), draw.dimension(), draw.dimension(), draw.dimension()
    width = GATES[op] * units
    weights = {
        "kernel": array(draw, (features, width), SMALL),
        "recurrent_kernel": array(draw, (units, width), SMALL),
    }
    attributes = _attributes(draw, "activation", *(["recurrent_activation"] if op != "simple_rnn" else []))
    if op == "gru":
        attributes["reset_after"] = draw(st.booleans())
    if draw(st.booleans()):
        weights["bias"] = array(draw, (2, width) if attributes.get("reset_after") else (width,), SMALL)
    return _looped(draw, op, array(draw, (rows, time, features), SMALL), weights, (units,), **attributes)


def conv_lstm(draw: Draw) -> Graph:
    space = [draw.dimension() for _ in range(draw(st.integers(1, 2)))]
    sizes = [draw(st.integers(1, min(extent, 2))) for extent in space]
    padding, dilated = draw(st.sampled_from(("valid", "same"))), draw(st.booleans())  # Keras has no strides then
    attributes = {
        **_attributes(draw, "activation", "recurrent_activation"),
        "padding": padding,
        "strides": [1 if dilated else draw(st.integers(1, 2)) for _ in space],
        "dilation_rate": [2 if dilated and (padding == "same" or extent > 2) else 1 for extent in space],
    }
    channels, filters = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    weights = {
        "kernel": array(draw, (*sizes, channels, 4 * filters), SMALL),
        "recurrent_kernel": array(draw, (*sizes, filters, 4 * filters), SMALL),
    }
    if draw(st.booleans()):
        weights["bias"] = array(draw, (4 * filters,), SMALL)
    x = array(draw, (draw.rows(), draw(st.integers(1, min(draw.most, 3))), *space, channels), SMALL)
    return _looped(draw, "conv_lstm", x, weights, (*extents(space, sizes, attributes), filters), **attributes)


MAKE: Mapping[str, Make] = {**{op: partial(recurrent, op=op) for op in GATES}, "conv_lstm": conv_lstm}
