"""Attention layers: the file predicts what Keras predicts, whatever masks there are."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers, ops  # noqa: E402

from test_export import agree, randomised, rows  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")


def flags(*shape, seed=3, n=7):
    """A mask; in one row nothing counts, in another everything."""
    mask = np.random.RandomState(seed).rand(n, *shape) < 0.6
    mask[2], mask[3] = False, True
    return mask


class Inputs:
    """Symbolic inputs, and an array for each."""

    def __init__(self, dynamic=False):
        self.dynamic, self.symbols, self.arrays = dynamic, [], []

    def __call__(self, *shape, dtype="float32"):
        opened = [None] * (len(shape) - (dtype == "float32")) if self.dynamic else shape[: len(shape)]
        symbolic = (*opened, *shape[len(opened) :])
        self.symbols.append(keras.Input(symbolic, dtype=dtype))
        seed = len(self.symbols)
        self.arrays.append(rows(shape, seed=seed) if dtype == "float32" else flags(*shape, seed=seed))
        return self.symbols[-1]

    def agree(self, y):
        return agree(randomised(keras.Model(self.symbols, keras.tree.flatten(y))), self.arrays)


LAYERS = {
    "multi-head": lambda **given: layers.MultiHeadAttention(2, 3, **given),
    "multi-head-dropout": lambda **given: layers.MultiHeadAttention(2, 3, dropout=0.3, **given),
    "group-query": lambda **given: layers.GroupQueryAttention(3, 4, 2, **given),
    "group-query-dropout": lambda **given: layers.GroupQueryAttention(3, 2, 2, dropout=0.3, **given),
}

CALLS = {
    "self": {},
    "causal": {"use_causal_mask": True},
    "scores": {"return_attention_scores": True},
    "causal-scores": {"use_causal_mask": True, "return_attention_scores": True},
}

MASKS = {
    "value": {"value_mask": (5,)},
    "key": {"value_mask": (5,), "key_mask": (5,)},
    "attention": {"attention_mask": (4, 5)},
    "all": {"value_mask": (5,), "attention_mask": (4, 5)},
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("call", CALLS)
def test_heads(name, call):
    given = Inputs()
    x = given(5, 6)
    given.agree(LAYERS[name]()(x, x, **CALLS[call]))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("masks", MASKS)
def test_masks(name, masks):
    """A query that no key counts for too: its weights are equal, or 0, as Keras has it."""
    given = Inputs(dynamic=masks == "all")
    query, value, key = given(4, 6), given(5, 6), given(5, 6)
    chosen = {mask: given(*shape, dtype="bool") for mask, shape in MASKS[masks].items()}
    given.agree(LAYERS[name]()(query, value, key, use_causal_mask=masks == "key", **chosen))


ARGUMENTS = {
    "sizes": lambda: layers.MultiHeadAttention(2, 3, value_dim=4, output_shape=7, use_bias=False),
    "output-shape": lambda: layers.MultiHeadAttention(2, 3, output_shape=(2, 3)),
    "window": lambda: layers.MultiHeadAttention(2, 3, sliding_window=2, use_gate=True),
    "float64": lambda: layers.MultiHeadAttention(2, 3, dtype="float64"),
    "one-key-head": lambda: layers.GroupQueryAttention(3, 4, 1, sliding_window=3, use_gate=True, use_bias=False),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(name):
    given = Inputs(dynamic=True)
    x = given(5, 6)
    given.agree(ARGUMENTS[name]()(x, x))


AXES = {
    "second": (layers.MultiHeadAttention, (2,), (3, 4, 5), (3, 2, 6)),
    "from-the-end": (layers.MultiHeadAttention, (-2,), (3, 4, 5), (3, 2, 6)),
    "two": (layers.MultiHeadAttention, (1, 2), (3, 4, 5), (2, 6, 5)),
    "all": (layers.MultiHeadAttention, None, (3, 2, 5), (2, 3, 5)),
}


@pytest.mark.parametrize("name", AXES)
def test_attention_axes(name):
    cls, axes, query, value = AXES[name]
    given = Inputs()
    given.agree(cls(2, 3, attention_axes=axes)(given(*query), given(*value)))


def test_attention_axes_and_a_mask():
    given = Inputs()
    x, mask = given(3, 2, 5), given(3, 2, 3, 2, dtype="bool")
    given.agree(layers.MultiHeadAttention(2, 3)(x, x, attention_mask=mask))


def test_masks_for_each_head_and_of_all_rows():
    given = Inputs()
    x = given(5, 6)
    given.agree(layers.MultiHeadAttention(2, 3)(x, x, attention_mask=given(2, 5, 5, dtype="bool")))
    triangle = np.tril(np.ones((1, 5, 5), bool))
    given.agree(layers.GroupQueryAttention(3, 4, 2)(x, x, attention_mask=triangle))


def test_layer_of_which_a_subclass_computes_attention():
    class Attention(layers.MultiHeadAttention):
        def _compute_attention(self, query, key, value, attention_mask=None, *rest, **more):
            scores = ops.sigmoid(ops.einsum(self._dot_product_equation, key, query))
            return ops.einsum(self._combine_equation, scores, value), scores

    given = Inputs()
    x = given(5, 6)
    given.agree(Attention(2, 3)(x, x))


PLAIN = {
    "dot": lambda: layers.Attention(),
    "dot-scaled": lambda: layers.Attention(use_scale=True, dropout=0.2),
    "concat": lambda: layers.Attention(score_mode="concat"),
    "concat-scaled": lambda: layers.Attention(score_mode="concat", use_scale=True),
    "additive": lambda: layers.AdditiveAttention(),
    "additive-plain": lambda: layers.AdditiveAttention(use_scale=False, dtype="float64"),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("masks", ["none", "value", "both"])
def test_attention(name, masks):
    given = Inputs(dynamic=masks == "both")
    inputs = [given(4, 3), given(5, 3), given(5, 3)]
    mask = None
    if masks != "none":
        mask = [given(4, dtype="bool") if masks == "both" else None, given(5, dtype="bool")]
    causal = masks != "value"
    given.agree(PLAIN[name]()(inputs, mask=mask, use_causal_mask=causal, return_attention_scores=masks == "none"))


@pytest.mark.parametrize("scale", [0.1, 10.0, 100.0])
def test_queries_without_keys_take_what_is_left_of_scores_less_1e9(scale):
    """float32 has one number in 64 there, so that the weights are equal, or those of a few of the largest scores."""
    query, value, mask = keras.Input((4, 3)), keras.Input((5, 3)), keras.Input((5,), dtype="bool")
    model = keras.Model([query, value, mask], layers.Attention()([query, value], mask=[None, mask]))
    agree(model, [rows((4, 3)) * scale, rows((5, 3), seed=2) * scale, np.zeros((7, 5), bool)])
