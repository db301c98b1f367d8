"""Dumping: what is written is right, or nothing is."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers  # noqa: E402

import nnpack  # noqa: E402
from documents import document, layer, packed, perceptron, tensor, with_selftest  # noqa: E402
from generate.negative.declare import PERCEPTRON  # noqa: E402
from nnpack.errors import FormatError  # noqa: E402
from nnpack.format import files  # noqa: E402
from nnpack.ops import OPERATORS  # noqa: E402


def network(units=3):
    keras.utils.set_random_seed(4)
    x = keras.Input((4,), name="x")
    hidden = layers.Dense(5, activation="tanh", name="hidden")(x)
    model = keras.Model(x, layers.Dense(units, activation="softmax", name="p")(hidden), name="net")
    for variable in model.weights:
        variable.assign(np.random.RandomState(variable.shape[0]).uniform(-1, 1, variable.shape))
    return model


@pytest.fixture(scope="module")
def model():
    return network()


X = np.random.RandomState(0).uniform(-2, 2, (9, 4)).astype(np.float32)


def nothing_else(folder, *names):
    assert sorted(os.listdir(folder)) == sorted(names)


def test_the_report(model, tmp_path):
    report = nnpack.dump(model, tmp_path / "m.nnpack")
    data = (tmp_path / "m.nnpack").read_bytes()
    nothing_else(tmp_path, "m.nnpack")
    assert report.nbytes == len(data)
    assert report.sha256 == hashlib.sha256(data).hexdigest()
    assert report.path == str(tmp_path / "m.nnpack")
    (output,) = report.comparison.outputs
    assert output.name == "p"
    assert 0 <= output.tolerance_use <= 0.5
    assert report.comparison.compared == report.comparison.rows == 61
    assert report.storage_errors == {}
    assert "largest difference from Keras" in str(report)
    loaded = nnpack.load(tmp_path / "m.nnpack")
    assert loaded.selftest().rows == 16
    assert np.abs(loaded.predict(X) - model.predict(X, verbose=0)).max() < 1e-6


def test_bytes_are_those_of_the_file(model, tmp_path):
    nnpack.dump(model, tmp_path / "m.nnpack")
    data = (tmp_path / "m.nnpack").read_bytes()
    assert nnpack.dumps(model) == data
    nnpack.dump(nnpack.load(tmp_path / "m.nnpack"), tmp_path / "again.nnpack")
    assert (tmp_path / "again.nnpack").read_bytes() == data
    assert nnpack.validate(tmp_path / "m.nnpack") == []


def test_another_process_writes_the_same_bytes(model, tmp_path):
    path = tmp_path / "m.keras"
    model.save(path)
    code = f"import keras, nnpack; print(nnpack.dump(keras.saving.load_model({str(path)!r}), 'm.nnpack').sha256)"
    hashes = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TF_ENABLE_ONEDNN_OPTS": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
        )
        hashes.add(done.stdout.split()[-1])
    assert hashes == {hashlib.sha256(nnpack.dumps(model)).hexdigest()}


@pytest.mark.parametrize("weights", ["float16", "bfloat16", "int8"])
def test_smaller_storage_types(model, tmp_path, weights):
    report = nnpack.dump(model, tmp_path / "m.nnpack", weights=weights)
    loaded = nnpack.load(tmp_path / "m.nnpack")
    plain = nnpack.loads(nnpack.dumps(model))
    stored = {tensor.dtype for name, tensor in loaded.document.tensors.items() if name.endswith("kernel")}
    assert stored == {weights}
    kernel = model.get_layer("hidden").kernel.numpy()
    step = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "int8": 0.5 / 127}[weights]
    assert 0 < np.abs(loaded.weights["hidden/kernel"] - kernel).max() <= step * np.abs(kernel).max()
    moved = np.abs(loaded.predict(X) - plain.predict(X)).max()
    assert 0 < moved < 0.1
    assert report.storage_errors["p"] == pytest.approx(moved, rel=20)
    assert "float32 weights" in str(report)
    assert loaded.selftest().worst < 0.5
    data = (tmp_path / "m.nnpack").read_bytes()
    assert nnpack.dumps(loaded) == nnpack.dumps(loaded, weights=weights) == data
    assert nnpack.dumps(plain, weights=weights, selftest=False) == nnpack.dumps(model, weights=weights, selftest=False)


def test_int8_of_a_channel_of_zeros():
    kernel = np.array([[0, 2.54], [0, -1.27], [0, 0], [0, 0.5]], np.float32)
    doc = document([layer("y", "dense", ["x"], ("batch", 2), {"kernel": "w"})], [tensor("w", kernel)])
    stored = nnpack.loads(nnpack.dumps(nnpack.loads(packed(doc)), weights="int8"))
    assert stored.document.tensors["w"].array.tolist() == [[0, 127], [0, -64], [0, 0], [0, 25]]  # -63.5 is even at -64
    assert np.abs(stored.weights["w"] - kernel).max() <= 0.01


def test_constants_are_not_stored_smaller():
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2, name="dense")(layers.Rescaling(1 / 255, offset=0.1, name="rescaling")(x)))
    loaded = nnpack.loads(nnpack.dumps(model, weights="float16"))
    assert loaded.weights["rescaling/scale"].dtype == np.float32
    assert loaded.weights["dense/kernel"].dtype == np.float16


def test_without_a_selftest(model, tmp_path):
    nnpack.dump(model, tmp_path / "m.nnpack", selftest=False)
    loaded = nnpack.load(tmp_path / "m.nnpack")
    assert loaded.document.selftest is None
    assert len(nnpack.dumps(model)) > len(nnpack.dumps(model, selftest=False))
    with_one = nnpack.loads(nnpack.dumps(model))
    assert nnpack.dumps(with_one, selftest=False) == nnpack.dumps(model, selftest=False)


def test_large_models_get_no_selftest():
    x = keras.Input((20_000,))
    model = keras.Model(x, layers.Dense(1, use_bias=False)(x))
    assert nnpack.loads(nnpack.dumps(model)).document.selftest is None


def test_size(tmp_path):
    def network(inputs, *hidden):
        named = [layers.Dense(n, a, name=f"dense_{i}" if i else "dense") for i, (n, a) in enumerate(hidden)]
        return keras.Sequential([keras.Input((inputs,), name="input_layer"), *named], name="sequential")

    seed = network(4, (20, None), (10, None), (1, None))
    images = network(784, (512, "relu"), (512, "relu"), (10, "softmax"))
    for model in (seed, images):
        size = nnpack.dump(model, tmp_path / "m.nnpack").nbytes
        loaded = nnpack.load(tmp_path / "m.nnpack")
        stored = loaded.document.tensors.values()
        assert size <= sum(item.array.nbytes for item in stored) + 64 * len(stored) + 300 * len(loaded.layers)


# Nothing wrong is written


def test_a_mismatch_names_the_layer_and_leaves_what_was_there(model, tmp_path, monkeypatch):
    path = tmp_path / "m.nnpack"
    path.write_bytes(b"precious")
    right = OPERATORS["tanh@1"]
    monkeypatch.setitem(OPERATORS, "tanh@1", right._replace(function=lambda x: right.function(x) * 1.001))
    with pytest.raises(nnpack.ExportMismatchError) as caught:
        nnpack.dump(model, path)
    assert caught.value.layer == "hidden"
    assert path.read_bytes() == b"precious"
    nothing_else(tmp_path, "m.nnpack")


def test_a_wrong_weight_is_a_mismatch(model, tmp_path, monkeypatch):
    from nnpack.exporters.keras import call

    honest = call.to_numpy
    monkeypatch.setattr(call, "to_numpy", lambda weight: honest(weight).astype(np.float16).astype(np.float32))
    with pytest.raises(nnpack.ExportMismatchError) as caught:
        nnpack.dump(model, tmp_path / "m.nnpack")
    assert caught.value.layer == "hidden"
    nothing_else(tmp_path)


def test_the_selftest_is_confirmed_by_keras_even_without_verify(model, tmp_path, monkeypatch):
    right = OPERATORS["tanh@1"]
    monkeypatch.setitem(OPERATORS, "tanh@1", right._replace(function=lambda x: right.function(x) * 1.001))
    with pytest.raises(nnpack.ExportMismatchError):
        nnpack.dump(model, tmp_path / "m.nnpack", verify=False)
    nothing_else(tmp_path)
    report = nnpack.dump(model, tmp_path / "m.nnpack", verify=False, selftest=False)
    assert report.comparison is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite(tmp_path, bad):
    model = network()
    kernel = model.get_layer("hidden").kernel
    numbers = kernel.numpy()
    numbers[1, 2] = bad
    kernel.assign(numbers)
    with pytest.raises(nnpack.ModelError, match="weights-not-finite") as caught:
        nnpack.dump(model, tmp_path / "m.nnpack")
    assert "hidden/kernel" in str(caught.value)
    nothing_else(tmp_path)
    nnpack.dump(model, tmp_path / "m.nnpack", allow_nonfinite=True)
    loaded = nnpack.load(tmp_path / "m.nnpack")
    assert "feature:nonfinite" in loaded.document.requires()
    np.testing.assert_allclose(loaded.predict(X), model.predict(X, verbose=0), rtol=1e-5)


def test_weights_that_overflow(tmp_path):
    model = network()
    model.get_layer("p").bias.assign([1e5, 0, 0])
    with pytest.raises(nnpack.ModelError, match="weights-overflow") as caught:
        nnpack.dump(model, tmp_path / "m.nnpack", weights="float16")
    assert "p/bias" in str(caught.value)
    nothing_else(tmp_path)
    nnpack.dump(model, tmp_path / "m.nnpack", weights="bfloat16")


def test_targets(model):
    assert nnpack.dumps(model, target=(1, 0)) == nnpack.dumps(model)
    for target in ((0, 9), (1, 7), (2, 0), (1,), "1.0", (1, -1), (1, 0.0)):
        with pytest.raises(nnpack.ModelError, match="target-unknown"):
            nnpack.dumps(model, target=target)


def test_an_unknown_storage_type(model):
    with pytest.raises(nnpack.ModelError, match="storage-type"):
        nnpack.dumps(model, weights="int4")


# Places that cannot be written


def dump_fails(path, code, **more):
    with pytest.raises(nnpack.FileError) as caught:
        nnpack.dump(nnpack.loads(packed(perceptron())), path, **more)
    assert caught.value.code == code
    assert isinstance(caught.value, OSError)
    assert os.fspath(path) in str(caught.value)


def test_a_folder_that_is_missing(tmp_path):
    dump_fails(tmp_path / "gone" / "m.nnpack", "file-not-found")
    nothing_else(tmp_path)


def test_a_path_that_is_a_folder(tmp_path):
    (tmp_path / "m.nnpack").mkdir()
    dump_fails(tmp_path / "m.nnpack", "file-is-directory")
    nothing_else(tmp_path, "m.nnpack")


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    dump_fails(tmp_path / "file" / "m.nnpack", "file-not-found")


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "m.nnpack")
    dump_fails(tmp_path / "m.nnpack", "file-not-regular")
    assert (tmp_path / "m.nnpack").is_fifo()
    nothing_else(tmp_path, "m.nnpack")


def test_paths_that_are_none():
    for path, code in (("", "file-is-directory"), ("a\0b", "file-not-found"), ("gone/", "file-is-directory")):
        with pytest.raises(nnpack.FileError) as caught:
            nnpack.dump(nnpack.loads(packed(perceptron())), path)
        assert caught.value.code == code
    with pytest.raises(nnpack.MissingFileError):
        nnpack.load("a\0b")
    with pytest.raises(nnpack.MissingFileError):
        nnpack.load("")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_is_read_only(tmp_path, monkeypatch, number):
    # permissions do not stop root, as which tests may run: the system's answer is put in its place
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "open", refuse)
    dump_fails(tmp_path / "m.nnpack", "file-not-permitted")
    nothing_else(tmp_path)


def test_a_full_disk(tmp_path):
    path = tmp_path / "m.nnpack"
    path.write_bytes(b"precious")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, limits[1]))
    try:
        dump_fails(path, "disk-full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"precious"
    nothing_else(tmp_path, "m.nnpack")


def test_permissions_of_a_replaced_file_and_links_stay(tmp_path):
    real = tmp_path / "real.nnpack"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "link.nnpack"
    link.symlink_to(real)
    nnpack.dump(nnpack.loads(packed(perceptron())), link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.read_bytes() == packed(perceptron())


def test_an_interrupted_dump_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        nnpack.dump(nnpack.loads(packed(with_selftest(perceptron()))), tmp_path / "m.nnpack")
    nothing_else(tmp_path)


def test_a_path_may_be_text_or_bytes_or_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = nnpack.loads(packed(perceptron()))
    nnpack.dump(model, "m.nnpack")
    nnpack.dump(model, Path("n.nnpack"))
    nnpack.dump(model, b"o.nnpack")
    nothing_else(tmp_path, "m.nnpack", "n.nnpack", "o.nnpack")
    assert nnpack.load(b"o.nnpack").name == "model"


def test_keys_that_normal_form_makes_one_are_refused():
    twins = {"\u00e9": 1, "e\u0301": 2}
    model = nnpack.loads(bytes(PERCEPTRON.but(lambda header: header.update(ext={"org.example.note": twins}))))
    with pytest.raises(FormatError) as caught:
        nnpack.dumps(model)
    assert caught.value.code == "duplicate-key"
