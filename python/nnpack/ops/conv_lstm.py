"""conv_lstm: spec/ops/conv_lstm.md."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nnpack.errors import FormatError
from nnpack.format.document import Dimension, show
from nnpack.ops.convolution import conv
from nnpack.ops.operator import Call, Made, integers, one_of, require_rank, require_shape
from nnpack.ops.recurrent import ACTIVATION, activated, lstm_cell, made, require_operand_shapes, require_operands
from nnpack.ops.unrolled import Arithmetic, Inputs, Linear, Loop, States, loop_operator, split

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _extent(n: int, kernel_size: int, stride: int, padding: str, dilation: int) -> int:
    """How many elements a convolution makes of n."""
    covered = 1 if padding == "same" else (kernel_size - 1) * dilation + 1
    return (n - covered) // stride + 1


def _types(call: Call) -> list[Made]:
    masked, attributes = require_operands(call, 2), call.attributes
    n = require_rank(call, 0, 4, 6) - 3
    rows, _, *pixels, channels = call.inputs[0].shape
    sizes = [size for size in (*pixels, channels) if isinstance(size, int)]
    if len(sizes) <= n:
        expected = "a shape (rows, time, …) with numbers behind time"
        raise FormatError("rank-range", "/inputs/0", expected, show(call.inputs[0].shape))
    for key in ("strides", "dilation_rate"):
        if len(attributes[key]) != n:
            raise FormatError("rank-range", f"/attributes/{key}", f"{n} integers", attributes[key])
    kernel_size, filters = _kernel(call, n)
    require_shape(call, "kernel", *kernel_size, channels, 4 * filters)
    if "bias" in call.weights:
        require_shape(call, "bias", 4 * filters)
    extents = [
        _extent(size, k, stride, attributes["padding"], dilation)
        for size, k, stride, dilation in zip(
            sizes, kernel_size, attributes["strides"], attributes["dilation_rate"], strict=False
        )
    ]
    state: tuple[Dimension, ...] = (rows, *extents, filters)
    require_operand_shapes(call, masked, state)
    return made(call, state, 2)


def _kernel(call: Call, n: int) -> tuple[list[int], int]:
    """kernel_size and filters, from recurrent_kernel."""
    sizes = [size for size in call.weights["recurrent_kernel"].shape if isinstance(size, int)]
    filters = sizes[n] if len(sizes) > n else 1
    require_shape(call, "recurrent_kernel", *[None] * n, filters, 4 * filters)
    return sizes[:n], filters


def _folded(n: int, x: Array, kernel: Array, bias: Array | None, **attributes: object) -> Array:
    """The convolution of images of n spatial axes, whatever axes stand before theirs."""
    y: Array = conv(x.reshape(-1, *x.shape[-n - 1 :]), kernel, bias, groups=1, **attributes)
    return y.reshape(*x.shape[: -n - 1], *y.shape[1:])


@loop_operator(
    _types,
    states=2,
    attributes={
        "activation": ACTIVATION,
        "recurrent_activation": ACTIVATION,
        "strides": integers(1, lengths=(1, 3)),
        "padding": one_of("valid", "same"),
        "dilation_rate": integers(1, lengths=(1, 3)),
    },
)
def conv_lstm(
    arithmetic: Arithmetic,
    *inputs: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
    activation: str,
    recurrent_activation: str,
    strides: list[int],
    padding: str,
    dilation_rate: list[int],
    go_backwards: bool,
    return_sequences: bool,
    zero_output_for_mask: bool,
) -> States:
    """An LSTM whose products are convolutions. Source: spec/ops/conv_lstm.md.

    Args:
        arithmetic: how the loop is evaluated.
        inputs: (rows, time, *space, channels); then twice (rows, *out, filters), or none: 0; then (rows, time), or
            none.
        kernel: (*kernel_size, channels, 4 · filters), the gates i, f, g, o.
        recurrent_kernel: (*kernel_size, filters, 4 · filters).
        bias: (4 · filters,).

    Returns:
        (rows, time, *out, filters) or (rows, *out, filters), and twice (rows, *out, filters).
    """
    n = kernel.ndim - 2
    of_x = partial(_folded, n, strides=strides, padding=padding, dilation_rate=dilation_rate)
    of_h = partial(_folded, n, strides=[1] * n, padding="same", dilation_rate=[1] * n)
    given = Inputs(Linear(of_x, kernel, bias), inputs[0])
    out = given.values.shape[2:-1]
    x, states, mask = split(inputs, [(len(inputs[0]), *out, recurrent_kernel.shape[-2])] * 2)
    cell = lstm_cell(
        arithmetic,
        given,
        Linear(of_h, recurrent_kernel),
        activated(arithmetic, activation),
        activated(arithmetic, recurrent_activation),
    )
    loop = Loop(go_backwards, return_sequences, zero_output_for_mask)
    return loop.run(arithmetic, cell, x.shape[1], states, mask)
