/* A whole use of the runtime in static memory: what `make size` links, to see how much code that takes. */
#include "nnp.h"

#ifdef SIZE_TABLE
/* A program that has a table of its own has only these operators: that of the library is not linked. */
#include "operators.h"
const nnp_operator *const nnp_operators[] = {&nnp_dense, &nnp_relu, &nnp_sigmoid, &nnp_tanh, &nnp_softmax};
const size_t nnp_operator_count = sizeof nnp_operators / sizeof *nnp_operators;
#endif

/* volatile: the compiler must not know that nothing is there. */
static const void *volatile file;
static volatile size_t file_size;
static union {
    unsigned char bytes[4096];
    double alignment;
} memory[5];
static float x[1][4];
static const float *volatile y;

int main(void)
{
    static const int32_t dims[] = {1, 4}, *shapes[] = {dims};
    const void *inputs[] = {x};
    const int32_t *y_dims;
    nnp_model *model;
    size_t bytes, states;

    if (nnp_model_size(file, file_size, &bytes, NULL) != NNP_OK || bytes > sizeof memory[0]) return 1;
    if (nnp_open(&model, file, file_size, 0, memory[0].bytes, bytes, NULL) != NNP_OK) return 1;
    if (nnp_prepare_size(model, 0, &bytes) != NNP_OK || bytes > sizeof memory[1]) return 1;
    if (nnp_prepare(model, 0, memory[1].bytes, bytes, NULL) != NNP_OK) return 1;
    if (nnp_workspace_size(model) > sizeof memory[2]) return 1;
    nnp_workspace *workspace = nnp_workspace_new(model, memory[2].bytes);
    if (nnp_plan(workspace, shapes, &bytes, &states, NULL) != NNP_OK || bytes > sizeof memory[3]) return 1;
    if (nnp_bind(workspace, memory[3].bytes, bytes, NULL, 0, NULL) != NNP_OK) return 1;
    if (nnp_run(workspace, inputs, NULL) != NNP_OK) return 1;
    y = nnp_result(workspace, 0, &y_dims);
    return 0;
}
