/* Groups: the elements of an array whose indices differ along some axes alone. What reductions, normalizations and
 * softmax work on. */
#ifndef NNP_GROUPS_H
#define NNP_GROUPS_H

#include "../internal.h"

/* `count` places in an array: those of all indices along some axes, the last of which is listed first. */
typedef struct {
    size_t count;
    unsigned rank;
    size_t dims[NNP_RANK / 2], steps[NNP_RANK / 2];
} nnp_places;

/*
 * At each place of `outer` begin `inner` groups, side by side. Each of them has a part at each place of `parts` from
 * there: `n` elements, which are `inner` apart. Groups, and the elements of one, are in C order.
 */
typedef struct {
    size_t n, inner;
    nnp_places outer, parts;
} nnp_groups;

/* The groups along ascending axes. */
nnp_groups nnp_groups_along(const nnp_type *x, const int32_t *axes, unsigned count);

size_t nnp_place(const nnp_places *places, size_t i);

/* A function that there is for float32 and for float64. */
#if NNP_WITH_FLOAT64
#define NNP_FOR(type, name) ((type)->dtype == NNP_FLOAT64 ? name##_f64 : name##_f32)
#else
#define NNP_FOR(type, name) name##_f32
#endif

/* Computes the n elements of one group where they are, in a row. */
typedef void nnp_line(const void *of, size_t group, void *y, size_t n);

/* Makes each group of input 0 a line of the output. Takes so many bytes of scratch, from its beginning on. */
size_t nnp_lines_scratch(const nnp_call *call, const nnp_groups *groups);
void nnp_lines_f32(const nnp_call *call, const nnp_groups *groups, nnp_line *line, const void *of);
void nnp_lines_f64(const nnp_call *call, const nnp_groups *groups, nnp_line *line, const void *of);

/* The sum of n elements, added as in a tournament: an element is rounded as often as that has rounds. Spoils them. */
float nnp_add_up_f32(float *x, size_t n);
double nnp_add_up_f64(double *x, size_t n);

#endif
