"""The same elements elsewhere: reshape, transpose, concatenate, pad; rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nnpack.engine.graph import Node
from nnpack.engine.kernels.kernel import Call, Kernel, kernel
from nnpack.engine.memory import Spec
from nnpack.ops.windows import along

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _no_calls(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
    return []


@kernel("identity@1", "reshape@1", "expand_dims@1", "squeeze@1")
def view(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel:
    """The same memory."""
    shape = outputs[0].shape
    return Kernel(_no_calls, view=lambda x: x.reshape(shape), note="view")


@kernel("transpose@1")
def transpose(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """One copy; none where only axes of one element move."""
    perm, shape = node.attributes["perm"], inputs[0].shape
    if [axis for axis in perm if shape[axis] > 1] == [axis for axis, n in enumerate(shape) if n > 1]:
        return view(node, inputs, outputs)

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        return [partial(np.copyto, outputs[0], inputs[0].transpose(perm))]

    return Kernel(bind, note="one copy")


@kernel("concatenate@1")
def concatenate(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel:
    """Each part copied to its place."""

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        calls: list[Call] = []
        axis, at = node.attributes["axis"], 0
        for x in inputs:
            place = along(axis, slice(at, at + x.shape[axis]))
            calls.append(partial(np.copyto, outputs[0][place], x))
            at += x.shape[axis]
        return calls

    return Kernel(bind, note="one copy each")


@kernel("pad@1")
def pad(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """A constant around a copy."""
    widths, value = node.attributes["pad_width"], node.attributes["constant_value"]
    if node.attributes["mode"] != "constant" or inputs[0].dtype.kind != "f":
        return None

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (x,), (y,) = inputs, outputs
        middle = tuple(slice(before, before + n) for before, n in zip(widths[::2], x.shape, strict=True))
        return [partial(np.copyto, y, np.array(value, y.dtype)), partial(np.copyto, y[middle], x)]

    return Kernel(bind, note="one copy")
