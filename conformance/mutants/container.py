"""Mistakes in reading the bytes of a file: spec/format.md, "Container", "Header", "Limits"; spec/versioning.md."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from mutants.mutant import Mutant, Patch, of_faults, of_sound_files, overlooking, skipping
from naive import decode, document
from naive.decode import MAX_STRING, Reader
from naive.errors import Refused, require

# The five elements

right_pad = decode.read_pad


def name_alone(reader: Reader) -> None:
    require(reader.data[2:8] == b"nnpack", "wrong-magic")
    reader.take(8)


def first_byte_alone(reader: Reader) -> None:
    require(reader.data[:1] == b"\x95", "wrong-magic")
    reader.take(8)


def payload_of_any_head(reader: Reader) -> memoryview:
    kind, length = reader.head()
    require(kind in ("bin", "string"), "payload-head")
    return payload(reader, length)


def payload(reader: Reader, length: int) -> memoryview:
    require(len(reader.data) - reader.position == length, "truncated-payload")
    return memoryview(reader.data)[reader.position :]


def rest_of_the_file(reader: Reader) -> memoryview:
    reader.take(5)
    return memoryview(reader.data)[reader.position :]


def without_trailing_bytes(reader: Reader) -> memoryview:
    require(reader.number("B") == 0xC6, "payload-head")
    length = reader.number(">I")
    require(len(reader.data) - reader.position >= length, "truncated-payload")
    return memoryview(reader.data)[reader.position : reader.position + length]


def some_pad(reader: Reader) -> None:
    require(reader.data[reader.position + 1] > 0, "pad-length")
    right_pad(reader)


def of_container(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(name, says, *changes, groups=("container",))


def reading(name: str, function: Callable[[Reader], Any]) -> Patch:
    return patch.object(decode, name, function)


CONTAINER = (
    of_container(
        "magic: the head of the array is not compared",
        "an array of five elements",
        reading("read_magic", name_alone),
    ),
    of_container(
        "magic: the name is not compared",
        "the first 8 bytes are 95 a6 6e 6e 70 61 63 6b",
        reading("read_magic", first_byte_alone),
    ),
    of_container("pad: any bytes", "zero bytes", overlooking(decode, "pad-not-zero")),
    of_container("pad: of any length", "fewer than 64 zero bytes", overlooking(decode, "pad-length")),
    of_sound_files("pad: none is a fault", "a pad of fewer than 64 bytes", reading("read_pad", some_pad)),
    of_container(
        "payload: not aligned", "its first byte lies at a multiple of 64", overlooking(decode, "payload-misaligned")
    ),
    of_container("payload: any head", "a bin32", reading("read_payload", payload_of_any_head)),
    of_container("payload: its length is not read", "bin32 of L bytes", reading("read_payload", rest_of_the_file)),
    of_container(
        "payload: trailing bytes are ignored",
        "nothing follows the payload",
        reading("read_payload", without_trailing_bytes),
    ),
)


# Version


def two_and_more(reader: Reader) -> tuple[int, int]:
    numbers = reader.value()
    require(isinstance(numbers, list) and len(numbers) >= 2, "version-type")
    return numbers[0], numbers[1]


def whole_floats(reader: Reader) -> tuple[int, int]:
    major, minor = reader.value()
    return int(major), int(minor)


def no_later_minor(reader: Reader, version: tuple[int, int]) -> None:
    require(version <= (1, 0), "version-major")


def of_version(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(name, says, *changes, groups=("version",), page="versioning.md")


VERSION = (
    of_version("version: major is not compared", "a reader refuses another major", skipping(decode, "check_major")),
    of_version("version: negative numbers", "two unsigned integers", overlooking(decode, "version-type")),
    of_version("version: floats and booleans", "two unsigned integers", reading("read_version", whole_floats)),
    of_version("version: more than two numbers", "[major, minor]", reading("read_version", two_and_more)),
    of_sound_files(
        "version: a later minor is refused",
        "a reader never refuses a file for its minor",
        patch.object(decode, "check_major", no_later_minor),
        page="versioning.md",
    ),
)


# msgpack

right_head = Reader.json_head
right_string = Reader.string


def taking(kind: str, take: Callable[[Reader, int, int, str, int], Any]) -> tuple[Patch, Patch]:
    """Makes something of a kind that JSON lacks."""

    def json_head(reader: Reader) -> tuple[str, Any]:
        start = reader.position
        found, number = reader.head()
        if found == kind:
            return found, number
        reader.position = start
        return right_head(reader)

    return patch.object(Reader, "json_head", json_head), patch.object(Reader, kind, take, create=True)


def false(reader: Reader, number: int, start: int, at: str, depth: int) -> bool:
    return False


def text(reader: Reader, length: int, start: int, at: str, depth: int) -> str:
    return reader.take(length).decode("latin-1")


def text_behind_the_type(reader: Reader, length: int, start: int, at: str, depth: int) -> str:
    return reader.take(1 + length).decode("latin-1")


def replaced(reader: Reader, length: int, start: int, at: str, depth: int) -> str:
    require(length <= MAX_STRING, "limit-string")
    return reader.take(length).decode("utf-8", "replace")


def with_surrogates(reader: Reader, length: int, start: int, at: str, depth: int) -> str:
    require(length <= MAX_STRING, "limit-string")
    try:
        return reader.take(length).decode("utf-8", "surrogatepass").encode("utf-8", "replace").decode()
    except UnicodeDecodeError as error:
        raise Refused("utf8-invalid") from error


def any_key(reader: Reader) -> str:
    return str(reader.value())


def changing(change: Callable[[str], str]) -> Patch:
    """Strings that are not kept as they stand."""
    return patch.object(Reader, "string", lambda reader, *parts: change(right_string(reader, *parts)))


def limit(name: str, value: int) -> Patch:
    return patch.object(decode, name, value)


def of_msgpack(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(name, says, *changes, groups=("msgpack",))


MSGPACK = (
    of_msgpack("msgpack: nil is taken", "there is no nil", *taking("nil", false)),
    of_msgpack("msgpack: binary data is taken", "there is no binary data", *taking("bin", text)),
    of_msgpack("msgpack: extensions are taken", "there is no extension type", *taking("ext", text_behind_the_type)),
    of_msgpack(
        "strings: bytes that are no UTF-8 are replaced", "strings of UTF-8", patch.object(Reader, "string", replaced)
    ),
    of_msgpack("strings: surrogates", "strings of UTF-8", patch.object(Reader, "string", with_surrogates)),
    of_msgpack("keys: all become strings", "maps whose keys are strings", patch.object(Reader, "key", any_key)),
    of_msgpack("keys: the last of equal ones counts", "no map has a key twice", overlooking(decode, "duplicate-key")),
    of_msgpack("numbers: NaN and infinities", "finite floats", overlooking(decode, "number-not-finite")),
    of_msgpack("integers: of 64 bits", "integers from −2⁵³ to 2⁵³", limit("MAX_INTEGER", 2**64)),
    of_msgpack("limits: any nesting", "a nesting of at most 16", limit("MAX_NESTING", 2**31)),
    of_msgpack("limits: any number of elements", "at most 65,536 elements", limit("MAX_ITEMS", 2**32)),
    of_msgpack("limits: strings of any length", "a string of at most 64 KiB", limit("MAX_STRING", 2**32)),
    of_sound_files("limits: 65,535 elements", "at most 65,536 elements", limit("MAX_ITEMS", 65_535)),
    of_sound_files("limits: strings of 65,535 bytes", "a string of at most 64 KiB", limit("MAX_STRING", 65_535)),
    of_sound_files(
        "limits: a nesting of 15", "a nesting of at most 16, the header itself counted", limit("MAX_NESTING", 15)
    ),
    of_sound_files("limits: integers below 2⁵³", "integers from −2⁵³ to 2⁵³", limit("MAX_INTEGER", 2**53 - 1)),
    of_sound_files("limits: names of 255 bytes", "a name of 1 to 256 bytes", patch.object(document, "MAX_NAME", 255)),
    of_sound_files("limits: 7 dimensions", "up to 8 dimensions", patch.object(document, "MAX_RANK", 7)),
    of_sound_files("strings: stripped of blanks", "nothing is normalized or stripped", changing(str.strip)),
    of_sound_files(
        "strings: a byte order mark is dropped",
        "nothing is normalized or stripped",
        changing(lambda string: string.removeprefix("\ufeff")),
    ),
    of_sound_files(
        "strings: in another normal form",
        "strings are compared as they stand",
        changing(lambda string: unicodedata.normalize("NFKC", string)),
    ),
    of_sound_files("strings: without regard to case", "strings are compared as they stand", changing(str.casefold)),
)

MUTANTS = (*CONTAINER, *VERSION, *MSGPACK)
