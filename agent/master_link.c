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

#define PREFIX           "sipalert" /* of our addresses, among net-snmp's "unix" and "tcp" */
#define AGENTX_PORT      705
#define PDU_HEADER       20        /* RFC 2741, section 6.1 */
#define PDU_FLAGS        2         /* where they are in it */
#define PDU_LENGTH       16        /* where the length of what follows is */
#define IN_NETWORK_ORDER 0x10      /* of the flags */
#define PDU_MAX          (1 << 20) /* far more than any question that fits into a message of a manager */

static struct {
    struct sa_address address;
    struct sa_endpoint endpoint;
    bool useless; /* it is not an address of a master */
    bool known;   /* the endpoint is */
    bool asked;   /* DNS was */
    struct sa_resolver *resolver;
    char reason[128];
    int (*receive)(netsnmp_transport *, void *, int, void **, int *);
    uint8_t header[PDU_HEADER]; /* of the PDU that comes now */
    unsigned header_len;
    uint32_t payload_left;
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

static uint32_t
payload_length(const uint8_t header[PDU_HEADER])
{
    const uint8_t *p = header + PDU_LENGTH;

    if (header[PDU_FLAGS] & IN_NETWORK_ORDER)
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Steps from PDU to PDU.  Returns the length of the first that no master sends, or 0. */
static uint32_t
find_too_long(const uint8_t *p, size_t len)
{
    while (len > 0) {
        size_t n = len < way.payload_left ? len : way.payload_left;

        if (n == 0) {
            way.header[way.header_len++] = *p;
            n = 1;
            if (way.header_len == PDU_HEADER) {
                way.header_len = 0;
                way.payload_left = payload_length(way.header);
            }
            if (way.payload_left > PDU_MAX)
                return way.payload_left;
        } else {
            way.payload_left -= (uint32_t)n;
        }
        p += n;
        len -= n;
    }
    return 0;
}

/* net-snmp would keep all that comes until the PDU is whole, up to 2 GiB. */
static int
receive(netsnmp_transport *transport, void *buf, int size, void **opaque, int *olength)
{
    int n = way.receive(transport, buf, size, opaque, olength);
    uint32_t too_long = n <= 0 ? 0 : find_too_long(buf, (size_t)n);

    if (too_long == 0)
        return n;
    sa_log(LOG_WARNING, "snmp", "the master agent announced a message of %u bytes, ending the connection",
           (unsigned)too_long);
    return -1;
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
    way.header_len = way.payload_left = 0;
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
