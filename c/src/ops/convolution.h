/* Convolutions as conv and conv_lstm compute them. */
#ifndef NNP_CONVOLUTION_H
#define NNP_CONVOLUTION_H

#include "windows.h"

/*
 * (rows, in, in, in, channels) * (size, size, size, channels / groups, filters) -> (rows, out, out, out, filters)
 *
 * Rows of x begin `step` elements one behind the other; those of y follow each other.
 */
typedef struct {
    nnp_axis axes[3];
    size_t rows, step;
    size_t channels, filters, groups;
    const void *packed;     /* the kernel as nnp_pack leaves it, or NULL */
    const nnp_call *finish; /* with which nnp_finish is called, or NULL */
} nnp_convolution;

/* How many bytes of scratch it takes, for elements of so many bytes. */
size_t nnp_convolve_scratch(const nnp_convolution *how, size_t element);

/* y = x * kernel + bias, or y += x * kernel where `add`. bias may be NULL. */
void nnp_convolve_f32(const nnp_convolution *how, const float *x, const float *kernel, const float *bias, float *y,
                      bool add, float *scratch);
void nnp_convolve_f64(const nnp_convolution *how, const double *x, const double *kernel, const double *bias, double *y,
                      bool add, double *scratch);

#endif
