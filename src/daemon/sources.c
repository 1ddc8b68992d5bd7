#include "sources.h"
#include "intakes.h"
#include "lang.h"
#include "log.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TWICE_MS    1000 /* how long what was seen of a watched file holds */
#define CURSOR_SIZE 256

/* Longer than any name of a source. */
#define WATCH_KEY "what log daemons lost of the source: "
#define KEY_SIZE  (SA_NAME_SIZE + sizeof WATCH_KEY)

_Static_assert(SA_ROW_CURSORS == SA_CONFIG_SOURCES, "each source may be a journal");

/* A message that an earlier life was in the middle of, until its stream goes on. */
struct kept {
    int64_t id;
    size_t len;
    void *bytes;
};

/* The file that is watched for what log daemons lost of a source. */
struct watch {
    struct sa_sources *sources;
    unsigned source;
    const struct sa_core_stream *stream; /* of which twice was seen at looked_ms */
    bool twice;                          /* the source follows it too */
    int64_t looked_ms;                   /* 0: never */
};

struct sa_sources {
    struct sa_core *core;
    const struct sa_config *config;
    struct sa_loop *loop;
    const struct sa_sources_events *events;
    void *arg;
    struct sa_follower *follower;
    struct sa_intakes *intakes;
    struct watch watches[SA_CONFIG_SOURCES]; /* the follower numbers them behind the sources */
    unsigned n_watches;
    struct kept *kept;
    size_t n_kept;
    struct cursor {
        char text[CURSOR_SIZE]; /* of the journal, from an earlier life */
        bool moved;             /* its row has the number of another source: it is saved anew */
    } cursors[SA_CONFIG_SOURCES];
    int64_t behind_ms[SA_CONFIG_SOURCES]; /* as sa_follower_behind_ms() said when it was last saved */
    struct sa_batch repair;               /* what removes or mends rows of an earlier life; owned */
};

/* The source that a number of the follower belongs to. */
static unsigned
owner_of(const struct sa_sources *sources, unsigned number)
{
    unsigned n = sources->config->n_sources;

    return number < n ? number : sources->watches[number - n].source;
}

/* The name under which positions of a number are kept, and the number of a name, or -1. */
static const char *
key_of(const struct sa_sources *sources, unsigned number, char key[KEY_SIZE])
{
    (void)sa_text_format(key, KEY_SIZE, "%s%s", number < sources->config->n_sources ? "" : WATCH_KEY,
                         sources->config->sources[owner_of(sources, number)].name);
    return key;
}

static int
number_of(const struct sa_sources *sources, const char *key)
{
    char other[KEY_SIZE];

    for (unsigned i = 0; i < sources->config->n_sources + sources->n_watches; i++)
        if (strcmp(key_of(sources, i, other), key) == 0)
            return (int)i;
    return -1;
}

/* The path of a stream of the follower, or NULL. */
static const char *
path_of(const struct sa_sources *sources, unsigned number, const void *stream)
{
    struct sa_follow_status status;

    sa_follower_status(sources->follower, number, &status);
    for (unsigned i = 0; i < status.n_files; i++) {
        struct sa_follow_file file = sa_follower_file(sources->follower, number, i);

        if (file.stream == stream)
            return file.path;
    }
    return NULL;
}

/* By its name, or by another one that leads to it. */
static bool
is_followed(const struct sa_sources *sources, unsigned source, const char *path)
{
    struct sa_follow_status status;
    struct stat wanted, other;
    bool there = stat(path, &wanted) == 0;

    sa_follower_status(sources->follower, source, &status);
    for (unsigned i = 0; i < status.n_files; i++) {
        struct sa_follow_file file = sa_follower_file(sources->follower, source, i);

        if (strcmp(file.path, path) == 0 || (there && stat(file.path, &other) == 0 &&
                                             other.st_dev == wanted.st_dev && other.st_ino == wanted.st_ino))
            return true;
    }
    return false;
}

/*
 * Whether the source follows the watched file as its log too, by whatever names: what it tells is counted
 * there.  Files come and go and are renamed, so this is asked when a loss is told, and not of the
 * configuration.
 */
static bool
is_followed_too(void *arg, const struct sa_core_stream *stream)
{
    struct watch *watch = arg;
    struct sa_sources *sources = watch->sources;
    unsigned number = sources->config->n_sources + (unsigned)(watch - sources->watches);
    int64_t now_ms = sa_clock_now().mono_ms;
    const char *path;

    if (watch->looked_ms != 0 && watch->stream == stream && now_ms - watch->looked_ms < TWICE_MS)
        return watch->twice;
    path = path_of(sources, number, stream);
    watch->twice = path != NULL && is_followed(sources, watch->source, path);
    watch->stream = stream;
    watch->looked_ms = now_ms;
    return watch->twice;
}

static void
resume(const struct sa_sources *sources, int64_t id, struct sa_core_stream *stream)
{
    for (size_t i = 0; i < sources->n_kept; i++)
        if (sources->kept[i].id == id)
            sa_core_recall(stream, sources->kept[i].bytes, sources->kept[i].len);
}

static void *
on_opened(void *arg, unsigned number, int64_t id, bool resumed)
{
    struct sa_sources *sources = arg;
    unsigned source = owner_of(sources, number);
    struct sa_core_stream *stream =
        number == source ? sa_core_open(sources->core, source)
                         : sa_core_open_watch(sources->core, source, is_followed_too,
                                              &sources->watches[number - sources->config->n_sources]);

    if (stream != NULL && resumed)
        resume(sources, id, stream);
    return stream;
}

static size_t
on_bytes(void *arg, void *stream, const char *buf, size_t len, bool late)
{
    (void)arg;
    return sa_core_feed(stream, buf, len, (struct sa_when){sa_clock_now(), late});
}

static void
on_hole(void *arg, void *stream, int64_t len)
{
    (void)arg;
    sa_core_hole(stream, len);
}

static void
on_truncated(void *arg, void *stream)
{
    (void)arg;
    sa_core_restart(stream);
}

static void
on_closed(void *arg, void *stream)
{
    (void)arg;
    sa_core_close(stream, sa_clock_now());
}

static void
on_note(void *arg, unsigned number, const char *text)
{
    const struct sa_sources *sources = arg;

    sa_log(LOG_NOTICE, "follow", "source %s: %s", sources->config->sources[owner_of(sources, number)].name,
           text);
}

/* "PATH: REASON" with the reason in the language of the alarms; what is not known stays as it is. */
static void
put_reason(char *dst, size_t size, const char *text)
{
    const char *reason = text;

    for (const char *at = text; (at = strstr(at, ": ")) != NULL; reason = at += 2)
        ;
    (void)sa_text_format(dst, size, "%.*s%s", (int)(reason - text), text, _(reason));
}

/* Of files where log daemons say what they lost: a source is not blind for want of them. */
static void
tell_watch(const struct sa_sources *sources, unsigned number)
{
    struct sa_follow_status status;

    sa_follower_status(sources->follower, number, &status);
    sa_log(status.state == SA_SOURCE_FOLLOWING ? LOG_INFO : LOG_WARNING, "follow", "source %s: watch: %s%s%s",
           sources->config->sources[owner_of(sources, number)].name, sa_source_state_name(status.state),
           status.text[0] != '\0' ? ": " : "", status.text);
}

/* One log line per edge, and the core learns whether the source can still see. */
static void
on_state(void *arg, unsigned number)
{
    struct sa_sources *sources = arg;
    char text[SA_LONG_SIZE * 2], reason[SA_LONG_SIZE * 2];
    struct sa_follow_status status;
    const char *name;
    bool blind;

    if (number >= sources->config->n_sources) {
        tell_watch(sources, number);
        return;
    }
    name = sources->config->sources[number].name;
    sa_sources_status(sources, number, &status);
    blind = status.state != SA_SOURCE_FOLLOWING && status.state != SA_SOURCE_BACKLOG;
    put_reason(reason, sizeof reason,
               status.text[0] != '\0' ? status.text : sa_source_state_name(status.state));
    (void)sa_text_format(text, sizeof text, _("Source %s cannot be read: %s"), name, reason);
    sa_core_set_seeing(sources->core, number, !blind, text, status.error, sa_clock_now());
    sa_log(blind ? LOG_WARNING : LOG_NOTICE, "follow", "source %s: %s%s%s%s", name,
           sa_source_state_name(status.state), status.text[0] != '\0' ? ": " : "", status.text,
           blind ? ", looking again until it can be read" : "");
    sources->events->state(sources->arg, number);
}

static void
on_read_some(void *arg)
{
    struct sa_sources *sources = arg;

    sources->events->read_some(sources->arg);
}

static int
add_followed(struct sa_sources *sources, unsigned number, int64_t last_alive_ms)
{
    unsigned source = owner_of(sources, number);
    const struct sa_source_def *def = &sources->config->sources[source];
    bool watched = number != source;
    struct sa_core_place place;
    bool known = sa_core_past_place(sources->core, source, &place);
    const struct sa_follow_options options = {
        .globs = watched ? def->watch : def->files,
        .olddir = def->olddir,
        .start_at_end = watched || def->start_at_end,
        .known = !watched && known,
        .looked_ms = place.looked_ms != 0 ? place.looked_ms : last_alive_ms,
        .rotate_wait_ms = (int64_t)def->rotate_wait_s * 1000,
        .backfill_max_age_ms = (int64_t)def->backfill_max_age_s * 1000,
        .backfill_max_bytes = (int64_t)def->backfill_max_bytes,
    };
    int r = sa_follower_add(sources->follower, &options);

    if (r >= 0 && !watched)
        sa_follower_recall(sources->follower, number, place.rotations, place.truncations,
                           place.distrusted_ms);
    return r < 0 ? r : 0;
}

struct sa_sources *
sa_sources_new(struct sa_loop *loop, struct sa_core *core, const struct sa_config *config,
               int64_t last_alive_ms, const struct sa_sources_events *events, void *arg)
{
    static const struct sa_follow_events follow_events = {on_opened, on_bytes, on_hole, on_truncated,
                                                          on_closed, on_state, on_note, on_read_some};
    struct sa_sources *sources = calloc(1, sizeof *sources);
    int r = 0;

    if (sources == NULL)
        return NULL;
    sources->core = core;
    sources->config = config;
    sources->loop = loop;
    sources->events = events;
    sources->arg = arg;
    for (unsigned i = 0; i < config->n_sources; i++)
        if (config->sources[i].watch[0] != NULL)
            sources->watches[sources->n_watches++] = (struct watch){.sources = sources, .source = i};
    sources->follower = sa_follower_new(loop, &follow_events, sources);
    for (unsigned i = 0; i < config->n_sources + sources->n_watches && sources->follower != NULL && r == 0;
         i++)
        r = add_followed(sources, i, last_alive_ms);
    return sources->follower != NULL && r == 0 ? sources : sa_sources_free(sources);
}

static void
forget_kept(struct sa_sources *sources)
{
    for (size_t i = 0; i < sources->n_kept; i++)
        free(sources->kept[i].bytes);
    free(sources->kept);
    sources->kept = NULL;
    sources->n_kept = 0;
}

struct sa_sources *
sa_sources_free(struct sa_sources *sources)
{
    if (sources == NULL)
        return NULL;
    (void)sa_intakes_close(sources->intakes);
    (void)sa_follower_free(sources->follower);
    forget_kept(sources);
    sa_batch_done(&sources->repair);
    free(sources);
    return NULL;
}

static void
keep(struct sa_sources *sources, int64_t id, const struct sa_blob *reader)
{
    struct kept *kept = realloc(sources->kept, (sources->n_kept + 1) * sizeof *kept);

    if (kept == NULL)
        return;
    sources->kept = kept;
    kept[sources->n_kept] = (struct kept){id, reader->len, malloc(reader->len)};
    if (kept[sources->n_kept].bytes != NULL)
        memcpy(kept[sources->n_kept++].bytes, reader->p, reader->len);
}

/* The message that was being read; without it the position stands all the same. */
static bool
load_reader(struct sa_sources *sources, const struct sa_row_file *row)
{
    struct sa_row_file without = *row;

    if (sa_stream_may_recall(row->reader.p, row->reader.len)) {
        keep(sources, row->id, &row->reader);
        return true;
    }
    without.reader = (struct sa_blob){"", 0};
    sa_batch_put(&sources->repair, SA_TABLE_FILES, &without);
    return false;
}

/* The journal's position is a row of the same table, numbered so that no file has the number. */
static int64_t
cursor_id(unsigned source)
{
    return -1 - (int64_t)source;
}

/* When the entry at the cursor was written, in microseconds; 0: the cursor does not say
 * (sd_journal_get_cursor). */
static uint64_t
time_of_cursor(const char *cursor)
{
    const char *field = strstr(cursor, ";t=");

    return field == NULL ? 0 : strtoull(field + 3, NULL, 16);
}

/*
 * Rows are numbered by the place of their source in the configuration, which may be another one now, and may
 * have left a row of an earlier place behind: the later entry is where the source was.
 */
static void
load_cursor(struct sa_sources *sources, unsigned source, const struct sa_row_file *row)
{
    struct cursor *cursor = &sources->cursors[source];

    if (cursor->text[0] == '\0' || time_of_cursor(row->cursor) > time_of_cursor(cursor->text))
        (void)sa_text_copy(cursor->text, sizeof cursor->text, row->cursor);
    if (row->id == cursor_id(source))
        return;
    sa_batch_delete(&sources->repair, SA_TABLE_FILES, row);
    cursor->moved = true;
}

bool
sa_sources_load(struct sa_sources *sources, const struct sa_row_file *row)
{
    int number = number_of(sources, row->source);
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

    if (row->id > sa_follower_last_id(sources->follower)) /* nothing new gets a number that is in use */
        sa_follower_set_last_id(sources->follower, row->id);
    if (number < 0)
        return true;
    if (row->cursor[0] != '\0') {
        if ((unsigned)number < sources->config->n_sources)
            load_cursor(sources, (unsigned)number, row);
        return true;
    }
    if (sa_follower_restore(sources->follower, (unsigned)number, &position) < 0)
        return true;
    return !position.open || row->reader.len == 0 || load_reader(sources, row);
}

void
sa_sources_set_last_id(struct sa_sources *sources, int64_t last_id)
{
    sa_follower_set_last_id(sources->follower, last_id);
}

int64_t
sa_sources_last_id(const struct sa_sources *sources)
{
    return sa_follower_last_id(sources->follower);
}

int
sa_sources_start(struct sa_sources *sources)
{
    static const struct sa_intakes_events events = {on_state, on_read_some};
    const char *cursors[SA_CONFIG_SOURCES];

    for (unsigned i = 0; i < SA_CONFIG_SOURCES; i++)
        cursors[i] = sources->cursors[i].text;
    sa_follower_start(sources->follower);
    forget_kept(sources);
    sources->intakes =
        sa_intakes_new(sources->loop, sources->core, sources->config, cursors, &events, sources);
    if (sources->intakes == NULL)
        return -ENOMEM;
    sa_intakes_start(sources->intakes);
    return 0;
}

void
sa_sources_status(const struct sa_sources *sources, unsigned source, struct sa_follow_status *ret_status)
{
    if (sources->config->sources[source].kind == SA_SOURCE_FILE)
        sa_follower_status(sources->follower, source, ret_status);
    else if (sources->intakes != NULL)
        *ret_status = *sa_intakes_status(sources->intakes, source);
    else
        *ret_status = (struct sa_follow_status){.state = SA_SOURCE_WAITING};
}

struct sa_follow_file
sa_sources_file(const struct sa_sources *sources, unsigned source, unsigned i)
{
    return sa_follower_file(sources->follower, source, i);
}

void
sa_sources_place(void *arg, unsigned source, struct sa_core_place *ret_place)
{
    const struct sa_sources *sources = arg;
    struct sa_follow_status status;

    sa_sources_status(sources, source, &status);
    *ret_place = (struct sa_core_place){.rotations = status.rotations,
                                        .truncations = status.truncations,
                                        .distrusted_ms = status.distrusted_ms,
                                        .looked_ms = sa_follower_behind_ms(sources->follower, source)};
}

/* What saving a position needs. */
struct saving_place {
    struct sa_sources *sources;
    struct sa_batch *batch;
    struct sa_buffer reader;
};

static void
save_position(void *arg, unsigned number, const struct sa_position *position, void *stream)
{
    struct saving_place *saving = arg;
    char key[KEY_SIZE];
    struct sa_row_file row = {
        .id = position->id,
        .source = key_of(saving->sources, number, key),
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
        sa_core_keep(stream, &saving->reader);
    if (!saving->reader.failed)
        row.reader = (struct sa_blob){saving->reader.bytes, saving->reader.len};
    sa_core_touch(saving->sources->core, owner_of(saving->sources, number)); /* rotations go with it */
    sa_batch_put(saving->batch, SA_TABLE_FILES, &row);
}

static void
delete_position(void *arg, unsigned number, int64_t id)
{
    struct saving_place *saving = arg;

    (void)number;
    sa_batch_delete(saving->batch, SA_TABLE_FILES, &(struct sa_row_file){.id = id});
}

/* That generations are left to look for is in the core's row of the source. */
static void
look_behind(struct sa_sources *sources, unsigned source)
{
    int64_t behind_ms = sa_follower_behind_ms(sources->follower, source);

    if (behind_ms != sources->behind_ms[source])
        sa_core_touch(sources->core, source);
    sources->behind_ms[source] = behind_ms;
}

static void
save_cursor(struct sa_sources *sources, unsigned source, bool all, struct sa_batch *batch)
{
    struct cursor *cursor = &sources->cursors[source];
    const char *text = sources->intakes == NULL ? NULL : sa_intakes_cursor(sources->intakes, source);
    struct sa_row_file row = {
        .id = cursor_id(source), .source = sources->config->sources[source].name, .path = "", .cursor = text};

    if (text == NULL || text[0] == '\0')
        row.cursor = cursor->text; /* where the earlier life was, until it can be opened */
    if (row.cursor[0] == '\0' || (!all && !cursor->moved && strcmp(row.cursor, cursor->text) == 0))
        return;
    sa_batch_put(batch, SA_TABLE_FILES, &row);
    (void)sa_text_copy(cursor->text, sizeof cursor->text, row.cursor);
    cursor->moved = false;
}

void
sa_sources_save(struct sa_sources *sources, bool all, struct sa_batch *batch)
{
    struct saving_place saving = {.sources = sources, .batch = batch};
    const struct sa_position_sink sink = {save_position, delete_position, &saving};

    sa_buffer_add(&batch->buffer, sources->repair.buffer.bytes, sources->repair.buffer.len);
    sa_batch_done(&sources->repair);
    sa_follower_positions(sources->follower, all, &sink);
    for (unsigned i = 0; i < sources->config->n_sources; i++) {
        look_behind(sources, i);
        save_cursor(sources, i, all, batch);
    }
    sa_buffer_done(&saving.reader);
}
