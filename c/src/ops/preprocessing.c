/* From what a table has to what a network takes: spec/ops/bucketize.md, lookup.md. */
#include "elements.h"
#include "../model.h"
#include "../operators.h"

#if NNP_PREPROCESSING

/* bucketize -------------------------------------------------------------------------------------------------------- */

#include "../real32.h"
#define AT(data, i) (((const REAL *)(data))[i])
#include "preprocessing.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "preprocessing.inc"
#endif

/* Integers of all widths. */
#undef AT
#undef REAL
#undef R
#define AT(data, i) nnp_integer_at(data, dtype, i)
#define REAL int64_t
#define R(name) name##_integers
#include "preprocessing.inc"

static nnp_status bucketize_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_dtype(call, 0, NNP_NUMBERS));
    if (nnp_weight(call, 0)->type.dtype != nnp_in(call, 0)->dtype)
        return nnp_refuse(call, NNP_DTYPE_MISMATCH, "/weights/boundaries", 0);
    NNP_TRY(nnp_require_weight(call, 0, 1, (const int32_t[]){-1}));
    nnp_make_like(call, 0, 0);
    call->made[0].dtype = NNP_INT32;
    return NNP_OK;
}

static nnp_status bucketize_prepare(nnp_layer *layer, unsigned flags)
{
    const void *boundaries = layer->weights[0]->data;
    unsigned dtype = layer->weights[0]->type.dtype;
    size_t n = (size_t)layer->weights[0]->type.dims[0];
    bool ascends;
    (void)flags;
    if (dtype == NNP_FLOAT32) ascends = ascends_f32(boundaries, dtype, n);
#if NNP_WITH_FLOAT64
    else if (dtype == NNP_FLOAT64) ascends = ascends_f64(boundaries, dtype, n);
#endif
    else ascends = ascends_integers(boundaries, dtype, n);
    return ascends ? NNP_OK : NNP_BOUNDARIES_ORDER;
}

static nnp_status bucketize_run(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0);
    const void *boundaries = nnp_weight(call, 0)->data;
    size_t elements = nnp_elements(x), n = (size_t)nnp_weight(call, 0)->type.dims[0];
    if (x->dtype == NNP_FLOAT32)
        bucketize_f32(nnp_in_data(call, 0), boundaries, x->dtype, elements, n, nnp_out_data(call, 0));
#if NNP_WITH_FLOAT64
    else if (x->dtype == NNP_FLOAT64)
        bucketize_f64(nnp_in_data(call, 0), boundaries, x->dtype, elements, n, nnp_out_data(call, 0));
#endif
    else bucketize_integers(nnp_in_data(call, 0), boundaries, x->dtype, elements, n, nnp_out_data(call, 0));
    return NNP_OK;
}

const nnp_operator nnp_bucketize = {
    .name = "bucketize", .weights = "boundaries\0", .attributes = "", .least = 1, .most = 1, .infer = bucketize_infer,
    .run = bucketize_run, .prepare = bucketize_prepare,
};

/* integer_lookup, string_lookup ------------------------------------------------------------------------------------ */

enum { INTEGERS, STRINGS };
enum { VOCABULARY, OFFSETS };

/* Entries and elements of x are compared as bytes, integers too: what is asked for is equality, and some order. */
static nnp_text integer_text(const void *integers, size_t k)
{
    return (nnp_text){(const char *)integers + k * sizeof(int64_t), sizeof(int64_t)};
}

static nnp_text entry_of(const nnp_layer *layer, size_t k)
{
    const char *vocabulary = layer->weights[VOCABULARY]->data;
    if (layer->op->kind == INTEGERS) return integer_text(vocabulary, k);
    const int64_t *offsets = layer->weights[OFFSETS]->data;
    return (nnp_text){vocabulary + offsets[k], (size_t)(offsets[k + 1] - offsets[k])};
}

static size_t entries_of(const nnp_layer *layer)
{
    if (layer->op->kind == INTEGERS) return (size_t)layer->weights[VOCABULARY]->type.dims[0];
    return (size_t)layer->weights[OFFSETS]->type.dims[0] - 1;
}

static int compare_texts(nnp_text a, nnp_text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter == 0 ? 0 : memcmp(a.bytes, b.bytes, shorter);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static bool entry_before(const void *layer, uint32_t a, uint32_t b)
{
    return compare_texts(entry_of(layer, a), entry_of(layer, b)) < 0;
}

static nnp_status lookup_infer(nnp_call *call)
{
    bool strings = call->layer->op->kind == STRINGS;
    const uint8_t dtypes[] = {strings ? NNP_UINT8 : NNP_INT64, NNP_INT64};
    NNP_TRY(nnp_require_dtype(call, 0, NNP_SET(strings ? NNP_STRING : NNP_INT64)));
    for (unsigned role = 0; role <= (strings ? OFFSETS : VOCABULARY); role++) {
        if (nnp_weight(call, role)->type.dtype != dtypes[role])
            return nnp_refuse(call, NNP_DTYPE_MISMATCH, "/weights", 0);
        NNP_TRY(nnp_require_weight(call, role, 1, (const int32_t[]){-1}));
    }
    nnp_make_like(call, 0, 0);
    call->made[0].dtype = NNP_INT64;
    return NNP_OK;
}

/* Entries are found by their places in order, which layer->prepared holds. */
static size_t lookup_prepared_size(const nnp_layer *layer, unsigned flags)
{
    (void)flags;
    return entries_of(layer) * sizeof(uint32_t);
}

/* Whether offsets ascend from 0 to the end, and every entry is UTF-8. */
static bool entries_fit(const nnp_layer *layer, size_t n)
{
    const int64_t *offsets = layer->weights[OFFSETS]->data;
    if (offsets[0] != 0 || offsets[n] != layer->weights[VOCABULARY]->type.dims[0]) return false;
    for (size_t k = 0; k < n; k++)
        if (offsets[k + 1] < offsets[k]) return false;
    for (size_t k = 0; k < n; k++) {
        nnp_text entry = entry_of(layer, k);
        if (!nnp_utf8((const uint8_t *)entry.bytes, entry.length)) return false;
    }
    return true;
}

static nnp_status lookup_prepare(nnp_layer *layer, unsigned flags)
{
    size_t n = entries_of(layer);
    uint32_t *order = layer->prepared;
    (void)flags;
    if (layer->op->kind == STRINGS && !entries_fit(layer, n)) return NNP_VOCABULARY_INVALID;
    for (size_t k = 0; k < n; k++) order[k] = (uint32_t)k;
    nnp_sort(order, (uint32_t)n, entry_before, layer);
    for (size_t k = 1; k < n; k++)
        if (!entry_before(layer, order[k - 1], order[k])) return NNP_VOCABULARY_INVALID;
    return NNP_OK;
}

static int64_t find(const nnp_layer *layer, size_t n, nnp_text text)
{
    const uint32_t *order = layer->prepared;
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int side = compare_texts(entry_of(layer, order[middle]), text);
        if (side == 0) return order[middle];
        if (side < 0) low = middle + 1;
        else high = middle;
    }
    return -1;
}

static nnp_status lookup_run(const nnp_call *call)
{
    const nnp_layer *layer = call->layer;
    const void *x = nnp_in_data(call, 0);
    size_t elements = nnp_elements(nnp_in(call, 0)), n = entries_of(layer);
    int64_t *y = nnp_out_data(call, 0);
    for (size_t i = 0; i < elements; i++)
        y[i] = find(layer, n, layer->op->kind == STRINGS ? ((const nnp_text *)x)[i] : integer_text(x, i));
    return NNP_OK;
}

const nnp_operator nnp_integer_lookup = {
    .name = "integer_lookup", .weights = "vocabulary\0", .attributes = "", .least = 1, .most = 1, .kind = INTEGERS,
    .infer = lookup_infer, .run = lookup_run, .prepared_size = lookup_prepared_size, .prepare = lookup_prepare,
};

const nnp_operator nnp_string_lookup = {
    .name = "string_lookup", .weights = "vocabulary\0offsets\0", .attributes = "", .least = 1, .most = 1,
    .flags = NNP_STRINGS, .kind = STRINGS, .infer = lookup_infer, .run = lookup_run,
    .prepared_size = lookup_prepared_size, .prepare = lookup_prepare,
};

#endif
