"""nnpack convert --to xlsx: LibreOffice recalculates the workbooks, and finds what the suite expects."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from documents import document, expected, layer, packed, perceptron, tensor, with_selftest
from nnpack import loads
from nnpack.converters import spreadsheet
from nnpack.errors import InputError, ModelError, UnsupportedModelError
from nnpack.format.document import SelfTest, State, Value
from test_conformance import CASES, array, data_of, described

openpyxl = pytest.importorskip("openpyxl", reason="reads what LibreOffice recalculated")
pytest.importorskip("xlsxwriter", reason="writes workbooks")

calc = pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice: make packages")

RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>
"""
BATCH = 100
"""Files of one run of LibreOffice, which ends without a word after some 250."""


# LibreOffice


def forgotten(path):
    """Takes the numbers of formulas out of a workbook: what is read afterwards has been recalculated."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, data in parts.items():
            file.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f><v></v>", data))


def recalculated(folder):
    """The workbooks of a folder as LibreOffice computes them: name -> workbook of numbers."""
    profile, out = folder / "profile", folder / "out"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(RECALCULATE)
    paths = sorted(folder.glob("*.xlsx"))
    for path in paths:
        forgotten(path)
    command = ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "xlsx"]
    for at in range(0, len(paths), BATCH):
        subprocess.run(
            [*command, "--outdir", str(out), *map(str, paths[at : at + BATCH])],
            capture_output=True,
            check=True,
            timeout=600,
        )
    return {path.stem: openpyxl.load_workbook(out / path.name, data_only=True) for path in paths}


def lines(sheet, headings):
    """The lines of a sheet whose headings begin so, without them."""
    rows = sheet.iter_rows(min_row=5, values_only=True)
    return [row[1:] for row in rows if isinstance(row[0], str) and row[0].startswith(headings)]


def written(doc, folder, name="m", **options):
    path = folder / f"{name}.nnpack"
    path.write_bytes(packed(doc))
    spreadsheet.write(path, folder / f"{name}.xlsx", **options)
    return folder / f"{name}.xlsx"


# The suite

ROUNDED = {
    *("cast/int64-to-int32-low-bits", "cast/int64-to-int8-low-bits"),
    *(f"{op}/integers" for op in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")),
}
"""Cases with integers that float64, in which spreadsheets compute, does not have."""

UNSUPPORTED = {
    *("resize", "upsample", "conv_transpose", "group_normalization", "adaptive_average_pool", "adaptive_max_pool"),
    *("conv_lstm", "einsum", "matmul", "take", "take_along_axis", "fold", "unfold", "positions", "broadcast_batch"),
    *("arctan2", "isnan", "isinf", "isfinite", "string_lookup"),
}
"""Operators of the suite that no cells compute."""

MANY_CASES = {"L1": 3, "L2": 2, "L3": 2}
"""How many cases of each operator are computed; of networks, all."""


def computable(case):
    return not {f"op:{op}@1" for op in UNSUPPORTED} & set(case["requires"]) and case["id"] not in ROUNDED


def chosen(level):
    """Some cases of each operator, from the first to the last."""
    groups = {}
    for case in CASES:
        if case["kind"] == "run" and case["level"] == level and computable(case):
            groups.setdefault(case["id"].partition("/")[0], []).append(case)
    many = MANY_CASES[level]
    places = {op: np.linspace(0, len(cases) - 1, min(many, len(cases))).astype(int) for op, cases in groups.items()}
    return [groups[op][place] for op in groups for place in places[op]]


def networks():
    return [case for case in CASES if case["id"].startswith("network/") and computable(case)]


def with_case(case):
    """The model of a case, whose inputs and outputs become its self-test."""
    told = described(case)
    doc = loads(data_of(case, told["model"])).document
    tensors, names = [], ([], [], [])
    for i, item in enumerate(told["inputs"]):
        tensors.append(tensor(f"case/in/{i}", array(case, item["file"], item["dtype"], item["shape"])))
        names[0].append(f"case/in/{i}")
    for i, item in enumerate(told["outputs"]):
        y = array(case, item["file"], "float64", item["shape"]).astype(item["dtype"])
        tolerance = array(case, item["tolerance"], "float32", item["shape"])
        kind = item["dtype"] if item["dtype"] == "float64" or not item["dtype"].startswith("float") else "float32"
        tensors += [tensor(f"case/out/{i}", y), tensor(f"case/tolerance/{i}", tolerance.astype(kind))]
        names[1].append(f"case/out/{i}")
        names[2].append(f"case/tolerance/{i}")
    every = {**doc.tensors, **{item.name: item for item in tensors}}
    return doc._replace(tensors=every, selftest=SelfTest(*map(tuple, names)))


def assert_outputs(case, book):
    """The rows of the self-test on the sheet `output` are what the case expects, to 1e-6."""
    told, left = described(case), 0
    for item in told["outputs"]:
        y = array(case, item["file"], "float64", item["shape"])
        fixed = case_is_fixed(case, item["name"])
        rows = [y.reshape(-1)] if fixed else y.reshape(len(y), -1)
        found = lines(book["output"], "row 1" if fixed else "test")
        assert len(found) == len(rows)
        for want, line in zip(rows, found, strict=True):
            got = np.array([number_of(cell) for cell in line[left : left + len(want)]])
            finite = np.isfinite(want)
            np.testing.assert_allclose(
                got[finite], want[finite], rtol=1e-6, atol=1e-6, err_msg=f"{case['id']}: {item['name']}"
            )
            # what float32 has no number for is an error in a cell, or a number that float64 has
            assert not (np.abs(got[~finite]) <= np.finfo(np.float32).max).any()
        left += y.size + 1 if fixed else y[0].size + 1


def number_of(cell):
    """A cell's number; NaN of an error such as #DIV/0!."""
    return np.nan if isinstance(cell, str) and cell.startswith("#") else float(cell)


def case_is_fixed(case, name):
    return loads(data_of(case, "model.nnpack")).document.values[name].shape[:1] != ("batch",)


@calc
@pytest.mark.parametrize(
    "cases",
    [pytest.param(lambda level=level: chosen(level), id=level) for level in MANY_CASES]
    + [pytest.param(networks, id="networks")],
)
def test_suite_in_libreoffice(cases, tmp_path):
    cases = {case["id"].replace("/", " "): case for case in cases()}
    for name, case in cases.items():
        written(with_case(case), tmp_path, name, rows=1, cells=500_000)
    books = recalculated(tmp_path)
    verdicts = {name: books[name]["check"]["A3"].value for name in cases}
    for name, case in cases.items():
        assert_outputs(case, books[name])
    assert {name for name, verdict in verdicts.items() if verdict != "PASS"} == set()


def test_all_operators_of_level_1_are_computable():
    from nnpack.converters.spreadsheet import plan  # noqa: F401  # registers them
    from nnpack.converters.spreadsheet.formulas import HANDLERS

    level_1 = {item for case in CASES if case["level"] == "L1" and case["kind"] == "run" for item in case["requires"]}
    operators = {item[3:].partition("@")[0] for item in level_1 if item.startswith("op:")}
    assert len(operators) == 45
    assert operators <= HANDLERS.keys()
    assert not UNSUPPORTED & HANDLERS.keys()


# A workbook alive


@calc
def test_typed_numbers_are_computed(tmp_path):
    doc = with_selftest(perceptron())
    book = openpyxl.load_workbook(written(doc, tmp_path, rows=3))
    for column, number in enumerate([0.25, -1.5, 3, 0.5], 2):
        book["input"].cell(6, column).value = number
    book["input"]["B7"].value = None  # counts as 0
    book["h_dense"]["B20"].value = doc.tensors["h/kernel"].array[0, 0].item()
    book.save(tmp_path / "m.xlsx")
    typed = [[cell.value or 0 for cell in row[1:]] for row in book["input"].iter_rows(min_row=5, max_row=7)]
    book = recalculated(tmp_path)["m"]
    np.testing.assert_allclose(lines(book["output"], "row"), expected(doc, np.array(typed)), rtol=1e-6, atol=1e-6)
    assert book["check"]["A3"].value == "PASS"


@calc
def test_check_fails_when_a_weight_is_changed(tmp_path):
    book = openpyxl.load_workbook(written(with_selftest(perceptron()), tmp_path))
    (place,) = [cell for row in book["y"].iter_rows() for cell in row if cell.value == "kernel"]
    book["y"].cell(place.row + 1, 2).value += 0.01
    book.save(tmp_path / "m.xlsx")
    book = recalculated(tmp_path)["m"]
    assert book["check"]["A3"].value == "FAIL"


NAMES = ["A1", "R1C1", "c", "a/b", "a_b", "A B", "output", "History", "it's [so]: *?", "layer" * 8, "layer" * 9, "ünï"]


@calc
def test_names_are_only_names(tmp_path):
    """Layers with names that sheets, formulas or a workbook's names cannot have."""
    before, layers = "x", []
    for name in NAMES:
        layers.append(layer(name, "dense", [before], ("batch", 1), {"kernel": "k"}))
        before = name
    x = Value("x", "float32", ("batch", 1))
    path = written(document(layers, [tensor("k", np.float32([[2]]))], [x]), tmp_path, rows=2)
    book = openpyxl.load_workbook(path)
    sheets = book.sheetnames
    assert len({name.casefold() for name in sheets}) == len(sheets) == len(NAMES) + 3
    assert all(len(name) <= 31 and not re.search(r"[\[\]:*?/\\]", name) for name in sheets)
    assert "history" not in {name.casefold() for name in sheets}
    defined = list(book.defined_names)
    assert len({name.casefold() for name in defined}) == len(defined)
    assert len(defined) == 1 + 2 * len(NAMES) + 1  # x; each layer's value and kernel; the output
    assert not [name for name in defined if re.fullmatch(r"(?i)[a-z]{1,3}\d+|r\d*|c\d*|r\d*c\d*", name)]
    (x0,), (y0,) = lines(book["input"], "row 1"), lines(recalculated(tmp_path)["m"]["output"], "row 1")
    assert y0[0] == pytest.approx(x0[0] * 2 ** len(NAMES))


# What is written


def test_programs_that_only_show_a_file_show_numbers(tmp_path):
    doc = perceptron()
    book = openpyxl.load_workbook(written(doc, tmp_path, rows=4), data_only=True)
    x = np.array(lines(book["input"], "row"))
    np.testing.assert_allclose(lines(book["output"], "row"), expected(doc, x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.arctanh(lines(book["h"], "row")), lines(book["h_dense"], "row"), rtol=1e-4)


def test_weights_are_written_with_all_digits(tmp_path):
    kernel = np.float32([[0.1, 1 / 3, 1e-30], [np.nextafter(np.float32(1), np.float32(2)), -2.5e37, 16777217]])
    doc = document(
        [layer("y", "dense", ["x"], ("batch", 3), {"kernel": "k"})],
        [tensor("k", kernel)],
        [Value("x", "float32", ("batch", 2))],
    )
    book = openpyxl.load_workbook(written(doc, tmp_path, rows=1))
    stored = [[cell.value for cell in row] for row in book["y"][book.defined_names["y_kernel"].attr_text.split("!")[1]]]
    assert stored == kernel.astype(np.float64).tolist()


KNOWN = {
    *(
        "ABS",
        "ACOS",
        "ACOSH",
        "ASIN",
        "ASINH",
        "ATAN",
        "ATANH",
        "AVERAGE",
        "COLUMNS",
        "COS",
        "COSH",
        "ERF",
        "ERFC",
        "EXP",
    ),
    *("IF", "IFERROR", "INDEX", "INT", "ISNUMBER", "LARGE", "LN", "LOG", "LOG10", "MATCH", "MAX", "MIN", "MMULT", "PI"),
    *("PRODUCT", "ROUND", "SIGN", "SIN", "SINH", "SQRT", "SUM", "SUMPRODUCT", "SUMSQ", "TAN", "TANH", "TRUNC", "VARP"),
}
"""Functions that Excel 2007 has already, with the same meaning in LibreOffice."""


def test_formulas_use_functions_of_old():
    from nnpack.converters.spreadsheet import formulas, products, recurrent

    source = "".join(Path(module.__file__).read_text("utf-8") for module in (formulas, products, recurrent))
    tables = [
        formulas.ACTIVATIONS,
        formulas.FUNCTIONS,
        formulas.OPERATIONS,
        formulas.REDUCTIONS,
        formulas.NORMALIZATIONS,
    ]
    templates = " ".join(text for table in tables for text in table.values()) + " ".join(re.findall(r'"(.*?)"', source))
    used = set(re.findall(r"\b([A-Z][A-Z0-9.]+)\(", templates))
    assert {"MMULT", "SUMPRODUCT", "ERF"} <= used <= KNOWN


def test_sheets_are_ready_to_use(tmp_path):
    i = Value("i", "int32", ("batch", 2))
    b = Value("b", "bool", ("batch", 1))
    casts = [layer(f"{v.name} cast", "cast", [v.name], v.shape, None, {"dtype": "float32"}) for v in (i, b)]
    joined = layer("y", "concatenate", ["i cast", "b cast"], ("batch", 3), None, {"axis": 1})
    book = openpyxl.load_workbook(written(document([*casts, joined], [], [i, b]), tmp_path))
    assert book.sheetnames == ["input", "output", "check", "i cast", "b cast", "y"]
    assert {book[name].freeze_panes for name in book.sheetnames if name != "check"} == {"B5"}
    rules = {
        str(rule.sqref): (rule.type, rule.formula1, rule.formula2)
        for rule in book["input"].data_validations.dataValidation
    }
    assert rules == {"B5:C14": ("whole", "-2147483648", "2147483647"), "E5:E14": ("whole", "0", "1")}
    assert [cell.value for cell in book["input"][4]] == ["i", "i[0]", "i[1]", None, "b"]
    assert book["check"]["A2"].value == "The file carries no self-test."
    assert book.defined_names["i"].attr_text == "input!$B$5:$C$14"
    assert book["output"]["B5"].number_format == "0.000000"


@pytest.mark.parametrize(("inputs", "kind"), [(1, "ScatterChart"), (2, "LineChart")])
def test_chart(inputs, kind, tmp_path):
    """The output over the input, or over the rows where there are more inputs."""
    x = Value("x", "float32", ("batch", inputs))
    doc = document([layer("y", "sum", ["x"], ("batch", 1), None, {"axes": [1], "keepdims": True})], [], [x])
    (chart,) = openpyxl.load_workbook(written(doc, tmp_path))["output"]._charts
    (series,) = chart.series
    across, up = (series.xVal, series.yVal) if inputs == 1 else (series.cat, series.val)
    reference = across.numRef or across.strRef
    assert type(chart).__name__ == kind
    assert (reference.f, up.numRef.f) == (
        "input!$B$5:$B$14" if inputs == 1 else "output!$A$5:$A$14",
        "output!$B$5:$B$14",
    )


# What is refused


def refused(doc, folder, **options):
    with pytest.raises(ModelError) as caught:
        written(doc, folder, **options)
    assert [path.name for path in folder.iterdir()] == ["m.nnpack"]
    return caught.value


def test_more_cells_than_the_budget(tmp_path):
    x = Value("x", "float32", ("batch", 300))
    kernels = [tensor("k", np.zeros((300, 1000), np.float32)), tensor("l", np.zeros((1000, 3), np.float32))]
    layers = [
        layer("wide", "dense", ["x"], ("batch", 1000), {"kernel": "k"}),
        layer("y", "dense", ["wide"], ("batch", 3), {"kernel": "l"}),
    ]
    error = refused(document(layers, kernels, [x]), tmp_path)
    assert (error.code, error.at) == ("cell-budget", "wide")
    assert error.expected == "at most 200,000 cells for 10 rows"
    # 300 · 1000 weights, 10 · 1000 values; 1000 · 3 weights, 10 · 3 values
    assert error.received == "313,030 or more: wide (dense) 310,000, y (dense) 3,030"
    assert written(document(layers, kernels, [x]), tmp_path, rows=1, cells=310_000).exists()


def test_steps_of_a_recurrent_layer_count(tmp_path):
    weights = {"kernel": np.zeros((1, 40), np.float32), "recurrent_kernel": np.zeros((10, 40), np.float32)}
    attributes = {"activation": "tanh", "recurrent_activation": "sigmoid", "go_backwards": False}
    outputs = tuple(Value(name, "float32", ("batch", 10)) for name in ("y", "h", "c"))
    lstm = layer("lstm", "lstm", ["x"], ("batch", 10), {role: role for role in weights}, attributes)
    lstm = lstm._replace(
        outputs=outputs, attributes={**attributes, "return_sequences": False, "zero_output_for_mask": False}
    )
    x = Value("x", "float32", ("batch", 50, 1))
    doc = document([lstm], [tensor(name, w) for name, w in weights.items()], [x], ["y"])
    error = refused(doc, tmp_path, cells=50_000)
    # 50 steps of 4 sums, 4 gates and 2 states of 10 units, and 3 outputs, for 10 rows; 440 weights; 2 zero states; y
    assert error.received.startswith(f"{50 * 100 * 10 + 300 + 440 + 20 + 100:,} or more: lstm (lstm) 50,760")


def test_all_that_cells_cannot_compute(tmp_path):
    x = Value("x", "float32", ("batch", 4, 2))
    constant = layer("k", "constant", [], (4, 2), {"value": "nan"})
    layers = [
        layer("flat", "isnan", ["x"], x.shape, dtype="bool"),
        constant,
        layer("sum", "add", ["x", "k"], x.shape),
    ]
    doc = document(layers, [tensor("nan", np.full((4, 2), np.nan, np.float32))], [x], ["flat", "sum"])
    error = refused(doc, tmp_path)
    assert isinstance(error, UnsupportedModelError)
    assert [(problem.code, problem.at) for problem in error.problems] == [
        ("layer-unsupported", "flat"),
        ("weights-not-finite", "k"),
    ]
    assert "isnan" in str(error)


def test_dimensions_that_nobody_says(tmp_path):
    x = Value("x", "float32", ("batch", "time", 2))
    error = refused(document([layer("y", "relu", ["x"], x.shape)], [], [x]), tmp_path)
    assert (error.code, error.at, error.received) == ("input-shape", "x", "(batch, time, 2)")


def test_states(tmp_path):
    s = Value("s", "float32", ("batch", 4))
    doc = document([layer("y", "add", ["x", "s"], s.shape)], [tensor("zero", np.zeros(4, np.float32))])
    error = refused(doc._replace(states=(State(s, "y", "zero"),)), tmp_path)
    assert (error.code, error.at) == ("layer-unsupported", "s")


def test_wider_than_a_sheet(tmp_path):
    x = Value("x", "float32", ("batch", 20_000))
    error = refused(document([layer("y", "relu", ["x"], x.shape)], [], [x]), tmp_path, rows=1)
    assert (error.code, error.expected) == ("cell-budget", "at most 16,383 columns")


def test_no_rows(tmp_path):
    path = tmp_path / "m.nnpack"
    path.write_bytes(packed(perceptron()))
    with pytest.raises(InputError, match="batch-size at rows"):
        spreadsheet.write(path, tmp_path / "m.xlsx", rows=0)


def test_without_xlsxwriter(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    error = refused(perceptron(), tmp_path)
    assert (error.code, error.at) == ("extra-missing", "xlsxwriter")
    assert "install nnpack-format[excel]" in str(error)
