#include "rules.h"
#include "rules_parts.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define SWEEP_S 60 /* how often idle groups are looked for while there is something to judge */

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

struct sa_rules_line *
sa_rules_line(const struct sa_rules *rules, const struct sa_groups *groups, unsigned source)
{
    for (unsigned i = rules->first[source]; i < rules->first[source + 1]; i++)
        if (rules->lines[i].groups == groups)
            return &rules->lines[i];
    return NULL;
}

static const char *
source_name(const struct sa_rules *rules, const struct sa_group_key *key)
{
    return key->source == SA_ANY_SOURCE ? "" : rules->sources[key->source];
}

/* The store has a row of a group that is no more. */
static void
note_gone(struct sa_rules *rules, const struct sa_group *group)
{
    struct sa_rules_gone *gone;

    if (rules->gone == NULL)
        rules->gone = calloc(SA_RULES_GONE, sizeof *rules->gone);
    if (rules->gone == NULL || rules->n_gone == SA_RULES_GONE) {
        rules->rewrite = true;
        return;
    }
    gone = &rules->gone[rules->n_gone++];
    gone->key = group->key;
    memcpy(gone->rule, group->of->rule->name, sizeof gone->rule);
    (void)sa_text_copy(gone->source, sizeof gone->source, source_name(rules, &group->key));
}

static void
forget(void *arg, struct sa_group *group)
{
    struct sa_rules *rules = arg;
    struct sa_rules_line *line =
        group->of->by_source ? sa_rules_line(rules, group->of, group->key.source) : NULL;

    if (line != NULL)
        line->only = NULL;
    if (group->hot)
        DL_DELETE(rules->hot, group);
    if (group->saved)
        note_gone(rules, group);
}

struct sa_rules *
sa_rules_new(const struct sa_rule_def *defs, unsigned n_defs, const char *const *sources, unsigned n_sources)
{
    struct sa_rules *rules = calloc(1, sizeof *rules);
    unsigned n = 0;

    if (rules == NULL)
        return NULL;
    rules->sources = sources;
    rules->n_sources = n_sources;
    rules->groups = calloc(n_defs + 1, sizeof *rules->groups);
    rules->first = calloc(n_sources + 1, sizeof *rules->first);
    rules->lines = calloc((size_t)n_sources * n_defs + 1, sizeof *rules->lines);
    rules->blind = calloc(n_sources + 1, sizeof *rules->blind);
    if (rules->groups == NULL || rules->first == NULL || rules->lines == NULL || rules->blind == NULL)
        return sa_rules_free(rules);
    for (; rules->n_rules < n_defs; rules->n_rules++)
        sa_groups_init(&rules->groups[rules->n_rules], &defs[rules->n_rules], forget, rules);
    for (unsigned source = 0; source < n_sources; source++) {
        rules->first[source] = n;
        for (unsigned i = 0; i < n_defs; i++)
            if (applies_to(&defs[i], sources[source]))
                rules->lines[n++].groups = &rules->groups[i];
    }
    rules->first[n_sources] = n;
    return rules;
}

struct sa_rules *
sa_rules_free(struct sa_rules *rules)
{
    if (rules == NULL)
        return NULL;
    for (unsigned i = 0; i < rules->n_rules; i++)
        sa_groups_done(&rules->groups[i]);
    free(rules->groups);
    free(rules->first);
    free(rules->lines);
    free(rules->blind);
    free(rules->gone);
    free(rules);
    return NULL;
}

/* By source alone a rule has one for each line, otherwise its groups and an overflow for each line at most.
 */
unsigned
sa_rules_room(const struct sa_rules *rules)
{
    unsigned room = rules->first[rules->n_sources];

    for (unsigned i = 0; i < rules->n_rules; i++) {
        const struct sa_rule_def *rule = rules->groups[i].rule;

        if (rule->enabled && !rules->groups[i].by_source)
            room += rule->max_groups == 0 ? SA_MAX_GROUPS_DEFAULT : rule->max_groups;
    }
    return room;
}

unsigned
sa_rules_groups(const struct sa_rules *rules)
{
    unsigned n = 0;

    for (unsigned i = 0; i < rules->n_rules; i++)
        n += HASH_COUNT(rules->groups[i].head);
    return n;
}

uint64_t
sa_rules_unfitted(const struct sa_rules *rules)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < rules->n_rules; i++)
        n += rules->groups[i].unfitted;
    return n;
}

void
sa_rules_set_blind(struct sa_rules *rules, unsigned source, bool blind)
{
    rules->blind[source] = blind;
}

/* A group over all sources sees less as soon as one of them is blind. */
static bool
is_blind(const struct sa_rules *rules, const struct sa_group *group)
{
    if (group->key.source != SA_ANY_SOURCE)
        return rules->blind[group->key.source];
    for (unsigned source = 0; source < rules->n_sources; source++)
        if (rules->blind[source] && sa_rules_line(rules, group->of, source) != NULL)
            return true;
    return false;
}

static bool
takes_method(const struct sa_rule_def *rule, const char *method)
{
    for (unsigned i = 0; i < rule->n_methods; i++)
        if (strcmp(rule->methods[i], method) == 0)
            return true;
    return rule->n_methods == 0;
}

/* Whether the limits look at the base: then each group needs it from the beginning. */
static bool
needs_base(const struct sa_rule_def *rule)
{
    if (rule->min_total != SA_MIN_TOTAL_UNSET && rule->min_total != 0)
        return true;
    for (unsigned i = 0; i < SA_RULE_LEVELS; i++)
        if (rule->levels[i].enabled && rule->levels[i].ratio_per_mille != 0)
            return true;
    return false;
}

static struct sa_group *
find_group(struct sa_rules_line *line, unsigned source, const struct sa_response *response, bool matches,
           int64_t now_s)
{
    const struct sa_rule_def *rule = line->groups->rule;
    struct sa_group_key key = sa_group_key(rule, source, response, matches);

    if (line->groups->by_source)
        return line->only = sa_groups_make(line->groups, &key, now_s);
    if (!matches && !needs_base(rule))
        return sa_groups_find(line->groups, &key);
    return sa_groups_get(line->groups, &key, now_s);
}

/* The group that a response of the base or a match counts in; NULL: in none. */
static inline struct sa_group *
group_of(struct sa_rules_line *line, unsigned source, const struct sa_response *response, bool matches,
         int64_t now_s)
{
    return line->only != NULL ? line->only : find_group(line, source, response, matches, now_s);
}

void
sa_rules_heat(struct sa_rules *rules, struct sa_group *group)
{
    group->dirty = true;
    if (!group->hot)
        DL_APPEND(rules->hot, group);
    group->hot = true;
}

/* Whether a response of the base can have completed a min_total, of the group or of those by code below it.
 */
static bool
heat_completed(struct sa_rules *rules, struct sa_group *group)
{
    bool dirty = group->dirty;

    if (!dirty && sa_group_can_complete(group)) {
        sa_rules_heat(rules, group);
        dirty = true;
    }
    for (struct sa_group *child = group->children; child != NULL; child = child->sibling)
        dirty = heat_completed(rules, child) || dirty;
    return dirty;
}

static bool
count_base(struct sa_rules *rules, struct sa_rules_line *line, unsigned source,
           const struct sa_response *response, bool matches, uint32_t n, int64_t now_s)
{
    struct sa_group *group = group_of(line, source, response, false, now_s), *overflow = NULL;

    if (group == NULL)
        return false;
    if (group->key.overflow && !matches)
        line->groups->unfitted += n;
    sa_group_add_base(group, response->direction, now_s, n);
    if (line->groups->by_code) /* its codes may belong to any parent */
        overflow = sa_groups_overflow(line->groups, group->key.source);
    if (overflow != NULL && overflow != group) {
        sa_group_add_base(overflow, response->direction, now_s, n);
        (void)heat_completed(rules, overflow);
    }
    if (group->n_codes == 0 && group->children == NULL) /* never a match: there is nothing to complete */
        return group->dirty;
    return heat_completed(rules, group);
}

static bool
count_match(struct sa_rules *rules, struct sa_rules_line *line, unsigned source,
            const struct sa_response *response, uint32_t n, int64_t now_s)
{
    struct sa_group *group = group_of(line, source, response, true, now_s);

    if (group == NULL)
        return false;
    if (group->key.overflow)
        line->groups->unfitted += n;
    sa_group_add_match(group, response, now_s, n);
    sa_rules_heat(rules, group);
    return true;
}

/* A match counts in the base too, and first: a group by code needs its parent. */
static bool
count_in_line(struct sa_rules *rules, struct sa_rules_line *line, unsigned source,
              const struct sa_response *response, uint32_t n, int64_t now_s)
{
    const struct sa_rule_def *rule = line->groups->rule;
    bool matches = sa_code_set_has(&rule->codes, response->code), dirty = false;

    if (!takes_method(rule, response->method))
        return false;
    if (rule->ratio_of == SA_RATIO_ALL || response->code >= 200)
        dirty = count_base(rules, line, source, response, matches, n, now_s);
    return matches ? count_match(rules, line, source, response, n, now_s) : dirty;
}

bool
sa_rules_count(struct sa_rules *rules, unsigned source, const struct sa_response *response, int64_t now_ms)
{
    bool crossed = false;

    for (unsigned i = rules->first[source]; i < rules->first[source + 1]; i++) {
        struct sa_rules_line *line = &rules->lines[i];
        uint32_t n = response->repeat;

        if (line->groups->rule->count_of == SA_COUNT_TRANSACTIONS) {
            if (response->again)
                continue;
            n = 1;
        }
        if (count_in_line(rules, line, source, response, n, now_ms / 1000))
            crossed = true;
    }
    return crossed;
}

bool
sa_rules_count_transactions(const struct sa_rules *rules, unsigned source)
{
    for (unsigned i = rules->first[source]; i < rules->first[source + 1]; i++)
        if (rules->lines[i].groups->rule->count_of == SA_COUNT_TRANSACTIONS)
            return true;
    return false;
}

static void
report(const struct sa_rules *rules, struct sa_group *group, const struct sa_judgement *judgement, bool gone,
       int64_t now_s, sa_verdict_fn fn, void *arg)
{
    const struct sa_rule_def *rule = group->of->rule;
    const struct sa_rule_level *limits = &rule->levels[judgement->level];
    const struct sa_measure *measure = &judgement->shown;
    struct sa_verdict verdict = {
        .rule = rule,
        .group = {rule->name, source_name(rules, &group->key), group->key.peer, group->key.method,
                  group->key.code, group->key.overflow},
        .transition = judgement->transition,
        .severity = sa_severity_of_level((unsigned)judgement->level),
        .count = (uint32_t)measure->count,
        .total = (uint32_t)measure->total,
        .rule_gone = gone,
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
    verdict.n_codes = sa_group_rank(group, now_s, verdict.codes);
    fn(arg, &verdict);
}

static void
judge_group(struct sa_rules *rules, struct sa_group *group, int64_t now_ms, sa_verdict_fn fn, void *arg)
{
    const struct sa_measures measures = sa_group_measures(group, is_blind(rules, group), now_ms / 1000);
    const struct sa_judgement judgement = sa_judge(group->of->rule, &group->standing, &measures, now_ms);

    if (memcmp(&group->standing, &judgement.next, sizeof judgement.next) != 0)
        group->changed = true;
    group->standing = judgement.next;
    if (judgement.level >= 0)
        report(rules, group, &judgement, false, now_ms / 1000, fn, arg);
}

/* Idle groups go now and then; when a rule has no room they go at once (groups.c). */
static void
sweep(struct sa_rules *rules, int64_t now_s)
{
    if (now_s - rules->swept_s < SWEEP_S)
        return;
    rules->swept_s = now_s;
    for (unsigned i = 0; i < rules->n_rules; i++)
        sa_groups_sweep(&rules->groups[i], now_s);
}

bool
sa_rules_evaluate(struct sa_rules *rules, int64_t now_ms, sa_verdict_fn fn, void *arg)
{
    struct sa_group *group, *next;

    DL_FOREACH_SAFE(rules->hot, group, next)
    {
        group->dirty = false;
        judge_group(rules, group, now_ms, fn, arg);
        if (group->standing.state == SA_RULE_OK) {
            DL_DELETE(rules->hot, group);
            group->hot = false;
        }
    }
    sweep(rules, now_ms / 1000);
    return rules->hot != NULL;
}

/* Whether what one rule has counted is what the other would have counted. */
static bool
counts_alike(const struct sa_rule_def *a, const struct sa_rule_def *b)
{
    if (sa_rule_by(a) != sa_rule_by(b) ||
        ((sa_rule_by(a) & SA_BY_SOURCE) == 0 &&
         (a->n_sources != b->n_sources || memcmp(a->sources, b->sources, sizeof a->sources) != 0)))
        return false;
    return strcmp(a->name, b->name) == 0 && memcmp(&a->codes, &b->codes, sizeof a->codes) == 0 &&
           a->window_s == b->window_s && a->ratio_of == b->ratio_of && a->count_of == b->count_of &&
           a->n_methods == b->n_methods && memcmp(a->methods, b->methods, sizeof a->methods) == 0;
}

static struct sa_groups *
successor(const struct sa_rules *fresh, const struct sa_groups *old)
{
    for (unsigned i = 0; i < fresh->n_rules; i++)
        if (fresh->groups[i].rule->enabled && counts_alike(fresh->groups[i].rule, old->rule))
            return &fresh->groups[i];
    return NULL;
}

/* A group without a successor: its alarm ends. */
static void
end_group(const struct sa_rules *rules, struct sa_group *group, int64_t now_ms, sa_verdict_fn fn, void *arg)
{
    const struct sa_measures measures = sa_group_measures(group, false, now_ms / 1000);
    const struct sa_judgement judgement = {.transition = SA_CLEARED,
                                           .level = group->standing.level,
                                           .shown = sa_judge_shown(group->of->rule, &measures)};

    if (group->standing.state >= SA_RULE_FIRING)
        report(rules, group, &judgement, true, now_ms / 1000, fn, arg);
}

/* The groups of a rule go over as they are; then those go whose source is none of the rule any more. */
static void
take_over(struct sa_rules *fresh, struct sa_groups *groups, struct sa_groups *old, int64_t now_ms,
          sa_verdict_fn fn, void *arg)
{
    struct sa_group *group, *next;

    groups->head = old->head;
    groups->n_overflow = old->n_overflow;
    groups->unfitted = old->unfitted;
    old->head = NULL;
    HASH_ITER(hh, groups->head, group, next)
    {
        struct sa_rules_line *line =
            group->key.source == SA_ANY_SOURCE ? NULL : sa_rules_line(fresh, groups, group->key.source);

        group->of = groups;
        group->hot = false;
        if (group->key.source != SA_ANY_SOURCE && line == NULL) {
            end_group(fresh, group, now_ms, fn, arg);
            sa_groups_drop(groups, group);
            continue;
        }
        if (line != NULL && groups->by_source)
            line->only = group;
        sa_rules_heat(fresh, group); /* the limits may be others now */
    }
}

void
sa_rules_adopt(struct sa_rules *fresh, struct sa_rules *old, int64_t now_ms, sa_verdict_fn fn, void *arg)
{
    struct sa_group *group, *next;

    memcpy(fresh->blind, old->blind, fresh->n_sources * sizeof *fresh->blind);
    fresh->gone = old->gone;
    fresh->n_gone = old->n_gone;
    fresh->rewrite = old->rewrite;
    old->gone = NULL;
    for (unsigned i = 0; i < old->n_rules; i++) {
        struct sa_groups *groups = successor(fresh, &old->groups[i]);

        if (groups != NULL) {
            take_over(fresh, groups, &old->groups[i], now_ms, fn, arg);
            continue;
        }
        HASH_ITER(hh, old->groups[i].head, group, next)
        {
            end_group(old, group, now_ms, fn, arg);
            if (group->saved)
                note_gone(fresh, group);
        }
    }
    old->hot = NULL;
}

bool
sa_rules_is_up(const struct sa_rules *rules, const struct sa_group_name *name)
{
    uint32_t source = 0;

    while (source < rules->n_sources && strcmp(rules->sources[source], name->source) != 0)
        source++;
    for (unsigned i = 0; i < rules->n_rules; i++) {
        const struct sa_groups *groups = &rules->groups[i];
        const struct sa_group *group;
        struct sa_group_key key;

        if (strcmp(groups->rule->name, name->rule) != 0 || !sa_group_key_of(groups->rule, source, name, &key))
            continue;
        group = sa_groups_find(groups, &key);
        if (group != NULL && group->standing.state >= SA_RULE_FIRING)
            return strcmp(source_name(rules, &key), name->source) == 0;
    }
    return false;
}
