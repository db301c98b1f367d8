"""Tables of .npy and .npz: arrays as they are, one file or member for each input or output."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import prod
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nnpack.cli.faults import one_line
from nnpack.errors import InputError
from nnpack.format.document import Value, show

Array = NDArray[Any]

_BROKEN = (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, SyntaxError)


# Reading


class ArraysReader:
    """Rows of one or several sources that know their shape."""

    def __init__(self, path: str, sources: Sequence[_Mapped | _Member]) -> None:
        for source in sources:
            if not source.shape:
                raise InputError("shape", source.at, "an array of shape (rows, …)", "a single number")
            if source.shape[0] != sources[0].shape[0]:
                raise InputError("shape", source.at, f"{sources[0].shape[0]} rows, as {sources[0].at}", source.shape[0])
        self.path, self.sources, self.rows = path, sources, sources[0].shape[0]

    def chunks(self, rows: int) -> Iterator[list[Array]]:
        for start in range(0, max(self.rows, 1), rows):
            count = min(rows, self.rows - start)
            yield [source.read(start, count) for source in self.sources]

    def fraction(self, rows: int) -> float:
        return rows / max(self.rows, 1)


class _Mapped:
    """An .npy file, mapped: its pages are read when its rows are."""

    def __init__(self, path: str) -> None:
        try:
            self.array = npy.open_memmap(path, mode="r")
        except _BROKEN as error:
            raise InputError("table-file", path, "an .npy file of numbers", one_line(error)) from error
        self.at, self.shape = path, self.array.shape

    def read(self, start: int, count: int) -> Array:
        return np.asarray(self.array[start : start + count])


class _Member:
    """A member of an .npz archive, read as a stream; in Fortran order it has no rows to stream and is read whole."""

    def __init__(self, at: str, file: IO[bytes]) -> None:
        self.at, self.file = at, file
        try:
            self.shape, fortran_order, self.dtype = _npy_head(file)
            self.whole = None
            if fortran_order and len(self.shape) > 1:
                data = _exactly(file, self.nbytes(self.shape))
                self.whole = _array(data, self.shape[::-1], self.dtype).T
        except _BROKEN as error:
            raise InputError("table-file", at, "an .npy file of numbers", one_line(error)) from error

    def nbytes(self, shape: Sequence[int]) -> int:
        return prod(shape) * self.dtype.itemsize

    def read(self, start: int, count: int) -> Array:
        if self.whole is not None:
            return self.whole[start : start + count]
        shape = (count, *self.shape[1:])
        try:
            return _array(_exactly(self.file, self.nbytes(shape)), shape, self.dtype)
        except _BROKEN as error:
            expected = f"{self.shape[0]} rows of shape {show(self.shape[1:])}"
            raise InputError("table-file", self.at, expected, one_line(error)) from error


def _npy_head(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    read_head = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran_order, dtype = read_head(file)
    if dtype.hasobject:
        raise ValueError("an array of Python objects")
    return shape, fortran_order, dtype


def _exactly(file: IO[bytes], nbytes: int) -> bytes:
    data = file.read(nbytes)
    if len(data) != nbytes:
        raise ValueError(f"the end of the file, {nbytes - len(data)} bytes too early")
    return data


def _array(data: bytes, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    return np.ndarray(tuple(shape), dtype, buffer=data)


@contextmanager
def npy_reader(path: str, inputs: Sequence[Value]) -> Iterator[ArraysReader]:
    """Opens an .npy file, for a model with one input."""
    if len(inputs) != 1:
        names = ", ".join(value.name for value in inputs)
        expected = f"an .npz file with an array for each input ({names}), or .csv or .parquet"
        raise InputError("table-kind", path, expected, f".npy, for a model with {len(inputs)} inputs")
    yield ArraysReader(path, [_Mapped(path)])


@contextmanager
def npz_reader(path: str, inputs: Sequence[Value]) -> Iterator[ArraysReader]:
    """Opens an .npz archive that has an array under the name of each input."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
        except zipfile.BadZipFile as error:
            raise InputError("table-file", path, "an .npz archive", one_line(error)) from error
        found = [name.removesuffix(".npy") for name in archive.namelist()]
        wanted = [value.name for value in inputs]
        if sorted(found) != sorted(wanted):
            expected = f"an array for each input: {', '.join(wanted)}"
            raise InputError("input-names", path, expected, ", ".join(found) or "no array")
        members = []
        for name in wanted:
            try:
                file = stack.enter_context(archive.open(f"{name}.npy"))
            except (KeyError, *_BROKEN) as error:
                raise InputError("table-file", path, f"an array {name}.npy", one_line(error)) from error
            members.append(_Member(f"{path}: {name}", file))
        yield ArraysReader(path, members)


# Writing


class NpyWriter:
    """Writes one array, row by row; its header is written again at the end, when the number of rows is known.

    It is not mapped, because a full disk under a mapped file kills the process instead of raising an error.
    """

    def __init__(self, path: str, outputs: Sequence[Value], file: IO[bytes]) -> None:
        if len(outputs) != 1:
            expected = "a name that ends in .npz, .csv or .parquet, or one output by --outputs"
            raise InputError("table-kind", path, expected, f".npy, for {len(outputs)} outputs")
        self.file, self.rows = file, 0
        self.row: tuple[int, ...] | None = None
        self.descr: Any = None

    def write(self, arrays: Sequence[Array]) -> None:
        (array,) = arrays
        if self.row is None:
            self.row, self.descr = array.shape[1:], npy.dtype_to_descr(array.dtype)
            self._head()
        self.file.write(np.ascontiguousarray(array).data if array.size else b"")
        self.rows += len(array)

    def finish(self) -> None:
        self.file.seek(0)
        self._head()  # numpy leaves room for any number of rows, so the header keeps its length
        self.file.seek(0, os.SEEK_END)

    def close(self) -> None:
        pass

    def _head(self) -> None:
        head = {"descr": self.descr, "fortran_order": False, "shape": (self.rows, *(self.row or ()))}
        npy.write_array_header_1_0(self.file, head)


class NpzWriter:
    """Writes one array for each output into nameless files, and at the end all of them into one archive."""

    def __init__(self, path: str, outputs: Sequence[Value], file: IO[bytes]) -> None:
        self.file = file
        self.names = [value.name for value in outputs]
        folder = os.path.dirname(os.path.abspath(path))  # where there is room for the archive
        with ExitStack() as stack:
            self.parts = [stack.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in outputs]
            self.stack = stack.pop_all()
        self.writers = [NpyWriter(path, [value], part) for value, part in zip(outputs, self.parts, strict=True)]

    def write(self, arrays: Sequence[Array]) -> None:
        for writer, array in zip(self.writers, arrays, strict=True):
            writer.write([array])

    def finish(self) -> None:
        with zipfile.ZipFile(self.file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, writer, part in zip(self.names, self.writers, self.parts, strict=True):
                writer.finish()
                part.seek(0)
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                    shutil.copyfileobj(part, member, 2**20)

    def close(self) -> None:
        self.stack.close()
