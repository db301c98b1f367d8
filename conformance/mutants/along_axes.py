"""Mistakes in what is computed along axes: spec/ops/softmax.md, sparsemax.md, glu.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from unittest.mock import patch

from mutants.mutant import FLOAT32, Mutant, Patch, changing, of_numbers
from naive.arithmetic import FLOAT64, Arithmetic, Number
from naive.arrays import elements
from naive.operators import glu, softmax
from naive.operators.activations import sigmoid
from naive.operators.operator import Call, Compute, around

# softmax and sparsemax


def softmax_as_written(a: Arithmetic, x: list[Number]) -> list[Number]:
    total = a.sum([a.exp(v) for v in x])
    return [a.divide(a.exp(v), total) for v in x]


def log_softmax_as_written(a: Arithmetic, x: list[Number]) -> list[Number]:
    total = a.sum([a.exp(v) for v in x])
    return [v - a.log(total) for v in x]


def log_of_softmax(a: Arithmetic, x: list[Number]) -> list[Number]:
    return [a.log(p) for p in softmax.softmax(a, x)]


def zeros_for_nan(a: Arithmetic, x: list[Number]) -> list[Number]:
    nothing = softmax.largest(a, x) == -math.inf
    return [a.number(0)] * len(x) if nothing else softmax.softmax(a, x)


def largest_of_all(call: Call) -> list[Number]:
    m = softmax.largest(call.a, call.inputs[0].data)
    with patch.object(softmax, "largest", lambda a, x: m):
        return softmax.groupwise("softmax")(call)


def less_the_largest(a: Arithmetic, x: list[Number]) -> list[Number]:
    m = softmax.largest(a, x)
    return softmax.cumulative_sparsemax(a, [v - m for v in x])


def adding_up_to_1(a: Arithmetic, x: list[Number]) -> list[Number]:
    y = softmax.cumulative_sparsemax(a, x)
    return [a.divide(v, a.sum(y)) for v in y]


def over(op: str, call: Call, axes: Sequence[int]) -> list[Number]:
    return softmax.groupwise(op)(replace(call, attributes={"axes": list(axes)}))


def over_the_last(op: str) -> Compute:
    return lambda call: over(op, call, [len(call.shape) - 1])


def over_the_first_of_axes(op: str) -> Compute:
    return lambda call: over(op, call, call.attributes["axes"][:1])


def axis_by_axis(op: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        x = call.inputs[0]
        for axis in call.attributes["axes"]:
            x = replace(x, data=over(op, replace(call, inputs=[x]), [axis]))
        return x.data

    return compute


def of_softmax(name: str, says: str, change: Patch, arithmetic: Arithmetic = FLOAT64) -> Mutant:
    op = name.partition(":")[0]
    page = f"ops/{op.rpartition('_')[2]}.md"
    return of_numbers(name, says, change, page=page, groups=(op,), arithmetic=arithmetic)


def formula(op: str, wrong: Callable[[Arithmetic, list[Number]], list[Number]]) -> Patch:
    return patch.dict(softmax.FORMULAS, {op: wrong})


GROUP = "elements whose indices differ in axes alone are normalized as a whole"

SOFTMAX = (
    of_softmax(
        "softmax: the largest is not subtracted",
        "exp(x − m) / Σ exp(x − m)",
        formula("softmax", softmax_as_written),
        FLOAT32,
    ),
    of_softmax(
        "softmax: the largest of all rows is subtracted",
        "m is the largest element of the group",
        changing("softmax", compute=largest_of_all),
        FLOAT32,
    ),
    of_softmax("softmax: 0 where all are −∞", "−∞ alone gives NaN in every element", formula("softmax", zeros_for_nan)),
    of_softmax("softmax: always over the last axis", GROUP, changing("softmax", compute=over_the_last("softmax"))),
    of_softmax(
        "softmax: over the first of axes", GROUP, changing("softmax", compute=over_the_first_of_axes("softmax"))
    ),
    of_softmax("softmax: axis by axis", GROUP, changing("softmax", compute=axis_by_axis("softmax"))),
    of_softmax(
        "log_softmax: the logarithm of softmax",
        "x − m − log Σ exp(x − m); it is not log(softmax(x))",
        formula("log_softmax", log_of_softmax),
        FLOAT32,
    ),
    of_softmax(
        "log_softmax: the largest is not subtracted",
        "x − m − log Σ exp(x − m)",
        formula("log_softmax", log_softmax_as_written),
        FLOAT32,
    ),
    of_softmax(
        "log_softmax: always over the last axis", GROUP, changing("log_softmax", compute=over_the_last("log_softmax"))
    ),
    of_softmax("log_softmax: axis by axis", GROUP, changing("log_softmax", compute=axis_by_axis("log_softmax"))),
    of_softmax(
        "sparsemax: running sums",
        "tau = (Σ zⱼ over the kept ranks − 1) / k",
        formula("sparsemax", softmax.cumulative_sparsemax),
    ),
    of_softmax(
        "sparsemax: always over the last axis",
        "for each line of n elements along axis",
        changing("sparsemax", compute=over_the_last("sparsemax")),
    ),
    of_softmax(
        "cumulative_sparsemax: that of the literature",
        "tau = (Σ Sⱼ over the kept ranks − 1) / k",
        formula("cumulative_sparsemax", softmax.sparsemax),
    ),
    of_softmax(
        "cumulative_sparsemax: less the largest",
        "do not subtract the largest element first",
        formula("cumulative_sparsemax", less_the_largest),
    ),
    of_softmax(
        "cumulative_sparsemax: results add up to 1",
        "max(x − tau, 0), which do not add up to 1",
        formula("cumulative_sparsemax", adding_up_to_1),
    ),
    of_softmax(
        "cumulative_sparsemax: always over the last axis",
        "for each line of n elements along axis",
        changing("cumulative_sparsemax", compute=over_the_last("cumulative_sparsemax")),
    ),
)


# glu


def interleaved(call: Call) -> list[Number]:
    """Even places are gated by odd ones."""
    x = call.inputs[0].data
    outer, half, inner = around(call.shape, call.attributes["axis"])
    places = [(o * half + j) * 2 * inner + i for o, j, i in product(range(outer), range(half), range(inner))]
    return [glu.gate(call.a, x[at], x[at + inner]) for at in places]


def along_the_first_axis(call: Call) -> list[Number]:
    flat = (call.shape[0], elements(call.shape[1:]))
    return glu.compute(replace(call, shape=flat, attributes={"axis": 1}))


def along_the_last_axis(call: Call) -> list[Number]:
    """Halves of lines along the last axis; what is then missing is 0."""
    x, n = call.inputs[0], call.inputs[0].shape[-1]
    y = glu.compute(replace(call, shape=(elements(x.shape[:-1]), n // 2), attributes={"axis": 1}))
    return y + [call.a.number(0)] * (elements(call.shape) - len(y))


def of_glu(name: str, says: str, change: Patch) -> Mutant:
    return of_numbers(f"glu: {name}", says, change, page="ops/glu.md", groups=("glu",))


HALVES = "a is the first n / 2 elements along axis, b the last n / 2"

GLU = (
    of_glu("halves swapped", "a · sigmoid(b)", patch.object(glu, "gate", lambda a, x, b: b * sigmoid(a, x))),
    of_glu("tanh for sigmoid", "a · sigmoid(b)", patch.object(glu, "gate", lambda a, x, b: x * a.tanh(b))),
    of_glu("interleaved", HALVES, changing("glu", compute=interleaved)),
    of_glu("always along the first axis", HALVES, changing("glu", compute=along_the_first_axis)),
    of_glu("always along the last axis", HALVES, changing("glu", compute=along_the_last_axis)),
)

MUTANTS = (*SOFTMAX, *GLU)
