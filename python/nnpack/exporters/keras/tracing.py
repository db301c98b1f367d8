"""Calling a layer's or a user's own code on symbolic tensors, which records what it does."""

from __future__ import annotations

import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nnpack.format.limits import BATCH

_LIBRARIES = ("keras", "tensorflow", "numpy", "nnpack", "optree", "tree", "inspect.py")


def symbolic(shape: tuple[int | str, ...], dtype: str, rows: int | None = None) -> Any:
    """A symbolic tensor; dimensions that only a call tells are None, but for the batch where `rows` stands for it."""
    return keras.KerasTensor(tuple(n if isinstance(n, int) else rows if n == BATCH else None for n in shape), dtype)


@contextmanager
def _recording() -> Iterator[keras.StatelessScope]:
    """Within this, code runs on symbolic tensors as it does on numbers, and without effects.

    No variable changes, losses (which training alone knows of) are dropped, and operators of Python that Keras does not
    let symbolic tensors have are recorded like the others.

    Yields:
        The scope, which knows which variables would have been changed.
    """
    core = sys.modules[keras.ops.cond.__module__]
    with ExitStack() as stack:
        stack.enter_context(_replaced(keras.Layer, "add_loss", lambda self, loss: None))
        stack.enter_context(_replaced(core.Cond, "symbolic_call", _branch))
        stack.enter_context(_replaced(core.Switch, "symbolic_call", _branch))
        stack.enter_context(_replaced(keras.KerasTensor, "__array_ufunc__", None))  # numpy's operators give way
        for name, function in _OPERATORS.items():
            stack.enter_context(_replaced(keras.Variable, name, _operator(keras.Variable, name, function)))
        for name in ("__eq__", "__ne__"):
            operator = _operator(keras.KerasTensor, name, _OPERATORS[name])
            stack.enter_context(_replaced(keras.KerasTensor, name, operator))
        yield stack.enter_context(keras.StatelessScope())


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "__add__": keras.ops.add,
    "__eq__": keras.ops.equal,
    "__floordiv__": keras.ops.floor_divide,
    "__ge__": keras.ops.greater_equal,
    "__gt__": keras.ops.greater,
    "__le__": keras.ops.less_equal,
    "__lt__": keras.ops.less,
    "__matmul__": keras.ops.matmul,
    "__mod__": keras.ops.mod,
    "__mul__": keras.ops.multiply,
    "__ne__": keras.ops.not_equal,
    "__pow__": keras.ops.power,
    "__sub__": keras.ops.subtract,
    "__truediv__": keras.ops.true_divide,
}


def _operator(owner: Any, name: str, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An operator of a class that is recorded where one of its operands is symbolic."""
    otherwise = getattr(owner, name)

    def operator(self: Any, other: Any) -> Any:
        symbolic_ = any(isinstance(x, keras.KerasTensor) for x in (self, other))
        numbers = all(isinstance(x, _NUMBERS) or keras.ops.is_tensor(x) for x in (self, other))
        return function(self, other) if symbolic_ and numbers else otherwise(self, other)

    return operator


_NUMBERS = (keras.KerasTensor, keras.Variable, np.ndarray, np.generic, bool, int, float)


def _branch(*args: Any, **kwargs: Any) -> Any:
    """Keras would take a tensor that one of the branches reads for their result."""
    raise NotImplementedError("a branch that is chosen by numbers of the input")


@contextmanager
def _replaced(owner: Any, name: str, by: Any) -> Iterator[None]:
    """Gives a class another attribute until this ends."""
    own = vars(owner).get(name, _NOTHING)
    setattr(owner, name, by)
    try:
        yield
    finally:
        if own is _NOTHING:
            delattr(owner, name)
        else:
            setattr(owner, name, own)


_NOTHING = object()


def recorded(owner: Any, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> tuple[Any, str | None]:
    """What the code of a layer makes of symbolic tensors, and what it would have changed: None where nothing."""
    with _recording() as scope:
        made = function(*args, **kwargs)
    return made, _effects(scope, owner)


def inference(function: Callable[..., Any]) -> dict[str, bool]:
    """The argument that says that nothing is trained, where a function has it."""
    return {"training": False} if "training" in inspect.signature(function).parameters else {}


def _effects(scope: keras.StatelessScope, layer: Any) -> str | None:
    changed = scope.state_mapping
    if not changed:
        return None
    paths = {id(variable): variable.path for variable in getattr(layer, "variables", [])}
    names = [paths.get(key, "a variable") for key in changed]
    if any("seed" in name for name in names):
        return "random numbers in the call"
    return f"a call that changes {', '.join(dict.fromkeys(names))}"


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Takes back the nodes that tracing adds to the layers of the user's model."""
    layers = list(model._flatten_layers())
    before = [(layer, len(layer._inbound_nodes), len(layer._outbound_nodes)) for layer in layers]
    try:
        yield
    finally:
        for layer, inbound, outbound in before:
            del layer._inbound_nodes[inbound:]
            del layer._outbound_nodes[outbound:]


def said(error: BaseException) -> str:
    """The kind and the first sentence of an error, without what Keras puts around it."""
    text = re.sub("\x1b\\[[0-9;]*m", "", str(error)).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    while len(lines) > 1 and lines[0].startswith(_WRAPPINGS):
        del lines[0]
    return f"{type(error).__name__}: {lines[0]}"


_WRAPPINGS = ("Exception encountered when calling", "Could not automatically infer")


def where_it_left(error: BaseException) -> str:
    """What went wrong, and the innermost line of code that belongs to no library."""
    reason = said(error)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        parts = Path(frame.filename).parts
        if not any(library in parts for library in _LIBRARIES) and "<frozen" not in frame.filename:
            line = linecache.getline(frame.filename, frame.lineno or 0).strip()
            return f"{reason} ({Path(frame.filename).name}:{frame.lineno}: {line})"
    return reason
