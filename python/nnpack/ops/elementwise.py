"""Arithmetic of two values, with numpy's broadcasting: spec/ops/elementwise.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnpack.ops.operator import Call, Made, broadcast, exact, operator, require_float, require_number, rounded

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _floats(call: Call) -> Made:
    return require_float(call), broadcast(call)


def _numbers(call: Call) -> Made:
    return require_number(call), broadcast(call)


@operator(_numbers, rounded, inputs=2)
def add(x1: Array, x2: Array) -> Array:
    return np.add(x1, x2)


@operator(_numbers, rounded, inputs=2)
def subtract(x1: Array, x2: Array) -> Array:
    return np.subtract(x1, x2)


@operator(_numbers, rounded, inputs=2)
def multiply(x1: Array, x2: Array) -> Array:
    return np.multiply(x1, x2)


@operator(_floats, rounded, inputs=2)
def divide(x1: Array, x2: Array) -> Array:
    return np.divide(x1, x2)


@operator(_numbers, exact, inputs=2)
def maximum(x1: Array, x2: Array) -> Array:
    return np.maximum(x1, x2)


@operator(_numbers, exact, inputs=2)
def minimum(x1: Array, x2: Array) -> Array:
    return np.minimum(x1, x2)


def _power_rounding(y: Array, x1: Array, x2: Array) -> Array:
    sensitivity = 1 + np.abs(x2) + np.abs(x2 * np.log(np.abs(x1)))
    return np.abs(y) * np.where((x1 == 1) | (x2 == 0) | (y == 0), 1, sensitivity)


@operator(_floats, _power_rounding, inputs=2)
def power(x1: Array, x2: Array) -> Array:
    return np.power(x1, x2)


def _floor_divide_rounding(y: Array, x1: Array, x2: Array) -> Array:
    """Infinite where the page leaves open which of two integers a float32 quotient is."""
    if y.dtype.kind != "f":
        return exact(y)
    quotient = np.divide(x1, x2)
    nearest = np.rint(quotient)
    open_ = (quotient != nearest) & (np.abs(quotient - nearest) < 2.0**-20 * np.maximum(1, np.abs(quotient)))
    return np.where(open_, np.inf, 0)


@operator(_numbers, _floor_divide_rounding, inputs=2)
def floor_divide(x1: Array, x2: Array) -> Array:
    # of floats, numpy's own is the floor of the quotient before it is rounded
    return np.floor(np.divide(x1, x2)) if x1.dtype.kind == "f" else np.floor_divide(x1, x2)


def _mod_rounding(y: Array, x1: Array, x2: Array) -> Array:
    return np.abs(y) + np.abs(x1) if y.dtype.kind == "f" else exact(y)


@operator(_numbers, _mod_rounding, inputs=2)
def mod(x1: Array, x2: Array) -> Array:
    return np.mod(x1, x2)


def _arctan2_rounding(y: Array, x1: Array, x2: Array) -> Array:
    return np.abs(y) + np.abs(np.sin(2 * y))


@operator(_floats, _arctan2_rounding, inputs=2)
def arctan2(x1: Array, x2: Array) -> Array:
    return np.arctan2(x1, x2)
