"""How the cost of a call grows: python benchmarks/scaling.py

With the batch, the depth, the width, the size of images and the length of sequences; nnpack beside `tf.function`, in
one run. Writes benchmarks/SCALING.md and SCALING.png.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
from keras import layers

from measure import interleaved
from models import Benchmark, perceptron, randomised, sampled, small_cnn, transformer
from peers import prepared
from report import COLOURS, duration, table
from run import THREADS, machine

HERE = Path(__file__).resolve().parent
PEERS = ("nnpack", "tf.function")


class Sweep(NamedTuple):
    """One quantity that grows.

    Attributes:
        name: what grows.
        sizes: its values.
        build: size -> the model.
        batch: size -> the rows of a call.
        expected: the slope that the arithmetic has, on logarithmic axes.
    """

    name: str
    sizes: tuple[int, ...]
    build: Callable[[int], Any]
    batch: Callable[[int], int]
    expected: float


def deep(n: int) -> Any:
    return keras.Sequential([keras.Input((256,)), *[layers.Dense(256, activation="relu") for _ in range(n)]])


def wide(n: int) -> Any:
    return keras.Sequential([keras.Input((n,)), *[layers.Dense(n, activation="relu") for _ in range(2)]])


def convolutional(n: int) -> Any:
    x = inputs = keras.Input((n, n, 3))
    for _ in range(3):
        x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def recurrent(n: int) -> Any:
    return keras.Sequential([keras.Input((n, 16)), layers.LSTM(64), layers.Dense(1)])


SWEEPS = (
    Sweep("rows, 784-512-512-10", (1, 4, 16, 64, 256, 1024, 4096), lambda n: perceptron(), lambda n: n, 1),
    Sweep("rows, CNN 28×28", (1, 4, 16, 64, 256, 1024), lambda n: small_cnn(), lambda n: n, 1),
    Sweep("layers of 256 units, 64 rows", (1, 2, 4, 8, 16, 32, 64), deep, lambda n: 64, 1),
    Sweep("units of two layers, 64 rows", (32, 64, 128, 256, 512, 1024, 2048), wide, lambda n: 64, 2),
    Sweep("height and width of an image, 3 convolutions", (16, 32, 64, 128, 256, 512), convolutional, lambda n: 1, 2),
    Sweep("steps of an LSTM(64)", (16, 32, 64, 128, 256, 512), recurrent, lambda n: 1, 1),
    Sweep("length, 2 transformer blocks", (16, 32, 64, 128, 256, 512), lambda n: transformer(2, n), lambda n: 1, 2),
)


def slope(sizes: list[int], seconds: list[float]) -> float:
    """Of the line through the upper half of the points, on logarithmic axes."""
    half = len(sizes) // 2
    x, y = np.log(sizes[half:]), np.log(seconds[half:])
    return float(np.polyfit(x, y, 1)[0])


def measured(sweep: Sweep, seconds: float) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in PEERS}
    for size in sweep.sizes:
        model = randomised(sweep.build(size))
        x = sampled(Benchmark(sweep.name, lambda: None, sweep.batch(size)), model)
        expected = np.asarray(model(x, training=False))
        with tempfile.TemporaryDirectory() as folder:
            runs = {name: prepared(name, model, x, expected, Path(folder), THREADS)[0] for name in PEERS}
            times = interleaved({name: lambda run=run, x=x: run(x) for name, run in runs.items()}, seconds)
        for name in PEERS:
            found[name].append(times[name].median)
        keras.backend.clear_session()
        gc.collect()
    return found


def markdown(results: list[tuple[Sweep, dict[str, list[float]]]]) -> str:
    told = machine(THREADS)
    parts = [
        "# How the cost of a call grows",
        f"Measured on {told['date']}: {told['processor']}, {told['cores']} cores, Python {told['python']}, "
        f"numpy {told['packages']['numpy']}, tensorflow {told['packages']['tensorflow']}. Made by `make scaling`. "
        "Medians; both in turn within one run. The slope is that of the upper half of the sizes on logarithmic axes: "
        "below what the arithmetic has, overhead is still a part of the cost.",
        "![Cost against size](SCALING.png)",
    ]
    for sweep, times in results:
        header = ("", *map(str, sweep.sizes), "slope", "of the arithmetic")
        rows = []
        for name in PEERS:
            found = f"{slope(list(sweep.sizes), times[name]):.2f}"
            rows.append((name, *map(duration, times[name]), found, f"{sweep.expected:g}"))
        parts += [f"## {sweep.name}", table(header, rows)]
    return "\n\n".join(parts) + "\n"


def plot(results: list[tuple[Sweep, dict[str, list[float]]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = 4
    figure, grid = pyplot.subplots(
        math.ceil(len(results) / columns), columns, figsize=(15, 7.2), layout="constrained", squeeze=False
    )
    for axes in grid.flat[len(results) :]:
        axes.set_visible(False)
    for axes, (sweep, times) in zip(grid.flat, results, strict=False):
        for name in PEERS:
            axes.plot(sweep.sizes, times[name], "o-", color=COLOURS[name], label=name, markersize=4)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel(sweep.name)
        axes.set_ylabel("time of one call (s)")
        axes.grid(color="#dddddd")
        axes.set_axisbelow(True)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each size")
    parser.add_argument("--output", type=Path, default=HERE, help="where SCALING.* are written")
    arguments = parser.parse_args()
    results = []
    for sweep in SWEEPS:
        print(f"{sweep.name} …", file=sys.stderr, flush=True)
        results.append((sweep, measured(sweep, arguments.seconds)))
    (arguments.output / "SCALING.md").write_text(markdown(results))
    plot(results, arguments.output / "SCALING.png")


if __name__ == "__main__":
    main()
