/* Any bytes are either refused or become a model whose every part can be asked for. */
#include "fuzz.h"

static size_t length_of(nnp_value value)
{
    size_t sum = value.name.length + value.dtype;
    for (size_t i = 0; i < value.name.length; i++) sum += (unsigned char)value.name.bytes[i];
    for (unsigned axis = 0; axis < value.rank; axis++) sum += (size_t)(value.dims[axis] < 0);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t state = seed_of(data, size);
    opened o = open_file(data, size, &state);
    size_t read = 0;
    if (o.model != NULL) {
        for (size_t i = 0; i < nnp_input_count(o.model); i++) read += length_of(nnp_input(o.model, i));
        for (size_t i = 0; i < nnp_output_count(o.model); i++) read += length_of(nnp_output(o.model, i));
        nnp_text name = nnp_model_name(o.model);
        for (size_t i = 0; i < name.length; i++) read += (unsigned char)name.bytes[i];
    }
    sink = read;
    close_file(&o);
    return 0;
}
