/* Elements whose dtype does not matter, or is known in a call alone. */
#ifndef NNP_ELEMENTS_H
#define NNP_ELEMENTS_H

#include "../internal.h"

/* A function that is to be compiled anew for each constant that it is called with. */
#ifdef __GNUC__
#define NNP_INLINE static inline __attribute__((always_inline))
#else
#define NNP_INLINE static inline
#endif

/*
 * A statement in which `size` is a constant where it is that of an element: memcpy is a load and a store then, which
 * need not be aligned.
 */
#define NNP_WITH_SIZE(bytes, statement)                                                                                \
    switch (bytes) {                                                                                                   \
        NNP_OF_SIZE(case 1, 1, statement)                                                                              \
        NNP_OF_SIZE(case 4, 4, statement)                                                                              \
        NNP_OF_SIZE(case 8, 8, statement)                                                                              \
        NNP_OF_SIZE(default, bytes, statement)                                                                         \
    }
#define NNP_OF_SIZE(label, bytes, statement)                                                                           \
    label: {                                                                                                           \
        const size_t size = (bytes);                                                                                   \
        statement;                                                                                                     \
        break;                                                                                                         \
    }

/* Element i of integers. */
static inline int64_t nnp_integer_at(const void *data, unsigned dtype, size_t i)
{
    switch (dtype) {
    case NNP_INT8: return ((const int8_t *)data)[i];
    case NNP_UINT8: return ((const uint8_t *)data)[i];
    case NNP_INT32: return ((const int32_t *)data)[i];
    default: return ((const int64_t *)data)[i];
    }
}

/* Writes a number, which a plain dtype holds, as an element of that. */
static inline void nnp_put_number(void *element, unsigned dtype, double number)
{
    switch (dtype) {
    case NNP_FLOAT32: *(float *)element = (float)number; break;
    case NNP_FLOAT64: *(double *)element = number; break;
    case NNP_INT8: *(int8_t *)element = (int8_t)number; break;
    case NNP_INT32: *(int32_t *)element = (int32_t)number; break;
    case NNP_INT64: *(int64_t *)element = (int64_t)number; break;
    default: *(uint8_t *)element = (uint8_t)number; break;
    }
}

#endif
