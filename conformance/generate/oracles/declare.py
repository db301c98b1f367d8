"""What an oracle is, and what Keras's functions and layers need to be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops


@dataclass(frozen=True)
class Oracle:
    """An operator's oracle.

    Attributes:
        exact: float64 arrays, weights and attributes -> what is right.
        keras: the same as Keras users run it, for the headroom that float32 leaves.
    """

    exact: Callable[..., Any]
    keras: Callable[..., Any]


def on_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with arrays going in and coming out."""

    def call(*inputs: Any, **rest: Any) -> Any:
        return np.asarray(function(*map(ops.convert_to_tensor, inputs), **rest))

    return call


def plain(function: Callable[..., Any], exact: Callable[..., Any] | None = None) -> Oracle:
    """One function for both, unless what is exact takes another."""
    return Oracle(on_arrays(exact or function), on_arrays(function))


def run(layer: Any, x: Any, weights: list[Any], **rest: Any) -> Any:
    """A Keras layer of these weights applied to x, and to what else it takes."""
    layer.build(x.shape)
    layer.set_weights([weight for weight in weights if weight is not None])
    return layer(x, **rest)
