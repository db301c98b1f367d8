"""Weights saved as arrays, for arrays_load.py.

python examples/arrays_save.py FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

folder = Path(sys.argv[1])
model = keras.saving.load_model(folder / "iris.keras", compile=False)
arrays = {weight.path: weight.numpy() for weight in model.weights}
np.savez(folder / "iris_weights.npz", **arrays)
for path, array in arrays.items():
    print(path, array.shape)
