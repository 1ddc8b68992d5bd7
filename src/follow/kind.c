#include "bookmark.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Sources have the numbers of the host: what is no file has a place without patterns. */
struct reader {
    struct sa_follower *follower;
    int64_t *behind_ms; /* of each source, as it was last saved */
    unsigned n;
};

static void
close_reader(void *arg)
{
    struct reader *reader = arg;

    (void)sa_follower_free(reader->follower);
    free(reader->behind_ms);
    free(reader);
}

static void *
open_reader(const struct sa_source_host *host)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    reader->follower = sa_follower_new(host->loop, host->events, host->arg);
    if (reader->follower != NULL)
        return reader;
    free(reader);
    return NULL;
}

static int
add_next(struct reader *reader, const struct sa_follow_options *options)
{
    int64_t *grown = realloc(reader->behind_ms, (reader->n + 1) * sizeof *grown);
    int r;

    if (grown == NULL)
        return -ENOMEM;
    reader->behind_ms = grown;
    r = sa_follower_add(reader->follower, options);
    if (r >= 0)
        reader->behind_ms[reader->n++] = 0;
    return r;
}

static int
fill_up_to(struct reader *reader, unsigned number)
{
    static char *const nothing[] = {NULL};
    const struct sa_follow_options none = {.globs = nothing, .olddir = ""};
    int r = 0;

    while (reader->n < number && r >= 0)
        r = add_next(reader, &none);
    return r;
}

static int
add(void *arg, const struct sa_source_spec *spec)
{
    struct reader *reader = arg;
    const struct sa_source_def *def = spec->def;
    const struct sa_follow_options options = {
        .globs = spec->watch ? def->watch : def->files,
        .olddir = def->olddir,
        .start_at_end = spec->watch || def->start_at_end,
        .known = spec->known,
        .looked_ms = spec->looked_ms,
        .rotate_wait_ms = (int64_t)def->rotate_wait_s * 1000,
        .backfill_max_age_ms = (int64_t)def->backfill_max_age_s * 1000,
        .backfill_max_bytes = (int64_t)def->backfill_max_bytes,
    };
    int r = fill_up_to(reader, spec->number);

    if (r >= 0)
        r = add_next(reader, &options);
    if (r < 0)
        return r;
    sa_follower_recall(reader->follower, spec->number, spec->rotations, spec->truncations,
                       spec->distrusted_ms);
    return 0;
}

static bool
load(void *arg, unsigned source, const char *key, const char *value)
{
    const struct reader *reader = arg;
    struct sa_position position;
    char *end;

    if (sa_bookmark_parse(value, &position) < 0)
        return false;
    position.id = strtoll(key, &end, 10);
    if (*end != '\0' || position.id <= 0 || position.id > SA_STREAM_ID_MAX)
        return false;
    (void)sa_follower_restore(reader->follower, source, &position);
    return true;
}

static void
reserve(void *arg, int64_t id)
{
    const struct reader *reader = arg;

    if (id > sa_follower_last_id(reader->follower))
        sa_follower_set_last_id(reader->follower, id);
}

static int
start(void *arg)
{
    const struct reader *reader = arg;

    sa_follower_start(reader->follower);
    return 0;
}

static void
status(const void *arg, unsigned source, struct sa_source_status *ret_status)
{
    const struct reader *reader = arg;

    sa_follower_status(reader->follower, source, ret_status);
}

static struct sa_source_file
file(const void *arg, unsigned source, unsigned i)
{
    const struct reader *reader = arg;

    return sa_follower_file(reader->follower, source, i);
}

static void
format_key(int64_t id, char key[SA_BOOKMARK_KEY])
{
    (void)snprintf(key, SA_BOOKMARK_KEY, "%" PRId64, id);
}

static void
keep(void *arg, unsigned source, const struct sa_position *position, void *stream)
{
    const struct sa_bookmark_sink *sink = arg;
    char key[SA_BOOKMARK_KEY], value[SA_BOOKMARK_VALUE];

    format_key(position->id, key);
    sa_bookmark_format(position, value);
    sink->keep(sink->arg, source, key, value, stream);
}

static void
gone(void *arg, unsigned source, int64_t id)
{
    const struct sa_bookmark_sink *sink = arg;
    char key[SA_BOOKMARK_KEY];

    format_key(id, key);
    sink->gone(sink->arg, source, key);
}

static void
save(void *arg, bool all, const struct sa_bookmark_sink *sink)
{
    struct reader *reader = arg;
    const struct sa_position_sink positions = {keep, gone, (void *)(uintptr_t)sink};

    sa_follower_positions(reader->follower, all, &positions);
    for (unsigned i = 0; i < reader->n; i++) {
        int64_t behind_ms = sa_follower_behind_ms(reader->follower, i);

        if (behind_ms != reader->behind_ms[i])
            sink->moved(sink->arg, i);
        reader->behind_ms[i] = behind_ms;
    }
}

extern const struct sa_source_kind sa_file_source;
const struct sa_source_kind sa_file_source = {
    .open = open_reader,
    .add = add,
    .load = load,
    .reserve = reserve,
    .start = start,
    .status = status,
    .file = file,
    .save = save,
    .close = close_reader,
};
