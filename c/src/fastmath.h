/*
 * Functions that activations are made of. Those of float32 are polynomials without branches, which compilers turn into
 * vector instructions within loops. They are off by 3 units of the last place at most, where nothing else is said, and
 * NaN for NaN. Those of float64 are libm's.
 *
 * Where a function is not inlined, as with -Os, it is the one of fastmath.c.
 */
#ifndef NNP_FASTMATH_H
#define NNP_FASTMATH_H

#include "internal.h"

typedef union {
    float number;
    uint32_t bits;
} nnp_float_bits;

/* condition ? yes : no, with both computed. */
inline float nnp_select_f32(bool condition, float yes, float no)
{
#ifdef __OPTIMIZE_SIZE__
    return condition ? yes : no;
#else /* gcc makes branches of ?:, and then no vectors */
    const uint32_t mask = 0U - (uint32_t)condition;
    const nnp_float_bits a = {yes}, b = {no};
    nnp_float_bits selected;
    selected.bits = (a.bits & mask) | (b.bits & ~mask);
    return selected.number;
#endif
}

/* max(x, least) and min(x, most), which keep a NaN of x. */
inline float nnp_at_least_f32(float x, float least)
{
    return nnp_select_f32(x < least, least, x);
}

inline float nnp_at_most_f32(float x, float most)
{
    return nnp_select_f32(x > most, most, x);
}

/* 2^(exponent - 127), for exponents from 1 to 254. */
inline float nnp_power_of_two(uint32_t exponent)
{
    nnp_float_bits power;
    power.bits = exponent << 23;
    return power.number;
}

/* exp(x) = 2^n · (1 + p): answers p, from -0.3 to 0.42, which is precise near 0, too; takes n + 2^22. NaN has any n. */
inline float nnp_reduced_exp(float x, uint32_t *n)
{
    /* From 2^23 to 2^24 there are no fractions: adding 1.5 · 2^23 rounds, and leaves the integer in the lowest bits. */
    nnp_float_bits rounded;
    rounded.number = x * 1.44269504F + 12582912.0F;
    *n = rounded.bits & 0x7FFFFF;
    const float whole = rounded.number - 12582912.0F;
    /* log(2) in two parts, of which the first has so few bits that its product is exact. */
    const float r = x - whole * 0.693359375F + whole * 2.12194440e-4F;
    const float q = 0.49999997F + r * (0.16666543F + r * (0.0416672F + r * (0.008366557F + r * 0.0013882511F)));
    return r + r * r * q;
}

/* From 0, by way of numbers below the smallest normal one, to infinity. */
inline float nnp_exp_f32(float x)
{
    uint32_t n;
    const float p = nnp_reduced_exp(nnp_at_most_f32(nnp_at_least_f32(x, -105), 89), &n);
    const uint32_t half = n >> 1; /* 2^n may leave the range where exp(x) does not, its factors do not */
    return (1 + p) * nnp_power_of_two(half - 0x200000 + 127) * nnp_power_of_two(n - half - 0x200000 + 127);
}

/* exp(x) - 1, for x from -20 to 89. */
inline float nnp_bounded_expm1(float x)
{
    uint32_t n;
    const float p = nnp_reduced_exp(x, &n);
    const float half = nnp_power_of_two(n - 0x400000 + 126); /* of 2^n, which may be infinite */
    return 2 * (half * p + (half - 0.5F));
}

inline float nnp_expm1_f32(float x)
{
    return nnp_bounded_expm1(nnp_at_most_f32(nnp_at_least_f32(x, -20), 89));
}

inline float nnp_tanh_f32(float x)
{
    const float e = nnp_bounded_expm1(2 * nnp_at_most_f32(nnp_at_least_f32(x, -10), 10));
    return e / (e + 2);
}

/* 0 where exp(-x) is infinite. */
inline float nnp_sigmoid_f32(float x)
{
    return 1 / (1 + nnp_exp_f32(-x));
}

/* log(1 + x), for x from 0 to 1: 2 · artanh(x / (2 + x)). */
inline float nnp_log1p_f32(float x)
{
    const float s = x / (2 + x), t = s * s;
    return 2 * (s + s * t * (0.33333206F + t * (0.20010853F + t * (0.13999522F + t * 0.14012429F))));
}

/* erfc(x) = exp(-x²) · t · polynomial of t = 1 / (1 + x / 2), for x from 0 on. Off by 7 units of the last place, or
 * about x² where that is more: the rounding of x². */
inline float nnp_erfc_f32(float x)
{
    const float t = 1 / (1 + 0.5F * x);
    float sum = -0.058890264F;
    sum = 0.28369975F + t * sum;
    sum = -0.48537968F + t * sum;
    sum = 0.27597412F + t * sum;
    sum = -0.025175286F + t * sum;
    sum = 0.20206897F + t * sum;
    sum = 0.24326119F + t * sum;
    sum = 0.28235346F + t * sum;
    sum = 0.28208768F + t * sum;
    return nnp_exp_f32(-x * x) * t * sum;
}

#if NNP_WITH_FLOAT64

static inline double nnp_select_f64(bool condition, double yes, double no)
{
    return condition ? yes : no;
}

static inline double nnp_at_least_f64(double x, double least)
{
    return x < least ? least : x;
}

static inline double nnp_at_most_f64(double x, double most)
{
    return x > most ? most : x;
}

static inline double nnp_exp_f64(double x)
{
    return exp(x);
}

static inline double nnp_expm1_f64(double x)
{
    return expm1(x);
}

static inline double nnp_tanh_f64(double x)
{
    return tanh(x);
}

static inline double nnp_sigmoid_f64(double x)
{
    return 1 / (1 + exp(-x));
}

static inline double nnp_log1p_f64(double x)
{
    return log1p(x);
}

static inline double nnp_erfc_f64(double x)
{
    return erfc(x);
}

#endif

#endif
