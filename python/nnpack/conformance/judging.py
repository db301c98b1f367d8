"""A runtime's outputs against the expected ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nnpack.conformance.results import Worst
from nnpack.conformance.runtimes import Output
from nnpack.conformance.suite import Answer


class Judgement(NamedTuple):
    """What comparing says.

    Attributes:
        message: what is wrong; "" where all is right.
        use: the largest part of a tolerance that a right answer takes; None where nothing was compared.
        worst: the element that is furthest over its tolerance.
    """

    message: str
    use: float | None
    worst: Worst | None = None


def judge(outputs: Sequence[Output], answers: Sequence[Answer]) -> Judgement:
    """Whether each output has its dtype and shape, and each element is within its tolerance."""
    if len(outputs) != len(answers):
        return Judgement(f"{len(outputs)} outputs, expected {len(answers)}", None)
    for output, answer in zip(outputs, answers, strict=True):
        if output.dtype != answer.dtype:
            return Judgement(f"{answer.name} is {output.dtype}, expected {answer.dtype}", None)
        if output.array.shape != answer.expected.shape:
            shapes = [str(list(array.shape)) for array in (output.array, answer.expected)]
            return Judgement(f"{answer.name} has the shape {shapes[0]}, expected {shapes[1]}", None)
    parts = [parts_of(output.array, answer) for output, answer in zip(outputs, answers, strict=True)]
    use = max((float(np.max(part, initial=0.0)) for part in parts), default=0.0)
    if use <= 1:
        return Judgement("", use)
    wrong, size = sum(int(np.sum(part > 1)) for part in parts), sum(part.size for part in parts)
    return Judgement(f"{wrong} of {size} elements over tolerance", use, _worst(parts, outputs, answers, wrong, size))


def parts_of(y: np.ndarray[Any, Any], answer: Answer) -> np.ndarray[Any, Any]:
    """The error of each element as a part of its tolerance; above 1 it is wrong.

    Args:
        y: the runtime's answer, of any dtype.
        answer: what is expected, of the same shape.
    """
    expected = answer.expected
    with np.errstate(all="ignore"):
        part = np.abs(y.astype(np.float64) - expected) / answer.tolerance
    same = (y == expected) | (np.isnan(y) & np.isnan(expected))
    # the difference of two infinities is NaN, which is near nothing
    return np.where(same, 0.0, np.where(np.isnan(part), np.inf, part))


def _worst(
    parts: Sequence[np.ndarray[Any, Any]], outputs: Sequence[Output], answers: Sequence[Answer], wrong: int, size: int
) -> Worst:
    which = max(range(len(parts)), key=lambda i: float(np.max(parts[i], initial=0.0)))
    index = np.unravel_index(int(np.argmax(parts[which])), parts[which].shape)
    got, want = (float(array[index]) for array in (outputs[which].array, answers[which].expected))
    at = f"{answers[which].name}[{', '.join(str(int(i)) for i in index)}]"
    return Worst(at, got, want, abs(got - want), float(parts[which][index]), wrong, size)
