"""Where values lie: one piece of memory, whose parts are used again as soon as nobody reads them any more."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

ALIGNMENT = 64


class Spec(NamedTuple):
    """An array before it has memory."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


class Life(NamedTuple):
    """So many bytes, needed from one step to another, both included."""

    nbytes: int
    first: int
    last: int


def arranged(lives: Sequence[Life]) -> tuple[list[int], int]:
    """An offset for each, so that none that live at the same time overlap; and how many bytes that takes.

    The largest are placed first, each as low as it fits.
    """
    offsets = [0] * len(lives)
    placed: list[int] = []
    total = 0
    for i in sorted(range(len(lives)), key=lambda i: -lives[i].nbytes):
        life = lives[i]
        size = -(-life.nbytes // ALIGNMENT) * ALIGNMENT
        offset = 0
        for j in placed:  # by offset
            other = lives[j]
            if other.first <= life.last and life.first <= other.last:
                if offset + size <= offsets[j]:
                    break
                offset = max(offset, offsets[j] + -(-other.nbytes // ALIGNMENT) * ALIGNMENT)
        offsets[i] = offset
        placed.append(i)
        placed.sort(key=lambda k: offsets[k])
        total = max(total, offset + size)
    return offsets, total


class Arena:
    """One piece of memory."""

    def __init__(self, nbytes: int) -> None:
        raw = np.empty(nbytes + ALIGNMENT, np.uint8)
        start = -raw.ctypes.data % ALIGNMENT
        self._memory = raw[start : start + nbytes]
        self.nbytes = nbytes

    def array(self, spec: Spec, offset: int) -> np.ndarray:
        if spec.dtype.hasobject:  # strings
            return np.empty(spec.shape, spec.dtype)
        part = self._memory[offset : offset + spec.nbytes]
        return part.view(spec.dtype).reshape(spec.shape)
