/*
 * Files, and memory from malloc, for nnpack in C99: the one part that asks the system for anything.
 *
 *     nnp_loaded loaded;
 *     nnp_error error;
 *     if (nnp_load("m.nnpack", 0, &loaded, &error) != NNP_OK) …            puts(error.message)
 *     if (nnp_predict(&loaded, inputs, dims, &error) != NNP_OK) …
 *     const float *y = nnp_result(loaded.workspace, 0, &y_dims);
 *     nnp_unload(&loaded);
 *
 * Statuses from NNP_FILE_NOT_FOUND on are faults of the file system or of memory, those before are faults of the file's
 * bytes, or of a call.
 */
#ifndef NNP_FILE_H
#define NNP_FILE_H

#include "nnp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The bytes of a file. They are mapped where the system can do that: it must not be changed until it is closed. */
typedef struct {
    const void *bytes;
    size_t size;
    void *held; /* what nnp_file_close gives back, mapped or allocated */
    int mapped;
} nnp_file;

nnp_status nnp_file_open(const char *path, nnp_file *file, nnp_error *error);
void nnp_file_close(nnp_file *file);

/* Memory of malloc, aligned to NNP_ALIGNMENT. */
typedef struct {
    void *data;
    size_t size;
    void *held;
} nnp_block;

/* A model with all memory that one thread needs. */
typedef struct {
    nnp_model *model;         /* nnp_input(loaded.model, 0), …; NULL where nothing is loaded */
    nnp_workspace *workspace; /* nnp_result(loaded.workspace, 0, &dims), nnp_reset(loaded.workspace) */

    nnp_file file;
    nnp_block parsed, prepared, working, values, states;
    nnp_block planned; /* the dimensions that the workspace is ready for */
    int ready;
} nnp_loaded;

enum {
    NNP_LEAN = 2 /* weights are not laid out anew: slower, for less memory */
};

/*
 * Opens a file and makes it ready for nnp_predict. Its hash is compared and its self-test is run, where it has one.
 *
 *   flags     0, or of NNP_TRUST (neither hash nor self-test) and NNP_LEAN
 *   loaded    is filled, and given to nnp_unload in the end; after a failure there is nothing to unload
 */
nnp_status nnp_load(const char *path, unsigned flags, nnp_loaded *loaded, nnp_error *error);

/* Computes the outputs of one call, as nnp_run; plans, and takes more memory, where shapes are others than before. */
nnp_status nnp_predict(nnp_loaded *loaded, const void *const *inputs, const int32_t *const *dims, nnp_error *error);

/* Runs the self-test; NNP_SELFTEST_ABSENT where the file has none. Neither sees nor changes states. */
nnp_status nnp_verify(const nnp_loaded *loaded, nnp_error *error);

void nnp_unload(nnp_loaded *loaded);

#ifdef __cplusplus
}
#endif

#endif
