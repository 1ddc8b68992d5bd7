#include "persist.h"
#include "clock.h"
#include "lang.h"
#include "log.h"
#include "rules_rows.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLOCKS_MS 5000 /* how far the wall clock is set in passing */

/* What is needed until everything is loaded. */
struct sa_recall {
    struct kept { /* messages that were being read when the state was saved, until their streams go on */
        int64_t id;
        size_t len;
        void *bytes;
    } * kept;
    size_t n;
    int64_t shift_s;   /* from the monotonic clock of the earlier life to ours */
    int64_t latest_ms; /* on the clock of the earlier life: nothing of it is later */
    bool numbers;      /* the row with the numbers that go on was there */
    struct sa_outbox_numbers outbox;
    struct sa_alarms_memory alarms;
    unsigned dropped[SA_TABLES]; /* rows that the store took, and that make no sense here */
};

_Static_assert(SA_ROW_CURSORS == SA_CONFIG_SOURCES, "each source may be a journal");

/* The row cannot be true.  It is left out, and the next save removes it. */
static void
drop(struct sa_engine *engine, enum sa_table table, const void *row)
{
    engine->recall->dropped[table]++;
    sa_batch_delete(&engine->repair, table, row);
}

/* A sandbox may hide the number of the boot; then the distance of the two clocks tells it. */
static bool
same_boot(const struct sa_row_daemon *row, const char *boot_id, const struct sa_time *now)
{
    int64_t moved_ms = (now->wall_ms - now->mono_ms) - (row->wall_ms - row->mono_ms);

    if (now->mono_ms < row->mono_ms)
        return false;
    if (boot_id[0] != '\0' && row->boot_id[0] != '\0')
        return strcmp(boot_id, row->boot_id) == 0;
    return moved_ms > -CLOCKS_MS && moved_ms < CLOCKS_MS;
}

static int
source_number(const struct sa_engine *engine, const char *name)
{
    for (unsigned i = 0; i < engine->config->n_sources; i++)
        if (strcmp(engine->config->sources[i].name, name) == 0)
            return (int)i;
    return -1;
}

static void
load_daemon(struct sa_engine *engine, const struct sa_row_daemon *row)
{
    struct sa_recall *recall = engine->recall;
    struct sa_time now = sa_clock_now();
    char boot_id[SA_BOOT_ID_SIZE];

    sa_persist_boot_id(boot_id);
    if (!same_boot(row, boot_id, &now)) { /* the monotonic clock began anew: what passed is on the wall */
        int64_t passed_ms = now.wall_ms > row->wall_ms ? now.wall_ms - row->wall_ms : 0;

        recall->shift_s = (now.mono_ms - row->mono_ms - passed_ms) / 1000;
    }
    recall->latest_ms = row->mono_ms + CLOCKS_MS;
    recall->numbers = true;
    recall->alarms = (struct sa_alarms_memory){(uint32_t)row->last_alarm_id, row->alarms_changed_ms};
    recall->outbox =
        (struct sa_outbox_numbers){(uint32_t)row->sequence, (uint64_t)row->sent, (uint64_t)row->suppressed};
    engine->since_ms = row->counters_since_ms;
    engine->last_alive_ms = row->wall_ms;
    engine->last_file_id = row->last_file_id;
}

/* The numbers were lost with their row: nothing new gets one that is in use. */
static void
find_number(void *arg, enum sa_table table, const void *row)
{
    struct sa_recall *recall = arg;

    if (table == SA_TABLE_ALARMS)
        recall->alarms.last_id = (uint32_t)((const struct sa_row_alarm *)row)->id;
    else
        recall->outbox.sequence = (uint32_t)((const struct sa_row_event *)row)->sequence;
}

static int
load_numbers(struct sa_engine *engine, struct sa_store *store)
{
    struct sa_recall *recall = engine->recall;
    int r = 0;

    if (!recall->numbers) {
        r = sa_store_load(store, SA_TABLE_ALARMS, find_number, recall);
        if (r == 0)
            r = sa_store_load(store, SA_TABLE_EVENTS, find_number, recall);
    }
    sa_alarms_recall(engine->alarms, &recall->alarms);
    sa_outbox_recall(engine->outbox, &recall->outbox);
    return r;
}

static int64_t
later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void
load_source(struct sa_engine *engine, const struct sa_row_source *row)
{
    int number = source_number(engine, row->name);
    struct sa_engine_source *source = number < 0 ? NULL : &engine->sources[number];
    struct sa_stream_counts *counts = source == NULL ? &engine->absent : &source->closed;
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

    sa_engine_add_counts(counts, &kept);
    if (source == NULL)
        return;
    source->known = true;
    source->tally->responses += kept.responses;
    source->tally->lost += (uint64_t)row->lost;
    source->rotations += (uint64_t)row->rotations;
    source->truncations += (uint64_t)row->truncations;
    source->undercount += (uint64_t)row->undercount;
    source->distrusted_ms = later(source->distrusted_ms, row->distrusted_ms);
    source->looked_ms = later(source->looked_ms, row->looked_ms);
    source->last_line_ms = later(source->last_line_ms, row->last_line_ms);
    source->last_response_ms = later(source->last_response_ms, row->last_response_ms);
    sa_format_choose(source->format, row->format);
}

static void
load_count(struct sa_engine *engine, const struct sa_row_count *row)
{
    int number = source_number(engine, row->source);
    struct sa_tally *tally = row->source[0] == '\0' ? engine->tally
                             : number < 0           ? NULL
                                                    : engine->sources[number].tally;
    struct sa_tally_code *slot = tally == NULL || row->code < SA_CODE_MIN || row->code > SA_CODE_MAX
                                     ? NULL
                                     : sa_tally_slot(tally, (unsigned)row->code);

    if (slot == NULL)
        return;
    if (row->method[0] != '\0') {
        slot->by_method[sa_tally_method(tally, row->method)] += (uint64_t)row->responses;
        return;
    }
    slot->count.responses += (uint64_t)row->responses;
    slot->count.received += (uint64_t)row->received;
    slot->count.sent += (uint64_t)row->sent;
    slot->last_seen_ms = later(slot->last_seen_ms, row->last_seen_ms);
    if (tally == engine->tally)
        tally->responses += (uint64_t)row->responses;
}

static void
load_gauge(struct sa_engine *engine, const struct sa_row_gauge *row)
{
    const uint8_t *bytes = row->window.p;
    struct sa_buffer_reader reader = {bytes, bytes + row->window.len, false}, checked = reader;
    struct sa_tally_code *slot =
        row->code >= SA_CODE_MIN && row->code <= SA_CODE_MAX ? engine->tally->codes[row->code] : NULL;

    if (!sa_window_is_sound(&checked, engine->recall->latest_ms / 1000) || checked.p != checked.end) {
        drop(engine, SA_TABLE_GAUGES, row);
    } else if (slot != NULL) {
        sa_window_load(&slot->window, 0, &reader, engine->recall->shift_s);
        slot->changed = slot->changed || engine->recall->shift_s != 0;
    }
}

static void
load_group(struct sa_engine *engine, const struct sa_row_group *row)
{
    int r = sa_rules_load(engine->rules, row, engine->recall->latest_ms, engine->recall->shift_s);

    if (r == -EBADMSG)
        drop(engine, SA_TABLE_GROUPS, row);
    else if (r == -ENOENT)
        sa_batch_delete(&engine->repair, SA_TABLE_GROUPS, row);
}

static void
load_recent(struct sa_engine *engine, const struct sa_row_recent *row)
{
    int number = source_number(engine, row->source);
    struct sa_engine_source *source = number < 0 ? NULL : &engine->sources[number];

    if (!sa_recent_is_sound(row->responses.p, row->responses.len)) {
        drop(engine, SA_TABLE_RECENT, row);
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
load_alarm(struct sa_engine *engine, const struct sa_row_alarm *row)
{
    struct sa_alarm alarm = alarm_of(row);
    const struct sa_group_name group = {alarm.rule,   alarm.source, alarm.peer,
                                        alarm.method, alarm.code,   alarm.overflow};
    struct sa_alarm_event event;
    enum sa_fault_kind kind;
    int source = source_number(engine, alarm.source);

    if (sa_alarms_fault_kind(alarm.kind, &kind) && (kind == SA_FAULT_STATE || source >= 0) &&
        sa_alarms_restore(engine->alarms, &alarm)) {
        sa_faults_recall(engine->faults, kind, source < 0 ? 0 : (unsigned)source, alarm.text,
                         sa_clock_now().mono_ms);
        return;
    }
    if (sa_rules_is_up(engine->rules, &group) && sa_alarms_restore(engine->alarms, &alarm))
        return;
    sa_alarms_end(&alarm, sa_clock_now().wall_ms, &event);
    sa_outbox_push(engine->outbox, &event, engine->sinks);
    engine->alarms_changed = true;
}

static void
load_event(struct sa_engine *engine, const struct sa_row_event *row)
{
    const struct sa_outbox_entry entry = {
        .event = {(uint32_t)row->sequence, (enum sa_transition)row->transition, alarm_of(&row->alarm)},
        .wanted = (unsigned)row->wanted & engine->sinks,
        .taken = row->taken != 0,
    };

    if (!sa_outbox_restore(engine->outbox, &entry))
        drop(engine, SA_TABLE_EVENTS, row);
}

static void
keep_reader(struct sa_recall *recall, int64_t id, const struct sa_blob *reader)
{
    struct kept *kept = realloc(recall->kept, (recall->n + 1) * sizeof *kept);

    if (kept == NULL)
        return;
    recall->kept = kept;
    kept[recall->n] = (struct kept){id, reader->len, malloc(reader->len)};
    if (kept[recall->n].bytes != NULL)
        memcpy(kept[recall->n++].bytes, reader->p, reader->len);
}

/* The message that was being read; without it the position stands all the same. */
static void
load_reader(struct sa_engine *engine, const struct sa_row_file *row)
{
    struct sa_row_file without = *row;

    if (sa_stream_may_recall(row->reader.p, row->reader.len)) {
        keep_reader(engine->recall, row->id, &row->reader);
        return;
    }
    engine->recall->dropped[SA_TABLE_FILES]++;
    without.reader = (struct sa_blob){"", 0};
    sa_batch_put(&engine->repair, SA_TABLE_FILES, &without);
}

static void
load_file(struct sa_engine *engine, const struct sa_row_file *row)
{
    int number = sa_engine_number(engine, row->source);
    const struct sa_position position = {
        .id = row->id,
        .path = row->path,
        .dev = row->dev,
        .ino = row->ino,
        .generation = row->generation,
        .head_len = row->head_len,
        .head_hash = row->head_hash,
        .first_hash = row->first_hash,
        .offset = row->offset,
        .marker_len = row->marker_len,
        .marker_hash = row->marker_hash,
        .seen_ms = row->seen_ms,
        .open = row->open != 0,
    };

    if (row->id > engine->last_file_id) /* nothing new gets a number that is in use */
        engine->last_file_id = row->id;
    if (number >= 0 && row->cursor[0] != '\0')
        (void)sa_text_copy(engine->sources[number].cursor, sizeof engine->sources[number].cursor,
                           row->cursor);
    if (number < 0 || row->cursor[0] != '\0' ||
        sa_follower_restore(engine->follower, (unsigned)number, &position) < 0)
        return;
    if (position.open && row->reader.len > 0)
        load_reader(engine, row);
}

static void
load_row(void *arg, enum sa_table table, const void *row)
{
    struct sa_engine *engine = arg;

    switch (table) {
    case SA_TABLE_DAEMON:
        load_daemon(engine, row);
        break;
    case SA_TABLE_SOURCES:
        load_source(engine, row);
        break;
    case SA_TABLE_FILES:
        load_file(engine, row);
        break;
    case SA_TABLE_COUNTS:
        load_count(engine, row);
        break;
    case SA_TABLE_GAUGES:
        load_gauge(engine, row);
        break;
    case SA_TABLE_GROUPS:
        load_group(engine, row);
        break;
    case SA_TABLE_ALARMS:
        load_alarm(engine, row);
        break;
    case SA_TABLE_EVENTS:
        load_event(engine, row);
        break;
    case SA_TABLE_RECENT:
        load_recent(engine, row);
        break;
    case SA_TABLES:
        break;
    }
}

/*
 * The row of the daemon will tell the clock of this life, so no row may keep times of another one: those that
 * were recalled are saved anew, and the others (of a rule that is gone) go.
 */
static void
forget_old_times(struct sa_engine *engine)
{
    if (engine->recall->shift_s == 0)
        return;
    sa_batch_clear(&engine->repair, SA_TABLE_GAUGES);
    sa_batch_clear(&engine->repair, SA_TABLE_GROUPS);
}

int
sa_persist_load(struct sa_engine *engine, struct sa_store *store)
{
    /* Alarms come after the groups they belong to and the events that are older than their end. */
    static const enum sa_table order[] = {SA_TABLE_SOURCES, SA_TABLE_COUNTS, SA_TABLE_GAUGES, SA_TABLE_GROUPS,
                                          SA_TABLE_EVENTS,  SA_TABLE_ALARMS, SA_TABLE_RECENT};
    int r;

    engine->recall = calloc(1, sizeof *engine->recall);
    if (engine->recall == NULL)
        return -ENOMEM;
    engine->recall->latest_ms = sa_clock_now().mono_ms;
    r = sa_store_load(store, SA_TABLE_DAEMON, load_row, engine);
    if (r == 0)
        r = load_numbers(engine, store);
    for (size_t i = 0; i < sizeof order / sizeof order[0] && r == 0; i++)
        r = sa_store_load(store, order[i], load_row, engine);
    forget_old_times(engine);
    return r;
}

/* Says how many rows of which table were left out, if any were. */
static void
tell_dropped(struct sa_engine *engine, const struct sa_store *store)
{
    char tables[SA_TABLES * 32], text[SA_LONG_SIZE * 2];
    unsigned all = 0;
    size_t len = 0;

    for (unsigned table = 0; table < SA_TABLES; table++) {
        unsigned n =
            sa_store_dropped(store, table) + (engine->recall == NULL ? 0 : engine->recall->dropped[table]);

        if (n > 0)
            len += sa_text_format(tables + len, sizeof tables - len, "%s%s %u", all == 0 ? "" : ", ",
                                  sa_store_table(table), n);
        all += n;
    }
    if (all == 0)
        return;
    sa_log(LOG_ERR, "store",
           "%u rows of the saved state cannot be true and were dropped (%s), going on without them", all,
           tables);
    (void)sa_text_format(text, sizeof text,
                         _("Rows of the saved state cannot be true and were dropped; counting goes on: %s"),
                         tables);
    sa_faults_event(engine->faults, SA_FAULT_STATE, 0, all, text, -EBADMSG, SA_STATE_LOST_MS,
                    sa_clock_now().mono_ms);
}

static void
merge_row(void *arg, enum sa_table table, const void *row)
{
    struct sa_engine *engine = arg;

    if (table == SA_TABLE_DAEMON)
        engine->since_ms = ((const struct sa_row_daemon *)row)->counters_since_ms;
    else
        load_row(arg, table, row);
}

void
sa_persist_merge(struct sa_engine *engine, struct sa_store *store)
{
    static const enum sa_table tables[] = {SA_TABLE_DAEMON, SA_TABLE_SOURCES, SA_TABLE_COUNTS};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        (void)sa_store_load(store, tables[i], merge_row, engine);
    tell_dropped(engine, store);
}

int
sa_persist_load_positions(struct sa_engine *engine, struct sa_store *store)
{
    int r;

    for (unsigned i = 0; i < engine->config->n_sources; i++)
        sa_follower_recall(engine->follower, i, engine->sources[i].rotations, engine->sources[i].truncations,
                           engine->sources[i].distrusted_ms);
    r = sa_store_load(store, SA_TABLE_FILES, load_row, engine);
    sa_follower_set_last_id(engine->follower, engine->last_file_id);
    tell_dropped(engine, store);
    return r;
}

void
sa_persist_resume(struct sa_engine *engine, int64_t id, void *stream)
{
    struct sa_recall *recall = engine->recall;

    for (size_t i = 0; recall != NULL && i < recall->n; i++)
        if (recall->kept[i].id == id)
            (void)sa_stream_recall(sa_engine_stream(stream), recall->kept[i].bytes, recall->kept[i].len);
}

void
sa_persist_done(struct sa_engine *engine)
{
    struct sa_recall *recall = engine->recall;

    if (recall == NULL)
        return;
    for (size_t i = 0; i < recall->n; i++)
        free(recall->kept[i].bytes);
    free(recall->kept);
    free(recall);
    engine->recall = NULL;
}
