"""All operators by their ids. A module serves a page of spec/ops, or a few of them."""

from __future__ import annotations

from naive.operators import (
    activations,
    comparison,
    conv_lstm,
    convolution,
    dense,
    elementwise,
    glu,
    indexing,
    lookup,
    moving,
    normalization,
    pad,
    pooling,
    products,
    recurrent,
    reduction,
    resizing,
    rows,
    shapes,
    softmax,
    unary,
)
from naive.operators.operator import Operator

OPERATORS: dict[str, Operator] = {
    **activations.OPERATORS,
    **normalization.OPERATORS,
    **dense.OPERATORS,
    **elementwise.OPERATORS,
    **glu.OPERATORS,
    **shapes.OPERATORS,
    **softmax.OPERATORS,
    **conv_lstm.OPERATORS,
    **convolution.OPERATORS,
    **pooling.OPERATORS,
    **recurrent.OPERATORS,
    **resizing.OPERATORS,
    **comparison.OPERATORS,
    **indexing.OPERATORS,
    **lookup.OPERATORS,
    **moving.OPERATORS,
    **pad.OPERATORS,
    **products.OPERATORS,
    **reduction.OPERATORS,
    **rows.OPERATORS,
    **unary.OPERATORS,
}
