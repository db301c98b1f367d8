"""Mistakes in writing a file again: spec/format.md, "Canonical form"."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from mutants.mutant import Mutant, Patch, of_sound_files
from naive import encode

right_pack = encode.pack
right_head = encode.shortest_head
right_write = encode.write


def sorting(key: Callable[[str], Any] | None) -> Patch:
    """Keys of maps in another order; None: in that of the file."""

    def pack(x: Any) -> bytes:
        if isinstance(x, list):
            return encode.shortest_head("array", len(x)) + b"".join(map(pack, x))
        if not isinstance(x, dict):
            return right_pack(x)
        keys = list(x) if key is None else sorted(x, key=key)
        return encode.shortest_head("map", len(x)) + b"".join(pack(name) + pack(x[name]) for name in keys)

    return patch.object(encode, "pack", pack)


def numbers(change: Callable[[float], bytes]) -> Patch:
    """Floats that are written in another way."""

    def pack(x: Any) -> bytes:
        return change(x) if isinstance(x, float) else right_pack(x)

    return patch.object(encode, "pack", pack)


def float32_where_exact(x: float) -> bytes:
    try:
        short = struct.pack(">f", x)
    except OverflowError:
        return right_pack(x)
    return b"\xca" + short if struct.unpack(">f", short)[0] == x else right_pack(x)


def whole_as_integer(x: float) -> bytes:
    return right_pack(int(x)) if x.is_integer() and abs(x) < 2**53 else right_pack(x)


def without_str8(kind: str, number: int) -> bytes:
    """As msgpack was before 2013."""
    return b"\xda" + struct.pack(">H", number) if kind == "string" and 32 <= number < 256 else right_head(kind, number)


def signed(kind: str, number: int) -> bytes:
    if kind != "integer" or number < 128:
        return right_head(kind, number)
    byte, letter = next(
        (byte, letter)
        for byte, letter, most in ((0xD1, ">h", 2**15), (0xD2, ">i", 2**31), (0xD3, ">q", 2**63))
        if number < most
    )
    return bytes([byte]) + struct.pack(letter, number)


def without(*path: str) -> Patch:
    """A part of the header is lost."""

    def lose(x: Any, keys: tuple[str, ...]) -> Any:
        if isinstance(x, list):
            return [lose(item, keys) for item in x]
        first, rest = keys[0], keys[1:]
        return {key: lose(value, rest) if key == first else value for key, value in x.items() if rest or key != first}

    return patch.object(
        encode, "write", lambda version, header, payload: right_write(version, lose(header, path), payload)
    )


def with_full_pad(version: tuple[int, int], header: Any, payload: bytes | memoryview) -> bytes:
    written = right_write(version, header, payload)
    start = len(written) - len(payload) - len(b"\xc4\x00" + b"\xc6\x00\x00\x00\x00")
    full = b"\xc4\x40" + bytes(64)
    return written[:start] + full + written[start + 2 :] if written[start : start + 2] == b"\xc4\x00" else written


def of_writing(name: str, says: str, *changes: Patch) -> Mutant:
    return of_sound_files(f"dump: {name}", says, *changes)


MUTANTS = (
    of_writing("keys in the file's order", "keys are sorted by their UTF-8 bytes", sorting(None)),
    of_writing(
        "keys sorted by UTF-16", "keys are sorted by their UTF-8 bytes", sorting(lambda key: key.encode("utf-16-be"))
    ),
    of_writing("keys sorted by length", "keys are sorted by their UTF-8 bytes", sorting(lambda key: (len(key), key))),
    of_writing("keys sorted without regard to case", "keys are sorted by their UTF-8 bytes", sorting(str.casefold)),
    of_writing("no str8", "every string has the shortest head", patch.object(encode, "shortest_head", without_str8)),
    of_writing("signed integers", "every integer has the shortest head", patch.object(encode, "shortest_head", signed)),
    of_writing("float32 where that is exact", "every float is a float64", numbers(float32_where_exact)),
    of_writing("2.0 as an integer", "every float is a float64", numbers(whole_as_integer)),
    of_writing(
        "strings as they came",
        "strings are in Unicode's normal form C",
        patch.object(encode, "normal", lambda text: text),
    ),
    of_writing(
        "always as version 1.0",
        "loading a canonical file and writing it again gives the same bytes",
        patch.object(encode, "write", lambda version, header, payload: right_write((1, 0), header, payload)),
    ),
    of_writing("a pad of 64 bytes for none", "fewer than 64 bytes", patch.object(encode, "write", with_full_pad)),
    of_writing("without ext", "the same bytes", without("ext")),
    of_writing("without metadata", "the same bytes", without("model", "metadata")),
    of_writing("without source", "the same bytes", without("layers", "source")),
    of_writing("without output_structure", "the same bytes", without("output_structure")),
    of_writing("without the self-test", "the same bytes", without("selftest")),
)
