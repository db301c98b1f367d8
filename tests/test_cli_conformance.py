"""`nnpack conformance`: what people type, right and wrong."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nnpack.cli import main

ROOT = Path(__file__).parents[1]
SUITE = ROOT / "conformance"
NUMPY = f"{sys.executable} {SUITE / 'adapters' / 'numpy_engine.py'}"
MUTANT = f"{sys.executable} {SUITE / 'mutants'} 'dense: bias left out'"


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def conformance(*arguments: object) -> int:
    return main(["conformance", *map(str, arguments)])


def test_right_runtime(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance("run", "--runtime", NUMPY, "--op", "dense", "--seed", 5) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert re.search(r"Cases +\d+ of \d+ passed", out)
    assert re.search(r"Seed +5", out)


def test_wrong_runtime_is_told_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance("run", "--runtime", MUTANT, "--case", "dense/rank-2", "--seed", 5) == 1
    out = capsys.readouterr().out
    assert "FAIL dense/rank-2 [L1; dense@1]   20 of 20 elements over tolerance" in out
    assert 'the output equals the known mistake "dense: bias left out"' in out
    assert "spec/ops/dense.md" in out
    (repeat,) = re.findall(r"repeat: nnpack conformance run --runtime (.+) --case dense/rank-2 --seed 5", out)
    assert "mutants" in repeat


def test_reports_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "html", "badge")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    assert conformance("run", "--runtime", MUTANT, "--case", "dense/rank-*", "--seed", 5, *options) == 1
    lines = [json.loads(line) for line in files["json"].read_text("utf-8").splitlines()]
    failures = {line["result"]["id"] for line in lines if line.get("result", {}).get("verdict") == "fail"}
    assert "dense/rank-2" in failures
    told = ElementTree.parse(files["junit"]).iter("failure")  # noqa: S314 - written just now
    assert len(list(told)) == len(failures)
    assert "dense/rank-2" in files["html"].read_text("utf-8")
    assert "no level" in files["badge"].read_text("utf-8")


def test_json_on_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance("run", "--runtime", NUMPY, "--case", "relu/rank-2", "--json", "-") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [next(iter(line)) for line in lines] == ["run", "result", "summary"]


def test_announced_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    announced = tmp_path / "expected.txt"
    announced.write_text("# the bias is missing\ndense/rank-2  # known\n", "utf-8")
    options = ("--case", "dense/rank-2", "--expected-failures", announced)
    assert conformance("run", "--runtime", MUTANT, *options) == 0
    assert conformance("run", "--runtime", NUMPY, *options) == 1
    assert "announced as a failure, and passes" in capsys.readouterr().out


def test_level_is_reached(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance("run", "--runtime", NUMPY, "--level", "L0", "--jobs", 2) == 0
    assert re.search(r"Reached +L0\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "--runtime", "/nowhere/adapter"), "runtime-start"),
        (("run", "--runtime", f"{sys.executable} -c pass"), "runtime-start"),
        (("run", "--runtime", NUMPY, "--case", "dense/rank-22"), "case-unknown at case: expected one of dense/rank-2"),
        (("run", "--runtime", NUMPY, "--op", "dens"), "case-unknown at op: expected one of dense"),
        (("run", "--runtime", NUMPY, "--level", "L9"), "case-unknown at level: expected one of L0, L1, L2, L3, L4"),
        (("run", "--runtime", NUMPY, "--suite", "spec"), "suite-missing at spec"),
        (("run", "--runtime", NUMPY, "--case", "dense/rank-2", "--expected-failures", "nowhere.txt"), "file-not-found"),
        (("run", "--runtime", NUMPY, "--case", "dense/rank-2", "--html", "spec"), "file-is-directory"),
        (("fuzz", "--runtime", NUMPY, "--op", "dens"), "case-unknown"),
        (("list", "--case", "nothing/*"), "case-unknown"),
        (("mutants", "no such mistake"), "case-unknown"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conformance(*arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 1


def test_cases_are_listed_with_their_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance("list", "--case", "dense/rank-2") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("dense/rank-2  [run, L1]")
    assert second.startswith("    ops/dense.md, ")
    assert conformance("list", "--case", "dense/rank-2", "--json") == 0
    (case,) = json.loads(capsys.readouterr().out)["cases"]
    assert case["id"] == "dense/rank-2"


def test_mutants_tell_who_killed_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance("mutants", "dense: bias*", "--json") == 0
    killed = json.loads(capsys.readouterr().out)["mutants"]
    assert "dense/rank-2" in killed["dense: bias left out"]
    assert conformance("mutants", "dense: bias left out") == 0
    assert "1 of 1 are killed" in capsys.readouterr().out


def test_fuzz_shows_a_minimal_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = tmp_path / "found"
    options = ("--runtime", MUTANT, "--op", "dense", "--cases", 30, "--seed", 1)
    assert conformance("fuzz", *options, "--save", found) == 1
    out = capsys.readouterr().out
    assert "x = [[0.0]]; y = dense(x, kernel = [[0.0]], bias = [1.0])" in out
    assert conformance("run", "--runtime", NUMPY, "--suite", found) == 0
    assert conformance("fuzz", "--runtime", NUMPY, "--op", "dense", "--cases", 30, "--seed", 1) == 0


def test_suite_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert conformance("run", "--runtime", NUMPY, "--case", "relu/rank-2") == 0
