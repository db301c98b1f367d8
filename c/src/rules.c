/* The rules of types that operators share: spec/README.md, "Constraints of every operator", and the pages. */
#include "internal.h"

#if NNP_MESSAGES
nnp_status nnp_refuse(nnp_call *call, nnp_status status, const char *at, unsigned i)
{
    char *to = call->at, *end = call->at + sizeof call->at - 1;
    for (; *at != 0 && to < end; at++) {
        if (at[0] != '%') {
            *to++ = *at;
            continue;
        }
        char digits[10];
        unsigned count = 0;
        do {
            digits[count++] = (char)('0' + i % 10);
            i /= 10;
        } while (i != 0);
        while (count > 0 && to < end) *to++ = digits[--count];
        at++; /* the u of %u */
    }
    *to = 0;
    return status;
}
#endif

size_t nnp_product(const nnp_type *type, unsigned first, unsigned last)
{
    size_t n = 1;
    for (unsigned axis = first; axis < last; axis++) n *= (size_t)type->dims[axis];
    return n;
}

size_t nnp_elements(const nnp_type *type)
{
    return nnp_product(type, 0, type->rank);
}

int32_t nnp_number(int64_t n)
{
    return n < 0 || n > INT32_MAX ? NNP_NONE : (int32_t)n;
}

nnp_status nnp_require_dtype(nnp_call *call, uint32_t i, unsigned set)
{
    return set & NNP_SET(nnp_in(call, i)->dtype) ? NNP_OK : nnp_refuse(call, NNP_DTYPE_MISMATCH, "/inputs/%u", i);
}

nnp_status nnp_require_dtypes(nnp_call *call, unsigned set)
{
    NNP_TRY(nnp_require_dtype(call, 0, set));
    for (uint32_t i = 1; i < nnp_inputs(call); i++) NNP_TRY(nnp_require_dtype(call, i, NNP_SET(nnp_in(call, 0)->dtype)));
    return NNP_OK;
}

nnp_status nnp_require_float(nnp_call *call)
{
    const char *role = call->layer->op->weights;
    NNP_TRY(nnp_require_dtypes(call, NNP_FLOATS));
    for (unsigned i = 0; *role != 0; i++, role += strlen(role) + 1)
        if (nnp_weight(call, i) != NULL && nnp_weight(call, i)->type.dtype != nnp_in(call, 0)->dtype)
            return nnp_refuse(call, NNP_DTYPE_MISMATCH, "/weights", 0);
    return NNP_OK;
}

nnp_status nnp_require_rank(nnp_call *call, uint32_t i, unsigned least, unsigned most)
{
    unsigned rank = nnp_in(call, i)->rank;
    return rank < least || rank > most ? nnp_refuse(call, NNP_RANK_RANGE, "/inputs/%u", i) : NNP_OK;
}

nnp_status nnp_require_weight(nnp_call *call, unsigned role, unsigned rank, const int32_t *dims)
{
    const nnp_tensor *weight = nnp_weight(call, role);
    if (weight == NULL) return NNP_OK;
    if (weight->type.rank != rank) return nnp_refuse(call, NNP_WEIGHT_SHAPE, "/weights", 0);
    for (unsigned axis = 0; axis < rank; axis++)
        if (dims[axis] >= 0 && weight->type.dims[axis] != dims[axis])
            return nnp_refuse(call, NNP_WEIGHT_SHAPE, "/weights", 0);
    return NNP_OK;
}

nnp_status nnp_require_axis(nnp_call *call, unsigned i)
{
    return nnp_attr(call, i)->integer < nnp_in(call, 0)->rank ? NNP_OK : nnp_refuse(call, NNP_AXIS_RANGE, "/attributes", 0);
}

nnp_status nnp_require_axes(nnp_call *call, unsigned i)
{
    const nnp_attribute *axes = nnp_attr(call, i);
    return axes->list.items[axes->list.count - 1] < nnp_in(call, 0)->rank
               ? NNP_OK
               : nnp_refuse(call, NNP_AXIS_RANGE, "/attributes", 0);
}

nnp_status nnp_require_lengths(nnp_call *call, unsigned i, unsigned count, unsigned n)
{
    for (; count > 0; count--, i++)
        if (nnp_attr(call, i)->list.count != n) return nnp_refuse(call, NNP_RANK_RANGE, "/attributes", 0);
    return NNP_OK;
}

void nnp_make_like(nnp_call *call, unsigned output, uint32_t i)
{
    const nnp_type *type = nnp_in(call, i);
    call->made[output].rank = type->rank;
    call->made[output].dtype = type->dtype;
    memcpy(call->made[output].dims, type->dims, type->rank * sizeof *type->dims);
}

nnp_status nnp_make_broadcast(nnp_call *call, uint32_t first, uint32_t last)
{
    return nnp_make_leading(call, first, last, 0);
}

nnp_status nnp_make_leading(nnp_call *call, uint32_t first, uint32_t last, unsigned but)
{
    int32_t *made = call->made[0].dims;
    unsigned rank = but;
    for (uint32_t i = first; i < last; i++)
        if (nnp_in(call, i)->rank > rank) rank = nnp_in(call, i)->rank;
    rank -= but;
    for (unsigned axis = 0; axis < rank; axis++) made[axis] = 1;
    for (uint32_t i = first; i < last; i++) {
        const nnp_type *type = nnp_in(call, i);
        unsigned leading = type->rank - but;
        for (unsigned axis = 0, shift = rank - leading; axis < leading; axis++) {
            int32_t n = type->dims[axis];
            if (made[shift + axis] == 1) made[shift + axis] = n;
            else if (n != 1 && n != made[shift + axis])
                return nnp_refuse(call, NNP_BROADCAST_MISMATCH, "/inputs/%u", i);
        }
    }
    for (unsigned axis = 1; axis < rank; axis++)
        if (made[axis] == NNP_BATCH) return nnp_refuse(call, NNP_BATCH_AXIS, "/inputs", 0);
    call->made[0].rank = (uint8_t)rank;
    call->made[0].dtype = nnp_in(call, first)->dtype;
    return NNP_OK;
}

nnp_walk nnp_walk_over(const nnp_type *like, const nnp_type *const *arrays, unsigned count)
{
    nnp_walk walk;
    walk.rank = like->rank;
    for (unsigned axis = 0; axis < like->rank; axis++) walk.dims[axis] = like->dims[axis];
    for (unsigned k = 0; k < count; k++) {
        const nnp_type *array = arrays[k];
        unsigned missing = (unsigned)(like->rank - array->rank);
        size_t step = 1;
        for (unsigned axis = like->rank; axis-- > 0;) {
            int32_t n = axis < missing ? 1 : array->dims[axis - missing];
            walk.steps[k][axis] = n == 1 ? 0 : step;
            step *= (size_t)n;
        }
    }
    return walk;
}

void nnp_walk_at(const nnp_walk *walk, size_t i, size_t *places, unsigned count)
{
    for (unsigned k = 0; k < count; k++) places[k] = 0;
    for (unsigned axis = walk->rank; axis-- > 0;) {
        size_t index = i % (size_t)walk->dims[axis];
        i /= (size_t)walk->dims[axis];
        for (unsigned k = 0; k < count; k++) places[k] += index * walk->steps[k][axis];
    }
}
