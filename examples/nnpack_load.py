"""The file of nnpack_dump.py, where Keras is missing: nothing of the network has to be known.

python examples/nnpack_load.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import nnpack

folder = Path(sys.argv[1])
model = nnpack.load(folder / "iris.nnpack")
rows = np.load(folder / "iris_rows.npz")
y = model.predict(rows["x"])

print("Keras", *rows["keras"][0])
print("nnpack", *y[0])
print(f"largest difference of {len(y)} rows: {np.abs(y - rows['keras']).max():.3g}")
