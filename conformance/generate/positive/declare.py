"""How a case with numbers is declared, and what becomes of the declaration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from generate.case import Case, Declaration, Draw
from generate.graph import Graph
from generate.tolerances import FLOOR

DECLARATIONS: dict[str, Declaration] = {}

Make = Callable[[Draw], Graph]


def declare(case_id: str, title: str, make: Make, kind: str = "run", level: str = "L1") -> None:
    """Adds a case; `make` draws its numbers and answers its model."""
    if case_id in DECLARATIONS:
        raise ValueError(f"the case {case_id} is declared twice")
    DECLARATIONS[case_id] = Declaration(case_id, kind, level, title, make)


def special(case_id: str, title: str, make: Make) -> None:
    declare(case_id, title, make, kind="special")


def made(declaration: Declaration) -> Case:
    graph = declaration.make(Draw(declaration.id))
    tolerances = graph.tolerance()
    file = graph.file()
    files = {"model.nnpack": bytes(file)}
    inputs, outputs = [], []
    for i, (node, array) in enumerate(zip(graph.nodes, graph.arrays, strict=True)):
        files[f"in.{i}.bin"] = _raw(array, array.dtype)
        inputs.append(_described(node.name, node.dtype, array, {"file": f"in.{i}.bin"}))
    for i, (node, y, tolerance) in enumerate(zip(graph.outputs, graph.reference(), tolerances, strict=True)):
        files[f"out.{i}.bin"], files[f"tol.{i}.bin"] = _raw(y, "f8"), _raw(_up(tolerance), "f4")
        where = {"file": f"out.{i}.bin", "tolerance": f"tol.{i}.bin"}
        outputs.append(_described(node.name, node.dtype, y, where))
    headroom = graph.headroom(tolerances)
    detail = {
        "inputs": inputs,
        "outputs": outputs,
        "tolerance_class": graph.tolerance_class,
        "floor": FLOOR["float64" if any(output["dtype"] == "float64" for output in outputs) else "float32"],
        "headroom": _written(headroom),
    }
    requires = file.header["requires"]
    return Case(declaration.id, declaration.kind, declaration.level, declaration.title, requires, files, detail=detail)


def _written(headroom: float | None) -> float | str | None:
    """Three digits; JSON has no infinity."""
    if headroom is None or np.isfinite(headroom):
        return None if headroom is None else float(f"{headroom:.3g}")
    return "infinite"


def _described(name: str, dtype: str, array: Any, where: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "shape": list(array.shape), **where}


def _raw(array: Any, dtype: Any) -> bytes:
    return np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<")).tobytes()


def _up(tolerance: Any) -> Any:
    """float32, never less than what it was."""
    with np.errstate(over="ignore", under="ignore"):
        narrow = np.asarray(tolerance, np.float32)
    return np.where(narrow < tolerance, np.nextafter(narrow, np.float32(np.inf)), narrow)
