"""What is changed in a graph before it is computed, so that less has to be: each pass by its name.

A pass gets a graph, changes it, and says what it did. The numbers stay within the tolerances of spec/accuracy.md:
where a pass multiplies weights it does so in float64, and rounds once. Rows in which a value leaves float32's range
between two layers may come out otherwise than layer by layer: NaN where that gives an infinity, or a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.engine.graph import Function, Graph, Node
from nnpack.errors import InputError

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

Pass = Callable[[Graph], list[str]]

FOLDED_ELEMENTS = 2**22
"""The most elements of a value that is computed once for all calls."""


def drop_dead(graph: Graph) -> list[str]:
    """Nodes that no wanted value depends on are not computed."""
    needed, kept, dropped = set(graph.outputs), [], []
    for node in reversed(graph.nodes):
        if needed.isdisjoint(node.outputs):
            dropped.append(node.name)
        else:
            needed.update(node.inputs)
            kept.append(node)
    graph.nodes = kept[::-1]
    return dropped[::-1]


def fold_constants(graph: Graph) -> list[str]:
    """What depends on no input is computed now."""
    kept, folded = [], []
    for node in graph.nodes:
        constants = [graph.constants[name] for name in node.inputs if name in graph.constants]
        elements = sum(array.size for array in (*node.weights.values(), *constants))
        if len(constants) < len(node.inputs) or elements > FOLDED_ELEMENTS:
            kept.append(node)
            continue
        with np.errstate(all="ignore"):
            made = node.function(*constants)
        made = made if isinstance(made, tuple) else (made,)
        graph.constants.update(zip(node.outputs, made, strict=True))
        if node.op != "constant@1":
            folded.append(node.name)
    graph.nodes = kept
    return folded


def cancel_transposes(graph: Graph) -> list[str]:
    """Two transposes that follow each other are one, or none; so are two reshapes."""

    def joined(first: Node, second: Node) -> Node | None:
        if (first.op, second.op) == ("transpose@1", "transpose@1"):
            order = [first.attributes["perm"][axis] for axis in second.attributes["perm"]]
            if order == list(range(len(order))):
                return Node(second.name, "identity@1", first.inputs, second.outputs)
            return second._replace(inputs=first.inputs, attributes={"perm": order})
        if first.op in _RESHAPES and second.op == "reshape@1":
            return second._replace(inputs=first.inputs)
        return None

    return graph.join(joined)


_RESHAPES = {"reshape@1", "expand_dims@1", "squeeze@1"}


def merge_padding(graph: Graph) -> list[str]:
    """Zeros around images are put there by the convolution that reads them."""

    def joined(first: Node, second: Node) -> Node | None:
        if first.op != "pad@1" or second.op != "conv@1" or second.attributes["padding"] != "valid" or second.pads:
            return None
        widths, mode, value = (first.attributes[key] for key in ("pad_width", "mode", "constant_value"))
        pads = tuple(zip(widths[::2], widths[1::2], strict=True))
        if mode != "constant" or value != 0 or pads[0] != (0, 0) or pads[-1] != (0, 0) or min(widths) < 0:
            return None
        return second._replace(inputs=first.inputs, pads=pads[1:-1])

    return graph.join(joined)


_FILTERS = {"dense@1": -1, "conv@1": -1, "conv_transpose@1": -2}
"""Operators that add a bias to what they multiply: the axis of the kernel that the bias is along."""


def fold_batch_normalization(graph: Graph) -> list[str]:
    """A batch normalization behind a product is a part of that product's weights."""

    def joined(first: Node, second: Node) -> Node | None:
        axis = _FILTERS.get(first.op)
        if second.op != "batch_normalization@1" or axis is None or first.then:
            return None
        if second.attributes["axis"] != len(graph.values[second.outputs[0]].shape) - 1:
            return None
        weights = first.weights
        scale, shift = affine(second.weights, second.attributes["epsilon"])
        kernel = weights["kernel"]
        along = [1] * kernel.ndim
        along[axis] = -1
        folded = _rounded(kernel.astype(np.float64) * scale.reshape(along), kernel)
        bias = _rounded(weights.get("bias", 0.0) * scale + shift, kernel)
        if folded is None or bias is None:
            return None
        return first._replace(outputs=second.outputs, weights={**weights, "kernel": folded, "bias": bias})

    return graph.join(joined)


def affine(weights: Mapping[str, Array], epsilon: float) -> tuple[Array, Array]:
    """The scale and the shift that a batch normalization is, in float64."""
    variance = weights["moving_variance"]
    # epsilon is added in the dtype of the variance: it may vanish there
    scale = 1 / np.sqrt((variance + variance.dtype.type(epsilon)).astype(np.float64))
    if "gamma" in weights:
        scale = scale * weights["gamma"]
    shift = -weights["moving_mean"] * scale
    if "beta" in weights:
        shift = shift + weights["beta"]
    return scale, shift


def _rounded(x: Any, like: Array) -> Array | None:
    """x in a dtype; None where that has no such number."""
    with np.errstate(all="ignore"):
        y = np.asarray(x).astype(like.dtype)
    return y if np.isfinite(y).all() else None


def multiply_linear(graph: Graph) -> list[str]:
    """Dense layers without an activation between them are one, where that is less work."""

    def joined(first: Node, second: Node) -> Node | None:
        if (first.op, second.op) != ("dense@1", "dense@1") or first.then:
            return None
        a, b = (node.weights["kernel"] for node in (first, second))
        if a.shape[0] * b.shape[1] > a.size + b.size:
            return None
        wide = b.astype(np.float64)
        weights = {"kernel": _rounded(a.astype(np.float64) @ wide, a)}
        if "bias" in first.weights or "bias" in second.weights:
            bias = np.asarray(first.weights.get("bias", np.zeros(len(b)))) @ wide
            weights["bias"] = _rounded(bias + second.weights.get("bias", 0.0), a)
        finite = {role: array for role, array in weights.items() if array is not None}
        return second._replace(inputs=first.inputs, weights=finite) if len(finite) == len(weights) else None

    return graph.join(joined)


def gather_products(graph: Graph) -> list[str]:
    """A dense layer behind an embedding is an embedding of its products, where the table does not grow.

    Behind one_hot it is an embedding of the rows of its kernel, and of its bias alone for indices that have no row.
    """

    def joined(first: Node, second: Node) -> Node | None:
        if first.op not in ("embedding@1", "one_hot@1") or second.op != "dense@1" or first.then:
            return None
        kernel, bias = second.weights["kernel"], second.weights.get("bias", 0.0)
        outside = first.outside
        if first.op == "one_hot@1":
            rows, outside = np.vstack([kernel, np.zeros_like(kernel[:1])]).astype(np.float64), len(kernel)
        elif kernel.shape[1] > kernel.shape[0]:
            return None
        else:
            rows = first.weights["embeddings"].astype(np.float64) @ kernel
        table = _rounded(rows + bias, kernel)
        if table is None:
            return None
        return Node(second.name, "embedding@1", first.inputs, second.outputs, {"embeddings": table}, outside=outside)

    return graph.join(joined)


IN_PLACE = frozenset(
    f"{op}@1"
    for op in (
        *("relu", "relu6", "leaky_relu", "thresholded_relu", "clipped_relu", "elu", "celu", "selu", "gelu", "sigmoid"),
        *("silu", "mish", "softplus", "log_sigmoid", "softsign", "tanh", "tanh_shrink", "exponential", "hard_sigmoid"),
        *("hard_silu", "hard_tanh", "hard_shrink", "soft_shrink", "threshold", "sparse_sigmoid", "sparse_plus"),
        *("squareplus", "negative", "square", "sqrt", "rsqrt", "reciprocal"),
    )
)
"""Functions of one number, of the same dtype."""

_TAKES_FUNCTIONS = frozenset(
    ("dense@1", "conv@1", "conv_transpose@1", "batch_normalization@1", "add@1", "subtract@1", "multiply@1", "divide@1")
)


def apply_in_place(graph: Graph) -> list[str]:
    """An activation is applied to a result where it lies, while it is still in the cache."""

    def joined(first: Node, second: Node) -> Node | None:
        if second.op not in IN_PLACE or second.then or first.op not in _TAKES_FUNCTIONS:
            return None
        function = Function(second.op, second.attributes)
        return first._replace(outputs=second.outputs, then=(*first.then, function))

    return graph.join(joined)


SMALL_KERNEL = 2**14
"""Elements of a kernel that costs less to multiply than a call of numpy costs."""

_ONES = (1.0, 20.0, 50.0)
"""Numbers of which some activation makes a 1, exactly."""


def append_bias(graph: Graph) -> list[str]:
    """A small dense layer makes a 1 beside its results, with which the next one multiplies its bias."""
    readers = graph.readers()
    makers = {node.outputs[0]: i for i, node in enumerate(graph.nodes) if node.op == "dense@1"}
    taken: list[str] = []
    for i, node in enumerate(graph.nodes):
        if node.op != "dense@1" or node.inputs[0] not in makers or readers[node.inputs[0]] != 1:
            continue
        at = makers[node.inputs[0]]
        first, weights = graph.nodes[at], node.weights
        one = _one(first)
        small = max(each.weights["kernel"].size for each in (first, node)) <= SMALL_KERNEL
        if "bias" not in weights or one is None or not small:
            continue
        kernel = np.pad(first.weights["kernel"], [(0, 0), (0, 1)])
        if "bias" in first.weights:
            wide = {"kernel": kernel, "bias": np.append(first.weights["bias"], kernel.dtype.type(one))}
        elif first.name in taken:  # what it reads ends in a 1
            kernel[-1, -1] = one
            wide = {"kernel": kernel}
        else:
            continue
        graph.nodes[at] = first._replace(weights=wide)
        graph.nodes[i] = node._replace(weights={"kernel": np.vstack([weights["kernel"], weights["bias"]])})
        taken.append(node.name)
    return taken


def _one(node: Node) -> float | None:
    """The number of which what follows a dense layer makes a 1; None where no such number is known."""
    for number in _ONES:
        y = np.array([number], node.weights["kernel"].dtype)
        for function in node.then:
            y = function(y)
        if y[0] == 1:
            return number
    return None


PASSES: dict[str, Pass] = {
    each.__name__: each
    for each in (
        drop_dead,
        fold_constants,
        cancel_transposes,
        merge_padding,
        fold_batch_normalization,
        multiply_linear,
        gather_products,
        apply_in_place,
        append_bias,
    )
}
"""The passes, in the order in which they run."""

ALWAYS = ("drop_dead",)


def chosen(optimize: bool | Iterable[str]) -> tuple[str, ...]:
    """The names of the passes that run.

    Args:
        optimize: True for all, False for none but that what is not needed is not computed, or names.

    Raises:
        InputError: there is no such pass.
    """
    if isinstance(optimize, bool):
        return tuple(PASSES) if optimize else ALWAYS
    names = [optimize] if isinstance(optimize, str) else list(optimize)
    for name in names:
        if name not in PASSES:
            raise InputError("pass-unknown", "optimize", f"True, False, or names of {', '.join(PASSES)}", repr(name))
    return tuple(name for name in PASSES if name in (*ALWAYS, *names))


def optimized(graph: Graph, names: Iterable[str]) -> dict[str, list[str]]:
    """Runs passes; what each of them did, by its name: the names of the layers that it took away."""
    return {name: PASSES[name](graph) for name in names}
