"""The parity plot: what Keras predicts against what nnpack predicts."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnpack.cli.faults import extra
from nnpack.errors import InputError
from nnpack.format.files import Path, replacing

Array = NDArray[Any]

POINTS = 20_000
"""The most points of one panel; more would only make the file large."""


def parity_plot(pairs: Mapping[str, tuple[Array, Array]], path: Path, title: str = "") -> None:
    """Writes a picture with one panel for each output: Keras predict across, nnpack predict up, and the identity line.

    Args:
        pairs: output name -> (what Keras predicts, what nnpack predicts), arrays of one shape.
        path: a name that ends in .png, .svg or .pdf.
        title: what stands above all panels.

    Raises:
        FileError: the picture cannot be written.
        InputError: the name has another ending.
        ModelError: matplotlib is not installed.
    """
    kind = os.path.splitext(os.fsdecode(path))[1].lower()
    if kind not in (".png", ".svg", ".pdf"):
        raise InputError("plot-kind", os.fsdecode(path), "a name that ends in .png, .svg or .pdf", kind or "no ending")
    if not pairs:
        raise InputError("plot-empty", os.fsdecode(path), "an output that both predict, of one shape", "none")
    with extra("plot"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    across = math.ceil(math.sqrt(len(pairs)))
    down = math.ceil(len(pairs) / across)
    figure = Figure(figsize=(5 * across, 5 * down + 0.4 * bool(title)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(down, across, squeeze=False).flat
    for panel, (name, (keras, nnpack)) in zip(panels, pairs.items(), strict=False):
        _panel(panel, name, np.asarray(keras, np.float64).ravel(), np.asarray(nnpack, np.float64).ravel())
    for panel in list(panels)[len(pairs) :]:
        panel.remove()
    if title:
        figure.suptitle(_literal(title))
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind[1:], dpi=120)


def _panel(panel: Any, name: str, x: Array, y: Array) -> None:
    difference = np.abs(x - y)
    finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    kept = finite
    if len(finite) > POINTS:  # evenly, and always the point that is furthest from the line
        kept = finite[np.linspace(0, len(finite) - 1, POINTS).astype(int)]
        kept = np.append(kept, finite[np.argmax(difference[finite])])
    panel.scatter(x[kept], y[kept], s=12, alpha=0.5, linewidths=0, color="#1f5fa8", zorder=2)
    panel.axline((0, 0), slope=1, color="#888888", linewidth=1, zorder=1)
    if len(kept):
        low = min(x[kept].min(), y[kept].min())
        high = max(x[kept].max(), y[kept].max())
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
        panel.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
    largest = f"{difference[finite].max():.3g}" if len(finite) else "none to show"
    rest = len(x) - len(finite)
    note = f"\n{rest:,} not finite, not shown" if rest else ""
    panel.set_title(f"{_literal(name)}: largest difference {largest}{note}", fontsize=10)
    panel.set(xlabel="Keras predict", ylabel="nnpack predict", aspect="equal")
    panel.grid(color="#eeeeee")
    panel.set_axisbelow(True)


def _literal(text: str) -> str:
    """The text itself, where matplotlib would read formulas between dollar signs."""
    return text.replace("$", r"\$")
