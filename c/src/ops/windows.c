/* Windows that slide over spatial axes. */
#include "windows.h"

#if NNP_CONVOLUTION || NNP_POOLING

static nnp_axis slide(int32_t in, int32_t size, int32_t stride, int32_t dilation, int32_t padding)
{
    int64_t reach = (int64_t)(size - 1) * dilation; /* from the first tap to the last */
    nnp_axis axis = {in, NNP_NEW, size, stride, dilation, 0};
    if (nnp_is_symbol(in)) {
        if (stride == 1 && (padding != NNP_VALID || size == 1)) axis.out = in;
        return axis;
    }
    int64_t room = padding == NNP_VALID ? in - 1 - reach : in - 1;
    axis.out = room < 0 ? NNP_NONE : (int32_t)(room / stride + 1);
    if (padding == NNP_CAUSAL) axis.before = reach;
    if (padding == NNP_SAME && room >= 0) {
        int64_t missing = room / stride * stride - room + reach;
        axis.before = missing > 0 ? missing / 2 : 0;
    }
    return axis;
}

void nnp_slide(const nnp_sliding *sliding, nnp_axis axes[3])
{
    for (unsigned i = 0; i < 3 - sliding->n; i++) axes[i] = (nnp_axis){1, 1, 1, 1, 1, 0};
    axes += 3 - sliding->n;
    for (unsigned i = 0; i < sliding->n; i++)
        axes[i] = slide(sliding->in[i], sliding->sizes[i], sliding->strides == NULL ? 1 : sliding->strides[i],
                        sliding->dilations == NULL ? 1 : sliding->dilations[i], sliding->padding);
}

nnp_taps nnp_meet(const nnp_axis *axis, size_t window)
{
    int64_t place = (int64_t)window * axis->stride - axis->before, dilation = axis->dilation;
    int64_t first = 0, last = axis->size;
    if (place < 0) { /* divisions are slow, and needed at borders alone */
        first = (dilation - 1 - place) / dilation;
        place += first * dilation;
    }
    if (place + (last - 1 - first) * dilation >= axis->in) last = first + (axis->in - 1 - place + dilation) / dilation;
    if (first >= last) return (nnp_taps){0, 0, 0};
    return (nnp_taps){(size_t)first, (size_t)last, (size_t)place};
}

#endif
