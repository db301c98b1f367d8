"""A document made ready to run: its graph after the passes, and workspaces for the shapes that it is called with.

The first call with some shapes computes each node by its operator's own function, which allocates what it makes. That
tells the shape of every value; so the second call can bind each node to a kernel and to memory. From then on a call
is a walk over calls without arguments.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import local
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.engine.check import bind
from nnpack.engine.graph import Graph, Node, Open
from nnpack.engine.memory import Spec
from nnpack.engine.passes import chosen, optimized
from nnpack.errors import ShapeError
from nnpack.format.document import Document
from nnpack.ops import OPERATORS

if TYPE_CHECKING:
    from nnpack.engine.workspace import Workspace
    from nnpack.format.dtypes import Array

WORKSPACES = 8
"""The most workspaces that a thread keeps for a plan; the one made longest ago goes first."""

WORKSPACE_BYTES = 2**30
"""The most memory of all that a thread keeps for a plan; shapes that need more by themselves are not bound."""

Shapes = tuple[tuple[int, ...], ...]


class Step(NamedTuple):
    """A node as it is computed by its operator's own function; what no later step reads is freed."""

    node: Node
    function: Callable[..., Any]
    frees: tuple[str, ...]
    opens: tuple[Open, ...]


class Plan:
    """A document made ready to run, for some of its values as outputs.

    Attributes:
        graph: what is computed.
        changes: the name of each pass that ran -> the layers that it took away.
    """

    def __init__(self, document: Document, outputs: Sequence[str], optimize: bool | Iterable[str] = True) -> None:
        self.graph = Graph(document, outputs)
        self.changes = optimized(self.graph, chosen(optimize))
        self.outputs = self.graph.outputs
        self.sources = document.sources
        self.steps = list(self._steps())
        self.is_open = any(step.opens for step in self.steps)
        made = {name for node in self.graph.nodes if not OPERATORS[node.op].view or node.then for name in node.outputs}
        self._views = {i for i, name in enumerate(self.outputs) if name not in made or name in self.outputs[:i]}
        self._threads = _Threads()

    def _steps(self) -> Iterator[Step]:
        last: dict[str, int] = {}
        for i, node in enumerate(self.graph.nodes):
            last.update(dict.fromkeys((*node.outputs, *node.inputs), i))
        kept = {*self.outputs, *self.graph.constants}
        for i, node in enumerate(self.graph.nodes):
            frees = tuple(name for name in {*node.inputs, *node.outputs} if last[name] == i and name not in kept)
            opens = tuple(each for name in node.outputs for each in self.graph.opens.get(name, ()))
            yield Step(node, node.function, frees, opens)

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs for arrays that are known to fit the document's inputs."""
        shapes = tuple([x.shape for x in inputs])
        kept = self._threads.kept
        workspace = kept.get(shapes)
        if workspace is not None:
            return workspace.run(inputs)
        specs: dict[str, Spec] | None = {} if shapes in kept else None  # called like this before
        values = self.traced(inputs, specs)
        self._threads.keep(shapes, None if specs is None else self._bound(specs))
        # what is returned is the caller's own: no view of what was given, of a weight, or of another output
        return [values[name].copy() if i in self._views else values[name] for i, name in enumerate(self.outputs)]

    def quick(self, shape: tuple[int, ...]) -> Callable[[Array], Array] | None:
        """What computes the only output from the only input of that shape, where there is a workspace for it."""
        return self._threads.quick.get(shape)

    def workspace(self, inputs: Sequence[Array]) -> Workspace:
        """Memory and calls for inputs of these shapes."""
        from nnpack.engine.workspace import workspace

        specs: dict[str, Spec] = {}
        self.traced(inputs, specs)
        found = workspace(self.graph, specs)
        assert found is not None  # there is no limit
        return found

    def _bound(self, specs: Mapping[str, Spec]) -> Workspace | None:
        from nnpack.engine.workspace import workspace  # a first prediction does not need it

        return None if _is_empty(specs) else workspace(self.graph, specs, WORKSPACE_BYTES)

    def traced(self, inputs: Sequence[Array], specs: dict[str, Spec] | None = None) -> Mapping[str, Any]:
        """The outputs, each node computed by its operator's own function.

        Args:
            inputs: an array for each source.
            specs: takes the shape and dtype of every value.
        """
        values: dict[str, Any] = dict(self.graph.constants)
        values.update((value.name, x) for value, x in zip(self.sources, inputs, strict=True))
        numbers: dict[str, int] = {}
        if self.is_open:
            for value, x in zip(self.sources, inputs, strict=True):
                bind(value.shape, x.shape, numbers)
        if specs is not None:
            specs.update((name, Spec(x.shape, x.dtype)) for name, x in values.items())
        with np.errstate(all="ignore"):  # infinities and NaN are results, not events
            for node, function, frees, opens in self.steps:
                made = function(*[values[name] for name in node.inputs])
                if len(node.outputs) == 1:
                    values[node.outputs[0]] = made
                else:
                    values.update(zip(node.outputs, made, strict=True))
                for each in opens:
                    _require(each, values[each.value].shape[each.axis], numbers)
                if specs is not None:
                    specs.update((name, Spec(values[name].shape, values[name].dtype)) for name in node.outputs)
                for name in frees:
                    del values[name]
        return values


def _is_empty(specs: Mapping[str, Spec]) -> bool:
    """Whether some value has no element: kernels need not know what then has to come out."""
    return any(0 in spec.shape for spec in specs.values())


class _Threads(local):
    """Each thread's own workspaces, because two threads may not write into the same memory.

    Attributes:
        kept: by the shapes of inputs; None for shapes that the plan was called with once.
        quick: of those with one input and one output, what runs them, by the shape of the input.
    """

    def __init__(self) -> None:
        self.kept: OrderedDict[Shapes, Workspace | None] = OrderedDict()
        self.quick: dict[tuple[int, ...], Callable[[Array], Array]] = {}

    def keep(self, shapes: Shapes, workspace: Workspace | None) -> None:
        """Adds one; what is too much goes, the oldest first."""
        self.kept[shapes] = workspace
        if workspace is not None and len(shapes) == 1 and workspace.has_one_output:
            self.quick[shapes[0]] = workspace.quick
        while len(self.kept) > WORKSPACES or self._nbytes() > WORKSPACE_BYTES:
            oldest, _ = self.kept.popitem(last=False)
            self.quick.pop(oldest[0], None)

    def _nbytes(self) -> int:
        return sum(workspace.nbytes for workspace in self.kept.values() if workspace is not None)


def _require(each: Open, actual: int, numbers: dict[str, int]) -> None:
    """A dimension is what the layer declares: its number, or that of all dimensions of its symbol."""
    declared = each.declared
    expected = numbers.setdefault(declared, actual) if isinstance(declared, str) else declared
    if expected != actual:
        raise ShapeError("shape", each.layer, f"{declared} = {expected}", f"{actual}")
