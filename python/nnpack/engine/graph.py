"""A document as it is computed: nodes, which passes may change before a plan puts them into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.engine.check import operator_call
from nnpack.format.document import NOTHING, Dimension, Document, Layer, Value
from nnpack.ops import OPERATORS

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


class Open(NamedTuple):
    """A dimension that only a call tells: of a value, along an axis, and what the layer declares it to be."""

    layer: str
    value: str
    axis: int
    declared: Dimension


class Function(NamedTuple):
    """An operator of one input and no weights, applied to what a node makes, in the same memory."""

    op: str
    attributes: Mapping[str, Any] = NOTHING

    def __call__(self, x: Array) -> Array:
        return OPERATORS[self.op].function(x, **self.attributes)


class Node(NamedTuple):
    """One call of an operator.

    Attributes:
        name: of the layer that it was made from.
        op: the operator's id.
        inputs: the values that it reads.
        outputs: the values that it makes.
        weights: role -> numbers.
        attributes: as in the file.
        pads: zeros around the spatial axes of its first input, (before, after) for each.
        outside: the index that stands for those that are negative, and for all larger ones.
        then: what is applied to the result.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: Mapping[str, Array] = NOTHING
    attributes: Mapping[str, Any] = NOTHING
    pads: tuple[tuple[int, int], ...] = ()
    outside: int | None = None
    then: tuple[Function, ...] = ()

    @property
    def function(self) -> Callable[..., Any]:
        """The node as a function of its inputs, on arrays of any shape."""
        function = partial(OPERATORS[self.op].function, **self.weights, **self.attributes)
        plain = not self.pads and self.outside is None and not self.then
        return function if plain else partial(self._surrounded, function)

    def _surrounded(self, function: Callable[..., Any], x: Array, *rest: Array) -> Array:
        if self.pads:
            x = np.pad(x, [(0, 0), *self.pads, (0, 0)])
        if self.outside is not None:
            x = x.astype(np.int64)
            x = np.where((x >= 0) & (x < self.outside), x, self.outside)
        y = function(x, *rest)
        for each in self.then:
            y = each(y)
        return y


class Graph:
    """The nodes that some values depend on, in an order in which they can be computed.

    Attributes:
        values: name -> what the file says of each value that is given or made.
        sources: the values that are given: inputs and states.
        outputs: the values that are wanted.
        nodes: in topological order.
        constants: values that are the same in every call.
        opens: value -> what a call has to check of it.
    """

    def __init__(self, document: Document, outputs: Sequence[str]) -> None:
        self.values: dict[str, Value] = dict(document.values)
        self.sources = document.sources
        self.outputs = tuple(outputs)
        self.constants: dict[str, Array] = {}
        self.opens: dict[str, list[Open]] = {}
        for layer in document.layers:
            for each in _opens(document, layer):
                self.opens.setdefault(each.value, []).append(each)
        computed = {name: document.computed(name) for layer in document.layers for name in layer.weights.values()}
        self.nodes = [
            Node(
                layer.name,
                layer.op,
                layer.inputs,
                tuple(value.name for value in layer.outputs),
                {role: computed[name] for role, name in layer.weights.items()},
                layer.attributes,
            )
            for layer in document.layers
        ]

    def readers(self) -> dict[str, int]:
        """How often each value is read; being wanted counts."""
        counts = dict.fromkeys(self.values, 0)
        for name in (*(name for node in self.nodes for name in node.inputs), *self.outputs):
            counts[name] += 1
        return counts

    def join(self, joined: Callable[[Node, Node], Node | None]) -> list[str]:
        """Makes one node of two where that can be done, again and again.

        Args:
            joined: is asked for each two nodes of which the second alone reads what the first makes, as its first
                input; answers the node that replaces both, or None.

        Returns:
            The names of the nodes that were taken into what comes before them.
        """
        readers = self.readers()
        kept: list[Node | None] = []
        made: dict[str, int] = {}
        names = []
        for node in self.nodes:
            source = node.inputs[0] if node.inputs else ""
            if source in made and readers[source] == 1:
                first = kept[made[source]]
                both = joined(first, node) if first is not None and self._may_go(first, node) else None
                if both is not None:
                    self._go_on(source, node)
                    names.append(node.name)
                    kept[made[source]] = None
                    node = both
            if len(node.outputs) == 1:
                made[node.outputs[0]] = len(kept)
            kept.append(node)
        self.nodes = [node for node in kept if node is not None]
        return names

    def _may_go(self, first: Node, second: Node) -> bool:
        """Whether all that a call checks of what the first makes can be checked of what the second makes."""
        (source, *_), (made, *_) = first.outputs, second.outputs
        return source not in self.opens or self.values[source].shape == self.values[made].shape

    def _go_on(self, source: str, second: Node) -> None:
        for each in self.opens.pop(source, ()):
            self.opens.setdefault(second.outputs[0], []).append(each._replace(value=second.outputs[0]))


def _opens(document: Document, layer: Layer) -> Iterator[Open]:
    """The dimensions of what a layer makes that do not follow from the shapes of what it reads."""
    made = OPERATORS[layer.op].check(operator_call(document, layer))
    for value, (_, shape) in zip(layer.outputs, made, strict=True):
        for axis, n in enumerate(shape):
            if n is None:
                yield Open(layer.name, value.name, axis, value.shape[axis])
