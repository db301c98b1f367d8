"""Mistakes in checking how layers fit together: spec/format.md, "Header"; the constraints of spec/ops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mutants.mutant import Mutant, Patch, changing, of_faults, of_numbers, of_sound_files, overlooking, skipping
from naive import document, graph
from naive.arrays import Array
from naive.document import Document
from naive.errors import require
from naive.operators import (
    activations,
    comparison,
    dense,
    elementwise,
    glu,
    normalization,
    operator,
    reduction,
    shapes,
    softmax,
    unary,
    weights,
)
from naive.operators.operator import Site, Type

right_read = document.read
right_declared = graph.is_declared
right_dead_layers = graph.check_dead_layers
right_outputs = graph.check_outputs
right_tensors_used = graph.check_tensors_used


def sorted_layers(read: Document) -> None:
    """Sorts the layers, instead of refusing those that are not sorted."""
    made = {value.name for value in read.inputs}
    waiting, ordered = list(read.layers), []
    while ready := [layer for layer in waiting if made.issuperset(layer.inputs)]:
        ordered += ready
        waiting = [layer for layer in waiting if layer not in ready]
        made.update(value.name for layer in ready for value in layer.outputs)
    require(not waiting, "forward-reference")
    read.layers[:] = ordered


def known_outputs(read: Document) -> None:
    made = {value.name for value, _ in graph.all_values(read)}
    read.outputs[:] = [name for name in read.outputs if name in made]


def any_new(declared: int | str, n: int | str) -> bool:
    return n in (declared, operator.NEW_SYMBOL)


def named(declared: int | str, n: int | str) -> bool:
    return right_declared(declared, n) and (n != operator.NEW_SYMBOL or isinstance(declared, str))


def any_symbol(declared: int | str, n: int | str) -> bool:
    return right_declared(declared, n) or (isinstance(declared, str) and isinstance(n, str))


def by_layer_names(header: Any) -> Document:
    read = right_read(header)
    layers = [replace(layer, outputs=[replace(v, name=layer.name) for v in layer.outputs]) for layer in read.layers]
    return replace(read, layers=layers)


def without_dead_inputs(read: Document) -> None:
    right_dead_layers(read)
    used = {name for layer in read.layers for name in layer.inputs} | set(read.outputs)
    require(all(value.name in used for value in read.inputs), "dead-layer")


def made_outputs(read: Document) -> None:
    right_outputs(read)
    require(not any(value.name in read.outputs for value in read.inputs), "undefined-output")


def last_outputs(read: Document) -> None:
    right_outputs(read)
    require(not any(name in read.outputs for layer in read.layers for name in layer.inputs), "undefined-output")


def other_names(read: Document) -> None:
    right_tensors_used(read)
    values = {value.name for value, _ in graph.all_values(read)} | {layer.name for layer in read.layers}
    require(not any(tensor.name in values for tensor in read.tensors), "duplicate-value")


def of_graph(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(f"graph: {name}", says, *changes, groups=("graph",))


GRAPH = (
    of_graph("two layers of one name", "layers have names of their own", overlooking(graph, "duplicate-layer")),
    of_graph("two values of one name", "values have names of their own", overlooking(graph, "duplicate-value")),
    of_graph(
        "layers in any order", "layers in topological order", patch.object(graph, "check_references", sorted_layers)
    ),
    of_graph(
        "outputs that nothing makes are left out",
        "outputs are names of values",
        patch.object(graph, "check_outputs", known_outputs),
    ),
    of_graph("dead layers", "a layer that no output depends on is refused", skipping(graph, "check_dead_layers")),
    of_graph("batch on a later axis", "batch is the first dimension and nowhere else", skipping(graph, "check_batch")),
    of_graph(
        "inputs without batch",
        "the first dimension of every input is batch",
        overlooking(graph, "batch-axis", at="/inputs/*"),
    ),
    of_graph(
        "outputs without batch",
        "the first dimension of every output is batch",
        overlooking(graph, "batch-axis", at="/outputs/*"),
    ),
    of_graph("declared shapes", "the shape that the operator's page infers", overlooking(graph, "shape-declared")),
    of_graph("declared dtypes", "the dtype that the operator's page infers", overlooking(graph, "dtype-mismatch")),
    of_graph(
        "a new symbol that is none",
        "any but batch",
        patch.object(graph, "is_declared", any_new),
    ),
    of_graph("any symbol", "the inferred shape, symbols included", patch.object(graph, "is_declared", any_symbol)),
    of_graph("any number of elements", "2³⁰ or fewer for one row", skipping(graph, "check_activations")),
)


right_dense = dense.infer
right_dimension = elementwise.broadcast_dimension


def kernel_of_so_many(site: Site) -> Type:
    """A kernel of as many numbers, whatever its shape."""
    x, kernel = site.inputs[0], site.weights["kernel"]
    n = x.shape[-1] if x.shape else 0
    if isinstance(n, int) and n and len(kernel.shape) == 2 and len(kernel.data) % n == 0:
        kernel = Array(kernel.dtype, (n, len(kernel.data) // n), kernel.data)
    return right_dense(Site(site.inputs, {**site.weights, "kernel": kernel}, site.attributes))


def numbers_broadcast(m: int | str, n: int | str) -> int | str:
    if isinstance(m, str) or isinstance(n, str):
        return m if isinstance(m, str) else n
    return right_dimension(m, n)


def any_axes(x: Any, at: str) -> None:
    operator.integers(x, at)
    require(bool(x) and all(1 <= axis <= 7 for axis in x), "wrong-value", at)


def of_page(name: str, says: str, *changes: Patch, page: str = "", groups: tuple[str, ...] = ()) -> Mutant:
    op = name.partition(":")[0]
    return of_faults(name, says, *changes, groups=groups or (op,), page=f"ops/{page or op}.md")


FLOATING = (*activations.FORMULAS, "softmax", "log_softmax", "sparsemax", "dense", "glu", "batch_normalization")
BROADCASTING = (*elementwise.FORMULAS, *comparison.COMPARISONS, *comparison.LOGICAL)
FLOATING += ("divide", "power", "arctan2", "sqrt", "erf", "isnan", "mean", "variance", "logsumexp")

SOUND = (
    of_numbers(
        "graph: a number for a new symbol is refused",
        "or the number, where it is known",
        patch.object(graph, "is_declared", named),
        page="README.md",
        groups=("reshape", "concatenate"),
    ),
    of_sound_files(
        "graph: values go by the names of layers",
        "a layer and the value that it makes usually share a name, and need not",
        patch.object(document, "read", by_layer_names),
    ),
    of_sound_files(
        "graph: inputs that no layer reads are refused",
        "a layer that no output depends on is refused; an input is not",
        patch.object(graph, "check_dead_layers", without_dead_inputs),
    ),
    of_sound_files(
        "graph: outputs that are inputs are refused",
        "outputs are names of values",
        patch.object(graph, "check_outputs", made_outputs),
    ),
    of_sound_files(
        "graph: outputs that layers read are refused",
        "outputs are names of values",
        patch.object(graph, "check_outputs", last_outputs),
    ),
    of_sound_files(
        "graph: one name for a tensor and a value is refused",
        "layers, values and tensors have names of their own",
        patch.object(graph, "check_tensors_used", other_names),
    ),
)

CONSTRAINTS = (
    of_page(
        "dtypes: integers are taken",
        "x is float32 or float64",
        overlooking(operator, "dtype-mismatch"),
        page="activations",
        groups=FLOATING,
    ),
    of_page(
        "dtypes: bool is taken for a number",
        "numbers are float32, float64, int8, int32, int64 and uint8",
        overlooking(operator, "dtype-mismatch", at="/inputs/0"),
        page="elementwise",
        groups=(*elementwise.FORMULAS, *unary.OF_NUMBERS, "less", "greater", "sum", "max", "argmax"),
    ),
    of_page(
        "dtypes: numbers are taken for truth values",
        "x1 and x2 are bool",
        overlooking(operator, "dtype-mismatch", at="/inputs/0"),
        page="logical",
        groups=(*comparison.LOGICAL, "logical_not", "any", "all", "where"),
    ),
    of_page("where: of two dtypes", "x2 has the same dtype", overlooking(comparison, "dtype-mismatch")),
    of_page(
        "reduction: axes beyond the rank",
        "the last of axes is below the rank of x",
        overlooking(operator, "axis-range"),
        groups=(*reduction.FORMULAS, *reduction.BEATS, *reduction.STEPS),
    ),
    of_page(
        "reduction: axes in any order",
        "ascending, none twice",
        *(changing(op, attributes={"axes": any_axes, "keepdims": operator.boolean}) for op in reduction.FORMULAS),
        groups=tuple(reduction.FORMULAS),
    ),
    of_page(
        "axis: beyond the rank",
        "axes are below the rank of x",
        overlooking(operator, "axis-range"),
        page="softmax",
        groups=tuple(softmax.FORMULAS),
    ),
    of_page(
        "axis: negative ones count from the end",
        "1 to 7",
        overlooking(operator, "wrong-value", at="*/axis"),
        page="sparsemax",
        groups=("sparsemax", "cumulative_sparsemax", "glu", "concatenate", "batch_normalization"),
    ),
    of_page(
        "softmax: axes in any order",
        "ascending, none twice",
        *(changing(op, attributes={"axes": any_axes}) for op in ("softmax", "log_softmax")),
        groups=("softmax", "log_softmax"),
    ),
    of_page(
        "celu: alpha of 0", "any number but 0", overlooking(operator, "wrong-value", at="*/alpha"), page="activations"
    ),
    of_page(
        "clipped_relu: max_value below 0",
        "0 or more",
        overlooking(operator, "wrong-value", at="*/max_value"),
        page="activations",
    ),
    of_page("squareplus: b below 0", "0 or more", overlooking(operator, "wrong-value", at="*/b"), page="activations"),
    of_page(
        "dense: only the number of the kernel's elements is compared",
        "kernel is (in, units)",
        changing("dense", infer=kernel_of_so_many),
    ),
    of_page(
        "dense: a bias of another shape",
        "bias has the shape (units,)",
        overlooking(weights, "weight-shape", at="/weights/bias"),
    ),
    of_page(
        "dense: weights of another dtype",
        "kernel and bias have the dtype of x",
        overlooking(weights, "dtype-mismatch"),
    ),
    of_page(
        "batch_normalization: weights of another shape",
        "every weight has the shape (channels,)",
        overlooking(weights, "weight-shape"),
    ),
    of_page(
        "batch_normalization: weights of another dtype",
        "all weights have the dtype of x",
        overlooking(weights, "dtype-mismatch"),
    ),
    of_page(
        "batch_normalization: any variance",
        "moving_variance[c] + epsilon > 0",
        overlooking(normalization, "variance-range"),
    ),
    of_page(
        "batch_normalization: epsilon below 0",
        "0 or more",
        overlooking(operator, "wrong-value", at="*/epsilon"),
    ),
    of_page("glu: an odd number of elements", "an even number", overlooking(glu, "axis-odd")),
    of_page(
        "broadcasting: any shapes",
        "m = n, or m = 1, or n = 1; two symbols do not broadcast",
        overlooking(elementwise, "broadcast-mismatch"),
        page="elementwise",
        groups=BROADCASTING,
    ),
    of_page(
        "broadcasting: symbols are not compared",
        "two different symbols, or a symbol and a number other than 1, do not broadcast",
        patch.object(elementwise, "broadcast_dimension", numbers_broadcast),
        page="elementwise",
        groups=BROADCASTING,
    ),
    of_page(
        "broadcasting: of two dtypes",
        "x2 has the same dtype",
        overlooking(elementwise, "dtype-mismatch"),
        page="elementwise",
        groups=BROADCASTING,
    ),
    of_page(
        "concatenate: other dimensions",
        "the dimensions of x₀ on every axis but axis",
        overlooking(shapes, "concatenate-mismatch"),
    ),
    of_page("concatenate: of two dtypes", "all inputs have the dtype of x₀", overlooking(shapes, "dtype-mismatch")),
    of_page("reshape: another number of elements", "have = want", overlooking(shapes, "reshape-count")),
)

MUTANTS = (*GRAPH, *SOUND, *CONSTRAINTS)
