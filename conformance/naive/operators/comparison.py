"""spec/ops: comparison.md, logical.md, where.md: what holds of two values, and a choice between them."""

from __future__ import annotations

from collections.abc import Callable

from naive.arithmetic import Number
from naive.arrays import NUMBERS
from naive.errors import require
from naive.operators.elementwise import broadcast, check_rows, inferring, together
from naive.operators.operator import Call, Compute, Operator, Site, Type, check_any, check_dtype

COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "equal": lambda x1, x2: x1 == x2,
    "not_equal": lambda x1, x2: x1 != x2,
    "less": lambda x1, x2: x1 < x2,
    "less_equal": lambda x1, x2: x1 <= x2,
    "greater": lambda x1, x2: x1 > x2,
    "greater_equal": lambda x1, x2: x1 >= x2,
}
LOGICAL: dict[str, Callable[[int, int], bool]] = {
    "logical_and": lambda x1, x2: x1 == 1 and x2 == 1,
    "logical_or": lambda x1, x2: x1 == 1 or x2 == 1,
    "logical_xor": lambda x1, x2: x1 != x2,
}
DTYPES = {"equal": (*NUMBERS, "bool"), "not_equal": (*NUMBERS, "bool"), **dict.fromkeys(LOGICAL, ("bool",))}
"""Of operators that do not take numbers alone."""


def compared(formulas: dict[str, Callable[[Number, Number], bool]], name: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        return [int(formulas[name](x1, x2)) for x1, x2 in together(call.shape, call.inputs)]

    return compute


def infer_where(site: Site) -> Type:
    condition, x1, x2 = site.inputs
    check_dtype(condition, ["bool"])  # C1
    check_any(x1, "/inputs/1")  # C2
    require(x2.dtype == x1.dtype, "dtype-mismatch", "/inputs/2", x1.dtype, x2.dtype)  # C2
    shape = broadcast(broadcast(condition.shape, x1.shape), x2.shape)  # C3
    check_rows(shape)  # C4
    return Type(x1.dtype, shape)


def compute_where(call: Call) -> list[Number]:
    return [x1 if condition else x2 for condition, x1, x2 in together(call.shape, call.inputs)]


OPERATORS = {
    f"{name}@1": Operator(inferring(DTYPES.get(name, NUMBERS), "bool"), compared(formulas, name), inputs=(2, 2))
    for formulas in (COMPARISONS, LOGICAL)
    for name in formulas
} | {"where@1": Operator(infer_where, compute_where, inputs=(3, 3))}
