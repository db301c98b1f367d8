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

/* c = bias + a · b, where bias is a row of c, or NULL: 0; or c += a · b where `add`. */
void nnp_project_f32(size_t rows, size_t n, size_t k, const float *a, size_t a_stride, const float *b, size_t b_stride,
                     const float *bias, float *c, size_t c_stride, bool add);
void nnp_project_f64(size_t rows, size_t n, size_t k, const double *a, size_t a_stride, const double *b,
                     size_t b_stride, const double *bias, double *c, size_t c_stride, bool add);

/*
 * b may be given as it is read fastest, by many rows of a: as nnp_pack leaves it, with a stride of 0. nnp_packed says how
 * many elements that takes; 0: it is not worth its while.
 */
size_t nnp_packed_f32(size_t n, size_t k);
size_t nnp_packed_f64(size_t n, size_t k);
void nnp_pack_f32(size_t n, size_t k, const float *b, size_t b_stride, float *to);
void nnp_pack_f64(size_t n, size_t k, const double *b, size_t b_stride, double *to);

#ifndef __OPTIMIZE_SIZE__
/* prepared_size and prepare of operators whose weight 0 is a matrix (k, n), where k may be several axes: it is packed. */
size_t nnp_kernel_size(const nnp_layer *layer, unsigned flags);
nnp_status nnp_kernel_prepare(nnp_layer *layer, unsigned flags);
#endif

/* What these made, for a product with so many rows; NULL: the kernel is better read as it lies, once. */
static inline const void *nnp_packed_kernel(const nnp_layer *layer, size_t rows)
{
#ifdef __OPTIMIZE_SIZE__
    (void)layer, (void)rows;
    return NULL;
#else
    return rows > 2 ? layer->prepared : NULL;
#endif
}

/*
 * c[i] += Σ a[i][j] · b[j] along j, each column by itself: c is rows × n; a[i] and b are k × n, and a[i] begins
 * a_stride elements behind the one before.
 */
void nnp_multiply_columns_f32(size_t rows, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                              float *c);
void nnp_multiply_columns_f64(size_t rows, size_t n, size_t k, const double *a, size_t a_stride, const double *b,
                              double *c);

#endif
