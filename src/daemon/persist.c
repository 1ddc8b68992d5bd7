#include "persist.h"
#include "clock.h"
#include "rules_rows.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
sa_persist_boot_id(char boot_id[SA_BOOT_ID_SIZE])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd == -1 ? 0 : read(fd, boot_id, SA_BOOT_ID_SIZE - 1);

    if (fd != -1)
        (void)close(fd);
    boot_id[n > 0 ? n : 0] = '\0';
    boot_id[strcspn(boot_id, "\n")] = '\0';
}

/* What the savers below need. */
struct saving {
    struct sa_engine *engine;
    struct sa_batch *batch;
    bool all;
    struct sa_buffer reader; /* of the position that is being put */
};

static void
save_daemon(struct saving *saving)
{
    const struct sa_engine *engine = saving->engine;
    struct sa_alarms_memory alarms = sa_alarms_keep(engine->alarms);
    struct sa_time now = sa_clock_now();
    char boot_id[SA_BOOT_ID_SIZE];
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

    sa_persist_boot_id(boot_id);
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
    int64_t behind_ms = sa_follower_behind_ms(saving->engine->follower, number);

    if (!source->changed && !saving->all && source->behind_ms == behind_ms)
        return;
    source->changed = false;
    source->behind_ms = behind_ms;
    sa_engine_status(saving->engine, number, &status);
    row = (struct sa_row_source){
        .name = source->def->name,
        .format = sa_format_chosen(source->format),
        .lost = (int64_t)source->tally->lost,
        .rotations = (int64_t)status.rotations,
        .truncations = (int64_t)status.truncations,
        .distrusted_ms = status.distrusted_ms,
        .looked_ms = behind_ms,
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
        sa_window_save(&slot->window, 0, &window);
        if (!window.failed)
            sa_batch_put(saving->batch, SA_TABLE_GAUGES,
                         &(struct sa_row_gauge){code, {window.bytes, window.len}});
    }
    sa_buffer_done(&window);
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

    saving->reader.len = 0;
    if (stream != NULL)
        sa_stream_keep(sa_engine_stream(stream), &saving->reader);
    if (!saving->reader.failed)
        row.reader = (struct sa_blob){saving->reader.bytes, saving->reader.len};
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
    struct saving saving = {.engine = engine, .batch = batch, .all = all};
    const struct sa_group_rows groups = {clear_groups, delete_group, save_group, &saving};
    const struct sa_position_sink positions = {save_position, delete_position, &saving};

    sa_buffer_add(&batch->buffer, engine->repair.buffer.bytes, engine->repair.buffer.len);
    sa_batch_done(&engine->repair);
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
    sa_rules_save(engine->rules, all, &groups);
    save_alarms(&saving);
    sa_outbox_keep(engine->outbox, all, save_event, delete_event, &saving);
    if (!sa_batch_empty(batch))
        save_daemon(&saving);
    sa_buffer_done(&saving.reader);
}
