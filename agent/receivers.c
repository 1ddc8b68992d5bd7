/*
 * net-snmp is not made for threads.  What it allows is its single-session functions, for sessions that are
 * not in its global list; of what they do for SNMPv2c, this is shared with the thread of the agent (5.9.3):
 * snmp_sess_add() and snmp_sess_close() call and walk the list of callbacks, which that thread changes when
 * the AgentX link comes and goes, so all sessions are made before the threads start and closed after they
 * have ended; a receiver that moves gets a new socket in the same session.  snmp_pdu_create() takes numbers
 * from counters without a lock, which AgentX matches answers by, so receiver.c copies a PDU and counts its
 * own.  snmp_sess_select_info2() walks the agent's alarms, so the thread keeps its own time.  What is left is
 * written to by both and read by nobody here: snmp_errno, the text of the last error, statistics, and the
 * numbers of messages (SNMPv3) and transactions (delegated requests).  The list of security modules, the
 * default store and the log handlers are only read once net-snmp is set up.
 */
#include "receivers.h"
#include "clock.h"
#include "log.h"
#include "receiver.h"
#include "thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <pthread.h>

#define INBOX   64
#define REPORTS 1024

struct sa_receivers {
    struct sa_receiver_common common;
    struct sa_receiver *list[SA_AGENT_RECEIVERS];
    unsigned count;
    struct sa_mailbox *inbox, *reports;
    pthread_t thread;
    atomic_bool stop;
};

static bool
open_common(struct sa_receivers *receivers)
{
    struct sa_receiver_common *common = &receivers->common;
    struct sa_time now = sa_clock_now();

    receivers->inbox = sa_mailbox_new(sizeof(struct sa_alarm_event), INBOX);
    receivers->reports = sa_mailbox_new(sizeof(struct sa_agent_report), REPORTS);
    if (receivers->inbox == NULL || receivers->reports == NULL)
        return false;
    common->notify = sa_notify_new(receivers->count, receivers->reports);
    common->resolver = sa_resolver_new(receivers->count);
    netsnmp_large_fd_set_init(&common->readable, FD_SETSIZE);
    common->start_ms = now.mono_ms;
    common->request_id = (long)(now.wall_ms & 0x3fffffff) + 1; /* not those of the life before */
    return common->notify != NULL && common->resolver != NULL;
}

struct sa_receivers *
sa_receivers_new(const struct sa_agent_def *def)
{
    struct sa_receivers *receivers = calloc(1, sizeof *receivers);

    if (receivers == NULL)
        return NULL;
    receivers->count = def->n_receivers < SA_AGENT_RECEIVERS ? def->n_receivers : SA_AGENT_RECEIVERS;
    if (!open_common(receivers))
        return sa_receivers_free(receivers);
    for (unsigned i = 0; i < receivers->count; i++) {
        receivers->list[i] = sa_receiver_new(&receivers->common, i, &def->receivers[i]);
        if (receivers->list[i] == NULL)
            return sa_receivers_free(receivers);
    }
    return receivers;
}

struct sa_receivers *
sa_receivers_free(struct sa_receivers *receivers)
{
    if (receivers == NULL)
        return NULL;
    for (unsigned i = 0; i < receivers->count; i++)
        (void)sa_receiver_free(receivers->list[i]);
    (void)sa_notify_free(receivers->common.notify);
    (void)sa_resolver_free(receivers->common.resolver);
    netsnmp_large_fd_set_cleanup(&receivers->common.readable);
    (void)sa_mailbox_free(receivers->inbox);
    (void)sa_mailbox_free(receivers->reports);
    free(receivers);
    return NULL;
}

static void
take_mail(struct sa_receivers *receivers, int64_t now_ms)
{
    struct sa_notify *notify = receivers->common.notify;
    struct sa_alarm_event event;
    struct sa_resolved answer;

    sa_mailbox_acknowledge(receivers->inbox);
    sa_notify_flush(notify);
    while (sa_notify_has_room(notify) && sa_mailbox_take(receivers->inbox, &event))
        sa_notify_add(notify, &event);
    while (sa_resolver_take(receivers->common.resolver, &answer))
        sa_receiver_resolved(receivers->list[answer.tag], &answer, now_ms);
}

/* Does what can be done now; returns when there is more to do. */
static int64_t
turn(struct sa_receivers *receivers, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;

    for (unsigned i = 0; i < receivers->count; i++) {
        int64_t wanted_ms = sa_receiver_turn(receivers->list[i], now_ms);

        due_ms = wanted_ms < due_ms ? wanted_ms : due_ms;
    }
    return due_ms;
}

static int
timeout_until(int64_t due_ms, int64_t now_ms)
{
    if (due_ms == INT64_MAX)
        return -1;
    return due_ms <= now_ms ? 0 : (int)(due_ms - now_ms < 60000 ? due_ms - now_ms : 60000);
}

static void
wait_and_read(struct sa_receivers *receivers, int timeout_ms)
{
    struct pollfd fds[SA_AGENT_RECEIVERS + 2];
    unsigned n = receivers->count;

    for (unsigned i = 0; i < n; i++)
        fds[i] = sa_receiver_poll(receivers->list[i]);
    fds[n] = (struct pollfd){.fd = sa_mailbox_fd(receivers->inbox), .events = POLLIN};
    fds[n + 1] = (struct pollfd){.fd = sa_resolver_fd(receivers->common.resolver), .events = POLLIN};
    if (poll(fds, n + 2, timeout_ms) <= 0)
        return;
    for (unsigned i = 0; i < n; i++)
        if ((fds[i].events & POLLIN) != 0 && fds[i].revents != 0)
            sa_receiver_read(receivers->list[i]);
}

static void *
run(void *arg)
{
    struct sa_receivers *receivers = arg;

    (void)pthread_setname_np(pthread_self(), "snmp-notify");
    while (!atomic_load(&receivers->stop)) {
        int64_t now_ms = sa_clock_now().mono_ms;

        take_mail(receivers, now_ms);
        wait_and_read(receivers, timeout_until(turn(receivers, now_ms), now_ms));
    }
    return NULL;
}

int
sa_receivers_start(struct sa_receivers *receivers)
{
    return sa_thread_start(&receivers->thread, run, receivers);
}

bool
sa_receivers_stop(struct sa_receivers *receivers, int timeout_ms)
{
    atomic_store(&receivers->stop, true);
    sa_mailbox_wake(receivers->inbox);
    return sa_thread_join(receivers->thread, timeout_ms);
}

struct sa_mailbox *
sa_receivers_inbox(struct sa_receivers *receivers)
{
    return receivers->inbox;
}

struct sa_mailbox *
sa_receivers_reports(struct sa_receivers *receivers)
{
    return receivers->reports;
}
