"""A run as JSON Lines: what was run, each result, what they add up to."""

from __future__ import annotations

import json
from typing import Any

from nnpack.conformance.results import Run, Tally, as_dict, number


def json_lines(run: Run) -> str:
    """One object a line: conformance/schema/result.schema.json."""
    objects = [
        {"run": _head(run)},
        *({"result": as_dict(result)} for result in run.results),
        {"summary": _summary(run)},
    ]
    return "".join(json.dumps(item, allow_nan=False) + "\n" for item in objects)


def _head(run: Run) -> dict[str, Any]:
    return {
        "runtime": dict(run.runtime),
        "command": run.command,
        "repeat": run.repeat,
        "suite": run.suite,
        "format": list(run.format),
        "seed": run.seed,
        "cases": len(run.results),
        "suite_cases": dict(run.whole),
        "seconds": round(run.seconds, 3),
    }


def _summary(run: Run) -> dict[str, Any]:
    reached = run.reached
    return {
        **_counts(run.tally),
        "levels": {
            level: {**_counts(tally), "suite_cases": run.whole[level], "reached": level in reached}
            for level, tally in run.levels.items()
        },
        "groups": {name: _counts(tally) for name, tally in run.groups.items()},
        "reached": list(reached),
        "succeeded": run.succeeded,
        "failures": [result.id for result in run.failures],
        "badge": run.badge,
    }


def _counts(tally: Tally) -> dict[str, Any]:
    return {
        "total": tally.total,
        "passed": tally.passed,
        "failed": tally.failed,
        "unsupported": tally.unsupported,
        "codes_right": tally.codes,
        "codes": tally.coded,
        "tolerance_use": number(tally.use),
    }
