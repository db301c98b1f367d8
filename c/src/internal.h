/* What the parts of the runtime share: the model as it is held in memory, what an operator is, and what it is called with. */
#ifndef NNP_INTERNAL_H
#define NNP_INTERNAL_H

#include "nnp.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__)
#error "NaN and infinities have to be told from numbers: not with -ffast-math"
#endif

/* What is built in: families that are set to 0 are left out. */
#include "config.h"

/* Types ------------------------------------------------------------------------------------------------------------ */

/*
 * What is known of an array. A dimension is a number from 0 on; while a file is read it may be a symbol, which is below 0:
 * equal symbols are equal numbers. In a call there are numbers alone.
 */
typedef struct {
    const int32_t *dims;
    uint8_t rank, dtype; /* dtype: a nnp_dtype */
} nnp_type;

#define NNP_RANK 8
#define NNP_NEW INT32_MIN        /* a new symbol: a dimension that follows in a call */
#define NNP_NONE (INT32_MIN + 1) /* no dimension: below 0, or beyond 2^31 - 1 */

/* A set of dtypes, and those that operators name. */
#define NNP_SET(dtype) (1U << (dtype))
#define NNP_FLOATS (NNP_SET(NNP_FLOAT32) | NNP_SET(NNP_FLOAT64))
#define NNP_INTEGERS (NNP_SET(NNP_INT8) | NNP_SET(NNP_INT32) | NNP_SET(NNP_INT64) | NNP_SET(NNP_UINT8))
#define NNP_NUMBERS (NNP_FLOATS | NNP_INTEGERS)
#define NNP_PLAIN (NNP_NUMBERS | NNP_SET(NNP_BOOL))
/* Those that are built in. */
#define NNP_BUILT_DTYPES                                                                                               \
    ((NNP_SET(NNP_DTYPES) - 1) & ~(NNP_WITH_FLOAT64 ? 0 : NNP_SET(NNP_FLOAT64)) &                                       \
     ~(NNP_STORAGE ? 0 : NNP_SET(NNP_FLOAT16) | NNP_SET(NNP_BFLOAT16)))

/* The model -------------------------------------------------------------------------------------------------------- */

/* A weight as layers see it: native numbers of a plain dtype. */
typedef struct {
    const void *data; /* aligned to the size of an element; NULL until nnp_prepare */
    nnp_type type;
    uint8_t stored;   /* its dtype in the file */
    bool quantized, referenced;
    uint8_t axis;     /* of a quantization, or NNP_RANK where it has none */
    uint32_t scale, zero_point; /* the tensors of a quantization */
    uint32_t offset, nbytes;
} nnp_tensor;

/* An attribute, as its letter in nnp_operator.attributes says. */
typedef union {
    double number;
    int32_t integer; /* also 0 or 1 of a boolean, the place of a choice, a nnp_dtype */
    struct {
        const int32_t *items;
        uint32_t count;
    } list;
    nnp_text text;
} nnp_attribute;

typedef struct nnp_operator nnp_operator;

typedef struct {
    const nnp_operator *op;
    const nnp_tensor **weights;      /* in the order of op->weights; NULL for one that is not there */
    const nnp_attribute *attributes; /* in the order of op->attributes */
    const uint32_t *inputs;          /* values */
    uint32_t input_count;
    uint32_t outputs, output_count;  /* the first value that it makes, and how many there are */
    void *prepared;                  /* op->prepared_size bytes, filled by op->prepare; NULL where these are 0 */
} nnp_layer;

/* Operators -------------------------------------------------------------------------------------------------------- */

/* One layer as its operator sees it: while a file is read (types with symbols, no data), and in a call. */
typedef struct nnp_call {
    const nnp_layer *layer;
    const nnp_type *types; /* of all values of the model */
    void *const *data;     /* of all values; NULL but while the layer runs */
    void *scratch;         /* as many bytes as op->scratch asked for, aligned to NNP_ALIGNMENT */
    const nnp_workspace *workspace; /* what nnp_finish knows the layers behind this one by */
    bool calling;          /* all dimensions are numbers, and constraints need not be asked again */

    struct {               /* what op->infer says that the layer makes */
        int32_t dims[NNP_RANK]; /* numbers from 0 on, symbols of inputs, NNP_NEW, or NNP_NONE */
        uint8_t rank, dtype;
    } made[3];
    unsigned made_count;   /* 1 unless op->infer says otherwise */

    char at[40];           /* where op->infer found a fault, below the layer: "/inputs/0" */
} nnp_call;

/*
 * An operator of one version, frozen for ever. All tables are strings that hold one entry behind the other, each ended by
 * a 0; the last is followed by another.
 *
 * weights: roles, such as "kernel\0bias?\0"; those with a ? may be absent.
 * attributes: names with a letter that says what the attribute is:
 *
 *     :n  a number            :z  a number other than 0           :p  a number of at least 0
 *     :b  a boolean           :i  an integer from 1 on            :s  any integer
 *     :a  an axis, 1 to 7     :A  ascending axes, 1 to 7 of them
 *     :d  a plain dtype       :c  one of the words that follow, such as ":cvalid same": the place of the word
 *     :I  1 to 3 integers from 1 on        :J  2 integers from 1 on      :K  2 to 6 integers of any sign
 *     :T  a target_shape      :P  a perm   :W  a pad_width    :R  repeats of tile    :E  an equation
 */
struct nnp_operator {
    const char *name;
    const char *weights;
    const char *attributes;
    uint8_t least, most; /* how many inputs; NNP_MANY: no bound */
    uint8_t flags;
    uint8_t kind; /* tells operators apart that share functions */

    /* Fills call->made; NNP_OK, or the fault of a file that breaks a constraint. */
    nnp_status (*infer)(nnp_call *call);

    /* Computes the outputs. May fail with NNP_INDEX_RANGE alone. */
    nnp_status (*run)(const nnp_call *call);

    /* How much scratch a call needs; NULL: none. Types are known, data is not. */
    size_t (*scratch)(const nnp_call *call);

    /* What is made of the weights once: how many bytes that takes (NULL: none), and the work, which may find a fault in
     * the weights' numbers (NULL: none). The sizes and dtypes of weights are known to both, their data to the second. */
    size_t (*prepared_size)(const nnp_layer *layer, unsigned flags);
    nnp_status (*prepare)(nnp_layer *layer, unsigned flags);
};

#define NNP_MANY 255
enum {
    NNP_VIEW = 1,     /* the output is the first input's elements, or the first weight's, in the same order: nothing is run */
    NNP_IN_PLACE = 2, /* run may write the output into the memory of the first input, where both have as many bytes */
    NNP_STRINGS = 4,  /* inputs may be strings */
    NNP_BLOCKS = 8,   /* run calls nnp_finish for all rows of the output, part by part */
    NNP_APART = 16    /* each element is computed by itself; with weights, by those of its place along attribute 0, an axis */
};

/*
 * What an operator with NNP_BLOCKS calls as soon as some rows of its output are made, (rows, last axis), at most 2^31: the
 * layers behind it that can do with these rows alone are run on them, as long as they are in a cache.
 */
#ifdef __OPTIMIZE_SIZE__
#define nnp_finish(call, first, rows) ((void)(call))
#else
void nnp_finish(const nnp_call *call, size_t first, size_t rows);
#endif

/* What an operator needs to know of its layer. */
static inline const nnp_type *nnp_in(const nnp_call *call, uint32_t i)
{
    return &call->types[call->layer->inputs[i]];
}

static inline const void *nnp_in_data(const nnp_call *call, uint32_t i)
{
    return call->data[call->layer->inputs[i]];
}

/* Types of outputs are known in a call. */
static inline const nnp_type *nnp_out(const nnp_call *call, uint32_t i)
{
    return &call->types[call->layer->outputs + i];
}

static inline void *nnp_out_data(const nnp_call *call, uint32_t i)
{
    return call->data[call->layer->outputs + i];
}

static inline uint32_t nnp_inputs(const nnp_call *call)
{
    return call->layer->input_count;
}

/* NULL where the weight is not there. */
static inline const nnp_tensor *nnp_weight(const nnp_call *call, unsigned role)
{
    return call->layer->weights[role];
}

static inline const nnp_attribute *nnp_attr(const nnp_call *call, unsigned i)
{
    return &call->layer->attributes[i];
}

/* The number of elements, of all dimensions or of those from `first` to `last` - 1. In a call they fit into memory. */
size_t nnp_elements(const nnp_type *type);
size_t nnp_product(const nnp_type *type, unsigned first, unsigned last);

/* Sizes in bytes: SIZE_MAX where they do not fit, which no memory is as large as. */
static inline size_t nnp_plus(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static inline size_t nnp_times(size_t a, size_t b)
{
    return b > 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

/* Up to a multiple of NNP_ALIGNMENT. */
static inline size_t nnp_rounded_up(size_t bytes)
{
    return bytes > SIZE_MAX - NNP_ALIGNMENT ? SIZE_MAX : (bytes + NNP_ALIGNMENT - 1) / NNP_ALIGNMENT * NNP_ALIGNMENT;
}

/* Rules that op->infer is made of (src/rules.c). Each answers NNP_OK, or a fault whose place is in call->at. */

/* A fault: its place below the layer, in which %u stands for `i`. */
#if NNP_MESSAGES
nnp_status nnp_refuse(nnp_call *call, nnp_status status, const char *at, unsigned i);
#else
#define nnp_refuse(call, status, at, i) ((void)(call), (void)(i), (status))
#endif

/* Input i has a dtype of the set; all inputs have the dtype of the first, which is of the set. */
nnp_status nnp_require_dtype(nnp_call *call, uint32_t i, unsigned set);
nnp_status nnp_require_dtypes(nnp_call *call, unsigned set);
/* All inputs and all weights have one floating-point dtype. */
nnp_status nnp_require_float(nnp_call *call);
/* Input i has so many dimensions. */
nnp_status nnp_require_rank(nnp_call *call, uint32_t i, unsigned least, unsigned most);
/* A weight that is there has these dimensions; one below 0 stands for any. */
nnp_status nnp_require_weight(nnp_call *call, unsigned role, unsigned rank, const int32_t *dims);
/* The attribute i is an axis, or a list of axes, of the first input; `axis-range` otherwise. */
nnp_status nnp_require_axis(nnp_call *call, unsigned i);
nnp_status nnp_require_axes(nnp_call *call, unsigned i);
/* The lists that are attributes i and on, `count` of them, have n elements; `rank-range` otherwise. */
nnp_status nnp_require_lengths(nnp_call *call, unsigned i, unsigned count, unsigned n);

/* What is made is like input i: dtype and shape. */
void nnp_make_like(nnp_call *call, unsigned output, uint32_t i);
/* What is made has the shapes of inputs first … last - 1 as numpy broadcasts them, and the dtype of input `first`. */
nnp_status nnp_make_broadcast(nnp_call *call, uint32_t first, uint32_t last);
/* The same of all their dimensions but the last `but`, of which each has as many. */
nnp_status nnp_make_leading(nnp_call *call, uint32_t first, uint32_t last, unsigned but);
/* A dimension that was computed: NNP_NONE unless it is from 0 to 2^31 - 1. */
int32_t nnp_number(int64_t n);

/* A symbol, as opposed to a number. */
static inline bool nnp_is_symbol(int32_t dim)
{
    return dim < 0;
}

#define NNP_TRY(expression)                                                                                            \
    do {                                                                                                               \
        nnp_status nnp_tried_ = (expression);                                                                          \
        if (nnp_tried_ != NNP_OK) return nnp_tried_;                                                                   \
    } while (0)

/* An index over several dimensions: `strides` of several arrays advance together. Used where axes are walked by place. */
typedef struct {
    unsigned rank;
    int32_t dims[NNP_RANK];
    size_t steps[3][NNP_RANK]; /* elements that array k moves per step along an axis; 0 where it is broadcast */
} nnp_walk;

/* The walk over the dimensions of `like`, with the steps of `count` arrays that broadcast to it. */
nnp_walk nnp_walk_over(const nnp_type *like, const nnp_type *const *arrays, unsigned count);
/* The places of the arrays at element `i` of the walk. */
void nnp_walk_at(const nnp_walk *walk, size_t i, size_t *places, unsigned count);

/* The operators that are built in: the table of src/operators.c. */
extern const nnp_operator *const nnp_operators[];
extern const size_t nnp_operator_count;

#endif
