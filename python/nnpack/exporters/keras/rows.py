"""Reshape, which may merge the rows with other axes, and take them apart again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

from keras import ops

from nnpack.exporters.keras.call import Call
from nnpack.exporters.keras.operands import composed
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Dimension, Shape, Value, show


@handles("Reshape")
def reshape(call: Call) -> Value:
    given = call.operation.newshape
    return reshaped(call, call.inputs[0], given if isinstance(given, list | tuple) else (given,))


@handles("Ravel")
def ravel(call: Call) -> Value:
    return reshaped(call, call.inputs[0], (-1,))


class _Origin(NamedTuple):
    """What a value becomes when merged rows are taken apart again.

    Attributes:
        shape: its shape then.
        unfolded: the arguments of each `unfold` on the way: the value whose rows were merged, and the axis.
    """

    shape: Shape
    unfolded: tuple[tuple[Value, int], ...]


def reshaped(call: Call, x: Value, newshape: Sequence[Any]) -> Value:
    """x in another shape, that of Keras: with the rows, as -1 or None or their number, first.

    Rows may be merged with what follows them, (-1, 5) of (batch, 4, 5), and taken apart again as they were before.
    """
    target = _target(call, newshape)
    origins = list(_origins(call, x)) if target else []
    if target[:1] == [None] and (call.export.rows or _pointless(x.shape, target)):
        origins.reverse()  # the rows are those from before they were merged
    for origin in origins:
        steps = _steps(origin.shape, target)
        if steps is not None:
            for like, axis in origin.unfolded:
                x = call.emit("unfold", [x, like], attributes={"axis": axis})
            return _rearranged(call, x, steps)
    raise call.refuse(f"{show(x.shape)} reshaped to {tuple(newshape)}", "a shape with the batch as its first axis")


def _target(call: Call, newshape: Sequence[Any]) -> list[int | None]:
    """The new shape, with None for what is open, but -1 where it is the number of rows."""
    target = [n if n is None else int(n) for n in newshape]
    rows = call.export.rows  # a number that stands for any
    if rows and target and target[0] and target[0] % rows == 0:
        target[0] = None if target[0] == rows else -1
    if target and target[0] not in (None, -1):  # a fixed number of rows: only what Keras infers tells what the rest is
        target = list(call.outputs[0].shape)
        if None in target:
            raise call.refuse(f"rows reshaped to {tuple(newshape)}", "-1 as the first axis")
    return [None if n == -1 and axis else n for axis, n in enumerate(target)]


def _origins(call: Call, x: Value) -> Iterator[_Origin]:
    """x as it is, then with its merged rows apart, as far as they were merged before."""
    origin = _Origin(x.shape, ())
    yield origin
    folds = {layer.outputs[0].shape[0]: layer for layer in call.export.layers if layer.op == "fold@1"}
    while origin.shape and origin.shape[0] in folds:
        layer = folds[origin.shape[0]]
        like, axis = call.export.values[layer.inputs[0]], layer.attributes["axis"]
        unfolded = (*origin.unfolded, (like, axis))
        origin = _Origin((*like.shape[: axis + 1], *origin.shape[1:]), unfolded)
        yield origin


def _pointless(shape: Shape, target: Sequence[int | None]) -> bool:
    """Whether (rows, -1, …) would change nothing, because what is left open would be 1."""
    return None in target[1:] and _count(shape[1:]) == _count([n for n in target[1:] if n is not None])


def _count(dims: Sequence[Dimension | None]) -> int | None:
    """The number of elements, where it is known."""
    return prod(n for n in dims if isinstance(n, int)) if all(isinstance(n, int) for n in dims) else None


_Steps = list[tuple[str, list[int] | int]]
"""(`reshape`, target_shape), (`fold`, axis), (`restore`, axis: the unfold that takes the fold before it back)."""


def _steps(shape: Shape, target: Sequence[int | None]) -> _Steps | None:
    """How a shape becomes the target; None where rows would have to be mixed."""
    merged, rest = target[0] == -1, target[1:]
    kept = _per_row(shape, rest, merged)
    if kept is not None:
        return [("reshape", kept)] if tuple(kept) != shape[1:] else []
    if None not in rest:
        return _merging(shape, [n for n in rest if n is not None])
    return _behind_unknown_axes(shape, target)


def _per_row(shape: Shape, rest: Sequence[int | None], merged: bool) -> list[int] | None:
    """The target of the operator reshape, where every row is reshaped for itself."""
    open_ = rest.count(None)
    known = prod(n for n in rest if n is not None)
    have, symbols = _count(shape[1:]), sum(isinstance(n, str) for n in shape[1:])
    if open_ == 0:
        fits = have == known
    elif open_ == 1 and symbols == 0:
        fits = have is not None and have % known == 0 and not merged
    elif open_ == 1 and symbols == 1:
        fits = not merged or prod(n for n in shape[1:] if isinstance(n, int)) == known
    else:
        fits = False
    return [-1 if n is None else n for n in rest] if fits else None


def _merging(shape: Shape, rest: list[int]) -> _Steps | None:
    """Rows merged with the axes behind them."""
    last = max((k for k, n in enumerate(shape) if isinstance(n, str)), default=0)
    have, want = prod(n for n in shape[last + 1 :] if isinstance(n, int)), prod(rest)
    steps: _Steps = [("fold", last)] if last else []
    if have == want:
        return [*steps, ("reshape", rest)] if rest != list(shape[last + 1 :]) else steps
    if not want or have % want:
        return None
    for k in range(last + 1, len(shape)):  # axes as they are
        if list(shape[k + 1 :]) == rest:
            return [("fold", k)]
    return [*steps, ("reshape", [have // want, *rest]), ("fold", 1)]


def _behind_unknown_axes(shape: Shape, target: Sequence[int | None]) -> _Steps | None:
    """Several unknown axes that stay as they are, while what is behind them is reshaped."""
    last = max(k for k, n in enumerate(shape) if isinstance(n, str))
    if not 0 < last < len(target) or any(
        n is not None and n != m for n, m in zip(target[1 : last + 1], shape[1 : last + 1], strict=True)
    ):
        return None
    kept = _per_row((shape[0], *shape[last + 1 :]), target[last + 1 :], False)
    return None if kept is None else [("fold", last), ("reshape", kept), ("restore", last)]


def _rearranged(call: Call, x: Value, steps: _Steps) -> Value:
    like = x
    for op, argument in steps:
        if op == "restore":
            x = call.emit("unfold", [x, like], attributes={"axis": argument})
        else:
            x = call.emit(op, [x], attributes={"target_shape" if op == "reshape" else "axis": argument})
    return x


@composed("Rearrange")
def rearrange(call: Call, tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    left, _, right = pattern.partition("->")
    groups, made = _groups(left), _groups(right)
    sizes: dict[str, Any] = dict(axes_lengths)
    for group, n in zip(groups, tensor.shape, strict=True):
        open_ = [name for name in group if name not in sizes]
        for name in open_:
            sizes[name] = n if n is None else n // prod(sizes[other] for other in group if other != name)
    names = [name for group in groups for name in group]
    x = ops.reshape(tensor, [_merged(sizes[name] for name in [name]) for name in names])
    x = ops.transpose(x, [names.index(name) for group in made for name in group])
    return ops.reshape(x, [_merged(sizes[name] for name in group) for group in made])


def _groups(pattern: str) -> list[list[str]]:
    """The axes of a pattern of einops: each a list of the names that it is made of."""
    return [part.strip("()").split() for part in re.findall(r"\w+|\(.*?\)", pattern)]


def _merged(sizes: Iterable[int | None]) -> int:
    """The size of an axis, -1 where one of its parts is unknown."""
    parts = list(sizes)
    return -1 if None in parts else prod(n for n in parts if n is not None)
