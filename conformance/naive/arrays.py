"""Arrays as flat lists, and their elements as bytes."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Shape = tuple[int | str, ...]
"""Dimensions: a number, or a symbol."""

VALUES = ("float32", "float64", "int8", "int32", "int64", "uint8", "bool")
STRING = "string"
"""The dtype of some inputs of models: each element is a `str`. Layers make none, and no tensor stores any."""

FLOATS = ("float32", "float64")
BITS = {"int8": 8, "int32": 32, "int64": 64, "uint8": 8}
INTEGERS = tuple(BITS)
NUMBERS = (*FLOATS, *INTEGERS)


@dataclass(frozen=True)
class Storage:
    """How a dtype is stored: the letter of `struct`, the size of an element, and the dtype that layers see."""

    letter: str
    size: int
    computed: str


STORAGE = {
    "float32": Storage("f", 4, "float32"),
    "float64": Storage("d", 8, "float64"),
    "float16": Storage("e", 2, "float32"),
    "bfloat16": Storage("H", 2, "float32"),
    "int8": Storage("b", 1, "int8"),
    "int32": Storage("i", 4, "int32"),
    "int64": Storage("q", 8, "int64"),
    "uint8": Storage("B", 1, "uint8"),
    "bool": Storage("B", 1, "bool"),
}


@dataclass
class Array:
    """Elements in C order; booleans are 0 and 1."""

    dtype: str
    shape: tuple[int, ...]
    data: list[Any]


def elements(shape: Iterable[int | str]) -> int:
    """The product of the dimensions, where a symbol counts as 1."""
    return math.prod(n for n in shape if isinstance(n, int))


def unpack(dtype: str, data: bytes | memoryview) -> list[Any]:
    if dtype == STRING:
        return unpack_strings(bytes(data))
    storage = STORAGE[dtype]
    numbers = list(struct.unpack(f"<{len(data) // storage.size}{storage.letter}", data))
    return [bfloat16(bits) for bits in numbers] if dtype == "bfloat16" else numbers


def unpack_strings(data: bytes) -> list[str]:
    """Each is its number of bytes, four of them, and its UTF-8."""
    strings, at = [], 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        if end > len(data):
            raise ValueError(f"a string that ends at byte {end} of {len(data)}")
        strings.append(data[at + 4 : end].decode())
        at = end
    return strings


def pack_string(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "little") + data


def pack(array: Array) -> bytes:
    if array.dtype == STRING:
        return b"".join(map(pack_string, array.data))
    rounded = (round_to(array.dtype, x) for x in array.data)
    return struct.pack(f"<{len(array.data)}{STORAGE[array.dtype].letter}", *rounded)


def bfloat16(bits: int) -> float:
    """The number of which these are the upper half."""
    (number,) = struct.unpack("<f", struct.pack("<I", bits << 16))
    return float(number)


def round32(x: float) -> float:
    """The nearest float32, ties to even; an infinity beyond the range."""
    try:
        (rounded,) = struct.unpack("<f", struct.pack("<f", x))
    except OverflowError:
        return math.copysign(math.inf, x)
    return float(rounded)


def wrap(v: int, dtype: str) -> int:
    """The low bits of two's complement."""
    low = v % int(2 ** BITS[dtype])
    signed = dtype != "uint8" and low >= 2 ** (BITS[dtype] - 1)
    return low - int(2 ** BITS[dtype]) if signed else low


def round_to(dtype: str, x: Any) -> Any:
    return round32(x) if dtype == "float32" else x
