"""The runner against runtimes that are right, that are wrong, and that misbehave."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnpack.conformance.judging import judge, parts_of
from nnpack.conformance.process import Limits, Process
from nnpack.conformance.results import Verdict
from nnpack.conformance.running import run, starter
from nnpack.conformance.runtimes import Output
from nnpack.conformance.suite import Answer, Suite
from nnpack.errors import ConformanceError

ROOT = Path(__file__).parents[1]
SUITE = Suite(ROOT / "conformance")
ADAPTERS = ROOT / "conformance" / "adapters"
PYTHON = sys.executable


def sample(level: str, each: int = 3) -> list[Any]:
    """Some cases of each kind of a level, spread over it."""
    cases = [case for case in SUITE.cases if case.level == level]
    chosen = []
    for kind in sorted({case.kind for case in cases}):
        of_kind = [case for case in cases if case.kind == kind]
        chosen += of_kind[:: max(1, len(of_kind) // each)][:each]
    return chosen


def outcome(command: str, cases: list[Any], one_shot: bool = False, **limits: float) -> Any:
    start = starter(SUITE, command, one_shot, Limits(**{"timeout": 5.0, "start_timeout": 60.0, **limits}))
    return run(SUITE, cases, start, command=command, seed=1)


# Comparing


def answer(expected: Any, tolerance: Any, dtype: str = "float32") -> Answer:
    tolerances = np.maximum(np.asarray(tolerance, np.float64), 2.0**-126)
    return Answer("y", dtype, np.asarray(expected, np.float64), np.broadcast_to(tolerances, np.shape(expected)))


@pytest.mark.parametrize(
    ("y", "expected"),
    [(np.nan, 1.0), (1.0, np.nan), (np.inf, -np.inf), (np.inf, 3e38), (1.5, np.inf), (1.0 + 2e-6, 1.0), (3e-38, 0.0)],
)
def test_comparison_finds_what_is_wrong(y: float, expected: float) -> None:
    assert (parts_of(np.float32([y]), answer([expected], 1e-6 if expected == 1 else 0)) > 1).all()


@pytest.mark.parametrize(
    ("y", "expected"), [(np.nan, np.nan), (-np.inf, -np.inf), (-0.0, 0.0), (1.0 + 5e-7, 1.0), (0.0, 1e-38)]
)
def test_comparison_passes_what_is_right(y: float, expected: float) -> None:
    assert (parts_of(np.float32([y]), answer([expected], 1e-6 if expected == 1 else 0)) <= 1).all()


def test_judgement_names_the_worst_element() -> None:
    y = np.float32([[1, 2.5], [3, np.nan]])
    judgement = judge([Output("float32", y)], [answer([[1, 2], [3, 4]], 0.25)])
    assert judgement.message == "2 of 4 elements over tolerance"
    assert judgement.worst is not None
    assert (judgement.worst.at, judgement.worst.want, judgement.worst.times) == ("y[1, 1]", 4.0, np.inf)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (Output("float64", np.zeros(2)), "y is float64, expected float32"),
        (Output("float32", np.zeros((2, 1), np.float32)), "y has the shape [2, 1], expected [2]"),
    ],
)
def test_judgement_wants_dtype_and_shape(output: Output, message: str) -> None:
    assert judge([output], [answer([0, 0], 1)]).message == message


def test_judgement_wants_every_output() -> None:
    assert judge([], [answer([0, 0], 1)]).message == "0 outputs, expected 1"


# The suite


def test_choice_of_cases() -> None:
    dense = SUITE.choose(ops=["dense@1"], level="L1")
    assert {case.group for case in dense} >= {"dense", "network"}
    assert {case.level for case in dense} <= {"L0", "L1"}
    assert [case.id for case in SUITE.choose(patterns=["dense/rank-*"])] == [
        case.id for case in SUITE.cases if case.id.startswith("dense/rank-")
    ]


@pytest.mark.parametrize(
    ("choice", "at"), [({"level": "L7"}, "level"), ({"ops": ["dens"]}, "op"), ({"patterns": ["dense/rank-33"]}, "case")]
)
def test_unknown_choice_is_refused_with_what_is_near(choice: dict[str, Any], at: str) -> None:
    with pytest.raises(ConformanceError) as caught:
        SUITE.choose(**choice)
    assert (caught.value.code, caught.value.at) == ("case-unknown", at)
    assert at == "level" or "dense" in caught.value.expected


def test_changed_file_is_refused(tmp_path: Path) -> None:
    case = SUITE.choose(patterns=["dense/rank-2"])[0]
    copy = tmp_path / case.described["id"].replace("/", "-")
    copy.mkdir()
    for name in ("manifest.json", "schema"):
        (tmp_path / name).symlink_to(SUITE.folder / name)
    (tmp_path / "cases").symlink_to(SUITE.folder / "cases")
    manifest = json.loads((SUITE.folder / "manifest.json").read_bytes())
    (entry,) = [entry for entry in manifest["cases"] if entry["id"] == "dense/rank-2"]
    entry["sha256"][entry["files"].index("out.0.bin")] = "0" * 64
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (damaged,) = Suite(tmp_path).choose(patterns=["dense/rank-2"])
    with pytest.raises(ConformanceError, match="suite-damaged"):
        _ = damaged.answers


def test_directory_without_suite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConformanceError, match="suite-missing"):
        Suite(tmp_path)


# Null runtimes

NULL = {
    "accepts": Verdict.FAIL,
    "refuses": Verdict.FAIL,
    "zeros": Verdict.FAIL,
    "echo": Verdict.FAIL,
    "silent": Verdict.FAIL,
    "crashes": Verdict.CRASH,
    "sleeps": Verdict.TIMEOUT,
    "confused": Verdict.PROTOCOL,
    "babbles": Verdict.PROTOCOL,
    "twice": Verdict.PROTOCOL,
    "lacking": Verdict.UNSUPPORTED,
    "careless": Verdict.FAIL,
}


@pytest.mark.parametrize("name", NULL)
def test_null_runtime_reaches_no_level(name: str) -> None:
    found = outcome(
        f"{PYTHON} {ADAPTERS / 'null.py'} {name}", [c for level in SUITE.levels for c in sample(level)], timeout=0.3
    )
    assert NULL[name] in {result.verdict for result in found.results}
    for level, tally in found.levels.items():
        assert tally.passed < tally.total, f"every sampled case of {level} passes"
    assert not found.succeeded


def test_hungry_runtime_is_ended() -> None:
    hungry = f"{PYTHON} {ADAPTERS / 'null.py'} hungry"
    (result,) = outcome(hungry, sample("L0")[:1], memory=2**28, timeout=60).results
    assert result.verdict is Verdict.CRASH
    assert "allowed are 256" in result.message


# Runtimes that misbehave


def script(tmp_path: Path, body: str) -> str:
    """An adapter that says hello and then does as `body` says, with `request` in hand."""
    path = tmp_path / "runtime.py"
    head = """
        import json, os, sys, time
        def say(**told): print(json.dumps(told), flush=True)
        HELLO = dict(protocol=1, name="t", version="0", language="x", spec=[[1, 0]])
        HELLO |= dict(ops=["dense@1"], dtypes=["float32"])
        for line in sys.stdin:
            request = json.loads(line)
            cmd, seq = request["cmd"], request.get("seq")
    """
    path.write_text(textwrap.dedent(head) + textwrap.indent(textwrap.dedent(body), "    "), "utf-8")
    return f"{PYTHON} {path}"


DENSE = SUITE.choose(patterns=["dense/rank-2"])
LOADS = """
    if cmd == "hello": say(**HELLO)
    elif cmd == "load": say(seq=seq, ok=True, handle=1)
    elif cmd == "unload": say(ok=True)
"""


@pytest.mark.parametrize(
    ("body", "verdict", "says"),
    [
        ("elif cmd == 'run': say(seq=seq, error='no')", Verdict.ERROR, "run: no"),
        ("elif cmd == 'run': say(seq=seq, unsupported='rank 2')", Verdict.UNSUPPORTED, "not declared as lacking"),
        ("elif cmd == 'run': os._exit(7)", Verdict.CRASH, "exit code 7"),
        ("elif cmd == 'run': os.kill(os.getpid(), 11)", Verdict.CRASH, "SIGSEGV"),
        ("elif cmd == 'run': print('x' * 2**21, flush=True)", Verdict.PROTOCOL, "longer than 1 MiB"),
        ("elif cmd == 'run': print('{\"seq\": NaN}', flush=True)", Verdict.PROTOCOL, "no JSON"),
        ("elif cmd == 'run': print('[' * 100000, flush=True)", Verdict.PROTOCOL, "no JSON"),
        ("elif cmd == 'run': say(seq=seq, ok=True)", Verdict.PROTOCOL, "run answer"),
        ("elif cmd == 'run': sys.stdout.write('{}'); sys.stdout.flush(); os._exit(0)", Verdict.PROTOCOL, "new line"),
        (
            "elif cmd == 'run': "
            "say(seq=seq, ok=True, outputs=[dict(name='y', dtype='float32', shape=[5, 4], path='/etc/passwd')])",
            Verdict.PROTOCOL,
            "has to be a file in",
        ),
        (
            "elif cmd == 'run': p = request['out_dir'] + '/0'; open(p, 'wb').write(b'123'); "
            "say(seq=seq, ok=True, outputs=[dict(name='y', dtype='float32', shape=[5, 4], path=p)])",
            Verdict.PROTOCOL,
            "takes 80 bytes, the file has 3",
        ),
        (
            "elif cmd == 'run': p = request['out_dir'] + '/0'; open(p, 'wb').write(bytes(80)); "
            "say(seq=seq, ok=True, outputs=[dict(name='y', dtype='float32', shape=[4, 5], path=p)])",
            Verdict.FAIL,
            "has the shape [4, 5], expected [5, 4]",
        ),
    ],
)
def test_misbehaving_runtime_gets_its_verdict(tmp_path: Path, body: str, verdict: Verdict, says: str) -> None:
    (result,) = outcome(script(tmp_path, textwrap.dedent(LOADS) + body), DENSE).results
    assert result.verdict is verdict
    assert says in result.message
    assert result.failed


def test_all_that_a_program_of_one_call_writes_is_read() -> None:
    process = Process([PYTHON, "-c", "for i in range(20000): print(i)"], Limits())
    try:
        code, data = process.wait()
    finally:
        process.close()
    assert code == 0
    assert [int(line) for line in data.splitlines()] == list(range(20000))


def test_process_that_writes_unread_lines_is_held_back_and_ends() -> None:
    process = Process([PYTHON, "-c", "while True: print('x' * 1000)"], Limits())
    assert process.receive(60) == b"x" * 1000
    process.close()
    assert not any(reader.is_alive() for reader in process._readers)


def test_log_is_kept_and_the_next_case_gets_a_new_process(tmp_path: Path) -> None:
    body = LOADS + "    elif cmd == 'run':\n        sys.stderr.write('out of paper\\n')\n        os._exit(1)\n"
    results = outcome(script(tmp_path, body), SUITE.choose(patterns=["dense/rank-2", "dense/rank-3"])).results
    assert len(results) == 2
    assert all(result.verdict is Verdict.CRASH and "out of paper" in result.log for result in results)


def test_runtime_that_stops_starting_is_given_up(tmp_path: Path) -> None:
    flag = tmp_path / "started"
    body = f"""
    if os.path.exists({str(flag)!r}): os._exit(1)
    say(**HELLO); open({str(flag)!r}, 'w'); sys.stdin.readline(); os._exit(2)
    """
    results = outcome(script(tmp_path, body), SUITE.choose(patterns=["dense/*"])).results
    assert all(result.verdict is Verdict.CRASH for result in results)
    assert any("3 times in a row" in result.message for result in results)


@pytest.mark.parametrize(
    "command", ["/nowhere/to/be/found", "", "'", f"{PYTHON} -c pass", f"{PYTHON} -c \"print('hello')\""]
)
def test_runtime_that_does_not_start_is_an_error(command: str) -> None:
    with pytest.raises(ConformanceError, match="runtime-start"):
        outcome(command, DENSE)


def test_taking_what_was_not_declared_is_a_failure(tmp_path: Path) -> None:
    results = outcome(script(tmp_path, LOADS), SUITE.choose(patterns=["relu/rank-2"])).results
    assert [result.verdict for result in results] == [Verdict.FAIL]
    assert "takes a file that requires op:relu@1" in results[0].message


def test_what_was_not_declared_and_is_refused_is_no_failure(tmp_path: Path) -> None:
    body = LOADS.replace("say(seq=seq, ok=True, handle=1)", "say(seq=seq, rejected='requires-unknown')")
    found = outcome(script(tmp_path, body), SUITE.choose(patterns=["relu/rank-2"]))
    assert [(result.verdict, result.failed) for result in found.results] == [(Verdict.UNSUPPORTED, False)]
    assert not found.succeeded
    start = starter(SUITE, script(tmp_path, body))
    assert run(SUITE, SUITE.choose(patterns=["relu/*"]), start, declared=True).results == []


def test_announced_failure_is_wanted_and_an_announced_success_is_not(tmp_path: Path) -> None:
    broken = script(tmp_path, textwrap.dedent(LOADS) + "elif cmd == 'run': say(seq=seq, error='no')")
    expected = run(SUITE, DENSE, starter(SUITE, broken), expected_failures=["dense/rank-2"])
    assert expected.succeeded
    sound = f"{PYTHON} {ROOT / 'conformance' / 'naive'}"
    unexpected = run(SUITE, DENSE, starter(SUITE, sound), expected_failures=["dense/rank-2"])
    assert not unexpected.succeeded
    with pytest.raises(ConformanceError, match="case-unknown"):
        run(SUITE, DENSE, starter(SUITE, sound), expected_failures=["dense/rank-22"])


def test_order_is_drawn_from_the_seed_and_names_tell_nothing(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    body = (
        LOADS
        + f"""
    if cmd == "load": open({str(seen)!r}, "a").write(request["model"] + chr(10))
    elif cmd == "run": say(seq=seq, error="no")
    """
    )
    command = script(tmp_path, textwrap.dedent(body))
    cases = SUITE.choose(patterns=["dense/*"])
    orders = []
    for seed in (1, 1, 2):
        done: list[str] = []
        run(SUITE, cases, starter(SUITE, command), seed=seed, done=lambda result, done=done: done.append(result.id))
        orders.append(done)
    assert orders[0] == orders[1] != orders[2]
    told = seen.read_text("utf-8")
    assert not any(word in told for case in cases for word in (case.id, case.group, *case.id.split("/")))
