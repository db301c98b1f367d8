"""Recurrent layers, Bidirectional and TimeDistributed: the file predicts what Keras predicts, or dump refuses."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers, ops  # noqa: E402

import nnpack  # noqa: E402
from test_export import agree, randomised, rows  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")


def steps_taken(time, n=7):
    """A mask with holes at the beginning, in the middle and at the end; a row of which every step is left out."""
    mask = np.random.RandomState(3).rand(n, time) < 0.6
    mask[2], mask[3] = False, True
    return mask


def run(make, shape=(5, 3), mask=False, states=0, dynamic=False):
    """A model of one layer, with a mask and initial states as inputs of their own."""
    time = None if dynamic else shape[0]
    x = keras.Input((time, *shape[1:]), name="x")
    inputs, arrays, given = [x], [rows(shape)], {}
    if mask:
        given["mask"] = keras.Input((time,), dtype="bool", name="mask")
        inputs.append(given["mask"])
        arrays.append(steps_taken(shape[0]))
    if states:
        given["initial_state"] = [keras.Input((4,), name=f"state_{i}") for i in range(states)]
        inputs += given["initial_state"]
        arrays += [rows((4,), seed=9 + i) for i in range(states)]
    y = make()(x, **given)
    return agree(randomised(keras.Model(inputs, keras.tree.flatten(y))), arrays)


def operators(model):
    return [layer.op for layer in model.layers]


EACH = {"simple-rnn": (layers.SimpleRNN, 1), "lstm": (layers.LSTM, 2), "gru": (layers.GRU, 1)}

ARGUMENTS = {
    "sequences": {"return_sequences": True},
    "backwards": {"return_sequences": True, "return_state": True, "go_backwards": True},
    "state": {"return_state": True, "use_bias": False},
    "zero-output": {"return_sequences": True, "zero_output_for_mask": True},
    "unrolled": {"unroll": True, "dropout": 0.3, "recurrent_dropout": 0.2},
}


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("name", EACH)
def test_layer(name, arguments):
    cls, states = EACH[name]
    dynamic = arguments == "backwards"
    model = run(lambda: cls(4, **ARGUMENTS[arguments]), mask=True, states=states * dynamic, dynamic=dynamic)
    assert operators(model) == [f"{name.replace('-', '_')}@1"]


@pytest.mark.parametrize("name", EACH)
def test_layer_without_mask(name):
    run(lambda: EACH[name][0](4, return_sequences=True, return_state=True), dynamic=True)


def test_gru_that_resets_before():
    run(lambda: layers.GRU(4, reset_after=False, return_sequences=True), mask=True)
    run(lambda: layers.GRU(4, reset_after=False, use_bias=False))


@pytest.mark.parametrize("activation", ["relu", "softmax", "leaky_relu", "gelu", "hard_sigmoid", "linear", None])
def test_activations_that_operators_have(activation):
    model = run(lambda: layers.LSTM(4, activation=activation, recurrent_activation="hard_sigmoid"))
    assert operators(model) == ["lstm@1"]


@pytest.mark.parametrize("name", EACH)
def test_other_activations_are_unrolled(name):
    model = run(lambda: EACH[name][0](3, activation="sparsemax", return_sequences=True, dropout=0.2), (3, 2), mask=True)
    assert f"{name.replace('-', '_')}@1" not in operators(model)
    run(lambda: EACH[name][0](3, activation=lambda x: ops.sin(x) * 2, go_backwards=True, return_state=True), (3, 2))


def test_what_is_unrolled_needs_a_number_of_steps():
    with pytest.raises(nnpack.UnsupportedModelError, match="sequence of unknown length, and LSTMCell with sparsemax"):
        run(lambda: layers.LSTM(4, activation="sparsemax"), dynamic=True)


def test_float64():
    run(lambda: layers.LSTM(4, return_state=True, dtype="float64"), mask=True)


def test_float64_with_constants_that_tensorflow_rounds_to_float32():
    run(lambda: layers.GRU(3, activation="leaky_relu", recurrent_activation="gelu", dtype="float64"), (3, 2))


def test_an_unrolled_layer_that_runs_backwards_has_zeros_where_keras_has_them():
    run(lambda: layers.Bidirectional(layers.LSTM(3, unroll=True, return_sequences=True)), mask=True)


def test_initial_states_that_are_constants():
    x = keras.Input((5, 3), batch_size=7)
    states = [ops.tile(ops.convert_to_tensor([[0.5, -1, 2, 0.1]]), (7, 1))] * 2
    agree(randomised(keras.Model(x, layers.LSTM(4)(x, initial_state=states))), rows((5, 3)))


CONV = {
    "1d": (layers.ConvLSTM1D, (4, 9, 3), {"strides": 2, "padding": "same", "return_state": True}),
    "1d-dilated": (layers.ConvLSTM1D, (4, 9, 3), {"dilation_rate": 2, "go_backwards": True, "return_sequences": True}),
    "2d": (layers.ConvLSTM2D, (3, 7, 6, 2), {"return_sequences": True, "use_bias": False, "return_state": True}),
    "2d-same": (layers.ConvLSTM2D, (3, 4, 5, 2), {"padding": "same", "activation": "relu"}),
    "3d": (layers.ConvLSTM3D, (2, 4, 5, 6, 2), {"strides": (1, 2, 2)}),
}


@pytest.mark.parametrize("name", CONV)
def test_conv_lstm(name):
    cls, shape, arguments = CONV[name]
    assert operators(run(lambda: cls(2, 3, **arguments), shape, mask=True)) == ["conv_lstm@1"]


# Cells


def stack():
    return [layers.LSTMCell(4), layers.GRUCell(3), layers.SimpleRNNCell(2)]


CELLS = {
    "lstm": lambda: layers.LSTMCell(4, unit_forget_bias=False),
    "gru": lambda: layers.GRUCell(4, reset_after=False),
    "simple-rnn": lambda: layers.SimpleRNNCell(4),
    "list": stack,
    "stacked": lambda: layers.StackedRNNCells(stack()),
}


@pytest.mark.parametrize("arguments", [name for name in ARGUMENTS if name != "unrolled"])
@pytest.mark.parametrize("name", CELLS)
def test_cells(name, arguments):
    given = {key: value for key, value in ARGUMENTS[arguments].items() if key != "use_bias"}
    run(lambda: layers.RNN(CELLS[name](), **given), mask=True)


def test_stacks_in_a_stack():
    cells = [layers.StackedRNNCells(stack()), layers.LSTMCell(2)]
    run(lambda: layers.RNN(cells, return_sequences=True), mask=True)


class Leaky(layers.Layer):
    """A cell of two states of different sizes, which begins elsewhere than at 0."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size, self.output_size = units, [units, 2], units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units))
        self.mix = self.add_weight(shape=(2, self.units))

    def get_initial_state(self, batch_size=None):
        return [ops.ones((batch_size, self.units)) * 0.25, ops.zeros((batch_size, 2))]

    def call(self, x, states, training=False):
        h, c = states
        h = 0.9 * h + ops.tanh(ops.matmul(x, self.kernel)) + ops.matmul(c, self.mix)
        return ops.maximum(h, -1.0), [h, c + x[:, :2]]


@pytest.mark.parametrize("arguments", [name for name in ARGUMENTS if name != "unrolled"])
def test_custom_cell(arguments):
    given = {key: value for key, value in ARGUMENTS[arguments].items() if key != "use_bias"}
    model = run(lambda: layers.RNN(Leaky(3), **given), (4, 3), mask=True)
    shapes = sorted(array.shape for array in model.weights.values() if array.ndim == 2 and len(array) > 1)
    assert shapes == [(2, 3), (3, 3)]  # each weight once, however many steps there are


def test_custom_cell_in_a_stack():
    cells = [layers.LSTMCell(4), Leaky(3), layers.GRUCell(2)]
    run(lambda: layers.RNN(cells, return_state=True, go_backwards=True), (4, 3), mask=True)


# Bidirectional


@pytest.mark.parametrize("mode", ["concat", "sum", "ave", "mul", None])
@pytest.mark.parametrize("sequences", [False, True], ids=["last", "sequences"])
def test_bidirectional(mode, sequences):
    def make():
        return layers.Bidirectional(layers.LSTM(4, return_sequences=sequences, return_state=True), merge_mode=mode)

    run(make, mask=True, states=4, dynamic=True)


def test_bidirectional_of_other_layers():
    backward = layers.GRU(3, return_sequences=True, go_backwards=True)
    run(lambda: layers.Bidirectional(layers.LSTM(4, return_sequences=True), backward_layer=backward), mask=True)
    run(lambda: layers.Bidirectional(layers.ConvLSTM1D(2, 3, return_sequences=True)), (4, 5, 2), mask=True)
    run(lambda: layers.Bidirectional(layers.RNN(stack(), return_sequences=True, return_state=True)))
    ahead = layers.GRU(3)
    run(lambda: layers.Bidirectional(layers.GRU(4, go_backwards=True), backward_layer=ahead), mask=True)


# TimeDistributed


def hierarchical():
    x = keras.Input((5, 6))
    return keras.Model(x, layers.Dense(2)(layers.LSTM(3)(layers.Masking()(x))))


INNER = {
    "conv": ((4, 5, 6, 2), lambda: layers.Conv2D(3, 3)),
    "pooling": ((4, 5, 6, 2), lambda: layers.GlobalAveragePooling2D()),
    "flatten": ((4, 5, 2), lambda: layers.Flatten()),
    "batch-normalization": ((4, 5), lambda: layers.BatchNormalization()),
    "lstm": ((4, 5, 6), lambda: layers.LSTM(3)),
    "bidirectional": ((4, 5, 6), lambda: layers.Bidirectional(layers.GRU(3))),
    "twice": ((4, 3, 5, 6), lambda: layers.TimeDistributed(layers.Conv1D(3, 2))),
    "model": ((4, 5, 6), hierarchical),
    "lambda": ((4, 5, 6), lambda: layers.Lambda(lambda x: ops.mean(x, axis=1) * 2)),
    "activation-of-own": ((4, 5, 3), lambda: layers.Dense(3, activation=lambda x: ops.softmax(x, axis=1))),
}


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
@pytest.mark.parametrize("name", INNER)
def test_time_distributed(name, dynamic):
    shape, make = INNER[name]
    assert "fold@1" in operators(run(lambda: layers.TimeDistributed(make()), shape, dynamic=dynamic))


@pytest.mark.parametrize(
    "make",
    [lambda: layers.Dense(3, activation="softmax"), lambda: layers.Activation("gelu"), lambda: layers.Dropout(0.4)],
    ids=["dense", "activation", "dropout"],
)
def test_time_distributed_needs_no_folding(make):
    assert "fold@1" not in operators(run(lambda: layers.TimeDistributed(make()), (4, 5), mask=True, dynamic=True))


def test_time_distributed_hands_each_step_its_mask():
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(3), layers.BatchNormalization()])
    run(lambda: layers.TimeDistributed(inner), (4, 5), mask=True)


def test_wrappers_are_traced():
    x = keras.Input((4, 5))
    wrapped = layers.TimeDistributed(layers.SpectralNormalization(layers.Dense(3)))
    agree(randomised(keras.Model(x, wrapped(x))), rows((4, 5)))
