"""batch_normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.positive.declare import declare, special


def _normalized(r: Draw, x: Any, axis: int, *, gamma: bool = True, beta: bool = True, epsilon: float = 1e-3) -> Graph:
    n = x.shape[axis]
    weights = {"moving_mean": r.normal(n), "moving_variance": r.uniform(0.2, 3, n)}
    weights |= {"gamma": r.uniform(0.5, 2, n)} if gamma else {}
    weights |= {"beta": r.normal(n)} if beta else {}
    return one("batch_normalization", x, weights=weights, axis=axis, epsilon=epsilon)


declare("batch_normalization/rank-2", "Each column by its own.", lambda r: _normalized(r, r.normal(5, 4), 1))
declare("batch_normalization/rank-4", "Channels last.", lambda r: _normalized(r, r.normal(2, 3, 5, 4), 3))
declare("batch_normalization/middle-axis", "Channels first.", lambda r: _normalized(r, r.normal(2, 3, 5, 4), 1))
declare("batch_normalization/no-gamma", "scale=False.", lambda r: _normalized(r, r.normal(5, 4), 1, gamma=False))
declare("batch_normalization/no-beta", "center=False.", lambda r: _normalized(r, r.normal(5, 4), 1, beta=False))
declare(
    "batch_normalization/plain",
    "Neither gamma nor beta.",
    lambda r: _normalized(r, r.normal(5, 4), 1, gamma=False, beta=False),
)
declare(
    "batch_normalization/large-epsilon",
    "An epsilon that counts as much as the variance.",
    lambda r: _normalized(r, r.normal(5, 4), 1, epsilon=0.7),
)
declare("batch_normalization/epsilon-zero", "No epsilon.", lambda r: _normalized(r, r.normal(5, 4), 1, epsilon=0.0))


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
    _extreme,
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
    _near_epsilon,
)
declare(
    "batch_normalization/symbolic-time",
    "A dimension beside the batch that only running tells.",
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
special("batch_normalization/empty-batch", "No row in, no row out.", lambda r: _normalized(r, r.normal(0, 4), 1))
special(
    "batch_normalization/not-finite",
    "NaN and infinities stay in their element.",
    lambda r: _normalized(r, np.array([[np.nan, 1, np.inf], [-np.inf, 2, 3]], np.float32), 1, beta=False),
)
