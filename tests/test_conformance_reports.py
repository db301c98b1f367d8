"""The reports of a conformance run, from results made by hand: every verdict, hostile texts, numbers that are none."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from nnpack.cli.conformance_report import Cases, summary
from nnpack.conformance.reports import write
from nnpack.conformance.reports.badge import GREEN, GREY, RED, badge_svg
from nnpack.conformance.reports.jsonl import json_lines
from nnpack.conformance.reports.junit import junit_xml
from nnpack.conformance.reports.page import html_page
from nnpack.conformance.reports.text import apart, block, brief, sentence, share, worst_element
from nnpack.conformance.results import Result, Run, Verdict, Worst
from nnpack.errors import FileError

SCHEMA = Path(__file__).resolve().parents[1] / "conformance" / "schema" / "result.schema.json"
HOSTILE = "<script>alert(1)</script><img src=//x onerror=y>\"'&]]>--> \x00\x07\x1b[31m\x9b\u202e\u2028\ud800\ufffe"
SHOWN = r"""<script>alert(1)</script><img src=//x onerror=y>"'&]]>--> \x00\x07\x1b[31m\x9b\u202e \ud800\ufffe"""
"""HOSTILE as reports show it; U+2028 ends a line, and they have one."""

SHAPE = {"page": "ops/dense.md", "section": "Shape", "sentence": "All axes but the last stay as they are, symbols too."}
OVER = Worst("y[0, 2]", 3.618, 1.2042, 2.4138, 2.1e5, 72, 72)
NOT_A_NUMBER = Worst("y[1]", math.nan, 0.25, math.nan, math.inf, 1, 2)


def result(name, verdict=Verdict.PASS, level="L1", **more):
    requires = ("dtype:float32",) if level == "L0" else ("dtype:float32", f"op:{name.partition('/')[0]}@1")
    return Result(name, "run", level, "What it shows.", requires, verdict, spec=SHAPE, **more)


def run_of(*results, whole=None, **more):
    facts = {
        "runtime": {"name": "tinynn", "version": "0.3", "language": "c"},
        "command": "./tinynn --fast",
        "suite": "1.0.0",
        "format": (1, 0),
        "seed": 17,
        "repeat": "nnpack conformance run --runtime './tinynn --fast'",
        "seconds": 12.34,
        **more,
    }
    levels = [item.level for item in results]
    return Run(results=results, whole=whole or {level: levels.count(level) for level in sorted({*levels})}, **facts)


EVERY = (
    result("dense/right", use=0.25),
    result(
        "dense/wrong",
        Verdict.FAIL,
        message="72 of 72 elements over tolerance",
        use=2.1e5,
        worst=OVER,
        hint='the output equals the known mistake "bias left out"',
    ),
    result("dense/nan", Verdict.FAIL, message="1 of 2 elements over tolerance", use=math.inf, worst=NOT_A_NUMBER),
    result("dense/announced", Verdict.FAIL, message="it is known", expected=True),
    result("dense/healed", expected=True),
    result("relu/error", Verdict.ERROR, message="run: no memory"),
    result("relu/crash", Verdict.CRASH, message="signal SIGSEGV", log="first line\nlast line\n"),
    result("relu/timeout", Verdict.TIMEOUT, message="no answer within 10 s"),
    result("msgpack/protocol", Verdict.PROTOCOL, "L0", message="an answer that is no JSON"),
    result("gelu/lacking", Verdict.UNSUPPORTED, message="lacks op:gelu@1", declared=True),
    result("gelu/undeclared", Verdict.UNSUPPORTED, message="not today"),
    result("msgpack/other-code", level="L0", code="limit-items", received_code="limit-depth"),
    result("msgpack/code", level="L0", code="limit-items", received_code="limit-items"),
)
RUN = run_of(*EVERY)
GREEN_RUN = run_of(result("msgpack/a", level="L0"), result("dense/a", use=0.25), result("dense/b", use=0.5))
EMPTY = run_of(whole={"L0": 3, "L1": 7})
HOSTILE_RUN = run_of(
    result(
        f"dense/{HOSTILE}",
        Verdict.CRASH,
        message=HOSTILE,
        worst=Worst(HOSTILE, math.inf, -math.inf, math.inf, math.inf, 1, 1),
        use=math.nan,
        hint=HOSTILE,
        log=f"{HOSTILE}\n{HOSTILE}",
    ),
    result("dense/lacking", Verdict.UNSUPPORTED, message=HOSTILE, declared=True),
    result("dense/announced", Verdict.FAIL, message=HOSTILE, expected=True),
    result("dense/code", code="limit-items", received_code=HOSTILE),
    runtime={"name": HOSTILE, "version": HOSTILE, "language": HOSTILE},
    command=HOSTILE,
    repeat=HOSTILE,
)
RUNS = {"every": RUN, "green": GREEN_RUN, "empty": EMPTY, "hostile": HOSTILE_RUN}
runs = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


# What is a failure


def test_what_was_declared_or_announced_is_no_failure():
    failures = {item.id for item in RUN.failures}
    assert failures == {item.id for item in EVERY} - {
        "dense/right",
        "dense/announced",
        "gelu/lacking",
        "msgpack/other-code",
        "msgpack/code",
    }
    assert run_of(EVERY[0], EVERY[3]).succeeded
    assert not run_of(EVERY[0], EVERY[9]).succeeded  # unsupported is not right either


def test_announced_failure_that_is_declared_as_lacking_is_told():
    lacking = replace(EVERY[9], expected=True)
    assert run_of(lacking).failures == [lacking]
    assert block(RUN, lacking)[0].endswith("announced as a failure, and is unsupported: lacks op:gelu@1")


# Words


@pytest.mark.parametrize(
    ("worst", "told"),
    [
        (OVER, "y[0, 2]: got 3.618, want 1.2042, off by 2.41 = 2.1e5 × tolerance"),
        (NOT_A_NUMBER, "y[1]: got NaN, want 0.25"),
        (Worst("y[]", -math.inf, 1e-30, math.inf, math.inf, 1, 1), "y[]: got −∞, want 1e-30"),
        (Worst("y[4]", 3.0, 5.0, 2.0, 2.0 / 2**-126, 1, 9), "y[4]: got 3, want 5, off by 2, and has to be exact"),
        (
            Worst("y[0]", 1.00000012, 1.0, 1.2e-7, 1.5, 1, 1),
            "y[0]: got 1.0000001, want 1, off by 1.2e-7 = 1.5 × tolerance",
        ),
    ],
)
def test_worst_element(worst, told):
    assert worst_element(worst) == told


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (1234.5, "1234"),
        (999.9, "1000"),
        (2.1e5, "2.1e5"),
        (1e-7, "1e-7"),
        (-1e100, "-1e100"),
        (math.inf, "∞"),
    ],
)
def test_numbers_as_people_write_them(x, text):
    assert brief(x) == text


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (0.0, "0"),
        (0.4, "0.40"),
        (0.0031, "0.0031"),
        (0.9999, "1"),
        (1.0, "1"),
        (1.0004, "1.0004"),
        (363.2, "363"),
        (2.1e5, "2.1e5"),
        (math.inf, "∞"),
        (math.nan, "NaN"),
    ],
)
def test_part_of_a_tolerance_is_never_rounded_across_1(use, text):
    assert share(use) == text


def test_numbers_that_differ_read_differently():
    assert apart(0.1, 0.1000001) == ("0.1", "0.1000001")
    assert apart(1.0, 1.0 + 2**-52) == ("1", "1.0000000000000002")
    assert apart(1.0, 1.0) == ("1", "1")


def test_row_of_a_table_is_quoted_as_its_cells():
    assert sentence({"sentence": r"| +∞ | \|x\| | NaN |"}) == "+∞ · |x| · NaN"


def test_block_tells_what_to_do_next():
    assert block(RUN, EVERY[1]) == [
        "FAIL dense/wrong [L1; dense@1]   72 of 72 elements over tolerance",
        "  worst y[0, 2]: got 3.618, want 1.2042, off by 2.41 = 2.1e5 × tolerance",
        '  the output equals the known mistake "bias left out"',
        '  spec/ops/dense.md, Shape: "All axes but the last stay as they are, symbols too."',
        "  repeat: nnpack conformance run --runtime './tinynn --fast' --case dense/wrong --seed 17",
    ]


# JSON Lines


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


@runs
def test_json_lines_are_as_their_schema_says(run):
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    Draft202012Validator.check_schema(validator.schema)
    objects = [json.loads(line, parse_constant=no_constant) for line in json_lines(run).splitlines()]
    for item in objects:
        validator.validate(item)
    assert [next(iter(item)) for item in objects] == ["run", *["result"] * len(run.results), "summary"]
    assert [item["result"]["id"] for item in objects[1:-1]] == [item.id for item in run.results]


def test_json_summary_counts():
    told = json.loads(json_lines(RUN).splitlines()[-1])["summary"]
    assert {key: told[key] for key in ("total", "passed", "failed", "unsupported", "codes_right", "codes")} == {
        "total": 13,
        "passed": 4,
        "failed": 8,
        "unsupported": 1,
        "codes_right": 1,
        "codes": 2,
    }
    assert told["tolerance_use"] == "inf"
    assert told["failures"] == [item.id for item in RUN.failures]
    assert told["groups"]["gelu"]["unsupported"] == 1
    assert told["levels"]["L0"] | {"total": 3, "passed": 2, "reached": False, "suite_cases": 3} == told["levels"]["L0"]
    assert (told["reached"], told["succeeded"], told["badge"]) == ([], False, "nnpack 1.0 · no level · 4/13")


@pytest.mark.parametrize(
    "change", [{"id": 3}, {"verdict": "maybe"}, {"tolerance_use": "much"}, {"more": 1}, {"log": None}]
)
def test_schema_of_results_refuses(change):
    line = json.loads(json_lines(RUN).splitlines()[1])
    line["result"].update(change)
    assert not Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).is_valid(line)


# JUnit


@runs
def test_junit_counts_what_it_holds(run):
    root = ElementTree.fromstring(junit_xml(run).encode())  # noqa: S314 - made here
    assert len(root.findall("testsuite/testcase")) == len(run.results)
    for element in (root, *root.findall("testsuite")):
        for count, tag in (("tests", ""), ("failures", "/failure"), ("errors", "/error"), ("skipped", "/skipped")):
            assert int(element.get(count)) == len(element.findall(f".//testcase{tag}"))


def test_junit_verdicts():
    root = ElementTree.fromstring(junit_xml(RUN))  # noqa: S314 - made here
    cases = {case.get("name"): case for case in root.findall("testsuite/testcase")}
    told = {name: [child.tag for child in case] for name, case in cases.items()}
    assert told == {
        "dense/right": [],
        "dense/wrong": ["failure"],
        "dense/nan": ["failure"],
        "dense/announced": ["skipped"],
        "dense/healed": ["failure"],
        "relu/error": ["error"],
        "relu/crash": ["error", "system-err"],
        "relu/timeout": ["error"],
        "msgpack/protocol": ["error"],
        "gelu/lacking": ["skipped"],
        "gelu/undeclared": ["failure"],
        "msgpack/other-code": [],
        "msgpack/code": [],
    }
    assert cases["gelu/lacking"][0].get("message") == "unsupported: lacks op:gelu@1"
    assert cases["dense/announced"][0].get("message") == "announced failure: it is known"
    assert cases["dense/wrong"][0].get("message") == "72 of 72 elements over tolerance"
    assert "--case dense/wrong --seed 17" in cases["dense/wrong"][0].text
    assert cases["relu/crash"].findtext("system-err") == "first line\nlast line"
    properties = {item.get("name"): item.get("value") for item in root.find("testsuite/properties")}
    assert properties | {"runtime.name": "tinynn", "suite": "1.0.0", "seed": "17"} == properties


def test_junit_shows_what_xml_cannot_hold():
    root = ElementTree.fromstring(junit_xml(HOSTILE_RUN).encode())  # noqa: S314 - made here
    message = root.find("testsuite/testcase/error").get("message")
    assert message == SHOWN


# The page


class Page(HTMLParser):
    """The tags, attributes and texts of a page; refuses tags that are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open, self.ids = set(), [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


TAGS = """html head meta title style body main header nav section article footer details summary h1 h2 h3 p a b i small
span code pre blockquote cite ul li dl dt dd div table thead tbody tr th td"""
ATTRIBUTES = "aria-hidden charset class content data-name href http-equiv id lang name scope style"


@runs
def test_page_holds_no_markup_but_its_own(run):
    text = html_page(run)
    page = Page(text)
    assert page.tags <= {*TAGS.split()}
    assert {name for name, _ in page.attributes} <= {*ATTRIBUTES.split()}
    assert all(value.startswith("width:") for name, value in page.attributes if name == "style")
    assert "\ud800" not in text
    assert not any(c < " " and c != "\n" for c in text)


def test_page_shows_hostile_texts_as_texts():
    assert Page(html_page(HOSTILE_RUN)).text.count(SHOWN) >= 5


@runs
def test_page_refers_to_nothing_but_itself(run):
    text = html_page(run)
    page = Page(text)
    targets = [value for name, value in page.attributes if name == "href"]
    assert targets
    assert len(page.ids) == len({*page.ids})
    assert {target.partition("#")[2] for target in targets} <= {*page.ids}
    assert all(target.startswith("#") for target in targets)
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_page_tells_of_each_failure():
    page = Page(html_page(RUN))
    for item in RUN.failures:
        assert item.id in page.ids
        assert item.message in page.text
        assert f"--case {item.id} --seed 17" in page.text
    for words in (
        "tinynn 0.3",
        "It reaches no level. 8 cases did not come out as expected.",
        'The output equals the known mistake "bias left out".',
        "off by 2.41 = 2.1e5 × tolerance",
        "All axes but the last stay as they are, symbols too.",
        "spec/ops/dense.md, Shape",
        "first line last line",
        "lacks op:gelu@1",
        "msgpack/other-code limit-items limit-depth",
        "announced as a failure, and passes",
    ):
        assert words in page.text


def test_page_of_a_run_without_failures():
    page = Page(html_page(GREEN_RUN))
    assert "It reaches L0 and L1." in page.text
    assert "failures" not in page.ids
    assert ("style", "width:50%") in page.attributes


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.CRASH])
def test_page_of_thousands_of_cases_stays_small(verdict):
    title = "A sentence of as many words as the titles of most cases in the suite have."
    log = "frame of a long backtrace, which each of the cases has\n" * 40
    many = [
        replace(result(f"dense/case-number-{i}", verdict, message="it ended"), title=title, log=log, use=0.123456789)
        for i in range(3000)
    ]
    text = html_page(run_of(*many))
    assert len(text.encode()) < 1_000_000
    assert text.count("dense/case-number-") >= 3000
    assert ("more are marked in the list of all cases." in text) == (verdict is Verdict.CRASH)


# The badge

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("run", "says", "color"),
    [
        (GREEN_RUN, "nnpack 1.0 · L1 · 3/3", GREEN),
        (RUN, "nnpack 1.0 · no level · 4/13", RED),
        (EMPTY, "nnpack 1.0 · no level · 0/0", GREY),
        (run_of(EVERY[0], EVERY[9]), "nnpack 1.0 · no level · 1/2", GREY),
        (run_of(EVERY[0], replace(EVERY[9], level="L4")), "nnpack 1.0 · L1 · 1/2", GREEN),
    ],
)
def test_badge(run, says, color):
    root = ElementTree.fromstring(badge_svg(run))  # noqa: S314 - made here
    assert root.findtext(f"{SVG}title") == root.get("aria-label") == says
    label, message = (text.text for text in root.iter(f"{SVG}text"))
    assert f"{label} · {message}" == says
    left, right = root.findall(f"{SVG}g/{SVG}rect")
    assert right.get("fill") == color
    assert int(left.get("width")) + int(right.get("width")) == int(root.get("width"))


def test_badge_has_room_for_its_words():
    root = ElementTree.fromstring(badge_svg(GREEN_RUN))  # noqa: S314 - made here
    edges = [int(rect.get("x", 0)) + int(rect.get("width")) for rect in root.findall(f"{SVG}g/{SVG}rect")]
    for text, edge in zip(root.iter(f"{SVG}text"), edges, strict=True):
        end = int(text.get("x")) + float(text.get("textLength"))
        assert 5 <= edge - end <= 9
        assert 5 <= float(text.get("textLength")) / len(text.text) <= 8


# Files


def test_write_makes_what_was_asked_for(tmp_path, capsys):
    paths = {name: str(tmp_path / name) for name in ("junit", "html", "badge")}
    write(RUN, jsonl="-", **paths)
    assert capsys.readouterr().out == json_lines(RUN)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["badge", "html", "junit"]
    assert (tmp_path / "junit").read_text("utf-8") == junit_xml(RUN)
    write(RUN, jsonl=str(tmp_path / "jsonl"))
    assert (tmp_path / "jsonl").read_text("utf-8") == json_lines(RUN)


def test_report_that_cannot_be_written(tmp_path):
    with pytest.raises(FileError) as caught:
        write(RUN, html=str(tmp_path / "missing" / "page.html"))
    assert caught.value.code == "file-not-found"


@pytest.mark.parametrize("report", ["jsonl", "junit", "html", "badge"])
def test_hostile_texts_are_written(tmp_path, report):
    write(HOSTILE_RUN, **{report: str(tmp_path / "report")})
    assert (tmp_path / "report").read_text("utf-8")


# The terminal


def shown(capsys, run, verbose=False):
    summary(run, verbose)
    return capsys.readouterr().out


def test_summary_tells_of_levels_failures_and_the_seed(capsys):
    text = shown(capsys, RUN)
    assert "\x1b" not in text
    for line in block(RUN, EVERY[1]):
        assert f"{line}\n" in text
    assert "  log:\n    first line\n    last line\n" in text
    told = [line for line in text.splitlines() if line.startswith(tuple(v.value.upper() for v in Verdict))]
    assert [line.split()[1] for line in told] == [item.id for item in RUN.failures]
    closing = dict(line.split(None, 1) for line in text.splitlines()[-6:])
    assert closing == {
        "Reached": "no level",
        "Cases": "4 of 13 passed, 8 failed, 1 unsupported, 1 announced",
        "Codes": "1 of 2 refusals have the right code",
        "Tolerance": "∞ × what is allowed, at worst: dense/nan",
        "Seed": "17",
        "Time": "12.3 s",
    }


def test_summary_is_brief_where_all_is_right(capsys):
    text = shown(capsys, GREEN_RUN)
    assert "2 groups, 3 cases: all right." in text
    assert "dense" not in text.replace("at worst: dense/b", "")
    assert "dense" in shown(capsys, GREEN_RUN, verbose=True).replace("at worst: dense/b", "")


def test_summary_tells_what_was_not_run(capsys):
    text = shown(capsys, run_of(result("dense/a"), whole={"L0": 3, "L1": 7}))
    assert [line.rstrip("│ ").split()[-3:] for line in text.splitlines() if line.startswith(("│ L0", "│ L1"))] == [
        ["3", "not", "run"],
        ["6", "not", "run"],
    ]


def test_summary_has_twenty_failures_in_full(capsys):
    many = run_of(*(result(f"dense/{i}", Verdict.FAIL, message="wrong") for i in range(23)))
    assert shown(capsys, many).count("  repeat: ") == 20
    assert "3 more failures: --verbose" in shown(capsys, many)
    text = shown(capsys, many, verbose=True)
    assert text.count("  repeat: ") == 23
    assert "more failures" not in text


def test_verbose_summary_lists_other_codes(capsys):
    assert "limit-depth" not in shown(capsys, RUN)
    assert "limit-depth" in shown(capsys, RUN, verbose=True)


@runs
@pytest.mark.parametrize("verbose", [False, True])
def test_summary_obeys_no_runtime(capsys, run, verbose):
    text = shown(capsys, run, verbose)
    assert all(line.isprintable() for line in text.split("\n"))


def test_empty_run(capsys):
    assert "0 of 0 passed" in shown(capsys, EMPTY)
    assert "No case was run." in Page(html_page(EMPTY)).text


@pytest.mark.parametrize("quiet", [False, True])
def test_no_progress_where_nobody_watches(capsys, monkeypatch, quiet):
    if quiet:
        monkeypatch.setenv("FORCE_COLOR", "1")
    with Cases(quiet) as bar:
        bar.begin(2)
        bar.advance(EVERY[0])
    assert capsys.readouterr().err == ""


def test_progress_counts(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with Cases() as bar:
        bar.begin(4)
        for item in (EVERY[0], EVERY[1], EVERY[4], EVERY[9]):
            bar.advance(item)
    assert "2 passed, 2 failed" in capsys.readouterr().err
