"""The walk over a Keras model's graph.

A Keras graph is made of calls: an operation (a layer, a function of `keras.ops`, a nested model) applied to symbolic
tensors. Each call is lowered by the handler of its class into layers of the document; a layer without a handler is
called on symbolic tensors, and what that records is walked in turn. A call that cannot be lowered raises a ModelError;
the walk goes on, so that one UnsupportedModelError tells of all of them.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnpack.errors import FormatError, ModelError, UnsupportedModelError
from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.models import Graph, choices_of_integers, graph_of, own_inputs, taken_for_integers
from nnpack.exporters.keras.names import checked_name, lasting_name
from nnpack.exporters.keras.tracing import untouched
from nnpack.format.document import Document, Layer, Shape, State, Tensor, Value, namesake, show
from nnpack.format.dtypes import COMPUTED, PLAIN
from nnpack.format.limits import BATCH, RANK
from nnpack.version import __version__

Array = NDArray[Any]


@dataclass
class Trace:
    """A call as it was lowered: enough to make Keras compute it again, on arrays of ours.

    Values are known by their names alone: what is lowered later gives them other shapes, or takes them away.
    """

    name: str
    operation: Any
    args: Any
    kwargs: Any
    outputs: list[str]


@dataclass
class Export:
    """A document that grows call by call."""

    layers: list[Layer] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    problems: list[ModelError] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    roles: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    of_variables: dict[int, tuple[Any, str]] = field(default_factory=dict)
    """id of a Keras variable -> the variable, which keeps its id from another, and the tensor that it became."""
    variables: list[Any] = field(default_factory=list)
    """Keras's variable behind each state."""
    calls: set[str] = field(default_factory=set)
    """Names of calls that became layers, and of the models around them."""
    stand_ins: set[str] = field(default_factory=set)
    """Names of values that could not be lowered, or depend on such."""
    rows: int | None = None
    """A number that stands for any number of rows while code is traced that has to know it."""

    # Names

    def unique(self, name: str, *taken: Container[str]) -> str:
        """`name`, or name:1, name:2, … where it is taken.

        Raises:
            ModelError: no file can hold a name like that.
        """
        name = checked_name(name)
        candidate, n = name, 0
        while any(candidate in names for names in taken):
            n += 1
            candidate = f"{name}:{n}"
        return candidate

    def call_name(self, name: str) -> str:
        return self.unique(name, self.values, self.calls)

    def rename(self, index: int, value: Value, name: str) -> Value:
        """Gives a value, and the layer that makes it, another name."""
        layer, renamed = self.layers[index], value._replace(name=name)
        outputs = tuple(renamed if made == value else made for made in layer.outputs)
        first = layer.outputs[0] == value
        self.layers[index] = layer._replace(name=name if first else layer.name, outputs=outputs)
        for i in range(index + 1, len(self.layers)):
            read = tuple(name if x == value.name else x for x in self.layers[i].inputs)
            self.layers[i] = self.layers[i]._replace(inputs=read)
        del self.values[value.name]
        self.values[name] = renamed
        self.states = [state._replace(output=name) if state.output == value.name else state for state in self.states]
        return renamed

    # Symbols

    def unify(self, values: Sequence[Value], skip: int | None = None) -> list[Value]:
        """Gives aligned dimensions of several values one symbol, because Keras lets any unknown sizes meet."""
        rank = max(len(value.shape) for value in values)
        for axis in range(1, rank + 1):  # from the last to the first
            if skip == rank - axis:
                continue
            dims = [self.values[v.name].shape[-axis] for v in values if len(v.shape) >= axis]
            self._unify([n for n in dims if n != 1])
        return [self.values[value.name] for value in values]

    def unify_labels(self, values: Sequence[Value], labels: Sequence[str]) -> list[Value]:
        """The same for values whose dimensions meet where they have one letter."""
        for letter in dict.fromkeys("".join(labels)):
            self._unify(
                [
                    n
                    for value, axes in zip(values, labels, strict=False)
                    for label, n in zip(axes, self.values[value.name].shape, strict=False)
                    if label == letter and n != 1
                ]
            )
        return [self.values[value.name] for value in values]

    def _unify(self, dims: Sequence[int | str]) -> None:
        """Gives dimensions that are equal in every call one symbol, or the number that one of them is."""
        symbols = list(dict.fromkeys(n for n in dims if isinstance(n, str)))
        numbers = [n for n in dims if isinstance(n, int)]
        for symbol in symbols[1:] if not numbers else symbols:
            self._substitute(symbol, numbers[0] if numbers else symbols[0])

    def _substitute(self, symbol: str, by: int | str) -> None:
        if BATCH in (symbol, by):
            return  # a mismatch that the operator names
        for name, value in self.values.items():
            shape = tuple(by if n == symbol else n for n in value.shape)
            self.values[name] = value._replace(shape=shape)
        self.layers = [
            layer._replace(outputs=tuple(self.values[value.name] for value in layer.outputs)) for layer in self.layers
        ]
        self.states = [state._replace(input=self.values[state.input.name]) for state in self.states]

    def like(self) -> Value:
        """A value with as many rows as the model is called with."""
        return next(value for value in self.values.values() if value.shape[:1] == (BATCH,))

    # The walk

    def walk(self, outputs: Sequence[Any], known: dict[int, Ref], prefix: str, traced: bool = False) -> list[Ref]:
        """Lowers every call that `outputs` (symbolic tensors) depend on, inputs first.

        Args:
            outputs: Keras's symbolic tensors.
            known: id of a symbolic tensor -> its value, for those that are given; grows.
            prefix: what the names of layers start with: the nested models that are being walked.
            traced: whether the calls were recorded just now; then their names are those of `lasting_name`.
        """
        stack = list(reversed(outputs))
        while stack:
            tensor = stack[-1]
            if id(tensor) in known:
                stack.pop()
                continue
            operation, node_index, _ = tensor._keras_history
            node = operation._inbound_nodes[node_index]
            waiting = [x for x in reversed(node.input_tensors) if id(x) not in known]
            if waiting:
                stack += waiting
                continue
            for made, ref in zip(node.outputs, self.lower(operation, node, known, prefix, traced), strict=True):
                known[id(made)] = ref
        return [known[id(tensor)] for tensor in outputs]

    def lower(self, operation: Any, node: Any, known: dict[int, Ref], prefix: str, traced: bool) -> list[Ref]:
        """Lowers one call; where it cannot be, its outputs are values that no layer makes."""
        path = prefix + (lasting_name(operation) if traced else operation.name)
        name = self.call_name(path)
        args, kwargs = (
            keras.tree.map_structure(lambda x: known[id(x)] if isinstance(x, keras.KerasTensor) else x, part)
            for part in (node.arguments.args, node.arguments.kwargs)
        )
        call = Call(self, operation, name, path, args, kwargs, node.outputs)
        doubtful = any(isinstance(x, Ref) and x.name in self.stand_ins for x in keras.tree.flatten((args, kwargs)))
        try:
            refs = call.lowered()
        except ModelError as problem:
            if not (doubtful and isinstance(problem.__cause__, FormatError)):  # of a shape that is only assumed
                self.problems.append(problem)
            refs = [Ref(self.stand_in(f"{name}:{i}", tensor).name) for i, tensor in enumerate(node.outputs)]
            doubtful = True
        if doubtful:
            self.stand_ins.update(ref.name for ref in refs)
        if call.unmasks:
            known.update({id(x): replace(known[id(x)], mask=None) for x in node.input_tensors})
        if not isinstance(operation, keras.Model):
            self.traces.append(Trace(name, operation, call.args, call.kwargs, [ref.name for ref in refs]))
        return refs

    def stand_in(self, name: str, tensor: Any) -> Value:
        """A value for a symbolic tensor that could not be lowered, so that the walk can go on."""
        shape = [n if isinstance(n, int) else f"{name}.{axis}" for axis, n in enumerate(tensor.shape)]
        if shape:
            shape[0] = BATCH
        value = Value(self.unique(name, self.values), str(tensor.dtype), tuple(shape))
        self.values[value.name] = value
        return value


# The whole model


@dataclass
class Exported:
    """A model as it was lowered.

    Attributes:
        document: what a file says of it, with weights as float32 (or float64, where Keras has them so).
        traces: how each call was lowered.
        graph: the graph that was walked.
        variables: Keras's variable behind each state.
    """

    document: Document
    traces: list[Trace]
    graph: Graph
    variables: list[Any]


def export(model: Any, inputs: Any = None) -> Exported:
    """Lowers a Keras model.

    Args:
        model: a built `keras.Model`.
        inputs: for a subclassed model, a nest of `keras.Input`s to call it on; None takes the shapes it was built with.

    Raises:
        UnsupportedModelError: with every reason why the model cannot be exported.

    Source: spec/README.md lists the operators; each page of spec/ops names the Keras classes that it serves.
    """
    _check_model(model)
    with untouched(model):
        if inputs is not None:
            return _for_any_rows(model, inputs)
        return _of_own_inputs(model)


def _of_own_inputs(model: Any) -> Exported:
    """Lowers a model whose inputs are what it says; of some that it was built with it only knows the shapes."""
    choices = choices_of_integers(model)
    try:
        found = _for_any_rows(model, None)
    except UnsupportedModelError:
        for integers in choices:
            with suppress(UnsupportedModelError):
                return _for_any_rows(model, own_inputs(model, integers))
        raise
    integers = taken_for_integers(found.document)
    if choices and integers:
        with suppress(UnsupportedModelError):
            return _for_any_rows(model, own_inputs(model, integers))
    return found


_ROWS = (1009, 1013, 1019, 1021, 1031, 1033)
"""Primes, which no other dimension is a multiple of."""


def _for_any_rows(model: Any, inputs: Any) -> Exported:
    """Lowers a model; where its code has to know the number of rows, for two numbers that stand for any."""
    try:
        return _lowered(model, graph_of(model, inputs))
    except UnsupportedModelError as refused:
        sizes = {n for variable in model.variables for n in variable.shape}
        rows = [prime for prime in _ROWS if not any(n and n % prime == 0 for n in sizes)] or list(_ROWS)
        try:
            first, second = (_lowered(model, graph_of(model, inputs, n), n) for n in rows[:2])
        except UnsupportedModelError as also:
            raise _telling(refused, also, rows[:2]) from None
        if _same(first.document, second.document):
            return first
        at = f"model {model.name!r} ({type(model).__name__})"
        expected = "a call that does not compute with the number of rows"
        problem = ModelError("layer-unsupported", at, expected, "numbers that depend on the number of rows")
        raise UnsupportedModelError([problem]) from None


def _telling(refused: UnsupportedModelError, also: UnsupportedModelError, rows: Sequence[int]) -> UnsupportedModelError:
    """Which of two refusals tells more: the first, unless it speaks of None where the number of rows belongs.

    The second comes from one of the numbers that stood for any.
    """
    if len(also.problems) != len(refused.problems):
        return min(refused, also, key=lambda error: len(error.problems))
    by_number = any(str(n) in str(also) for n in rows)
    return also if "None" in str(refused) and not by_number else refused


def _same(a: Document, b: Document) -> bool:
    """Whether two documents are the same model."""
    if (a.layers, a.outputs, a.states, list(a.tensors)) != (b.layers, b.outputs, b.states, list(b.tensors)):
        return False
    return all(np.array_equal(a.tensors[name].array, b.tensors[name].array, equal_nan=True) for name in a.tensors)


def _lowered(model: Any, graph: Graph, rows: int | None = None) -> Exported:
    export_ = Export(rows=rows)
    known: dict[int, Ref] = {}
    inputs = []
    for tensor, name in zip(graph.inputs, graph.names, strict=True):
        shape: Shape = tuple(
            BATCH if axis == 0 else f"{name}.{axis}" if n is None else int(n) for axis, n in enumerate(tensor.shape)
        )
        export_.problems += _input_problems(name, tensor, shape)
        inputs.append(Value(name, str(tensor.dtype), shape))
        export_.values[name] = inputs[-1]
        known[id(tensor)] = Ref(name)
    if export_.problems:
        raise UnsupportedModelError(export_.problems)
    found = export_.walk(graph.outputs, known, "", graph.traced)
    outputs = [
        _named_output(export_, tensor, ref.name, graph.traced) for tensor, ref in zip(graph.outputs, found, strict=True)
    ]
    if export_.problems:
        raise UnsupportedModelError(export_.problems)
    unfit = [problem for output in outputs for problem in _output_problems(export_.values[output])]
    if unfit:
        raise UnsupportedModelError(unfit)
    carried = [state.output for state in export_.states]
    layers = tuple(map(_without_needless_source, _alive(export_.layers, [*outputs, *carried])))
    used = [name for layer in layers for name in layer.weights.values()]
    used += [state.initial for state in export_.states]
    document = Document(
        name=checked_name(model.name),
        inputs=tuple(export_.values[value.name] for value in inputs),
        outputs=tuple(outputs),
        layers=layers,
        tensors={name: export_.tensors[name] for name in dict.fromkeys(used)},
        producer={"name": "nnpack", "version": __version__},
        output_structure=_structure(graph),
        states=tuple(export_.states),
    )
    made = {value.name for layer in layers for value in layer.outputs}
    traces = [trace for trace in export_.traces if any(name in made for name in trace.outputs)]
    return Exported(document, traces, graph, export_.variables)


def _input_problems(name: str, tensor: Any, shape: Shape) -> list[ModelError]:
    problems, at = [], f"input {name!r}"
    if tensor.sparse or str(tensor.dtype) not in COMPUTED:
        kind = "a sparse input" if tensor.sparse else str(tensor.dtype)
        problems.append(ModelError("input-dtype", at, f"a dense input of {', '.join(COMPUTED)}", kind))
    if 0 in shape or len(shape) > RANK or not shape:
        expected = f"1 to {RANK} dimensions above 0, the batch's included"
        problems.append(ModelError("input-shape", at, expected, str(tuple(tensor.shape))))
    return problems


def _output_problems(value: Value) -> list[ModelError]:
    at = f"output {value.name!r}"
    if value.shape[:1] != (BATCH,):
        expected = "an output of as many rows as the input"
        return [ModelError("layer-unsupported", at, expected, f"shape {show(value.shape)}, which is not the batch's")]
    if value.dtype not in PLAIN:
        return [ModelError("layer-unsupported", at, f"one of {', '.join(PLAIN)}", value.dtype)]
    return []


def _check_model(model: Any) -> None:
    at = f"model {getattr(model, 'name', '?')!r}"
    if not isinstance(model, keras.Model):
        expected = "a keras.Model of Keras 3, or an nnpack.Model"
        raise ModelError("model-type", "model", expected, f"{type(model).__module__}.{type(model).__name__}")
    if not model.built:
        expected = "a built model: give it an Input, or call it once"
        raise UnsupportedModelError([ModelError("model-not-built", at, expected, "a model without weights")])


def _named_output(export_: Export, tensor: Any, value_name: str, traced: bool) -> str:
    """The name of an output is the name of the Keras layer that makes it, also where that layer vanished."""
    operation = tensor._keras_history.operation
    value = export_.values[value_name]
    made = any(value in layer.outputs for layer in export_.layers)
    if value.name.partition(":")[0] == operation.name or (traced and made):
        return value.name
    name = export_.unique(operation.name, export_.values)
    call = Call(export_, operation, name, operation.name, (Ref(value.name),), {}, [tensor])
    return call.finished(call.emit("identity", [value]), call.name).name


def _alive(layers: Sequence[Layer], outputs: Sequence[str]) -> list[Layer]:
    """The layers that some output depends on."""
    needed, alive = set(outputs), []
    for layer in reversed(layers):
        if any(value.name in needed for value in layer.outputs):
            needed.update(layer.inputs)
            alive.append(layer)
    return alive[::-1]


def _without_needless_source(layer: Layer) -> Layer:
    return layer._replace(source=None) if layer.source == namesake(layer.name, layer.op) else layer


def _structure(graph: Graph) -> Any:
    """How Keras nests the outputs, unless in nothing or in one list; of a list of one it takes the one."""
    structure = graph.output_structure
    if isinstance(structure, list | tuple) and len(structure) == 1:
        structure = structure[0]
    if structure is None or isinstance(structure, keras.KerasTensor):
        return None
    numbers = iter(range(len(graph.outputs)))
    nest = _plain(keras.tree.map_structure(lambda _: next(numbers), structure))
    return None if nest == list(range(len(graph.outputs))) and len(nest) > 1 else nest


def _plain(nest: Any) -> Any:
    if isinstance(nest, dict):
        for key in nest:
            if not isinstance(key, str):
                raise ModelError("layer-unsupported", "outputs", "a dict of outputs whose keys are strings", repr(key))
        return {key: _plain(member) for key, member in nest.items()}
    if isinstance(nest, list | tuple):
        return [_plain(member) for member in nest]
    return nest
