"""spec/ops/glu.md: one half of an axis gates the other."""

from __future__ import annotations

from naive.arithmetic import Arithmetic, Number
from naive.errors import require
from naive.operators.activations import sigmoid
from naive.operators.operator import AXIS, Call, Operator, Site, Type, around, check_axis, check_float


def infer(site: Site) -> Type:
    (x,) = site.inputs
    axis = site.attributes["axis"]
    check_float(x)  # C1
    check_axis(x, axis)  # C2
    n = x.shape[axis]
    require(isinstance(n, int) and n % 2 == 0, "axis-odd", "/inputs/0", "an even number", n)  # C3
    return Type(x.dtype, (*x.shape[:axis], int(n) // 2, *x.shape[axis + 1 :]))


def gate(a: Arithmetic, x: Number, b: Number) -> Number:
    return x * sigmoid(a, b)


def compute(call: Call) -> list[Number]:
    x = call.inputs[0].data
    outer, half, inner = around(call.shape, call.attributes["axis"])
    y = []
    for o in range(outer):
        for j in range(half * inner):
            at = o * 2 * half * inner + j
            y.append(gate(call.a, x[at], x[at + half * inner]))
    return y


OPERATORS = {"glu@1": Operator(infer, compute, attributes={"axis": AXIS})}
