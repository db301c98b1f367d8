"""All declarations of this package."""

from __future__ import annotations

from generate.case import Case
from generate.negative import (
    arithmetic,
    canonical,
    container,
    functions,
    graph,
    indexing,
    lookup,
    moving,
    products,
    recurrent,
    schema,
    shapes,
    spatial,
    states,
    statistics,
    tensors,
    unary,
    weighted,
)
from generate.negative.declare import CASES

FAMILIES = (
    container,
    schema,
    tensors,
    graph,
    unary,
    arithmetic,
    functions,
    weighted,
    shapes,
    canonical,
    spatial,
    statistics,
    moving,
    indexing,
    products,
    lookup,
    recurrent,
    states,
)


def cases() -> list[Case]:
    return list(CASES.values())
