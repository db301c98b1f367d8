"""A model as symbolic tensors: its own graph, or what its `call` does on symbolic inputs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import keras

from nnpack.errors import ModelError, UnsupportedModelError
from nnpack.exporters.keras.call import is_graph
from nnpack.exporters.keras.names import checked_name
from nnpack.exporters.keras.tracing import inference, recorded, where_it_left
from nnpack.format.document import Document


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
        rows: the number of rows of every call; None where it is open.
    """

    inputs: list[Any]
    names: list[str]
    outputs: list[Any]
    input_structure: Any
    output_structure: Any
    traced: bool
    rows: int | None


def graph_of(model: Any, inputs: Any = None, rows: int | None = None) -> Graph:
    """A model's graph: its own, or what its `call` does on symbolic inputs.

    Args:
        model: a built `keras.Model`.
        inputs: for a model whose call is traced, the nest of `keras.Input`s or `keras.InputSpec`s to call it on; None
            takes those of its own.
        rows: a number that stands for any number of rows while the call is traced.

    Raises:
        UnsupportedModelError: the call cannot be traced.
    """
    if is_graph(model) and inputs is None:
        structure, made = getattr(model, "_inputs_struct", None), getattr(model, "_outputs_struct", None)
        fixed = model.inputs[0].shape[0]
        return Graph(list(model.inputs), _input_names(model), list(model.outputs), structure, made, False, fixed)
    given = own_inputs(model) if inputs is None else _described(inputs)
    names = _names(keras.tree.flatten(given))
    flat = [_as_input(tensor, name, rows) for tensor, name in zip(keras.tree.flatten(given), names, strict=True)]
    structure = _positional(model, keras.tree.pack_sequence_as(given, flat))
    made = _called(model, keras.tree.map_structure(lambda x: _autocast(model, x), structure))
    outputs = keras.tree.flatten(made)
    if not outputs or not all(isinstance(y, keras.KerasTensor) for y in outputs):
        raise _refusal(model, "a call that returns tensors of its inputs", type(made).__name__)
    fixed = None if rows else flat[0].shape[0]
    return Graph(flat, names, outputs, structure, made, True, fixed)


def _refusal(model: Any, expected: str, received: str, code: str = "layer-unsupported") -> UnsupportedModelError:
    at = f"model {model.name!r} ({type(model).__name__})"
    return UnsupportedModelError([ModelError(code, at, expected, received)])


def _called(model: Any, arguments: Any) -> Any:
    """What a model's call makes of symbolic tensors."""
    positional = arguments if isinstance(arguments, tuple) else (arguments,)
    try:
        made, changed = recorded(model, model.call, *positional, **inference(model.call))
    except Exception as error:  # whatever the user's code raises is the reason of the refusal
        raise _refusal(model, "a call made of Keras layers and keras.ops", where_it_left(error)) from error
    if changed:
        raise _refusal(model, "a call that leaves everything as it was, when not training", changed)
    return made


# Inputs


def own_inputs(model: Any, integers: Sequence[str] = ()) -> Any:
    """Symbolic inputs as the model itself declares them, or of the shapes that it was built with.

    Args:
        model: a built `keras.Model`.
        integers: the names of those that are integers: the shapes that a model was built with have no dtypes.
    """
    declared = getattr(model, "_inputs_struct", None)
    if declared is not None:
        return declared
    shapes = getattr(model, "_build_shapes_dict", None)
    if not shapes or any(shape is None for shape in shapes.values()):
        expected = "a model that was called once, or dump(model, path, inputs=keras.Input(...))"
        raise _refusal(model, expected, "a model of unknown inputs", "model-not-built")
    dtype = model.compute_dtype
    made = [_of_shapes(shape, re.sub("_shapes?$", "", key), dtype, integers) for key, shape in shapes.items()]
    return made[0] if len(made) == 1 else tuple(made)


def _of_shapes(shape: Any, name: str, dtype: str, integers: Sequence[str]) -> Any:
    if isinstance(shape, dict):
        return {key: _of_shapes(part, str(key), dtype, integers) for key, part in shape.items()}
    if isinstance(shape, list | tuple) and shape and isinstance(shape[0], list | tuple | dict):
        return [_of_shapes(part, f"{name}_{i}", dtype, integers) for i, part in enumerate(shape)]
    name = "input" if name == "inputs" else name
    return keras.Input(tuple(shape)[1:], dtype="int32" if name in integers else dtype, name=name)


def choices_of_integers(model: Any) -> list[tuple[str, ...]]:
    """Which inputs of a model may be integers, where it does not say: each alone, then several."""
    if is_graph(model) or getattr(model, "_inputs_struct", None) is not None:
        return []
    names = _names(keras.tree.flatten(own_inputs(model)))[:4]
    return [chosen for n in range(1, len(names) + 1) for chosen in combinations(names, n)]


def taken_for_integers(document: Document) -> tuple[str, ...]:
    """The names of floating-point inputs that layers only read as integers."""
    found = []
    for value in document.inputs:
        readers = [layer for layer in document.layers if value.name in layer.inputs]
        only = all(layer.op == "cast@1" and "int" in layer.attributes["dtype"] for layer in readers)
        if readers and only and value.name not in document.outputs:
            found.append(value.name)
    return tuple(found)


def _positional(model: Any, given: Any) -> Any:
    """The arguments of a call: a tuple of several, or the only one.

    A list stands for the arguments of a call that takes several, and a list of one for the one.
    """
    parameters = inspect.signature(model.call).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    if isinstance(given, list) and (len(given) == 1 or 1 < len(needed) <= len(given)):
        given = given[0] if len(given) == 1 else tuple(given)
    if len(given if isinstance(given, tuple) else (given,)) < len(needed):
        expected = f"dump(model, path, inputs=(...)) with a keras.Input for each of {', '.join(needed)}"
        raise _refusal(model, expected, f"a call of {len(needed)} arguments", "model-not-built")
    return given


def _described(inputs: Any) -> Any:
    for tensor in keras.tree.flatten(inputs):
        if not isinstance(tensor, keras.KerasTensor | keras.InputSpec) or tensor.shape is None:
            expected = "keras.Inputs, or keras.InputSpecs with a shape"
            raise ModelError("input-shape", "inputs", expected, type(tensor).__name__)
    return inputs


def _as_input(given: Any, name: str, rows: int | None) -> Any:
    """A symbolic input of what describes one; `rows` of it where they stand for any number."""
    shape = (rows or given.shape[0], *tuple(given.shape)[1:])
    return keras.Input(batch_shape=shape, dtype=given.dtype or "float32", name=name)


def _autocast(model: Any, tensor: Any) -> Any:
    """An input in the dtype that the model computes in, as `keras.Model.__call__` casts it."""
    differs = model.autocast and keras.backend.is_float_dtype(tensor.dtype) and tensor.dtype != model.input_dtype
    return keras.ops.cast(tensor, model.input_dtype) if differs else tensor


_NUMBERED = re.compile("(keras_tensor|input_layer)(_[0-9]+)?")


def _names(tensors: Sequence[Any]) -> list[str]:
    """The names of inputs, but not those that Keras numbers as it goes."""
    found: list[str] = []
    for i, tensor in enumerate(tensors):
        history = getattr(tensor, "_keras_history", None)
        name = history.operation.name if history else getattr(tensor, "name", None)
        if name is None or _NUMBERED.fullmatch(name) or checked_name(name) in found:
            name = "input" if len(tensors) == 1 else f"input_{i}"
        found.append(checked_name(name))
    return found


def _input_names(model: Any) -> list[str]:
    """The names that Keras takes inputs by: the keys of a dict, else the names of the Input layers."""
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(structure, dict) and all(isinstance(x, keras.KerasTensor) for x in structure.values()):
        by_id = {id(tensor): key for key, tensor in structure.items()}
        return [checked_name(str(by_id[id(tensor)])) for tensor in model.inputs]
    return [checked_name(tensor._keras_history.operation.name) for tensor in model.inputs]
