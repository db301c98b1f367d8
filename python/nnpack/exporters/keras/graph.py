"""The walk over a Keras model's graph.

A Keras graph is made of calls: an operation (a layer, a function of `keras.ops`, a nested model) applied to symbolic
tensors. Each call is lowered by the handler of its class into layers of the document; a layer without a handler is
called on symbolic tensors, and what that records is walked in turn. A call that cannot be lowered raises a ModelError;
the walk goes on, so that one UnsupportedModelError tells of all of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from numpy.typing import NDArray

from nnpack.errors import ModelError, UnsupportedModelError
from nnpack.exporters.keras.call import Call, Ref, is_graph
from nnpack.exporters.keras.tracing import untouched, where_it_left
from nnpack.format.document import Document, Layer, Shape, State, Tensor, Value, namesake
from nnpack.format.dtypes import COMPUTED
from nnpack.format.limits import BATCH, NAME_BYTES, RANK
from nnpack.version import __version__

Array = NDArray[Any]


@dataclass
class Trace:
    """A call as it was lowered: enough to make Keras compute it again, on arrays of ours."""

    name: str
    operation: Any
    args: Any
    kwargs: Any
    outputs: list[Value]


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
    variables: list[Any] = field(default_factory=list)
    """Keras's variable behind each state."""

    # Names

    def unique(self, name: str, taken: Mapping[str, object]) -> str:
        """`name`, or name:1, name:2, … where it is taken.

        Raises:
            ModelError: no file can hold a name like that.
        """
        name = checked_name(name)
        candidate, n = name, 0
        while candidate in taken:
            n += 1
            candidate = f"{name}:{n}"
        return candidate

    def call_name(self, name: str) -> str:
        used = {layer.name: None for layer in self.layers} | dict.fromkeys(self.values)
        parts = {key.rpartition("/")[0]: None for key in used}
        return self.unique(name, {**parts, **used})

    def rename(self, index: int, value: Value, name: str) -> Value:
        """Gives a value, and the layer that makes it, another name."""
        layer, renamed = self.layers[index], value._replace(name=name)
        outputs = tuple(renamed if made == value else made for made in layer.outputs)
        first = layer.outputs[0] == value
        self.layers[index] = layer._replace(name=name if first else layer.name, outputs=outputs)
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
            symbols = list(dict.fromkeys(n for n in dims if isinstance(n, str)))
            numbers = [n for n in dims if isinstance(n, int) and n != 1]
            for symbol in symbols[1:] if not numbers else symbols:
                self._substitute(symbol, numbers[0] if numbers else symbols[0])
        return [self.values[value.name] for value in values]

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

    # States

    def begin_state(self, value: Value, initial: str, variable: Any) -> None:
        self.states.append(State(value, value.name, initial))
        self.variables.append(variable)

    def carry(self, value: Value, output: Value) -> None:
        self.states = [
            state._replace(output=output.name) if state.input.name == value.name else state for state in self.states
        ]

    # The walk

    def walk(self, outputs: Sequence[Any], known: dict[int, Ref], prefix: str, traced: bool = False) -> list[Ref]:
        """Lowers every call that `outputs` (symbolic tensors) depend on, inputs first.

        Args:
            outputs: Keras's symbolic tensors.
            known: id of a symbolic tensor -> its value, for those that are given; grows.
            prefix: what the names of layers start with: the nested models that are being walked.
            traced: whether the calls were recorded just now; then Keras has numbered their operations by how many it
                has seen before, which is no name that the same model has tomorrow.
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
        numbered = traced and not isinstance(operation, keras.layers.Layer)
        path = prefix + (type(operation).__name__.lower() if numbered else operation.name)
        name = self.call_name(path)
        args, kwargs = (
            keras.tree.map_structure(lambda x: known[id(x)] if isinstance(x, keras.KerasTensor) else x, part)
            for part in (node.arguments.args, node.arguments.kwargs)
        )
        call = Call(self, operation, name, path, args, kwargs, node.outputs)
        try:
            refs = call.lowered()
        except ModelError as problem:
            self.problems.append(problem)
            refs = [Ref(self.stand_in(f"{name}:{i}", tensor).name) for i, tensor in enumerate(node.outputs)]
        if not isinstance(operation, keras.Model):
            values = [self.values[ref.name] for ref in refs]
            self.traces.append(Trace(name, operation, call.args, call.kwargs, values))
        return refs

    def stand_in(self, name: str, tensor: Any) -> Value:
        """A value for a symbolic tensor that could not be lowered, so that the walk can go on."""
        shape = [n if isinstance(n, int) else f"{name}.{axis}" for axis, n in enumerate(tensor.shape)]
        if shape:
            shape[0] = BATCH
        value = Value(self.unique(name, self.values), str(tensor.dtype), tuple(shape))
        self.values[value.name] = value
        return value


def checked_name(name: str) -> str:
    """A name as a file holds it."""
    try:
        nbytes = len(name.encode())
    except UnicodeEncodeError:
        nbytes = 0
    if not 1 <= nbytes <= NAME_BYTES or "\0" in name:
        shown = ascii(name) if len(name) < 80 else f"{name[:80]!a} and {len(name) - 80} more"
        raise ModelError("name-length", f"name {shown}", f"1 to {NAME_BYTES} bytes of UTF-8 without NUL", f"{nbytes}")
    return unicodedata.normalize("NFC", name)


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


@dataclass
class Graph:
    """A model as symbolic tensors.

    Attributes:
        inputs: the symbolic inputs, flat.
        names: the name of each.
        outputs: the symbolic outputs, flat.
        input_structure: the nest of the inputs that the model is called with; None for a flat list or the only one.
        output_structure: the nest of the outputs.
        traced: whether the outputs were recorded just now.
    """

    inputs: list[Any]
    names: list[str]
    outputs: list[Any]
    input_structure: Any
    output_structure: Any
    traced: bool


def graph_of(model: Any, inputs: Any = None) -> Graph:
    """A model's graph: its own, or what its `call` does on symbolic inputs.

    Args:
        model: a built `keras.Model`.
        inputs: for a subclassed model, a nest of `keras.Input`s or `keras.InputSpec`s to call it on; None takes the
            shapes that it was built with, as float32.
    """
    if is_graph(model) and inputs is None:
        structure = getattr(model, "_inputs_struct", None)
        return Graph(
            list(model.inputs),
            _input_names(model),
            list(model.outputs),
            structure,
            getattr(model, "_outputs_struct", None),
            False,
        )
    given = _built_inputs(model) if inputs is None else keras.tree.map_structure(_as_input, inputs)
    positional = given if isinstance(given, tuple) else (given,)
    flat = keras.tree.flatten(given)
    try:
        made = model.call(*positional)
    except Exception as error:  # whatever the user's code raises is the reason of the refusal
        at = f"model {model.name!r} ({type(model).__name__})"
        expected = "a call made of Keras layers and keras.ops"
        raise UnsupportedModelError([ModelError("layer-unsupported", at, expected, where_it_left(error))]) from error
    outputs = keras.tree.flatten(made)
    if not outputs or not all(isinstance(y, keras.KerasTensor) for y in outputs):
        at = f"model {model.name!r} ({type(model).__name__})"
        expected = "a call that returns tensors of its inputs"
        raise UnsupportedModelError([ModelError("layer-unsupported", at, expected, type(made).__name__)])
    names = [checked_name(tensor._keras_history.operation.name) for tensor in flat]
    return Graph(flat, names, outputs, given, made, True)


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
        graph = graph_of(model, inputs)
        return _lowered(model, graph)


def _lowered(model: Any, graph: Graph) -> Exported:
    export_ = Export()
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
    traces = [trace for trace in export_.traces if any(value.name in made for value in trace.outputs)]
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


def _check_model(model: Any) -> None:
    at = f"model {getattr(model, 'name', '?')!r}"
    if not isinstance(model, keras.Model):
        expected = "a keras.Model of Keras 3, or an nnpack.Model"
        raise ModelError("model-type", "model", expected, f"{type(model).__module__}.{type(model).__name__}")
    if not model.built:
        expected = "a built model: give it an Input, or call it once"
        raise UnsupportedModelError([ModelError("model-not-built", at, expected, "a model without weights")])


def _as_input(given: Any) -> Any:
    """A symbolic input of what describes one; the number of rows is left open."""
    return keras.Input(tuple(given.shape)[1:], dtype=given.dtype or "float32", name=getattr(given, "name", None))


def _built_inputs(model: Any) -> Any:
    """Symbolic inputs of the shapes that a subclassed model was built with."""
    shapes = getattr(model, "_build_shapes_dict", None)
    if not shapes:
        at = f"model {model.name!r} ({type(model).__name__})"
        expected = "a model that was called once, or dump(model, path, inputs=keras.Input(...))"
        raise UnsupportedModelError([ModelError("model-not-built", at, expected, "a model of unknown inputs")])
    dtype = model.compute_dtype
    made = [
        _inputs_of(shape, key.removesuffix("_shape").removesuffix("_shapes"), dtype) for key, shape in shapes.items()
    ]
    return made[0] if len(made) == 1 else tuple(made)


def _inputs_of(shape: Any, name: str, dtype: str) -> Any:
    if isinstance(shape, dict):
        return {key: _inputs_of(part, str(key), dtype) for key, part in shape.items()}
    if isinstance(shape, list | tuple) and shape and isinstance(shape[0], list | tuple | dict):
        return [_inputs_of(part, f"{name}_{i}", dtype) for i, part in enumerate(shape)]
    return keras.Input(tuple(shape)[1:], dtype=dtype, name="input" if name in ("input", "inputs") else name)


def _input_names(model: Any) -> list[str]:
    """The names that Keras takes inputs by: the keys of a dict, else the names of the Input layers."""
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(structure, dict) and all(isinstance(x, keras.KerasTensor) for x in structure.values()):
        by_id = {id(tensor): key for key, tensor in structure.items()}
        return [checked_name(str(by_id[id(tensor)])) for tensor in model.inputs]
    return [checked_name(tensor._keras_history.operation.name) for tensor in model.inputs]


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
