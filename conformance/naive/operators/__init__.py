"""All operators by their ids. A module serves a page of spec/ops, `shapes` five of them."""

from __future__ import annotations

from naive.operators import activations, dense, elementwise, glu, normalization, shapes, softmax
from naive.operators.operator import Operator

OPERATORS: dict[str, Operator] = {
    **activations.OPERATORS,
    **normalization.OPERATORS,
    **dense.OPERATORS,
    **elementwise.OPERATORS,
    **glu.OPERATORS,
    **shapes.OPERATORS,
    **softmax.OPERATORS,
}
