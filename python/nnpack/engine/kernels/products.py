"""dense, matmul, einsum: what BLAS is fast at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nnpack.engine.graph import Node
from nnpack.engine.kernels.elementwise import applied, temporaries
from nnpack.engine.kernels.kernel import BLOCK, Call, Kernel, along_rows, cut, kernel
from nnpack.engine.memory import Spec

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

_FEWEST_ROWS = 64
"""Products of fewer rows than this are not worth a call of their own."""


class Ending:
    """What is done to the rows of a product where they lie: a bias is added, functions are applied.

    Attributes:
        scratch: the memory that it needs.
    """

    def __init__(self, node: Node, made: Spec) -> None:
        self.bias, self.then = node.weights.get("bias"), node.then
        n = made.shape[-1]
        self.scratch = temporaries(node.then, Spec((prod(made.shape) // n, n), made.dtype))

    def calls(self, y: Array, scratch: Sequence[Array]) -> list[Call]:
        """For y of shape (rows, n), while its parts are in the cache."""
        calls: list[Call] = []
        if self.bias is None and not self.then:
            return calls
        for part in cut(y):
            if self.bias is not None:
                wide, row = along_rows(y[part], self.bias)
                calls.append(partial(np.add, wide, row, wide))
            calls += applied(self.then, y[part], scratch)
        return calls


def product(x: Array, matrix: Array, y: Array, ending: Ending, scratch: Sequence[Array]) -> list[Call]:
    """x · matrix, and what follows; in blocks of rows, while there is something to do to y.

    Args:
        x: (rows, k).
        matrix: (k, n).
        y: (rows, n).
        ending: what is done to y.
        scratch: what that needs.
    """
    calls: list[Call] = []
    nothing = ending.bias is None and not ending.then
    step = len(y) if nothing else max(_FEWEST_ROWS, BLOCK // max(1, y.shape[1]))
    for at in range(0, len(y), max(1, step)):
        part = slice(at, at + step)
        calls += [partial(x[part].dot, matrix, y[part]), *ending.calls(y[part], scratch)]
    return calls


@kernel("dense@1")
def dense(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel:
    """One large product: a stack of small ones is slow."""
    matrix, ending = np.ascontiguousarray(node.weights["kernel"]), Ending(node, outputs[0])

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (x,), (y,) = inputs, outputs
        return product(x.reshape(-1, x.shape[-1]), matrix, y.reshape(-1, y.shape[-1]), ending, scratch)

    return Kernel(bind, ending.scratch, note="one product")


@kernel("matmul@1")
def matmul(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel:
    """Into the output; where the second operand is one matrix, as one large product."""

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (a, b), (y,) = inputs, outputs
        if b.ndim == 2:
            return [partial(a.reshape(-1, a.shape[-1]).dot, b, y.reshape(-1, y.shape[-1]))]
        return [partial(np.matmul, a, b, y)]

    return Kernel(bind, note="one product" if len(inputs[1].shape) == 2 else "stacked products")


@kernel("einsum@1")
def einsum(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """Stacked products of views, whose axes are only named in another order; nothing is moved in memory."""
    operands, made = node.attributes["equation"].split("->")
    left, right = operands.split(",")
    shared = [label for label in made if label in left and label in right]
    rows = [label for label in made if label not in right]
    columns = [label for label in made if label not in left]
    inner = [label for label in left if label in right and label not in made]
    if len(rows) != 1 or len(columns) != 1 or len(inner) != 1:
        return _flat(node, left, right, made, shared, inner)
    if {*left} != {*shared, *rows, *inner} or {*right} != {*shared, *columns, *inner}:
        return None
    if {left[-1], right[-1], made[-1]} & {*shared}:  # BLAS needs the numbers of a line beside each other
        return None

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (a, b), (y,) = inputs, outputs
        a = a.transpose([left.index(label) for label in (*shared, *rows, *inner)])
        b = b.transpose([right.index(label) for label in (*shared, *inner, *columns)])
        y = y.transpose([made.index(label) for label in (*shared, *rows, *columns)])
        return [partial(np.matmul, a, b, y)]

    return Kernel(bind, note="stacked products of views")


def _flat(node: Node, left: str, right: str, made: str, shared: Sequence[str], inner: Sequence[str]) -> Kernel | None:
    """Labels that are neighbours and in order everywhere are one axis: then it is one plain product."""
    n = len(inner)
    rows, columns, both = left[: len(left) - n], right[n:], "".join(inner)
    if shared or not n or left != rows + both or right != both + columns or made != rows + columns:
        return None

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (a, b), (y,) = inputs, outputs
        k = prod(b.shape[:n])
        return [partial(a.reshape(-1, k).dot, b.reshape(k, -1), y.reshape(-1, b.size // k))]

    return Kernel(bind, note="one product")
