"""What a model's outputs are, and how far a right computation may be from them: spec/accuracy.md.

The reference is the model evaluated in float64. The tolerance is found by evaluating it again and again with noise
of the size of float32's rounding added wherever a float32 computation rounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.engine.reference import SMALLEST, Reference
from nnpack.format.document import Document, Layer
from nnpack.ops import OPERATORS
from nnpack.ops.operator import Operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnpack.format.dtypes import Array


RUNS = 32
FEW_RUNS = 8
MANY_ELEMENTS = 2**24
"""Networks whose values have more elements together, for the rows that are evaluated, are sampled by fewer runs."""

DEVIATIONS = 8
ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}
LARGEST = 2.0**127
_SEED = 20_240_601


class Evaluation(NamedTuple):
    """A document evaluated in float64 on some rows.

    Attributes:
        outputs: name -> values and tolerances, of the outputs that were asked for.
        in_range: which rows stay within float32's range in every value of the graph, and on the way to it, and where
            no operator's page leaves a number open.
    """

    outputs: Mapping[str, Reference]
    in_range: NDArray[np.bool_]


class Sampled(NamedTuple):
    """The rows that `sample_inputs` makes for a document, and the document evaluated on them."""

    inputs: Sequence[Array]
    evaluation: Evaluation


class _Step(NamedTuple):
    layer: Layer
    operator: Operator
    weights: Mapping[str, Array]
    attributes: Mapping[str, Any]
    roundoff: float
    smallest: float
    last: tuple[str, ...]
    """The values that no later step reads."""


def evaluate(
    document: Document,
    inputs: Sequence[Array],
    outputs: Sequence[str] | None = None,
    states: Sequence[Array] | None = None,
) -> Evaluation:
    """The reference of a document's outputs, with the tolerances of whole networks.

    Args:
        document: what to evaluate.
        inputs: an array for each input, rows first.
        outputs: the names of the values wanted; None takes the document's outputs.
        states: an array for each state; None takes the initial ones.
    """
    wanted = list(dict.fromkeys(document.outputs if outputs is None else outputs))
    steps = _steps(document, wanted)
    rows = len(inputs[0])
    given = [*inputs, *(document.initial_states(rows) if states is None else states)]
    start = {value.name: _widened(x) for value, x in zip(document.sources, given, strict=True)}
    many = rows * document.row_elements > MANY_ELEMENTS
    runs = FEW_RUNS if many else RUNS
    with np.errstate(all="ignore"):
        exact, scales, in_range = _exact(steps, start, rows, np.float32 if many else np.float64)
        squares: dict[str, Any] = dict.fromkeys(wanted, 0.0)
        for run in range(runs):
            noisy = _noisy(steps, start, scales, np.random.RandomState(_SEED + run))
            for name in wanted:
                squares[name] = squares[name] + np.square(_difference(noisy[name], exact[name]))
    return Evaluation(
        {
            name: Reference(exact[name], _tolerance(document.values[name].dtype, squares[name] / runs, exact[name]))
            for name in wanted
        },
        in_range,
    )


def _exact(
    steps: Sequence[_Step], start: Mapping[str, Array], rows: int, kept: type
) -> tuple[dict[str, Array], dict[str, Array], NDArray[np.bool_]]:
    """The values that are wanted; the scale of rounding of every value that is rounded; the rows within range."""
    values, in_range = dict(start), np.ones(rows, np.bool_)
    scales: dict[str, Array] = {}
    for step, made, operands in _run(steps, values):
        scaled = step.operator.rounding(_one_or_all(made), *operands, **step.weights, **step.attributes)
        for value, y, rounding in zip(step.layer.outputs, made, _all(scaled), strict=True):
            if np.any(rounding > 0):  # what is rounded may be flushed to 0 below the smallest normal number
                scale = np.where((rounding > 0) & np.isfinite(rounding), step.roundoff * rounding + step.smallest, 0)
                scales[value.name] = scale.astype(np.float64 if value.dtype == "float64" else kept)
            if y.dtype.kind == "f" and y.size:
                of_rows = value.shape and not isinstance(value.shape[0], int) and len(y) % rows == 0
                within = (np.abs(y) < LARGEST) & (np.broadcast_to(rounding, y.shape) != np.inf)
                in_range &= np.all(within.reshape(rows if of_rows else 1, -1), axis=1)
    return values, scales, in_range


def _noisy(
    steps: Sequence[_Step], start: Mapping[str, Array], scales: Mapping[str, Array], noise: np.random.RandomState
) -> dict[str, Array]:
    """The values that are wanted, with noise wherever a float32 computation rounds."""
    values = dict(start)
    for step, made, _ in _run(steps, values):
        for value, y in zip(step.layer.outputs, made, strict=True):
            if value.name in scales:
                scale = scales[value.name]
                values[value.name] = y + np.where(_coins(noise, y.shape), scale, -scale)
    return values


def _coins(noise: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Random booleans: signs have a deviation of 1 like normal numbers, and are drawn much quicker."""
    n = prod(shape)
    bits = np.unpackbits(np.frombuffer(noise.bytes(-(-n // 8)), np.uint8), count=n)
    return bits.view(np.bool_).reshape(shape)


def _difference(noisy: Array, exact: Array) -> Array:
    return noisy.astype(np.float64) - exact if exact.dtype.kind in "iufb" else np.zeros(exact.shape)


def _tolerance(dtype: str, variance: Array, exact: Array) -> Array:
    tolerance = DEVIATIONS * np.sqrt(variance)
    if dtype == "float64":  # the reference is as rounded as what is compared with it
        tolerance = 2 * tolerance
    # coarsely rounded up, so that it is the same number on every machine
    mantissa, exponent = np.frexp(np.broadcast_to(tolerance, exact.shape))
    return np.maximum(np.ldexp(np.ceil(mantissa * 16) / 16, exponent), SMALLEST.get(dtype, 0.0))


def _widened(x: Array) -> Array:
    return x.astype(np.float64) if x.dtype.kind == "f" else x


def _one_or_all(made: Sequence[Array]) -> Any:
    return made[0] if len(made) == 1 else tuple(made)


def _all(made: Any) -> tuple[Array, ...]:
    return made if isinstance(made, tuple) else (made,)


def _steps(document: Document, wanted: Sequence[str]) -> list[_Step]:
    """The layers that some value wanted depends on, each with the values that only it still needs."""
    steps: list[_Step] = []
    needed = set(wanted)
    for layer in reversed(document.layers):
        if any(value.name in needed for value in layer.outputs):
            last = {*layer.inputs, *(value.name for value in layer.outputs)} - needed
            needed.update(layer.inputs)
            steps.append(_step(document, layer, tuple(last)))
    return steps[::-1]


def _step(document: Document, layer: Layer, last: tuple[str, ...]) -> _Step:
    weights = {role: _widened(document.computed(name)) for role, name in layer.weights.items()}
    dtype = layer.outputs[0].dtype
    attributes = dict(layer.attributes)
    if dtype == "float32":  # an attribute is a float32 like any other operand
        attributes = {k: float(np.float32(v)) if type(v) is float else v for k, v in attributes.items()}
    operator, roundoff, smallest = OPERATORS[layer.op], ROUNDOFF.get(dtype, 0.0), SMALLEST.get(dtype, 0.0)
    return _Step(layer, operator, weights, attributes, roundoff, smallest, last)


def _run(steps: Sequence[_Step], values: dict[str, Array]) -> Iterator[tuple[_Step, tuple[Array, ...], list[Array]]]:
    """Runs the steps in turn, filling `values`; what the caller puts there in between is what later steps read."""
    for step in steps:
        operands = [values[name] for name in step.layer.inputs]
        attributes = step.attributes
        if attributes.get("dtype") == "float32":  # a cast to float32 rounds; the reference does not
            attributes = {**attributes, "dtype": "float64"}
        made = _all(step.operator.function(*operands, **step.weights, **attributes))
        values.update(zip((value.name for value in step.layer.outputs), made, strict=True))
        yield step, made, operands
        for name in step.last:
            values.pop(name, None)
