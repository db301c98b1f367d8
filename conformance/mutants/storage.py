"""Mistakes in what stored bytes stand for, and in the dtype that is computed in: spec/format.md, "Tensors"."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from mutants.activations import LARGEST
from mutants.mutant import EVERY_OPERATOR, Mutant, Patch, of_numbers
from mutants.weighted import round_bfloat16
from naive import arrays, graph, model, tensors
from naive.arithmetic import FLOAT64, Arithmetic, Float32
from naive.arrays import BITS, FLOATS, STORAGE, Array, round32
from naive.operators import shapes

Bytes = bytes | memoryview

right_round = arrays.round_to
right_unpack = arrays.unpack
right_dequantize = tensors.dequantize
right_weight = tensors.as_layers_see
right_numbers = model.numbers


def of_storage(
    name: str, says: str, *patches: Patch, page: str = "format.md", arithmetic: Arithmetic = FLOAT64
) -> Mutant:
    return of_numbers(name, says, *patches, page=page, groups=("storage", *EVERY_OPERATOR), arithmetic=arithmetic)


# Bytes


def reading(dtype: str, other: Callable[[Bytes], list[Any]]) -> Patch:
    """Another reading of the bytes of a dtype."""

    def unpack(stored: str, data: Bytes) -> list[Any]:
        return other(data) if stored == dtype else right_unpack(stored, data)

    return patch.object(tensors, "unpack", unpack)


def as_letters(letter: str) -> Callable[[Bytes], list[Any]]:
    return lambda data: [x for (x,) in struct.iter_unpack(f"<{letter}", data)]


def big_endian(stored: str, data: Bytes) -> list[Any]:
    size = STORAGE[stored].size
    return right_unpack(stored, b"".join(bytes(data[at : at + size])[::-1] for at in range(0, len(data), size)))


def without_subnormals(data: Bytes) -> list[float]:
    return [x if abs(x) >= 2.0**-14 else 0.0 for x in right_unpack("float16", data)]


def wrapping(dtype: str, x: Any) -> Any:
    """What comes out has the bytes that came in."""
    return shapes.wrap(x, dtype) if dtype in BITS else right_round(dtype, x)


OTHER_SIGN = patch.object(arrays, "round_to", wrapping)

BYTES = (
    of_storage("tensors: big-endian", "numbers are little-endian", patch.object(tensors, "unpack", big_endian)),
    of_storage(
        "bfloat16: read as float16",
        "the upper 16 bits of a binary32",
        reading("bfloat16", lambda data: right_unpack("float16", data)),
    ),
    of_storage(
        "float16: read as bfloat16",
        "IEEE 754 binary16",
        reading("float16", lambda data: right_unpack("bfloat16", data)),
    ),
    of_storage("float16: small numbers are 0", "float16 is widened exactly", reading("float16", without_subnormals)),
    of_storage("int8: unsigned", "two's complement", reading("int8", as_letters("B")), OTHER_SIGN),
    of_storage("uint8: signed", "from 0 to 255", reading("uint8", as_letters("b")), OTHER_SIGN),
    of_storage("int32: unsigned", "two's complement", reading("int32", as_letters("I")), OTHER_SIGN),
    of_storage("int64: the lower half", "8 bytes", reading("int64", lambda data: as_letters("i")(data)[::2])),
    of_storage(
        "int64: through float64",
        "integers are themselves",
        reading("int64", lambda data: [int(float(x)) for x in right_unpack("int64", data)]),
    ),
)


# Quantization


def quantized(name: str, says: str, dequantize: Callable[..., list[float]]) -> Mutant:
    return of_storage(f"quantization: {name}", says, patch.object(tensors, "dequantize", dequantize))


def wrapped(q: Array, scale: list[float], zero_point: list[int], axis: int | None) -> list[float]:
    """The difference as int8 holds it."""
    differences = [(int(d) + 128) % 256 - 128 for d in right_dequantize(q, [1.0] * len(scale), zero_point, axis)]
    return right_dequantize(Array(q.dtype, q.shape, differences), scale, [0] * len(scale), axis)


def other_axis(last: bool) -> Callable[..., list[float]]:
    def dequantize(q: Array, scale: list[float], zero_point: list[int], axis: int | None) -> list[float]:
        return right_dequantize(q, scale, zero_point, axis if axis is None else len(q.shape) - 1 if last else 0)

    return dequantize


DIFFERENCE = "(int32(q) − int32(zero_point[c])) · scale[c]"
ALONG = "c is the index along axis"

QUANTIZATION = (
    quantized("no scale", DIFFERENCE, lambda q, s, z, axis: right_dequantize(q, [1.0] * len(s), z, axis)),
    quantized("no zero point", DIFFERENCE, lambda q, s, z, axis: right_dequantize(q, s, [0] * len(z), axis)),
    quantized(
        "the zero point is added", DIFFERENCE, lambda q, s, z, axis: right_dequantize(q, s, [-n for n in z], axis)
    ),
    quantized("the difference wraps to int8", DIFFERENCE, wrapped),
    quantized("one scale for all", ALONG, lambda q, s, z, axis: right_dequantize(q, s[:1] * len(s), z, axis)),
    quantized("one zero point for all", ALONG, lambda q, s, z, axis: right_dequantize(q, s, z[:1] * len(z), axis)),
    quantized("always along the first axis", ALONG, other_axis(last=False)),
    quantized("always along the last axis", ALONG, other_axis(last=True)),
)


# What is computed in


class Narrow(Float32):
    """Float32, for layers in float64 too."""

    def of(self, dtype: str) -> Arithmetic:
        return self


def rounding(dtype: str, rounded: Callable[[float], float]) -> Patch:
    """Weights of a dtype, rounded to another one."""

    def as_layers_see(*parts: Any) -> Array:
        seen = right_weight(*parts)
        return Array(dtype, seen.shape, list(map(rounded, seen.data))) if seen.dtype == dtype else seen

    return patch.object(tensors, "as_layers_see", as_layers_see)


def all_through_float32(array: Array, arithmetic: Arithmetic) -> Array:
    if array.dtype in FLOATS:
        return right_numbers(array, arithmetic)
    return Array(array.dtype, array.shape, [int(round32(x)) for x in array.data])


def saturating(dtype: str, x: Any) -> Any:
    rounded = right_round(dtype, x)
    return max(min(rounded, LARGEST), -LARGEST) if dtype == "float32" and rounded == rounded else rounded


COMPUTED = (
    of_storage("float64: computed in float32", "the dtype of x or better", page="ops/dense.md", arithmetic=Narrow()),
    of_storage("float64: weights in float32", "float64 is computed as float64", rounding("float64", round32)),
    of_storage("float32: weights in bfloat16", "float32 is computed as float32", rounding("float32", round_bfloat16)),
    of_storage(
        "integers: through float32", "integers are themselves", patch.object(model, "numbers", all_through_float32)
    ),
    of_storage(
        "float32: ends at its largest number",
        "results that overflow become infinities",
        patch.object(arrays, "round_to", saturating),
        page="ops/elementwise.md",
    ),
    of_storage(
        "attributes: not rounded",
        "a layer rounds a number to the dtype of its input before it computes with it or compares with it",
        patch.object(graph, "rounded_attributes", lambda attributes, inputs: dict(attributes)),
        page="README.md",
    ),
)

MUTANTS = (*BYTES, *QUANTIZATION, *COMPUTED)
