/* The graph: names that become numbers, and the rules that hold between layers. spec/format.md, 6 and 7. */
#include "model.h"

#define FAIL(status, list, i, expected, item)                                                                          \
    return nnp_fault(error, status, NNP_AT(NULL, list, i), expected, model->file, item)

static uint32_t find_value(const nnp_model *model, uint32_t name)
{
    return nnp_find_name(model->file, &model->value_names, name);
}

static uint32_t find_tensor(const nnp_model *model, uint32_t name)
{
    return nnp_find_name(model->file, &model->tensor_names, name);
}

/* References ------------------------------------------------------------------------------------------------------- */

#if NNP_STATES
static bool same_type(const nnp_type *a, const nnp_type *b)
{
    if (a->dtype != b->dtype || a->rank != b->rank) return false;
    for (unsigned axis = 0; axis < a->rank; axis++)
        if (a->dims[axis] != b->dims[axis]) return false;
    return true;
}
#endif

static nnp_status resolve_layers(nnp_model *model, nnp_error *error)
{
    for (uint32_t i = 0; i < model->layer_count; i++) {
        const nnp_layer *layer = &model->layers[i];
        uint32_t *inputs = model->references + (layer->inputs - model->references);
        for (uint32_t k = 0; k < layer->input_count; k++) {
            uint32_t value = find_value(model, inputs[k]);
            if (value == NNP_NOTHING) FAIL(NNP_UNDEFINED_VALUE, "/layers/", i, "inputs that something makes", inputs[k]);
            if (value >= layer->outputs)
                FAIL(NNP_FORWARD_REFERENCE, "/layers/", i, "inputs that are made before this layer", inputs[k]);
            inputs[k] = value;
        }
    }
    return NNP_OK;
}

static nnp_status resolve_outputs(nnp_model *model, nnp_error *error)
{
    for (uint32_t i = 0; i < model->output_count; i++) {
        uint32_t name = model->outputs[i], value = find_value(model, name);
        if (value == NNP_NOTHING) FAIL(NNP_UNDEFINED_OUTPUT, "/outputs/", i, "a value of the graph", name);
        const nnp_type *type = &model->types[value];
        if (type->rank == 0 || type->dims[0] != NNP_BATCH) FAIL(NNP_BATCH_AXIS, "/outputs/", i, "batch as first dimension", name);
        if (type->dtype == NNP_STRING) FAIL(NNP_DTYPE_MISMATCH, "/outputs/", i, "numbers or booleans", name);
        model->outputs[i] = value;
    }
    return NNP_OK;
}

#if NNP_STATES
static nnp_status resolve_states(nnp_model *model, nnp_error *error)
{
    for (uint32_t i = 0; i < model->state_count; i++) {
        nnp_state *state = &model->states[i];
        uint32_t output = find_value(model, state->output), initial = find_tensor(model, state->initial);
        const nnp_type *type = &model->types[state->value];
        if (output == NNP_NOTHING || output < model->input_count + model->state_count)
            FAIL(NNP_UNDEFINED_OUTPUT, "/states/", i, "a value that a layer makes", state->output);
        if (!same_type(type, &model->types[output])) FAIL(NNP_STATE_MISMATCH, "/states/", i, "an output like the state", state->output);
        if (initial == NNP_NOTHING) FAIL(NNP_TENSOR_MISSING, "/states/", i, "the name of a tensor", state->initial);
        nnp_tensor *tensor = &model->tensors[initial];
        const nnp_type row = {type->dims + 1, (uint8_t)(type->rank - 1), type->dtype};
        if (!same_type(&row, &tensor->type) || tensor->stored != type->dtype || tensor->quantized)
            FAIL(NNP_STATE_MISMATCH, "/states/", i, "a tensor like a row of the state", state->initial);
        tensor->referenced = true;
        state->output = output;
        state->initial = initial;
    }
    return NNP_OK;
}
#endif

static nnp_status check_dead(const nnp_model *model, nnp_error *error)
{
    uint32_t *needed = model->scratch;
    memset(needed, 0, model->value_count * sizeof *needed);
    for (uint32_t i = 0; i < model->output_count; i++) needed[model->outputs[i]] = 1;
    for (uint32_t i = 0; i < nnp_states_of(model); i++) needed[model->states[i].output] = 1;
    for (uint32_t i = model->layer_count; i-- > 0;) {
        const nnp_layer *layer = &model->layers[i];
        bool alive = false;
        for (uint32_t k = 0; k < layer->output_count; k++) alive = alive || needed[layer->outputs + k];
        if (!alive) FAIL(NNP_DEAD_LAYER, "/layers/", i, "a layer that some output depends on", model->layer_names.at[i]);
        for (uint32_t k = 0; k < layer->input_count; k++) needed[layer->inputs[k]] = 1;
    }
    return NNP_OK;
}

/* Symbols ---------------------------------------------------------------------------------------------------------- */

/* A dimension that is a name, as nnp_read_header leaves it. */
static uint32_t symbol_name(int32_t dim)
{
    return (uint32_t)-(int64_t)dim;
}

static bool symbol_before(const void *context, uint32_t a, uint32_t b)
{
    const nnp_model *model = context;
    return nnp_compare(model->file, symbol_name(model->dims[a]), symbol_name(model->dims[b])) < 0;
}

/* Numbers the symbols; NNP_BATCH, the first, has its number already. */
static void number_symbols(nnp_model *model)
{
    uint32_t count = 0, *named = model->scratch;
    for (uint32_t i = 0; i < model->dim_count; i++)
        if (model->dims[i] < NNP_BATCH) named[count++] = i;
    nnp_sort(named, count, symbol_before, model);
    int32_t symbol = NNP_BATCH;
    uint32_t before = 0; /* the name of the last symbol that got a number */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = symbol_name(model->dims[named[i]]);
        if (before == 0 || nnp_compare(model->file, before, name) != 0) symbol--;
        before = name;
        model->dims[named[i]] = symbol;
    }
    model->symbol_count = (uint32_t)-symbol;
}

/* requires --------------------------------------------------------------------------------------------------------- */

/* Whether the model uses what has this number among what there may be in `requires`. */
static bool is_used(const nnp_model *model, uint32_t requirement)
{
    uint32_t operators = (uint32_t)nnp_operator_count, dtype = requirement - operators;
    if (requirement < operators) {
        for (uint32_t i = 0; i < model->layer_count; i++)
            if (model->layers[i].op == nnp_operators[requirement]) return true;
        return false;
    }
    if (requirement == NNP_NONFINITE) return model->nonfinite; /* nnp_check_payload sees to it */
    if (requirement == NNP_NONFINITE + 2) return nnp_states_of(model) > 0;
    for (uint32_t i = 0; i < model->value_count; i++)
        if (model->types[i].dtype == dtype) return true;
    for (uint32_t i = 0; i < model->tensor_count; i++)
        if (requirement == NNP_NONFINITE + 1 ? model->tensors[i].quantized : model->tensors[i].stored == dtype) return true;
    return false;
}

/* `requires` is sorted, and lists what is used, and nothing else. */
static nnp_status check_requires(const nnp_model *model, nnp_error *error)
{
    nnp_item list = nnp_item_at(model->file, model->requires);
    uint32_t used = 0, before = 0;
    for (uint32_t i = 0, at = list.at; i < list.count; i++, before = at, at = nnp_behind(model->file, at)) {
        if (i > 0 && nnp_compare(model->file, before, at) >= 0)
            FAIL(NNP_REQUIRES_ORDER, "/requires/", i, "a sorted list, each item once", at);
        if (!is_used(model, nnp_requirement(model, at)))
            FAIL(NNP_REQUIRES_UNUSED, "/requires/", i, "only what the model uses", at);
    }
    for (uint32_t i = 0; i < NNP_REQUIREMENTS; i++) used += is_used(model, i);
    if (used != list.count)
        FAIL(NNP_REQUIRES_INCOMPLETE, "/requires", 0, "everything that the model uses", model->requires);
    return NNP_OK;
}

/* Types ------------------------------------------------------------------------------------------------------------ */

bool nnp_bind_symbol(int32_t declared, int32_t number, int32_t *symbols)
{
    if (!nnp_is_symbol(declared)) return declared == number;
    int32_t *bound = &symbols[NNP_BATCH - declared];
    if (*bound == NNP_UNBOUND) *bound = number;
    return *bound == number;
}

#define ROW_ELEMENTS (UINT32_C(1) << 30)

/* Takes the elements of one row, a symbol counted as 1, from those that a layer may have; false where they are more. */
static bool take_row(const nnp_type *type, uint32_t *left)
{
    uint32_t elements = 1;
    for (unsigned axis = 0; axis < type->rank; axis++) {
        uint32_t dim = nnp_is_symbol(type->dims[axis]) ? 1 : (uint32_t)type->dims[axis];
        if (dim > *left / elements) return false;
        elements *= dim;
    }
    if (elements > *left) return false;
    *left -= elements;
    return true;
}

nnp_status nnp_infer(nnp_call *call, const nnp_model *model, int32_t *symbols)
{
    const nnp_layer *layer = call->layer;
    call->made_count = 1;
    call->at[0] = 0;
    NNP_TRY(layer->op->infer(call));
    if (layer->output_count != call->made_count) return nnp_refuse(call, NNP_OUTPUT_COUNT, "/outputs", 0);
    for (unsigned i = 0; i < call->made_count; i++) {
        const nnp_type *declared = &model->types[layer->outputs + i];
        const int32_t *made = call->made[i].dims;
        if (declared->dtype != call->made[i].dtype) return nnp_refuse(call, NNP_DTYPE_MISMATCH, "/outputs/%u", i);
        if (declared->rank != call->made[i].rank) return nnp_refuse(call, NNP_SHAPE_DECLARED, "/outputs/%u", i);
        for (unsigned axis = 0; axis < declared->rank; axis++) {
            int32_t dim = declared->dims[axis], n = made[axis];
            if (n == NNP_NONE || (n == 0 && !call->calling))
                return nnp_refuse(call, NNP_DIMENSION_RANGE, "/outputs/%u", i);
            if (!(call->calling ? nnp_bind_symbol(dim, n, symbols) : n == NNP_NEW ? dim != NNP_BATCH : dim == n))
                return nnp_refuse(call, NNP_SHAPE_DECLARED, "/outputs/%u", i);
        }
    }
    return NNP_OK;
}

static nnp_status check_layer(const nnp_model *model, nnp_call *call)
{
    const nnp_layer *layer = call->layer;
    uint32_t left = ROW_ELEMENTS;
    for (uint32_t k = 0; k < layer->input_count; k++) {
        if (nnp_in(call, k)->dtype == NNP_STRING && !(layer->op->flags & NNP_STRINGS))
            return nnp_refuse(call, NNP_DTYPE_MISMATCH, "/inputs/%u", k);
        if (!take_row(nnp_in(call, k), &left)) return nnp_refuse(call, NNP_ACTIVATION_LIMIT, "/inputs", 0);
    }
    NNP_TRY(nnp_infer(call, model, NULL));
    for (uint32_t k = 0; k < layer->output_count; k++)
        if (!take_row(nnp_out(call, k), &left)) return nnp_refuse(call, NNP_ACTIVATION_LIMIT, "/outputs", 0);
    return NNP_OK;
}

static nnp_status check_layers(const nnp_model *model, nnp_error *error)
{
    for (uint32_t i = 0; i < model->layer_count; i++) {
        nnp_call call = {.layer = &model->layers[i], .types = model->types};
        nnp_status status = check_layer(model, &call);
        if (status != NNP_OK) return nnp_fault_of_layer(error, status, model, call.layer, call.at);
    }
    return NNP_OK;
}

/* Whether a tensor of the self-test is like the value that it stands for. */
static bool stands_for(const nnp_tensor *tensor, const nnp_type *type, int32_t *symbols)
{
    if (tensor->stored != type->dtype || tensor->quantized || tensor->type.rank != type->rank) return false;
    for (unsigned axis = 0; axis < type->rank; axis++)
        if (!nnp_bind_symbol(type->dims[axis], tensor->type.dims[axis], symbols)) return false;
    return true;
}

static nnp_status check_selftest(const nnp_model *model, nnp_error *error)
{
    if (model->selftest_at == 0) return NNP_OK;
    int32_t *symbols = (int32_t *)(void *)model->scratch;
    uint32_t *tensors = model->references + model->selftest_at - 1;
    for (uint32_t i = 0; i < model->symbol_count; i++) symbols[i] = NNP_UNBOUND;
    for (uint32_t i = 0; i < model->input_count + 2 * model->output_count; i++) {
        uint32_t name = tensors[i], tensor = find_tensor(model, name);
        uint32_t value = i < model->input_count ? i : model->outputs[(i - model->input_count) % model->output_count];
        if (tensor == NNP_NOTHING) FAIL(NNP_TENSOR_MISSING, "/selftest", 0, "names of tensors", name);
        if (!stands_for(&model->tensors[tensor], &model->types[value], symbols))
            FAIL(NNP_SELFTEST_TENSOR, "/selftest", 0, "tensors like the values that they stand for", name);
        model->tensors[tensor].referenced = true;
        tensors[i] = tensor;
    }
    return NNP_OK;
}

nnp_status nnp_check_graph(nnp_model *model, nnp_error *error)
{
    uint32_t twice = nnp_order_names(model->file, &model->value_names);
    if (twice != NNP_NOTHING) FAIL(NNP_DUPLICATE_VALUE, "", 0, "a name of its own for each value", model->value_names.at[twice]);
    twice = nnp_order_names(model->file, &model->layer_names);
    if (twice != NNP_NOTHING) FAIL(NNP_DUPLICATE_LAYER, "/layers/", twice, "a name of its own", model->layer_names.at[twice]);
    NNP_TRY(resolve_layers(model, error));
    number_symbols(model);
    NNP_TRY(resolve_outputs(model, error));
#if NNP_STATES
    NNP_TRY(resolve_states(model, error));
#endif
    NNP_TRY(check_dead(model, error));
    NNP_TRY(check_selftest(model, error));
    for (uint32_t i = 0; i < model->tensor_count; i++)
        if (!model->tensors[i].referenced)
            FAIL(NNP_TENSOR_UNREFERENCED, "/tensors/", i, "a tensor that something uses", model->tensor_names.at[i]);
    NNP_TRY(check_requires(model, error));
    return check_layers(model, error);
}
