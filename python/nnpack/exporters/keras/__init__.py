"""Keras model -> Document. The only part of nnpack that imports Keras."""

from nnpack.exporters.keras import activations, core, merging, normalization, operations, reshaping
from nnpack.exporters.keras.graph import Exported, export
from nnpack.exporters.keras.registry import register
from nnpack.exporters.keras.verify import Comparison, OutputComparison, compare

__all__ = [
    "Comparison",
    "Exported",
    "OutputComparison",
    "activations",
    "compare",
    "core",
    "export",
    "merging",
    "normalization",
    "operations",
    "register",
    "reshaping",
]
