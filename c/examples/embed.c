/*
 * embed MODEL NAME ROWS: prints a header for programs that have no files and no malloc: the model as an array, and how
 * many bytes of memory it takes for calls of so many rows. Dimensions that only a call tells are taken as 1.
 *
 * It is built for, and runs on, the machine that compiles. Numbers of bytes are those of its pointers; a machine with
 * shorter ones needs fewer.
 */
#include "nnp_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static void print_macro(const char *name, const char *what, size_t bytes)
{
    printf("#define ");
    for (; *name != 0; name++) putchar(toupper((unsigned char)*name));
    printf("_%s %lu\n", what, (unsigned long)bytes);
}

/* A union, so that the bytes are aligned as weights have to be in order to be used where they lie. */
static void print_bytes(const char *name, const unsigned char *bytes, size_t size)
{
    printf("\nstatic const union {\n    unsigned char bytes[%lu];\n    double alignment;\n} %s = {{",
           (unsigned long)size, name);
    for (size_t i = 0; i < size; i++) printf("%s0x%02x,", i % 20 == 0 ? "\n    " : " ", bytes[i]);
    printf("\n}};\n");
}

/* How much memory calls of so many rows take. */
static nnp_status plan(nnp_loaded *loaded, int32_t rows, size_t *values, size_t *states, nnp_error *error)
{
    size_t count = nnp_input_count(loaded->model);
    int32_t(*dims)[8] = malloc(count * sizeof *dims);
    const int32_t **inputs = malloc(count * sizeof *inputs);
    nnp_status status = NNP_OUT_OF_MEMORY;
    if (dims != NULL && inputs != NULL) {
        for (size_t i = 0; i < count; i++) {
            nnp_value input = nnp_input(loaded->model, i);
            for (unsigned axis = 0; axis < input.rank; axis++)
                dims[i][axis] = input.dims[axis] == NNP_BATCH ? rows : input.dims[axis] < 0 ? 1 : input.dims[axis];
            inputs[i] = dims[i];
        }
        status = nnp_plan(loaded->workspace, inputs, values, states, error);
    }
    free(dims);
    free(inputs);
    return status;
}

static nnp_status embed(nnp_loaded *loaded, const char *name, int32_t rows, nnp_error *error)
{
    size_t model, prepared, values, states;
    nnp_status status = nnp_model_size(loaded->file.bytes, loaded->file.size, &model, error);
    if (status == NNP_OK) status = nnp_prepare_size(loaded->model, 0, &prepared);
    if (status == NNP_OK) status = plan(loaded, rows, &values, &states, error);
    if (status != NNP_OK) return status;
    printf("/* Made by embed. */\n");
    print_macro(name, "MODEL_BYTES", model);
    print_macro(name, "PREPARED_BYTES", prepared);
    print_macro(name, "WORKSPACE_BYTES", nnp_workspace_size(loaded->model));
    print_macro(name, "VALUES_BYTES", values);
    print_macro(name, "STATES_BYTES", states);
    print_bytes(name, loaded->file.bytes, loaded->file.size);
    return NNP_OK;
}

int main(int argc, char **argv)
{
    nnp_loaded loaded;
    nnp_error error = {.status = NNP_OK};
    if (argc != 4) {
        fprintf(stderr, "embed MODEL NAME ROWS\n");
        return 2;
    }
    nnp_status status = nnp_load(argv[1], NNP_LEAN, &loaded, &error);
    if (status == NNP_OK) {
        status = embed(&loaded, argv[2], (int32_t)strtol(argv[3], NULL, 10), &error);
        nnp_unload(&loaded);
    }
    if (status != NNP_OK) fprintf(stderr, "%s\n", error.message[0] != 0 ? error.message : nnp_status_code(status));
    return status != NNP_OK;
}
