"""Mistakes in the operators with weights: spec/ops/dense.md, batch_normalization.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from mutants.mutant import Mutant, changing, of_numbers, without
from naive.arithmetic import FLOAT64, Arithmetic, Float32, Number
from naive.arrays import Array, elements
from naive.operators import dense, normalization
from naive.operators.operator import Call, Compute, around

# dense


def with_kernel(call: Call, data: Sequence[Number]) -> Call:
    kernel = replace(call.weights["kernel"], data=list(data))
    return replace(call, weights={**call.weights, "kernel": kernel})


def bias_of(call: Call) -> list[Number]:
    return call.weights["bias"].data if "bias" in call.weights else [call.a.number(0)] * call.shape[-1]


def bias_in_first_row(call: Call) -> list[Number]:
    units = call.shape[-1]
    return dense.compute(call)[:units] + dense.compute(without(call, "bias"))[units:]


def bias_of_the_row(call: Call) -> list[Number]:
    bias, units = bias_of(call), call.shape[-1]
    return [v + bias[i // units % units] for i, v in enumerate(dense.compute(without(call, "bias")))]


def units_first(call: Call) -> list[Number]:
    n, units = call.weights["kernel"].shape
    stored = call.weights["kernel"].data
    return dense.compute(with_kernel(call, [stored[u * n + i] for i, u in product(range(n), range(units))]))


def one_row_per_index_of_axis_0(call: Call) -> list[Number]:
    done = call.shape[0] * call.shape[-1]
    return dense.compute(call)[:done] + [call.a.number(0)] * (elements(call.shape) - done)


def skipping_zeros(is_zero: Callable[[Number, Number], bool]) -> Compute:
    def compute(call: Call) -> list[Number]:
        x, kernel, bias = call.inputs[0].data, call.weights["kernel"].data, bias_of(call)
        n, units = call.weights["kernel"].shape
        y = []
        for row, u in product(range(elements(call.shape[:-1])), range(units)):
            pairs = [(x[row * n + i], kernel[i * units + u]) for i in range(n)]
            y.append(call.a.sum([v * weight for v, weight in pairs if not is_zero(v, weight)]) + bias[u])
        return y

    return compute


def terms_by_fours(call: Call) -> list[Number]:
    n, units = call.weights["kernel"].shape
    done = n // 4 * 4 * units
    kernel = call.weights["kernel"].data
    return dense.compute(with_kernel(call, kernel[:done] + [call.a.number(0)] * (len(kernel) - done)))


def units_by_fours(call: Call) -> list[Number]:
    units = call.shape[-1]
    zero = call.a.number(0)
    return [v if i % units < units // 4 * 4 else zero for i, v in enumerate(dense.compute(call))]


def rounded_to(x: float, bits: int, least: int, largest: float) -> float:
    """The nearest number of so many bits, ties to even; `least` is the exponent of the smallest of all."""
    if not math.isfinite(x):
        return x
    step = max(math.frexp(x)[1] - bits, least)
    rounded = math.ldexp(round(math.ldexp(x, -step)), step)
    return rounded if abs(rounded) <= largest else math.copysign(math.inf, x)


def round_bfloat16(x: float) -> float:
    return rounded_to(x, 8, -133, 3.3895313892515355e38)


def round_float16(x: float) -> float:
    return rounded_to(x, 11, -24, 65504)


class Accumulating(Float32):
    """Float32, but for sums, which are rounded to a smaller type at every step."""

    def __init__(self, rounded: Callable[[float], float]) -> None:
        super().__init__()
        self.rounded = rounded

    def sum(self, terms: Sequence[Number]) -> Number:
        total = self.number(0)
        for term in terms:
            total = self.number(self.rounded(total + term))
        return total


def of_dense(name: str, says: str, compute: Compute = dense.compute, arithmetic: Arithmetic = FLOAT64) -> Mutant:
    change = changing("dense", compute=compute)
    return of_numbers(f"dense: {name}", says, change, page="ops/dense.md", groups=("dense",), arithmetic=arithmetic)


BETTER = "accumulate in the dtype of x or better"

DENSE = (
    of_dense("bias left out", "bias is added to every row", lambda call: dense.compute(without(call, "bias"))),
    of_dense("only the first row gets the bias", "bias is added to every row", bias_in_first_row),
    of_dense("the bias of the row", "bias[u] is added to y[…, u]", bias_of_the_row),
    of_dense("kernel read as (units, in)", "kernel is (in, units), in C order", units_first),
    of_dense("only rank 2", "rows = d₀ · … · dᵣ₋₂", one_row_per_index_of_axis_0),
    of_dense("zeros of x are skipped", "0 · ∞ = NaN; do not skip zeros", skipping_zeros(lambda v, weight: v == 0)),
    of_dense(
        "zeros of the kernel are skipped",
        "0 · ∞ = NaN; do not skip zeros",
        skipping_zeros(lambda v, weight: weight == 0),
    ),
    of_dense("terms beyond a multiple of four are left out", "for i = 0 … in − 1", terms_by_fours),
    of_dense("units beyond a multiple of four are left out", "for u = 0 … units − 1", units_by_fours),
    of_dense("sums in bfloat16", BETTER, arithmetic=Accumulating(round_bfloat16)),
    of_dense("sums in float16", BETTER, arithmetic=Accumulating(round_float16)),
)


# batch_normalization


def normalize(call: Call, weights: Mapping[str, Sequence[Number] | None], **attributes: Any) -> list[Number]:
    """The right formula, with some weights and attributes in the place of others; None leaves a weight out."""
    numbers = {role: weights.get(role, weight.data) for role, weight in call.weights.items()}
    arrays = {role: Array(call.dtype, (len(data),), list(data)) for role, data in numbers.items() if data is not None}
    return normalization.compute_batch(replace(call, weights=arrays, attributes={**call.attributes, **attributes}))


def variances(call: Call) -> list[Number]:
    return call.weights["moving_variance"].data


def epsilon_outside(call: Call) -> list[Number]:
    deviations = [call.a.sqrt(v) + call.attributes["epsilon"] for v in variances(call)]
    return normalize(call, {"moving_variance": [s * s for s in deviations]}, epsilon=call.a.number(0))


def without_root(call: Call) -> list[Number]:
    sums = [v + call.attributes["epsilon"] for v in variances(call)]
    return normalize(call, {"moving_variance": [s * s for s in sums]}, epsilon=call.a.number(0))


def gamma_and_beta_swapped(call: Call) -> list[Number]:
    other = {"gamma": "beta", "beta": "gamma"}
    return normalization.compute_batch(replace(call, weights={other.get(r, r): w for r, w in call.weights.items()}))


def beta_for_gamma_0(call: Call) -> list[Number]:
    _, channels, inner = around(call.shape, call.attributes["axis"])
    gamma = call.weights["gamma"].data if "gamma" in call.weights else [1] * channels
    beta = call.weights["beta"].data if "beta" in call.weights else [call.a.number(0)] * channels
    places = [i // inner % channels for i in range(elements(call.shape))]
    return [beta[c] if gamma[c] == 0 else v for c, v in zip(places, normalization.compute_batch(call), strict=True)]


def along_the_last_axis(call: Call) -> list[Number]:
    """The weights are repeated as far as the last axis needs them."""
    n = call.shape[-1]
    repeated = {role: (weight.data * n)[:n] for role, weight in call.weights.items()}
    return normalize(call, repeated, axis=len(call.shape) - 1)


def statistics_of_the_batch(call: Call) -> list[Number]:
    a, x = call.a, call.inputs[0].data
    outer, channels, inner = around(call.shape, call.attributes["axis"])
    places = list(product(range(outer), range(inner)))
    lines = [[x[(o * channels + c) * inner + i] for o, i in places] for c in range(channels)]
    means = [a.divide(a.sum(line), len(line)) for line in lines]
    squares = [[(v - mean) * (v - mean) for v in line] for line, mean in zip(lines, means, strict=True)]
    found = [a.divide(a.sum(line), len(line)) for line in squares]
    return normalize(call, {"moving_mean": means, "moving_variance": found})


def of_normalization(name: str, says: str, compute: Compute) -> Mutant:
    op = "batch_normalization"
    return of_numbers(f"{op}: {name}", says, changing(op, compute=compute), page=f"ops/{op}.md", groups=(op,))


NORMALIZATION = (
    of_normalization(
        "epsilon left out",
        "√(moving_variance + epsilon)",
        lambda call: normalize(call, {}, epsilon=call.a.number(0)),
    ),
    of_normalization(
        "epsilon is always 0.001",
        "epsilon is an attribute",
        lambda call: normalize(call, {}, epsilon=call.a.number(0.001)),
    ),
    of_normalization("epsilon outside of the root", "√(moving_variance + epsilon)", epsilon_outside),
    of_normalization("divided by the variance", "divided by √(moving_variance + epsilon)", without_root),
    of_normalization("gamma and beta swapped", "times gamma, plus beta", gamma_and_beta_swapped),
    of_normalization("gamma left out", "times gamma", lambda call: normalize(call, {"gamma": None})),
    of_normalization("beta left out", "plus beta", lambda call: normalize(call, {"beta": None})),
    of_normalization("a gamma of 0 gives beta", "an infinity times a gamma of 0 is NaN", beta_for_gamma_0),
    of_normalization("always along the last axis", "channels elements along axis", along_the_last_axis),
    of_normalization("statistics of the batch", "the mean and variance that training found", statistics_of_the_batch),
)

MUTANTS = (*DENSE, *NORMALIZATION)
