"""Version, header, payload -> the canonical bytes of a file."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from typing import Any

from naive.errors import Failed

MAGIC = bytes.fromhex("95 a6 6e 6e 70 61 63 6b")
ALIGNMENT = 64
FREE = ("ext", "metadata")
"""Keys behind which strings are no names."""

KINDS = ("integer", "string", "array", "map")
"""What has heads of several lengths."""

SMALL = {"string": (0xA0, 32), "array": (0x90, 16), "map": (0x80, 16)}
"""Kind -> the first of the bytes that hold a length, and how many there are."""

LONG = {
    "unsigned": (0xCC, "BHIQ"),
    "signed": (0xD0, "bhiq"),
    "string": (0xD9, "BHI"),
    "array": (0xDC, "HI"),
    "map": (0xDE, "HI"),
}
"""Kind -> the first of the bytes before a length, and how the length is written behind each."""


def shortest_head(kind: str, number: int) -> bytes:
    """The head of an integer, or of a string, array or map of so many bytes or elements."""
    if kind == "integer":
        if -32 <= number < 128:
            return bytes([number % 256])
        kind = "signed" if number < 0 else "unsigned"
    elif number < SMALL[kind][1]:
        return bytes([SMALL[kind][0] + number])
    first, letters = LONG[kind]
    for k, letter in enumerate(letters):
        try:
            return bytes([first + k]) + struct.pack(f">{letter}", number)
        except struct.error:
            continue
    raise Failed("model-size", "", "less than 2³² elements", number)


def pack(x: Any) -> bytes:
    """What JSON can hold, as msgpack with the shortest heads and sorted keys."""
    if isinstance(x, bool):
        return b"\xc3" if x else b"\xc2"
    if isinstance(x, int):
        return shortest_head("integer", x)
    if isinstance(x, float):
        return b"\xcb" + struct.pack(">d", x)
    if isinstance(x, str):
        text = x.encode()
        return shortest_head("string", len(text)) + text
    if isinstance(x, list):
        return shortest_head("array", len(x)) + b"".join(map(pack, x))
    pairs = sorted(x.items(), key=lambda pair: pair[0].encode())
    return shortest_head("map", len(x)) + b"".join(pack(key) + pack(value) for key, value in pairs)


def names(x: Any) -> Iterator[str]:
    """Every string of the header that may be a name."""
    if isinstance(x, str):
        yield x
    elif isinstance(x, list):
        for item in x:
            yield from names(item)
    elif isinstance(x, dict):
        yield from x
        for key, item in x.items():
            if key not in FREE:
                yield from names(item)


def check_names(header: Any) -> None:
    """No two names become one in the normal form."""
    found = set(names(header))
    if len(set(map(normal, found))) < len(found):
        raise Failed("canonical-nfc", "", "names that differ in Unicode's normal form C")


def normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def normalized(x: Any) -> Any:
    """The header with all of its strings in the normal form."""
    if isinstance(x, str):
        return normal(x)
    if isinstance(x, list):
        return [normalized(item) for item in x]
    if isinstance(x, dict):
        new = {normal(key): normalized(value) for key, value in x.items()}
        if len(new) < len(x):
            raise Failed("canonical-nfc", "", "keys that differ in Unicode's normal form C")
        return new
    return x


def write(version: tuple[int, int], header: Any, payload: bytes | memoryview) -> bytes:
    check_names(header)
    start = MAGIC + pack(list(version)) + pack(normalized(header))
    heads = len(b"\xc4\x00" + b"\xc6\x00\x00\x00\x00")
    pad = -(len(start) + heads) % ALIGNMENT
    return b"".join((start, b"\xc4", bytes([pad]), bytes(pad), b"\xc6", struct.pack(">I", len(payload)), payload))
