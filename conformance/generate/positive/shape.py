"""reshape and concatenate."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import quote
from generate.positive.declare import declare, empty_batch, lengths, repeated, special

KEPT = "All numbers are kept, NaN and infinities too."
NEW = "a new symbol otherwise."
DECLARED = quote(
    "README.md",
    "The layer declares a name for it: one of its own, or one that other values have too, where whoever wrote the file "
    "knows that the dimensions are equal; or the number, where it is known.",
)

# reshape

STAY = "The elements stay where they are, in C order:"
QUOTIENT = "have / want, where none of d₁ … dᵣ₋₁ is a symbol;"
SYMBOL = "the symbol, where exactly one of d₁ … dᵣ₋₁ is a symbol and have = want;"

declare(
    "reshape/split",
    "One dimension into two.",
    STAY,
    lambda r: one("reshape", r.normal(3, 10), target_shape=[2, 5]),
)
declare(
    "reshape/flatten",
    "All into one, the last index fastest.",
    STAY,
    lambda r: one("reshape", r.normal(2, 3, 4), target_shape=[12]),
)
declare(
    "reshape/infer",
    "-1 is what is left.",
    QUOTIENT,
    lambda r: one("reshape", r.normal(2, 3, 4), target_shape=[2, -1]),
)
declare(
    "reshape/infer-first", "-1 in front.", QUOTIENT, lambda r: one("reshape", r.normal(2, 3, 4), target_shape=[-1, 6])
)
declare(
    "reshape/infer-one",
    "-1 that comes to 1.",
    QUOTIENT,
    lambda r: one("reshape", r.normal(2, 6), target_shape=[6, -1]),
)
for _name, _row, _target in (
    ("numbers", "| (batch, 2, 6) | [3, 4] | (batch, 3, 4) |", [3, 4]),
    ("flat", "| (batch, 2, 6) | [−1] | (batch, 12) |", [-1]),
    ("rest", "| (batch, 2, 6) | [4, −1] | (batch, 4, 3) |", [4, -1]),
):
    declare(
        f"reshape/row-{_name}",
        "As the page's table has it.",
        _row,
        lambda r, target=_target: one("reshape", r.normal(3, 2, 6), target_shape=target),
    )
declare(
    "reshape/to-rank-1",
    "No dimension but the batch.",
    "| (batch, 1) | [] | (batch) |",
    lambda r: one("reshape", r.normal(4, 1), target_shape=[]),
)
declare(
    "reshape/from-rank-1",
    "The product of nothing is 1.",
    "The product of nothing is 1.",
    lambda r: one("reshape", r.normal(4), target_shape=[1, -1]),
)
declare(
    "reshape/to-rank-8",
    "Dimensions of 1.",
    STAY,
    lambda r: one("reshape", r.normal(2, 6), target_shape=[1, 2, 1, 3, 1, 1, 1]),
)
declare(
    "reshape/from-rank-8",
    "As many dimensions as the format allows into one.",
    STAY,
    lambda r: one("reshape", r.normal(2, 1, 3, 1, 2, 1, 1, 2), target_shape=[-1]),
)
declare(
    "reshape/symbolic",
    "-1 stands for the one dimension that only running tells.",
    SYMBOL,
    lambda r: one(
        "reshape",
        r.normal(2, 5, 3, 2),
        shapes=[("batch", "time", 3, 2)],
        shape=("batch", "time", 6),
        target_shape=[-1, 6],
    ),
)
declare(
    "reshape/row-symbol",
    "As the page's table has it.",
    "| (batch, time, 2, 3) | [−1, 6] | (batch, time, 6) |",
    lambda r: one(
        "reshape",
        r.normal(2, 5, 2, 3),
        shapes=[("batch", "time", 2, 3)],
        shape=("batch", "time", 6),
        target_shape=[-1, 6],
    ),
)
declare(
    "reshape/new-symbol",
    "-1 of a symbol times a number is a new symbol.",
    NEW,
    lambda r: one(
        "reshape",
        r.normal(2, 5, 6),
        shapes=[("batch", "time", 6)],
        shape=("batch", "longer", 3),
        target_shape=[-1, 3],
    ),
)
declare(
    "reshape/row-new-symbol",
    "As the page's table has it.",
    "| (batch, time, 4) | [−1, 2] | (batch, *new*, 2), in a call 2 · time |",
    lambda r: one(
        "reshape",
        r.normal(2, 5, 4),
        shapes=[("batch", "time", 4)],
        shape=("batch", "longer", 2),
        target_shape=[-1, 2],
    ),
)


def _declared(op: str, xs: list[Any], shapes: list[list[int | str]], y: Any, **attributes: Any) -> Graph:
    """A new dimension that is declared as another input has it, to which the result is added."""
    graph = Graph()
    nodes = [graph.input(f"x{i}", x, shape) for i, (x, shape) in enumerate(zip([*xs, y], shapes, strict=True))]
    made = graph.apply("made", op, *nodes[:-1], shape=shapes[-1], **attributes)
    graph.outputs.append(graph.apply("y", "add", made, nodes[-1], shape=shapes[-1]))
    return graph


declare(
    "reshape/declared-symbol",
    "A new dimension has the symbol of another input, which equals it.",
    DECLARED,
    lambda r: _declared(
        "reshape",
        [r.normal(2, 3, 4)],
        [["batch", "time", 4], ["batch", "longer", 2]],
        r.normal(2, 6, 2),
        target_shape=[-1, 2],
    ),
)
declare(
    "reshape/declared-number",
    "A new dimension is declared as a number.",
    DECLARED,
    lambda r: one(
        "reshape", r.normal(2, 3, 4), shapes=[("batch", "time", 4)], shape=("batch", 6, 2), target_shape=[-1, 2]
    ),
)


def _moved(dtype: str) -> None:
    declare(
        f"reshape/{dtype}",
        f"{dtype} is moved like float32.",
        "Reads the same elements, in the same order, as another shape.",
        lambda r: one("reshape", r.integers(0, 2, 2, 6, dtype=dtype), target_shape=[3, 2]),
    )


for _dtype in ("int32", "bool", "float64"):
    _moved(_dtype)
special(
    "reshape/not-finite",
    "NaN and infinities are data like any other.",
    KEPT,
    lambda r: one("reshape", repeated([[np.nan, np.inf, -np.inf, 1]]), target_shape=[2, 18]),
)
special(
    "reshape/empty-batch",
    "No row in, no row out; -1 follows from the declared shape.",
    "Empty batch: y has 0 rows, of the shape above.",
    lambda r: one("reshape", r.normal(0, 6), shape=("batch", 2, 3), target_shape=[2, -1]),
)

lengths("reshape", lambda r, n: one("reshape", r.normal(n, 3), target_shape=[3, 1]))


# concatenate

TOTAL = "the sum of the inputs' dimensions, where all of them are numbers;"
ALONE = "the dimension of x₀, where it is the only input;"
LOOPS = (
    "With outer the product of the dimensions before axis, inner the product of those behind it, and nₖ the dimension "
    "of xₖ at axis:"
)

declare(
    "concatenate/last-axis",
    "Along the last axis.",
    TOTAL,
    lambda r: one("concatenate", r.normal(3, 2), r.normal(3, 4), axis=1),
)
declare(
    "concatenate/middle-axis",
    "Along an axis that is not the last.",
    LOOPS,
    lambda r: one("concatenate", r.normal(2, 3, 4), r.normal(2, 1, 4), r.normal(2, 2, 4), axis=1),
)
declare(
    "concatenate/rank-8",
    "Along the last of as many axes as there may be.",
    TOTAL,
    lambda r: one("concatenate", r.normal(2, 1, 3, 1, 2, 1, 1, 2), r.normal(2, 1, 3, 1, 2, 1, 1, 3), axis=7),
)
declare("concatenate/one", "A single input.", ALONE, lambda r: one("concatenate", r.normal(3, 2), axis=1))
declare(
    "concatenate/one-symbolic",
    "A single input, along a dimension that only running tells: it keeps its symbol.",
    ALONE,
    lambda r: one("concatenate", r.normal(2, 5, 3), shapes=[("batch", "time", 3)], shape=("batch", "time", 3), axis=1),
)
declare(
    "concatenate/many",
    "Nine inputs.",
    TOTAL,
    lambda r: one("concatenate", *(r.normal(2, 1 + i % 3) for i in range(9)), axis=1),
)
declare(
    "concatenate/int64",
    "Numbers of any dtype are moved.",
    "any, all the same",
    lambda r: one("concatenate", *(r.integers(-9, 9, 2, 3, dtype="int64") for _ in range(2)), axis=1),
)
declare(
    "concatenate/symbolic-axis",
    "Along a dimension that only running tells: the sum is a new symbol.",
    NEW,
    lambda r: one(
        "concatenate",
        r.normal(2, 5, 3),
        r.normal(2, 4, 3),
        shapes=[("batch", "time", 3), ("batch", 4, 3)],
        shape=("batch", "total", 3),
        axis=1,
    ),
)
declare(
    "concatenate/declared-symbol",
    "A new dimension has the symbol of another input, which equals it.",
    DECLARED,
    lambda r: _declared(
        "concatenate",
        [r.normal(2, 5, 3), r.normal(2, 4, 3)],
        [["batch", "time", 3], ["batch", 4, 3], ["batch", "total", 3]],
        r.normal(2, 9, 3),
        axis=1,
    ),
)
declare(
    "concatenate/declared-number",
    "A new dimension is declared as a number.",
    DECLARED,
    lambda r: one(
        "concatenate",
        r.normal(2, 5, 3),
        r.normal(2, 4, 3),
        shapes=[("batch", "time", 3), ("batch", 4, 3)],
        shape=("batch", 9, 3),
        axis=1,
    ),
)
declare(
    "concatenate/symbolic-beside",
    "Along the last axis, a symbol beside it.",
    "symbols must be the same symbol",
    lambda r: one(
        "concatenate",
        r.normal(2, 5, 3),
        r.normal(2, 5, 2),
        shapes=[("batch", "time", 3), ("batch", "time", 2)],
        shape=("batch", "time", 5),
        axis=2,
    ),
)


def _twice(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(3, 2))
    graph.outputs.append(graph.apply("y", "concatenate", x, x, axis=1))
    return graph


declare("concatenate/itself", "One value twice.", "A value may be given more than once.", _twice)


def _not_finite(*_: Any) -> Graph:
    x = np.array([[np.nan, np.inf, -np.inf]], np.float32)
    return one("concatenate", x, x[:, :1], axis=1)


special("concatenate/not-finite", "NaN and infinities are data like any other.", KEPT, _not_finite)
empty_batch("concatenate", lambda r: one("concatenate", r.normal(0, 2), r.normal(0, 3), axis=1))
lengths("concatenate", lambda r, n: one("concatenate", r.normal(n, 1), r.normal(n, 2), axis=1))
