"""Networks that were trained on images of digits: convolutions, recurrence, attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from generate.graph import Graph, Node
from generate.pages import quote
from generate.positive.declare import declare
from generate.positive.loops import ATTRIBUTES, STATES, add
from generate.positive.networks import IN_ORDER, PASSES_ON, READS, Trained

ROWS = 3

Shape = tuple[int | str, ...]


class Network(Trained):
    """A trained network, layer by layer, with the attributes that its layers have in common."""

    def then(self, name: str, op: str, *inputs: Node, shape: Shape | None = None, **attributes: Any) -> Node:
        """A layer without weights."""
        return self.graph.apply(name, op, *inputs, shape=shape, **attributes)

    def conv(self, name: str, x: Node, stride: int = 1, padding: str = "same") -> Node:
        return self.layer(name, "conv", x, strides=[stride] * 2, dilation_rate=[1, 1], groups=1, padding=padding)

    def conv_relu(self, name: str, x: Node, padding: str = "same") -> Node:
        return self.then(f"{name}_relu", "relu", self.conv(name, x, padding=padding))

    def normalized(self, name: str, x: Node) -> Node:
        return self.layer(name, "batch_normalization", x, axis=3, epsilon=1e-3)

    def pool(self, name: str, op: str, x: Node) -> Node:
        return self.then(name, op, x, pool_size=[2, 2], strides=[2, 2], padding="valid")

    def loop(self, name: str, op: str, x: Node, *others: Node, **given: Any) -> list[Node]:
        attributes = {**ATTRIBUTES[op], **given}
        return add(self.graph, name, op, x, *others, weights=self.stored(name), **attributes)

    def classes(self, x: Node, axis: int = 1, shape: Shape | None = None) -> Graph:
        scores = self.graph.apply("scores", "dense", x, weights=self.stored("scores"), shape=shape)
        return self.answering(self.then("probabilities", "softmax", scores, shape=shape, axes=[axis]))


# Convolutions


def _convolutional(*_: Any) -> Graph:
    net = Network("convolutional")
    y = net.conv_relu("first", net.input("pixels", ROWS), "valid")
    y = net.pool("pooled", "max_pool", y)
    y = net.conv_relu("second", y)
    return net.classes(net.then("flat", "reshape", y, target_shape=[-1]))


def _residual(*_: Any) -> Graph:
    net = Network("residual")
    y = net.normalized("normalized_stem", net.conv("stem", net.input("pixels", ROWS)))
    y = net.then("stem_relu", "relu", y)
    for i in (0, 1):
        z = net.normalized(f"normalized_strided_{i}", net.conv(f"strided_{i}", y, 2))
        z = net.conv(f"second_{i}", net.then(f"strided_{i}_relu", "relu", z))
        z = net.normalized(f"normalized_second_{i}", z)
        shortcut = net.normalized(f"normalized_shortcut_{i}", net.conv(f"shortcut_{i}", y, 2, "valid"))
        y = net.then(f"block_{i}", "relu", net.then(f"sum_{i}", "add", z, shortcut))
    return net.classes(net.then("pooled", "mean", y, axes=[1, 2], keepdims=False))


def _unet(*_: Any) -> Graph:
    net = Network("unet")
    wide = net.conv_relu("down_0", net.input("pixels", ROWS))
    middle = net.conv_relu("down_1", net.pool("pooled_0", "max_pool", wide))
    y = net.conv_relu("bottom", net.pool("pooled_1", "average_pool", middle))
    y = net.layer("up_1", "conv_transpose", y, strides=[2, 2], dilation_rate=[1, 1], cropping=[0, 0, 0, 0])
    y = net.then("concatenated_1", "concatenate", net.then("up_1_relu", "relu", y), middle, axis=3)
    y = net.then("up_0", "upsample", net.conv_relu("joined_1", y), factors=[2, 2], interpolation="bilinear")
    y = net.conv_relu("joined_0", net.then("concatenated_0", "concatenate", y, wide, axis=3))
    return net.answering(net.then("probabilities", "sigmoid", net.conv("ink", y)))


def _two_inputs(*_: Any) -> Graph:
    net = Network("two_inputs")
    half, columns = net.input("half", ROWS), net.input("columns", ROWS)
    y = net.conv_relu("first", half, "valid")
    y = net.then("pooled", "max", y, axes=[1, 2], keepdims=False)
    z = net.layer("table", "dense", columns, "tanh")
    flat = net.then("flat", "reshape", half, target_shape=[-1])
    joined = net.then("concatenated", "concatenate", flat, y, z, axis=1)
    return net.classes(net.layer("joined", "dense", joined, "relu"))


# Recurrence


def _taken(net: Network, x: Node) -> Node:
    """The mask: steps that have a number other than 0."""
    zero = net.graph.apply("zero", "constant", weights={"value": np.float32(0)}, shape=())
    other = net.then("other", "not_equal", x, zero)
    return net.then("mask", "any", other, axes=[2], keepdims=False)


def _lstm(*_: Any) -> Graph:
    net = Network("lstm")
    x = net.input("lines", ROWS)
    return net.classes(net.loop("read", "lstm", x, _taken(net, x), return_sequences=False)[0])


def _gru(*_: Any) -> Graph:
    """Both directions: what is computed from the last step to the first is turned round."""
    net = Network("gru")
    x = net.input("lines", ROWS)
    mask = _taken(net, x)
    forward = net.loop("forward", "gru", x, mask, zero_output_for_mask=True)[0]
    backward = net.loop("backward", "gru", x, mask, zero_output_for_mask=True, go_backwards=True)[0]
    turned = net.then("turned", "flip", backward, axes=[1])
    joined = net.then("joined", "concatenate", forward, turned, axis=2)
    return net.classes(net.loop("last", "gru", joined, mask, return_sequences=False, reset_after=False)[0])


def _streaming(*_: Any) -> Graph:
    """Two layers that go on from call to call; what they were trained as began with zeros."""
    net = Network("streaming")
    y = net.input("lines", ROWS, ("batch", "time", 8))
    for name, op in (("read", "lstm"), ("reread", "gru")):
        states = [net.graph.state(f"{name}/{state}", np.zeros(8, np.float32)) for state in STATES[op]]
        y, *final = net.loop(name, op, y, *states)
        for state, becomes in zip(states, final, strict=True):
            net.graph.carry(state, becomes)
    return net.classes(y, 2, ("batch", "time", 10))


# Attention


def _transformer(*_: Any) -> Graph:
    net = Network("transformer")
    x = net.input("tokens", ROWS)
    places = net.then("places", "positions", x, shape=(16,), axis=1)
    placed = net.graph.apply("placed", "embedding", places, weights=net.stored("placed"), shape=(16, 8))
    y = net.then("placed_tokens", "add", net.layer("embedded", "embedding", x), placed)
    y = net.then("attended", "add", y, _attention(net, _normalized(net, 0, y)))
    z = net.layer("wide", "dense", _normalized(net, 1, y), "gelu", approximate=False)
    y = net.then("transformed", "add", y, net.layer("narrow", "dense", z))
    return net.classes(net.then("pooled", "mean", _normalized(net, 2, y), axes=[1], keepdims=False))


def _normalized(net: Network, i: int, x: Node) -> Node:
    return net.layer(f"normalized_{i}", "layer_normalization", x, axes=[2], epsilon=1e-3)


def _attention(net: Network, x: Node) -> Node:
    """Two heads of four numbers each."""
    query, key, value = (
        net.then(f"{name}_heads", "reshape", net.layer(name, "dense", x), target_shape=[16, 2, 4])
        for name in ("query", "key", "value")
    )
    half = net.graph.apply("scale", "constant", weights={"value": np.float32(0.5)}, shape=())
    scaled = net.then("scaled", "multiply", query, half)
    likeness = net.then("likeness", "einsum", scaled, key, equation="bqhd,bkhd->bhqk")
    attention = net.then("attention", "softmax", likeness, axes=[3])
    by_heads = net.then("value_by_heads", "transpose", value, perm=[0, 2, 1, 3])
    mixed = net.then("mixed_by_heads", "matmul", attention, by_heads)
    mixed = net.then("mixed_heads", "transpose", mixed, perm=[0, 2, 1, 3])
    return net.layer("mixed", "dense", net.then("mixed_flat", "reshape", mixed, target_shape=[16, 8]))


INPUTS = quote("format.md", "list of values, at least one")
PIECES = quote("format.md", "it is given a sequence piece by piece, and answers as if it had been given the whole")

for _name, _title, _says, _make in (
    ("convolutional", "Trained on images: two convolutions and a pool.", IN_ORDER, _convolutional),
    ("residual-images", "Trained on images: blocks with strides, batch normalization and shortcuts.", READS, _residual),
    ("unet", "Trained on noisy images: down, up, and across.", READS, _unet),
    ("image-and-table", "Trained on half an image and numbers of the other half.", INPUTS, _two_inputs),
    ("lstm", "Trained on lines of images, of which some are left out.", IN_ORDER, _lstm),
    ("gru", "Trained on lines of images in both directions, of which some are left out.", PASSES_ON, _gru),
    ("transformer", "Trained on tokens: attention of two heads.", IN_ORDER, _transformer),
):
    declare(f"network/{_name}", _title, _says, _make, kind="network", calls=_name in ("convolutional", "lstm"))
declare(
    "states/trained", "Trained on lines of images, which come one by one or several.", PIECES, _streaming, kind="states"
)
