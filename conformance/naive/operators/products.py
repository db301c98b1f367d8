"""spec/ops: matmul.md, einsum.md: products of two values, summed."""

from __future__ import annotations

import re
from typing import Any

from naive.arithmetic import Number
from naive.arrays import FLOATS, elements
from naive.errors import require
from naive.operators.elementwise import broadcast, check_rows, places
from naive.operators.operator import Call, Operator, Site, Type, check_dtype

LABELS = re.compile("([a-zA-Z]{1,8}),([a-zA-Z]{1,8})->([a-zA-Z]{0,8})")


def check_dtypes(site: Site) -> None:
    x1, x2 = site.inputs
    check_dtype(x1, FLOATS)
    require(x2.dtype == x1.dtype, "dtype-mismatch", "/inputs/1", x1.dtype, x2.dtype)


def infer_matmul(site: Site) -> Type:
    x1, x2 = site.inputs
    check_dtypes(site)  # C1
    for k, x in enumerate(site.inputs):
        require(len(x.shape) >= 2, "rank-range", f"/inputs/{k}", "at least 2 dimensions", x.shape)  # C2
    same = x1.shape[-1] == x2.shape[-2]
    require(same, "operand-shape", "/inputs/1", f"{x1.shape[-1]} as last dimension but one", x2.shape)  # C3
    shape = (*broadcast(x1.shape[:-2], x2.shape[:-2]), x1.shape[-2], x2.shape[-1])  # C4
    check_rows(shape)  # C5
    return Type(x1.dtype, shape)


def compute_matmul(call: Call) -> list[Number]:
    x1, x2 = call.inputs
    *leading, m, n = call.shape
    k = x1.shape[-1]
    y = []
    for p, q in places(tuple(leading), [x1.shape[:-2], x2.shape[:-2]]):
        for i in range(m):
            for j in range(n):
                terms = [x1.data[(p * m + i) * k + t] * x2.data[(q * k + t) * n + j] for t in range(k)]
                y.append(call.a.sum(terms))
    return y


def check_equation(x: Any, at: str) -> None:
    require(isinstance(x, str), "wrong-type", at, "a string", x)
    found = LABELS.fullmatch(x)
    require(found is not None, "wrong-value", at, "labels, a comma, labels, ->, labels", x)
    first, second, out = labels(x)
    once = all(len(set(part)) == len(part) for part in (first, second, out))
    require(once and set(out) <= {*first, *second}, "wrong-value", at, "each label once, those of y in x1 or x2", x)


def labels(equation: str) -> list[str]:
    """Those of x1, of x2, and of y."""
    return re.split(",|->", equation)


def infer_einsum(site: Site) -> Type:
    check_dtypes(site)  # C1
    *operands, out = labels(site.attributes["equation"])
    dimensions: dict[str, int | str] = {}
    for k, (x, names) in enumerate(zip(site.inputs, operands, strict=True)):
        at = f"/inputs/{k}"
        require(len(x.shape) == len(names), "rank-range", at, f"{len(names)} dimensions", x.shape)  # C2
        for label, n in zip(names, x.shape, strict=True):
            known = dimensions.setdefault(label, n)
            require(known == n, "operand-shape", at, f"{known} for {label}", n)  # C3
            require(n != "batch" or out[:1] == label, "batch-axis", at, f"{label} first in y", out)  # C4
    return Type(site.inputs[0].dtype, tuple(dimensions[label] for label in out))


def compute_einsum(call: Call) -> list[Number]:
    x1, x2 = call.inputs
    first, second, out = labels(call.attributes["equation"])
    n = {**dict(zip(first, x1.shape, strict=True)), **dict(zip(second, x2.shape, strict=True))}
    summed = [label for label in n if label not in out]
    y = []
    for o in range(elements(call.shape)):
        at = index_of(o, list(out), n)
        terms = []
        for t in range(elements(n[label] for label in summed)):
            at.update(index_of(t, summed, n))
            terms.append(x1.data[place_of(at, first, n)] * x2.data[place_of(at, second, n)])
        y.append(call.a.sum(terms))
    return y


def index_of(place: int, names: list[str], n: dict[str, int]) -> dict[str, int]:
    """What each label stands for at a place, the last one running fastest."""
    found = {}
    for label in reversed(names):
        place, found[label] = divmod(place, n[label])
    return found


def place_of(index: dict[str, int], names: str, n: dict[str, int]) -> int:
    at = 0
    for label in names:
        at = at * n[label] + index[label]
    return at


OPERATORS = {
    "matmul@1": Operator(infer_matmul, compute_matmul, inputs=(2, 2)),
    "einsum@1": Operator(infer_einsum, compute_einsum, inputs=(2, 2), attributes={"equation": check_equation}),
}
