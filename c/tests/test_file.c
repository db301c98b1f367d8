/* nnp_file.h: which files are opened, what is said of others, and that memory grows with shapes and keeps states. */
#define _POSIX_C_SOURCE 200809L

#include "nnp_file.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static nnp_status opened(const char *path)
{
    nnp_file file;
    nnp_error error;
    nnp_status status = nnp_file_open(path, &file, &error);
    CHECK(status == NNP_OK || (error.status == status && strstr(error.message, nnp_status_code(status)) != NULL));
    nnp_file_close(&file);
    CHECK(file.bytes == NULL && file.size == 0);
    return status;
}

static void test_files(const char *model)
{
    nnp_file file;
    CHECK(nnp_file_open(model, &file, NULL) == NNP_OK && file.size > 8 && memcmp(file.bytes, "\x95\xa6nnpack", 8) == 0);
    nnp_file_close(&file);

    CHECK(opened("no such file") == NNP_FILE_NOT_FOUND);
    CHECK(opened("") == NNP_FILE_NOT_FOUND);
    CHECK(opened(".") == NNP_FILE_IS_DIRECTORY);
    CHECK(opened("/dev/null") == NNP_FILE_NOT_REGULAR);

    char below[256];
    snprintf(below, sizeof below, "%s/below", model);
    CHECK(opened(below) == NNP_FILE_NOT_FOUND);
}

static void test_made_files(void)
{
    char folder[] = "/tmp/nnp-test-XXXXXX", pipe[64], empty[64];
    if (mkdtemp(folder) == NULL) return;
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    snprintf(empty, sizeof empty, "%s/empty", folder);

    if (mkfifo(pipe, 0600) == 0) CHECK(opened(pipe) == NNP_FILE_NOT_REGULAR);
    FILE *made = fopen(empty, "wb");
    if (made != NULL) fclose(made);
    nnp_loaded loaded;
    nnp_error error;
    CHECK(opened(empty) == NNP_OK);
    CHECK(nnp_load(empty, 0, &loaded, &error) == NNP_EMPTY_FILE && error.status == NNP_EMPTY_FILE);
    CHECK(loaded.model == NULL);
    nnp_unload(&loaded); /* twice is once */
    if (chmod(empty, 0) == 0 && geteuid() != 0) CHECK(opened(empty) == NNP_FILE_NOT_PERMITTED);

    unlink(pipe);
    unlink(empty);
    rmdir(folder);
}

/* What the model answers to the last of so many rows that are all x. */
static float predict(nnp_loaded *loaded, int32_t rows, float x, nnp_status expected)
{
    static float xs[1000];
    const int32_t dims[] = {rows, 1}, *input_dims[] = {dims}, *y_dims;
    const void *inputs[] = {xs};
    for (int32_t i = 0; i < rows; i++) xs[i] = x;
    CHECK(nnp_predict(loaded, inputs, input_dims, NULL) == expected);
    if (expected != NNP_OK) return 0;
    const float *y = nnp_result(loaded->workspace, 0, &y_dims);
    CHECK(y_dims[0] == rows && y_dims[1] == 1);
    return y[rows - 1];
}

static void test_states(const char *smooth)
{
    nnp_loaded loaded;
    nnp_error error;
    CHECK(nnp_load(smooth, 0, &loaded, &error) == NNP_OK);
    if (loaded.model == NULL) return;
    CHECK(nnp_state_count(loaded.model) == 1);
    CHECK(predict(&loaded, 2, 4, NNP_OK) == 1.0F);
    CHECK(nnp_verify(&loaded, &error) == NNP_OK);
    CHECK(predict(&loaded, 1000, 4, NNP_SHAPE) == 0.0F); /* other rows than the states have; nothing changes */
    CHECK(predict(&loaded, 2, 4, NNP_OK) == 1.75F);
    nnp_reset(loaded.workspace);
    CHECK(predict(&loaded, 1000, 8, NNP_OK) == 2.0F);
    CHECK(predict(&loaded, 1000, 8, NNP_OK) == 3.5F);
    nnp_reset(loaded.workspace);
    CHECK(predict(&loaded, 1, 8, NNP_OK) == 2.0F);
    nnp_unload(&loaded);
}

static void test_flags(const char *example)
{
    for (unsigned flags = 0; flags <= (NNP_TRUST | NNP_LEAN); flags++) {
        static const float x[2][2] = {{1, 3}, {2, 1}};
        static const int32_t dims[] = {2, 2}, wrong[] = {2, 3}, *right_dims[] = {dims}, *wrong_dims[] = {wrong};
        const int32_t *y_dims;
        const void *inputs[] = {x};
        nnp_loaded loaded;
        nnp_error error;
        CHECK(nnp_load(example, flags, &loaded, &error) == NNP_OK);
        if (loaded.model == NULL) continue;
        CHECK(nnp_verify(&loaded, &error) == NNP_SELFTEST_ABSENT);
        CHECK(nnp_predict(&loaded, inputs, wrong_dims, &error) == NNP_SHAPE && error.status == NNP_SHAPE);
        CHECK(nnp_predict(&loaded, inputs, right_dims, &error) == NNP_OK);
        const float *y = nnp_result(loaded.workspace, 0, &y_dims);
        CHECK(y[0] == 0.0F && y[1] == 3.5F);
        nnp_unload(&loaded);
    }
}

/* test_file EXAMPLE SMOOTH */
int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    test_files(argv[1]);
    test_made_files();
    test_flags(argv[1]);
    test_states(argv[2]);
    return failures != 0;
}
