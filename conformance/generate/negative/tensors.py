"""Faults of the tensors: their places in the payload, their bytes, their quantization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from generate.encoding import File, Stored, document, layer, stored, value
from generate.negative.declare import PERCEPTRON, QUANTIZED, numbers, put, reject


def _placed(*offsets: int, sizes: Sequence[int] = (), payload: int | None = None) -> File:
    """x (batch, 1) plus one constant after another, of 16 numbers or `sizes`; their tensors lie at `offsets`.

    The payload is as long as the last offset needs, or `payload`; its hash is right.
    """
    layers, tensors = [], {}
    last, joined = "x", 0
    sizes = sizes or [16] * len(offsets)
    for i, size in enumerate(sizes):
        tensors[f"t{i}"] = numbers(size)
        layers.append(layer("constant", [], value(f"c{i}", [size]), {"value": f"t{i}"}))
        layers.append(layer("add", ["x", f"c{i}"], value(f"y{i}", ["batch", size])))
        if i:
            layers.append(layer("concatenate", [last, f"y{i}"], value(f"joined{i}", ["batch", joined + size]), axis=1))
        last, joined = f"joined{i}" if i else "y0", joined + size
    file = document([value("x", ["batch", 1])], layers, [last], tensors)
    data = bytearray(payload or max(offset + 4 * size for offset, size in zip(offsets, sizes, strict=True)))
    for offset, tensor in zip(offsets, tensors.values(), strict=True):
        raw = tensor.array.tobytes()[: max(0, len(data) - offset)]
        data[offset : offset + len(raw)] = raw
    moved = file.but(lambda h: [entry.update(offset=at) for entry, at in zip(h["tensors"], offsets, strict=True)])
    return moved.holding(bytes(data))


def _tensor(case_id: str, title: str, code: str, at: str, file: File) -> None:
    reject(f"tensors/{case_id}", title, code, at, file)


# Places

_tensor(
    "misaligned",
    "A tensor that begins where the one before it ends.",
    "tensor-misaligned",
    "/tensors/1/offset",
    _placed(0, 68, sizes=(17, 16)),
)
_tensor(
    "overlap",
    "A tensor that begins inside the one before it.",
    "tensor-overlap",
    "/tensors/1/offset",
    _placed(0, 64, sizes=(17, 16)),
)
_tensor("same-place", "Two tensors at one place.", "tensor-overlap", "/tensors/1/offset", _placed(0, 0))
_tensor(
    "order",
    "A tensor that begins before the one listed before it.",
    "tensor-order",
    "/tensors/2/offset",
    _placed(0, 64, 0),
)
_tensor(
    "order-permuted",
    "Tensors that lie one behind the other, and are listed in another order.",
    "tensor-order",
    "/tensors/2/offset",
    _placed(0, 128, 64),
)
_tensor("hole", "64 bytes of nothing between two tensors.", "tensor-hole", "/tensors/1/offset", _placed(0, 128))
_tensor("hole-first", "64 bytes of nothing before the first tensor.", "tensor-hole", "/tensors/0/offset", _placed(64))
_tensor(
    "bounds",
    "A tensor that ends behind the payload.",
    "tensor-bounds",
    "/tensors/1/offset",
    _placed(0, 64, payload=124),
)
_tensor(
    "bounds-far",
    "A tensor that begins far behind the payload: 4 GiB would be too much for 32 bits.",
    "tensor-bounds",
    "/tensors/0/offset",
    document(
        [value("x", ["batch", 1])],
        [
            layer("constant", [], value("c", [2**30 - 1]), {"value": "t"}),
            layer("add", ["x", "c"], value("y", ["batch", 2**30 - 1])),
        ],
        ["y"],
        {"t": numbers(1)},
    ).but(lambda h: h["tensors"][0].update(shape=[2**30 - 1], nbytes=2**32 - 4)),
)
_tensor("payload-too-long", "64 zeros behind the last tensor.", "payload-size", "/tensors", _placed(0, payload=128))
_tensor(
    "payload-of-nothing",
    "A payload without a tensor.",
    "payload-size",
    "/tensors",
    document([value("x", ["batch", 1])], [layer("relu", ["x"], value("y", ["batch", 1]))], ["y"]).holding(bytes(64)),
)
_SPACED = _placed(0, 128, sizes=(17, 16))
_tensor(
    "gap-not-zero",
    "A byte that is not 0 between two tensors.",
    "gap-not-zero",
    "/tensors/1/offset",
    _SPACED.holding(_SPACED.payload[:127] + b"\x01" + _SPACED.payload[128:]),
)
_tensor(
    "hash",
    "A bit of a weight has changed.",
    "hash-mismatch",
    "/payload_sha256",
    File(PERCEPTRON.header, bytes([PERCEPTRON.payload[0] ^ 1]) + PERCEPTRON.payload[1:]),
)


# Entries


def _entry(case_id: str, title: str, code: str, key: str, item: Any, place: str = "") -> None:
    _tensor(case_id, title, code, f"/tensors/0/{place or key}", PERCEPTRON.but(put("tensors", 0, key, item)))


_entry("name-empty", "A name of no bytes.", "name-length", "name", "")
_entry("name-257", "A name one byte too long.", "name-length", "name", "x" * 257)
_entry("name-nul", "A name with NUL.", "name-nul", "name", "bias\0")
_entry("dimension-negative", "A negative dimension.", "dimension-range", "shape", [-3], "shape/0")
_entry("dimension-0", "A tensor without an element.", "dimension-range", "shape", [0], "shape/0")
_entry("dimension-2-31", "A dimension of 2^31.", "dimension-range", "shape", [2**31], "shape/0")
_entry("rank-9", "Nine dimensions.", "rank-range", "shape", [3, *[1] * 8])
_entry("product-overflow", "2^64 elements: the product is 0 in 64 bits.", "element-count", "shape", [2**16] * 4)
_entry("product-2-54", "2^54 elements, each dimension in range.", "element-count", "shape", [2**27, 2**27])
_entry("nbytes", "More bytes than the shape has.", "tensor-nbytes", "nbytes", 16)
_entry("nbytes-elements", "The number of elements where that of bytes belongs.", "tensor-nbytes", "nbytes", 3)
_entry(
    "nbytes-wraps",
    "2^32 + 12 elements: the bytes are right in 32 bits alone.",
    "tensor-nbytes",
    "shape",
    [2**15, 2**15 + 1],
    "nbytes",
)

_tensor(
    "duplicate",
    "Two tensors of one name.",
    "duplicate-tensor",
    "/tensors/1/name",
    _placed(0, 64).but(put("tensors", 1, "name", "t0")).but(put("layers", 2, "weights", "value", "t0")),
)
_tensor(
    "missing",
    "A weight that no tensor holds.",
    "tensor-missing",
    "/layers/0/weights/kernel",
    PERCEPTRON.but(put("layers", 0, "weights", "kernel", "kernal")),
)
_tensor(
    "unreferenced",
    "A tensor that nothing uses.",
    "tensor-unreferenced",
    "/tensors/1",
    document(
        [value("x", ["batch", 4])],
        [layer("dense", ["x"], value("y", ["batch", 3]), {"kernel": "kernel"})],
        ["y"],
        {"kernel": numbers(4, 3), "left_over": numbers(3)},
    ),
)


# Entries that all else in the file agrees with


def _called(name: str) -> File:
    """x (batch, 4), dense; its kernel has this name."""
    return document(
        [value("x", ["batch", 4])],
        [layer("dense", ["x"], value("y", ["batch", 3]), {"kernel": name})],
        ["y"],
        {name: numbers(4, 3)},
    )


_tensor(
    "name-empty-throughout",
    "A name of no bytes, wherever it stands.",
    "name-length",
    "/tensors/0/name",
    _called(""),
)
_tensor(
    "name-nul-throughout",
    "A name with NUL, wherever it stands.",
    "name-nul",
    "/tensors/0/name",
    _called("kernel\0"),
)
_tensor(
    "dimension-negative-twice",
    "Two negative dimensions: their product is right.",
    "dimension-range",
    "/tensors/0/shape/0",
    document(
        [value("x", ["batch", 1, 1])],
        [
            layer("constant", [], value("c", [-2, -2]), {"value": "t"}),
            layer("add", ["x", "c"], value("y", ["batch", -2, -2])),
        ],
        ["y"],
        {"t": numbers(2, 2)},
    ).but(put("tensors", 0, "shape", [-2, -2])),
)
_tensor(
    "rank-9-throughout",
    "Nine dimensions of a constant that becomes a row.",
    "rank-range",
    "/tensors/0/shape",
    document(
        [value("x", ["batch", 4])],
        [
            layer("constant", [], value("c", [*[1] * 8, 4]), {"value": "t"}),
            layer("reshape", ["c"], value("row", [1, 4]), target_shape=[4]),
            layer("add", ["x", "row"], value("y", ["batch", 4])),
        ],
        ["y"],
        {"t": numbers(*[1] * 8, 4)},
    ),
)
# 2147418113 · 1718039348 · 20 = 2^66 + 16
_WRAPPED = [1, 2147418113, 1718039348, 20]
_tensor(
    "product-wraps-64",
    "2^66 + 16 elements, as the layers want them: the bytes are right in 64 bits alone.",
    "element-count",
    "/tensors/0/shape",
    document(
        [value("x", ["batch", 1, 1, 1])],
        [
            layer("constant", [], value("c", _WRAPPED), {"value": "t"}),
            layer("add", ["x", "c"], value("y", ["batch", *_WRAPPED[1:]])),
        ],
        ["y"],
        {"t": numbers(16)},
    ).but(put("tensors", 0, "shape", _WRAPPED)),
)
# 4240 · 253241 · 4 = 2^32 + 64
_tensor(
    "nbytes-wraps-32",
    "2^30 + 16 elements, as the layer wants them: the bytes are right in 32 bits alone.",
    "tensor-nbytes",
    "/tensors/0/nbytes",
    document(
        [value("x", ["batch", 4240])],
        [layer("dense", ["x"], value("y", ["batch", 253241]), {"kernel": "t"})],
        ["y"],
        {"t": numbers(16)},
    ).but(put("tensors", 0, "shape", [4240, 253241])),
)
_tensor(
    "missing-bias",
    "A bias that no tensor holds: it is there by name, and so it is not absent.",
    "tensor-missing",
    "/layers/0/weights/bias",
    document(
        [value("x", ["batch", 4])],
        [layer("dense", ["x"], value("y", ["batch", 3]), {"bias": "bias", "kernel": "kernel"})],
        ["y"],
        {"kernel": numbers(4, 3)},
    ),
)


# Contents


def _mask(*bits: int) -> File:
    """x (batch, 4) times a mask of booleans."""
    return document(
        [value("x", ["batch", 4])],
        [
            layer("constant", [], value("mask", [4], "bool"), {"value": "bits"}),
            layer("cast", ["mask"], value("factor", [4]), dtype="float32"),
            layer("multiply", ["x", "factor"], value("y", ["batch", 4])),
        ],
        ["y"],
        {"bits": Stored("bool", np.array([True, False, True, True]))},
    ).holding(bytes(bits))


_tensor("bool-byte", "A boolean that is 2.", "bool-byte", "/tensors/0", _mask(1, 0, 2, 1))
_tensor("bool-byte-255", "A boolean that is 255.", "bool-byte", "/tensors/0", _mask(255, 0, 1, 1))


def _weighted(kernel: Stored) -> File:
    return document(
        [value("x", ["batch", 2])],
        [layer("dense", ["x"], value("y", ["batch", 2]), {"kernel": "kernel"})],
        ["y"],
        {"kernel": kernel},
    )


for _name, _kernel in {
    "nan": stored([[1, np.nan], [0.5, 2]]),
    "infinity": stored([[1, -np.inf], [0.5, 2]]),
    "float16-nan": stored([[1, np.nan], [0.5, 2]], "float16"),
    "bfloat16-infinity": stored([[0x3F80, 0x7F80], [0x3F00, 0x4000]], "bfloat16"),
}.items():
    _tensor(
        f"weight-{_name}",
        "A weight that is not finite, undeclared.",
        "weight-not-finite",
        "/tensors/0",
        _weighted(_kernel),
    )

_tensor(
    "weight-float64-nan",
    "A weight that is not finite, undeclared.",
    "weight-not-finite",
    "/tensors/0",
    document(
        [value("x", ["batch", 2], "float64")],
        [layer("dense", ["x"], value("y", ["batch", 2], "float64"), {"kernel": "kernel"})],
        ["y"],
        {"kernel": stored([[1, np.nan], [0.5, 2]], "float64")},
    ),
)


# Quantization


def _quantized(
    kernel: Stored | None = None,
    scale: Stored | None = None,
    zero_point: Stored | None = None,
    requires: Sequence[str] = (),
    **quantization: Any,
) -> File:
    named = {"scale": "scale", "zero_point": "zero_point", **(quantization or {"axis": 1})}
    default = stored([[-128, 7, 127], [3, 0, -5]], "int8")
    return document(
        [value("x", ["batch", 2])],
        [layer("dense", ["x"], value("y", ["batch", 3]), {"kernel": "kernel"})],
        ["y"],
        {
            "kernel": Stored((kernel or default).dtype, (kernel or default).array, named),
            "scale": scale or stored([0.5, 0.25, 0.125]),
            "zero_point": zero_point or stored([0, 1, -1], "int8"),
        },
        requires,
    )


def _parted(**parts: Stored) -> File:
    """The same with other parts, which may have parts themselves."""
    kernel = _quantized().header["tensors"][0]["quantization"]
    return document(
        [value("x", ["batch", 2])],
        [layer("dense", ["x"], value("y", ["batch", 3]), {"kernel": "kernel"})],
        ["y"],
        {"kernel": Stored("int8", np.array([[-128, 7, 127], [3, 0, -5]], np.int8), kernel), **parts},
    )


def _part(*array: int) -> Stored:
    """A part that is quantized itself."""
    named = {"scale": "part/scale", "zero_point": "part/zero_point"}
    return Stored("int8", np.array(array, np.int8), named)


_PARTS = {"part/scale": stored(0.5), "part/zero_point": stored(0, "int8")}


def _bad(case_id: str, title: str, code: str, key: str, file: File) -> None:
    at = "/tensors/0/quantization" + (f"/{key}" if key else "")
    reject(f"quantization/{case_id}", title, code, at, file)


_bad("scale-0", "A scale of 0.", "scale-range", "scale", _quantized(scale=stored([0.5, 0, 0.125])))
_bad("scale-negative", "A negative scale.", "scale-range", "scale", _quantized(scale=stored([0.5, -1, 0.125])))
_bad(
    "scale-nan",
    "A scale that is no number; it is declared.",
    "scale-range",
    "scale",
    _quantized(scale=stored([0.5, np.nan, 1]), requires=["feature:nonfinite"]),
)
_bad(
    "scale-infinity",
    "An infinite scale; it is declared.",
    "scale-range",
    "scale",
    _quantized(scale=stored([0.5, np.inf, 1]), requires=["feature:nonfinite"]),
)
_bad("scale-short", "A scale too few.", "quantization-part", "scale", _quantized(scale=stored([0.5, 0.25])))
_bad(
    "scale-first-axis",
    "As many scales as the other axis has.",
    "quantization-part",
    "scale",
    _quantized(axis=0, zero_point=stored([0, 1], "int8")),
)
_bad(
    "scale-rank-2",
    "Scales in a row of a matrix.",
    "quantization-part",
    "scale",
    _quantized(scale=stored([[0.5, 0.25, 0.125]])),
)
_bad(
    "scale-float64",
    "Scales of float64.",
    "quantization-part",
    "scale",
    _quantized(scale=stored([0.5, 0.25, 0.125], "float64")),
)
_bad(
    "scale-quantized",
    "Scales that are quantized: the kernel is its own scale.",
    "quantization-part",
    "scale",
    QUANTIZED.but(lambda h: (h["tensors"][0]["quantization"].update(scale="kernel"),)),
)
_bad(
    "zero-point-short",
    "A zero point too few.",
    "quantization-part",
    "zero_point",
    _quantized(zero_point=stored([0, 1], "int8")),
)
_bad(
    "zero-point-int32",
    "Zero points of int32.",
    "quantization-part",
    "zero_point",
    _quantized(zero_point=stored([0, 1, -1], "int32")),
)
_bad(
    "zero-point-missing",
    "A zero point that no tensor holds.",
    "tensor-missing",
    "zero_point",
    _quantized(zero_point=None).but(put("tensors", 0, "quantization", "zero_point", "nowhere")),
)
_bad("axis-2", "An axis that a matrix does not have.", "axis-range", "axis", _quantized(axis=2))
_bad("axis-negative", "A negative axis.", "axis-range", "axis", _quantized(axis=-1))
_bad(
    "float32",
    "A float32 tensor that is quantized.",
    "quantization-dtype",
    "",
    _quantized(stored([[1, 2, 3], [4, 5, 6]])),
)
_bad(
    "uint8",
    "A uint8 tensor that is quantized.",
    "quantization-dtype",
    "",
    _quantized(stored([[1, 2, 3], [4, 5, 6]], "uint8")),
)
_bad(
    "zero-point-nowhere",
    "A zero point that no tensor holds, and no tensor too many.",
    "tensor-missing",
    "zero_point",
    _parted(scale=stored([0.5, 0.25, 0.125])),
)
_bad(
    "scale-quantized-alone",
    "Scales that are quantized and stand for float32 numbers above 0.",
    "quantization-part",
    "scale",
    _parted(scale=_part(1, 2, 3), zero_point=stored([0, 1, -1], "int8"), **_PARTS),
)
_bad(
    "zero-point-quantized",
    "Zero points of int8 that are quantized.",
    "quantization-part",
    "zero_point",
    _parted(scale=stored([0.5, 0.25, 0.125]), zero_point=_part(0, 1, -1), **_PARTS),
)
