"""States that a model carries from call to call: the rules of the format, the runtime, and Keras's stateful layers."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import nnpack
from documents import document, layer, packed, tensor
from nnpack.format import container
from nnpack.format.build import build
from nnpack.format.document import SelfTest, State, Value
from nnpack.format.storage import store
from nnpack.validation import faults

START = np.array([0.5, -1, 2, 0], np.float32)


def running_sum(**more):
    """sum = total + x, which total is in the next call; y = 2 · sum."""
    state = State(Value("total", "float32", ("batch", 4)), "sum", "start")
    layers = [layer("sum", "add", ["total", "x"], ("batch", 4)), layer("y", "add", ["sum", "sum"], ("batch", 4))]
    return document(layers, [tensor("start", START)], states=(state,), **more)


X = np.random.RandomState(3).randint(-8, 8, (6, 3, 4)).astype(np.float32)
"""Six calls of three rows; whole numbers and their sums are exact."""

EXPECTED = 2 * (START + np.cumsum(X, axis=0))


@pytest.fixture
def model():
    return nnpack.loads(packed(running_sum()))


# The runtime


def test_each_call_goes_on_where_the_one_before_ended(model):
    for x, y in zip(X, EXPECTED, strict=True):
        np.testing.assert_array_equal(model.predict(x), y)


def test_calls_and_predictions_share_the_states(model):
    for i, run in enumerate([model, model.predict, lambda x: model.predict(x, outputs="y"), model]):
        np.testing.assert_array_equal(run(X[i]), EXPECTED[i])


def test_parts_of_the_rows_take_their_parts_of_the_states(model):
    for x, y in zip(X, EXPECTED, strict=True):
        np.testing.assert_array_equal(model.predict(x, batch_size=2), y)


def test_reset_begins_again_with_any_number_of_rows(model):
    model.predict(X[0])
    model.reset_states()
    np.testing.assert_array_equal(model.predict(X[0, :2]), EXPECTED[0, :2])


def test_another_number_of_rows_is_refused_and_changes_nothing(model):
    model.predict(X[0])
    with pytest.raises(nnpack.ShapeError, match="3 rows, as in the call before, or reset_states"):
        model.predict(X[1, :2])
    np.testing.assert_array_equal(model.predict(X[1]), EXPECTED[1])


def test_a_call_that_fails_changes_nothing(model):
    model.predict(X[0])
    with pytest.raises(nnpack.ShapeError):
        model.predict(X[1, :, :3])
    with pytest.raises(nnpack.InputError):
        model.predict(X[1], outputs="z")
    np.testing.assert_array_equal(model.predict(X[1]), EXPECTED[1])


def test_what_is_answered_is_no_view_of_a_state(model):
    total = model.predict(X[0], outputs="sum")
    total[:] = 100
    np.testing.assert_array_equal(model.predict(X[1]), EXPECTED[1])


def test_an_empty_call_begins_with_no_rows(model):
    assert model.predict(X[0, :0]).shape == (0, 4)


def test_two_models_of_one_file_have_states_of_their_own(model):
    model.predict(X[0])
    np.testing.assert_array_equal(nnpack.Model(model.document).predict(X[0]), EXPECTED[0])


def test_names_and_summary(model):
    assert model.states == (Value("total", "float32", ("batch", 4)),)
    assert [value.name for value in model.inputs] == ["x"]
    model.summary(lambda line: None)


def test_a_self_test_begins_with_the_initial_states_and_leaves_the_others():
    doc = running_sum()
    tests = [tensor("in", X[0]), tensor("out", EXPECTED[0]), tensor("tol", np.zeros((3, 4), np.float32))]
    tensors = {**doc.tensors, **{item.name: item for item in tests}}
    doc = doc._replace(tensors=tensors, selftest=SelfTest(("in",), ("out",), ("tol",)))
    model = nnpack.loads(packed(doc))
    model.predict(X[0])
    assert model.selftest().rows == 3
    np.testing.assert_array_equal(model.predict(X[1]), EXPECTED[1])
    assert list(doc.without_selftest().tensors) == ["start"]


# The format


def test_the_header():
    _, header, _ = parts(running_sum())
    value = {"name": "total", "dtype": "float32", "shape": ["batch", 4]}
    assert header["states"] == [{"input": value, "output": "sum", "initial": "start"}]
    assert "feature:states" in header["requires"]
    assert list(faults(memoryview(packed(running_sum())))) == []


def test_the_same_bytes_again():
    data = packed(running_sum())
    assert nnpack.dumps(nnpack.loads(data)) == data


def test_smaller_weights_leave_the_initial_states_as_they_are():
    for weights in ("float16", "bfloat16", "int8"):
        assert store(running_sum(), weights).tensors["start"].dtype == "float32"


def parts(doc):
    header, *payload = build(doc)
    return doc.version, header, payload


def refused(change):
    """The code and the place of the fault that a changed header has, for the loader; the validator finds it too."""
    version, header, payload = parts(running_sum())
    header = copy.deepcopy(header)
    change(header)
    data = b"".join(container.write(version, header, *payload))
    with pytest.raises(nnpack.FormatError) as caught:
        nnpack.loads(data)
    assert caught.value.code in {fault.code for fault in faults(memoryview(data))}
    return caught.value.code, caught.value.at


def twice(header):
    """The name of a value that a layer makes."""
    header["states"][0]["input"]["name"] = header["layers"][0]["inputs"][0] = "y"


def states(**keys):
    def change(header):
        header["states"][0].update(keys)

    return change


def total(**keys):
    def change(header):
        header["states"][0]["input"].update(keys)

    return change


def put(key, item):
    def change(header):
        header[key] = item(header[key])

    return change


def without(key):
    def change(header):
        del header["states"][0][key]

    return change


FAULTS = {
    "no-state": (put("states", lambda _: []), "list-length", "/states"),
    "no-list": (put("states", lambda states: states[0]), "wrong-type", "/states"),
    "unknown-key": (states(reset=True), "unknown-key", "/states/0/reset"),
    "no-input": (without("input"), "missing-key", "/states/0"),
    "no-output": (without("output"), "missing-key", "/states/0"),
    "no-initial": (without("initial"), "missing-key", "/states/0"),
    "name-of-an-input": (total(name="x"), "duplicate-value", "/states/0/input/name"),
    "name-of-a-layer": (twice, "duplicate-value", "/layers/1/outputs/0/name"),
    "two-of-one-name": (put("states", lambda states: states * 2), "duplicate-value", "/states/1/input/name"),
    "no-batch": (total(shape=[1, 4]), "batch-axis", "/states/0/input/shape"),
    "batch-twice": (total(shape=["batch", "batch"]), "batch-axis", "/states/0/input/shape"),
    "no-dimension": (total(shape=[]), "batch-axis", "/states/0/input/shape"),
    "no-dtype": (total(dtype="float16"), "dtype-unknown", "/states/0/input/dtype"),
    "output-unknown": (states(output="nothing"), "undefined-output", "/states/0/output"),
    "output-is-an-input": (states(output="x"), "undefined-output", "/states/0/output"),
    "output-is-a-state": (states(output="total"), "undefined-output", "/states/0/output"),
    "initial-unknown": (states(initial="nothing"), "tensor-missing", "/states/0/initial"),
    "requires": (
        put("requires", lambda items: [item for item in items if item != "feature:states"]),
        "requires-incomplete",
        "/requires",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name):
    change, code, at = FAULTS[name]
    assert refused(change) == (code, at)


def beginning(start):
    return running_sum()._replace(tensors={"start": tensor("start", start)})


def of_type(dtype, *shape):
    doc = running_sum()
    return doc._replace(states=(doc.states[0]._replace(input=Value("total", dtype, ("batch", *shape))),))


@pytest.mark.parametrize(
    ("doc", "at"),
    [
        (of_type("float64", 4), "/states/0/output"),
        (of_type("float32", 2, 2), "/states/0/output"),
        (of_type("float32", "n"), "/states/0/output"),
        (beginning(START[:3]), "/states/0/initial"),
        (beginning(START[np.newaxis]), "/states/0/initial"),
        (beginning(START.astype(np.float64)), "/states/0/initial"),
        (beginning(START.astype(np.float16)), "/states/0/initial"),
    ],
    ids=["dtype", "rank", "symbol", "initial-size", "initial-rank", "initial-dtype", "initial-stored-smaller"],
)
def test_what_does_not_match(doc, at):
    with pytest.raises(nnpack.FormatError) as caught:
        nnpack.loads(packed(doc))
    assert (caught.value.code, caught.value.at) == ("state-mismatch", at)


def test_a_layer_that_only_a_state_depends_on_is_alive_and_one_that_none_does_is_not():
    doc = running_sum()
    only_state = doc._replace(layers=(doc.layers[0], layer("y", "identity", ["x"], ("batch", 4))))
    assert nnpack.loads(packed(only_state)).predict(X[0]).shape == (3, 4)
    dead = doc._replace(layers=(*doc.layers, layer("z", "identity", ["total"], ("batch", 4))))
    with pytest.raises(nnpack.FormatError, match="dead-layer"):
        nnpack.loads(packed(dead))


def test_a_state_may_be_an_output_and_states_may_become_one_value():
    doc = running_sum()
    second = State(Value("before", "float32", ("batch", 4)), "sum", "start")
    layers = (*doc.layers[:1], layer("y", "subtract", ["sum", "before"], ("batch", 4)))
    doc = doc._replace(states=(*doc.states, second), layers=layers, outputs=("y", "total", "sum"))
    model = nnpack.loads(packed(doc))
    np.testing.assert_array_equal(model.predict(X[0])[0], X[0])
    y, total_before, after = model.predict(X[1])
    np.testing.assert_array_equal(y, X[1])
    np.testing.assert_array_equal(total_before, START + X[0])
    np.testing.assert_array_equal(after, START + X[0] + X[1])


# Keras's stateful layers

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers  # noqa: E402

from nnpack.exporters.keras import compare  # noqa: E402
from test_export import randomised  # noqa: E402

ROWS, TIME = 4, 7

STATEFUL = {
    "simple-rnn": lambda **given: layers.SimpleRNN(3, **given),
    "lstm": lambda **given: layers.LSTM(3, **given),
    "gru": lambda **given: layers.GRU(3, reset_after=False, **given),
    "cells": lambda **given: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], **given),
    "conv-lstm": lambda **given: layers.ConvLSTM1D(2, 2, **given),
}


def stateful(name, **given):
    """A model that is given a sequence piece by piece, and its sequence."""
    shape = (5, 2) if name.startswith("conv") else (2,)
    x = keras.Input((None, *shape), batch_size=ROWS)
    y = STATEFUL[name](stateful=True, return_sequences=True, **given)(x)
    sequence = np.random.RandomState(5).uniform(-2, 2, (ROWS, TIME, *shape)).astype(np.float32)
    return randomised(keras.Model(x, keras.tree.flatten(y))), sequence


def reset(model):
    """As reset_state of each layer, which in Keras 3.15 fails for cells in a list."""
    for part in model.layers:
        for state in keras.tree.flatten(getattr(part, "states", None) or []):
            state.assign(np.zeros(state.shape))


@pytest.mark.parametrize("name", STATEFUL)
def test_every_split_of_a_sequence_gives_what_the_whole_gives(name):
    by_keras, sequence = stateful(name)
    model = nnpack.loads(nnpack.dumps(by_keras))
    whole = model.predict(sequence)
    reset(by_keras)
    np.testing.assert_allclose(whole, by_keras(sequence), rtol=2e-5, atol=2e-5)
    for at in range(1, TIME):
        model.reset_states()
        pieces = [model.predict(sequence[:, :at]), model.predict(sequence[:, at:])]
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", ["lstm", "cells"])
def test_step_by_step_as_keras_does(name):
    by_keras, sequence = stateful(name, return_state=True)
    model = nnpack.loads(nnpack.dumps(by_keras))
    reset(by_keras)
    for t in range(TIME):
        piece = sequence[:, t : t + 1]
        for ours, theirs in zip(model.predict(piece), by_keras(piece), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


def test_exporting_leaves_keras_its_states():
    by_keras, sequence = stateful("lstm")
    by_keras(sequence)
    lstm = by_keras.layers[-1]
    before = [np.array(state) for state in lstm.states]
    nnpack.dumps(by_keras)
    for was, now in zip(before, lstm.states, strict=True):
        np.testing.assert_array_equal(was, np.array(now))


def test_looking_for_what_diverges_leaves_keras_its_states():
    """Each layer is called again, and more than once where it is a part of another."""
    x = keras.Input((3, 2), batch_size=ROWS)
    y = layers.Bidirectional(layers.LSTM(3, stateful=True, return_sequences=True))(x)
    gru = layers.GRU(2, stateful=True)
    by_keras = randomised(keras.Model(x, layers.Dense(2, name="out")(gru(y))))
    model = nnpack.loads(nnpack.dumps(by_keras))
    by_keras(np.ones((ROWS, 3, 2), np.float32))
    bias, before = by_keras.get_layer("out").bias, np.array(gru.states[0])
    bias.assign(bias.numpy() + 1)
    assert compare(by_keras, model).diverging == "out"
    np.testing.assert_array_equal(np.array(gru.states[0]), before)


def test_masks_and_states():
    x = keras.Input((None, 2), batch_size=ROWS)
    y = layers.LSTM(3, stateful=True, return_sequences=True)(layers.Masking()(x))
    by_keras = randomised(keras.Model(x, layers.GRU(2, stateful=True)(y)))
    model = nnpack.loads(nnpack.dumps(by_keras))
    sequence = np.random.RandomState(5).uniform(-2, 2, (ROWS, TIME, 2)).astype(np.float32)
    sequence[np.random.RandomState(6).rand(ROWS, TIME) < 0.4] = 0
    reset(by_keras)
    for piece in (sequence[:, :3], sequence[:, 3:4], sequence[:, 4:]):
        np.testing.assert_allclose(model.predict(piece), by_keras(piece), rtol=2e-5, atol=2e-5)
    assert len(model.states) == 3


def test_bidirectional_and_unrolled_layers_have_states_too():
    x = keras.Input((3, 2), batch_size=ROWS)
    both = layers.Bidirectional(layers.LSTM(3, stateful=True, return_sequences=True), merge_mode="sum")
    y = layers.SimpleRNN(2, activation="sparsemax", stateful=True)(both(x))
    by_keras = randomised(keras.Model(x, y))
    model = nnpack.loads(nnpack.dumps(by_keras))
    assert len(model.states) == 5
    reset(by_keras)
    for seed in range(3):
        piece = np.random.RandomState(seed).uniform(-2, 2, (ROWS, 3, 2)).astype(np.float32)
        np.testing.assert_allclose(model.predict(piece), by_keras(piece), rtol=2e-5, atol=2e-5)


def test_initial_states_of_the_call_go_before_carried_ones():
    x, h = keras.Input((3, 2), batch_size=ROWS), keras.Input((3,), batch_size=ROWS)
    by_keras = randomised(keras.Model([x, h], layers.GRU(3, stateful=True)(x, initial_state=h)))
    model = nnpack.loads(nnpack.dumps(by_keras))
    given = [np.ones((ROWS, 3, 2), np.float32), np.ones((ROWS, 3), np.float32)]
    first = model.predict(given)
    np.testing.assert_array_equal(model.predict(given), first)
    np.testing.assert_allclose(first, by_keras(given), rtol=2e-5, atol=2e-5)


def test_a_stateful_layer_that_is_called_twice_is_refused():
    x = keras.Input((3, 3), batch_size=ROWS)
    shared = layers.GRU(3, stateful=True, return_sequences=True)
    with pytest.raises(nnpack.UnsupportedModelError, match="stateful=True, and called twice"):
        nnpack.dumps(keras.Model(x, shared(shared(x))))


def test_a_stateful_layer_within_time_distributed_is_refused():
    x = keras.Input((3, 4, 2), batch_size=ROWS)
    with pytest.raises(nnpack.UnsupportedModelError, match="a stateful layer within TimeDistributed"):
        nnpack.dumps(keras.Model(x, layers.TimeDistributed(layers.GRU(3, stateful=True))(x)))
