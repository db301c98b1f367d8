/* Calls: where values lie, and the walk over the layers. spec/format.md, 8 and 9; "States"; "Self-test". */
#include "model.h"

/* A value's memory while a plan is made and kept. */
typedef struct {
    size_t offset, bytes;    /* in the memory of the workspace, where `root` is the value itself */
    uint32_t root;           /* the value whose memory it has; NNP_NOTHING where that is not the workspace's */
    uint32_t last;           /* the last layer that needs the memory, of a root */
    uint32_t before, behind; /* neighbours among the roots that live, by offset */
} slot;

#define ALWAYS UINT32_MAX

struct nnp_workspace {
    const nnp_model *model;
    nnp_type *types;   /* of values, in numbers */
    slot *slots;       /* of values */
    void **data;       /* of values */
    size_t *scratch;   /* where that of each layer lies */
#ifndef __OPTIMIZE_SIZE__
    uint32_t *finished; /* how many layers behind each are run with it, block by block; NNP_NOTHING for those */
#endif
    int32_t *dims;     /* of types */
    int32_t *symbols;  /* what each stands for */
    uint8_t *memory;
    size_t needed, needed_by_states; /* bytes of memory, as nnp_plan says */
    uint8_t *states;
    uint32_t first, top; /* the roots that live: the lowest, and the highest */
    int32_t rows;      /* of the states; NNP_UNBOUND after a reset */
    bool planned, bound, computed;
};

/* Takes memory for the arrays of a workspace; how many bytes that is. `workspace` is NULL where only that is asked. */
static size_t lay_out(nnp_workspace *workspace, const nnp_model *model)
{
    nnp_workspace unused;
    uint8_t *memory = (uint8_t *)workspace;
    size_t taken = nnp_rounded_up(sizeof *workspace), values = model->value_count;
    if (workspace == NULL) workspace = &unused;
#define ARRAY(name, elements)                                                                                          \
    workspace->name = memory == NULL ? NULL : (void *)(memory + taken);                                                \
    taken += nnp_rounded_up(sizeof *workspace->name * (elements))
    ARRAY(types, values);
    ARRAY(slots, values);
    ARRAY(data, values);
    ARRAY(scratch, model->layer_count);
#ifndef __OPTIMIZE_SIZE__
    ARRAY(finished, model->layer_count);
#endif
    ARRAY(dims, model->dim_count);
    ARRAY(symbols, model->symbol_count);
#undef ARRAY
    return taken;
}

size_t nnp_workspace_size(const nnp_model *model)
{
    return lay_out(NULL, model);
}

nnp_workspace *nnp_workspace_new(const nnp_model *model, void *memory)
{
    nnp_workspace *workspace = memory;
    memset(workspace, 0, sizeof *workspace);
    lay_out(workspace, model);
    workspace->model = model;
    workspace->rows = NNP_UNBOUND;
    memset(workspace->data, 0, model->value_count * sizeof *workspace->data);
    int32_t *dims = workspace->dims;
    for (uint32_t i = 0; i < model->value_count; i++) {
        workspace->types[i] = model->types[i];
        workspace->types[i].dims = dims;
        dims += model->types[i].rank;
    }
    return workspace;
}

/* NULL has no places. */
static void *memory_at(const nnp_workspace *workspace, size_t offset)
{
    return workspace->memory == NULL ? NULL : workspace->memory + offset;
}

/* Shapes ----------------------------------------------------------------------------------------------------------- */

/* A fault of a call, at an element of a list of the header. */
#define REFUSE(status, list, i, expected) return nnp_fault(error, status, NNP_AT(NULL, list, i), expected, NULL, 0)

/* More than this is not asked for: sums of two such sizes fit into a size_t. */
#define MOST_BYTES (SIZE_MAX / 4)

/* Gives a value its dimensions, and keeps how many bytes it takes. */
static nnp_status shape_value(nnp_workspace *workspace, uint32_t value, const int32_t *dims, nnp_error *error)
{
    const nnp_type *declared = &workspace->model->types[value];
    int32_t *made = workspace->dims + (workspace->types[value].dims - workspace->dims);
    size_t bytes = nnp_dtype_size((nnp_dtype)declared->dtype);
    for (unsigned axis = 0; axis < declared->rank; axis++) {
        if (dims[axis] < 0 || !nnp_bind_symbol(declared->dims[axis], dims[axis], workspace->symbols))
            REFUSE(NNP_SHAPE, "/inputs/", value, "an input of the shape that the model declares");
        made[axis] = dims[axis];
        if (dims[axis] > 0 && bytes > MOST_BYTES / (size_t)dims[axis])
            REFUSE(NNP_OUT_OF_MEMORY, "", 0, "values that fit into memory");
        bytes *= (size_t)dims[axis];
    }
    workspace->slots[value].bytes = bytes;
    return NNP_OK;
}

static nnp_status shape_layer(nnp_workspace *workspace, const nnp_layer *layer, nnp_error *error)
{
    nnp_call call = {.layer = layer, .types = workspace->types, .calling = true};
    if (nnp_infer(&call, workspace->model, workspace->symbols) != NNP_OK)
        return nnp_fault_of_layer(error, NNP_SHAPE, workspace->model, layer, call.at);
    for (uint32_t i = 0; i < layer->output_count; i++)
        NNP_TRY(shape_value(workspace, layer->outputs + i, call.made[i].dims, error));
    return NNP_OK;
}

/* Memory ----------------------------------------------------------------------------------------------------------- */

/* How many gaps are looked at before memory is taken from above all that lives: no model may take quadratic time. */
#define GAPS 1024

/* Puts a root into the lowest gap that it fits into; `total` grows where it has to. */
static void place(nnp_workspace *workspace, uint32_t value, size_t *total)
{
    slot *slots = workspace->slots, *new = &slots[value];
    size_t bytes = nnp_rounded_up(new->bytes), offset = 0;
    uint32_t before = NNP_NOTHING, behind = workspace->first;
    for (unsigned gaps = 0; behind != NNP_NOTHING && slots[behind].offset - offset < bytes; gaps++) {
        if (gaps == GAPS) {
            before = workspace->top;
            behind = NNP_NOTHING;
        } else {
            before = behind;
            behind = slots[behind].behind;
        }
        offset = slots[before].offset + nnp_rounded_up(slots[before].bytes);
    }
    *new = (slot){offset, new->bytes, value, new->last, before, behind};
    if (before == NNP_NOTHING) workspace->first = value;
    else slots[before].behind = value;
    if (behind == NNP_NOTHING) workspace->top = value;
    else slots[behind].before = value;
    if (offset + bytes > *total) *total = offset + bytes; /* MOST_BYTES at most, and half as many again */
}

static void release(nnp_workspace *workspace, uint32_t value)
{
    const slot *slots = workspace->slots;
    uint32_t before = slots[value].before, behind = slots[value].behind;
    if (before == NNP_NOTHING) workspace->first = behind;
    else workspace->slots[before].behind = behind;
    if (behind == NNP_NOTHING) workspace->top = before;
    else workspace->slots[behind].before = before;
}

/* Whether a layer may write its output into the memory of its first input: nobody needs that any more. */
static bool may_overwrite(const nnp_workspace *workspace, const nnp_layer *layer, uint32_t index)
{
    const slot *slots = workspace->slots;
    if (!(layer->op->flags & NNP_IN_PLACE)) return false;
    uint32_t root = slots[layer->inputs[0]].root;
    if (root == NNP_NOTHING || slots[root].last != index || slots[root].bytes != slots[layer->outputs].bytes) return false;
    for (uint32_t i = 1; i < layer->input_count; i++)
        if (slots[layer->inputs[i]].root == root) return false;
    return true;
}

/* The layers from this one on that are run together; 0 for one that the one before it has run. */
static uint32_t run_at_once(const nnp_workspace *workspace, uint32_t index)
{
#ifdef __OPTIMIZE_SIZE__
    (void)workspace, (void)index;
    return 1;
#else
    return workspace->finished[index] + 1; /* NNP_NOTHING + 1 is 0 */
#endif
}

#ifndef __OPTIMIZE_SIZE__

/* Whether a layer can be run on some rows of what the layer before it makes, which nobody else reads: it overwrites them. */
static bool is_by_rows(const nnp_workspace *workspace, uint32_t index)
{
    const nnp_layer *layer = &workspace->model->layers[index], *before = layer - 1;
    const nnp_type *x = &workspace->types[before->outputs];
    return layer->op->flags & NNP_APART && layer->inputs[0] == before->outputs &&
           workspace->slots[before->outputs].last == index &&
           (*layer->op->weights == '\0' || layer->attributes[0].integer == x->rank - 1);
}

/* Puts layers together that are run block by block. */
static void find_blocks(nnp_workspace *workspace)
{
    const nnp_model *model = workspace->model;
    for (uint32_t i = 0, next; i < model->layer_count; i = next) {
        workspace->finished[i] = 0;
        for (next = i + 1; model->layers[i].op->flags & NNP_BLOCKS && next < model->layer_count; next++) {
            if (!is_by_rows(workspace, next)) break;
            workspace->finished[i]++;
            workspace->finished[next] = NNP_NOTHING;
        }
    }
}

void nnp_finish(const nnp_call *call, size_t first, size_t rows)
{
    const nnp_workspace *workspace = call->workspace;
    const nnp_type *y = nnp_out(call, 0);
    const uint32_t index = (uint32_t)(call->layer - workspace->model->layers), value = 0;
    int32_t dims[NNP_RANK] = {(int32_t)rows, 1, 1, 1, 1, 1, 1, 1};
    size_t row = (size_t)y->dims[y->rank - 1];
    uint8_t *block = (uint8_t *)nnp_out_data(call, 0) + first * row * nnp_dtype_size((nnp_dtype)y->dtype);
    dims[y->rank - 1] = y->dims[y->rank - 1];
    const nnp_type types[] = {{dims, y->rank, y->dtype}, {dims, y->rank, y->dtype}};
    void *const data[] = {block, block};
    for (uint32_t i = index + 1; i <= index + workspace->finished[index]; i++) {
        nnp_layer layer = workspace->model->layers[i];
        layer.inputs = &value;
        layer.outputs = 1;
        const nnp_call part = {.layer = &layer, .types = types, .data = data,
                               .scratch = memory_at(workspace, workspace->scratch[i]), .calling = true};
        layer.op->run(&part);
    }
}

#endif

/* Finds a place for what a layer makes and for its scratch, and gives back what nobody reads any more. */
static nnp_status place_layer(nnp_workspace *workspace, uint32_t index, size_t *total, nnp_error *error)
{
    const nnp_layer *layer = &workspace->model->layers[index];
    slot *slots = workspace->slots;
    for (uint32_t value = layer->outputs; value < layer->outputs + layer->output_count; value++) {
        bool view = layer->op->flags & NNP_VIEW;
        uint32_t root = NNP_NOTHING;
        if (view || (value == layer->outputs && may_overwrite(workspace, layer, index)))
            root = layer->input_count > 0 ? slots[layer->inputs[0]].root : NNP_NOTHING;
        if (root == NNP_NOTHING && (!view || slots[value].last == ALWAYS)) { /* what is kept is no view of what is not ours */
            place(workspace, value, total);
            if (*total > 2 * MOST_BYTES)
                return nnp_fault_of_layer(error, NNP_OUT_OF_MEMORY, workspace->model, layer, "/outputs");
            continue;
        }
        slots[value].root = root;
        if (root != NNP_NOTHING && slots[root].last < slots[value].last) slots[root].last = slots[value].last;
    }
    size_t above = workspace->top == NNP_NOTHING ? 0 : slots[workspace->top].offset + nnp_rounded_up(slots[workspace->top].bytes);
    for (uint32_t i = index, count = run_at_once(workspace, index); count > 0; i++, count--) {
        const nnp_layer *each = &workspace->model->layers[i];
        const nnp_call call = {.layer = each, .types = workspace->types, .calling = true};
        size_t bytes = each->op->scratch == NULL ? 0 : each->op->scratch(&call);
        if (bytes > MOST_BYTES)
            return nnp_fault_of_layer(error, NNP_OUT_OF_MEMORY, workspace->model, each, "");
        workspace->scratch[i] = above;
        above += nnp_rounded_up(bytes);
        if (bytes > 0 && above > *total) *total = above;
        if (*total > 2 * MOST_BYTES) return nnp_fault_of_layer(error, NNP_OUT_OF_MEMORY, workspace->model, each, "");
    }
    for (uint32_t i = 0; i < layer->input_count + layer->output_count; i++) {
        uint32_t root = slots[i < layer->input_count ? layer->inputs[i] : layer->outputs + i - layer->input_count].root;
        if (root == NNP_NOTHING || slots[root].last != index) continue;
        release(workspace, root);
        slots[root].last = ALWAYS; /* once */
    }
    return NNP_OK;
}

/* The last layer that reads each value; for what nothing reads, the one that makes it. */
static void find_lives(nnp_workspace *workspace)
{
    const nnp_model *model = workspace->model;
    for (uint32_t i = 0; i < model->layer_count; i++) {
        const nnp_layer *layer = &model->layers[i];
        for (uint32_t k = 0; k < layer->output_count; k++) workspace->slots[layer->outputs + k].last = i;
        for (uint32_t k = 0; k < layer->input_count; k++) workspace->slots[layer->inputs[k]].last = i;
    }
    for (uint32_t i = 0; i < model->output_count; i++) workspace->slots[model->outputs[i]].last = ALWAYS;
    for (uint32_t i = 0; i < nnp_states_of(model); i++) workspace->slots[model->states[i].output].last = ALWAYS;
}

nnp_status nnp_plan(nnp_workspace *workspace, const int32_t *const *dims, size_t *bytes, size_t *states,
                    nnp_error *error)
{
    const nnp_model *model = workspace->model;
    uint32_t given = model->input_count + nnp_states_of(model);
    size_t total = 0;
    workspace->planned = workspace->bound = workspace->computed = false;
    if (!model->prepared) REFUSE(NNP_OUT_OF_MEMORY, "", 0, "nnp_prepare before nnp_plan");
    for (uint32_t i = 0; i < model->symbol_count; i++) workspace->symbols[i] = NNP_UNBOUND;
    *states = 0;
    for (uint32_t i = 0; i < given; i++) {
        int32_t shape[NNP_RANK];
        const nnp_type *type = &model->types[i];
        for (unsigned axis = 0; axis < type->rank; axis++)
            shape[axis] = i < model->input_count ? dims[i][axis] : axis == 0 ? workspace->symbols[0] : type->dims[axis];
        NNP_TRY(shape_value(workspace, i, shape, error));
        workspace->slots[i].root = NNP_NOTHING;
        if (i >= model->input_count) *states = nnp_plus(*states, nnp_rounded_up(workspace->slots[i].bytes));
    }
    if (*states > 2 * MOST_BYTES) REFUSE(NNP_OUT_OF_MEMORY, "/states", 0, "states that fit into memory");
    workspace->needed_by_states = *states;
    if (nnp_states_of(model) > 0 && workspace->rows != NNP_UNBOUND && workspace->rows != workspace->symbols[0])
        REFUSE(NNP_SHAPE, "/inputs", 0, "as many rows as the states have");
    for (uint32_t i = 0; i < model->layer_count; i++) NNP_TRY(shape_layer(workspace, &model->layers[i], error));

    find_lives(workspace);
#ifndef __OPTIMIZE_SIZE__
    find_blocks(workspace);
#endif
    workspace->first = workspace->top = NNP_NOTHING;
    for (uint32_t i = 0; i < model->output_count; i++) { /* what is given and wanted is copied: it may change meanwhile */
        uint32_t value = model->outputs[i];
        if (value < given && workspace->slots[value].root == NNP_NOTHING) place(workspace, value, &total);
        if (total > 2 * MOST_BYTES) REFUSE(NNP_OUT_OF_MEMORY, "/outputs/", i, "values that fit into memory");
    }
    for (uint32_t i = 0; i < model->layer_count; i++) NNP_TRY(place_layer(workspace, i, &total, error));
    *bytes = workspace->needed = total;
    workspace->planned = true;
    return NNP_OK;
}

nnp_status nnp_bind(nnp_workspace *workspace, void *memory, size_t bytes, void *states, size_t state_bytes,
                    nnp_error *error)
{
    const nnp_model *model = workspace->model;
    if (!workspace->planned) REFUSE(NNP_OUT_OF_MEMORY, "", 0, "nnp_plan before nnp_bind");
    if (bytes < workspace->needed || state_bytes < workspace->needed_by_states || (uintptr_t)memory % NNP_ALIGNMENT != 0 ||
        (uintptr_t)states % NNP_ALIGNMENT != 0)
        REFUSE(NNP_OUT_OF_MEMORY, "", 0, "as much memory as nnp_plan says, at a multiple of NNP_ALIGNMENT");
    workspace->memory = memory;
    workspace->states = states;
    for (uint32_t i = 0; i < model->value_count; i++) {
        uint32_t root = workspace->slots[i].root;
        workspace->data[i] = root == NNP_NOTHING ? NULL : memory_at(workspace, workspace->slots[root].offset);
    }
    workspace->bound = true;
    return NNP_OK;
}

/* Running ---------------------------------------------------------------------------------------------------------- */

static void copy(void *to, const void *from, size_t bytes)
{
    if (bytes > 0 && to != from) memcpy(to, from, bytes);
}

/* A value from outside: used where it lies, or copied where it is wanted as an output, too. */
static void give(nnp_workspace *workspace, uint32_t value, const void *from)
{
    if (workspace->slots[value].root == NNP_NOTHING) workspace->data[value] = (void *)(uintptr_t)from;
    else copy(workspace->data[value], from, workspace->slots[value].bytes);
}

#if NNP_STATES
/* The kept memory of each state, in which its rows are what they are at first, before the first call. */
static void begin_states(nnp_workspace *workspace)
{
    const nnp_model *model = workspace->model;
    uint8_t *kept = workspace->states;
    for (uint32_t i = 0; i < nnp_states_of(model) && kept != NULL; i++) {
        const nnp_state *state = &model->states[i];
        const nnp_type *row = &model->tensors[state->initial].type;
        size_t bytes = nnp_elements(row) * nnp_dtype_size((nnp_dtype)row->dtype);
        for (size_t at = 0; workspace->rows == NNP_UNBOUND && at < workspace->slots[state->value].bytes; at += bytes)
            memcpy(kept + at, model->tensors[state->initial].data, bytes);
        give(workspace, state->value, kept);
        kept += nnp_rounded_up(workspace->slots[state->value].bytes);
    }
}

/* All states change at once, when the call is done. */
static void keep_states(nnp_workspace *workspace)
{
    const nnp_model *model = workspace->model;
    uint8_t *kept = workspace->states;
    for (uint32_t i = 0; i < nnp_states_of(model) && kept != NULL; i++) {
        copy(kept, workspace->data[model->states[i].output], workspace->slots[model->states[i].value].bytes);
        kept += nnp_rounded_up(workspace->slots[model->states[i].value].bytes);
    }
    if (nnp_states_of(model) > 0) workspace->rows = workspace->symbols[0];
}
#endif

static nnp_status run_layers(nnp_workspace *workspace, nnp_error *error)
{
    const nnp_model *model = workspace->model;
    for (uint32_t i = 0; i < model->layer_count; i++) {
        const nnp_layer *layer = &model->layers[i];
        if (run_at_once(workspace, i) == 0) continue;
        if (layer->op->flags & NNP_VIEW) {
            const void *seen = layer->input_count > 0 ? workspace->data[layer->inputs[0]] : layer->weights[0]->data;
            if (workspace->slots[layer->outputs].root == NNP_NOTHING) workspace->data[layer->outputs] = (void *)(uintptr_t)seen;
            else copy(workspace->data[layer->outputs], seen, workspace->slots[layer->outputs].bytes);
            continue;
        }
        const nnp_call call = {.layer = layer, .types = workspace->types, .data = workspace->data,
                               .scratch = memory_at(workspace, workspace->scratch[i]), .workspace = workspace,
                               .calling = true};
        nnp_status status = layer->op->run(&call);
        if (status != NNP_OK) return nnp_fault_of_layer(error, status, model, layer, "");
    }
    return NNP_OK;
}

nnp_status nnp_run(nnp_workspace *workspace, const void *const *inputs, nnp_error *error)
{
    if (!workspace->bound) REFUSE(NNP_OUT_OF_MEMORY, "", 0, "nnp_bind before nnp_run");
    for (uint32_t i = 0; i < workspace->model->input_count; i++) give(workspace, i, inputs[i]);
#if NNP_STATES
    begin_states(workspace);
#endif
    NNP_TRY(run_layers(workspace, error));
#if NNP_STATES
    keep_states(workspace);
#endif
    workspace->computed = true;
    return NNP_OK;
}

const void *nnp_result(const nnp_workspace *workspace, size_t i, const int32_t **dims)
{
    uint32_t value = workspace->model->outputs[i];
    if (!workspace->computed) return NULL;
    if (dims != NULL) *dims = workspace->types[value].dims;
    return workspace->data[value];
}

void nnp_reset(nnp_workspace *workspace)
{
    workspace->rows = NNP_UNBOUND;
}

/* Self-test -------------------------------------------------------------------------------------------------------- */

/* Element i as a float64, of any dtype but int64, which float64 does not hold. */
static double number_at(const void *data, nnp_dtype dtype, size_t i)
{
    switch (dtype) {
    case NNP_FLOAT32:
        return (double)((const float *)data)[i];
    case NNP_FLOAT64:
        return ((const double *)data)[i];
    case NNP_INT8:
        return ((const int8_t *)data)[i];
    case NNP_INT32:
        return ((const int32_t *)data)[i];
    default:
        return ((const uint8_t *)data)[i];
    }
}

/* |y − expected| ≤ max(tolerance, floor), or both NaN, or equal: spec/format.md, "Self-test". */
static bool passes(const void *y, const nnp_tensor *expected, const nnp_tensor *tolerance, size_t count)
{
    nnp_dtype dtype = (nnp_dtype)expected->type.dtype;
    double floor = dtype == NNP_FLOAT32 ? 0x1p-126 : dtype == NNP_FLOAT64 ? 0x1p-1022 : 0;
    for (size_t i = 0; i < count; i++) {
        if (dtype == NNP_INT64) {
            int64_t a = ((const int64_t *)y)[i], b = ((const int64_t *)expected->data)[i];
            int64_t most = ((const int64_t *)tolerance->data)[i];
            uint64_t difference = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
            if (difference > (most > 0 ? (uint64_t)most : 0)) return false;
            continue;
        }
        double a = number_at(y, dtype, i), b = number_at(expected->data, dtype, i);
        double most = number_at(tolerance->data, dtype, i);
        if (most < floor) most = floor;
        if (!(fabs(a - b) <= most || a == b || (a != a && b != b))) return false;
    }
    return true;
}

nnp_status nnp_selftest_size(nnp_workspace *workspace, size_t *bytes, nnp_error *error)
{
    const nnp_model *model = workspace->model;
    size_t states;
    if (model->selftest_at == 0) REFUSE(NNP_SELFTEST_ABSENT, "/selftest", 0, "a self-test in the file");
    const uint32_t *tensors = model->references + model->selftest_at - 1;
    /* shapes are those of the inputs' tensors; `data` has room for as many pointers as there are values */
    const int32_t **dims = (const int32_t **)(void *)workspace->data;
    for (uint32_t i = 0; i < model->input_count; i++) dims[i] = model->tensors[tensors[i]].type.dims;
    nnp_reset(workspace);
    NNP_TRY(nnp_plan(workspace, dims, bytes, &states, error));
    *bytes += states;
    return NNP_OK;
}

nnp_status nnp_selftest(nnp_workspace *workspace, void *memory, size_t bytes, nnp_error *error)
{
    const nnp_model *model = workspace->model;
    size_t needed;
    NNP_TRY(nnp_selftest_size(workspace, &needed, error));
    if (bytes < needed) REFUSE(NNP_OUT_OF_MEMORY, "", 0, "as many bytes as nnp_selftest_size says");
    size_t states = workspace->needed_by_states, values = needed - states;
    NNP_TRY(nnp_bind(workspace, memory, values, states == 0 ? NULL : (uint8_t *)memory + values, states, error));
    const uint32_t *tensors = model->references + model->selftest_at - 1;
    /* the inputs' own places take them: nnp_run puts each where it finds it */
    for (uint32_t i = 0; i < model->input_count; i++)
        workspace->data[i] = (void *)(uintptr_t)model->tensors[tensors[i]].data;
    NNP_TRY(nnp_run(workspace, (const void *const *)workspace->data, error));
    nnp_reset(workspace);
    for (uint32_t i = 0; i < model->output_count; i++) {
        const uint32_t *pair = tensors + model->input_count + i;
        uint32_t value = model->outputs[i];
        if (!passes(workspace->data[value], &model->tensors[pair[0]], &model->tensors[pair[model->output_count]],
                    nnp_elements(&workspace->types[value])))
            REFUSE(NNP_SELFTEST_FAILED, "/outputs/", i, "numbers within their tolerances");
    }
    return NNP_OK;
}
