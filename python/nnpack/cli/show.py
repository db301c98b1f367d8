"""What the commands print: tables and reports, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from nnpack.errors import printable


def console(stderr: bool = False) -> Console:
    """A console that shows names as they are: no markup, no guesses at what is a number."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def show(*tables: Table | str) -> None:
    """Prints tables and lines on stdout; where that is no terminal, nothing is cut to fit."""
    out = console()
    for table in tables:
        if isinstance(table, str):
            out.print(Text(printable(table)))
            continue
        if not out.is_terminal:
            out.width = max(out.width, Measurement.get(out, out.options.update(max_width=10**6), table).maximum)
        out.print(table, soft_wrap=False)


def grid(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]], right: Iterable[str] = ()) -> Table:
    """A table; the columns named in `right` are numbers."""
    numbers = set(right)
    table = Table(title=Text(printable(title)), title_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    return table


def info(facts: Mapping[str, Any]) -> None:
    """Prints what `nnpack info` found, as keras.Model.summary prints a model."""
    rows = [(v["name"], "input", shape(v["shape"]), "", "", "InputLayer") for v in facts["inputs"]]
    for layer in facts["layers"]:
        count = f"{layer['weights']:,}" if layer["weights"] else ""
        source = layer["source"]
        origin = source["class"] if source["name"] == layer["name"] else f"{source['class']} {source['name']}"
        shapes = ", ".join(shape(output["shape"]) for output in layer["outputs"])
        rows.append((layer["name"], layer["op"], shapes, count, ", ".join(layer["connected_to"]), origin))
    columns = ("Layer", "Operator", "Output shape", "Weights", "Connected to", "From")
    tables = [grid(f"Model: {facts['name']}", columns, rows, ("Weights",))]
    if facts["weights"]:
        stored = [(w["name"], w["storage"], shape(w["shape"]), f"{w['nbytes']:,}") for w in facts["weights"]]
        tables.append(grid("Weights", ("Name", "Storage", "Shape", "Bytes"), stored, ("Bytes",)))
    lines = [
        ("Inputs", ", ".join(f"{v['name']} {v['dtype']} {shape(v['shape'])}" for v in facts["inputs"])),
        ("Outputs", ", ".join(f"{v['name']} {v['dtype']} {shape(v['shape'])}" for v in facts["outputs"])),
        ("Weights", f"{facts['total_weights']:,} ({facts['total_weight_bytes']:,} bytes)"),
        ("Self-test", f"{facts['selftest_rows']} rows" if facts["selftest_rows"] else "none"),
        ("Requires", ", ".join(facts["requires"])),
        ("Format", f"{facts['format']}, written by {facts['producer']['name']} {facts['producer']['version']}"),
        ("File", f"{facts['file']} ({facts['nbytes']:,} bytes)"),
        ("SHA-256", facts["sha256"]),
    ]
    show(*tables, *fields(lines))


def fields(lines: Iterable[tuple[str, str]]) -> list[str]:
    """Names and what they are, one below the other."""
    pairs = list(lines)
    width = max(len(name) for name, _ in pairs)
    return [f"{name.ljust(width)}  {what}" for name, what in pairs]


def comparison(facts: Mapping[str, Any]) -> None:
    """Prints how far a file is from Keras, output by output."""
    rows = [
        (o["name"], f"{o['largest_error']:.3g}", f"{o['tolerance_use']:.3g}", place(o["at"]), verdict(o))
        for o in facts["outputs"]
    ]
    title = f"Keras predict and nnpack predict, {facts['rows']:,} rows"
    if facts["compared_rows"] != facts["rows"]:
        title += f", of which {facts['compared_rows']:,} stay within float32's range and are compared"
    columns = ("Output", "Largest difference", "Part of tolerance", "At", "")
    show(grid(title, columns, rows, ("Largest difference", "Part of tolerance")))


def verdict(output: Mapping[str, Any]) -> str:
    return "agrees" if output["tolerance_use"] <= 1 else "diverges"


def place(index: Iterable[int]) -> str:
    return f"[{', '.join(map(str, index))}]"


def shape(dimensions: Iterable[int | str]) -> str:
    """(batch, 4)"""
    from nnpack.format.document import show as show_shape

    return show_shape(tuple(dimensions))


class Rows:
    """A progress bar of rows on stderr; shows nothing where there is no terminal."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.task = progress.add_task("predict", total=1.0, rows="0") if progress else None

    def advance(self, rows: int, fraction: float) -> None:
        if self.progress and self.task is not None:
            self.progress.update(self.task, completed=fraction, rows=f"{rows:,}")


@contextmanager
def progress(quiet: bool) -> Iterator[Rows]:
    """Shows how far a command is, unless `quiet` or stderr is no terminal."""
    out = console(stderr=True)
    if quiet or not out.is_terminal:
        yield Rows(None)
        return
    columns = (
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[rows]} rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out) as bar:
        yield Rows(bar)
