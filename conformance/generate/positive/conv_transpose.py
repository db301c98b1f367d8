"""conv_transpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import quote
from generate.positive.declare import FLUSHED, declare, empty_batch, lengths, special

Shape = Sequence[int | str]
TIME = [("batch", "time", 3)]
SAME_TIME, OTHER_TIME = ("batch", "time", 2), ("batch", "frames", 2)


def _transpose(
    x: Any,
    kernel: Any,
    bias: Any = None,
    *,
    strides: Sequence[int] = (),
    dilation_rate: Sequence[int] = (),
    cropping: Sequence[int] = (),
    shapes: Sequence[Shape] | None = None,
    shape: Shape | None = None,
) -> Graph:
    ones = [1] * (x.ndim - 2)
    return one(
        "conv_transpose",
        x,
        weights={"kernel": kernel} if bias is None else {"bias": bias, "kernel": kernel},
        shapes=shapes,
        shape=shape,
        strides=list(strides) or ones,
        dilation_rate=list(dilation_rate) or ones,
        cropping=list(cropping) or [0] * 2 * len(ones),
    )


def _spread(
    r: Draw,
    space: Sequence[int],
    kernel: Sequence[int],
    channels: int = 3,
    filters: int = 2,
    rows: int = 2,
    **rest: Any,
) -> Graph:
    return _transpose(r.normal(rows, *space, channels), r.normal(*kernel, filters, channels), r.normal(filters), **rest)


SHAPE = "(rows, I₁, …, Iₙ, channels) → (rows, O₁, …, Oₙ, filters)."
ADDS = "p = h·s₁ + i·d₁ − before₁"
FULL = "F = (I − 1)·s + (k − 1)·d + 1"
CUT = (
    "F is the extent of the full result, of which before elements are cut off in front, and after behind; where after "
    "is negative, zeros are appended instead."
)
UNREACHED = "Elements that no kernel reaches (appended ones, and those between kernels where s > ke)"
TRANSPOSED = "With n = 2 (n = 1 has no q, w, j; n = 3 has one triple more):"
KEPT = "Where I is a symbol, O is that symbol if s = 1 and (k − 1)·d = before + after, for then O = I."
NEW = "Otherwise it is a new symbol."


def _declare(name: str, title: str, says: str, space: Sequence[int], kernel: Sequence[int], **rest: Any) -> None:
    declare(f"conv_transpose/{name}", title, says, lambda r: _spread(r, space, kernel, **rest))


_declare("rank-4", "Images; all dimensions differ.", ADDS, (3, 4), (3, 2), filters=4, rows=3)
_declare("rank-3", "One spatial axis, strides shorter than the kernel.", TRANSPOSED, (5,), (4,), strides=(2,))
_declare("rank-5", "Three spatial axes.", TRANSPOSED, (2, 3, 2), (2, 1, 3), strides=(1, 2, 2))
_declare("strides", "A stride of its own along each axis.", FULL, (3, 2), (3, 4), strides=(2, 3))
_declare(
    "strides-beyond-kernel",
    "Elements between the kernels, which none reaches.",
    UNREACHED,
    (2, 3),
    (2, 1),
    strides=(4, 3),
)
_declare("dilated", "A dilation of its own along each axis.", FULL, (4, 5), (3, 2), dilation_rate=(2, 3))
_declare(
    "dilated-strides",
    "Dilation and strides together.",
    FULL,
    (4, 3),
    (2, 3),
    dilation_rate=(3, 2),
    strides=(2, 3),
    cropping=(1, 0, 0, 2),
)
_declare(
    "same",
    "What Keras crops for same: the odd element behind.",
    CUT,
    (4, 5),
    (3, 4),
    strides=(2, 1),
    cropping=(0, 1, 1, 2),
)
_declare("cropping", "As different as they can be before and behind.", CUT, (5, 4), (3, 3), cropping=(3, 1, 0, 2))
_declare(
    "appended",
    "Zeros behind, along one axis and along both.",
    CUT,
    (3, 4),
    (2, 3),
    strides=(2, 2),
    cropping=(1, -2, 0, -1),
)
_declare("appended-and-cropped", "Cut off in front, appended behind.", CUT, (4,), (3,), strides=(3,), cropping=(2, -4))
_declare("pointwise", "A kernel of one element.", SHAPE, (3, 4), (1, 1), filters=5)
_declare(
    "wide",
    "More filters than channels, and a kernel longer than x.",
    ADDS,
    (2,),
    (5,),
    channels=2,
    filters=5,
    cropping=(1, 2),
)
_declare(
    "cropped-rank-5",
    "Three axes, each cut in its own way.",
    CUT,
    (2, 3, 2),
    (3, 2, 2),
    channels=2,
    strides=(2, 1, 2),
    cropping=(1, 0, 0, 1, 1, -1),
)

declare(
    "conv_transpose/no-bias",
    "use_bias=False: what no kernel reaches is 0.",
    UNREACHED,
    lambda r: _transpose(r.normal(2, 3, 4), r.normal(2, 3, 4), strides=(3,), cropping=(0, -2)),
)
declare(
    "conv_transpose/long",
    "Many terms of one sign.",
    "Accumulate in the dtype of x or better.",
    lambda r: _transpose(
        r.uniform(0.5, 2, 2, 6, 70), r.uniform(0.5, 2, 5, 3, 70), r.uniform(0.5, 2, 3), cropping=(2, 2)
    ),
)


def _alternating(r: Draw) -> Graph:
    """What neighbours add to one place cancels."""
    x = r.uniform(0.999, 1.001, 2, 6, 2)
    x[:, 1::2] *= -1
    return _transpose(x, r.uniform(0.999, 1.001, 2, 3, 2), r.normal(3, scale=1e-3))


declare(
    "conv_transpose/cancellation",
    "Neighbours that add up to nearly nothing.",
    "A is the same sum on absolute values, |bias| included.",
    _alternating,
)
_declare(
    "symbolic-same",
    "What is cut off is what the kernel adds: the symbol stays.",
    KEPT,
    (5,),
    (3,),
    cropping=(1, 1),
    shapes=TIME,
    shape=SAME_TIME,
)
_declare(
    "symbolic-dilated",
    "The same, with dilation.",
    KEPT,
    (5,),
    (3,),
    dilation_rate=(2,),
    cropping=(3, 1),
    shapes=TIME,
    shape=SAME_TIME,
)
_declare(
    "symbolic-strides",
    "Strides make a new symbol.",
    NEW,
    (5,),
    (3,),
    strides=(2,),
    cropping=(1, 1),
    shapes=TIME,
    shape=OTHER_TIME,
)
_declare(
    "symbolic-full",
    "Nothing is cut off: a new symbol.",
    "In a call O follows from the formula",
    (5,),
    (3,),
    shapes=TIME,
    shape=OTHER_TIME,
)


def _reached(r: Draw) -> Graph:
    x = r.normal(3, 4, 3, 2)
    x[0, 1, 1, 0] = np.nan
    x[1, 3, 0, 1] = np.inf
    kernel = np.abs(r.normal(3, 2, 2, 2)) + np.float32(0.5)
    kernel[1, 1] = 0
    return _transpose(x, kernel, r.normal(2), strides=(2, 1), cropping=(0, 1, 0, 0))


special(
    "conv_transpose/not-finite",
    "NaN and an infinity reach as far as their kernels.",
    "NaN in x gives NaN wherever its kernel reaches, and nowhere else;",
    _reached,
)
special(
    "conv_transpose/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: _transpose(np.array([[[1e-39], [-1e-45], [1], [1e-40]]], np.float32), r.uniform(0.5, 2, 2, 2, 1)),
)
empty_batch("conv_transpose", lambda r: _spread(r, (4, 5), (2, 3), rows=0))
lengths("conv_transpose", lambda r, n: _spread(r, (2,), (3,), channels=2, rows=n, strides=(2,)))


def _shared(r: Draw) -> Graph:
    """A kernel of (3, 2, 2), whose last axes are channels and filters to one, filters and channels to the other."""
    graph = Graph()
    x = graph.input("x", r.normal(3, 5, 2))
    weights = {"kernel": r.normal(3, 2, 2), "bias": r.normal(2)}
    one_axis = {"strides": [1], "dilation_rate": [1]}
    y = graph.apply("y", "conv", x, weights=weights, groups=1, padding="valid", **one_axis)
    again = {role: f"y/{role}" for role in weights}
    graph.outputs.append(graph.apply("z", "conv_transpose", y, weights=again, cropping=[0, 0], **one_axis))
    return graph


declare(
    "conv_transpose/shared-weights",
    "A convolution and its transpose share a kernel.",
    quote("format.md", "Several layers may use one tensor."),
    _shared,
    calls=True,
)


def _back(r: Draw) -> Graph:
    """What a convolution takes off its transpose puts on: the symbol is that of x again, and both can be added."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 7, 3), ("batch", "time", 3))
    one_axis = {"strides": [1], "dilation_rate": [1]}
    weights = {"kernel": r.normal(3, 3, 2)}
    short = graph.apply(
        "short", "conv", x, weights=weights, shape=("batch", "frames", 2), groups=1, padding="valid", **one_axis
    )
    long = graph.apply(
        "long",
        "conv_transpose",
        short,
        weights={"kernel": r.normal(3, 3, 2)},
        shape=TIME[0],
        cropping=[0, 0],
        **one_axis,
    )
    graph.outputs.append(graph.apply("y", "add", x, long, shape=TIME[0]))
    return graph


declare(
    "conv_transpose/symbolic-back",
    "A new symbol that is an old one.",
    quote(
        "README.md",
        "or one that other values have too, where whoever wrote the file knows that the dimensions are equal",
    ),
    _back,
)
