/* Images of another height and width: spec/ops/resize.md. */
#include "elements.h"
#include "../operators.h"

#if NNP_RESIZING

enum { RESIZE, UPSAMPLE };
enum { SIZE, INTERPOLATION, ANTIALIAS };
enum { NEAREST, BILINEAR, BICUBIC, LANCZOS3, LANCZOS5, AREA };
#define INTERPOLATIONS "interpolation:cnearest bilinear bicubic lanczos3 lanczos5 area\0"

/* Positions -------------------------------------------------------------------------------------------------------- */

/* How the weights of an axis are made. */
enum { ONE, LINEAR, TABLE, SAMPLED, PARTS };

typedef struct {
    int32_t interpolation;
    unsigned rule;
    size_t in, out; /* elements of x, and of y */
    size_t most;    /* how many elements of x make one of y */
    float step;     /* elements of x for one of y */
    float widen;    /* by how much the kernel is */
} resized;

/* What an element of y is made of. */
typedef struct {
    int64_t low, high; /* elements of x that have a weight; those beyond a border stand for the one at the border */
    int64_t pixel;
    float position, fraction, end; /* the position is that of the pixel, and the fraction behind it */
} spot;

/* Where in x the weights of an element of y begin, and how many there are. */
typedef struct {
    int32_t first, count;
} span;

/* Rounds to float32, whatever the precision of registers, and keeps operations from being fused. */
static float f32(float number)
{
    volatile float rounded = number;
    return rounded;
}

static int32_t radius_of(int32_t interpolation)
{
    return interpolation == LANCZOS5 ? 5 : interpolation == LANCZOS3 ? 3 : interpolation == BICUBIC ? 2 : 1;
}

static resized resized_of(const nnp_call *call, unsigned k)
{
    bool antialias = call->layer->op->kind == RESIZE && nnp_attr(call, ANTIALIAS)->integer;
    int32_t interpolation = nnp_attr(call, INTERPOLATION)->integer;
    resized axis = {.interpolation = interpolation, .rule = LINEAR, .widen = 1};
    axis.in = (size_t)nnp_in(call, 0)->dims[1 + k];
    axis.out = (size_t)nnp_out(call, 0)->dims[1 + k];
    axis.step = f32((float)axis.in / (float)axis.out);
    uint64_t most = 2;
    if (interpolation == NEAREST) {
        axis.rule = ONE;
        most = 0; /* its weights are all 1 */
    } else if (interpolation == AREA) {
        axis.rule = PARTS;
        most = (uint64_t)ceilf(axis.step) + 2; /* one more than the page has, for positions that are rounded */
    } else if (interpolation >= LANCZOS3 || antialias) {
        axis.rule = SAMPLED;
        axis.step = f32(1 / f32((float)axis.out / (float)axis.in));
        if (antialias && axis.step > 1) axis.widen = axis.step;
        most = 2 * (uint64_t)ceilf((float)radius_of(interpolation) * axis.widen) + 1;
    } else if (interpolation == BICUBIC) {
        axis.rule = TABLE;
        most = 4;
    }
    axis.most = most < axis.in ? (size_t)most : axis.in;
    return axis;
}

static int64_t within(int64_t i, int64_t n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* Each operation on a position is rounded to float32: it decides on which side of a border between pixels one falls. */
static spot spot_of(const resized *axis, size_t p)
{
    float centre = f32((float)p + 0.5F);
    spot s = {.position = f32(centre * axis->step)};
    if (axis->rule == LINEAR || axis->rule == TABLE) s.position = f32(s.position - 0.5F);
    if (axis->rule == PARTS) s.position = f32((float)p * axis->step);
    float pixel = floorf(s.position);
    s.fraction = f32(s.position - pixel);
    s.low = s.high = s.pixel = (int64_t)pixel;
    switch (axis->rule) {
    case LINEAR:
        s.high++;
        break;
    case TABLE:
        s.fraction = rintf(s.fraction * 1024) / 1024;
        s.low--;
        s.high += 2;
        break;
    case SAMPLED: {
        double reach = (double)radius_of(axis->interpolation) * (double)axis->widen;
        s.low = (int64_t)ceil((double)s.position - reach - 0.5);
        s.high = (int64_t)floor((double)s.position + reach - 0.5);
        break;
    }
    case PARTS:
        s.end = f32((float)(p + 1) * axis->step);
        s.high = (int64_t)ceilf(s.end) - 1;
        break;
    default:
        break;
    }
    if (axis->rule == TABLE || axis->rule == SAMPLED) { /* pixels beyond a border do not count */
        if (s.low < 0) s.low = 0;
        if (s.high >= (int64_t)axis->in) s.high = (int64_t)axis->in - 1;
    }
    return s;
}

static span span_of(const resized *axis, const spot *s)
{
    int64_t first = within(s->low, (int64_t)axis->in), count = within(s->high, (int64_t)axis->in) - first + 1;
    if (s->high < s->low) count = 0;
    return (span){(int32_t)first, (int32_t)(count < (int64_t)axis->most ? count : (int64_t)axis->most)};
}

/* Elements --------------------------------------------------------------------------------------------------------- */

#define FEW 4 /* channels */

#include "../real32.h"
#include "resizing.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "resizing.inc"
#endif

NNP_INLINE void pick(const uint8_t *restrict x, const span *spans, size_t n, uint8_t *restrict y, size_t size)
{
    for (size_t q = 0; q < n; q++) memcpy(y + q * size, x + (size_t)spans[q].first * size, size);
}

static void pick_all(const nnp_call *call, const resized axes[2])
{
    const nnp_type *type = nnp_in(call, 0);
    const uint8_t *x = nnp_in_data(call, 0);
    uint8_t *y = nnp_out_data(call, 0);
    span *spans[2] = {call->scratch, (span *)call->scratch + axes[0].out};
    size_t pixel = (size_t)type->dims[3] * nnp_dtype_size(type->dtype);
    size_t width = axes[1].in * pixel, line = axes[1].out * pixel;
    for (unsigned k = 0; k < 2; k++)
        for (size_t p = 0; p < axes[k].out; p++)
            spans[k][p].first = (int32_t)within(spot_of(&axes[k], p).pixel, (int64_t)axes[k].in);
    for (size_t row = 0; row < (size_t)type->dims[0]; row++, x += axes[0].in * width)
        for (size_t p = 0; p < axes[0].out; p++, y += line) {
            if (p > 0 && spans[0][p].first == spans[0][p - 1].first) {
                memcpy(y, y - line, line);
                continue;
            }
            const uint8_t *from = x + (size_t)spans[0][p].first * width;
            NNP_WITH_SIZE(pixel, pick(from, spans[1], axes[1].out, y, size))
        }
}

/* The operators ---------------------------------------------------------------------------------------------------- */

static nnp_status infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    bool nearest = nnp_attr(call, INTERPOLATION)->integer == NEAREST;
    NNP_TRY(nnp_require_dtype(call, 0, nearest ? NNP_NUMBERS : NNP_FLOATS));
    NNP_TRY(nnp_require_rank(call, 0, 4, 4));
    nnp_make_like(call, 0, 0);
    for (unsigned axis = 1; axis < 3; axis++) {
        int32_t n = x->dims[axis], given = nnp_attr(call, SIZE)->list.items[axis - 1];
        int32_t *made = &call->made[0].dims[axis];
        if (n == 0) return nnp_refuse(call, NNP_SHAPE, "/inputs/0", 0);
        if (call->layer->op->kind == RESIZE) *made = given;
        else if (!nnp_is_symbol(n)) *made = nnp_number((int64_t)n * given);
        else if (given != 1) *made = NNP_NEW;
    }
    return NNP_OK;
}

/* Spans and weights of both axes, and a row of y that is as wide as x. */
static size_t scratch(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    uint64_t size = nnp_dtype_size(x->dtype), bytes = 0;
    for (unsigned k = 0; k < 2; k++) {
        resized axis = resized_of(call, k);
        bytes += axis.out * (sizeof(span) + axis.most * size);
        if (k == 1 && axis.rule != ONE) bytes += axis.in * (uint64_t)x->dims[3] * size;
    }
    return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

static nnp_status run(const nnp_call *call)
{
    const resized axes[2] = {resized_of(call, 0), resized_of(call, 1)};
    if (axes[0].rule == ONE) pick_all(call, axes);
#if NNP_WITH_FLOAT64
    else if (nnp_in(call, 0)->dtype == NNP_FLOAT64) interpolate_f64(call, axes);
#endif
    else interpolate_f32(call, axes);
    return NNP_OK;
}

const nnp_operator nnp_resize = {
    .name = "resize", .weights = "", .attributes = "size:J\0" INTERPOLATIONS "antialias:b\0", .least = 1, .most = 1,
    .kind = RESIZE, .infer = infer, .run = run, .scratch = scratch,
};

const nnp_operator nnp_upsample = {
    .name = "upsample", .weights = "", .attributes = "factors:J\0" INTERPOLATIONS, .least = 1, .most = 1,
    .kind = UPSAMPLE, .infer = infer, .run = run, .scratch = scratch,
};

#endif
