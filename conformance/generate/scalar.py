"""The oracle of expected values: the scalar loops of naive/, in numbers of 300 bits, rounded once to float64.

So an expected value is the same on every machine, and owes nothing to anybody's library of functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from naive.arithmetic import FLOAT64, Arithmetic, Exact
from naive.arrays import FLOATS, Array
from naive.operators import OPERATORS
from naive.operators.operator import Call, Site

VERSION = 1
"""Of the operators; all of them are the first."""


def exact(op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """An operator's value: the nearest float64 where it is finite; what IEEE 754 makes of it where it is not."""
    y = float64(op, operands, weights, attributes)
    if y.dtype != np.float64:
        return y
    return np.where(np.isfinite(y), _evaluate(op, operands, weights, attributes, _exact()), y)


def float64(op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """The same in float64, which is quicker."""
    return _evaluate(op, operands, weights, attributes, FLOAT64)


@cache
def _exact() -> Arithmetic:
    return Exact()


def _evaluate(
    op: str, operands: Sequence[Any], weights: Mapping[str, Any], attributes: Mapping[str, Any], a: Arithmetic
) -> Any:
    operator = OPERATORS[f"{op}@{VERSION}"]
    inputs = [_array(x, a) for x in operands]
    roles = {role: _array(weight, a) for role, weight in weights.items()}
    made = operator.infer(Site(inputs, roles, attributes))
    numbers = {key: a.number(x) if isinstance(x, float) else x for key, x in attributes.items()}
    shape = tuple(map(int, made.shape))
    y = operator.compute(Call(a, inputs, roles, numbers, made.dtype, shape))
    if made.dtype in FLOATS:
        computed = np.array([a.float64(x) for x in y], np.float64).reshape(shape)
        return np.where(np.isnan(computed), np.nan, computed)  # one NaN for all: their bits depend on the machine
    return np.array(y, made.dtype).reshape(shape)


def _array(x: Any, a: Arithmetic) -> Array:
    x = np.asarray(x)
    data = x.ravel().tolist()
    if x.dtype.kind == "f":
        data = [a.number(v) for v in data]
    elif x.dtype.kind == "b":
        data = [int(v) for v in data]
    return Array(x.dtype.name, x.shape, data)
