"""The order in which a document is computed, every layer bound to one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.engine.check import bind, operator_call
from nnpack.errors import ShapeError
from nnpack.format.document import Dimension, Document, Layer
from nnpack.ops import OPERATORS

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


class Open(NamedTuple):
    """A dimension that only a call tells: of a slot, along an axis, and what the layer declares it to be."""

    slot: int
    axis: int
    declared: Dimension


class Step(NamedTuple):
    """One layer: its function with weights and attributes bound, and the slots that it reads, makes and frees."""

    name: str

    function: Callable[..., Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    frees: tuple[int, ...]
    opens: tuple[Open, ...]


class Plan:
    """A document made ready to run, for some of its values as outputs."""

    def __init__(self, document: Document, outputs: Sequence[str]) -> None:
        slots = {name: i for i, name in enumerate(document.values)}
        needed = set(outputs)
        layers = []
        for layer in reversed(document.layers):
            if any(value.name in needed for value in layer.outputs):
                layers.append(layer)
                needed.update(layer.inputs)
        self.size = len(slots)
        self.sources = document.sources
        self.outputs = tuple(slots[name] for name in outputs)
        kept = set(self.outputs)
        steps = []
        for layer in layers:  # from the last to the first: the first reader met here is the last to run
            reads = tuple(slots[name] for name in layer.inputs)
            makes = tuple(slots[value.name] for value in layer.outputs)
            frees = tuple({*reads, *makes} - kept)
            kept.update(reads)
            opens = tuple(_opens(document, layer, slots))
            steps.append(Step(layer.name, bound(document, layer), reads, makes, frees, opens))
        self.steps = steps[::-1]
        self.is_open = any(step.opens for step in steps)
        made = {slots[value.name] for layer in layers if not OPERATORS[layer.op].view for value in layer.outputs}
        self.views = {slot for i, slot in enumerate(self.outputs) if slot not in made or slot in self.outputs[:i]}

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs for arrays that are known to fit the document's inputs."""
        values: list[Any] = [*inputs, *[None] * (self.size - len(inputs))]
        numbers: dict[str, int] = {}
        if self.is_open:
            for value, array in zip(self.sources, inputs, strict=True):
                bind(value.shape, array.shape, numbers)
        with np.errstate(all="ignore"):  # infinities and NaN are results, not events
            for name, function, reads, makes, frees, opens in self.steps:
                made = function(*[values[slot] for slot in reads])
                if len(makes) == 1:
                    values[makes[0]] = made
                else:
                    for slot, y in zip(makes, made, strict=True):
                        values[slot] = y
                for slot, axis, declared in opens:
                    _require(name, declared, values[slot].shape[axis], numbers)
                for slot in frees:
                    values[slot] = None
        # what is returned is the caller's own: no view of what was given, of a weight, or of another output
        return [values[slot].copy() if slot in self.views else values[slot] for slot in self.outputs]


def _opens(document: Document, layer: Layer, slots: Mapping[str, int]) -> Iterator[Open]:
    """The dimensions of what a layer makes that do not follow from the shapes of what it reads."""
    made = OPERATORS[layer.op].check(operator_call(document, layer))
    for value, (_, shape) in zip(layer.outputs, made, strict=True):
        for axis, n in enumerate(shape):
            if n is None:
                yield Open(slots[value.name], axis, value.shape[axis])


def _require(name: str, declared: Dimension, actual: int, numbers: dict[str, int]) -> None:
    """A dimension is what the layer declares: its number, or that of all dimensions of its symbol."""
    expected = numbers.setdefault(declared, actual) if isinstance(declared, str) else declared
    if expected != actual:
        raise ShapeError("shape", name, f"{declared} = {expected}", f"{actual}")


def bound(document: Document, layer: Layer) -> Callable[..., Any]:
    """A layer as a function of its inputs."""
    weights: Mapping[str, Array] = {role: document.computed(name) for role, name in layer.weights.items()}
    return partial(OPERATORS[layer.op].function, **weights, **layer.attributes)
