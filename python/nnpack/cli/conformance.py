"""`nnpack conformance`: prove a runtime, in any language."""

from __future__ import annotations

import random
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnpack.cli.faults import extra, print_json, reported
from nnpack.errors import printable

if TYPE_CHECKING:
    from nnpack.conformance.process import Limits
    from nnpack.conformance.suite import Suite

app = typer.Typer(help="Prove a runtime, in any language, with the cases of the suite.", no_args_is_help=True)

SuiteFolder = Annotated[
    str | None,
    typer.Option("--suite", metavar="DIR", help="The suite; without it, conformance/ of the checkout one is in."),
]
Command = Annotated[
    str, typer.Option("--runtime", metavar="CMD", help="The command that starts the runtime's adapter: PROTOCOL.md.")
]
OneShot = Annotated[
    bool, typer.Option("--one-shot", help="The command is called once for each computation, without a conversation.")
]
Level = Annotated[str | None, typer.Option(metavar="L1", help="The cases of this level and of those below it.")]
Ops = Annotated[list[str] | None, typer.Option("--op", metavar="OP", help="The cases of an operator; may be repeated.")]
Cases = Annotated[
    list[str] | None,
    typer.Option("--case", metavar="ID", help="A case, or several: dense/*; may be repeated."),
]
Seed = Annotated[int | None, typer.Option(help="Of the order of the cases; without it, another one each time.")]
Timeout = Annotated[float, typer.Option(min=0.01, metavar="S", help="Seconds until an answer.")]
StartTimeout = Annotated[float, typer.Option(min=0.01, metavar="S", help="Seconds until the first answer.")]
Memory = Annotated[int, typer.Option(min=1, metavar="MIB", help="Memory of the process and its children.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]


@app.command()
@reported
def run(
    runtime: Command,
    one_shot: OneShot = False,
    suite: SuiteFolder = None,
    level: Level = None,
    op: Ops = None,
    case: Cases = None,
    declared: Annotated[
        bool, typer.Option("--declared", help="Leave out what requires something that the runtime does not declare.")
    ] = False,
    seed: Seed = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes at the same time.")] = 1,
    timeout: Timeout = 10.0,
    start_timeout: StartTimeout = 60.0,
    memory: Memory = 1024,
    expected_failures: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ids of cases that are announced to fail, a line each; # begins a comment."),
    ] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write JSON Lines; - is standard output.")
    ] = None,
    junit: Annotated[str | None, typer.Option(metavar="FILE", help="Write JUnit XML.")] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write a page.")] = None,
    badge: Annotated[str | None, typer.Option(metavar="FILE", help="Write a badge, SVG.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every operator, and every failure.")] = False,
    quiet: Quiet = False,
) -> None:
    """Run cases against a runtime; exit code 0 when each one is right."""
    with extra("conformance"):
        from nnpack.conformance import reports, running
        from nnpack.conformance.mutation import recognize
    from nnpack.cli import conformance_report

    found = _suite(suite)
    chosen = found.choose(level, op or (), case or ())
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    with conformance_report.Cases(quiet) as bar:
        outcome = running.run(
            found,
            chosen,
            running.starter(found, runtime, one_shot, _limits(timeout, start_timeout, memory)),
            command=runtime,
            seed=seed,
            jobs=jobs,
            declared=declared,
            expected_failures=_listed(expected_failures),
            repeat=_repeat(runtime, one_shot, suite),
            recognize=recognize,
            started=bar.begin,
            done=bar.advance,
        )
    reports.write(outcome, jsonl=json_file, junit=junit, html=html, badge=badge)
    if json_file != "-":
        conformance_report.summary(outcome, verbose)
    if not outcome.succeeded:
        raise typer.Exit(1)


@app.command()
@reported
def fuzz(
    runtime: Command,
    one_shot: OneShot = False,
    suite: SuiteFolder = None,
    op: Annotated[
        list[str] | None,
        typer.Option("--op", metavar="TOPIC", help="An operator, networks or files; may be repeated; else all."),
    ] = None,
    cases: Annotated[int, typer.Option(min=1, help="Cases drawn for each operator, for networks and for files.")] = 50,
    seed: Seed = None,
    timeout: Timeout = 10.0,
    start_timeout: StartTimeout = 60.0,
    memory: Memory = 1024,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the failing cases as a suite of their own.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Draw fresh cases, and shrink what a runtime gets wrong to a smallest case; exit code 1 when there is one."""
    with extra("conformance"):
        from nnpack.conformance import fuzzing
        from nnpack.conformance.running import starter
    from nnpack.cli import conformance_report

    found = _suite(suite)
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    topics = [name.partition("@")[0] for name in op] if op else fuzzing.topics(found)
    start = starter(found, runtime, one_shot, _limits(timeout, start_timeout, memory))
    findings = []
    with conformance_report.Draws(quiet, len(topics), cases) as bar:
        for finding in fuzzing.fuzz(found, start, topics, cases, seed, bar.advance):
            findings.append(finding)
    conformance_report.fuzzed(findings, bar.drawn, seed)
    if save and findings:
        fuzzing.save(found, findings, save)
        print(f"To repeat: {printable(_repeat(runtime, one_shot, str(save)))}")
    if findings:
        raise typer.Exit(1)


@app.command()
@reported
def mutants(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Mutants; * and ? stand for anything; else all.")
    ] = None,
    suite: SuiteFolder = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    quiet: Quiet = False,
) -> None:
    """Run the suite against the naive interpreter with known mistakes, and tell which cases find which mistake."""
    with extra("conformance"):
        from nnpack.conformance import mutation
    from nnpack.cli import conformance_report

    found = _suite(suite)
    chosen = mutation.choose(found, names or ())
    killed: dict[str, list[str]] = {}
    with conformance_report.Bar(quiet, len(chosen)) as bar:
        for name, mutant in chosen.items():
            killed[name] = list(mutation.kills(found, mutant, found.cases))
            bar.step(name)
    if json_output:
        print_json({"mutants": killed})
    else:
        conformance_report.killers(killed)
    if not all(killed.values()):
        raise typer.Exit(1)


@app.command("list")
@reported
def list_cases(
    suite: SuiteFolder = None,
    level: Level = None,
    op: Ops = None,
    case: Cases = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """List cases: what each shows, and the sentence of the specification that it tests."""
    with extra("conformance"):
        chosen = _suite(suite).choose(level, op or (), case or ())
    if json_output:
        print_json({"cases": [dict(item.described) for item in chosen]})
        return
    for item in chosen:
        spec = item.described["spec"]
        print(printable(f"{item.id}  [{item.kind}, {item.level}]  {item.described['title']}"))
        print(printable(f"    {spec['page']}, {spec['section']}: {spec['sentence']}"))


def _suite(folder: str | None) -> Suite:
    from nnpack.conformance import suite

    return suite.find() if folder is None else suite.Suite(folder)


def _limits(timeout: float, start_timeout: float, memory: int) -> Limits:
    from nnpack.conformance.process import Limits

    return Limits(timeout, start_timeout, memory * 2**20)


def _listed(path: Path | None) -> set[str]:
    """The ids of a list of expected failures."""
    if path is None:
        return set()
    from nnpack.format.files import guarded

    with guarded(path, "a list of ids"):
        lines = path.read_text("utf-8").splitlines()
    return {line.partition("#")[0].strip() for line in lines} - {""}


def _repeat(runtime: str, one_shot: bool, suite: str | None) -> str:
    """The command line that repeats a run, but for the choice of cases."""
    words = ["nnpack", "conformance", "run", "--runtime", runtime]
    words += ["--one-shot"] if one_shot else []
    words += ["--suite", suite] if suite else []
    return shlex.join(words)
