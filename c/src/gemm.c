/* Products of matrices. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("fp-contract=fast") /* fused multiply-add, which ISO C has not by default */
#endif
#include "gemm.h"

/* Vectors that the compiler knows, where the processor has them. Others, and small code, get plain loops. */
#if defined __GNUC__ && !defined __OPTIMIZE_SIZE__ &&                                                                  \
    (defined __SSE2__ || defined __aarch64__ || defined __VSX__ || defined __wasm_simd128__)

#ifdef __clang__ /* unrolls loops of constant length without being told */
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif
#define INLINE static inline __attribute__((always_inline)) TARGET

enum {
    TILE = 6,            /* rows of a tile, which is what registers hold of c */
    PANEL = 16 << 10,    /* bytes of a panel of b: a part of the first cache, and of the stack */
    BLOCK = 40 * TILE,   /* rows of a that stay in the second cache while panels pass by */
    PACKED = 24,         /* so many rows are worth a copy of each panel */
    STREAMS = 8,         /* rows of b that are read side by side where a has */
    FEW = 2,             /* at most so many rows, and b has */
    STREAMED = 256 << 10 /* at least so many bytes, more than the first cache */
};

#if defined __AVX512F__
#define BYTES 64
#elif defined __AVX__
#define BYTES 32
#else
#define BYTES 16
#endif
#define TARGET
#define V(name) R(native_##name)
#include "real32.h"
#include "gemm_vectors.inc"
#if NNP_WITH_FLOAT64
#include "real64.h"
#include "gemm_vectors.inc"
#endif

/* A program for any x86-64 finds out where it runs. (0 leaves that to the compiler's -march.) */
#ifndef NNP_DISPATCH
#if defined __x86_64__ && !defined __AVX2__
#define NNP_DISPATCH 1
#else
#define NNP_DISPATCH 0
#endif
#endif

#if NNP_DISPATCH
#undef BYTES
#undef TARGET
#undef V
#define BYTES 32
#define TARGET __attribute__((target("avx2,fma")))
#define V(name) R(avx2_##name)
#include "real32.h"
#include "gemm_vectors.inc"
#if NNP_WITH_FLOAT64
#include "real64.h"
#include "gemm_vectors.inc"
#endif
#define CHOSEN(name) (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? R(avx2_##name) : R(native_##name))
#else
#define CHOSEN(name) R(native_##name)
#endif

#include "real32.h"
#include "gemm_calls.inc"
#if NNP_WITH_FLOAT64
#include "real64.h"
#include "gemm_calls.inc"
#endif

#else

#include "real32.h"
#include "gemm.inc"
#if NNP_WITH_FLOAT64
#include "real64.h"
#include "gemm.inc"
#endif

#endif

#ifndef __OPTIMIZE_SIZE__

size_t nnp_kernel_size(const nnp_layer *layer, unsigned flags)
{
    const nnp_type *kernel = &layer->weights[0]->type;
    size_t n = (size_t)kernel->dims[kernel->rank - 1], k = nnp_elements(kernel) / n;
    if (!(flags & NNP_PACK)) return 0;
#if NNP_WITH_FLOAT64
    if (kernel->dtype == NNP_FLOAT64) return nnp_packed_f64(n, k) * sizeof(double);
#endif
    return nnp_packed_f32(n, k) * sizeof(float);
}

nnp_status nnp_kernel_prepare(nnp_layer *layer, unsigned flags)
{
    const nnp_tensor *kernel = layer->weights[0];
    size_t n = (size_t)kernel->type.dims[kernel->type.rank - 1], k = nnp_elements(&kernel->type) / n;
    (void)flags;
    if (layer->prepared == NULL) return NNP_OK;
#if NNP_WITH_FLOAT64
    if (kernel->type.dtype == NNP_FLOAT64) {
        nnp_pack_f64(n, k, kernel->data, n, layer->prepared);
        return NNP_OK;
    }
#endif
    nnp_pack_f32(n, k, kernel->data, n, layer->prepared);
    return NNP_OK;
}

#endif
