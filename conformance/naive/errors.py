"""Faults, each with a code of spec/errors.md."""

from __future__ import annotations

import reprlib


class Fault(Exception):  # noqa: N818 - what it names is the fault of a file, or of a call
    """What is wrong, and where: a JSON pointer into the header, or `byte N`."""

    def __init__(self, code: str, at: str = "", expected: str = "", received: object = "") -> None:
        super().__init__(code)
        self.code = code
        self.at = at
        self.expected = expected
        self.received = received if isinstance(received, str) else reprlib.repr(received)

    def __str__(self) -> str:
        text = f"{self.code} at {self.at}" if self.at else self.code
        if self.expected:
            text += f": expected {self.expected}"
        return f"{text}, received {self.received}" if self.received else text


class Refused(Fault):
    """The file is not taken."""


class Failed(Fault):
    """The file is sound, the call is not."""


def require(holds: bool, code: str, at: str = "", expected: str = "", received: object = "") -> None:
    """Refuses the file unless something holds."""
    if not holds:
        raise Refused(code, at, expected, received)


def pointer(at: str, key: object) -> str:
    """The place of a key or an index in what stands at a place (RFC 6901)."""
    return f"{at}/" + str(key).replace("~", "~0").replace("/", "~1")
