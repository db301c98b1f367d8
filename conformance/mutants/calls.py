"""Mistakes in how inputs, layers, outputs, rows and calls follow each other: spec/format.md, "Header"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unittest.mock import patch

from mutants.mutant import EVERY_OPERATOR, Mutant, Patch, of_numbers
from naive.arithmetic import FLOAT64, Arithmetic
from naive.arrays import Array, elements
from naive.document import Layer
from naive.errors import Failed
from naive.model import Model
from naive.operators.operator import Type

Inputs = Sequence[Array]
Values = Mapping[str, Array]
Made = Sequence[Type]

right_run = Model.run
right_compute = Model.compute


def running(wrong: Callable[[Model, Inputs, Arithmetic], list[Array]]) -> Patch:
    def run(model: Model, inputs: Inputs, arithmetic: Arithmetic = FLOAT64, *_: Any) -> list[Array]:
        return wrong(model, inputs, arithmetic)

    return patch.object(Model, "run", run)


def computing(wrong: Callable[[Model, Layer, Values, Made, Arithmetic], list[Array]]) -> Patch:
    return patch.object(Model, "compute", wrong)


def memory(model: Model) -> dict[str, Any]:
    """What a loaded model remembers from call to call."""
    remembered: dict[str, Any] = vars(model).setdefault("memory", {})
    return remembered


def of_calls(name: str, says: str, change: Patch) -> Mutant:
    return of_numbers(name, says, change, page="format.md", groups=("network", *EVERY_OPERATOR))


# Inputs, layers, outputs


def alike(arrays: Sequence[Array]) -> bool:
    return len({(x.dtype, x.shape) for x in arrays}) == 1


def inputs_in_reverse(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    return right_run(model, inputs[::-1] if alike(inputs) else inputs, arithmetic)


def made(model: Model) -> list[str]:
    """The names of all values, in the order in which they are made."""
    layers = model.document.layers
    return [value.name for value in model.document.inputs] + [value.name for x in layers for value in x.outputs]


def sorted_outputs(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    return right_run(model, inputs, arithmetic, sorted(model.document.outputs))


def outputs_as_made(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    return right_run(model, inputs, arithmetic, sorted(model.document.outputs, key=made(model).index))


def each_output_once(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    return right_run(model, inputs, arithmetic, list(dict.fromkeys(model.document.outputs)))


def last_value(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    return right_run(model, inputs, arithmetic, made(model)[-1:] * len(model.document.outputs))


def of_the_layer_before(model: Model, layer: Layer, values: Values, made: Made, arithmetic: Arithmetic) -> list[Array]:
    """A layer of one input reads what was made last, where that has the right shape."""
    last = list(values.values())[-1]
    if len(layer.inputs) == 1 and alike([last, values[layer.inputs[0]]]):
        values = {**values, layer.inputs[0]: last}
    return right_compute(model, layer, values, made, arithmetic)


def inputs_as_made(model: Model, layer: Layer, values: Values, made: Made, arithmetic: Arithmetic) -> list[Array]:
    """A layer of two inputs of one shape reads the older one first."""
    first, second = layer.inputs if len(layer.inputs) == 2 else ("", "")
    order = list(values)
    if first != second and alike([values[first], values[second]]) and order.index(first) > order.index(second):
        values = {**values, first: values[second], second: values[first]}
    return right_compute(model, layer, values, made, arithmetic)


def in_place(model: Model, layer: Layer, values: Values, made: Made, arithmetic: Arithmetic) -> list[Array]:
    """A result overwrites the first input, where that has its shape."""
    results = right_compute(model, layer, values, made, arithmetic)
    if layer.inputs and alike([values[layer.inputs[0]], results[0]]):
        values[layer.inputs[0]].data[:] = results[0].data
    return results


ORDER = "the model's outputs in their order"

GRAPH = (
    of_calls("inputs: in reverse", "the model's inputs in their order", running(inputs_in_reverse)),
    of_calls("outputs: sorted by their names", ORDER, running(sorted_outputs)),
    of_calls("outputs: in the order of the layers", ORDER, running(outputs_as_made)),
    of_calls("outputs: each value once", "a name may occur twice", running(each_output_once)),
    of_calls("outputs: what is made last", "outputs are names of values", running(last_value)),
    of_calls("layers: each reads what is made last", "inputs are names of values", computing(of_the_layer_before)),
    of_calls("layers: the older input comes first", "inputs in their order", computing(inputs_as_made)),
    of_calls("layers: a result overwrites the input", "several layers may read one value", computing(in_place)),
)


# Rows and calls


def rows(array: Array) -> list[list[Any]]:
    size = elements(array.shape[1:])
    return [array.data[i * size : (i + 1) * size] for i in range(array.shape[0])]


def first_rows(array: Array, count: int) -> Array:
    """Zeros in all rows but the first ones."""
    size = count * elements(array.shape[1:])
    return Array(array.dtype, array.shape, array.data[:size] + [0] * len(array.data[size:]))


def one_row(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    return [first_rows(y, 1) for y in right_run(model, inputs, arithmetic)]


def first_row_again(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    outputs = right_run(model, inputs, arithmetic)
    return [Array(y.dtype, y.shape, [x for row in rows(y)[:1] * y.shape[0] for x in row]) for y in outputs]


def some_row(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    if any(x.shape[0] == 0 for x in inputs):
        raise Failed("shape", "", "at least one row", "none")
    return right_run(model, inputs, arithmetic)


def squeezed(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    outputs = right_run(model, inputs, arithmetic)
    return [Array(y.dtype, y.shape[1:] if y.shape[0] == 1 else y.shape, y.data) for y in outputs]


def rows_of_the_first_call(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    count = memory(model).setdefault("rows", inputs[0].shape[0])
    return [first_rows(y, count) for y in right_run(model, inputs, arithmetic)]


def answer_again(model: Model, inputs: Inputs, arithmetic: Arithmetic) -> list[Array]:
    """What was answered to inputs of these shapes, whatever their numbers."""
    shapes = str([x.shape for x in inputs])
    if shapes not in memory(model):
        memory(model)[shapes] = right_run(model, inputs, arithmetic)
    answer: list[Array] = memory(model)[shapes]
    return answer


def sums_go_on(model: Model, layer: Layer, values: Values, made: Made, arithmetic: Arithmetic) -> list[Array]:
    """Sums begin with what the last call left."""
    results = right_compute(model, layer, values, made, arithmetic)
    if layer.op == "dense@1":
        (result,) = results
        left = memory(model).get(layer.name, [])
        result.data[: len(left)] = [x + before for x, before in zip(result.data, left, strict=False)]
        memory(model)[layer.name] = result.data
    return results


ROWS = (
    of_calls("rows: only the first", "batch is the number of rows", running(one_row)),
    of_calls("rows: all like the first", "rows are independent of each other", running(first_row_again)),
    of_calls("rows: none is a fault", "such a number may be 0", running(some_row)),
    of_calls("rows: one row loses its axis", "the first dimension of every output is batch", running(squeezed)),
    of_calls(
        "calls: as many rows as in the first", "batch is known when the model runs", running(rows_of_the_first_call)
    ),
    of_calls("calls: an old answer", "the same numbers for the same rows", running(answer_again)),
    of_calls("calls: sums go on from the last call", "the same numbers for the same rows", computing(sums_go_on)),
)

MUTANTS = (*GRAPH, *ROWS)
