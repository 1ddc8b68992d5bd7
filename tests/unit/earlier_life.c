#include "earlier_life.h"
#include "clock.h"
#include "database.h"
#include "log.h"
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

static void
on_state(void *arg, unsigned source)
{
    (void)arg;
    (void)source;
}

static void
on_read_some(void *arg)
{
    (void)arg;
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
    static const struct sa_sources_events events = {on_state, on_read_some};
    char error[SA_PATTERN_ERROR_SIZE];

    *life = (struct sa_life){.config = load_config(directory)};
    said[0] = '\0';
    sa_log_set_writer(on_line);
    LIFE_CHECK(sa_store_open(directory, &life->store, &life->found, life->text) == 0);
    LIFE_CHECK(life->found == SA_STORE_KEPT || life->found == SA_STORE_NEW);
    life->loop = sa_loop_new();
    LIFE_CHECK(life->loop != NULL);
    life->state.core = sa_core_new(life->config, SA_SINK_MASTER | SA_SINK_SYSLOG, sa_clock_now(), error);
    LIFE_CHECK(life->state.core != NULL);
    LIFE_CHECK(sa_state_load(&life->state, life->store) == 0);
    life->state.sources =
        sa_sources_new(life->loop, life->state.core, life->config, life->state.last_alive_ms, &events, life);
    LIFE_CHECK(life->state.sources != NULL);
    LIFE_CHECK(sa_state_load_bookmarks(&life->state, life->store) == 0);
    (void)sa_text_copy(life->said, sizeof life->said, said);
}

/* A stream that was in the middle of a message reads on, from every kind of source. */
static void
on_row(void *arg, enum sa_table table, const void *p)
{
    const struct sa_row_bookmark *row = p;
    struct sa_life *life = arg;

    (void)table;
    for (unsigned source = 0; source < life->config->n_sources; source++) {
        struct sa_core_stream *stream = sa_core_open(life->state.core, source);

        LIFE_CHECK(stream != NULL);
        if (sa_stream_may_recall(row->reader.p, row->reader.len))
            sa_core_recall(stream, row->reader.p, row->reader.len);
        (void)sa_core_feed(stream, lines, sizeof lines - 1, (struct sa_when){sa_clock_now(), false});
        sa_core_close(stream, sa_clock_now());
    }
}

static void
show(struct sa_life *life)
{
    static const struct sa_agent_state agent;
    char line[SA_SCRIBE_LINE];
    json_t *status = sa_present_status(life->state.core, life->state.sources, "off", &agent);
    struct sa_snapshot *snapshot = sa_present_snapshot(life->state.core, life->state.sources);
    char *text = status == NULL ? NULL : json_dumps(status, 0);
    const struct sa_alarm_event *event;
    struct sa_outbox *outbox = sa_core_outbox(life->state.core);
    struct sa_core_view view;

    LIFE_CHECK(text != NULL && snapshot != NULL);
    free(text);
    json_decref(status);
    (void)sa_snapshot_free(snapshot);
    while ((event = sa_outbox_next(outbox, SA_SINK_SYSLOG)) != NULL) {
        (void)sa_scribe_format(event, line);
        sa_outbox_handed(outbox, SA_SINK_SYSLOG, event->sequence);
    }
    view = sa_core_view(life->state.core);
    for (unsigned i = 0; i < view.n_alarms; i++)
        if (view.alarms[i].kind == SA_KIND_STATE_LOST)
            (void)sa_text_copy(life->fault, sizeof life->fault, view.alarms[i].text);
}

static void
save(struct sa_life *life)
{
    struct sa_store_outcome outcome;
    struct sa_batch batch = {0}, whole = {0};

    sa_state_save(&life->state, false, &batch);
    LIFE_CHECK(!batch.buffer.failed);
    LIFE_CHECK(sa_store_start(life->store) == 0);
    sa_store_commit(life->store, &batch, false);
    LIFE_CHECK(sa_store_outcome(life->store, &outcome, 20000));
    if (outcome.error != 0)
        (void)fprintf(stderr, "%s\n", outcome.text);
    LIFE_CHECK(outcome.error == 0);
    sa_state_save(&life->state, true, &whole);
    LIFE_CHECK(!whole.buffer.failed);
    sa_batch_done(&whole);
}

static void
end(struct sa_life *life)
{
    (void)sa_sources_free(life->state.sources);
    (void)sa_core_free(life->state.core);
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
    LIFE_CHECK(sa_store_load(life->store, SA_TABLE_BOOKMARKS, on_row, life) == 0);
    LIFE_CHECK(sa_sources_start(life->state.sources) == 0);
    run_loop(life->loop);
    (void)sa_core_turn(life->state.core, sa_clock_now());
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
