"""Results as a Markdown table, and as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

PEERS = ("nnpack", "Keras predict", "tf.function", "ONNX Runtime", "LiteRT")
FAST = ("ONNX Runtime", "LiteRT")
ONE_THREAD = ("nnpack C", "ONNX Runtime (1 thread)", "LiteRT (1 thread)")
COLOURS = {
    "nnpack": "#0b6e4f",
    "Keras predict": "#c8553d",
    "tf.function": "#f28f3b",
    "ONNX Runtime": "#588b8b",
    "LiteRT": "#2d3047",
}


def duration(seconds: float) -> str:
    """1.23 µs, 45.6 ms"""
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def ratio(row: dict[str, Any], peers: tuple[str, ...], of: str = "nnpack") -> str:
    """One median as a multiple of the best of some peers'."""
    times = row["times"]
    best = min((times[name]["median"] for name in peers if name in times), default=None)
    return "–" if best is None or of not in times else f"{times[of]['median'] / best:.2f} ×"


def line(row: dict[str, Any]) -> str:
    """One model, for a terminal."""
    names = [name for name in (*PEERS, *ONE_THREAD) if name in row["times"]]
    times = [f"{name} {duration(row['times'][name]['median'])}" for name in names]
    told = f"nnpack is {ratio(row, FAST)} the best of ONNX Runtime and LiteRT"
    if "nnpack C" in names:
        told += f", nnpack C {ratio(row, ONE_THREAD[1:], 'nnpack C')} on one thread"
    return f"{row['title']}: {', '.join(times)}; {told}"


def cell(row: dict[str, Any], name: str) -> str:
    if name in row["times"]:
        t = row["times"][name]
        return f"{duration(t['median'])} ({duration(t['low'])}–{duration(t['high'])})"
    return "**fails**" if name in row["failed"] else "–"


def markdown(results: dict[str, Any]) -> str:
    """The whole report."""
    told = results["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in told["packages"].items())
    parts = [
        "# Benchmarks",
        f"Measured on {told['date']}: {told['processor']}, {told['cores']} cores, {told['threads']} threads each, "
        f"{told['system']}, Python {told['python']}; {packages}.",
        "Made by `make bench`. Medians of one call with quartiles, all peers measured in turn within one run. Numbers "
        "of two runs, or of two machines, do not compare; ratios within a row do. Every peer's numbers were compared "
        "with Keras's before it was timed.",
        table(
            ("model", *PEERS, "nnpack / best of ONNX Runtime, LiteRT", "nnpack / tf.function"),
            [
                (row["title"], *(cell(row, name) for name in PEERS), ratio(row, FAST), ratio(row, ("tf.function",)))
                for row in results["models"]
            ],
        ),
    ]
    if any("nnpack C" in row["times"] for row in results["models"]):
        parts += [
            "## The C runtime",
            "One thread each, in the same run. The C runtime is compiled for the machine (`-O3 -march=native`) and "
            "called from Python as the others are.",
            table(
                ("model", *ONE_THREAD, "nnpack C / best of the others", "nnpack C / nnpack"),
                [
                    (
                        row["title"],
                        *(cell(row, name) for name in ONE_THREAD),
                        ratio(row, ONE_THREAD[1:], "nnpack C"),
                        ratio(row, ("nnpack",), "nnpack C"),
                    )
                    for row in results["models"]
                ],
            ),
        ]
    reasons = [
        f"- {row['title']}, {name}: `{reason.replace('`', ' ')}`"
        for row in results["models"]
        for name, reason in row["failed"].items()
        if not name.endswith("(1 thread)")  # for the same reason as with more
    ]
    if reasons:
        parts += ["## What fails", "\n".join(reasons)]
    sizes = [row for row in results["models"] if row["batch"] == 1]
    parts += [
        "## Size of the files",
        table(
            ("model", "weights", *(name for name in PEERS if name != "tf.function")),
            [
                (
                    row["title"],
                    f"{row['weight_bytes']:,}",
                    *(f"{row['file_bytes'].get(name, 0):,}" if name in row["file_bytes"] else "–"
                      for name in PEERS if name != "tf.function"),
                )
                for row in sizes
            ],
        ),
    ]  # fmt: skip
    if results["startup"]:
        parts += [
            "## From the start of a process to its first prediction",
            "The seed perceptron, in a process of its own; peak memory is the resident set. The last lines load a file "
            "of 100 MB.",
            table(
                ("what", "seconds", "peak memory"),
                [
                    (
                        name,
                        f"{item['seconds']:.3f}",
                        f"{item['peak_bytes'] / 2**20:.0f} MB" if item["peak_bytes"] else "–",
                    )
                    for name, item in results["startup"].items()
                ],
            ),
        ]
    return "\n\n".join(parts) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines)


def plot(results: dict[str, Any], path: Path) -> None:
    """Times of all peers for each model, on a logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = results["models"]
    figure, axes = pyplot.subplots(figsize=(11, 0.62 * len(rows) + 1.8), layout="constrained")
    height = 0.8 / len(PEERS)
    for k, name in enumerate(PEERS):
        places = [i for i, row in enumerate(rows) if name in row["times"]]
        times = [rows[i]["times"][name] for i in places]
        axes.barh(
            [i + (k - (len(PEERS) - 1) / 2) * height for i in places],
            [t["median"] for t in times],
            height * 0.92,
            color=COLOURS[name],
            label=name,
            xerr=[[t["median"] - t["low"] for t in times], [t["high"] - t["median"] for t in times]],
            error_kw={"elinewidth": 0.8, "ecolor": "#444444"},
        )
    axes.set_yticks(range(len(rows)), [row["title"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.set_xlabel("time of one call (s), median and quartiles; shorter is better")
    axes.grid(axis="x", which="major", color="#dddddd")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=len(PEERS), frameon=False)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
