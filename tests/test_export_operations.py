"""Every function of keras.ops: the file predicts what Keras predicts, or dump refuses, and says why."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the exporter needs Keras")

from keras import layers, ops  # noqa: E402

import nnpack  # noqa: E402
from nnpack.exporters.keras import coverage  # noqa: E402
from test_export import agree, problems, randomised  # noqa: E402

BOOL, INT, FLOAT, DOUBLE, BYTE = "bool", "int32", "float32", "float64", "uint8"


def named():
    """The names of all functions of keras.ops and of its modules."""
    modules = (ops, ops.image, ops.linalg, ops.nn, ops.numpy)
    functions = [inspect.getmembers(module, callable) for module in modules]
    return {name for members in functions for name, _ in members if not name.startswith("_")}


def sample(shape, dtype, seed, n=7):
    random = np.random.RandomState(seed)
    if dtype == BOOL:
        return random.uniform(size=(n, *shape)) < 0.5
    if dtype in (INT, BYTE, "int8", "int64"):
        return random.randint(0 if dtype == BYTE else -4, 5, (n, *shape)).astype(dtype)
    return random.uniform(-3, 3, (n, *shape)).astype(FLOAT).astype(dtype)  # predict rounds so


def inputs(*specs):
    """keras.Inputs of specs, each a shape, or a shape and a dtype; unknown dimensions are 3 in the arrays."""
    specs = [spec if spec and isinstance(spec[-1], str) else (*spec, FLOAT) for spec in specs]
    tensors = [keras.Input(spec[:-1], dtype=spec[-1], name=f"x{i}") for i, spec in enumerate(specs)]
    arrays = [sample([n or 3 for n in spec[:-1]], spec[-1], i) for i, spec in enumerate(specs)]
    return tensors, arrays


class Calls(layers.Layer):
    """A layer that calls a function; some of keras.ops Keras can only call so, and eagerly."""

    def __init__(self, function):
        super().__init__(autocast=False)
        self.function = function

    def call(self, *xs):
        made = self.function(*xs)
        return list(made) if isinstance(made, list | tuple) else made

    def compute_output_spec(self, *xs):
        return keras.tree.map_structure(lambda y: keras.KerasTensor(y.shape, y.dtype), self.call(*xs))


def exported(function, *specs):
    """The loaded file of a model that calls a function, which agrees with Keras."""
    tensors, arrays = inputs(*specs)
    model = keras.Model(tensors, Calls(function)(*tensors))
    model.compile(run_eagerly=True)
    return agree(model, arrays if len(arrays) > 1 else arrays[0])


A = np.linspace(-1.2, 1.7, 24, dtype=np.float32).reshape(4, 6)
KERNEL = np.linspace(-1, 1.3, 3 * 2 * 4 * 5, dtype=np.float32).reshape(3, 2, 4, 5)
M = (4, 6)
IMAGE = (7, 8, 4)
SQUARE = (5, 5)


def unary(name):
    return lambda x: getattr(ops, name)(x)


def binary(name):
    def several(x, y):
        f = getattr(ops, name)
        more = [] if name in ("heaviside", "hypot") else [f(x, 0.7), f(2, y)]  # of which Keras asks a dtype
        return [f(x, y), f(x, A), f(A[:, :1], y), *more]

    return several


def reduction(name):
    def several(x):
        f = getattr(ops, name)
        return [f(x, axis=1), f(x, axis=-1, keepdims=True), f(x, axis=(2, 1))]

    return several


# name -> a function of symbolic tensors, and their shapes
UNARY = """
    abs absolute angle arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil celu conj conjugate copy cos cosh deg2rad
    elu erf erfc exp exp2 expm1 fabs floor gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh imag isfinite
    isinf isnan isneginf isposinf isreal leaky_relu log log10 log1p log2 log_sigmoid negative rad2deg real reciprocal
    relu relu6 rsqrt selu sigmoid sign silu sin sinc sinh soft_shrink softplus softsign sparse_plus sparse_sigmoid sqrt
    square squareplus stop_gradient swish tan tanh tanh_shrink trunc signbit nan_to_num
"""
BINARY = """
    add arctan2 divide divide_no_nan equal floor_divide fmax fmin fmod greater greater_equal heaviside hypot isclose
    less less_equal logaddexp logaddexp2 maximum minimum mod multiply not_equal subtract true_divide
"""
REDUCTIONS = "amax amin logsumexp max mean min nanmax nanmean nanmin nanprod nanstd nansum nanvar prod ptp std sum var"

CASES = {name: (unary(name), M) for name in UNARY.split()}
CASES |= {name: (binary(name), M, M) for name in BINARY.split()}
CASES |= {name: (reduction(name), M) for name in REDUCTIONS.split()}
CASES |= {name: (reduction(name), (*M, BOOL)) for name in ("all", "any")}
CASES |= {
    "adaptive_average_pool": (lambda x: ops.adaptive_average_pool(x, (3, 5), data_format="channels_last"), IMAGE),
    "adaptive_max_pool": (lambda x: ops.adaptive_max_pool(x, (3,), data_format="channels_first"), (4, 7)),
    "append": (lambda x, y: ops.append(x, y, axis=1), M, (2, 6)),
    "argmax": (lambda x: [ops.argmax(x, axis=1), ops.argmax(x, -1, keepdims=True)], M),
    "argmin": (lambda x: [ops.argmin(x, axis=1), ops.argmin(x, -1, keepdims=True)], M),
    "array": (lambda x: ops.array(x, dtype="float64"), M),
    "array_split": (lambda x: ops.array_split(x, 4, axis=-1), M),
    "average": (
        lambda x, y: [
            ops.average(x, axis=1),
            ops.average(x, axis=-1, weights=np.arange(1, 7, dtype=np.float32)),
            ops.average(x, axis=1, weights=y * y + 1),
        ],
        M,
        M,
    ),
    "average_pool": (
        lambda x: [
            ops.average_pool(x, 2),
            ops.average_pool(x, (3, 2), strides=2, padding="same"),
            ops.average_pool(x, 2, strides=1, data_format="channels_first"),
        ],
        IMAGE,
    ),
    "batch_normalization": (
        lambda x: [
            ops.batch_normalization(x, A[0], A[1] ** 2 + 0.1, axis=-1),
            ops.batch_normalization(x, A[:, 0], A[:, 1] ** 2 + 0.1, 1, offset=A[:, 2], scale=A[:, 3], epsilon=0.01),
        ],
        M,
    ),
    "broadcast_to": (lambda x: ops.broadcast_to(x, (ops.shape(x)[0], 4, 6)), (1, 6)),
    "cast": (lambda x: [ops.cast(x, dtype) for dtype in (BOOL, INT, "int8", DOUBLE, FLOAT)], M),
    "cdist": (lambda x, y: [ops.cdist(x, y), ops.cdist(x, A)], M, (3, 6)),
    "clip": (lambda x: [ops.clip(x, -1, 0.5), ops.clip(x, np.float32(-2), A[0] + 2)], M),
    "concatenate": (
        lambda x, y: [ops.concatenate([x, y, x], axis=1), ops.concatenate([x, x])[:, :0:-1]][:1],
        M,
        (2, 6),
    ),
    "conv": (
        lambda x: [
            ops.conv(x, KERNEL),
            ops.conv(x, KERNEL, strides=2, padding="same"),
            ops.conv(x, KERNEL, dilation_rate=(2, 1), data_format="channels_last"),
        ],
        IMAGE,
    ),
    "conv_transpose": (
        lambda x: [
            ops.conv_transpose(x, np.swapaxes(KERNEL, 2, 3)),
            ops.conv_transpose(x, np.swapaxes(KERNEL, 2, 3), strides=2, padding="same", output_padding=1),
        ],
        IMAGE,
    ),
    "convert_to_tensor": (lambda x: [ops.convert_to_tensor(x), ops.convert_to_tensor(x, dtype=INT)], M),
    "count_nonzero": (lambda x: [ops.count_nonzero(x, axis=1), ops.count_nonzero(x, axis=(1, 2))], (*M, INT)),
    "crop_images": (
        lambda x: [
            ops.image.crop_images(x, 1, 2, 3, 1),
            ops.image.crop_images(x, bottom_cropping=1, right_cropping=0, target_height=3, target_width=4),
        ],
        IMAGE,
    ),
    "cross": (
        lambda x, y, z: [ops.cross(x, y), ops.cross(x, A[0, :3]), ops.cross(x, z), ops.cross(z, z * z + 1)],
        (4, 3),
        (4, 3),
        (4, 2),
    ),
    "cumprod": (lambda x: [ops.cumprod(x, axis=1), ops.cumprod(x, axis=-1, dtype=DOUBLE)], M),
    "cumsum": (lambda x: [ops.cumsum(x, axis=1), ops.cumsum(x, axis=-1)], M),
    "depth_to_space": (
        lambda x: [ops.depth_to_space(x, 2), ops.depth_to_space(ops.transpose(x, (0, 3, 1, 2)), 2, "channels_first")],
        (3, 5, 8),
    ),
    "depthwise_conv": (
        lambda x: [
            ops.depthwise_conv(x, KERNEL),
            ops.depthwise_conv(x, KERNEL, strides=2, padding="same"),
            ops.depthwise_conv(x, KERNEL, padding="same", dilation_rate=2),
        ],
        IMAGE,
    ),
    "diagonal": (
        lambda x, y: [
            ops.diagonal(x, axis1=1, axis2=2),
            ops.diagonal(x, 2, axis1=-2, axis2=-1),
            ops.diagonal(y, -1, 3, 1),
        ],
        M,
        (3, 2, 5),
    ),
    "diff": (lambda x: [ops.diff(x), ops.diff(x, 2, axis=1)], M),
    "digitize": (
        lambda x, y: [ops.digitize(x, np.array([-1.5, 0.0, 0.7])), ops.digitize(y, np.array([-1, 0, 2]))],
        M,
        (3, INT),
    ),
    "dot": (lambda x, y: [ops.dot(x, A[0]), ops.dot(x, A.T), ops.dot(x, 2.5), ops.dot(y, A)], M, (4,)),
    "dot_product_attention": (
        lambda q, k, v, m: [
            ops.dot_product_attention(q, k, v),
            ops.dot_product_attention(q, q, q, is_causal=True, scale=0.3),
            ops.dot_product_attention(q, k, v, mask=m, bias=A[0, :3]),
            ops.dot_product_attention(q, k[:, :, :2], v[:, :, :2]),
        ],
        (5, 4, 6),
        (3, 4, 6),
        (3, 4, 6),
        (1, 5, 3, BOOL),
    ),
    "dsplit": (lambda x: ops.dsplit(x, 3), M),
    "dstack": (lambda x, y: [ops.dstack([x, y]), ops.dstack([ops.tanh(x), x])], M, M),
    "einsum": (
        lambda x, y: [
            ops.einsum("bij,bkj->bik", x, y),
            ops.einsum("bij,jk->bki", x, A.T),
            ops.einsum("bij->bj", x),
            ops.einsum("bij->bji", x),
            ops.einsum("...j,...j->...", x, y[:, :1]),
            ops.einsum("bij,ij,bkj->bk", x, A, y),
            ops.einsum("b...j,kj->b...k", x, A),
            ops.einsum("bij,bij->b", x, x),
        ],
        M,
        (3, 6),
    ),
    "empty_like": (lambda x: ops.empty_like(x, dtype=INT) * 0, M),
    "expand_dims": (lambda x: [ops.expand_dims(x, 1), ops.expand_dims(x, (-1, 2))], M),
    "extract_patches": (
        lambda x: [ops.image.extract_patches(x, (2, 3)), ops.image.extract_patches(x, 2, 1, padding="same")],
        (5, 7, 2),
    ),
    "extract_sequences": (lambda x: ops.extract_sequences(x, 3, 2), M),
    "flip": (lambda x: [ops.flip(x, 1), ops.flip(x, (-1, 1))], M),
    "fliplr": (lambda x: ops.fliplr(x), M),
    "fold": (
        lambda x, y: [ops.nn.fold(x, (4, 6), 2, stride=2), ops.nn.fold(y, (4, 5), (3, 2), padding=1, stride=(2, 1))],
        (12, 6),
        (12, 12),
    ),
    "full_like": (lambda x: [ops.full_like(x, 2.5), ops.full_like(x, 3, dtype=INT), ops.full_like(x, A)], M),
    "get_item": (
        lambda x: [
            x[:, 1],
            x[..., -1],
            x[:, 1:4:2, ::-1],
            x[:, None, ..., 2:, None],
            x[:, -3:-1, 4:1:-2],
            ops.get_item(x, (slice(None), slice(2, None))),
        ],
        (*M,),
    ),
    "glu": (lambda x: [ops.glu(x), ops.glu(x, axis=1)], M),
    "hsplit": (lambda x: ops.hsplit(x, (1, 3)), M),
    "hstack": (lambda x, y: ops.hstack([x, y]), M, (2, 6)),
    "inner": (lambda x: [ops.inner(x, A), ops.inner(x, A[0]), ops.inner(x, 1.5)], M),
    "isin": (lambda x: [ops.isin(x, [1, -2, 9]), ops.isin(x, np.array([0]), invert=True)], (*M, INT)),
    "layer_normalization": (
        lambda x, y: [
            ops.layer_normalization(x),
            ops.layer_normalization(x, A[0], A[1], epsilon=0.01),
            ops.layer_normalization(x, A[:, 0], axis=1),
            ops.layer_normalization(x, A, A + 1, axis=(1, 2)),
            ops.layer_normalization(x, gamma=y),
        ],
        M,
        (1, 6),
    ),
    "ldexp": (lambda x, y: [ops.ldexp(x, y), ops.ldexp(x, 3)], M, (*M, INT)),
    "log_softmax": (lambda x: [ops.log_softmax(x), ops.log_softmax(x, axis=(1, 2))], M),
    "logical_and": (lambda x, y: [ops.logical_and(x, y), x & (y > 0)], (*M, BOOL), M),
    "logical_not": (lambda x, y: [~x, ops.logical_not(y)], (*M, BOOL), (*M, INT)),
    "logical_or": (lambda x, y: [ops.logical_or(x, y), x | (y > 0)], (*M, BOOL), M),
    "logical_xor": (lambda x, y: [ops.logical_xor(x, y), x ^ (y > 0)], (*M, BOOL), M),
    "matmul": (
        lambda x, y, z: [
            x @ A.T,
            ops.matmul(A.T, x),
            x @ y,
            ops.matmul(x, A[0]),
            ops.matmul(z, A),
            ops.matmul(ops.cast(x, "int8"), ops.cast(y, "int8")),
        ],
        M,
        (6, 3),
        (4,),
    ),
    "max_pool": (
        lambda x: [
            ops.max_pool(x, 2),
            ops.max_pool(x, (3, 2), strides=2, padding="same"),
            ops.max_pool(x, 2, strides=1, data_format="channels_first"),
        ],
        IMAGE,
    ),
    "moments": (lambda x: [*ops.moments(x, axes=[1]), *ops.moments(x, axes=(1, 2), keepdims=True)], M),
    "moveaxis": (lambda x: [ops.moveaxis(x, 1, -1), ops.moveaxis(x, (3, 1), (1, 2))], IMAGE),
    "multi_hot": (lambda x: [ops.multi_hot(x, 5), ops.multi_hot(x, 5, dtype=BOOL)], (3, INT)),
    "nanargmax": (lambda x: ops.nanargmax(x, axis=1), M),
    "nanargmin": (lambda x: ops.nanargmin(x, axis=-1), M),
    "nancumprod": (lambda x: ops.nancumprod(x, axis=1), M),
    "nancumsum": (lambda x: ops.nancumsum(x, axis=1), M),
    "norm": (
        lambda x: (
            [ops.norm(x, ord=k, axis=1) for k in (None, 1, 2, 3, 0, np.inf, -np.inf)]
            + [ops.norm(x, ord=k, axis=(2, 1)) for k in (None, "fro", 1, -1, np.inf, -np.inf)]
        ),
        M,
    ),
    "normalize": (lambda x: [ops.normalize(x), ops.normalize(x, (1, 2)), ops.normalize(x, 1, order=3)], M),
    "one_hot": (lambda x: [ops.one_hot(x, 4), ops.one_hot(x, 4, axis=1, dtype=BOOL)], (3, INT)),
    "ones_like": (lambda x, y: [ops.ones_like(x), ops.ones_like(y, dtype=INT)], M, (None, 4)),
    "outer": (lambda x: ops.reshape(ops.outer(x, A[0]), (-1, 24, 6)), M),
    "pad": (
        lambda x: [
            ops.pad(x, ((0, 0), (1, 2), (0, 3))),
            ops.pad(x, ((0, 0), (1, 2), (0, 3)), constant_values=1.5),
            ops.pad(x, ((0, 0), (1, 2), (0, 3)), mode="reflect"),
            ops.pad(x, ((0, 0), (4, 2), (0, 3)), mode="symmetric"),
            ops.pad(x > 0, ((0, 0), (4, 2), (0, 3))),
        ],
        M,
    ),
    "pad_images": (
        lambda x: [ops.image.pad_images(x, 1, 2, 3, 0), ops.image.pad_images(x, 1, 1, target_height=9, target_width=9)],
        IMAGE,
    ),
    "power": (lambda x, y: [x**2, ops.power(x * x, y), ops.power(x, 3), 2.0**x, ops.cast(x, INT) ** 3], M, M),
    "ravel": (lambda x: ops.reshape(ops.ravel(x), (-1, 6, 4)), M),
    "repeat": (lambda x: [ops.repeat(x, 3, axis=1), ops.repeat(x, [1, 0, 3, 2], axis=1)], M),
    "reshape": (
        lambda x: [
            ops.reshape(x, (-1, 24)),
            ops.reshape(x, (-1, 3, 8)),
            ops.reshape(ops.reshape(x, (-1, 3)), (-1, 4, 2, 3)),
            ops.reshape(ops.reshape(x, (-1, 6)) * 2, (-1, 4, 6)),
            ops.reshape(ops.reshape(x, (-1, 2, 3)), (-1, 24)),
        ],
        M,
    ),
    "resize": (
        lambda x: [
            ops.image.resize(x, (4, 9)),
            ops.image.resize(x, (10, 3), interpolation="nearest"),
            ops.image.resize(x, (5, 5), interpolation="bicubic", antialias=True),
            ops.image.resize(x, (4, 4), data_format="channels_first"),
        ],
        IMAGE,
    ),
    "rgb_to_grayscale": (
        lambda x: [
            ops.image.rgb_to_grayscale(x),
            ops.image.rgb_to_grayscale(ops.transpose(x, (0, 3, 1, 2)), data_format="channels_first"),
        ],
        (4, 5, 3),
    ),
    "rms_normalization": (
        lambda x: [
            ops.rms_normalization(x),
            ops.rms_normalization(x, A[0], epsilon=0.1),
            ops.rms_normalization(x, np.full((1,), 1.7, np.float32)),
            ops.rms_normalization(x, A, axis=(1, 2)),
        ],
        M,
    ),
    "roll": (lambda x: [ops.roll(x, 2, axis=1), ops.roll(x, (-1, 9), axis=(1, 2))], M),
    "rot90": (
        lambda x, y: [ops.rot90(y, 2, axes=(1, 2))] + [ops.rot90(x, k, axes=(2, 1)) for k in (0, 1, 3)],
        IMAGE,
        SQUARE,
    ),
    "round": (lambda x: [ops.round(x), ops.round(x, 2), ops.round(x * 100, -1)], M),
    "saturate_cast": (lambda x: [ops.saturate_cast(x * 100, dtype) for dtype in (BYTE, "int8", INT)], M),
    "searchsorted": (
        lambda x: (
            [ops.searchsorted(A[0], x, side=side) for side in ("left", "right")]
            + [ops.searchsorted(np.array([0, 0, 1], np.float32), x, side="right")]
        ),
        (),
    ),
    "select": (lambda x, y: [ops.select([x > 1, y > 0], [x, y * 2], default) for default in (3.5, A, y - x)], M, M),
    "separable_conv": (
        lambda x: [
            ops.separable_conv(x, KERNEL, np.ones((1, 1, 20, 3), np.float32) * A[0, :3]),
            ops.separable_conv(x, KERNEL, np.ones((1, 1, 20, 3), np.float32), strides=2, padding="same"),
        ],
        IMAGE,
    ),
    "slice": (lambda x: ops.slice(x, (0, 1, 2), (-1, 2, -1)), M),
    "slice_update": (lambda x, y: ops.slice_update(x, (0, 1, 3), y), M, (2, 3)),
    "softmax": (lambda x: [ops.softmax(x), ops.softmax(x, axis=1), ops.softmax(x, axis=(1, 2))], M),
    "space_to_depth": (
        lambda x: [ops.space_to_depth(x, 2), ops.space_to_depth(ops.transpose(x, (0, 3, 1, 2)), 2, "channels_first")],
        (4, 6, 3),
    ),
    "sparsemax": (lambda x: ops.sparsemax(x), M),
    "split": (lambda x: [*ops.split(x, 3, axis=-1), *ops.split(x, [1, 3], axis=1)], M),
    "squeeze": (lambda x: [ops.squeeze(x), ops.squeeze(x, 1), ops.squeeze(x, (-1, 1))], (1, 6, 1)),
    "stack": (lambda x, y: [ops.stack([x, y], axis=1), ops.stack([x, y, x], axis=-1)], M, M),
    "swapaxes": (lambda x: ops.swapaxes(x, 1, -1), M),
    "take": (
        lambda x, i: [
            ops.take(x, [0, -1, 2], axis=1),
            ops.take(x, np.array([[1, 3], [2, 0]]), axis=-1),
            ops.take(x, 3, axis=2),
            ops.take(A, ops.abs(i) % 4, axis=0),
            ops.take(np.arange(9), ops.abs(i)),
        ],
        M,
        (3, INT),
    ),
    "take_along_axis": (
        lambda x, i: [
            ops.take_along_axis(x, ops.argmax(x, axis=1, keepdims=True), axis=1),
            ops.take_along_axis(x, np.array([[[1], [0]]]), axis=1),
            ops.take_along_axis(x, ops.abs(i) % 4, axis=1),
        ],
        M,
        (3, 6, INT),
    ),
    "tensordot": (
        lambda x: [ops.tensordot(x, A, 2), ops.tensordot(x, A, [[1], [0]]), ops.tensordot(x, A.T, axes=1)],
        M,
    ),
    "threshold": (lambda x: ops.threshold(x, 0.4, -2.5), M),
    "tile": (lambda x: [ops.tile(x, (1, 2, 3)), ops.tile(x, 2)], M),
    "trace": (lambda x: [ops.trace(x, axis1=1, axis2=2), ops.trace(x, 1, axis1=-1, axis2=-2)], M),
    "transpose": (lambda x: ops.transpose(x, (0, 2, -1, 1)), IMAGE),
    "trapezoid": (
        lambda x: [ops.trapezoid(x), ops.trapezoid(x, dx=0.5, axis=1), ops.trapezoid(x, A[0].cumsum())],
        M,
    ),
    "tril": (lambda x, y: [ops.tril(x), ops.tril(x, 2), ops.tril(x, -1), ops.tril(y, 1)], M, (None, 3)),
    "triu": (lambda x, y: [ops.triu(x), ops.triu(x, 2), ops.triu(x, -1), ops.triu(y)], M, (None, 3)),
    "unfold": (
        lambda x: [ops.nn.unfold(x, 2), ops.nn.unfold(x, (3, 2), dilation=(1, 2), padding=(1, 0), stride=2)],
        (3, 5, 6),
    ),
    "unravel_index": (lambda x: ops.unravel_index(ops.abs(x), (2, 3)), (4, INT)),
    "unstack": (lambda x: [*ops.unstack(x, axis=1), *ops.unstack(x, 6, axis=-1)], M),
    "vander": (lambda x: [ops.vander(x, N=4), ops.vander(x, N=3, increasing=True)], ()),
    "where": (
        lambda x, y: [ops.where(x > 0, x, y), ops.where(y, 1.5, x), ops.where(A > 0, x, 0)],
        M,
        M,
    ),
    "zeros_like": (lambda x, y: [ops.zeros_like(x), ops.zeros_like(y)], M, (None, 4, INT)),
}


def test_every_function_is_classified():
    classes = [coverage.EXPORTED, coverage.REFUSED.keys(), coverage.NO_TENSORS]
    assert named() <= {name for names in classes for name in names}
    assert sum(map(len, classes)) == len({name for names in classes for name in names})
    assert CASES.keys() | {"rearrange"} == coverage.EXPORTED


@pytest.mark.filterwarnings("ignore:NotImplemented")  # Keras's own, of unknown dimensions in tensordot
@pytest.mark.parametrize("name", CASES)
def test_operation(name):
    exported(*CASES[name])


@pytest.mark.parametrize("target", ["int32", "int64"])
def test_saturate_cast_ends_at_numbers_that_the_dtype_has(target):
    """Keras itself asks numpy whether 2147483648.0 is more than 2147483647, which numpy 2 denies."""
    x = keras.Input((2,))
    loaded = nnpack.loads(nnpack.dumps(keras.Model(x, ops.saturate_cast(x, target))))
    bits, largest = np.iinfo(target).bits, np.float32(3e38)
    made = loaded.predict(np.array([[largest, -largest]], np.float32))
    assert made.tolist() == [[2 ** (bits - 1) - 2 ** (bits - 25), -(2 ** (bits - 1))]]


def test_rearrange_of_a_known_batch():
    x = keras.Input(batch_shape=(7, *M))  # Keras multiplies the sizes, whatever they are
    y = [ops.rearrange(x, "b (h g) w -> b h (w g)", g=2), ops.rearrange(x, "b h w -> b w h")]
    agree(keras.Model(x, y), sample(M, FLOAT, 0))


def test_operators_of_symbolic_tensors():
    def several(x, y):
        z = -x + y * 2 - 3 / (y * y + 1)
        return [z // 0.7, z % 1.5, 2**y, abs(z), x @ ops.transpose(y, (0, 2, 1)), ~(z > x) & (y <= 0.5) | (x != y)]

    tensors, arrays = inputs(M, M)
    agree(keras.Model(tensors, several(*tensors)), arrays)


def test_integers():
    def several(x, y):
        sums = [x + y, x - 2 * y, x * y, ops.maximum(x, y), ops.minimum(x, 1), -x, abs(x), ops.sign(x), ops.square(x)]
        return [
            *sums,
            x // 3,
            x % 3,
            ops.sum(x, axis=1),
            ops.cumsum(x, axis=-1),
            ops.max(x, axis=1),
            ops.mean(x, 1),
            x / 2,
        ]

    for dtype in (INT, "int64"):
        tensors, arrays = inputs((*M, dtype), (*M, dtype))
        agree(keras.Model(tensors, several(*tensors)), arrays)


def test_bytes_wrap_nowhere():
    x = keras.Input(M, dtype=BYTE)
    (problem,) = problems(keras.Model(x, ops.sum(x, axis=1)))
    assert "uint32" in problem.received


UNKNOWN = {
    "reshape": lambda x: ops.reshape(ops.reshape(x, (-1, 6)) * 2, (-1, ops.shape(x)[1], 6)),
    "reshape-behind": lambda x: ops.reshape(x, (-1, ops.shape(x)[1], 2, 3)),
    "reshape-merged": lambda x: ops.reshape(x, (ops.shape(x)[0], -1)),
    "reversed": lambda x: x[:, ::-1],
    "last": lambda x: x[:, -1],
    "last-of-last": lambda x: x[:, -2, None, 3],
    "cut": lambda x: x[:, :2] + np.arange(12, dtype=np.float32).reshape(2, 6),
    "part": lambda x: x[:, 1:-1],
    "part-reversed": lambda x: x[:, -1:0:-1],
    "softmax": lambda x: ops.softmax(x, axis=1) * ops.mean(x, axis=1, keepdims=True),
    "matmul": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
    "attention": lambda x: ops.dot_product_attention(*[ops.expand_dims(x, 2)] * 3, is_causal=True),
    "stack": lambda x: ops.stack([x, x + 1], axis=1),
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 0))),
    "one": lambda x: ops.ones_like(x[..., :1]) + x,
    "take-along-axis": lambda x: ops.take_along_axis(x, ops.argmax(x, axis=1, keepdims=True), axis=1),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_sizes(name):
    exported(UNKNOWN[name], (None, 6))


def test_several_unknown_sizes():
    exported(lambda x: ops.reshape(x, (-1, *ops.shape(x)[1:3], 2, 3)), (None, None, 6))


def test_unknown_sizes_that_have_to_meet():
    x, y = keras.Input((None, 6), name="x"), keras.Input((None, 6), name="y")
    z = ops.einsum("bij,bij->bi", x, y) + ops.sum(ops.matmul(x, ops.transpose(y, (0, 2, 1))), axis=-1)
    agree(keras.Model([x, y], z), [sample((3, 6), FLOAT, 0), sample((3, 6), FLOAT, 1)])


ROWS = {
    "transpose": (lambda x: ops.transpose(x), "order"),
    "sum": (lambda x: ops.sum(x), "all axes"),
    "max": (lambda x: ops.max(x, axis=0), "axis 0"),
    "first": (lambda x: x[0], "axis 0"),
    "some": (lambda x: x[1:3, :], "axis 0"),
    "concatenate": (lambda x: ops.concatenate([x, x], axis=0), "axis 0"),
    "expand": (lambda x: ops.expand_dims(x, 0), "axis 0"),
    "flip": (lambda x: ops.flip(x), "axis 0"),
    "reshape": (lambda x: ops.reshape(x, (4, -1, 6)), "reshaped"),
    "merged": (lambda x: ops.reshape(x, (-1, 6)), "batch"),
    "tile": (lambda x: ops.tile(x, (2, 1, 1)), "repeated"),
    "split": (lambda x: ops.split(x, 1)[0], "axis 0"),
    "triangle": (lambda x: ops.tril(x[:, 0]), "triangle of the batch"),
    "einsum": (lambda x: ops.einsum("bij->ij", x), "axis 0"),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_mixes_rows_is_refused(name):
    function, words = ROWS[name]
    x = keras.Input(M)
    (problem,) = problems(keras.Model(x, function(x)))
    assert words in problem.received


REASONS = {
    "argsort": (lambda x: ops.argsort(x), "keras.ops.argsort sorts"),
    "top-k": (lambda x: ops.top_k(x, 2)[0], "keras.ops.top_k sorts"),
    "inverse": (lambda x: ops.inv(x[:, :, :4]), "keras.ops.inv is linear algebra"),
    "fft": (lambda x: ops.fft((x, x))[0], "keras.ops.fft makes complex numbers"),
    "index": (lambda x: ops.take(x, ops.argmax(x, axis=1), axis=2), "computed from the inputs"),
    "where": (lambda x: ops.where(x > 0), "of one argument"),
    "half-turn": (lambda x: ops.rot90(x, 2, axes=(1, 2)), "half a turn"),
    "nuclear": (lambda x: ops.norm(x, ord="nuc", axis=(1, 2)), "singular values"),
    "string": (lambda x: ops.equal(x, "a"), "Equal of float32, object"),
    "diagonal-twice": (lambda x: ops.einsum("bii->bi", x[:, :, :4]), "'bii'"),
}


@pytest.mark.parametrize("name", REASONS)
def test_refusals_have_reasons(name):
    function, words = REASONS[name]
    x = keras.Input(M)
    (problem,) = problems(keras.Model(x, function(x)))
    assert words in problem.received


def test_numbers_that_are_missing_and_infinite():
    x = np.array([[np.nan, 1, np.inf], [-np.inf, np.nan, np.nan], [np.nan, np.nan, np.nan], [2, -0.0, 0]], np.float32)
    given = keras.Input((3,))
    made = [getattr(ops, name)(given, axis=1) for name in ("nanmax", "nanmin", "nanargmax", "nansum", "nanmean")]
    made += [getattr(ops, name)(given) for name in ("isposinf", "isneginf", "nan_to_num", "signbit", "isfinite")]
    model = keras.Model(given, made)
    theirs = model.predict(x, verbose=0)
    for by_keras, by_nnpack in zip(theirs, nnpack.loads(nnpack.dumps(model)).predict(x), strict=True):
        np.testing.assert_allclose(by_nnpack, by_keras, rtol=1e-6)


def test_layers_of_ones_own_with_weights():
    class Scaled(layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], 3))
            self.b = self.add_weight(shape=(3,))

        def call(self, x):
            y = ops.matmul(x, self.w) + self.b
            return ops.concatenate([ops.zeros((ops.shape(x)[0], 1, 3)), y], axis=1)

    x = keras.Input(M)
    loaded = agree(randomised(keras.Model(x, Scaled()(x))), sample(M, FLOAT, 0))
    assert "dense@1" in [layer.op for layer in loaded.layers]
