"""A model as a plan of sheets: what stands where, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import nnpack.converters.spreadsheet.products
import nnpack.converters.spreadsheet.recurrent  # noqa: F401  # both register their operators
from nnpack.converters.spreadsheet.formulas import HANDLERS, Call, Filling, described
from nnpack.converters.spreadsheet.layout import (
    COLUMNS,
    LINES,
    TOP,
    Array,
    Block,
    Names,
    Sheet,
    defined_name,
    indices,
    sheet_name,
    sheet_names,
)
from nnpack.engine.model import Model
from nnpack.engine.reference import SMALLEST
from nnpack.errors import InputError, ModelError, NnpackError, UnsupportedModelError
from nnpack.format.document import Document, Layer, Value, show
from nnpack.format.limits import BATCH

EXACT = 2**53
"""Cells are float64: integers beyond are rounded."""


@dataclass(frozen=True)
class Check:
    """An element of an output of the self-test.

    Attributes:
        block: the output.
        line: where its row stands in the block.
        place: where the element stands in that line.
        row: which row of the self-test it is.
        expected: what the file says.
        tolerance: how far from that it may be.
    """

    block: Block
    line: int
    place: int
    row: int
    expected: float
    tolerance: float


@dataclass(frozen=True)
class Plan:
    """A workbook.

    Attributes:
        name: of the model.
        rows: how many rows a person types; the lines below are the self-test's.
        inputs: the sheet of the inputs.
        layers: a sheet for each layer.
        outputs: the sheet of the outputs.
        checks: what is compared.
        dtypes: input name -> dtype.
    """

    name: str
    rows: int
    inputs: Sheet
    layers: Sequence[Sheet]
    outputs: Sheet
    checks: Sequence[Check]
    dtypes: Mapping[str, str]

    @property
    def sheets(self) -> list[Sheet]:
        return [self.inputs, self.outputs, *self.layers]


CHECK_CELLS = 3
"""Formulas of a line of the sheet `check`."""


def planned(model: Model, rows: int, cells: int) -> Plan:
    """The workbook of a model.

    Args:
        model: what is to be computed.
        rows: how many rows a person can type in.
        cells: the most cells that formulas, weights and constants may take.

    Raises:
        UnsupportedModelError: the model has something that no cell computes.
        ModelError: it takes more cells than there may be.
    """
    document = model.document
    _require_supported(document)
    tests = _tests(document)
    typed = [_typed(tests[k], rows) for k in range(len(tests))] if tests else _simple(model, rows)
    arrays = [np.concatenate([a, *b]) for a, b in zip(typed, zip(tests) if tests else [()] * len(typed), strict=True)]
    headings = [f"row {i + 1}" for i in range(rows)] + [f"test {i + 1}" for i in range(len(arrays[0]) - rows)]
    shapes = {name: y.shape for name, y in _predicted(model, [x[:1] for x in arrays]).items()}
    lines = len(headings)
    _require_budget(cells, lines, _least(document, shapes, lines))
    return _Planner(model, arrays, headings, shapes, rows).plan(cells)


# What cannot be


def _require_supported(document: Document) -> None:
    """Refuses what no sheet computes, all of it at once."""
    problems: list[NnpackError] = []
    for state in document.states:
        problems.append(ModelError("layer-unsupported", state.input.name, "no state", "a value kept between calls"))
    for value in document.inputs:
        if value.dtype == "string":
            problems.append(ModelError("input-dtype", value.name, "numbers or booleans", value.dtype))
        if document.selftest is None and any(isinstance(n, str) for n in value.shape[1:]):
            expected = "numbers as dimensions, or a self-test that says what the others are"
            problems.append(ModelError("input-shape", value.name, expected, show(value.shape)))
    for layer in document.layers:
        problems.extend(_problems(document, layer))
    if problems:
        raise UnsupportedModelError(problems)


def _problems(document: Document, layer: Layer) -> list[ModelError]:
    op = _operator(layer)
    if op not in HANDLERS:
        return [ModelError("layer-unsupported", layer.name, "an operator that cells can compute", op)]
    found = []
    for role, name in layer.weights.items():
        array = document.computed(name)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            found.append(ModelError("weights-not-finite", layer.name, f"finite numbers as {role}", "NaN or infinity"))
        elif array.dtype == np.int64 and (np.abs(array) > EXACT).any():
            received = f"{role} with larger ones"
            found.append(ModelError("layer-unsupported", layer.name, "integers of at most 2^53", received))
    return found


class _Usage(NamedTuple):
    """The cells that something takes: a layer by its operator, or a sheet."""

    name: str
    what: str
    cells: int


def _least(document: Document, shapes: Mapping[str, tuple[int, ...]], lines: int) -> list[_Usage]:
    """The fewest cells that each layer takes: its values and its weights."""
    usages = []
    for layer in document.layers:
        count = sum(document.tensors[name].array.size for name in layer.weights.values())
        for value in layer.outputs:
            elements = int(np.prod(shapes[value.name], dtype=np.int64))
            count += elements * (lines if _by_rows(value) else 1)
        usages.append(_Usage(layer.name, _operator(layer), count))
    return usages


def _require_budget(cells: int, lines: int, usages: Sequence[_Usage]) -> None:
    """Refuses more cells than there may be; names the layers that take most of them."""
    total = sum(usage.cells for usage in usages)
    if total <= cells:
        return
    largest = sorted(usages, key=lambda usage: -usage.cells)[:5]
    listed = ", ".join(f"{usage.name} ({usage.what}) {usage.cells:,}" for usage in largest)
    more = f", and {len(usages) - len(largest):,} more" if len(usages) > len(largest) else ""
    expected = f"at most {cells:,} cells for {lines:,} rows"
    raise ModelError("cell-budget", largest[0].name, expected, f"{total:,} or more: {listed}{more}")


def _used(layer: Layer, sheet: Sheet) -> _Usage:
    return _Usage(layer.name, _operator(layer), sum(block.size for block in sheet.blocks))


def _operator(layer: Layer) -> str:
    return layer.op.partition("@")[0]


def _require_room(sheet: Sheet) -> None:
    """Refuses a block that no sheet has room for."""
    for block in sheet.blocks:
        if block.left + block.columns > COLUMNS:
            expected = f"at most {COLUMNS - block.left:,} columns"
            raise ModelError("cell-budget", sheet.name, expected, f"{block.columns:,} for {block.title}")
        if block.top + len(block.headings) > LINES:
            raise ModelError(
                "cell-budget", sheet.name, f"at most {LINES:,} lines", f"{block.top + len(block.headings):,}"
            )


# The rows


def _by_rows(value: Value) -> bool:
    return value.shape[:1] == (BATCH,)


def _tests(document: Document) -> list[Array]:
    """The rows of each input that the file carries; nothing where it carries none."""
    test = document.selftest
    return [document.tensors[name].array for name in test.inputs] if test else []


def _typed(tests: Array, rows: int) -> Array:
    """The rows of the self-test, over and over."""
    return np.resize(tests, (rows, *tests.shape[1:]))


def _simple(model: Model, rows: int) -> list[Array]:
    """Rows of tenths from -1 to 1, and of integers 0 and 1; zeros where a table is too small for these."""

    def row_by_row(value: Value, step: int) -> Array:
        shape = (rows, *(int(n) for n in value.shape[1:]))
        places = step * np.add.outer(2 * np.arange(rows), 5 * np.arange(int(np.prod(shape[1:])))).reshape(shape)
        numbers = (places % 21 - 10 * step) / 10 if value.dtype.startswith("float") else places % 2
        return numbers.astype(value.dtype)

    for step in (1, 0):
        arrays = [row_by_row(value, step) for value in model.inputs]
        try:
            model.predict(arrays)
        except InputError:
            continue
        break
    return arrays


def _predicted(model: Model, arrays: Sequence[Array]) -> dict[str, Array]:
    """Every value of the graph, for these rows."""
    names = [value.name for layer in model.document.layers for value in layer.outputs]
    made = model.predict(list(arrays), outputs=names) if names else []
    return {
        **{value.name: x for value, x in zip(model.inputs, arrays, strict=True)},
        **dict(zip(names, made, strict=True)),
    }


# The sheets


class _Planner:
    """Lays out sheet after sheet."""

    def __init__(
        self,
        model: Model,
        arrays: Sequence[Array],
        headings: Sequence[str],
        shapes: Mapping[str, tuple[int, ...]],
        rows: int,
    ) -> None:
        self.model, self.document = model, model.document
        self.arrays, self.headings, self.shapes, self.rows = arrays, headings, shapes, rows
        self._sheets, self._names = sheet_names(), Names(255)
        self._blocks: dict[str, Block] = {}
        self._values: dict[str, Array] = {}

    def plan(self, cells: int) -> Plan:
        inputs = self._inputs()
        layers = [self._layer(layer) for layer in self.document.layers]
        outputs = self._outputs()
        checks = self._checks(outputs)
        usages = [
            *map(_used, self.document.layers, layers),
            _Usage("output", "sheet", sum(block.size for block in outputs.blocks)),
            _Usage("check", "sheet", CHECK_CELLS * len(checks)),
        ]
        _require_budget(cells, len(self.headings), usages)
        for sheet in (inputs, *layers, outputs):
            _require_room(sheet)
        dtypes = {value.name: value.dtype for value in self.document.inputs}
        return Plan(self.document.name, self.rows, inputs, layers, outputs, checks, dtypes)

    def _defined(self, name: str) -> str:
        return self._names.new(defined_name(name))

    def _inputs(self) -> Sheet:
        note = f"A row of numbers in each of the {self.rows:,} lines; the lines below are the self-test of the file."
        if len(self.headings) == self.rows:
            note = f"A row of numbers in each of the {self.rows:,} lines."
        sheet = Sheet("input", f"{self.document.name}: type rows here", note, self.headings)
        for value, array in zip(self.document.inputs, self.arrays, strict=True):
            self._blocks[value.name] = sheet.put(
                value.name,
                array.shape[1:],
                partial(np.asarray, array),
                top=TOP,
                left=sheet.beside(),
                labels=_labels(value, array.shape[1:]),
                name=self._defined(value.name),
                whole=not value.dtype.startswith("float"),
            )
        return sheet

    def _layer(self, layer: Layer) -> Sheet:
        source = layer.made_from.class_name
        formula = described(layer)
        sheet = Sheet(
            self._sheets.new(sheet_name(layer.name)),
            f"{layer.name}: {_operator(layer)}, from {source}",
            "; ".join(filter(None, [formula, f"reads {', '.join(layer.inputs)}" if layer.inputs else ""])),
            self.headings,
        )
        at = [self._put(sheet, value) for value in layer.outputs]
        inputs = [self._blocks[name] for name in layer.inputs]
        call = Call(self.document, layer, sheet, inputs, layer.outputs[0].dtype, self._defined)
        fillings = HANDLERS[call.op](call)
        made = [fillings] if isinstance(fillings, Filling) else fillings
        for k, filling, value in zip(at, made, layer.outputs, strict=True):
            sheet.blocks[k] = self._blocks[value.name] = self._filled(sheet.blocks[k], filling)
        return sheet

    def _filled(self, block: Block, filling: Filling) -> Block:
        return replace(block, formula=filling.formula, span=filling.span)

    def _put(self, sheet: Sheet, value: Value) -> int:
        """Room for a value; where in the sheet's list of blocks it stands."""
        shape = self.shapes[value.name]
        more: dict[str, Any] = {"name": self._defined(value.name), "whole": not value.dtype.startswith("float")}
        if not _by_rows(value):
            more |= {"fixed": True, "headings": ["all rows"]}
        sheet.put(value.name, shape[1:] if _by_rows(value) else shape, partial(self._numbers, value.name), **more)
        return len(sheet.blocks) - 1

    def _numbers(self, name: str) -> Array:
        if not self._values:
            self._values = _predicted(self.model, self.arrays)
        return self._values[name]

    def _outputs(self) -> Sheet:
        sheet = Sheet(
            "output", f"{self.document.name}: outputs", "What the network answers, row by row.", self.headings
        )
        for name in self.document.outputs:
            value, block = self.document.values[name], self._blocks[name]
            cells = block.cells.reshape(-1)
            sheet.put(
                name,
                block.shape,
                block.numbers,
                top=TOP,
                left=sheet.beside(),
                labels=_labels(value, block.shape),
                headings=block.headings,
                fixed=block.fixed,
                whole=block.whole,
                name=self._defined(f"output_{name}"),
                formula=_reference(cells, sheet),
            )
        return sheet

    def _checks(self, outputs: Sheet) -> list[Check]:
        """Every finite number that the self-test expects."""
        test = self.document.selftest
        if test is None:
            return []
        checks = []
        for block, expected_name, tolerance_name in zip(outputs.blocks, test.outputs, test.tolerances, strict=True):
            dtype = self.document.values[block.title].dtype
            expected = self.document.computed(expected_name).reshape(-1, block.columns).astype(np.float64)
            tolerance = self.document.computed(tolerance_name).reshape(-1, block.columns).astype(np.float64)
            tolerance = np.maximum(tolerance, SMALLEST.get(dtype, 0.0))
            for row, place in np.argwhere(np.isfinite(expected)).tolist():
                line = 0 if block.fixed else self.rows + row
                numbers = float(expected[row, place]), float(tolerance[row, place])
                checks.append(Check(block, line, place, row + 1, *numbers))
        return checks


def _reference(cells: Array, here: Sheet) -> Callable[[int, int], str]:
    return lambda line, place: str(cells[place].at(line, here))


def _labels(value: Value, shape: tuple[int, ...]) -> list[str]:
    """x[0], x[1], … or x alone where it has one element."""
    if int(np.prod(shape)) == 1:
        return [value.name]
    return [f"{value.name}{label if label.startswith('[') else f'[{label}]'}" for label in indices(shape)]
