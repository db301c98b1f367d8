"""Dense, EinsumDense, Embedding, Masking; the layers that vanish at inference; Rescaling."""

from __future__ import annotations

import string

import keras
import numpy as np
from keras import layers

from nnpack.exporters.keras.activations import activate
from nnpack.exporters.keras.call import Call, Ref, to_numpy
from nnpack.exporters.keras.operands import integral
from nnpack.exporters.keras.products import labels_of
from nnpack.exporters.keras.quirks import added_as
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value


@handles(layers.Dense)
def dense(call: Call) -> Value:
    layer = call.operation
    weights = {"kernel": layer.kernel}
    if layer.bias is not None:
        weights["bias"] = layer.bias
    x = call.cast(call.inputs[0], layer.compute_dtype)
    return activate(call, call.emit("dense", [x], weights), layer.activation)


@handles(layers.EinsumDense)
def einsum_dense(call: Call) -> Value:
    layer, dtype = call.operation, call.operation.compute_dtype
    x, kernel = call.cast(call.inputs[0], dtype), layer.kernel
    sources, made = labels_of(call, layer.equation, [len(x.shape), len(kernel.shape)])
    equation = f"{','.join(sources)}->{made}"
    if _is_dense(equation) and (layer.bias is None or tuple(layer.bias.shape) == tuple(kernel.shape)[-1:]):
        weights = {"kernel": kernel} if layer.bias is None else {"kernel": kernel, "bias": layer.bias}
        y = call.emit("dense", [x], weights)
    else:
        y = call.emit("einsum", [x, call.constant(kernel, dtype, "kernel")], attributes={"equation": equation})
        if layer.bias is not None:
            bias = to_numpy(layer.bias)
            y = call.emit("add", [y, call.constant(bias.reshape(added_as(bias.shape, y.shape)), dtype, "bias")])
    return activate(call, y, layer.activation)


def _is_dense(equation: str) -> bool:
    """Whether a product is that of the last axis with a matrix: "abc,cd->abd"."""
    x, _, rest = equation.partition(",")
    kernel, _, y = rest.partition("->")
    return len(kernel) == 2 and kernel[0] == x[-1:] and y == x[:-1] + kernel[1] and kernel[1] not in x


@handles(layers.Embedding)
def embedding(call: Call) -> Value:
    return _embedded(call)


def _embedded(call: Call) -> Value:
    layer, x = call.operation, call.inputs[0]
    return call.emit("embedding", [integral(call, x, "int32")], {"embeddings": layer.embeddings})


def reversible_embedding(call: Call) -> Value:
    """Embedding, which may also be used the other way round: to logits over the vocabulary."""
    layer, x = call.operation, call.inputs[0]
    if not call.arguments["reverse"]:
        if layer.mask_zero:
            call.output_mask = call.trace(keras.ops.not_equal, Ref(x.name), 0)[0]
        return _embedded(call)
    dtype = layer.reverse_dtype or keras.backend.result_type(x.dtype, layer.embeddings.dtype)
    before, rows = string.ascii_letters[3 : len(x.shape) + 2], call.cast(x, dtype)
    if layer.tie_weights:
        kernel, equation = call.constant(layer.embeddings, dtype, "embeddings"), f"{before}a,ba->{before}b"
        y = call.emit("einsum", [rows, kernel], attributes={"equation": equation})
    else:
        y = call.emit("dense", [rows], {"kernel": call.weight(layer.reverse_embeddings, dtype)}, part="reverse")
    if layer.logit_soft_cap is None:
        return y
    cap = call.constant(layer.logit_soft_cap, dtype, "logit_soft_cap")
    return call.emit("multiply", [call.emit("tanh", [call.emit("divide", [y, cap])]), cap])


if hasattr(layers, "ReversibleEmbedding"):  # Keras 3.12
    handles(layers.ReversibleEmbedding)(reversible_embedding)


@handles(layers.Masking)
def masking(call: Call) -> Value:
    x, given = call.inputs[0], to_numpy(call.operation.mask_value)
    compared = keras.backend.result_type(x.dtype, float) if given.dtype.kind == "f" else x.dtype
    value = call.constant(given, compared, "mask_value")
    differs = call.emit("not_equal", [call.cast(x, compared), value])
    kept = call.emit("any", [differs], attributes={"axes": [len(x.shape) - 1], "keepdims": True})
    call.output_mask = Ref(call.emit("squeeze", [kept], attributes={"axes": [len(x.shape) - 1]}, part="mask").name)
    dtype = keras.backend.result_type(x.dtype, int)
    return call.emit("where", [kept, call.cast(x, dtype), call.constant(0, dtype, "zero")])


VANISHING_OF_ANY_RANK = (
    layers.ActivityRegularization,
    layers.AlphaDropout,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Identity,
)
VANISHING = (*VANISHING_OF_ANY_RANK, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D)
"""Layers that hand on their input at inference, but for those of augmentation.py."""


@handles(*VANISHING)
def vanishing(call: Call) -> list[Value]:
    return call.inputs


@handles(layers.Rescaling)
def rescaling(call: Call) -> Value:
    layer = call.operation
    y = call.cast(call.inputs[0], layer.compute_dtype)
    for op, part, number in (("multiply", "scale", layer.scale), ("add", "offset", layer.offset)):
        array = to_numpy(number)
        if op == "add" and not np.any(array):
            continue
        if array.ndim and keras.config.image_data_format() == "channels_first":
            array = array.reshape(array.shape + (1,) * (3 - array.ndim))
        y = call.emit(op, [y, call.constant(array, layer.compute_dtype, part)])
    return y
