"""spec/ops/batch_normalization.md: a channel less its mean, through its deviation."""

from __future__ import annotations

from naive.arithmetic import Number
from naive.errors import require
from naive.operators.operator import AXIS, Call, Operator, Site, Type, around, check_axis, check_float, number


def infer(site: Site) -> Type:
    (x,) = site.inputs
    axis = site.attributes["axis"]
    check_float(x)  # C1
    for role, weight in site.weights.items():
        require(weight.dtype == x.dtype, "dtype-mismatch", f"/weights/{role}", x.dtype, weight.dtype)  # C1
    check_axis(x, axis)  # C2
    channels = x.shape[axis]
    require(isinstance(channels, int), "axis-range", "/attributes/axis", "an axis of a number", channels)  # C3
    for role, weight in site.weights.items():
        require(weight.shape == (channels,), "weight-shape", f"/weights/{role}", f"({channels},)", weight.shape)  # C4
    for variance in site.weights["moving_variance"].data:
        positive = variance + site.attributes["epsilon"] > 0
        require(positive, "variance-range", "/weights/moving_variance", "more than −epsilon", variance)  # C5
    return Type(x.dtype, x.shape)


def compute(call: Call) -> list[Number]:
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


OPERATORS = {
    "batch_normalization@1": Operator(
        infer,
        compute,
        weights={"moving_mean": True, "moving_variance": True, "gamma": False, "beta": False},
        attributes={"axis": AXIS, "epsilon": number(least=0)},
    )
}
