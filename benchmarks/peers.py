"""Everything that can run a Keras model, as functions of an array; what cannot is told why.

Each runtime is made from the same Keras model, in its own file format, with the same number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Run = Callable[[np.ndarray], np.ndarray]


class UnsupportedError(Exception):
    """The runtime cannot run the model; the message is its own, in a line."""


def nnpack(model: Any, folder: Path, threads: int) -> tuple[Run, Path]:
    """The numpy engine; its threads are those of numpy's BLAS."""
    import nnpack

    path = folder / "model.nnpack"
    nnpack.dump(model, path, verify=False)
    return nnpack.load(path), path


def c_runtime(model: Any, folder: Path, threads: int) -> tuple[Run, Path]:
    """The C runtime, which has one thread."""
    import nnpack
    from c_runtime import predictor

    path = folder / "model.nnpack"
    nnpack.dump(model, path, verify=False)
    return predictor(path.read_bytes()), path


def keras_predict(model: Any, folder: Path, threads: int) -> tuple[Run, Path]:
    path = folder / "model.keras"
    model.save(path)
    return lambda x: model.predict(x, batch_size=len(x), verbose=0), path


def tf_function(model: Any, folder: Path, threads: int) -> tuple[Run, None]:
    import tensorflow

    compiled = tensorflow.function(lambda x: model(x, training=False))
    return lambda x: compiled(tensorflow.constant(x)).numpy(), None


def onnx_runtime(model: Any, folder: Path, threads: int) -> tuple[Run, Path]:
    """From Keras's own export."""
    import onnxruntime

    path = folder / "model.onnx"
    model.export(path, format="onnx", verbose=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    if len(names) > 1:
        raise UnsupportedError(f"Keras's export has {len(names)} inputs, not one")
    (name,) = names
    return lambda x: session.run(None, {name: x})[0], path


def litert(model: Any, folder: Path, threads: int) -> tuple[Run, Path]:
    """From TensorFlow's converter, for one batch size."""
    import tensorflow
    from ai_edge_litert.interpreter import Interpreter

    path = folder / "model.tflite"
    path.write_bytes(tensorflow.lite.TFLiteConverter.from_keras_model(model).convert())
    interpreter = Interpreter(str(path), num_threads=threads)
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    batch = 0

    def run(x: np.ndarray) -> np.ndarray:
        nonlocal batch
        if len(x) != batch:
            interpreter.resize_tensor_input(given["index"], x.shape)
            interpreter.allocate_tensors()
            batch = len(x)
        interpreter.set_tensor(given["index"], x)
        interpreter.invoke()
        return interpreter.get_tensor(made["index"])

    return run, path


PEERS = {
    "nnpack": nnpack,
    "Keras predict": keras_predict,
    "tf.function": tf_function,
    "ONNX Runtime": onnx_runtime,
    "LiteRT": litert,
    "nnpack C": c_runtime,
    "ONNX Runtime (1 thread)": lambda model, folder, threads: onnx_runtime(model, folder, 1),
    "LiteRT (1 thread)": lambda model, folder, threads: litert(model, folder, 1),
}


def prepared(name: str, model: Any, x: np.ndarray, expected: np.ndarray, folder: Path, threads: int) -> tuple[Run, int]:
    """A peer that was seen to give the right numbers, and the bytes of its file; 0 where it has none.

    Raises:
        UnsupportedError: it cannot be made, fails, or gives other numbers.
    """
    try:
        run, path = PEERS[name](model, folder, threads)
        y = np.asarray(run(x))
    except Exception as error:  # whatever a converter raises is its answer
        said = next(iter(str(error).strip().splitlines()), "")
        raise UnsupportedError(f"{type(error).__name__}: {said}"[:200]) from error
    if y.shape != expected.shape:
        raise UnsupportedError(f"gives shape {y.shape}, not {expected.shape}")
    off = float(np.max(np.abs(y - expected)))
    if not off <= 1e-3 * max(1.0, float(np.max(np.abs(expected)))):
        raise UnsupportedError(f"gives other numbers: off by {off:.3g}")
    return run, os.path.getsize(path) if path else 0
