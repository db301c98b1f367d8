"""Preprocessing layers: bins, categories, vocabularies of integers and strings, image sizes."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers  # noqa: E402

import nnpack  # noqa: E402
from nnpack.engine.accuracy import evaluate  # noqa: E402
from nnpack.engine.reference import worst  # noqa: E402


def agree(model, x):
    """Keras's own answer is within the derived tolerance of the file's reference, and nnpack's is too."""
    loaded = nnpack.loads(nnpack.dumps(model))
    tensors = [keras.ops.convert_to_tensor(array) for array in (x if isinstance(x, list) else [x])]
    theirs = np.asarray(model(tensors if len(tensors) > 1 else tensors[0], training=False))
    ours = loaded.predict(x)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    reference = evaluate(loaded.document, loaded.fitted(x)).outputs[loaded.document.outputs[0]]
    assert worst(theirs, reference)[0] <= 1
    assert worst(ours, reference)[0] <= 1
    return loaded


def applied(layer, shape, dtype="float32"):
    x = keras.Input(shape, dtype=dtype)
    return keras.Model(x, layer(x))


def reals(shape, low=-3.0, high=3.0, n=7):
    return np.random.RandomState(0).uniform(low, high, (n, *shape)).astype(np.float32)


def integers(shape, high, dtype="int64", n=7):
    return np.random.RandomState(0).randint(0, high, (n, *shape)).astype(dtype)


def refusal(model):
    with pytest.raises(nnpack.UnsupportedModelError) as caught:
        nnpack.dumps(model)
    (problem,) = caught.value.problems
    return problem


# Rescaling and Normalization


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int32", "bool"])
def test_rescaling_of_every_dtype(dtype):
    x = reals((3, 2)).astype(dtype) if dtype.startswith("float") else integers((3, 2), 2, dtype)
    agree(applied(layers.Rescaling([1 / 127.5, 3], offset=[-1, 0.25]), (3, 2), dtype), x)


@pytest.mark.parametrize(
    "arguments",
    [
        {"axis": None, "mean": 0.5, "variance": 2.0},
        {"axis": (1, 3), "mean": np.arange(6.0).reshape(2, 3), "variance": np.arange(1.0, 7).reshape(2, 3)},
        {"axis": (3, 1), "mean": [1.0, 2, 3], "variance": [4.0, 0, 2]},
        {"axis": 2, "mean": [1.0, 2, 3, 4], "variance": [4.0, 5, 6, 7], "invert": True},
        {"axis": -1, "mean": 0.5, "variance": 0.0, "invert": True},
    ],
    ids=["none", "two-axes", "unsorted-axes", "inner-inverted", "scalar-inverted"],
)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_normalization(arguments, dtype):
    x = reals((2, 4, 3)) if dtype == "float32" else integers((2, 4, 3), 200, dtype)
    agree(applied(layers.Normalization(**arguments), (2, 4, 3), dtype), x)


# Bins

MODES = ["int", "one_hot", "multi_hot", "count"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(1,), (4,), (2, 3)], ids=str)
def test_discretization(mode, shape):
    agree(applied(layers.Discretization(bin_boundaries=[-1.0, 0.1, 2], output_mode=mode), shape), reals(shape))


@pytest.mark.parametrize("dtype", ["float64", "uint8", "int8", "int64", "bool"])
def test_discretization_of_every_dtype(dtype):
    x = reals((4,)).astype(dtype) if dtype == "float64" else integers((4,), 2, dtype)
    agree(applied(layers.Discretization(bin_boundaries=[0.0, 0.1, 1, 3]), (4,), dtype), x)
    agree(applied(layers.Discretization(bin_boundaries=[0.0, 0.1, 1], dtype="float64"), (4,), dtype), x)


def test_discretization_borders_are_float32():
    x = np.array([[0.1, np.float32(0.1), 0.1000000014, 0.0999999]])
    agree(applied(layers.Discretization(bin_boundaries=[0.1], dtype="float64"), (4,), "float64"), x)


def test_discretization_that_adapted_to_repeated_numbers():
    layer = layers.Discretization(num_bins=8, output_mode="int")
    layer.adapt(np.array([0.0] * 50 + [1.0] * 30 + [2.5, 3.0, 7.0] * 7)[:, np.newaxis])
    assert len(set(layer.bin_boundaries)) < len(layer.bin_boundaries)
    agree(applied(layer, (3,)), reals((3,), -1, 8))


def test_discretization_into_one_bin():
    agree(applied(layers.Discretization(bin_boundaries=[], output_mode="one_hot"), (3,)), reals((3,)))


def test_discretization_that_did_not_adapt():
    layer = layers.Discretization(num_bins=4)
    model = applied(layer, (3,))
    assert "boundaries" in refusal(model).received
    layer.bin_boundaries = [0.0, np.inf]
    assert "finite" in refusal(model).expected


# Categories


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("shape", [(1,), (4,), (2, 3), (3, 1)], ids=str)
def test_category_encoding(mode, shape):
    agree(applied(layers.CategoryEncoding(5, output_mode=mode), shape, "int32"), integers(shape, 7, "int32"))


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_category_encoding_of_every_dtype(mode, dtype):
    agree(applied(layers.CategoryEncoding(5, output_mode=mode), (4,), dtype), integers((4,), 2, dtype))


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_category_encoding_of_bytes(dtype):
    agree(applied(layers.CategoryEncoding(5, output_mode="one_hot"), (4,), dtype), integers((4,), 5, dtype))


def test_category_encoding_of_scalars():
    agree(applied(layers.CategoryEncoding(5, output_mode="one_hot"), (), "int64"), integers((), 6))
    assert "batch" in refusal(applied(layers.CategoryEncoding(5), (), "int64")).received


@pytest.mark.parametrize("shape", [(4,), (1,)], ids=str)
def test_category_encoding_with_weights(shape):
    x, weights = keras.Input(shape, dtype="int64"), keras.Input(shape)
    model = keras.Model([x, weights], layers.CategoryEncoding(5, output_mode="count")(x, count_weights=weights))
    agree(model, [integers(shape, 5), reals(shape)])


def test_one_hot_of_an_unknown_length():
    assert "(batch, " in refusal(applied(layers.CategoryEncoding(5, output_mode="one_hot"), (None,), "int64")).received


def test_sparse_outputs():
    for layer in (
        layers.CategoryEncoding(5, sparse=True),
        layers.StringLookup(vocabulary=["a"], output_mode="count", sparse=True),
        layers.Discretization(bin_boundaries=[0.0], output_mode="one_hot", sparse=True),
    ):
        dtype = {"StringLookup": "string", "CategoryEncoding": "int32"}.get(type(layer).__name__, "float32")
        assert refusal(applied(layer, (3,), dtype)).received == "sparse=True"


# Vocabularies

WORDS = ["zebra", "a", "né", "日本語", "a b", "\U0001f600", "e\u0301", "é", " a", "A"]
OTHERS = ["", "b", "n", "Zebra", "日本", "\ufeffa", "a\0"]


def strings(shape, words=(*WORDS, *OTHERS)):
    words = np.array(words, object)
    return words[np.random.RandomState(0).randint(0, len(words), (40, *shape))]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mask", [None, "", "b"], ids=["no-mask", "empty-mask", "mask"])
@pytest.mark.parametrize("shape", [(1,), (4,), (2, 3)], ids=str)
def test_string_lookup(mode, mask, shape):
    layer = layers.StringLookup(None, 1, mask, "n", WORDS, output_mode=mode)
    agree(applied(layer, shape, "string"), strings(shape))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mask", [None, 7], ids=["no-mask", "mask"])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_integer_lookup(mode, mask, dtype):
    layer = layers.IntegerLookup(vocabulary=[12, 3, 6, 200], output_mode=mode, mask_token=mask)
    agree(applied(layer, (4,), dtype), np.array([[12, 3, 6, 200], [7, 0, 99, 3], [1, 1, 12, 12]], dtype))


def test_integer_lookup_of_large_and_negative_numbers():
    layer = layers.IntegerLookup(vocabulary=[2**60 + 1, -5], mask_token=0)
    agree(applied(layer, (4,), "int64"), np.array([[2**60 + 1, 2**60, -5, 0]]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mask", [None, "x"], ids=["no-mask", "mask"])
def test_a_lookup_that_knows_all_its_words(mode, mask):
    layer = layers.StringLookup(vocabulary=WORDS, output_mode=mode, mask_token=mask, num_oov_indices=0)
    words = WORDS if mask is None else [*WORDS, mask]
    loaded = agree(applied(layer, (4,), "string"), strings((4,), words))
    with pytest.raises(nnpack.InputError, match="index-range"):
        loaded.predict(np.array([["a", "a", "unheard", "a"]]))


def test_an_integer_lookup_that_knows_all_its_integers():
    layer = layers.IntegerLookup(vocabulary=[500, -3, 70_000], num_oov_indices=0)
    loaded = agree(applied(layer, (2,), "int32"), np.array([[500, -3], [70_000, 500]], "int32"))
    with pytest.raises(nnpack.InputError, match="index-range"):
        loaded.predict(np.array([[0, 500]]))


@pytest.mark.parametrize("mask", [None, ""], ids=["no-mask", "mask"])
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count", "tf_idf"])
def test_lookups_padded_to_their_largest_size(mask, padded, mode):
    idf = {"idf_weights": [0.25, 0.75, 0.6]} if mode == "tf_idf" else {}
    layer = layers.StringLookup(
        9, vocabulary=["a", "b", "c"], mask_token=mask, output_mode=mode, pad_to_max_tokens=padded, **idf
    )
    agree(applied(layer, (6,), "string"), strings((6,), ["a", "b", "c", "", "z"]))


def test_adapted_lookups():
    layer = layers.StringLookup(output_mode="tf_idf", max_tokens=3)
    layer.adapt([["a", "c", "d", "d"], ["d", "z", "b", "z"]])
    agree(applied(layer, (3,), "string"), strings((3,), ["a", "d", "z", "q"]))
    number = layers.IntegerLookup(output_mode="multi_hot")
    number.adapt(np.array([[5, 5, -7], [5, 9, 9]]))
    agree(applied(number, (3,), "int64"), np.array([[5, -7, 9], [0, 0, 5]]))


def test_vocabularies_of_one_word_and_of_none():
    agree(applied(layers.StringLookup(vocabulary=["é"]), (2,), "string"), strings((2,)))
    agree(applied(layers.StringLookup(vocabulary=["", "a"]), (2,), "string"), strings((2,)))
    for mask in (None, "a"):
        assert "empty" in refusal(applied(layers.StringLookup(mask_token=mask), (2,), "string")).received
    assert "empty string" in refusal(applied(layers.StringLookup(vocabulary=[""]), (2,), "string")).received


def test_lookups_that_are_refused():
    inverted = layers.StringLookup(vocabulary=["a"], invert=True)
    assert "invert" in refusal(applied(inverted, (2,), "int64")).received
    hashed = layers.IntegerLookup(vocabulary=[1], num_oov_indices=3)
    assert "num_oov_indices=3" in refusal(applied(hashed, (2,), "int64")).received


def test_a_table_of_strings_and_numbers():
    colour, size = keras.Input((1,), dtype="string", name="colour"), keras.Input((2,), name="size")
    number = layers.StringLookup(vocabulary=["red", "green", "blau"])(colour)
    embedded = layers.Flatten()(layers.Embedding(4, 3)(number))
    model = keras.Model({"colour": colour, "size": size}, layers.Dense(2)(layers.Concatenate()([embedded, size])))
    loaded = nnpack.loads(nnpack.dumps(model))
    x = {"colour": strings((1,), ["red", "blau", "green", "x"]), "size": reals((2,), n=40)}
    theirs = model({name: keras.ops.convert_to_tensor(array) for name, array in x.items()})
    np.testing.assert_allclose(loaded.predict(x), np.asarray(theirs), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(loaded.predict(x), loaded.predict({**x, "colour": x["colour"][:, 0].astype("U")}))
    assert loaded.document.selftest is None


def test_strings_go_nowhere_but_into_a_lookup():
    x = keras.Input((2,), dtype="string")
    y = layers.StringLookup(vocabulary=["a"])(x)
    assert (
        "string" in refusal(keras.Model(x, layers.StringLookup(vocabulary=["a"])(layers.Reshape((1, 2))(x)))).received
    )
    with pytest.raises(nnpack.NnpackError):
        nnpack.dumps(keras.Model(x, [x, y]))


# Image sizes


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"])
@pytest.mark.parametrize("antialias", [False, True], ids=["plain", "antialias"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_resizing(interpolation, antialias, dtype):
    x = reals((7, 10, 3)) if dtype == "float32" else integers((7, 10, 3), 256, dtype)
    for size in ((5, 14), (7, 10)):
        agree(applied(layers.Resizing(*size, interpolation, antialias=antialias), (7, 10, 3), dtype), x)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keep", ["crop_to_aspect_ratio", "pad_to_aspect_ratio"])
@pytest.mark.parametrize("size", [(6, 6), (4, 9), (12, 5), (7, 1)], ids=str)
def test_resizing_that_keeps_the_aspect_ratio(layout, keep, size):
    shape = (9, 14, 2) if layout == "channels_last" else (2, 9, 14)
    layer = layers.Resizing(*size, data_format=layout, fill_value=-0.7, **{keep: True})
    agree(applied(layer, shape), reals(shape))


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
@pytest.mark.parametrize("size", [(4, 5), (9, 14), (3, 20), (13, 17), (1, 1), (10, 3)], ids=str)
def test_center_crop(layout, size):
    shape = (9, 14, 2) if layout == "channels_last" else (2, 9, 14)
    agree(applied(layers.CenterCrop(*size, data_format=layout), shape), reals(shape))


def test_center_crop_of_integers():
    agree(applied(layers.CenterCrop(3, 4), (8, 9, 2), "uint8"), integers((8, 9, 2), 256, "uint8"))


def test_images_of_unknown_size():
    model = applied(layers.Resizing(6, 5), (None, None, 3))
    agree(model, reals((9, 4, 3)))
    agree(model, reals((2, 11, 3)))
    for layer in (layers.CenterCrop(3, 3), layers.Resizing(3, 3, crop_to_aspect_ratio=True)):
        assert "known height" in refusal(applied(layer, (None, 8, 3))).expected


def test_a_single_image_has_no_batch():
    assert "without batch" in refusal(applied(layers.Resizing(3, 3), (8, 3))).received
