#include "master.h"
#include "agentx.h"
#include "clock.h"
#include "varbinds.h"

#include <stdlib.h>
#include <sys/socket.h>

#define CHANNEL  0
#define NOTIFY_S 5     /* an acknowledgement later than this is none */
#define PING_S   3     /* the same of an answer whether it is there */
#define PING_MS  10000 /* how often it is asked */
#define NEVER    (-PING_MS)
#define FRESH_MS 200 /* so long after its last word the master is believed to be there */

struct sa_master {
    struct sa_notify *notify;
    netsnmp_session *session; /* NULL: not connected */
    uint32_t generation;      /* of the session: answers to an earlier one are not ours */
    int64_t heard_ms;
    bool asked; /* whether it is there */
};

static struct sa_master *the_master; /* net-snmp's callbacks carry one pointer, which is the cookie */

/* What an answer has to be matched with, inside the pointer that net-snmp carries along. */
static void *
cookie_of(const struct sa_master *master, uint32_t sequence)
{
    return (void *)((uintptr_t)sequence | (uintptr_t)master->generation << 32);
}

_Static_assert(sizeof(uintptr_t) == 8, "the cookie needs 64 bits");

struct sa_master *
sa_master_new(struct sa_notify *notify)
{
    struct sa_master *master = calloc(1, sizeof *master);

    if (master != NULL)
        master->notify = notify;
    the_master = master;
    return master;
}

struct sa_master *
sa_master_free(struct sa_master *master)
{
    the_master = NULL;
    free(master);
    return NULL;
}

static netsnmp_pdu *
make_pdu(const struct sa_master *master, int command, unsigned answer_s)
{
    netsnmp_pdu *pdu = snmp_pdu_create(command);

    if (pdu == NULL)
        return NULL;
    pdu->version = SA_AGENTX_VERSION_1;
    pdu->sessid = master->session->sessid;
    pdu->transid = pdu->reqid;
    pdu->flags |= UCD_MSG_FLAG_PDU_TIMEOUT; /* the session's own is for what blocks, and much shorter */
    pdu->time = answer_s;
    return pdu;
}

/* Whether it is an answer through the session of now; *ret_good: it says yes. */
static bool
is_answer(int operation, const netsnmp_pdu *pdu, const void *magic, bool *ret_good)
{
    if (the_master == NULL || (uint32_t)((uintptr_t)magic >> 32) != the_master->generation)
        return false;
    if (operation == NETSNMP_CALLBACK_OP_SEND_FAILED || operation == NETSNMP_CALLBACK_OP_RESEND)
        return false; /* who sent it is told, too; and one that is sent again is still waited for */
    *ret_good = operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu->errstat == SNMP_ERR_NOERROR;
    the_master->heard_ms = *ret_good ? sa_clock_now().mono_ms : NEVER;
    return true;
}

/* Its reader sees the end, and does what it does when a master goes away. */
static void
end_session(struct sa_master *master)
{
    netsnmp_transport *transport = snmp_sess_transport(snmp_sess_pointer(master->session));

    if (transport != NULL)
        (void)shutdown(transport->sock, SHUT_RDWR);
}

static int
on_pong(int operation, netsnmp_session *session, int reqid, netsnmp_pdu *pdu, void *magic)
{
    bool good;

    (void)session;
    (void)reqid;
    if (!is_answer(operation, pdu, magic, &good))
        return 1;
    the_master->asked = !good; /* one that does not answer is not asked again */
    if (!good)
        end_session(the_master);
    return 1;
}

static int
on_answer(int operation, netsnmp_session *session, int reqid, netsnmp_pdu *pdu, void *magic)
{
    bool good;

    (void)session;
    (void)reqid;
    if (!is_answer(operation, pdu, magic, &good))
        return 1;
    if (good)
        (void)sa_notify_answered(the_master->notify, CHANNEL, (uint32_t)(uintptr_t)magic);
    else
        (void)sa_notify_unanswered(the_master->notify, CHANNEL, (uint32_t)(uintptr_t)magic,
                                   sa_clock_now().mono_ms);
    return 1;
}

/* Takes the PDU; false: it could not be sent, which ended the session. */
static bool
send_pdu(struct sa_master *master, netsnmp_pdu *pdu, netsnmp_callback on_reply, uint32_t sequence)
{
    if (pdu != NULL && snmp_async_send(master->session, pdu, on_reply, cookie_of(master, sequence)) != 0)
        return true;
    snmp_free_pdu(pdu);
    end_session(master);
    return false;
}

static void
ask(struct sa_master *master)
{
    master->asked = true;
    (void)send_pdu(master, make_pdu(master, SA_AGENTX_PING, PING_S), on_pong, 0);
}

static bool
send_event(struct sa_master *master, const struct sa_alarm_event *event)
{
    netsnmp_pdu *pdu = make_pdu(master, SA_AGENTX_NOTIFY, NOTIFY_S); /* the master adds sysUpTime.0 */
    uint32_t sequence = event->sequence;

    if (pdu != NULL && sa_varbinds_add(pdu, event) < 0) {
        snmp_free_pdu(pdu);
        pdu = NULL;
    }
    if (!send_pdu(master, pdu, on_answer, sequence))
        return false;
    sa_notify_sent(master->notify, CHANNEL, sequence);
    return true;
}

int64_t
sa_master_turn(struct sa_master *master, int64_t now_ms)
{
    int64_t silent_ms = now_ms - master->heard_ms, due_ms;

    sa_notify_flush(master->notify);
    while (master->session != NULL && !master->asked) {
        const struct sa_alarm_event *event = sa_notify_next(master->notify, CHANNEL, now_ms);

        if (silent_ms >= PING_MS || (event != NULL && silent_ms > FRESH_MS))
            ask(master);
        else if (event == NULL || !send_event(master, event))
            break;
    }
    if (master->session == NULL || master->asked)
        return INT64_MAX;
    due_ms = sa_notify_due_ms(master->notify, CHANNEL);
    return due_ms < master->heard_ms + PING_MS ? due_ms : master->heard_ms + PING_MS;
}

void
sa_master_session(struct sa_master *master, netsnmp_session *session)
{
    master->session = session;
    master->generation++;
    master->asked = false;
    master->heard_ms = sa_clock_now().mono_ms;
    sa_notify_forget(master->notify, CHANNEL);
    (void)sa_notify_unstall(master->notify, CHANNEL);
}
