"""The loop over time of the recurrent operators, and what it rounds: spec/accuracy.md, "unrolled"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.ops.operator import BOOLEAN, Attribute, Infer, operator

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

RUNS, FEW_RUNS = 32, 8
MANY_ELEMENTS = 2**19
"""Loops whose states have more elements, for all rows and steps, are sampled by fewer runs."""

ROUNDOFF = 2.0**-24
SMALLEST, LARGEST = 2.0**-126, 2.0**127
_SEED = 20_240_601
_ELEMENTS = 2**17
"""How many elements of a state are evaluated side by side: they should stay in the cache."""

States = tuple["Array", ...]
Scale = Callable[..., "Array"]
"""(value, *operands) -> one standard deviation of the value's own rounding, in units of u."""

Cell = Callable[[int, States], States]
"""(t, states) -> the states after step t, of which the first is the output."""


class Arithmetic:
    """How a loop is evaluated: here, as it stands."""

    def start(self, state: Array) -> Array:
        """What a state is before the first step."""
        return state

    def site(self, value: Array, scale: Scale, *operands: Array) -> Array:
        """A value that is rounded, as the loop goes on with it."""
        return value

    def result(self, value: Array) -> Array:
        """What an output or a final state stands for."""
        return value


class Disturbed(Arithmetic):
    """Evaluations side by side along a new axis 0: one as it stands, and some that are disturbed at every site.

    The results are the sums of the squared differences between the disturbed ones and the first; infinite for rows that
    leave float32's range on the way.
    """

    def __init__(self, seed: int, runs: int) -> None:
        # the bits of this generator are frozen: the same signs on every machine
        self._random = np.random.RandomState(seed)
        self._runs = runs
        self._overflowing: Any = False

    def start(self, state: Array) -> Array:
        return np.broadcast_to(state, (1 + self._runs, *state.shape))

    def site(self, value: Array, scale: Scale, *operands: Array) -> Array:
        self._overflowing |= np.any(np.abs(value[0]) >= LARGEST, axis=tuple(range(1, value.ndim - 1)))
        size = scale(value[0], *(operand[0] for operand in operands))
        size = np.where((size > 0) & np.isfinite(size), size * ROUNDOFF + SMALLEST, 0)
        if not np.any(size):
            return value
        signs = 2 * self._random.randint(0, 2, value.shape, np.int8) - 1
        signs[0] = 0
        return value + signs * size

    def result(self, value: Array) -> Array:
        squares = np.sum(np.square(value[1:] - value[0]), axis=0)
        rows = np.reshape(self._overflowing, (-1, *[1] * (squares.ndim - 1)))
        return np.where(rows, np.inf, squares)


def sampled(function: Callable[..., States], y: States, *inputs: Array, **rest: Any) -> States:
    """The root mean square of what disturbed evaluations of a loop differ from y by, in units of u."""
    runs = RUNS if y[-1].size * inputs[0].shape[1] <= MANY_ELEMENTS else FEW_RUNS
    together = max(1, min(runs, _ELEMENTS // max(1, y[-1].size)))
    squares = [np.zeros(value.shape) for value in y]
    for first in range(0, runs, together):
        disturbed = Disturbed(_SEED + first, min(together, runs - first))
        for total, some in zip(squares, function(disturbed, *inputs, **rest), strict=True):
            total += some
    return tuple(np.sqrt(total / runs) / ROUNDOFF for total in squares)


class Linear(NamedTuple):
    """x · kernel + bias, where the product is that of `dense`, or a convolution."""

    product: Callable[[Array, Array, Array | None], Array]
    kernel: Array
    bias: Array | None = None

    def __call__(self, x: Array) -> Array:
        return self.product(x, self.kernel, self.bias)

    def magnitude(self, x: Array) -> Array:
        """The same formula on absolute values."""
        return self.product(np.abs(x), np.abs(self.kernel), None if self.bias is None else np.abs(self.bias))

    @property
    def terms(self) -> int:
        return int(self.kernel[..., 0].size) + (self.bias is not None)


class Inputs:
    """What the sequence adds to the sums of each step: one product for all steps."""

    def __init__(self, linear: Linear, x: Array) -> None:
        self._linear, self._x = linear, x
        self.terms = linear.terms
        self.values = linear(x)

    @cached_property
    def magnitudes(self) -> Array:
        return self._linear.magnitude(self._x)


class Loop(NamedTuple):
    """How the steps are taken, and what is kept of them."""

    go_backwards: bool
    return_sequences: bool
    zero_output_for_mask: bool

    def run(self, arithmetic: Arithmetic, cell: Cell, time: int, states: States, mask: Array | None) -> States:
        """The output, (rows, time, …) or (rows, …), and the final states, (rows, …).

        Args:
            arithmetic: how the loop is evaluated.
            cell: one step.
            time: the number of steps.
            states: the initial states, (rows, …) each.
            mask: (rows, time), false at steps to be left out.
        """
        rows, *rest = states[0].shape
        y = np.empty((rows, time, *rest), states[0].dtype) if self.return_sequences else None
        states = tuple(arithmetic.start(state) for state in states)
        output = np.zeros(states[0].shape, states[0].dtype)
        for step in range(time):
            t = time - 1 - step if self.go_backwards else step
            new = cell(t, states)
            if mask is None:
                output, states = new[0], new
            else:
                taken = mask[:, t].reshape(-1, *[1] * len(rest))
                output = np.where(taken, new[0], np.zeros_like(output) if self.zero_output_for_mask else output)
                states = tuple(np.where(taken, now, before) for now, before in zip(new, states, strict=True))
            if y is not None:
                y[:, step] = arithmetic.result(output)
        # without a mask the last output is the final state: two values, and so two arrays
        last = np.array(arithmetic.result(output)) if y is None else y
        return last, *(np.array(arithmetic.result(state)) for state in states)


def split(inputs: Sequence[Array], shapes: Sequence[tuple[int, ...]]) -> tuple[Array, States, Array | None]:
    """x, the initial states of these shapes, zeros where none are given, and the mask where there is one."""
    x, *rest = inputs
    mask = rest.pop() if rest and rest[-1].dtype == np.bool_ else None
    return x, tuple(rest) or tuple(np.zeros(shape, x.dtype) for shape in shapes), mask


LOOP = dict.fromkeys(Loop._fields, BOOLEAN)


def loop_operator(
    infer: Infer, *, states: int, attributes: dict[str, Attribute]
) -> Callable[[Callable[..., States]], Callable[..., States]]:
    """Registers a function whose first argument is the arithmetic as the operator of its name."""

    def register(function: Callable[..., States]) -> Callable[..., States]:
        exact: Any = partial(function, Arithmetic())
        exact.__name__, exact.__doc__ = function.__name__, function.__doc__
        return operator(
            infer,
            partial(sampled, function),
            inputs=(1, 2 + states),
            weights={"kernel": True, "recurrent_kernel": True, "bias": False},
            attributes={**attributes, **LOOP},
        )(exact)

    return register
