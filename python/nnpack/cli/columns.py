"""Tables of columns (CSV, Parquet) <-> the arrays of inputs and outputs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nnpack.cli.faults import extra
from nnpack.errors import InputError
from nnpack.format.document import Value, show
from nnpack.format.limits import BATCH

Array = NDArray[Any]


def cell_names(name: str, row: Sequence[int]) -> list[str]:
    """The columns of one value: y for one unit, else y[0], y[1], … or y[0,0], y[0,1], … in C order.

    Args:
        name: the name of the input or output.
        row: its shape without the batch axis.
    """
    if tuple(row) in ((), (1,)):
        return [name]
    return [f"{name}[{','.join(map(str, index))}]" for index in itertools.product(*map(range, row))]


class Layout:
    """Which columns of a table make which input.

    Args:
        inputs: the model's inputs, all dimensions but the batch axis known.
        columns: how many columns the table has.
        names: their names, where the table has some. When they are the names of the inputs' cells, their order does
            not matter; otherwise the columns are split over the inputs in order.
        path: the table, for errors.

    Raises:
        InputError: the number of columns does not fit, only some names fit, or a dimension is not fixed.
    """

    def __init__(self, inputs: Sequence[Value], columns: int, names: Sequence[str] | None, path: str) -> None:
        self.inputs = tuple(inputs)
        self.rows = [fixed_row(value, path) for value in inputs]
        wanted = [cell_names(value.name, row) for value, row in zip(inputs, self.rows, strict=True)]
        sizes = [prod(row) for row in self.rows]
        if columns != sum(sizes):
            parts = " + ".join(f"{size} for {value.name!r}" for size, value in zip(sizes, inputs, strict=True))
            expected = f"{sum(sizes)} columns" + (f" ({parts})" if len(inputs) > 1 else "")
            raise InputError("table-columns", path, expected, columns)
        starts = itertools.accumulate(sizes, initial=0)
        self.indices = [list(range(start, start + size)) for start, size in zip(starts, sizes, strict=False)]
        cells = [cell for group in wanted for cell in group]
        places = {name: i for i, name in enumerate(names or ())}
        places.update({cell: places[f"{cell}[0]"] for cell in cells if f"{cell}[0]" in places})
        known = [cell for cell in cells if cell in places]
        if len(known) == len(cells):
            self.indices = [[places[cell] for cell in group] for group in wanted]
        elif known:  # splitting such a table in order would silently feed wrong columns
            absent = next(cell for cell in cells if cell not in places)
            expected = f"a column {absent!r} beside {known[0]!r}, or names of another kind for all"
            raise InputError("table-names", path, expected, "no such column")

    def dtypes(self) -> list[str]:
        """The dtype of the input that each column belongs to."""
        dtypes = {i: v.dtype for v, indices in zip(self.inputs, self.indices, strict=True) for i in indices}
        return [dtypes[i] for i in range(len(dtypes))]

    def gather(self, columns: Sequence[Array]) -> list[Array]:
        """One array of shape (rows, …) for each input, from columns of shape (rows,)."""
        return [
            np.stack([columns[i] for i in indices], axis=1).reshape(-1, *row)
            for indices, row in zip(self.indices, self.rows, strict=True)
        ]


def scatter(array: Array) -> list[Array]:
    """The columns of an array of shape (rows, …), in the order of `cell_names`."""
    flat = array.reshape(len(array), prod(array.shape[1:]))
    return [np.ascontiguousarray(flat[:, i]) for i in range(flat.shape[1])]


def fixed_row(value: Value, path: str) -> tuple[int, ...]:
    """The shape of one row of a value, which must not depend on the data."""
    row = tuple(n for n in value.shape[1:] if isinstance(n, int))
    if value.shape[:1] != (BATCH,) or len(row) != len(value.shape) - 1:
        expected = "an .npy or .npz file, because a table has a fixed number of columns"
        raise InputError("table-shape", path, expected, f"{value.name!r} of shape {show(value.shape)}")
    return row


def arrow(part: str) -> tuple[Any, Any]:
    """pyarrow, and one of its parts: "csv" or "parquet".

    Neither takes an interrupt to itself. pyarrow's own handlers lose one that comes while they are taken off, and
    extension modules one that comes while they are imported: so this is called before there is anything to lose.
    """
    with extra("cli"):
        pyarrow, module = import_module("pyarrow"), import_module(f"pyarrow.{part}")
    pyarrow.enable_signal_handlers(False)
    return pyarrow, module


class ArrowWriter:
    """A writer of rows on top of one of pyarrow's, which is made with the first rows."""

    def __init__(self, path: str, outputs: Sequence[Value], file: IO[bytes]) -> None:
        self.outputs, self.file = outputs, file
        self.arrow: Any = None

    def finish(self) -> None:
        self.arrow.close()

    def close(self) -> None:
        with suppress(Exception):  # an unfinished table is thrown away; why it is unfinished has been said
            if self.arrow is not None:
                self.arrow.close()
