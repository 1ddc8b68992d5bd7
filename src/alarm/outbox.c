#include "outbox.h"

#include <stdlib.h>

struct entry {
    struct sa_alarm_event event;
    unsigned wanted; /* sinks that have not finished */
    unsigned handed; /* of those, the ones that have the event */
};

struct sa_outbox {
    struct entry *ring; /* SA_OUTBOX_ROOM entries; sequences in it are consecutive */
    unsigned first, count;
    uint32_t sequence;
    uint64_t sent, suppressed;
};

struct sa_outbox *
sa_outbox_new(void)
{
    struct sa_outbox *outbox = calloc(1, sizeof *outbox);

    if (outbox == NULL)
        return NULL;
    outbox->ring = calloc(SA_OUTBOX_ROOM, sizeof *outbox->ring);
    return outbox->ring == NULL ? sa_outbox_free(outbox) : outbox;
}

struct sa_outbox *
sa_outbox_free(struct sa_outbox *outbox)
{
    if (outbox == NULL)
        return NULL;
    free(outbox->ring);
    free(outbox);
    return NULL;
}

static struct entry *
at(const struct sa_outbox *outbox, unsigned i)
{
    return &outbox->ring[(outbox->first + i) % SA_OUTBOX_ROOM];
}

static struct entry *
find(const struct sa_outbox *outbox, uint32_t sequence)
{
    uint32_t oldest = outbox->sequence - outbox->count + 1;

    return outbox->count == 0 || sequence - oldest >= outbox->count ? NULL : at(outbox, sequence - oldest);
}

static void
drop_oldest(struct sa_outbox *outbox)
{
    outbox->first = (outbox->first + 1) % SA_OUTBOX_ROOM;
    outbox->count--;
}

void
sa_outbox_push(struct sa_outbox *outbox, const struct sa_alarm_event *event, unsigned sinks)
{
    struct entry *entry;

    if (outbox->count == SA_OUTBOX_ROOM) {
        outbox->suppressed++;
        drop_oldest(outbox);
    }
    entry = at(outbox, outbox->count++);
    entry->event = *event;
    entry->event.sequence = ++outbox->sequence;
    entry->wanted = sinks;
    entry->handed = 0;
    while (outbox->count > 0 && at(outbox, 0)->wanted == 0)
        drop_oldest(outbox);
}

const struct sa_alarm_event *
sa_outbox_next(const struct sa_outbox *outbox, unsigned sink)
{
    for (unsigned i = 0; i < outbox->count; i++)
        if ((at(outbox, i)->wanted & ~at(outbox, i)->handed & sink) != 0)
            return &at(outbox, i)->event;
    return NULL;
}

void
sa_outbox_handed(struct sa_outbox *outbox, unsigned sink, uint32_t sequence)
{
    struct entry *entry = find(outbox, sequence);

    if (entry != NULL)
        entry->handed |= sink;
}

void
sa_outbox_finished(struct sa_outbox *outbox, unsigned sink, uint32_t sequence, bool delivered)
{
    struct entry *entry = find(outbox, sequence);

    if (entry == NULL || (entry->wanted & sink) == 0)
        return;
    entry->wanted &= ~sink;
    if (!delivered)
        outbox->suppressed++;
    else if (sink == SA_SINK_SNMP)
        outbox->sent++;
    while (outbox->count > 0 && at(outbox, 0)->wanted == 0)
        drop_oldest(outbox);
}

unsigned
sa_outbox_queued(const struct sa_outbox *outbox, unsigned sink)
{
    unsigned n = 0;

    for (unsigned i = 0; i < outbox->count; i++)
        if ((at(outbox, i)->wanted & sink) != 0)
            n++;
    return n;
}

uint64_t
sa_outbox_sent(const struct sa_outbox *outbox)
{
    return outbox->sent;
}

uint64_t
sa_outbox_suppressed(const struct sa_outbox *outbox)
{
    return outbox->suppressed;
}

uint32_t
sa_outbox_sequence(const struct sa_outbox *outbox)
{
    return outbox->sequence;
}
