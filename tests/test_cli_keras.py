"""The command line's export and verify, on models that Keras saves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from hashlib import sha256

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="export and verify need Keras")

import nnpack  # noqa: E402
from nnpack.cli import main  # noqa: E402

# how TensorFlow's variables answer numpy 2, when Keras saves them
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model with two outputs; the same with other weights in its layer y; one that cannot be exported."""
    folder = tmp_path_factory.mktemp("keras")
    keras.utils.set_random_seed(7)
    x = keras.Input((4,), name="x")
    h = keras.layers.Dense(8, activation="relu", name="h")(x)
    y = keras.layers.Dense(1, name="y")(h)
    p = keras.layers.Dense(3, activation="softmax", name="p")(h)
    model = keras.Model(x, [y, p], name="demo")
    model.save(folder / "m.keras")
    layer = model.get_layer("y")
    layer.set_weights([w + np.float32(0.5) for w in layer.get_weights()])
    model.save(folder / "other.keras")
    spectral = [keras.layers.STFTSpectrogram(frame_length=8, frame_step=4, fft_length=8, name=name) for name in "st"]
    signal = keras.Input((64, 1))
    keras.Model(signal, [layer(signal) for layer in spectral]).save(folder / "refused.keras")
    return folder


@pytest.fixture
def exported(saved, tmp_path, capsys):
    path = tmp_path / "m.nnpack"
    assert main(["export", str(saved / "m.keras"), str(path)]) == 0
    capsys.readouterr()
    return str(path)


def error_line(capsys):
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err[len("error: ") : -1]


def cells(out):
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines() if line[0] == "│"]


def rows(n=20):
    return np.random.default_rng(4).normal(size=(n, 4)).astype(np.float32)


def test_export_reports_what_it_wrote(saved, tmp_path, capsys):
    path = tmp_path / "m.nnpack"
    assert main(["export", str(saved / "m.keras"), str(path)]) == 0
    out = capsys.readouterr().out
    data = path.read_bytes()
    assert f"File     {path} ({len(data):,} bytes)" in out
    assert f"SHA-256  {sha256(data).hexdigest()}" in out
    assert [(row[0], row[-1]) for row in cells(out)] == [("y", "agrees"), ("p", "agrees")]
    x = rows()
    expected = keras.saving.load_model(saved / "m.keras").predict(x, verbose=0)
    for ours, theirs in zip(nnpack.load(path).predict(x), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_export_json(saved, tmp_path, capsys):
    path = tmp_path / "m.nnpack"
    assert main(["export", str(saved / "m.keras"), str(path), "--weights", "float16", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["file"], facts["nbytes"]) == (str(path), path.stat().st_size)
    assert [output["name"] for output in facts["comparison"]["outputs"]] == ["y", "p"]
    assert all(output["tolerance_use"] <= 1 for output in facts["comparison"]["outputs"])
    assert facts["storage"] == "float16"
    assert 0 < facts["storage_errors"]["p"] < 0.1
    assert nnpack.load(path).document.tensors["h/kernel"].dtype == "float16"


def test_export_shows_what_smaller_weights_cost(saved, tmp_path, capsys):
    assert main(["export", str(saved / "m.keras"), str(tmp_path / "m.nnpack"), "--weights", "int8"]) == 0
    assert "int8 weights  move y by at most " in capsys.readouterr().out


def test_export_without_selftest_and_verification(saved, tmp_path, capsys):
    path = tmp_path / "m.nnpack"
    options = ["--no-selftest", "--no-verify", "--json"]
    assert main(["export", str(saved / "m.keras"), str(path), *options]) == 0
    assert json.loads(capsys.readouterr().out)["comparison"] is None
    assert nnpack.load(path).document.selftest is None


def test_export_is_silent_on_stderr(saved, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    result = subprocess.run(
        [sys.executable, "-m", "nnpack", "export", saved / "m.keras", tmp_path / "m.nnpack"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_export_says_every_reason_of_a_refusal(saved, tmp_path, capsys):
    path = tmp_path / "m.nnpack"
    assert main(["export", str(saved / "refused.keras"), str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.partition(" at ")[2].partition(":")[0] for line in err.splitlines()] == [
        "layer 's' (STFTSpectrogram)",
        "layer 't' (STFTSpectrogram)",
    ]
    assert main(["export", str(saved / "refused.keras"), str(path), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert [problem["at"] for problem in error["problems"]] == [
        "layer 's' (STFTSpectrogram)",
        "layer 't' (STFTSpectrogram)",
    ]
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [("junk.keras", b"no archive"), ("empty.keras", b""), ("junk.h5", b"no archive"), ("junk.txt", b"text")],
)
def test_export_of_no_keras_file(name, content, tmp_path, capsys):
    (tmp_path / name).write_bytes(content)
    assert main(["export", str(tmp_path / name), str(tmp_path / "m.nnpack")]) == 1
    assert str(tmp_path / name) in error_line(capsys)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("config", ["{", "{}", '{"class_name": "Nothing", "config": {}}', "[]"])
def test_export_of_a_damaged_archive(config, tmp_path, capsys):
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", config)
    assert main(["export", str(path), str(tmp_path / "m.nnpack")]) == 1
    assert error_line(capsys).startswith(f"keras-file at {path}: expected a model that keras.saving.load_model loads")


def test_export_of_a_cut_archive(saved, tmp_path, capsys):
    path = tmp_path / "m.keras"
    path.write_bytes((saved / "m.keras").read_bytes()[:-100])
    assert main(["export", str(path), str(tmp_path / "m.nnpack")]) == 1
    assert error_line(capsys).startswith(f"keras-file at {path}")


def test_export_of_a_directory_or_nothing(tmp_path, capsys):
    assert main(["export", str(tmp_path), str(tmp_path / "m.nnpack")]) == 1
    assert error_line(capsys).startswith(f"file-is-directory at {tmp_path}: expected a Keras file")
    assert main(["export", str(tmp_path / "no.keras"), str(tmp_path / "m.nnpack")]) == 1
    assert error_line(capsys).startswith("file-not-found")


def test_export_does_not_overwrite_its_source(saved, capsys):
    before = (saved / "m.keras").read_bytes()
    assert main(["export", str(saved / "m.keras"), str(saved / "m.keras")]) == 1
    assert error_line(capsys).startswith("file-same")
    assert (saved / "m.keras").read_bytes() == before


def test_verify_agrees(saved, exported, tmp_path, capsys):
    plot = tmp_path / "parity.png"
    assert main(["verify", exported, str(saved / "m.keras"), "--plot", str(plot)]) == 0
    out = capsys.readouterr().out
    assert [(row[0], row[-1]) for row in cells(out)] == [("y", "agrees"), ("p", "agrees")]
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("ending", [".npy", ".csv"])
def test_verify_on_data(saved, exported, ending, tmp_path, capsys):
    data = tmp_path / f"rows{ending}"
    if ending == ".npy":
        np.save(data, rows())
    else:
        np.savetxt(data, rows(), fmt="%.9g", delimiter=",")
    assert main(["verify", exported, str(saved / "m.keras"), "--data", str(data), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["agrees"], facts["rows"], facts["diverging"]) == (True, 20, None)


def test_verify_names_the_first_layer_that_diverges(saved, exported, tmp_path, capsys):
    plot = tmp_path / "parity.png"
    np.save(tmp_path / "rows.npy", rows())
    data = ["--data", str(tmp_path / "rows.npy")]
    assert main(["verify", exported, str(saved / "other.keras"), *data, "--plot", str(plot)]) == 1
    out = capsys.readouterr().out
    assert [(row[0], row[-1]) for row in cells(out)] == [("y", "diverges"), ("p", "agrees")]
    assert "They diverge: the first layer that does is y." in out
    assert plot.exists()
    assert main(["verify", exported, str(saved / "other.keras"), *data, "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    y = keras.saving.load_model(saved / "other.keras").predict(rows(), verbose=0)[0]
    expected = np.abs(y - keras.saving.load_model(saved / "m.keras").predict(rows(), verbose=0)[0]).max()
    assert facts["diverging"] == "y"
    assert facts["outputs"][0]["largest_error"] == pytest.approx(expected, rel=1e-4)


def test_verify_judges_smaller_weights_by_what_they_stand_for(saved, tmp_path, capsys):
    path = str(tmp_path / "m.nnpack")
    assert main(["export", str(saved / "m.keras"), path, "--weights", "int8"]) == 0
    assert main(["verify", path, str(saved / "m.keras")]) == 0
    assert "The file stores weights as int8, which moves numbers" in capsys.readouterr().out


def test_verify_refuses(saved, exported, tmp_path, capsys):
    model = str(saved / "m.keras")
    np.save(tmp_path / "rows.npy", np.zeros((2, 5), np.float32))
    assert main(["verify", exported, model, "--data", str(tmp_path / "rows.npy")]) == 1
    assert error_line(capsys) == "shape at input 'x': expected (batch, 4), received (2, 5)"
    assert main(["verify", exported, model, "--plot", str(tmp_path / "parity.gif")]) == 1
    assert error_line(capsys).startswith("plot-kind")
    assert main(["verify", exported, model, "--plot", exported]) == 1
    assert error_line(capsys).startswith("file-same")
    assert main(["verify", model, exported]) == 1
    assert error_line(capsys).startswith("wrong-magic")
