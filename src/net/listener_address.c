#include "listener_address.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

_Static_assert(SA_ZONE_SIZE == IF_NAMESIZE, "the name of an interface fits");

static int
copy(char *dst, size_t size, const char *text, size_t len)
{
    if (len >= size)
        return -EADDRNOTAVAIL;
    memcpy(dst, text, len);
    dst[len] = '\0';
    return 0;
}

/* The name of an interface says something of addresses of a link alone. */
static bool
may_have_zone(const struct sa_endpoint *endpoint, const char *zone)
{
    const struct in6_addr *v6 = &endpoint->to.in6.sin6_addr;

    if (endpoint->to.any.sa_family != AF_INET6 || zone[0] == '\0')
        return false;
    return zone[strspn(zone, "0123456789")] == '\0' || IN6_IS_ADDR_LINKLOCAL(v6) ||
           IN6_IS_ADDR_MC_LINKLOCAL(v6);
}

static int
parse_host(const char *host, size_t len, uint16_t port, struct sa_listener_address *ret)
{
    struct sa_address address = {.kind = SA_ADDRESS_UDP, .family = AF_UNSPEC, .port = port};
    const char *percent = memchr(host, '%', len);
    size_t host_len = percent == NULL ? len : (size_t)(percent - host);

    if (copy(address.host, sizeof address.host, host, host_len) < 0 || host_len == 0 ||
        !sa_endpoint_of_number(&address, &ret->endpoint))
        return -EADDRNOTAVAIL;
    if (percent == NULL)
        return 0;
    if (copy(ret->zone, sizeof ret->zone, percent + 1, len - host_len - 1) < 0 ||
        !may_have_zone(&ret->endpoint, ret->zone))
        return -EADDRNOTAVAIL;
    return 0;
}

static int
parse_inet(const char *text, struct sa_listener_address *ret)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - text);
    uint16_t port;
    int r;

    if (len == 0)
        return -EINVAL;
    r = sa_address_port(colon + 1, &port);
    if (r < 0)
        return r;
    if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    return parse_host(text, len, port, ret);
}

static int
parse_path(const char *path, struct sa_listener_address *ret)
{
    struct sockaddr_un *un = &ret->endpoint.to.un;

    if (path[0] != '/')
        return -EINVAL;
    if (strlen(path) >= sizeof un->sun_path)
        return -ENAMETOOLONG;
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, strlen(path) + 1);
    ret->endpoint.len = sizeof *un;
    ret->path = path;
    return 0;
}

int
sa_listener_address_parse(const char *text, struct sa_listener_address *ret_address)
{
    struct sa_listener_address address = {.type = strncmp(text, "tcp:", 4) == 0 ? SOCK_STREAM : SOCK_DGRAM};
    int r = -EINVAL;

    if (strncmp(text, "unix:", 5) == 0)
        r = parse_path(text + 5, &address);
    else if (strncmp(text, "udp:", 4) == 0 || strncmp(text, "tcp:", 4) == 0)
        r = parse_inet(text + 4, &address);
    if (r == 0)
        *ret_address = address;
    return r;
}

bool
sa_listener_address_is_any(const struct sa_listener_address *address)
{
    static const char any_v4[4];
    const struct in6_addr *v6 = &address->endpoint.to.in6.sin6_addr;

    if (address->endpoint.to.any.sa_family == AF_INET)
        return address->endpoint.to.in.sin_addr.s_addr == INADDR_ANY;
    if (address->endpoint.to.any.sa_family != AF_INET6)
        return false;
    return IN6_IS_ADDR_UNSPECIFIED(v6) ||
           (IN6_IS_ADDR_V4MAPPED(v6) && memcmp(v6->s6_addr + 12, any_v4, sizeof any_v4) == 0);
}
