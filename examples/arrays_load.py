"""The arrays of arrays_save.py, where Keras is missing. The network itself has to be written down once more.

python examples/arrays_load.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
weights = np.load(folder / "iris_weights.npz")
rows = np.load(folder / "iris_rows.npz")

hidden = np.maximum(np.dot(rows["x"], weights["hidden/kernel"]) + weights["hidden/bias"], 0)
logits = np.dot(hidden, weights["kind/kernel"]) + weights["kind/bias"]
y = np.exp(logits - logits.max(axis=1, keepdims=True))
y /= y.sum(axis=1, keepdims=True)

print("Keras", *rows["keras"][0])
print("numpy", *y[0])
print(f"largest difference of {len(y)} rows: {np.abs(y - rows['keras']).max():.3g}")
