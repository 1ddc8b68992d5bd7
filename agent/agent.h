/*
 * The SNMP side of the daemon, seen from outside: one thread that answers for the MIB, and one for receivers
 * of our own, so that neither waits for what the other waits for.  Values go in through mailboxes and the
 * board, delivery reports come back through mailboxes; nothing here ever makes the caller wait.
 */
#ifndef SA_AGENT_H
#define SA_AGENT_H

#include "alarm.h"
#include "board.h"
#include "mailbox.h"

#define SA_AGENT_RECEIVERS 15 /* of our own, beside the master agent's */

enum sa_agent_mode {
    SA_AGENT_SUBAGENT,   /* AgentX (RFC 2741) subagent of a running snmpd */
    SA_AGENT_STANDALONE, /* an SNMP agent with its own addresses */
    SA_AGENT_NO_AGENT    /* only notifications to receivers of our own */
};

struct sa_agent_receiver {
    const char *name, *address, *community;
    bool inform; /* otherwise a trap */
};

/* All strings stay valid while the agent runs. */
struct sa_agent_def {
    enum sa_agent_mode mode;
    const char *master;  /* subagent: net-snmp address of the master */
    char *const *listen; /* standalone: addresses, ended by NULL */
    const char *access;  /* standalone: file with rocommunity and the like; NULL: nobody may read */
    const struct sa_agent_receiver *receivers;
    unsigned n_receivers;
};

/* The two ways out for alarm events. */
enum sa_agent_way { SA_AGENT_MASTER, SA_AGENT_OWN, SA_AGENT_WAYS };

enum sa_agent_outcome {
    SA_AGENT_LINK,  /* of no event: sa_agent_state() tells something else now */
    SA_AGENT_TAKEN, /* the first receiver has taken it over */
    SA_AGENT_DONE,  /* all receivers have */
    SA_AGENT_LOST   /* it was given up for at least one of them */
};

struct sa_agent_report {
    enum sa_agent_outcome outcome;
    uint32_t sequence;
};

struct sa_agent_state {
    bool connected; /* subagent: the master has accepted us; standalone: all addresses are served */
    char text[256]; /* why not: "ADDRESS: REASON" */
};

struct sa_agent;

/*
 * Starts the threads; the board must have a snapshot by now.  Returns 0 or negative errno.  An agent that
 * cannot connect or listen yet keeps trying by itself.
 */
int sa_agent_start(const struct sa_agent_def *def, struct sa_board *board, struct sa_agent **ret_agent);

/*
 * Ends the threads, waiting at most timeout_ms for each.  Returns true if they ended and *agent was freed;
 * false if one is blocked inside net-snmp and was left behind: then the process should leave with _exit(2).
 */
bool sa_agent_stop(struct sa_agent *agent, int timeout_ms);

/* Hands an event over for delivery; 0, or -ENOBUFS if the mailbox is full (or the way is not in use): offer
 * it again later. */
int sa_agent_post(struct sa_agent *agent, enum sa_agent_way way, const struct sa_alarm_event *event);

/* Tells the thread that there is room for reports again, or (SA_AGENT_MASTER) that the board has a new
 * snapshot. */
void sa_agent_wake(struct sa_agent *agent, enum sa_agent_way way);

/* The mailbox of struct sa_agent_report that the caller takes from; sa_agent_wake() after it was emptied.
 * NULL: the way is not in use. */
struct sa_mailbox *sa_agent_reports(struct sa_agent *agent, enum sa_agent_way way);

void sa_agent_state(const struct sa_agent *agent, struct sa_agent_state *ret_state);

#endif
