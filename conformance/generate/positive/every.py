"""All declarations of this package."""

from __future__ import annotations

from collections.abc import Iterator

from generate.case import Case, Draw
from generate.graph import Graph
from generate.positive import (
    activations,
    along_axes,
    core,
    elementwise,
    networks,
    normalization,
    reading,
    shape,
    sizes,
    storage,
)
from generate.positive.declare import DECLARATIONS, case_of

FAMILIES = (core, activations, along_axes, elementwise, normalization, shape, sizes, reading, storage, networks)


def cases() -> Iterator[tuple[Case, Graph]]:
    """Each case, and the model that it was made from."""
    for told in DECLARATIONS.values():
        graph = told.make(Draw(told.id))
        yield case_of(graph, told.id, told.kind, told.level, told.title, told.spec), graph
