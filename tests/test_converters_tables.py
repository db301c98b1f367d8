"""nnpack convert --to csv, --to npz and back: the same bytes, a page to compute by, and damage that is named."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
import subprocess
import zipfile
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import nnpack
from documents import document, expected, layer, packed, perceptron, tensor, with_selftest
from nnpack.converters import csv_folder, npz
from nnpack.converters.csv_folder import cells
from nnpack.converters.formulas import ABSENT, FORMULAS, activation, input_names, output_names
from nnpack.errors import FileError, FormatError, MissingFileError, ModelError, NnpackError, SelfTestError
from nnpack.format.document import Quantization, SelfTest, State, Value
from nnpack.format.dtypes import DTYPES
from nnpack.ops import OPERATORS
from test_conformance import CASES, data_of

STORED = [case for case in CASES if case["id"].startswith("storage/")]
NETWORKS = [case for case in CASES if case["kind"] in ("network", "states")]
ODD_NAN = {"storage/float16-not-finite", "storage/bfloat16-not-finite"}
"""Cases with every kind of NaN, which text cannot tell apart."""


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=[case["id"] for case in cases])


def converted(data, folder):
    (folder / "m.nnpack").write_bytes(data)
    csv_folder.write(folder / "m.nnpack", folder / "out")
    return folder / "out"


def archived(data, folder):
    (folder / "m.nnpack").write_bytes(data)
    npz.write(folder / "m.nnpack", folder / "m.npz")
    return folder / "m.npz"


def rows(path):
    return list(csv.reader(path.read_text("utf-8").splitlines()))


def numbers(path):
    return [[float(cell) for cell in row] for row in rows(path)]


# The same bytes


@named([case for case in NETWORKS + STORED if case["id"] not in ODD_NAN])
def test_folder_gives_the_file_back(case, tmp_path):
    data = data_of(case, "model.nnpack")
    assert csv_folder.read(converted(data, tmp_path)) == data


@named(NETWORKS + STORED)
def test_npz_gives_the_file_back(case, tmp_path):
    data = data_of(case, "model.nnpack")
    assert npz.read(archived(data, tmp_path)) == data


def not_canonical():
    """The perceptron, with the keys of its header the wrong way round."""
    magic, version, header, pad, payload = msgpack.unpackb(packed(perceptron()))
    head = b"\x95" + b"".join(map(msgpack.packb, (magic, version, dict(reversed(header.items())))))
    pad = bytes(-(len(head) + 7) % 64)
    return head + b"\xc4" + bytes([len(pad)]) + pad + b"\xc6" + len(payload).to_bytes(4, "big") + payload


def test_file_that_is_not_canonical_comes_back_canonical(tmp_path):
    data = not_canonical()
    assert data != packed(perceptron())
    assert csv_folder.read(converted(data, tmp_path)) == packed(perceptron())
    assert npz.read(archived(data, tmp_path)) == packed(perceptron())


def test_later_minor_version_comes_back(tmp_path):
    data = packed(perceptron()._replace(version=(1, 3)))
    assert csv_folder.read(converted(data, tmp_path)) == data
    assert npz.read(archived(data, tmp_path)) == data


def test_header_comes_back_whole(tmp_path):
    metadata = {"1e22": 1e22, "2.0": 2.0, "2": 2, "-0.0": -0.0, 'é\u2028"\\': [True, {"": 5e-324}], "n": 2**53}
    data = packed(with_selftest(perceptron())._replace(metadata=metadata, ext={"org.example.note": {"a": [0.1]}}))
    assert csv_folder.read(converted(data, tmp_path)) == data
    assert npz.read(archived(data, tmp_path)) == data


def test_damaged_file_is_not_converted(tmp_path):
    data = bytearray(packed(perceptron()))
    data[-1] ^= 1
    with pytest.raises(FormatError, match="hash-mismatch"):
        converted(data, tmp_path)
    with pytest.raises(FormatError, match="hash-mismatch"):
        archived(data, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.nnpack"]


# Numbers as text


BITS = {"float16": (16, 10), "bfloat16": (16, 7), "float32": (32, 23), "float64": (64, 52)}


def exact(bits, dtype):
    """What finite bits of a floating-point type stand for; with it, the two numbers that round to its neighbours."""
    size, fraction = BITS[dtype]
    sign, magnitude = bits >> (size - 1), bits & (2 ** (size - 1) - 1)

    def value(magnitude):
        exponent, rest = magnitude >> fraction, magnitude & (2**fraction - 1)
        bias = 2 ** (size - fraction - 2) - 1
        scale = Fraction(2) ** (max(exponent, 1) - bias - fraction)
        return (rest + (2**fraction if exponent else 0)) * scale

    low = (value(magnitude) + value(magnitude - 1)) / 2 if magnitude else Fraction(0)
    high = (value(magnitude) + value(magnitude + 1)) / 2
    return sign, value(magnitude), low, high, magnitude % 2 == 0


def reads_back(text, bits, dtype):
    """Whether a decimal number, rounded to the nearest of its type, ties to even, has these bits."""
    sign, _, low, high, even = exact(bits, dtype)
    number = abs(Fraction(text))
    inside = low < number < high or (even and number in (low, high))
    return (text.startswith("-") == bool(sign)) and inside


def digits(text):
    return len(text.lower().partition("e")[0].strip("-").replace(".", "").strip("0")) or 1


def assert_fewest(text, bits, dtype):
    assert reads_back(text, bits, dtype)
    fewer = digits(text) - 1
    _, number, *_ = exact(bits, dtype)
    if number and fewer:
        for rounding in (ROUND_FLOOR, ROUND_CEILING):
            context = Context(prec=fewer, rounding=rounding, Emin=-5000, Emax=5000)
            shorter = context.divide(Decimal(number.numerator), Decimal(number.denominator))
            assert not reads_back(("-" if text.startswith("-") else "") + str(shorter), bits, dtype)


def written(array, dtype, folder):
    cells.write(folder / "x.csv", array, dtype)
    return (folder / "x.csv").read_text()


@pytest.mark.parametrize("dtype", BITS)
def test_floats_have_the_fewest_digits_that_read_back(dtype, tmp_path_factory):
    folder, (size, fraction) = tmp_path_factory.mktemp("numbers"), BITS[dtype]
    first_not_finite = (2 ** (size - 1 - fraction) - 1) << fraction

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, first_not_finite - 1)), min_size=1, max_size=40))
    @example([(False, m << fraction) for m in range(1, 31)])  # powers of two, below which numbers lie closer
    @example([(True, 0), (False, 1), (True, 1), (False, first_not_finite - 1), (True, (1 << fraction) - 1)])
    def check(drawn):
        bits = [magnitude | sign << (size - 1) for sign, magnitude in drawn]
        array = np.array(bits, f"<u{size // 8}").view(DTYPES[dtype].stored)
        text = written(array, dtype, folder)
        assert text.endswith("\n")
        for one, cell in zip(bits, text[:-1].split(","), strict=True):
            assert_fewest(cell, one, dtype)
        assert cells.read(folder / "x.csv", dtype, array.shape, finite=True).tobytes() == array.tobytes()

    check()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_float_of_16_bits_reads_back(dtype, tmp_path):
    bits = np.arange(2**16, dtype=np.uint16)
    array = bits.view(DTYPES[dtype].stored).reshape(256, 256)
    widened = (bits.astype(np.uint32) << 16).view(np.float32) if dtype == "bfloat16" else bits.view(np.float16)
    odd = np.isnan(widened) & (bits != (0x7FC0 if dtype == "bfloat16" else 0x7E00))
    table = np.where(odd, 0, bits).astype(np.uint16).view(array.dtype).reshape(array.shape)
    text = written(table, dtype, tmp_path)
    assert cells.read(tmp_path / "x.csv", dtype, table.shape, finite=False).tobytes() == table.tobytes()
    finite = np.isfinite(widened)
    assert all(
        reads_back(cell, int(one), dtype)
        for one, cell, plain in zip(bits, text.replace("\n", ",").split(","), finite, strict=False)
        if plain
    )
    assert {"nan", "inf", "-inf", "-0", "0"} <= {*text.replace("\n", ",").split(",")}


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "bool"])
def test_integers_read_back(dtype, tmp_path):
    limits = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    array = np.array([*limits, 0, 1], dtype)
    assert written(array, dtype, tmp_path) == f"{limits[0]},{limits[1]},0,1\n"
    assert cells.read(tmp_path / "x.csv", dtype, array.shape, finite=True).tobytes() == array.tobytes()


def test_number_that_rounding_twice_moves(tmp_path):
    """Of 7.038531e-26 float64 makes the middle between two numbers of float32, of which the even one is wrong."""
    array = np.array([0x15AE43FD, 0x95AE43FD], np.uint32).view(np.float32)
    assert written(array, "float32", tmp_path) == "7.038531e-26,-7.038531e-26\n"
    assert float(np.float32(float("7.038531e-26"))) != float(array[0])
    assert cells.read(tmp_path / "x.csv", "float32", (2,), finite=True).tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((), "0\n"),
        ((3,), "0,1,2\n"),
        ((2, 3), "0,1,2\n3,4,5\n"),
        ((2, 2, 3), "0,1,2\n3,4,5\n6,7,8\n9,10,11\n"),
        ((3, 1), "0\n1\n2\n"),
    ],
    ids=str,
)
def test_last_axis_is_a_line(shape, text, tmp_path):
    array = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    assert written(array, "float32", tmp_path) == text
    assert np.array_equal(cells.read(tmp_path / "x.csv", "float32", shape, finite=True), array)


@pytest.mark.parametrize("shape", [(1, 3 * cells.BLOCK + 1), (3 * cells.BLOCK + 1, 1), (cells.BLOCK // 2 + 1, 5)])
def test_tables_of_many_blocks(shape, tmp_path):
    array = np.arange(math.prod(shape), dtype=np.int32).reshape(shape)
    text = written(array, "int32", tmp_path)
    assert text.count("\n") == shape[0]
    assert text.replace("\n", ",") == "".join(f"{n}," for n in range(array.size))
    assert np.array_equal(cells.read(tmp_path / "x.csv", "int32", shape, finite=True), array)


def test_what_spreadsheets_save_is_read(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbf+1.50, 2E0\r\n.5,0000.25\r\n")
    read = cells.read(tmp_path / "x.csv", "float32", (2, 2), finite=True)
    assert read.tolist() == [[1.5, 2], [0.5, 0.25]]


@pytest.mark.parametrize("bits", [0xFFC00000, 0x7FC00001, 0x7F800001])
def test_unusual_nan_is_refused(bits, tmp_path):
    odd = np.array([1, 0, 2, 3], np.float32)
    odd.view(np.uint32)[1] = bits
    doc = document(
        [layer("c", "constant", [], (4,), {"value": "v"}), layer("y", "add", ["x", "c"], ("batch", 4))],
        [tensor("v", odd)],
    )
    with pytest.raises(ModelError, match=rf"nan-bits at tensor 'v'\[1\]: expected .*0x7fc00000, received {bits:#x}"):
        converted(packed(doc), tmp_path)
    assert not (tmp_path / "out").exists()
    assert npz.read(archived(packed(doc), tmp_path)) == packed(doc)


@pytest.mark.parametrize("name", sorted(ODD_NAN))
def test_unusual_nan_of_16_bits_is_refused(name, tmp_path):
    case = next(case for case in STORED if case["id"] == name)
    with pytest.raises(ModelError, match=r"nan-bits at tensor 'value/value'\[\d+\]: expected the NaN of the bits 0x7"):
        converted(data_of(case, "model.nnpack"), tmp_path)


# Damage


def damaged(tmp_path, name, change):
    out = converted(packed(with_selftest(perceptron())), tmp_path)
    change(out / name)
    return out


def text(old, new):
    def change(path):
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1))

    return change


def whole(data):
    return lambda path: path.write_bytes(data)


BIAS, KERNEL = "weights/h_bias.csv", "weights/h_kernel.csv"


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        (BIAS, Path.unlink, r"file-not-found at .*h_bias\.csv: expected the tensor 'h/bias', received no such file"),
        ("model.json", Path.unlink, r"file-not-found at .*model\.json"),
        ("notes.txt", Path.touch, r"file-foreign at .*notes\.txt: expected a file that model\.json names, received"),
        ("weights/h_bias (copy).csv", Path.touch, r"file-foreign at .*weights/h_bias \(copy\)\.csv"),
        ("weights/more", Path.mkdir, r"file-foreign at .*weights/more"),
        (BIAS, whole(b""), r"table-shape at .*h_bias\.csv: expected 1 lines, received 0"),
        (KERNEL, whole(b"1,2,3\n" * 3), r"table-shape at .*h_kernel\.csv: expected 4 lines, received 3"),
        (KERNEL, whole(b"1,2,3\n" * 5), r"table-shape at .*h_kernel\.csv: expected 4 lines, received 5"),
        (KERNEL, whole(b"1,2,3\n1,2\n1,2,3\n1,2,3\n"), r"h_kernel\.csv, line 2: expected 3 cells, received 2"),
        (KERNEL, whole(b"1,2,3\n\n1,2,3\n1,2,3\n"), r"h_kernel\.csv, line 2: expected 3 cells, received 1"),
        (KERNEL, whole(b"1,2,3\n" * 3 + b"1,2,3,4\n"), r"h_kernel\.csv, line 4: expected 3 cells, received 4"),
        (BIAS, whole(b"1,two,3\n"), r"table-cell at .*line 1, column 2: expected a finite number, received 'two'"),
        (BIAS, whole(b"1,2,\n"), r"line 1, column 3: expected a finite number, received ''"),
        (BIAS, whole(b"1,nan,3\n"), r"line 1, column 2: expected a finite number, received 'nan'"),
        (BIAS, whole(b"1,2,-Inf\n"), r"line 1, column 3: expected a finite number, received '-Inf'"),
        (BIAS, whole(b"1,2,1e39\n"), r"column 3: expected a number within the range of float32, received '1e39'"),
        (BIAS, whole(b"1,2,1e999\n"), r"column 3: expected a number within the range of float32, received '1e999'"),
        (BIAS, whole(b"1,0x10,3\n"), r"column 2: expected a finite number, received '0x10'"),
        (BIAS, whole(b"1,1_0,3\n"), r"column 2: expected a finite number, received '1_0'"),
        (BIAS, whole(b'1,"2",3\n'), r"column 2: expected a finite number, received '\"2\"'"),
        (BIAS, whole("1,２,3\n".encode()), r"column 2: expected a finite number, received '\\uff12'"),
        (BIAS, whole(b"1,\xff,3\n"), r"column 2: expected a finite number"),
        (BIAS, whole(b"1;2;3\n"), r"line 1: expected 3 cells, received 1"),
        (BIAS, whole(b"\n"), r"line 1: expected 3 cells, received 1"),
        (BIAS, whole(b"1,2,3\n"), r"hash-mismatch at .*model\.json#/payload_sha256"),
        (
            "model.json",
            text('"version": [', '"version: ['),
            r"table-file at .*model\.json: expected JSON in UTF-8, received",
        ),
        ("model.json", whole(b""), r"table-file at .*model\.json: expected JSON in UTF-8"),
        ("model.json", text('"requires": [', '"requires": 7, "ext": ['), r"wrong-type at .*model\.json#/ext"),
        ("model.json", whole(b"\xff"), r"table-file at .*model\.json: expected JSON in UTF-8"),
        ("model.json", whole(b"[" * 100_000), r"table-file at .*model\.json: expected JSON in UTF-8"),
        ("model.json", whole(b"[]"), r"wrong-type at .*model\.json#: expected a map"),
        ("model.json", text('"version": [', '"Version": ['), r"unknown-key at .*model\.json#/Version"),
        ("model.json", text('"header"', '"header": {}, "header"'), r"table-file .*a key that its map has already"),
        ("model.json", text('"offset": 0', '"offset": NaN'), r"table-file .*NaN, which is no JSON"),
        ("model.json", text('"offset": 0', '"offset": null'), r"wrong-type at .*model\.json#/header/tensors/0/offset"),
        ("model.json", text('"offset": 0', '"offset": 64'), r"tensor-hole at .*model\.json#/tensors/0/offset"),
        ("model.json", text('"name": "model"', '"name": null'), r"msgpack-nil at .*model\.json#byte"),
        ("model.json", text('"name": "model"', f'"name": {2**70}'), r"wrong-value at .*model\.json#/header"),
        ("model.json", text('"name": "model"', r'"name": "\ud800"'), r"wrong-value at .*model\.json#/header"),
        (
            "model.json",
            text(f'"{BIAS}"', f'"../{BIAS}"'),
            r"wrong-value at .*model\.json#/tensors/h~1bias: expected wei",
        ),
        (
            "model.json",
            text(f'"{BIAS}"', '"model.json"'),
            r"wrong-value at .*model\.json#/tensors/h~1bias: expected wei",
        ),
        ("model.json", text(f'"h/bias": "{BIAS}"', f'"b": "{BIAS}"'), r"tensor-missing at .*#/tensors: .*another: 'b'"),
        ("model.json", text(f'"{BIAS}"', f'"{KERNEL}"'), r"file-foreign at .*h_bias\.csv"),
        ("model.json", text('"op": "tanh@1"', '"op": "sigmoid@1"'), r"requires-incomplete at .*model\.json#/requires"),
    ],
    ids=lambda item: item if isinstance(item, str) and "/" in item else "",
)
def test_damaged_folder(name, change, told, tmp_path):
    out = damaged(tmp_path, name, change)
    with pytest.raises(NnpackError, match=told):
        csv_folder.read(out)


@pytest.mark.parametrize(
    ("dtype", "cell", "told"),
    [
        ("int8", "128", "expected an integer from -128 to 127, received '128'"),
        ("int8", "9" * 70, f"expected an integer from -128 to 127, received '{'9' * 70}'"),
        ("int8", "9" * 5000, f"expected an integer from -128 to 127, received '{'9' * 80}'"),
        ("int8", "1.0", "expected an integer from -128 to 127, received '1.0'"),
        ("uint8", "-1", "expected an integer from 0 to 255, received '-1'"),
        ("int64", str(2**63), f"expected an integer from {-(2**63)} to {2**63 - 1}, received '{2**63}'"),
        ("bool", "2", "expected an integer from 0 to 1, received '2'"),
        ("bool", "true", "expected an integer from 0 to 1, received 'true'"),
        ("float16", "65520", "expected a number within the range of float16, received '65520'"),
        ("bfloat16", "3.4e38", "expected a number within the range of bfloat16, received '3.4e38'"),
        ("float64", "1e309", "expected a number within the range of float64, received '1e309'"),
        ("float64", "x", "expected a number, nan, inf or -inf, received 'x'"),
    ],
)
def test_cell_that_its_type_cannot_hold(dtype, cell, told, tmp_path):
    (tmp_path / "x.csv").write_text(f"1,1\n1,{cell}\n")
    with pytest.raises(FormatError, match=re.escape(f"line 2, column 2: {told}")):
        cells.read(tmp_path / "x.csv", dtype, (2, 2), finite=False)


def test_damage_far_down_has_its_line(tmp_path):
    (tmp_path / "x.csv").write_text("1\n" * cells.BLOCK + "1\none\n")
    with pytest.raises(FormatError, match=rf"table-cell at .*x\.csv, line {cells.BLOCK + 2}, column 1: "):
        cells.read(tmp_path / "x.csv", "float32", (cells.BLOCK + 2, 1), finite=True)


def test_selftest_that_fails_is_told(tmp_path):
    out = damaged(tmp_path, "model.json", text('"op": "tanh@1"', '"op": "relu@1"'))
    text('"op:tanh@1"', '"op:relu@1"')(out / "model.json")
    with pytest.raises(SelfTestError, match="selftest-failed"):
        csv_folder.read(out)


def test_hidden_files_and_the_page_do_not_matter(tmp_path):
    data = packed(perceptron())
    out = converted(data, tmp_path)
    (out / ".DS_Store").touch()
    (out / "weights" / ".~lock.h_bias.csv#").touch()
    (out / "README.txt").unlink()
    shutil.rmtree(out / "example")
    assert csv_folder.read(out) == data


# The directory


def test_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.txt").write_text("mine")
    with pytest.raises(FileError, match=r"directory-not-empty at .*README\.txt"):
        converted(packed(perceptron()), tmp_path)
    assert (tmp_path / "out" / "README.txt").read_text() == "mine"
    assert len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize("foreign", ["thesis.tex", "weights/mine.csv", "example/predict.awk"])
def test_what_somebody_put_into_a_folder_is_left_alone(foreign, tmp_path):
    out = converted(packed(perceptron()), tmp_path)
    (out / foreign).write_text("mine")
    with pytest.raises(FileError, match=f"directory-not-empty at .*{foreign}"):
        converted(packed(perceptron()), tmp_path)
    assert (out / foreign).read_text() == "mine"


def test_another_model_takes_the_place_of_the_first(tmp_path):
    converted(packed(with_selftest(perceptron())), tmp_path)
    data = packed(document([layer("r", "relu", ["x"], ("batch", 4))]))
    out = converted(data, tmp_path)
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert found == ["README.txt", "example/r.csv", "example/x.csv", "model.json"]
    assert csv_folder.read(out) == data


def test_same_model_gives_the_same_folder(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        converted(packed(with_selftest(perceptron())), tmp_path / name)
    first, second = tmp_path / "first" / "out", tmp_path / "second" / "out"
    for path in first.rglob("*.*"):
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()


def with_tensors(names):
    """x plus a constant for each name, which is that of its tensor."""
    layers, last = [], "x"
    for i, name in enumerate(names):
        layers += [
            layer(f"c{i}", "constant", [], (4,), {"value": name}),
            layer(f"y{i}", "add", [last, f"c{i}"], ("batch", 4)),
        ]
        last = f"y{i}"
    return document(layers, [tensor(name, np.full(4, i, np.float32)) for i, name in enumerate(names)])


def test_names_of_files_are_safe_and_distinct(tmp_path):
    names = [
        "a/b",
        "A_b",
        "a b",
        "a_b_2",
        "../up",
        "/etc/passwd",
        "con",
        "Con.x",
        "é",
        "ü",
        ".hidden",
        "x" * 256,
        "-rf",
        ".",
    ]
    doc = with_tensors(names)
    out = converted(packed(doc), tmp_path)
    found = [path.name for path in (out / "weights").iterdir()]
    assert len({name.lower() for name in found}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}\.csv", name) for name in found)
    assert not any(re.match(r"(?i)con\.", name) for name in found)
    assert csv_folder.read(out) == packed(doc)
    assert npz.read(archived(packed(doc), tmp_path)) == packed(doc)


# The page


def test_every_operator_has_a_formula():
    assert {*FORMULAS} == {*OPERATORS}


@pytest.mark.parametrize("op", sorted(OPERATORS))
def test_formula_names_what_it_is_made_of(op):
    operator, formula = OPERATORS[op], FORMULAS[op]
    for name in [*operator.weights, *operator.attributes]:
        assert re.search(rf"\b{name}\b", formula), name
    for count in range(operator.inputs[0], min(operator.inputs[1], 4) + 1):
        dtypes = ["float32"] * max(0, count - 1) + ["bool"] * (count > 0)
        names = input_names(op, dtypes)
        assert len({*names}) == count
        if op != "concatenate@1":  # whose inputs go on and on
            assert all(re.search(rf"\b{name}\b", formula) for name in names), names
    assert {role for role, needed in operator.weights.items() if not needed} <= {*ABSENT}
    assert formula.isascii()
    assert max(map(len, formula.split("\n"))) <= 120
    assert re.search(r"\by\b", formula)


@pytest.mark.parametrize(
    ("op", "dtypes", "names"),
    [
        ("lstm@1", ["float32"], ["x"]),
        ("lstm@1", ["float32", "bool"], ["x", "mask"]),
        ("lstm@1", ["float32"] * 3, ["x", "state_h", "state_c"]),
        ("lstm@1", ["float32"] * 3 + ["bool"], ["x", "state_h", "state_c", "mask"]),
        ("gru@1", ["float32", "float32"], ["x", "state"]),
        ("gru@1", ["float32", "bool"], ["x", "mask"]),
        ("take@1", ["bool", "int32"], ["x", "indices"]),
        ("unfold@1", ["float32", "bool"], ["x", "like"]),
        ("where@1", ["bool", "bool", "bool"], ["condition", "x1", "x2"]),
        ("constant@1", [], []),
    ],
)
def test_names_of_inputs(op, dtypes, names):
    assert input_names(op, dtypes) == names


def test_activations_by_name():
    choices = OPERATORS["lstm@1"].attributes["activation"].kind.removeprefix("one of ").split(", ")
    assert len(choices) > 20
    for name in choices:
        operator = OPERATORS.get(f"{name}@1")
        for attribute in operator.attributes if operator else ():
            if attribute != "axes":
                assert re.search(rf"{attribute} (=|is) [\w.]+$", activation(name)), name
    assert activation("linear") == "y = x"
    assert output_names("lstm@1", 3) == ["y", "state_h", "state_c"]


@named(NETWORKS)
def test_page_speaks_of_everything(case, tmp_path):
    data = data_of(case, "model.nnpack")
    out, doc = converted(data, tmp_path), nnpack.loads(data).document
    page = (out / "README.txt").read_text()
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.csv"))
    assert [name for name in files if name not in page and not name.startswith("selftest/")] == []
    assert len([name for name in files if name.startswith("example/")]) == len(doc.values)
    for number, item in enumerate(doc.layers, 1):
        assert f"\n{number}. {item.name}: {item.op.partition('@')[0]}\n" in page
    assert len(page[: page.index("\nINPUTS AND OUTPUTS\n")].splitlines()) < 60
    assert "${" not in page


def test_page_of_one_without_layers(tmp_path):
    out = converted(packed(document([])), tmp_path)
    assert "0 layers" in (out / "README.txt").read_text()
    assert csv_folder.read(out) == packed(document([]))


def test_sizes_that_the_model_leaves_open_are_told(tmp_path):
    x = Value("x", "float32", ("batch", "time", 2))
    out = converted(packed(document([layer("y", "relu", ["x"], x.shape)], (), [x])), tmp_path)
    page = (out / "README.txt").read_text()
    size = int(re.search(r"every value for one row: batch = 1, time = (\d+)\.", page)[1])
    assert len(numbers(out / "example" / "x.csv")) == size <= 10


def one_row_table():
    """A model that takes no other index than 0."""
    return document(
        [layer("y", "embedding", ["x"], ("batch", 9, 3), {"embeddings": "e"})],
        [tensor("e", np.ones((1, 3), np.float32))],
        [Value("x", "int32", ("batch", 9))],
    )


def test_selftest_gives_the_example_where_no_sampled_row_does(tmp_path):
    doc = one_row_table()
    y = np.ones((2, 9, 3), np.float32)
    tests = [tensor("in", np.zeros((2, 9), np.int32)), tensor("out", y), tensor("tol", y)]
    doc = doc._replace(
        tensors={**doc.tensors, **{item.name: item for item in tests}}, selftest=SelfTest(("in",), ("out",), ("tol",))
    )
    out = converted(packed(doc), tmp_path)
    assert numbers(out / "example" / "x.csv") == [[0] * 9]
    assert numbers(out / "example" / "y.csv") == [[1] * 3] * 9


def test_model_that_takes_no_sampled_row_has_no_example(tmp_path):
    doc = one_row_table()
    out = converted(packed(doc), tmp_path)
    assert "There is no example: index-range" in (out / "README.txt").read_text()
    assert not (out / "example").exists()
    assert csv_folder.read(out) == packed(doc)


# By hand

AWK = r"""
function tanh(v) { return 1 - 2 / (1 + exp(2 * v)) }
BEGIN { FS = "," }
FILENAME ~ /kernel/ { for (i = 1; i <= NF; i++) w[FILENAME, FNR - 1, i - 1] = $i }
FILENAME ~ /bias/ { for (i = 1; i <= NF; i++) b[FILENAME, i - 1] = $i; units[FILENAME] = NF }
FILENAME ~ /example/ { for (i = 1; i <= NF; i++) x[i - 1] = $i; n = NF }
function dense(layer, u, i) {
    for (u = 0; u < units["weights/" layer "_bias.csv"]; u++) {
        y[u] = b["weights/" layer "_bias.csv", u]
        for (i = 0; i < n; i++) y[u] += x[i] * w["weights/" layer "_kernel.csv", i, u]
    }
    n = u
    for (u = 0; u < n; u++) x[u] = y[u]
}
function show(name, u) {
    printf "%s", name
    for (u = 0; u < n; u++) printf ",%.9g", x[u]
    print ""
}
END {
    dense("h"); show("h_dense")
    for (u = 0; u < n; u++) x[u] = tanh(x[u])
    show("h")
    dense("y"); show("y")
}
"""


@pytest.mark.skipif(shutil.which("awk") is None, reason="needs awk")
def test_awk_computes_the_example(tmp_path):
    doc = perceptron()
    out = converted(packed(doc), tmp_path)
    weights = [f"weights/{name}_{role}.csv" for name in ("h", "y") for role in ("kernel", "bias")]
    done = subprocess.run(["awk", AWK, *weights, "example/x.csv"], cwd=out, capture_output=True, text=True, check=True)
    computed = {row[0]: list(map(float, row[1:])) for row in csv.reader(done.stdout.splitlines())}
    assert [*computed] == ["h_dense", "h", "y"]
    for name, row in computed.items():
        np.testing.assert_allclose(numbers(out / "example" / f"{name}.csv"), [row], rtol=2e-6, atol=1e-7)
    np.testing.assert_allclose([computed["y"]], expected(doc, np.array(numbers(out / "example" / "x.csv"))), rtol=1e-6)


def rounded(cell, fraction, least):
    """What README.txt says of cells of float16 and bfloat16."""
    v = float(cell)
    if v == 0:
        return v
    step = 2.0 ** (max(math.floor(math.log2(abs(v))), least) - fraction)
    return round(v / step) * step


def test_small_types_are_widened_as_the_page_says(tmp_path):
    random = np.random.RandomState(3)
    half = random.uniform(-1, 1, (4, 3)).astype(np.float16)
    brain = (random.uniform(-1, 1, 3).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    steps, zero, scale = random.randint(-128, 128, (3, 2)), np.array([3, -4]), np.array([0.01, 0.37])
    doc = document(
        [
            layer("h", "dense", ["x"], ("batch", 3), {"kernel": "k", "bias": "b"}),
            layer("y", "dense", ["h"], ("batch", 2), {"kernel": "q"}),
        ],
        [
            tensor("k", half),
            tensor("b", brain, "bfloat16"),
            tensor("q", steps.astype(np.int8), quantization=Quantization("s", "z", 1)),
            tensor("s", scale.astype(np.float32)),
            tensor("z", zero.astype(np.int8)),
        ],
    )
    out = converted(packed(doc), tmp_path)
    page = (out / "README.txt").read_text()
    assert "step = 2 ^ (max(floor(log2(|v|)), -14) - 10)" in page
    assert "step = 2 ^ (max(floor(log2(|v|)), -126) - 7)" in page
    assert "(cell - zero_point[c]) * scale[c]" in page
    assert "scale, along axis 1: weights/s.csv" in page
    weights, x = out / "weights", numbers(out / "example" / "x.csv")[0]
    k = [[rounded(cell, 10, -14) for cell in row] for row in rows(weights / "k.csv")]
    b = [rounded(cell, 7, -126) for cell in rows(weights / "b.csv")[0]]
    assert k == half.astype(float).tolist()
    q, s, z = (numbers(weights / f"{name}.csv") for name in "qsz")
    h = [b[u] + sum(x[i] * k[i][u] for i in range(4)) for u in range(3)]
    y = [sum(h[i] * (q[i][u] - z[0][u]) * s[0][u] for i in range(3)) for u in range(2)]
    np.testing.assert_allclose(numbers(out / "example" / "h.csv"), [h], rtol=2e-6)
    np.testing.assert_allclose(numbers(out / "example" / "y.csv"), [y], rtol=2e-6)


def test_images_are_computed_by_the_page(tmp_path):
    random = np.random.RandomState(4)
    attributes = {"strides": [2, 1], "dilation_rate": [1, 2], "groups": 2, "padding": "same"}
    doc = document(
        [
            layer("c", "conv", ["x"], ("batch", 3, 4, 6), {"kernel": "k", "bias": "b"}, attributes),
            layer(
                "y",
                "max_pool",
                ["c"],
                ("batch", 2, 4, 6),
                None,
                {"pool_size": [2, 3], "strides": [2, 1], "padding": "same"},
            ),
        ],
        [
            tensor("k", random.uniform(-1, 1, (3, 2, 2, 6)).astype(np.float32)),
            tensor("b", random.uniform(-1, 1, 6).astype(np.float32)),
        ],
        [Value("x", "float32", ("batch", 5, 4, 4))],
    )
    out = converted(packed(doc), tmp_path)

    def element(table, shape, *index):
        """That of an array in C order, whose last axis is a line; None outside of it."""
        if any(not 0 <= i < n for i, n in zip(index, shape, strict=True)):
            return None
        line = 0
        for i, n in zip(index[:-1], shape[:-1], strict=True):
            line = line * n + i
        return table[line][index[-1]]

    def before(size, made, extent, stride):
        return max((made - 1) * stride + extent - size, 0) // 2

    x, k, [b] = (numbers(out / name) for name in ("example/x.csv", "weights/k.csv", "weights/b.csv"))
    top, left = before(5, 3, 3, 2), before(4, 4, 3, 1)
    c = [[0.0] * 6 for _ in range(12)]
    for p, q, f in np.ndindex(3, 4, 6):
        c[p * 4 + q][f] = b[f] + sum(
            (element(x, (5, 4, 4), p * 2 + i - top, q + j * 2 - left, f // 3 * 2 + m) or 0)
            * element(k, (3, 2, 2, 6), i, j, m, f)
            for i, j, m in np.ndindex(3, 2, 2)
        )
    np.testing.assert_allclose(numbers(out / "example" / "c.csv"), c, rtol=1e-5, atol=1e-6)
    top, left = before(3, 2, 2, 2), before(4, 4, 3, 1)
    y = [[0.0] * 6 for _ in range(8)]
    for p, q, f in np.ndindex(2, 4, 6):
        window = [element(c, (3, 4, 6), p * 2 + i - top, q + j - left, f) for i, j in np.ndindex(2, 3)]
        y[p * 4 + q][f] = max(v for v in window if v is not None)
    np.testing.assert_allclose(numbers(out / "example" / "y.csv"), y, rtol=1e-5, atol=1e-6)


def test_states_are_computed_by_the_page(tmp_path):
    before = Value("total_before", "float32", ("batch", 4))
    doc = document(
        [layer("total", "add", ["x", "total_before"], ("batch", 4))],
        [tensor("start", np.array([1, 2, 3, 4], np.float32))],
        states=(State(before, "total", "start"),),
    )
    out = converted(packed(doc), tmp_path)
    page = " ".join((out / "README.txt").read_text().split())
    assert "state total_before, float32 (batch, 4)" in page
    assert "at first it is weights/start.csv, float32 (4,): 1 line of 4 cells, for every row;" in page
    assert "after a call it becomes the value total, for the next call" in page
    [x], [start], [total] = (
        numbers(out / name) for name in ("example/x.csv", "weights/start.csv", "example/total.csv")
    )
    assert numbers(out / "example" / "total_before.csv") == [start]
    assert np.float32(total).tolist() == (np.float32(x) + np.float32(start)).tolist()
    assert csv_folder.read(out) == packed(doc)


def test_strings_are_looked_up_by_the_page(tmp_path):
    entries = ["red", 'a "b", c', "né"]
    data = "".join(entries).encode()
    offsets = np.cumsum([0, *(len(entry.encode()) for entry in entries)])
    doc = document(
        [layer("y", "string_lookup", ["x"], ("batch", 9), {"vocabulary": "v", "offsets": "o"}, dtype="int64")],
        [tensor("v", np.frombuffer(data, np.uint8)), tensor("o", offsets)],
        [Value("x", "string", ("batch", 9))],
    )
    out = converted(packed(doc), tmp_path)
    [words] = rows(out / "example" / "x.csv")
    code = [int(cell) for cell in (out / "weights" / "v.csv").read_text().split(",")]
    starts = [int(cell) for cell in (out / "weights" / "o.csv").read_text().split(",")]
    read = [bytes(code[a:b]).decode() for a, b in pairwise(starts)]
    assert read == entries
    places = [read.index(word) if word in read else -1 for word in words]
    assert max(places) >= 0
    assert numbers(out / "example" / "y.csv") == [places]


def test_double_precision_and_several_ends(tmp_path):
    left, right = Value("left", "float64", ("batch", 3)), Value("right", "float64", ("batch", 3))
    doc = document(
        [
            layer("sum", "add", ["left", "right"], ("batch", 3), dtype="float64"),
            layer("square", "square", ["sum"], ("batch", 3), dtype="float64"),
        ],
        inputs=[left, right],
        outputs=["square", "sum"],
    )
    out = converted(packed(doc), tmp_path)
    [a], [b] = numbers(out / "example" / "left.csv"), numbers(out / "example" / "right.csv")
    assert numbers(out / "example" / "sum.csv") == [[p + q for p, q in zip(a, b, strict=True)]]
    assert numbers(out / "example" / "square.csv") == [[(p + q) ** 2 for p, q in zip(a, b, strict=True)]]
    page = " ".join((out / "README.txt").read_text().split())
    assert "input left, float64 (batch, 3) example/left.csv" in page
    assert "input right, float64 (batch, 3) example/right.csv" in page
    assert "output square, float64 (batch, 3) example/square.csv" in page


def test_names_are_only_names_on_the_page(tmp_path):
    x = Value('a\n\x1b[2J${name} "b"', "float32", ("batch", "$size\n", 2))
    doc = document([layer("$r\n2. r", "relu", [x.name], x.shape)], [], [x])._replace(name="${x}\n$$")
    page = (converted(packed(doc), tmp_path) / "README.txt").read_text()
    assert "\x1b" not in page
    assert page.startswith("${x}\\n$$: a trained network")
    assert "\n1. $r\\n2. r: relu\n" in page


# NPZ


def test_numpy_alone_loads_it(tmp_path):
    half, brain = np.array([[0.1, 2]], np.float16), np.array([0x3FC0, 0xC000], np.uint16)
    doc = document(
        [
            layer("h", "dense", ["x"], ("batch", 2), {"kernel": "h/kernel", "bias": "h/bias"}),
            layer("y", "dense", ["h"], ("batch", 1), {"kernel": "q"}),
        ],
        [
            tensor("h/kernel", half),
            tensor("h/bias", brain, "bfloat16"),
            tensor("q", np.array([[-128], [5]], np.int8), quantization=Quantization("s", "z")),
            tensor("s", np.array(0.5, np.float32)),
            tensor("z", np.array(-1, np.int8)),
        ],
        [Value("x", "float32", ("batch", 1))],
    )
    path = archived(packed(doc), tmp_path)
    with np.load(path, allow_pickle=False) as loaded:
        arrays = {name: loaded[name] for name in loaded.files}
    assert [*arrays] == ["model.json", "h/kernel", "h/bias", "q", "s", "z"]
    assert arrays["h/kernel"].dtype == np.float16
    assert arrays["h/kernel"].tolist() == half.tolist()
    assert arrays["h/bias"].dtype == np.float32
    assert arrays["h/bias"].tolist() == [1.5, -2]
    assert arrays["q"].dtype == np.int8
    assert arrays["q"].tolist() == [[-128], [5]]
    assert arrays["s"].shape == ()
    told = json.loads(arrays["model.json"].tobytes())
    assert told["version"] == [1, 0]
    assert [item["name"] for item in told["header"]["tensors"]] == ["h/kernel", "h/bias", "q", "s", "z"]
    # numpy may write it again
    np.savez_compressed(tmp_path / "again.npz", **dict(reversed(arrays.items())))
    assert npz.read(tmp_path / "again.npz") == packed(doc)


def test_same_model_gives_the_same_npz(tmp_path):
    data = packed(with_selftest(perceptron()))
    first = archived(data, tmp_path).read_bytes()
    assert archived(data, tmp_path).read_bytes() == first
    with zipfile.ZipFile(tmp_path / "m.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_names_that_numpy_would_mistake(tmp_path):
    names = ["model.json", "a", "a.npy", "a.npy_", "a.npy.npy"]
    doc = with_tensors(names)
    path = archived(packed(doc), tmp_path)
    assert npz.read(path) == packed(doc)
    with np.load(path) as loaded:
        places = json.loads(loaded["model.json"].tobytes())["tensors"]
        assert [loaded[places[name]][0] for name in names] == [0, 1, 2, 3, 4]


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda found: found.pop("h/bias.npy"), r"table-file at .*m\.npz: h/bias\.npy: .*no such array"),
        (lambda found: found.update({"more.npy": npy(np.zeros(1))}), r"table-file at .*more\.npy: .*another array"),
        (lambda found: found.pop("model.json.npy"), r"table-file at .*m\.npz: .*no array 'model\.json'"),
        (lambda found: found.update({"model.json.npy": npy(np.zeros(3, np.uint8))}), r"table-file at .*model\.json"),
        (lambda found: found.update({"h/bias.npy": b"junk"}), r"table-file at .*m\.npz"),
        (
            lambda found: found.update({"h/bias.npy": npy(np.zeros(3))}),
            r"table-shape .*float32 \(3,\), received float64",
        ),
        (
            lambda found: found.update({"h/bias.npy": npy(np.zeros((1, 3), np.float32))}),
            r"table-shape at .*m\.npz: h/bias: expected float32 \(3,\), received float32 \(1, 3\)",
        ),
        (
            lambda found: found.update({"h/bias.npy": npy(np.zeros(3, np.float32))}),
            r"hash-mismatch at .*m\.npz: model\.json#/payload_sha256",
        ),
        (lambda found: found.update({"h/bias.npy": npy(np.zeros(10**5))}), r"table-file .*of more than 12 bytes"),
        (lambda found: found.update({"h/bias.npy": npy(np.array([None] * 3))}), r"table-file at .*m\.npz"),
    ],
)
def test_damaged_npz(change, told, tmp_path):
    path = archived(packed(perceptron()), tmp_path)
    found = members(path)
    change(found)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    with pytest.raises(FormatError, match=told):
        npz.read(path)


def test_what_is_no_npz(tmp_path):
    (tmp_path / "m.npz").write_bytes(packed(perceptron()))
    with pytest.raises(FormatError, match=r"table-file at .*m\.npz: expected an \.npz file of a model"):
        npz.read(tmp_path / "m.npz")
    with pytest.raises(MissingFileError, match="file-not-found"):
        npz.read(tmp_path / "other.npz")
    with pytest.raises(FileError, match="file-is-directory"):
        npz.read(tmp_path)


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_npz_that_was_cut_off(at, tmp_path):
    path = archived(packed(perceptron()), tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * at)])
    with pytest.raises(FormatError, match="table-file"):
        npz.read(path)


def test_bfloat16_takes_no_more_digits_than_it_has(tmp_path):
    doc = document(
        [layer("y", "dense", ["x"], ("batch", 2), {"kernel": "k"})],
        [tensor("k", np.full((4, 2), 0x3F80, np.uint16), "bfloat16")],
    )
    path = archived(packed(doc), tmp_path)
    with np.load(path) as loaded:
        arrays = dict(loaded)
    arrays["k"][2, 1] = 1.0001
    np.savez(path, **arrays)
    with pytest.raises(FormatError, match=r"table-cell at .*m\.npz: k\[2, 1\]: expected a number that bfloat16 has"):
        npz.read(path)
