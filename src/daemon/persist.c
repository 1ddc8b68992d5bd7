#include "persist.h"
#include "clock.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOT_ID_SIZE 40
#define CLOCKS_MS    5000 /* how far the wall clock is set in passing */

/* Messages that were being read when the state was saved, until their streams go on. */
struct sa_recall {
    struct kept {
        int64_t id;
        size_t len;
        void *bytes;
    } * kept;
    size_t n;
    int64_t shift_s; /* from the monotonic clock of the earlier life to ours */
    bool same_version;
};

static void
read_boot_id(char boot_id[BOOT_ID_SIZE])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd == -1 ? 0 : read(fd, boot_id, BOOT_ID_SIZE - 1);

    if (fd != -1)
        (void)close(fd);
    boot_id[n > 0 ? n : 0] = '\0';
    boot_id[strcspn(boot_id, "\n")] = '\0';
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
    struct sa_alarms_memory alarms = {(uint32_t)row->last_alarm_id, row->alarms_changed_ms};
    struct sa_outbox_numbers outbox = {(uint32_t)row->sequence, (uint64_t)row->sent,
                                       (uint64_t)row->suppressed};
    struct sa_time now = sa_clock_now();
    char boot_id[BOOT_ID_SIZE];

    read_boot_id(boot_id);
    if (!same_boot(row, boot_id, &now)) { /* the monotonic clock began anew: what passed is on the wall */
        int64_t passed_ms = now.wall_ms > row->wall_ms ? now.wall_ms - row->wall_ms : 0;

        engine->recall->shift_s = (now.mono_ms - row->mono_ms - passed_ms) / 1000;
    }
    engine->recall->same_version = strcmp(row->version, SIPALERT_VERSION) == 0;
    engine->since_ms = row->counters_since_ms;
    engine->last_alive_ms = row->wall_ms;
    engine->last_file_id = row->last_file_id;
    sa_alarms_recall(engine->alarms, &alarms);
    sa_outbox_recall(engine->outbox, &outbox);
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
    struct sa_buffer_reader reader = {bytes, bytes + row->window.len, false};

    if (row->code >= SA_CODE_MIN && row->code <= SA_CODE_MAX && engine->tally->codes[row->code] != NULL)
        sa_window_load(&engine->tally->codes[row->code]->window, &reader, engine->recall->shift_s);
}

static void
load_group(struct sa_engine *engine, const struct sa_row_group *row)
{
    const struct sa_rule_memory memory = {
        .rule = row->rule,
        .source = row->source,
        .counted = row->counted,
        .state = (enum sa_rule_state)row->state,
        .level = (int)row->level,
        .fall_to = (int)row->fall_to,
        .since_ms = row->since_mono_ms,
        .evidence = row->evidence,
        .windows = row->windows.p,
        .windows_len = row->windows.len,
    };

    (void)sa_rules_recall(engine->rules, &memory, engine->recall->shift_s);
}

static void
load_recent(struct sa_engine *engine, const struct sa_row_recent *row)
{
    int number = source_number(engine, row->source);
    struct sa_engine_source *source = number < 0 ? NULL : &engine->sources[number];

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
    return alarm;
}

static void
load_alarm(struct sa_engine *engine, const struct sa_row_alarm *row)
{
    struct sa_alarm alarm = alarm_of(row);
    uint32_t group = sa_rules_firing(engine->rules, alarm.rule, alarm.source);
    struct sa_alarm_event event;
    enum sa_fault_kind kind;
    int source = source_number(engine, alarm.source);

    if (sa_alarms_fault_kind(alarm.kind, &kind) && (kind == SA_FAULT_STATE || source >= 0) &&
        sa_alarms_restore(engine->alarms, &alarm, SA_NO_GROUP)) {
        sa_faults_recall(engine->faults, kind, source < 0 ? 0 : (unsigned)source, alarm.text,
                         sa_clock_now().mono_ms);
        return;
    }
    if (group != SA_NO_GROUP && sa_alarms_restore(engine->alarms, &alarm, group))
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

    sa_outbox_restore(engine->outbox, &entry);
}

static void
load_file(struct sa_engine *engine, const struct sa_row_file *row)
{
    struct sa_recall *recall = engine->recall;
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
    struct kept *kept;

    if (number >= 0 && row->cursor[0] != '\0')
        (void)sa_text_copy(engine->sources[number].cursor, sizeof engine->sources[number].cursor,
                           row->cursor);
    if (number < 0 || row->cursor[0] != '\0' ||
        sa_follower_restore(engine->follower, (unsigned)number, &position) < 0)
        return;
    if (!position.open || !recall->same_version || row->reader.len == 0)
        return;
    kept = realloc(recall->kept, (recall->n + 1) * sizeof *kept);
    if (kept == NULL)
        return;
    recall->kept = kept;
    kept[recall->n] = (struct kept){row->id, row->reader.len, malloc(row->reader.len)};
    if (kept[recall->n].bytes == NULL)
        return;
    memcpy(kept[recall->n++].bytes, row->reader.p, row->reader.len);
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

int
sa_persist_load(struct sa_engine *engine, struct sa_store *store)
{
    /* Alarms come after the groups they belong to and the events that are older than their end. */
    static const enum sa_table order[] = {SA_TABLE_DAEMON, SA_TABLE_SOURCES, SA_TABLE_COUNTS,
                                          SA_TABLE_GAUGES, SA_TABLE_GROUPS,  SA_TABLE_EVENTS,
                                          SA_TABLE_ALARMS, SA_TABLE_RECENT};
    int r = 0;

    engine->recall = calloc(1, sizeof *engine->recall);
    if (engine->recall == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof order / sizeof order[0] && r == 0; i++)
        r = sa_store_load(store, order[i], load_row, engine);
    return r;
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
}

int
sa_persist_load_positions(struct sa_engine *engine, struct sa_store *store)
{
    for (unsigned i = 0; i < engine->config->n_sources; i++)
        sa_follower_counted(engine->follower, i, engine->sources[i].rotations,
                            engine->sources[i].truncations);
    sa_follower_set_last_id(engine->follower, engine->last_file_id);
    return sa_store_load(store, SA_TABLE_FILES, load_row, engine);
}

void
sa_persist_resume(struct sa_engine *engine, int64_t id, void *stream)
{
    struct sa_recall *recall = engine->recall;

    for (size_t i = 0; recall != NULL && i < recall->n; i++)
        if (recall->kept[i].id == id)
            sa_stream_recall(sa_engine_stream(stream), recall->kept[i].bytes, recall->kept[i].len);
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

/* What the savers below need. */
struct saving {
    struct sa_engine *engine;
    struct sa_batch *batch;
    bool all;
};

static void
save_daemon(struct saving *saving)
{
    const struct sa_engine *engine = saving->engine;
    struct sa_alarms_memory alarms = sa_alarms_keep(engine->alarms);
    struct sa_time now = sa_clock_now();
    char boot_id[BOOT_ID_SIZE];
    struct sa_row_daemon row = {
        .id = 1,
        .version = SIPALERT_VERSION,
        .boot_id = boot_id,
        .mono_ms = now.mono_ms,
        .wall_ms = now.wall_ms,
        .counters_since_ms = engine->since_ms,
        .last_file_id = sa_follower_last_id(engine->follower),
        .last_alarm_id = alarms.last_id,
        .alarms_changed_ms = alarms.changed_ms,
        .sequence = sa_outbox_sequence(engine->outbox),
        .sent = (int64_t)sa_outbox_sent(engine->outbox),
        .suppressed = (int64_t)sa_outbox_suppressed(engine->outbox),
    };

    read_boot_id(boot_id);
    sa_batch_put(saving->batch, SA_TABLE_DAEMON, &row);
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

static void
save_source(struct saving *saving, unsigned number)
{
    struct sa_engine_source *source = &saving->engine->sources[number];
    struct sa_stream_counts counts = sa_engine_counts(saving->engine, number);
    struct sa_follow_status status;
    struct sa_row_source row;

    if (!source->changed && !saving->all)
        return;
    source->changed = false;
    sa_engine_status(saving->engine, number, &status);
    row = (struct sa_row_source){
        .name = source->def->name,
        .format = sa_format_chosen(source->format),
        .lost = (int64_t)source->tally->lost,
        .rotations = (int64_t)status.rotations,
        .truncations = (int64_t)status.truncations,
        .undercount = (int64_t)source->undercount,
        .last_line_ms = source->last_line_ms,
        .last_response_ms = source->last_response_ms,
    };
    counts.bytes -= sa_engine_held(saving->engine, number);
    put_source(saving->batch, &row, &counts);
}

static void
save_recent(struct saving *saving, unsigned number)
{
    struct sa_engine_source *source = &saving->engine->sources[number];
    struct sa_row_recent row = {.source = source->def->name};
    struct sa_buffer buffer = {0};

    row.piece = source->recent == NULL ? -1
                                       : sa_recent_keep(source->recent, saving->all,
                                                        saving->engine->now.wall_ms / 1000, &buffer);
    row.responses = (struct sa_blob){buffer.bytes, buffer.len};
    if (row.piece >= 0 && !buffer.failed)
        sa_batch_put(saving->batch, SA_TABLE_RECENT, &row);
    sa_buffer_done(&buffer);
}

static void
save_tally(struct saving *saving, const char *name, struct sa_tally *tally)
{
    struct sa_buffer window = {0};

    for (unsigned code = SA_CODE_MIN; code <= SA_CODE_MAX; code++) {
        struct sa_tally_code *slot = tally->codes[code];
        struct sa_row_count row = {.source = name, .code = code, .method = ""};

        if (slot == NULL || (!slot->changed && !saving->all))
            continue;
        slot->changed = false;
        row.responses = (int64_t)slot->count.responses;
        row.received = (int64_t)slot->count.received;
        row.sent = (int64_t)slot->count.sent;
        row.last_seen_ms = slot->last_seen_ms;
        sa_batch_put(saving->batch, SA_TABLE_COUNTS, &row);
        for (unsigned i = 0; i < SA_TALLY_METHODS; i++) {
            row.method = tally->methods[i];
            row.responses = (int64_t)slot->by_method[i];
            row.received = row.sent = 0;
            if (row.responses != 0)
                sa_batch_put(saving->batch, SA_TABLE_COUNTS, &row);
        }
        if (tally->window_s == 0)
            continue;
        window.len = 0;
        sa_window_save(&slot->window, &window);
        if (!window.failed)
            sa_batch_put(saving->batch, SA_TABLE_GAUGES,
                         &(struct sa_row_gauge){code, {window.bytes, window.len}});
    }
    sa_buffer_done(&window);
}

static void
save_group(void *arg, const struct sa_rule_memory *memory)
{
    struct saving *saving = arg;
    const struct sa_row_group row = {
        .rule = memory->rule,
        .source = memory->source,
        .counted = memory->counted,
        .state = memory->state,
        .level = memory->level,
        .fall_to = memory->fall_to,
        .since_mono_ms = memory->since_ms,
        .evidence = memory->evidence,
        .windows = {memory->windows, memory->windows_len},
    };

    sa_batch_put(saving->batch, SA_TABLE_GROUPS, &row);
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
    };
}

static void
save_alarms(struct saving *saving)
{
    const struct sa_alarm *active;
    unsigned n;

    if (!saving->engine->alarms_changed && !saving->all)
        return;
    saving->engine->alarms_changed = false;
    active = sa_alarms_active(saving->engine->alarms, &n);
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

static void
save_position(void *arg, unsigned source, const struct sa_position *position, void *stream)
{
    struct saving *saving = arg;
    char key[SA_ENGINE_KEY];
    struct sa_row_file row = {
        .id = position->id,
        .source = sa_engine_key(saving->engine, source, key),
        .path = position->path,
        .dev = position->dev,
        .ino = position->ino,
        .generation = position->generation,
        .head_len = position->head_len,
        .head_hash = position->head_hash,
        .first_hash = position->first_hash,
        .offset = position->offset,
        .marker_len = position->marker_len,
        .marker_hash = position->marker_hash,
        .seen_ms = position->seen_ms,
        .open = position->open,
        .cursor = "",
    };

    if (stream != NULL)
        row.reader.p = sa_stream_keep(sa_engine_stream(stream), &row.reader.len);
    saving->engine->sources[sa_engine_owner(saving->engine, source)].changed =
        true; /* rotations and truncations go with it */
    sa_batch_put(saving->batch, SA_TABLE_FILES, &row);
}

/* The journal's position is a row of the same table, numbered so that no file has the number. */
static void
save_cursor(struct saving *saving, unsigned number)
{
    struct sa_engine_source *source = &saving->engine->sources[number];
    struct sa_row_file row = {.id = -1 - (int64_t)number, .source = source->def->name, .path = ""};

    if (source->journal == NULL || (!source->changed && !saving->all))
        return;
    row.cursor = sa_journal_cursor(source->journal);
    if (row.cursor[0] != '\0')
        sa_batch_put(saving->batch, SA_TABLE_FILES, &row);
}

static void
delete_position(void *arg, int64_t id)
{
    struct saving *saving = arg;

    sa_batch_delete(saving->batch, SA_TABLE_FILES, &(struct sa_row_file){.id = id});
}

void
sa_persist_save(struct sa_engine *engine, bool all, struct sa_batch *batch)
{
    struct saving saving = {engine, batch, all};
    const struct sa_position_sink positions = {save_position, delete_position, &saving};

    if (all) {
        for (unsigned table = 0; table < SA_TABLES; table++)
            sa_batch_clear(batch, table);
        put_source(batch, &(struct sa_row_source){.name = "", .format = ""}, &engine->absent);
    }
    sa_follower_positions(engine->follower, all, &positions);
    for (unsigned i = 0; i < engine->config->n_sources; i++) {
        save_cursor(&saving, i);
        save_source(&saving, i);
        save_recent(&saving, i);
        save_tally(&saving, engine->config->sources[i].name, engine->sources[i].tally);
    }
    save_tally(&saving, "", engine->tally);
    sa_rules_keep(engine->rules, all, save_group, &saving);
    save_alarms(&saving);
    sa_outbox_keep(engine->outbox, all, save_event, delete_event, &saving);
    if (!sa_batch_empty(batch))
        save_daemon(&saving);
}
