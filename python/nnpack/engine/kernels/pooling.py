"""max_pool, average_pool, and means over whole images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nnpack.engine.graph import Node
from nnpack.engine.kernels.kernel import Call, Kernel, kernel, scalar
from nnpack.engine.memory import Spec
from nnpack.ops.windows import along, overlap, sliding

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


@kernel("max_pool@1", "average_pool@1")
def pool(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel:
    """Shifted images combined, one axis after the other."""
    x, attributes = inputs[0], node.attributes
    size, strides, n = attributes["pool_size"], attributes["strides"], len(x.shape) - 2
    slides = [sliding(*axis, 1, attributes["padding"]) for axis in zip(x.shape[1:-1], size, strides, strict=True)]
    order = [axis for axis in reversed(range(1, n + 1)) if size[axis - 1] > 1 or strides[axis - 1] > 1] or [n]
    shapes, shape = [], list(x.shape)
    for axis in order:
        shape[axis] = slides[axis - 1].windows
        shapes.append(tuple(shape))
    maximum = node.op == "max_pool@1"
    combine, start = (np.maximum, -np.inf) if maximum else (np.add, 0.0)

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        calls: list[Call] = []
        x = inputs[0]
        counts = np.ones((1,) * (n + 2), x.dtype)
        for axis, made in zip(order, [*scratch, outputs[0]], strict=True):
            slide, length = slides[axis - 1], x.shape[axis]
            count = np.zeros(slide.windows, x.dtype)
            first = True
            places = range(-slide.before, size[axis - 1] - slide.before)
            reached = [overlap(place, strides[axis - 1], length, slide.windows) for place in places]
            # a place that every window has an element at begins; where there is none, all begin with nothing
            reached.sort(key=lambda pair: pair[0] != slice(0, slide.windows))
            if reached[0][0] != slice(0, slide.windows):
                calls.append(partial(np.copyto, made, scalar(start, x)))
                first = False
            for windows, elements in reached:
                to, of = made[along(axis, windows)], x[along(axis, elements)]
                calls.append(partial(np.copyto, to, of) if first else partial(combine, to, of, out=to))
                first = False
                count[windows] += 1
            counts = counts * count.reshape([-1 if k == axis else 1 for k in range(n + 2)])
            x = made
        if not maximum:
            calls.append(partial(np.divide, x, counts, x))
        return calls

    return Kernel(bind, tuple(Spec(shape, x.dtype) for shape in shapes[:-1]), note="shifted images")


@kernel("mean@1")
def mean(node: Node, inputs: Sequence[Spec], outputs: Sequence[Spec]) -> Kernel | None:
    """Of whole images: one sum over all pixels."""
    shape, axes = inputs[0].shape, node.attributes["axes"]
    if axes != list(range(1, len(shape) - 1)) or not axes:
        return None
    pixels = prod(shape[1:-1])

    def bind(inputs: Sequence[Array], outputs: Sequence[Array], scratch: Sequence[Array]) -> list[Call]:
        x, y = inputs[0].reshape(len(inputs[0]), pixels, shape[-1]), outputs[0].reshape(-1, shape[-1])
        return [partial(np.add.reduce, x, axis=1, out=y), partial(np.divide, y, scalar(pixels, y), y)]

    return Kernel(bind, note="one sum")
