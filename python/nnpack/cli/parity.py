"""Keras's numbers and a file's side by side: how far apart each element and each layer is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnpack.engine.accuracy import Evaluation, evaluate
from nnpack.engine.model import Model
from nnpack.exporters.keras import Comparison, Exported
from nnpack.exporters.keras.call import to_numpy
from nnpack.exporters.keras.verify import _again, _states

Array = NDArray[Any]

CHUNK = 256
"""Rows that are evaluated at once, at most."""

CHUNK_ELEMENTS = 2**24
"""Elements of all values of the graph for those rows: an evaluation holds most of them, several times."""


class OutputParity(NamedTuple):
    """An output of all rows that were compared.

    Attributes:
        name: the output.
        rows: the index of each row that was compared.
        keras: what Keras predicts, rows first.
        nnpack: what the file predicts.
        error: |Keras - nnpack|, float64; infinite where only one of them is NaN.
        use: that, in units of the element's tolerance.
    """

    name: str
    rows: Array
    keras: Array
    nnpack: Array
    error: Array
    use: Array


class LayerParity(NamedTuple):
    """A layer of Keras's model, computed by Keras and by the file on the file's own values of its inputs.

    Attributes:
        name: its name.
        class_name: its class.
        error: the largest |Keras - nnpack|; None where Keras cannot compute it on the file's values.
        use: the largest of them in units of the element's tolerance.
    """

    name: str
    class_name: str
    error: float | None
    use: float


class Parity(NamedTuple):
    """What the report is made of.

    Attributes:
        outputs: of those that both have, of one shape.
        layers: in the order in which Keras calls them.
    """

    outputs: tuple[OutputParity, ...]
    layers: tuple[LayerParity, ...]


class _Piece(NamedTuple):
    """Some rows: every value of the graph under nnpack, and its reference."""

    numbers: Mapping[str, Array]
    evaluation: Evaluation


def measure(comparison: Comparison, exported: Exported, model: Model, inputs: Sequence[Array]) -> Parity:
    """Measures what `compare` judged, element by element, and every layer.

    Args:
        comparison: what `compare` found.
        exported: what `export` made of Keras's model.
        model: the model that a file holds.
        inputs: the rows that were compared, an array for each input.
    """
    names = [output.name for output in comparison.outputs]
    alike = [name for name in names if comparison.keras[name].shape == comparison.nnpack[name].shape]
    tolerances: dict[str, list[Array]] = {name: [] for name in alike}
    in_range: list[Array] = []
    layers: dict[str, LayerParity] = {}
    for piece in _pieces(model, inputs, exported.graph.rows):
        in_range.append(piece.evaluation.in_range)
        for name in alike:
            tolerances[name].append(piece.evaluation.outputs[name].tolerance)
        for layer in _layers(exported, model, piece):
            layers[layer.name] = _worse(layer, layers.get(layer.name, layer))
    kept = np.flatnonzero(np.concatenate(in_range))
    pairs = {name: (comparison.keras[name], comparison.nnpack[name]) for name in alike}
    outputs = (_output(name, *pairs[name], np.concatenate(tolerances[name]), kept) for name in alike)
    return Parity(tuple(outputs), tuple(layers.values()))


def _pieces(model: Model, inputs: Sequence[Array], fixed: int | None) -> Iterator[_Piece]:
    names = list(model.document.values)
    size = fixed or max(1, min(CHUNK, CHUNK_ELEMENTS // model.document.row_elements))
    for start in range(0, len(inputs[0]), size):
        part = [array[start : start + size] for array in inputs]
        fed = {value.name: array for value, array in zip(model.inputs, part, strict=True)}
        numbers = copy(model).predict(fed, outputs=names)  # a copy, for its states to be those of a first call
        yield _Piece(dict(zip(names, numbers, strict=True)), evaluate(model.document, part, names))


def _output(name: str, keras: Array, nnpack: Array, tolerance: Array, kept: Array) -> OutputParity:
    keras, nnpack = keras[kept], nnpack[kept]
    error = _error(keras, nnpack)
    return OutputParity(name, kept, keras, nnpack, error, _in_units(error, tolerance[kept]))


def _layers(exported: Exported, model: Model, piece: _Piece) -> Iterator[LayerParity]:
    """Each call of Keras's graph whose values the file has."""
    states = model.document.initial_states(len(piece.evaluation.in_range))
    for trace in exported.traces:
        if not any(name in piece.numbers for name in trace.outputs):
            continue
        found = LayerParity(trace.name, type(trace.operation).__name__, None, 0.0)
        try:
            with _states(exported.variables, states):
                made = [to_numpy(y) for y in _again(trace, piece.numbers)]
        except Exception:  # whatever Keras raises where the file has no such value, or one of another shape
            yield found
            continue
        for name, y in zip(trace.outputs, made, strict=True):
            if name in piece.numbers and y.shape == piece.numbers[name].shape:
                found = _worse(found, _layer(found, y, name, piece))
        yield found


def _layer(layer: LayerParity, by_keras: Array, name: str, piece: _Piece) -> LayerParity:
    """A layer, judged by one of the values that it makes."""
    in_range = piece.evaluation.in_range
    error = _error(by_keras, piece.numbers[name])
    use = _in_units(error, piece.evaluation.outputs[name].tolerance)
    if error.ndim and len(error) % len(in_range) == 0:  # rows, or parts of rows
        kept = np.repeat(in_range, len(error) // len(in_range))
        error, use = error[kept], use[kept]
    return layer._replace(error=float(error.max(initial=0.0)), use=float(use.max(initial=0.0)))


def _worse(a: LayerParity, b: LayerParity) -> LayerParity:
    """The larger numbers of two; a layer without any has none."""
    known = [error for error in (a.error, b.error) if error is not None]
    return a._replace(error=max(known, default=None), use=max(a.use, b.use))


def _error(a: Array, b: Array) -> Array:
    """|a - b|, where NaN is as far from numbers as can be, and equal to NaN."""
    same = (a == b) | ((a != a) & (b != b))
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.where(same, 0.0, np.abs(a.astype(np.float64) - b.astype(np.float64)))
    return np.where(np.isnan(error), np.inf, error)


def _in_units(error: Array, tolerance: Array) -> Array:
    """Errors as multiples of the tolerance, of which integers and booleans have none."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.where(error == 0, 0.0, error / tolerance)
