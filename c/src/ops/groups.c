/* Groups of elements along axes. */
#include "groups.h"

#if NNP_ACTIVATIONS || NNP_NORMALIZATION || NNP_REDUCTION || NNP_RECURRENT

/* Adds the indices along one axis, in front of those that are there; `joined` where these axes are as good as one. */
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
    enum { INNER, ELEMENTS, OUTER, PARTS } run = INNER; /* what the axis before belongs to */
    size_t step = 1;
    for (unsigned axis = x->rank; axis-- > 0;) {
        bool along = count > 0 && axes[count - 1] == (int32_t)axis;
        size_t dim = (size_t)x->dims[axis];
        if (along) count--;
        if (dim == 1) continue;
        if (!along && run == INNER) groups.inner *= dim;
        else if (along && run <= ELEMENTS) {
            groups.n *= dim;
            run = ELEMENTS;
        } else if (along) {
            lengthen(&groups.parts, dim, step, run == PARTS);
            run = PARTS;
        } else {
            lengthen(&groups.outer, dim, step, run == OUTER);
            run = OUTER;
        }
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

/* Copies n elements of 4 or 8 bytes, which lie so many elements apart here and there. */
static void copy(char *to, size_t to_step, const char *from, size_t from_step, size_t n, size_t size)
{
    if (to_step == 1 && from_step == 1) memcpy(to, from, n * size);
    else if (size == 4)
        for (size_t i = 0; i < n; i++) memcpy(to + i * to_step * 4, from + i * from_step * 4, 4);
    else
        for (size_t i = 0; i < n; i++) memcpy(to + i * to_step * 8, from + i * from_step * 8, 8);
}

size_t nnp_lines_scratch(const nnp_call *call, const nnp_groups *groups)
{
    size_t bytes = groups->parts.count * groups->n * nnp_dtype_size((nnp_dtype)nnp_in(call, 0)->dtype);
    return in_a_row(groups) ? 0 : (bytes + NNP_ALIGNMENT - 1) / NNP_ALIGNMENT * NNP_ALIGNMENT;
}

void nnp_lines(const nnp_call *call, const nnp_groups *groups, nnp_line *line, const void *of)
{
    const size_t size = nnp_dtype_size((nnp_dtype)nnp_in(call, 0)->dtype), n = groups->n, inner = groups->inner;
    const size_t total = n == 0 ? 0 : groups->outer.count * inner, parts = groups->parts.count;
    const char *x = nnp_in_data(call, 0);
    char *y = nnp_out_data(call, 0), *gathered = call->scratch;
    for (size_t group = 0; group < total; group++) {
        if (in_a_row(groups)) {
            if (x != y) memcpy(y + group * n * size, x + group * n * size, n * size);
            line(of, group, y + group * n * size, n);
            continue;
        }
        const size_t first = nnp_place(&groups->outer, group / inner) + group % inner;
        for (size_t part = 0; part < parts; part++)
            copy(gathered + part * n * size, 1, x + (first + nnp_place(&groups->parts, part)) * size, inner, n, size);
        line(of, group, gathered, parts * n);
        for (size_t part = 0; part < parts; part++)
            copy(y + (first + nnp_place(&groups->parts, part)) * size, inner, gathered + part * n * size, 1, n, size);
    }
}

#include "../real32.h"
#include "groups.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "groups.inc"
#endif

#endif
