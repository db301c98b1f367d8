"""A runtime as the runner sees it, by conversation or by one call for each computation: conformance/PROTOCOL.md."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

import numpy as np

from nnpack.conformance.process import CaseError, Limits, Process
from nnpack.conformance.results import Verdict
from nnpack.conformance.schemas import Schemas
from nnpack.errors import ConformanceError

PROTOCOL = 1
REFUSED, LACKING = 10, 11
"""Exit codes of one-shot runtimes."""

DTYPES = ("float32", "float64", "int8", "int32", "int64", "uint8", "bool")

Array = np.ndarray[Any, Any]


class About(NamedTuple):
    """What a runtime says of itself.

    Attributes:
        name: of the runtime.
        version: of the runtime.
        language: that it is written in.
        declared: what files may require; None where it declares nothing, because nobody asks.
        dump: whether it writes files.
        selftest: whether it runs self-tests on request.
    """

    name: str
    version: str
    language: str
    declared: frozenset[str] | None
    dump: bool
    selftest: bool

    def lacking(self, requires: Sequence[str]) -> list[str]:
        """What a file requires and the runtime has not declared; nothing, where it declares nothing at all."""
        return [] if self.declared is None else [item for item in requires if item not in self.declared]


class Refusal(NamedTuple):
    """A file that the runtime does not take."""

    code: str
    message: str


class Output(NamedTuple):
    """An output of the runtime, with the dtype that it says."""

    dtype: str
    array: Array


class Runtime(Protocol):
    """A runtime that is running. Whatever it does wrong is raised as CaseError."""

    about: About

    def load(self, model: bytes) -> Refusal | None:
        """Gives it a file, in the place of the one before."""

    def run(self, inputs: Sequence[tuple[str, Array]], outputs: int) -> list[Output]:
        """What it computes from the file that it has loaded."""

    def reset(self) -> None:
        """Makes the states of the loaded file what they are before the first call."""

    def dump(self) -> bytes:
        """The file that it writes for the one that it has loaded."""

    def selftest(self) -> Refusal | None:
        """Whether the self-test of the loaded file fails."""

    @property
    def log(self) -> str:
        """The end of what it wrote to standard error."""

    def close(self, gently: bool = True) -> None:
        """Ends it; one that no longer answers is not asked to."""


class _Files:
    """A directory of files whose names say nothing."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="runtime-"))

    def new(self, data: bytes | None = None, suffix: str = "") -> Path:
        path = self.folder / f"{uuid4().hex[:12]}{suffix}"
        if data is not None:
            path.write_bytes(data)
        return path

    def empty(self) -> None:
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Conversation:
    """A process that stays and answers one JSON line for each."""

    def __init__(self, command: str, limits: Limits, schemas: Schemas, suite: str) -> None:
        self._limits, self._schemas, self._files = limits, schemas, _Files()
        self._handle: int | str | None = None
        self._process = Process(_split(command), limits)
        try:
            self.about = self._hello(suite)
        except BaseException:
            self.close()
            raise

    def load(self, model: bytes) -> Refusal | None:
        self._unload()
        answer = self._ask("load", model=str(self._files.new(model, ".nnpack")))
        if "rejected" in answer:
            return Refusal(answer["rejected"], answer.get("message", ""))
        self._handle = answer["handle"]
        return None

    def run(self, inputs: Sequence[tuple[str, Array]], outputs: int) -> list[Output]:
        described = [
            {"name": name, "dtype": dtype_of(x), "shape": list(x.shape), "path": str(self._files.new(raw(x)))}
            for name, x in inputs
        ]
        folder = self._files.new()
        folder.mkdir()
        answer = self._ask("run", handle=self._handle, inputs=described, out_dir=str(folder))
        return [_read(Path(item["path"]), item["dtype"], item["shape"], folder) for item in answer["outputs"]]

    def reset(self) -> None:
        self._ask("reset", handle=self._handle)

    def dump(self) -> bytes:
        path = self._files.new(suffix=".nnpack")
        self._ask("dump", handle=self._handle, path=str(path))
        try:
            return path.read_bytes()
        except OSError as error:
            raise CaseError(Verdict.PROTOCOL, f"it says that it has written a file: {error}") from error

    def selftest(self) -> Refusal | None:
        answer = self._ask("selftest", handle=self._handle)
        return Refusal(answer["rejected"], answer.get("message", "")) if "rejected" in answer else None

    @property
    def log(self) -> str:
        return self._process.log

    def close(self, gently: bool = True) -> None:
        if gently:
            with contextlib.suppress(CaseError):
                self._process.send(b'{"cmd": "stop"}')
        self._process.close(gently)
        self._files.remove()

    def _hello(self, suite: str) -> About:
        told = self._exchange("hello", {"protocol": PROTOCOL, "suite": suite}, self._limits.start_timeout)
        features = told.get("features", ["quantization", "nonfinite", "states"])
        declared = [("op", told["ops"]), ("dtype", told["dtypes"]), ("feature", features)]
        return About(
            told["name"],
            told["version"],
            told["language"],
            frozenset(f"{kind}:{name}" for kind, names in declared for name in names),
            told.get("dump", False),
            told.get("selftest", False),
        )

    def _unload(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._exchange("unload", {"handle": handle}, self._limits.timeout)
        self._files.empty()

    def _ask(self, cmd: str, **parts: Any) -> dict[str, Any]:
        """Sends a request that has a seq.

        Raises:
            CaseError: the answer is to another request, or says that it went wrong.
        """
        seq = uuid4().hex[:8]
        answer = self._exchange(cmd, {"seq": seq, **parts}, self._limits.timeout)
        if answer["seq"] != seq:
            raise CaseError(Verdict.PROTOCOL, f"an answer to {answer['seq']!r}, the request is {seq!r}")
        if "unsupported" in answer:
            raise CaseError(Verdict.UNSUPPORTED, f"{cmd}: {answer['unsupported']}, which was not declared as lacking")
        if "error" in answer:
            raise CaseError(Verdict.ERROR, f"{cmd}: {answer['error']}")
        return answer

    def _exchange(self, cmd: str, parts: dict[str, Any], timeout: float) -> dict[str, Any]:
        self._process.send(json.dumps({"cmd": cmd, **parts}).encode())
        line = self._process.receive(timeout)
        try:
            answer = json.loads(line, parse_constant=_no_json)
        except (ValueError, RecursionError) as error:
            message = f"a line on standard output, which is for answers alone, is no JSON ({error}): {line[:200]!r}"
            raise CaseError(Verdict.PROTOCOL, message) from error
        fault = self._schemas.fault(f"{cmd}_answer", answer)
        if fault:
            raise CaseError(Verdict.PROTOCOL, f"expected {fault[0]}, received {line[:200]!r}: {fault[1]}")
        return dict(answer)


class OneShot:
    """A program that is called once for each computation."""

    def __init__(self, command: str, limits: Limits) -> None:
        self._command, self._limits, self._files = _split(command), limits, _Files()
        self._model, self._log = Path(), ""
        self.about = About(Path(self._command[0]).name, "", "", None, dump=False, selftest=False)
        if shutil.which(self._command[0]) is None:
            raise ConformanceError("runtime-start", "--runtime", "a command that can be run", self._command[0])

    def load(self, model: bytes) -> Refusal | None:
        self._files.empty()
        self._model = self._files.new(model, ".nnpack")
        refusal, _ = self._call([])
        return refusal

    def run(self, inputs: Sequence[tuple[str, Array]], outputs: int) -> list[Output]:
        given = [self._files.new(raw(x), f".{'x'.join(map(str, x.shape))}") for _, x in inputs]
        made = [self._files.new() for _ in range(outputs)]
        refusal, written = self._call([*given, *made])
        if refusal:
            raise CaseError(Verdict.FAIL, f"a file that it has taken is refused when it computes: {refusal.code}")
        lines = [line.split() for line in written.splitlines()]
        if len(lines) != outputs or not all(_is_line(line) for line in lines):
            raise CaseError(
                Verdict.PROTOCOL, f"expected a line of dtype and dimensions for each output, received {written[:200]!r}"
            )
        return [
            _read(path, line[0], [int(n) for n in line[1:]], self._files.folder)
            for path, line in zip(made, lines, strict=True)
        ]

    def reset(self) -> None:
        raise NotImplementedError  # each call is the first one of its process: no states are carried

    def dump(self) -> bytes:
        raise NotImplementedError  # `about` says that it does not

    def selftest(self) -> Refusal | None:
        raise NotImplementedError

    @property
    def log(self) -> str:
        return self._log

    def close(self, gently: bool = True) -> None:
        self._files.remove()

    def _call(self, arguments: Sequence[Path]) -> tuple[Refusal | None, str]:
        process = Process([*self._command, str(self._model), *map(str, arguments)], self._limits)
        try:
            code, data = process.wait()
        finally:
            self._log = process.log
            process.close()
        written = data.decode("utf-8", "backslashreplace")
        if code == LACKING:
            return Refusal("requires-unknown", "exit code 11"), written
        if code == REFUSED:
            return Refusal((written.splitlines() or [""])[0].strip(), ""), written
        if code != 0:
            raise CaseError(Verdict.CRASH, f"exit code {code}")
        return None, written


def _split(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ConformanceError("runtime-start", "--runtime", "a command line", str(error)) from error
    if not words:
        raise ConformanceError("runtime-start", "--runtime", "a command that can be run", "nothing")
    return words


def dtype_of(x: Array) -> str:
    """The format's name of an array's dtype."""
    return "string" if x.dtype.kind == "O" else x.dtype.name


def raw(x: Array) -> bytes:
    """An array's elements, as the protocol stores them."""
    if x.dtype.kind == "O":
        return b"".join(len(item.encode()).to_bytes(4, "little") + item.encode() for item in x.ravel())
    return np.ascontiguousarray(x, x.dtype.newbyteorder("<")).tobytes()


def _read(path: Path, dtype: str, shape: Sequence[int], folder: Path) -> Output:
    """An array that a runtime has written."""
    if dtype == "string":
        raise CaseError(Verdict.PROTOCOL, "an output of strings, which no model has")
    width = np.dtype(dtype).itemsize
    nbytes = int(np.prod(shape, dtype=object)) * width
    try:
        if folder.resolve() not in path.resolve().parents or not path.is_file():
            raise CaseError(Verdict.PROTOCOL, f"an output has to be a file in {folder}: {path}")
        if (received := os.path.getsize(path)) != nbytes:
            raise CaseError(
                Verdict.PROTOCOL, f"{dtype} of the shape {list(shape)} takes {nbytes} bytes, the file has {received}"
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise CaseError(Verdict.PROTOCOL, f"an output that cannot be read: {error}") from error
    if dtype == "bool" and data.strip(b"\0\1"):
        raise CaseError(Verdict.PROTOCOL, "a bool is a byte, 0 or 1")
    return Output(dtype, np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).reshape(shape))


def _is_line(words: Sequence[str]) -> bool:
    return bool(words) and words[0] in DTYPES and all(word.isascii() and word.isdigit() for word in words[1:])


def _no_json(constant: str) -> None:
    raise ValueError(f"JSON has no {constant}")
