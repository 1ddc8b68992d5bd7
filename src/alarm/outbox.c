#include "outbox.h"

#include <errno.h>
#include <stdlib.h>

struct entry {
    struct sa_alarm_event event;
    unsigned wanted; /* sinks that have not finished */
    unsigned handed; /* of those, the ones that have the event */
    bool taken;      /* counted as sent */
};

struct sa_outbox {
    struct entry *ring; /* room entries; sequences in it are consecutive */
    unsigned room, first, count;
    uint32_t sequence;
    uint64_t sent, suppressed;
};

struct sa_outbox *
sa_outbox_new(unsigned room)
{
    struct sa_outbox *outbox = calloc(1, sizeof *outbox);

    if (outbox == NULL)
        return NULL;
    return sa_outbox_reserve(outbox, room < SA_OUTBOX_ROOM ? SA_OUTBOX_ROOM : room) < 0
               ? sa_outbox_free(outbox)
               : outbox;
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
    return &outbox->ring[(outbox->first + i) % outbox->room];
}

int
sa_outbox_reserve(struct sa_outbox *outbox, unsigned room)
{
    struct entry *ring;

    if (room <= outbox->room)
        return 0;
    ring = calloc(room, sizeof *ring);
    if (ring == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < outbox->count; i++)
        ring[i] = *at(outbox, i);
    free(outbox->ring);
    outbox->ring = ring;
    outbox->room = room;
    outbox->first = 0;
    return 0;
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
    outbox->first = (outbox->first + 1) % outbox->room;
    outbox->count--;
}

void
sa_outbox_push(struct sa_outbox *outbox, const struct sa_alarm_event *event, unsigned sinks)
{
    struct entry *entry;

    if (outbox->count == outbox->room) {
        outbox->suppressed++;
        drop_oldest(outbox);
    }
    entry = at(outbox, outbox->count++);
    entry->event = *event;
    entry->event.sequence = ++outbox->sequence;
    entry->wanted = sinks;
    entry->handed = 0;
    entry->taken = false;
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

static void
count_sent(struct sa_outbox *outbox, struct entry *entry)
{
    if (!entry->taken)
        outbox->sent++;
    entry->taken = true;
}

void
sa_outbox_taken(struct sa_outbox *outbox, uint32_t sequence)
{
    struct entry *entry = find(outbox, sequence);

    if (entry != NULL)
        count_sent(outbox, entry);
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
        count_sent(outbox, entry);
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
