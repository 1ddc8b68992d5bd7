#include "outbox.h"

#include <errno.h>
#include <stdlib.h>

struct entry {
    struct sa_outbox_entry kept;
    unsigned handed; /* of the sinks wanted, those that have the event */
    bool lost;       /* counted as suppressed */
    bool changed;    /* since it was last kept */
};

struct sa_outbox {
    struct entry *ring; /* room entries; sequences in it are consecutive */
    unsigned room, first, count;
    uint32_t sequence;
    uint32_t kept_from; /* the oldest sequence that was kept and not yet reported as gone */
    uint64_t sent, suppressed;
};

struct sa_outbox *
sa_outbox_new(unsigned room)
{
    struct sa_outbox *outbox = calloc(1, sizeof *outbox);

    if (outbox == NULL)
        return NULL;
    outbox->kept_from = 1;
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

    if (room > SA_OUTBOX_MAX)
        room = SA_OUTBOX_MAX;
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

static void
count_lost(struct sa_outbox *outbox, struct entry *entry)
{
    if (!entry->lost)
        outbox->suppressed++;
    entry->lost = true;
}

void
sa_outbox_push(struct sa_outbox *outbox, const struct sa_alarm_event *event, unsigned sinks)
{
    struct entry *entry;

    if (outbox->count == outbox->room) {
        count_lost(outbox, at(outbox, 0));
        drop_oldest(outbox);
    }
    entry = at(outbox, outbox->count++);
    *entry = (struct entry){.kept = {.event = *event, .wanted = sinks}, .changed = true};
    entry->kept.event.sequence = ++outbox->sequence;
    while (outbox->count > 0 && at(outbox, 0)->kept.wanted == 0)
        drop_oldest(outbox);
}

const struct sa_alarm_event *
sa_outbox_next(const struct sa_outbox *outbox, unsigned sink)
{
    for (unsigned i = 0; i < outbox->count; i++)
        if ((at(outbox, i)->kept.wanted & ~at(outbox, i)->handed & sink) != 0)
            return &at(outbox, i)->kept.event;
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
    if (!entry->kept.taken)
        outbox->sent++;
    entry->kept.taken = true;
    entry->changed = true;
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

    if (entry == NULL || (entry->kept.wanted & sink) == 0)
        return;
    entry->kept.wanted &= ~sink;
    entry->changed = true;
    if (!delivered)
        count_lost(outbox, entry);
    else if ((sink & SA_SINK_SNMP) != 0)
        count_sent(outbox, entry);
    while (outbox->count > 0 && at(outbox, 0)->kept.wanted == 0)
        drop_oldest(outbox);
}

unsigned
sa_outbox_queued(const struct sa_outbox *outbox, unsigned sinks)
{
    unsigned n = 0;

    for (unsigned i = 0; i < outbox->count; i++)
        if ((at(outbox, i)->kept.wanted & sinks) != 0)
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

void
sa_outbox_keep(struct sa_outbox *outbox, bool all,
               void (*put)(void *arg, const struct sa_outbox_entry *entry),
               void (*gone)(void *arg, uint32_t sequence), void *arg)
{
    uint32_t oldest = outbox->sequence - outbox->count + 1;

    for (; outbox->kept_from < oldest; outbox->kept_from++)
        gone(arg, outbox->kept_from);
    for (unsigned i = 0; i < outbox->count; i++) {
        if (at(outbox, i)->changed || all)
            put(arg, &at(outbox, i)->kept);
        at(outbox, i)->changed = false;
    }
}

void
sa_outbox_recall(struct sa_outbox *outbox, const struct sa_outbox_numbers *numbers)
{
    outbox->first = outbox->count = 0;
    outbox->sequence = numbers->sequence;
    outbox->kept_from = numbers->sequence + 1;
    outbox->sent = numbers->sent;
    outbox->suppressed = numbers->suppressed;
}

bool
sa_outbox_restore(struct sa_outbox *outbox, const struct sa_outbox_entry *entry)
{
    uint32_t sequence = entry->event.sequence;
    struct entry *known;

    if (sequence > outbox->sequence)
        return false;
    /* The numbers up to the newest stay in a row: what is not known any more has nobody waiting for it. */
    if (outbox->count == 0) {
        outbox->count = outbox->sequence - sequence + 1;
        if (outbox->count > outbox->room) {
            outbox->count = 0;
            return false;
        }
        for (unsigned i = 0; i < outbox->count; i++)
            *at(outbox, i) = (struct entry){.kept.event.sequence = sequence + i};
        outbox->kept_from = sequence;
    }
    known = find(outbox, sequence);
    if (known != NULL)
        known->kept = *entry;
    return known != NULL;
}
