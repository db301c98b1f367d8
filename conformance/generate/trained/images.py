"""Networks of the images that come with scikit-learn: 1797 handwritten digits of 8 × 8 pixels, from 0 to 16."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from sklearn import datasets

Model = Any
Arrays = dict[str, Any]

SIDE = 8


def _digits() -> tuple[Any, Any]:
    data = datasets.load_digits()
    return (data.images / 16).astype("float32"), data.target


# What is fed in, and what should come out


def as_images() -> tuple[Arrays, Any]:
    x, target = _digits()
    return {"pixels": x[..., None]}, target


def as_sequences() -> tuple[Arrays, Any]:
    """The rows of an image one after the other; the last ones, up to three, are left out, as are empty ones."""
    x, target = _digits()
    lengths = np.random.RandomState(1).randint(SIDE - 3, SIDE + 1, len(x))
    x[np.arange(SIDE) >= lengths[:, None]] = 0
    return {"lines": x}, target


def as_steps() -> tuple[Arrays, Any]:
    """The rows one after the other, and the class at every one."""
    x, target = _digits()
    return {"lines": x}, np.repeat(target[:, None], SIDE, axis=1)


def as_tokens() -> tuple[Arrays, Any]:
    """Sixteen tokens: the sums of 2 × 2 pixels, from 0 to 16."""
    x, target = _digits()
    blocks = x.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).sum(axis=(2, 4)) * 4
    return {"tokens": np.round(blocks).reshape(-1, 16).astype("int32")}, target


def with_noise() -> tuple[Arrays, Any]:
    """What is ink, of an image with noise."""
    x, _ = _digits()
    noise = np.random.RandomState(2).normal(0, 0.3, x.shape)
    return {"pixels": (x + noise)[..., None].astype("float32")}, (x > 0.4)[..., None].astype("float32")


def with_table() -> tuple[Arrays, Any]:
    """The left half as an image, and how much ink the columns of the other half have."""
    x, target = _digits()
    return {"half": x[:, :, : SIDE // 2, None], "columns": x[:, :, SIDE // 2 :].mean(axis=1)}, target


# Networks


def convolutional() -> Model:
    x = keras.Input((SIDE, SIDE, 1), name="pixels")
    y = layers.Conv2D(6, 3, activation="relu", name="first")(x)
    y = layers.MaxPooling2D(2)(y)
    y = layers.Conv2D(10, 2, padding="same", activation="relu", name="second")(y)
    y = layers.Dropout(0.1)(layers.Flatten()(y))
    return keras.Model(x, layers.Dense(10, activation="softmax", name="scores")(y))


def residual() -> Model:
    x = keras.Input((SIDE, SIDE, 1), name="pixels")
    y = layers.Conv2D(4, 3, padding="same", use_bias=False, name="stem")(x)
    y = layers.ReLU()(layers.BatchNormalization(name="normalized_stem")(y))
    for i, filters in enumerate((6, 8)):
        z = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False, name=f"strided_{i}")(y)
        z = layers.ReLU()(layers.BatchNormalization(name=f"normalized_strided_{i}")(z))
        z = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"second_{i}")(z)
        z = layers.BatchNormalization(name=f"normalized_second_{i}")(z)
        shortcut = layers.Conv2D(filters, 1, strides=2, use_bias=False, name=f"shortcut_{i}")(y)
        shortcut = layers.BatchNormalization(name=f"normalized_shortcut_{i}")(shortcut)
        y = layers.ReLU()(layers.Add()([z, shortcut]))
    y = layers.GlobalAveragePooling2D()(y)
    return keras.Model(x, layers.Dense(10, activation="softmax", name="scores")(y))


def unet() -> Model:
    x = keras.Input((SIDE, SIDE, 1), name="pixels")
    wide = layers.Conv2D(4, 3, padding="same", activation="relu", name="down_0")(x)
    middle = layers.Conv2D(6, 3, padding="same", activation="relu", name="down_1")(layers.MaxPooling2D(2)(wide))
    y = layers.Conv2D(8, 2, padding="same", activation="relu", name="bottom")(layers.AveragePooling2D(2)(middle))
    y = layers.Conv2DTranspose(6, 2, strides=2, padding="same", activation="relu", name="up_1")(y)
    y = layers.Conv2D(5, 3, padding="same", activation="relu", name="joined_1")(layers.Concatenate()([y, middle]))
    y = layers.UpSampling2D(2, interpolation="bilinear")(y)
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="joined_0")(layers.Concatenate()([y, wide]))
    return keras.Model(x, layers.Conv2D(1, 1, activation="sigmoid", name="ink")(y))


def two_inputs() -> Model:
    half, columns = keras.Input((SIDE, SIDE // 2, 1), name="half"), keras.Input((SIDE // 2,), name="columns")
    y = layers.Conv2D(6, 3, activation="relu", name="first")(half)
    y = layers.GlobalMaxPooling2D()(y)
    z = layers.Dense(8, activation="tanh", name="table")(columns)
    joined = layers.Concatenate()([layers.Flatten(name="flat")(half), y, z])
    joined = layers.Dense(16, activation="relu", name="joined")(joined)
    return keras.Model([half, columns], layers.Dense(10, activation="softmax", name="scores")(joined))


def lstm() -> Model:
    x = keras.Input((SIDE, SIDE), name="lines")
    y = layers.LSTM(8, name="read")(layers.Masking()(x))
    return keras.Model(x, layers.Dense(10, activation="softmax", name="scores")(y))


def gru() -> Model:
    """Both directions, then another layer over all steps."""
    x = keras.Input((SIDE, SIDE), name="lines")
    mask = ops.any(ops.not_equal(x, 0), axis=2)
    both = {"return_sequences": True, "zero_output_for_mask": True}
    forward = layers.GRU(5, name="forward", **both)(x, mask=mask)
    backward = layers.GRU(5, go_backwards=True, name="backward", **both)(x, mask=mask)
    joined = ops.concatenate([forward, ops.flip(backward, axis=1)], axis=2)
    y = layers.GRU(8, reset_after=False, name="last")(joined, mask=mask)
    return keras.Model(x, layers.Dense(10, activation="softmax", name="scores")(y))


def streaming() -> Model:
    x = keras.Input((None, SIDE), name="lines")
    y = layers.LSTM(8, return_sequences=True, name="read")(x)
    y = layers.GRU(8, return_sequences=True, name="reread")(y)
    return keras.Model(x, layers.Dense(10, activation="softmax", name="scores")(y))


def transformer(width: int = 8, heads: int = 2, tokens: int = 16) -> Model:
    x = keras.Input((tokens,), dtype="int32", name="tokens")
    places = ops.cumsum(ops.ones_like(x), axis=1) - 1
    y = layers.Embedding(17, width, name="embedded")(x) + layers.Embedding(tokens, width, name="placed")(places)

    def by_heads(z: Any) -> Any:
        return ops.reshape(z, (-1, tokens, heads, width // heads))

    z = layers.LayerNormalization(name="normalized_0")(y)
    query, key, value = (by_heads(layers.Dense(width, name=name)(z)) for name in ("query", "key", "value"))
    scores = ops.einsum("bqhd,bkhd->bhqk", query * (width // heads) ** -0.5, key)
    mixed = ops.matmul(ops.softmax(scores, axis=-1), ops.transpose(value, (0, 2, 1, 3)))
    mixed = ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, tokens, width))
    y = y + layers.Dense(width, name="mixed")(mixed)
    z = layers.Dense(2 * width, activation="gelu", name="wide")(layers.LayerNormalization(name="normalized_1")(y))
    y = y + layers.Dense(width, name="narrow")(z)
    y = layers.LayerNormalization(name="normalized_2")(y)
    y = layers.GlobalAveragePooling1D()(y)
    return keras.Model(x, layers.Dense(10, activation="softmax", name="scores")(y))
