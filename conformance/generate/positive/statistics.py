"""layer_, rms_, unit_ and group_normalization: by the statistics of the values themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.positive.declare import FLUSHED, declare, empty_batch, lengths, special

DEEP = (2, 1, 3, 1, 2, 1, 2, 4)
LAST = "Where axes is the last axis alone, a group is"
SHAPE = "The shape of x."
EPSILON = "| epsilon | number | 0 or more |"
OVERFLOWS = np.array([[1, np.nan, 2, 3], [4, 1, -2, np.inf], [-np.inf, 1, 2, 3], [1, 2, 3, 5]], np.float32)


# Over axes

SHIFTS = {"layer_normalization": ("gamma", "beta"), "rms_normalization": ("scale",), "unit_normalization": ()}
"""Operator -> its weights, all of which may be absent."""

GROUP = "A *group* is the elements of x whose indices differ in axes alone."
OPEN = {
    "layer_normalization": "Without gamma and beta, the dimensions at axes may be symbols.",
    "rms_normalization": "Without scale, the dimensions at axes may be symbols.",
    "unit_normalization": SHAPE,
}
ABSENT = {
    "gamma": "| gamma | may be absent: 1 | as x | the dimensions of x at axes, in order |",
    "beta": "| beta | may be absent: 0 | as x | the dimensions of x at axes, in order |",
    "scale": "| scale | may be absent: 1 | as x | the dimensions of x at axes, in order |",
}


def _over(
    r: Draw,
    op: str,
    x: Any,
    axes: Sequence[int],
    epsilon: float = 1e-3,
    without: Sequence[str] = (),
    shape: Sequence[int | str] | None = None,
) -> Graph:
    at = [x.shape[axis] for axis in axes]
    drawn = {"gamma": r.uniform(0.5, 2, *at), "beta": r.normal(*at), "scale": r.uniform(0.5, 2, *at)}
    weights = {role: drawn[role] for role in SHIFTS[op] if role not in without}
    shapes = [shape] if shape else None
    return one(op, x, weights=weights, shapes=shapes, shape=shape, axes=list(axes), epsilon=epsilon)


def _declare_over(op: str) -> None:
    def case(name: str, title: str, says: str, *shape: int, axes: Sequence[int] = (1,), **rest: Any) -> None:
        declare(f"{op}/{name}", title, says, lambda r: _over(r, op, r.normal(*shape, mean=0.5), axes, **rest))

    case("rank-2", "Each row by its own.", LAST, 5, 7)
    case("rank-4", "Over the last axis; all dimensions differ.", LAST, 2, 3, 5, 4, axes=(3,))
    case("middle-axis", "Over an axis that is not the last.", GROUP, 2, 5, 3, axes=(1,))
    case("two-axes", "Over two axes together, which are not neighbours.", GROUP, 2, 5, 3, 4, axes=(1, 3))
    case("last-axes", "Over the last two axes.", GROUP, 2, 5, 3, 4, axes=(2, 3))
    case("every-axis", "Over all axes but the batch.", GROUP, 3, 2, 5, axes=(1, 2))
    case("rank-8", "The last of as many axes as there may be, and another.", SHAPE, *DEEP, axes=(2, 7))
    case("large-epsilon", "An epsilon that counts.", EPSILON, 5, 4, epsilon=0.7)
    case("epsilon-zero", "No epsilon.", EPSILON, 5, 4, epsilon=0.0)
    case("small-epsilon", "An epsilon that counts beside small numbers alone.", EPSILON, 5, 4, epsilon=1e-12)
    for role in SHIFTS[op]:
        case(f"no-{role}", f"Without {role}.", ABSENT[role], 5, 4, without=(role,))
    plain = SHIFTS[op]
    if len(plain) > 1:
        case("plain", "Without any weight.", ABSENT["gamma"], 2, 5, 4, axes=(1, 2), without=plain)
    case("symbolic", "Another axis that only running tells.", SHAPE, 2, 5, 3, axes=(2,), shape=("batch", "time", 3))
    case("symbolic-axis", "Over it.", OPEN[op], 2, 5, 3, without=plain, shape=("batch", "time", 3))
    declare(
        f"{op}/long",
        "Many elements, all positive, of like size.",
        "The dtype of x or better",
        lambda r: _over(r, op, r.uniform(1, 2, 2, 200), (1,), without=plain),
    )
    declare(
        f"{op}/range",
        "Groups of all magnitudes.",
        GROUP,
        lambda r: _over(r, op, r.normal(9, 5) * 10.0 ** np.arange(-12, 15, 3, dtype=np.float32)[:, None], (1,)),
    )
    special(
        f"{op}/subnormal",
        "Numbers below the smallest normal one, which may count as 0.",
        FLUSHED,
        lambda r: _over(r, op, np.array([[1e-39, -1e-45, 1e-41], [1e-39, 3, -2]], np.float32), (1,), 1.0),
    )
    empty_batch(op, lambda r: _over(r, op, r.normal(0, 4), (1,)))
    lengths(op, lambda r, n: _over(r, op, r.normal(n, 3), (1,)))


for _op in SHIFTS:
    _declare_over(_op)

CANCELS = "The variance is not to be computed as Σ x² / n − mean², which cancels."


def _far(r: Draw, *shape: int) -> Any:
    """Numbers that are near each other and far from 0."""
    return r.normal(*shape, mean=300)


declare(
    "layer_normalization/far", "Far from 0.", CANCELS, lambda r: _over(r, "layer_normalization", _far(r, 5, 9), (1,))
)
declare(
    "layer_normalization/alike",
    "Groups whose elements are all the same, or one element: the variance is 0, and y is beta.",
    "x − mean is rounded in proportion to |x| and to the terms of the mean",
    lambda r: _over(r, "layer_normalization", np.repeat(np.float32([[0.1], [3.3], [-70.7]]), 5, 1), (1,), 0.5),
)
declare(
    "layer_normalization/one-element",
    "A group of one element.",
    GROUP,
    lambda r: _over(r, "layer_normalization", r.normal(4, 3, 1), (2,)),
)
special(
    "layer_normalization/not-finite",
    "NaN and infinities make their group NaN, and no other.",
    "NaN or an infinity in a group gives NaN for the whole group, and nowhere else.",
    lambda r: _over(r, "layer_normalization", OVERFLOWS, (1,)),
)
special(
    "layer_normalization/not-finite-two-axes",
    "The same where a group is spread over two axes.",
    "NaN or an infinity in a group gives NaN for the whole group, and nowhere else.",
    lambda r: _over(r, "layer_normalization", OVERFLOWS.T.reshape(1, 2, 2, 4), (1, 2)),
)
for _op, _infinite in (
    ("rms_normalization", "An infinity gives NaN at its place, and 0 times scale at the finite elements of its group."),
    ("unit_normalization", "An infinity gives NaN at its place, and 0 at the finite elements of its group."),
):
    special(
        f"{_op}/nan",
        "NaN makes its group NaN, and no other.",
        "NaN in a group gives NaN for the whole group, and nowhere else.",
        lambda r, op=_op: _over(r, op, OVERFLOWS[[0, 3]], (1,)),
    )
    special(
        f"{_op}/infinity",
        "Beside an infinity all is 0.",
        _infinite,
        lambda r, op=_op: _over(r, op, OVERFLOWS[1:].reshape(3, 2, 2), (1, 2)),
    )
declare(
    "rms_normalization/zeros",
    "Zeros alone give zeros.",
    "y = x / √(Σ x² / n + epsilon) · scale",
    lambda r: _over(r, "rms_normalization", np.float32([[0, 0, -0.0], [0, 2, 0]]), (1,)),
)
special(
    "unit_normalization/zeros",
    "Zeros alone give zeros.",
    "Zeros alone give zeros, where epsilon is above 0.",
    lambda r: _over(r, "unit_normalization", np.float32([[0, 0, -0.0], [0, 2, 0]]), (1,), 1e-12),
)
declare(
    "unit_normalization/bounded",
    "Norms below and above epsilon, whose squares are on the other side of it.",
    "epsilon is a bound of the norm, not of its square.",
    lambda r: _over(
        r, "unit_normalization", np.float32([[0.3, 0.4], [0.06, 0.08], [0.06, -0.3], [3, 4], [0.12, 0.16]]), (1,), 0.25
    ),
)


# Over groups of channels

CHANNELS = (
    "A *group* is the elements of x with the same index along axis 0 and the same c div (channels / groups), c their "
    "index along axis: channels / groups channels in a row, with everything along the other axes."
)
BROUGHT = "With rows the dimension of axis 0, outer the product of the dimensions between axis 0 and axis, inner"
GAMMA, BETA = (
    "| gamma | may be absent: 1 | as x | (channels,) |",
    "| beta | may be absent: 0 | as x | (channels,) |",
)


def _grouped(
    r: Draw,
    x: Any,
    axis: int,
    groups: int,
    epsilon: float = 1e-3,
    gamma: bool = True,
    beta: bool = True,
    shape: Sequence[int | str] | None = None,
) -> Graph:
    channels = x.shape[axis]
    weights = {"gamma": r.uniform(0.5, 2, channels)} if gamma else {}
    weights |= {"beta": r.normal(channels)} if beta else {}
    return one(
        "group_normalization",
        x,
        weights=weights,
        shapes=[shape] if shape else None,
        shape=shape,
        axis=axis,
        groups=groups,
        epsilon=epsilon,
    )


def _declare_grouped(name: str, title: str, says: str, *shape: int, axis: int, groups: int, **rest: Any) -> None:
    declare(
        f"group_normalization/{name}",
        title,
        says,
        lambda r: _grouped(r, r.normal(*shape, mean=0.5), axis, groups, **rest),
    )


_declare_grouped("rank-4", "Images, channels last; all dimensions differ.", CHANNELS, 2, 3, 5, 6, axis=3, groups=2)
_declare_grouped("rank-2", "Nothing but channels.", CHANNELS, 5, 8, axis=1, groups=2)
_declare_grouped("rank-3", "One other axis.", CHANNELS, 3, 5, 6, axis=2, groups=3)
_declare_grouped("channels-first", "Channels first.", BROUGHT, 2, 6, 3, 5, axis=1, groups=3)
_declare_grouped("middle-axis", "Channels in the middle.", BROUGHT, 2, 3, 4, 5, axis=2, groups=2)
_declare_grouped("one-group", "One group of all channels.", CHANNELS, 2, 3, 4, 6, axis=3, groups=1)
_declare_grouped("each-channel", "A group for each channel.", CHANNELS, 2, 3, 4, 5, axis=3, groups=5)
_declare_grouped("rank-8", "The last of as many axes as there may be.", SHAPE, *DEEP, axis=7, groups=2)
_declare_grouped("no-gamma", "scale=False.", GAMMA, 3, 5, 4, axis=2, groups=2, gamma=False)
_declare_grouped("no-beta", "center=False.", BETA, 3, 5, 4, axis=2, groups=2, beta=False)
_declare_grouped("plain", "Neither.", BETA, 3, 5, 4, axis=2, groups=2, gamma=False, beta=False)
_declare_grouped("large-epsilon", "An epsilon that counts.", EPSILON, 3, 5, 4, axis=2, groups=2, epsilon=0.7)
_declare_grouped("epsilon-zero", "No epsilon.", EPSILON, 3, 5, 4, axis=2, groups=2, epsilon=0.0)
_declare_grouped(
    "symbolic", "Axes that only running tells.", SHAPE, 2, 3, 5, 4, axis=3, groups=2, shape=("batch", "h", "w", 4)
)
declare("group_normalization/far", "Far from 0.", CANCELS, lambda r: _grouped(r, _far(r, 2, 7, 6), 2, 3))
declare(
    "group_normalization/alike",
    "Groups whose elements are all the same.",
    "x − mean is rounded in proportion to |x| and to the terms of the mean",
    lambda r: _grouped(r, np.tile(np.float32([0.1, 0.1, 3.3, 3.3]), (3, 5, 1)), 2, 2, 0.5),
)
declare(
    "group_normalization/long",
    "Many elements, all positive, of like size.",
    "The dtype of x or better; sums in any order.",
    lambda r: _grouped(r, r.uniform(1, 2, 2, 50, 4), 2, 2),
)
special(
    "group_normalization/not-finite",
    "NaN and infinities make their group NaN, and no other.",
    "NaN or an infinity in a group gives NaN for the whole group, and nowhere else.",
    lambda r: _grouped(r, np.concatenate([OVERFLOWS.reshape(4, 2, 2), r.normal(4, 2, 4)], 2), 2, 3),
)
special(
    "group_normalization/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: _grouped(r, np.array([[1e-39, -1e-45, 1e-41, 2]], np.float32), 1, 2, 1.0),
)
empty_batch("group_normalization", lambda r: _grouped(r, r.normal(0, 5, 4), 2, 2))
lengths("group_normalization", lambda r, n: _grouped(r, r.normal(n, 4), 1, 2))
