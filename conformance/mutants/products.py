"""Mistakes in products: matmul and einsum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mutants.moving import computing, mistake, taking
from mutants.mutant import changing, of_faults, of_numbers
from mutants.weighted import Accumulating, round_bfloat16
from naive.arithmetic import Number
from naive.arrays import Array, elements
from naive.errors import require
from naive.operators import products
from naive.operators.moving import indices
from naive.operators.operator import Call, Compute

TERMS = "y[…, i, j] = Σₗ x1[…, i, l] · x2[…, l, j]"
LEADING = "the leading dimensions of y are walked as in elementwise arithmetic"
ZEROS = "do not skip zeros"
SUMMED = "y[labels of y] = Σ over all s₁, …, sₖ of x1[labels of x1] · x2[labels of x2]"
ORDER = "the dimensions of the labels of y, in their order"
BETTER = "accumulate in the dtype of x1 or better"

right_places = products.places


def turned(x: Array) -> Array:
    """The last two axes read in the other order, in the same shape."""
    m, n = x.shape[-2:]
    start = range(0, len(x.data), max(m * n, 1))
    return replace(x, data=[x.data[at + j * m + i] for at in start for i in range(m) for j in range(n)])


def multiplying(change: Callable[[Array, Array], list[Array]]) -> Callable[[Call], list[Number]]:
    return lambda call: products.compute_matmul(replace(call, inputs=change(*call.inputs)))


def first_matrices(shape: tuple[int, ...], operands: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """The second value has one matrix for all."""
    return [(p, 0) for p, _ in right_places(shape, operands)]


def one_by_one(shape: tuple[int, ...], operands: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Matrices that end are begun anew."""
    first, second = (max(elements(operand), 1) for operand in operands)
    return [(k % first, k % second) for k in range(elements(shape))]


class Sparse(float):
    """A number whose 0 makes every product 0, that with NaN and infinities too."""

    def __mul__(self, other: float) -> float:
        return 0.0 if self == 0 or other == 0 else float(self) * float(other)


def skipping_zeros(compute: Compute) -> Compute:
    return lambda call: compute(
        replace(call, inputs=[replace(x, data=[Sparse(v) for v in x.data]) for x in call.inputs])
    )


MATMUL = (
    computing("matmul: the second by its columns", TERMS, multiplying(lambda x1, x2: [x1, turned(x2)])),
    computing("matmul: the first by its columns", TERMS, multiplying(lambda x1, x2: [turned(x1), x2])),
    mistake("matmul: the first matrix for all", LEADING, patch.object(products, "places", first_matrices)),
    mistake("matmul: matrices that end are begun anew", LEADING, patch.object(products, "places", one_by_one)),
    computing("matmul: zeros are skipped", ZEROS, skipping_zeros(products.compute_matmul)),
    of_numbers(
        "matmul: sums in bfloat16",
        BETTER,
        page="ops/matmul.md",
        groups=("matmul",),
        arithmetic=Accumulating(round_bfloat16),
    ),
    taking(
        "matmul: any numbers of terms", "the last dimension of x1 is the last but one of x2", products, "operand-shape"
    ),
)


# einsum


def ordered(key: Callable[[str, str], int]) -> Compute:
    """The result has its labels in another order, but is declared as it should be.

    Args:
        key: (label, those of both inputs) -> where it belongs.
    """

    def compute(call: Call) -> list[Number]:
        first, second, out = products.labels(call.attributes["equation"])
        made = "".join(sorted(out, key=lambda label: key(label, first + second)))
        return products.compute_einsum(replace(call, attributes={"equation": f"{first},{second}->{made}"}))

    return compute


def without_lone_sums(call: Call) -> list[Number]:
    """Of an axis that one input alone has and y has not, the first element."""
    *inputs, out = products.labels(call.attributes["equation"])
    shared = {*inputs[0]} & {*inputs[1]}
    narrow = []
    for x, names in zip(call.inputs, inputs, strict=True):
        lone = [label not in shared and label not in out for label in names]
        places = [indices(k, x.shape) for k in range(len(x.data))]
        first = [not any(i for i, alone in zip(index, lone, strict=True) if alone) for index in places]
        shape = tuple(1 if alone else n for n, alone in zip(x.shape, lone, strict=True))
        narrow.append(Array(x.dtype, shape, [v for v, keep in zip(x.data, first, strict=True) if keep]))
    return products.compute_einsum(replace(call, inputs=narrow))


def any_labels(x: Any, at: str) -> None:
    """Labels are not looked at, but for where they may stand."""
    require(isinstance(x, str), "wrong-type", at, "a string", x)
    require(products.LABELS.fullmatch(x) is not None, "wrong-value", at, "labels, a comma, labels, ->, labels", x)


EINSUM = (
    computing("einsum: labels in the order of the inputs", ORDER, ordered(lambda label, names: names.index(label))),
    computing("einsum: labels in the order of the alphabet", ORDER, ordered(lambda label, _: ord(label))),
    computing("einsum: sums over labels of both inputs alone", SUMMED, without_lone_sums),
    computing("einsum: zeros are skipped", ZEROS, skipping_zeros(products.compute_einsum)),
    of_numbers(
        "einsum: sums in bfloat16",
        BETTER,
        page="ops/einsum.md",
        groups=("einsum",),
        arithmetic=Accumulating(round_bfloat16),
    ),
    of_faults(
        "einsum: labels twice, or out of nothing",
        "no label occurs twice among those of x1, those of x2 or those of y, and each label of y is one of x1 or of x2",
        changing("einsum", attributes={"equation": any_labels}),
        page="ops/einsum.md",
        groups=("einsum",),
    ),
    taking(
        "einsum: any dimension for a label", "a label stands for the same dimension in both", products, "operand-shape"
    ),
    taking("einsum: the batch anywhere", "the label of that axis is the first one of y", products, "batch-axis"),
)

MUTANTS = (*MATMUL, *EINSUM)
