"""The suite's mutants: whether its cases notice each of them, and which of them a wrong answer looks like.

A mutant is the suite's naive interpreter with one known mistake (conformance/mutants). The mistake is made by patching
modules, and so in the whole process: all of this is for one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from fnmatch import fnmatchcase
from importlib import import_module
from itertools import islice
from typing import Any, Protocol, TypeVar

import numpy as np

from nnpack.conformance.judging import judge
from nnpack.conformance.process import CaseError
from nnpack.conformance.results import Verdict
from nnpack.conformance.running import attempts, verdict_of
from nnpack.conformance.runtimes import About, Array, Output, Refusal, dtype_of, raw
from nnpack.conformance.suite import NUMBERS, Answer, Case, Suite, one_of
from nnpack.errors import ConformanceError

T = TypeVar("T")

MENTIONED = 2
"""Mistakes in a hint, at most."""

ROUNDING = 2.0**-21
"""What two runtimes that make one mistake in float32 may differ by, as a part of the result."""


class Mutant(Protocol):
    """One of conformance/mutants; what its parts mean is said there."""

    name: str
    says: str
    page: str
    groups: tuple[str, ...]
    kinds: tuple[str, ...]
    arithmetic: Any

    def applied(self) -> AbstractContextManager[None]:
        """Makes the mistake as long as this lasts."""


def mutants(suite: Suite) -> Mapping[str, Mutant]:
    """The suite's mutants by their names."""
    with suite.importing():
        found: Mapping[str, Mutant] = import_module("mutants").MUTANTS
    return found


def choose(suite: Suite, patterns: Sequence[str] = ()) -> dict[str, Mutant]:
    """The mutants whose names fit one of the patterns; without patterns all.

    Raises:
        ConformanceError: no name fits one of them.
    """
    known = mutants(suite)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise ConformanceError("case-unknown", "mutants", one_of(pattern, set(known)), repr(pattern))
    return {
        name: mutant
        for name, mutant in known.items()
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
    }


class InProcess:
    """The naive interpreter as a runtime in this process.

    Args:
        suite: that it belongs to.
        mutant: whose mistake it makes whenever it is asked something; without one, none.
    """

    def __init__(self, suite: Suite, mutant: Mutant | None = None) -> None:
        with suite.importing():
            self._arrays, self._errors = import_module("naive.arrays"), import_module("naive.errors")
            self._naive, arithmetic = import_module("naive.model"), import_module("naive.arithmetic")
        self._mutant = mutant
        self._arithmetic = mutant.arithmetic if mutant else arithmetic.FLOAT64
        self._model: Any = None
        name = mutant.name if mutant else "naive"
        self.about = About(name, suite.version, "python", suite.requirements, dump=True, selftest=True)

    def load(self, model: bytes) -> Refusal | None:
        self._model = None
        return self._unless_refused(lambda: self._load(model))

    def run(self, inputs: Sequence[tuple[str, Array]], outputs: int) -> list[Output]:
        return self._ask(lambda: [self._output(y) for y in self._model.run(self._inputs(inputs), self._arithmetic)])

    def reset(self) -> None:
        self._ask(lambda: self._model.reset())

    def dump(self) -> bytes:
        return self._ask(lambda: bytes(self._model.dump()))

    def selftest(self) -> Refusal | None:
        return self._unless_refused(lambda: self._model.selftest(self._arithmetic))

    @property
    def log(self) -> str:
        return ""

    def close(self, gently: bool = True) -> None:
        self._model = None

    def _load(self, model: bytes) -> None:
        self._model = self._naive.load(model, arithmetic=self._arithmetic)

    def _inputs(self, inputs: Sequence[tuple[str, Array]]) -> list[Any]:
        dtypes = [dtype_of(x) for _, x in inputs]
        return [
            self._arrays.Array(dtype, x.shape, self._arrays.unpack(dtype, raw(x)))
            for dtype, (_, x) in zip(dtypes, inputs, strict=True)
        ]

    def _output(self, y: Any) -> Output:
        array = np.frombuffer(self._arrays.pack(y), np.dtype(y.dtype).newbyteorder("<"))
        return Output(y.dtype, array.reshape(y.shape))

    def _unless_refused(self, question: Callable[[], None]) -> Refusal | None:
        try:
            self._ask(question)
        except self._errors.Refused as fault:
            return Refusal(fault.code, str(fault))
        return None

    def _ask(self, question: Callable[[], T]) -> T:
        """The answer of the mutant.

        Raises:
            CaseError: it failed.
        """
        try:
            with self._mutant.applied() if self._mutant else nullcontext():
                return question()
        except self._errors.Refused:
            raise
        except self._errors.Failed as fault:
            raise CaseError(Verdict.ERROR, str(fault)) from fault
        except Exception as error:  # a mutant may do anything
            raise CaseError(Verdict.CRASH, f"{type(error).__name__}: {error}") from error


def concerns(mutant: Mutant, case: Case) -> bool:
    """Whether a case can notice a mutant at all: networks notice those of all of their operators."""
    return case.kind in mutant.kinds and not case.subjects.isdisjoint(mutant.groups)


def kills(suite: Suite, mutant: Mutant, cases: Iterable[Case]) -> Iterator[str]:
    """The ids of the cases that fail under a mutant, one after the other; cases that do not concern it are left out."""
    runtime = InProcess(suite, mutant)
    for case in cases:
        if concerns(mutant, case):
            try:
                failed = not verdict_of(case, runtime).passed
            except CaseError:
                failed = True
            if failed:
                yield case.id


# Hints


def recognize(suite: Suite, case: Case, outputs: Sequence[Output] | None = None, call: int = 0) -> str:
    """Which known mistake a failure looks like.

    Args:
        suite: that the case belongs to.
        case: that failed.
        outputs: the wrong outputs of a runtime; for a file that has to be refused and was taken, none.
        call: the call that the outputs answer, for a case of several calls.

    Returns:
        A sentence that names one mistake or two, with the words of the specification; "" where none is known.
    """
    try:
        concerned = sorted((m for m in mutants(suite).values() if concerns(m, case)), key=lambda m: len(m.groups))
        if case.kind == "reject":
            takers = [mutant for mutant in concerned if _takes(InProcess(suite, mutant), case)]
            return _hint("the file is also taken with the known mistake", takers if len(takers) <= MENTIONED else [])
        if case.kind in NUMBERS and outputs is not None:
            alike = _alike(suite, concerned, case, outputs, call)
            return _hint("the output equals the known mistake", alike[:MENTIONED])
    except Exception:  # noqa: S110 - a failure is reported with a hint or without
        pass
    return ""


def _hint(beginning: str, found: Sequence[Mutant]) -> str:
    names = " or ".join(f'"{mutant.name}"' for mutant in found)
    sentences = "; ".join(dict.fromkeys(f"{mutant.says} ({mutant.page})" for mutant in found))
    return f"{beginning} {names}; the specification: {sentences}" if found else ""


def _takes(runtime: InProcess, case: Case) -> bool:
    try:
        return not verdict_of(case, runtime).passed
    except CaseError:
        return False


def _alike(suite: Suite, concerned: Iterable[Mutant], case: Case, outputs: Sequence[Output], call: int) -> list[Mutant]:
    """The mutants that are wrong in the same way."""
    answers = case.answers if case.calls is None else [answer.rows(case.calls[call]) for answer in case.answers]
    if not judge(outputs, answers).message:
        return []
    found = []
    for mutant in concerned:
        answered = _answered(InProcess(suite, mutant), case, call)
        if answered is not None and judge(answered, answers).message and _same(outputs, answered, answers):
            found.append(mutant)
    return found


def _answered(runtime: InProcess, case: Case, call: int) -> list[Output] | None:
    """What a mutant answers to a call, after those before it."""
    try:
        if runtime.load(case.model) is not None:
            return None
        attempt = next(islice(attempts(case, runtime), call, None), None)
    except CaseError:
        return None
    return attempt.outputs if attempt else None


def _same(outputs: Sequence[Output], answered: Sequence[Output], answers: Sequence[Answer]) -> bool:
    """Whether a runtime answers what the mutant does, but for what is rounded."""
    return len(outputs) == len(answered) and not judge(outputs, [_as_answer(y, answers) for y in answered]).message


def _as_answer(output: Output, answers: Sequence[Answer]) -> Answer:
    """What a mutant answered, as what is expected.

    Its tolerance is that of the output which it is, maybe in the place of another, or else that of one of its shape.
    """
    y = output.array.astype(np.float64)
    shaped = [answer for answer in answers if answer.expected.shape == y.shape]
    nearest = next((answer for answer in shaped if not judge([output], [answer]).message), None)
    tolerance = (nearest or shaped[0]).tolerance if shaped else np.zeros_like(y)
    rounding = np.where(np.isfinite(y), np.abs(y) * ROUNDING, 0)
    return Answer("", output.dtype, y, np.maximum(tolerance, rounding))
