/*
 * What answers for the MIB (a command responder, RFC 3413), in a thread of its own: an AgentX subagent or an
 * agent with its own addresses.  Notifications through the AgentX master go out here too, because they are of
 * the same session.  Main thread.
 */
#ifndef SA_RESPONDER_H
#define SA_RESPONDER_H

#include "agent.h"

struct sa_responder;

/* After net-snmp was set up; the board must have a snapshot by now.  NULL: out of memory or descriptors. */
struct sa_responder *sa_responder_new(const struct sa_agent_def *def, struct sa_board *board);

/* Starts the thread, which shuts net-snmp down when it ends; 0 or negative errno. */
int sa_responder_start(struct sa_responder *responder);

/* Ends the thread; false: not in time. */
bool sa_responder_stop(struct sa_responder *responder, int timeout_ms);

/* Only if the thread is not running. */
struct sa_responder *sa_responder_free(struct sa_responder *responder);

struct sa_mailbox *sa_responder_inbox(struct sa_responder *responder);
struct sa_mailbox *sa_responder_reports(struct sa_responder *responder);
void sa_responder_state(struct sa_responder *responder, struct sa_agent_state *ret_state);

#endif
