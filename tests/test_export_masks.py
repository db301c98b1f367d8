"""Masks, which Keras passes along with tensors unseen: every layer that one reaches gives Keras's numbers."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers, ops  # noqa: E402

from nnpack.engine.samples import sample_inputs  # noqa: E402
from nnpack.exporters.keras import export  # noqa: E402
from test_export import agree, randomised, rows  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")


def holes(x, mask_value=0.0):
    """Steps of the mask value at the beginning, in the middle, at the end; all steps of one row."""
    x = np.array(x)
    x[np.random.RandomState(3).rand(*x.shape[:2]) < 0.4] = mask_value
    x[2] = mask_value
    return x


def words(*shape, n=7):
    numbers = np.random.RandomState(4).randint(0, 9, (n, *shape)).astype(np.int32)
    numbers[numbers < 3] = 0
    numbers[2] = 0
    return numbers


def pooled(y):
    return layers.GlobalAveragePooling1D()(y)


AFTER = {
    "lstm": lambda y: layers.LSTM(4)(y),
    "two-lstms": lambda y: layers.LSTM(4)(layers.GRU(3, return_sequences=True)(y)),
    "no-sequences": lambda y: layers.Reshape((4, 1))(layers.LSTM(4)(y)),
    "bidirectional": lambda y: layers.SimpleRNN(4)(layers.Bidirectional(layers.LSTM(3, return_sequences=True))(y)),
    "rnn": lambda y: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)])(y),
    "pooling": lambda y: pooled(y),
    "dense-pooling": lambda y: pooled(layers.Dropout(0.2)(layers.Dense(4, activation="relu")(y))),
    "time-distributed": lambda y: pooled(layers.TimeDistributed(layers.Dense(4))(y)),
    "conv-destroys-it": lambda y: pooled(layers.Conv1D(4, 2)(y)),
    "normalization": lambda y: pooled(layers.LayerNormalization()(layers.BatchNormalization()(y))),
    "activation": lambda y: pooled(layers.ReLU()(layers.Activation("tanh")(y))),
    "add": lambda y: pooled(layers.Add()([y, layers.Dense(6)(y)])),
    "add-of-one": lambda y: pooled(layers.Add()([y, layers.Conv1D(6, 1)(y)])),
    "maximum": lambda y: pooled(layers.Maximum()([y, layers.Conv1D(6, 1)(y)])),
    "minimum": lambda y: pooled(layers.Minimum()([layers.Dense(6)(y), y])),
    "multiply": lambda y: layers.LSTM(2)(layers.Multiply()([layers.Dense(6)(y), y])),
    "concatenate": lambda y: pooled(layers.Concatenate()([y, layers.Dense(2)(y)])),
    "concatenate-one": lambda y: layers.LSTM(2)(layers.Concatenate()([y, layers.Conv1D(2, 1)(y)])),
    "concatenate-steps": lambda y: layers.LSTM(2)(layers.Concatenate(axis=1)([y, layers.Dense(6)(y)])),
    "softmax": lambda y: layers.Softmax()(layers.Reshape((5,))(layers.Dense(1)(y))),
    "operation": lambda y: pooled(y * 2.0 + 1.0),
    "attention": lambda y: pooled(layers.Attention()([y, y])),
    "additive-attention": lambda y: pooled(layers.AdditiveAttention()([layers.Dense(6)(y), y])),
    "multi-head": lambda y: pooled(layers.MultiHeadAttention(2, 3)(y, y)),
    "multi-head-scores": lambda y: layers.MultiHeadAttention(2, 3)(y, y, return_attention_scores=True)[0],
    "multi-head-cross": lambda y: layers.MultiHeadAttention(2, 3)(layers.Conv1D(4, 1)(y), y),
    "group-query": lambda y: pooled(layers.GroupQueryAttention(3, 4, 2)(y, y)),
}


@pytest.mark.parametrize("name", AFTER)
def test_masking_reaches(name):
    x = keras.Input((5, 6))
    model = keras.Model(x, AFTER[name](layers.Masking()(x)))
    agree(randomised(model), holes(rows((5, 6))))


@pytest.mark.parametrize("name", ["two-lstms", "pooling", "add", "concatenate", "multi-head", "attention"])
def test_embedding_with_mask_zero_reaches(name):
    x = keras.Input((None if name != "attention" else 5,), dtype="int32")
    model = keras.Model(x, AFTER[name](layers.Embedding(9, 6, mask_zero=True)(x)))
    agree(randomised(model), words(5))


@pytest.mark.parametrize("mask_value", [0.0, -99.0, 0.1])
def test_verification_triggers_masks(mask_value):
    x = keras.Input((5, 6))
    model = randomised(keras.Model(x, layers.LSTM(4)(layers.Masking(mask_value)(x))))
    (sample,) = sample_inputs(export(model).document)
    masked = (sample == np.float32(mask_value)).all(axis=-1)
    assert 0.05 < masked.mean() < 0.6
    assert masked.all(axis=-1).any()
    agree(model, holes(rows((5, 6)), mask_value))


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
def test_masks_of_the_user(dtype):
    x, mask = keras.Input((None, 6)), keras.Input((None,), dtype=dtype)
    y = layers.LSTM(4, return_sequences=True)(x, mask=mask)
    model = keras.Model([x, mask], layers.SimpleRNN(3)(y, mask=ops.logical_not(ops.cast(mask, "bool"))))
    given = np.random.RandomState(3).rand(7, 5) < 0.6
    agree(randomised(model), [rows((5, 6)), given.astype(dtype)])


def inner(masking):
    x = keras.Input((5, 6))
    y = layers.Masking()(x) if masking else x
    return keras.Model(x, layers.Dense(6)(layers.GRU(6, return_sequences=True)(y)))


@pytest.mark.parametrize("nest", ["enters", "is-made-inside", "sequential"])
def test_masks_and_nested_models(nest):
    """A mask enters a nested model, goes through it, and leaves it."""
    x = keras.Input((5, 6))
    y = x if nest == "is-made-inside" else layers.Masking()(x)
    if nest == "sequential":
        model = keras.Sequential([keras.Input((5, 6)), layers.Dense(6), layers.LSTM(6, return_sequences=True)])
    else:
        model = inner(nest == "is-made-inside")
    agree(randomised(keras.Model(x, pooled(layers.Dense(3)(model(y))))), holes(rows((5, 6))))


def test_a_step_that_a_layer_masks_within_time_distributed():
    x = keras.Input((3, 5, 6))
    sentences = layers.TimeDistributed(keras.Sequential([keras.Input((5, 6)), layers.Masking(), layers.LSTM(4)]))(x)
    given = rows((3, 5, 6))
    given[np.random.RandomState(3).rand(7, 3, 5) < 0.4] = 0
    agree(randomised(keras.Model(x, layers.GRU(2)(sentences))), given)


def test_multi_head_attention_takes_the_mask_off_its_inputs():
    """As Keras does: what reads the same tensor later sees no mask."""
    x = keras.Input((5, 6))
    y = layers.Masking()(x)
    y = layers.LayerNormalization()(layers.Add()([y, layers.MultiHeadAttention(2, 3)(y, y)]))
    y = layers.LayerNormalization()(layers.Add()([y, layers.MultiHeadAttention(2, 3)(y, y)]))
    agree(randomised(keras.Model(x, [y, pooled(y)])), holes(rows((5, 6))))


class Gate(layers.Layer):
    """A layer of one's own that reads its mask, and makes another."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x, mask=None):
        return x * ops.expand_dims(ops.cast(mask, x.dtype) + 0.5, -1)

    def compute_mask(self, x, mask=None):
        return ops.logical_and(mask, x[:, :, 0] > 0)


def test_masks_of_custom_layers():
    x = keras.Input((5, 6))
    agree(randomised(keras.Model(x, pooled(Gate()(layers.Masking()(x))))), holes(rows((5, 6))))


def test_masks_in_a_subclassed_model():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(9, 6, mask_zero=True)
            self.lstm = layers.Bidirectional(layers.LSTM(3, return_sequences=True))
            self.pooling = layers.GlobalAveragePooling1D()

        def call(self, x):
            return self.pooling(self.lstm(self.embedding(x)))

    model = Model()
    model(words(5))
    agree(randomised(model), words(5))
