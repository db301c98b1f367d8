"""All declarations of this package."""

from __future__ import annotations

from collections.abc import Iterator

from generate.case import Case, Draw
from generate.graph import Graph
from generate.positive import (  # noqa: F401 - importing them declares their cases
    activations,
    along_axes,
    arithmetic,
    comparison,
    conv_lstm,
    conv_transpose,
    convolution,
    core,
    elementwise,
    images,
    indexing,
    lookup,
    moving,
    networks,
    normalization,
    pad,
    pooling,
    products,
    reading,
    recurrent,
    reduction,
    resizing,
    rows,
    shape,
    sizes,
    states,
    statistics,
    storage,
    unary,
)
from generate.positive.declare import DECLARATIONS, case_of


def cases() -> Iterator[tuple[Case, Graph]]:
    """Each case, and the model that it was made from."""
    for told in DECLARATIONS.values():
        graph = told.make(Draw(told.id))
        yield case_of(graph, told.id, told.kind, told.level, told.title, told.spec), graph
