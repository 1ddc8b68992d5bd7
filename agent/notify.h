/*
 * Notifications on their way out: every event goes to every channel (the AgentX master, receivers of our own)
 * and is reported once all of them have taken it.  A channel has at most SA_NOTIFY_WINDOW unanswered
 * notifications; one that does not answer is probed with its oldest event at growing intervals, and gets
 * everything unanswered again, with the same sequence numbers, when it is back.  SNMP thread only.
 */
#ifndef SA_NOTIFY_H
#define SA_NOTIFY_H

#include "agent.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#define SA_NOTIFY_WINDOW 16

struct sa_notify;

/* reports: where outcomes are posted. */
struct sa_notify *sa_notify_new(const struct sa_agent_def *def, struct sa_mailbox *reports);
struct sa_notify *sa_notify_free(struct sa_notify *notify);

/* Whether another event may be added; if not, it has to wait where it is. */
bool sa_notify_has_room(struct sa_notify *notify);
void sa_notify_add(struct sa_notify *notify, const struct sa_alarm_event *event);

/* Sends what can be sent now. */
void sa_notify_pump(struct sa_notify *notify);

/* The AgentX session came up, or (NULL) went down. */
void sa_notify_link(struct sa_notify *notify, netsnmp_session *session);

#endif
