"""layer, rms, unit and group normalization. Keras divides by the epsilon of the third, which may be 0 here."""

from __future__ import annotations

from math import inf
from typing import Any

from keras import layers, ops

from generate.oracles.declare import plain, run


def _layer(x: Any, gamma: Any = None, beta: Any = None, *, axes: list[int], epsilon: float) -> Any:
    layer = layers.LayerNormalization(axes, epsilon, scale=gamma is not None, center=beta is not None, dtype=x.dtype)
    return run(layer, x, [gamma, beta])


def _rms(x: Any, scale: Any = None, *, axes: list[int], epsilon: float) -> Any:
    shape = [n if axis in axes else 1 for axis, n in enumerate(x.shape)]
    return ops.rms_normalization(x, None if scale is None else ops.reshape(scale, shape), axes, epsilon)


def _unit(x: Any, axes: list[int], epsilon: float) -> Any:
    if epsilon > 0:
        return ops.normalize(x, tuple(axes), epsilon=epsilon)
    return x * ops.minimum(ops.rsqrt(ops.sum(x * x, tuple(axes), keepdims=True)), inf)


def _group(x: Any, gamma: Any = None, beta: Any = None, *, axis: int, groups: int, epsilon: float) -> Any:
    layer = layers.GroupNormalization(
        groups, axis, epsilon, scale=gamma is not None, center=beta is not None, dtype=x.dtype
    )
    return run(layer, x, [gamma, beta])


ORACLES = {
    "layer_normalization": plain(_layer),
    "rms_normalization": plain(_rms),
    "unit_normalization": plain(_unit),
    "group_normalization": plain(_group),
}
