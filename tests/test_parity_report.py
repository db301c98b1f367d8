"""nnpack verify --html: what is measured, and the page that tells it, in a browser too."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="verify needs Keras")

import nnpack  # noqa: E402
from nnpack.cli import main  # noqa: E402
from nnpack.cli.parity import CHUNK, LayerParity, OutputParity, Parity, measure  # noqa: E402
from nnpack.cli.parity_pictures import DECADES, LEFT, POINTS, SIZE, histogram, scatter  # noqa: E402
from nnpack.cli.parity_report import DRAWN, ROWS, parity_page  # noqa: E402
from nnpack.engine.accuracy import evaluate  # noqa: E402
from nnpack.exporters.keras import Comparison, OutputComparison, compare, export  # noqa: E402
from test_conformance_reports import Page  # noqa: E402

# how TensorFlow's variables answer numpy 2, when Keras saves them
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr"),
]


def rows(n):
    return np.random.default_rng(4).normal(size=(n, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two Keras models that differ in the weights of y, the file of the first, and rows."""
    folder = tmp_path_factory.mktemp("parity")
    keras.utils.set_random_seed(7)
    x = keras.Input((4,), name="x")
    h = keras.layers.Dense(8, activation="relu", name="h")(x)
    y = keras.layers.Dense(1, name="y")(h)
    p = keras.layers.Dense(3, activation="softmax", name="p")(h)
    model = keras.Model(x, [y, p], name="demo")
    model.save(folder / "m.keras")
    nnpack.dump(model, folder / "m.nnpack")
    nnpack.dump(model, folder / "int8.nnpack", weights="int8")
    layer = model.get_layer("y")
    layer.set_weights([w + np.float32(0.5) for w in layer.get_weights()])
    model.save(folder / "other.keras")
    np.save(folder / "rows.npy", rows(100))
    return folder


def measured(keras_model, model, inputs):
    exported = export(keras_model)
    return measure(compare(keras_model, model, inputs, exported=exported), exported, model, inputs)


# What is measured


def test_every_element_of_every_row(saved):
    model, keras_model = nnpack.load(saved / "m.nnpack"), keras.saving.load_model(saved / "m.keras")
    x = rows(CHUNK + 50)
    x[3] = 3e38  # beyond float32's range on its way
    parity = measured(keras_model, model, [x])
    kept = np.delete(np.arange(len(x)), 3)
    predicted = zip(parity.outputs, keras_model.predict(x[kept], verbose=0), model.predict(x[kept]), strict=True)
    for output, by_keras, by_nnpack in predicted:
        np.testing.assert_array_equal(output.rows, kept)
        np.testing.assert_allclose(output.keras, by_keras, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(output.nnpack, by_nnpack, rtol=1e-4, atol=1e-6)
        difference = np.abs(output.keras.astype(float) - output.nnpack.astype(float))
        np.testing.assert_array_equal(output.error, difference)
        tolerance = evaluate(model.document, [x[:CHUNK]]).outputs[output.name].tolerance
        first = kept < CHUNK
        np.testing.assert_allclose(output.use[first] * np.delete(tolerance, 3, axis=0), difference[first])
        assert output.use.max() <= 2  # each of the two is within one of the exact number


def test_each_layer_answers_for_itself(saved):
    model, other = nnpack.load(saved / "m.nnpack"), keras.saving.load_model(saved / "other.keras")
    x = rows(20)
    layers = {layer.name: layer for layer in measured(other, model, [x]).layers}
    assert [(name, layer.class_name) for name, layer in layers.items()] == [
        ("h", "Dense"),
        ("y", "Dense"),
        ("p", "Dense"),
    ]
    kernel, bias = other.get_layer("h").get_weights()
    hidden = np.maximum(x @ kernel + bias, 0)
    moved = 0.5 * hidden.sum(axis=1) + 0.5  # 0.5 is what each weight of y differs by
    assert layers["y"].error == pytest.approx(moved.max(), rel=1e-5)
    assert layers["y"].use > 1000
    assert layers["h"].use <= 2
    assert layers["p"].use <= 2


def test_a_model_with_states():
    x = keras.Input(batch_shape=(2, 3, 4), name="x")
    keras.utils.set_random_seed(3)
    keras_model = keras.Model(x, keras.layers.LSTM(5, stateful=True, name="lstm")(x))
    model = nnpack.loads(nnpack.dumps(keras_model))
    parity = measured(keras_model, model, [np.random.default_rng(1).normal(size=(2, 3, 4)).astype(np.float32)])
    assert [layer.name for layer in parity.layers] == ["lstm"]
    assert all(0 <= layer.use <= 2 and layer.error < 1e-5 for layer in parity.layers)
    assert parity.outputs[0].keras.shape == (2, 5)


# The page


def output(name, by_keras, by_nnpack, tolerance=1e-6):
    error = np.abs(by_keras - by_nnpack)
    return OutputParity(name, np.arange(len(error)), by_keras, by_nnpack, error, error / tolerance)


def page(outputs, layers=(), diverging=None, title="model", note="", facts=None):
    compared = tuple(OutputComparison(item.name, item.error.max(), item.use.max() / 2, (0, 0)) for item in outputs)
    count = len(outputs[0].rows)
    comparison = Comparison(count, count, compared, diverging, {}, {})
    return parity_page(title, comparison, Parity(tuple(outputs), tuple(layers)), facts or {}, note)


def test_quantiles_and_worst_rows():
    errors = np.arange(1, 101) * 2.0**-30  # the nth smallest is n
    y = np.zeros((100, 1))
    text = Page(page([output("y", y + errors[:, None], y, tolerance=2.0**-29)])).text
    # the next larger one, where the quantile lies between two
    for percent, n in (("50%", 51), ("90%", 91), ("99%", 100), ("100%", 100)):
        error, use = re.search(rf"{percent} ([\d.e-]+) ([\d.]+)", text).groups()
        assert float(error) == pytest.approx(n * 2.0**-30, rel=0.005)  # three digits are told
        assert float(use) == pytest.approx(n / 2, rel=0.05)  # two
    worst = text.partition("Rows with the largest errors")[2]
    assert re.findall(r"(\d+) y \[0\]", worst) == [str(99 - i) for i in range(ROWS)]


def test_a_large_table_makes_no_large_page():
    y = np.random.default_rng(1).normal(size=(250_000, 4))
    text = page([output("y", y, y + 1e-8)])
    assert len(text) < 100_000
    assert f"{POINTS:,} of 1,000,000 elements are shown" in Page(text).text
    many = [output(f"out{i:02}", y[:50], y[:50] + (i % 7) * 1e-8) for i in range(DRAWN + 9)]
    assert "9 more outputs are not drawn" in Page(page(many)).text


def test_numbers_that_are_not_finite():
    by_keras, by_nnpack = np.array([[1.0], [np.nan], [np.inf]]), np.array([[1.0], [2.0], [np.inf]])
    odd = OutputParity("y", np.arange(3), by_keras, by_nnpack, *[np.array([[0.0], [np.inf], [0.0]])] * 2)
    text = Page(page([odd])).text
    assert "Not finite, and so not shown: 2." in text
    assert "1 y [0] NaN 2 ∞ ∞" in text
    nothing = OutputParity("y", np.arange(1), *[np.full((1, 1), np.nan)] * 2, *[np.zeros((1, 1))] * 2)
    assert "Not finite, and so not shown: 1." in Page(page([nothing])).text


def test_the_histogram_spans_no_more_than_it_can_show():
    picture = histogram(np.array([0.0, 1e-30, 1e20, np.inf]), 1.0)
    powers = [int(text.translate(DIGITS)) for text in re.findall(r">10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)<", picture)]
    assert max(powers) == 21
    assert min(powers) >= 21 - DECADES
    assert re.search(">0<", picture)
    assert re.search(">∞<", picture)
    (limit,) = re.findall(r'<line x1="([\d.-]+)"[^>]*class="limit"', picture)
    assert LEFT <= float(limit) < SIZE  # at the edge of the picture, far below it as 1 is


def test_ticks_tell_numbers_apart():
    x = np.array([[1000.001], [1000.002]])
    picture, _ = scatter("y", x, x, np.zeros((2, 1)))
    labels = re.findall(r"1000\.\d+", Page(picture).text)
    assert len(labels) == 2 * len(set(labels)) >= 4  # across and up


def test_equal_numbers():
    y = np.zeros((5, 2))
    text = Page(page([output("y", y, y)])).text
    assert "100% 0 0" in text
    assert "The ring" not in text


def test_names_may_hold_anything():
    name = "<script>alert(1)</script>\x1b[31m\"'&"
    y = np.ones((2, 1))
    layers = [LayerParity(name, name, None, 0.0), LayerParity("other", "Dense", 1.0, 2.0)]
    hostile = Page(page([output(name, y, y)], layers, name, name, name, {name: name}))
    assert "script" not in hostile.tags
    assert hostile.text.count("<script>alert(1)</script>\\x1b[31m\"'&") >= 6
    assert "not compared" in hostile.text


def test_it_needs_nothing_but_itself():
    y = np.ones((2, 1))
    found = Page(page([output("y", y, y + 1e-7)]))
    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "image", "use"})
    assert {name for name, _ in found.attributes}.isdisjoint({"src", "href", "onload", "onclick"})
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes


# The command


def test_verify_writes_a_page(saved, tmp_path, capsys):
    path, target, data = saved / "m.nnpack", tmp_path / "report.html", saved / "rows.npy"
    assert main(["verify", str(path), str(saved / "m.keras"), "--data", str(data), "--html", str(target)]) == 0
    assert f"Page: {target}" in capsys.readouterr().out
    text = Page(target.read_text("utf-8")).text
    assert "demo · agrees" in text
    assert "Keras and the file predict the same." in text
    for each in (path, saved / "m.keras"):
        assert f"{each}" in text
        assert sha256(each.read_bytes()).hexdigest() in text
    assert f"nnpack {nnpack.__version__}, Keras {keras.__version__} on tensorflow" in text
    assert re.search(r"Outputs that agree 2 of 2", text)


def test_verify_tells_where_they_diverge(saved, tmp_path, capsys):
    target = tmp_path / "report.html"
    options = ["--html", str(target), "--json"]
    assert main(["verify", str(saved / "m.nnpack"), str(saved / "other.keras"), *options]) == 1
    assert json.loads(capsys.readouterr().out)["html"] == str(target)
    text = Page(target.read_text("utf-8")).text
    assert "Keras and the file diverge. The first layer that does is y." in text
    assert re.search(r" y Dense \S+ \S+ diverges", text)


def test_verify_says_what_smaller_weights_do(saved, tmp_path):
    target = tmp_path / "report.html"
    assert main(["verify", str(saved / "int8.nnpack"), str(saved / "m.keras"), "--html", str(target)]) == 0
    assert "The file stores weights as int8" in target.read_text("utf-8")


def test_verify_does_not_overwrite_what_it_reads(saved, capsys):
    before = (saved / "m.keras").read_bytes()
    assert main(["verify", str(saved / "m.nnpack"), str(saved / "m.keras"), "--html", str(saved / "m.keras")]) == 1
    assert capsys.readouterr().err.startswith("error: file-same")
    assert (saved / "m.keras").read_bytes() == before


# In a browser


@pytest.fixture(scope="module")
def opened(saved, tmp_path_factory):
    """The page as Chromium shows it on a phone: its picture, what it told the console, its text as parsed."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: make packages")
    folder = tmp_path_factory.mktemp("browser")
    target = folder / "report.html"
    main(["verify", str(saved / "m.nnpack"), str(saved / "m.keras"), "--html", str(target)])

    def browse(*options):
        profile = folder / f"profile{len(list(folder.iterdir()))}"
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *options, target.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    shown = browse(f"--screenshot={folder / 'page.png'}", "--window-size=430,3000")
    from matplotlib.image import imread

    return SimpleNamespace(
        picture=imread(folder / "page.png")[..., :3], told=shown.stderr, dom=browse("--dump-dom").stdout
    )


def test_browser_has_nothing_to_complain_of(opened):
    assert "CONSOLE" not in opened.told
    assert "<title>demo · agrees</title>" in opened.dom
    assert opened.dom.count("<svg") == 6


def test_browser_shows_the_pictures(opened):
    height, width, _ = opened.picture.shape
    assert (height, width) == (3000, 430)
    bars = np.abs(opened.picture - np.array([0x3E, 0x6C, 0x9E]) / 255).max(axis=2) < 0.02  # --use of page.css
    assert bars.sum() > 5_000
    assert bars[:, : width // 2].any()
    assert bars[:, width // 2 :].any()
    ink = np.abs(opened.picture - np.array([0x1D, 0x1E, 0x21]) / 255).max(axis=2) < 0.02
    assert ink[:300].sum() > 500  # the heading
