"""Varied inputs that are always the same: what exports are verified with, and self-tests made of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.engine.plan import Plan
from nnpack.errors import NnpackError
from nnpack.format.document import Document, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnpack.format.dtypes import Array


_SEED = 1_905
_SIZES = (
    *((3, 5, 2, 7), (9, 11, 8, 13), (8, 16, 24, 32), (37, 41, 38, 43), (32, 64, 96, 128)),
    *((75, 83, 78, 89), (128, 192, 256, 64), (151, 163, 152, 167), (299, 301, 300, 303)),
)
"""What the dimensions are whose numbers the model leaves open: the first of these that every layer takes."""

_INDICES = (128, 11, 5, 3, 2)
"""Below which integers are: the first of these that every table has."""

# numbers of either sign at several scales, all positive, all negative, sparse, and the corners 0, 1 and -1
_SCALES = (1.0, 0.1, 10.0, 1.0, 0.01, 100.0, 1.0, 3.0)

ROWS = (11, 61)
"""At least and at most; primes, because Keras takes a column for a bias that has as many rows as there are units."""

_ELEMENTS = 2**21
_LARGE_ELEMENTS, _LARGE_ROWS = 2**20, 2


def sample_inputs(document: Document, rows: int | None = None) -> list[Array]:
    """An array for each input, of the input's dtype; the numbers are multiples of 2⁻¹², the same on every machine.

    There are 61 rows; fewer, but at least 11, where the values of the graph would have more than 2²¹ elements together,
    and 2 where those of one row have more than 2²⁰.

    Args:
        document: the model.
        rows: how many; None lets the size of the model decide.
    """
    if rows is None:
        least, most = ROWS
        large = document.row_elements > _LARGE_ELEMENTS
        rows = _LARGE_ROWS if large else min(most, max(least, _ELEMENTS // document.row_elements))
    first = _samples(document, rows, _SIZES[0], _INDICES[0], False)
    if not _may_refuse(document):
        return first
    plan = Plan(document, [*document.outputs, *(state.output for state in document.states)])
    states = document.initial_states(rows)
    for whole, sizes, limit in product((False, True), _SIZES, _INDICES):
        arrays = _samples(document, rows, sizes, limit, whole)
        try:
            made = plan.run([*arrays, *states])
        except NnpackError:
            continue
        if all(y.size for y in made):
            return arrays
    return first


def sample_states(document: Document, rows: int) -> list[Array]:
    """An array for each state, as in the middle of a sequence."""
    generator = np.random.RandomState(_SEED)
    shapes = [(rows, *(n for n in state.input.shape[1:] if isinstance(n, int))) for state in document.states]
    return [
        (generator.randint(-(2**12), 2**12, shape) / 2**12).astype(state.input.dtype)
        for state, shape in zip(document.states, shapes, strict=True)
    ]


def _may_refuse(document: Document) -> bool:
    """Whether a model takes some arrays of the declared shapes and not others: sizes are open, or tables are read."""
    tables = ("embedding@1", "take@1", "take_along_axis@1")
    open_sizes = any(isinstance(n, str) for value in document.inputs for n in value.shape[1:])
    return open_sizes or any(layer.op in tables for layer in document.layers)


def _samples(document: Document, rows: int, sizes: Sequence[int], limit: int, whole: bool) -> list[Array]:
    """An array for each input.

    Args:
        document: the model.
        rows: how many.
        sizes: what dimensions are that the model leaves open.
        limit: what integers are below.
        whole: whether floating-point inputs are such integers too: a table may be read by them. Then words are only
            those that vocabularies have.
    """
    # the bits of this generator are frozen; its floating-point distributions are not used
    generator = np.random.RandomState(_SEED)
    symbols: dict[str, int] = {}
    for value in document.inputs:
        for symbol in value.shape[1:]:
            if isinstance(symbol, str):
                symbols.setdefault(symbol, sizes[len(symbols) % len(sizes)])
    known, integral = _vocabularies(document), _read_as_integers(document)
    arrays = []
    for value in document.inputs:
        shape = (rows, *(n if isinstance(n, int) else symbols[n] for n in value.shape[1:]))
        if value.name in known:
            entries, others = known[value.name], _UNKNOWN[value.dtype == "string"]
            entries = entries if whole and entries else entries + others
            pool = np.array(entries, object if value.dtype == "string" else value.dtype)
            arrays.append(pool[generator.randint(0, len(pool), shape)])
        elif value.name in integral or (whole and value.dtype != "bool"):
            arrays.append(_integers(shape, value.dtype, limit, generator))
        else:
            arrays.append(_sample(value, shape, limit, generator))
    for name, number in _mask_values(document):
        array = arrays[[value.name for value in document.inputs].index(name)]
        array[generator.randint(0, 6, array.shape[:2]) == 0] = number
        array[-1] = number
    return arrays


_KNOWN = 61
"""How many entries of a vocabulary are tried."""

_UNKNOWN: dict[bool, list[Any]] = {True: ["", "nnpack", "überall"], False: [0, 1, 113]}
"""Strings, and integers, that few vocabularies have."""


def _vocabularies(document: Document) -> dict[str, list[Any]]:
    """The input that a lookup reads -> some entries of the vocabulary, of the input's own dtype."""
    found: dict[str, list[Any]] = {value.name: [] for value in document.inputs if value.dtype == "string"}
    casts = {layer.outputs[0].name: layer.inputs[0] for layer in document.layers if layer.op == "cast@1"}
    inputs = {value.name: value for value in document.inputs}
    for layer in document.layers:
        if not layer.op.endswith("_lookup@1"):
            continue
        name, vocabulary = layer.inputs[0], document.computed(layer.weights["vocabulary"])
        value = inputs.get(casts.get(name, name))
        if value is not None and value.dtype == "string":
            data, offsets = vocabulary.tobytes(), document.computed(layer.weights["offsets"])[: _KNOWN + 1].tolist()
            found[value.name] += [data[start:end].decode() for start, end in pairwise(offsets)]
        elif value is not None:
            known = vocabulary[:_KNOWN]
            found.setdefault(value.name, []).extend(known[known.astype(value.dtype) == known].tolist())
    return found


def _mask_values(document: Document) -> list[tuple[str, Array]]:
    """Sequences among the inputs, with a number that layers compare them with: steps of that number are masked."""
    inputs = {value.name: value for value in document.inputs if len(value.shape) > 2}
    casts = {layer.outputs[0].name: layer.inputs[0] for layer in document.layers if layer.op == "cast@1"}
    constants = {
        layer.outputs[0].name: document.computed(layer.weights["value"])
        for layer in document.layers
        if layer.op == "constant@1"
    }
    compared = [layer.inputs for layer in document.layers if layer.op in ("equal@1", "not_equal@1")]
    return [
        (source, constants[other])
        for name, other in [*compared, *((second, first) for first, second in compared)]
        if (source := casts.get(name, name)) in inputs and other in constants
        if constants[other].size == 1 and np.isfinite(constants[other]).all() and np.any(constants[other])
        if constants[other].astype(inputs[source].dtype) == constants[other]
    ]


def _read_as_integers(document: Document) -> set[str]:
    """Names of the floating-point inputs that layers take for integers."""
    return {layer.inputs[0] for layer in document.layers if layer.op == "cast@1" and "int" in layer.outputs[0].dtype}


def _integers(shape: tuple[int, ...], dtype: str, limit: int, generator: np.random.RandomState) -> Array:
    """Integers below a limit; a part of them is 0, which often means that nothing is there."""
    numbers = generator.randint(0, limit, shape)
    numbers[generator.randint(0, 4, shape) == 0] = 0
    return numbers.astype(dtype)


def _sample(value: Value, shape: tuple[int, ...], limit: int, generator: np.random.RandomState) -> Array:
    if value.dtype == "bool":
        return generator.randint(0, 2, shape).astype(np.bool_)
    if value.dtype in ("int8", "int32", "int64", "uint8"):
        return _integers(shape, value.dtype, limit, generator)
    rows = shape[0]
    numbers = generator.randint(-(2**12), 2**12, shape).astype(np.float64) / 2**12
    sparse = generator.randint(0, 4, shape) == 0
    for row in range(rows):
        x = numbers[row : row + 1]
        kind = row % len(_SCALES)
        x *= _SCALES[kind]
        if kind == 3:
            np.abs(x, out=x)
        elif kind == 6:
            x[~sparse[row : row + 1]] = 0
        elif kind == 7:
            np.negative(np.abs(x), out=x)
    if len(shape) > 2:  # whole steps of a sequence that are 0: masks are made of them
        numbers[generator.randint(0, 6, shape[:2]) == 0] = 0
    for row, corner in enumerate((0.0, 1.0, -1.0)):
        if row + 1 < rows:
            numbers[row + 1] = corner
    return numbers.astype(value.dtype)


def rows_of(arrays: Sequence[Array], rows: Sequence[int] | NDArray[Any]) -> list[Array]:
    """Some rows of every array."""
    return [np.ascontiguousarray(array[rows]) for array in arrays]
