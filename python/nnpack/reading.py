"""Reading: bytes or path -> Model."""

from __future__ import annotations

import numpy as np

from nnpack.engine.model import Model
from nnpack.errors import stop
from nnpack.format import container, files, header
from nnpack.format.limits import ACTIVATION_ELEMENTS
from nnpack.ops import OPERATORS

OPERATOR_IDS = frozenset(OPERATORS)


def load(path: files.Path, *, verify: bool = True, activation_limit: int = ACTIVATION_ELEMENTS) -> Model:
    """Loads a model from a file, which is mapped: its weights are read when they are first used.

    Args:
        path: an .nnpack file.
        verify: whether to read the whole payload now, and refuse the file if it is damaged: by the payload's SHA-256,
            the zeros between tensors, bytes of booleans, undeclared NaN, and the self-test that a small model carries.
        activation_limit: the most elements that one layer may read and make for one row; a file that needs more
            is refused.

    Returns:
        The model, ready to predict.

    Raises:
        FileError: the file is missing, a directory, or cannot be read.
        FormatError: the file breaks the format; the error has a code of spec/errors.md, and the place.
        RequirementError: the file needs a version, an operator or a feature that this reader lacks.
        SelfTestError: the file's self-test does not give what it should here.

    Source: spec/format.md.
    """
    return _tested(opened(files.read(path), verify, activation_limit), verify)


def loads(data: bytes, *, verify: bool = True, activation_limit: int = ACTIVATION_ELEMENTS) -> Model:
    """Loads a model from the bytes of a file; arguments, result and errors as for `load`."""
    return _tested(opened(aligned_view(data), verify, activation_limit), verify)


def aligned_view(data: bytes | bytearray | memoryview) -> memoryview:
    """Bytes that nobody else may change, at an address where float64 may lie."""
    frozen = memoryview(data if isinstance(data, bytes) else bytes(data))
    if not frozen or np.frombuffer(frozen, np.uint8).ctypes.data % 8 == 0:
        return frozen
    copy = np.empty(len(frozen), np.uint8)
    copy[:] = np.frombuffer(frozen, np.uint8)
    return copy.data


def opened(data: memoryview, verify: bool = True, activation_limit: int = ACTIVATION_ELEMENTS) -> Model:
    """The model that a file's bytes stand for, its self-test not yet run."""
    parts = container.read(data)
    document = header.parse(parts.header, parts.payload, parts.version, OPERATOR_IDS, stop, verify=verify)
    assert document is not None  # stop raises
    return Model(document, activation_limit=activation_limit)


def _tested(model: Model, verify: bool) -> Model:
    # the hash covers the payload alone: a damaged number in the header is found by what it makes of the numbers
    if verify and model.selftest_is_cheap:
        model.selftest()
    return model
