"""Flatten and Reshape."""

from __future__ import annotations

from math import prod

from keras import layers

from nnpack.exporters.keras.call import Call
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value


@handles(layers.Flatten)
def flatten(call: Call) -> Value:
    x = call.inputs[0]
    if call.operation.data_format == "channels_first" and len(x.shape) > 2:
        raise call.refuse("data_format='channels_first'", "Flatten(data_format='channels_last')")
    known = all(isinstance(n, int) for n in x.shape[1:])
    target = prod(n for n in x.shape[1:] if isinstance(n, int)) if known else -1
    return call.emit("reshape", [x], attributes={"target_shape": [target]})


@handles(layers.Reshape)
def reshape(call: Call) -> Value:
    target = [-1 if n is None else int(n) for n in call.operation.target_shape]
    return call.emit("reshape", call.inputs, attributes={"target_shape": target})
