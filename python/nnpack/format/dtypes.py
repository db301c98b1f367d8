"""The storage types of spec/format.md, and how each is widened to the type it is computed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class DType(NamedTuple):
    """A storage type: its bytes as numpy sees them, and the type that layers compute in."""

    name: str
    stored: np.dtype[Any]
    computed: str
    """The dtype of a value made from it."""

    @property
    def itemsize(self) -> int:
        return self.stored.itemsize


DTYPES = {
    name: DType(name, np.dtype(stored), computed)
    for name, stored, computed in (
        ("float32", "<f4", "float32"),
        ("float64", "<f8", "float64"),
        ("float16", "<f2", "float32"),
        ("bfloat16", "<u2", "float32"),  # numpy has no bfloat16: the upper half of a float32's bits
        ("int8", "|i1", "int8"),
        ("int32", "<i4", "int32"),
        ("int64", "<i8", "int64"),
        ("uint8", "|u1", "uint8"),
        ("bool", "|b1", "bool"),
    )
}

FLOATS = ("float32", "float64")
INTEGERS = ("int8", "int32", "int64", "uint8")
NUMBERS = (*FLOATS, *INTEGERS)
PLAIN = (*NUMBERS, "bool")
"""The dtypes that values of the graph and tensors may have."""

COMPUTED = (*PLAIN, "string")
"""The dtypes that values of the graph may have; strings are inputs of lookups, no tensor holds them."""


def from_bfloat16(bits: Array) -> Array:
    """uint16 bits of bfloat16 numbers -> the same numbers, float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def to_bfloat16(x: Array) -> Array:
    """float32 -> uint16 bits of the nearest bfloat16 numbers, ties to even; overflow gives infinity."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = ((bits.astype(np.uint64) + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    quiet_nan = ((bits >> 16) | 0x40).astype(np.uint16)
    return np.where(np.isnan(x), quiet_nan, rounded)
