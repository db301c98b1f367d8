"""Keras layers that are refused on purpose, with the reason."""

from __future__ import annotations

from typing import Any

_HASHES = "hashes with functions of TensorFlow, which no operator computes"

REFUSED: dict[str, str] = {
    "HashedCrossing": _HASHES,
    "Hashing": _HASHES,
    "TextVectorization": "splits text with functions of TensorFlow, which no operator computes",
}
"""Name of a class of keras.layers -> why nnpack does not export it."""


def reason_of(layer_class: Any) -> str | None:
    """Why layers of a class are refused; None where nothing is known against it."""
    return REFUSED.get(layer_class.__name__) if layer_class.__module__.startswith("keras.") else None
