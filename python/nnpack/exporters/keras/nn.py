"""Operations of keras.ops.nn: convolutions, pooling, normalization, attention. (Activations are in activations.py.)"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
import numpy as np
from keras import ops

from nnpack.exporters.keras.attention import LOWEST
from nnpack.exporters.keras.call import Call, Ref
from nnpack.exporters.keras.convolution import cropping, per_channel
from nnpack.exporters.keras.layout import in_channels_last
from nnpack.exporters.keras.normalization import over_deviation, rms_normalized, unit_normalized
from nnpack.exporters.keras.operands import (
    as_tensor,
    cast,
    common_dtype,
    composed,
    known,
    known_weight,
    value_of,
)
from nnpack.exporters.keras.reductions import axes_of
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value
from nnpack.format.dtypes import FLOATS

# Convolutions


@handles("Conv")
def conv(call: Call) -> Value:
    return _sliding(call, lambda x: _convolved(call, x, _kernel(call, "kernel", x), None))


@handles("DepthwiseConv")
def depthwise_conv(call: Call) -> Value:
    return _sliding(call, lambda x: _convolved(call, x, per_channel(_kernel(call, "kernel", x)), x.shape[-1]))


@handles("SeparableConv")
def separable_conv(call: Call) -> Value:
    def lower(x: Value) -> Value:
        depthwise = per_channel(_kernel(call, "depthwise_kernel", x))
        y = _convolved(call, x, depthwise, x.shape[-1], "depthwise")
        ones = [1] * (len(x.shape) - 2)
        attributes = {"strides": ones, "dilation_rate": ones, "groups": 1, "padding": "valid"}
        return call.emit("conv", [y], {"kernel": _kernel(call, "pointwise_kernel", x)}, attributes, part="pointwise")

    return _sliding(call, lower)


@handles("ConvTranspose")
def conv_transpose(call: Call) -> Value:
    given = call.operation

    def lower(x: Value) -> Value:
        kernel = _kernel(call, "kernel", x)
        strides, dilation = (_for_each_axis(n, x) for n in (given.strides, given.dilation_rate))
        cut = cropping(kernel.shape[:-2], tuple(strides), tuple(dilation), given.padding.lower(), given.output_padding)
        attributes = {"strides": strides, "dilation_rate": dilation, "cropping": cut}
        return call.emit("conv_transpose", [x], {"kernel": kernel}, attributes)

    return _sliding(call, lower)


def _sliding(call: Call, lower: Any) -> Value:
    """What `lower` makes of the inputs with their channels last."""
    x = value_of(call, call.arguments["inputs"], "inputs")
    if not isinstance(x.shape[-1] if _data_format(call) == "channels_last" else x.shape[1], int):
        raise call.refuse("an unknown number of channels", "inputs of as many channels as the kernel has")
    return in_channels_last(call, x, _data_format(call), lower)


def _convolved(call: Call, x: Value, kernel: Any, groups: Any, part: str | None = None) -> Value:
    given = call.operation
    channels = x.shape[-1]
    if groups is None:
        groups = channels // kernel.shape[-2] if isinstance(channels, int) else 1
    attributes = {
        "strides": _for_each_axis(given.strides, x),
        "dilation_rate": _for_each_axis(given.dilation_rate, x),
        "groups": int(groups),
        "padding": given.padding.lower(),
    }
    return call.emit("conv", [x], {"kernel": kernel}, attributes, part=part)


def _kernel(call: Call, name: str, x: Value) -> Any:
    return known_weight(call, call.arguments[name], x.dtype, "a kernel")


def _for_each_axis(n: int | Sequence[int], x: Value) -> list[int]:
    """One number for each spatial axis."""
    return [n] * (len(x.shape) - 2) if isinstance(n, int) else [int(k) for k in n]


def _data_format(call: Call) -> str:
    return str(keras.config.image_data_format() if call.operation.data_format is None else call.operation.data_format)


# Pooling

_POOLING = {
    "AdaptiveAveragePool": "adaptive_average_pool",
    "AdaptiveMaxPool": "adaptive_max_pool",
    "AveragePool": "average_pool",
    "MaxPool": "max_pool",
}


@handles(*_POOLING)
def pool(call: Call) -> Value:
    given, op, x = call.operation, _POOLING[call.class_name], call.inputs[0]
    if op.startswith("adaptive"):
        attributes: dict[str, Any] = {"output_size": _for_each_axis(given.output_size, x)}
    else:
        strides = given.pool_size if given.strides is None else given.strides
        attributes = {
            "pool_size": _for_each_axis(given.pool_size, x),
            "strides": _for_each_axis(strides, x),
            "padding": given.padding.lower(),
        }
    return in_channels_last(call, x, _data_format(call), lambda y: call.emit(op, [y], attributes=attributes))


# Normalization


@handles("BatchNorm")
def batch_norm(call: Call) -> Value:
    arguments, x = call.arguments, value_of(call, call.arguments["x"], "x")
    roles = {"mean": "moving_mean", "variance": "moving_variance", "offset": "beta", "scale": "gamma"}
    weights = {}
    for name, role in roles.items():
        if arguments[name] is not None:
            weights[role] = known_weight(call, arguments[name], x.dtype, f"a {name}")
            dtype = common_dtype(call, arguments[name])
            if dtype != x.dtype:
                raise call.refuse(f"a {name} of {dtype} beside {x.dtype}", f"a {name} of {x.dtype}")
    axis = call.axis(call.operation.axis, len(x.shape))
    attributes = {"axis": axis, "epsilon": float(call.operation.epsilon)}
    return call.emit("batch_normalization", [x], weights, attributes)


@handles("LayerNorm")
def layer_norm(call: Call) -> Value:
    given = call.operation
    x, axes = _normalized_along(call)
    if given.rms_scaling:
        return _applied(call, "multiply", over_deviation(call, x, axes, _epsilon(call)), "gamma", axes)
    weights = {role: _over_axes(call, role, x, axes) for role in ("gamma", "beta")}
    attributes = {"axes": axes, "epsilon": _epsilon(call)}
    if all(weight is not None or call.arguments[role] is None for role, weight in weights.items()):
        found = {role: weight for role, weight in weights.items() if weight is not None}
        return call.emit("layer_normalization", [x], found, attributes)
    y = call.emit("layer_normalization", [x], attributes=attributes, part="normalized")
    return _applied(call, "add", _applied(call, "multiply", y, "gamma", axes), "beta", axes)


@handles("RMSNorm")
def rms_norm(call: Call) -> Value:
    x, axes = _normalized_along(call)
    scale = call.arguments["scale"]
    if scale is not None and not isinstance(scale, Ref):
        scale = known_weight(call, scale, x.dtype, "a scale")
    return rms_normalized(call, x, axes, _epsilon(call), scale)


def _normalized_along(call: Call) -> tuple[Value, list[int]]:
    """x and the axes that it is normalized along."""
    x = value_of(call, call.arguments["x"], "x")
    if x.dtype not in FLOATS:
        raise call.refuse(f"normalized {x.dtype}, of which Keras cuts off the fractions", "floats")
    return x, axes_of(call, call.operation.axis, x)


def _epsilon(call: Call) -> float:
    return float(keras.config.epsilon() if call.operation.epsilon is None else call.operation.epsilon)


def _over_axes(call: Call, role: str, x: Value, axes: list[int]) -> Any:
    """A constant weight in the shape of x along the axes; None where that is not how Keras takes it."""
    given = call.arguments[role]
    if given is None or isinstance(given, Ref):
        return None
    weight, sizes = known_weight(call, given, x.dtype, f"a {role}"), [x.shape[axis] for axis in axes]
    rank = len(x.shape)
    aligned = axes == list(range(rank - len(axes), rank))
    alike = list(weight.shape) == sizes and (aligned or len(sizes) != rank)
    return weight if alike else None


def _applied(call: Call, op: str, x: Value, role: str, axes: list[int]) -> Value:
    """x times or plus a weight, which Keras gives the axes that are not normalized unless it has them."""
    given, rank = call.arguments[role], len(x.shape)
    if given is None:
        return x
    if isinstance(given, Ref):
        if axes != [rank - 1] and len(call.value(given).shape) != rank:
            raise call.refuse(f"a {role} computed from the inputs", f"a {role} of the rank of x")
        return call.emit(op, [x, call.cast(call.value(given), x.dtype)])
    array = known(call, given, f"a {role}")
    if axes != [rank - 1] and array.ndim != rank:
        sizes = [x.shape[axis] if axis in axes else 1 for axis in range(rank)]
        if array.size != prod(n for n in sizes if isinstance(n, int)):
            raise call.refuse(f"a {role} of shape {array.shape}", f"a {role} of the shape of x along the axes")
        array = array.reshape([n if isinstance(n, int) else -1 for n in sizes])
    return call.emit(op, [x, call.constant(array, x.dtype, role)])


@handles("Normalize")
def normalize(call: Call) -> Value:
    given, x, epsilon = call.operation, call.inputs[0], _epsilon(call)
    squared = np.square(epsilon)
    if given.order == 2 and squared >= np.finfo(np.float32).tiny:
        return unit_normalized(call, x, axes_of(call, given.axis, x), float(squared))

    def divided(y: Any) -> Any:
        if given.order == 2:
            squares = ops.sum(ops.square(y), axis=given.axis, keepdims=True)
            return y * ops.minimum(ops.rsqrt(squares), 1 / epsilon)
        return y / ops.maximum(ops.norm(y, ord=given.order, axis=given.axis, keepdims=True), epsilon)

    return call.traced(divided, x)


# Attention


@composed("DotProductAttention", masks=True)
def dot_product_attention(
    call: Call, query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: Any = None
) -> Any:
    dtype = keras.backend.result_type(query.dtype, key.dtype, value.dtype)
    if dtype not in FLOATS or call.operation.attn_logits_soft_cap is not None:
        raise call.refuse(f"attention of {dtype}, or with attn_logits_soft_cap", "attention of floats without it")
    query, key, value = (cast(x, dtype) for x in (query, key, value))
    heads, shared = query.shape[2], key.shape[2]
    if heads > shared > 1:
        key, value = (ops.repeat(x, heads // shared, axis=2) for x in (key, value))
    if scale is None:
        if key.shape[-1] is None:
            raise call.refuse("keys of unknown size", "keys of known size, or a scale")
        scale = np.float32(1) / np.sqrt(np.float32(key.shape[-1]))
    scale = scale if isinstance(scale, keras.KerasTensor) else as_tensor(scale)
    scores = ops.einsum("btnh,bsnh->bnts", query, key) * cast(scale, dtype)
    if bias is not None:
        scores = scores + cast(bias, dtype)
    if call.operation.is_causal:
        mask = _causal(scores) if mask is None else ops.logical_and(mask, _causal(scores))
    if mask is not None:
        scores = ops.where(mask, scores, cast(LOWEST, dtype))
    return ops.einsum("bnts,bsnh->btnh", ops.softmax(scores), value)


def _causal(scores: Any) -> Any:
    """Which keys are not behind a query."""
    queries, keys = scores.shape[-2:]
    if queries is None or keys is None:
        return ops.tril(ops.ones_like(scores, dtype="bool"))
    return np.tril(np.ones((queries, keys), np.bool_))
