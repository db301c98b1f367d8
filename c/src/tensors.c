/* The numbers of a file: whether they are what they have to be, and how layers get to see them. */
#include "model.h"

/* Numbers as they lie in the file: little-endian, at any address --------------------------------------------------- */

static const uint8_t *bytes_of(const nnp_model *model, const nnp_tensor *tensor)
{
    return model->file + model->payload + tensor->offset;
}

#if NNP_STORAGE
static uint32_t little_endian(const uint8_t *bytes, size_t size)
{
    uint32_t value = 0;
    while (size-- > 0) value = value << 8 | bytes[size];
    return value;
}

static float float_of_bits(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The bits of a float32 of the same number: float16 has 5 bits of exponent and 10 of fraction. */
static uint32_t widened(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3FF;
    if (exponent == 31) return sign | 0x7F800000 | fraction << 13;
    if (exponent != 0) return sign | (exponent + 112) << 23 | fraction << 13;
    if (fraction == 0) return sign;
    for (exponent = 113; !(fraction & 0x400); exponent--) fraction <<= 1; /* a subnormal, normal in float32 */
    return sign | exponent << 23 | (fraction & 0x3FF) << 13;
}
#endif

/* Whether all numbers of a float tensor are finite: no exponent, part of the upper 16 bits, consists of ones alone. */
static bool is_finite(const nnp_model *model, const nnp_tensor *tensor)
{
    static const uint16_t exponents[] = {0x7F80, 0x7FF0, 0x7C00, 0x7F80};
    if (tensor->stored > NNP_BFLOAT16) return true;
    size_t size = nnp_dtype_size((nnp_dtype)tensor->stored);
    unsigned ones = exponents[tensor->stored];
    const uint8_t *upper = bytes_of(model, tensor) + size - 2;
    for (uint32_t at = 0; at < tensor->nbytes; at += (uint32_t)size, upper += size)
        if (((upper[0] | (unsigned)upper[1] << 8) & ones) == ones) return false;
    return true;
}

/* Checks ----------------------------------------------------------------------------------------------------------- */

#define FAIL(status, name, i, expected)                                                                                \
    return nnp_fault(error, status, NNP_AT(NNP_AT(NULL, "/tensors/", i), name, 0), expected, model->file, 0)

#if NNP_STORAGE
/* A scale or a zero point: `rank` 1 with the size of the axis, or a scalar. */
static nnp_status check_part(nnp_model *model, nnp_error *error, uint32_t i, uint32_t *part, nnp_dtype dtype)
{
    const nnp_tensor *tensor = &model->tensors[i];
    *part = nnp_find_name(model->file, &model->tensor_names, *part);
    if (*part == NNP_NOTHING) FAIL(NNP_TENSOR_MISSING, "/quantization", i, "the names of tensors");
    nnp_tensor *found = &model->tensors[*part];
    unsigned rank = tensor->axis < NNP_RANK;
    if (found->stored != dtype || found->quantized || found->type.rank != rank ||
        (rank == 1 && found->type.dims[0] != tensor->type.dims[tensor->axis]))
        FAIL(NNP_QUANTIZATION_PART, "/quantization", i, "a scale of float32 and a zero_point of int8, not quantized");
    found->referenced = true;
    return NNP_OK;
}
#endif

nnp_status nnp_check_tensors(nnp_model *model, nnp_error *error)
{
    uint32_t twice = nnp_order_names(model->file, &model->tensor_names);
    if (twice != NNP_NOTHING) FAIL(NNP_DUPLICATE_TENSOR, "/name", twice, "a name of its own");
#if NNP_STORAGE
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        nnp_tensor *tensor = &model->tensors[i];
        if (!tensor->quantized) continue;
        NNP_TRY(check_part(model, error, i, &tensor->scale, NNP_FLOAT32));
        NNP_TRY(check_part(model, error, i, &tensor->zero_point, NNP_INT8));
        const uint8_t *scale = bytes_of(model, &model->tensors[tensor->scale]);
        for (uint32_t at = 0; at < model->tensors[tensor->scale].nbytes; at += 4) {
            float number = float_of_bits(little_endian(scale + at, 4));
            if (!(number > 0) || number - number != 0)
                FAIL(NNP_SCALE_RANGE, "/quantization/scale", i, "finite numbers above 0");
        }
    }
#endif
    return NNP_OK;
}

nnp_status nnp_check_payload(nnp_model *model, nnp_error *error)
{
    const uint8_t *payload = model->file + model->payload;
    uint32_t end = 0;
#if NNP_HASH
    char digits[64];
    nnp_sha256(payload, model->payload_size, digits);
    if (memcmp(digits, model->file + nnp_item_at(model->file, model->hash).at, 64) != 0)
        return nnp_fault(error, NNP_HASH_MISMATCH, NNP_AT(NULL, "/payload_sha256", 0), "the SHA-256 of the payload", NULL, 0);
#endif
    bool nonfinite = false;
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        const nnp_tensor *tensor = &model->tensors[i];
        for (; end < tensor->offset; end++)
            if (payload[end] != 0) FAIL(NNP_GAP_NOT_ZERO, "/offset", i, "zeros in front of the tensor");
        end += tensor->nbytes;
        if (tensor->stored == NNP_BOOL)
            for (uint32_t at = tensor->offset; at < end; at++)
                if (payload[at] > 1) FAIL(NNP_BOOL_BYTE, "", i, "bytes 0 and 1");
        if (is_finite(model, tensor)) continue;
        if (!model->nonfinite) FAIL(NNP_WEIGHT_NOT_FINITE, "", i, "finite numbers, or feature:nonfinite in /requires");
        nonfinite = true;
    }
    if (model->nonfinite && !nonfinite)
        return nnp_fault(error, NNP_REQUIRES_UNUSED, NNP_AT(NULL, "/requires", 0), "only what the model uses", NULL, 0);
    return NNP_OK;
}

/* Preparing -------------------------------------------------------------------------------------------------------- */

static bool is_big_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 0;
}

#if NNP_STORAGE
/* Number i of a tensor that is quantized, or stored as float16 or bfloat16. */
static float widened_number(const nnp_model *model, const nnp_tensor *tensor, size_t i, uint32_t bits)
{
    if (tensor->stored == NNP_FLOAT16) return float_of_bits(widened(bits));
    if (tensor->stored == NNP_BFLOAT16) return float_of_bits(bits << 16);
    const nnp_tensor *scales = &model->tensors[tensor->scale], *zeros = &model->tensors[tensor->zero_point];
    size_t channel = 0;
    if (tensor->axis < NNP_RANK)
        channel = i / nnp_product(&tensor->type, tensor->axis + 1U, tensor->type.rank) % (size_t)scales->type.dims[0];
    float scale = float_of_bits(little_endian(bytes_of(model, scales) + 4 * channel, 4));
    return (float)((int8_t)bits - (int8_t)bytes_of(model, zeros)[channel]) * scale;
}
#endif

/* Writes the numbers of a tensor as layers compute with them. */
static const void *convert(const nnp_model *model, const nnp_tensor *tensor, uint8_t *to)
{
    const uint8_t *from = bytes_of(model, tensor);
    size_t size = nnp_dtype_size((nnp_dtype)tensor->stored), swap = is_big_endian() ? size - 1 : 0;
    if (tensor->stored == tensor->type.dtype) {
        for (size_t i = 0; i < tensor->nbytes; i++) to[i ^ swap] = from[i]; /* sizes are powers of two */
        return to;
    }
#if NNP_STORAGE
    for (size_t i = 0; i < tensor->nbytes / size; i++) {
        float number = widened_number(model, tensor, i, little_endian(from + i * size, size));
        memcpy(to + i * sizeof number, &number, sizeof number);
    }
#endif
    return to;
}

/* How many bytes a tensor takes outside of the file: 0 where layers can use it where it lies; SIZE_MAX where they are
 * too many to be counted. */
static size_t converted_size(const nnp_model *model, const nnp_tensor *tensor)
{
    size_t size = nnp_dtype_size((nnp_dtype)tensor->stored), wider = 1;
    bool in_place = (uintptr_t)bytes_of(model, tensor) % size == 0 && !(size > 1 && is_big_endian());
#if NNP_STORAGE
    wider = nnp_dtype_size((nnp_dtype)tensor->type.dtype) / size;
    in_place = in_place && !tensor->quantized && tensor->stored == tensor->type.dtype;
#endif
    if (in_place) return 0;
    return tensor->nbytes > SIZE_MAX / wider ? SIZE_MAX : tensor->nbytes * wider;
}

/* Adds bytes, as many as keep what follows aligned; false where there are not so many. */
static bool reserve(size_t *total, size_t bytes)
{
    if (bytes > SIZE_MAX / 2 - *total) return false;
    *total += (bytes + NNP_ALIGNMENT - 1) / NNP_ALIGNMENT * NNP_ALIGNMENT;
    return true;
}

/* Goes through all that is converted and prepared: how many bytes that takes, and, where `making` it, the work. */
static nnp_status prepare(const nnp_model *model, unsigned flags, bool making, uint8_t *memory, size_t *used,
                          nnp_error *error)
{
    *used = 0;
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        nnp_tensor *tensor = &model->tensors[i];
        size_t size = converted_size(model, tensor);
        if (making) tensor->data = size == 0 ? bytes_of(model, tensor) : convert(model, tensor, memory + *used);
        if (!reserve(used, size)) return NNP_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < model->layer_count; i++) {
        nnp_layer *layer = &model->layers[i];
        size_t size = layer->op->prepared_size == NULL ? 0 : layer->op->prepared_size(layer, flags);
        if (making) {
            layer->prepared = size == 0 ? NULL : memory + *used;
            nnp_status status = layer->op->prepare == NULL ? NNP_OK : layer->op->prepare(layer, flags);
            if (status != NNP_OK) return nnp_fault_of_layer(error, status, model, layer, "/weights");
        }
        if (!reserve(used, size)) return NNP_OUT_OF_MEMORY;
    }
    return NNP_OK;
}

nnp_status nnp_prepare_size(const nnp_model *model, unsigned flags, size_t *bytes)
{
    return prepare(model, flags, false, NULL, bytes, NULL);
}

nnp_status nnp_prepare(nnp_model *model, unsigned flags, void *memory, size_t bytes, nnp_error *error)
{
    size_t needed;
    NNP_TRY(nnp_prepare_size(model, flags, &needed));
    if (bytes < needed) return nnp_fault(error, NNP_OUT_OF_MEMORY, NULL, "as many bytes as nnp_prepare_size says", NULL, 0);
    NNP_TRY(prepare(model, flags, true, memory, &needed, error));
    model->prepared = true;
    return NNP_OK;
}
