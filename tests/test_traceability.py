"""Every rule of the specification has its cases, and every case its sentence: spec/ against conformance/manifest.json.

Each test collects all that is missing and tells it in words.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgpack
import numpy as np
import pytest

from generate import pages
from generate.pages import Operator, Rule

ROOT = Path(__file__).parents[1]
SUITE = ROOT / "conformance"
OPERATORS = pages.operators()
NUMBERS = ("run", "special", "network", "meta", "states")

FLOATS = {"float32", "float64"}
INTEGERS = {"int8", "int32", "int64", "uint8"}
DTYPES = {"floats": FLOATS, "numbers": FLOATS | INTEGERS, "any but bool": FLOATS | INTEGERS}
DTYPES["any"] = FLOATS | INTEGERS | {"bool"}
"""What pages call several dtypes."""

UNSTORED = {
    "limit-header": "takes a header of 16 MiB; test_header_beyond_16_mib makes one",
    "msgpack-invalid": "stands for what no other code names",
}
"""Codes of a file's faults that no stored case has."""


class Case(NamedTuple):
    """A case as it is stored: what case.json tells, the header of its model, where it lies."""

    told: dict[str, Any]
    header: dict[str, Any]
    directory: Path

    @property
    def id(self) -> str:
        return str(self.told["id"])

    @property
    def group(self) -> str:
        return self.id.partition("/")[0]

    @property
    def layers(self) -> list[dict[str, Any]]:
        return self.header["layers"] if self.told["kind"] in NUMBERS else []

    @property
    def values(self) -> dict[str, dict[str, Any]]:
        """All values of its model by their names: inputs, states, what layers make."""
        states = [state["input"] for state in self.header.get("states", [])]
        made = [output for layer in self.layers for output in layer["outputs"]]
        return {value["name"]: value for value in [*self.header["inputs"], *states, *made]}

    def floats(self) -> Iterator[Any]:
        """The inputs and the tensors of its file that are float32 or float64."""
        for item in self.told["inputs"]:
            if item["dtype"] in FLOATS:
                yield np.fromfile(self.directory / item["file"], np.dtype(item["dtype"]))
        payload = msgpack.unpackb((self.directory / "model.nnpack").read_bytes())[4]
        for tensor in self.header["tensors"]:
            if tensor["dtype"] in FLOATS:
                yield np.frombuffer(payload[tensor["offset"] :][: tensor["nbytes"]], tensor["dtype"])


@cache
def cases() -> list[Case]:
    found = []
    for entry in json.loads((SUITE / "manifest.json").read_bytes())["cases"]:
        directory = SUITE / entry["directory"]
        told = json.loads((directory / "case.json").read_bytes())
        readable = told["kind"] in NUMBERS
        header = msgpack.unpackb((directory / "model.nnpack").read_bytes())[2] if readable else {}
        found.append(Case(told, header, directory))
    return found


def of_operator(operator: Operator) -> list[Case]:
    """The cases with numbers in whose files the operator has a layer."""
    return [case for case in cases() if any(layer["op"] == operator.id for layer in case.layers)]


def layers_of(operator: Operator) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """All layers of the operator, with the values that they read; with what it makes, where it reads nothing."""
    found = []
    for case in of_operator(operator):
        for layer in case.layers:
            if layer["op"] == operator.id:
                read = [case.values[name] for name in layer["inputs"]]
                found.append((layer, read or layer["outputs"]))
    return found


def schema_of(operator: Operator) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of the operator's page, and the operator's own definition in it."""
    page, version = operator.page.removeprefix("ops/").removesuffix(".md"), operator.id.partition("@")[2]
    schema = json.loads((ROOT / "spec" / "schema" / "1" / "ops" / f"{page}@{version}.schema.json").read_bytes())
    return schema, schema["$defs"][operator.name]


def attributes_of(operator: Operator) -> dict[str, dict[str, Any]]:
    _, definition = schema_of(operator)
    return dict(definition["properties"]["attributes"].get("properties", {}))


def weights_of(operator: Operator) -> dict[str, bool]:
    """Role -> whether it is always needed."""
    _, definition = schema_of(operator)
    weights = definition["properties"]["weights"]
    return {role: role in weights.get("required", []) for role in weights.get("properties", {})}


def dtypes_of(operator: Operator, section: str = "Inputs") -> set[str]:
    """The dtypes that the page names for the inputs, or for the weights."""
    table = pages.sections(operator.page)[section]
    told = [pages.column(table, row, "dtype") for row in pages.rows(table)]
    if "one of those that the table names" in told:
        told.append(pages.column(pages.sections(operator.page)["The operators"], operator.row or "", "dtypes"))
    return {dtype for cell in told for dtype in named(cell, operator)}


def named(cell: str, operator: Operator) -> set[str]:
    """The dtypes of "float32 or int8", of "any but bool", of "int64 for `integer_lookup`, string for …"."""
    together = next((name for name in DTYPES if cell.startswith(name)), "")
    parts = cell.removeprefix(together).split(", ")
    mine = [part for part in parts if re.findall(r" for `(\w+)`", part) in ([], [operator.name])]
    words = {word for part in mine for word in re.findall(r"\w+", part)}
    return DTYPES.get(together, set()) | words & (DTYPES["any"] | {"string"})


def text_of(page: str, section: str) -> str:
    return pages.collapsed(pages.sections(page).get(section, ""))


def none_missing(missing: Iterable[str]) -> None:
    found = list(missing)
    assert not found, "\n" + "\n".join(found)


# Constraints


def refused(group: str, label: str) -> list[Case]:
    """The reject cases of an operator with this label."""
    return [case for case in cases() if case.group == group and case.told["constraint"] == label]


def test_every_constraint_of_a_page_has_a_schema_a_code_and_cases() -> None:
    def missing() -> Iterator[str]:
        for operator in OPERATORS.values():
            schema, _ = schema_of(operator)
            annotated = schema.get("constraints", {})
            for label in sorted(annotated.keys() - operator.constraints.keys()):
                yield f"{operator.page} has no {label}, which its schema names"
            for label, rule in operator.constraints.items():
                (code,) = rule.codes
                if annotated.get(label) != code:
                    yield f"{operator.page}: {label} is `{code}`, its schema says {annotated.get(label)}"
                if code not in pages.faults():
                    yield f"{operator.page}: `{code}` of {label} is not in errors.md"
                if not refused(operator.name, label):
                    yield f"{operator.id} has no reject case of {label}: {rule.quote.sentence}"

    none_missing(missing())


def test_every_label_of_a_case_is_a_constraint() -> None:
    def wrong() -> Iterator[str]:
        for case in cases():
            label = case.told["constraint"]
            if label is None:
                continue
            rules: dict[str, Rule] = pages.rules()
            if label.startswith("C"):
                rules = pages.operator(case.group).constraints
            if label not in rules or case.told["code"] not in rules[label].codes:
                yield f"{case.id}: {label} with `{case.told['code']}` is no constraint"

    none_missing(wrong())


def codes(operator: Operator, label: str, attribute: str | None = None) -> set[str]:
    """The codes of the operator's cases of this label; of those at an attribute alone, where one is named."""
    chosen = refused(operator.name, label)
    return {case.told["code"] for case in chosen if attribute in (None, case.told["at"].rpartition("/")[2])}


def test_general_constraints_have_cases_of_every_operator() -> None:
    def missing() -> Iterator[str]:
        for operator in OPERATORS.values():
            for label in ("G1", "G5", "G6", "G7"):
                if not refused(operator.name, label):
                    yield f"{operator.id} has no reject case of {label}"
            weights = weights_of(operator)
            wanted = {"weight-unknown"} | ({"weight-missing"} if any(weights.values()) else set())
            unseen = wanted - codes(operator, "G2")
            if weights and unseen:
                yield f"{operator.id} has no reject case of {sorted(unseen)} (G2)"
        for label in ("G8", "G9"):
            if not any(case.told["constraint"] == label for case in cases()):
                yield f"no operator has a reject case of {label}"
        if set(pages.rules()) != {f"G{n}" for n in range(1, 10)}:
            yield f"this test and the next know G1 to G9, spec/README.md has {sorted(pages.rules())}"

    none_missing(missing())


def test_attributes_have_cases_of_what_can_be_wrong_with_them() -> None:
    def missing() -> Iterator[str]:
        for operator in OPERATORS.values():
            attributes = attributes_of(operator)
            if "attribute-unknown" not in codes(operator, "G3"):
                yield f"{operator.id} has no reject case of an unknown attribute (G3)"
            absent = [case for case in refused(operator.name, "G3") if case.told["code"] == "attribute-missing"]
            if len(absent) < len(attributes):
                yield f"{operator.id}: G3 has {len(absent)} cases of a missing attribute, of {len(attributes)}"
            for name, schema in attributes.items():
                ranged = {*schema, *schema.get("items", {})} - {"description", "type", "items"}
                wanted = {"wrong-type", "wrong-value"} if ranged else {"wrong-type"}
                for code in sorted(wanted - codes(operator, "G4", name)):
                    yield f"{operator.id} has no reject case of `{code}` for its attribute {name} (G4)"

    none_missing(missing())


def test_codes_of_the_general_constraints_are_in_the_list() -> None:
    none_missing(
        f"`{code}` of {label} is not in errors.md"
        for label, rule in pages.rules().items()
        for code in rule.codes
        if code not in pages.faults()
    )


def test_every_code_of_a_file_has_a_case() -> None:
    of_files = {code for code, fault in pages.faults().items() if fault.section in pages.SECTIONS_OF_FILES}
    wanted = of_files - UNSTORED.keys() | {"selftest-failed"}
    told = {case.told["code"] for case in cases() if case.told["kind"] in ("reject", "canonical")} - {None}
    none_missing(
        [
            *(f"no case has the code `{code}`" for code in sorted(wanted - told)),
            *(f"`{code}` is no code of a file in errors.md" for code in sorted(told - wanted)),
        ]
    )


# Sentences


def test_every_case_quotes_the_specification() -> None:
    def wrong() -> Iterator[str]:
        for case in cases():
            quote = case.told["spec"]
            if quote["sentence"] not in text_of(quote["page"], quote["section"]):
                yield f"{case.id}: not in spec/{quote['page']}, {quote['section']}: {quote['sentence']}"

    none_missing(wrong())


def quoted(page: str, section: str) -> set[str]:
    """What cases quote of a section."""
    spec = [case.told["spec"] for case in cases()]
    return {quote["sentence"] for quote in spec if (quote["page"], quote["section"]) == (page, section)}


def test_every_statement_on_shapes_and_special_values_is_quoted() -> None:
    """A part of a statement suffices, if no other statement of the section has it."""

    def missing() -> Iterator[str]:
        for page in sorted({operator.page for operator in OPERATORS.values()}):
            for section in ("Shape", "Special values"):
                statements = [pages.collapsed(item) for item in pages.statements(pages.sections(page)[section])]
                covered: dict[str, bool] = defaultdict(bool)
                for sentence in quoted(page, section):
                    within = [item for item in statements if sentence in item or item in sentence]
                    if len(within) == 1 or any(item in sentence for item in within):
                        covered |= dict.fromkeys(within, True)
                for statement in statements:
                    if not covered[statement] and "unspecified" not in statement.lower():
                        yield f"spec/{page}, {section}, is quoted by no case: {statement}"

    none_missing(missing())


def test_tolerance_class_of_a_case_is_that_of_its_operators_page() -> None:
    def wrong() -> Iterator[str]:
        for case in cases():
            if len(case.layers) == 1:
                allowed = OPERATORS[case.layers[0]["op"]].tolerances
                if case.told["tolerance_class"] not in allowed:
                    yield f"{case.id} is of class {case.told['tolerance_class']}, its page says {' or '.join(allowed)}"

    none_missing(wrong())


def test_level_of_a_case_is_that_of_its_operators() -> None:
    """Of the highest of them, of L3 with states, or L4; faults of an operator's own constraints have its level."""

    def wrong() -> Iterator[str]:
        for case in cases():
            label = case.told["constraint"] or ""
            levels = [OPERATORS[layer["op"]].level for layer in case.layers]
            allowed = {max([*levels, "L3" if "states" in case.header else "L1"]), "L4"}
            if label.startswith("C"):
                allowed = {pages.operator(case.group).level}
            if (case.told["kind"] in NUMBERS or label.startswith("C")) and case.told["level"] not in allowed:
                yield f"{case.id} is of {case.told['level']}, not of {' or '.join(sorted(allowed))}"

    none_missing(wrong())


# What every operator is tried with

every_operator = pytest.mark.parametrize("operator", OPERATORS.values(), ids=list(OPERATORS))


@every_operator
def test_ranks(operator: Operator) -> None:
    """The smallest and the largest rank that the page allows for the first input, 2, and one in between."""
    least, most = operator.ranks
    found = {len(read[0]["shape"]) for _, read in layers_of(operator)}
    wanted = {least, most} | ({2} & {*range(least, most)})
    between = {*range(max(least, 2) + 1, most)}
    none_missing(
        [
            *(f"{operator.id} has no case of rank {rank}" for rank in sorted(wanted - found)),
            *([f"{operator.id} has no case of a rank of {sorted(between)}"] if between and not found & between else []),
        ]
    )


@every_operator
def test_dtypes(operator: Operator) -> None:
    """Every dtype that the page allows for some input; float64 may be left to level L4."""
    found = {value["dtype"] for _, read in layers_of(operator) for value in read}
    wanted = dtypes_of(operator) - {"float64"}
    none_missing(f"{operator.id} has no case of {dtype}" for dtype in sorted(wanted - found))


def tried(name: str, schema: dict[str, Any], used: list[Any]) -> Iterator[Any]:
    """The values of an attribute that no case has: each of few, else the ends of the axes, or any two."""
    values = [False, True] if schema["type"] == "boolean" else schema.get("enum", [])
    if name in ("axis", "axes"):
        used = [axis for item in used for axis in (item if isinstance(item, list) else [item])]
        bounds = schema.get("items", schema)
        values = [bounds["minimum"], bounds["maximum"]]
    yield from (value for value in values if value not in used)
    if all(item == used[0] for item in used):
        yield f"other than {used[:1]}"


@every_operator
def test_attributes_weights_and_axes(operator: Operator) -> None:
    layers = [layer for layer, _ in layers_of(operator)]

    def missing() -> Iterator[str]:
        for name, schema in attributes_of(operator).items():
            untried = tried(name, schema, [layer["attributes"][name] for layer in layers])
            yield from (f"{operator.id} has no case of {name} {value!r}" for value in untried)
        for role, needed in weights_of(operator).items():
            present = {role in layer["weights"] for layer in layers}
            if present != ({True} if needed else {True, False}):
                yield f"{operator.id}: a case with {role} is missing, or one without it"

    none_missing(missing())


@every_operator
def test_an_empty_batch_and_numbers_that_are_not_finite(operator: Operator) -> None:
    """NaN or an infinity, where some input or weight may be a float."""
    tried = of_operator(operator)
    empty = any(item["shape"][0] == 0 for case in tried for item in case.told["inputs"])
    floats = "float32" in dtypes_of(operator) | dtypes_of(operator, "Weights")
    infinite = not floats or any(not np.isfinite(array).all() for case in tried for array in case.floats())
    none_missing(
        [
            *([] if empty else [f"{operator.id} has no case of an empty batch"]),
            *([] if infinite else [f"{operator.id} has no case of NaN or an infinity"]),
        ]
    )


@every_operator
def test_a_case_of_several_calls(operator: Operator) -> None:
    found = [case for case in of_operator(operator) if case.told["kind"] == "meta" and case.group == operator.name]
    assert found, f"{operator.id} has no case of kind meta"


def lacking(calls: list[list[int]], n: int) -> Iterator[str]:
    """What the calls of a model on n rows do not try."""
    every = list(range(n))
    if n < 2 or calls[:2] != [every, every]:
        yield "does not begin with all rows, of which there are two or more, twice"
    if not any(sorted(call) == every != call for call in calls):
        yield "permutes no rows"
    if not any(len(set(call)) < len(call) for call in calls):
        yield "repeats no row"
    if not any(len(first) < n and sorted(first + second) == every for first, second in pairwise(calls)):
        yield "splits no batch"
    if not any(first == [] and len(second) > n for first, second in pairwise(calls)):
        yield "has no empty call that a larger one follows"
    if any(row >= n for call in calls for row in call):
        yield "calls a row that there is not"


def test_calls_repeat_split_permute_and_grow() -> None:
    def missing() -> Iterator[str]:
        for case in cases():
            if case.told["kind"] == "meta":
                rows = {item["shape"][0] for item in [*case.told["inputs"], *case.told["outputs"]]}
                yield from (f"{case.id} {what}" for n in rows for what in lacking(case.told["calls"], n))

    none_missing(missing())


@pytest.mark.parametrize(
    ("calls", "lack"),
    [
        ([[0, 1], [1, 0], [0], [1], [], [1, 1, 0]], "does not begin"),
        ([[0, 1], [0, 1], [0], [1], [], [0, 0, 1]], "permutes no rows"),
        ([[0, 1], [0, 1], [1, 0], [0], [1], []], "repeats no row"),
        ([[0, 1], [0, 1], [1, 0], [0], [], [1, 1, 0]], "splits no batch"),
        ([[0, 1], [0, 1], [1, 0], [0], [1], [1, 1, 0], []], "has no empty call"),
        ([[0, 1], [0, 1], [1, 0], [0], [1], [], [1, 1, 2]], "calls a row"),
    ],
)
def test_what_calls_lack_is_found(calls: list[list[int]], lack: str) -> None:
    assert any(what.startswith(lack) for what in lacking(calls, 2))


def test_keras_agrees_with_every_case() -> None:
    """Keras's own float32 takes no more than half of any tolerance; its float64 agrees."""
    measured = json.loads((SUITE / "measured.json").read_bytes())["cases"]

    def wrong() -> Iterator[str]:
        for case_id in sorted(measured.keys() ^ {case.id for case in cases() if case.told["kind"] in NUMBERS}):
            yield f"{case_id} is {'no case with numbers' if case_id in measured else 'not measured'}"
        for case_id, found in measured.items():
            headroom = 0 if found["headroom"] is None else found["headroom"]
            if not headroom <= 0.5:
                yield f"{case_id}: Keras's float32 takes {headroom} of the tolerance"
            if not found["disagreement"] <= 1e-12:
                yield f"{case_id}: Keras's float64 is off by {found['disagreement']} of the magnitude"

    none_missing(wrong())


# Quoting is strict


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("ops/dense.md", "All axes but the last stay as they are, symbols too, and more."),
        ("ops/dense.md", "kernel"),
        ("ops/dense.md", "no page has this"),
    ],
    ids=["longer than the page has it", "in several sections", "nowhere"],
)
def test_quote_refuses(page: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="a quote has to be in one section"):
        pages.quote(page, sentence)


def test_quote_finds_what_a_line_break_parts() -> None:
    found = pages.quote("ops/dense.md", "All axes but the last\n  stay as they are, symbols too.")
    assert (found.section, found.sentence) == ("Shape", "All axes but the last stay as they are, symbols too.")


def test_pages_are_read_as_they_stand() -> None:
    dense, squareplus, cast = (OPERATORS[f"{name}@1"] for name in ("dense", "squareplus", "cast"))
    assert [rule.codes for rule in dense.constraints.values()] == [
        ("dtype-mismatch",),
        ("rank-range",),
        ("weight-shape",),
        ("weight-shape",),
    ]
    assert (dense.tolerances, cast.tolerances) == (("sum",), ("exact", "rounded"))
    assert (squareplus.tolerances, squareplus.cancelling) == (("smooth",), r"\|x\|")
    assert OPERATORS["log_softmax@1"].tolerances == ("log_softmax",)
    assert pages.rules()["G2"].codes == ("weight-missing", "weight-unknown")
    assert pages.faults()["axis-odd"].sentence == "an axis that is to be halved has an odd number of elements"
    assert len(OPERATORS) == 142
