"""What a mutant is, and how the interpreter is made to err."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any
from unittest.mock import patch

from naive.arithmetic import FLOAT64, Arithmetic, Float32
from naive.errors import require
from naive.operators import OPERATORS
from naive.operators.operator import Call

Patch = AbstractContextManager[Any]

NUMBERS = ("run", "special", "network", "meta", "states")
"""Kinds of cases that compare numbers."""

EVERY_OPERATOR = tuple(op.partition("@")[0] for op in OPERATORS)
FLOAT32 = Float32()


@dataclass(frozen=True)
class Mutant:
    """The naive interpreter with one known mistake.

    Attributes:
        name: where the mistake is, and what it is.
        says: what the specification wants in its stead.
        page: of the specification that says so.
        groups: of cases that can notice: operators, or what a fault concerns.
        kinds: of cases that can notice.
        patches: what makes the mistake; leaving them undoes it.
        arithmetic: what it computes in: exact, unless the mistake shows in rounded numbers alone.
    """

    name: str
    says: str
    page: str
    groups: tuple[str, ...]
    kinds: tuple[str, ...]
    patches: tuple[Patch, ...]
    arithmetic: Arithmetic = FLOAT64

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Makes the mistake as long as this lasts, in the whole process."""
        with ExitStack() as stack:
            for change in self.patches:
                stack.enter_context(change)
            yield


def of_numbers(
    name: str, says: str, *patches: Patch, page: str, groups: tuple[str, ...], arithmetic: Arithmetic = FLOAT64
) -> Mutant:
    """A runtime that computes other numbers."""
    return Mutant(name, says, page, groups, NUMBERS, patches, arithmetic)


def of_formula(
    tables: Mapping[str, dict[str, Any]],
    name: str,
    says: str,
    formula: Callable[..., Any],
    arithmetic: Arithmetic = FLOAT64,
) -> Mutant:
    """Another formula for the operator that the name begins with.

    Args:
        tables: page -> the formulas of its operators; one of them has the operator.
        name: of the mutant.
        says: what the specification wants.
        formula: the wrong one.
        arithmetic: as Mutant has it.
    """
    op = name.partition(":")[0]
    page, formulas = next((page, formulas) for page, formulas in tables.items() if op in formulas)
    change = patch.dict(formulas, {op: formula})
    return of_numbers(name, says, change, page=f"ops/{page}.md", groups=(op,), arithmetic=arithmetic)


def of_faults(name: str, says: str, *patches: Patch, groups: tuple[str, ...], page: str = "format.md") -> Mutant:
    """A reader that takes what has to be refused."""
    return Mutant(name, says, page, groups, ("reject",), patches)


def of_sound_files(name: str, says: str, *patches: Patch, page: str = "format.md") -> Mutant:
    """A reader that refuses what has to be taken, or that writes something else."""
    return Mutant(name, says, page, ("sound", "departure"), ("canonical",), patches)


def skipping(owner: Any, name: str) -> Patch:
    """Leaves out a check that is a function."""
    return patch.object(owner, name, lambda *_: None)


def overlooking(module: ModuleType, *codes: str, at: str = "*") -> Patch:
    """Leaves out what a module checks under these codes, at places that fit a pattern."""

    def lenient(holds: bool, code: str, place: str = "", *parts: Any) -> None:
        if code not in codes or not fnmatchcase(place, at):
            require(holds, code, place, *parts)

    return patch.object(module, "require", lenient)


def changing(op: str, **parts: Any) -> Patch:
    """Gives an operator another formula, `compute`, or another rule, `infer`."""
    return patch.dict(OPERATORS, {f"{op}@1": replace(OPERATORS[f"{op}@1"], **parts)})


def without(call: Call, *roles: str) -> Call:
    """A call that lacks some of its weights."""
    return replace(call, weights={role: weight for role, weight in call.weights.items() if role not in roles})
