"""What the pages of spec/ say, as records: operators, constraints, tolerances, codes, and sentences to quote.

A case names the sentence that it tests. `quote` refuses one that its page does not have, so that cases and
specification cannot drift apart.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SPEC = Path(__file__).parents[2] / "spec"
SECTIONS_OF_FILES = ("Bytes", "Version and requirements", "Schema", "Tensors", "Graph", "Canonical form")
"""The sections of errors.md whose codes a file can have."""


@dataclass(frozen=True)
class Quote:
    """A sentence of the specification, or a row or cell of one of its tables.

    Attributes:
        page: its file below spec/, "ops/dense.md".
        section: the heading that it stands under.
        sentence: its words, white space collapsed.
    """

    page: str
    section: str
    sentence: str


@dataclass(frozen=True)
class Rule:
    """A numbered rule: C1, C2, … of an operator's page, G1, G2, … of every operator; its first sentence."""

    label: str
    codes: tuple[str, ...]
    quote: Quote


@dataclass(frozen=True)
class Operator:
    """What an operator's page says of it.

    Attributes:
        id: "dense@1".
        page: "ops/dense.md".
        row: its row of the page's table of operators, where there is one.
        constraints: label -> rule.
        tolerances: its classes of tolerance, the usual one first: exact, rounded, sum, smooth, or its own name.
        cancelling: M of the class smooth, "" where that is 0.
        level: the level that it belongs to: L1, L2, L3.
        ranks: the least and the largest rank of its first input.
    """

    id: str
    page: str
    row: str | None
    constraints: dict[str, Rule]
    tolerances: tuple[str, ...]
    cancelling: str
    level: str
    ranks: tuple[int, int]

    @property
    def name(self) -> str:
        return self.id.partition("@")[0]


# Markdown


def collapsed(text: str) -> str:
    return " ".join(text.split())


@cache
def sections(page: str) -> dict[str, str]:
    """Heading of any level -> the text under it, up to the next heading."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    fenced = False
    for line in (SPEC / page).read_text("utf-8").splitlines():
        fenced ^= line.startswith("```")
        if not fenced and (heading := re.match(r"#+ (.+)", line)):
            lines = found.setdefault(heading[1], [])
        else:
            lines.append(line)
    return {heading: "\n".join(lines) for heading, lines in found.items()}


def rows(text: str) -> list[str]:
    """The rows of the tables of a text, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rulers = [i for i, line in enumerate(lines) if set(line) <= set("|- ")]
    return [line for i, line in enumerate(lines) if i not in rulers and i + 1 not in rulers]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def bullets(text: str) -> list[str]:
    found = re.findall(r"^- (.+(?:\n  .+)*)", text, re.M)
    return [collapsed(bullet) for bullet in found]


def statements(text: str) -> list[str]:
    """All that a text settles: rows, bullets, and the sentences of its paragraphs, but those that introduce a list."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    prose = re.sub(r"^- .+(?:\n  .+)*|^\|.*", "", text, flags=re.M)
    paragraphs = [collapsed(paragraph) for paragraph in re.split(r"\n\s*\n", prose)]
    sentences = [sentence for paragraph in paragraphs for sentence in re.split(r"(?<=\.) (?=[A-Z−])", paragraph)]
    return [*rows(text), *bullets(text), *(sentence for sentence in sentences if sentence and sentence[-1] != ":")]


def quote(page: str, sentence: str) -> Quote:
    """Finds the section of the page that has these words; they must be in one alone."""
    sentence = collapsed(sentence)
    found = [heading for heading, text in sections(page).items() if sentence in collapsed(text)]
    if len(found) != 1:
        where = " and ".join(found) or "nowhere"
        raise ValueError(f"spec/{page} has this {where}, a quote has to be in one section: {sentence}")
    return Quote(page, found[0], sentence)


# Rules


def _rules(page: str, section: str) -> dict[str, Rule]:
    found = {}
    for bullet in bullets(sections(page)[section]):
        if head := re.match(r"\*\*([CG]\d+)\*\* \(([^)]*)\): ", bullet):
            codes = tuple(re.findall(r"`([a-z-]+)`", head[2]))
            sentence = re.split(r"(?<=\.) ", bullet[head.end() :])[0]
            found[head[1]] = Rule(head[1], codes, Quote(page, section, sentence))
    return found


@cache
def rules() -> dict[str, Rule]:
    """G1, G2, …: the constraints of every operator."""
    return _rules("README.md", "Constraints of every operator")


@cache
def faults() -> dict[str, Quote]:
    """Code -> the fault, as errors.md has it."""
    found = {}
    for section, text in sections("errors.md").items():
        for row in rows(text):
            code, fault, *_ = cells(row)
            found[code.strip("`")] = Quote("errors.md", section, fault)
    return found


# Operators


@cache
def operators() -> dict[str, Operator]:
    """Id -> operator, of all pages."""
    return {operator.id: operator for path in sorted((SPEC / "ops").glob("*.md")) for operator in _operators(path.name)}


def operator(name: str) -> Operator:
    """The operator of this name; of several versions, the last."""
    return max((item for item in operators().values() if item.name == name), key=lambda item: item.id)


def row_of(name: str) -> str:
    """An operator's row of its page's table."""
    return operator(name).row or ""


def is_operator(name: str) -> bool:
    return any(item.name == name for item in operators().values())


def _operators(name: str) -> list[Operator]:
    page = f"ops/{name}"
    text = sections(page)
    title, table = next(iter(text)), text.get("The operators", "")
    listed = {cells(row)[0].strip("`"): row for row in rows(table)}
    constraints = _rules(page, "Constraints")
    notes = _notes(name.removesuffix(".md"))
    found = []
    for op in listed or re.findall(r"[a-z0-9_]+@\d+", title):
        row = listed.get(op)
        told = (row and column(table, row, "tolerance")) or collapsed(text["Tolerance"])
        cancelling = told.partition("M = ")[2] if row else ""
        found.append(Operator(op, page, row, constraints, _classes(told, op), cancelling, *notes[op]))
    return found


def _notes(stem: str) -> dict[str, tuple[str, tuple[int, int]]]:
    """Id -> level and ranks, as the schema of the page notes them."""
    (path,) = (SPEC / "schema" / "1" / "ops").glob(f"{stem}@*.schema.json")
    schema = json.loads(path.read_text("utf-8"))
    found = {}
    for definition in schema["$defs"].values():
        least, most = definition.get("ranks", (1, 8))
        level = definition.get("level", schema.get("level", "L1"))
        found[definition["properties"]["op"]["const"]] = (level, (least, most))
    return found


def column(table: str, row: str, title: str) -> str:
    """A cell of a row; "" where the table has no such column."""
    head = cells(next(line for line in table.splitlines() if line.startswith("|")))
    return cells(row)[head.index(title)] if title in head else ""


def _classes(told: str, op: str) -> tuple[str, ...]:
    """The classes that a section or a cell names: "Class sum.", "smooth, M = |x|", "Its own: …"."""
    own = (op.partition("@")[0],)
    if told.startswith("Its own"):
        return own
    named = tuple(re.findall(r"[Cc]lass (\w+)", told))
    return named + own if "Its own" in told else named or (told.partition(",")[0],)
