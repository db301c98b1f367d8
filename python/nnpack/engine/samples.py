"""Varied inputs that are always the same: what exports are verified with, and self-tests made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.format.document import Document, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnpack.format.dtypes import Array


_SEED = 1_905
_SIZES = (3, 5, 2, 7)
"""What the dimensions are whose numbers the model leaves open."""

# numbers of either sign at several scales, all positive, all negative, sparse, and the corners 0, 1 and -1
_SCALES = (1.0, 0.1, 10.0, 1.0, 0.01, 100.0, 1.0, 3.0)


ROWS = (8, 64)
_ELEMENTS = 2**21


def sample_inputs(document: Document) -> list[Array]:
    """An array for each input, of the input's dtype; the numbers are multiples of 2⁻¹², the same on every machine.

    There are 64 rows; fewer, but at least 8, where the values of the graph would have more than 2²¹ elements together.
    """
    least, most = ROWS
    rows = min(most, max(least, _ELEMENTS // document.row_elements))
    # the bits of this generator are frozen; its floating-point distributions are not used
    generator = np.random.RandomState(_SEED)
    symbols: dict[str, int] = {}
    for value in document.inputs:
        for symbol in value.shape[1:]:
            if isinstance(symbol, str):
                symbols.setdefault(symbol, _SIZES[len(symbols) % len(_SIZES)])
    return [_sample(value, rows, symbols, generator) for value in document.inputs]


def _sample(value: Value, rows: int, symbols: dict[str, int], generator: np.random.RandomState) -> Array:
    shape = (rows, *(n if isinstance(n, int) else symbols[n] for n in value.shape[1:]))
    if value.dtype == "bool":
        return generator.randint(0, 2, shape).astype(np.bool_)
    if value.dtype in ("int8", "int32", "int64", "uint8"):
        return generator.randint(0, 128, shape).astype(value.dtype)
    numbers = generator.randint(-(2**12), 2**12, shape).astype(np.float64) / 2**12
    sparse = generator.randint(0, 4, shape) == 0
    for row in range(rows):
        x = numbers[row : row + 1]
        kind = row % len(_SCALES)
        x *= _SCALES[kind]
        if kind == 3:
            np.abs(x, out=x)
        elif kind == 6:
            x[~sparse[row : row + 1]] = 0
        elif kind == 7:
            np.negative(np.abs(x), out=x)
    for row, corner in enumerate((0.0, 1.0, -1.0)):
        if row + 1 < rows:
            numbers[row + 1] = corner
    return numbers.astype(value.dtype)


def rows_of(arrays: Sequence[Array], rows: Sequence[int] | NDArray[Any]) -> list[Array]:
    """Some rows of every array."""
    return [np.ascontiguousarray(array[rows]) for array in arrays]
