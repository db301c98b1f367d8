"""Where everything stands: sheets, blocks of cells, and how formulas call them. Knows no operator, writes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

Formula = Callable[[int, int], str]
"""(line, place) -> the formula of that cell, without the sign of equality."""

COLUMNS = 16_384
"""The most columns that a sheet has; one is taken by headings."""

LINES = 1_048_576
"""The most lines that a sheet has."""

TOP, LEFT = 4, 1
"""Where the first block of a sheet begins: the first row of the batch stands in the same line of every sheet."""


@cache
def _letters(column: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA"""
    before, letter = divmod(column, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + letter)


@dataclass(frozen=True, eq=False)
class Block:
    """An array as cells: a line for each row of the batch, or, where it is `fixed`, the same cells for all rows.

    Attributes:
        sheet: where it stands.
        title: what stands above it.
        top: its first line.
        left: its first column.
        shape: that of one row, or of all of a fixed array.
        columns: how many elements stand in a line; only a fixed array may have more elements.
        labels: what stands above its columns.
        headings: what stands left of its lines.
        numbers: makes what nnpack computes for it.
        name: the name that the workbook defines for it, if any.
        formula: what computes it; None where it holds numbers.
        span: how many cells one formula fills, as an array formula where there are more than one.
        whole: whether its numbers are integers.
    """

    sheet: Sheet
    title: str
    top: int
    left: int
    shape: tuple[int, ...]
    columns: int
    labels: Sequence[str]
    headings: Sequence[str]
    numbers: Callable[[], Array]
    name: str = ""
    fixed: bool = False
    formula: Formula | None = None
    span: int = 1
    whole: bool = False

    @property
    def size(self) -> int:
        """How many cells it has."""
        return len(self.headings) * self.columns

    @cached_property
    def values(self) -> Array:
        """The numbers, made once."""
        with np.errstate(all="ignore"):
            numbers = np.asarray(self.numbers(), np.float64).reshape(-1, self.columns)
        return np.broadcast_to(numbers, (len(self.headings), self.columns))

    @cached_property
    def cells(self) -> Array:
        """Its elements as operators see them: (1, *shape), or the shape of a fixed array."""
        places = range(prod(self.shape))
        return spans_of(self, places, places).reshape(self.shape if self.fixed else (1, *self.shape))

    @property
    def by_place(self) -> Array:
        """The numbers, a line for each row of the batch, or one line of a fixed array."""
        return self.values.reshape(1, -1) if self.fixed else self.values

    def at(self, line: int, place: int) -> str:
        """The cell of an element, seen from its own sheet."""
        down, right = divmod(place, self.columns)
        if self.fixed:
            return f"${_letters(self.left + right)}${self.top + down + 1}"
        return f"{_letters(self.left + right)}{self.top + line + 1}"

    @property
    def area(self) -> str:
        """All of its cells, for any sheet."""
        right, bottom = _letters(self.left + self.columns - 1), self.top + len(self.headings)
        return f"{self.sheet.quoted}!${_letters(self.left)}${self.top + 1}:${right}${bottom}"

    def all(self) -> Span:
        """All elements of a row, or of a fixed array."""
        return Span(self, 0, prod(self.shape) - 1)


@dataclass(frozen=True, eq=False)
class Span:
    """The cells of a block from an element to another: neighbours in a line, or the corners of a rectangle."""

    block: Block
    first: int
    last: int

    def at(self, line: int, here: Sheet) -> str:
        """How a formula on sheet `here` calls it in a line."""
        prefix = "" if self.block.sheet is here else f"{self.block.sheet.quoted}!"
        start = self.block.at(line, self.first)
        return prefix + (start if self.first == self.last else f"{start}:{self.block.at(line, self.last)}")


def spans_of(block: Block, firsts: Iterable[int], lasts: Iterable[int]) -> Array:
    """An array of the spans that begin and end at these elements."""
    spans = [Span(block, int(first), int(last)) for first, last in zip(firsts, lasts, strict=True)]
    array = np.empty(len(spans), object)
    array[:] = spans
    return array


@dataclass(eq=False)
class Sheet:
    """A sheet, on which blocks are put one below the other.

    Attributes:
        name: as its tab shows it.
        title: its first line.
        note: its second line.
        rows: the headings of lines, one for each row of the batch.
    """

    name: str
    title: str
    note: str
    rows: Sequence[str]
    blocks: list[Block] = field(default_factory=list)

    @cached_property
    def quoted(self) -> str:
        """Its name in a formula: in quotes, where it could be read as something else."""
        plain = re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", self.name) and not like_a_reference(self.name)
        return self.name if plain else "'" + self.name.replace("'", "''") + "'"

    def below(self) -> int:
        """The first line of the next block: room for a heading is left."""
        return max((block.top + len(block.headings) + 2 for block in self.blocks), default=TOP)

    def beside(self) -> int:
        """The first column that is free."""
        return max((block.left + block.columns + 1 for block in self.blocks), default=LEFT)

    def put(self, title: str, shape: tuple[int, ...], numbers: Callable[[], Array], **more: Any) -> Block:
        """A block for each row of the batch, below the others or where `top` and `left` say."""
        places = {"top": self.below(), "left": LEFT, "headings": self.rows, "labels": indices(shape), **more}
        return self._added(Block(self, title, shape=shape, columns=prod(shape), numbers=numbers, **places))

    def put_fixed(self, title: str, array: Array, **more: Any) -> Block:
        """A block of constants, of which all axes but the last run downwards."""
        columns = array.shape[-1] if array.ndim else 1
        lines = array.size // columns
        places = {
            "labels": indices(array.shape[-1:]),
            "headings": indices(array.shape[:-1]) if lines > 1 else [title],
            **more,
        }
        block = Block(
            self,
            title,
            top=self.below(),
            left=LEFT,
            shape=array.shape,
            columns=columns,
            numbers=lambda: array,
            fixed=True,
            whole=array.dtype.kind != "f",
            **places,
        )
        return self._added(block)

    def _added(self, block: Block) -> Block:
        self.blocks.append(block)
        return block


def indices(shape: tuple[int, ...]) -> list[str]:
    """0, 1, 2 of one axis; [0, 0], [0, 1] of several."""
    if len(shape) < 2:
        return [str(i) for i in range(prod(shape))]
    return [f"[{', '.join(map(str, index))}]" for index in np.ndindex(*shape)]


# Names


def like_a_reference(name: str) -> bool:
    """Whether a spreadsheet reads a name as a cell (A1, XFD9), as a line or column (R1C1, C) or as a truth value."""
    return re.fullmatch(r"[a-z]{1,3}\d+|r\d*|c\d*|r\d*c\d*|true|false", name, re.I) is not None


class Names:
    """Names that differ in more than case, of at most `longest` characters."""

    def __init__(self, longest: int, taken: Iterable[str] = ()) -> None:
        self._longest = longest
        self._taken = {name.casefold() for name in taken}

    def new(self, wanted: str) -> str:
        """The name itself, or the first of name_2, name_3, … that nobody has."""
        name, count = wanted[: self._longest], 1
        while name.casefold() in self._taken:
            count += 1
            ending = f"_{count}"
            name = wanted[: self._longest - len(ending)] + ending
        self._taken.add(name.casefold())
        return name


def sheet_names() -> Names:
    """Those of sheets; Excel keeps `History` for itself."""
    return Names(31, ["input", "output", "check", "history"])


def sheet_name(text: str) -> str:
    """A text without what a sheet's name may not have."""
    return re.sub(r"[^\w .+-]", "_", text).strip(" ") or "layer"


def defined_name(text: str) -> str:
    """A text as a name that formulas may use."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)
    name = name if re.match(r"[A-Za-z_]", name) else f"_{name}"
    return f"{name}_" if like_a_reference(name) else name
