"""Mistakes in converting and moving elements: spec/ops/cast.md, concatenate.md, reshape.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any
from unittest.mock import patch

from mutants.activations import LARGEST
from mutants.mutant import Mutant, Patch, changing, of_numbers
from naive.arithmetic import Arithmetic, Number
from naive.arrays import BITS, FLOATS, Array, elements, round32
from naive.errors import Failed
from naive.operators import shapes
from naive.operators.operator import Call, Site, Type
from naive.operators.shapes import truncate, wrap

# cast

INTEGERS = tuple(BITS)

right_convert = shapes.convert


def mistake(
    name: str, says: str, sources: Sequence[str], targets: Sequence[str], wrong: Callable[[Any, str], Any]
) -> Mutant:
    """Another conversion from some dtypes to others."""

    def convert(a: Arithmetic, v: Number, source: str, target: str) -> Number:
        concerned = source in sources and target in targets and source != target
        if not concerned or (target in INTEGERS and not math.isfinite(v)):
            return right_convert(a, v, source, target)
        return a.number(wrong(v, target)) if target in FLOATS else wrong(v, target)

    change = patch.object(shapes, "convert", convert)
    return of_numbers(f"cast: {name}", says, change, page="ops/cast.md", groups=("cast",))


def saturated(v: int, target: str) -> int:
    least = 0 if target == "uint8" else -int(2 ** (BITS[target] - 1))
    return min(max(v, least), least + int(2 ** BITS[target]) - 1)


LOW_BITS = "v where the dtype holds it; else the low bits of two's complement are kept"
TOWARD_ZERO = "v truncated toward zero"
TRUE = "true where v ≠ 0, NaN included"

CAST = (
    mistake("to the nearest integer", TOWARD_ZERO, FLOATS, INTEGERS, lambda v, target: wrap(round(v), target)),
    mistake("down to an integer", TOWARD_ZERO, FLOATS, INTEGERS, lambda v, target: wrap(math.floor(v), target)),
    mistake("integers saturate", LOW_BITS, INTEGERS, INTEGERS, saturated),
    mistake("integers through float32", LOW_BITS, INTEGERS, INTEGERS, lambda v, target: wrap(int(round32(v)), target)),
    mistake("true where v > 0", TRUE, (*FLOATS, *INTEGERS), ("bool",), lambda v, target: int(v > 0)),
    mistake(
        "true where v truncated is not 0", TRUE, FLOATS, ("bool",), lambda v, target: int(truncate(v) != 0 or v != v)
    ),
    mistake("NaN is false", TRUE, FLOATS, ("bool",), lambda v, target: int(v < 0 or v > 0)),
    mistake("low byte of an integer as bool", TRUE, INTEGERS, ("bool",), lambda v, target: int(v % 256 != 0)),
    mistake(
        "integers to float64 through float32",
        "the nearest number",
        INTEGERS,
        ("float64",),
        lambda v, target: round32(v),
    ),
    mistake(
        "float64 to float32 ends at the largest",
        "beyond the range of float32, an infinity",
        ("float64",),
        ("float32",),
        lambda v, target: v if v != v else max(min(v, LARGEST), -LARGEST),
    ),
)


# concatenate, reshape


def one_behind_the_other(call: Call) -> list[Number]:
    return [v for x in call.inputs for v in x.data]


def along_the_last_axis(call: Call) -> list[Number]:
    rows = {elements(x.shape[:-1]) for x in call.inputs}
    if len(rows) > 1:
        return one_behind_the_other(call)
    flat = [Array(x.dtype, (elements(x.shape[:-1]), x.shape[-1]), x.data) for x in call.inputs]
    joined = (rows.pop(), sum(x.shape[1] for x in flat))
    return shapes.compute_concatenate(replace(call, inputs=flat, shape=joined, attributes={"axis": 1}))


def places(dimensions: Sequence[int]) -> list[int]:
    """Where the elements of a row lie in C order, listed with the first index fastest."""
    steps = [math.prod(dimensions[axis + 1 :]) for axis in range(len(dimensions))]
    indices = product(*(range(n) for n in reversed(dimensions)))
    return [sum(i * step for i, step in zip(index, reversed(steps), strict=True)) for index in indices]


def in_fortran_order(call: Call) -> list[Number]:
    x = call.inputs[0]
    n = elements(call.shape[1:])
    y = list(x.data)
    for row in range(call.shape[0]):
        for source, target in zip(places(x.shape[1:]), places(call.shape[1:]), strict=True):
            y[row * n + target] = x.data[row * n + source]
    return y


def inferred_from_all(site: Site) -> Type:
    if site.inputs[0].shape[:1] == (0,) and -1 in site.attributes["target_shape"]:
        raise Failed("shape", "", "a number of elements above 0", "0")
    return shapes.infer_reshape(site)


def of_shapes(op: str, name: str, says: str, change: Patch) -> Mutant:
    return of_numbers(f"{op}: {name}", says, change, page=f"ops/{op}.md", groups=(op,))


SHAPES = (
    of_shapes(
        "concatenate",
        "in reverse",
        "x₀ comes first",
        changing(
            "concatenate",
            compute=lambda call: shapes.compute_concatenate(replace(call, inputs=call.inputs[::-1])),
        ),
    ),
    of_shapes(
        "concatenate",
        "one behind the other",
        "joined along axis",
        changing("concatenate", compute=one_behind_the_other),
    ),
    of_shapes(
        "concatenate",
        "always along the last axis",
        "joined along axis",
        changing("concatenate", compute=along_the_last_axis),
    ),
    of_shapes(
        "reshape",
        "in Fortran's order",
        "the elements stay where they are, in C order",
        changing("reshape", compute=in_fortran_order),
    ),
    of_shapes(
        "reshape",
        "−1 is inferred from all elements",
        "−1 is inferred from a row, never from the number of all elements",
        changing("reshape", infer=inferred_from_all),
    ),
)

MUTANTS = (*CAST, *SHAPES)
