"""What differs between two documents: their structure, attributes and weights, and what never changes a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import SequenceMatcher
from math import inf, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnpack.errors import ModelError
from nnpack.format.digest import sha256
from nnpack.format.document import Document, Json, Layer, Source, Tensor, Value
from nnpack.format.storage import store, stored_as

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

CHUNK = 2**20
"""So many elements of a weight are compared at once: float64 copies of whole files would not fit into memory."""


class Change(NamedTuple):
    """One thing that differs; None where a document does not have it."""

    what: str
    a: Json
    b: Json


class LayerPair(NamedTuple):
    """A layer of the first document, and the layer of the second that stands for it."""

    a: Layer
    b: Layer


class LayerChange(NamedTuple):
    """A layer that both have, and what differs in it: its operator, connections, values, attributes, roles."""

    name: str
    changes: tuple[Change, ...]


class WeightChange(NamedTuple):
    """A weight that both have, and that differs.

    Attributes:
        name: its name in the first document.
        dtypes: how each stores it; int8 is quantized.
        shapes: its shape in each; where they differ, no number is compared.
        elements: how many elements it has.
        differing: how many of them are other numbers; NaN equals NaN.
        largest: the largest |a - b|; infinite where only one of them is NaN or infinite.
        at: the index of that element.
        relative: ‖a - b‖ / ‖a‖.
        stored: whether one is what the other becomes when it is stored in that type, so that nobody changed it.
    """

    name: str
    dtypes: tuple[str, str]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    elements: int = 0
    differing: int = 0
    largest: float = 0.0
    at: tuple[int, ...] = ()
    relative: float = 0.0
    stored: bool = False


class Difference(NamedTuple):
    """What differs between two documents.

    Attributes:
        model: inputs, outputs, states.
        added: layers that only the second has.
        removed: layers that only the first has.
        renamed: both names of each layer that goes by another one.
        moved: layers that stand elsewhere among those that both have, with their places in each list.
        layers: what differs in layers that both have.
        weights: the weights of those layers that differ.
        about: names, producer, metadata, versions: what never changes a number.
        selftest: what differs in the self-test.
    """

    model: tuple[Change, ...]
    added: tuple[Layer, ...]
    removed: tuple[Layer, ...]
    renamed: tuple[tuple[str, str], ...]
    moved: tuple[Change, ...]
    layers: tuple[LayerChange, ...]
    weights: tuple[WeightChange, ...]
    about: tuple[Change, ...]
    selftest: tuple[Change, ...]

    @property
    def verdict(self) -> str:
        """What sets the two apart most: "structure", "weights", "storage", or nothing, "same".

        "storage": weights differ by the rounding of a storage type alone. "same": no number differs that is computed
        with.
        """
        structure = (self.model, self.added, self.removed, self.renamed, self.moved, self.layers)
        if any(structure) or any(weight.shapes[0] != weight.shapes[1] for weight in self.weights):
            return "structure"
        moved = [weight for weight in self.weights if weight.differing]
        if not moved:
            return "same"
        return "storage" if all(weight.stored for weight in moved) else "weights"


def difference(a: Document, b: Document, tolerance: float = 0.0) -> Difference:
    """Compares two documents. Layers are matched by name first, the rest by order and operator.

    Weights are read where they lie, and compared in pieces.

    Args:
        a: the first.
        b: the second.
        tolerance: weights whose numbers move by at most that count as equal.

    Returns:
        Everything that differs.
    """
    pairs = _matched(a.layers, b.layers)
    names = _same_values(a, b, pairs)
    of_a, of_b = {pair.a.name for pair in pairs}, {pair.b.name for pair in pairs}
    changed = [LayerChange(pair.a.name, tuple(_layer_changes(pair, names))) for pair in pairs]
    return Difference(
        model=tuple(_model_changes(a, b)),
        added=tuple(layer for layer in b.layers if layer.name not in of_b),
        removed=tuple(layer for layer in a.layers if layer.name not in of_a),
        renamed=tuple((pair.a.name, pair.b.name) for pair in pairs if pair.a.name != pair.b.name),
        moved=tuple(_moved(pairs, a.layers, b.layers)),
        layers=tuple(change for change in changed if change.changes),
        weights=tuple(_weight_changes(a, b, pairs, tolerance)),
        about=tuple(_about(a, b, pairs)),
        selftest=tuple(_selftest_changes(a, b)),
    )


# Which layer is which


def _matched(a: Sequence[Layer], b: Sequence[Layer]) -> list[LayerPair]:
    """The layers that both have, in the order of the first."""
    by_name = {layer.name: layer for layer in b}
    partners = {layer.name: by_name[layer.name] for layer in a if layer.name in by_name}
    alone = [layer for layer in a if layer.name not in partners]
    others = [layer for layer in b if layer.name not in partners]
    for i, j in _aligned([layer.op for layer in alone], [layer.op for layer in others]):
        partners[alone[i].name] = others[j]
    return [LayerPair(layer, partners[layer.name]) for layer in a if layer.name in partners]


def _moved(pairs: Sequence[LayerPair], a: Sequence[Layer], b: Sequence[Layer]) -> Iterator[Change]:
    """The matched layers without which the rest would stand in the same order."""
    places_a, places_b = ({layer.name: place for place, layer in enumerate(layers)} for layers in (a, b))
    before = [pair.a.name for pair in pairs]
    after = [pair.a.name for pair in sorted(pairs, key=lambda pair: places_b[pair.b.name])]
    stayed = {before[i] for i, _ in _aligned(before, after)}
    for pair in pairs:
        if pair.a.name not in stayed:
            yield Change(pair.a.name, places_a[pair.a.name], places_b[pair.b.name])


def _aligned(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Places of equal words, ascending in both."""
    for block in SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        yield from ((block.a + i, block.b + i) for i in range(block.size))


def _same_values(a: Document, b: Document, pairs: Sequence[LayerPair]) -> dict[str, str]:
    """Names of the second document's values -> what the first calls them, where it has them."""
    alike = [(x.name, y.name) for x, y in zip(a.inputs, b.inputs, strict=False)]
    alike += [(x.input.name, y.input.name) for x, y in zip(a.states, b.states, strict=False)]
    alike += [(x.name, y.name) for pair in pairs for x, y in zip(pair.a.outputs, pair.b.outputs, strict=False)]
    return {y: x for x, y in alike}


# Structure and attributes


def _model_changes(a: Document, b: Document) -> Iterator[Change]:
    yield from _changed("inputs", [f"{x.name} {x}" for x in a.inputs], [f"{x.name} {x}" for x in b.inputs])
    yield from _changed("outputs", _outputs(a), _outputs(b))
    yield from _changed("output structure", a.output_structure, b.output_structure)
    yield from _changed("states", _states(a), _states(b))


def _outputs(document: Document) -> list[str]:
    return [f"{name} {document.values[name]}" for name in document.outputs]


def _states(document: Document) -> list[str]:
    return [f"{state.input.name} {state.input} = {state.output}" for state in document.states]


def _layer_changes(pair: LayerPair, names: Mapping[str, str]) -> Iterator[Change]:
    a, b = pair
    yield from _changed("operator", a.op, b.op)
    yield from _changed("connected to", list(a.inputs), [names.get(name, name) for name in b.inputs])
    yield from _changed("makes", list(map(str, a.outputs)), list(map(str, b.outputs)))
    yield from _of_maps("", a.attributes, b.attributes)
    for role in sorted(a.weights.keys() ^ b.weights.keys()):
        yield Change(role, a.weights.get(role), b.weights.get(role))


def _changed(what: str, a: Json, b: Json) -> Iterator[Change]:
    if a != b:
        yield Change(what, a, b)


def _of_maps(prefix: str, a: Mapping[str, Json] | None, b: Mapping[str, Json] | None) -> Iterator[Change]:
    """What differs between two maps, key by key."""
    a, b = a or {}, b or {}
    for key in dict.fromkeys([*a, *b]):
        yield from _changed(f"{prefix}{key}", a.get(key), b.get(key))


# Weights


def _weight_changes(a: Document, b: Document, pairs: Iterable[LayerPair], tolerance: float) -> Iterator[WeightChange]:
    """The weights that differ, each pair of tensors once."""
    homes: dict[tuple[str, str], LayerPair | None] = {
        (x.initial, y.initial): None for x, y in zip(a.states, b.states, strict=False)
    }
    for pair in pairs:
        for role in _common(*pair):
            homes.setdefault((pair.a.weights[role], pair.b.weights[role]), pair)
    for (name, other), home in homes.items():
        change = _weight_change(a, name, b, other)
        if change is None or (tolerance and change.differing and change.largest <= tolerance):
            continue
        if home and change.differing and change.dtypes[0] != change.dtypes[1]:
            change = change._replace(stored=_only_stored(a, b, home, name, other))
        yield change


def _weight_change(a: Document, name: str, b: Document, other: str) -> WeightChange | None:
    """How two tensors differ, as they are stored and in the numbers that they stand for."""
    x, y = a.tensors[name], b.tensors[other]
    change = WeightChange(name, (x.dtype, y.dtype), (x.shape, y.shape))
    if x.shape != y.shape:
        return change
    numbers = _measured(change, a.weight(name), b.weight(other))
    return numbers if numbers.differing or x.dtype != y.dtype else None


def _measured(change: WeightChange, a: Array, b: Array) -> WeightChange:
    """The change with what can be said of the numbers."""
    differing, largest, place, moved, whole = 0, 0.0, 0, 0.0, 0.0
    flat_a, flat_b = a.reshape(-1), b.reshape(-1)
    for start in range(0, a.size, CHUNK):
        x, y = flat_a[start : start + CHUNK], flat_b[start : start + CHUNK]
        other = ~((x == y) | ((x != x) & (y != y)))
        x, y = x.astype(np.float64), y.astype(np.float64)
        finite = x[np.isfinite(x)]
        whole += float(np.dot(finite, finite))
        if not other.any():
            continue
        with np.errstate(invalid="ignore"):
            distance = np.where(other, np.abs(x - y), 0.0)
        distance[np.isnan(distance)] = inf
        differing += int(other.sum())
        moved += float(np.dot(distance, distance))
        if distance.max() > largest:
            largest, place = float(distance.max()), start + int(distance.argmax())
    return change._replace(
        elements=a.size,
        differing=differing,
        largest=largest,
        at=tuple(map(int, np.unravel_index(place, a.shape))) if differing else (),
        relative=_ratio(sqrt(moved), sqrt(whole)),
    )


def _ratio(moved: float, whole: float) -> float:
    """How far, as a part of what was there; infinitely far from nothing."""
    return moved / whole if whole else inf if moved else 0.0


def _only_stored(a: Document, b: Document, home: LayerPair, name: str, other: str) -> bool:
    """Whether a weight of a layer is what storing the other in its type makes of it, in either direction."""
    for kept, of, key, x, layer, twin in (
        (b, a, other, name, home.a, home.b),
        (a, b, name, other, home.b, home.a),
    ):
        tensors = {part.name: part for part in _parts(kept, twin)}
        with suppress(ModelError):  # numbers that the other type cannot hold
            made = store(_alone(of, layer), stored_as(kept._replace(tensors=tensors)))
            if made.tensors[x].dtype == tensors[key].dtype and _alike(made.weight(x), kept.weight(key)):
                return True
    return False


def _alone(document: Document, layer: Layer) -> Document:
    """One layer with its weights, so that storing it otherwise copies no other."""
    tensors = {part.name: part for part in _parts(document, layer)}
    return document._replace(layers=(layer,), tensors=tensors, selftest=None)


def _parts(document: Document, layer: Layer) -> Iterator[Tensor]:
    """The tensors of a layer: its weights, their scales and zero points."""
    for name in layer.weights.values():
        tensor = document.tensors[name]
        yield tensor
        if tensor.quantization:
            yield document.tensors[tensor.quantization.scale]
            yield document.tensors[tensor.quantization.zero_point]


def _alike(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same numbers; NaN equals NaN."""
    return a.shape == b.shape and bool(np.all((a == b) | ((a != a) & (b != b))))


# What never changes a number


def _about(a: Document, b: Document, pairs: Iterable[LayerPair]) -> Iterator[Change]:
    yield from _changed("name", a.name, b.name)
    yield from _changed("format", ".".join(map(str, a.version)), ".".join(map(str, b.version)))
    yield from _of_maps("producer ", a.producer, b.producer)
    yield from _of_maps("metadata ", a.metadata, b.metadata)
    yield from _of_maps("ext ", a.ext, b.ext)
    for x, y in pairs:
        if x.name == y.name:  # the rest of a renamed layer is called after it
            yield from _changed(f"{x.name}: source", _origin(x.made_from), _origin(y.made_from))
            yield from _changed(f"{x.name}: values", _names(x.outputs), _names(y.outputs))
            yield from _of_maps(
                f"{x.name}: name of ", *({role: z.weights[role] for role in _common(x, y)} for z in (x, y))
            )


def _names(values: Iterable[Value]) -> list[str]:
    return [value.name for value in values]


def _common(a: Layer, b: Layer) -> list[str]:
    """The roles of weights that both layers have."""
    return [role for role in a.weights if role in b.weights]


def _origin(source: Source) -> str:
    return f"{source.class_name} {source.name}"


def _selftest_changes(a: Document, b: Document) -> Iterator[Change]:
    """What differs in the rows that each file carries: how many there are, or their numbers."""
    rows_a, rows_b = _selftest_rows(a), _selftest_rows(b)
    yield from _changed("rows", rows_a, rows_b)
    if rows_a == rows_b:
        yield from _of_maps("", _fingerprints(a), _fingerprints(b))


def _selftest_rows(document: Document) -> int | None:
    return document.tensors[document.selftest.inputs[0]].shape[0] if document.selftest else None


def _fingerprints(document: Document) -> dict[str, str]:
    """What stands for the numbers of a self-test, part by part."""
    test = document.selftest
    if test is None:
        return {}
    named = {
        **{f"input {value.name}": tensor for value, tensor in zip(document.inputs, test.inputs, strict=True)},
        **{f"output {name}": tensor for name, tensor in zip(document.outputs, test.outputs, strict=True)},
        **{f"tolerance of {name}": tensor for name, tensor in zip(document.outputs, test.tolerances, strict=True)},
    }
    return {words: f"numbers {sha256([document.tensors[name].array.data])[:8]}" for words, name in named.items()}
