"""Validation finds every fault at once, with the loader's verdict, codes and places: nnpack.validation."""

from __future__ import annotations

import copy
import hashlib
import struct
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import nnpack
from nnpack.errors import FileError, FormatError
from nnpack.format import container
from nnpack.format.build import build
from nnpack.format.document import Document, Layer, Quantization, SelfTest, Source, Tensor, Value
from nnpack.format.schema import load_schemas, schema_faults
from nnpack.ops import OPERATORS
from nnpack.ops.operator import Attribute
from nnpack.validation import faults, validate

Json = Any


def rich_document() -> Document:
    """A small document that uses every part of a header."""

    def value(name: str, *shape: int | str, dtype: str = "float32") -> Value:
        return Value(name, dtype, shape)

    arrays: dict[str, Any] = {
        "kernel": np.arange(12, dtype="<f4").reshape(4, 3),
        "bias": np.ones(3, "<f4"),
        "mean": np.zeros(3, "<f4"),
        "variance": np.ones(3, "<f4"),
        "offset": np.full(6, 0.5, "<f4"),
        "packed": np.arange(-9, 9, dtype="|i1").reshape(6, 3),
        "packed/scale": np.array([0.5, 0.25, 0.125], "<f4"),
        "packed/zero": np.array([0, 1, -1], "|i1"),
        "test/x": np.ones((2, 4), "<f4"),
        "test/y": np.ones((2, 3), "<f4"),
        "test/z": np.zeros((2, 2, 3), "<i4"),
        "test/y_off": np.full((2, 3), 1e6, "<f4"),  # any output is within these
        "test/z_off": np.full((2, 2, 3), 2**30, "<i4"),
    }
    dtypes = {"|i1": "int8", "<f4": "float32", "<i4": "int32"}
    tensors = {name: Tensor(name, dtypes[array.dtype.str], array) for name, array in arrays.items()}
    tensors["packed"] = Tensor("packed", "int8", arrays["packed"], Quantization("packed/scale", "packed/zero", 1))
    return Document(
        name="rich",
        metadata={"note": ["free", {"as": "you like"}]},
        inputs=(value("x", "batch", 4),),
        outputs=("y", "z"),
        layers=(
            Layer("d", "dense@1", ("x",), (value("h", "batch", 3),), {"kernel": "kernel", "bias": "bias"}),
            Layer(
                "n",
                "batch_normalization@1",
                ("h",),
                (value("n", "batch", 3),),
                {"moving_mean": "mean", "moving_variance": "variance"},
                {"axis": 1, "epsilon": 0.001},
                Source("BatchNormalization", "norm"),
            ),
            Layer("c", "concatenate@1", ("h", "n"), (value("c", "batch", 6),), attributes={"axis": 1}),
            Layer("k", "constant@1", (), (value("k", 6),), {"value": "offset"}),
            Layer("a", "add@1", ("c", "k"), (value("a", "batch", 6),)),
            Layer("l", "leaky_relu@1", ("a",), (value("l", "batch", 6),), attributes={"negative_slope": 0.25}),
            Layer("q", "dense@1", ("l",), (value("q", "batch", 3),), {"kernel": "packed"}),
            Layer("g", "gelu@1", ("q",), (value("g", "batch", 3),), attributes={"approximate": False}),
            Layer("y", "softmax@1", ("g",), (value("y", "batch", 3),), attributes={"axes": [1]}),
            Layer("r", "reshape@1", ("l",), (value("r", "batch", 2, 3),), attributes={"target_shape": [2, -1]}),
            Layer("z", "cast@1", ("r",), (value("z", "batch", 2, 3, dtype="int32"),), attributes={"dtype": "int32"}),
        ),
        tensors=tensors,
        producer={"name": "tests", "version": "0"},
        output_structure={"first": 0, "rest": [1]},
        selftest=SelfTest(("test/x",), ("test/y", "test/z"), ("test/y_off", "test/z_off")),
        ext={"org.example.note": [1, 2.5, True]},
    )


HEADER, PIECES = build(rich_document())


def file_of(header: Json) -> bytes:
    return b"".join(container.write((1, 0), header, PIECES))


def changed(**steps: Json) -> dict[str, Json]:
    """The rich header, with what stands at "layers__0__op" replaced; ... deletes it."""
    header = copy.deepcopy(HEADER)
    for path, item in steps.items():
        *parents, last = (int(step) if step.isdecimal() else step for step in path.split("__"))
        owner = header
        for step in parents:
            owner = owner[step]
        if item is ...:
            del owner[last]
        else:
            owner[last] = item
    return header


def found(header: Json) -> list[tuple[str, str]]:
    return [(fault.code, fault.at) for fault in faults(memoryview(file_of(header)))]


def loaded(header: Json) -> FormatError | None:
    try:
        nnpack.loads(file_of(header))
    except FormatError as fault:
        return fault
    return None


# Schemas


@pytest.mark.parametrize("schema", load_schemas(), ids=lambda schema: schema["$id"])
def test_schema_is_valid(schema: Json) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_schemas_accept_a_valid_header() -> None:
    assert schema_faults(HEADER, OPERATORS) == []


ATTRIBUTE_VALUES = [
    *(-2, -1, 0, 1, 7, 8, 2**31 - 1, 2**31, -1.0, -0.0, 0.0, 1.0, 2.5, True, False),
    *("", "float32", "float16", "bool", "x", {}, [], [0], [1], [7], [8], [1, 2], [1, 1], [1.0], [True], ["1"], [[1]]),
    *([-1], [-1, -1], [-1, 2], [-2], [2**31], [1] * 7, [2] * 8, list(range(1, 8)), list(range(1, 9)), [0, "x"]),
]


@pytest.mark.parametrize(
    ("op", "key"), [(op.id, key) for op in OPERATORS.values() for key in op.attributes], ids=lambda item: item
)
def test_schema_takes_what_the_operator_takes(op: str, key: str) -> None:
    for item in ATTRIBUTE_VALUES:
        layer = {"name": "n", "op": op, "inputs": ["x"], "outputs": [], "weights": {}, "attributes": {key: item}}
        at = f"/layers/0/attributes/{key}"
        by_schema = {fault.code for fault in schema_faults({"layers": [layer]}, OPERATORS) if fault.at == at}
        assert by_schema == refusal(OPERATORS[op].attributes[key], item), item


def refusal(attribute: Attribute, item: Json) -> set[str]:
    try:
        attribute.check(item, "")
    except FormatError as fault:
        return {fault.code}
    return set()


def test_schemas_are_not_found_twice() -> None:
    identifiers = [schema["$id"] for schema in load_schemas()]
    assert len(identifiers) == len(set(identifiers))


# Every fault at once


def test_valid_file_has_no_fault(tmp_path: Any) -> None:
    path = tmp_path / "rich.nnpack"
    path.write_bytes(file_of(HEADER))
    assert validate(path) == []
    assert validate(str(path)) == []


def test_several_faults_are_reported_at_once() -> None:
    header = changed(
        layers__0__attributes={"units": 3, "a/b": 1},
        layers__1__attributes={"axis": 1.0},
        layers__5__attributes__negative_slope="0.25",
        layers__8__attributes__axes=[0, 1],
        layers__10__attributes__dtype="int16",
        model={"title": "t"},
        outputs__1="nothing",
        tensors__0__dtype="complex64",
    )
    assert set(found(header)) >= {
        ("attribute-unknown", "/layers/0/attributes/units"),
        ("attribute-unknown", "/layers/0/attributes/a~1b"),
        ("attribute-missing", "/layers/1/attributes"),
        ("wrong-type", "/layers/1/attributes/axis"),
        ("wrong-type", "/layers/5/attributes/negative_slope"),
        ("wrong-value", "/layers/8/attributes/axes"),
        ("wrong-value", "/layers/10/attributes/dtype"),
        ("unknown-key", "/model/title"),
        ("missing-key", "/model"),
        ("undefined-output", "/outputs/1"),
        ("dtype-unknown", "/tensors/0/dtype"),
    }


def test_faults_come_in_the_order_of_the_file_each_once() -> None:
    header = changed(selftest=..., layers__10__name="", layers__2__attributes__axis=9, inputs__0__foo=1, ext={"a": 1})
    assert found(header) == [
        ("wrong-value", "/ext/a"),
        ("unknown-key", "/inputs/0/foo"),
        ("wrong-value", "/layers/2/attributes/axis"),
        ("name-length", "/layers/10/name"),
    ]


def test_two_missing_keys_of_one_map_are_two_faults() -> None:
    header = changed(layers__0__op=..., layers__0__weights=...)
    received = [fault.expected for fault in faults(memoryview(file_of(header))) if fault.code == "missing-key"]
    assert received == ["the key 'op'", "the key 'weights'"]


def test_a_missing_list_is_reported_as_missing_alone() -> None:
    header = changed(selftest__outputs=..., requires=...)
    assert [fault for fault in found(header) if fault[0] in ("missing-key", "wrong-type")] == [
        ("missing-key", ""),
        ("missing-key", "/selftest"),
    ]


def test_sound_layers_are_held_to_their_operators_beside_a_broken_one() -> None:
    header = changed(
        layers__3__name=7, layers__2__outputs__0__shape=["batch", 7], layers__1__weights__moving_mean="bias2"
    )
    received = found(header)
    assert ("wrong-type", "/layers/3/name") in received
    assert ("shape-declared", "/layers/2/outputs/0/shape") not in received  # it reads what the broken layer 1 makes
    assert ("tensor-missing", "/layers/1/weights/moving_mean") in received
    header = changed(layers__3__name=7, layers__2__outputs__0__shape=["batch", 7])
    assert found(header) == [("shape-declared", "/layers/2/outputs/0/shape"), ("wrong-type", "/layers/3/name")]


def test_one_broken_entry_does_not_accuse_what_hangs_on_it() -> None:
    header = changed(tensors__2__dtype="complex64")  # "mean", which layer 1 uses, and behind which 10 tensors lie
    assert found(header) == [("dtype-unknown", "/tensors/2/dtype")]
    header = changed(inputs__0__dtype="int16", layers__6__source="Dense")
    assert found(header) == [("dtype-unknown", "/inputs/0/dtype"), ("wrong-type", "/layers/6/source")]
    header = changed(layers__0__name="", layers__1__weights__moving_mean="nothing")
    assert found(header) == [("name-length", "/layers/0/name"), ("tensor-missing", "/layers/1/weights/moving_mean")]


def test_departures_from_the_canonical_form_are_reported_and_loaded() -> None:
    header = copy.deepcopy(HEADER)
    header["model"] = dict(sorted(header["model"].items(), reverse=True))  # name before metadata
    head = container.MAGIC + b"\x92\xcc\x01\x00" + msgpack.packb({key: header[key] for key in sorted(header)})
    pad = -(len(head) + 7) % 64
    payload = b"".join(PIECES)
    data = head + bytes((0xC4, pad)) + bytes(pad) + struct.pack(">BI", 0xC6, len(payload)) + payload
    received = faults(memoryview(data))
    assert {fault.code for fault in received} == {"canonical-head", "canonical-order"}
    assert received[0].at == "byte 9"
    assert [int(fault.at.removeprefix("byte ")) for fault in received] == sorted(
        int(fault.at.removeprefix("byte ")) for fault in received
    )
    nnpack.loads(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"\x95\xa6nnpac", "truncated-header"),
        (file_of(HEADER)[:-1], "truncated-payload"),
        (file_of(HEADER) + b"\0", "trailing-bytes"),
    ],
    ids=["empty", "magic", "payload", "trailing"],
)
def test_a_fault_of_the_bytes_stands_alone(tmp_path: Any, data: bytes, code: str) -> None:
    path = tmp_path / "broken.nnpack"
    path.write_bytes(data)
    assert [fault.code for fault in validate(path)] == [code]


def test_damage_of_the_payload_is_found() -> None:
    data = bytearray(file_of(HEADER))
    data[-1] ^= 1
    digest = hashlib.sha256(data[-sum(map(len, PIECES)) :]).hexdigest()
    received = faults(memoryview(bytes(data)))
    assert [(fault.code, fault.at, fault.received) for fault in received] == [
        ("hash-mismatch", "/payload_sha256", digest)
    ]


def test_file_errors_propagate(tmp_path: Any) -> None:
    with pytest.raises(FileError) as caught:
        validate(tmp_path / "absent.nnpack")
    assert caught.value.code == "file-not-found"


# The same verdict as the loader


def pointers(item: Json, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    return [at, *(inner for key, member in members for inner in pointers(member, (*at, key)))]


PLACES = [at for at in pointers(HEADER) if at]
VALUES = st.sampled_from(
    [
        *(0, 1, 2, 3, 7, 8, 64, -1, 2**31 - 1, 2**31, 2**32, 2**53, 0.0, 1.0, 2.5, -1.0, True, False),
        *(
            "",
            "x",
            "h",
            "y",
            "kernel",
            "bias",
            "batch",
            "time",
            "float32",
            "float16",
            "int8",
            "bool",
            "dense@1",
            "dense@2",
        ),
        *("relu@1", "cast@1", "constant@1", "add@1", "n" * 256, "n" * 257, "é" * 200, "a\0b", "a/b~c", "op:relu@1"),
        *(
            [],
            {},
            [0],
            [1],
            [1, 0],
            [-1],
            ["batch"],
            ["batch", 3],
            ["batch", "time"],
            ["x"],
            ["h", "h"],
            [1.0],
            [1] * 9,
        ),
        *({"kernel": "kernel"}, {"axis": 1}, {"": "bias"}, {"a\0": "bias"}, {"first": 0, "rest": 1}, {"a.b": 1}),
    ]
)
KEYS = st.sampled_from(["x", "name", "axis", "quantization", "source", "bias", "value", "gamma", "a/b", "", "n\0"])


@st.composite
def headers(draw: st.DrawFn) -> Json:
    """The rich header with a few things deleted, replaced, added, repeated or swapped."""
    header = copy.deepcopy(HEADER)
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(PLACES))
        owner = header
        try:
            for step in parents:
                owner = owner[step]
            old = owner[last]
        except (KeyError, IndexError, TypeError):  # an earlier change took it away
            continue
        if isinstance(owner, str):
            continue
        action = draw(st.sampled_from(["delete", "replace", "add", "repeat", "take"]))
        if action == "delete":
            del owner[last]
        elif action == "replace":
            owner[last] = draw(VALUES)
        elif action == "take":
            owner[last] = copy.deepcopy(lookup(draw(st.sampled_from(PLACES))))
        elif isinstance(owner, dict):
            owner[draw(KEYS)] = draw(VALUES) if action == "add" else copy.deepcopy(old)
        else:
            owner.insert(draw(st.integers(0, len(owner))), draw(VALUES) if action == "add" else copy.deepcopy(old))
    return header


def lookup(at: tuple[Any, ...]) -> Json:
    item: Json = HEADER
    for step in at:
        item = item[step]
    return item


# codes that the schemas see wherever the loader does; what the others name needs more than a schema
SEEN_BY_SCHEMAS = {
    *("attribute-missing", "attribute-unknown", "dtype-unknown", "input-count", "list-length", "missing-key"),
    *("name-nul", "output-count", "unknown-key", "weight-missing", "weight-unknown", "wrong-type"),
}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(headers())
def test_validation_and_loading_agree(header: Json) -> None:
    first = loaded(header)
    received = found(header)
    if first is None:
        assert received == []
        return
    assert (first.code, first.at) in received
    by_schema = [(fault.code, fault.at) for fault in schema_faults(header, OPERATORS)]
    assert first.code not in SEEN_BY_SCHEMAS or (first.code, first.at) in by_schema
    assert set(by_schema) <= set(received)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: "/".join(map(str, place)))
def test_no_key_can_be_left_out_unseen(place: tuple[Any, ...]) -> None:
    header = copy.deepcopy(HEADER)
    owner = header
    for step in place[:-1]:
        owner = owner[step]
    del owner[place[-1]]
    first, received = loaded(header), found(header)
    assert (first is None) == (received == [])
    assert first is None or (first.code, first.at) in received
