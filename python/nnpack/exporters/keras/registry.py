"""Who lowers what: the handlers of Keras's layers and operations, and what is refused on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nnpack.exporters.keras.call import Call
    from nnpack.format.document import Value

Lower = Callable[["Call"], "Value | list[Value]"]


class Handler(NamedTuple):
    """How a call is lowered.

    Attributes:
        lower: the call -> the values that its outputs become.
        masks: whether it knows what a mask among the arguments does.
    """

    lower: Lower
    masks: bool


LAYERS: dict[type, Handler] = {}
"""Handlers by the class of a Keras layer."""

FUNCTIONS: dict[str, Handler] = {}
"""Handlers by the class name of an operation of keras.ops or keras.activations."""


def handles(*keys: type | str, masks: bool = False) -> Callable[[Lower], Lower]:
    """Registers the handler of Keras layers (their classes) or of operations (names of their classes).

    Args:
        keys: the classes or names.
        masks: whether the handler knows what a mask among the arguments does; else a call with one is refused.
    """

    def register(lower: Lower) -> Lower:
        for key in keys:
            if isinstance(key, str):
                FUNCTIONS[key] = Handler(lower, masks)
            else:
                LAYERS[key] = Handler(lower, masks)
        return lower

    return register


def register(layer_class: type, *, masks: bool = False) -> Callable[[Lower], Lower]:
    """Registers how a layer of one's own is lowered, where tracing its `call` is not possible.

    Args:
        layer_class: the class; a layer of a subclass has other code, and is not meant.
        masks: whether the function knows what a mask among the arguments does; else a call with one is refused.

    Returns:
        A decorator of the function that lowers a call: it is given a `Call`, and returns the value (or the list of
        values) that the layer's output becomes, made by `Call.emit` of the operators of the specification.

    Example:
        >>> @nnpack.exporters.keras.register(Scale)
        ... def scale(call):
        ...     factor = call.constant(call.operation.factor, "float32", "factor")
        ...     return call.emit("multiply", [call.inputs[0], factor])

    Source: spec/README.md lists the operators.
    """
    return handles(layer_class, masks=masks)


def is_of_keras(cls: type) -> bool:
    """Whether a class is Keras's own, which its name then tells apart from all others."""
    return cls.__module__.startswith("keras.")


_HARMLESS = {"__init__", "__module__", "__doc__", "__qualname__", "__firstlineno__", "__static_attributes__"}
_HARMLESS |= {"get_config", "from_config", "__annotations__", "__annotate_func__", "__dict__", "__weakref__"}


def handler_of(layer: Any) -> Handler | None:
    """The handler of a layer: of its very class, or of the Keras class that it only configures."""
    for cls in type(layer).__mro__:
        if cls in LAYERS:
            return LAYERS[cls]
        if set(vars(cls)) - _HARMLESS:
            return None
    return None
