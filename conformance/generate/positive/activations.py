"""The activations that work on each element by itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from generate.graph import one
from generate.positive.declare import declare, special

FAR = 1e30


class Activation(NamedTuple):
    """What an activation is tried with.

    Attributes:
        attributes: one map for each setting that is tried.
        points: where its formula bends or branches; the numbers beside them are tried too.
        low: the smallest x.
        high: the largest x.
        infinite: the infinities for which y is specified.
    """

    attributes: tuple[dict[str, Any], ...] = ({},)
    points: tuple[float, ...] = ()
    low: float = -FAR
    high: float = FAR
    infinite: tuple[float, ...] = (np.inf, -np.inf)


UP = (np.inf,)  # towards -∞ the formula is ∞ · 0

ACTIVATIONS = {
    "relu": Activation(),
    "relu6": Activation(points=(6,)),
    "leaky_relu": Activation(({"negative_slope": 0.2}, {"negative_slope": 0.0}, {"negative_slope": -1.5})),
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
    "elu": Activation(({"alpha": 1.0}, {"alpha": 0.3}, {"alpha": -2.0})),
    "celu": Activation(({"alpha": 1.0}, {"alpha": 0.3})),
    "selu": Activation(),
    "gelu": Activation(({"approximate": False}, {"approximate": True}), infinite=UP),
    "sigmoid": Activation(),
    "silu": Activation(infinite=UP),
    "mish": Activation(infinite=UP),
    "softplus": Activation(),
    "log_sigmoid": Activation(),
    "softsign": Activation(infinite=()),
    "tanh": Activation(),
    "tanh_shrink": Activation(),
    "exponential": Activation(high=88),
    "hard_sigmoid": Activation(points=(-3, 3)),
    "hard_silu": Activation(points=(-3, 3), infinite=UP),
    "hard_tanh": Activation(points=(-1, 1)),
    "hard_shrink": Activation(({"threshold": 0.5}, {"threshold": 0.3}), points=(-0.5, 0.5, -0.3, 0.3)),
    "soft_shrink": Activation(({"threshold": 0.5}, {"threshold": 0.3}), points=(-0.5, 0.5, -0.3, 0.3)),
    "threshold": Activation(
        ({"threshold": 0.5, "default_value": 0.0}, {"threshold": -0.3, "default_value": 20.1}),
        points=(0.5, -0.3),
    ),
    "sparse_sigmoid": Activation(points=(-1, 1)),
    "sparse_plus": Activation(points=(-1, 1)),
    "squareplus": Activation(({"b": 4.0}, {"b": 0.2}, {"b": 0.0}), low=-1e18, high=1e18),
}


def _named(attributes: dict[str, Any]) -> str:
    """negative_slope=0.2, threshold=-1.5 -> -negative-slope-0.2-threshold-minus-1.5"""
    words = [f"-{key}-{item}" for key, item in attributes.items()]
    return "".join(words).replace("_", "-").replace("--", "-minus-").lower()


def _declare_range(op: str, activation: Activation, attributes: dict[str, Any]) -> None:
    declare(
        f"{op}/range{_named(attributes)}",
        "Where the formula bends, the float32 numbers beside, and magnitudes over the whole range.",
        lambda r: one(op, r.around(3, *activation.points, low=activation.low, high=activation.high), **attributes),
    )


def _declare(op: str, activation: Activation) -> None:
    for attributes in activation.attributes:
        _declare_range(op, activation, attributes)
    first = activation.attributes[0]
    declare(f"{op}/rank-2", "A batch of rows.", lambda r: one(op, r.normal(5, 7, scale=3), **first))
    declare(
        f"{op}/rank-4", "Four dimensions, all different.", lambda r: one(op, r.normal(2, 3, 5, 4, scale=3), **first)
    )
    special(f"{op}/empty-batch", "No row in, no row out.", lambda r: one(op, r.normal(0, 3), **first))
    special(
        f"{op}/not-finite",
        "Infinities and NaN, as the operator's page has them; their neighbours are as always.",
        lambda r: one(op, np.array([[x, 0.75] for x in (np.nan, *activation.infinite)], np.float32), **first),
    )


for _op, _activation in ACTIVATIONS.items():
    _declare(_op, _activation)

declare("relu/rank-1", "A batch of numbers without another dimension.", lambda r: one("relu", r.normal(6)))
declare(
    "relu/rank-8",
    "As many dimensions as the format allows.",
    lambda r: one("relu", r.normal(2, 1, 3, 1, 2, 1, 1, 2)),
)
declare(
    "tanh/symbolic-time",
    "A dimension beside the batch that only running tells.",
    lambda r: one("tanh", r.normal(2, 5, 3), shapes=[("batch", "time", 3)], shape=("batch", "time", 3)),
)
