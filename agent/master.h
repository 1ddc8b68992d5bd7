/*
 * The AgentX master as it is after the session was opened: asked from time to time whether it is there, and
 * given notifications (agentx-Notify-PDUs, RFC 2741), which it acknowledges and sends on to its own
 * receivers. What a master that hangs has in its socket cannot be called back, so one that said nothing for a
 * second is asked before it is given any.  The session of one that does not answer is ended.  SNMP thread
 * only.
 */
#ifndef SA_MASTER_H
#define SA_MASTER_H

#include "notify.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

struct sa_master;

/* notify: has one channel, 0; it stays the caller's.  NULL: out of memory. */
struct sa_master *sa_master_new(struct sa_notify *notify);
struct sa_master *sa_master_free(struct sa_master *master);

/* The AgentX session came up, or (NULL) went down. */
void sa_master_session(struct sa_master *master, netsnmp_session *session);

/* Sends what can be sent now; returns when there is more to do, INT64_MAX: after something happened. */
int64_t sa_master_turn(struct sa_master *master, int64_t now_ms);

#endif
