"""Plans, passes, memory and threads of the numpy engine."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnpack
from documents import document, layer, packed, perceptron, tensor, with_selftest
from nnpack.engine.accuracy import evaluate
from nnpack.engine.memory import ALIGNMENT, Life, arranged
from nnpack.engine.model import Model
from nnpack.engine.passes import PASSES
from nnpack.engine.plan import WORKSPACES, Plan
from nnpack.engine.reference import worst
from nnpack.errors import FileError, InputError
from nnpack.format.document import Value


def numbers(*shape, seed=3):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def weights(prefix, **shapes):
    """Tensors, and the roles that they have."""
    tensors = [tensor(f"{prefix}/{role}", numbers(*shape, seed=len(role))) for role, shape in shapes.items()]
    return tensors, {role: f"{prefix}/{role}" for role in shapes}


CONV = {"strides": [1, 1], "dilation_rate": [1, 1], "groups": 1, "padding": "valid"}
TRANSPOSED = {"strides": [2, 2], "dilation_rate": [1, 1], "cropping": [0, 1, 0, 1]}
IMAGE = Value("x", "float32", ("batch", 9, 8, 3))


def normalized(made_by="conv", axis=3):
    """A product, a batch normalization, an activation."""
    roles = ("gamma", "beta", "moving_mean", "moving_variance")
    space, kernel, attributes = {
        "conv": ((7, 6), (3, 3, 3, 5), CONV),
        "conv_transpose": ((18, 16), (3, 3, 5, 3), TRANSPOSED),
        "dense": ((9, 8), (3, 5), {}),
    }[made_by]
    tensors, product = weights("p", kernel=kernel, bias=(5,))
    more, statistics = weights("n", **dict.fromkeys(roles, (5,)))
    more[-1] = tensor("n/moving_variance", np.abs(more[-1].array) + 0.1)
    layers = [
        layer("p", made_by, ["x"], ("batch", *space, 5), product, attributes),
        layer("n", "batch_normalization", ["p"], ("batch", *space, 5), statistics, {"axis": axis, "epsilon": 1e-3}),
        layer("y", "relu", ["n"], ("batch", *space, 5)),
    ]
    return document(layers, [*tensors, *more], [IMAGE])


def with_constant():
    """x + exp(-c), of which exp(-c) is known before."""
    constant = layer("c", "constant", [], (4,), {"value": "c"})._replace(inputs=())
    layers = [
        constant,
        layer("minus", "negative", ["c"], (4,)),
        layer("e", "exponential", ["minus"], (4,)),
        layer("y", "add", ["x", "e"], ("batch", 4)),
    ]
    return document(layers, [tensor("c", numbers(4))])


def transposed(second):
    first = [0, 3, 1, 2]
    shape = ["batch", 9, 8, 3]
    layers = [
        layer("a", "transpose", ["x"], [shape[k] for k in first], {}, {"perm": first}),
        layer("b", "transpose", ["a"], [[shape[k] for k in first][k] for k in second], {}, {"perm": second}),
        layer("y", "relu", ["b"], [[shape[k] for k in first][k] for k in second]),
    ]
    return document(layers, [], [IMAGE])


def padded():
    pad = {"pad_width": [0, 0, 1, 2, 0, 3, 0, 0], "mode": "constant", "constant_value": 0.0}
    tensors, roles = weights("y", kernel=(3, 3, 3, 4))
    layers = [
        layer("p", "pad", ["x"], ("batch", 12, 11, 3), {}, pad),
        layer("y", "conv", ["p"], ("batch", 10, 9, 4), roles, CONV),
    ]
    return document(layers, tensors, [IMAGE])


def linear():
    """4 -> 6 -> 2: one product of 4 · 2 is less work."""
    first, a = weights("a", kernel=(4, 6), bias=(6,))
    second, b = weights("y", kernel=(6, 2), bias=(2,))
    layers = [layer("a", "dense", ["x"], ("batch", 6), a), layer("y", "dense", ["a"], ("batch", 2), b)]
    return document(layers, [*first, *second])


def embedded():
    first, table = weights("e", embeddings=(7, 5))
    second, roles = weights("y", kernel=(5, 2), bias=(2,))
    layers = [
        layer("e", "embedding", ["x"], ("batch", 3, 5), table),
        layer("y", "dense", ["e"], ("batch", 3, 2), roles),
    ]
    return document(layers, [*first, *second], [Value("x", "int32", ("batch", 3))])


def branched():
    """y = relu(x) + x, and a layer that nothing reads."""
    layers = [
        layer("r", "relu", ["x"], ("batch", 4)),
        layer("dead", "tanh", ["x"], ("batch", 4)),
        layer("y", "add", ["r", "x"], ("batch", 4)),
    ]
    return document(layers)


def deep(activation):
    """4 -> 5 -> 3 -> 2, with an activation behind all but the last."""
    tensors, layers, before, width = [], [], "x", 4
    for i, units in enumerate((5, 3, 2)):
        more, roles = weights(f"d{i}", kernel=(width, units), bias=(units,))
        tensors += more
        layers.append(layer(f"d{i}", "dense", [before], ("batch", units), roles))
        before, width = f"d{i}", units
        if i < 2:
            layers.append(layer(f"a{i}", activation, [before], ("batch", units)))
            before = f"a{i}"
    return document(layers, tensors)


APPLIED = {
    "drop_dead": (branched(), ["dead"]),
    "fold_constants": (with_constant(), ["minus", "e"]),
    "cancel_transposes": (transposed([0, 2, 3, 1]), ["b"]),
    "merge_padding": (padded(), ["y"]),
    "fold_batch_normalization": (normalized(), ["n"]),
    "multiply_linear": (linear(), ["y"]),
    "gather_products": (embedded(), ["y"]),
    "apply_in_place": (perceptron(), ["h"]),
    "append_bias": (deep("relu"), []),
}


def inputs_of(doc, rows=5):
    shape = (rows, *doc.inputs[0].shape[1:])
    if doc.inputs[0].dtype == "int32":
        return np.random.RandomState(1).randint(0, 7, shape).astype(np.int32)
    return numbers(*shape, seed=9)


def assert_right(doc, optimize, x=None):
    """The first call, and those that are bound to memory, are within the tolerances of the file as it is."""
    x = inputs_of(doc) if x is None else x
    plan = Plan(doc, doc.outputs, optimize)
    references = evaluate(doc, [x]).outputs
    for _ in range(4):
        for name, y in zip(doc.outputs, plan.run([x]), strict=True):
            assert y.shape == references[name].values.shape
            assert worst(y, references[name])[0] <= 1
    return plan


# Passes


def test_every_pass_has_a_case():
    assert list(APPLIED) == list(PASSES)


@pytest.mark.parametrize("name", APPLIED)
def test_pass(name):
    doc, taken = APPLIED[name]
    assert assert_right(doc, [name]).changes[name] == taken


@pytest.mark.parametrize("name", APPLIED)
@pytest.mark.parametrize("optimize", [True, False])
def test_all_passes_and_none(name, optimize):
    plan = assert_right(APPLIED[name][0], optimize)
    assert set(plan.changes) == (set(PASSES) if optimize else {"drop_dead"})


def test_passes_follow_each_other():
    plan = Plan(normalized(), ["y"])
    (node,) = plan.graph.nodes
    assert (node.op, [function.op for function in node.then]) == ("conv@1", ["relu@1"])
    for made_by in ("dense", "conv_transpose"):
        assert assert_right(normalized(made_by), True).changes["fold_batch_normalization"] == ["n"]


def test_batch_normalization_along_another_axis_stays():
    doc = normalized("dense", axis=3)
    layers = [
        layer("p", "dense", ["x"], ("batch", 9, 8, 5), doc.layers[0].weights),
        layer(
            "n", "batch_normalization", ["p"], ("batch", 9, 8, 5), doc.layers[1].weights, {"axis": 3, "epsilon": 0.1}
        ),
    ]
    doc = doc._replace(layers=tuple(layers), outputs=("n",))
    assert assert_right(doc, True).changes["fold_batch_normalization"] == ["n"]
    square = [
        tensor(f"n/{role}", np.abs(numbers(9)) + 0.1) for role in ("gamma", "beta", "moving_mean", "moving_variance")
    ]
    other = layers[1]._replace(attributes={"axis": 1, "epsilon": 0.1})
    doc = doc._replace(layers=(layers[0], other), tensors={**doc.tensors, **{item.name: item for item in square}})
    assert assert_right(doc, True).changes["fold_batch_normalization"] == []


def test_what_is_wanted_is_not_taken_away():
    doc = normalized()._replace(outputs=("p", "n", "y"))
    plan = assert_right(doc, True)
    assert not any(plan.changes.values())


def test_weights_that_would_overflow_are_not_multiplied():
    doc = linear()
    large = {name: tensor(name, item.array * np.float32(1e38)) for name, item in doc.tensors.items()}
    assert Plan(doc._replace(tensors=large), ["y"]).changes["multiply_linear"] == []


def test_products_that_would_be_more_work_are_not_multiplied():
    first, a = weights("a", kernel=(4, 1))
    second, b = weights("y", kernel=(1, 4))
    layers = [layer("a", "dense", ["x"], ("batch", 1), a), layer("y", "dense", ["a"], ("batch", 4), b)]
    assert Plan(document(layers, [*first, *second]), ["y"]).changes["multiply_linear"] == []


@pytest.mark.parametrize(("dtype", "classes"), [("int32", 7), ("uint8", 250), ("int8", 200)])
def test_products_with_one_hot_rows_are_gathered(dtype, classes):
    """Indices that have no row give the bias alone."""
    tensors, roles = weights("h", kernel=(classes, 5), bias=(5,))
    more, after = weights("y", kernel=(5, 2))
    layers = [
        layer("e", "one_hot", ["x"], ("batch", 3, classes), {}, {"num_classes": classes, "dtype": "float32"}),
        layer("h", "dense", ["e"], ("batch", 3, 5), roles),
        layer("y", "dense", ["h"], ("batch", 3, 2), after),
    ]
    doc = document(layers, [*tensors, *more], [Value("x", dtype, ("batch", 3))])
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    x = np.array([[0, 1, 2], [classes - 1 if classes - 1 <= high else 3, high, low], [5, 6, 7]], dtype)
    plan = assert_right(doc, ["gather_products"], x)
    assert plan.changes["gather_products"] == ["h", "y"]
    assert [node.op for node in plan.graph.nodes] == ["embedding@1"]


def test_transposes_that_do_not_cancel_are_one():
    plan = assert_right(transposed([0, 2, 1, 3]), True)
    assert [node.op for node in plan.graph.nodes] == ["transpose@1", "relu@1"]


@pytest.mark.parametrize("activation", ["relu", "relu6", "tanh", "sigmoid", "gelu", "softsign"])
def test_biases_are_appended_behind_activations_that_make_a_1(activation):
    doc = deep(activation)
    if activation == "gelu":
        layers = [
            each._replace(attributes={"approximate": False}) if each.op == "gelu@1" else each for each in doc.layers
        ]
        doc = doc._replace(layers=tuple(layers))
    taken = [] if activation in ("gelu", "softsign") else ["d1", "d2"]
    assert assert_right(doc, ["apply_in_place", "append_bias"]).changes["append_bias"] == taken


@pytest.mark.parametrize("optimize", [True, False])
def test_what_a_call_checks_is_checked_whatever_was_joined(optimize):
    """The convolution of stride 2 says that it makes as many columns as z has; so says the padding."""
    image, z = Value("x", "float32", ("batch", "h", 9, 3)), Value("z", "float32", ("batch", "n", 5))
    tensors, roles = weights("p", kernel=(3, 3, 3, 5))
    more, statistics = weights("n", **dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (5,)))
    more[-1] = tensor("n/moving_variance", np.abs(more[-1].array) + 0.1)
    pad = {"pad_width": [0, 0, 1, 1, 0, 0, 0, 0], "mode": "constant", "constant_value": 0.0}
    layers = [
        layer("pad", "pad", ["x"], ("batch", "m", 9, 3), {}, pad),
        layer("p", "conv", ["pad"], ("batch", "n", 4, 5), roles, {**CONV, "strides": [2, 2]}),
        layer("b", "batch_normalization", ["p"], ("batch", "n", 4, 5), statistics, {"axis": 3, "epsilon": 1e-3}),
        layer("r", "relu", ["b"], ("batch", "n", 4, 5)),
        layer("mean", "mean", ["r"], ("batch", "n", 5), {}, {"axes": [2], "keepdims": False}),
        layer("y", "add", ["mean", "z"], ("batch", "n", 5)),
    ]
    doc = document(layers, [*tensors, *more], [image, z])
    model = nnpack.loads(packed(doc), optimize=optimize)
    x = numbers(2, 7, 9, 3)
    for _ in range(3):
        assert model.predict([x, numbers(2, 4, 5)]).shape == (2, 4, 5)
        with pytest.raises(nnpack.ShapeError, match="n = 1"):
            model.predict([x, numbers(2, 1, 5)])
    assert ("b" in model._plan.changes.get("fold_batch_normalization", [])) == optimize


def test_unknown_pass(tmp_path):
    with pytest.raises(InputError, match=r"pass-unknown at optimize: .*fold_constants.* 'faster'"):
        nnpack.loads(packed(perceptron()), optimize=["faster"])


def test_plan_can_be_read(capsys):
    nnpack.loads(packed(perceptron())).summary(plan=True)
    told = capsys.readouterr().out
    assert "apply_in_place: h" in told
    assert "merge_padding: nothing to do" in told
    assert "Plan for x (1, 4)" in told
    assert "one product" in told


# Memory


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 20), st.integers(0, 20)), max_size=30))
def test_memory_of_what_lives_at_the_same_time_does_not_overlap(drawn):
    lives = [Life(nbytes, min(a, b), max(a, b)) for nbytes, a, b in drawn]
    offsets, total = arranged(lives)
    for i, (life, offset) in enumerate(zip(lives, offsets, strict=True)):
        assert offset % ALIGNMENT == 0
        assert offset + life.nbytes <= total
        for other, place in zip(lives[:i], offsets[:i], strict=True):
            apart = offset + life.nbytes <= place or place + other.nbytes <= offset
            assert apart or life.last < other.first or other.last < life.first


def test_memory_is_used_again():
    layers = [
        layer(f"l{i}", "tile", [f"l{i - 1}" if i else "x"], ("batch", 1024), {}, {"repeats": [1, 1]}) for i in range(20)
    ]
    doc = document(layers, [], [Value("x", "float32", ("batch", 1024))])
    assert Plan(doc, doc.outputs).workspace([numbers(8, 1024)]).nbytes == 2 * 8 * 1024 * 4


def test_activations_need_no_memory_of_their_own():
    layers = [layer(f"l{i}", "tanh", [f"l{i - 1}" if i else "x"], ("batch", 1024)) for i in range(5)]
    doc = document(layers, [], [Value("x", "float32", ("batch", 1024))])
    assert Plan(doc, doc.outputs).workspace([numbers(8, 1024)]).nbytes == 8 * 1024 * 4


def test_a_value_that_is_read_later_is_not_overwritten():
    """x and r are read again behind what could be computed in their memory; both readers see the same numbers."""
    layers = [
        layer("r", "relu", ["x"], ("batch", 4)),
        layer("view", "reshape", ["r"], ("batch", 2, 2), {}, {"target_shape": [2, 2]}),
        layer("t", "tanh", ["view"], ("batch", 2, 2)),
        layer("back", "reshape", ["t"], ("batch", 4), {}, {"target_shape": [4]}),
        layer("both", "add", ["r", "back"], ("batch", 4)),
        layer("y", "add", ["both", "x"], ("batch", 4)),
    ]
    assert_right(document(layers), True)
    assert_right(document(layers), False)


def test_one_value_twice():
    layers = [
        layer("t", "tanh", ["x"], ("batch", 4)),
        layer("y", "multiply", ["t", "t"], ("batch", 4)),
        layer("column", "reshape", ["y"], ("batch", 4, 1), {}, {"target_shape": [4, 1]}),
        layer("row", "reshape", ["y"], ("batch", 1, 4), {}, {"target_shape": [1, 4]}),
        layer("outer", "add", ["column", "row"], ("batch", 4, 4)),
    ]
    assert_right(document(layers), True)


def test_workspaces_are_bounded():
    model = nnpack.loads(packed(perceptron()))
    for rows in (*range(1, 30), *range(1, 30)):
        model(numbers(rows, 4))
        model(numbers(rows, 4))
    kept = model._plan._threads
    assert len(kept.kept) == len(kept.quick) == WORKSPACES


def test_memory_that_is_kept_is_bounded(monkeypatch):
    """4,096 bytes hold the workspaces of few rows, one or two at a time; those of many rows are never bound."""
    monkeypatch.setattr("nnpack.engine.plan.WORKSPACE_BYTES", 4096)
    model = nnpack.loads(packed(perceptron()))
    x = numbers(200, 4)
    expected = nnpack.loads(packed(perceptron())).predict(x)
    for rows in (200, 10, 20, 30, 40, 50, 200):
        for _ in range(3):
            np.testing.assert_allclose(model(x[:rows]), expected[:rows], rtol=1e-5)
        kept = [workspace.nbytes for workspace in model._plan._threads.kept.values() if workspace is not None]
        assert sum(kept) <= 4096
    assert model._plan._threads.kept[((200, 4),)] is None


def test_answers_are_the_callers_own():
    model = nnpack.loads(packed(perceptron()))
    x, z = numbers(3, 4), numbers(3, 4, seed=4)
    answers = [model(x) for _ in range(4)]
    model(z)
    for y in answers:
        np.testing.assert_allclose(y, answers[0], rtol=1e-6)
    answers[3][:] = 0
    np.testing.assert_allclose(model(x), answers[0], rtol=1e-6)


def test_bound_calls_do_not_warn():
    model = nnpack.loads(packed(perceptron()))
    x = np.full((3, 4), np.float32(3e38))
    x[0] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(4):
            y = model(x)
    assert not np.isfinite(y).all()
    assert np.geterr()["over"] != "ignore"


def test_empty_batches():
    model = nnpack.loads(packed(normalized()))
    for _ in range(4):
        assert model(np.zeros((0, 9, 8, 3), np.float32)).shape == (0, 7, 6, 5)


# What is predicted


def test_iterators_are_predicted_one_after_the_other():
    model = nnpack.loads(packed(perceptron()))
    x = numbers(7, 4)
    np.testing.assert_allclose(model.predict(iter([x[:3], x[3:4], x[4:]])), model.predict(x), rtol=1e-6)
    np.testing.assert_allclose(
        model.predict((row[None] for row in x), outputs="h"), model.predict(x, outputs="h"), rtol=1e-6
    )
    with pytest.raises(InputError, match="an iterator at its end"):
        model.predict(iter([]))


def test_memory_mapped_arrays_are_read_chunk_by_chunk(tmp_path):
    x = numbers(1000, 4)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    model = nnpack.loads(packed(perceptron()))
    np.testing.assert_allclose(model.predict(mapped, batch_size=64), model.predict(x), rtol=1e-5)


def test_float64(tmp_path):
    doc = normalized()
    (tmp_path / "m.nnpack").write_bytes(packed(doc))
    model = nnpack.load(tmp_path / "m.nnpack", dtype="float64")
    x = inputs_of(doc)
    assert [str(value) for value in model.inputs] == ["float64 (batch, 9, 8, 3)"]
    (reference,) = evaluate(doc, [x]).outputs.values()
    for _ in range(4):
        y = model(x)
        assert y.dtype == np.float64
        np.testing.assert_allclose(y, reference.values, rtol=1e-12, atol=1e-13)
    with pytest.raises(InputError, match="dtype-computed at dtype"):
        nnpack.load(tmp_path / "m.nnpack", dtype="float16")


# Threads and copies


def test_threads_share_a_model():
    """Eight threads call one model with shapes of their own and the same, again and again."""
    model = nnpack.loads(packed(normalized()))
    inputs = [numbers(1 + i % 3, 9, 8, 3, seed=i) for i in range(8)]
    expected = [model(x).copy() for x in inputs]
    faults, start = [], threading.Barrier(len(inputs))

    def hammer(i):
        start.wait()
        for k in range(60):
            j = (i + k) % len(inputs)
            y = model(inputs[j]) if k % 2 else model.predict(inputs[j], batch_size=2)
            if not np.allclose(y, expected[j], rtol=1e-5, atol=1e-6):
                faults.append((i, k))

    threads = [threading.Thread(target=hammer, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_pickle_travels_by_path(tmp_path):
    path = tmp_path / "m.nnpack"
    path.write_bytes(packed(normalized()))
    model = nnpack.load(path, optimize=["apply_in_place"], dtype="float64")
    data = pickle.dumps(model)
    assert len(data) < 1000
    again = pickle.loads(data)
    x = inputs_of(model.document).astype(np.float64)
    np.testing.assert_array_equal(again(x), model(x))
    assert again.optimize == model.optimize == ("drop_dead", "apply_in_place")
    path.write_bytes(packed(perceptron()))
    with pytest.raises(FileError, match="file-changed"):
        pickle.loads(data)


def test_pickle_travels_by_bytes():
    model = nnpack.loads(packed(with_selftest(perceptron())))
    again = pickle.loads(pickle.dumps(model))
    assert again.selftest().rows == 3
    made = Model(perceptron())
    x = numbers(2, 4)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(made))(x), made(x))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_share_weights(copied):
    model = nnpack.loads(packed(perceptron()), optimize=False)
    again = copied(model)
    assert again.document is model.document
    assert again.optimize == ("drop_dead",)
    np.testing.assert_array_equal(again(numbers(2, 4)), model(numbers(2, 4)))
