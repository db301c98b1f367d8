"""pad."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.case import Draw
from generate.graph import Graph, Node, one
from generate.positive.declare import declare, empty_batch, lengths, special
from generate.positive.values import every_dtype, of_constant, of_folded, several

MODES = ("constant", "reflect", "symmetric", "edge")
ROWS = {
    "constant": "| `constant` | none | i | none | c c 1 2 3 c c |",
    "reflect": "| `reflect` | −i | i | 2 · (n − 1) − i | 3 2 1 2 3 2 1 |",
    "symmetric": "| `symmetric` | −1 − i | i | 2 · n − 1 − i | 2 1 1 2 3 3 2 |",
    "edge": "| `edge` | 0 | i | n − 1 | 1 1 1 2 3 3 3 |",
}
"""Mode -> what stands in its place along one axis."""

WIDER = "nₖ + beforeₖ + afterₖ, where nₖ is a number;"
SIDES = (
    "pad_width is before₀, after₀, before₁, after₁, …: how many elements are put before and behind those of axis 0, "
    "axis 1, …."
)
CORNERS = (
    "y is constant_value where source is none on any axis, and else the element of x at the sources of all axes: "
    "corners are padded along one axis, then along the next."
)
X = "| x | any but bool | (n₀, …, nᵣ₋₁), rank r ≥ 1 |"
NEW = "a new symbol otherwise, which is that sum in a call."


def _pad(mode: str, *width: int, constant_value: float = 0.0) -> dict[str, Any]:
    """The attributes, without the two zeros in front."""
    return {"pad_width": [0, 0, *width], "mode": mode, "constant_value": constant_value}


for _mode in MODES:
    _value = 0.75 if _mode == "constant" else -7.5
    declare(
        f"pad/{_mode}",
        "One axis: before, behind, on both sides, on neither.",
        ROWS[_mode],
        lambda r, mode=_mode, value=_value: several(
            "pad",
            r.normal(2, 4),
            [_pad(mode, *w, constant_value=value) for w in ((2, 1), (0, 3), (1, 0), (3, 3), (0, 0))],
        ),
    )
    declare(
        f"pad/{_mode}-two-axes",
        "Two axes, each side by another number.",
        CORNERS,
        lambda r, mode=_mode, value=_value: one(
            "pad", r.normal(2, 4, 5), **_pad(mode, 2, 1, 0, 3, constant_value=value)
        ),
    )
    declare(
        f"pad/{_mode}-symbolic",
        "A dimension that only running tells.",
        NEW,
        lambda r, mode=_mode, value=_value: one(
            "pad",
            r.normal(2, 3, 2),
            shapes=[("batch", "time", 2)],
            shape=("batch", "longer", 2),
            **_pad(mode, 1, 2, 0, 0, constant_value=value),
        ),
    )
for _mode, _most in (("reflect", 2), ("symmetric", 3), ("edge", 7), ("constant", 7)):
    declare(
        f"pad/{_mode}-most",
        "A dimension of 3, and as much as can be put around it or more.",
        ROWS[_mode],
        lambda r, mode=_mode, most=_most: one("pad", r.normal(2, 3), **_pad(mode, most, most)),
    )
declare(
    "pad/image",
    "Height and width, but not the channels.",
    SIDES,
    lambda r: one("pad", r.normal(2, 3, 4, 2), **_pad("constant", 1, 2, 3, 0, 0, 0)),
)
declare("pad/rank-1", "Rows stay as they are.", X, lambda r: one("pad", r.normal(4), **_pad("constant")))
declare(
    "pad/rank-8",
    "The first and the last of as many axes as the format allows.",
    WIDER,
    lambda r: one("pad", r.normal(2, 2, 1, 3, 1, 2, 1, 2), **_pad("edge", 1, 0, *[0] * 10, 0, 2)),
)
declare(
    "pad/symbol-kept",
    "Beside a dimension that only running tells.",
    "nₖ, where it is a symbol and beforeₖ = afterₖ = 0;",
    lambda r: one(
        "pad",
        r.normal(2, 5, 3),
        shapes=[("batch", "time", 3)],
        shape=("batch", "time", 6),
        **_pad("constant", 0, 0, 1, 2, constant_value=1.0),
    ),
)
declare(
    "pad/constant-rounded",
    "A number that float32 does not hold.",
    "y is constant_value where source is none on any axis",
    lambda r: one("pad", r.normal(2, 3), **_pad("constant", 1, 1, constant_value=0.1)),
)


def _integers(r: Draw) -> Graph:
    """A number that its dtype just holds, or that no smaller one does."""
    graph = Graph()
    for dtype, number in (("int8", -128.0), ("uint8", 255.0), ("int32", -(2.0**31)), ("int64", 2.0**40)):
        x = graph.input(dtype, r.integers(0, 100, 2, 3, dtype=dtype))
        graph.outputs.append(graph.apply(f"{dtype} padded", "pad", x, **_pad("constant", 1, 2, constant_value=number)))
    return graph


declare("pad/integers", "Integers around integers, as far as a dtype goes.", X, _integers)


def _reflected(graph: Graph, x: Node) -> Node:
    return graph.apply(f"{x.name} padded", "pad", x, **_pad("reflect", 3, 2, 0, 1))


every_dtype("pad", X, _reflected, ("int8", "int32", "int64", "uint8"))
_numbers = np.float32([[np.nan, np.inf, -np.inf, -0.0]])
special(
    "pad/not-finite",
    "NaN and infinities are put around like any other, and stay within their rows.",
    "NaN and infinities are elements like any other.",
    lambda r: one("pad", np.concatenate([_numbers, r.normal(1, 4)]), **_pad("symmetric", 3, 4)),
)
declare(
    "pad/constant-of-constant",
    "A value without a batch: axis 0 is not padded.",
    SIDES,
    lambda r: of_constant(r, "pad", 5, 4, 3, **_pad("symmetric", 2, 1, 0, 3)),
)
declare(
    "pad/folded",
    "A value whose rows are not those of the batch.",
    SIDES,
    lambda r: of_folded(r, "pad", 2, 3, 4, 2, **_pad("reflect", 1, 2, 0, 0)),
)
empty_batch("pad", lambda r: one("pad", r.normal(0, 4), **_pad("edge", 1, 2)))
lengths("pad", lambda r, n: one("pad", r.normal(n, 3), **_pad("reflect", 1, 2)))
