"""Mistakes with indices: take, take_along_axis, embedding, one_hot, positions; and in lookups."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mutants.moving import computing, mistake, shaping, taking
from mutants.mutant import Mutant, Patch, changing, of_numbers
from naive.arithmetic import Number
from naive.arrays import Array, elements, wrap
from naive.operators import indexing, lookup
from naive.operators.operator import Call, Site, Type

FROM_END = "a negative index counts from the end"
INDEXED = ("take", "take_along_axis", "embedding")

right_counted = indexing.counted


def of_indices(name: str, says: str, counted: Callable[[int, int], int]) -> Mutant:
    """Another place for an index, in all that have one."""
    change = patch.object(indexing, "counted", counted)
    return of_numbers(f"indices: {name}", says, change, page="ops/take.md", groups=INDEXED)


def in_8_bits(op: str, place: int, to: str = "int8") -> Patch:
    """Indices of 8 bits, to which the number of elements is added in as many."""
    right = indexing.OPERATORS[f"{op}@1"]

    def compute(call: Call) -> list[Number]:
        indices = call.inputs[place]
        if indices.dtype not in ("int8", "uint8"):
            return right.compute(call)
        n = len(call.weights["embeddings"].data) // call.shape[-1] if op == "embedding" else call.inputs[0].shape[1]
        narrow = [wrap(k, "int8") for k in indices.data] if to == "int8" else indices.data
        places = [min(max(wrap(k + wrap(n, "int8"), "int8"), 0), n - 1) if k < 0 else k for k in narrow]
        inputs = [*call.inputs[:place], Array("int32", indices.shape, places), *call.inputs[place + 1 :]]
        return right.compute(replace(call, inputs=inputs))

    return changing(op, compute=compute)


def of_8_bits(op: str, place: int) -> Mutant:
    return mistake(f"{op}: indices stay in 8 bits", "k = k + n, in integers that hold it", in_8_bits(op, place))


def first_rows_indices(call: Call) -> list[Number]:
    indices = call.inputs[1]
    n = elements(indices.shape[1:])
    same = Array(indices.dtype, indices.shape, indices.data[:n] * indices.shape[0])
    return indexing.compute_take_along_axis(replace(call, inputs=[call.inputs[0], same]))


def along_axis_1(call: Call) -> list[Number]:
    return indexing.compute_take_along_axis(replace(call, attributes={"axis": 1}))


def taken_before(call: Call) -> list[Number]:
    """The indices come first: those of each row are parted by what lies before the axis."""
    x, indices = call.inputs
    outer, inner = elements(x.shape[: call.attributes["axis"]]), elements(x.shape[call.attributes["axis"] + 1 :])
    n = x.shape[call.attributes["axis"]]
    places = [right_counted(k, n) for k in indices.data]
    return [x.data[(o * n + k) * inner + i] for k in places for o in range(outer) for i in range(inner)]


def scalar_of_1(site: Site) -> Type:
    made = indexing.infer_take(site)
    axis = site.attributes["axis"]
    return made if site.inputs[1].shape else Type(made.dtype, (*made.shape[:axis], 1, *made.shape[axis:]))


def columns(call: Call) -> list[Number]:
    """The table is read column by column."""
    table = call.weights["embeddings"]
    rows, width = table.shape
    turned = [table.data[j * rows + k] for k in range(rows) for j in range(width)]
    return indexing.compute_embedding(replace(call, weights={"embeddings": Array(table.dtype, table.shape, turned)}))


def hot(find: Callable[[int, int], int]) -> Callable[[Call], list[Number]]:
    def compute(call: Call) -> list[Number]:
        x, n = call.inputs[0], call.attributes["num_classes"]
        places = Array(x.dtype, x.shape, [find(k, n) for k in x.data])
        return indexing.compute_one_hot(replace(call, inputs=[places]))

    return compute


ZEROS = "an index below 0, or num_classes or larger, gives a row of zeros"
PICKED = "y[(o · count + j) · inner + i] = x[(o · n + k) · inner + i]"

INDICES = (
    of_indices("negative ones are 0", FROM_END, lambda k, n: max(right_counted(k, n), 0) if k >= 0 else 0),
    of_indices("−1 is the last but one", FROM_END, lambda k, n: k if k >= 0 else max(k + n - 1, 0)),
    of_indices("from 1", "index 0 is the first", lambda k, n: max(right_counted(k, n) - 1, 0)),
    of_8_bits("take", 1),
    of_8_bits("take_along_axis", 1),
    of_8_bits("embedding", 0),
    computing("take: indices in front", PICKED, taken_before),
    shaping("take: a scalar leaves an axis of 1", "a scalar takes that axis out", scalar_of_1),
    computing(
        "take_along_axis: the indices of the first row", "indices of their own for every place", first_rows_indices
    ),
    computing("take_along_axis: always along axis 1", "the index, at axis", along_axis_1),
    taking(
        "take_along_axis: indices of any shape",
        "indices has the rank of x, and its dimensions",
        indexing,
        "operand-shape",
    ),
    computing("embedding: column by column", "y[…, j] = embeddings[x[…], j]", columns),
    taking("embedding: a table of any rank", "embeddings has 2 dimensions", indexing, "weight-shape"),
    computing("one_hot: negative indices count from the end", ZEROS, hot(lambda k, n: k + n if k < 0 else k)),
    computing("one_hot: beyond the last class is the last", ZEROS, hot(lambda k, n: min(k, n - 1))),
    computing("one_hot: below the first class is the first", ZEROS, hot(lambda k, n: max(k, 0))),
    computing("one_hot: classes from 1", "1 where x[i] = j", hot(lambda k, n: k - 1)),
    computing("one_hot: indices of 32 bits", "1 where x[i] = j", hot(lambda k, n: wrap(k, "int32"))),
    computing("one_hot: indices of 8 bits", "1 where x[i] = j", hot(lambda k, n: wrap(k, "uint8"))),
    computing("positions: from 1", "0, 1, 2, …", lambda call: [k + 1 for k in indexing.compute_positions(call)]),
    computing("positions: backwards", "0, 1, 2, …", lambda call: indexing.compute_positions(call)[::-1]),
)


# Lookups


def bucket(holds: Callable[[Any, Any], bool], first: int = 0) -> Callable[[Call], list[Number]]:
    def compute(call: Call) -> list[Number]:
        boundaries = call.weights["boundaries"].data
        return [first + sum(holds(boundary, x) for boundary in boundaries) for x in call.inputs[0].data]

    return compute


def found(op: str, name: str, says: str, places: Callable[[Sequence[Any], Sequence[Any]], list[Number]]) -> Mutant:
    """Another place for what is looked up."""
    return mistake(f"{op}: {name}", says, patch.object(lookup, "places", places), page="lookup")


right_places = lookup.places


def alike(change: Callable[[Any], Any]) -> Callable[[Sequence[Any], Sequence[Any]], list[Number]]:
    """Elements are equal where they are so after a change."""
    return lambda entries, items: right_places([change(entry) for entry in entries], [change(item) for item in items])


def of_sorted(entries: Sequence[Any], items: Sequence[Any]) -> list[Number]:
    return right_places(sorted(entries), items)


def unknown_is_0(entries: Sequence[Any], items: Sequence[Any]) -> list[Number]:
    return [max(k, 0) for k in right_places(entries, items)]


def one_more(entries: Sequence[Any], items: Sequence[Any]) -> list[Number]:
    return [k + 1 for k in right_places(entries, items)]


def without_empty(entries: Sequence[Any], items: Sequence[Any]) -> list[Number]:
    return [k if item else -1 for k, item in zip(right_places(entries, items), items, strict=True)]


def by_beginning(entries: Sequence[Any], items: Sequence[Any]) -> list[Number]:
    """The first entry that begins with the string."""
    return [next((k for k, entry in enumerate(entries) if entry.startswith(item)), -1) for item in items]


SAME_BYTES = "strings are equal where their UTF-8 has the same bytes"
PLACE = "k where x is entry k, −1 where it is none"

LOOKUPS = (
    computing(
        "bucketize: a boundary belongs to the bucket below",
        "how many boundaries are at most x",
        bucket(lambda b, x: b < x),
    ),
    computing("bucketize: buckets from 1", "0 below the first", bucket(lambda b, x: b <= x, 1)),
    computing(
        "bucketize: compared as float64", "comparisons in the dtype of x", bucket(lambda b, x: float(b) <= float(x))
    ),
    computing(
        "bucketize: compared in 32 bits",
        "comparisons in the dtype of x",
        bucket(lambda b, x: wrap(b, "int32") <= wrap(x, "int32") if isinstance(x, int) else b <= x),
    ),
    computing(
        "bucketize: compared in 8 bits with a sign",
        "comparisons in the dtype of x",
        lambda call: bucket(
            (lambda b, x: wrap(b, "int8") <= wrap(x, "int8"))
            if call.inputs[0].dtype == "uint8"
            else (lambda b, x: b <= x)
        )(call),
    ),
    taking("bucketize: boundaries in any order", "each is larger than the one before it", lookup, "boundaries-order"),
    *(
        mutant
        for op in ("integer_lookup", "string_lookup")
        for mutant in (
            found(op, "places in the sorted vocabulary", PLACE, of_sorted),
            found(op, "0 where it is none", PLACE, unknown_is_0),
            found(op, "places from 1, as Keras counts", PLACE, one_more),
        )
    ),
    found("integer_lookup", "integers as float64", PLACE, alike(float)),
    found("integer_lookup", "integers of 32 bits", PLACE, alike(lambda k: wrap(k, "int32"))),
    found("string_lookup", "upper and lower case", SAME_BYTES, alike(str.lower)),
    found("string_lookup", "white space left out", SAME_BYTES, alike(str.strip)),
    found("string_lookup", "in normal form C", SAME_BYTES, alike(lambda text: unicodedata.normalize("NFC", text))),
    found("string_lookup", "up to U+0000", SAME_BYTES, alike(lambda text: text.partition("\0")[0])),
    found("string_lookup", "the first 255 bytes", SAME_BYTES, alike(lambda text: text.encode()[:255])),
    found("string_lookup", "Latin letters alone", SAME_BYTES, alike(lambda text: text.encode("latin-1", "replace"))),
    found(
        "string_lookup", "the empty string is none", "the empty string is found where an entry is empty", without_empty
    ),
    found("string_lookup", "the beginning of an entry", SAME_BYTES, by_beginning),
    *(
        taking(
            f"{op}: an entry twice",
            "no two entries of the vocabulary are equal",
            lookup,
            "vocabulary-invalid",
            at="*/vocabulary",
            page="lookup",
        )
        for op in ("integer_lookup", "string_lookup")
    ),
    taking(
        "string_lookup: offsets of any kind",
        "offsets begin with 0, none is smaller than the one before it",
        lookup,
        "vocabulary-invalid",
        at="*/offsets",
        page="lookup",
    ),
)

MUTANTS = (*INDICES, *LOOKUPS)
