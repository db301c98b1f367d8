"""The whole network in one file, for nnpack_load.py: any built model, and proven to predict the same.

python examples/nnpack_dump.py FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

import nnpack

folder = Path(sys.argv[1])
model = keras.saving.load_model(folder / "iris.keras", compile=False)
print(nnpack.dump(model, folder / "iris.nnpack"))
