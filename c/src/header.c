/* The header: fields, their types and ranges. spec/format.md, "Header"; the schemas of spec/schema. */
#include "model.h"

/* What is needed to go through a header. The model's counts say how far its arrays are filled. */
typedef struct {
    nnp_model *model;
    const uint8_t *file;
    nnp_error *error;
    bool filling, given, symbolic; /* the second pass; values that come from outside; shapes that may have symbols */
    uint32_t symbols;                    /* how many dimensions are one */
    uint64_t elements;                   /* of the last shape, symbols left out */
    uint32_t tensor_offset, tensors_end; /* where the last tensor begins, and the first byte behind it */
} reader;

#define AT(name, index) NNP_AT(here, name, index)
#define FAIL(status, here, expected, item) return nnp_fault(r->error, status, here, expected, r->file, item)

/* Words ------------------------------------------------------------------------------------------------------------ */

/* Tables of names have one entry behind the other; behind a name there may be ?, = and a letter, or : and a letter. */
static size_t name_length(const char *entry)
{
    return strcspn(entry, "?=: ");
}

static const char *next_entry(const char *entry)
{
    return entry + strlen(entry) + 1;
}

static bool equals(const nnp_text *text, const char *entry)
{
    return name_length(entry) == text->length && memcmp(entry, text->bytes, text->length) == 0;
}

/* The entry of a table that has a name, and its place; the end of the table where there is none. */
static const char *find_entry(const char *table, const nnp_text *name, unsigned *place)
{
    for (*place = 0; *table != 0 && !equals(name, table); table = next_entry(table)) ++*place;
    return table;
}

/* A dtype by its name; NNP_DTYPES where it is none. */
static unsigned dtype_of(const nnp_text *name)
{
    unsigned dtype;
    find_entry(nnp_dtype_names, name, &dtype);
    return dtype;
}

/* Objects ---------------------------------------------------------------------------------------------------------- */

static nnp_status read_item(const reader *r, const nnp_pointer *here, uint32_t at, nnp_item_kind kind, nnp_item *item)
{
    static const char expected[][11] = {"an integer", "a number", "a boolean", "a string", "a list", "a map"};
    (void)here, (void)expected;
    *item = nnp_item_at(r->file, at);
    if (item->kind != kind) FAIL(NNP_WRONG_TYPE, here, expected[kind], at);
    return NNP_OK;
}

static nnp_status require_kind(const reader *r, const nnp_pointer *here, uint32_t at, nnp_item_kind kind)
{
    nnp_item item;
    return read_item(r, here, at, kind, &item);
}

static nnp_status check_name(const reader *r, const nnp_pointer *here, uint32_t at)
{
    nnp_item text;
    NNP_TRY(read_item(r, here, at, NNP_ITEM_STRING, &text));
    if (text.count < 1 || text.count > 256) FAIL(NNP_NAME_LENGTH, here, "a name of 1 to 256 bytes", at);
    if (memchr(r->file + text.at, 0, text.count) != NULL) FAIL(NNP_NAME_NUL, here, "a name without U+0000", at);
    return NNP_OK;
}

static bool key_before(const void *file, uint32_t a, uint32_t b)
{
    return nnp_compare(file, a, b) < 0;
}

#define UNSORTED 256 /* keys of a map that need not be in order */

/* Whether a map whose keys do not ascend has each of them once. */
static nnp_status check_unsorted(const reader *r, const nnp_pointer *here, const nnp_item *map)
{
    uint32_t keys[UNSORTED], key = map->at;
    if (map->count > UNSORTED) FAIL(NNP_CANONICAL_ORDER, here, "sorted keys, in a map of more than 256", key);
    for (uint32_t i = 0; i < map->count; i++, key = nnp_behind(r->file, nnp_behind(r->file, key))) keys[i] = key;
    nnp_sort(keys, map->count, key_before, r->file);
    for (uint32_t i = 1; i < map->count; i++)
        if (!key_before(r->file, keys[i - 1], keys[i])) FAIL(NNP_DUPLICATE_KEY, here, "each key once", keys[i]);
    return NNP_OK;
}

/* Whether what begins at `at` has no map with a key twice; and what `ext` asks of its own keys. */
static nnp_status check_open(const reader *r, const nnp_pointer *here, uint32_t at, bool extensions)
{
    nnp_item item = nnp_item_at(r->file, at);
    if (item.kind < NNP_ITEM_LIST) return NNP_OK;
    bool sorted = true;
    uint32_t before = 0, member = item.at;
    for (uint32_t i = 0; i < item.count; i++) {
        if (item.kind == NNP_ITEM_MAP) {
            sorted = sorted && (i == 0 || key_before(r->file, before, member));
            if (extensions) {
                nnp_text key = nnp_item_text(r->file, member);
                NNP_TRY(check_name(r, here, member));
                if (memchr(key.bytes, '.', key.length) == NULL)
                    FAIL(NNP_WRONG_VALUE, here, "a reverse DNS name, such as org.example.note", member);
            }
            before = member;
            member = nnp_behind(r->file, member);
        }
        NNP_TRY(check_open(r, here, member, false));
        member = nnp_behind(r->file, member);
    }
    return sorted ? NNP_OK : check_unsorted(r, here, &item);
}

/* What stands behind = in a table of keys: N a name, T a text, M a map, E the map `ext`, O any object. */
static nnp_status check_field(const reader *r, const nnp_pointer *here, uint32_t at, const char *entry)
{
    const char *kind = strchr(entry, '=');
    if (kind == NULL) return NNP_OK;
    if (kind[1] == 'N') return check_name(r, here, at);
    if (kind[1] == 'T') return require_kind(r, here, at, NNP_ITEM_STRING);
    if (kind[1] != 'O') NNP_TRY(require_kind(r, here, at, NNP_ITEM_MAP));
    return r->filling ? NNP_OK : check_open(r, here, at, kind[1] == 'E'); /* once is enough */
}

/*
 * Finds the entries of a map whose keys are known.
 *
 *   names     the keys; those with a ? may be absent
 *   found     takes the places of what belongs to them, 0 where there is nothing
 *   unknown   the fault of another key; NNP_OK where there may be others
 *   missing   the fault of an absent one
 */
static nnp_status read_fields(const reader *r, const nnp_pointer *here, uint32_t at, const char *names, uint32_t *found,
                              nnp_status unknown, nnp_status missing)
{
    nnp_item map;
    unsigned i = 0;
    NNP_TRY(read_item(r, here, at, NNP_ITEM_MAP, &map));
    for (const char *name = names; *name != 0; name = next_entry(name)) found[i++] = 0;
    for (uint32_t left = map.count, key = map.at; left > 0; left--) {
        uint32_t value = nnp_behind(r->file, key);
        nnp_text text = nnp_item_text(r->file, key);
        const char *name = find_entry(names, &text, &i);
        if (*name != 0) {
            if (found[i] != 0) FAIL(NNP_DUPLICATE_KEY, here, "each key once", key);
            found[i] = value;
            NNP_TRY(check_field(r, NNP_AT(AT("/", NNP_NOTHING), name, 0), value, name));
        } else if (unknown != NNP_OK) {
            FAIL(unknown, here, "a key that the specification has", key);
        }
        key = nnp_behind(r->file, value);
    }
    i = 0;
    for (const char *name = names; *name != 0; name = next_entry(name))
        if (found[i++] == 0 && name[name_length(name)] != '?') FAIL(missing, here, name, 0);
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
    nnp_item list;
    NNP_TRY(read_item(r, here, at, NNP_ITEM_LIST, &list));
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
    int64_t integer = nnp_item_integer(r->file, at);
    if (integer < least || integer > (int64_t)most)
        FAIL(range, here, "an integer of the range that the specification has", at);
    *value = (uint32_t)integer;
    return NNP_OK;
}

static nnp_status read_dtype(const reader *r, const nnp_pointer *here, uint32_t at, unsigned set, uint8_t *dtype)
{
    nnp_text name = nnp_item_text(r->file, at);
    *dtype = (uint8_t)dtype_of(&name);
    if (!(NNP_SET(*dtype) & set & NNP_BUILT_DTYPES)) FAIL(NNP_DTYPE_UNKNOWN, here, "a dtype of the specification", at);
    return NNP_OK;
}

#define MOST_ELEMENTS (UINT64_C(1) << 53)

/* A dimension. One that is a name is stored as the place of the name, below 0, or as NNP_BATCH. */
static nnp_status read_dim(reader *r, const nnp_pointer *here, uint32_t at, uint32_t axis)
{
    uint32_t dim = 0;
    if (r->symbolic && nnp_item_at(r->file, at).kind == NNP_ITEM_STRING) {
        nnp_text name = nnp_item_text(r->file, at);
        NNP_TRY(check_name(r, here, at));
        dim = equals(&name, "batch") ? (uint32_t)NNP_BATCH : 0 - at;
        r->symbols++;
    } else {
        NNP_TRY(read_integer(r, here, at, 1, INT32_MAX, NNP_DIMENSION_RANGE, &dim));
        uint64_t high = (r->elements >> 32) * dim; /* 2^53 times 2^31 does not fit into 64 bits at once */
        r->elements = (high << 32) + (r->elements & UINT32_MAX) * dim;
        if (high >> 22 != 0 || r->elements > MOST_ELEMENTS) r->elements = MOST_ELEMENTS + 1;
    }
    if (r->given && (dim == (uint32_t)NNP_BATCH) != (axis == 0))
        FAIL(NNP_BATCH_AXIS, here, "batch as first dimension and nowhere else", at);
    if (r->filling) memcpy(&r->model->dims[r->model->dim_count], &dim, sizeof dim);
    r->model->dim_count++;
    return NNP_OK;
}

static nnp_status read_shape(reader *r, const nnp_pointer *here, uint32_t at, nnp_type *type)
{
    uint32_t rank;
    r->elements = 1;
    type->dims = r->filling ? r->model->dims + r->model->dim_count : NULL;
    NNP_TRY(read_each(r, here, at, 0, read_dim, &rank));
    if (rank > NNP_RANK) FAIL(NNP_RANK_RANGE, here, "at most 8 dimensions", at);
    type->rank = (uint8_t)rank;
    return NNP_OK;
}

/* requires --------------------------------------------------------------------------------------------------------- */

/* The place of an operator that is named with its version; NNP_OK, or why there is none. */
static nnp_status find_operator(const nnp_text *text, unsigned *place)
{
    for (*place = 0; *place < nnp_operator_count; ++*place) {
        const char *name = nnp_operators[*place]->name;
        size_t length = strlen(name);
        if (text->length < length || memcmp(text->bytes, name, length) != 0) continue;
        if (text->length > length && text->bytes[length] != '@') continue; /* the name is longer */
        return text->length == length + 2 && text->bytes[length + 1] == '1' ? NNP_OK : NNP_OPERATOR_VERSION;
    }
    return NNP_OPERATOR_UNKNOWN;
}

uint32_t nnp_requirement(const nnp_model *model, uint32_t at)
{
    static const bool built[] = {true, NNP_STORAGE, NNP_STATES, false};
    enum { DTYPE, FEATURE, OP };
    nnp_text text = nnp_item_text(model->file, at), prefix = text;
    const char *colon = memchr(text.bytes, ':', text.length);
    unsigned kind, place;
    if (colon == NULL) return NNP_NOTHING;
    prefix.length = (size_t)(colon - text.bytes);
    text.bytes += prefix.length + 1;
    text.length -= prefix.length + 1;
    find_entry("dtype\0feature\0op\0", &prefix, &kind);
    switch (kind) {
    case DTYPE:
        place = dtype_of(&text);
        return NNP_SET(place) & NNP_BUILT_DTYPES ? (uint32_t)nnp_operator_count + place : NNP_NOTHING;
    case FEATURE:
        find_entry("nonfinite\0quantization\0states\0", &text, &place);
        return built[place] ? NNP_NONFINITE + place : NNP_NOTHING;
    case OP:
        return find_operator(&text, &place) == NNP_OK ? place : NNP_NOTHING;
    default:
        return NNP_NOTHING;
    }
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

static nnp_status read_value(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i)
{
    enum { NAME, DTYPE, SHAPE, FIELDS };
    nnp_model *model = r->model;
    uint32_t found[FIELDS];
    nnp_type counted, *type = r->filling ? &model->types[model->value_count] : &counted;
    (void)i;
    NNP_TRY(read_record(r, here, at, "name=N\0dtype=T\0shape\0", found));
    NNP_TRY(read_dtype(r, AT("/dtype", 0), found[DTYPE], NNP_PLAIN | NNP_SET(NNP_STRING), &type->dtype));
    NNP_TRY(read_shape(r, AT("/shape", 0), found[SHAPE], type));
    if (r->given && type->rank == 0) FAIL(NNP_BATCH_AXIS, AT("/shape", 0), "batch as first dimension", found[SHAPE]);
    if (r->filling) model->value_names.at[model->value_count] = found[NAME];
    model->value_count++;
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
    nnp_tensor counted, *tensor = r->filling ? &r->model->tensors[i] : &counted;
    uint32_t nbytes = 0, offset = 0, end = r->tensors_end, payload = r->model->payload_size;
    memset(tensor, 0, sizeof *tensor);
    NNP_TRY(read_record(r, here, at, "dtype=T\0name=N\0nbytes\0offset\0quantization?\0shape\0", found));
    NNP_TRY(read_dtype(r, AT("/dtype", 0), found[DTYPE], NNP_SET(NNP_STRING) - 1, &tensor->stored));
    NNP_TRY(read_integer(r, AT("/nbytes", 0), found[NBYTES], 1, UINT32_MAX, NNP_WRONG_VALUE, &nbytes));
    NNP_TRY(read_integer(r, AT("/offset", 0), found[OFFSET], 0, UINT32_MAX, NNP_WRONG_VALUE, &offset));
    NNP_TRY(read_shape(r, AT("/shape", 0), found[SHAPE], &tensor->type));
    if (r->elements > MOST_ELEMENTS) FAIL(NNP_ELEMENT_COUNT, AT("/shape", 0), "at most 2^53 elements", found[SHAPE]);
    if (nbytes != r->elements * nnp_dtype_size((nnp_dtype)tensor->stored))
        FAIL(NNP_TENSOR_NBYTES, AT("/nbytes", 0), "the product of the shape times the size of an element", found[NBYTES]);
    if (offset % 64 != 0) FAIL(NNP_TENSOR_MISALIGNED, AT("/offset", 0), "a multiple of 64", found[OFFSET]);
    if (offset < r->tensor_offset) FAIL(NNP_TENSOR_ORDER, AT("/offset", 0), "tensors in the order of their offsets", found[OFFSET]);
    if (offset < end) FAIL(NNP_TENSOR_OVERLAP, AT("/offset", 0), "an offset behind the tensor before", found[OFFSET]);
    if (offset - end >= 64) FAIL(NNP_TENSOR_HOLE, AT("/offset", 0), "only alignment behind the tensor before", found[OFFSET]);
    if (offset > payload || nbytes > payload - offset) FAIL(NNP_TENSOR_BOUNDS, AT("/offset", 0), "a tensor within the payload", found[OFFSET]);
    r->tensor_offset = offset;
    r->tensors_end = offset + nbytes;
    tensor->offset = offset;
    tensor->nbytes = nbytes;
    tensor->type.dtype = tensor->stored == NNP_FLOAT16 || tensor->stored == NNP_BFLOAT16 ? NNP_FLOAT32 : tensor->stored;
#if NNP_STORAGE
    if (found[QUANTIZATION] != 0) NNP_TRY(read_quantization(r, AT("/quantization", 0), found[QUANTIZATION], tensor));
#else
    if (found[QUANTIZATION] != 0) FAIL(NNP_REQUIRES_INCOMPLETE, here, "feature:quantization in /requires", found[QUANTIZATION]);
#endif
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
    {'A', 1, 7, 1},
#if NNP_CONVOLUTION || NNP_POOLING || NNP_RESIZING
    {'I', 1, 3, 1}, {'J', 2, 2, 1}, {'K', 2, 6, -INT32_MAX},
#endif
#if NNP_SHAPES
    {'T', 0, 7, -1}, {'P', 1, 8, 0}, {'W', 2, 16, 0}, {'R', 1, 8, 1},
#endif
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
static bool is_equation(nnp_text text)
{
    uint32_t part = 0, labels = 0;
    uint64_t seen[3] = {0, 0, 0};
    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            uint64_t label = UINT64_C(1) << (c - 'A');
            if (seen[part] & label || (part == 2 && !((seen[0] | seen[1]) & label)) || ++labels > NNP_RANK) return false;
            seen[part] |= label;
            continue;
        }
        if (labels == 0) return false;
        if (part == 0 && c == ',') part = 1;
        else if (part == 1 && c == '-' && i + 1 < text.length && text.bytes[i + 1] == '>') part = 2, i++;
        else return false;
        labels = 0;
    }
    return part == 2;
}
#endif

static nnp_status read_items(reader *r, const nnp_pointer *here, uint32_t at, char letter, nnp_attribute *attribute)
{
    unsigned kind = 0;
    nnp_item list = nnp_item_at(r->file, at);
    int32_t *items = r->filling ? r->model->items + r->model->item_count : NULL;
    while (lists[kind].letter != letter) kind++;
    bool fits = list.count >= lists[kind].least && list.count <= lists[kind].most;
    for (uint32_t i = 0, item = list.at; i < list.count; i++, item = nnp_behind(r->file, item)) {
        uint32_t n = 0;
        NNP_TRY(read_integer(r, here, item, lists[kind].low, INT32_MAX, NNP_WRONG_VALUE, &n));
        if (items != NULL) memcpy(&items[i], &n, sizeof n);
    }
    if (!fits || (items != NULL && !list_fits(letter, items, list.count)))
        FAIL(NNP_WRONG_VALUE, here, "a list as the operator's page says", at);
    attribute->list.items = items;
    attribute->list.count = list.count;
    r->model->item_count += list.count;
    return NNP_OK;
}

#define WORDS (NNP_CONVOLUTION || NNP_POOLING || NNP_SHAPES || NNP_RECURRENT || NNP_RESIZING)

#if WORDS
/* The place of a string among words that are separated by blanks; -1 where it is none of them. */
static int32_t word_of(const nnp_text *text, const char *words)
{
    for (int32_t place = 0; *words != 0; place++) {
        if (equals(text, words)) return place;
        words += strcspn(words, " ");
        words += *words == ' ';
    }
    return -1;
}
#endif

static nnp_item_kind kind_of(char letter)
{
    if (strchr("nzp", letter) != NULL) return NNP_ITEM_NUMBER;
    if (strchr("isa", letter) != NULL) return NNP_ITEM_INTEGER;
    if (strchr("dcE", letter) != NULL) return NNP_ITEM_STRING;
    return letter == 'b' ? NNP_ITEM_BOOLEAN : NNP_ITEM_LIST;
}

/* `kind` is what follows the colon in the operator's table of attributes. */
static nnp_status read_attribute(reader *r, const nnp_pointer *here, uint32_t at, const char *kind,
                                 nnp_attribute *attribute)
{
    const char letter = *kind;
    uint32_t integer = 0;
    NNP_TRY(require_kind(r, here, at, kind_of(letter)));
    nnp_text text = nnp_item_text(r->file, at);
    switch (letter) {
    case 'n':
    case 'z':
    case 'p':
        attribute->number = nnp_item_number(r->file, at);
        if (letter == 'z' ? attribute->number == 0 : letter == 'p' && attribute->number < 0)
            FAIL(NNP_WRONG_VALUE, here, letter == 'z' ? "a number other than 0" : "a number of at least 0", at);
        return NNP_OK;
    case 'b':
        attribute->integer = nnp_item_boolean(r->file, at);
        return NNP_OK;
    case 'i':
    case 's':
    case 'a':
        NNP_TRY(read_integer(r, here, at, letter == 's' ? -INT32_MAX : 1, letter == 'a' ? NNP_RANK - 1 : INT32_MAX,
                             NNP_WRONG_VALUE, &integer));
        memcpy(&attribute->integer, &integer, sizeof integer);
        return NNP_OK;
    case 'd':
        attribute->integer = (int32_t)dtype_of(&text);
        if (!(NNP_SET(attribute->integer) & NNP_PLAIN)) FAIL(NNP_WRONG_VALUE, here, "a dtype of numbers or bool", at);
        return NNP_OK;
#if WORDS
    case 'c':
        attribute->integer = word_of(&text, kind + 1);
        if (attribute->integer < 0) FAIL(NNP_WRONG_VALUE, here, kind + 1, at);
        return NNP_OK;
#endif
#if NNP_PRODUCTS
    case 'E':
        if (!is_equation(text)) FAIL(NNP_WRONG_VALUE, here, "an equation such as ab,bc->ac", at);
        attribute->text = text;
        return NNP_OK;
#endif
    default:
        return read_items(r, here, at, letter, attribute);
    }
}

/* Layers ----------------------------------------------------------------------------------------------------------- */

#define ENTRIES 16U /* the most attributes, or weights, that an operator has */

/* A name that becomes a number later. */
static nnp_status read_reference(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i)
{
    (void)i;
    NNP_TRY(check_name(r, here, at));
    if (r->filling) r->model->references[r->model->reference_count] = at;
    r->model->reference_count++;
    return NNP_OK;
}

static nnp_status read_weights(reader *r, const nnp_pointer *here, uint32_t at, const nnp_operator *op)
{
    nnp_model *model = r->model;
    uint32_t entries[ENTRIES], *entry = entries;
    NNP_TRY(read_fields(r, here, at, op->weights, entries, NNP_WEIGHT_UNKNOWN, NNP_WEIGHT_MISSING));
    for (const char *role = op->weights; *role != 0; role = next_entry(role), entry++, model->weight_count++) {
        nnp_tensor *weight = NULL;
        if (*entry != 0) NNP_TRY(check_name(r, here, *entry));
        if (!r->filling) continue;
        if (*entry != 0) {
            uint32_t tensor = nnp_find_name(r->file, &model->tensor_names, *entry);
            if (tensor == NNP_NOTHING) FAIL(NNP_TENSOR_MISSING, here, "the name of a tensor", *entry);
            weight = &model->tensors[tensor];
            weight->referenced = true;
        }
        model->weights[model->weight_count] = weight;
    }
    return NNP_OK;
}

static nnp_status read_attributes(reader *r, const nnp_pointer *here, uint32_t at, const nnp_operator *op)
{
    nnp_model *model = r->model;
    uint32_t entries[ENTRIES], *entry = entries;
    NNP_TRY(read_fields(r, here, at, op->attributes, entries, NNP_ATTRIBUTE_UNKNOWN, NNP_ATTRIBUTE_MISSING));
    for (const char *name = op->attributes; *name != 0; name = next_entry(name), entry++) {
        nnp_attribute counted, *attribute = r->filling ? &model->attributes[model->attribute_count] : &counted;
        NNP_TRY(read_attribute(r, NNP_AT(AT("/", NNP_NOTHING), name, 0), *entry, strchr(name, ':') + 1, attribute));
        model->attribute_count++;
    }
    return NNP_OK;
}

static nnp_status read_layer(reader *r, const nnp_pointer *here, uint32_t at, uint32_t index)
{
    enum { ATTRIBUTES, INPUTS, NAME, OP, OUTPUTS, SOURCE, WEIGHTS, FIELDS };
    nnp_model *model = r->model;
    uint32_t found[FIELDS], source[2];
    unsigned op;
    nnp_layer counted, *layer = r->filling ? &model->layers[index] : &counted;
    memset(layer, 0, sizeof *layer);
    NNP_TRY(read_record(r, here, at, "attributes\0inputs\0name=N\0op=T\0outputs\0source?\0weights\0", found));
    nnp_text name = nnp_item_text(r->file, found[OP]);
    nnp_status status = find_operator(&name, &op);
    if (status != NNP_OK) FAIL(status, AT("/op", 0), "an operator of this runtime, in its version 1", found[OP]);
    layer->op = nnp_operators[op];
    layer->outputs = model->value_count;
    if (r->filling) {
        model->layer_names.at[index] = found[NAME];
        layer->inputs = model->references + model->reference_count;
        layer->weights = model->weights + model->weight_count;
        layer->attributes = model->attributes + model->attribute_count;
    }
    NNP_TRY(read_each(r, AT("/inputs", 0), found[INPUTS], 0, read_reference, &layer->input_count));
    if (layer->input_count < layer->op->least || (layer->op->most != NNP_MANY && layer->input_count > layer->op->most))
        FAIL(NNP_INPUT_COUNT, AT("/inputs", 0), "as many inputs as the operator takes", found[INPUTS]);
    NNP_TRY(read_each(r, AT("/outputs", 0), found[OUTPUTS], 1, read_value, &layer->output_count));
    NNP_TRY(read_weights(r, AT("/weights", 0), found[WEIGHTS], layer->op));
    NNP_TRY(read_attributes(r, AT("/attributes", 0), found[ATTRIBUTES], layer->op));
    if (found[SOURCE] != 0) NNP_TRY(read_record(r, AT("/source", 0), found[SOURCE], "class=T\0name=T\0", source));
    return NNP_OK;
}

/* The rest --------------------------------------------------------------------------------------------------------- */

#if NNP_STATES
static nnp_status read_state(reader *r, const nnp_pointer *here, uint32_t at, uint32_t i)
{
    enum { INITIAL, INPUT, OUTPUT, FIELDS };
    uint32_t found[FIELDS];
    NNP_TRY(read_record(r, here, at, "initial=N\0input\0output=N\0", found));
    if (r->filling) r->model->states[i] = (nnp_state){r->model->value_count, found[OUTPUT], found[INITIAL]};
    return read_value(r, AT("/input", 0), found[INPUT], i);
}
#endif

static nnp_status check_hash(const reader *r, const nnp_pointer *here, uint32_t at)
{
    nnp_text text = nnp_item_text(r->file, at);
    bool fits = text.length == 64;
    for (size_t i = 0; fits && i < 64; i++) fits = memchr("0123456789abcdef", text.bytes[i], 16) != NULL;
    if (!fits) FAIL(NNP_WRONG_VALUE, here, "64 lower-case hexadecimal digits", at);
    return NNP_OK;
}

/* output_structure: the leaves of the nest are the indices of the outputs, which are marked where they are seen. */
static nnp_status read_structure(const reader *r, const nnp_pointer *here, uint32_t at, uint32_t *leaves)
{
    nnp_item item = nnp_item_at(r->file, at);
    if (item.kind < NNP_ITEM_LIST) {
        int64_t output = item.kind == NNP_ITEM_INTEGER ? nnp_item_integer(r->file, at) : -1;
        if (output < 0 || output >= (int64_t)r->model->output_count || r->model->scratch[output]++ != 0)
            FAIL(NNP_OUTPUT_STRUCTURE, here, "the index of each output once", at);
        ++*leaves;
        return NNP_OK;
    }
    for (uint32_t left = item.count, member = item.at; left > 0; left--, member = nnp_behind(r->file, member)) {
        if (item.kind == NNP_ITEM_MAP) member = nnp_behind(r->file, member);
        NNP_TRY(read_structure(r, here, member, leaves));
    }
    return NNP_OK;
}

static nnp_status read_selftest(reader *r, const nnp_pointer *here, uint32_t at)
{
    nnp_model *model = r->model;
    uint32_t lists_of[3];
    NNP_TRY(read_record(r, here, at, "inputs\0outputs\0tolerances\0", lists_of));
    model->selftest_at = model->reference_count + 1; /* 0 says that there is none */
    for (unsigned i = 0; i < 3; i++) {
        uint32_t count;
        NNP_TRY(read_each(r, here, lists_of[i], 0, read_reference, &count));
        if (count != (i == 0 ? model->input_count : model->output_count))
            FAIL(NNP_SELFTEST_COUNT, here, "a tensor for each input and output", lists_of[i]);
    }
    return NNP_OK;
}

static void widen(uint32_t *count, uint32_t least)
{
    if (*count < least) *count = least;
}

nnp_status nnp_read_header(nnp_model *model, nnp_error *error)
{
    enum { EXT, INPUTS, LAYERS, MODEL, STRUCTURE, OUTPUTS, SHA256, PRODUCER, REQUIRES, SELFTEST, STATES, TENSORS,
           FIELDS };
    const nnp_pointer *here = NULL;
    reader reading = {.model = model, .file = model->file, .error = error, .filling = model->tensors != NULL};
    reader *r = &reading;
    uint32_t found[FIELDS], part[2], at = model->header, leaves = 0;
    model->value_count = model->dim_count = model->item_count = 0;
    model->reference_count = model->weight_count = model->attribute_count = 0;

    /* what the file requires comes before all that may be new to this reader because of it */
    NNP_TRY(read_fields(r, here, at, "requires\0", found, NNP_OK, NNP_MISSING_KEY));
    model->requires = found[0];
    NNP_TRY(read_each(r, AT("/requires", 0), model->requires, 0, read_requirement, part));
    NNP_TRY(read_record(r, here, at,
                        "ext?=E\0inputs\0layers\0model\0output_structure?=O\0outputs\0payload_sha256=T\0producer\0"
                        "requires\0selftest?\0states?\0tensors\0",
                        found));
    NNP_TRY(read_record(r, AT("/producer", 0), found[PRODUCER], "name=T\0version=T\0", part));
    NNP_TRY(read_record(r, AT("/model", 0), found[MODEL], "metadata?=M\0name=N\0", part));
    model->name = part[1];
    NNP_TRY(check_hash(r, AT("/payload_sha256", 0), found[SHA256]));
    model->hash = found[SHA256];

    NNP_TRY(read_each(r, AT("/tensors", 0), found[TENSORS], 0, read_tensor, &model->tensor_count));
    if (r->tensors_end != model->payload_size)
        FAIL(NNP_PAYLOAD_SIZE, AT("/tensors", 0), "tensors that end with the payload", 0);
    if (r->filling) NNP_TRY(nnp_check_tensors(model, error));

    r->given = r->symbolic = true;
    NNP_TRY(read_each(r, AT("/inputs", 0), found[INPUTS], 1, read_value, &model->input_count));
#if NNP_STATES
    if (found[STATES] != 0) NNP_TRY(read_each(r, AT("/states", 0), found[STATES], 1, read_state, &model->state_count));
#else
    if (found[STATES] != 0) FAIL(NNP_REQUIRES_INCOMPLETE, AT("/states", 0), "feature:states in /requires", 0);
#endif
    r->given = false;
    NNP_TRY(read_each(r, AT("/layers", 0), found[LAYERS], 0, read_layer, &model->layer_count));
    if (r->filling) model->outputs = model->references + model->reference_count;
    NNP_TRY(read_each(r, AT("/outputs", 0), found[OUTPUTS], 1, read_reference, &model->output_count));
    if (found[STRUCTURE] != 0 && r->filling) {
        memset(model->scratch, 0, model->output_count * sizeof *model->scratch);
        NNP_TRY(read_structure(r, AT("/output_structure", 0), found[STRUCTURE], &leaves));
        if (leaves != model->output_count)
            FAIL(NNP_OUTPUT_STRUCTURE, AT("/output_structure", 0), "the index of each output once", found[STRUCTURE]);
    }
    if (found[SELFTEST] != 0) NNP_TRY(read_selftest(r, AT("/selftest", 0), found[SELFTEST]));
    widen(&model->scratch_count, r->symbols);
    widen(&model->scratch_count, model->output_count);
    widen(&model->scratch_count, model->value_count);
    return NNP_OK;
}
