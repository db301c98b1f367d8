"""spec/ops/conv_lstm.md: an LSTM whose products are convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from naive.arithmetic import Number
from naive.arrays import elements
from naive.errors import require
from naive.operators.convolution import products
from naive.operators.operator import Call, Operator, Site, Type, one_of
from naive.operators.recurrent import (
    GATED,
    ROLES,
    States,
    Step,
    bias,
    carried,
    check_dtypes,
    check_operand,
    operands,
    result,
    unroll,
)
from naive.operators.weights import check_weight_shape
from naive.operators.windows import check_image, check_lengths, dimension, met, places, spatial, window

Meeting = Sequence[tuple[int, int]]
"""The places of a kernel that meet some of an image, each with that place."""


def infer(site: Site) -> list[Type]:
    check_dtypes(site, 2)  # C1
    x, states, mask = operands(site.inputs, 2)
    check_image(x.shape, axes_before=2)  # C2
    rows, time, *space, channels = x.shape
    known = all(isinstance(n, int) for n in x.shape[2:])
    require(known, "rank-range", "/inputs/0", "numbers behind the first two dimensions", x.shape)  # C2
    check_lengths(site, len(space), strides=1, dilation_rate=1)  # C3
    recurrent_kernel = site.weights["recurrent_kernel"].shape
    fits = len(recurrent_kernel) == len(space) + 2 and recurrent_kernel[-1] == 4 * recurrent_kernel[-2]
    require(fits, "weight-shape", "/weights/recurrent_kernel", "(…, filters, 4 · filters)", recurrent_kernel)  # C4
    *sizes, filters, _ = recurrent_kernel
    check_weight_shape(site, "kernel", (*sizes, channels, 4 * filters))  # C5
    check_weight_shape(site, "bias", (4 * filters,))  # C6
    strides, rates, padding = (site.attributes[name] for name in ("strides", "dilation_rate", "padding"))
    out = [dimension(padding, *axis) for axis in zip(space, sizes, strides, rates, strict=True)]
    state = (rows, *out, filters)
    for k, given in enumerate(states, start=1):
        check_operand(given, k, state)  # C7
    if mask:
        check_operand(mask, len(states) + 1, (rows, time))  # C8
    return result(site, 2, state)


def conv_lstm(call: Call) -> Step:
    kernel, recurrent_kernel = call.weights["kernel"], call.weights["recurrent_kernel"]
    *sizes, channels, width = kernel.shape
    filters = width // 4
    space, out = call.inputs[0].shape[2:-1], call.shapes[1][1:-1]
    strides, rates, padding = (call.attributes[name] for name in ("strides", "dilation_rate", "padding"))
    over_x = [window(padding, *axis) for axis in zip(space, sizes, strides, rates, strict=True)]
    over_h = [window("same", *axis, stride=1) for axis in zip(out, sizes, strict=True)]
    pixels = [(list(met(over_x, at)), list(met(over_h, at))) for at in places(out)]
    count = elements(sizes) * (channels + filters) + ("bias" in call.weights)

    def sums(x: list[Number], h: list[Number], of_x: Meeting, of_h: Meeting) -> list[Number]:
        """Those of the gates, for one pixel."""
        return [
            call.a.site(
                [
                    *products(x, channels, 0, kernel, of_x, k),
                    *products(h, filters, 0, recurrent_kernel, of_h, k),
                    *bias(call, k),
                ],
                count,
            )
            for k in range(width)
        ]

    def step(x: list[Number], states: States) -> States:
        h, c = states
        new_h, new_c = [], []
        for p, (of_x, of_h) in enumerate(pixels):
            of_pixel = carried(call, sums(x, h, of_x, of_h), c[p * filters : (p + 1) * filters])
            new_h += of_pixel[0]
            new_c += of_pixel[1]
        return [new_h, new_c]

    return step


OPERATORS = {
    "conv_lstm@1": Operator(
        infer,
        unroll(conv_lstm, 2),
        inputs=(1, 4),
        weights=ROLES,
        attributes={
            **GATED,
            "strides": spatial(),
            "dilation_rate": spatial(),
            "padding": one_of(("valid", "same")),
        },
    ),
}
