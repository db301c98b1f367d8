"""Weights stored as float16, bfloat16 and int8 (level L4), and models that compute in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from generate.case import Draw
from generate.encoding import Stored, stored
from generate.graph import Graph, Weight, one
from generate.pages import Quote, quote
from generate.positive.declare import Make, declare

WIDENED = "A reader widens float16 and bfloat16 exactly and computes in float32."
SCALED = "weight[i] = float32(int32(q[i]) − int32(zero_point[c])) · scale[c]"
PARTS = "with `axis` both have the shape `[shape[axis]]`, without it the shape `[]`, and c is dropped"
LAST_COLUMN = "A weight's dtype, where an operator's page speaks of it, is the one in the last column."
DOUBLE = "| `float64` | 8 | IEEE 754 binary64 | float64 |"
ROUNDED = quote(
    "README.md",
    "A layer rounds it to the dtype of its input (to the nearest, ties to even) before it computes with it or compares "
    "with it",
)


def float16(x: Any) -> Weight:
    narrow = np.asarray(x, np.float16)
    return Weight(stored(narrow, "float16"), narrow.astype(np.float64))


def bfloat16(x: Any) -> Weight:
    """The upper half of float32's bits, cut off: which bfloat16 numbers they are does not matter here."""
    bits = np.asarray(x, np.float32).view(np.uint32) >> 16
    return Weight(stored(bits, "bfloat16"), (bits << 16).astype(np.uint32).view(np.float32).astype(np.float64))


def int8(q: Any, scale: Any, zero_point: Any, axis: int | None = None) -> Weight:
    """q, scale and zero_point: (q - zero_point) · scale, rounded to float32, along an axis or for the whole tensor."""
    scale, zero_point = np.asarray(scale, np.float32), np.asarray(zero_point, np.int8)
    along = () if axis is None else tuple(-1 if k == axis else 1 for k in range(q.ndim))
    steps = (q.astype(np.int32) - zero_point.reshape(along)).astype(np.float32)
    parts = {"scale": stored(scale), "zero_point": stored(zero_point, "int8")}
    tensor = Stored("int8", q, {} if axis is None else {"axis": axis})
    return Weight(tensor, (steps * scale.reshape(along)).astype(np.float64), parts)


def _dense(r: Draw, kernel: Weight, bias: Any) -> Graph:
    return one("dense", r.normal(3, len(kernel.numbers)), weights={"kernel": kernel, "bias": bias})


def _declare(case_id: str, title: str, says: str | Quote, make: Any) -> None:
    """A case of level L4 that quotes format.md, or what it says."""
    declare(case_id, title, quote("format.md", says) if isinstance(says, str) else says, make, level="L4")


_declare(
    "storage/float16",
    "Kernel and bias of float16.",
    "| `float16` | 2 | IEEE 754 binary16 | float32 |",
    lambda r: _dense(r, float16(r.normal(6, 4)), float16(r.normal(4))),
)
_declare(
    "storage/float16-subnormal",
    "float16's smallest numbers are widened exactly.",
    WIDENED,
    lambda r: _dense(r, float16(r.powers(-7, -5, 6, 4)), float16(r.powers(-7, -5, 4))),
)
_declare(
    "storage/bfloat16",
    "Kernel and bias of bfloat16.",
    "| `bfloat16` | 2 | the upper 16 bits of a binary32 | float32 |",
    lambda r: _dense(r, bfloat16(r.normal(6, 4)), bfloat16(r.normal(4))),
)
_declare(
    "storage/bfloat16-range",
    "bfloat16 has float32's range.",
    WIDENED,
    lambda r: _dense(r, bfloat16(r.powers(-30, 30, 6, 4)), r.normal(4)),
)
_declare(
    "storage/int8-per-tensor",
    "One scale and one zero point for the whole kernel.",
    PARTS,
    lambda r: _dense(r, int8(r.integers(-128, 128, 6, 4, dtype="int8"), 0.013, 17), r.normal(4)),
)
_declare(
    "storage/int8-per-channel",
    "A scale and a zero point for each unit.",
    PARTS,
    lambda r: _dense(
        r,
        int8(
            r.integers(-128, 128, 6, 4, dtype="int8"),
            r.uniform(0.001, 0.1, 4),
            r.integers(-128, 128, 4, dtype="int8"),
            axis=1,
        ),
        r.normal(4),
    ),
)
_declare(
    "storage/int8-first-axis",
    "A scale for each row of the kernel.",
    PARTS,
    lambda r: _dense(
        r,
        int8(r.integers(-128, 128, 6, 4, dtype="int8"), r.uniform(0.001, 0.1, 6), np.zeros(6, np.int8), axis=0),
        r.normal(4),
    ),
)
_declare(
    "storage/int8-extremes",
    "-128 and 127 with zero points of both ends: differences do not fit into int8.",
    SCALED,
    lambda r: _dense(
        r,
        int8(np.array([[-128, 127], [127, -128], [-128, -128]], np.int8), [0.5, 2.0], [127, -128], axis=1),
        r.normal(2),
    ),
)


def _mixed(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(4, 5))
    first = {"kernel": int8(r.integers(-128, 128, 5, 6, dtype="int8"), 0.01, 0), "bias": bfloat16(r.normal(6))}
    hidden = graph.apply("hidden", "dense", x, weights=first)
    active = graph.apply("active", "relu", hidden)
    second = {"kernel": float16(r.normal(6, 3)), "bias": r.normal(3)}
    graph.outputs.append(graph.apply("y", "dense", active, weights=second))
    return graph


_declare("storage/mixed", "Each tensor of a network has a storage type of its own.", LAST_COLUMN, _mixed)
_declare(
    "storage/float64-dense",
    "A model in double precision, computed in it.",
    DOUBLE,
    lambda r: one(
        "dense",
        Draw("x", "float64").normal(3, 6),
        weights={"kernel": Draw("k", "float64").normal(6, 4), "bias": Draw("b", "float64").normal(4)},
    ),
)
_declare("storage/float64-tanh", "The same.", DOUBLE, lambda r: one("tanh", Draw("t", "float64").normal(3, 6)))
_declare(
    "storage/float64-gelu",
    "The same.",
    DOUBLE,
    lambda r: one("gelu", Draw("g", "float64").normal(3, 6), approximate=False),
)


def _attributes(op: str, *points: float, **attributes: Any) -> None:
    """x goes no further than squareplus, whose x² must not overflow."""
    case_id = f"storage/float64-{op.replace('_', '-')}"
    _declare(
        case_id,
        "Attributes that float32 does not hold keep their digits in a model of float64.",
        ROUNDED,
        lambda r: one(op, Draw(case_id, "float64").around(3, *points, low=-1e18, high=1e18), **attributes),
    )


_attributes("leaky_relu", negative_slope=0.1)
_attributes("thresholded_relu", 0.7, negative_slope=0.3, threshold=0.7)
_attributes("clipped_relu", 0.4, 2.3, max_value=2.3, negative_slope=0.1, threshold=0.4)
_attributes("elu", alpha=0.1)
_attributes("celu", alpha=0.1)
_attributes("hard_shrink", -0.1, 0.1, threshold=0.1)
_attributes("soft_shrink", -0.1, 0.1, threshold=0.1)
_attributes("threshold", 0.1, threshold=0.1, default_value=0.3)
_attributes("squareplus", b=0.1)


def _normalized(r: Draw) -> Graph:
    double = Draw("storage/float64-batch-normalization", "float64")
    weights = {"moving_mean": double.normal(4), "moving_variance": double.uniform(0.01, 1, 4)}
    return one("batch_normalization", double.normal(5, 4), weights=weights, axis=1, epsilon=0.1)


_declare("storage/float64-batch-normalization", "The same for epsilon.", ROUNDED, _normalized)


def _double(op: str, *shapes: tuple[int, ...], **attributes: Any) -> None:
    case_id = f"storage/float64-{op.replace('_', '-')}"
    draw = Draw(case_id, "float64")
    _declare(case_id, "The same.", DOUBLE, lambda r: one(op, *(draw.normal(*shape) for shape in shapes), **attributes))


for _op in (
    *("relu", "relu6", "selu", "sigmoid", "silu", "mish", "softplus", "log_sigmoid", "softsign", "tanh_shrink"),
    *("exponential", "hard_sigmoid", "hard_silu", "hard_tanh", "sparse_sigmoid", "sparse_plus"),
):
    _double(_op, (3, 6))
for _op in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
    _double(_op, (3, 6), (3, 6))
for _op in ("softmax", "log_softmax"):
    _double(_op, (3, 6), axes=[1])
for _op in ("sparsemax", "cumulative_sparsemax", "glu"):
    _double(_op, (3, 6), axis=1)
_double("identity", (3, 6))
_double("cast", (3, 6), dtype="float64")
_double("concatenate", (3, 2), (3, 3), axis=1)
_double("reshape", (3, 6), target_shape=[2, 3])


# Constants: what each stored number stands for


def _stored(make: Callable[[Draw], Weight], *through: str, nonfinite: bool = False) -> Make:
    """0 + the numbers of a tensor, for two rows; the integers are cast to float64 on the way."""

    def graph_of(r: Draw) -> Graph:
        graph = Graph()
        weight = make(r)
        shape = weight.numbers.shape
        x = graph.input("x", np.zeros((2, *shape), "float64" if through else "float32"))
        node = graph.apply("value", "constant", weights={"value": weight}, shape=shape)
        for dtype in through:
            node = graph.apply(f"as {dtype}", "cast", node, shape=shape, dtype=dtype)
        graph.outputs.append(graph.apply("y", "add", x, node))
        graph.requires += ["feature:nonfinite"] if nonfinite else []
        return graph

    return graph_of


def _integers(*numbers: int, dtype: str) -> Callable[[Draw], Weight]:
    array = np.array(numbers, dtype)
    return lambda r: Weight(stored(array, dtype), array)


ITSELF = "| `int32`, `int64` | 4, 8 | two's complement | themselves |"
for _name, _make, _through, _says in (
    (
        "uint8",
        _integers(0, 1, 127, 128, 255, dtype="uint8"),
        ("float64",),
        "| `int8`, `uint8` | 1 | integers | themselves |",
    ),
    (
        "int8",
        _integers(0, 1, -1, -128, 127, dtype="int8"),
        ("float64",),
        "| `int8`, `uint8` | 1 | integers | themselves |",
    ),
    ("int32", _integers(0, 1, -1, 2**31 - 1, -(2**31), dtype="int32"), ("float64",), ITSELF),
    ("int64", _integers(0, -1, 2**33, -(2**40) - 7, 2**52 + 1, dtype="int64"), ("float64",), ITSELF),
    (
        "int64-low-bits",
        _integers(2**53 + 1, -(2**53) - 1, 2**62 + 2**33 + 7, 2**63 - 1, -(2**63) + 3, dtype="int64"),
        ("int32", "float64"),
        ITSELF,
    ),
    (
        "bool",
        _integers(1, 0, 1, 1, 0, dtype="bool"),
        ("float64",),
        "| `bool` | 1 | 0 or 1; another byte is `bool-byte` | bool |",
    ),
):
    _declare(f"storage/{_name}", "Stored integers, which are themselves.", _says, _stored(_make, *_through))


def _digits(r: Draw) -> Graph:
    double, graph = Draw("storage/float64-constant", "float64"), Graph()
    x = graph.input("x", double.normal(3, 4))
    added = graph.apply("value", "constant", weights={"value": double.normal(4)}, shape=(4,))
    graph.outputs.append(graph.apply("y", "add", x, added))
    return graph


_declare("storage/float64-constant", "A stored float64 keeps its digits.", DOUBLE, _digits)


def _bits(*bits: int, dtype: str) -> Weight:
    """The numbers that patterns of 16 bits stand for."""
    patterns = np.array(bits, np.uint16)
    if dtype == "float16":
        return Weight(stored(patterns.view(np.float16), dtype), patterns.view(np.float16).astype(np.float64))
    widened = (patterns.astype(np.uint32) << 16).view(np.float32)
    return Weight(stored(patterns, dtype), widened.astype(np.float64))


for _dtype, _infinity in (("float16", 0x7C00), ("bfloat16", 0x7F80)):
    _declare(
        f"storage/{_dtype}-every-exponent",
        "Numbers of every exponent and of both signs, zeros and the largest among them.",
        WIDENED,
        _stored(
            lambda r, dtype=_dtype, infinity=_infinity: _bits(
                *(sign + bits for sign in (0, 0x8000) for bits in (*range(0, infinity, 257), 1, infinity - 1)),
                dtype=dtype,
            )
        ),
    )
    _declare(
        f"storage/{_dtype}-not-finite",
        "NaN and infinities.",
        WIDENED,
        _stored(
            lambda r, dtype=_dtype, infinity=_infinity: _bits(
                infinity, infinity + 0x8000, 0x7FFF, 0xFFFF, 0x3C00, dtype=dtype
            ),
            nonfinite=True,
        ),
    )
_declare(
    "storage/int8-every-value",
    "Each of the 256 numbers.",
    SCALED,
    _stored(lambda r: int8(np.arange(-128, 128).astype(np.int8), 0.013, -5)),
)
for _shape in ((7,), (3, 5), (2, 3, 4)):
    for _axis in range(len(_shape)):
        _declare(
            f"storage/int8-rank-{len(_shape)}-axis-{_axis}",
            "A scale and a zero point for each index along one axis.",
            "c = the index of i along axis",
            _stored(
                lambda r, shape=_shape, axis=_axis: int8(
                    r.integers(-128, 128, *shape, dtype="int8"),
                    r.uniform(0.001, 0.1, shape[axis]),
                    r.integers(-128, 128, shape[axis], dtype="int8"),
                    axis=axis,
                )
            ),
        )
_declare(
    "storage/int8-scalar",
    "A single number, with its scale and its zero point.",
    PARTS,
    _stored(lambda r: int8(np.array(-77, np.int8), 0.013, 17)),
)
_declare(
    "storage/int8-scales",
    "Scales from 1e-30 to 1e30.",
    "Scales are finite and above 0",
    _stored(
        lambda r: int8(
            r.integers(-128, 128, 7, 3, dtype="int8"),
            10.0 ** np.arange(-30, 31, 10),
            r.integers(-128, 128, 7, dtype="int8"),
            axis=0,
        )
    ),
)


def _every_weight(r: Draw) -> Graph:
    """Weights of one dimension, quantized as a whole and for each element; the second layer reads the first's again."""
    graph = Graph()
    x = graph.input("x", r.normal(4, 5))
    weights = {
        "moving_mean": int8(r.integers(-128, 128, 5, dtype="int8"), 0.01, 3),
        "moving_variance": int8(r.integers(1, 128, 5, dtype="int8"), r.uniform(0.01, 0.1, 5), np.zeros(5), axis=0),
        "gamma": float16(r.uniform(0.5, 2, 5)),
        "beta": int8(r.integers(-128, 128, 5, dtype="int8"), r.uniform(0.01, 0.1, 5), np.arange(5), axis=0),
    }
    y = graph.apply("y", "batch_normalization", x, weights=weights, axis=1, epsilon=1e-3)
    again = {role: f"y/{role}" for role in weights}
    graph.outputs += [y, graph.apply("z", "batch_normalization", y, weights=again, axis=1, epsilon=1e-3)]
    return graph


_declare("storage/weights-of-rank-1", "Each with a storage type of its own, read by two layers.", PARTS, _every_weight)
