#include "rules.h"
#include "text.h"
#include "window.h"

#include <stdlib.h>
#include <string.h>

#define CODE_SLOTS SA_RULE_CODES

#define NO_COLUMN  (-1)

struct code_slot {
    uint16_t code;
    int column; /* of the group's window */
};

struct group {
    const struct sa_rule_def *rule;
    unsigned source;
    const char *source_name;
    struct sa_window window;
    int matches[SA_DIR_COUNT], base[SA_DIR_COUNT]; /* columns of it, or NO_COLUMN: nothing came so far */
    struct code_slot codes[CODE_SLOTS];
    unsigned n_codes;
    struct sa_standing standing;
    bool dirty, blind;
    bool gone;    /* the rule left the configuration */
    bool changed; /* since it was last kept */
    char evidence[SA_CALLID_SIZE];
};

struct sa_rules {
    struct group *groups; /* sorted by source */
    unsigned n_groups, n_sources;
    unsigned *first; /* n_sources + 1 entries: the groups of a source */
};

static bool
applies_to(const struct sa_rule_def *rule, const char *source)
{
    if (!rule->enabled)
        return false;
    for (unsigned i = 0; i < rule->n_sources; i++)
        if (strcmp(rule->sources[i], source) == 0)
            return true;
    return rule->n_sources == 0;
}

static void
group_init(struct group *group, const struct sa_rule_def *rule, unsigned source, const char *name)
{
    group->rule = rule;
    group->source = source;
    group->source_name = name;
    group->standing = sa_standing_ok;
    sa_window_init(&group->window, rule->window_s, sa_window_step_s(rule->window_s));
    for (unsigned i = 0; i < SA_DIR_COUNT; i++)
        group->matches[i] = group->base[i] = NO_COLUMN;
}

struct sa_rules *
sa_rules_new(const struct sa_rule_def *defs, unsigned n_defs, const char *const *sources, unsigned n_sources)
{
    struct sa_rules *rules = calloc(1, sizeof *rules);

    if (rules == NULL)
        return NULL;
    rules->n_sources = n_sources;
    rules->first = calloc(n_sources + 1, sizeof *rules->first);
    rules->groups = calloc((size_t)n_sources * n_defs + 1, sizeof *rules->groups);
    if (rules->first == NULL || rules->groups == NULL)
        return sa_rules_free(rules);
    for (unsigned source = 0; source < n_sources; source++) {
        rules->first[source] = rules->n_groups;
        for (unsigned i = 0; i < n_defs; i++)
            if (applies_to(&defs[i], sources[source]))
                group_init(&rules->groups[rules->n_groups++], &defs[i], source, sources[source]);
    }
    rules->first[n_sources] = rules->n_groups;
    return rules;
}

struct sa_rules *
sa_rules_free(struct sa_rules *rules)
{
    if (rules == NULL)
        return NULL;
    for (unsigned i = 0; rules->groups != NULL && i < rules->n_groups; i++)
        sa_window_done(&rules->groups[i].window);
    free(rules->groups);
    free(rules->first);
    free(rules);
    return NULL;
}

unsigned
sa_rules_groups(const struct sa_rules *rules)
{
    return rules->n_groups;
}

void
sa_rules_set_blind(struct sa_rules *rules, unsigned source, bool blind)
{
    for (unsigned i = rules->first[source]; i < rules->first[source + 1]; i++)
        rules->groups[i].blind = blind;
}

static bool
takes_method(const struct sa_rule_def *rule, const char *method)
{
    for (unsigned i = 0; i < rule->n_methods; i++)
        if (strcmp(rule->methods[i], method) == 0)
            return true;
    return rule->n_methods == 0;
}

static uint64_t
column_sum(struct group *group, int column, int64_t now_s)
{
    return column == NO_COLUMN ? 0 : sa_window_sum(&group->window, (unsigned)column, now_s);
}

/* Makes the column on first use; without memory nothing is counted. */
static void
column_add(struct group *group, int *column, int64_t now_s, uint32_t n)
{
    if (*column == NO_COLUMN) {
        int made = sa_window_widen(&group->window);

        if (made < 0)
            return;
        *column = made;
    }
    sa_window_add(&group->window, (unsigned)*column, now_s, n);
}

/* The slot of a code.  When there is none, the code that is seen least gives way: the frequent ones stay. */
static struct code_slot *
code_slot(struct group *group, uint16_t code, int64_t now_s)
{
    struct code_slot *least = &group->codes[0];

    for (unsigned i = 0; i < group->n_codes; i++) {
        if (group->codes[i].code == code)
            return &group->codes[i];
        if (column_sum(group, group->codes[i].column, now_s) < column_sum(group, least->column, now_s))
            least = &group->codes[i];
    }
    if (group->n_codes < CODE_SLOTS) {
        least = &group->codes[group->n_codes++];
        least->column = NO_COLUMN;
    } else if (least->column != NO_COLUMN) {
        sa_window_clear(&group->window, (unsigned)least->column);
    }
    least->code = code;
    return least;
}

static bool
has_matches(const struct group *group)
{
    for (unsigned i = 0; i < SA_DIR_COUNT; i++)
        if (group->matches[i] != NO_COLUMN && group->window.sum[group->matches[i]] != 0)
            return true;
    return false;
}

/* Whether a response of the base can complete min_total for matches that are there already. */
static bool
can_complete(const struct group *group)
{
    return group->standing.state == SA_RULE_OK && has_matches(group);
}

static bool
count_in_group(struct group *group, const struct sa_response *response, int64_t now_s)
{
    const struct sa_rule_def *rule = group->rule;

    if (!takes_method(rule, response->method))
        return false;
    group->changed = true;
    if (rule->ratio_of == SA_RATIO_ALL || response->code >= 200)
        column_add(group, &group->base[response->direction], now_s, response->repeat);
    if (!sa_code_set_has(&rule->codes, response->code)) {
        if (can_complete(group))
            group->dirty = true;
        return group->dirty;
    }
    column_add(group, &group->matches[response->direction], now_s, response->repeat);
    column_add(group, &code_slot(group, response->code, now_s)->column, now_s, response->repeat);
    memcpy(group->evidence, response->call_id, sizeof group->evidence);
    group->dirty = true;
    return true;
}

bool
sa_rules_count(struct sa_rules *rules, unsigned source, const struct sa_response *response, int64_t now_ms)
{
    bool matched = false;

    for (unsigned i = rules->first[source]; i < rules->first[source + 1]; i++) {
        struct group *group = &rules->groups[i];
        const struct sa_response *counted = response;
        struct sa_response once;

        if (group->rule->count_of == SA_COUNT_TRANSACTIONS) {
            if (response->again)
                continue;
            once = *response;
            once.repeat = 1;
            counted = &once;
        }
        if (count_in_group(group, counted, now_ms / 1000))
            matched = true;
    }
    return matched;
}

bool
sa_rules_count_transactions(const struct sa_rules *rules, unsigned source)
{
    for (unsigned i = rules->first[source]; i < rules->first[source + 1]; i++)
        if (rules->groups[i].rule->count_of == SA_COUNT_TRANSACTIONS)
            return true;
    return false;
}

/* The ways the rule's direction looks at the group. */
static struct sa_measures
take_measures(struct group *group, int64_t now_s)
{
    struct sa_measures measures = {.n = 1, .blind = group->blind};
    struct sa_measure of[SA_DIR_COUNT], sum = {0, 0};

    for (unsigned i = 0; i < SA_DIR_COUNT; i++) {
        of[i].count = column_sum(group, group->matches[i], now_s);
        of[i].total = column_sum(group, group->base[i], now_s);
        sum.count += of[i].count;
        sum.total += of[i].total;
    }
    switch (group->rule->direction) {
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

static void
rank_codes(struct group *group, int64_t now_s, struct sa_verdict *verdict)
{
    uint64_t sums[CODE_SLOTS] = {0};

    for (unsigned i = 0; i < group->n_codes; i++) {
        uint64_t sum = column_sum(group, group->codes[i].column, now_s);
        unsigned at = verdict->n_codes;

        if (sum == 0)
            continue;
        for (; at > 0 && sums[at - 1] < sum; at--) {
            sums[at] = sums[at - 1];
            verdict->codes[at] = verdict->codes[at - 1];
        }
        sums[at] = sum;
        verdict->codes[at] = group->codes[i].code;
        verdict->n_codes++;
    }
}

static void
report(struct group *group, unsigned number, enum sa_transition transition, int level,
       const struct sa_measure *measure, int64_t now_s, sa_verdict_fn fn, void *arg)
{
    const struct sa_rule_level *limits = &group->rule->levels[level];
    struct sa_verdict verdict = {
        .group = number,
        .rule = group->rule,
        .source = group->source_name,
        .transition = transition,
        .severity = sa_rule_level_severity((unsigned)level),
        .count = (uint32_t)measure->count,
        .total = (uint32_t)measure->total,
        .rule_gone = group->gone,
        .evidence = group->evidence,
    };

    if (limits->ratio_per_mille != 0) {
        verdict.unit = SA_UNIT_PER_MILLE;
        verdict.value = measure->total == 0 ? 0 : (uint32_t)(measure->count * 1000 / measure->total);
        verdict.threshold = limits->ratio_per_mille;
    } else {
        verdict.unit = SA_UNIT_RESPONSES;
        verdict.value = verdict.count;
        verdict.threshold = limits->count;
    }
    rank_codes(group, now_s, &verdict);
    fn(arg, &verdict);
}

static void
judge_group(struct group *group, unsigned number, int64_t now_ms, sa_verdict_fn fn, void *arg)
{
    const struct sa_measures measures = take_measures(group, now_ms / 1000);
    const struct sa_judgement judgement = sa_judge(group->rule, &group->standing, &measures, now_ms);

    group->standing = judgement.next;
    if (judgement.level >= 0)
        report(group, number, judgement.transition, judgement.level, &judgement.shown, now_ms / 1000, fn,
               arg);
}

bool
sa_rules_evaluate(struct sa_rules *rules, int64_t now_ms, sa_verdict_fn fn, void *arg)
{
    bool active = false;

    for (unsigned i = 0; i < rules->n_groups; i++) {
        struct group *group = &rules->groups[i];

        if (!group->dirty && group->standing.state == SA_RULE_OK)
            continue;
        group->dirty = false;
        group->changed = true;
        judge_group(group, i, now_ms, fn, arg);
        if (group->standing.state != SA_RULE_OK)
            active = true;
    }
    return active;
}

/* Whether what one rule has counted is what the other would have counted. */
static bool
counts_alike(const struct sa_rule_def *a, const struct sa_rule_def *b)
{
    return strcmp(a->name, b->name) == 0 && memcmp(&a->codes, &b->codes, sizeof a->codes) == 0 &&
           a->window_s == b->window_s && a->ratio_of == b->ratio_of && a->count_of == b->count_of &&
           a->n_methods == b->n_methods && memcmp(a->methods, b->methods, sizeof a->methods) == 0;
}

static uint32_t
successor(const struct sa_rules *fresh, const struct group *old)
{
    for (unsigned i = 0; i < fresh->n_groups; i++)
        if (strcmp(fresh->groups[i].source_name, old->source_name) == 0 &&
            counts_alike(fresh->groups[i].rule, old->rule))
            return i;
    return SA_NO_GROUP;
}

static void
take_over(struct group *group, struct group *old)
{
    struct group kept = *group;

    *group = *old;
    group->rule = kept.rule;
    group->source = kept.source;
    group->source_name = kept.source_name;
    group->dirty = true; /* the limits may be others now */
    old->window = kept.window;
}

void
sa_rules_adopt(struct sa_rules *fresh, struct sa_rules *old, uint32_t *map, int64_t now_ms, sa_verdict_fn fn,
               void *arg)
{
    for (unsigned i = 0; i < old->n_groups; i++) {
        struct group *group = &old->groups[i];

        map[i] = successor(fresh, group);
        if (map[i] != SA_NO_GROUP) {
            take_over(&fresh->groups[map[i]], group);
        } else if (group->standing.state >= SA_RULE_FIRING) {
            const struct sa_measures measures = take_measures(group, now_ms / 1000);
            const struct sa_measure shown = sa_judge_shown(group->rule, &measures);

            group->gone = true;
            report(group, i, SA_CLEARED, group->standing.level, &shown, now_ms / 1000, fn, arg);
        }
    }
}

/* FNV-1a over what decides which responses a rule counts, and in which windows. */
static int64_t
fingerprint(const struct sa_rule_def *rule)
{
    const uint32_t parts[] = {
        sa_text_hash((const char *)&rule->codes, sizeof rule->codes),
        sa_text_hash((const char *)rule->methods, sizeof rule->methods),
        rule->window_s,
        (uint32_t)rule->ratio_of | (uint32_t)rule->count_of << 8,
    };

    return sa_text_hash((const char *)parts, sizeof parts);
}

static void
save_column(const struct group *group, int column, struct sa_buffer *buffer)
{
    if (column == NO_COLUMN)
        sa_buffer_number(buffer, 0); /* an empty one */
    else
        sa_window_save(&group->window, (unsigned)column, buffer);
}

static void
save_windows(const struct group *group, struct sa_buffer *buffer)
{
    for (unsigned i = 0; i < SA_DIR_COUNT; i++) {
        save_column(group, group->matches[i], buffer);
        save_column(group, group->base[i], buffer);
    }
    sa_buffer_number(buffer, group->n_codes);
    for (unsigned i = 0; i < group->n_codes; i++) {
        sa_buffer_number(buffer, group->codes[i].code);
        save_column(group, group->codes[i].column, buffer);
    }
}

static void
load_column(struct group *group, int *column, struct sa_buffer_reader *reader, int64_t shift_s)
{
    if (reader->p < reader->end && *reader->p == 0) /* an empty one needs no memory */
        reader->p++;
    else if (reader->p < reader->end && (*column = sa_window_widen(&group->window)) >= 0)
        sa_window_load(&group->window, (unsigned)*column, reader, shift_s);
    else
        reader->failed = true;
    if (*column < 0)
        *column = NO_COLUMN;
}

static void
load_windows(struct group *group, struct sa_buffer_reader *reader, int64_t shift_s)
{
    uint64_t n_codes;

    for (unsigned i = 0; i < SA_DIR_COUNT; i++) {
        load_column(group, &group->matches[i], reader, shift_s);
        load_column(group, &group->base[i], reader, shift_s);
    }
    n_codes = sa_buffer_read(reader);
    for (unsigned i = 0; i < n_codes && i < CODE_SLOTS && !reader->failed; i++) {
        group->codes[i].code = (uint16_t)(sa_buffer_read(reader) % (SA_CODE_MAX + 1));
        group->codes[i].column = NO_COLUMN;
        load_column(group, &group->codes[i].column, reader, shift_s);
        group->n_codes = i + 1;
    }
}

void
sa_rules_keep(struct sa_rules *rules, bool all, void (*fn)(void *arg, const struct sa_rule_memory *memory),
              void *arg)
{
    struct sa_buffer buffer = {0};

    for (unsigned i = 0; i < rules->n_groups; i++) {
        struct group *group = &rules->groups[i];
        struct sa_rule_memory memory;

        if (!group->changed && !all)
            continue;
        group->changed = false;
        buffer.len = 0;
        save_windows(group, &buffer);
        if (buffer.failed) /* better none than half of them */
            buffer.len = 0;
        memory = (struct sa_rule_memory){
            .rule = group->rule->name,
            .source = group->source_name,
            .counted = fingerprint(group->rule),
            .standing = group->standing,
            .evidence = group->evidence,
            .windows = buffer.bytes,
            .windows_len = buffer.len,
        };
        fn(arg, &memory);
    }
    sa_buffer_done(&buffer);
}

/* What a group remembered, on a clock that started anew. */
static struct sa_standing
shifted(const struct sa_standing *standing, int64_t shift_ms)
{
    struct sa_standing shifted = *standing;

    shifted.since_ms += shift_ms;
    for (unsigned i = 0; i < SA_RULE_LEVELS; i++)
        if (shifted.below_ms[i] != 0)
            shifted.below_ms[i] += shift_ms;
    return shifted;
}

uint32_t
sa_rules_recall(struct sa_rules *rules, const struct sa_rule_memory *memory, int64_t shift_s)
{
    for (unsigned i = 0; i < rules->n_groups; i++) {
        struct group *group = &rules->groups[i];
        struct sa_buffer_reader reader = {memory->windows, memory->windows + memory->windows_len, false};

        if (strcmp(group->rule->name, memory->rule) != 0 || strcmp(group->source_name, memory->source) != 0)
            continue;
        if (fingerprint(group->rule) != memory->counted)
            return SA_NO_GROUP;
        load_windows(group, &reader, shift_s);
        group->standing = shifted(&memory->standing, shift_s * 1000);
        group->changed = group->changed || shift_s != 0;
        (void)sa_text_copy(group->evidence, sizeof group->evidence, memory->evidence);
        group->dirty = true;
        return i;
    }
    return SA_NO_GROUP;
}

uint32_t
sa_rules_firing(const struct sa_rules *rules, const char *rule, const char *source)
{
    for (unsigned i = 0; i < rules->n_groups; i++)
        if (rules->groups[i].standing.state >= SA_RULE_FIRING &&
            strcmp(rules->groups[i].rule->name, rule) == 0 &&
            strcmp(rules->groups[i].source_name, source) == 0)
            return i;
    return SA_NO_GROUP;
}
