"""Tables of .parquet: one column for each element of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnpack.cli.columns import ArrowWriter, Layout, arrow, cell_names, scatter
from nnpack.cli.faults import one_line
from nnpack.errors import InputError
from nnpack.format.document import Value
from nnpack.format.files import guarded

Array = NDArray[Any]


class Reader:
    """The rows of a Parquet file, decoded batch by batch."""

    def __init__(self, path: str, inputs: Sequence[Value], file: Any) -> None:
        from pyarrow import types

        self.path, self.file, self.schema = path, file, file.schema_arrow
        self.layout = Layout(inputs, len(self.schema), self.schema.names, path)
        for field in self.schema:
            if not (types.is_integer(field.type) or types.is_floating(field.type) or types.is_boolean(field.type)):
                raise InputError("table-cell", f"{path}, column {field.name!r}", "numbers", field.type)

    def fraction(self, rows: int) -> float:
        return rows / max(self.file.metadata.num_rows, 1)

    def chunks(self, rows: int) -> Iterator[list[Array]]:
        pyarrow, _ = arrow("parquet")
        read = 0
        try:
            for batch in self.file.iter_batches(rows):
                yield self.layout.gather(self._columns(batch, read))
                read += batch.num_rows
        except (pyarrow.ArrowException, OSError) as error:  # a damaged page is an OSError to pyarrow
            raise InputError("table-file", self.path, "a Parquet file", one_line(error)) from error
        if not read:
            yield self.layout.gather([np.empty(0, field.type.to_pandas_dtype()) for field in self.schema])

    def _columns(self, batch: Any, read: int) -> list[Array]:
        columns = []
        for name, column in zip(self.schema.names, batch.columns, strict=True):
            if column.null_count:
                row = read + column.is_null().to_numpy(zero_copy_only=False).argmax() + 1
                at = f"{self.path}, row {row}, column {name!r}"
                raise InputError("table-missing", at, "a number", "a missing value")
            columns.append(column.to_numpy(zero_copy_only=False))
        return columns


@contextmanager
def reader(path: str, inputs: Sequence[Value]) -> Iterator[Reader]:
    """Opens a Parquet file."""
    pyarrow, parquet = arrow("parquet")
    with guarded(path, "a file that can be read"):
        try:
            file = parquet.ParquetFile(path)
        except pyarrow.ArrowException as error:
            raise InputError("table-file", path, "a Parquet file", one_line(error)) from error
    with file:
        yield Reader(path, inputs, file)


class Writer(ArrowWriter):
    """Writes each chunk as a row group."""

    def write(self, arrays: Sequence[Array]) -> None:
        pyarrow, parquet = arrow("parquet")
        shapes = zip(self.outputs, arrays, strict=True)
        names = [cell for value, array in shapes for cell in cell_names(value.name, array.shape[1:])]
        columns = [pyarrow.array(column) for array in arrays for column in scatter(array)]
        table = pyarrow.table(columns, names=names)
        if self.arrow is None:
            self.arrow = parquet.ParquetWriter(self.file, table.schema)
        self.arrow.write_table(table)
