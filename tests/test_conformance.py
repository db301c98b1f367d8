"""The conformance suite against the numpy engine: every case of conformance/manifest.json."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnpack
from generate import encoding
from generate.negative import every as negative
from nnpack.errors import FormatError, NnpackError, SelfTestError
from nnpack.format import container
from nnpack.format.build import build
from nnpack.validation import validate

ROOT = Path(__file__).parents[1]
SUITE = ROOT / "conformance"
MANIFEST = json.loads((SUITE / "manifest.json").read_bytes())
CASES: list[dict[str, Any]] = MANIFEST["cases"]

OF_FILES = {"Bytes", "Version and requirements", "Schema", "Tensors", "Graph", "Canonical form"}
"""The sections of spec/errors.md whose codes a file can have."""

UNSTORED = {
    "limit-header": "takes a header of 16 MiB; test_header_beyond_16_mib makes one",
    "msgpack-invalid": "stands for what no other code names",
}
"""Codes of a file's faults that no stored case has."""


def described(case: dict[str, Any]) -> Any:
    return json.loads(data_of(case, "case.json"))


def data_of(case: dict[str, Any], name: str) -> bytes:
    return (SUITE / case["directory"] / name).read_bytes()


FAILING = {case["id"] for case in CASES if case["kind"] == "reject" and described(case)["code"] == "selftest-failed"}
"""Cases whose fault only computing tells."""


def of_kind(*kinds: str, failing: bool = False) -> pytest.MarkDecorator:
    """Runs a test once for each case of these kinds, those that fail in their self-test apart; ids are the cases'."""
    chosen = [case for case in CASES if case["kind"] in kinds and (case["id"] in FAILING) == failing]
    return pytest.mark.parametrize("case", chosen, ids=[case["id"] for case in chosen])


def array(case: dict[str, Any], name: str, dtype: str, shape: list[int]) -> Any:
    return np.frombuffer(data_of(case, name), np.dtype(dtype).newbyteorder("<")).reshape(shape)


def rewritten(model: nnpack.Model) -> bytes:
    """The bytes that a loaded file is written as."""
    return b"".join(container.write(model.document.version, *build(model.document)))


# Numbers


def over_tolerance(y: Any, expected: Any, tolerance: Any, floor: float) -> Any:
    """Where y is not right."""
    with np.errstate(invalid="ignore"):
        near = np.abs(y.astype(np.float64) - expected) <= np.maximum(tolerance.astype(np.float64), floor)
    # the difference of two infinities is NaN, which is near nothing
    return ~(near | (y == expected) | (np.isnan(y) & np.isnan(expected)))


@of_kind("run", "special", "network")
def test_numbers(case: dict[str, Any]) -> None:
    told = described(case)
    model = nnpack.loads(data_of(case, told["model"]))
    inputs = [array(case, item["file"], item["dtype"], item["shape"]) for item in told["inputs"]]
    results = model.predict(inputs, outputs=[item["name"] for item in told["outputs"]])
    answer = model.predict(inputs)
    for item, y, again in zip(told["outputs"], results, answer if isinstance(answer, list) else [answer], strict=True):
        assert y.dtype == item["dtype"]
        assert list(y.shape) == item["shape"]
        expected = array(case, item["file"], "float64", item["shape"])
        wrong = over_tolerance(y, expected, array(case, item["tolerance"], "float32", item["shape"]), told["floor"])
        assert not wrong.any(), (
            f"{item['name']}: {wrong.sum()} of {wrong.size} elements: {y[wrong][:3]}, not {expected[wrong][:3]}"
        )
        np.testing.assert_array_equal(y, again)


@pytest.mark.parametrize(
    ("y", "expected"),
    [(np.nan, 1.0), (1.0, np.nan), (np.inf, -np.inf), (np.inf, 3e38), (1.5, np.inf), (1.0 + 2e-6, 1.0), (3e-38, 0.0)],
)
def test_comparison_finds_what_is_wrong(y: float, expected: float) -> None:
    tolerance = np.float32([1e-6 if expected == 1 else 0])
    assert over_tolerance(np.float32([y]), np.float64([expected]), tolerance, 2.0**-126).all()


@pytest.mark.parametrize(
    ("y", "expected"), [(np.nan, np.nan), (-np.inf, -np.inf), (-0.0, 0.0), (1.0 + 5e-7, 1.0), (0.0, 1e-38)]
)
def test_comparison_passes_what_is_right(y: float, expected: float) -> None:
    tolerance = np.float32([1e-6 if expected == 1 else 0])
    assert not over_tolerance(np.float32([y]), np.float64([expected]), tolerance, 2.0**-126).any()


# Files


@of_kind("reject")
def test_reader_refuses(case: dict[str, Any]) -> None:
    told = described(case)
    data = data_of(case, told["model"])
    with pytest.raises(FormatError) as caught:
        nnpack.loads(data)
    assert (caught.value.code, caught.value.at) == (told["code"], told["at"])


@of_kind("reject", failing=True)
def test_reader_runs_the_selftest(case: dict[str, Any]) -> None:
    data = data_of(case, "model.nnpack")
    with pytest.raises(SelfTestError, match="selftest-failed"):
        nnpack.loads(data)
    unverified = nnpack.loads(data, verify=False)
    with pytest.raises(SelfTestError, match="selftest-failed"):
        unverified.selftest()


@of_kind("reject", failing=True)
def test_validator_finds_a_failing_selftest_alone(case: dict[str, Any]) -> None:
    found = validate(SUITE / case["directory"] / "model.nnpack")
    assert [(fault.code, fault.at) for fault in found] == [("selftest-failed", "/selftest")]


@of_kind("reject")
def test_validator_finds_the_fault(case: dict[str, Any]) -> None:
    told = described(case)
    found = validate(SUITE / case["directory"] / told["model"])
    assert (told["code"], told["at"]) in [(fault.code, fault.at) for fault in found]


@of_kind("canonical")
def test_file_is_written_again_in_canonical_form(case: dict[str, Any]) -> None:
    told = described(case)
    data = data_of(case, told["model"])
    wanted = data if told["code"] is None else data_of(case, "canonical.nnpack")
    assert rewritten(nnpack.loads(data)) == wanted


@of_kind("canonical")
def test_validator_finds_the_departure_alone(case: dict[str, Any]) -> None:
    told = described(case)
    found = validate(SUITE / case["directory"] / told["model"])
    wanted = [] if told["code"] is None else [(told["code"], told["at"])]
    assert [(fault.code, fault.at) for fault in found] == wanted


@of_kind("run", "special", "network")
def test_model_of_a_case_is_valid_and_canonical(case: dict[str, Any]) -> None:
    assert validate(SUITE / case["directory"] / "model.nnpack") == []
    data = data_of(case, "model.nnpack")
    assert rewritten(nnpack.loads(data)) == data


def test_header_beyond_16_mib() -> None:
    note = ["a" * 2**16] * 257
    file = encoding.document(
        [encoding.value("x", ["batch", 4])],
        [encoding.layer("relu", ["x"], encoding.value("y", ["batch", 4]))],
        ["y"],
        ext={"org.example.note": note},
    )
    with pytest.raises(NnpackError) as caught:
        nnpack.loads(bytes(file))
    assert (caught.value.code, caught.value.at) == ("limit-header", "byte 11")


# The suite itself


def test_manifest_lists_the_files_that_are_there() -> None:
    listed = {
        f"{case['directory']}/{name}": digest
        for case in CASES
        for name, digest in zip(case["files"], case["sha256"], strict=True)
    }
    there = {
        path.relative_to(SUITE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (SUITE / "cases").rglob("*")
        if path.is_file()
    }
    assert there == listed


def test_manifest_agrees_with_the_cases() -> None:
    ids = [case["id"] for case in CASES]
    assert len(set(ids)) == len(ids)
    for case in CASES:
        told = described(case)
        assert {key: told[key] for key in ("id", "kind", "level", "requires", "constraint")} == {
            key: case[key] for key in ("id", "kind", "level", "requires", "constraint")
        }
        assert case["directory"] == f"cases/{case['kind']}/{case['id']}"


@cache
def codes_of_the_specification() -> dict[str, str]:
    """Code -> the section of spec/errors.md that it stands in."""
    codes: dict[str, str] = {}
    section = ""
    for line in (ROOT / "spec" / "errors.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif row := re.match(r"\| `([a-z0-9-]+)` \|", line):
            codes[row[1]] = section
    return codes


def test_every_code_of_a_file_has_a_case() -> None:
    codes = codes_of_the_specification()
    of_files = {code for code, section in codes.items() if section in OF_FILES}
    told = [described(case) for case in CASES if case["kind"] in ("reject", "canonical")]
    assert {case["code"] for case in told} - {None} == (of_files - UNSTORED.keys()) | {"selftest-failed"}


def test_requirements_are_sorted_where_they_are_not_the_fault() -> None:
    unsorted = [case for case in CASES if case["requires"] != sorted(set(case["requires"]))]
    assert {described(case)["code"] for case in unsorted} == {"requires-order"}


def test_every_constraint_of_an_operator_has_a_case() -> None:
    """The numbered constraints of spec/ops/*.md, with their codes, against the labels of the reject cases."""
    wanted = set()
    for page in sorted((ROOT / "spec" / "ops").glob("*.md")):
        lines = page.read_text(encoding="utf-8").splitlines()
        constraints = [re.match(r"- \*\*(C\d+)\*\* \(`([a-z-]+)`\)", line) for line in lines]
        for operator in operators_of(lines):
            wanted |= {(operator, found[1], found[2]) for found in constraints if found}
    labelled = {
        (case["id"].partition("/")[0], case["constraint"], described(case)["code"])
        for case in CASES
        if case["constraint"] is not None
    }
    assert labelled == wanted


def operators_of(lines: list[str]) -> list[str]:
    """The operators of a page: of its table, or else of its title."""
    rows = [re.match(r"\| `([a-z0-9_]+)@\d+` \|", line) for line in lines]
    return [row[1] for row in rows if row] or re.findall(r"([a-z0-9_]+)@\d+", lines[0])


def test_every_operator_has_positive_cases() -> None:
    from nnpack.ops import OPERATORS

    tried = {item for case in CASES if case["kind"] in ("run", "network") for item in case["requires"]}
    assert {item for item in tried if item.startswith("op:")} == {f"op:{operator}" for operator in OPERATORS}


def test_bytes_of_reject_and_canonical_cases_are_what_the_generator_makes() -> None:
    made = {case.id: case.all_files for case in negative.cases()}
    stored = {
        case["id"]: {f"{case['directory']}/{name}": data_of(case, name) for name in case["files"]}
        for case in CASES
        if case["kind"] in ("reject", "canonical")
    }
    assert made == stored
