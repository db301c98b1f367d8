"""Mistakes in reading the fields of the header: spec/format.md, "Header"; spec/versioning.md, "requires"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mutants.mutant import EVERY_OPERATOR, Mutant, Patch, of_faults, of_sound_files, overlooking, skipping
from naive import document, graph, operators, tensors
from naive.document import Document, Layer
from naive.errors import Refused, require
from naive.operators import OPERATORS
from naive.operators.operator import Check, Operator, Typed

# requires

right_requirements = graph.requirements


class AnyVersion(dict[str, Operator]):
    """Operators by their ids, whatever the version."""

    def __contains__(self, op: object) -> bool:
        return super().__contains__(first_version(str(op)))

    def __getitem__(self, op: str) -> Operator:
        return super().__getitem__(first_version(op))


def first_version(op: str) -> str:
    return f"{op.partition('@')[0]}@1"


def of_first_versions(read: Document) -> set[str]:
    return {first_version(item) if item.startswith("op:") else item for item in right_requirements(read)}


def of_values_alone(read: Document) -> set[str]:
    stored = {f"dtype:{tensor.dtype}" for tensor in read.tensors}
    return right_requirements(read) - stored | {f"dtype:{value.dtype}" for value, _ in graph.all_values(read)}


def each_in_order(requires: list[str], at: str) -> None:
    require(requires == sorted(requires, key=str.encode), "requires-order", at)


def of_requires(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(f"requires: {name}", says, *changes, groups=("requires",), page="versioning.md")


NOT_UNUSED = (overlooking(graph, "requires-unused"), overlooking(tensors, "requires-unused"))

REQUIRES = (
    of_requires(
        "what is not known is ignored",
        "a reader refuses what it lacks",
        skipping(document, "check_requires_known"),
        overlooking(graph, "requires-unused"),
    ),
    of_sound_files(
        "requires: dtypes of values alone",
        "a value or a tensor has this dtype",
        patch.object(graph, "requirements", of_values_alone),
        page="versioning.md",
    ),
    of_requires("in any order", "a sorted list", skipping(document, "check_requires_order")),
    of_requires("twice the same", "each item once", patch.object(document, "check_requires_order", each_in_order)),
    of_requires("less than the model uses", "all that the model uses", overlooking(graph, "requires-incomplete")),
    of_requires("more than the model uses", "and nothing else", *NOT_UNUSED),
    of_requires(
        "nonfinite without NaN or infinity",
        "feature:nonfinite where a float tensor holds NaN or an infinity",
        skipping(tensors, "check_nonfinite_used"),
    ),
)


# Fields

right_fields = document.read_fields
right_integer = document.read_integer
right_digest = document.check_digest
right_dtype = document.read_dtype
right_hash = tensors.check_hash

DEFAULTS: dict[str, Any] = {
    "attributes": {},
    "class": "",
    "dtype": "float32",
    "inputs": [],
    "layers": [],
    "model": {"name": "model"},
    "producer": {"name": "unknown", "version": "0"},
    "tensors": [],
    "tolerances": [],
    "version": "0",
    "weights": {},
}

OTHER_NAMES = {"float": "float32", "f32": "float32", "float16": "float32", "bfloat16": "float32", "double": "float64"}


def unknown_ignored(x: Any, at: str, needed: Mapping[str, Any], optional: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(x, dict):
        x = {key: value for key, value in x.items() if key in {**needed, **optional}}
    return right_fields(x, at, needed, optional)


def missing_filled(x: Any, at: str, needed: Mapping[str, Any], optional: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(x, dict):
        x = {**{key: DEFAULTS[key] for key in needed if key in DEFAULTS}, **x}
    return right_fields(x, at, needed, optional)


def whole_floats(x: Any, at: str, *limits: Any) -> int:
    return right_integer(int(x) if isinstance(x, float) and x.is_integer() else x, at, *limits)


def booleans(x: Any, at: str, *limits: Any) -> int:
    return right_integer(int(x) if isinstance(x, bool) else x, at, *limits)


def counted_characters(text: str, at: str) -> None:
    require(1 <= len(text) <= document.MAX_NAME, "name-length", at)
    require("\0" not in text, "name-nul", at)


def either_case(text: str, at: str) -> None:
    right_digest(text.lower(), at)


def same_in_lower_case(read: Document, payload: memoryview) -> None:
    right_hash(replace(read, payload_sha256=read.payload_sha256.lower()), payload)


def other_names(x: Any, at: str, known: Iterable[str]) -> str:
    known = list(known)
    return right_dtype(OTHER_NAMES.get(x, x) if isinstance(x, str) and x not in known else x, at, known)


def of_schema(name: str, says: str, *changes: Patch, page: str = "format.md") -> Mutant:
    return of_faults(name, says, *changes, groups=("schema", "tensors"), page=page)


FIELDS = (
    of_schema(
        "keys: unknown ones are ignored",
        "keys that the specification does not name are refused outside of ext and metadata",
        patch.object(document, "read_fields", unknown_ignored),
    ),
    of_schema(
        "keys: missing ones have defaults",
        "files hold no defaults",
        patch.object(document, "read_fields", missing_filled),
        page="versioning.md",
    ),
    of_schema("integers: 2.0 is one", "2.0 is no integer", patch.object(document, "read_integer", whole_floats)),
    of_schema("integers: true is one", "true is no integer", patch.object(document, "read_integer", booleans)),
    of_schema("names: of no byte, or of many", "1 to 256 bytes", overlooking(document, "name-length")),
    of_schema("names: U+0000", "without U+0000", overlooking(document, "name-nul")),
    of_schema(
        "names: characters are counted", "1 to 256 bytes", patch.object(document, "check_name", counted_characters)
    ),
    of_schema(
        "dtypes: other names, and storage types for values",
        "one of float32, float64, int8, int32, int64, uint8, bool",
        patch.object(document, "read_dtype", other_names),
    ),
    of_schema("dimensions: of any size", "an integer from 1 to 2³¹ − 1", overlooking(document, "dimension-range")),
    of_schema("dimensions: nine", "up to 8 dimensions", patch.object(document, "MAX_RANK", 9)),
    of_schema(
        "payload_sha256: upper case",
        "lower-case digits",
        patch.object(document, "check_digest", either_case),
        patch.object(tensors, "check_hash", same_in_lower_case),
    ),
    of_schema("ext: any name", "reverse DNS names, with a dot in each", skipping(document, "check_extension")),
    of_schema("outputs: none", "at least one", overlooking(document, "list-length", at="/outputs")),
    of_schema(
        "output_structure: not read", "each index of an output once", skipping(document, "check_output_structure")
    ),
    of_schema(
        "operators: any version counts as the first",
        "another formula, another rule of shapes is name@N+1",
        patch.object(operators, "OPERATORS", AnyVersion(OPERATORS)),
        patch.object(graph, "requirements", of_first_versions),
        page="versioning.md",
    ),
)


# Roles and attributes

right_attributes = graph.check_attributes
right_layer = graph.check_layer

USUAL: dict[str, Any] = {
    "alpha": 1.0,
    "approximate": False,
    "axis": 1,
    "axes": [1],
    "epsilon": 0.001,
    "max_value": 6.0,
    "negative_slope": 0.0,
    "threshold": 0.0,
}


def filled_up(layer: Layer, operator: Operator) -> None:
    for name in operator.attributes:
        if name in USUAL:
            layer.attributes.setdefault(name, USUAL[name])
    right_attributes(layer, operator)


def fits(check: Check, x: Any) -> bool:
    try:
        check(x, "")
    except Refused:
        return False
    return True


def converting(kind: type, to: Callable[[Any], Any]) -> Patch:
    """Attributes of a Python type become another one where that is what fits."""

    def check_attributes(layer: Layer, operator: Operator) -> None:
        for name, check in operator.attributes.items():
            x = layer.attributes.get(name)
            if type(x) is kind and fits(check, to(x)):
                layer.attributes[name] = to(x)
        right_attributes(layer, operator)

    return patch.object(graph, "check_attributes", check_attributes)


def first_inputs(layer: Layer, inputs: Sequence[Typed], *parts: Any) -> None:
    most = OPERATORS[layer.op].inputs[1]
    del layer.inputs[most:]
    right_layer(layer, inputs[:most], *parts)


def of_layers(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(name, says, *changes, groups=EVERY_OPERATOR, page="README.md")


LAYERS = (
    of_layers(
        "inputs: more than the operator takes",
        "as many as the operator takes",
        patch.object(graph, "check_layer", first_inputs),
    ),
    of_layers(
        "weights: other roles are ignored", "no other role than the page's", overlooking(graph, "weight-unknown")
    ),
    of_layers(
        "attributes: others are ignored",
        "every attribute of the page, and no other",
        overlooking(graph, "attribute-unknown"),
    ),
    of_layers(
        "attributes: missing ones have defaults",
        "every attribute of the page",
        patch.object(graph, "check_attributes", filled_up),
    ),
    of_layers("attributes: 2 is a number", "2 is no number", converting(int, float)),
    of_layers("attributes: true is a number", "true is neither an integer nor a number", converting(bool, float)),
    of_layers("attributes: true is an integer", "true is neither an integer nor a number", converting(bool, int)),
    of_layers("attributes: 2.0 is an integer", "2.0 is no integer", converting(float, int)),
    of_layers("attributes: 1 is true", "every attribute has the type that the page states", converting(int, bool)),
    of_layers("outputs: more than one", "the layer makes one value", overlooking(graph, "output-count")),
)

MUTANTS = (*REQUIRES, *FIELDS, *LAYERS)
