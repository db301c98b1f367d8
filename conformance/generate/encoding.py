"""The bytes of a file, from spec/format.md: sound ones, and ones with a fault put in on purpose."""

from __future__ import annotations

import copy
import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgpack
import numpy as np

MAGIC = b"\x95\xa6nnpack"
VERSION = b"\x92\x01\x00"
ALIGNMENT = 64
STORED = {
    "float32": "<f4",
    "float64": "<f8",
    "float16": "<f2",
    "bfloat16": "<u2",
    "int8": "|i1",
    "int32": "<i4",
    "int64": "<i8",
    "uint8": "|u1",
    "bool": "|b1",
}


# The header's msgpack


class Raw(bytes):
    """Bytes that stand in the header as they are, in the place of an object."""


class Pairs(list[tuple[Any, Any]]):
    """A map written pair by pair: unsorted, with a key twice, with a key that is no string."""


def pack(item: Any) -> bytes:
    """Canonical msgpack, but for Raw and Pairs."""
    if isinstance(item, Raw):
        return bytes(item)
    if isinstance(item, Pairs):
        return b"".join([map_head(len(item)), *(pack(part) for pair in item for part in pair)])
    if isinstance(item, dict):
        return pack(Pairs(sorted(item.items(), key=lambda pair: pair[0].encode())))
    if isinstance(item, list | tuple):
        return b"".join([list_head(len(item)), *map(pack, item)])
    packed: bytes = msgpack.packb(item)
    return packed


def map_head(n: int) -> bytes:
    return bytes(msgpack.Packer().pack_map_header(n))


def list_head(n: int) -> bytes:
    return bytes(msgpack.Packer().pack_array_header(n))


def container(
    header: bytes,
    payload: bytes,
    *,
    version: bytes = VERSION,
    pad: bytes | None = None,
    payload_head: bytes | None = None,
) -> bytes:
    """The five elements; `pad` and `payload_head` are whole objects, made as they must be where they are None."""
    start = MAGIC + version + header
    if pad is None:
        n = -(len(start) + 2 + 5) % ALIGNMENT
        pad = bytes((0xC4, n)) + bytes(n)
    if payload_head is None:
        payload_head = struct.pack(">BI", 0xC6, len(payload))
    return start + pad + payload_head + payload


# Documents


def value(name: str, shape: Sequence[int | str], dtype: str = "float32") -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "shape": list(shape)}


def layer(
    op: str,
    inputs: Sequence[str],
    output: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    weights: Mapping[str, str] | None = None,
    **attributes: Any,
) -> dict[str, Any]:
    """A layer of the name of the value, or of the first of the values, that it makes."""
    outputs = [output] if isinstance(output, Mapping) else output
    return {
        "name": outputs[0]["name"],
        "op": op if "@" in op else f"{op}@1",
        "inputs": list(inputs),
        "outputs": [dict(item) for item in outputs],
        "weights": dict(weights or {}),
        "attributes": attributes,
    }


@dataclass(frozen=True)
class Stored:
    """A tensor: its dtype, its numbers in numpy's nearest type, and how it is quantized."""

    dtype: str
    array: np.ndarray[Any, Any]
    quantization: Mapping[str, Any] | None = None


def stored(array: Any, dtype: str = "float32") -> Stored:
    return Stored(dtype, np.asarray(array, STORED[dtype]))


@dataclass(frozen=True)
class File:
    """A header and the payload behind it."""

    header: dict[str, Any]
    payload: bytes
    version: bytes = VERSION

    def __bytes__(self) -> bytes:
        return container(pack(self.header), self.payload, version=self.version)

    def but(self, change: Callable[[dict[str, Any]], object]) -> File:
        """The same file with its header changed, and nothing else."""
        header = copy.deepcopy(self.header)
        change(header)
        return replace(self, header=header)

    def holding(self, payload: bytes) -> File:
        """The same file with another payload and its hash."""
        return replace(self.but(lambda h: h.update(payload_sha256=sha256(payload))), payload=payload)


def document(
    inputs: Sequence[Mapping[str, Any]],
    layers: Sequence[Mapping[str, Any]],
    outputs: Sequence[str],
    tensors: Mapping[str, Stored] | None = None,
    requires: Sequence[str] = (),
    **optional: Any,
) -> File:
    """A sound file: everything that follows from the rest is filled in.

    Args:
        inputs: the model's inputs, as `value` makes them.
        layers: its layers, as `layer` makes them.
        outputs: names of values.
        tensors: name -> tensor, in the order of the payload.
        requires: what `requires` lists beyond operators, dtypes and quantization.
        optional: `ext`, `output_structure`, `selftest`, `states`; `metadata` of the model.
    """
    tensors = dict(tensors or {})
    entries, payload = [], b""
    for name, tensor in tensors.items():
        payload += bytes(-len(payload) % ALIGNMENT)
        data = np.ascontiguousarray(tensor.array, STORED[tensor.dtype]).tobytes()
        entry = {
            "name": name,
            "dtype": tensor.dtype,
            "shape": list(tensor.array.shape),
            "offset": len(payload),
            "nbytes": len(data),
        }
        entries.append({**entry, "quantization": dict(tensor.quantization)} if tensor.quantization else entry)
        payload += data
    states = [state["input"] for state in optional.get("states", [])]
    values = [*inputs, *states, *(output for layer in layers for output in layer["outputs"])]
    needed = {f"op:{layer['op']}" for layer in layers} | {f"dtype:{item['dtype']}" for item in [*values, *entries]}
    if any("quantization" in entry for entry in entries):
        needed.add("feature:quantization")
    if "states" in optional:
        needed.add("feature:states")
    model = {"name": "case"}
    if "metadata" in optional:
        model["metadata"] = optional.pop("metadata")
    header = {
        "inputs": [dict(item) for item in inputs],
        "layers": [dict(item) for item in layers],
        "model": model,
        "outputs": list(outputs),
        "payload_sha256": sha256(payload),
        "producer": {"name": "nnpack-conformance", "version": "1.0.0"},
        "requires": sorted(needed | set(requires)),
        "tensors": entries,
        **optional,
    }
    return File(header, payload)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
