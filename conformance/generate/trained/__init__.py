"""Networks that were trained on the data sets that come with scikit-learn: their weights, and rows to feed them.

Training gives other numbers with another machine or another version of TensorFlow. The stored weights are what cases
are made of; `python -m generate.trained` is run to replace them, never to check them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

HOME = Path(__file__).parent


def arrays(name: str) -> dict[str, Any]:
    """Layer and role, "hidden/kernel", or "inputs/" and an input's name -> float32 array."""
    with np.load(HOME / f"{name}.npz") as stored:
        return dict(stored)
