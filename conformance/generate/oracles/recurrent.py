"""simple_rnn, lstm, gru, conv_lstm: Keras's layers, whose activations in float64 are the other oracles'.

In place of no row Keras is given one, which is dropped: its addition takes an empty batch for a bias, and fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from keras import activations, layers, ops

from generate.oracles.declare import Oracle, run
from naive.operators.recurrent import ACTIVATIONS

Activation = Callable[[str], Callable[[Any], Any]]
"""The function of an activation's name."""

CONV_LSTM = {1: layers.ConvLSTM1D, 2: layers.ConvLSTM2D, 3: layers.ConvLSTM3D}


def _simple_rnn(kernel: Any, recurrent_kernel: Any, **attributes: Any) -> Any:
    return layers.SimpleRNN(recurrent_kernel.shape[0], **attributes)


def _lstm(kernel: Any, recurrent_kernel: Any, **attributes: Any) -> Any:
    return layers.LSTM(recurrent_kernel.shape[0], **attributes)


def _gru(kernel: Any, recurrent_kernel: Any, **attributes: Any) -> Any:
    return layers.GRU(recurrent_kernel.shape[0], **attributes)


def _conv_lstm(kernel: Any, recurrent_kernel: Any, **attributes: Any) -> Any:
    *kernel_size, filters, _ = recurrent_kernel.shape
    return CONV_LSTM[len(kernel_size)](filters, kernel_size, **attributes)


def _looped(
    *operands: Any,
    make: Callable[..., Any],
    function: Activation,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    **attributes: Any,
) -> list[Any]:
    """y, then the final states, of what initial states and mask there are."""
    rows = len(operands[0])
    x, *others = (
        ops.convert_to_tensor(item if rows else np.zeros((1, *item.shape[1:]), item.dtype)) for item in operands
    )
    states, mask = _parted(others)
    named = {key: function(item) if "activation" in key else item for key, item in attributes.items()}
    layer = make(kernel, recurrent_kernel, use_bias=bias is not None, return_state=True, dtype=x.dtype, **named)
    made = run(layer, x, [kernel, recurrent_kernel, bias], mask=mask, initial_state=states or None)
    return [np.asarray(each)[:rows] for each in made]


def _parted(others: Sequence[Any]) -> tuple[list[Any], Any]:
    masks = [item for item in others if item.dtype == "bool"]
    return [item for item in others if item.dtype != "bool"], masks[0] if masks else None


def oracles(known: Mapping[str, Oracle]) -> dict[str, Oracle]:
    """By the oracles of the activations."""

    def exactly(name: str) -> Callable[[Any], Any]:
        if name not in known or "softmax" in name:
            return activations.get(name)
        return lambda v: ops.convert_to_tensor(known[name].exact(v, **ACTIVATIONS[name]))

    def of(make: Callable[..., Any]) -> Oracle:
        return Oracle(
            partial(_looped, make=make, function=exactly), partial(_looped, make=make, function=activations.get)
        )

    return {"simple_rnn": of(_simple_rnn), "lstm": of(_lstm), "gru": of(_gru), "conv_lstm": of(_conv_lstm)}
