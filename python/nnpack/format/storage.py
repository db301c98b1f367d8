"""Weights in a smaller storage type: spec/format.md, "Storage types"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nnpack.errors import ModelError
from nnpack.format.document import Document, Quantization, Tensor
from nnpack.format.dtypes import to_bfloat16

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

TYPES = ("float32", "float16", "bfloat16", "int8")


def store(document: Document, weights: str) -> Document:
    """The document with its float32 weights in another storage type.

    float16 and bfloat16 take every float32 weight of a layer; int8 takes those of two or more dimensions, with a
    scale for each index of the last axis. Values of `constant` layers and boundaries, which are preprocessing and not
    learned, stay as they are, and so do weights that are not stored as float32.

    Args:
        document: what to store.
        weights: one of float32, float16, bfloat16, int8.

    Raises:
        ModelError: `weights` is no storage type; a weight is too large for it.
    """
    if weights not in TYPES:
        raise ModelError("storage-type", "weights", f"one of {', '.join(TYPES)}", repr(weights))
    if weights == "float32":
        return document
    learned = {
        name
        for layer in document.layers
        for name in layer.weights.values()
        if not layer.op.startswith(("constant@", "bucketize@")) and document.tensors[name].dtype == "float32"
    }
    if weights == "int8":
        learned = {name for name in learned if len(document.tensors[name].shape) > 1}
    if not learned:
        return document
    document = document.without_selftest()  # its outputs are those of the weights as they were
    tensors: dict[str, Tensor] = {}
    for name, tensor in document.tensors.items():
        if name not in learned:
            tensors[name] = tensor
        elif weights == "int8":
            tensors.update(_quantized(tensor))
        else:
            tensors[name] = _rounded(tensor, weights)
    return document._replace(tensors=tensors)


def stored_as(document: Document) -> str:
    """The storage type that `store` was asked for when it made this document."""
    dtypes = {tensor.dtype for tensor in document.tensors.values() if tensor.dtype in TYPES}
    if any(tensor.quantization for tensor in document.tensors.values()):
        return "int8"
    return next((dtype for dtype in ("float16", "bfloat16") if dtype in dtypes), "float32")


def _rounded(tensor: Tensor, dtype: str) -> Tensor:
    with np.errstate(over="ignore"):
        array = to_bfloat16(tensor.array) if dtype == "bfloat16" else tensor.array.astype(np.float16)
    stored = Tensor(tensor.name, dtype, array)
    widened = stored.widened()
    overflow = np.isfinite(tensor.array) & ~np.isfinite(widened)
    if overflow.any():
        largest = float(np.abs(tensor.array[overflow]).max())
        raise ModelError("weights-overflow", f"tensor {tensor.name!r}", f"numbers within {dtype}'s range", str(largest))
    return stored


def _quantized(tensor: Tensor) -> Mapping[str, Tensor]:
    """Symmetric, per channel: the largest magnitude along the last axis becomes ±127."""
    weight: Array = tensor.array.astype(np.float64)
    if not np.isfinite(weight).all():
        raise ModelError("weights-not-finite", f"tensor {tensor.name!r}", "finite weights, for int8", "NaN or infinity")
    largest = np.abs(weight).max(axis=tuple(range(weight.ndim - 1)))
    scale = (largest / 127).astype(np.float32)
    scale[scale == 0] = 1
    steps = np.clip(np.rint(weight / scale.astype(np.float64)), -127, 127).astype(np.int8)
    quantization = Quantization(f"{tensor.name}.scale", f"{tensor.name}.zero_point", weight.ndim - 1)
    return {
        tensor.name: Tensor(tensor.name, "int8", steps, quantization),
        quantization.scale: Tensor(quantization.scale, "float32", scale),
        quantization.zero_point: Tensor(quantization.zero_point, "int8", np.zeros(len(scale), np.int8)),
    }
