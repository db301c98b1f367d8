"""A case, as data: what goes into its directory and into the manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from zlib import crc32

import numpy as np

from generate.encoding import sha256
from generate.pages import Quote
from generate.permanent import WITHDRAWN, fixtures

SUITE = "1.0.0"
SEED = 20_240_601


@dataclass(frozen=True)
class Case:
    """One directory of cases/.

    Attributes:
        id: "<group>/<name>", unique among all kinds.
        kind: run, special, network, meta, states, reject or canonical.
        level: L0 to L4.
        title: what it shows, in one sentence.
        spec: the sentence of the specification that it tests.
        requires: the file's own list.
        constraint: the label of the rule that the file breaks: "C2" of its operator's page, "G4" of every operator.
        detail: the keys of case.json that only this kind has.
        files: name -> bytes, without case.json.
    """

    id: str
    kind: str
    level: str
    title: str
    spec: Quote
    requires: list[str]
    files: dict[str, bytes]
    constraint: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def directory(self) -> str:
        return f"cases/{self.kind}/{self.id}"

    @property
    def all_files(self) -> dict[str, bytes]:
        """Path -> bytes, case.json first."""
        described = {
            "id": self.id,
            "kind": self.kind,
            "level": self.level,
            "title": self.title,
            "spec": asdict(self.spec),
            "requires": self.requires,
            "constraint": self.constraint,
            "model": "model.nnpack",
            **self.detail,
        }
        files = {"case.json": text(described), **self.files}
        return {f"{self.directory}/{name}": data for name, data in files.items()}


def at_least(level: str, header: Mapping[str, Any]) -> str:
    """The level of a file: what has states, or says that it has some, is of L3, whatever its operators."""
    stateful = "states" in header or "feature:states" in header.get("requires", ())
    return max(level, "L3") if stateful else level


def text(described: dict[str, Any]) -> bytes:
    """JSON, a line for each key; NaN and infinities, which JSON lacks, are refused."""
    lines = [f'  "{key}": {json.dumps(item, allow_nan=False, ensure_ascii=False)}' for key, item in described.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def manifest(cases: Iterable[Case]) -> bytes:
    """The list of all cases, a line for each; of fixtures, and of ids that no case may have again."""
    entries = []
    for case in cases:
        files = case.all_files
        entry = {
            "id": case.id,
            "kind": case.kind,
            "level": case.level,
            "requires": case.requires,
            "constraint": case.constraint,
            "directory": case.directory,
            "files": [name.removeprefix(f"{case.directory}/") for name in files],
            "sha256": [sha256(data) for data in files.values()],
        }
        entries.append(f"    {json.dumps(entry)}")
    head = {
        "suite": SUITE,
        "seed": SEED,
        "fixtures": fixtures(),
        "withdrawn": [{"id": case_id, "reason": reason} for case_id, reason in WITHDRAWN.items()],
    }
    lines = [f'  "{key}": {json.dumps(item)}' for key, item in head.items()]
    return ("{\n" + ",\n".join([*lines, '  "cases": [\n' + ",\n".join(entries) + "\n  ]"]) + "\n}\n").encode()


class Draw:
    """Numbers for a case: they depend on its id alone, so that a new case changes no other."""

    def __init__(self, case_id: str, dtype: str = "float32") -> None:
        self.random, self.dtype = np.random.RandomState((crc32(case_id.encode()) ^ SEED) & 0xFFFFFFFF), dtype

    def normal(self, *shape: int, scale: float = 1.0, mean: float = 0.0) -> Any:
        return (mean + scale * self.random.standard_normal(shape)).astype(self.dtype)

    def uniform(self, low: float, high: float, *shape: int) -> Any:
        return self.random.uniform(low, high, shape).astype(self.dtype)

    def integers(self, low: int, high: int, *shape: int, dtype: str = "int32") -> Any:
        return self.random.randint(low, high, shape).astype(dtype)

    def powers(self, low: int, high: int, *shape: int) -> Any:
        """Numbers of both signs whose magnitudes spread evenly from 10^low to 10^high."""
        magnitudes = 10.0 ** self.random.uniform(low, high, shape)
        return (magnitudes * self.random.choice([-1.0, 1.0], shape)).astype(self.dtype)

    def around(self, rows: int, *points: float, low: float = -np.inf, high: float = np.inf) -> Any:
        """(rows, n): points and their neighbours, the powers of ten of both signs, and many numbers in between."""
        tens = [sign * 10.0**k for k in range(-30, 31, 3) for sign in (1, -1)]
        centre = np.asarray([*points, -0.0], self.dtype)
        beside = [np.nextafter(centre, centre.dtype.type(end)) for end in (-np.inf, np.inf)]
        fixed = np.concatenate([centre, *beside, np.asarray(tens, self.dtype)])
        between = [self.random.uniform(max(low, -end), min(high, end), 30) for end in (2, 12, 80)]
        x = np.concatenate([fixed, *between]).astype(self.dtype)
        x = x[(x >= low) & (x <= high) & ((x == 0) | (np.abs(x) >= np.finfo(self.dtype).tiny))]
        columns = -(-len(x) // rows)
        return np.resize(x, rows * columns).reshape(rows, columns)


@dataclass(frozen=True)
class Declaration:
    """A case before it is made: `make` draws its numbers and answers its model and what feeds it."""

    id: str
    kind: str
    level: str | None
    title: str
    spec: Quote
    make: Callable[[Draw], Any]
