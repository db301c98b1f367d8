"""spec/ops: bucketize.md, lookup.md: the place of an element among boundaries, or in a vocabulary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from naive.arithmetic import Number
from naive.arrays import NUMBERS, STRING, Array
from naive.errors import Refused, require
from naive.operators.operator import Call, Operator, Site, Type, check_dtype


def check_list(weights: Mapping[str, Array], role: str, dtype: str) -> None:
    weight = weights[role]
    require(weight.dtype == dtype, "dtype-mismatch", f"/weights/{role}", dtype, weight.dtype)
    require(len(weight.shape) == 1, "weight-shape", f"/weights/{role}", "1 dimension", weight.shape)


def infer_bucketize(site: Site) -> Type:
    (x,) = site.inputs
    check_dtype(x, NUMBERS)  # C1
    check_list(site.weights, "boundaries", x.dtype)  # C1, C2
    boundaries = site.weights["boundaries"].data
    ascend = all(-math.inf < v < math.inf for v in boundaries) and all(v < w for v, w in pairwise(boundaries))
    require(ascend, "boundaries-order", "/weights/boundaries", "finite numbers that ascend", boundaries)  # C3
    return Type("int32", x.shape)


def compute_bucketize(call: Call) -> list[Number]:
    boundaries = call.weights["boundaries"].data
    return [sum(1 for boundary in boundaries if boundary <= x) for x in call.inputs[0].data]


def check_entries(entries: Sequence[Any]) -> None:
    distinct = len(set(entries)) == len(entries)
    require(distinct, "vocabulary-invalid", "/weights/vocabulary", "entries that are all different", entries)


def places(entries: Sequence[Any], elements: Sequence[Any]) -> list[Number]:
    known = {entry: k for k, entry in enumerate(entries)}
    return [known.get(x, -1) for x in elements]


def infer_integer_lookup(site: Site) -> Type:
    (x,) = site.inputs
    check_dtype(x, ["int64"])  # C1
    check_list(site.weights, "vocabulary", "int64")  # C1, C2
    check_entries(site.weights["vocabulary"].data)  # C3
    return Type("int64", x.shape)


def compute_integer_lookup(call: Call) -> list[Number]:
    return places(call.weights["vocabulary"].data, call.inputs[0].data)


def strings(vocabulary: list[int], offsets: list[int]) -> list[str]:
    """The entries, each of which must be UTF-8 by itself."""
    ascend = all(start <= end for start, end in pairwise(offsets))
    sound = ascend and offsets[0] == 0 and offsets[-1] == len(vocabulary)
    require(sound, "vocabulary-invalid", "/weights/offsets", f"0 to {len(vocabulary)}, ascending", offsets)  # C3
    try:
        return [bytes(vocabulary[start:end]).decode() for start, end in pairwise(offsets)]
    except UnicodeDecodeError as error:
        raise Refused("vocabulary-invalid", "/weights/vocabulary", "entries of UTF-8", str(error)) from error  # C3


def infer_string_lookup(site: Site) -> Type:
    (x,) = site.inputs
    check_dtype(x, [STRING])  # C1
    check_list(site.weights, "vocabulary", "uint8")  # C1, C2
    check_list(site.weights, "offsets", "int64")  # C1, C2
    check_entries(strings(site.weights["vocabulary"].data, site.weights["offsets"].data))  # C3
    return Type("int64", x.shape)


def compute_string_lookup(call: Call) -> list[Number]:
    return places(strings(call.weights["vocabulary"].data, call.weights["offsets"].data), call.inputs[0].data)


OPERATORS = {
    "bucketize@1": Operator(infer_bucketize, compute_bucketize, weights={"boundaries": True}),
    "integer_lookup@1": Operator(infer_integer_lookup, compute_integer_lookup, weights={"vocabulary": True}),
    "string_lookup@1": Operator(
        infer_string_lookup, compute_string_lookup, weights={"vocabulary": True, "offsets": True}
    ),
}
