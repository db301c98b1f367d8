"""batch_normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import quote
from generate.positive.declare import FLUSHED, declare, empty_batch, lengths, special

FORMULA = "y[…, c, …] = (x[…, c, …] − moving_mean[c]) · gamma[c] / √(moving_variance[c] + epsilon) + beta[c]"
LOOPS = "With outer the product of the dimensions before axis, and inner the product of those behind it:"
SHAPE = "The shape of x."
NO_GAMMA = "| gamma | may be absent: 1 | as x | (channels,) |"
NO_BETA = "| beta | may be absent: 0 | as x | (channels,) |"
EPSILON = "| epsilon | number | 0 or more |"


def _normalized(r: Draw, x: Any, axis: int, *, gamma: bool = True, beta: bool = True, epsilon: float = 1e-3) -> Graph:
    n = x.shape[axis]
    weights = {"moving_mean": r.normal(n), "moving_variance": r.uniform(0.2, 3, n)}
    weights |= {"gamma": r.uniform(0.5, 2, n)} if gamma else {}
    weights |= {"beta": r.normal(n)} if beta else {}
    return one("batch_normalization", x, weights=weights, axis=axis, epsilon=epsilon)


def _declare(name: str, title: str, says: str, *shape: int, axis: int = 1, **rest: Any) -> None:
    declare(f"batch_normalization/{name}", title, says, lambda r: _normalized(r, r.normal(*shape), axis, **rest))


_declare("rank-2", "Each column by its own.", FORMULA, 5, 4)
_declare("rank-4", "Channels last.", LOOPS, 2, 3, 5, 4, axis=3)
_declare("middle-axis", "Channels first.", LOOPS, 2, 3, 5, 4)
_declare("rank-8", "The last of as many axes as there may be.", SHAPE, 2, 1, 3, 1, 2, 1, 1, 4, axis=7)
_declare("no-gamma", "scale=False.", NO_GAMMA, 5, 4, gamma=False)
_declare("no-beta", "center=False.", NO_BETA, 5, 4, beta=False)
_declare("plain", "Neither gamma nor beta.", NO_GAMMA, 5, 4, gamma=False, beta=False)
_declare("large-epsilon", "An epsilon that counts as much as the variance.", EPSILON, 5, 4, epsilon=0.7)
_declare("epsilon-zero", "No epsilon.", EPSILON, 5, 4, epsilon=0.0)


def _extreme(r: Draw) -> Graph:
    weights = {
        "moving_mean": np.array([0, 1e3, -1e15, 1e-20, 5], np.float32),
        "moving_variance": np.array([0, 1e-6, 1e20, 1e-12, 4], np.float32),
        "gamma": np.array([1, -2, 1e-5, 1e10, 0], np.float32),
        "beta": np.array([0, 1e3, 1, -1e10, 7], np.float32),
    }
    return one("batch_normalization", r.normal(6, 5) + weights["moving_mean"], weights=weights, axis=1, epsilon=1e-3)


declare(
    "batch_normalization/extreme",
    "Means far from 0, variances from 0 to 1e20, gamma of both signs and 0.",
    "A = (|x| + |moving_mean|) · |gamma| / √(moving_variance + epsilon) + |beta|. K = 3.",
    _extreme,
)


def _cancelling(r: Draw) -> Graph:
    """x within a thousandth of the mean; x · scale + shift loses three digits, and may."""
    mean = r.uniform(50, 90, 4)
    weights = {"moving_mean": mean, "moving_variance": r.uniform(0.2, 3, 4), "beta": r.normal(4)}
    x = mean * r.uniform(0.999, 1.001, 5, 4)
    return one("batch_normalization", x, weights=weights, axis=1, epsilon=1e-3)


declare(
    "batch_normalization/cancellation",
    "Numbers within a thousandth of the mean.",
    "`y = x · scale + shift` with shift = beta − moving_mean · scale is allowed.",
    _cancelling,
)


def _near_epsilon(r: Draw) -> Graph:
    """moving_variance + epsilon is a few steps of float32, and exact in it; with 0.1 of float64 it is a fifth less."""
    epsilon = np.float32(0.1)
    variance = np.array([1, 2, 5, 1e6], np.float32) * np.spacing(epsilon) - epsilon
    weights = {"moving_mean": r.normal(4), "moving_variance": variance, "gamma": r.uniform(0.5, 2, 4)}
    return one("batch_normalization", r.normal(5, 4), weights=weights, axis=1, epsilon=0.1)


declare(
    "batch_normalization/epsilon-rounded",
    "Variances just above minus epsilon: epsilon is rounded to float32 before it is added.",
    "where epsilon is rounded to the dtype of x first",
    _near_epsilon,
)
declare(
    "batch_normalization/symbolic-time",
    "A dimension beside the batch that only running tells.",
    SHAPE,
    lambda r: one(
        "batch_normalization",
        r.normal(2, 5, 3),
        weights={"moving_mean": r.normal(3), "moving_variance": r.uniform(0.2, 3, 3)},
        shapes=[("batch", "time", 3)],
        shape=("batch", "time", 3),
        axis=2,
        epsilon=1e-3,
    ),
)
special(
    "batch_normalization/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: _normalized(r, np.array([[1e-39, -1e-45, 1]], np.float32), 1),
)
empty_batch("batch_normalization", lambda r: _normalized(r, r.normal(0, 4), 1))
lengths("batch_normalization", lambda r, n: _normalized(r, r.normal(n, 3), 1))


def _shared(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(5, 4))
    weights: dict[str, Any] = {"moving_mean": r.normal(4), "moving_variance": r.uniform(0.2, 3, 4)}
    weights |= {"gamma": r.uniform(0.5, 2, 4), "beta": r.normal(4)}
    y = graph.apply("y", "batch_normalization", x, weights=weights, axis=1, epsilon=1e-3)
    again = {role: f"y/{role}" for role in weights}
    z = graph.apply("z", "batch_normalization", x, weights=again, axis=1, epsilon=0.5)
    graph.outputs += [z, y]
    return graph


declare(
    "batch_normalization/shared-weights",
    "Two layers of the same tensors and of another epsilon: what is computed ahead is each layer's own.",
    quote("format.md", "Several layers may use one tensor."),
    _shared,
    calls=True,
)
special(
    "batch_normalization/not-finite",
    "NaN and infinities stay in their element.",
    "NaN in x gives NaN.",
    lambda r: _normalized(r, np.array([[np.nan, 1, np.inf], [-np.inf, 2, 3]], np.float32), 1, beta=False),
)


def _signs(r: Draw) -> Graph:
    weights = {
        "moving_mean": r.normal(3),
        "moving_variance": r.uniform(0.2, 3, 3),
        "gamma": np.array([2, -2, 0], np.float32),
    }
    x = np.array([[np.inf] * 3, [-np.inf] * 3, [1, 2, 3]], np.float32)
    return one("batch_normalization", x, weights=weights, axis=1, epsilon=1e-3)


special(
    "batch_normalization/infinity-times-gamma",
    "Infinities meet gammas of both signs and of 0.",
    "An infinity in x gives an infinity whose sign is that of x times gamma, and NaN where gamma is 0.",
    _signs,
)
