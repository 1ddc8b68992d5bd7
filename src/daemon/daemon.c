#include "daemon.h"
#include "clock.h"
#include "commands.h"
#include "lang.h"
#include "log.h"
#include "present.h"
#include "recent.h"
#include "scribe.h"
#include "sdnotify.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SNMP_STOP_MS  600 /* of each thread; together well below the 3 s that SIGTERM may take */
#define TEXT_STOP_MS  600
#define SAVE_STOP_MS  600
#define LOOK_MS       5000
#define SAVE_START_MS 5000 /* the first positions are saved before anybody is answered */

static void
show_status(struct sa_daemon *daemon)
{
    struct sa_core_view view = sa_core_view(daemon->core);
    struct sa_agent_state agent;
    char text[256];

    sa_agent_state(daemon->agent, &agent);
    (void)snprintf(text, sizeof text, "%u sources, %" PRIu64 " responses, %u alarms, snmp %s %s",
                   daemon->config->n_sources, sa_tally_responses(view.tally), view.n_alarms,
                   sa_daemon_snmp_mode(daemon), agent.connected ? "connected" : "not connected");
    sa_sdnotify_status(text);
}

/* What auto took a source for, when it has found out or changed its mind. */
static void
tell_format(const struct sa_core_source *source, struct told *told)
{
    const char *chosen = sa_format_chosen(source->format);

    if (chosen[0] == '\0' || strcmp(chosen, told->format) == 0)
        return;
    (void)sa_text_copy(told->format, sizeof told->format, chosen);
    sa_log(LOG_NOTICE, "format", "source %s: the log is read as %s", source->def->name, chosen);
}

static void
tell_forgotten(const struct sa_core_source *source, struct told *told)
{
    if (source->forgotten == told->forgotten)
        return;
    told->forgotten = source->forgotten;
    sa_log(LOG_WARNING, "count",
           "source %s: more than %d responses within 32 s, %" PRIu64
           " were forgotten; what is sent again of them counts again",
           source->def->name, SA_RECENT_MAX, source->forgotten);
}

/* Once: how often is in the status. */
static void
tell_gave_up(const struct sa_core_source *source, struct told *told)
{
    if (!source->gave_up || told->gave_up)
        return;
    told->gave_up = true;
    sa_log(LOG_WARNING, "count",
           "source %s: a line has more ways to match its format than are tried, it counts as unmatched; "
           "match_limit in the status says how many such lines come",
           source->def->name);
}

static void
on_publish(void *arg)
{
    struct sa_daemon *daemon = arg;
    struct sa_snapshot *snapshot =
        daemon->agent == NULL ? NULL : sa_present_snapshot(daemon->core, daemon->sources);

    if (snapshot != NULL) {
        sa_board_publish(daemon->board, snapshot);
        sa_agent_wake(daemon->agent, SA_AGENT_MASTER);
    }
    show_status(daemon);
    for (unsigned i = 0; i < daemon->config->n_sources; i++) {
        struct sa_core_source source = sa_core_source(daemon->core, i);

        tell_format(&source, &daemon->told[i]);
        tell_forgotten(&source, &daemon->told[i]);
        tell_gave_up(&source, &daemon->told[i]);
    }
}

static void
on_judge(void *arg)
{
    sa_daemon_judge(arg);
}

static void
on_source_state(void *arg, unsigned source)
{
    struct sa_daemon *daemon = arg;

    (void)source;
    if (daemon->keeper != NULL)
        sa_keeper_soon(daemon->keeper);
    sa_daemon_judge_soon(daemon);
    sa_daemon_publish_soon(daemon);
}

static void
on_read_some(void *arg)
{
    struct sa_daemon *daemon = arg;

    if (sa_core_is_due(daemon->core))
        sa_daemon_judge(daemon);
    else
        sa_daemon_publish_soon(daemon);
    sa_keeper_soon(daemon->keeper);
}

static void
on_saved(void *arg, int error, const char *text)
{
    struct sa_daemon *daemon = arg;
    char shown[SA_STORE_TEXT + 64];

    (void)snprintf(shown, sizeof shown, _("The state cannot be saved: %s"), text == NULL ? "" : text);
    sa_core_set_saving(daemon->core, text == NULL, shown, error, sa_clock_now());
    sa_watch_arm(daemon->judge, 0);
    if (text != NULL)
        sa_log(LOG_ERR, "store", "the state cannot be saved: %s, going on without and trying again", text);
    else
        sa_log(LOG_NOTICE, "store", "the state is saved again");
}

static void
take_reports(struct sa_daemon *daemon, enum sa_agent_way way)
{
    struct sa_mailbox *reports = sa_agent_reports(daemon->agent, way);
    struct sa_outbox *outbox = sa_core_outbox(daemon->core);
    struct sa_agent_report report;

    sa_mailbox_acknowledge(reports);
    while (sa_mailbox_take(reports, &report)) {
        if (report.outcome == SA_AGENT_TAKEN)
            sa_outbox_taken(outbox, report.sequence);
        else if (report.outcome != SA_AGENT_LINK)
            sa_outbox_finished(outbox, sa_daemon_sink(way), report.sequence, report.outcome == SA_AGENT_DONE);
    }
    sa_agent_wake(daemon->agent, way);
}

static void
on_reports(struct sa_daemon *daemon, enum sa_agent_way way)
{
    take_reports(daemon, way);
    sa_daemon_deliver(daemon);
    sa_daemon_publish_soon(daemon);
    sa_keeper_soon(daemon->keeper);
}

static void
on_master_reports(void *arg)
{
    on_reports(arg, SA_AGENT_MASTER);
}

static void
on_own_reports(void *arg)
{
    on_reports(arg, SA_AGENT_OWN);
}

static void
on_watchdog(void *arg)
{
    struct sa_daemon *daemon = arg;

    sa_sdnotify_watchdog();
    sa_watch_arm(daemon->watchdog, daemon->watchdog_ms);
}

/* What others may have taken away from us, and nothing tells; and what is told together. */
static void
on_look(void *arg)
{
    struct sa_daemon *daemon = arg;
    int r = sa_control_look(daemon->control);

    if (r > 0)
        sa_log(LOG_WARNING, "control", "the control socket %s was gone and is made anew",
               daemon->config->control);
    else if (r < 0)
        sa_log(LOG_ERR, "control", "cannot make the control socket %s anew: %s, trying again",
               daemon->config->control, strerror(-r));
    sa_daemon_tell_refusals(daemon);
    sa_watch_arm(daemon->look, LOOK_MS);
}

static void
on_terminate(void *arg)
{
    struct sa_daemon *daemon = arg;

    sa_sdnotify_stopping();
    sa_loop_stop(daemon->loop);
}

static void
on_hangup(void *arg)
{
    char text[SA_PROTOCOL_ERROR];

    (void)sa_daemon_reload(arg, text, sizeof text);
}

static void
dump_source(const struct sa_daemon *daemon, unsigned number)
{
    struct sa_core_source source = sa_core_source(daemon->core, number);
    const struct sa_stream_counts *counts = &source.counts;
    struct sa_source_status status;

    sa_sources_status(daemon->sources, number, &status);
    sa_log(LOG_INFO, "dump",
           "source %s: %s, %u files, %" PRIu64 " lines, %" PRIu64 " responses, %" PRIu64
           " unmatched, %" PRIu64 " oversize, %" PRIu64 " at the match limit, %" PRIu64 " bytes behind",
           source.def->name, sa_source_state_name(status.state), status.n_files, counts->lines,
           counts->responses, counts->unmatched, counts->oversize, counts->match_limit, status.backlog_bytes);
}

static void
on_dump(void *arg)
{
    struct sa_daemon *daemon = arg;
    const struct sa_outbox *outbox = sa_core_outbox(daemon->core);
    struct sa_agent_state agent;

    sa_agent_state(daemon->agent, &agent);
    for (unsigned i = 0; i < daemon->config->n_sources; i++)
        dump_source(daemon, i);
    sa_log(LOG_INFO, "dump",
           "notifications: %" PRIu64 " sent, %u queued, %" PRIu64 " suppressed; snmp %s%s%s",
           sa_outbox_sent(outbox), sa_outbox_queued(outbox, SA_SINK_SNMP), sa_outbox_suppressed(outbox),
           agent.connected ? "connected" : "not connected", agent.text[0] != '\0' ? ": " : "", agent.text);
}

static void
on_ignored(void *arg)
{
    (void)arg;
}

/* Every followed file takes a descriptor; what the system allows beyond its cautious default is used. */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void
tell_privacy(const struct sa_daemon *daemon)
{
    unsigned mode;
    enum sa_store_privacy privacy = sa_store_privacy(daemon->store, &mode);

    if (privacy == SA_STORE_CLOSED)
        sa_log(LOG_NOTICE, "store",
               "the state directory %s was open to others (mode %04o) and is closed to them now",
               daemon->config->state_dir, mode);
    else if (privacy == SA_STORE_OPEN)
        sa_log(
            LOG_WARNING, "store",
            "the state directory %s is open to others (mode %04o) and is not ours to close: its owner should "
            "chmod 700 it",
            daemon->config->state_dir, mode);
}

static int
open_store(struct sa_daemon *daemon)
{
    char *text = daemon->found_text;
    int r = sa_store_open(daemon->config->state_dir, &daemon->store, &daemon->found, text);

    if (r == -EBUSY)
        sa_log(LOG_ERR, "store", "another daemon uses %s, not starting", daemon->config->state_dir);
    else if (r == -EPROTO)
        sa_log(LOG_ERR, "store", "%s, not starting: install the version that wrote it, or move the file away",
               text);
    else if (r < 0)
        sa_log(LOG_ERR, "store", "cannot start: %s", strerror(-r));
    else if (daemon->found == SA_STORE_DAMAGED)
        sa_log(LOG_ERR, "store", "the state was damaged, %s; counting starts anew", text);
    else if (daemon->found == SA_STORE_UNUSABLE || daemon->found == SA_STORE_READ_ONLY)
        sa_log(LOG_ERR, "store", "cannot use state directory: %s, going on without saving and trying again",
               text);
    if (r == 0)
        tell_privacy(daemon);
    return r;
}

static int
open_keeper(struct sa_daemon *daemon)
{
    int r = sa_store_start(daemon->store);

    if (r < 0)
        return r;
    if (daemon->found == SA_STORE_DAMAGED) {
        char text[SA_STORE_TEXT + 64];

        (void)snprintf(text, sizeof text, _("The saved state was damaged, %s; counters began anew"),
                       daemon->found_text);
        sa_core_state_lost(daemon->core, 0, text, -EUCLEAN, SA_STATE_LOST_MS, sa_clock_now());
    }
    daemon->keeper = sa_keeper_new(daemon->loop, &daemon->state, daemon->store,
                                   daemon->found != SA_STORE_KEPT, on_saved, daemon);
    return daemon->keeper == NULL ? -ENOMEM : 0;
}

static int
open_control(struct sa_daemon *daemon)
{
    int r =
        sa_control_open(daemon->loop, daemon->config->control, sa_daemon_command, daemon, &daemon->control);

    if (r == -EADDRINUSE)
        sa_log(LOG_ERR, "main", "another daemon answers at %s, not starting", daemon->config->control);
    else if (r < 0)
        sa_log(LOG_ERR, "main", "cannot make the control socket %s: %s", daemon->config->control,
               strerror(-r));
    return r;
}

static int
open_signals(struct sa_daemon *daemon)
{
    static const struct {
        int number;
        sa_loop_fn fn;
    } wanted[] = {
        {SIGTERM, on_terminate}, {SIGINT, on_terminate}, {SIGHUP, on_hangup},
        {SIGUSR1, on_dump},      {SIGPIPE, on_ignored},
    };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        daemon->signals[i] = sa_loop_signal(daemon->loop, wanted[i].number, wanted[i].fn, daemon);
        if (daemon->signals[i] == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int
watch_reports(struct sa_daemon *daemon)
{
    static const sa_loop_fn on_mail[SA_AGENT_WAYS] = {on_master_reports, on_own_reports};

    for (unsigned way = 0; way < SA_AGENT_WAYS; way++) {
        struct sa_mailbox *reports = sa_agent_reports(daemon->agent, way);

        if (reports == NULL)
            continue;
        daemon->reports[way] = sa_loop_readable(daemon->loop, sa_mailbox_fd(reports), on_mail[way], daemon);
        if (daemon->reports[way] == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int
open_agent(struct sa_daemon *daemon)
{
    const struct sa_config *config = daemon->config;
    static const enum sa_agent_mode modes[] = {SA_AGENT_SUBAGENT, SA_AGENT_STANDALONE, SA_AGENT_NO_AGENT};
    struct sa_agent_def def = {
        .mode = modes[config->snmp.mode],
        .master = config->snmp.master,
        .listen = config->snmp.listen,
        .access = config->snmp.access,
        .receivers = daemon->receivers,
        .n_receivers = config->n_notifies,
    };
    struct sa_snapshot *snapshot;
    int r;

    if (config->snmp.mode == SA_SNMP_OFF && config->n_notifies == 0)
        return 0;
    for (unsigned i = 0; i < config->n_notifies; i++)
        daemon->receivers[i] =
            (struct sa_agent_receiver){config->notifies[i].name, config->notifies[i].address,
                                       config->notifies[i].community, config->notifies[i].inform};
    daemon->board = sa_board_new();
    snapshot = sa_present_snapshot(daemon->core, daemon->sources);
    if (daemon->board == NULL || snapshot == NULL) {
        (void)sa_snapshot_free(snapshot);
        return -ENOMEM;
    }
    sa_board_publish(daemon->board, snapshot);
    r = sa_agent_start(&def, daemon->board, &daemon->agent);
    if (r < 0)
        return r;
    return watch_reports(daemon);
}

static int
open_core(struct sa_daemon *daemon)
{
    char error[SA_PATTERN_ERROR_SIZE];

    daemon->core = sa_core_new(daemon->config, sa_daemon_sinks(daemon), sa_clock_now(), error);
    if (daemon->core == NULL) {
        sa_log(LOG_ERR, "main", "cannot start: %s", error);
        return -EINVAL;
    }
    daemon->state.core = daemon->core;
    return sa_state_load(&daemon->state, daemon->store);
}

static int
open_sources(struct sa_daemon *daemon)
{
    static const struct sa_sources_events events = {on_source_state, on_read_some};
    int r;

    daemon->sources = sa_sources_new(daemon->loop, daemon->core, daemon->config, daemon->state.last_alive_ms,
                                     &events, daemon);
    if (daemon->sources == NULL)
        return -ENOMEM;
    daemon->state.sources = daemon->sources;
    r = sa_state_load_bookmarks(&daemon->state, daemon->store);
    return r < 0 ? r : sa_sources_start(daemon->sources);
}

static int
open_timers(struct sa_daemon *daemon)
{
    daemon->judge = sa_loop_timer(daemon->loop, on_judge, daemon);
    daemon->publish = sa_loop_timer(daemon->loop, on_publish, daemon);
    daemon->watchdog = sa_loop_timer(daemon->loop, on_watchdog, daemon);
    daemon->look = sa_loop_timer(daemon->loop, on_look, daemon);
    daemon->watchdog_ms = sa_sdnotify_watchdog_ms();
    if (daemon->judge == NULL || daemon->publish == NULL || daemon->watchdog == NULL || daemon->look == NULL)
        return -ENOMEM;
    if (daemon->watchdog_ms > 0)
        sa_watch_arm(daemon->watchdog, daemon->watchdog_ms);
    return 0;
}

/* Said once, whatever number of patterns that is. */
static void
tell_interpreted(const struct sa_daemon *daemon)
{
    for (unsigned i = 0; i < daemon->config->n_sources; i++)
        if (sa_format_is_interpreted(sa_core_source(daemon->core, i).format)) {
            sa_log(LOG_NOTICE, "config",
                   "regular expressions are interpreted, which is slower: the system does not let PCRE2 make "
                   "machine code of them (MemoryDenyWriteExecute= in the service)");
            return;
        }
}

static int
start(struct sa_daemon *daemon)
{
    int r;

    raise_descriptor_limit();
    r = open_store(daemon);
    if (r < 0)
        return r;
    daemon->loop = sa_loop_new();
    if (daemon->loop == NULL)
        return -ENOMEM;
    if ((r = open_core(daemon)) < 0 || (r = open_timers(daemon)) < 0 || (r = open_signals(daemon)) < 0 ||
        (r = open_keeper(daemon)) < 0 || (r = open_sources(daemon)) < 0 || (r = open_agent(daemon)) < 0) {
        if (daemon->core != NULL)
            sa_log(LOG_ERR, "main", "cannot start: %s", strerror(-r));
        return r;
    }
    tell_interpreted(daemon);
    sa_keeper_wait(daemon->keeper, SAVE_START_MS);
    r = open_control(daemon); /* last: who gets an answer knows that the first positions are saved */
    if (r == 0)
        sa_watch_arm(daemon->look, LOOK_MS);
    if (r == 0)
        sa_daemon_judge(daemon); /* alarms of an earlier life go on */
    return r;
}

/* False if a thread had to be left behind, so that nothing it may use can be freed. */
static bool
stop(struct sa_daemon *daemon)
{
    bool ended;

    (void)sa_control_close(daemon->control);
    for (unsigned way = 0; way < SA_AGENT_WAYS; way++)
        (void)sa_watch_free(daemon->reports[way]);
    ended = sa_agent_stop(daemon->agent, SNMP_STOP_MS);
    if (!ended)
        sa_log(LOG_WARNING, "main", "the SNMP thread is blocked and is left behind");
    if (daemon->keeper != NULL)
        sa_keeper_wait(daemon->keeper, SAVE_STOP_MS);
    if (daemon->keeper != NULL && !sa_keeper_free(daemon->keeper, SAVE_STOP_MS)) {
        sa_log(LOG_WARNING, "store", "the disk does not answer: what was saved last stands");
        ended = false;
    }
    return ended;
}

static void
release(struct sa_daemon *daemon)
{
    (void)sa_sources_free(daemon->sources);
    for (size_t i = 0; i < sizeof daemon->signals / sizeof daemon->signals[0]; i++)
        (void)sa_watch_free(daemon->signals[i]);
    (void)sa_watch_free(daemon->judge);
    (void)sa_watch_free(daemon->publish);
    (void)sa_watch_free(daemon->watchdog);
    (void)sa_watch_free(daemon->look);
    (void)sa_core_free(daemon->core);
    (void)sa_board_free(daemon->board);
    (void)sa_loop_free(daemon->loop);
    if (daemon->keeper == NULL)
        (void)sa_store_close(daemon->store, 0);
    (void)sa_config_free(daemon->config);
}

static enum sa_scribe_log
own_lines(enum sa_log_to to)
{
    if (to == SA_LOG_TO_AUTO)
        return sa_scribe_choose();
    return to == SA_LOG_TO_SYSLOG ? SA_SCRIBE_SYSLOG : SA_SCRIBE_STDERR;
}

int
sa_daemon_run(struct sa_config *config)
{
    struct sa_daemon daemon = {.config = config};
    bool threads_ended;
    int status = 1;

    if (sa_scribe_start(config->syslog.facility.number, own_lines(config->log)) < 0) {
        sa_log(LOG_ERR, "main", "cannot start the writer thread");
        return 1;
    }
    sa_log_set_writer(sa_scribe_line);
    if (start(&daemon) == 0) {
        sa_log(LOG_NOTICE, "main", "sipalertd " SIPALERT_VERSION " runs: %u sources, %u rules, snmp %s",
               config->n_sources, config->n_rules, sa_daemon_snmp_mode(&daemon));
        sa_sdnotify_ready("running");
        status = sa_loop_run(daemon.loop) == 0 ? 0 : 1;
        sa_log(LOG_NOTICE, "main", "stopping");
    }
    threads_ended = stop(&daemon);
    threads_ended = sa_scribe_stop(TEXT_STOP_MS) && threads_ended;
    if (!threads_ended)
        _exit(status);
    sa_log_set_writer(NULL);
    release(&daemon);
    return status;
}
