"""One call of a Keras graph, and what it offers to the handler that lowers it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnpack.errors import FormatError, ModelError, NnpackError
from nnpack.exporters.keras.coverage import refused_operation
from nnpack.exporters.keras.refusals import reason_of
from nnpack.exporters.keras.registry import FUNCTIONS, Handler, handler_of, is_of_keras
from nnpack.exporters.keras.tracing import inference, recorded, symbolic, where_it_left
from nnpack.format.digest import sha256
from nnpack.format.document import Layer, Source, State, Tensor, Value, show
from nnpack.format.dtypes import COMPUTED, FLOATS, PLAIN
from nnpack.format.limits import BATCH
from nnpack.ops import OPERATORS
from nnpack.ops.operator import Call as OperatorCall
from nnpack.ops.operator import Type

if TYPE_CHECKING:
    from nnpack.exporters.keras.graph import Export

Array = NDArray[Any]


@dataclass(frozen=True)
class Ref:
    """A value among the arguments of a call, with its mask.

    (A Value itself is a tuple, which Keras would take apart.)
    """

    name: str
    mask: Ref | None = None


_ARITHMETIC = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "floor_divide", "mod", "arctan2")
_COMPARISON = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
_LOGICAL = ("logical_and", "logical_or", "logical_xor", "where")
BROADCASTING = frozenset([*_ARITHMETIC, *_COMPARISON, *_LOGICAL])
"""Operators whose inputs broadcast, so that unknown dimensions of them are one."""


@dataclass
class Call:
    """One call of the graph, with what a handler needs to lower it.

    Attributes:
        operation: the Keras layer or operation.
        name: what the call's layers and value are named after.
        path: the name of the Keras layer, with those of the models around it.
        args: the positional arguments; symbolic tensors are Refs.
        kwargs: the keyword arguments.
        outputs: Keras's symbolic outputs, flat.
    """

    export: Export
    operation: Any
    name: str
    path: str
    args: Any
    kwargs: Any
    outputs: Sequence[Any]

    def __post_init__(self) -> None:
        self.first = len(self.export.layers)
        self.output_mask: Ref | None = None
        """What a handler found the mask of the output to be, where the layer sets it in its call."""
        self.unmasks = False
        """Whether Keras takes the masks off what the layer is called on, so that no later layer sees them."""

    # What the call is

    @property
    def class_name(self) -> str:
        return type(self.operation).__name__

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments by their names, defaults included; values are Refs."""
        bound = inspect.signature(self.operation.call).bind_partial(*self.args, **self.kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    @property
    def inputs(self) -> list[Value]:
        """The values among the arguments that are not masks, in order."""
        rest = {key: item for key, item in self.kwargs.items() if "mask" not in key}
        return [self.value(x) for x in keras.tree.flatten((self.args, rest)) if isinstance(x, Ref)]

    def value(self, ref: Ref) -> Value:
        return self.export.values[ref.name]

    def problem(self, code: str, expected: str, received: str) -> ModelError:
        return ModelError(code, f"layer {self.name!r} ({self.class_name})", expected, received)

    def refuse(self, reason: str, remedy: str) -> ModelError:
        """The error that says why the call cannot be exported, and what to do."""
        return self.problem("layer-unsupported", remedy, reason)

    # Lowering

    def lowered(self) -> list[Ref]:
        """The values that the call's outputs become, with their masks."""
        if self.export.rows is not None:
            self.restore_rows(self.export.rows)
        if not isinstance(self.operation, keras.layers.Layer):
            return [Ref(value.name) for value in self.handled(self.function_handler())]
        self.populate_masks()
        self.check_training()
        if isinstance(self.operation, keras.Model) and is_graph(self.operation):
            refs = self.inlined()
        else:
            refs = self.lowered_layer()
        return self.masked(refs)

    def lowered_layer(self) -> list[Ref]:
        reason = reason_of(type(self.operation))
        if reason is not None:
            raise self.refuse(reason, "the model without this layer")
        self.check_policy()
        if self.operation.autocast and self.operation._convert_input_args:
            self.cast_inputs(self.operation.input_dtype)
        handler = handler_of(self.operation)
        if handler is None:
            return self.finished_all(self.traced_call())
        return [Ref(value.name, self.output_mask) for value in self.handled(handler)]

    def function_handler(self) -> Handler:
        known = is_of_keras(type(self.operation))
        found = FUNCTIONS.get(self.class_name) if known else None
        if found is None:
            reason = refused_operation(self.class_name) if known else None
            remedy = "operations that nnpack exports: README.md lists them"
            raise self.refuse(reason or f"{type(self.operation).__module__}.{self.class_name}", remedy)
        return found

    def handled(self, handler: Handler) -> list[Value]:
        if not handler.masks:
            for key, argument in self.kwargs.items():
                if "mask" in key and any(x is not None for x in keras.tree.flatten(argument)):
                    raise self.refuse(f"{key} in the call", "a call without a mask")
        try:
            made = handler.lower(self)
        except FormatError as fault:
            raise self.refuse(f"{fault.code}: {fault.received}", str(fault.expected)) from fault
        except NnpackError:
            raise
        except Exception as error:  # arguments that nobody thought of
            expected = "arguments that nnpack knows; please report these"
            raise self.refuse(f"{type(error).__name__}: {error}", expected) from error
        values = made if isinstance(made, list) else [made]
        return [self.finished(value, self.name if i == 0 else f"{self.name}:{i}") for i, value in enumerate(values)]

    def traced_call(self) -> list[Ref]:
        """A layer of other code than Keras's own: what its `call` does."""
        code = self.operation.call
        return self.trace(code, *self.args, **{**self.kwargs, **inference(code)})

    def inlined(self) -> list[Ref]:
        """A nested model, lowered in place under its own name."""
        model = self.operation
        given = [x for x in keras.tree.flatten(self.arguments["inputs"]) if isinstance(x, Ref)]
        argument = self.arguments["inputs"]
        if isinstance(argument, dict) and not isinstance(getattr(model, "_inputs_struct", None), dict):
            given = [argument[tensor.name] for tensor in model.inputs]
        if len(given) != len(model.inputs):
            raise self.refuse(f"{len(given)} inputs", f"{len(model.inputs)} inputs")
        masks = keras.tree.flatten(self.arguments.get("mask"))
        if len(masks) != len(given) or not any(isinstance(mask, Ref) for mask in masks):
            masks = [ref.mask for ref in given]
        known = {}
        for tensor, ref, mask in zip(model.inputs, given, masks, strict=True):
            value = self.ranked(self.value(ref), tensor)
            known[id(tensor)] = Ref(self.cast(value, str(tensor.dtype)).name, mask)
        return self.export.walk(model.outputs, known, f"{self.name}/")

    def ranked(self, value: Value, tensor: Any) -> Value:
        """As in Keras, a last axis of 1 that is missing is added, one too many dropped."""
        rank, wanted = len(value.shape), len(tensor.shape)
        if rank == wanted + 1 and value.shape[-1] == 1:
            return self.emit("squeeze", [value], attributes={"axes": [rank - 1]})
        if rank == wanted - 1 and tensor.shape[-1] == 1:
            return self.emit("expand_dims", [value], attributes={"axis": rank})
        if rank != wanted:
            raise self.refuse(f"an input of shape {show(value.shape)}", f"the rank of {tuple(tensor.shape)}")
        return value

    # Checks

    def check_training(self) -> None:
        parameter = inspect.signature(self.operation.call).parameters.get("training")
        by_default = parameter is not None and parameter.default is True  # which the outermost call overrules
        if self.arguments.get("training") and not by_default:
            raise self.refuse("training=True in the call", "a call that may run in inference mode")

    def check_policy(self) -> None:
        policy = self.operation.dtype_policy
        if getattr(policy, "quantization_mode", None):
            raise self.problem("dtype-policy", "the layer before quantize(), and dump(weights='int8')", policy.name)
        if policy.compute_dtype not in PLAIN and policy.compute_dtype != "string":
            expected = "the dtype policy float32 or float64; other computing types give other numbers"
            raise self.problem("dtype-policy", expected, policy.name)

    def cast_inputs(self, dtype: str) -> None:
        """Casts floating-point arguments to the dtype that the layer computes in, as Keras does."""
        if dtype not in FLOATS:
            return

        def cast(x: Any) -> Any:
            if isinstance(x, Ref) and self.value(x).dtype in FLOATS:
                return Ref(self.cast(self.value(x), dtype).name, x.mask)
            return x

        self.args = keras.tree.map_structure(cast, self.args)
        self.kwargs = keras.tree.map_structure(cast, self.kwargs)

    def restore_rows(self, rows: int) -> None:
        """Arrays that were made for `rows` rows, while that number stood for any, become one row for every row."""

        def restored(x: Any) -> Any:
            if not isinstance(x, np.ndarray) and not (keras.ops.is_tensor(x) and not isinstance(x, keras.Variable)):
                return x
            if tuple(x.shape)[:1] != (rows,):
                return x
            array = to_numpy(x)
            return Ref(self.each_row(array, self.export.like(), str(array.dtype), "row").name)

        self.args = keras.tree.map_structure(restored, self.args)
        self.kwargs = keras.tree.map_structure(restored, self.kwargs)

    # Masks, which Keras passes along with tensors

    def populate_masks(self) -> None:
        """Gives the call the masks of its arguments, as `keras.layers.Layer.__call__` does."""
        tensors = {key: item for key, item in self.arguments.items() if _is_tensors(item)}
        parameters = inspect.signature(self.operation.call).parameters
        if len(tensors) == 1:
            wanted = {"mask": next(iter(tensors.values()))}
        else:
            wanted = {f"{key}_mask": item for key, item in tensors.items()}
        for key, item in wanted.items():
            if key in parameters and self.arguments.get(key) is None:
                mask = keras.tree.map_structure(_mask_of, item)
                if any(x is not None for x in keras.tree.flatten(mask)):
                    self.kwargs[key] = mask

    def masked(self, refs: list[Ref]) -> list[Ref]:
        """The outputs with the masks that the layer computes for them."""
        layer = self.operation
        if all(ref.mask for ref in refs) or not layer.supports_masking:
            return refs
        first = next(iter(self.arguments.values()), None)
        previous = self.kwargs.get("mask")
        if previous is None:
            previous = keras.tree.map_structure(_mask_of, first)
        if getattr(type(layer).compute_mask, "_is_default", False):
            masks = keras.tree.flatten(previous)
        else:
            masks = self.trace(layer.compute_mask, first, previous, optional=True)
        return [
            Ref(ref.name, mask) if ref.mask is None and isinstance(mask, Ref) else ref
            for ref, mask in zip(refs, [*masks, *[None] * len(refs)], strict=False)
        ]

    # Names

    def finished(self, value: Value, name: str) -> Value:
        """Gives the value that the call ends with, and the layer that makes it, the call's own name."""
        export = self.export
        value = export.values[value.name]
        for i in range(self.first, len(export.layers)):
            if value in export.layers[i].outputs and value.name != name:
                return export.rename(i, value, name)
        return value

    def finished_all(self, refs: list[Ref]) -> list[Ref]:
        """The same for what tracing made; the masks stay."""
        if len({ref.name for ref in refs}) < len(refs):
            return refs
        names = [self.name, *(f"{self.name}:{i}" for i in range(1, len(refs)))]
        return [Ref(self.finished(self.value(ref), name).name, ref.mask) for ref, name in zip(refs, names, strict=True)]

    # What handlers use

    def emit(
        self,
        op: str,
        inputs: Sequence[Value],
        weights: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        part: str | None = None,
    ) -> Value:
        """Adds a layer and returns what it makes: of several values the first.

        Args:
            op: the operator's name.
            inputs: its inputs.
            weights: role -> a Keras variable, a tensor, or an array; one operation's role is one tensor of the file,
                however often the operation is called.
            attributes: all of the operator's attributes.
            part: what the layer is called within the call; the operator's name unless given.
        """
        return self.emit_all(op, inputs, weights, attributes, part)[0]

    def emit_all(
        self,
        op: str,
        inputs: Sequence[Value],
        weights: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        part: str | None = None,
    ) -> list[Value]:
        """`emit`, for operators of several outputs."""
        export, operator, attributes = self.export, OPERATORS[f"{op}@1"], dict(attributes or {})
        inputs = [export.values[value.name] for value in inputs]
        if op in BROADCASTING:
            inputs = export.unify(inputs)
        elif op == "concatenate":
            inputs = export.unify(inputs, skip=attributes["axis"])
        elif op == "einsum":
            inputs = export.unify_labels(inputs, attributes["equation"].partition("->")[0].split(","))
        name = export.unique(f"{self.name}/{part or op}", export.values)
        tensors = {role: self.tensor(_role(op, part, role), weight) for role, weight in (weights or {}).items()}
        types = {role: Type(export.tensors[t].dtype, export.tensors[t].shape) for role, t in tensors.items()}
        made = operator.check(OperatorCall(tuple(Type(v.dtype, v.shape) for v in inputs), types, attributes))
        values = []
        for i, (dtype, shape) in enumerate(made):
            known_as = export.unique(name if i == 0 else f"{name}:{i}", export.values)
            declared = tuple(f"{known_as}.{axis}" if n is None else n for axis, n in enumerate(shape))
            values.append(Value(known_as, dtype, declared))
            export.values[known_as] = values[-1]
        source = Source(self.class_name, self.path)
        names = tuple(value.name for value in inputs)
        export.layers.append(Layer(name, operator.id, names, tuple(values), tensors, attributes, source))
        export.calls |= {self.name, self.name.rpartition("/")[0]}
        return values

    def tensor(self, role: str, weight: Any) -> str:
        """The name of the tensor that a weight becomes."""
        export, variable = self.export, isinstance(weight, keras.Variable)
        if variable and id(weight) in export.of_variables:
            return export.of_variables[id(weight)][1]
        array = to_numpy(weight)
        dtype = str(array.dtype)
        if dtype not in PLAIN:
            raise self.problem("dtype-policy", f"weights of {', '.join(FLOATS)}", f"{role} of {dtype}")
        if not array.size:
            raise self.refuse(f"{role} of shape {show(array.shape)}", "weights of at least one element")
        known = [] if variable else export.roles.setdefault(self.owner(role, array), [])
        for name in known:
            if _same_bytes(export.tensors[name].array, array):
                return name
        name = export.unique(f"{self.name}/{role}", export.tensors)
        export.tensors[name] = Tensor(name, dtype, array)
        known.append(name)
        if variable:
            export.of_variables[id(weight)] = weight, name
        return name

    def owner(self, role: str, array: Array) -> tuple[int, str]:
        """What the tensor of an array is looked up by, should it be in the file already."""
        if isinstance(self.operation, keras.layers.Layer) or not array.ndim:
            return id(self.operation), role
        # code that is traced once for each step of a sequence makes a new operation each time
        return 0, sha256([array.data.cast("B")])

    def constant(self, array: Any, dtype: str, part: str) -> Value:
        """A value that does not depend on the input."""
        return self.emit("constant", [], {"value": self.weight(array, dtype)}, part=part)

    def weight(self, x: Any, dtype: str) -> Any:
        """x as a weight of that dtype; a variable of it stays itself, so that all its uses are one tensor."""
        same = isinstance(x, keras.Variable) and x.dtype == dtype
        return x if same else np.asarray(to_numpy(x), dtype)

    def each_row(self, rows: Array, like: Value, dtype: str, part: str) -> Value:
        """Rows of a constant, which are all the same, as many of them as `like` has."""
        if not rows.ndim or (rows != rows[:1]).any():
            reason = "a constant whose numbers differ from row to row"
            raise self.refuse(reason, "the same numbers for every row, or an input")
        return self.emit("broadcast_batch", [self.constant(rows[:1], dtype, part), like])

    def cast(self, value: Value, dtype: str) -> Value:
        if value.dtype == dtype:
            return value
        if dtype not in PLAIN or value.dtype not in PLAIN:
            expected = f"one of {', '.join(COMPUTED)}"
            raise self.problem("dtype-policy", expected, f"{value.dtype} to {dtype}")
        return self.emit("cast", [value], attributes={"dtype": dtype})

    def operand(self, x: Any, dtype: str, part: str) -> Value:
        """An argument of an operation as a value of `dtype`: a value, or a number or array made constant."""
        return self.cast(self.value(x), dtype) if isinstance(x, Ref) else self.constant(x, dtype, part)

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front, which is not that of the rows."""
        if not -rank <= axis < rank or axis % rank == 0:
            raise self.refuse(f"an operation along axis {axis}, the batch's", "an axis other than the first")
        return int(axis) % rank

    def state(self, part: str, variable: Any) -> Value:
        """A state of the model: what a Keras variable of shape (batch, …) holds; it is zero before the first call.

        Args:
            part: what the state is called within the call.
            variable: Keras's.
        """
        initial = np.zeros(tuple(variable.shape)[1:], str(variable.dtype))
        name = self.export.unique(f"{self.name}/{part}", self.export.values)
        value = Value(name, str(initial.dtype), (BATCH, *initial.shape))
        self.export.values[name] = value
        self.export.states.append(State(value, value.name, self.tensor(part, initial)))
        self.export.variables.append(variable)
        return value

    def carry(self, state: Value, output: Value) -> None:
        """Declares that `output` of one call is what `state` is in the next."""
        self.export.states = [
            known._replace(output=output.name) if known.input.name == state.name else known
            for known in self.export.states
        ]

    def trace(self, function: Callable[..., Any], /, *args: Any, optional: bool = False, **kwargs: Any) -> list[Any]:
        """What a Python function makes of values, found by calling it on symbolic tensors.

        Args:
            function: any function made of keras.ops and Keras layers.
            args, kwargs: its arguments; Refs become symbolic tensors.
            optional: whether None is an answer.

        Returns:
            A Ref for each tensor that it returns, flat; None for None.
        """
        tensors: dict[str, Any] = {}
        known: dict[int, Ref] = {}

        def given(x: Any) -> Any:
            if not isinstance(x, Ref):
                return x
            if x.name not in tensors:
                value = self.value(x)
                tensors[x.name] = symbolic(value.shape, value.dtype, self.export.rows)
                known[id(tensors[x.name])] = x
            return tensors[x.name]

        args, kwargs = keras.tree.map_structure(given, args), keras.tree.map_structure(given, kwargs)
        try:
            answered, changed = recorded(self.operation, function, *args, **kwargs)
            made = keras.tree.flatten(answered)
        except ModelError:
            raise
        except Exception as error:  # whatever the user's function raises is the reason of the refusal
            open_ = any(isinstance(n, str) for tensor in tensors for n in self.export.values[tensor].shape[1:])
            raise self.refuse(where_it_left(error), _TRACEABLE + _OF_KNOWN_SIZE * open_) from error
        if changed:
            raise self.refuse(changed, "a call that leaves everything as it was, when not training")
        if not all(isinstance(y, keras.KerasTensor) or (optional and y is None) for y in made):
            what = getattr(function, "__name__", type(function).__name__)
            raise self.refuse(f"{what} returns no tensor of its input", "code whose output depends on its input")
        found = iter(self.export.walk([y for y in made if y is not None], known, f"{self.name}/", traced=True))
        return [None if y is None else next(found) for y in made]

    def traced(self, function: Callable[[Any], Any], value: Value) -> Value:
        """What a Python function makes of one value."""
        return self.value(self.trace(function, Ref(value.name))[0])


_TRACEABLE = "code made of Keras layers and keras.ops, or a handler of your own (nnpack.exporters.keras.register)"
_OF_KNOWN_SIZE = "; or inputs of known size, if the code needs it: dump(model, path, inputs=keras.Input(...))"


def _role(op: str, part: str | None, role: str) -> str:
    if op == "constant":
        return part or role
    return f"{part}/{role}" if part else role


def _same_bytes(a: Array, b: Array) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return np.array_equal(a.reshape(-1).view(np.uint8), b.reshape(-1).view(np.uint8))


def _mask_of(x: Any) -> Ref | None:
    return x.mask if isinstance(x, Ref) else None


def _is_tensors(item: Any) -> bool:
    """Whether an argument is a tensor or a nest of tensors, in Keras's own sense."""
    members = [x for x in keras.tree.flatten(item) if x is not None]
    return bool(members) and all(isinstance(x, Ref) or keras.ops.is_tensor(x) for x in members)


def to_numpy(weight: Any) -> Array:
    """A Keras variable, a tensor of its backend, a number or an array -> an array, in C order."""
    array = np.asarray(weight if isinstance(weight, np.ndarray) else keras.ops.convert_to_numpy(weight))
    return np.ascontiguousarray(array).reshape(array.shape)


def is_graph(model: Any) -> bool:
    """Whether a model's graph says all that its call does: Sequential or functional, and call not overridden."""
    functional: Any = next((base for base in type(model).__mro__ if base.__name__ == "Functional"), keras.Sequential)
    plain: Any = keras.Sequential if isinstance(model, keras.Sequential) else functional
    return isinstance(model, plain) and type(model).call is plain.call and bool(getattr(model, "outputs", None))
