"""The five-element array around header and payload: spec/format.md, "Container"."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgpack

from nnpack.errors import FormatError, RequirementError, describe
from nnpack.format.limits import ALIGNMENT, HEADER_BYTES, INTEGER, ITEMS, MAGIC, MAJOR, NESTING, STRING_BYTES

VERSION_AT = len(MAGIC)
PAD, PAYLOAD = 0xC4, 0xC6  # bin8, bin32


class Container(NamedTuple):
    """The parts of a file; the payload is still a view of it."""

    version: tuple[int, int]
    header: dict[str, Any]
    header_at: int
    payload: memoryview


def read(data: memoryview) -> Container:
    """Takes a file apart, without copying its payload.

    Raises:
        FormatError: with the code of the first fault of the bytes.
        RequirementError: the file has another major version.
    """
    _check_magic(data)
    items = min(ITEMS, len(data))  # nothing has more elements than the file has bytes
    unpacker = msgpack.Unpacker(
        _Stream(data[VERSION_AT:]),
        read_size=2**16,
        max_buffer_size=HEADER_BYTES + 2**16,
        max_str_len=STRING_BYTES,
        max_bin_len=0,
        max_array_len=items,
        max_map_len=items,
        max_ext_len=0,
        object_pairs_hook=_unique,
    )
    version = _version(unpacker, data)
    header_at = VERSION_AT + unpacker.tell()
    _check_version(version, data, header_at)
    header = _decode(unpacker, data, header_at)
    end = VERSION_AT + unpacker.tell()
    if end - header_at > HEADER_BYTES:
        raise FormatError("limit-header", f"byte {header_at}", f"at most {HEADER_BYTES} bytes", end - header_at)
    if type(header) is not dict:
        raise FormatError("wrong-type", "", "a map as header", describe(header))
    return Container((version[0], version[1]), header, header_at, _payload(data, end))


def write(version: tuple[int, int], header: dict[str, Any], payload: Iterable[bytes | memoryview]) -> list[bytes]:
    """The canonical bytes of a file, in pieces: everything before the payload, then the payload's pieces.

    `header` is sorted here, at every depth; its floats are written as float64.
    """
    pieces = [bytes(piece) for piece in payload]
    head = MAGIC + _pack(list(version)) + _pack(header)
    pad = -(len(head) + 2 + 5) % ALIGNMENT
    head += bytes((PAD, pad)) + bytes(pad) + struct.pack(">BI", PAYLOAD, sum(map(len, pieces)))
    return [head, *pieces]


def _pack(item: Any) -> bytes:
    packed: bytes = msgpack.packb(_sorted(item))
    return packed


def _sorted(item: Any) -> Any:
    if isinstance(item, dict):  # Python orders strings by code point, which is the order of their UTF-8 bytes
        return {key: _sorted(item[key]) for key in sorted(item)}
    if isinstance(item, list | tuple):
        return [_sorted(member) for member in item]
    return item


class _Stream:
    """A file for the unpacker, so that it reads no further than the header."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def read(self, n: int) -> bytes:
        chunk = bytes(self.data[self.at : self.at + n])
        self.at += len(chunk)
        return chunk


def _unique(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs) or any(type(key) is not str for key in result):
        raise ValueError("duplicate key, or a key that is no string")
    return result


def _version(unpacker: msgpack.Unpacker, data: memoryview) -> Any:
    """The second element; it is no part of the header, so that a pointer does not lead into it."""
    try:
        return _decode(unpacker, data, VERSION_AT)
    except FormatError as fault:
        if fault.at.startswith("byte"):
            raise
        raise FormatError(fault.code, f"byte {VERSION_AT}", fault.expected, fault.received) from fault


def _decode(unpacker: msgpack.Unpacker, data: memoryview, start: int) -> Any:
    """The next object; a fault is looked up again, byte by byte, for its code and place."""
    try:
        item = unpacker.unpack()
        if _is_json(item, 1):
            return item
        reason = "something that JSON cannot represent"
    except (ValueError, msgpack.exceptions.UnpackException, RecursionError) as error:
        reason = str(error) or type(error).__name__
    from nnpack.format.scan import scan

    scan(data, start)
    raise FormatError("msgpack-invalid", f"byte {start}", "msgpack within the limits of the format", reason)


def _is_json(item: Any, depth: int) -> bool:
    """Whether an unpacked object holds only what a header may hold: spec/format.md, "Limits"."""
    kind = type(item)
    if kind is str or kind is bool:
        return True
    if kind is int:
        return -INTEGER <= item <= INTEGER
    if kind is float:
        return bool(item - item == 0)  # NaN and infinities give NaN
    if kind is dict:
        return depth <= NESTING and all(_is_json(member, depth + 1) for member in item.values())
    if kind is list:
        return depth <= NESTING and all(_is_json(member, depth + 1) for member in item)
    return False


def _check_magic(data: memoryview) -> None:
    start = bytes(data[: len(MAGIC)])
    if not start:
        raise FormatError("empty-file", "", "an nnpack file", "0 bytes")
    if start == MAGIC:
        return
    if MAGIC.startswith(start):
        raise FormatError("truncated-header", f"byte {len(start)}", "the rest of the magic", "the end of the file")
    if start[1:] == MAGIC[1:] and start[0] & 0xF0 == 0x90:
        raise FormatError("container-length", "byte 0", "an array of 5 elements", f"an array of {start[0] & 0x0F}")
    raise FormatError("wrong-magic", "byte 0", MAGIC.hex(" "), start.hex(" "))


def _check_version(version: Any, data: memoryview, header_at: int) -> None:
    pair = version if type(version) is list else []
    if len(pair) != 2 or any(type(number) is not int or number < 0 for number in pair):
        raise FormatError("version-type", f"byte {VERSION_AT}", "[major, minor], two unsigned integers", repr(version))
    if pair[0] != MAJOR:
        try:
            producer = msgpack.Unpacker(_Stream(data[header_at:]), max_buffer_size=HEADER_BYTES).unpack()["producer"]
            writer = f"{producer['name']} {producer['version']}"
        except Exception:  # whatever an unknown version holds there, it must not hide the fault itself
            writer = "an unknown producer"
        received = f"version {pair[0]}.{pair[1]}, written by {writer}"
        raise RequirementError("version-major", f"byte {VERSION_AT}", f"version {MAJOR}.x", received)


def _payload(data: memoryview, at: int) -> memoryview:
    """What follows the header at `at`: pad, head of the payload, payload, nothing."""
    if len(data) < at + 2:
        raise FormatError("truncated-header", f"byte {len(data)}", "the pad", "the end of the file")
    if data[at] != PAD or data[at + 1] >= ALIGNMENT:
        received = f"bytes {bytes(data[at : at + 2]).hex(' ')}"
        raise FormatError("pad-length", f"byte {at}", f"c4 and a length below {ALIGNMENT}", received)
    start = at + 2 + data[at + 1]
    if len(data) < start + 5:
        raise FormatError("truncated-header", f"byte {len(data)}", "pad and head of the payload", "the end of the file")
    pad = bytes(data[at + 2 : start])
    if any(pad):
        first = next(i for i, byte in enumerate(pad) if byte)
        raise FormatError("pad-not-zero", f"byte {at + 2 + first}", "00", f"{pad[first]:02x}")
    if data[start] != PAYLOAD:
        raise FormatError("payload-head", f"byte {start}", "c6", f"{data[start]:02x}")
    if (start + 5) % ALIGNMENT:
        expected = f"a payload that starts at a multiple of {ALIGNMENT}"
        raise FormatError("payload-misaligned", f"byte {start + 5}", expected, f"{(start + 5) % ALIGNMENT} beyond one")
    nbytes = int.from_bytes(data[start + 1 : start + 5], "big")
    payload = data[start + 5 :]
    if len(payload) < nbytes:
        raise FormatError("truncated-payload", f"byte {len(data)}", f"{nbytes} bytes of payload", len(payload))
    if len(payload) > nbytes:
        extra = f"{len(payload) - nbytes} bytes"
        raise FormatError("trailing-bytes", f"byte {start + 5 + nbytes}", "the end of the file", extra)
    return payload
