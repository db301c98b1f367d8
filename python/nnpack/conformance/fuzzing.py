"""Fresh cases against a runtime: drawn from a seed, judged by the suite's oracle, and shrunk where one fails.

The suite's own generator declares what is drawn (conformance/generate/fuzz.py); hypothesis draws and shrinks.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky, FlakyFailure

from nnpack.conformance.results import Result
from nnpack.conformance.running import Start, Worker
from nnpack.conformance.suite import Case, Suite
from nnpack.errors import ConformanceError

LARGEST = 4
"""No dimension is larger."""


@dataclass(frozen=True)
class Finding:
    """A failure, shrunk.

    Attributes:
        topic: what was drawn: an operator, "networks" or "files".
        result: of the smallest case that fails.
        drawn: that case, as the suite's generator has it.
    """

    topic: str
    result: Result
    drawn: Any


class _WrongError(Exception):
    """A drawn case that the runtime does not get right."""


def topics(suite: Suite) -> list[str]:
    """What can be drawn: each operator, whole networks, damaged files."""
    return list(generator(suite).TOPICS)


def fuzz(
    suite: Suite,
    start: Start,
    chosen: Sequence[str],
    examples: int,
    number: int,
    done: Callable[[str, Result], None] = lambda topic, result: None,
) -> Iterator[Finding]:
    """Draws cases and yields the smallest that fails of each topic, as soon as it is known.

    Args:
        suite: whose generator draws.
        start: starts a process of the runtime.
        chosen: of `topics`; what the runtime does not declare is left out.
        examples: how many cases are drawn for each.
        number: the seed.
        done: is told each result, those of shrinking too.
    """
    strategies = generator(suite).TOPICS
    worker = Worker(suite, start)
    try:
        about = worker.about
        for topic in chosen:
            if topic not in strategies:
                raise ConformanceError("case-unknown", "--op", f"one of {', '.join(strategies)}", repr(topic))
            requires = strategies[topic].requires
            if about.lacking(requires):
                continue
            attempt = partial(_simplest, worker, topic, strategies[topic].cases, examples, number, done)
            finding = attempt(LARGEST)
            if finding:  # then the smallest dimensions in which it fails
                yield next(filter(None, map(attempt, range(1, LARGEST))), finding)
    finally:
        worker.close()


def _simplest(
    worker: Worker,
    topic: str,
    cases: Callable[[int], Any],
    examples: int,
    number: int,
    done: Callable[[str, Result], None],
    most: int,
) -> Finding | None:
    """What hypothesis ends with, among cases whose dimensions are at most `most`."""
    failing: list[Finding] = []

    @seed(number ^ zlib.crc32(topic.encode()))
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(drawn=cases(most))
    def attempt(drawn: Any) -> None:
        case = in_memory(drawn)
        result = worker.result(case)
        done(topic, result)
        if result.failed:
            failing.append(Finding(topic, result, drawn))
            raise _WrongError

    with contextlib.suppress(_WrongError, Flaky, FlakyFailure):
        attempt()
    return failing[-1] if failing else None  # hypothesis ends with the simplest one


def in_memory(drawn: Any) -> Case:
    """A case of the generator, as if it had been read."""
    prefix = f"{drawn.directory}/"
    files = {path.removeprefix(prefix): data for path, data in drawn.all_files.items()}
    return Case(json.loads(files["case.json"]), files, files.__getitem__)


def save(suite: Suite, findings: Sequence[Finding], folder: Path) -> None:
    """Writes failing cases as a suite of their own, which `run --suite` takes.

    Args:
        suite: whose schemas go with them.
        findings: what `fuzz` yielded.
        folder: to be made.
    """
    generator(suite).save(folder, [finding.drawn for finding in findings])


def generator(suite: Suite) -> ModuleType:
    """The suite's module that draws."""
    with suite.importing():
        return import_module("generate.fuzz")
