"""Layers that merge several values into one."""

from __future__ import annotations

import string
from collections.abc import Sequence

import keras
from keras import layers

from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.normalization import unit_normalized
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value

_OPERATORS = {
    layers.Add: "add",
    layers.Average: "add",
    layers.Maximum: "maximum",
    layers.Minimum: "minimum",
    layers.Subtract: "subtract",
}


@handles(layers.Add, layers.Average, layers.Subtract)
def merge(call: Call) -> Value:
    op = _OPERATORS[type(call.operation)]
    merged, *rest = _of_one_rank(call, call.inputs)
    for value in rest:
        merged = call.emit(op, _of_one_dtype(call, [merged, value]))
    if isinstance(call.operation, layers.Average):
        # TensorFlow divides these as float64
        dtype = "float64" if merged.dtype in ("int32", "int64") else keras.backend.result_type(merged.dtype, float)
        merged = call.emit("divide", [call.cast(merged, dtype), call.constant(len(rest) + 1, dtype, "count")])
    return merged


@handles(layers.Multiply)
def product(call: Call) -> Value:
    """Multiply, for which a masked element is 1; where all are masked, 0."""
    values, masks = _with_masks(call)
    factors = [
        value if mask is None else call.emit("where", [mask, value, call.constant(1, value.dtype, "one")])
        for value, mask in zip(values, masks, strict=True)
    ]
    y = factors[0]
    for factor in factors[1:]:
        y = call.emit("multiply", _of_one_dtype(call, [y, factor]))
    known = [mask for mask in masks if mask is not None]
    if len(known) < len(masks):
        return y
    kept = known[0]
    for mask in known[1:]:
        kept = call.emit("logical_or", [kept, mask])
    return call.emit("where", [kept, y, call.constant(0, y.dtype, "zero")], part="masked")


@handles(layers.Maximum, layers.Minimum)
def extremum(call: Call) -> Value:
    """Maximum and Minimum, which leave out what is masked where the other value is not."""
    op = _OPERATORS[type(call.operation)]
    values, masks = _with_masks(call)
    merged, merged_mask = values[0], masks[0]
    for value, mask in zip(values[1:], masks[1:], strict=True):
        merged, value = _of_one_dtype(call, [merged, value])
        first = merged
        if mask is not None:
            value = call.emit("where", [mask, value, first])
        if merged_mask is not None:
            first = call.emit("where", [merged_mask, first, value])
        both = mask is not None and merged_mask is not None
        merged_mask = call.emit("logical_or", [merged_mask, mask]) if both else None  # type: ignore[list-item]
        merged = call.emit(op, [first, value])
    return merged


def _with_masks(call: Call) -> tuple[list[Value], list[Value | None]]:
    """The values, of one rank, and the mask of each, (batch, …, 1)."""
    refs = [ref for ref in keras.tree.flatten(call.args) if isinstance(ref, Ref)]
    values = _of_one_rank(call, [call.value(ref) for ref in refs])
    return values, [_over_features(call, ref, value) for ref, value in zip(refs, values, strict=True)]


def _over_features(call: Call, ref: Ref, value: Value) -> Value | None:
    """The mask of a value, (batch, …, 1); Keras loses it where the value was given more axes."""
    if ref.mask is None or call.value(ref).shape != value.shape:
        return None
    mask = call.value(ref.mask)
    return call.emit("expand_dims", [mask], attributes={"axis": len(mask.shape)})


def _of_one_dtype(call: Call, values: Sequence[Value]) -> list[Value]:
    dtype = keras.backend.result_type(*[value.dtype for value in values])
    return [call.cast(value, dtype) for value in values]


def _of_one_rank(call: Call, values: Sequence[Value]) -> list[Value]:
    """With axes of 1 behind the batch, as Keras expands what it merges."""
    rank = max(len(value.shape) for value in values)
    return [_expanded(call, value, rank) for value in values]


def _expanded(call: Call, value: Value, rank: int) -> Value:
    for _ in range(rank - len(value.shape)):
        value = call.emit("expand_dims", [value], attributes={"axis": 1})
    return value


@handles(layers.Concatenate)
def concatenate(call: Call) -> Value:
    # Keras declares the layer's own dtype here, but answers in that of the inputs
    values = _of_one_dtype(call, call.inputs)
    return call.emit("concatenate", values, attributes={"axis": call.axis(call.operation.axis, len(values[0].shape))})


@handles(layers.Dot)
def dot(call: Call) -> Value:
    layer, values = call.operation, _of_one_dtype(call, call.inputs)
    given = layer.axes if isinstance(layer.axes, list | tuple) else (layer.axes, layer.axes)
    axes = [call.axis(axis, len(value.shape)) for axis, value in zip(given, values, strict=True)]
    if layer.normalize:
        epsilon = keras.config.epsilon()
        values = [
            unit_normalized(call, value, [axis], epsilon, f"normalized{i}")
            for i, (value, axis) in enumerate(zip(values, axes, strict=True))
        ]
    y = call.emit("einsum", values, attributes={"equation": _dot_equation(values, axes)})
    return y if len(y.shape) > 1 else call.emit("expand_dims", [y], attributes={"axis": 1})


def _dot_equation(values: Sequence[Value], axes: Sequence[int]) -> str:
    """The rows and the axes that are summed over have one letter in both operands: "ab,acb->ac"."""
    letters = iter(string.ascii_letters[2:])
    operands = [
        ["a" if i == 0 else "b" if i == axis else next(letters) for i in range(len(value.shape))]
        for value, axis in zip(values, axes, strict=True)
    ]
    first, second = operands
    kept = [letter for letter in [*first, *second[1:]] if letter != "b"]
    return f"{''.join(first)},{''.join(second)}->{''.join(kept)}"
