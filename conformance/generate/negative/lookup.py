"""Faults of bucketize, integer_lookup, string_lookup."""

from __future__ import annotations

from generate.encoding import File, Stored, document, layer, stored, value
from generate.negative.declare import numbers
from generate.negative.operators import FOUR, case, every


def _found(
    op: str,
    weights: dict[str, Stored],
    dtype: str,
    times: int = 1,
    requires: tuple[str, ...] = (),
) -> File:
    roles = {role: role for role in weights}
    made = value("y", FOUR, "int32" if op == "bucketize" else "int64")
    return document([value("x", FOUR, dtype)], [layer(op, ["x"] * times, made, roles)], ["y"], weights, requires)


def _entries(*entries: bytes, offsets: list[int] | None = None) -> dict[str, Stored]:
    ends = [sum(map(len, entries[:k])) for k in range(len(entries) + 1)]
    vocabulary = stored(list(b"".join(entries)), "uint8")
    return {"offsets": stored(ends if offsets is None else offsets, "int64"), "vocabulary": vocabulary}


WORDS = _entries(b"red", b"green", b"blue")
SOUND: dict[str, tuple[str, dict[str, Stored]]] = {
    "bucketize": ("float32", {"boundaries": stored([0.0, 1.0, 2.5])}),
    "integer_lookup": ("int64", {"vocabulary": stored([12, 7, -3], "int64")}),
    "string_lookup": ("string", WORDS),
}

for _op, (_dtype, _weights) in SOUND.items():
    every(_op, _found(_op, _weights, _dtype), {})
    case(_op, "two-inputs", "An input too many.", "input-count", "0/inputs", _found(_op, _weights, _dtype, 2))
    case(_op, "no-input", "No input.", "input-count", "0/inputs", _found(_op, _weights, _dtype, 0))
    for _role in _weights:
        _rest = {role: weight for role, weight in _weights.items() if role != _role}
        case(_op, f"no-{_role}", f"Without {_role}.", "weight-missing", "0/weights", _found(_op, _rest, _dtype))
    case(
        _op,
        "weight-unknown",
        "A table, which the operator does not have.",
        "weight-unknown",
        "0/weights/table",
        _found(_op, {**_weights, "table": numbers(3)}, _dtype),
    )

# op, name, title, code, at, weights, dtype of x, constraint
for _op, _name, _title, _code, _at, _weights, _dtype, _label in (
    (
        "bucketize",
        "booleans",
        "Truth values have no order here.",
        "dtype-mismatch",
        "inputs/0",
        {"boundaries": stored([True], "bool")},
        "bool",
        "C1",
    ),
    (
        "bucketize",
        "strings",
        "Strings have no order here.",
        "dtype-mismatch",
        "inputs/0",
        {"boundaries": stored([1.0])},
        "string",
        "C1",
    ),
    (
        "bucketize",
        "boundaries-float32",
        "Integers, and boundaries of float32.",
        "dtype-mismatch",
        "weights/boundaries",
        {"boundaries": stored([0.0, 1.0])},
        "int32",
        "C1",
    ),
    (
        "bucketize",
        "boundaries-int32",
        "int64, and boundaries of int32.",
        "dtype-mismatch",
        "weights/boundaries",
        {"boundaries": stored([0, 1], "int32")},
        "int64",
        "C1",
    ),
    (
        "bucketize",
        "boundaries-scalar",
        "A boundary without a dimension.",
        "weight-shape",
        "weights/boundaries",
        {"boundaries": stored(0.5)},
        "float32",
        "C2",
    ),
    (
        "bucketize",
        "boundaries-rank-2",
        "Boundaries of two dimensions.",
        "weight-shape",
        "weights/boundaries",
        {"boundaries": stored([[0.0, 1.0]])},
        "float32",
        "C2",
    ),
    (
        "bucketize",
        "boundaries-descend",
        "The last is smaller than the one before it.",
        "boundaries-order",
        "weights/boundaries",
        {"boundaries": stored([0.0, 1.0, 0.5])},
        "float32",
        "C3",
    ),
    (
        "bucketize",
        "boundaries-twice",
        "Two are equal.",
        "boundaries-order",
        "weights/boundaries",
        {"boundaries": stored([0, 1, 1], "int32")},
        "int32",
        "C3",
    ),
    (
        "integer_lookup",
        "int32",
        "Integers of 32 bits.",
        "dtype-mismatch",
        "inputs/0",
        SOUND["integer_lookup"][1],
        "int32",
        "C1",
    ),
    (
        "integer_lookup",
        "vocabulary-int32",
        "A vocabulary of 32 bits.",
        "dtype-mismatch",
        "weights/vocabulary",
        {"vocabulary": stored([12, 7], "int32")},
        "int64",
        "C1",
    ),
    (
        "integer_lookup",
        "vocabulary-rank-2",
        "A vocabulary of two dimensions.",
        "weight-shape",
        "weights/vocabulary",
        {"vocabulary": stored([[12, 7]], "int64")},
        "int64",
        "C2",
    ),
    (
        "integer_lookup",
        "twice",
        "An entry is there twice.",
        "vocabulary-invalid",
        "weights/vocabulary",
        {"vocabulary": stored([12, 7, 12], "int64")},
        "int64",
        "C3",
    ),
    ("string_lookup", "integers", "Integers where strings belong.", "dtype-mismatch", "inputs/0", WORDS, "int64", "C1"),
    (
        "string_lookup",
        "vocabulary-int8",
        "Bytes with a sign.",
        "dtype-mismatch",
        "weights/vocabulary",
        {**WORDS, "vocabulary": stored(WORDS["vocabulary"].array, "int8")},
        "string",
        "C1",
    ),
    (
        "string_lookup",
        "offsets-int32",
        "Offsets of 32 bits.",
        "dtype-mismatch",
        "weights/offsets",
        {**WORDS, "offsets": stored(WORDS["offsets"].array, "int32")},
        "string",
        "C1",
    ),
    (
        "string_lookup",
        "vocabulary-rank-2",
        "A vocabulary of two dimensions.",
        "weight-shape",
        "weights/vocabulary",
        {**WORDS, "vocabulary": stored([list(b"redgreenblue")], "uint8")},
        "string",
        "C2",
    ),
    (
        "string_lookup",
        "offsets-rank-2",
        "Where each entry begins and where it ends.",
        "weight-shape",
        "weights/offsets",
        {**WORDS, "offsets": stored([[0, 3], [3, 8], [8, 12]], "int64")},
        "string",
        "C2",
    ),
):
    case(_op, _name, _title, _code, f"0/{_at}", _found(_op, _weights, _dtype), _label)

for _name, _number in (("infinity", float("inf")), ("nan", float("nan"))):
    case(
        "bucketize",
        f"boundaries-{_name}",
        "The last is no finite number.",
        "boundaries-order",
        "0/weights/boundaries",
        _found("bucketize", {"boundaries": stored([0.0, _number])}, "float32", requires=("feature:nonfinite",)),
        "C3",
    )

for _name, _title, _at, _weights in (
    ("twice", "An entry is there twice.", "vocabulary", _entries(b"red", b"blue", b"red")),
    ("two-empty", "Two empty entries.", "vocabulary", _entries(b"", b"red", b"")),
    ("stray-byte", "A byte that begins no character.", "vocabulary", _entries(b"red", b"\xff")),
    (
        "cut",
        "An entry ends within a character, which the next one continues.",
        "vocabulary",
        _entries(b"n\xc3", b"\xa9"),
    ),
    ("surrogate", "Half of a pair of UTF-16.", "vocabulary", _entries(b"\xed\xa0\x80")),
    ("overlong", "A character of one byte in two.", "vocabulary", _entries(b"\xc0\x80")),
    ("beyond-unicode", "A code point that Unicode does not have.", "vocabulary", _entries(b"\xf4\x90\x80\x80")),
    ("offsets-from-1", "The first entry begins at the second byte.", "offsets", _entries(b"red", offsets=[1, 3])),
    ("offsets-short", "The last entry ends before the last byte.", "offsets", _entries(b"red", offsets=[0, 2])),
    ("offsets-beyond", "The last entry ends behind the last byte.", "offsets", _entries(b"red", offsets=[0, 4])),
    ("offsets-descend", "An entry ends before it begins.", "offsets", _entries(b"red", offsets=[0, 2, 1, 3])),
    ("offsets-negative", "An entry begins before the first byte.", "offsets", _entries(b"red", offsets=[0, -1, 3])),
    ("offsets-one", "The beginning of an entry without its end.", "offsets", _entries(b"red", offsets=[0])),
):
    case(
        "string_lookup",
        _name,
        _title,
        "vocabulary-invalid",
        f"0/weights/{_at}",
        _found("string_lookup", _weights, "string"),
        "C3",
    )
