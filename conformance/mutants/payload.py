"""Mistakes in checking tensors, quantization and the self-test: spec/format.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

from mutants.mutant import Mutant, Patch, of_faults, of_sound_files, overlooking, skipping
from naive import graph, model, tensors
from naive.arrays import STORAGE, Array, Shape, round_to
from naive.document import Document, Tensor
from naive.errors import require
from naive.model import Model

right_places = tensors.check_places
right_gaps = tensors.check_gaps
right_nonfinite = tensors.has_nonfinite


def by_offset(found: list[Tensor]) -> list[Tensor]:
    return sorted(found, key=lambda tensor: tensor.offset)


def products(bits: int) -> tuple[Patch, Patch]:
    """Products of integers of so many bits."""

    def check_sizes(found: list[Tensor]) -> None:
        for index, tensor in enumerate(found):
            nbytes = math.prod((*tensor.shape, STORAGE[tensor.dtype].size)) % (1 << bits)
            require(tensor.nbytes == nbytes, "tensor-nbytes", f"/tensors/{index}/nbytes")

    def elements(shape: Shape) -> int:
        return math.prod(n for n in shape if isinstance(n, int)) % (1 << bits)

    return patch.object(tensors, "check_sizes", check_sizes), patch.object(graph, "elements", elements)


def only_float32(tensor: Tensor, stored: Mapping[str, Array]) -> bool:
    return tensor.dtype == "float32" and right_nonfinite(tensor, stored)


def only_nan(tensor: Tensor, stored: Mapping[str, Array]) -> bool:
    return right_nonfinite(tensor, stored) and any(x != x for x in stored[tensor.name].data)


def true_is_not_0(found: list[Tensor], stored: Mapping[str, Array]) -> None:
    for tensor in found:
        if tensor.dtype == "bool":
            stored[tensor.name].data[:] = [int(x != 0) for x in stored[tensor.name].data]


def of_tensors(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(f"tensors: {name}", says, *changes, groups=("tensors",))


TENSORS = (
    of_tensors("the hash is not checked", "payload_sha256 is that of the payload", skipping(tensors, "check_hash")),
    of_tensors("gaps are not checked", "the bytes between two tensors are 0", skipping(tensors, "check_gaps")),
    of_tensors("all that is not 0 is true", "0 or 1", patch.object(tensors, "check_booleans", true_is_not_0)),
    of_tensors(
        "NaN and infinities", "refused unless requires has feature:nonfinite", skipping(tensors, "check_finite")
    ),
    of_tensors(
        "NaN of float16 and bfloat16",
        "NaN and infinities in a float tensor",
        patch.object(tensors, "has_nonfinite", only_float32),
    ),
    of_tensors("infinities", "NaN and infinities in a float tensor", patch.object(tensors, "has_nonfinite", only_nan)),
    of_tensors(
        "in any order",
        "each next tensor lies behind the one before it",
        skipping(tensors, "check_order"),
        patch.object(tensors, "check_places", lambda found, size: right_places(by_offset(found), size)),
        patch.object(tensors, "check_gaps", lambda found, payload: right_gaps(by_offset(found), payload)),
    ),
    of_tensors("one inside of another", "not inside the one before it", overlooking(tensors, "tensor-overlap")),
    of_tensors("holes", "the smallest multiple of 64 behind the one before it", overlooking(tensors, "tensor-hole")),
    of_tensors("any offset", "a multiple of 64", overlooking(tensors, "tensor-misaligned")),
    of_tensors(
        "beyond the payload", "the last tensor ends the payload", overlooking(tensors, "tensor-bounds", "payload-size")
    ),
    of_tensors("bytes behind the last", "the last tensor ends the payload", overlooking(tensors, "payload-size")),
    of_tensors(
        "nbytes is not compared",
        "the product of shape times the size of an element",
        overlooking(tensors, "tensor-nbytes"),
    ),
    of_tensors("products of 32 bits", "at most 2⁵³ elements", *products(32)),
    of_tensors("products of 64 bits", "at most 2⁵³ elements", *products(64)),
    of_tensors("two of one name", "tensors have names of their own", skipping(tensors, "check_names")),
    of_tensors("unused ones", "each tensor is used", skipping(graph, "check_tensors_used")),
)


def scales_of_0(document: Document, stored: Mapping[str, Array]) -> None:
    for tensor in document.tensors:
        for scale in stored[tensor.quantization.scale].data if tensor.quantization else []:
            require(0 <= scale < math.inf, "scale-range")


def of_quantization(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(f"quantization: {name}", says, *changes, groups=("quantization",))


QUANTIZATION = (
    of_quantization("any scale", "finite and above 0", skipping(tensors, "check_scales")),
    of_quantization("a scale of 0", "finite and above 0", patch.object(tensors, "check_scales", scales_of_0)),
    of_quantization(
        "of any dtype", "makes an int8 tensor stand for float32", overlooking(tensors, "quantization-dtype")
    ),
    of_quantization(
        "parts of any shape and dtype", "both have the shape [shape[axis]]", overlooking(tensors, "quantization-part")
    ),
)


def not_above(dtype: str) -> Any:
    """No difference is above its tolerance: of NaN, none is."""
    return lambda computed, expected, tolerance: (
        not abs(computed - expected) > max(tolerance, model.FLOORS.get(dtype, 0))
    )


def one_tolerance(dtype: str) -> Any:
    return lambda computed, expected, tolerance: abs(computed - expected) <= 1e-3 + 1e-3 * abs(expected)


def equal(dtype: str) -> Any:
    return lambda computed, expected, tolerance: round_to(dtype, computed) == expected


def of_selftest(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(f"selftest: {name}", says, *changes, groups=("selftest",))


SELFTEST = (
    of_selftest(
        "never run",
        "a reader that verifies a file runs the self-test too",
        skipping(model, "run_selftest"),
        skipping(Model, "selftest"),
    ),
    of_selftest("NaN passes", "both are NaN, or they are equal", patch.object(model, "within", not_above)),
    of_selftest("one tolerance for all", "tolerances come with the file", patch.object(model, "within", one_tolerance)),
    of_selftest(
        "tensors of any shape and dtype",
        "each is stored in the dtype of its value and has its shape",
        overlooking(graph, "selftest-tensor"),
    ),
    of_sound_files(
        "selftest: tolerances are ignored",
        "|computed − expected| ≤ max(tolerance, floor)",
        patch.object(model, "within", equal),
    ),
)

MUTANTS = (*TENSORS, *QUANTIZATION, *SELFTEST)
