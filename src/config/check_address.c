#include "checks.h"
#include "listener_address.h"
#include "reader.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#define PATH_MOST (sizeof((struct sockaddr_un *)0)->sun_path - 1)
void
sa_check_listener_address(const struct sa_place *place, const char *text)
{
    const char *name = place->key->name;
    struct sa_listener_address address;
    int r = sa_listener_address_parse(text, &address);

    if (r == -ERANGE)
        SA_BAD(place->cfg, "%s: \"%s\": a port is 0 to 65535", name, text);
    else if (r == -EADDRNOTAVAIL)
        SA_BAD(place->cfg, "%s: \"%s\": the address has to be a number, names are not looked up here", name,
               text);
    else if (r == -ENAMETOOLONG)
        SA_BAD(place->cfg, "%s: \"%s\": the path of a socket has at most %zu characters", name, text,
               PATH_MOST);
    else if (r < 0)
        SA_BAD(place->cfg, "%s: \"%s\" is not \"udp:ADDRESS:PORT\", \"tcp:ADDRESS:PORT\" or \"unix:/PATH\"",
               name, text);
}

/* A number that its transport cannot reach: net-snmp's udp and tcp are of IPv4 alone. */
static bool
is_of_other_family(const struct sa_address *address)
{
    struct sa_address open = *address;
    struct sa_endpoint endpoint;

    open.family = AF_UNSPEC;
    return address->kind != SA_ADDRESS_UNIX && address->family != AF_UNSPEC && address->host[0] != '\0' &&
           sa_endpoint_of_number(&open, &endpoint) && endpoint.to.any.sa_family != address->family;
}

/* Reads a net-snmp address and says what is wrong with it, as the agent would once it runs. */
static int
read_snmp_address(const struct sa_place *place, const char *text, enum sa_address_kind kind,
                  struct sa_address *address)
{
    const char *name = place->key->name;
    int r =
        text[0] == '\0' || strpbrk(text, " \t") != NULL ? -EINVAL : sa_address_parse(text, kind, 1, address);

    if (r == -EINVAL)
        SA_BAD(place->cfg, "%s: \"%s\" is not an address such as \"udp:192.0.2.5:162\"", name, text);
    else if (r == -ENAMETOOLONG)
        SA_BAD(place->cfg, "%s: \"%s\": the path of a socket has at most %zu characters", name, text,
               PATH_MOST);
    else if (r == -ERANGE || (r == 0 && address->kind != SA_ADDRESS_UNIX && address->port == 0))
        SA_BAD(place->cfg, "%s: \"%s\": a port is 1 to 65535", name, text);
    else if (r == 0 && is_of_other_family(address))
        SA_BAD(place->cfg, "%s: \"%s\": the address is one of %s, %s", name, text,
               address->family == AF_INET ? "IPv6" : "IPv4",
               address->family == AF_INET ? "which is udp6: or tcp6:" : "which is udp: or tcp:");
    return r;
}

/* net-snmp has more transports than are known here, and listens at them. */
void
sa_check_agent_address(const struct sa_place *place, const char *text)
{
    struct sa_address address;

    (void)read_snmp_address(place, text, SA_ADDRESS_UDP, &address);
}

void
sa_check_receiver_address(const struct sa_place *place, const char *text)
{
    struct sa_address address;

    if (read_snmp_address(place, text, SA_ADDRESS_UDP, &address) == -EPROTONOSUPPORT)
        SA_BAD(place->cfg, "%s: \"%s\" has a transport that is not supported here", place->key->name, text);
}

void
sa_check_master_address(const struct sa_place *place, const char *text)
{
    struct sa_address address;
    int r = read_snmp_address(place, text, SA_ADDRESS_TCP, &address);

    if (r == -EPROTONOSUPPORT || (r == 0 && address.kind == SA_ADDRESS_UDP))
        SA_BAD(place->cfg, "%s: \"%s\" is not \"unix:/PATH\" or \"tcp:HOST:PORT\"", place->key->name, text);
}
