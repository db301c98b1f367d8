"""Faults of the header's keys, types and lists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from generate.encoding import File, document, layer, stored, value
from generate.negative.declare import PERCEPTRON, QUANTIZED, TESTED, numbers, pointer, put, reject, without

# Keys

SOURCED = PERCEPTRON.but(put("layers", 0, "source", {"class": "Dense", "name": "hidden"}))
PLACES: dict[str, tuple[File, tuple[Any, ...]]] = {
    "header": (PERCEPTRON, ()),
    "model": (PERCEPTRON, ("model",)),
    "producer": (PERCEPTRON, ("producer",)),
    "input": (PERCEPTRON, ("inputs", 0)),
    "layer": (PERCEPTRON, ("layers", 0)),
    "output": (PERCEPTRON, ("layers", 0, "outputs", 0)),
    "source": (SOURCED, ("layers", 0, "source")),
    "tensor": (PERCEPTRON, ("tensors", 0)),
    "quantization": (QUANTIZED, ("tensors", 0, "quantization")),
    "selftest": (TESTED, ("selftest",)),
}
OPTIONAL = {"axis", "ext", "metadata", "output_structure", "quantization", "selftest", "source"}

for _place, (_file, _path) in PLACES.items():
    reject(
        f"schema/unknown-key-in-{_place}",
        "A key that the format does not have.",
        "unknown-key",
        pointer((*_path, "comment")),
        _file.but(put(*_path, "comment", "free text")),
    )
    _item: Any = _file.header
    for _step in _path:
        _item = _item[_step]
    for _key in sorted(_item.keys() - OPTIONAL):
        reject(
            f"schema/missing-{_place}-{_key}",
            f"Without the key {_key}.",
            "missing-key",
            pointer(_path),
            _file.but(without(*_path, _key)),
        )


# Types


def _typed(case_id: str, title: str, *path: Any, file: File = PERCEPTRON, at: str | None = None) -> None:
    """The last element of `path` stands where another type belongs."""
    reject(f"schema/{case_id}", title, "wrong-type", at or pointer(path[:-1]), file.but(put(*path)))


_typed("inputs-map", "A map where a list belongs.", "inputs", {"x": value("x", ["batch", 4])})
_typed("layers-map", "A map where a list belongs.", "layers", {})
_typed("tensors-string", "A string where a list belongs.", "tensors", "none")
_typed("outputs-string", "A string where a list belongs.", "outputs", "y")
_typed("requires-string", "A string where a list belongs.", "requires", "op:dense@1")
_typed("requires-integer", "An integer where a string belongs.", "requires", 0, 1)
_typed("layer-string", "A string where a layer belongs.", "layers", 0, "hidden")
_typed("layer-inputs-string", "A string where a list belongs.", "layers", 0, "inputs", "x")
_typed("layer-input-integer", "The index of an input where its name belongs.", "layers", 0, "inputs", 0, 0)
_typed("weights-list", "A list where a map belongs.", "layers", 0, "weights", ["kernel", "bias"])
_typed("attributes-list", "A list where a map belongs.", "layers", 1, "attributes", [0.25])
_typed("name-integer", "An integer where a name belongs.", "layers", 0, "name", 7)
_typed("op-integer", "An integer where an operator belongs.", "layers", 0, "op", 1)
_typed("shape-string", "A string where a shape belongs.", "inputs", 0, "shape", "batch")
_typed("dimension-float", "2.0 is no integer, whatever it equals.", "inputs", 0, "shape", 1, 4.0)
_typed("dimension-boolean", "A boolean is no integer.", "inputs", 0, "shape", 1, True)
_typed("tensor-dimension-symbol", "A tensor has no symbols.", "tensors", 0, "shape", 0, "units")
_typed("offset-float", "0.0 is no integer.", "tensors", 0, "offset", 0.0)
_typed("offset-boolean", "A boolean is no integer.", "tensors", 0, "offset", False)
_typed("nbytes-float", "12.0 is no integer.", "tensors", 0, "nbytes", 12.0)
_typed("sha256-integer", "A number where a string belongs.", "payload_sha256", 0)
_typed("metadata-string", "A string where a map belongs.", "model", "metadata", "free text")
_typed("ext-string", "A string where a map belongs.", "ext", "free text")
_typed("selftest-list", "A list where a map belongs.", "selftest", [], file=TESTED)
_typed("producer-version-list", "A list where a string belongs.", "producer", "version", [1, 0])


# Values


def _valued(case_id: str, title: str, code: str, *path: Any, file: File = PERCEPTRON, at: str | None = None) -> None:
    reject(f"schema/{case_id}", title, code, at or pointer(path[:-1]), file.but(put(*path)))


_DIGEST = PERCEPTRON.header["payload_sha256"]
_valued("sha256-upper-case", "Digits in upper case.", "wrong-value", "payload_sha256", _DIGEST.upper())
_valued("sha256-short", "A digit is missing.", "wrong-value", "payload_sha256", _DIGEST[:-1])
_valued("ext-name", "An extension whose name has no dot.", "wrong-value", "ext", {"note": 1}, at="/ext/note")
_valued("offset-negative", "A negative offset.", "wrong-value", "tensors", 0, "offset", -64)
_valued("input-dtype", "An unknown dtype.", "dtype-unknown", "inputs", 0, "dtype", "float8")
_valued("input-dtype-alias", "Another name of a known dtype.", "dtype-unknown", "inputs", 0, "dtype", "float")
_valued("input-float16", "A storage type, which no value has.", "dtype-unknown", "inputs", 0, "dtype", "float16")
_valued(
    "output-bfloat16",
    "A storage type, which no value has.",
    "dtype-unknown",
    "layers",
    0,
    "outputs",
    0,
    "dtype",
    "bfloat16",
)
_valued("tensor-dtype", "An unknown dtype.", "dtype-unknown", "tensors", 0, "dtype", "int4")
_valued("input-dimension-0", "A dimension of 0.", "dimension-range", "inputs", 0, "shape", 1, 0)
_valued("input-dimension-negative", "A negative dimension.", "dimension-range", "inputs", 0, "shape", 1, -1)
_valued("input-dimension-2-31", "A dimension of 2^31.", "dimension-range", "inputs", 0, "shape", 1, 2**31)
_valued("input-rank-9", "Nine dimensions.", "rank-range", "inputs", 0, "shape", ["batch", 1, 1, 1, 1, 1, 1, 1, 4])
_valued("input-name-empty", "A name of no bytes.", "name-length", "inputs", 0, "name", "")
_valued(
    "input-name-257",
    "A name one byte too long, in two-byte letters and one more.",
    "name-length",
    "inputs",
    0,
    "name",
    "é" * 128 + "x",
)
_valued("input-name-nul", "A name that C would read as a shorter one.", "name-nul", "inputs", 0, "name", "x\0y")
_valued("layer-name-empty", "A name of no bytes.", "name-length", "layers", 0, "name", "")
_valued("model-name-empty", "A name of no bytes.", "name-length", "model", "name", "")
_valued("symbol-empty", "A symbol of no bytes.", "name-length", "inputs", 0, "shape", 1, "")
_valued("symbol-nul", "A symbol with NUL.", "name-nul", "inputs", 0, "shape", 1, "a\0b")

reject(
    "schema/no-inputs",
    "A model without an input; what it answers cannot begin with the batch either.",
    "list-length",
    "/inputs",
    document([], [layer("constant", [], value("y", [3]), {"value": "value"})], ["y"], {"value": numbers(3)}),
)
reject(
    "schema/no-outputs",
    "A model without an output.",
    "list-length",
    "/outputs",
    document([value("x", ["batch", 4])], [], []),
)
reject(
    "schema/layer-without-outputs",
    "A layer that makes nothing.",
    "list-length",
    "/layers/0/outputs",
    PERCEPTRON.but(put("layers", 0, "outputs", [])),
)


# Requirements


def _required(case_id: str, title: str, code: str, requires: list[str]) -> None:
    reject(f"requires/{case_id}", title, code, "/requires", PERCEPTRON.but(put("requires", requires)))


_NEEDED = PERCEPTRON.header["requires"]
_required("unknown-operator", "An operator that no version has.", "requires-unknown", [*_NEEDED, "op:telepathy@1"])
_required(
    "unknown-operator-version", "An operator of the future.", "requires-unknown", sorted([*_NEEDED, "op:dense@999"])
)
_required("unknown-dtype", "A dtype that no version has.", "requires-unknown", sorted([*_NEEDED, "dtype:int4"]))
_required(
    "unknown-feature", "A feature that no version has.", "requires-unknown", sorted([*_NEEDED, "feature:telepathy"])
)
_required(
    "unknown-kind", "Something that is no operator, dtype or feature.", "requires-unknown", sorted([*_NEEDED, "gpu"])
)
_required(
    "operator-missing",
    "An operator is used and not listed.",
    "requires-incomplete",
    [item for item in _NEEDED if item != "op:dense@1"],
)
_required(
    "dtype-missing",
    "A dtype is used and not listed.",
    "requires-incomplete",
    [item for item in _NEEDED if item != "dtype:float32"],
)
reject(
    "requires/feature-missing",
    "A tensor is quantized and the feature is not listed.",
    "requires-incomplete",
    "/requires",
    QUANTIZED.but(lambda h: h["requires"].remove("feature:quantization")),
)
_required("unused-operator", "An operator is listed and not used.", "requires-unused", [*_NEEDED, "op:relu@1"])
_required("unused-feature", "Every weight is finite.", "requires-unused", sorted([*_NEEDED, "feature:nonfinite"]))
_required("unsorted", "The right list in another order.", "requires-order", _NEEDED[::-1])
_required("twice", "An item twice.", "requires-order", sorted([*_NEEDED, _NEEDED[0]]))

_valued(
    "operator-unknown",
    "An operator that no version has, in the layer alone.",
    "operator-unknown",
    "layers",
    1,
    "op",
    "telepathy@1",
)
_valued(
    "operator-version",
    "An operator of the future, in the layer alone.",
    "operator-version",
    "layers",
    0,
    "op",
    "dense@999",
)
_valued("operator-without-version", "An operator without its version.", "operator-version", "layers", 0, "op", "dense")
_valued("operator-two-versions", "A version of a version.", "operator-version", "layers", 0, "op", "dense@1@1")


# The structure of the outputs

for _name, _title, _structure in (
    ("missing", "The one output has no place.", []),
    ("twice", "The one output has two places.", [0, 0]),
    ("beyond", "An output that there is not.", {"y": 1}),
    ("name", "The name of an output where its index belongs.", ["y"]),
):
    _valued(f"output-structure-{_name}", _title, "output-structure", "output_structure", _structure)


# Faults that nothing else in the file contradicts


def _alone(
    case_id: str, title: str, code: str, at: str, name: str = "x", shape: Any = ("batch", 4), dtype: str = "float32"
) -> None:
    """An input that is the output, so that nothing but the fault can refuse it."""
    reject(f"schema/{case_id}", title, code, at, document([value(name, shape, dtype)], [], [name]))


_alone("name-empty-throughout", "A name of no bytes, wherever it stands.", "name-length", "/inputs/0/name", name="")
_alone("name-nul-throughout", "A name with NUL, wherever it stands.", "name-nul", "/inputs/0/name", name="x\0y")
_alone(
    "name-258-in-129-letters",
    "129 letters of two bytes each: bytes count.",
    "name-length",
    "/inputs/0/name",
    name="é" * 129,
)
for _name, _title, _code, _n in (
    ("symbol-empty", "A symbol of no bytes that nothing else contradicts.", "name-length", ""),
    ("symbol-nul", "A symbol with NUL that nothing else contradicts.", "name-nul", "a\0b"),
    ("dimension-0", "A dimension of 0 that nothing else contradicts.", "dimension-range", 0),
    ("dimension-negative", "A negative dimension that nothing else contradicts.", "dimension-range", -1),
    ("dimension-2-31", "A dimension of 2^31 that nothing else contradicts.", "dimension-range", 2**31),
    ("dimension-boolean", "A boolean for a dimension of 1.", "wrong-type", True),
):
    _alone(f"{_name}-throughout", _title, _code, "/inputs/0/shape/1", shape=["batch", _n])
_alone(
    "rank-9-throughout",
    "Nine dimensions that nothing else contradicts.",
    "rank-range",
    "/inputs/0/shape",
    shape=["batch", *[1] * 7, 4],
)
_alone(
    "input-float16-listed",
    "A storage type, which no value has; requires lists it.",
    "dtype-unknown",
    "/inputs/0/dtype",
    dtype="float16",
)

NO_LAYERS = document([value("x", ["batch", 4])], [], ["x"])
ONE_LAYER = document([value("x", ["batch", 4])], [layer("relu", ["x"], value("y", ["batch", 4]))], ["y"])
_typed("layers-empty-map", "An empty map where an empty list belongs.", "layers", {}, file=NO_LAYERS)
_typed("tensors-empty-map", "An empty map where an empty list belongs.", "tensors", {}, file=NO_LAYERS)
_typed("weights-empty-list", "An empty list where an empty map belongs.", "layers", 0, "weights", [], file=ONE_LAYER)
_typed(
    "attributes-empty-list", "An empty list where an empty map belongs.", "layers", 0, "attributes", [], file=ONE_LAYER
)
_typed("metadata-empty-list", "An empty list where an empty map belongs.", "model", "metadata", [])
_typed("selftest-empty-list", "An empty list where there is no self-test.", "selftest", [])
_typed("requires-lone-string", "All that is required, not in a list.", "requires", "dtype:float32", file=NO_LAYERS)
_typed(
    "requires-integer-more",
    "An integer behind all that is required.",
    "requires",
    [*_NEEDED, 1],
    at=f"/requires/{len(_NEEDED)}",
)
_typed(
    "shape-lone-string",
    "The only dimension, not in a list.",
    "inputs",
    0,
    "shape",
    "batch",
    file=document([value("x", ["batch"])], [], ["x"]),
)
_typed(
    "layer-input-index",
    "The index of an input where its name belongs, which is that number too.",
    "layers",
    0,
    "inputs",
    0,
    0,
    file=document([value("0", ["batch", 4])], [layer("relu", ["0"], value("y", ["batch", 4]))], ["y"]),
)


def _missing(case_id: str, title: str, file: File, *path: Any) -> None:
    """Without a key whose value a reader could guess."""
    reject(f"schema/missing-{case_id}", title, "missing-key", pointer(path[:-1]), file.but(without(*path)))


_missing("layers-of-none", "A model without layers has a list of them.", NO_LAYERS, "layers")
_missing("tensors-of-none", "A model without tensors has a list of them.", NO_LAYERS, "tensors")
_missing("weights-of-none", "A layer without weights has a map of them.", ONE_LAYER, "layers", 0, "weights")
_missing(
    "inputs-of-constant",
    "A layer without inputs has a list of them.",
    document(
        [value("x", ["batch", 4])],
        [
            layer("constant", [], value("c", [4]), {"value": "v"}),
            layer("add", ["x", "c"], value("y", ["batch", 4])),
        ],
        ["y"],
        {"v": numbers(4)},
    ),
    "layers",
    0,
    "inputs",
)
_missing(
    "zero-point-of-0",
    "A quantization has a zero point, also where that is 0.",
    document(
        [value("x", ["batch", 2])],
        [layer("dense", ["x"], value("y", ["batch", 2]), {"kernel": "kernel"})],
        ["y"],
        {
            "kernel": replace(stored([[1, -2], [3, 4]], "int8"), quantization={"scale": "scale", "zero_point": "none"}),
            "scale": stored(0.5),
        },
    ),
    "tensors",
    0,
    "quantization",
    "zero_point",
)
_missing(
    "tolerances-of-0",
    "A self-test has tolerances, also where they are 0.",
    document(
        [value("x", ["batch", 4])],
        [layer("relu", ["x"], value("y", ["batch", 4]))],
        ["y"],
        {"test/x": numbers(2, 4), "test/y": numbers(2, 4)},
        selftest={"inputs": ["test/x"], "outputs": ["test/y"], "tolerances": []},
    ),
    "selftest",
    "tolerances",
)
