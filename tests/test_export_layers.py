"""The layers that convolve, pool, normalise, reshape and merge: the file predicts what Keras predicts."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers  # noqa: E402

import nnpack  # noqa: E402
from nnpack.engine.accuracy import evaluate  # noqa: E402
from nnpack.engine.reference import worst  # noqa: E402
from nnpack.exporters.keras import augmentation, coverage_layers  # noqa: E402
from nnpack.exporters.keras.refusals import REFUSED  # noqa: E402
from nnpack.exporters.keras.registry import LAYERS  # noqa: E402
from test_export import packed, randomised, rows  # noqa: E402

LAST, FIRST = "channels_last", "channels_first"


def agree(model, x):
    """`test_export.agree`, with Keras compiled where TensorFlow's CPU has no kernel: for channels first."""
    loaded = packed(randomised(model))
    try:
        theirs = model.predict(x, verbose=0)
    except Exception:
        model.compile(loss="mse", jit_compile=True)
        theirs = model.predict(x, verbose=0)
    ours, reference = loaded.predict(x), evaluate(loaded.document, loaded.fitted(x)).outputs
    (name,) = loaded.document.outputs
    assert (theirs.dtype, theirs.shape) == (ours.dtype, ours.shape)
    assert worst(theirs, reference[name])[0] <= 1
    assert worst(ours, reference[name])[0] <= 1
    return loaded


def numbers(shape, dtype="float32", seed=1):
    return rows(shape, n=5, seed=seed) if dtype == "float32" else np.abs(rows(shape, n=5, seed=seed)).astype(dtype)


def operators(loaded):
    return " ".join(layer.op.removesuffix("@1") for layer in loaded.layers)


def of_one(make, shape, dtype="float32", open_axes=()):
    x = keras.Input([None if axis in open_axes else n for axis, n in enumerate(shape)], dtype=dtype)
    return keras.Model(x, make()(x))


# name -> (shape of a row, layer, operators)
CASES = {
    "conv1d-valid": ((9, 4), lambda: layers.Conv1D(6, 3), "conv"),
    "conv1d-causal": ((9, 4), lambda: layers.Conv1D(6, 3, padding="causal", dilation_rate=2), "conv"),
    "conv1d-first": ((4, 9), lambda: layers.Conv1D(6, 3, data_format=FIRST), "transpose conv transpose"),
    "conv2d-same-strides": (
        (7, 10, 4),
        lambda: layers.Conv2D(6, (3, 5), strides=(2, 3), padding="same", activation="relu"),
        "conv relu",
    ),
    "conv2d-dilation": ((7, 10, 4), lambda: layers.Conv2D(6, 3, dilation_rate=(1, 2), use_bias=False), "conv"),
    "conv2d-groups": ((7, 10, 4), lambda: layers.Conv2D(6, 3, groups=2), "conv"),
    "conv2d-first-softmax": (
        (4, 7, 10),
        lambda: layers.Conv2D(6, 3, data_format=FIRST, activation="softmax"),
        "transpose conv transpose softmax",
    ),
    "conv2d-first-bias-along-columns": (
        (4, 7, 8),
        lambda: layers.Conv2D(6, 3, data_format=FIRST),
        "transpose conv transpose constant add",
    ),
    "conv2d-lora": ((7, 6, 4), lambda: layers.Conv2D(6, 3, lora_rank=2), "conv"),
    "conv3d": ((4, 5, 6, 2), lambda: layers.Conv3D(3, 2, strides=(1, 2, 1), padding="same"), "conv"),
    "depthwise1d": ((9, 4), lambda: layers.DepthwiseConv1D(3, depth_multiplier=2, strides=2), "conv"),
    "depthwise2d": ((7, 10, 4), lambda: layers.DepthwiseConv2D((3, 2), depth_multiplier=3, padding="same"), "conv"),
    "depthwise2d-first": (
        (4, 7, 10),
        lambda: layers.DepthwiseConv2D(3, data_format=FIRST, use_bias=False),
        "transpose conv transpose",
    ),
    "separable1d": ((9, 4), lambda: layers.SeparableConv1D(5, 3, strides=2, padding="same"), "conv conv"),
    "separable2d": (
        (7, 10, 4),
        lambda: layers.SeparableConv2D(5, 3, depth_multiplier=2, dilation_rate=2, activation="tanh"),
        "conv conv tanh",
    ),
    "transposed1d-valid": ((5, 4), lambda: layers.Conv1DTranspose(3, 4, strides=3), "conv_transpose"),
    "transposed1d-gaps": ((5, 4), lambda: layers.Conv1DTranspose(3, 2, strides=4), "conv_transpose"),
    "transposed1d-dilation": ((5, 4), lambda: layers.Conv1DTranspose(3, 3, dilation_rate=2), "conv_transpose"),
    "transposed2d-same": (
        (5, 6, 4),
        lambda: layers.Conv2DTranspose(3, (3, 4), strides=2, padding="same"),
        "conv_transpose",
    ),
    "transposed2d-output-padding": (
        (5, 6, 4),
        lambda: layers.Conv2DTranspose(3, (3, 5), strides=(2, 3), padding="same", output_padding=(1, 2)),
        "conv_transpose",
    ),
    "transposed2d-valid-output-padding": (
        (5, 6, 4),
        lambda: layers.Conv2DTranspose(3, 3, strides=2, output_padding=1, use_bias=False),
        "conv_transpose",
    ),
    "transposed3d": ((3, 4, 5, 2), lambda: layers.Conv3DTranspose(3, 3, strides=2, padding="same"), "conv_transpose"),
    "max-pool1d": ((9, 4), lambda: layers.MaxPooling1D(3, strides=2, padding="same"), "max_pool"),
    "max-pool2d": ((7, 10, 4), lambda: layers.MaxPooling2D((2, 3)), "max_pool"),
    "max-pool2d-first": ((4, 7, 10), lambda: layers.MaxPooling2D(2, data_format=FIRST), "transpose max_pool transpose"),
    "max-pool3d": ((4, 5, 6, 2), lambda: layers.MaxPooling3D(2, strides=1), "max_pool"),
    "average-pool1d": ((9, 4), lambda: layers.AveragePooling1D(2), "average_pool"),
    "average-pool2d": ((7, 10, 4), lambda: layers.AveragePooling2D(3, strides=2, padding="same"), "average_pool"),
    "average-pool3d": ((4, 5, 6, 2), lambda: layers.AveragePooling3D((1, 2, 2), padding="same"), "average_pool"),
    "global-average1d": ((9, 4), lambda: layers.GlobalAveragePooling1D(), "mean"),
    "global-average2d-first": ((4, 7, 6), lambda: layers.GlobalAveragePooling2D(data_format=FIRST), "mean"),
    "global-average3d": ((4, 5, 6, 2), lambda: layers.GlobalAveragePooling3D(keepdims=True), "mean"),
    "global-max1d-first": ((4, 9), lambda: layers.GlobalMaxPooling1D(data_format=FIRST, keepdims=True), "max"),
    "global-max2d": ((7, 6, 4), lambda: layers.GlobalMaxPooling2D(), "max"),
    "global-max3d": ((4, 5, 6, 2), lambda: layers.GlobalMaxPooling3D(), "max"),
    "layer-normalization": ((6, 5), lambda: layers.LayerNormalization(), "layer_normalization"),
    "layer-normalization-axes": ((4, 6, 5), lambda: layers.LayerNormalization(axis=(-1, 1)), "layer_normalization"),
    "layer-normalization-plain": (
        (6, 5),
        lambda: layers.LayerNormalization(center=False, scale=False, epsilon=0.1),
        "layer_normalization",
    ),
    "layer-normalization-axis": ((6, 5), lambda: layers.LayerNormalization(axis=1), "layer_normalization"),
    "group-normalization": ((4, 3, 6), lambda: layers.GroupNormalization(3), "group_normalization"),
    "group-normalization-axis": ((6, 5), lambda: layers.GroupNormalization(2, axis=1), "group_normalization"),
    "instance-normalization": ((4, 3, 6), lambda: layers.GroupNormalization(-1, scale=False), "group_normalization"),
    "unit-normalization": ((6, 5), lambda: layers.UnitNormalization(), "unit_normalization"),
    "unit-normalization-axes": ((4, 6, 5), lambda: layers.UnitNormalization(axis=(1, 3)), "unit_normalization"),
    "batch-normalization": ((4, 3, 6), lambda: layers.BatchNormalization(axis=2), "batch_normalization"),
    "spectral-dense": ((4,), lambda: layers.SpectralNormalization(layers.Dense(3)), "dense"),
    "spectral-conv": ((7, 6, 4), lambda: layers.SpectralNormalization(layers.Conv2D(3, 3)), "conv"),
    "cropping1d": ((9, 4), lambda: layers.Cropping1D((2, 3)), "slice"),
    "cropping2d": ((7, 10, 4), lambda: layers.Cropping2D(((1, 0), (0, 2))), "slice slice"),
    "cropping3d-first": ((2, 5, 6, 7), lambda: layers.Cropping3D((0, 1, 2), data_format=FIRST), "slice slice"),
    "cropping-nothing": ((7, 10, 4), lambda: layers.Cropping2D(((0, 0), (0, 0))), "identity"),
    "zero-padding1d": ((9, 4), lambda: layers.ZeroPadding1D((2, 0)), "pad"),
    "zero-padding2d": ((4, 7, 10), lambda: layers.ZeroPadding2D(((1, 2), (0, 3)), data_format=FIRST), "pad"),
    "zero-padding3d": ((4, 5, 6, 2), lambda: layers.ZeroPadding3D(1), "pad"),
    "up-sampling1d": ((9, 4), lambda: layers.UpSampling1D(3), "repeat"),
    "up-sampling3d": ((2, 3, 4, 5), lambda: layers.UpSampling3D((2, 1, 3), data_format=FIRST), "repeat repeat"),
    "permute": ((2, 3, 4), lambda: layers.Permute((3, 1, 2)), "transpose"),
    "repeat-vector": ((4,), lambda: layers.RepeatVector(3), "expand_dims repeat"),
    "flatten-first": ((2, 3, 4), lambda: layers.Flatten(data_format=FIRST), "transpose reshape"),
    "einsum-is-dense": (
        (3, 4),
        lambda: layers.EinsumDense("...x,xy->...y", (3, 6), bias_axes="y", activation="relu"),
        "dense relu",
    ),
    "einsum-heads": (
        (3, 4),
        lambda: layers.EinsumDense("abc,cde->abde", (3, 2, 5), bias_axes="de"),
        "constant einsum constant add",
    ),
    "einsum-right": (
        (4, 3, 2),
        lambda: layers.EinsumDense("ab...,bc->ac...", 6, bias_axes="c"),
        "constant einsum constant add",
    ),
    "einsum-bias-along-the-last-axis": (
        (3, 4),
        lambda: layers.EinsumDense("abc,cd->adb", (3, 3), bias_axes="d"),
        "constant einsum constant add",
    ),
    "prelu-shared": ((4, 3, 5), lambda: layers.PReLU(shared_axes=[1, 2]), None),
}

if hasattr(layers, "RMSNormalization"):
    CASES |= {
        "rms-normalization": ((6, 5), lambda: layers.RMSNormalization(), "rms_normalization"),
        "rms-normalization-axes": ((4, 6, 5), lambda: layers.RMSNormalization(axis=(-2, -1)), "rms_normalization"),
        "rms-normalization-other-axis": (
            (5, 5),
            lambda: layers.RMSNormalization(axis=1),
            "rms_normalization constant multiply",
        ),
    }
if hasattr(layers, "AdaptiveMaxPooling1D"):
    CASES |= {
        "adaptive-max1d": ((9, 4), lambda: layers.AdaptiveMaxPooling1D(4), "adaptive_max_pool"),
        "adaptive-average2d": ((7, 10, 4), lambda: layers.AdaptiveAveragePooling2D((3, 12)), "adaptive_average_pool"),
        "adaptive-max3d-first": (
            (2, 5, 6, 7),
            lambda: layers.AdaptiveMaxPooling3D((2, 3, 4), data_format=FIRST),
            "transpose adaptive_max_pool transpose",
        ),
    }


@pytest.mark.parametrize("name", CASES)
def test_layer(name):
    shape, make, expected = CASES[name]
    loaded = agree(of_one(make, shape), numbers(shape))
    assert expected is None or operators(loaded) == expected


OPEN = [
    "conv1d-causal",
    "conv2d-same-strides",
    "depthwise2d",
    "separable2d",
    "transposed2d-output-padding",
    "max-pool2d",
    "average-pool2d",
    "global-average3d",
    "layer-normalization",
    "group-normalization",
    "cropping1d",
    "cropping2d",
    "zero-padding3d",
    "up-sampling1d",
    "prelu-shared",
]


@pytest.mark.parametrize("name", OPEN)
def test_layer_of_open_sizes(name):
    shape, make, _ = CASES[name]
    agree(of_one(make, shape, open_axes=range(len(shape) - 1)), numbers(shape))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"])
@pytest.mark.parametrize("data_format", [LAST, FIRST])
def test_up_sampling_2d(interpolation, data_format):
    shape = (5, 7, 3) if data_format == LAST else (3, 5, 7)
    space = (0, 1) if data_format == LAST else (1, 2)

    def make():
        return layers.UpSampling2D((2, 3), interpolation=interpolation, data_format=data_format)

    agree(of_one(make, shape), numbers(shape))
    agree(of_one(make, shape, open_axes=space), numbers(shape))


def test_bias_of_channels_first_and_open_sizes_is_refused():
    x = keras.Input((4, None))
    with pytest.raises(nnpack.UnsupportedModelError, match="adds along the last axis once that has 6 elements"):
        nnpack.dumps(keras.Model(x, layers.Conv1D(6, 3, data_format=FIRST)(x)))
    agree(keras.Model(x, layers.Conv1D(6, 3, data_format=FIRST, use_bias=False)(x)), numbers((4, 9)))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float64"])
def test_max_pooling_of_other_dtypes(dtype):
    x = keras.Input((6, 4), dtype=dtype)
    layer = layers.MaxPooling1D(2, dtype="float64" if dtype == "float64" else None)
    loaded = packed(keras.Model(x, layer(x)))
    given = numbers((6, 4)).astype(dtype)
    assert np.array_equal(loaded.predict(given), given.reshape(5, 3, 2, 4).max(2))


@pytest.mark.parametrize(
    "make", [layers.LayerNormalization, lambda: layers.GroupNormalization(2), layers.UnitNormalization]
)
def test_integers_that_keras_would_cut_off_are_refused(make):
    with pytest.raises(nnpack.UnsupportedModelError, match="int32"):
        nnpack.dumps(of_one(make, (6, 4), dtype="int32"))


# Merging

DOTS = {
    "vectors": ((4,), (4,), 1),
    "last": ((3, 4), (5, 4), -1),
    "first": ((3, 4), (3, 5), 1),
    "mixed": ((3, 4), (4, 5), (2, 1)),
    "vector-and-matrix": ((4,), (4, 3), 1),
    "four": ((2, 3, 4), (5, 3, 6), (2, 2)),
}


@pytest.mark.parametrize("name", DOTS)
@pytest.mark.parametrize("normalize", [False, True])
def test_dot(name, normalize):
    a, b, axes = DOTS[name]
    inputs = [keras.Input(a), keras.Input(b)]
    model = keras.Model(inputs, layers.Dot(axes, normalize=normalize)(inputs))
    agree(model, [numbers(a), numbers(b, seed=2)])


def test_dot_over_an_open_axis():
    inputs = [keras.Input((None, 4)), keras.Input((None, 5))]
    agree(keras.Model(inputs, layers.Dot(1)(inputs)), [numbers((6, 4)), numbers((6, 5))])


MERGES = ["Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"]


@pytest.mark.parametrize("name", MERGES)
@pytest.mark.parametrize(("a", "b"), [("int32", "int32"), ("uint8", "int32"), ("bool", "float32")])
def test_merging_of_integers(name, a, b):
    inputs = [keras.Input((4,), dtype=a), keras.Input((4,), dtype=b)]
    model = keras.Model(inputs, getattr(layers, name)()(inputs))
    agree(model, [numbers((4,), a), numbers((4,), b, seed=2)])


@pytest.mark.parametrize("name", [*MERGES, "Concatenate"])
@pytest.mark.parametrize("both", [False, True])
def test_merging_of_masked_values(name, both):
    a, b = keras.Input((5, 4)), keras.Input((5, 4))
    masked = [layers.Masking()(a), layers.Masking()(b) if both else b]
    model = keras.Model([a, b], layers.GlobalAveragePooling1D()(getattr(layers, name)()(masked)))
    x = [numbers((5, 4)), numbers((5, 4), seed=2)]
    x[0][:, 1:3] = 0
    x[1][:, 2:4] = 0
    agree(model, x)


# Masks and tables


def test_masking_reaches_pooling_and_softmax():
    x = keras.Input((None, 4))
    y = layers.Dense(3)(layers.Masking(0.5)(x))
    pooled = layers.GlobalAveragePooling1D(keepdims=True)(y)
    given = numbers((6, 4))
    given[:, 2:4] = 0.5
    agree(keras.Model(x, pooled), given)


@pytest.mark.parametrize("shape", [(5, 4), (1, 4), (5, 1)])
@pytest.mark.parametrize("dtype", ["bool", "float32"])
@pytest.mark.parametrize("axis", [-1, (1, 2)])
def test_softmax_with_mask(shape, dtype, axis):
    x, mask = keras.Input((5, 4)), keras.Input(shape, dtype=dtype)
    model = keras.Model([x, mask], layers.Softmax(axis)(x, mask=mask))
    kept = np.random.RandomState(3).randint(0, 2, (5, *shape)).astype(dtype)
    kept[0] = 0
    agree(model, [numbers((5, 4)), kept])


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float32"])
def test_embedding(dtype):
    x = keras.Input((5,), dtype=dtype)
    y = layers.GlobalAveragePooling1D()(layers.Embedding(11, 4, mask_zero=True)(x))
    agree(keras.Model(x, y), np.array([[1, 2, 0, 10, 0], [3, 0, 0, 0, 1]], dtype))


@pytest.mark.skipif(not hasattr(layers, "ReversibleEmbedding"), reason="Keras 3.12")
@pytest.mark.parametrize("tie_weights", [True, False])
def test_reversible_embedding(tie_weights):
    x = keras.Input((None,), dtype="int32")
    layer = layers.ReversibleEmbedding(11, 4, tie_weights=tie_weights, logit_soft_cap=3.0, mask_zero=True)
    y = layer(x)
    pooled = layers.RepeatVector(2)(layers.GlobalAveragePooling1D()(y))
    loaded = agree(
        keras.Model(x, layer(layers.Dense(4)(pooled), reverse=True)), np.array([[1, 2, 0, 10], [3, 0, 0, 0]], np.int32)
    )
    tables = [name for name in loaded.weights if "embeddings" in name or "reverse" in name]
    assert len(tables) == (1 if tie_weights else 2)


# Augmentation

_ARGUMENTS = {
    "MaxNumBoundingBoxes": {"max_number": 4},
    "RandomBrightness": {"factor": 0.5},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomContrast": {"factor": 0.5},
    "RandomCrop": {"height": 5, "width": 6},
    "RandomHue": {"factor": 0.5},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.3},
    "RandomSaturation": {"factor": 0.5},
    "RandomSharpness": {"factor": 0.5},
    "RandomShear": {"x_factor": 0.3},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3},
    "RandomZoom": {"height_factor": 0.3},
}


@pytest.mark.parametrize(
    "name", [name for name in augmentation.NAMES if hasattr(layers, name) and name != "Equalization"]
)
def test_augmentation_vanishes(name):
    for dtype in ("float32", "uint8"):
        model = of_one(lambda: getattr(layers, name)(**_ARGUMENTS.get(name, {})), (9, 8, 3), dtype)
        loaded = agree(model, numbers((9, 8, 3), dtype) * 9)
        assert operators(loaded) == ("identity" if dtype == "float32" else "cast")


# Every layer of Keras


def classes():
    return sorted({found.__name__ for _, found in inspect.getmembers(layers, inspect.isclass)})


@pytest.mark.parametrize("name", classes())
def test_every_class_of_keras_layers_is_classified(name):
    assert coverage_layers.what_becomes_of(name) is not None


def test_no_class_is_classified_twice():
    kinds = [coverage_layers.EXPORTED, coverage_layers.VANISHING, coverage_layers.NO_LAYERS, REFUSED.keys()]
    names = [name for kind in kinds for name in kind]
    assert len(set(names)) == len(names)


def test_what_has_a_handler_is_classified_as_exported():
    handled = {cls.__name__ for cls in LAYERS if cls.__module__.startswith("keras.")}
    assert handled <= coverage_layers.EXPORTED | coverage_layers.VANISHING | coverage_layers.NO_LAYERS
    assert {name for name in coverage_layers.VANISHING if hasattr(layers, name)} <= handled


@pytest.mark.parametrize("name", ["AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization"])
def test_layers_that_are_refused_say_why(name):
    if not hasattr(layers, name):
        pytest.skip("a later Keras")
    x = keras.Input((8, 8, 3))
    with pytest.raises(nnpack.UnsupportedModelError, match="stretches the colours"):
        nnpack.dumps(keras.Model(x, getattr(layers, name)()(x)))
