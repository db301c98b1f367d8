"""transpose, expand_dims, squeeze, slice, flip, repeat, tile."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.graph import Graph, Node, one
from generate.positive.declare import declare, empty_batch, lengths, special
from generate.positive.values import every_dtype, of_constant, of_folded, several

KEPT = "All numbers are kept, NaN and infinities too."
IN_PLACE = "The elements stay where they are, in C order:"
END = 2**31 - 1
"""The stop that is the end of every axis."""

DEEP = (2, 2, 1, 3, 1, 2, 1, 2)


def _common(op: str, x: str, loops: str, **attributes: Any) -> None:
    """What all of them are tried with; the attributes are those for x of three dimensions.

    Args:
        op: the operator.
        x: the row of the page's inputs.
        loops: what the page says of where elements go.
        attributes: of the layer.
    """

    def apply(graph: Graph, node: Node) -> Node:
        return graph.apply(f"{node.name} moved", op, node, **attributes)

    last = 1 if op == "squeeze" else 3
    if op != "squeeze":
        every_dtype(op, x, apply)
    numbers = np.tile(np.float32([[[np.nan], [np.inf], [-np.inf], [-0.0]]]), last)
    special(
        f"{op}/not-finite",
        "NaN and infinities are data like any other.",
        KEPT,
        lambda r: one(op, numbers, **attributes),
    )
    declare(
        f"{op}/constant",
        "A value without a batch: axis 0 is no axis of rows, and stays all the same.",
        x,
        lambda r: of_constant(r, op, 5, 4, last, **attributes),
    )
    declare(
        f"{op}/folded",
        "A value whose rows are not those of the batch.",
        loops,
        lambda r: of_folded(r, op, 2, 3, 4, last, **attributes),
    )
    empty_batch(op, lambda r: one(op, r.normal(0, 4, last), **attributes))
    lengths(op, lambda r, n: one(op, r.normal(n, 2, last), **attributes))


# transpose

INDICES = "y[i₀, …, iᵣ₋₁] = x[j₀, …, jᵣ₋₁] where j[perm[k]] = iₖ for every k"
PERMUTED = "(d₀, d₁, …, dᵣ₋₁) → (d₀, d[perm[1]], …, d[perm[r − 1]])."

for _name, _title, _says, _shape, _perm in (
    ("rank-3", "Rows of matrices are transposed.", INDICES, (3, 2, 5), [0, 2, 1]),
    ("rank-1", "There is nothing to move.", PERMUTED, (4,), [0]),
    ("rank-2", "Nor is there with two axes.", PERMUTED, (3, 4), [0, 1]),
    ("identity", "Every axis stays.", INDICES, (2, 3, 4), [0, 1, 2]),
    (
        "channels-first",
        "A permutation that is not its own inverse.",
        "(batch, 4, 6, 3), perm [0, 3, 1, 2] → (batch, 3, 4, 6)",
        (2, 4, 6, 3),
        [0, 3, 1, 2],
    ),
    ("channels-last", "The inverse of that.", INDICES, (2, 3, 4, 6), [0, 2, 3, 1]),
    ("rank-5", "The last axes change places.", INDICES, (2, 3, 2, 4, 5), [0, 1, 2, 4, 3]),
    ("rank-8", "As many dimensions as the format allows.", PERMUTED, DEEP, [0, 7, 3, 1, 6, 5, 2, 4]),
):
    declare(
        f"transpose/{_name}",
        _title,
        _says,
        lambda r, shape=_shape, perm=_perm: one("transpose", r.normal(*shape), perm=perm),
    )
declare(
    "transpose/symbolic",
    "Dimensions that only running tells.",
    "Symbols move like numbers.",
    lambda r: one(
        "transpose",
        r.normal(2, 5, 4, 3),
        shapes=[("batch", "time", 4, "width")],
        shape=("batch", "width", "time", 4),
        perm=[0, 3, 1, 2],
    ),
)
_common("transpose", "| x | any | (d₀, d₁, …, dᵣ₋₁), rank r ≥ 1 |", INDICES, perm=[0, 2, 1])


# expand_dims

INSERTED = "(d₀, …, dᵣ₋₁) → (d₀, …, d[axis − 1], 1, d[axis], …, dᵣ₋₁)."
LAST = "axis = r puts the new axis last."

for _name, _title, _says, _shape, _axis in (
    ("rank-2", "Between the rows and their elements.", INSERTED, (3, 4), 1),
    ("rank-1", "A batch of numbers.", LAST, (5,), 1),
    ("last", "Behind all others.", LAST, (3, 4), 2),
    ("middle", "Between two others.", INSERTED, (2, 3, 4), 2),
    ("rank-7-first", "The most dimensions there may be, in front of them.", INSERTED, DEEP[:7], 1),
    ("rank-7-last", "The same, behind them.", LAST, DEEP[:7], 7),
):
    declare(
        f"expand_dims/{_name}",
        _title,
        _says,
        lambda r, shape=_shape, axis=_axis: one("expand_dims", r.normal(*shape), axis=axis),
    )
declare(
    "expand_dims/symbolic",
    "Beside a dimension that only running tells.",
    INSERTED,
    lambda r: one(
        "expand_dims", r.normal(2, 5, 3), shapes=[("batch", "time", 3)], shape=("batch", "time", 1, 3), axis=2
    ),
)
_common("expand_dims", "| x | any | (d₀, …, dᵣ₋₁), rank r from 1 to 7 |", IN_PLACE, axis=2)


# squeeze

WITHOUT = "The shape of x without the dimensions at axes."
ONES = "| x | any | any of rank ≥ 2, with the number 1 at each of axes |"

for _name, _title, _shape, _axes in (
    ("rank-2", "Rows of one number.", (4, 1), [1]),
    ("two-axes", "Two axes, which are not neighbours.", (2, 1, 3, 1), [1, 3]),
    ("one-of-two", "One of two axes of one element.", (2, 1, 3, 1), [3]),
    ("rank-8", "The last of as many as the format allows.", (2, 1, 3, 1, 2, 1, 2, 1), [7]),
    ("rank-8-to-1", "All axes but the batch.", (3, *[1] * 7), [1, 2, 3, 4, 5, 6, 7]),
):
    declare(
        f"squeeze/{_name}",
        _title,
        WITHOUT,
        lambda r, shape=_shape, axes=_axes: one("squeeze", r.normal(*shape), axes=axes),
    )
declare(
    "squeeze/symbolic",
    "Beside a dimension that only running tells, and that then is 1.",
    WITHOUT,
    lambda r: one(
        "squeeze", r.normal(2, 1, 1, 3), shapes=[("batch", "time", 1, 3)], shape=("batch", "time", 3), axes=[2]
    ),
)


def _squeezed(graph: Graph, x: Node) -> Node:
    wide = graph.apply(f"{x.name} wide", "expand_dims", x, axis=1)
    return graph.apply(f"{x.name} narrow", "squeeze", wide, axes=[1])


every_dtype("squeeze", ONES, _squeezed)
_common("squeeze", ONES, IN_PLACE, axes=[2])


# slice

COUNTED = "count, where the dimension of x is a number;"
PLACE = "place(v) = max(v + n, 0) where v < 0 min(v, n) else"
FROM_END = "A negative start or stop counts from the end of the axis: −1 is the last element."
BEYOND = "What lies beyond an end stands for that end, so stop = 2³¹ − 1 is the end of every axis."
STEPS = "count = (last − first + step − 1) div step where first < last, else 0"
CUT = "y[(o · count + j) · inner + i] = x[(o · n + first + j · step) · inner + i]"
NEW = "a new symbol otherwise, which is count in a call."


def _bounds(*bounds: tuple[int, int, int], axis: int = 1) -> list[dict[str, Any]]:
    keys = ("axis", "start", "stop", "step")
    return [dict(zip(keys, (axis, *item), strict=True)) for item in bounds]


for _name, _title, _says, _shape, _choices in (
    ("rank-2", "Some columns.", COUNTED, (3, 7), _bounds((2, 5, 1))),
    ("middle-axis", "An axis that is not the last.", CUT, (2, 6, 3), _bounds((1, 5, 2))),
    ("axis-2", "One of four.", CUT, (2, 3, 5, 4), _bounds((1, 4, 1), axis=2)),
    ("rank-8", "The last of as many axes as the format allows.", COUNTED, (*DEEP[:7], 5), _bounds((1, 4, 2), axis=7)),
    ("bounds", "From any element to any other.", PLACE, (2, 7), _bounds((0, 7, 1), (0, 1, 1), (3, 4, 1), (6, 7, 1))),
    (
        "from-the-end",
        "Counted from the end, at either side and at both.",
        FROM_END,
        (2, 7),
        _bounds((-1, END, 1), (-3, 6, 1), (0, -1, 1), (2, -3, 1), (-5, -2, 1), (-7, -6, 1)),
    ),
    (
        "beyond",
        "Bounds that the axis does not have, up to the largest and the smallest.",
        BEYOND,
        (2, 7),
        _bounds((4, END, 1), (0, 8, 1), (-8, 2, 1), (-END, 3, 1), (-END, END, 1), (-100, -4, 1)),
    ),
    (
        "steps",
        "Steps that divide the distance, that do not, and that are beyond it.",
        STEPS,
        (2, 7),
        _bounds((0, 7, 2), (0, 6, 2), (1, 7, 2), (1, 6, 3), (0, 7, 3), (2, 7, 7), (0, END, END), (-4, -1, 2)),
    ),
):
    declare(
        f"slice/{_name}",
        _title,
        _says,
        lambda r, shape=_shape, choices=_choices: several("slice", r.normal(*shape), choices),
    )
declare(
    "slice/symbolic-beside",
    "Along an axis of four elements, beside one that only running tells.",
    COUNTED,
    lambda r: one(
        "slice",
        r.normal(2, 5, 4),
        shapes=[("batch", "time", 4)],
        shape=("batch", "time", 2),
        axis=2,
        start=1,
        stop=-1,
        step=1,
    ),
)
declare(
    "slice/symbol-kept",
    "All of a dimension that only running tells.",
    "the symbol of x, where start is 0, stop is 2³¹ − 1 and step is 1;",
    lambda r: one(
        "slice",
        r.normal(2, 5, 3),
        shapes=[("batch", "time", 3)],
        shape=("batch", "time", 3),
        axis=1,
        start=0,
        stop=END,
        step=1,
    ),
)
for _name, _start, _stop, _step in (
    ("last", -1, END, 1),
    ("but-last", 0, -1, 1),
    ("every-second", 0, END, 2),
    ("first", 0, 4, 1),
):
    declare(
        f"slice/symbolic-{_name}",
        "Some of a dimension that only running tells.",
        NEW,
        lambda r, start=_start, stop=_stop, step=_step: one(
            "slice",
            r.normal(2, 5, 3),
            shapes=[("batch", "time", 3)],
            shape=("batch", "rest", 3),
            axis=1,
            start=start,
            stop=stop,
            step=step,
        ),
    )
_common("slice", "| x | any | any of rank ≥ 2 |", CUT, axis=1, start=-2, stop=END, step=1)


# flip

REVERSED = "y[i₀, …, iᵣ₋₁] = x[j₀, …, jᵣ₋₁] where jₖ = nₖ − 1 − iₖ for each k in axes, and jₖ = iₖ for all others"
SHAPE = "The shape of x."

for _name, _title, _says, _shape, _axes in (
    ("rank-2", "Each row backwards.", REVERSED, (3, 4), [1]),
    ("middle-axis", "The steps of time, not what each consists of.", REVERSED, (2, 5, 3), [1]),
    ("last-axis", "The last axis alone.", REVERSED, (2, 3, 4), [2]),
    ("two-axes", "Two axes, which are not neighbours.", REVERSED, (2, 3, 2, 4), [1, 3]),
    ("every-axis", "All axes but the batch.", REVERSED, (2, 3, 4), [1, 2]),
    ("rank-8", "The first and the last of as many as the format allows.", SHAPE, DEEP, [1, 7]),
):
    declare(
        f"flip/{_name}", _title, _says, lambda r, shape=_shape, axes=_axes: one("flip", r.normal(*shape), axes=axes)
    )
declare(
    "flip/symbolic",
    "A dimension that only running tells.",
    SHAPE,
    lambda r: one("flip", r.normal(2, 5, 3), shapes=[("batch", "time", 3)], shape=("batch", "time", 3), axes=[1]),
)
_common("flip", "| x | any | any of rank ≥ 2 |", REVERSED, axes=[1])


# repeat

IN_A_ROW = "y[(o · n · repeats + j) · inner + i] = x[(o · n + j div repeats) · inner + i]"
PRODUCT = "n · repeats, where n is a number;"

for _name, _title, _says, _shape, _axis, _repeats in (
    ("rank-2", "Each number three times in a row.", IN_A_ROW, (3, 4), 1, 3),
    ("middle-axis", "Along an axis that is not the last.", IN_A_ROW, (2, 3, 4), 1, 2),
    ("axis-2", "One of four.", IN_A_ROW, (2, 3, 2, 4), 2, 5),
    ("once", "Once each.", PRODUCT, (2, 3), 1, 1),
    ("rank-8", "The last of as many axes as the format allows.", PRODUCT, DEEP, 7, 2),
):
    declare(
        f"repeat/{_name}",
        _title,
        _says,
        lambda r, shape=_shape, axis=_axis, repeats=_repeats: one(
            "repeat", r.normal(*shape), axis=axis, repeats=repeats
        ),
    )
for _name, _says, _made, _repeats in (
    ("symbol-kept", "n, where it is a symbol and repeats is 1;", "time", 1),
    ("new-symbol", "a new symbol otherwise, which is that product in a call.", "longer", 3),
):
    declare(
        f"repeat/{_name}",
        "Along a dimension that only running tells.",
        _says,
        lambda r, made=_made, repeats=_repeats: one(
            "repeat",
            r.normal(2, 5, 3),
            shapes=[("batch", "time", 3)],
            shape=("batch", made, 3),
            axis=1,
            repeats=repeats,
        ),
    )
_common("repeat", "| x | any | any of rank ≥ 2 |", IN_A_ROW, axis=1, repeats=2)


# tile

SIDE_BY_SIDE = "y[i₀, …, iᵣ₋₁] = x[i₀ mod n₀, …, iᵣ₋₁ mod nᵣ₋₁]"
PRODUCTS = "nₖ · repeats[k], where nₖ is a number;"

for _name, _title, _says, _shape, _repeats in (
    ("rank-2", "Each row three times.", SIDE_BY_SIDE, (3, 4), [1, 3]),
    ("rank-1", "Once, because rows stay as they are.", PRODUCTS, (4,), [1]),
    ("rank-3", "Copies along two axes.", SIDE_BY_SIDE, (2, 3, 2), [1, 2, 3]),
    ("middle-axis", "Copies along an axis that is not the last.", SIDE_BY_SIDE, (2, 3, 2), [1, 4, 1]),
    ("once", "One copy along each axis.", PRODUCTS, (2, 3, 2), [1, 1, 1]),
    ("rank-8", "As many axes as the format allows.", PRODUCTS, DEEP, [1, 1, 2, 1, 3, 1, 1, 2]),
):
    declare(
        f"tile/{_name}",
        _title,
        _says,
        lambda r, shape=_shape, repeats=_repeats: one("tile", r.normal(*shape), repeats=repeats),
    )
declare(
    "tile/symbol-kept",
    "Copies beside a dimension that only running tells.",
    "nₖ, where it is a symbol and repeats[k] is 1;",
    lambda r: one(
        "tile", r.normal(2, 5, 3), shapes=[("batch", "time", 3)], shape=("batch", "time", 6), repeats=[1, 1, 2]
    ),
)
declare(
    "tile/new-symbol",
    "Copies along a dimension that only running tells.",
    "a new symbol otherwise, which is that product in a call.",
    lambda r: one(
        "tile", r.normal(2, 5, 3), shapes=[("batch", "time", 3)], shape=("batch", "longer", 3), repeats=[1, 2, 1]
    ),
)
_common("tile", "| x | any | (n₀, …, nᵣ₋₁), rank r ≥ 1 |", SIDE_BY_SIDE, repeats=[1, 2, 1])
