"""spec/ops/elementwise.md: two values, element by element."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from naive.arithmetic import Arithmetic, Number, larger, smaller
from naive.arrays import FLOATS, NUMBERS, Array, Shape, elements
from naive.errors import require
from naive.operators.operator import Call, Compute, Infer, Operator, Site, Type, check_dtype


def floor_divide(a: Arithmetic, x1: Number, x2: Number) -> Number:
    if isinstance(x1, int):
        return x1 // x2 if x2 != 0 else 0
    return a.floor(a.divide(x1, x2))


def mod(a: Arithmetic, x1: Number, x2: Number) -> Number:
    return x1 - x2 * floor_divide(a, x1, x2)


FORMULAS: dict[str, Callable[[Arithmetic, Number, Number], Number]] = {
    "add": lambda a, x1, x2: x1 + x2,
    "subtract": lambda a, x1, x2: x1 - x2,
    "multiply": lambda a, x1, x2: x1 * x2,
    "divide": lambda a, x1, x2: a.divide(x1, x2),
    "maximum": lambda a, x1, x2: larger(x1, x2),
    "minimum": lambda a, x1, x2: smaller(x1, x2),
    "power": lambda a, x1, x2: a.power(x1, x2),
    "floor_divide": floor_divide,
    "mod": mod,
    "arctan2": lambda a, x1, x2: a.arctan2(x1, x2),
}

DTYPES = {"divide": FLOATS, "power": FLOATS, "arctan2": FLOATS}
"""Of operators that do not take all numbers."""


def broadcast(shape1: Shape, shape2: Shape) -> Shape:
    rank = max(len(shape1), len(shape2))
    pairs = zip(right_aligned(shape1, rank), right_aligned(shape2, rank), strict=True)
    return tuple(broadcast_dimension(m, n) for m, n in pairs)


def right_aligned(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + shape


def broadcast_dimension(m: int | str, n: int | str) -> int | str:
    require(m == n or m == 1 or n == 1, "broadcast-mismatch", "/inputs/1", "shapes that broadcast", (m, n))  # C2
    return n if m == 1 else m


def check_rows(shape: Shape) -> None:
    require("batch" not in shape[1:], "batch-axis", "/inputs", "batch at axis 0 or not at all", shape)  # C3


def inferring(dtypes: Sequence[str], makes: str = "") -> Infer:
    """For operators of two values of these dtypes, which make that of the first, or always the same."""

    def infer(site: Site) -> Type:
        x1, x2 = site.inputs
        check_dtype(x1, dtypes)  # C1
        require(x2.dtype == x1.dtype, "dtype-mismatch", "/inputs/1", x1.dtype, x2.dtype)  # C1
        shape = broadcast(x1.shape, x2.shape)
        check_rows(shape)
        return Type(makes or x1.dtype, shape)

    return infer


def strides(shape: Shape, rank: int) -> list[int]:
    """For each axis of the result, how many elements of x one step moves."""
    found = []
    step = 1
    for n in reversed(right_aligned(shape, rank)):
        found.append(0 if n == 1 else step)
        step *= int(n)
    return found[::-1]


def places(n: tuple[int, ...], shapes: Sequence[Shape]) -> Iterator[list[int]]:
    """For each element of a result of shape n, the places of the elements that broadcasting puts there."""
    steps = [strides(shape, len(n)) for shape in shapes]
    for out in range(elements(n)):
        rest, found = out, [0] * len(shapes)
        for axis in reversed(range(len(n))):
            rest, index = divmod(rest, n[axis])
            found = [at + index * step[axis] for at, step in zip(found, steps, strict=True)]
        yield found


def together(shape: tuple[int, ...], inputs: Sequence[Array]) -> Iterator[list[Number]]:
    """The elements of the inputs that make an element of the result."""
    for found in places(shape, [x.shape for x in inputs]):
        yield [x.data[i] for x, i in zip(inputs, found, strict=True)]


def elementwise(name: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        return [FORMULAS[name](call.a, x1, x2) for x1, x2 in together(call.shape, call.inputs)]

    return compute


OPERATORS = {
    f"{name}@1": Operator(inferring(DTYPES.get(name, NUMBERS)), elementwise(name), inputs=(2, 2)) for name in FORMULAS
}
