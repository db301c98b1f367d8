"""Axes of many lengths, and every axis of an array: code for several numbers at a time, and its remainders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from generate.case import Draw
from generate.graph import Graph, Node, one
from generate.pages import quote
from generate.positive.declare import declare

SIZES = (*range(1, 18), 31, 32, 33)
IN_ORDER = quote("format.md", "compute the layers in order")

Layer = Callable[[Graph, Draw, str, Node, int], Node]
"""(graph, draw, name, x, the length of x's last axis) -> the value of a layer that reads x."""


def _lengths(r: Draw, layer: Layer, sizes: tuple[int, ...]) -> Graph:
    """For each length a dense layer of so many units, and the layer that is tried behind it."""
    graph = Graph()
    x = graph.input("x", r.normal(3, 2))
    made = []
    for n in sizes:
        wide = graph.apply(f"wide {n}", "dense", x, weights={"kernel": r.normal(2, n, scale=1 / n)})
        made.append(layer(graph, r, f"tried {n}", wide, n))
    graph.outputs.append(graph.apply("y", "concatenate", *made, axis=1))
    return graph


def _declare_lengths(op: str, layer: Layer, sizes: tuple[int, ...] = SIZES) -> None:
    title = "Along axes of 1 to 17 elements, and of about 32, in one model."
    declare(f"{op}/axis-lengths", title, IN_ORDER, lambda r: _lengths(r, layer, sizes), kind="network")


def _plain(op: str, **attributes: Any) -> Layer:
    return lambda graph, r, name, x, n: graph.apply(name, op, x, **attributes)


def _dense(graph: Graph, r: Draw, name: str, x: Node, n: int) -> Node:
    return graph.apply(name, "dense", x, weights={"kernel": r.normal(n, 2), "bias": r.normal(2)})


def _batch_normalization(graph: Graph, r: Draw, name: str, x: Node, n: int) -> Node:
    weights = {"moving_mean": r.normal(n), "moving_variance": r.uniform(0.2, 3, n)}
    weights |= {"gamma": r.uniform(0.5, 2, n), "beta": r.normal(n)}
    return graph.apply(name, "batch_normalization", x, weights=weights, axis=1, epsilon=1e-3)


for _op in ("softmax", "log_softmax"):
    _declare_lengths(_op, _plain(_op, axes=[1]))
for _op in ("sparsemax", "cumulative_sparsemax"):
    _declare_lengths(_op, _plain(_op, axis=1))
_declare_lengths("glu", _plain("glu", axis=1), tuple(2 * n for n in SIZES))
_declare_lengths("dense", _dense)
_declare_lengths("batch_normalization", _batch_normalization)
declare(
    "dense/units",
    "1 to 17 units, and about 32, in one model.",
    IN_ORDER,
    lambda r: _lengths(r, lambda graph, r, name, x, n: x, SIZES),
    kind="network",
)


# Every axis


def _axes(op: str, x: Any, *settings: dict[str, Any]) -> Graph:
    graph = Graph()
    node = graph.input("x", x)
    for i, attributes in enumerate(settings):
        graph.outputs.append(graph.apply(f"y{i}", op, node, **attributes))
    return graph


def _declare_axes(op: str, shape: tuple[int, ...], *settings: dict[str, Any]) -> None:
    title = "Along every axis but the batch of five dimensions, in one model."
    declare(f"{op}/axes", title, IN_ORDER, lambda r: _axes(op, r.normal(*shape), *settings), kind="network")


for _op in ("softmax", "log_softmax"):
    _several = ([1], [2], [3], [4], [1, 2], [2, 3], [3, 4], [2, 4], [1, 4], [1, 2, 3], [2, 3, 4], [1, 2, 3, 4])
    _declare_axes(_op, (2, 3, 2, 4, 2), *({"axes": axes} for axes in _several))
for _op in ("sparsemax", "cumulative_sparsemax"):
    _declare_axes(_op, (2, 3, 2, 4, 2), *({"axis": axis} for axis in (1, 2, 3, 4)))
_declare_axes("glu", (2, 4, 2, 6, 2), *({"axis": axis} for axis in (1, 2, 3, 4)))


def _normalized(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 3, 2, 4, 2))
    for axis in (1, 2, 3, 4):
        n = int(x.shape[axis])
        weights = {"moving_mean": r.normal(n), "moving_variance": r.uniform(0.2, 3, n), "beta": r.normal(n)}
        graph.outputs.append(
            graph.apply(f"y{axis}", "batch_normalization", x, weights=weights, axis=axis, epsilon=1e-3)
        )
    return graph


declare(
    "batch_normalization/axes",
    "The channels of every axis but the batch of five dimensions, in one model.",
    IN_ORDER,
    _normalized,
    kind="network",
)
for _axis in (1, 2, 3, 4):
    declare(
        f"concatenate/axis-{_axis}",
        "Three inputs of five dimensions, of other lengths along one axis.",
        "the sum of the inputs' dimensions, where all of them are numbers;",
        lambda r, axis=_axis: one(
            "concatenate",
            *(r.normal(*(n if k == axis else m for k, m in enumerate((2, 3, 2, 4, 2)))) for n in (3, 1, 4)),
            axis=axis,
        ),
    )
for _dtype in ("float64", "int32", "int8", "uint8", "bool"):
    declare(
        f"concatenate/{_dtype}",
        f"{_dtype} is moved like float32.",
        "any, all the same",
        lambda r, dtype=_dtype: one(
            "concatenate", r.integers(0, 2, 3, 5, dtype=dtype), r.integers(0, 2, 3, 2, dtype=dtype), axis=1
        ),
    )
for _dtype in ("int64", "int8", "uint8"):
    declare(
        f"reshape/{_dtype}",
        f"{_dtype} is moved like float32.",
        "Reads the same elements, in the same order, as another shape.",
        lambda r, dtype=_dtype: one("reshape", r.integers(0, 99, 2, 6, dtype=dtype), target_shape=[3, 2]),
    )
