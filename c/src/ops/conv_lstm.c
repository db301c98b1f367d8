/* conv_lstm: spec/ops/conv_lstm.md. */
#include "convolution.h"
#include "recurrent.h"

#include "../operators.h"

#if NNP_RECURRENT && NNP_CONVOLUTION

enum { STRIDES = NNP_RNN_OTHERS, DILATION_RATE, PADDING };

static nnp_sliding x_sliding(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    return (nnp_sliding){.n = x->rank - 3U, .in = x->dims + 2, .sizes = nnp_weight(call, NNP_KERNEL)->type.dims,
                         .strides = nnp_attr(call, STRIDES)->list.items,
                         .dilations = nnp_attr(call, DILATION_RATE)->list.items,
                         .padding = nnp_attr(call, PADDING)->integer};
}

static nnp_status conv_lstm_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *recurrent = &nnp_weight(call, NNP_RECURRENT_KERNEL)->type;
    bool masked;
    NNP_TRY(nnp_require_sequence(call, 2, &masked));
    NNP_TRY(nnp_require_rank(call, 0, 4, 6));
    unsigned n = x->rank - 3U;
    for (unsigned axis = 2; axis < x->rank; axis++)
        if (nnp_is_symbol(x->dims[axis])) return nnp_refuse(call, NNP_RANK_RANGE, "/inputs/0", 0);
    NNP_TRY(nnp_require_lengths(call, STRIDES, 2, n));

    int32_t filters = recurrent->rank > n ? recurrent->dims[n] : 1;
    if (filters > INT32_MAX / 4) return nnp_refuse(call, NNP_WEIGHT_SHAPE, "/weights", 0);
    int32_t width = 4 * filters, dims[NNP_RANK] = {-1, -1, -1, -1, -1};
    dims[n] = filters;
    dims[n + 1] = width;
    NNP_TRY(nnp_require_weight(call, NNP_RECURRENT_KERNEL, n + 2, dims));
    for (unsigned axis = 0; axis < n; axis++) dims[axis] = recurrent->dims[axis];
    dims[n] = x->dims[x->rank - 1];
    NNP_TRY(nnp_require_weight(call, NNP_KERNEL, n + 2, dims));
    NNP_TRY(nnp_require_weight(call, NNP_RNN_BIAS, 1, &width));

    nnp_sliding sliding = x_sliding(call);
    nnp_axis axes[3];
    nnp_slide(&sliding, axes);
    dims[0] = x->dims[0];
    for (unsigned axis = 0; axis < n; axis++) dims[1 + axis] = axes[3 - n + axis].out;
    dims[1 + n] = filters;
    return nnp_make_sequence(call, 2, masked, n + 2, dims);
}

/* The convolutions of one step: of x, whose rows have other steps between them, and of h. */
static nnp_convolution x_how(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *kernel = &nnp_weight(call, NNP_KERNEL)->type;
    nnp_sliding sliding = x_sliding(call);
    nnp_convolution how = {.rows = (size_t)x->dims[0], .step = nnp_product(x, 1, x->rank), .groups = 1,
                           .channels = (size_t)x->dims[x->rank - 1], .filters = (size_t)kernel->dims[kernel->rank - 1]};
    nnp_slide(&sliding, how.axes);
    return how;
}

static nnp_convolution h_how(const nnp_call *call)
{
    const nnp_type *h = nnp_out(call, 1), *kernel = &nnp_weight(call, NNP_RECURRENT_KERNEL)->type;
    nnp_sliding sliding = {.n = h->rank - 2U, .in = h->dims + 1, .sizes = kernel->dims, .padding = NNP_SAME};
    nnp_convolution how = {.rows = (size_t)h->dims[0], .step = nnp_product(h, 1, h->rank), .groups = 1,
                           .channels = (size_t)h->dims[h->rank - 1], .filters = (size_t)kernel->dims[kernel->rank - 1]};
    nnp_slide(&sliding, how.axes);
    return how;
}

/* The sums of the gates, (rows, pixels, 4 · filters), and room for either convolution behind them. */
static size_t conv_lstm_scratch(const nnp_call *call)
{
    nnp_convolution of_x = x_how(call), of_h = h_how(call);
    size_t element = nnp_dtype_size((nnp_dtype)nnp_in(call, 0)->dtype), x = nnp_convolve_scratch(&of_x, element);
    size_t h = nnp_convolve_scratch(&of_h, element);
    return nnp_plus(nnp_times(nnp_elements(nnp_out(call, 1)) * element, 4), x > h ? x : h);
}

#include "../real32.h"
#include "conv_lstm.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "conv_lstm.inc"
#endif

static nnp_status conv_lstm_run(const nnp_call *call)
{
    nnp_loop loop = nnp_loop_begin(call, 2, nnp_out(call, 1)->rank);
    if (loop.rows == 0) return NNP_OK;
    loop.recurrent_activation = (unsigned)nnp_attr(call, NNP_RECURRENT_ACTIVATION)->integer;
#if NNP_WITH_FLOAT64
    if (nnp_in(call, 0)->dtype == NNP_FLOAT64) {
        conv_lstm_f64(call, &loop);
        return NNP_OK;
    }
#endif
    conv_lstm_f32(call, &loop);
    return NNP_OK;
}

const nnp_operator nnp_conv_lstm = {
    .name = "conv_lstm", .weights = NNP_RNN_WEIGHTS,
    .attributes = NNP_GATED_ATTRIBUTES "strides:I\0dilation_rate:I\0padding:cvalid same\0", .least = 1, .most = 4,
    .infer = conv_lstm_infer, .run = conv_lstm_run, .scratch = conv_lstm_scratch,
};

#endif
