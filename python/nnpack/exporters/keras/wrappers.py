"""TimeDistributed."""

from __future__ import annotations

from typing import Any

from keras import layers

from nnpack.exporters.keras.activations import operator_of
from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.core import VANISHING_OF_ANY_RANK
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value


@handles(layers.TimeDistributed, masks=True)
def time_distributed(call: Call) -> list[Value]:
    inner, x = call.operation.layer, call.value(call.arguments["inputs"])
    if len(x.shape) < 3:
        raise call.refuse(f"an input of {len(x.shape)} dimensions", "an input of at least 3: (batch, time, …)")
    if getattr(inner, "stateful", False):
        raise call.refuse("a stateful layer within TimeDistributed", "stateful=False")
    given, mask = {}, call.arguments.get("mask")
    if isinstance(mask, Ref):
        x, steps = call.export.unify_labels([x, call.value(mask)], ["bt", "bt"])
        if inner._call_has_mask_arg:
            given["mask"] = Ref(_folded(call, steps, "folded_mask").name)
    if _works_on_last_axis(inner):
        return _made(call, inner, x, {})
    return [
        call.emit("unfold", [y, x], attributes={"axis": 1})
        for y in _made(call, inner, _folded(call, x, "folded"), given)
    ]


def _folded(call: Call, x: Value, part: str) -> Value:
    """(batch, time, …) -> (steps of all rows, …)."""
    return call.emit("fold", [x], attributes={"axis": 1}, part=part)


def _made(call: Call, inner: Any, x: Value, given: dict[str, Any]) -> list[Value]:
    """What the inner layer makes of a value."""
    return [call.value(ref) for ref in call.trace(inner, Ref(x.name), **given)]


def _works_on_last_axis(layer: Any) -> bool:
    """Whether a layer does the same with each vector of the last axis, so that more axes before it change nothing."""
    if type(layer) in (layers.Dense, layers.Activation):
        return operator_of(layer.activation) is not None
    return type(layer) in VANISHING_OF_ANY_RANK
