"""Drawn cases: right runtimes pass them, wrong ones do not, and what fails is small."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from generate import fuzz as drawing
from generate import pages
from nnpack.conformance import fuzzing
from nnpack.conformance.running import run, starter
from nnpack.conformance.suite import Suite
from nnpack.errors import ConformanceError

ROOT = Path(__file__).parents[1]
SUITE = Suite(ROOT / "conformance")
ADAPTERS = ROOT / "conformance" / "adapters"
NUMPY = f"{sys.executable} {ADAPTERS / 'numpy_engine.py'}"

WRONG = """
import sys
from dataclasses import replace
sys.path.insert(0, {adapters!r})
import numpy_engine
from nnpack.ops import OPERATORS
dense = OPERATORS["dense@1"]
def wrong(x, kernel, bias=None):
    return dense.function(x, kernel, bias if len(x) < 2 else None)
OPERATORS["dense@1"] = {replaced}
numpy_engine.serve(numpy_engine.Adapter())
"""


def wrong_runtime(folder: Path) -> str:
    """The numpy engine, without dense's bias from two rows on."""
    path = folder / "wrong.py"
    path.write_text(WRONG.format(adapters=str(ADAPTERS), replaced="dense._replace(function=wrong)"), "utf-8")
    return f"{sys.executable} {path}"


def test_everything_can_be_drawn() -> None:
    assert set(drawing.TOPICS) == {op.name for op in pages.operators().values()} | {"networks", "files"}


def test_numpy_engine_is_right() -> None:
    drawn: dict[str, int] = {}

    def count(topic: str, result: object) -> None:
        drawn[topic] = drawn.get(topic, 0) + 1

    found = list(fuzzing.fuzz(SUITE, starter(SUITE, NUMPY), fuzzing.topics(SUITE), 20, 5, count))
    assert found == []
    assert set(drawn) == set(drawing.TOPICS)


def test_keras_agrees_with_the_oracle_on_drawn_cases() -> None:
    pytest.importorskip("keras", reason="the other oracle is Keras")
    keras = f"{sys.executable} {ADAPTERS / 'keras_float32.py'}"
    assert list(fuzzing.fuzz(SUITE, starter(SUITE, keras), fuzzing.topics(SUITE), 10, 6)) == []


def test_failure_is_shrunk_and_can_be_repeated(tmp_path: Path) -> None:
    command = wrong_runtime(tmp_path)
    (finding,) = fuzzing.fuzz(SUITE, starter(SUITE, command), ["dense"], 50, 1)
    case = fuzzing.in_memory(finding.drawn)
    (x,) = (array for _, array in case.inputs)
    assert x.shape == (2, 1)
    np.testing.assert_array_equal(case.answers[0].expected, [[1], [1]])
    fuzzing.save(SUITE, [finding], tmp_path / "found")
    saved = Suite(tmp_path / "found")
    again = run(saved, saved.cases, starter(saved, command))
    assert [(result.id, result.failed) for result in again.results] == [("fuzz/dense", True)]
    assert run(saved, saved.cases, starter(saved, NUMPY)).succeeded


def test_same_seed_draws_the_same() -> None:
    drawn = []
    for seed in (1, 1, 2):
        seen: list[str] = []
        list(
            fuzzing.fuzz(
                SUITE,
                starter(SUITE, NUMPY),
                ["reshape"],
                10,
                seed,
                lambda _, found, seen=seen: seen.append(found.title),
            )
        )
        drawn.append(seen)
    assert drawn[0] == drawn[1] != drawn[2]


def test_unknown_topic_is_refused() -> None:
    with pytest.raises(ConformanceError, match="case-unknown"):
        list(fuzzing.fuzz(SUITE, starter(SUITE, NUMPY), ["dens"], 1, 1))


def test_what_is_not_declared_is_not_drawn(tmp_path: Path) -> None:
    path = tmp_path / "lacking.py"
    told = {"protocol": 1, "name": "t", "version": "0", "language": "x", "spec": [[1, 0]], "ops": [], "dtypes": []}
    path.write_text(f"input(); print({json.dumps(json.dumps(told))}, flush=True); input()", "utf-8")
    drawn: list[str] = []
    command = f"{sys.executable} {path}"
    list(fuzzing.fuzz(SUITE, starter(SUITE, command), ["dense"], 5, 1, lambda topic, _: drawn.append(topic)))
    assert drawn == []
