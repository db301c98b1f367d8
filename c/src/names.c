/* Names: their order, in which each is found in a few steps. */
#include "model.h"

void nnp_sort(uint32_t *numbers, uint32_t count, bool (*before)(const void *context, uint32_t a, uint32_t b),
              const void *context)
{
    /* heap sort: no memory, and no order of the input that takes long */
    for (uint32_t heap = count / 2, end = count; end > 1;) {
        uint32_t sinking;
        if (heap > 0) {
            sinking = numbers[--heap];
        } else {
            sinking = numbers[--end];
            numbers[end] = numbers[0];
        }
        uint32_t at = heap;
        for (uint32_t child; (child = 2 * at + 1) < end; at = child) {
            if (child + 1 < end && before(context, numbers[child], numbers[child + 1])) child++;
            if (!before(context, sinking, numbers[child])) break;
            numbers[at] = numbers[child];
        }
        numbers[at] = sinking;
    }
}

/* Two names, and where they are. */
typedef struct {
    const uint8_t *file;
    const uint32_t *at;
} naming;

static bool name_before(const void *context, uint32_t a, uint32_t b)
{
    const naming *names = context;
    return nnp_compare(names->file, names->at[a], names->at[b]) < 0;
}

uint32_t nnp_order_names(const uint8_t *file, nnp_names *names)
{
    const naming context = {file, names->at};
    uint32_t *order = names->order;
    for (uint32_t i = 0; i < names->count; i++) order[i] = i;
    nnp_sort(order, names->count, name_before, &context);
    for (uint32_t i = 1; i < names->count; i++)
        if (!name_before(&context, order[i - 1], order[i])) return order[i] > order[i - 1] ? order[i] : order[i - 1];
    return NNP_NOTHING;
}

uint32_t nnp_find_name(const uint8_t *file, const nnp_names *names, uint32_t name)
{
    uint32_t low = 0, high = names->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = nnp_compare(file, names->at[names->order[middle]], name);
        if (order == 0) return names->order[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NNP_NOTHING;
}
