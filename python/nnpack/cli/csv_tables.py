"""Tables of .csv: one column for each element of a row; errors name the line and the column."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnpack.cli.columns import ArrowWriter, Layout, arrow, cell_names, scatter
from nnpack.cli.faults import one_line
from nnpack.errors import InputError
from nnpack.format.document import Value

Array = NDArray[Any]

BLOCK = 2**20  # bytes of the file that are parsed at a time
CELL = 32  # bytes that a number and its comma take at most, commonly

_FLOAT = re.compile(r"-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|-?(nan|inf|infinity)", re.IGNORECASE)
_INTEGER = re.compile(r"-?\d+")
_TOO_LARGE = {"float32": 2.0**128 - 2.0**103, "float64": float("inf")}  # what rounds to infinity
_BOOL = ("0", "1", "true", "false", "True", "False", "TRUE", "FALSE")


class Reader:
    """The rows of a CSV file, parsed block by block.

    The parser converts each cell straight to its input's dtype. It does not tell the line of a fault, so when it meets
    one the file is searched again for it, cell by cell.
    """

    def __init__(self, path: str, inputs: Sequence[Value], file: Any) -> None:
        self.path, self.file, self.size = path, file, file.size()
        self.first, lines = self._first_row()
        self.names = None if all(map(_is_number, self.first)) else [cell.strip() for cell in self.first]
        self.skip = 0 if self.names is None else lines
        self.layout = Layout(inputs, len(self.first), self.names, path)
        self.dtypes = self.layout.dtypes()
        self.block = max(BLOCK, 4 * CELL * len(self.dtypes))
        self.row_bytes = 0.0
        self.searched = False

    def fraction(self, rows: int) -> float:
        return min(1.0, rows * self.row_bytes / self.size)  # an estimate: the parser reads ahead of the rows

    def chunks(self, rows: int) -> Iterator[list[Array]]:
        pyarrow, _ = arrow("csv")
        read = 0
        try:
            for batch in self._batches():
                if not self.row_bytes and batch.num_rows:
                    self.row_bytes = min(self.block, self.size) / batch.num_rows
                for start in range(0, batch.num_rows, rows):
                    arrays = self.layout.gather(self._columns(batch.slice(start, rows)))
                    read += len(arrays[0])
                    yield arrays
        except pyarrow.ArrowInvalid as error:
            if self._search() or read:
                raise InputError("table-cell", self.path, "a table of numbers", one_line(error)) from error
        if not read:
            yield self.layout.gather([np.empty(0, dtype) for dtype in self.dtypes])

    def _first_row(self) -> tuple[list[str], int]:
        """The first row that is not blank, and how many lines it takes with those before it."""
        for line, row in self._rows():
            if row:
                return row, line
        raise InputError("table-empty", self.path, "rows of numbers", "an empty file")

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """(number of its last line, cells) of each row; a blank line has no cells."""
        with open(self.path, encoding="utf-8-sig", errors="backslashreplace", newline="") as text:
            lines = csv.reader(text)
            try:
                for row in lines:
                    yield lines.line_num, row
            except csv.Error as error:
                at = f"{self.path}, line {lines.line_num}"
                raise InputError("table-cell", at, "cells of numbers", one_line(error)) from error

    def _batches(self) -> Iterator[Any]:
        pyarrow, csv_of_arrow = arrow("csv")
        types = {"float32": pyarrow.float32(), "float64": pyarrow.float64(), "bool": pyarrow.bool_()}
        names = [str(i) for i in range(len(self.dtypes))]
        column_types = {name: types.get(dtype, pyarrow.int64()) for name, dtype in zip(names, self.dtypes, strict=True)}
        yield from csv_of_arrow.open_csv(
            self.file,
            csv_of_arrow.ReadOptions(column_names=names, skip_rows=self.skip, block_size=self.block),
            csv_of_arrow.ParseOptions(ignore_empty_lines=len(names) > 1),  # of a single column it is a missing value
            csv_of_arrow.ConvertOptions(column_types=column_types, null_values=[""], strings_can_be_null=True),
        )

    def _columns(self, batch: Any) -> list[Array]:
        columns = []
        for column in batch.columns:
            if column.null_count:
                self._search()
                raise InputError("table-missing", self.path, "a number in every cell", "a missing value")
            array = column.to_numpy(zero_copy_only=False)
            if not self.searched and array.dtype.kind == "f" and np.isinf(array).any():
                self._search()  # the parser makes an infinity of a number that is too large
            columns.append(array)
        return columns

    def _search(self) -> int:
        """Raises the first fault of the file; where there is none, counts its rows."""
        self.searched = True
        count, header = 0, self.names is not None
        for line, row in self._rows():
            at = f"{self.path}, line {line}"
            if header:
                header = not row
                continue
            if not row:
                if len(self.dtypes) == 1:
                    raise InputError("table-missing", at, "a number", "a blank line")
                continue
            if len(row) != len(self.dtypes):
                raise InputError("table-columns", at, f"{len(self.dtypes)} columns", len(row))
            for i, (cell, dtype) in enumerate(zip(row, self.dtypes, strict=True)):
                fault = _fault(cell.strip(), dtype)
                if fault:
                    name = f" ({self.names[i]})" if self.names else ""
                    code = "table-cell" if cell.strip() else "table-missing"
                    received = repr(cell) if cell.strip() else "a missing value"
                    raise InputError(code, f"{at}, column {i + 1}{name}", fault, received)
            count += 1
        return count


def _fault(cell: str, dtype: str) -> str:
    """What a cell should be, where it is not."""
    if dtype == "bool":
        return "" if cell in _BOOL else "0, 1, true or false"
    if dtype not in ("float32", "float64"):
        return "" if _INTEGER.fullmatch(cell) and -(2**63) <= int(cell) < 2**63 else "a whole number"
    if not _FLOAT.fullmatch(cell):
        return "a number"
    beyond = abs(float(cell)) >= _TOO_LARGE[dtype] and "inf" not in cell.lower()
    return f"a number within {dtype}'s range" if beyond else ""


def _is_number(cell: str) -> bool:
    """Whether a cell of the first line is a number, however written, rather than a name."""
    try:
        float(cell)
    except ValueError:
        return cell.strip() in _BOOL
    return True


@contextmanager
def reader(path: str, inputs: Sequence[Value]) -> Iterator[Reader]:
    """Opens a CSV file; a first line that is not all numbers is its header."""
    pyarrow, _ = arrow("csv")
    # a file of pyarrow's own: its threads read it without Python, which may be ending meanwhile
    yield Reader(path, inputs, pyarrow.OSFile(os.fsencode(path)))


class Writer(ArrowWriter):
    """Writes a header line and rows; each number is the shortest that reads back to the same bits."""

    def write(self, arrays: Sequence[Array]) -> None:
        pyarrow, csv_of_arrow = arrow("csv")
        columns = [column for array in arrays for column in scatter(_countable(array))]
        names = [str(i) for i in range(len(columns))]
        batch = pyarrow.record_batch([pyarrow.array(column) for column in columns], names=names)
        if self.arrow is None:
            shapes = zip(self.outputs, arrays, strict=True)
            header = [cell for value, array in shapes for cell in cell_names(value.name, array.shape[1:])]
            self.file.write(_line(header))
            self.arrow = csv_of_arrow.CSVWriter(
                self.file, batch.schema, write_options=csv_of_arrow.WriteOptions(include_header=False)
            )
        self.arrow.write_batch(batch)


def _countable(array: Array) -> Array:
    return array.astype(np.uint8) if array.dtype == np.bool_ else array  # 0 and 1 are numbers to every reader


def _line(cells: Sequence[str]) -> bytes:
    quoted = [f'"{cell.replace(chr(34), chr(34) * 2)}"' if re.search('[",\r\n]', cell) else cell for cell in cells]
    return (",".join(quoted) + "\n").encode()
