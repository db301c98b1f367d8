"""The second half of the demo, where Keras is not: load, predict, compare with what Keras predicted.

python examples/demo/predict.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


class NoKeras:
    """Makes importing Keras or TensorFlow raise, as it does where they are not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in ("keras", "tensorflow", "tf_keras"):
            raise ModuleNotFoundError(f"No module named {name!r} (forbidden by this demo)")


sys.meta_path.insert(0, NoKeras())  # type: ignore[arg-type]

import nnpack
from nnpack.cli.plot import parity_plot


def show(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Predicts what Keras predicted, and says how far the two are apart."""
    path = folder / f"{name}.nnpack"
    with np.load(folder / f"{name}.npz") as saved:
        x, by_keras = saved["x"], saved["keras"]
    model = nnpack.load(path)
    ours = model.predict(x)
    test = model.selftest()
    print(f"{name}: {len(x)} rows predicted, largest difference from Keras {np.abs(ours - by_keras).max():.3g}")
    print(f"  file {path.stat().st_size:,} bytes; self-test: {test.rows} rows, {test.worst:.0%} of the tolerance")
    return by_keras, ours


def main() -> None:
    folder = Path(sys.argv[1])
    print("── without Keras ──────────────────────────────────────────")
    for module in ("keras", "tensorflow"):
        try:
            __import__(module)
        except ModuleNotFoundError as error:
            print(f"import {module}: {error}")
        else:
            raise SystemExit(f"import {module} should have raised")
    pair = show(folder, "regression")
    parity_plot({"y": pair}, str(folder / "parity.png"), "Regression, validation rows")
    by_keras, ours = show(folder, "digits")
    with np.load(folder / "digits.npz") as saved:
        labels = saved["labels"]
    for name, probabilities in (("Keras", by_keras), ("nnpack", ours)):
        print(f"  accuracy under {name}: {np.mean(probabilities.argmax(axis=1) == labels):.4f}")
    print(f"""
The files, the data and the plot {folder / "parity.png"} are in {folder}/. What to try next:

  .venv/bin/nnpack info {folder}/digits.nnpack
  .venv/bin/nnpack validate {folder}/digits.nnpack
  printf 'x1,x2,x3,x4\\n1,2,3,4\\n' > rows.csv && .venv/bin/nnpack predict {folder}/regression.nnpack rows.csv -o y.csv
  .venv/bin/nnpack export your_model.keras your_model.nnpack
  .venv/bin/python -c "import nnpack; print(nnpack.load('{folder}/regression.nnpack').predict([[1, 2, 3, 4]]))"
""")


if __name__ == "__main__":
    main()
