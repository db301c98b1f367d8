"""Functions of one number, the predicates, logical_not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import row_of
from generate.positive.declare import FLUSHED, declare, empty_batch, repeated, special

FAR = 1e30
INF, NAN = np.inf, np.nan
SHAPE = "The shape of x."
ABOVE_MINUS_1, BELOW_1 = -1 + 2.0**-24, 1 - 2.0**-24


class Function(NamedTuple):
    """What a function is tried with.

    Attributes:
        special: numbers of which the table of the page says what becomes; NaN is tried too.
        points: where its formula bends, jumps or cancels; the numbers beside them are tried too.
        low: the smallest x.
        high: the largest x.
        subnormal: whether numbers below the smallest normal one are specified.
    """

    special: tuple[float, ...] = (INF, -INF)
    points: tuple[float, ...] = ()
    low: float = -FAR
    high: float = FAR
    subnormal: bool = True


HALVES = (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.0**23 - 0.5, -(2.0**22) - 0.5, 2.0**31)
BELOW_0 = (-1.0, -1e-30, -INF, INF, 0.0, -0.0)

FUNCTIONS = {
    "abs": Function(),
    "negative": Function(),
    "sign": Function(points=(1, -1), subnormal=False),
    "floor": Function(points=(1, -1, *HALVES), subnormal=False),
    "ceil": Function(points=(1, -1, *HALVES), subnormal=False),
    "round": Function(points=(1, -1, *HALVES)),
    "trunc": Function(points=(1, -1, *HALVES)),
    "square": Function(low=-1e18, high=1e18),
    "sqrt": Function(BELOW_0, low=0, subnormal=False),
    "reciprocal": Function((0.0, -0.0, INF, -INF), points=(1, 3), subnormal=False),
    "rsqrt": Function((-1.0, -INF, INF, 0.0), low=1 / FAR, subnormal=False),
    "expm1": Function(points=(-104.0, -17.5), high=88),
    "log": Function(BELOW_0, points=(1,), low=1 / FAR, subnormal=False),
    "log1p": Function((-1.0, -1.5, -INF, INF), points=(-0.5, 1), low=ABOVE_MINUS_1),
    "log2": Function(BELOW_0, points=(1, 8), low=1 / FAR, subnormal=False),
    "log10": Function(BELOW_0, points=(1, 1000), low=1 / FAR, subnormal=False),
    "sin": Function(points=(np.pi, 100 * np.pi), low=-(2.0**16), high=2.0**16),
    "cos": Function(points=(np.pi / 2, 201 * np.pi / 2), low=-(2.0**16), high=2.0**16),
    "tan": Function(points=(np.pi, np.pi / 2, -np.pi / 4), low=-(2.0**16), high=2.0**16),
    "arcsin": Function((1.5, -2.0, INF, -INF), points=(0.5, 1, -1), low=-1, high=1),
    "arccos": Function((1.5, -2.0, INF, -INF), points=(0.5, 1, -1), low=-1, high=1),
    "arctan": Function(points=(1, -1)),
    "sinh": Function(low=-88, high=88),
    "cosh": Function(low=-88, high=88),
    "arcsinh": Function(points=(1, -1)),
    "arccosh": Function((0.5, -2.0, -INF, INF), points=(1, 1.5), low=1),
    "arctanh": Function((1.0, -1.0, 1.5, -2.0, INF), points=(0.5, ABOVE_MINUS_1), low=ABOVE_MINUS_1, high=BELOW_1),
    "erf": Function(points=(1, -1, 4)),
    "erfc": Function(points=(1, -1, 9)),
}

OF_NUMBERS = ("abs", "negative", "sign", "square")
"""Those that take integers too."""


def _within(function: Function, r: Draw, *shape: int) -> Any:
    """Numbers of the size of 1, of the function's domain."""
    return r.uniform(max(function.low, -3), min(function.high, max(3, function.low + 3)), *shape)


def _ranks(r: Draw, op: str, drawn: Callable[..., Any], joined_by: str) -> Graph:
    """Values of 4 and of 8 dimensions, and a constant scalar, which is joined to the former."""
    graph = Graph()
    middle, deep = graph.input("x", drawn(r, 2, 3, 2, 5)), graph.input("deep", drawn(r, 2, 1, 3, 1, 2, 1, 1, 2))
    scalar = graph.apply("scalar", "constant", weights={"value": np.asarray(drawn(r))}, shape=())
    made = graph.apply("of the scalar", op, scalar, shape=())
    graph.outputs.append(graph.apply("y", joined_by, graph.apply("of x", op, middle), made))
    graph.outputs.append(graph.apply("of deep", op, deep))
    return graph


def _declare(op: str, drawn: Callable[..., Any], joined_by: str = "add", says: str = SHAPE) -> None:
    declare(f"{op}/rank-1", "A batch of numbers, of many rows.", says, lambda r: one(op, drawn(r, 19)))
    declare(
        f"{op}/ranks",
        "A scalar, four dimensions, and as many as the format allows.",
        SHAPE,
        lambda r: _ranks(r, op, drawn, joined_by),
    )
    empty_batch(op, lambda r: one(op, drawn(r, 0, 3)))


def _declare_range(op: str, low: float, high: float, points: tuple[float, ...], says: str) -> None:
    declare(
        f"{op}/range",
        "Where the formula bends or cancels, the float32 numbers beside, and magnitudes over the whole range.",
        says,
        lambda r: one(op, r.around(3, *points, low=low, high=high)),
    )


for _op, _function in FUNCTIONS.items():
    _declare(_op, lambda r, *shape, function=_function: _within(function, r, *shape))
    _declare_range(_op, _function.low, _function.high, _function.points, row_of(_op))
    special(
        f"{_op}/table",
        "NaN, infinities and the ends of the domain, as the table has them; their neighbours are as always.",
        "NaN gives NaN." if _op in OF_NUMBERS else "Infinities and the ends of the domains: the table.",
        lambda r, op=_op, function=_function: one(op, repeated([[x, 1.25] for x in (NAN, *function.special)])),
    )
    if _function.subnormal and _function.low < 0:
        special(
            f"{_op}/subnormal",
            "Numbers below the smallest normal one, which may count as 0.",
            FLUSHED,
            lambda r, op=_op: one(op, np.array([[1e-39, -1e-39, 1e-42], [1e-45, -1e-45, 0.5]], np.float32)),
        )

OVERFLOWS = {"square": (1e20, -1e25), "expm1": (89.0, 1e4), "sinh": (100.0, -100.0, 1e30), "cosh": (100.0, -1e30)}
for _op, _numbers in OVERFLOWS.items():
    special(
        f"{_op}/overflow",
        "Results beyond float32's range.",
        "square, expm1, sinh and cosh overflow to infinities.",
        lambda r, op=_op, numbers=_numbers: one(op, repeated([[*numbers, 1.25]])),
    )
special(
    "round/ties",
    "Numbers half-way between two integers.",
    row_of("round"),
    lambda r: one("round", (np.arange(-20, 20, dtype=np.float32) + np.float32(0.5)).reshape(4, 10)),
)

LARGE = {"int8": 127, "uint8": 255, "int32": 2**31 - 1, "int64": 2**53}
ROOTS = {"int8": 11, "uint8": 15, "int32": 46340, "int64": 94_906_265}


def _integers(r: Draw, op: str) -> Graph:
    """All dtypes of integers, up to the largest numbers whose results they hold."""
    graph = Graph()
    for dtype, most in (ROOTS if op == "square" else LARGE).items():
        least = 0 if dtype == "uint8" else -most
        most = 0 if dtype == "uint8" and op == "negative" else most
        x = r.random.randint(least, most + 1, (3, 5), dtype=np.int64)
        x[0, :3] = (least, most, 0)
        graph.outputs.append(graph.apply(f"y {dtype}", op, graph.input(dtype, x.astype(dtype))))
    return graph


for _op in OF_NUMBERS:
    declare(
        f"{_op}/integers",
        "Integers of every dtype.",
        "Integers are computed exactly.",
        lambda r, op=_op: _integers(r, op),
    )


# Predicates, logical_not

for _op in ("isnan", "isinf", "isfinite"):
    _declare(_op, lambda r, *shape: r.normal(*shape), "logical_xor", "The dtype of y is bool.")
    special(
        f"{_op}/table",
        "NaN, infinities of both signs, numbers of all sizes.",
        "The table.",
        lambda r, op=_op: one(
            op, repeated([[NAN, INF, -INF, 0, -0.0, 3.4e38, -3.4e38, 1e-38], [-NAN, *[INF, 1] * 3, 2]])
        ),
    )

_declare("logical_not", lambda r, *shape: r.random.random_sample(shape) < 0.5, "logical_xor")
declare(
    "logical_not/both",
    "Both truth values.",
    "true becomes false, and false becomes true.",
    lambda r: one("logical_not", np.array([[True, False, False], [False, True, True]])),
)
