"""Calling a layer's or a user's own code on symbolic tensors, which records what it does."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

_LIBRARIES = ("keras", "tensorflow", "numpy", "nnpack", "optree", "tree", "inspect")


def symbolic(shape: tuple[int | str, ...], dtype: str) -> Any:
    """A symbolic tensor; dimensions that only a call tells are None."""
    return keras.KerasTensor(tuple(n if isinstance(n, int) else None for n in shape), dtype)


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Takes back the nodes that tracing adds to the layers of the user's model."""
    layers = list(model._flatten_layers())
    before = [(layer, len(layer._inbound_nodes), len(layer._outbound_nodes)) for layer in layers]
    try:
        yield
    finally:
        for layer, inbound, outbound in before:
            del layer._inbound_nodes[inbound:]
            del layer._outbound_nodes[outbound:]


def where_it_left(error: BaseException) -> str:
    """What went wrong, and the innermost line of code that belongs to no library."""
    reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        parts = Path(frame.filename).parts
        if not any(library in parts for library in _LIBRARIES) and "<frozen" not in frame.filename:
            line = linecache.getline(frame.filename, frame.lineno or 0).strip()
            return f"{reason} ({Path(frame.filename).name}:{frame.lineno}: {line})"
    return reason
