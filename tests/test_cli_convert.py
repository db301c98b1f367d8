"""nnpack convert: every target through the command line, and back."""

from __future__ import annotations

import pytest

from documents import packed, perceptron, with_selftest
from nnpack.cli import main


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.nnpack"
    path.write_bytes(packed(with_selftest(perceptron())))
    return path


@pytest.mark.parametrize(("target", "name"), [("csv", "folder"), ("npz", "m.npz")])
def test_there_and_back(target, name, model, tmp_path, capsys):
    out, back = tmp_path / name, tmp_path / "back.nnpack"
    assert main(["convert", str(model), "--to", target, "-o", str(out)]) == 0
    assert main(["convert", str(out), "--to", "nnpack", "-o", str(back)]) == 0
    assert back.read_bytes() == model.read_bytes()
    assert main(["diff", str(model), str(back)]) == 0
    assert "byte for byte" in capsys.readouterr().out


def test_spreadsheet(model, tmp_path, capsys):
    pytest.importorskip("xlsxwriter", reason="writes spreadsheets")
    assert main(["convert", str(model), "--to", "xlsx", "-o", str(tmp_path / "m.xlsx"), "--rows", "3"]) == 0
    assert (tmp_path / "m.xlsx").read_bytes()[:2] == b"PK"
    assert main(["convert", str(model), "--to", "xlsx", "-o", str(tmp_path / "n.xlsx"), "--cells", "5"]) == 1
    assert "cell-budget" in capsys.readouterr().err
    assert not (tmp_path / "n.xlsx").exists()


def test_file_is_not_written_over(model, capsys):
    before = model.read_bytes()
    for target in ("npz", "xlsx", "nnpack"):
        assert main(["convert", str(model), "--to", target, "-o", str(model)]) == 1
    assert capsys.readouterr().err.count("file-same") == 3
    assert model.read_bytes() == before


def test_back_from_something_else(model, tmp_path, capsys):
    (tmp_path / "x.npz").write_bytes(b"no archive")
    (tmp_path / "empty").mkdir()
    for source in ("x.npz", "empty", "missing.npz"):
        assert main(["convert", str(tmp_path / source), "--to", "nnpack", "-o", str(tmp_path / "y.nnpack")]) == 1
    assert capsys.readouterr().err.count("error: ") == 3
    assert not (tmp_path / "y.nnpack").exists()
