"""bucketize, integer_lookup, string_lookup."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.positive.declare import declare, empty_batch, lengths, repeated, special
from generate.positive.values import constant

SHAPE = "The shape of x."
DEEP = (2, 1, 3, 1, 2, 1, 1, 2)


# bucketize

AT_MOST = "y is how many boundaries are at most x: 0 below the first, n from the last on."
ABOVE = "A boundary itself falls into the bucket above it."
COMPARED = "Comparisons in the dtype of x."
INT32 = "The dtype of y is int32."


def _bucketize(x: Any, *boundaries: float, **shapes: Any) -> Graph:
    return one("bucketize", x, weights={"boundaries": np.array(boundaries, x.dtype)}, **shapes)


def _around(boundaries: Sequence[float]) -> Any:
    """Each boundary and its neighbours."""
    centre = np.array(boundaries, np.float32)
    return np.stack([np.nextafter(centre, np.float32(-9e9)), centre, np.nextafter(centre, np.float32(9e9))])


FEW = (-1.5, 0.25, 0.5, 2.0)

declare("bucketize/rank-2", "Below, between and beyond.", AT_MOST, lambda r: _bucketize(r.uniform(-3, 4, 4, 6), *FEW))
declare("bucketize/boundaries", "The boundaries and their neighbours.", ABOVE, lambda r: _bucketize(_around(FEW), *FEW))
declare(
    "bucketize/one-boundary",
    "Two buckets.",
    ABOVE,
    lambda r: _bucketize(np.array([[-1, 0, 0.5, -0.0]], np.float32), 0.0),
)
declare(
    "bucketize/many",
    "Thirty-three boundaries, of all magnitudes.",
    AT_MOST,
    lambda r: _bucketize(r.powers(-9, 9, 4, 9), *sorted(sign * 10.0**k for sign in (-1, 1) for k in range(-8, 8)), 1e9),
)
for _name, _shape in (("rank-1", (7,)), ("rank-4", (2, 3, 2, 2)), ("rank-8", DEEP)):
    declare(
        f"bucketize/{_name}",
        "Every element by itself.",
        SHAPE,
        lambda r, shape=_shape: _bucketize(r.uniform(-3, 3, *shape), *FEW),
    )
for _dtype, _x, _boundaries in (
    ("int8", (-128, -127, -1, 0, 126, 127), (-127, 0, 127)),
    ("uint8", (0, 127, 128, 200, 254, 255), (1, 128, 200, 255)),
    ("int32", (2**24, 2**24 + 1, 2**24 + 2, -(2**31), 2**31 - 1), (-(2**31), 2**24 + 1, 2**31 - 1)),
    ("int64", (2**53, 2**53 + 1, 2**53 + 2, -(2**63), 2**63 - 1, 2**32), (2**32 + 1, 2**53 + 1, 2**63 - 1)),
):
    declare(
        f"bucketize/{_dtype}",
        "Integers, some of which are beyond those that floats hold.",
        COMPARED,
        lambda r, dtype=_dtype, x=_x, boundaries=_boundaries: _bucketize(np.array([x], dtype), *boundaries),
    )
declare(
    "bucketize/symbolic",
    "A dimension that only running tells.",
    INT32,
    lambda r: _bucketize(r.uniform(-3, 3, 2, 5), *FEW, shapes=[("batch", "time")], shape=("batch", "time")),
)


def _embedded(r: Draw) -> Graph:
    """A constant's buckets, and rows of a table for those of the batch."""
    graph = Graph()
    boundaries = np.array(FEW, np.float32)
    x = graph.input("x", r.uniform(-3, 3, 4, 3))
    buckets = graph.apply("buckets", "bucketize", x, weights={"boundaries": boundaries})
    rows = graph.apply("rows", "embedding", buckets, weights={"embeddings": r.normal(5, 2)})
    value = constant(graph, "value", r.uniform(-3, 3, 3, 2))
    other = graph.apply("other", "bucketize", value, weights={"boundaries": "buckets/boundaries"}, shape=(3, 2))
    numbers = graph.apply("numbers", "cast", other, shape=(3, 2), dtype="float32")
    graph.outputs.append(graph.apply("y", "add", rows, numbers))
    return graph


declare("bucketize/constant", "A value without a batch, beside one with it.", INT32, _embedded)
special(
    "bucketize/infinities",
    "Infinities are numbers beyond all boundaries.",
    "+∞ gives n, −∞ gives 0.",
    lambda r: _bucketize(repeated([[np.inf, -np.inf, 0, 3e38, -3e38]]), -3e38, 0, 1, 3e38),
)
empty_batch("bucketize", lambda r: _bucketize(r.normal(0, 3), *FEW))
lengths("bucketize", lambda r, n: _bucketize(r.uniform(-3, 3, n, 2), *FEW))


# integer_lookup

ENTRIES = "Entry k is vocabulary[k] for `integer_lookup`."
NONE = "| `integer_lookup@1` | k where x is vocabulary[k], −1 where it is none | exact | none |"
INT64 = "The dtype of y is int64."


def _integers(x: Any, *vocabulary: int, **shapes: Any) -> Graph:
    return one("integer_lookup", x, weights={"vocabulary": np.array(vocabulary, np.int64)}, **shapes)


WORDS = (12, 7, -3, 100, 0)

declare(
    "integer_lookup/rank-2",
    "Integers that the vocabulary has, in no order, and others.",
    NONE,
    lambda r: _integers(np.array([[7, -3, 12, 5], [100, 0, -7, 101], [1, 2, 3, 4]]), *WORDS),
)
for _name, _shape in (("rank-1", (9,)), ("rank-3", (2, 3, 4)), ("rank-8", DEEP)):
    declare(
        f"integer_lookup/{_name}",
        "Every element by itself.",
        SHAPE,
        lambda r, shape=_shape: _integers(r.random.choice([*WORDS, 1, -12], shape).astype(np.int64), *WORDS),
    )
declare(
    "integer_lookup/one-entry", "A vocabulary of one entry.", ENTRIES, lambda r: _integers(np.array([[4, 5, 6, -5]]), 5)
)
declare(
    "integer_lookup/large",
    "Integers that only 64 bits tell apart, and the ends of the dtype.",
    "y[i] = −1",
    lambda r: _integers(
        np.array([[2**53, 2**53 + 1, 2**32 + 5, 5, 2**63 - 1, -(2**63), -1, 2**63 - 2]]),
        2**53 + 1,
        5,
        -(2**63),
        2**63 - 1,
    ),
)
declare(
    "integer_lookup/many",
    "A vocabulary of two hundred entries.",
    "A hash table does the same as the loop.",
    lambda r: _integers(
        r.integers(-500, 500, 4, 12, dtype="int64"), *(r.random.permutation(1000)[:200] - 500).tolist()
    ),
)
declare(
    "integer_lookup/symbolic",
    "A dimension that only running tells.",
    INT64,
    lambda r: _integers(
        np.array([[7, 8, 0], [12, -3, 1]]), *WORDS, shapes=[("batch", "time")], shape=("batch", "time")
    ),
)


def _integer_constant(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.integers(0, 100, 2, 4, dtype="int64"))
    vocabulary = {"vocabulary": np.array(WORDS, np.int64)}
    found = graph.apply(
        "found", "integer_lookup", constant(graph, "value", np.array([7, 8, 0, -3])), weights=vocabulary, shape=(4,)
    )
    graph.outputs.append(graph.apply("y", "add", x, found))
    return graph


declare("integer_lookup/constant", "A value without a batch.", ENTRIES, _integer_constant)
empty_batch("integer_lookup", lambda r: _integers(np.zeros((0, 3), np.int64), *WORDS))
lengths("integer_lookup", lambda r, n: _integers(r.integers(-4, 13, n, 2, dtype="int64"), *WORDS))


# string_lookup

EQUAL = (
    "Strings are equal where their UTF-8 has the same bytes: upper and lower case differ, no white space is left out, "
    'and nothing is brought into a normal form ("é" as one character and as two are different).'
)
JOINED = "The vocabulary of `string_lookup` is the UTF-8 of all its entries, one behind the other"
ANY_EMPTY = "An entry may be empty, but not all of them"
FOUND = (
    "| `string_lookup@1` | k where x is entry k, −1 where it is none | exact "
    "| the empty string is found where an entry is empty |"
)
CHARACTERS = "A string is a sequence of Unicode characters, in a runtime that keeps bytes: their UTF-8."


def _strings(x: Any, *entries: str, **shapes: Any) -> Graph:
    parts = [entry.encode() for entry in entries]
    weights = {
        "vocabulary": np.frombuffer(b"".join(parts), np.uint8),
        "offsets": np.array([0, *accumulate(map(len, parts))], np.int64),
    }
    return one("string_lookup", np.array(x, object), weights=weights, **shapes)


COLOURS = ("red", "green", "blue", "yellow")

declare(
    "string_lookup/rank-2",
    "Strings that the vocabulary has, in no order, and others.",
    "y[i] = −1",
    lambda r: _strings([["blue", "red", "pink"], ["green", "yellow", ""], ["bluered", "re", "reds"]], *COLOURS),
)
for _name, _shape in (("rank-1", (9,)), ("rank-3", (2, 3, 4)), ("rank-8", DEEP)):
    declare(
        f"string_lookup/{_name}",
        "Every element by itself.",
        SHAPE,
        lambda r, shape=_shape: _strings(r.random.choice([*COLOURS, "black"], shape).astype(object), *COLOURS),
    )
declare(
    "string_lookup/bytes",
    "Case, blanks, normal forms, and characters that look alike.",
    EQUAL,
    lambda r: _strings(
        [
            ["a", "A", " a", "a ", "a\t", "a\n", "\ufeffa"],
            ["é", "e\u0301", "É", "E", "e", "ß", "ss"],
            ["ﬁ", "fi", "Å", "\u212b", "А", "\u0130", "i"],
        ],
        *("a ", "A", "é", "ﬁ", "ß", "\u212b", "i\u0307"),
    ),
)
declare(
    "string_lookup/characters",
    "Characters of one to four bytes, and of several code points.",
    CHARACTERS,
    lambda r: _strings(
        [["né", "漢字", "𝄞", "👩‍👩‍👧", "שלום"], ["漢", "\U0010ffff", "\uffff", "n", "👩"]],
        *("né", "漢字", "𝄞", "👩‍👩‍👧", "שלום", "\U0010ffff"),
    ),
)
declare(
    "string_lookup/prefixes",
    "Entries that begin or end like others, and what two of them make together.",
    JOINED,
    lambda r: _strings(
        [["a", "ab", "abc", "b", "bc", "c"], ["aab", "ba", "cb", "abcb", "", "ac"]], "abc", "ab", "a", "c", "bc"
    ),
)
declare(
    "string_lookup/empty-entry",
    "An entry of no bytes, between others, and a string of none.",
    FOUND,
    lambda r: _strings([["", "a", "né", " ", "an"]], "a", "", "né"),
)
declare(
    "string_lookup/empty-first-and-last",
    "An empty entry in front.",
    ANY_EMPTY,
    lambda r: _strings([["", "x", "y"]], "", "x"),
)
declare(
    "string_lookup/nul",
    "U+0000 is a character like any other.",
    EQUAL,
    lambda r: _strings([["a", "a\0", "a\0b", "\0", ""]], "a\0b", "a", "\0"),
)
declare(
    "string_lookup/long",
    "Strings of hundreds of characters, which differ in the last alone.",
    EQUAL,
    lambda r: _strings([["é" * 300 + "a", "é" * 300 + "b", "é" * 300]], "é" * 300 + "b", "é" * 300),
)
declare(
    "string_lookup/numbers",
    "Strings that look like numbers.",
    EQUAL,
    lambda r: _strings([["1", "1.0", "01", "+1", "nan", "-1"]], "1.0", "1", "nan"),
)
declare(
    "string_lookup/many",
    "A vocabulary of a hundred entries.",
    "A hash table does the same as the loop.",
    lambda r: _strings(
        [[f"w{k}" for k in range(row, 120, 17)][:6] for row in range(4)], *(f"w{k * 37 % 101}" for k in range(100))
    ),
)
declare(
    "string_lookup/symbolic",
    "A dimension that only running tells.",
    INT64,
    lambda r: _strings(
        [["red", "x"], ["blue", "green"]], *COLOURS, shapes=[("batch", "time")], shape=("batch", "time")
    ),
)


def _colours(r: Draw) -> Graph:
    """Strings beside numbers: rows of a table, of which the last is for strings that are no entry."""
    graph = _strings([["blue", "pink"], ["red", "red"], ["yellow", ""]], *COLOURS)
    numbers = graph.input("numbers", r.normal(3, 2, 3))
    rows = graph.apply("rows", "embedding", graph.outputs.pop(), weights={"embeddings": r.normal(5, 3)})
    graph.outputs.append(graph.apply("sum", "add", rows, numbers))
    return graph


declare("string_lookup/embedded", "Strings, numbers, and a table of rows for strings.", NONE, _colours)
empty_batch("string_lookup", lambda r: _strings(np.empty((0, 3), object), *COLOURS))
lengths("string_lookup", lambda r, n: _strings(r.random.choice([*COLOURS, ""], (n, 2)).astype(object), *COLOURS))
