#include "alarms.h"
#include "advice.h"
#include "catalog.h"
#include "lang.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1 /* of an element that found no memory hh.tbl is NULL */
#include <uthash.h>

/* What an alarm is about; compared as bytes. */
struct key {
    char rule[SA_NAME_SIZE], source[SA_NAME_SIZE], peer[SA_PEER_SIZE], method[SA_METHOD_SIZE];
    uint16_t code;
    bool overflow;
    uint8_t fault; /* kind of a fault, whose rule is a word of ours; otherwise 0 */
};

struct active_alarm {
    UT_hash_handle hh;
    struct key key;
    unsigned at;    /* in the list */
    uint32_t count; /* matching responses that the text tells of */
};

struct sa_alarms {
    char node[SA_NODE_SIZE];
    struct sa_alarm *list;        /* ascending id, with holes where alarms ended */
    struct active_alarm **owners; /* owners[i] is the entry of list[i]; NULL: a hole */
    unsigned n, holes, room;
    struct active_alarm *head; /* uthash */
    uint32_t last_id;
    int64_t changed_ms;
};

struct sa_alarms *
sa_alarms_new(const char *node)
{
    struct sa_alarms *alarms = calloc(1, sizeof *alarms);

    if (alarms != NULL)
        (void)sa_text_copy(alarms->node, sizeof alarms->node, node);
    return alarms;
}

struct sa_alarms *
sa_alarms_free(struct sa_alarms *alarms)
{
    struct active_alarm *entry, *next;

    if (alarms == NULL)
        return NULL;
    entry = alarms->head;
    HASH_CLEAR(hh, alarms->head); /* the table alone */
    for (; entry != NULL; entry = next) {
        next = entry->hh.next;
        free(entry);
    }
    free(alarms->list);
    free(alarms->owners);
    free(alarms);
    return NULL;
}

/* The holes go; pointers into the list are not valid any more. */
static void
close_holes(struct sa_alarms *alarms)
{
    unsigned n = 0;

    for (unsigned i = 0; i < alarms->n && alarms->holes > 0; i++) {
        if (alarms->owners[i] == NULL)
            continue;
        if (n != i) {
            alarms->list[n] = alarms->list[i];
            alarms->owners[n] = alarms->owners[i];
            alarms->owners[n]->at = n;
        }
        n++;
    }
    if (alarms->holes > 0)
        alarms->n = n;
    alarms->holes = 0;
}

static bool
make_room(struct sa_alarms *alarms)
{
    unsigned room = alarms->room == 0 ? 16 : 2 * alarms->room;
    struct sa_alarm *list;
    struct active_alarm **owners;

    close_holes(alarms);
    if (alarms->n < alarms->room)
        return true;
    list = realloc(alarms->list, room * sizeof *list);
    if (list == NULL)
        return false;
    alarms->list = list;
    owners = realloc(alarms->owners, room * sizeof(struct active_alarm *));
    if (owners == NULL)
        return false;
    alarms->owners = owners;
    alarms->room = room;
    return true;
}

static struct key
key_of(const struct sa_alarm *alarm)
{
    enum sa_fault_kind kind;
    struct key key;

    memset(&key, 0, sizeof key);
    (void)sa_text_copy(key.rule, sizeof key.rule, alarm->rule);
    (void)sa_text_copy(key.source, sizeof key.source, alarm->source);
    (void)sa_text_copy(key.peer, sizeof key.peer, alarm->peer);
    (void)sa_text_copy(key.method, sizeof key.method, alarm->method);
    key.code = alarm->code;
    key.overflow = alarm->overflow;
    if (sa_alarms_fault_kind(alarm->kind, &kind))
        key.fault = (uint8_t)alarm->kind;
    return key;
}

static struct active_alarm *
find(const struct sa_alarms *alarms, const struct key *key)
{
    struct active_alarm *entry;

    HASH_FIND(hh, alarms->head, key, sizeof *key, entry);
    return entry;
}

/* Puts an alarm behind the others.  NULL: no memory. */
static struct active_alarm *
add(struct sa_alarms *alarms, const struct sa_alarm *alarm)
{
    struct active_alarm *entry;

    if (alarms->n == alarms->room && !make_room(alarms))
        return NULL;
    entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->key = key_of(alarm);
    entry->at = alarms->n;
    HASH_ADD(hh, alarms->head, key, sizeof entry->key, entry);
    if (entry->hh.tbl == NULL) {
        free(entry);
        return NULL;
    }
    alarms->list[alarms->n] = *alarm;
    alarms->owners[alarms->n++] = entry;
    return entry;
}

static void
remove_alarm(struct sa_alarms *alarms, struct active_alarm *entry)
{
    alarms->owners[entry->at] = NULL;
    alarms->holes++;
    HASH_DEL(alarms->head, entry);
    free(entry);
}

/* A text that does not fit keeps its start and ends in a hash of the whole, so it stays unique. */
static void
write_identity(char identity[SA_IDENT_SIZE], const char *node, const char *rule, const char *source,
               const char *rest)
{
    char whole[512];

    (void)sa_text_format(whole, sizeof whole, "%s/%s%s%s%s", node, rule, source[0] != '\0' ? "/" : "", source,
                         rest);
    (void)sa_text_fit(identity, SA_IDENT_SIZE, whole);
}

/* What the identity of a group has behind its source: a part for each thing that the rule is by. */
static void
write_parts(char *dst, size_t size, const struct sa_verdict *verdict)
{
    const struct sa_group_name *group = &verdict->group;
    unsigned by = sa_rule_by(verdict->rule);
    size_t len = 0;

    dst[0] = '\0';
    if (group->overflow) {
        (void)sa_text_copy(dst, size, "/(others)");
        return;
    }
    if ((by & SA_BY_PEER) != 0)
        len += sa_text_format(dst, size, "/%s", group->peer[0] != '\0' ? group->peer : "-");
    if ((by & SA_BY_METHOD) != 0)
        len += sa_text_format(dst + len, size - len, "/%s", group->method[0] != '\0' ? group->method : "-");
    if ((by & SA_BY_CODE) != 0)
        (void)sa_text_format(dst + len, size - len, "/%u", group->code);
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

/* What is said in addition is not what is cut. */
static void
add_sentence(struct sa_alarm *alarm, const char *sentence)
{
    size_t room = sizeof alarm->text - 1 - strlen(sentence);
    size_t len = sa_text_utf8_prefix(alarm->text, strlen(alarm->text), room);

    (void)sa_text_copy(alarm->text + len, sizeof alarm->text - len, sentence);
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
    if (alarm->overflow)
        add_sentence(alarm, _("; of all that found no room in max_groups together"));
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

/* An alarm of the group as it begins. */
static struct sa_alarm
alarm_of(const struct sa_verdict *verdict)
{
    const struct sa_group_name *group = &verdict->group;
    struct sa_alarm alarm = {.kind = kind_of(&verdict->rule->codes),
                             .window_s = verdict->rule->window_s,
                             .code = group->code,
                             .overflow = group->overflow};

    (void)sa_text_copy(alarm.rule, sizeof alarm.rule, verdict->rule->name);
    (void)sa_text_copy(alarm.source, sizeof alarm.source, group->source);
    (void)sa_text_copy(alarm.peer, sizeof alarm.peer, group->peer);
    (void)sa_text_copy(alarm.method, sizeof alarm.method, group->method);
    return alarm;
}

static struct active_alarm *
raise_alarm(struct sa_alarms *alarms, const struct sa_verdict *verdict, struct sa_alarm *alarm,
            int64_t wall_ms)
{
    char parts[SA_PEER_SIZE + SA_METHOD_SIZE + 16];

    write_parts(parts, sizeof parts, verdict);
    write_identity(alarm->identity, alarms->node, alarm->rule, alarm->source, parts);
    alarm->raised_ms = wall_ms;
    alarm->id = ++alarms->last_id;
    return add(alarms, alarm);
}

/* Whether what is shown says the same already. */
static bool
is_told(const struct sa_alarm *alarm, const struct active_alarm *entry, const struct sa_verdict *verdict)
{
    return verdict->transition == 0 && entry->count == verdict->count && alarm->value == verdict->value &&
           alarm->total == verdict->total && alarm->unit == verdict->unit &&
           alarm->threshold == verdict->threshold && verdict->n_codes < 2 &&
           (verdict->n_codes == 0 || first_code(alarm) == verdict->codes[0]);
}

int
sa_alarms_apply(struct sa_alarms *alarms, const struct sa_verdict *verdict, int64_t wall_ms,
                struct sa_alarm_event *ret_event)
{
    struct sa_alarm fresh = alarm_of(verdict), *alarm;
    const struct key key = key_of(&fresh);
    enum sa_transition transition = verdict->transition;
    struct active_alarm *entry = find(alarms, &key);

    if (entry == NULL && (transition == SA_RAISED || (transition != SA_CLEARED && verdict->n_codes > 0))) {
        entry = raise_alarm(alarms, verdict, &fresh, wall_ms);
        transition = SA_RAISED;
    }
    if (entry == NULL)
        return 0;
    alarm = &alarms->list[entry->at];
    if (transition == 0 && is_told(alarm, entry, verdict))
        return 0;
    entry->count = verdict->count;
    update(alarm, verdict);
    if (transition == 0)
        return 0;
    if (transition == SA_CLEARED) {
        alarm->severity = SA_SEV_CLEARED;
        alarm->changed_ms = wall_ms;
    } else {
        explain(alarm, verdict, wall_ms);
    }
    alarms->changed_ms = wall_ms;
    *ret_event = (struct sa_alarm_event){.transition = transition, .alarm = *alarm};
    if (transition == SA_CLEARED)
        remove_alarm(alarms, entry);
    return 1;
}

const struct sa_alarm *
sa_alarms_active(struct sa_alarms *alarms, unsigned *ret_count)
{
    close_holes(alarms);
    *ret_count = alarms->n;
    return alarms->list;
}

enum sa_severity
sa_alarms_worst(const struct sa_alarms *alarms)
{
    enum sa_severity worst = SA_SEV_CLEARED;

    for (unsigned i = 0; i < alarms->n; i++)
        if (alarms->owners[i] != NULL &&
            sa_severity_gravity(alarms->list[i].severity) > sa_severity_gravity(worst))
            worst = alarms->list[i].severity;
    return worst;
}

int64_t
sa_alarms_changed_ms(const struct sa_alarms *alarms)
{
    return alarms->changed_ms;
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
sa_alarms_restore(struct sa_alarms *alarms, const struct sa_alarm *alarm)
{
    const struct key key = key_of(alarm);

    return find(alarms, &key) == NULL && add(alarms, alarm) != NULL;
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
    write_identity(alarm->identity, alarms->node, alarm->rule, "", "");
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

/* An alarm of the fault as it begins. */
static struct sa_alarm
alarm_of_fault(const struct sa_fault *fault)
{
    struct sa_alarm alarm = {.kind = fault_kinds[fault->kind].kind, .unit = SA_UNIT_RESPONSES};

    (void)sa_text_copy(alarm.rule, sizeof alarm.rule, fault_kinds[fault->kind].rule);
    (void)sa_text_copy(alarm.source, sizeof alarm.source, fault->source);
    return alarm;
}

int
sa_alarms_fault(struct sa_alarms *alarms, const struct sa_fault *fault, int64_t wall_ms,
                struct sa_alarm_event *ret_event)
{
    struct sa_alarm fresh = alarm_of_fault(fault), *alarm;
    const struct key key = key_of(&fresh);
    struct active_alarm *entry = find(alarms, &key);

    if (entry == NULL && fault->raised) {
        fresh.id = ++alarms->last_id;
        fresh.raised_ms = wall_ms;
        write_identity(fresh.identity, alarms->node, fresh.rule, fresh.source, "");
        entry = add(alarms, &fresh);
    }
    if (entry == NULL)
        return 0;
    alarm = &alarms->list[entry->at];
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
        remove_alarm(alarms, entry);
    return 1;
}
