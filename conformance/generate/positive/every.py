"""All declarations of this package; importing it imports Keras."""

from __future__ import annotations

from generate.case import Case
from generate.positive import (
    activations,
    along_axes,
    core,
    elementwise,
    networks,
    normalization,
    shape,
    storage,
)
from generate.positive.declare import DECLARATIONS, made

FAMILIES = (core, activations, along_axes, elementwise, normalization, shape, storage, networks)


def cases() -> list[Case]:
    return [made(declaration) for declaration in DECLARATIONS.values()]
