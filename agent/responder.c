#include "responder.h"
#include "clock.h"
#include "library.h"
#include "listen.h"
#include "log.h"
#include "master.h"
#include "master_link.h"
#include "mib.h"
#include "oids.h"
#include "text.h"
#include "thread.h"

#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/agent/agent_sysORTable.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define INBOX   64
#define REPORTS 1024
#define RETRY_S 5 /* between attempts to connect to the master */
#define AGAIN_S 1 /* the first one after a connection was lost */

int subagent_open_master_session(void); /* of libnetsnmpagent, in a header that is not installed */

static const oid mib_root[] = {SA_OID_ROOT};

struct sa_responder {
    struct sa_agent_def def;
    struct sa_board *board;
    struct sa_mailbox *inbox, *reports;
    struct sa_notify *notify;
    struct sa_master *master;
    struct sa_snmp_listen *listen; /* NULL: a subagent */
    int64_t connect_ms;            /* when to connect to the master the next time */
    char said[128];                /* why that failed, as it was logged last */
    unsigned alarm;                /* net-snmp's, which makes the thread turn at due_ms */
    int64_t due_ms;
    pthread_t thread;
    atomic_bool stop;
    pthread_mutex_t lock; /* of the state */
    struct sa_agent_state state;
};

/* net-snmp frees the client argument of a callback when it shuts down, so callbacks get none and find this.
 */
static struct sa_responder *the_responder;

/* The main thread shows it. */
static void
set_state(struct sa_responder *responder, bool connected, const char *text)
{
    const struct sa_agent_report changed = {.outcome = SA_AGENT_LINK};
    bool other;

    (void)pthread_mutex_lock(&responder->lock);
    other = responder->state.connected != connected || strcmp(responder->state.text, text) != 0;
    responder->state.connected = connected;
    (void)sa_text_copy(responder->state.text, sizeof responder->state.text, text);
    (void)pthread_mutex_unlock(&responder->lock);
    if (other)
        (void)sa_mailbox_post(responder->reports, &changed);
}

void
sa_responder_state(struct sa_responder *responder, struct sa_agent_state *ret_state)
{
    (void)pthread_mutex_lock(&responder->lock);
    *ret_state = responder->state;
    (void)pthread_mutex_unlock(&responder->lock);
}

static int
on_link_up(int major, int minor, void *server_arg, void *client_arg)
{
    struct sa_responder *responder = the_responder;

    (void)major;
    (void)minor;
    (void)client_arg;
    set_state(responder, true, "");
    responder->said[0] = '\0';
    sa_master_session(responder->master, server_arg);
    sa_log(LOG_NOTICE, "snmp", "connected to the master agent at %s", responder->def.master);
    return 0;
}

static int
on_link_down(int major, int minor, void *server_arg, void *client_arg)
{
    struct sa_responder *responder = the_responder;
    char text[sizeof responder->state.text];

    (void)major;
    (void)minor;
    (void)server_arg;
    (void)client_arg;
    sa_master_session(responder->master, NULL);
    responder->connect_ms = sa_clock_now().mono_ms + AGAIN_S * 1000;
    if (!responder->state.connected)
        return 0; /* it went away while it was asked to accept us */
    (void)sa_text_format(text, sizeof text, "%s: the connection was lost", responder->def.master);
    set_state(responder, false, text);
    sa_log(LOG_WARNING, "snmp", "lost the master agent, retrying every %d s; counting goes on", RETRY_S);
    return 0;
}

/* Once per reason. */
static void
say_why_not(struct sa_responder *responder)
{
    const char *reason = sa_master_link_reason()[0] != '\0' ? sa_master_link_reason() : "it does not answer";
    char text[sizeof responder->state.text];

    (void)sa_text_format(text, sizeof text, "%s: %s", responder->def.master, reason);
    set_state(responder, false, text);
    if (strcmp(responder->said, reason) != 0)
        sa_log(LOG_WARNING, "snmp", "cannot connect to the master agent at %s: %s, retrying every %d s",
               responder->def.master, reason, RETRY_S);
    (void)sa_text_copy(responder->said, sizeof responder->said, reason);
}

/*
 * Not left to net-snmp, whose alarms for this try twice as often after each connection that ends while it is
 * made, and ping a master that hangs while everything else waits.  Returns when it has to be tried again.
 */
static int64_t
connect_to_master(struct sa_responder *responder, int64_t now_ms)
{
    if (responder->state.connected)
        return INT64_MAX;
    if (now_ms < responder->connect_ms)
        return responder->connect_ms;
    responder->connect_ms = now_ms + RETRY_S * 1000;
    if (subagent_open_master_session() != 0) {
        say_why_not(responder);
        return responder->connect_ms;
    }
    register_mib_reattach();
    (void)unregister_sysORTable((oid *)(uintptr_t)mib_root, OID_LENGTH(mib_root));
    (void)register_sysORTable((oid *)(uintptr_t)mib_root, OID_LENGTH(mib_root),
                              "SIPALERT-MIB: SIP response counters and alarms");
    return responder->state.connected ? INT64_MAX : responder->connect_ms;
}

/* Something for the turn of the loop. */
static void
on_wake(int fd, void *arg)
{
    struct sa_responder *responder = arg;

    (void)fd;
    sa_mailbox_acknowledge(responder->inbox);
}

static void
on_time(unsigned id, void *arg)
{
    struct sa_responder *responder = arg;

    (void)id; /* it fires once and is gone */
    responder->alarm = 0;
    responder->due_ms = INT64_MAX;
}

/* agent_check_and_process() sleeps until its next alarm. */
static void
wake_at(struct sa_responder *responder, int64_t due_ms, int64_t now_ms)
{
    int64_t left_ms = due_ms <= now_ms ? 1 : due_ms - now_ms;
    const struct timeval left = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};

    if (due_ms == responder->due_ms)
        return;
    if (responder->alarm != 0)
        snmp_alarm_unregister(responder->alarm);
    responder->alarm = due_ms == INT64_MAX ? 0 : snmp_alarm_register_hr(left, 0, on_time, responder);
    responder->due_ms = due_ms;
}

static void
show_newest(struct sa_responder *responder)
{
    struct sa_snapshot *snapshot = sa_board_take(responder->board);

    if (snapshot != NULL)
        sa_mib_show(snapshot);
}

/* Opens the addresses that are due; returns when the next one is. */
static int64_t
listen_on(struct sa_responder *responder, int64_t now_ms)
{
    int64_t due_ms = sa_snmp_listen_turn(responder->listen, now_ms);
    char text[sizeof responder->state.text];
    bool served = sa_snmp_listen_state(responder->listen, text, sizeof text);

    set_state(responder, served, text);
    return due_ms;
}

static void
turn(struct sa_responder *responder)
{
    int64_t now_ms = sa_clock_now().mono_ms, due_ms, master_ms;
    struct sa_alarm_event event;

    show_newest(responder);
    while (sa_notify_has_room(responder->notify) && sa_mailbox_take(responder->inbox, &event))
        sa_notify_add(responder->notify, &event);
    due_ms = responder->listen != NULL ? listen_on(responder, now_ms) : connect_to_master(responder, now_ms);
    now_ms = sa_clock_now().mono_ms; /* connecting takes its time */
    master_ms = sa_master_turn(responder->master, now_ms);
    wake_at(responder, due_ms < master_ms ? due_ms : master_ms, now_ms);
}

static void
begin_agent(struct sa_responder *responder)
{
    char no_smux[] = "-smux"; /* else a master listens for SMUX peers at 0.0.0.0:199 */

    add_to_init_list(no_smux);
    (void)init_master_agent();
    if (responder->def.access != NULL)
        sa_library_read_access(responder->def.access);
    else
        sa_log(LOG_WARNING, "snmp", "no access file is configured, so nobody may read the MIB");
}

static void *
run(void *arg)
{
    struct sa_responder *responder = arg;

    (void)pthread_setname_np(pthread_self(), "snmp");
    if (responder->listen != NULL)
        begin_agent(responder);
    while (!atomic_load(&responder->stop)) {
        turn(responder);
        (void)agent_check_and_process(1);
    }
    (void)unregister_readfd(sa_mailbox_fd(responder->inbox));
    sa_library_shut_down();
    sa_mib_done();
    return NULL;
}

static bool
register_all(struct sa_responder *responder)
{
    if (sa_mib_register() < 0 ||
        register_readfd(sa_mailbox_fd(responder->inbox), on_wake, responder) != FD_REGISTERED_OK)
        return false;
    show_newest(responder);
    if (responder->listen != NULL) /* answers from DNS are taken in the turn, too */
        return register_readfd(sa_snmp_listen_fd(responder->listen), on_wake, responder) == FD_REGISTERED_OK;
    (void)snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_link_up, NULL);
    (void)snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_link_down, NULL);
    return true;
}

struct sa_responder *
sa_responder_new(const struct sa_agent_def *def, struct sa_board *board)
{
    struct sa_responder *responder = calloc(1, sizeof *responder);
    bool standalone = def->mode == SA_AGENT_STANDALONE;

    if (responder == NULL)
        return NULL;
    responder->def = *def;
    responder->board = board;
    responder->due_ms = INT64_MAX;
    (void)pthread_mutex_init(&responder->lock, NULL);
    responder->inbox = sa_mailbox_new(sizeof(struct sa_alarm_event), INBOX);
    responder->reports = sa_mailbox_new(sizeof(struct sa_agent_report), REPORTS);
    responder->notify = responder->reports == NULL ? NULL : sa_notify_new(1, responder->reports);
    responder->master = responder->notify == NULL ? NULL : sa_master_new(responder->notify);
    responder->listen = standalone ? sa_snmp_listen_new(def->listen) : NULL;
    the_responder = responder;
    if (responder->inbox == NULL || responder->master == NULL || (standalone && responder->listen == NULL) ||
        !register_all(responder))
        return sa_responder_free(responder);
    return responder;
}

struct sa_responder *
sa_responder_free(struct sa_responder *responder)
{
    if (responder == NULL)
        return NULL;
    (void)sa_master_free(responder->master);
    (void)sa_notify_free(responder->notify);
    (void)sa_snmp_listen_free(responder->listen);
    (void)sa_mailbox_free(responder->inbox);
    (void)sa_mailbox_free(responder->reports);
    (void)pthread_mutex_destroy(&responder->lock);
    free(responder);
    return NULL;
}

int
sa_responder_start(struct sa_responder *responder)
{
    return sa_thread_start(&responder->thread, run, responder);
}

bool
sa_responder_stop(struct sa_responder *responder, int timeout_ms)
{
    atomic_store(&responder->stop, true);
    sa_mailbox_wake(responder->inbox);
    return sa_thread_join(responder->thread, timeout_ms);
}

struct sa_mailbox *
sa_responder_inbox(struct sa_responder *responder)
{
    return responder->inbox;
}

struct sa_mailbox *
sa_responder_reports(struct sa_responder *responder)
{
    return responder->reports;
}
