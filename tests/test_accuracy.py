"""The tolerances of whole networks: what is right passes, what is not does not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from documents import document, expected, layer, perceptron, tensor
from nnpack.engine.accuracy import evaluate
from nnpack.engine.reference import Reference, worst
from nnpack.format.dtypes import from_bfloat16, to_bfloat16


def rows(n=50, seed=0):
    return np.random.RandomState(seed).uniform(-2, 2, (n, 4)).astype(np.float32)


def deep(seed, depth=4, width=40):
    """Dense layers with tanh between them: (document, a function that computes it in an order of its own, weights)."""
    random = np.random.RandomState(seed)
    sizes = [4] + [width] * depth
    kernels = [random.normal(0, n**-0.5, (n, m)).astype(np.float32) for n, m in pairwise(sizes)]
    layers, last = [], "x"
    for i, kernel in enumerate(kernels):
        layers.append(layer(f"d{i}", "dense", [last], ("batch", kernel.shape[1]), {"kernel": f"w{i}"}))
        layers.append(layer(f"a{i}", "tanh", [f"d{i}"], ("batch", kernel.shape[1])))
        last = f"a{i}"
    doc = document(layers, [tensor(f"w{i}", kernel) for i, kernel in enumerate(kernels)])

    def compute(x, kernels=kernels, order=slice(None, None, -1)):
        for kernel in kernels:
            total = np.zeros((len(x), kernel.shape[1]), np.float32)
            for k in range(len(kernel))[order]:  # one product after the other, as a simple runtime does
                total = total + x[:, k : k + 1] * kernel[k]
            x = np.tanh(total)
        return x

    return doc, compute, kernels


def test_the_reference_is_the_network_in_double_precision():
    doc = perceptron()
    reference = evaluate(doc, [rows()]).outputs["y"]
    np.testing.assert_allclose(reference.values, expected(doc, rows().astype(np.float64)), rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_other_orders_of_summation_pass_and_rounded_weights_do_not(seed):
    doc, compute, kernels = deep(seed)
    x = rows(seed=seed)
    reference = evaluate(doc, [x]).outputs[doc.outputs[0]]
    for order in (slice(None), slice(None, None, -1)):
        assert worst(compute(x, order=order), reference)[0] < 0.5
    rounded = [from_bfloat16(to_bfloat16(kernel)) for kernel in kernels]
    assert worst(compute(x, rounded), reference)[0] > 100
    half = [kernel.astype(np.float16).astype(np.float32) for kernel in kernels]
    assert worst(compute(x, half), reference)[0] > 10


def test_tolerances_are_the_same_every_time_and_coarse():
    doc, _, _ = deep(1)
    first, second = (evaluate(doc, [rows()]).outputs[doc.outputs[0]].tolerance for _ in range(2))
    np.testing.assert_array_equal(first, second)
    mantissa, _ = np.frexp(first)
    np.testing.assert_array_equal(mantissa * 16, np.round(mantissa * 16))


def test_rows_beyond_the_range_of_float32_are_told():
    doc = document([layer("y", "exponential", ["x"], ("batch", 4))])
    x = np.zeros((3, 4), np.float32)
    x[1, 2] = 100
    assert evaluate(doc, [x]).in_range.tolist() == [True, False, True]


def test_attributes_are_float32_like_what_they_meet():
    doc = document([layer("y", "threshold", ["x"], ("batch", 4), attributes={"threshold": 0.1, "default_value": 0.7})])
    x = np.full((1, 4), 0.1, np.float32)  # above the double 0.1, not above its own float32
    assert evaluate(doc, [x]).outputs["y"].values.tolist() == [[float(np.float32(0.7))] * 4]


def test_worst():
    reference = Reference(np.array([1.0, np.nan, np.inf, 0.0]), np.full(4, 0.5))
    assert worst(np.array([1.25, np.nan, np.inf, -0.0]), reference) == (0.5, (0,))
    assert worst(np.array([1.0, 2.0, np.inf, 0.0]), reference) == (np.inf, (1,))
    assert worst(np.array([1.0, np.nan, -np.inf, 0.0]), reference) == (np.inf, (2,))
    assert worst(np.array([np.nan, np.nan, np.inf, 0.0]), reference) == (np.inf, (0,))


def test_bfloat16_rounds_to_nearest_even():
    # 1 + 2⁻⁸ lies between two bfloat16 numbers and goes to the even one, 1; 1 + 3·2⁻⁸ goes up to 1 + 2⁻⁶
    x = np.array([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -2.0, np.inf, np.nan, 3.4e38], np.float32)
    y = from_bfloat16(to_bfloat16(x))
    np.testing.assert_array_equal(y, np.array([1, 1 + 2**-6, 1 + 2**-7, -2, np.inf, np.nan, np.inf], np.float32))
