"""Small networks: several operators in a row, several inputs and outputs, shared layers."""

from __future__ import annotations

from math import sqrt
from typing import Any

from generate.case import Draw
from generate.graph import Graph, Node
from generate.positive.declare import declare


def _weights(r: Draw, n: int, units: int) -> dict[str, Any]:
    return {"kernel": r.normal(n, units, scale=1 / sqrt(n)), "bias": r.normal(units, scale=0.1)}


def _classifier(r: Draw) -> Graph:
    graph = Graph()
    x: Node = graph.input("pixels", r.normal(5, 8, 3))
    x = graph.apply("flatten", "reshape", x, target_shape=[-1])
    for i, units in enumerate((32, 16)):
        n = int(x.shape[-1])
        x = graph.apply(f"dense_{i}", "dense", x, weights=_weights(r, n, units))
        moments = {"moving_mean": r.normal(units, scale=0.1), "moving_variance": r.uniform(0.5, 2, units)}
        affine = {"gamma": r.uniform(0.5, 2, units), "beta": r.normal(units, scale=0.1)}
        x = graph.apply(
            f"normalized_{i}", "batch_normalization", x, weights={**moments, **affine}, axis=1, epsilon=1e-3
        )
        x = graph.apply(f"active_{i}", "relu", x)
    x = graph.apply("scores", "dense", x, weights=_weights(r, 16, 10))
    graph.outputs.append(graph.apply("classes", "softmax", x, axes=[1]))
    return graph


def _two_by_two(r: Draw) -> Graph:
    """Two inputs, a layer that both share, two outputs of which one is also read further on."""
    graph = Graph()
    left, right = graph.input("left", r.normal(4, 6)), graph.input("right", r.normal(4, 6))
    a = graph.apply("encoded_left", "dense", left, weights=_weights(r, 6, 5))
    shared = {"kernel": "encoded_left/kernel", "bias": "encoded_left/bias"}
    b = graph.apply("encoded_right", "dense", right, weights=shared)
    a, b = graph.apply("tanh_left", "tanh", a), graph.apply("tanh_right", "tanh", b)
    product = graph.apply("product", "multiply", a, b)
    joined = graph.apply("joined", "concatenate", a, product, b, axis=1)
    score = graph.apply("score", "sigmoid", graph.apply("dense", "dense", joined, weights=_weights(r, 15, 1)))
    graph.outputs += [score, product]
    return graph


def _sequence(r: Draw) -> Graph:
    """Over a time axis of any length, with a residual connection and a constant position."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 5, 4), ("batch", "time", 4))
    value = graph.apply("offset", "constant", weights={"value": r.normal(4)}, shape=(4,))
    shifted = graph.apply("shifted", "add", x, value, shape=("batch", "time", 4))
    up = graph.apply("up", "dense", shifted, weights=_weights(r, 4, 12), shape=("batch", "time", 12))
    gated = graph.apply("gated", "glu", up, shape=("batch", "time", 6), axis=2)
    active = graph.apply("active", "gelu", gated, shape=("batch", "time", 6), approximate=False)
    down = graph.apply("down", "dense", active, weights=_weights(r, 6, 4), shape=("batch", "time", 4))
    total = graph.apply("residual", "add", down, x, shape=("batch", "time", 4))
    graph.outputs.append(graph.apply("y", "log_softmax", total, shape=("batch", "time", 4), axes=[2]))
    return graph


for _name, _title, _make in (
    ("classifier", "A perceptron with batch normalization and softmax.", _classifier),
    ("two-inputs-two-outputs", "Two inputs through one shared layer, two outputs.", _two_by_two),
    ("sequence", "Gates and a residual connection along a time axis of any length.", _sequence),
):
    declare(f"network/{_name}", _title, _make, kind="network")
