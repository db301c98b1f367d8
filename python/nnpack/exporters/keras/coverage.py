"""What becomes of each function of keras.ops: exported, refused with a reason, or no function of tensors."""

from __future__ import annotations

_ROWS = "mixes the rows of the batch"
_SORTING = "sorts"
_LINEAR_ALGEBRA = "is linear algebra with no operator of its own"
_BITS = "works on the bits of integers"
_LOSS = "is a loss"
_CONTROL = "calls a Python function of its own, which the graph does not show"
_COMPLEX = "makes complex numbers"
_SIZE = "has a result whose size depends on the numbers"
_WARPS = "moves pixels to places between pixels"

_REFUSED = {
    _ROWS: """
        allclose bincount corrcoef correlate diag diagflat flipud kron meshgrid segment_max segment_min segment_prod
        segment_sum size vdot vsplit vstack
    """,
    _SORTING: """
        argpartition argsort in_top_k median nanmedian nanpercentile nanquantile percentile quantile sort top_k
    """,
    _LINEAR_ALGEBRA: """
        cholesky cholesky_inverse det eig eigh inv logdet lstsq lu_factor matrix_rank pinv qr slogdet solve
        solve_triangular svd
    """,
    _BITS: """
        bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor left_shift
        nextafter right_shift view
    """,
    _LOSS: """
        binary_crossentropy categorical_crossentropy ctc_decode ctc_loss psnr sparse_categorical_crossentropy ssim
    """,
    _CONTROL: """
        associative_scan cond fori_loop jvp map scan switch vectorized_map while_loop
    """,
    _COMPLEX: """
        fft fft2 ifft2 irfft istft polar rfft stft view_as_complex view_as_real
    """,
    _SIZE: """
        histogram nonzero unique
    """,
    _WARPS: """
        affine_transform elastic_transform map_coordinates perspective_transform scale_and_translate
    """,
    "has no operator of its own": """
        erfinv extract_patches_3d gaussian_blur gcd hsv_to_rgb i0 lcm rgb_to_hsv sobel_edges
    """,
    "makes new numbers of its arguments, which are constants in a model": """
        arange full geomspace linspace logspace
    """,
    "writes to places that the numbers choose": """
        scatter scatter_update
    """,
    "counts axes": """
        ndim
    """,
}

_NO_TENSORS = """
    bartlett blackman convert_to_numpy custom_gradient dtype empty eye hamming hanning identity is_tensor kaiser ones
    shape tri vectorize zeros
"""

_EXPORTED = """
    abs absolute adaptive_average_pool adaptive_max_pool add all amax amin angle any append arccos arccosh arcsin
    arcsinh arctan arctan2 arctanh argmax argmin array array_split average average_pool batch_normalization
    broadcast_to cast cbrt cdist ceil celu clip concatenate conj conjugate conv conv_transpose convert_to_tensor copy
    cos cosh count_nonzero crop_images cross cumprod cumsum deg2rad depth_to_space depthwise_conv diagonal diff
    digitize divide divide_no_nan dot dot_product_attention dsplit dstack einsum elu empty_like equal erf erfc exp
    exp2 expand_dims expm1 extract_patches extract_sequences fabs
    flip fliplr floor floor_divide fmax fmin fmod fold full_like gelu
    get_item glu greater greater_equal hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh heaviside hsplit hstack
    hypot imag inner isclose isfinite isin isinf isnan isneginf isposinf isreal layer_normalization ldexp leaky_relu
    less less_equal log log10 log1p log2 log_sigmoid log_softmax logaddexp logaddexp2 logical_and logical_not
    logical_or logical_xor logsumexp matmul max max_pool maximum mean min minimum mod moments moveaxis multi_hot
    multiply nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmin nanprod nanstd nansum nanvar
    negative norm normalize not_equal one_hot ones_like outer pad pad_images power prod ptp rad2deg ravel real
    rearrange reciprocal relu relu6 repeat reshape resize rgb_to_grayscale rms_normalization roll rot90 round rsqrt
    saturate_cast searchsorted select selu separable_conv sigmoid sign signbit silu sin sinc sinh slice slice_update
    soft_shrink softmax softplus softsign space_to_depth sparse_plus sparse_sigmoid sparsemax split sqrt square
    squareplus squeeze stack std stop_gradient subtract sum swapaxes swish take take_along_axis tan tanh tanh_shrink
    tensordot threshold tile trace transpose trapezoid tril triu true_divide trunc unfold unravel_index unstack vander
    var where zeros_like
"""

EXPORTED = frozenset(_EXPORTED.split())
"""Functions that handlers lower, wherever they keep the rows apart."""

REFUSED = {name: reason for reason, names in _REFUSED.items() for name in names.split()}
"""Functions of tensors that no handler lowers -> why."""

NO_TENSORS = frozenset(_NO_TENSORS.split())
"""Functions whose arguments are no tensors of a model: what they make is a constant, or no tensor."""

_BY_CLASS = {name.replace("_", ""): name for name in REFUSED}


def refused_operation(class_name: str) -> str | None:
    """What there is to say of an operation without handler, by the name of its class; None where it is not known."""
    name = _BY_CLASS.get(class_name.lower())
    return None if name is None else f"keras.ops.{name} {REFUSED[name]}"
