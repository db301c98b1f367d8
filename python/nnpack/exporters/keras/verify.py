"""Keras's numbers against a file's: spec/accuracy.md, "Exporting"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from nnpack.engine.accuracy import Evaluation, Sampled, evaluate
from nnpack.engine.model import Model
from nnpack.engine.plan import Plan
from nnpack.engine.reference import Reference, worst
from nnpack.engine.samples import sample_inputs, sample_states
from nnpack.errors import InputError, ModelError
from nnpack.exporters.keras.call import Ref, to_numpy
from nnpack.exporters.keras.graph import Exported, Trace, export
from nnpack.exporters.keras.models import Graph
from nnpack.exporters.keras.tracing import said
from nnpack.format.document import Document
from nnpack.format.storage import store, stored_as

Array = NDArray[Any]

_CHUNK = 256
"""Rows that are computed at once, at most."""

_CHUNK_ELEMENTS = 2**26
"""Elements of all values of the graph, for the rows that are computed at once: an evaluation holds most of them."""


def _chunk(document: Document) -> int:
    return max(1, min(_CHUNK, _CHUNK_ELEMENTS // document.row_elements))


class OutputComparison(NamedTuple):
    """One output under Keras and under nnpack.

    Attributes:
        name: the output.
        largest_error: the largest |Keras - nnpack|.
        tolerance_use: the largest distance of either from its float64 reference, as a part of the tolerance there.
        at: the index of that element.
    """

    name: str
    largest_error: float
    tolerance_use: float
    at: tuple[int, ...]


class Comparison(NamedTuple):
    """Keras against nnpack, on the same rows.

    Attributes:
        rows: how many rows were predicted.
        compared: how many of them stay within float32's range and were compared.
        outputs: one comparison for each output.
        diverging: the first layer whose numbers differ; None where all agree.
        keras: output name -> what Keras predicts.
        nnpack: output name -> what nnpack predicts.
    """

    rows: int
    compared: int
    outputs: tuple[OutputComparison, ...]
    diverging: str | None
    keras: Mapping[str, Array]
    nnpack: Mapping[str, Array]

    @property
    def agrees(self) -> bool:
        """Whether every output is within its tolerance."""
        return all(output.tolerance_use <= 1 for output in self.outputs)


def compare(
    keras_model: Any,
    model: Model,
    inputs: Any = None,
    *,
    exported: Exported | None = None,
    sampled: Sampled | None = None,
) -> Comparison:
    """Predicts with Keras and with nnpack and compares both with the file's float64 reference.

    Where the file stores weights in a smaller type, its numbers are others than Keras's. Then Keras is compared with
    the float32 model that it exports to, and the file with what that model is when stored in the file's type. A model
    with states is compared twice: before its first call, and with states in the middle of a sequence.

    Args:
        keras_model: a `keras.Model`.
        model: the model that a file holds.
        inputs: as for `Model.predict`; None takes varied rows that are always the same (nnpack.engine.samples).
        exported: what `export` made of Keras's model; None exports it.
        sampled: the model's float64 reference on varied rows, where it is known.

    Returns:
        The comparison, with the first diverging layer where the outputs do not agree.

    Raises:
        UnsupportedModelError: Keras's model cannot be exported.
        InputError: the inputs do not fit, or the file takes others than Keras's model.
        ModelError: Keras cannot call its own model.

    Source: spec/accuracy.md, "Exporting".
    """
    exported = export(keras_model) if exported is None else exported
    _check_inputs(exported.document, model)
    fixed = exported.graph.rows
    if inputs is None and sampled is not None and fixed is None:
        return _compare(keras_model, model, exported, sampled.inputs, [], sampled.evaluation)
    arrays = sample_inputs(model.document, rows=fixed) if inputs is None else model.fitted(inputs)
    if not len(arrays[0]):
        raise InputError("shape", "inputs", "at least one row to compare", "none")
    if exported.variables and len(arrays[0]) != fixed:
        raise InputError("shape", "inputs", f"{fixed} rows, the batch size of the stateful model", str(len(arrays[0])))
    rows = len(arrays[0])
    found = _compare(keras_model, model, exported, arrays, model.document.initial_states(rows))
    if not exported.variables or not found.agrees:
        return found
    later = _compare(keras_model, model, exported, arrays, sample_states(model.document, rows))
    return found if later.agrees else later


def _compare(
    keras_model: Any,
    model: Model,
    exported: Exported,
    arrays: Sequence[Array],
    states: Sequence[Array],
    known: Evaluation | None = None,
) -> Comparison:
    """The comparison of one call that begins with these states."""
    names = [*model.document.outputs, *(state.output for state in model.document.states)]
    by_keras = dict(zip(names, _predict(keras_model, exported, arrays, states), strict=True))
    by_nnpack = dict(zip(names, _run(model, names, arrays, states), strict=True))
    if any(by_keras[name].shape != by_nnpack[name].shape for name in names):
        nothing = tuple(OutputComparison(name, np.inf, np.inf, ()) for name in names)
        diverging = _first_structural(model, exported)
        return Comparison(len(arrays[0]), 0, nothing, diverging, by_keras, by_nnpack)
    storage = stored_as(model.document)
    expected = model if storage == "float32" else Model(store(exported.document, storage))
    references, in_range = known or _references(expected, arrays, states, names)
    keras_references = references
    if expected is not model:
        keras_references, also_in_range = _references(Model(exported.document), arrays, states, names)
        in_range = in_range & also_in_range
    outputs = tuple(
        _compare_output(name, [(by_keras[name], keras_references[name]), (by_nnpack[name], references[name])], in_range)
        for name in dict.fromkeys(names)
    )
    comparison = Comparison(len(arrays[0]), int(in_range.sum()), outputs, None, by_keras, by_nnpack)
    if comparison.agrees:
        return comparison
    diverging = _first_structural(model, exported)
    if diverging is None:
        rows = arrays if states else [array[in_range][: _chunk(model.document)] for array in arrays]
        diverging = _first_diverging(model, expected, exported, rows, states)
    return comparison._replace(diverging=diverging)


def _run(model: Model, names: Sequence[str], arrays: Sequence[Array], states: Sequence[Array]) -> list[Array]:
    """Values of the graph under nnpack."""
    plan, size = Plan(model.document, names), _chunk(model.document)
    given = [*arrays, *states]
    chunks = [plan.run([array[at : at + size] for array in given]) for at in range(0, len(arrays[0]), size)]
    return [_joined(parts) for parts in zip(*chunks, strict=True)]


def _joined(parts: Sequence[Array]) -> Array:
    """The rows of all chunks; a scalar is the same in each."""
    return np.concatenate(parts) if len(parts) > 1 and parts[0].ndim else parts[0]


def _check_inputs(exported: Document, model: Model) -> None:
    """The file takes what Keras's model takes."""
    theirs, ours = (", ".join(map(str, inputs)) for inputs in (exported.inputs, model.inputs))
    if theirs != ours:
        raise InputError("shape", "inputs", f"those of Keras's model, {theirs}", f"those of the file, {ours}")


def _compare_output(
    name: str, sides: Sequence[tuple[Array, Reference]], in_range: NDArray[np.bool_]
) -> OutputComparison:
    """An output as (numbers, reference) of Keras and of nnpack.

    Where both overflow alike, within an operator perhaps that the reference computes in a larger range, they agree.
    """
    (by_keras, _), (by_nnpack, _) = sides
    alike = (by_keras == by_nnpack) | ((by_keras != by_keras) & (by_nnpack != by_nnpack))
    judged = np.isfinite(by_keras) | ~alike
    found = [
        worst(
            np.where(judged, numbers, reference.values)[in_range],
            Reference(reference.values[in_range], reference.tolerance[in_range]),
        )
        for numbers, reference in sides
    ]
    use, at = max(found, key=lambda side: side[0])
    with np.errstate(all="ignore"):
        error = np.abs(by_keras.astype(np.float64) - by_nnpack.astype(np.float64))[in_range]
    row = np.flatnonzero(in_range)[list(at[:1])]
    return OutputComparison(name, float(np.nanmax(error, initial=0.0)), use, (*map(int, row), *at[1:]))


def _predict(keras_model: Any, exported: Exported, arrays: Sequence[Array], states: Sequence[Array]) -> list[Array]:
    """What Keras computes: its outputs, then its states after the call."""
    graph, rows = exported.graph, len(arrays[0])
    size = graph.rows or _CHUNK
    answer = _answering(lambda parts: _call(keras_model, graph, parts))
    chunks = []
    with _states(exported.variables, states):
        for start in range(0, rows, size):
            parts = [_padded(array[start : start + size], graph.rows) for array in arrays]
            try:
                answered = answer(parts)
            except Exception as error:  # whatever Keras or its backend raises: there is nothing to compare with
                at, expected = f"model {keras_model.name!r}", f"a model that Keras itself can call on {rows} rows"
                raise ModelError("keras-call", at, expected, said(error)) from error
            kept = min(size, rows - start)
            chunks.append([to_numpy(y)[:kept] for y in keras.tree.flatten(answered)])
        after = [to_numpy(variable) for variable in exported.variables]
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)] + after


def _answering(function: Callable[[list[Array]], Any]) -> Callable[[list[Array]], Any]:
    """A call of Keras, compiled if it fails otherwise: TensorFlow's CPU has no kernels for channels first."""
    compiled: Callable[[list[Array]], Any] | None = None

    def answer(arrays: list[Array]) -> Any:
        nonlocal compiled
        if compiled is not None:
            return compiled(arrays)
        try:
            return function(arrays)
        except Exception as first:
            try:
                import tensorflow

                candidate = tensorflow.function(function, jit_compile=True, autograph=False)
                answered = candidate(arrays)
            except Exception:
                raise first from None
            compiled = candidate
            return answered

    return answer


def _call(keras_model: Any, graph: Graph, arrays: Sequence[Array]) -> Any:
    tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
    if graph.input_structure is None:
        return keras_model(tensors[0] if len(tensors) == 1 else tensors, training=False)
    feed = keras.tree.pack_sequence_as(graph.input_structure, tensors)
    positional = feed if graph.traced and isinstance(feed, tuple) else (feed,)
    takes_training = getattr(keras_model, "_call_has_training_arg", True)
    return keras_model(*positional, training=False) if takes_training else keras_model(*positional)


def _padded(array: Array, rows: int | None) -> Array:
    """As many rows as a model of a fixed batch size takes."""
    missing = 0 if rows is None else rows - len(array)
    return array if not missing else np.concatenate([array, np.repeat(array[-1:], missing, axis=0)])


@contextmanager
def _states(variables: Sequence[Any], states: Sequence[Array]) -> Iterator[None]:
    """Keras's states as given, until this ends."""
    before = [to_numpy(variable) for variable in variables]
    for variable, state in zip(variables, states, strict=True):
        variable.assign(state)
    try:
        yield
    finally:
        for variable, state in zip(variables, before, strict=True):
            variable.assign(state)


def _references(
    model: Model, arrays: Sequence[Array], states: Sequence[Array], names: Sequence[str]
) -> tuple[dict[str, Reference], NDArray[np.bool_]]:
    """The reference of values of the graph, chunk by chunk."""
    size = _chunk(model.document)
    parts = [
        evaluate(
            model.document,
            [array[start : start + size] for array in arrays],
            names,
            [state[start : start + size] for state in states],
        )
        for start in range(0, len(arrays[0]), size)
    ]
    joined = {
        name: Reference(*(_joined(chunks) for chunks in zip(*(part.outputs[name] for part in parts), strict=True)))
        for name in names
    }
    return joined, np.concatenate([part.in_range for part in parts])


def _first_structural(model: Model, exported: Exported) -> str | None:
    """The first call whose values the file does not have, or has otherwise."""
    ours, theirs = model.document.values, exported.document.values
    for trace in exported.traces:
        if any(ours.get(name) != theirs.get(name) for name in trace.outputs):
            return trace.name
    return None


def _first_diverging(
    model: Model, expected: Model, exported: Exported, rows: Sequence[Array], states: Sequence[Array]
) -> str | None:
    """The first call whose result in the file is not what is expected of it.

    That is what Keras makes of the file's own values of its inputs; or, where the file stores weights in a smaller
    type, what the expected model says. Calls of values that the file does not have are left out.
    """
    names = list(model.document.values)
    references, _ = _references(expected, rows, states, names)
    numbers = dict(zip(names, _run(model, names, rows, states), strict=True))

    for trace in exported.traces:
        needed = (trace.args, {key: x for key, x in trace.kwargs.items() if "mask" not in key})
        if any(isinstance(x, Ref) and x.name not in numbers for x in keras.tree.flatten(needed)):
            continue
        found = [(name, numbers[name]) for name in trace.outputs if name in numbers]
        if expected is model:
            try:
                with _states(exported.variables, states):
                    made = _again(trace, numbers)
            except Exception:  # Keras does not take what the file has there
                return trace.name
            both = zip(trace.outputs, made, strict=True)
            found += [(name, to_numpy(y)) for name, y in both if name in numbers]
        if any(worst(y, references[name])[0] > 1 for name, y in found):
            return trace.name
    return None


def _again(trace: Trace, numbers: Mapping[str, Array]) -> list[Any]:
    """What Keras makes of a call, flat; masks that nobody reads are not among the numbers."""
    arguments = (trace.args, trace.kwargs)
    known = [x.name for x in keras.tree.flatten(arguments) if isinstance(x, Ref) and x.name in numbers]

    def called(arrays: list[Array]) -> list[Any]:
        tensors = {name: keras.ops.convert_to_tensor(array) for name, array in zip(known, arrays, strict=True)}
        args, kwargs = keras.tree.map_structure(lambda x: tensors.get(x.name) if isinstance(x, Ref) else x, arguments)
        return list(keras.tree.flatten(trace.operation(*args, **kwargs)))

    return list(_answering(called)([numbers[name] for name in known]))
