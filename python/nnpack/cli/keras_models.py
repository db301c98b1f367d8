"""Loading a Keras file, without TensorFlow's chatter."""

from __future__ import annotations

import logging
import os
from typing import Any

from nnpack.cli.faults import extra, one_line
from nnpack.errors import FileError
from nnpack.format.files import guarded


def load_keras(path: str) -> Any:
    """Loads what `keras.Model.save` wrote.

    Raises:
        FileError: the file is missing, a directory, or nothing that Keras can load.
        ModelError: Keras or its backend is not installed.
    """
    with guarded(path, "a Keras file"), open(path, "rb"):
        pass
    quiet()
    with extra("keras"):
        import keras
    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a damaged archive can fail in any way
        expected = "a model that keras.saving.load_model loads"
        raise FileError("keras-file", path, expected, f"{type(error).__name__}: {one_line(error)}") from error


def quiet() -> None:
    """Silences what TensorFlow says when it starts; what fails is raised, not logged.

    A level that is set already stays.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is loaded
    logging.getLogger("absl").setLevel(logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
