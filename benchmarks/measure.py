"""Times, measured in turn: what disturbs the machine disturbs all that is compared."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

PAUSE = 0.03
"""Seconds after which the threads of the runtime before have stopped spinning in wait for work."""


class Times(NamedTuple):
    """Seconds of one call.

    Attributes:
        median: of all rounds.
        low: the first quartile.
        high: the third.
        rounds: how many there were.
    """

    median: float
    low: float
    high: float
    rounds: int


def interleaved(calls: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Times]:
    """Times each call, one round after the other, until that many seconds are over.

    A round times every call once: so many repetitions of it that they take a millisecond or more.
    """
    repetitions = {name: _repetitions(call) for name, call in calls.items()}
    rounds: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    gc.collect()
    gc.disable()
    try:
        while time.perf_counter() < end or len(next(iter(rounds.values()))) < 5:
            for name, call in calls.items():
                n = repetitions[name]
                time.sleep(PAUSE)
                call()  # the caches are warm with what is measured
                start = time.perf_counter()
                for _ in range(n):
                    call()
                rounds[name].append((time.perf_counter() - start) / n)
    finally:
        gc.enable()
    return {name: _times(seconds) for name, seconds in rounds.items()}


def _repetitions(call: Callable[[], Any]) -> int:
    for _ in range(3):  # warm-up: compilers compile, plans are bound
        call()
    start = time.perf_counter()
    call()
    return max(1, min(1000, int(0.002 / max(time.perf_counter() - start, 1e-9))))


def _times(seconds: list[float]) -> Times:
    low, median, high = statistics.quantiles(seconds, n=4)
    return Times(median, low, high, len(seconds))
