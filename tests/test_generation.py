"""The suite in the repository is, bit for bit, what its generator makes, and Keras agrees with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("keras", reason="Keras is the second of the two oracles")

SUITE = Path(__file__).parents[1] / "conformance"


def test_cases_are_made_again_bit_for_bit() -> None:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "generate", "--check"]
    done = subprocess.run(command, cwd=SUITE, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_suite_stays_small() -> None:
    files = [SUITE / "manifest.json", *(path for path in (SUITE / "cases").rglob("*") if path.is_file())]
    assert sum(path.stat().st_size for path in files) < 25e6
