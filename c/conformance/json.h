/* JSON (RFC 8259): as much as a conversation of one object a line needs. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } json_type;

typedef struct json json;
struct json {
    json_type type;
    const char *text; /* of a string: UTF-8, ended by a 0 that does not count; of a number: as it was written */
    size_t length;    /* of the text; of an array or object: how many values it has */
    const char *key;  /* in an object: the value's key, and the length of that */
    size_t key_length;
    const json *first, *next; /* the first value of an array or object; the value behind this one */
};

/* The values of a text, the outermost first, to be freed; NULL where it is no JSON. Strings are decoded in place. */
json *json_read(char *text, size_t length);

/* The value of a key, the last one where there are several; NULL where there is none, or no object. */
const json *json_get(const json *object, const char *key);

/* A number that is an integer, written without fraction and exponent. `value` may be NULL. */
bool json_integer(const json *number, int64_t *value);

/* Writes a string with its quotation marks; bytes that are no UTF-8 become U+FFFD. */
void json_write(FILE *to, const char *text, size_t length);

#endif
