/* matmul, einsum: spec/ops/matmul.md, spec/ops/einsum.md. */
#include "../gemm.h"
#include "../operators.h"

#if NNP_PRODUCTS

/* matmul ----------------------------------------------------------------------------------------------------------- */

static nnp_status matmul_infer(nnp_call *call)
{
    const nnp_type *a = nnp_in(call, 0), *b = nnp_in(call, 1);
    NNP_TRY(nnp_require_dtypes(call, NNP_FLOATS));
    NNP_TRY(nnp_require_rank(call, 0, 2, NNP_RANK));
    NNP_TRY(nnp_require_rank(call, 1, 2, NNP_RANK));
    if (a->dims[a->rank - 1] != b->dims[b->rank - 2]) return nnp_refuse(call, NNP_OPERAND_SHAPE, "/inputs/1", 0);
    NNP_TRY(nnp_make_leading(call, 0, 2, 2));
    const int32_t last[2] = {a->dims[a->rank - 2], b->dims[b->rank - 1]};
    for (unsigned i = 0; i < 2; i++) {
        if (last[i] == NNP_BATCH && call->made[0].rank > 0) return nnp_refuse(call, NNP_BATCH_AXIS, "/inputs/%u", i);
        call->made[0].dims[call->made[0].rank++] = last[i];
    }
    if (last[1] == NNP_BATCH) return nnp_refuse(call, NNP_BATCH_AXIS, "/inputs/1", 0);
    return NNP_OK;
}

/* einsum ----------------------------------------------------------------------------------------------------------- */

/* Some labels of an equation, as an index runs over them. */
typedef struct {
    unsigned count;
    size_t dims[NNP_RANK], steps[NNP_RANK];
} axes;

static size_t axes_size(const axes *a)
{
    size_t n = 1;
    for (unsigned i = 0; i < a->count; i++) n *= a->dims[i];
    return n;
}

/* How many elements lie in front of the one with this index. */
static size_t axes_place(const axes *a, size_t index)
{
    size_t place = 0;
    for (unsigned i = a->count; i-- > 0; index /= a->dims[i]) place += index % a->dims[i] * a->steps[i];
    return place;
}

/* Whether the elements lie `step` apart, one behind the other. */
static bool axes_regular(const axes *a, size_t *step)
{
    *step = a->count == 0 ? 1 : a->steps[a->count - 1];
    for (unsigned i = 1; i < a->count; i++)
        if (a->steps[i - 1] != a->steps[i] * a->dims[i]) return false;
    return true;
}

/* The labels of x1, x2 and y. */
typedef struct {
    const char *labels[3];
    size_t count[3];
} equation;

static equation equation_of(const nnp_call *call)
{
    const nnp_text text = nnp_attr(call, 0)->text;
    const char *comma = memchr(text.bytes, ',', text.length), *arrow = memchr(text.bytes, '-', text.length);
    equation e = {{text.bytes, comma + 1, arrow + 2}, {0, 0, 0}};
    e.count[0] = (size_t)(comma - text.bytes);
    e.count[1] = (size_t)(arrow - e.labels[1]);
    e.count[2] = (size_t)(text.bytes + text.length - e.labels[2]);
    return e;
}

/* The axis of x1, x2 or y that a label names; -1 where there is none. */
static int axis_of(const equation *e, unsigned part, char label)
{
    const char *at = memchr(e->labels[part], label, e->count[part]);
    return at == NULL ? -1 : (int)(at - e->labels[part]);
}

/* x1, x2 and y as stacks of matrices: (rows, inner), (inner, columns), (rows, columns). Labels that one input alone has are
 * summed up before. Each set of labels has its steps in the arrays that have them, in the order x1, x2, y. */
typedef struct {
    axes stack[3], rows[3], columns[3], inner[3], summed[3];
} product;

static product product_of(const nnp_call *call, const nnp_type *y)
{
    const equation e = equation_of(call);
    const nnp_type *types[3] = {nnp_in(call, 0), nnp_in(call, 1), y};
    product p;
    memset(&p, 0, sizeof p);
    for (unsigned part = 0; part < 2; part++)
        for (size_t i = 0; i < e.count[part]; i++) {
            char label = e.labels[part][i];
            const int axis[3] = {axis_of(&e, 0, label), axis_of(&e, 1, label), axis_of(&e, 2, label)};
            if (part == 1 && axis[0] >= 0) continue; /* x1 had it */
            axes *set = axis[0] >= 0 && axis[1] >= 0 ? (axis[2] >= 0 ? p.stack : p.inner)
                        : axis[2] < 0                ? p.summed
                        : part == 0                  ? p.rows
                                                     : p.columns;
            for (unsigned k = 0; k < 3; k++) {
                if (axis[k] < 0) continue;
                set[k].dims[set[k].count] = (size_t)types[k]->dims[axis[k]];
                set[k].steps[set[k].count++] = nnp_product(types[k], (unsigned)axis[k] + 1, types[k]->rank);
            }
        }
    return p;
}

static nnp_status einsum_infer(nnp_call *call)
{
    const equation e = equation_of(call);
    NNP_TRY(nnp_require_dtypes(call, NNP_FLOATS));
    for (unsigned k = 0; k < 2; k++)
        if (nnp_in(call, k)->rank != e.count[k]) return nnp_refuse(call, NNP_RANK_RANGE, "/inputs/%u", k);
    for (unsigned k = 0; k < 2; k++)
        for (size_t i = 0; i < e.count[k]; i++) {
            int32_t n = nnp_in(call, k)->dims[i];
            int other = axis_of(&e, 1 - k, e.labels[k][i]), made = axis_of(&e, 2, e.labels[k][i]);
            if (other >= 0 && nnp_in(call, 1 - k)->dims[other] != n) return nnp_refuse(call, NNP_OPERAND_SHAPE, "/inputs/1", 0);
            if (n == NNP_BATCH && made != 0) return nnp_refuse(call, NNP_BATCH_AXIS, "/inputs/%u", k);
            if (made >= 0) call->made[0].dims[made] = n;
        }
    call->made[0].rank = (uint8_t)e.count[2];
    call->made[0].dtype = nnp_in(call, 0)->dtype;
    return NNP_OK;
}

/* One matrix of each of x1, x2 and y, where they have to be copied to be matrices. */
static size_t einsum_scratch(const nnp_call *call)
{
    const product p = product_of(call, nnp_out(call, 0));
    size_t rows = axes_size(&p.rows[0]), columns = axes_size(&p.columns[1]), inner = axes_size(&p.inner[0]);
    return (rows * inner + inner * columns + rows * columns) * nnp_dtype_size((nnp_dtype)nnp_in(call, 0)->dtype);
}

#include "../real32.h"
#include "products.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "products.inc"
#endif

static nnp_status matmul_run(const nnp_call *call)
{
#if NNP_WITH_FLOAT64
    if (nnp_in(call, 0)->dtype == NNP_FLOAT64) return matmul_f64(call);
#endif
    return matmul_f32(call);
}

static nnp_status einsum_run(const nnp_call *call)
{
#if NNP_WITH_FLOAT64
    if (nnp_in(call, 0)->dtype == NNP_FLOAT64) return einsum_f64(call);
#endif
    return einsum_f32(call);
}

const nnp_operator nnp_matmul = {
    .name = "matmul", .weights = "", .attributes = "", .least = 2, .most = 2, .infer = matmul_infer, .run = matmul_run,
};

const nnp_operator nnp_einsum = {
    .name = "einsum", .weights = "", .attributes = "equation:E\0", .least = 2, .most = 2,
    .infer = einsum_infer, .run = einsum_run, .scratch = einsum_scratch,
};

#endif
