"""The order in which a document is computed, every layer bound to one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.format.document import Document, Layer
from nnpack.ops import OPERATORS

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


_VIEWS = ("constant@1", "identity@1", "reshape@1")
"""Operators whose result may be memory of their input or of a weight."""


class Step(NamedTuple):
    """One layer: its function with weights and attributes bound, and the slots that it reads, makes and frees."""

    function: Callable[..., Array]
    inputs: tuple[int, ...]
    output: int
    frees: tuple[int, ...]


class Plan:
    """A document made ready to run, for some of its values as outputs."""

    def __init__(self, document: Document, outputs: Sequence[str]) -> None:
        slots = {name: i for i, name in enumerate(document.values)}
        needed = set(outputs)
        layers = []
        for layer in reversed(document.layers):
            if layer.outputs[0].name in needed:
                layers.append(layer)
                needed.update(layer.inputs)
        self.size = len(slots)
        self.outputs = tuple(slots[name] for name in outputs)
        kept = set(self.outputs)
        steps = []
        for layer in layers:  # from the last to the first: the first reader met here is the last to run
            reads = tuple(slots[name] for name in layer.inputs)
            frees = tuple(set(reads) - kept)
            kept.update(reads)
            steps.append(Step(bound(document, layer), reads, slots[layer.outputs[0].name], frees))
        self.steps = steps[::-1]
        made = {slots[layer.outputs[0].name] for layer in layers if layer.op not in _VIEWS}
        self.views = {slot for i, slot in enumerate(self.outputs) if slot not in made or slot in self.outputs[:i]}

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs for arrays that are known to fit the document's inputs."""
        values: list[Any] = [*inputs, *[None] * (self.size - len(inputs))]
        with np.errstate(all="ignore"):  # infinities and NaN are results, not events
            for function, reads, output, frees in self.steps:
                values[output] = function(*[values[slot] for slot in reads])
                for slot in frees:
                    values[slot] = None
        # what is returned is the caller's own: no view of what was given, of a weight, or of another output
        return [values[slot].copy() if slot in self.views else values[slot] for slot in self.outputs]


def bound(document: Document, layer: Layer) -> Callable[..., Array]:
    """A layer as a function of its inputs."""
    weights: Mapping[str, Array] = {role: document.computed(name) for role, name in layer.weights.items()}
    return partial(OPERATORS[layer.op].function, **weights, **layer.attributes)
