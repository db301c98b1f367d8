"""reshape and concatenate."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.positive.declare import declare, special

declare("reshape/split", "One dimension into two.", lambda r: one("reshape", r.normal(3, 10), target_shape=[2, 5]))
declare(
    "reshape/flatten",
    "All into one, the last index fastest.",
    lambda r: one("reshape", r.normal(2, 3, 4), target_shape=[12]),
)
declare("reshape/infer", "-1 is what is left.", lambda r: one("reshape", r.normal(2, 3, 4), target_shape=[2, -1]))
declare("reshape/infer-first", "-1 in front.", lambda r: one("reshape", r.normal(2, 3, 4), target_shape=[-1, 6]))
declare("reshape/infer-one", "-1 that comes to 1.", lambda r: one("reshape", r.normal(2, 6), target_shape=[6, -1]))
declare("reshape/to-rank-1", "No dimension but the batch.", lambda r: one("reshape", r.normal(4, 1), target_shape=[]))
declare(
    "reshape/to-rank-8",
    "Dimensions of 1.",
    lambda r: one("reshape", r.normal(2, 6), target_shape=[1, 2, 1, 3, 1, 1, 1]),
)
declare(
    "reshape/symbolic",
    "-1 stands for the one dimension that only running tells.",
    lambda r: one(
        "reshape",
        r.normal(2, 5, 3, 2),
        shapes=[("batch", "time", 3, 2)],
        shape=("batch", "time", 6),
        target_shape=[-1, 6],
    ),
)
declare(
    "reshape/new-symbol",
    "-1 of a symbol times a number is a new symbol.",
    lambda r: one(
        "reshape",
        r.normal(2, 5, 6),
        shapes=[("batch", "time", 6)],
        shape=("batch", "longer", 3),
        target_shape=[-1, 3],
    ),
)


def _moved(dtype: str) -> None:
    declare(
        f"reshape/{dtype}",
        f"{dtype} is moved like float32.",
        lambda r: one("reshape", r.integers(0, 2, 2, 6, dtype=dtype), target_shape=[3, 2]),
    )


for _dtype in ("int32", "bool", "float64"):
    _moved(_dtype)
special(
    "reshape/empty-batch",
    "No row in, no row out; -1 follows from the declared shape.",
    lambda r: one("reshape", r.normal(0, 6), shape=("batch", 2, 3), target_shape=[2, -1]),
)

declare(
    "concatenate/last-axis",
    "Along the last axis.",
    lambda r: one("concatenate", r.normal(3, 2), r.normal(3, 4), axis=1),
)
declare(
    "concatenate/middle-axis",
    "Along an axis that is not the last.",
    lambda r: one("concatenate", r.normal(2, 3, 4), r.normal(2, 1, 4), r.normal(2, 2, 4), axis=1),
)
declare("concatenate/one", "A single input.", lambda r: one("concatenate", r.normal(3, 2), axis=1))
declare(
    "concatenate/many",
    "Nine inputs.",
    lambda r: one("concatenate", *(r.normal(2, 1 + i % 3) for i in range(9)), axis=1),
)
declare(
    "concatenate/int64",
    "Numbers of any dtype are moved.",
    lambda r: one("concatenate", *(r.integers(-9, 9, 2, 3, dtype="int64") for _ in range(2)), axis=1),
)
declare(
    "concatenate/symbolic-axis",
    "Along a dimension that only running tells: the sum is a new symbol.",
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
    "concatenate/symbolic-beside",
    "Along the last axis, a symbol beside it.",
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


declare("concatenate/itself", "One value twice.", _twice)


def _not_finite(*_: Any) -> Graph:
    x = np.array([[np.nan, np.inf, -np.inf]], np.float32)
    return one("concatenate", x, x[:, :1], axis=1)


special("concatenate/not-finite", "NaN and infinities are data like any other.", _not_finite)
special(
    "concatenate/empty-batch",
    "No row in, no row out.",
    lambda r: one("concatenate", r.normal(0, 2), r.normal(0, 3), axis=1),
)
