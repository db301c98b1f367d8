#include "msgpack.h"

bool nnp_utf8(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        uint8_t first = bytes[i++];
        if (first < 0x80) continue;
        unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
        if (first < 0xC2 || first > 0xF4 || length - i < more) return false;
        /* the second byte tells overlong forms, surrogates and what is beyond U+10FFFF */
        uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        for (; more > 0; more--, low = 0x80, high = 0xBF) {
            if (bytes[i] < low || bytes[i] > high) return false;
            i++;
        }
    }
    return true;
}

static uint64_t big_endian(const uint8_t *bytes, unsigned width)
{
    uint64_t value = 0;
    while (width-- > 0) value = value << 8 | *bytes++;
    return value;
}

/* The heads c0 to df: what they begin, and how many bytes of a number or a length follow, in the upper half. */
static const uint8_t heads[32] = {
    NNP_ITEM_NIL,            NNP_ITEM_INVALID,        NNP_ITEM_BOOLEAN,        NNP_ITEM_BOOLEAN,
    NNP_ITEM_BINARY,         NNP_ITEM_BINARY,         NNP_ITEM_BINARY,         0x10 | NNP_ITEM_EXTENSION,
    0x20 | NNP_ITEM_EXTENSION, 0x40 | NNP_ITEM_EXTENSION, 0x40 | NNP_ITEM_NUMBER, 0x80 | NNP_ITEM_NUMBER,
    0x10 | NNP_ITEM_INTEGER, 0x20 | NNP_ITEM_INTEGER, 0x40 | NNP_ITEM_INTEGER, 0x80 | NNP_ITEM_INTEGER,
    0x10 | NNP_ITEM_INTEGER, 0x20 | NNP_ITEM_INTEGER, 0x40 | NNP_ITEM_INTEGER, 0x80 | NNP_ITEM_INTEGER,
    NNP_ITEM_EXTENSION,      NNP_ITEM_EXTENSION,      NNP_ITEM_EXTENSION,      NNP_ITEM_EXTENSION,
    NNP_ITEM_EXTENSION,      0x10 | NNP_ITEM_STRING,  0x20 | NNP_ITEM_STRING,  0x40 | NNP_ITEM_STRING,
    0x20 | NNP_ITEM_LIST,    0x40 | NNP_ITEM_LIST,    0x20 | NNP_ITEM_MAP,     0x40 | NNP_ITEM_MAP,
};

/* Reads the head of an object; `value` takes the number or length that is in it, not yet looked at. */
static nnp_status read_head(const uint8_t *file, size_t size, uint32_t at, nnp_item *item, uint64_t *value)
{
    *item = (nnp_item){NNP_ITEM_INVALID, 0, 0, 0, 0};
    if (at >= size) return NNP_TRUNCATED_HEADER;
    uint8_t head = file[at];
    item->at = at + 1;
    *value = head;
    if (head < 0x80 || head >= 0xE0) {
        item->kind = NNP_ITEM_INTEGER;
        item->integer = head < 0x80 ? head : head - 0x100;
    } else if (head < 0xC0) {
        item->kind = head < 0x90 ? NNP_ITEM_MAP : head < 0xA0 ? NNP_ITEM_LIST : NNP_ITEM_STRING;
        *value = head & (head < 0xA0 ? 0x0FU : 0x1FU);
    } else {
        unsigned width = heads[head - 0xC0] >> 4;
        item->kind = (nnp_item_kind)(heads[head - 0xC0] & 0x0F);
        if (size - at - 1 < width) return NNP_TRUNCATED_HEADER;
        *value = big_endian(file + at + 1, width);
        item->at += width;
        if (item->kind == NNP_ITEM_INTEGER) {
            if (head >= 0xD0 && *value >> (8 * width - 1) != 0) *value |= ~(UINT64_MAX >> (64 - 8 * width)); /* its sign */
            else if (*value > INT64_MAX) *value = INT64_MAX; /* as much out of range as what it was */
            memcpy(&item->integer, value, sizeof item->integer);
        } else if (item->kind == NNP_ITEM_BOOLEAN) {
            item->integer = head & 1;
        } else if (width == 4 && item->kind == NNP_ITEM_NUMBER) {
            uint32_t bits = (uint32_t)*value;
            float number;
            memcpy(&number, &bits, sizeof number);
            item->number = (double)number;
        } else if (item->kind == NNP_ITEM_NUMBER) {
            memcpy(&item->number, value, sizeof item->number);
        }
    }
    item->count = (uint32_t)*value;
    return NNP_OK;
}

nnp_item nnp_item_at(const uint8_t *file, uint32_t at)
{
    nnp_item item;
    uint64_t value;
    read_head(file, SIZE_MAX, at, &item, &value);
    return item;
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

/* Whether an object may stand in a header, as far as its head tells. */
static nnp_status check_item(const uint8_t *file, size_t size, const nnp_item *item, uint64_t value)
{
    const int64_t most = INT64_C(1) << 53;
    switch (item->kind) {
    case NNP_ITEM_INTEGER:
        return item->integer > most || item->integer < -most ? NNP_INTEGER_RANGE : NNP_OK;
    case NNP_ITEM_NUMBER:
        return item->number - item->number == 0 ? NNP_OK : NNP_NUMBER_NOT_FINITE;
    case NNP_ITEM_STRING:
        if (value > NNP_STRING_LIMIT) return NNP_LIMIT_STRING;
        if (size - item->at < value) return NNP_TRUNCATED_HEADER;
        return nnp_utf8(file + item->at, (size_t)value) ? NNP_OK : NNP_UTF8_INVALID;
    case NNP_ITEM_LIST:
    case NNP_ITEM_MAP:
        return value > NNP_ITEM_LIMIT ? NNP_LIMIT_ITEMS : NNP_OK;
    case NNP_ITEM_NIL:
        return NNP_MSGPACK_NIL;
    case NNP_ITEM_BINARY:
        return NNP_MSGPACK_BIN;
    case NNP_ITEM_EXTENSION:
        if (item->at >= size) return NNP_TRUNCATED_HEADER;
        return file[item->at] == 0xFF ? NNP_MSGPACK_TIMESTAMP : NNP_MSGPACK_EXT;
    case NNP_ITEM_BOOLEAN:
        return NNP_OK;
    default:
        return NNP_MSGPACK_INVALID_BYTE;
    }
}

nnp_status nnp_scan(const uint8_t *file, size_t size, uint32_t at, uint32_t *end)
{
    uint32_t left[NNP_NESTING_LIMIT], start = at; /* objects still to come at each depth, keys of maps among them */
    bool map[NNP_NESTING_LIMIT];
    unsigned depth = 0;
    do {
        nnp_item item;
        uint64_t value;
        bool key = depth > 0 && map[depth - 1] && left[depth - 1] % 2 == 0;
        *end = at;
        NNP_TRY(read_head(file, size, at, &item, &value));
        if (key && item.kind != NNP_ITEM_STRING && item.kind != NNP_ITEM_INVALID) return NNP_KEY_TYPE;
        NNP_TRY(check_item(file, size, &item, value));
        at = item.at + (item.kind == NNP_ITEM_STRING ? item.count : 0);
        if (at - start > NNP_HEADER_LIMIT) return NNP_LIMIT_HEADER;
        if (depth > 0) left[depth - 1]--;
        if (item.kind >= NNP_ITEM_LIST) {
            if (depth == NNP_NESTING_LIMIT) return NNP_LIMIT_NESTING;
            map[depth] = item.kind == NNP_ITEM_MAP;
            left[depth] = map[depth] ? 2 * item.count : item.count;
            depth++;
        }
        while (depth > 0 && left[depth - 1] == 0) depth--;
    } while (depth > 0);
    *end = at;
    return NNP_OK;
}
