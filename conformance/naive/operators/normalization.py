"""spec/ops: {batch,layer,rms,unit,group}_normalization.md: numbers brought to one scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from naive.arithmetic import Arithmetic, Number, larger
from naive.errors import require
from naive.operators.operator import (
    AXIS,
    LARGEST,
    Call,
    Compute,
    Operator,
    Site,
    Type,
    around,
    check_axes,
    check_axis,
    check_float,
    integer,
    number,
)
from naive.operators.softmax import groups
from naive.operators.weights import check_weight_dtypes, check_weight_shape


def infer_batch(site: Site) -> Type:
    (x,) = site.inputs
    axis = site.attributes["axis"]
    check_float(x)  # C1
    check_weight_dtypes(site)  # C1
    check_axis(x, axis)  # C2
    channels = x.shape[axis]
    require(isinstance(channels, int), "axis-range", "/attributes/axis", "an axis of a number", channels)  # C3
    for role in site.weights:
        check_weight_shape(site, role, (channels,))  # C4
    for variance in site.weights["moving_variance"].data:
        positive = variance + site.attributes["epsilon"] > 0
        require(positive, "variance-range", "/weights/moving_variance", "more than −epsilon", variance)  # C5
    return Type(x.dtype, x.shape)


def compute_batch(call: Call) -> list[Number]:
    a, x = call.a, call.inputs[0].data
    mean, variance = call.weights["moving_mean"].data, call.weights["moving_variance"].data
    gamma = call.weights["gamma"].data if "gamma" in call.weights else None
    beta = call.weights["beta"].data if "beta" in call.weights else None
    outer, channels, inner = around(call.shape, call.attributes["axis"])
    y = [a.number(0)] * len(x)
    for c in range(channels):
        scale = a.divide(1, a.sqrt(variance[c] + call.attributes["epsilon"]))
        if gamma is not None:
            scale = scale * gamma[c]
        for o in range(outer):
            for i in range(inner):
                at = (o * channels + c) * inner + i
                y[at] = (x[at] - mean[c]) * scale
                if beta is not None:
                    y[at] = y[at] + beta[c]
    return y


def infer_over_axes(site: Site) -> Type:
    (x,) = site.inputs
    axes = site.attributes["axes"]
    check_float(x)  # C1
    check_weight_dtypes(site)  # C1
    check_axis(x, axes[-1], "axes")  # C2
    for role in site.weights:
        check_weight_shape(site, role, tuple(x.shape[axis] for axis in axes))  # C3
    return Type(x.dtype, x.shape)


Norm = Callable[[Arithmetic, list[Number], Number], list[Number]]
"""(numbers of a group, epsilon) -> the same, normalized."""


def standardized(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    n = len(x)
    mean = a.divide(a.sum(x), n)
    variance = a.divide(a.sum([(v - mean) * (v - mean) for v in x]), n)
    deviation = a.sqrt(variance + epsilon)
    return [a.divide(v - mean, deviation) for v in x]


def over_root_mean_square(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    root = a.sqrt(a.divide(a.sum([v * v for v in x]), len(x)) + epsilon)
    return [a.divide(v, root) for v in x]


def over_norm(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    norm = larger(a.sqrt(a.sum([v * v for v in x])), epsilon)
    return [a.divide(v, norm) for v in x]


def over_axes(norm: Norm, scale: str = "gamma", shift: str = "beta") -> Compute:
    """Each group normalized; the weights have an element for each place in a group."""

    def compute(call: Call) -> list[Number]:
        x = call.inputs[0].data
        y = list(x)
        for places in groups(call.shape, call.attributes["axes"]):
            normalized = norm(call.a, [x[i] for i in places], call.attributes["epsilon"])
            scaled = adjusted(call, normalized, range(len(places)), scale, shift)
            for i, v in zip(places, scaled, strict=True):
                y[i] = v
        return y

    return compute


def adjusted(
    call: Call, x: Sequence[Number], at: Sequence[int], scale: str = "gamma", shift: str = "beta"
) -> list[Number]:
    """Times the element of scale, plus the element of shift, that stand at these places."""
    if scale in call.weights:
        gamma = call.weights[scale].data
        x = [v * gamma[i] for v, i in zip(x, at, strict=True)]
    if shift in call.weights:
        beta = call.weights[shift].data
        x = [v + beta[i] for v, i in zip(x, at, strict=True)]
    return list(x)


def infer_group(site: Site) -> Type:
    (x,) = site.inputs
    axis, count = site.attributes["axis"], site.attributes["groups"]
    check_float(x)  # C1
    check_weight_dtypes(site)  # C1
    check_axis(x, axis)  # C2
    channels = x.shape[axis]
    require(isinstance(channels, int), "axis-range", "/attributes/axis", "an axis of a number", channels)  # C3
    divides = int(channels) % count == 0
    require(divides, "groups-divide", "/attributes/groups", f"a divisor of {channels}", count)  # C4
    for role in site.weights:
        check_weight_shape(site, role, (channels,))  # C5
    return Type(x.dtype, x.shape)


def compute_group(call: Call) -> list[Number]:
    x, axis = call.inputs[0].data, call.attributes["axis"]
    rows = call.shape[0]
    outer, channels, inner = around(call.shape[1:], axis - 1)
    width = channels // call.attributes["groups"]
    y = list(x)
    for b in range(rows):
        for first in range(0, channels, width):
            at = [
                (c, ((b * outer + o) * channels + c) * inner + i)
                for o in range(outer)
                for c in range(first, first + width)
                for i in range(inner)
            ]
            normalized = standardized(call.a, [x[i] for _, i in at], call.attributes["epsilon"])
            for (_, i), v in zip(at, adjusted(call, normalized, [c for c, _ in at]), strict=True):
                y[i] = v
    return y


OVER_AXES = {"axes": check_axes, "epsilon": number(least=0)}

OPERATORS = {
    "batch_normalization@1": Operator(
        infer_batch,
        compute_batch,
        weights={"moving_mean": True, "moving_variance": True, "gamma": False, "beta": False},
        attributes={"axis": AXIS, "epsilon": number(least=0)},
    ),
    "layer_normalization@1": Operator(
        infer_over_axes,
        over_axes(standardized),
        weights={"gamma": False, "beta": False},
        attributes=OVER_AXES,
    ),
    "rms_normalization@1": Operator(
        infer_over_axes,
        over_axes(over_root_mean_square, scale="scale"),
        weights={"scale": False},
        attributes=OVER_AXES,
    ),
    "unit_normalization@1": Operator(infer_over_axes, over_axes(over_norm), attributes=OVER_AXES),
    "group_normalization@1": Operator(
        infer_group,
        compute_group,
        weights={"gamma": False, "beta": False},
        attributes={"axis": AXIS, "groups": integer(1, LARGEST), "epsilon": number(least=0)},
    ),
}
