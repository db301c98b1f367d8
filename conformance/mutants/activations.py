"""Mistakes in the functions of one number: spec/ops/activations.md."""

from __future__ import annotations

import math
from functools import partial

from mutants.mutant import FLOAT32, changing, of_formula, of_numbers
from naive.arithmetic import Arithmetic, Number, larger, smaller
from naive.operators.activations import (
    FORMULAS,
    elementwise,
    elu,
    gelu,
    hard_sigmoid,
    relu,
    selu,
    sigmoid,
    soft_shrink,
    softplus,
    sparse_plus,
    squareplus,
)
from naive.operators.operator import Call, Compute

LARGEST = 3.4028234663852886e38
"""Of all float32."""


def fmax(x: Number, y: Number) -> Number:
    """C's: where one operand is NaN, the other."""
    return y if x != x or x < y else x


def fmin(x: Number, y: Number) -> Number:
    return y if x != x or x > y else x


def clipped_by_c(a: Arithmetic, x: Number, least: float, most: float) -> Number:
    return fmin(fmax(x, a.number(least)), a.number(most))


def hard_sigmoid_of_keras_2(a: Arithmetic, x: Number) -> Number:
    return smaller(larger(a.number(0.2) * x + a.number(0.5), a.number(0)), a.number(1))


def shrunk_by_sign(a: Arithmetic, x: Number, threshold: Number) -> Number:
    shrunk = fmax(abs(x) - threshold, a.number(0))
    return shrunk if x > 0 else -shrunk


def by_eights(op: str) -> Compute:
    """Elements whose number is no multiple of eight, in a loop that takes eight at a time."""

    def compute(call: Call) -> list[Number]:
        y = elementwise(op)(call)
        done = len(y) // 8 * 8
        return y[:done] + [call.a.number(0)] * (len(y) - done)

    return compute


mistake = partial(of_formula, {"activations": FORMULAS})


MUTANTS = (
    mistake("relu: NaN becomes 0", "NaN gives NaN", lambda a, x: x if x > 0 else a.number(0)),
    mistake("relu: the absolute value", "max(x, 0)", lambda a, x: abs(x)),
    mistake("relu6: no upper bound", "min(max(x, 0), 6)", relu),
    mistake("relu6: NaN becomes 0", "NaN gives NaN", lambda a, x: clipped_by_c(a, x, 0, 6)),
    mistake(
        "leaky_relu: the slope on the wrong side",
        "x where x > 0, else negative_slope · x",
        lambda a, x, negative_slope: negative_slope * x if x > 0 else x,
    ),
    mistake(
        "leaky_relu: max(x, slope · x)",
        "x where x > 0, else negative_slope · x, whatever the slope",
        lambda a, x, negative_slope: larger(x, negative_slope * x),
    ),
    mistake(
        "leaky_relu: Keras 2's slope of 0.3",
        "the slope is an attribute",
        lambda a, x, negative_slope: x if x > 0 else a.number(0.3) * x,
    ),
    mistake(
        "thresholded_relu: the threshold is not subtracted",
        "negative_slope · (x − threshold)",
        lambda a, x, negative_slope, threshold: x if x > threshold else negative_slope * x,
    ),
    mistake(
        "thresholded_relu: the threshold itself passes",
        "x where x > threshold",
        lambda a, x, negative_slope, threshold: x if x >= threshold else negative_slope * (x - threshold),
    ),
    mistake(
        "clipped_relu: the threshold is ignored",
        "x > threshold decides, not x > 0",
        lambda a, x, max_value, negative_slope, threshold: smaller(x, max_value) if x > 0 else negative_slope * x,
    ),
    mistake(
        "clipped_relu: the maximum is ignored",
        "min(max(x, 0), max_value) where x > threshold",
        lambda a, x, max_value, negative_slope, threshold: (
            relu(a, x) if x > threshold else negative_slope * (x - threshold)
        ),
    ),
    mistake(
        "clipped_relu: negative numbers above the threshold",
        "min(max(x, 0), max_value) where x > threshold",
        lambda a, x, max_value, negative_slope, threshold: (
            smaller(x, max_value) if x > threshold else negative_slope * (x - threshold)
        ),
    ),
    mistake("elu: alpha inside of exp", "alpha · (exp(x) − 1)", lambda a, x, alpha: x if x > 0 else a.expm1(alpha * x)),
    mistake("elu: alpha is always 1", "alpha · (exp(x) − 1)", lambda a, x, alpha: x if x > 0 else a.expm1(x)),
    mistake("celu: alpha does not divide", "exp(min(x, 0) / alpha)", elu),
    mistake(
        "celu: exp where x > 0 too",
        "max(x, 0) + alpha · (exp(min(x, 0) / alpha) − 1)",
        lambda a, x, alpha: alpha * a.expm1(a.divide(x, alpha)),
    ),
    mistake(
        "selu: constants of four digits",
        "scale = 1.0507009873554805, alpha = 1.6732632423543772",
        lambda a, x: a.number(1.0507) * (x if x > 0 else a.number(1.6733) * a.expm1(x)),
    ),
    mistake("selu: no scale where x > 0", "scale · x where x > 0", lambda a, x: x if x > 0 else selu(a, x)),
    mistake(
        "gelu: always the approximation",
        "x · erfc(−x / √2) / 2 where approximate is false",
        lambda a, x, approximate: gelu(a, x, True),
    ),
    mistake(
        "gelu: never the approximation",
        "x · (1 + tanh(…)) / 2 where approximate is true",
        lambda a, x, approximate: gelu(a, x, False),
    ),
    mistake(
        "gelu: x · sigmoid(1.702 · x)",
        "x · erfc(−x / √2) / 2, or tanh",
        lambda a, x, approximate: x * sigmoid(a, a.number(1.702) * x),
    ),
    mistake(
        "sigmoid: exp(x) / (1 + exp(x)) overflows",
        "e = exp(−|x|); 1 / (1 + e) where x ≥ 0, else e / (1 + e)",
        lambda a, x: a.divide(a.exp(x), 1 + a.exp(x)),
        FLOAT32,
    ),
    mistake(
        "sigmoid: without exp",
        "1 / (1 + exp(−x))",
        lambda a, x: a.number(0.5) + a.divide(x, 2 + 2 * abs(x)),
    ),
    mistake(
        "sigmoid: 0 and 1 beyond ±8",
        "1 / (1 + exp(−x)), whatever x",
        lambda a, x: a.number(x > 0) if abs(x) > 8 else sigmoid(a, x),
    ),
    mistake("silu: without the factor x", "x / (1 + exp(−x))", sigmoid),
    mistake(
        "mish: log(1 + …) forgets small numbers",
        "x · tanh(softplus(x)), softplus in its safe form",
        lambda a, x: x * a.tanh(a.log(1 + a.exp(x))),
        FLOAT32,
    ),
    mistake("mish: sigmoid for tanh", "x · tanh(softplus(x))", lambda a, x: x * sigmoid(a, softplus(a, x))),
    mistake(
        "softplus: exp(x) overflows",
        "max(x, 0) + log1p(exp(−|x|))",
        lambda a, x: a.log1p(a.exp(x)),
        FLOAT32,
    ),
    mistake(
        "softplus: log(1 + …) forgets small numbers",
        "max(x, 0) + log1p(exp(−|x|))",
        lambda a, x: larger(x, a.number(0)) + a.log(1 + a.exp(-abs(x))),
        FLOAT32,
    ),
    mistake(
        "softplus: 0 below −20",
        "log(1 + exp(x)), whatever x",
        lambda a, x: a.number(0) if x < -20 else softplus(a, x),
    ),
    mistake(
        "log_sigmoid: the logarithm of a rounded sigmoid",
        "min(x, 0) − log1p(exp(−|x|))",
        lambda a, x: a.log(sigmoid(a, x)),
        FLOAT32,
    ),
    mistake("softsign: 1 + x below", "x / (1 + |x|)", lambda a, x: a.divide(x, 1 + x)),
    mistake(
        "tanh: exp(2x) overflows",
        "tanh(x), 1 for +∞",
        lambda a, x: a.divide(a.exp(2 * x) - 1, a.exp(2 * x) + 1),
        FLOAT32,
    ),
    mistake(
        "tanh: digits are lost near 0",
        "an error of a few units in the last place",
        lambda a, x: 1 - a.divide(2, a.exp(2 * x) + 1),
        FLOAT32,
    ),
    mistake(
        "tanh: a rational approximation",
        "an error of a few units in the last place",
        lambda a, x: a.number(math.copysign(1, x)) if abs(x) > 3 else a.divide(x * (27 + x * x), 27 + 9 * x * x),
    ),
    mistake("tanh_shrink: tanh(x) − x", "x − tanh(x)", lambda a, x: a.tanh(x) - x),
    mistake(
        "exponential: (1 + x / 1024)¹⁰²⁴",
        "an error of a few units in the last place",
        lambda a, x: a.exp(1024 * a.log1p(a.divide(x, 1024))) if x > -1024 else a.number(0),
    ),
    mistake(
        "exponential: ends at the largest float32",
        "overflows to +∞",
        lambda a, x: smaller(a.exp(x), a.number(LARGEST)),
        FLOAT32,
    ),
    mistake("hard_sigmoid: that of Keras 2", "min(max(x + 3, 0), 6) / 6", hard_sigmoid_of_keras_2),
    mistake("hard_sigmoid: NaN becomes 0", "NaN gives NaN", lambda a, x: a.divide(clipped_by_c(a, x + 3, 0, 6), 6)),
    mistake(
        "hard_silu: with the hard_sigmoid of Keras 2",
        "x · min(max(x + 3, 0), 6) / 6",
        lambda a, x: x * hard_sigmoid_of_keras_2(a, x),
    ),
    mistake("hard_tanh: NaN becomes −1", "NaN gives NaN", lambda a, x: clipped_by_c(a, x, -1, 1)),
    mistake(
        "hard_shrink: the threshold itself passes",
        "x where |x| > threshold",
        lambda a, x, threshold: x if abs(x) >= threshold else a.number(0),
    ),
    mistake(
        "hard_shrink: NaN stays",
        "NaN fails the comparison and gives 0",
        lambda a, x, threshold: a.number(0) if abs(x) <= threshold else x,
    ),
    mistake(
        "soft_shrink: the threshold is not subtracted",
        "x − threshold where x > threshold",
        lambda a, x, threshold: x if abs(x) > threshold else a.number(0),
    ),
    mistake(
        "soft_shrink: sign(x) · max(|x| − threshold, 0)",
        "x − threshold where x > threshold comes first, also for a threshold below 0",
        shrunk_by_sign,
    ),
    mistake(
        "soft_shrink: NaN stays",
        "NaN fails both comparisons and gives 0",
        lambda a, x, threshold: x if x != x else soft_shrink(a, x, threshold),
    ),
    mistake(
        "threshold: the threshold itself passes",
        "x where x > threshold, else default_value",
        lambda a, x, threshold, default_value: x if x >= threshold else default_value,
    ),
    mistake(
        "threshold: 0 for the default value",
        "x where x > threshold, else default_value",
        lambda a, x, threshold, default_value: x if x > threshold else a.number(0),
    ),
    mistake(
        "threshold: NaN stays",
        "NaN fails the comparison and gives default_value",
        lambda a, x, threshold, default_value: default_value if x <= threshold else x,
    ),
    mistake("sparse_sigmoid: hard_sigmoid", "min(max((x + 1) / 2, 0), 1)", hard_sigmoid),
    mistake(
        "sparse_plus: not divided by 4",
        "(x + 1)² / 4 from −1 to 1",
        lambda a, x: 4 * sparse_plus(a, x) if x < 1 else x,
    ),
    mistake("squareplus: b is squared", "√(x² + b)", lambda a, x, b: squareplus(a, x, b * b)),
    mistake("squareplus: b is always 4", "√(x² + b)", lambda a, x, b: squareplus(a, x, a.number(4))),
    of_numbers(
        "activations: the rest beyond a multiple of eight is left out",
        "for i = 0 … elements − 1",
        *(changing(op, compute=by_eights(op)) for op in FORMULAS),
        page="ops/activations.md",
        groups=tuple(FORMULAS),
    ),
)
