"""The networks that are measured: Keras models with weights that no initialiser leaves, and their inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers


class Benchmark(NamedTuple):
    """One line of the table.

    Attributes:
        name: as the table shows it.
        build: makes the Keras model.
        batch: rows of one call.
        quick: whether `make bench-quick` measures it, too.
        sample: makes the input; None takes standard normal numbers of the model's input shape.
    """

    name: str
    build: Callable[[], Any]
    batch: int = 1
    quick: bool = True
    sample: Callable[[int, np.random.RandomState], np.ndarray] | None = None

    @property
    def title(self) -> str:
        return self.name if self.batch == 1 else f"{self.name}, batch {self.batch}"


def seed_perceptron() -> Any:
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(20, activation="relu"),
            layers.Dense(10, activation="relu"),
            layers.Dense(1),
        ]
    )


def perceptron() -> Any:
    hidden = [layers.Dense(512, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(10, activation="softmax")])


def small_cnn() -> Any:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


WORDS = 1000


def lstm() -> Any:
    return keras.Sequential(
        [keras.Input((100,), dtype="int32"), layers.Embedding(WORDS, 32), layers.LSTM(64), layers.Dense(1, "sigmoid")]
    )


def words(rows: int, random: np.random.RandomState) -> np.ndarray:
    return random.randint(0, WORDS, (rows, 100)).astype(np.int32)


def grus() -> Any:
    return keras.Sequential(
        [keras.Input((200, 8)), layers.GRU(32, return_sequences=True), layers.GRU(32), layers.Dense(1)]
    )


def transformer(blocks: int = 2, length: int = 64, width: int = 128) -> Any:
    x = inputs = keras.Input((length, width))
    for _ in range(blocks):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(4, width // 4)(y, y)])
        y = layers.LayerNormalization()(x)
        y = layers.Dense(4 * width, activation="gelu")(y)
        x = layers.Add()([x, layers.Dense(width)(y)])
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling1D()(x)))


def u_net(size: int = 128, width: int = 16) -> Any:
    def twice(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        return x

    x = inputs = keras.Input((size, size, 3))
    kept = []
    for depth in range(3):
        x = twice(x, width << depth)
        kept.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = twice(x, width << 3)
    for depth in reversed(range(3)):
        x = layers.Conv2DTranspose(width << depth, 2, strides=2)(x)
        x = twice(layers.Concatenate()([x, kept[depth]]), width << depth)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))


def application(name: str) -> Callable[[], Any]:
    return lambda: getattr(keras.applications, name)(weights=None)


BENCHMARKS = (
    Benchmark("perceptron 4-20-10-1", seed_perceptron),
    Benchmark("perceptron 4-20-10-1", seed_perceptron, 32, quick=False),
    Benchmark("perceptron 4-20-10-1", seed_perceptron, 1024),
    Benchmark("perceptron 4-20-10-1", seed_perceptron, 32_768, quick=False),
    Benchmark("perceptron 784-512-512-10", perceptron),
    Benchmark("perceptron 784-512-512-10", perceptron, 32, quick=False),
    Benchmark("perceptron 784-512-512-10", perceptron, 1024),
    Benchmark("CNN 28×28", small_cnn),
    Benchmark("CNN 28×28", small_cnn, 256),
    Benchmark("Embedding + LSTM(64), 100 steps", lstm, sample=words),
    Benchmark("Embedding + LSTM(64), 100 steps", lstm, 64, sample=words),
    Benchmark("2 × GRU(32), 200 steps", grus),
    Benchmark("2 transformer blocks, 64×128", transformer),
    Benchmark("U-Net 128×128", u_net, quick=False),
    Benchmark("MobileNetV2", application("MobileNetV2"), quick=False),
    Benchmark("EfficientNetB0", application("EfficientNetB0"), quick=False),
    Benchmark("ResNet50", application("ResNet50"), quick=False),
    Benchmark("DenseNet121", application("DenseNet121"), quick=False),
)


def randomised(model: Any, seed: int = 0) -> Any:
    """The model with weights of such sizes that numbers neither vanish nor explode."""
    random = np.random.RandomState(seed)
    for variable in model.variables:
        shape, kind = tuple(variable.shape), variable.path.rpartition("/")[2]
        if "seed" in variable.path:
            continue
        if len(shape) > 1 and kind != "embeddings":
            terms = np.prod(shape[:2] if "depthwise" in variable.path and len(shape) == 4 else shape[:-1])
            variable.assign(random.standard_normal(shape).astype(np.float32) * np.float32(np.sqrt(1.5 / terms)))
        elif kind in ("gamma", "scale") or "variance" in kind:
            variable.assign(random.uniform(0.7, 1.4, shape))
        else:
            variable.assign(random.uniform(-0.2, 0.2, shape))
    return model


def sampled(benchmark: Benchmark, model: Any, rows: int | None = None) -> np.ndarray:
    """The rows that a benchmark is measured with."""
    random, rows = np.random.RandomState(1), benchmark.batch if rows is None else rows
    if benchmark.sample is not None:
        return benchmark.sample(rows, random)
    return random.standard_normal((rows, *model.inputs[0].shape[1:])).astype(np.float32)
