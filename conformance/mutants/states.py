"""Mistakes in what is carried from call to call: spec/format.md, "States"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mutants.mutant import Mutant, Patch, of_faults, of_numbers, of_sound_files, overlooking
from naive import graph
from naive.arithmetic import FLOAT64, Arithmetic
from naive.arrays import Array
from naive.document import Document, Layer, State
from naive.errors import require
from naive.model import Model
from naive.operators.operator import Type

right_run = Model.run
right_state = Model.state
right_compute = Model.compute
right_dead_layers = graph.check_dead_layers
right_references = graph.references
right_requirements = graph.requirements
right_states = graph.check_states

Left = dict[str, Array]


def leaving(wrong: Callable[[Model, Left, Left], Left]) -> Patch:
    """What a run leaves, of what it found and of what it should leave."""

    def run(
        model: Model, inputs: Sequence[Array], arithmetic: Arithmetic = FLOAT64, names: Sequence[str] | None = None
    ) -> list[Array]:
        found = dict(model.states)
        outputs = right_run(model, inputs, arithmetic, names)
        model.states = wrong(model, found, model.states)
        return outputs

    return patch.object(Model, "run", run)


def swapped(model: Model, found: Left, left: Left) -> Left:
    """States of one dtype and shape, each in the place of the next."""
    names = list(left)
    alike = {
        name: [
            other for other in names if (left[other].dtype, left[other].shape) == (left[name].dtype, left[name].shape)
        ]
        for name in names
    }
    return {name: left[group[(group.index(name) + 1) % len(group)]] for name, group in alike.items()}


def first_row(model: Model, found: Left, left: Left) -> Left:
    """The first row's states for all rows."""
    return {name: replace(x, data=x.data[: len(x.data) // x.shape[0]] * x.shape[0]) for name, x in left.items()}


def starting(wrong: Callable[[Model, State, Array, bool], Array]) -> Patch:
    """What a state is as a run begins; whether that is the first after a reset."""

    def state(model: Model, each: State, made: Type, arithmetic: Arithmetic) -> Array:
        return wrong(model, each, right_state(model, each, made, arithmetic), each.input.name not in model.states)

    return patch.object(Model, "state", state)


def zeros(model: Model, state: State, x: Array, first: bool) -> Array:
    return replace(x, data=[0 * v for v in x.data]) if first else x


def one_row(model: Model, state: State, x: Array, first: bool) -> Array:
    """The first row begins as it should, the others with zeros."""
    size = len(x.data) // max(x.shape[0], 1)
    return replace(x, data=[*x.data[:size], *(0 * v for v in x.data[size:])]) if first else x


def at_once(model: Model, layer: Layer, values: Any, made: Sequence[Type], arithmetic: Arithmetic) -> list[Array]:
    """A state changes as soon as what it becomes is computed: later layers read that."""
    results = right_compute(model, layer, values, made, arithmetic)
    for value, result in zip(layer.outputs, results, strict=True):
        for state in model.document.states:
            if state.output == value.name:
                values[state.input.name] = result
    return results


def of_carrying(name: str, says: str, change: Patch) -> Mutant:
    return of_numbers(f"states: {name}", says, change, page="format.md", groups=("states",))


RESET = "a reset: each state is initial again"

NUMBERS = (
    of_carrying("never carried", "state = the value that output names", leaving(lambda model, found, left: {})),
    of_carrying(
        "as after the first call for ever",
        "state = the value that output names",
        leaving(lambda model, found, left: found or left),
    ),
    of_carrying("swapped", "each state becomes the value that its own output names", leaving(swapped)),
    of_carrying(
        "the first row's for all", "row r of one call goes on where row r of the call before ended", leaving(first_row)
    ),
    of_carrying("a reset does nothing", RESET, patch.object(Model, "reset", lambda model: None)),
    of_carrying("a reset makes them 0", RESET, starting(zeros)),
    of_carrying("the initial row for the first row alone", "state[r] = initial, for r = 0 … n − 1", starting(one_row)),
    of_carrying(
        "changed before all is computed",
        "all states change at once, when the call is done",
        patch.object(Model, "compute", at_once),
    ),
)


# Files


def of_files(name: str, says: str, *changes: Patch) -> Mutant:
    return of_faults(f"states: {name}", says, *changes, groups=("states",))


def taken_at_its_word(document: Document) -> set[str]:
    return right_requirements(document) - {"feature:states"} | ({"feature:states"} & set(document.requires))


REFUSALS = (
    of_files(
        "become another dtype or shape",
        "of the dtype and shape of input",
        overlooking(graph, "state-mismatch", at="*/output"),
    ),
    of_files(
        "begin with another dtype or shape",
        "of its shape without batch, and not quantized",
        overlooking(graph, "state-mismatch", at="*/initial"),
    ),
    of_files(
        "become what no layer makes",
        "output is a value that a layer makes",
        overlooking(graph, "undefined-output", at="/states/*"),
    ),
    of_files(
        "without batch", "the first dimension of a state is batch", overlooking(graph, "batch-axis", at="/states/*")
    ),
    of_files(
        "of a name that there is",
        "the name of a state is its own",
        overlooking(graph, "duplicate-value", at="/states/*"),
    ),
    of_files(
        "not required",
        "requires has feature:states where the header has states",
        patch.object(graph, "requirements", taken_at_its_word),
    ),
)


def dead_without_output(document: Document) -> None:
    """Only outputs of the model keep layers alive."""
    right_dead_layers(replace(document, states=[]))


def read_by_layers(document: Document) -> None:
    right_states(document)
    read = {name for layer in document.layers for name in layer.inputs}
    require(all(state.input.name in read for state in document.states), "dead-layer")


def each_its_own(document: Document) -> None:
    right_states(document)
    names = [state.output for state in document.states]
    require(len(set(names)) == len(names), "state-mismatch")


def of_weights_alone(document: Document) -> list[tuple[str, str]]:
    return right_references(replace(document, states=[]))


SOUND = (
    of_sound_files(
        "states: their layers are dead",
        "a layer that a state depends on is alive",
        patch.object(graph, "check_dead_layers", dead_without_output),
    ),
    of_sound_files(
        "states: each is read", "a state may be read by no layer", patch.object(graph, "check_states", read_by_layers)
    ),
    of_sound_files(
        "states: each becomes another value",
        "several states may become one value",
        patch.object(graph, "check_states", each_its_own),
    ),
    of_sound_files(
        "states: their tensors are unused",
        "each tensor is used by some layer, by a state, …",
        patch.object(graph, "references", of_weights_alone),
    ),
)

MUTANTS = (*NUMBERS, *REFUSALS, *SOUND)
