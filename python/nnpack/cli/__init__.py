"""The command `nnpack`: export, info, validate, predict, verify, convert, diff.

Importing this costs nothing: each command imports what it needs when it runs.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: what follows `nnpack`; None takes the process's own.

    Returns:
        The exit code: 0 done, 1 refused, diverging or different, 2 wrong usage (of diff: trouble), 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names may hold what the terminal's encoding lacks
    try:
        try:
            from nnpack.cli.app import app
        except ModuleNotFoundError as error:
            if error.name not in ("typer", "rich", "click"):
                raise
            missing = f"expected the extra 'cli' (install nnpack-format[cli]), received {error}"
            print(f"error: extra-missing at {error.name}: {missing}", file=sys.stderr)
            return 1
        app(arguments, prog_name="nnpack")
    except KeyboardInterrupt:
        return 130
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0
