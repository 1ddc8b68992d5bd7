/*
 * The running daemon as its own files see it: daemon.c makes it and tells it what happens, commands.c answers
 * for it, and both have the same few things done here.  Main thread.
 */
#ifndef SA_RUNNING_H
#define SA_RUNNING_H

#include "agent.h"
#include "control.h"
#include "keeper.h"
#include "refusals.h"
#include "store.h"

struct sa_daemon {
    struct sa_config *config;
    struct sa_loop *loop;
    struct sa_core *core;
    struct sa_sources *sources;
    struct sa_state state;
    struct told {                  /* of a source, once */
        char format[SA_NAME_SIZE]; /* that auto chose */
        uint64_t forgotten;
        bool gave_up;
    } told[SA_CONFIG_SOURCES];
    struct sa_store *store;
    enum sa_store_found found;
    char found_text[SA_STORE_TEXT];
    struct sa_keeper *keeper;
    struct sa_control *control;
    struct sa_refusals refusals; /* of commands on the control socket */
    struct sa_board *board;
    struct sa_agent *agent; /* NULL: no SNMP at all */
    struct sa_agent_receiver receivers[SA_CONFIG_NOTIFIES];
    struct sa_watch *signals[5], *judge, *publish, *reports[SA_AGENT_WAYS], *watchdog, *look;
    int64_t watchdog_ms;
};

/* "agentx", "standalone" or "off". */
const char *sa_daemon_snmp_mode(const struct sa_daemon *daemon);

/* The sink behind a way out of the agent, as a bit of outbox.h. */
unsigned sa_daemon_sink(enum sa_agent_way way);

/* The sinks that the configuration wants alarm events to go to, as bits of outbox.h. */
unsigned sa_daemon_sinks(const struct sa_daemon *daemon);

/* Hands every event to the sinks that can take it now; the rest stays in the outbox. */
void sa_daemon_deliver(struct sa_daemon *daemon);

/* Judges the rules and does what follows from it. */
void sa_daemon_judge(struct sa_daemon *daemon);

/* The same within a second. */
void sa_daemon_judge_soon(struct sa_daemon *daemon);

/* A change will be in the MIB soon. */
void sa_daemon_publish_soon(struct sa_daemon *daemon);

#endif
