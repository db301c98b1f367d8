"""All declarations of this package."""

from __future__ import annotations

from generate.case import Case
from generate.negative import arithmetic, canonical, container, graph, schema, shapes, tensors, unary, weighted
from generate.negative.declare import CASES

FAMILIES = (container, schema, tensors, graph, unary, arithmetic, weighted, shapes, canonical)


def cases() -> list[Case]:
    return list(CASES.values())
