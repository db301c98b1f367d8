"""What a kernel is: a node bound to memory, as calls without arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.engine.memory import Spec

if TYPE_CHECKING:
    from nnpack.engine.graph import Node
    from nnpack.format.dtypes import Array

Call = Callable[[], Any]

Bind = Callable[[Sequence["Array"], Sequence["Array"], Sequence["Array"]], "list[Call]"]
"""(inputs, outputs, scratch) -> what is called, in turn, to fill the outputs; all arrays are contiguous."""


class Kernel(NamedTuple):
    """How a node is computed for inputs of some shapes.

    Attributes:
        bind: gives it its memory.
        scratch: memory that it needs while it runs.
        overwrites: the inputs whose memory its output may be written into.
        view: makes the output of the first input without a copy; then there is nothing to bind.
        note: the way that was chosen, in a word or two.
    """

    bind: Bind
    scratch: tuple[Spec, ...] = ()
    overwrites: tuple[int, ...] = ()
    view: Callable[[Array], Array] | None = None
    note: str = ""


Maker = Callable[["Node", Sequence[Spec], Sequence[Spec]], "Kernel | None"]
"""(node, specs of its inputs, of its outputs) -> a kernel, or None where there is no better way than the operator."""

KERNELS: dict[str, Maker] = {}
"""Operators that have kernels, by id."""


def kernel(*ops: str) -> Callable[[Maker], Maker]:
    """Registers the maker of kernels of these operators, by id."""

    def register(maker: Maker) -> Maker:
        KERNELS.update(dict.fromkeys(ops, maker))
        return maker

    return register


def kernel_of(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel:
    """The kernel of a node; where there is none, the operator's own function, whose result is copied."""
    maker = KERNELS.get(node.op)
    made = None if maker is None else maker(node, inputs, outputs)
    return made or Kernel(partial(_by_function, node), note="operator")


def _by_function(node: Node, inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
    function = node.function

    def call() -> None:
        made = function(*inputs)
        if len(outputs) == 1:
            outputs[0][...] = made
        else:
            for y, part in zip(outputs, made, strict=True):
                y[...] = part

    return [call]


BLOCK = 2**16
"""Elements that stay in the cache while one function after the other is applied to them."""


def cut(y: Array, most: int = BLOCK) -> list[slice]:
    """Parts of the first axis of y of that many elements at most, if they have more than one row."""
    row = max(1, y[0].size) if len(y) else 1
    step = max(1, most // row)
    return [slice(at, at + step) for at in range(0, len(y), step)]


_RUN = 4096
"""Elements of a run that is long enough for a loop's overhead not to count."""


def along_rows(y: Array, row: Array) -> tuple[Array, Array]:
    """y and one number for each of its columns, seen as fewer and longer rows, which are added up quicker.

    Args:
        y: (rows, n), contiguous.
        row: (n,).

    Returns:
        A view (rows / t, t · n) of y, and the row t times, of the same rank: sums of one shape are the quickest.
    """
    rows, n = y.shape
    times = max((t for t in range(1, min(rows, max(1, _RUN // max(n, 1))) + 1) if rows % t == 0), default=1)
    return y.reshape(rows // times, times * n), np.tile(row, (1, times))


def scalar(x: float, like: Array) -> Array:
    """A number as an operand that a ufunc does not have to convert."""
    return np.array(x, like.dtype)
