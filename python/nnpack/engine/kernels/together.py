"""Work on parts of an array that do not need each other, shared among as many threads as numpy's BLAS has."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

Call = Callable[[], Any]
Part = TypeVar("Part")

WORTH = 2**17
"""Elements below which the work is done before another thread has woken up."""


def _threads() -> int:
    """As many as there are processors for this process, or fewer where BLAS is told to use fewer."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        count = os.cpu_count() or 1
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        told = os.environ.get(name, "")
        if told.isdigit() and int(told):
            return min(count, int(told))
    return count


THREADS = _threads()


def shared(parts: Sequence[Part], elements: int, calls: Callable[[Part, int], list[Call]]) -> list[Call]:
    """The calls for each part, one part after the other; or in groups at the same time, where that is worth it.

    Args:
        parts: what does not need each other.
        elements: how large they are together.
        calls: (part, number of its group) -> its calls; groups may not write into the same memory.
    """
    n = min(THREADS, len(parts)) if elements >= WORTH else 1
    if n < 2:
        return [call for part in parts for call in calls(part, 0)]
    ends = [k * len(parts) // n for k in range(n + 1)]
    return [Together([[call for part in parts[ends[k] : ends[k + 1]] for call in calls(part, k)] for k in range(n)])]


class Together:
    """A call that makes groups of calls at the same time: the first itself, each other in a thread of its own."""

    def __init__(self, groups: Sequence[Sequence[Call]]) -> None:
        self.groups = groups

    def __call__(self) -> None:
        done: SimpleQueue[BaseException | None] = SimpleQueue()
        waiting = _workers.waiting()
        for group in self.groups[1:]:
            waiting.put((group, done))
        try:
            _made(self.groups[0])
        finally:
            failed = [error for _ in self.groups[1:] if (error := done.get()) is not None]
        if failed:
            raise failed[0]


def _made(calls: Sequence[Call]) -> None:
    for call in calls:
        call()


class _Workers:
    """The threads, started when they are first needed; a process that was forked starts its own."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Any] | None = None
        self._lock = threading.Lock()

    def waiting(self) -> SimpleQueue[Any]:
        """Where work is put."""
        if self._waiting is None:
            with self._lock:
                if self._waiting is None:
                    found: SimpleQueue[Any] = SimpleQueue()
                    for _ in range(THREADS - 1):
                        threading.Thread(target=_work, args=(found,), name="nnpack", daemon=True).start()
                    self._waiting = found
        return self._waiting


def _work(waiting: SimpleQueue[Any]) -> None:
    np.seterr(all="ignore")  # of this thread
    while True:
        calls, done = waiting.get()
        try:
            _made(calls)
        except BaseException as error:  # raised again by the thread that waits for it
            done.put(error)
        else:
            done.put(None)


_workers = _Workers()


def _forget() -> None:
    global _workers
    _workers = _Workers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
