"""Small documents made by hand, for tests that need no Keras."""

from __future__ import annotations

import numpy as np

from nnpack.format import container
from nnpack.format.build import build
from nnpack.format.document import Document, Layer, SelfTest, Tensor, Value

X = Value("x", "float32", ("batch", 4))
PRODUCER = {"name": "test", "version": "0"}


def tensor(name, array, dtype=None, quantization=None):
    array = np.asarray(array)
    return Tensor(name, dtype or str(array.dtype), array, quantization)


def document(layers, tensors=(), inputs=(X,), outputs=None, **more):
    last = layers[-1].outputs[0].name if layers else inputs[0].name
    tensors = {item.name: item for item in tensors}
    return Document("model", tuple(inputs), tuple(outputs or (last,)), tuple(layers), tensors, PRODUCER, **more)


def layer(name, op, inputs, shape, weights=None, attributes=None, dtype="float32"):
    return Layer(name, f"{op}@1", tuple(inputs), (Value(name, dtype, tuple(shape)),), weights or {}, attributes or {})


def perceptron(seed=0, **more):
    """x (batch, 4) -> dense 3 -> tanh -> dense 2."""
    random = np.random.RandomState(seed)
    shapes = {"h/kernel": (4, 3), "h/bias": (3,), "y/kernel": (3, 2), "y/bias": (2,)}
    tensors = [tensor(name, random.uniform(-1, 1, shape).astype(np.float32)) for name, shape in shapes.items()]
    layers = [
        layer("h/dense", "dense", ["x"], ("batch", 3), {"kernel": "h/kernel", "bias": "h/bias"}),
        layer("h", "tanh", ["h/dense"], ("batch", 3)),
        layer("y", "dense", ["h"], ("batch", 2), {"kernel": "y/kernel", "bias": "y/bias"}),
    ]
    return document(layers, tensors, **more)


def expected(doc, x):
    """What `perceptron` computes, in float64, written out."""
    w = {name: item.array.astype(np.float64) for name, item in doc.tensors.items()}
    return np.tanh(x @ w["h/kernel"] + w["h/bias"]) @ w["y/kernel"] + w["y/bias"]


def with_selftest(doc, rows=3):
    x = np.random.RandomState(5).uniform(-1, 1, (rows, 4)).astype(np.float32)
    y = expected(doc, x).astype(np.float32)
    tests = [tensor("in", x), tensor("out", y), tensor("tol", np.full_like(y, 1e-5))]
    tensors = {**doc.tensors, **{item.name: item for item in tests}}
    return doc._replace(tensors=tensors, selftest=SelfTest(("in",), ("out",), ("tol",)))


def packed(doc):
    return b"".join(container.write(doc.version, *build(doc)))
