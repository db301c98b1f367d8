"""Operations along axes: sums, extremes, which element is the largest, running sums, norms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.operands import cast, composed, promoted, result_dtype
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS

_REDUCTIONS = {
    "All": "all",
    "Amax": "max",
    "Amin": "min",
    "Any": "any",
    "Logsumexp": "logsumexp",
    "Max": "max",
    "Mean": "mean",
    "Min": "min",
    "Prod": "prod",
    "Sum": "sum",
    "Var": "variance",
}
_OF_TRUTH_VALUES = {"max": "any", "min": "all"}


def axes_of(call: Call, axis: int | Sequence[int] | None, x: Value) -> list[int]:
    """Axes as an operator has them; None, which is all of them, includes that of the batch."""
    if axis is None:
        raise call.refuse("a reduction of all axes, the batch's too", "axes other than the first")
    return sorted({call.axis(k, len(x.shape)) for k in ([axis] if isinstance(axis, int) else axis)})


def reduced(call: Call, op: str, x: Value, axis: int | Sequence[int] | None, keepdims: bool = False) -> Value:
    axes = axes_of(call, axis, x)
    return call.emit(op, [x], attributes={"axes": axes, "keepdims": bool(keepdims)}) if axes else x


@handles(*_REDUCTIONS)
def reduction(call: Call) -> Value:
    op, given, x = _REDUCTIONS[call.class_name], call.operation, call.inputs[0]
    dtype = {"all": "bool", "any": "bool", "logsumexp": x.dtype}.get(op, result_dtype(call))
    if dtype == "bool":
        op = _OF_TRUTH_VALUES.get(op, op)
    y = reduced(call, op, call.cast(x, dtype), given.axis, given.keepdims)
    initial = getattr(given, "initial", None)
    if initial is None:
        return y
    if dtype == "bool":
        return call.emit("logical_or" if op == "any" else "logical_and", [y, call.constant(initial, "bool", "initial")])
    return call.emit("maximum" if op == "max" else "minimum", [y, call.constant(initial, dtype, "initial")])


@handles("Std")
def std(call: Call) -> Value:
    given, x = call.operation, call.cast(call.inputs[0], result_dtype(call))
    return call.emit("sqrt", [reduced(call, "variance", x, given.axis, given.keepdims)])


@handles("CountNonzero")
def count_nonzero(call: Call) -> Value:
    return reduced(call, "sum", call.cast(call.cast(call.inputs[0], "bool"), "int32"), call.operation.axis)


@handles("Moments")
def moments(call: Call) -> list[Value]:
    given, x = call.operation, call.inputs[0]
    return [reduced(call, op, x, given.axes, given.keepdims) for op in ("mean", "variance")]


@handles("Argmax", "Argmin")
def argmax(call: Call) -> Value:
    given, x = call.operation, call.inputs[0]
    if given.axis is None:
        raise call.refuse("a place among all elements, the batch's too", "an axis other than the first")
    x = call.cast(x, "int32") if x.dtype == "bool" else x
    attributes = {"axis": call.axis(given.axis, len(x.shape)), "keepdims": bool(given.keepdims)}
    return call.emit(call.class_name.lower(), [x], attributes=attributes)


@handles("Cumprod", "Cumsum")
def cumulative(call: Call) -> Value:
    dtype, axis = result_dtype(call), call.operation.axis
    if axis is None:
        raise call.refuse("a running total over all axes, the batch's too", "an axis other than the first")
    x = call.cast(call.inputs[0], dtype)
    x = call.cast(x, "int32") if dtype in ("int8", "uint8") else x
    y = call.emit(call.class_name.lower(), [x], attributes={"axis": call.axis(axis, len(x.shape))})
    return call.cast(y, dtype)


# Made of other operations, by the formulas of Keras on TensorFlow


@composed("Average")
def average(call: Call, x: Any, weights: Any = None) -> Any:
    axis = call.operation.axis
    if weights is None:
        return ops.mean(cast(x, keras.backend.result_type(x.dtype, float)), axis=axis)
    x, weights = promoted(x, weights, least=float)
    if axis is None or len(x.shape) == len(weights.shape):
        return ops.sum(x * weights, axis=axis) / ops.sum(weights, axis=axis)
    return ops.matmul(ops.moveaxis(x, axis, -1), weights) / ops.sum(weights)


@composed("Diff")
def diff(call: Call, a: Any) -> Any:
    axis = call.operation.axis % len(a.shape)
    later, earlier = ((slice(None),) * axis + (part,) for part in (slice(1, None), slice(None, -1)))
    for _ in range(call.operation.n):
        a = ops.not_equal(a[later], a[earlier]) if a.dtype == "bool" else a[later] - a[earlier]
    return a


@composed("Ptp")
def ptp(call: Call, x: Any) -> Any:
    given = call.operation
    return ops.max(x, given.axis, given.keepdims) - ops.min(x, given.axis, given.keepdims)


@composed("Trapezoid")
def trapezoid(call: Call, y: Any) -> Any:
    given = call.operation
    y = cast(y, keras.backend.result_type(y.dtype, float))
    axis = given.axis % len(y.shape)
    steps = given.dx if given.x is None else ops.diff(cast(given.x, y.dtype), axis=given.axis)
    if given.x is not None and len(steps.shape) == len(y.shape):
        steps = ops.moveaxis(steps, axis, -1)
    y = ops.moveaxis(y, axis, -1)
    return ops.sum((y[..., 1:] + y[..., :-1]) * 0.5 * cast(steps, y.dtype), axis=-1)


@composed("Norm")
def norm(call: Call, x: Any) -> Any:
    given = call.operation
    x, axis, keepdims = cast(x, result_dtype(call)), given.axis, given.keepdims
    axes = list(axis) if isinstance(axis, list | tuple) else [axis]
    if given.ord is None or given.ord == ("fro" if len(axes) == 2 else 2):
        return ops.sqrt(ops.sum(ops.square(x), axis, keepdims))
    if axis is None:
        raise call.refuse("a norm of all axes, the batch's too", "axes other than the first")
    if len(axes) == 2:
        return _matrix_norm(call, x, *(k % len(x.shape) for k in axes))
    extremum = {np.inf: ops.max, -np.inf: ops.min}.get(given.ord)
    if extremum is not None:
        return extremum(ops.abs(x), axis, keepdims)
    if given.ord == 0:
        return ops.sum(cast(ops.not_equal(x, 0), x.dtype), axis, keepdims)
    if given.ord == 1:
        return ops.sum(ops.abs(x), axis, keepdims)
    return ops.power(ops.sum(ops.power(ops.abs(x), given.ord), axis, keepdims), 1 / given.ord)


def _matrix_norm(call: Call, x: Any, row_axis: int, column_axis: int) -> Any:
    """The largest or smallest sum of a column or of a row."""
    kind = call.operation.ord
    if kind not in (1, -1, np.inf, -np.inf):
        raise call.refuse(f"the matrix norm {kind!r}, of singular values", "ord=None, 'fro', 1, -1, inf or -inf")
    summed, left = (row_axis, column_axis) if abs(kind) == 1 else (column_axis, row_axis)
    sums = ops.sum(ops.abs(x), summed, keepdims=True)
    y = (ops.max if kind > 0 else ops.min)(sums, left, keepdims=True)
    return y if call.operation.keepdims else ops.squeeze(y, (row_axis, column_axis))


# What leaves NaN out


def _without_nan(x: Any, replacement: float) -> Any:
    """A floating-point tensor with numbers where it had NaN."""
    return ops.where(ops.isnan(x), cast(replacement, x.dtype), x)


_NAN_EXTREMES = {"Nanargmax": ("argmax", -1), "Nanargmin": ("argmin", 1), "Nanmax": ("max", -1), "Nanmin": ("min", 1)}
"""What takes the extreme, and the sign of the infinity that no number is beyond."""


@handles(*_NAN_EXTREMES)
def nan_extreme(call: Call) -> Value:
    name, sign = _NAN_EXTREMES[call.class_name]
    x, extremum = call.inputs[0], getattr(ops, name)
    axis, keepdims = call.operation.axis, call.operation.keepdims
    if x.dtype not in FLOATS:
        return call.traced(lambda y: extremum(y, axis, keepdims), x)
    # a file holds no weights that are infinite
    infinity = call.emit("divide", [call.constant(n, x.dtype, part) for n, part in ((sign, "sign"), (0, "zero"))])

    def found(y: Any, replacement: Any) -> Any:
        missing = ops.isnan(y)
        nothing = cast(-1, "int32") if "arg" in name else extremum(y, axis, keepdims)
        extreme = extremum(ops.where(missing, replacement, y), axis, keepdims)
        return ops.where(ops.all(missing, axis, keepdims), nothing, extreme)

    return call.value(call.trace(found, Ref(x.name), Ref(infinity.name))[0])


@composed("Nanprod", "Nansum")
def nansum(call: Call, x: Any) -> Any:
    given, sums = call.operation, call.class_name == "Nansum"
    x = _without_nan(x, 0 if sums else 1) if x.dtype in FLOATS else x
    return (ops.sum if sums else ops.prod)(x, given.axis, given.keepdims)


@composed("Nancumprod", "Nancumsum")
def nancumsum(call: Call, x: Any) -> Any:
    given, sums = call.operation, call.class_name == "Nancumsum"
    x = ops.nan_to_num(x, nan=0 if sums else 1)  # which replaces the infinities too
    return (ops.cumsum if sums else ops.cumprod)(x, given.axis, given.dtype)


@composed("Nanmean")
def nanmean(call: Call, x: Any) -> Any:
    return _nanmean(cast(x, result_dtype(call)), call.operation.axis, call.operation.keepdims)


def _nanmean(x: Any, axis: Any, keepdims: bool) -> Any:
    return ops.sum(_without_nan(x, 0), axis, keepdims) / _count(x, axis, keepdims)


def _count(x: Any, axis: Any, keepdims: bool) -> Any:
    return ops.sum(cast(ops.logical_not(ops.isnan(x)), x.dtype), axis, keepdims)


@composed("Nanstd", "Nanvar")
def nanvar(call: Call, x: Any) -> Any:
    axis, keepdims = call.operation.axis, call.operation.keepdims
    x = cast(x, keras.backend.result_type(x.dtype, float))
    squares = ops.square(_without_nan(x - _nanmean(x, axis, True), 0))
    variance = ops.sum(squares, axis, keepdims) / _count(x, axis, keepdims)
    return ops.sqrt(variance) if call.class_name == "Nanstd" else variance


@composed("CDist")
def cdist(call: Call, x: Any, y: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(ops.expand_dims(x, -2) - ops.expand_dims(y, -3)), axis=-1))
