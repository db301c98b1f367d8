"""spec/ops/activations.md: functions of one number, in their safe forms."""

from __future__ import annotations

from collections.abc import Callable

from naive.arithmetic import Arithmetic, Number, larger, smaller
from naive.operators.operator import Call, Check, Compute, Operator, Site, Type, boolean, check_float, number

SQRT_2_OVER_PI = "0.797884560802865355879892119868763736952"
SQRT_1_OVER_2 = "0.707106781186547524400844362104849039285"


def relu(a: Arithmetic, x: Number) -> Number:
    return larger(x, a.number(0))


def relu6(a: Arithmetic, x: Number) -> Number:
    return smaller(larger(x, a.number(0)), a.number(6))


def leaky_relu(a: Arithmetic, x: Number, negative_slope: Number) -> Number:
    return x if x > 0 else negative_slope * x


def thresholded_relu(a: Arithmetic, x: Number, negative_slope: Number, threshold: Number) -> Number:
    return x if x > threshold else negative_slope * (x - threshold)


def clipped_relu(a: Arithmetic, x: Number, max_value: Number, negative_slope: Number, threshold: Number) -> Number:
    if x > threshold:
        return smaller(larger(x, a.number(0)), max_value)
    return negative_slope * (x - threshold)


def elu(a: Arithmetic, x: Number, alpha: Number) -> Number:
    return x if x > 0 else alpha * a.expm1(x)


def celu(a: Arithmetic, x: Number, alpha: Number) -> Number:
    zero = a.number(0)
    return larger(x, zero) + alpha * a.expm1(a.divide(smaller(x, zero), alpha))


def selu(a: Arithmetic, x: Number) -> Number:
    scale, alpha = a.number("1.0507009873554805"), a.number("1.6732632423543772")
    return scale * x if x > 0 else scale * alpha * a.expm1(x)


def gelu(a: Arithmetic, x: Number, approximate: bool) -> Number:
    # Halved first: x times a factor of up to 2 may overflow.
    half = a.number(0.5) * x
    if approximate:
        v = a.number(SQRT_2_OVER_PI) * (x + a.number("0.044715") * x * x * x)
        return half * (1 + a.tanh(v))
    return half * a.erfc(-x * a.number(SQRT_1_OVER_2))


def sigmoid(a: Arithmetic, x: Number) -> Number:
    e = a.exp(-abs(x))
    return a.divide(1, 1 + e) if x >= 0 else a.divide(e, 1 + e)


def silu(a: Arithmetic, x: Number) -> Number:
    return x * sigmoid(a, x)


def mish(a: Arithmetic, x: Number) -> Number:
    return x * a.tanh(softplus(a, x))


def softplus(a: Arithmetic, x: Number) -> Number:
    return larger(x, a.number(0)) + a.log1p(a.exp(-abs(x)))


def log_sigmoid(a: Arithmetic, x: Number) -> Number:
    return smaller(x, a.number(0)) - a.log1p(a.exp(-abs(x)))


def softsign(a: Arithmetic, x: Number) -> Number:
    return a.divide(x, 1 + abs(x))


def tanh(a: Arithmetic, x: Number) -> Number:
    return a.tanh(x)


def tanh_shrink(a: Arithmetic, x: Number) -> Number:
    return x - a.tanh(x)


def exponential(a: Arithmetic, x: Number) -> Number:
    return a.exp(x)


def hard_sigmoid(a: Arithmetic, x: Number) -> Number:
    return a.divide(relu6(a, x + 3), 6)


def hard_silu(a: Arithmetic, x: Number) -> Number:
    return x * hard_sigmoid(a, x)


def hard_tanh(a: Arithmetic, x: Number) -> Number:
    return smaller(larger(x, a.number(-1)), a.number(1))


def hard_shrink(a: Arithmetic, x: Number, threshold: Number) -> Number:
    return x if abs(x) > threshold else a.number(0)


def soft_shrink(a: Arithmetic, x: Number, threshold: Number) -> Number:
    if x > threshold:
        return x - threshold
    return x + threshold if x < -threshold else a.number(0)


def threshold(a: Arithmetic, x: Number, threshold: Number, default_value: Number) -> Number:
    return x if x > threshold else default_value


def sparse_sigmoid(a: Arithmetic, x: Number) -> Number:
    return smaller(larger(a.divide(x + 1, 2), a.number(0)), a.number(1))


def sparse_plus(a: Arithmetic, x: Number) -> Number:
    if x <= -1:
        return a.number(0)
    return x if x >= 1 else a.divide((x + 1) * (x + 1), 4)


def squareplus(a: Arithmetic, x: Number, b: Number) -> Number:
    half = a.number(0.5)
    r = hypotenuse(a, x, a.sqrt(b))
    # Halved first: the sum of two large numbers may overflow.
    return half * x + half * r if x >= 0 else a.divide(half * b, r - x)


def hypotenuse(a: Arithmetic, x: Number, y: Number) -> Number:
    """√(x² + y²), without squares that overflow or underflow."""
    longer, shorter = larger(abs(x), abs(y)), smaller(abs(x), abs(y))
    if longer == 0:
        return longer
    ratio = a.divide(shorter, longer)
    return longer * a.sqrt(1 + ratio * ratio)


FORMULAS: dict[str, Callable[..., Number]] = {
    "relu": relu,
    "relu6": relu6,
    "leaky_relu": leaky_relu,
    "thresholded_relu": thresholded_relu,
    "clipped_relu": clipped_relu,
    "elu": elu,
    "celu": celu,
    "selu": selu,
    "gelu": gelu,
    "sigmoid": sigmoid,
    "silu": silu,
    "mish": mish,
    "softplus": softplus,
    "log_sigmoid": log_sigmoid,
    "softsign": softsign,
    "tanh": tanh,
    "tanh_shrink": tanh_shrink,
    "exponential": exponential,
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": hard_silu,
    "hard_tanh": hard_tanh,
    "hard_shrink": hard_shrink,
    "soft_shrink": soft_shrink,
    "threshold": threshold,
    "sparse_sigmoid": sparse_sigmoid,
    "sparse_plus": sparse_plus,
    "squareplus": squareplus,
}

ATTRIBUTES: dict[str, dict[str, Check]] = {
    "leaky_relu": {"negative_slope": number()},
    "thresholded_relu": {"negative_slope": number(), "threshold": number()},
    "clipped_relu": {"max_value": number(least=0), "negative_slope": number(), "threshold": number()},
    "elu": {"alpha": number()},
    "celu": {"alpha": number(but=0)},
    "gelu": {"approximate": boolean},
    "hard_shrink": {"threshold": number()},
    "soft_shrink": {"threshold": number()},
    "threshold": {"threshold": number(), "default_value": number()},
    "squareplus": {"b": number(least=0)},
}


def infer(site: Site) -> Type:
    (x,) = site.inputs
    check_float(x)  # C1
    return Type(x.dtype, x.shape)


def elementwise(name: str) -> Compute:
    def compute(call: Call) -> list[Number]:
        return [FORMULAS[name](call.a, x, **call.attributes) for x in call.inputs[0].data]

    return compute


OPERATORS = {f"{name}@1": Operator(infer, elementwise(name), attributes=ATTRIBUTES.get(name, {})) for name in FORMULAS}
