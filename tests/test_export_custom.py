"""Layers and models of one's own code: what their `call` does is traced, or refused by the line that cannot be."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers, ops  # noqa: E402

import nnpack.exporters.keras  # noqa: E402
from nnpack.engine.accuracy import evaluate  # noqa: E402
from nnpack.engine.reference import worst  # noqa: E402


def randomised(model, seed=0):
    random = np.random.RandomState(seed)
    for variable in model.variables:
        if "seed" not in variable.path and variable.dtype.startswith("float"):
            numbers = random.uniform(-0.9, 0.9, variable.shape)
            variable.assign(np.abs(numbers) + 0.3 if "variance" in variable.path else numbers)
    return model


def rows(*shape, n=7, seed=1):
    return np.random.RandomState(seed).uniform(-3, 3, (n, *shape)).astype(np.float32)


def agree(model, x, **arguments):
    """Keras's answer is within the derived tolerance of the file's reference, and nnpack's is too."""
    loaded = nnpack.loads(nnpack.dumps(model, **arguments))
    theirs = model.predict(x, verbose=0)
    flat = keras.tree.flatten(x)
    ours = loaded.predict(flat if len(flat) > 1 else flat[0])
    evaluation = evaluate(loaded.document, loaded.fitted(flat if len(flat) > 1 else flat[0]))
    pairs = zip(loaded.document.outputs, keras.tree.flatten(theirs), keras.tree.flatten(ours), strict=True)
    for name, by_keras, by_nnpack in pairs:
        assert by_nnpack.dtype == by_keras.dtype
        assert by_nnpack.shape == by_keras.shape
        assert worst(by_keras, evaluation.outputs[name])[0] <= 1
        assert worst(by_nnpack, evaluation.outputs[name])[0] <= 1
    return loaded


def built(model, *inputs):
    model(*inputs)
    return randomised(model)


def problems(model, **arguments):
    with pytest.raises(nnpack.UnsupportedModelError) as caught:
        nnpack.dumps(model, **arguments)
    return caught.value.problems


# Custom layers


class Scaled(layers.Layer):
    """A weight of its own."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), name="factor")

    def call(self, x):
        return x * self.factor


class Block(layers.Layer):
    """Layers in a list and in a dict, `training`, a residual connection."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.steps = [layers.Dense(units, activation="tanh"), layers.Dropout(0.5), Scaled()]
        self.named = {"norm": layers.LayerNormalization(), "out": layers.Dense(units)}

    def call(self, x, training=None):
        y = x
        for step in self.steps:
            y = step(y)
        if training:
            y = y + 1000.0
        return x + self.named["out"](self.named["norm"](y), training=training)


class Several(layers.Layer):
    """Two inputs, and a dict of outputs."""

    def call(self, x, y, scale=2.0):
        return {"sum": x + y * scale, "both": (ops.maximum(x, y), x - y)}


class Operators(layers.Layer):
    """Python's operators with variables and arrays of numpy on their left."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1],), name="w")

    def call(self, x):
        y = self.w * x - self.w / (x * x + 2.0) + np.float32(0.5) * x
        y = y + np.arange(4, dtype="float32") * x + (1.5 - self.w) * x
        return ops.where(x == 0, y, ops.where(self.w > x, 2.0 * y, y)) + ops.cast(x != 1, "float32")


class Penalised(layers.Layer):
    def call(self, x):
        self.add_loss(ops.mean(ops.square(x)))
        return ops.relu(x)


class Positional(layers.Layer):
    """Positions made with ops.shape and ops.arange."""

    def build(self, shape):
        self.table = self.add_weight(shape=(16, shape[-1]), name="table")

    def call(self, x):
        return x + ops.take(self.table, ops.arange(ops.shape(x)[1]), axis=0)


class Masked(layers.Layer):
    """Takes a mask and answers with a mask."""

    supports_masking = True

    def call(self, x, mask=None):
        if mask is None:
            return x
        return x * ops.expand_dims(ops.cast(mask, x.dtype), -1)

    def compute_mask(self, inputs, mask=None):
        return mask


CUSTOM = {
    "scaled": ((4,), lambda x: Scaled()(x)),
    "block": ((3, 4), lambda x: Block(4)(Block(4)(x))),
    "penalised": ((4,), lambda x: Penalised()(x)),
    "positional": ((5, 4), lambda x: Positional()(x)),
    "masked": ((5, 4), lambda x: layers.LSTM(3)(Masked()(layers.Masking()(x)))),
    "lambda": ((4,), lambda x: layers.Lambda(lambda t: ops.sin(t) * 2.0)(x)),
    "lambda-arguments": ((4,), lambda x: layers.Lambda(lambda t, k: t**k, arguments={"k": 2})(x)),
    "lambda-indexing": ((3, 4), lambda x: layers.Lambda(lambda t: t[:, -1, ::2])(x)),
    "operators": ((4,), lambda x: Operators()(x)),
    "activation": ((4,), lambda x: layers.Dense(3, activation=lambda t: t * ops.sigmoid(1.7 * t))(x)),
    "activation-layer": ((4,), lambda x: layers.Activation(Scaled())(x)),
}


@pytest.mark.parametrize("name", CUSTOM)
def test_custom_layer(name):
    shape, apply = CUSTOM[name]
    x = keras.Input(shape)
    agree(randomised(keras.Model(x, layers.Dense(2)(apply(x)))), rows(*shape))


def test_several_inputs_and_a_dict_of_outputs():
    a, b = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([a, b], Several()(a, b, scale=0.5))
    agree(model, [rows(4), rows(4, seed=2)])


def test_a_shared_custom_layer_is_in_the_file_once():
    a, b = keras.Input((4,)), keras.Input((4,))
    block = Block(4)
    loaded = agree(randomised(keras.Model([a, b], block(a) - block(b))), [rows(4), rows(4, seed=2)])
    assert len(loaded.weights) == 2 + 1 + 2 + 2  # Dense, factor, LayerNormalization, Dense


def test_a_subclass_of_a_layer_of_keras():
    class Shifted(layers.Dense):
        def call(self, inputs, training=None):
            return super().call(inputs) + 1

    class Configured(layers.Dense):
        """Only other defaults: the same code."""

        def __init__(self, units=3, **kwargs):
            super().__init__(units, activation="tanh", **kwargs)

    class Standardised(layers.Conv1D):
        def call(self, inputs):
            kernel = self.kernel - ops.mean(self.kernel, axis=0, keepdims=True)
            return ops.conv(inputs, kernel, strides=1, padding="valid")

    x = keras.Input((4,))
    loaded = agree(randomised(keras.Model(x, Configured()(Shifted(5)(x)))), rows(4))
    assert {"Shifted", "Configured"} <= {layer.made_from.class_name for layer in loaded.layers} | {"Shifted"}
    signal = keras.Input((9, 3))
    agree(randomised(keras.Model(signal, Standardised(4, 3)(signal))), rows(9, 3))


def test_names_tell_where_a_layer_was():
    x = keras.Input((4,), name="x")
    model = randomised(keras.Model(x, Block(4, name="block")(x)))
    loaded = nnpack.loads(nnpack.dumps(model))
    assert all(layer.name.startswith("block") for layer in loaded.layers)
    assert nnpack.dumps(model) == nnpack.dumps(model)


# Subclassed models


class Classifier(keras.Model):
    def __init__(self):
        super().__init__(name="classifier")
        self.block = Block(4, name="block")
        self.head = keras.Sequential([layers.Dense(5, activation="relu"), layers.Dense(2)], name="head")

    def call(self, x, training=False):
        y = self.block(x, training=training)
        return self.head(y)


def test_a_subclassed_model():
    agree(built(Classifier(), rows(4)), rows(4))


def test_a_subclassed_model_of_a_default_of_training():
    class Trained(keras.Model):
        def __init__(self):
            super().__init__()
            self.dropout, self.dense = layers.Dropout(0.5), layers.Dense(2)

        def call(self, x, training=True):
            return self.dense(self.dropout(x, training=training)) + (1.0 if training else 0.0)

    agree(built(Trained(), rows(4)), rows(4))


def test_a_subclassed_model_that_returns_a_dict():
    class Heads(keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(2), layers.Dense(3)

        def call(self, inputs):
            y = ops.concatenate([inputs["left"], inputs["right"]], axis=-1)
            return {"a": self.a(y), "rest": (self.b(y), y)}

    x = {"left": rows(4), "right": rows(3)}
    model = built(Heads(), x)
    loaded = nnpack.loads(nnpack.dumps(model))
    assert {value.name for value in loaded.inputs} == {"left", "right"}
    theirs, ours = model.predict(x, verbose=0), loaded.predict(x)
    assert set(ours) == {"a", "rest"}
    np.testing.assert_allclose(ours["rest"][0], theirs["rest"][0], rtol=1e-5, atol=1e-5)


def test_a_subclassed_model_of_several_arguments():
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x, y):
            return self.dense(x) * y

    model = built(Two(), rows(4), rows(1))
    (problem,) = problems(model)
    assert problem.expected.endswith("each of x, y")
    inputs = [keras.Input((4,), name="x"), keras.Input((1,), name="y")]
    loaded = nnpack.loads(nnpack.dumps(model, inputs=inputs))
    assert nnpack.dumps(model, inputs=inputs) == nnpack.dumps(model, inputs=tuple(inputs))
    theirs = np.asarray(model(rows(4), rows(1)))
    np.testing.assert_allclose(loaded.predict([rows(4), rows(1)]), theirs, rtol=1e-5, atol=1e-5)


def test_a_functional_model_whose_call_is_overridden():
    class Doubled(keras.Model):
        def call(self, inputs, training=None, mask=None):
            return 2 * super().call(inputs, training=training, mask=mask)

    x = keras.Input((4,))
    agree(randomised(Doubled(x, layers.Dense(2)(x))), rows(4))


def test_nested_models_of_every_kind():
    sequential = keras.Sequential([keras.Input((4,)), layers.Dense(4), Scaled()], name="sequential")
    x = keras.Input((4,))
    functional = keras.Model(x, [sequential(x), Scaled()(x)], name="functional")
    subclassed = Classifier()
    y = keras.Input((4,))
    a, b = functional(y)
    model = randomised(keras.Model(y, [subclassed(a + b), sequential(b)]))
    agree(model, rows(4))

    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = model

        def call(self, x):
            first, second = self.inner(x)
            return ops.concatenate([first, second], axis=-1)

    agree(built(Outer(), rows(4)), rows(4))


def test_models_that_are_saved_and_loaded(tmp_path):
    @keras.saving.register_keras_serializable(package="nnpack_tests")
    class Registered(layers.Layer):
        def __init__(self, power, **kwargs):
            super().__init__(**kwargs)
            self.power = power
            self.dense = layers.Dense(3)

        def build(self, shape):
            self.dense.build(shape)

        def call(self, x):
            return self.dense(x) ** self.power

        def get_config(self):
            return {**super().get_config(), "power": self.power}

    @keras.saving.register_keras_serializable(package="nnpack_tests")
    class Whole(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.first, self.last = Registered(2), layers.Dense(2)

        def call(self, x):
            return self.last(self.first(x))

    x = keras.Input((4,))
    for model in (randomised(keras.Model(x, Registered(3)(x))), built(Whole(), rows(4))):
        model.save(tmp_path / "m.keras")
        again = keras.saving.load_model(tmp_path / "m.keras")
        agree(again, rows(4))
        assert nnpack.dumps(again) == nnpack.dumps(model)


def test_inputs_that_are_given():
    class Any(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.dense = layers.Embedding(10, 4), layers.Dense(2)

        def call(self, tokens):
            return self.dense(ops.mean(self.embedding(tokens), axis=1))

    tokens = np.array([[1, 2, 9], [0, 0, 3]], np.int32)
    model = built(Any(), tokens)
    loaded = agree(model, tokens, inputs=keras.Input((None,), dtype="int32", name="tokens"))
    assert loaded.inputs[0] == ("tokens", "int32", ("batch", "tokens.1"))
    assert loaded.predict(np.array([[1, 2, 3, 4, 5]], np.int32)).shape == (1, 2)


def test_inputs_that_do_not_fit():
    model = built(Classifier(), rows(4))
    (problem,) = problems(model, inputs=keras.Input((5,)))
    assert "expected axis -1 of input shape to have value 4" in problem.received
    for inputs in ((4,), "x", [keras.InputSpec(ndim=2)]):
        with pytest.raises(nnpack.ModelError, match="input-shape at inputs"):
            nnpack.dumps(model, inputs=inputs)


def test_a_functional_model_for_inputs_of_known_size():
    x = keras.Input((None, 4))
    model = keras.Model(x, layers.Lambda(lambda t: t * ops.arange(ops.shape(t)[1], dtype="float32")[:, None])(x))
    (problem,) = problems(model)
    assert "inputs of known size" in problem.expected
    loaded = agree(model, rows(6, 4), inputs=keras.Input((6, 4), name="x"))
    assert loaded.inputs[0].shape == ("batch", 6, 4)


def test_inputs_that_can_only_be_integers():
    class Tokens(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.dense = layers.Embedding(10, 4), layers.Dense(2)

        def call(self, inputs):
            y = self.dense(inputs["features"])
            tokens = inputs["tokens"]
            weight = ops.one_hot(tokens, 7)
            return y + ops.mean(self.embedding(tokens), axis=(1, 2))[:, None] + ops.sum(weight, axis=(1, 2))[:, None]

    x = {"features": rows(3), "tokens": np.random.RandomState(0).randint(0, 10, (7, 5)).astype(np.int32)}
    model = built(Tokens(), x)
    loaded = nnpack.loads(nnpack.dumps(model))
    assert {value.name: value.dtype for value in loaded.inputs} == {"features": "float32", "tokens": "int32"}
    np.testing.assert_allclose(loaded.predict(x), model.predict(x, verbose=0), rtol=1e-5, atol=1e-5)

    class Words(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(10, 4)

        def call(self, words):
            return ops.max(self.embedding(words), axis=1)

    loaded = agree(built(Words(), x["tokens"]), x["tokens"])
    assert loaded.inputs[0].dtype == "int32"


# The number of rows


class Batched(layers.Layer):
    """Constants made for as many rows as there are."""

    def build(self, shape):
        self.token = self.add_weight(shape=(1, 1, shape[-1]), name="token")

    def call(self, x):
        n = ops.shape(x)[0]
        token = ops.broadcast_to(self.token, (n, 1, ops.shape(x)[2]))
        return ops.concatenate([token, x], axis=1)


BATCHED = {
    "class-token": lambda x: Batched()(x),
    "reshape": lambda x: layers.Lambda(lambda t: ops.reshape(t, (ops.shape(t)[0], -1)))(x),
    "reshape-heads": lambda x: layers.Lambda(lambda t: ops.reshape(t, (ops.shape(t)[0], ops.shape(t)[1], 2, 2)))(x),
    "zeros": lambda x: layers.Lambda(lambda t: ops.concatenate([ops.zeros((ops.shape(t)[0], 1, 4)), t], axis=1))(x),
    "ones-like": lambda x: layers.Lambda(lambda t: t + ops.ones_like(t))(x),
    "tile": lambda x: layers.Lambda(
        lambda t: t * ops.tile(ops.reshape(ops.arange(20, dtype="float32"), (1, 5, 4)), (ops.shape(t)[0], 1, 1))
    )(x),
    "full": lambda x: layers.Lambda(lambda t: t - ops.full((ops.shape(t)[0], 5, 1), 0.25))(x),
}


@pytest.mark.parametrize("name", BATCHED)
def test_the_number_of_rows(name):
    x = keras.Input((5, 4))
    loaded = agree(randomised(keras.Model(x, BATCHED[name](x))), rows(5, 4))
    assert loaded.predict(rows(5, 4, n=3)).shape[0] == 3


# Refusals


def test_tensorflow_in_a_call():
    tf = pytest.importorskip("tensorflow")

    class Raw(layers.Layer):
        def call(self, x):
            y = ops.relu(x)
            return tf.math.cumsum(y, axis=1)  # leaves Keras

    x = keras.Input((4,))
    (problem,) = problems(keras.Model(x, Raw(name="raw")(x)))
    assert problem.at == "layer 'raw' (Raw)"
    assert "test_export_custom.py" in problem.received
    assert "tf.math.cumsum(y, axis=1)" in problem.received
    assert "keras.ops" in problem.expected


def test_control_flow_that_depends_on_data():
    class Branching(layers.Layer):
        def call(self, x):
            if ops.sum(x) > 0:
                return x
            return -x

        def compute_output_shape(self, shape):
            return shape

    x = keras.Input((4,))
    (problem,) = problems(keras.Model(x, Branching(name="branching")(x)))
    assert "if ops.sum(x) > 0:" in problem.received


def test_branches():
    class Chosen(layers.Layer):
        def call(self, x):
            return ops.cond(ops.max(x) > 0, lambda: x, lambda: -x)

    x = keras.Input((4,))
    (problem,) = problems(keras.Model(x, Chosen(name="chosen")(x)))
    assert "chosen by numbers" in problem.received


def test_numbers_that_depend_on_the_number_of_rows():
    x = keras.Input((4,))
    for function, reason in (
        (lambda t: t / ops.cast(ops.shape(t)[0], "float32"), "depend on the number of rows"),
        (lambda t: t + ops.cast(ops.arange(ops.shape(t)[0]), "float32")[:, None], "differ from row to row"),
        (lambda t: t - ops.mean(t, axis=0), "batch"),
    ):
        (problem,) = problems(keras.Model(x, layers.Lambda(function)(x)))
        assert reason in problem.received


def test_outputs_that_are_not_of_the_batch():
    x = keras.Input((3, 4))
    (problem,) = problems(keras.Model(x, layers.Lambda(lambda t: ops.reshape(t, (-1, 4)), name="merged")(x)))
    assert (problem.code, problem.at) == ("layer-unsupported", "output 'merged'")


def test_a_layer_that_counts_its_calls():
    class Counting(layers.Layer):
        def build(self, shape):
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.calls.assign_add(1.0)
            return x + self.calls

    x = keras.Input((4,))
    (problem,) = problems(keras.Model(x, Counting(name="counting")(x)))
    assert problem.at == "layer 'counting' (Counting)"
    assert "counting/variable" in problem.received


def test_random_numbers():
    class Noisy(layers.Layer):
        def __init__(self):
            super().__init__()
            self.generator = keras.random.SeedGenerator(0)

        def call(self, x):
            return x + keras.random.normal(ops.shape(x)[1:], seed=self.generator)

    x = keras.Input((4,))
    (problem,) = problems(keras.Model(x, Noisy()(x)))
    assert problem.received == "random numbers in the call"


def test_everything_that_is_wrong_in_one_error():
    tf = pytest.importorskip("tensorflow")
    x = keras.Input((8, 8, 3))
    y = layers.Lambda(lambda t: tf.nn.relu(t), name="raw")(x)
    y = layers.RandomFlip(name="kept")(y)
    y = layers.Dense(2, dtype="mixed_float16", name="half")(y)
    z = layers.Hashing(5, name="hashing")(keras.Input((1,), dtype="int32", name="word"))
    model = keras.Model([x, z._keras_history.operation._inbound_nodes[0].input_tensors[0]], [y, z])
    found = problems(model)
    assert {problem.at for problem in found} == {
        "layer 'raw' (Lambda)",
        "layer 'half' (Dense)",
        "layer 'hashing' (Hashing)",
    }
    assert all(problem.expected and problem.received for problem in found)


def test_a_refusal_ends_in_the_line_of_the_user_not_of_a_library():
    class Careful(layers.Layer):
        def call(self, x):
            inspect.signature(self.one).bind(x, x)
            return x

        def one(self, x):
            return x

        def compute_output_shape(self, shape):
            return shape

    x = keras.Input((4,))
    (found,) = problems(keras.Model(x, Careful()(x)))
    assert found.received.endswith("inspect.signature(self.one).bind(x, x))")


# Variables


class Again(layers.Layer):
    """Adds to what a layer of Keras makes what keras.ops make of the same weights."""

    def __init__(self, inner, again, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.again = inner, again

    def call(self, x):
        return self.inner(x) + self.again(self.inner, x)


TWICE = {
    "dense": (lambda: layers.Dense(4, use_bias=False), lambda d, x: ops.matmul(x, d.kernel), (4,)),
    "einsum-dense": (lambda: layers.EinsumDense("ab,bc->ac", 4), lambda d, x: ops.matmul(x, d.kernel), (4,)),
    "embedding": (lambda: layers.Embedding(9, 4), lambda e, x: ops.take(e.embeddings, x, axis=0), None),
    "conv": (
        lambda: layers.Conv1D(4, 3, padding="same", use_bias=False),
        lambda c, x: ops.conv(x, c.kernel, padding="same"),
        (5, 4),
    ),
    "batch-normalization": (
        lambda: layers.BatchNormalization(),
        lambda b, x: ops.batch_normalization(x, b.moving_mean, b.moving_variance, -1, b.beta, b.gamma, b.epsilon),
        (4,),
    ),
    "layer-normalization": (
        lambda: layers.LayerNormalization(),
        lambda n, x: ops.layer_normalization(x, n.gamma, n.beta, axis=-1, epsilon=n.epsilon),
        (4,),
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_variable_is_stored_once_whatever_reads_it(name):
    inner, again, shape = TWICE[name]
    x = keras.Input(shape) if shape else keras.Input((4,), dtype="int32")
    given = rows(*shape) if shape else np.arange(28, dtype=np.int32).reshape(7, 4) % 9
    model = randomised(keras.Model(x, Again(inner(), again)(x)))
    document = agree(model, given).document
    weights = {weight for layer in document.layers for weight in layer.weights.values()}
    assert len(weights) == len(model.variables)


# Handlers of one's own


def test_a_handler_for_a_layer_that_cannot_be_traced():
    tf = pytest.importorskip("tensorflow")

    class Clipped(layers.Layer):
        def __init__(self, limit, **kwargs):
            super().__init__(**kwargs)
            self.limit = limit

        def call(self, x):
            return tf.clip_by_value(x, -self.limit, self.limit)

        def compute_output_shape(self, shape):
            return shape

    x = keras.Input((4,))
    model = randomised(keras.Model(x, Clipped(0.8, name="clipped")(layers.Dense(3)(x))))
    assert "register" in problems(model)[0].expected

    @nnpack.exporters.keras.register(Clipped)
    def clipped(call):
        limit = call.constant(call.operation.limit, "float32", "limit")
        upper = call.emit("minimum", [call.inputs[0], limit])
        return call.emit("maximum", [upper, call.emit("negative", [limit])])

    loaded = agree(model, rows(4))
    assert [layer.op for layer in loaded.layers][-1] == "maximum@1"
    assert loaded.layers[-1].name == "clipped"
