"""Where Keras is: two tiny networks for the other examples to carry away.

python examples/train.py FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_diabetes, load_iris

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
keras.utils.set_random_seed(42)


def save(model: keras.Model, loss: str, x: np.ndarray, y: np.ndarray) -> None:
    """Trains and saves a model, the rows that it learned from, and what it predicts of them."""
    model.compile(keras.optimizers.Adam(0.02), loss)
    model.fit(x, y, epochs=20, verbose=0)
    model.save(folder / f"{model.name}.keras")
    np.savez(folder / f"{model.name}_rows.npz", x=x, keras=model.predict(x, verbose=0))
    np.savetxt(folder / f"{model.name}_rows.csv", x, "%.9g", delimiter=",")
    print(f"{model.name}: {len(x)} rows, {model.count_params()} weights")


x, y = load_diabetes(return_X_y=True)  # ten measurements of a patient, and how the illness goes on
linear = [keras.Input((10,)), layers.Dense(6, name="hidden"), layers.Dense(1, name="progress")]
save(keras.Sequential(linear, name="linear"), "mean_squared_error", x.astype(np.float32), y / 100)

x, y = load_iris(return_X_y=True)  # four lengths of a flower, and which of three kinds it is
hidden = layers.Dense(8, activation="relu", name="hidden")
iris = [keras.Input((4,)), hidden, layers.Dense(3, activation="softmax", name="kind")]
save(keras.Sequential(iris, name="iris"), "sparse_categorical_crossentropy", x.astype(np.float32), y)
