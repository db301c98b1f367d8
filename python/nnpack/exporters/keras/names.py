"""Names as a file holds them."""

from __future__ import annotations

import unicodedata
from typing import Any

import keras

from nnpack.errors import ModelError
from nnpack.format.limits import NAME_BYTES


def checked_name(name: str) -> str:
    """A name as a file holds it.

    Raises:
        ModelError: no file can hold a name like that.
    """
    try:
        nbytes = len(name.encode())
    except UnicodeEncodeError:
        nbytes = 0
    if not 1 <= nbytes <= NAME_BYTES or "\0" in name:
        shown = ascii(name) if len(name) < 80 else f"{name[:80]!a} and {len(name) - 80} more"
        raise ModelError("name-length", f"name {shown}", f"1 to {NAME_BYTES} bytes of UTF-8 without NUL", f"{nbytes}")
    return unicodedata.normalize("NFC", name)


def lasting_name(operation: Any) -> str:
    """The name of a layer or operation within a traced call.

    Keras numbers operations, and layers without a name, by how many of them it has seen before. That is no name that
    the same model has tomorrow.
    """
    class_name = type(operation).__name__.lower()
    if not isinstance(operation, keras.Layer):
        return class_name
    name = str(operation.name)
    base, _, number = name.rpartition("_")
    return base if number.isdigit() and base.replace("_", "") == class_name else name
