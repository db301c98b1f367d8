"""Values that are not the rows of a batch: constants, and rows that fold has made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from generate import scalar
from generate.case import Draw
from generate.graph import Graph, Node
from generate.pages import Quote
from generate.positive.declare import declare

INTEGRAL = ("int8", "int32", "int64", "uint8", "bool")
"""Every dtype of values but those of floating-point numbers."""

Apply = Callable[[Graph, Node], Node]
"""Adds a layer that reads this value."""


def constant(graph: Graph, name: str, value: Any) -> Node:
    return graph.apply(name, "constant", weights={"value": value}, shape=value.shape)


def folded(graph: Graph, name: str, x: Node) -> Node:
    """x with its axis 1 merged into axis 0: rows that are not the batch's."""
    return graph.apply(name, "fold", x, shape=("rows", *x.shape[2:]), axis=1)


def of_constant(r: Draw, op: str, *shape: int, **attributes: Any) -> Graph:
    """What the operator makes of a value that is the same for every row, added to rows."""
    graph = Graph()
    value = r.normal(*shape)
    made = scalar.float64(op, [value], {}, attributes).shape
    x = graph.input("x", r.normal(2, *made))
    moved = graph.apply("moved", op, constant(graph, "value", value), shape=made, **attributes)
    graph.outputs.append(graph.apply("y", "add", x, moved))
    return graph


def of_folded(r: Draw, op: str, *shape: int, **attributes: Any) -> Graph:
    """What the operator makes of the rows that two axes are merged into, with two axes again."""
    graph = Graph()
    array = r.normal(*shape)
    x = graph.input("x", array)
    made = scalar.float64(op, [array.reshape(-1, *shape[2:])], {}, attributes).shape
    moved = graph.apply("moved", op, folded(graph, "folded", x), shape=("rows", *made[1:]), **attributes)
    graph.outputs.append(graph.apply("y", "unfold", moved, x, axis=1))
    return graph


def several(op: str, array: Any, choices: list[dict[str, Any]]) -> Graph:
    """One value, and what each of these attributes makes of it."""
    graph = Graph()
    x = graph.input("x", array)
    for attributes in choices:
        name = ", ".join(f"{key} {item}" for key, item in attributes.items())
        graph.outputs.append(graph.apply(name, op, x, **attributes))
    return graph


def every_dtype(op: str, says: str | Quote, apply: Apply, dtypes: tuple[str, ...] = INTEGRAL) -> None:
    """The case of an operator that moves numbers of any dtype: (2, 4, 3) of each."""

    def make(r: Draw) -> Graph:
        graph = Graph()
        for dtype in dtypes:
            low, high = (0, 2) if dtype == "bool" else (0, 256) if dtype == "uint8" else (-128, 128)
            x = graph.input(dtype, r.integers(low, high, 2, 4, 3, dtype=dtype))
            graph.outputs.append(apply(graph, x))
        return graph

    declare(f"{op}/dtypes", "Integers and booleans are moved like other numbers.", says, make)
