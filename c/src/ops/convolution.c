/* conv, conv_transpose: spec/ops/conv.md, conv_transpose.md. */
#include "convolution.h"

#include "../gemm.h"
#include "../operators.h"

#if NNP_CONVOLUTION

enum { KERNEL, BIAS };
enum { STRIDES, DILATION_RATE, GROUPS, PADDING, CROPPING = GROUPS };

/* The places of a kernel. */
static size_t count_taps(const nnp_axis axes[3])
{
    return (size_t)axes[0].size * (size_t)axes[1].size * (size_t)axes[2].size;
}

/* Every element of x is a window of its own. */
static bool is_pointwise(const nnp_convolution *how)
{
    const nnp_axis *axes = how->axes;
    return count_taps(axes) == 1 && axes[0].stride == 1 && axes[1].stride == 1 && axes[2].stride == 1;
}

/* Every channel is a group of its own. */
static bool is_depthwise(const nnp_convolution *how)
{
    return how->groups > 1 && how->groups == how->channels;
}

/* The elements from one row to the next, where rows follow each other. */
static size_t row_elements(const nnp_convolution *how)
{
    return (size_t)how->axes[0].in * (size_t)how->axes[1].in * (size_t)how->axes[2].in * how->channels;
}

/*
 * Taps that meet elements of x, in runs of such that follow each other in the kernel and in x; of some windows of a
 * line at once, which all meet the same taps.
 */
typedef struct {
    size_t windows, step; /* how many, and the elements of x from what one meets to what the next one does */
    size_t tap, taps;     /* of the run: the first one's place in the kernel, and how many */
    size_t place;         /* of the element of x that the first one meets, in the first window */
    size_t row, next[3];
    nnp_taps at[3];
} tap_run;

/* The runs of windows i and on, at most so many, out of those of all rows: none of them yet. */
static tap_run runs_of(const nnp_convolution *how, size_t i, size_t most)
{
    const nnp_axis *line = &how->axes[2];
    size_t all = nnp_windows(how->axes);
    tap_run run = {.windows = 1, .step = (size_t)line->stride * how->channels, .row = i / all * how->step};
    for (size_t axis = 3, rest = i % all; axis-- > 0; rest /= (size_t)how->axes[axis].out) {
        run.at[axis] = nnp_meet(&how->axes[axis], rest % (size_t)how->axes[axis].out);
        run.next[axis] = run.at[axis].first;
    }
    if (run.at[1].last == 0 || run.at[2].last == 0) run.next[0] = run.at[0].last;
    if (run.at[2].last - run.at[2].first == (size_t)line->size) { /* up to the border, those behind it meet all, too */
        int64_t room = line->in - 1 - (int64_t)run.at[2].from - (int64_t)(line->size - 1) * line->dilation;
        size_t inside = (size_t)(room / line->stride) + 1, left = (size_t)line->out - i % (size_t)line->out;
        run.windows = inside < left ? inside : left;
        if (run.windows > most) run.windows = most;
    }
    return run;
}

#ifndef __OPTIMIZE_SIZE__
/* All taps meet elements. */
static bool is_inside(const nnp_convolution *how, const tap_run *run)
{
    bool inside = true;
    for (unsigned axis = 0; axis < 3; axis++)
        inside = inside && run->at[axis].last - run->at[axis].first == (size_t)how->axes[axis].size;
    return inside;
}
#endif

/* The next run; false where there is none. */
static bool next_run(const nnp_convolution *how, tap_run *run)
{
    const nnp_axis *axes = how->axes;
    if (run->next[0] == run->at[0].last) return false;
    run->place = run->tap = 0;
    for (unsigned axis = 0; axis < 3; axis++) {
        run->tap = run->tap * (size_t)axes[axis].size + run->next[axis];
        run->place = run->place * (size_t)axes[axis].in + run->at[axis].from +
                     (run->next[axis] - run->at[axis].first) * (size_t)axes[axis].dilation;
    }
    run->place = run->row + run->place * how->channels;
    run->taps = axes[2].dilation == 1 ? run->at[2].last - run->at[2].first : 1;
    run->next[2] += run->taps;
    for (unsigned axis = 2; axis > 0 && run->next[axis] == run->at[axis].last; axis--) {
        run->next[axis] = run->at[axis].first;
        run->next[axis - 1]++;
    }
    return true;
}

/*
 * Windows that are the rows of a matrix at once: gathered, unless they are that already. 0: they are multiplied where they
 * lie, a line after the other, which suits few filters. What is read and made of a block stays in a cache, or takes an
 * eighth of the kernel's memory: that is read for every block.
 */
static size_t count_block(const nnp_convolution *how, size_t element)
{
#ifdef __OPTIMIZE_SIZE__
    (void)how, (void)element;
    return 0;
#else
    size_t window = count_taps(how->axes) * (how->channels / how->groups), all = how->rows * nnp_windows(how->axes);
    size_t kernel = window * how->filters, most = (256U << 10) / element, count;
    if (is_depthwise(how) || (!is_pointwise(how) && how->groups == 1 && how->filters < 8 && kernel < 1 << 16)) return 0;
    count = (kernel / 8 > most ? kernel / 8 : most) / (window + how->filters);
    return count < 6 ? 6 : count < all ? count / 6 * 6 : all;
#endif
}

size_t nnp_convolve_scratch(const nnp_convolution *how, size_t element)
{
    size_t window = count_taps(how->axes) * (how->channels / how->groups);
    return is_pointwise(how) ? 0 : count_block(how, element) * window * element;
}

/*
 * Elements of x whose kernels are computed at once before they are added to y. 0: one by one, each run of taps a
 * product with the kernel as it lies, where x is too small for a transposed kernel to be worth its while.
 */
static size_t count_spread(const nnp_convolution *how, size_t element)
{
#ifdef __OPTIMIZE_SIZE__
    (void)how, (void)element;
    return 0;
#else
    size_t all = how->rows * nnp_windows(how->axes);
    size_t count = (256U << 10) / element / how->channels / count_taps(how->axes);
    return all < 8 ? 0 : count < 8 ? 8 : count < all ? count : all;
#endif
}

#include "../real32.h"
#include "convolution.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "convolution.inc"
#endif

/* conv ------------------------------------------------------------------------------------------------------------- */

/* How the windows slide; the attributes have as many elements as there are spatial axes. */
static nnp_sliding conv_sliding(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    return (nnp_sliding){.n = x->rank - 2U, .in = x->dims + 1, .sizes = nnp_weight(call, KERNEL)->type.dims,
                         .strides = nnp_attr(call, STRIDES)->list.items,
                         .dilations = nnp_attr(call, DILATION_RATE)->list.items,
                         .padding = nnp_attr(call, PADDING)->integer};
}

/* x has spatial axes and a number of channels, and strides and dilation_rate are as many. */
static nnp_status require_space(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    NNP_TRY(nnp_require_float(call));
    NNP_TRY(nnp_require_rank(call, 0, 3, 5));
    if (nnp_is_symbol(x->dims[x->rank - 1])) return nnp_refuse(call, NNP_RANK_RANGE, "/inputs/0", 0);
    return nnp_require_lengths(call, STRIDES, 2, x->rank - 2U);
}

/* (rows, out, …, filters), where `out` stands in the last of the axes. */
static void make_image(nnp_call *call, const nnp_axis axes[3], int32_t filters)
{
    unsigned n = nnp_in(call, 0)->rank - 2U;
    nnp_make_like(call, 0, 0);
    for (unsigned i = 0; i < n; i++) call->made[0].dims[1 + i] = axes[3 - n + i].out;
    call->made[0].dims[1 + n] = filters;
}

static nnp_status conv_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *kernel = &nnp_weight(call, KERNEL)->type;
    int32_t groups = nnp_attr(call, GROUPS)->integer, channels, filters;
    nnp_axis axes[3];

    NNP_TRY(require_space(call));
    if (nnp_attr(call, PADDING)->integer == NNP_CAUSAL && x->rank != 3)
        return nnp_refuse(call, NNP_RANK_RANGE, "/attributes/padding", 0);
    channels = x->dims[x->rank - 1];
    if (channels % groups != 0) return nnp_refuse(call, NNP_GROUPS_DIVIDE, "/attributes/groups", 0);
    NNP_TRY(nnp_require_weight(call, KERNEL, x->rank, (const int32_t[]){-1, -1, -1, -1, -1}));
    if (kernel->dims[x->rank - 2] != channels / groups) return nnp_refuse(call, NNP_WEIGHT_SHAPE, "/weights", 0);
    filters = kernel->dims[x->rank - 1];
    if (filters % groups != 0) return nnp_refuse(call, NNP_GROUPS_DIVIDE, "/attributes/groups", 0);
    NNP_TRY(nnp_require_weight(call, BIAS, 1, &filters));
    nnp_sliding sliding = conv_sliding(call);
    nnp_slide(&sliding, axes);
    make_image(call, axes, filters);
    return NNP_OK;
}

static nnp_convolution conv_how(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *y = nnp_out(call, 0);
    nnp_sliding sliding = conv_sliding(call);
    nnp_convolution how = {.rows = (size_t)x->dims[0], .channels = (size_t)x->dims[x->rank - 1],
                           .filters = (size_t)y->dims[y->rank - 1], .groups = (size_t)nnp_attr(call, GROUPS)->integer};
    nnp_slide(&sliding, how.axes);
    how.step = row_elements(&how);
    how.packed = nnp_packed_kernel(call->layer, how.rows * nnp_windows(how.axes));
    how.finish = call;
    return how;
}

static size_t conv_scratch(const nnp_call *call)
{
    nnp_convolution how = conv_how(call);
    return nnp_convolve_scratch(&how, nnp_dtype_size((nnp_dtype)nnp_in(call, 0)->dtype));
}

static nnp_status conv_run(const nnp_call *call)
{
    nnp_convolution how = conv_how(call);
    const nnp_tensor *kernel = nnp_weight(call, KERNEL), *bias = nnp_weight(call, BIAS);
    const void *x = nnp_in_data(call, 0), *added = bias == NULL ? NULL : bias->data;
#if NNP_WITH_FLOAT64
    if (nnp_in(call, 0)->dtype == NNP_FLOAT64) {
        nnp_convolve_f64(&how, x, kernel->data, added, nnp_out_data(call, 0), false, call->scratch);
        return NNP_OK;
    }
#endif
    nnp_convolve_f32(&how, x, kernel->data, added, nnp_out_data(call, 0), false, call->scratch);
    return NNP_OK;
}

#ifndef __OPTIMIZE_SIZE__
static size_t conv_prepared_size(const nnp_layer *layer, unsigned flags)
{
    return layer->attributes[GROUPS].integer == 1 ? nnp_kernel_size(layer, flags) : 0;
}
#endif

const nnp_operator nnp_conv = {
    .name = "conv", .weights = "kernel\0bias?\0",
    .attributes = "strides:I\0dilation_rate:I\0groups:i\0padding:cvalid same causal\0", .least = 1, .most = 1,
    .flags = NNP_BLOCKS, .infer = conv_infer, .run = conv_run, .scratch = conv_scratch,
#ifndef __OPTIMIZE_SIZE__
    .prepared_size = conv_prepared_size, .prepare = nnp_kernel_prepare,
#endif
};

/* conv_transpose --------------------------------------------------------------------------------------------------- */

/*
 * The windows lie over y, and x has an element for each: so `in` are elements of y, `out` those of x. What is cropped
 * in front is what stands in front of the first window.
 */
static void transposed_axes(const nnp_call *call, nnp_axis axes[3])
{
    const nnp_type *x = nnp_in(call, 0);
    const int32_t *cropping = nnp_attr(call, CROPPING)->list.items;
    unsigned n = x->rank - 2U;
    for (unsigned i = 0; i < 3 - n; i++) axes[i] = (nnp_axis){1, 1, 1, 1, 1, 0};
    for (unsigned i = 0; i < n; i++) {
        nnp_axis axis = {.in = NNP_NEW, .out = x->dims[1 + i], .size = nnp_weight(call, KERNEL)->type.dims[i],
                         .stride = nnp_attr(call, STRIDES)->list.items[i],
                         .dilation = nnp_attr(call, DILATION_RATE)->list.items[i], .before = cropping[2 * i]};
        int64_t reach = (int64_t)(axis.size - 1) * axis.dilation, cropped = axis.before + cropping[2 * i + 1];
        if (!nnp_is_symbol(axis.out)) {
            int64_t full = (int64_t)(axis.out - 1) * axis.stride + reach + 1;
            axis.in = full - cropped < 1 ? NNP_NONE : nnp_number(full - cropped);
        } else if (axis.stride == 1 && reach == cropped) {
            axis.in = axis.out;
        }
        axes[3 - n + i] = axis;
    }
}

static nnp_status conv_transpose_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *kernel = &nnp_weight(call, KERNEL)->type;
    const nnp_attribute *cropping = nnp_attr(call, CROPPING);
    unsigned n;
    int32_t filters;
    nnp_axis axes[3];

    NNP_TRY(require_space(call));
    n = x->rank - 2U;
    NNP_TRY(nnp_require_lengths(call, CROPPING, 1, 2 * n));
    for (unsigned i = 0; i < n; i++)
        if (cropping->list.items[2 * i] < 0) return nnp_refuse(call, NNP_WRONG_VALUE, "/attributes/cropping", 0);
    if (kernel->rank != x->rank || kernel->dims[n + 1] != x->dims[n + 1])
        return nnp_refuse(call, NNP_WEIGHT_SHAPE, "/weights/kernel", 0);
    filters = kernel->dims[n];
    NNP_TRY(nnp_require_weight(call, BIAS, 1, &filters));
    transposed_axes(call, axes);
    for (unsigned i = 0; i < 3; i++) axes[i].out = axes[i].in;
    make_image(call, axes, filters);
    return NNP_OK;
}

/* As a convolution from y to x. */
static nnp_convolution transposed_how(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *y = nnp_out(call, 0);
    nnp_convolution how = {.rows = (size_t)x->dims[0], .channels = (size_t)y->dims[y->rank - 1],
                           .filters = (size_t)x->dims[x->rank - 1], .groups = 1};
    transposed_axes(call, how.axes);
    how.step = row_elements(&how);
    return how;
}

static size_t conv_transpose_scratch(const nnp_call *call)
{
    nnp_convolution how = transposed_how(call);
    size_t element = nnp_dtype_size((nnp_dtype)nnp_in(call, 0)->dtype), count = count_spread(&how, element);
    if (count > 0 && call->layer->prepared == NULL) count += how.filters; /* and the transposed kernel */
    return count * count_taps(how.axes) * how.channels * element;
}

static nnp_status conv_transpose_run(const nnp_call *call)
{
    nnp_convolution how = transposed_how(call);
    const nnp_tensor *kernel = nnp_weight(call, KERNEL), *bias = nnp_weight(call, BIAS);
    const void *x = nnp_in_data(call, 0), *added = bias == NULL ? NULL : bias->data;
#if NNP_WITH_FLOAT64
    if (nnp_in(call, 0)->dtype == NNP_FLOAT64) {
        spread_f64(&how, x, kernel->data, call->layer->prepared, added, nnp_out_data(call, 0), call->scratch);
        return NNP_OK;
    }
#endif
    spread_f32(&how, x, kernel->data, call->layer->prepared, added, nnp_out_data(call, 0), call->scratch);
    return NNP_OK;
}

#ifndef __OPTIMIZE_SIZE__

/* The kernel as it is multiplied with: (channels, taps · filters). */
static size_t conv_transpose_prepared_size(const nnp_layer *layer, unsigned flags)
{
    const nnp_type *kernel = &layer->weights[KERNEL]->type;
    return flags & NNP_PACK ? nnp_elements(kernel) * nnp_dtype_size((nnp_dtype)kernel->dtype) : 0;
}

static nnp_status conv_transpose_prepare(nnp_layer *layer, unsigned flags)
{
    const nnp_tensor *kernel = layer->weights[KERNEL];
    size_t columns = (size_t)kernel->type.dims[kernel->type.rank - 1], rows = nnp_elements(&kernel->type) / columns;
    if (!(flags & NNP_PACK)) return NNP_OK;
#if NNP_WITH_FLOAT64
    if (kernel->type.dtype == NNP_FLOAT64) {
        transpose_f64(rows, columns, kernel->data, layer->prepared);
        return NNP_OK;
    }
#endif
    transpose_f32(rows, columns, kernel->data, layer->prepared);
    return NNP_OK;
}

#endif

const nnp_operator nnp_conv_transpose = {
    .name = "conv_transpose", .weights = "kernel\0bias?\0",
    .attributes = "strides:I\0dilation_rate:I\0cropping:K\0", .least = 1, .most = 1,
    .infer = conv_transpose_infer, .run = conv_transpose_run, .scratch = conv_transpose_scratch,
#ifndef __OPTIMIZE_SIZE__
    .prepared_size = conv_transpose_prepared_size, .prepare = conv_transpose_prepare,
#endif
};

#endif
