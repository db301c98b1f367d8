"""softmax, log_softmax, both sparsemaxes, glu."""

from __future__ import annotations

import numpy as np

from generate.graph import one
from generate.positive.declare import declare, special

LARGE = np.array([[1e4, -1e4, 9999.5, 0], [-1e4, -1e4, -1e4, -9998], [1e4, 1e4, 1e4, 1e4]], np.float32)


def _declare(op: str) -> None:
    declare(f"{op}/rank-2", "Over the last axis.", lambda r: one(op, r.normal(5, 7, scale=3), axes=[1]))
    declare(
        f"{op}/middle-axis",
        "Over an axis that is not the last; all dimensions differ.",
        lambda r: one(op, r.normal(2, 5, 3, 4, scale=3), axes=[2]),
    )
    declare(
        f"{op}/two-axes",
        "Over two axes together, which are not neighbours.",
        lambda r: one(op, r.normal(2, 5, 3, 4, scale=3), axes=[1, 3]),
    )
    declare(
        f"{op}/every-axis",
        "Over all axes but the batch.",
        lambda r: one(op, r.normal(3, 2, 4, scale=3), axes=[1, 2]),
    )
    declare(
        f"{op}/large",
        "Exponentials that overflow without the shift by the maximum.",
        lambda r: one(op, LARGE, axes=[1]),
    )
    declare(
        f"{op}/large-two-axes",
        "The same over two axes.",
        lambda r: one(op, LARGE.reshape(3, 2, 2), axes=[1, 2]),
    )
    declare(f"{op}/one-element", "An axis of one element.", lambda r: one(op, r.normal(4, 1), axes=[1]))
    declare(f"{op}/long", "Many terms, of like size.", lambda r: one(op, r.normal(2, 1000), axes=[1]))
    declare(
        f"{op}/symbolic-axis",
        "Over a dimension that only running tells.",
        lambda r: one(op, r.normal(2, 5, 3), shapes=[("batch", "time", 3)], shape=("batch", "time", 3), axes=[1]),
    )
    special(f"{op}/empty-batch", "No row in, no row out.", lambda r: one(op, r.normal(0, 3), axes=[1]))
    special(
        f"{op}/minus-infinity",
        "An element of minus infinity has no part in the sum.",
        lambda r: one(op, np.array([[1, -np.inf, 2], [-np.inf, 0, -np.inf]], np.float32), axes=[1]),
    )
    special(
        f"{op}/nan",
        "NaN makes its whole row NaN, and no other.",
        lambda r: one(op, np.array([[1, np.nan, 2], [3, 2, 1]], np.float32), axes=[1]),
    )
    special(
        f"{op}/minus-infinity-alone",
        "A row of minus infinity alone is NaN.",
        lambda r: one(op, np.array([[-np.inf, -np.inf], [1, 2]], np.float32), axes=[1]),
    )


_declare("softmax")
_declare("log_softmax")
special(
    "softmax/plus-infinity",
    "Plus infinity makes its row NaN, and no other.",
    lambda r: one("softmax", np.array([[1, np.inf, 2], [3, 2, 1]], np.float32), axes=[1]),
)


def _declare_sparsemax(op: str) -> None:
    declare(f"{op}/rank-2", "Over the last axis.", lambda r: one(op, r.normal(6, 7), axis=1))
    declare(f"{op}/middle-axis", "Over an axis that is not the last.", lambda r: one(op, r.normal(2, 5, 3), axis=1))
    declare(
        f"{op}/offset",
        "Scores far from 0: what all of them share must not be subtracted.",
        lambda r: one(op, r.normal(4, 6, mean=300), axis=1),
    )
    declare(
        f"{op}/one-hot",
        "One score is above all others by more than 1.",
        lambda r: one(op, np.array([[0, 5, 3.5, -2], [1e4, -1e4, 0, 3]], np.float32), axis=1),
    )
    declare(f"{op}/one-element", "An axis of one element.", lambda r: one(op, r.normal(4, 1), axis=1))
    special(
        f"{op}/ties",
        "Equal scores give equal results.",
        lambda r: one(op, np.array([[2, 2, 2, 2], [1, 1, 0, -5], [0.5, 0.5, 0.5, 0]], np.float32), axis=1),
    )
    special(
        f"{op}/minus-infinity",
        "An element of minus infinity gets nothing.",
        lambda r: one(op, np.array([[1, -np.inf, 0.5], [-np.inf, 0, -np.inf]], np.float32), axis=1),
    )
    special(f"{op}/empty-batch", "No row in, no row out.", lambda r: one(op, r.normal(0, 3), axis=1))


_declare_sparsemax("sparsemax")
_declare_sparsemax("cumulative_sparsemax")

declare("glu/rank-2", "The halves of the last axis.", lambda r: one("glu", r.normal(5, 6, scale=3), axis=1))
declare(
    "glu/middle-axis", "The halves of an axis that is not the last.", lambda r: one("glu", r.normal(3, 4, 5), axis=1)
)
declare("glu/rank-4", "Four dimensions, all different.", lambda r: one("glu", r.normal(2, 3, 5, 8), axis=3))
declare(
    "glu/range",
    "Gates from closed to open, values of all magnitudes.",
    lambda r: one("glu", np.concatenate([r.powers(-20, 20, 4, 20), r.uniform(-40, 90, 4, 20)], 1), axis=1),
)
special("glu/empty-batch", "No row in, no row out.", lambda r: one("glu", r.normal(0, 4), axis=1))
special(
    "glu/not-finite",
    "NaN stays in its element; a gate of plus infinity is open, one of minus infinity shut.",
    lambda r: one(
        "glu", np.array([[1, np.nan, 2, np.inf, 0, 1], [3, 2, np.inf, 1, -np.inf, np.nan]], np.float32), axis=1
    ),
)
