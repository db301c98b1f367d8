"""What the handlers of keras.ops have in common: arguments, dtypes, and operations made of other operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from nnpack.exporters.keras.call import Array, Call, Ref, to_numpy
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS, INTEGERS, PLAIN


def result_dtype(call: Call) -> str:
    """The dtype that Keras declares for the first output."""
    return str(call.outputs[0].dtype)


def pair(call: Call) -> dict[str, Any]:
    """The two arguments of an operation of two."""
    given = call.arguments
    return {name: given[name] for name in ("x1", "x2")}


def as_tensor(x: Any) -> Array:
    """What Keras makes of a number or an array before it looks at dtypes: 0.1 becomes a float32."""
    return to_numpy(keras.ops.convert_to_tensor(x))


def common_dtype(call: Call, *xs: Any) -> str:
    """The dtype that Keras brings several arguments to."""
    dtypes = [_dtype_of(call, x) for x in xs]
    if not set(dtypes) <= set(PLAIN):
        raise call.refuse(f"{call.class_name} of {', '.join(dtypes)}", f"operands of {', '.join(PLAIN)}")
    return str(keras.backend.result_type(*dtypes))


def _dtype_of(call: Call, x: Any) -> str:
    if isinstance(x, Ref):
        return call.value(x).dtype
    return str(x.dtype if isinstance(x, keras.Variable) else as_tensor(x).dtype)


def operands(call: Call, dtype: str, **xs: Any) -> list[Value]:
    """Arguments as values of one dtype; the keys are their names, should they be constants."""
    if dtype not in PLAIN:
        raise call.refuse(f"{call.class_name} of {dtype}", f"operands of {', '.join(PLAIN)}")
    return [call.operand(x, dtype, name) for name, x in xs.items()]


def tensor_operands(call: Call, dtype: str, **xs: Any) -> list[Value]:
    """The same for the functions that make tensors of numbers first."""
    return operands(call, dtype, **{name: x if isinstance(x, Ref) else as_tensor(x) for name, x in xs.items()})


def known(call: Call, x: Any, what: str) -> Array:
    """An argument that must not depend on the model's inputs."""
    if any(isinstance(part, Ref) for part in keras.tree.flatten(x)):
        raise call.refuse(f"{what} computed from the inputs", f"{what} that is constant")
    return as_tensor(x)


def known_weight(call: Call, x: Any, dtype: str, what: str) -> Any:
    """The same, as a weight of that dtype."""
    return call.weight(x if isinstance(x, keras.Variable) else known(call, x, what), dtype)


def value_of(call: Call, x: Any, what: str) -> Value:
    """An argument that depends on the model's inputs."""
    if not isinstance(x, Ref):
        raise call.refuse(f"a constant as {what}", f"{what} computed from the inputs")
    return call.value(x)


def limits(source: str, target: str) -> tuple[Any, Any]:
    """The least and the largest number of a dtype that a cast to another one keeps, or the next one towards 0."""
    (least, most), (lowest, highest) = _range(source), _range(target)
    low, high = np.maximum(least, lowest).astype(source), np.minimum(most, highest).astype(source)
    # compared as integers, because numpy rounds an integer before it compares it with a float32
    low = np.nextafter(low, 0, dtype=source) if int(low) < int(lowest) else low
    high = np.nextafter(high, 0, dtype=source) if int(high) > int(highest) else high
    return low, high


def _range(dtype: str) -> tuple[Any, Any]:
    if dtype == "bool":
        return 0, 1
    given = np.finfo(dtype) if dtype in FLOATS else np.iinfo(dtype)
    return given.min, given.max


def integral(call: Call, x: Value, dtype: str = "int64") -> Value:
    """Integers as they are, other numbers as integers of that dtype."""
    return x if x.dtype in INTEGERS else call.cast(x, dtype)


def filled(call: Call, like: Value, fill: Any, dtype: str) -> Value:
    """`fill`, a number or a value of that dtype, in the shape of `like`."""
    if like.dtype != dtype:  # by way of bool, which every number has a cast to
        like = call.cast(call.cast(like, "bool"), dtype)
    given = fill if isinstance(fill, Value) else call.constant(fill, dtype, "fill")
    return call.emit("where", [call.constant(True, "bool", "true"), given, like], part="filled")


def composed(*names: str, masks: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers an operation as a function made of other operations: (call, *arguments) -> symbolic tensors."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        def lower(call: Call) -> list[Value]:
            refs = call.trace(lambda *args, **kwargs: function(call, *args, **kwargs), *call.args, **call.kwargs)
            return [call.value(ref) for ref in refs]

        handles(*names, masks=masks)(lower)
        return function

    return register


def cast(x: Any, dtype: str) -> Any:
    """Within a composed operation: a tensor, symbolic or not, of that dtype."""
    return keras.ops.cast(x, dtype) if isinstance(x, keras.KerasTensor) else keras.ops.convert_to_tensor(x, dtype)


def promoted(*xs: Any, least: Any = None) -> list[Any]:
    """Within a composed operation: tensors of the dtype that Keras brings them to."""
    tensors = [x if isinstance(x, keras.KerasTensor) else keras.ops.convert_to_tensor(x) for x in xs]
    dtypes = [keras.backend.standardize_dtype(x.dtype) for x in tensors]
    return [cast(x, keras.backend.result_type(*dtypes, *([] if least is None else [least]))) for x in tensors]
