"""The specification is complete, and says what the package does: spec/."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnpack.format.schema import load_schemas
from nnpack.ops import OPERATORS
from nnpack.ops.operator import Operator, exact

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "spec"
PACKAGE = ROOT / "python" / "nnpack"
SCHEMAS = {schema["$id"]: schema for schema in load_schemas()}
OPERATOR_SCHEMAS = {
    definition["properties"]["op"]["const"]: (identifier.rpartition(":")[2].partition("@")[0], definition)
    for identifier, schema in SCHEMAS.items()
    if ":ops:" in identifier
    for definition in schema["$defs"].values()
}
PAGES = {path.stem: path.read_text("utf-8") for path in sorted((SPEC / "ops").glob("*.md"))}

every_operator = pytest.mark.parametrize("operator", OPERATORS.values(), ids=lambda operator: operator.id)
every_page = pytest.mark.parametrize("page", PAGES)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, or the definition that it refers to."""
    if "$ref" not in schema:
        return schema
    identifier, _, path = schema["$ref"].partition("#/$defs/")
    return SCHEMAS[identifier]["$defs"][path]


def part(operator: Operator, key: str) -> dict[str, Any]:
    _, definition = OPERATOR_SCHEMAS[operator.id]
    return resolved(definition["properties"][key])


# Operators


def test_schemas_and_pages_describe_the_operators_of_the_package_alone() -> None:
    assert set(OPERATOR_SCHEMAS) == set(OPERATORS)
    assert {page for page, _ in OPERATOR_SCHEMAS.values()} == set(PAGES)


def test_definitions_bear_the_names_of_their_operators() -> None:
    for identifier, schema in SCHEMAS.items():
        if ":ops:" in identifier:
            version = identifier.rpartition("@")[2]
            assert {f"{name}@{version}" for name in schema["$defs"]} == {
                definition["properties"]["op"]["const"] for definition in schema["$defs"].values()
            }


@every_operator
def test_operator_is_on_its_page(operator: Operator) -> None:
    page, _ = OPERATOR_SCHEMAS[operator.id]
    assert operator.id in PAGES[page]
    named = set(re.findall(r"^\| (\w+) \|", PAGES[page], re.M))
    assert set(operator.attributes) <= named
    assert set(operator.weights) <= named


@every_operator
def test_schema_has_the_attributes_of_the_operator(operator: Operator) -> None:
    schema = part(operator, "attributes")
    assert set(schema.get("properties", {})) == set(operator.attributes)
    assert set(schema.get("required", [])) == set(operator.attributes)
    assert schema["additionalProperties"] is False


@every_operator
def test_schema_has_the_weights_of_the_operator(operator: Operator) -> None:
    schema = part(operator, "weights")
    assert set(schema.get("properties", {})) == set(operator.weights)
    assert set(schema.get("required", [])) == {role for role, required in operator.weights.items() if required}
    assert schema["additionalProperties"] is False


@every_operator
def test_schema_has_the_inputs_and_the_output_of_the_operator(operator: Operator) -> None:
    inputs = part(operator, "inputs")
    assert (inputs["minItems"], inputs["maxItems"]) == operator.inputs
    outputs = part(operator, "outputs")
    shown = {len(outputs_of(example)) for _, example in examples() if example["op"] == operator.id}
    assert shown == {outputs["maxItems"]}
    assert outputs["maxItems"] == 1 or outputs["minItems"] == outputs["maxItems"]


@every_operator
def test_function_takes_inputs_weights_and_attributes(operator: Operator) -> None:
    parameters = list(inspect.signature(operator.function).parameters.values())
    variadic = parameters and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL
    rest = parameters[1 if variadic else operator.inputs[0] :]
    assert {parameter.name for parameter in rest} == {*operator.weights, *operator.attributes}
    for parameter in rest:
        optional = operator.weights.get(parameter.name) is False
        assert parameter.default is (None if optional else inspect.Parameter.empty)


# Pages

SECTIONS = (
    *("Inputs", "Weights", "Attributes", "Constraints", "Shape", "Semantics", "Precision"),
    *("Tolerance", "Special values", "Example", "Cases"),
)


@every_page
def test_page_has_the_sections_of_the_template(page: str) -> None:
    titles = re.findall(r"^## (.+)$", PAGES[page], re.M)
    assert [title for title in titles if title in SECTIONS] == list(SECTIONS)
    assert "class sum" not in PAGES[page].lower() or "Magnitude and terms" in titles


@every_page
def test_constraints_are_numbered_in_turn_with_codes_of_the_list(page: str) -> None:
    found = re.findall(r"^- \*\*C(\d+)\*\* \(`([a-z-]+)`\): ", PAGES[page], re.M)
    assert [int(number) for number, _ in found] == list(range(1, len(found) + 1))
    assert {code for _, code in found} <= set(listed_codes())
    assert found or "None of its own." in PAGES[page]


@every_page
def test_links_of_the_page_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", PAGES[page]):
        assert (SPEC / "ops" / target).exists(), target


def examples() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for page, text in PAGES.items():
        (block,) = re.findall(r"```json\n(.*?)```", text, re.S)
        parsed = json.loads(block)
        found += [(page, example) for example in (parsed if isinstance(parsed, list) else [parsed])]
    return found


def outputs_of(example: dict[str, Any]) -> list[Any]:
    return list(example["outputs"]) if "outputs" in example else [example["output"]]


def array_of(item: Any, dtype: str = "float32") -> Any:
    """An array of an example: nested lists, or a map that says their dtype too."""
    if isinstance(item, dict):
        assert set(item) == {"dtype", "data"}
        dtype, item = item["dtype"], item["data"]
    return np.array(item, object if dtype == "string" else dtype)


def test_every_operator_has_an_example_on_its_page() -> None:
    assert {(page, example["op"]) for page, example in examples()} == {
        (page, operator) for operator, (page, _) in OPERATOR_SCHEMAS.items()
    }


@pytest.mark.parametrize(
    ("page", "example"), examples(), ids=lambda item: item if isinstance(item, str) else item["op"]
)
def test_example_is_right(page: str, example: dict[str, Any]) -> None:
    operator, attributes = OPERATORS[example["op"]], example["attributes"]
    assert set(example) - {"output", "outputs"} == {"op", "inputs", "weights", "attributes"}
    for key, item in attributes.items():
        operator.attributes[key].check(item, key)
    inputs = [array_of(x) for x in example["inputs"]]
    weights = {role: array_of(weight) for role, weight in example["weights"].items()}
    with np.errstate(all="ignore"):
        made = operator.function(*inputs, **weights, **attributes)
    made = made if "outputs" in example else (made,)
    for y, item in zip(made, outputs_of(example), strict=True):
        expected = array_of(item, attributes.get("dtype", "float32"))
        assert (y.dtype, y.shape) == (expected.dtype, expected.shape)
        if operator.rounding is exact:
            np.testing.assert_array_equal(y, expected)
        else:
            np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-7)


# Generated parts


def test_generated_parts_of_the_documents_are_up_to_date() -> None:
    run = subprocess.run([sys.executable, SPEC / "generate.py", "--check"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


# Error codes


def listed_codes() -> list[str]:
    """The codes of spec/errors.md: in backticks, in the first column of its tables."""
    return re.findall(r"^\| `([a-z0-9-]+)` \|", (SPEC / "errors.md").read_text("utf-8"), re.M)


def sources() -> list[ast.Module]:
    return [ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))]


REPORTERS = {"report", "fail", "stray"}


def raised_codes() -> set[str]:
    """What the package gives as a code: to an exception of errors.py, to what reports faults, as `code`."""
    given: list[ast.expr] = []
    for module in sources():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and node.args:
                function = node.func
                name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
                if name in REPORTERS or (name.endswith("Error") and len(node.args) == 4):
                    given.append(node.args[0])
            elif isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "code" for target in node.targets):
                given.append(node.value)
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_CODES":
                given += node.value.values if isinstance(node.value, ast.Dict) else []
    branches = [
        part for node in given for part in ((node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,))
    ]
    return {node.value for node in branches if isinstance(node, ast.Constant) and type(node.value) is str}


def schema_codes() -> set[str]:
    found = {code for text in map(json.dumps, SCHEMAS.values()) for code in re.findall(r'"errorCode": ({.*?})', text)}
    return {code for block in found for code in json.loads(block).values()}


def test_codes_are_listed_once() -> None:
    assert len(listed_codes()) == len(set(listed_codes()))


def test_codes_of_the_package_are_listed() -> None:
    assert raised_codes() >= {"wrong-type", "canonical-head", "undefined-value", "file-not-found", "shape"}
    assert raised_codes() <= set(listed_codes())


def test_codes_of_the_schemas_are_listed() -> None:
    assert {"rank-range", "weight-unknown"} <= schema_codes() <= set(listed_codes())


def test_listed_codes_are_given_by_the_package() -> None:
    literals = {node.value for module in sources() for node in ast.walk(module) if isinstance(node, ast.Constant)}
    assert set(listed_codes()) <= literals
