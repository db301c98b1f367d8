"""The walk over a Keras model's graph, and what it offers to the handlers that lower each call.

A Keras graph is made of calls: an operation (a layer, a function of `keras.ops`, a nested model) applied to symbolic
tensors. Each call is lowered by the handler of its class into layers of the document. A handler that cannot lower a
call raises a ModelError; the walk goes on, so that one UnsupportedModelError tells of all of them.
"""

from __future__ import annotations

import inspect
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnpack.errors import FormatError, ModelError, UnsupportedModelError
from nnpack.format.document import Document, Layer, Shape, Source, Tensor, Value, namesake, show
from nnpack.format.dtypes import COMPUTED, FLOATS
from nnpack.format.limits import BATCH, NAME_BYTES, RANK
from nnpack.ops import OPERATORS
from nnpack.ops.operator import Call as OperatorCall
from nnpack.ops.operator import Type
from nnpack.version import __version__

Array = NDArray[Any]
Handler = Callable[["Call"], "Value | list[Value]"]

LAYERS: dict[type, Handler] = {}
"""Handlers by the class of a Keras layer; a subclass has other code, so that only the very class counts."""

FUNCTIONS: dict[str, Handler] = {}
"""Handlers by the class name of an operation of keras.ops or keras.activations."""


def handles(*keys: type | str) -> Callable[[Handler], Handler]:
    """Registers the handler of Keras layers (their classes) or of operations (names of their classes)."""

    def register(handler: Handler) -> Handler:
        for key in keys:
            if isinstance(key, str):
                FUNCTIONS[key] = handler
            else:
                LAYERS[key] = handler
        return handler

    return register


@dataclass(frozen=True)
class Ref:
    """A value among the arguments of a call. (A Value itself is a tuple, which Keras would take apart.)"""

    name: str


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
    problems: list[ModelError] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    roles: dict[tuple[int, str], str] = field(default_factory=dict)

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

    # The walk

    def walk(self, outputs: Sequence[Any], known: dict[int, Value], prefix: str, traced: bool = False) -> list[Value]:
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
            for made, value in zip(node.outputs, self.lower(operation, node, known, prefix, traced), strict=True):
                known[id(made)] = value
        return [self.values[known[id(tensor)].name] for tensor in outputs]

    def lower(self, operation: Any, node: Any, known: dict[int, Value], prefix: str, traced: bool) -> list[Value]:
        """Lowers one call; where it cannot be, its outputs are values that no layer makes."""
        numbered = traced and not isinstance(operation, keras.layers.Layer)
        path = prefix + (type(operation).__name__.lower() if numbered else operation.name)
        name = self.call_name(path)
        args, kwargs = (
            keras.tree.map_structure(lambda x: Ref(known[id(x)].name) if isinstance(x, keras.KerasTensor) else x, part)
            for part in (node.arguments.args, node.arguments.kwargs)
        )
        call = Call(self, operation, name, path, args, kwargs, node.outputs)
        try:
            values = call.lowered()
        except ModelError as problem:
            self.problems.append(problem)
            values = [self.stand_in(f"{name}:{i}", tensor) for i, tensor in enumerate(node.outputs)]
        if not isinstance(operation, keras.Model):
            self.traces.append(Trace(name, operation, args, kwargs, values))
        return values

    def stand_in(self, name: str, tensor: Any) -> Value:
        """A value for a symbolic tensor that could not be lowered, so that the walk can go on."""
        shape = tuple(n if isinstance(n, int) else f"{name}.{axis}" for axis, n in enumerate(tensor.shape))
        value = Value(self.unique(name, self.values), str(tensor.dtype), (BATCH, *shape[1:]))
        self.values[value.name] = value
        return value


@dataclass
class Call:
    """One call of the graph, with what a handler needs to lower it."""

    export: Export
    operation: Any
    name: str
    path: str
    args: Any
    kwargs: Any
    outputs: Sequence[Any]

    def __post_init__(self) -> None:
        self.first = len(self.export.layers)

    @property
    def class_name(self) -> str:
        return type(self.operation).__name__

    @property
    def inputs(self) -> list[Value]:
        """The values among the arguments, in order."""
        flat = keras.tree.flatten((self.args, self.kwargs))
        return [self.export.values[x.name] for x in flat if isinstance(x, Ref)]

    def problem(self, code: str, expected: str, received: str) -> ModelError:
        return ModelError(code, f"layer {self.name!r} ({self.class_name})", expected, received)

    def refuse(self, reason: str, remedy: str) -> ModelError:
        return self.problem("layer-unsupported", remedy, reason)

    # Lowering

    def lowered(self) -> list[Value]:
        """The values that the call's outputs become."""
        if isinstance(self.operation, keras.Model):
            return self.inlined()
        handler = self.handler()
        self.check_arguments()
        if isinstance(self.operation, keras.layers.Layer):
            self.check_policy()
            if self.operation.autocast:
                self.cast_inputs(self.operation.compute_dtype)
        try:
            made = handler(self)
        except FormatError as fault:
            raise self.refuse(f"{fault.code}: {fault.received}", str(fault.expected)) from fault
        values = made if isinstance(made, list) else [made]
        return [self.finished(value, self.name if i == 0 else f"{self.name}:{i}") for i, value in enumerate(values)]

    def handler(self) -> Handler:
        if isinstance(self.operation, keras.layers.Layer):
            found = LAYERS.get(type(self.operation))
        else:
            found = FUNCTIONS.get(self.class_name) if type(self.operation).__module__.startswith("keras.") else None
        if found is None:
            remedy = "a layer that nnpack exports (spec/README.md lists its operators), or the model without this layer"
            raise self.refuse(f"{type(self.operation).__module__}.{self.class_name}", remedy)
        return found

    def check_arguments(self) -> None:
        given = inspect.signature(self.operation.call).bind_partial(*self.args, **self.kwargs).arguments
        given = {**given, **given.get("kwargs", {})}
        if given.get("training"):
            raise self.refuse("training=True in the call", "a call that may run in inference mode")
        for key, argument in given.items():
            if "mask" in key and any(x is not None for x in keras.tree.flatten(argument)):
                raise self.refuse(f"{key} in the call", "a call without a mask")

    def check_policy(self) -> None:
        policy = self.operation.dtype_policy
        if getattr(policy, "quantization_mode", None):
            raise self.problem("dtype-policy", "the layer before quantize(), and dump(weights='int8')", policy.name)
        if policy.compute_dtype not in FLOATS:
            expected = "the dtype policy float32 or float64; other computing types give other numbers"
            raise self.problem("dtype-policy", expected, policy.name)

    def cast_inputs(self, dtype: str) -> None:
        """Casts floating-point arguments to the dtype that the layer computes in, as Keras does."""

        def cast(x: Any) -> Any:
            if isinstance(x, Ref) and self.export.values[x.name].dtype in FLOATS:
                return Ref(self.cast(self.export.values[x.name], dtype).name)
            return x

        self.args = keras.tree.map_structure(cast, self.args)
        self.kwargs = keras.tree.map_structure(cast, self.kwargs)

    def inlined(self) -> list[Value]:
        """A nested model, lowered in place under its own name."""
        model = self.operation
        if not is_graph(model):
            remedy = "a Sequential or functional model"
            raise self.refuse(f"{type(model).__module__}.{self.class_name}, a subclassed model", remedy)
        self.check_arguments()
        given = self.inputs
        argument = self.args[0] if self.args else None
        if isinstance(argument, dict) and not isinstance(getattr(model, "_inputs_struct", None), dict):
            given = [self.export.values[argument[tensor.name].name] for tensor in model.inputs]
        if len(given) != len(model.inputs):
            raise self.refuse(f"{len(given)} inputs", f"{len(model.inputs)} inputs")
        known = {}
        for tensor, value in zip(model.inputs, given, strict=True):
            if len(tensor.shape) != len(value.shape):
                raise self.refuse(f"an input of shape {show(value.shape)}", f"the rank of {tuple(tensor.shape)}")
            known[id(tensor)] = self.cast(value, str(tensor.dtype))
        return self.export.walk(model.outputs, known, f"{self.name}/")

    def finished(self, value: Value, name: str) -> Value:
        """Gives the value that the call ends with, and the layer that makes it, the call's own name."""
        export = self.export
        for i in range(self.first, len(export.layers)):
            layer = export.layers[i]
            if layer.outputs[0].name == value.name and value.name != name:
                renamed = layer.outputs[0]._replace(name=name)
                export.layers[i] = layer._replace(name=name, outputs=(renamed,))
                del export.values[value.name]
                export.values[name] = renamed
                return renamed
        return export.values[value.name]

    # What handlers use

    def emit(
        self,
        op: str,
        inputs: Sequence[Value],
        weights: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        part: str | None = None,
    ) -> Value:
        """Adds a layer and returns what it makes.

        Args:
            op: the operator's name.
            inputs: its inputs.
            weights: role -> a Keras variable, a tensor, or an array; one operation's role is one tensor of the file,
                however often the operation is called.
            attributes: all of the operator's attributes.
            part: what the layer is called within the call; the operator's name unless given.
        """
        export, operator = self.export, OPERATORS[f"{op}@1"]
        inputs = [export.values[value.name] for value in inputs]
        if op in _BROADCASTING:
            inputs = export.unify(inputs)
        if op == "concatenate":
            inputs = export.unify(inputs, skip=(attributes or {})["axis"])
        name = export.unique(f"{self.name}/{part or op}", export.values)
        tensors = {
            role: self.tensor(role if op != "constant" else part or role, w) for role, w in (weights or {}).items()
        }
        types = {role: Type(export.tensors[t].dtype, export.tensors[t].shape) for role, t in tensors.items()}
        dtype, shape = operator.check(
            OperatorCall(tuple(Type(v.dtype, v.shape) for v in inputs), types, attributes or {})
        )
        declared = tuple(f"{self.name}.{axis}" if n is None else n for axis, n in enumerate(shape))
        value = Value(name, dtype, declared)
        export.values[name] = value
        source = Source(self.class_name, self.path)
        names = tuple(value.name for value in inputs)
        export.layers.append(Layer(name, operator.id, names, (value,), tensors, dict(attributes or {}), source))
        return value

    def tensor(self, role: str, weight: Any) -> str:
        """The name of the tensor that a weight becomes."""
        key = (id(self.operation), role)
        if key not in self.export.roles:
            array = to_numpy(weight)
            dtype = str(array.dtype)
            if dtype not in COMPUTED:
                raise self.problem("dtype-policy", f"weights of {', '.join(FLOATS)}", f"{role} of {dtype}")
            name = self.export.unique(f"{self.name}/{role}", self.export.tensors)
            self.export.tensors[name] = Tensor(name, dtype, array)
            self.export.roles[key] = name
        return self.export.roles[key]

    def constant(self, array: Any, dtype: str, part: str) -> Value:
        """A value that does not depend on the input."""
        return self.emit("constant", [], {"value": np.asarray(to_numpy(array), dtype)}, part=part)

    def cast(self, value: Value, dtype: str) -> Value:
        if value.dtype == dtype:
            return value
        if dtype not in COMPUTED:
            raise self.problem("dtype-policy", f"one of {', '.join(COMPUTED)}", dtype)
        return self.emit("cast", [value], attributes={"dtype": dtype})

    def operand(self, x: Any, dtype: str, part: str) -> Value:
        """An argument of an operation as a value of `dtype`: a value, or a number or array made constant."""
        return self.cast(self.export.values[x.name], dtype) if isinstance(x, Ref) else self.constant(x, dtype, part)

    def traced(self, function: Callable[[Any], Any], value: Value) -> Value:
        """What a Python function makes of a value, found by calling it on a symbolic tensor."""
        shape = tuple(n if isinstance(n, int) else None for n in value.shape)
        symbolic = keras.KerasTensor(shape, value.dtype)
        nodes = getattr(function, "_inbound_nodes", [])  # of a layer that is used as an activation
        before = len(nodes)
        try:
            output = function(symbolic)
        except Exception as error:  # whatever the user's function raises is the reason of the refusal
            reason = str(error).partition("\n")[0]
            raise self.refuse(f"{_name_of(function)}: {reason}", "a function made of keras.ops alone") from error
        if not isinstance(output, keras.KerasTensor):
            raise self.refuse(f"{_name_of(function)} returns no tensor of its input", "a function made of keras.ops")
        made = self.export.walk([output], {id(symbolic): value}, f"{self.name}/", traced=True)[0]
        del nodes[before:]  # the user's model stays as it was
        return made


_BROADCASTING = ("add", "subtract", "multiply", "divide", "maximum", "minimum")


def _name_of(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


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


def to_numpy(weight: Any) -> Array:
    """A Keras variable, a tensor of its backend, a number or an array -> an array, in C order."""
    array = np.asarray(weight if isinstance(weight, np.ndarray) else keras.ops.convert_to_numpy(weight))
    return np.ascontiguousarray(array).reshape(array.shape)


def is_graph(model: Any) -> bool:
    """Whether a model's graph says all that its call does: Sequential or functional, and call not overridden."""
    functional: Any = next((base for base in type(model).__mro__ if base.__name__ == "Functional"), keras.Sequential)
    plain: Any = keras.Sequential if isinstance(model, keras.Sequential) else functional
    return isinstance(model, plain) and type(model).call is plain.call


# The whole model


def export(model: Any) -> tuple[Document, list[Trace]]:
    """Lowers a Keras model.

    Args:
        model: a built Sequential or functional `keras.Model`.

    Returns:
        The document, with weights as float32 (or float64, where Keras has them so), and how each call was lowered.

    Raises:
        UnsupportedModelError: with every reason why the model cannot be exported.

    Source: spec/README.md lists the operators; each page of spec/ops names the Keras classes that it serves.
    """
    _check_model(model)
    export_ = Export()
    names = _input_names(model)
    known: dict[int, Value] = {}
    inputs = []
    for tensor, name in zip(model.inputs, names, strict=True):
        shape: Shape = tuple(
            BATCH if axis == 0 else f"{name}.{axis}" if n is None else int(n) for axis, n in enumerate(tensor.shape)
        )
        at = f"input {name!r}"
        if tensor.sparse or str(tensor.dtype) not in COMPUTED:
            kind = "a sparse input" if tensor.sparse else str(tensor.dtype)
            export_.problems.append(ModelError("input-dtype", at, f"a dense input of {', '.join(COMPUTED)}", kind))
        if 0 in shape or len(shape) > RANK or not shape:
            expected = f"1 to {RANK} dimensions above 0, the batch's included"
            export_.problems.append(ModelError("input-shape", at, expected, str(tuple(tensor.shape))))
        inputs.append(Value(name, str(tensor.dtype), shape))
        export_.values[name] = known[id(tensor)] = inputs[-1]
    if export_.problems:
        raise UnsupportedModelError(export_.problems)
    found = export_.walk(model.outputs, known, "")
    outputs = [_named_output(export_, tensor, value.name) for tensor, value in zip(model.outputs, found, strict=True)]
    if export_.problems:
        raise UnsupportedModelError(export_.problems)
    layers = tuple(map(_without_needless_source, _alive(export_.layers, outputs)))
    used = dict.fromkeys(name for layer in layers for name in layer.weights.values())
    document = Document(
        name=checked_name(model.name),
        inputs=tuple(export_.values[value.name] for value in inputs),
        outputs=tuple(outputs),
        layers=layers,
        tensors={name: export_.tensors[name] for name in used},
        producer={"name": "nnpack", "version": __version__},
        output_structure=_structure(model),
    )
    made = {value.name for layer in layers for value in layer.outputs}
    return document, [trace for trace in export_.traces if any(value.name in made for value in trace.outputs)]


def _check_model(model: Any) -> None:
    at = f"model {getattr(model, 'name', '?')!r}"
    if not isinstance(model, keras.Model):
        expected = "a keras.Model of Keras 3, or an nnpack.Model"
        raise ModelError("model-type", "model", expected, f"{type(model).__module__}.{type(model).__name__}")
    if not model.built:
        expected = "a built model: give it an Input, or call it once"
        raise UnsupportedModelError([ModelError("model-not-built", at, expected, "a model without weights")])
    if not is_graph(model) or not model.outputs:
        received = f"{type(model).__module__}.{type(model).__name__}, a subclassed model"
        expected = "a Sequential or functional model"
        raise UnsupportedModelError([ModelError("layer-unsupported", at, expected, received)])


def _input_names(model: Any) -> list[str]:
    """The names that Keras takes inputs by: the keys of a dict, else the names of the Input layers."""
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(structure, dict) and all(isinstance(x, keras.KerasTensor) for x in structure.values()):
        by_id = {id(tensor): key for key, tensor in structure.items()}
        return [checked_name(str(by_id[id(tensor)])) for tensor in model.inputs]
    return [checked_name(tensor._keras_history.operation.name) for tensor in model.inputs]


def _named_output(export_: Export, tensor: Any, value_name: str) -> str:
    """The name of an output is the name of the Keras layer that makes it, also where that layer vanished."""
    operation = tensor._keras_history.operation
    value = export_.values[value_name]
    if value.name.partition(":")[0] == operation.name:
        return value.name
    name = export_.unique(operation.name, export_.values)
    call = Call(export_, operation, name, operation.name, (Ref(value.name),), {}, [tensor])
    return call.finished(call.emit("identity", [value]), call.name).name


def _alive(layers: Sequence[Layer], outputs: Sequence[str]) -> list[Layer]:
    """The layers that some output depends on."""
    needed, alive = set(outputs), []
    for layer in reversed(layers):
        if layer.outputs[0].name in needed:
            needed.update(layer.inputs)
            alive.append(layer)
    return alive[::-1]


def _without_needless_source(layer: Layer) -> Layer:
    return layer._replace(source=None) if layer.source == namesake(layer.name, layer.op) else layer


def _structure(model: Any) -> Any:
    """How Keras nests the outputs, unless in nothing or in one list; of a list of one it takes the one."""
    structure = getattr(model, "_outputs_struct", None)
    if isinstance(structure, list | tuple) and len(structure) == 1:
        structure = structure[0]
    if structure is None or isinstance(structure, keras.KerasTensor):
        return None
    numbers = iter(range(len(model.outputs)))
    nest = _plain(keras.tree.map_structure(lambda _: next(numbers), structure))
    return None if nest == list(range(len(model.outputs))) and len(nest) > 1 else nest


def _plain(nest: Any) -> Any:
    if isinstance(nest, dict):
        for key in nest:
            if not isinstance(key, str):
                raise ModelError("layer-unsupported", "outputs", "a dict of outputs whose keys are strings", repr(key))
        return {key: _plain(member) for key, member in nest.items()}
    if isinstance(nest, list | tuple):
        return [_plain(member) for member in nest]
    return nest
