"""A model of a case: written down once, evaluated by an oracle, written as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from generate import encoding, scalar, tolerances
from generate.case import SEED
from generate.encoding import File, Stored, stored
from generate.tolerances import DEVIATIONS, FLOOR, ROUNDOFF, RUNS, SAMPLED_BITS, rounded_up

Evaluate = Callable[..., Any]
"""(op, operands, weights, attributes) -> the operator's value; floating-point numbers are float64."""

COMPUTED = {"float16": "float32", "bfloat16": "float32"}  # storage type -> dtype of a value made from it


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
    outputs: tuple[Node, ...]
    weights: dict[str, str]
    attributes: dict[str, Any]

    @property
    def dtype(self) -> str:
        """What it is computed in."""
        return self.outputs[0].dtype


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
        self.states: list[tuple[Node, Node, str]] = []
        self._values: dict[str, Any] = {}
        self._found: dict[str, Any] = {}

    def input(self, name: str, array: Any, shape: Sequence[int | str] | None = None) -> Node:
        """An input; its shape is the array's, but for the batch, unless it has other symbols."""
        dtype = "string" if array.dtype.kind == "O" else array.dtype.name
        node = Node(name, dtype, tuple(shape or ("batch", *array.shape[1:])))
        self.nodes.append(node)
        self.arrays.append(array)
        self._values[name] = _widened(array)
        return node

    def state(self, name: str, initial: Any) -> Node:
        """A value that is carried from call to call; `initial` is one row of it before the first."""
        node = Node(name, initial.dtype.name, ("batch", *initial.shape))
        rows = len(self.arrays[0])
        self._values[name] = np.broadcast_to(_widened(initial), (rows, *initial.shape))
        self.states.append((node, node, self._tensor(f"{name}/initial", initial)))
        return node

    def carry(self, state: Node, becomes: Node) -> None:
        """What a state is in the next call."""
        self.states = [(node, becomes if node == state else to, name) for node, to, name in self.states]

    def apply(
        self,
        name: str,
        op: str,
        *inputs: Node,
        weights: Mapping[str, Any] | None = None,
        shape: Sequence[int | str] | None = None,
        **attributes: Any,
    ) -> Node:
        """A layer of one output; arguments as for `apply_all`."""
        (made,) = self.apply_all(
            name, op, *inputs, weights=weights, shapes=None if shape is None else [shape], **attributes
        )
        return made

    def apply_all(
        self,
        name: str,
        op: str,
        *inputs: Node,
        weights: Mapping[str, Any] | None = None,
        shapes: Sequence[Sequence[int | str]] | None = None,
        **attributes: Any,
    ) -> list[Node]:
        """A layer.

        Args:
            name: of the layer and of the first value that it makes; the others are name:1, name:2, …
            op: its operator.
            inputs: the values that it reads.
            weights: role -> array, Weight, or the name of a tensor that an earlier layer brought.
            shapes: what it declares; None takes the oracle's results, with the batch in front.
            attributes: as they stand in the file.
        """
        roles = {role: self._tensor(f"{name}/{role}", weight) for role, weight in (weights or {}).items()}
        floating = [dtype for dtype in [node.dtype for node in inputs] + self._dtypes(roles) if dtype in ROUNDOFF]
        dtype = attributes.get("dtype", floating[0] if floating else "")
        step = _Step(op, tuple(node.name for node in inputs), (Node(name, dtype, ()),), roles, attributes)
        made = self._compute(step, self._values, self._evaluate)
        nodes = []
        for i, y in enumerate(made):
            known_as = name if i == 0 else f"{name}:{i}"
            shape = ("batch", *y.shape[1:]) if shapes is None else tuple(shapes[i])
            nodes.append(Node(known_as, dtype if y.dtype.kind == "f" else y.dtype.name, shape))
            self._values[known_as] = y
        self.steps.append(replace(step, outputs=tuple(nodes)))
        return nodes

    def _dtypes(self, roles: Mapping[str, str]) -> list[str]:
        """What layers see of tensors."""
        found = [self.tensors[name] for name in roles.values()]
        return ["float32" if w.parts else COMPUTED.get(w.tensor.dtype, w.tensor.dtype) for w in found]

    def _tensor(self, name: str, weight: Any) -> str:
        if isinstance(weight, str):
            return weight
        if not isinstance(weight, Weight):
            weight = Weight(stored(weight, weight.dtype.name), _widened(weight))
        self.tensors[name] = weight
        return name

    # Evaluation

    def _compute(self, step: _Step, values: Mapping[str, Any], evaluate: Evaluate) -> list[Any]:
        """What a layer makes: a list, of one value mostly."""
        weights = {role: self.tensors[name].numbers for role, name in step.weights.items()}
        made = evaluate(step.op, [values[name] for name in step.inputs], weights, self._attributes(step))
        made = list(made) if isinstance(made, list | tuple) else [made]
        return [_in_range(y) for y in made] if step.dtype == "float32" else made

    def _attributes(self, step: _Step) -> dict[str, Any]:
        """A number becomes the one that the layer's dtype holds."""
        return {
            key: float(np.asarray(item, step.dtype)) if isinstance(item, float) and step.dtype in ROUNDOFF else item
            for key, item in step.attributes.items()
        }

    def _ruled(self, step: _Step) -> Any:
        """What the rule of a layer's class finds, of y (of several outputs the list), the operands, the rest by name.

        It is found once, since a tolerance and a deviation are read from it, and sampling a loop takes long.
        """
        first = step.outputs[0].name
        if first not in self._found:
            operands = [self._values[name] for name in step.inputs]
            weights = {role: self.tensors[name].numbers for role, name in step.weights.items()}
            attributes = self._attributes(step)

            def function(x: Any) -> Any:
                return self._evaluate(step.op, [x, *operands[1:]], weights, attributes)

            made = [self._values[node.name] for node in step.outputs]
            y = made if len(made) > 1 else made[0]
            rule = tolerances.of(step.op).rule
            self._found[first] = rule(y, *operands, **weights, **attributes, function=function)
        return self._found[first]

    def _ruled_by(self, step: _Step, reading: str) -> list[Any]:
        """The tolerance or the deviation of each of a layer's outputs, by its class; integers are exact."""
        found = getattr(tolerances.of(step.op), reading)(self._ruled(step))
        found = list(found) if isinstance(found, list | tuple) else [found]
        return [
            item * ROUNDOFF[node.dtype] if node.dtype in ROUNDOFF else np.zeros(self._values[node.name].shape)
            for node, item in zip(step.outputs, found, strict=True)
        ]

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
                made = dict(zip((node.name for node in step.outputs), self._ruled_by(step, "tolerance"), strict=True))
                allowed = [made[node.name] if node.name in made else np.zeros(()) for node in self.outputs]
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
            for node, deviation in zip(step.outputs, self._ruled_by(step, "deviation"), strict=True):
                flushed = FLOOR.get(node.dtype, 0.0)
                scales[node.name] = np.where(deviation > 0, deviation + flushed, 0.0)
        squares = [np.zeros(y.shape) for y in self.reference()]
        given = [*self.nodes, *(node for node, _, _ in self.states)]
        for run in range(RUNS):
            random = np.random.RandomState(SEED + run)
            values = {node.name: self._values[node.name] for node in given}
            for step in self.steps:
                for node, y in zip(step.outputs, self._compute(step, values, scalar.float64), strict=True):
                    scale = scales[node.name]
                    values[node.name] = y + scale * random.standard_normal(y.shape) if np.any(scale) else y
            for square, node, y in zip(squares, self.outputs, self.reference(), strict=True):
                square += np.square(np.subtract(values[node.name], y, dtype=np.float64))
        return [rounded_up(DEVIATIONS * np.sqrt(square / RUNS), SAMPLED_BITS) for square in squares]

    def disagreement(self, other: Evaluate) -> float:
        """The largest difference from another oracle's values, as a part of the magnitude of what is summed."""
        worst = 0.0
        for step in self.steps:
            for node, found, deviation in zip(
                step.outputs, self._compute(step, self._values, other), self._ruled_by(step, "deviation"), strict=True
            ):
                y = self._values[node.name]
                if y.dtype != np.float64:
                    worst = max(worst, 0.0 if np.array_equal(y, found) else np.inf)
                    continue
                with np.errstate(all="ignore"):
                    magnitude = np.maximum(np.abs(y), deviation / ROUNDOFF[node.dtype])
                    part = np.abs(found - y) / np.maximum(magnitude, FLOOR["float64"])
                worst = max(worst, _largest(part, y, found))
        return worst

    def headroom(self, runtime: Evaluate) -> float | None:
        """A float32 runtime's largest error, as a part of the tolerance; None where a value is float64."""
        made = [node for step in self.steps for node in step.outputs]
        if any(node.dtype == "float64" for node in [*self.nodes, *made]):
            return None
        values = {node.name: array for node, array in zip(self.nodes, self.arrays, strict=True)}
        for node, _, _ in self.states:
            values[node.name] = self._values[node.name].astype(node.dtype)
        for step in self.steps:
            for node, y in zip(step.outputs, self._compute(step, values, runtime), strict=True):
                values[node.name] = y
        worst = 0.0
        for node, reference, tolerance in zip(self.outputs, self.reference(), self.tolerance, strict=True):
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
            made = ", ".join(node.name for node in step.outputs)
            values.append(f"{made} = {step.op}({', '.join([*step.inputs, *given])})")
        return "; ".join(values)

    def file(self) -> File:
        tensors: dict[str, Stored] = {}
        for name, weight in self.tensors.items():
            tensors |= {name: _named_parts(name, weight), **{f"{name}/{k}": v for k, v in weight.parts.items()}}
        layers = [
            encoding.layer(
                step.op, step.inputs, [_value(node) for node in step.outputs], step.weights, **step.attributes
            )
            for step in self.steps
        ]
        names = [node.name for node in self.outputs]
        states = [
            {"input": _value(node), "output": becomes.name, "initial": name} for node, becomes, name in self.states
        ]
        given = {"states": states} if states else {}
        return encoding.document([_value(node) for node in self.nodes], layers, names, tensors, self.requires, **given)


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
    if y.dtype.kind != "f":
        return y
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


def _largest(part: Any, y: Any, other: Any) -> float:
    """The largest part; where a number is not finite, the other is the same or infinitely far."""
    part = np.where((y == other) | (np.isnan(y) & np.isnan(other)), 0.0, part)
    return float(np.max(np.nan_to_num(part, nan=np.inf), initial=0.0))


def _widened(array: Any) -> Any:
    return array.astype(np.float64) if array.dtype.kind == "f" else array
