/* Integers of any dtype, and bools, as int64_t. */
#ifndef NNP_INTEGERS_H
#define NNP_INTEGERS_H

#include "../internal.h"

#define NNP_IS_FLOAT(dtype) (NNP_SET(dtype) & NNP_FLOATS)

/* n elements of an integer dtype, or bool, and back; of numbers that the dtype does not hold, its lowest bits. */
void nnp_widen(unsigned dtype, const void *from, int64_t *to, size_t n);
void nnp_narrow(unsigned dtype, const int64_t *from, void *to, size_t n);

#endif
