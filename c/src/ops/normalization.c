/* batch_normalization, layer_normalization, group_normalization, rms_normalization, unit_normalization: their pages. */
#include "../operators.h"
#include "groups.h"

#if NNP_NORMALIZATION

enum { BATCH_GAMMA, BATCH_BETA, MOVING_MEAN, MOVING_VARIANCE };
enum { LAYER, RMS, UNIT }; /* kinds */

/* What a group is normalized with. */
typedef struct {
    const void *gamma, *beta; /* NULL where there are none */
    double epsilon;
    unsigned kind;
    size_t groups, width, inner; /* of group_normalization: the groups of a row, and (…, width, inner) of one */
    void *channels;              /* and room for 2 · width elements */
} normalization;

static const void *data_of(const nnp_tensor *weight)
{
    return weight == NULL ? NULL : weight->data;
}

#include "../real32.h"
#include "normalization.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "normalization.inc"
#endif

static size_t size_of(const nnp_type *type)
{
    return nnp_dtype_size((nnp_dtype)type->dtype);
}

/* The axis has channels, a number of them. */
static nnp_status require_channels(nnp_call *call)
{
    NNP_TRY(nnp_require_float(call));
    NNP_TRY(nnp_require_axis(call, 0));
    return nnp_is_symbol(nnp_in(call, 0)->dims[nnp_attr(call, 0)->integer])
               ? nnp_refuse(call, NNP_AXIS_RANGE, "/attributes", 0)
               : NNP_OK;
}

static int32_t channels_of(const nnp_call *call)
{
    return nnp_in(call, 0)->dims[nnp_attr(call, 0)->integer];
}

/* batch_normalization ---------------------------------------------------------------------------------------------- */

static nnp_status batch_infer(nnp_call *call)
{
    NNP_TRY(require_channels(call));
    for (unsigned role = BATCH_GAMMA; role <= MOVING_VARIANCE; role++)
        NNP_TRY(nnp_require_weight(call, role, 1, (const int32_t[]){channels_of(call)}));
    nnp_make_like(call, 0, 0);
    return NNP_OK;
}

static nnp_status batch_prepare(nnp_layer *layer, unsigned flags)
{
    const nnp_tensor *variance = layer->weights[MOVING_VARIANCE];
    (void)flags;
    const double epsilon = layer->attributes[1].number;
    return NNP_FOR(&variance->type, are_positive)(variance->data, nnp_elements(&variance->type), epsilon)
               ? NNP_OK
               : NNP_VARIANCE_RANGE;
}

static size_t batch_scratch(const nnp_call *call)
{
    return 2 * (size_t)channels_of(call) * size_of(nnp_in(call, 0));
}

static nnp_status batch_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const unsigned axis = (unsigned)nnp_attr(call, 0)->integer;
    NNP_FOR(x, batch)(call, nnp_product(x, 0, axis), (size_t)x->dims[axis], nnp_product(x, axis + 1, x->rank));
    return NNP_OK;
}

const nnp_operator nnp_batch_normalization = {
    .name = "batch_normalization", .weights = "gamma?\0beta?\0moving_mean\0moving_variance\0",
    .attributes = "axis:a\0epsilon:p\0", .least = 1, .most = 1, .flags = NNP_IN_PLACE | NNP_APART,
    .infer = batch_infer, .run = batch_run, .scratch = batch_scratch, .prepare = batch_prepare,
};

/* layer_normalization, rms_normalization, unit_normalization ------------------------------------------------------- */

static nnp_groups layer_groups(const nnp_call *call)
{
    return nnp_groups_along(nnp_in(call, 0), nnp_attr(call, 0)->list.items, nnp_attr(call, 0)->list.count);
}

static unsigned roles(const nnp_call *call)
{
    return call->layer->op->kind == LAYER ? 2 : call->layer->op->kind == RMS ? 1 : 0;
}

static nnp_status layer_infer(nnp_call *call)
{
    const nnp_attribute *axes = nnp_attr(call, 0);
    int32_t dims[NNP_RANK];
    NNP_TRY(nnp_require_float(call));
    NNP_TRY(nnp_require_axes(call, 0));
    for (uint32_t i = 0; i < axes->list.count; i++) {
        dims[i] = nnp_in(call, 0)->dims[axes->list.items[i]];
        if (nnp_is_symbol(dims[i])) dims[i] = 0; /* what no weight has */
    }
    for (unsigned role = 0; role < roles(call); role++) NNP_TRY(nnp_require_weight(call, role, axes->list.count, dims));
    nnp_make_like(call, 0, 0);
    return NNP_OK;
}

static size_t layer_scratch(const nnp_call *call)
{
    const nnp_groups groups = layer_groups(call);
    return nnp_lines_scratch(call, &groups);
}

static nnp_status layer_run(const nnp_call *call)
{
    const nnp_groups groups = layer_groups(call);
    const normalization of = {
        .gamma = roles(call) > 0 ? data_of(nnp_weight(call, 0)) : NULL,
        .beta = roles(call) > 1 ? data_of(nnp_weight(call, 1)) : NULL,
        .epsilon = nnp_attr(call, 1)->number, .kind = call->layer->op->kind,
    };
    NNP_FOR(nnp_in(call, 0), nnp_lines)(call, &groups, NNP_FOR(nnp_in(call, 0), normalize), &of);
    return NNP_OK;
}

#define NORMALIZATION(operator, kind_, weights_)                                                                       \
    const nnp_operator nnp_##operator = {                                                                              \
        .name = #operator, .weights = weights_, .attributes = "axes:A\0epsilon:p\0", .least = 1, .most = 1,            \
        .flags = NNP_IN_PLACE, .kind = kind_, .infer = layer_infer, .run = layer_run, .scratch = layer_scratch,        \
    }

NORMALIZATION(layer_normalization, LAYER, "gamma?\0beta?\0");
NORMALIZATION(rms_normalization, RMS, "scale?\0");
NORMALIZATION(unit_normalization, UNIT, "");

/* group_normalization ---------------------------------------------------------------------------------------------- */

/* Those of x where channels are two axes, (groups, width): all axes but the first and that of the groups. */
static nnp_groups group_groups(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const int32_t axis = nnp_attr(call, 0)->integer, groups = nnp_attr(call, 1)->integer;
    int32_t dims[NNP_RANK + 1], axes[NNP_RANK + 1];
    unsigned count = 0;
    for (int32_t k = 0; k <= x->rank; k++) {
        dims[k] = k < axis ? x->dims[k] : k == axis ? groups : k == axis + 1 ? x->dims[axis] / groups : x->dims[k - 1];
        if (k != 0 && k != axis) axes[count++] = k;
    }
    return nnp_groups_along(&(const nnp_type){dims, (uint8_t)(x->rank + 1), x->dtype}, axes, count);
}

static nnp_status group_infer(nnp_call *call)
{
    NNP_TRY(require_channels(call));
    if (channels_of(call) % nnp_attr(call, 1)->integer != 0)
        return nnp_refuse(call, NNP_GROUPS_DIVIDE, "/attributes", 0);
    for (unsigned role = 0; role < 2; role++)
        NNP_TRY(nnp_require_weight(call, role, 1, (const int32_t[]){channels_of(call)}));
    nnp_make_like(call, 0, 0);
    return NNP_OK;
}

static size_t group_scratch(const nnp_call *call)
{
    const nnp_groups groups = group_groups(call);
    const size_t width = (size_t)(channels_of(call) / nnp_attr(call, 1)->integer);
    return nnp_lines_scratch(call, &groups) + 2 * width * size_of(nnp_in(call, 0));
}

static nnp_status group_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const unsigned axis = (unsigned)nnp_attr(call, 0)->integer;
    const nnp_groups groups = group_groups(call);
    const normalization of = {
        .gamma = data_of(nnp_weight(call, 0)), .beta = data_of(nnp_weight(call, 1)),
        .epsilon = nnp_attr(call, 2)->number,
        .groups = (size_t)nnp_attr(call, 1)->integer,
        .width = (size_t)(channels_of(call) / nnp_attr(call, 1)->integer), .inner = nnp_product(x, axis + 1, x->rank),
        .channels = (char *)call->scratch + nnp_lines_scratch(call, &groups),
    };
    NNP_FOR(x, nnp_lines)(call, &groups, NNP_FOR(x, normalize_channels), &of);
    return NNP_OK;
}

const nnp_operator nnp_group_normalization = {
    .name = "group_normalization", .weights = "gamma?\0beta?\0", .attributes = "axis:a\0groups:i\0epsilon:p\0",
    .least = 1, .most = 1, .flags = NNP_IN_PLACE,
    .infer = group_infer, .run = group_run, .scratch = group_scratch,
};

#endif
