#include "master_link.h"
#include "log.h"
#include "text.h"
#include "transport.h"

#include <errno.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX      "sipalert" /* of our addresses, among net-snmp's "unix" and "tcp" */
#define AGENTX_PORT 705

static struct {
    struct sa_address address;
    struct sa_endpoint endpoint;
    bool useless; /* it is not an address of a master */
    bool known;   /* the endpoint is */
    bool asked;   /* DNS was */
    struct sa_resolver *resolver;
    char reason[128];
    int (*receive)(netsnmp_transport *, void *, int, void **, int *);
} way;

static void
set_reason(const char *reason)
{
    (void)sa_text_copy(way.reason, sizeof way.reason, reason);
}

/* DNS answers at once if it knows: a slow answer is taken the next time. */
static bool
find_endpoint(void)
{
    struct pollfd answered = {.fd = sa_resolver_fd(way.resolver), .events = POLLIN};
    struct sa_resolved answer;

    if (way.known || (way.known = sa_endpoint_of_number(&way.address, &way.endpoint)))
        return true;
    if (!way.asked)
        way.asked = sa_resolver_ask(way.resolver, 0, &way.address) == 0;
    set_reason("its name is being looked up");
    (void)poll(&answered, 1, SA_TRANSPORT_WAIT_MS);
    if (!sa_resolver_take(way.resolver, &answer))
        return false;
    way.asked = false;
    way.known = answer.error == 0;
    way.endpoint = answer.endpoint;
    if (!way.known)
        set_reason(sa_resolved_reason(&answer));
    return way.known;
}

/* A unix socket whose owner does not accept refuses at once, because we do not wait: it says EAGAIN. */
static const char *
reason_of(int error)
{
    return error == EAGAIN || error == EINPROGRESS ? "it does not answer" : strerror(error);
}

static int
connect_now(netsnmp_transport *transport)
{
    int r = sa_transport_open(transport, way.address.kind, &way.endpoint, way.address.interface);

    if (r == 0)
        r = sa_transport_connect(transport, SA_TRANSPORT_WAIT_MS);
    if (r < 0) {
        set_reason(reason_of(-r));
        way.known = false; /* its name may have another address by the next time */
    }
    return r;
}

static int
receive(netsnmp_transport *transport, void *buf, int size, void **opaque, int *olength)
{
    int n = way.receive(transport, buf, size, opaque, olength);

    if (n < 0 && sa_transport_error(transport) == EMSGSIZE)
        sa_log(LOG_WARNING, "snmp",
               "the master agent announced a message that nobody sends, ending the connection");
    return n;
}

static netsnmp_transport *
create(netsnmp_tdomain_spec *spec)
{
    netsnmp_transport *transport;

    (void)spec;
    if (way.useless || !find_endpoint())
        return NULL;
    transport = sa_transport_new(SA_TRANSPORT_STRICT);
    if (transport == NULL)
        return NULL;
    if (connect_now(transport) < 0) {
        sa_transport_close(transport);
        netsnmp_transport_free(transport);
        return NULL;
    }
    set_reason("");
    way.receive = transport->f_recv;
    transport->f_recv = receive;
    return transport;
}

int
sa_master_link_set_up(const char *master)
{
    static const oid name[] = {0, 0}; /* it has none, and nobody asks for it */
    static netsnmp_tdomain domain = {
        .name = name, .name_length = OID_LENGTH(name), .f_create_from_tspec = create};

    way.useless = sa_address_parse(master, SA_ADDRESS_TCP, AGENTX_PORT, &way.address) < 0 ||
                  way.address.kind == SA_ADDRESS_UDP;
    if (way.useless)
        set_reason("it is not \"unix:/PATH\" or \"tcp:HOST:PORT\"");
    way.resolver = sa_resolver_new(1);
    domain.prefix = calloc(2, sizeof *domain.prefix); /* net-snmp frees it */
    if (way.resolver == NULL || domain.prefix == NULL)
        return -ENOMEM;
    domain.prefix[0] = PREFIX;
    (void)netsnmp_tdomain_register(&domain);
    (void)netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, PREFIX ":");
    return 0;
}

void
sa_master_link_done(void)
{
    way.resolver = sa_resolver_free(way.resolver);
}

const char *
sa_master_link_reason(void)
{
    return way.reason;
}
