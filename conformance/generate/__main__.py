"""Makes every case anew, or checks that those in the repository are what it would make.

python -m generate            writes cases/, manifest.json and measured.json
python -m generate --check    compares, writes nothing

Keras has to agree with every expected value, and its float32 has to stay within half of every tolerance; otherwise
nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from generate.case import Case, manifest

HOME = Path(__file__).parents[1]
AGREEMENT = 1e-12
"""How far Keras's float64 may be from an expected value, as a part of the magnitude of what is summed."""

HEADROOM = 0.5
"""The part of a tolerance that Keras's float32 may take."""


class Measured(NamedTuple):
    """How near Keras comes to a case's expected values.

    Attributes:
        disagreement: of float64, as a part of the magnitude of what is summed.
        headroom: of float32, as a part of the tolerance; None where the case is in float64.
    """

    disagreement: float
    headroom: float | None

    @property
    def near(self) -> bool:
        return self.disagreement <= AGREEMENT and (self.headroom is None or self.headroom <= HEADROOM)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m generate", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare with the files that are there, write nothing")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.filterwarnings("ignore", "You are using a softmax over axis", UserWarning)
        cases, measured = _every()
    faults = [f"{name}: Keras differs: {found}" for name, found in measured.items() if not found.near]
    if options.check:
        faults += _differences(cases)
    elif not faults:
        _write(cases, measured)
    for fault in faults:
        print(fault)
    for (kind, level), n in sorted(Counter((case.kind, case.level) for case in cases).items()):
        print(f"{kind:10} {level}  {n:4}")
    nbytes = sum(len(data) for case in cases for data in case.all_files.values())
    print(f"{len(cases)} cases, {nbytes:,} bytes, {len(faults)} faults")
    return 1 if faults else 0


def _every() -> tuple[list[Case], dict[str, Measured]]:
    from generate import oracle
    from generate.negative import every as negative
    from generate.permanent import WITHDRAWN
    from generate.positive import every as positive

    cases, measured = [], {}
    for case, graph in positive.cases():
        cases.append(case)
        headroom = graph.headroom(oracle.float32)
        measured[case.id] = Measured(graph.disagreement(oracle.exact), headroom)
    cases += negative.cases()
    used = Counter([case.id for case in cases] + list(WITHDRAWN))
    twice = [case_id for case_id, n in used.items() if n > 1]
    if twice:
        raise ValueError(f"case ids that are used twice, or were withdrawn: {', '.join(twice)}")
    return cases, measured


def _write(cases: Sequence[Case], measured: dict[str, Measured]) -> None:
    from generate.oracle import versions

    shutil.rmtree(HOME / "cases", ignore_errors=True)
    for name, data in _files(cases).items():
        path = HOME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    lines = [f"    {json.dumps(name)}: {json.dumps(_digits(found))}" for name, found in measured.items()]
    text = f'{{\n  "made_with": {json.dumps(versions())},\n  "cases": {{\n' + ",\n".join(lines) + "\n  }\n}\n"
    (HOME / "measured.json").write_text(text, "utf-8")


def _digits(found: Measured) -> dict[str, Any]:
    return {key: None if x is None else float(f"{x:.2g}") for key, x in found._asdict().items()}


def _differences(cases: Sequence[Case]) -> Iterator[str]:
    """What is not bit for bit as it would be made."""
    made = _files(cases)
    there = {path.relative_to(HOME).as_posix(): path for path in (HOME / "cases").rglob("*") if path.is_file()}
    there["manifest.json"] = HOME / "manifest.json"
    for name in sorted(made.keys() | there.keys()):
        if name not in there:
            yield f"{name} is missing"
        elif name not in made:
            yield f"{name} is there, but not made"
        elif made[name] != there[name].read_bytes():
            yield f"{name} differs"


def _files(cases: Sequence[Case]) -> dict[str, bytes]:
    """Path -> bytes, of all that is the same on every machine."""
    files = {name: data for case in cases for name, data in case.all_files.items()}
    return {**files, "manifest.json": manifest(cases)}


if __name__ == "__main__":
    sys.exit(main())
