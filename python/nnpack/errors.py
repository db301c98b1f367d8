"""Every error that nnpack raises, in one tree.

```
NnpackError                       code, at, expected, received
├── FormatError                   the file breaks spec/format.md or a constraint of an operator
│   └── RequirementError          the file may be sound; this reader lacks what it needs
├── FileError (OSError)           the file cannot be read or written
│   └── MissingFileError          … because it is not there (FileNotFoundError)
├── ModelError                    the model cannot be written as asked
│   └── UnsupportedModelError     every reason why Keras's model cannot be exported, in one error
├── ExportMismatchError           the written file predicts other numbers than Keras
├── InputError                    what was given to predict does not fit the model
│   └── ShapeError                … in its shape
├── SelfTestError                 the file's self-test is absent or fails here
└── ConformanceError              the conformance suite cannot be run as asked
```

The codes are listed in spec/errors.md. ``at`` is a JSON pointer (RFC 6901) into the header, a byte offset
("byte 17"), the name of a layer, an input or an output, or a path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


class NnpackError(Exception):
    """One fault: what it is, where it is, what was expected and what was found.

    Attributes:
        code: the code of the fault, from spec/errors.md.
        at: where it is.
        expected: what should be there.
        received: what is there.
    """

    def __init__(self, code: str, at: str, expected: object, received: object) -> None:
        super().__init__(code, at, expected, received)
        self.code = code
        self.at = at
        self.expected = str(expected)
        self.received = str(received)

    def __str__(self) -> str:
        where = f" at {self.at}" if self.at else ""
        return f"{self.code}{where}: expected {self.expected}, received {self.received}"


class FormatError(NnpackError, ValueError):
    """The file breaks the format."""

    def under(self, prefix: str) -> FormatError:
        """The same fault, seen from the document that holds this part at `prefix`."""
        return type(self)(self.code, prefix + self.at, self.expected, self.received)


class RequirementError(FormatError):
    """The file asks for a version, an operator, a dtype or a feature that this reader does not have."""


class FileError(NnpackError, OSError):
    """The file cannot be read or written; the operating system's reason is in `received`."""


class MissingFileError(FileError, FileNotFoundError):
    """There is no such file."""


class ModelError(NnpackError, ValueError):
    """The model cannot be written as asked: weights that are not finite, that overflow, an unknown target, …"""


class UnsupportedModelError(ModelError):
    """Keras's model cannot be exported.

    Attributes:
        problems: one ModelError for each reason, in the order of the model's layers.
    """

    def __init__(self, problems: Sequence[NnpackError]) -> None:
        first = problems[0]
        super().__init__(first.code, first.at, first.expected, first.received)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)

    def __reduce__(self) -> tuple[type, tuple[object]]:
        return type(self), (self.problems,)


class ExportMismatchError(NnpackError):
    """The file that dump wrote predicts other numbers than Keras; it was not kept.

    Attributes:
        layer: the name of the first layer that diverges.
    """

    @property
    def layer(self) -> str:
        return self.at


class InputError(NnpackError, ValueError):
    """What was given to predict does not fit the model."""


class ShapeError(InputError):
    """An input has another shape than the model declares."""


class SelfTestError(NnpackError):
    """The file carries no self-test, or its expected outputs are not reached on this machine."""


class ConformanceError(NnpackError):
    """The conformance suite cannot be run as asked: no suite, no such case, a runtime that does not start."""


Report = Callable[[FormatError], None]
"""Takes a fault: raises it (a loader stops at the first) or keeps it (a validator wants all)."""


def stop(fault: FormatError) -> None:
    """The loader's Report: the first fault ends the load."""
    raise fault


def pointer(at: str, key: object) -> str:
    """The JSON pointer one step below `at`."""
    return f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}"


def describe(item: object) -> str:
    """A value as an error message shows it: its JSON type, and itself where it is short."""
    kinds = {dict: "a map", list: "a list", bool: "a boolean", int: "an integer", float: "a number", str: "a string"}
    kind = kinds.get(type(item), type(item).__name__)
    return kind if isinstance(item, dict | list) else f"{kind}, {ascii(item)[:80]}"


def printable(text: str) -> str:
    """The same text; what a terminal would obey instead of showing it is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
