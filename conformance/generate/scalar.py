"""The oracle of expected values: the scalar loops of naive/, in numbers of 300 bits, rounded once to float64.

So an expected value is the same on every machine, and owes nothing to anybody's library of functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from naive.arithmetic import FLOAT64, Arithmetic, Exact
from naive.arrays import FLOATS, STRING, Array
from naive.operators import OPERATORS
from naive.operators.operator import Site, computed, inferred

VERSION = 1
"""Of the operators; all of them are the first."""


def exact(op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """An operator's value: the nearest float64 where it is finite; what IEEE 754 makes of it where it is not.

    Of an operator of several values, a list of them.
    """
    usual = evaluate(op, operands, weights, attributes, FLOAT64)
    if all(y.dtype != np.float64 for y in usual):
        return _one_or_all(usual)
    precise = evaluate(op, operands, weights, attributes, _exact())
    return _one_or_all([_precise(y, exact) for y, exact in zip(usual, precise, strict=True)])


def float64(op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """The same in float64, which is quicker."""
    return _one_or_all(evaluate(op, operands, weights, attributes, FLOAT64))


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _precise(y: Any, exact: Any) -> Any:
    return np.where(np.isfinite(y), exact, y) if y.dtype == np.float64 else y


@cache
def _exact() -> Arithmetic:
    return Exact()


def evaluate(
    op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any], a: Arithmetic
) -> list[Any]:
    """All values of an operator, in an arithmetic of one's own."""
    operator = OPERATORS[f"{op}@{VERSION}"]
    inputs = [_array(x, a) for x in operands]
    roles = {role: _array(weight, a) for role, weight in weights.items()}
    made = inferred(operator, Site(inputs, roles, attributes, in_call=True))
    numbers = {key: a.number(x) if isinstance(x, float) else x for key, x in attributes.items()}
    return [_numpy(y, a) for y in computed(operator, a, inputs, roles, numbers, made)]


def _numpy(y: Array, a: Arithmetic) -> Any:
    if y.dtype in FLOATS:
        numbers = np.array([a.float64(x) for x in y.data], np.float64).reshape(y.shape)
        return np.where(np.isnan(numbers), np.nan, numbers)  # one NaN for all: their bits depend on the machine
    return np.array(y.data, y.dtype).reshape(y.shape)


def _array(x: Any, a: Arithmetic) -> Array:
    x = np.asarray(x)
    data = x.ravel().tolist()
    if x.dtype.kind == "O":
        return Array(STRING, x.shape, data)
    if x.dtype.kind == "f":
        data = [a.number(v) for v in data]
    elif x.dtype.kind == "b":
        data = [int(v) for v in data]
    return Array(x.dtype.name, x.shape, data)
