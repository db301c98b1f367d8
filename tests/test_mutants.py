"""The suite's mutants: each known mistake is noticed by some case, and recognized in the wrong answers of others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mutants import MODULES, MUTANTS, recurrent
from naive import adapter, arrays, decode, document, encode, graph, model, operators, tensors
from naive.arithmetic import FLOAT64
from nnpack.conformance.mutation import InProcess, concerns, kills, recognize
from nnpack.conformance.process import Limits
from nnpack.conformance.running import verdict_of
from nnpack.conformance.runtimes import Conversation, Output
from nnpack.conformance.suite import Case, Suite

ROOT = Path(__file__).parents[1]
SUITE = Suite(ROOT / "conformance")
SMALL_FIRST = sorted(SUITE.cases, key=lambda case: len(case.model))
BY_ID = {case.id: case for case in SUITE.cases}


def test_interpreter_without_a_mistake_passes_every_case() -> None:
    runtime = InProcess(SUITE)
    results = [verdict_of(case, runtime) for case in SUITE.cases]
    assert [(result.id, result.message) for result in results if not result.passed] == []
    refusals = [result for result in results if result.received_code is not None]
    assert [(result.id, result.received_code) for result in refusals if result.received_code != result.code] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_some_case_notices(name: str) -> None:
    mutant = MUTANTS[name]
    if next(kills(SUITE, mutant, SMALL_FIRST), None) is None:
        tried = [case.id for case in SUITE.cases if concerns(mutant, case)]
        pytest.fail(
            f"no case notices the mistake {name!r}; {mutant.page} says: {mutant.says}. "
            f"It survives {len(tried)} cases: {', '.join(tried[:20])}{', …' if len(tried) > 20 else ''}"
        )


def test_loop_whose_parts_mutants_replace_is_the_right_one_as_it_stands() -> None:
    """It is a copy of the interpreter's, whose other parts a mutant of one part relies on."""
    cases = [case for case in SUITE.cases if not case.subjects.isdisjoint(recurrent.ALL)]
    with recurrent.looping():
        results = [verdict_of(case, InProcess(SUITE)) for case in cases]
    assert results
    assert [(result.id, result.message) for result in results if not result.passed] == []


# The catalogue

OWNERS: tuple[Any, ...] = (
    *(adapter, arrays, decode, document, encode, graph, model, operators, tensors),
    *(module for module in vars(operators).values() if isinstance(module, ModuleType)),
    *(decode.Reader, model.Model),
)


def state() -> dict[tuple[str, str], int]:
    """What a mutant may change: names of modules and classes, entries of tables."""
    found = {}
    for owner in OWNERS:
        for name, item in vars(owner).items():
            found[owner.__name__, name] = item if isinstance(item, int) else id(item)
            if isinstance(item, dict) and not name.startswith("__"):
                found |= {(f"{owner.__name__}.{name}", str(key)): id(value) for key, value in item.items()}
    return found


def test_each_mutant_changes_something_and_leaves_nothing_behind() -> None:
    before = state()
    unchanged = []
    for mutant in MUTANTS.values():
        with mutant.applied():
            if state() == before and mutant.arithmetic is FLOAT64:
                unchanged.append(mutant.name)
        assert state() == before, mutant.name
    assert unchanged == []


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(MUTANTS) >= 60
    assert sum(len(module.MUTANTS) for module in MODULES) == len(MUTANTS)


def test_each_mutant_quotes_a_page_and_concerns_cases_of_the_suite() -> None:
    groups = {case.group for case in SUITE.cases}
    kinds = {case.kind for case in SUITE.cases}
    for mutant in MUTANTS.values():
        assert (ROOT / "spec" / mutant.page).is_file(), mutant.name
        assert groups.issuperset(mutant.groups), mutant.name
        assert kinds.issuperset(mutant.kinds), mutant.name
        assert mutant.says, mutant.name


# Hints

Arrays = list[np.ndarray[Any, Any]]


def x_of(case: Case) -> Any:
    return case.inputs[0][1]


def right(case: Case, rows: Any = slice(None)) -> Arrays:
    """What is expected, in the dtype that a runtime answers in."""
    return [answer.expected[rows].astype(answer.dtype) for answer in case.answers]


def answered(arrays: Arrays) -> list[Output]:
    return [Output(y.dtype.name, y) for y in arrays]


WRONG: dict[str, tuple[str, Callable[[Case], Arrays]]] = {
    "relu: the absolute value": ("relu/rank-2", lambda case: [np.abs(x_of(case))]),
    "relu: NaN becomes 0": ("relu/not-finite", lambda case: [np.fmax(x_of(case), np.float32(0))]),
    "subtract: swapped": ("subtract/same-shape", lambda case: [-y for y in right(case)]),
    "divide: swapped": ("divide/same-shape", lambda case: [1 / y for y in right(case)]),
    "cast: integers saturate": ("cast/int32-to-int8", lambda case: [np.clip(x_of(case), -128, 127).astype(np.int8)]),
    "rows: only the first": ("tanh/rank-2", lambda case: [y * (np.arange(len(y)) == 0)[:, None] for y in right(case)]),
    "outputs: sorted by their names": ("network/two-inputs-two-outputs", lambda case: right(case)[::-1]),
}
"""Mistake -> a case, and wrong answers to it that numpy makes."""


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_are_recognized(name: str) -> None:
    case_id, make = WRONG[name]
    hint = recognize(SUITE, BY_ID[case_id], answered(make(BY_ID[case_id])))
    assert f'"{name}"' in hint
    assert f"{MUTANTS[name].says} ({MUTANTS[name].page})" in hint


def test_state_that_leaks_from_call_to_call_is_recognized() -> None:
    """The second call has the rows of the first: sums that go on come out twice as large."""
    case = BY_ID["dense/calls"]
    assert case.calls is not None
    assert case.calls[0] == case.calls[1]
    hint = recognize(SUITE, case, answered([2 * y for y in right(case, case.calls[1])]), call=1)
    assert '"calls: sums go on from the last call"' in hint


def test_state_that_no_reset_forgets_is_recognized() -> None:
    """The first sequence is right, however it is cut; the second goes on where the first one ended."""
    mutant = MUTANTS["states: a reset does nothing"]
    failed = [verdict_of(case, InProcess(SUITE, mutant)) for case in SUITE.cases if case.splits is not None]
    failed = [result for result in failed if result.failed]
    assert failed
    for result in failed:
        assert result.call > 0
        assert f'"{mutant.name}"' in recognize(SUITE, BY_ID[result.id], result.answered, result.call), result.id


@pytest.mark.parametrize("case_id", ["dense/rank-2", "relu/not-finite", "network/two-inputs-two-outputs"])
def test_right_answers_and_unknown_mistakes_give_no_hint(case_id: str) -> None:
    case = BY_ID[case_id]
    assert recognize(SUITE, case, answered(right(case))) == ""
    assert recognize(SUITE, case, answered([y * np.float32(1.75) - 3 for y in right(case)])) == ""


def test_answers_of_any_form_raise_nothing() -> None:
    case = BY_ID["dense/rank-2"]
    (y,) = right(case)
    for outputs in ([], [y, y], [y[:1]], [y.astype(np.int32)], [y[..., None]], [np.zeros((0, 0), np.float32)]):
        assert recognize(SUITE, case, answered(outputs)) == ""
    assert recognize(SUITE, case) == ""
    assert recognize(SUITE, case, answered([y]), call=7) == ""


@pytest.mark.parametrize(
    ("case_id", "name"),
    [
        ("tensors/overlap", "tensors: one inside of another"),
        ("tensors/hash", "tensors: the hash is not checked"),
        ("schema/unknown-key-in-model", "keys: unknown ones are ignored"),
        ("glu/odd", "glu: an odd number of elements"),
    ],
)
def test_mistakes_that_take_a_file_are_named(case_id: str, name: str) -> None:
    hint = recognize(SUITE, BY_ID[case_id])
    assert f'"{name}"' in hint
    assert MUTANTS[name].says in hint


def test_file_that_no_mutant_takes_gives_no_hint() -> None:
    assert recognize(SUITE, BY_ID["container/empty"]) == ""


# As a runtime of its own


def test_mutant_speaks_the_protocol() -> None:
    command = f"'{sys.executable}' '{ROOT / 'conformance' / 'mutants'}' 'dense: bias left out'"
    runtime = Conversation(command, Limits(), SUITE.schemas, SUITE.version)
    try:
        assert not verdict_of(BY_ID["dense/rank-2"], runtime).passed
        assert verdict_of(BY_ID["dense/no-bias"], runtime).passed
    finally:
        runtime.close()


def test_mutants_are_listed() -> None:
    listed = subprocess.run([sys.executable, ROOT / "conformance" / "mutants"], capture_output=True, check=True)
    assert [line for line in listed.stdout.decode().splitlines() if not line.startswith(" ")] == list(MUTANTS)
