"""Mistakes in comparing, in logic and in selecting: spec/ops/comparison.md, logical.md, where.md."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mutants.mutant import Mutant, changing, of_formula, of_numbers
from naive.arithmetic import Number
from naive.arrays import elements, round32
from naive.operators.comparison import COMPARISONS, LOGICAL
from naive.operators.elementwise import together
from naive.operators.operator import Call, Compute

Formula = Callable[[Number, Number], bool]
RIGHT = dict(COMPARISONS)


def in_float32(op: str) -> Formula:
    return lambda x1, x2: RIGHT[op](round32(float(x1)), round32(float(x2)))


mistake = partial(of_formula, {"comparison": COMPARISONS, "logical": LOGICAL})


def selecting(formula: Callable[[Number, Number, Number], Number]) -> Compute:
    return lambda call: [formula(*each) for each in together(call.shape, call.inputs)]


def condition_repeated(call: Call) -> list[Number]:
    """A condition that ends is begun anew; x1 and x2 are stretched."""
    condition = call.inputs[0].data
    right = list(together(call.shape, call.inputs))
    return [right[i][1 if condition[i % len(condition)] else 2] for i in range(elements(call.shape))]


def of_where(name: str, says: str, compute: Compute) -> Mutant:
    change = changing("where", compute=compute)
    return of_numbers(f"where: {name}", says, change, page="ops/where.md", groups=("where",))


MUTANTS = (
    mistake("equal: NaN equals NaN", "false where either is NaN", lambda x1, x2: x1 == x2 or (x1 != x1 and x2 != x2)),
    mistake("equal: nearly", "x1 = x2", lambda x1, x2: x1 == x2 or abs(x1 - x2) <= abs(x2) * 1e-6),
    mistake("not_equal: less or greater", "true where either is NaN", lambda x1, x2: x1 < x2 or x1 > x2),
    mistake("less: equal ones too", "x1 < x2", lambda x1, x2: x1 <= x2),
    mistake("less: swapped", "x1 < x2", lambda x1, x2: x1 > x2),
    mistake("less: not greater or equal", "false where either is NaN", lambda x1, x2: not x1 >= x2),
    mistake("less_equal: without equal ones", "x1 ≤ x2", lambda x1, x2: x1 < x2),
    mistake("less_equal: not greater", "false where either is NaN", lambda x1, x2: not x1 > x2),
    mistake("greater: not less or equal", "false where either is NaN", lambda x1, x2: not x1 <= x2),
    mistake("greater: swapped", "x1 > x2", lambda x1, x2: x1 < x2),
    mistake("greater_equal: not less", "false where either is NaN", lambda x1, x2: not x1 < x2),
    mistake("greater_equal: without equal ones", "x1 ≥ x2", lambda x1, x2: x1 > x2),
    *(
        mistake(f"{op}: integers become float32", "the comparison is that of the numbers themselves", in_float32(op))
        for op in COMPARISONS
    ),
    mistake("logical_and: or", "true where both are true", lambda x1, x2: x1 == 1 or x2 == 1),
    mistake("logical_or: xor", "true where one is true or both are", lambda x1, x2: x1 != x2),
    mistake("logical_xor: or", "true where one is true and the other is false", lambda x1, x2: x1 == 1 or x2 == 1),
    of_where("swapped", "x1 where the condition holds, else x2", selecting(lambda c, x1, x2: x2 if c else x1)),
    of_where(
        "condition · x1 + (1 − condition) · x2",
        "what is not selected does not count, NaN or not",
        selecting(lambda c, x1, x2: c * x1 + (1 - c) * x2),
    ),
    of_where("the condition is repeated", "all three broadcast together", condition_repeated),
)
