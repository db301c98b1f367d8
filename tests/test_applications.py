"""The networks of keras.applications: the small ones always, all of them with `make test-applications`."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

import nnpack  # noqa: E402
from models import randomised  # noqa: E402
from nnpack.engine.accuracy import evaluate  # noqa: E402
from nnpack.engine.reference import worst  # noqa: E402

SMALL = {"MobileNet": 0.25, "MobileNetV2": 0.35, "MobileNetV3Large": 0.75, "MobileNetV3Small": 0.75}
"""Networks of the quick tests, and how wide they are there."""


def functions():
    """Every function that makes a network, by its name."""
    modules = [keras.applications, *(m for _, m in inspect.getmembers(keras.applications, inspect.ismodule))]
    found = {}
    for module in modules:
        found |= {name: f for name, f in inspect.getmembers(module, inspect.isfunction) if name[0].isupper()}
    return found


FUNCTIONS = functions()


def with_statistics(model, random):
    """Moving averages near those of some images, as training leaves them, and none of them exactly."""
    normalizing = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in normalizing]
    for layer in normalizing:
        layer.momentum = 0.0
    model(images(model, 4, random), training=True)
    for layer, momentum in zip(normalizing, momenta, strict=True):
        layer.momentum = momentum
        mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        layer.moving_mean.assign(mean + random.uniform(-0.1, 0.1, mean.shape))
        layer.moving_variance.assign(variance * random.uniform(0.8, 1.25, variance.shape) + 0.01)
    return model


def images(model, n, random):
    shape = [75 if size is None else size for size in model.inputs[0].shape[1:]]
    return (
        random.uniform(-1, 1, (n, *shape)).astype(np.float32)
        * np.linspace(0.3, 1, n, dtype=np.float32)[:, None, None, None]
    )


def agree(model, n=2, verify=True):
    """Predictions of the file and of Keras lie within the tolerance; so do those that `dumps` itself compares."""
    with_statistics(randomised(model), np.random.RandomState(1))
    x = images(model, n, np.random.RandomState(7))
    loaded = nnpack.loads(nnpack.dumps(model, verify=verify))
    theirs, ours = np.asarray(model(x, training=False)), loaded.predict(x)
    (reference,) = evaluate(loaded.document, loaded.fitted(x)).outputs.values()
    assert worst(theirs, reference)[0] <= 1
    assert worst(ours, reference)[0] <= 1
    assert np.std(theirs) > 1e-3
    keras.backend.clear_session()


@pytest.mark.parametrize("name", SMALL)
def test_small_network(name):
    size = {"input_shape": (32, 32, 3), "alpha": SMALL[name], "classes": 10}
    agree(FUNCTIONS[name](weights=None, classifier_activation=None, **size))


def test_small_network_of_open_size():
    agree(FUNCTIONS["MobileNetV2"](weights=None, include_top=False, input_shape=(None, None, 3), alpha=0.35))


# one image, compared here alone: the largest are evaluated for minutes
@pytest.mark.applications
@pytest.mark.parametrize("name", FUNCTIONS)
def test_network(name):
    agree(FUNCTIONS[name](weights=None, classifier_activation=None), n=1, verify=False)


@pytest.mark.applications
@pytest.mark.parametrize("name", FUNCTIONS)
def test_network_without_top_of_another_size(name):
    agree(FUNCTIONS[name](weights=None, include_top=False, input_shape=(97, 83, 3), pooling="avg"))


# Keras cannot call the NASNets of open size: the halves that they add up are then of different sizes
@pytest.mark.applications
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if not name.startswith("NASNet")])
def test_network_of_open_size(name):
    agree(FUNCTIONS[name](weights=None, include_top=False, input_shape=(None, None, 3), pooling="max"))
