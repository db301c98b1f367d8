"""A header's msgpack, byte by byte: finds the place and code of a fault, and what is not canonical.

Loading decodes with the msgpack package, which is fast but says little of what it refuses; what it refuses is
scanned here. Validation scans always, because the canonical form is lost once bytes are decoded.
"""

from __future__ import annotations

import math
import struct
import unicodedata
from collections.abc import Callable
from typing import Any, NoReturn

from nnpack.errors import FormatError, Report, pointer
from nnpack.format.limits import HEADER_BYTES, INTEGER, ITEMS, NESTING, STRING_BYTES

# first byte -> (kind, bytes of the number that follows, the largest number that a shorter head could carry)
_INTEGERS = {0xCC: (1, False), 0xCD: (2, False), 0xCE: (4, False), 0xCF: (8, False)} | {
    0xD0: (1, True),
    0xD1: (2, True),
    0xD2: (4, True),
    0xD3: (8, True),
}
_STRINGS = {0xD9: (1, 31), 0xDA: (2, 0xFF), 0xDB: (4, 0xFFFF)}
_ARRAYS = {0xDC: (2, 15), 0xDD: (4, 0xFFFF)}
_MAPS = {0xDE: (2, 15), 0xDF: (4, 0xFFFF)}
_BINARY = {0xC4, 0xC5, 0xC6}
_EXTENSIONS = {0xC7: 2, 0xC8: 3, 0xC9: 5, 0xD4: 1, 0xD5: 1, 0xD6: 1, 0xD7: 1, 0xD8: 1}  # where the type byte is


def scan(data: memoryview, start: int, canonical: Report | None = None) -> int:
    """Reads the object at byte `start` and returns where it ends.

    Args:
        data: the whole file.
        start: where the object starts.
        canonical: takes each departure from the canonical form; without it they are let pass.

    Raises:
        FormatError: the first fault that any reader must refuse.
    """
    scanner = _Scanner(data, start, canonical)
    scanner.item("", 1)
    return scanner.at


class _Scanner:
    def __init__(self, data: memoryview, start: int, canonical: Report | None) -> None:
        self.data, self.start, self.at, self.canonical = data, start, start, canonical

    def item(self, at: str, depth: int) -> Any:
        """Reads one object, `at` in the header; strings and numbers are returned, containers are not."""
        begin, head = self.at, self.take(1)[0]
        if head < 0x80 or head >= 0xE0:
            return head
        if head in (0xC2, 0xC3):
            return head == 0xC3
        if head in _INTEGERS:
            return self.integer(at, begin, *_INTEGERS[head])
        if head in (0xCA, 0xCB):
            return self.number(at, begin, head)
        if 0xA0 <= head < 0xC0 or head in _STRINGS:
            return self.string(at, begin, self.count(begin, head, 0x1F, _STRINGS))
        if 0x90 <= head < 0xA0 or head in _ARRAYS:
            return self.array(at, begin, depth, self.count(begin, head, 0x0F, _ARRAYS))
        if 0x80 <= head < 0x90 or head in _MAPS:
            return self.map(at, begin, depth, self.count(begin, head, 0x0F, _MAPS))
        return self.refuse(begin, head)

    def take(self, n: int) -> bytes:
        if self.at + n - self.start > HEADER_BYTES:
            self.fail("limit-header", f"byte {self.start}", f"at most {HEADER_BYTES} bytes", "more")
        if self.at + n > len(self.data):
            self.fail("truncated-header", f"byte {self.at}", f"{n} bytes", f"{len(self.data) - self.at}, then the end")
        self.at += n
        return bytes(self.data[self.at - n : self.at])

    def count(self, begin: int, head: int, mask: int, heads: dict[int, tuple[int, int]]) -> int:
        """The length that the head of a string, array or map states."""
        if head not in heads:
            return head & mask
        nbytes, shorter = heads[head]
        n = int.from_bytes(self.take(nbytes), "big")
        if n <= shorter:
            self.stray("canonical-head", begin, "the shortest head", f"{nbytes} bytes for a length of {n}")
        return n

    def integer(self, at: str, begin: int, nbytes: int, signed: bool) -> int:
        n = int.from_bytes(self.take(nbytes), "big", signed=signed)
        if abs(n) > INTEGER:
            self.fail("integer-range", at, f"an integer within ±{INTEGER}", n)
        if nbytes > _shortest(n) or (signed and n >= 0):
            self.stray("canonical-head", begin, "the shortest head", f"{nbytes} bytes for {n}")
        return n

    def number(self, at: str, begin: int, head: int) -> float:
        nbytes, layout = (4, ">f") if head == 0xCA else (8, ">d")
        x: float = struct.unpack(layout, self.take(nbytes))[0]
        if not math.isfinite(x):
            self.fail("number-not-finite", at, "a finite number", x)
        if nbytes == 4:
            self.stray("canonical-float32", begin, "float64", "float32")
        return x

    def string(self, at: str, begin: int, nbytes: int) -> str:
        if nbytes > STRING_BYTES:
            self.fail("limit-string", f"byte {begin}", f"at most {STRING_BYTES} bytes", nbytes)
        try:
            text = self.take(nbytes).decode()
        except UnicodeDecodeError as error:
            self.fail("utf8-invalid", f"byte {self.at - nbytes + error.start}", "UTF-8", error.reason)
        if unicodedata.normalize("NFC", text) != text:
            self.stray("canonical-nfc", begin, "a string in NFC", ascii(text))
        return text

    def array(self, at: str, begin: int, depth: int, n: int) -> None:
        self.enter(begin, depth, n)
        for i in range(n):
            self.item(pointer(at, i), depth + 1)

    def map(self, at: str, begin: int, depth: int, n: int) -> None:
        self.enter(begin, depth, n)
        keys: set[str] = set()
        last = ""
        for _ in range(n):
            key_at = self.at
            head = self.take(1)[0]
            if not (0xA0 <= head < 0xC0 or head in _STRINGS):
                self.fail("key-type", f"byte {key_at}", "a string as key", f"{head:02x}")
            key = self.string(at, key_at, self.count(key_at, head, 0x1F, _STRINGS))
            if key in keys:
                self.fail("duplicate-key", pointer(at, key), "each key once", "a second one")
            if key < last:
                self.stray("canonical-order", key_at, "keys sorted by their UTF-8 bytes", f"{key!r} after {last!r}")
            keys.add(key)
            last = key
            self.item(pointer(at, key), depth + 1)

    def enter(self, begin: int, depth: int, n: int) -> None:
        if depth > NESTING:
            self.fail("limit-nesting", f"byte {begin}", f"at most {NESTING} levels", "one more")
        if n > ITEMS:
            self.fail("limit-items", f"byte {begin}", f"at most {ITEMS} elements", n)

    def refuse(self, begin: int, head: int) -> NoReturn:
        where, expected = f"byte {begin}", "what JSON can represent, without null"
        if head == 0xC1:
            self.fail("msgpack-invalid-byte", where, expected, "c1")
        if head == 0xC0:
            self.fail("msgpack-nil", where, expected, "nil")
        if head in _BINARY:
            self.fail("msgpack-bin", where, expected, "bin")
        if self.take(_EXTENSIONS[head])[-1] == 0xFF:
            self.fail("msgpack-timestamp", where, expected, "a timestamp")
        self.fail("msgpack-ext", where, expected, "ext")

    def fail(self, code: str, at: str, expected: object, received: object) -> NoReturn:
        raise FormatError(code, at, expected, received)

    def stray(self, code: str, begin: int, expected: str, received: str) -> None:
        if self.canonical is not None:
            self.canonical(FormatError(code, f"byte {begin}", expected, received))


def _shortest(n: int) -> int:
    """The bytes that follow the shortest head of an integer."""
    if -32 <= n < 128:
        return 0
    fits: Callable[[int], bool] = (lambda b: n < 1 << 8 * b) if n >= 0 else (lambda b: n >= -1 << (8 * b - 1))
    return next(b for b in (1, 2, 4, 8) if fits(b))
