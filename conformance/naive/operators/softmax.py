"""spec/ops/softmax.md and sparsemax.md: formulas of a group of elements."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from naive.arithmetic import Arithmetic, Number, larger
from naive.arrays import elements
from naive.operators.operator import AXIS, Call, Compute, Operator, Site, Type, check_axes, check_axis, check_float


def infer_softmax(site: Site) -> Type:
    (x,) = site.inputs
    check_float(x)  # C1
    check_axis(x, site.attributes["axes"][-1], "axes")  # C2
    return Type(x.dtype, x.shape)


def softmax(a: Arithmetic, x: list[Number]) -> list[Number]:
    m = largest(a, x)
    total = a.sum([a.exp(v - m) for v in x])
    return [a.divide(a.exp(v - m), total) for v in x]


def log_softmax(a: Arithmetic, x: list[Number]) -> list[Number]:
    m = largest(a, x)
    total = a.sum([a.exp(v - m) for v in x])
    return [v - m - a.log(total) for v in x]


def largest(a: Arithmetic, x: list[Number]) -> Number:
    m = a.number(-math.inf)
    for v in x:
        m = larger(m, v)
    return m


def sparsemax(a: Arithmetic, x: list[Number]) -> list[Number]:
    return above(a, x, tau(a, x, cumulative=False))


def cumulative_sparsemax(a: Arithmetic, x: list[Number]) -> list[Number]:
    return above(a, x, tau(a, x, cumulative=True))


def tau(a: Arithmetic, x: list[Number], cumulative: bool) -> Number:
    running = total = a.number(0)
    k = 0
    for j, z in enumerate(sorted(x, reverse=True), start=1):
        running = running + z
        if kept(a, z, running, j):
            total = total + (running if cumulative else z)
            k += 1
    return a.divide(total - 1, k)


def kept(a: Arithmetic, z: Number, running: Number, j: int) -> bool:
    return bool(z - a.divide(running - 1, j) > 0)


def above(a: Arithmetic, x: list[Number], tau: Number) -> list[Number]:
    return [larger(v - tau, a.number(0)) for v in x]


def infer_sparsemax(site: Site) -> Type:
    (x,) = site.inputs
    check_float(x)  # C1
    check_axis(x, site.attributes["axis"])  # C2
    return Type(x.dtype, x.shape)


FORMULAS: dict[str, Callable[[Arithmetic, list[Number]], list[Number]]] = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "sparsemax": sparsemax,
    "cumulative_sparsemax": cumulative_sparsemax,
}


def groups(shape: tuple[int, ...], axes: Sequence[int]) -> list[list[int]]:
    """The places of each group: those whose indices differ in axes alone."""
    found: dict[int, list[int]] = {}
    for i in range(elements(shape)):
        found.setdefault(group(i, shape, axes), []).append(i)
    return list(found.values())


def group(i: int, shape: tuple[int, ...], axes: Sequence[int]) -> int:
    """The place of the element with the same indices, but 0 along every axis of axes."""
    place, step = 0, 1
    for axis in reversed(range(len(shape))):
        i, index = divmod(i, shape[axis])
        if axis not in axes:
            place += index * step
        step *= shape[axis]
    return place


def groupwise(name: str) -> Compute:
    """The formula of each group, its results put where the group lies."""

    def compute(call: Call) -> list[Number]:
        x = call.inputs[0].data
        y = list(x)
        axes = call.attributes["axes"] if "axes" in call.attributes else [call.attributes["axis"]]
        for places in groups(call.shape, axes):
            for i, result in zip(places, FORMULAS[name](call.a, [x[i] for i in places]), strict=True):
                y[i] = result
        return y

    return compute


OPERATORS = {
    "softmax@1": Operator(infer_softmax, groupwise("softmax"), attributes={"axes": check_axes}),
    "log_softmax@1": Operator(infer_softmax, groupwise("log_softmax"), attributes={"axes": check_axes}),
    "sparsemax@1": Operator(infer_sparsemax, groupwise("sparsemax"), attributes={"axis": AXIS}),
    "cumulative_sparsemax@1": Operator(infer_sparsemax, groupwise("cumulative_sparsemax"), attributes={"axis": AXIS}),
}
