#include "msgpack.h"

bool nnp_utf8(const uint8_t *bytes, size_t length)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000}; /* what needs so many bytes more than one */
    for (const uint8_t *end = bytes + length; bytes < end;) {
        uint32_t character = *bytes++;
        if (character < 0x80) continue;
        if (character < 0xC0 || character >= 0xF8) return false;
        unsigned more = character >= 0xF0 ? 3 : character >= 0xE0 ? 2 : 1;
        character &= 0x3FU >> more;
        for (unsigned left = more; left > 0; left--, bytes++) {
            if (bytes == end || *bytes >> 6 != 2) return false;
            character = character << 6 | (*bytes & 0x3FU);
        }
        if (character < least[more] || character > 0x10FFFF || character >> 11 == 0x1B) return false; /* 1B: surrogates */
    }
    return true;
}

/* What a head begins, and how many bytes of a number or a length follow, in the upper half: 00 to bf in steps of 16, and
 * c0 to df one by one; e0 to ff are as 00. */
static const uint8_t heads[12 + 32] = {
    NNP_ITEM_INTEGER,          NNP_ITEM_INTEGER,          NNP_ITEM_INTEGER,          NNP_ITEM_INTEGER,
    NNP_ITEM_INTEGER,          NNP_ITEM_INTEGER,          NNP_ITEM_INTEGER,          NNP_ITEM_INTEGER,
    NNP_ITEM_MAP,              NNP_ITEM_LIST,             NNP_ITEM_STRING,           NNP_ITEM_STRING,
    NNP_ITEM_NIL,              NNP_ITEM_INVALID,          NNP_ITEM_BOOLEAN,          NNP_ITEM_BOOLEAN,
    0x10 | NNP_ITEM_BINARY,    0x20 | NNP_ITEM_BINARY,    0x40 | NNP_ITEM_BINARY,    0x10 | NNP_ITEM_EXTENSION,
    0x20 | NNP_ITEM_EXTENSION, 0x40 | NNP_ITEM_EXTENSION, 0x40 | NNP_ITEM_NUMBER,    0x80 | NNP_ITEM_NUMBER,
    0x10 | NNP_ITEM_INTEGER,   0x20 | NNP_ITEM_INTEGER,   0x40 | NNP_ITEM_INTEGER,   0x80 | NNP_ITEM_INTEGER,
    0x10 | NNP_ITEM_INTEGER,   0x20 | NNP_ITEM_INTEGER,   0x40 | NNP_ITEM_INTEGER,   0x80 | NNP_ITEM_INTEGER,
    NNP_ITEM_EXTENSION,        NNP_ITEM_EXTENSION,        NNP_ITEM_EXTENSION,        NNP_ITEM_EXTENSION,
    NNP_ITEM_EXTENSION,        0x10 | NNP_ITEM_STRING,    0x20 | NNP_ITEM_STRING,    0x40 | NNP_ITEM_STRING,
    0x20 | NNP_ITEM_LIST,      0x40 | NNP_ITEM_LIST,      0x20 | NNP_ITEM_MAP,       0x40 | NNP_ITEM_MAP,
};

static uint8_t entry_of(uint8_t head)
{
    return heads[head < 0xC0 ? head >> 4 : head < 0xE0 ? head - 0xC0 + 12 : 0];
}

static unsigned width_of(uint8_t head)
{
    return entry_of(head) >> 4;
}

nnp_item nnp_item_at(const uint8_t *file, uint32_t at)
{
    uint8_t head = file[at++], entry = entry_of(head);
    nnp_item item = {(nnp_item_kind)(entry & 0x0F), at + (entry >> 4), 0};
    if (at == item.at) item.count = head & (head < 0xA0 ? 0x0FU : 0x1FU);
    while (at < item.at) item.count = item.count << 8 | file[at++];
    return item;
}

/* The bits of a number; those of an integer with its sign in front of them. */
static uint64_t bits_at(const uint8_t *file, uint32_t at)
{
    uint8_t head = file[at];
    unsigned width = width_of(head);
    if (width == 0) width = 1; /* the head is an int8 itself */
    else at++;
    bool is_signed = head < 0xC0 || head >= 0xD0;
    uint64_t bits = is_signed && file[at] >= 0x80 ? UINT64_MAX : 0;
    for (; width > 0; width--) bits = bits << 8 | file[at++];
    return bits;
}

int64_t nnp_item_integer(const uint8_t *file, uint32_t at)
{
    uint64_t bits = bits_at(file, at);
    int64_t integer;
    memcpy(&integer, &bits, sizeof integer);
    return file[at] == 0xCF && integer < 0 ? INT64_MAX : integer; /* as much out of range as what it is */
}

double nnp_item_number(const uint8_t *file, uint32_t at)
{
    uint64_t bits = bits_at(file, at);
    uint32_t low = (uint32_t)bits;
    double number;
    float single;
    if (file[at] == 0xCB) {
        memcpy(&number, &bits, sizeof number);
        return number;
    }
    memcpy(&single, &low, sizeof single);
    return (double)single;
}

bool nnp_item_boolean(const uint8_t *file, uint32_t at)
{
    return file[at] & 1;
}

nnp_text nnp_item_text(const uint8_t *file, uint32_t at)
{
    nnp_item item = nnp_item_at(file, at);
    return (nnp_text){(const char *)file + item.at, item.count};
}

uint32_t nnp_behind(const uint8_t *file, uint32_t at)
{
    for (uint32_t left = 1; left > 0; left--) {
        nnp_item item = nnp_item_at(file, at);
        at = item.at;
        if (item.kind == NNP_ITEM_STRING) at += item.count;
        else if (item.kind >= NNP_ITEM_LIST) left += item.kind == NNP_ITEM_MAP ? 2 * item.count : item.count;
    }
    return at;
}

int nnp_compare(const uint8_t *file, uint32_t a, uint32_t b)
{
    nnp_item x = nnp_item_at(file, a), y = nnp_item_at(file, b);
    int order = memcmp(file + x.at, file + y.at, x.count < y.count ? x.count : y.count);
    return order != 0 ? order : x.count < y.count ? -1 : x.count > y.count;
}

/* A file, and how far it has been gone through. */
typedef struct {
    const uint8_t *file;
    size_t size;
    uint32_t start, at;
} scan;

/* Whether an object may stand in a header, as far as its head tells; and a string all of it. */
static nnp_status check_item(const scan *s, const nnp_item *item)
{
    const int64_t most = INT64_C(1) << 53;
    const uint8_t *file = s->file, *number = file + s->at + 1;
    switch (item->kind) {
    case NNP_ITEM_INTEGER: {
        int64_t integer = nnp_item_integer(file, s->at);
        return integer > most || integer < -most ? NNP_INTEGER_RANGE : NNP_OK;
    }
    case NNP_ITEM_NUMBER: { /* an exponent of ones is none of a finite number; of a float64 it is longer */
        unsigned ones = number[-1] == 0xCB ? 0x7FF0 : 0x7F80, high = number[0] * 256U + number[1];
        return (high & ones) == ones ? NNP_NUMBER_NOT_FINITE : NNP_OK;
    }
    case NNP_ITEM_STRING:
        if (item->count > NNP_STRING_LIMIT) return NNP_LIMIT_STRING;
        if (s->size - item->at < item->count) return NNP_TRUNCATED_HEADER;
        return nnp_utf8(file + item->at, item->count) ? NNP_OK : NNP_UTF8_INVALID;
    case NNP_ITEM_LIST:
    case NNP_ITEM_MAP:
        return item->count > NNP_ITEM_LIMIT ? NNP_LIMIT_ITEMS : NNP_OK;
    case NNP_ITEM_NIL:
        return NNP_MSGPACK_NIL;
    case NNP_ITEM_BINARY:
        return NNP_MSGPACK_BIN;
    case NNP_ITEM_EXTENSION:
        if (item->at >= s->size) return NNP_TRUNCATED_HEADER;
        return file[item->at] == 0xFF ? NNP_MSGPACK_TIMESTAMP : NNP_MSGPACK_EXT;
    case NNP_ITEM_BOOLEAN:
        return NNP_OK;
    default:
        return NNP_MSGPACK_INVALID_BYTE;
    }
}

/* Goes through the object at s->at, which is within so many others. */
static nnp_status scan_object(scan *s, unsigned depth, bool key)
{
    if (s->at >= s->size || s->size - s->at - 1 < width_of(s->file[s->at])) return NNP_TRUNCATED_HEADER;
    nnp_item item = nnp_item_at(s->file, s->at);
    bool map = item.kind == NNP_ITEM_MAP, nested = map || item.kind == NNP_ITEM_LIST;
    uint32_t end = item.at + (item.kind == NNP_ITEM_STRING ? item.count : 0);
    if (key && item.kind != NNP_ITEM_STRING && item.kind != NNP_ITEM_INVALID) return NNP_KEY_TYPE;
    NNP_TRY(check_item(s, &item));
    if (end - s->start > NNP_HEADER_LIMIT) return NNP_LIMIT_HEADER;
    if (nested && depth == NNP_NESTING_LIMIT) return NNP_LIMIT_NESTING;
    s->at = end;
    for (uint32_t left = !nested ? 0 : map ? 2 * item.count : item.count; left > 0; left--)
        NNP_TRY(scan_object(s, depth + 1, map && left % 2 == 0));
    return NNP_OK;
}

nnp_status nnp_scan(const uint8_t *file, size_t size, uint32_t at, uint32_t *end)
{
    scan s = {file, size, at, at};
    nnp_status status = scan_object(&s, 0, false);
    *end = s.at;
    return status;
}
