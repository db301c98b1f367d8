"""Numbers to compare with, and the comparison: spec/accuracy.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


SMALLEST = {"float32": 2.0**-126, "float64": 2.0**-1022}
"""No tolerance is smaller: below the smallest normal number runtimes may flush to 0."""


class Reference(NamedTuple):
    """An output's values, float64, and the tolerance of each of its elements."""

    values: Array
    tolerance: Array


def worst(received: Array, reference: Reference) -> tuple[float, tuple[int, ...]]:
    """The largest |received - reference| / tolerance, and its index; infinite where only one of them is NaN."""
    with np.errstate(all="ignore"):
        use = np.abs(received.astype(np.float64) - reference.values) / reference.tolerance
    same = (received == reference.values) | (np.isnan(received) & np.isnan(reference.values))
    use = np.where(same, 0.0, np.where(np.isnan(use), np.inf, use))
    if not use.size:
        return 0.0, ()
    index = np.unravel_index(np.argmax(use), use.shape)
    return float(use[index]), tuple(int(i) for i in index)
