"""The header -> objects whose fields have the types and ranges of spec/schema. How they fit together is for `graph`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from naive import operators
from naive.arrays import STORAGE, STRING, VALUES, Shape
from naive.errors import pointer, require
from naive.operators.operator import LARGEST

MAX_NAME = 256
MAX_RANK = 8
MAX_BYTES = 2**32 - 1
FEATURES = ("nonfinite", "quantization", "states")

Read = Callable[[Any, str], Any]
"""What stands at a place -> what it means; refuses another type or range."""


@dataclass(frozen=True)
class Value:
    name: str
    dtype: str
    shape: Shape


@dataclass(frozen=True)
class Layer:
    name: str
    op: str
    inputs: list[str]
    outputs: list[Value]
    weights: dict[str, str]
    attributes: dict[str, Any]
    source: dict[str, str] | None = None

    @property
    def output(self) -> Value:
        return self.outputs[0]


@dataclass(frozen=True)
class State:
    """What is carried from call to call: a value that layers read, the one that it becomes, and its first rows."""

    input: Value
    output: str
    initial: str


@dataclass(frozen=True)
class Quantization:
    scale: str
    zero_point: str
    axis: int | None = None


@dataclass(frozen=True)
class Tensor:
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    nbytes: int
    quantization: Quantization | None = None


@dataclass(frozen=True)
class Selftest:
    inputs: list[str]
    outputs: list[str]
    tolerances: list[str]


@dataclass(frozen=True)
class Document:
    inputs: list[Value]
    layers: list[Layer]
    model: dict[str, Any]
    outputs: list[str]
    payload_sha256: str
    producer: dict[str, str]
    requires: list[str]
    tensors: list[Tensor]
    ext: dict[str, Any] = field(default_factory=dict)
    output_structure: Any = None
    selftest: Selftest | None = None
    states: list[State] = field(default_factory=list)


def read_map(x: Any, at: str) -> dict[str, Any]:
    require(isinstance(x, dict), "wrong-type", at, "a map", x)
    return dict(x)


def read_fields(x: Any, at: str, needed: Mapping[str, Read], optional: Mapping[str, Read]) -> dict[str, Any]:
    """A map of just these keys, each read in its way."""
    fields, known = read_map(x, at), {**needed, **optional}
    for key in needed:
        require(key in fields, "missing-key", at, key)
    for key in fields:
        require(key in known, "unknown-key", pointer(at, key))
    return {key: known[key](value, f"{at}/{key}") for key, value in fields.items()}


def fields(make: Callable[..., Any], needed: Mapping[str, Read], optional: Mapping[str, Read] | None = None) -> Read:
    return lambda x, at: make(**read_fields(x, at, needed, optional or {}))


def read_items(x: Any, at: str, read: Read, least: int = 0) -> list[Any]:
    require(isinstance(x, list), "wrong-type", at, "a list", x)
    require(len(x) >= least, "list-length", at, f"at least {least}", f"{len(x)}")
    return [read(item, pointer(at, index)) for index, item in enumerate(x)]


def items(read: Read, least: int = 0) -> Read:
    return lambda x, at: read_items(x, at, read, least)


def read_text(x: Any, at: str) -> str:
    require(isinstance(x, str), "wrong-type", at, "a string", x)
    return str(x)


def read_name(x: Any, at: str) -> str:
    text = read_text(x, at)
    check_name(text, at)
    return text


def check_name(text: str, at: str) -> None:
    require(1 <= len(text.encode()) <= MAX_NAME, "name-length", at, f"1 to {MAX_NAME} bytes", text)
    require("\0" not in text, "name-nul", at, "a name without U+0000", text)


def read_integer(x: Any, at: str, least: int, most: int, code: str) -> int:
    require(type(x) is int, "wrong-type", at, "an integer", x)
    require(least <= x <= most, code, at, f"{least} to {most}", x)
    return int(x)


def integer(least: int, most: int, code: str = "wrong-value") -> Read:
    return lambda x, at: read_integer(x, at, least, most, code)


def read_dtype(x: Any, at: str, known: Iterable[str]) -> str:
    require(read_text(x, at) in known, "dtype-unknown", at, ", ".join(known), x)
    return str(x)


def dtype(known: Iterable[str]) -> Read:
    return lambda x, at: read_dtype(x, at, known)


read_size = integer(1, LARGEST, "dimension-range")


def read_dimension(x: Any, at: str) -> int | str:
    return read_name(x, at) if isinstance(x, str) else read_size(x, at)


def read_shape(x: Any, at: str, read: Read) -> Shape:
    require(not isinstance(x, list) or len(x) <= MAX_RANK, "rank-range", at, f"at most {MAX_RANK} dimensions", x)
    return tuple(read_items(x, at, read))


def shape(read: Read) -> Read:
    return lambda x, at: read_shape(x, at, read)


def read_operator(x: Any, at: str) -> str:
    text = read_text(x, at)
    check_operator(text, at)
    return text


def check_operator(text: str, at: str) -> None:
    families = {known.partition("@")[0] for known in operators.OPERATORS}
    code = "operator-version" if text.partition("@")[0] in families else "operator-unknown"
    require(text in operators.OPERATORS, code, at, "an operator of this reader", text)


def read_weights(x: Any, at: str) -> dict[str, str]:
    for role, name in read_map(x, at).items():
        read_name(role, pointer(at, role))
        read_name(name, pointer(at, role))
    return dict(x)


def read_extensions(x: Any, at: str) -> dict[str, Any]:
    for key in read_map(x, at):
        check_extension(read_name(key, pointer(at, key)), pointer(at, key))
    return dict(x)


def check_extension(name: str, at: str) -> None:
    require("." in name, "wrong-value", at, "a reverse DNS name", name)


def read_digest(x: Any, at: str) -> str:
    text = read_text(x, at)
    check_digest(text, at)
    return text


def check_digest(text: str, at: str) -> None:
    sound = re.fullmatch("[0-9a-f]{64}", text) is not None
    require(sound, "wrong-value", at, "64 lower-case hexadecimal digits", text)


def leaves(x: Any) -> list[Any]:
    inside = x.values() if isinstance(x, dict) else x if isinstance(x, list) else None
    return [x] if inside is None else [leaf for item in inside for leaf in leaves(item)]


def check_output_structure(document: Document) -> None:
    if document.output_structure is not None:
        found, at = leaves(document.output_structure), "/output_structure"
        require(all(type(leaf) is int for leaf in found), "output-structure", at, "indices of outputs")
        require(sorted(found) == list(range(len(document.outputs))), "output-structure", at, "each index once")


def read_requires(x: Any, at: str) -> list[str]:
    requires: list[str] = read_items(x, at, read_text)
    check_requires_known(requires, at)
    check_requires_order(requires, at)
    return requires


def check_requires_known(requires: list[str], at: str) -> None:
    known = {f"op:{op}" for op in operators.OPERATORS}
    known |= {f"dtype:{dtype}" for dtype in (*STORAGE, STRING)} | {f"feature:{feature}" for feature in FEATURES}
    unknown = [item for item in requires if item not in known]
    require(not unknown, "requires-unknown", at, "what this reader has", ", ".join(unknown))


def check_requires_order(requires: list[str], at: str) -> None:
    require(requires == sorted(set(requires), key=str.encode), "requires-order", at, "sorted items, each once")


NAMES = items(read_name)
VALUE = fields(Value, {"name": read_name, "dtype": dtype((*VALUES, STRING)), "shape": shape(read_dimension)})
SOURCE = fields(dict, {"class": read_text, "name": read_text})
LAYER = fields(
    Layer,
    {
        "name": read_name,
        "op": read_operator,
        "inputs": NAMES,
        "outputs": items(VALUE, 1),
        "weights": read_weights,
        "attributes": read_map,
    },
    {"source": SOURCE},
)
STATE = fields(State, {"input": VALUE, "output": read_name, "initial": read_name})
QUANTIZATION = fields(
    Quantization,
    {"scale": read_name, "zero_point": read_name},
    {"axis": integer(0, MAX_RANK - 1, "axis-range")},
)
TENSOR = fields(
    Tensor,
    {
        "name": read_name,
        "dtype": dtype(STORAGE),
        "shape": shape(read_size),
        "offset": integer(0, MAX_BYTES),
        "nbytes": integer(1, MAX_BYTES),
    },
    {"quantization": QUANTIZATION},
)
HEADER = fields(
    Document,
    {
        "inputs": items(VALUE, 1),
        "layers": items(LAYER),
        "model": fields(dict, {"name": read_name}, {"metadata": read_map}),
        "outputs": items(read_name, 1),
        "payload_sha256": read_digest,
        "producer": fields(dict, {"name": read_text, "version": read_text}),
        "requires": read_requires,
        "tensors": items(TENSOR),
    },
    {
        "ext": read_extensions,
        "output_structure": lambda x, at: x,
        "selftest": fields(Selftest, {"inputs": NAMES, "outputs": NAMES, "tolerances": NAMES}),
        "states": items(STATE, 1),
    },
)


def read(header: Any) -> Document:
    # A file of a later minor may hold keys and dtypes that are not known here: what it requires comes first.
    require("requires" in read_map(header, ""), "missing-key", "", "requires")
    read_requires(header["requires"], "/requires")
    document: Document = HEADER(header, "")
    check_output_structure(document)
    return document
