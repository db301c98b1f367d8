"""What an operator is: a pure numpy function, its attributes, its rule of shapes, and how it rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.errors import FormatError, describe, pointer
from nnpack.format.document import Dimension, Shape, show
from nnpack.format.dtypes import FLOATS, NUMBERS, PLAIN
from nnpack.format.limits import BATCH, DIMENSION, RANK

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

OpenShape = tuple[Dimension | None, ...]
"""A shape of which None is known when the operator runs; the layer declares a new symbol for it."""


class Type(NamedTuple):
    """What is known of an array before it exists."""

    dtype: str
    shape: Shape

    @property
    def rank(self) -> int:
        return len(self.shape)


class Call(NamedTuple):
    """The types that an operator is applied to, and its attributes."""

    inputs: tuple[Type, ...]
    weights: Mapping[str, Type]
    attributes: Mapping[str, Any]


Made = tuple[str, OpenShape]
"""The dtype and shape of a value that an operator makes."""

Infer = Callable[[Call], "Made | list[Made]"]
"""What the operator makes: one value, or the list of them."""

Rounding = Callable[..., Any]
"""(y, *inputs, **weights, **attributes) -> one standard deviation of y's rounding, in units of u; spec/accuracy.md.

For an operator of several outputs y is their tuple, and so is the answer. It is infinite where float32 would overflow
on the way to y, and float64 does not, and where the page leaves open which of several numbers a right one is.
"""

CheckWeights = Callable[[Mapping[str, "Array"], Mapping[str, Any]], None]


# Attributes


class Attribute(NamedTuple):
    """The type and range of an attribute."""

    kind: str
    accepts: Callable[[Any], bool]
    range: Callable[[Any], bool] = lambda item: True

    def check(self, item: Any, at: str) -> None:
        if not self.accepts(item):
            raise FormatError("wrong-type", at, self.kind, describe(item))
        if not self.range(item):
            raise FormatError("wrong-value", at, self.kind, describe(item) if type(item) is not list else item)


def _is_integers(item: Any) -> bool:
    return type(item) is list and all(type(member) is int for member in item)


NUMBER = Attribute("a number", lambda item: type(item) is float)
NONZERO = Attribute("a number other than 0", NUMBER.accepts, lambda x: x != 0)
NOT_NEGATIVE = Attribute("a number of at least 0", NUMBER.accepts, lambda x: x >= 0)
BOOLEAN = Attribute("a boolean", lambda item: type(item) is bool)
AXIS = Attribute(f"an integer from 1 to {RANK - 1}", lambda item: type(item) is int, lambda axis: 1 <= axis <= RANK - 1)
AXES = Attribute(
    f"ascending integers from 1 to {RANK - 1}, at least one",
    _is_integers,
    lambda axes: bool(axes) and axes == sorted(set(axes)) and axes[0] >= 1 and axes[-1] <= RANK - 1,
)
TARGET_SHAPE = Attribute(
    f"at most {RANK - 1} integers from 1 to {DIMENSION - 1}, of which one may be -1",
    _is_integers,
    lambda shape: len(shape) <= RANK - 1 and shape.count(-1) <= 1 and all(n == -1 or 1 <= n < DIMENSION for n in shape),
)
DTYPE = Attribute(f"one of {', '.join(PLAIN)}", lambda item: type(item) is str, lambda item: item in PLAIN)


def one_of(*choices: str) -> Attribute:
    """An enumeration."""
    return Attribute(f"one of {', '.join(choices)}", lambda item: type(item) is str, lambda item: item in choices)


def integer(least: int, most: int = DIMENSION - 1) -> Attribute:
    """An integer of a range."""
    kind = f"an integer from {least} to {most}"
    return Attribute(kind, lambda item: type(item) is int, lambda item: least <= item <= most)


def integers(least: int, most: int = DIMENSION - 1, lengths: tuple[int, int] = (1, RANK)) -> Attribute:
    """A list of integers of a range, of so many elements."""
    few, many = lengths
    count = f"{few}" if few == many else f"{few} to {many}"
    return Attribute(
        f"{count} integers from {least} to {most}",
        _is_integers,
        lambda items: few <= len(items) <= many and all(least <= item <= most for item in items),
    )


# The operator


class Operator(NamedTuple):
    """One operator of one version, frozen for ever.

    Attributes:
        name: "dense".
        version: 1.
        function: arrays, weights and attributes -> array; a function of its arguments alone.
        inputs: the least and the largest number of inputs.
        weights: role -> whether it must be there.
        attributes: name -> type and range.
        infer: types -> dtype and shape of the output; raises for a constraint that does not hold.
        rounding: what spec/accuracy.md calls the scale of the operator.
        check_weights: (weights, attributes) -> nothing; raises for a constraint on the numbers themselves.
        view: whether the result may be memory of an input or of a weight.
        strings: whether inputs may be strings.
    """

    name: str
    version: int
    function: Callable[..., Any]
    inputs: tuple[int, int]
    weights: Mapping[str, bool]
    attributes: Mapping[str, Attribute]
    infer: Infer
    rounding: Rounding
    check_weights: CheckWeights | None = None
    view: bool = False
    strings: bool = False

    @property
    def id(self) -> str:
        return f"{self.name}@{self.version}"

    def check(self, call: Call) -> list[Made]:
        """The dtype and shape of each output.

        Raises:
            FormatError: with a pointer relative to the layer.
        """
        least, most = self.inputs
        if not least <= len(call.inputs) <= most:
            expected = f"{least}" if least == most else f"{least} to {most}"
            raise FormatError("input-count", "/inputs", expected, len(call.inputs))
        for i, given in enumerate(call.inputs):
            if given.dtype == "string" and not self.strings:
                raise FormatError("dtype-mismatch", f"/inputs/{i}", "numbers or booleans", given.dtype)
        for role in sorted(call.weights.keys() - self.weights.keys()):
            raise FormatError("weight-unknown", pointer("/weights", role), f"one of {sorted(self.weights)}", repr(role))
        for role, required in self.weights.items():
            if required and role not in call.weights:
                raise FormatError("weight-missing", "/weights", repr(role), "no such weight")
        for key in sorted(call.attributes.keys() - self.attributes.keys()):
            raise FormatError(
                "attribute-unknown", pointer("/attributes", key), f"one of {sorted(self.attributes)}", repr(key)
            )
        for key, attribute in self.attributes.items():
            if key not in call.attributes:
                raise FormatError("attribute-missing", "/attributes", repr(key), "no such attribute")
            attribute.check(call.attributes[key], f"/attributes/{key}")
        made = self.infer(call)
        return made if isinstance(made, list) else [made]


class Operators(MutableMapping[str, Operator]):
    """Operators by their ids; most families are imported when one is asked for that is not there yet.

    So a process that computes a perceptron starts without them.
    """

    def __init__(self) -> None:
        self._known: dict[str, Operator] = {}
        self._families: tuple[str, ...] = ()

    def complete_with(self, *families: str) -> None:
        """Names the modules of nnpack.ops that register the other operators."""
        self._families = families

    def _complete(self) -> dict[str, Operator]:
        for family in self._families:
            import_module(f"nnpack.ops.{family}")
        self._families = ()
        return self._known

    def __getitem__(self, op: str) -> Operator:
        return self._known[op] if op in self._known else self._complete()[op]

    def __contains__(self, op: object) -> bool:
        return op in self._known or op in self._complete()

    def __setitem__(self, op: str, operator: Operator) -> None:
        self._known[op] = operator

    def __delitem__(self, op: str) -> None:
        del self._complete()[op]

    def __iter__(self) -> Iterator[str]:
        return iter(self._complete())

    def __len__(self) -> int:
        return len(self._complete())


OPERATORS = Operators()
"""Every operator of this reader, by its id."""


def operator(
    infer: Infer,
    rounding: Rounding,
    *,
    inputs: int | tuple[int, int] = 1,
    weights: Mapping[str, bool] | None = None,
    version: int = 1,
    attributes: Mapping[str, Attribute] | None = None,
    check_weights: CheckWeights | None = None,
    view: bool = False,
    strings: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function as the operator of its own name."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        count = (inputs, inputs) if isinstance(inputs, int) else inputs
        name = function.__name__.rstrip("_")
        new = Operator(
            name=name,
            version=version,
            function=function,
            inputs=count,
            weights=weights or {},
            attributes=attributes or {},
            infer=infer,
            rounding=rounding,
            check_weights=check_weights,
            view=view,
            strings=strings,
        )
        OPERATORS[new.id] = new
        return function

    return register


# Shared rules


def require_dtype(call: Call, i: int, *dtypes: str) -> str:
    """An input has one of these dtypes."""
    dtype = call.inputs[i].dtype
    if dtype not in dtypes:
        raise FormatError("dtype-mismatch", f"/inputs/{i}", f"one of {', '.join(dtypes)}", dtype)
    return dtype


def require_number(call: Call) -> str:
    """The one numeric dtype of all inputs."""
    dtype = require_dtype(call, 0, *NUMBERS)
    for i in range(1, len(call.inputs)):
        require_dtype(call, i, dtype)
    return dtype


def require_rank(call: Call, i: int, least: int, most: int = RANK) -> int:
    """An input has so many dimensions."""
    rank = call.inputs[i].rank
    if not least <= rank <= most:
        expected = f"{least} dimensions" if least == most else f"{least} to {most} dimensions"
        raise FormatError("rank-range", f"/inputs/{i}", expected, show(call.inputs[i].shape))
    return rank


def require_float(call: Call) -> str:
    """The one floating-point dtype of all inputs and weights."""
    dtype = call.inputs[0].dtype if call.inputs else next(iter(call.weights.values())).dtype
    if dtype not in FLOATS:
        raise FormatError("dtype-mismatch", "/inputs/0", f"one of {', '.join(FLOATS)}", dtype)
    for i, type_ in enumerate(call.inputs):
        if type_.dtype != dtype:
            raise FormatError("dtype-mismatch", f"/inputs/{i}", dtype, type_.dtype)
    for role, type_ in call.weights.items():
        if type_.dtype != dtype:
            raise FormatError("dtype-mismatch", f"/weights/{role}", dtype, type_.dtype)
    return dtype


def require_shape(call: Call, role: str, *shape: Dimension | None) -> None:
    """A weight has this shape; None stands for any number."""
    received = call.weights[role].shape
    if len(received) != len(shape) or any(n not in (None, m) for n, m in zip(shape, received, strict=True)):
        expected = f"({', '.join('any' if n is None else str(n) for n in shape)})"
        raise FormatError("weight-shape", f"/weights/{role}", expected, show(received))


def require_axis(call: Call, axis: int, at: str) -> None:
    """An axis lies within the first input's rank. (That it is not the batch's, its type has said.)"""
    rank = call.inputs[0].rank
    if axis >= rank:
        raise FormatError("axis-range", at, f"an axis below {rank}, the rank of the input", axis)


def same(call: Call) -> Made:
    """The output is like the input, a floating-point array of any shape."""
    return require_float(call), call.inputs[0].shape


def broadcast(call: Call) -> OpenShape:
    """numpy's broadcasting; a symbol fits itself and 1."""
    rank = max(type_.rank for type_ in call.inputs)
    result: list[Dimension] = [1] * rank
    for i, type_ in enumerate(call.inputs):
        for axis, n in enumerate(type_.shape, rank - type_.rank):
            if result[axis] == 1:
                result[axis] = n
            elif n not in (1, result[axis]):
                shapes = " and ".join(show(input_.shape) for input_ in call.inputs)
                raise FormatError("broadcast-mismatch", f"/inputs/{i}", "shapes that broadcast together", shapes)
    for axis, n in enumerate(result):
        if axis and n == BATCH:
            shapes = " and ".join(show(input_.shape) for input_ in call.inputs)
            raise FormatError("batch-axis", "/inputs", f"{BATCH!r} to stay the first dimension", shapes)
    return tuple(result)


# Shared scales of rounding


def exact(y: Array, *inputs: Array, **rest: Any) -> Array:
    """Nothing is rounded: data movement, comparison, selection."""
    return np.zeros_like(y, np.float64)


def rounded(y: Array, *inputs: Array, **rest: Any) -> Array:
    """One arithmetic operation; integers are exact."""
    return np.abs(y) if y.dtype.kind == "f" else exact(y)


def summed(magnitude: Array, terms: int) -> Array:
    """A sum of `terms` terms whose absolute values add up to `magnitude`; integers are exact."""
    return np.asarray(magnitude * (1 + np.sqrt(terms) / 4)) if magnitude.dtype.kind == "f" else exact(magnitude)
