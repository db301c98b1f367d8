"""The C runtime as a function of an array: built as a shared library, called through ctypes."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

SOURCES = Path(__file__).resolve().parents[1] / "c"
FLAGS = "-O3 -march=native"
"""How it is compiled: for the machine that it is measured on."""

PACK = 1
ALIGNMENT = 64

_BYTES = ctypes.POINTER(ctypes.c_size_t)


@cache
def library() -> ctypes.CDLL:
    """The runtime, compiled once for a process."""
    folder = tempfile.mkdtemp(prefix="nnp")
    make = ["make", "-s", "-C", str(SOURCES), f"OUT={folder}", f"CFLAGS={FLAGS} -fPIC", "lib"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    archive = ["-Wl,--whole-archive", f"{folder}/libnnp.a", "-Wl,--no-whole-archive"]
    subprocess.run(["cc", "-shared", *archive, "-lm", "-o", f"{folder}/libnnp.so"], check=True)  # noqa: S607
    found = ctypes.CDLL(f"{folder}/libnnp.so")
    found.nnp_workspace_size.restype = ctypes.c_size_t
    found.nnp_workspace_new.restype = found.nnp_result.restype = ctypes.c_void_p
    found.nnp_status_code.restype = ctypes.c_char_p
    found.nnp_run.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    return found


def predictor(data: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """What predicts with a file's bytes: one input, and one output of float32."""
    lib = library()
    file = _memory(len(data))
    file[:] = np.frombuffer(data, np.uint8)
    size, states = ctypes.c_size_t(), ctypes.c_size_t()
    model, place = ctypes.c_void_p(), ctypes.c_void_p(file.ctypes.data)
    _check(lib.nnp_model_size(place, ctypes.c_size_t(len(data)), ctypes.byref(size), None))
    kept = [file, _memory(size.value)]
    _check(lib.nnp_open(ctypes.byref(model), place, ctypes.c_size_t(len(data)), 0, _at(kept[1]), size, None))
    _check(lib.nnp_prepare_size(model, PACK, ctypes.byref(size)))
    kept.append(_memory(size.value))
    _check(lib.nnp_prepare(model, PACK, _at(kept[2]), size, None))
    kept.append(_memory(lib.nnp_workspace_size(model)))
    workspace = ctypes.c_void_p(lib.nnp_workspace_new(model, _at(kept[3])))
    inputs = (ctypes.c_void_p * 1)()
    run, given, at = lib.nnp_run, workspace.value, ctypes.addressof(inputs)
    shape, y = (), np.empty(0, np.float32)

    def bind(x: np.ndarray) -> None:
        nonlocal shape, y
        dims = (ctypes.c_int32 * x.ndim)(*x.shape)
        pointers = (ctypes.c_void_p * 1)(ctypes.addressof(dims))
        _check(lib.nnp_plan(workspace, pointers, ctypes.byref(size), ctypes.byref(states), None))
        kept[4:] = [_memory(size.value)]
        _check(lib.nnp_bind(workspace, _at(kept[4]), size, None, ctypes.c_size_t(0), None))
        inputs[0] = _address(x)
        _check(run(given, at, None))
        made = ctypes.POINTER(ctypes.c_int32)()
        found = lib.nnp_result(workspace, ctypes.c_size_t(0), ctypes.byref(made))
        y = np.ctypeslib.as_array(ctypes.cast(found, ctypes.POINTER(ctypes.c_float)), _dims(made, lib, model))
        shape = x.shape

    def predict(x: np.ndarray) -> np.ndarray:
        if x.shape != shape:
            bind(x)
        inputs[0] = _address(x)
        if run(given, at, None):
            raise RuntimeError("the C runtime failed")
        return y.copy()

    return predict


class _Value(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("length", ctypes.c_size_t),
        ("dtype", ctypes.c_int),
        ("rank", ctypes.c_uint),
        ("dims", ctypes.c_void_p),
    )


def _dims(made: object, lib: ctypes.CDLL, model: ctypes.c_void_p) -> tuple[int, ...]:
    lib.nnp_output.restype = _Value
    rank = lib.nnp_output(model, ctypes.c_size_t(0)).rank
    return tuple(made[axis] for axis in range(rank))  # type: ignore[index]


def _address(x: np.ndarray, view: Callable = ctypes.c_char.from_buffer, at: Callable = ctypes.addressof) -> int:
    """Where a writable array begins: a fifth of what `x.ctypes.data` takes."""
    return at(view(x))


def _memory(size: int) -> np.ndarray:
    """Bytes at an address that the runtime takes."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size]


def _at(memory: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(memory.ctypes.data)


def _check(status: int) -> None:
    if status:
        raise RuntimeError(library().nnp_status_code(status).decode())
