"""Mistakes in kernels that slide: spec/ops/conv.md, conv_transpose.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mutants.mutant import Mutant, Patch, changing, of_faults, of_numbers, overlooking, without
from mutants.weighted import Accumulating, round_bfloat16
from naive.arithmetic import FLOAT64, Arithmetic, Number
from naive.arrays import Array
from naive.operators import convolution, weights, windows
from naive.operators.operator import Call, Compute
from naive.operators.windows import Window, place, places

# A kernel and an image in another order, attributes in the place of others


def permuted(array: Array, axes: Sequence[int]) -> Array:
    """The array with its axes in this order."""
    shape = tuple(array.shape[axis] for axis in axes)
    back = [list(axes).index(axis) for axis in range(len(axes))]
    return Array(array.dtype, shape, [array.data[place([at[k] for k in back], array.shape)] for at in places(shape)])


def flipped(array: Array) -> Array:
    """Its elements in the opposite order along all axes but the last two."""
    n = len(array.shape) - 2

    def mirrored(at: Sequence[int]) -> list[int]:
        return [size - 1 - i if axis < n else i for axis, (i, size) in enumerate(zip(at, array.shape, strict=True))]

    return replace(array, data=[array.data[place(mirrored(at), array.shape)] for at in places(array.shape)])


def read_as(array: Array, axes: Sequence[int]) -> Array:
    """Elements that lie in C order, taken for those of an array whose axes lie in this order."""
    stored = Array(array.dtype, tuple(array.shape[axis] for axis in axes), array.data)
    return permuted(stored, [list(axes).index(axis) for axis in range(len(axes))])


def with_kernel(compute: Compute, change: Callable[[Array], Array]) -> Compute:
    return lambda call: compute(replace(call, weights={**call.weights, "kernel": change(call.weights["kernel"])}))


def filters_first(kernel: Array) -> Array:
    """As PyTorch stores it: the last two axes first, the other way round."""
    n = len(kernel.shape)
    return read_as(kernel, [n - 1, n - 2, *range(n - 2)])


def depths_swapped(kernel: Array) -> Array:
    n = len(kernel.shape)
    return read_as(kernel, [*range(n - 2), n - 1, n - 2])


def columns_first(kernel: Array) -> Array:
    n = len(kernel.shape)
    return read_as(kernel, [*reversed(range(n - 2)), n - 2, n - 1])


def with_attributes(compute: Compute, **change: Callable[[list[int]], list[int]]) -> Compute:
    def changed(call: Call) -> list[Number]:
        other = {key: function(call.attributes[key]) for key, function in change.items()}
        return compute(replace(call, attributes={**call.attributes, **other}))

    return changed


def backwards(numbers: list[int]) -> list[int]:
    return numbers[::-1]


def ones(numbers: list[int]) -> list[int]:
    return [1] * len(numbers)


def channels_first(compute: Compute) -> Compute:
    """x is taken for (rows, channels, *space)."""

    def changed(call: Call) -> list[Number]:
        (x,) = call.inputs
        n = len(x.shape)
        return compute(replace(call, inputs=[read_as(x, [0, n - 1, *range(1, n - 1)])]))

    return changed


# Padding


def padded(before: Callable[[Window, int], int]) -> Callable[..., Window]:
    """Windows of `same` with another number of zeros in front, from what is right and from all of the padding."""

    def wrong(padding: str, n: int, kernel: int, stride: int, dilation: int = 1) -> Window:
        right = windows.window(padding, n, kernel, stride, dilation)
        extent = (kernel - 1) * dilation + 1
        missing = max((-(-n // stride) - 1) * stride + extent - n, 0)
        return replace(right, before=before(right, missing)) if padding == "same" else right

    return wrong


EXTRA_IN_FRONT = padded(lambda right, missing: (missing + 1) // 2)
ALL_BEHIND = padded(lambda right, missing: 0)
AS_WITHOUT_STRIDES = padded(lambda right, missing: (right.kernel - 1) * right.dilation // 2)
BELOW_0 = padded(
    lambda right, missing: (
        ((-(-right.elements // right.stride) - 1) * right.stride + right.kernel - right.elements) // 2
    )
)
WITHOUT_DILATION = padded(lambda right, missing: max(missing - (right.kernel - 1) * (right.dilation - 1), 0) // 2)


def causal(before: Callable[[Window], int]) -> Callable[..., Window]:
    def wrong(padding: str, *axis: int) -> Window:
        right = windows.window(padding, *axis)
        return replace(right, before=before(right)) if padding == "causal" else right

    return wrong


# Groups


def by_group(group: Callable[[int, int, int], int], channel: Callable[[int, int, int, int], int]) -> Compute:
    """Convolution with another choice of channels.

    Args:
        group: of filter f, the number of filters of a group, and that of groups.
        channel: of group g, the place c in it, the number of channels of a group, and that of groups.
    """

    def compute(call: Call) -> list[Number]:
        *_, depth, filters = call.weights["kernel"].shape
        groups = call.attributes["groups"]

        def chosen(
            image: Sequence[Number], channels: int, first: int, kernel: Array, meeting: Sequence[Any], filter_: int
        ) -> list[Number]:
            g = group(filter_, filters // groups, groups)
            return [
                image[h * channels + channel(g, c, depth, groups)] * kernel.data[(i * depth + c) * filters + filter_]
                for i, h in meeting
                for c in range(depth)
            ]

        with patch.object(convolution, "products", chosen):
            return convolution.compute_conv(call)

    return compute


def skipping_zeros(call: Call) -> list[Number]:
    right = convolution.products

    def chosen(image: Any, channels: int, first: int, kernel: Array, meeting: Any, filter_: int) -> list[Number]:
        *_, depth, filters = kernel.shape
        rest = [
            (i, h) for i, h in meeting if any(kernel.data[(i * depth + c) * filters + filter_] for c in range(depth))
        ]
        return right(image, channels, first, kernel, rest, filter_)

    with patch.object(convolution, "products", chosen):
        return convolution.compute_conv(call)


# conv_transpose


def appended_in_front(call: Call) -> list[Number]:
    pairs = list(zip(call.attributes["cropping"][::2], call.attributes["cropping"][1::2], strict=True))
    moved = [(before + min(after, 0), max(after, 0)) for before, after in pairs]
    cropping = [n for pair in moved for n in pair]
    return convolution.compute_transpose(replace(call, attributes={**call.attributes, "cropping": cropping}))


def before_and_after_swapped(cropping: list[int]) -> list[int]:
    return [n for before, after in zip(cropping[::2], cropping[1::2], strict=True) for n in (after, before)]


def without_bias_beyond(call: Call) -> list[Number]:
    """No bias where no kernel reaches."""
    whole = {role: replace(w, data=[call.a.number(1)] * len(w.data)) for role, w in call.weights.items()}
    x = replace(call.inputs[0], data=[call.a.number(1)] * len(call.inputs[0].data))
    reached = convolution.compute_transpose(without(replace(call, inputs=[x], weights=whole), "bias"))
    right, bare = convolution.compute_transpose(call), convolution.compute_transpose(without(call, "bias"))
    return [v if n else w for v, w, n in zip(right, bare, reached, strict=True)]


# The catalogue


def of_kernel(op: str, name: str, says: str, change: Patch, arithmetic: Arithmetic = FLOAT64) -> Mutant:
    return of_numbers(f"{op}: {name}", says, change, page=f"ops/{op}.md", groups=(op,), arithmetic=arithmetic)


def of_conv(name: str, says: str, compute: Compute, arithmetic: Arithmetic = FLOAT64) -> Mutant:
    return of_kernel("conv", name, says, changing("conv", compute=compute), arithmetic)


def of_padding(name: str, says: str, window: Callable[..., Window]) -> Mutant:
    return of_kernel("conv", name, says, patch.object(convolution, "window", window))


def of_transpose(name: str, says: str, compute: Compute) -> Mutant:
    return of_kernel("conv_transpose", name, says, changing("conv_transpose", compute=compute))


SAME = "where P is odd, the extra zero stands behind: before = floor(P / 2)"
CHANNELS = "output channel f belongs to group f div (filters / groups), and reads its channels from g · cg on"

CONV = (
    of_padding("same: the extra zero in front", SAME, EXTRA_IN_FRONT),
    of_padding("same: all zeros behind", SAME, ALL_BEHIND),
    of_padding("same: as many zeros as without strides", "P = max((O − 1)·s + ke − I, 0)", AS_WITHOUT_STRIDES),
    of_padding("same: padding below 0", "P = max((O − 1)·s + ke − I, 0)", BELOW_0),
    of_padding("same: dilation left out of the padding", "ke = (k − 1)·d + 1", WITHOUT_DILATION),
    of_padding("causal: as many zeros as same", "causal: (k − 1)·d zeros in front", causal(lambda w: w.before // 2)),
    of_padding(
        "causal: dilation left out of the padding",
        "causal: (k − 1)·d zeros in front",
        causal(lambda w: w.kernel - 1),
    ),
    of_conv("kernel flipped", "the kernel is not flipped", with_kernel(convolution.compute_conv, flipped)),
    of_conv(
        "kernel read as (filters, channels, …)",
        "kernel is (k₁, …, kₙ, channels / groups, filters), in C order",
        with_kernel(convolution.compute_conv, filters_first),
    ),
    of_conv(
        "kernel read as (…, filters, channels)",
        "kernel is (k₁, …, kₙ, channels / groups, filters), in C order",
        with_kernel(convolution.compute_conv, depths_swapped),
    ),
    of_conv(
        "kernel read column by column",
        "kernel is (k₁, …, kₙ, channels / groups, filters), in C order",
        with_kernel(convolution.compute_conv, columns_first),
    ),
    of_conv("channels first", "x is (rows, I₁, …, Iₙ, channels), in C order", channels_first(convolution.compute_conv)),
    of_conv(
        "strides in the other order",
        "strides has an element for each spatial axis, in order",
        with_attributes(convolution.compute_conv, strides=backwards),
    ),
    of_conv(
        "dilation in the other order",
        "dilation_rate has an element for each spatial axis, in order",
        with_attributes(convolution.compute_conv, dilation_rate=backwards),
    ),
    of_conv(
        "dilation left out",
        "h = p·s₁ + i·d₁ − before₁",
        with_attributes(convolution.compute_conv, dilation_rate=ones),
    ),
    of_conv("strides left out", "h = p·s₁ + i·d₁ − before₁", with_attributes(convolution.compute_conv, strides=ones)),
    of_conv("bias left out", "bias[f] is added", lambda call: convolution.compute_conv(without(call, "bias"))),
    of_conv(
        "groups interleaved",
        CHANNELS,
        by_group(lambda f, width, groups: f // width, lambda g, c, depth, groups: c * groups + g),
    ),
    of_conv(
        "filters of a group interleaved",
        CHANNELS,
        by_group(lambda f, width, groups: f % groups, lambda g, c, depth, groups: g * depth + c),
    ),
    of_conv(
        "every group reads the first channels",
        CHANNELS,
        by_group(lambda f, width, groups: f // width, lambda g, c, depth, groups: c),
    ),
    of_conv(
        "zeros of the kernel are skipped", "an infinity that meets a kernel element of 0 gives NaN", skipping_zeros
    ),
    of_conv(
        "sums in bfloat16",
        "accumulate in the dtype of x or better",
        convolution.compute_conv,
        Accumulating(round_bfloat16),
    ),
)

CUT = "before elements are cut off in front, and after behind; where after is negative, zeros are appended"

TRANSPOSE = (
    of_transpose(
        "kernel flipped",
        "y[…, h·s + i·d − before, …] gets x[…, h, …] · kernel[i, …]",
        with_kernel(convolution.compute_transpose, flipped),
    ),
    of_transpose(
        "kernel read as (…, channels, filters)",
        "kernel is (k₁, …, kₙ, filters, channels), in C order",
        with_kernel(convolution.compute_transpose, depths_swapped),
    ),
    of_transpose(
        "kernel read column by column",
        "kernel is (k₁, …, kₙ, filters, channels), in C order",
        with_kernel(convolution.compute_transpose, columns_first),
    ),
    of_transpose(
        "before and after swapped",
        CUT,
        with_attributes(convolution.compute_transpose, cropping=before_and_after_swapped),
    ),
    of_transpose(
        "nothing cut off in front",
        CUT,
        with_attributes(convolution.compute_transpose, cropping=lambda cropping: [0] * len(cropping)),
    ),
    of_transpose("zeros appended in front", CUT, appended_in_front),
    of_transpose(
        "strides in the other order",
        "strides has an element for each spatial axis, in order",
        with_attributes(convolution.compute_transpose, strides=backwards),
    ),
    of_transpose(
        "dilation left out",
        "p = h·s₁ + i·d₁ − before₁",
        with_attributes(convolution.compute_transpose, dilation_rate=ones),
    ),
    of_transpose(
        "bias left out", "bias[f] is added", lambda call: convolution.compute_transpose(without(call, "bias"))
    ),
    of_transpose(
        "no bias where no kernel reaches",
        "elements that no kernel reaches are the bias, or 0",
        without_bias_beyond,
    ),
)

# Faults


def overlooked(op: str, name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(f"{op}: {name}", says, *changes, groups=(op,), page=f"ops/{op}.md")


def both(op: str) -> tuple[Mutant, ...]:
    """What conv and conv_transpose have in common."""
    return (
        overlooked(
            op,
            "attributes of any length",
            "strides and dilation_rate have n elements",
            overlooking(windows, "rank-range", at="/attributes/*"),
        ),
        overlooked(
            op,
            "a kernel of other channels",
            "kernel has the rank and the channels of x",
            overlooking(convolution, "weight-shape"),
        ),
        overlooked(
            op, "a bias of another shape", "bias has the shape (filters,)", overlooking(weights, "weight-shape")
        ),
        overlooked(
            op,
            "weights of another dtype",
            "kernel and bias have the dtype of x",
            overlooking(weights, "dtype-mismatch"),
        ),
    )


FAULTS = (
    *both("conv"),
    overlooked(
        "conv",
        "groups that divide neither channels nor filters",
        "groups divides channels and filters",
        overlooking(convolution, "groups-divide"),
    ),
    overlooked(
        "conv",
        "causal images",
        "padding is causal only where n = 1",
        overlooking(convolution, "rank-range", at="/attributes/padding"),
    ),
    overlooked(
        "conv",
        "a symbol for the channels",
        "the last dimension is a number, not a symbol",
        overlooking(convolution, "rank-range", at="/inputs/0"),
    ),
    *both("conv_transpose"),
    overlooked(
        "conv_transpose",
        "something put in front",
        "every before is 0 or more",
        overlooking(convolution, "wrong-value"),
    ),
)

MUTANTS = (*CONV, *TRANSPOSE, *FAULTS)
