/* Writes sizes.h: how much memory the model takes, for inputs of the shapes of model.h. */
#include "model.h"
#include "nnp.h"

#include <stdio.h>
#include <stdlib.h>

static int refused(const nnp_error *error)
{
    fprintf(stderr, "sizes: %s\n", error->message);
    return 1;
}

static void *taken(size_t bytes)
{
    unsigned char *memory = malloc(bytes + NNP_ALIGNMENT);
    if (memory == NULL) exit(1);
    return memory + (NNP_ALIGNMENT - (size_t)memory % NNP_ALIGNMENT) % NNP_ALIGNMENT;
}

int main(void)
{
    size_t model_bytes, prepared_bytes, workspace_bytes, bytes, states, inputs = 0;
    nnp_model *model;
    nnp_error error;
    if (nnp_model_size(model_data, MODEL_SIZE, &model_bytes, &error) != NNP_OK) return refused(&error);
    if (nnp_open(&model, model_data, MODEL_SIZE, 0, taken(model_bytes), model_bytes, &error) != NNP_OK) return refused(&error);
    if (nnp_prepare_size(model, 0, &prepared_bytes) != NNP_OK) return 1;
    if (nnp_prepare(model, 0, taken(prepared_bytes), prepared_bytes, &error) != NNP_OK) return refused(&error);
    workspace_bytes = nnp_workspace_size(model);
    nnp_workspace *workspace = nnp_workspace_new(model, taken(workspace_bytes));
    if (nnp_plan(workspace, model_shapes, &bytes, &states, &error) != NNP_OK) return refused(&error);
    for (size_t i = 0; i < MODEL_INPUTS; i++) {
        const nnp_value value = nnp_input(model, i);
        size_t elements = nnp_dtype_size(value.dtype);
        for (unsigned axis = 0; axis < value.rank; axis++) elements *= (size_t)model_shapes[i][axis];
        inputs += (elements + NNP_ALIGNMENT - 1) / NNP_ALIGNMENT * NNP_ALIGNMENT;
    }
#define SYMBOL(name)                                                                                                   \
    printf("#if %s != %ld\n#error \"sizes.h was made for another %s: make clean\"\n#endif\n", #name, (long)name, #name);
    MODEL_SYMBOLS(SYMBOL)
    puts("/* Bytes of memory: made by sizes.c, for pointers as long as those of the machine that ran it, or shorter. */");
    printf("#define MODEL_BYTES %zu\n#define PREPARED_BYTES %zu\n", model_bytes, prepared_bytes);
    printf("#define WORKSPACE_BYTES %zu\n#define MEMORY_BYTES %zu\n", workspace_bytes, bytes);
    printf("#define STATE_BYTES %zu\n#define INPUT_BYTES %zu\n", states, inputs);
    return 0;
}
