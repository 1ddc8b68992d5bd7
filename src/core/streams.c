/* What is read: bytes become responses, and each response enters the counters at one place. */
#include "inside.h"
#include "lang.h"

#include <stdlib.h>

/*
 * When a response happened: on arrival; but what was written before we looked has its place in the windows by
 * its own time, so that reading up does not look like a burst, and none if it has no time.
 */
static struct sa_time
time_of(const struct sa_when *when, const struct sa_response *response)
{
    struct sa_time time = when->now;

    if (!when->late)
        return time;
    if (response->time_ms == 0) {
        time.mono_ms = -1;
    } else if (response->time_ms < time.wall_ms) {
        time.mono_ms -= time.wall_ms - response->time_ms;
        time.wall_ms = response->time_ms;
    }
    return time;
}

/* A retransmission, or the same message logged twice; by the log's time, so that reading up changes nothing.
 */
static bool
was_seen(struct core_source *source, const struct sa_response *response, int64_t now_ms)
{
    if (source->recent == NULL)
        source->recent = sa_recent_new();
    return source->recent != NULL &&
           sa_recent_again(source->recent, response, response->time_ms != 0 ? response->time_ms : now_ms);
}

void
sa_core_response(struct sa_core *core, unsigned number, const struct sa_response *response,
                 struct sa_when when)
{
    struct core_source *source = &core->sources[number];
    struct sa_time time = time_of(&when, response);
    struct sa_response once;

    if (source->def->count_of == SA_COUNT_TRANSACTIONS || sa_rules_count_transactions(core->rules, number)) {
        once = *response;
        once.again = was_seen(source, response, when.now.wall_ms);
        if (source->def->count_of == SA_COUNT_TRANSACTIONS) {
            if (once.again)
                return;
            once.repeat = 1;
        }
        response = &once;
    }
    sa_tally_add(source->tally, response, -1, time.wall_ms);
    sa_tally_add(core->tally, response, time.mono_ms < 0 ? -1 : time.mono_ms / 1000, time.wall_ms);
    if (time.wall_ms > source->last_response_ms)
        source->last_response_ms = time.wall_ms;
    if (time.mono_ms >= 0 && sa_rules_count(core->rules, number, response, time.mono_ms))
        core->due = true;
}

static void
on_response(void *arg, const struct sa_response *response)
{
    struct sa_core_stream *stream = arg;

    sa_core_response(stream->core, stream->source, response, stream->when);
}

/* A log daemon said in the log that it dropped lines. */
static void
on_lost_line(void *arg, uint64_t lines)
{
    struct sa_core_stream *stream = arg;

    if (stream->is_counted == NULL || !stream->is_counted(stream->arg, stream))
        sa_core_lost(stream->core, stream->source, lines, _("the log says that they were dropped"),
                     stream->when.now);
}

static struct sa_core_stream *
open_stream(struct sa_core *core, unsigned source, struct sa_format *format)
{
    const struct sa_source_def *def = &core->config->sources[source];
    struct sa_core_stream *stream = calloc(1, sizeof *stream);

    if (stream == NULL)
        return NULL;
    stream->core = core;
    stream->source = source;
    if (sa_stream_init(&stream->stream, format, def->line_limit, on_response, stream) < 0) {
        free(stream);
        return NULL;
    }
    stream->stream.lost_fn = on_lost_line;
    stream->stream.peeler.stamps.zone_fixed = def->timezone.fixed;
    stream->stream.peeler.stamps.zone_ms = def->timezone.ms;
    return stream;
}

struct sa_core_stream *
sa_core_open(struct sa_core *core, unsigned source)
{
    struct sa_core_stream *stream = open_stream(core, source, core->sources[source].format);

    if (stream == NULL)
        return NULL;
    stream->next = core->sources[source].streams;
    core->sources[source].streams = stream;
    return stream;
}

struct sa_core_stream *
sa_core_open_watch(struct sa_core *core, unsigned source,
                   bool (*is_counted)(void *arg, const struct sa_core_stream *stream), void *arg)
{
    struct sa_core_stream *stream = open_stream(core, source, core->nothing);

    if (stream == NULL)
        return NULL;
    stream->is_counted = is_counted;
    stream->arg = arg;
    return stream;
}

size_t
sa_core_feed(struct sa_core_stream *stream, const char *buf, size_t len, struct sa_when when)
{
    struct core_source *source = &stream->core->sources[stream->source];
    const struct sa_stream_counts *counts = &stream->stream.counts;
    uint64_t lines = counts->lines, limited = counts->match_limit;

    stream->when = when;
    sa_stream_feed(&stream->stream, buf, len, when.now.wall_ms);
    source->changed = true;
    source->gave_up |= counts->match_limit != limited;
    if (counts->lines != lines && stream->is_counted == NULL)
        source->last_line_ms = when.now.wall_ms;
    return sa_stream_held(&stream->stream);
}

void
sa_core_hole(struct sa_core_stream *stream, int64_t len)
{
    sa_stream_hole(&stream->stream, (uint64_t)len);
    stream->core->sources[stream->source].changed = true;
}

void
sa_core_restart(struct sa_core_stream *stream)
{
    stream->core->sources[stream->source].changed = true;
    sa_stream_reset(&stream->stream);
}

void
sa_core_close(struct sa_core_stream *stream, struct sa_time now)
{
    struct core_source *source = &stream->core->sources[stream->source];

    stream->when = (struct sa_when){now, false};
    sa_stream_break(&stream->stream);
    source->changed = true;
    if (stream->is_counted == NULL)
        sa_core_add_counts(&source->closed, &stream->stream.counts);
    for (struct sa_core_stream **at = &source->streams; *at != NULL; at = &(*at)->next)
        if (*at == stream) {
            *at = stream->next;
            break;
        }
    sa_stream_done(&stream->stream);
    free(stream);
}

void
sa_core_keep(const struct sa_core_stream *stream, struct sa_buffer *buffer)
{
    sa_stream_keep(&stream->stream, buffer);
}

void
sa_core_recall(struct sa_core_stream *stream, const void *kept, size_t len)
{
    (void)sa_stream_recall(&stream->stream, kept, len);
}
