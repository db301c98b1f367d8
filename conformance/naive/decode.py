"""Bytes -> version, header, payload. Nothing that a file declares is believed before it is compared with a limit."""

from __future__ import annotations

import math
import struct
import unicodedata
from dataclasses import dataclass
from typing import Any

from naive import encode
from naive.encode import ALIGNMENT, MAGIC
from naive.errors import Refused, pointer, require

MAJOR = 1
MAX_HEADER = 16 * 2**20
MAX_NESTING = 16
MAX_STRING = 2**16
MAX_ITEMS = 65_536
MAX_INTEGER = 2**53

LONG = {
    first + k: (kind, f">{letter}")
    for kind, first, letters in (
        ("bin", 0xC4, "BHI"),
        ("ext", 0xC7, "BHI"),
        ("float32", 0xCA, "f"),
        ("float64", 0xCB, "d"),
        ("integer", 0xCC, "BHIQ"),
        ("integer", 0xD0, "bhiq"),
        ("string", 0xD9, "BHI"),
        ("array", 0xDC, "HI"),
        ("map", 0xDE, "HI"),
    )
    for k, letter in enumerate(letters)
}
"""First byte of a head -> what follows, and how its number is written."""

SINGLE: dict[int, tuple[str, int]] = {
    0xC0: ("nil", 0),
    0xC1: ("invalid-byte", 0),
    0xC2: ("boolean", 0),
    0xC3: ("boolean", 1),
    **{0xD4 + k: ("ext", 2**k) for k in range(5)},
}
"""Heads of one byte, beside those that hold a small number."""


@dataclass
class Container:
    version: tuple[int, int]
    header: Any
    payload: memoryview
    departures: list[tuple[str, str]]
    """How the file departs from the canonical form: codes, and places."""


class Reader:
    """A place in the bytes, and what it reads from there on."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.end = len(data)
        self.departures: list[tuple[str, str]] = []

    def take(self, count: int) -> bytes:
        start = self.position
        if start + count > self.end:
            code = "truncated-header" if self.end == len(self.data) else "limit-header"
            raise Refused(code, f"byte {start}", f"{count} bytes", f"{self.end - start}")
        self.position += count
        return self.data[start : self.position]

    def number(self, letter: str) -> Any:
        return struct.unpack(letter, self.take(struct.calcsize(letter)))[0]

    def depart(self, code: str, at: int) -> None:
        self.departures.append((code, f"byte {at}"))

    def head(self) -> tuple[str, Any]:
        """What kind of object begins here, and its number: the value itself, or the length of what follows."""
        start = self.position
        byte = self.number("B")
        kind, number = small_head(byte) if byte not in LONG else self.long_head(byte)
        if kind in encode.KINDS and self.data[start : self.position] != encode.shortest_head(kind, number):
            self.depart("canonical-head", start)
        return kind, number

    def long_head(self, byte: int) -> tuple[str, Any]:
        kind, letter = LONG[byte]
        return kind, self.number(letter)

    def json_head(self) -> tuple[str, Any]:
        """A head of what JSON can hold."""
        at = f"byte {self.position}"
        kind, number = self.head()
        if kind == "ext":
            kind = "timestamp" if self.number("b") == -1 else "ext"
        if kind in ("nil", "bin", "ext", "timestamp", "invalid-byte"):
            raise Refused(f"msgpack-{kind}", at, "what JSON can hold", kind)
        return kind, number

    def value(self, at: str = "", depth: int = 1) -> Any:
        start = self.position
        kind, number = self.json_head()
        return getattr(self, kind)(number, start, at, depth)

    def boolean(self, number: int, start: int, at: str, depth: int) -> bool:
        return number == 1

    def integer(self, number: int, start: int, at: str, depth: int) -> int:
        require(abs(number) <= MAX_INTEGER, "integer-range", at, "an integer from −2⁵³ to 2⁵³", number)
        return number

    def float64(self, number: float, start: int, at: str, depth: int) -> float:
        require(math.isfinite(number), "number-not-finite", at, "a finite number", number)
        return number

    def float32(self, number: float, start: int, at: str, depth: int) -> float:
        self.depart("canonical-float32", start)
        return self.float64(number, start, at, depth)

    def string(self, length: int, start: int, at: str, depth: int) -> str:
        require(length <= MAX_STRING, "limit-string", f"byte {start}", f"at most {MAX_STRING} bytes", length)
        raw = self.take(length)
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            raise Refused("utf8-invalid", f"byte {self.position - length + error.start}", "UTF-8") from error
        if not unicodedata.is_normalized("NFC", text):
            self.depart("canonical-nfc", start)
        return text

    def array(self, count: int, start: int, at: str, depth: int) -> list[Any]:
        self.check_collection(count, start, depth)
        return [self.value(pointer(at, index), depth + 1) for index in range(count)]

    def map(self, count: int, start: int, at: str, depth: int) -> dict[str, Any]:
        self.check_collection(count, start, depth)
        found: dict[str, Any] = {}
        last = ""
        for _ in range(count):
            start = self.position
            key = self.key()
            require(key not in found, "duplicate-key", pointer(at, key), "each key once")
            if key.encode() < last.encode():
                self.depart("canonical-order", start)
            found[key] = self.value(pointer(at, key), depth + 1)
            last = key
        return found

    def check_collection(self, count: int, start: int, depth: int) -> None:
        require(count <= MAX_ITEMS, "limit-items", f"byte {start}", f"at most {MAX_ITEMS} elements", count)
        require(depth <= MAX_NESTING, "limit-nesting", f"byte {start}", f"a nesting of at most {MAX_NESTING}")

    def key(self) -> str:
        start = self.position
        kind, length = self.head()
        require(kind != "invalid-byte", "msgpack-invalid-byte", f"byte {start}", "a string", "c1")
        require(kind == "string", "key-type", f"byte {start}", "a string", kind)
        return self.string(length, start, "", 0)


def small_head(byte: int) -> tuple[str, int]:
    """A head of one byte, which holds its number."""
    if byte < 0x80:
        return "integer", byte
    if byte < 0x90:
        return "map", byte - 0x80
    if byte < 0xA0:
        return "array", byte - 0x90
    if byte < 0xC0:
        return "string", byte - 0xA0
    if byte >= 0xE0:
        return "integer", byte - 0x100
    return SINGLE[byte]


def read_magic(reader: Reader) -> None:
    data = reader.data
    require(len(data) > 0, "empty-file")
    if data[:8] != MAGIC:
        require(not MAGIC.startswith(data[:8]), "truncated-header", f"byte {len(data)}", "the magic")
        other = 0x90 <= data[0] <= 0x9F and data[1:8] == MAGIC[1:]
        require(not other, "container-length", "byte 0", "an array of 5", f"{data[0] - 0x90}")
        raise Refused("wrong-magic", "byte 0", MAGIC.hex(" "), data[:8].hex(" "))
    reader.position = len(MAGIC)


def read_version(reader: Reader) -> tuple[int, int]:
    at = f"byte {reader.position}"
    require(reader.json_head() == ("array", 2), "version-type", at, "a list of two unsigned integers")
    numbers = []
    for _ in range(2):
        at = f"byte {reader.position}"
        kind, number = reader.json_head()
        require(kind == "integer" and number >= 0, "version-type", at, "an unsigned integer", number)
        require(number <= MAX_INTEGER, "integer-range", at, "an integer up to 2⁵³", number)
        numbers.append(number)
    return numbers[0], numbers[1]


def check_major(reader: Reader, version: tuple[int, int]) -> None:
    if version[0] != MAJOR:
        received = f"version {version[0]}.{version[1]}, written by {producer(reader)}"
        raise Refused("version-major", f"byte {len(MAGIC)}", f"version {MAJOR}", received)


def producer(reader: Reader) -> str:
    """Who wrote a file of another major version, if that can be read."""
    try:
        found = read_header(reader)["producer"]
        return f"{found['name']} {found['version']}"
    except (Refused, LookupError, TypeError):
        return "an unknown program"


def read_header(reader: Reader) -> Any:
    reader.end = min(len(reader.data), reader.position + MAX_HEADER)
    header = reader.value()
    reader.end = len(reader.data)
    return header


def read_pad(reader: Reader) -> None:
    at = f"byte {reader.position}"
    require(reader.number("B") == 0xC4, "pad-length", at, "a bin8")
    length = reader.number("B")
    require(length < ALIGNMENT, "pad-length", at, "less than 64 bytes", length)
    require(not any(reader.take(length)), "pad-not-zero", at, "zeros")


def read_payload(reader: Reader) -> memoryview:
    at = f"byte {reader.position}"
    require(reader.number("B") == 0xC6, "payload-head", at, "a bin32")
    length = reader.number(">I")
    start = reader.position
    require(start % ALIGNMENT == 0, "payload-misaligned", f"byte {start}", "a multiple of 64")
    there = len(reader.data) - start
    require(there >= length, "truncated-payload", f"byte {len(reader.data)}", f"{length} bytes", there)
    require(there <= length, "trailing-bytes", f"byte {start + length}", "the end", f"{there - length} bytes")
    return memoryview(reader.data)[start:]


def read(data: bytes) -> Container:
    reader = Reader(data)
    read_magic(reader)
    version = read_version(reader)
    check_major(reader, version)
    header = read_header(reader)
    read_pad(reader)
    return Container(version, header, read_payload(reader), reader.departures)
