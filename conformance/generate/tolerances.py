"""How far a right float32 computation may be from the exact result, per element: spec/accuracy.md.

An operator's class is the one that its page names. Every rule answers in units of u, the roundoff of the dtype (2^-24
for float32). The tolerance is for one operator on its own. The deviation, one standard deviation of the rounding, is
what a network's tolerance is made from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from generate import (
    pages,
    scalar,
    tolerances_elementwise,
    tolerances_normalization,
    tolerances_products,
    tolerances_spatial,
)
from generate.case import SEED
from naive.arithmetic import Arithmetic
from naive.operators import OPERATORS
from naive.operators.recurrent import ACTIVATIONS

ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}
FLOOR = {"float32": 2.0**-126, "float64": 2.0**-1022}

RUNS = 32
"""Of a computation with noise, where rounding is sampled."""

DEVIATIONS = 8
"""What is allowed then."""

SAMPLED_BITS = 4
"""Of a tolerance that was sampled."""

Function = Callable[[Any], Any]
"""The operator as a function of its first input, exact."""

Rule = Callable[..., Any]
"""(y, *inputs, function, **weights and attributes) -> an array like y."""


def rounded_up(tolerance: Any, bits: int) -> Any:
    """To this many bits, so that it is the same number on every machine."""
    mantissa, exponent = np.frexp(tolerance)
    return np.ldexp(np.ceil(mantissa * 2**bits) / 2**bits, exponent)


@dataclass(frozen=True)
class Tolerance:
    """A class of tolerances: its name in case.json, its rule, and how what the rule found is read."""

    name: str
    rule: Rule

    def tolerance(self, found: Any) -> Any:
        return found

    def deviation(self, found: Any) -> Any:
        return found / 8


@dataclass(frozen=True)
class Sum(Tolerance):
    """A sum: the rule answers A, the same formula on absolute values, and K, the number of terms."""

    def tolerance(self, found: Any) -> Any:
        magnitude, terms = found
        return magnitude * (4 + 2 * np.sqrt(terms))

    def deviation(self, found: Any) -> Any:
        magnitude, terms = found
        return magnitude * (1 + np.sqrt(terms) / 4)


@dataclass(frozen=True)
class Unrolled(Tolerance):
    """A loop: the rule answers a list, for each output the deviation that was sampled."""

    def tolerance(self, found: Any) -> Any:
        return [rounded_up(DEVIATIONS * deviation, SAMPLED_BITS) for deviation in found]

    def deviation(self, found: Any) -> Any:
        return found


@cache
def of(op: str) -> Tolerance:
    """The class of an operator, by its page."""
    described = pages.operator(op)
    if op in OWN:
        return OWN[op]
    (name,) = described.tolerances
    if name == "sum":
        return Sum(name, SUMS[op])
    if name == "unrolled":
        return Unrolled(name, partial(_unrolled, op=op))
    if name == "smooth":
        return Tolerance(name, partial(_smooth, cancelling=CANCELLING[described.cancelling]))
    return Tolerance(name, SIMPLE[name])


def _exact(y: Any, *_: Any, **__: Any) -> Any:
    return np.zeros(np.shape(y))


def _rounded(y: Any, *_: Any, **__: Any) -> Any:
    return 8 * np.abs(y)


SIMPLE = {"exact": _exact, "rounded": _rounded}


# Sums


def _dense(y: Any, x: Any, kernel: Any, bias: Any = None, **_: Any) -> tuple[Any, int]:
    magnitude = np.einsum("...i,io->...o", np.abs(x), np.abs(kernel))
    return (magnitude, len(kernel)) if bias is None else (magnitude + np.abs(bias), len(kernel) + 1)


def _batch_normalization(
    y: Any,
    x: Any,
    moving_mean: Any,
    moving_variance: Any,
    gamma: Any = 1.0,
    beta: Any = 0.0,
    *,
    axis: int,
    epsilon: float,
    **_: Any,
) -> tuple[Any, int]:
    x = np.moveaxis(np.abs(x), axis, -1)
    magnitude = (x + np.abs(moving_mean)) * np.abs(gamma) / np.sqrt(moving_variance + epsilon) + np.abs(beta)
    return np.moveaxis(magnitude, -1, axis), 3


def _sparsemax(y: Any, x: Any, axis: int, cumulative: bool = False, **_: Any) -> tuple[Any, int]:
    x = np.moveaxis(x, axis, -1)
    n = x.shape[-1]
    descending = -np.sort(-x, axis=-1)
    kept = descending - (np.cumsum(descending, -1) - 1) / np.arange(1, n + 1) > 0
    sizes = np.cumsum(np.abs(descending), -1) if cumulative else np.abs(descending)
    sums = np.sum(sizes, -1, keepdims=True, where=kept)
    return np.moveaxis(np.abs(x) + (1 + sums) / kept.sum(-1, keepdims=True), -1, axis), n


SUMS = {
    "dense": _dense,
    "batch_normalization": _batch_normalization,
    "sparsemax": _sparsemax,
    "cumulative_sparsemax": partial(_sparsemax, cumulative=True),
    **tolerances_elementwise.SUMS,
    **tolerances_spatial.SUMS,
    **tolerances_products.SUMS,
}


# Functions


def _smooth(y: Any, x: Any, function: Function, cancelling: Callable[..., Any], **attributes: Any) -> Any:
    """|y| + |x·f'(x)| + M, the derivative by a central difference of the exact function."""
    step = 2.0**-20
    rise = function(x * (1 + step)) - function(x * (1 - step))
    return 8 * (np.abs(y) + np.abs(rise) / (2 * step) + cancelling(x, **attributes))


def _nothing(x: Any, **_: Any) -> Any:
    return np.zeros(x.shape)


def _size(x: Any, **_: Any) -> Any:
    """M of a formula that subtracts numbers of the size of x."""
    return np.abs(x)


def _below_zero(x: Any, alpha: float = 1.6732632423543772, **_: Any) -> Any:
    """M of alpha · (exp(x) - 1), computed as it stands."""
    return np.where(x < 0, abs(alpha), 0.0)


def _underflow(x: Any, **_: Any) -> Any:
    """M of a product with x whose other factor may be flushed to 0: |x| times the smallest normal number, in u."""
    return np.abs(x) * 2.0**-102


CANCELLING = {
    "": _nothing,
    "\\|x\\|": _size,
    "\\|x\\| · 2⁻¹⁰²": _underflow,
    "\\|alpha\\| where x < 0": _below_zero,
    "alpha where x < 0": _below_zero,
}
"""M as a page writes it -> its function."""


# Loops


class Noting(Arithmetic):
    """Float64, which notes the scale of each site of a loop, in the order in which the loop comes by."""

    def __init__(self) -> None:
        self.scales: list[float] = []

    def site(self, terms: Sequence[float], count: int) -> float:
        self.scales.append(sum(map(abs, terms)) * (1 + math.sqrt(count) / 4))
        return self.sum(terms)

    def activated(self, name: str, x: list[float], y: list[float]) -> list[float]:
        def function(v: Any) -> Any:
            return scalar.float64(name, [v], {}, ACTIVATIONS[name])

        rounding = of(name)
        found = rounding.rule(np.array([y]), np.array([x]), function=function, **ACTIVATIONS[name])
        self.scales += rounding.deviation(found).ravel().tolist()
        return y


class Disturbed(Arithmetic):
    """Float64, which adds this noise to the sites of a loop, in the same order."""

    def __init__(self, noise: Iterable[float]) -> None:
        self.noise = iter(noise)

    def site(self, terms: Sequence[float], count: int) -> float:
        return self.sum(terms) + next(self.noise)

    def activated(self, name: str, x: list[float], y: list[float]) -> list[float]:
        return [v + next(self.noise) for v in y]


def _unrolled(y: Any, *inputs: Any, op: str, function: Function, **rest: Any) -> list[Any]:
    """Root mean squares of what noise at every site does to the outputs."""
    roles = OPERATORS[f"{op}@{scalar.VERSION}"].weights
    weights = {role: weight for role, weight in rest.items() if role in roles}
    attributes = {name: item for name, item in rest.items() if name not in roles}

    def run(a: Arithmetic) -> list[Any]:
        return scalar.evaluate(op, inputs, weights, attributes, a)

    noting = Noting()
    undisturbed = run(noting)
    scales = np.array(noting.scales)
    noise = np.where(np.isfinite(scales) & (scales > 0), scales * ROUNDOFF["float32"] + FLOOR["float32"], 0.0)
    squares = [np.zeros(value.shape) for value in undisturbed]
    for k in range(RUNS):
        heads = np.random.RandomState(SEED + k).random_sample(len(noise)) < 0.5
        disturbed = run(Disturbed(np.where(heads, noise, -noise).tolist()))
        for square, found, value in zip(squares, disturbed, undisturbed, strict=True):
            square += np.square(found - value)
    return [np.sqrt(square / RUNS) / ROUNDOFF["float32"] for square in squares]


# Classes of their own


def _softmax(p: Any, x: Any, axes: list[int], **_: Any) -> Any:
    below, log_total, spread, n = tolerances_elementwise.shifted(x, tuple(axes))
    relative = 8 + 2 * np.sqrt(n) + 2 * below + 2 * spread
    if len(axes) > 1:  # exp(x - log Σ exp x) is allowed
        relative = relative + 8 * np.abs(np.max(x, tuple(axes), keepdims=True) + log_total)
    return np.where(p > 0, p * relative, 0)


def _log_softmax(y: Any, x: Any, axes: list[int], **_: Any) -> Any:
    below, log_total, spread, n = tolerances_elementwise.shifted(x, tuple(axes))
    return 8 * (np.abs(y) + below + log_total + 1 + np.sqrt(n) / 4 + spread / 4)


def _glu(y: Any, x: Any, axis: int, **_: Any) -> Any:
    value, gate = np.split(x, 2, axis)
    return 8 * (np.abs(y) * (1 + np.abs(gate)) + _underflow(value))


def _cast(y: Any, x: Any, dtype: str, **_: Any) -> Any:
    """Rounded where float32 does not hold every number, else exact."""
    rounds = dtype == "float32" and np.any(np.float32(x).astype(np.float64) != x)
    return 8 * np.abs(y) if rounds else np.zeros(np.shape(y))


OWN = {
    "softmax": Tolerance("softmax", _softmax),
    "log_softmax": Tolerance("log_softmax", _log_softmax),
    "glu": Tolerance("glu", _glu),
    "cast": Tolerance("rounded", _cast),
    **{
        op: Tolerance(op, rule)
        for family in (tolerances_elementwise, tolerances_normalization, tolerances_spatial)
        for op, rule in family.OWN.items()
    },
}
