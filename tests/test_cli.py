"""The command line, where no Keras is needed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from nnpack.cli import csv_tables, main, tables
from nnpack.cli.columns import cell_names
from nnpack.cli.plot import parity_plot
from nnpack.errors import FileError, InputError
from nnpack.format import container, files
from nnpack.format.build import build
from nnpack.format.document import Document, Layer, Tensor, Value

KERNEL = np.array([[1], [10], [100], [1000]], np.float32)


def write_model(path, *, inputs, layers, outputs, tensors):
    document = Document(
        name="by hand",
        inputs=inputs,
        outputs=outputs,
        layers=layers,
        tensors={name: Tensor(name, str(array.dtype), array) for name, array in tensors.items()},
        producer={"name": "test", "version": "0"},
    )
    head, payload = build(document)
    files.write(path, container.write(document.version, head, payload))
    return str(path)


@pytest.fixture
def one(tmp_path):
    """x (batch, 4) -> y (batch, 1), the decimal digits 4 3 2 1."""
    return write_model(
        tmp_path / "one.nnpack",
        inputs=(Value("x", "float32", ("batch", 4)),),
        layers=(Layer("dense", "dense@1", ("x",), (Value("y", "float32", ("batch", 1)),), {"kernel": "kernel"}),),
        outputs=("y",),
        tensors={"kernel": KERNEL},
    )


@pytest.fixture
def two(tmp_path):
    """a (batch, 2), b (batch, 1) -> the halves of a and of b, and both beside each other."""
    half = {"half_a": np.eye(2, dtype=np.float16) / 2, "half_b": np.full((1, 1), 0.5, np.float32)}
    return write_model(
        tmp_path / "two.nnpack",
        inputs=(Value("a", "float32", ("batch", 2)), Value("b", "float32", ("batch", 1))),
        layers=(
            Layer("first", "dense@1", ("a",), (Value("u", "float32", ("batch", 2)),), {"kernel": "half_a"}),
            Layer("second", "dense@1", ("b",), (Value("v", "float32", ("batch", 1)),), {"kernel": "half_b"}),
            Layer("both", "concatenate@1", ("u", "v"), (Value("w", "float32", ("batch", 3)),), {}, {"axis": 1}),
        ),
        outputs=("u", "v", "w"),
        tensors=half,
    )


def same(name, dtype, shape):
    """An input and the layer that answers it as it is."""
    value = Value(f"{name}_out", dtype, shape)
    return Value(name, dtype, shape), Layer(f"{name}_layer", "identity@1", (name,), (value,))


@pytest.fixture
def echo(tmp_path):
    def make(dtype="float32", shape=("batch", 1)):
        x, layer = same("x", dtype, shape)
        outputs = (layer.outputs[0].name,)
        return write_model(tmp_path / "echo.nnpack", inputs=(x,), layers=(layer,), outputs=outputs, tensors={})

    return make


def command(*arguments, **options):
    """`nnpack` in a process of its own."""
    return python("-m", "nnpack", *map(str, arguments), **options)


def python(*arguments, stdout=subprocess.PIPE, **options):
    return subprocess.run(
        [sys.executable, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120, **options
    )


def error_line(capsys):
    """The one line that a failing command writes to stderr."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err[len("error: ") : -1]


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


# nnpack, nnpack info, nnpack validate


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "nnpack 1.0.0 (format 1.0)\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict"],
        ["inform", "m.nnpack"],
        ["info"],
        ["info", "m.nnpack", "--yaml"],
        ["predict", "m.nnpack", "x.npy"],
        ["predict", "m.nnpack", "x.npy", "-o", "y.npy", "--batch-size", "0"],
        ["export", "m.keras", "m.nnpack", "--weights", "float8"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2(arguments, capsys):
    assert main(arguments) == 2
    assert "Usage: nnpack" in capsys.readouterr().err


def test_info_shows_layers_as_keras_does(two, capsys):
    assert main(["info", two]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    assert rows[:5] == [
        ["a", "input", "(batch, 2)", "", "", "InputLayer"],
        ["b", "input", "(batch, 1)", "", "", "InputLayer"],
        ["first", "dense@1", "(batch, 2)", "4", "a", "Dense"],
        ["second", "dense@1", "(batch, 1)", "1", "b", "Dense"],
        ["both", "concatenate@1", "(batch, 3)", "", "first, second", "Concatenate"],
    ]
    assert rows[5:] == [["half_a", "float16", "(2, 2)", "8"], ["half_b", "float32", "(1, 1)", "4"]]
    assert "Weights    5 (12 bytes)" in lines
    assert "Format     1.0, written by test 0" in lines


def test_info_json(two, capsys):
    assert main(["info", two, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    with open(two, "rb") as file:
        data = file.read()
    assert facts["sha256"] == sha256(data).hexdigest()
    assert facts["nbytes"] == len(data)
    assert facts["inputs"][1] == {"name": "b", "dtype": "float32", "shape": ["batch", 1]}
    assert [output["name"] for output in facts["outputs"]] == ["u", "v", "w"]
    assert facts["weights"][0] == {"name": "half_a", "storage": "float16", "shape": [2, 2], "nbytes": 8}
    assert (facts["total_weights"], facts["total_weight_bytes"], facts["selftest_rows"]) == (5, 12, 0)
    assert facts["requires"] == ["dtype:float16", "dtype:float32", "op:concatenate@1", "op:dense@1"]


def test_info_escapes_what_a_terminal_would_obey(tmp_path, capsys):
    x, layer = same("\x1b[31mred", "float32", ("batch", 1))
    path = write_model(
        tmp_path / "m.nnpack", inputs=(x,), layers=(layer,), outputs=(layer.outputs[0].name,), tensors={}
    )
    assert main(["info", path]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"\x1b[31mred" in out


def test_info_survives_a_poor_encoding(tmp_path):
    x, layer = same("größe", "float32", ("batch", 1))
    path = write_model(
        tmp_path / "m.nnpack", inputs=(x,), layers=(layer,), outputs=(layer.outputs[0].name,), tensors={}
    )
    result = command("info", path, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (result.returncode, result.stderr) == (0, "")
    assert r"gr\xf6\xdfe" in result.stdout


def test_info_loads_nothing_that_it_does_not_need(one):
    code = (
        "import sys; from nnpack.cli import main; loaded = set(sys.modules)\n"
        f"main(['info', {one!r}])\n"
        "print(sorted({'typer', 'rich'} & loaded))\n"
        "print(sorted({'keras', 'tensorflow', 'pyarrow', 'matplotlib', 'jsonschema'} & set(sys.modules)))"
    )
    result = python("-c", code)
    assert result.stdout.splitlines()[-2:] == ["[]", "[]"]


def test_a_missing_file(tmp_path, capsys):
    path = str(tmp_path / "none.nnpack")
    assert main(["info", path]) == 1
    assert error_line(capsys).startswith(f"file-not-found at {path}: expected a file that can be read, received ")


def test_a_directory(tmp_path, capsys):
    assert main(["info", str(tmp_path)]) == 1
    assert error_line(capsys).startswith(f"file-is-directory at {tmp_path}: ")


def test_a_file_of_another_kind(tmp_path, capsys):
    path = tmp_path / "m.nnpack"
    path.write_bytes(b"PK\x03\x04 and so on, for longer than a magic")
    assert main(["info", str(path)]) == 1
    assert error_line(capsys).startswith("wrong-magic at byte 0: expected 95 a6")


def test_json_errors_go_to_stdout(tmp_path, capsys):
    path = str(tmp_path / "none.nnpack")
    assert main(["info", path, "--json"]) == 1
    out, err = capsys.readouterr()
    error = json.loads(out)["error"]
    assert err == ""
    assert (error["code"], error["at"], error["expected"]) == ("file-not-found", path, "a file that can be read")


def test_validate_a_valid_file(one, capsys):
    assert main(["validate", one]) == 0
    assert capsys.readouterr().out == f"{one}: valid\n"
    assert main(["validate", one, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": one, "valid": True, "faults": []}


def damaged(path):
    """One byte of the payload changed."""
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x00")
    return path


def test_validate_prints_every_fault(one, capsys):
    assert main(["validate", damaged(one)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("hash-mismatch at /payload_sha256: expected ")
    assert (out.count("\n"), err) == (1, "")
    assert main(["validate", one, "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["valid"] is False
    assert [(fault["code"], fault["at"]) for fault in facts["faults"]] == [("hash-mismatch", "/payload_sha256")]


def test_validate_needs_a_file(tmp_path, capsys):
    assert main(["validate", str(tmp_path)]) == 1
    assert error_line(capsys).startswith("file-is-directory")


# nnpack predict: what comes in and what goes out

ROWS = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 0, 1, 2]], np.float32)
ANSWERS = np.array([[4321], [8765], [2109]], np.float32)


def write_table(path, columns, names):
    """Columns as a CSV or Parquet file."""
    if path.suffix == ".parquet":
        parquet.write_table(pa.table(list(columns), names=list(names)), path)
    else:
        rows = [names, *([repr(float(x)) for x in row] for row in zip(*columns, strict=True))]
        path.write_text("".join(",".join(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture(params=[".npy", ".npz", ".csv", ".parquet"])
def rows_file(request, tmp_path):
    path = tmp_path / f"rows{request.param}"
    if request.param == ".npy":
        np.save(path, ROWS)
    elif request.param == ".npz":
        np.savez(path, x=ROWS)
    else:
        write_table(path, ROWS.T, ["p", "q", "r", "s"])
    return str(path)


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet"])
def test_predict_from_any_kind_to_any_kind(one, rows_file, ending, tmp_path, capsys):
    out = tmp_path / f"y{ending}"
    assert main(["predict", one, rows_file, "-o", str(out)]) == 0
    assert capsys.readouterr() == (f"{out}: 3 rows of y\n", "")
    if ending == ".npy":
        y = np.load(out)
    elif ending == ".npz":
        with np.load(out) as archive:
            assert archive.files == ["y"]
            y = archive["y"]
    elif ending == ".csv":
        assert read_csv(out)[0] == ["y"]
        y = np.array(read_csv(out)[1:], np.float32)
    else:
        table = parquet.read_table(out)
        assert table.schema.equals(pa.schema([("y", pa.float32())]))
        y = table.column("y").to_numpy().reshape(-1, 1)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, ANSWERS)
    assert sorted(os.listdir(tmp_path)) == sorted({"one.nnpack", os.path.basename(rows_file), out.name})


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet"])
def test_predict_no_rows(one, ending, tmp_path):
    np.save(tmp_path / "rows.npy", ROWS[:0])
    out = tmp_path / f"y{ending}"
    assert main(["predict", one, str(tmp_path / "rows.npy"), "-o", str(out), "--quiet"]) == 0
    if ending == ".npy":
        assert np.load(out).shape == (0, 1)
    elif ending == ".npz":
        with np.load(out) as archive:
            assert archive["y"].shape == (0, 1)
    elif ending == ".csv":
        assert out.read_text() == "y\n"
    else:
        assert parquet.read_table(out).num_rows == 0


def predict(model, table, out, *options):
    assert main(["predict", model, str(table), "-o", str(out), "--quiet", *options]) == 0
    return np.load(out)


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3,4\n5,6,7,8\n9,0,1,2\n",
        "1,2,3,4\r\n5,6,7,8\r\n9,0,1,2",
        "p,q,r,s\n1,2,3,4\n5,6,7,8\n9,0,1,2\n",
        "\ufeffp,q,r,s\n1,2,3,4\n5,6,7,8\n9,0,1,2\n",
        '"p, the first",q,r,"s\nt"\n1,2,3,4\n5,6,7,8\n9,0,1,2\n',
        "1,2,3,4\n\n5,6,7,8\n9,0,1,2\n\n\n",
        ' 1, 2,3 ,4\n5,6,"7",8\n9,0,1e0,.2e1\n',
        "p,q,p,q\n1,2,3,4\n5,6,7,8\n9,0,1,2\n",
        "x[3],x[2],x[1],x[0]\n4,3,2,1\n8,7,6,5\n2,1,0,9\n",
    ],
    ids=["plain", "crlf", "header", "bom", "quoted", "blank-lines", "spaces", "equal-names", "by-name"],
)
def test_csv_forms(one, text, tmp_path):
    table = tmp_path / "rows.csv"
    table.write_bytes(text.encode())
    np.testing.assert_array_equal(predict(one, table, tmp_path / "y.npy"), ANSWERS)


def test_csv_header_alone(one, tmp_path):
    table = tmp_path / "rows.csv"
    table.write_text("p,q,r,s\n")
    assert predict(one, table, tmp_path / "y.npy").shape == (0, 1)


A, B = np.array([[2, 4], [6, 8]], np.float32), np.array([[10], [12]], np.float32)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["p", "q", "r"], [0, 1, 2]),
        (["a[0]", "a[1]", "b"], [0, 1, 2]),
        (["b", "a[1]", "a[0]"], [2, 1, 0]),
        (["a[1]", "b[0]", "a[0]"], [1, 2, 0]),
    ],
    ids=["by-position", "by-name", "by-name-reversed", "by-name-with-index"],
)
def test_columns_of_several_inputs(two, names, order, ending, tmp_path):
    columns = np.hstack([A, B]).T[order]
    table = write_table(tmp_path / f"rows{ending}", columns, names)
    y = predict(two, table, tmp_path / "y.npy", "--outputs", "w")
    np.testing.assert_array_equal(y, [[1, 2, 5], [3, 4, 6]])


def test_several_outputs(two, tmp_path):
    np.savez_compressed(tmp_path / "rows.npz", a=np.asfortranarray(A), b=B)
    rows = str(tmp_path / "rows.npz")
    with _predicted_npz(two, rows, tmp_path) as archive:
        assert archive.files == ["u", "v", "w"]
        np.testing.assert_array_equal(archive["u"], A / 2)
        np.testing.assert_array_equal(archive["v"], B / 2)
    assert main(["predict", two, rows, "-o", str(tmp_path / "y.csv"), "-q"]) == 0
    header_line, *numbers = read_csv(tmp_path / "y.csv")
    assert header_line == ["u[0]", "u[1]", "v", "w[0]", "w[1]", "w[2]"]
    np.testing.assert_array_equal(np.array(numbers, float), np.hstack([A, B, A, B]) / 2)
    assert main(["predict", two, rows, "-o", str(tmp_path / "y.parquet"), "-q"]) == 0
    assert parquet.read_schema(tmp_path / "y.parquet").names == header_line


def _predicted_npz(model, rows, folder):
    assert main(["predict", model, rows, "-o", str(folder / "y.npz"), "-q"]) == 0
    return np.load(folder / "y.npz")


def test_chosen_outputs(two, tmp_path):
    np.savez(tmp_path / "rows.npz", a=A, b=B)
    out = tmp_path / "y.csv"
    options = ["--outputs", "v", "--outputs", "a", "--outputs", "v"]
    assert main(["predict", two, str(tmp_path / "rows.npz"), "-o", str(out), "-q", *options]) == 0
    assert read_csv(out) == [["v", "a[0]", "a[1]"], ["5", "2", "4"], ["6", "6", "8"]]


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ((), ["y"]),
        ((1,), ["y"]),
        ((3,), ["y[0]", "y[1]", "y[2]"]),
        ((1, 1), ["y[0,0]"]),
        ((2, 2), ["y[0,0]", "y[0,1]", "y[1,0]", "y[1,1]"]),
    ],
)
def test_cell_names(row, names):
    assert cell_names("y", row) == names


def test_higher_ranks_are_columns_in_c_order(echo, tmp_path):
    x = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    model, out = echo(shape=("batch", 2, 3)), tmp_path / "y.csv"
    np.save(tmp_path / "rows.npy", x)
    assert main(["predict", model, str(tmp_path / "rows.npy"), "-o", str(out), "-q"]) == 0
    names = [f"x_out[{i},{j}]" for i in range(2) for j in range(3)]
    assert read_csv(out) == [names, ["0", "1", "2", "3", "4", "5"], ["6", "7", "8", "9", "10", "11"]]
    np.testing.assert_array_equal(predict(model, out, tmp_path / "y.npy"), x)


def test_csv_numbers_read_back_to_the_same_bits(echo, tmp_path):
    bits = np.random.default_rng(5).integers(0, 2**32, 20_000, dtype=np.uint64).astype(np.uint32)
    edges = np.array([0, 1, 0x80000000, 0x7F7FFFFF, 0x00800000, 0x7F800000, 0xFF800000, 0x7FC00000], np.uint32)
    x = np.concatenate([edges, bits]).view(np.float32).reshape(-1, 1)
    model = echo()
    np.save(tmp_path / "rows.npy", x)
    assert main(["predict", model, str(tmp_path / "rows.npy"), "-o", str(tmp_path / "y.csv"), "-q"]) == 0
    written = [row[0] for row in read_csv(tmp_path / "y.csv")[1:]]
    by_python = np.array([float(cell) for cell in written]).astype(np.float32)
    by_nnpack = predict(model, tmp_path / "y.csv", tmp_path / "y.npy")[:, 0]
    for y in (by_python, by_nnpack):
        number = ~np.isnan(x[:, 0])
        np.testing.assert_array_equal(np.isnan(y), ~number)
        np.testing.assert_array_equal(y[number].view(np.uint32), x[number, 0].view(np.uint32))
    shortest = [repr(float(np.format_float_scientific(v))) for v in x[8:2000, 0]]
    assert all(len(cell) <= len(text) + 2 for cell, text in zip(written[8:2000], shortest, strict=True))


@pytest.mark.parametrize(
    ("dtype", "cells", "numbers"),
    [
        ("float64", ["0.1", "1e300"], [0.1, 1e300]),
        ("int64", ["-9007199254740993", "7"], [-9007199254740993, 7]),
        ("uint8", ["0", "255"], [0, 255]),
        ("bool", ["true", "0"], [True, False]),
    ],
)
def test_csv_of_every_dtype(echo, dtype, cells, numbers, tmp_path):
    (tmp_path / "rows.csv").write_text("\n".join(["x", *cells]) + "\n")
    y = predict(echo(dtype), tmp_path / "rows.csv", tmp_path / "y.npy")
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.array(numbers, dtype).reshape(-1, 1))


def test_bool_is_written_as_0_and_1(echo, tmp_path):
    np.save(tmp_path / "rows.npy", np.array([[True], [False]]))
    out = tmp_path / "y.csv"
    assert main(["predict", echo("bool"), str(tmp_path / "rows.npy"), "-o", str(out), "-q"]) == 0
    assert out.read_text() == "x_out\n1\n0\n"


def test_an_output_is_replaced(one, tmp_path):
    np.save(tmp_path / "rows.npy", ROWS)
    np.save(tmp_path / "y.npy", np.zeros(100))
    np.testing.assert_array_equal(predict(one, tmp_path / "rows.npy", tmp_path / "y.npy"), ANSWERS)


# nnpack predict: bounded memory


def many_rows(n):
    return np.random.default_rng(9).integers(0, 10, (n, 4)).astype(np.float32)


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet"])
def test_tables_are_read_chunk_by_chunk(ending, tmp_path):
    x, path = many_rows(1000), tmp_path / f"rows{ending}"
    if ending == ".npy":
        np.save(path, x)
    elif ending == ".npz":
        np.savez(path, x=x)
    else:
        write_table(path, x.T, ["p", "q", "r", "s"])
    with tables.open_reader(path, [Value("x", "float32", ("batch", 4))]) as reader:
        chunks = [chunk for (chunk,) in reader.chunks(300)]
        assert reader.fraction(500) == pytest.approx(0.5)
        assert reader.fraction(1000) == pytest.approx(1)
    assert [len(chunk) for chunk in chunks] == [300, 300, 300, 100]
    np.testing.assert_array_equal(np.concatenate(chunks), x)


def test_npy_is_mapped(tmp_path):
    np.save(tmp_path / "rows.npy", many_rows(10))
    with tables.open_reader(tmp_path / "rows.npy", [Value("x", "float32", ("batch", 4))]) as reader:
        (chunk,) = next(reader.chunks(3))
        assert isinstance(chunk.base, np.memmap)


def test_npz_members_are_read_as_far_as_asked(tmp_path):
    np.savez(tmp_path / "rows.npz", x=many_rows(1_000_000))
    with tables.open_reader(tmp_path / "rows.npz", [Value("x", "float32", ("batch", 4))]) as reader:
        next(reader.chunks(10))
        assert reader.sources[0].file.tell() < 1000


def test_csv_is_parsed_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_tables, "BLOCK", 2**12)
    path = tmp_path / "rows.csv"
    path.write_text("1,2,3,4\n" * 100_000)
    with tables.open_reader(path, [Value("x", "float32", ("batch", 4))]) as reader:
        (chunk,) = next(reader.chunks(10**9))
        assert len(chunk) <= 2**12 // 8
        assert 0 < reader.file.tell() < reader.size  # the parser reads ahead, but not to the end


def test_parquet_is_decoded_batch_by_batch(tmp_path):
    path = tmp_path / "rows.parquet"
    write_table(path, many_rows(100_000).T, ["p", "q", "r", "s"])
    before = pa.total_allocated_bytes()
    with tables.open_reader(path, [Value("x", "float32", ("batch", 4))]) as reader:
        next(reader.chunks(10))
        assert pa.total_allocated_bytes() - before < 100_000 * 4 * 4


def test_batch_size_does_not_change_the_rows(one, tmp_path):
    x = many_rows(100)
    np.save(tmp_path / "rows.npy", x)
    y = predict(one, tmp_path / "rows.npy", tmp_path / "y.npy", "--batch-size", "7")
    np.testing.assert_array_equal(y, x @ KERNEL)


# nnpack predict: what is refused


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "table-empty at {}: expected rows of numbers, received an empty file"),
        ("\n\n", "table-empty at {}: expected rows of numbers, received an empty file"),
        ("1,2,3\n", "table-columns at {}: expected 4 columns, received 3"),
        ("a;b;c;d\n1;2;3;4\n", "table-columns at {}: expected 4 columns, received 1"),
        ("1,2,3,4\n1,2,3\n", "table-columns at {}, line 2: expected 4 columns, received 3"),
        ("1,2,3,4\n\n1,2,3,4,5\n", "table-columns at {}, line 3: expected 4 columns, received 5"),
        ("p,q,r,s\n1,2,3,4\n1,b,3,4\n", "table-cell at {}, line 3, column 2 (q): expected a number, received 'b'"),
        ("1,2,3,4\n1,2,1_0,4\n", "table-cell at {}, line 2, column 3: expected a number, received '1_0'"),
        ("1,2,3,4\n1,2,0x10,4\n", "table-cell at {}, line 2, column 3: expected a number, received '0x10'"),
        ("1,2,3,4\n1,,3,4\n", "table-missing at {}, line 2, column 2: expected a number, received a missing value"),
        ("1,2,3,4\n1, ,3,4\n", "table-missing at {}, line 2, column 2: expected a number, received a missing value"),
        ("p,q,r,s\n1,2,3,NA\n", "table-cell at {}, line 2, column 4 (s): expected a number, received 'NA'"),
        (
            "1,2,3,4\n1,1e39,3,4\n",
            "table-cell at {}, line 2, column 2: expected a number within float32's range, received '1e39'",
        ),
        (
            "x[0],x[1],x[2],d\n1,2,3,4\n",
            "table-names at {}: expected a column 'x[3]' beside 'x[0]', or names of another kind for all,"
            " received no such column",
        ),
    ],
    ids=[
        "empty",
        "blank",
        "columns",
        "semicolons",
        "short-line",
        "long-line",
        "word",
        "underscore",
        "hexadecimal",
        "missing",
        "spaces",
        "na",
        "overflow",
        "some-names",
    ],
)
def test_csv_faults(one, text, fault, tmp_path, capsys):
    table, out = tmp_path / "rows.csv", tmp_path / "y.csv"
    table.write_text(text)
    out.write_text("as it was")
    assert main(["predict", one, str(table), "-o", str(out)]) == 1
    assert error_line(capsys) == fault.format(table)
    assert out.read_text() == "as it was"
    assert sorted(os.listdir(tmp_path)) == ["one.nnpack", "rows.csv", "y.csv"]


def test_csv_fault_in_a_late_block(one, tmp_path, capsys):
    table = tmp_path / "rows.csv"
    table.write_text("1,2,3,4\n" * 300_000 + "1,2,x,4\n")
    assert main(["predict", one, str(table), "-o", str(tmp_path / "y.csv")]) == 1
    expected = f"table-cell at {table}, line 300001, column 3: expected a number, received 'x'"
    assert error_line(capsys) == expected
    assert not (tmp_path / "y.csv").exists()


@pytest.mark.parametrize("text", ["x\n1\n\n3\n", "x\n1\n\n", "\nx\n\n1\n"], ids=["between", "end", "start"])
def test_csv_blank_line_of_one_column_is_a_missing_value(echo, text, tmp_path, capsys):
    (tmp_path / "rows.csv").write_text(text)
    assert main(["predict", echo(), str(tmp_path / "rows.csv"), "-o", str(tmp_path / "y.npy")]) == 1
    expected = f"table-missing at {tmp_path / 'rows.csv'}, line 3: expected a number, received a blank line"
    assert error_line(capsys) == expected


def test_csv_that_is_no_text(one, tmp_path, capsys):
    (tmp_path / "rows.csv").write_bytes(b"1,2,3,4\n1,2,\xff\xfe,4\n")
    assert main(["predict", one, str(tmp_path / "rows.csv"), "-o", str(tmp_path / "y.npy")]) == 1
    assert "line 2, column 3: expected a number" in error_line(capsys)


@pytest.mark.parametrize("cell", ["1.5", "x", "99999999999999999999"])
def test_csv_whole_numbers(echo, cell, tmp_path, capsys):
    (tmp_path / "rows.csv").write_text(f"x\n{cell}\n")
    assert main(["predict", echo("int32"), str(tmp_path / "rows.csv"), "-o", str(tmp_path / "y.npy")]) == 1
    expected = f"line 2, column 1 (x): expected a whole number, received '{cell}'"
    assert error_line(capsys) == f"table-cell at {tmp_path / 'rows.csv'}, {expected}"


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        (pa.array([1.0, None]), "table-missing at {}, row 2, column 'q': expected a number, received a missing value"),
        (pa.array(["1", "2"]), "table-cell at {}, column 'q': expected numbers, received string"),
        (pa.array([[1.0], [2.0]]), "table-cell at {}, column 'q': expected numbers, received list<item: double>"),
    ],
    ids=["missing", "text", "nested"],
)
def test_parquet_faults(one, column, fault, tmp_path, capsys):
    table = tmp_path / "rows.parquet"
    columns = [pa.array([1.0, 2.0]), column, pa.array([1, 2]), pa.array([1, 2])]
    parquet.write_table(pa.table(columns, names=["p", "q", "r", "s"]), table)
    assert main(["predict", one, str(table), "-o", str(tmp_path / "y.npy")]) == 1
    assert error_line(capsys).startswith(fault.format(table).replace("item", "element").split("<")[0])


@pytest.mark.parametrize("ending", [".npy", ".npz", ".parquet"])
@pytest.mark.parametrize("content", [b"", b"not at all", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"PAR1PAR1PAR1"])
def test_broken_tables(one, ending, content, tmp_path, capsys):
    table = tmp_path / f"rows{ending}"
    table.write_bytes(content)
    assert main(["predict", one, str(table), "-o", str(tmp_path / "y.csv")]) == 1
    assert error_line(capsys).startswith(f"table-file at {table}: expected a")


@pytest.mark.parametrize("ending", [".npy", ".npz", ".parquet"])
def test_cut_tables(one, ending, tmp_path, capsys):
    table = tmp_path / f"rows{ending}"
    if ending == ".npy":
        np.save(table, ROWS)
    elif ending == ".npz":
        np.savez(table, x=ROWS)
    else:
        write_table(table, ROWS.T, ["p", "q", "r", "s"])
    table.write_bytes(table.read_bytes()[:-20])
    assert main(["predict", one, str(table), "-o", str(tmp_path / "y.csv")]) == 1
    assert error_line(capsys).startswith(f"table-file at {table}")


def test_npz_with_a_damaged_member(one, tmp_path, capsys):
    np.savez(tmp_path / "rows.npz", x=ROWS)
    data = bytearray((tmp_path / "rows.npz").read_bytes())
    data[data.index(ROWS.tobytes())] ^= 1
    (tmp_path / "rows.npz").write_bytes(data)
    assert main(["predict", one, str(tmp_path / "rows.npz"), "-o", str(tmp_path / "y.csv")]) == 1
    assert "Bad CRC-32" in error_line(capsys)


def test_npz_with_a_short_member(one, tmp_path, capsys):
    np.save(tmp_path / "x.npy", ROWS)
    with zipfile.ZipFile(tmp_path / "rows.npz", "w") as archive:
        archive.writestr("x.npy", (tmp_path / "x.npy").read_bytes()[:-4])
    assert main(["predict", one, str(tmp_path / "rows.npz"), "-o", str(tmp_path / "y.csv")]) == 1
    assert error_line(capsys).endswith("expected 3 rows of shape (4,), received the end of the file, 4 bytes too early")


def test_npz_names_and_rows(two, tmp_path, capsys):
    table, out = tmp_path / "rows.npz", str(tmp_path / "y.npz")
    np.savez(table, a=A, c=B)
    assert main(["predict", two, str(table), "-o", out]) == 1
    expected = f"input-names at {table}: expected an array for each input: a, b, received a, c"
    assert error_line(capsys) == expected
    np.savez(table, a=A, b=B[:1])
    assert main(["predict", two, str(table), "-o", out]) == 1
    assert error_line(capsys) == f"shape at {table}: b: expected 2 rows, as {table}: a, received 1"


@pytest.mark.parametrize(
    ("array", "fault"),
    [
        (np.zeros((2, 5), np.float32), "shape at input 'x': expected (batch, 4), received (2, 5)"),
        (np.float32(1), "shape at {}: expected an array of shape (rows, …), received a single number"),
        (np.zeros((2, 4), np.complex64), "input-type at input 'x': expected an array of float32 (batch, 4)"),
        (np.full((2, 4), 1e39), "input-range at input 'x': expected numbers within float32's range"),
        (np.array([["a"] * 4]), "input-type at input 'x': expected an array of float32 (batch, 4)"),
        (np.array([[None] * 4]), "table-file at {}: expected an .npy file of numbers"),
    ],
    ids=["shape", "scalar", "complex", "range", "text", "objects"],
)
@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_arrays_that_do_not_fit(one, array, fault, ending, tmp_path, capsys):
    table = tmp_path / f"rows{ending}"
    if ending == ".npy":
        np.save(table, array)
    else:
        np.savez(table, x=array)
    assert main(["predict", one, str(table), "-o", str(tmp_path / "y.csv")]) == 1
    where = str(table) if ending == ".npy" else f"{table}: x"
    assert error_line(capsys).startswith(fault.format(where))
    assert not (tmp_path / "y.csv").exists()


def test_npy_of_several_inputs_or_outputs(two, tmp_path, capsys):
    np.save(tmp_path / "rows.npy", A)
    np.savez(tmp_path / "rows.npz", a=A, b=B)
    assert main(["predict", two, str(tmp_path / "rows.npy"), "-o", str(tmp_path / "y.csv")]) == 1
    assert "expected an .npz file with an array for each input (a, b), or .csv or .parquet" in error_line(capsys)
    assert main(["predict", two, str(tmp_path / "rows.npz"), "-o", str(tmp_path / "y.npy")]) == 1
    assert "expected a name that ends in .npz, .csv or .parquet, or one output by --outputs" in error_line(capsys)


@pytest.mark.parametrize(("table", "out"), [("rows.txt", "y.csv"), ("rows.npy", "y.xlsx"), ("rows.npy", "y")])
def test_other_endings(one, table, out, tmp_path, capsys):
    np.save(tmp_path / "rows.npy", ROWS)
    assert main(["predict", one, str(tmp_path / table), "-o", str(tmp_path / out)]) == 1
    assert "expected a name that ends in .npy, .npz, .csv, .parquet" in error_line(capsys)


def test_tables_need_fixed_shapes(echo, tmp_path, capsys):
    (tmp_path / "rows.csv").write_text("1,2\n")
    model = echo(shape=("batch", "time"))
    assert main(["predict", model, str(tmp_path / "rows.csv"), "-o", str(tmp_path / "y.npy")]) == 1
    assert error_line(capsys).startswith(f"table-shape at {tmp_path / 'rows.csv'}: expected an .npy or .npz file")
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(tmp_path / "rows.npy", x)
    np.testing.assert_array_equal(predict(model, tmp_path / "rows.npy", tmp_path / "y.npy"), x)


def test_unknown_outputs(one, tmp_path, capsys):
    np.save(tmp_path / "rows.npy", ROWS)
    out = str(tmp_path / "y.npy")
    assert main(["predict", one, str(tmp_path / "rows.npy"), "-o", out, "--outputs", "z"]) == 1
    assert error_line(capsys) == "output-name at --outputs: expected one of x, y, received 'z'"


@pytest.mark.parametrize("link", [False, True], ids=["itself", "a-link-to-it"])
def test_what_is_read_is_not_overwritten(one, link, tmp_path, capsys):
    np.save(tmp_path / "rows.npy", ROWS)
    before = (tmp_path / "rows.npy").read_bytes()
    out = tmp_path / "rows.npy"
    if link:
        out = tmp_path / "y.npy"
        out.symlink_to(tmp_path / "rows.npy")
    assert main(["predict", one, str(tmp_path / "rows.npy"), "-o", str(out)]) == 1
    assert error_line(capsys).startswith(f"file-same at {out}: ")
    assert (tmp_path / "rows.npy").read_bytes() == before


def test_an_output_without_a_folder(one, tmp_path, capsys):
    np.save(tmp_path / "rows.npy", ROWS)
    out = tmp_path / "none" / "y.npy"
    assert main(["predict", one, str(tmp_path / "rows.npy"), "-o", str(out)]) == 1
    assert error_line(capsys).startswith(f"file-not-found at {out}: expected a file that can be written")


def test_missing_data(one, tmp_path, capsys):
    assert main(["predict", one, str(tmp_path / "rows.csv"), "-o", str(tmp_path / "y.npy")]) == 1
    assert error_line(capsys).startswith(f"file-not-found at {tmp_path / 'rows.csv'}")
    (tmp_path / "folder.csv").mkdir()
    assert main(["predict", one, str(tmp_path / "folder.csv"), "-o", str(tmp_path / "y.npy")]) == 1
    assert error_line(capsys).startswith("file-is-directory")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_data_from_a_pipe(one, tmp_path, capsys):
    os.mkfifo(tmp_path / "rows.csv")
    assert main(["predict", one, str(tmp_path / "rows.csv"), "-o", str(tmp_path / "y.npy")]) == 1
    assert error_line(capsys).startswith(f"file-not-regular at {tmp_path / 'rows.csv'}: expected a regular file")


def test_missing_extras(one, tmp_path, capsys, monkeypatch):
    (tmp_path / "rows.csv").write_text("1,2,3,4\n")
    (tmp_path / "m.h5").write_text("anything")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["predict", one, str(tmp_path / "rows.csv"), "-o", str(tmp_path / "y.npy")]) == 1
    assert "expected the extra 'cli' (install nnpack-format[cli])" in error_line(capsys)
    monkeypatch.setitem(sys.modules, "keras", None)
    assert main(["export", str(tmp_path / "m.h5"), str(tmp_path / "m.nnpack")]) == 1
    assert error_line(capsys).startswith("extra-missing at keras: expected the extra 'keras' (install nnpack-format[k")
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "nnpack.cli.app")
    assert main(["info", one]) == 1
    assert error_line(capsys).startswith("extra-missing at typer: expected the extra 'cli' (install nnpack-format[cli")


def test_a_bug_is_one_line_too(one, capsys, monkeypatch):
    def fail(path):
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr("nnpack.load", fail)
    assert main(["info", one]) == 1
    assert error_line(capsys).endswith("received RuntimeError: first line second line")
    monkeypatch.setenv("NNPACK_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="first line"):
        main(["info", one])


# Processes


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet"])
def test_a_full_disk(one, ending, tmp_path):
    resource = pytest.importorskip("resource")

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    np.save(tmp_path / "rows.npy", np.random.default_rng(3).normal(size=(5000, 4)).astype(np.float32))
    out = tmp_path / f"y{ending}"
    out.write_text("as it was")
    result = command("predict", one, tmp_path / "rows.npy", "-o", out, preexec_fn=small_files)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: disk-full at {out}: expected a file that can be written, received ")
    assert result.stderr.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == sorted(["one.nnpack", "rows.npy", out.name])
    assert out.read_text() == "as it was"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_full_disk_behind_stdout(one, options):
    with open("/dev/full", "w") as full:
        result = command("info", one, *options, stdout=full)
    assert result.returncode == 1
    assert result.stderr.startswith("error: disk-full")
    assert result.stderr.count("\n") == 1


def test_a_broken_pipe(one):
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = command("info", one, stdout=write_end)
    os.close(write_end)
    assert (result.returncode, result.stderr) == (1, "")


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_interrupt(one, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("1,2,3,4\n" * 3_000_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "nnpack", "predict", one, rows, "-o", tmp_path / "y.csv", "--batch-size", "1"],
        stderr=subprocess.PIPE,
        text=True,
        # tests that run in the background of a shell ignore interrupts, and what they start would, too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while process.poll() is None and not any(name.endswith(".tmp") for name in os.listdir(tmp_path)):
        time.sleep(0.01)  # until it writes
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "interrupted\n")
    assert sorted(os.listdir(tmp_path)) == ["one.nnpack", "rows.csv"]


def test_progress_is_for_terminals(one, tmp_path):
    np.save(tmp_path / "rows.npy", ROWS)
    arguments = ("predict", one, tmp_path / "rows.npy", "-o", tmp_path / "y.npy")
    assert command(*arguments).stderr == ""
    shown = command(*arguments, env={**os.environ, "FORCE_COLOR": "1", "TERM": "xterm"})
    assert "3 rows" in shown.stderr
    quiet = command(*arguments, "--quiet", env={**os.environ, "FORCE_COLOR": "1", "TERM": "xterm"})
    assert (quiet.stdout, quiet.stderr) == ("", "")


# The parity plot


def picture_size(path):
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_parity_plot(tmp_path):
    rng = np.random.default_rng(2)
    y = rng.normal(size=(500, 2)).astype(np.float32)
    pairs = {"y": (y, y + 1e-3), "p$_1$": (y[:, :1], y[:, :1]), "nan": (np.full(3, np.nan), np.full(3, np.nan))}
    parity_plot(pairs, tmp_path / "plot.png", "a title with $")
    wide = picture_size(tmp_path / "plot.png")
    parity_plot({"y": (y, y)}, tmp_path / "plot.png")
    assert picture_size(tmp_path / "plot.png")[0] < wide[0]


def test_parity_plot_says_what_it_shows(tmp_path):
    y = np.linspace(0, 1, 50_000)
    other = y.copy()
    other[12_345] += 0.25
    parity_plot({"y": (y, other)}, tmp_path / "plot.svg", "whole")
    picture = (tmp_path / "plot.svg").read_text()
    for text in ("<!-- whole -->", "Keras predict", "nnpack predict", "y: largest difference 0.25"):
        assert text in picture
    assert picture.count("<use ") < 30_000


def test_parity_plot_refuses(tmp_path):
    with pytest.raises(InputError, match=r"plot-kind .* expected a name that ends in \.png"):
        parity_plot({"y": (np.ones(1), np.ones(1))}, tmp_path / "plot.gif")
    with pytest.raises(InputError, match="plot-empty"):
        parity_plot({}, tmp_path / "plot.png")
    with pytest.raises(FileError, match="file-not-found"):
        parity_plot({"y": (np.ones(1), np.ones(1))}, tmp_path / "none" / "plot.png")
