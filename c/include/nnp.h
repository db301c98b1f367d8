/*
 * nnpack in C99: predicts with .nnpack files. No allocation, no globals, no dependency but libm.
 *
 * The caller owns all memory. Four steps, each of which says beforehand how many bytes the next one takes:
 *
 *     nnp_model_size     nnp_open            the parsed header; weights stay in the file's bytes, which must outlive the model
 *     nnp_prepare_size   nnp_prepare         weights that are not stored as they are computed with; usually 0 bytes
 *     nnp_workspace_size nnp_workspace_new   what one thread needs, whatever it is asked for
 *     nnp_plan           nnp_bind            the values of calls with inputs of some shapes
 *
 * and then nnp_run, as often as wanted. A model is never written to: threads share it, each with a workspace of its own.
 * Every function that can fail answers a status, NNP_OK where it has not; codes are those of spec/errors.md.
 * Memory has to be aligned to NNP_ALIGNMENT; only the file's bytes need not be.
 */
#ifndef NNP_H
#define NNP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NNP_VERSION "1.0.0"
#define NNP_ALIGNMENT 64

/* The codes of spec/errors.md that a runtime has a use for: their names here, and there. New ones go to the end. */
#define NNP_STATUSES(X)                                                                                                \
    X(EMPTY_FILE, "empty-file")                                                                                        \
    X(WRONG_MAGIC, "wrong-magic")                                                                                      \
    X(CONTAINER_LENGTH, "container-length")                                                                            \
    X(TRUNCATED_HEADER, "truncated-header")                                                                            \
    X(TRUNCATED_PAYLOAD, "truncated-payload")                                                                          \
    X(TRAILING_BYTES, "trailing-bytes")                                                                                \
    X(PAD_LENGTH, "pad-length")                                                                                        \
    X(PAD_NOT_ZERO, "pad-not-zero")                                                                                    \
    X(PAYLOAD_HEAD, "payload-head")                                                                                    \
    X(PAYLOAD_MISALIGNED, "payload-misaligned")                                                                        \
    X(MSGPACK_INVALID_BYTE, "msgpack-invalid-byte")                                                                    \
    X(MSGPACK_NIL, "msgpack-nil")                                                                                      \
    X(MSGPACK_BIN, "msgpack-bin")                                                                                      \
    X(MSGPACK_EXT, "msgpack-ext")                                                                                      \
    X(MSGPACK_TIMESTAMP, "msgpack-timestamp")                                                                          \
    X(UTF8_INVALID, "utf8-invalid")                                                                                    \
    X(KEY_TYPE, "key-type")                                                                                            \
    X(DUPLICATE_KEY, "duplicate-key")                                                                                  \
    X(NUMBER_NOT_FINITE, "number-not-finite")                                                                          \
    X(INTEGER_RANGE, "integer-range")                                                                                  \
    X(LIMIT_HEADER, "limit-header")                                                                                    \
    X(LIMIT_NESTING, "limit-nesting")                                                                                  \
    X(LIMIT_STRING, "limit-string")                                                                                    \
    X(LIMIT_ITEMS, "limit-items")                                                                                      \
    X(VERSION_TYPE, "version-type")                                                                                    \
    X(VERSION_MAJOR, "version-major")                                                                                  \
    X(REQUIRES_UNKNOWN, "requires-unknown")                                                                            \
    X(REQUIRES_INCOMPLETE, "requires-incomplete")                                                                      \
    X(REQUIRES_UNUSED, "requires-unused")                                                                              \
    X(REQUIRES_ORDER, "requires-order")                                                                                \
    X(OPERATOR_UNKNOWN, "operator-unknown")                                                                            \
    X(OPERATOR_VERSION, "operator-version")                                                                            \
    X(UNKNOWN_KEY, "unknown-key")                                                                                      \
    X(MISSING_KEY, "missing-key")                                                                                      \
    X(WRONG_TYPE, "wrong-type")                                                                                        \
    X(WRONG_VALUE, "wrong-value")                                                                                      \
    X(LIST_LENGTH, "list-length")                                                                                      \
    X(NAME_LENGTH, "name-length")                                                                                      \
    X(NAME_NUL, "name-nul")                                                                                            \
    X(DTYPE_UNKNOWN, "dtype-unknown")                                                                                  \
    X(RANK_RANGE, "rank-range")                                                                                        \
    X(DIMENSION_RANGE, "dimension-range")                                                                              \
    X(ATTRIBUTE_MISSING, "attribute-missing")                                                                          \
    X(ATTRIBUTE_UNKNOWN, "attribute-unknown")                                                                          \
    X(OUTPUT_STRUCTURE, "output-structure")                                                                            \
    X(DUPLICATE_TENSOR, "duplicate-tensor")                                                                            \
    X(ELEMENT_COUNT, "element-count")                                                                                  \
    X(TENSOR_NBYTES, "tensor-nbytes")                                                                                  \
    X(TENSOR_MISALIGNED, "tensor-misaligned")                                                                          \
    X(TENSOR_ORDER, "tensor-order")                                                                                    \
    X(TENSOR_OVERLAP, "tensor-overlap")                                                                                \
    X(TENSOR_HOLE, "tensor-hole")                                                                                      \
    X(TENSOR_BOUNDS, "tensor-bounds")                                                                                  \
    X(PAYLOAD_SIZE, "payload-size")                                                                                    \
    X(GAP_NOT_ZERO, "gap-not-zero")                                                                                    \
    X(HASH_MISMATCH, "hash-mismatch")                                                                                  \
    X(TENSOR_MISSING, "tensor-missing")                                                                                \
    X(TENSOR_UNREFERENCED, "tensor-unreferenced")                                                                      \
    X(BOOL_BYTE, "bool-byte")                                                                                          \
    X(WEIGHT_NOT_FINITE, "weight-not-finite")                                                                          \
    X(QUANTIZATION_DTYPE, "quantization-dtype")                                                                        \
    X(QUANTIZATION_PART, "quantization-part")                                                                          \
    X(SCALE_RANGE, "scale-range")                                                                                      \
    X(DUPLICATE_LAYER, "duplicate-layer")                                                                              \
    X(DUPLICATE_VALUE, "duplicate-value")                                                                              \
    X(UNDEFINED_VALUE, "undefined-value")                                                                              \
    X(FORWARD_REFERENCE, "forward-reference")                                                                          \
    X(UNDEFINED_OUTPUT, "undefined-output")                                                                            \
    X(DEAD_LAYER, "dead-layer")                                                                                        \
    X(BATCH_AXIS, "batch-axis")                                                                                        \
    X(INPUT_COUNT, "input-count")                                                                                      \
    X(OUTPUT_COUNT, "output-count")                                                                                    \
    X(WEIGHT_MISSING, "weight-missing")                                                                                \
    X(WEIGHT_UNKNOWN, "weight-unknown")                                                                                \
    X(WEIGHT_SHAPE, "weight-shape")                                                                                    \
    X(DTYPE_MISMATCH, "dtype-mismatch")                                                                                \
    X(SHAPE_DECLARED, "shape-declared")                                                                                \
    X(AXIS_RANGE, "axis-range")                                                                                        \
    X(AXIS_ODD, "axis-odd")                                                                                            \
    X(BROADCAST_MISMATCH, "broadcast-mismatch")                                                                        \
    X(RESHAPE_COUNT, "reshape-count")                                                                                  \
    X(CONCATENATE_MISMATCH, "concatenate-mismatch")                                                                    \
    X(OPERAND_SHAPE, "operand-shape")                                                                                  \
    X(AXIS_SIZE, "axis-size")                                                                                          \
    X(GROUPS_DIVIDE, "groups-divide")                                                                                  \
    X(BOUNDARIES_ORDER, "boundaries-order")                                                                            \
    X(VOCABULARY_INVALID, "vocabulary-invalid")                                                                        \
    X(VARIANCE_RANGE, "variance-range")                                                                                \
    X(STATE_MISMATCH, "state-mismatch")                                                                                \
    X(ACTIVATION_LIMIT, "activation-limit")                                                                            \
    X(SELFTEST_COUNT, "selftest-count")                                                                                \
    X(SELFTEST_TENSOR, "selftest-tensor")                                                                              \
    X(CANONICAL_ORDER, "canonical-order")                                                                              \
    X(SHAPE, "shape")                                                                                                  \
    X(INDEX_RANGE, "index-range")                                                                                      \
    X(SELFTEST_ABSENT, "selftest-absent")                                                                              \
    X(SELFTEST_FAILED, "selftest-failed")                                                                              \
    X(FILE_NOT_FOUND, "file-not-found")                                                                                \
    X(FILE_IS_DIRECTORY, "file-is-directory")                                                                          \
    X(FILE_NOT_REGULAR, "file-not-regular")                                                                            \
    X(FILE_NOT_PERMITTED, "file-not-permitted")                                                                        \
    X(FILE_ERROR, "file-error")                                                                                        \
    X(OUT_OF_MEMORY, "out-of-memory")

#define NNP_STATUS_OF(name, code) NNP_##name,
typedef enum { NNP_OK, NNP_STATUSES(NNP_STATUS_OF) NNP_STATUS_COUNT } nnp_status;
#undef NNP_STATUS_OF

/* The code of a status, such as "tensor-overlap"; "ok" for NNP_OK. */
const char *nnp_status_code(nnp_status status);

/* What went wrong, and where. Any function takes NULL in its place; built without NNP_MESSAGES, none writes it. */
typedef struct {
    nnp_status status;
    char at[96];       /* the place: a JSON pointer into the header, "byte N" of the file, or the name of a layer */
    char message[256]; /* all of it, in one line: "tensor-overlap at /tensors/4/offset: expected …, received …" */
} nnp_error;

/* Types of elements, as spec/format.md stores them. float16 and bfloat16 are of tensors alone, strings of inputs. */
typedef enum {
    NNP_FLOAT32,
    NNP_FLOAT64,
    NNP_FLOAT16,
    NNP_BFLOAT16,
    NNP_INT8,
    NNP_INT32,
    NNP_INT64,
    NNP_UINT8,
    NNP_BOOL,
    NNP_STRING,
    NNP_DTYPES
} nnp_dtype;

/* "float32", …; and the bytes of an element. An element of a string input is a nnp_text. */
const char *nnp_dtype_name(nnp_dtype dtype);
size_t nnp_dtype_size(nnp_dtype dtype);

typedef struct {
    const char *bytes; /* UTF-8, not terminated */
    size_t length;
} nnp_text;

/* An input, a state or an output of a model. */
typedef struct {
    nnp_text name;
    nnp_dtype dtype;
    unsigned rank;
    const int32_t *dims; /* numbers; below 0 where only a call tells: equal ones are equal in a call, NNP_BATCH the rows */
} nnp_value;

#define NNP_BATCH (-1)

typedef struct nnp_model nnp_model;
typedef struct nnp_workspace nnp_workspace;

/* Files ------------------------------------------------------------------------------------------------------------ */

enum {
    NNP_TRUST = 1 /* the payload is not looked at: neither its hash, nor gaps, booleans and NaN */
};

/*
 * How many bytes nnp_open needs for this file. Refuses a file that is none.
 */
nnp_status nnp_model_size(const void *file, size_t size, size_t *bytes, nnp_error *error);

/*
 * Reads a file: spec/format.md, "Reading, step by step", 1 to 7. A file with any fault is refused.
 *
 *   flags     0 or NNP_TRUST
 *   memory    of `bytes` bytes, at least as many as nnp_model_size says; it and the file must outlive the model
 */
nnp_status nnp_open(nnp_model **model, const void *file, size_t size, unsigned flags, void *memory, size_t bytes,
                    nnp_error *error);

enum {
    NNP_PACK = 1 /* kernels are laid out anew, in the order in which they are multiplied: faster, for their size in memory */
};

/*
 * Weights that cannot be used as they lie in the file are converted: float16, bfloat16 and quantized ones; all of them
 * where the machine is big-endian or the file not aligned; indices of vocabularies. 0 bytes for most models.
 *
 *   flags     0 or NNP_PACK
 */
nnp_status nnp_prepare_size(const nnp_model *model, unsigned flags, size_t *bytes);
nnp_status nnp_prepare(nnp_model *model, unsigned flags, void *memory, size_t bytes, nnp_error *error);

size_t nnp_input_count(const nnp_model *model);
size_t nnp_output_count(const nnp_model *model);
size_t nnp_state_count(const nnp_model *model);
nnp_value nnp_input(const nnp_model *model, size_t i);
nnp_value nnp_output(const nnp_model *model, size_t i);
nnp_text nnp_model_name(const nnp_model *model);

/* Calls ------------------------------------------------------------------------------------------------------------ */

/* How many bytes a workspace of this model takes, and a workspace in such memory. */
size_t nnp_workspace_size(const nnp_model *model);
nnp_workspace *nnp_workspace_new(const nnp_model *model, void *memory);

/*
 * Makes the workspace ready for inputs of these shapes.
 *
 *   dims      for each input its dimensions, as many as it has
 *   bytes     takes how many bytes of memory nnp_bind has to be given
 *   states    takes how many bytes the states of so many rows take; 0 for a model without
 *
 * Fails with NNP_SHAPE where shapes do not fit the model, with NNP_OUT_OF_MEMORY where they ask for more than there can be.
 */
nnp_status nnp_plan(nnp_workspace *workspace, const int32_t *const *dims, size_t *bytes, size_t *states,
                    nnp_error *error);

/*
 * Gives the workspace its memory. That of states keeps what a call leaves for the next one: it stays with the workspace
 * until nnp_reset, also where other shapes of the same number of rows are planned in between. NULL where there are none.
 */
nnp_status nnp_bind(nnp_workspace *workspace, void *memory, size_t bytes, void *states, size_t state_bytes,
                    nnp_error *error);

/*
 * Computes the outputs of one call.
 *
 *   inputs    for each input its elements, in C order, in the byte order of the machine, aligned as their
 *             type; a bool is a byte, 0 or 1
 */
nnp_status nnp_run(nnp_workspace *workspace, const void *const *inputs, nnp_error *error);

/* Output i of the last call, valid until the next: its elements, and its dimensions. NULL before the first call, and after
 * one that failed to be planned. (i is below nnp_output_count, here as in nnp_output.) */
const void *nnp_result(const nnp_workspace *workspace, size_t i, const int32_t **dims);

/* The next call begins with the initial states. */
void nnp_reset(nnp_workspace *workspace);

/*
 * Runs the self-test that a file carries. Takes a workspace of its own, and memory for it.
 *
 * nnp_selftest_size fails with NNP_SELFTEST_ABSENT where there is none.
 */
nnp_status nnp_selftest_size(nnp_workspace *workspace, size_t *bytes, nnp_error *error);
nnp_status nnp_selftest(nnp_workspace *workspace, void *memory, size_t bytes, nnp_error *error);

#ifdef __cplusplus
}
#endif

#endif
