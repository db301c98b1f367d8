"""Arithmetic, functions of one number, comparison, logic, selection; and what is reduced along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from generate.oracles.declare import Oracle, plain

SAME = (
    *("power", "floor_divide", "mod", "arctan2"),
    *("sign", "floor", "ceil", "round", "trunc", "square", "sqrt", "reciprocal", "rsqrt"),
    *("expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
    *("sinh", "cosh", "arcsinh", "arccosh", "arctanh", "erfc"),
    *("isnan", "isinf", "isfinite"),
    *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
    *("logical_and", "logical_or", "logical_xor", "logical_not", "where"),
    *("cumsum", "cumprod"),
)
"""Functions of keras.ops that have the operator's name and arguments."""

REDUCTIONS = {name: name for name in ("sum", "mean", "prod", "max", "min", "logsumexp", "any", "all")}
REDUCTIONS["variance"] = "var"


def _negative(x: Any) -> Any:
    return 0 - x if x.dtype == "uint8" else -x  # TensorFlow has no other for uint8


def erf(x: Any) -> Any:
    return ops.erf(ops.clip(x, -10, 10))  # TensorFlow's vectorized erf of an infinity is NaN; beyond 10 it is 1


def _along(name: str) -> Callable[..., Any]:
    def reduced(x: Any, axes: list[int], keepdims: bool) -> Any:
        # Keras refuses to take the max of no rows; of no rows, every reduction is the same
        function = ops.sum if name in ("max", "min") and x.shape[0] == 0 else getattr(ops, name)
        return function(x, axis=tuple(axes), keepdims=keepdims)

    return reduced


def _arg(name: str) -> Callable[..., Any]:
    """TensorFlow's take no 8 dimensions."""

    def found(x: Any, axis: int, keepdims: bool) -> Any:
        before, behind = tuple(x.shape[:axis]), tuple(x.shape[axis + 1 :])
        lines = ops.reshape(x, (math.prod(before), x.shape[axis], math.prod(behind)))
        return ops.reshape(getattr(ops, name)(lines, axis=1), (*before, *([1] if keepdims else []), *behind))

    return found


ORACLES: dict[str, Oracle] = {
    **{name: plain(getattr(ops, name)) for name in SAME},
    "abs": plain(ops.absolute),
    "negative": plain(_negative),
    "erf": plain(erf),
    **{op: plain(_along(name)) for op, name in REDUCTIONS.items()},
    **{name: plain(_arg(name)) for name in ("argmax", "argmin")},
}
