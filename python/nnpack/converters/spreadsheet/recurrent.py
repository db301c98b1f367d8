"""simple_rnn, lstm and gru, step by step: every step is some blocks of cells below those of the step before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from nnpack.converters.spreadsheet.formulas import ACTIVATIONS, Call, Filling, Operand, handles
from nnpack.converters.spreadsheet.layout import Array, Block, Formula, Span
from nnpack.converters.spreadsheet.products import matrix
from nnpack.ops.recurrent import ACTIVATIONS as FUNCTIONS


class Activation(NamedTuple):
    """An activation of gates: its formula, which has its attributes in it, and the function itself."""

    template: str
    function: Callable[[Array], Array]


def _activation(name: str) -> Activation:
    function: Any = FUNCTIONS[name].function
    template = ACTIVATIONS[name]
    for key, number in getattr(function, "keywords", {}).items():
        template = template.replace(f"{{{key}}}", repr(number))
    return Activation(template, function)


class Term(NamedTuple):
    """What is added up to an array of cells: its formula in a line, and its numbers."""

    text: Callable[[int], str]
    numbers: Callable[[], Array]


class Steps:
    """The sheet of a layer whose steps are laid out one below the other.

    Attributes:
        call: the layer.
        units: how many elements a state has.
        title: what the step that is laid out is called.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        for role in ("kernel", "recurrent_kernel", "bias"):  # in this order on the sheet
            call.weight(role)
        self.units = call.needed("recurrent_kernel").shape[0]
        self.title = ""

    def put(self, title: str, formula: Formula, numbers: Callable[[], Array], gates: int = 1, span: int = 1) -> Block:
        """A block of so many gates."""
        shape = (gates * self.units,)
        return self.call.sheet.put(f"{title}, {self.title}", shape, numbers, formula=formula, span=span)

    def each(self, title: str, template: str, numbers: Callable[[], Array], **operands: Operand) -> Block:
        """A block of one gate, by a formula for every cell."""
        return self.put(title, self.call.filled(template, **operands), numbers)

    def total(self, title: str, gates: int, terms: Sequence[Term]) -> Block:
        """A block that an array formula for each row computes as a sum."""
        return self.put(
            title,
            lambda line, place: "+".join(term.text(line) for term in terms),
            lambda: np.asarray(sum(term.numbers() for term in terms)),
            gates,
            gates * self.units,
        )

    def product(self, x: Span, role: str, gates: slice) -> Term:
        """x times the columns of a weight that belong to these gates."""
        weight, columns = self.call.needed(role), self._columns(gates)
        part = Span(weight, columns.start, (weight.shape[0] - 1) * weight.columns + columns.stop - 1)
        right = weight.name if part.last - part.first == weight.all().last else part
        return Term(
            lambda line: f"MMULT({matrix(x, line, self.call.sheet)},{self.call.text(right, line)})",
            lambda: x.block.by_place[:, x.first : x.last + 1] @ weight.values[:, columns],
        )

    def bias(self, gates: slice, second: bool = False) -> list[Term]:
        """What the bias adds to these gates: its second line belongs to the recurrent kernel."""
        bias = self.call.weight("bias")
        if bias is None or (second and bias.shape[0] != 2):
            return []
        columns, line_of = self._columns(gates), bias.columns * second
        part = Span(bias, line_of + columns.start, line_of + columns.stop - 1)
        return [Term(lambda line: self.call.text(part, line), lambda: bias.values[second : second + 1, columns])]

    def _columns(self, gates: slice) -> slice:
        return slice(gates.start * self.units, gates.stop * self.units)

    def gate(self, block: Block, k: int) -> Span:
        """The cells of one of the gates that stand one behind the other."""
        return Span(block, k * self.units, (k + 1) * self.units - 1)


def part(span: Span) -> Array:
    """The numbers of a span."""
    return span.block.by_place[:, span.first : span.last + 1]


def cells(span: Span) -> Array:
    """Each cell of a span."""
    return span.block.cells.reshape(-1)[span.first : span.last + 1]


Cell = Callable[[Span, "list[Block]"], "list[Block]"]
"""(x at a step, states) -> the states after it, of which the first is the output."""


def unrolled(steps: Steps, cell: Cell, states: Sequence[str]) -> list[Filling]:
    """The output and the final states. Source: nnpack.ops.unrolled.Loop."""
    call, sheet = steps.call, steps.call.sheet
    x, *rest = call.inputs
    if x.fixed:
        raise call.refused("of an input that is the same for every row")
    mask = rest.pop() if call.document.values[call.layer.inputs[-1]].dtype == "bool" else None
    zeros = np.zeros(steps.units)
    before = rest or [sheet.put_fixed(f"{name} before", zeros) for name in states]
    time, features = x.shape
    output, outputs = None, []
    for step in range(time):
        t = time - 1 - step if call.attributes["go_backwards"] else step
        steps.title = f"step {t}"
        after = cell(Span(x, t * features, (t + 1) * features - 1), before)
        if mask is None:
            output, before = after[0], after
        else:
            taken = Span(mask, t, t)
            kept = None if call.attributes["zero_output_for_mask"] else output
            output = _chosen(steps, "output", taken, after[0], kept)
            before = [
                _chosen(steps, f"{name} kept", taken, *pair) for name, *pair in zip(states, after, before, strict=True)
            ]
        outputs.append(output)
    made = outputs if call.attributes["return_sequences"] else outputs[-1:]
    y = np.concatenate([block.cells.reshape(-1) for block in made])
    return [call.moved(y), *(call.moved(state.cells) for state in before)]


def _chosen(steps: Steps, title: str, taken: Span, now: Block, otherwise: Block | None) -> Block:
    """`now` where the step is taken, else what was there before it, or 0."""

    def numbers() -> Array:
        return np.where(part(taken) != 0, now.by_place, 0 if otherwise is None else otherwise.by_place)

    before = 0 if otherwise is None else otherwise.cells
    return steps.each(title, "IF({taken}<>0,{now},{before})", numbers, taken=taken, now=now.cells, before=before)


def _gated(steps: Steps, name: str, function: Activation, sums: Span) -> Block:
    """A gate: an activation of its sums; the group that softmax needs is the whole gate."""
    return steps.each(name, function.template, lambda: function.function(part(sums)), x=cells(sums), group=sums)


# The operators


@handles("simple_rnn")
def simple_rnn(call: Call) -> list[Filling]:
    steps, function, whole = Steps(call), _activation(call.attributes["activation"]), slice(0, 1)

    def cell(x: Span, states: list[Block]) -> list[Block]:
        terms = [steps.product(x, "kernel", whole), steps.product(states[0].all(), "recurrent_kernel", whole)]
        s = steps.total("sum", 1, [*terms, *steps.bias(whole)])
        return [_gated(steps, "h", function, s.all())]

    return unrolled(steps, cell, "h")


@handles("lstm")
def lstm(call: Call) -> list[Filling]:
    """The gates i, f, g and o; c = f · c + i · g; h = o · activation(c)."""
    steps, all_gates = Steps(call), slice(0, 4)
    function = _activation(call.attributes["activation"])
    gate = _activation(call.attributes["recurrent_activation"])

    def cell(x: Span, states: list[Block]) -> list[Block]:
        h, c = states
        terms = [steps.product(x, "kernel", all_gates), steps.product(h.all(), "recurrent_kernel", all_gates)]
        s = steps.total("sums", 4, [*terms, *steps.bias(all_gates)])
        i, f, g, o = (
            _gated(steps, name, function if name == "g" else gate, steps.gate(s, k)) for k, name in enumerate("ifgo")
        )
        new_c = steps.each(
            "c",
            "{f}*{c}+{i}*{g}",
            lambda: f.by_place * c.by_place + i.by_place * g.by_place,
            **{name: block.cells for name, block in zip("fcig", (f, c, i, g), strict=True)},
        )
        template = f"{{o}}*({function.template})"
        operands: dict[str, Operand] = {"o": o.cells, "x": new_c.cells, "group": new_c.all()}
        new_h = steps.each("h", template, lambda: o.by_place * function.function(new_c.by_place), **operands)
        return [new_h, new_c]

    return unrolled(steps, cell, "hc")


@handles("gru")
def gru(call: Call) -> list[Filling]:
    """The gates z, r and g; h = z · h + (1 - z) · g."""
    steps, both, last = Steps(call), slice(0, 2), slice(2, 3)
    function = _activation(call.attributes["activation"])
    gate = _activation(call.attributes["recurrent_activation"])

    def reset_after(x: Span, h: Block, r: Block) -> Block:
        recurrent = [steps.product(h.all(), "recurrent_kernel", last), *steps.bias(last, second=True)]
        m = steps.total("h * recurrent_kernel", 1, recurrent)
        reset = Term(
            lambda line: f"{call.text(r.all(), line)}*{call.text(m.all(), line)}", lambda: r.by_place * m.by_place
        )
        return steps.total("sum of g", 1, [steps.product(x, "kernel", last), reset, *steps.bias(last)])

    def reset_before(x: Span, h: Block, r: Block) -> Block:
        q = steps.each("r * h", "{r}*{h}", lambda: r.by_place * h.by_place, r=r.cells, h=h.cells)
        terms = [steps.product(x, "kernel", last), steps.product(q.all(), "recurrent_kernel", last)]
        return steps.total("sum of g", 1, [*terms, *steps.bias(last)])

    candidate = reset_after if call.attributes["reset_after"] else reset_before

    def cell(x: Span, states: list[Block]) -> list[Block]:
        (h,) = states
        terms = [steps.product(x, "kernel", both), steps.product(h.all(), "recurrent_kernel", both)]
        s = steps.total("sums", 2, [*terms, *steps.bias(both), *steps.bias(both, second=True)])
        z, r = (_gated(steps, name, gate, steps.gate(s, k)) for k, name in enumerate("zr"))
        p = candidate(x, h, r)
        g = _gated(steps, "g", function, p.all())
        new_h = steps.each(
            "h",
            "{z}*{h}+(1-{z})*{g}",
            lambda: z.by_place * h.by_place + (1 - z.by_place) * g.by_place,
            **{name: block.cells for name, block in zip("zhg", (z, h, g), strict=True)},
        )
        return [new_h]

    return unrolled(steps, cell, "h")
