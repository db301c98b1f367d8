"""The demo, as `make demo` runs it, and the examples, as their README says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the examples train with Keras")

from nnpack.engine.accuracy import evaluate  # noqa: E402
from nnpack.exporters.keras import export  # noqa: E402

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
DEMO = EXAMPLES / "demo"

NO_KERAS = "raise ModuleNotFoundError(f'No module named {__name__!r} (forbidden by this test)')\n"

RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>
"""
"""LibreOffice's settings by which it computes every formula, instead of showing what the file says came out."""

needs_compiler = pytest.mark.skipif(not (shutil.which("cc") and shutil.which("make")), reason="needs a C compiler")
needs_awk = pytest.mark.skipif(not shutil.which("awk"), reason="needs awk")
needs_office = pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice: make packages")


def run(script, folder):
    return output(sys.executable, DEMO / script, folder)


def output(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_demo(tmp_path):
    trained = run("train.py", tmp_path)
    assert "regression: 1000 rows" in trained
    predicted = run("predict.py", tmp_path)
    assert "No module named 'keras' (forbidden by this demo)" in predicted
    differences = [float(number) for number in re.findall(r"difference from Keras ([\d.e-]+)", predicted)]
    assert len(differences) == 2
    assert max(differences) < 1e-5
    keras, nnpack = re.findall(r"accuracy under \w+: ([\d.]+)", predicted)
    assert keras == nnpack
    assert float(nnpack) > 0.85
    assert (tmp_path / "parity.png").read_bytes().startswith(b"\x89PNG")
    table = np.loadtxt(tmp_path / "sample_data.csv", delimiter=",", skiprows=1)
    assert table.shape == (1000, 5)
    x, y = table[:, :4], table[:, 4]
    noise = y - (1.2 * x[:, 0] - 2.1 * x[:, 1] + 0.7 * x[:, 2] ** 2 - 0.5 * x[:, 3] ** 2)
    assert 0.05 < noise.std() < 0.2


# Ways out of Keras


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What the examples share: two Keras models, their rows, and the file of one of them."""
    folder = tmp_path_factory.mktemp("examples")
    for script in ("train.py", "nnpack_dump.py"):
        output(sys.executable, EXAMPLES / script, folder)
    return folder


@pytest.fixture(scope="module")
def without_keras(tmp_path_factory):
    """An environment in which Keras and TensorFlow cannot be imported."""
    folder = tmp_path_factory.mktemp("no_keras")
    for name in ("keras", "tensorflow"):
        (folder / f"{name}.py").write_text(NO_KERAS)
    return {**os.environ, "PYTHONPATH": str(folder)}


class Expected:
    """What a model of Keras has to predict of its rows, and how far from that a float32 computation may be."""

    def __init__(self, folder, name):
        saved = np.load(folder / f"{name}_rows.npz")
        self.rows, self.keras = saved["x"], saved["keras"]
        document = export(keras.saving.load_model(folder / f"{name}.keras", compile=False)).document
        (reference,) = evaluate(document, [self.rows]).outputs.values()
        self.values, self.tolerance = reference
        self.check(self.keras)

    def check(self, y):
        """That the first rows, as many as are given, are within the tolerance."""
        assert np.all(np.abs(y - self.values[: len(y)]) <= self.tolerance[: len(y)])


def numbers(line):
    return np.array(line.split()[1:], float)


@pytest.mark.parametrize(("script", "name"), [("numpy_dot.py", "linear"), ("numpy_activations.py", "iris")])
def test_beside_keras(script, name, trained):
    check_printed(output(sys.executable, EXAMPLES / script, trained), Expected(trained, name))


def check_printed(text, expected):
    by_keras, ours, largest = text.splitlines()
    assert by_keras.split()[0] == "Keras"
    np.testing.assert_array_equal(numbers(by_keras).astype(np.float32), expected.keras[0])
    expected.check(numbers(ours)[np.newaxis])
    rows, difference = re.fullmatch(r"largest difference of (\d+) rows: ([\d.e-]+)", largest).groups()
    assert int(rows) == len(expected.rows)
    assert float(difference) <= 2 * expected.tolerance.max()


def test_arrays_where_keras_is_missing(trained, without_keras):
    saved = output(sys.executable, EXAMPLES / "arrays_save.py", trained)
    assert "hidden/kernel (4, 8)" in saved.splitlines()
    loaded = output(sys.executable, EXAMPLES / "arrays_load.py", trained, env=without_keras)
    check_printed(loaded, Expected(trained, "iris"))


def test_nnpack_where_keras_is_missing(trained, without_keras):
    loaded = output(sys.executable, EXAMPLES / "nnpack_load.py", trained, env=without_keras)
    check_printed(loaded, Expected(trained, "iris"))


@pytest.fixture(scope="module")
def weights(trained, without_keras):
    """The CSV files of the weights."""
    output(sys.executable, EXAMPLES / "csv_folder.py", trained, env=without_keras)
    return trained / "iris_csv" / "weights"


def check_table(text, expected):
    y = np.array([line.split(",") for line in text.splitlines()], float)
    assert y.shape == expected.keras.shape
    expected.check(y)


@needs_awk
def test_csv_read_by_awk(trained, weights):
    tensors = [weights / f"{name}.csv" for name in ("hidden_kernel", "hidden_bias", "kind_kernel", "kind_bias")]
    predicted = output("awk", "-f", EXAMPLES / "csv_predict.awk", *tensors, trained / "iris_rows.csv")
    check_table(predicted, Expected(trained, "iris"))


@needs_compiler
def test_csv_read_by_c(trained, weights, tmp_path):
    warnings = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    output("cc", *warnings, EXAMPLES / "csv_predict.c", "-lm", "-o", tmp_path / "csv_predict")
    with open(trained / "iris_rows.csv") as rows:
        predicted = output(tmp_path / "csv_predict", weights, stdin=rows)
    check_table(predicted, Expected(trained, "iris"))
    refused = subprocess.run([tmp_path / "csv_predict", tmp_path], capture_output=True, text=True, input="")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "hidden_kernel.csv: expected 32 numbers" in refused.stderr


@needs_compiler
def test_c_program(trained):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    printed = output("sh", EXAMPLES / "c_program.sh", trained, env={**os.environ, "PATH": path})
    Expected(trained, "iris").check(numbers(printed.splitlines()[-1])[np.newaxis])


@needs_office
def test_spreadsheet(trained, without_keras, tmp_path):
    pytest.importorskip("xlsxwriter", reason="the spreadsheet is written with XlsxWriter")
    output(sys.executable, EXAMPLES / "spreadsheet.py", trained, env=without_keras)
    expected = Expected(trained, "iris")
    typed = tmp_path / "iris.xlsx"
    type_rows(trained / "iris.xlsx", typed, expected.rows[:3])
    profile = tmp_path / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(RECALCULATE)
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
    office = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless"]
    output(*office, "--convert-to", every_sheet, "--outdir", tmp_path, typed)
    lines = (tmp_path / "iris-output.csv").read_text().splitlines()
    rows = [line.replace('"', "").split(",")[1:] for line in lines if re.match(r"row \d", line)]
    assert len(rows) == 3
    expected.check(np.array(rows, float))


def type_rows(source, target, rows):
    """Writes numbers into the first sheet of a workbook, as a person does who types them."""
    with zipfile.ZipFile(source) as book, zipfile.ZipFile(target, "w") as typed:
        for name in book.namelist():
            data = book.read(name)
            if name == "xl/worksheets/sheet1.xml":
                for i, row in enumerate(rows):
                    for column, number in zip("BCDE", row.tolist(), strict=True):
                        cell = rf'(<c r="{column}{5 + i}"[^>]*><v>)[^<]*'
                        data, found = re.subn(cell.encode(), rb"\g<1>" + repr(number).encode(), data)
                        assert found == 1
            typed.writestr(name, data)


def test_readme_lists_every_example():
    listed = set(re.findall(r"\]\(([\w./]+)\)", (EXAMPLES / "README.md").read_text("utf-8")))
    there = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}
    assert listed == there | {"demo"}
