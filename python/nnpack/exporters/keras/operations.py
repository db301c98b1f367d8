"""Operations of keras.ops and operators on symbolic tensors: x + y, 2 * x, ops.concatenate, …"""

from __future__ import annotations

from math import prod
from typing import Any

from nnpack.exporters.keras.call import Call
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS

_ELEMENTWISE = {
    "Add": "add",
    "Divide": "divide",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Multiply": "multiply",
    "Subtract": "subtract",
    "TrueDivide": "divide",
}


@handles(*_ELEMENTWISE)
def elementwise(call: Call) -> Value:
    dtype = str(call.outputs[0].dtype)
    if dtype not in FLOATS:
        raise call.refuse(f"arithmetic on {dtype}", f"operands of {' or '.join(FLOATS)}")
    x1, x2 = (call.operand(x, dtype, part) for x, part in zip(_arguments(call, "x1", "x2"), ("x1", "x2"), strict=True))
    return call.emit(_ELEMENTWISE[call.class_name], [x1, x2])


@handles("Concatenate")
def concatenate(call: Call) -> Value:
    (xs,) = _arguments(call, "xs")
    dtype = str(call.outputs[0].dtype)
    values = [call.operand(x, dtype, f"x{i}") for i, x in enumerate(xs)]
    return call.emit("concatenate", values, attributes={"axis": _axis(call, call.operation.axis, values[0])})


@handles("Reshape")
def reshape(call: Call) -> Value:
    x, given = call.inputs[0], call.operation.newshape
    target = [-1 if n is None else int(n) for n in (given if isinstance(given, list | tuple) else (given,))]
    batch = next(iter(call.outputs[0].shape), None)
    keeps_batch = target and target[0] in (-1, batch) and -1 not in target[1:]
    if not keeps_batch or prod(target[1:]) != _per_row(x):
        raise call.refuse(f"reshape to {tuple(target)}", "a shape that keeps the batch as its first axis")
    return call.emit("reshape", [x], attributes={"target_shape": target[1:]})


def _per_row(x: Value) -> int | None:
    """The elements of one row, where they are known."""
    sizes = [n for n in x.shape[1:] if isinstance(n, int)]
    return prod(sizes) if len(sizes) == len(x.shape) - 1 else None


def _axis(call: Call, axis: int, value: Value) -> int:
    axis %= len(value.shape)
    if axis == 0:
        raise call.refuse("an operation along the batch", "an axis other than the first")
    return axis


def _arguments(call: Call, *names: str) -> list[Any]:
    """The arguments by their names, given by position or by keyword."""
    positional = dict(zip(names, call.args, strict=False))
    return [{**call.kwargs, **positional}[name] for name in names]
