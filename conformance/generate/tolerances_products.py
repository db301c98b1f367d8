"""Rules of tolerance of spec/ops/matmul.md and einsum.md, in units of u."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def _matmul(y: Any, x1: Any, x2: Any, **_: Any) -> tuple[Any, int]:
    return np.matmul(np.abs(x1), np.abs(x2)), x1.shape[-1]


def _einsum(y: Any, x1: Any, x2: Any, equation: str, **_: Any) -> tuple[Any, int]:
    operands, _, made = equation.partition("->")
    dimensions = dict(zip(operands.replace(",", ""), x1.shape + x2.shape, strict=True))
    terms = math.prod(n for label, n in dimensions.items() if label not in made)
    return np.einsum(equation, np.abs(x1), np.abs(x2)), terms


SUMS: dict[str, Callable[..., Any]] = {"matmul": _matmul, "einsum": _einsum}
"""Operator -> A and K of the class sum."""
