#include "engine.h"
#include "lang.h"
#include "snapshot.h"
#include "units.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define UNDERCOUNT_MS 300000 /* how long the alarm stays up after the last loss */
#define TWICE_MS      1000   /* how long what was seen of a watched file holds */

/* A followed file's stream and whose it is. */
struct file_stream {
    struct sa_stream stream;
    struct sa_engine *engine;
    unsigned source;
    bool watched;             /* nothing of it is counted but what log daemons lost */
    bool twice;               /* of a watched file: the source follows it too, as was seen at looked_ms */
    int64_t looked_ms;        /* 0: never */
    struct file_stream *next; /* of the source */
};

static struct sa_rules *
make_rules(const struct sa_engine *engine, const struct sa_rule_def *defs, unsigned n_defs)
{
    return sa_rules_new(defs, n_defs, engine->names, engine->config->n_sources);
}

/* Every group can be raised, changed and cleared before a receiver answers, as far as an outbox goes. */
static unsigned
outbox_room(const struct sa_rules *rules)
{
    return SA_OUTBOX_ROOM + 3 * sa_rules_room(rules);
}

int
sa_engine_init(struct sa_engine *engine, struct sa_config *config, unsigned sinks, int64_t wall_ms,
               char error[SA_PATTERN_ERROR_SIZE])
{
    *engine = (struct sa_engine){
        .config = config, .sinks = sinks, .start_ms = wall_ms, .since_ms = wall_ms, .config_ms = wall_ms};
    (void)snprintf(error, SA_PATTERN_ERROR_SIZE, "out of memory");
    engine->sources = calloc(config->n_sources + 1, sizeof *engine->sources);
    engine->tally = sa_tally_new(SA_MINUTES_S);
    if (engine->sources == NULL || engine->tally == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < config->n_sources; i++) {
        struct sa_engine_source *source = &engine->sources[i];

        source->def = &config->sources[i];
        source->tally = sa_tally_new(0);
        source->format = sa_config_format(config, config->sources[i].formats, error);
        if (source->tally == NULL || source->format == NULL)
            return -EINVAL;
    }
    for (unsigned i = 0; i < config->n_sources; i++)
        engine->names[i] = config->sources[i].name;
    for (unsigned i = 0; i < config->n_sources; i++)
        if (config->sources[i].watch[0] != NULL)
            engine->watches[engine->n_watches++] = i;
    engine->nothing = sa_format_new();
    if (engine->nothing == NULL)
        return -ENOMEM;
    sa_format_want_nothing(engine->nothing);
    engine->faults = sa_faults_new(engine->names, config->n_sources);
    engine->rules = make_rules(engine, config->rules, config->n_rules);
    if (engine->rules == NULL || engine->faults == NULL)
        return -ENOMEM;
    engine->alarms = sa_alarms_new(config->node);
    engine->outbox = sa_outbox_new(outbox_room(engine->rules));
    return engine->alarms == NULL || engine->outbox == NULL ? -ENOMEM : 0;
}

void
sa_engine_done(struct sa_engine *engine)
{
    for (unsigned i = 0; engine->sources != NULL && i < engine->config->n_sources; i++) {
        (void)sa_format_free(engine->sources[i].format);
        (void)sa_tally_free(engine->sources[i].tally);
        (void)sa_recent_free(engine->sources[i].recent);
    }
    free(engine->sources);
    (void)sa_format_free(engine->nothing);
    (void)sa_tally_free(engine->tally);
    (void)sa_rules_free(engine->rules);
    (void)sa_faults_free(engine->faults);
    (void)sa_alarms_free(engine->alarms);
    (void)sa_outbox_free(engine->outbox);
    sa_batch_done(&engine->repair);
    *engine = (struct sa_engine){0};
}

/*
 * When a response happened: on arrival; but what was written before we looked has its place in the windows by
 * its own time, so that reading up does not look like a burst, and none if it has no time.
 */
static struct sa_time
time_of(const struct sa_engine *engine, const struct sa_response *response)
{
    struct sa_time when = engine->now;

    if (!engine->late)
        return when;
    if (response->time_ms == 0) {
        when.mono_ms = -1;
    } else if (response->time_ms < when.wall_ms) {
        when.mono_ms -= when.wall_ms - response->time_ms;
        when.wall_ms = response->time_ms;
    }
    return when;
}

/* A retransmission, or the same message logged twice; by the log's time, so that reading up changes nothing.
 */
static bool
was_seen(struct sa_engine_source *source, const struct sa_response *response, int64_t now_ms)
{
    if (source->recent == NULL)
        source->recent = sa_recent_new();
    return source->recent != NULL &&
           sa_recent_again(source->recent, response, response->time_ms != 0 ? response->time_ms : now_ms);
}

/* The one place where a decoded response enters the counters. */
static void
on_response(void *arg, const struct sa_response *response)
{
    struct file_stream *file = arg;
    struct sa_engine *engine = file->engine;
    struct sa_engine_source *source = &engine->sources[file->source];
    struct sa_time when = time_of(engine, response);
    struct sa_response once;

    if (source->def->count_of == SA_COUNT_TRANSACTIONS ||
        sa_rules_count_transactions(engine->rules, file->source)) {
        once = *response;
        once.again = was_seen(source, response, engine->now.wall_ms);
        if (source->def->count_of == SA_COUNT_TRANSACTIONS) {
            if (once.again)
                return;
            once.repeat = 1;
        }
        response = &once;
    }
    sa_tally_add(source->tally, response, -1, when.wall_ms);
    sa_tally_add(engine->tally, response, when.mono_ms < 0 ? -1 : when.mono_ms / 1000, when.wall_ms);
    if (when.wall_ms > source->last_response_ms)
        source->last_response_ms = when.wall_ms;
    if (when.mono_ms >= 0 && sa_rules_count(engine->rules, file->source, response, when.mono_ms))
        engine->limit_crossed = true;
}

/* The path of a stream of the follower, or NULL. */
static const char *
path_of(const struct sa_engine *engine, unsigned number, const void *stream)
{
    struct sa_follow_status status;

    sa_follower_status(engine->follower, number, &status);
    for (unsigned i = 0; i < status.n_files; i++) {
        struct sa_follow_file file = sa_follower_file(engine->follower, number, i);

        if (file.stream == stream)
            return file.path;
    }
    return NULL;
}

/* By its name, or by another one that leads to it. */
static bool
is_followed(const struct sa_engine *engine, unsigned source, const char *path)
{
    struct sa_follow_status status;
    struct stat wanted, other;
    bool there = stat(path, &wanted) == 0;

    sa_follower_status(engine->follower, source, &status);
    for (unsigned i = 0; i < status.n_files; i++) {
        struct sa_follow_file file = sa_follower_file(engine->follower, source, i);

        if (strcmp(file.path, path) == 0 || (there && stat(file.path, &other) == 0 &&
                                             other.st_dev == wanted.st_dev && other.st_ino == wanted.st_ino))
            return true;
    }
    return false;
}

/*
 * A watched file that the source follows as its log too, by whatever names: what it tells is counted there.
 * Files come and go and are renamed, so this is asked when a loss is told, and not of the configuration.
 */
static bool
is_followed_too(struct file_stream *file)
{
    struct sa_engine *engine = file->engine;
    unsigned number = engine->config->n_sources;
    const char *path;

    if (file->looked_ms != 0 && engine->now.mono_ms - file->looked_ms < TWICE_MS)
        return file->twice;
    while (engine->watches[number - engine->config->n_sources] != file->source)
        number++;
    path = path_of(engine, number, file);
    file->twice = path != NULL && is_followed(engine, file->source, path);
    file->looked_ms = engine->now.mono_ms;
    return file->twice;
}

/* A log daemon said in the log that it dropped lines. */
static void
on_lost_line(void *arg, uint64_t lines)
{
    struct file_stream *file = arg;

    if (file->watched && is_followed_too(file))
        return;
    sa_engine_lost(file->engine, file->source, lines, _("the log says that they were dropped"));
}

/* Longer than any name of a source. */
#define WATCH_KEY "what log daemons lost of the source: "

unsigned
sa_engine_owner(const struct sa_engine *engine, unsigned number)
{
    return number < engine->config->n_sources ? number : engine->watches[number - engine->config->n_sources];
}

const char *
sa_engine_key(const struct sa_engine *engine, unsigned number, char key[SA_ENGINE_KEY])
{
    (void)sa_text_format(key, SA_ENGINE_KEY, "%s%s", number < engine->config->n_sources ? "" : WATCH_KEY,
                         engine->names[sa_engine_owner(engine, number)]);
    return key;
}

int
sa_engine_number(const struct sa_engine *engine, const char *key)
{
    char other[SA_ENGINE_KEY];

    for (unsigned i = 0; i < engine->config->n_sources + engine->n_watches; i++)
        if (strcmp(sa_engine_key(engine, i, other), key) == 0)
            return (int)i;
    return -1;
}

void *
sa_engine_open(struct sa_engine *engine, unsigned number)
{
    struct file_stream *file = calloc(1, sizeof *file);
    unsigned source = sa_engine_owner(engine, number);

    if (file == NULL)
        return NULL;
    file->engine = engine;
    file->source = source;
    file->watched = number != source;
    if (sa_stream_init(&file->stream, file->watched ? engine->nothing : engine->sources[source].format,
                       engine->config->sources[source].line_limit, on_response, file) < 0) {
        free(file);
        return NULL;
    }
    file->stream.lost_fn = on_lost_line;
    (void)sa_units_timezone(engine->config->sources[source].timezone, &file->stream.peeler.stamps.zone_fixed,
                            &file->stream.peeler.stamps.zone_ms);
    if (file->watched)
        return file;
    file->next = engine->sources[source].streams;
    engine->sources[source].streams = file;
    return file;
}

size_t
sa_engine_feed(struct sa_engine *engine, void *stream, const char *buf, size_t len, bool late)
{
    struct file_stream *file = stream;
    uint64_t lines = file->stream.counts.lines, limited = file->stream.counts.match_limit;

    engine->now = sa_clock_now();
    engine->late = late;
    sa_stream_feed(&file->stream, buf, len, engine->now.wall_ms);
    engine->sources[file->source].gave_up |= file->stream.counts.match_limit != limited;
    engine->sources[file->source].changed = true;
    if (file->stream.counts.lines != lines && !file->watched)
        engine->sources[file->source].last_line_ms = engine->now.wall_ms;
    return sa_stream_held(&file->stream);
}

void
sa_engine_hole(struct sa_engine *engine, void *stream, int64_t len)
{
    struct file_stream *file = stream;

    sa_stream_hole(&file->stream, (uint64_t)len);
    engine->sources[file->source].changed = true;
}

struct sa_stream *
sa_engine_stream(void *stream)
{
    return &((struct file_stream *)stream)->stream;
}

void
sa_engine_restart(struct sa_engine *engine, void *stream)
{
    struct file_stream *file = stream;

    engine->sources[file->source].changed = true;
    sa_stream_reset(&file->stream);
}

void
sa_engine_add_counts(struct sa_stream_counts *sum, const struct sa_stream_counts *counts)
{
    sum->lines += counts->lines;
    sum->bytes += counts->bytes;
    sum->responses += counts->responses;
    sum->matched += counts->matched;
    sum->unmatched += counts->unmatched;
    sum->oversize += counts->oversize;
    sum->match_limit += counts->match_limit;
    sum->nul_bytes += counts->nul_bytes;
    sum->partial_dropped += counts->partial_dropped;
}

void
sa_engine_close(struct sa_engine *engine, void *stream)
{
    struct file_stream *file = stream;

    engine->now = sa_clock_now();
    engine->late = false;
    sa_stream_break(&file->stream);
    engine->sources[file->source].changed = true;
    if (!file->watched)
        sa_engine_add_counts(&engine->sources[file->source].closed, &file->stream.counts);
    for (struct file_stream **at = &engine->sources[file->source].streams; *at != NULL; at = &(*at)->next)
        if (*at == file) {
            *at = file->next;
            break;
        }
    sa_stream_done(&file->stream);
    free(file);
}

struct sa_stream_counts
sa_engine_counts(const struct sa_engine *engine, unsigned source)
{
    struct sa_stream_counts sum = engine->sources[source].closed;

    for (const struct file_stream *file = engine->sources[source].streams; file != NULL; file = file->next)
        sa_engine_add_counts(&sum, &file->stream.counts);
    sum.responses = engine->sources[source].tally->responses; /* what counts, not what was logged again */
    return sum;
}

uint64_t
sa_engine_forgotten(const struct sa_engine *engine, unsigned source)
{
    const struct sa_recent *recent = engine->sources[source].recent;

    return recent == NULL ? 0 : sa_recent_forgotten(recent);
}

uint64_t
sa_engine_held(const struct sa_engine *engine, unsigned source)
{
    uint64_t held = 0;

    for (const struct file_stream *file = engine->sources[source].streams; file != NULL; file = file->next)
        held += sa_stream_held(&file->stream);
    return held;
}

void
sa_engine_status(const struct sa_engine *engine, unsigned source, struct sa_follow_status *status)
{
    if (engine->sources[source].def->kind == SA_SOURCE_FILE)
        sa_follower_status(engine->follower, source, status);
    else
        *status = engine->sources[source].intake;
}

void
sa_engine_lost(struct sa_engine *engine, unsigned source, uint64_t lines, const char *why)
{
    char text[SA_TEXT_SIZE];

    engine->sources[source].undercount += lines;
    engine->sources[source].changed = true;
    (void)sa_text_format(text, sizeof text, _("%llu log lines of source %s were lost so far: %s"),
                         (unsigned long long)engine->sources[source].undercount, engine->names[source], why);
    sa_faults_event(engine->faults, SA_FAULT_UNDERCOUNT, source, lines, text, 0, UNDERCOUNT_MS,
                    sa_clock_now().mono_ms);
    engine->limit_crossed = true;
}

struct sa_stream_counts
sa_engine_totals(const struct sa_engine *engine)
{
    struct sa_stream_counts sum = engine->absent;

    for (unsigned i = 0; i < engine->config->n_sources; i++) {
        struct sa_stream_counts counts = sa_engine_counts(engine, i);

        sa_engine_add_counts(&sum, &counts);
    }
    return sum;
}

static void
on_verdict(void *arg, const struct sa_verdict *verdict)
{
    struct sa_engine *engine = arg;
    struct sa_alarm_event event;

    if (sa_alarms_apply(engine->alarms, verdict, engine->now.wall_ms, &event) <= 0)
        return;
    sa_outbox_push(engine->outbox, &event, engine->sinks);
    engine->alarms_changed = true;
}

static void
on_fault(void *arg, const struct sa_fault *fault)
{
    struct sa_engine *engine = arg;
    struct sa_alarm_event event;

    if (sa_alarms_fault(engine->alarms, fault, engine->now.wall_ms, &event) <= 0)
        return;
    sa_outbox_push(engine->outbox, &event, engine->sinks);
    engine->alarms_changed = true;
}

bool
sa_engine_judge(struct sa_engine *engine)
{
    bool pending;

    engine->now = sa_clock_now();
    engine->limit_crossed = false;
    pending = sa_faults_evaluate(engine->faults, engine->now.mono_ms, on_fault, engine);
    return sa_rules_evaluate(engine->rules, engine->now.mono_ms, on_verdict, engine) || pending;
}

int
sa_engine_change_rules(struct sa_engine *engine, struct sa_config *fresh)
{
    struct sa_config *config = engine->config;
    struct sa_rules *rules = make_rules(engine, fresh->rules, fresh->n_rules);
    struct sa_rule_def *old_defs = config->rules;
    unsigned n_old_defs = config->n_rules;

    if (rules == NULL || sa_outbox_reserve(engine->outbox, outbox_room(rules)) < 0) {
        (void)sa_rules_free(rules);
        return -ENOMEM;
    }
    engine->now = sa_clock_now();
    sa_rules_adopt(rules, engine->rules, engine->now.mono_ms, on_verdict, engine);
    (void)sa_rules_free(engine->rules);
    engine->rules = rules;
    engine->config_ms = engine->now.wall_ms;
    config->rules = fresh->rules;
    config->n_rules = fresh->n_rules;
    fresh->rules = old_defs;
    fresh->n_rules = n_old_defs;
    return 0;
}
