"""What `nnpack diff` tells: tables for people, one object for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from nnpack.cli import show
from nnpack.difference import Change, Difference, WeightChange

VERDICTS = {
    "identical": "The files are equal, byte for byte.",
    "same": "The same model: no number differs that it computes with.",
    "storage": "The same model, stored otherwise: numbers differ by the rounding of the storage type alone.",
    "weights": "The same layers, with other weights.",
    "structure": "They are different models.",
}

NOTHING = "–"


def facts(difference: Difference, verdict: str) -> dict[str, Any]:
    """A difference as JSON represents it."""
    return {
        "verdict": verdict,
        "model": _jsonable(difference.model),
        "layers": {
            "added": [{"name": layer.name, "op": layer.op} for layer in difference.added],
            "removed": [{"name": layer.name, "op": layer.op} for layer in difference.removed],
            "renamed": [{"a": a, "b": b} for a, b in difference.renamed],
            "moved": [{"name": name, "a": a, "b": b} for name, a, b in difference.moved],
            "changed": [{"name": layer.name, "changes": _jsonable(layer.changes)} for layer in difference.layers],
        },
        "weights": [weight._asdict() for weight in difference.weights],
        "about": _jsonable(difference.about),
        "selftest": _jsonable(difference.selftest),
    }


def _jsonable(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [change._asdict() for change in changes]


def tell(difference: Difference, verdict: str) -> None:
    """Prints a difference: what the two compute first, what never changes a number last."""
    columns = ("Where", "What", "First", "Second")
    tables = [
        ("Structure and attributes", columns, [*_structure(difference)], ()),
        ("Weights", *_weights(difference.weights)),
        (
            "Beside the numbers",
            columns,
            [*_rows("about", difference.about), *_rows("self-test", difference.selftest)],
            (),
        ),
    ]
    show.show(*(show.grid(*table) for table in tables if table[2]), VERDICTS[verdict])


def _structure(difference: Difference) -> Iterator[tuple[str, ...]]:
    yield from _rows("model", difference.model)
    yield from ((layer.name, "removed", layer.op, NOTHING) for layer in difference.removed)
    yield from ((layer.name, "added", NOTHING, layer.op) for layer in difference.added)
    yield from ((a, "renamed", a, b) for a, b in difference.renamed)
    yield from ((name, "moved", f"layer {a + 1}", f"layer {b + 1}") for name, a, b in difference.moved)
    for layer in difference.layers:
        yield from _rows(layer.name, layer.changes)


def _rows(where: str, changes: Iterable[Change]) -> Iterator[tuple[str, ...]]:
    yield from ((where, change.what, _cell(change.a), _cell(change.b)) for change in changes)


def _cell(item: Any) -> str:
    """What a document says, on one line; nothing where it says nothing."""
    if isinstance(item, list) and all(isinstance(member, str) for member in item):
        return ", ".join(item) or NOTHING
    if item is None:
        return NOTHING
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=dict)


def _weights(weights: Iterable[WeightChange]) -> tuple[tuple[str, ...], list[tuple[str, ...]], tuple[str, ...]]:
    """Columns, rows, and the columns that are numbers."""
    numbers = ("Elements", "Differ", "Largest change", "Relative")
    rows = [
        (
            weight.name,
            _both(*weight.dtypes),
            _both(*map(show.shape, weight.shapes)),
            *(_numbers(weight) if weight.shapes[0] == weight.shapes[1] else (NOTHING,) * 5),
        )
        for weight in weights
    ]
    return ("Weight", "Stored", "Shape", "Elements", "Differ", "Largest change", "At", "Relative"), rows, numbers


def _numbers(weight: WeightChange) -> tuple[str, ...]:
    if not weight.differing:
        return f"{weight.elements:,}", "none", NOTHING, NOTHING, NOTHING
    far = f"{weight.largest:.3g}", show.place(weight.at), f"{weight.relative:.3g}"
    return f"{weight.elements:,}", f"{weight.differing:,}", *far


def _both(a: str, b: str) -> str:
    return a if a == b else f"{a} → {b}"
