"""Layers that turn what a table has into what a network takes: bins, categories, vocabularies, image sizes.

(Normalization is in normalization.py, Rescaling in core.py.)
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from nnpack.exporters.keras.call import Call, Ref, to_numpy
from nnpack.exporters.keras.layout import channels_first, channels_last
from nnpack.exporters.keras.operands import integral, limits
from nnpack.exporters.keras.registry import handles
from nnpack.exporters.keras.shapes import sliced
from nnpack.format.document import Value, show
from nnpack.format.dtypes import FLOATS

# Bins


@handles(layers.Discretization)
def discretization(call: Call) -> Value:
    layer = call.operation
    if layer.bin_boundaries is None:
        raise call.refuse("no bin boundaries", "the layer after adapt(), or with bin_boundaries")
    indices = _bins(call, call.inputs[0])
    if layer.output_mode == "int":
        return indices
    return encoded(call, indices, len(layer.bin_boundaries) + 1, layer.compute_dtype)


def _bins(call: Call, x: Value) -> Value:
    """How many boundaries are at most x; several of them may be equal, because quantiles often are."""
    boundaries = np.asarray(call.operation.bin_boundaries, np.float32)  # TensorFlow's type of them
    if not np.isfinite(boundaries).all() or (np.diff(boundaries) < 0).any():
        raise call.refuse(f"bin_boundaries {boundaries.tolist()}", "finite boundaries that ascend")
    x = call.cast(x, "float32")
    if not len(boundaries):
        return call.cast(call.emit("less", [x, x]), "int32")
    different, times = np.unique(boundaries, return_counts=True)
    indices = call.emit("bucketize", [x], {"boundaries": different})
    if (times == 1).all():
        return indices
    counts = np.cumsum([0, *times], dtype=np.float64)  # which no smaller storage type changes
    found = call.emit("embedding", [indices], {"embeddings": counts[:, np.newaxis]}, part="counts")
    return call.cast(_squeezed(call, found), "int32")


# Categories


@handles(layers.CategoryEncoding)
def category_encoding(call: Call) -> Value:
    layer, weights = call.operation, call.arguments.get("count_weights")
    indices = integral(call, call.value(call.arguments["inputs"]))
    if weights is None:
        return encoded(call, indices, layer.num_tokens, layer.dtype)
    if not isinstance(weights, Ref):
        raise call.refuse("count_weights that are the same for all rows", "count_weights that are an input")
    return encoded(call, indices, layer.num_tokens, layer.compute_dtype, call.value(weights))


def encoded(call: Call, indices: Value, depth: int, dtype: str, count_weights: Value | None = None) -> Value:
    """Integers as the layer's output_mode has them: one_hot, multi_hot or count. What is not below depth is dropped.

    Args:
        indices: integers (batch, …).
        depth: how many different ones there are.
        dtype: what the ones and counts are.
        count_weights: what is counted instead of ones, of the shape of indices.
    """
    mode, rank = call.operation.output_mode, len(indices.shape)
    if call.operation.sparse:
        raise call.refuse("sparse=True", "sparse=False")
    if mode == "one_hot":
        if rank > 1 and isinstance(indices.shape[-1], str):
            reason = f"one_hot of shape {show(indices.shape)}, whose last axis Keras drops where it is 1"
            raise call.refuse(reason, "a last axis of known size")
        indices = _squeezed(call, indices) if rank > 1 and indices.shape[-1] == 1 else indices
        return call.emit("one_hot", [indices], attributes={"num_classes": depth, "dtype": dtype})
    if rank == 1:
        raise call.refuse(f"{mode} along the batch", "an input of shape (batch, 1), such as keras.Input((1,))")
    hot = call.emit("one_hot", [indices], attributes={"num_classes": depth, "dtype": dtype})
    if count_weights is not None:
        axis = {"axis": len(count_weights.shape)}
        hot = call.emit("multiply", [hot, call.emit("expand_dims", [call.cast(count_weights, dtype)], attributes=axis)])
    # Keras treats the first axis behind the batch as the sample's, also where there are more
    return call.emit("max" if mode == "multi_hot" else "sum", [hot], attributes={"axes": [1], "keepdims": False})


def _squeezed(call: Call, x: Value) -> Value:
    return call.emit("squeeze", [x], attributes={"axes": [len(x.shape) - 1]})


# Vocabularies


@handles(layers.IntegerLookup, layers.StringLookup)
def lookup(call: Call) -> Value:
    layer = call.operation
    if layer.invert:
        raise call.refuse("invert=True: the output would be the vocabulary's entries", "a lookup that gives integers")
    if layer.num_oov_indices > 1:
        reason = f"num_oov_indices={layer.num_oov_indices}: words outside the vocabulary are hashed by TensorFlow"
        raise call.refuse(reason, "num_oov_indices=1")
    places = _integer_places(call) if isinstance(layer, layers.IntegerLookup) else _string_places(call)
    indices = _numbered(call, places)
    if layer.output_mode == "int":
        return indices
    if layer.mask_token is not None:  # below 0, where it is dropped
        indices = call.emit("subtract", [indices, call.constant(1, "int64", "mask_index")])
    depth = layer.max_tokens if layer.pad_to_max_tokens else layer.vocabulary_size()
    if layer.output_mode != "tf_idf":
        return encoded(call, indices, depth, "int64")  # Keras says floats, and answers integers
    idf_weights = to_numpy(layer.idf_weights_const)
    counts = encoded(call, indices, depth, str(idf_weights.dtype))
    return call.emit("multiply", [counts, call.constant(idf_weights, str(idf_weights.dtype), "idf_weights")])


def _integer_places(call: Call) -> Value:
    vocabulary = [int(token) for token in _tokens(call)]
    return call.emit("integer_lookup", [call.cast(call.inputs[0], "int64")], {"vocabulary": np.array(vocabulary)})


def _string_places(call: Call) -> Value:
    entries = [token.encode() if isinstance(token, str) else token for token in _tokens(call)]
    joined = b"".join(entries)
    try:
        for entry in entries:
            entry.decode()
    except UnicodeDecodeError as error:
        raise call.refuse(f"a vocabulary that is not UTF-8: {entry!r}", "a vocabulary of UTF-8 text") from error
    if not joined:
        raise call.refuse("a vocabulary of the empty string alone", "a vocabulary of at least one character")
    weights = {
        "vocabulary": np.frombuffer(joined, np.uint8),
        "offsets": np.cumsum([0, *map(len, entries)], dtype=np.int64),
    }
    return call.emit("string_lookup", [call.inputs[0]], weights)


def _tokens(call: Call) -> list[Any]:
    """What the layer's table has, in the order of its numbers; the mask token, which Keras looks up apart, first."""
    layer = call.operation
    if not int(layer.lookup_table.size()):
        raise call.refuse("an empty vocabulary", "the layer after adapt(), or with a vocabulary")
    keys, numbers = (np.asarray(part) for part in layer.lookup_table.export())
    mask = [] if layer.mask_token is None else [layer.mask_token]
    return [*mask, *keys[np.argsort(numbers)]]


def _numbered(call: Call, places: Value) -> Value:
    """Keras's numbers of the places in `_tokens`: the mask is 0, then what is outside the vocabulary, then the rest."""
    if not call.operation.num_oov_indices:
        return _inside(call, places)
    one = call.constant(1, "int64", "one")
    if call.operation.mask_token is None:
        return call.emit("add", [places, one])
    # -1, 0, 1, 2, … become 1, 0, 2, 3, …
    positive = call.cast(call.emit("greater_equal", [places, one]), "int64")
    return call.emit("add", [call.emit("abs", [places]), positive])


def _inside(call: Call, places: Value) -> Value:
    """The places; where one is -1 the call fails (`index-range`), as it does in Keras.

    Each place is taken from a list of one, at the index 1 if it is negative.
    """
    axis = {"axis": len(places.shape)}
    outside = call.cast(call.emit("less", [places, call.constant(0, "int64", "zero")]), "int64")
    lists, indices = (call.emit("expand_dims", [value], attributes=axis) for value in (places, outside))
    return _squeezed(call, call.emit("take_along_axis", [lists, indices], attributes=axis, part="inside"))


# Image sizes


@handles(layers.Resizing)
def resizing(call: Call) -> Value:
    layer = call.operation
    image = _image(call)
    size = (layer.height, layer.width)
    if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
        height, width = _known_size(call, image)
        # Keras on TensorFlow does this in float32
        fitted = (_scaled(width, size[0], size[1], np.float32), _scaled(height, size[1], size[0], np.float32))
        if layer.crop_to_aspect_ratio:
            image = _cropped(call, image, *(max(min(n, m), 1) for n, m in zip((height, width), fitted, strict=True)))
        else:
            image = _bordered(call, image, fitted)
    return _as_given(call, resized(call, image, size, layer.interpolation, layer.antialias))


@handles(layers.CenterCrop)
def center_crop(call: Call) -> Value:
    layer = call.operation
    image = call.cast(_image(call), layer.compute_dtype)
    height, width = _known_size(call, image)
    if height >= layer.height and width >= layer.width:
        return _as_given(call, _cropped(call, image, layer.height, layer.width))
    # keras.utils.image_utils.smart_resize
    crop_height = max(min(height, _scaled(width, layer.height, layer.width, np.float64)), 1)
    crop_width = max(min(width, _scaled(height, layer.width, layer.height, np.float64)), 1)
    image = _cropped(call, image, crop_height, crop_width)
    return _as_given(call, resized(call, image, (layer.height, layer.width), "bilinear", False))


def resized(call: Call, image: Value, size: tuple[int, int], interpolation: str, antialias: bool) -> Value:
    """Images (batch, height, width, channels) of another size and the same dtype, as TensorFlow and Keras compute it.

    TensorFlow computes in float32, but for nearest; Keras rounds and clips the result to the dtype of the images.
    """
    dtype = image.dtype
    attributes = {"size": list(size), "interpolation": interpolation, "antialias": bool(antialias)}
    if interpolation == "nearest":
        return call.emit("resize", [image], attributes=attributes)
    y = call.emit("resize", [call.cast(image, "float32")], attributes=attributes)
    if dtype in FLOATS:
        return call.cast(y, dtype)
    lowest, highest = limits("float32", dtype)
    y = call.emit("maximum", [call.emit("round", [y]), call.constant(lowest, "float32", "lowest")])
    return call.cast(call.emit("minimum", [y, call.constant(highest, "float32", "highest")]), dtype)


def _image(call: Call) -> Value:
    """The images, channels last."""
    given = next(iter(call.arguments.values()))
    if not isinstance(given, Ref):
        raise call.refuse("a dict of images and labels", "a call on the images alone")
    image = as_images(call, call.value(given))
    return channels_last(call, image) if call.operation.data_format == "channels_first" else image


def as_images(call: Call, x: Value) -> Value:
    """x, which has to be a batch of images."""
    if len(x.shape) != 4:
        raise call.refuse(f"an image without batch, of shape {show(x.shape)}", "images (batch, height, width, …)")
    return x


def _as_given(call: Call, image: Value) -> Value:
    """Images in the data_format of the layer."""
    return channels_first(call, image) if call.operation.data_format == "channels_first" else image


def _known_size(call: Call, image: Value) -> tuple[int, int]:
    height, width = image.shape[1:3]
    if isinstance(height, int) and isinstance(width, int):
        return height, width
    raise call.refuse(f"a crop or border of images {show(image.shape)}", "images of known height and width")


def _scaled(n: int, target: int, of: int, dtype: Any) -> int:
    """n · target / of, rounded towards 0 as Keras's own arithmetic does."""
    return int(dtype(n * target) / dtype(of))


def _cropped(call: Call, image: Value, height: int, width: int) -> Value:
    for axis, n in ((1, height), (2, width)):
        whole = image.shape[axis]
        if isinstance(whole, int) and n < whole:
            start = (whole - n) // 2
            image = sliced(call, image, axis, start, start + n)
    return image


def _bordered(call: Call, image: Value, size: tuple[int, int]) -> Value:
    """Images with borders of fill_value: one row or column too few where the difference is odd, as in Keras."""
    if keras.backend.is_int_dtype(image.dtype) and call.operation.fill_value != int(call.operation.fill_value):
        raise call.refuse(f"fill_value={call.operation.fill_value} in {image.dtype}", "a whole fill_value")
    borders = [max(n - m, 0) // 2 for n, m in zip(size, image.shape[1:3], strict=True) if isinstance(m, int)]
    if not any(borders):
        return image
    width = [0, 0, borders[0], borders[0], borders[1], borders[1], 0, 0]
    attributes = {"pad_width": width, "mode": "constant", "constant_value": float(call.operation.fill_value)}
    return call.emit("pad", [image], attributes=attributes)
