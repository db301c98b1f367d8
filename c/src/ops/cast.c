/* cast: spec/ops/cast.md. */
#include "../operators.h"
#include "integers.h"

#if NNP_CORE || NNP_ELEMENTWISE

#define COPY(from_type, from, to_type, to)                                                                             \
    do {                                                                                                               \
        const from_type *a = (from);                                                                                   \
        to_type *b = (to);                                                                                             \
        for (size_t i = 0; i < n; i++) b[i] = (to_type)a[i];                                                           \
    } while (0)

void nnp_widen(unsigned dtype, const void *from, int64_t *to, size_t n)
{
    switch (dtype) {
    case NNP_INT8: COPY(int8_t, from, int64_t, to); break;
    case NNP_INT32: COPY(int32_t, from, int64_t, to); break;
    case NNP_INT64: COPY(int64_t, from, int64_t, to); break;
    default: COPY(uint8_t, from, int64_t, to); break;
    }
}

void nnp_narrow(unsigned dtype, const int64_t *from, void *to, size_t n)
{
    switch (dtype) {
    case NNP_INT8: COPY(int64_t, from, int8_t, to); break;
    case NNP_INT32: COPY(int64_t, from, int32_t, to); break;
    case NNP_INT64: COPY(int64_t, from, int64_t, to); break;
    default: COPY(int64_t, from, uint8_t, to); break;
    }
}

#endif

#if NNP_CORE

#define PIECE 32

/* A type that holds all floats that are built in. */
#if NNP_WITH_FLOAT64
typedef double wide;
#else
typedef float wide;
#endif

/* Truncates. Of NaN and of numbers that int64_t does not hold nothing is specified, but C must not be left, either. */
static int64_t truncated(wide v)
{
    return v >= (wide)-0x1p63F && v < (wide)0x1p63F ? (int64_t)v : 0;
}

/* At most PIECE elements, all of which are read before any is written. */
static void convert(unsigned x_dtype, const void *x, unsigned y_dtype, void *y, size_t n)
{
    const bool to_bool = y_dtype == NNP_BOOL;
    int64_t integers[PIECE];
    if (NNP_IS_FLOAT(x_dtype)) {
        wide floats[PIECE];
        if (x_dtype == NNP_FLOAT32) COPY(float, x, wide, floats);
        else COPY(wide, x, wide, floats);
        if (y_dtype == NNP_FLOAT32) COPY(wide, floats, float, y);
        else if (y_dtype == NNP_FLOAT64) COPY(wide, floats, wide, y);
        else
            for (size_t i = 0; i < n; i++) integers[i] = to_bool ? floats[i] != 0 : truncated(floats[i]);
    } else {
        nnp_widen(x_dtype, x, integers, n);
        if (y_dtype == NNP_FLOAT32) COPY(int64_t, integers, float, y);
        else if (y_dtype == NNP_FLOAT64) COPY(int64_t, integers, wide, y);
        else if (to_bool)
            for (size_t i = 0; i < n; i++) integers[i] = integers[i] != 0;
    }
    if (!NNP_IS_FLOAT(y_dtype)) nnp_narrow(y_dtype, integers, y, n);
}

static nnp_status cast_infer(nnp_call *call)
{
    nnp_make_like(call, 0, 0);
    call->made[0].dtype = (uint8_t)nnp_attr(call, 0)->integer;
    return NNP_OK;
}

static nnp_status cast_run(const nnp_call *call)
{
    const unsigned from = nnp_in(call, 0)->dtype, to = nnp_out(call, 0)->dtype;
    const size_t n = nnp_elements(nnp_in(call, 0));
    const size_t from_size = nnp_dtype_size((nnp_dtype)from), to_size = nnp_dtype_size((nnp_dtype)to);
    const uint8_t *x = nnp_in_data(call, 0);
    uint8_t *y = nnp_out_data(call, 0);
    for (size_t i = 0; i < n; i += PIECE)
        convert(from, x + i * from_size, to, y + i * to_size, n - i < PIECE ? n - i : PIECE);
    return NNP_OK;
}

const nnp_operator nnp_cast = {
    .name = "cast", .weights = "", .attributes = "dtype:d\0", .least = 1, .most = 1, .flags = NNP_IN_PLACE,
    .infer = cast_infer, .run = cast_run,
};

#endif
