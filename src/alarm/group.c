#include "groups.h"

#include <string.h>

static uint64_t
column_sum(struct sa_group *group, int8_t column, int64_t now_s)
{
    return column == SA_NO_COLUMN ? 0 : sa_window_sum(&group->window, (unsigned)column, now_s);
}

void
sa_group_add_first(struct sa_group *group, int8_t *column, int64_t now_s, uint32_t n)
{
    int made = sa_window_widen(&group->window);

    if (made < 0)
        return;
    *column = (int8_t)made;
    sa_window_add(&group->window, (unsigned)made, now_s, n);
}

/* The place of a code.  When there is none, the code that is seen least gives way: the frequent ones stay. */
static unsigned
place_of_code(struct sa_group *group, uint16_t code, int64_t now_s)
{
    unsigned least = 0;

    for (unsigned i = 0; i < group->n_codes; i++) {
        if (group->codes[i] == code)
            return i;
        if (column_sum(group, group->code_columns[i], now_s) <
            column_sum(group, group->code_columns[least], now_s))
            least = i;
    }
    if (group->n_codes < SA_GROUP_CODES)
        least = group->n_codes++;
    else if (group->code_columns[least] != SA_NO_COLUMN)
        sa_window_clear(&group->window, (unsigned)group->code_columns[least]);
    group->codes[least] = code;
    return least;
}

void
sa_group_add_match(struct sa_group *group, const struct sa_response *response, int64_t now_s, uint32_t n)
{
    sa_group_add_to(group, &group->matches[response->direction], now_s, n);
    if (group->key.code == 0) /* the one code of the others is in their key */
        sa_group_add_to(group, &group->code_columns[place_of_code(group, response->code, now_s)], now_s, n);
    memcpy(group->evidence, response->call_id, sizeof group->evidence);
    group->changed = true;
}

struct sa_measures
sa_group_measures(struct sa_group *group, bool blind, int64_t now_s)
{
    struct sa_group *base = group->parent == NULL ? group : group->parent;
    struct sa_measures measures = {.n = 1, .blind = blind};
    struct sa_measure of[SA_DIR_COUNT], sum = {0, 0};

    for (unsigned i = 0; i < SA_DIR_COUNT; i++) {
        of[i].count = column_sum(group, group->matches[i], now_s);
        of[i].total = column_sum(base, base->base[i], now_s);
        sum.count += of[i].count;
        sum.total += of[i].total;
    }
    switch (group->of->rule->direction) {
    case SA_RULE_ANY:
        memcpy(measures.of, of, sizeof of);
        measures.n = SA_DIR_COUNT;
        break;
    case SA_RULE_RECEIVED:
        measures.of[0] = of[SA_DIR_RECEIVED];
        break;
    case SA_RULE_SENT:
        measures.of[0] = of[SA_DIR_SENT];
        break;
    case SA_RULE_BOTH:
        measures.of[0] = sum;
        break;
    }
    return measures;
}

unsigned
sa_group_rank(struct sa_group *group, int64_t now_s, uint16_t codes[SA_GROUP_CODES])
{
    uint64_t sums[SA_GROUP_CODES] = {0};
    unsigned n = 0;

    if (group->key.code != 0) {
        codes[0] = group->key.code;
        return !sa_window_is_empty(&group->window, now_s);
    }
    for (unsigned i = 0; i < group->n_codes; i++) {
        uint64_t sum = column_sum(group, group->code_columns[i], now_s);
        unsigned at = n;

        if (sum == 0)
            continue;
        for (; at > 0 && (sums[at - 1] < sum || (sums[at - 1] == sum && codes[at - 1] > group->codes[i]));
             at--) {
            sums[at] = sums[at - 1];
            codes[at] = codes[at - 1];
        }
        sums[at] = sum;
        codes[at] = group->codes[i];
        n++;
    }
    return n;
}

static void
save_column(const struct sa_group *group, int8_t column, struct sa_buffer *buffer)
{
    if (column == SA_NO_COLUMN)
        sa_buffer_number(buffer, 0); /* an empty one */
    else
        sa_window_save(&group->window, (unsigned)column, buffer);
}

void
sa_group_save_windows(const struct sa_group *group, struct sa_buffer *buffer)
{
    for (unsigned i = 0; i < SA_DIR_COUNT; i++) {
        save_column(group, group->matches[i], buffer);
        save_column(group, group->base[i], buffer);
    }
    sa_buffer_number(buffer, group->n_codes);
    for (unsigned i = 0; i < group->n_codes; i++) {
        sa_buffer_number(buffer, group->codes[i]);
        save_column(group, group->code_columns[i], buffer);
    }
}

static void
load_column(struct sa_group *group, int8_t *column, struct sa_buffer_reader *reader, int64_t shift_s)
{
    int made;

    if (reader->p < reader->end && *reader->p == 0) { /* an empty one needs no memory */
        reader->p++;
        return;
    }
    made = reader->p < reader->end ? sa_window_widen(&group->window) : -1;
    if (made < 0) {
        reader->failed = true;
        return;
    }
    *column = (int8_t)made;
    sa_window_load(&group->window, (unsigned)made, reader, shift_s);
}

void
sa_group_load_windows(struct sa_group *group, struct sa_buffer_reader *reader, int64_t shift_s)
{
    uint64_t n_codes;

    for (unsigned i = 0; i < SA_DIR_COUNT; i++) {
        load_column(group, &group->matches[i], reader, shift_s);
        load_column(group, &group->base[i], reader, shift_s);
    }
    n_codes = sa_buffer_read(reader);
    for (unsigned i = 0; i < n_codes && i < SA_GROUP_CODES && !reader->failed; i++) {
        group->codes[i] = (uint16_t)(sa_buffer_read(reader) % (SA_CODE_MAX + 1));
        load_column(group, &group->code_columns[i], reader, shift_s);
        group->n_codes = (uint8_t)(i + 1);
    }
}

static bool
codes_are_sound(struct sa_buffer_reader *reader, int64_t latest_s)
{
    uint64_t n = sa_buffer_read(reader);

    if (n > SA_GROUP_CODES)
        return false;
    for (; n > 0; n--) {
        uint64_t code = sa_buffer_read(reader);

        if (code < SA_CODE_MIN || code > SA_CODE_MAX || !sa_window_is_sound(reader, latest_s))
            return false;
    }
    return true;
}

bool
sa_group_windows_are_sound(const void *bytes, size_t len, int64_t latest_s)
{
    const uint8_t *first = bytes;
    struct sa_buffer_reader reader = {first, first + len, false};

    if (len == 0) /* there was no memory to write them */
        return true;
    for (unsigned i = 0; i < 2 * SA_DIR_COUNT; i++)
        if (!sa_window_is_sound(&reader, latest_s))
            return false;
    return codes_are_sound(&reader, latest_s) && reader.p == reader.end && !reader.failed;
}
