"""Sums of products of two values or more: matmul, dot, tensordot, inner, outer, einsum, cross."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.operands import as_tensor, common_dtype, composed, operands, pair, promoted
from nnpack.exporters.keras.registry import handles
from nnpack.exporters.keras.shapes import permuted
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS
from nnpack.format.limits import BATCH


@handles("Matmul")
def matmul(call: Call) -> Value:
    x1, x2 = pair(call).values()
    ranks = [_rank(call, x) for x in (x1, x2)]
    if 1 in ranks:
        left, right = _labels_of_matmul(*ranks)
        return contracted(call, [x1, x2], [left, right], "".join(k for k in left + right if k != "z"))
    dtype = _declared(call, x1, x2)
    kernel = _as_kernel(x2)
    if kernel is not None and isinstance(x1, Ref) and isinstance(call.value(x1).shape[-1], int):
        (x,) = operands(call, _computed(dtype), x1=x1)
        return call.cast(call.emit("dense", [x], {"kernel": call.weight(kernel, _computed(dtype))}), dtype)
    leading = string.ascii_lowercase[: max(ranks) - 2]
    values = operands(call, _computed(dtype), x1=x1, x2=x2)
    labels = [leading[max(ranks) - rank :] + own for rank, own in zip(ranks, ("yz", "zx"), strict=True)]
    return call.cast(call.emit("matmul", _met(call, values, labels)), dtype)


def _as_kernel(x: Any) -> Any:
    """A constant matrix, a variable or an array, which can be the kernel of `dense`; None for others."""
    if isinstance(x, Ref):
        return None
    matrix = x if isinstance(x, keras.Variable) else as_tensor(x)
    return matrix if len(matrix.shape) == 2 else None


def _labels_of_matmul(rank1: int, rank2: int) -> tuple[str, str]:
    """The labels of a product of which one operand is a vector."""
    outer = string.ascii_lowercase
    if rank2 == 1:
        return outer[: rank1 - 1] + "z", "z"
    return "z", f"{outer[: rank2 - 2]}z{outer[rank2 - 2]}"


@handles("Dot")
def dot(call: Call) -> Value:
    x1, x2 = pair(call).values()
    ranks = [_rank(call, x) for x in (x1, x2)]
    if 0 in ranks:
        return _scaled(call, x1, x2)
    return _tensordot(call, x1, x2, [ranks[0] - 1], [max(ranks[1] - 2, 0)])


def _scaled(call: Call, x1: Any, x2: Any) -> Value:
    """A product with a number."""
    dtype = common_dtype(call, x1, x2)
    return call.cast(call.emit("multiply", operands(call, _computed(dtype), x1=x1, x2=x2)), dtype)


@handles("Inner")
def inner(call: Call) -> Value:
    x1, x2 = pair(call).values()
    ranks = [_rank(call, x) for x in (x1, x2)]
    if 0 in ranks:
        return _scaled(call, x1, x2)
    return _tensordot(call, x1, x2, [ranks[0] - 1], [ranks[1] - 1])


@handles("Tensordot")
def tensordot(call: Call) -> Value:
    x1, x2 = pair(call).values()
    rank, axes = _rank(call, x1), call.operation.axes
    if isinstance(axes, int):
        return _tensordot(call, x1, x2, list(range(rank - axes, rank)), list(range(axes)))
    first, second = ([part] if isinstance(part, int) else list(part) for part in axes)
    return _tensordot(call, x1, x2, first, second)


def _tensordot(call: Call, x1: Any, x2: Any, axes1: Sequence[int], axes2: Sequence[int]) -> Value:
    rank1, rank2 = _rank(call, x1), _rank(call, x2)
    left = list(string.ascii_lowercase[:rank1])
    right = list(string.ascii_lowercase[rank1 : rank1 + rank2])
    for k, m in zip(axes1, axes2, strict=True):
        right[m] = left[k]
    made = [label for label in left + right if (label in left) != (label in right)]
    return contracted(call, [x1, x2], ["".join(left), "".join(right)], "".join(made))


@composed("Outer")
def outer(call: Call, x1: Any, x2: Any) -> Any:
    x1, x2 = promoted(x1, x2)
    return ops.reshape(x1, (-1, 1)) * ops.reshape(x2, (-1,))


@composed("Cross")
def cross(call: Call, x1: Any, x2: Any) -> Any:
    given = call.operation
    axes = (given.axisa, given.axisb, given.axisc) if getattr(given, "axis", None) is None else (given.axis,) * 3
    x1, x2 = promoted(x1, x2)
    x1, x2 = ops.moveaxis(x1, axes[0], -1), ops.moveaxis(x2, axes[1], -1)
    sizes = x1.shape[-1], x2.shape[-1]
    if any(n not in (2, 3) for n in sizes):
        raise call.refuse(f"vectors of {sizes[0]} and {sizes[1]} elements", "vectors of 2 or 3 elements")
    a, b = ([x[..., k] if k < n else None for k in range(3)] for x, n in zip((x1, x2), sizes, strict=True))
    if sizes == (2, 2):
        return _minor(a, b, 0, 1)
    made = ops.stack([_minor(a, b, 1, 2), _minor(a, b, 2, 0), _minor(a, b, 0, 1)], axis=-1)
    return ops.moveaxis(made, -1, axes[2])


def _minor(a: Sequence[Any], b: Sequence[Any], i: int, j: int) -> Any:
    """aᵢ·bⱼ − aⱼ·bᵢ, where None is 0; not both products are."""
    if a[i] is None or b[j] is None:
        return -(a[j] * b[i])
    if a[j] is None or b[i] is None:
        return a[i] * b[j]
    return a[i] * b[j] - a[j] * b[i]


# einsum


@handles("Einsum")
def einsum(call: Call) -> Value:
    sources, made = labels_of(call, call.operation.subscripts, [_rank(call, x) for x in call.args])
    return contracted(call, call.args, sources, made)


def labels_of(call: Call, subscripts: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The labels of each operand and of the result; an ellipsis becomes letters that the equation does not use."""
    left, arrow, made = subscripts.replace(" ", "").partition("->")
    sources = left.split(",")
    if len(sources) != len(ranks):
        raise call.refuse(f"the equation {subscripts!r} of {len(ranks)} operands", "as many operands as it names")
    hidden = [
        rank - len(source.replace("...", "")) if "..." in source else 0
        for source, rank in zip(sources, ranks, strict=True)
    ]
    names = "".join(letter for letter in string.ascii_letters if letter not in subscripts)[: max(hidden)]
    sources = [source.replace("...", names[len(names) - n :]) for source, n in zip(sources, hidden, strict=True)]
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        made = "..." + "".join(sorted(label for label in set(letters) if letters.count(label) == 1))
    return sources, made.replace("...", names)


def contracted(call: Call, xs: Sequence[Any], sources: Sequence[str], made: str) -> Value:
    """A sum of products along labelled axes; more than two operands are multiplied one after the other."""
    dtype = _declared(call, *xs)
    values = operands(call, _computed(dtype), **{f"x{i}": x for i, x in enumerate(xs, 1)})
    for source in (*sources, made):
        if len(set(source)) < len(source) or not set(source) <= set("".join(sources)):
            raise call.refuse(f"the labels {source!r} of {','.join(sources)}->{made}", "labels that occur once in each")
    value, labels = values[0], sources[0]
    if len(values) == 1:
        return call.cast(_arranged(call, value, labels, made), dtype)
    for i, (other, others) in enumerate(zip(values[1:], sources[1:], strict=True), 2):
        value, labels = _joined(call, value, labels, other, others, [*sources[i:], made])
    return call.cast(value, dtype)


def _arranged(call: Call, x: Value, labels: str, made: str) -> Value:
    """One operand: a sum of the axes that the result has not, and the others in its order."""
    axes = [call.axis(k, len(labels)) for k, label in enumerate(labels) if label not in made]
    if axes:
        x = call.emit("sum", [x], attributes={"axes": axes, "keepdims": False})
    left = [label for label in labels if label in made]
    return permuted(call, x, [left.index(label) for label in made])


def _joined(call: Call, x1: Value, left: str, x2: Value, right: str, rest: Sequence[str]) -> tuple[Value, str]:
    """The product of two operands, with the labels that the rest needs."""
    (x1, left), (x2, right) = _without_ones(call, x1, left, x2, right), _without_ones(call, x2, right, x1, left)
    x1, x2 = _met(call, [x1, x2], [left, right])
    made = rest[0]
    if len(rest) > 1:
        sizes = dict(zip(left + right, x1.shape + x2.shape, strict=True))
        kept = [label for label in sizes if label in "".join(rest)]
        made = "".join(sorted(kept, key=lambda label: sizes[label] != BATCH))  # the batch comes first
    return call.emit("einsum", [x1, x2], attributes={"equation": f"{left},{right}->{made}"}), made


def _without_ones(call: Call, x: Value, labels: str, other: Value, others: str) -> tuple[Value, str]:
    """x without the axes of one element that broadcast along the other operand's."""
    sizes = dict(zip(others, other.shape, strict=True))
    axes = [k for k, label in enumerate(labels) if x.shape[k] == 1 and sizes.get(label, 1) != 1]
    if not axes:
        return x, labels
    y = call.emit("squeeze", [x], attributes={"axes": axes})
    return y, "".join(label for k, label in enumerate(labels) if k not in axes)


def _met(call: Call, values: Sequence[Value], labels: Sequence[str]) -> list[Value]:
    """The values, with one symbol for unknown dimensions that share a label: that of the last of them."""
    return call.export.unify_labels(values[::-1], labels[::-1])[::-1]


# Dtypes


def _declared(call: Call, *xs: Any) -> str:
    """The dtype that Keras answers in: int32 for products of int8, but of vectors."""
    dtype = common_dtype(call, *xs)
    matrices = call.class_name == "Einsum" or (call.class_name == "Matmul" and 1 not in [_rank(call, x) for x in xs])
    if dtype == "uint8" or (dtype == "int8" and not matrices):
        raise call.refuse(f"sums of products of {dtype}, which overflow", "operands of int32 or of floats")
    return "int32" if dtype == "int8" else dtype


def _computed(dtype: str) -> str:
    """What integers are multiplied in, exactly: float64 holds every sum that int32 does."""
    return dtype if dtype in FLOATS else "float64"


def _rank(call: Call, x: Any) -> int:
    if isinstance(x, Ref):
        return len(call.value(x).shape)
    return len(x.shape if isinstance(x, keras.Variable) else as_tensor(x).shape)
