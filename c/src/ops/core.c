/* dense, identity, constant: spec/ops/dense.md, identity.md, constant.md. */
#include "../gemm.h"

#if NNP_CORE

/* dense ------------------------------------------------------------------------------------------------------------ */

enum { KERNEL, BIAS };

/* Rows whose units stay in the second cache, but so many that it is worth while to read the kernel. */
static size_t at_once(size_t rows, size_t units)
{
#ifdef __OPTIMIZE_SIZE__
    (void)units;
    return rows;
#else
    size_t most = units < 256 ? 32768 / units : 128;
    return rows < most ? rows : most;
#endif
}

#include "../real32.h"
#include "core.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "core.inc"
#endif

static nnp_status dense_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *kernel = &nnp_weight(call, KERNEL)->type;
    NNP_TRY(nnp_require_float(call));
    NNP_TRY(nnp_require_rank(call, 0, 2, NNP_RANK));
    int32_t in = x->dims[x->rank - 1];
    if (nnp_is_symbol(in)) return nnp_refuse(call, NNP_RANK_RANGE, "/inputs/0", 0);
    NNP_TRY(nnp_require_weight(call, KERNEL, 2, (const int32_t[]){in, -1}));
    NNP_TRY(nnp_require_weight(call, BIAS, 1, (const int32_t[]){kernel->dims[1]}));
    nnp_make_like(call, 0, 0);
    call->made[0].dims[x->rank - 1] = kernel->dims[1];
    return NNP_OK;
}

static nnp_status dense_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *y = nnp_out(call, 0);
    const nnp_tensor *bias = nnp_weight(call, BIAS);
    size_t rows = nnp_product(x, 0, x->rank - 1U), in = (size_t)x->dims[x->rank - 1];
    size_t units = (size_t)y->dims[y->rank - 1];
#if NNP_WITH_FLOAT64
    if (x->dtype == NNP_FLOAT64) {
        dense_f64(call, rows, in, units, bias == NULL ? NULL : bias->data);
        return NNP_OK;
    }
#endif
    dense_f32(call, rows, in, units, bias == NULL ? NULL : bias->data);
    return NNP_OK;
}

const nnp_operator nnp_dense = {
    .name = "dense", .weights = "kernel\0bias?\0", .attributes = "", .least = 1, .most = 1,
    .flags = NNP_BLOCKS, .infer = dense_infer, .run = dense_run,
#ifndef __OPTIMIZE_SIZE__
    .prepared_size = nnp_kernel_size, .prepare = nnp_kernel_prepare,
#endif
};

/* identity, constant ----------------------------------------------------------------------------------------------- */

static nnp_status like_infer(nnp_call *call)
{
    nnp_make_like(call, 0, 0);
    return NNP_OK;
}

const nnp_operator nnp_identity = {
    .name = "identity", .weights = "", .attributes = "", .least = 1, .most = 1, .flags = NNP_VIEW, .infer = like_infer,
};

static nnp_status constant_infer(nnp_call *call)
{
    const nnp_type *value = &nnp_weight(call, 0)->type;
    call->made[0].rank = value->rank;
    call->made[0].dtype = value->dtype;
    for (unsigned axis = 0; axis < value->rank; axis++) call->made[0].dims[axis] = value->dims[axis];
    return NNP_OK;
}

const nnp_operator nnp_constant = {
    .name = "constant", .weights = "value\0", .attributes = "", .least = 0, .most = 0, .flags = NNP_VIEW,
    .infer = constant_infer,
};

#endif
