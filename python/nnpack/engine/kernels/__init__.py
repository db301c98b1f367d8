"""How nodes are computed fast: kernels by operator, chosen by the shapes of a call.

A kernel computes what the operator's own function computes (nnpack.ops), within the same tolerance, into memory that
it is given. Operators without one are computed by that function.
"""

from nnpack.engine.kernels import convolution, elementwise, moving, normalization, pooling, products, recurrent
from nnpack.engine.kernels.kernel import KERNELS, Kernel, kernel_of

__all__ = [
    "KERNELS",
    "Kernel",
    "convolution",
    "elementwise",
    "kernel_of",
    "moving",
    "normalization",
    "pooling",
    "products",
    "recurrent",
]
