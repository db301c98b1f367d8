/* Codes, names of dtypes, and messages. */
#include "model.h"

const char *nnp_status_code(nnp_status status)
{
#define CODE(name, code) code "\0"
    const char *codes = "ok\0" NNP_STATUSES(CODE);
#undef CODE
    for (unsigned i = 0; i < (unsigned)status && *codes != 0; i++) codes += strlen(codes) + 1;
    return codes;
}

/* In the order of nnp_dtype. */
const char nnp_dtype_names[] = "float32\0float64\0float16\0bfloat16\0int8\0int32\0int64\0uint8\0bool\0string\0";
static const uint8_t dtype_sizes[NNP_DTYPES] = {4, 8, 2, 2, 1, 4, 8, 1, 1, sizeof(nnp_text)};

const char *nnp_dtype_name(nnp_dtype dtype)
{
    const char *name = nnp_dtype_names;
    for (unsigned i = 0; i < (unsigned)dtype; i++) name += strlen(name) + 1;
    return name;
}

size_t nnp_dtype_size(nnp_dtype dtype)
{
    return dtype_sizes[dtype];
}

#if NNP_MESSAGES

/* Text in an array that is full at some point: what does not fit is left out. */
typedef struct {
    char *to, *end;
} writer;

static void put(writer *w, const char *text, size_t length)
{
    while (length-- > 0 && w->to < w->end) *w->to++ = *text++;
    *w->to = 0;
}

static void put_text(writer *w, const char *text)
{
    put(w, text, strlen(text));
}

static void put_number(writer *w, int64_t n)
{
    char digits[20];
    unsigned at = sizeof digits;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (n < 0) put(w, "-", 1);
    put(w, digits + at, sizeof digits - at);
}

static void put_place(writer *w, const nnp_pointer *place)
{
    if (place == NULL) return;
    put_place(w, place->around);
    size_t length = strcspn(place->name, "?=:");
    put(w, place->name, length);
    if (length > 0 && place->name[length - 1] == '/' && place->index != NNP_NOTHING) put_number(w, place->index);
}

/* What stands in the file, in a word or two. */
static void put_item(writer *w, const uint8_t *file, uint32_t at)
{
    nnp_item item = nnp_item_at(file, at);
    switch (item.kind) {
    case NNP_ITEM_INTEGER:
        put_number(w, nnp_item_integer(file, at));
        return;
    case NNP_ITEM_BOOLEAN:
        put_text(w, nnp_item_boolean(file, at) ? "true" : "false");
        return;
    case NNP_ITEM_STRING: {
        uint32_t shown = item.count < 64 ? item.count : 64;
        while (shown < item.count && shown > 0 && (file[item.at + shown] & 0xC0) == 0x80) shown--; /* a whole character */
        put(w, "\"", 1);
        for (uint32_t i = 0; i < shown; i++) {
            char c = (char)file[item.at + i];
            put(w, (unsigned char)c < 0x20 ? "?" : &c, 1); /* one line, whatever the file holds */
        }
        put_text(w, shown < item.count ? "…\"" : "\"");
        return;
    }
    case NNP_ITEM_LIST:
        put_text(w, "a list of ");
        put_number(w, item.count);
        return;
    default:
        put_text(w, item.kind == NNP_ITEM_MAP ? "a map" : "a number");
        return;
    }
}

static nnp_status finish(nnp_error *error, nnp_status status, const char *expected, const uint8_t *file, uint32_t received)
{
    writer message = {error->message, error->message + sizeof error->message - 1};
    error->status = status;
    put_text(&message, nnp_status_code(status));
    if (error->at[0] != 0) put_text(&message, " at ");
    put_text(&message, error->at);
    if (expected != NULL) put_text(&message, ": expected ");
    if (expected != NULL) put(&message, expected, strcspn(expected, "?=:")); /* it may be an entry of a table */
    if (received != 0) put_text(&message, ", received ");
    if (received != 0) put_item(&message, file, received);
    return status;
}

nnp_status nnp_fault(nnp_error *error, nnp_status status, const nnp_pointer *place, const char *expected,
                     const uint8_t *file, uint32_t received)
{
    if (error == NULL) return status;
    writer at = {error->at, error->at + sizeof error->at - 1};
    error->at[0] = 0;
    put_place(&at, place);
    return finish(error, status, expected, file, received);
}

nnp_status nnp_fault_at_byte(nnp_error *error, nnp_status status, uint32_t byte)
{
    if (error == NULL) return status;
    writer at = {error->at, error->at + sizeof error->at - 1};
    put_text(&at, "byte ");
    put_number(&at, byte);
    return finish(error, status, NULL, NULL, 0);
}

nnp_status nnp_fault_of_layer(nnp_error *error, nnp_status status, const nnp_model *model, const nnp_layer *layer,
                              const char *at)
{
    if (error == NULL) return status;
    const nnp_pointer layers = {NULL, "/layers/", (uint32_t)(layer - model->layers)}, inside = {&layers, at, 0};
    nnp_fault(error, status, &inside, NULL, NULL, 0);
    writer message = {error->message + strlen(error->message), error->message + sizeof error->message - 1};
    put_text(&message, ", in the layer ");
    put_item(&message, model->file, model->layer_names.at[layers.index]);
    put_text(&message, " of ");
    put_text(&message, layer->op->name);
    return status;
}

#endif
