"""A run as one HTML page that needs nothing but itself: no script, no picture, no font, no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.resources import files

from nnpack.conformance.reports.markup import Markup, code_spans, element, join
from nnpack.conformance.reports.text import (
    about,
    apart,
    brief,
    distance,
    format_version,
    line,
    log_lines,
    place,
    problem,
    repeat,
    runtime_name,
    sentence,
    share,
)
from nnpack.conformance.results import NEEDS, Result, Run, Tally, Worst
from nnpack.errors import printable

ROOM = 250_000
"""So many characters the failures may take; those that find no room in it stand in the list of all cases alone."""

MEANS = {
    "L0": "files are read, or refused",
    "L1": "the operators of perceptrons",
    "L2": "convolution, pooling, normalization, merging",
    "L3": "recurrent layers, attention, everything else",
    "L4": "storage types",
}

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A second lock: what no escaping should let through would not be loaded or run either."""

USE = "Most of a tolerance used"


def html_page(run: Run) -> str:
    shown = list(_within_room(run))
    title = f"{runtime_name(run)} · {run.badge}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(files(__package__).joinpath("page.css").read_text("utf-8"))),
    )
    sections = {
        "Levels": _levels(run),
        "Failures": _failures(run, shown),
        "Operators": _operators(run),
        "Files and models": _files(run),
        "Other codes": _other_codes(run),
        "Lacking": _lacking(run),
        "All cases": _all_cases(run, {result.id for result, _ in shown}),
    }
    titles = [title for title, section in sections.items() if section]
    main = element("main", _header(run, titles), _figures(run), *sections.values(), _footer(run))
    return f"<!doctype html>\n{element('html', head, element('body', main), lang='en')}\n"


def _section(title: str, note: str, *contents: str) -> Markup:
    return element("section", _heading(title, note), *contents, id=_anchor(title))


def _heading(title: str, note: str) -> Markup:
    return element("h2", title, *((" ", element("small", note)) if note else ()))


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


# At a glance


def _header(run: Run, titles: Iterable[str]) -> Markup:
    return element(
        "header",
        element("p", f"nnpack {format_version(run)} conformance", class_="eyebrow"),
        element("nav", *(element("a", title, href=f"#{_anchor(title)}") for title in titles)),
        element("h1", runtime_name(run), " ", element("small", line(run.runtime.get("language", ""), 40))),
        element("p", _verdict(run), class_="verdict"),
        element("ul", *_marks(run), class_="marks"),
    )


def _verdict(run: Run) -> str:
    if not run.results:
        return "No case was run."
    reached = _listed(run.reached)
    levels = f"It reaches {reached}." if reached else "It reaches no level."
    count = len(run.failures)
    if not count:
        return levels
    return f"{levels} {'One case' if count == 1 else f'{count:,} cases'} did not come out as expected."


def _marks(run: Run) -> Iterator[Markup]:
    reached, levels = run.reached, run.levels
    for level, tally in levels.items():
        done = level in reached
        missing = _listed(below for below in NEEDS[level] if below in levels and below not in reached)
        standing = "reached" if done else f"needs {missing}" if tally.passed == run.whole[level] else "not reached"
        mark = element("b", "✓" if done else "–", aria_hidden="true")
        yield element("li", mark, f" {level}", element("span", standing), class_="right" * done)


def _listed(names: Iterable[str]) -> str:
    """L0, L1 and L4"""
    *most, last = [*names] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _figures(run: Run) -> Markup:
    tally = run.tally
    announced = sum(result.expected and result.failed for result in run.results)
    return element(
        "dl",
        _figure("Passed", f"{tally.passed:,}", f"of {tally.total:,}", "right" * (0 < tally.passed == tally.total)),
        _figure(
            "Failed", f"{tally.failed:,}", f"{announced:,} announced" if announced else "", "wrong" * bool(tally.failed)
        ),
        _figure("Unsupported", f"{tally.unsupported:,}", "", "lacking" * bool(tally.unsupported)),
        _figure("Codes right", f"{tally.codes:,}", f"of {tally.coded:,}"),
        element("div", element("dt", USE), element("dd", _use(tally.use))),
        class_="figures",
    )


def _figure(name: str, value: str, note: str, kind: str = "") -> Markup:
    return element(
        "div", element("dt", name), element("dd", value, " ", element("small", note) if note else "", class_=kind)
    )


# Tables


def _levels(run: Run) -> Markup:
    rows = [
        _tally_row(join(level, element("span", MEANS.get(level, ""))), tally, run.whole[level])
        for level, tally in run.levels.items()
    ]
    return _section("Levels", "", _tally_table("Level", rows))


def _operators(run: Run) -> Markup:
    return _groups(run, "Operators", "Operator", True)


def _files(run: Run) -> Markup:
    return _groups(run, "Files and models", "Subject", False)


def _groups(run: Run, title: str, what: str, operators: bool) -> Markup:
    """The groups that are operators, or those that are not; what needs attention first."""
    named = {r.group for r in run.results if any(op.partition("@")[0] == r.group for op in r.operators)}
    groups = [(name, tally) for name, tally in run.groups.items() if (name in named) == operators]
    groups.sort(key=lambda item: (-item[1].failed, -item[1].unsupported, item[0]))
    rows = [_tally_row(line(name), tally) for name, tally in groups]
    return _section(title, "", _tally_table(what, rows)) if rows else Markup("")


def _tally_table(what: str, rows: Iterable[Markup]) -> Markup:
    return _table((what, "Passed", "Failed", "Unsupported", "Codes right", USE), rows, "tallies")


def _table(columns: Iterable[str], rows: Iterable[Markup], kind: str) -> Markup:
    heads = (element("th", name, scope="col") for name in columns)
    return element("table", element("thead", element("tr", *heads)), element("tbody", *rows), class_=kind)


def _tally_row(name: str, tally: Tally, whole: int | None = None) -> Markup:
    skipped = 0 if whole is None else whole - tally.total
    note = element("span", f"{skipped:,} not run") if skipped else ""
    right = "right" * (0 < tally.passed == tally.total and not skipped)
    return element(
        "tr",
        element("th", name, scope="row"),
        element("td", f"{tally.passed:,}", element("small", f" / {tally.total:,}"), note, class_=right),
        _count("failed", tally.failed, "wrong"),
        _count("unsupported", tally.unsupported, "lacking"),
        element("td", f"{tally.codes:,}", element("small", f" / {tally.coded:,}"), data_name="codes right")
        if tally.coded
        else element("td", "–", class_="none"),
        element("td", _use(tally.use)),
    )


def _count(name: str, count: int, kind: str) -> Markup:
    return element("td", f"{count:,}", class_=kind, data_name=name) if count else element("td", "–", class_="none")


def _use(use: float | None) -> Markup:
    """A part of a tolerance as a number beside a bar, which is full at 1."""
    if use is None:
        return element("span", "–", class_="none")
    width = f"width:{100 * min(max(use, 0.0), 1.0):.0f}%" if use == use else ""
    bar = element("span", element("i", style=width), class_="bar over" if use > 1 else "bar", aria_hidden="true")
    return element("span", bar, element("span", share(use)), class_="use")


# Failures


def _within_room(run: Run) -> Iterator[tuple[Result, Markup]]:
    """The first failures, until the room is full."""
    room = ROOM
    for result in run.failures:
        told = _failure(run, result)
        room -= len(told)
        if room < 0:
            return
        yield result, told


def _failures(run: Run, shown: list[tuple[Result, Markup]]) -> Markup:
    count = len(run.failures)
    if not count:
        return Markup("")
    rest = count - len(shown)
    more = element("p", f"{rest:,} more are marked in the list of all cases.", class_="more") if rest else ""
    return _section("Failures", f"{count:,}", *(told for _, told in shown), more)


def _failure(run: Run, result: Result) -> Markup:
    parts = [
        element(
            "h3",
            element("span", result.verdict.value, class_="verdict-tag"),
            element("span", line(result.id), class_="id"),
            " ",
            element("small", about(result)),
        ),
        element("p", code_spans(line(result.title)), class_="title"),
        element("p", problem(result), class_="problem"),
    ]
    if result.worst:
        parts.append(_worst(result.worst))
    if result.hint:
        told = line(result.hint)
        parts.append(element("p", told[0].upper() + told[1:] + ".", class_="hint"))
    if result.spec:
        parts.append(
            element("blockquote", element("p", code_spans(sentence(result.spec))), element("cite", place(result.spec)))
        )
    parts.append(element("pre", repeat(run, result), class_="command"))
    if result.log:
        lines = log_lines(result.log)
        name = "Log, one line" if len(lines) == 1 else f"Log, the last {len(lines)} lines"
        text = join(*(part for each in lines for part in (each, Markup("\n"))))
        parts.append(element("details", element("summary", name), element("pre", text)))
    return element("article", *parts, id=line(result.id))


def _worst(worst: Worst) -> Markup:
    got, want = apart(worst.got, worst.want)
    pairs = [
        ("worst element", line(worst.at)),
        ("got", got),
        ("want", want),
        ("error", distance(worst) or "no finite number"),
    ]
    return element(
        "dl", *(element("div", element("dt", name), element("dd", value)) for name, value in pairs), class_="worst"
    )


# Folded


def _folded(title: str, count: int, *contents: str) -> Markup:
    summary = element("summary", _heading(title, f"{count:,}"))
    return element("details", summary, *contents, class_="folded", id=_anchor(title))


def _other_codes(run: Run) -> Markup:
    """Refusals that are right, but for their code."""
    found = [r for r in run.results if r.code is not None and r.received_code not in (None, r.code)]
    if not found:
        return Markup("")
    rows = (
        element(
            "tr",
            element("td", line(result.id)),
            element("td", line(result.code or "")),
            element("td", line(result.received_code or "", 80)),
        )
        for result in found
    )
    told = element("p", "These files are refused, as they have to be, but for another reason.", class_="more")
    return _folded("Other codes", len(found), told, _table(("Case", "Expected", "Received"), rows, "codes"))


def _lacking(run: Run) -> Markup:
    """What the runtime lacks, and how many cases that costs."""
    reasons = Counter(line(result.message) for result in run.results if result.declared)
    rows = (
        element("tr", element("td", reason or "no reason given"), element("td", f"{count:,}"))
        for reason, count in reasons.most_common()
    )
    if not reasons:
        return Markup("")
    return _folded("Lacking", sum(reasons.values()), _table(("Reason", "Cases"), rows, "reasons"))


def _all_cases(run: Run, explained: set[str]) -> Markup:
    rows = (_case(result, result.id in explained) for result in run.results)
    table = _table(("Case", "Level", "Kind", "Verdict", "Tolerance used"), rows, "cases")
    return _folded("All cases", len(run.results), table)


def _case(result: Result, explained: bool) -> Markup:
    name = line(result.id)
    kind = "right" if result.passed else "lacking" if result.declared else "wrong"
    verdict = f"{result.verdict.value}, announced as failure" if result.expected else result.verdict.value
    message = "" if result.wanted or explained else element("span", line(result.message, 160))
    return element(
        "tr",
        element(
            "td", element("a", name, href=f"#{name}") if explained else name, element("span", line(result.title, 200))
        ),
        element("td", result.level),
        element("td", result.kind),
        element("td", verdict, message, class_=kind),
        element("td", "" if result.use is None else share(result.use)),
    )


def _footer(run: Run) -> Markup:
    pairs = [
        ("Runtime", line(run.command)),
        ("Repeat", printable(f"{run.repeat} --seed {run.seed}")),
        ("Suite", run.suite),
        ("Time", f"{brief(run.seconds)} s"),
    ]
    facts = (element("div", element("dt", name), element("dd", value)) for name, value in pairs)
    return element("footer", element("dl", *facts))
