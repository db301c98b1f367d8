"""A runtime's process: lines in, lines out, within limits of time and memory."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import IO, NamedTuple

import psutil

from nnpack.conformance.results import Verdict
from nnpack.errors import ConformanceError

LINE = 2**20
"""No answer is longer."""

LINES = 80
"""So many lines wait for somebody to read them; then the pipe holds the process back."""

LOG_LINES = 40
LOG_LINE = 500
LOOK = 0.05
"""Seconds between two looks at a process that one waits for."""

GRACE = 2.0
"""Seconds in which a process ends that was told to."""


class Limits(NamedTuple):
    """What a runtime may take.

    Attributes:
        timeout: seconds until an answer.
        start_timeout: seconds until the first answer of a process.
        memory: bytes that the process and its children may hold.
    """

    timeout: float = 10.0
    start_timeout: float = 60.0
    memory: int = 2**30


class CaseError(Exception):
    """A case that cannot go on.

    Attributes:
        verdict: what that makes of it.
        message: why.
    """

    def __init__(self, verdict: Verdict, message: str) -> None:
        super().__init__(verdict, message)
        self.verdict, self.message = verdict, message


class Process:
    """A child process whose standard output is read line by line.

    Args:
        command: the program and its arguments.
        limits: what it may take.

    Raises:
        ConformanceError: there is no such program.
    """

    def __init__(self, command: Sequence[str], limits: Limits) -> None:
        self.limits = limits
        try:
            self._child = subprocess.Popen(  # noqa: S603 - running it is what it was given for
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # so that its own children end with it
            )
        except (OSError, ValueError) as error:
            raise ConformanceError(
                "runtime-start", "--runtime", "a command that can be run", f"{command[0]}: {error}"
            ) from error
        self._tree = psutil.Process(self._child.pid)
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=LINES)
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        self._stdin = self._child.stdin
        self._readers = [
            threading.Thread(target=self._read, args=(self._child.stdout,), daemon=True),
            threading.Thread(target=self._keep_log, args=(self._child.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def send(self, line: bytes) -> None:
        """Writes a line to its standard input.

        Raises:
            CaseError: it has ended, or has written a line that nobody asked for.
        """
        if not self._lines.empty():
            raise CaseError(Verdict.PROTOCOL, f"a line that nobody asked for: {self._lines.get()[:200]!r}")
        try:
            self._stdin.write(line + b"\n")
            self._stdin.flush()
        except OSError:
            raise CaseError(Verdict.CRASH, f"the process has ended: {self._ending()}") from None

    def receive(self, timeout: float) -> bytes:
        """The next line of its standard output, without the end of the line.

        Raises:
            CaseError: there is none in time, it is too long, the process has ended, or holds too much memory.
        """
        line = self._next(time.monotonic() + timeout, f"no answer within {timeout:g} s")
        if not line:
            raise CaseError(Verdict.CRASH, f"the process ended: {self._ending()}")
        if not line.endswith(b"\n"):
            reason = "longer than 1 MiB" if len(line) >= LINE else "that ends without a new line"
            raise CaseError(Verdict.PROTOCOL, f"a line {reason}: {line[:80]!r} …")
        return line[:-1]

    def wait(self) -> tuple[int, bytes]:
        """Its exit code and all of its standard output, for a process that is called once."""
        deadline = time.monotonic() + self.limits.timeout
        late = f"it did not end within {self.limits.timeout:g} s"
        written = bytearray()
        while line := self._next(deadline, late):
            written += line
            if len(written) > LINE:
                raise CaseError(Verdict.PROTOCOL, "more than 1 MiB on standard output")
        while self._child.poll() is None:
            self._look(deadline, late)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(LOOK)
        return self._child.returncode, bytes(written)

    def _next(self, deadline: float, late: str) -> bytes:
        """What it writes next, to the end of a line; b"" once it has closed its standard output."""
        while True:
            try:
                return self._lines.get(timeout=max(0.0, min(LOOK, deadline - time.monotonic())))
            except queue.Empty:
                self._look(deadline, late)

    @property
    def log(self) -> str:
        """The end of what it wrote to standard error."""
        self._readers[1].join(0.05)
        return "".join(self._log)

    def close(self, gently: bool = False) -> None:
        """Ends it and all of its children."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        if gently:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(GRACE)
        with contextlib.suppress(psutil.Error):
            for child in self._tree.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    child.kill()
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self._child.pid, signal.SIGKILL)
            else:
                self._child.kill()
        self._child.wait()
        deadline = time.monotonic() + GRACE
        while self._readers[0].is_alive() and time.monotonic() < deadline:  # it may wait for room in the queue
            with contextlib.suppress(queue.Empty):
                self._lines.get(timeout=LOOK)
        for reader in self._readers:
            reader.join(GRACE)
        for stream in (self._child.stdout, self._child.stderr):
            if stream and not any(reader.is_alive() for reader in self._readers):
                stream.close()

    def _look(self, deadline: float, late: str) -> None:
        """Gives up a process that holds more memory than it may, or that is late."""
        held = 0
        with contextlib.suppress(psutil.Error):
            for process in (self._tree, *self._tree.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    held += process.memory_info().rss
        if held > self.limits.memory:
            raise CaseError(
                Verdict.CRASH, f"{held / 2**20:,.0f} MiB in memory, allowed are {self.limits.memory / 2**20:,.0f}"
            )
        if time.monotonic() >= deadline:
            raise CaseError(Verdict.TIMEOUT, late)

    def _ending(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._child.wait(GRACE)
            if code < 0:
                with contextlib.suppress(ValueError):
                    return f"signal {signal.Signals(-code).name}"
            return f"exit code {code}"
        return "standard output is closed"

    def _read(self, stream: IO[bytes]) -> None:
        """Puts each line into the queue, and b"" at the end."""
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(LINE):
                self._lines.put(line)
        self._lines.put(b"")

    def _keep_log(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(LOG_LINE):
                self._log.append(line.decode("utf-8", "backslashreplace"))
