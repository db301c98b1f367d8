/* sum, mean, …, argmax, cumsum: spec/ops/reduction.md, argmax.md, cumulative.md. */
#include "../fastmath.h"
#include "../operators.h"
#include "groups.h"

#if NNP_REDUCTION

/* What is done to elements: `width` of y take in those of `rows` rows, `stride` apart; `center` has as many as y. */
typedef void kernel(void *y, const void *x, size_t width, size_t rows, size_t stride, const void *center);

typedef struct {
    kernel *step, *join; /* takes in elements; results of others */
    const void *start;   /* the element that changes nothing */
} pass;

enum { ADD, MULTIPLY, MOST, LEAST, ADD_SQUARES, ADD_EXPONENTIALS, PASSES };

typedef struct {
    size_t size;
    void (*fill)(void *y, const void *value, size_t width);
    size_t (*best)(const void *x, size_t n, size_t step, bool least);
    pass passes[PASSES];
    void (*to_center)(void *y, size_t lanes, size_t n, bool mean);
    void (*to_logsumexp)(void *y, size_t lanes, const void *most);
} element;

#define FLOATING 1
#define ELEMENT float
#define WIDE float
#define E(name) name##_f32
#define LOWEST -INFINITY
#define HIGHEST INFINITY
#define IS_NAN(value) ((value) != (value))
#include "../real32.h"
#include "reduction.inc"

#if NNP_WITH_FLOAT64
#define FLOATING 1
#define ELEMENT double
#define WIDE double
#define E(name) name##_f64
#define LOWEST -INFINITY
#define HIGHEST INFINITY
#define IS_NAN(value) ((value) != (value))
#include "../real64.h"
#include "reduction.inc"
#endif

#define FLOATING 0
#define ELEMENT int8_t
#define WIDE uint32_t
#define E(name) name##_i8
#define LOWEST INT8_MIN
#define HIGHEST INT8_MAX
#define IS_NAN(value) false
#include "reduction.inc"

#define FLOATING 0
#define ELEMENT int32_t
#define WIDE uint32_t
#define E(name) name##_i32
#define LOWEST INT32_MIN
#define HIGHEST INT32_MAX
#define IS_NAN(value) false
#include "reduction.inc"

#define FLOATING 0
#define ELEMENT int64_t
#define WIDE uint64_t
#define E(name) name##_i64
#define LOWEST INT64_MIN
#define HIGHEST INT64_MAX
#define IS_NAN(value) false
#include "reduction.inc"

#define FLOATING 0
#define ELEMENT uint8_t
#define WIDE uint32_t
#define E(name) name##_u8
#define LOWEST 0
#define HIGHEST UINT8_MAX
#define IS_NAN(value) false
#include "reduction.inc"

static const element *element_of(const nnp_type *type)
{
    switch (type->dtype) {
#if NNP_WITH_FLOAT64
    case NNP_FLOAT64: return &element_f64;
#endif
    case NNP_INT8: return &element_i8;
    case NNP_INT32: return &element_i32;
    case NNP_INT64: return &element_i64;
    case NNP_UINT8: return &element_u8;
    case NNP_BOOL: return &element_u8; /* 0 or 1: any is the larger, all the smaller one */
    default: return &element_f32;
    }
}

/* sum, mean, prod, max, min, variance, logsumexp, any, all --------------------------------------------------------- */

enum { SUM, MEAN, PROD, MAX, MIN, VARIANCE, LOGSUMEXP, ANY, ALL };

static const struct {
    uint8_t pass, second; /* the second is around the result of the first; PASSES: there is none */
    bool divided;         /* by the number of elements, at the end */
    unsigned dtypes;
} kinds[] = {
    [SUM] = {ADD, PASSES, false, NNP_NUMBERS},
    [MEAN] = {ADD, PASSES, true, NNP_FLOATS},
    [PROD] = {MULTIPLY, PASSES, false, NNP_NUMBERS},
    [MAX] = {MOST, PASSES, false, NNP_NUMBERS},
    [MIN] = {LEAST, PASSES, false, NNP_NUMBERS},
    [VARIANCE] = {ADD, ADD_SQUARES, true, NNP_FLOATS},
    [LOGSUMEXP] = {MOST, ADD_EXPONENTIALS, false, NNP_FLOATS},
    [ANY] = {MOST, PASSES, false, NNP_SET(NNP_BOOL)},
    [ALL] = {LEAST, PASSES, false, NNP_SET(NNP_BOOL)},
};

/* The shape of x, but the axes have one element, or are left out. */
static void make_reduced(nnp_call *call, const int32_t *axes, unsigned count, bool keepdims, uint8_t dtype)
{
    const nnp_type *x = nnp_in(call, 0);
    unsigned rank = 0, next = 0;
    for (unsigned axis = 0; axis < x->rank; axis++) {
        bool reduced = next < count && axes[next] == (int32_t)axis;
        if (reduced) next++;
        if (!reduced || keepdims) call->made[0].dims[rank++] = reduced ? 1 : x->dims[axis];
    }
    call->made[0].rank = (uint8_t)rank;
    call->made[0].dtype = dtype;
}

static nnp_status reduction_infer(nnp_call *call)
{
    const nnp_attribute *axes = nnp_attr(call, 0);
    NNP_TRY(nnp_require_dtype(call, 0, kinds[call->layer->op->kind].dtypes));
    NNP_TRY(nnp_require_axes(call, 0));
    make_reduced(call, axes->list.items, axes->list.count, nnp_attr(call, 1)->integer, nnp_in(call, 0)->dtype);
    return NNP_OK;
}

/* What is reduced at once: groups side by side, one in each lane. */
typedef struct {
    const element *of;
    const nnp_groups *groups;
    const char *x;        /* where the groups begin */
    size_t lanes, folds;  /* how many groups; how many elements of each are next to each other, and taken in at once */
    char *y, *part;       /* the results; and those of some elements: both have room for lanes · folds */
    char *center;
} group_tile;

#define TILE 256 /* bytes of each of the three */

/*
 * Of n elements that are added one by one, about √n come into one partial sum: rounding errors are then those of some
 * 2 · √n additions at most, also where all of them have one sign.
 */
static void reduce(const group_tile *tile, const pass *by)
{
    const nnp_places *parts = &tile->groups->parts;
    const size_t size = tile->of->size, width = tile->lanes * tile->folds, stride = tile->groups->inner * tile->folds;
    const size_t rows = tile->groups->n / tile->folds, rest = tile->groups->n % tile->folds;
    size_t most = 1, left;
    while (most < parts->count * rows / most / 2) most *= 2;
    left = most;
    tile->of->fill(tile->y, by->start, width);
    tile->of->fill(tile->part, by->start, width);
    for (size_t part = 0; part < parts->count; part++) {
        const char *x = tile->x + nnp_place(parts, part) * size;
        for (size_t row = 0, count; row < rows; row += count, x += count * stride * size) {
            count = rows - row < left ? rows - row : left;
            by->step(tile->part, x, width, count, stride, tile->center);
            left -= count;
            if (left > 0) continue;
            by->join(tile->y, tile->part, width, 1, 0, NULL);
            tile->of->fill(tile->part, by->start, width);
            left = most;
        }
        by->step(tile->part, x, rest * tile->lanes, 1, 0, tile->center);
    }
    by->join(tile->y, tile->part, width, 1, 0, NULL);
    for (size_t folds = tile->folds, half; folds > 1; folds = half) {
        half = (folds + 1) / 2;
        by->join(tile->y, tile->y + half * tile->lanes * size, (folds - half) * tile->lanes, 1, 0, NULL);
    }
}

static void reduce_tile(const group_tile *tile, unsigned kind)
{
    const element *of = tile->of;
    const size_t n = tile->groups->parts.count * tile->groups->n, bytes = tile->lanes * of->size;
    reduce(tile, &of->passes[kinds[kind].pass]);
    if (kinds[kind].second != PASSES) {
        of->to_center(tile->y, tile->lanes, n, kind == VARIANCE);
        memcpy(tile->center, tile->y, bytes);
        for (size_t have = 1, next; have < tile->folds; have += next) {
            next = tile->folds - have < have ? tile->folds - have : have;
            memcpy(tile->center + have * bytes, tile->center, next * bytes);
        }
        reduce(tile, &of->passes[kinds[kind].second]);
    }
    if (kinds[kind].divided) of->to_center(tile->y, tile->lanes, n, true);
    if (kind == LOGSUMEXP) of->to_logsumexp(tile->y, tile->lanes, tile->center);
}

static size_t reduction_scratch(const nnp_call *call)
{
    (void)call;
    return (size_t)3 * TILE;
}

static nnp_status reduction_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const element *of = element_of(x);
    const nnp_groups groups = nnp_groups_along(x, nnp_attr(call, 0)->list.items, nnp_attr(call, 0)->list.count);
    const size_t most = TILE / of->size, inner = groups.inner;
    char *scratch = call->scratch, *y = nnp_out_data(call, 0);
    group_tile tile = {of, &groups, NULL, 0, 1, scratch, scratch + TILE, scratch + (size_t)2 * TILE};
    if (inner > 0 && inner <= most / 2 && groups.n > 1) tile.folds = groups.n < most / inner ? groups.n : most / inner;
    for (size_t place = 0; place < groups.outer.count; place++) {
        const char *begin = (const char *)nnp_in_data(call, 0) + nnp_place(&groups.outer, place) * of->size;
        for (size_t lane = 0; lane < inner; lane += tile.lanes, y += tile.lanes * of->size) {
            tile.x = begin + lane * of->size;
            tile.lanes = inner - lane < most ? inner - lane : most;
            reduce_tile(&tile, call->layer->op->kind);
            memcpy(y, tile.y, tile.lanes * of->size);
        }
    }
    return NNP_OK;
}

#define REDUCTION(operator, kind_)                                                                                     \
    const nnp_operator nnp_##operator = {                                                                              \
        .name = #operator, .weights = "", .attributes = "axes:A\0keepdims:b\0", .least = 1, .most = 1, .kind = kind_,  \
        .infer = reduction_infer, .run = reduction_run, .scratch = reduction_scratch,                                  \
    }

REDUCTION(sum, SUM);
REDUCTION(mean, MEAN);
REDUCTION(prod, PROD);
REDUCTION(max, MAX);
REDUCTION(min, MIN);
REDUCTION(variance, VARIANCE);
REDUCTION(logsumexp, LOGSUMEXP);
REDUCTION(any, ANY);
REDUCTION(all, ALL);

/* argmax, argmin --------------------------------------------------------------------------------------------------- */

static nnp_status best_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_dtype(call, 0, NNP_NUMBERS));
    NNP_TRY(nnp_require_axis(call, 0));
    make_reduced(call, &nnp_attr(call, 0)->integer, 1, nnp_attr(call, 1)->integer, NNP_INT32);
    return NNP_OK;
}

static nnp_status best_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const element *of = element_of(x);
    const unsigned axis = (unsigned)nnp_attr(call, 0)->integer;
    const size_t outer = nnp_product(x, 0, axis), n = (size_t)x->dims[axis], inner = nnp_product(x, axis + 1, x->rank);
    const char *line = nnp_in_data(call, 0);
    int32_t *y = nnp_out_data(call, 0);
    for (size_t o = 0; o < outer; o++, line += n * inner * of->size)
        for (size_t i = 0; i < inner; i++)
            *y++ = n == 0 ? 0 : (int32_t)of->best(line + i * of->size, n, inner, call->layer->op->kind);
    return NNP_OK;
}

#define BEST(operator, least_)                                                                                         \
    const nnp_operator nnp_##operator = {                                                                              \
        .name = #operator, .weights = "", .attributes = "axis:a\0keepdims:b\0", .least = 1, .most = 1, .kind = least_, \
        .infer = best_infer, .run = best_run,                                                                          \
    }

BEST(argmax, false);
BEST(argmin, true);

/* cumsum, cumprod -------------------------------------------------------------------------------------------------- */

static nnp_status cumulative_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_dtype(call, 0, NNP_FLOATS | NNP_SET(NNP_INT32) | NNP_SET(NNP_INT64)));
    NNP_TRY(nnp_require_axis(call, 0));
    nnp_make_like(call, 0, 0);
    return NNP_OK;
}

static nnp_status cumulative_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const element *of = element_of(x);
    const unsigned axis = (unsigned)nnp_attr(call, 0)->integer;
    const size_t outer = nnp_product(x, 0, axis), n = (size_t)x->dims[axis], inner = nnp_product(x, axis + 1, x->rank);
    const size_t row = inner * of->size;
    char *y = nnp_out_data(call, 0);
    if (nnp_elements(x) == 0) return NNP_OK;
    if (y != nnp_in_data(call, 0)) memcpy(y, nnp_in_data(call, 0), nnp_elements(x) * of->size);
    for (size_t o = 0; o < outer; o++, y += n * row)
        for (size_t k = 1; k < n; k++)
            of->passes[call->layer->op->kind].step(y + k * row, y + (k - 1) * row, inner, 1, 0, NULL);
    return NNP_OK;
}

#define CUMULATIVE(operator, pass_)                                                                                    \
    const nnp_operator nnp_##operator = {                                                                              \
        .name = #operator, .weights = "", .attributes = "axis:a\0", .least = 1, .most = 1, .flags = NNP_IN_PLACE,      \
        .kind = pass_, .infer = cumulative_infer, .run = cumulative_run,                                               \
    }

CUMULATIVE(cumsum, ADD);
CUMULATIVE(cumprod, MULTIPLY);

#endif
