"""Trains the networks anew and writes their weights beside this file: python -m generate.trained"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras import layers
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from generate.trained import HOME

SEED = 20_240_601
ROWS = 12
"""How many rows are stored to be fed in; none of them was trained on."""

Model = Any


def iris() -> Model:
    x = keras.Input((4,), name="flower")
    y = layers.Dense(12, activation="relu", name="hidden")(x)
    y = layers.Dense(8, activation="tanh", name="narrow")(y)
    return keras.Model(x, layers.Dense(3, activation="softmax", name="scores")(y))


def digits() -> Model:
    x = keras.Input((64,), name="pixels")
    y = layers.Dense(20, use_bias=False, name="hidden")(x)
    y = layers.ReLU()(layers.BatchNormalization(name="normalized")(y))
    return keras.Model(x, layers.Dense(10, activation="softmax", name="scores")(y))


def breast_cancer() -> Model:
    x = keras.Input((30,), name="cells")
    y = layers.Dense(10, activation="silu", name="hidden")(x)
    y = layers.Dense(6, activation="gelu", name="narrow")(y)
    return keras.Model(x, layers.Dense(1, activation="sigmoid", name="malign")(y))


def diabetes() -> Model:
    x = keras.Input((10,), name="patient")
    y = layers.Dense(16, activation="elu", name="hidden")(x)
    y = layers.Dense(8, activation="softplus", name="narrow")(y)
    return keras.Model(x, layers.Dense(1, name="progression")(y))


def wine() -> Model:
    acids, colours = keras.Input((6,), name="acids"), keras.Input((7,), name="colours")
    left = layers.Dense(8, activation="selu", name="left")(acids)
    right = layers.Dense(8, activation="mish", name="right")(colours)
    joined = layers.Concatenate()([left, layers.Multiply()([left, right]), right])
    return keras.Model([acids, colours], layers.Dense(3, activation="softmax", name="scores")(joined))


NETWORKS: dict[str, tuple[Callable[[], Model], str]] = {
    "iris": (iris, "sparse_categorical_crossentropy"),
    "digits": (digits, "sparse_categorical_crossentropy"),
    "breast_cancer": (breast_cancer, "binary_crossentropy"),
    "diabetes": (diabetes, "mean_squared_error"),
    "wine": (wine, "sparse_categorical_crossentropy"),
}


def main() -> None:
    for name, (build, loss) in NETWORKS.items():
        keras.utils.set_random_seed(SEED)
        data = getattr(datasets, f"load_{name}")()
        x, rows, target, wanted = train_test_split(data.data, data.target, test_size=0.2, random_state=SEED)
        scaler = StandardScaler().fit(x)
        x, rows = scaler.transform(x).astype("float32"), scaler.transform(rows).astype("float32")
        if loss == "mean_squared_error":
            wanted, target = (wanted - target.mean()) / target.std(), (target - target.mean()) / target.std()
        model = build()
        metrics = ["mae"] if loss == "mean_squared_error" else ["accuracy"]
        model.compile(keras.optimizers.Adam(0.01), loss, metrics=metrics)
        model.fit(_fed(model, x), target, epochs=60, batch_size=32, verbose=0)
        found = model.evaluate(_fed(model, rows), wanted, verbose=0)
        inputs = {f"inputs/{key}": part for key, part in _split(model, rows[:ROWS]).items()}
        np.savez_compressed(HOME / f"{name}.npz", **inputs, **_weights(model))
        print(f"{name:14} {metrics[0]} {found[1]:.3f}")


def _split(model: Model, x: Any) -> dict[str, Any]:
    """Name of each input -> its columns."""
    ends = np.cumsum([node.shape[1] for node in model.inputs])[:-1]
    return {node.name: part for node, part in zip(model.inputs, np.split(x, ends, axis=1), strict=True)}


def _fed(model: Model, x: Any) -> Any:
    """What Keras takes: an array where there is one input, else a list."""
    parts = list(_split(model, x).values())
    return parts if len(parts) > 1 else parts[0]


def _weights(model: Model) -> dict[str, Any]:
    return {f"{layer.name}/{weight.name}": np.asarray(weight) for layer in model.layers for weight in layer.weights}


if __name__ == "__main__":
    main()
