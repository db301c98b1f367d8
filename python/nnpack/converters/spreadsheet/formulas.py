"""The operators as formulas: plain functions that Excel 2010 and LibreOffice have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from nnpack.converters.spreadsheet.layout import Array, Block, Formula, Sheet, Span, spans_of
from nnpack.errors import ModelError
from nnpack.format.document import Document, Layer
from nnpack.ops import OPERATORS

Operand = Array | Span | str | int


@dataclass(frozen=True)
class Filling:
    """What computes a value: a formula for every cell, or an array formula for so many at a time."""

    formula: Formula
    span: int = 1


@dataclass(frozen=True)
class Call:
    """A layer on its sheet.

    Attributes:
        document: what the weights are taken from.
        layer: the layer.
        sheet: where it is computed.
        inputs: the values that it reads.
        dtype: that of its first output.
        defined: makes a name of the workbook that nobody has.
    """

    document: Document
    layer: Layer
    sheet: Sheet
    inputs: Sequence[Block]
    dtype: str
    defined: Callable[[str], str]
    _weights: dict[str, Block] = field(default_factory=dict)

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self.layer.attributes

    @cached_property
    def op(self) -> str:
        return self.layer.op.partition("@")[0]

    def array(self, role: str) -> Array:
        """The numbers of a weight."""
        return self.document.computed(self.layer.weights[role])

    def weight(self, role: str) -> Block | None:
        """A weight as a block; None where the layer has none."""
        return self.needed(role) if role in self.layer.weights else None

    def needed(self, role: str, arranged: Array | None = None, **more: Any) -> Block:
        """A weight that there is, in the order of its axes or as `arranged`."""
        if role not in self._weights:
            array = self.array(role) if arranged is None else arranged
            name = self.defined(f"{self.layer.name}_{role}")
            self._weights[role] = self.sheet.put_fixed(role, array, name=name, **more)
        return self._weights[role]

    @cached_property
    def numbers(self) -> Mapping[str, Span]:
        """The attributes that are numbers, each in a cell: a formula's own digits would be rounded to 15 of them."""
        dtype = next((b.dtype for b in map(self.document.values.get, self.layer.inputs) if b), self.dtype)
        found = {key: item for key, item in self.attributes.items() if isinstance(item, float)}
        rounded = np.dtype(dtype if dtype.startswith("float") else "float64").type
        return {key: self.sheet.put_fixed(key, np.asarray(rounded(item))).all() for key, item in found.items()}

    def refused(self, received: str) -> ModelError:
        return ModelError("layer-unsupported", self.layer.name, "what cells can compute", f"{self.op}, {received}")

    # Formulas

    def filled(self, template: str, **operands: Operand) -> Formula:
        """A formula of one template, whose operands are the same for all places or arrays with one for each."""
        flat = {key: item.reshape(-1) if isinstance(item, np.ndarray) else item for key, item in operands.items()}

        def formula(line: int, place: int) -> str:
            found = {key: item[place] if isinstance(item, np.ndarray) else item for key, item in flat.items()}
            return template.format(**{key: self.text(item, line) for key, item in found.items()})

        return formula

    def text(self, item: Span | str | int, line: int) -> str:
        """What stands in a formula of this sheet, in a line, for cells, a name or a number."""
        return item.at(line, self.sheet) if isinstance(item, Span) else str(item)

    def moved(self, cells: Array) -> Filling:
        """References to other cells."""
        return Filling(self.filled("{x}", x=cells))

    def along(self, x: Block, axes: Sequence[int]) -> Array:
        """For every group of elements that differ in these axes alone their span; the axes have one element each.

        Where a group's cells are no neighbours they are brought together first.
        """
        kept = [axis for axis in range(x.cells.ndim) if axis not in axes]
        shape = [1 if axis in axes else n for axis, n in enumerate(x.cells.shape)]
        groups = x.cells.transpose(*kept, *axes).reshape(prod(shape), -1)
        n = groups.shape[1]
        if any(group[-1].first - group[0].first != n - 1 for group in groups):
            groups = self._gathered(x, groups)
        firsts, lasts = ([group[k].first for group in groups] for k in (0, -1))
        return spans_of(groups[0, 0].block, firsts, lasts).reshape(shape)

    def _gathered(self, x: Block, groups: Array) -> Array:
        places = [span.first for span in groups.reshape(-1)]
        block = self.sheet.put(
            f"{x.title}, grouped",
            (len(places),),
            lambda: x.by_place[:, places],
            formula=self.moved(groups).formula,
            fixed=x.fixed,
            headings=self.sheet.rows[:1] if x.fixed else self.sheet.rows,
        )
        return block.cells.reshape(groups.shape)

    def weights_along(self, axes: Sequence[int], rank: int) -> dict[str, Array]:
        """The weights that there are, in the shape that broadcasts along these axes of an array of so many."""
        found = {}
        for role in self.layer.weights:
            cells = self.needed(role).cells
            sizes = dict(zip(axes, cells.shape, strict=True))
            found[role] = cells.reshape([sizes.get(axis, 1) for axis in range(rank)])
        return found


Handler = Callable[[Call], "Filling | list[Filling]"]

HANDLERS: dict[str, Handler] = {}
"""What computes each operator that a spreadsheet can compute."""


def handles(*ops: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(ops, handler))
        return handler

    return register


# Element by element

ACTIVATIONS = {
    "linear": "{x}",
    "relu": "MAX({x},0)",
    "relu6": "MIN(MAX({x},0),6)",
    "leaky_relu": "IF({x}>0,{x},{negative_slope}*{x})",
    "thresholded_relu": "IF({x}>{threshold},{x},{negative_slope}*({x}-{threshold}))",
    "clipped_relu": "IF({x}>{threshold},MIN(MAX({x},0),{max_value}),{negative_slope}*({x}-{threshold}))",
    "elu": "IF({x}>0,{x},{alpha}*(EXP({x})-1))",
    "celu": "IF({x}>0,{x},IF({x}>-1E-5*ABS({alpha}),{x}+{x}^2/2/{alpha},{alpha}*(EXP(MIN({x}/{alpha},709))-1)))",
    "selu": "1.0507009873554805*IF({x}>0,{x},1.6732632423543772*(EXP({x})-1))",
    "gelu": "{x}*(1+ERF({x}/SQRT(2)))/2",
    "sigmoid": "1/(1+EXP(MIN(-{x},709)))",
    "silu": "{x}/(1+EXP(MIN(-{x},709)))",
    "mish": "{x}*TANH(IF({x}<-18,EXP({x}),MAX({x},0)+LN(1+EXP(-ABS({x})))))",
    "softplus": "IF({x}<-18,EXP({x}),MAX({x},0)+LN(1+EXP(-ABS({x}))))",
    "log_sigmoid": "IF({x}>18,-EXP(-{x}),MIN({x},0)-LN(1+EXP(-ABS({x}))))",
    "softsign": "{x}/(1+ABS({x}))",
    "tanh": "TANH({x})",
    "tanh_shrink": "{x}-TANH({x})",
    "exponential": "EXP(MIN({x},709))",
    "hard_sigmoid": "MIN(MAX({x}+3,0),6)/6",
    "hard_silu": "{x}*MIN(MAX({x}+3,0),6)/6",
    "hard_tanh": "MIN(MAX({x},-1),1)",
    "hard_shrink": "IF(ABS({x})>{threshold},{x},0)",
    "soft_shrink": "IF({x}>{threshold},{x}-{threshold},IF({x}<-{threshold},{x}+{threshold},0))",
    "threshold": "IF({x}>{threshold},{x},{default_value})",
    "sparse_sigmoid": "MIN(MAX(({x}+1)/2,0),1)",
    "sparse_plus": "IF({x}<1,MAX({x}+1,0)^2/4,{x})",
    "squareplus": "({x}+SQRT({x}^2+{b}))/2",
    "softmax": "EXP({x}-MAX({group}))/SUMPRODUCT(EXP({group}-MAX({group})))",
    "log_softmax": "{x}-MAX({group})-LN(SUMPRODUCT(EXP({group}-MAX({group}))))",
}
"""exp of more than 709 is an error in a spreadsheet, where IEEE 754 has an infinity. There is no expm1 and no log1p:
where exp(v) - 1 or log(1 + v) would cancel, the first terms of their series stand."""

APPROXIMATE_GELU = "{x}*(1+TANH(SQRT(2/PI())*({x}+0.044715*{x}^3)))/2"

FUNCTIONS = {
    "identity": "{x}",
    "abs": "ABS({x})",
    "negative": "-{x}",
    "sign": "SIGN({x})",
    "floor": "INT({x})",
    "ceil": "-INT(-{x})",
    "round": "IF(ABS({x}-TRUNC({x}))=0.5,2*ROUND({x}/2,0),ROUND({x},0))",  # ties to even, where ROUND goes up
    "trunc": "TRUNC({x})",
    "square": "{x}*{x}",
    "sqrt": "SQRT({x})",
    "reciprocal": "1/{x}",
    "rsqrt": "1/SQRT({x})",
    "expm1": "IF(ABS({x})<1E-5,{x}+{x}^2/2,EXP(MIN({x},709))-1)",
    "log": "LN({x})",
    "log1p": "IF(ABS({x})<1E-5,{x}-{x}^2/2,LN(1+{x}))",
    "log2": "LOG({x},2)",
    "log10": "LOG10({x})",
    "sin": "SIN({x})",
    "cos": "COS({x})",
    "tan": "TAN({x})",
    "arcsin": "ASIN({x})",
    "arccos": "ACOS({x})",
    "arctan": "ATAN({x})",
    "sinh": "SINH({x})",
    "cosh": "COSH({x})",
    "arcsinh": "ASINH({x})",
    "arccosh": "ACOSH({x})",
    "arctanh": "ATANH({x})",
    "erf": "ERF({x})",
    "erfc": "ERFC({x})",
    "logical_not": "1-{x}",
}

OPERATIONS = {
    "add": "{x1}+{x2}",
    "subtract": "{x1}-{x2}",
    "multiply": "{x1}*{x2}",
    "divide": "{x1}/{x2}",
    "maximum": "MAX({x1},{x2})",
    "minimum": "MIN({x1},{x2})",
    "power": "{x1}^{x2}",
    "floor_divide": "INT({x1}/{x2})",
    "mod": "{x1}-{x2}*INT({x1}/{x2})",
    "equal": "IF({x1}={x2},1,0)",
    "not_equal": "IF({x1}<>{x2},1,0)",
    "less": "IF({x1}<{x2},1,0)",
    "less_equal": "IF({x1}<={x2},1,0)",
    "greater": "IF({x1}>{x2},1,0)",
    "greater_equal": "IF({x1}>={x2},1,0)",
    "logical_and": "{x1}*{x2}",
    "logical_or": "MAX({x1},{x2})",
    "logical_xor": "ABS({x1}-{x2})",
}


@handles(*(ACTIVATIONS.keys() - {"linear", "softmax", "log_softmax"}), *FUNCTIONS)
def function(call: Call) -> Filling:
    template = ACTIVATIONS.get(call.op) or FUNCTIONS[call.op]
    if call.attributes.get("approximate"):
        template = APPROXIMATE_GELU
    return Filling(call.filled(template, x=call.inputs[0].cells, **call.numbers))


@handles(*OPERATIONS)
def operation(call: Call) -> Filling:
    x1, x2 = np.broadcast_arrays(*(x.cells for x in call.inputs))
    return Filling(call.filled(OPERATIONS[call.op], x1=x1, x2=x2))


@handles("where")
def where(call: Call) -> Filling:
    condition, x1, x2 = np.broadcast_arrays(*(x.cells for x in call.inputs))
    return Filling(call.filled("IF({condition}<>0,{x1},{x2})", condition=condition, x1=x1, x2=x2))


_BITS = {"int8": 8, "uint8": 8, "int32": 32}


@handles("cast")
def cast(call: Call) -> Filling:
    before, after = call.document.values[call.layer.inputs[0]].dtype, call.attributes["dtype"]
    template = "{x}"
    if after == "bool" != before:
        template = "IF({x}<>0,1,0)"
    elif before.startswith("float") and "int" in after:
        template = "TRUNC({x})"
    elif after in _BITS and before not in ("bool", after):  # the low bits are kept
        values, below = 2 ** _BITS[after], 0 if after == "uint8" else 2 ** (_BITS[after] - 1)
        template = f"{{x}}-{values}*INT(({{x}}+{below})/{values})"
    return Filling(call.filled(template, x=call.inputs[0].cells))


# The same elements elsewhere


@handles("reshape", "concatenate", "transpose", "expand_dims", "squeeze", "flip", "slice", "repeat", "tile")
def move(call: Call) -> Filling:
    """The operator's own function, which moves whatever an array holds: cells, here."""
    return call.moved(OPERATORS[call.layer.op].function(*(x.cells for x in call.inputs), **call.attributes))


@handles("pad")
def pad(call: Call) -> Filling:
    attributes = {**call.attributes, **call.numbers}  # the cell of constant_value in place of the number
    return call.moved(OPERATORS[call.layer.op].function(call.inputs[0].cells, **attributes))


@handles("constant")
def constant(call: Call) -> Filling:
    return call.moved(call.needed("value").cells)


@handles("glu")
def glu(call: Call) -> Filling:
    a, b = np.split(call.inputs[0].cells, 2, call.attributes["axis"])
    return Filling(call.filled("{a}/(1+EXP(MIN(-{b},709)))", a=a, b=b))


# By integers


@handles("embedding")
def embedding(call: Call) -> Filling:
    table, x = call.needed("embeddings"), call.inputs[0].cells
    count, width = table.shape
    template = "INDEX({table},{x}+IF({x}<0,{behind},1),{column})"  # negative indices count from the end
    columns = np.tile(np.arange(1, width + 1), x.size)
    return Filling(call.filled(template, table=table.name, x=x.repeat(width), behind=count + 1, column=columns))


@handles("one_hot")
def one_hot(call: Call) -> Filling:
    x, width = call.inputs[0].cells, call.attributes["num_classes"]
    classes = np.tile(np.arange(width), x.size)
    return Filling(call.filled("IF({x}={class_},1,0)", x=x.repeat(width), class_=classes))


@handles("bucketize")
def bucketize(call: Call) -> Filling:
    boundaries = call.needed("boundaries").all()
    return Filling(call.filled("SUMPRODUCT(({b}<={x})*1)", x=call.inputs[0].cells, b=boundaries))


@handles("integer_lookup")
def integer_lookup(call: Call) -> Filling:
    vocabulary = call.needed("vocabulary").all()
    return Filling(call.filled("IFERROR(MATCH({x},{v},0)-1,-1)", x=call.inputs[0].cells, v=vocabulary))


# Along axes

REDUCTIONS = {
    "sum": "SUM({group})",
    "mean": "AVERAGE({group})",
    "prod": "PRODUCT({group})",
    "max": "MAX({group})",
    "min": "MIN({group})",
    "variance": "VARP({group})",
    "logsumexp": "MAX({group})+LN(SUMPRODUCT(EXP({group}-MAX({group}))))",
    "any": "MAX({group})",
    "all": "MIN({group})",
    "argmax": "MATCH(MAX({group}),{group},0)-1",
    "argmin": "MATCH(MIN({group}),{group},0)-1",
}


@handles(*REDUCTIONS)
def reduction(call: Call) -> Filling:
    axes = call.attributes.get("axes") or [call.attributes["axis"]]
    return Filling(call.filled(REDUCTIONS[call.op], group=call.along(call.inputs[0], axes)))


@handles("softmax", "log_softmax")
def softmax(call: Call) -> Filling:
    x = call.inputs[0]
    groups = np.broadcast_to(call.along(x, call.attributes["axes"]), x.cells.shape)
    return Filling(call.filled(ACTIVATIONS[call.op], x=x.cells, group=groups))


@handles("sparsemax", "cumulative_sparsemax")
def sparsemax(call: Call) -> Filling:
    """max(x - τ, 0): the numbers in descending order, their running sums, which of them are kept, τ."""
    x, axis = call.inputs[0], call.attributes["axis"]
    spans = call.along(x, [axis])
    groups, n = spans.reshape(-1), x.cells.shape[axis]
    each, ranks = groups.repeat(n), np.tile(np.arange(1, n + 1), len(groups))
    of_group = np.concatenate([np.arange(span.first, span.last + 1) for span in groups])

    def block(title: str, formula: Formula, numbers: Callable[[], Array], width: int = n) -> Block:
        headings = call.sheet.rows[:1] if x.fixed else call.sheet.rows
        return call.sheet.put(title, (len(groups), width), numbers, formula=formula, fixed=x.fixed, headings=headings)

    def ordered() -> Array:
        return -np.sort(-groups[0].block.by_place[:, of_group].reshape(-1, len(groups), n), axis=-1)

    def grouped(block: Block) -> Array:
        return block.values.reshape(-1, *block.shape)

    starts = np.arange(len(groups)) * n

    def whole(block: Block) -> Array:
        return spans_of(block, starts, starts + n - 1)

    order = block("descending", call.filled("LARGE({group},{rank})", group=each, rank=ranks), ordered)
    so_far = spans_of(order, starts.repeat(n), np.arange(len(each)))
    sums = block("running sum", call.filled("SUM({so_far})", so_far=so_far), lambda: grouped(order).cumsum(-1))
    kept = block(
        "kept",
        call.filled("IF({z}-({s}-1)/{rank}>0,1,0)", z=order.cells, s=sums.cells, rank=ranks),
        lambda: grouped(order) - (grouped(sums) - 1) / np.arange(1, n + 1) > 0,
    )
    terms = order if call.op == "sparsemax" else sums
    tau = block(
        "tau",
        call.filled("(SUMPRODUCT({kept},{terms})-1)/SUM({kept})", kept=whole(kept), terms=whole(terms)),
        lambda: ((grouped(kept) * grouped(terms)).sum(-1) - 1) / grouped(kept).sum(-1),
        1,
    )
    taus = np.broadcast_to(tau.cells.reshape(spans.shape), x.cells.shape)
    return Filling(call.filled("MAX({x}-{tau},0)", x=x.cells, tau=taus))


@handles("cumsum", "cumprod")
def cumulative(call: Call) -> Filling:
    x, axis = call.inputs[0], call.attributes["axis"]
    total = "SUM" if call.op == "cumsum" else "PRODUCT"
    groups = np.broadcast_to(call.along(x, [axis]), x.cells.shape).reshape(-1)
    ranks = np.broadcast_to(
        np.arange(x.cells.shape[axis]).reshape([-1 if k == axis else 1 for k in range(x.cells.ndim)]), x.cells.shape
    ).reshape(-1)

    so_far = np.array([Span(group.block, group.first, group.first + n) for group, n in zip(groups, ranks, strict=True)])
    return Filling(call.filled(f"{total}({{so_far}})", so_far=so_far))


# Normalization


def _scaled(call: Call, standard: str, axes: Sequence[int], **operands: Array | Span) -> Filling:
    """A normalized number, scaled and shifted by the weights that there are."""
    x = call.inputs[0].cells
    weights = {role: np.broadcast_to(w, x.shape) for role, w in call.weights_along(axes, x.ndim).items()}
    template = standard
    for role, sign in (("gamma", "*"), ("scale", "*"), ("beta", "+")):
        if role in weights:
            template += f"{sign}{{{role}}}"
    return Filling(call.filled(template, x=x, **weights, **operands, **call.numbers))


@handles("batch_normalization")
def batch_normalization(call: Call) -> Filling:
    return _scaled(call, "({x}-{moving_mean})/SQRT({moving_variance}+{epsilon})", [call.attributes["axis"]])


NORMALIZATIONS = {
    "layer_normalization": "({x}-AVERAGE({group}))/SQRT(VARP({group})+{epsilon})",
    "rms_normalization": "{x}/SQRT(SUMSQ({group})/COLUMNS({group})+{epsilon})",
    "unit_normalization": "{x}/MAX(SQRT(SUMSQ({group})),{epsilon})",
}


@handles(*NORMALIZATIONS)
def normalization(call: Call) -> Filling:
    x, axes = call.inputs[0], call.attributes["axes"]
    groups = np.broadcast_to(call.along(x, axes), x.cells.shape)
    return _scaled(call, NORMALIZATIONS[call.op], axes, group=groups)


# What stands above a layer's values


def described(layer: Layer) -> str:
    """The formula of a layer in a line, where it has one."""
    op = layer.op.partition("@")[0]
    named = {**ACTIVATIONS, **FUNCTIONS, **OPERATIONS, **REDUCTIONS, **NORMALIZATIONS}
    if layer.attributes.get("approximate"):
        return _plain(APPROXIMATE_GELU)
    others = {
        "dense": "MMULT(x, kernel) + bias",
        "conv": "sum of window * kernel, + bias",
        "simple_rnn": "h = activation(MMULT(x, kernel) + MMULT(h, recurrent_kernel) + bias) at each step",
        "lstm": "c = f * c + i * g; h = o * activation(c) at each step",
        "gru": "h = z * h + (1 - z) * g at each step",
        "batch_normalization": "(x - moving_mean) / SQRT(moving_variance + epsilon) * gamma + beta",
    }
    return _plain(named[op]) if op in named else others.get(op, "")


def _plain(template: str) -> str:
    return re.sub(r"[{}]", "", template)
