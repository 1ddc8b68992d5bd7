#include "receiver.h"
#include "clock.h"
#include "log.h"
#include "text.h"
#include "transport.h"
#include "varbinds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRAP_PORT      162
#define TRY_MS         1667 /* of three tries to send an inform: an answer after 5 s is none */
#define TICK_MS        250  /* how exactly that is kept */
#define CONNECT_MS     5000
#define LOOK_UP_MIN_MS 5000 /* after DNS had no answer */
#define LOOK_UP_MAX_MS 60000
#define LOOK_UP_AGE_MS 300000 /* a name may have moved: nobody answers a trap, so only time tells */

struct sa_receiver {
    struct sa_receiver_common *common;
    const struct sa_agent_receiver *def;
    unsigned number;
    void *session;
    netsnmp_transport *transport; /* of the session */
    netsnmp_pdu *blank;           /* that the notifications are filled into */
    struct sa_address address;
    bool is_name; /* the address has a name to be looked up */
    bool asked;   /* DNS was */
    bool known;   /* the endpoint is */
    bool down;    /* it was said that it cannot be reached */
    struct sa_endpoint endpoint;
    int64_t look_up_ms, backoff_ms; /* the next look-up; INT64_MAX: none */
    int64_t known_ms;               /* when the endpoint was found */
    int64_t give_up_ms;             /* a connection that has not come about by then */
};

/* One line per edge. */
static void
say_down(struct sa_receiver *receiver, const char *reason)
{
    if (!receiver->down)
        sa_log(LOG_WARNING, "notify", "receiver %s %s, retrying", receiver->def->name, reason);
    receiver->down = true;
}

static void
say_up(struct sa_receiver *receiver)
{
    if (receiver->down)
        sa_log(LOG_NOTICE, "notify", "receiver %s %s again", receiver->def->name,
               receiver->def->inform ? "answers" : "can be sent to");
    receiver->down = false;
}

static bool
open_session(struct sa_receiver *receiver)
{
    netsnmp_session template;

    snmp_sess_init(&template);
    template.version = SNMP_VERSION_2c;
    template.community = (u_char *)(uintptr_t)receiver->def->community;
    template.community_len = strlen(receiver->def->community);
    template.timeout = TRY_MS * 1000L;
    template.retries = 2;
    template.callback_magic = receiver;
    receiver->transport = sa_transport_new(SA_TRANSPORT_LOSSY);
    receiver->session =
        receiver->transport == NULL ? NULL : snmp_sess_add(&template, receiver->transport, NULL, NULL);
    receiver->blank = snmp_pdu_create(receiver->def->inform ? SNMP_MSG_INFORM : SNMP_MSG_TRAP2);
    return receiver->session != NULL && receiver->blank != NULL;
}

/* Its address in the configuration: a number is known from now on, a name is looked up at the first turn. */
static void
read_address(struct sa_receiver *receiver)
{
    int r = sa_address_parse(receiver->def->address, SA_ADDRESS_UDP, TRAP_PORT, &receiver->address);

    receiver->look_up_ms = INT64_MAX;
    if (r < 0) {
        sa_log(LOG_ERR, "notify", "receiver %s: %s %s; it gets no notifications", receiver->def->name,
               receiver->def->address,
               r == -EPROTONOSUPPORT ? "has a transport that is not supported here" : "is not an address");
        receiver->down = true;
        (void)sa_notify_stall(receiver->common->notify, receiver->number, 0); /* nobody waits for it */
        return;
    }
    receiver->known = sa_endpoint_of_number(&receiver->address, &receiver->endpoint);
    receiver->is_name = !receiver->known;
    if (receiver->is_name)
        receiver->look_up_ms = 0;
}

struct sa_receiver *
sa_receiver_new(struct sa_receiver_common *common, unsigned number, const struct sa_agent_receiver *def)
{
    struct sa_receiver *receiver = calloc(1, sizeof *receiver);

    if (receiver == NULL)
        return NULL;
    receiver->common = common;
    receiver->number = number;
    receiver->def = def;
    read_address(receiver);
    return open_session(receiver) ? receiver : sa_receiver_free(receiver);
}

struct sa_receiver *
sa_receiver_free(struct sa_receiver *receiver)
{
    if (receiver == NULL)
        return NULL;
    receiver->down = true; /* what goes unanswered now is not worth a word */
    if (receiver->session != NULL)
        (void)snmp_sess_close(receiver->session);
    snmp_free_pdu(receiver->blank);
    free(receiver);
    return NULL;
}

static void
want_look_up(struct sa_receiver *receiver, int64_t now_ms)
{
    if (receiver->is_name && !receiver->asked && receiver->look_up_ms == INT64_MAX)
        receiver->look_up_ms = now_ms;
}

/* It cannot be reached at the moment; perhaps its name has another address by now. */
static void
stall(struct sa_receiver *receiver, const char *reason, int64_t now_ms)
{
    (void)sa_notify_stall(receiver->common->notify, receiver->number, now_ms);
    say_down(receiver, reason);
    want_look_up(receiver, now_ms);
}

static void
stall_because(struct sa_receiver *receiver, const char *why, int64_t now_ms)
{
    char reason[512];

    (void)sa_text_format(reason, sizeof reason, "cannot be reached at %s: %s", receiver->def->address, why);
    stall(receiver, reason, now_ms);
}

static void
look_up(struct sa_receiver *receiver, int64_t now_ms)
{
    if (receiver->asked || now_ms < receiver->look_up_ms)
        return;
    receiver->asked = sa_resolver_ask(receiver->common->resolver, receiver->number, &receiver->address) == 0;
    receiver->look_up_ms = receiver->asked ? INT64_MAX : now_ms + LOOK_UP_MIN_MS;
}

static void
no_answer_from_dns(struct sa_receiver *receiver, const char *reason, int64_t now_ms)
{
    receiver->backoff_ms = receiver->backoff_ms == 0 ? LOOK_UP_MIN_MS : receiver->backoff_ms * 2;
    if (receiver->backoff_ms > LOOK_UP_MAX_MS)
        receiver->backoff_ms = LOOK_UP_MAX_MS;
    receiver->look_up_ms = now_ms + receiver->backoff_ms;
    if (!receiver->known) /* otherwise the address of before is the best there is */
        stall_because(receiver, reason, now_ms);
}

void
sa_receiver_resolved(struct sa_receiver *receiver, const struct sa_resolved *answer, int64_t now_ms)
{
    receiver->asked = false;
    if (answer->error != 0) {
        no_answer_from_dns(receiver, sa_resolved_reason(answer), now_ms);
        return;
    }
    receiver->backoff_ms = 0;
    receiver->known_ms = now_ms;
    if (receiver->known && sa_endpoint_equal(&receiver->endpoint, &answer->endpoint))
        return;
    receiver->known = true;
    receiver->endpoint = answer->endpoint;
    sa_transport_close(receiver->transport);
    sa_notify_hurry(receiver->common->notify, receiver->number, now_ms);
}

/* The socket's state as sa_transport_connect() tells it; a connection that takes too long is given up. */
static int
progress(struct sa_receiver *receiver, int64_t now_ms)
{
    int r = sa_transport_connect(receiver->transport, 0);

    if (r != -EINPROGRESS || now_ms < receiver->give_up_ms)
        return r;
    sa_transport_close(receiver->transport);
    return -ETIMEDOUT;
}

/* True: a message can be sent. */
static bool
connected(struct sa_receiver *receiver, int64_t now_ms)
{
    int r = 0;

    if (!receiver->known)
        return false;
    if (receiver->transport->sock == -1) {
        r = sa_transport_open(receiver->transport, receiver->address.kind, &receiver->endpoint,
                              receiver->address.interface);
        receiver->give_up_ms = now_ms + CONNECT_MS;
    }
    if (r == 0)
        r = progress(receiver, now_ms);
    if (r < 0 && r != -EINPROGRESS)
        stall_because(receiver, strerror(-r), now_ms);
    return r == 0;
}

static void
unanswered(struct sa_receiver *receiver, uint32_t sequence, int64_t now_ms)
{
    int error = sa_transport_error(receiver->transport);

    (void)sa_notify_unanswered(receiver->common->notify, receiver->number, sequence, now_ms);
    if (error != 0)
        stall_because(receiver, strerror(error), now_ms);
    else
        stall(receiver, "does not answer", now_ms);
}

/*
 * The fate of an inform.  One that is sent again by net-snmp is still waited for, and one that could not be
 * sent at all is accounted where it was to be sent.
 */
static int
on_answer(int operation, netsnmp_session *session, int reqid, netsnmp_pdu *pdu, void *magic)
{
    struct sa_receiver *receiver = session->callback_magic;
    uint32_t sequence = (uint32_t)(uintptr_t)magic;

    (void)reqid;
    if (operation == NETSNMP_CALLBACK_OP_SEND_FAILED || operation == NETSNMP_CALLBACK_OP_RESEND)
        return 1;
    if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu->errstat == SNMP_ERR_NOERROR) {
        (void)sa_notify_answered(receiver->common->notify, receiver->number, sequence);
        say_up(receiver);
    } else {
        unanswered(receiver, sequence, sa_clock_now().mono_ms);
    }
    return 1;
}

static long
next_request_id(struct sa_receiver_common *common)
{
    common->request_id = common->request_id == 0x7fffffff ? 1 : common->request_id + 1;
    return common->request_id;
}

static netsnmp_pdu *
make_pdu(struct sa_receiver *receiver, const struct sa_alarm_event *event, int64_t now_ms)
{
    static const oid sys_up_time[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
    u_long uptime = (u_long)((now_ms - receiver->common->start_ms) / 10) & 0xffffffff;
    netsnmp_pdu *pdu = snmp_clone_pdu(receiver->blank);

    if (pdu == NULL)
        return NULL;
    pdu->reqid = next_request_id(receiver->common);
    if (snmp_pdu_add_variable(pdu, sys_up_time, OID_LENGTH(sys_up_time), ASN_TIMETICKS, &uptime,
                              sizeof uptime) != NULL &&
        sa_varbinds_add(pdu, event) == 0)
        return pdu;
    snmp_free_pdu(pdu);
    return NULL;
}

/* Sends one event; false: the receiver can take no more now. */
static bool
send_event(struct sa_receiver *receiver, const struct sa_alarm_event *event, int64_t now_ms)
{
    netsnmp_pdu *pdu = make_pdu(receiver, event, now_ms);
    uint32_t sequence = event->sequence;
    int error;

    if (pdu == NULL ||
        snmp_sess_async_send(receiver->session, pdu, on_answer, (void *)(uintptr_t)sequence) == 0) {
        snmp_free_pdu(pdu);
        stall(receiver, "cannot be sent to: no message could be made", now_ms);
        return false;
    }
    if (receiver->def->inform) {
        sa_notify_sent(receiver->common->notify, receiver->number, sequence);
        return true;
    }
    error = sa_transport_error(receiver->transport);
    if (error != 0) {
        stall_because(receiver, strerror(error), now_ms);
        return false;
    }
    (void)sa_notify_answered(receiver->common->notify, receiver->number, sequence); /* all there is to know */
    say_up(receiver);
    return true;
}

static void
send_events(struct sa_receiver *receiver, int64_t now_ms)
{
    const struct sa_alarm_event *event;

    while ((event = sa_notify_next(receiver->common->notify, receiver->number, now_ms)) != NULL) {
        if (now_ms - receiver->known_ms > LOOK_UP_AGE_MS)
            want_look_up(receiver, now_ms);
        if (!connected(receiver, now_ms) || !send_event(receiver, event, now_ms))
            return;
    }
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t
sa_receiver_turn(struct sa_receiver *receiver, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;

    snmp_sess_timeout(receiver->session);
    send_events(receiver, now_ms);
    if (sa_notify_in_flight(receiver->common->notify, receiver->number))
        due_ms = now_ms + TICK_MS;
    look_up(receiver, now_ms);
    if (progress(receiver, now_ms) == -EINPROGRESS)
        due_ms = earlier(due_ms, receiver->give_up_ms);
    if (receiver->known)
        due_ms = earlier(due_ms, sa_notify_due_ms(receiver->common->notify, receiver->number));
    return earlier(due_ms, receiver->look_up_ms);
}

struct pollfd
sa_receiver_poll(const struct sa_receiver *receiver)
{
    return (struct pollfd){.fd = receiver->transport->sock,
                           .events = sa_transport_connecting(receiver->transport) ? POLLOUT : POLLIN};
}

void
sa_receiver_read(struct sa_receiver *receiver)
{
    netsnmp_large_fd_set *readable = &receiver->common->readable;

    if (receiver->transport->sock == -1)
        return;
    NETSNMP_LARGE_FD_ZERO(readable);
    NETSNMP_LARGE_FD_SET(receiver->transport->sock, readable);
    (void)snmp_sess_read2(receiver->session, readable);
}
