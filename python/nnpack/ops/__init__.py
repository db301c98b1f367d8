"""The operators: one pure numpy function each, by family. Knows no graph."""

from nnpack.ops import activations, core
from nnpack.ops.operator import OPERATORS

__all__ = ["OPERATORS", "activations", "core"]

OPERATORS.complete_with(
    *("comparison", "conv_lstm", "convolution", "elementwise", "extent", "indexing", "normalization", "pooling"),
    *("preprocessing", "products", "recurrent", "reduction", "resizing", "rows", "shape", "unary"),
)
