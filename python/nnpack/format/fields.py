"""The fields of a header, one parser each: what an item says, or the fault that it is.

A parser takes an item and where it is, and raises a FormatError where the item does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nnpack.errors import FormatError, describe, pointer
from nnpack.format.document import Layer, Quantization, Shape, Source, State, Value
from nnpack.format.dtypes import COMPUTED, DTYPES
from nnpack.format.limits import DIMENSION, INTEGER, ITEMS, NAME_BYTES, PAYLOAD_BYTES, RANK

Parser = Callable[[Any, str], Any]


def listed(names: Iterable[object]) -> str:
    """Names as an error message lists them."""
    return ", ".join(sorted(repr(str(item)) for item in names)) or "nothing"


def anything(item: Any, at: str) -> Any:
    return item


def wrong(at: str, expected: str, item: Any) -> FormatError:
    return FormatError("wrong-type", at, expected, describe(item))


def text(item: Any, at: str) -> str:
    if type(item) is not str:
        raise wrong(at, "a string", item)
    return item


def name(item: Any, at: str) -> str:
    length = len(text(item, at).encode())
    if not 1 <= length <= NAME_BYTES:
        raise FormatError("name-length", at, f"1 to {NAME_BYTES} bytes", length)
    if "\0" in item:
        raise FormatError("name-nul", at, "a name without NUL", ascii(item))
    return str(item)


def hexadecimal(item: Any, at: str) -> str:
    if len(text(item, at)) != 64 or set(item) - set("0123456789abcdef"):
        raise FormatError("wrong-value", at, "64 lower-case hexadecimal digits", describe(item))
    return str(item)


def mapping(item: Any, at: str) -> dict[str, Any]:
    if type(item) is not dict:
        raise wrong(at, "a map", item)
    return item


def extensions(item: Any, at: str) -> dict[str, Any]:
    for key in mapping(item, at):
        name(key, pointer(at, key))
        if "." not in key:
            raise FormatError("wrong-value", pointer(at, key), "a reverse DNS name, such as org.example.note", key)
    return dict(item)


def integer(least: int, most: int, code: str = "wrong-value") -> Parser:
    def parse_integer(item: Any, at: str) -> int:
        if type(item) is not int:
            raise wrong(at, "an integer", item)
        if not least <= item <= most:
            raise FormatError(code, at, f"an integer from {least} to {most}", item)
        return item

    return parse_integer


def list_of(parser: Parser, least: int = 0, most: int = ITEMS) -> Parser:
    def parse_list(item: Any, at: str) -> list[Any]:
        if type(item) is not list:
            raise wrong(at, "a list", item)
        if not least <= len(item) <= most:
            raise FormatError("list-length", at, f"{least} to {most} elements", len(item))
        return [parser(member, f"{at}/{i}") for i, member in enumerate(item)]

    return parse_list


def map_of(parser: Parser) -> Parser:
    def parse_map(item: Any, at: str) -> dict[str, Any]:
        return {name(key, pointer(at, key)): parser(item[key], pointer(at, key)) for key in sorted(mapping(item, at))}

    return parse_map


def record(required: Mapping[str, Parser], optional: Mapping[str, Parser] | None = None) -> Parser:
    known = {**required, **(optional or {})}

    def parse_record(item: Any, at: str) -> dict[str, Any]:
        for key in mapping(item, at):
            if key not in known:
                raise FormatError("unknown-key", pointer(at, key), f"one of {listed(known)}", repr(key))
        for key in required:
            if key not in item:
                raise FormatError("missing-key", at, f"the key {key!r}", "no such key")
        return {key: known[key](value, f"{at}/{key}") for key, value in item.items()}

    return parse_record


def dtype_of(names: Any) -> Parser:
    def parse_dtype(item: Any, at: str) -> str:
        if text(item, at) not in names:
            raise FormatError("dtype-unknown", at, f"one of {listed(names)}", repr(item))
        return str(item)

    return parse_dtype


def dimension(item: Any, at: str) -> int | str:
    if type(item) is str:
        return name(item, at)
    if type(item) is not int:
        raise wrong(at, "an integer or a symbol", item)
    if not 1 <= item < DIMENSION:
        raise FormatError("dimension-range", at, f"1 to {DIMENSION - 1}, or a symbol", item)
    return item


def shape_of(parser: Parser) -> Parser:
    def parse_shape(item: Any, at: str) -> Shape:
        if type(item) is list and len(item) > RANK:
            raise FormatError("rank-range", at, f"at most {RANK} dimensions", len(item))
        return tuple(list_of(parser)(item, at))

    return parse_shape


SIZE = integer(1, DIMENSION - 1, "dimension-range")
_QUANTIZATION = record({"scale": name, "zero_point": name}, {"axis": integer(0, RANK - 1, "axis-range")})
_TENSOR = record(
    {
        "name": name,
        "dtype": dtype_of(DTYPES),
        "shape": shape_of(SIZE),
        "offset": integer(0, PAYLOAD_BYTES - 1),
        "nbytes": integer(1, PAYLOAD_BYTES - 1),
    },
    {"quantization": _QUANTIZATION},
)
_VALUE = record({"name": name, "dtype": dtype_of(COMPUTED), "shape": shape_of(dimension)})
_SOURCE = record({"class": text, "name": text})


def value_entry(item: Any, at: str) -> Value:
    return Value(**_VALUE(item, at))


_LAYER = record(
    {
        "name": name,
        "op": text,
        "inputs": list_of(name),
        "outputs": list_of(value_entry, 1),
        "weights": map_of(name),
        "attributes": mapping,
    },
    {"source": _SOURCE},
)


_STATE = record({"input": value_entry, "output": name, "initial": name})


def state_entry(item: Any, at: str) -> State:
    return State(**_STATE(item, at))


def tensor_entry(item: Any, at: str) -> dict[str, Any]:
    entry: dict[str, Any] = _TENSOR(item, at)
    elements = 1
    for size in entry["shape"]:
        elements *= size
    if elements > INTEGER:
        raise FormatError("element-count", pointer(at, "shape"), f"at most {INTEGER} elements", elements)
    nbytes = elements * DTYPES[entry["dtype"]].itemsize
    if entry["nbytes"] != nbytes:
        raise FormatError("tensor-nbytes", pointer(at, "nbytes"), f"{nbytes}, from dtype and shape", entry["nbytes"])
    if "quantization" in entry:
        entry["quantization"] = Quantization(**entry["quantization"])
    return entry


def layer_entry(item: Any, at: str) -> Layer:
    entry = _LAYER(item, at)
    source = entry.get("source")
    return Layer(
        name=entry["name"],
        op=entry["op"],
        inputs=tuple(entry["inputs"]),
        outputs=tuple(entry["outputs"]),
        weights=entry["weights"],
        attributes=entry["attributes"],
        source=Source(source["class"], source["name"]) if source else None,
    )
