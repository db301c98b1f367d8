"""Fresh cases: what is drawn for each operator, for networks and for damaged files; hypothesis draws and shrinks it.

Expected values are those of the scalar oracle, in float64; Keras is not needed. A draw keeps away from what the
specification leaves open: results that overflow, products that underflow, numbers at which a function jumps.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from generate import fuzzing_elementwise, fuzzing_moving, fuzzing_recurrent, fuzzing_spatial, pages
from generate.case import Case, manifest
from generate.drawing import (
    DTYPES,
    INTEGERS,
    TAME,
    WIDE,
    Draw,
    Make,
    array,
    attributes,
    axes_of,
    axis_of,
    fresh,
    numbers,
    one,
    shape_of,
    typed,
)
from generate.encoding import File
from generate.graph import Graph, Node
from generate.negative.declare import PERCEPTRON, QUANTIZED, TESTED
from generate.pages import Quote
from generate.positive.activations import ACTIVATIONS
from generate.positive.declare import case_of
from naive import model
from naive.errors import Refused

HOME = Path(__file__).parents[1]


@dataclass(frozen=True)
class Topic:
    """What can be drawn.

    Attributes:
        requires: what a runtime needs for it.
        cases: the strategy of its cases whose dimensions are no larger than a number.
    """

    requires: Sequence[str]
    cases: Callable[[int], st.SearchStrategy[Case]]


# Operators


def activation(draw: Draw, op: str) -> Graph:
    known = ACTIVATIONS[op]
    x = array(draw, shape_of(draw), numbers(known.low, known.high, 1e-18))
    return one(op, x, **attributes(draw, op))


def dense(draw: Draw) -> Graph:
    shape = shape_of(draw, 2)
    units = draw.dimension()
    weights = {"kernel": array(draw, (shape[-1], units), WIDE)}
    if draw(st.booleans()):
        weights["bias"] = array(draw, (units,), WIDE)
    return one("dense", array(draw, shape, WIDE), weights=weights)


def batch_normalization(draw: Draw) -> Graph:
    shape = shape_of(draw, 2)
    axis = axis_of(draw, shape)
    channels = (shape[axis],)
    weights = {
        "moving_mean": array(draw, channels, numbers(-1e6, 1e6, 1e-6)),
        "moving_variance": array(draw, channels, numbers(1e-6, 1e6, 1e-6)),
    }
    weights |= {role: array(draw, channels, TAME) for role in ("gamma", "beta") if draw(st.booleans())}
    x = array(draw, shape, numbers(-1e6, 1e6, 1e-6))
    given = attributes(draw, "batch_normalization")
    return one("batch_normalization", x, weights=weights, axis=axis, **given)


def over_axes(draw: Draw, op: str) -> Graph:
    shape = shape_of(draw, 2)
    axes = axes_of(draw, shape)
    return one(op, array(draw, shape, numbers(-1e4, 1e4, 1e-6)), axes=axes)


def sparsemax(draw: Draw, op: str) -> Graph:
    shape = shape_of(draw, 2)
    axis = axis_of(draw, shape)
    x = array(draw, shape, st.integers(-64, 64).map(lambda n: n / 16))
    if op == "cumulative_sparsemax":  # it jumps where an element is just at the edge of the support
        descending = -np.sort(-x.astype(np.float64), axis=axis)
        ranks = np.arange(1, shape[axis] + 1).reshape([-1 if k == axis else 1 for k in range(len(shape))])
        assume(not np.any(descending * ranks - np.cumsum(descending, axis) + 1 == 0))
    return one(op, x, axis=axis)


def glu(draw: Draw) -> Graph:
    shape = list(shape_of(draw, 2))
    axis = axis_of(draw, shape)
    shape[axis] *= 2
    return one("glu", array(draw, shape, WIDE), axis=axis)


def cast(draw: Draw) -> Graph:
    source, target = draw(st.sampled_from(DTYPES)), draw(st.sampled_from(DTYPES))
    elements = typed(draw, source)
    if source.startswith("float") and target in INTEGERS:  # beyond the range it is unspecified
        low, high = INTEGERS[target]
        elements = numbers(max(low, -1e6), min(high, 1e6), 1e-6)
    return one("cast", array(draw, shape_of(draw), elements, source), dtype=target)


def identity(draw: Draw) -> Graph:
    dtype = draw(st.sampled_from(DTYPES))
    return one("identity", array(draw, shape_of(draw), typed(draw, dtype), dtype))


def constant(draw: Draw) -> Graph:
    shape = shape_of(draw)
    graph = fresh()
    x = graph.input("x", array(draw, shape, WIDE))
    first = draw(st.integers(1, len(shape)))
    value = array(draw, shape[first:], WIDE)
    added = graph.apply("value", "constant", weights={"value": value}, shape=value.shape)
    graph.outputs.append(graph.apply("y", "maximum", x, added))
    return graph


def reshape(draw: Draw) -> Graph:
    shape = shape_of(draw, 1, 5)
    count = prod(shape[1:])
    target: list[int] = []
    while count > 1 and len(target) < 6:
        target.append(draw(st.sampled_from([n for n in range(1, count + 1) if count % n == 0])))
        count //= target[-1]
    target += [count] if count > 1 else []
    if target and draw(st.booleans()):
        target[draw(st.integers(0, len(target) - 1))] = -1
    return one("reshape", array(draw, shape, WIDE), target_shape=target)


def concatenate(draw: Draw) -> Graph:
    shape = list(shape_of(draw, 2))
    axis = axis_of(draw, shape)
    parts = [draw.dimension() for _ in range(draw(st.integers(1, 3)))]
    arrays = [array(draw, (*shape[:axis], n, *shape[axis + 1 :]), WIDE) for n in parts]
    return one("concatenate", *arrays, axis=axis)


MAKE: Mapping[str, Make] = {
    **{op: partial(activation, op=op) for op in ACTIVATIONS},
    **{op: partial(over_axes, op=op) for op in ("softmax", "log_softmax")},
    **{op: partial(sparsemax, op=op) for op in ("sparsemax", "cumulative_sparsemax")},
    "batch_normalization": batch_normalization,
    "cast": cast,
    "concatenate": concatenate,
    "constant": constant,
    "dense": dense,
    "glu": glu,
    "identity": identity,
    "reshape": reshape,
    **fuzzing_elementwise.MAKE,
    **fuzzing_moving.MAKE,
    **fuzzing_recurrent.MAKE,
    **fuzzing_spatial.MAKE,
}
"""Operator -> a model of it; what a new operator adds here is what it is fuzzed with."""

BESIDE: Mapping[str, Sequence[str]] = {"constant": ("maximum",), **fuzzing_moving.BESIDE}
"""Operator -> others that its models have."""


# Networks

SMOOTH = ("relu", "tanh", "sigmoid", "softplus", "silu", "gelu", "softsign", "elu", "leaky_relu")
"""Without a jump: at one, right runtimes may differ by all of it."""


def network(draw: Draw) -> Graph:
    """Rows of numbers through a few layers, with a branch here and there."""
    graph = fresh()
    width = draw.dimension()
    values = [graph.input("x", array(draw, (draw.rows(), width), TAME))]
    for i in range(draw(st.integers(2, 5))):
        values.append(_layer(draw, graph, f"layer{i}", values))
    graph.outputs += [values[-1], *_unread(graph, values[:-1])]
    return graph


def _layer(draw: Draw, graph: Graph, name: str, values: Sequence[Node]) -> Node:
    x = values[-1]
    n = int(x.shape[1])
    kind = draw(st.sampled_from(("dense", "activation", "softmax", "merge", "concatenate")))
    if kind == "dense":
        units = draw.dimension()
        kernel, bias = array(draw, (n, units), TAME), array(draw, (units,), TAME)
        return graph.apply(name, "dense", x, weights={"kernel": kernel, "bias": bias})
    if kind == "activation":
        op = draw(st.sampled_from(SMOOTH))
        return graph.apply(name, op, x, **attributes(draw, op))
    if kind == "softmax":
        return graph.apply(name, "softmax", x, axes=[1])
    other = draw(st.sampled_from(values))
    if kind == "merge" and other.shape == x.shape:
        return graph.apply(name, draw(st.sampled_from(("add", "multiply", "maximum"))), x, other)
    return graph.apply(name, "concatenate", x, other, axis=1)


def _unread(graph: Graph, values: Sequence[Node]) -> list[Node]:
    """Values that no layer reads: as outputs, they keep their layers alive."""
    read = {name for step in graph.steps for name in step.inputs}
    return [node for node in values if node.name not in read]


# Files


@st.composite
def files(draw: Any, most: int) -> Case:
    """A sound file with one or two changes; whether it is still sound, the interpreter says."""
    file = draw(st.sampled_from((PERCEPTRON, QUANTIZED, TESTED)))
    data = bytes(file)
    if draw(st.booleans()):
        data = _damaged(draw, data)
    else:
        header = json.loads(json.dumps(file.header))
        for _ in range(draw(st.integers(1, 2))):
            _change(draw, header)
        data = bytes(File(header, file.payload))
    try:
        read = model.load(data)
    except Refused as refused:
        spec = pages.faults()[refused.code]
        detail = {"code": refused.code, "at": refused.at}
        return Case("fuzz/files", "reject", "L0", "A damaged file.", spec, [], {"model.nnpack": data}, None, detail)
    assume(not read.container.departures)
    spec = pages.quote("format.md", "Loading a canonical file and writing it again gives the same bytes.")
    detail = {"code": None, "at": None}
    requires = read.container.header["requires"]
    return Case(
        "fuzz/files", "canonical", "L0", "A changed file.", spec, requires, {"model.nnpack": data}, None, detail
    )


def _damaged(draw: Any, data: bytes) -> bytes:
    at = draw(st.integers(0, len(data) - 1))
    how = draw(st.sampled_from(("flip", "cut", "insert", "drop")))
    if how == "flip":
        return data[:at] + bytes([data[at] ^ draw(st.integers(1, 255))]) + data[at + 1 :]
    if how == "cut":
        return data[:at]
    if how == "insert":
        return data[:at] + draw(st.binary(min_size=1, max_size=4)) + data[at:]
    return data[:at] + data[at + 1 :]


ODD = (
    "",
    "x",
    "y",
    "batch",
    "hidden",
    "dense@1",
    "dense@2",
    "float64",
    "int8",
    0,
    1,
    -1,
    2,
    64,
    2**31,
    0.5,
    1.0,
    True,
    [],
    {},
)


def _change(draw: Any, header: dict[str, Any]) -> None:
    """Somewhere in the header, something is another value, missing, there twice, or new."""
    places = list(_places(header))
    box, key = places[draw(st.integers(0, len(places) - 1))]
    how = draw(st.sampled_from(("replace", "remove", "repeat")))
    if how == "replace":
        box[key] = draw(st.sampled_from(ODD))
    elif how == "remove":
        del box[key]
    elif isinstance(box, list):
        box.insert(key, box[key])
    else:
        box[f"{key}2"] = box[key]


def _places(item: Any) -> Any:
    for key, inner in item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ():
        yield item, key
        yield from _places(inner)


# Topics


def _case(make: Make, name: str, spec: Quote) -> Callable[[int], st.SearchStrategy[Case]]:
    kind = "network" if name == "networks" else "run"

    @st.composite
    def cases(draw: Any, most: int) -> Case:
        graph = make(Draw(draw, most))
        return case_of(graph, f"fuzz/{name}", kind, None, str(graph), spec)

    return cases


def _of(op: str) -> Topic:
    described = pages.operator(op)
    says = pages.quote(described.page, described.row) if described.row else _semantics(described.page)
    needs = [f"op:{described.id}", *(f"op:{other}@1" for other in BESIDE.get(op, ()))]
    return Topic(needs, _case(MAKE[op], op, says))


def _semantics(page: str) -> Quote:
    """The formula of a page: the first line of its first block."""
    _, _, block = pages.sections(page)["Semantics"].partition("```\n")
    return Quote(page, "Semantics", pages.collapsed(block.partition("\n")[0]))


TOPICS: Mapping[str, Topic] = {
    **{op: _of(op) for op in sorted(MAKE)},
    "networks": Topic(
        [f"op:{op}@1" for op in ("dense", "softmax", "add", "multiply", "maximum", "concatenate", *SMOOTH)],
        _case(network, "networks", pages.quote("format.md", "list of layers in topological order; may be empty")),
    ),
    "files": Topic([], files),
}


def save(folder: Path, cases: Sequence[Case]) -> None:
    """Writes cases as a suite of their own."""
    for case in cases:
        for name, data in case.all_files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (folder / "manifest.json").write_bytes(manifest(cases))
    shutil.copytree(HOME / "schema", folder / "schema", dirs_exist_ok=True)
