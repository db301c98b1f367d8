"""Operations element by element: arithmetic, functions of one value, comparisons, logic, selection, casts."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.operands import (
    cast,
    common_dtype,
    composed,
    filled,
    limits,
    operands,
    pair,
    promoted,
    result_dtype,
    tensor_operands,
)
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS, INTEGERS

# Of two values

_ARITHMETIC = {
    "Add": "add",
    "Divide": "divide",
    "FloorDivide": "floor_divide",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Multiply": "multiply",
    "Subtract": "subtract",
    "TrueDivide": "divide",
}
_ARITHMETIC_OF_TENSORS = {"Arctan2": "arctan2", "Mod": "mod"}

_COMPARISONS = {
    "Equal": "equal",
    "Greater": "greater",
    "GreaterEqual": "greater_equal",
    "Less": "less",
    "LessEqual": "less_equal",
    "NotEqual": "not_equal",
}
_LOGIC = {"LogicalAnd": "logical_and", "LogicalOr": "logical_or", "LogicalXor": "logical_xor"}


@handles(*_ARITHMETIC)
def arithmetic(call: Call) -> Value:
    return call.emit(_ARITHMETIC[call.class_name], operands(call, result_dtype(call), **pair(call)))


@handles(*_ARITHMETIC_OF_TENSORS)
def arithmetic_of_tensors(call: Call) -> Value:
    return call.emit(_ARITHMETIC_OF_TENSORS[call.class_name], tensor_operands(call, result_dtype(call), **pair(call)))


@handles(*_COMPARISONS)
def comparison(call: Call) -> Value:
    xs = pair(call)
    return call.emit(_COMPARISONS[call.class_name], tensor_operands(call, common_dtype(call, *xs.values()), **xs))


@handles(*_LOGIC)
def logic(call: Call) -> Value:
    return call.emit(_LOGIC[call.class_name], tensor_operands(call, "bool", **pair(call)))


@handles("Power")
def power(call: Call) -> Value:
    dtype, xs = result_dtype(call), pair(call)
    if not isinstance(xs["x2"], Ref) and np.ndim(xs["x2"]) == 0 and xs["x2"] == 2:
        return call.emit("square", operands(call, dtype, x1=xs["x1"]))
    if dtype not in INTEGERS:
        return call.emit("power", operands(call, dtype, **xs))
    exact = call.emit("round", [call.emit("power", operands(call, "float64", **xs))])
    return call.cast(call.cast(exact, "int64"), dtype)


# Of one value

_UNARY = {
    "Abs": "abs",
    "Absolute": "abs",
    "Arccos": "arccos",
    "Arccosh": "arccosh",
    "Arcsin": "arcsin",
    "Arcsinh": "arcsinh",
    "Arctan": "arctan",
    "Arctanh": "arctanh",
    "Ceil": "ceil",
    "Cos": "cos",
    "Cosh": "cosh",
    "Erf": "erf",
    "Erfc": "erfc",
    "Expm1": "expm1",
    "Fabs": "abs",
    "Floor": "floor",
    "Log": "log",
    "Log10": "log10",
    "Log1p": "log1p",
    "Log2": "log2",
    "Negative": "negative",
    "Reciprocal": "reciprocal",
    "Rsqrt": "rsqrt",
    "Sign": "sign",
    "Sin": "sin",
    "Sinh": "sinh",
    "Sqrt": "sqrt",
    "Square": "square",
    "Tan": "tan",
    "Trunc": "trunc",
}
_UNCHANGED = {"abs": ("bool", "uint8"), "trunc": ("bool", *INTEGERS)}
"""Operators and the dtypes of which they leave every number as it is."""


@handles(*_UNARY)
def unary(call: Call) -> Value:
    op, x = _UNARY[call.class_name], call.inputs[0]
    if op != "reciprocal":  # of which Keras declares float32, whatever it answers
        x = call.cast(x, result_dtype(call))
    return x if x.dtype in _UNCHANGED.get(op, ()) else call.emit(op, [x])


@handles("LogicalNot")
def logical_not(call: Call) -> Value:
    return call.emit("logical_not", [call.cast(call.inputs[0], "bool")])


@handles("Round")
def round_(call: Call) -> Value:
    x, decimals = call.inputs[0], call.operation.decimals
    if x.dtype in INTEGERS and decimals >= 0:
        return x
    dtype = x.dtype if x.dtype in FLOATS else keras.config.floatx()
    y = call.cast(x, dtype)
    if not decimals:
        return call.emit("round", [y])
    factor = call.constant(np.float32(math.pow(10, decimals)), dtype, "factor")
    rounded = call.emit("round", [call.emit("multiply", [y, factor])])
    return call.cast(call.emit("divide", [rounded, factor]), x.dtype)


_PREDICATES = {"Isfinite": "isfinite", "Isinf": "isinf", "Isnan": "isnan"}


@handles(*_PREDICATES)
def predicate(call: Call) -> Value:
    x, op = call.inputs[0], _PREDICATES[call.class_name]
    return call.emit(op, [x]) if x.dtype in FLOATS else filled(call, x, op == "isfinite", "bool")


@handles("Isneginf", "Isposinf")
def signed_infinity(call: Call) -> Value:
    x = call.inputs[0]
    if x.dtype not in FLOATS:
        return filled(call, x, False, "bool")
    side = "less" if call.class_name == "Isneginf" else "greater"
    beyond = call.emit(side, [x, call.constant(0, x.dtype, "zero")])
    return call.emit("logical_and", [call.emit("isinf", [x]), beyond])


@handles("Isreal")
def isreal(call: Call) -> Value:
    return filled(call, call.inputs[0], True, "bool")


@handles("Conj", "Conjugate", "Copy", "Real", "StopGradient")
def unchanged(call: Call) -> Value:
    return call.inputs[0]


@handles("Imag")
def imag(call: Call) -> Value:
    x = call.inputs[0]
    return filled(call, x, 0, x.dtype)


# Dtypes


@handles("Cast")
def cast_(call: Call) -> Value:
    return call.cast(call.inputs[0], call.operation.dtype)


@handles("Array", "ConvertToTensor")
def convert_to_tensor(call: Call) -> Value:
    x = call.inputs[0]
    return call.cast(x, str(keras.backend.standardize_dtype(call.operation.dtype or x.dtype)))


@composed("SaturateCast")
def saturate_cast(call: Call, x: Any) -> Any:
    # Keras under numpy 2 takes 2147483648.0 for the largest int32, which no cast has to make one
    return cast(ops.clip(x, *limits(x.dtype, call.operation.dtype)), call.operation.dtype)


# Selection


@handles("Where")
def where(call: Call) -> Value:
    given = call.arguments
    condition, x1, x2 = (given[name] for name in ("condition", "x1", "x2"))
    if x1 is None or x2 is None:
        raise call.refuse("where of one argument, whose result has any size", "where(condition, x1, x2)")
    (test,) = tensor_operands(call, "bool", condition=condition)
    return call.emit("where", [test, *operands(call, result_dtype(call), x1=x1, x2=x2)])


@handles("Select")
def select(call: Call) -> Value:
    arguments = call.arguments
    choices, default = arguments["choicelist"], arguments["default"]
    dtype = common_dtype(call, *choices)
    python_number = isinstance(default, int | float) and not isinstance(default, bool)
    if not python_number and common_dtype(call, *choices, default) != dtype:
        raise call.refuse(f"a default of another dtype than {dtype}", "choices and default of one dtype")
    if isinstance(default, float) and dtype not in FLOATS:
        raise call.refuse(f"the default {default} among {dtype}", "choices and default of one dtype")
    (y,) = operands(call, dtype, default=default)
    for i, (condition, choice) in reversed(list(enumerate(zip(arguments["condlist"], choices, strict=True)))):
        (test,) = tensor_operands(call, "bool", **{f"condition{i}": condition})
        y = call.emit("where", [test, *operands(call, dtype, **{f"choice{i}": choice}), y])
    return y


@handles("Clip")
def clip(call: Call) -> Value:
    given = call.operation
    if any(isinstance(bound, keras.KerasTensor) for bound in (given.x_min, given.x_max)):
        raise call.refuse("bounds computed from the inputs", "ops.minimum and ops.maximum")
    dtype = result_dtype(call)
    x, x_min, x_max = operands(call, dtype, x=call.arguments["x"], x_min=given.x_min, x_max=given.x_max)
    return call.emit("maximum", [call.emit("minimum", [x, x_max]), x_min])


# Made of other operations, by the formulas of Keras on TensorFlow


@composed("Angle")
def angle(call: Call, x: Any) -> Any:
    x = cast(x, result_dtype(call))
    return ops.where(x < 0, cast(math.pi, x.dtype), cast(0, x.dtype))


@composed("Cbrt")
def cbrt(call: Call, x: Any) -> Any:
    x = cast(x, result_dtype(call))
    return ops.sign(x) * ops.power(ops.abs(x), 1 / 3)


@composed("Deg2rad", "Rad2deg")
def degrees(call: Call, x: Any) -> Any:
    x = cast(x, result_dtype(call))
    pi, straight = np.asarray(math.pi, x.dtype), np.asarray(180, x.dtype)
    return x * (pi / straight if call.class_name == "Deg2rad" else straight / pi)


@composed("DivideNoNan")
def divide_no_nan(call: Call, x1: Any, x2: Any) -> Any:
    dtype = result_dtype(call)
    x1, x2 = (cast(x, dtype) for x in (x1, x2))
    zero = ops.equal(x2, 0)
    return ops.where(zero, cast(0, dtype), x1 / ops.where(zero, cast(1, dtype), x2))


@composed("Exp2")
def exp2(call: Call, x: Any) -> Any:
    return ops.power(2.0, cast(x, result_dtype(call)))


@composed("Fmax", "Fmin")
def fmax(call: Call, x1: Any, x2: Any) -> Any:
    dtype = result_dtype(call)
    x1, x2 = (cast(x, dtype) for x in (x1, x2))
    extremum = (ops.maximum if call.class_name == "Fmax" else ops.minimum)(x1, x2)
    return ops.where(ops.isnan(x1), x2, ops.where(ops.isnan(x2), x1, extremum)) if dtype in FLOATS else extremum


@composed("Fmod")
def fmod(call: Call, x1: Any, x2: Any) -> Any:
    x1, x2 = promoted(x1, x2)
    dtype = result_dtype(call)
    x1, x2 = (cast(x, "int32" if dtype in ("bool", "uint8") else dtype) for x in (x1, x2))
    return cast(ops.sign(x1) * ops.mod(ops.abs(x1), ops.abs(x2)), dtype)


@composed("Heaviside")
def heaviside(call: Call, x1: Any, x2: Any) -> Any:
    dtype = result_dtype(call)
    x1, x2 = (cast(x, dtype) for x in (x1, x2))
    return ops.where(x1 < 0, cast(0, dtype), ops.where(x1 > 0, cast(1, dtype), x2))


@composed("Hypot")
def hypot(call: Call, x1: Any, x2: Any) -> Any:
    dtype = result_dtype(call)
    x1, x2 = (ops.abs(cast(x, dtype)) for x in (x1, x2))
    longest = ops.maximum(x1, x2)
    safe = ops.where(ops.equal(longest, 0), cast(1, dtype), longest)
    return longest * ops.sqrt(ops.square(ops.minimum(x1, x2) / safe) + 1)


@composed("Isclose")
def isclose(call: Call, x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8) -> Any:
    x1, x2 = promoted(x1, x2)
    if keras.backend.standardize_dtype(x1.dtype) not in FLOATS:
        return ops.equal(x1, x2)
    close = ops.abs(x1 - x2) <= ops.abs(x2) * rtol + atol
    return ops.logical_or(close, ops.logical_and(ops.isnan(x1), ops.isnan(x2))) if call.operation.equal_nan else close


@composed("Ldexp")
def ldexp(call: Call, x1: Any, x2: Any) -> Any:
    x1, x2 = promoted(x1, x2, least=float)
    scaled = x1 * ops.power(cast(2, x1.dtype), x2)
    return ops.where(ops.logical_or(ops.isinf(x1), ops.equal(x1, 0)), x1, scaled)


@composed("Logaddexp", "Logaddexp2")
def logaddexp(call: Call, x1: Any, x2: Any) -> Any:
    x1, x2 = promoted(x1, x2, least=float)
    delta = x1 - x2
    if call.class_name == "Logaddexp2":
        base = np.asarray(np.float32(math.log(2)), delta.dtype)
        more = ops.log1p(ops.exp(-ops.abs(delta) * base)) / base
    else:
        more = ops.log1p(ops.exp(-ops.abs(delta)))
    return ops.where(ops.isnan(delta), x1 + x2, ops.maximum(x1, x2) + more)


@composed("NanToNum")
def nan_to_num(call: Call, x: Any) -> Any:
    if x.dtype not in FLOATS:
        return x
    given, finite = call.operation, np.finfo(x.dtype)
    x = ops.where(ops.isnan(x), cast(given.nan, x.dtype), x)
    for test, replacement, limit in (
        (ops.isposinf, given.posinf, finite.max),
        (ops.isneginf, given.neginf, finite.min),
    ):
        x = ops.where(test(x), cast(limit if replacement is None else replacement, x.dtype), x)
    return x


@composed("Signbit")
def signbit(call: Call, x: Any) -> Any:
    if x.dtype not in FLOATS:
        return x < 0 if x.dtype in INTEGERS else ops.logical_and(x, False)
    # of the two zeros only the reciprocals differ
    return ops.where(ops.equal(x, 0), ops.reciprocal(x), x) < 0


@composed("Sinc")
def sinc(call: Call, x: Any) -> Any:
    x = cast(x, result_dtype(call))
    one, zero = cast(1, x.dtype), ops.equal(x, 0)
    angle = ops.where(zero, one, x) * np.asarray(math.pi, x.dtype)
    return ops.where(zero, one, ops.sin(angle) / angle)


@composed("Vander")
def vander(call: Call, x: Any) -> Any:
    n = call.operation.N
    if n is None:
        raise call.refuse("as many powers as there are rows", "N=…, the number of powers")
    powers = np.arange(n) if call.operation.increasing else np.arange(n)[::-1]
    if x.dtype not in FLOATS:
        raise call.refuse(f"powers of {x.dtype}, which Keras cuts off", "powers of floats")
    return ops.power(ops.expand_dims(x, -1), np.asarray(powers, x.dtype))
