"""Trains networks anew and writes their weights beside this file: python -m generate.trained [NAME…]"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras import layers
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from generate.trained import HOME, images

SEED = 20_240_601
CLASSES = "sparse_categorical_crossentropy"
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


@dataclass(frozen=True)
class Network:
    """What is trained.

    Attributes:
        build: makes the model.
        loss: what is to become small.
        data: what is fed in, by the inputs' names, and what should come out; None takes the table of that name.
    """

    build: Callable[[], Model]
    loss: str
    data: Callable[[], tuple[images.Arrays, Any]] | None = None


NETWORKS = {
    "iris": Network(iris, CLASSES),
    "digits": Network(digits, CLASSES),
    "breast_cancer": Network(breast_cancer, "binary_crossentropy"),
    "diabetes": Network(diabetes, "mean_squared_error"),
    "wine": Network(wine, CLASSES),
    "convolutional": Network(images.convolutional, CLASSES, images.as_images),
    "residual": Network(images.residual, CLASSES, images.as_images),
    "unet": Network(images.unet, "binary_crossentropy", images.with_noise),
    "two_inputs": Network(images.two_inputs, CLASSES, images.with_table),
    "lstm": Network(images.lstm, CLASSES, images.as_sequences),
    "gru": Network(images.gru, CLASSES, images.as_sequences),
    "streaming": Network(images.streaming, CLASSES, images.as_steps),
    "transformer": Network(images.transformer, CLASSES, images.as_tokens),
}


def main(names: Sequence[str]) -> None:
    for name in names or NETWORKS:
        keras.utils.set_random_seed(SEED)
        network = NETWORKS[name]
        model = network.build()
        x, rows, target, wanted = _halves(network, *(network.data() if network.data else _table(name, model)))
        metric = "mae" if network.loss == "mean_squared_error" else "accuracy"
        model.compile(keras.optimizers.Adam(0.01), network.loss, metrics=[metric])
        model.fit(_fed(x), target, epochs=60, batch_size=32, verbose=0)
        found = model.evaluate(_fed(rows), wanted, verbose=0)
        inputs = {f"inputs/{key}": part[:ROWS] for key, part in rows.items()}
        np.savez_compressed(HOME / f"{name}.npz", **inputs, **_weights(model))
        print(f"{name:14} {metric} {found[1]:.3f}")


def _halves(network: Network, given: images.Arrays, target: Any) -> tuple[images.Arrays, images.Arrays, Any, Any]:
    """What is trained on, and what is not."""
    parts = train_test_split(*given.values(), target, test_size=0.2, random_state=SEED)
    *x, target = parts[::2]
    *rows, wanted = parts[1::2]
    if network.data is None:
        scalers = [StandardScaler().fit(part) for part in x]
        x, rows = (
            [scaler.transform(part).astype("float32") for scaler, part in zip(scalers, some, strict=True)]
            for some in (x, rows)
        )
    if network.loss == "mean_squared_error":
        wanted, target = (wanted - target.mean()) / target.std(), (target - target.mean()) / target.std()
    return dict(zip(given, x, strict=True)), dict(zip(given, rows, strict=True)), target, wanted


def _table(name: str, model: Model) -> tuple[images.Arrays, Any]:
    """The columns of a data set for each input, by its name."""
    data = getattr(datasets, f"load_{name}")()
    ends = np.cumsum([node.shape[1] for node in model.inputs])[:-1]
    return {
        node.name: part for node, part in zip(model.inputs, np.split(data.data, ends, axis=1), strict=True)
    }, data.target


def _fed(parts: images.Arrays) -> Any:
    """What Keras takes: an array where there is one input, else all by their names."""
    return parts if len(parts) > 1 else next(iter(parts.values()))


def _weights(model: Model) -> dict[str, Any]:
    return {f"{layer.name}/{weight.name}": np.asarray(weight) for layer in model.layers for weight in layer.weights}


if __name__ == "__main__":
    main(sys.argv[1:])
