/*
 * An adapter: makes the runtime speak the protocol of conformance/PROTOCOL.md. Without arguments it holds a
 * conversation, a line of JSON in, a line of JSON out; with arguments it is the one-shot form. Nothing else may go to
 * standard output. Behind --lean either form uses weights as they lie, not laid out anew: other code, to be proven too.
 */
#if defined __unix__ || defined __APPLE__
#define _POSIX_C_SOURCE 200809L
#endif

#include "json.h"
#include "nnp_file.h"

#include "internal.h" /* for nnp_operators and config.h alone */

#include <stdlib.h>
#include <time.h>

#define LINE_MAX_BYTES (1U << 20)
#define PATH_BYTES 4096

/* What the one-shot form ends with. */
enum { DONE = 0, FAILED = 1, REFUSED = 10, UNSUPPORTED = 11 };

static unsigned load_flags; /* NNP_LEAN behind --lean */

/* Whether a status speaks of the file's bytes: all other failures are the machine's, and no refusal. */
static bool is_refusal(nnp_status status)
{
    return status != NNP_OK && status < NNP_FILE_NOT_FOUND;
}

/* Raw elements ----------------------------------------------------------------------------------------------------- */

/* Turns elements from little-endian to the order of the machine, or back. */
static void reorder(void *elements, size_t bytes, size_t size)
{
    const uint16_t one = 1;
    unsigned char *element = elements;
    if (*(const unsigned char *)&one == 1) return;
    for (; bytes >= size; bytes -= size, element += size)
        for (size_t i = 0; i < size / 2; i++) {
            unsigned char kept = element[i];
            element[i] = element[size - 1 - i];
            element[size - 1 - i] = kept;
        }
}

/* The number of elements; SIZE_MAX where there are too many. */
static size_t count_elements(const int32_t *dims, unsigned rank)
{
    size_t count = 1;
    bool huge = false;
    for (unsigned axis = 0; axis < rank; axis++) {
        if (dims[axis] == 0) return 0;
        huge = huge || count > SIZE_MAX / 16 / (size_t)dims[axis];
        if (!huge) count *= (size_t)dims[axis];
    }
    return huge ? SIZE_MAX : count;
}

/* The bytes of a file, in memory of their own. */
static void *read_bytes(const char *path, size_t *size)
{
    nnp_file file;
    if (nnp_file_open(path, &file, NULL) != NNP_OK) return NULL;
    void *bytes = malloc(file.size + 1);
    if (bytes != NULL) memcpy(bytes, file.bytes, file.size);
    *size = file.size;
    nnp_file_close(&file);
    return bytes;
}

/* Strings from a file of them: each is a length of four bytes, and the string behind it. `bytes` has to stay. */
static nnp_text *split_texts(const unsigned char *bytes, size_t size, size_t count)
{
    size_t at = 0, i = 0;
    nnp_text *texts = count > size / 4 ? NULL : malloc(count * sizeof *texts + 1);
    if (texts == NULL) return NULL;
    while (i < count && size - at >= 4) {
        const unsigned char *head = bytes + at;
        size_t length = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        at += 4;
        if (size - at < length) break;
        texts[i++] = (nnp_text){(const char *)bytes + at, length};
        at += length;
    }
    if (i == count && at == size) return texts;
    free(texts);
    return NULL;
}

/* The elements of an input; `held` has to be freed with them, and is NULL or what strings lie in. */
static void *read_elements(const char *path, nnp_dtype dtype, size_t count, void **held)
{
    size_t size;
    void *bytes = read_bytes(path, &size);
    *held = dtype == NNP_STRING ? bytes : NULL;
    if (bytes == NULL) return NULL;
    if (dtype == NNP_STRING) return split_texts(bytes, size, count);
    if (count == SIZE_MAX || size != count * nnp_dtype_size(dtype)) {
        free(bytes);
        return NULL;
    }
    reorder(bytes, size, nnp_dtype_size(dtype));
    return bytes;
}

static bool write_elements(const char *path, nnp_dtype dtype, const void *elements, size_t count)
{
    size_t size = nnp_dtype_size(dtype), bytes = count * size;
    FILE *file = fopen(path, "wb");
    void *copy = malloc(bytes + 1);
    bool good = file != NULL && copy != NULL;
    if (good && bytes > 0) {
        memcpy(copy, elements, bytes);
        reorder(copy, bytes, size);
        good = fwrite(copy, 1, bytes, file) == bytes;
    }
    free(copy);
    if (file != NULL && fclose(file) != 0) good = false;
    return good;
}

/* Calls ------------------------------------------------------------------------------------------------------------ */

/* The inputs of one call, in memory of their own. */
typedef struct {
    size_t count;
    void **elements, **held;
    int32_t (*dims)[NNP_RANK];
    const int32_t **dims_of;
} arguments;

static void forget(arguments *a)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->elements != NULL) free(a->elements[i]);
        if (a->held != NULL) free(a->held[i]);
    }
    free(a->elements);
    free(a->held);
    free(a->dims);
    free(a->dims_of);
}

/* Place for so many inputs; false where memory ends. */
static bool expect(arguments *a, size_t count)
{
    *a = (arguments){.count = count};
    a->elements = calloc(count + 1, sizeof *a->elements);
    a->held = calloc(count + 1, sizeof *a->held);
    a->dims = calloc(count + 1, sizeof *a->dims);
    a->dims_of = calloc(count + 1, sizeof *a->dims_of);
    if (a->elements == NULL || a->held == NULL || a->dims == NULL || a->dims_of == NULL) return false;
    for (size_t i = 0; i < count; i++) a->dims_of[i] = a->dims[i];
    return true;
}

/* Reads input i, whose dimensions stand in a->dims[i]. */
static bool read_input(arguments *a, size_t i, nnp_value value, const char *path)
{
    size_t count = count_elements(a->dims[i], value.rank);
    a->elements[i] = read_elements(path, value.dtype, count, &a->held[i]);
    return a->elements[i] != NULL;
}

static nnp_status predict(nnp_loaded *loaded, const arguments *a, nnp_error *error)
{
    return nnp_predict(loaded, (const void *const *)a->elements, a->dims_of, error);
}

static bool write_output(const nnp_loaded *loaded, size_t i, const char *path)
{
    const int32_t *dims;
    nnp_value value = nnp_output(loaded->model, i);
    const void *elements = nnp_result(loaded->workspace, i, &dims);
    return write_elements(path, value.dtype, elements, count_elements(dims, value.rank));
}

/* The conversation ------------------------------------------------------------------------------------------------- */

/* A model that the runner has a handle of. */
typedef struct session session;
struct session {
    int64_t handle;
    nnp_loaded loaded;
    session *next;
};

static session *sessions; /* the latest first */

static session *find(const json *request)
{
    int64_t handle = 0;
    session *s = json_integer(json_get(request, "handle"), &handle) ? sessions : NULL;
    while (s != NULL && s->handle != handle) s = s->next;
    return s;
}

/* A string without U+0000, which C would take for its end; NULL where the key has none. */
static const char *text_of(const json *object, const char *key)
{
    const json *value = json_get(object, key);
    if (value == NULL || value->type != JSON_STRING || strlen(value->text) != value->length) return NULL;
    return value->text;
}

/* Answers are `{`, the seq of the request, members with a comma before each, `}`. */
static void begin(const json *request)
{
    const json *seq = json_get(request, "seq");
    putchar('{');
    if (seq == NULL || seq->type != JSON_STRING) return;
    printf("\"seq\": ");
    json_write(stdout, seq->text, seq->length);
    printf(", ");
}

static void answer_done(const json *request)
{
    begin(request);
    printf("\"ok\": true}");
}

static void answer_text(const json *request, const char *key, const char *text)
{
    begin(request);
    printf("\"%s\": ", key);
    json_write(stdout, text, strlen(text));
    putchar('}');
}

static void answer_failed(const json *request, nnp_status status, const nnp_error *error)
{
    if (!is_refusal(status)) {
        answer_text(request, "error", *error->message != 0 ? error->message : nnp_status_code(status));
        return;
    }
    begin(request);
    printf("\"rejected\": \"%s\", \"at\": ", nnp_status_code(status));
    json_write(stdout, error->at, strlen(error->at));
    printf(", \"message\": ");
    json_write(stdout, error->message, strlen(error->message));
    putchar('}');
}

static bool has_dtype(nnp_dtype dtype)
{
    if (dtype == NNP_FLOAT64) return NNP_WITH_FLOAT64;
    if (dtype == NNP_FLOAT16 || dtype == NNP_BFLOAT16) return NNP_STORAGE;
    return true;
}

/* What the runtime lacks is not listed, and it refuses the files that require it. */
static void hello(const json *request)
{
    (void)request;
    printf("{\"protocol\": 1, \"name\": \"nnpack-c\", \"version\": \"" NNP_VERSION "\", \"language\": \"C99\", "
           "\"spec\": [[1, 0]], \"ops\": [");
    for (size_t i = 0; i < nnp_operator_count; i++) printf("%s\"%s@1\"", i == 0 ? "" : ", ", nnp_operators[i]->name);
    printf("], \"dtypes\": [");
    for (nnp_dtype dtype = NNP_FLOAT32; dtype < NNP_DTYPES; dtype++)
        if (has_dtype(dtype)) printf("%s\"%s\"", dtype == NNP_FLOAT32 ? "" : ", ", nnp_dtype_name(dtype));
    printf("], \"features\": [%s%s\"nonfinite\"], \"dump\": false, \"selftest\": true}",
           NNP_STORAGE ? "\"quantization\", " : "", NNP_STATES ? "\"states\", " : "");
}

static void load(const json *request)
{
    static int64_t last_handle;
    const char *path = text_of(request, "model");
    session *s = path == NULL ? NULL : malloc(sizeof *s);
    nnp_error error = {.status = NNP_OK};
    if (s == NULL) {
        answer_text(request, "error", path == NULL ? "load needs a model" : "out-of-memory");
        return;
    }
    nnp_status status = nnp_load(path, load_flags, &s->loaded, &error);
    if (status != NNP_OK) {
        free(s);
        answer_failed(request, status, &error);
        return;
    }
    s->handle = ++last_handle;
    s->next = sessions;
    sessions = s;
    begin(request);
    printf("\"ok\": true, \"handle\": %lld}", (long long)s->handle);
}

static long long nanoseconds(void)
{
#ifdef CLOCK_MONOTONIC
    struct timespec now;
    return clock_gettime(CLOCK_MONOTONIC, &now) == 0 ? now.tv_sec * 1000000000LL + now.tv_nsec : 0;
#else
    return (long long)((double)clock() / CLOCKS_PER_SEC * 1e9);
#endif
}

/* Reads input i as the request has it; NULL, or what is wrong with it. */
static const char *take_input(arguments *a, size_t i, nnp_value value, const json *input)
{
    const char *dtype = text_of(input, "dtype"), *path = text_of(input, "path");
    const json *shape = json_get(input, "shape");
    if (dtype == NULL || path == NULL || shape == NULL || shape->type != JSON_ARRAY)
        return "an input needs dtype, shape and path";
    if (strcmp(dtype, nnp_dtype_name(value.dtype)) != 0) return "an input has another dtype than the model's";
    if (shape->length != value.rank) return "shape: an input has another number of dimensions than the model's";
    unsigned axis = 0;
    for (const json *dim = shape->first; dim != NULL; dim = dim->next) {
        int64_t n;
        if (!json_integer(dim, &n) || n < 0 || n > INT32_MAX) return "a dimension is no number from 0 to 2^31 - 1";
        a->dims[i][axis++] = (int32_t)n;
    }
    return read_input(a, i, value, path) ? NULL : "an input's file cannot be read, or holds another number of elements";
}

/* Reads the inputs, computes, writes the outputs; NULL, or what went wrong. */
static const char *compute(session *s, arguments *a, const json *inputs, const char *out_dir, nnp_error *error,
                           long long *ns)
{
    size_t i = 0;
    if (inputs == NULL || inputs->type != JSON_ARRAY || inputs->length != nnp_input_count(s->loaded.model))
        return "another number of inputs than the model has";
    if (!expect(a, inputs->length)) return "out-of-memory";
    for (const json *input = inputs->first; input != NULL; input = input->next, i++) {
        const char *fault = take_input(a, i, nnp_input(s->loaded.model, i), input);
        if (fault != NULL) return fault;
    }
    long long start = nanoseconds();
    nnp_status status = predict(&s->loaded, a, error);
    *ns = nanoseconds() - start;
    if (status != NNP_OK) return *error->message != 0 ? error->message : nnp_status_code(status);
    for (i = 0; i < nnp_output_count(s->loaded.model); i++) {
        char path[PATH_BYTES];
        int length = snprintf(path, sizeof path, "%s/%u", out_dir, (unsigned)i);
        if (length < 0 || (size_t)length >= sizeof path || !write_output(&s->loaded, i, path))
            return "an output cannot be written";
    }
    return NULL;
}

static void answer_output(const nnp_loaded *loaded, size_t i, const char *out_dir)
{
    const int32_t *dims;
    nnp_value value = nnp_output(loaded->model, i);
    nnp_result(loaded->workspace, i, &dims);
    printf("%s{\"name\": ", i == 0 ? "" : ", ");
    json_write(stdout, value.name.bytes, value.name.length);
    printf(", \"dtype\": \"%s\", \"shape\": [", nnp_dtype_name(value.dtype));
    for (unsigned axis = 0; axis < value.rank; axis++) printf("%s%ld", axis == 0 ? "" : ", ", (long)dims[axis]);
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s/%u", out_dir, (unsigned)i);
    printf("], \"path\": ");
    json_write(stdout, path, (size_t)length);
    putchar('}');
}

static void run(const json *request)
{
    session *s = find(request);
    const char *out_dir = text_of(request, "out_dir");
    if (s == NULL || out_dir == NULL) {
        answer_text(request, "error", s == NULL ? "no model has this handle" : "run needs an out_dir");
        return;
    }
    arguments a = {0};
    nnp_error error = {.status = NNP_OK};
    long long ns = 0;
    const char *fault = compute(s, &a, json_get(request, "inputs"), out_dir, &error, &ns);
    forget(&a);
    if (fault != NULL) {
        answer_text(request, "error", fault);
        return;
    }
    begin(request);
    printf("\"ok\": true, \"outputs\": [");
    for (size_t i = 0; i < nnp_output_count(s->loaded.model); i++) answer_output(&s->loaded, i, out_dir);
    printf("], \"ns\": %lld}", ns);
}

static void reset(const json *request)
{
    session *s = find(request);
    if (s == NULL) {
        answer_text(request, "error", "no model has this handle");
        return;
    }
    nnp_reset(s->loaded.workspace);
    answer_done(request);
}

static void selftest(const json *request)
{
    session *s = find(request);
    nnp_error error = {.status = NNP_OK};
    if (s == NULL) {
        answer_text(request, "error", "no model has this handle");
        return;
    }
    nnp_status status = nnp_verify(&s->loaded, &error);
    if (status != NNP_OK) answer_failed(request, status, &error);
    else answer_done(request);
}

static void unload(const json *request)
{
    session *s = find(request), **link = &sessions;
    if (s == NULL) {
        answer_text(request, "error", "no model has this handle");
        return;
    }
    while (*link != s) link = &(*link)->next;
    *link = s->next;
    nnp_unload(&s->loaded);
    free(s);
    answer_done(request);
}

static const struct {
    const char *name;
    void (*answer)(const json *request);
} commands[] = {
    {"hello", hello}, {"load", load}, {"run", run}, {"reset", reset}, {"selftest", selftest}, {"unload", unload},
};

/* Answers a line; false after `stop`. */
static bool converse(char *line, size_t length)
{
    json *request = json_read(line, length);
    const char *name = text_of(request, "cmd");
    bool stop = name != NULL && strcmp(name, "stop") == 0;
    size_t i = 0, count = sizeof commands / sizeof *commands;
    while (name != NULL && i < count && strcmp(name, commands[i].name) != 0) i++;
    if (!stop) {
        if (name != NULL && i < count) commands[i].answer(request);
        else answer_text(request, "error", request == NULL ? "this line is no JSON" : "there is no such command");
        putchar('\n');
        fflush(stdout);
    }
    free(request);
    return !stop;
}

/* Reads a line without the character that ends it, up to `size` bytes of it; false where input ends. */
static bool read_line(char *line, size_t size, size_t *length)
{
    int c;
    *length = 0;
    while ((c = getchar()) != EOF && c != '\n') {
        if (*length < size) line[*length] = (char)c;
        ++*length;
    }
    return c != EOF;
}

static int hold_conversation(void)
{
    char *line = malloc(LINE_MAX_BYTES);
    size_t length;
    if (line == NULL) return FAILED;
    /* A line that is too long is answered as an empty one, which is no JSON. */
    while (read_line(line, LINE_MAX_BYTES, &length))
        if (!converse(line, length > LINE_MAX_BYTES ? 0 : length)) break;
    while (sessions != NULL) {
        session *s = sessions;
        sessions = s->next;
        nnp_unload(&s->loaded);
        free(s);
    }
    free(line);
    return DONE;
}

/* One shot --------------------------------------------------------------------------------------------------------- */

static int complain(const char *what)
{
    fprintf(stderr, "%s\n", what);
    return FAILED;
}

/* The dimensions at the end of a name, behind its last dot: m.2x6. */
static bool dims_of_name(const char *name, int32_t *dims, unsigned rank)
{
    const char *at = strrchr(name, '.');
    for (unsigned axis = 0; axis < rank; axis++) {
        int64_t n = 0;
        if (at == NULL || *at != (axis == 0 ? '.' : 'x') || at[1] < '0' || at[1] > '9') return false;
        for (at++; *at >= '0' && *at <= '9' && n <= INT32_MAX; at++) n = n * 10 + (*at - '0');
        if (n > INT32_MAX) return false;
        dims[axis] = (int32_t)n;
    }
    return at != NULL && *at == 0;
}

/* COMMAND MODEL IN… OUT…, with the model loaded; `a` takes what has to be forgotten. */
static int compute_once(nnp_loaded *loaded, arguments *a, size_t count, char **paths)
{
    size_t inputs = nnp_input_count(loaded->model), outputs = nnp_output_count(loaded->model);
    nnp_error error = {.status = NNP_OK};
    if (count != inputs + outputs) return complain("as many files as the model has inputs and outputs are needed");
    if (!expect(a, inputs)) return complain("out-of-memory");
    for (size_t i = 0; i < inputs; i++) {
        nnp_value value = nnp_input(loaded->model, i);
        if (!dims_of_name(paths[i], a->dims[i], value.rank) || !read_input(a, i, value, paths[i]))
            return complain(paths[i]);
    }
    nnp_status status = predict(loaded, a, &error);
    if (status != NNP_OK) return complain(*error.message != 0 ? error.message : nnp_status_code(status));
    for (size_t i = 0; i < outputs; i++) {
        const int32_t *dims;
        nnp_value value = nnp_output(loaded->model, i);
        if (!write_output(loaded, i, paths[inputs + i])) return complain(paths[inputs + i]);
        nnp_result(loaded->workspace, i, &dims);
        printf("%s", nnp_dtype_name(value.dtype));
        for (unsigned axis = 0; axis < value.rank; axis++) printf(" %ld", (long)dims[axis]);
        putchar('\n');
    }
    return DONE;
}

static int answer_once(const char *model, size_t count, char **paths)
{
    nnp_loaded loaded;
    arguments a = {0};
    nnp_error error = {.status = NNP_OK};
    nnp_status status = nnp_load(model, load_flags, &loaded, &error);
    if (is_refusal(status)) {
        printf("%s\n%s\n", nnp_status_code(status), error.message);
        return status == NNP_REQUIRES_UNKNOWN ? UNSUPPORTED : REFUSED;
    }
    if (status != NNP_OK) return complain(*error.message != 0 ? error.message : nnp_status_code(status));
    int code = count == 0 ? DONE : compute_once(&loaded, &a, count, paths);
    forget(&a);
    nnp_unload(&loaded);
    return code;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--lean") == 0) {
        load_flags = NNP_LEAN;
        argc--;
        argv++;
    }
    return argc < 2 ? hold_conversation() : answer_once(argv[1], (size_t)argc - 2, argv + 2);
}
