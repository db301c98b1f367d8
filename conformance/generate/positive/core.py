"""dense, constant, identity, cast."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, one
from generate.pages import quote
from generate.positive.declare import FLUSHED, ROWS, declare, empty_batch, lengths, repeated, special

KEPT = "All numbers are kept, NaN and infinities too."

# dense

MULTIPLIED = "y[…, u] = Σᵢ x[…, i] · kernel[i, u] + bias[u]"
UNITS = "(d₀, …, dᵣ₋₂, in) → (d₀, …, dᵣ₋₂, units), where units is the last dimension of kernel."
OTHER_AXES = "All axes but the last stay as they are, symbols too."
ORDER = "Any order of the terms; the bias may be added first; fused multiply-add is allowed."
SUM = "A = Σᵢ |x[…, i]| · |kernel[i, u]| + |bias[u]|. K = in, plus 1 where there is a bias."
ZEROS = "Where such a number meets a kernel of 0, IEEE 754 gives NaN (0 · ∞ = NaN); do not skip zeros."


def _dense(x: Any, kernel: Any, bias: Any = None, **shapes: Any) -> Graph:
    return one("dense", x, weights={"kernel": kernel} if bias is None else {"kernel": kernel, "bias": bias}, **shapes)


declare("dense/rank-2", "The plain layer.", MULTIPLIED, lambda r: _dense(r.normal(5, 6), r.normal(6, 4), r.normal(4)))
declare(
    "dense/no-bias",
    "Without a bias.",
    "| bias | may be absent: nothing is added | as x | (units,) |",
    lambda r: _dense(r.normal(3, 6), r.normal(6, 4)),
)
declare(
    "dense/rank-3",
    "The last axis alone is multiplied.",
    UNITS,
    lambda r: _dense(r.normal(2, 5, 3), r.normal(3, 4), r.normal(4)),
)
declare(
    "dense/rank-5",
    "Five dimensions.",
    OTHER_AXES,
    lambda r: _dense(r.normal(2, 3, 1, 4, 5), r.normal(5, 6), r.normal(6)),
)
declare(
    "dense/rank-8",
    "As many dimensions as the format allows.",
    OTHER_AXES,
    lambda r: _dense(r.normal(2, 1, 3, 1, 2, 1, 1, 4), r.normal(4, 3), r.normal(3)),
)
declare(
    "dense/one-by-one",
    "One number in, one out.",
    MULTIPLIED,
    lambda r: _dense(r.normal(4, 1), r.normal(1, 1), r.normal(1)),
)
declare("dense/wide", "Many units.", UNITS, lambda r: _dense(r.normal(2, 3), r.normal(3, 130), r.normal(130)))
declare("dense/deep", "Sums of many terms.", SUM, lambda r: _dense(r.normal(3, 900), r.normal(900, 2), r.normal(2)))
declare(
    "dense/many-rows",
    "More than a thousand rows at once.",
    ROWS,
    lambda r: _dense(r.normal(1030, 2), r.normal(2, 1), r.normal(1)),
)
declare(
    "dense/all-positive",
    "Sums that only grow: the error of an accumulator shows.",
    "Accumulate in the dtype of x or better.",
    lambda r: _dense(r.uniform(0.5, 1, 3, 700), r.uniform(0.5, 1, 700, 2), r.uniform(0.5, 1, 2)),
)
declare(
    "dense/symbolic-time",
    "A dimension beside the batch that only running tells.",
    OTHER_AXES,
    lambda r: _dense(
        r.normal(2, 5, 3), r.normal(3, 4), r.normal(4), shapes=[("batch", "time", 3)], shape=("batch", "time", 4)
    ),
)


def _cancelling(r: Draw) -> Graph:
    """Each pair of neighbouring terms cancels to a thousandth."""
    half, kernel = r.normal(3, 20), np.repeat(r.normal(20, 4), 2, axis=0)
    x = np.stack([half, -half * np.float32(0.999)], axis=-1).reshape(3, 40)
    return _dense(x, kernel, r.normal(4, scale=1e-3))


declare("dense/cancellation", "Terms that cancel to a thousandth of their size.", ORDER, _cancelling)
declare(
    "dense/scales",
    "Terms from 1e-15 to 1e15 within one sum.",
    ORDER,
    lambda r: _dense(r.powers(-8, 8, 4, 12), r.powers(-7, 7, 12, 3), r.powers(-15, 15, 3)),
)
declare(
    "dense/tiny",
    "Products near the smallest normal number.",
    FLUSHED,
    lambda r: _dense(r.powers(-30, -28, 3, 5), r.normal(5, 2)),
)
declare(
    "dense/huge",
    "Products near the largest number.",
    SUM,
    lambda r: _dense(r.uniform(-1e30, 1e30, 3, 5), r.uniform(-1e6, 1e6, 5, 2)),
)
special(
    "dense/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: _dense(np.array([[1e-39, 1, 1e-45], [-1e-42, 2, 0]], np.float32), r.uniform(-1, 1, 3, 2)),
)
empty_batch("dense", lambda r: _dense(r.normal(0, 3), r.normal(3, 2), r.normal(2)))
lengths("dense", lambda r, n: _dense(r.normal(n, 5), r.normal(5, 3), r.normal(3)))
special(
    "dense/not-finite",
    "NaN makes its own row NaN and no other; an infinity keeps its sign.",
    "NaN or an infinity in a row of x stays within that row.",
    lambda r: _dense(
        np.array([[np.nan, 1, 2], [3, 2, 1], [np.inf, 1, 1], [-np.inf, 1, 1]], np.float32),
        np.array([[1, -2], [0.5, 3], [-1, 1]], np.float32),
        r.normal(2),
    ),
)
special(
    "dense/infinity-times-zero",
    "Infinities of x meet a kernel of 0: that is NaN, so zeros of the kernel must not be skipped.",
    ZEROS,
    lambda r: _dense(
        np.array([[np.inf, 1, 2], [3, -np.inf, 1], [1, 2, 3]], np.float32),
        np.array([[0, -2, 1], [0.5, 0, -1], [-1, 1, 0]], np.float32),
        r.normal(3),
    ),
)


def _nonfinite_kernel(r: Draw) -> Graph:
    graph = _dense(
        np.array([[0, 1, 2], [1, 0, 2], [-1, 0.5, 0]], np.float32),
        np.array([[np.inf, 1, 0.5, 1], [2, np.nan, -1, 2], [1, 2, -np.inf, 3]], np.float32),
        r.normal(4),
    )
    graph.requires.append("feature:nonfinite")
    return graph


special(
    "dense/nonfinite-kernel",
    "Zeros of x meet NaN and infinities of the kernel: they must not be skipped. The last unit is finite.",
    "do not skip zeros",
    _nonfinite_kernel,
)


def _shared_kernel(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(3, 4))
    first = graph.apply("first", "dense", x, weights={"kernel": r.normal(4, 4), "bias": r.normal(4)})
    second = graph.apply("second", "dense", first, weights={"kernel": "first/kernel"})
    graph.outputs += [second, first]
    return graph


declare(
    "dense/shared-kernel",
    "Two layers name one tensor; the second has no bias. Two outputs.",
    quote("format.md", "Several layers may use one tensor."),
    _shared_kernel,
)


# constant

SAME = "It has no symbols, and so no batch: the value is the same for every row."


def _added(constant: Any, x: Any) -> Graph:
    graph = Graph()
    node = graph.input("x", x)
    value = graph.apply("value", "constant", weights={"value": constant}, shape=constant.shape)
    graph.outputs.append(graph.apply("y", "add", node, value))
    return graph


def _nonfinite_constant(r: Draw) -> Graph:
    graph = _added(np.array([np.nan, np.inf, -np.inf, 1], np.float32), r.normal(3, 4))
    graph.requires.append("feature:nonfinite")
    return graph


declare(
    "constant/rank-1", "Along the last axis.", "The shape of value.", lambda r: _added(r.normal(4), r.normal(3, 5, 4))
)
declare("constant/rank-2", "A matrix for every row.", SAME, lambda r: _added(r.normal(5, 4), r.normal(3, 5, 4)))
declare(
    "constant/rank-0",
    "A single number.",
    "any, a scalar too",
    lambda r: _added(np.asarray(r.normal()), r.normal(3, 4)),
)
declare(
    "constant/rank-4",
    "Four dimensions, of which the last is stretched.",
    "The shape of value.",
    lambda r: _added(r.normal(1, 3, 5, 1), r.normal(2, 3, 5, 4)),
)
declare(
    "constant/rank-8",
    "As many dimensions as the format allows.",
    "The shape of value.",
    lambda r: _added(r.normal(1, 1, 3, 1, 2, 1, 1, 2), r.normal(2, 1, 3, 1, 2, 1, 1, 2)),
)
declare(
    "constant/row",
    "A first dimension of 1 stands for every row.",
    SAME,
    lambda r: _added(r.normal(1, 4), r.normal(3, 4)),
)
empty_batch(
    "constant",
    lambda r: _added(r.normal(4), r.normal(0, 4)),
    "The batch has no part in it: with an empty batch, y is the same.",
)


def _kept(r: Draw) -> Graph:
    """Constants of every shape that a result in their place would have, read by several layers and after them."""
    graph = Graph()
    x = graph.input("x", r.normal(3, 4))
    for shape in ((4,), (1, 4), ()):
        name = f"value {'x'.join(map(str, shape))}"
        value = graph.apply(name, "constant", weights={"value": np.asarray(r.normal(*shape))}, shape=shape)
        active = graph.apply(f"{name} relu", "relu", value, shape=shape)
        square = graph.apply(f"{name} square", "multiply", value, active, shape=shape)
        for node in (square, active, value):
            graph.outputs.append(graph.apply(f"{node.name} + x", "add", node, x))
    return graph


declare(
    "constant/kept",
    "Constants through layers of their own, without a batch; what is computed in their place changes the next call.",
    SAME,
    _kept,
    calls=True,
)
special("constant/not-finite", "NaN and infinities are data like any other.", KEPT, _nonfinite_constant)


# identity


def _identity(dtype: str) -> None:
    declare(
        f"identity/{dtype}",
        f"{dtype} in, the same out.",
        "The shape of x; the dtype too.",
        lambda r: one("identity", r.integers(0, 2, 3, 4, dtype=dtype)),
    )


for _dtype in ("float32", "float64", "int32", "int64", "int8", "uint8", "bool"):
    _identity(_dtype)
for _shape in ((6,), (2, 3, 4), (2, 3, 5, 4), (2, 1, 3, 1, 2, 1, 1, 2)):
    declare(
        f"identity/rank-{len(_shape)}",
        "Another number of dimensions.",
        "The shape of x; the dtype too.",
        lambda r, shape=_shape: one("identity", r.normal(*shape)),
    )
empty_batch("identity", lambda r: one("identity", r.normal(0, 3)))
lengths("identity", lambda r, n: one("identity", r.normal(n)))
special(
    "identity/subnormal",
    "Numbers below the smallest normal one, which may count as 0.",
    FLUSHED,
    lambda r: one("identity", np.array([[1e-39, -1e-45]], np.float32)),
)
special(
    "identity/not-finite",
    "NaN and infinities are data like any other.",
    KEPT,
    lambda r: one("identity", repeated([[np.nan, np.inf, -np.inf, -0.0]])),
)


def _unchanged(r: Draw) -> Graph:
    graph = Graph()
    graph.outputs.append(graph.input("x", r.normal(3, 4)))
    return graph


declare(
    "identity/no-layer",
    "A model without a layer: its input is its output.",
    quote("format.md", "list of layers in topological order; may be empty"),
    _unchanged,
)


# cast

TO_BOOL = "| any | bool | true where v ≠ 0, NaN included; false where v is 0 or −0 |"
FROM_BOOL = "| bool | any other | 1 for true, 0 for false |"
TRUNCATED = "| float32, float64 | an integer dtype | v truncated toward zero: 2.9 → 2, −2.9 → −2, −0.5 → 0 |"
LOW_BITS = "v modulo 2ⁿ for a dtype of n bits: the low bits of two's complement are kept"
HELD = "v where the dtype holds it"
NEAREST = "the nearest number; of two equally near ones, that of the even significand"
NARROWED = "the nearest number, ties to even; beyond the range of float32, an infinity of the sign of v"


def _cast(array: Any, dtype: str) -> Graph:
    array = np.asarray(array)
    return one("cast", repeated(array, array.dtype.name), dtype=dtype)


EDGES = np.array([[-2.9, -1.0, -0.5, -0.0], [0.3, 0.999, 1.5, 126.7]], np.float32)
declare("cast/float32-to-int32", "Towards zero.", TRUNCATED, lambda r: _cast(EDGES, "int32"))
declare("cast/float32-to-int64", "Towards zero.", TRUNCATED, lambda r: _cast(EDGES * np.float32(2**33), "int64"))
declare("cast/float32-to-int8", "Towards zero.", TRUNCATED, lambda r: _cast(EDGES, "int8"))
declare("cast/float32-to-uint8", "Towards zero.", TRUNCATED, lambda r: _cast(np.abs(EDGES) * 2, "uint8"))
declare("cast/float32-to-bool", "Whatever is not 0 is true.", TO_BOOL, lambda r: _cast(EDGES, "bool"))
declare(
    "cast/float32-to-float64",
    "Exact.",
    "| float32 | float64 | v |",
    lambda r: _cast(r.powers(-30, 30, 3, 4), "float64"),
)
declare(
    "cast/float32-to-float32",
    "Nothing changes.",
    "| any | the same | v |",
    lambda r: _cast(r.powers(-30, 30, 3, 4), "float32"),
)
declare(
    "cast/float64-to-float32",
    "To the nearest.",
    NARROWED,
    lambda r: _cast(Draw("cast", "float64").powers(-30, 30, 3, 4), "float32"),
)
declare(
    "cast/int32-to-float32",
    "Small ones exact, large ones to the nearest.",
    NEAREST,
    lambda r: _cast(np.array([[0, -7, 2**24 + 1], [2**31 - 1, -(2**31), 123456789]], np.int32), "float32"),
)
declare(
    "cast/int64-to-float32",
    "To the nearest.",
    NEAREST,
    lambda r: _cast(np.array([[2**53 - 1, -(2**40) - 1, 3]], np.int64), "float32"),
)
declare(
    "cast/int64-to-int32",
    "Numbers that int32 holds.",
    HELD,
    lambda r: _cast(np.array([[2**31 - 1, -(2**31), 0, -1]], np.int64), "int32"),
)
declare(
    "cast/int64-to-int8",
    "The low bits are kept of what int8 cannot hold.",
    LOW_BITS,
    lambda r: _cast(np.array([[127, 128, -129, 2**40 + 5, -1]], np.int64), "int8"),
)
BEYOND = np.array([[127, 128, 255, 256, 300], [-1, -128, -129, 2**31 - 1, -(2**31)]], np.int32)
declare(
    "cast/int32-to-int8", "The low bits are kept of what int8 cannot hold.", LOW_BITS, lambda r: _cast(BEYOND, "int8")
)
declare(
    "cast/int32-to-uint8",
    "The low bits are kept of what uint8 cannot hold.",
    LOW_BITS,
    lambda r: _cast(BEYOND, "uint8"),
)
BEYOND_FLOAT64 = np.array([[2**53 + 1, -(2**53) - 1, 2**62 + 2**33 + 7], [-(2**60) - 3, 2**63 - 1, -(2**63)]], np.int64)
declare(
    "cast/int64-to-int32-low-bits",
    "The low bits are kept, those of numbers that float64 does not hold too.",
    LOW_BITS,
    lambda r: _cast(BEYOND_FLOAT64, "int32"),
)
declare("cast/int64-to-int8-low-bits", "The same.", LOW_BITS, lambda r: _cast(BEYOND_FLOAT64, "int8"))
declare(
    "cast/int8-to-uint8",
    "The same bits without a sign.",
    LOW_BITS,
    lambda r: _cast(np.array([[-1, -128, 0, 127]], np.int8), "uint8"),
)
declare(
    "cast/uint8-to-int8",
    "The same bits with a sign.",
    LOW_BITS,
    lambda r: _cast(np.array([[255, 128, 0, 127]], np.uint8), "int8"),
)
declare(
    "cast/uint8-to-float32",
    "Images.",
    "The dtype of y is the attribute dtype.",
    lambda r: _cast(r.integers(0, 256, 2, 3, 4, dtype="uint8"), "float32"),
)
declare("cast/bool-to-float32", "0 and 1.", FROM_BOOL, lambda r: _cast(r.integers(0, 2, 3, 4, dtype="bool"), "float32"))
declare("cast/bool-to-int32", "0 and 1.", FROM_BOOL, lambda r: _cast(r.integers(0, 2, 3, 4, dtype="bool"), "int32"))
declare(
    "cast/int32-to-bool",
    "Whatever is not 0 is true.",
    TO_BOOL,
    lambda r: _cast(r.integers(-1, 2, 3, 4, dtype="int32"), "bool"),
)
declare(
    "cast/int32-to-bool-low-bits",
    "Numbers whose low bits are 0 are not 0.",
    TO_BOOL,
    lambda r: _cast(np.array([[256, -256, 65536, 2**24], [-(2**31), 0, 2**16, 2**30]], np.int32), "bool"),
)
declare(
    "cast/int64-to-bool-low-bits",
    "The same, of 64 bits.",
    TO_BOOL,
    lambda r: _cast(np.array([[2**32, -(2**32), 2**40], [-(2**63), 0, 256]], np.int64), "bool"),
)
declare(
    "cast/small-to-bool",
    "Numbers that are not 0, but nearly; integers of them would be.",
    TO_BOOL,
    lambda r: _cast(np.array([[1e-30, -1e-30, 0, 0.25], [-0.0, -0.75, 1e30, 2]], np.float32), "bool"),
)
declare(
    "cast/int64-to-float64-large",
    "float32 does not hold them; of two equally near ones, that of the even significand.",
    NEAREST,
    lambda r: _cast(
        np.array([[2**24 + 1, -(2**31) - 1, 2**53 + 1], [2**53 + 3, 2**62 + 2**33 + 7, -(2**60) - 3]], np.int64),
        "float64",
    ),
)
declare(
    "cast/int32-to-float64",
    "Every int32 is one of float64.",
    NEAREST,
    lambda r: _cast(np.array([[2**24 + 1, 2**31 - 1, -(2**31)], [-1, 0, 123456789]], np.int32), "float64"),
)
SMALL = np.array([[0, 1, 100], [2, 3, 126]], np.int64)
for _from, _to, _says in (
    ("float64", "int32", TRUNCATED),
    ("float64", "int64", TRUNCATED),
    ("float64", "bool", TO_BOOL),
    ("int32", "int64", HELD),
    ("int64", "uint8", LOW_BITS),
    ("int64", "float64", NEAREST),
    ("int64", "bool", TO_BOOL),
    ("int8", "int32", HELD),
    ("int8", "float32", NEAREST),
    ("uint8", "int64", HELD),
    ("uint8", "bool", TO_BOOL),
    ("bool", "uint8", FROM_BOOL),
    ("bool", "int64", FROM_BOOL),
):
    declare(
        f"cast/{_from}-to-{_to}",
        "Small numbers, 0 and 1 among them.",
        _says,
        lambda r, source=_from, to=_to: _cast(SMALL.astype(source), to),
    )
for _shape in ((6,), (2, 3, 2), (2, 3, 1, 2), (2, 1, 3, 1, 2, 1, 1, 2)):
    declare(
        f"cast/rank-{len(_shape)}",
        "Another number of dimensions.",
        "The shape of x.",
        lambda r, shape=_shape: _cast(r.normal(*shape, scale=9), "int32"),
    )
special(
    "cast/ties",
    "Half-way between two numbers of float32.",
    NARROWED,
    lambda r: _cast(np.array([[1 + 2**-24, 1 + 3 * 2**-24, -1 - 2**-24]], np.float64), "float32"),
)
special(
    "cast/float64-beyond-float32",
    "Numbers that float32 does not hold.",
    "beyond the range of float32, an infinity of the sign of v",
    lambda r: _cast(np.array([[1e39, -1e39, 3.4e38, 1e300]], np.float64), "float32"),
)
special(
    "cast/nan-to-bool",
    "NaN is not 0.",
    TO_BOOL,
    lambda r: _cast(np.array([[np.nan, np.inf, 0, -0.0]], np.float32), "bool"),
)
empty_batch("cast", lambda r: _cast(r.normal(0, 3), "int32"))
lengths("cast", lambda r, n: one("cast", r.normal(n, scale=99), dtype="int32"))
special(
    "cast/not-finite",
    "NaN and infinities, from one floating-point type to the other.",
    "Between floating-point dtypes NaN stays NaN and an infinity stays as it is.",
    lambda r: _cast(np.array([[np.nan, np.inf, -np.inf]], np.float32), "float64"),
)
special(
    "cast/not-finite-to-float32",
    "The same, to the narrower one.",
    "Between floating-point dtypes NaN stays NaN and an infinity stays as it is.",
    lambda r: _cast(np.array([[np.nan, np.inf, -np.inf]], np.float64), "float32"),
)
