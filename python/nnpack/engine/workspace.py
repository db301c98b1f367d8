"""A plan bound to memory, for inputs of some shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.engine.kernels import Kernel, kernel_of
from nnpack.engine.kernels.kernel import Call
from nnpack.engine.memory import Arena, Life, Spec, arranged

if TYPE_CHECKING:
    from nnpack.engine.graph import Graph, Node
    from nnpack.format.dtypes import Array


class Bound(NamedTuple):
    """A node as it is computed: the shape of what it makes, and by how many calls."""

    node: Node
    kernel: Kernel
    shape: tuple[int, ...]
    calls: int


class Workspace:
    """Calls without arguments, from inputs that are copied in to outputs that are copied out.

    Attributes:
        bound: the nodes, in the order in which they are computed.
        nbytes: the memory of all values and scratch.
    """

    def __init__(self, graph: Graph, specs: Mapping[str, Spec], kernels: Sequence[Kernel], layout: _Layout) -> None:
        arena = Arena(layout.nbytes)
        self.nbytes = arena.nbytes
        arrays: dict[str, Array] = dict(graph.constants)
        for name in layout.roots:
            arrays[name] = arena.array(specs[name], layout.offsets[name])
        self._calls: list[Call] = []
        self.bound: list[Bound] = []
        for i, (node, kernel) in enumerate(zip(graph.nodes, kernels, strict=True)):
            inputs = [arrays[name] for name in node.inputs]
            shape = specs[node.outputs[0]].shape
            if kernel.view is not None:
                arrays[node.outputs[0]] = kernel.view(inputs[0])
                self.bound.append(Bound(node, kernel, shape, 0))
                continue
            for name in node.outputs:
                if name not in arrays:  # in the memory of an input
                    arrays[name] = arrays[layout.root[name]].reshape(specs[name].shape)
            scratch = [arena.array(spec, at) for spec, at in zip(kernel.scratch, layout.scratch[i], strict=True)]
            calls = kernel.bind(inputs, [arrays[name] for name in node.outputs], scratch)
            self._calls += calls
            self.bound.append(Bound(node, kernel, shape, len(calls)))
        self._head = self._taking(arrays, graph)
        self._inputs = [arrays[value.name] for value in graph.sources]
        self._outputs = [arrays[name] for name in graph.outputs]
        self._context = copy_context()
        self._context.run(np.seterr, all="ignore")  # infinities and NaN are results, not events

    @property
    def has_one_output(self) -> bool:
        return len(self._outputs) == 1

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs for arrays of these shapes."""
        for place, x in zip(self._inputs, inputs, strict=True):
            place[...] = x
        self._context.run(self._run)
        return [y.copy() for y in self._outputs]

    def quick(self, x: Array) -> Array:
        """The only output for the only input."""
        if self._head and x.flags.c_contiguous:
            self._context.run(self._run_taking, x)
        else:
            np.copyto(self._inputs[0], x)
            self._context.run(self._run)
        return self._outputs[0].copy()

    def _run(self) -> None:
        for call in self._calls:
            call()

    def _run_taking(self, x: Array) -> None:
        x.dot(*self._head)
        for call in self._rest:
            call()

    def _taking(self, arrays: Mapping[str, Array], graph: Graph) -> tuple[Array, ...]:
        """Where the first call alone reads the only input, as the first operand of a product: the other operands.

        Then the input need not be copied.
        """
        self._rest = self._calls[1:]
        name, first = graph.sources[0].name, self._calls[0] if self._calls else None
        if len(graph.sources) > 1 or graph.readers()[name] > 1 or not isinstance(first, partial):
            return ()
        operand = getattr(first.func, "__self__", None)
        given = arrays[name]
        if not isinstance(operand, np.ndarray) or operand.shape != given.shape or not np.shares_memory(operand, given):
            return ()
        return tuple(first.args)


def workspace(graph: Graph, specs: Mapping[str, Spec], most: int | None = None) -> Workspace | None:
    """A graph bound to memory; None where that takes more bytes than there may be.

    Args:
        graph: what is computed.
        specs: the shape and dtype of each value.
        most: bytes; None for as many as it takes.
    """
    kernels = [
        kernel_of(node, [specs[name] for name in node.inputs], [specs[name] for name in node.outputs])
        for node in graph.nodes
    ]
    layout = _Layout(graph, specs, kernels)
    return None if most is not None and layout.nbytes > most else Workspace(graph, specs, kernels, layout)


class _Layout:
    """Where each value and each kernel's scratch lies.

    Attributes:
        root: value -> the value whose memory it shares.
        roots: the values that have memory of their own.
        offsets: root -> where its memory begins.
        scratch: for each node, where each piece of its scratch begins.
    """

    def __init__(self, graph: Graph, specs: Mapping[str, Spec], kernels: Sequence[Kernel]) -> None:
        self.root: dict[str, str] = {value.name: value.name for value in graph.sources}
        born = dict.fromkeys(self.root, -1)
        read = _last_reads(graph)
        last: dict[str, int] = {name: read.get(name, -1) for name in self.root}
        for i, (node, kernel) in enumerate(zip(graph.nodes, kernels, strict=True)):
            for name in node.outputs:
                taken = self._taken(node, kernel, i, name, specs, last)
                self.root[name] = self.root[taken] if taken else name
                root = self.root[name]
                born.setdefault(root, i)
                last[root] = max(last.get(root, i), read.get(name, i), i)
        self.roots = [name for name, root in self.root.items() if name == root]
        lives = [Life(specs[name].nbytes, born[name], last[name]) for name in self.roots]
        pieces = [Life(spec.nbytes, i, i) for i, kernel in enumerate(kernels) for spec in kernel.scratch]
        offsets, self.nbytes = arranged([*lives, *pieces])
        self.offsets = dict(zip(self.roots, offsets, strict=False))
        rest = iter(offsets[len(lives) :])
        self.scratch = [[next(rest) for _ in kernel.scratch] for kernel in kernels]

    def _taken(
        self, node: Node, kernel: Kernel, i: int, name: str, specs: Mapping[str, Spec], last: Mapping[str, int]
    ) -> str | None:
        """The input whose memory an output takes."""
        if kernel.view is not None:
            return node.inputs[0] if node.inputs[0] in self.root else None
        if name != node.outputs[0]:
            return None
        for k in kernel.overwrites:
            given = node.inputs[k]
            root = self.root.get(given)
            if (
                root is None
                or last[root] > i
                or specs[given] != specs[name]
                or specs[root].nbytes != specs[name].nbytes
            ):
                continue
            if [self.root.get(other) for other in node.inputs].count(root) == 1:
                return given
        return None


def _last_reads(graph: Graph) -> dict[str, int]:
    """The place of the last node that reads each value; behind all nodes for what is wanted."""
    last: dict[str, Any] = {}
    for i, node in enumerate(graph.nodes):
        last.update(dict.fromkeys(node.inputs, i))
    last.update(dict.fromkeys(graph.outputs, len(graph.nodes)))
    return last
