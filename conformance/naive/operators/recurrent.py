"""spec/ops: simple_rnn.md, lstm.md, gru.md: a sequence, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from naive.arithmetic import Number
from naive.arrays import Array, Shape, elements
from naive.errors import require
from naive.operators import activations, softmax
from naive.operators.operator import Call, Check, Compute, Operator, Site, Type, Typed, boolean, check_float, one_of
from naive.operators.weights import check_weight_dtypes, check_weight_shape

PLAIN = (
    *("relu", "relu6", "selu", "sigmoid", "silu", "mish", "softplus", "log_sigmoid", "softsign", "tanh"),
    *("tanh_shrink", "exponential", "hard_sigmoid", "hard_silu", "hard_tanh", "sparse_sigmoid", "sparse_plus"),
)
ACTIVATIONS: dict[str, dict[str, Any]] = {
    **{name: {} for name in PLAIN},
    "leaky_relu": {"negative_slope": 0.2},
    "elu": {"alpha": 1.0},
    "celu": {"alpha": 1.0},
    "gelu": {"approximate": False},
    "hard_shrink": {"threshold": 0.5},
    "soft_shrink": {"threshold": 0.5},
    "squareplus": {"b": 4.0},
    "softmax": {"axes": [1]},
    "log_softmax": {"axes": [1]},
}
"""The attributes of the operators that are activations by name; linear is none of them."""

FORMULAS = {**activations.OPERATORS, **softmax.OPERATORS}

States = list[list[Number]]
"""The numbers of each state, for one row; the first state is the output."""

Step = Callable[[list[Number], States], States]
"""(x at one time, the states) -> the new states."""

Cell = Callable[[Call], Step]


def operands(inputs: Sequence[Any], count: int) -> tuple[Any, Sequence[Any], Any]:
    """x, the initial states (`count` of them, or none), and the mask or None."""
    x, *rest = inputs
    alone = len(rest) == 1 and (count > 1 or rest[0].dtype == "bool")
    return (x, rest[:-1], rest[-1]) if alone or len(rest) > count else (x, rest, None)


def check_dtypes(site: Site, count: int) -> None:
    x, states, mask = operands(site.inputs, count)
    check_float(x)
    check_weight_dtypes(site)
    for k, state in enumerate(states, start=1):
        require(state.dtype == x.dtype, "dtype-mismatch", f"/inputs/{k}", x.dtype, state.dtype)
    if mask:
        require(mask.dtype == "bool", "dtype-mismatch", f"/inputs/{len(states) + 1}", "bool", mask.dtype)


def check_operand(x: Typed, at: int, shape: Shape) -> None:
    require(x.shape == shape, "operand-shape", f"/inputs/{at}", f"{shape}", x.shape)


def result(site: Site, count: int, state: Shape) -> list[Type]:
    """y, then the final states, of this shape each."""
    x = site.inputs[0]
    y = (state[0], x.shape[1], *state[1:]) if site.attributes["return_sequences"] else state
    return [Type(x.dtype, shape) for shape in (y, *[state] * count)]


def infer(site: Site, gates: int, count: int = 1) -> list[Type]:
    check_dtypes(site, count)  # C1
    x, states, mask = operands(site.inputs, count)
    sound = len(x.shape) == 3 and isinstance(x.shape[2], int)
    require(sound, "rank-range", "/inputs/0", "(rows, time, a number)", x.shape)  # C2
    rows, time, features = x.shape
    units = next(iter(site.weights["recurrent_kernel"].shape), 0)
    check_weight_shape(site, "recurrent_kernel", (units, gates * units))  # C3
    check_weight_shape(site, "kernel", (features, gates * units))  # C4
    rows_of_bias = (2,) if site.attributes.get("reset_after") else ()
    check_weight_shape(site, "bias", (*rows_of_bias, gates * units))  # C5
    for k, state in enumerate(states, start=1):
        check_operand(state, k, (rows, units))  # C6
    if mask:
        check_operand(mask, len(states) + 1, (rows, time))  # C7
    return result(site, count, (rows, units))


def unroll(cell: Cell, count: int) -> Compute:
    """The loop of every page: y, then the final states."""

    def compute(call: Call) -> list[list[Number]]:
        step = cell(call)
        rows = [run(call, step, row, count) for row in range(call.inputs[0].shape[0])]
        return [[v for row in rows for v in row[k]] for k in range(1 + count)]

    return compute


def run(call: Call, step: Step, row: int, count: int) -> list[list[Number]]:
    """One row of y and of the final states: rows do not know of each other."""
    x, given, mask = operands(call.inputs, count)
    _, time, *read = x.shape
    features, units = elements(read), elements(call.shapes[1][1:])
    zeros = [call.a.number(0)] * units
    states = [state.data[row * units : (row + 1) * units] for state in given] or [zeros] * count
    last, y = zeros, []
    for taken in range(time):
        at = row * time + (time - 1 - taken if call.attributes["go_backwards"] else taken)
        if mask is None or mask.data[at]:
            states = step(x.data[at * features : (at + 1) * features], states)
            last = states[0]
        elif call.attributes["zero_output_for_mask"]:
            last = zeros
        y += last
    return [y if call.attributes["return_sequences"] else last, *states]


def terms(vector: Sequence[Number], matrix: Array, column: int) -> list[Number]:
    width = matrix.shape[1]
    return [v * matrix.data[i * width + column] for i, v in enumerate(vector)]


def bias(call: Call, at: int) -> list[Number]:
    """An element of the bias, as a term; none where there is no bias."""
    return [call.weights["bias"].data[at]] if "bias" in call.weights else []


def total(call: Call, terms: Sequence[Number]) -> Number:
    return call.a.site(terms, len(terms))


def product(call: Call, x: Number, y: Number) -> Number:
    return call.a.site([x * y], 0)


def activation(call: Call, role: str, x: list[Number]) -> list[Number]:
    """The activation that an attribute names, of the units of one gate."""
    name = call.attributes[role]
    if name == "linear":
        return x
    attributes = {key: call.a.number(v) if isinstance(v, float) else v for key, v in ACTIVATIONS[name].items()}
    shape = (1, len(x))
    operands = [Array(call.dtype, shape, x)]
    y = FORMULAS[f"{name}@1"].compute(Call(call.a, operands, {}, attributes, call.dtype, shape))
    return call.a.activated(name, x, y)


def simple_rnn(call: Call) -> Step:
    kernel, recurrent_kernel = call.weights["kernel"], call.weights["recurrent_kernel"]

    def step(x: list[Number], states: States) -> States:
        (h,) = states
        s = [[*terms(x, kernel, u), *terms(h, recurrent_kernel, u), *bias(call, u)] for u in range(len(h))]
        return [activation(call, "activation", [total(call, each) for each in s])]

    return step


def lstm(call: Call) -> Step:
    kernel, recurrent_kernel = call.weights["kernel"], call.weights["recurrent_kernel"]

    def step(x: list[Number], states: States) -> States:
        h, c = states
        s = [[*terms(x, kernel, k), *terms(h, recurrent_kernel, k), *bias(call, k)] for k in range(4 * len(h))]
        return carried(call, [total(call, each) for each in s], c)

    return step


def carried(call: Call, s: list[Number], c: list[Number]) -> States:
    """The new h and c, of a row or a pixel, from the sums of its gates i, f, g and o."""
    units = len(c)
    roles = ("recurrent_activation", "recurrent_activation", "activation", "recurrent_activation")
    i, f, g, o = (activation(call, role, s[k * units : (k + 1) * units]) for k, role in enumerate(roles))
    c = [total(call, [f[u] * c[u], i[u] * g[u]]) for u in range(units)]
    d = activation(call, "activation", c)
    return [[product(call, o[u], d[u]) for u in range(units)], c]


def gru(call: Call) -> Step:
    kernel, recurrent_kernel = call.weights["kernel"], call.weights["recurrent_kernel"]
    reset_after, width = call.attributes["reset_after"], kernel.shape[1]

    def read(x: list[Number], k: int) -> list[Number]:
        return [*bias(call, k), *terms(x, kernel, k)]

    def recalled(h: list[Number], k: int) -> list[Number]:
        return [*(bias(call, width + k) if reset_after else []), *terms(h, recurrent_kernel, k)]

    def step(x: list[Number], states: States) -> States:
        (h,) = states
        units = range(len(h))
        s = [total(call, [*read(x, k), *recalled(h, k)]) for k in range(2 * len(h))]
        z = activation(call, "recurrent_activation", s[: len(h)])
        r = activation(call, "recurrent_activation", s[len(h) :])
        candidates = [2 * len(h) + u for u in units]
        if reset_after:
            m = [total(call, recalled(h, k)) for k in candidates]
            p = [total(call, [*read(x, k), r[u] * m[u]]) for u, k in zip(units, candidates, strict=True)]
        else:
            q = [product(call, r[u], h[u]) for u in units]
            p = [total(call, [*read(x, k), *recalled(q, k)]) for k in candidates]
        g = activation(call, "activation", p)
        return [[call.a.site([z[u] * h[u], (1 - z[u]) * g[u]], 3) for u in units]]

    return step


ROLES = {"kernel": True, "recurrent_kernel": True, "bias": False}
NAME = one_of((*ACTIVATIONS, "linear"))
SWITCHES: dict[str, Check] = dict.fromkeys(("go_backwards", "return_sequences", "zero_output_for_mask"), boolean)
GATED: dict[str, Check] = {"activation": NAME, "recurrent_activation": NAME, **SWITCHES}

OPERATORS = {
    "simple_rnn@1": Operator(
        lambda site: infer(site, gates=1),
        unroll(simple_rnn, 1),
        inputs=(1, 3),
        weights=ROLES,
        attributes={"activation": NAME, **SWITCHES},
    ),
    "lstm@1": Operator(
        lambda site: infer(site, gates=4, count=2),
        unroll(lstm, 2),
        inputs=(1, 4),
        weights=ROLES,
        attributes=GATED,
    ),
    "gru@1": Operator(
        lambda site: infer(site, gates=3),
        unroll(gru, 1),
        inputs=(1, 3),
        weights=ROLES,
        attributes={**GATED, "reset_after": boolean},
    ),
}
