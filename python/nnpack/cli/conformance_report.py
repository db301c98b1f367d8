"""What `nnpack conformance run` shows: how far it is, and what came out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from nnpack.cli.show import console, fields, grid, show
from nnpack.conformance.reports.text import block, brief, format_version, line, log_lines, runtime_name, share, told
from nnpack.conformance.results import Result, Run, Tally
from nnpack.errors import printable

if TYPE_CHECKING:
    from nnpack.conformance.fuzzing import Finding

MOST = 20
"""Failures that are told in full, without --verbose."""

LOG_LINES = 8

COLUMNS = ("Cases", "Passed", "Failed", "Unsupported", "Codes right", "Tolerance used")


def summary(run: Run, verbose: bool = False) -> None:
    """Prints what came out of a run.

    Args:
        run: all results.
        verbose: tell of each group, each failure, and each refusal with another code.
    """
    show(_levels(run), *_groups(run, verbose))
    if verbose:
        show(*_other_codes(run))
    failures = run.failures
    for result in failures if verbose else failures[:MOST]:
        _failure(run, result, None if verbose else LOG_LINES)
    if len(failures) > MOST and not verbose:
        show(
            "", f"{_counted(len(failures) - MOST, 'more failure')}: --verbose shows all, --json and --junit write all."
        )
    show("", *fields(_closing(run)))


def _levels(run: Run) -> Table:
    reached = run.reached
    rows = []
    for level, tally in run.levels.items():
        rest = run.whole[level] - tally.total
        standing = "reached" if level in reached else f"{rest:,} not run" if rest else "not reached"
        rows.append((level, *_cells(tally), standing))
    language = run.runtime.get("language", "")
    title = (
        f"{runtime_name(run)}{language and f' ({line(language, 40)})'}: nnpack {format_version(run)}, suite {run.suite}"
    )
    return grid(title, ("Level", *COLUMNS, ""), rows, COLUMNS)


def _groups(run: Run, verbose: bool) -> Iterator[Table | str]:
    """A row for each group that has something to tell, and a line for the others."""
    groups = run.groups
    told = {name: tally for name, tally in groups.items() if verbose or tally.failed}
    if told:
        rows = [(line(name), *_cells(tally)) for name, tally in told.items()]
        yield grid("Operators and other groups", ("Group", *COLUMNS), rows, COLUMNS)
    rest = [tally for name, tally in groups.items() if name not in told]
    if rest:
        lacking = sum(tally.unsupported for tally in rest)
        standing = f"none failed, {lacking:,} unsupported." if lacking else "all right."
        cases = _counted(sum(tally.total for tally in rest), "case")
        yield f"{_counted(len(rest), 'other group' if told else 'group')}, {cases}: {standing}"


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'s' * (n != 1)}"


def _cells(tally: Tally) -> tuple[str, ...]:
    codes = f"{tally.codes:,}/{tally.coded:,}" if tally.coded else ""
    counts = (f"{count:,}" for count in (tally.total, tally.passed, tally.failed, tally.unsupported))
    return (*counts, codes, "" if tally.use is None else share(tally.use))


def _other_codes(run: Run) -> Iterator[Table]:
    """The refusals that are right, but for their code."""
    rows = [
        (line(result.id), result.code, line(result.received_code or ""))
        for result in run.results
        if result.code is not None and result.received_code not in (None, result.code)
    ]
    if rows:
        yield grid("Refused with another code", ("Case", "Expected", "Received"), rows)


def _failure(run: Run, result: Result, log: int | None) -> None:
    first, *others = block(run, result)
    verdict, _, rest = first.partition(" ")
    out = console()
    out.print()
    out.print(Text.assemble((printable(verdict), "bold red"), printable(f" {rest}")))
    show(*others)
    if result.log:
        lines = log_lines(result.log)
        show("  log:", *(f"    {each}" for each in (lines if log is None else lines[-log:])))


def _closing(run: Run) -> list[tuple[str, str]]:
    tally = run.tally
    announced = sum(result.expected and result.failed for result in run.results)
    counts: Mapping[str, int] = {"failed": tally.failed, "unsupported": tally.unsupported, "announced": announced}
    parts = [f"{tally.passed:,} of {tally.total:,} passed", *(f"{n:,} {what}" for what, n in counts.items() if n)]
    lines = [("Reached", ", ".join(run.reached) or "no level"), ("Cases", ", ".join(parts))]
    if tally.coded:
        lines.append(("Codes", f"{tally.codes:,} of {tally.coded:,} refusals have the right code"))
    if tally.use is not None:
        lines.append(("Tolerance", f"{share(tally.use)} × what is allowed, at worst: {line(_worst_case(run.results))}"))
    return [*lines, ("Seed", str(run.seed)), ("Time", f"{brief(run.seconds)} s")]


def _worst_case(results: Iterable[Result]) -> str:
    """The id of the case that uses most of a tolerance."""
    return max((result for result in results if result.use is not None), key=lambda result: result.use or 0.0).id


class Bar:
    """A progress bar on stderr; shows nothing where there is no terminal.

    Args:
        quiet: show nothing at all.
        total: of steps; `begin` may tell it later.
    """

    def __init__(self, quiet: bool = False, total: int | None = None) -> None:
        out = console(stderr=True)
        columns = (
            SpinnerColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=out, disable=quiet or not out.is_terminal)
        self._task = self._progress.add_task("", total=total, text="")

    def __enter__(self: B) -> B:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, total: int) -> None:
        """Is told how many steps there are, before the first."""
        self._progress.update(self._task, total=total)

    def step(self, text: str, completed: int | None = None) -> None:
        """One step further, or at this one."""
        if completed is None:
            self._progress.update(self._task, advance=1, text=text)
        else:
            self._progress.update(self._task, completed=completed, text=text)


B = TypeVar("B", bound=Bar)


class Cases(Bar):
    """The progress of a run."""

    def __init__(self, quiet: bool = False) -> None:
        super().__init__(quiet)
        self._passed = self._failed = 0

    def advance(self, result: Result) -> None:
        """Is told each result."""
        self._passed += result.passed
        self._failed += not result.wanted
        self.step(f"{self._passed:,} passed" + (f", {self._failed:,} failed" if self._failed else ""))


class Draws(Bar):
    """The progress of drawing.

    Args:
        quiet: show nothing at all.
        topics: operators and other things that are drawn.
        cases: drawn for each, but for those that shrinking adds.

    Attributes:
        drawn: topic -> how many cases were drawn.
    """

    def __init__(self, quiet: bool, topics: int, cases: int) -> None:
        super().__init__(quiet, topics * cases)
        self.drawn: dict[str, int] = {}
        self._cases = cases

    def advance(self, topic: str, result: Result) -> None:
        """Is told each result."""
        self.drawn[topic] = self.drawn.get(topic, 0) + 1
        self.step(topic, (len(self.drawn) - 1) * self._cases + min(self.drawn[topic], self._cases))


def fuzzed(findings: Iterable[Finding], drawn: Mapping[str, int], seed: int) -> None:
    """Prints what drawing has found."""
    found = list(findings)
    for finding in found:
        first, *others = told(finding.result)
        show("", first, f"  {line(finding.result.title)}", *others)
        if finding.result.log:
            show("  log:", *(f"    {each}" for each in log_lines(finding.result.log)[-LOG_LINES:]))
    lines = [
        ("Cases", f"{sum(drawn.values()):,} of {_counted(len(drawn), 'topic')}, {_counted(len(found), 'failure')}"),
        ("Seed", str(seed)),
    ]
    show("", *fields(lines))


def killers(killed: Mapping[str, Sequence[str]]) -> None:
    """Prints which cases find which mistake."""
    rows = [
        (name, f"{len(cases):,}", ", ".join(cases[:3]) + (", …" if len(cases) > 3 else ""))
        for name, cases in killed.items()
    ]
    found = sum(map(bool, killed.values()))
    show(grid("Known mistakes", ("Mutant", "Killed by", "Cases"), rows, ("Killed by",)), "")
    show(*fields([("Mutants", f"{found:,} of {len(killed):,} are killed")]))
    survivors = [name for name, cases in killed.items() if not cases]
    if survivors:
        show(*fields([("Survive", "; ".join(survivors))]))
