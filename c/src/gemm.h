/* Products of matrices: what dense, conv and the recurrent operators spend their time in. */
#ifndef NNP_GEMM_H
#define NNP_GEMM_H

#include "internal.h"

/*
 * c = a · b, or c += a · b where `add`; a is rows × k, b is k × n, c is rows × n. Strides are from one row to the next,
 * in elements, and at least as long as a row; but rows of a may overlap. c overlaps neither a nor b.
 */
void nnp_multiply_f32(size_t rows, size_t n, size_t k, const float *a, size_t a_stride, const float *b, size_t b_stride,
                      float *c, size_t c_stride, bool add);
void nnp_multiply_f64(size_t rows, size_t n, size_t k, const double *a, size_t a_stride, const double *b,
                      size_t b_stride, double *c, size_t c_stride, bool add);

/*
 * c[i] += Σ a[i][j] · b[j] along j, each column by itself: c is rows × n; a[i] and b are k × n, and a[i] begins
 * a_stride elements behind the one before.
 */
void nnp_multiply_columns_f32(size_t rows, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                              float *c);
void nnp_multiply_columns_f64(size_t rows, size_t n, size_t k, const double *a, size_t a_stride, const double *b,
                              double *c);

#endif
