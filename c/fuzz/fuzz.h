/* What both fuzzers share: memory with a bound, of exactly the size that was asked for: ASan sees all beyond. */
#ifndef FUZZ_H
#define FUZZ_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200112L
#endif

#include "nnp.h"

#include <stdlib.h>
#include <string.h>

#define FUZZ_MEMORY ((size_t)1 << 26)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL beyond the bound. */
static inline void *take(size_t bytes)
{
    void *memory = NULL;
    if (bytes > FUZZ_MEMORY || posix_memalign(&memory, NNP_ALIGNMENT, bytes) != 0) return NULL;
    return memory;
}

/* Numbers that follow from the file, so that a file that fails does so again. */
static inline uint32_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*state >> 33);
}

static inline uint64_t seed_of(const uint8_t *data, size_t size)
{
    uint64_t hash = 14695981039346656037U;
    for (size_t i = 0; i < size; i++) hash = (hash ^ data[i]) * 1099511628211U;
    return hash;
}

/* Where sums of what was read go, so that it is read indeed. */
static volatile size_t sink;

/* Fails where the runtime contradicts itself. */
static inline void require(int condition)
{
    if (!condition) abort();
}

/* A file that has been opened and prepared. */
typedef struct {
    uint8_t *file; /* aligned or not, as the file says */
    void *parsed, *prepared;
    nnp_model *model; /* NULL where the file was refused, or is beyond the bound */
} opened;

static inline opened open_file(const uint8_t *data, size_t size, uint64_t *state)
{
    opened o = {NULL, NULL, NULL, NULL};
    unsigned flags = draw(state) & NNP_TRUST, layout = draw(state) & NNP_PACK, shift = draw(state) & 1;
    size_t bytes;
    nnp_error error;

    o.file = take(size + shift);
    if (o.file == NULL) return o;
    uint8_t *file = memcpy(o.file + shift, data, size);
    if (nnp_model_size(file, size, &bytes, &error) != NNP_OK) {
        require(error.status != NNP_OK && nnp_status_code(error.status)[0] != 0);
        return o;
    }
    o.parsed = take(bytes);
    nnp_model *model;
    if (o.parsed == NULL || nnp_open(&model, file, size, flags, o.parsed, bytes, &error) != NNP_OK) return o;
    if (nnp_prepare_size(model, layout, &bytes) != NNP_OK) return o;
    o.prepared = take(bytes);
    if (o.prepared == NULL || nnp_prepare(model, layout, o.prepared, bytes, &error) != NNP_OK) return o;
    o.model = model;
    return o;
}

static inline void close_file(opened *o)
{
    free(o->prepared);
    free(o->parsed);
    free(o->file);
}

#endif
