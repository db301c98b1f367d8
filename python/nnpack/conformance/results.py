"""What came out of a run of the suite: one result for each case, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

NEEDS: Mapping[str, tuple[str, ...]] = {
    "L0": (),
    "L1": ("L0",),
    "L2": ("L0", "L1"),
    "L3": ("L0", "L1", "L2"),
    "L4": ("L0", "L1"),
}
"""A level, and those below it, which it takes to reach it."""


class Verdict(str, Enum):
    """What happened in a case: conformance/PROTOCOL.md."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    ERROR = "error"
    CRASH = "crash"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Worst:
    """The element that is furthest over its tolerance.

    Attributes:
        at: the output and the index, "y[0, 2]".
        got: the runtime's number.
        want: the expected one.
        error: |got - want|; infinite or NaN where one of them is no finite number.
        times: how many tolerances that is; infinite where the tolerance is 0 or one of them is no finite number.
        wrong: elements over their tolerance.
        size: elements of all outputs.
    """

    at: str
    got: float
    want: float
    error: float
    times: float
    wrong: int
    size: int


@dataclass(frozen=True)
class Result:
    """One case and its verdict.

    Attributes:
        id: of the case.
        kind: of the case.
        level: of the case.
        title: of the case.
        requires: of the case.
        verdict: what happened.
        message: what is wrong, in one sentence; "" where nothing is.
        declared: whether `unsupported` was declared, and is no failure.
        expected: whether a failure of this case was announced.
        use: the largest part of a tolerance that the answers take; None where no number was compared.
        worst: the element that is furthest over its tolerance.
        code: the error code that is right; None where the file is sound.
        received_code: the error code that came.
        hint: which known mistake the failure looks like, in a sentence; "" where none is known.
        spec: page, section and sentence of the specification that the case tests.
        seconds: how long the case took.
        log: the end of what the runtime wrote to standard error, where something went wrong.
        answered: wrong outputs; None where there are none, or where they are right.
        call: which call they answer, from 0, in a case of several.
    """

    id: str
    kind: str
    level: str
    title: str
    requires: tuple[str, ...]
    verdict: Verdict
    message: str = ""
    declared: bool = False
    expected: bool = False
    use: float | None = None
    worst: Worst | None = None
    code: str | None = None
    received_code: str | None = None
    hint: str = ""
    spec: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    log: str = ""
    answered: Any = field(default=None, compare=False, repr=False)
    call: int = 0

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASS

    @property
    def failed(self) -> bool:
        """Whether the runtime is to blame: an unsupported operator that it declared is none of its failures."""
        return not self.passed and not self.declared

    @property
    def wanted(self) -> bool:
        """Whether the case came out as it should: no failure, or one that was announced."""
        return self.failed == self.expected

    @property
    def operators(self) -> tuple[str, ...]:
        return tuple(item.removeprefix("op:") for item in self.requires if item.startswith("op:"))

    @property
    def group(self) -> str:
        return self.id.partition("/")[0]


@dataclass(frozen=True)
class Tally:
    """Counts of some results.

    Attributes:
        total: cases.
        passed: right ones.
        unsupported: those that the runtime declared as lacking.
        codes: refusals that came with the right code.
        coded: refusals whose code can be right or wrong.
        use: the largest part of a tolerance; None where no number was compared.
    """

    total: int
    passed: int
    unsupported: int
    codes: int
    coded: int
    use: float | None

    @property
    def failed(self) -> int:
        return self.total - self.passed - self.unsupported

    @staticmethod
    def of(results: Iterable[Result]) -> Tally:
        chosen = list(results)
        refused = [result for result in chosen if result.code is not None and result.received_code is not None]
        return Tally(
            total=len(chosen),
            passed=sum(result.passed for result in chosen),
            unsupported=sum(result.declared for result in chosen),
            codes=sum(result.code == result.received_code for result in refused),
            coded=len(refused),
            use=max((result.use for result in chosen if result.use is not None), default=None),
        )


@dataclass(frozen=True)
class Run:
    """All results of one runtime.

    Attributes:
        runtime: name, version and language, as the runtime gives them.
        command: how it was started.
        suite: the suite's version.
        format: the version of the format that the suite is about, (1, 0).
        seed: the order of the cases.
        results: one for each case, in the suite's order.
        whole: how many cases each level has in the suite.
        repeat: the command line that repeats the run, without the choice of cases.
        seconds: how long all of it took.
    """

    runtime: Mapping[str, str]
    command: str
    suite: str
    format: tuple[int, int]
    seed: int
    results: Sequence[Result]
    whole: Mapping[str, int]
    repeat: str
    seconds: float

    @property
    def tally(self) -> Tally:
        return Tally.of(self.results)

    @property
    def levels(self) -> dict[str, Tally]:
        return {level: Tally.of(r for r in self.results if r.level == level) for level in self.whole}

    @property
    def groups(self) -> dict[str, Tally]:
        """By operator, or by what the cases are about."""
        names = sorted({result.group for result in self.results})
        return {name: Tally.of(r for r in self.results if r.group == name) for name in names}

    @property
    def reached(self) -> tuple[str, ...]:
        """The levels of which each case is right, and of which each case was run; with those below them."""
        green = {level for level, tally in self.levels.items() if tally.passed == self.whole[level]}
        return tuple(level for level in self.whole if {level, *NEEDS[level]} & self.whole.keys() <= green)

    @property
    def succeeded(self) -> bool:
        """Whether each case is right, or wrong where that was announced; one that is unsupported is neither."""
        return all(result.failed if result.expected else result.passed for result in self.results)

    @property
    def failures(self) -> list[Result]:
        """What did not come out as it should, the announced failures left out; those that pass are among them."""
        return [result for result in self.results if not result.wanted]

    @property
    def badge(self) -> str:
        """What the badge says: "nnpack 1.0 · L1 · 412/412"."""
        counted = [level for level in self.reached if level != "L0"] or list(self.reached)
        levels = "+".join(counted[-1:] if "L4" not in counted else [*counted[-2:-1], "L4"]) or "no level"
        total = self.tally
        return f"nnpack {self.format[0]}.{self.format[1]} · {levels} · {total.passed}/{total.total}"


def as_dict(result: Result) -> dict[str, Any]:
    """A result as JSON holds it; numbers that JSON lacks become strings."""
    worst = result.worst
    return {
        "id": result.id,
        "kind": result.kind,
        "level": result.level,
        "title": result.title,
        "requires": list(result.requires),
        "verdict": result.verdict.value,
        "message": result.message,
        "declared": result.declared,
        "expected_failure": result.expected,
        "tolerance_use": number(result.use),
        "worst": None
        if worst is None
        else {
            "at": worst.at,
            "got": number(worst.got),
            "want": number(worst.want),
            "error": number(worst.error),
            "times_tolerance": number(worst.times),
            "elements_over": worst.wrong,
            "elements": worst.size,
        },
        "code": result.code,
        "received_code": result.received_code,
        "hint": result.hint,
        "spec": dict(result.spec),
        "seconds": round(result.seconds, 4),
        "log": result.log,
    }


def number(x: float | None) -> float | str | None:
    """A number as JSON holds it."""
    import math

    return x if x is None or math.isfinite(x) else str(x)
