#include "earlier_life.h"
#include "clock.h"
#include "database.h"
#include "log.h"
#include "persist.h"
#include "present.h"
#include "scribe.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIFE_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);             \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#define STREAMS 4 /* ids 1 to 4 may have been in the middle of a message */

static const char lines[] =
    "Nov 20 16:46:53 sbc01 kamailio[33]: INFO: <script>: [a@b] 302 Moved from 192.0.2.1:5060 "
    "method INVITE\n"
    "SIP/2.0 302 Moved Temporarily\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    "Call-ID: a@b\r\n"
    "CSeq: 1 INVITE\r\n"
    "From: <sip:a@example.net>;tag=1\r\n"
    "Content-Length: 0\r\n"
    "\r\n"
    "-----------------------\n"
    "received 430 bytes\n"
    "recv 584 bytes from udp/[192.0.2.5]:5090 at 12:30:57.916812:\n"
    "\n"
    "Nov 20 16:46:54 sbc01 kamailio[33]: INFO: <script>: nothing\n";

static void
write_file(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "we");

    LIFE_CHECK(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

void
sa_life_prepare(const char *directory)
{
    struct sa_database *database;
    char path[512], text[SA_DATABASE_TEXT];

    (void)snprintf(path, sizeof path, "%s/proxy.log", directory);
    write_file(path, lines, sizeof lines - 1);
    (void)snprintf(path, sizeof path, "%s/state.db", directory);
    LIFE_CHECK(sa_database_open(path, SA_DATABASE_WRITE, &database, text) == 0);
    (void)sa_database_close(database);
}

static struct sa_config *
load_config(const char *directory)
{
    static struct sa_config_errors errors;
    struct sa_config *config = NULL;
    char path[64], text[2048];
    int fd = memfd_create("config", MFD_CLOEXEC), n;

    n = snprintf(
        text, sizeof text,
        "node = \"edge1\" state_dir = \"%s\" control = \"%s/control\"\n"
        "source \"edge\" { file = \"%s/proxy.log\" watch = \"%s/syslog\" count = \"transactions\" }\n"
        "source \"core\" { file = \"%s/core.log\" }\n"
        "snmp { mode = \"off\" }\n",
        directory, directory, directory, directory, directory);
    LIFE_CHECK(fd >= 0 && write(fd, text, (size_t)n) == n);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (sa_config_load(path, &config, &errors) < 0)
        (void)fprintf(stderr, "%s", errors.text);
    LIFE_CHECK(config != NULL);
    (void)close(fd);
    return config;
}

static void *
on_opened(void *arg, unsigned source, int64_t id, bool resumed)
{
    void *stream = sa_engine_open(arg, source);

    if (stream != NULL && resumed)
        sa_persist_resume(arg, id, stream);
    return stream;
}

static size_t
on_bytes(void *arg, void *stream, const char *buf, size_t len, bool late)
{
    return sa_engine_feed(arg, stream, buf, len, late);
}

static void
on_hole(void *arg, void *stream, int64_t len)
{
    sa_engine_hole(arg, stream, len);
}

static void
on_truncated(void *arg, void *stream)
{
    sa_engine_restart(arg, stream);
}

static void
on_closed(void *arg, void *stream)
{
    sa_engine_close(arg, stream);
}

static void
on_state(void *arg, unsigned source)
{
    (void)arg;
    (void)source;
}

static void
on_note(void *arg, unsigned source, const char *text)
{
    (void)arg;
    (void)source;
    (void)text;
}

static void
on_read_some(void *arg)
{
    (void)arg;
}

static void
open_follower(struct sa_life *life)
{
    static const struct sa_follow_events events = {on_opened, on_bytes, on_hole, on_truncated,
                                                   on_closed, on_state, on_note, on_read_some};
    struct sa_engine *engine = &life->engine;

    engine->follower = sa_follower_new(life->loop, &events, engine);
    LIFE_CHECK(engine->follower != NULL);
    for (unsigned i = 0; i < engine->config->n_sources + engine->n_watches; i++) {
        const struct sa_source_def *def = &engine->config->sources[sa_engine_owner(engine, i)];
        const struct sa_follow_options options = {
            .globs = i < engine->config->n_sources ? def->files : def->watch,
            .olddir = "",
            .known = engine->sources[sa_engine_owner(engine, i)].known,
            .looked_ms = engine->last_alive_ms,
            .rotate_wait_ms = 1000,
            .backfill_max_age_ms = INT64_C(604800000),
            .backfill_max_bytes = 1 << 20,
        };

        LIFE_CHECK(sa_follower_add(engine->follower, &options) >= 0);
    }
}

static char said[512]; /* the line of the log about rows that were left out */

static void
on_line(int priority, const char *line)
{
    (void)priority;
    if (strstr(line, "were dropped") != NULL)
        (void)sa_text_copy(said, sizeof said, line);
}

static void
begin(struct sa_life *life, const char *directory)
{
    char error[SA_PATTERN_ERROR_SIZE];

    *life = (struct sa_life){.config = load_config(directory)};
    said[0] = '\0';
    sa_log_set_writer(on_line);
    LIFE_CHECK(sa_store_open(directory, &life->store, &life->found, life->text) == 0);
    LIFE_CHECK(life->found == SA_STORE_KEPT || life->found == SA_STORE_NEW);
    life->loop = sa_loop_new();
    LIFE_CHECK(life->loop != NULL);
    LIFE_CHECK(sa_engine_init(&life->engine, life->config, SA_SINK_MASTER | SA_SINK_SYSLOG,
                              sa_clock_now().wall_ms, error) == 0);
    LIFE_CHECK(sa_persist_load(&life->engine, life->store) == 0);
    open_follower(life);
    LIFE_CHECK(sa_persist_load_positions(&life->engine, life->store) == 0);
    (void)sa_text_copy(life->said, sizeof life->said, said);
}

/* Streams that were in the middle of a message read on, each from every kind of source. */
static void
read_on(struct sa_engine *engine)
{
    for (unsigned source = 0; source < engine->config->n_sources; source++)
        for (int64_t id = 1; id <= STREAMS; id++) {
            void *stream = sa_engine_open(engine, source);

            LIFE_CHECK(stream != NULL);
            sa_persist_resume(engine, id, stream);
            (void)sa_engine_feed(engine, stream, lines, sizeof lines - 1, false);
            sa_engine_close(engine, stream);
        }
}

static void
show(struct sa_life *life)
{
    static const struct sa_agent_state agent;
    char line[SA_SCRIBE_LINE];
    json_t *status = sa_present_status(&life->engine, "off", &agent);
    struct sa_snapshot *snapshot = sa_present_snapshot(&life->engine);
    char *text = status == NULL ? NULL : json_dumps(status, 0);
    const struct sa_alarm_event *event;
    const struct sa_alarm *active;
    unsigned n;

    LIFE_CHECK(text != NULL && snapshot != NULL);
    free(text);
    json_decref(status);
    (void)sa_snapshot_free(snapshot);
    while ((event = sa_outbox_next(life->engine.outbox, SA_SINK_SYSLOG)) != NULL) {
        (void)sa_scribe_format(event, line);
        sa_outbox_handed(life->engine.outbox, SA_SINK_SYSLOG, event->sequence);
    }
    active = sa_alarms_active(life->engine.alarms, &n);
    for (unsigned i = 0; i < n; i++)
        if (active[i].kind == SA_KIND_STATE_LOST)
            (void)sa_text_copy(life->fault, sizeof life->fault, active[i].text);
}

static void
save(struct sa_life *life)
{
    struct sa_store_outcome outcome;
    struct sa_batch batch = {0}, whole = {0};

    sa_persist_save(&life->engine, false, &batch);
    LIFE_CHECK(!batch.buffer.failed);
    LIFE_CHECK(sa_store_start(life->store) == 0);
    sa_store_commit(life->store, &batch, false);
    LIFE_CHECK(sa_store_outcome(life->store, &outcome, 20000));
    if (outcome.error != 0)
        (void)fprintf(stderr, "%s\n", outcome.text);
    LIFE_CHECK(outcome.error == 0);
    sa_persist_save(&life->engine, true, &whole);
    LIFE_CHECK(!whole.buffer.failed);
    sa_batch_done(&whole);
}

static void
end(struct sa_life *life)
{
    (void)sa_follower_free(life->engine.follower);
    life->engine.follower = NULL;
    sa_engine_done(&life->engine);
    (void)sa_loop_free(life->loop);
    LIFE_CHECK(sa_store_close(life->store, 20000));
    (void)sa_config_free(life->config);
}

static void
on_time(void *arg)
{
    sa_loop_stop(arg);
}

/* What is ready is done: above all the log is read. */
static void
run_loop(struct sa_loop *loop)
{
    struct sa_watch *timer = sa_loop_timer(loop, on_time, loop);

    LIFE_CHECK(timer != NULL);
    sa_watch_arm(timer, 1);
    LIFE_CHECK(sa_loop_run(loop) == 0);
    (void)sa_watch_free(timer);
}

static void
live(struct sa_life *life)
{
    read_on(&life->engine);
    sa_follower_start(life->engine.follower);
    sa_persist_done(&life->engine);
    run_loop(life->loop);
    (void)sa_engine_judge(&life->engine);
    show(life);
}

void
sa_life_go_on(struct sa_life *life, const char *directory)
{
    struct sa_life next;

    begin(life, directory);
    live(life);
    save(life);
    end(life);
    begin(&next, directory);
    if (said[0] != '\0')
        (void)fprintf(stderr, "the second time: %s\n", said);
    LIFE_CHECK(said[0] == '\0');
    live(&next);
    end(&next);
}
