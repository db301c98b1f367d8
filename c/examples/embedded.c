/*
 * Predicts as firmware does: no file, no malloc, all memory static. The model and the sizes of its memory are in
 * example.h, which the build makes: embed example.nnpack example 2.
 */
#include "nnp.h"

#include "example.h"

#include <stdio.h>

#define ROWS 2

/* Each part begins at a multiple of NNP_ALIGNMENT. */
#define ALIGNED(bytes) (((bytes) + NNP_ALIGNMENT - 1) / NNP_ALIGNMENT * NNP_ALIGNMENT)

static unsigned char memory[NNP_ALIGNMENT + ALIGNED(EXAMPLE_MODEL_BYTES) + ALIGNED(EXAMPLE_PREPARED_BYTES) +
                            ALIGNED(EXAMPLE_WORKSPACE_BYTES) + ALIGNED(EXAMPLE_VALUES_BYTES)];
static size_t used;

/* The next part of the memory, of so many bytes. */
static void *take(size_t bytes)
{
    if (used == 0) used = NNP_ALIGNMENT - (uintptr_t)memory % NNP_ALIGNMENT;
    void *part = memory + used;
    used += ALIGNED(bytes);
    return part;
}

/* Opens the model, once, and makes it ready for calls of ROWS rows; NULL where that fails. */
static nnp_workspace *start(void)
{
    static const int32_t dims[] = {ROWS, 2}, *inputs[] = {dims};
    const void *file = example.bytes;
    size_t bytes, states, size = sizeof example.bytes;
    nnp_model *model;

    void *parsed = take(EXAMPLE_MODEL_BYTES);
    if (nnp_open(&model, file, size, 0, parsed, EXAMPLE_MODEL_BYTES, NULL) != NNP_OK) return NULL;
    void *prepared = take(EXAMPLE_PREPARED_BYTES);
    if (nnp_prepare(model, 0, prepared, EXAMPLE_PREPARED_BYTES, NULL) != NNP_OK) return NULL;

    if (nnp_workspace_size(model) > EXAMPLE_WORKSPACE_BYTES) return NULL;
    nnp_workspace *workspace = nnp_workspace_new(model, take(EXAMPLE_WORKSPACE_BYTES));
    if (nnp_plan(workspace, inputs, &bytes, &states, NULL) != NNP_OK || bytes > EXAMPLE_VALUES_BYTES) return NULL;
    void *values = take(EXAMPLE_VALUES_BYTES);
    return nnp_bind(workspace, values, EXAMPLE_VALUES_BYTES, NULL, 0, NULL) == NNP_OK ? workspace : NULL;
}

int main(void)
{
    static const float x[ROWS][2] = {{1, 3}, {2, 1}};
    const void *inputs[] = {x};
    const int32_t *dims;

    nnp_workspace *workspace = start();
    if (workspace == NULL || nnp_run(workspace, inputs, NULL) != NNP_OK) return 1;
    const float *y = nnp_result(workspace, 0, &dims);
    for (int row = 0; row < ROWS; row++) printf("%g\n", (double)y[row]);
    return 0;
}
