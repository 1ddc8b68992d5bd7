#include "rules_rows.h"
#include "rules_parts.h"
#include "text.h"

#include <errno.h>
#include <string.h>

_Static_assert((int)SA_ROW_STATE_OK == (int)SA_RULE_OK && (int)SA_ROW_STATE_FIRING == (int)SA_RULE_FIRING &&
                   (int)SA_ROW_STATE_CLEARING == (int)SA_RULE_CLEARING,
               "rows.h and judge.h number the states alike");
_Static_assert(sizeof((struct sa_row_group *)NULL)->below_mono_ms ==
                   sizeof((struct sa_standing *)NULL)->below_ms,
               "a row has a time for each level");

/* FNV-1a over what decides which responses a rule counts, in which groups and windows. */
static int64_t
fingerprint(const struct sa_rule_def *rule)
{
    unsigned by = sa_rule_by(rule) ^ SA_BY_SOURCE; /* 0 for by source: as before there was anything else */
    const uint32_t parts[] = {
        sa_text_hash((const char *)&rule->codes, sizeof rule->codes),
        sa_text_hash((const char *)rule->methods, sizeof rule->methods),
        rule->window_s,
        (uint32_t)rule->ratio_of | (uint32_t)rule->count_of << 8 | by << 16,
    };

    return sa_text_hash((const char *)parts, sizeof parts);
}

static void
save_group(const struct sa_rules *rules, struct sa_group *group, struct sa_buffer *buffer,
           const struct sa_group_rows *to)
{
    const struct sa_standing *standing = &group->standing;
    struct sa_row_group row = {
        .rule = group->of->rule->name,
        .source = group->key.source == SA_ANY_SOURCE ? "" : rules->sources[group->key.source],
        .peer = group->key.peer,
        .method = group->key.method,
        .code = group->key.code,
        .overflow = group->key.overflow,
        .counted = fingerprint(group->of->rule),
        .state = standing->state,
        .level = standing->level,
        .since_mono_ms = standing->since_ms,
        .evidence = group->evidence,
    };

    memcpy(row.below_mono_ms, standing->below_ms, sizeof row.below_mono_ms);
    buffer->len = 0;
    sa_group_save_windows(group, buffer);
    if (!buffer->failed) /* better none than half of them */
        row.windows = (struct sa_blob){buffer->bytes, buffer->len};
    group->changed = false;
    group->saved = true;
    to->put(to->arg, &row);
}

static void
save_gone(struct sa_rules *rules, const struct sa_group_rows *to)
{
    for (unsigned i = 0; i < rules->n_gone; i++) {
        const struct sa_rules_gone *gone = &rules->gone[i];

        to->gone(to->arg, &(struct sa_row_group){.rule = gone->rule,
                                                 .source = gone->source,
                                                 .peer = gone->key.peer,
                                                 .method = gone->key.method,
                                                 .code = gone->key.code,
                                                 .overflow = gone->key.overflow});
    }
}

void
sa_rules_save(struct sa_rules *rules, bool all, const struct sa_group_rows *to)
{
    struct sa_buffer buffer = {0};

    if (rules->rewrite)
        to->clear(to->arg);
    else if (!all)
        save_gone(rules, to); /* before those that came back meanwhile */
    for (unsigned i = 0; i < rules->n_rules; i++)
        for (struct sa_group *group = rules->groups[i].head; group != NULL; group = group->hh.next)
            if (group->changed || all || rules->rewrite)
                save_group(rules, group, &buffer, to);
    rules->n_gone = 0;
    rules->rewrite = false;
    sa_buffer_done(&buffer);
}

static bool
is_sound(const struct sa_row_group *row, int64_t latest_ms)
{
    if (row->state < SA_ROW_STATE_OK || row->state > SA_ROW_STATE_CLEARING || row->level < -1 ||
        row->level >= SA_RULE_LEVELS || (row->state >= SA_ROW_STATE_FIRING && row->level < 0) ||
        row->since_mono_ms > latest_ms || row->code < 0 || row->code > SA_CODE_MAX)
        return false;
    for (unsigned i = 0; i < SA_RULE_LEVELS; i++)
        if (row->below_mono_ms[i] > latest_ms)
            return false;
    return sa_group_windows_are_sound(row->windows.p, row->windows.len, latest_ms / 1000);
}

/* The groups of the row's rule, if it still counts what it counted; NULL: it does not. */
static struct sa_groups *
groups_of(const struct sa_rules *rules, const struct sa_row_group *row)
{
    for (unsigned i = 0; i < rules->n_rules; i++) {
        const struct sa_rule_def *rule = rules->groups[i].rule;

        if (strcmp(rule->name, row->rule) == 0)
            return rule->enabled && fingerprint(rule) == row->counted ? &rules->groups[i] : NULL;
    }
    return NULL;
}

/* The number of the row's source among those of the rule; false: it is none of them. */
static bool
source_of(const struct sa_rules *rules, const struct sa_groups *groups, const struct sa_row_group *row,
          uint32_t *ret_source)
{
    if ((sa_rule_by(groups->rule) & SA_BY_SOURCE) == 0) {
        *ret_source = SA_ANY_SOURCE;
        return row->source[0] == '\0';
    }
    for (unsigned i = 0; i < rules->n_sources; i++)
        if (strcmp(rules->sources[i], row->source) == 0) {
            *ret_source = i;
            return sa_rules_line(rules, groups, i) != NULL;
        }
    return false;
}

static int64_t
shifted(int64_t ms, int64_t shift_s)
{
    return ms == 0 ? 0 : ms + shift_s * 1000;
}

static void
load_group(struct sa_rules *rules, struct sa_group *group, const struct sa_row_group *row, int64_t shift_s)
{
    const uint8_t *bytes = row->windows.p;
    struct sa_buffer_reader reader = {bytes, bytes + row->windows.len, false};

    sa_group_load_windows(group, &reader, shift_s);
    group->standing = (struct sa_standing){.state = (enum sa_rule_state)row->state,
                                           .level = (int)row->level,
                                           .since_ms = row->since_mono_ms + shift_s * 1000};
    for (unsigned i = 0; i < SA_RULE_LEVELS; i++)
        group->standing.below_ms[i] = shifted(row->below_mono_ms[i], shift_s);
    (void)sa_text_copy(group->evidence, sizeof group->evidence, row->evidence);
    group->saved = true;
    group->changed = shift_s != 0;
    sa_rules_heat(rules, group);
}

int
sa_rules_load(struct sa_rules *rules, const struct sa_row_group *row, int64_t latest_ms, int64_t shift_s)
{
    const struct sa_group_name name = {row->rule,   row->source,         row->peer,
                                       row->method, (uint16_t)row->code, row->overflow != 0};
    struct sa_groups *groups;
    struct sa_group *group;
    struct sa_group_key key;
    uint32_t source;

    if (!is_sound(row, latest_ms))
        return -EBADMSG;
    groups = groups_of(rules, row);
    if (groups == NULL || !source_of(rules, groups, row, &source))
        return -ENOENT;
    if (!sa_group_key_of(groups->rule, source, &name, &key))
        return -EBADMSG;
    group = sa_groups_make(groups, &key, groups->swept_s); /* nothing is swept while it is loaded */
    if (group == NULL)
        return -ENOENT;
    if (group->saved) /* two rows of one group */
        return -EBADMSG;
    if (groups->by_source)
        sa_rules_line(rules, groups, source)->only = group;
    load_group(rules, group, row, shift_s);
    return 0;
}
