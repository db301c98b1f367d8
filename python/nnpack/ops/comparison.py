"""Comparisons, logic and selection: spec/ops/comparison.md, logical.md, logical_not.md, where.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnpack.format.dtypes import NUMBERS, PLAIN
from nnpack.ops.operator import Call, Infer, Made, broadcast, exact, operator, require_dtype

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _truth(*dtypes: str) -> Infer:
    """The rule of an operator that makes truth values of two values of one of these dtypes."""

    def types(call: Call) -> Made:
        require_dtype(call, 1, require_dtype(call, 0, *dtypes))
        return "bool", broadcast(call)

    return types


@operator(_truth(*PLAIN), exact, inputs=2)
def equal(x1: Array, x2: Array) -> Array:
    return np.equal(x1, x2)


@operator(_truth(*PLAIN), exact, inputs=2)
def not_equal(x1: Array, x2: Array) -> Array:
    return np.not_equal(x1, x2)


@operator(_truth(*NUMBERS), exact, inputs=2)
def less(x1: Array, x2: Array) -> Array:
    return np.less(x1, x2)


@operator(_truth(*NUMBERS), exact, inputs=2)
def less_equal(x1: Array, x2: Array) -> Array:
    return np.less_equal(x1, x2)


@operator(_truth(*NUMBERS), exact, inputs=2)
def greater(x1: Array, x2: Array) -> Array:
    return np.greater(x1, x2)


@operator(_truth(*NUMBERS), exact, inputs=2)
def greater_equal(x1: Array, x2: Array) -> Array:
    return np.greater_equal(x1, x2)


@operator(_truth("bool"), exact, inputs=2)
def logical_and(x1: Array, x2: Array) -> Array:
    return np.logical_and(x1, x2)


@operator(_truth("bool"), exact, inputs=2)
def logical_or(x1: Array, x2: Array) -> Array:
    return np.logical_or(x1, x2)


@operator(_truth("bool"), exact, inputs=2)
def logical_xor(x1: Array, x2: Array) -> Array:
    return np.logical_xor(x1, x2)


def _logical_not_types(call: Call) -> Made:
    return require_dtype(call, 0, "bool"), call.inputs[0].shape


@operator(_logical_not_types, exact)
def logical_not(x: Array) -> Array:
    return np.logical_not(x)


def _where_types(call: Call) -> Made:
    require_dtype(call, 0, "bool")
    dtype = require_dtype(call, 1, *PLAIN)
    require_dtype(call, 2, dtype)
    return dtype, broadcast(call)


@operator(_where_types, exact, inputs=3)
def where(condition: Array, x1: Array, x2: Array) -> Array:
    """x1 where the condition holds, x2 elsewhere. Source: spec/ops/where.md."""
    return np.where(condition, x1, x2)
