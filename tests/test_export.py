"""Keras models of every kind that a perceptron is made of: the file predicts what Keras predicts, or dump refuses."""

from __future__ import annotations

import inspect
import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers, ops  # noqa: E402

import nnpack  # noqa: E402
from nnpack.engine.accuracy import evaluate  # noqa: E402
from nnpack.engine.reference import worst  # noqa: E402
from nnpack.exporters.keras import compare  # noqa: E402


def randomised(model, seed=0):
    """The model with weights that no initialiser leaves: all different, none 0 or 1, variances positive."""
    random = np.random.RandomState(seed)
    for variable in model.variables:
        if "seed" in variable.path or not variable.dtype.startswith("float"):
            continue
        numbers = random.uniform(-0.9, 0.9, variable.shape)
        if "variance" in variable.path:
            numbers = np.abs(numbers) + 0.3
        variable.assign(numbers)
    return model


def packed(model):
    return nnpack.loads(nnpack.dumps(model))


def rows(shape, n=7, seed=1):
    return np.random.RandomState(seed).uniform(-3, 3, (n, *shape)).astype(np.float32)


def agree(model, x):
    """Keras's own prediction is within the derived tolerance of the file's reference, and nnpack's is too."""
    loaded = packed(model)
    given = keras.tree.map_structure(np.asarray, x)
    theirs = model.predict(given, verbose=0)
    ours = loaded.predict(x)
    keras.tree.assert_same_structure(theirs, ours)
    evaluation = evaluate(loaded.document, loaded.fitted(x))
    flat = zip(loaded.document.outputs, keras.tree.flatten(theirs), keras.tree.flatten(ours), strict=True)
    for name, by_keras, by_nnpack in flat:
        assert by_nnpack.dtype == by_keras.dtype
        assert by_nnpack.shape == by_keras.shape
        assert worst(by_keras, evaluation.outputs[name])[0] <= 1
        assert worst(by_nnpack, evaluation.outputs[name])[0] <= 1
    return loaded


ACTIVATIONS = sorted(
    name
    for name, function in inspect.getmembers(keras.activations, callable)
    if name not in ("deserialize", "get", "serialize")
)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "threshold"])
@pytest.mark.parametrize("where", ["dense", "activation"])
def test_activation(name, where):
    # last, because Keras forgets that glu halves its axis
    last = layers.Dense(6, activation=name) if where == "dense" else layers.Activation(name)
    agree(randomised(keras.Sequential([keras.Input((4,)), layers.Dense(6), last])), rows((4,)) * 3)


FUNCTIONS = {
    "celu-alpha": lambda x: keras.activations.celu(x, alpha=0.4),
    "elu-alpha": lambda x: keras.activations.elu(x, alpha=1.7),
    "elu-negative": lambda x: keras.activations.elu(x, alpha=-0.6),
    "gelu-approximate": lambda x: keras.activations.gelu(x, approximate=True),
    "glu-axis": lambda x: keras.activations.glu(x, axis=1),
    "hard-shrink": lambda x: keras.activations.hard_shrink(x, threshold=1.5),
    "leaky-relu": lambda x: keras.activations.leaky_relu(x, negative_slope=0.35),
    "log-softmax": lambda x: keras.activations.log_softmax(x, axis=1),
    "relu-clipped": lambda x: keras.activations.relu(x, max_value=2.0),
    "relu-all": lambda x: keras.activations.relu(x, negative_slope=0.2, max_value=1.5, threshold=0.5),
    "relu-threshold": lambda x: keras.activations.relu(x, threshold=0.7),
    "relu-slope-threshold": lambda x: keras.activations.relu(x, negative_slope=0.3, threshold=-0.7),
    "relu-6": lambda x: keras.activations.relu(x, max_value=6),
    "relu-6-slope": lambda x: keras.activations.relu(x, negative_slope=0.1, max_value=6),
    "soft-shrink": lambda x: keras.activations.soft_shrink(x, threshold=0.9),
    "softmax-axis": lambda x: keras.activations.softmax(x, axis=1),
    "squareplus-b": lambda x: keras.activations.squareplus(x, b=0.3),
    "threshold": lambda x: keras.activations.threshold(x, 0.4, -2.5),
    "ops-silu": ops.silu,
    "composed": lambda x: ops.tanh(x) * 0.5 + 1.0 / (2.0 + ops.sigmoid(x)),
    "minimum-maximum": lambda x: ops.maximum(ops.minimum(x, 1.5), -0.5),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_activation_function_of_keras_operations(name):
    function = FUNCTIONS[name]
    inside = keras.Sequential([keras.Input((4, 6)), layers.Dense(6, activation=function)])
    agree(randomised(inside), rows((4, 6)))
    x = keras.Input((4, 6))
    outside = keras.Model(x, layers.Dense(2)(function(layers.Dense(6)(x))))
    agree(randomised(outside), rows((4, 6)))


LAYERS = {
    "dense": ((5,), lambda: layers.Dense(3)),
    "dense-no-bias": ((5,), lambda: layers.Dense(3, use_bias=False)),
    "dense-rank-3": ((2, 5), lambda: layers.Dense(3, activation="tanh")),
    "dense-rank-4": ((2, 4, 5), lambda: layers.Dense(3)),
    "dense-layer-as-activation": ((5,), lambda: layers.Dense(3, activation=layers.LeakyReLU(negative_slope=0.15))),
    "relu": ((5,), lambda: layers.ReLU()),
    "relu-all": ((5,), lambda: layers.ReLU(max_value=2.5, negative_slope=0.3, threshold=0.5)),
    "relu-threshold": ((5,), lambda: layers.ReLU(threshold=0.5)),
    "relu-6": ((5,), lambda: layers.ReLU(max_value=6)),
    "leaky-relu": ((5,), lambda: layers.LeakyReLU()),
    "elu": ((5,), lambda: layers.ELU(alpha=0.7)),
    "prelu": ((3, 5), lambda: layers.PReLU()),
    "prelu-shared": ((3, 5), lambda: layers.PReLU(shared_axes=[1])),
    "softmax": ((3, 5), lambda: layers.Softmax()),
    "softmax-axes": ((3, 5), lambda: layers.Softmax(axis=(1, 2))),
    "flatten": ((2, 3, 4), lambda: layers.Flatten()),
    "flatten-scalar": ((), lambda: layers.Flatten()),
    "reshape": ((12,), lambda: layers.Reshape((3, 4))),
    "reshape-inferred": ((12,), lambda: layers.Reshape((2, -1, 3))),
    "batch-normalization": ((5,), lambda: layers.BatchNormalization()),
    "batch-normalization-axis": ((3, 5, 2), lambda: layers.BatchNormalization(axis=1, epsilon=0.02)),
    "batch-normalization-plain": ((5,), lambda: layers.BatchNormalization(center=False, scale=False)),
    "batch-normalization-center": ((5,), lambda: layers.BatchNormalization(scale=False)),
    "batch-normalization-scale": ((5,), lambda: layers.BatchNormalization(center=False)),
    "rescaling": ((3, 2), lambda: layers.Rescaling(1 / 127.5, offset=-1)),
    "rescaling-vector": ((3, 2), lambda: layers.Rescaling([0.1, 3.0], offset=[0.0, -2.0])),
    "normalization": ((3,), lambda: layers.Normalization(mean=[0.3, -1.0, 2.0], variance=[0.5, 4.0, 0.0])),
    "normalization-scalar": ((3,), lambda: layers.Normalization(mean=0.3, variance=2.0)),
    "normalization-invert": ((3,), lambda: layers.Normalization(mean=[1.0, 2, 3], variance=[4.0, 5, 6], invert=True)),
    "normalization-none": ((2, 3), lambda: layers.Normalization(axis=None, mean=1.0, variance=3.0)),
    "dropout": ((5,), lambda: layers.Dropout(0.5)),
    "gaussian-noise": ((5,), lambda: layers.GaussianNoise(0.5)),
    "gaussian-dropout": ((5,), lambda: layers.GaussianDropout(0.5)),
    "alpha-dropout": ((5,), lambda: layers.AlphaDropout(0.5)),
    "spatial-dropout": ((3, 5), lambda: layers.SpatialDropout1D(0.5)),
    "activity-regularization": ((5,), lambda: layers.ActivityRegularization(0.1)),
    "identity": ((5,), lambda: layers.Identity()),
    "linear": ((5,), lambda: layers.Activation("linear")),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name):
    shape, make = LAYERS[name]
    x = keras.Input(shape)
    model = randomised(keras.Model(x, make()(x)))
    agree(model, rows(shape))


MERGES = {
    "add": layers.Add,
    "average": layers.Average,
    "maximum": layers.Maximum,
    "minimum": layers.Minimum,
    "multiply": layers.Multiply,
    "concatenate": layers.Concatenate,
}


@pytest.mark.parametrize("name", MERGES)
def test_merging_three(name):
    inputs = [keras.Input((4,), name=n) for n in "abc"]
    model = keras.Model(inputs, MERGES[name]()(inputs))
    agree(model, [rows((4,), seed=i) for i in range(3)])


def test_subtract():
    inputs = [keras.Input((4,)), keras.Input((4,))]
    agree(keras.Model(inputs, layers.Subtract()(inputs)), [rows((4,)), rows((4,), seed=2)])


def test_merging_broadcasts_and_expands_ranks_as_keras_does():
    inputs = [keras.Input((3, 4)), keras.Input((4,)), keras.Input((1, 4))]
    agree(keras.Model(inputs, layers.Add()(inputs)), [rows((3, 4)), rows((4,)), rows((1, 4))])


def test_concatenate_along_an_inner_axis():
    inputs = [keras.Input((2, 4)), keras.Input((3, 4))]
    agree(keras.Model(inputs, layers.Concatenate(axis=1)(inputs)), [rows((2, 4)), rows((3, 4))])


def test_operators_on_symbolic_tensors():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    y = (a + b) * 2.0 - b / (a * a + 3.0)
    y = ops.concatenate([y, 1.0 - b], axis=-1)
    y = ops.reshape(ops.maximum(y, b[:, :1] if False else -0.25), (-1, 2, 4))
    y = y + np.arange(4, dtype="float32")
    agree(keras.Model([a, b], y), [rows((4,)), rows((4,), seed=3)])


def nested():
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(5, activation="elu"), layers.Dropout(0.2)], name="inner")
    x = keras.Input((5,))
    middle = keras.Model(x, [inner(x), layers.Dense(3, name="tail")(inner(x))], name="middle")
    y = keras.Input((5,), name="y")
    first, second = middle(layers.BatchNormalization()(y))
    third, _ = middle(first)
    return keras.Model(y, layers.Concatenate()([second, third, inner(y)]))


def test_nested_models_and_shared_layers():
    model = randomised(nested())
    loaded = agree(model, rows((5,)))
    assert len(loaded.weights) == 2 + 2 + 4  # inner's Dense, tail, batch normalization: each once in the file
    assert "middle/inner/dense" in " ".join(layer.name for layer in loaded.layers)


def test_structures_of_inputs_and_outputs():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    p = layers.Dense(2, activation="softmax", name="p")(layers.Concatenate()([a, b]))
    q = layers.Dropout(0.5, name="q")(layers.Dense(3)(b))
    x = {"a": rows((4,)), "b": rows((3,))}
    agree(randomised(keras.Model({"a": a, "b": b}, {"z": p, "q": [q, p]})), x)
    agree(randomised(keras.Model([a, b], [p, q])), [x["a"], x["b"]])
    agree(randomised(keras.Model([a, b], [[p], {"k": q}])), [x["a"], x["b"]])
    agree(randomised(keras.Model(b, [[q]])), x["b"])
    with pytest.raises(nnpack.ModelError, match="keys are strings"):
        nnpack.dumps(keras.Model(b, {1: q}))
    one = agree(randomised(keras.Model([b], [q])), x["b"])
    assert one.document.outputs == ("q",)  # the name of the layer that vanished


def test_an_input_may_be_an_output_and_is_not_shared_with_the_caller():
    a = keras.Input((4,), name="a")
    loaded = agree(keras.Model(a, [a, layers.Reshape((2, 2))(a)]), rows((4,)))
    x = rows((4,))
    for y in loaded.predict(x):
        assert not np.shares_memory(x, y)


def test_integer_and_boolean_inputs():
    image = keras.Input((3, 2), dtype="uint8")
    flag = keras.Input((6,), dtype="bool")
    y = layers.Concatenate()([layers.Flatten()(layers.Rescaling(1 / 255)(image)), layers.Dense(2)(flag)])
    x = [np.arange(42, dtype=np.uint8).reshape(7, 3, 2) * 6, rows((6,)) > 0]
    agree(randomised(keras.Model([image, flag], y)), x)


def test_unknown_dimensions():
    a, b = keras.Input((None, 4), name="a"), keras.Input((None, 4), name="b")
    y = layers.Dense(3, activation="softmax")(layers.Add()([a, b]))
    loaded = agree(randomised(keras.Model([a, b], y)), [rows((5, 4)), rows((5, 4))])
    with pytest.raises(nnpack.ShapeError, match="shape"):
        loaded.predict([rows((5, 4)), rows((6, 4))])
    long = keras.Model([a, b], layers.Concatenate(axis=1)([a, layers.Dense(4)(b)]))
    agree(randomised(long), [rows((5, 4)), rows((2, 4))])


def test_double_precision():
    x = keras.Input((4,), dtype="float64")
    model = keras.Model(x, layers.Dense(3, activation="tanh", dtype="float64")(x))
    loaded = agree(randomised(model), rows((4,)).astype(np.float64))
    assert loaded.outputs[0].dtype == "float64"
    mixed = keras.Model(x, layers.Dense(3, dtype="float32")(layers.Dense(2, dtype="float64")(x)))
    agree(randomised(mixed), rows((4,)).astype(np.float64))


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), None], ids=str)
def test_adapted_normalization(axis):
    data = rows((3, 4), n=100) * [1, 10, 100, 1] + [0, 5, -7, 1]
    layer = layers.Normalization(axis=axis)
    layer.adapt(data)
    agree(keras.Sequential([keras.Input((3, 4)), layer, layers.Dense(2)]), data[:9].astype(np.float32))


def test_a_model_built_by_its_first_call():
    model = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    model(np.zeros((5, 4), np.float32))
    assert packed(randomised(model)).predict(rows((4,), n=3)).shape == (3, 2)


def test_saved_and_loaded_by_keras(tmp_path):
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(5, activation="elu")], name="inner")
    x = keras.Input((5,))
    model = randomised(keras.Model(x, 2.0 * inner(layers.BatchNormalization()(inner(x))) + 1.0))
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert nnpack.dumps(again) == nnpack.dumps(model)


# Refusals


def problems(model):
    with pytest.raises(nnpack.UnsupportedModelError) as caught:
        nnpack.dumps(model)
    return caught.value.problems


def test_all_problems_in_one_error():
    x = keras.Input((8,))
    y = layers.Lambda(lambda t: np.sqrt(t), name="lambda", output_shape=(8,))(x)
    y = layers.Dense(4, dtype="mixed_float16", name="half")(y)
    y = layers.Dropout(0.5, name="dropout")(y, training=True)
    y = layers.Dense(2, activation=lambda t: ops.sort(t), name="sorted")(y)
    found = problems(keras.Model(x, y))
    assert [(problem.code, problem.at) for problem in found] == [
        ("layer-unsupported", "layer 'lambda' (Lambda)"),
        ("dtype-policy", "layer 'half' (Dense)"),
        ("layer-unsupported", "layer 'dropout' (Dropout)"),
        ("layer-unsupported", "layer 'sorted/sort' (Sort)"),
    ]


def test_dropout_that_stays_on():
    x = keras.Input((4,))
    (problem,) = problems(keras.Model(x, layers.Dropout(0.5)(x, training=True)))
    assert "training=True" in problem.received


def test_an_unbuilt_model():
    (problem,) = problems(keras.Sequential([layers.Dense(2)]))
    assert problem.code == "model-not-built"


def test_half_precision_policies():
    x = keras.Input((4,))
    (problem,) = problems(keras.Model(x, layers.Dense(2, dtype="mixed_float16", name="half")(x)))
    assert (problem.code, problem.at) == ("dtype-policy", "layer 'half' (Dense)")
    assert "mixed_float16" in problem.received


def test_operations_along_the_batch():
    x = keras.Input((4,))
    (problem,) = problems(keras.Model(x, ops.softmax(x, axis=0)))
    assert problem.code == "layer-unsupported"
    (problem,) = problems(keras.Model(x, ops.concatenate([x, x], axis=0)))
    assert "batch" in problem.received


@pytest.mark.parametrize(
    "model", [None, "m.keras", layers.Dense(2), np.zeros(3)], ids=["none", "path", "layer", "array"]
)
def test_what_is_no_model(model):
    with pytest.raises(nnpack.ModelError) as caught:
        nnpack.dumps(model)
    assert caught.value.code == "model-type"


# Verification


def test_compare_names_the_first_layer_that_diverges():
    x = keras.Input((4,))
    y = layers.Dense(5, activation="tanh", name="second")(layers.Dense(5, name="first")(x))
    model = randomised(keras.Model(x, layers.Dense(2, name="third")(y)))
    loaded = packed(model)
    same = compare(model, loaded)
    assert same.agrees
    assert same.diverging is None
    bias = model.get_layer("second").bias
    bias.assign(bias.numpy() + 1e-4)
    other = compare(model, loaded)
    assert not other.agrees
    assert other.diverging == "second"
    assert other.outputs[0].tolerance_use > 1


def test_compare_inside_a_nested_model():
    model = randomised(nested())
    loaded = packed(model)
    tail = model.get_layer("middle").get_layer("tail")
    tail.bias.assign(tail.bias.numpy() + 1e-3)
    assert compare(model, loaded).diverging == "middle/tail"


def masked_and_unread():
    """BatchNormalization is given a mask that no layer reads."""
    x = keras.Input((5,), dtype="int32")
    y = layers.BatchNormalization()(layers.Embedding(9, 4, mask_zero=True)(x))
    return x, layers.Flatten()(y)


class Two(layers.Layer):
    """The first of its outputs is also a step to the second."""

    def call(self, x):
        a = ops.tanh(x)
        return a, ops.exp(a) * 2


def two_outputs():
    x = keras.Input((6,))
    return x, layers.Add()(Two(name="two")(layers.Dense(6)(x)))


def one_symbol_for_two():
    """What is unknown of the second Dense is known when it meets the first."""
    x = [keras.Input((None, 4), name=name) for name in "ab"]
    return x, layers.GlobalAveragePooling1D()(layers.Add()([layers.Dense(4)(x[0]), layers.Dense(4)(x[1])]))


def half_of_a_split():
    x = keras.Input((6,))
    return x, ops.split(layers.Dense(6)(x), 2, axis=1)[0]


def channels_first():
    """TensorFlow's CPU has kernels for it in compiled code alone."""
    x = keras.Input((2, 6, 6))
    return x, layers.Flatten()(layers.Conv2D(3, 3, data_format="channels_first")(x))


@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")
@pytest.mark.parametrize("make", [masked_and_unread, two_outputs, one_symbol_for_two, half_of_a_split, channels_first])
def test_compare_with_values_that_changed_after_their_call(make):
    x, y = make()
    model = randomised(keras.Model(x, layers.Dense(2, name="out")(y)))
    loaded = packed(model)
    bias = model.get_layer("out").bias
    bias.assign(bias.numpy() + 1)
    assert compare(model, loaded).diverging == "out"


class Doubles(layers.Layer):
    """Does not compute what tracing shows."""

    def call(self, x):
        return x * (2 if isinstance(x, keras.KerasTensor) else 3)


@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")
def test_a_layer_that_does_not_trace_faithfully_is_named():
    x, y = masked_and_unread()
    model = randomised(keras.Model(x, Doubles(name="doubles")(y)))
    with pytest.raises(nnpack.ExportMismatchError) as caught:
        nnpack.dumps(model)
    assert "doubles" in str(caught.value)


def test_what_keras_has_to_compile_is_compiled_once(monkeypatch):
    import tensorflow

    x, y = channels_first()
    model = randomised(keras.Model(x, y))
    loaded, function, compiled = packed(model), tensorflow.function, []

    def recorded(*args, **kwargs):
        compiled.append(sys._getframe(1).f_globals["__name__"])
        return function(*args, **kwargs)

    monkeypatch.setattr(tensorflow, "function", recorded)
    assert compare(model, loaded, rows((2, 6, 6), n=600)).agrees
    assert compiled.count("nnpack.exporters.keras.verify") == 1


def test_compare_with_a_model_of_another_structure():
    x = keras.Input((4,))
    one = randomised(keras.Model(x, layers.Dense(2, name="same")(layers.Dense(3, name="before")(x))))
    other = randomised(keras.Model(x, layers.Dense(2, name="same")(layers.Dense(4, name="before")(x))))
    comparison = compare(other, packed(one))
    assert not comparison.agrees
    assert comparison.diverging == "before"


@pytest.mark.parametrize("storage", ["float16", "bfloat16", "int8"])
def test_compare_with_a_smaller_storage_type(storage):
    x = keras.Input((4,))
    y = layers.Dense(5, activation="tanh", name="second")(layers.Dense(5, name="first")(x))
    model = randomised(keras.Model(x, layers.Dense(2, name="third")(y)))
    loaded = nnpack.loads(nnpack.dumps(model, weights=storage))
    comparison = compare(model, loaded)
    assert comparison.agrees
    assert comparison.outputs[0].largest_error > 1e-4
    kernel = model.get_layer("second").kernel
    kernel.assign(kernel.numpy() * 0.9)
    assert compare(model, loaded).diverging == "second"


# Odd models


def test_nested_models_called_with_a_list_and_a_dict():
    p, q = keras.Input((4,), name="p"), keras.Input((4,), name="q")
    by_list = keras.Model([p, q], layers.Subtract()([p, q]))
    by_dict = keras.Model({"q": q, "p": p}, layers.Subtract()([p, q]))
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    model = keras.Model([x, y], layers.Concatenate()([by_list([x, y]), by_dict({"p": y, "q": x})]))
    agree(model, [rows((4,)), rows((4,), seed=5)])


@pytest.mark.parametrize("position", ["first", "keyword"])
def test_a_mask_that_is_an_input(position):
    x, mask = keras.Input((4,)), keras.Input((4,), dtype="bool")
    y = layers.Softmax()(x, mask) if position == "first" else layers.Softmax()(x, mask=mask)
    agree(keras.Model([x, mask], y), [rows((4,)), rows((4,), seed=2) > 0])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64"])
@pytest.mark.parametrize("merge", [layers.Add, layers.Subtract, layers.Average, layers.Maximum, layers.Multiply])
def test_merging_integers(merge, dtype):
    inputs = [keras.Input((2,), dtype=dtype), keras.Input((2,), dtype=dtype)]
    x = [np.array([[7, 5], [11, 9]], dtype), np.array([[3, 5], [1, 8]], dtype)]
    agree(keras.Model(inputs, merge()(inputs)), x)


def test_concatenating_integers_keeps_them():
    inputs = [keras.Input((2,), dtype="int64"), keras.Input((2,), dtype="int64")]
    big = np.array([[2**40 + 1, -3]])
    loaded = packed(keras.Model(inputs, layers.Concatenate()(inputs)))
    assert loaded.outputs[0].dtype == "int64"
    np.testing.assert_array_equal(loaded.predict([big, big + 1]), np.concatenate([big, big + 1], 1))


def test_traced_activations_have_the_same_names_every_time():
    layer = layers.LeakyReLU(negative_slope=0.2)
    for function in (lambda x: ops.tanh(x) * 0.5, layer):
        model = randomised(keras.Sequential([keras.Input((4,)), layers.Dense(2, activation=function)]))
        before = len(layer._inbound_nodes)
        assert nnpack.dumps(model) == nnpack.dumps(model)
        assert len(layer._inbound_nodes) == before


def test_structured_inputs_by_name():
    a, b = keras.Input((4,), name="z"), keras.Input((3,), name="j")
    y = layers.Concatenate()([layers.Dense(2)(a), b])
    model = randomised(keras.Model({"k": {"z": a}, "j": b}, y))
    x = {"z": rows((4,)), "j": rows((3,))}
    theirs = model.predict({"k": {"z": x["z"]}, "j": x["j"]}, verbose=0)
    np.testing.assert_allclose(packed(model).predict(x), theirs, rtol=1e-5, atol=1e-6)


def test_unknown_dimensions_that_have_to_meet():
    u, flat = keras.Input((None, 4)), layers.Flatten()
    agree(keras.Model(u, flat(u) + flat(u * 2.0)), rows((5, 4)))


def test_a_fixed_number_of_rows():
    x = keras.Input(batch_shape=(7, 4))
    agree(keras.Model(x, ops.reshape(x, (7, 2, 2))), rows((4,)))


def test_what_keras_cannot_call_is_a_typed_error():
    x = keras.Input((4,))
    with pytest.raises(nnpack.ModelError, match="keras-call"):
        nnpack.dumps(keras.Model(x, ops.reshape(x, (7, 2, 2))))


def test_inputs_without_elements():
    (problem,) = problems(keras.Sequential([keras.Input((0,)), layers.Dense(2)]))
    assert problem.code == "input-shape"


@pytest.mark.parametrize("name", ["e\u0301", "x" * 300, "a\0b"], ids=["nfd", "long", "nul"])
def test_names_of_inputs(name):
    x = keras.Input((4,), name=name)
    model = randomised(keras.Model({name: x}, layers.Dense(2)(x)))
    if name == "e\u0301":
        assert packed(model).inputs[0].name == "\u00e9"
    else:
        with pytest.raises(nnpack.ModelError, match="name-length"):
            nnpack.dumps(model)


def test_nothing_compared_is_said():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(3), layers.Dense(3)])
    for variable in model.weights:
        variable.assign(np.full(variable.shape, 1e25))
    loaded = packed(model)
    comparison = compare(model, loaded)
    assert comparison.compared == 0
    assert loaded.document.selftest is None


def test_compare_with_a_model_of_other_inputs():
    one, other = (randomised(keras.Sequential([keras.Input((n,)), layers.Dense(2)])) for n in (4, 5))
    with pytest.raises(nnpack.InputError, match="those of the file"):
        compare(other, packed(one))
    with pytest.raises(nnpack.InputError, match="at least one row"):
        compare(one, packed(one), np.zeros((0, 4)))
