"""softmax, log_softmax, both sparsemaxes, glu."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import one
from generate.positive.declare import FLUSHED, declare, empty_batch, lengths, special

SHAPE = "The shape of x."
DEEP = (2, 1, 3, 1, 2, 1, 1, 4)


# softmax, log_softmax

ONE_AXIS = "with one axis, one line of the array"
SEVERAL = "with several, a plane or more, normalized as a whole"
SHIFTED = "Subtracting m changes nothing in exact arithmetic; without it, exp overflows in float32 above 88.7."
LOOPS = (
    "With one axis, this is a loop over outer (the product of the dimensions before the axis) and inner (behind it), "
    "in which a group is the n elements x[(o · n + k) · inner + i], k = 0 … n − 1."
)
LARGE = np.array([[1e4, -1e4, 9999.5, 0], [-1e4, -1e4, -1e4, -9998], [1e4, 1e4, 1e4, 1e4]], np.float32)


def _not_finite(r: Draw) -> Any:
    x = r.normal(10, 37)
    for row, place in enumerate((0, 1, 15, 16, 35, 36)):
        x[row, place] = np.nan
    x[6, 17] = x[7, 36] = np.inf
    x[8, ::3] = -np.inf
    return x


def _declare(op: str) -> None:
    declare(f"{op}/rank-2", "Over the last axis.", ONE_AXIS, lambda r: one(op, r.normal(5, 7, scale=3), axes=[1]))
    declare(
        f"{op}/middle-axis",
        "Over an axis that is not the last; all dimensions differ.",
        LOOPS,
        lambda r: one(op, r.normal(2, 5, 3, 4, scale=3), axes=[2]),
    )
    declare(
        f"{op}/two-axes",
        "Over two axes together, which are not neighbours.",
        SEVERAL,
        lambda r: one(op, r.normal(2, 5, 3, 4, scale=3), axes=[1, 3]),
    )
    declare(
        f"{op}/every-axis",
        "Over all axes but the batch.",
        SEVERAL,
        lambda r: one(op, r.normal(3, 2, 4, scale=3), axes=[1, 2]),
    )
    declare(
        f"{op}/rank-8",
        "Over the last of as many dimensions as the format allows.",
        SHAPE,
        lambda r: one(op, r.normal(*DEEP, scale=3), axes=[7]),
    )
    declare(
        f"{op}/large",
        "Exponentials that overflow without the shift by the maximum.",
        SHIFTED,
        lambda r: one(op, LARGE, axes=[1]),
    )
    declare(
        f"{op}/large-two-axes",
        "The same over two axes.",
        SHIFTED,
        lambda r: one(op, LARGE.reshape(3, 2, 2), axes=[1, 2]),
    )
    declare(
        f"{op}/one-element",
        "An axis of one element.",
        "One element in a group gives exactly 1, or 0 for log_softmax.",
        lambda r: one(op, r.normal(4, 1), axes=[1]),
    )
    declare(
        f"{op}/long",
        "Many terms, of like size.",
        "The dtype of x or better; the sum in any order.",
        lambda r: one(op, r.normal(2, 1000), axes=[1]),
    )
    declare(
        f"{op}/symbolic-axis",
        "Over a dimension that only running tells.",
        SHAPE,
        lambda r: one(op, r.normal(2, 5, 3), shapes=[("batch", "time", 3)], shape=("batch", "time", 3), axes=[1]),
    )
    special(
        f"{op}/ties",
        "Several largest elements.",
        "With m the largest element of the group of x, and sums over that group:",
        lambda r: one(op, np.array([[2, 2, -1, 2], [0, -0.0, 0, -3], [5, 5, 5, 5]], np.float32), axes=[1]),
    )
    special(
        f"{op}/flushed",
        "Probabilities below the smallest normal number.",
        "Results below the smallest normal number of the dtype may be flushed to 0.",
        lambda r: one(op, np.array([[0, -90, -95, -110], [300, 0, 190, 210]], np.float32), axes=[1]),
    )
    special(
        f"{op}/subnormal",
        "Scores below the smallest normal number, which may count as 0.",
        FLUSHED,
        lambda r: one(op, np.array([[1e-39, -1e-45, 0], [1e-39, 1, 2]], np.float32), axes=[1]),
    )
    empty_batch(op, lambda r: one(op, r.normal(0, 3), axes=[1]))
    lengths(op, lambda r, n: one(op, r.normal(n, 3), axes=[1]))
    special(
        f"{op}/not-finite-long",
        "Long rows with NaN or an infinity in front, in the middle and at the end; the last row is as always.",
        "| a NaN | NaN, every element of the group | NaN, every element of the group |",
        lambda r: one(op, _not_finite(r), axes=[1]),
    )
    special(
        f"{op}/minus-infinity",
        "An element of minus infinity has no part in the sum.",
        "| −∞ beside a finite number | 0 there; the others as if it were not there "
        "| −∞ there; the others as if it were not there |",
        lambda r: one(op, np.array([[1, -np.inf, 2], [-np.inf, 0, -np.inf]], np.float32), axes=[1]),
    )
    special(
        f"{op}/nan",
        "NaN makes its whole row NaN, and no other.",
        "| a NaN | NaN, every element of the group | NaN, every element of the group |",
        lambda r: one(op, np.array([[1, np.nan, 2], [3, 2, 1]], np.float32), axes=[1]),
    )
    special(
        f"{op}/plus-infinity",
        "Plus infinity makes its row NaN, and no other.",
        "| +∞ | NaN, every element of the group | NaN, every element of the group |",
        lambda r: one(op, np.array([[1, np.inf, 2], [3, 2, 1]], np.float32), axes=[1]),
    )
    special(
        f"{op}/minus-infinity-alone",
        "A row of minus infinity alone is NaN.",
        "| −∞ alone | NaN, every element of the group | NaN, every element of the group |",
        lambda r: one(op, np.array([[-np.inf, -np.inf], [1, 2]], np.float32), axes=[1]),
    )


_declare("softmax")
_declare("log_softmax")
declare(
    "log_softmax/far",
    "Logarithms of probabilities that float32 does not hold.",
    "log_softmax is not log(softmax(x)): that loses everything once softmax underflows.",
    lambda r: one("log_softmax", np.array([[0, -120, -3e4, -1e30], [1e30, 0, 5, -1e30]], np.float32), axes=[1]),
)


# sparsemax, cumulative_sparsemax

NEAREST = "the point of the probability simplex nearest to x, whose elements add up to 1"
RUNNING = "where k > 1 elements are, `cumulative_sparsemax` adds up the running sums of all kept ranks"
AGREE = "The two agree where one element alone is kept"


def _declare_sparsemax(op: str, meaning: str) -> None:
    declare(f"{op}/rank-2", "Over the last axis.", meaning, lambda r: one(op, r.normal(6, 7), axis=1))
    declare(
        f"{op}/middle-axis",
        "Over an axis that is not the last.",
        "For each line of n elements along axis",
        lambda r: one(op, r.normal(2, 5, 3), axis=1),
    )
    declare(f"{op}/rank-4", "Four dimensions.", SHAPE, lambda r: one(op, r.normal(2, 3, 5, 4, scale=0.5), axis=2))
    declare(
        f"{op}/rank-8",
        "Over the last of as many dimensions as the format allows.",
        SHAPE,
        lambda r: one(op, r.normal(*DEEP), axis=7),
    )
    declare(
        f"{op}/offset",
        "Scores far from 0: what all of them share must not be subtracted.",
        "Adding a number to all of x changes the result of `cumulative_sparsemax`: do not subtract the largest element "
        "first.",
        lambda r: one(op, r.normal(4, 6, mean=300), axis=1),
    )
    declare(
        f"{op}/one-hot",
        "One score is above all others by more than 1.",
        AGREE,
        lambda r: one(op, np.array([[0, 5, 3.5, -2], [1e4, -1e4, 0, 3]], np.float32), axis=1),
    )
    declare(f"{op}/one-element", "An axis of one element.", AGREE, lambda r: one(op, r.normal(4, 1), axis=1))
    special(
        f"{op}/ties",
        "Equal scores give equal results.",
        "Ties: equal elements get equal results.",
        lambda r: one(op, np.array([[2, 2, 2, 2], [1, 1, 0, -5], [0.5, 0.5, 0.5, 0]], np.float32), axis=1),
    )
    special(
        f"{op}/minus-infinity",
        "An element of minus infinity gets nothing.",
        "−∞ beside a finite number gives 0 there.",
        lambda r: one(op, np.array([[1, -np.inf, 0.5], [-np.inf, 0, -np.inf]], np.float32), axis=1),
    )
    special(
        f"{op}/subnormal",
        "Scores below the smallest normal number, which may count as 0.",
        FLUSHED,
        lambda r: one(op, np.array([[1e-39, -1e-45, 0.5], [1e-39, 3, -2]], np.float32), axis=1),
    )
    empty_batch(op, lambda r: one(op, r.normal(0, 3), axis=1))
    lengths(op, lambda r, n: one(op, r.normal(n, 3, scale=0.1), axis=1))


_declare_sparsemax("sparsemax", NEAREST)
_declare_sparsemax("cumulative_sparsemax", RUNNING)


# glu

HALVES = "With n the dimension of x at axis, a the first n / 2 elements along it, and b the last n / 2:"
HALVED = "The shape of x, its dimension at axis halved."

declare("glu/rank-2", "The halves of the last axis.", HALVES, lambda r: one("glu", r.normal(5, 6, scale=3), axis=1))
declare(
    "glu/middle-axis",
    "The halves of an axis that is not the last.",
    "With outer the product of the dimensions before axis, inner the product of those behind it, half = n / 2:",
    lambda r: one("glu", r.normal(3, 4, 5), axis=1),
)
declare("glu/rank-4", "Four dimensions, all different.", HALVED, lambda r: one("glu", r.normal(2, 3, 5, 8), axis=3))
declare(
    "glu/rank-8",
    "The halves of the last of as many dimensions as the format allows.",
    HALVED,
    lambda r: one("glu", r.normal(*DEEP), axis=7),
)
declare(
    "glu/range",
    "Gates from closed to open, values of all magnitudes.",
    "y = a · sigmoid(b)",
    lambda r: one("glu", np.concatenate([r.powers(-20, 20, 4, 20), r.uniform(-40, 90, 4, 20)], 1), axis=1),
)
declare(
    "glu/flushed",
    "Gates that are closed to less than the smallest normal number.",
    "For b below −87 in float32, sigmoid(b) is smaller than the smallest normal number, and may be flushed to 0",
    lambda r: one("glu", np.concatenate([r.powers(-10, 10, 3, 8), r.uniform(-120, -86, 3, 8)], 1), axis=1),
    kind="special",
)
special(
    "glu/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: one("glu", np.array([[1e-39, 1, 1, -1e-45], [-1e-42, 3, 1e-39, 2]], np.float32), axis=1),
)
empty_batch("glu", lambda r: one("glu", r.normal(0, 4), axis=1))
lengths("glu", lambda r, n: one("glu", r.normal(n, 6), axis=1))
special(
    "glu/not-finite",
    "NaN stays in its element; a gate of plus infinity is open, one of minus infinity shut.",
    "NaN in a or b gives NaN. b = +∞ gives a; b = −∞ gives 0 for a finite a, and NaN for an infinite one.",
    lambda r: one(
        "glu",
        np.array(
            [[1, np.nan, 2, np.inf, np.inf, 0, 1, -np.inf], [3, 2, np.inf, 1, -np.inf, np.nan, -1, 4]], np.float32
        ),
        axis=1,
    ),
)
