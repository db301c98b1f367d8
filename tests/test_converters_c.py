"""nnpack convert --to c: the sources compile, and predict what the suite's networks have to predict."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from documents import document, layer, packed, perceptron, tensor, with_selftest
from nnpack.cli import main
from nnpack.converters.c import FILES, amalgamation, convert
from nnpack.errors import FileError, FormatError
from nnpack.format.document import Value
from test_conformance import CASES, array, described, over_tolerance

SUITE = Path(__file__).parents[1] / "conformance"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]

pytestmark = pytest.mark.skipif(not (shutil.which("cc") and shutil.which("make")), reason="needs a C compiler and make")

NETWORKS = {
    case["id"]: case
    for case in CASES
    if case["id"] in ("network/convolutional", "network/unet", "network/image-and-table", "network/transformer")
    or case["id"] in ("network/lstm", "network/encoder-decoder", "storage/float16", "string_lookup/rank-2")
}


def run(*command, cwd, stdin="", code=0):
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def built(data, folder, *flags):
    path = folder / "model.nnpack"
    path.write_bytes(data)
    convert(path, folder / "out")
    run("make", f"CFLAGS=-O1 {' '.join([*WARNINGS, *flags])}", cwd=folder / "out")
    return folder / "out"


def answers(text):
    """What predict prints: name -> numbers."""
    lines = (line.rpartition(":") for line in text.splitlines())
    return {name: np.array(numbers.split(), float) for name, _, numbers in lines}


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_first_row_of_a_network_of_the_suite(name, tmp_path):
    case, told = NETWORKS[name], described(NETWORKS[name])
    inputs = [array(case, item["file"], item["dtype"], item["shape"])[:1] for item in told["inputs"]]
    model = (SUITE / case["directory"] / told["model"]).read_bytes()
    path = tmp_path / "m.nnpack"
    path.write_bytes(model)
    convert(path, tmp_path / "out")
    header = (tmp_path / "out" / "model.h").read_text()
    symbols = re.findall(r"#define (DIM_\w+) 1 /\* (.*) \*/", header)
    shapes = re.findall(r"model_shape_\d+\[\] = \{(.*?)\}", header)
    stands_for = {
        word: str(n)
        for shape, x in zip(shapes, inputs, strict=True)
        for word, n in zip(shape.split(", "), x.shape, strict=True)
    }
    shapes = [f"{macro}={stands_for[macro]}" for macro, _ in symbols]
    run("make", f"CFLAGS=-O1 {' '.join(WARNINGS)}", *shapes, cwd=tmp_path / "out")
    words = [str(int(x) if isinstance(x, np.bool_) else x) for array_ in inputs for x in array_.ravel()]
    if inputs[0].dtype == object:  # of which one is empty
        printed = answers(run("./predict", *words, cwd=tmp_path / "out").stdout)
    else:
        printed = answers(run("./predict", "-", cwd=tmp_path / "out", stdin=" ".join(words)).stdout)
    for item in told["outputs"]:
        expected = array(case, item["file"], "float64", item["shape"])[:1]
        tolerance = array(case, item["tolerance"], "float32", item["shape"])[:1]
        y = printed[item["name"]].reshape(expected.shape).astype(item["dtype"])
        assert not over_tolerance(y, expected, tolerance, told["floor"]).any()


def test_example_of_the_readme(tmp_path):
    out = built(packed(with_selftest(perceptron())), tmp_path)
    readme = (out / "README.md").read_text()
    assert sorted(path.name for path in out.iterdir() if path.name in FILES) == sorted(FILES)
    assert "./predict 1 2 3 4" in readme
    assert re.search(r"Memory: [\d,]+ bytes for one row", readme)
    assert re.search(r"\| \S+ \| [\d,]+ \| [\d,]+ \|", readme)
    printed = answers(run("./predict", "1", "2", "3", "4", cwd=out).stdout)
    tensors = perceptron().tensors
    w = {name: item.array.astype(float) for name, item in tensors.items()}
    expected = np.tanh([1, 2, 3, 4] @ w["h/kernel"] + w["h/bias"]) @ w["y/kernel"] + w["y/bias"]
    np.testing.assert_allclose(printed["y"], expected, rtol=1e-5)
    assert run("./predict", "--selftest", cwd=out).stdout == "the self-test passes\n"
    before = (out / "predict").stat().st_mtime_ns
    run("make", cwd=out)
    assert (out / "predict").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["1", "2", "3"], "expected 4 numbers a row, received: the end"),
        (["1", "2", "3", "4", "5"], "expected 4 numbers a row, received more: 5"),
        (["1", "2", "3", "four"], "expected 4 numbers a row, received: four"),
        (["1", "2", "3", "1e39"], "expected 4 numbers a row, received: 1e39"),
        (["1", "2", "3", ""], "expected 4 numbers a row, received: "),
        ([], "expected 4 numbers a row, received: the end"),
        (["--selftest"], "selftest-absent"),
    ],
)
def test_wrong_words(words, told, tmp_path_factory):
    out = _perceptron(tmp_path_factory)
    done = run("./predict", *words, cwd=out, code=1 if words == ["--selftest"] else 2)
    assert told in done.stderr
    assert done.stdout == ""


_built = {}


def _perceptron(factory):
    if "out" not in _built:
        _built["out"] = built(packed(perceptron()), factory.mktemp("perceptron"))
    return _built["out"]


def test_names_are_only_names(tmp_path):
    """Names that would end a comment, a string or a line of what is written."""
    x = Value('a*/ "b" ??/ \\', "float32", ("batch", "*/\n#error", 2))
    doc = document([layer("r", "relu", [x.name], x.shape)], [], [x])._replace(name="/* */ ${usage} `x` |\n# y")
    out = built(packed(doc), tmp_path)
    assert answers(run("./predict", "1", "-2", cwd=out).stdout)["r"].tolist() == [1, 0]


def test_several_rows(tmp_path):
    """make finds out anew how much memory they take; texts of standard input stay until all rows are looked up."""
    out = built(packed(perceptron()), tmp_path)
    rows = (["1", "2", "3", "4"], ["-1", "0", "5", "2"])
    alone = [answers(run("./predict", *row, cwd=out).stdout)["y"] for row in rows]
    with pytest.raises(AssertionError, match="another ROWS"):  # which main.c sees
        run("cc", "-std=c99", "-DROWS=2", "-c", "main.c", cwd=out)
    run("make", "ROWS=2", cwd=out)
    both = answers(run("./predict", "-", cwd=out, stdin="1 2 3 4\n-1 0 5 2\n").stdout)["y"]
    np.testing.assert_allclose(both, np.concatenate(alone), rtol=1e-5)

    case = next(case for case in CASES if case["id"] == "string_lookup/rank-2")
    item = described(case)["inputs"][0]
    texts = array(case, item["file"], "string", item["shape"])
    data = (SUITE / case["directory"] / "model.nnpack").read_bytes()
    (tmp_path / "texts").mkdir()
    out = built(data, tmp_path / "texts")
    run("make", f"ROWS={len(texts) * 3}", cwd=out)
    words = [text or "-none-" for text in np.concatenate([texts] * 3).ravel().tolist()]
    by_arguments = run("./predict", *words, cwd=out).stdout
    assert run("./predict", "-", cwd=out, stdin=" ".join(words)).stdout == by_arguments
    assert set(answers(by_arguments).popitem()[1].tolist()) > {-1}


def test_all_operators_compile_as_one_file(tmp_path):
    (tmp_path / "nnp.h").write_text(amalgamation.header())
    operators = amalgamation.operators()
    (tmp_path / "nnp.c").write_text(amalgamation.runtime(operators, float64=True, states=True, storage=True))
    run("cc", "-std=c99", "-O1", *WARNINGS, "-c", "nnp.c", cwd=tmp_path)


def test_only_what_is_needed_is_there():
    small = amalgamation.runtime(["dense", "relu"], float64=False, states=False, storage=False)
    assert "src/ops/core.c" in small
    assert "src/ops/recurrent.c" not in small
    assert "&nnp_relu" in small
    assert "&nnp_tanh" not in small


def test_directory_of_something_else_is_left_alone(tmp_path, capsys):
    path = tmp_path / "m.nnpack"
    path.write_bytes(packed(perceptron()))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    with pytest.raises(FileError, match=r"directory-not-empty at .*thesis\.tex"):
        convert(path, tmp_path / "out")
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["thesis.tex"]
    assert main(["convert", str(path), "--to", "c", "-o", str(tmp_path / "out")]) == 1
    assert "directory-not-empty" in capsys.readouterr().err


def test_damaged_file_is_not_converted(tmp_path):
    data = bytearray(packed(perceptron()))
    data[-1] ^= 1
    (tmp_path / "m.nnpack").write_bytes(data)
    with pytest.raises(FormatError, match="hash-mismatch"):
        convert(tmp_path / "m.nnpack", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_command(tmp_path, capsys):
    (tmp_path / "m.nnpack").write_bytes(packed(perceptron()))
    assert main(["convert", str(tmp_path / "m.nnpack"), "--to", "c", "--output", str(tmp_path / "out")]) == 0
    assert "as c" in capsys.readouterr().out
    # again: what is there is replaced
    assert main(["convert", str(tmp_path / "m.nnpack"), "--to", "c", "--output", str(tmp_path / "out")]) == 0


def test_without_a_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    (tmp_path / "m.nnpack").write_bytes(packed(with_selftest(perceptron())))
    convert(tmp_path / "m.nnpack", tmp_path / "out")
    assert "there was no C compiler" in (tmp_path / "out" / "README.md").read_text()


def test_weights_that_layers_see_in_another_form(tmp_path):
    q = tensor("y/kernel", np.array([[2, -3]], np.int8), quantization=None)
    doc = document(
        [layer("y", "dense", ["x"], ("batch", 2), {"kernel": "y/kernel"})],
        [tensor("y/kernel", q.array.astype(np.float16))],
        [Value("x", "float32", ("batch", 1))],
    )
    out = built(packed(doc), tmp_path)
    assert answers(run("./predict", "0.5", cwd=out).stdout)["y"].tolist() == [1, -1.5]
