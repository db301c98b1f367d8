"""A document against the rules of its operators: types, shapes, constraints, the limit of activations."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from nnpack.errors import FormatError, Report
from nnpack.format.document import Dimension, Document, Layer, Shape, Value, show
from nnpack.format.limits import ACTIVATION_ELEMENTS, BATCH, DIMENSION
from nnpack.ops import OPERATORS
from nnpack.ops.operator import Call, OpenShape, Type


def check(document: Document, report: Report, activation_limit: int = ACTIVATION_ELEMENTS) -> None:
    """Hands every fault of the layers to `report`: a declared shape that is not the inferred one, …

    Args:
        document: what the header says; its names are known to be sound.
        report: takes each fault.
        activation_limit: the most elements that a layer may read and make for one row.
    """
    for index, layer in enumerate(document.layers):
        try:
            _check_layer(document, layer, activation_limit)
        except FormatError as fault:
            report(fault.under(f"/layers/{index}"))
    if document.selftest:
        _check_selftest(document, report)


def operator_call(document: Document, layer: Layer) -> Call:
    """What a layer's operator is applied to."""
    inputs = [document.values[name] for name in layer.inputs]
    return Call(
        inputs=tuple(Type(value.dtype, value.shape) for value in inputs),
        weights={
            role: Type(document.computed_dtype(name), document.tensors[name].shape)
            for role, name in layer.weights.items()
        },
        attributes=layer.attributes,
    )


def _check_layer(document: Document, layer: Layer, activation_limit: int) -> None:
    operator = OPERATORS[layer.op]
    made = operator.check(operator_call(document, layer))
    if len(layer.outputs) != len(made):
        raise FormatError("output-count", "/outputs", len(made), len(layer.outputs))
    for i, (output, (dtype, shape)) in enumerate(zip(layer.outputs, made, strict=True)):
        _check_declared(output, dtype, shape, f"/outputs/{i}")
    elements = sum(map(_elements, [*(document.values[name] for name in layer.inputs), *layer.outputs]))
    if elements > activation_limit:
        raise FormatError("activation-limit", "/outputs/0/shape", f"at most {activation_limit} elements", elements)
    if operator.check_weights:
        weights = {role: document.computed(name) for role, name in layer.weights.items()}
        operator.check_weights(weights, layer.attributes)


def _check_declared(output: Value, dtype: str, shape: OpenShape, at: str) -> None:
    if output.dtype != dtype:
        raise FormatError("dtype-mismatch", f"{at}/dtype", dtype, output.dtype)
    expected = ", ".join("a symbol" if n is None else str(n) for n in shape)
    if any(isinstance(n, int) and not 1 <= n < DIMENSION for n in shape):
        raise FormatError("dimension-range", f"{at}/shape", "dimensions above 0", f"({expected})")
    if len(output.shape) != len(shape) or not all(
        _fits(declared, inferred) for declared, inferred in zip(output.shape, shape, strict=True)
    ):
        raise FormatError("shape-declared", f"{at}/shape", f"({expected})", show(output.shape))


def _fits(declared: Dimension, inferred: Dimension | None) -> bool:
    return declared == inferred if inferred is not None else declared != BATCH


def _elements(value: Value) -> int:
    """The elements of one row; a symbol counts as 1."""
    return prod(n for n in value.shape if isinstance(n, int))


def _check_selftest(document: Document, report: Report) -> None:
    """The tensors of the self-test have the dtype and shape of what they stand for, and one number of rows."""
    assert document.selftest is not None
    groups: list[tuple[str, Iterable[tuple[str, Value]]]] = [
        ("inputs", zip(document.selftest.inputs, document.inputs, strict=True))
    ]
    outputs = [document.values[name] for name in document.outputs]
    groups.append(("outputs", zip(document.selftest.outputs, outputs, strict=True)))
    groups.append(("tolerances", zip(document.selftest.tolerances, outputs, strict=True)))
    bound: dict[str, int] = {}
    for key, pairs in groups:
        for i, (name, value) in enumerate(pairs):
            tensor = document.tensors[name]
            if tensor.dtype != value.dtype or tensor.quantization or not bind(value.shape, tensor.shape, bound):
                at, received = f"/selftest/{key}/{i}", f"{tensor.dtype} {show(tensor.shape)}"
                report(FormatError("selftest-tensor", at, str(value), received))


def bind(declared: Shape, actual: tuple[int, ...], bound: dict[str, int]) -> bool:
    """Whether an array fits a declared shape; the numbers that its symbols stand for are kept in `bound`."""
    return len(declared) == len(actual) and all(
        (bound.setdefault(n, m) if isinstance(n, str) else n) == m for n, m in zip(declared, actual, strict=True)
    )
