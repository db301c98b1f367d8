/* A strict reader of JSON, and a writer of its strings. */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define NESTING 64

/* How many bytes the character at `text` has; 0 for what is no UTF-8: a stray byte, an overlong form, a surrogate. */
static size_t utf8_character(const unsigned char *text, size_t length)
{
    unsigned char first = text[0], low = 0x80, high = 0xBF;
    size_t count = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (count < 2) return count;
    if (count > length) return 0;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    if (text[1] < low || text[1] > high) return 0;
    for (size_t i = 2; i < count; i++)
        if (text[i] < 0x80 || text[i] > 0xBF) return 0;
    return count;
}

/* Reading ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    char *at, *end;
    json *free; /* the next value to be used */
} reader;

static void skip_blanks(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) r->at++;
}

/* Whether `c` comes next, which is then read. */
static bool accept(reader *r, char c)
{
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool accept_word(reader *r, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) return false;
    r->at += length;
    return true;
}

static bool accept_digits(reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > start;
}

static bool read_number(reader *r, json *value)
{
    value->type = JSON_NUMBER;
    value->text = r->at;
    accept(r, '-');
    if (!accept(r, '0') && !accept_digits(r)) return false;
    if (accept(r, '.') && !accept_digits(r)) return false;
    if (accept(r, 'e') || accept(r, 'E')) {
        if (!accept(r, '+')) accept(r, '-');
        if (!accept_digits(r)) return false;
    }
    value->length = (size_t)(r->at - value->text);
    return true;
}

static bool read_hex(reader *r, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        if (r->at == r->end) return false;
        char c = *r->at++;
        if (c >= 'A' && c <= 'F') c = (char)(c - 'A' + 'a');
        const char *digit = c == 0 ? NULL : strchr(digits, c);
        if (digit == NULL) return false;
        *code = *code * 16 + (unsigned)(digit - digits);
    }
    return true;
}

/* What stands behind \u: one code unit of UTF-16, or two. */
static bool read_escaped_character(reader *r, char **to)
{
    unsigned code, low;
    if (!read_hex(r, &code)) return false;
    if (code >= 0xDC00 && code < 0xE000) return false;
    if (code >= 0xD800 && code < 0xDC00) {
        if (!accept_word(r, "\\u") || !read_hex(r, &low) || low < 0xDC00 || low >= 0xE000) return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    char *out = *to;
    if (code < 0x80) {
        *out++ = (char)code;
    } else {
        unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        *out++ = (char)((0xFF00U >> (more + 1) & 0xFF) | code >> 6 * more);
        while (more-- > 0) *out++ = (char)(0x80 | (code >> 6 * more & 0x3F));
    }
    *to = out;
    return true;
}

/* Decodes a string into the place where it stands, which is never too short, and ends it with a 0. */
static bool read_string(reader *r, const char **text, size_t *length)
{
    if (!accept(r, '"')) return false;
    char *to = r->at;
    *text = to;
    while (r->at < r->end && *r->at != '"') {
        if (accept(r, '\\')) {
            static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
            if (accept(r, 'u')) {
                if (!read_escaped_character(r, &to)) return false;
                continue;
            }
            const char *escape = r->at < r->end && *r->at != 0 ? strchr(escapes, *r->at) : NULL;
            if (escape == NULL) return false;
            *to++ = meanings[escape - escapes];
            r->at++;
            continue;
        }
        size_t count = utf8_character((const unsigned char *)r->at, (size_t)(r->end - r->at));
        if (count == 0 || (unsigned char)*r->at < 0x20) return false;
        memmove(to, r->at, count);
        to += count;
        r->at += count;
    }
    if (!accept(r, '"')) return false;
    *length = (size_t)(to - *text);
    *to = 0;
    return true;
}

static json *read_value(reader *r, unsigned depth);

/* The values of an array or object, up to its closing bracket. */
static bool read_members(reader *r, json *parent, char close, unsigned depth)
{
    const json **link = &parent->first;
    if (depth == NESTING) return false;
    skip_blanks(r);
    if (accept(r, close)) return true;
    do {
        const char *key = NULL;
        size_t key_length = 0;
        if (parent->type == JSON_OBJECT) {
            skip_blanks(r);
            if (!read_string(r, &key, &key_length)) return false;
            skip_blanks(r);
            if (!accept(r, ':')) return false;
        }
        json *value = read_value(r, depth + 1);
        if (value == NULL) return false;
        value->key = key;
        value->key_length = key_length;
        *link = value;
        link = &value->next;
        parent->length++;
    } while (accept(r, ','));
    return accept(r, close);
}

/* A value, with the blanks around it; NULL where there is none. */
static json *read_value(reader *r, unsigned depth)
{
    json *value = r->free++;
    bool good = true;
    memset(value, 0, sizeof *value);
    skip_blanks(r);
    if (accept(r, '{')) {
        value->type = JSON_OBJECT;
        good = read_members(r, value, '}', depth);
    } else if (accept(r, '[')) {
        value->type = JSON_ARRAY;
        good = read_members(r, value, ']', depth);
    } else if (r->at < r->end && *r->at == '"') {
        value->type = JSON_STRING;
        good = read_string(r, &value->text, &value->length);
    } else if (accept_word(r, "true")) {
        value->type = JSON_TRUE;
    } else if (accept_word(r, "false")) {
        value->type = JSON_FALSE;
    } else if (!accept_word(r, "null")) {
        good = read_number(r, value);
    }
    skip_blanks(r);
    return good ? value : NULL;
}

json *json_read(char *text, size_t length)
{
    /* Before each value but the outermost one of these stands. */
    size_t most = 1;
    for (size_t i = 0; i < length; i++) most += text[i] == '[' || text[i] == ',' || text[i] == ':';
    json *values = malloc(most * sizeof *values);
    if (values == NULL) return NULL;
    reader r = {.at = text, .end = text + length, .free = values};
    if (read_value(&r, 0) == NULL || r.at != r.end) {
        free(values);
        return NULL;
    }
    return values;
}

const json *json_get(const json *object, const char *key)
{
    const json *found = NULL;
    if (object == NULL || object->type != JSON_OBJECT) return NULL;
    for (const json *value = object->first; value != NULL; value = value->next)
        if (value->key_length == strlen(key) && memcmp(value->key, key, value->key_length) == 0) found = value;
    return found;
}

bool json_integer(const json *number, int64_t *value)
{
    if (number == NULL || number->type != JSON_NUMBER || number->length > 18) return false;
    bool negative = number->text[0] == '-';
    int64_t sum = 0;
    for (size_t i = negative; i < number->length; i++) {
        if (number->text[i] < '0' || number->text[i] > '9') return false;
        sum = sum * 10 + (number->text[i] - '0');
    }
    if (value != NULL) *value = negative ? -sum : sum;
    return true;
}

/* Writing ---------------------------------------------------------------------------------------------------------- */

void json_write(FILE *to, const char *text, size_t length)
{
    putc('"', to);
    for (size_t i = 0; i < length;) {
        size_t count = utf8_character((const unsigned char *)text + i, length - i);
        unsigned char c = (unsigned char)text[i];
        if (count == 0) fputs("\\ufffd", to);
        else if (c == '"' || c == '\\') fprintf(to, "\\%c", c);
        else if (c < 0x20 || c == 0x7F) fprintf(to, "\\u%04x", c);
        else fwrite(text + i, 1, count, to);
        i += count == 0 ? 1 : count;
    }
    putc('"', to);
}
