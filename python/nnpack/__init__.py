"""nnpack: the file a trained neural network travels in when there is no Keras at the other end.

nnpack.dump(model, "m.nnpack")             # where Keras is
nnpack.load("m.nnpack").predict(x)         # where numpy is
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnpack.engine.model import Model
from nnpack.errors import (
    ExportMismatchError,
    FileError,
    FormatError,
    InputError,
    MissingFileError,
    ModelError,
    NnpackError,
    RequirementError,
    SelfTestError,
    ShapeError,
    UnsupportedModelError,
)
from nnpack.reading import load, loads
from nnpack.version import __version__

if TYPE_CHECKING:
    from nnpack.validation import validate
    from nnpack.writing import DumpReport, dump, dumps

__all__ = [
    "DumpReport",
    "ExportMismatchError",
    "FileError",
    "FormatError",
    "InputError",
    "MissingFileError",
    "Model",
    "ModelError",
    "NnpackError",
    "RequirementError",
    "SelfTestError",
    "ShapeError",
    "UnsupportedModelError",
    "__version__",
    "dump",
    "dumps",
    "load",
    "loads",
    "validate",
]

# what only predicts should not pay for what writes and validates
_LATER = {"dump": "writing", "dumps": "writing", "DumpReport": "writing", "validate": "validation"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"nnpack.{_LATER[name]}"), name)
