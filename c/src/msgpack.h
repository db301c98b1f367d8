/* The part of msgpack that a header may consist of: spec/format.md, "Header". */
#ifndef NNP_MSGPACK_H
#define NNP_MSGPACK_H

#include "internal.h"

#define NNP_HEADER_LIMIT 0x1000000U /* bytes of a header */
#define NNP_NESTING_LIMIT 16U
#define NNP_STRING_LIMIT 0x10000U
#define NNP_ITEM_LIMIT 0x10000U

typedef enum {
    NNP_ITEM_INTEGER,
    NNP_ITEM_NUMBER,
    NNP_ITEM_BOOLEAN,
    NNP_ITEM_STRING,
    NNP_ITEM_LIST,
    NNP_ITEM_MAP,
    NNP_ITEM_NIL, /* this, and what follows, is in no header */
    NNP_ITEM_BINARY,
    NNP_ITEM_EXTENSION,
    NNP_ITEM_INVALID
} nnp_item_kind;

typedef struct {
    nnp_item_kind kind;
    uint32_t at;    /* of a string its first byte, else what follows the head: the first member */
    uint32_t count; /* bytes of a string, elements of a list, pairs of a map */
} nnp_item;

/*
 * Goes through the one object that begins at byte `at`: whether it is complete, within the limits, and something that a
 * header may hold, but for keys that a map has twice. `end` takes the first byte behind it, or that of the fault.
 */
nnp_status nnp_scan(const uint8_t *file, size_t size, uint32_t at, uint32_t *end);

/* The object at a byte of what has been scanned, and the first byte behind it and all that it holds. */
nnp_item nnp_item_at(const uint8_t *file, uint32_t at);
uint32_t nnp_behind(const uint8_t *file, uint32_t at);

/* What the object is, where it is an integer, a number or a boolean, a string. */
int64_t nnp_item_integer(const uint8_t *file, uint32_t at);
double nnp_item_number(const uint8_t *file, uint32_t at);
bool nnp_item_boolean(const uint8_t *file, uint32_t at);
nnp_text nnp_item_text(const uint8_t *file, uint32_t at);

/* Whether bytes are UTF-8, without overlong forms and surrogates. */
bool nnp_utf8(const uint8_t *bytes, size_t length);

/* The order of two strings at these bytes of the file, by their bytes: below 0, 0, or above. */
int nnp_compare(const uint8_t *file, uint32_t a, uint32_t b);

#endif
