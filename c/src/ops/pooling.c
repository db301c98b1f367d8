/* max_pool, average_pool, and the adaptive ones: spec/ops/pooling.md, adaptive_pooling.md. */
#include "windows.h"

#include "../operators.h"

#if NNP_POOLING

enum { MAX = 1, ADAPTIVE = 2 }; /* of op->kind */
enum { POOL_SIZE, STRIDES, PADDING, OUTPUT_SIZE = POOL_SIZE };

/* The elements of window i along an axis, as taps that lie side by side. */
static nnp_taps window_of(const nnp_axis *axis, size_t i, bool adaptive)
{
    if (!adaptive) return nnp_meet(axis, i);
    uint64_t n = (uint64_t)axis->in, count = (uint64_t)axis->out;
    size_t first = (size_t)(i * n / count), end = (size_t)(((i + 1) * n + count - 1) / count);
    return (nnp_taps){0, end - first, first};
}

#include "../real32.h"
#include "pooling.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "pooling.inc"
#endif

/* The axes, the last n of three, n = rank - 2. */
static void pool_axes(const nnp_call *call, nnp_axis axes[3])
{
    const nnp_type *x = nnp_in(call, 0);
    nnp_sliding sliding = {.n = x->rank - 2U, .in = x->dims + 1, .sizes = nnp_attr(call, POOL_SIZE)->list.items};
    if (call->layer->op->kind & ADAPTIVE) {
        nnp_slide(&sliding, axes);
        for (unsigned i = 0; i < sliding.n; i++)
            axes[3 - sliding.n + i].out = nnp_attr(call, OUTPUT_SIZE)->list.items[i];
        return;
    }
    sliding.strides = nnp_attr(call, STRIDES)->list.items;
    sliding.padding = nnp_attr(call, PADDING)->integer;
    nnp_slide(&sliding, axes);
}

static nnp_status pool_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    nnp_axis axes[3];
    NNP_TRY(nnp_require_float(call));
    NNP_TRY(nnp_require_rank(call, 0, 3, 5));
    NNP_TRY(nnp_require_lengths(call, 0, call->layer->op->kind & ADAPTIVE ? 1 : 2, x->rank - 2U));
    pool_axes(call, axes);
    nnp_make_like(call, 0, 0);
    for (unsigned i = 1; i < x->rank - 1U; i++) call->made[0].dims[i] = axes[4 - x->rank + i].out;
    return NNP_OK;
}

static nnp_status pool_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    size_t rows = (size_t)x->dims[0], channels = (size_t)x->dims[x->rank - 1];
    unsigned kind = call->layer->op->kind;
    nnp_axis axes[3];
    pool_axes(call, axes);
#if NNP_WITH_FLOAT64
    if (x->dtype == NNP_FLOAT64) {
        pool_f64(axes, rows, channels, kind, nnp_in_data(call, 0), nnp_out_data(call, 0));
        return NNP_OK;
    }
#endif
    pool_f32(axes, rows, channels, kind, nnp_in_data(call, 0), nnp_out_data(call, 0));
    return NNP_OK;
}

#define POOL(word, kind_, attributes_)                                                                                 \
    {                                                                                                                  \
        .name = word, .weights = "", .attributes = attributes_, .least = 1, .most = 1, .kind = kind_,                  \
        .infer = pool_infer, .run = pool_run,                                                                          \
    }
#define SLIDING "pool_size:I\0strides:I\0padding:cvalid same\0"
#define FITTED "output_size:I\0"

const nnp_operator nnp_max_pool = POOL("max_pool", MAX, SLIDING);
const nnp_operator nnp_average_pool = POOL("average_pool", 0, SLIDING);
const nnp_operator nnp_adaptive_max_pool = POOL("adaptive_max_pool", ADAPTIVE | MAX, FITTED);
const nnp_operator nnp_adaptive_average_pool = POOL("adaptive_average_pool", ADAPTIVE, FITTED);

#endif
