"""Functions of one number in place, and arithmetic of two values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.engine.graph import Function, Node
from nnpack.engine.kernels.kernel import Call, Kernel, along_rows, cut, kernel, scalar
from nnpack.engine.memory import Spec
from nnpack.engine.passes import IN_PLACE, affine

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

# In place


def _relu(y: Array) -> list[Call]:
    return [partial(np.maximum, y, scalar(0, y), out=y)]


def _relu6(y: Array) -> list[Call]:
    return [*_relu(y), partial(np.minimum, y, scalar(6, y), out=y)]


def _sigmoid(y: Array) -> list[Call]:
    return [partial(np.negative, y, y), *sigmoid_of_negated(y)]


def sigmoid_of_negated(y: Array) -> list[Call]:
    """1 / (1 + exp(y))."""
    one = scalar(1, y)
    return [partial(np.exp, y, y), partial(np.add, y, one, y), partial(np.divide, one, y, y)]


_CALLS: Mapping[str, Callable[..., list[Call]]] = {
    "relu@1": _relu,
    "relu6@1": _relu6,
    "sigmoid@1": _sigmoid,
    "tanh@1": lambda y: [partial(np.tanh, y, y)],
    "exponential@1": lambda y: [partial(np.exp, y, y)],
    "negative@1": lambda y: [partial(np.negative, y, y)],
    "square@1": lambda y: [partial(np.multiply, y, y, y)],
    "sqrt@1": lambda y: [partial(np.sqrt, y, y)],
}


def applied(functions: Sequence[Function], y: Array) -> list[Call]:
    """What applies functions to y, one after the other, where it lies."""
    calls: list[Call] = []
    for function in functions:
        known = _CALLS.get(function.op)
        calls += known(y, **function.attributes) if known else [partial(_assign, function, y)]
    return calls


def _assign(function: Function, y: Array) -> None:
    y[...] = function(y)


def _functions(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel:
    """A function that stands alone: what it is applied to is copied, unless its memory may be taken."""

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (x,), (y,) = inputs, outputs
        function = Function(node.op, node.attributes)
        calls: list[Call] = []
        for part in cut(y) if y.ndim else [...]:
            if not np.shares_memory(x, y):
                calls.append(partial(np.copyto, y[part], x[part]))
            calls += applied([function, *node.then], y[part])
        return calls

    return Kernel(bind, overwrites=(0,), note="in place")


kernel(*(op.partition("@")[0] for op in sorted(IN_PLACE)))(_functions)

# Two values

_UFUNCS = {
    "add@1": np.add,
    "subtract@1": np.subtract,
    "multiply@1": np.multiply,
    "divide@1": np.divide,
    "maximum@1": np.maximum,
    "minimum@1": np.minimum,
}


@kernel(*(op.partition("@")[0] for op in _UFUNCS))
def arithmetic(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel:
    """One call of a ufunc, in blocks where a function follows."""
    ufunc, shape = _UFUNCS[node.op], outputs[0].shape

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (a, b), (y,) = inputs, outputs
        if not node.then:
            return [partial(ufunc, a, b, out=y)]
        a, b = np.broadcast_to(a, shape), np.broadcast_to(b, shape)
        calls: list[Call] = []
        for part in cut(y):
            calls += [partial(ufunc, a[part], b[part], out=y[part]), *applied(node.then, y[part])]
        return calls

    same = tuple(i for i, spec in enumerate(inputs) if spec.shape == shape)
    return Kernel(bind, overwrites=same, note="in place")


@kernel("batch_normalization")
def batch_normalization(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """A product and a sum, block by block."""
    dtype, channels = inputs[0].dtype, inputs[0].shape[-1]
    if node.attributes["axis"] != len(inputs[0].shape) - 1:
        return None
    scale, shift = (np.asarray(each).astype(dtype) for each in affine(node.weights, node.attributes["epsilon"]))
    if not (np.isfinite(scale).all() and np.isfinite(shift).all()):
        return None

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        x, y = inputs[0].reshape(-1, channels), outputs[0].reshape(-1, channels)
        calls: list[Call] = []
        for part in cut(y):
            (wide, scales), (given, shifts) = along_rows(y[part], scale), along_rows(x[part], shift)
            calls += [partial(np.multiply, given, scales, wide), partial(np.add, wide, shifts, wide)]
            calls += applied(node.then, y[part])
        return calls

    return Kernel(bind, overwrites=(0,), note="one product, one sum")


@kernel("softmax")
def softmax(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """Along the last axis, in place."""
    x = inputs[0]
    if node.attributes["axes"] != [len(x.shape) - 1]:
        return None
    column = Spec((*x.shape[:-1], 1), x.dtype)

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (x,), (y,), (total,) = inputs, outputs, scratch
        along: dict[str, Any] = {"axis": -1, "keepdims": True, "out": total}
        return [
            partial(np.maximum.reduce, x, **along),
            partial(np.subtract, x, total, y),
            partial(np.exp, y, y),
            partial(np.add.reduce, y, **along),
            partial(np.divide, y, total, y),
        ]

    return Kernel(bind, (column,), (0,), note="in place")
