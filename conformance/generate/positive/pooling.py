"""max_pool, average_pool, adaptive_max_pool, adaptive_average_pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import row_of
from generate.positive.declare import FLUSHED, declare, empty_batch, lengths, special

Shape = Sequence[int | str]


# Windows of one size


def _pool(
    op: str,
    x: Any,
    pool_size: Sequence[int],
    strides: Sequence[int] = (),
    padding: str = "valid",
    shapes: Sequence[Shape] | None = None,
    shape: Shape | None = None,
) -> Graph:
    return one(
        op,
        x,
        shapes=shapes,
        shape=shape,
        pool_size=list(pool_size),
        strides=list(strides or pool_size),
        padding=padding,
    )


AXES = "With n = 2 (n = 1 has no q, w; n = 3 has one pair more):"
SHAPE = "(rows, I₁, …, Iₙ, channels) → (rows, O₁, …, Oₙ, channels)."
VALID = "valid 0 floor((I − k) / s) + 1"
SAME = "same floor(P / 2) ceil(I / s) P = max((O − 1)·s + k − I, 0)"
PADDING = "Elements of the padding are no elements of the window: they are neither compared, nor added, nor counted."
NEVER_EMPTY = "No window is empty: with same, each has at least one element of x."
KEPT = "Where I is a symbol, O is that symbol if s = 1, and padding is same or k = 1."
NEW = "Otherwise it is a new symbol."
IN_CALL = "In a call O follows from the formula"
TIME, SAME_TIME, OTHER_TIME = [("batch", "time", 3)], ("batch", "time", 3), ("batch", "frames", 3)


def _declare(op: str, name: str, title: str, says: str, *shape: int, mean: float = 0.0, **rest: Any) -> None:
    declare(f"{op}/{name}", title, says, lambda r: _pool(op, r.normal(*shape, mean=mean), **rest))


def _declare_pool(op: str) -> None:
    def case(name: str, title: str, says: str, *shape: int, **rest: Any) -> None:
        _declare(op, name, title, says, *shape, **rest)

    case("rank-4", "Images; all dimensions differ.", row_of(op), 3, 6, 8, 2, pool_size=(3, 2))
    case("rank-3", "One spatial axis.", AXES, 2, 8, 3, pool_size=(4,))
    case("rank-5", "Three spatial axes.", AXES, 2, 4, 3, 6, 2, pool_size=(2, 3, 2))
    case("overlapping", "Windows that overlap.", VALID, 2, 5, 6, 3, pool_size=(3, 2), strides=(1, 1))
    case("strides", "What is left at the end is not read.", VALID, 2, 8, 9, 3, pool_size=(3, 2), strides=(2, 3))
    case("strides-beyond-pool", "Elements that no window reads.", VALID, 2, 8, 9, 2, pool_size=(2, 1), strides=(3, 4))
    case("whole", "One window.", VALID, 2, 3, 4, 3, pool_size=(3, 4), strides=(1, 1))
    case("one-element", "Windows of one element.", VALID, 2, 3, 4, 3, pool_size=(1, 1), strides=(2, 1))
    case("same", "Negative numbers beside the padding.", PADDING, 2, 5, 6, 3, mean=-9, pool_size=(2, 4), padding="same")
    case("same-positive", "Positive ones.", PADDING, 2, 5, 6, 3, mean=9, pool_size=(2, 4), padding="same")
    same = {"padding": "same"}
    case("same-strides", "Odd and even sizes.", SAME, 2, 6, 7, 3, pool_size=(3, 3), strides=(2, 2), **same)
    case("same-strides-1", "Odd and even windows.", SAME, 2, 4, 5, 3, pool_size=(3, 2), strides=(1, 1), **same)
    case("same-strides-beyond-pool", "No padding.", SAME, 2, 7, 8, 3, pool_size=(2, 1), strides=(3, 4), **same)
    case("same-larger-pool", "Windows beyond both ends.", NEVER_EMPTY, 2, 2, 3, 3, pool_size=(5, 4), **same)
    case("same-rank-3", "One spatial axis, odd padding.", SAME, 2, 8, 3, pool_size=(4,), strides=(3,), **same)
    case("same-rank-5", "Three axes.", SAME, 2, 4, 5, 6, 2, pool_size=(2, 3, 3), strides=(1, 2, 2), **same)
    case(
        "same-rank-5-strides-beyond-pool",
        "Three axes.",
        SAME,
        2,
        8,
        5,
        7,
        1,
        pool_size=(1, 2, 3),
        strides=(4, 3, 2),
        **same,
    )
    time = {"pool_size": (3,), "shapes": TIME}
    case("symbolic-same", "A symbol stays.", KEPT, 2, 7, 3, **time, strides=(1,), shape=SAME_TIME, **same)
    case("symbolic-valid", "A new symbol.", NEW, 2, 7, 3, **time, strides=(1,), shape=OTHER_TIME)
    case("symbolic-strides", "With strides, a new symbol.", IN_CALL, 2, 7, 3, **time, shape=OTHER_TIME, **same)
    declare(
        f"{op}/symbolic-everywhere",
        "Symbols for all axes, the channels too; a window of one element keeps one of them.",
        SHAPE,
        lambda r: _pool(
            op,
            r.normal(2, 5, 4, 3),
            (2, 1),
            (2, 1),
            shapes=[("batch", "h", "w", "channels")],
            shape=("batch", "half", "w", "channels"),
        ),
    )
    special(
        f"{op}/nan",
        "NaN in windows of its own channel and row, and nowhere else; at borders too.",
        row_of(op),
        lambda r: _pool(op, _with_nan(r.normal(3, 5, 6, 2)), (3, 2), (2, 2), "same"),
    )
    special(
        f"{op}/nan-rank-5",
        "The same with three spatial axes.",
        row_of(op),
        lambda r: _pool(op, _with_nan(r.normal(3, 4, 3, 5, 1)), (2, 2, 3), (2, 1, 2), "same"),
    )
    special(
        f"{op}/subnormal",
        "Numbers below the smallest normal one, which may count as 0.",
        FLUSHED,
        lambda r: _pool(op, np.array([[[1e-39], [-1e-45], [-1e-40], [0], [1e-42], [3]]], np.float32), (2,)),
    )
    empty_batch(op, lambda r: _pool(op, r.normal(0, 4, 5, 3), (2, 2), padding="same"))
    lengths(op, lambda r, n: _pool(op, r.normal(n, 3, 2), (2,), (1,), "same"))


def _with_nan(x: Any) -> Any:
    """In the first row of three, and in the last element of the second."""
    x[0, 1, 1] = np.nan
    x.reshape(3, -1)[1, -1] = np.nan
    return x


_declare_pool("max_pool")
_declare_pool("average_pool")

TIES = np.array([[2, 2, -1, 2], [-3, -3, -3, -4], [0, -0.0, -1, 0]], np.float32).reshape(3, 4, 1)
INFINITE = np.array([[-np.inf] * 4, [-np.inf, 1, 2, -np.inf], [np.inf, -5, 3, -np.inf]], np.float32).reshape(3, 4, 1)

special("max_pool/ties", "Several largest elements.", row_of("max_pool"), lambda r: _pool("max_pool", TIES, (3,), (1,)))
special(
    "max_pool/infinity",
    "Windows of minus infinity alone, and with plus infinity.",
    "max_pool: a window of −∞ alone gives −∞. A window with +∞ and no NaN gives +∞.",
    lambda r: _pool("max_pool", INFINITE, (2,), (1,), "same"),
)
special(
    "average_pool/infinity",
    "Infinities of one sign, and of both.",
    row_of("average_pool"),
    lambda r: _pool("average_pool", INFINITE, (2,), (1,), "same"),
)
declare(
    "average_pool/cancellation",
    "Windows that add up to nearly nothing.",
    "A = Σ |x| / count over the elements of the window.",
    lambda r: _pool("average_pool", _alternating(r, 2, 6, 5, 2), (2, 3), (1, 2), "same"),
)
declare(
    "average_pool/long",
    "Windows of many elements of one sign.",
    "the dtype of x or better; the sum in any order",
    lambda r: _pool("average_pool", r.uniform(0.5, 2, 2, 30, 31, 1), (25, 30), (5, 1)),
)


def _alternating(r: Draw, *shape: int) -> Any:
    x = r.uniform(0.999, 1.001, *shape)
    x[:, ::2] *= -1
    return x


# Windows as long as it takes


def _adaptive(
    op: str,
    x: Any,
    output_size: Sequence[int],
    shapes: Sequence[Shape] | None = None,
    shape: Shape | None = None,
) -> Graph:
    return one(op, x, shapes=shapes, shape=shape, output_size=list(output_size))


START, END = "start(p) = floor(p · I / O)", "end(p) = ceil((p + 1) · I / O)"
OVERLAP = "Windows overlap where O does not divide I; where O > I, elements are repeated."
SIZE = "(rows, I₁, …, Iₙ, channels) → (rows, O₁, …, Oₙ, channels), O the elements of output_size."
OPEN = "Spatial axes of x may be symbols."


def _declare_adaptive(op: str) -> None:
    def case(name: str, title: str, says: str, *shape: int, **rest: Any) -> None:
        declare(f"{op}/{name}", title, says, lambda r: _adaptive(op, r.normal(*shape), **rest))

    case("rank-4", "Images; all dimensions differ.", row_of(op), 3, 6, 8, 2, output_size=(3, 4))
    case("rank-3", "One spatial axis.", SIZE, 2, 8, 3, output_size=(2,))
    case("rank-5", "Three spatial axes.", SIZE, 2, 4, 3, 6, 2, output_size=(2, 1, 4))
    case("overlapping", "Sizes that do not divide.", OVERLAP, 2, 7, 10, 3, output_size=(3, 4))
    case("prime", "Windows of two lengths.", END, 2, 11, 13, 2, output_size=(4, 5))
    case("larger", "More windows than elements.", OVERLAP, 2, 3, 4, 3, output_size=(7, 6))
    case("multiple", "Each element twice, or three times.", START, 2, 3, 2, 3, output_size=(6, 6))
    case("one", "One window.", SIZE, 2, 5, 4, 3, output_size=(1, 1))
    case("alike", "As many windows as elements.", START, 2, 5, 4, 3, output_size=(5, 4))
    case("overlapping-rank-5", "Three axes.", OVERLAP, 2, 5, 4, 3, 2, output_size=(3, 3, 2))
    case(
        "symbolic",
        "Axes that only running tells.",
        OPEN,
        2,
        7,
        5,
        3,
        output_size=(3, 2),
        shapes=[("batch", "h", "w", 3)],
    )
    special(
        f"{op}/nan",
        "NaN in windows of its own channel and row, and nowhere else.",
        row_of(op),
        lambda r: _adaptive(op, _with_nan(r.normal(3, 5, 6, 2)), (3, 4)),
    )
    special(
        f"{op}/subnormal",
        "Numbers below the smallest normal one, which may count as 0.",
        FLUSHED,
        lambda r: _adaptive(op, np.array([[[1e-39], [-1e-45], [-1e-40], [0], [1e-42], [3]]], np.float32), (3,)),
    )
    empty_batch(op, lambda r: _adaptive(op, r.normal(0, 4, 5, 3), (2, 3)))
    lengths(op, lambda r, n: _adaptive(op, r.normal(n, 3, 2), (2,)))


_declare_adaptive("adaptive_max_pool")
_declare_adaptive("adaptive_average_pool")

special(
    "adaptive_max_pool/infinity",
    "Windows of minus infinity alone, and with plus infinity.",
    "adaptive_max_pool: a window of −∞ alone gives −∞.",
    lambda r: _adaptive("adaptive_max_pool", INFINITE, (3,)),
)
special(
    "adaptive_average_pool/infinity",
    "Infinities of one sign, and of both.",
    row_of("adaptive_average_pool"),
    lambda r: _adaptive("adaptive_average_pool", INFINITE, (3,)),
)
declare(
    "adaptive_average_pool/cancellation",
    "Windows that add up to nearly nothing.",
    "A = Σ |x| / count over the elements of the window.",
    lambda r: _adaptive("adaptive_average_pool", _alternating(r, 2, 7, 5, 2), (2, 3)),
)
declare(
    "adaptive_average_pool/long",
    "Windows of many elements of one sign.",
    "the dtype of x or better; the sum in any order",
    lambda r: _adaptive("adaptive_average_pool", r.uniform(0.5, 2, 2, 30, 31, 1), (1, 2)),
)
