/* The rows of the core: counts, windows, alarms and events of one moment. */
#include "inside.h"
#include "rules_rows.h"

/* What the savers below need. */
struct saving {
    struct sa_core *core;
    struct sa_batch *batch;
    bool all;
    struct sa_time now;
    void (*place)(void *arg, unsigned source, struct sa_core_place *ret_place);
    void *arg;
};

void
sa_core_save_numbers(const struct sa_core *core, struct sa_row_daemon *row)
{
    struct sa_alarms_memory alarms = sa_alarms_keep(core->alarms);

    row->counters_since_ms = core->since_ms;
    row->last_alarm_id = alarms.last_id;
    row->alarms_changed_ms = alarms.changed_ms;
    row->sequence = sa_outbox_sequence(core->outbox);
    row->sent = (int64_t)sa_outbox_sent(core->outbox);
    row->suppressed = (int64_t)sa_outbox_suppressed(core->outbox);
}

static void
put_source(struct sa_batch *batch, struct sa_row_source *row, const struct sa_stream_counts *counts)
{
    row->lines = (int64_t)counts->lines;
    row->bytes = (int64_t)counts->bytes;
    row->responses = (int64_t)counts->responses;
    row->matched = (int64_t)counts->matched;
    row->unmatched = (int64_t)counts->unmatched;
    row->oversize = (int64_t)counts->oversize;
    row->match_limit = (int64_t)counts->match_limit;
    row->nul_bytes = (int64_t)counts->nul_bytes;
    row->partial_dropped = (int64_t)counts->partial_dropped;
    sa_batch_put(batch, SA_TABLE_SOURCES, row);
}

/* Bytes of unfinished lines: of them nothing is counted yet. */
static uint64_t
held_of(const struct core_source *source)
{
    uint64_t held = 0;

    for (const struct sa_core_stream *stream = source->streams; stream != NULL; stream = stream->next)
        held += sa_stream_held(&stream->stream);
    return held;
}

static void
save_source(struct saving *saving, unsigned number)
{
    struct core_source *source = &saving->core->sources[number];
    struct sa_stream_counts counts = sa_core_counts(source);
    struct sa_core_place place = {0};
    struct sa_row_source row;

    if (!source->changed && !saving->all)
        return;
    source->changed = false;
    saving->place(saving->arg, number, &place);
    row = (struct sa_row_source){
        .name = source->def->name,
        .format = sa_format_chosen(source->format),
        .lost = (int64_t)sa_tally_lost(source->tally),
        .rotations = (int64_t)place.rotations,
        .truncations = (int64_t)place.truncations,
        .distrusted_ms = place.distrusted_ms,
        .looked_ms = place.looked_ms,
        .undercount = (int64_t)source->undercount,
        .last_line_ms = source->last_line_ms,
        .last_response_ms = source->last_response_ms,
    };
    counts.bytes -= held_of(source);
    put_source(saving->batch, &row, &counts);
}

static void
save_recent(struct saving *saving, unsigned number)
{
    struct core_source *source = &saving->core->sources[number];
    struct sa_row_recent row = {.source = source->def->name};
    struct sa_buffer buffer = {0};

    row.piece = source->recent == NULL
                    ? -1
                    : sa_recent_keep(source->recent, saving->all, saving->now.wall_ms / 1000, &buffer);
    row.responses = (struct sa_blob){buffer.bytes, buffer.len};
    if (row.piece >= 0 && !buffer.failed)
        sa_batch_put(saving->batch, SA_TABLE_RECENT, &row);
    sa_buffer_done(&buffer);
}

/* Of one tally; the name is that of its source, or "". */
struct saving_tally {
    struct sa_batch *batch;
    const char *name;
};

static void
save_code(void *arg, unsigned code, const struct sa_tally_code *seen)
{
    const struct saving_tally *saving = arg;
    const struct sa_row_count row = {
        .source = saving->name,
        .code = code,
        .method = "",
        .responses = (int64_t)seen->count.responses,
        .received = (int64_t)seen->count.received,
        .sent = (int64_t)seen->count.sent,
        .last_seen_ms = seen->last_seen_ms,
    };

    sa_batch_put(saving->batch, SA_TABLE_COUNTS, &row);
}

static void
save_method(void *arg, unsigned code, const char *method, uint64_t responses)
{
    const struct saving_tally *saving = arg;
    const struct sa_row_count row = {
        .source = saving->name, .code = code, .method = method, .responses = (int64_t)responses};

    sa_batch_put(saving->batch, SA_TABLE_COUNTS, &row);
}

static void
save_window(void *arg, unsigned code, const void *bytes, size_t len)
{
    const struct saving_tally *saving = arg;

    sa_batch_put(saving->batch, SA_TABLE_GAUGES, &(struct sa_row_gauge){code, {bytes, len}});
}

static void
save_tally(const struct saving *saving, const char *name, struct sa_tally *tally)
{
    struct saving_tally of = {saving->batch, name};

    sa_tally_save(tally, saving->all, &(struct sa_tally_rows){save_code, save_method, save_window, &of});
}

static void
clear_groups(void *arg)
{
    struct saving *saving = arg;

    sa_batch_clear(saving->batch, SA_TABLE_GROUPS);
}

static void
delete_group(void *arg, const struct sa_row_group *row)
{
    struct saving *saving = arg;

    sa_batch_delete(saving->batch, SA_TABLE_GROUPS, row);
}

static void
save_group(void *arg, const struct sa_row_group *row)
{
    struct saving *saving = arg;

    sa_batch_put(saving->batch, SA_TABLE_GROUPS, row);
}

static struct sa_row_alarm
row_of(const struct sa_alarm *alarm)
{
    return (struct sa_row_alarm){
        .id = alarm->id,
        .identity = alarm->identity,
        .severity = alarm->severity,
        .kind = alarm->kind,
        .rule = alarm->rule,
        .source = alarm->source,
        .peer = alarm->peer,
        .codes = alarm->codes,
        .value = alarm->value,
        .unit = alarm->unit,
        .threshold = alarm->threshold,
        .window_s = alarm->window_s,
        .total = alarm->total,
        .raised_ms = alarm->raised_ms,
        .changed_ms = alarm->changed_ms,
        .text = alarm->text,
        .remediation = alarm->remediation,
        .evidence = alarm->evidence,
        .method = alarm->method,
        .code = alarm->code,
        .overflow = alarm->overflow,
    };
}

static void
save_alarms(struct saving *saving)
{
    const struct sa_alarm *active;
    unsigned n;

    if (!saving->core->alarms_changed && !saving->all)
        return;
    saving->core->alarms_changed = false;
    active = sa_alarms_active(saving->core->alarms, &n);
    sa_batch_clear(saving->batch, SA_TABLE_ALARMS);
    for (unsigned i = 0; i < n; i++) {
        struct sa_row_alarm row = row_of(&active[i]);

        sa_batch_put(saving->batch, SA_TABLE_ALARMS, &row);
    }
}

static void
save_event(void *arg, const struct sa_outbox_entry *entry)
{
    struct saving *saving = arg;
    const struct sa_row_event row = {
        .sequence = entry->event.sequence,
        .transition = entry->event.transition,
        .wanted = entry->wanted,
        .taken = entry->taken,
        .alarm = row_of(&entry->event.alarm),
    };

    sa_batch_put(saving->batch, SA_TABLE_EVENTS, &row);
}

static void
delete_event(void *arg, uint32_t sequence)
{
    struct saving *saving = arg;

    sa_batch_delete(saving->batch, SA_TABLE_EVENTS, &(struct sa_row_event){.sequence = sequence});
}

/* All of them: they change with the configuration only. */
static void
save_indexes(struct saving *saving)
{
    struct sa_core *core = saving->core;

    if (!core->indexes_changed && !saving->all)
        return;
    core->indexes_changed = false;
    sa_batch_clear(saving->batch, SA_TABLE_INDEXES);
    for (unsigned i = 0; i < core->n_indexes; i++)
        sa_batch_put(saving->batch, SA_TABLE_INDEXES,
                     &(struct sa_row_index){core->indexes[i].name, core->indexes[i].number});
}

void
sa_core_touch(struct sa_core *core, unsigned source)
{
    core->sources[source].changed = true;
}

void
sa_core_save(struct sa_core *core, bool all, struct sa_time now, struct sa_batch *batch,
             void (*place)(void *arg, unsigned source, struct sa_core_place *ret_place), void *arg)
{
    struct saving saving = {core, batch, all, now, place, arg};
    const struct sa_group_rows groups = {clear_groups, delete_group, save_group, &saving};

    sa_buffer_add(&batch->buffer, core->repair.buffer.bytes, core->repair.buffer.len);
    sa_batch_done(&core->repair);
    for (unsigned i = 0; i < core->config->n_sources; i++) {
        save_source(&saving, i);
        save_recent(&saving, i);
        save_tally(&saving, core->names[i], core->sources[i].tally);
    }
    if (all)
        put_source(batch, &(struct sa_row_source){.name = "", .format = ""}, &core->absent);
    save_tally(&saving, "", core->tally);
    sa_rules_save(core->rules, all, &groups);
    save_alarms(&saving);
    save_indexes(&saving);
    sa_outbox_keep(core->outbox, all, save_event, delete_event, &saving);
}
