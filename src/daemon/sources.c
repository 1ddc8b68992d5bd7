#include "sources.h"
#include "lang.h"
#include "log.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TWICE_MS  1000     /* how long what was seen of a watched file holds */
#define WATCH_KEY "watch " /* before the keys of bookmarks in watched files */

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
    const struct sa_sources_events *events;
    void *arg;
    struct sa_source_host host;
    struct sa_watch *timer; /* one for all, so that many sources wake the daemon no more often than one */
    void *readers[SA_SOURCE_KINDS_COUNT];    /* in the order of the kinds; NULL: none is configured */
    struct watch watches[SA_CONFIG_SOURCES]; /* their numbers come behind those of the sources */
    unsigned n_watches;
    struct kept *kept;
    size_t n_kept;
    struct sa_batch repair; /* what removes or mends rows of an earlier life; owned */
};

/* The source that a number belongs to. */
static unsigned
owner_of(const struct sa_sources *sources, unsigned number)
{
    unsigned n = sources->config->n_sources;

    return number < n ? number : sources->watches[number - n].source;
}

static size_t
kind_of(const struct sa_sources *sources, unsigned number)
{
    bool watch = number >= sources->config->n_sources;
    enum sa_source_kind_number kind = watch ? SA_SOURCE_FILE : sources->config->sources[number].kind;
    size_t i = 0;

    while (sa_source_kind_at(i) != kind)
        i++;
    return i;
}

static const struct sa_source_kind *
methods(size_t kind)
{
    return sa_kind_find(sa_source_kind_at(kind));
}

/* The path of a stream that is a file's, or NULL. */
static const char *
path_of(const struct sa_sources *sources, unsigned number, const void *stream)
{
    struct sa_source_status status;

    sa_sources_status(sources, number, &status);
    for (unsigned i = 0; i < status.n_files; i++) {
        struct sa_source_file file = sa_sources_file(sources, number, i);

        if (file.stream == stream)
            return file.path;
    }
    return NULL;
}

/* By its name, or by another one that leads to it. */
static bool
is_followed(const struct sa_sources *sources, unsigned source, const char *path)
{
    struct sa_source_status status;
    struct stat wanted, other;
    bool there = stat(path, &wanted) == 0;

    sa_sources_status(sources, source, &status);
    for (unsigned i = 0; i < status.n_files; i++) {
        struct sa_source_file file = sa_sources_file(sources, source, i);

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
on_lost(void *arg, unsigned number, uint64_t lines, const char *why)
{
    const struct sa_sources *sources = arg;

    sa_core_lost(sources->core, owner_of(sources, number), lines, _(why), sa_clock_now());
}

static void
on_refused(void *arg, unsigned number, uint64_t n)
{
    const struct sa_sources *sources = arg;

    sa_core_refused(sources->core, owner_of(sources, number), n);
}

static void
on_note(void *arg, unsigned number, const char *text)
{
    const struct sa_sources *sources = arg;

    sa_log(LOG_NOTICE, "source", "source %s: %s", sources->config->sources[owner_of(sources, number)].name,
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
    struct sa_source_status status;

    sa_sources_status(sources, number, &status);
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
    struct sa_source_status status;
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
add(struct sa_sources *sources, unsigned number, int64_t last_alive_ms)
{
    size_t kind = kind_of(sources, number);
    unsigned source = owner_of(sources, number);
    struct sa_core_place place;
    bool watch = number != source, known = sa_core_past_place(sources->core, source, &place) && !watch;
    struct sa_source_spec spec = {.number = number,
                                  .def = &sources->config->sources[source],
                                  .watch = watch,
                                  .known = known,
                                  .looked_ms = place.looked_ms != 0 ? place.looked_ms : last_alive_ms};

    spec.n_locations = sa_config_locations(spec.def, &spec.locations);
    if (!watch) {
        spec.rotations = place.rotations;
        spec.truncations = place.truncations;
        spec.distrusted_ms = place.distrusted_ms;
    }
    if (sources->readers[kind] == NULL)
        sources->readers[kind] = methods(kind)->open(&sources->host);
    return sources->readers[kind] == NULL ? -ENOMEM : methods(kind)->add(sources->readers[kind], &spec);
}

static void
on_timer(void *arg)
{
    struct sa_sources *sources = arg;

    for (size_t kind = 0; kind < SA_SOURCE_KINDS_COUNT; kind++)
        if (sources->readers[kind] != NULL && methods(kind)->look != NULL) {
            methods(kind)->look(sources->readers[kind]);
            sa_watch_arm(sources->timer, SA_SOURCE_LOOK_MS);
        }
}

struct sa_sources *
sa_sources_new(struct sa_loop *loop, struct sa_core *core, const struct sa_config *config,
               int64_t last_alive_ms, const struct sa_sources_events *events, void *arg)
{
    static const struct sa_source_events source_events = {on_opened, on_bytes,    on_hole,    on_truncated,
                                                          on_closed, on_lost,     on_refused, on_state,
                                                          on_note,   on_read_some};
    struct sa_sources *sources = calloc(1, sizeof *sources);
    int r = 0;

    if (sources == NULL)
        return NULL;
    sources->core = core;
    sources->config = config;
    sources->events = events;
    sources->arg = arg;
    sources->host = (struct sa_source_host){loop, &source_events, sources};
    sources->timer = sa_loop_timer(loop, on_timer, sources);
    for (unsigned i = 0; i < config->n_sources; i++)
        if (config->sources[i].watch[0] != NULL)
            sources->watches[sources->n_watches++] = (struct watch){.sources = sources, .source = i};
    for (unsigned i = 0; i < config->n_sources + sources->n_watches && r == 0; i++)
        r = add(sources, i, last_alive_ms);
    return sources->timer != NULL && r == 0 ? sources : sa_sources_free(sources);
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
    for (size_t kind = 0; kind < SA_SOURCE_KINDS_COUNT; kind++)
        if (sources->readers[kind] != NULL)
            methods(kind)->close(sources->readers[kind]);
    (void)sa_watch_free(sources->timer);
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

/* The message that was being read; without it the place stands all the same. */
static bool
load_reader(struct sa_sources *sources, int64_t id, const struct sa_row_bookmark *row)
{
    struct sa_row_bookmark without = *row;

    if (row->reader.len == 0)
        return true;
    if (sa_stream_may_recall(row->reader.p, row->reader.len)) {
        keep(sources, id, &row->reader);
        return true;
    }
    without.reader = (struct sa_blob){"", 0};
    sa_batch_put(&sources->repair, SA_TABLE_BOOKMARKS, &without);
    return false;
}

/* The number that a bookmark belongs to, and what the key is there; -1: of no source that is configured. */
static int
number_of(const struct sa_sources *sources, const struct sa_row_bookmark *row, const char **ret_key)
{
    bool watch = strncmp(row->key, WATCH_KEY, strlen(WATCH_KEY)) == 0;
    unsigned n = sources->config->n_sources;

    *ret_key = row->key + (watch ? strlen(WATCH_KEY) : 0);
    for (unsigned i = watch ? n : 0; i < (watch ? n + sources->n_watches : n); i++)
        if (strcmp(sources->config->sources[owner_of(sources, i)].name, row->source) == 0)
            return (int)i;
    return -1;
}

/* Nothing new gets an id that is in use. */
static void
reserve(struct sa_sources *sources, int64_t id)
{
    for (size_t kind = 0; kind < SA_SOURCE_KINDS_COUNT && id <= SA_STREAM_ID_MAX; kind++)
        if (sources->readers[kind] != NULL && methods(kind)->reserve != NULL)
            methods(kind)->reserve(sources->readers[kind], id);
}

bool
sa_sources_load(struct sa_sources *sources, const struct sa_row_bookmark *row)
{
    const char *key;
    int number = number_of(sources, row, &key);
    int64_t id = strtoll(key, NULL, 10); /* of a key that is no number 0 */
    size_t kind;

    reserve(sources, id);
    if (number < 0)
        return true;
    kind = kind_of(sources, (unsigned)number);
    if (methods(kind)->load(sources->readers[kind], (unsigned)number, key, row->value))
        return load_reader(sources, id, row);
    sa_batch_delete(&sources->repair, SA_TABLE_BOOKMARKS, row);
    return false;
}

int
sa_sources_start(struct sa_sources *sources)
{
    int r = 0;

    for (size_t kind = 0; kind < SA_SOURCE_KINDS_COUNT && r == 0; kind++)
        if (sources->readers[kind] != NULL)
            r = methods(kind)->start(sources->readers[kind]);
    forget_kept(sources);
    on_timer(sources);
    return r;
}

void
sa_sources_status(const struct sa_sources *sources, unsigned source, struct sa_source_status *ret_status)
{
    size_t kind = kind_of(sources, source);

    methods(kind)->status(sources->readers[kind], source, ret_status);
}

struct sa_source_file
sa_sources_file(const struct sa_sources *sources, unsigned source, unsigned i)
{
    size_t kind = kind_of(sources, source);

    return methods(kind)->file(sources->readers[kind], source, i);
}

void
sa_sources_place(void *arg, unsigned source, struct sa_core_place *ret_place)
{
    const struct sa_sources *sources = arg;
    struct sa_source_status status;

    sa_sources_status(sources, source, &status);
    *ret_place = (struct sa_core_place){.rotations = status.rotations,
                                        .truncations = status.truncations,
                                        .distrusted_ms = status.distrusted_ms,
                                        .looked_ms = status.behind_ms};
}

/* What saving a bookmark needs. */
struct keeping {
    struct sa_sources *sources;
    struct sa_batch *batch;
    struct sa_buffer reader;
};

/* The row that a bookmark is kept in; key: room for the row's. */
static struct sa_row_bookmark
row_of(const struct sa_sources *sources, unsigned number, const char *name,
       char key[SA_BOOKMARK_KEY + sizeof WATCH_KEY])
{
    bool watch = number >= sources->config->n_sources;

    (void)sa_text_format(key, SA_BOOKMARK_KEY + sizeof WATCH_KEY, "%s%s", watch ? WATCH_KEY : "", name);
    return (struct sa_row_bookmark){
        .source = sources->config->sources[owner_of(sources, number)].name, .key = key, .value = ""};
}

static void
on_keep(void *arg, unsigned number, const char *name, const char *value, void *stream)
{
    struct keeping *saving = arg;
    char key[SA_BOOKMARK_KEY + sizeof WATCH_KEY];
    struct sa_row_bookmark row = row_of(saving->sources, number, name, key);

    row.value = value;
    saving->reader.len = 0;
    if (stream != NULL)
        sa_core_keep(stream, &saving->reader);
    if (!saving->reader.failed)
        row.reader = (struct sa_blob){saving->reader.bytes, saving->reader.len};
    sa_core_touch(saving->sources->core, owner_of(saving->sources, number)); /* rotations go with it */
    sa_batch_put(saving->batch, SA_TABLE_BOOKMARKS, &row);
}

static void
on_gone(void *arg, unsigned number, const char *name)
{
    struct keeping *saving = arg;
    char key[SA_BOOKMARK_KEY + sizeof WATCH_KEY];
    struct sa_row_bookmark row = row_of(saving->sources, number, name, key);

    sa_batch_delete(saving->batch, SA_TABLE_BOOKMARKS, &row);
}

/* What the place says is in the core's row of the source. */
static void
on_moved(void *arg, unsigned number)
{
    const struct keeping *saving = arg;

    sa_core_touch(saving->sources->core, owner_of(saving->sources, number));
}

void
sa_sources_save(struct sa_sources *sources, bool all, struct sa_batch *batch)
{
    struct keeping saving = {.sources = sources, .batch = batch};
    const struct sa_bookmark_sink sink = {on_keep, on_gone, on_moved, &saving};

    sa_buffer_add(&batch->buffer, sources->repair.buffer.bytes, sources->repair.buffer.len);
    sa_batch_done(&sources->repair);
    for (size_t kind = 0; kind < SA_SOURCE_KINDS_COUNT; kind++)
        if (sources->readers[kind] != NULL)
            methods(kind)->save(sources->readers[kind], all, &sink);
    sa_buffer_done(&saving.reader);
}
