#include "replay.h"
#include "core.h"
#include "input.h"
#include "lang.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES    65536
#define PROGRESS_BYTES (8 << 20)

/* The core's monotonic clock at the first response, so that what is older in the files has a place, too. */
#define BEFORE_MS (INT64_C(366) * 86400000)

/* One file, and its responses that were read and not taken yet. */
struct lane {
    struct sa_replay *replay;
    const char *path;
    unsigned source;
    struct sa_input *input;
    struct sa_format *format;
    struct sa_stream stream;
    struct sa_response *queue;
    size_t n, room, at;
    uint64_t lost; /* lines that log daemons said they dropped, not told yet */
    bool ended, full;
};

struct sa_replay {
    struct sa_core *core;
    struct sa_config *config;
    struct sa_replay_span span;
    const struct sa_replay_events *events;
    void *arg;
    struct lane **lanes;
    size_t n_lanes;
    struct sa_time now; /* of the latest response */
    int64_t due_ms;     /* of the next turn, monotonic */
    struct sa_replay_totals totals;
    uint64_t taken, shown, total; /* bytes of the files */
    char buf[BLOCK_BYTES];
};

struct sa_replay *
sa_replay_new(struct sa_config *config, const struct sa_replay_span *span,
              const struct sa_replay_events *events, void *arg, char error[SA_PATTERN_ERROR_SIZE])
{
    struct sa_replay *replay = calloc(1, sizeof *replay);

    if (replay == NULL)
        return NULL;
    replay->config = config;
    replay->span = *span;
    replay->events = events;
    replay->arg = arg;
    replay->due_ms = INT64_MAX;
    replay->core = sa_core_new(config, SA_SINK_SYSLOG, (struct sa_time){0, 0}, error);
    return replay->core != NULL ? replay : sa_replay_free(replay);
}

static void
free_lane(struct lane *lane)
{
    sa_stream_done(&lane->stream);
    (void)sa_input_close(lane->input);
    (void)sa_format_free(lane->format);
    free(lane->queue);
    free(lane);
}

struct sa_replay *
sa_replay_free(struct sa_replay *replay)
{
    if (replay == NULL)
        return NULL;
    for (size_t i = 0; i < replay->n_lanes; i++)
        free_lane(replay->lanes[i]);
    free(replay->lanes);
    (void)sa_core_free(replay->core);
    free(replay);
    return NULL;
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* "proxy.log", and "proxy.log.1", "proxy.log-20261120.gz" of it. */
static bool
has_name_of(const char *path, const char *pattern)
{
    const char *name = base_name(path), *log = base_name(pattern);
    size_t len = strlen(log);

    return fnmatch(log, name, 0) == 0 || (strncmp(name, log, len) == 0 && strchr(".-_", name[len]) != NULL);
}

static bool
is_log_of(const struct sa_source_def *def, const char *path, bool by_name)
{
    for (char *const *pattern = def->files; pattern != NULL && *pattern != NULL; pattern++)
        if (fnmatch(*pattern, path, FNM_PATHNAME) == 0 || (by_name && has_name_of(path, *pattern)))
            return true;
    return false;
}

int
sa_replay_source_of(const struct sa_config *config, const char *path)
{
    int found = -1;

    for (int by_name = 0; by_name < 2 && found == -1; by_name++)
        for (unsigned i = 0; i < config->n_sources; i++)
            if (is_log_of(&config->sources[i], path, by_name != 0))
                found = found == -1 ? (int)i : -2;
    if (found == -1 && config->n_sources == 1)
        return 0;
    return found < 0 ? -1 : found;
}

/* The lane keeps it until its turn comes. */
static void
on_response(void *arg, const struct sa_response *response)
{
    struct lane *lane = arg;

    if (lane->n == lane->room) {
        size_t room = lane->room == 0 ? 256 : 2 * lane->room;
        struct sa_response *grown = realloc(lane->queue, room * sizeof *grown);

        if (grown == NULL) {
            lane->full = true;
            return;
        }
        lane->queue = grown;
        lane->room = room;
    }
    lane->queue[lane->n++] = *response;
}

static void
on_lost_lines(void *arg, uint64_t lines)
{
    struct lane *lane = arg;

    lane->lost += lines;
}

int
sa_replay_add(struct sa_replay *replay, unsigned source, const char *path)
{
    struct lane **lanes = realloc(replay->lanes, (replay->n_lanes + 1) * sizeof(struct lane *));
    struct lane *lane = calloc(1, sizeof *lane);
    char error[SA_PATTERN_ERROR_SIZE];
    int r = -ENOMEM;

    if (lanes != NULL)
        replay->lanes = lanes;
    if (lanes == NULL || lane == NULL)
        goto out;
    lane->replay = replay;
    lane->source = source;
    lane->path = path;
    lane->format = sa_config_format(replay->config, replay->config->sources[source].formats, error);
    if (lane->format == NULL)
        goto out;
    r = sa_stream_init(&lane->stream, lane->format, replay->config->sources[source].line_limit, on_response,
                       lane);
    if (r < 0)
        goto out;
    lane->stream.lost_fn = on_lost_lines;
    r = sa_input_open(path, &lane->input);
    if (r < 0) {
        sa_stream_done(&lane->stream);
        goto out;
    }
    lane->stream.peeler.stamps.zone_fixed = replay->config->sources[source].timezone.fixed;
    lane->stream.peeler.stamps.zone_ms = replay->config->sources[source].timezone.ms;
    replay->total += sa_input_size(lane->input);
    replay->lanes[replay->n_lanes++] = lane;
    return 0;
out:
    if (lane != NULL)
        (void)sa_format_free(lane->format);
    free(lane);
    return r;
}

static void
show_progress(struct sa_replay *replay, uint64_t bytes)
{
    replay->taken += bytes;
    if (replay->events->progress == NULL || replay->taken - replay->shown < PROGRESS_BYTES)
        return;
    replay->shown = replay->taken;
    replay->events->progress(replay->arg, replay->taken, replay->total);
}

/* Reads on until the lane has a response or its file has none. */
static void
refill(struct sa_replay *replay, struct lane *lane)
{
    ssize_t n = 1;

    lane->n = lane->at = 0;
    while (lane->n == 0 && !lane->ended) {
        uint64_t before = sa_input_taken(lane->input);

        n = sa_input_read(lane->input, replay->buf, sizeof replay->buf);
        if (n > 0) {
            sa_stream_feed(&lane->stream, replay->buf, (size_t)n, sa_input_written_ms(lane->input));
        } else {
            sa_stream_finish(&lane->stream);
            lane->ended = true;
        }
        show_progress(replay, sa_input_taken(lane->input) - before);
    }
    if (lane->full || n < 0)
        replay->events->failed(replay->arg, lane->path, sa_input_packing(lane->input),
                               n < 0 ? (int)n : -ENOMEM);
    lane->full = false;
}

static void
deliver(struct sa_replay *replay)
{
    struct sa_outbox *outbox = sa_core_outbox(replay->core);
    const struct sa_alarm_event *event;

    while ((event = sa_outbox_next(outbox, SA_SINK_SYSLOG)) != NULL) {
        uint32_t sequence = event->sequence;

        replay->events->event(replay->arg, event);
        sa_outbox_finished(outbox, SA_SINK_SYSLOG, sequence, true);
    }
}

static void
turn(struct sa_replay *replay, int64_t mono_ms)
{
    struct sa_time at = {mono_ms, replay->now.wall_ms + (mono_ms - replay->now.mono_ms)};

    replay->due_ms = sa_core_turn(replay->core, at).due_ms;
    deliver(replay);
}

/* Time passes until a response came; what was due meanwhile is judged as the daemon would have. */
static void
advance(struct sa_replay *replay, int64_t wall_ms)
{
    int64_t to_ms;

    if (replay->now.mono_ms == 0) {
        replay->now = (struct sa_time){BEFORE_MS, wall_ms};
        replay->totals.first_ms = wall_ms;
    }
    if (wall_ms <= replay->now.wall_ms)
        return;
    if (sa_core_is_due(replay->core)) /* all that came at one moment is judged together */
        turn(replay, replay->now.mono_ms);
    to_ms = replay->now.mono_ms + (wall_ms - replay->now.wall_ms);
    while (replay->due_ms < to_ms)
        turn(replay, replay->due_ms);
    replay->now = (struct sa_time){to_ms, wall_ms};
}

static void
take(struct sa_replay *replay, struct lane *lane)
{
    const struct sa_response *response = &lane->queue[lane->at++];
    int64_t wall_ms = response->time_ms != 0 ? response->time_ms : replay->now.wall_ms;

    if (wall_ms < replay->span.since_ms || wall_ms >= replay->span.until_ms) {
        replay->totals.outside++;
        return;
    }
    replay->totals.untimed += response->time_ms == 0;
    if (wall_ms == 0) /* there was no time yet */
        return;
    advance(replay, wall_ms);
    if (lane->lost != 0)
        sa_core_lost(replay->core, lane->source, lane->lost, _("the log says that they were dropped"),
                     replay->now);
    lane->lost = 0;
    replay->totals.responses += response->repeat;
    if (wall_ms > replay->totals.last_ms)
        replay->totals.last_ms = wall_ms;
    sa_core_response(replay->core, lane->source, response,
                     (struct sa_when){replay->now, wall_ms < replay->now.wall_ms});
}

/* The lane whose next response is the earliest; one without a time follows the one before it. */
static struct lane *
earliest(struct sa_replay *replay)
{
    struct lane *found = NULL;

    for (size_t i = 0; i < replay->n_lanes; i++) {
        struct lane *lane = replay->lanes[i];

        if (lane->at < lane->n &&
            (found == NULL || lane->queue[lane->at].time_ms < found->queue[found->at].time_ms))
            found = lane;
    }
    return found;
}

void
sa_replay_run(struct sa_replay *replay)
{
    struct lane *lane;

    for (size_t i = 0; i < replay->n_lanes; i++)
        refill(replay, replay->lanes[i]);
    while ((lane = earliest(replay)) != NULL) {
        take(replay, lane);
        if (lane->at == lane->n)
            refill(replay, lane);
    }
    if (sa_core_is_due(replay->core))
        turn(replay, replay->now.mono_ms);
}

struct sa_replay_totals
sa_replay_totals(const struct sa_replay *replay)
{
    struct sa_replay_totals totals = replay->totals;

    for (size_t i = 0; i < replay->n_lanes; i++) {
        totals.lines += replay->lanes[i]->stream.counts.lines;
        totals.unmatched += replay->lanes[i]->stream.counts.unmatched;
    }
    return totals;
}
