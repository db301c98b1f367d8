/*
 * streaming MODEL: a model with states answers number by number, as they come from standard input: each answer depends
 * on all numbers before. A line "reset" begins anew. smooth.nnpack smooths: y = 0.75·(y before) + 0.25·x.
 */
#include "nnp_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nnp_status answer(nnp_loaded *model, float x, nnp_error *error)
{
    static const int32_t dims[] = {1, 1}, *input_dims[] = {dims};
    const int32_t *y_dims;
    const void *inputs[] = {&x};
    nnp_status status = nnp_predict(model, inputs, input_dims, error);
    if (status == NNP_OK) printf("%g\n", (double)*(const float *)nnp_result(model->workspace, 0, &y_dims));
    return status;
}

/* Whether a value is float32 of the shape (batch, 1). */
static int is_column(nnp_value value)
{
    return value.dtype == NNP_FLOAT32 && value.rank == 2 && value.dims[1] == 1;
}

static int fits(const nnp_model *model)
{
    return nnp_input_count(model) == 1 && is_column(nnp_input(model, 0)) && nnp_output_count(model) == 1 &&
           is_column(nnp_output(model, 0));
}

int main(int argc, char **argv)
{
    nnp_loaded model;
    nnp_error error = {.status = NNP_OK};
    char line[64];
    if (argc != 2) {
        fprintf(stderr, "streaming MODEL\n");
        return 2;
    }
    nnp_status status = nnp_load(argv[1], 0, &model, &error);
    if (status == NNP_OK) {
        if (!fits(model.model)) status = NNP_SHAPE;
        while (status == NNP_OK && fgets(line, sizeof line, stdin) != NULL) {
            if (strcmp(line, "reset\n") == 0) nnp_reset(model.workspace);
            else status = answer(&model, strtof(line, NULL), &error);
        }
        nnp_unload(&model);
    }
    if (status != NNP_OK) fprintf(stderr, "%s\n", error.message[0] != 0 ? error.message : nnp_status_code(status));
    return status != NNP_OK;
}
