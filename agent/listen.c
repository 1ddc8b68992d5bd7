#include "listen.h"
#include "guard.h"
#include "log.h"
#include "resolve.h"
#include "text.h"
#include "transport.h"

#include <errno.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MS 5000
#define PORT     161
#define NUMBER   64

struct listen_place {
    const char *text; /* the address as configured */
    struct sa_address address;
    bool ours;        /* the address is of a transport that is known here; net-snmp has more */
    char number[128]; /* the text for net-snmp, with a number in place of a name; "": as configured */
    bool known;       /* what to give to net-snmp is */
    bool asked;       /* DNS was, for the name */
    bool served;
    int64_t retry_ms; /* when it is due */
    char reason[128]; /* why it is not served; "": it was not tried yet */
};

struct sa_snmp_listen {
    struct listen_place *places;
    unsigned count;
    struct sa_resolver *resolver;
};

/* What net-snmp does for the two kinds of connections, and where the messages of these begin, by socket. */
typedef int receive_function(netsnmp_transport *, void *, int, void **, int *);
typedef int accept_function(netsnmp_transport *);
static receive_function *receive_from[2];
static accept_function *accept_at[2];
static struct sa_guard *guards;
static size_t guards_room;

struct sa_snmp_listen *
sa_snmp_listen_new(char *const *addresses)
{
    struct sa_snmp_listen *listen = calloc(1, sizeof *listen);

    if (listen == NULL)
        return NULL;
    while (addresses[listen->count] != NULL)
        listen->count++;
    listen->places = calloc(listen->count + 1, sizeof *listen->places);
    listen->resolver = sa_resolver_new(listen->count + 1);
    if (listen->places == NULL || listen->resolver == NULL)
        return sa_snmp_listen_free(listen);
    for (unsigned i = 0; i < listen->count; i++) {
        struct listen_place *place = &listen->places[i];

        place->text = addresses[i];
        place->ours = sa_address_parse(place->text, SA_ADDRESS_UDP, PORT, &place->address) == 0;
    }
    return listen;
}

struct sa_snmp_listen *
sa_snmp_listen_free(struct sa_snmp_listen *listen)
{
    if (listen == NULL)
        return NULL;
    (void)sa_resolver_free(listen->resolver);
    free(guards);
    guards = NULL;
    guards_room = 0;
    free(listen->places);
    free(listen);
    return NULL;
}

int
sa_snmp_listen_fd(const struct sa_snmp_listen *listen)
{
    return sa_resolver_fd(listen->resolver);
}

/* One line per edge. */
static void
refused(struct listen_place *place, const char *reason, int64_t now_ms)
{
    if (place->reason[0] == '\0')
        sa_log(LOG_ERR, "snmp", "cannot listen at %s: %s, retrying every %d s", place->text, reason,
               RETRY_MS / 1000);
    (void)sa_text_copy(place->reason, sizeof place->reason, reason);
    place->known = false; /* its name may have another number by then */
    place->retry_ms = now_ms + RETRY_MS;
}

static void
opened(struct listen_place *place)
{
    if (place->reason[0] != '\0')
        sa_log(LOG_NOTICE, "snmp", "listening at %s now", place->text);
    place->served = true;
    place->retry_ms = INT64_MAX;
}

/* net-snmp would look a name up on the spot, and where no transport is named try another one and hide what
 * was wrong with the first. */
static void
set_number(struct listen_place *place, const struct sa_endpoint *endpoint)
{
    char number[NUMBER];

    sa_endpoint_number(endpoint, number, sizeof number);
    sa_address_format(&place->address, number, place->number, sizeof place->number);
    place->known = true;
}

/* Otherwise DNS is asked. */
static void
find_number(struct sa_snmp_listen *listen, unsigned i)
{
    struct listen_place *place = &listen->places[i];
    struct sa_endpoint endpoint;

    if (!place->ours || place->address.host[0] == '\0')
        place->known = true; /* no host, no name */
    else if (sa_endpoint_of_number(&place->address, &endpoint))
        set_number(place, &endpoint);
    else
        place->asked = sa_resolver_ask(listen->resolver, i, &place->address) == 0;
}

/* Returns the socket of a new connection, or -1. */
static int
take_connection(netsnmp_transport *transport, accept_function *accept)
{
    int sock = accept(transport);
    size_t room = sock < 0 ? 0 : (size_t)sock + 1;
    struct sa_guard *grown;

    if (room > guards_room) {
        grown = realloc(guards, room * sizeof *grown);
        if (grown == NULL) {
            (void)close(sock);
            return -1;
        }
        guards = grown;
        guards_room = room;
    }
    if (sock >= 0)
        guards[sock] = (struct sa_guard){0};
    return sock;
}

/* Whoever announces a message that is longer than anybody sends is not listened to any more. */
static int
take_bytes(netsnmp_transport *transport, receive_function *receive, void *buf, int size, void **opaque,
           int *olength)
{
    int n = receive(transport, buf, size, opaque, olength);

    if (n <= 0 || sa_guard_pass(&guards[transport->sock], SA_GUARD_SNMP, buf, (size_t)n) == 0)
        return n;
    SNMP_FREE(*opaque);
    *olength = 0;
    return -1;
}

static int
accept_tcp(netsnmp_transport *transport)
{
    return take_connection(transport, accept_at[0]);
}

static int
accept_unix(netsnmp_transport *transport)
{
    return take_connection(transport, accept_at[1]);
}

static int
receive_tcp(netsnmp_transport *transport, void *buf, int size, void **opaque, int *olength)
{
    return take_bytes(transport, receive_from[0], buf, size, opaque, olength);
}

static int
receive_unix(netsnmp_transport *transport, void *buf, int size, void **opaque, int *olength)
{
    return take_bytes(transport, receive_from[1], buf, size, opaque, olength);
}

/* Accepted connections inherit the functions of the socket that is listened at. */
static void
guard(netsnmp_transport *transport, bool is_unix)
{
    receive_from[is_unix] = transport->f_recv;
    accept_at[is_unix] = transport->f_accept;
    transport->f_recv = is_unix ? receive_unix : receive_tcp;
    transport->f_accept = is_unix ? accept_unix : accept_tcp;
    transport->f_send = sa_transport_send_or_end;
}

static netsnmp_transport *
open_place(const struct listen_place *place)
{
    netsnmp_transport *transport =
        netsnmp_transport_open_server("snmp", place->number[0] != '\0' ? place->number : place->text);

    if (transport != NULL && place->ours && place->address.kind != SA_ADDRESS_UDP)
        guard(transport, place->address.kind == SA_ADDRESS_UNIX);
    return transport;
}

static void
try_place(struct sa_snmp_listen *listen, unsigned i, int64_t now_ms)
{
    struct listen_place *place = &listen->places[i];

    if (!place->known)
        find_number(listen, i);
    if (!place->known && place->asked)
        return;
    errno = 0;
    if (place->known && netsnmp_register_agent_nsap(open_place(place)) > 0)
        opened(place);
    else
        refused(place, errno != 0 ? strerror(errno) : "it is not an address to listen at", now_ms);
}

static void
take_answer(struct listen_place *place, const struct sa_resolved *answer, int64_t now_ms)
{
    place->asked = false;
    if (answer->error != 0) {
        refused(place, sa_resolved_reason(answer), now_ms);
        return;
    }
    set_number(place, &answer->endpoint);
    place->retry_ms = now_ms;
}

int64_t
sa_snmp_listen_turn(struct sa_snmp_listen *listen, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;
    struct sa_resolved answer;

    while (sa_resolver_take(listen->resolver, &answer))
        take_answer(&listen->places[answer.tag], &answer, now_ms);
    for (unsigned i = 0; i < listen->count; i++) {
        struct listen_place *place = &listen->places[i];

        if (!place->served && !place->asked && place->retry_ms <= now_ms)
            try_place(listen, i, now_ms);
        if (!place->asked && place->retry_ms < due_ms)
            due_ms = place->retry_ms;
    }
    return due_ms;
}

bool
sa_snmp_listen_state(const struct sa_snmp_listen *listen, char *text, size_t size)
{
    const struct listen_place *first = NULL;
    unsigned missing = 0;

    for (unsigned i = 0; i < listen->count; i++)
        if (!listen->places[i].served && missing++ == 0)
            first = &listen->places[i];
    text[0] = '\0';
    if (missing > 0)
        (void)sa_text_format(text, size, "%s: %s", first->text,
                             first->reason[0] != '\0' ? first->reason : "its name is being looked up");
    return missing == 0;
}
