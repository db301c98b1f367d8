"""What a model's outputs are, and how far a right computation may be from them: spec/accuracy.md.

The reference is the model evaluated in float64. The tolerance is found by evaluating it again and again with noise
of the size of float32's rounding added wherever a float32 computation rounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
DEVIATIONS = 8
ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}
LARGEST = 2.0**127
_SEED = 20_240_601


class Evaluation(NamedTuple):
    """A document evaluated in float64 on some rows.

    Attributes:
        outputs: name -> values and tolerances, of the outputs that were asked for.
        in_range: which rows stay within float32's range in every value of the graph.
    """

    outputs: Mapping[str, Reference]
    in_range: NDArray[np.bool_]


class _Step(NamedTuple):
    layer: Layer
    operator: Operator
    weights: Mapping[str, Array]
    attributes: Mapping[str, Any]
    roundoff: float
    smallest: float


def evaluate(document: Document, inputs: Sequence[Array], outputs: Sequence[str] | None = None) -> Evaluation:
    """The reference of a document's outputs, with the tolerances of whole networks.

    Args:
        document: what to evaluate.
        inputs: an array for each input, rows first.
        outputs: the names of the values wanted; None takes the document's outputs.
    """
    wanted = list(dict.fromkeys(document.outputs if outputs is None else outputs))
    steps = [_step(document, layer) for layer in document.layers]
    start = {value.name: _widened(x) for value, x in zip(document.inputs, inputs, strict=True)}
    rows = len(inputs[0])
    with np.errstate(all="ignore"):
        exact: dict[str, Array] = {}
        scales: dict[str, Array] = {}
        in_range = np.ones(rows, np.bool_)
        for step, y, operands in _run(steps, start, exact):
            scale = step.roundoff * step.operator.rounding(y, *operands, **step.weights, **step.attributes)
            # what is rounded may be flushed to 0 below the smallest normal number
            scales[step.layer.name] = np.where(scale > 0, scale + step.smallest, 0)
            if y.ndim and len(y) == rows:
                in_range &= np.all(np.abs(y) < LARGEST, axis=tuple(range(1, y.ndim)))
        squares: dict[str, Any] = dict.fromkeys(wanted, 0.0)
        for run in range(RUNS):
            noise = np.random.RandomState(_SEED + run)
            noisy: dict[str, Array] = {}
            for step, y, _ in _run(steps, start, noisy):
                noisy[step.layer.outputs[0].name] = y + scales[step.layer.name] * noise.standard_normal(y.shape)
            for name in wanted:
                squares[name] = squares[name] + np.square(noisy[name] - exact[name])
    return Evaluation(
        {name: Reference(exact[name], _tolerance(document, name, squares[name], exact[name])) for name in wanted},
        in_range,
    )


def _tolerance(document: Document, name: str, squares: Array, exact: Array) -> Array:
    dtype = document.values[name].dtype
    tolerance = DEVIATIONS * np.sqrt(squares / RUNS)
    if dtype == "float64":  # the reference is as rounded as what is compared with it
        tolerance = 2 * tolerance
    # coarsely rounded up, so that it is the same number on every machine
    mantissa, exponent = np.frexp(np.broadcast_to(tolerance, exact.shape))
    return np.maximum(np.ldexp(np.ceil(mantissa * 16) / 16, exponent), SMALLEST.get(dtype, 0.0))


def _widened(x: Array) -> Array:
    return x.astype(np.float64) if x.dtype.kind == "f" else x


def _step(document: Document, layer: Layer) -> _Step:
    weights = {role: _widened(document.computed(name)) for role, name in layer.weights.items()}
    dtype = layer.outputs[0].dtype
    attributes = dict(layer.attributes)
    if dtype == "float32":  # an attribute is a float32 like any other operand
        attributes = {k: float(np.float32(v)) if type(v) is float else v for k, v in attributes.items()}
    operator, roundoff, smallest = OPERATORS[layer.op], ROUNDOFF.get(dtype, 0.0), SMALLEST.get(dtype, 0.0)
    return _Step(layer, operator, weights, attributes, roundoff, smallest)


def _run(
    steps: Sequence[_Step], start: Mapping[str, Array], values: dict[str, Array]
) -> Iterator[tuple[_Step, Array, list[Array]]]:
    """Runs the steps in turn, filling `values`; what the caller puts there in between is what later steps read."""
    values.update(start)
    for step in steps:
        operands = [values[name] for name in step.layer.inputs]
        attributes = step.attributes
        if attributes.get("dtype") == "float32":  # a cast to float32 rounds; the reference does not
            attributes = {**attributes, "dtype": "float64"}
        y = step.operator.function(*operands, **step.weights, **attributes)
        values[step.layer.outputs[0].name] = y
        yield step, y, operands
