"""Mistakes along axes: spec/ops/reduction.md, argmax.md, cumulative.md."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial, reduce
from unittest.mock import patch

from mutants.mutant import FLOAT32, Mutant, changing, of_formula, of_numbers
from naive.arithmetic import Arithmetic, Number, larger
from naive.arrays import Shape, elements
from naive.operators import reduction
from naive.operators.operator import Call, Compute, around
from naive.operators.reduction import BEATS, FORMULAS, STEPS, arg, cumulative, groupwise, mean, product, total
from naive.operators.softmax import groups

Formula = Callable[[Arithmetic, list[Number]], Number]


def of_squares(a: Arithmetic, x: list[Number]) -> Number:
    m = mean(a, x)
    return mean(a, [v * v for v in x]) - m * m


def less_one(a: Arithmetic, x: list[Number]) -> Number:
    squares = reduction.variance(a, x) * len(x)
    return a.divide(squares, a.number(len(x) - 1))


def not_shifted(a: Arithmetic, x: list[Number]) -> Number:
    return a.log(a.sum([a.exp(v) for v in x]))


def shifted_by_infinity(a: Arithmetic, x: list[Number]) -> Number:
    m = reduce(larger, x)
    return m + a.log(a.sum([a.exp(v - m) for v in x]))


def sum_in_float32(a: Arithmetic, x: list[Number]) -> Number:
    return int(FLOAT32.sum([FLOAT32.number(v) for v in x])) if isinstance(x[0], int) else total(a, x)


def beginning(value: float, beats: Callable[[Number, Number], bool]) -> Formula:
    """A running extreme that begins with a number, and keeps it before NaN."""

    def formula(a: Arithmetic, x: list[Number]) -> Number:
        best = x[0] - x[0] if isinstance(x[0], int) else a.number(value)
        for v in x:
            best = v if beats(v, best) else best
        return best

    return formula


mistake = partial(of_formula, {"reduction": FORMULAS})


def fitted(y: list[Number], call: Call) -> list[Number]:
    """As many elements as are wanted: what is missing is 0."""
    wanted = elements(call.shape)
    return (y + [y[0] - y[0] if y else 0] * wanted)[:wanted]


def over(op: str, axes: Callable[[Call], list[int]]) -> Compute:
    """The reduction of other axes."""

    def compute(call: Call) -> list[Number]:
        return fitted(groupwise(op)(replace(call, attributes={**call.attributes, "axes": axes(call)})), call)

    return compute


def last_axes(call: Call) -> list[int]:
    rank = len(call.inputs[0].shape)
    return [*range(rank - len(call.attributes["axes"]), rank)]


def first_of_axes(call: Call) -> list[int]:
    axes: list[int] = call.attributes["axes"]
    return axes[:1]


def without_keeping(shape: Shape, axes: list[int], keepdims: bool) -> Shape:
    return tuple(n for axis, n in enumerate(shape) if axis not in axes)


GROUP = "a group is the elements of x whose indices differ in axes alone"


def of_axes(name: str, axes: Callable[[Call], list[int]]) -> Mutant:
    changes = [changing(op, compute=over(op, axes)) for op in FORMULAS]
    return of_numbers(f"reduction: {name}", GROUP, *changes, page="ops/reduction.md", groups=tuple(FORMULAS))


def divided_by_the_batch_too(call: Call) -> list[Number]:
    """Sums of groups, divided by the number of all elements of x."""
    x = call.inputs[0]
    places = groups(x.shape, call.attributes["axes"])
    return [call.a.divide(total(call.a, [x.data[i] for i in group]), elements(x.shape)) for group in places]


REDUCTIONS = (
    of_axes("always over the last axes", last_axes),
    of_axes("over the first of axes", first_of_axes),
    of_numbers(
        "reduction: keepdims is ignored",
        "the dimensions at axes are 1 where keepdims is true",
        patch.object(reduction, "without", without_keeping),
        page="ops/reduction.md",
        groups=(*FORMULAS, *BEATS),
    ),
    mistake("sum: integers become float32", "integers are computed exactly", sum_in_float32),
    mistake("sum: the mean", "Σ x", mean),
    mistake("mean: not divided", "Σ x / n", total),
    of_numbers(
        "mean: divided by the number of all elements",
        "Σ x / n, n being the number of elements in the group",
        changing("mean", compute=divided_by_the_batch_too),
        page="ops/reduction.md",
        groups=("mean",),
    ),
    mistake(
        "prod: exp of a sum of logarithms",
        "Π x",
        lambda a, x: product(a, x) if isinstance(x[0], int) else a.exp(a.sum([a.log(v) for v in x])),
    ),
    mistake("prod: zeros are left out", "Π x", lambda a, x: product(a, [v for v in x if v != 0] or x)),
    mistake("max: begins with 0", "the largest x", beginning(0.0, lambda v, best: v > best or v != v)),
    mistake("max: NaN is left out", "NaN where a NaN is in the group", beginning(-math.inf, lambda v, best: v > best)),
    mistake("min: begins with 0", "the smallest x", beginning(0.0, lambda v, best: v < best or v != v)),
    mistake("min: NaN is left out", "NaN where a NaN is in the group", beginning(math.inf, lambda v, best: v < best)),
    mistake("variance: through n − 1", "it divides by n, not by n − 1", less_one),
    mistake("variance: mean of squares less the square of the mean", "Σ (x − mean)² / n", of_squares, FLOAT32),
    mistake("variance: the root", "Σ (x − mean)² / n", lambda a, x: a.sqrt(reduction.variance(a, x))),
    mistake("variance: not divided", "Σ (x − mean)² / n", lambda a, x: reduction.variance(a, x) * len(x)),
    mistake("logsumexp: the largest is not subtracted", "m + log Σ exp(x − m)", not_shifted, FLOAT32),
    mistake("logsumexp: NaN where all are −∞", "−∞ where all of it is −∞", shifted_by_infinity),
    mistake("logsumexp: the largest is not added", "m + log Σ exp(x − m)", lambda a, x: not_shifted(a, less(x))),
    mistake("any: all", "true where an x is true, else false", lambda a, x: int(all(x))),
    mistake("any: the first alone", "true where an x is true, else false", lambda a, x: x[0]),
    mistake("all: any", "false where an x is false, else true", lambda a, x: int(any(x))),
    mistake("all: the last alone", "false where an x is false, else true", lambda a, x: x[-1]),
)


def less(x: list[Number]) -> list[Number]:
    m = reduce(larger, x)
    return [v - m for v in x]


# argmax, argmin


def among_all(op: str) -> Compute:
    """The place in x, not along the axis."""

    def compute(call: Call) -> list[Number]:
        _, n, inner = around(call.inputs[0].shape, call.attributes["axis"])
        found = arg(op)(call)
        return [((k // inner) * n + v) * inner + k % inner for k, v in enumerate(found)]

    return compute


def along_the_last(of: Callable[[str], Compute], op: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        last = len(call.inputs[0].shape) - 1
        return fitted(of(op)(replace(call, attributes={**call.attributes, "axis": last})), call)

    return compute


def of_arg(op: str, name: str, says: str, beats: Callable[[Number, Number], bool]) -> Mutant:
    return of_numbers(f"{op}: {name}", says, patch.dict(BEATS, {op: beats}), page="ops/argmax.md", groups=(op,))


FIRST = "of several equal ones, the first"
ARGS = (
    of_arg("argmax", "the last of equal ones", FIRST, lambda x, best: x >= best),
    of_arg("argmin", "the last of equal ones", FIRST, lambda x, best: x <= best),
    of_arg("argmax", "the largest magnitude", "the largest element", lambda x, best: abs(x) > abs(best)),
    of_arg("argmin", "the smallest magnitude", "the smallest element", lambda x, best: abs(x) < abs(best)),
    *(
        of_numbers(
            f"{op}: {name}", "the index along axis", changing(op, compute=wrong), page="ops/argmax.md", groups=(op,)
        )
        for op in BEATS
        for name, wrong in (
            ("the place in the whole array", among_all(op)),
            ("always along the last axis", along_the_last(arg, op)),
        )
    ),
)


# cumsum, cumprod


def shifted(op: str) -> Compute:
    """Each element has what comes before it."""

    def compute(call: Call) -> list[Number]:
        y = cumulative(op)(call)
        _, n, inner = around(call.shape, call.attributes["axis"])
        start = int(op == "cumprod") if call.dtype.startswith("int") else call.a.number(op == "cumprod")
        return [y[i - inner] if i // inner % n else start for i in range(len(y))]

    return compute


def backwards(op: str) -> Compute:
    """From the end on."""

    def compute(call: Call) -> list[Number]:
        x = call.inputs[0]
        outer, n, inner = around(x.shape, call.attributes["axis"])
        places = [(o * n + n - 1 - k) * inner + i for o in range(outer) for k in range(n) for i in range(inner)]
        turned = replace(x, data=[x.data[place] for place in places])
        y = cumulative(op)(replace(call, inputs=[turned]))
        return [y[place] for place in places]

    return compute


def flat(op: str) -> Compute:
    """One line of all elements."""

    def compute(call: Call) -> list[Number]:
        shape = (1, elements(call.shape))
        return cumulative(op)(replace(call, shape=shape, attributes={"axis": 1}))

    return compute


RUNNING = tuple(
    of_numbers(f"{op}: {name}", says, changing(op, compute=wrong), page="ops/cumulative.md", groups=(op,))
    for op in STEPS
    for name, says, wrong in (
        ("without the element itself", "the element itself takes part", shifted(op)),
        ("from the end on", "up to this one, along axis", backwards(op)),
        ("across lines", "total begins anew for each line", flat(op)),
        ("always along the last axis", "along axis", along_the_last(cumulative, op)),
    )
)

MUTANTS = (*REDUCTIONS, *ARGS, *RUNNING)
