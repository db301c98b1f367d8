"""conv."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import Quote, quote
from generate.positive.declare import FLUSHED, declare, empty_batch, lengths, special

Shape = Sequence[int | str]


def _conv(
    x: Any,
    kernel: Any,
    bias: Any = None,
    *,
    strides: Sequence[int] = (),
    dilation_rate: Sequence[int] = (),
    groups: int = 1,
    padding: str = "valid",
    shapes: Sequence[Shape] | None = None,
    shape: Shape | None = None,
) -> Graph:
    ones = [1] * (x.ndim - 2)
    return one(
        "conv",
        x,
        weights={"kernel": kernel} if bias is None else {"bias": bias, "kernel": kernel},
        shapes=shapes,
        shape=shape,
        strides=list(strides) or ones,
        dilation_rate=list(dilation_rate) or ones,
        groups=groups,
        padding=padding,
    )


def _drawn(
    r: Draw,
    space: Sequence[int],
    kernel: Sequence[int],
    channels: int = 3,
    filters: int = 2,
    rows: int = 2,
    **rest: Any,
) -> Graph:
    depth = channels // rest.get("groups", 1)
    return _conv(r.normal(rows, *space, channels), r.normal(*kernel, depth, filters), r.normal(filters), **rest)


FLIPPED = "The kernel is not flipped."
AXES = "As loops (n = 1 has no q, j; n = 3 has one pair more):"
SHAPE = "(rows, I₁, …, Iₙ, channels) → (rows, O₁, …, Oₙ, filters)."
VALID = "valid 0 0 floor((I − ke) / s) + 1"
SAME = "before and after are the numbers of zeros that are put in front of the axis and behind it."
ODD = "Where P is odd, the extra zero stands behind."
CLIPPED = "P = max((O − 1)·s + ke − I, 0)"
CAUSAL = "causal (k − 1)·d 0 floor((I − 1) / s) + 1"
DILATED = "dilation rate d, and ke = (k − 1)·d + 1, the extent of the dilated kernel"
GROUPS = (
    "Output channel f belongs to group g = f div (filters / groups), and reads the channels of that group, cg = "
    "channels / groups of them, from g · cg on."
)
BIAS = "| bias | may be absent: nothing is added | as x | (filters,) |"
ORDER = "Any order of the terms; the bias may be added first; fused multiply-add is allowed"
TERMS = "it does not count how many terms meet padding"
KEPT = "Where I is a symbol, O is that symbol if s = 1, and padding is same or causal or k = 1."
NEW = "Otherwise it is a new symbol."
IN_CALL = "In a call O follows from the formula"


def _declare(
    name: str, title: str, says: str | Quote, space: Sequence[int], kernel: Sequence[int], **rest: Any
) -> None:
    declare(f"conv/{name}", title, says, lambda r: _drawn(r, space, kernel, **rest))


_declare("rank-4", "Images; all dimensions differ.", FLIPPED, (6, 5), (3, 2), filters=4, rows=3)
_declare("rank-3", "One spatial axis.", AXES, (8,), (3,), filters=4)
_declare("rank-5", "Three spatial axes.", AXES, (4, 3, 5), (2, 3, 2))
_declare("pointwise", "A kernel of one element.", SHAPE, (3, 4), (1, 1), filters=5)
_declare("whole", "A kernel as large as the image.", VALID, (3, 4), (3, 4))
_declare(
    "strides",
    "A stride of its own along each axis; what is left at the end is not read.",
    VALID,
    (8, 9),
    (3, 2),
    strides=(2, 3),
)
_declare(
    "strides-beyond-kernel", "Elements between the windows that none reads.", VALID, (8, 9), (2, 1), strides=(3, 4)
)
_declare("same", "Odd kernels: as many zeros in front as behind.", SAME, (5, 4), (3, 5), padding="same")
_declare("same-even-kernel", "Even kernels: one zero more behind.", ODD, (5, 6), (2, 4), padding="same")
_declare(
    "same-strides", "Odd and even sizes, kernels and strides.", ODD, (6, 7), (3, 2), padding="same", strides=(2, 3)
)
_declare(
    "same-strides-2",
    "An even size whose padding is odd, and an odd one whose padding is even.",
    ODD,
    (6, 7),
    (3, 3),
    padding="same",
    strides=(2, 2),
)
_declare(
    "same-strides-beyond-kernel",
    "Windows that need no padding.",
    CLIPPED,
    (7, 8),
    (2, 1),
    padding="same",
    strides=(3, 4),
)
_declare("same-larger-kernel", "More zeros than elements.", SAME, (2, 3), (5, 4), padding="same")
_declare("same-rank-3", "One spatial axis, odd padding.", ODD, (8,), (4,), padding="same", strides=(3,))
_declare(
    "same-rank-5",
    "Three spatial axes, odd padding in two of them.",
    ODD,
    (4, 5, 6),
    (2, 3, 3),
    padding="same",
    strides=(1, 2, 2),
    channels=2,
)
_declare(
    "same-rank-5-strides-beyond-kernel",
    "Three spatial axes, padding that would be below 0.",
    CLIPPED,
    (8, 5, 7),
    (1, 2, 3),
    padding="same",
    strides=(4, 3, 2),
    channels=1,
)
_declare("dilated", "A dilation of its own along each axis.", DILATED, (7, 8), (3, 2), dilation_rate=(2, 3))
_declare(
    "dilated-same", "The padding of a dilated kernel.", DILATED, (5, 6), (3, 2), dilation_rate=(2, 3), padding="same"
)
_declare(
    "dilated-strides",
    "Dilation and strides together.",
    DILATED,
    (9, 8),
    (3, 2),
    dilation_rate=(2, 3),
    strides=(3, 2),
    padding="same",
)
_declare(
    "dilated-rank-5", "Dilation along three axes.", DILATED, (5, 4, 3), (3, 2, 1), dilation_rate=(2, 3, 2), channels=2
)
_declare("causal", "No element reads what comes behind it.", CAUSAL, (6,), (3,), padding="causal")
_declare("causal-dilated", "Causal and dilated.", CAUSAL, (9,), (3,), padding="causal", dilation_rate=(3,))
_declare("causal-strides", "Causal, with strides.", CAUSAL, (8,), (4,), padding="causal", strides=(3,))
_declare(
    "groups",
    "Two groups of several channels and filters each.",
    GROUPS,
    (4, 5),
    (2, 3),
    channels=6,
    filters=4,
    groups=2,
)
_declare(
    "groups-narrow",
    "Groups of more filters than channels.",
    GROUPS,
    (6,),
    (3,),
    channels=6,
    filters=9,
    groups=3,
    padding="same",
    strides=(2,),
)
_declare(
    "depthwise", "A group for each channel.", GROUPS, (5, 4), (3, 2), channels=3, filters=3, groups=3, padding="same"
)
_declare(
    "depthwise-multiplier",
    "A group for each channel, of two filters.",
    GROUPS,
    (4, 5),
    (2, 2),
    channels=3,
    filters=6,
    groups=3,
)
_declare(
    "groups-rank-5", "Groups with three spatial axes.", GROUPS, (3, 2, 4), (2, 1, 3), channels=4, filters=6, groups=2
)

declare(
    "conv/no-bias",
    "use_bias=False.",
    BIAS,
    lambda r: _conv(r.normal(2, 5, 4, 3), r.normal(2, 3, 3, 2), padding="same"),
)
declare(
    "conv/long",
    "Many terms of one sign.",
    ORDER,
    lambda r: _conv(r.uniform(0.5, 2, 2, 6, 70), r.uniform(0.5, 2, 5, 70, 3), r.uniform(0.5, 2, 3)),
)
declare(
    "conv/range",
    "Magnitudes over twenty powers of ten.",
    ORDER,
    lambda r: _conv(r.powers(-10, 10, 2, 4, 5, 3), r.powers(-10, 10, 2, 3, 3, 2), r.powers(-10, 10, 2)),
)


def _cancelling(r: Draw) -> Graph:
    """A kernel of differences over numbers that hardly differ; at borders, the same kernel meets zeros."""
    kernel = r.normal(3, 3, 2, 2)
    kernel[:, 0] = -kernel[:, 2]
    kernel[:, 1] = 0
    return _conv(r.uniform(0.999, 1.001, 2, 5, 6, 2), kernel, r.normal(2, scale=1e-3), padding="same")


declare("conv/cancellation", "Differences of numbers that are nearly alike.", TERMS, _cancelling)
TIME = [("batch", "time", 3)]
SAME_TIME, OTHER_TIME = ("batch", "time", 2), ("batch", "frames", 2)
_declare("symbolic-same", "With same a symbol stays.", KEPT, (7,), (3,), padding="same", shapes=TIME, shape=SAME_TIME)
_declare("symbolic-causal", "With causal too.", KEPT, (7,), (3,), padding="causal", shapes=TIME, shape=SAME_TIME)
_declare("symbolic-valid", "With valid there is a new one.", NEW, (7,), (3,), shapes=TIME, shape=OTHER_TIME)
_declare(
    "symbolic-strides",
    "With strides there is a new one.",
    IN_CALL,
    (7,),
    (3,),
    padding="same",
    strides=(2,),
    shapes=TIME,
    shape=OTHER_TIME,
)
_declare(
    "symbolic-known",
    "A number, in the place of a new symbol.",
    quote("README.md", "or the number, where it is known"),
    (7,),
    (3,),
    shapes=TIME,
    shape=("batch", 5, 2),
)
_declare(
    "symbolic-pointwise",
    "One symbol stays, because the kernel has one element there; the other axis has a new one.",
    KEPT,
    (4, 5),
    (1, 3),
    shapes=[("batch", "h", "w", 3)],
    shape=("batch", "h", "v", 2),
)


def _met(r: Draw) -> Graph:
    """NaN in one channel of one row; an infinity in another, that meets a kernel element of 0 in one filter."""
    x = r.normal(3, 3, 4, 4)
    x[0, 1, 2, 0] = np.nan
    x[1, 0, 0, 3] = np.inf
    x[1, 2, 3, 1] = -np.inf
    kernel = np.abs(r.normal(2, 3, 2, 4)) + np.float32(0.5)
    kernel[0, 0] = 0
    return _conv(x, kernel, r.normal(4), groups=2, padding="same")


MEETS = (
    "NaN in x gives NaN wherever a kernel element meets it, 0 too; an infinity that meets a kernel element of 0 gives "
    "NaN."
)
special("conv/not-finite", "NaN and infinities, in the groups and windows that they belong to.", MEETS, _met)
special(
    "conv/not-finite-unread",
    "NaN where no window reads it.",
    "What no kernel element meets, and what belongs to another group, does not change.",
    lambda r: _conv(
        np.where(np.arange(7).reshape(1, 7, 1) % 3 == 2, np.float32(np.nan), r.normal(2, 7, 2)),
        r.normal(2, 2, 3),
        strides=(3,),
    ),
)
special(
    "conv/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: _conv(np.array([[[1e-39], [-1e-45], [1], [1e-40]]], np.float32), r.uniform(0.5, 2, 2, 1, 2)),
)
empty_batch("conv", lambda r: _drawn(r, (4, 5), (2, 3), rows=0))
lengths("conv", lambda r, n: _drawn(r, (3,), (2,), channels=2, rows=n, padding="same"))
