"""What stays: a file of each minor version, frozen for ever, and the ids that cases once had.

A fixture is written once, by hand, when its version is released. Nothing here writes it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack

from generate.encoding import File, pack, sha256

HOME = Path(__file__).parents[1]
FIXTURES: dict[tuple[int, int], str] = {(1, 0): "fixtures/1.0.nnpack"}
"""Version of the format -> the file."""

_INTEGERS = "integers are operands of this operator now; bool is not: see the case bool of this operator"
_DECLARED = "a new dimension may be declared by a symbol that other values have too, or by its number"

WITHDRAWN: dict[str, str] = {
    **{f"{op}/integers": _INTEGERS for op in ("add", "subtract", "multiply", "maximum", "minimum")},
    "graph/declared-number-for-new": _DECLARED,
    "graph/declared-old-symbol": _DECLARED,
}
"""Id of a case -> why it is no more."""


def fixtures() -> list[dict[str, Any]]:
    return [
        {"format": list(version), "file": file, "sha256": sha256((HOME / file).read_bytes())}
        for version, file in FIXTURES.items()
    ]


def fixture(version: tuple[int, int]) -> File:
    """The file, read with a stock decoder."""
    _, written, header, _, payload = msgpack.unpackb((HOME / FIXTURES[version]).read_bytes())
    return File(header, payload, pack(written))
