"""All declarations of this package."""

from __future__ import annotations

from generate.case import Case
from generate.negative import canonical, container, graph, operators, schema, tensors
from generate.negative.declare import CASES

FAMILIES = (container, schema, tensors, graph, operators, canonical)


def cases() -> list[Case]:
    return list(CASES.values())
