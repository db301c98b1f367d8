"""What differs between two files: nnpack.difference, and nnpack diff."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from documents import X, document, layer, packed, perceptron, tensor, with_selftest
from nnpack.cli import main
from nnpack.difference import CHUNK, Change, difference
from nnpack.format.document import Quantization, Source, Value
from nnpack.format.storage import store

NOTHING = difference(perceptron(), perceptron())


def changed(doc, name, place, number):
    """The document with one number of a weight replaced."""
    array = doc.tensors[name].array.copy()
    array[place] = number
    return doc._replace(tensors={**doc.tensors, name: doc.tensors[name]._replace(array=array)})


def relayered(doc, **replaced):
    """The document with layers replaced by name; None takes one away."""
    layers = (replaced.get(item.name.replace("/", "_"), item) for item in doc.layers)
    return doc._replace(layers=tuple(item for item in layers if item is not None))


def only(found, *names):
    """That nothing else differs than these."""
    return {name for name, part in found._asdict().items() if part} == set(names)


# Structure


def test_nothing():
    assert only(NOTHING)
    assert NOTHING.verdict == "same"


def test_added_and_removed():
    a = perceptron()
    b = relayered(a, h=None, y=a.layers[2]._replace(inputs=("h/dense",)))
    found = difference(a, b)
    assert only(found, "removed", "layers")
    assert [item.name for item in found.removed] == ["h"]
    assert found.layers == (("y", (Change("connected to", ["h"], ["h/dense"]),)),)
    assert [item.name for item in difference(b, a).added] == ["h"]
    assert found.verdict == "structure"


def test_renamed_layers_are_matched_by_order_and_operator():
    a = perceptron()
    first, second, last = a.layers
    b = relayered(
        a,
        h_dense=first._replace(name="one", outputs=(Value("one", "float32", ("batch", 3)),)),
        h=second._replace(name="two", inputs=("one",), outputs=(Value("two", "float32", ("batch", 3)),)),
        y=last._replace(inputs=("two",)),
    )
    found = difference(a, b)
    assert only(found, "renamed")  # what reads them reads the same values, by other names
    assert found.renamed == (("h/dense", "one"), ("h", "two"))


def test_the_name_comes_before_the_order():
    weights = [tensor(name, np.full((4, 4), i, np.float32)) for i, name in enumerate("kl")]
    a = document([layer(n, "dense", ["x"], ("batch", 4), {"kernel": n}) for n in "kl"], weights, outputs=("k", "l"))
    b = a._replace(layers=a.layers[::-1])
    found = difference(a, b)
    assert only(found, "moved")
    assert found.moved in ((Change("k", 0, 1),), (Change("l", 1, 0),))


def test_operator_and_attributes():
    def made(op, attributes):
        return document([layer("y", op, ["x"], ("batch", 4), {}, attributes)])

    a, b = made("elu", {"alpha": 1.0}), made("elu", {"alpha": 0.5})
    assert difference(a, b).layers == (("y", (Change("alpha", 1.0, 0.5),)),)
    found = difference(a, made("leaky_relu", {"negative_slope": 1.0}))
    assert found.layers[0].changes == (
        Change("operator", "elu@1", "leaky_relu@1"),
        Change("alpha", 1.0, None),
        Change("negative_slope", None, 1.0),
    )


def test_inputs_outputs_and_roles():
    a = perceptron()
    without_bias = a.layers[2]._replace(weights={"kernel": "y/kernel"})
    b = relayered(a, y=without_bias)._replace(outputs=("y", "h"), inputs=(Value("in", "float32", ("batch", 4)),))
    b = relayered(b, h_dense=b.layers[0]._replace(inputs=("in",)))
    found = difference(a, b)
    assert found.model == (
        Change("inputs", ["x float32 (batch, 4)"], ["in float32 (batch, 4)"]),
        Change("outputs", ["y float32 (batch, 2)"], ["y float32 (batch, 2)", "h float32 (batch, 3)"]),
    )
    assert found.layers == (("y", (Change("bias", "y/bias", None),)),)


# Weights


def test_a_number():
    a = changed(perceptron(), "h/kernel", slice(None), 2.0)
    found = difference(a, changed(changed(a, "h/kernel", (3, 1), 5.0), "h/kernel", (0, 2), 1.0))
    assert only(found, "weights")
    (weight,) = found.weights
    assert (weight.name, weight.elements, weight.differing) == ("h/kernel", 12, 2)
    assert (weight.largest, weight.at) == (3.0, (3, 1))
    assert weight.relative == pytest.approx(np.sqrt(3**2 + 1) / np.sqrt(12 * 2**2), rel=1e-15)
    assert found.verdict == "weights"


def test_tolerance():
    a = changed(perceptron(), "y/bias", 0, 1.0)
    b = changed(a, "y/bias", 0, 1.25)
    assert difference(a, b, tolerance=0.25) == NOTHING
    assert difference(a, b, tolerance=0.125).weights[0].largest == 0.25


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_equal_themselves(number):
    a = changed(perceptron(), "y/kernel", (1, 1), number)
    assert only(difference(a, a))
    (weight,) = difference(perceptron(), a).weights
    assert (weight.differing, weight.largest, weight.at, weight.relative) == (1, np.inf, (1, 1), np.inf)
    both = changed(a, "y/kernel", (0, 0), a.tensors["y/kernel"].array[0, 0] + np.float32(1))
    finite = a.tensors["y/kernel"].array[np.isfinite(a.tensors["y/kernel"].array)].astype(float)
    (weight,) = difference(a, both).weights  # the part is one of the numbers that there are
    assert weight.relative == pytest.approx(1 / np.linalg.norm(finite), rel=1e-6)


def test_integers_beyond_float64():
    def made(number):
        return document(
            [layer("y", "constant", [], (1,), {"value": "c"}, dtype="int64")], [tensor("c", np.array([number]))]
        )

    (weight,) = difference(made(2**60), made(2**60 + 1)).weights
    assert weight.differing == 1


def test_large_weights_are_compared_in_pieces():
    def made(**places):
        array = np.ones((2 * CHUNK + 5, 1), np.float32)
        for place, number in places.items():
            array[int(place[1:])] = number
        wide = Value("x", "float32", ("batch", len(array)))
        return document(
            [layer("y", "dense", ["x"], ("batch", 1), {"kernel": "k"})], [tensor("k", array)], inputs=(wide,)
        )

    last = 2 * CHUNK + 4
    (weight,) = difference(made(), made(_7=2.0, **{f"_{last}": 4.0})).weights
    assert (weight.differing, weight.largest, weight.at) == (2, 3.0, (last, 0))
    assert weight.relative == pytest.approx(np.sqrt((1 + 9) / (2 * CHUNK + 5)), rel=1e-12)


def test_shape():
    a = perceptron()
    b = a._replace(tensors={**a.tensors, "y/bias": tensor("y/bias", np.zeros((1,), np.float32))})
    (weight,) = difference(a, b).weights
    assert (weight.shapes, weight.differing) == (((2,), (1,)), 0)
    assert difference(a, b).verdict == "structure"


def test_a_shared_weight_is_told_once():
    def made(number):
        shared = tensor("k", np.full((4, 4), number, np.float32))
        layers = [layer(n, "dense", [x], ("batch", 4), {"kernel": "k"}) for n, x in (("h", "x"), ("y", "h"))]
        return document(layers, [shared])

    assert len(difference(made(1), made(2)).weights) == 1


# Storage


@pytest.mark.parametrize("storage", ["float16", "bfloat16", "int8"])
def test_storage_is_told_from_other_numbers(storage):
    a = perceptron()
    b = store(a, storage)
    for found in (difference(a, b), difference(b, a)):
        assert only(found, "weights")
        assert all(weight.stored and weight.differing for weight in found.weights)
        assert found.verdict == "storage"
    trained = changed(a, "h/kernel", (0, 0), 0.9)
    assert difference(trained, b).verdict == "weights"


def test_the_same_numbers_stored_otherwise():
    a = changed(perceptron(), "h/kernel", slice(None), 0.5)
    b = a._replace(tensors={**a.tensors, "h/kernel": tensor("h/kernel", np.full((4, 3), 0.5, np.float16))})
    (weight,) = difference(a, b).weights
    assert (weight.dtypes, weight.differing) == (("float32", "float16"), 0)
    assert difference(a, b).verdict == "same"


def test_numbers_that_the_other_type_cannot_hold():
    a = changed(perceptron(), "h/kernel", (0, 0), 1e6)
    b = store(perceptron(), "float16")
    assert difference(a, b).verdict == "weights"


def test_scales_count():
    parts = [
        tensor("k", np.ones((4, 2), np.int8), quantization=Quantization("s", "z", 1)),
        tensor("z", np.zeros(2, np.int8)),
    ]
    dense = [layer("y", "dense", ["x"], ("batch", 2), {"kernel": "k"})]
    a, b = (document(dense, [*parts, tensor("s", np.array([1, n], np.float32))]) for n in (1, 3))
    (weight,) = difference(a, b).weights
    assert (weight.differing, weight.largest) == (4, 2.0)
    assert difference(a, b).verdict == "weights"


# What never changes a number


def test_what_stands_beside_the_numbers():
    a = perceptron()
    b = relayered(a, h=a.layers[1]._replace(source=Source("Activation", "act")))
    b = b._replace(name="other", producer={"name": "test", "version": "1"}, metadata={"rows": [1, 2]})
    found = difference(a, b)
    assert only(found, "about")
    assert found.about == (
        Change("name", "model", "other"),
        Change("producer version", "0", "1"),
        Change("metadata rows", None, [1, 2]),
        Change("h: source", "Tanh h", "Activation act"),
    )
    assert found.verdict == "same"


def test_selftest():
    a, b = with_selftest(perceptron()), with_selftest(perceptron(), rows=2)
    assert difference(perceptron(), a).selftest == (Change("rows", None, 3),)
    assert difference(a, b).selftest == (Change("rows", 3, 2),)
    found = difference(a, changed(a, "out", (0, 0), 7.0))
    assert only(found, "selftest")
    assert [change.what for change in found.selftest] == ["output y"]
    assert found.verdict == "same"


# The command


@pytest.fixture
def files(tmp_path):
    def write(name, doc):
        (tmp_path / name).write_bytes(packed(doc))
        return str(tmp_path / name)

    return write


def test_equal_files(files, capsys):
    paths = files("a.nnpack", perceptron()), files("b.nnpack", perceptron())
    assert main(["diff", *paths]) == 0
    assert capsys.readouterr().out == "The files are equal, byte for byte.\n"
    assert main(["diff", *paths, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["a"], told["b"], told["verdict"]) == (*paths, "identical")


def test_other_weights(files, capsys):
    a = changed(perceptron(), "y/bias", slice(None), 2.0)
    paths = files("a.nnpack", a), files("b.nnpack", changed(a, "y/bias", 1, 2.5))
    assert main(["diff", *paths]) == 1
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if "y/bias" in line)
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells == ["y/bias", "float32", "(2,)", "2", "1", "0.5", "[1]", "0.177"]  # 0.5 / √8
    assert out.endswith("The same layers, with other weights.\n")
    assert main(["diff", *paths, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["weights"][0] == told["weights"][0] | {"name": "y/bias", "differing": 1, "largest": 0.5, "at": [1]}
    assert main(["diff", *paths, "--tolerance", "0.5"]) == 0


def test_structure_and_what_stands_beside_it(files, capsys):
    a = perceptron(metadata={"note": "[red]café\n"})
    b = relayered(a, h=layer("h", "elu", ["h/dense"], ("batch", 3), {}, {"alpha": 1.0}))._replace(metadata=None)
    assert main(["diff", files("a.nnpack", a), files("b.nnpack", b)]) == 1
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in capsys.readouterr().out.splitlines()]
    assert ["h", "operator", "tanh@1", "elu@1"] in rows
    assert ["h", "alpha", "–", "1.0"] in rows
    assert ["about", "metadata note", r"[red]café\n", "–"] in rows
    assert rows[-1] == ["They are different models."]


def test_only_the_selftest(files, capsys):
    paths = files("a.nnpack", with_selftest(perceptron())), files("b.nnpack", perceptron())
    assert main(["diff", *paths]) == 0
    assert capsys.readouterr().out.endswith("The same model: no number differs that it computes with.\n")


def test_a_selftest_that_fails_is_no_trouble(files):
    tested = with_selftest(perceptron())
    assert main(["diff", files("a.nnpack", tested), files("b.nnpack", changed(tested, "y/bias", 0, 3.0))]) == 1


def test_trouble_is_2(files, tmp_path, capsys):
    path = files("a.nnpack", perceptron())
    damaged = tmp_path / "b.nnpack"
    data = bytearray(packed(perceptron()))
    data[-1] ^= 1
    damaged.write_bytes(data)
    assert main(["diff", path, str(damaged)]) == 2
    assert capsys.readouterr().err.startswith("error: hash-mismatch")
    assert main(["diff", str(tmp_path / "none"), path, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "file-not-found"
    assert main(["diff", path]) == 2


def test_infinite_changes_are_json(files, capsys):
    a = changed(perceptron(), "y/bias", 0, np.nan)
    assert main(["diff", files("a.nnpack", a), files("b.nnpack", perceptron()), "--json"]) == 1
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told["weights"][0]["largest"] == "inf"


def test_nested_metadata(files, capsys):
    a, b = (perceptron(metadata={"run": {"rates": [number, {"deep": False}]}}) for number in (0.5, 0.25))
    paths = files("a.nnpack", a), files("b.nnpack", b)
    assert main(["diff", *paths, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["about"] == [
        {"what": "metadata run", "a": {"rates": [0.5, {"deep": False}]}, "b": {"rates": [0.25, {"deep": False}]}}
    ]
    assert main(["diff", *paths]) == 0
    assert '{"rates": [0.25, {"deep": false}]}' in capsys.readouterr().out


def test_diff_needs_no_keras(files):
    paths = files("a.nnpack", perceptron()), files("b.nnpack", perceptron(seed=1))
    code = "import sys; from nnpack.cli import main; main(sys.argv[1:]); print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "diff", *paths], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")


def test_states(files):
    from nnpack.format.document import State

    def made(number):
        doc = document(
            [layer("y", "add", ["x", "s"], ("batch", 4))], [tensor("s0", np.full(4, number, np.float32))], inputs=(X,)
        )
        return doc._replace(states=(State(Value("s", "float32", ("batch", 4)), "y", "s0"),))

    (weight,) = difference(made(0), made(1)).weights
    assert (weight.name, weight.differing) == ("s0", 4)
    assert main(["diff", files("a.nnpack", made(0)), files("b.nnpack", made(0))]) == 0
