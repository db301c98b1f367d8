/* Groups of elements along axes. */
#include "groups.h"

#if NNP_ACTIVATIONS || NNP_NORMALIZATION || NNP_REDUCTION || NNP_RECURRENT

/* Adds the indices along one axis, in front of those that are there; `joined` where it is as good as one with these. */
static void lengthen(nnp_places *places, size_t dim, size_t step, bool joined)
{
    places->count *= dim;
    if (joined) {
        places->dims[places->rank - 1] *= dim;
        return;
    }
    places->dims[places->rank] = dim;
    places->steps[places->rank++] = step;
}

nnp_groups nnp_groups_along(const nnp_type *x, const int32_t *axes, unsigned count)
{
    nnp_groups groups = {.n = 1, .inner = 1, .outer = {.count = 1}, .parts = {.count = 1}};
    enum { INNER, ELEMENTS, OUTER, PARTS }; /* what an axis belongs to: from behind, in this order */
    unsigned run = INNER;
    size_t step = 1;
    for (unsigned axis = x->rank; axis-- > 0;) {
        bool along = count > 0 && axes[count - 1] == (int32_t)axis;
        size_t dim = (size_t)x->dims[axis];
        unsigned before = run;
        if (along) count--;
        if (dim == 1) continue;
        run = along ? (run <= ELEMENTS ? ELEMENTS : PARTS) : (run == INNER ? INNER : OUTER);
        if (run <= ELEMENTS) *(along ? &groups.n : &groups.inner) *= dim;
        else lengthen(along ? &groups.parts : &groups.outer, dim, step, run == before);
        step *= dim;
    }
    return groups;
}

size_t nnp_place(const nnp_places *places, size_t i)
{
    size_t place = 0;
    for (unsigned k = 0; k < places->rank; i /= places->dims[k++]) {
        if (k == places->rank - 1) return place + i * places->steps[k]; /* spares the most frequent case a division */
        place += i % places->dims[k] * places->steps[k];
    }
    return place;
}

/* A group lies in a row already. */
static bool in_a_row(const nnp_groups *groups)
{
    return groups->inner == 1 && groups->parts.count == 1;
}

size_t nnp_lines_scratch(const nnp_call *call, const nnp_groups *groups)
{
    size_t bytes = groups->parts.count * groups->n * nnp_dtype_size((nnp_dtype)nnp_in(call, 0)->dtype);
    return in_a_row(groups) ? 0 : (bytes + NNP_ALIGNMENT - 1) / NNP_ALIGNMENT * NNP_ALIGNMENT;
}

#include "../real32.h"
#include "groups.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "groups.inc"
#endif

#endif
