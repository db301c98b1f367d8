/*
 * Predicts: ./predict NUMBERS
 *
 * Numbers come from the command line, in C order, one input behind the other; "-" reads them from standard input.
 * "--selftest" runs the self-test that the model carries. All memory is static: sizes.h says how much.
 */
#include "model.h"
#include "nnp.h"
#include "sizes.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory for the runtime has to be aligned: see `aligned`. */
static unsigned char model_memory[MODEL_BYTES + NNP_ALIGNMENT], prepared_memory[PREPARED_BYTES + NNP_ALIGNMENT];
static unsigned char workspace_memory[WORKSPACE_BYTES + NNP_ALIGNMENT], memory[MEMORY_BYTES + NNP_ALIGNMENT];
static unsigned char states_memory[STATE_BYTES + NNP_ALIGNMENT], input_memory[INPUT_BYTES + NNP_ALIGNMENT];

static void *aligned(unsigned char *bytes)
{
    return bytes + (NNP_ALIGNMENT - (uintptr_t)bytes % NNP_ALIGNMENT) % NNP_ALIGNMENT;
}

#define WORD 512 /* the longest word of standard input, with its end */

/* The next word of the command line, or of standard input; NULL at the end. Texts have to stay until they are looked up. */
static const char *next_word(char ***arguments)
{
    static char words[MODEL_TEXTS + 1][WORD];
    static size_t next;
    char *word = words[next++ % (MODEL_TEXTS + 1)];
    if (**arguments == NULL) return NULL;
    if (strcmp(**arguments, "-") != 0) return *(*arguments)++;
    if (scanf("%511s", word) == 1) {
        if (strlen(word) < WORD - 1) return word;
        fprintf(stderr, "predict: expected words of less than %d bytes, received one that begins with %.20s\n", WORD - 1, word);
        exit(2);
    }
    ++*arguments;
    return NULL;
}

static int fail(const char *what, const char *word)
{
    fprintf(stderr, "predict: %s: %s\n", what, word == NULL ? "the end" : word);
    return 2;
}

/* Writes one element; 0 where the word is no such element. */
static int put(const char *word, nnp_dtype dtype, void *element)
{
    char *end = NULL;
    errno = 0;
    if (dtype == NNP_STRING) {
        const nnp_text text = {word, strlen(word)};
        memcpy(element, &text, sizeof text);
        return 1;
    }
    if (dtype == NNP_FLOAT32 || dtype == NNP_FLOAT64) {
        const double number = strtod(word, &end);
        const float single = (float)number;
        if (dtype == NNP_FLOAT32 && single - single != 0 && number - number == 0) return 0; /* beyond its range */
        if (dtype == NNP_FLOAT32) memcpy(element, &single, sizeof single);
        else memcpy(element, &number, sizeof number);
    } else {
        const long long number = strtoll(word, &end, 10);
        const int32_t middle = (int32_t)number;
        const int64_t large = number;
        const unsigned char small = (unsigned char)number;
        const long long low = dtype == NNP_INT8 ? -128 : dtype == NNP_INT32 ? INT32_MIN : dtype == NNP_INT64 ? LLONG_MIN : 0;
        const long long high = dtype == NNP_INT8    ? 127
                               : dtype == NNP_UINT8 ? 255
                               : dtype == NNP_BOOL  ? 1
                               : dtype == NNP_INT32 ? INT32_MAX
                                                    : LLONG_MAX;
        if (number < low || number > high || errno != 0) return 0;
        if (dtype == NNP_INT32) memcpy(element, &middle, sizeof middle);
        else if (dtype == NNP_INT64) memcpy(element, &large, sizeof large);
        else memcpy(element, &small, sizeof small);
    }
    return end != word && *end == 0;
}

static void print(const unsigned char *element, nnp_dtype dtype)
{
    float single;
    double number;
    int32_t middle;
    int64_t large;
    switch (dtype) {
    case NNP_FLOAT32:
        memcpy(&single, element, sizeof single);
        printf(" %.9g", (double)single);
        return;
    case NNP_FLOAT64:
        memcpy(&number, element, sizeof number);
        printf(" %.17g", number);
        return;
    case NNP_INT32:
        memcpy(&middle, element, sizeof middle);
        printf(" %ld", (long)middle);
        return;
    case NNP_INT64:
        memcpy(&large, element, sizeof large);
        printf(" %lld", (long long)large);
        return;
    case NNP_INT8:
        printf(" %d", (int)(signed char)*element);
        return;
    default:
        printf(" %u", (unsigned)*element);
    }
}

static size_t count(const int32_t *dims, unsigned rank)
{
    size_t n = 1;
    for (unsigned axis = 0; axis < rank; axis++) n *= (size_t)dims[axis];
    return n;
}

static int refused(nnp_status status, const nnp_error *error)
{
    fprintf(stderr, "predict: %s\n", error->message[0] != 0 ? error->message : nnp_status_code(status));
    return 1;
}

#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        const nnp_status status = (call);                                                                              \
        if (status != NNP_OK) return refused(status, &error);                                                          \
    } while (0)

int main(int argc, char **argv)
{
    const void *inputs[MODEL_INPUTS];
    unsigned char *element = aligned(input_memory);
    const char *word;
    size_t bytes, states;
    nnp_error error = {NNP_OK, "", ""};
    nnp_model *model;
    (void)argc;

    /* What a program does once. The model was verified when it was converted: its hash is not computed again. */
    TRY(nnp_open(&model, model_data, MODEL_SIZE, NNP_TRUST, aligned(model_memory), MODEL_BYTES, &error));
    TRY(nnp_prepare(model, 0, aligned(prepared_memory), PREPARED_BYTES, &error));
    nnp_workspace *workspace = nnp_workspace_new(model, aligned(workspace_memory));
    if (argv[1] != NULL && strcmp(argv[1], "--selftest") == 0) {
        TRY(nnp_selftest_size(workspace, &bytes, &error));
        unsigned char *more = malloc(bytes + NNP_ALIGNMENT);
        if (more == NULL) return fail("no memory", "--selftest");
        const nnp_status status = nnp_selftest(workspace, aligned(more), bytes, &error);
        free(more);
        if (status != NNP_OK) return refused(status, &error);
        puts("the self-test passes");
        return 0;
    }
    TRY(nnp_plan(workspace, model_shapes, &bytes, &states, &error));
    TRY(nnp_bind(workspace, aligned(memory), MEMORY_BYTES, aligned(states_memory), STATE_BYTES, &error));

    /* What it does for each row. */
    argv++;
    for (size_t i = 0; i < MODEL_INPUTS; i++) {
        const nnp_value value = nnp_input(model, i);
        inputs[i] = element;
        for (size_t left = count(model_shapes[i], value.rank); left > 0; left--) {
            word = next_word(&argv);
            if (word == NULL || !put(word, value.dtype, element)) return fail("expected " MODEL_USAGE " a row, received", word);
            element += nnp_dtype_size(value.dtype);
        }
        element = aligned(element);
    }
    if ((word = next_word(&argv)) != NULL) return fail("expected " MODEL_USAGE " a row, received more", word);
    TRY(nnp_run(workspace, inputs, &error));
    for (size_t i = 0; i < nnp_output_count(model); i++) {
        const nnp_value value = nnp_output(model, i);
        const int32_t *dims;
        const unsigned char *y = nnp_result(workspace, i, &dims);
        printf("%.*s:", (int)value.name.length, value.name.bytes);
        for (size_t left = count(dims, value.rank); left > 0; left--, y += nnp_dtype_size(value.dtype)) print(y, value.dtype);
        putchar('\n');
    }
    return 0;
}
