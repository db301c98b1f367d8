"""How a case with numbers is declared, and what becomes of the declaration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from generate.case import Case, Declaration, Draw, at_least
from generate.graph import Graph, rounded_up
from generate.pages import Quote, is_operator, operator, quote
from generate.tolerances import FLOOR

DECLARATIONS: dict[str, Declaration] = {}

Make = Callable[[Draw], Graph]

BITS = 16
"""Of a tolerance: few enough to be the same on every machine."""

LENGTHS = (*range(2, 10), *range(17, 34))
"""Below, at and beyond what is computed at a time, usually 4, 8, 16 or 32 numbers."""

EMPTY = "Empty batch: y has 0 rows."
FLUSHED = quote(
    "accuracy.md",
    "Below 2⁻¹²⁶, the smallest normal float32, runtimes may flush to 0; for outputs in float64 that floor is 2⁻¹⁰²².",
)
ROWS = quote(
    "format.md",
    "Rows are independent of each other: computing them together, apart or in another order gives the same numbers, "
    "but for the rounding of sums.",
)


def declare(
    case_id: str,
    title: str,
    says: str | Quote,
    make: Make,
    kind: str = "run",
    level: str | None = None,
    calls: bool = False,
) -> None:
    """Adds a case.

    Args:
        case_id: of the case; an operator's case begins with its name.
        title: what it shows.
        says: the sentence that it tests: of the operator's page, or of another one.
        make: draws the numbers and answers the model.
        kind: run, special, network, meta, or states: of a model whose inputs are fed in pieces.
        level: of the case; None takes the highest of its operators' levels.
        calls: whether its model is also called several times, on some of the rows; an operator's first case always is.
    """
    if case_id in DECLARATIONS:
        raise ValueError(f"the case {case_id} is declared twice")
    group = case_id.partition("/")[0]
    spec = says if isinstance(says, Quote) else quote(operator(group).page, says)
    first = is_operator(group) and f"{group}/calls" not in DECLARATIONS
    DECLARATIONS[case_id] = Declaration(case_id, kind, level, title, spec, make)
    if first or calls:
        again = f"{group}/calls" if first else f"{case_id}-calls"
        what = "One model called again and again: all rows, some, none, one of them twice."
        DECLARATIONS[again] = Declaration(again, "meta", level, what, ROWS, make)


def special(case_id: str, title: str, says: str | Quote, make: Make, level: str | None = None) -> None:
    declare(case_id, title, says, make, kind="special", level=level)


def empty_batch(op: str, make: Make, says: str | Quote = EMPTY) -> None:
    special(f"{op}/empty-batch", "No row in, no row out.", says, make)


def lengths(op: str, make: Callable[[Draw, int], Graph]) -> None:
    """An operator's model, called with few rows and with many.

    Args:
        op: the operator.
        make: draws the numbers of so many rows and answers the model.
    """
    title = "Calls of any number of rows: what is computed several at a time leaves another remainder each time."
    declare(f"{op}/lengths", title, ROWS, lambda r: make(r, max(LENGTHS) + 2), kind="meta")


def repeated(x: Any, dtype: str = "float32") -> Any:
    """The numbers of each row again and again: code for several at a time meets them, and code for the remainder."""
    return np.tile(np.asarray(x, dtype), 9)


def calls(n: int) -> list[list[int]]:
    """The rows of each call: all, all again, in another order, one, the others, none, more than ever before; then few
    and more and more."""
    rows = list(range(n))
    varied = [rows, rows, [*rows[1::2], *rows[::2]], [0], rows[1:], [], [*rows[::-1], *rows], [n - 1, n - 1]]
    return varied + [rows[:length] for length in LENGTHS if length < n]


def splits(n: int) -> list[list[int]]:
    """The lengths of the pieces, each time through: all in one, again, one by one, again; every other split; all."""
    every = [[last - first for first, last in pairwise((0, *ends, n))] for ends in _subsets(range(1, n))]
    whole, *between, apart = every
    return [whole, whole, apart, apart, *between, *between[::-1], whole]


def _subsets(items: Sequence[int]) -> list[tuple[int, ...]]:
    return [chosen for size in range(len(items) + 1) for chosen in combinations(items, size)]


def case_of(graph: Graph, case_id: str, kind: str, level: str | None, title: str, spec: Quote) -> Case:
    """The files of a model, of what is fed to it, and of what is expected."""
    level = level or max((operator(step.op).level for step in graph.steps), default="L1")
    file = graph.file()
    level = at_least(level, file.header)
    files = {"model.nnpack": bytes(file)}
    inputs, outputs = [], []
    for i, (node, array) in enumerate(zip(graph.nodes, graph.arrays, strict=True)):
        files[f"in.{i}.bin"] = _raw(array, array.dtype)
        inputs.append(_described(node.name, node.dtype, array, {"file": f"in.{i}.bin"}))
    for i, (node, y, tolerance) in enumerate(zip(graph.outputs, graph.reference(), graph.tolerance, strict=True)):
        files[f"out.{i}.bin"], files[f"tol.{i}.bin"] = _raw(y, "f8"), _raw(_up(rounded_up(tolerance, BITS)), "f4")
        where = {"file": f"out.{i}.bin", "tolerance": f"tol.{i}.bin"}
        outputs.append(_described(node.name, node.dtype, y, where))
    detail = {
        "inputs": inputs,
        "outputs": outputs,
        "tolerance_class": graph.tolerance_class,
        "floor": FLOOR["float64" if any(output["dtype"] == "float64" for output in outputs) else "float32"],
    }
    if kind == "meta":
        detail["calls"] = calls(len(graph.arrays[0]))
    if kind == "states":
        detail["splits"] = splits(graph.arrays[0].shape[1])
    return Case(case_id, kind, level, title, spec, file.header["requires"], files, detail=detail)


def _described(name: str, dtype: str, array: Any, where: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "shape": list(array.shape), **where}


def _raw(array: Any, dtype: Any) -> bytes:
    """Its elements; a string is the number of the bytes of its UTF-8, and these bytes."""
    if array.dtype.kind == "O":
        texts = [item.encode() for item in array.ravel().tolist()]
        return b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    return np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<")).tobytes()


def _up(tolerance: Any) -> Any:
    """float32, never less than what it was."""
    with np.errstate(over="ignore", under="ignore"):
        narrow = np.asarray(tolerance, np.float32)
    return np.where(narrow < tolerance, np.nextafter(narrow, np.float32(np.inf)), narrow)
