"""The activations that work on each element by itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from generate.graph import one
from generate.pages import row_of
from generate.positive.declare import FLUSHED, declare, empty_batch, lengths, repeated, special

FAR = 1e30
SHAPE = "The shape of x."
NAN = "NaN gives NaN"


class Activation(NamedTuple):
    """What an activation is tried with.

    Attributes:
        attributes: one map for each setting that is tried.
        points: where its formula bends or branches; the numbers beside them are tried too.
        low: the smallest x.
        high: the largest x.
        infinite: the infinities for which y is specified.
        says: of what is not finite.
    """

    attributes: tuple[dict[str, Any], ...] = ({},)
    points: tuple[float, ...] = ()
    low: float = -FAR
    high: float = FAR
    infinite: tuple[float, ...] = (np.inf, -np.inf)
    says: str = "Infinities: the table."


UP = (np.inf,)  # towards -∞ the formula is ∞ · 0
STEEP = (88.75, -88.75, -104.0)  # exp leaves float32's range; its result is no normal number; it is 0
RELU = "C's `fmax(NaN, 0)` is 0, and so is `x > 0 ? x : 0`: neither is relu."
SHRINKS = "hard_shrink and soft_shrink give 0, threshold gives default_value"
THRESHOLDS = ({"threshold": 0.5}, {"threshold": 0.3}, {"threshold": -0.5})

ACTIVATIONS = {
    "relu": Activation(says=RELU),
    "relu6": Activation(points=(6,), says=RELU),
    "leaky_relu": Activation(
        ({"negative_slope": 0.2}, {"negative_slope": 0.0}, {"negative_slope": -1.5}, {"negative_slope": 1.25})
    ),
    "thresholded_relu": Activation(
        (
            {"negative_slope": 0.3, "threshold": 0.7},
            {"negative_slope": 0.0, "threshold": 1.0},
            {"negative_slope": 0.25, "threshold": -1.5},
        ),
        points=(1, 0.7, -1.5),
    ),
    "clipped_relu": Activation(
        (
            {"max_value": 2.3, "negative_slope": 0.1, "threshold": 0.4},
            {"max_value": 6.0, "negative_slope": 0.0, "threshold": 0.0},
            {"max_value": 2.0, "negative_slope": -0.5, "threshold": -1.0},
            {"max_value": 0.0, "negative_slope": 0.25, "threshold": 0.0},
        ),
        points=(6, 2.3, 2, 0.4, -1),
    ),
    "elu": Activation(({"alpha": 1.0}, {"alpha": 0.3}, {"alpha": -2.0}), points=STEEP),
    "celu": Activation(({"alpha": 1.0}, {"alpha": 0.3}), points=STEEP),
    "selu": Activation(points=STEEP),
    "gelu": Activation(({"approximate": False}, {"approximate": True}), infinite=UP),
    "sigmoid": Activation(points=STEEP),
    "silu": Activation(points=STEEP, infinite=UP),
    "mish": Activation(points=STEEP, infinite=UP),
    "softplus": Activation(points=STEEP),
    "log_sigmoid": Activation(points=STEEP),
    "softsign": Activation(infinite=(), says=NAN),
    "tanh": Activation(),
    "tanh_shrink": Activation(),
    "exponential": Activation(high=88),
    "hard_sigmoid": Activation(points=(-3, 3)),
    "hard_silu": Activation(points=(-3, 3), infinite=UP),
    "hard_tanh": Activation(points=(-1, 1)),
    "hard_shrink": Activation(THRESHOLDS, points=(-0.5, 0.5, -0.3, 0.3), says=SHRINKS),
    "soft_shrink": Activation(THRESHOLDS, points=(-0.5, 0.5, -0.3, 0.3), says=SHRINKS),
    "threshold": Activation(
        ({"threshold": 0.5, "default_value": 0.0}, {"threshold": -0.3, "default_value": 20.1}),
        points=(0.5, -0.3),
        says=SHRINKS,
    ),
    "sparse_sigmoid": Activation(points=(-1, 1)),
    "sparse_plus": Activation(points=(-1, 1)),
    "squareplus": Activation(({"b": 4.0}, {"b": 0.2}), low=-1e18, high=1e18, infinite=UP),
}


def _named(attributes: dict[str, Any]) -> str:
    """negative_slope=0.2, threshold=-1.5 -> -negative-slope-0.2-threshold-minus-1.5"""
    words = [f"-{key}-{item}" for key, item in attributes.items()]
    return "".join(words).replace("_", "-").replace("--", "-minus-").lower()


def _declare_range(op: str, activation: Activation, attributes: dict[str, Any]) -> None:
    declare(
        f"{op}/range{_named(attributes)}",
        "Where the formula bends, the float32 numbers beside, and magnitudes over the whole range.",
        row_of(op),
        lambda r: one(op, r.around(3, *activation.points, low=activation.low, high=activation.high), **attributes),
    )


def _declare_ties(op: str, attributes: dict[str, Any]) -> None:
    t = attributes["threshold"]
    declare(
        f"{op}/ties",
        "Numbers that are just the threshold, as float32 has it, of both signs.",
        "Ties: x equal to a threshold is not above it.",
        lambda r: one(op, np.array([[t, -t, 2 * t], [0, 2, t]], np.float32), **attributes),
        kind="special",
    )


def _declare(op: str, activation: Activation) -> None:
    first = activation.attributes[0]
    declare(f"{op}/rank-2", "A batch of rows.", "y[i] = f(x[i])", lambda r: one(op, r.normal(5, 7, scale=3), **first))
    for attributes in activation.attributes:
        _declare_range(op, activation, attributes)
    declare(
        f"{op}/rank-1", "A batch of numbers without another dimension.", SHAPE, lambda r: one(op, r.normal(6), **first)
    )
    declare(
        f"{op}/rank-4",
        "Four dimensions, all different.",
        SHAPE,
        lambda r: one(op, r.normal(2, 3, 5, 4, scale=3), **first),
    )
    declare(
        f"{op}/rank-8",
        "As many dimensions as the format allows.",
        SHAPE,
        lambda r: one(op, r.normal(2, 1, 3, 1, 2, 1, 1, 2), **first),
    )
    if "threshold" in first:
        _declare_ties(op, first)
    special(
        f"{op}/subnormal",
        "Numbers below the smallest normal one, which may count as 0.",
        FLUSHED,
        lambda r: one(op, np.array([[1e-39, -1e-39, 1e-42], [1e-45, -1e-45, 0.5]], np.float32), **first),
    )
    empty_batch(op, lambda r: one(op, r.normal(0, 3), **first))
    lengths(op, lambda r, n: one(op, r.uniform(0.6, 2.5, n), **first))
    special(
        f"{op}/not-finite",
        "Infinities and NaN, as the operator's page has them; their neighbours are as always.",
        activation.says,
        lambda r: one(op, repeated([[x, 0.75] for x in (np.nan, *activation.infinite)]), **first),
    )


for _op, _activation in ACTIVATIONS.items():
    _declare(_op, _activation)

special(
    "relu/zeros",
    "Zeros of both signs.",
    "relu of −0 is 0 or −0.",
    lambda r: one("relu", np.array([[0.0, -0.0, 1.0]], np.float32)),
)
declare(
    "squareplus/range-b-0.0",
    "b of 0: x where x is above 0, else 0. No x² leaves float32's range.",
    row_of("squareplus"),
    lambda r: one("squareplus", np.concatenate([r.powers(-18, 18, 3, 20), np.zeros((3, 1), np.float32)], 1), b=0.0),
)
special(
    "exponential/overflow",
    "Beyond float32's range, to either side.",
    "exponential overflows to +∞; results below the smallest normal number may be flushed to 0.",
    lambda r: one("exponential", np.array([[1e3, 1e30, -90.0], [-104.0, -1e3, -1e30]], np.float32)),
)
for _op in ("silu", "mish"):
    special(
        f"{_op}/flushed",
        "Where the factor of x is below the smallest normal number.",
        "the factor of x is smaller than the smallest normal number, and may be flushed to 0; M covers it",
        lambda r, op=_op: one(op, np.linspace(-86, -120, 18, dtype=np.float32).reshape(2, 9)),
    )
declare(
    "tanh/symbolic-time",
    "A dimension beside the batch that only running tells.",
    SHAPE,
    lambda r: one("tanh", r.normal(2, 5, 3), shapes=[("batch", "time", 3)], shape=("batch", "time", 3)),
)
