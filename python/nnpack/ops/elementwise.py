"""add, subtract, multiply, divide, maximum, minimum, with numpy's broadcasting: spec/ops/elementwise.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnpack.ops.operator import Call, OpenShape, broadcast, exact, operator, require_float, rounded

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _types(call: Call) -> tuple[str, OpenShape]:
    return require_float(call), broadcast(call)


@operator(_types, rounded, inputs=2)
def add(x1: Array, x2: Array) -> Array:
    return np.add(x1, x2)


@operator(_types, rounded, inputs=2)
def subtract(x1: Array, x2: Array) -> Array:
    return np.subtract(x1, x2)


@operator(_types, rounded, inputs=2)
def multiply(x1: Array, x2: Array) -> Array:
    return np.multiply(x1, x2)


@operator(_types, rounded, inputs=2)
def divide(x1: Array, x2: Array) -> Array:
    return np.divide(x1, x2)


@operator(_types, exact, inputs=2)
def maximum(x1: Array, x2: Array) -> Array:
    return np.maximum(x1, x2)


@operator(_types, exact, inputs=2)
def minimum(x1: Array, x2: Array) -> Array:
    return np.minimum(x1, x2)
