/* The header: fields, their types and ranges. spec/format.md, "Header"; the schemas of spec/schema. */
#include "model.h"

/* What is needed to go through a header; the counts say how far the model's arrays are filled. */
typedef struct {
    nnp_model *model;
    const uint8_t *file;
    nnp_error *error;
    bool filling, given, symbolic; /* the second pass; values that come from outside; shapes that may have symbols */
    uint32_t values, dims, items, references, weights, attributes, symbols;
    uint32_t tensor_offset, tensors_end; /* where the last tensor begins, and the first byte behind it */
} reader;

#define AT(name, index) NNP_AT(here, name, index)
#define FAIL(status, here, expected, item) return nnp_fault(r->error, status, here, expected, r->file, item)

/* Fields ----------------------------------------------------------------------------------------------------------- */

/* How long the name of an entry of a table is; behind it stand ?, = and a letter, or : and a letter. */
static size_t name_length(const char *entry)
{
    return strcspn(entry, "?=:");
}

static nnp_status require_kind(const reader *r, const nnp_pointer *here, uint32_t at, nnp_item_kind kind)
{
    static const char expected[][11] = {"an integer", "a number", "a boolean", "a string", "a list", "a map"};
    (void)here, (void)expected;
    if (nnp_item_at(r->file, at).kind != kind) FAIL(NNP_WRONG_TYPE, here, expected[kind], at);
    return NNP_OK;
}

static nnp_status check_name(const reader *r, const nnp_pointer *here, uint32_t at)
{
    NNP_TRY(require_kind(r, here, at, NNP_ITEM_STRING));
    nnp_item text = nnp_item_at(r->file, at);
    if (text.count < 1 || text.count > 256) FAIL(NNP_NAME_LENGTH, here, "a name of 1 to 256 bytes", at);
    if (memchr(r->file + text.at, 0, text.count) != NULL) FAIL(NNP_NAME_NUL, here, "a name without U+0000", at);
    return NNP_OK;
}

/*
 * Finds the entries of a map whose keys are known.
 *
 *   names     the keys, one behind the other; those with a ? may be absent; =N is a name, =T a text, =M a map
 *   found     takes the places of what belongs to them, 0 where there is nothing
 *   unknown   the fault of another key; `missing` that of an absent one
 */
static nnp_status read_fields(const reader *r, const nnp_pointer *here, uint32_t at, const char *names, uint32_t *found,
                              nnp_status unknown, nnp_status missing)
{
    NNP_TRY(require_kind(r, here, at, NNP_ITEM_MAP));
    nnp_item map = nnp_item_at(r->file, at);
    unsigned i = 0;
    for (const char *name = names; *name != 0; name += strlen(name) + 1) found[i++] = 0;
    for (uint32_t left = map.count, key = map.at; left > 0; left--) {
        nnp_item text = nnp_item_at(r->file, key);
        const char *name = names;
        for (i = 0; *name != 0; i++, name += strlen(name) + 1)
            if (name_length(name) == text.count && memcmp(name, r->file + text.at, text.count) == 0) break;
        if (*name == 0) FAIL(unknown, here, "a key that the specification has", key);
        if (found[i] != 0) FAIL(NNP_DUPLICATE_KEY, here, "each key once", key);
        found[i] = text.at + text.count;
        key = nnp_behind(r->file, found[i]);
    }
    i = 0;
    for (const char *name = names; *name != 0; name += strlen(name) + 1, i++) {
        const char *rest = name + name_length(name);
        const nnp_pointer *inside = NNP_AT(AT("/", 0), name, 0);
        (void)inside;
        if (found[i] == 0) {
            if (*rest != '?') FAIL(missing, here, name, 0);
            continue;
        }
        rest += *rest == '?';
        if (*rest != '=') continue;
        if (rest[1] == 'N') NNP_TRY(check_name(r, inside, found[i]));
        else NNP_TRY(require_kind(r, inside, found[i], rest[1] == 'T' ? NNP_ITEM_STRING : NNP_ITEM_MAP));
    }
    return NNP_OK;
}

static nnp_status read_record(const reader *r, const nnp_pointer *here, uint32_t at, const char *names, uint32_t *found)
{
    return read_fields(r, here, at, names, found, NNP_UNKNOWN_KEY, NNP_MISSING_KEY);
}

/* What is done with an element of a list. */
typedef nnp_status element_reader(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i);

/* Goes through a list of at least so many elements. */
static nnp_status read_each(reader *r, const nnp_pointer *here, uint32_t at, uint32_t least, element_reader *read,
                            uint32_t *count)
{
    NNP_TRY(require_kind(r, here, at, NNP_ITEM_LIST));
    nnp_item list = nnp_item_at(r->file, at);
    *count = list.count;
    if (list.count < least) FAIL(NNP_LIST_LENGTH, here, "a list of at least one element", at);
    for (uint32_t i = 0, item = list.at; i < list.count; i++, item = nnp_behind(r->file, item))
        NNP_TRY(read(r, AT("/", i), item, i));
    return NNP_OK;
}

/* An integer of a range; numbers below 0 are seen as what they are plus 2^32. */
static nnp_status read_integer(const reader *r, const nnp_pointer *here, uint32_t at, int32_t least, uint32_t most,
                               nnp_status range, uint32_t *value)
{
    NNP_TRY(require_kind(r, here, at, NNP_ITEM_INTEGER));
    int64_t integer = nnp_item_at(r->file, at).integer;
    if (integer < least || integer > (int64_t)most)
        FAIL(range, here, "an integer of the range that the specification has", at);
    *value = (uint32_t)integer;
    return NNP_OK;
}

static bool equals(const reader *r, uint32_t at, const char *word, size_t length)
{
    nnp_item text = nnp_item_at(r->file, at);
    return text.count == length && memcmp(r->file + text.at, word, length) == 0;
}

/* The place of a string among dtypes; NNP_DTYPES where it is none. */
static uint8_t dtype_of(const reader *r, uint32_t at)
{
    unsigned i = 0;
    while (i < NNP_DTYPES && !equals(r, at, nnp_dtype_name((nnp_dtype)i), strlen(nnp_dtype_name((nnp_dtype)i)))) i++;
    return (uint8_t)i;
}

static nnp_status read_dtype(const reader *r, const nnp_pointer *here, uint32_t at, unsigned set, uint8_t *dtype)
{
    *dtype = dtype_of(r, at);
    if (!(NNP_SET(*dtype) & set & NNP_BUILT_DTYPES)) FAIL(NNP_DTYPE_UNKNOWN, here, "a dtype of the specification", at);
    return NNP_OK;
}

/* A dimension. One that is a name is stored as the place of the name, below 0, or as NNP_BATCH. */
static nnp_status read_dim(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i)
{
    uint32_t dim = 0;
    (void)i;
    if (r->symbolic && nnp_item_at(r->file, at).kind == NNP_ITEM_STRING) {
        NNP_TRY(check_name(r, here, at));
        dim = equals(r, at, "batch", 5) ? (uint32_t)NNP_BATCH : 0 - at;
        r->symbols++;
    } else {
        NNP_TRY(read_integer(r, here, at, 1, INT32_MAX, NNP_DIMENSION_RANGE, &dim));
    }
    if (r->filling) memcpy(&r->model->dims[r->dims], &dim, sizeof dim);
    r->dims++;
    return NNP_OK;
}

static nnp_status read_shape(reader *r, const nnp_pointer *here, uint32_t at, bool symbolic, nnp_type *type)
{
    uint32_t rank;
    r->symbolic = symbolic;
    type->dims = r->filling ? r->model->dims + r->dims : NULL;
    NNP_TRY(read_each(r, here, at, 0, read_dim, &rank));
    if (rank > NNP_RANK) FAIL(NNP_RANK_RANGE, here, "at most 8 dimensions", at);
    type->rank = (uint8_t)rank;
    return NNP_OK;
}

/* Whether what begins at `at` has no map with a key twice; and what `ext` asks of its own keys. */
static nnp_status check_open(const reader *r, const nnp_pointer *here, uint32_t at, bool extensions)
{
    nnp_item item = nnp_item_at(r->file, at);
    if (item.kind < NNP_ITEM_LIST) return NNP_OK;
    bool map = item.kind == NNP_ITEM_MAP, sorted = true;
    uint32_t before = 0, member = item.at;
    for (uint32_t left = item.count; left > 0; left--) {
        if (map) {
            nnp_item key = nnp_item_at(r->file, member);
            int order = before == 0 ? -1 : nnp_compare(r->file, before, member);
            if (order == 0) FAIL(NNP_DUPLICATE_KEY, here, "each key once", member);
            sorted = sorted && order < 0;
            if (extensions) {
                NNP_TRY(check_name(r, here, member));
                if (memchr(r->file + key.at, '.', key.count) == NULL)
                    FAIL(NNP_WRONG_VALUE, here, "a reverse DNS name, such as org.example.note", member);
            }
            before = member;
            member = key.at + key.count;
        }
        NNP_TRY(check_open(r, here, member, false));
        member = nnp_behind(r->file, member);
    }
    if (sorted) return NNP_OK;
    /* keys in another order than a writer's: each is compared with all before it, as long as they are few */
    if (item.count > 256) FAIL(NNP_CANONICAL_ORDER, here, "sorted keys, in a map of more than 256", at);
    member = item.at;
    for (uint32_t i = 0; i < item.count; i++) {
        uint32_t other = item.at;
        for (uint32_t k = 0; k < i; k++) {
            if (nnp_compare(r->file, other, member) == 0) FAIL(NNP_DUPLICATE_KEY, here, "each key once", member);
            other = nnp_behind(r->file, nnp_behind(r->file, other));
        }
        member = nnp_behind(r->file, nnp_behind(r->file, member));
    }
    return NNP_OK;
}

/* requires --------------------------------------------------------------------------------------------------------- */

/* Whether `text` is a word behind a prefix. */
static bool is_prefixed(const char *text, size_t length, const char *prefix, const char *word, const char *suffix)
{
    const char *const parts[3] = {prefix, word, suffix};
    for (unsigned i = 0; i < 3; i++) {
        size_t part = strlen(parts[i]);
        if (part > length || memcmp(text, parts[i], part) != 0) return false;
        text += part;
        length -= part;
    }
    return length == 0;
}

uint32_t nnp_requirement(const nnp_model *model, uint32_t at)
{
    static const char features[] = "nonfinite\0quantization\0states\0";
    const bool built[3] = {true, NNP_STORAGE, NNP_STATES};
    nnp_item item = nnp_item_at(model->file, at);
    const char *text = (const char *)model->file + item.at, *feature = features;
    uint32_t i, count = (uint32_t)nnp_operator_count;
    for (i = 0; i < count; i++)
        if (is_prefixed(text, item.count, "op:", nnp_operators[i]->name, "@1")) return i;
    for (i = 0; i < NNP_DTYPES; i++)
        if (is_prefixed(text, item.count, "dtype:", nnp_dtype_name((nnp_dtype)i), ""))
            return NNP_SET(i) & NNP_BUILT_DTYPES ? count + i : NNP_NOTHING;
    for (i = 0; i < 3; i++, feature += strlen(feature) + 1)
        if (is_prefixed(text, item.count, "feature:", feature, "")) return built[i] ? NNP_NONFINITE + i : NNP_NOTHING;
    return NNP_NOTHING;
}

static nnp_status read_requirement(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i)
{
    (void)i;
    NNP_TRY(require_kind(r, here, at, NNP_ITEM_STRING));
    uint32_t requirement = nnp_requirement(r->model, at);
    if (requirement == NNP_NOTHING) FAIL(NNP_REQUIRES_UNKNOWN, here, "something that this runtime has", at);
    if (requirement == NNP_NONFINITE) r->model->nonfinite = true;
    return NNP_OK;
}

/* Values and tensors ----------------------------------------------------------------------------------------------- */

/* A value; of one that is given, rows are the first axis. */
static nnp_status read_value(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i)
{
    enum { NAME, DTYPE, SHAPE, FIELDS };
    uint32_t found[FIELDS];
    nnp_type type;
    (void)i;
    NNP_TRY(read_record(r, here, at, "name=N\0dtype=T\0shape\0", found));
    NNP_TRY(read_dtype(r, AT("/dtype", 0), found[DTYPE], NNP_PLAIN | NNP_SET(NNP_STRING), &type.dtype));
    NNP_TRY(read_shape(r, AT("/shape", 0), found[SHAPE], true, &type));
    if (r->filling) {
        r->model->value_names.at[r->values] = found[NAME];
        r->model->types[r->values] = type;
        if (r->given)
            for (unsigned axis = 0; axis == 0 || axis < type.rank; axis++)
                if (type.rank == 0 || (type.dims[axis] == NNP_BATCH) != (axis == 0))
                    FAIL(NNP_BATCH_AXIS, AT("/shape", 0), "batch as first dimension and nowhere else", found[SHAPE]);
    }
    r->values++;
    return NNP_OK;
}

#if NNP_STORAGE
static nnp_status read_quantization(const reader *r, const nnp_pointer *here, uint32_t at, nnp_tensor *tensor)
{
    enum { AXIS, SCALE, ZERO_POINT, FIELDS };
    uint32_t found[FIELDS];
    uint32_t axis = NNP_RANK;
    NNP_TRY(read_record(r, here, at, "axis?\0scale=N\0zero_point=N\0", found));
    if (found[AXIS] != 0) NNP_TRY(read_integer(r, AT("/axis", 0), found[AXIS], 0, NNP_RANK - 1, NNP_AXIS_RANGE, &axis));
    if (found[AXIS] != 0 && axis >= tensor->type.rank)
        FAIL(NNP_AXIS_RANGE, AT("/axis", 0), "an axis of the tensor", found[AXIS]);
    if (tensor->stored != NNP_INT8) FAIL(NNP_QUANTIZATION_DTYPE, here, "a tensor of int8", 0);
    tensor->type.dtype = NNP_FLOAT32;
    tensor->quantized = true;
    tensor->axis = (uint8_t)axis;
    tensor->scale = found[SCALE];
    tensor->zero_point = found[ZERO_POINT];
    return NNP_OK;
}
#endif

static nnp_status read_tensor(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i)
{
    enum { DTYPE, NAME, NBYTES, OFFSET, QUANTIZATION, SHAPE, FIELDS };
    uint32_t found[FIELDS];
    nnp_tensor tensor = {0};
    uint32_t nbytes, offset, end = r->tensors_end, payload = r->model->payload_size;
    uint64_t elements = 1;
    NNP_TRY(read_record(r, here, at, "dtype=T\0name=N\0nbytes\0offset\0quantization?\0shape\0", found));
    NNP_TRY(read_dtype(r, AT("/dtype", 0), found[DTYPE], NNP_SET(NNP_STRING) - 1, &tensor.stored));
    NNP_TRY(read_integer(r, AT("/nbytes", 0), found[NBYTES], 1, UINT32_MAX, NNP_WRONG_VALUE, &nbytes));
    NNP_TRY(read_integer(r, AT("/offset", 0), found[OFFSET], 0, UINT32_MAX, NNP_WRONG_VALUE, &offset));
    NNP_TRY(read_shape(r, AT("/shape", 0), found[SHAPE], false, &tensor.type));
    nnp_item shape = nnp_item_at(r->file, found[SHAPE]);
    for (uint32_t axis = 0, item = shape.at; axis < shape.count; axis++, item = nnp_behind(r->file, item)) {
        uint32_t n = (uint32_t)nnp_item_at(r->file, item).integer;
        uint64_t high = (elements >> 32) * n; /* below 2^53 times 2^31 does not fit into 64 bits at once */
        elements = (high << 32) + (elements & UINT32_MAX) * n;
        if (high >> 22 != 0 || elements > UINT64_C(1) << 53)
            FAIL(NNP_ELEMENT_COUNT, AT("/shape", 0), "at most 2^53 elements", found[SHAPE]);
    }
    if (nbytes != elements * nnp_dtype_size((nnp_dtype)tensor.stored))
        FAIL(NNP_TENSOR_NBYTES, AT("/nbytes", 0), "the product of the shape times the size of an element", found[NBYTES]);
    if (offset % 64 != 0) FAIL(NNP_TENSOR_MISALIGNED, AT("/offset", 0), "a multiple of 64", found[OFFSET]);
    if (offset < r->tensor_offset) FAIL(NNP_TENSOR_ORDER, AT("/offset", 0), "tensors in the order of their offsets", found[OFFSET]);
    if (offset < end) FAIL(NNP_TENSOR_OVERLAP, AT("/offset", 0), "an offset behind the tensor before", found[OFFSET]);
    if (offset - end >= 64) FAIL(NNP_TENSOR_HOLE, AT("/offset", 0), "only alignment behind the tensor before", found[OFFSET]);
    if (offset > payload || nbytes > payload - offset) FAIL(NNP_TENSOR_BOUNDS, AT("/offset", 0), "a tensor within the payload", found[OFFSET]);
    r->tensor_offset = offset;
    r->tensors_end = offset + nbytes;
    tensor.offset = offset;
    tensor.nbytes = nbytes;
    tensor.type.dtype = tensor.stored == NNP_FLOAT16 || tensor.stored == NNP_BFLOAT16 ? NNP_FLOAT32 : tensor.stored;
#if NNP_STORAGE
    if (found[QUANTIZATION] != 0) NNP_TRY(read_quantization(r, AT("/quantization", 0), found[QUANTIZATION], &tensor));
#else
    if (found[QUANTIZATION] != 0) FAIL(NNP_REQUIRES_INCOMPLETE, here, "feature:quantization in /requires", found[QUANTIZATION]);
#endif
    if (r->filling) r->model->tensors[i] = tensor;
    if (r->filling) r->model->tensor_names.at[i] = found[NAME];
    return NNP_OK;
}

/* Attributes ------------------------------------------------------------------------------------------------------- */

/* The lists that attributes may be: how many elements, and their range. */
static const struct {
    char letter;
    uint8_t least, most;
    int32_t low;
} lists[] = {
    {'I', 1, 3, 1},           {'J', 2, 2, 1},  {'K', 2, 6, -INT32_MAX}, {'A', 1, 7, 1},
    {'T', 0, 7, -1},          {'P', 1, 8, 0},  {'W', 2, 16, 0},         {'R', 1, 8, 1},
};

/* What a list has to be besides the range of its elements. */
static bool list_fits(char letter, const int32_t *items, uint32_t count)
{
    unsigned seen = 0, open = 0;
    (void)seen, (void)open;
    for (uint32_t i = 0; i < count; i++) {
        int32_t item = items[i];
        switch (letter) {
        case 'A': /* ascending axes */
            if (item > 7 || (i > 0 && item <= items[i - 1])) return false;
            break;
#if NNP_SHAPES
        case 'T': /* one -1 at most, no 0 */
            if (item == 0 || (item == -1 && open++ > 0)) return false;
            break;
        case 'P': /* a permutation that begins with 0 */
            if (item >= (int32_t)count || seen >> item & 1 || (i == 0 && item != 0)) return false;
            seen |= 1U << item;
            break;
        case 'W': /* two for each axis, none for the first */
            if (count % 2 != 0 || (i < 2 && item != 0)) return false;
            break;
        case 'R': /* the first axis is not repeated */
            if (i == 0 && item != 1) return false;
            break;
#endif
        default:
            break;
        }
    }
    return true;
}

#if NNP_PRODUCTS
/* "ab,bc->ac": spec/ops/einsum.md, "Attributes". */
static bool is_equation(const uint8_t *text, uint32_t length)
{
    uint32_t part = 0, labels = 0;
    uint64_t seen[3] = {0, 0, 0};
    for (uint32_t i = 0; i < length; i++) {
        uint8_t c = text[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            uint64_t label = UINT64_C(1) << (c - 'A');
            if (seen[part] & label || (part == 2 && !((seen[0] | seen[1]) & label)) || ++labels > NNP_RANK) return false;
            seen[part] |= label;
            continue;
        }
        if (labels == 0) return false;
        if (part == 0 && c == ',') part = 1;
        else if (part == 1 && c == '-' && i + 1 < length && text[i + 1] == '>') part = 2, i++;
        else return false;
        labels = 0;
    }
    return part == 2;
}
#endif

static nnp_status read_items(reader *r, const nnp_pointer *here, uint32_t at, char letter, nnp_attribute *attribute)
{
    int32_t items[16];
    unsigned kind = 0;
    NNP_TRY(require_kind(r, here, at, NNP_ITEM_LIST));
    nnp_item list = nnp_item_at(r->file, at);
    for (uint32_t i = 0, item = list.at; i < list.count; i++, item = nnp_behind(r->file, item))
        NNP_TRY(require_kind(r, here, item, NNP_ITEM_INTEGER));
    while (lists[kind].letter != letter) kind++;
    bool fits = list.count >= lists[kind].least && list.count <= lists[kind].most;
    for (uint32_t i = 0, item = list.at; fits && i < list.count; i++, item = nnp_behind(r->file, item)) {
        int64_t n = nnp_item_at(r->file, item).integer;
        fits = n >= lists[kind].low && n <= INT32_MAX;
        items[i] = (int32_t)n;
    }
    if (!fits || !list_fits(letter, items, list.count))
        FAIL(NNP_WRONG_VALUE, here, "a list as the operator's page says", at);
    if (r->filling) {
        attribute->list.items = r->model->items + r->items;
        attribute->list.count = list.count;
        for (uint32_t i = 0; i < list.count; i++) r->model->items[r->items + i] = items[i];
    }
    r->items += list.count;
    return NNP_OK;
}

/* The place of a string among words that are separated by blanks; -1 where it is none of them. */
static int32_t word_of(const reader *r, uint32_t at, const char *words)
{
    for (int32_t place = 0; *words != 0; place++) {
        size_t length = strcspn(words, " ");
        if (equals(r, at, words, length)) return place;
        words += length + (words[length] == ' ');
    }
    return -1;
}

/* `kind` is what follows the colon in the operator's table of attributes. */
static nnp_status read_attribute(reader *r, const nnp_pointer *here, uint32_t at, const char *kind, nnp_attribute *attribute)
{
    nnp_item item = nnp_item_at(r->file, at);
    uint32_t integer;
    switch (*kind) {
    case 'n':
    case 'z':
    case 'p':
        NNP_TRY(require_kind(r, here, at, NNP_ITEM_NUMBER));
        attribute->number = item.number;
        if (*kind == 'z' ? item.number == 0 : *kind == 'p' && item.number < 0)
            FAIL(NNP_WRONG_VALUE, here, *kind == 'z' ? "a number other than 0" : "a number of at least 0", at);
        return NNP_OK;
    case 'b':
        NNP_TRY(require_kind(r, here, at, NNP_ITEM_BOOLEAN));
        attribute->integer = (int32_t)item.integer;
        return NNP_OK;
    case 'i':
    case 's':
    case 'a':
        NNP_TRY(read_integer(r, here, at, *kind == 's' ? -INT32_MAX : 1, *kind == 'a' ? NNP_RANK - 1 : INT32_MAX,
                             NNP_WRONG_VALUE, &integer));
        memcpy(&attribute->integer, &integer, sizeof integer);
        return NNP_OK;
    case 'd':
        NNP_TRY(require_kind(r, here, at, NNP_ITEM_STRING));
        attribute->integer = dtype_of(r, at);
        if (!(NNP_SET(attribute->integer) & NNP_PLAIN)) FAIL(NNP_WRONG_VALUE, here, "a dtype of numbers or bool", at);
        return NNP_OK;
    case 'c':
        NNP_TRY(require_kind(r, here, at, NNP_ITEM_STRING));
        attribute->integer = word_of(r, at, kind + 1);
        if (attribute->integer < 0) FAIL(NNP_WRONG_VALUE, here, kind + 1, at);
        return NNP_OK;
#if NNP_PRODUCTS
    case 'E':
        NNP_TRY(require_kind(r, here, at, NNP_ITEM_STRING));
        if (!is_equation(r->file + item.at, item.count)) FAIL(NNP_WRONG_VALUE, here, "an equation such as ab,bc->ac", at);
        attribute->text.bytes = (const char *)r->file + item.at;
        attribute->text.length = item.count;
        return NNP_OK;
#endif
    default:
        return read_items(r, here, at, *kind, attribute);
    }
}

/* Layers ----------------------------------------------------------------------------------------------------------- */

#define ENTRIES 16U /* the most attributes, or weights, that an operator has */

static nnp_status read_operator(const reader *r, const nnp_pointer *here, uint32_t at, const nnp_operator **op)
{
    nnp_item text = nnp_item_at(r->file, at);
    const char *name = (const char *)r->file + text.at, *mark = memchr(name, '@', text.count);
    size_t length = mark == NULL ? text.count : (size_t)(mark - name);
    for (size_t i = 0; i < nnp_operator_count; i++) {
        *op = nnp_operators[i];
        if (strlen((*op)->name) != length || memcmp((*op)->name, name, length) != 0) continue;
        if (text.count != length + 2 || name[length + 1] != '1') FAIL(NNP_OPERATOR_VERSION, here, "version 1", at);
        return NNP_OK;
    }
    FAIL(NNP_OPERATOR_UNKNOWN, here, "an operator of this runtime", at);
}

/* A name that becomes a number later. */
static nnp_status read_reference(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i)
{
    (void)i;
    NNP_TRY(check_name(r, here, at));
    if (r->filling) r->model->references[r->references] = at;
    r->references++;
    return NNP_OK;
}

static nnp_status read_layer(reader *r, const nnp_pointer *here, uint32_t at, uint32_t index)
{
    enum { ATTRIBUTES, INPUTS, NAME, OP, OUTPUTS, SOURCE, WEIGHTS, FIELDS };
    uint32_t found[FIELDS], entries[ENTRIES];
    nnp_layer layer = {0};
    NNP_TRY(read_record(r, here, at, "attributes\0inputs\0name=N\0op=T\0outputs\0source?\0weights\0", found));
    NNP_TRY(read_operator(r, AT("/op", 0), found[OP], &layer.op));

    if (r->filling) layer.inputs = r->model->references + r->references;
    NNP_TRY(read_each(r, AT("/inputs", 0), found[INPUTS], 0, read_reference, &layer.input_count));
    if (layer.input_count < layer.op->least || (layer.op->most != NNP_MANY && layer.input_count > layer.op->most))
        FAIL(NNP_INPUT_COUNT, AT("/inputs", 0), "as many inputs as the operator takes", found[INPUTS]);

    layer.outputs = r->values;
    r->given = false;
    NNP_TRY(read_each(r, AT("/outputs", 0), found[OUTPUTS], 1, read_value, &layer.output_count));

    NNP_TRY(read_fields(r, AT("/weights", 0), found[WEIGHTS], layer.op->weights, entries, NNP_WEIGHT_UNKNOWN,
                        NNP_WEIGHT_MISSING));
    if (r->filling) layer.weights = r->model->weights + r->weights;
    unsigned i = 0;
    for (const char *role = layer.op->weights; *role != 0; role += strlen(role) + 1, i++) {
        if (entries[i] != 0) NNP_TRY(check_name(r, AT("/weights", 0), entries[i]));
        if (r->filling) {
            uint32_t tensor = entries[i] == 0 ? NNP_NOTHING : nnp_find_name(r->file, &r->model->tensor_names, entries[i]);
            if (entries[i] != 0 && tensor == NNP_NOTHING)
                FAIL(NNP_TENSOR_MISSING, AT("/weights", 0), "the name of a tensor", entries[i]);
            layer.weights[i] = tensor == NNP_NOTHING ? NULL : &r->model->tensors[tensor];
            if (tensor != NNP_NOTHING) r->model->tensors[tensor].referenced = true;
        }
        r->weights++;
    }

    NNP_TRY(read_fields(r, AT("/attributes", 0), found[ATTRIBUTES], layer.op->attributes, entries, NNP_ATTRIBUTE_UNKNOWN,
                        NNP_ATTRIBUTE_MISSING));
    if (r->filling) layer.attributes = r->model->attributes + r->attributes;
    i = 0;
    for (const char *name = layer.op->attributes; *name != 0; name += strlen(name) + 1, i++) {
        nnp_attribute attribute;
        NNP_TRY(read_attribute(r, NNP_AT(AT("/attributes/", 0), name, 0), entries[i], name + name_length(name) + 1, &attribute));
        if (r->filling) r->model->attributes[r->attributes] = attribute;
        r->attributes++;
    }

    if (found[SOURCE] != 0) NNP_TRY(read_record(r, AT("/source", 0), found[SOURCE], "class=T\0name=T\0", entries));
    if (r->filling) r->model->layers[index] = layer;
    if (r->filling) r->model->layer_names.at[index] = found[NAME];
    return NNP_OK;
}

/* The rest --------------------------------------------------------------------------------------------------------- */

#if NNP_STATES
static nnp_status read_state(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i)
{
    enum { INITIAL, INPUT, OUTPUT, FIELDS };
    uint32_t found[FIELDS];
    NNP_TRY(read_record(r, here, at, "initial=N\0input\0output=N\0", found));
    if (r->filling) r->model->states[i] = (nnp_state){r->values, found[OUTPUT], found[INITIAL]};
    return read_value(r, AT("/input", 0), found[INPUT], i);
}
#endif

static nnp_status check_hash(const reader *r, const nnp_pointer *here, uint32_t at)
{
    nnp_item text = nnp_item_at(r->file, at);
    bool fits = text.count == 64;
    for (uint32_t i = 0; fits && i < 64; i++) {
        uint8_t c = r->file[text.at + i];
        fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    }
    if (!fits) FAIL(NNP_WRONG_VALUE, here, "64 lower-case hexadecimal digits", at);
    return NNP_OK;
}

/* output_structure: the leaves of the nest are the indices of the outputs. `seen` marks them; NULL only counts. */
static nnp_status read_structure(const reader *r, const nnp_pointer *here, uint32_t at, uint32_t outputs, uint32_t *seen,
                                 uint32_t *leaves)
{
    nnp_item item = nnp_item_at(r->file, at);
    if (item.kind < NNP_ITEM_LIST) {
        bool fits = item.kind == NNP_ITEM_INTEGER && item.integer >= 0 && item.integer < (int64_t)outputs;
        if (!fits || (seen != NULL && seen[item.integer]++ != 0))
            FAIL(NNP_OUTPUT_STRUCTURE, here, "the index of each output once", at);
        ++*leaves;
        return NNP_OK;
    }
    uint32_t member = item.at;
    for (uint32_t left = item.count; left > 0; left--) {
        if (item.kind == NNP_ITEM_MAP) member = nnp_behind(r->file, member);
        NNP_TRY(read_structure(r, here, member, outputs, seen, leaves));
        member = nnp_behind(r->file, member);
    }
    return NNP_OK;
}

static void widen(uint32_t *count, uint32_t least)
{
    if (*count < least) *count = least;
}

nnp_status nnp_read_header(nnp_model *model, nnp_error *error)
{
    enum { EXT, INPUTS, LAYERS, MODEL, STRUCTURE, OUTPUTS, SHA256, PRODUCER, REQUIRES, SELFTEST, STATES, TENSORS, FIELDS };
    const nnp_pointer *here = NULL;
    reader reading = {model, model->file, error, model->tensors != NULL, false, false, 0, 0, 0, 0, 0, 0, 0, 0, 0}, *r = &reading;
    uint32_t found[FIELDS], part[3], leaves = 0;

    /* what the file requires comes before all that may be new to this reader because of it */
    uint32_t at = model->header;
    NNP_TRY(require_kind(r, here, at, NNP_ITEM_MAP));
    nnp_item map = nnp_item_at(r->file, at);
    for (uint32_t left = map.count, key = map.at; left > 0; left--) {
        uint32_t item = nnp_behind(r->file, key);
        if (equals(r, key, "requires", 8)) NNP_TRY(read_each(r, AT("/requires", 0), item, 0, read_requirement, part));
        key = nnp_behind(r->file, item);
    }
    NNP_TRY(read_record(r, here, at,
                        "ext?=M\0inputs\0layers\0model\0output_structure?\0outputs\0payload_sha256=T\0producer\0"
                        "requires\0selftest?\0states?\0tensors\0",
                        found));
    if (found[EXT] != 0) NNP_TRY(check_open(r, AT("/ext", 0), found[EXT], true));
    NNP_TRY(read_record(r, AT("/producer", 0), found[PRODUCER], "name=T\0version=T\0", part));
    NNP_TRY(read_record(r, AT("/model", 0), found[MODEL], "metadata?=M\0name=N\0", part));
    if (part[0] != 0) NNP_TRY(check_open(r, AT("/model/metadata", 0), part[0], false));
    model->name = part[1];
    NNP_TRY(check_hash(r, AT("/payload_sha256", 0), found[SHA256]));
    model->hash = found[SHA256];

    NNP_TRY(read_each(r, AT("/tensors", 0), found[TENSORS], 0, read_tensor, &model->tensor_count));
    if (r->tensors_end != model->payload_size)
        FAIL(NNP_PAYLOAD_SIZE, AT("/tensors", 0), "tensors that end with the payload", 0);
    if (r->filling) NNP_TRY(nnp_check_tensors(model, error));

    r->given = true;
    NNP_TRY(read_each(r, AT("/inputs", 0), found[INPUTS], 1, read_value, &model->input_count));
#if NNP_STATES
    if (found[STATES] != 0) NNP_TRY(read_each(r, AT("/states", 0), found[STATES], 1, read_state, &model->state_count));
#else
    if (found[STATES] != 0) FAIL(NNP_REQUIRES_INCOMPLETE, AT("/states", 0), "feature:states in /requires", 0);
#endif
    NNP_TRY(read_each(r, AT("/layers", 0), found[LAYERS], 0, read_layer, &model->layer_count));
    if (r->filling) model->outputs = model->references + r->references;
    NNP_TRY(read_each(r, AT("/outputs", 0), found[OUTPUTS], 1, read_reference, &model->output_count));
    if (found[STRUCTURE] != 0) {
        if (r->filling) memset(model->scratch, 0, model->output_count * sizeof *model->scratch);
        NNP_TRY(read_structure(r, AT("/output_structure", 0), found[STRUCTURE], model->output_count, model->scratch, &leaves));
        NNP_TRY(check_open(r, AT("/output_structure", 0), found[STRUCTURE], false));
        if (leaves != model->output_count)
            FAIL(NNP_OUTPUT_STRUCTURE, AT("/output_structure", 0), "the index of each output once", found[STRUCTURE]);
    }
    if (found[SELFTEST] != 0) {
        NNP_TRY(read_record(r, AT("/selftest", 0), found[SELFTEST], "inputs\0outputs\0tolerances\0", part));
        model->selftest_at = r->references + 1; /* 0 says that there is none */
        for (unsigned i = 0; i < 3; i++) {
            uint32_t count, needed = i == 0 ? model->input_count : model->output_count;
            NNP_TRY(read_each(r, AT("/selftest", 0), part[i], 0, read_reference, &count));
            if (count != needed) FAIL(NNP_SELFTEST_COUNT, AT("/selftest", 0), "a tensor for each input and output", part[i]);
        }
    }
    model->requires = found[REQUIRES];
    model->value_count = r->values;
    model->dim_count = r->dims;
    model->item_count = r->items;
    model->reference_count = r->references;
    model->weight_count = r->weights;
    model->attribute_count = r->attributes;
    model->symbol_count = r->symbols;
    widen(&model->scratch_count, NNP_REQUIREMENTS);
    widen(&model->scratch_count, r->symbols);
    widen(&model->scratch_count, model->output_count);
    widen(&model->scratch_count, r->values);
    return NNP_OK;
}
