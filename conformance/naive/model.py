"""A file in memory: loading it, computing with it, writing it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from naive import decode, document, encode, graph, operators, tensors
from naive.arithmetic import FLOAT64, Arithmetic
from naive.arrays import FLOATS, Array, elements, round_to
from naive.document import Document, Layer
from naive.errors import Failed, Refused
from naive.operators.operator import Call, Type

MAX_ELEMENTS = 2**24
"""Of all values of a call together: for more, lists of numbers are no way to compute."""

FLOORS = {"float32": 2.0**-126, "float64": 2.0**-1022}


@dataclass
class Model:
    container: decode.Container
    document: Document
    weights: dict[str, Array]

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
        for layer in self.document.layers:
            values[layer.output.name] = self.compute(layer, values, types[layer.output.name], arithmetic)
        return [floats(values[name], arithmetic) for name in (self.document.outputs if names is None else names)]

    def compute(self, layer: Layer, values: Mapping[str, Array], made: Type, arithmetic: Arithmetic) -> Array:
        a = arithmetic.of(made.dtype)
        shape = tuple(map(int, made.shape))
        inputs = [values[name] for name in layer.inputs]
        weights = {role: numbers(self.weights[name], a) for role, name in layer.weights.items()}
        attributes = {
            name: a.number(x) if isinstance(x, float) else x
            for name, x in graph.rounded_attributes(layer.attributes, inputs).items()
        }
        call = Call(a, inputs, weights, attributes, made.dtype, shape)
        return Array(made.dtype, shape, operators.OPERATORS[layer.op].compute(call) if elements(shape) else [])

    def selftest(self, arithmetic: Arithmetic = FLOAT64) -> None:
        """Raises, unless the file's own rows give what they should."""
        test = self.document.selftest
        if test is None:
            raise Failed("selftest-absent", "/selftest")
        outputs = self.run([self.weights[name] for name in test.inputs], arithmetic)
        for index, computed in enumerate(outputs):
            expected, tolerances = self.weights[test.outputs[index]], self.weights[test.tolerances[index]]
            if not all(map(within(computed.dtype), computed.data, expected.data, tolerances.data)):
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
