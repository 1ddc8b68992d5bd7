#include "alarms.h"
#include "advice.h"
#include "catalog.h"
#include "lang.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sa_alarms {
    char node[SA_NODE_SIZE];
    struct sa_alarm *active; /* ascending id */
    unsigned *groups;        /* groups[i] is the group of active[i] */
    unsigned n_active, room;
    uint32_t last_id;
    int64_t changed_ms;
};

struct sa_alarms *
sa_alarms_new(const char *node, unsigned n_groups)
{
    struct sa_alarms *alarms = calloc(1, sizeof *alarms);

    if (alarms == NULL)
        return NULL;
    (void)sa_text_copy(alarms->node, sizeof alarms->node, node);
    alarms->room = n_groups;
    alarms->active = calloc(n_groups + 1, sizeof *alarms->active);
    alarms->groups = calloc(n_groups + 1, sizeof *alarms->groups);
    if (alarms->active == NULL || alarms->groups == NULL)
        return sa_alarms_free(alarms);
    return alarms;
}

struct sa_alarms *
sa_alarms_free(struct sa_alarms *alarms)
{
    if (alarms == NULL)
        return NULL;
    free(alarms->active);
    free(alarms->groups);
    free(alarms);
    return NULL;
}

/* node/rule/source; a text that does not fit keeps its start and ends in a hash of the whole, so it stays
 * unique. */
static void
write_identity(char identity[SA_IDENT_SIZE], const char *node, const char *rule, const char *source)
{
    char whole[512];

    (void)sa_text_format(whole, sizeof whole, "%s/%s%s%s", node, rule, source[0] != '\0' ? "/" : "", source);
    (void)sa_text_fit(identity, SA_IDENT_SIZE, whole);
}

static enum sa_alarm_kind
kind_of(const struct sa_code_set *codes)
{
    struct sa_code_set redirects = {{0}}, flows = {{0}};

    sa_code_set_add_range(&redirects, 300, 302, true);
    sa_code_set_add_range(&redirects, 305, 305, true);
    sa_code_set_add_range(&redirects, 380, 380, true);
    sa_code_set_add_range(&flows, 430, 430, true);
    if (sa_code_set_subset(codes, &flows))
        return SA_KIND_FLOW_FAILURE;
    return sa_code_set_subset(codes, &redirects) ? SA_KIND_REDIRECT : SA_KIND_RESPONSE;
}

/* "231 of 740 final responses (31.2%) in 60 s", or "25 responses in 60 s" */
static void
describe_numbers(char *dst, size_t size, const struct sa_verdict *verdict)
{
    unsigned window_s = verdict->rule->window_s;

    if (verdict->unit == SA_UNIT_RESPONSES)
        (void)sa_text_format(dst, size, _("%u responses in %u s"), verdict->count, window_s);
    else
        (void)sa_text_format(
            dst, size,
            verdict->rule->ratio_of == SA_RATIO_FINAL ? _("%u of %u final responses (%u.%u%%) in %u s")
                                                      : _("%u of %u responses (%u.%u%%) in %u s"),
            verdict->count, verdict->total, verdict->value / 10, verdict->value % 10, window_s);
}

static const char *
severity_word(enum sa_severity severity)
{
    static const char *const words[] = {[SA_SEV_CLEARED] = N_("cleared"),
                                        [SA_SEV_CRITICAL] = N_("critical"),
                                        [SA_SEV_MAJOR] = N_("major"),
                                        [SA_SEV_MINOR] = N_("minor"),
                                        [SA_SEV_WARNING] = N_("warning")};

    return words[severity] == NULL ? "" : _(words[severity]);
}

/* The most frequent code, as the alarm shows it; 0: none. */
static unsigned
first_code(const struct sa_alarm *alarm)
{
    return (unsigned)strtoul(alarm->codes, NULL, 10);
}

/* The codes come from the alarm, because a window that is empty names none. */
static void
describe(struct sa_alarm *alarm, const struct sa_verdict *verdict)
{
    char numbers[SA_TEXT_SIZE], limit[32];

    describe_numbers(numbers, sizeof numbers, verdict);
    if (verdict->unit == SA_UNIT_PER_MILLE)
        (void)sa_text_format(limit, sizeof limit, "%u.%u%%", verdict->threshold / 10,
                             verdict->threshold % 10);
    else
        (void)sa_text_format(limit, sizeof limit, "%u", verdict->threshold);
    if (verdict->rule_gone)
        (void)sa_text_format(alarm->text, sizeof alarm->text,
                             _("Over: the rule is no longer configured; last seen %s"), numbers);
    else if (verdict->transition == SA_CLEARED)
        (void)sa_text_format(alarm->text, sizeof alarm->text, _("Over: %s, below the %s limit of %s"),
                             numbers, severity_word(verdict->severity), limit);
    else
        (void)sa_text_format(alarm->text, sizeof alarm->text,
                             strchr(alarm->codes, ',') != NULL ? _("%u %s and others: %s, %s limit %s")
                                                               : _("%u %s: %s, %s limit %s"),
                             first_code(alarm), sa_catalog_explain(first_code(alarm)).phrase, numbers,
                             severity_word(verdict->severity), limit);
}

/* The codes of a window that is empty are those that were seen last. */
static void
name_codes(struct sa_alarm *alarm, const struct sa_verdict *verdict)
{
    size_t len = 0;

    for (unsigned i = 0; i < verdict->n_codes && len + 4 < sizeof alarm->codes; i++)
        len += sa_text_format(alarm->codes + len, sizeof alarm->codes - len, "%s%u", i != 0 ? "," : "",
                              verdict->codes[i]);
}

/* What moves while an alarm is active: the numbers, and the text that tells them. */
static void
update(struct sa_alarm *alarm, const struct sa_verdict *verdict)
{
    alarm->value = verdict->value;
    alarm->unit = verdict->unit;
    alarm->threshold = verdict->threshold;
    alarm->total = verdict->total;
    name_codes(alarm, verdict);
    describe(alarm, verdict);
}

/* What stays as it was when the alarm was raised or changed. */
static void
explain(struct sa_alarm *alarm, const struct sa_verdict *verdict, int64_t wall_ms)
{
    alarm->severity = verdict->severity;
    alarm->changed_ms = wall_ms;
    (void)sa_text_copy(alarm->remediation, sizeof alarm->remediation,
                       verdict->rule->remediation[0] != '\0'
                           ? verdict->rule->remediation
                           : _(sa_catalog_explain(first_code(alarm)).remediation));
    (void)sa_text_escape(alarm->evidence, sizeof alarm->evidence, verdict->evidence,
                         strlen(verdict->evidence));
}

static struct sa_alarm *
find(struct sa_alarms *alarms, unsigned group)
{
    for (unsigned i = 0; i < alarms->n_active; i++)
        if (alarms->groups[i] == group)
            return &alarms->active[i];
    return NULL;
}

static struct sa_alarm *
raise_alarm(struct sa_alarms *alarms, const struct sa_verdict *verdict, int64_t wall_ms)
{
    struct sa_alarm *alarm = &alarms->active[alarms->n_active];

    /* sa_alarms_reserve() made room for every group.  NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    *alarm = (struct sa_alarm){
        .id = ++alarms->last_id,
        .kind = kind_of(&verdict->rule->codes),
        .window_s = verdict->rule->window_s,
        .raised_ms = wall_ms,
    };
    write_identity(alarm->identity, alarms->node, verdict->rule->name, verdict->source);
    (void)sa_text_copy(alarm->rule, sizeof alarm->rule, verdict->rule->name);
    (void)sa_text_copy(alarm->source, sizeof alarm->source, verdict->source);
    alarms->groups[alarms->n_active++] = verdict->group;
    return alarm;
}

static void
remove_alarm(struct sa_alarms *alarms, struct sa_alarm *alarm)
{
    size_t at = (size_t)(alarm - alarms->active), behind = alarms->n_active - at - 1;

    memmove(alarm, alarm + 1, behind * sizeof *alarm);
    memmove(alarms->groups + at, alarms->groups + at + 1, behind * sizeof *alarms->groups);
    alarms->n_active--;
}

int
sa_alarms_apply(struct sa_alarms *alarms, const struct sa_verdict *verdict, int64_t wall_ms,
                struct sa_alarm_event *ret_event)
{
    struct sa_alarm *alarm = find(alarms, verdict->group);

    if (verdict->transition == SA_RAISED && alarm == NULL && alarms->n_active < alarms->room)
        alarm = raise_alarm(alarms, verdict, wall_ms);
    if (alarm == NULL)
        return 0;
    update(alarm, verdict);
    if (verdict->transition == 0)
        return 0;
    if (verdict->transition == SA_CLEARED) {
        alarm->severity = SA_SEV_CLEARED;
        alarm->changed_ms = wall_ms;
    } else {
        explain(alarm, verdict, wall_ms);
    }
    alarms->changed_ms = wall_ms;
    *ret_event = (struct sa_alarm_event){.transition = verdict->transition, .alarm = *alarm};
    if (verdict->transition == SA_CLEARED)
        remove_alarm(alarms, alarm);
    return 1;
}

const struct sa_alarm *
sa_alarms_active(const struct sa_alarms *alarms, unsigned *ret_count)
{
    *ret_count = alarms->n_active;
    return alarms->active;
}

enum sa_severity
sa_alarms_worst(const struct sa_alarms *alarms)
{
    enum sa_severity worst = SA_SEV_CLEARED;

    for (unsigned i = 0; i < alarms->n_active; i++)
        if (sa_severity_gravity(alarms->active[i].severity) > sa_severity_gravity(worst))
            worst = alarms->active[i].severity;
    return worst;
}

int64_t
sa_alarms_changed_ms(const struct sa_alarms *alarms)
{
    return alarms->changed_ms;
}

int
sa_alarms_reserve(struct sa_alarms *alarms, unsigned n_groups)
{
    struct sa_alarm *active;
    unsigned *groups;

    if (n_groups <= alarms->room)
        return 0;
    active = realloc(alarms->active, (n_groups + 1) * sizeof *active);
    if (active == NULL)
        return -ENOMEM;
    alarms->active = active;
    groups = realloc(alarms->groups, (n_groups + 1) * sizeof *groups);
    if (groups == NULL)
        return -ENOMEM;
    alarms->groups = groups;
    alarms->room = n_groups;
    return 0;
}

void
sa_alarms_regroup(struct sa_alarms *alarms, const uint32_t *map)
{
    for (unsigned i = 0; i < alarms->n_active; i++)
        if (alarms->groups[i] != SA_NO_GROUP)
            alarms->groups[i] = map[alarms->groups[i]];
}

struct sa_alarms_memory
sa_alarms_keep(const struct sa_alarms *alarms)
{
    return (struct sa_alarms_memory){alarms->last_id, alarms->changed_ms};
}

void
sa_alarms_recall(struct sa_alarms *alarms, const struct sa_alarms_memory *memory)
{
    alarms->last_id = memory->last_id;
    alarms->changed_ms = memory->changed_ms;
}

bool
sa_alarms_restore(struct sa_alarms *alarms, const struct sa_alarm *alarm, unsigned group)
{
    if (alarms->n_active == alarms->room)
        return false;
    alarms->active[alarms->n_active] = *alarm;
    alarms->groups[alarms->n_active++] = group;
    return true;
}

void
sa_alarms_end(const struct sa_alarm *alarm, int64_t wall_ms, struct sa_alarm_event *ret_event)
{
    enum sa_fault_kind kind;
    bool fault = sa_alarms_fault_kind(alarm->kind, &kind);

    *ret_event = (struct sa_alarm_event){.transition = fault ? SA_RESTORED : SA_CLEARED, .alarm = *alarm};
    ret_event->alarm.severity = SA_SEV_CLEARED;
    ret_event->alarm.changed_ms = wall_ms;
    (void)sa_text_format(ret_event->alarm.text, sizeof ret_event->alarm.text,
                         fault ? _("Over: the source is no longer configured")
                               : _("Over: the rule is no longer configured"));
}

void
sa_alarms_test(struct sa_alarms *alarms, const char *text, int64_t wall_ms, struct sa_alarm_event *ret_event)
{
    struct sa_alarm *alarm = &ret_event->alarm;

    *ret_event = (struct sa_alarm_event){.transition = SA_TEST};
    alarm->id = ++alarms->last_id;
    alarm->severity = SA_SEV_INDETERMINATE;
    alarm->kind = SA_KIND_RESPONSE;
    alarm->unit = SA_UNIT_RESPONSES;
    alarm->raised_ms = alarm->changed_ms = wall_ms;
    (void)sa_text_copy(alarm->rule, sizeof alarm->rule, "test");
    write_identity(alarm->identity, alarms->node, alarm->rule, "");
    (void)sa_text_copy(alarm->text, sizeof alarm->text, text);
    (void)sa_text_copy(alarm->remediation, sizeof alarm->remediation,
                       _("Nothing to do: who reads this gets the notifications of this node."));
}

/* What the three kinds of fault are called. */
static const struct {
    enum sa_alarm_kind kind;
    enum sa_severity severity;
    const char *rule;
} fault_kinds[SA_FAULT_KINDS] = {
    [SA_FAULT_BLIND] = {SA_KIND_SOURCE_BLIND, SA_SEV_MAJOR, "source-blind"},
    [SA_FAULT_UNDERCOUNT] = {SA_KIND_UNDERCOUNT, SA_SEV_MINOR, "undercount"},
    [SA_FAULT_STATE] = {SA_KIND_STATE_LOST, SA_SEV_MINOR, "state-lost"},
};

bool
sa_alarms_fault_kind(enum sa_alarm_kind kind, enum sa_fault_kind *ret_kind)
{
    for (enum sa_fault_kind i = 0; i < SA_FAULT_KINDS; i++)
        if (fault_kinds[i].kind == kind) {
            *ret_kind = i;
            return true;
        }
    return false;
}

static struct sa_alarm *
find_fault(struct sa_alarms *alarms, const struct sa_fault *fault)
{
    for (unsigned i = 0; i < alarms->n_active; i++)
        if (alarms->active[i].kind == fault_kinds[fault->kind].kind &&
            strcmp(alarms->active[i].source, fault->source) == 0)
            return &alarms->active[i];
    return NULL;
}

int
sa_alarms_fault(struct sa_alarms *alarms, const struct sa_fault *fault, int64_t wall_ms,
                struct sa_alarm_event *ret_event)
{
    struct sa_alarm *alarm = find_fault(alarms, fault);

    if (alarm == NULL && (!fault->raised || alarms->n_active == alarms->room))
        return 0;
    if (alarm == NULL) {
        alarm = &alarms->active[alarms->n_active];
        *alarm = (struct sa_alarm){.id = ++alarms->last_id,
                                   .kind = fault_kinds[fault->kind].kind,
                                   .unit = SA_UNIT_RESPONSES,
                                   .raised_ms = wall_ms};
        (void)sa_text_copy(alarm->rule, sizeof alarm->rule, fault_kinds[fault->kind].rule);
        (void)sa_text_copy(alarm->source, sizeof alarm->source, fault->source);
        write_identity(alarm->identity, alarms->node, alarm->rule, alarm->source);
        alarms->groups[alarms->n_active++] = SA_NO_GROUP;
    }
    if (fault->raised)
        (void)sa_text_copy(alarm->remediation, sizeof alarm->remediation,
                           _(sa_advice(fault->kind, fault->error)));
    alarm->severity = fault->raised ? fault_kinds[fault->kind].severity : SA_SEV_CLEARED;
    alarm->value = fault->lost > UINT32_MAX ? UINT32_MAX : (uint32_t)fault->lost;
    alarm->changed_ms = alarms->changed_ms = wall_ms;
    (void)sa_text_format(alarm->text, sizeof alarm->text, fault->raised ? "%s" : _("Over: %s"), fault->text);
    *ret_event =
        (struct sa_alarm_event){.transition = fault->raised ? SA_FAULT : SA_RESTORED, .alarm = *alarm};
    if (!fault->raised)
        remove_alarm(alarms, alarm);
    return 1;
}
