"""Makes every case anew, or checks that those in the repository are what it would make.

python -m generate            writes cases/ and manifest.json
python -m generate --check    compares, writes nothing; needs Keras, and no machine like the one that wrote them
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
from typing import Any

import numpy as np

from generate.case import Case, manifest
from generate.tolerances import ROUNDOFF

HOME = Path(__file__).parents[1]
SHARE = 1e-12
"""How much float64 may differ between machines, as a part of the magnitude of what is summed."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m generate", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare with the files that are there, write nothing")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "You are using a softmax over axis", UserWarning)
        cases, made_with = _every()
    if not options.check:
        _write(cases, made_with)
        _summarize(cases)
        return 0
    faults = list(_faults(cases))
    for fault in faults:
        print(fault)
    print(f"{len(cases)} cases, {len(faults)} differences")
    return 1 if faults else 0


def _every() -> tuple[list[Case], dict[str, str]]:
    from generate.negative import every as negative
    from generate.oracle import versions
    from generate.positive import every as positive

    cases = [*positive.cases(), *negative.cases()]
    twice = [case_id for case_id, n in Counter(case.id for case in cases).items() if n > 1]
    if twice:
        raise ValueError(f"case ids that are used twice: {', '.join(twice)}")
    return cases, versions()


# Writing


def _write(cases: Sequence[Case], made_with: dict[str, str]) -> None:
    shutil.rmtree(HOME / "cases", ignore_errors=True)
    for case in cases:
        for name, data in case.all_files.items():
            path = HOME / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (HOME / "manifest.json").write_bytes(manifest(cases, made_with))


def _summarize(cases: Sequence[Case]) -> None:
    nbytes = sum(len(data) for case in cases for data in case.all_files.values())
    for (kind, level), n in sorted(Counter((case.kind, case.level) for case in cases).items()):
        print(f"{kind:10} {level}  {n:4}")
    print(f"{len(cases)} cases, {nbytes:,} bytes")
    for case in cases:
        headroom = case.detail.get("headroom")
        if headroom is not None and (headroom == "infinite" or headroom > 0.5):
            print(f"Keras's float32 takes {headroom} of the tolerance: {case.id}")


# Checking


def _faults(cases: Sequence[Case]) -> Iterator[str]:
    listed = {entry["id"]: entry for entry in json.loads((HOME / "manifest.json").read_bytes())["cases"]}
    for case_id in sorted(listed.keys() ^ {case.id for case in cases}):
        yield f"{case_id}: is {'listed, but not made' if case_id in listed else 'made, but not listed'}"
    for case in cases:
        if case.id in listed:
            yield from (f"{case.id}: {difference}" for difference in _differences(case))


def _differences(case: Case) -> Iterator[str]:
    """What differs from the case's directory, but for what float64 owes to the machine."""
    for path, data in case.all_files.items():
        name, there = path.removeprefix(f"{case.directory}/"), HOME / path
        if not there.exists():
            yield f"{name} is missing"
        elif name == "case.json":
            if _without_headroom(there.read_bytes()) != _without_headroom(data):
                yield "case.json differs"
        elif not name.startswith(("out.", "tol.")) and there.read_bytes() != data:
            yield f"{name} differs"
    for output in case.detail.get("outputs", ()):
        y, made = (np.frombuffer(files[output["file"]], "<f8") for files in (_stored(case), case.files))
        tolerance, other = (np.frombuffer(files[output["tolerance"]], "<f4") for files in (_stored(case), case.files))
        magnitude = np.maximum(np.abs(y), tolerance / ROUNDOFF.get(output["dtype"], 1.0))
        with np.errstate(invalid="ignore"):
            near = (np.abs(y - made) <= SHARE * magnitude) | (y == made) | (np.isnan(y) & np.isnan(made))
        if not np.all(near):
            yield f"{output['file']} differs by more than {SHARE:g} of its magnitude"
        if not np.allclose(tolerance, other, rtol=1e-4, atol=0):
            yield f"{output['tolerance']} differs"


def _stored(case: Case) -> dict[str, bytes]:
    return {name: (HOME / case.directory / name).read_bytes() for name in case.files}


def _without_headroom(data: bytes) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(data)
    described.pop("headroom", None)
    return described


if __name__ == "__main__":
    sys.exit(main())
