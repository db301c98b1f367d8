"""Every chosen case, in an order drawn from a seed, against one or several processes of a runtime."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from nnpack.conformance.judging import judge
from nnpack.conformance.process import CaseError, Limits
from nnpack.conformance.results import Result, Run, Verdict
from nnpack.conformance.runtimes import About, Conversation, OneShot, Output, Refusal, Runtime
from nnpack.conformance.suite import NUMBERS, Answer, Case, Suite
from nnpack.errors import ConformanceError

Start = Callable[[], Runtime]
"""Starts a process of the runtime."""

Recognize = Callable[[Suite, Case, Sequence[Output] | None, int], str]
"""Given the wrong outputs and the call that they answer: which known mistake makes them."""

HINTS = 40
"""So many failures are compared with known mistakes."""

STARTS = 3
"""So often in a row a runtime may fail to start before it is given up."""


def starter(suite: Suite, command: str, one_shot: bool = False, limits: Limits | None = None) -> Start:
    """What starts a runtime by its command."""
    limits = limits or Limits()
    if one_shot:
        return partial(OneShot, command, limits)
    return partial(Conversation, command, limits, suite.schemas, suite.version)


def run(
    suite: Suite,
    cases: Sequence[Case],
    start: Start,
    *,
    command: str = "",
    seed: int = 0,
    jobs: int = 1,
    declared: bool = False,
    expected_failures: Collection[str] = (),
    repeat: str = "",
    recognize: Recognize | None = None,
    started: Callable[[int], None] = lambda total: None,
    done: Callable[[Result], None] = lambda result: None,
) -> Run:
    """Runs cases and says what came out.

    Args:
        suite: that the cases belong to.
        cases: what to run.
        start: starts a process of the runtime.
        command: how the runtime was named, for reports.
        seed: of the order of the cases.
        jobs: processes that run at the same time.
        declared: leave out the cases that require what the runtime has not declared.
        expected_failures: ids of cases that are announced to fail.
        repeat: the command line that repeats the run, for reports.
        recognize: says which known mistake a failure looks like; asked of the first failures, in the suite's order.
        started: is told how many cases there are, before the first.
        done: is told each result, in the order in which they come; called from several threads, one at a time.

    Raises:
        ConformanceError: the runtime does not start, or an announced failure is no case of the suite.
    """
    unknown = set(expected_failures) - {case.id for case in suite.cases}
    if unknown:
        raise ConformanceError("case-unknown", "--expected-failures", "ids of the suite", ", ".join(sorted(unknown)))
    began = time.monotonic()
    worker = Worker(suite, start)
    about = worker.about
    if declared:
        cases = [case for case in cases if not about.lacking(_known(suite, case))]
    started(len(cases))
    order = list(cases)
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, no secret
    results: dict[str, Result] = {}
    workers = [worker, *(Worker(suite, start) for _ in range(1, jobs))]
    for result in _side_by_side(order, workers):
        results[result.id] = replace(result, expected=result.id in expected_failures)
        done(results[result.id])
    if recognize:
        failed = [case for case in cases if results[case.id].verdict is Verdict.FAIL]
        for case in failed[:HINTS]:
            result = results[case.id]
            results[case.id] = replace(result, hint=recognize(suite, case, result.answered, result.call))
    return Run(
        runtime={"name": about.name, "version": about.version, "language": about.language},
        command=command,
        suite=suite.version,
        format=suite.format,
        seed=seed,
        results=[results[case.id] for case in cases],
        whole=suite.levels,
        repeat=repeat,
        seconds=time.monotonic() - began,
    )


def first(start: Start) -> Runtime:
    """A process of the runtime, which has to start.

    Raises:
        ConformanceError: it does not.
    """
    try:
        return start()
    except CaseError as failure:
        raise ConformanceError("runtime-start", "--runtime", "an answer to hello", failure.message) from failure


def _side_by_side(order: Sequence[Case], workers: Sequence[Worker]) -> Iterator[Result]:
    """Results of workers that take case after case from one queue."""
    waiting: queue.SimpleQueue[Case] = queue.SimpleQueue()
    ready: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()
    for case in order:
        waiting.put(case)
    stop = threading.Event()

    def work(worker: Worker) -> None:
        try:
            with contextlib.suppress(queue.Empty):
                while not stop.is_set():
                    ready.put(worker.result(waiting.get_nowait()))
        except BaseException as error:  # raised again where the results are taken
            ready.put(error)
        finally:
            worker.close()
            ready.put(None)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        running = len(threads)
        while running:
            result = ready.get()
            if isinstance(result, BaseException):
                raise result
            if result is None:
                running -= 1
            else:
                yield result
    finally:
        stop.set()
        for thread in threads:
            thread.join()


class Worker:
    """One process of the runtime at a time, started anew when a case has broken it."""

    def __init__(self, suite: Suite, start: Start) -> None:
        self._suite, self._start, self._failures = suite, start, 0
        self._runtime: Runtime | None = None

    @property
    def about(self) -> About:
        """What the runtime says of itself.

        Raises:
            ConformanceError: it does not start.
        """
        self._runtime = self._runtime or first(self._start)
        return self._runtime.about

    def result(self, case: Case) -> Result:
        began = time.monotonic()
        log = ""
        try:
            runtime = self._running()
            found = verdict_of(case, runtime, runtime.about.lacking(_known(self._suite, case)))
            if found.failed:
                log = runtime.log
        except CaseError as failure:
            found = _result(case, failure.verdict, failure.message)
            log = self._runtime.log if self._runtime else ""
            if failure.verdict in (Verdict.CRASH, Verdict.TIMEOUT, Verdict.PROTOCOL):
                self.close(gently=False)
        return replace(found, seconds=time.monotonic() - began, log=log)

    def close(self, gently: bool = True) -> None:
        if self._runtime:
            self._runtime.close(gently)
        self._runtime = None

    def _running(self) -> Runtime:
        if self._runtime is None:
            if self._failures == STARTS:
                raise CaseError(Verdict.CRASH, f"the runtime failed to start {STARTS} times in a row")
            try:
                self._runtime = self._start()
            except CaseError:
                self._failures += 1
                raise
            self._failures = 0
        return self._runtime


def _known(suite: Suite, case: Case) -> list[str]:
    """What a case requires, without what nobody can have: that is what some `reject` cases are about."""
    return [item for item in case.requires if item in suite.requirements]


# The kinds


def verdict_of(case: Case, runtime: Runtime, lacking: Sequence[str] = ()) -> Result:
    """One case.

    Args:
        case: what to run.
        runtime: that has to be right.
        lacking: what the case requires and the runtime has not declared.

    Raises:
        CaseError: the runtime did not answer, or answered that it failed.
    """
    refusal = runtime.load(case.model)
    if lacking:
        if refusal is None:
            message = f"takes a file that requires {', '.join(lacking)}, which it did not declare"
            return _result(case, Verdict.FAIL, message)
        return _unsupported(case, f"lacks {', '.join(lacking)}")
    if runtime.about.declared is None and refusal and refusal.code == "requires-unknown" != case.code:
        return _unsupported(case, refusal.message)
    if case.kind in NUMBERS:
        return _numbers(case, runtime, refusal)
    if case.kind == "reject":
        return _reject(case, runtime, refusal)
    return _canonical(case, runtime, refusal)


def _numbers(case: Case, runtime: Runtime, refusal: Refusal | None) -> Result:
    if refusal:
        return _refused(case, refusal)
    if case.splits is not None and runtime.about.declared is None:
        return _unsupported(case, "states, which a program of one call cannot carry")
    use = 0.0
    for i, attempt in enumerate(attempts(case, runtime)):
        judgement = judge(attempt.outputs, attempt.answers)
        if judgement.message:
            failed = _result(case, Verdict.FAIL, attempt.told + judgement.message)
            return replace(failed, use=judgement.use, worst=judgement.worst, answered=attempt.outputs, call=i)
        use = max(use, judgement.use or 0.0)
    return replace(_result(case, Verdict.PASS), use=use)


class Attempt(NamedTuple):
    """Something that a runtime was asked to compute from a loaded model.

    Attributes:
        told: which part of the case it was, for the beginning of a message; "" where it was all of it.
        outputs: what the runtime answered.
        answers: what is expected.
    """

    told: str
    outputs: list[Output]
    answers: Sequence[Answer]


def attempts(case: Case, runtime: Runtime) -> Iterator[Attempt]:
    """All that a case asks of the model that is loaded, in order, each asked when it is taken.

    However a sequence is cut, the states carry what is needed from piece to piece, and `reset` forgets it.
    """
    count = len(case.answers)
    if case.splits is not None:
        for lengths in case.splits:
            told = f"in pieces of {', '.join(map(str, lengths))}: "
            yield Attempt(told, _stepped(case, runtime, lengths), case.answers)
    elif case.calls is not None:
        for i, rows in enumerate(case.calls, 1):
            outputs = runtime.run([(name, x[rows]) for name, x in case.inputs], count)
            told = f"call {i} of {len(case.calls)}, rows {rows}: "
            yield Attempt(told, outputs, [answer.rows(rows) for answer in case.answers])
    else:
        yield Attempt("", runtime.run(case.inputs, count), case.answers)


def _stepped(case: Case, runtime: Runtime, lengths: Sequence[int]) -> list[Output]:
    """The outputs for a sequence that is fed piece by piece along axis 1, put together again."""
    runtime.reset()
    pieces, start = [], 0
    for n in lengths:
        part = [(name, x[:, start : start + n]) for name, x in case.inputs]
        pieces.append(runtime.run(part, len(case.answers)))
        start += n
    try:
        return [
            Output(parts[0].dtype, np.concatenate([part.array for part in parts], axis=1))
            for parts in zip(*pieces, strict=True)
        ]
    except ValueError as error:
        raise CaseError(Verdict.FAIL, f"outputs that do not fit together along axis 1: {error}") from error


def _reject(case: Case, runtime: Runtime, refusal: Refusal | None) -> Result:
    if refusal is None and case.code == "selftest-failed" and runtime.about.selftest:
        refusal = runtime.selftest()
    if refusal is None:
        return _result(case, Verdict.FAIL, f"takes a file that has to be refused: {case.code}")
    return replace(_result(case, Verdict.PASS), received_code=refusal.code)


def _canonical(case: Case, runtime: Runtime, refusal: Refusal | None) -> Result:
    if refusal:
        if case.code is None:
            return _refused(case, refusal)
        return replace(_result(case, Verdict.PASS), received_code=refusal.code)
    if runtime.about.dump and case.canonical is not None:
        written = runtime.dump()
        if written != case.canonical:
            at = len(os.path.commonprefix([written, case.canonical]))  # noqa: RUF071 - bytes, no paths
            return _result(case, Verdict.FAIL, f"writes another file than the canonical one, from byte {at} on")
    return _result(case, Verdict.PASS)


def _unsupported(case: Case, message: str) -> Result:
    """What the runtime need not have, because it said so, or has no way to say so."""
    return replace(_result(case, Verdict.UNSUPPORTED, message), declared=True)


def _refused(case: Case, refusal: Refusal) -> Result:
    message = f"refuses a sound file: {refusal.code}{f' ({refusal.message[:300]})' if refusal.message else ''}"
    return _result(case, Verdict.FAIL, message)


def _result(case: Case, verdict: Verdict, message: str = "") -> Result:
    told = case.described
    return Result(
        case.id,
        case.kind,
        case.level,
        told["title"],
        case.requires,
        verdict,
        message,
        code=case.code,
        spec=told["spec"],
    )
