"""The JSON Schemas of spec/schema applied to a header: every fault that they can see, in the loader's codes and places.

Only this module imports jsonschema, and only validation imports this module: loading needs neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from nnpack.errors import FormatError, describe, pointer
from nnpack.format.limits import MAJOR

Json = Any

_TYPES = {
    "array": "a list",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
    "object": "a map",
    "string": "a string",
}
_CODES = {
    "additionalProperties": "unknown-key",
    "required": "missing-key",
    "type": "wrong-type",
    "minItems": "list-length",
    "maxItems": "list-length",
}
"""keyword -> code, where the schema's own `errorCode` says no other; what is in neither is a wrong-value."""


_DEMANDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "{} or more",
    "maxItems": "at most {}",
    "minLength": "{} or more",
    "maxLength": "at most {}",
    "pattern": "a match of {}",
    "not": "another value than {0[const]}",
    "uniqueItems": "each element once",
    "maxContains": "at most {} of -1",
}


def schema_faults(header: Mapping[str, Json], operators: Mapping[str, object]) -> list[FormatError]:
    """Every fault that the schemas find in a header.

    Args:
        header: the decoded header.
        operators: those that the reader knows, by id; a layer of another one is held to the layer's schema alone.
    """
    schemas = _schemas()
    found = list(_faults(schemas.header, header, ""))
    layers = header.get("layers")
    for i, layer in enumerate(layers if type(layers) is list else ()):
        op = layer.get("op") if type(layer) is dict else None
        if type(op) is str and op in operators and op in schemas.operators:
            found += _faults(schemas.operators[op], layer, f"/layers/{i}")
    # an item of another type breaks the other keywords too: one fault is enough
    mistyped = {fault.at for fault in found if fault.code == "wrong-type"}
    return [fault for fault in found if fault.code == "wrong-type" or fault.at not in mistyped]


class Schemas(NamedTuple):
    """The schemas made ready: one validator for a header, and one for the layers of each operator."""

    header: Any
    operators: Mapping[str, Any]


def load_schemas() -> list[dict[str, Json]]:
    """The files of spec/schema, those of the operators last."""
    folder = Path(__file__).parents[1] / "schema"
    if not folder.is_dir():  # a checkout: the wheel alone carries a copy
        folder = Path(__file__).parents[3] / "spec" / "schema"
    version = folder / str(MAJOR)
    return [
        json.loads(file.read_text("utf-8")) for part in ("*.json", "ops/*.json") for file in sorted(version.glob(part))
    ]


@cache
def _schemas() -> Schemas:
    schemas = load_schemas()
    # without "$schema", which would bring jsonschema's own types back at every reference
    contents = [{key: item for key, item in schema.items() if key != "$schema"} for schema in schemas]
    registry = Registry().with_resources((schema["$id"], DRAFT202012.create_resource(schema)) for schema in contents)

    def validator(reference: str) -> Any:
        return _Validator({"$ref": reference}, registry=registry)

    operators = {
        definition["properties"]["op"]["const"]: validator(f"{schema['$id']}#/$defs/{name}")
        for schema in schemas
        if schema["$id"].startswith(f"urn:nnpack:{MAJOR}:ops:")
        for name, definition in schema["$defs"].items()
    }
    return Schemas(validator(f"urn:nnpack:{MAJOR}:header"), operators)


# msgpack's types: 2.0 is no integer, 2 is no number, true is neither


def _minimum(validator: Any, least: float, item: Json, schema: Json) -> Iterator[ValidationError]:
    if type(item) in (int, float) and item < least:
        yield ValidationError(f"at least {least}")


def _maximum(validator: Any, most: float, item: Json, schema: Json) -> Iterator[ValidationError]:
    if type(item) in (int, float) and item > most:
        yield ValidationError(f"at most {most}")


_Validator = extend(
    Draft202012Validator,
    validators={"minimum": _minimum, "maximum": _maximum},  # jsonschema's own skip what is no "number"
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda checker, item: type(item) is int,
            "number": lambda checker, item: type(item) is float,
        }
    ),
)


# jsonschema's errors -> nnpack's


def _faults(validator: Any, item: Json, at: str) -> Iterator[FormatError]:
    for error in validator.iter_errors(item):
        keyword, schema, received = error.validator, error.schema, error.instance
        path = list(error.absolute_path)
        where = at
        for step in path:
            where = pointer(where, step)
        code = schema.get("errorCode", {}).get(keyword, _CODES.get(keyword, "wrong-value"))
        if keyword == "additionalProperties":
            for key in sorted(received.keys() - schema.get("properties", {}).keys()):
                known = ", ".join(map(repr, sorted(schema.get("properties", {})))) or "nothing"
                yield FormatError(code, pointer(where, key), f"one of {known}", repr(key))
        elif keyword == "required":
            for key in sorted(set(schema["required"]) - received.keys()):
                expected = f"the key {key!r}" if code == "missing-key" else repr(key)
                yield FormatError(code, where, expected, f"no such {'key' if code == 'missing-key' else 'entry'}")
        elif "propertyNames" in error.absolute_schema_path:
            yield FormatError(code, pointer(where, received), _expected(keyword, error.validator_value), repr(received))
        elif path[:1] == ["attributes"]:  # an attribute is one thing, also where it is a list
            attribute = f"{at}/attributes"
            for step in path[1:2]:
                attribute = pointer(attribute, step)
            code = code if code == "wrong-type" else "wrong-value"
            yield FormatError(code, attribute, _expected(keyword, error.validator_value), describe(received))
        else:
            shown = len(received) if keyword.endswith(("Items", "Length")) else describe(received)
            yield FormatError(code, where, _expected(keyword, error.validator_value), shown)


def _expected(keyword: str, value: Json) -> str:
    """What a keyword demands, in words."""
    if keyword == "type":
        return " or ".join(_TYPES[name] for name in ([value] if type(value) is str else value))
    if keyword == "enum":
        return f"one of {', '.join(map(repr, value))}"
    return _DEMANDS.get(keyword, "what the schema says").format(value)
