/* Files, and memory from malloc. */
#if defined __unix__ || defined __APPLE__
#define NNP_POSIX 1
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#else
#define NNP_POSIX 0
#endif

#include "nnp_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if NNP_POSIX
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

static void clear(nnp_error *error)
{
    if (error != NULL) *error = (nnp_error){.status = NNP_OK};
}

static nnp_status fail(nnp_error *error, nnp_status status, const char *at)
{
    if (error != NULL) {
        const char *code = nnp_status_code(status);
        error->status = status;
        snprintf(error->at, sizeof error->at, "%s", at);
        snprintf(error->message, sizeof error->message, *at == 0 ? "%s" : "%s at %s", code, at);
    }
    return status;
}

/* Memory ----------------------------------------------------------------------------------------------------------- */

static void release(nnp_block *block)
{
    free(block->held);
    *block = (nnp_block){0};
}

/* A block of at least so many bytes, which begins with what `block` held. */
static nnp_status grow(nnp_block *block, size_t size)
{
    if (block->data != NULL && size <= block->size) return NNP_OK;
    nnp_block larger = {.size = size};
    if (size <= SIZE_MAX - NNP_ALIGNMENT) larger.held = malloc(size + NNP_ALIGNMENT);
    if (larger.held == NULL) return NNP_OUT_OF_MEMORY;
    larger.data = (char *)larger.held + (NNP_ALIGNMENT - (uintptr_t)larger.held % NNP_ALIGNMENT);
    if (block->size > 0) memcpy(larger.data, block->data, block->size);
    free(block->held);
    *block = larger;
    return NNP_OK;
}

/* Another block, of at least so many bytes, where what it held is not needed: never both at once. */
static nnp_status replace(nnp_block *block, size_t size)
{
    if (block->data != NULL && size <= block->size) return NNP_OK;
    release(block);
    return grow(block, size);
}

/* Files ------------------------------------------------------------------------------------------------------------ */

/* What the C library or the system says of a file that it does not open or read. */
static nnp_status refusal(int number)
{
    switch (number) {
#ifdef ENOENT
    case ENOENT: return NNP_FILE_NOT_FOUND;
#endif
#ifdef ENOTDIR
    case ENOTDIR: return NNP_FILE_NOT_FOUND;
#endif
#ifdef EISDIR
    case EISDIR: return NNP_FILE_IS_DIRECTORY;
#endif
#ifdef ENXIO
    case ENXIO: return NNP_FILE_NOT_REGULAR; /* a socket */
#endif
#ifdef EACCES
    case EACCES: return NNP_FILE_NOT_PERMITTED;
#endif
#ifdef EPERM
    case EPERM: return NNP_FILE_NOT_PERMITTED;
#endif
#ifdef ENOMEM
    case ENOMEM: return NNP_OUT_OF_MEMORY;
#endif
    default: return NNP_FILE_ERROR;
    }
}

/* Takes the bytes of a stream, whose length is not known beforehand, into memory. */
static nnp_status read_all(FILE *stream, nnp_file *file)
{
    nnp_block block = {0};
    size_t size = 0;
    while (!feof(stream)) {
        size_t step = size < 65536 ? 65536 : size;
        if (size > SIZE_MAX - step || grow(&block, size + step) != NNP_OK) {
            release(&block);
            return NNP_OUT_OF_MEMORY;
        }
        block.size = size; /* what the next grow has to keep */
        size += fread((char *)block.data + size, 1, step, stream);
        if (ferror(stream)) {
            nnp_status status = refusal(errno);
            release(&block);
            return status;
        }
        block.size = size;
    }
    *file = (nnp_file){.bytes = block.data, .size = size, .held = block.held};
    return NNP_OK;
}

#if NNP_POSIX

static nnp_status open_file(const char *path, nnp_file *file)
{
    /* A pipe that nobody writes to would keep a plain open waiting. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return refusal(errno);
    struct stat about;
    nnp_status status = fstat(descriptor, &about) != 0 ? refusal(errno)
                        : S_ISDIR(about.st_mode)       ? NNP_FILE_IS_DIRECTORY
                        : !S_ISREG(about.st_mode)      ? NNP_FILE_NOT_REGULAR
                                                       : NNP_OK;
    if (status == NNP_OK && about.st_size > 0 && (uintmax_t)about.st_size <= SIZE_MAX) {
        size_t size = (size_t)about.st_size;
        void *held = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (held != MAP_FAILED) {
            *file = (nnp_file){.bytes = held, .size = size, .held = held, .mapped = 1};
            close(descriptor);
            return NNP_OK;
        }
    }
    /* An empty file, or a file system that maps nothing. */
    FILE *stream = status == NNP_OK ? fdopen(descriptor, "rb") : NULL;
    if (stream == NULL) {
        if (status == NNP_OK) status = refusal(errno);
        close(descriptor);
        return status;
    }
    status = read_all(stream, file);
    fclose(stream);
    return status;
}

static void unmap(nnp_file *file)
{
    munmap(file->held, file->size);
}

#else

static nnp_status open_file(const char *path, nnp_file *file)
{
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) return refusal(errno);
    nnp_status status = read_all(stream, file);
    fclose(stream);
    return status;
}

static void unmap(nnp_file *file)
{
    (void)file; /* nothing is ever mapped */
}

#endif

nnp_status nnp_file_open(const char *path, nnp_file *file, nnp_error *error)
{
    *file = (nnp_file){0};
    nnp_status status = open_file(path, file);
    return status == NNP_OK ? NNP_OK : fail(error, status, path);
}

void nnp_file_close(nnp_file *file)
{
    if (file->mapped) unmap(file);
    else free(file->held);
    *file = (nnp_file){0};
}

/* Models ----------------------------------------------------------------------------------------------------------- */

#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        nnp_status tried = (expression);                                                                               \
        if (tried != NNP_OK) return tried;                                                                             \
    } while (0)

static nnp_status take(nnp_block *block, size_t size, nnp_error *error)
{
    return replace(block, size) == NNP_OK ? NNP_OK : fail(error, NNP_OUT_OF_MEMORY, "");
}

static nnp_status open_model(nnp_loaded *loaded, unsigned flags, nnp_error *error)
{
    const nnp_file *file = &loaded->file;
    size_t bytes;
    TRY(nnp_model_size(file->bytes, file->size, &bytes, error));
    TRY(take(&loaded->parsed, bytes, error));
    TRY(nnp_open(&loaded->model, file->bytes, file->size, flags & NNP_TRUST, loaded->parsed.data, bytes, error));

    unsigned layout = flags & NNP_LEAN ? 0 : NNP_PACK;
    nnp_status status = nnp_prepare_size(loaded->model, layout, &bytes);
    if (status != NNP_OK) return fail(error, status, "");
    TRY(take(&loaded->prepared, bytes, error));
    TRY(nnp_prepare(loaded->model, layout, loaded->prepared.data, bytes, error));

    TRY(take(&loaded->working, nnp_workspace_size(loaded->model), error));
    loaded->workspace = nnp_workspace_new(loaded->model, loaded->working.data);

    size_t dims = 0;
    for (size_t i = 0; i < nnp_input_count(loaded->model); i++) dims += nnp_input(loaded->model, i).rank;
    TRY(take(&loaded->planned, dims * sizeof(int32_t), error));

    if (flags & NNP_TRUST) return NNP_OK;
    status = nnp_verify(loaded, error);
    return status == NNP_SELFTEST_ABSENT ? NNP_OK : status;
}

nnp_status nnp_load(const char *path, unsigned flags, nnp_loaded *loaded, nnp_error *error)
{
    clear(error);
    *loaded = (nnp_loaded){0};
    TRY(nnp_file_open(path, &loaded->file, error));
    nnp_status status = open_model(loaded, flags, error);
    if (status != NNP_OK) nnp_unload(loaded);
    return status;
}

void nnp_unload(nnp_loaded *loaded)
{
    release(&loaded->planned);
    release(&loaded->states);
    release(&loaded->values);
    release(&loaded->working);
    release(&loaded->prepared);
    release(&loaded->parsed);
    nnp_file_close(&loaded->file);
    *loaded = (nnp_loaded){0};
}

static nnp_status run_selftest(const nnp_loaded *loaded, nnp_block *working, nnp_block *values, nnp_error *error)
{
    size_t bytes;
    TRY(take(working, nnp_workspace_size(loaded->model), error));
    nnp_workspace *workspace = nnp_workspace_new(loaded->model, working->data);
    TRY(nnp_selftest_size(workspace, &bytes, error));
    TRY(take(values, bytes, error));
    return nnp_selftest(workspace, values->data, bytes, error);
}

nnp_status nnp_verify(const nnp_loaded *loaded, nnp_error *error)
{
    clear(error);
    nnp_block working = {0}, values = {0};
    nnp_status status = run_selftest(loaded, &working, &values, error);
    release(&values);
    release(&working);
    return status;
}

/* Whether the inputs' dimensions are those of the call before; keeps them for the call behind. */
static int same_dims(nnp_loaded *loaded, const int32_t *const *dims)
{
    int32_t *planned = loaded->planned.data;
    int same = loaded->ready;
    for (size_t i = 0; i < nnp_input_count(loaded->model); i++)
        for (unsigned axis = 0, rank = nnp_input(loaded->model, i).rank; axis < rank; axis++, planned++) {
            same = same && *planned == dims[i][axis];
            *planned = dims[i][axis];
        }
    return same;
}

static nnp_status plan(nnp_loaded *loaded, const int32_t *const *dims, nnp_error *error)
{
    size_t bytes, states;
    loaded->ready = 0;
    TRY(nnp_plan(loaded->workspace, dims, &bytes, &states, error));
    TRY(take(&loaded->values, bytes, error));
    if (states > 0 && grow(&loaded->states, states) != NNP_OK) return fail(error, NNP_OUT_OF_MEMORY, "");
    TRY(nnp_bind(loaded->workspace, loaded->values.data, bytes, loaded->states.data, states, error));
    loaded->ready = 1;
    return NNP_OK;
}

nnp_status nnp_predict(nnp_loaded *loaded, const void *const *inputs, const int32_t *const *dims, nnp_error *error)
{
    if (!same_dims(loaded, dims)) TRY(plan(loaded, dims, error));
    return nnp_run(loaded->workspace, inputs, error);
}
