/*
 * Functions of several operands: spec/ops/elementwise.md, comparison.md, logical.md, where.md; and what applies a
 * function to elements.
 */
#include "elementwise.h"
#include "integers.h"

#if NNP_ELEMENTWISE

/* Types ------------------------------------------------------------------------------------------------------------ */

nnp_status nnp_apply_infer(nnp_call *call)
{
    static const uint16_t sets[] = {NNP_FLOATS, NNP_NUMBERS, NNP_PLAIN, NNP_SET(NNP_BOOL)};
    const unsigned kind = call->layer->op->kind;
    NNP_TRY(nnp_require_dtypes(call, sets[kind % NNP_MAKES_TRUTH]));
    NNP_TRY(nnp_make_broadcast(call, 0, nnp_inputs(call)));
    if (kind & NNP_MAKES_TRUTH) call->made[0].dtype = NNP_BOOL;
    return NNP_OK;
}

static nnp_status where_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_dtype(call, 0, NNP_SET(NNP_BOOL)));
    NNP_TRY(nnp_require_dtype(call, 1, NNP_PLAIN));
    NNP_TRY(nnp_require_dtype(call, 2, NNP_SET(nnp_in(call, 1)->dtype)));
    NNP_TRY(nnp_make_broadcast(call, 0, 3));
    call->made[0].dtype = nnp_in(call, 1)->dtype;
    return NNP_OK;
}

/* Elements --------------------------------------------------------------------------------------------------------- */

#define OPERANDS 3

/* An axis, and how many elements each operand moves per step along it: 0 where it is broadcast. */
typedef struct {
    size_t n, steps[OPERANDS];
} span;

/*
 * The axes of y, from the inside to the outside. One along which all operands go on as along the next inner one becomes
 * one with it: there is a single axis where the shapes are equal. Steps of the first are 0 or 1. Answers how many there
 * are, 0 where y has one element; then, too, the first is there.
 */
static unsigned spans_of(const nnp_type *y, const nnp_type *const *types, unsigned count, span *spans)
{
    const nnp_walk walk = nnp_walk_over(y, types, count);
    unsigned rank = 0;
    spans[0] = (span){.n = 1};
    for (unsigned axis = walk.rank; axis-- > 0;) {
        const size_t n = (size_t)walk.dims[axis];
        span *inner = rank > 0 ? &spans[rank - 1] : NULL;
        bool joins = inner != NULL;
        if (n == 1) continue;
        for (unsigned k = 0; joins && k < count; k++) joins = walk.steps[k][axis] == inner->n * inner->steps[k];
        if (joins) {
            inner->n *= n;
            continue;
        }
        spans[rank].n = n;
        for (unsigned k = 0; k < count; k++) spans[rank].steps[k] = walk.steps[k][axis];
        rank++;
    }
    return rank;
}

/* Elements are handed on as they lie, or by way of a stage, a piece at a time. */
#define PIECE 64

typedef union {
    float f32[PIECE];
    double f64[PIECE];
    int64_t integers[PIECE];
} stage;

typedef struct {
    const uint8_t *data; /* of the first span's first element */
    unsigned dtype;
    size_t size;
    bool staged; /* also where its step is not 0 */
    stage stage;
} operand;

/* Repeats the first element where there is none yet. `size` is a constant: a copy is a load and a store. */
static inline void repeat(uint8_t *elements, size_t size, size_t there, size_t count)
{
    for (size_t i = there; i < count; i++) memcpy(elements + i * size, elements, size);
}

/* Elements of the first span as functions take them: integers are widened, what is broadcast is repeated. */
static const void *take(operand *x, size_t step, size_t first, size_t count)
{
    const uint8_t *from = x->data + first * step * x->size;
    const bool integer = !NNP_IS_FLOAT(x->dtype);
    const size_t size = integer ? sizeof(int64_t) : x->size;
    uint8_t *to = (uint8_t *)&x->stage;
    const size_t distinct = step == 0 ? 1 : count;
    if (step != 0 && !x->staged) return from;
    if (step == 0 && first > 0) return to; /* it is still there, and this piece is no longer */
    if (integer) nnp_widen(x->dtype, from, x->stage.integers, distinct);
    else memcpy(to, from, distinct * size);
    if (size == sizeof(float)) repeat(to, sizeof(float), distinct, count);
    else repeat(to, sizeof(double), distinct, count);
    return to;
}

/* Moves the operands to the next index over all spans but the first; false behind the last. */
static bool advance(operand *operands, unsigned count, const span *spans, unsigned rank, size_t *index)
{
    for (unsigned axis = 1; axis < rank; axis++) {
        const span *along = &spans[axis];
        const bool ends = ++index[axis] == along->n;
        for (unsigned k = 0; k < count; k++) {
            const size_t step = along->steps[k] * operands[k].size;
            operands[k].data += step;
            if (ends) operands[k].data -= step * along->n;
        }
        if (!ends) return true;
        index[axis] = 0;
    }
    return false;
}

nnp_status nnp_apply(const nnp_call *call, const nnp_functions *functions)
{
    const unsigned count = nnp_inputs(call);
    const nnp_type *made = nnp_out(call, 0), *types[OPERANDS];
    const size_t size = nnp_dtype_size((nnp_dtype)made->dtype);
    const bool narrows = !NNP_IS_FLOAT(made->dtype) && !(call->layer->op->kind & NNP_MAKES_TRUTH);
    uint8_t *y = nnp_out_data(call, 0);
    operand operands[OPERANDS];
    stage results;
    span spans[NNP_RANK];
    size_t index[NNP_RANK] = {0};

    if (nnp_elements(made) == 0) return NNP_OK;
    for (unsigned k = 0; k < count; k++) types[k] = nnp_in(call, k);
    const unsigned rank = spans_of(made, types, count, spans), dtype = types[count - 1]->dtype;
    nnp_function *function = dtype == NNP_FLOAT32   ? functions->f32
                             : dtype == NNP_FLOAT64 ? functions->f64
                                                    : functions->i64;

    size_t piece = narrows ? PIECE : spans->n;
    for (unsigned k = 0; k < count; k++) {
        operand *x = &operands[k];
        x->data = nnp_in_data(call, k);
        x->dtype = types[k]->dtype;
        x->size = nnp_dtype_size((nnp_dtype)x->dtype);
        x->staged = !NNP_IS_FLOAT(x->dtype) || x->data == y; /* y must not overlap it */
        if (x->staged || spans->steps[k] == 0) piece = PIECE;
    }

    do {
        for (size_t first = 0, n; first < spans->n; first += n, y += n * size) {
            const void *given[OPERANDS];
            n = spans->n - first < piece ? spans->n - first : piece;
            for (unsigned k = 0; k < count; k++) given[k] = take(&operands[k], spans->steps[k], first, n);
            function(given, narrows ? (void *)&results : y, n);
            if (narrows) nnp_narrow(made->dtype, results.integers, y, n);
        }
    } while (advance(operands, count, spans, rank, index));
    return NNP_OK;
}

/* Functions -------------------------------------------------------------------------------------------------------- */

#include "../real32.h"
#include "comparison.inc"
#include "elementwise.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "comparison.inc"
#include "elementwise.inc"
#endif

#undef REAL
#undef R
#define REAL int64_t
#define R(name) name##_i64
#include "comparison.inc"

/* The lowest bits of sums and products of any integers are those of unsigned ones, which do not overflow. */
NNP_BINARY(add, int64_t, (uint64_t)a + (uint64_t)b)
NNP_BINARY(subtract, int64_t, (uint64_t)a - (uint64_t)b)
NNP_BINARY(multiply, int64_t, (uint64_t)a * (uint64_t)b)
NNP_BINARY(maximum, int64_t, a > b ? a : b)
NNP_BINARY(minimum, int64_t, a < b ? a : b)

/* Towards -∞. By 0 it is unspecified, but must not trap; nor must the lowest integer by -1. */
static int64_t quotient(int64_t a, int64_t b)
{
    if (b == 0) return 0;
    if (b == -1) return (int64_t)(0 - (uint64_t)a);
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

NNP_BINARY(floor_divide, int64_t, quotient(a, b))
NNP_BINARY(mod, int64_t, (uint64_t)a - (uint64_t)b * (uint64_t)quotient(a, b))

NNP_BINARY(logical_and, uint8_t, a & b)
NNP_BINARY(logical_or, uint8_t, a | b)
NNP_BINARY(logical_xor, uint8_t, a ^ b)

/* Operators -------------------------------------------------------------------------------------------------------- */

#define ARITHMETIC(name, of, types) NNP_ELEMENTWISE_OPERATOR(name, 2, of, NNP_IN_PLACE, types)
#define COMPARISON(name, of) NNP_ELEMENTWISE_OPERATOR(name, 2, of | NNP_MAKES_TRUTH, 0, NNP_NUMBER_FUNCTIONS)
#define LOGIC(name)                                                                                                    \
    NNP_ELEMENTWISE_OPERATOR(name, 2, NNP_OF_BOOLS | NNP_MAKES_TRUTH, NNP_IN_PLACE, NNP_INTEGER_FUNCTIONS)

ARITHMETIC(add, NNP_OF_NUMBERS, NNP_NUMBER_FUNCTIONS)
ARITHMETIC(subtract, NNP_OF_NUMBERS, NNP_NUMBER_FUNCTIONS)
ARITHMETIC(multiply, NNP_OF_NUMBERS, NNP_NUMBER_FUNCTIONS)
ARITHMETIC(divide, NNP_OF_FLOATS, NNP_FLOAT_FUNCTIONS)
ARITHMETIC(maximum, NNP_OF_NUMBERS, NNP_NUMBER_FUNCTIONS)
ARITHMETIC(minimum, NNP_OF_NUMBERS, NNP_NUMBER_FUNCTIONS)
ARITHMETIC(power, NNP_OF_FLOATS, NNP_FLOAT_FUNCTIONS)
ARITHMETIC(floor_divide, NNP_OF_NUMBERS, NNP_NUMBER_FUNCTIONS)
ARITHMETIC(mod, NNP_OF_NUMBERS, NNP_NUMBER_FUNCTIONS)
ARITHMETIC(arctan2, NNP_OF_FLOATS, NNP_FLOAT_FUNCTIONS)

COMPARISON(equal, NNP_OF_PLAIN)
COMPARISON(not_equal, NNP_OF_PLAIN)
COMPARISON(less, NNP_OF_NUMBERS)
COMPARISON(less_equal, NNP_OF_NUMBERS)
COMPARISON(greater, NNP_OF_NUMBERS)
COMPARISON(greater_equal, NNP_OF_NUMBERS)

LOGIC(logical_and)
LOGIC(logical_or)
LOGIC(logical_xor)

static nnp_status where_run(const nnp_call *call)
{
    static const nnp_functions functions = {NNP_NUMBER_FUNCTIONS(where)};
    return nnp_apply(call, &functions);
}

const nnp_operator nnp_where = {
    .name = "where", .weights = "", .attributes = "", .least = 3, .most = 3, .infer = where_infer, .run = where_run,
};

#endif
