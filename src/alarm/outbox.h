/*
 * Alarm events on their way to the sinks.  An event gets its sequence number here and stays until every sink
 * has taken responsibility for it or it had to make room.  Bounded: when the box is full the oldest event is
 * given up and counted as suppressed.  Pure, one thread.
 */
#ifndef SA_OUTBOX_H
#define SA_OUTBOX_H

#include "alarm.h"

#define SA_OUTBOX_ROOM 1024  /* at least */
#define SA_OUTBOX_MAX  10000 /* at most */

/* Sinks, as bits; they are stored. */
enum {
    SA_SINK_MASTER = 1, /* the AgentX master with its receivers */
    SA_SINK_SYSLOG = 2,
    SA_SINK_RECEIVERS = 4, /* of our own */
    SA_SINK_SNMP = SA_SINK_MASTER | SA_SINK_RECEIVERS
};

struct sa_outbox;

/* room: events it can hold, between the two. */
struct sa_outbox *sa_outbox_new(unsigned room);
struct sa_outbox *sa_outbox_free(struct sa_outbox *outbox);

/* Makes room for more.  Returns 0, or -ENOMEM with nothing changed. */
int sa_outbox_reserve(struct sa_outbox *outbox, unsigned room);

/* Queues the event for the sinks and numbers it. */
void sa_outbox_push(struct sa_outbox *outbox, const struct sa_alarm_event *event, unsigned sinks);

/* The oldest event not yet handed to the sink, or NULL. */
const struct sa_alarm_event *sa_outbox_next(const struct sa_outbox *outbox, unsigned sink);

/* The event that next() showed was handed over; its outcome is awaited. */
void sa_outbox_handed(struct sa_outbox *outbox, unsigned sink, uint32_t sequence);

/* A receiver behind an SNMP sink has taken the event; others may still be waited for.  Counts as sent, once.
 */
void sa_outbox_taken(struct sa_outbox *outbox, uint32_t sequence);

/* The sink is through with the event: delivered, or given up.  Counts as suppressed, once. */
void sa_outbox_finished(struct sa_outbox *outbox, unsigned sink, uint32_t sequence, bool delivered);

/* Over a restart.  An event as it is kept: */
struct sa_outbox_entry {
    struct sa_alarm_event event;
    unsigned wanted; /* sinks that have not finished */
    bool taken;      /* counted as sent */
};
struct sa_outbox_numbers {
    uint32_t sequence;
    uint64_t sent, suppressed;
};

/* Calls put for the events that changed since the last call, or for all, and gone for those that left. */
void sa_outbox_keep(struct sa_outbox *outbox, bool all,
                    void (*put)(void *arg, const struct sa_outbox_entry *entry),
                    void (*gone)(void *arg, uint32_t sequence), void *arg);

/* First the numbers, then the events in ascending sequence; what it held is forgotten.  False: the event's
 * number is none that was given, or too old. */
void sa_outbox_recall(struct sa_outbox *outbox, const struct sa_outbox_numbers *numbers);
bool sa_outbox_restore(struct sa_outbox *outbox, const struct sa_outbox_entry *entry);

/* Events that at least one of these sinks still has to finish. */
unsigned sa_outbox_queued(const struct sa_outbox *outbox, unsigned sinks);
uint64_t sa_outbox_sent(const struct sa_outbox *outbox);       /* taken by a receiver behind an SNMP sink */
uint64_t sa_outbox_suppressed(const struct sa_outbox *outbox); /* given up for some receiver */
uint32_t sa_outbox_sequence(const struct sa_outbox *outbox);   /* of the newest event; 0: none yet */

#endif
