"""Weights taken out of a Keras model, and multiplied with numpy.dot.

python examples/numpy_dot.py FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

folder = Path(sys.argv[1])
model = keras.saving.load_model(folder / "linear.keras", compile=False)
rows = np.load(folder / "linear_rows.npz")

y = rows["x"]
for layer in model.layers:
    kernel, bias = layer.get_weights()  # (inputs, units) and (units,)
    y = np.dot(y, kernel) + bias

print("Keras", *rows["keras"][0])
print("numpy", *y[0])
print(f"largest difference of {len(y)} rows: {np.abs(y - rows['keras']).max():.3g}")
