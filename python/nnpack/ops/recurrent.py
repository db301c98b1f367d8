"""simple_rnn, lstm, gru: spec/ops/simple_rnn.md, spec/ops/lstm.md, spec/ops/gru.md."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.errors import FormatError
from nnpack.format.document import Dimension, show
from nnpack.format.dtypes import FLOATS
from nnpack.ops.activations import log_softmax, softmax
from nnpack.ops.core import dense
from nnpack.ops.operator import (
    BOOLEAN,
    OPERATORS,
    Call,
    Made,
    Rounding,
    exact,
    one_of,
    require_dtype,
    require_rank,
    require_shape,
    rounded,
    summed,
)
from nnpack.ops.unrolled import Arithmetic, Cell, Inputs, Linear, Loop, States, loop_operator, split

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

# Activations by name


class Activation(NamedTuple):
    """A function of the units of a gate, and its rounding."""

    function: Callable[..., Array]
    rounding: Rounding


def _elementwise(name: str, **attributes: Any) -> Activation:
    operator = OPERATORS[f"{name}@1"]
    return Activation(partial(operator.function, **attributes), partial(operator.rounding, **attributes))


def _along_units(function: Callable[..., Array]) -> Activation:
    operator = OPERATORS[f"{function.__name__}@1"]
    return Activation(
        lambda v: operator.function(v, axes=[v.ndim - 1]), lambda y, v: operator.rounding(y, v, axes=[v.ndim - 1])
    )


_PLAIN = (
    *("relu", "relu6", "selu", "sigmoid", "silu", "mish", "softplus", "log_sigmoid", "softsign", "tanh"),
    *("tanh_shrink", "exponential", "hard_sigmoid", "hard_silu", "hard_tanh", "sparse_sigmoid", "sparse_plus"),
)

ACTIVATIONS = {
    **{name: _elementwise(name) for name in _PLAIN},
    "leaky_relu": _elementwise("leaky_relu", negative_slope=0.2),
    "elu": _elementwise("elu", alpha=1.0),
    "celu": _elementwise("celu", alpha=1.0),
    "gelu": _elementwise("gelu", approximate=False),
    "hard_shrink": _elementwise("hard_shrink", threshold=0.5),
    "soft_shrink": _elementwise("soft_shrink", threshold=0.5),
    "squareplus": _elementwise("squareplus", b=4.0),
    "linear": Activation(lambda v: v, exact),
    "softmax": _along_units(softmax),
    "log_softmax": _along_units(log_softmax),
}
ACTIVATION = one_of(*sorted(ACTIVATIONS))


def activated(arithmetic: Arithmetic, name: str) -> Callable[[Array], Array]:
    """An activation whose result is a site."""
    function, rounding = ACTIVATIONS[name]
    return lambda v: arithmetic.site(function(v), rounding, v)


# Types


def require_operand(call: Call, i: int, *shape: Dimension) -> None:
    """An input has this shape."""
    if call.inputs[i].shape != shape:
        raise FormatError("operand-shape", f"/inputs/{i}", show(shape), show(call.inputs[i].shape))


def require_operands(call: Call, states: int) -> bool:
    """x, all states or none, and the mask have their dtypes; whether there is a mask."""
    dtype, rest = require_dtype(call, 0, *FLOATS), len(call.inputs) - 1
    masked = rest == states + 1 or (rest == 1 and (states > 1 or call.inputs[1].dtype == "bool"))
    for i in range(1, rest + 1):
        require_dtype(call, i, "bool" if masked and i == rest else dtype)
    for role, weight in call.weights.items():
        if weight.dtype != dtype:
            raise FormatError("dtype-mismatch", f"/weights/{role}", dtype, weight.dtype)
    return masked


def require_operand_shapes(call: Call, masked: bool, state: tuple[Dimension, ...]) -> None:
    """States and mask fit x."""
    rest = len(call.inputs) - 1
    for i in range(1, rest + 1):
        require_operand(call, i, *(call.inputs[0].shape[:2] if masked and i == rest else state))


def made(call: Call, state: tuple[Dimension, ...], states: int) -> list[Made]:
    """The output and the final states."""
    dtype, (rows, time) = call.inputs[0].dtype, call.inputs[0].shape[:2]
    y = (rows, time, *state[1:]) if call.attributes["return_sequences"] else state
    return [(dtype, y), *[(dtype, state)] * states]


def _types(call: Call, gates: int, states: int) -> list[Made]:
    masked = require_operands(call, states)
    require_rank(call, 0, 3, 3)
    x = call.inputs[0]
    if not isinstance(x.shape[2], int):
        raise FormatError("rank-range", "/inputs/0", "a shape (rows, time, features) with a number last", show(x.shape))
    units = next((n for n in call.weights["recurrent_kernel"].shape if isinstance(n, int)), 1)
    require_shape(call, "recurrent_kernel", units, gates * units)
    require_shape(call, "kernel", x.shape[2], gates * units)
    if "bias" in call.weights:
        require_shape(call, "bias", *[2] * call.attributes.get("reset_after", False), gates * units)
    state = (x.shape[0], units)
    require_operand_shapes(call, masked, state)
    return made(call, state, states)


# Cells


def sums(arithmetic: Arithmetic, inputs: Inputs, recurrent: Linear) -> Callable[[int, Array], Array]:
    """(t, h) -> x · kernel + h · recurrent_kernel + bias at step t, a site."""
    terms = inputs.terms + recurrent.terms

    def scale(t: int, h: Array) -> Array:
        return summed(inputs.magnitudes[:, t] + recurrent.magnitude(h), terms)

    return lambda t, h: arithmetic.site(inputs.values[:, t] + recurrent(h), lambda value, h: scale(t, h), h)


def mixed(arithmetic: Arithmetic, kept: Array, let_in: Array, terms: int) -> Array:
    """What a gate keeps of a state, and what another lets in."""
    return arithmetic.site(
        kept + let_in, lambda value, kept, let_in: summed(np.abs(kept) + np.abs(let_in), terms), kept, let_in
    )


def gates(sums: Array, count: int) -> Array:
    """(…, count · units) -> (…, count, units), a view."""
    return sums.reshape(*sums.shape[:-1], count, sums.shape[-1] // count)


@loop_operator(partial(_types, gates=1, states=1), states=1, attributes={"activation": ACTIVATION})
def simple_rnn(
    arithmetic: Arithmetic,
    *inputs: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    activation: str,
    go_backwards: bool,
    return_sequences: bool,
    zero_output_for_mask: bool,
) -> States:
    """h = activation(x · kernel + h · recurrent_kernel + bias), step by step. Source: spec/ops/simple_rnn.md.

    Args:
        arithmetic: how the loop is evaluated.
        inputs: (rows, time, features); then (rows, units), or none: 0; then (rows, time), or none.
        kernel: (features, units).
        recurrent_kernel: (units, units).
        bias: (units,).

    Returns:
        (rows, time, units) or (rows, units), and (rows, units).
    """
    x, states, mask = split(inputs, [(len(inputs[0]), len(recurrent_kernel))])
    summed_at = sums(arithmetic, Inputs(Linear(dense, kernel, bias), x), Linear(dense, recurrent_kernel))
    function = activated(arithmetic, activation)

    def cell(t: int, states: States) -> States:
        return (function(summed_at(t, states[0])),)

    loop = Loop(go_backwards, return_sequences, zero_output_for_mask)
    return loop.run(arithmetic, cell, x.shape[1], states, mask)


def lstm_cell(
    arithmetic: Arithmetic,
    inputs: Inputs,
    recurrent: Linear,
    activation: Callable[[Array], Array],
    recurrent_activation: Callable[[Array], Array],
) -> Cell:
    """The step of lstm and of conv_lstm, which differ in their products."""
    summed_at = sums(arithmetic, inputs, recurrent)

    def cell(t: int, states: States) -> States:
        h, c = states
        s = gates(summed_at(t, h), 4)
        i_and_f = recurrent_activation(s[..., :2, :])
        i, f = i_and_f[..., 0, :], i_and_f[..., 1, :]
        g, o = activation(s[..., 2, :]), recurrent_activation(s[..., 3, :])
        c = mixed(arithmetic, f * c, i * g, 2)
        return arithmetic.site(o * activation(c), rounded), c

    return cell


@loop_operator(
    partial(_types, gates=4, states=2),
    states=2,
    attributes={"activation": ACTIVATION, "recurrent_activation": ACTIVATION},
)
def lstm(
    arithmetic: Arithmetic,
    *inputs: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    activation: str,
    recurrent_activation: str,
    go_backwards: bool,
    return_sequences: bool,
    zero_output_for_mask: bool,
) -> States:
    """c = f · c + i · g, h = o · activation(c), step by step. Source: spec/ops/lstm.md.

    Args:
        arithmetic: how the loop is evaluated.
        inputs: (rows, time, features); then twice (rows, units), or none: 0; then (rows, time), or none.
        kernel: (features, 4 · units), the gates i, f, g, o.
        recurrent_kernel: (units, 4 · units).
        bias: (4 · units,).

    Returns:
        (rows, time, units) or (rows, units), and twice (rows, units).
    """
    x, states, mask = split(inputs, [(len(inputs[0]), len(recurrent_kernel))] * 2)
    cell = lstm_cell(
        arithmetic,
        Inputs(Linear(dense, kernel, bias), x),
        Linear(dense, recurrent_kernel),
        activated(arithmetic, activation),
        activated(arithmetic, recurrent_activation),
    )
    loop = Loop(go_backwards, return_sequences, zero_output_for_mask)
    return loop.run(arithmetic, cell, x.shape[1], states, mask)


Candidate = Callable[[int, "Array", "Array"], "Array"]
"""(t, h, r) -> the sum that the candidate is the activation of."""


def _reset_after(arithmetic: Arithmetic, inputs: Inputs, recurrent: Linear) -> Candidate:
    """x · kernel + r · (h · recurrent_kernel), each with its bias."""

    def candidate(t: int, h: Array, r: Array) -> Array:
        m = arithmetic.site(recurrent(h), lambda m, h: summed(recurrent.magnitude(h), recurrent.terms), h)
        reset = r * m
        return arithmetic.site(
            inputs.values[:, t] + reset,
            lambda p, reset: summed(inputs.magnitudes[:, t] + np.abs(reset), inputs.terms + 1),
            reset,
        )

    return candidate


def _reset_before(arithmetic: Arithmetic, inputs: Inputs, recurrent: Linear) -> Candidate:
    """x · kernel + (r · h) · recurrent_kernel + bias."""
    summed_at = sums(arithmetic, inputs, recurrent)

    def candidate(t: int, h: Array, r: Array) -> Array:
        return summed_at(t, arithmetic.site(r * h, rounded))

    return candidate


@loop_operator(
    partial(_types, gates=3, states=1),
    states=1,
    attributes={"activation": ACTIVATION, "recurrent_activation": ACTIVATION, "reset_after": BOOLEAN},
)
def gru(
    arithmetic: Arithmetic,
    *inputs: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    activation: str,
    recurrent_activation: str,
    reset_after: bool,
    go_backwards: bool,
    return_sequences: bool,
    zero_output_for_mask: bool,
) -> States:
    """h = z · h + (1 - z) · g, step by step. Source: spec/ops/gru.md.

    Args:
        arithmetic: how the loop is evaluated.
        inputs: (rows, time, features); then (rows, units), or none: 0; then (rows, time), or none.
        kernel: (features, 3 · units), the gates z, r, g.
        recurrent_kernel: (units, 3 · units).
        bias: (2, 3 · units) with reset_after, (3 · units,) without.

    Returns:
        (rows, time, units) or (rows, units), and (rows, units).
    """
    units = len(recurrent_kernel)
    x, states, mask = split(inputs, [(len(inputs[0]), units)])
    a, b = (bias, None) if bias is None or not reset_after else bias

    def linear(kernel: Array, bias: Array | None, part: slice) -> Linear:
        return Linear(dense, kernel[:, part], None if bias is None else bias[part])

    both, last = slice(2 * units), slice(2 * units, None)
    summed_at = sums(arithmetic, Inputs(linear(kernel, a, both), x), linear(recurrent_kernel, b, both))
    candidate = (_reset_after if reset_after else _reset_before)(
        arithmetic, Inputs(linear(kernel, a, last), x), linear(recurrent_kernel, b, last)
    )
    function, gate = activated(arithmetic, activation), activated(arithmetic, recurrent_activation)

    def cell(t: int, states: States) -> States:
        (h,) = states
        z_and_r = gate(gates(summed_at(t, h), 2))
        z, r = z_and_r[..., 0, :], z_and_r[..., 1, :]
        g = function(candidate(t, h, r))
        return (mixed(arithmetic, z * h, (1 - z) * g, 3),)

    loop = Loop(go_backwards, return_sequences, zero_output_for_mask)
    return loop.run(arithmetic, cell, x.shape[1], states, mask)
