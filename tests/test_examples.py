"""The demo, as `make demo` runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="the demo trains with Keras")

DEMO = Path(__file__).resolve().parents[1] / "examples" / "demo"


def run(script, folder):
    done = subprocess.run([sys.executable, DEMO / script, folder], capture_output=True, text=True)
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
