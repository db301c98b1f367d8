"""The first half of the demo, where Keras is: train two networks and dump them.

python examples/demo/train.py FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

import nnpack


def regression(folder: Path) -> None:
    """y = 1.2·x1 - 2.1·x2 + 0.7·x3² - 0.5·x4² + noise, learned by three linear layers."""
    random = np.random.default_rng(7)
    x = random.uniform(-2, 2, (1000, 4))
    y = 1.2 * x[:, 0] - 2.1 * x[:, 1] + 0.7 * x[:, 2] ** 2 - 0.5 * x[:, 3] ** 2 + random.normal(0, 0.1, len(x))
    table = np.column_stack([x, y])
    np.savetxt(folder / "sample_data.csv", table, "%.6f", delimiter=",", header="x1,x2,x3,x4,y", comments="")
    data = np.loadtxt(folder / "sample_data.csv", delimiter=",", skiprows=1, dtype=np.float32)
    x, y = data[:, :4], data[:, 4]

    model = keras.Sequential([keras.Input((4,)), layers.Dense(20), layers.Dense(10), layers.Dense(1)])
    model.compile(optimizer="adam", loss="mean_absolute_error")
    history = model.fit(x, y, validation_split=0.2, epochs=60, verbose=0).history
    print(f"regression: {len(x)} rows, validation error {history['val_loss'][-1]:.3f} (mean absolute)")

    print(nnpack.dump(model, folder / "regression.nnpack"))
    validation = x[int(len(x) * 0.8) :]
    np.savez(folder / "regression.npz", x=validation, keras=model.predict(validation, verbose=0))


def digits(folder: Path) -> None:
    """Handwritten digits of 8 × 8 pixels: 1,797 of them, ten classes."""
    images, labels = load_digits(return_X_y=True)
    images = images.astype(np.float32)
    train, test = slice(0, 1400), slice(1400, None)
    scale = layers.Rescaling(1 / 16)
    hidden = [layers.Dense(64, activation="relu"), layers.Dropout(0.2), layers.Dense(32, activation="tanh")]
    model = keras.Sequential([keras.Input((64,)), scale, *hidden, layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(images[train], labels[train], epochs=25, verbose=0)

    print(f"digits: {train.stop} images to learn from, {len(images) - train.stop} to test with")
    print(nnpack.dump(model, folder / "digits.nnpack"))
    predicted = model.predict(images[test], verbose=0)
    np.savez(folder / "digits.npz", x=images[test], keras=predicted, labels=labels[test])


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(42)
    print("── with Keras ─────────────────────────────────────────────")
    regression(folder)
    digits(folder)


if __name__ == "__main__":
    main()
