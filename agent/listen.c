#include "listen.h"
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

#define RETRY_MS 5000
#define PORT     161
#define NUMBER   64

struct place {
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

struct sa_listen {
    struct place *places;
    unsigned count;
    struct sa_resolver *resolver;
};

struct sa_listen *
sa_listen_new(char *const *addresses)
{
    struct sa_listen *listen = calloc(1, sizeof *listen);

    if (listen == NULL)
        return NULL;
    while (addresses[listen->count] != NULL)
        listen->count++;
    listen->places = calloc(listen->count + 1, sizeof *listen->places);
    listen->resolver = sa_resolver_new(listen->count + 1);
    if (listen->places == NULL || listen->resolver == NULL)
        return sa_listen_free(listen);
    for (unsigned i = 0; i < listen->count; i++) {
        struct place *place = &listen->places[i];

        place->text = addresses[i];
        place->ours = sa_address_parse(place->text, SA_ADDRESS_UDP, PORT, &place->address) == 0;
    }
    return listen;
}

struct sa_listen *
sa_listen_free(struct sa_listen *listen)
{
    if (listen == NULL)
        return NULL;
    (void)sa_resolver_free(listen->resolver);
    free(listen->places);
    free(listen);
    return NULL;
}

int
sa_listen_fd(const struct sa_listen *listen)
{
    return sa_resolver_fd(listen->resolver);
}

/* One line per edge. */
static void
refused(struct place *place, const char *reason, int64_t now_ms)
{
    if (place->reason[0] == '\0')
        sa_log(LOG_ERR, "snmp", "cannot listen at %s: %s, retrying every %d s", place->text, reason,
               RETRY_MS / 1000);
    (void)sa_text_copy(place->reason, sizeof place->reason, reason);
    place->known = false; /* its name may have another number by then */
    place->retry_ms = now_ms + RETRY_MS;
}

static void
opened(struct place *place)
{
    if (place->reason[0] != '\0')
        sa_log(LOG_NOTICE, "snmp", "listening at %s now", place->text);
    place->served = true;
    place->retry_ms = INT64_MAX;
}

/* net-snmp would look a name up on the spot, and where no transport is named try another one and hide what
 * was wrong with the first. */
static void
set_number(struct place *place, const struct sa_endpoint *endpoint)
{
    char number[NUMBER];

    sa_endpoint_number(endpoint, number, sizeof number);
    sa_address_format(&place->address, number, place->number, sizeof place->number);
    place->known = true;
}

/* Otherwise DNS is asked. */
static void
find_number(struct sa_listen *listen, unsigned i)
{
    struct place *place = &listen->places[i];
    struct sa_endpoint endpoint;

    if (!place->ours || place->address.host[0] == '\0')
        place->known = true; /* no host, no name */
    else if (sa_endpoint_of_number(&place->address, &endpoint))
        set_number(place, &endpoint);
    else
        place->asked = sa_resolver_ask(listen->resolver, i, &place->address) == 0;
}

static netsnmp_transport *
open_place(const struct place *place)
{
    netsnmp_transport *transport =
        netsnmp_transport_open_server("snmp", place->number[0] != '\0' ? place->number : place->text);

    if (transport != NULL && place->ours && place->address.kind != SA_ADDRESS_UDP)
        transport->f_send = sa_transport_send_or_end;
    return transport;
}

static void
try_place(struct sa_listen *listen, unsigned i, int64_t now_ms)
{
    struct place *place = &listen->places[i];

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
take_answer(struct place *place, const struct sa_resolved *answer, int64_t now_ms)
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
sa_listen_turn(struct sa_listen *listen, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;
    struct sa_resolved answer;

    while (sa_resolver_take(listen->resolver, &answer))
        take_answer(&listen->places[answer.tag], &answer, now_ms);
    for (unsigned i = 0; i < listen->count; i++) {
        struct place *place = &listen->places[i];

        if (!place->served && !place->asked && place->retry_ms <= now_ms)
            try_place(listen, i, now_ms);
        if (!place->asked && place->retry_ms < due_ms)
            due_ms = place->retry_ms;
    }
    return due_ms;
}

bool
sa_listen_state(const struct sa_listen *listen, char *text, size_t size)
{
    const struct place *first = NULL;
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
