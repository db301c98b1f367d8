"""The payload -> numbers: sizes, places, and what the bytes hold."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

from naive.arrays import FLOATS, STORAGE, Array, elements, round32, unpack
from naive.document import Document, Quantization, Tensor
from naive.encode import ALIGNMENT
from naive.errors import require

MAX_ELEMENTS = 2**53


def check_names(tensors: list[Tensor]) -> None:
    names: set[str] = set()
    for index, tensor in enumerate(tensors):
        require(tensor.name not in names, "duplicate-tensor", f"/tensors/{index}/name", "a new name", tensor.name)
        names.add(tensor.name)


def check_sizes(tensors: list[Tensor]) -> None:
    for index, tensor in enumerate(tensors):
        count = elements(tensor.shape)
        require(count <= MAX_ELEMENTS, "element-count", f"/tensors/{index}/shape", "at most 2⁵³", count)
        nbytes = count * STORAGE[tensor.dtype].size
        require(tensor.nbytes == nbytes, "tensor-nbytes", f"/tensors/{index}/nbytes", f"{nbytes}", tensor.nbytes)


def check_order(tensors: list[Tensor]) -> None:
    last = 0
    for index, tensor in enumerate(tensors):
        require(tensor.offset >= last, "tensor-order", f"/tensors/{index}/offset", f"{last} or more", tensor.offset)
        last = tensor.offset


def check_places(tensors: list[Tensor], size: int) -> None:
    end = 0
    for index, tensor in enumerate(tensors):
        at, offset = f"/tensors/{index}/offset", tensor.offset
        require(offset % ALIGNMENT == 0, "tensor-misaligned", at, "a multiple of 64", offset)
        require(offset >= end, "tensor-overlap", at, f"{end} or more", offset)
        require(offset < end + ALIGNMENT, "tensor-hole", at, f"less than {end + ALIGNMENT}", offset)
        end = offset + tensor.nbytes
        require(end <= size, "tensor-bounds", at, f"an end at {size} or before", end)
    require(end == size, "payload-size", "/tensors", f"an end at {size}", end)


def check_hash(document: Document, payload: memoryview) -> None:
    digest = hashlib.sha256(payload).hexdigest()
    require(digest == document.payload_sha256, "hash-mismatch", "/payload_sha256", digest, document.payload_sha256)


def check_gaps(tensors: list[Tensor], payload: memoryview) -> None:
    end = 0
    for index, tensor in enumerate(tensors):
        require(not any(payload[end : tensor.offset]), "gap-not-zero", f"/tensors/{index}", "zeros before it")
        end = tensor.offset + tensor.nbytes


def check_booleans(tensors: list[Tensor], stored: Mapping[str, Array]) -> None:
    for index, tensor in enumerate(tensors):
        sound = tensor.dtype != "bool" or all(x in (0, 1) for x in stored[tensor.name].data)
        require(sound, "bool-byte", f"/tensors/{index}", "bytes of 0 or 1")


def has_nonfinite(tensor: Tensor, stored: Mapping[str, Array]) -> bool:
    floats = STORAGE[tensor.dtype].computed in FLOATS
    return floats and not all(math.isfinite(x) for x in stored[tensor.name].data)


def check_finite(document: Document, stored: Mapping[str, Array]) -> None:
    if "feature:nonfinite" not in document.requires:
        for index, tensor in enumerate(document.tensors):
            sound = not has_nonfinite(tensor, stored)
            require(sound, "weight-not-finite", f"/tensors/{index}", "finite numbers, or feature:nonfinite")


def check_nonfinite_used(document: Document, stored: Mapping[str, Array]) -> None:
    if "feature:nonfinite" in document.requires:
        used = any(has_nonfinite(tensor, stored) for tensor in document.tensors)
        require(used, "requires-unused", "/requires", "a tensor with NaN or an infinity", "feature:nonfinite")


def check_quantization(tensor: Tensor, tensors: Mapping[str, Tensor], at: str) -> None:
    quantization = tensor.quantization
    if quantization is None:
        return
    require(tensor.dtype == "int8", "quantization-dtype", f"{at}/dtype", "int8", tensor.dtype)
    axis = quantization.axis
    require(axis is None or axis < len(tensor.shape), "axis-range", f"{at}/quantization/axis", "an axis", axis)
    shape = () if axis is None else (tensor.shape[axis],)
    check_part(quantization.scale, "float32", shape, tensors, f"{at}/quantization/scale")
    check_part(quantization.zero_point, "int8", shape, tensors, f"{at}/quantization/zero_point")


def check_part(name: str, dtype: str, shape: tuple[int, ...], tensors: Mapping[str, Tensor], at: str) -> None:
    require(name in tensors, "tensor-missing", at, "the name of a tensor", name)
    part = tensors[name]
    found = (part.dtype, part.shape, part.quantization)
    require(found == (dtype, shape, None), "quantization-part", at, f"{dtype} of shape {shape}", found)


def check_scales(document: Document, stored: Mapping[str, Array]) -> None:
    for index, tensor in enumerate(document.tensors):
        if tensor.quantization:
            scales = stored[tensor.quantization.scale].data
            sound = all(0 < scale < math.inf for scale in scales)
            require(sound, "scale-range", f"/tensors/{index}/quantization/scale", "finite numbers above 0")


def check(document: Document, payload: memoryview) -> None:
    """All that can be known without the numbers."""
    check_names(document.tensors)
    check_sizes(document.tensors)
    check_order(document.tensors)
    check_places(document.tensors, len(payload))
    by_name = {tensor.name: tensor for tensor in document.tensors}
    for index, tensor in enumerate(document.tensors):
        check_quantization(tensor, by_name, f"/tensors/{index}")


def check_numbers(document: Document, payload: memoryview, stored: Mapping[str, Array]) -> None:
    check_hash(document, payload)
    check_gaps(document.tensors, payload)
    check_booleans(document.tensors, stored)
    check_finite(document, stored)
    check_nonfinite_used(document, stored)
    check_scales(document, stored)


def read(document: Document, payload: memoryview) -> dict[str, Array]:
    """The numbers as they are stored, float16 and bfloat16 widened."""
    return {
        tensor.name: Array(
            STORAGE[tensor.dtype].computed,
            tensor.shape,
            unpack(tensor.dtype, payload[tensor.offset : tensor.offset + tensor.nbytes]),
        )
        for tensor in document.tensors
    }


def dequantize(q: Array, scale: list[float], zero_point: list[int], axis: int | None) -> list[float]:
    inner = 1 if axis is None else elements(q.shape[axis + 1 :])
    channels = [index // inner % len(scale) for index in range(len(q.data))]
    return [round32((x - zero_point[c]) * scale[c]) for x, c in zip(q.data, channels, strict=True)]


def as_layers_see(array: Array, quantization: Quantization | None, stored: Mapping[str, Array]) -> Array:
    if quantization is None:
        return array
    scale, zero_point = stored[quantization.scale].data, stored[quantization.zero_point].data
    return Array("float32", array.shape, dequantize(array, scale, zero_point, quantization.axis))


def weights(document: Document, stored: Mapping[str, Array]) -> dict[str, Array]:
    """The numbers that layers compute with, by the names of tensors."""
    return {tensor.name: as_layers_see(stored[tensor.name], tensor.quantization, stored) for tensor in document.tensors}
