/* conformance/json.h: what is JSON, what it says, and how strings are written. */
#include "json.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

/* A text of exactly its length, so that a read beyond it is noticed. */
static json *read_copy(const char *text, char **copy)
{
    size_t length = strlen(text);
    *copy = malloc(length + (length == 0));
    if (*copy == NULL) exit(1);
    memcpy(*copy, text, length);
    return json_read(*copy, length);
}

static bool is_json(const char *text)
{
    char *copy;
    json *value = read_copy(text, &copy);
    free(value);
    free(copy);
    return value != NULL;
}

static void test_texts(void)
{
    static const char *const good[] = {
        "{}", " [ ] ", "null", "true", "\"\"", "0", "-0", "1.5e+7", "[1,[2,[]],{}]", "{\"a\": {\"b\": [null, false]}}",
        "\"\\u0041\\n\\/\"", "\"\\ud83d\\ude00\"", "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"", "\t{\"\":1}\r\n",
    };
    static const char *const bad[] = {
        "", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "01", "+1", "1.", ".5", "1e", "--1", "nul", "truex",
        "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83d\\u0041\"", "\"\n\"", "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"", "\"\xFF\"", "[] []", "'a'", "{\"a\" 1}", "[1 2]",
        ",",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!is_json(good[i])) failures++, fprintf(stderr, "refused: %s\n", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (is_json(bad[i])) failures++, fprintf(stderr, "taken: %s\n", bad[i]);
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 99);
    deep[199] = 0;
    CHECK(!is_json(deep));
}

static void test_values(void)
{
    char *copy;
    int64_t n = 0;
    const char *source = "{\"n\": 1, \"s\": \"a\\u20ac\\\"\", \"l\": [-2, 3.0, 12345678901234567890], \"n\": 7}";
    json *value = read_copy(source, &copy);
    CHECK(value != NULL && value->type == JSON_OBJECT && value->length == 4);
    if (value == NULL) return;
    CHECK(json_integer(json_get(value, "n"), &n) && n == 7);
    CHECK(json_get(value, "m") == NULL && json_get(NULL, "n") == NULL && json_get(json_get(value, "l"), "n") == NULL);
    const json *text = json_get(value, "s"), *list = json_get(value, "l");
    CHECK(text->type == JSON_STRING && text->length == 5 && strcmp(text->text, "a\xE2\x82\xAC\"") == 0);
    CHECK(list->type == JSON_ARRAY && list->length == 3 && json_integer(list->first, &n) && n == -2);
    CHECK(!json_integer(list->first->next, NULL) && !json_integer(list->first->next->next, NULL));
    free(value);
    free(copy);
}

static void test_writing(void)
{
    static const char text[] = "a\"\\\n\0\xC3\xA4\xFF", expected[] = "\"a\\\"\\\\\\u000a\\u0000\xC3\xA4\\ufffd\"";
    char written[64] = {0};
    FILE *file = tmpfile();
    if (file == NULL) return;
    json_write(file, text, sizeof text - 1);
    rewind(file);
    size_t length = fread(written, 1, sizeof written - 1, file);
    fclose(file);
    CHECK(length == sizeof expected - 1 && memcmp(written, expected, length) == 0);
}

int main(void)
{
    test_texts();
    test_values();
    test_writing();
    return failures != 0;
}
