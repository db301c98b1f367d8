"""Functions of one number in place, and arithmetic of two values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.engine.graph import Function, Node
from nnpack.engine.kernels.kernel import BLOCK, Call, Kernel, along_rows, cut, kernel, scalar
from nnpack.engine.memory import Spec
from nnpack.engine.passes import IN_PLACE, affine
from nnpack.format.document import read_only

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

# In place


_SMALL = 2**12
_ZEROS = {np.dtype(dtype): read_only(np.zeros(_SMALL, dtype)) for dtype in ("float32", "float64")}


def _relu(y: Array) -> list[Call]:
    """The maximum with as many zeros, which is quicker than with one; of large arrays a clip, which reads y alone."""
    if y.size <= _SMALL and y.dtype in _ZEROS:
        return [partial(np.maximum, y, _ZEROS[y.dtype][: y.size].reshape(y.shape), out=y)]
    return [partial(y.clip, scalar(0, y), scalar(np.inf, y), y)]


def _relu6(y: Array) -> list[Call]:
    return [partial(y.clip, scalar(0, y), scalar(6, y), y)]


def _sigmoid(y: Array) -> list[Call]:
    return [partial(np.negative, y, y), *sigmoid_of_negated(y)]


def sigmoid_of_negated(y: Array) -> list[Call]:
    """1 / (1 + exp(y))."""
    one = scalar(1, y)
    return [partial(np.exp, y, y), partial(np.add, y, one, y), partial(np.divide, one, y, y)]


def _silu(y: Array, temporary: Array) -> list[Call]:
    t = temporary[: y.size].reshape(y.shape)
    one = scalar(1, y)
    return [partial(np.negative, y, t), partial(np.exp, t, t), partial(np.add, t, one, t), partial(np.divide, y, t, y)]


_WITH_TEMPORARY: Mapping[str, Callable[..., list[Call]]] = {"silu@1": _silu}

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


def applied(functions: Sequence[Function], y: Array, scratch: Sequence[Array] = ()) -> list[Call]:
    """What applies functions to y, one after the other, where it lies; scratch is what `temporaries` asks for."""
    calls: list[Call] = []
    for function in functions:
        if function.op in _CALLS:
            calls += _CALLS[function.op](y)
        elif function.op in _WITH_TEMPORARY and scratch:
            calls += _WITH_TEMPORARY[function.op](y, scratch[0])
        else:
            calls.append(partial(_assign, function, y))
    return calls


def temporaries(functions: Sequence[Function], y: Spec) -> tuple[Spec, ...]:
    """The memory that functions need, when they are applied to parts of y as `cut` makes them."""
    if not any(function.op in _WITH_TEMPORARY for function in functions) or not y.shape:
        return ()
    row = prod(y.shape) // max(1, y.shape[0])
    return (Spec((max(BLOCK, row),), y.dtype),)


def _assign(function: Function, y: Array) -> None:
    y[...] = function(y)


def _functions(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel:
    """A function that stands alone: what it is applied to is copied, unless its memory may be taken."""
    functions = [Function(node.op, node.attributes), *node.then]

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (x,), (y,) = inputs, outputs
        calls: list[Call] = []
        for part in cut(y) if y.ndim else [...]:
            if not np.shares_memory(x, y):
                calls.append(partial(np.copyto, y[part], x[part]))
            calls += applied(functions, y[part], scratch)
        return calls

    return Kernel(bind, temporaries(functions, outputs[0]), (0,), note="in place")


kernel(*IN_PLACE)(_functions)

# Two values

_UFUNCS = {
    "add@1": np.add,
    "subtract@1": np.subtract,
    "multiply@1": np.multiply,
    "divide@1": np.divide,
    "maximum@1": np.maximum,
    "minimum@1": np.minimum,
}


@kernel(*_UFUNCS)
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
            calls += [partial(ufunc, a[part], b[part], out=y[part]), *applied(node.then, y[part], scratch)]
        return calls

    same = tuple(i for i, spec in enumerate(inputs) if spec.shape == shape)
    return Kernel(bind, temporaries(node.then, outputs[0]), same, note="in place")


@kernel("batch_normalization@1")
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
            calls += applied(node.then, y[part], scratch)
        return calls

    flat = Spec((prod(outputs[0].shape) // channels, channels), dtype)
    return Kernel(bind, temporaries(node.then, flat), (0,), note="one product, one sum")


@kernel("softmax@1")
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
