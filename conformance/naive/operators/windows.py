"""Windows over spatial axes: what conv.md, pooling.md and conv_lstm.md of spec/ops have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from naive.arrays import Shape
from naive.errors import require
from naive.operators.operator import LARGEST, NEW_SYMBOL, Check, Site, integers_from


@dataclass(frozen=True)
class Window:
    """Along one axis: the elements of x and of the kernel, stride and dilation, and the zeros in front of x."""

    elements: int
    kernel: int
    stride: int
    dilation: int
    before: int

    def meets(self, p: int) -> list[tuple[int, int]]:
        """For element p of the result: each element of the kernel that meets one of x, and that one."""
        first = p * self.stride - self.before
        pairs = [(i, first + i * self.dilation) for i in range(self.kernel)]
        return [(i, h) for i, h in pairs if 0 <= h < self.elements]


def window(padding: str, elements: int, kernel: int, stride: int, dilation: int = 1) -> Window:
    extent = (kernel - 1) * dilation + 1
    missing = (extent_of_result(padding, elements, kernel, stride, dilation) - 1) * stride + extent - elements
    before = {"valid": 0, "same": max(missing, 0) // 2, "causal": extent - 1}
    return Window(elements, kernel, stride, dilation, before[padding])


def extent_of_result(padding: str, elements: int, kernel: int, stride: int, dilation: int = 1) -> int:
    if padding == "same":
        return -(-elements // stride)
    if padding == "causal":
        return (elements - 1) // stride + 1
    return (elements - (kernel - 1) * dilation - 1) // stride + 1


def dimension(padding: str, n: int | str, kernel: int, stride: int, dilation: int = 1) -> int | str:
    """The dimension of the result: that of x where it is a symbol and every element has its window."""
    if isinstance(n, str):
        return n if stride == 1 and (padding != "valid" or kernel == 1) else NEW_SYMBOL
    return at_least_one(extent_of_result(padding, n, kernel, stride, dilation))


def at_least_one(n: int) -> int:
    require(n >= 1, "dimension-range", "/outputs/0/shape", "at least 1", n)  # G8
    return n


def met(windows: Sequence[Window], at: Sequence[int]) -> Iterator[tuple[int, int]]:
    """For one place of the result: each place of the kernel that meets one of x, and that one."""
    kernel, elements = [w.kernel for w in windows], [w.elements for w in windows]
    for pairs in product(*(w.meets(p) for w, p in zip(windows, at, strict=True))):
        yield place([i for i, _ in pairs], kernel), place([h for _, h in pairs], elements)


def places(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All indices, in C order."""
    return product(*map(range, shape))


def place(indices: Sequence[int], shape: Sequence[int]) -> int:
    """Where the element of these indices lies, in C order."""
    at = 0
    for index, n in zip(indices, shape, strict=True):
        at = at * n + index
    return at


def spatial(least: int = 1, parts: int = 1) -> Check:
    """A list of integers: as many for each axis, of which there may be one to three."""
    return integers_from(least, LARGEST, parts, 3 * parts)


def check_lengths(site: Site, n: int, **parts: int) -> None:
    """Each of these attributes has so many integers for each of n axes."""
    for name, count in parts.items():
        received = site.attributes[name]
        require(len(received) == n * count, "rank-range", f"/attributes/{name}", f"{n * count} integers", received)


def check_image(shape: Shape, axes_before: int = 1) -> None:
    """One to three spatial axes, and channels behind them."""
    least, most = axes_before + 2, axes_before + 4
    require(least <= len(shape) <= most, "rank-range", "/inputs/0", f"{least} to {most} dimensions", shape)
