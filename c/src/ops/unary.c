/* Functions of one number: spec/ops/unary.md, predicate.md, logical_not.md. */
#include "elementwise.h"

#if NNP_ELEMENTWISE

#include "../real32.h"
#include "unary.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "unary.inc"
#endif

#undef REAL
#undef R
#define REAL int64_t
#define R(name) name##_i64

/* The lowest bits, which unsigned integers have, too: they do not overflow. */
NNP_UNARY(abs, int64_t, a < 0 ? 0 - (uint64_t)a : (uint64_t)a)
NNP_UNARY(negative, int64_t, 0 - (uint64_t)a)
NNP_UNARY(sign, int64_t, (a > 0) - (a < 0))
NNP_UNARY(square, int64_t, (uint64_t)a * (uint64_t)a)
NNP_UNARY(logical_not, uint8_t, !a)

#define OF_NUMBERS(name) NNP_ELEMENTWISE_OPERATOR(name, 1, NNP_OF_NUMBERS, NNP_IN_PLACE, NNP_NUMBER_FUNCTIONS)
#define OF_FLOATS(name) NNP_ELEMENTWISE_OPERATOR(name, 1, NNP_OF_FLOATS, NNP_IN_PLACE, NNP_FLOAT_FUNCTIONS)
#define PREDICATE(name) NNP_ELEMENTWISE_OPERATOR(name, 1, NNP_OF_FLOATS | NNP_MAKES_TRUTH, 0, NNP_FLOAT_FUNCTIONS)

OF_NUMBERS(abs)
OF_NUMBERS(negative)
OF_NUMBERS(sign)
OF_NUMBERS(square)
OF_FLOATS(floor)
OF_FLOATS(ceil)
OF_FLOATS(round)
OF_FLOATS(trunc)
OF_FLOATS(sqrt)
OF_FLOATS(reciprocal)
OF_FLOATS(rsqrt)
OF_FLOATS(expm1)
OF_FLOATS(log)
OF_FLOATS(log1p)
OF_FLOATS(log2)
OF_FLOATS(log10)
OF_FLOATS(sin)
OF_FLOATS(cos)
OF_FLOATS(tan)
OF_FLOATS(arcsin)
OF_FLOATS(arccos)
OF_FLOATS(arctan)
OF_FLOATS(sinh)
OF_FLOATS(cosh)
OF_FLOATS(arcsinh)
OF_FLOATS(arccosh)
OF_FLOATS(arctanh)
OF_FLOATS(erf)
OF_FLOATS(erfc)

PREDICATE(isnan)
PREDICATE(isinf)
PREDICATE(isfinite)

NNP_ELEMENTWISE_OPERATOR(logical_not, 1, NNP_OF_BOOLS | NNP_MAKES_TRUTH, NNP_IN_PLACE, NNP_INTEGER_FUNCTIONS)

#endif
