#include "notify.h"

#include <stdlib.h>

struct channel {
    unsigned in_flight;
    bool stalled;
    int64_t probe_ms, backoff_ms; /* of a stalled one */
};

struct pending {
    struct sa_alarm_event event;
    uint32_t wanted, in_flight; /* channels, as bits */
    bool taken;                 /* by some channel */
    bool lost;                  /* given up for some channel */
};

struct sa_notify {
    struct channel channels[SA_NOTIFY_CHANNELS];
    unsigned n_channels;
    struct pending *ring; /* SA_NOTIFY_ROOM entries, in order of their sequence numbers */
    unsigned first, count;
    struct sa_mailbox *reports;
};

static struct pending *
at(struct sa_notify *notify, unsigned i)
{
    return &notify->ring[(notify->first + i) % SA_NOTIFY_ROOM];
}

static uint32_t
bit_of(unsigned channel)
{
    return UINT32_C(1) << channel;
}

static struct pending *
find(struct sa_notify *notify, uint32_t sequence)
{
    for (unsigned i = 0; i < notify->count; i++)
        if (at(notify, i)->event.sequence == sequence)
            return at(notify, i);
    return NULL;
}

/* The oldest event that the channel still has to send. */
static struct pending *
oldest(struct sa_notify *notify, unsigned channel)
{
    for (unsigned i = 0; i < notify->count; i++)
        if ((at(notify, i)->wanted & ~at(notify, i)->in_flight & bit_of(channel)) != 0)
            return at(notify, i);
    return NULL;
}

struct sa_notify *
sa_notify_new(unsigned n_channels, struct sa_mailbox *reports)
{
    struct sa_notify *notify = calloc(1, sizeof *notify);

    if (notify == NULL)
        return NULL;
    notify->n_channels = n_channels < SA_NOTIFY_CHANNELS ? n_channels : SA_NOTIFY_CHANNELS;
    notify->reports = reports;
    notify->ring = calloc(SA_NOTIFY_ROOM, sizeof *notify->ring);
    return notify->ring == NULL ? sa_notify_free(notify) : notify;
}

struct sa_notify *
sa_notify_free(struct sa_notify *notify)
{
    if (notify == NULL)
        return NULL;
    free(notify->ring);
    free(notify);
    return NULL;
}

/* False: the main thread is behind with its mail. */
static bool
report(struct sa_notify *notify, enum sa_agent_outcome outcome, const struct pending *pending)
{
    const struct sa_agent_report report = {outcome, pending->event.sequence};

    return sa_mailbox_post(notify->reports, &report) == 0;
}

void
sa_notify_flush(struct sa_notify *notify)
{
    while (notify->count > 0 && at(notify, 0)->wanted == 0) {
        if (!report(notify, at(notify, 0)->lost ? SA_AGENT_LOST : SA_AGENT_DONE, at(notify, 0)))
            return; /* it stays until the main thread has taken its mail, which wakes this thread */
        notify->first = (notify->first + 1) % SA_NOTIFY_ROOM;
        notify->count--;
    }
}

/* A full ring whose oldest event waits only for stalled channels gives it up, if another channel needs the
 * room. */
static void
make_room(struct sa_notify *notify)
{
    uint32_t silent = 0, all = bit_of(notify->n_channels) - 1;

    for (unsigned i = 0; i < notify->n_channels; i++)
        if (notify->channels[i].stalled)
            silent |= bit_of(i);
    if (silent == all || at(notify, 0)->wanted == 0 || (at(notify, 0)->wanted & ~silent) != 0)
        return; /* nobody is better off, it only waits to be reported, or somebody who answers wants it */
    at(notify, 0)->wanted = 0;
    at(notify, 0)->lost = true;
    sa_notify_flush(notify);
}

bool
sa_notify_has_room(struct sa_notify *notify)
{
    if (notify->count == SA_NOTIFY_ROOM)
        make_room(notify);
    return notify->count < SA_NOTIFY_ROOM;
}

void
sa_notify_add(struct sa_notify *notify, const struct sa_alarm_event *event)
{
    *at(notify, notify->count++) =
        (struct pending){.event = *event, .wanted = bit_of(notify->n_channels) - 1};
    sa_notify_flush(notify);
}

const struct sa_alarm_event *
sa_notify_next(struct sa_notify *notify, unsigned channel, int64_t now_ms)
{
    const struct channel *it = &notify->channels[channel];
    unsigned window = it->stalled ? 1 : SA_NOTIFY_WINDOW; /* a probe is the oldest event alone */
    const struct pending *pending;

    if ((it->stalled && now_ms < it->probe_ms) || it->in_flight >= window)
        return NULL;
    pending = oldest(notify, channel);
    return pending == NULL ? NULL : &pending->event;
}

int64_t
sa_notify_due_ms(struct sa_notify *notify, unsigned channel)
{
    const struct channel *it = &notify->channels[channel];

    return it->stalled && it->in_flight == 0 && oldest(notify, channel) != NULL ? it->probe_ms : INT64_MAX;
}

bool
sa_notify_in_flight(const struct sa_notify *notify, unsigned channel)
{
    return notify->channels[channel].in_flight > 0;
}

void
sa_notify_sent(struct sa_notify *notify, unsigned channel, uint32_t sequence)
{
    struct pending *pending = find(notify, sequence);

    if (pending == NULL || (pending->wanted & ~pending->in_flight & bit_of(channel)) == 0)
        return;
    pending->in_flight |= bit_of(channel);
    notify->channels[channel].in_flight++;
}

/* Its fate is known now. */
static void
land(struct sa_notify *notify, unsigned channel, struct pending *pending)
{
    if (pending == NULL || (pending->in_flight & bit_of(channel)) == 0)
        return;
    pending->in_flight &= ~bit_of(channel);
    notify->channels[channel].in_flight--;
}

bool
sa_notify_answered(struct sa_notify *notify, unsigned channel, uint32_t sequence)
{
    struct pending *pending = find(notify, sequence);

    land(notify, channel, pending);
    if (pending != NULL && (pending->wanted & bit_of(channel)) != 0) {
        pending->wanted &= ~bit_of(channel);
        if (!pending->taken && pending->wanted != 0) /* otherwise DONE follows at once and says as much */
            (void)report(notify, SA_AGENT_TAKEN, pending);
        pending->taken = true;
        sa_notify_flush(notify);
    }
    return sa_notify_unstall(notify, channel);
}

bool
sa_notify_unanswered(struct sa_notify *notify, unsigned channel, uint32_t sequence, int64_t now_ms)
{
    land(notify, channel, find(notify, sequence));
    return sa_notify_stall(notify, channel, now_ms);
}

bool
sa_notify_stall(struct sa_notify *notify, unsigned channel, int64_t now_ms)
{
    struct channel *it = &notify->channels[channel];
    bool fresh = !it->stalled;

    if (it->stalled && now_ms < it->probe_ms)
        return false; /* one of several that went unanswered together */
    it->backoff_ms = fresh ? SA_NOTIFY_PROBE_MIN_MS : it->backoff_ms * 2;
    if (it->backoff_ms > SA_NOTIFY_PROBE_MAX_MS)
        it->backoff_ms = SA_NOTIFY_PROBE_MAX_MS;
    it->stalled = true;
    it->probe_ms = now_ms + it->backoff_ms;
    return fresh;
}

bool
sa_notify_unstall(struct sa_notify *notify, unsigned channel)
{
    bool was = notify->channels[channel].stalled;

    notify->channels[channel].stalled = false;
    return was;
}

void
sa_notify_hurry(struct sa_notify *notify, unsigned channel, int64_t now_ms)
{
    notify->channels[channel].probe_ms = now_ms;
}

void
sa_notify_forget(struct sa_notify *notify, unsigned channel)
{
    for (unsigned i = 0; i < notify->count; i++)
        land(notify, channel, at(notify, i));
}
