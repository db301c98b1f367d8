"""The suite's files as objects: conformance/manifest.json, and the case.json of each case.

Nothing is believed that was not checked: the manifest is what its schema says, and each file has the hash that the
manifest gives.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnpack.conformance.results import NEEDS
from nnpack.conformance.schemas import Schemas
from nnpack.errors import ConformanceError
from nnpack.format.files import guarded

NUMBERS = ("run", "special", "network", "meta", "states")
"""The kinds of cases that compare numbers."""

PACKAGES = ("generate", "mutants", "naive")
"""Python packages of a suite; `run` does without them."""


@dataclass(frozen=True)
class Answer:
    """What an output has to be.

    Attributes:
        name: of the output.
        dtype: of the runtime's answer.
        expected: float64 numbers, whatever the dtype.
        tolerance: float64, of the same shape, above 0: never below the floor.
    """

    name: str
    dtype: str
    expected: np.ndarray[Any, Any]
    tolerance: np.ndarray[Any, Any]

    def rows(self, index: Sequence[int]) -> Answer:
        """What has to come out for these rows of the inputs."""
        chosen = list(index)
        return Answer(self.name, self.dtype, self.expected[chosen], self.tolerance[chosen])


@dataclass(frozen=True)
class Case:
    """One case, as its case.json describes it.

    Attributes:
        described: case.json.
        files: the names of its files.
        data: the bytes of one of them.
    """

    described: Mapping[str, Any]
    files: Collection[str]
    data: Callable[[str], bytes]

    @property
    def id(self) -> str:
        return str(self.described["id"])

    @property
    def kind(self) -> str:
        return str(self.described["kind"])

    @property
    def level(self) -> str:
        return str(self.described["level"])

    @property
    def group(self) -> str:
        return self.id.partition("/")[0]

    @cached_property
    def subjects(self) -> frozenset[str]:
        """What it can say something about: its group, and where numbers are compared, all of its operators."""
        operators = [item.removeprefix("op:").partition("@")[0] for item in self.requires if item.startswith("op:")]
        return frozenset({self.group, *operators} if self.kind in NUMBERS else {self.group})

    @property
    def requires(self) -> tuple[str, ...]:
        return tuple(self.described["requires"])

    @property
    def code(self) -> str | None:
        """The code of the file's fault."""
        code: str | None = self.described.get("code")
        return code

    @property
    def model(self) -> bytes:
        return self.data(self.described["model"])

    @property
    def canonical(self) -> bytes | None:
        """The file as a runtime writes it; None where nobody could have read it."""
        name = "model.nnpack" if self.code is None else "canonical.nnpack"
        return self.data(name) if name in self.files else None

    @cached_property
    def inputs(self) -> list[tuple[str, np.ndarray[Any, Any]]]:
        return [
            (item["name"], self._array(item["file"], item["dtype"], item["shape"])) for item in self.described["inputs"]
        ]

    @cached_property
    def answers(self) -> list[Answer]:
        floor = float(self.described["floor"])
        return [
            Answer(
                item["name"],
                item["dtype"],
                self._array(item["file"], "float64", item["shape"]),
                np.maximum(self._array(item["tolerance"], "float32", item["shape"]).astype(np.float64), floor),
            )
            for item in self.described["outputs"]
        ]

    @property
    def calls(self) -> list[list[int]] | None:
        """Rows of the inputs for each call on one loaded model; None is one call with all of them."""
        calls: list[list[int]] | None = self.described.get("calls")
        return calls

    @property
    def splits(self) -> list[list[int]] | None:
        """How the inputs are cut along axis 1 and fed piece by piece, again and again; None is in one piece."""
        splits: list[list[int]] | None = self.described.get("splits")
        return splits

    def _array(self, name: str, dtype: str, shape: Sequence[int]) -> np.ndarray[Any, Any]:
        if dtype == "string":
            return np.array(unpacked(self.data(name)), object).reshape(shape)
        return np.frombuffer(self.data(name), np.dtype(dtype).newbyteorder("<")).reshape(shape)


class Suite:
    """The conformance suite in a directory.

    Args:
        folder: the directory that holds manifest.json.

    Raises:
        ConformanceError: there is no suite, or a file is not what the manifest or its schema says.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if not (self.folder / "manifest.json").is_file():
            expected = "a directory with manifest.json: conformance/ of the repository"
            raise ConformanceError("suite-missing", str(folder), expected, "none there")
        self.schemas = Schemas(self.folder / "schema")
        self.manifest: Mapping[str, Any] = self._json("manifest.json")
        fault = self.schemas.fault("manifest", self.manifest)
        if fault:
            raise ConformanceError("suite-damaged", str(self.folder / "manifest.json"), *fault)

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Lets the suite's own Python packages be imported: its oracle, its mutants, its generator.

        Raises:
            ConformanceError: the suite came without one of them.
        """
        folder = str(self.folder.resolve())
        sys.path.insert(0, folder)
        try:
            yield
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in PACKAGES:
                raise
            expected = "a suite with its Python packages " + ", ".join(PACKAGES)
            raise ConformanceError(
                "suite-missing", str(self.folder / str(error.name)), expected, "none there"
            ) from error
        finally:
            sys.path.remove(folder)

    @property
    def version(self) -> str:
        return str(self.manifest["suite"])

    @property
    def format(self) -> tuple[int, int]:
        """The latest version of the format that the suite is about."""
        major, minor = max(fixture["format"] for fixture in self.manifest["fixtures"])
        return major, minor

    @cached_property
    def cases(self) -> list[Case]:
        return [self._case(entry) for entry in self.manifest["cases"]]

    @property
    def levels(self) -> dict[str, int]:
        """Each level and the number of its cases."""
        names = [case.level for case in self.cases]
        return {level: names.count(level) for level in sorted(set(names))}

    @cached_property
    def requirements(self) -> frozenset[str]:
        """Whatever a runtime may declare: what sound files require."""
        return frozenset(item for case in self.cases if case.kind != "reject" for item in case.requires)

    def choose(self, level: str | None = None, ops: Sequence[str] = (), patterns: Sequence[str] = ()) -> list[Case]:
        """The cases of a level and of those below it, of operators, of ids; all of them without a choice.

        Args:
            level: "L1" stands for L0 and L1.
            ops: operators, "dense" or "dense@1": their own cases, and cases with numbers that require them.
            patterns: ids, in which * and ? stand for anything.

        Raises:
            ConformanceError: no case fits one of these.
        """
        if level is not None and level not in self.levels:
            raise ConformanceError("case-unknown", "level", f"one of {', '.join(self.levels)}", repr(level))
        levels = {*self.levels} if level is None else {level, *NEEDS[level]}
        wanted = [op.partition("@")[0] for op in ops]
        groups = {case.group for case in self.cases}
        for op in wanted:
            if op not in groups:
                raise ConformanceError("case-unknown", "op", one_of(op, groups), repr(op))
        for pattern in patterns:
            if not any(fnmatchcase(case.id, pattern) for case in self.cases):
                known = {case.id for case in self.cases}
                raise ConformanceError("case-unknown", "case", one_of(pattern, known), repr(pattern))
        return [
            case
            for case in self.cases
            if case.level in levels
            and (not wanted or not case.subjects.isdisjoint(wanted))
            and (not patterns or any(fnmatchcase(case.id, pattern) for pattern in patterns))
        ]

    def _case(self, entry: Mapping[str, Any]) -> Case:
        digests = dict(zip(entry["files"], entry["sha256"], strict=True))
        folder = self.folder / entry["directory"]

        def data(name: str) -> bytes:
            return checked(folder / name, digests[name])

        return Case(self._json(f"{entry['directory']}/case.json", digests["case.json"]), digests, data)

    def _json(self, name: str, digest: str | None = None) -> Any:
        try:
            return json.loads(checked(self.folder / name, digest))
        except ValueError as error:
            raise ConformanceError("suite-damaged", str(self.folder / name), "JSON", str(error)) from error


def unpacked(data: bytes) -> list[str]:
    """Strings, each stored as the length of its UTF-8 in four bytes, and its UTF-8."""
    strings, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        strings.append(data[at + 4 : at + 4 + length].decode())
        at += 4 + length
    return strings


def checked(path: Path, digest: str | None) -> bytes:
    """The bytes of a file whose SHA-256 is known.

    Raises:
        FileError: it cannot be read.
        ConformanceError: it is not the file that it was.
    """
    with guarded(path, "a file of the suite"):
        data = path.read_bytes()
    received = hashlib.sha256(data).hexdigest()
    if digest is not None and received != digest:
        raise ConformanceError("suite-damaged", str(path), f"the SHA-256 {digest}", received)
    return data


def find(start: str | os.PathLike[str] = ".") -> Suite:
    """The suite of the checkout that one is in, or that this package is used from.

    Raises:
        ConformanceError: there is none.
    """
    here = Path(start).resolve()
    for folder in (here, *here.parents, *Path(__file__).resolve().parents):
        for candidate in (folder, folder / "conformance"):
            if (candidate / "manifest.json").is_file() and (candidate / "PROTOCOL.md").is_file():
                return Suite(candidate)
    raise ConformanceError(
        "suite-missing", "--suite", "the directory conformance/ of the repository", "none around here"
    )


def one_of(name: str, known: set[str]) -> str:
    """What could have been meant by a name that is not known."""
    near = get_close_matches(name, sorted(known), 3)
    return f"one of {', '.join(near)}, …" if near else f"one of {len(known)} names, such as {min(known)}"
