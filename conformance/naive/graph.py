"""How the parts of a header fit together: names, order, and what each layer makes of what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from naive import operators
from naive.arrays import Array, Shape, elements, round_to
from naive.document import Document, Layer, Tensor, Value
from naive.errors import Failed, Refused, pointer, require
from naive.operators.operator import LARGEST, NEW_SYMBOL, Operator, Site, Type, Typed, inferred

MAX_ACTIVATIONS = 2**30


def layer_at(index: int) -> str:
    return f"/layers/{index}"


def state_at(index: int) -> str:
    return f"/states/{index}"


def check_unique(names: Iterable[tuple[str, str]], code: str) -> None:
    found: set[str] = set()
    for name, at in names:
        require(name not in found, code, f"{at}/name", "a new name", name)
        found.add(name)


def all_values(document: Document) -> list[tuple[Value, str]]:
    """Every value with its place."""
    found = [(value, f"/inputs/{index}") for index, value in enumerate(document.inputs)]
    found += [(state.input, f"{state_at(index)}/input") for index, state in enumerate(document.states)]
    for index, layer in enumerate(document.layers):
        found += [(value, f"{layer_at(index)}/outputs/{k}") for k, value in enumerate(layer.outputs)]
    return found


def given_values(document: Document) -> list[Value]:
    """What no layer makes: the inputs of the model, and its states."""
    return [*document.inputs, *(state.input for state in document.states)]


def check_batch(document: Document) -> None:
    for value, at in all_values(document):
        require("batch" not in value.shape[1:], "batch-axis", f"{at}/shape", "batch at axis 0 alone", value.shape)
    given = [(value, f"/inputs/{index}/shape") for index, value in enumerate(document.inputs)]
    given += [(state.input, f"{state_at(index)}/input/shape") for index, state in enumerate(document.states)]
    for value, at in given:
        require(value.shape[:1] == ("batch",), "batch-axis", at, "batch at axis 0", value.shape)


def check_references(document: Document) -> None:
    """A layer reads inputs, and what earlier layers make."""
    known = {value.name for value, _ in all_values(document)}
    made = {value.name for value in given_values(document)}
    for index, layer in enumerate(document.layers):
        for k, name in enumerate(layer.inputs):
            at = f"{layer_at(index)}/inputs/{k}"
            require(name in known, "undefined-value", at, "the name of a value", name)
            require(name in made, "forward-reference", at, "an input, or a value of an earlier layer", name)
        made.update(value.name for value in layer.outputs)


def check_outputs(document: Document) -> None:
    values = {value.name: value for value, _ in all_values(document)}
    for index, name in enumerate(document.outputs):
        require(name in values, "undefined-output", f"/outputs/{index}", "the name of a value", name)
        shape = values[name].shape
        require(shape[:1] == ("batch",), "batch-axis", f"/outputs/{index}", "batch at axis 0", shape)


def check_states(document: Document) -> None:
    made = {value.name: value for layer in document.layers for value in layer.outputs}
    tensors = {tensor.name: tensor for tensor in document.tensors}
    for index, state in enumerate(document.states):
        at, value = state_at(index), state.input
        require(state.output in made, "undefined-output", f"{at}/output", "a value that a layer makes", state.output)
        becomes = made[state.output]
        same = (becomes.dtype, becomes.shape) == (value.dtype, value.shape)
        require(same, "state-mismatch", f"{at}/output", f"{value.dtype} {value.shape}", becomes)
        require(state.initial in tensors, "tensor-missing", f"{at}/initial", "the name of a tensor", state.initial)
        tensor = tensors[state.initial]
        same = (tensor.dtype, tensor.shape, tensor.quantization) == (value.dtype, value.shape[1:], None)
        require(same, "state-mismatch", f"{at}/initial", f"{value.dtype} {value.shape[1:]}", tensor)


def check_dead_layers(document: Document) -> None:
    needed = {*document.outputs, *(state.output for state in document.states)}
    for index, layer in reversed(list(enumerate(document.layers))):
        alive = any(value.name in needed for value in layer.outputs)
        require(alive, "dead-layer", layer_at(index), "a layer that an output or a state depends on", layer.name)
        needed.update(layer.inputs)


def check_tensor_references(document: Document) -> None:
    names = {tensor.name for tensor in document.tensors}
    for name, at in references(document):
        require(name in names, "tensor-missing", at, "the name of a tensor", name)


def check_tensors_used(document: Document) -> None:
    used = {name for name, _ in references(document)}
    for index, tensor in enumerate(document.tensors):
        require(tensor.name in used, "tensor-unreferenced", f"/tensors/{index}", "a tensor in use", tensor.name)


def references(document: Document) -> list[tuple[str, str]]:
    """Every use of a tensor: its name, and the place."""
    found = []
    for index, layer in enumerate(document.layers):
        found += [(name, pointer(f"{layer_at(index)}/weights", role)) for role, name in layer.weights.items()]
    for index, tensor in enumerate(document.tensors):
        if tensor.quantization:
            at = f"/tensors/{index}/quantization"
            found += [(tensor.quantization.scale, f"{at}/scale"), (tensor.quantization.zero_point, f"{at}/zero_point")]
    found += [(state.initial, f"{state_at(index)}/initial") for index, state in enumerate(document.states)]
    if document.selftest:
        for key, names in vars(document.selftest).items():
            found += [(name, f"/selftest/{key}/{k}") for k, name in enumerate(names)]
    return found


def requirements(document: Document) -> set[str]:
    """What a file has to require; its word is taken for feature:nonfinite."""
    dtypes = {value.dtype for value, _ in all_values(document)} | {tensor.dtype for tensor in document.tensors}
    needed = {f"op:{layer.op}" for layer in document.layers} | {f"dtype:{dtype}" for dtype in dtypes}
    if any(tensor.quantization for tensor in document.tensors):
        needed.add("feature:quantization")
    if document.states:
        needed.add("feature:states")
    return needed | ({"feature:nonfinite"} & set(document.requires))


def check_requires(document: Document) -> None:
    needed, listed = requirements(document), set(document.requires)
    missing, unused = sorted(needed - listed), sorted(listed - needed)
    require(not missing, "requires-incomplete", "/requires", ", ".join(missing))
    require(not unused, "requires-unused", "/requires", "what the model uses", ", ".join(unused))


def check_structure(document: Document) -> None:
    check_unique([(layer.name, layer_at(index)) for index, layer in enumerate(document.layers)], "duplicate-layer")
    check_unique([(value.name, at) for value, at in all_values(document)], "duplicate-value")
    check_batch(document)
    check_references(document)
    check_outputs(document)
    check_states(document)
    check_dead_layers(document)
    check_tensor_references(document)
    check_tensors_used(document)
    check_requires(document)


def check_input_count(layer: Layer, operator: Operator) -> None:
    least, most = operator.inputs
    count = len(layer.inputs)
    require(least <= count <= most, "input-count", "/inputs", f"{least} to {most}", f"{count}")  # G1


def check_roles(layer: Layer, operator: Operator) -> None:
    for role, needed in operator.weights.items():
        require(not needed or role in layer.weights, "weight-missing", "/weights", role)  # G2
    for role in layer.weights:
        require(role in operator.weights, "weight-unknown", pointer("/weights", role), "a role of the operator")  # G2


def check_attributes(layer: Layer, operator: Operator) -> None:
    for name in operator.attributes:
        require(name in layer.attributes, "attribute-missing", "/attributes", name)  # G3
    for name in layer.attributes:
        at = pointer("/attributes", name)
        require(name in operator.attributes, "attribute-unknown", at, "an attribute of the operator")  # G3
    for name, check in operator.attributes.items():
        check(layer.attributes[name], f"/attributes/{name}")  # G4


def check_output(output: Value, made: Type, at: str) -> None:
    require(output.dtype == made.dtype, "dtype-mismatch", f"{at}/dtype", made.dtype, output.dtype)  # G6
    for n in made.shape:
        sound = isinstance(n, str) or 1 <= n <= LARGEST
        require(sound, "dimension-range", f"{at}/shape", f"1 to {LARGEST}", n)  # G8
    same = len(output.shape) == len(made.shape) and all(map(is_declared, output.shape, made.shape))
    require(same, "shape-declared", f"{at}/shape", f"{made.shape}", output.shape)  # G7


def is_declared(declared: int | str, n: int | str) -> bool:
    return declared != "batch" if n == NEW_SYMBOL else declared == n


def check_activations(values: Sequence[Typed], limit: int) -> None:
    count = sum(elements(value.shape) for value in values)
    require(count <= limit, "activation-limit", "", f"at most {limit} elements for a row", count)  # G9


def rounded_attributes(attributes: Mapping[str, Any], inputs: Sequence[Typed]) -> dict[str, Any]:
    """Numbers are rounded to the dtype of the layer's input."""
    dtype = inputs[0].dtype if inputs else ""
    return {name: round_to(dtype, x) if isinstance(x, float) else x for name, x in attributes.items()}


def infer(layer: Layer, inputs: Sequence[Typed], weights: Mapping[str, Array], in_call: bool) -> list[Type]:
    roles = {role: weights[name] for role, name in layer.weights.items()}
    site = Site(inputs, roles, rounded_attributes(layer.attributes, inputs), in_call)
    return inferred(operators.OPERATORS[layer.op], site)


def check_layer(layer: Layer, inputs: Sequence[Typed], weights: Mapping[str, Array], limit: int) -> None:
    operator = operators.OPERATORS[layer.op]
    check_input_count(layer, operator)
    check_roles(layer, operator)
    check_attributes(layer, operator)
    made = infer(layer, inputs, weights, in_call=False)
    count = len(layer.outputs)
    require(count == len(made), "output-count", "/outputs", f"{len(made)}", f"{count}")  # G5
    for index, output in enumerate(layer.outputs):
        check_output(output, made[index], f"/outputs/{index}")
    check_activations([*inputs, *layer.outputs], limit)


def check_layers(document: Document, weights: Mapping[str, Array], limit: int) -> None:
    values = {value.name: value for value in given_values(document)}
    for index, layer in enumerate(document.layers):
        try:
            check_layer(layer, [values[name] for name in layer.inputs], weights, limit)
        except Refused as fault:
            fault.at = layer_at(index) + fault.at
            raise
        values.update((value.name, value) for value in layer.outputs)


def bind(value: Value, shape: Shape, numbers: dict[str, int | str]) -> None:
    """Each symbol stands for one number throughout a call."""
    fits = len(shape) == len(value.shape) and all(
        n == (numbers.setdefault(declared, n) if isinstance(declared, str) else declared)
        for declared, n in zip(value.shape, shape, strict=True)
    )
    if not fits:
        raise Failed("shape", value.name, f"{value.shape} with {numbers}", shape)


def call_types(document: Document, weights: Mapping[str, Array], shapes: Sequence[Shape]) -> dict[str, Type]:
    """The dtype and shape of every value in a call: the rules of the pages once more, on numbers alone."""
    types: dict[str, Type] = {}
    numbers: dict[str, int | str] = {}
    for value, shape in zip(document.inputs, shapes, strict=True):
        bind(value, shape, numbers)
        types[value.name] = Type(value.dtype, shape)
    for state in document.states:
        types[state.input.name] = Type(state.input.dtype, (numbers["batch"], *state.input.shape[1:]))
    for layer in document.layers:
        try:
            made = infer(layer, [types[name] for name in layer.inputs], weights, in_call=True)
        except Refused as fault:
            raise Failed("shape", layer.name, fault.expected, fault.received) from fault
        for value, each in zip(layer.outputs, made, strict=True):
            bind(value, each.shape, numbers)
            types[value.name] = each
    return types


def check_selftest(document: Document, weights: Mapping[str, Array]) -> None:
    test = document.selftest
    if test is None:
        return
    counts = (len(test.inputs), len(test.outputs), len(test.tolerances))
    expected = (len(document.inputs), len(document.outputs), len(document.outputs))
    require(counts == expected, "selftest-count", "/selftest", f"{expected}", counts)
    tensors = {tensor.name: tensor for tensor in document.tensors}
    try:
        types = call_types(document, weights, [tensors[name].shape for name in test.inputs])
    except Failed as fault:
        raise Refused("selftest-tensor", "/selftest/inputs", fault.expected, fault.received) from fault
    wanted = [types[value.name] for value in document.inputs], [types[name] for name in document.outputs]
    check_selftest_tensors(test.inputs, wanted[0], tensors, "/selftest/inputs")
    check_selftest_tensors(test.outputs, wanted[1], tensors, "/selftest/outputs")
    check_selftest_tensors(test.tolerances, wanted[1], tensors, "/selftest/tolerances")


def check_selftest_tensors(names: Sequence[str], types: Sequence[Type], tensors: Mapping[str, Tensor], at: str) -> None:
    for index, (name, wanted) in enumerate(zip(names, types, strict=True)):
        tensor = tensors[name]
        same = tensor.quantization is None and (tensor.dtype, tensor.shape) == (wanted.dtype, wanted.shape)
        require(same, "selftest-tensor", f"{at}/{index}", f"{wanted}", tensor)
