"""The parity report: one HTML page that needs nothing but itself, on how far a file is from Keras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from nnpack.cli.parity_pictures import histogram, scatter
from nnpack.conformance.reports.markup import Markup, element
from nnpack.conformance.reports.page import POLICY
from nnpack.conformance.reports.text import apart, brief, share

if TYPE_CHECKING:
    from nnpack.cli.parity import LayerParity, OutputParity, Parity
    from nnpack.exporters.keras import Comparison, OutputComparison

QUANTILES = (0.5, 0.9, 0.99, 1.0)

DRAWN = 20
"""The most outputs that are drawn; more would only make the page large."""

ROWS = 10
"""How many of the rows with the largest errors are listed."""


def parity_page(title: str, comparison: Comparison, parity: Parity, facts: Mapping[str, str], note: str = "") -> str:
    """The whole page.

    Args:
        title: what stands above everything, the model's name.
        comparison: the verdict.
        parity: what was measured.
        facts: what was compared with what, in words: files, hashes, versions.
        note: what has to be said beside the verdict, where the file stores weights otherwise than Keras.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{title} · {'agrees' if comparison.agrees else 'diverges'}"),
        element("style", _style()),
    )
    main = element(
        "main",
        _header(title, comparison, note),
        _figures(comparison, parity),
        _outputs(comparison, bool(note)),
        *_drawn(comparison, parity),
        _layers(parity.layers, comparison.diverging),
        _rows(parity.outputs),
        element("footer", element("dl", *(_fact(name, told) for name, told in facts.items()))),
    )
    return f"<!doctype html>\n{element('html', head, element('body', main), lang='en')}\n"


def _style() -> Markup:
    """The look of conformance reports, and of pictures."""
    shared = files("nnpack.conformance.reports").joinpath("page.css").read_text("utf-8")
    return Markup(shared + files(__package__).joinpath("parity_report.css").read_text("utf-8"))


# At a glance


def _header(title: str, comparison: Comparison, note: str) -> Markup:
    kind = "agrees" if comparison.agrees else "diverges"
    verdict = "Keras and the file predict the same." if comparison.agrees else "Keras and the file diverge."
    if comparison.diverging is not None:
        verdict += f" The first layer that does is {comparison.diverging}."
    return element(
        "header",
        element("p", "Keras predict and nnpack predict", class_="eyebrow"),
        element("h1", title),
        element("p", element("span", verdict, class_=kind), class_="verdict"),
        element("p", note, class_="note") if note else "",
    )


def _figures(comparison: Comparison, parity: Parity) -> Markup:
    agreeing = sum(output.tolerance_use <= 1 for output in comparison.outputs)
    rest = comparison.rows - comparison.compared
    figures = {
        "Rows": (f"{comparison.rows:,}", f"{rest:,} beyond float32's range" if rest else ""),
        "Outputs that agree": (f"{agreeing:,}", f"of {len(comparison.outputs):,}"),
        "Largest difference": (brief(max(output.largest_error for output in comparison.outputs)), ""),
        "Part of tolerance": (share(max(output.tolerance_use for output in comparison.outputs)), ""),
    }
    cells = (
        element("div", element("dt", name), element("dd", number, " ", element("small", rest)))
        for name, (number, rest) in figures.items()
    )
    return element("dl", *cells, class_="figures")


_AT_MOST = "So two sides that agree differ by two tolerances at most."
_STORED = "Differences hold what the storage of the weights moves, too, which is not judged."


def _outputs(comparison: Comparison, stored: bool) -> Markup:
    rows = (
        (o.name, brief(o.largest_error), share(o.tolerance_use), _place(o.at), "agrees" if _agrees(o) else "diverges")
        for o in comparison.outputs
    )
    told = (
        "Both sides are compared with the network evaluated in float64, element by element. An element's tolerance is "
        "how far a right float32 computation may be from that; the part of it that the worse side uses is what counts. "
    )
    told += _STORED if stored else _AT_MOST
    table = _table(("Output", "Largest difference", "Part of tolerance", "At", ""), rows)
    return _section("Outputs", element("p", told, class_="note"), table)


def _agrees(output: OutputComparison) -> bool:
    return output.tolerance_use <= 1


def _fact(name: str, told: str) -> Markup:
    return element("div", element("dt", name), element("dd", told))


def _section(title: str, *contents: str) -> Markup:
    return element("section", element("h2", title), *contents)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A table; what says agrees or diverges is coloured so."""
    heads = (element("th", name, scope="col") for name in columns)
    lines = (
        element(
            "tr",
            element("th", name, scope="row"),
            *(element("td", cell, class_=cell if cell in ("agrees", "diverges") else "") for cell in cells),
        )
        for name, *cells in rows
    )
    table = element("table", element("thead", element("tr", *heads)), element("tbody", *lines), class_="plain")
    return element("div", table, class_="wide")


def _place(index: Iterable[int]) -> str:
    return f"[{', '.join(map(str, index))}]"


# Each output


def _drawn(comparison: Comparison, parity: Parity) -> Iterator[Markup]:
    """A section for each output, those that use most of their tolerance if there are too many."""
    use = {output.name: output.tolerance_use for output in comparison.outputs}
    shown = {output.name for output in sorted(parity.outputs, key=lambda output: -use[output.name])[:DRAWN]}
    yield from (_output(output) for output in parity.outputs if output.name in shown)
    rest = len(comparison.outputs) - len(shown)
    if rest:
        yield element(
            "p", f"{rest:,} more outputs are not drawn: there are too many, or their shapes differ.", class_="more"
        )


def _output(output: OutputParity) -> Markup:
    if not output.error.size:
        return _section(output.name, element("p", "It has no element that could be compared.", class_="note"))
    dots, caption = scatter(output.name, output.keras, output.nnpack, output.error)
    plots = element(
        "div",
        _figure(dots, caption),
        _figure(
            histogram(output.use.ravel(), 1.0), "|Keras − nnpack| in units of the element's tolerance. The line is 1."
        ),
        _figure(histogram(output.error.ravel()), "|Keras − nnpack|"),
        class_="plots",
    )
    found = [np.quantile(numbers, QUANTILES, method="higher") for numbers in (output.error, output.use)]
    rows = ((f"{q:.0%}", brief(float(e)), share(float(u))) for q, e, u in zip(QUANTILES, *found, strict=True))
    quantiles = _table(("Of all elements", "differ by at most", "× tolerance"), rows)
    return _section(output.name, plots, quantiles)


def _figure(picture: Markup, caption: str) -> Markup:
    return element("figure", picture, element("figcaption", caption))


# Layers and rows


def _layers(layers: Sequence[LayerParity], diverging: str | None) -> Markup:
    told = (
        "Each layer is computed by Keras on the file's own values of its inputs, so that it answers for itself alone. "
        "Tolerances are those of the whole network up to there."
    )
    rows = (
        (
            layer.name,
            layer.class_name,
            "not compared" if layer.error is None else brief(layer.error),
            "" if layer.error is None else share(layer.use),
            *(["diverges" if layer.name == diverging else ""] if diverging else []),
        )
        for layer in layers
    )
    table = _table(("Layer", "Class", "Largest difference", "× tolerance", *([""] if diverging else [])), rows)
    return _section("Layers", element("p", told, class_="note"), table)


def _rows(outputs: Iterable[OutputParity]) -> Markup:
    """The rows with the largest errors, and the element of each that is furthest off."""
    found = sorted((row for output in outputs for row in _worst_rows(output)), reverse=True, key=lambda row: row[0])
    rows = ((str(row), f"{name} {_place(at)}", *numbers, share(use)) for use, row, name, at, numbers in found[:ROWS])
    columns = ("Row, from 0", "Element", "Keras", "nnpack", "Difference", "× tolerance")
    return _section("Rows with the largest errors", _table(columns, rows))


def _worst_rows(output: OutputParity) -> Iterator[tuple[float, int, str, tuple[int, ...], tuple[str, ...]]]:
    """The worst element of each of an output's worst rows."""
    if not output.error.size:
        return
    flat = output.use.reshape(len(output.use), -1)
    for row in np.argsort(-flat.max(axis=1), kind="stable")[:ROWS]:
        at = tuple(map(int, np.unravel_index(flat[row].argmax(), output.use.shape[1:])))
        place = (int(row), *at)
        pair = apart(float(output.keras[place]), float(output.nnpack[place]))
        yield (
            float(output.use[place]),
            int(output.rows[row]),
            output.name,
            at,
            (*pair, brief(float(output.error[place]))),
        )
