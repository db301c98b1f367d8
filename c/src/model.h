/* The model as nnp_open leaves it, and the steps that make it. */
#ifndef NNP_MODEL_H
#define NNP_MODEL_H

#include "msgpack.h"

/* Names of one kind: where they are in the file, msgpack strings, and their order. */
typedef struct {
    uint32_t *at, *order;
    uint32_t count;
} nnp_names;

typedef struct {
    uint32_t value, output; /* values: what layers read, and what it becomes */
    uint32_t initial;       /* tensor */
} nnp_state;

/*
 * Everything that a header says, in arrays. Names are places in the file, of msgpack strings. Values are numbered: inputs,
 * then states, then what the layers make, in their order.
 */
struct nnp_model {
    const uint8_t *file;
    nnp_tensor *tensors;
    nnp_type *types;       /* of values */
    nnp_layer *layers;
    nnp_state *states;
    uint32_t *outputs;     /* values */
    int32_t *dims;         /* of types; symbols are numbered from NNP_BATCH downwards */
    int32_t *items;        /* of attributes that are lists */
    uint32_t *references;  /* names, which become values or tensors: inputs of layers, the self-test */
    const nnp_tensor **weights;
    nnp_attribute *attributes;
    uint32_t *scratch;     /* as long as the longest of what is sorted besides */

    uint32_t tensor_count, value_count, input_count, layer_count, output_count, state_count, symbol_count;
    uint32_t dim_count, item_count, reference_count, weight_count, attribute_count, scratch_count;

    size_t payload;
    uint32_t payload_size;
    uint32_t selftest_at; /* in `references`: tensors for inputs, outputs, tolerances; 0 where there is no self-test */
    uint32_t header, name, hash, requires; /* places in the file */
    bool nonfinite, prepared;
    nnp_names tensor_names, value_names, layer_names;
};

/* How many states there are: a constant where there are none, so that what is done with them is left out. */
static inline uint32_t nnp_states_of(const nnp_model *model)
{
    return NNP_STATES ? model->state_count : 0;
}

/* Where something of a header is, for messages: a chain from the inside to the outside. */
typedef struct nnp_pointer {
    const struct nnp_pointer *around;
    const char *name; /* up to ?, = or :; followed by the index, where it ends in a slash */
    uint32_t index;
} nnp_pointer;

/*
 * nnp_fault writes an error: status, place, what was expected, and the object at byte `received` of the file, if that is
 * not 0. nnp_fault_at_byte is for a fault that is at a byte of the file, nnp_fault_of_layer for one whose place below
 * the layer nnp_refuse has told. All answer the status.
 */
#if NNP_MESSAGES
#define NNP_AT(around, name, index) (&(const nnp_pointer){around, name, index})
nnp_status nnp_fault(nnp_error *error, nnp_status status, const nnp_pointer *place, const char *expected,
                     const uint8_t *file, uint32_t received);
nnp_status nnp_fault_at_byte(nnp_error *error, nnp_status status, uint32_t byte);
nnp_status nnp_fault_of_layer(nnp_error *error, nnp_status status, const nnp_model *model, const nnp_layer *layer,
                              const char *at);
#else
#define NNP_AT(around, name, index) NULL
#define nnp_fault(error, status, place, expected, file, received) \
    ((void)(error), (void)(place), (void)(received), (status))
#define nnp_fault_at_byte(error, status, byte) ((void)(error), (void)(byte), (status))
#define nnp_fault_of_layer(error, status, model, layer, at) ((void)(error), (status))
#endif

/* errors.c: the names of dtypes, one behind the other. */
extern const char nnp_dtype_names[];

/* header.c: goes through the header. Without `model->tensors` it counts what there is, with them it fills the arrays. */
nnp_status nnp_read_header(nnp_model *model, nnp_error *error);
/* The number of something that `requires` lists, whose name is at a byte of the file: operators, dtypes, features;
 * NNP_NOTHING where this runtime does not have it. */
uint32_t nnp_requirement(const nnp_model *model, uint32_t at);
#define NNP_NOTHING UINT32_MAX
#define NNP_NONFINITE ((uint32_t)nnp_operator_count + NNP_DTYPES)
#define NNP_REQUIREMENTS (NNP_NONFINITE + 3)

/* tensors.c: names and quantizations; the numbers of the payload; what of them is needed in another form. */
nnp_status nnp_check_tensors(nnp_model *model, nnp_error *error);
nnp_status nnp_check_payload(nnp_model *model, nnp_error *error);

/* graph.c: names become numbers; every rule of the graph. */
nnp_status nnp_check_graph(nnp_model *model, nnp_error *error);

/* names.c: orders names; the place among them of one that is there twice, or NNP_NOTHING. */
uint32_t nnp_order_names(const uint8_t *file, nnp_names *names);
/* The place of a name, once names are in order; NNP_NOTHING where there is none such. */
uint32_t nnp_find_name(const uint8_t *file, const nnp_names *names, uint32_t name);
/* Sorts numbers by what `before` says of two of them. */
void nnp_sort(uint32_t *numbers, uint32_t count, bool (*before)(const void *context, uint32_t a, uint32_t b),
              const void *context);
/* Compares what a layer makes with what it declares; numbers of symbols are kept in `symbols` where that is not NULL. */
nnp_status nnp_infer(nnp_call *call, const nnp_model *model, int32_t *symbols);
/* Whether a declared dimension is this number; a symbol that has none yet gets it. */
bool nnp_bind_symbol(int32_t declared, int32_t number, int32_t *symbols);
#define NNP_UNBOUND (-1)

#if NNP_HASH
/* The SHA-256 of some bytes as 64 lower-case hexadecimal digits. */
void nnp_sha256(const uint8_t *bytes, size_t size, char digits[64]);
#endif

#endif
