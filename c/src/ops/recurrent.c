/* simple_rnn, lstm, gru: spec/ops/simple_rnn.md, lstm.md, gru.md. */
#include "recurrent.h"

#include "../gemm.h"
#include "../operators.h"

#if NNP_RECURRENT

enum { SIMPLE_RNN, LSTM, GRU }; /* op->kind */
enum { RESET_AFTER = NNP_RNN_OTHERS };

/* Gates, and states, of each kind. */
static const uint8_t gates_of[] = {1, 4, 3}, states_of[] = {1, 2, 1};

/* Types ------------------------------------------------------------------------------------------------------------ */

nnp_status nnp_require_sequence(nnp_call *call, unsigned states, bool *masked)
{
    uint32_t last = nnp_inputs(call) - 1;
    uint8_t dtype = nnp_in(call, 0)->dtype;
    NNP_TRY(nnp_require_dtype(call, 0, NNP_FLOATS));
    *masked = last == states + 1 || (last == 1 && (states > 1 || nnp_in(call, 1)->dtype == NNP_BOOL));
    for (uint32_t i = 1; i <= last; i++)
        NNP_TRY(nnp_require_dtype(call, i, *masked && i == last ? NNP_SET(NNP_BOOL) : NNP_SET(dtype)));
    for (unsigned role = NNP_KERNEL; role <= NNP_RNN_BIAS; role++)
        if (nnp_weight(call, role) != NULL && nnp_weight(call, role)->type.dtype != dtype)
            return nnp_refuse(call, NNP_DTYPE_MISMATCH, "/weights", 0);
    return NNP_OK;
}

/* Input i has these dimensions. */
static nnp_status require_operand(nnp_call *call, uint32_t i, unsigned rank, const int32_t *dims)
{
    const nnp_type *type = nnp_in(call, i);
    bool fits = type->rank == rank && memcmp(type->dims, dims, rank * sizeof *dims) == 0;
    return fits ? NNP_OK : nnp_refuse(call, NNP_OPERAND_SHAPE, "/inputs/%u", i);
}

nnp_status nnp_make_sequence(nnp_call *call, unsigned states, bool masked, unsigned rank, const int32_t *state)
{
    const nnp_type *x = nnp_in(call, 0);
    uint32_t last = nnp_inputs(call) - 1;
    unsigned sequences = nnp_attr(call, NNP_RETURN_SEQUENCES)->integer != 0;
    for (uint32_t i = 1; i <= last; i++) {
        if (masked && i == last) NNP_TRY(require_operand(call, i, 2, x->dims));
        else NNP_TRY(require_operand(call, i, rank, state));
    }
    for (unsigned i = 0; i <= states; i++) {
        unsigned more = i == 0 ? sequences : 0; /* an axis of y, for time */
        call->made[i].dtype = x->dtype;
        call->made[i].rank = (uint8_t)(rank + more);
        call->made[i].dims[0] = x->dims[0];
        call->made[i].dims[1] = x->dims[1];
        memcpy(call->made[i].dims + 1 + more, state + 1, (rank - 1) * sizeof *state);
    }
    call->made_count = 1 + states;
    return NNP_OK;
}

static nnp_status recurrent_infer(nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *recurrent = &nnp_weight(call, NNP_RECURRENT_KERNEL)->type;
    unsigned kind = call->layer->op->kind;
    bool masked;

    NNP_TRY(nnp_require_sequence(call, states_of[kind], &masked));
    NNP_TRY(nnp_require_rank(call, 0, 3, 3));
    if (nnp_is_symbol(x->dims[2])) return nnp_refuse(call, NNP_RANK_RANGE, "/inputs/0", 0);
    int32_t units = recurrent->rank > 0 ? recurrent->dims[0] : 1;
    if (units > INT32_MAX / 4) return nnp_refuse(call, NNP_WEIGHT_SHAPE, "/weights", 0);
    int32_t width = gates_of[kind] * units;
    NNP_TRY(nnp_require_weight(call, NNP_RECURRENT_KERNEL, 2, (const int32_t[]){units, width}));
    NNP_TRY(nnp_require_weight(call, NNP_KERNEL, 2, (const int32_t[]){x->dims[2], width}));
    if (kind == GRU && nnp_attr(call, RESET_AFTER)->integer)
        NNP_TRY(nnp_require_weight(call, NNP_RNN_BIAS, 2, (const int32_t[]){2, width}));
    else
        NNP_TRY(nnp_require_weight(call, NNP_RNN_BIAS, 1, &width));
    return nnp_make_sequence(call, states_of[kind], masked, 2, (const int32_t[]){x->dims[0], units});
}

/* The loop --------------------------------------------------------------------------------------------------------- */

nnp_loop nnp_loop_begin(const nnp_call *call, unsigned states, unsigned rank)
{
    const nnp_type *x = nnp_in(call, 0), *state = nnp_out(call, 1);
    size_t element = nnp_dtype_size((nnp_dtype)x->dtype), bytes = nnp_elements(state) * element;
    uint32_t last = nnp_inputs(call) - 1;
    nnp_loop loop = {.rows = (size_t)x->dims[0], .time = (size_t)x->dims[1], .pixels = nnp_product(state, 1, rank - 1),
                     .units = (size_t)state->dims[rank - 1],
                     .backwards = nnp_attr(call, NNP_GO_BACKWARDS)->integer != 0,
                     .sequences = nnp_attr(call, NNP_RETURN_SEQUENCES)->integer != 0,
                     .zeros = nnp_attr(call, NNP_ZERO_OUTPUT)->integer != 0,
                     .activation = (unsigned)nnp_attr(call, NNP_ACTIVATION)->integer};
    if (last > 0 && nnp_in(call, last)->dtype == NNP_BOOL) loop.mask = nnp_in_data(call, last);
    for (unsigned i = 1; i <= states && bytes > 0; i++) {
        bool given = last >= states && nnp_in(call, i)->dtype == x->dtype;
        if (given) memcpy(nnp_out_data(call, i), nnp_in_data(call, i), bytes);
        else memset(nnp_out_data(call, i), 0, bytes);
    }
    if (!loop.sequences && bytes > 0) memset(nnp_out_data(call, 0), 0, bytes);
    return loop;
}

void nnp_loop_output(const nnp_call *call, const nnp_loop *loop, size_t step)
{
    size_t bytes = loop->pixels * loop->units * nnp_dtype_size((nnp_dtype)nnp_out(call, 0)->dtype);
    const char *h = nnp_out_data(call, 1);
    char *y = nnp_out_data(call, 0);
    for (size_t row = 0; row < loop->rows; row++, h += bytes) {
        char *last = loop->sequences ? y + (row * loop->time + step) * bytes : y + row * bytes;
        if (!nnp_loop_skips(loop, step, row)) memcpy(last, h, bytes);
        else if (loop->zeros || (loop->sequences && step == 0)) memset(last, 0, bytes);
        else if (loop->sequences) memcpy(last, last - bytes, bytes);
    }
}

/* Of how many steps x is multiplied with the kernel at once: many rows are a product that is large enough. */
static size_t count_steps(const nnp_type *x)
{
#ifdef __OPTIMIZE_SIZE__
    (void)x;
    return 1;
#else
    return x->dims[0] >= 16 || x->dims[1] < 1 ? 1 : x->dims[1] < 32 ? (size_t)x->dims[1] : 32;
#endif
}

#include "../real32.h"
#include "recurrent.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "recurrent.inc"
#endif

/* Room for the sums of the gates, and for what gru makes of h. */
static size_t recurrent_scratch(const nnp_call *call)
{
    const nnp_type *x = nnp_in(call, 0), *state = nnp_out(call, 1);
    unsigned kind = call->layer->op->kind;
    size_t numbers = count_steps(x) * gates_of[kind] + (kind == GRU ? 3 : 0);
    return nnp_times(nnp_elements(state) * nnp_dtype_size((nnp_dtype)x->dtype), numbers);
}

static nnp_status recurrent_run(const nnp_call *call)
{
    unsigned kind = call->layer->op->kind;
    nnp_loop loop = nnp_loop_begin(call, states_of[kind], 2);
    if (loop.rows == 0) return NNP_OK;
    if (kind != SIMPLE_RNN) loop.recurrent_activation = (unsigned)nnp_attr(call, NNP_RECURRENT_ACTIVATION)->integer;
#if NNP_WITH_FLOAT64
    if (nnp_in(call, 0)->dtype == NNP_FLOAT64) {
        recurrent_f64(call, &loop);
        return NNP_OK;
    }
#endif
    recurrent_f32(call, &loop);
    return NNP_OK;
}

#define RECURRENT(word, kind_, states, attributes_)                                                                    \
    {                                                                                                                  \
        .name = word, .weights = NNP_RNN_WEIGHTS, .attributes = attributes_, .least = 1, .most = 2 + states,           \
        .kind = kind_, .infer = recurrent_infer, .run = recurrent_run, .scratch = recurrent_scratch,                   \
    }

const nnp_operator nnp_simple_rnn = RECURRENT("simple_rnn", SIMPLE_RNN, 1, NNP_RNN_ATTRIBUTES);
const nnp_operator nnp_lstm = RECURRENT("lstm", LSTM, 2, NNP_GATED_ATTRIBUTES);
const nnp_operator nnp_gru = RECURRENT("gru", GRU, 1, NNP_GATED_ATTRIBUTES "reset_after:b\0");

#endif
