"""spec/ops/conv.md and conv_transpose.md: a kernel that slides over spatial axes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from naive.arithmetic import Number
from naive.arrays import Array, elements
from naive.errors import require
from naive.operators.operator import LARGEST, NEW_SYMBOL, Call, Operator, Site, Type, check_float, integer, one_of
from naive.operators.weights import check_weight_dtypes, check_weight_shape
from naive.operators.windows import (
    at_least_one,
    check_image,
    check_lengths,
    dimension,
    met,
    place,
    places,
    spatial,
    window,
)


def check_images(site: Site) -> None:
    (x,) = site.inputs
    check_float(x)  # C1
    check_weight_dtypes(site)  # C1
    check_image(x.shape)  # C2
    require(isinstance(x.shape[-1], int), "rank-range", "/inputs/0", "a number as last dimension", x.shape)  # C2


def check_divides(groups: int, n: int) -> None:
    require(n % groups == 0, "groups-divide", "/attributes/groups", f"a divisor of {n}", groups)


def infer_conv(site: Site) -> Type:
    check_images(site)  # C1, C2
    (x,) = site.inputs
    _, *space, channels = x.shape
    strides, rates, groups = (site.attributes[name] for name in ("strides", "dilation_rate", "groups"))
    padding = site.attributes["padding"]
    check_lengths(site, len(space), strides=1, dilation_rate=1)  # C3
    one_axis = padding != "causal" or len(space) == 1
    require(one_axis, "rank-range", "/attributes/padding", "one spatial axis", x.shape)  # C4
    check_divides(groups, int(channels))  # C5
    kernel = site.weights["kernel"].shape
    fits = len(kernel) == len(x.shape) and kernel[-2] == int(channels) // groups
    require(fits, "weight-shape", "/weights/kernel", f"(…, {channels} / {groups}, filters)", kernel)  # C6
    check_divides(groups, kernel[-1])  # C7
    check_weight_shape(site, "bias", kernel[-1:])  # C8
    out = [dimension(padding, *axis) for axis in zip(space, kernel[:-2], strides, rates, strict=True)]
    return Type(x.dtype, (x.shape[0], *out, kernel[-1]))


def images(x: Array) -> Iterator[list[Number]]:
    """The elements of each row."""
    size = elements(x.shape[1:])
    return (x.data[row * size : (row + 1) * size] for row in range(x.shape[0]))


def products(
    image: Sequence[Number], channels: int, first: int, kernel: Array, meeting: Iterable[tuple[int, int]], filter_: int
) -> list[Number]:
    """The terms of one element of the result: the kernel reads as many channels as it has, from the first on."""
    *_, depth, filters = kernel.shape
    return [
        image[h * channels + first + c] * kernel.data[(i * depth + c) * filters + filter_]
        for i, h in meeting
        for c in range(depth)
    ]


def compute_conv(call: Call) -> list[Number]:
    (x,), kernel = call.inputs, call.weights["kernel"]
    *sizes, depth, filters = kernel.shape
    _, *space, channels = x.shape
    strides, rates, groups = (call.attributes[name] for name in ("strides", "dilation_rate", "groups"))
    windows = [window(call.attributes["padding"], *axis) for axis in zip(space, sizes, strides, rates, strict=True)]
    pixels = [list(met(windows, at)) for at in places(call.shape[1:-1])]
    y = []
    for image in images(x):
        for meeting in pixels:
            for f in range(filters):
                first = f // (filters // groups) * depth
                y.append(with_bias(call, f, products(image, channels, first, kernel, meeting, f)))
    return y


def with_bias(call: Call, f: int, terms: Sequence[Number]) -> Number:
    total = call.a.sum(terms)
    return total + call.weights["bias"].data[f] if "bias" in call.weights else total


def infer_transpose(site: Site) -> Type:
    check_images(site)  # C1, C2
    (x,) = site.inputs
    _, *space, channels = x.shape
    strides, rates, cropping = (site.attributes[name] for name in ("strides", "dilation_rate", "cropping"))
    check_lengths(site, len(space), strides=1, dilation_rate=1, cropping=2)  # C3
    sound = all(before >= 0 for before in cropping[::2])
    require(sound, "wrong-value", "/attributes/cropping", "nothing put in front", cropping)  # C4
    kernel = site.weights["kernel"].shape
    fits = len(kernel) == len(x.shape) and kernel[-1] == channels
    require(fits, "weight-shape", "/weights/kernel", f"(…, filters, {channels})", kernel)  # C5
    check_weight_shape(site, "bias", kernel[-2:-1])  # C6
    axes = zip(space, kernel[:-2], strides, rates, cropping[::2], cropping[1::2], strict=True)
    return Type(x.dtype, (x.shape[0], *(uncropped(*axis) for axis in axes), kernel[-2]))


def uncropped(n: int | str, kernel: int, stride: int, rate: int, before: int, after: int) -> int | str:
    reach = (kernel - 1) * rate
    if isinstance(n, str):
        return n if stride == 1 and reach == before + after else NEW_SYMBOL
    return at_least_one((n - 1) * stride + reach + 1 - before - after)


def compute_transpose(call: Call) -> list[Number]:
    """Each element of x adds terms where its kernel reaches."""
    (x,), kernel = call.inputs, call.weights["kernel"]
    *sizes, filters, channels = kernel.shape
    _, *out, _ = call.shape
    reaching = []
    for of_x, of_kernel in meetings(x.shape[1:-1], sizes):
        at = [reaches(call, axis, of_x[axis], of_kernel[axis]) for axis in range(len(out))]
        if all(0 <= p < n for p, n in zip(at, out, strict=True)):
            reaching.append((place(of_x, x.shape[1:-1]), place(of_kernel, sizes), place(at, out)))
    y = []
    for image in images(x):
        terms: list[list[Number]] = [[] for _ in range(elements(out) * filters)]
        for h, i, p in reaching:
            for f in range(filters):
                terms[p * filters + f] += [
                    image[h * channels + c] * kernel.data[(i * filters + f) * channels + c] for c in range(channels)
                ]
        y += [with_bias(call, at % filters, found) for at, found in enumerate(terms)]
    return y


def meetings(space: Sequence[int], sizes: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Every place of x with every place of the kernel."""
    return ((h, i) for h in places(space) for i in places(sizes))


def reaches(call: Call, axis: int, h: int, i: int) -> int:
    """The element of the result, along an axis, to which element h of x adds element i of the kernel."""
    strides, rates, cropping = (call.attributes[name] for name in ("strides", "dilation_rate", "cropping"))
    return int(h * strides[axis] + i * rates[axis] - cropping[2 * axis])


OPERATORS = {
    "conv@1": Operator(
        infer_conv,
        compute_conv,
        weights={"kernel": True, "bias": False},
        attributes={
            "strides": spatial(),
            "dilation_rate": spatial(),
            "groups": integer(1, LARGEST),
            "padding": one_of(("valid", "same", "causal")),
        },
    ),
    "conv_transpose@1": Operator(
        infer_transpose,
        compute_transpose,
        weights={"kernel": True, "bias": False},
        attributes={"strides": spatial(), "dilation_rate": spatial(), "cropping": spatial(least=-LARGEST, parts=2)},
    ),
}
