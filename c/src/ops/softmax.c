/* softmax, sparsemax, glu: spec/ops/softmax.md, sparsemax.md, glu.md. */
#include "../fastmath.h"
#include "../operators.h"
#include "activate.h"
#include "groups.h"

#if NNP_ACTIVATIONS || NNP_RECURRENT

/* How many elements are compared side by side: vectors, where they are worth their code. */
#ifdef __OPTIMIZE_SIZE__
enum { LANES = 1 };
#else
enum { LANES = 8 };
#endif

/* What a line of sparsemax is computed with. */
typedef struct {
    void *heap; /* as many elements as the line has */
    bool cumulative;
} sparsemax;

#include "../real32.h"
#include "softmax.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "softmax.inc"
#endif

#endif

#if NNP_ACTIVATIONS

/* softmax, log_softmax --------------------------------------------------------------------------------------------- */

static nnp_groups softmax_groups(const nnp_call *call)
{
    return nnp_groups_along(nnp_in(call, 0), nnp_attr(call, 0)->list.items, nnp_attr(call, 0)->list.count);
}

static nnp_status softmax_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_float(call));
    NNP_TRY(nnp_require_axes(call, 0));
    nnp_make_like(call, 0, 0);
    return NNP_OK;
}

static size_t softmax_scratch(const nnp_call *call)
{
    const nnp_groups groups = softmax_groups(call);
    return nnp_lines_scratch(call, &groups);
}

static nnp_status softmax_run(const nnp_call *call)
{
    const nnp_groups groups = softmax_groups(call);
    const bool logarithm = call->layer->op->kind;
    NNP_FOR(nnp_in(call, 0), nnp_lines)(call, &groups, NNP_FOR(nnp_in(call, 0), softmax_line), &logarithm);
    return NNP_OK;
}

#define SOFTMAX(operator, logarithm)                                                                                   \
    const nnp_operator nnp_##operator = {                                                                              \
        .name = #operator, .weights = "", .attributes = "axes:A\0", .least = 1, .most = 1, .flags = NNP_IN_PLACE,      \
        .kind = logarithm, .infer = softmax_infer, .run = softmax_run, .scratch = softmax_scratch,                     \
    }

SOFTMAX(softmax, false);
SOFTMAX(log_softmax, true);

/* sparsemax, cumulative_sparsemax ---------------------------------------------------------------------------------- */

static nnp_groups sparsemax_groups(const nnp_call *call)
{
    return nnp_groups_along(nnp_in(call, 0), &nnp_attr(call, 0)->integer, 1);
}

static nnp_status sparsemax_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_float(call));
    NNP_TRY(nnp_require_axis(call, 0));
    nnp_make_like(call, 0, 0);
    return NNP_OK;
}

static size_t sparsemax_scratch(const nnp_call *call)
{
    const nnp_groups groups = sparsemax_groups(call);
    return nnp_lines_scratch(call, &groups) + groups.n * nnp_dtype_size((nnp_dtype)nnp_in(call, 0)->dtype);
}

static nnp_status sparsemax_run(const nnp_call *call)
{
    const nnp_groups groups = sparsemax_groups(call);
    const sparsemax of = {(char *)call->scratch + nnp_lines_scratch(call, &groups), call->layer->op->kind};
    NNP_FOR(nnp_in(call, 0), nnp_lines)(call, &groups, NNP_FOR(nnp_in(call, 0), sparsemax_line), &of);
    return NNP_OK;
}

#define SPARSEMAX(operator, cumulative)                                                                                \
    const nnp_operator nnp_##operator = {                                                                              \
        .name = #operator, .weights = "", .attributes = "axis:a\0", .least = 1, .most = 1, .flags = NNP_IN_PLACE,      \
        .kind = cumulative, .infer = sparsemax_infer, .run = sparsemax_run, .scratch = sparsemax_scratch,              \
    }

SPARSEMAX(sparsemax, false);
SPARSEMAX(cumulative_sparsemax, true);

/* glu -------------------------------------------------------------------------------------------------------------- */

static nnp_status glu_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_float(call));
    NNP_TRY(nnp_require_axis(call, 0));
    const int32_t axis = nnp_attr(call, 0)->integer, n = nnp_in(call, 0)->dims[axis];
    if (nnp_is_symbol(n) || n % 2 != 0) return nnp_refuse(call, NNP_AXIS_ODD, "/inputs/0", 0);
    nnp_make_like(call, 0, 0);
    call->made[0].dims[axis] = n / 2;
    return NNP_OK;
}

static nnp_status glu_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *y = nnp_out(call, 0);
    const unsigned axis = (unsigned)nnp_attr(call, 0)->integer;
    const size_t outer = nnp_product(x, 0, axis), half = nnp_product(y, axis, y->rank);
    NNP_FOR(x, glu)(nnp_in_data(call, 0), nnp_out_data(call, 0), outer, half);
    return NNP_OK;
}

const nnp_operator nnp_glu = {
    .name = "glu", .weights = "", .attributes = "axis:a\0", .least = 1, .most = 1, .infer = glu_infer, .run = glu_run,
};

#endif
