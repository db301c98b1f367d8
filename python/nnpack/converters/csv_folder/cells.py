"""Arrays as CSV files: the fewest digits that read back to the same bits, and every fault by its line and column."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnpack.errors import FormatError, ModelError
from nnpack.format import files
from nnpack.format.dtypes import DTYPES, from_bfloat16, to_bfloat16

if TYPE_CHECKING:
    from nnpack.format.document import Tensor
    from nnpack.format.dtypes import Array

BLOCK = 2**18
"""How many cells are converted at a time."""

_FLOATS = ("float32", "float64", "float16", "bfloat16")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d{1,99}", re.ASCII)


def lines_and_cells(shape: Sequence[int]) -> tuple[int, int]:
    """How many lines the file of an array has, and how many cells each of them: the last axis is a line."""
    return (prod(shape[:-1]), shape[-1]) if shape else (1, 1)


# Numbers to text


def write(path: files.Path, array: Array, dtype: str) -> None:
    """Writes an array as stored, of a storage type or of strings."""
    with files.replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(_pieces(array.reshape(lines_and_cells(array.shape)), dtype))


def _pieces(table: Array, dtype: str) -> Iterator[str]:
    """The text of a table, some lines at a time, or a part of a line."""
    cells = table.shape[1]
    rows = max(1, BLOCK // cells)
    for row in range(0, len(table), rows):
        for cell in range(0, cells, BLOCK):
            end = "\n" if cell + BLOCK >= cells else ","
            block = texts(table[row : row + rows, cell : cell + BLOCK], dtype)
            text = end.join(map(",".join, block.tolist())) + end
            # in a number that is a whole one, ".0" are digits too many
            yield text if dtype == "string" else text.replace(".0,", ",").replace(".0\n", "\n")


def texts(array: Array, dtype: str) -> Array:
    """The text of every element; that of a whole number may end in ".0"."""
    if dtype == "string":
        quoted = ['"' + str(item).replace('"', '""') + '"' for item in array.ravel().tolist()]
        return np.array(quoted, object).reshape(array.shape)
    if dtype == "bool":
        return array.astype(np.uint8).astype(np.str_)
    if dtype == "bfloat16":
        bits, places = np.unique(array, return_inverse=True)
        return np.array(_shortest(bits))[places].reshape(array.shape)
    return array.astype(np.str_)


def _shortest(bits: Array) -> list[str]:
    """The texts of bfloat16 numbers, of which numpy knows nothing; four digits tell any two of them apart."""
    numbers = from_bfloat16(bits).astype(np.float64).tolist()
    found = list(map(repr, numbers))
    for digits in (4, 3, 2, 1):
        for step in (1, -1, 0):  # the nearest of so many digits last; at powers of two only its neighbour may do
            tried = [_decimal(number, digits, step) for number in numbers]
            right = _rounded(np.array(tried), "bfloat16") == bits
            found = [repr(new) if fits else old for new, old, fits in zip(tried, found, right.tolist(), strict=True)]
    return found


def _decimal(number: float, digits: int, step: int) -> float:
    """The decimal of so many digits that is nearest to a number, or the one `step` units of its last digit above."""
    if not np.isfinite(number):
        return number
    digits_, _, exponent = f"{number:.{digits - 1}e}".partition("e")
    return float(f"{int(digits_.replace('.', '')) + step}e{int(exponent) - digits + 1}")


def check_nan(tensor: Tensor) -> None:
    """Refuses a tensor with a NaN that is not the usual one: the text "nan" would not bring its bits back.

    Raises:
        ModelError: with the place of the first one.
    """
    if tensor.dtype not in _FLOATS:
        return
    bits = tensor.array.view(f"<u{DTYPES[tensor.dtype].itemsize}")
    usual = _rounded(np.array(np.nan), tensor.dtype).view(bits.dtype)
    odd = np.isnan(tensor.widened()) & (bits != usual)
    if odd.any():
        index = np.unravel_index(np.argmax(odd), odd.shape)
        at = f"tensor {tensor.name!r}[{', '.join(map(str, index))}]"
        raise ModelError("nan-bits", at, f"the NaN of the bits {usual.item():#x}", f"{bits[index].item():#x}")


# Text to numbers


class _Table(NamedTuple):
    """What a file must hold."""

    path: str
    dtype: str
    lines: int
    cells: int
    finite: bool


def read(path: files.Path, dtype: str, shape: Sequence[int], finite: bool) -> Array:
    """The array that a file holds, as stored.

    Args:
        path: the file.
        dtype: a storage type.
        shape: of the array.
        finite: whether NaN and infinities are refused.

    Raises:
        FileError: it cannot be read.
        FormatError: it holds something else, with the line and column of the first fault.
    """
    table = _Table(files.shown(path), dtype, *lines_and_cells(shape), finite)
    rows = max(1, BLOCK // table.cells)
    blocks = []
    with (
        files.guarded(path, "a file that can be read"),
        open(path, encoding="utf-8-sig", errors="backslashreplace") as file,
    ):
        for at in range(0, table.lines, rows):
            lines = list(islice(file, min(rows, table.lines - at)))
            blocks.append(_block(table, lines, at))
            if at + len(lines) < min(at + rows, table.lines):
                raise _lines(table, at + len(lines))
        rest = sum(1 for _ in file)
        if rest:
            raise _lines(table, table.lines + rest)
    return np.concatenate(blocks).reshape(shape)


def _lines(table: _Table, received: int) -> FormatError:
    return FormatError("table-shape", table.path, f"{table.lines:,} lines", f"{received:,}")


def _block(table: _Table, lines: list[str], at: int) -> Array:
    """The numbers of some lines, as stored; `at` lines stand before them."""
    if not lines:
        return np.empty((0, table.cells), DTYPES[table.dtype].stored)
    numbers = _parsed(lines, table)
    if numbers is None or not _ordinary(numbers, table.dtype):
        _check(table, lines, at)
    if numbers is None:
        raise FormatError("table-cell", f"{table.path}, line {at + 1}", "lines of numbers", "something else")
    stored = _rounded(numbers, table.dtype)
    if table.dtype == "float32":
        _settle(stored, numbers, lines)
    return stored


def _parsed(lines: list[str], table: _Table) -> Array | None:
    """The numbers of some lines, as wide as can be; None where there is any fault."""
    wide = np.float64 if table.dtype in _FLOATS else np.int64
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of cells that are read otherwise than as what was asked for
            numbers = np.loadtxt(lines, wide, delimiter=",", comments=None, ndmin=2)
    except (ValueError, Warning):
        return None
    return numbers if numbers.shape == (len(lines), table.cells) else None


def _ordinary(numbers: Array, dtype: str) -> bool:
    """Whether numbers are surely what the storage type can hold; it can hold infinities, if they are meant."""
    if dtype in _FLOATS:
        return bool(np.isfinite(_widened(_rounded(numbers, dtype), dtype)).all())
    least, most = _range(dtype)
    return bool(numbers.min() >= least and numbers.max() <= most)


def _range(dtype: str) -> tuple[int, int]:
    """The least and the largest integer of a storage type."""
    if dtype == "bool":
        return 0, 1
    limits = np.iinfo(DTYPES[dtype].stored)
    return int(limits.min), int(limits.max)


def _check(table: _Table, lines: list[str], at: int) -> None:
    """Raises the first fault of some lines, where there is one."""
    for number, line in enumerate(lines, at + 1):
        where = f"{table.path}, line {number}"
        cells = line.rstrip("\n").split(",")
        if len(cells) != table.cells:
            raise FormatError("table-shape", where, f"{table.cells:,} cells", f"{len(cells):,}")
        for column, cell in enumerate(map(str.strip, cells), 1):
            expected = _expected(cell, table)
            if expected:
                raise FormatError("table-cell", f"{where}, column {column}", expected, ascii(cell[:80]))


def _expected(cell: str, table: _Table) -> str:
    """What a cell should be, where it is not."""
    if table.dtype not in _FLOATS:
        least, most = _range(table.dtype)
        fits = _INTEGER.fullmatch(cell) and least <= int(cell) <= most
        return "" if fits else f"an integer from {least} to {most}"
    if _NOT_FINITE.fullmatch(cell):
        return "a finite number" if table.finite else ""
    if not _NUMBER.fullmatch(cell):
        return "a finite number" if table.finite else "a number, nan, inf or -inf"
    beyond = np.isinf(_widened(_rounded(np.array(float(cell)), table.dtype), table.dtype))
    return f"a number within the range of {table.dtype}" if beyond else ""


def _widened(stored: Array, dtype: str) -> Array:
    return from_bfloat16(stored) if dtype == "bfloat16" else stored


def _rounded(numbers: Array, dtype: str) -> Array:
    """Numbers as wide as can be -> as stored; every NaN becomes the usual one."""
    if dtype not in _FLOATS:
        return numbers.astype(DTYPES[dtype].stored)
    usual = np.where(np.isnan(numbers), np.nan, numbers)
    with np.errstate(over="ignore"):
        return to_bfloat16(usual.astype(np.float32)) if dtype == "bfloat16" else usual.astype(DTYPES[dtype].stored)


def _settle(stored: Array, numbers: Array, lines: list[str]) -> None:
    """Rounds those cells anew of which float64 makes a number that lies in the middle between two of float32.

    7.038531e-26 is such a cell: it lies below the middle, so that rounding twice goes the wrong way.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        other = np.nextafter(stored, np.where(numbers > stored, np.inf, -np.inf).astype(np.float32))
        gap = numbers - stored
        middle = (gap != 0) & (gap == other.astype(np.float64) - numbers)
    for line, cell in np.argwhere(middle):
        beyond = Fraction(lines[line].split(",")[cell].strip()) - Fraction(float(numbers[line, cell]))
        if beyond:
            pick = max if beyond > 0 else min
            stored[line, cell] = pick(stored[line, cell], other[line, cell])
