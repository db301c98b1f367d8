"""A model as a spreadsheet that computes it: rows to type in, a sheet for each layer, the outputs, a check."""

from __future__ import annotations

from pathlib import Path

from nnpack.errors import InputError, ModelError
from nnpack.format import files
from nnpack.reading import loads

ROWS = 10
"""How many rows a person can type in."""

CELLS = 200_000
"""The most cells that formulas, weights and constants may take."""


def write(path: files.Path, target: files.Path, *, rows: int = ROWS, cells: int = CELLS) -> None:
    """Writes a workbook (.xlsx) whose formulas compute a file, in LibreOffice and in Excel from 2010 on.

    It computes in float64, and shows what nnpack computes until it is recalculated. What is no number (infinity, NaN)
    is an error there.

    Args:
        path: the nnpack file.
        target: the workbook to write.
        rows: how many rows a person can type in; those of the self-test come on top.
        cells: the most cells that formulas, weights and constants may take.

    Raises:
        FormatError: the file is damaged, or no nnpack file.
        SelfTestError: its self-test fails.
        FileError: a file cannot be read or written.
        UnsupportedModelError: layers, inputs or states that cells cannot compute, all of them in one error.
        ModelError: the model takes more cells than there may be, or XlsxWriter is not installed.
        InputError: `rows` is below 1.
    """
    if rows < 1:
        raise InputError("batch-size", "rows", "a whole number above 0", rows)
    try:
        import xlsxwriter
    except ImportError as error:
        expected = "the extra 'excel' (install nnpack-format[excel])"
        raise ModelError("extra-missing", "xlsxwriter", expected, str(error)) from error
    from nnpack.converters.spreadsheet import workbook
    from nnpack.converters.spreadsheet.plan import planned

    model = loads(bytes(files.read(path)))  # a file that is at fault, or fails its self-test, is not converted
    book = workbook.written(planned(model, rows, cells), xlsxwriter)
    with files.replacing(target) as temporary:
        Path(temporary).write_bytes(book)
