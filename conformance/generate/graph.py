"""A model of a case: written down once, evaluated by an oracle, written as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from generate import encoding, scalar, tolerances
from generate.case import SEED
from generate.encoding import File, Stored, stored
from generate.tolerances import FLOOR, ROUNDOFF

Evaluate = Callable[..., Any]
"""(op, operands, weights, attributes) -> the operator's value; floating-point numbers are float64."""

COMPUTED = {"float16": "float32", "bfloat16": "float32"}  # storage type -> dtype of a value made from it

RUNS = 32
DEVIATIONS = 8


@dataclass(frozen=True)
class Node:
    """A value of the graph."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class _Step:
    op: str
    inputs: tuple[str, ...]
    output: Node
    weights: dict[str, str]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Weight:
    """A tensor of the file and the numbers that it stands for, exactly."""

    tensor: Stored
    numbers: Any
    parts: dict[str, Stored] = field(default_factory=dict)


class Graph:
    """A model and the arrays that are fed to it.

    Args:
        evaluate: the oracle that its values are from.
    """

    def __init__(self, evaluate: Evaluate = scalar.exact) -> None:
        self._evaluate = evaluate
        self.nodes: list[Node] = []
        self.arrays: list[Any] = []
        self.steps: list[_Step] = []
        self.outputs: list[Node] = []
        self.tensors: dict[str, Weight] = {}
        self.requires: list[str] = []
        self._values: dict[str, Any] = {}

    def input(self, name: str, array: Any, shape: Sequence[int | str] | None = None) -> Node:
        """An input; its shape is the array's, but for the batch, unless it has other symbols."""
        node = Node(name, array.dtype.name, tuple(shape or ("batch", *array.shape[1:])))
        self.nodes.append(node)
        self.arrays.append(array)
        self._values[name] = _widened(array)
        return node

    def apply(
        self,
        name: str,
        op: str,
        *inputs: Node,
        weights: Mapping[str, Any] | None = None,
        shape: Sequence[int | str] | None = None,
        **attributes: Any,
    ) -> Node:
        """A layer.

        Args:
            name: of the layer and of the value that it makes.
            op: its operator.
            inputs: the values that it reads.
            weights: role -> array, Weight, or the name of a tensor that an earlier layer brought.
            shape: what it declares; None takes the oracle's result, with the batch in front.
            attributes: as they stand in the file.
        """
        roles = {role: self._tensor(f"{name}/{role}", weight) for role, weight in (weights or {}).items()}
        if inputs:
            dtype = attributes.get("dtype", inputs[0].dtype)
        else:
            (tensor,) = roles.values()
            weight = self.tensors[tensor]
            dtype = "float32" if weight.parts else COMPUTED.get(weight.tensor.dtype, weight.tensor.dtype)
        step = _Step(op, tuple(node.name for node in inputs), Node(name, dtype, ()), roles, attributes)
        y = self._values[name] = self._compute(step, self._values, self._evaluate)
        output = Node(name, dtype, tuple(shape if shape is not None else ("batch", *y.shape[1:])))
        self.steps.append(_Step(op, step.inputs, output, roles, attributes))
        return output

    def _tensor(self, name: str, weight: Any) -> str:
        if isinstance(weight, str):
            return weight
        if not isinstance(weight, Weight):
            weight = Weight(stored(weight, weight.dtype.name), _widened(weight))
        self.tensors[name] = weight
        return name

    # Evaluation

    def _compute(self, step: _Step, values: Mapping[str, Any], evaluate: Evaluate) -> Any:
        weights = {role: self.tensors[name].numbers for role, name in step.weights.items()}
        y = evaluate(step.op, [values[name] for name in step.inputs], weights, self._attributes(step))
        return _in_range(y) if step.output.dtype == "float32" else y

    def _attributes(self, step: _Step) -> dict[str, Any]:
        """A number becomes the one that the layer's dtype holds."""
        return {
            key: float(np.asarray(item, step.output.dtype)) if isinstance(item, float) else item
            for key, item in step.attributes.items()
        }

    def _ruled(self, step: _Step) -> tuple[list[Any], dict[str, Any]]:
        """What the rule of a tolerance is given: y and the operands, and the rest by name."""
        operands = [self._values[name] for name in step.inputs]
        weights = {role: self.tensors[name].numbers for role, name in step.weights.items()}
        attributes = self._attributes(step)

        def function(x: Any) -> Any:
            return self._evaluate(step.op, [x], weights, attributes)

        return [self._values[step.output.name], *operands], {**weights, **attributes, "function": function}

    def reference(self) -> list[Any]:
        return [self._values[node.name] for node in self.outputs]

    @cached_property
    def tolerance(self) -> list[Any]:
        """One operator: its class. Several: the rule of networks. None: what goes in comes out."""
        if not self.steps:
            return [np.zeros(y.shape) for y in self.reference()]
        with np.errstate(all="ignore"):
            if len(self.steps) > 1:
                allowed = self._network_tolerance()
            else:
                (step,) = self.steps
                ruled, rest = self._ruled(step)
                tolerance = tolerances.of(step.op).tolerance(*ruled, **rest)
                allowed = [tolerance * ROUNDOFF.get(step.output.dtype, 0.0)] * len(self.outputs)
            # in float64 the reference is as rounded as what is compared with it
            allowed = [
                2 * tolerance if node.dtype == "float64" else tolerance
                for node, tolerance in zip(self.outputs, allowed, strict=True)
            ]
        # NaN and infinities are right or wrong, nothing is near them; and what they are turned into is exact
        return [
            np.where(np.isfinite(y) & np.isfinite(tolerance), np.broadcast_to(tolerance, y.shape), 0.0)
            for y, tolerance in zip(self.reference(), allowed, strict=True)
        ]

    def _network_tolerance(self) -> list[Any]:
        """Eight deviations of the outputs while every layer's rounding is imitated by noise of its size."""
        scales = {}
        for step in self.steps:
            ruled, rest = self._ruled(step)
            deviation = tolerances.of(step.op).deviation(*ruled, **rest)
            u, flushed = ROUNDOFF.get(step.output.dtype, 0.0), FLOOR.get(step.output.dtype, 0.0)
            scales[step.output.name] = np.where(deviation > 0, deviation * u + flushed, 0.0)
        squares = [np.zeros(y.shape) for y in self.reference()]
        for run in range(RUNS):
            random = np.random.RandomState(SEED + run)
            values = {node.name: self._values[node.name] for node in self.nodes}
            for step in self.steps:
                y, scale = self._compute(step, values, scalar.float64), scales[step.output.name]
                values[step.output.name] = y + scale * random.standard_normal(y.shape) if np.any(scale) else y
            for square, node, y in zip(squares, self.outputs, self.reference(), strict=True):
                square += np.square(values[node.name] - y)
        return [rounded_up(DEVIATIONS * np.sqrt(square / RUNS), 4) for square in squares]

    def disagreement(self, other: Evaluate) -> float:
        """The largest difference from another oracle's values, as a part of the magnitude of what is summed."""
        worst = 0.0
        for step in self.steps:
            ruled, rest = self._ruled(step)
            y, found = ruled[0], self._compute(step, self._values, other)
            if y.dtype != np.float64:
                worst = max(worst, 0.0 if np.array_equal(y, found) else np.inf)
                continue
            with np.errstate(all="ignore"):
                magnitude = np.maximum(np.abs(y), tolerances.of(step.op).deviation(*ruled, **rest))
                part = np.abs(found - y) / np.maximum(magnitude, FLOOR["float64"])
            worst = max(worst, _largest(part, y, found))
        return worst

    def headroom(self, allowed: Sequence[Any], runtime: Evaluate) -> float | None:
        """A float32 runtime's largest error, as a part of the tolerance; None where a value is float64."""
        if any(node.dtype == "float64" for node in [*self.nodes, *(step.output for step in self.steps)]):
            return None
        values = {node.name: array for node, array in zip(self.nodes, self.arrays, strict=True)}
        for step in self.steps:
            values[step.output.name] = self._compute(step, values, runtime)
        worst = 0.0
        for node, reference, tolerance in zip(self.outputs, self.reference(), allowed, strict=True):
            y = np.asarray(values[node.name], np.float64)
            with np.errstate(all="ignore"):
                part = np.abs(y - reference) / np.maximum(tolerance, FLOOR["float32"])
            worst = max(worst, _largest(part, reference, y))
        return worst

    @property
    def tolerance_class(self) -> str:
        if len(self.steps) > 1:
            return "network"
        return tolerances.of(self.steps[0].op).name if self.steps else "exact"

    # In words, and as a file

    def __str__(self) -> str:
        """ "x = [[1.0]]; y = dense(x, kernel = [[0.5]])" """
        values = [f"{node.name} = {x.tolist()}" for node, x in zip(self.nodes, self.arrays, strict=True)]
        for step in self.steps:
            weights = {role: self.tensors[name].numbers.tolist() for role, name in step.weights.items()}
            given = [f"{key} = {item}" for key, item in {**weights, **step.attributes}.items()]
            values.append(f"{step.output.name} = {step.op}({', '.join([*step.inputs, *given])})")
        return "; ".join(values)

    def file(self) -> File:
        tensors: dict[str, Stored] = {}
        for name, weight in self.tensors.items():
            tensors |= {name: _named_parts(name, weight), **{f"{name}/{k}": v for k, v in weight.parts.items()}}
        layers = [
            encoding.layer(step.op, step.inputs, _value(step.output), step.weights, **step.attributes)
            for step in self.steps
        ]
        names = [node.name for node in self.outputs]
        return encoding.document([_value(node) for node in self.nodes], layers, names, tensors, self.requires)


def one(
    op: str,
    *inputs: Any,
    weights: Mapping[str, Any] | None = None,
    shapes: Sequence[Sequence[int | str]] | None = None,
    shape: Sequence[int | str] | None = None,
    evaluate: Evaluate = scalar.exact,
    **attributes: Any,
) -> Graph:
    """A model of one layer: inputs x, or x1, x2, …; output y."""
    graph = Graph(evaluate)
    names = ["x"] if len(inputs) == 1 else [f"x{i}" for i in range(1, len(inputs) + 1)]
    nodes = [
        graph.input(name, array, shapes[i] if shapes else None)
        for i, (name, array) in enumerate(zip(names, inputs, strict=True))
    ]
    graph.outputs.append(graph.apply("y", op, *nodes, weights=weights, shape=shape, **attributes))
    return graph


def _in_range(y: Any) -> Any:
    """What is nearer to float32's infinity than to its largest number is that infinity."""
    with np.errstate(over="ignore"):
        return np.where(np.isinf(y.astype(np.float32)), np.copysign(np.inf, y), y)


def _named_parts(name: str, weight: Weight) -> Stored:
    """The tensor, its quantization naming the tensors that hold scale and zero point."""
    if not weight.parts:
        return weight.tensor
    named = {**(weight.tensor.quantization or {}), **{part: f"{name}/{part}" for part in weight.parts}}
    return Stored(weight.tensor.dtype, weight.tensor.array, named)


def _value(node: Node) -> dict[str, Any]:
    return encoding.value(node.name, node.shape, node.dtype)


def rounded_up(tolerance: Any, bits: int) -> Any:
    """To this many bits, so that it is the same number on every machine."""
    mantissa, exponent = np.frexp(tolerance)
    return np.ldexp(np.ceil(mantissa * 2**bits) / 2**bits, exponent)


def _largest(part: Any, y: Any, other: Any) -> float:
    """The largest part; where a number is not finite, the other is the same or infinitely far."""
    part = np.where((y == other) | (np.isnan(y) & np.isnan(other)), 0.0, part)
    return float(np.max(np.nan_to_num(part, nan=np.inf), initial=0.0))


def _widened(array: Any) -> Any:
    return array.astype(np.float64) if array.dtype.kind == "f" else array
