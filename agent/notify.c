#include "notify.h"
#include "clock.h"
#include "log.h"
#include "varbinds.h"

#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <stdlib.h>
#include <string.h>

/* Not in net-snmp's public headers. */
#define AGENTX_VERSION_1  0xC1 /* session and PDU version of AgentX */
#define AGENTX_MSG_NOTIFY 12   /* agentx-Notify-PDU, RFC 2741 section 6.1.1 */

#define PENDING           256
#define CHANNELS          (SA_AGENT_RECEIVERS + 1)
#define ANSWER_S          5 /* an answer later than this is none */
#define PROBE_MIN_MS      5000
#define PROBE_MAX_MS      60000

enum channel_kind { CHANNEL_AGENTX, CHANNEL_TRAP, CHANNEL_INFORM };

struct channel {
    enum channel_kind kind;
    const struct sa_agent_receiver *receiver; /* NULL: the AgentX master */
    netsnmp_session *session;                 /* NULL: not open */
    uint32_t generation;                      /* of the session: answers to an earlier one are not ours */
    unsigned in_flight;
    bool stalled; /* something went unanswered */
    int64_t probe_ms, backoff_ms;
};

struct pending {
    struct sa_alarm_event event;
    uint32_t wanted, in_flight; /* channels, as bits */
    bool taken;                 /* by some channel */
    bool lost;                  /* given up for some channel */
};

struct sa_notify {
    struct channel channels[CHANNELS];
    unsigned n_channels;
    struct pending *ring; /* PENDING entries, in order of their sequence numbers */
    unsigned first, count;
    struct sa_mailbox *reports;
};

/* What an answer has to be matched with, inside the pointer that net-snmp carries along. */
struct cookie {
    uint32_t sequence;
    uint8_t channel;
    uint32_t generation;
};

static struct sa_notify *the_notify; /* net-snmp's callbacks carry one pointer, which is the cookie */

static void *
pack_cookie(struct cookie cookie)
{
    return (void *)((uintptr_t)cookie.sequence | (uintptr_t)cookie.channel << 32 |
                    (uintptr_t)(cookie.generation & 0xffffff) << 40);
}

static struct cookie
unpack_cookie(const void *magic)
{
    uintptr_t bits = (uintptr_t)magic;

    return (struct cookie){(uint32_t)bits, (uint8_t)(bits >> 32), (uint32_t)(bits >> 40)};
}

_Static_assert(sizeof(uintptr_t) == 8, "the cookie needs 64 bits");

static struct pending *
at(struct sa_notify *notify, unsigned i)
{
    return &notify->ring[(notify->first + i) % PENDING];
}

struct sa_notify *
sa_notify_new(const struct sa_agent_def *def, struct sa_mailbox *reports)
{
    struct sa_notify *notify = calloc(1, sizeof *notify);

    if (notify == NULL)
        return NULL;
    notify->reports = reports;
    notify->ring = calloc(PENDING, sizeof *notify->ring);
    if (notify->ring == NULL)
        return sa_notify_free(notify);
    if (def->mode == SA_AGENT_SUBAGENT && def->notify_master)
        notify->channels[notify->n_channels++] = (struct channel){.kind = CHANNEL_AGENTX};
    for (unsigned i = 0; i < def->n_receivers && notify->n_channels < CHANNELS; i++)
        notify->channels[notify->n_channels++] = (struct channel){
            .kind = def->receivers[i].inform ? CHANNEL_INFORM : CHANNEL_TRAP, .receiver = &def->receivers[i]};
    the_notify = notify;
    return notify;
}

struct sa_notify *
sa_notify_free(struct sa_notify *notify)
{
    if (notify == NULL)
        return NULL;
    for (unsigned i = 0; i < notify->n_channels; i++)
        if (notify->channels[i].receiver != NULL && notify->channels[i].session != NULL)
            (void)snmp_close(notify->channels[i].session);
    the_notify = NULL;
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

/* The channel has taken the event over. */
static void
taken(struct sa_notify *notify, struct pending *pending, uint32_t bit)
{
    pending->wanted &= ~bit;
    if (!pending->taken && pending->wanted != 0) /* otherwise DONE follows at once and says as much */
        (void)report(notify, SA_AGENT_TAKEN, pending);
    pending->taken = true;
}

/* Reports and removes the events that no channel waits for. */
static void
retire(struct sa_notify *notify)
{
    while (notify->count > 0 && at(notify, 0)->wanted == 0) {
        if (!report(notify, at(notify, 0)->lost ? SA_AGENT_LOST : SA_AGENT_DONE, at(notify, 0)))
            return; /* it stays until the main thread has taken its mail, which wakes this thread */
        notify->first = (notify->first + 1) % PENDING;
        notify->count--;
    }
}

/* A full ring whose oldest event waits only for silent channels gives it up, if another channel needs the
 * room. */
static void
make_room(struct sa_notify *notify)
{
    uint32_t silent = 0, all = (UINT32_C(1) << notify->n_channels) - 1;

    for (unsigned i = 0; i < notify->n_channels; i++)
        if (notify->channels[i].stalled || notify->channels[i].session == NULL)
            silent |= UINT32_C(1) << i;
    if (silent == all || at(notify, 0)->wanted == 0 || (at(notify, 0)->wanted & ~silent) != 0)
        return; /* nobody is better off, it only waits to be reported, or somebody who answers wants it */
    at(notify, 0)->wanted = 0;
    at(notify, 0)->lost = true;
    retire(notify);
}

bool
sa_notify_has_room(struct sa_notify *notify)
{
    if (notify->count == PENDING)
        make_room(notify);
    return notify->count < PENDING;
}

void
sa_notify_add(struct sa_notify *notify, const struct sa_alarm_event *event)
{
    struct pending *pending = at(notify, notify->count++);

    *pending = (struct pending){.event = *event, .wanted = (UINT32_C(1) << notify->n_channels) - 1};
    retire(notify);
}

/* agent_check_and_process() sleeps until its next alarm: this makes it come round for a probe. */
static void
on_probe_time(unsigned id, void *arg)
{
    (void)id;
    (void)arg;
}

static void
stall(struct channel *channel)
{
    int64_t now_ms = sa_clock_now().mono_ms;

    if (channel->stalled && now_ms < channel->probe_ms)
        return; /* one of several that went unanswered together */
    if (!channel->stalled && channel->receiver != NULL)
        sa_log(LOG_WARNING, "notify", "receiver %s does not answer, retrying", channel->receiver->name);
    channel->backoff_ms = channel->backoff_ms == 0 ? PROBE_MIN_MS : channel->backoff_ms * 2;
    if (channel->backoff_ms > PROBE_MAX_MS)
        channel->backoff_ms = PROBE_MAX_MS;
    channel->stalled = true;
    channel->probe_ms = now_ms + channel->backoff_ms;
    (void)snmp_alarm_register((unsigned)(channel->backoff_ms / 1000) + 1, 0, on_probe_time, NULL);
}

static void
unstall(struct channel *channel)
{
    if (channel->stalled && channel->receiver != NULL)
        sa_log(LOG_NOTICE, "notify", "receiver %s answers again", channel->receiver->name);
    channel->stalled = false;
    channel->backoff_ms = 0;
}

/*
 * The fate of one notification.  OP_SEND_FAILED is ignored: snmp_async_send() returns 0 as well, and what
 * failed is accounted there.
 */
static int
on_answer(int operation, netsnmp_session *session, int reqid, netsnmp_pdu *pdu, void *magic)
{
    struct cookie cookie = unpack_cookie(magic);
    struct sa_notify *notify = the_notify;
    struct channel *channel;

    (void)session;
    (void)reqid;
    if (notify == NULL || operation == NETSNMP_CALLBACK_OP_SEND_FAILED)
        return 1;
    channel = &notify->channels[cookie.channel];
    if ((channel->generation & 0xffffff) != cookie.generation)
        return 1;
    for (unsigned i = 0; i < notify->count; i++) {
        struct pending *pending = at(notify, i);
        uint32_t bit = UINT32_C(1) << cookie.channel;

        if (pending->event.sequence != cookie.sequence || (pending->in_flight & bit) == 0)
            continue;
        pending->in_flight &= ~bit;
        channel->in_flight--;
        if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu->errstat == SNMP_ERR_NOERROR) {
            taken(notify, pending, bit);
            unstall(channel);
        } else {
            stall(channel); /* not answered is not the same as not delivered: it will come again */
        }
        break;
    }
    retire(notify);
    return 1;
}

static bool
open_receiver(struct channel *channel)
{
    netsnmp_session template;
    netsnmp_transport *transport;

    snmp_sess_init(&template);
    template.version = SNMP_VERSION_2c;
    template.community = (u_char *)(uintptr_t)channel->receiver->community;
    template.community_len = strlen(channel->receiver->community);
    template.timeout = ANSWER_S * 1000000 / 3;
    template.retries = 2;
    transport = netsnmp_transport_open_client("snmptrap", channel->receiver->address);
    channel->session = transport == NULL ? NULL : snmp_add(&template, transport, NULL, NULL);
    if (channel->session == NULL && !channel->stalled)
        sa_log(LOG_ERR, "notify", "cannot reach receiver %s at %s, retrying", channel->receiver->name,
               channel->receiver->address);
    return channel->session != NULL;
}

static netsnmp_pdu *
make_pdu(const struct channel *channel, const struct sa_alarm_event *event)
{
    static const oid sys_up_time[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
    static const int types[] = {[CHANNEL_AGENTX] = AGENTX_MSG_NOTIFY,
                                [CHANNEL_TRAP] = SNMP_MSG_TRAP2,
                                [CHANNEL_INFORM] = SNMP_MSG_INFORM};
    netsnmp_pdu *pdu = snmp_pdu_create(types[channel->kind]);
    u_long uptime = netsnmp_get_agent_uptime();

    if (pdu == NULL)
        return NULL;
    if (channel->kind == CHANNEL_AGENTX) { /* the master adds sysUpTime.0 */
        pdu->version = AGENTX_VERSION_1;
        pdu->sessid = channel->session->sessid;
        pdu->reqid = snmp_get_next_reqid();
        pdu->transid = pdu->reqid;
        pdu->flags |= UCD_MSG_FLAG_PDU_TIMEOUT; /* the session's own is for pings and much shorter */
        pdu->time = ANSWER_S;
    } else if (snmp_pdu_add_variable(pdu, sys_up_time, OID_LENGTH(sys_up_time), ASN_TIMETICKS, &uptime,
                                     sizeof uptime) == NULL) {
        snmp_free_pdu(pdu);
        return NULL;
    }
    if (sa_varbinds_add(pdu, event) < 0) {
        snmp_free_pdu(pdu);
        return NULL;
    }
    return pdu;
}

/* Sends one event on one channel; false if the channel cannot take more now. */
static bool
send_event(struct sa_notify *notify, unsigned number, struct pending *pending)
{
    struct channel *channel = &notify->channels[number];
    uint32_t bit = UINT32_C(1) << number;
    netsnmp_pdu *pdu = make_pdu(channel, &pending->event);

    if (pdu == NULL)
        return false;
    if (channel->kind == CHANNEL_TRAP) { /* nobody answers a trap: sent is all there is to know */
        if (snmp_send(channel->session, pdu) == 0) {
            snmp_free_pdu(pdu);
            stall(channel);
            return false;
        }
        taken(notify, pending, bit);
        unstall(channel);
        return true;
    }
    if (snmp_async_send(channel->session, pdu, on_answer,
                        pack_cookie((struct cookie){pending->event.sequence, (uint8_t)number,
                                                    channel->generation})) == 0) {
        snmp_free_pdu(pdu);
        stall(channel);
        return false;
    }
    pending->in_flight |= bit;
    channel->in_flight++;
    return true;
}

static void
pump_channel(struct sa_notify *notify, unsigned number, int64_t now_ms)
{
    struct channel *channel = &notify->channels[number];
    uint32_t bit = UINT32_C(1) << number;
    unsigned window = channel->stalled ? 1 : SA_NOTIFY_WINDOW; /* a probe is the oldest event alone */

    if (channel->stalled && now_ms < channel->probe_ms)
        return;
    if (channel->session == NULL && (channel->kind == CHANNEL_AGENTX || notify->count == 0))
        return;
    if (channel->session == NULL && !open_receiver(channel)) {
        stall(channel);
        return;
    }
    for (unsigned i = 0; i < notify->count && channel->in_flight < window; i++) {
        struct pending *pending = at(notify, i);

        if ((pending->wanted & ~pending->in_flight & bit) != 0 && !send_event(notify, number, pending))
            return;
    }
}

void
sa_notify_pump(struct sa_notify *notify)
{
    int64_t now_ms = sa_clock_now().mono_ms;

    for (unsigned i = 0; i < notify->n_channels; i++)
        pump_channel(notify, i, now_ms);
    retire(notify);
}

void
sa_notify_link(struct sa_notify *notify, netsnmp_session *session)
{
    for (unsigned i = 0; i < notify->n_channels; i++) {
        struct channel *channel = &notify->channels[i];

        if (channel->kind != CHANNEL_AGENTX)
            continue;
        channel->session = session;
        channel->generation++;
        channel->in_flight = 0;
        unstall(channel);
        for (unsigned k = 0; k < notify->count; k++)
            at(notify, k)->in_flight &= ~(UINT32_C(1) << i);
    }
}
