"""spec/ops: unary.md, predicate.md, logical_not.md: functions of one element."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from naive.arithmetic import Arithmetic, Number
from naive.arrays import FLOATS, NUMBERS
from naive.operators.operator import Call, Compute, Infer, Operator, Site, Type, check_dtype


def absolute(a: Arithmetic, x: Number) -> Number:
    return x if x >= 0 else -x


def sign(a: Arithmetic, x: Number) -> Number:
    if x > 0:
        return one(a, x)
    if x < 0:
        return -one(a, x)
    return x  # 0, or NaN


def one(a: Arithmetic, x: Number) -> Number:
    return 1 if isinstance(x, int) else a.number(1)


FORMULAS: dict[str, Callable[[Arithmetic, Number], Number]] = {
    "abs": absolute,
    "negative": lambda a, x: -x,
    "sign": sign,
    "floor": lambda a, x: a.floor(x),
    "ceil": lambda a, x: a.ceil(x),
    "round": lambda a, x: a.round(x),
    "trunc": lambda a, x: a.trunc(x),
    "square": lambda a, x: x * x,
    "sqrt": lambda a, x: a.sqrt(x),
    "reciprocal": lambda a, x: a.divide(1, x),
    "rsqrt": lambda a, x: a.divide(1, a.sqrt(x)),
    "expm1": lambda a, x: a.expm1(x),
    "log": lambda a, x: a.log(x),
    "log1p": lambda a, x: a.log1p(x),
    "log2": lambda a, x: a.log2(x),
    "log10": lambda a, x: a.log10(x),
    "sin": lambda a, x: a.sin(x),
    "cos": lambda a, x: a.cos(x),
    "tan": lambda a, x: a.tan(x),
    "arcsin": lambda a, x: a.arcsin(x),
    "arccos": lambda a, x: a.arccos(x),
    "arctan": lambda a, x: a.arctan(x),
    "sinh": lambda a, x: a.sinh(x),
    "cosh": lambda a, x: a.cosh(x),
    "arcsinh": lambda a, x: a.arcsinh(x),
    "arccosh": lambda a, x: a.arccosh(x),
    "arctanh": lambda a, x: a.arctanh(x),
    "erf": lambda a, x: a.erf(x),
    "erfc": lambda a, x: a.erfc(x),
}
OF_NUMBERS = ("abs", "negative", "sign", "square")
"""Those that take integers too."""

PREDICATES: dict[str, Callable[[Arithmetic, Number], Number]] = {
    "isnan": lambda a, x: int(x != x),
    "isinf": lambda a, x: int(abs(x) == math.inf),
    "isfinite": lambda a, x: int(abs(x) < math.inf),
}
NOT: dict[str, Callable[[Arithmetic, Number], Number]] = {"logical_not": lambda a, x: 1 - x}


def inferring(dtypes: Sequence[str], makes: str = "") -> Infer:
    """For operators of one value of these dtypes, which make the same dtype, or always one."""

    def infer(site: Site) -> Type:
        (x,) = site.inputs
        check_dtype(x, dtypes)  # C1
        return Type(makes or x.dtype, x.shape)

    return infer


def elementwise(formulas: dict[str, Callable[[Arithmetic, Number], Number]], name: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        return [formulas[name](call.a, x) for x in call.inputs[0].data]

    return compute


OPERATORS = {
    **{
        f"{name}@1": Operator(inferring(NUMBERS if name in OF_NUMBERS else FLOATS), elementwise(FORMULAS, name))
        for name in FORMULAS
    },
    **{f"{name}@1": Operator(inferring(FLOATS, "bool"), elementwise(PREDICATES, name)) for name in PREDICATES},
    "logical_not@1": Operator(inferring(["bool"]), elementwise(NOT, "logical_not")),
}
