/*
 * The receivers of our own in a thread of their own, apart from the AgentX master and the agent: what hangs
 * there does not hold back what goes out here.  Main thread.
 */
#ifndef SA_RECEIVERS_H
#define SA_RECEIVERS_H

#include "agent.h"

struct sa_receivers;

/* Before any thread uses net-snmp, after it was set up.  NULL: out of memory or descriptors. */
struct sa_receivers *sa_receivers_new(const struct sa_agent_def *def);

/* Starts the thread; 0 or negative errno. */
int sa_receivers_start(struct sa_receivers *receivers);

/* Ends the thread; false: not in time. */
bool sa_receivers_stop(struct sa_receivers *receivers, int timeout_ms);

/* After the last thread that uses net-snmp has ended. */
struct sa_receivers *sa_receivers_free(struct sa_receivers *receivers);

struct sa_mailbox *sa_receivers_inbox(struct sa_receivers *receivers);
struct sa_mailbox *sa_receivers_reports(struct sa_receivers *receivers);

#endif
