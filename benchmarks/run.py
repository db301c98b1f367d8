"""Measures nnpack beside what a user would pick instead: python benchmarks/run.py [--quick] [--models PATTERN]

Writes benchmarks/RESULTS.md, RESULTS.json and RESULTS.png. Only ratios within one run mean anything.
"""

from __future__ import annotations

import argparse
import fnmatch
import gc
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

THREADS = os.cpu_count() or 1
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, str(THREADS))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np

import report
import startup
from measure import interleaved
from models import BENCHMARKS, Benchmark, randomised, sampled
from peers import PEERS, UnsupportedError, prepared

HERE = Path(__file__).resolve().parent


def measured(benchmark: Benchmark, seconds: float, threads: int, names: list[str]) -> dict[str, Any]:
    """One line of the table: peer -> its times, or why there are none."""
    keras.utils.set_random_seed(0)
    model = randomised(benchmark.build())
    x = sampled(benchmark, model)
    expected = np.asarray(model(x, training=False))
    runs, sizes, failed = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            try:
                runs[name], sizes[name] = prepared(name, model, x, expected, Path(folder), threads)
            except UnsupportedError as reason:
                failed[name] = str(reason)
        times = interleaved({name: lambda run=run: run(x) for name, run in runs.items()}, seconds)
    weights = sum(int(np.prod(v.shape)) * 4 for v in model.variables if "seed" not in v.path)
    keras.backend.clear_session()
    gc.collect()
    return {
        "model": benchmark.name,
        "batch": benchmark.batch,
        "title": benchmark.title,
        "times": {name: t._asdict() for name, t in times.items()},
        "failed": failed,
        "file_bytes": sizes,
        "weight_bytes": weights,
    }


def machine(threads: int) -> dict[str, Any]:
    """What it was measured on."""
    from importlib.metadata import PackageNotFoundError, version

    def of(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "none"

    packages = ("numpy", "keras", "tensorflow", "onnxruntime", "ai-edge-litert", "onnx", "tf2onnx", "nnpack-format")
    model = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "packages": {name: of(name) for name in packages},
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the small models, two minutes; prints, writes nothing")
    parser.add_argument("--models", default="*", metavar="PATTERN", help="only models of such titles")
    parser.add_argument(
        "--peers", default=",".join(PEERS), metavar="NAMES", help="only these, with commas between them"
    )
    parser.add_argument("--seconds", type=float, default=None, help="for each model")
    parser.add_argument("--output", type=Path, default=HERE, help="where RESULTS.* are written")
    arguments = parser.parse_args()
    chosen = [
        each
        for each in BENCHMARKS
        if (each.quick or not arguments.quick) and fnmatch.fnmatch(each.title, arguments.models)
    ]
    if not chosen:
        sys.exit(f"no model is called like {arguments.models!r}: {', '.join(each.title for each in BENCHMARKS)}")
    unknown = set(arguments.peers.split(",")) - set(PEERS)
    if unknown:
        sys.exit(f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    seconds = arguments.seconds or (2.0 if arguments.quick else 10.0)
    rows = []
    for benchmark in chosen:
        print(f"{benchmark.title} …", file=sys.stderr, flush=True)
        rows.append(measured(benchmark, seconds, THREADS, arguments.peers.split(",")))
        print(report.line(rows[-1]), flush=True)
    whole = not arguments.quick and arguments.models == "*"
    results = {"machine": machine(THREADS), "models": rows, "startup": startup.measured() if whole else {}}
    if whole:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "RESULTS.json").write_text(json.dumps(results, indent=1) + "\n")
        (arguments.output / "RESULTS.md").write_text(report.markdown(results))
        report.plot(results, arguments.output / "RESULTS.png")
    else:
        print(report.markdown(results))


if __name__ == "__main__":
    main()
