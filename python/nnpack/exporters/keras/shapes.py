"""Operations that move elements, or make more of them: axes, joining, splitting, repeating, filling."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from nnpack.exporters.keras.call import Call, Ref, to_numpy
from nnpack.exporters.keras.operands import as_tensor, filled, operands, result_dtype
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value, show

_END = 2**31 - 1
"""What a slice that goes to the end stops before."""

# The order of axes


def permuted(call: Call, x: Value, perm: Sequence[int]) -> Value:
    if list(perm) == list(range(len(x.shape))):
        return x
    if perm[0] != 0:
        raise call.refuse(f"axes in the order {tuple(perm)}", "the batch as the first axis")
    return call.emit("transpose", [x], attributes={"perm": list(perm)})


@handles("Transpose")
def transpose(call: Call) -> Value:
    x, axes = call.inputs[0], call.operation.axes
    rank = len(x.shape)
    return permuted(call, x, [int(axis) % rank for axis in axes] if axes else list(range(rank))[::-1])


@handles("Swapaxes")
def swapaxes(call: Call) -> Value:
    x, perm = call.inputs[0], list(range(len(call.inputs[0].shape)))
    axis1, axis2 = call.operation.axis1, call.operation.axis2
    perm[axis1], perm[axis2] = perm[axis2], perm[axis1]
    return permuted(call, x, perm)


@handles("Moveaxis")
def moveaxis(call: Call) -> Value:
    x, rank = call.inputs[0], len(call.inputs[0].shape)
    source, destination = (
        [int(axis) % rank for axis in (given if isinstance(given, list | tuple) else [given])]
        for given in (call.operation.source, call.operation.destination)
    )
    perm = [axis for axis in range(rank) if axis not in source]
    for to, axis in sorted(zip(destination, source, strict=True)):
        perm.insert(to, axis)
    return permuted(call, x, perm)


@handles("ExpandDims")
def expand_dims(call: Call) -> Value:
    x, given = call.inputs[0], call.operation.axis
    axes = list(given) if isinstance(given, list | tuple) else [given]
    rank = len(x.shape) + len(axes)
    for axis in sorted(call.axis(axis, rank) for axis in axes):
        x = call.emit("expand_dims", [x], attributes={"axis": axis})
    return x


@handles("Squeeze")
def squeeze(call: Call) -> Value:
    x, given = call.inputs[0], call.operation.axis
    rank = len(x.shape)
    if given is None:
        axes = [axis for axis, n in enumerate(x.shape) if axis and n == 1]
        if rank - len(axes) != len(call.outputs[0].shape):
            raise call.refuse("squeeze of all axes of one element, the batch's too", "squeeze(x, axis)")
    else:
        axes = sorted({call.axis(axis, rank) for axis in (given if isinstance(given, list | tuple) else [given])})
    return squeezed(call, x, axes)


@handles("Flip", "Fliplr", "Flipud")
def flip(call: Call) -> Value:
    x = call.inputs[0]
    given = {"Fliplr": 1, "Flipud": 0}.get(call.class_name, getattr(call.operation, "axis", None))
    axes = range(len(x.shape)) if given is None else given if isinstance(given, list | tuple) else [given]
    return call.emit("flip", [x], attributes={"axes": sorted({call.axis(axis, len(x.shape)) for axis in axes})})


@handles("Rot90")
def rot90(call: Call) -> Value:
    x, (first, second) = call.inputs[0], (axis % len(call.inputs[0].shape) for axis in call.operation.axes)
    turns = call.operation.k % 4
    perm = list(range(len(x.shape)))
    perm[first], perm[second] = second, first
    if turns == 2:
        if x.shape[first] != x.shape[second]:
            raise call.refuse("half a turn of a rectangle, which Keras on TensorFlow mixes up", "ops.flip of both axes")
        return call.emit("flip", [x], attributes={"axes": sorted(call.axis(k, len(perm)) for k in (first, second))})
    if turns == 1:
        x = call.emit("flip", [x], attributes={"axes": [call.axis(second, len(perm))]})
    y = permuted(call, x, perm) if turns else x
    return call.emit("flip", [y], attributes={"axes": [call.axis(second, len(perm))]}) if turns == 3 else y


# Joining


@handles("Append", "Concatenate", "Hstack", "Vstack")
def concatenate(call: Call) -> Value:
    arguments = call.arguments
    xs = [arguments["x1"], arguments["x2"]] if call.class_name == "Append" else list(arguments["xs"])
    rank = len(call.outputs[0].shape)
    axis = {"Hstack": 1 if rank > 1 else 0, "Vstack": 0}.get(call.class_name, getattr(call.operation, "axis", None))
    if axis is None:
        raise call.refuse("elements of all rows one behind the other", "an axis other than the first")
    return _concatenated(call, _rows(call, xs), call.axis(axis, rank))


@handles("Stack")
def stack(call: Call) -> Value:
    axis = call.axis(call.operation.axis, len(call.outputs[0].shape))
    values = _rows(call, list(call.arguments["x"]))
    return _concatenated(call, [call.emit("expand_dims", [x], attributes={"axis": axis}) for x in values], axis)


@handles("Dstack")
def dstack(call: Call) -> Value:
    values = _rows(call, list(call.arguments["xs"]))
    if any(len(x.shape) < 2 for x in values):
        raise call.refuse("rows that become a second axis", "values of rank 2 or more")
    deep = [call.emit("expand_dims", [x], attributes={"axis": 2}) if len(x.shape) == 2 else x for x in values]
    return _concatenated(call, deep, 2)


def _concatenated(call: Call, values: Sequence[Value], axis: int) -> Value:
    return values[0] if len(values) == 1 else call.emit("concatenate", values, attributes={"axis": axis})


def _rows(call: Call, xs: Sequence[Any]) -> list[Value]:
    """Arguments of one dtype, all with rows; a constant whose rows are all equal has those of the others."""
    like = next(call.value(x) for x in xs if isinstance(x, Ref))
    values = []
    for i, x in enumerate(xs):
        if not isinstance(x, Ref):
            array = as_tensor(x)
            values.append(call.each_row(array, like, str(array.dtype), f"x{i}"))
        else:
            values.append(call.value(x))
    dtype = str(keras.backend.result_type(*[value.dtype for value in values]))
    return [call.cast(value, dtype) for value in values]


# Splitting


def sliced(call: Call, x: Value, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Value:
    """x[start:stop:step] along an axis."""
    step = 1 if step is None else step
    if step < 0:  # the other way round, where ~k counts from the other end what k counts from this one
        x, step = call.emit("flip", [x], attributes={"axes": [axis]}), -step
        start, stop = (None if k is None else ~k for k in (start, stop))
    first, end = 0 if start is None else _bounded(start), _END if stop is None else _bounded(stop)
    n = x.shape[axis]
    whole = range(n)[first:end:step] == range(n) if isinstance(n, int) else (first, end, step) == (0, _END, 1)
    attributes = {"axis": axis, "start": first, "stop": end, "step": step}
    return x if whole else call.emit("slice", [x], attributes=attributes)


def _bounded(k: int) -> int:
    return max(-_END, min(k, _END))


def picked(call: Call, x: Value, axis: int, index: int) -> Value:
    """x[index] along an axis, which stays, with one element."""
    if isinstance(x.shape[axis], int):
        return sliced(call, x, axis, index, index + 1 if index != -1 else None)
    place = call.constant(np.array([index]), "int32", "index")  # a slice of an unknown size has an unknown size
    return call.emit("take", [x, place], attributes={"axis": axis})


def squeezed(call: Call, x: Value, axes: Sequence[int]) -> Value:
    return call.emit("squeeze", [x], attributes={"axes": list(axes)}) if axes else x


@handles("ArraySplit", "Dsplit", "Hsplit", "Split", "Vsplit")
def split(call: Call) -> list[Value]:
    x, parts = call.inputs[0], call.operation.indices_or_sections
    fixed = {"Dsplit": 2, "Hsplit": 1 if len(x.shape) > 1 else 0, "Vsplit": 0}
    axis = call.axis(fixed.get(call.class_name, getattr(call.operation, "axis", 0)), len(x.shape))
    if isinstance(parts, int):
        n = x.shape[axis]
        if not isinstance(n, int):
            raise call.refuse(f"an axis of unknown size in {parts} parts", "an axis of known size")
        sizes = [n // parts + (i < n % parts) for i in range(parts)]
        places = np.cumsum(sizes)[:-1].tolist()
    else:
        places = [int(k) for k in to_numpy(parts).reshape(-1)]
    return [sliced(call, x, axis, start, stop) for start, stop in pairwise([0, *places, None])]


@handles("Unstack")
def unstack(call: Call) -> list[Value]:
    x = call.inputs[0]
    axis = call.axis(call.operation.axis, len(x.shape))
    return [squeezed(call, picked(call, x, axis, i), [axis]) for i in range(len(call.outputs))]


# Repeating


@handles("Repeat")
def repeat(call: Call) -> Value:
    x, axis = call.inputs[0], call.operation.axis
    if axis is None:
        raise call.refuse("elements of all rows repeated", "an axis other than the first")
    axis, repeats = call.axis(axis, len(x.shape)), to_numpy(call.operation.repeats).reshape(-1)
    if len(repeats) == 1:
        return call.emit("repeat", [x], attributes={"axis": axis, "repeats": int(repeats[0])})
    places = np.repeat(np.arange(len(repeats)), repeats)
    return call.emit("take", [x, call.constant(places, "int32", "places")], attributes={"axis": axis})


@handles("Tile")
def tile(call: Call) -> Value:
    x = call.inputs[0]
    repeats = [int(n) for n in to_numpy(call.operation.repeats).reshape(-1)]
    repeats = [1] * (len(x.shape) - len(repeats)) + repeats
    if len(repeats) > len(x.shape) or repeats[0] != 1:
        raise call.refuse(f"rows repeated as {tuple(repeats)}", "repeats of axes other than the first")
    return tiled(call, x, repeats)


def tiled(call: Call, x: Value, repeats: Sequence[int]) -> Value:
    return call.emit("tile", [x], attributes={"repeats": list(repeats)}) if set(repeats) != {1} else x


@handles("BroadcastTo")
def broadcast_to(call: Call) -> Value:
    x, shape = call.inputs[0], call.operation.shape
    if len(shape) != len(x.shape):
        raise call.refuse(f"{show(x.shape)} broadcast to {tuple(shape)}", "a shape with the batch as its first axis")
    grown = [n == 1 and m not in (1, None) for n, m in zip(x.shape, shape, strict=True)]
    return tiled(call, x, [m if grows else 1 for grows, m in zip(grown, shape, strict=True)])


def spread(call: Call, x: Value, like: Value, skip: int) -> Value:
    """x, of the rank of `like`, with its axes of one element but `skip` as long as those of `like`."""
    for axis, (n, m) in enumerate(zip(x.shape, like.shape, strict=True)):
        if n != 1 or m == 1 or axis == skip:
            continue
        if axis == 0:
            x = call.emit("broadcast_batch", [x, like])
        elif isinstance(m, int):
            x = call.emit("repeat", [x], attributes={"axis": axis, "repeats": m})
        else:
            place = call.emit("positions", [like], attributes={"axis": axis})
            x = call.emit("take", [x, filled(call, place, 0, "int32")], attributes={"axis": axis})
    return x


@handles("Roll")
def roll(call: Call) -> Value:
    x, given = call.inputs[0], call.operation.axis
    if given is None:
        raise call.refuse("elements of all rows rolled", "an axis other than the first")
    axes = given if isinstance(given, list | tuple) else [given]
    shifts = call.operation.shift if isinstance(call.operation.shift, list | tuple) else [call.operation.shift]
    for shift, axis in zip(shifts * len(axes) if len(shifts) == 1 else shifts, axes, strict=True):
        k = call.axis(axis, len(x.shape))
        n = x.shape[k]
        if not isinstance(n, int):
            raise call.refuse("roll along an axis of unknown size", "an axis of known size")
        if shift % n:
            x = _concatenated(call, [sliced(call, x, k, n - shift % n, None), sliced(call, x, k, 0, n - shift % n)], k)
    return x


@handles("Pad")
def pad(call: Call) -> Value:
    x, given = call.inputs[0], [tuple(int(n) for n in pair) for pair in call.operation.pad_width]
    pairs = given * len(x.shape) if len(given) == 1 else given
    if any(pairs[0]):
        raise call.refuse("padding of the batch", "pad_width ((0, 0), …)")
    value = call.arguments.get("constant_values")
    if isinstance(value, Ref):
        raise call.refuse("padding with a value computed from the inputs", "a constant to pad with")
    # a bool is padded as the uint8 that it is stored as
    y = call.cast(x, "uint8") if x.dtype == "bool" else x
    fill = float(np.asarray(0 if value is None else to_numpy(value)).astype(y.dtype))
    attributes = {"pad_width": [n for pair in pairs for n in pair], "mode": call.operation.mode, "constant_value": fill}
    return call.cast(call.emit("pad", [y], attributes=attributes), x.dtype)


# Filling


@handles("EmptyLike", "OnesLike", "ZerosLike")
def zeros_like(call: Call) -> Value:
    return filled(call, call.inputs[0], int(call.class_name == "OnesLike"), result_dtype(call))


@handles("FullLike")
def full_like(call: Call) -> Value:
    dtype = result_dtype(call)
    (fill,) = operands(call, dtype, fill=call.arguments["fill_value"])
    return filled(call, call.value(call.arguments["x"]), fill, dtype)
