/* Functions of elements: what elementwise.c and unary.c share. */
#ifndef NNP_ELEMENTWISE_H
#define NNP_ELEMENTWISE_H

#include "../internal.h"

#include "../operators.h"

/*
 * y = f of n elements of each operand, which y does not overlap. Operands are float or double; integers and bools come
 * as int64_t, and so they go, but y is uint8_t where the operator makes truth values (NNP_MAKES_TRUTH).
 */
typedef void nnp_function(const void *const *operands, void *y, size_t n);

/* The function of each type; NULL for one that the operator does not take. */
typedef struct {
    nnp_function *f32, *f64, *i64;
} nnp_functions;

/* Applies the functions, those of the last input's dtype, to all elements of the inputs, broadcast. */
nnp_status nnp_apply(const nnp_call *call, const nnp_functions *functions);

/* The rule of types: op->kind is the set of dtypes, and what is made. */
nnp_status nnp_apply_infer(nnp_call *call);

enum { NNP_OF_FLOATS, NNP_OF_NUMBERS, NNP_OF_PLAIN, NNP_OF_BOOLS, NNP_MAKES_TRUTH };

/* A function of one operand a, and of two, a and b, of type REAL; `made` is the type of what the formula makes. */
#define NNP_UNARY(name, made, value)                                                                                   \
    static inline void R(name##_of)(const REAL *restrict x, made *restrict y, size_t n)                                \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const REAL a = x[i];                                                                                       \
            y[i] = (made)(value);                                                                                      \
        }                                                                                                              \
    }                                                                                                                  \
    static void R(name)(const void *const *operands, void *y, size_t n)                                                \
    {                                                                                                                  \
        R(name##_of)(operands[0], y, n);                                                                               \
    }

#define NNP_BINARY(name, made, value)                                                                                  \
    static inline void R(name##_of)(const REAL *restrict x1, const REAL *restrict x2, made *restrict y, size_t n)      \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const REAL a = x1[i], b = x2[i];                                                                           \
            y[i] = (made)(value);                                                                                      \
        }                                                                                                              \
    }                                                                                                                  \
    static void R(name)(const void *const *operands, void *y, size_t n)                                                \
    {                                                                                                                  \
        R(name##_of)(operands[0], operands[1], y, n);                                                                  \
    }

/* The functions of an operator, by the types that it takes. */
#if NNP_WITH_FLOAT64
#define NNP_FLOAT_FUNCTIONS(name) .f32 = name##_f32, .f64 = name##_f64
#else
#define NNP_FLOAT_FUNCTIONS(name) .f32 = name##_f32
#endif
#define NNP_INTEGER_FUNCTIONS(name) .i64 = name##_i64
#define NNP_NUMBER_FUNCTIONS(name) NNP_FLOAT_FUNCTIONS(name), NNP_INTEGER_FUNCTIONS(name)

#define NNP_ELEMENTWISE_OPERATOR(word, inputs, of, placed, types)                                                      \
    static nnp_status word##_run(const nnp_call *call)                                                                 \
    {                                                                                                                  \
        static const nnp_functions functions = {types(word)};                                                          \
        return nnp_apply(call, &functions);                                                                            \
    }                                                                                                                  \
    const nnp_operator nnp_##word = {                                                                                  \
        .name = #word, .weights = "", .attributes = "", .least = inputs, .most = inputs, .flags = placed, .kind = of,  \
        .infer = nnp_apply_infer, .run = word##_run,                                                                   \
    };

#endif
