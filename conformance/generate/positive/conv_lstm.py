"""conv_lstm."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph
from generate.pages import Quote
from generate.positive.declare import FLUSHED, Make, declare, empty_batch, lengths, special
from generate.positive.loops import (
    ACTIVATIONS,
    ALL_LEFT_OUT,
    ALL_MASKS,
    BACKWARDS,
    GATED,
    LAST_INPUT,
    MASK,
    NO_BIAS,
    NOT_READ,
    PRECISION,
    SYMBOL,
    WITHOUT_MASK,
    ZERO,
    activation_of,
    extents,
    loop,
    next_to,
)

ROWS = len(ALL_MASKS)


def _conv_lstm(
    r: Draw,
    space: Sequence[int],
    kernel_size: Sequence[int],
    *,
    x: Any = None,
    rows: int = 2,
    time: int = 3,
    channels: int = 2,
    filters: int = 2,
    states: bool = False,
    mask: Any = None,
    bias: bool = True,
    symbol: str | None = None,
    padding: str = "valid",
    **given: Any,
) -> Graph:
    ones = [1] * len(space)
    attributes = {**GATED, "strides": ones, "dilation_rate": ones, "padding": padding, **given}
    x = r.normal(rows, time, *space, channels) if x is None else x
    window = prod(kernel_size)
    weights = {
        "kernel": r.normal(*kernel_size, channels, 4 * filters, scale=1 / sqrt(window * channels)),
        "recurrent_kernel": r.normal(*kernel_size, filters, 4 * filters, scale=1 / sqrt(window * filters)),
    }
    weights |= {"bias": r.normal(4 * filters, scale=0.5)} if bias else {}
    state = [*extents(space, kernel_size, attributes), filters]
    initial = [r.normal(len(x), *state) for _ in range(2)] if states else []
    return loop("conv_lstm", x, weights, initial, mask, time=symbol, state=state, **attributes)


def _case(
    name: str,
    title: str,
    says: str | Quote,
    space: Sequence[int],
    kernel_size: Sequence[int],
    *,
    calls: bool = False,
    **rest: Any,
) -> None:
    declare(f"conv_lstm/{name}", title, says, _made(space, kernel_size, **rest), calls=calls)


def _made(space: Sequence[int], kernel_size: Sequence[int], **rest: Any) -> Make:
    return lambda r: _conv_lstm(r, space, kernel_size, **rest)


FORMULA = "h' = recurrent_activation(o) · activation(c')"
SEQUENCES = "y is (rows, time, O₁, …, Oₙ, filters) where return_sequences is true"
ORDER = "Outputs: y, then state_h and state_c."
STATES = "state_h and state_c are (rows, O₁, …, Oₙ, filters)."
OF_X_ALONE = "The convolution of h always has strides 1, padding `same` and dilation_rate 1, so that h keeps its size."
NOT_FLIPPED = "Neither kernel is flipped."
ALL_FROM_OLD = "All of s is computed from the old h before any of h changes."
INITIAL = "(rows, O₁, …, Oₙ, filters), c before the first step; absent where state_h is: 0"
KEPT = "before the first step that is not left out, last is 0 whatever state_h is."
BY_FILTERS = "softmax and log_softmax run along the filters of one gate."
NAN = "NaN in x at a step that the mask does not leave out gives NaN in the output of that step, in that row"
EMPTY = "Empty batch: y and the final states have 0 rows."

_case("rank-5", "Images; all dimensions differ.", FORMULA, [4, 5], [2, 3], channels=3)
_case("rank-4", "One spatial axis.", ORDER, [6], [3], channels=3)
_case("rank-6", "Three spatial axes.", STATES, [2, 3, 4], [1, 2, 2], time=2, channels=1)
_case("last-output", "The output of the last step alone.", SEQUENCES, [6], [3], return_sequences=False)
_case("same", "Even and odd kernels: the padding of x and of h.", NOT_FLIPPED, [3, 4], [2, 3], padding="same", time=2)
_case("same-even", "Even kernels: less padding in front.", OF_X_ALONE, [4, 3], [4, 2], padding="same", time=2)
_case("kernel-beyond-state", "A kernel that is longer than the states.", ALL_FROM_OLD, [5], [5])
_case("one-pixel", "States of one pixel.", STATES, [2, 3], [2, 3], states=True)
_case("kernel-of-one", "Windows of one element.", STATES, [2, 3], [1, 1], filters=3)
_case("strides", "Strides of x alone; what is left at the end is not read.", OF_X_ALONE, [6, 8], [3, 2], strides=[2, 3])
_case("strides-same", "The same with padding.", OF_X_ALONE, [5, 6], [3, 2], strides=[2, 3], padding="same", time=2)
_case("strides-beyond-kernel", "Pixels that nothing reads.", OF_X_ALONE, [8], [2], strides=[3])
_case("dilated", "Dilation of x alone.", OF_X_ALONE, [5, 7], [2, 3], dilation_rate=[3, 2], time=2)
_case("dilated-same", "The same with padding.", OF_X_ALONE, [6], [3], dilation_rate=[2], padding="same")
_case("rank-6-strides", "Three axes, each with its own.", OF_X_ALONE, [3, 4, 5], [2, 1, 3], time=2, strides=[1, 3, 2])
_case("no-bias", "Nothing is added.", NO_BIAS, [6], [3], bias=False, states=True)
_case("states", "Initial states.", INITIAL, [3, 4], [2, 2], states=True, calls=True)
_case("backwards", "From the last step to the first.", BACKWARDS, [5], [2], go_backwards=True, states=True)
_case(
    "backwards-last-output",
    "The first step is the last.",
    BACKWARDS,
    [5],
    [2],
    go_backwards=True,
    return_sequences=False,
)
_case("zero-output-without-mask", "There is no mask.", WITHOUT_MASK, [5], [2], zero_output_for_mask=True)
_case("one-step", "A sequence of one step.", STATES, [5], [2], time=1, states=True)
_case("symbolic-time", "A time that only running tells.", SYMBOL, [5], [2], symbol="time")
_case(
    "symbolic-time-last-output", "The same without sequences.", SYMBOL, [5], [2], symbol="time", return_sequences=False
)
_case("filters", "Three filters, one channel.", NOT_FLIPPED, [5], [3], channels=1, filters=3)


def _masked(name: str, title: str, says: str, *, calls: bool = False, **rest: Any) -> None:
    masked = {"mask": ALL_MASKS, "rows": ROWS, "time": 4, "channels": 1}
    _case(name, title, says, [3], [2], calls=calls, **masked, **rest)


_masked("mask", "Steps left out at the beginning, the end, in the middle, and all.", MASK, calls=True)
_masked("mask-states", "Initial states of rows whose first steps are left out.", LAST_INPUT, states=True)
_masked("mask-last-output", "The last step that is not left out.", KEPT, states=True, return_sequences=False)
_masked("mask-zero-output", "0 at each step that is left out.", ZERO, zero_output_for_mask=True, states=True)
_masked(
    "mask-zero-output-last-output",
    "0 where the last step is left out.",
    ZERO,
    zero_output_for_mask=True,
    return_sequences=False,
)
_masked("mask-backwards", "The mask goes with its steps.", BACKWARDS, go_backwards=True, states=True)
_masked("mask-symbolic-time", "A mask of a time that only running tells.", SYMBOL, symbol="time")

for _name in ACTIVATIONS:
    _case(
        f"activation-{_name.replace('_', '-')}",
        f"activation: {_name}; gates: {next_to(_name)}",
        activation_of(_name),
        [3],
        [2],
        time=2,
        channels=1,
        activation=_name,
        recurrent_activation=next_to(_name),
    )
_case(
    "softmax-of-filters",
    "Gates that add up to 1 in each pixel.",
    BY_FILTERS,
    [2, 3],
    [1, 2],
    filters=3,
    activation="log_softmax",
    recurrent_activation="softmax",
)
_case("long", "Twenty steps, each of which goes on with what the last one rounded.", PRECISION, [3], [2], time=20)


def _left_out(r: Draw) -> Graph:
    x = r.normal(ROWS, 4, 3, 1)
    x[~ALL_MASKS] = np.resize(np.array([np.nan, np.inf, -np.inf], np.float32), (3, 1))
    return _conv_lstm(r, [3], [2], x=x, channels=1, states=True, mask=ALL_MASKS)


def _with_nan(r: Draw) -> Graph:
    """NaN in a corner: at that step no other pixel is NaN, at the next ones those beside it."""
    x = r.normal(2, 3, 7, 2)
    x[1, 1, 0, 1] = np.nan
    return _conv_lstm(r, [7], [2], x=x)


special("conv_lstm/left-out-not-finite", "NaN and infinities at steps left out.", NOT_READ, _left_out)
special(
    "conv_lstm/all-left-out",
    "Rows of which every step is left out, with initial states.",
    ALL_LEFT_OUT,
    _made([3], [2], states=True, mask=np.zeros((2, 3), bool)),
)
special("conv_lstm/nan", "NaN in a corner of one row's second image.", NAN, _with_nan)
special(
    "conv_lstm/subnormal",
    "Inputs below the smallest normal number.",
    FLUSHED,
    _made([3], [2], x=np.array([[[[1e-39], [-1e-45], [1e-40]]] * 2], np.float32), channels=1, bias=False),
)
empty_batch("conv_lstm", _made([4, 3], [2, 2], rows=0), EMPTY)
special(
    "conv_lstm/empty-batch-of-all-inputs",
    "No row, of states and mask too.",
    EMPTY,
    _made([3], [2], rows=0, time=4, states=True, mask=ALL_MASKS[:0]),
)
lengths("conv_lstm", lambda r, n: _conv_lstm(r, [3], [2], rows=n, time=2, channels=1, filters=1))
