/* The operators that are built in. */
#include "operators.h"

const nnp_operator *const nnp_operators[] = {
#if NNP_CORE
    &nnp_dense, &nnp_identity, &nnp_constant, &nnp_cast,
#endif
#if NNP_ACTIVATIONS
    &nnp_celu, &nnp_clipped_relu, &nnp_elu, &nnp_exponential, &nnp_gelu, &nnp_hard_shrink, &nnp_hard_sigmoid,
    &nnp_hard_silu, &nnp_hard_tanh, &nnp_leaky_relu, &nnp_log_sigmoid, &nnp_mish, &nnp_relu6, &nnp_relu, &nnp_selu,
    &nnp_sigmoid, &nnp_silu, &nnp_soft_shrink, &nnp_softplus, &nnp_softsign, &nnp_sparse_plus, &nnp_sparse_sigmoid,
    &nnp_squareplus, &nnp_tanh, &nnp_tanh_shrink, &nnp_threshold, &nnp_thresholded_relu, &nnp_log_softmax,
    &nnp_softmax, &nnp_cumulative_sparsemax, &nnp_sparsemax, &nnp_glu,
#endif
#if NNP_ELEMENTWISE
    &nnp_add, &nnp_arctan2, &nnp_divide, &nnp_floor_divide, &nnp_maximum, &nnp_minimum, &nnp_mod, &nnp_multiply,
    &nnp_power, &nnp_subtract, &nnp_equal, &nnp_greater, &nnp_greater_equal, &nnp_less, &nnp_less_equal,
    &nnp_not_equal, &nnp_logical_and, &nnp_logical_or, &nnp_logical_xor, &nnp_logical_not, &nnp_isfinite, &nnp_isinf,
    &nnp_isnan, &nnp_abs, &nnp_arccos, &nnp_arccosh, &nnp_arcsin, &nnp_arcsinh, &nnp_arctan, &nnp_arctanh, &nnp_ceil,
    &nnp_cos, &nnp_cosh, &nnp_erf, &nnp_erfc, &nnp_expm1, &nnp_floor, &nnp_log10, &nnp_log1p, &nnp_log2, &nnp_log,
    &nnp_negative, &nnp_reciprocal, &nnp_round, &nnp_rsqrt, &nnp_sign, &nnp_sin, &nnp_sinh, &nnp_sqrt, &nnp_square,
    &nnp_tan, &nnp_trunc, &nnp_where,
#endif
#if NNP_PRODUCTS
    &nnp_matmul, &nnp_einsum,
#endif
#if NNP_CONVOLUTION
    &nnp_conv, &nnp_conv_transpose,
#endif
#if NNP_POOLING
    &nnp_average_pool, &nnp_max_pool, &nnp_adaptive_average_pool, &nnp_adaptive_max_pool,
#endif
#if NNP_NORMALIZATION
    &nnp_batch_normalization, &nnp_layer_normalization, &nnp_group_normalization, &nnp_rms_normalization,
    &nnp_unit_normalization,
#endif
#if NNP_REDUCTION
    &nnp_all, &nnp_any, &nnp_logsumexp, &nnp_max, &nnp_mean, &nnp_min, &nnp_prod, &nnp_sum, &nnp_variance,
    &nnp_argmax, &nnp_argmin, &nnp_cumprod, &nnp_cumsum,
#endif
#if NNP_SHAPES
    &nnp_reshape, &nnp_transpose, &nnp_expand_dims, &nnp_squeeze, &nnp_concatenate, &nnp_slice, &nnp_pad,
    &nnp_repeat, &nnp_tile, &nnp_flip, &nnp_broadcast_batch, &nnp_fold, &nnp_unfold, &nnp_positions,
#endif
#if NNP_INDEXING
    &nnp_embedding, &nnp_take, &nnp_take_along_axis, &nnp_one_hot,
#endif
#if NNP_RECURRENT
    &nnp_simple_rnn, &nnp_lstm, &nnp_gru,
#endif
#if NNP_RECURRENT && NNP_CONVOLUTION
    &nnp_conv_lstm,
#endif
#if NNP_RESIZING
    &nnp_resize, &nnp_upsample,
#endif
#if NNP_PREPROCESSING
    &nnp_bucketize, &nnp_integer_lookup, &nnp_string_lookup,
#endif
};

const size_t nnp_operator_count = sizeof nnp_operators / sizeof *nnp_operators;
