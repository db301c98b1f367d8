"""Weights taken out of a Keras model, with its activations written in numpy.

python examples/numpy_activations.py FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))  # the largest becomes 1: no exponential overflows
    return e / e.sum(axis=-1, keepdims=True)


folder = Path(sys.argv[1])
model = keras.saving.load_model(folder / "iris.keras", compile=False)
rows = np.load(folder / "iris_rows.npz")

y = rows["x"]
for layer in model.layers:
    kernel, bias = layer.get_weights()
    y = {"relu": relu, "softmax": softmax}[layer.activation.__name__](np.dot(y, kernel) + bias)

print("Keras", *rows["keras"][0])
print("numpy", *y[0])
print(f"largest difference of {len(y)} rows: {np.abs(y - rows['keras']).max():.3g}")
