"""Faults of the bytes: the container, and msgpack itself."""

from __future__ import annotations

import math
import struct
from typing import Any

from generate.encoding import ALIGNMENT, MAGIC, VERSION, File, Pairs, Raw, container, pack
from generate.negative.declare import PERCEPTRON, perceptron, put, reject

SOUND = bytes(PERCEPTRON)
HEADER, PAYLOAD = pack(PERCEPTRON.header), PERCEPTRON.payload
HEADER_AT = len(MAGIC) + len(VERSION)
PAD_AT = HEADER_AT + len(HEADER)
PAYLOAD_AT = len(SOUND) - len(PAYLOAD)
NOTE = "org.example.note"


def noted(note: Any) -> File:
    """A perceptron that carries a note; a reader skips notes, but they are msgpack like all else."""
    return perceptron(ext={NOTE: note})


def note_at(data: bytes) -> int:
    """Where the note's value starts."""
    return data.index(NOTE.encode()) + len(NOTE)


def _byte(n: int) -> str:
    return f"byte {n}"


def _without_pad(n: int) -> bytes:
    """Magic, version and header; a note of n letters."""
    return MAGIC + VERSION + pack(noted("a" * n).header)


# The container

reject("container/empty", "No bytes at all.", "empty-file", "", b"")
reject("container/wrong-magic", "Another kind of file.", "wrong-magic", _byte(0), b"\x89HDF\r\n\x1a\n" + SOUND[8:])
reject("container/wrong-name", "One letter of the name differs.", "wrong-magic", _byte(0), SOUND[:7] + b"q" + SOUND[8:])
reject("container/four-elements", "An array of 4.", "container-length", _byte(0), b"\x94" + SOUND[1:])
reject("container/six-elements", "An array of 6.", "container-length", _byte(0), b"\x96" + SOUND[1:] + b"\x00")
reject("container/cut-in-magic", "The file ends in the magic.", "truncated-header", _byte(5), SOUND[:5])
reject("container/cut-before-version", "The magic is all there is.", "truncated-header", _byte(8), SOUND[:8])
reject("container/cut-before-header", "The file ends behind the version.", "truncated-header", _byte(11), SOUND[:11])
_CUT = SOUND.index(b"layers") + len(b"layers")
reject("container/cut-in-header", "The file ends in the header.", "truncated-header", _byte(_CUT), SOUND[:_CUT])
reject("container/cut-before-pad", "The header is the last.", "truncated-header", _byte(PAD_AT), SOUND[:PAD_AT])
reject("container/cut-in-pad", "The file ends in the pad.", "truncated-header", _byte(PAD_AT + 2), SOUND[: PAD_AT + 2])
reject(
    "container/cut-in-payload-head",
    "The file ends in the payload's length.",
    "truncated-header",
    _byte(PAYLOAD_AT - 2),
    SOUND[: PAYLOAD_AT - 2],
)
reject("container/cut-in-payload", "The last byte is missing.", "truncated-payload", _byte(len(SOUND) - 1), SOUND[:-1])
reject("container/no-payload", "The payload is missing.", "truncated-payload", _byte(PAYLOAD_AT), SOUND[:PAYLOAD_AT])
reject("container/trailing-byte", "A byte too many.", "trailing-bytes", _byte(len(SOUND)), SOUND + b"\x00")
reject("container/second-document", "A file behind the file.", "trailing-bytes", _byte(len(SOUND)), SOUND + SOUND)
reject(
    "container/payload-longer-than-file",
    "The payload's head says 4 GiB.",
    "truncated-payload",
    _byte(len(SOUND)),
    SOUND[: PAYLOAD_AT - 4] + b"\xff\xff\xff\xff" + PAYLOAD,
)
_PAD = SOUND[PAD_AT + 1]
reject(
    "container/pad-not-zero",
    "The last byte of the pad is 1.",
    "pad-not-zero",
    _byte(PAD_AT + 2 + _PAD - 1),
    container(HEADER, PAYLOAD, pad=bytes((0xC4, _PAD)) + bytes(_PAD - 1) + b"\x01"),
)
reject(
    "container/pad-too-long",
    "A pad with 64 bytes more than it needs.",
    "pad-length",
    _byte(PAD_AT),
    container(HEADER, PAYLOAD, pad=bytes((0xC4, _PAD + 64)) + bytes(_PAD + 64)),
)
reject(
    "container/pad-bin16",
    "A pad with a longer head.",
    "pad-length",
    _byte(PAD_AT),
    container(HEADER, PAYLOAD, pad=b"\xc5" + struct.pack(">H", _PAD - 1) + bytes(_PAD - 1)),
)
reject(
    "container/pad-nil",
    "Nil instead of a pad.",
    "pad-length",
    _byte(PAD_AT),
    container(HEADER, PAYLOAD, pad=b"\xc0"),
)
_NIL = next(file for n in range(64) if (len(file := _without_pad(n)) + len(b"\xc0") + 5) % ALIGNMENT == 0)
reject(
    "container/pad-nil-aligned",
    "Nil instead of a pad; the payload is aligned.",
    "pad-length",
    _byte(len(_NIL)),
    container(_NIL.removeprefix(MAGIC + VERSION), PAYLOAD, pad=b"\xc0"),
)
reject(
    "container/payload-misaligned",
    "The pad is a byte too short.",
    "payload-misaligned",
    _byte(PAYLOAD_AT - 1),
    container(HEADER, PAYLOAD, pad=bytes((0xC4, _PAD - 1)) + bytes(_PAD - 1)),
)
reject(
    "container/payload-bin16",
    "A payload with a shorter head, though aligned.",
    "payload-head",
    _byte(PAYLOAD_AT - 3),
    container(
        HEADER,
        PAYLOAD,
        pad=bytes((0xC4, _PAD + 2)) + bytes(_PAD + 2),
        payload_head=b"\xc5" + struct.pack(">H", len(PAYLOAD)),
    ),
)
reject(
    "container/payload-string",
    "A string as payload.",
    "payload-head",
    _byte(PAYLOAD_AT - 5),
    container(HEADER, PAYLOAD, payload_head=b"\xdb" + struct.pack(">I", len(PAYLOAD))),
)


def _versioned(case_id: str, title: str, code: str, version: Any) -> None:
    reject(f"version/{case_id}", title, code, _byte(8), container(HEADER, PAYLOAD, version=pack(version)))


_versioned("major-2", "A major version of the future.", "version-major", [2, 0])
_versioned("major-0", "A major version that never was.", "version-major", [0, 9])
_versioned("beyond-2-53", "A minor version beyond 2⁵³.", "integer-range", [1, 2**53 + 1])
_versioned("string", "A string as version.", "version-type", "1.0")
_versioned("one-number", "A version of one number.", "version-type", [1])
_versioned("three-numbers", "A version of three numbers.", "version-type", [1, 0, 0])
_versioned("float", "A float as major version.", "version-type", [1.0, 0])
_versioned("boolean", "A boolean as major version.", "version-type", [True, 0])
_versioned("negative", "A negative minor version.", "version-type", [1, -1])


# msgpack


def _raw(case_id: str, title: str, code: str, raw: bytes, offset: int = 0) -> None:
    """A note of these bytes; the fault lies `offset` bytes into them."""
    data = bytes(noted(Raw(raw)))
    reject(f"msgpack/{case_id}", title, code, _byte(note_at(data) + offset), data)


_raw("byte-c1", "The byte that msgpack never uses.", "msgpack-invalid-byte", b"\xc1")
_raw("nil", "Nil, which a header does not have.", "msgpack-nil", b"\xc0")
_raw("nil-in-list", "Nil in a list.", "msgpack-nil", b"\x92\x01\xc0", 2)
_raw("bin8", "Binary data in the header.", "msgpack-bin", b"\xc4\x02ab")
_raw("bin32-beyond-file", "Binary data of 4 GiB.", "msgpack-bin", b"\xc6\xff\xff\xff\xff")
_raw("fixext", "An extension.", "msgpack-ext", b"\xd4\x05\x00")
_raw("ext8", "An extension with a length.", "msgpack-ext", b"\xc7\x03\x05abc")
_raw("ext32-beyond-file", "An extension of 4 GiB.", "msgpack-ext", b"\xc9\xff\xff\xff\xff\x05")
_raw("timestamp-32", "A timestamp.", "msgpack-timestamp", b"\xd6\xff\x00\x00\x00\x01")
_raw("timestamp-96", "A timestamp of 12 bytes.", "msgpack-timestamp", b"\xc7\x0c\xff" + bytes(12))
_raw("utf8-stray-byte", "A byte that UTF-8 never uses.", "utf8-invalid", b"\xa3a\xffb", 2)
_raw("utf8-cut", "A string that ends within a character.", "utf8-invalid", b"\xa2a\xc3", 2)
_raw("utf8-overlong", "A slash written in two bytes.", "utf8-invalid", b"\xa2\xc0\xaf", 1)
_raw("utf8-overlong-nul", "NUL written in two bytes.", "utf8-invalid", b"\xa2\xc0\x80", 1)
_raw("utf8-surrogate", "Half a surrogate pair.", "utf8-invalid", b"\xa3\xed\xa0\x80", 1)
_raw("utf8-beyond-unicode", "A character beyond U+10FFFF.", "utf8-invalid", b"\xa4\xf4\x90\x80\x80", 1)
_raw("integer-as-key", "A map with an integer as key.", "key-type", b"\x81\x01\x02", 1)
_raw("nil-as-key", "A map with nil as key.", "key-type", b"\x81\xc0\x02", 1)
_raw("bin-as-key", "A map with binary data as key.", "key-type", b"\x81\xc4\x01a\x02", 1)
_raw("array32-bomb", "An array of 2^32 - 1 elements in 5 bytes.", "limit-items", b"\xdd\xff\xff\xff\xff")
_raw("map32-bomb", "A map of 2^32 - 1 pairs in 5 bytes.", "limit-items", b"\xdf\xff\xff\xff\xff")
_raw("array-65537", "An array one element too long.", "limit-items", b"\xdd\x00\x01\x00\x01" + bytes(65_537))
_raw(
    "map-65537",
    "A map one pair too long.",
    "limit-items",
    b"\xdf\x00\x01\x00\x01" + b"".join(pack(f"{i:05x}") + b"\x00" for i in range(65_537)),
)
_raw("string-65537", "A string one byte too long.", "limit-string", b"\xdb\x00\x01\x00\x01" + b"a" * 65_537)
_raw("string-4-gib", "A string of 4 GiB in 5 bytes.", "limit-string", b"\xdb\xff\xff\xff\xff")
_raw(
    "string-beyond-file",
    "A string that the limit allows but the file does not hold.",
    "truncated-header",
    b"\xda\xff\xff",
    3,
)
# header, ext, note: the note is at depth 3
_raw("nesting-17", "Lists one level too deep.", "limit-nesting", b"\x91" * 14 + b"\x90", 14)
_raw("nesting-17-maps", "Maps one level too deep.", "limit-nesting", b"\x81\xa1a" * 14 + b"\x80", 42)
_raw("nesting-1000", "Lists a thousand levels deep.", "limit-nesting", b"\x91" * 999 + b"\x90", 14)


def _pointed(case_id: str, title: str, code: str, at: str, file: File) -> None:
    reject(f"msgpack/{case_id}", title, code, at, file)


_pointed(
    "duplicate-key",
    "A key twice, with one value.",
    "duplicate-key",
    f"/ext/{NOTE}/a",
    noted(Pairs([("a", 1), ("a", 1)])),
)


_HEADER = sorted(PERCEPTRON.header.items())
_LAYERS = [key for key, _ in _HEADER].index("layers")
reject(
    "msgpack/duplicate-key-in-header",
    "The list of layers twice.",
    "duplicate-key",
    "/layers",
    container(pack(Pairs(_HEADER[: _LAYERS + 1] + _HEADER[_LAYERS:])), PAYLOAD),
)


def _sloped(number: float) -> File:
    raw = Raw(b"\xcb" + struct.pack(">d", number))
    return PERCEPTRON.but(put("layers", 1, "attributes", "negative_slope", raw))


for _name, _number in {"nan": math.nan, "infinity": math.inf, "minus-infinity": -math.inf}.items():
    _pointed(
        f"attribute-{_name}",
        "An attribute that is no finite number.",
        "number-not-finite",
        "/layers/1/attributes/negative_slope",
        _sloped(_number),
    )
for _name, _n in (("2-53-plus-1", 2**53 + 1), ("minus-2-53-minus-1", -(2**53) - 1), ("uint64", 2**64 - 1)):
    _pointed(f"integer-{_name}", "An integer that a double does not hold.", "integer-range", f"/ext/{NOTE}", noted(_n))

reject("msgpack/header-is-a-list", "A list as header.", "wrong-type", "", container(pack([]), b""))
reject("msgpack/header-is-a-string", "A string as header.", "wrong-type", "", container(pack("nnpack"), b""))

for _name, _number in {"nan": math.nan, "infinity": math.inf}.items():
    _pointed(
        f"note-{_name}",
        "A number that is not finite where no operator reads it.",
        "number-not-finite",
        f"/ext/{NOTE}",
        noted(_number),
    )
