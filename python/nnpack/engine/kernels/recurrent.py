"""lstm, gru, simple_rnn: the product with the inputs of all steps at once, then a few calls for each step.

Everything lies transposed, (units, rows): then each gate is one piece of memory, which is walked through the quickest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nnpack.engine.graph import Function, Node
from nnpack.engine.kernels.elementwise import applied, sigmoid_of_negated
from nnpack.engine.kernels.kernel import Call, Kernel, kernel, scalar
from nnpack.engine.memory import Spec

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

Cell = Callable[["Array"], "list[Call]"]
"""(the sums of one step) -> what takes the states one step on."""


def _walked(
    node: Node,
    inputs: Sequence[Spec],
    gates: int,
    states: int,
    scratch: Sequence[tuple[int, ...]],
    cell: Callable[..., Cell],
) -> Kernel | None:
    """A kernel that walks through time with a cell.

    Args:
        node: the operator.
        inputs: its inputs: x, the initial states or none, and the mask or none.
        gates: how many there are, each of so many columns of the weights as there are units.
        states: how many states there are.
        scratch: the shapes of what a cell needs.
        cell: the states and the scratch -> the cell.
    """
    x, attributes, weights = inputs[0], node.attributes, node.weights
    if not min(x.shape) or attributes["activation"] not in ("tanh", "relu", "linear"):
        return None
    if attributes.get("recurrent_activation", "sigmoid") != "sigmoid":
        return None
    rows, time, _ = x.shape
    units = len(weights["recurrent_kernel"])
    shapes = [(time, gates * units, rows), *[(units, rows)] * states, *scratch]
    masked = inputs[-1].dtype == np.bool_
    times, kept = Spec((time, rows), np.dtype(np.bool_)), Spec((units, rows), x.dtype)
    masks = [times, times, *[kept] * (1 + states)] if masked else []

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], memory: Sequence[Array]) -> list[Call]:
        sums, carried, rest = memory[0], list(memory[1 : 1 + states]), memory[1 + states : len(shapes)]
        initial: Sequence[Array] = inputs[1 : 1 + states] if len(inputs) > 1 + masked else ()
        kernel, bias = input_weights(node)
        calls: list[Call] = [partial(np.matmul, kernel, inputs[0].transpose(1, 2, 0), sums)]
        if bias is not None:
            calls.append(partial(np.add, sums, np.repeat(bias[:, None], rows, 1), sums))
        for i, state in enumerate(carried):
            calls.append(partial(np.copyto, state, initial[i].T if initial else scalar(0, state)))
        step, y = cell(node, carried, rest), carried[0]
        masking = _Masking(node, carried, memory[len(shapes) :]) if masked else None
        if masking is not None:
            calls += masking.begin(inputs[-1])
            y = masking.output
        order = range(time)[::-1] if attributes["go_backwards"] else range(time)
        for i, t in enumerate(order):
            calls += step(sums[t]) if masking is None else masking.around(t, step(sums[t]))
            if attributes["return_sequences"]:
                calls.append(partial(np.copyto, outputs[0][:, i], y.T))
        if not attributes["return_sequences"]:
            calls.append(partial(np.copyto, outputs[0], y.T))
        return calls + [partial(np.copyto, to, state.T) for to, state in zip(outputs[1:], carried, strict=True)]

    memory = (*(Spec(shape, x.dtype) for shape in shapes), *masks)
    return Kernel(bind, memory, note=f"the inputs' product at once{', masked' if masked else ''}")


class _Masking:
    """What leaves out steps: the states stay as they are, and the output, too, unless it is 0 then.

    Attributes:
        output: (units, rows), what the last step put out.
    """

    def __init__(self, node: Node, states: Sequence[Array], memory: Sequence[Array]) -> None:
        self._taken, self._left, self.output, *self._saved = memory
        self._states, self._zero = states, node.attributes["zero_output_for_mask"]

    def begin(self, mask: Array) -> list[Call]:
        return [
            partial(np.copyto, self._taken, mask.T),
            partial(np.logical_not, self._taken, self._left),
            partial(np.copyto, self.output, scalar(0, self.output)),
        ]

    def around(self, t: int, step: list[Call]) -> list[Call]:
        taken, left, output = self._taken[t], self._left[t], self.output
        pairs = list(zip(self._saved, self._states, strict=True))
        calls: list[Call] = [*(partial(np.copyto, saved, state) for saved, state in pairs), *step]
        calls += [partial(np.copyto, state, saved, where=left) for saved, state in pairs]
        calls.append(partial(np.copyto, output, self._states[0], where=taken))
        if self._zero:
            calls.append(partial(np.copyto, output, scalar(0, output), where=left))
        return calls


def _ordered(node: Node, weight: Array) -> Array:
    """The columns as rows, in the order in which cells take them, those of a sigmoid negated: it needs exp(-x)."""
    parts = np.split(weight, 4 if node.op == "lstm@1" else 3 if node.op == "gru@1" else 1, axis=-1)
    if node.op == "lstm@1":  # i, f, g, o -> i, f, o, g
        i, f, g, o = parts
        return np.ascontiguousarray(np.concatenate([-i, -f, -o, g], -1).T)
    if node.op == "gru@1":
        z, r, g = parts
        return np.ascontiguousarray(np.concatenate([-z, -r, g], -1).T)
    return np.ascontiguousarray(weight.T)


def input_weights(node: Node) -> tuple[Array, Array | None]:
    """The kernel for the inputs, and the bias that may be added before the first step."""
    kernel, bias = _ordered(node, node.weights["kernel"]), node.weights.get("bias")
    if bias is None:
        return kernel, None
    if bias.ndim == 1:
        return kernel, _ordered(node, bias)
    given, recurrent = (_ordered(node, part) for part in bias)
    units = len(node.weights["recurrent_kernel"])
    given[: 2 * units] += recurrent[: 2 * units]
    return kernel, given


def _activation(node: Node, y: Array) -> list[Call]:
    name = node.attributes["activation"]
    return [] if name == "linear" else applied([Function(f"{name}@1")], y)


@kernel("simple_rnn@1")
def simple_rnn(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """One product and one sum for each step."""
    units = len(node.weights["recurrent_kernel"])

    def cell(node: Node, states: list[Array], scratch: Sequence[Array]) -> Cell:
        recurrent, (product,) = _ordered(node, node.weights["recurrent_kernel"]), scratch

        def step(sums: Array) -> list[Call]:
            (h,) = states
            return [
                partial(recurrent.dot, h, product),
                partial(np.add, product, sums, h),
                *_activation(node, h),
            ]

        return step

    return _walked(node, inputs, 1, 1, [(units, inputs[0].shape[0])], cell)


@kernel("lstm@1")
def lstm(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """c = f · c + i · g, h = o · activation(c)."""
    units, rows = len(node.weights["recurrent_kernel"]), inputs[0].shape[0]

    def cell(node: Node, states: list[Array], scratch: Sequence[Array]) -> Cell:
        recurrent, (s, t) = _ordered(node, node.weights["recurrent_kernel"]), scratch
        (h, c), (i, f, o, g) = states, (s[k * units : (k + 1) * units] for k in range(4))
        gates = s[: 3 * units]
        rest: list[Call] = [
            *sigmoid_of_negated(gates),
            *_activation(node, g),
            partial(np.multiply, f, c, c),
            partial(np.multiply, i, g, t),
            partial(np.add, c, t, c),
            *_into(node, c, t),
            partial(np.multiply, o, t, h),
        ]
        return lambda sums: [partial(recurrent.dot, h, s), partial(np.add, s, sums, s), *rest]

    return _walked(node, inputs, 4, 2, [(4 * units, rows), (units, rows)], cell)


def _into(node: Node, x: Array, y: Array) -> list[Call]:
    """The activation of x, in y."""
    if node.attributes["activation"] == "tanh":
        return [partial(np.tanh, x, y)]
    return [partial(np.copyto, y, x), *_activation(node, y)]


@kernel("gru@1")
def gru(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """h = z · h + (1 - z) · g."""
    units, rows = len(node.weights["recurrent_kernel"]), inputs[0].shape[0]
    reset_after = node.attributes["reset_after"]

    def cell(node: Node, states: list[Array], scratch: Sequence[Array]) -> Cell:
        (h,), (s, t, g) = states, scratch
        recurrent = _ordered(node, node.weights["recurrent_kernel"])
        both, last = recurrent[: 2 * units], recurrent[2 * units :]
        z, r, one = s[:units], s[units:], scalar(1, s)
        bias = node.weights.get("bias")
        added = (
            []
            if bias is None or not reset_after
            else [partial(np.add, g, np.repeat(bias[1, 2 * units :, None], rows, 1), g)]
        )
        rest: list[Call] = [
            *_activation(node, g),
            partial(np.subtract, one, z, t),
            partial(np.multiply, t, g, t),
            partial(np.multiply, z, h, h),
            partial(np.add, h, t, h),
        ]

        def candidate(sums: Array) -> Iterator[Call]:
            if reset_after:
                yield partial(last.dot, h, g)
                yield from added
                yield partial(np.multiply, r, g, g)
            else:
                yield partial(np.multiply, r, h, t)
                yield partial(last.dot, t, g)
            yield partial(np.add, g, sums[2 * units :], g)

        def step(sums: Array) -> list[Call]:
            return [
                partial(both.dot, h, s),
                partial(np.add, s, sums[: 2 * units], s),
                *sigmoid_of_negated(s),
                *candidate(sums),
                *rest,
            ]

        return step

    return _walked(node, inputs, 3, 1, [(2 * units, rows), (units, rows), (units, rows)], cell)
