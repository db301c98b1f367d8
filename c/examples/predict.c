/*
 * predict MODEL NUMBER…: predicts with a model of one float32 input, whose rows the numbers are. A line for each.
 *
 *     predict example.nnpack 1 3 2 1
 */
#include "nnp_file.h"

#include <stdio.h>
#include <stdlib.h>

/* How many numbers a row has: the product of all dimensions but the first; 0 where only a call tells. */
static size_t row_size(const nnp_value *value, const int32_t *dims)
{
    size_t size = 1;
    for (unsigned axis = 1; axis < value->rank; axis++) {
        if (dims[axis] < 0) return 0;
        size *= (size_t)dims[axis];
    }
    return size;
}

static void print_rows(const float *y, size_t rows, size_t size)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < size; i++) printf("%g%c", (double)*y++, i + 1 == size ? '\n' : ' ');
}

/* The numbers as rows of the input, and its dimensions; false where that is not possible. */
static int take_rows(const nnp_value *input, int count, char **numbers, float *x, int32_t *dims)
{
    size_t size = row_size(input, input->dims);
    if (input->dtype != NNP_FLOAT32 || size == 0 || (size_t)count % size != 0) return 0;
    for (int i = 0; i < count; i++) x[i] = strtof(numbers[i], NULL);
    for (unsigned axis = 0; axis < input->rank; axis++) dims[axis] = input->dims[axis];
    dims[0] = (int32_t)((size_t)count / size);
    return 1;
}

static nnp_status predict(nnp_loaded *model, int count, char **numbers, float *x, nnp_error *error)
{
    int32_t dims[8];
    nnp_value input = nnp_input(model->model, 0), output = nnp_output(model->model, 0);
    if (nnp_input_count(model->model) != 1 || !take_rows(&input, count, numbers, x, dims)) return NNP_SHAPE;

    const void *inputs[] = {x};
    const int32_t *input_dims[] = {dims}, *y_dims;
    nnp_status status = nnp_predict(model, inputs, input_dims, error);
    if (status != NNP_OK) return status;

    const float *y = nnp_result(model->workspace, 0, &y_dims);
    if (output.dtype == NNP_FLOAT32) print_rows(y, (size_t)y_dims[0], row_size(&output, y_dims));
    return NNP_OK;
}

int main(int argc, char **argv)
{
    nnp_loaded model;
    nnp_error error = {.status = NNP_OK};
    if (argc < 2) {
        fprintf(stderr, "predict MODEL NUMBER…\n");
        return 2;
    }
    nnp_status status = nnp_load(argv[1], 0, &model, &error);
    if (status == NNP_OK) {
        float *x = malloc((size_t)argc * sizeof *x);
        status = x == NULL ? NNP_OUT_OF_MEMORY : predict(&model, argc - 2, argv + 2, x, &error);
        free(x);
        nnp_unload(&model);
    }
    if (status != NNP_OK) fprintf(stderr, "%s\n", error.message[0] != 0 ? error.message : nnp_status_code(status));
    return status != NNP_OK;
}
