"""bucketize, integer_lookup, string_lookup: from what a table has to what a network takes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.errors import FormatError
from nnpack.format.dtypes import NUMBERS
from nnpack.ops.operator import Call, Made, exact, operator, require_dtype, require_shape

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _require_vectors(call: Call, dtypes: Mapping[str, str]) -> None:
    """Every weight has one dimension and its dtype."""
    for role, dtype in dtypes.items():
        if call.weights[role].dtype != dtype:
            raise FormatError("dtype-mismatch", f"/weights/{role}", dtype, call.weights[role].dtype)
        require_shape(call, role, None)


def _bucketize_types(call: Call) -> Made:
    _require_vectors(call, {"boundaries": require_dtype(call, 0, *NUMBERS)})
    return "int32", call.inputs[0].shape


def _check_boundaries(weights: Mapping[str, Array], attributes: Mapping[str, Any]) -> None:
    boundaries = weights["boundaries"]
    if not (np.isfinite(boundaries).all() and (boundaries[1:] > boundaries[:-1]).all()):
        raise FormatError("boundaries-order", "/weights/boundaries", "finite numbers that ascend", boundaries)


@operator(_bucketize_types, exact, weights={"boundaries": True}, check_weights=_check_boundaries)
def bucketize(x: Array, boundaries: Array) -> Array:
    """How many boundaries are at most x. Source: spec/ops/bucketize.md."""
    return np.searchsorted(boundaries, x, side="right").astype(np.int32)


def _integer_lookup_types(call: Call) -> Made:
    require_dtype(call, 0, "int64")
    _require_vectors(call, {"vocabulary": "int64"})
    return "int64", call.inputs[0].shape


def _check_integers(weights: Mapping[str, Array], attributes: Mapping[str, Any]) -> None:
    vocabulary = weights["vocabulary"]
    different = len(np.unique(vocabulary))
    if different < len(vocabulary):
        expected = f"{len(vocabulary)} different integers"
        raise FormatError("vocabulary-invalid", "/weights/vocabulary", expected, different)


@operator(_integer_lookup_types, exact, weights={"vocabulary": True}, check_weights=_check_integers)
def integer_lookup(x: Array, vocabulary: Array) -> Array:
    """The place of x in the vocabulary, or -1. Source: spec/ops/lookup.md."""
    order = np.argsort(vocabulary)
    nearest = np.searchsorted(vocabulary, x, sorter=order)
    place = order[np.minimum(nearest, len(order) - 1)]
    return np.where(vocabulary[place] == x, place, np.int64(-1))


def _string_lookup_types(call: Call) -> Made:
    require_dtype(call, 0, "string")
    _require_vectors(call, {"vocabulary": "uint8", "offsets": "int64"})
    return "int64", call.inputs[0].shape


def _entries(vocabulary: bytes, offsets: list[int]) -> list[str]:
    return [vocabulary[start:end].decode() for start, end in pairwise(offsets)]


def _check_strings(weights: Mapping[str, Array], attributes: Mapping[str, Any]) -> None:
    vocabulary, offsets = weights["vocabulary"], weights["offsets"]
    if offsets[0] != 0 or offsets[-1] != len(vocabulary) or (offsets[1:] < offsets[:-1]).any():
        expected = f"integers that ascend from 0 to {len(vocabulary)}"
        raise FormatError("vocabulary-invalid", "/weights/offsets", expected, offsets)
    try:
        entries = _entries(vocabulary.tobytes(), offsets.tolist())
    except UnicodeDecodeError as error:
        raise FormatError("vocabulary-invalid", "/weights/vocabulary", "entries in UTF-8", error) from None
    if len(set(entries)) < len(entries):
        expected = f"{len(entries)} different entries"
        raise FormatError("vocabulary-invalid", "/weights/vocabulary", expected, len(set(entries)))


@lru_cache(maxsize=16)
def _places(vocabulary: bytes, offsets: bytes) -> dict[str, int]:
    """Entry -> its place; kept, because making it takes longer than most calls."""
    return {entry: k for k, entry in enumerate(_entries(vocabulary, np.frombuffer(offsets, np.int64).tolist()))}


@operator(
    _string_lookup_types,
    exact,
    weights={"vocabulary": True, "offsets": True},
    check_weights=_check_strings,
    strings=True,
)
def string_lookup(x: Array, vocabulary: Array, offsets: Array) -> Array:
    """The place of x among the entries, or -1. Source: spec/ops/lookup.md."""
    places = _places(vocabulary.tobytes(), offsets.tobytes())
    found = (places.get(item, -1) for item in x.ravel().tolist())
    return np.fromiter(found, np.int64, x.size).reshape(x.shape)
