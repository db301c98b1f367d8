"""The operators: one pure numpy function each, by family. Knows no graph."""

from nnpack.ops import activations, core, elementwise, normalization, shape
from nnpack.ops.operator import OPERATORS

__all__ = ["OPERATORS", "activations", "core", "elementwise", "normalization", "shape"]
