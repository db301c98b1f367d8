"""Channels first and channels last: the operators of the specification have their channels last."""

from __future__ import annotations

from collections.abc import Callable

from nnpack.exporters.keras.call import Call
from nnpack.format.document import Value


def channels_last(call: Call, x: Value, before: int = 1) -> Value:
    """(batch, channels, *space) -> (batch, *space, channels), with so many axes before the channels."""
    perm = [*range(before), *range(before + 1, len(x.shape)), before]
    return call.emit("transpose", [x], attributes={"perm": perm}, part="channels_last")


def channels_first(call: Call, x: Value, before: int = 1) -> Value:
    """(batch, *space, channels) -> (batch, channels, *space), with so many axes before the channels."""
    last = len(x.shape) - 1
    return call.emit(
        "transpose", [x], attributes={"perm": [*range(before), last, *range(before, last)]}, part="channels_first"
    )


def in_channels_last(call: Call, x: Value, data_format: str, lower: Callable[[Value], Value]) -> Value:
    """What `lower` makes of x with its channels last, in the layout of x."""
    if data_format == "channels_last" or len(x.shape) < 3:
        return lower(x)
    return channels_first(call, lower(channels_last(call, x)))


def first_spatial_axis(data_format: str) -> int:
    return 1 if data_format == "channels_last" else 2
