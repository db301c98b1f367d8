/* A file: container, memory for what its header says, and the order of all checks. spec/format.md, "Container". */
#include "model.h"

static const uint8_t magic[8] = {0x95, 0xA6, 'n', 'n', 'p', 'a', 'c', 'k'};

#define FAIL(status, byte) return nnp_fault_at_byte(error, status, (uint32_t)(byte))

static nnp_status check_magic(const uint8_t *file, size_t size, nnp_error *error)
{
    size_t same = 0;
    if (size == 0) FAIL(NNP_EMPTY_FILE, 0);
    while (same < sizeof magic && same < size && file[same] == magic[same]) same++;
    if (same == sizeof magic) return NNP_OK;
    if (same == size) FAIL(NNP_TRUNCATED_HEADER, size);
    bool other_head = same == 0 && file[0] >> 4 == 9 && size >= sizeof magic && memcmp(file + 1, magic + 1, 7) == 0;
    FAIL(other_head ? NNP_CONTAINER_LENGTH : NNP_WRONG_MAGIC, same);
}

static nnp_status check_version(const uint8_t *file, size_t size, uint32_t *header, nnp_error *error)
{
    nnp_status status = nnp_scan(file, size, sizeof magic, header);
    if (status != NNP_OK) FAIL(status, *header);
    nnp_item list = nnp_item_at(file, sizeof magic), number[2];
    if (list.kind != NNP_ITEM_LIST || list.count != 2) FAIL(NNP_VERSION_TYPE, sizeof magic);
    for (unsigned i = 0; i < 2; i++) {
        number[i] = nnp_item_at(file, i == 0 ? list.at : nnp_behind(file, list.at));
        if (number[i].kind != NNP_ITEM_INTEGER || number[i].integer < 0) FAIL(NNP_VERSION_TYPE, sizeof magic);
    }
    if (number[0].integer != 1) FAIL(NNP_VERSION_MAJOR, sizeof magic);
    return NNP_OK;
}

static nnp_status check_payload_head(nnp_model *model, size_t size, size_t at, nnp_error *error)
{
    const uint8_t *file = model->file;
    if (size < at + 2) FAIL(NNP_TRUNCATED_HEADER, size);
    if (file[at] != 0xC4 || file[at + 1] >= 64) FAIL(NNP_PAD_LENGTH, at);
    size_t head = at + 2 + file[at + 1];
    if (size < head + 5) FAIL(NNP_TRUNCATED_HEADER, size);
    for (at += 2; at < head; at++)
        if (file[at] != 0) FAIL(NNP_PAD_NOT_ZERO, at);
    if (file[head] != 0xC6) FAIL(NNP_PAYLOAD_HEAD, head);
    model->payload = head + 5;
    if (model->payload % 64 != 0) FAIL(NNP_PAYLOAD_MISALIGNED, model->payload);
    uint32_t length = (uint32_t)file[head + 1] << 24 | (uint32_t)file[head + 2] << 16 | (uint32_t)file[head + 3] << 8 |
                      file[head + 4];
    model->payload_size = length;
    if (size - model->payload < length) FAIL(NNP_TRUNCATED_PAYLOAD, size);
    if (size - model->payload > length) FAIL(NNP_TRAILING_BYTES, model->payload + length);
    return NNP_OK;
}

/* Goes through a file without memory: afterwards the model's counts are known. */
static nnp_status count(nnp_model *model, const void *file, size_t size, nnp_error *error)
{
    uint32_t end;
    memset(model, 0, sizeof *model);
    model->file = file;
    NNP_TRY(check_magic(file, size, error));
    NNP_TRY(check_version(file, size, &model->header, error));
    nnp_status status = nnp_scan(file, size, model->header, &end);
    if (status != NNP_OK) FAIL(status, end);
    NNP_TRY(check_payload_head(model, size, end, error));
    return nnp_read_header(model, error);
}

/* The next part of some memory: `bytes` bytes behind what is taken, NULL where there is no memory but only sizes. */
static void *take(uint8_t *memory, size_t *taken, size_t size, size_t elements)
{
    const size_t alignment = sizeof(double) > sizeof(void *) ? sizeof(double) : sizeof(void *);
    uint8_t *part = memory == NULL ? NULL : memory + *taken;
    *taken += (size * elements + alignment - 1) / alignment * alignment;
    return part;
}

/* Lays out the model and its arrays, which are as long as the counts say; how many bytes that takes. */
static size_t lay_out(nnp_model *model, uint8_t *memory)
{
    size_t taken = 0;
    take(memory, &taken, sizeof *model, 1);
#define ARRAY(name, elements) model->name = take(memory, &taken, sizeof *model->name, elements)
#define NAMES(name, elements)                                                                                          \
    ARRAY(name.at, elements);                                                                                          \
    ARRAY(name.order, elements);                                                                                       \
    model->name.count = elements
    ARRAY(tensors, model->tensor_count);
    ARRAY(types, model->value_count);
    ARRAY(layers, model->layer_count);
    ARRAY(attributes, model->attribute_count);
    ARRAY(weights, model->weight_count);
    ARRAY(states, model->state_count);
    ARRAY(dims, model->dim_count);
    ARRAY(items, model->item_count);
    ARRAY(references, model->reference_count);
    NAMES(tensor_names, model->tensor_count);
    NAMES(value_names, model->value_count);
    NAMES(layer_names, model->layer_count);
    ARRAY(scratch, model->scratch_count);
#undef NAMES
#undef ARRAY
    return taken;
}

nnp_status nnp_model_size(const void *file, size_t size, size_t *bytes, nnp_error *error)
{
    nnp_model model;
    NNP_TRY(count(&model, file, size, error));
    *bytes = lay_out(&model, NULL);
    return NNP_OK;
}

nnp_status nnp_open(nnp_model **model, const void *file, size_t size, unsigned flags, void *memory, size_t bytes,
                    nnp_error *error)
{
    nnp_model counted, *made = memory;
    NNP_TRY(count(&counted, file, size, error));
    if (memory == NULL || bytes < lay_out(&counted, NULL))
        return nnp_fault(error, NNP_OUT_OF_MEMORY, NULL, "as many bytes as nnp_model_size says", NULL, 0);
    lay_out(&counted, memory);
    *made = counted;
    NNP_TRY(nnp_read_header(made, error));
    if (!(flags & NNP_TRUST)) NNP_TRY(nnp_check_payload(made, error));
    NNP_TRY(nnp_check_graph(made, error));
    *model = made;
    return NNP_OK;
}

/* What a model takes and gives ------------------------------------------------------------------------------------- */

static nnp_text text_at(const nnp_model *model, uint32_t at)
{
    nnp_item text = nnp_item_at(model->file, at);
    return (nnp_text){(const char *)model->file + text.at, text.count};
}

static nnp_value value_at(const nnp_model *model, uint32_t value)
{
    const nnp_type *type = &model->types[value];
    return (nnp_value){text_at(model, model->value_names.at[value]), (nnp_dtype)type->dtype, type->rank, type->dims};
}

size_t nnp_input_count(const nnp_model *model)
{
    return model->input_count;
}

size_t nnp_output_count(const nnp_model *model)
{
    return model->output_count;
}

size_t nnp_state_count(const nnp_model *model)
{
    return model->state_count;
}

nnp_value nnp_input(const nnp_model *model, size_t i)
{
    return value_at(model, (uint32_t)i);
}

nnp_value nnp_output(const nnp_model *model, size_t i)
{
    return value_at(model, model->outputs[i]);
}

nnp_text nnp_model_name(const nnp_model *model)
{
    return text_at(model, model->name);
}
