/*
 * The SNMP side of the daemon, seen from outside: a thread that owns net-snmp alone, because its AgentX
 * client blocks.  Values go in through a mailbox and the board, delivery reports come back through a mailbox;
 * nothing here ever makes the caller wait.
 */
#ifndef SA_AGENT_H
#define SA_AGENT_H

#include "alarm.h"
#include "board.h"
#include "mailbox.h"

#define SA_AGENT_RECEIVERS 15 /* of our own, beside the master agent's */

enum sa_agent_mode {
    SA_AGENT_SUBAGENT,   /* AgentX (RFC 2741) subagent of a running snmpd */
    SA_AGENT_STANDALONE, /* an SNMP agent with its own port */
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
    bool notify_master;  /* subagent: the master's receivers get the notifications too */
    const struct sa_agent_receiver *receivers;
    unsigned n_receivers;
};

enum sa_agent_outcome {
    SA_AGENT_LINK,  /* of no event: the link to the master came up or went down */
    SA_AGENT_TAKEN, /* the first receiver has taken it over */
    SA_AGENT_DONE,  /* all receivers have */
    SA_AGENT_LOST   /* it was given up for at least one of them */
};

struct sa_agent_report {
    enum sa_agent_outcome outcome;
    uint32_t sequence;
};

struct sa_agent;

/*
 * Starts the thread; the board must have a snapshot by now.  Returns 0 or negative errno.  An agent that
 * cannot connect yet keeps trying by itself.
 */
int sa_agent_start(const struct sa_agent_def *def, struct sa_board *board, struct sa_agent **ret_agent);

/*
 * Ends the thread, waiting at most timeout_ms.  Returns true if it ended and *agent was freed; false if it is
 * blocked inside net-snmp and was left behind: then the process should leave with _exit(2).
 */
bool sa_agent_stop(struct sa_agent *agent, int timeout_ms);

/* Hands an event over for delivery; 0, or -ENOBUFS if the mailbox is full: offer it again later. */
int sa_agent_post(struct sa_agent *agent, const struct sa_alarm_event *event);

/* Tells the thread that the board has a new snapshot, or that there is room for reports again. */
void sa_agent_wake(struct sa_agent *agent);

/* The mailbox of struct sa_agent_report that the caller takes from; sa_agent_wake() after it was emptied. */
struct sa_mailbox *sa_agent_reports(struct sa_agent *agent);

/* Subagent: the master has accepted us.  Standalone: the ports are open. */
bool sa_agent_connected(const struct sa_agent *agent);

#endif
