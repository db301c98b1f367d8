"""The canonical form: sound files that are written again byte for byte, and departures from it."""

from __future__ import annotations

import struct
from typing import Any

from generate.encoding import ALIGNMENT, File, Pairs, Raw, container, document, layer, pack, stored, value
from generate.negative.container import PAYLOAD, note_at, noted
from generate.negative.declare import PERCEPTRON, QUANTIZED, TESTED, canonical, numbers, perceptron
from generate.negative.schema import put  # from there, because its cases stand before these
from generate.negative.sentences import demanded
from generate.pages import Quote, quote
from generate.permanent import FIXTURES, fixture

# Sound files, at the limits of the format


AGAIN = "Loading a canonical file and writing it again gives the same bytes."
HEADS = "every integer, string, array and map has the shortest head"
ITEMS = "| elements of an array, pairs of a map, so also layers and tensors | 65,536 | `limit-items` |"
NAMES = "are strings of 1 to 256 bytes without U+0000"
PASSES = "The test passes when for every element"
TESTS = "`selftest: {inputs, outputs, tolerances}` lets a device prove that it computes the model."
WIDENED = "`quantization: {scale, zero_point, axis}` makes an int8 tensor stand for float32 numbers:"


def _sound(case_id: str, title: str, says: str | Quote, file: File) -> None:
    canonical(f"sound/{case_id}", title, says, file)


_sound("perceptron", "A plain model.", AGAIN, PERCEPTRON)
_sound("quantized", "A quantized kernel.", WIDENED, QUANTIZED)
_sound("selftest", "A file with a self-test.", TESTS, TESTED)
_sound(
    "selftest-tolerance",
    "Expected values that are off by half of their tolerance, to either side: the self-test passes.",
    PASSES,
    document(
        [value("x", ["batch", 4])],
        [layer("relu", ["x"], value("y", ["batch", 4]))],
        ["y"],
        {
            "test/x": stored([[1, 2, 0.5, -3]]),
            "test/y": stored([[1.0005, 1.9995, 0.5005, 0]]),
            "test/tolerance": stored([[1e-3] * 4]),
        },
        selftest={"inputs": ["test/x"], "outputs": ["test/y"], "tolerances": ["test/tolerance"]},
    ),
)
_sound(
    "no-tensors",
    "A model without weights: the payload has no bytes.",
    "without tensors the payload is empty",
    document([value("x", ["batch", 4])], [layer("relu", ["x"], value("y", ["batch", 4]))], ["y"]),
)
_sound(
    "no-layers",
    "An input that is the output.",
    "list of layers in topological order; may be empty",
    document([value("x", ["batch", 4])], [], ["x"]),
)
_sound(
    "one-output-twice",
    "One value at two places of the answer.",
    "list of names of values, at least one; a name may occur twice",
    document([value("x", ["batch", 4])], [layer("relu", ["x"], value("y", ["batch", 4]))], ["y", "y"]),
)
_sound(
    "shared-tensor",
    "Two layers of one kernel.",
    "Several layers may use one tensor.",
    document(
        [value("x", ["batch", 4])],
        [
            layer("dense", ["x"], value("h", ["batch", 4]), {"kernel": "kernel"}),
            layer("dense", ["h"], value("y", ["batch", 4]), {"kernel": "kernel"}),
        ],
        ["y"],
        {"kernel": numbers(4, 4)},
    ),
)
_sound(
    "shared-names",
    "A layer, a value and a tensor of one name.",
    "Layers have names of their own, values have names of their own, tensors have names of their own",
    document(
        [value("x", ["batch", 4])],
        [layer("dense", ["x"], value("y", ["batch", 3]), {"kernel": "y", "bias": "x"})],
        ["y"],
        {"x": numbers(3), "y": numbers(4, 3)},
    ),
)
_sound(
    "layer-names",
    "Each of two layers has the name of the other's value.",
    "a layer and the value that it makes usually share one",
    PERCEPTRON.but(put("layers", 0, "name", "y")).but(put("layers", 1, "name", "hidden")),
)
_sound(
    "unused-input",
    "An input that no layer reads.",
    "list of values, at least one",
    document(
        [value("x", ["batch", 4]), value("z", ["batch", 2])],
        [layer("relu", ["x"], value("y", ["batch", 4]))],
        ["y"],
    ),
)
_sound(
    "sources",
    "Layers that say where they came from.",
    "optional: `{class, name}` of the Keras layer that it was made from; it never changes numbers",
    PERCEPTRON.but(put("layers", 0, "source", {"class": "Dense", "name": "dense_7"})),
)
_sound(
    "output-structure",
    "Outputs in a nest of maps and lists.",
    "It is a nest of maps and lists whose leaves are the indices of `outputs`, each once",
    document(
        [value("x", ["batch", 4])],
        [layer("relu", ["x"], value("y", ["batch", 4])), layer("tanh", ["x"], value("z", ["batch", 4]))],
        ["y", "z"],
        output_structure={"b": [1], "a": {"c": 0}},
    ),
)
_sound(
    "minor-7",
    "A minor version of the future, of which nothing is used.",
    quote("versioning.md", "A reader never refuses a file for its minor"),
    File(PERCEPTRON.header, PAYLOAD, version=pack([1, 7])),
)
_sound(
    "metadata",
    "Free metadata: every type that JSON has but null.",
    "`name`, and optionally `metadata`, a map of anything",
    perceptron(
        metadata={
            "accuracy": 0.875,
            "classes": ["a", "b"],
            "epochs": 3,
            "nested": {"x": {}},
            "public": True,
            "": "an empty key",
            "ключ": "значение",
            "😀": "beyond 16 bits",
            "é": "after z",
        }
    ),
)
_sound(
    "keys-of-both-cases",
    "Upper case stands before lower case.",
    demanded("canonical-order"),
    perceptron(metadata={"B": 1, "Z": 2, "a": 3, "b": 4}),
)
_sound(
    "integers",
    "The largest integers, and those at the ends of each head.",
    "integers from −2⁵³ to 2⁵³, finite floats",
    noted(
        [
            2**53,
            -(2**53),
            0,
            127,
            128,
            255,
            256,
            65_535,
            65_536,
            2**32 - 1,
            2**32,
            -1,
            -32,
            -33,
            -128,
            -129,
            -32_768,
            -32_769,
            -(2**31),
            -(2**31) - 1,
        ]
    ),
)
_sound(
    "floats",
    "Floats that look like integers, the smallest, the largest, minus zero.",
    "integers from −2⁵³ to 2⁵³, finite floats",
    noted([1.0, -0.0, 0.1, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308]),
)
_sound("strings", "Strings at the ends of each head.", HEADS, noted(["a" * n for n in (0, 31, 32, 255, 256)]))
_sound("string-65536", "The longest string.", "| a string | 64 KiB | `limit-string` |", noted("a" * 65_536))
_sound("lists", "Lists at the ends of each head.", HEADS, noted([[0] * n for n in (0, 15, 16)]))
_sound("list-65536", "The longest list.", ITEMS, noted([0] * 65_536))
_sound("maps", "Maps at the ends of each head.", HEADS, noted([{f"{i:02}": i for i in range(n)} for n in (0, 15, 16)]))


def _nested(levels: int) -> Any:
    note: Any = []
    for _ in range(levels - 1):
        note = [note]
    return note


_sound(
    "nesting-16",
    "As many levels as there may be: header, ext, and 14 lists.",
    "| nesting of maps and arrays, the header itself counted | 16 | `limit-nesting` |",
    noted(_nested(14)),
)


def _padded(n: int) -> File:
    """A file whose pad has n bytes."""
    files = (noted("a" * k) for k in range(ALIGNMENT))
    return next(file for file in files if bytes(file)[: -len(file.payload) - 5].endswith(bytes((0xC4, n)) + bytes(n)))


_sound("pad-0", "A pad of no byte.", demanded("payload-misaligned"), _padded(0))
_sound("pad-63", "The longest pad.", demanded("payload-misaligned"), _padded(63))
_LONG_NAME = "é" * 128
_sound(
    "name-256",
    "A name of 256 bytes in 128 letters.",
    "| a name | 1 to 256 bytes | `name-length` |",
    document([value(_LONG_NAME, ["batch", 4])], [layer("relu", [_LONG_NAME], value("y", ["batch", 4]))], ["y"]),
)
_sound(
    "odd-names",
    "Names with slashes, tildes, spaces and control characters.",
    NAMES,
    document(
        [value("a/b~0 \n", ["batch", "~1/ "])], [layer("relu", ["a/b~0 \n"], value(" ", ["batch", "~1/ "]))], [" "]
    ),
)
_sound(
    "byte-order-mark",
    "Two names that only U+FEFF tells apart: a decoder must not strip it.",
    "Strings are compared as they stand, byte by byte: nothing is normalized or stripped.",
    document(
        [value("x", ["batch", 4])],
        [layer("relu", ["x"], value("\ufeffx", ["batch", 4])), layer("tanh", ["\ufeffx"], value("y", ["batch", 4]))],
        ["y", "\ufeffx", "x"],
    ),
)
_sound(
    "rank-8",
    "As many dimensions as there may be.",
    "| dimensions of a shape | 8 | `rank-range` |",
    document(
        [value("x", ["batch", 1, 2, 1, 1, 1, 1, 3])],
        [layer("softmax", ["x"], value("y", ["batch", 1, 2, 1, 1, 1, 1, 3]), axes=[7])],
        ["y"],
    ),
)
_sound(
    "nonfinite-declared",
    "A weight that is NaN, and says so.",
    "unless `requires` has `feature:nonfinite`",
    document(
        [value("x", ["batch", 2])],
        [layer("dense", ["x"], value("y", ["batch", 2]), {"kernel": "kernel"})],
        ["y"],
        {"kernel": numbers(2, 2)},
        requires=["feature:nonfinite"],
    ).holding(struct.pack("<4f", 1, float("nan"), float("-inf"), 2)),
)

for _major, _minor in FIXTURES:
    _sound(
        f"fixture-{_major}.{_minor}",
        "A trained network, written when this version was new.",
        quote("versioning.md", "The conformance suite keeps a file of each minor."),
        fixture((_major, _minor)),
    )


# Departures


def _stray(case_id: str, title: str, code: str, at: str, data: bytes, becomes: File) -> None:
    canonical(f"departure/{case_id}", title, demanded(code), data, code=code, at=at, becomes=becomes)


def _head(case_id: str, title: str, raw: bytes, note: Any) -> None:
    """A note with a head that is longer than it needs to be."""
    data = bytes(noted(Raw(raw)))
    _stray(case_id, title, "canonical-head", f"byte {note_at(data)}", data, noted(note))


_UNSORTED = container(
    pack(Pairs(sorted(PERCEPTRON.header.items(), key=lambda pair: (pair[0] != "requires", pair[0])))), PAYLOAD
)
_stray(
    "keys-unsorted",
    "requires stands first.",
    "canonical-order",
    f"byte {_UNSORTED.index(b'inputs') - 1}",
    _UNSORTED,
    PERCEPTRON,
)
_ORDER = bytes(noted(Pairs([("b", 1), ("a", 2)])))
_stray(
    "keys-unsorted-in-note",
    "b before a in a map within a map.",
    "canonical-order",
    f"byte {note_at(_ORDER) + 4}",
    _ORDER,
    noted({"a": 2, "b": 1}),
)
_LENGTH = bytes(noted(Pairs([("b", 1), ("aa", 2)])))
_stray(
    "keys-by-length",
    "Shorter keys before longer ones, as other canonical forms have them.",
    "canonical-order",
    f"byte {note_at(_LENGTH) + 4}",
    _LENGTH,
    noted({"aa": 2, "b": 1}),
)
_UTF16 = bytes(noted(Pairs([("😀", 1), ("\uffee", 2)])))
_stray(
    "keys-by-utf16",
    "Sorted by UTF-16, as JavaScript does.",
    "canonical-order",
    f"byte {note_at(_UTF16) + 1 + 5 + 1}",
    _UTF16,
    noted({"\uffee": 2, "😀": 1}),
)
_head("integer-uint8", "7 in two bytes.", b"\xcc\x07", 7)
_head("integer-uint64", "7 in nine bytes.", b"\xcf" + struct.pack(">Q", 7), 7)
_head("integer-int8-positive", "7 as a signed number.", b"\xd0\x07", 7)
_head("integer-int16-positive", "200 as a signed number.", b"\xd1\x00\xc8", 200)
_head("integer-int64-negative", "-1 in nine bytes.", b"\xd3" + struct.pack(">q", -1), -1)
_head("string-str8", "A short string with a head of two bytes.", b"\xd9\x04note", "note")
_head("string-str32", "A short string with a head of five bytes.", b"\xdb\x00\x00\x00\x04note", "note")
_head("list-array16", "A short list with a head of three bytes.", b"\xdc\x00\x01\x07", [7])
_head("list-array32", "A short list with a head of five bytes.", b"\xdd\x00\x00\x00\x01\x07", [7])
_head("map-map16", "A short map with a head of three bytes.", b"\xde\x00\x01\xa1a\x07", {"a": 7})
_head("map-map32", "A short map with a head of five bytes.", b"\xdf\x00\x00\x00\x01\xa1a\x07", {"a": 7})
_VERSION = container(pack(PERCEPTRON.header), PAYLOAD, version=b"\x92\xcc\x01\x00")
_stray("version-uint8", "The major version in two bytes.", "canonical-head", "byte 9", _VERSION, PERCEPTRON)
_FLOAT = bytes(PERCEPTRON.but(put("layers", 1, "attributes", "negative_slope", Raw(b"\xca" + struct.pack(">f", 0.25)))))
_stray(
    "attribute-float32",
    "An attribute of float32.",
    "canonical-float32",
    f"byte {_FLOAT.index(b'negative_slope') + len(b'negative_slope')}",
    _FLOAT,
    PERCEPTRON,
)
_NFD, _NFC = bytes(noted("e\u0301")), noted("\u00e9")
_stray("nfd", "A letter and its accent as two characters.", "canonical-nfc", f"byte {note_at(_NFD)}", _NFD, _NFC)
_KEY = bytes(noted({"e\u0301": 1}))
_stray("nfd-key", "The same in a key.", "canonical-nfc", f"byte {note_at(_KEY) + 1}", _KEY, noted({"\u00e9": 1}))
