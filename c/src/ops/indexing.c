/* Integers that say where: spec/ops/embedding.md, take.md, take_along_axis.md, one_hot.md. */
#include "elements.h"
#include "../operators.h"

#if NNP_INDEXING

/* The place that an index of an axis of n elements stands for, counted from the end where it is below 0; n: none. */
NNP_INLINE size_t place_of(const void *indices, unsigned dtype, size_t i, size_t n)
{
    int64_t index = nnp_integer_at(indices, dtype, i);
    if (index < 0) index += (int64_t)n;
    return index < 0 || index >= (int64_t)n ? n : (size_t)index;
}

/* y (outer, count, size) is of x (outer, n, size) what the indices (count) say. */
NNP_INLINE nnp_status gather(const uint8_t *restrict x, size_t outer, size_t n, const void *indices, unsigned dtype,
                             size_t count, uint8_t *restrict y, size_t size)
{
    for (size_t o = 0; o < outer; o++, x += n * size)
        for (size_t i = 0; i < count; i++, y += size) {
            size_t place = place_of(indices, dtype, i, n);
            if (place == n) return NNP_INDEX_RANGE;
            memcpy(y, x + place * size, size);
        }
    return NNP_OK;
}

/* embedding -------------------------------------------------------------------------------------------------------- */

static nnp_status embedding_infer(nnp_call *call)
{
    const nnp_type *table = &nnp_weight(call, 0)->type;
    NNP_TRY(nnp_require_dtype(call, 0, NNP_INTEGERS));
    if (!(NNP_FLOATS & NNP_SET(table->dtype))) return nnp_refuse(call, NNP_DTYPE_MISMATCH, "/weights/embeddings", 0);
    NNP_TRY(nnp_require_rank(call, 0, 1, NNP_RANK - 1));
    NNP_TRY(nnp_require_weight(call, 0, 2, (const int32_t[]){-1, -1}));
    nnp_make_like(call, 0, 0);
    call->made[0].dims[call->made[0].rank++] = table->dims[1];
    call->made[0].dtype = table->dtype;
    return NNP_OK;
}

static nnp_status embedding_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const nnp_tensor *table = nnp_weight(call, 0);
    return gather(table->data, 1, (size_t)table->type.dims[0], nnp_in_data(call, 0), x->dtype, nnp_elements(x),
                  nnp_out_data(call, 0), (size_t)table->type.dims[1] * nnp_dtype_size(table->type.dtype));
}

const nnp_operator nnp_embedding = {
    .name = "embedding", .weights = "embeddings\0", .attributes = "", .least = 1, .most = 1, .infer = embedding_infer,
    .run = embedding_run,
};

/* take ------------------------------------------------------------------------------------------------------------- */

static nnp_status take_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *indices = nnp_in(call, 1);
    unsigned rank = 0;
    NNP_TRY(nnp_require_dtype(call, 1, NNP_INTEGERS));
    NNP_TRY(nnp_require_axis(call, 0));
    unsigned taken = (unsigned)nnp_attr(call, 0)->integer;
    for (unsigned axis = 0; axis < indices->rank; axis++)
        if (indices->dims[axis] == NNP_BATCH) return nnp_refuse(call, NNP_BATCH_AXIS, "/inputs/1", 0);
    NNP_TRY(nnp_require_rank(call, 1, 0, NNP_RANK + 1U - x->rank));
    for (unsigned axis = 0; axis < taken; axis++) call->made[0].dims[rank++] = x->dims[axis];
    for (unsigned axis = 0; axis < indices->rank; axis++) call->made[0].dims[rank++] = indices->dims[axis];
    for (unsigned axis = taken + 1; axis < x->rank; axis++) call->made[0].dims[rank++] = x->dims[axis];
    call->made[0].rank = (uint8_t)rank;
    call->made[0].dtype = x->dtype;
    return NNP_OK;
}

static nnp_status take_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *indices = nnp_in(call, 1);
    unsigned axis = (unsigned)nnp_attr(call, 0)->integer;
    size_t outer = nnp_product(x, 0, axis), inner = nnp_product(x, axis + 1, x->rank) * nnp_dtype_size(x->dtype);
    NNP_WITH_SIZE(inner, return gather(nnp_in_data(call, 0), outer, (size_t)x->dims[axis], nnp_in_data(call, 1),
                                       indices->dtype, nnp_elements(indices), nnp_out_data(call, 0), size))
}

const nnp_operator nnp_take = {
    .name = "take", .weights = "", .attributes = "axis:a\0", .least = 2, .most = 2, .infer = take_infer,
    .run = take_run,
};

/* take_along_axis -------------------------------------------------------------------------------------------------- */

static nnp_status take_along_axis_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *indices = nnp_in(call, 1);
    NNP_TRY(nnp_require_dtype(call, 1, NNP_INTEGERS));
    NNP_TRY(nnp_require_axis(call, 0));
    bool fits = indices->rank == x->rank;
    for (unsigned axis = 0; fits && axis < x->rank; axis++)
        fits = axis == (unsigned)nnp_attr(call, 0)->integer || indices->dims[axis] == x->dims[axis];
    if (!fits) return nnp_refuse(call, NNP_OPERAND_SHAPE, "/inputs/1", 0);
    nnp_make_like(call, 0, 1);
    call->made[0].dtype = x->dtype;
    return NNP_OK;
}

/* y (outer, count, inner) is of x (outer, n, inner) what the indices (outer, count, inner) say. */
NNP_INLINE nnp_status gather_along(const uint8_t *restrict x, size_t outer, size_t n, size_t inner, const void *indices,
                                   unsigned dtype, size_t count, uint8_t *restrict y, size_t size)
{
    for (size_t o = 0, at = 0; o < outer; o++, x += n * inner * size)
        for (size_t j = 0; j < count; j++)
            for (size_t i = 0; i < inner; i++, at++) {
                size_t place = place_of(indices, dtype, at, n);
                if (place == n) return NNP_INDEX_RANGE;
                memcpy(y + at * size, x + (place * inner + i) * size, size);
            }
    return NNP_OK;
}

static nnp_status take_along_axis_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *indices = nnp_in(call, 1);
    unsigned axis = (unsigned)nnp_attr(call, 0)->integer;
    size_t outer = nnp_product(x, 0, axis), inner = nnp_product(x, axis + 1, x->rank);
    NNP_WITH_SIZE(nnp_dtype_size(x->dtype),
                  return gather_along(nnp_in_data(call, 0), outer, (size_t)x->dims[axis], inner, nnp_in_data(call, 1),
                                      indices->dtype, (size_t)indices->dims[axis], nnp_out_data(call, 0), size))
}

const nnp_operator nnp_take_along_axis = {
    .name = "take_along_axis", .weights = "", .attributes = "axis:a\0", .least = 2, .most = 2,
    .infer = take_along_axis_infer, .run = take_along_axis_run,
};

/* one_hot ---------------------------------------------------------------------------------------------------------- */

enum { NUM_CLASSES, DTYPE };

static nnp_status one_hot_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_dtype(call, 0, NNP_INTEGERS));
    NNP_TRY(nnp_require_rank(call, 0, 1, NNP_RANK - 1));
    nnp_make_like(call, 0, 0);
    call->made[0].dims[call->made[0].rank++] = nnp_attr(call, NUM_CLASSES)->integer;
    call->made[0].dtype = (uint8_t)nnp_attr(call, DTYPE)->integer;
    return NNP_OK;
}

static nnp_status one_hot_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *y = nnp_out(call, 0);
    int64_t classes = nnp_attr(call, NUM_CLASSES)->integer;
    size_t count = nnp_elements(x), size = nnp_dtype_size(y->dtype), row = (size_t)classes * size;
    uint8_t *to = nnp_out_data(call, 0);
    double one[1]; /* as aligned as any element */
    nnp_put_number(one, y->dtype, 1);
    memset(to, 0, count * row); /* 0 of any dtype */
    for (size_t i = 0; i < count; i++, to += row) {
        int64_t index = nnp_integer_at(nnp_in_data(call, 0), x->dtype, i);
        if (index >= 0 && index < classes) memcpy(to + (size_t)index * size, one, size);
    }
    return NNP_OK;
}

const nnp_operator nnp_one_hot = {
    .name = "one_hot", .weights = "", .attributes = "num_classes:i\0dtype:d\0", .least = 1, .most = 1,
    .infer = one_hot_infer, .run = one_hot_run,
};

#endif
