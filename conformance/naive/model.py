"""A file in memory: loading it, computing with it, writing it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from naive import decode, document, encode, graph, operators, tensors
from naive.arithmetic import FLOAT64, Arithmetic
from naive.arrays import FLOATS, Array, elements, round_to
from naive.document import Document, Layer, State
from naive.errors import Failed, Refused
from naive.operators.operator import Type, computed

MAX_ELEMENTS = 2**24
"""Of all values of a call together: for more, lists of numbers are no way to compute."""

FLOORS = {"float32": 2.0**-126, "float64": 2.0**-1022}


@dataclass
class Model:
    container: decode.Container
    document: Document
    weights: dict[str, Array]
    states: dict[str, Array] = field(default_factory=dict)
    """What the last run has left of each state; nothing before the first."""

    def run(
        self, inputs: Sequence[Array], arithmetic: Arithmetic = FLOAT64, names: Sequence[str] | None = None
    ) -> list[Array]:
        """The outputs, or the values of these names, rounded to float64 and no further."""
        check_inputs(self.document, inputs)
        types = graph.call_types(self.document, self.weights, [array.shape for array in inputs])
        check_work(types)
        check_names(types, names or [])
        values = {
            value.name: numbers(array, arithmetic) for value, array in zip(self.document.inputs, inputs, strict=True)
        }
        for state in self.document.states:
            values[state.input.name] = self.state(state, types[state.input.name], arithmetic)
        for layer in self.document.layers:
            made = self.compute(layer, values, [types[value.name] for value in layer.outputs], arithmetic)
            values.update((value.name, array) for value, array in zip(layer.outputs, made, strict=True))
        self.states = {state.input.name: values[state.output] for state in self.document.states}
        return [floats(values[name], arithmetic) for name in (self.document.outputs if names is None else names)]

    def state(self, state: State, made: Type, arithmetic: Arithmetic) -> Array:
        """What a state is as a run begins."""
        shape = tuple(map(int, made.shape))
        if state.input.name not in self.states:
            row = numbers(self.weights[state.initial], arithmetic)
            return Array(made.dtype, shape, row.data * shape[0])
        left = self.states[state.input.name]
        if left.shape != shape:
            raise Failed("shape", state.input.name, f"{left.shape}, as it was left", shape)
        return left

    def reset(self) -> None:
        """The next run begins with the initial states."""
        self.states = {}

    def compute(
        self, layer: Layer, values: Mapping[str, Array], made: Sequence[Type], arithmetic: Arithmetic
    ) -> list[Array]:
        a = arithmetic.of(made[0].dtype)
        inputs = [values[name] for name in layer.inputs]
        weights = {role: numbers(self.weights[name], a) for role, name in layer.weights.items()}
        attributes = {
            name: a.number(x) if isinstance(x, float) else x
            for name, x in graph.rounded_attributes(layer.attributes, inputs).items()
        }
        return computed(operators.OPERATORS[layer.op], a, inputs, weights, attributes, made)

    def selftest(self, arithmetic: Arithmetic = FLOAT64) -> None:
        """Raises, unless the file's own rows give what they should, from the initial states on."""
        test = self.document.selftest
        if test is None:
            raise Failed("selftest-absent", "/selftest")
        fresh = replace(self, states={})
        try:
            outputs = fresh.run([self.weights[name] for name in test.inputs], arithmetic)
        except Failed as fault:
            if fault.code != "index-range":
                raise
            raise Refused("selftest-failed", "/selftest/inputs", fault.expected, str(fault)) from fault
        for index, y in enumerate(outputs):
            expected, tolerances = self.weights[test.outputs[index]], self.weights[test.tolerances[index]]
            if not all(map(within(y.dtype), y.data, expected.data, tolerances.data)):
                raise Refused("selftest-failed", f"/selftest/outputs/{index}", "results within their tolerances")

    def dump(self) -> bytes:
        data = encode.write(self.container.version, self.container.header, self.container.payload)
        try:
            document.read(decode.read(data).header)
        except Refused as fault:  # the normal form may make a name too long
            raise Failed(fault.code, fault.at, fault.expected, fault.received) from fault
        return data


def within(dtype: str) -> Any:
    """Whether a result is near enough to the expected one."""
    floor = FLOORS.get(dtype, 0)

    def check(computed: float, expected: float, tolerance: float) -> bool:
        r = round_to(dtype, computed)
        both_nan = r != r and expected != expected
        return both_nan or r == expected or abs(r - expected) <= max(tolerance, floor)

    return check


def numbers(array: Array, arithmetic: Arithmetic) -> Array:
    if array.dtype not in FLOATS:
        return array
    number = arithmetic.of(array.dtype).number
    return Array(array.dtype, array.shape, [number(x) for x in array.data])


def floats(array: Array, arithmetic: Arithmetic) -> Array:
    if array.dtype not in FLOATS:
        return array
    return Array(array.dtype, array.shape, [arithmetic.float64(x) for x in array.data])


def check_inputs(document: Document, inputs: Sequence[Array]) -> None:
    if len(inputs) != len(document.inputs):
        raise Failed("input-number", "", f"{len(document.inputs)}", f"{len(inputs)}")
    for value, array in zip(document.inputs, inputs, strict=True):
        if array.dtype != value.dtype:
            raise Failed("input-type", value.name, value.dtype, array.dtype)


def work(types: Mapping[str, Type]) -> int:
    return sum(elements(made.shape) for made in types.values())


def check_work(types: Mapping[str, Type]) -> None:
    if work(types) > MAX_ELEMENTS:
        raise Failed("out-of-memory", "", f"at most {MAX_ELEMENTS} elements of all values", f"{work(types)}")


def check_names(types: Mapping[str, Type], names: Sequence[str]) -> None:
    for name in names:
        if name not in types:
            raise Failed("output-name", "", "the name of a value", name)


def run_selftest(model: Model, arithmetic: Arithmetic) -> None:
    """The self-test as a part of loading: left out where a small file asks for much work."""
    if model.document.selftest is None:
        return
    shapes = [model.weights[name].shape for name in model.document.selftest.inputs]
    if work(graph.call_types(model.document, model.weights, shapes)) <= MAX_ELEMENTS:
        model.selftest(arithmetic)


def load(
    data: bytes, verify: bool = True, arithmetic: Arithmetic = FLOAT64, limit: int = graph.MAX_ACTIVATIONS
) -> Model:
    """Reads a file, step by step as spec/format.md has it, or raises `Refused`."""
    container = decode.read(data)
    read = document.read(container.header)
    tensors.check(read, container.payload)
    stored = tensors.read(read, container.payload)
    if verify:
        tensors.check_numbers(read, container.payload, stored)
    graph.check_structure(read)
    weights = tensors.weights(read, stored)
    graph.check_layers(read, weights, limit)
    graph.check_selftest(read, weights)
    model = Model(container, read, weights)
    if verify:
        run_selftest(model, arithmetic)
    return model
