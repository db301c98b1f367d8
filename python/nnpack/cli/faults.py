"""Whatever goes wrong in a command -> one line on stderr (or one JSON object on stdout) and an exit code."""

from __future__ import annotations

import functools
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, ParamSpec

import typer

from nnpack.errors import FileError, ModelError, NnpackError, UnsupportedModelError, printable
from nnpack.format.files import guarded

P = ParamSpec("P")

INTERRUPTED = 130  # 128 + SIGINT, as shells count


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """A command that never ends in a traceback; with NNPACK_TRACEBACK set, a bug of nnpack itself does."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("json_output"))
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except KeyboardInterrupt:
            sys.stderr.write("interrupted\n")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # whoever reads, such as `head`, has seen enough
            _settle_stdout()
            raise typer.Exit(1) from None
        except NnpackError as error:
            _stop(error, as_json)
        except OSError as error:
            _stop(_file_error(error), as_json)
        except MemoryError as error:
            _stop(NnpackError("out-of-memory", "", "enough memory", one_line(error) or "too little"), as_json)
        except typer.Exit:
            raise
        except Exception as error:
            if os.environ.get("NNPACK_TRACEBACK"):
                raise
            received = f"{type(error).__name__}: {one_line(error)}"
            _stop(NnpackError("internal-error", "", "no such failure: please report it", received), as_json)

    return wrapper


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Turns a missing package into an error that says what to install."""
    try:
        yield
    except ImportError as error:
        expected = f"the extra {name!r} (install nnpack-format[{name}])"
        raise ModelError("extra-missing", error.name or name, expected, one_line(error)) from error


def problems(error: NnpackError) -> tuple[NnpackError, ...]:
    """Every fault that an error stands for."""
    return error.problems if isinstance(error, UnsupportedModelError) else (error,)


def as_dict(error: NnpackError) -> dict[str, Any]:
    """An error as JSON represents it."""
    parts = {"code": error.code, "at": error.at, "expected": error.expected, "received": error.received}
    if isinstance(error, UnsupportedModelError):
        return {**parts, "problems": [as_dict(problem) for problem in error.problems]}
    return parts


def print_json(item: dict[str, Any]) -> None:
    """One JSON object on stdout; JSON has no NaN and no infinity: they become strings."""
    print(json.dumps(_jsonable(item), ensure_ascii=False, allow_nan=False))


def one_line(error: object, limit: int = 400) -> str:
    """What an error says, for people: one line, no control characters, not endless."""
    text = printable(" ".join(str(error).split()))
    return text if len(text) <= limit else f"{text[:limit]} …"


def _file_error(error: OSError) -> NnpackError:
    at = error.filename if isinstance(error.filename, str) else ""
    try:
        with guarded(at, "a file that can be read and written"):
            raise error
    except FileError as fault:
        return fault


def _stop(error: NnpackError, as_json: bool) -> NoReturn:
    told = False
    if as_json:
        with suppress(OSError):  # then stderr has to do
            print_json({"error": as_dict(error)})
            sys.stdout.flush()
            told = True
    _settle_stdout()
    for problem in () if told else problems(error):
        sys.stderr.write(f"error: {printable(str(problem))}\n")
    raise typer.Exit(1)


def _settle_stdout() -> None:
    """Lets what stdout does not take vanish, lest the interpreter fail on it at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _jsonable(item: Any) -> Any:
    if isinstance(item, dict):
        return {str(key): _jsonable(member) for key, member in item.items()}
    if isinstance(item, list | tuple):
        return [_jsonable(member) for member in item]
    if isinstance(item, float) and not math.isfinite(item):
        return str(item)
    return item
