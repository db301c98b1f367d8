"""SHA-256, without what a program's start need not pay for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

_SMALL = 2**20


def sha256(pieces: Iterable[bytes | memoryview]) -> str:
    """The SHA-256 of pieces one behind the other, in lower-case hexadecimal digits."""
    parts = list(pieces)
    digest = _algorithm(sum(map(len, parts)))()
    for part in parts:
        digest.update(part)
    return str(digest.hexdigest())


def _algorithm(nbytes: int) -> Callable[[], Any]:
    """hashlib's, which is several times faster, for what is large; for what is small CPython's own.

    Importing hashlib loads OpenSSL: 3 ms and 4 MB of the 20 ms and 8 MB that a first prediction may take.
    """
    for name in ("_sha2", "_sha256") if nbytes <= _SMALL else ():
        try:
            found: Callable[[], Any] = import_module(name).sha256
        except ImportError:
            continue
        return found
    from hashlib import sha256

    return sha256
