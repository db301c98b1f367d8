"""spec/ops: reduction.md, argmax.md, cumulative.md: what becomes of the elements along some axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from naive.arithmetic import Arithmetic, Number, smaller
from naive.arrays import FLOATS, NUMBERS, Shape
from naive.operators.operator import (
    AXIS,
    Call,
    Compute,
    Infer,
    Operator,
    Site,
    Type,
    around,
    boolean,
    check_axes,
    check_axis,
    check_dtype,
)
from naive.operators.softmax import groups, largest


def total(a: Arithmetic, x: list[Number]) -> Number:
    return sum(x) if isinstance(x[0], int) else a.sum(x)


def mean(a: Arithmetic, x: list[Number]) -> Number:
    return a.divide(total(a, x), len(x))


def product(a: Arithmetic, x: list[Number]) -> Number:
    return reduce(lambda y, v: y * v, x)


def smallest(a: Arithmetic, x: list[Number]) -> Number:
    return reduce(smaller, x)


def variance(a: Arithmetic, x: list[Number]) -> Number:
    m = mean(a, x)
    return a.divide(a.sum([(v - m) * (v - m) for v in x]), len(x))


def logsumexp(a: Arithmetic, x: list[Number]) -> Number:
    m = largest(a, x)
    if m - m != 0:
        m = a.number(0)
    return m + a.log(a.sum([a.exp(v - m) for v in x]))


FORMULAS: dict[str, Callable[[Arithmetic, list[Number]], Number]] = {
    "sum": total,
    "mean": mean,
    "prod": product,
    "max": largest,
    "min": smallest,
    "variance": variance,
    "logsumexp": logsumexp,
    "any": lambda a, x: int(any(x)),
    "all": lambda a, x: int(all(x)),
}
DTYPES: dict[str, Sequence[str]] = {
    **dict.fromkeys(("sum", "prod", "max", "min"), NUMBERS),
    **dict.fromkeys(("mean", "variance", "logsumexp"), FLOATS),
    **dict.fromkeys(("any", "all"), ("bool",)),
}


def without(shape: Shape, axes: Sequence[int], keepdims: bool) -> Shape:
    if keepdims:
        return tuple(1 if axis in axes else n for axis, n in enumerate(shape))
    return tuple(n for axis, n in enumerate(shape) if axis not in axes)


def inferring(name: str) -> Infer:
    def infer(site: Site) -> Type:
        (x,) = site.inputs
        axes = site.attributes["axes"]
        check_dtype(x, DTYPES[name])  # C1
        check_axis(x, axes[-1], "axes")  # C2
        return Type(x.dtype, without(x.shape, axes, site.attributes["keepdims"]))

    return infer


def groupwise(name: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        (x,) = call.inputs
        places = groups(x.shape, call.attributes["axes"])
        return [FORMULAS[name](call.a, [x.data[i] for i in group]) for group in places]

    return compute


BEATS: dict[str, Callable[[Number, Number], bool]] = {
    "argmax": lambda x, best: x > best,
    "argmin": lambda x, best: x < best,
}


def infer_argmax(site: Site) -> Type:
    (x,) = site.inputs
    axis = site.attributes["axis"]
    check_dtype(x, NUMBERS)  # C1
    check_axis(x, axis)  # C2
    return Type("int32", without(x.shape, [axis], site.attributes["keepdims"]))


def arg(name: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        x = call.inputs[0].data
        outer, n, inner = around(call.inputs[0].shape, call.attributes["axis"])
        y = []
        for o in range(outer):
            for i in range(inner):
                best = 0
                for k in range(1, n):
                    if BEATS[name](x[(o * n + k) * inner + i], x[(o * n + best) * inner + i]):
                        best = k
                y.append(best)
        return y

    return compute


STEPS: dict[str, Callable[[Number, Number], Number]] = {
    "cumsum": lambda running, x: running + x,
    "cumprod": lambda running, x: running * x,
}


def infer_cumulative(site: Site) -> Type:
    (x,) = site.inputs
    check_dtype(x, (*FLOATS, "int32", "int64"))  # C1
    check_axis(x, site.attributes["axis"])  # C2
    return Type(x.dtype, x.shape)


def cumulative(name: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        x = call.inputs[0].data
        outer, n, inner = around(call.shape, call.attributes["axis"])
        y = list(x)
        for o in range(outer):
            for i in range(inner):
                for k in range(1, n):
                    at = (o * n + k) * inner + i
                    y[at] = STEPS[name](y[at - inner], x[at])
        return y

    return compute


REDUCED = {"axes": check_axes, "keepdims": boolean}
OPERATORS = {
    **{f"{name}@1": Operator(inferring(name), groupwise(name), attributes=REDUCED) for name in FORMULAS},
    **{
        f"{name}@1": Operator(infer_argmax, arg(name), attributes={"axis": AXIS, "keepdims": boolean}) for name in BEATS
    },
    **{f"{name}@1": Operator(infer_cumulative, cumulative(name), attributes={"axis": AXIS}) for name in STEPS},
}
