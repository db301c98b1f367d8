"""A plan as a workbook, by XlsxWriter."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any

import numpy as np

from nnpack.converters.spreadsheet.layout import LEFT, TOP, Block, Sheet, Span
from nnpack.converters.spreadsheet.plan import Check, Plan
from nnpack.errors import ModelError

FORMULA = 8_192
"""The most characters that a formula has."""

SERIES = 10
"""The most lines of the chart."""

_NARROW = 8
"""Tables of fewer columns leave room for the chart on their right, and fit on a page."""

_INK, _PALE, _LINE = "#1F3B57", "#E8EEF4", "#B8C4D0"
_STYLES: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 14, "font_color": _INK},
    "note": {"font_color": "#5A6772"},
    "heading": {"bold": True, "font_color": _INK, "bg_color": _PALE},
    "label": {"bold": True, "font_color": _INK, "bg_color": _PALE, "align": "right"},
    "line": {"font_color": "#5A6772"},
    "number": {"num_format": "0.000000"},
    "number integer": {"num_format": "0"},
    "weight": {"num_format": "0.000000", "font_color": "#7A4B00"},
    "weight integer": {"num_format": "0", "font_color": "#7A4B00"},
    "typed": {"num_format": "0.0#####", "bg_color": "#FFF8DC", "border": 1, "border_color": _LINE},
    "typed integer": {"num_format": "0", "bg_color": "#FFF8DC", "border": 1, "border_color": _LINE},
    "tested": {"num_format": "0.0#####", "bg_color": "#F2F2F2", "font_color": "#5A6772"},
    "tested integer": {"num_format": "0", "bg_color": "#F2F2F2", "font_color": "#5A6772"},
    "small": {"num_format": "0.0E+00"},
    "verdict": {"bold": True, "font_size": 36, "align": "center", "valign": "vcenter", "border": 2},
    "pass": {"bg_color": "#C6EFCE", "font_color": "#006100"},
    "fail": {"bg_color": "#FFC7CE", "font_color": "#9C0006"},
}


class _Exact(float):
    """A number that is written with all its digits; XlsxWriter rounds to 16, which float64 is not."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


def formulas(plan: Plan) -> dict[Block, list[list[str]]]:
    """Every formula, by lines of blocks.

    Raises:
        ModelError: one is too long.
    """
    texts = {}
    for sheet in plan.sheets:
        for block in sheet.blocks:
            if block.formula is not None:
                texts[block] = _of_block(sheet, block, block.formula)
    return texts


def _of_block(sheet: Sheet, block: Block, formula: Any) -> list[list[str]]:
    lines = []
    for line in range(len(block.headings)):
        lines.append([f"={formula(line, place)}" for place in range(0, block.columns, block.span)])
        longest = max(map(len, lines[-1]))
        if longest > FORMULA:
            expected = f"formulas of at most {FORMULA:,} characters"
            raise ModelError("layer-unsupported", block.title, expected, f"{longest:,} on the sheet {sheet.name}")
    return lines


def written(plan: Plan, xlsxwriter: Any) -> bytes:
    """The bytes of a workbook.

    Args:
        plan: what stands where.
        xlsxwriter: the package.

    Raises:
        ModelError: a formula is too long.
    """
    texts = formulas(plan)
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        _Writer(book, plan, texts).write()
    return file.getvalue()


class _Writer:
    def __init__(self, book: Any, plan: Plan, texts: dict[Block, list[list[str]]]) -> None:
        self.book, self.plan, self.texts = book, plan, texts
        self.styles = {name: book.add_format(style) for name, style in _STYLES.items()}

    def write(self) -> None:
        plan = self.plan
        self._inputs()
        page = self._sheet(plan.outputs)
        self._chart(page)
        self._check()
        for sheet in plan.layers:
            self._sheet(sheet)

    # Sheets

    def _sheet(self, sheet: Sheet) -> Any:
        page = self.book.add_worksheet(sheet.name)
        page.write_string(0, 0, sheet.title, self.styles["title"])
        page.write_string(1, 0, sheet.note, self.styles["note"])
        headings = [heading for block in sheet.blocks for heading in (block.title, *block.headings)]
        page.set_column(0, 0, min(40, max(map(len, headings), default=8) + 2))
        labels = max((len(label) for block in sheet.blocks for label in block.labels), default=0)
        page.set_column(
            LEFT, max((b.left + b.columns for b in sheet.blocks), default=LEFT), min(24, max(13, labels + 2))
        )
        page.freeze_panes(TOP, LEFT)
        _printed(page, sheet.beside())
        for block in sheet.blocks:
            self._block(page, block)
        return page

    def _block(self, page: Any, block: Block) -> None:
        if block.left == LEFT:
            page.write_string(block.top - 1, 0, block.title, self.styles["heading"])
            page.write_column(block.top, 0, block.headings, self.styles["line"])
        page.write_row(block.top - 1, block.left, block.labels, self.styles["label"])
        for line, numbers in enumerate(block.values.tolist()):
            if block.formula is None:
                style = self._style(block, line)
                for place, number in enumerate(numbers):
                    page.write_number(block.top + line, block.left + place, _Exact(number), style)
            else:
                self._computed(page, block, line, numbers)
        if block.name:
            self.book.define_name(block.name, f"={block.area}")

    def _computed(self, page: Any, block: Block, line: int, numbers: list[float]) -> None:
        """Formulas, each with what nnpack computes for it: programs that only show a file show that."""
        style, down = self._style(block, line), block.top + line
        for k, text in enumerate(self.texts[block][line]):
            place = k * block.span
            at, value = block.left + place, _shown(numbers[place])
            if block.span == 1 and "MMULT(" not in text:
                page.write_formula(down, at, text, style, value)
                continue
            page.write_array_formula(down, at, down, at + block.span - 1, f"{{{text}}}", style, value)
            for right in range(1, block.span):
                page.write(down, at + right, _shown(numbers[place + right]), style)

    def _style(self, block: Block, line: int) -> Any:
        kind = "number" if block.formula else "weight"
        if block.sheet is self.plan.inputs:
            kind = "typed" if line < self.plan.rows else "tested"
        return self.styles[f"{kind} integer" if block.whole else kind]

    # The sheets of their own kind

    def _inputs(self) -> None:
        """Where a person types: a number that is none is refused there."""
        sheet, last = self.plan.inputs, TOP + self.plan.rows - 1
        page = self._sheet(sheet)
        for block in sheet.blocks:
            page.data_validation(
                TOP, block.left, last, block.left + block.columns - 1, _validation(self.plan.dtypes[block.title])
            )

    def _chart(self, page: Any) -> None:
        """The outputs over the rows; of one number that becomes one, the output over the input."""
        inputs, outputs = ([b for b in sheet.blocks if not b.fixed] for sheet in (self.plan.inputs, self.plan.outputs))
        if not outputs:
            return
        curve = sum(block.columns for block in inputs) == sum(block.columns for block in outputs) == 1
        chart = self.book.add_chart({"type": "scatter"} if curve else {"type": "line"})
        last = TOP + self.plan.rows - 1
        columns = [(block.labels[k], block.left + k) for block in outputs for k in range(block.columns)]
        across = ["input", TOP, LEFT, last, LEFT] if curve else ["output", TOP, 0, last, 0]
        for name, column in columns[:SERIES]:
            values = ["output", TOP, column, last, column]
            marker = {"type": "circle", "size": 6}
            chart.add_series({"name": name, "categories": across, "values": values, "marker": marker})
        title = f"{outputs[0].title} over {inputs[0].title}" if curve else "Outputs over the rows"
        more = f", the first {SERIES} of {len(columns):,}" if len(columns) > SERIES else ""
        chart.set_title({"name": title + more, "name_font": {"size": 12}})
        chart.set_x_axis({"name": inputs[0].title if curve else "", "label_position": "low"})
        chart.set_y_axis({"name": outputs[0].title if curve else "", "major_gridlines": {"visible": True}})
        chart.set_legend({"none": True} if len(columns) == 1 else {"position": "bottom"})
        chart.set_size({"width": 640, "height": 340})
        free = self.plan.outputs.beside()
        beside = free <= _NARROW
        page.insert_chart(*((TOP - 1, free) if beside else (TOP + len(self.plan.outputs.rows) + 1, LEFT)), chart)

    def _check(self) -> None:
        checks, page = self.plan.checks, self.book.add_worksheet("check")
        page.write_string(0, 0, f"{self.plan.name}: self-test", self.styles["title"])
        if not checks:
            page.write_string(1, 0, "The file carries no self-test.", self.styles["note"])
            return
        note = "What the file expects for its own rows, and what this workbook computes for them now."
        page.write_string(1, 0, note, self.styles["note"])
        first, last = _CHECKS + 1, _CHECKS + len(checks)
        results = [self._checked(page, _CHECKS + k, check) for k, check in enumerate(checks)]
        page.merge_range(2, 0, 4, 3, "", self.styles["verdict"])
        verdict = f'=IF(SUM(H{first}:H{last})={len(checks)},"PASS","FAIL")'
        page.write_formula(2, 0, verdict, self.styles["verdict"], "PASS" if all(results) else "FAIL")
        page.write_row(_CHECKS - 1, 0, _CHECK_HEADINGS[:2], self.styles["heading"])
        page.write_row(_CHECKS - 1, 2, _CHECK_HEADINGS[2:], self.styles["label"])
        _printed(page, len(_CHECK_HEADINGS))
        page.set_column(0, 1, 16)
        page.set_column(2, 7, 14)
        page.freeze_panes(_CHECKS, 0)
        self._coloured(page, "A3:D5", '"PASS"', '"FAIL"')
        self._coloured(page, f"H{first}:H{last}", "1", "0")

    def _checked(self, page: Any, line: int, check: Check) -> bool:
        """A line of the sheet `check`; whether the number is within its tolerance."""
        block, n = check.block, line + 1
        number = float(block.values[check.line, check.place])
        within = abs(number - check.expected) <= check.tolerance
        page.write_string(line, 0, block.title, self.styles["line"])
        page.write_string(line, 1, block.labels[check.place], self.styles["line"])
        page.write_number(line, 2, check.row, self.styles["line"])
        page.write_number(line, 3, _Exact(check.expected), self.styles["number"])
        computed = Span(block, check.place, check.place).at(check.line, _NOWHERE)
        page.write_formula(line, 4, f"={computed}", self.styles["number"], _shown(number))
        page.write_formula(line, 5, f"=ABS(E{n}-D{n})", self.styles["small"], _shown(abs(number - check.expected)))
        page.write_number(line, 6, _Exact(check.tolerance), self.styles["small"])
        page.write_formula(
            line, 7, f"=IF(ISNUMBER(F{n}),IF(F{n}<=G{n},1,0),0)", self.styles["number integer"], int(within)
        )
        return within

    def _coloured(self, page: Any, area: str, good: str, bad: str) -> None:
        for value, style in ((good, "pass"), (bad, "fail")):
            rule = {"type": "cell", "criteria": "==", "value": value, "format": self.styles[style]}
            page.conditional_format(area, rule)


_CHECKS = 7
"""The first line of the comparison on the sheet `check`."""

_CHECK_HEADINGS = ("output", "element", "test", "expected", "computed", "difference", "tolerance", "1 = within")

_NOWHERE = Sheet("", "", "", ())
"""A sheet on which nothing stands: references from there name theirs."""


def _printed(page: Any, columns: int) -> None:
    """On paper a sheet is as wide as a page, as long as that can be read."""
    page.set_landscape()
    if columns <= 2 * _NARROW:
        page.fit_to_pages(1, 0)


def _shown(number: float) -> float | str:
    """A number as a cell holds it; there are no infinities in a spreadsheet."""
    return _Exact(number) if math.isfinite(number) else "#NUM!"


def _validation(dtype: str) -> dict[str, Any]:
    """What may be typed for an input of a dtype."""
    if dtype.startswith("float"):
        largest = float(np.finfo(dtype).max) if dtype == "float32" else 1e307
        rule, what, limits = "decimal", "a number", (-largest, largest)
    elif dtype == "bool":
        rule, what, limits = "integer", "0 or 1", (0, 1)
    else:
        least, most = (int(n) for n in (np.iinfo(dtype).min, np.iinfo(dtype).max))
        exact = 2**53
        rule, limits = "integer", (max(least, -exact), min(most, exact))
        what = f"an integer from {limits[0]:,} to {limits[1]:,}"
    return {
        "validate": rule,
        "criteria": "between",
        "minimum": limits[0],
        "maximum": limits[1],
        "error_title": "No number of this input",
        "error_message": f"This cell takes {what}.",
    }
