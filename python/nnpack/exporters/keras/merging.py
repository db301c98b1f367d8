"""Layers that merge several values into one."""

from __future__ import annotations

import keras
from keras import layers

from nnpack.exporters.keras.call import Call
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS

_OPERATORS = {
    layers.Add: "add",
    layers.Average: "add",
    layers.Maximum: "maximum",
    layers.Minimum: "minimum",
    layers.Multiply: "multiply",
    layers.Subtract: "subtract",
}


@handles(*_OPERATORS)
def merge(call: Call) -> Value:
    op, dtype = _OPERATORS[type(call.operation)], call.operation.compute_dtype
    if any(value.dtype not in FLOATS for value in call.inputs):  # Keras does not cast these: 200 + 100 is 44 in uint8
        received = ", ".join(value.dtype for value in call.inputs)
        raise call.refuse(f"arithmetic on {received}", f"inputs of {' or '.join(FLOATS)}")
    values = [call.cast(value, dtype) for value in call.inputs]
    rank = max(len(value.shape) for value in values)
    merged, *rest = [_expanded(call, value, rank) for value in values]
    for value in rest:
        merged = call.emit(op, [merged, value])
    if isinstance(call.operation, layers.Average):
        merged = call.emit("divide", [merged, call.constant(len(values), dtype, "count")])
    return merged


def _expanded(call: Call, value: Value, rank: int) -> Value:
    """A value of that rank, with axes of 1 behind the batch, as Keras expands what it merges."""
    if len(value.shape) == rank:
        return value
    target = [1] * (rank - len(value.shape)) + [n if isinstance(n, int) else -1 for n in value.shape[1:]]
    return call.emit("reshape", [value], attributes={"target_shape": target})


@handles(layers.Concatenate)
def concatenate(call: Call) -> Value:
    # Keras declares the layer's own dtype here, but answers in that of the inputs
    dtype = keras.backend.result_type(*[value.dtype for value in call.inputs])
    values = [call.cast(value, dtype) for value in call.inputs]
    return call.emit("concatenate", values, attributes={"axis": call.operation.axis % len(values[0].shape)})
