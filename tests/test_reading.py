"""Loading and predicting, without Keras."""

from __future__ import annotations

import os
import threading

import msgpack
import numpy as np
import pytest

import nnpack
from documents import document, expected, layer, packed, perceptron, tensor, with_selftest
from nnpack.format import container
from nnpack.format.build import build
from nnpack.format.document import Quantization, Value


@pytest.fixture
def model():
    return nnpack.loads(packed(perceptron()))


X = np.random.RandomState(3).uniform(-2, 2, (11, 4)).astype(np.float32)


def close(received, reference):
    assert received.shape == reference.shape
    assert np.abs(received - reference).max() < 2e-6  # sums of a handful of numbers around 1


def test_a_stock_decoder_reads_the_whole_file():
    magic, version, header, pad, payload = msgpack.unpackb(packed(perceptron()))
    assert (magic, version) == ("nnpack", [1, 0])
    assert set(pad) <= {0}
    kernel = next(entry for entry in header["tensors"] if entry["name"] == "h/kernel")
    array = np.frombuffer(payload, "<f4", 12, kernel["offset"]).reshape(kernel["shape"])
    np.testing.assert_array_equal(array, perceptron().tensors["h/kernel"].array)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int8", "uint8", "bool", ">f4"])
def test_any_dtype_that_fits(model, dtype):
    x = (X * 3).astype(dtype) if dtype not in ("uint8", "bool") else (np.abs(X) * 3).astype(dtype)
    y = model.predict(x)
    assert y.dtype == np.float32
    close(y, expected(perceptron(), x.astype(np.float64)))


def test_an_array_a_list_and_a_dict(model):
    reference = expected(perceptron(), X.astype(np.float64))
    for x in (X, X.tolist(), [X], {"x": X}, {"x": X.tolist()}, np.asfortranarray(X), X[::-1][::-1]):
        close(model.predict(x), reference)
        close(model(x), reference)


def test_batches_change_nothing_but_rounding(model):
    reference = model(X)
    for size in (1, 2, 3, 11, 100):
        close(model.predict(X, batch_size=size), reference)
    assert model.predict(X[:0]).shape == (0, 2)
    assert model.predict(X[:0], batch_size=1).shape == (0, 2)


def test_progress(model, capsys):
    model.predict(X, batch_size=4, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.endswith("11 of 11 rows\n")


def test_values_inside_the_graph(model):
    hidden = model.predict(X, outputs="h")
    weights = perceptron().tensors
    close(hidden, np.tanh(X.astype(np.float64) @ weights["h/kernel"].array + weights["h/bias"].array))
    y, x = model.predict(X, batch_size=4, outputs=["y", "x"])
    close(y, expected(perceptron(), X))
    np.testing.assert_array_equal(x, X)


def test_a_memory_mapped_array(model, tmp_path):
    np.save(tmp_path / "x.npy", X.astype(np.float64))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    close(model.predict(mapped, batch_size=3), model(X))


WRONG = {
    "columns": (np.zeros((3, 5)), nnpack.ShapeError, "expected (batch, 4), received (3, 5)"),
    "rank": (np.zeros(4), nnpack.ShapeError, "expected (batch, 4), received (4,)"),
    "ranks": (np.zeros((1, 2, 4)), nnpack.ShapeError, "received (1, 2, 4)"),
    "text": ([["a"] * 4], nnpack.InputError, "input-type"),
    "complex": (np.zeros((1, 4), complex), nnpack.InputError, "complex128"),
    "object": (np.array([[None] * 4]), nnpack.InputError, "object"),
    "ragged": ([[1, 2, 3, 4], [1]], nnpack.InputError, "input-type"),
    "range": (np.full((1, 4), 1e300), nnpack.InputError, "input-range"),
    "name": ({"z": X}, nnpack.InputError, "expected the keys x, received z"),
    "none": (None, nnpack.InputError, "input-type"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_inputs(model, name):
    x, error, words = WRONG[name]
    with pytest.raises(error) as caught:
        model.predict(x)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value).replace(" + inhomogeneous part.", "")


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "3"])
def test_wrong_batch_sizes(model, size):
    with pytest.raises(nnpack.InputError, match="batch-size"):
        model.predict(X, batch_size=size)


def test_a_wrong_name_of_an_output(model):
    with pytest.raises(nnpack.InputError, match="output-name"):
        model.predict(X, outputs="nowhere")


def two_inputs():
    values = (Value("a", "float32", ("batch", "time", 2)), Value("b", "float32", ("batch", "time", 1)))
    joined = layer("y", "concatenate", ["a", "b"], ("batch", "time", 3), attributes={"axis": 2})
    return nnpack.loads(packed(document([joined], inputs=values)))


def test_several_inputs_share_rows_and_symbols():
    model = two_inputs()
    a, b = np.ones((3, 5, 2)), np.zeros((3, 5, 1))
    for x in ([a, b], (a, b), {"b": b, "a": a}):
        np.testing.assert_array_equal(model.predict(x), np.concatenate([a, b], 2))
    with pytest.raises(nnpack.ShapeError, match="time = 5"):
        model.predict([a, np.zeros((3, 4, 1))])
    with pytest.raises(nnpack.ShapeError, match="batch = 3"):
        model.predict([a, np.zeros((2, 5, 1))])
    with pytest.raises(nnpack.InputError, match="input-number"):
        model.predict(a)
    with pytest.raises(nnpack.InputError, match="input-names"):
        model.predict({"a": a})
    np.testing.assert_array_equal(model.predict([a[..., :2], b[..., 0]])[..., 2], b[..., 0])  # as Keras expands it


def test_integers_that_do_not_fit():
    value = Value("x", "uint8", ("batch", 2))
    model = nnpack.loads(
        packed(document([layer("y", "cast", ["x"], ("batch", 2), None, {"dtype": "float32"})], inputs=[value]))
    )
    np.testing.assert_array_equal(model.predict([[0, 255]]), [[0, 255]])
    for x, code in (([[256, 0]], "input-range"), ([[-1, 0]], "input-range"), ([[0.5, 0]], "input-type")):
        with pytest.raises(nnpack.InputError, match=code):
            model.predict(x)


def test_structure_of_outputs():
    doc = perceptron()._replace(outputs=("y", "h", "y"), output_structure={"b": [0, 1], "a": 2})
    answer = nnpack.loads(packed(doc)).predict(X)
    assert list(answer) == ["a", "b"] or list(answer) == ["b", "a"]
    np.testing.assert_array_equal(answer["a"], answer["b"][0])
    assert answer["a"] is not answer["b"][0]
    assert answer["b"][1].shape == (11, 3)


def test_weights_are_read_only_views_of_the_file(tmp_path):
    (tmp_path / "m.nnpack").write_bytes(packed(with_selftest(perceptron())))
    model = nnpack.load(tmp_path / "m.nnpack")
    assert list(model.weights) == ["h/kernel", "h/bias", "y/kernel", "y/bias"]
    for name, array in model.weights.items():
        assert not array.flags.owndata
        assert not array.flags.writeable
        np.testing.assert_array_equal(array, perceptron().tensors[name].array)
    with pytest.raises(KeyError):
        model.weights["in"]


def test_bytes_that_are_not_aligned():
    data = packed(perceptron())
    for shift in range(9):
        buffer = bytearray(shift) + data
        close(nnpack.loads(memoryview(buffer)[shift:]).predict(X), expected(perceptron(), X))


def test_the_caller_cannot_change_a_loaded_model():
    buffer = bytearray(packed(perceptron()))
    model = nnpack.loads(buffer)
    buffer[-64:] = bytes(64)
    close(model.predict(X), expected(perceptron(), X))


def test_selftest():
    doc = with_selftest(perceptron())
    found = nnpack.loads(packed(doc)).selftest()
    assert found.rows == 3
    assert 0 <= found.worst < 1
    wrong = doc.tensors["out"].array.copy()
    wrong[1, 0] += 1e-3
    broken = doc._replace(tensors={**doc.tensors, "out": tensor("out", wrong)})
    with pytest.raises(nnpack.SelfTestError, match=r"selftest-failed at y\[1, 0\]"):
        nnpack.loads(packed(broken)).selftest()
    with pytest.raises(nnpack.SelfTestError, match="selftest-absent"):
        nnpack.loads(packed(perceptron())).selftest()


def test_summary(model):
    lines = []
    model.summary(print_fn=lines.append)
    assert lines[0] == "Model: model"
    assert lines[-1] == "Weights: 23 (92 bytes)"
    assert [line.split()[0] for line in lines[3:-1]] == ["x", "h/dense", "h", "y"]


def test_storage_types():
    kernel = np.array([[1.5, -2.0], [0.25, 1e-3], [3.0, 0.0], [-1.0, 7.0]], np.float32)
    bits = (kernel.view(np.uint32) >> 16).astype(np.uint16)  # truncation is exact for what has few bits
    half = kernel.astype(np.float16)
    quantized = np.array([[1, -2], [127, -127], [0, 4], [5, 6]], np.int8)
    scale, zero = np.array([0.5, 0.25], np.float32), np.array([3, -1], np.int8)
    cases = {
        "bfloat16": ([tensor("w", bits, "bfloat16")], (bits.astype(np.uint32) << 16).view(np.float32)),
        "float16": ([tensor("w", half)], half.astype(np.float32)),
        "int8": (
            [tensor("w", quantized, quantization=Quantization("s", "z", 1)), tensor("s", scale), tensor("z", zero)],
            (quantized.astype(np.float32) - zero) * scale,
        ),
    }
    for tensors, real in cases.values():
        doc = document([layer("y", "dense", ["x"], ("batch", 2), {"kernel": "w"})], tensors)
        model = nnpack.loads(packed(doc))
        np.testing.assert_array_equal(model.weights["w"], real)
        np.testing.assert_array_equal(model.predict(np.eye(4)), real)


def test_damage_of_the_payload_is_found_unless_the_caller_does_not_look():
    data = bytearray(packed(perceptron()))
    data[-1] ^= 1
    with pytest.raises(nnpack.FormatError, match="hash-mismatch"):
        nnpack.loads(bytes(data))
    nnpack.loads(bytes(data), verify=False)


def test_damage_anywhere_is_refused_or_changes_no_number():
    doc = perceptron()
    slope = layer("z", "leaky_relu", ["y"], ("batch", 2), attributes={"negative_slope": 0.3})
    doc = with_selftest(doc._replace(layers=(*doc.layers, slope), outputs=("z",)))
    x = np.random.RandomState(5).uniform(-1, 1, (3, 4)).astype(np.float32)
    y = nnpack.loads(packed(doc), verify=False).predict(x)
    doc = doc._replace(tensors={**doc.tensors, "out": tensor("out", y)})
    data = packed(doc)
    survived = 0
    for at in range(len(data)):
        for bit in (0, 3, 6):
            damaged = bytearray(data)
            damaged[at] ^= 1 << bit
            try:
                model = nnpack.loads(bytes(damaged))
                received = model.predict(x)
            except nnpack.NnpackError:
                continue
            survived += 1
            assert np.abs(received - y).max() <= 1e-5
    assert survived < 0.2 * 3 * len(data)  # names, the producer, the last digits of an attribute


FILES = {
    "missing": (lambda path: None, "file-not-found"),
    "folder-missing": (lambda path: None, "file-not-found"),
    "directory": (lambda path: path.mkdir(), "file-is-directory"),
    "empty": (lambda path: path.write_bytes(b""), "empty-file"),
    "text": (lambda path: path.write_text("hello, world"), "wrong-magic"),
    "short-text": (lambda path: path.write_text("hi"), "wrong-magic"),
    "hdf5": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)), "wrong-magic"),
    "half": (lambda path: path.write_bytes(packed(perceptron())[:-60]), "truncated-payload"),
    "start": (lambda path: path.write_bytes(packed(perceptron())[:100]), "truncated-header"),
    "magic": (lambda path: path.write_bytes(packed(perceptron())[:5]), "truncated-header"),
    "pipe": (os.mkfifo, "file-not-regular"),  # nobody writes to it: opening it would wait for ever
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_none(name, tmp_path):
    path = tmp_path / "gone" / "m.nnpack" if name == "folder-missing" else tmp_path / "m.nnpack"
    make, code = FILES[name]
    make(path)
    with pytest.raises(nnpack.NnpackError) as caught:
        nnpack.load(path)
    assert caught.value.code == code
    if name == "missing":
        assert isinstance(caught.value, FileNotFoundError)


def test_every_truncation_is_refused():
    data = packed(with_selftest(perceptron()))
    for n in range(len(data)):
        with pytest.raises(nnpack.FormatError):
            nnpack.loads(data[:n])


def test_the_activation_limit():
    wide = [
        layer("a", "constant", [], (1, 4096, 1), {"value": "ones"}),
        layer("b", "reshape", ["x"], ("batch", 1, 4), attributes={"target_shape": [1, 4]}),
        layer("y", "add", ["a", "b"], ("batch", 4096, 4)),
    ]
    data = packed(document(wide, [tensor("ones", np.ones((1, 4096, 1), np.float32))]))
    assert nnpack.loads(data).predict(np.zeros((1, 4))).shape == (1, 4096, 4)
    with pytest.raises(nnpack.FormatError, match="activation-limit at /layers/2"):
        nnpack.loads(data, activation_limit=20_000)


def test_threads_may_share_a_model(model):
    reference = model(X)
    wrong = []

    def hammer():
        for _ in range(200):
            if not np.array_equal(model(X), reference):
                wrong.append(1)

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_dumping_what_was_loaded_gives_the_same_bytes():
    doc = with_selftest(perceptron())._replace(
        metadata={"note": "é", "list": [1, 2.5, True, {"b": {}, "a": []}]}, ext={"org.example.x": {"y": 1}}
    )
    data = packed(doc)
    assert nnpack.dumps(nnpack.loads(data)) == data


def test_what_a_reader_lacks_comes_before_what_follows_from_it():
    fields, payload = build(perceptron())
    fields |= {"requires": sorted([*fields["requires"], "feature:sparse", "op:lstm@2"]), "sparse": []}
    fields["tensors"][0]["dtype"] = "float8"
    data = b"".join(container.write((1, 3), fields, payload))
    with pytest.raises(nnpack.RequirementError) as caught:
        nnpack.loads(data)
    assert caught.value.received == "'feature:sparse', 'op:lstm@2'"


def test_a_dimension_that_does_not_divide():
    value = Value("x", "float32", ("batch", "time", 4))
    split = layer("y", "reshape", ["x"], ("batch", "pairs", 8), attributes={"target_shape": [-1, 8]})
    model = nnpack.loads(packed(document([split], inputs=[value])))
    assert model.predict(np.zeros((2, 6, 4))).shape == (2, 3, 8)
    assert model.predict(np.zeros((0, 6, 4))).shape == (0, 3, 8)
    with pytest.raises(nnpack.ShapeError, match="divides"):
        model.predict(np.zeros((2, 5, 4)))
