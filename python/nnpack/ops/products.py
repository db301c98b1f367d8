"""matmul, einsum: sums of products of two values."""

from __future__ import annotations

import re
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nnpack.errors import FormatError
from nnpack.format.document import Dimension, show
from nnpack.format.limits import BATCH, RANK
from nnpack.ops.operator import Attribute, Call, Made, broadcast, operator, require_float, require_rank, summed

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _matmul_types(call: Call) -> Made:
    dtype = require_float(call)
    for i in range(2):
        require_rank(call, i, 2)
    x1, x2 = call.inputs
    if x1.shape[-1] != x2.shape[-2]:
        raise FormatError("operand-shape", "/inputs/1", f"(…, {x1.shape[-1]}, any)", show(x2.shape))
    leading = broadcast(call._replace(inputs=tuple(x._replace(shape=x.shape[:-2]) for x in call.inputs)))
    shape = (*leading, x1.shape[-2], x2.shape[-1])
    if BATCH in shape[1:]:
        shapes = f"{show(x1.shape)} and {show(x2.shape)}"
        raise FormatError("batch-axis", "/inputs", f"{BATCH!r} to stay the first dimension", shapes)
    return dtype, shape


def _matmul_rounding(y: Array, x1: Array, x2: Array) -> Array:
    return summed(matmul(np.abs(x1), np.abs(x2)), x1.shape[-1])


@operator(_matmul_types, _matmul_rounding, inputs=2)
def matmul(x1: Array, x2: Array) -> Array:
    """(…, m, k) · (…, k, n) -> (…, m, n). Source: spec/ops/matmul.md."""
    if x2.ndim == 2:  # one large product is what BLAS is fast at; a stack of small ones is not
        y: Array = x1.reshape(prod(x1.shape[:-1]), x1.shape[-1]) @ x2
        return y.reshape(*x1.shape[:-1], x2.shape[-1])
    return np.matmul(x1, x2)


_EQUATION = re.compile(f"([A-Za-z]{{1,{RANK}}}),([A-Za-z]{{1,{RANK}}})->([A-Za-z]{{0,{RANK}}})")


def _labels(equation: str) -> list[str]:
    """The labels of the first operand, of the second, of the result; nothing where it is no equation."""
    match = _EQUATION.fullmatch(equation)
    return list(match.groups()) if match else []


def _is_equation(equation: str) -> bool:
    labels = _labels(equation)
    return (
        bool(labels)
        and all(len(set(part)) == len(part) for part in labels)
        and set(labels[2]) <= {*labels[0], *labels[1]}
    )


EQUATION = Attribute("an equation such as ab,bc->ac", lambda item: type(item) is str, _is_equation)


def _einsum_types(call: Call) -> Made:
    dtype = require_float(call)
    *operands, made = _labels(call.attributes["equation"])
    sizes: dict[str, Dimension] = {}
    for i, (x, labels) in enumerate(zip(call.inputs, operands, strict=True)):
        require_rank(call, i, len(labels), len(labels))
        for label, n in zip(labels, x.shape, strict=True):
            if sizes.setdefault(label, n) != n:
                raise FormatError("operand-shape", f"/inputs/{i}", f"{label} = {sizes[label]}", show(x.shape))
    for i, (x, labels) in enumerate(zip(call.inputs, operands, strict=True)):
        if x.shape[0] == BATCH and labels[0] != made[:1]:
            raise FormatError("batch-axis", f"/inputs/{i}", f"{BATCH!r} to be the first dimension of the result", made)
    return dtype, tuple(sizes[label] for label in made)


def _einsum_rounding(y: Array, x1: Array, x2: Array, equation: str) -> Array:
    left, right, made = _labels(equation)
    sizes = dict(zip(left + right, x1.shape + x2.shape, strict=True))
    terms = prod(n for label, n in sizes.items() if label not in made)
    return summed(einsum(np.abs(x1), np.abs(x2), equation), terms)


def _grouped(x: Array, labels: str, *groups: str) -> Array:
    """x with one axis for each group of labels; labels of no group are summed."""
    alone = tuple(k for k, label in enumerate(labels) if label not in "".join(groups))
    if alone:
        x = x.sum(axis=alone)
        labels = "".join(label for k, label in enumerate(labels) if k not in alone)
    x = x.transpose([labels.index(label) for group in groups for label in group])
    ends = np.cumsum([0, *map(len, groups)])
    return x.reshape([prod(x.shape[a:b]) for a, b in pairwise(ends)])


@operator(_einsum_types, _einsum_rounding, inputs=2, attributes={"equation": EQUATION})
def einsum(x1: Array, x2: Array, equation: str) -> Array:
    """A sum of products along named axes, as one stack of matrix products. Source: spec/ops/einsum.md."""
    left, right, made = _labels(equation)
    shared = "".join(label for label in made if label in left and label in right)
    rows = "".join(label for label in made if label not in right)
    columns = "".join(label for label in made if label not in left)
    inner = "".join(label for label in left if label in right and label not in made)
    a, b = _grouped(x1, left, shared, rows, inner), _grouped(x2, right, shared, inner, columns)
    y: Array = a @ b if inner else a * b
    sizes = dict(zip(left + right, x1.shape + x2.shape, strict=True))
    order = shared + rows + columns
    return y.reshape([sizes[label] for label in order]).transpose([order.index(label) for label in made])
