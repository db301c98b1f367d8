"""Values that are read again: a layer may write its result over what it reads only when nobody needs that any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from generate.case import Draw
from generate.graph import Graph
from generate.pages import quote
from generate.positive.activations import ACTIVATIONS
from generate.positive.declare import declare
from generate.positive.elementwise import OPERATORS

TITLE = "x is read by two layers, y by one; all of them are outputs, x too."
READS = quote(
    "format.md",
    "the names of the values that it reads, each an input of the model, a state, or made by an earlier layer",
)


def _graph(op: str, xs: Sequence[Any], weights: dict[str, Any], attributes: dict[str, Any]) -> Graph:
    """y = op(x), z = op(y), again = op(x); what there is beside x is the same for all three."""
    graph = Graph()
    x, *beside = [graph.input(f"x{i}", array) for i, array in enumerate(xs)]
    y = graph.apply("y", op, x, *beside, weights=weights, **attributes)
    shared = {role: f"y/{role}" for role in weights}
    z = graph.apply("z", op, y, *beside, weights=shared, **attributes)
    again = graph.apply("again", op, x, *beside, weights=shared, **attributes)
    graph.outputs += [z, again, y, x, *beside]
    return graph


def _declare(op: str, *shapes: tuple[int, ...], weights: dict[str, tuple[int, ...]] | None = None, **rest: Any) -> None:
    def make(r: Draw) -> Graph:
        xs = [r.normal(*shape, mean=1 + 4 * i) for i, shape in enumerate(shapes)]
        return _graph(op, xs, {role: r.uniform(0.2, 2, *shape) for role, shape in (weights or {}).items()}, rest)

    declare(f"{op}/read-again", TITLE, READS, make, kind="network")


for _op, _activation in ACTIVATIONS.items():
    _declare(_op, (3, 2, 2), **_activation.attributes[0])
for _op in OPERATORS:
    _declare(_op, (3, 4), (3, 4))
for _op in ("softmax", "log_softmax"):
    _declare(_op, (3, 4), axes=[1])
for _op in ("sparsemax", "cumulative_sparsemax"):
    _declare(_op, (3, 4), axis=1)
_declare("glu", (3, 8), axis=1)
_declare("dense", (3, 4), weights={"kernel": (4, 4), "bias": (4,)})
_declare(
    "batch_normalization",
    (3, 4),
    weights=dict.fromkeys(("moving_mean", "moving_variance", "gamma", "beta"), (4,)),
    axis=1,
    epsilon=0.1,
)
_declare("identity", (3, 4))
_declare("cast", (3, 4), dtype="float32")
_declare("concatenate", (3, 2), (3, 3), axis=1)
_declare("reshape", (3, 4), target_shape=[2, 2])
