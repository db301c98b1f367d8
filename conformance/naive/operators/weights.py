"""What the pages of spec/ops ask of weights."""

from __future__ import annotations

from naive.arrays import Shape
from naive.errors import require
from naive.operators.operator import Site


def check_weight_dtypes(site: Site) -> None:
    """All have the dtype of x."""
    dtype = site.inputs[0].dtype
    for role, weight in site.weights.items():
        require(weight.dtype == dtype, "dtype-mismatch", f"/weights/{role}", dtype, weight.dtype)


def check_weight_shape(site: Site, role: str, shape: Shape) -> None:
    """A weight that may be absent has this shape where it is not."""
    if role in site.weights:
        received = site.weights[role].shape
        require(received == shape, "weight-shape", f"/weights/{role}", f"{shape}", received)
