"""Keras layers that are refused on purpose, with the reason."""

from __future__ import annotations

from typing import Any

from nnpack.exporters.keras.registry import is_of_keras

_HASHES = "hashes with functions of TensorFlow, which no operator computes"
_SPECTRUM = "computes a Fourier transform, which no operator does"
_HISTOGRAM = "stretches the colours of each image at inference too, which no operator does"
_FOREIGN = "is code of another framework, of which Keras shows no operations"

REFUSED: dict[str, str] = {
    "AutoContrast": _HISTOGRAM,
    "ContrastLimitedAdaptiveHistogramEqualization": _HISTOGRAM,
    "FlaxLayer": _FOREIGN,
    "HashedCrossing": _HASHES,
    "Hashing": _HASHES,
    "JaxLayer": _FOREIGN,
    "MelSpectrogram": _SPECTRUM,
    "STFTSpectrogram": _SPECTRUM,
    "TFSMLayer": _FOREIGN,
    "TextVectorization": "splits text with functions of TensorFlow, which no operator computes",
    "TorchModuleWrapper": _FOREIGN,
}
"""Name of a class of keras.layers -> why nnpack does not export it."""


def reason_of(layer_class: Any) -> str | None:
    """Why layers of a class are refused; None where nothing is known against it."""
    return REFUSED.get(layer_class.__name__) if is_of_keras(layer_class) else None
