"""Rows of data as streams: .npy, .npz, .csv and .parquet, read and written in bounded memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nnpack.cli import array_tables, csv_tables, parquet_tables
from nnpack.cli.columns import arrow
from nnpack.errors import FileError, InputError
from nnpack.format.document import Value
from nnpack.format.files import Path, guarded, replacing

Array = NDArray[Any]


class Reader(Protocol):
    """A table of inputs, read from its start to its end."""

    def chunks(self, rows: int) -> Iterator[list[Array]]:
        """One array for each input, of at most so many rows at a time; a table without rows gives one such chunk."""

    def fraction(self, rows: int) -> float:
        """How much of the table has been read when `rows` rows have."""


class Writer(Protocol):
    """A table of outputs, written chunk by chunk."""

    def write(self, arrays: Sequence[Array]) -> None:
        """Takes one array for each output; the first call fixes the shape of a row."""

    def finish(self) -> None:
        """Writes what only the end tells."""

    def close(self) -> None:
        """Lets go of what it holds, finished or not."""


_WRITERS: dict[str, Callable[[str, Sequence[Value], IO[bytes]], Writer]] = {
    ".npy": array_tables.NpyWriter,
    ".npz": array_tables.NpzWriter,
    ".csv": csv_tables.Writer,
    ".parquet": parquet_tables.Writer,
}
KINDS = tuple(_WRITERS)

_OF_ARROW = {".csv": "csv", ".parquet": "parquet"}
"""The kinds that pyarrow reads and writes, and its parts that do."""


def _import(kind: str) -> None:
    """What a kind needs, while there is nothing yet that an interrupt could leave behind."""
    if kind in _OF_ARROW:
        arrow(_OF_ARROW[kind])


def kind_of(path: Path) -> str:
    """The kind of a table, by its name: one of KINDS."""
    kind = os.path.splitext(os.fsdecode(path))[1].lower()
    if kind not in KINDS:
        raise InputError(
            "table-kind", os.fsdecode(path), f"a name that ends in {', '.join(KINDS)}", kind or "no ending"
        )
    return kind


def open_reader(path: Path, inputs: Sequence[Value]) -> AbstractContextManager[Reader]:
    """Opens a table that holds rows for the inputs of a model.

    Raises:
        FileError: it is missing, a directory, or cannot be read.
        InputError: it does not fit the inputs.
    """
    path = os.fsdecode(path)
    kind = kind_of(path)
    with guarded(path, "a file that can be read"):
        mode = os.stat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a pipe can be read once only
            raise FileError("file-not-regular", path, "a regular file", stat.filemode(mode))
        open(path, "rb").close()
    _import(kind)
    if kind == ".npy":
        return array_tables.npy_reader(path, inputs)
    if kind == ".npz":
        return array_tables.npz_reader(path, inputs)
    return csv_tables.reader(path, inputs) if kind == ".csv" else parquet_tables.reader(path, inputs)


@contextmanager
def open_writer(path: Path, outputs: Sequence[Value]) -> Iterator[Writer]:
    """Opens a table for the outputs of a model; it appears when the block ends, and not at all when it fails.

    Raises:
        FileError: it cannot be written.
        InputError: this kind of table cannot hold these outputs.
    """
    path = os.fsdecode(path)
    kind = kind_of(path)
    _import(kind)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        writer = _WRITERS[kind](path, outputs, file)
        try:
            yield writer
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        finally:
            writer.close()


def read_all(path: Path, inputs: Sequence[Value], rows: int) -> list[Array]:
    """The whole table: one array for each input."""
    with open_reader(path, inputs) as reader:
        return [np.concatenate(parts) for parts in zip(*reader.chunks(rows), strict=True)]
