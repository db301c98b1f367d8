"""All declarations of this package."""

from __future__ import annotations

from generate.case import Case
from generate.negative import (  # noqa: F401 - importing them declares their cases
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


def cases() -> list[Case]:
    return list(CASES.values())
