/*
 * Notifications on their way out, whoever sends them: every event goes to every channel and is reported once
 * all of them have taken it.  A channel has at most SA_NOTIFY_WINDOW unanswered notifications; one that does
 * not answer is stalled: it is probed with its oldest event at growing intervals, and gets everything
 * unanswered again, with the same sequence numbers, when it is back.  Pure; one thread.
 */
#ifndef SA_NOTIFY_H
#define SA_NOTIFY_H

#include "agent.h"

#define SA_NOTIFY_WINDOW       16
#define SA_NOTIFY_ROOM         256
#define SA_NOTIFY_CHANNELS     SA_AGENT_RECEIVERS
#define SA_NOTIFY_PROBE_MIN_MS 5000
#define SA_NOTIFY_PROBE_MAX_MS 60000

struct sa_notify;

/* reports: where the outcomes (struct sa_agent_report) are posted.  NULL: out of memory. */
struct sa_notify *sa_notify_new(unsigned n_channels, struct sa_mailbox *reports);
struct sa_notify *sa_notify_free(struct sa_notify *notify);

/* Whether another event may be added; if not, it has to wait where it is. */
bool sa_notify_has_room(struct sa_notify *notify);
void sa_notify_add(struct sa_notify *notify, const struct sa_alarm_event *event);

/* Reports again what did not fit into the mailbox. */
void sa_notify_flush(struct sa_notify *notify);

/* The event that the channel should send now, or NULL. */
const struct sa_alarm_event *sa_notify_next(struct sa_notify *notify, unsigned channel, int64_t now_ms);

/* When the channel has an event to send although nothing happens until then; INT64_MAX: never. */
int64_t sa_notify_due_ms(struct sa_notify *notify, unsigned channel);

/* Whether the channel waits for answers. */
bool sa_notify_in_flight(const struct sa_notify *notify, unsigned channel);

/* The event was sent, and its fate is awaited. */
void sa_notify_sent(struct sa_notify *notify, unsigned channel, uint32_t sequence);

/* Its receiver took it over: true if the channel was stalled until now. */
bool sa_notify_answered(struct sa_notify *notify, unsigned channel, uint32_t sequence);

/* It was not answered, so it will be sent again: true if the channel is stalled from now on. */
bool sa_notify_unanswered(struct sa_notify *notify, unsigned channel, uint32_t sequence, int64_t now_ms);

/* The channel cannot be used at the moment, apart from any event: true if it is stalled from now on. */
bool sa_notify_stall(struct sa_notify *notify, unsigned channel, int64_t now_ms);

/* It can be used (again): true if it was stalled until now. */
bool sa_notify_unstall(struct sa_notify *notify, unsigned channel);

/* A stalled channel is probed now: there is reason to hope. */
void sa_notify_hurry(struct sa_notify *notify, unsigned channel, int64_t now_ms);

/* The session is gone, and no answers will come through it. */
void sa_notify_forget(struct sa_notify *notify, unsigned channel);

#endif
