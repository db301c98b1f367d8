"""Loading a Keras file, without TensorFlow's chatter."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nnpack.cli.faults import extra, one_line
from nnpack.errors import FileError
from nnpack.format.files import guarded

LEVEL, SILENT = "TF_CPP_MIN_LOG_LEVEL", "3"

_CHATTER = re.compile(rb"[IWE]\d{4} |WARNING: All log messages before absl::InitializeLog|\s*$")


def load_keras(path: str) -> Any:
    """Loads what `keras.Model.save` wrote.

    Raises:
        FileError: the file is missing, a directory, or nothing that Keras can load.
        ModelError: Keras or its backend is not installed.
    """
    with guarded(path, "a Keras file"), open(path, "rb"):
        pass
    if path.endswith(".keras") and not zipfile.is_zipfile(path):
        raise FileError("keras-file", path, "an archive that keras.Model.save wrote", "a file that is no zip archive")
    with extra("keras"), _quiet_start():
        import keras
    try:
        return keras.saving.load_model(path, compile=False)
    except MemoryError:
        raise
    except Exception as error:  # a damaged archive can fail in any way
        expected = "a model that keras.saving.load_model loads"
        raise FileError("keras-file", path, expected, f"{type(error).__name__}: {one_line(error)}") from error


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Drops what TensorFlow logs while it is loaded; where loading fails, everything is shown.

    A level that the user has set for TensorFlow's log holds instead.
    """
    if os.environ.setdefault(LEVEL, SILENT) != SILENT:
        yield
        return
    for name in ("absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)  # parts of TensorFlow write before they know their level
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            said.seek(0)
            for line in said:
                if failed or not _CHATTER.match(line):
                    os.write(2, line)
