"""SimpleRNN, LSTM, GRU, ConvLSTM, RNN of any cells, and Bidirectional."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from nnpack.exporters.keras.activations import as_operator, operator_of
from nnpack.exporters.keras.call import Call, Ref, to_numpy
from nnpack.exporters.keras.layout import channels_first, channels_last
from nnpack.exporters.keras.registry import handles, is_of_keras
from nnpack.exporters.keras.shapes import sliced, squeezed
from nnpack.exporters.keras.tracing import inference
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS
from nnpack.ops.recurrent import ACTIVATIONS

_CONV_LSTM = (layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D)

_CELLS = {"SimpleRNNCell": "simple_rnn", "LSTMCell": "lstm", "GRUCell": "gru", "ConvLSTMCell": "conv_lstm"}
"""Classes of Keras's own cells, and what does them."""


class Steps(NamedTuple):
    """What a cell runs through, and how.

    Attributes:
        x: (batch, time, …).
        mask: (batch, time), false at steps to be left out; None where there is none.
        go_backwards: whether the last step comes first.
        return_sequences: whether the outputs of all steps are wanted.
        zero_output_for_mask: whether the output of a step that is left out is 0.
    """

    x: Value
    mask: Value | None
    go_backwards: bool
    return_sequences: bool
    zero_output_for_mask: bool

    @property
    def attributes(self) -> dict[str, Any]:
        return {
            "go_backwards": self.go_backwards,
            "return_sequences": self.return_sequences,
            "zero_output_for_mask": self.zero_output_for_mask and self.mask is not None,
        }

    def at(self, call: Call, t: int) -> tuple[Value, Value | None]:
        """x, (batch, …), and the mask, (batch, 1), of one step."""
        x = squeezed(call, sliced(call, self.x, 1, t, t + 1), [1])
        return x, None if self.mask is None else sliced(call, self.mask, 1, t, t + 1)


@handles(layers.SimpleRNN, layers.LSTM, layers.GRU, layers.RNN, *_CONV_LSTM, masks=True)
def recurrent(call: Call) -> list[Value]:
    layer, arguments = call.operation, call.arguments
    cells = _cells(layer.cell)
    for cell in cells:
        _check(call, cell)
    x = call.cast(call.value(arguments["sequences"]), _dtype(call, cells[0]))
    states, carried = _begin(call, x, arguments.get("initial_state"))
    mask = _mask(call, arguments.get("mask"), x)
    if mask is not None:
        x, mask = call.export.unify_labels([x, mask], ["bt", "bt"])
    zero_output = bool(layer.zero_output_for_mask)
    # Keras's unrolled loop takes the mask in its own order for this, also where the steps are taken backwards
    afterwards = zero_output and layer.unroll and layer.go_backwards and layer.return_sequences
    steps = Steps(x, mask, bool(layer.go_backwards), bool(layer.return_sequences), zero_output and not afterwards)
    y, finals = _run(call, cells, steps, states)
    if mask is not None and afterwards:
        y = _kept(call, mask, y, None)
    finals = [call.cast(state, layer.compute_dtype) for state in finals]
    for state, final in zip(carried, finals, strict=bool(carried)):
        call.carry(state, _made(call, final))
    return _distinct(call, [call.cast(y, layer.compute_dtype), *(finals if layer.return_state else [])])


def _cells(cell: Any) -> list[Any]:
    """The cells that a step goes through, one after the other."""
    return [part for inner in cell.cells for part in _cells(inner)] if type(cell) is layers.StackedRNNCells else [cell]


def _operator(cell: Any) -> str | None:
    """The operator of a cell of Keras's own."""
    return _CELLS.get(type(cell).__name__) if is_of_keras(type(cell)) else None


def _dtype(call: Call, cell: Any) -> str:
    return str(cell.compute_dtype if isinstance(cell, layers.Layer) else call.operation.compute_dtype)


def _check(call: Call, cell: Any) -> None:
    """A cell has a policy of its own."""
    policy = getattr(cell, "dtype_policy", call.operation.dtype_policy)
    if policy.compute_dtype not in FLOATS or getattr(policy, "quantization_mode", None):
        expected = "a cell of the dtype policy float32 or float64; other computing types give other numbers"
        raise call.problem("dtype-policy", expected, policy.name)


def _run(call: Call, cells: Sequence[Any], steps: Steps, states: list[Value] | None) -> tuple[Value, list[Value]]:
    """What all cells make of the sequence: the output of the last one, and the final states of all.

    Each cell runs through the whole sequence before the next one begins; a step that is left out, is for all of them.
    """
    if len(cells) > 1 and steps.go_backwards:
        flip = {"axes": [1]}
        mask = None if steps.mask is None else call.emit("flip", [steps.mask], attributes=flip)
        steps = steps._replace(x=call.emit("flip", [steps.x], attributes=flip), mask=mask, go_backwards=False)
    finals: list[Value] = []
    for i, cell in enumerate(cells):
        last, count = i == len(cells) - 1, _state_count(cell)
        begun = None if states is None else states[len(finals) : len(finals) + count]
        own = steps._replace(return_sequences=steps.return_sequences or not last)
        own = own._replace(x=call.cast(own.x, _dtype(call, cell)))
        part = cell.name if len(cells) > 1 and isinstance(cell, layers.Layer) else None
        y, after = _operated(call, cell, own, begun, part) or _unrolled(call, cell, own, begun, len(cells) > 1)
        finals += after
        steps = steps._replace(x=y)
    return steps.x, finals


def _state_count(cell: Any) -> int:
    return 2 if _operator(cell) == "conv_lstm" else len(keras.tree.flatten(cell.state_size))


# Cells that are operators


def _operated(
    call: Call, cell: Any, steps: Steps, states: list[Value] | None, part: str | None
) -> tuple[Value, list[Value]] | None:
    """A cell that an operator does; None for others."""
    op = _operator(cell)
    attributes = _gates(cell) if op else None
    if op is None or attributes is None:
        return None
    if op == "gru":
        attributes["reset_after"] = bool(cell.reset_after)
    elif op == "conv_lstm":
        attributes |= {key: [int(n) for n in getattr(cell, key)] for key in ("strides", "dilation_rate")}
        attributes["padding"] = cell.padding
    weights = {"kernel": cell.kernel, "recurrent_kernel": cell.recurrent_kernel}
    if cell.bias is not None:
        weights["bias"] = cell.bias
    transposed = getattr(cell, "data_format", None) == "channels_first"
    x, begun = steps.x, states or []
    if transposed:
        x, begun = channels_last(call, x, 2), [channels_last(call, state, 1) for state in begun]
    inputs = [x, *begun, *([] if steps.mask is None else [steps.mask])]
    y, *finals = call.emit_all(op, inputs, weights, {**attributes, **steps.attributes}, part)
    if transposed:
        y = channels_first(call, y, 2 if steps.return_sequences else 1)
        finals = [channels_first(call, state, 1) for state in finals]
    return y, finals


def _gates(cell: Any) -> dict[str, Any] | None:
    """The names of a cell's activations; None where the operators have no name for one."""
    names = {}
    for key in ("activation", "recurrent_activation"):
        if hasattr(cell, key):
            known = _activation(cell, getattr(cell, key))
            if known is None:
                return None
            names[key] = known
    return names


def _activation(cell: Any, function: Any) -> str | None:
    """The name that the operators have for an activation of a cell."""
    name = operator_of(function)
    return name if name in ACTIVATIONS and as_operator(name, str(cell.compute_dtype)) else None


# Cells that are not: what they do, step by step


def _unrolled(
    call: Call, cell: Any, steps: Steps, states: list[Value] | None, stacked: bool
) -> tuple[Value, list[Value]]:
    """A cell of other code, or with another activation."""
    time = steps.x.shape[1]
    if not isinstance(time, int):
        reason = f"a sequence of unknown length, and {_named(cell)}, which has to be unrolled"
        raise call.refuse(reason, "an input of a fixed number of steps, or the cells and activations of Keras")
    structure = _initial(cell, 1, _dtype(call, cell))
    if states is None:
        states = _constant_states(call, cell, steps.x)
    step = _stepper(cell, structure, stacked)
    output: Value | None = None
    outputs = []
    with _traceable(cell):
        for t in range(time - 1, -1, -1) if steps.go_backwards else range(time):
            x, taken = steps.at(call, t)
            made = call.trace(step, Ref(x.name), [Ref(state.name) for state in states])
            new, *after = [call.value(ref) for ref in made]
            if len(after) != len(states):
                raise call.refuse(f"{type(cell).__name__}: {len(after)} states of {len(states)}", "as many states")
            if taken is not None:
                before = None if steps.zero_output_for_mask else output
                new = _kept(call, taken, new, before)
                after = [_kept(call, taken, now, old) for now, old in zip(after, states, strict=True)]
            output, states = new, after
            outputs.append(new)
    return _sequence(call, outputs) if steps.return_sequences else outputs[-1], states


def _named(cell: Any) -> str:
    """A cell, with what keeps it from being an operator."""
    if not _operator(cell):
        return type(cell).__name__
    given = [getattr(cell, key) for key in ("activation", "recurrent_activation") if hasattr(cell, key)]
    others = [function for function in given if _activation(cell, function) is None]
    names = [getattr(function, "__name__", type(function).__name__) for function in others]
    return f"{type(cell).__name__} with {', '.join(names)}"


def _stepper(cell: Any, structure: Any, stacked: bool) -> Callable[[Any, list[Any]], Any]:
    """A cell's call as a function of x and a flat list of states."""
    call = cell.call if isinstance(cell, layers.Layer) or not callable(cell) else cell
    training = inference(call)

    def step(x: Any, states: list[Any]) -> Any:
        nest = keras.tree.pack_sequence_as(structure, states)
        return call(x, list(nest) if stacked else tuple(nest), **training)

    return step


def _initial(cell: Any, rows: int, dtype: str) -> list[Any]:
    """A cell's states before the first step, as Keras makes them: a list, nested as the cell has it."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=rows)
        return list(states) if keras.tree.is_nested(states) else [states]
    sizes = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
    return [keras.ops.zeros((rows, size), dtype=dtype) for size in sizes]


def _constant_states(call: Call, cell: Any, x: Value) -> list[Value]:
    """The same states for every row."""
    dtype = _dtype(call, cell)
    return [
        call.each_row(to_numpy(state), x, dtype, f"state_{i}")
        for i, state in enumerate(keras.tree.flatten(_initial(cell, 2, dtype)))
    ]


def _kept(call: Call, taken: Value, new: Value, old: Value | None) -> Value:
    """`new` where a step is taken; `old` where it is left out, or 0."""
    while len(taken.shape) < len(new.shape):
        taken = call.emit("expand_dims", [taken], attributes={"axis": len(taken.shape)})
    return call.emit("where", [taken, new, call.constant(0, new.dtype, "zero") if old is None else old])


def _sequence(call: Call, outputs: Sequence[Value]) -> Value:
    """The outputs of all steps, (batch, time, …)."""
    expanded = [call.emit("expand_dims", [output], attributes={"axis": 1}) for output in outputs]
    return call.emit("concatenate", expanded, attributes={"axis": 1})


@contextmanager
def _traceable(cell: Any) -> Iterator[None]:
    """Makes a cell's call one that takes symbolic tensors.

    Some cells draw their dropout masks at inference too, and then use none; and some functions of keras.activations
    take arrays alone, where those of keras.ops do not.
    """
    changed: dict[str, Any] = {key: 0.0 for key in ("dropout", "recurrent_dropout") if hasattr(cell, key)}
    for key in ("activation", "recurrent_activation"):
        function: Any = getattr(cell, key, None)
        if operator_of(function) not in {None, *ACTIVATIONS}:
            changed[key] = getattr(keras.ops, function.__name__, function)
    before = {key: getattr(cell, key) for key in changed}
    try:
        for key, value in changed.items():
            setattr(cell, key, value)
        yield
    finally:
        for key, value in before.items():
            setattr(cell, key, value)


# States


def _begin(call: Call, x: Value, given: Any) -> tuple[list[Value] | None, list[Value]]:
    """The states before the first step, None for zeros; and those among them that are carried from call to call."""
    layer, dtype = call.operation, call.operation.compute_dtype
    carried = _carried(call) if layer.stateful else []
    if given is None:
        return [call.cast(state, dtype) for state in carried] or None, carried
    states = [
        call.cast(call.value(state), dtype)
        if isinstance(state, Ref)
        else call.each_row(to_numpy(state), x, dtype, f"state_{i}")
        for i, state in enumerate(keras.tree.flatten(given))
    ]
    return states, carried


def _carried(call: Call) -> list[Value]:
    variables = keras.tree.flatten(call.operation.states)
    if any(known is variable for known in call.export.variables for variable in variables):
        raise call.refuse("stateful=True, and called twice", "a stateful layer that is called once")
    beginnings = keras.tree.flatten(call.operation.get_initial_state(1))
    if any(np.any(to_numpy(state)) for state in beginnings):
        raise call.refuse("stateful=True, and states that begin with other numbers than 0", "zeros, or stateful=False")
    return [call.state("state" if i == 0 else f"state_{i}", variable) for i, variable in enumerate(variables)]


def _made(call: Call, final: Value) -> Value:
    """A value that a layer makes."""
    made = any(final in layer.outputs for layer in call.export.layers)
    return final if made else call.emit("identity", [final])


def _distinct(call: Call, values: Sequence[Value]) -> list[Value]:
    """The values, none of them twice."""
    return [call.emit("identity", [value]) if value in values[:i] else value for i, value in enumerate(values)]


# Masks


def _mask(call: Call, given: Any, x: Value) -> Value | None:
    """The mask, bool (batch, time)."""
    flat = [mask for mask in keras.tree.flatten(given) if mask is not None]
    if not flat:
        return None
    mask = call.cast(call.operand(flat[0], "bool", "mask"), "bool")
    if len(mask.shape) == 3 and mask.shape[2] == 1:
        mask = call.emit("squeeze", [mask], attributes={"axes": [2]})
    if len(mask.shape) != 2 or mask.shape[0] != x.shape[0]:
        raise call.refuse(f"a mask of shape {tuple(mask.shape)}", "a mask of shape (batch, time)")
    return mask


# Both directions


@handles(layers.Bidirectional, masks=True)
def bidirectional(call: Call) -> list[Value]:
    layer, arguments = call.operation, call.arguments
    given = arguments.get("initial_state")
    half = 0 if given is None else len(given) // 2
    both = [
        _direction(call, layer.forward_layer, arguments, None if given is None else given[:half]),
        _direction(call, layer.backward_layer, arguments, None if given is None else given[half:]),
    ]
    y, y_rev = (call.cast(values[0], layer.compute_dtype) for values in both)
    if layer.return_sequences:
        y_rev = call.emit("flip", [y_rev], attributes={"axes": [1]})
    states = [state for values in both for state in values[1:]] if layer.return_state else []
    return [*_merged(call, layer.merge_mode, y, y_rev), *states]


def _direction(call: Call, layer: Any, arguments: Mapping[str, Any], states: Any) -> list[Value]:
    """What one of the two layers makes."""
    given: dict[str, Any] = {"mask": arguments.get("mask")} if layer._call_has_mask_arg else {}
    made = call.trace(layer, arguments["sequences"], initial_state=states, **given)
    return [call.value(ref) for ref in made]


def _merged(call: Call, mode: str | None, y: Value, y_rev: Value) -> list[Value]:
    if mode is None:
        return [y, y_rev]
    if mode == "concat":
        return [call.emit("concatenate", [y, y_rev], attributes={"axis": len(y.shape) - 1})]
    merged = call.emit("multiply" if mode == "mul" else "add", [y, y_rev])
    if mode == "ave":
        merged = call.emit("divide", [merged, call.constant(2, merged.dtype, "count")])
    return [merged]
