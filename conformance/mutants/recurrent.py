"""Mistakes in loops over time: spec/ops/simple_rnn.md, gru.md, lstm.md, conv_lstm.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any
from unittest.mock import patch

from mutants.convolution import ALL_BEHIND, EXTRA_IN_FRONT, flipped, read_as
from mutants.mutant import Mutant, Patch, changing, of_faults, of_numbers, overlooking, without
from mutants.weighted import Accumulating, round_bfloat16
from naive.arithmetic import FLOAT64, Arithmetic, Number
from naive.arrays import Array, elements
from naive.operators import OPERATORS, conv_lstm, recurrent, weights
from naive.operators.operator import Call
from naive.operators.recurrent import States, Step
from naive.operators.windows import Window, window

ALL = ("simple_rnn", "gru", "lstm", "conv_lstm")
TWO_STATES = ("lstm", "conv_lstm")
RIGHT = {op: OPERATORS[f"{op}@1"].compute for op in ALL}

right_activation = recurrent.activation
right_carried = recurrent.carried
right_run = recurrent.run

Result = list[list[Number]]


# The loop, of which each part may be another


def nothing(call: Call, states: States) -> list[Number]:
    return [call.a.number(0)] * len(states[0])


def as_before(call: Call, last: list[Number], states: States) -> list[Number]:
    return nothing(call, states) if call.attributes["zero_output_for_mask"] else last


def skipped(call: Call, step: Step, x: list[Number], states: States) -> States:
    return states


@dataclass(frozen=True)
class Loop:
    """A loop over the steps of one row.

    Attributes:
        before: the output before the first step.
        left_out: the output of a step that the mask leaves out.
        passed: the states behind such a step.
        order: the steps in which the loop takes them.
        masked: the place of the mask's element of a step.
        made: y, of the outputs in turn.
        answer: what comes out.
    """

    before: Callable[[Call, States], list[Number]] = nothing
    left_out: Callable[[Call, list[Number], States], list[Number]] = as_before
    passed: Callable[[Call, Step, list[Number], States], States] = skipped
    order: Callable[[Call, int], Sequence[int]] = lambda call, time: (
        range(time)[::-1] if call.attributes["go_backwards"] else range(time)
    )
    masked: Callable[[Call, int, int, int], int] = lambda call, row, time, t: row * time + t
    made: Callable[[Call, list[list[Number]]], list[list[Number]]] = lambda call, y: (
        y if call.attributes["return_sequences"] else y[-1:]
    )
    answer: Callable[[Result], Result] = lambda made: made

    def __call__(self, call: Call, step: Step, row: int, count: int) -> Result:
        x, given, mask = recurrent.operands(call.inputs, count)
        _, time, *read = x.shape
        features, units = elements(read), elements(call.shapes[1][1:])
        zeros = [call.a.number(0)] * units
        states = [state.data[row * units : (row + 1) * units] for state in given] or [zeros] * count
        last, y = self.before(call, states), []
        for t in self.order(call, time):
            at = row * time + t
            taken = x.data[at * features : (at + 1) * features]
            if mask is None or mask.data[self.masked(call, row, time, t)]:
                states = step(taken, states)
                last = states[0]
            else:
                last = self.left_out(call, last, states)
                states = self.passed(call, step, taken, states)
            y.append(last)
        return self.answer([[v for each in self.made(call, y) for v in each], *states])


def looping(**parts: Any) -> Patch:
    return patch.object(recurrent, "run", Loop(**parts))


def running(change: Callable[[Call, int], Call]) -> Patch:
    """The right loop, of another call."""

    def run(call: Call, step: Step, row: int, count: int) -> Result:
        return right_run(change(call, count), step, row, count)

    return patch.object(recurrent, "run", run)


def without_mask(call: Call, count: int) -> Call:
    x, states, _ = recurrent.operands(call.inputs, count)
    return replace(call, inputs=[x, *states])


def without_states(call: Call, count: int) -> Call:
    x, _, mask = recurrent.operands(call.inputs, count)
    return replace(call, inputs=[x] if mask is None else [x, mask])


def with_first_states(call: Call, count: int) -> Call:
    """Every row begins with the states of the first."""
    x, states, mask = recurrent.operands(call.inputs, count)
    size = elements(call.shapes[1][1:])
    repeated = [replace(state, data=state.data[:size] * state.shape[0]) for state in states]
    return replace(call, inputs=[x, *repeated, *([] if mask is None else [mask])])


def with_swapped_states(call: Call, count: int) -> Call:
    x, states, mask = recurrent.operands(call.inputs, count)
    return replace(call, inputs=[x, *states[::-1], *([] if mask is None else [mask])])


def inverted(call: Call, count: int) -> Call:
    x, states, mask = recurrent.operands(call.inputs, count)
    return call if mask is None else replace(call, inputs=[x, *states, replace(mask, data=[not v for v in mask.data])])


def times_mask(call: Call, step: Step, x: list[Number], states: States) -> States:
    """A step left out is computed, and counts 0 times."""
    kept = zip(step(x, states), states, strict=True)
    return [[0 * now + v for now, v in zip(new, old, strict=True)] for new, old in kept]


def reset(call: Call, step: Step, x: list[Number], states: States) -> States:
    return [nothing(call, states) for _ in states]


def reversed_back(call: Call, y: list[list[Number]]) -> list[list[Number]]:
    """In the order of time, from the last step to the first too."""
    if not call.attributes["return_sequences"]:
        return y[-1:]
    return y[::-1] if call.attributes["go_backwards"] else y


def first_step_taken(call: Call, y: list[list[Number]]) -> list[list[Number]]:
    return y if call.attributes["return_sequences"] else y[:1]


def zero_output(call: Call, last: list[Number], states: States) -> list[Number]:
    return nothing(call, states)


def in_order(call: Call, row: int, time: int, t: int) -> int:
    """From the first step to the last, whatever x is read in."""
    return row * time + (time - 1 - t if call.attributes["go_backwards"] else t)


def of_loops(name: str, says: str, *changes: Patch, ops: tuple[str, ...] = ALL, page: str = "simple_rnn") -> Mutant:
    return of_numbers(f"loops: {name}", says, *changes, page=f"ops/{page}.md", groups=ops)


MASK = "a step that the mask leaves out keeps the states, and its output is that of the step before"
START = "last starts as 0, whatever the initial state is"
BACKWARDS = "the steps are taken from the last to the first; y has them in the order in which they are taken"
ZERO = "with zero_output_for_mask the output of a step left out is 0"

LOOPS = (
    of_loops("the mask is ignored", MASK, running(without_mask)),
    of_loops("the mask is inverted", "false at steps to be left out", running(inverted)),
    of_loops("the first row's mask for all", "the mask is (rows, time)", looping(masked=lambda call, row, time, t: t)),
    of_loops(
        "the mask is not turned round",
        "the mask is read at the step that is taken",
        looping(masked=in_order),
    ),
    of_loops(
        "the output before the first step is the initial state",
        START,
        looping(before=lambda call, states: states[0]),
    ),
    of_loops(
        "the output of a step left out is the state", START, looping(left_out=lambda call, last, states: states[0])
    ),
    of_loops("a step left out resets the states", MASK, looping(passed=reset)),
    of_loops("a step left out is computed", MASK, looping(passed=lambda call, step, x, states: step(x, states))),
    of_loops(
        "a step left out counts 0 times",
        "a step left out is not read: NaN there changes nothing",
        looping(passed=times_mask),
    ),
    of_loops("zero_output_for_mask is ignored", ZERO, looping(left_out=lambda call, last, states: last)),
    of_loops("the output of every step left out is 0", MASK, looping(left_out=zero_output)),
    of_loops("go_backwards is ignored", BACKWARDS, looping(order=lambda call, time: range(time))),
    of_loops("what goes backwards is turned round again", BACKWARDS, looping(made=reversed_back)),
    of_loops("the output of the first step", "y has the output of the last step taken", looping(made=first_step_taken)),
    of_loops(
        "the last step is left out",
        "for step = 0 … time − 1",
        looping(order=lambda call, time: range(time - 1) or range(time)),
    ),
    of_loops("initial states are ignored", "h starts as state", running(without_states)),
    of_loops("the first row's initial states for all", "the states are (rows, units)", running(with_first_states)),
    of_loops(
        "initial states swapped",
        "state_h, then state_c",
        running(with_swapped_states),
        ops=TWO_STATES,
        page="lstm",
    ),
    of_loops(
        "final states swapped",
        "outputs: y, then state_h and state_c",
        looping(answer=lambda made: [made[0], *made[:0:-1]]),
        ops=TWO_STATES,
        page="lstm",
    ),
    of_loops(
        "the final state is the last output",
        "the final state is h, which a step left out keeps",
        looping(answer=lambda made: [made[0], made[0][-len(made[1]) :], *made[2:]]),
    ),
)


# What a step computes

Compute = Callable[[Call], list[Any]]


def computing(op: str, change: Callable[[Call], Call]) -> Patch:
    """The right formula, of another call."""
    return changing(op, compute=lambda call: RIGHT[op](change(call)))


def with_weights(change: Callable[[str, Array], Array]) -> Callable[[Call], Call]:
    return lambda call: replace(call, weights={role: change(role, weight) for role, weight in call.weights.items()})


def reordered(*gates: int) -> Callable[[Call], Call]:
    """Gates read in another order: those of some other library."""

    def change(role: str, weight: Array) -> Array:
        width = weight.shape[-1]
        units = width // len(gates)
        columns = [gate * units + u for gate in gates for u in range(units)]
        rows = range(len(weight.data) // width)
        return replace(weight, data=[weight.data[row * width + column] for row in rows for column in columns])

    return with_weights(change)


def interleaved(gates: int) -> Callable[[Call], Call]:
    """The gates of one unit one behind the other."""

    def change(role: str, weight: Array) -> Array:
        width = weight.shape[-1]
        columns = [u * gates + gate for gate in range(gates) for u in range(width // gates)]
        rows = range(len(weight.data) // width)
        return replace(weight, data=[weight.data[row * width + column] for row in rows for column in columns])

    return with_weights(change)


def transposed(role: str) -> Callable[[Call], Call]:
    """Elements that lie in C order, taken for those of the matrix with its axes swapped."""

    def change(found: str, weight: Array) -> Array:
        n = len(weight.shape)
        return read_as(weight, [*range(n - 2), n - 1, n - 2]) if found == role else weight

    return with_weights(change)


def with_attributes(**attributes: Any) -> Callable[[Call], Call]:
    return lambda call: replace(
        call,
        attributes={**call.attributes, **{k: v(call.attributes) if callable(v) else v for k, v in attributes.items()}},
    )


def activations_swapped(call: Call) -> Call:
    first, second = (call.attributes[name] for name in ("activation", "recurrent_activation"))
    return with_attributes(activation=second, recurrent_activation=first)(call)


def forgetting_less(call: Call) -> Call:
    """1 is added to the bias of the forget gate, as training did at its very beginning."""

    def change(role: str, weight: Array) -> Array:
        units = weight.shape[-1] // 4
        more = [v + 1 if units <= k < 2 * units else v for k, v in enumerate(weight.data)]
        return replace(weight, data=more) if role == "bias" else weight

    return with_weights(change)(call)


def of_step(op: str, name: str, says: str, change: Callable[[Call], Call], arithmetic: Arithmetic = FLOAT64) -> Mutant:
    return of_numbers(
        f"{op}: {name}", says, computing(op, change), page=f"ops/{op}.md", groups=(op,), arithmetic=arithmetic
    )


def of_weights(op: str, gates: int) -> tuple[Mutant, ...]:
    """What goes wrong with the weights of all of them."""
    units_first = "recurrent_kernel is (units, …), in C order"
    return (
        of_step(op, "bias left out", "bias is added to every sum", lambda call: without(call, "bias")),
        of_step(op, "recurrent_kernel transposed", units_first, transposed("recurrent_kernel")),
        of_step(op, "kernel transposed", "kernel is (features, …), in C order", transposed("kernel")),
        of_step(op, "always tanh", "activation is an attribute", with_attributes(activation="tanh")),
        of_step(
            op,
            "sums in bfloat16",
            "the dtype of x or better, from step to step",
            lambda call: call,
            Accumulating(round_bfloat16),
        ),
        *(
            ()
            if gates == 1
            else (
                of_step(
                    op,
                    "gates interleaved",
                    "the last axis has the gates one behind the other, units elements each",
                    interleaved(gates),
                ),
                of_step(
                    op,
                    "gates always sigmoid",
                    "recurrent_activation is an attribute",
                    with_attributes(recurrent_activation="sigmoid"),
                ),
                of_step(
                    op,
                    "activations swapped",
                    "activation is that of the candidate, recurrent_activation that of the gates",
                    activations_swapped,
                ),
            )
        ),
    )


# simple_rnn


def in_place(call: Call) -> Step:
    """h changes while the other units still read it."""
    kernel, recurrent_kernel = call.weights["kernel"], call.weights["recurrent_kernel"]

    def step(x: list[Number], states: States) -> States:
        h = list(states[0])
        for u in range(len(h)):
            s = [*recurrent.terms(x, kernel, u), *recurrent.terms(h, recurrent_kernel, u), *recurrent.bias(call, u)]
            (h[u],) = right_activation(call, "activation", [recurrent.total(call, s)])
        return [h]

    return step


def zeroed(role: str, weight: Array) -> Array:
    return replace(weight, data=[0 * v for v in weight.data]) if role == "recurrent_kernel" else weight


def unit_by_unit(call: Call, role: str, x: list[Number]) -> list[Number]:
    return [v for u in x for v in right_activation(call, role, [u])]


def naming(name: str, attributes: Mapping[str, Any]) -> Patch:
    return patch.dict(recurrent.ACTIVATIONS, {name: dict(attributes)})


def of_activation(name: str, says: str, *changes: Patch) -> Mutant:
    return of_numbers(f"loops: {name}", says, *changes, page="ops/simple_rnn.md", groups=ALL)


SIMPLE_RNN = (
    *of_weights("simple_rnn", 1),
    of_numbers(
        "simple_rnn: h changes while it is read",
        "all sums are computed before h changes",
        changing("simple_rnn", compute=recurrent.unroll(in_place, 1)),
        page="ops/simple_rnn.md",
        groups=("simple_rnn",),
    ),
    of_step("simple_rnn", "no recurrence", "h · recurrent_kernel is added", with_weights(zeroed)),
    of_activation(
        "softmax of each unit alone",
        "softmax along the last axis: all units of one row",
        patch.object(recurrent, "activation", unit_by_unit),
    ),
    of_activation(
        "leaky_relu with a slope of 0.01",
        "leaky_relu with negative_slope = 0.2",
        naming("leaky_relu", {"negative_slope": 0.01}),
    ),
    of_activation("gelu by tanh", "gelu with approximate = false", naming("gelu", {"approximate": True})),
    of_activation("squareplus with b = 0", "squareplus with b = 4", naming("squareplus", {"b": 0.0})),
    of_activation("hard_shrink at 1", "hard_shrink with threshold = 0.5", naming("hard_shrink", {"threshold": 1.0})),
    of_activation("soft_shrink at 1", "soft_shrink with threshold = 0.5", naming("soft_shrink", {"threshold": 1.0})),
    of_activation("elu with alpha = 1.67", "elu with alpha = 1", naming("elu", {"alpha": 1.67})),
    of_activation("celu with alpha = 2", "celu with alpha = 1", naming("celu", {"alpha": 2.0})),
)


# gru


def biases(call: Call) -> tuple[list[Number], list[Number]]:
    """Those of kernel and of recurrent_kernel."""
    data, width = call.weights["bias"].data, call.weights["kernel"].shape[1]
    return data[:width], data[width:]


def with_biases(change: Callable[[list[Number], list[Number]], list[Number]]) -> Callable[[Call], Call]:
    """Another bias of two rows."""

    def changed(call: Call) -> Call:
        if not call.attributes["reset_after"] or "bias" not in call.weights:
            return call
        bias = replace(call.weights["bias"], data=change(*biases(call)))
        return replace(call, weights={**call.weights, "bias": bias})

    return changed


def second_outside(a: list[Number], b: list[Number]) -> list[Number]:
    """The candidate's second bias is not reset."""
    at = len(a) // 3 * 2
    return [*a[:at], *(v + w for v, w in zip(a[at:], b[at:], strict=True)), *b[:at], *(0 * v for v in b[at:])]


def update_turned(call: Call) -> Call:
    """h' = (1 − z) · h + z · g, where z is a sigmoid."""
    if call.attributes["recurrent_activation"] != "sigmoid":
        return call

    def change(role: str, weight: Array) -> Array:
        width = weight.shape[-1]
        return replace(weight, data=[-v if k % width < width // 3 else v for k, v in enumerate(weight.data)])

    return with_weights(change)(call)


def one_row_of_bias(call: Call) -> Call:
    """reset_after is taken for false; then the bias has one row."""
    call = with_attributes(reset_after=False)(call)
    if "bias" not in call.weights:
        return call
    bias = call.weights["bias"]
    width = bias.shape[-1]
    one = Array(bias.dtype, (width,), bias.data[:width])
    return replace(call, weights={**call.weights, "bias": one})


def two_rows_of_bias(call: Call) -> Call:
    """reset_after is taken for true; then the bias has a second row."""
    call = with_attributes(reset_after=True)(call)
    bias = call.weights.get("bias")
    if bias is None or len(bias.shape) == 2:
        return call
    two = Array(bias.dtype, (2, *bias.shape), [*bias.data, *(0 * v for v in bias.data)])
    return replace(call, weights={**call.weights, "bias": two})


TWO_ROWS = "the first row of a bias of two belongs to kernel, the second one to recurrent_kernel"

GRU = (
    *of_weights("gru", 3),
    of_step("gru", "gates in the order r, z, g", "the gates are z, r, g", reordered(1, 0, 2)),
    of_step("gru", "the update gate turned round", "h' = z · h + (1 − z) · g", update_turned),
    of_step("gru", "always reset before", "reset_after is an attribute", one_row_of_bias),
    of_step("gru", "always reset after", "reset_after is an attribute", two_rows_of_bias),
    of_step("gru", "the second bias left out", TWO_ROWS, with_biases(lambda a, b: [*a, *(0 * v for v in b)])),
    of_step("gru", "biases swapped", TWO_ROWS, with_biases(lambda a, b: [*b, *a])),
    of_step(
        "gru",
        "the second bias is not reset",
        "g = activation(x · Wg + ag + r · (h · Ug + bg))",
        with_biases(second_outside),
    ),
)


# lstm, conv_lstm


def carry_as_it_is(call: Call, s: list[Number], c: list[Number]) -> States:
    """h is o times c: the carry's activation is left out, as if it were a gate's business."""
    _, new = right_carried(call, s, c)
    units = len(c)
    o = right_activation(call, "recurrent_activation", s[3 * units :])
    return [[v * w for v, w in zip(o, new, strict=True)], new]


def old_carry(call: Call, s: list[Number], c: list[Number]) -> States:
    """h is made of the carry before the step."""
    _, new = right_carried(call, s, c)
    o = right_activation(call, "recurrent_activation", s[3 * len(c) :])
    d = right_activation(call, "activation", c)
    return [[v * w for v, w in zip(o, d, strict=True)], new]


def coupled(call: Call, s: list[Number], c: list[Number]) -> States:
    """What is let in is what is not kept."""
    units = len(c)
    f = right_activation(call, "recurrent_activation", s[units : 2 * units])
    g = right_activation(call, "activation", s[2 * units : 3 * units])
    o = right_activation(call, "recurrent_activation", s[3 * units :])
    new = [f[u] * c[u] + (1 - f[u]) * g[u] for u in range(units)]
    return [[v * w for v, w in zip(o, right_activation(call, "activation", new), strict=True)], new]


def carrying(wrong: Callable[[Call, list[Number], list[Number]], States]) -> tuple[Patch, Patch]:
    return patch.object(recurrent, "carried", wrong), patch.object(conv_lstm, "carried", wrong)


def of_lstm(op: str) -> tuple[Mutant, ...]:
    order = "the gates are i, f, g, o"
    return (
        of_step(op, "gates in the order i, g, f, o", order, reordered(0, 2, 1, 3)),
        of_step(op, "gates in the order i, o, f, g", order, reordered(0, 2, 3, 1)),
        of_step(op, "gates in the order f, i, g, o", order, reordered(1, 0, 2, 3)),
        of_step(op, "1 is added to the bias of the forget gate", "bias is added as it is stored", forgetting_less),
    )


LSTM = (
    *of_weights("lstm", 4),
    *of_lstm("lstm"),
    of_loops(
        "the carry's activation left out",
        "h' = recurrent_activation(o) · activation(c')",
        *carrying(carry_as_it_is),
        ops=TWO_STATES,
        page="lstm",
    ),
    of_loops(
        "the output of the old carry",
        "h' = recurrent_activation(o) · activation(c')",
        *carrying(old_carry),
        ops=TWO_STATES,
        page="lstm",
    ),
    of_loops(
        "one gate lets in what it does not keep",
        "c' = recurrent_activation(f) · c + recurrent_activation(i) · activation(g)",
        *carrying(coupled),
        ops=TWO_STATES,
        page="lstm",
    ),
)


def windows_of(x: Callable[..., Window] = window, h: Callable[..., Window] = window) -> Patch:
    """Other windows over x, or over h, for which the stride is named."""
    return patch.object(conv_lstm, "window", lambda *axis, **rest: (h if "stride" in rest else x)(*axis, **rest))


def dilated(call: Call) -> list[Any]:
    """Windows over h that are dilated as those over x are."""
    rates = cycle(call.attributes["dilation_rate"])
    with windows_of(h=lambda padding, n, kernel, stride: window(padding, n, kernel, stride, next(rates))):
        return RIGHT["conv_lstm"](call)


def flipping(role: str) -> Callable[[Call], Call]:
    return with_weights(lambda found, weight: flipped(weight) if found == role else weight)


def conv_in_place(call: Call) -> Step:
    """h changes while other pixels still read it."""
    step = conv_lstm.conv_lstm(call)
    filters = call.weights["recurrent_kernel"].shape[-2]

    def changed(x: list[Number], states: States) -> States:
        h, c = [list(state) for state in states]
        new_c = list(c)
        for pixel in range(len(h) // filters):
            at = slice(pixel * filters, (pixel + 1) * filters)
            new = step(x, [h, c])
            h[at], new_c[at] = new[0][at], new[1][at]
        return [h, new_c]

    return changed


def of_conv(name: str, says: str, *changes: Patch) -> Mutant:
    return of_numbers(f"conv_lstm: {name}", says, *changes, page="ops/conv_lstm.md", groups=("conv_lstm",))


OF_H = "the convolution of h always has strides 1, padding same and dilation_rate 1"
SAME = "before = floor(P / 2)"

CONV_LSTM = (
    *of_weights("conv_lstm", 4),
    *of_lstm("conv_lstm"),
    of_step("conv_lstm", "kernel flipped", "neither kernel is flipped", flipping("kernel")),
    of_step("conv_lstm", "recurrent_kernel flipped", "neither kernel is flipped", flipping("recurrent_kernel")),
    of_conv("x: the extra zero in front", SAME, windows_of(EXTRA_IN_FRONT)),
    of_conv("h: the extra zero in front", SAME, windows_of(h=EXTRA_IN_FRONT)),
    of_conv("h: no zeros in front", SAME, windows_of(h=ALL_BEHIND)),
    of_step(
        "conv_lstm",
        "strides left out",
        "vx = v · sh + a · dh − top",
        with_attributes(strides=lambda a: [1] * len(a["strides"])),
    ),
    of_step(
        "conv_lstm",
        "dilation left out",
        "vx = v · sh + a · dh − top",
        with_attributes(dilation_rate=lambda a: [1] * len(a["dilation_rate"])),
    ),
    of_step(
        "conv_lstm",
        "strides in the other order",
        "strides has an element for each axis",
        with_attributes(strides=lambda a: a["strides"][::-1]),
    ),
    of_step(
        "conv_lstm",
        "dilation in the other order",
        "dilation_rate has an element for each axis",
        with_attributes(dilation_rate=lambda a: a["dilation_rate"][::-1]),
    ),
    of_conv("h is dilated as x is", OF_H, changing("conv_lstm", compute=dilated)),
    of_conv(
        "h changes while it is read",
        "all of s is computed from the old h before any of h changes",
        changing("conv_lstm", compute=recurrent.unroll(conv_in_place, 2)),
    ),
)


# What has to be refused


def of_refusals(name: str, says: str, *changes: Patch, ops: tuple[str, ...] = ALL, page: str = "simple_rnn") -> Mutant:
    return of_faults(f"loops: {name}", says, *changes, groups=ops, page=f"ops/{page}.md")


REFUSALS = (
    of_refusals("weights of another dtype", "all weights have the dtype of x", overlooking(weights, "dtype-mismatch")),
    of_refusals(
        "states and masks of another dtype",
        "states have the dtype of x; mask is bool",
        overlooking(recurrent, "dtype-mismatch"),
    ),
    of_refusals(
        "x of another rank",
        "x has 3 dimensions, and the last one is a number",
        overlooking(recurrent, "rank-range"),
        ops=("simple_rnn", "gru", "lstm"),
    ),
    of_refusals(
        "weights of another shape",
        "the shapes of kernel, recurrent_kernel and bias",
        overlooking(weights, "weight-shape"),
    ),
    of_refusals(
        "states and masks of another shape",
        "states are (rows, units), mask is (rows, time)",
        overlooking(recurrent, "operand-shape"),
    ),
    of_refusals(
        "filters that are no quarter",
        "recurrent_kernel is (k₁, …, kₙ, filters, 4 · filters)",
        overlooking(conv_lstm, "weight-shape"),
        ops=("conv_lstm",),
        page="conv_lstm",
    ),
    of_refusals(
        "symbols for pixels",
        "all but the first two dimensions are numbers",
        overlooking(conv_lstm, "rank-range"),
        ops=("conv_lstm",),
        page="conv_lstm",
    ),
)

MUTANTS = (*LOOPS, *SIMPLE_RNN, *GRU, *LSTM, *CONV_LSTM, *REFUSALS)
