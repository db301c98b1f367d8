/* Whatever model the bytes are, calls of small shapes are computed or refused, and touch no memory but their own. */
#include "fuzz.h"

#define INPUTS 8
#define RANK 8
#define VALUES ((size_t)1 << 18) /* bytes of all values of a call: what bounds the time that it takes */
#define CALLS 3

/* An input's dimensions and elements. */
typedef struct {
    int32_t dims[RANK];
    void *elements;
} array;

/* Small numbers for symbols, the same for the same symbol but now and then. */
static void choose_dims(array *a, nnp_value input, uint64_t *state, uint64_t key)
{
    for (unsigned axis = 0; axis < input.rank; axis++) {
        int32_t dim = input.dims[axis];
        uint64_t symbol = key + (uint64_t)(int64_t)dim * 0x9E3779B97F4A7C15U;
        if (dim < 0) dim = (int32_t)(draw(&symbol) % 5);
        a->dims[axis] = draw(state) % 64 == 0 ? (int32_t)(draw(state) % 5) : dim;
    }
}

/* Elements of all kinds: small integers, numbers between, random bits. */
static void fill(uint8_t *to, size_t count, nnp_dtype dtype, uint64_t *state)
{
    size_t size = nnp_dtype_size(dtype);
    uint32_t kind = draw(state) % 4;
    for (size_t i = 0; i < count; i++, to += size) {
        int32_t small = (int32_t)(draw(state) % 9) - 2;
        float f = kind == 1 ? (float)small / 4 : (float)small;
        double d = (double)f;
        uint64_t bits = kind == 0 ? (uint64_t)draw(state) << 33 ^ draw(state) : (uint64_t)(int64_t)small;
        if (dtype == NNP_BOOL) *to = (uint8_t)(bits & 1);
        else if (dtype == NNP_STRING) memcpy(to, &(nnp_text){"12-3ab", draw(state) % 7}, size);
        else if (dtype == NNP_FLOAT32 && kind != 0) memcpy(to, &f, size);
        else if (dtype == NNP_FLOAT64 && kind != 0) memcpy(to, &d, size);
        else if (size == 8) memcpy(to, &bits, size);
        else if (size == 4) memcpy(to, &(uint32_t){(uint32_t)bits}, size);
        else *to = (uint8_t)bits;
    }
}

/* The number of elements, or more than the bound. */
static size_t count_of(const int32_t *dims, unsigned rank)
{
    size_t count = 1;
    for (unsigned axis = 0; axis < rank; axis++) {
        count *= (size_t)dims[axis];
        if (count > VALUES) return VALUES + 1;
    }
    return count;
}

/* Reads all of the outputs. */
static size_t read_outputs(const nnp_model *model, const nnp_workspace *workspace)
{
    size_t sum = 0;
    for (size_t i = 0; i < nnp_output_count(model); i++) {
        const int32_t *dims;
        const uint8_t *bytes = nnp_result(workspace, i, &dims);
        nnp_value output = nnp_output(model, i);
        size_t count = count_of(dims, output.rank) * nnp_dtype_size(output.dtype);
        require(count <= VALUES * 8);
        for (size_t k = 0; k < count; k++) sum += bytes[k];
    }
    return sum;
}

/* Plans, binds, runs, with memory of exactly the size that was planned; keeps the memory of states. */
static void call(const nnp_model *model, nnp_workspace *workspace, void **states, size_t *state_size, uint64_t *state,
                 uint64_t key)
{
    array arrays[INPUTS];
    const int32_t *dims[INPUTS];
    const void *inputs[INPUTS];
    void *values = NULL;
    size_t count = nnp_input_count(model), bytes, state_bytes;
    nnp_error error;

    memset(arrays, 0, sizeof arrays);
    for (size_t i = 0; i < count; i++) {
        choose_dims(&arrays[i], nnp_input(model, i), state, key);
        dims[i] = arrays[i].dims;
    }
    if (nnp_plan(workspace, dims, &bytes, &state_bytes, &error) != NNP_OK || bytes > VALUES) return;
    for (size_t i = 0; i < count; i++) {
        nnp_value input = nnp_input(model, i);
        size_t elements = count_of(dims[i], input.rank);
        arrays[i].elements = elements > VALUES ? NULL : take(elements * nnp_dtype_size(input.dtype));
        if (arrays[i].elements == NULL) goto done;
        fill(arrays[i].elements, elements, input.dtype, state);
        inputs[i] = arrays[i].elements;
    }
    if (state_bytes > VALUES || (*states != NULL && state_bytes > *state_size)) goto done;
    if (*states == NULL && state_bytes > 0) {
        *states = take(state_bytes);
        *state_size = state_bytes;
    }
    values = take(bytes);
    if (values == NULL || nnp_bind(workspace, values, bytes, *states, state_bytes, &error) != NNP_OK) goto done;
    for (int i = 0; i < CALLS; i++)
        if (nnp_run(workspace, inputs, &error) == NNP_OK) sink = read_outputs(model, workspace);
        else require(error.status == NNP_INDEX_RANGE || error.status == NNP_SHAPE);
done:
    free(values);
    for (size_t i = 0; i < count; i++) free(arrays[i].elements);
}

static void selftest(const nnp_model *model)
{
    size_t bytes;
    void *working = take(nnp_workspace_size(model)), *memory = NULL;
    if (working != NULL) {
        nnp_workspace *workspace = nnp_workspace_new(model, working);
        nnp_status status = nnp_selftest_size(workspace, &bytes, NULL);
        if (status == NNP_OK && bytes <= VALUES) memory = take(bytes);
        if (memory != NULL) nnp_selftest(workspace, memory, bytes, NULL);
    }
    free(memory);
    free(working);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t state = seed_of(data, size);
    opened o = open_file(data, size, &state);
    void *working = NULL, *states = NULL;
    size_t state_size = 0;
    if (o.model != NULL && nnp_input_count(o.model) <= INPUTS) working = take(nnp_workspace_size(o.model));
    if (working != NULL) {
        nnp_workspace *workspace = nnp_workspace_new(o.model, working);
        for (int i = 0; i < CALLS; i++) {
            call(o.model, workspace, &states, &state_size, &state, seed_of(data, size) + (uint64_t)(i / 2));
            if (i != 1) continue;
            nnp_reset(workspace);
            free(states); /* another number of rows may come, with memory of another size */
            states = NULL;
        }
        selftest(o.model);
    }
    free(states);
    free(working);
    close_file(&o);
    return 0;
}
