/* A file: container, memory for what its header says, and the order of all checks. spec/format.md, "Container". */
#include "model.h"

static const uint8_t magic[8] = {0x95, 0xA6, 'n', 'n', 'p', 'a', 'c', 'k'};

#define FAIL(status, byte) return nnp_fault_at_byte(error, status, (uint32_t)(byte))

static nnp_status check_magic(const uint8_t *file, size_t size, nnp_error *error)
{
    size_t compared = size < sizeof magic ? size : sizeof magic;
    if (size == 0) FAIL(NNP_EMPTY_FILE, 0);
    if (memcmp(file, magic, compared) == 0) {
        if (compared == sizeof magic) return NNP_OK;
        FAIL(NNP_TRUNCATED_HEADER, size);
    }
    bool other_head = file[0] >> 4 == 9 && size >= sizeof magic && memcmp(file + 1, magic + 1, 7) == 0;
    FAIL(other_head ? NNP_CONTAINER_LENGTH : NNP_WRONG_MAGIC, 0);
}

static bool is_unsigned(const uint8_t *file, uint32_t at)
{
    return nnp_item_at(file, at).kind == NNP_ITEM_INTEGER && nnp_item_integer(file, at) >= 0;
}

static nnp_status check_version(const uint8_t *file, size_t size, uint32_t *header, nnp_error *error)
{
    nnp_status status = nnp_scan(file, size, sizeof magic, header);
    if (status != NNP_OK) FAIL(status, *header);
    nnp_item list = nnp_item_at(file, sizeof magic);
    uint32_t major = list.at;
    if (list.kind != NNP_ITEM_LIST || list.count != 2 || !is_unsigned(file, major) ||
        !is_unsigned(file, nnp_behind(file, major)))
        FAIL(NNP_VERSION_TYPE, sizeof magic);
    if (nnp_item_integer(file, major) != 1)
        return nnp_fault(error, NNP_VERSION_MAJOR, NNP_AT(NULL, "byte 8", 0), "major version 1", file, major);
    return NNP_OK;
}

static nnp_status check_payload_head(nnp_model *model, size_t size, uint32_t at, nnp_error *error)
{
    const uint8_t *file = model->file;
    if (size < at + 2U) FAIL(NNP_TRUNCATED_HEADER, size);
    if (file[at] != 0xC4 || file[at + 1] >= 64) FAIL(NNP_PAD_LENGTH, at); /* only two bytes are known to be there */
    uint32_t head = at + 2 + file[at + 1];
    if (size < head + 5U) FAIL(NNP_TRUNCATED_HEADER, size);
    for (at += 2; at < head; at++)
        if (file[at] != 0) FAIL(NNP_PAD_NOT_ZERO, at);
    if (file[head] != 0xC6) FAIL(NNP_PAYLOAD_HEAD, head);
    nnp_item payload = nnp_item_at(file, head);
    model->payload = payload.at;
    model->payload_size = payload.count;
    if (payload.at % 64 != 0) FAIL(NNP_PAYLOAD_MISALIGNED, payload.at);
    if (size - payload.at < payload.count) FAIL(NNP_TRUNCATED_PAYLOAD, size);
    if (size - payload.at > payload.count) FAIL(NNP_TRAILING_BYTES, model->payload + payload.count);
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

/* Some memory, and how much of it is taken; NULL where there is none and only sizes are asked. */
typedef struct {
    uint8_t *memory;
    size_t taken;
} arena;

static void *take(arena *from, size_t bytes)
{
    const size_t alignment = sizeof(double) > sizeof(void *) ? sizeof(double) : sizeof(void *);
    uint8_t *part = from->memory == NULL ? NULL : from->memory + from->taken;
    from->taken += (bytes + alignment - 1) / alignment * alignment;
    return part;
}

static void take_names(arena *from, nnp_names *names, uint32_t count)
{
    names->at = take(from, count * sizeof *names->at);
    names->order = take(from, count * sizeof *names->order);
    names->count = count;
}

/* Lays out the model and its arrays, which are as long as the counts say; how many bytes that takes. */
static size_t lay_out(nnp_model *model, uint8_t *memory)
{
    arena from = {memory, 0};
    take(&from, sizeof *model);
#define ARRAY(name, count) model->name = take(&from, (count) * sizeof *model->name)
    ARRAY(tensors, model->tensor_count);
    ARRAY(types, model->value_count);
    ARRAY(layers, model->layer_count);
    ARRAY(attributes, model->attribute_count);
    ARRAY(weights, model->weight_count);
    ARRAY(states, nnp_states_of(model));
    ARRAY(dims, model->dim_count);
    ARRAY(items, model->item_count);
    ARRAY(references, model->reference_count);
    ARRAY(scratch, model->scratch_count);
#undef ARRAY
    take_names(&from, &model->tensor_names, model->tensor_count);
    take_names(&from, &model->value_names, model->value_count);
    take_names(&from, &model->layer_names, model->layer_count);
    return from.taken;
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
    if (memory == NULL || (uintptr_t)memory % NNP_ALIGNMENT != 0 || bytes < lay_out(&counted, NULL))
        return nnp_fault(error, NNP_OUT_OF_MEMORY, NULL, "as many bytes as nnp_model_size says, at a multiple of NNP_ALIGNMENT", NULL, 0);
    lay_out(&counted, memory);
    *made = counted;
    NNP_TRY(nnp_read_header(made, error));
    if (!(flags & NNP_TRUST)) NNP_TRY(nnp_check_payload(made, error));
    NNP_TRY(nnp_check_graph(made, error));
    *model = made;
    return NNP_OK;
}

/* What a model takes and gives ------------------------------------------------------------------------------------- */

static nnp_value value_at(const nnp_model *model, uint32_t value)
{
    const nnp_type *type = &model->types[value];
    return (nnp_value){nnp_item_text(model->file, model->value_names.at[value]), (nnp_dtype)type->dtype, type->rank, type->dims};
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
    return nnp_item_text(model->file, model->name);
}
