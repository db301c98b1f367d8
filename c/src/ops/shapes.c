/* The same elements in other places: spec/ops/reshape.md, transpose.md, …, positions.md. */
#include "elements.h"
#include "../operators.h"

#if NNP_SHAPES

/* Copies along axes ------------------------------------------------------------------------------------------------ */

/*
 * What is copied lies in pieces of `size` bytes, whose places in both arrays follow from an index over axes. Steps and
 * places are numbers of bytes modulo SIZE_MAX + 1, so that a step may go backwards. Axes are given from the inside to
 * the outside; those that follow on each other in both arrays become one, or a larger piece.
 */
typedef struct {
    size_t n, from, to;
} step_axis;

typedef struct {
    size_t size, from, to; /* a piece, and where the first is */
    unsigned rank;
    step_axis axes[2 * NNP_RANK];
} pieces;

static pieces pieces_of(size_t size)
{
    return (pieces){.size = size};
}

/* Adds an axis of n pieces, or of n of what the axes so far make. */
static void along(pieces *p, size_t n, size_t from, size_t to)
{
    step_axis *inner = p->rank > 0 ? &p->axes[p->rank - 1] : NULL;
    if (n == 1) return;
    if (inner == NULL && from == p->size && to == p->size) p->size *= n;
    else if (inner != NULL && from == inner->n * inner->from && to == inner->n * inner->to) inner->n *= n;
    else p->axes[p->rank++] = (step_axis){n, from, to};
}

#ifdef __OPTIMIZE_SIZE__
#define BLOCK 4
#else
#define BLOCK 16 /* pieces: a cache line of float32 */
#endif

/*
 * A block (BLOCK, BLOCK) whose outer axis is contiguous in x, and whose inner axis is so in y. Each line of both is
 * touched once, because lines that are a power of two apart push each other out of the cache.
 */
NNP_INLINE void transpose_block(const uint8_t *restrict x, uint8_t *restrict y, step_axis outer, step_axis inner,
                                size_t from, size_t to, size_t size)
{
    uint8_t tile[BLOCK * BLOCK * sizeof(double)];
    for (size_t j = 0; j < BLOCK; j++)
        for (size_t i = 0; i < BLOCK; i++)
            memcpy(tile + (i * BLOCK + j) * size, x + (from + j * inner.from + i * size), size);
    for (size_t i = 0; i < BLOCK; i++) memcpy(y + (to + i * outer.to), tile + i * BLOCK * size, BLOCK * size);
}

/* Two axes, block by block: lines of both arrays stay in the cache until all of them is used. */
NNP_INLINE void copy_plane(const uint8_t *restrict x, uint8_t *restrict y, step_axis outer, step_axis inner,
                           size_t from, size_t to, size_t size)
{
    bool transposed = size <= sizeof(double) && outer.from == size && inner.to == size;
    for (size_t top = 0; top < outer.n; top += BLOCK)
        for (size_t left = 0; left < inner.n; left += BLOCK) {
            size_t bottom = outer.n - top < BLOCK ? outer.n : top + BLOCK;
            size_t right = inner.n - left < BLOCK ? inner.n : left + BLOCK;
            if (transposed && bottom - top == BLOCK && right - left == BLOCK) {
                transpose_block(x, y, outer, inner, from + top * size + left * inner.from,
                                to + top * outer.to + left * size, size);
                continue;
            }
            for (size_t i = top; i < bottom; i++)
                for (size_t j = left; j < right; j++)
                    memcpy(y + (to + i * outer.to + j * inner.to), x + (from + i * outer.from + j * inner.from), size);
        }
}

static size_t distance(size_t step)
{
    return step > SIZE_MAX / 2 ? 0 - step : step;
}

/* The pieces of y are those of x. */
static void copy(pieces p, const void *x, void *y)
{
    size_t index[2 * NNP_RANK] = {0}, from = p.from, to = p.to;
    if (p.size == 0) return;
    for (unsigned k = 0; k < p.rank; k++)
        if (p.axes[k].n == 0) return;
    while (p.rank < 2) p.axes[p.rank++] = (step_axis){1, 0, 0};

    /* The plane has the axis that is innermost in y, and the one that is so in x. */
    unsigned nearest = 1;
    for (unsigned k = 2; k < p.rank; k++)
        if (distance(p.axes[k].from) < distance(p.axes[nearest].from)) nearest = k;
    step_axis outer = p.axes[nearest];
    if (distance(outer.from) < distance(p.axes[0].from)) p.axes[nearest] = p.axes[1];
    else outer = p.axes[1];

    for (;;) {
        unsigned k = 2;
        NNP_WITH_SIZE(p.size, copy_plane(x, y, outer, p.axes[0], from, to, size))
        for (; k < p.rank; k++) {
            from += p.axes[k].from;
            to += p.axes[k].to;
            if (++index[k] < p.axes[k].n) break;
            from -= p.axes[k].n * p.axes[k].from;
            to -= p.axes[k].n * p.axes[k].to;
            index[k] = 0;
        }
        if (k == p.rank) return;
    }
}

/* For each axis how many bytes lie between its elements. */
static void strides_of(const nnp_type *type, size_t *strides)
{
    size_t stride = nnp_dtype_size(type->dtype);
    for (unsigned axis = type->rank; axis-- > 0; stride *= (size_t)type->dims[axis]) strides[axis] = stride;
}

/* What most rules make: x, but for one dimension. */
static nnp_status make_resized(nnp_call *call, unsigned axis, int32_t n)
{
    nnp_make_like(call, 0, 0);
    call->made[0].dims[axis] = n;
    return NNP_OK;
}

/* reshape ---------------------------------------------------------------------------------------------------------- */

static int32_t common_divisor(int32_t a, int32_t b)
{
    while (b != 0) {
        int32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static nnp_status reshape_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const nnp_attribute *target = nnp_attr(call, 0);
    unsigned symbols = 0, count = target->list.count, open = count;
    int32_t have[NNP_RANK], symbol = NNP_NEW, *made = call->made[0].dims;
    bool divides = true;
    NNP_TRY(nnp_require_rank(call, 0, 1, NNP_RANK));

    for (unsigned axis = 1; axis < x->rank; axis++) {
        have[axis] = x->dims[axis];
        if (!nnp_is_symbol(have[axis])) continue;
        symbol = have[axis];
        have[axis] = 1;
        symbols++;
    }
    /* Factors are taken out of `have`, because products may be beyond any integer. */
    for (unsigned k = 0; k < count; k++) {
        int32_t want = target->list.items[k];
        made[1 + k] = want;
        if (want == -1) {
            open = k;
            continue;
        }
        for (unsigned axis = 1; axis < x->rank; axis++) {
            int32_t common = common_divisor(want, have[axis]);
            want /= common;
            have[axis] /= common;
        }
        divides = divides && want == 1;
    }
    int32_t quotient = 1;
    for (unsigned axis = 1; axis < x->rank; axis++) quotient = nnp_number((int64_t)quotient * have[axis]);

    bool equal = divides && quotient == 1;
    if (symbols == 0 || open == count) {
        nnp_status fault = call->calling ? NNP_SHAPE : NNP_RESHAPE_COUNT;
        bool fits = symbols == 0 && (open == count ? equal : divides && quotient != NNP_NONE);
        if (!fits) return nnp_refuse(call, fault, "/attributes/target_shape", 0);
    }
    if (open < count) made[1 + open] = symbols == 0 ? quotient : symbols == 1 && equal ? symbol : NNP_NEW;
    made[0] = x->dims[0];
    call->made[0].rank = (uint8_t)(1 + count);
    call->made[0].dtype = x->dtype;
    return NNP_OK;
}

const nnp_operator nnp_reshape = {
    .name = "reshape", .weights = "", .attributes = "target_shape:T\0", .least = 1, .most = 1, .flags = NNP_VIEW,
    .infer = reshape_infer,
};

/* expand_dims, squeeze --------------------------------------------------------------------------------------------- */

static nnp_status expand_dims_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    unsigned axis = (unsigned)nnp_attr(call, 0)->integer;
    NNP_TRY(nnp_require_rank(call, 0, 1, NNP_RANK - 1));
    if (axis > x->rank) return nnp_refuse(call, NNP_AXIS_RANGE, "/attributes/axis", 0);
    nnp_make_like(call, 0, 0);
    call->made[0].rank++;
    call->made[0].dims[axis] = 1;
    for (; axis < x->rank; axis++) call->made[0].dims[axis + 1] = x->dims[axis];
    return NNP_OK;
}

const nnp_operator nnp_expand_dims = {
    .name = "expand_dims", .weights = "", .attributes = "axis:a\0", .least = 1, .most = 1, .flags = NNP_VIEW,
    .infer = expand_dims_infer,
};

static nnp_status squeeze_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const nnp_attribute *axes = nnp_attr(call, 0);
    unsigned rank = 0, k = 0;
    NNP_TRY(nnp_require_axes(call, 0));
    for (unsigned axis = 0; axis < x->rank; axis++) {
        if (k == axes->list.count || (unsigned)axes->list.items[k] != axis) {
            call->made[0].dims[rank++] = x->dims[axis];
            continue;
        }
        if (x->dims[axis] != 1) return nnp_refuse(call, NNP_AXIS_SIZE, "/inputs/0", 0);
        k++;
    }
    call->made[0].rank = (uint8_t)rank;
    call->made[0].dtype = x->dtype;
    return NNP_OK;
}

const nnp_operator nnp_squeeze = {
    .name = "squeeze", .weights = "", .attributes = "axes:A\0", .least = 1, .most = 1, .flags = NNP_VIEW,
    .infer = squeeze_infer,
};

/* transpose, flip -------------------------------------------------------------------------------------------------- */

static nnp_status transpose_infer(nnp_call *call)
{
    const nnp_attribute *perm = nnp_attr(call, 0);
    NNP_TRY(nnp_require_rank(call, 0, perm->list.count, perm->list.count));
    nnp_make_like(call, 0, 0);
    for (unsigned axis = 0; axis < perm->list.count; axis++)
        call->made[0].dims[axis] = nnp_in(call, 0)->dims[perm->list.items[axis]];
    return NNP_OK;
}

static nnp_status transpose_run(const nnp_call *call)
{
    const nnp_type *y = nnp_out(call, 0);
    size_t from[NNP_RANK], to[NNP_RANK];
    pieces p = pieces_of(nnp_dtype_size(y->dtype));
    strides_of(nnp_in(call, 0), from);
    strides_of(y, to);
    for (unsigned axis = y->rank; axis-- > 0;)
        along(&p, (size_t)y->dims[axis], from[nnp_attr(call, 0)->list.items[axis]], to[axis]);
    copy(p, nnp_in_data(call, 0), nnp_out_data(call, 0));
    return NNP_OK;
}

const nnp_operator nnp_transpose = {
    .name = "transpose", .weights = "", .attributes = "perm:P\0", .least = 1, .most = 1, .infer = transpose_infer,
    .run = transpose_run,
};

static nnp_status flip_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_axes(call, 0));
    nnp_make_like(call, 0, 0);
    return NNP_OK;
}

static nnp_status flip_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const nnp_attribute *axes = nnp_attr(call, 0);
    size_t strides[NNP_RANK];
    unsigned k = axes->list.count;
    pieces p = pieces_of(nnp_dtype_size(x->dtype));
    strides_of(x, strides);
    for (unsigned axis = x->rank; axis-- > 0;) {
        size_t n = (size_t)x->dims[axis], from = strides[axis];
        if (k > 0 && (unsigned)axes->list.items[k - 1] == axis) {
            p.from += (n - 1) * from;
            from = 0 - from;
            k--;
        }
        along(&p, n, from, strides[axis]);
    }
    copy(p, nnp_in_data(call, 0), nnp_out_data(call, 0));
    return NNP_OK;
}

const nnp_operator nnp_flip = {
    .name = "flip", .weights = "", .attributes = "axes:A\0", .least = 1, .most = 1, .infer = flip_infer,
    .run = flip_run,
};

/* concatenate ------------------------------------------------------------------------------------------------------ */

static nnp_status concatenate_infer(nnp_call *call)
{
    const nnp_type *first = nnp_in(call, 0);
    unsigned joined = (unsigned)nnp_attr(call, 0)->integer;
    int64_t sum = 0;
    bool open = false;
    if (nnp_inputs(call) > 65536) return nnp_refuse(call, NNP_INPUT_COUNT, "/inputs", 0);
    NNP_TRY(nnp_require_axis(call, 0));
    for (uint32_t i = 0; i < nnp_inputs(call); i++) {
        const nnp_type *x = nnp_in(call, i);
        NNP_TRY(nnp_require_dtype(call, i, NNP_SET(first->dtype)));
        bool fits = x->rank == first->rank;
        for (unsigned axis = 0; fits && axis < x->rank; axis++)
            fits = axis == joined || x->dims[axis] == first->dims[axis];
        if (!fits) return nnp_refuse(call, NNP_CONCATENATE_MISMATCH, "/inputs/%u", i);
        open = open || nnp_is_symbol(x->dims[joined]);
        sum += x->dims[joined];
    }
    if (nnp_inputs(call) == 1) return make_resized(call, joined, first->dims[joined]);
    return make_resized(call, joined, open ? NNP_NEW : nnp_number(sum));
}

#define PART_OF_CACHE 16384 /* bytes of y, in which all inputs are copied before the next */

static nnp_status concatenate_run(const nnp_call *call)
{
    const nnp_type *y = nnp_out(call, 0);
    unsigned axis = (unsigned)nnp_attr(call, 0)->integer;
    size_t inner = nnp_product(y, axis + 1, y->rank) * nnp_dtype_size(y->dtype), row = (size_t)y->dims[axis] * inner;
    size_t rows = nnp_product(y, 0, axis), step = PART_OF_CACHE / (row + 1) + 1;
    for (size_t done = 0; done < rows; done += step) {
        size_t now = rows - done < step ? rows - done : step, to = done * row;
        for (uint32_t i = 0; i < nnp_inputs(call); i++) {
            size_t part = (size_t)nnp_in(call, i)->dims[axis] * inner;
            pieces p = pieces_of(part);
            p.from = done * part;
            p.to = to;
            along(&p, now, part, row);
            copy(p, nnp_in_data(call, i), nnp_out_data(call, 0));
            to += part;
        }
    }
    return NNP_OK;
}

const nnp_operator nnp_concatenate = {
    .name = "concatenate", .weights = "", .attributes = "axis:a\0", .least = 1, .most = NNP_MANY,
    .infer = concatenate_infer, .run = concatenate_run,
};

/* slice ------------------------------------------------------------------------------------------------------------ */

enum { AXIS, START, STOP, STEP };

/* Which of n elements are taken: the first, and how many. */
static int32_t sliced(const nnp_call *call, int32_t n, int32_t *first)
{
    int64_t place[2], step = nnp_attr(call, STEP)->integer;
    for (unsigned end = 0; end < 2; end++) {
        int64_t at = nnp_attr(call, START + end)->integer;
        if (at < 0) at = at + n < 0 ? 0 : at + n;
        place[end] = at < n ? at : n;
    }
    *first = (int32_t)place[0];
    return place[0] < place[1] ? (int32_t)((place[1] - place[0] + step - 1) / step) : 0;
}

static nnp_status slice_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_axis(call, AXIS));
    unsigned axis = (unsigned)nnp_attr(call, AXIS)->integer;
    int32_t n = nnp_in(call, 0)->dims[axis], first;
    if (!nnp_is_symbol(n)) return make_resized(call, axis, sliced(call, n, &first));
    bool all = nnp_attr(call, START)->integer == 0 && nnp_attr(call, STOP)->integer == INT32_MAX &&
               nnp_attr(call, STEP)->integer == 1;
    return make_resized(call, axis, all ? n : NNP_NEW);
}

static nnp_status slice_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    unsigned axis = (unsigned)nnp_attr(call, AXIS)->integer;
    int32_t n = x->dims[axis], first, count = sliced(call, n, &first);
    size_t inner = nnp_product(x, axis + 1, x->rank) * nnp_dtype_size(x->dtype);
    pieces p = pieces_of(inner);
    p.from = (size_t)first * inner;
    along(&p, (size_t)count, (size_t)nnp_attr(call, STEP)->integer * inner, inner);
    along(&p, nnp_product(x, 0, axis), (size_t)n * inner, (size_t)count * inner);
    copy(p, nnp_in_data(call, 0), nnp_out_data(call, 0));
    return NNP_OK;
}

const nnp_operator nnp_slice = {
    .name = "slice", .weights = "", .attributes = "axis:a\0start:s\0stop:s\0step:i\0", .least = 1, .most = 1,
    .infer = slice_infer, .run = slice_run,
};

/* pad -------------------------------------------------------------------------------------------------------------- */

enum { PAD_WIDTH, MODE, CONSTANT_VALUE };
enum { CONSTANT, REFLECT, SYMMETRIC, EDGE };

/* Whether numbers of an integer dtype may be this one. */
static bool holds(unsigned dtype, double number)
{
    static const struct {
        double least, beyond;
    } ranges[] = {
        {-128, 128}, {-2147483648.0, 2147483648.0}, {-9223372036854775808.0, 9223372036854775808.0}, {0, 256},
    };
    if (!(NNP_INTEGERS & NNP_SET(dtype))) return true;
    dtype -= NNP_INT8;
    return number >= ranges[dtype].least && number < ranges[dtype].beyond && floor(number) == number;
}

/* Whether an axis of n elements has those that the mode takes from it: C4, and one for an edge. */
static bool reaches(int32_t mode, int32_t n, const int32_t *widths)
{
    int32_t most = widths[0] > widths[1] ? widths[0] : widths[1];
    if (mode == CONSTANT || most == 0) return true;
    return mode == REFLECT ? most < n : mode == SYMMETRIC ? most <= n : n > 0;
}

static nnp_status pad_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const nnp_attribute *widths = nnp_attr(call, PAD_WIDTH);
    NNP_TRY(nnp_require_dtype(call, 0, NNP_NUMBERS));
    NNP_TRY(nnp_require_rank(call, 0, widths->list.count / 2, widths->list.count / 2));
    if (!holds(x->dtype, nnp_attr(call, CONSTANT_VALUE)->number))
        return nnp_refuse(call, NNP_WRONG_VALUE, "/attributes/constant_value", 0);
    nnp_make_like(call, 0, 0);
    for (unsigned axis = 0; axis < x->rank; axis++) {
        const int32_t *width = &widths->list.items[2 * axis];
        int32_t n = x->dims[axis];
        if (!nnp_is_symbol(n) && !reaches(nnp_attr(call, MODE)->integer, n, width))
            return nnp_refuse(call, call->calling ? NNP_SHAPE : NNP_AXIS_SIZE, "/inputs/0", 0);
        if (!nnp_is_symbol(n)) call->made[0].dims[axis] = nnp_number((int64_t)n + width[0] + width[1]);
        else if (width[0] != 0 || width[1] != 0) call->made[0].dims[axis] = NNP_NEW;
    }
    return NNP_OK;
}

/*
 * Fills the elements of y before those of x along an axis, or, where `behind`, the ones behind them, from elements of y
 * that are there: axes after this one are complete, of those before it the middle is.
 */
static void pad_border(const nnp_call *call, unsigned axis, bool behind, const size_t *strides)
{
    const nnp_type *x = nnp_in(call, 0), *y = nnp_out(call, 0);
    const int32_t *widths = nnp_attr(call, PAD_WIDTH)->list.items;
    int32_t mode = nnp_attr(call, MODE)->integer;
    double value[1]; /* as aligned as any element */
    pieces p = pieces_of(nnp_dtype_size(y->dtype));
    for (unsigned k = y->rank; k-- > 0;) {
        size_t before = (size_t)widths[2 * k], inside = (size_t)x->dims[k], step = strides[k];
        size_t n = k > axis ? (size_t)y->dims[k] : inside, to = k > axis ? 0 : before, from = to;
        if (k == axis) {
            size_t skipped = mode == REFLECT; /* which does not repeat the element at the border */
            n = (size_t)widths[2 * k + behind];
            to = behind ? before + inside : 0;
            from = behind ? before + inside - 1 - skipped : mode == EDGE ? before : 2 * before - 1 + skipped;
            step = mode == EDGE ? 0 : 0 - step;
        }
        p.from += from * strides[k];
        p.to += to * strides[k];
        along(&p, n, mode == CONSTANT ? 0 : step, strides[k]);
    }
    if (mode != CONSTANT) {
        copy(p, nnp_out_data(call, 0), nnp_out_data(call, 0));
        return;
    }
    nnp_put_number(value, y->dtype, nnp_attr(call, CONSTANT_VALUE)->number);
    p.from = 0;
    copy(p, value, nnp_out_data(call, 0));
}

static nnp_status pad_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *y = nnp_out(call, 0);
    const int32_t *widths = nnp_attr(call, PAD_WIDTH)->list.items;
    size_t from[NNP_RANK], to[NNP_RANK];
    pieces p = pieces_of(nnp_dtype_size(y->dtype));
    strides_of(x, from);
    strides_of(y, to);
    for (unsigned axis = y->rank; axis-- > 0;) {
        p.to += (size_t)widths[2 * axis] * to[axis];
        along(&p, (size_t)x->dims[axis], from[axis], to[axis]);
    }
    copy(p, nnp_in_data(call, 0), nnp_out_data(call, 0));
    for (unsigned axis = y->rank; axis-- > 0;)
        for (unsigned side = 0; side < 2; side++)
            if (widths[2 * axis + side] != 0) pad_border(call, axis, side != 0, to);
    return NNP_OK;
}

const nnp_operator nnp_pad = {
    .name = "pad", .weights = "",
    .attributes = "pad_width:W\0mode:cconstant reflect symmetric edge\0constant_value:n\0", .least = 1, .most = 1,
    .infer = pad_infer, .run = pad_run,
};

/* repeat, tile, broadcast_batch ------------------------------------------------------------------------------------ */

static int32_t times(int32_t n, int32_t count)
{
    if (!nnp_is_symbol(n)) return nnp_number((int64_t)n * count);
    return count == 1 ? n : NNP_NEW;
}

enum { REPEAT_AXIS, REPEATS };

static nnp_status repeat_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_axis(call, REPEAT_AXIS));
    unsigned axis = (unsigned)nnp_attr(call, REPEAT_AXIS)->integer;
    return make_resized(call, axis, times(nnp_in(call, 0)->dims[axis], nnp_attr(call, REPEATS)->integer));
}

static nnp_status repeat_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    unsigned axis = (unsigned)nnp_attr(call, REPEAT_AXIS)->integer;
    size_t repeats = (size_t)nnp_attr(call, REPEATS)->integer;
    size_t inner = nnp_product(x, axis + 1, x->rank) * nnp_dtype_size(x->dtype);
    pieces p = pieces_of(inner);
    along(&p, repeats, 0, inner);
    along(&p, nnp_product(x, 0, axis + 1), inner, repeats * inner);
    copy(p, nnp_in_data(call, 0), nnp_out_data(call, 0));
    return NNP_OK;
}

const nnp_operator nnp_repeat = {
    .name = "repeat", .weights = "", .attributes = "axis:a\0repeats:i\0", .least = 1, .most = 1, .infer = repeat_infer,
    .run = repeat_run,
};

static nnp_status tile_infer(nnp_call *call)
{
    const nnp_attribute *repeats = nnp_attr(call, 0);
    NNP_TRY(nnp_require_rank(call, 0, repeats->list.count, repeats->list.count));
    nnp_make_like(call, 0, 0);
    for (unsigned axis = 0; axis < repeats->list.count; axis++)
        call->made[0].dims[axis] = times(nnp_in(call, 0)->dims[axis], repeats->list.items[axis]);
    return NNP_OK;
}

static nnp_status tile_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    size_t from[NNP_RANK], to[NNP_RANK];
    pieces p = pieces_of(nnp_dtype_size(x->dtype));
    strides_of(x, from);
    strides_of(nnp_out(call, 0), to);
    for (unsigned axis = x->rank; axis-- > 0;) {
        size_t n = (size_t)x->dims[axis];
        along(&p, n, from[axis], to[axis]);
        along(&p, (size_t)nnp_attr(call, 0)->list.items[axis], 0, n * to[axis]);
    }
    copy(p, nnp_in_data(call, 0), nnp_out_data(call, 0));
    return NNP_OK;
}

const nnp_operator nnp_tile = {
    .name = "tile", .weights = "", .attributes = "repeats:R\0", .least = 1, .most = 1, .infer = tile_infer,
    .run = tile_run,
};

static nnp_status broadcast_batch_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_rank(call, 0, 1, NNP_RANK));
    NNP_TRY(nnp_require_rank(call, 1, 1, NNP_RANK));
    if (nnp_in(call, 0)->dims[0] != 1) return nnp_refuse(call, NNP_AXIS_SIZE, "/inputs/0", 0);
    return make_resized(call, 0, nnp_in(call, 1)->dims[0]);
}

static nnp_status broadcast_batch_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    size_t row = nnp_elements(x) * nnp_dtype_size(x->dtype);
    pieces p = pieces_of(row);
    along(&p, (size_t)nnp_out(call, 0)->dims[0], 0, row);
    copy(p, nnp_in_data(call, 0), nnp_out_data(call, 0));
    return NNP_OK;
}

const nnp_operator nnp_broadcast_batch = {
    .name = "broadcast_batch", .weights = "", .attributes = "", .least = 2, .most = 2, .infer = broadcast_batch_infer,
    .run = broadcast_batch_run,
};

/* fold, unfold ----------------------------------------------------------------------------------------------------- */

/* The product of the dimensions up to an axis, in a call. */
static int32_t merged(const nnp_type *type, unsigned last)
{
    int32_t n = 1;
    for (unsigned axis = 0; axis <= last; axis++) n = nnp_number((int64_t)n * type->dims[axis]);
    return n;
}

static nnp_status fold_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    NNP_TRY(nnp_require_axis(call, 0));
    unsigned last = (unsigned)nnp_attr(call, 0)->integer, rank = 1;
    call->made[0].dims[0] = call->calling ? merged(x, last) : NNP_NEW;
    for (unsigned axis = last + 1; axis < x->rank; axis++) call->made[0].dims[rank++] = x->dims[axis];
    call->made[0].rank = (uint8_t)rank;
    call->made[0].dtype = x->dtype;
    return NNP_OK;
}

const nnp_operator nnp_fold = {
    .name = "fold", .weights = "", .attributes = "axis:a\0", .least = 1, .most = 1, .flags = NNP_VIEW,
    .infer = fold_infer,
};

static nnp_status unfold_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *like = nnp_in(call, 1);
    unsigned last = (unsigned)nnp_attr(call, 0)->integer, rank = 0;
    NNP_TRY(nnp_require_rank(call, 0, 1, NNP_RANK));
    if (!call->calling && (!nnp_is_symbol(x->dims[0]) || x->dims[0] == NNP_BATCH))
        return nnp_refuse(call, NNP_BATCH_AXIS, "/inputs/0", 0);
    if (last >= like->rank) return nnp_refuse(call, NNP_AXIS_RANGE, "/attributes/axis", 0);
    NNP_TRY(nnp_require_rank(call, 0, 1, NNP_RANK - last));
    if (call->calling && x->dims[0] != merged(like, last)) return nnp_refuse(call, NNP_SHAPE, "/inputs/0", 0);
    for (unsigned axis = 0; axis <= last; axis++) call->made[0].dims[rank++] = like->dims[axis];
    for (unsigned axis = 1; axis < x->rank; axis++) call->made[0].dims[rank++] = x->dims[axis];
    call->made[0].rank = (uint8_t)rank;
    call->made[0].dtype = x->dtype;
    return NNP_OK;
}

const nnp_operator nnp_unfold = {
    .name = "unfold", .weights = "", .attributes = "axis:a\0", .least = 2, .most = 2, .flags = NNP_VIEW,
    .infer = unfold_infer,
};

/* positions -------------------------------------------------------------------------------------------------------- */

static nnp_status positions_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_axis(call, 0));
    call->made[0].dims[0] = nnp_in(call, 0)->dims[nnp_attr(call, 0)->integer];
    call->made[0].rank = 1;
    call->made[0].dtype = NNP_INT32;
    return NNP_OK;
}

static nnp_status positions_run(const nnp_call *call)
{
    int32_t *y = nnp_out_data(call, 0), n = nnp_out(call, 0)->dims[0];
    for (int32_t i = 0; i < n; i++) y[i] = i;
    return NNP_OK;
}

const nnp_operator nnp_positions = {
    .name = "positions", .weights = "", .attributes = "axis:a\0", .least = 1, .most = 1, .infer = positions_infer,
    .run = positions_run,
};

#endif
