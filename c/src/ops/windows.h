/* Windows that slide over the spatial axes of (rows, …, channels): spec/ops/conv.md, "Shape". Fewer than three axes
 * have others of one element in front. */
#ifndef NNP_WINDOWS_H
#define NNP_WINDOWS_H

#include "../internal.h"

/* The words of the attribute padding, in the order in which operators list them. */
enum { NNP_VALID, NNP_SAME, NNP_CAUSAL };

/*
 * Along one axis of `in` elements lie `out` windows of `size` taps, which are `dilation` elements apart. One window
 * begins `stride` elements behind the other, and the first one `before` elements in front of the axis.
 */
typedef struct {
    int32_t in, out;
    int32_t size, stride, dilation;
    int64_t before;
} nnp_axis;

/* What conv, pooling and conv_lstm know of their windows: `n` axes; strides and dilations that are NULL are 1. */
typedef struct {
    unsigned n;
    const int32_t *in, *sizes, *strides, *dilations;
    int32_t padding;
} nnp_sliding;

/* The axes, the last n of three; `out` is a symbol, NNP_NEW or NNP_NONE as a dimension that op->infer makes. */
void nnp_slide(const nnp_sliding *sliding, nnp_axis axes[3]);

/* Taps first … last - 1 of a window, those that meet elements of the axis: the first of them is element `from`. */
typedef struct {
    size_t first, last, from;
} nnp_taps;

nnp_taps nnp_meet(const nnp_axis *axis, size_t window);

/* How many windows there are in one row. */
static inline size_t nnp_windows(const nnp_axis axes[3])
{
    return (size_t)axes[0].out * (size_t)axes[1].out * (size_t)axes[2].out;
}

#endif
