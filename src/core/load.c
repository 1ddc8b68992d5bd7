/* The rows of the core, taken back.  Everybody may have written into the database meanwhile. */
#include "inside.h"
#include "rules_rows.h"
#include "text.h"

#include <errno.h>
#include <string.h>

/* The row cannot be true.  It is left out, and the next save removes it. */
static void
drop(struct sa_core *core, enum sa_table table, const void *row)
{
    core->dropped[table]++;
    sa_batch_delete(&core->repair, table, row);
}

void
sa_core_load_begin(struct sa_core *core, const struct sa_row_daemon *row, const struct sa_core_past *past)
{
    core->past = *past;
    if (row == NULL)
        return;
    core->since_ms = row->counters_since_ms;
    sa_alarms_recall(core->alarms,
                     &(struct sa_alarms_memory){(uint32_t)row->last_alarm_id, row->alarms_changed_ms});
    sa_outbox_recall(core->outbox, &(struct sa_outbox_numbers){(uint32_t)row->sequence, (uint64_t)row->sent,
                                                               (uint64_t)row->suppressed});
}

void
sa_core_load_number(struct sa_core *core, enum sa_table table, const void *row)
{
    if (table == SA_TABLE_ALARMS)
        sa_alarms_recall(core->alarms,
                         &(struct sa_alarms_memory){(uint32_t)((const struct sa_row_alarm *)row)->id, 0});
    else
        sa_outbox_recall(core->outbox, &(struct sa_outbox_numbers){
                                           (uint32_t)((const struct sa_row_event *)row)->sequence, 0, 0});
}

static int64_t
later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void
load_source(struct sa_core *core, const struct sa_row_source *row)
{
    int number = sa_core_source_number(core, row->name);
    struct core_source *source = number < 0 ? NULL : &core->sources[number];
    struct sa_stream_counts *counts = source == NULL ? &core->absent : &source->closed;
    const struct sa_stream_counts kept = {
        .lines = (uint64_t)row->lines,
        .bytes = (uint64_t)row->bytes,
        .responses = (uint64_t)row->responses,
        .matched = (uint64_t)row->matched,
        .unmatched = (uint64_t)row->unmatched,
        .oversize = (uint64_t)row->oversize,
        .match_limit = (uint64_t)row->match_limit,
        .nul_bytes = (uint64_t)row->nul_bytes,
        .partial_dropped = (uint64_t)row->partial_dropped,
    };

    sa_core_add_counts(counts, &kept);
    if (source == NULL)
        return;
    source->known = true;
    sa_tally_load_sums(source->tally, kept.responses, (uint64_t)row->lost);
    source->place.rotations += (uint64_t)row->rotations;
    source->place.truncations += (uint64_t)row->truncations;
    source->place.distrusted_ms = later(source->place.distrusted_ms, row->distrusted_ms);
    source->place.looked_ms = later(source->place.looked_ms, row->looked_ms);
    source->undercount += (uint64_t)row->undercount;
    source->last_line_ms = later(source->last_line_ms, row->last_line_ms);
    source->last_response_ms = later(source->last_response_ms, row->last_response_ms);
    sa_format_choose(source->format, row->format);
}

static void
load_count(struct sa_core *core, const struct sa_row_count *row)
{
    int number = sa_core_source_number(core, row->source);
    struct sa_tally *tally = row->source[0] == '\0' ? core->tally
                             : number < 0           ? NULL
                                                    : core->sources[number].tally;
    const struct sa_count count = {(uint64_t)row->responses, (uint64_t)row->received, (uint64_t)row->sent};

    if (tally == NULL)
        return;
    if (row->method[0] != '\0') {
        sa_tally_load_method(tally, (unsigned)row->code, row->method, count.responses);
        return;
    }
    sa_tally_load_code(tally, (unsigned)row->code, &count, row->last_seen_ms);
    if (tally == core->tally) /* of a source they are in its row */
        sa_tally_load_sums(tally, count.responses, 0);
}

static void
load_gauge(struct sa_core *core, const struct sa_row_gauge *row)
{
    if (!sa_tally_load_window(core->tally, (unsigned)row->code, row->window.p, row->window.len,
                              core->past.latest_ms / 1000, core->past.shift_s))
        drop(core, SA_TABLE_GAUGES, row);
}

static void
load_group(struct sa_core *core, const struct sa_row_group *row)
{
    int r = sa_rules_load(core->rules, row, core->past.latest_ms, core->past.shift_s);

    if (r == -EBADMSG)
        drop(core, SA_TABLE_GROUPS, row);
    else if (r == -ENOENT)
        sa_batch_delete(&core->repair, SA_TABLE_GROUPS, row);
}

static void
load_recent(struct sa_core *core, const struct sa_row_recent *row)
{
    int number = sa_core_source_number(core, row->source);
    struct core_source *source = number < 0 ? NULL : &core->sources[number];

    if (!sa_recent_is_sound(row->responses.p, row->responses.len)) {
        drop(core, SA_TABLE_RECENT, row);
        return;
    }
    if (source != NULL && source->recent == NULL)
        source->recent = sa_recent_new();
    if (source != NULL && source->recent != NULL)
        sa_recent_recall(source->recent, row->responses.p, row->responses.len);
}

static struct sa_alarm
alarm_of(const struct sa_row_alarm *row)
{
    struct sa_alarm alarm = {
        .id = (uint32_t)row->id,
        .severity = (enum sa_severity)row->severity,
        .kind = (enum sa_alarm_kind)row->kind,
        .value = (uint32_t)row->value,
        .unit = (enum sa_unit)row->unit,
        .threshold = (uint32_t)row->threshold,
        .window_s = (uint32_t)row->window_s,
        .total = (uint32_t)row->total,
        .raised_ms = row->raised_ms,
        .changed_ms = row->changed_ms,
    };

    (void)sa_text_copy(alarm.identity, sizeof alarm.identity, row->identity);
    (void)sa_text_copy(alarm.rule, sizeof alarm.rule, row->rule);
    (void)sa_text_copy(alarm.source, sizeof alarm.source, row->source);
    (void)sa_text_copy(alarm.peer, sizeof alarm.peer, row->peer);
    (void)sa_text_copy(alarm.codes, sizeof alarm.codes, row->codes);
    (void)sa_text_copy(alarm.text, sizeof alarm.text, row->text);
    (void)sa_text_copy(alarm.remediation, sizeof alarm.remediation, row->remediation);
    (void)sa_text_copy(alarm.evidence, sizeof alarm.evidence, row->evidence);
    (void)sa_text_copy(alarm.method, sizeof alarm.method, row->method);
    alarm.code = (uint16_t)row->code;
    alarm.overflow = row->overflow != 0;
    return alarm;
}

static void
load_alarm(struct sa_core *core, const struct sa_row_alarm *row, struct sa_time now)
{
    struct sa_alarm alarm = alarm_of(row);
    const struct sa_group_name group = {alarm.rule,   alarm.source, alarm.peer,
                                        alarm.method, alarm.code,   alarm.overflow};
    struct sa_alarm_event event;
    enum sa_fault_kind kind;
    int source = sa_core_source_number(core, alarm.source);

    if (sa_alarms_fault_kind(alarm.kind, &kind) && (kind == SA_FAULT_STATE || source >= 0) &&
        sa_alarms_restore(core->alarms, &alarm)) {
        sa_faults_recall(core->faults, kind, source < 0 ? 0 : (unsigned)source, alarm.text, now.mono_ms);
        return;
    }
    if (sa_rules_is_up(core->rules, &group) && sa_alarms_restore(core->alarms, &alarm))
        return;
    sa_alarms_end(&alarm, now.wall_ms, &event);
    sa_core_push(core, &event);
}

static void
load_event(struct sa_core *core, const struct sa_row_event *row)
{
    const struct sa_outbox_entry entry = {
        .event = {(uint32_t)row->sequence, (enum sa_transition)row->transition, alarm_of(&row->alarm)},
        .wanted = (unsigned)row->wanted & core->sinks,
        .taken = row->taken != 0,
    };

    if (!sa_outbox_restore(core->outbox, &entry))
        drop(core, SA_TABLE_EVENTS, row);
}

static void
load_index(struct sa_core *core, const struct sa_row_index *row)
{
    if (!sa_core_index_load(core, row->name, (uint32_t)row->number))
        drop(core, SA_TABLE_INDEXES, row);
}

void
sa_core_load_row(struct sa_core *core, enum sa_table table, const void *row, struct sa_time now)
{
    switch (table) {
    case SA_TABLE_SOURCES:
        load_source(core, row);
        break;
    case SA_TABLE_COUNTS:
        load_count(core, row);
        break;
    case SA_TABLE_GAUGES:
        load_gauge(core, row);
        break;
    case SA_TABLE_GROUPS:
        load_group(core, row);
        break;
    case SA_TABLE_ALARMS:
        load_alarm(core, row, now);
        break;
    case SA_TABLE_EVENTS:
        load_event(core, row);
        break;
    case SA_TABLE_RECENT:
        load_recent(core, row);
        break;
    case SA_TABLE_INDEXES:
        load_index(core, row);
        break;
    case SA_TABLE_DAEMON:
    case SA_TABLE_BOOKMARKS:
    case SA_TABLES:
        break;
    }
}

/* Alarms come after the groups they belong to and the events that are older than their end. */
const enum sa_table sa_core_tables[SA_CORE_TABLES] = {SA_TABLE_SOURCES, SA_TABLE_COUNTS, SA_TABLE_GAUGES,
                                                      SA_TABLE_GROUPS,  SA_TABLE_EVENTS, SA_TABLE_ALARMS,
                                                      SA_TABLE_RECENT,  SA_TABLE_INDEXES};

/*
 * The row of the daemon will tell the clock of this life, so no row may keep times of another one: those that
 * were recalled are saved anew, and the others (of a rule that is gone) go.
 */
void
sa_core_load_end(struct sa_core *core)
{
    sa_core_index_all(core);
    if (core->past.shift_s == 0)
        return;
    sa_batch_clear(&core->repair, SA_TABLE_GAUGES);
    sa_batch_clear(&core->repair, SA_TABLE_GROUPS);
}

void
sa_core_set_since(struct sa_core *core, int64_t since_ms)
{
    core->since_ms = since_ms;
}

unsigned
sa_core_dropped(const struct sa_core *core, enum sa_table table)
{
    return core->dropped[table];
}

bool
sa_core_past_place(const struct sa_core *core, unsigned source, struct sa_core_place *ret_place)
{
    *ret_place = core->sources[source].place;
    return core->sources[source].known;
}
