"""Reading: bytes or path -> Model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from nnpack.engine.model import Model
from nnpack.engine.passes import chosen
from nnpack.engine.widen import widened
from nnpack.errors import FileError, InputError, stop
from nnpack.format import container, files, header
from nnpack.format.digest import sha256
from nnpack.format.limits import ACTIVATION_ELEMENTS
from nnpack.ops import OPERATORS


def load(
    path: files.Path,
    *,
    verify: bool = True,
    activation_limit: int = ACTIVATION_ELEMENTS,
    optimize: bool | Iterable[str] = True,
    dtype: str = "float32",
) -> Model:
    """Loads a model from a file, which is mapped: its weights are read when they are first used.

    Args:
        path: an .nnpack file.
        verify: whether to read the whole payload now, and refuse the file if it is damaged: by the payload's SHA-256,
            the zeros between tensors, bytes of booleans, undeclared NaN, and the self-test that a small model carries.
        activation_limit: the most elements that one layer may read and make for one row; a file that needs more
            is refused.
        optimize: which passes change the graph before it is computed: True for all, False for none, or their names
            (nnpack.engine.passes); `Model.summary(plan=True)` shows what they did.
        dtype: "float64" computes in float64 what the file computes in float32; the model then takes and gives float64.

    Returns:
        The model, ready to predict. Threads may share it. A pickle of it holds the path, and loads the file again.

    Raises:
        FileError: the file is missing, a directory, or cannot be read.
        FormatError: the file breaks the format; the error has a code of spec/errors.md, and the place.
        RequirementError: the file needs a version, an operator or a feature that this reader lacks.
        SelfTestError: the file's self-test does not give what it should here.
        InputError: `optimize` names no pass, or `dtype` is none of the two.

    Source: spec/format.md.
    """
    data = files.read(path)
    origin = _Origin(os.path.abspath(os.fsdecode(path)), data, activation_limit, chosen(optimize), _dtype(dtype))
    return _tested(opened(data, verify, origin), verify)


def loads(
    data: bytes,
    *,
    verify: bool = True,
    activation_limit: int = ACTIVATION_ELEMENTS,
    optimize: bool | Iterable[str] = True,
    dtype: str = "float32",
) -> Model:
    """Loads a model from the bytes of a file; arguments, result and errors as for `load`.

    A pickle of the model holds the bytes.
    """
    view = aligned_view(data)
    return _tested(opened(view, verify, _Origin("", view, activation_limit, chosen(optimize), _dtype(dtype))), verify)


class _Origin(NamedTuple):
    """What a model was loaded from, and how: `path` is empty where it was loaded from bytes."""

    path: str
    data: memoryview
    activation_limit: int
    optimize: tuple[str, ...]
    dtype: str

    def again(self) -> tuple[Callable[..., Model], tuple[Any, ...]]:
        rest = self[2:]
        if self.path:
            return _loaded_again, (self.path, _head(self.data), *rest)
        return _opened_again, (bytes(self.data), *rest)


def _dtype(dtype: str) -> str:
    if dtype not in ("float32", "float64"):
        raise InputError("dtype-computed", "dtype", "'float32' or 'float64'", repr(dtype))
    return dtype


def _head(data: memoryview) -> str:
    """The SHA-256 of what stands in front of the payload, whose own it holds: it tells two files apart."""
    return sha256([data[: len(data) - len(container.read(data).payload)]])


def _loaded_again(path: str, head: str, *rest: Any) -> Model:
    data = files.read(path)
    if _head(data) != head:
        raise FileError("file-changed", path, "the file that the model was loaded from", "another")
    return opened(data, False, _Origin(path, data, *rest))


def _opened_again(data: bytes, *rest: Any) -> Model:
    view = aligned_view(data)
    return opened(view, False, _Origin("", view, *rest))


def aligned_view(data: bytes | bytearray | memoryview) -> memoryview:
    """Bytes that nobody else may change, at an address where float64 may lie."""
    frozen = memoryview(data if isinstance(data, bytes) else bytes(data))
    if not frozen or np.frombuffer(frozen, np.uint8).ctypes.data % 8 == 0:
        return frozen
    copy = np.empty(len(frozen), np.uint8)
    copy[:] = np.frombuffer(frozen, np.uint8)
    return copy.data


def opened(data: memoryview, verify: bool = True, origin: _Origin | None = None) -> Model:
    """The model that a file's bytes stand for, its self-test not yet run."""
    parts = container.read(data)
    document = header.parse(parts.header, parts.payload, parts.version, OPERATORS, stop, verify=verify)
    assert document is not None  # stop raises
    if origin is None:
        return Model(document)
    if origin.dtype == "float64":
        _tested(Model(document), verify)  # in float32, for which its tolerances are
        document = widened(document)
    return Model(document, activation_limit=origin.activation_limit, optimize=origin.optimize, origin=origin.again)


def _tested(model: Model, verify: bool) -> Model:
    # the hash covers the payload alone: a damaged number in the header is found by what it makes of the numbers
    if verify and model.selftest_is_cheap:
        model.selftest()
    return model
