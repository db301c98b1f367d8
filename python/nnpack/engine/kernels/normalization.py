"""layer_normalization along the last axis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.engine.graph import Node
from nnpack.engine.kernels.kernel import Call, Kernel, kernel, scalar
from nnpack.engine.memory import Spec

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


@kernel("layer_normalization@1")
def layer_normalization(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """Mean and variance by sums, everything else in place."""
    x, weights = inputs[0], node.weights
    if node.attributes["axes"] != [len(x.shape) - 1]:
        return None
    column = Spec((*x.shape[:-1], 1), x.dtype)

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        (x,), (y,), (total, squares) = inputs, outputs, scratch
        n, epsilon = scalar(x.shape[-1], x), scalar(node.attributes["epsilon"], x)
        along: dict[str, Any] = {"axis": -1, "keepdims": True, "out": total}
        calls: list[Call] = [
            partial(np.add.reduce, x, **along),
            partial(np.divide, total, n, total),
            partial(np.subtract, x, total, y),
            partial(np.multiply, y, y, squares),
            partial(np.add.reduce, squares, **along),
            partial(np.divide, total, n, total),
            partial(np.add, total, epsilon, total),
            partial(np.sqrt, total, total),
            partial(np.divide, y, total, y),
        ]
        if "gamma" in weights:
            calls.append(partial(np.multiply, y, weights["gamma"], y))
        if "beta" in weights:
            calls.append(partial(np.add, y, weights["beta"], y))
        return calls

    return Kernel(bind, (column, x), (0,), note="in place")
