"""spec/ops/dense.md: a matrix and a bias."""

from __future__ import annotations

from naive.arithmetic import Number
from naive.arrays import elements
from naive.errors import require
from naive.operators.operator import Call, Operator, Site, Type, check_float
from naive.operators.weights import check_weight_dtypes, check_weight_shape


def infer(site: Site) -> Type:
    (x,) = site.inputs
    check_float(x)  # C1
    check_weight_dtypes(site)  # C1
    require(len(x.shape) >= 2, "rank-range", "/inputs/0", "at least 2 dimensions", x.shape)  # C2
    require(isinstance(x.shape[-1], int), "rank-range", "/inputs/0", "a number as last dimension", x.shape)  # C2
    kernel = site.weights["kernel"].shape
    fits = len(kernel) == 2 and kernel[0] == x.shape[-1]
    require(fits, "weight-shape", "/weights/kernel", f"({x.shape[-1]}, units)", kernel)  # C3
    check_weight_shape(site, "bias", kernel[1:])  # C4
    return Type(x.dtype, (*x.shape[:-1], kernel[1]))


def compute(call: Call) -> list[Number]:
    x, kernel = call.inputs[0].data, call.weights["kernel"].data
    bias = call.weights["bias"].data if "bias" in call.weights else None
    n, units = call.weights["kernel"].shape
    y = []
    for row in range(elements(call.shape[:-1])):
        for u in range(units):
            total = call.a.sum([x[row * n + i] * kernel[i * units + u] for i in range(n)])
            if bias is not None:
                total = total + bias[u]
            y.append(total)
    return y


OPERATORS = {"dense@1": Operator(infer, compute, weights={"kernel": True, "bias": False})}
