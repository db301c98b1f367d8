"""spec/ops/elementwise.md: two values, element by element."""

from __future__ import annotations

from collections.abc import Callable

from naive.arithmetic import Arithmetic, Number, larger, smaller
from naive.arrays import Shape, elements
from naive.errors import require
from naive.operators.operator import Call, Compute, Operator, Site, Type, check_float

FORMULAS: dict[str, Callable[[Arithmetic, Number, Number], Number]] = {
    "add": lambda a, x1, x2: x1 + x2,
    "subtract": lambda a, x1, x2: x1 - x2,
    "multiply": lambda a, x1, x2: x1 * x2,
    "divide": lambda a, x1, x2: a.divide(x1, x2),
    "maximum": lambda a, x1, x2: larger(x1, x2),
    "minimum": lambda a, x1, x2: smaller(x1, x2),
}


def broadcast(shape1: Shape, shape2: Shape) -> Shape:
    rank = max(len(shape1), len(shape2))
    pairs = zip(right_aligned(shape1, rank), right_aligned(shape2, rank), strict=True)
    return tuple(broadcast_dimension(m, n) for m, n in pairs)


def right_aligned(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + shape


def broadcast_dimension(m: int | str, n: int | str) -> int | str:
    require(m == n or m == 1 or n == 1, "broadcast-mismatch", "/inputs/1", "shapes that broadcast", (m, n))  # C2
    return n if m == 1 else m


def infer(site: Site) -> Type:
    x1, x2 = site.inputs
    check_float(x1)  # C1
    require(x2.dtype == x1.dtype, "dtype-mismatch", "/inputs/1", x1.dtype, x2.dtype)  # C1
    shape = broadcast(x1.shape, x2.shape)
    require("batch" not in shape[1:], "batch-axis", "/inputs", "batch at axis 0 or not at all", shape)  # C3
    return Type(x1.dtype, shape)


def strides(shape: Shape, rank: int) -> list[int]:
    """For each axis of the result, how many elements of x one step moves."""
    found = []
    step = 1
    for n in reversed(right_aligned(shape, rank)):
        found.append(0 if n == 1 else step)
        step *= int(n)
    return found[::-1]


def elementwise(name: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        x1, x2 = call.inputs
        n = call.shape
        stride1, stride2 = strides(x1.shape, len(n)), strides(x2.shape, len(n))
        y = []
        for out in range(elements(n)):
            rest, i, j = out, 0, 0
            for axis in reversed(range(len(n))):
                rest, index = divmod(rest, n[axis])
                i += index * stride1[axis]
                j += index * stride2[axis]
            y.append(FORMULAS[name](call.a, x1.data[i], x2.data[j]))
        return y

    return compute


OPERATORS = {f"{name}@1": Operator(infer, elementwise(name), inputs=(2, 2)) for name in FORMULAS}
