"""The conformance suite against the numpy engine: every case of conformance/manifest.json."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import nnpack
from generate import encoding
from generate.negative import every as negative
from nnpack.conformance.suite import unpacked
from nnpack.errors import FormatError, NnpackError, SelfTestError
from nnpack.format import container
from nnpack.format.build import build
from nnpack.validation import validate

ROOT = Path(__file__).parents[1]
SUITE = ROOT / "conformance"
MANIFEST = json.loads((SUITE / "manifest.json").read_bytes())
CASES: list[dict[str, Any]] = MANIFEST["cases"]
FROZEN = {"1.0": "8d4ae8c02aa2797771e61f527c0a47ec170cf64c0fa1c8b74b602ae3db3a932f"}
"""SHA-256 of each fixture, for ever."""


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
    if dtype == "string":
        return np.array(unpacked(data_of(case, name)), object).reshape(shape)
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


def assert_right(case: dict[str, Any], outputs: list[Any], rows: Any = ...) -> None:
    """The outputs are those rows of what is expected."""
    told = described(case)
    for item, y in zip(told["outputs"], outputs, strict=True):
        expected = array(case, item["file"], "float64", item["shape"])[rows]
        tolerance = array(case, item["tolerance"], "float32", item["shape"])[rows]
        assert y.dtype == item["dtype"]
        assert y.shape == expected.shape
        wrong = over_tolerance(y, expected, tolerance, told["floor"])
        assert not wrong.any(), (
            f"{item['name']}: {wrong.sum()} of {wrong.size} elements: {y[wrong][:3]}, not {expected[wrong][:3]}"
        )


def fed(case: dict[str, Any]) -> list[Any]:
    return [array(case, item["file"], item["dtype"], item["shape"]) for item in described(case)["inputs"]]


@of_kind("run", "special", "network")
def test_numbers(case: dict[str, Any]) -> None:
    """As the operators' own functions compute it, and bound to memory, which a model is at its second call."""
    told = described(case)
    model = nnpack.loads(data_of(case, told["model"]))
    names = [item["name"] for item in told["outputs"]]
    assert_right(case, model.predict(fed(case), outputs=names))
    for answer in [model.predict(fed(case)) for _ in range(3)]:
        model.reset_states()
        assert_right(case, answer if isinstance(answer, list) else [answer])


@of_kind("run", "special", "network")
def test_numbers_without_passes(case: dict[str, Any]) -> None:
    told = described(case)
    model = nnpack.loads(data_of(case, told["model"]), optimize=False)
    for answer in [model.predict(fed(case)) for _ in range(3)]:
        model.reset_states()
        assert_right(case, answer if isinstance(answer, list) else [answer])


@of_kind("run", "network")
def test_numbers_in_float64(case: dict[str, Any]) -> None:
    """Nearer to what is right than any float32 is asked to be: a hundredth of the tolerance."""
    told = described(case)
    model = nnpack.loads(data_of(case, told["model"]), dtype="float64")
    results = model.predict(fed(case), outputs=[item["name"] for item in told["outputs"]])
    for item, y in zip(told["outputs"], results, strict=True):
        assert y.dtype == ("float64" if item["dtype"] == "float32" else item["dtype"])
        expected = array(case, item["file"], "float64", item["shape"])
        tolerance = array(case, item["tolerance"], "float32", item["shape"])
        wrong = over_tolerance(y, expected, tolerance / 100, 1e-13 * np.abs(expected, where=expected.dtype.kind == "f"))
        assert not wrong.any(), f"{item['name']}: {y[wrong][:3]}, not {expected[wrong][:3]}"


@of_kind("meta")
def test_calls_of_one_model(case: dict[str, Any]) -> None:
    told = described(case)
    model = nnpack.loads(data_of(case, told["model"]))
    for rows in told["calls"]:
        inputs = [x[np.array(rows, int)] for x in fed(case)]
        results = model.predict(inputs, outputs=[item["name"] for item in told["outputs"]])
        assert_right(case, results, np.array(rows, int))


@of_kind("states")
def test_pieces_of_a_sequence(case: dict[str, Any]) -> None:
    told = described(case)
    model = nnpack.loads(data_of(case, told["model"]))
    for lengths in told["splits"]:
        model.reset_states()
        ends = np.cumsum(lengths)[:-1]
        pieces = zip(*(np.split(x, ends, axis=1) for x in fed(case)), strict=True)
        made = [model.predict(list(piece), outputs=[item["name"] for item in told["outputs"]]) for piece in pieces]
        assert_right(case, [np.concatenate(parts, axis=1) for parts in zip(*made, strict=True)])


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


@of_kind("run", "special", "network", "meta", "states")
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


def test_fixtures_are_what_they_were() -> None:
    """A fixture is frozen: its digest stands here and in the manifest, and the case that loads it holds its bytes."""
    assert MANIFEST["fixtures"] == [{"format": [1, 0], "file": "fixtures/1.0.nnpack", "sha256": FROZEN["1.0"]}]
    assert sorted(path.name for path in (SUITE / "fixtures").iterdir()) == ["1.0.nnpack"]
    data = (SUITE / "fixtures" / "1.0.nnpack").read_bytes()
    assert hashlib.sha256(data).hexdigest() == FROZEN["1.0"]
    assert (SUITE / "cases/canonical/sound/fixture-1.0/model.nnpack").read_bytes() == data


def test_fixture_passes_its_selftest() -> None:
    assert nnpack.load(SUITE / "fixtures" / "1.0.nnpack").selftest().rows == 5


def test_withdrawn_ids_are_not_in_use() -> None:
    assert {case["id"] for case in MANIFEST["withdrawn"]} & {case["id"] for case in CASES} == set()


def validator(name: str) -> Draft202012Validator:
    schemas = {path.name: json.loads(path.read_bytes()) for path in (SUITE / "schema").glob("*.json")}
    registry = Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in schemas.values())
    return Draft202012Validator(schemas[f"{name}.schema.json"], registry=registry)


def test_manifest_and_cases_keep_to_their_schemas() -> None:
    faults = [fault.message for fault in validator("manifest").iter_errors(MANIFEST)]
    of_cases = validator("case")
    faults += [f"{case['id']}: {fault.message}" for case in CASES for fault in of_cases.iter_errors(described(case))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("case_id", "change"),
    [
        ("dense/rank-2", {"calls": [[0], [0]]}),
        ("dense/rank-2", {"code": None}),
        ("dense/rank-2", {"tolerance_class": "network-wide"}),
        ("dense/rank-2", {"spec": {"page": "ops/dense.md", "section": "Shape"}}),
        ("dense/calls", {"calls": None}),
        ("dense/calls", {"splits": [[1], [1]]}),
        ("states/lstm", {"splits": None}),
        ("dense/kernel-rows", {"code": None}),
        ("dense/kernel-rows", {"constraint": "X1"}),
        ("dense/kernel-rows", {"floor": 0.1}),
        ("sound/perceptron", {"comment": "free text"}),
    ],
)
def test_schema_refuses(case_id: str, change: dict[str, Any]) -> None:
    (case,) = [case for case in CASES if case["id"] == case_id]
    assert not validator("case").is_valid({**described(case), **change})


def test_requirements_are_sorted_where_they_are_not_the_fault() -> None:
    unsorted = [case for case in CASES if case["requires"] != sorted(set(case["requires"]))]
    assert {described(case)["code"] for case in unsorted} == {"requires-order"}


def test_bytes_of_reject_and_canonical_cases_are_what_the_generator_makes() -> None:
    made = {case.id: case.all_files for case in negative.cases()}
    stored = {
        case["id"]: {f"{case['directory']}/{name}": data_of(case, name) for name in case["files"]}
        for case in CASES
        if case["kind"] in ("reject", "canonical")
    }
    assert made == stored
