"""What it takes from the start of a process to its first prediction, and to load a large file."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models import randomised, seed_perceptron

ROUNDS = 7

_PEAK = """
try:
    print(*[1024 * int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM')])
except OSError:
    print(0)
"""
"""Linux tells it of this process alone; what getrusage tells counts the process that it was forked from."""

CODE = {
    "numpy alone": "import numpy\nnumpy.zeros((1, 4), 'f4') @ numpy.zeros((4, 1), 'f4')",
    "nnpack": "import nnpack, numpy\nnnpack.load({nnpack!r}).predict(numpy.zeros((1, 4), 'f4'))",
    "ONNX Runtime": (
        "import numpy, onnxruntime\ns = onnxruntime.InferenceSession({onnx!r})\n"
        "s.run(None, {{s.get_inputs()[0].name: numpy.zeros((1, 4), 'f4')}})"
    ),
    "LiteRT": (
        "import numpy\nfrom ai_edge_litert.interpreter import Interpreter\ni = Interpreter({tflite!r})\n"
        "i.allocate_tensors()\ni.set_tensor(i.get_input_details()[0]['index'], numpy.zeros((1, 4), 'f4'))\ni.invoke()"
    ),
    "Keras": "import keras, numpy\nkeras.saving.load_model({keras!r}).predict(numpy.zeros((1, 4), 'f4'), verbose=0)",
}

_LOAD = (
    "import nnpack, time\nnnpack.load({path!r}, verify=False)\nstart = time.perf_counter()\n"
    "nnpack.load({path!r}, verify={verify})\nprint(time.perf_counter() - start)"
)


def measured() -> dict[str, Any]:
    """name -> median seconds of a whole process and its peak memory, all in turn."""
    with tempfile.TemporaryDirectory() as folder:
        paths = _written(Path(folder))
        runs: dict[str, list[tuple[float, int]]] = {name: [] for name in CODE}
        for _ in range(ROUNDS):
            for name, code in CODE.items():
                try:
                    runs[name].append(_process(code.format(**paths) + _PEAK))
                except subprocess.CalledProcessError:
                    continue
        found = {
            name: {
                "seconds": statistics.median(seconds for seconds, _ in each),
                "peak_bytes": statistics.median(peak for _, peak in each),
            }
            for name, each in runs.items()
            if each
        }
        for verify in (False, True):
            code = _LOAD.format(path=paths["large"], verify=verify)
            times = [float(_output(code)) for _ in range(ROUNDS)]
            name = f"nnpack.load of 100 MB, {'with' if verify else 'without'} the hash"
            found[name] = {"seconds": statistics.median(times), "peak_bytes": 0}
    return found


def _written(folder: Path) -> dict[str, str]:
    import tensorflow

    import nnpack

    model = randomised(seed_perceptron())
    paths = {kind: str(folder / f"model.{kind}") for kind in ("nnpack", "onnx", "tflite", "keras")}
    nnpack.dump(model, paths["nnpack"])
    model.save(paths["keras"])
    try:
        model.export(paths["onnx"], format="onnx", verbose=False)
    except Exception as error:  # whatever the converter raises
        print(f"no ONNX: {error}", file=sys.stderr)
    Path(paths["tflite"]).write_bytes(tensorflow.lite.TFLiteConverter.from_keras_model(model).convert())
    large = keras.Sequential([keras.Input((5000,)), keras.layers.Dense(5000)])
    paths["large"] = str(folder / "large.nnpack")
    nnpack.dump(large, paths["large"], verify=False)
    return paths


def _process(code: str) -> tuple[float, int]:
    start = time.perf_counter()
    output = _output(code)
    return time.perf_counter() - start, int(output.split()[-1])


def _output(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    for name, item in measured().items():
        print(name, {key: float(np.round(value, 4)) for key, value in item.items()})
