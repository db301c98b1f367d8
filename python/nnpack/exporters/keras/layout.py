"""Channels first and channels last: the operators of the specification have their channels last."""

from __future__ import annotations

from collections.abc import Callable

from nnpack.exporters.keras.call import Call
from nnpack.format.document import Value


def channels_last(call: Call, x: Value) -> Value:
    """(batch, channels, *space) -> (batch, *space, channels)."""
    rank = len(x.shape)
    return call.emit("transpose", [x], attributes={"perm": [0, *range(2, rank), 1]}, part="channels_last")


def channels_first(call: Call, x: Value) -> Value:
    """(batch, *space, channels) -> (batch, channels, *space)."""
    rank = len(x.shape)
    return call.emit("transpose", [x], attributes={"perm": [0, rank - 1, *range(1, rank - 1)]}, part="channels_first")


def in_channels_last(call: Call, x: Value, data_format: str, lower: Callable[[Value], Value]) -> Value:
    """What `lower` makes of x with its channels last, in the layout of x."""
    if data_format == "channels_last" or len(x.shape) < 3:
        return lower(x)
    return channels_first(call, lower(channels_last(call, x)))


def first_spatial_axis(data_format: str) -> int:
    return 1 if data_format == "channels_last" else 2
