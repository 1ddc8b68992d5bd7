#include "address.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* net-snmp's names of the transports. */
static const struct {
    const char *prefix;
    enum sa_address_kind kind;
    int family;
} transports[] = {
    {"udp", SA_ADDRESS_UDP, AF_INET},      {"udp6", SA_ADDRESS_UDP, AF_INET6},
    {"udpv6", SA_ADDRESS_UDP, AF_INET6},   {"udpipv6", SA_ADDRESS_UDP, AF_INET6},
    {"ipv6", SA_ADDRESS_UDP, AF_INET6},    {"tcp", SA_ADDRESS_TCP, AF_INET},
    {"tcp6", SA_ADDRESS_TCP, AF_INET6},    {"tcpv6", SA_ADDRESS_TCP, AF_INET6},
    {"tcpipv6", SA_ADDRESS_TCP, AF_INET6}, {"unix", SA_ADDRESS_UNIX, AF_UNIX},
};

/* Those of net-snmp's that have their own kind of address or need certificates. */
static const char *const others[] = {"dtlsudp", "dtls", "tlstcp",  "tls", "ssh",      "alias",
                                     "ipx",     "std",  "aal5pvc", "pvc", "udpshared"};

static bool
is_prefix(const char *text, size_t len, const char *prefix)
{
    return strlen(prefix) == len && strncasecmp(text, prefix, len) == 0;
}

int
sa_address_port(const char *text, uint16_t *ret_port)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long port = strtoul(text, NULL, 10); /* ULONG_MAX, if that is too small for it */

    if (digits == 0 || text[digits] != '\0')
        return -EINVAL;
    if (port > UINT16_MAX)
        return -ERANGE;
    *ret_port = (uint16_t)port;
    return 0;
}

static int
take(char *dst, size_t size, const char *text, size_t len)
{
    if (len >= size)
        return -EINVAL;
    memcpy(dst, text, len);
    dst[len] = '\0';
    return 0;
}

/* The length of the host in front: up to an interface, or to the only colon. */
static size_t
host_length(const char *text)
{
    const char *colon = strchr(text, ':');

    if (strchr(text, '@') != NULL)
        return strcspn(text, "@");
    return colon == NULL || strchr(colon + 1, ':') != NULL ? strlen(text) : (size_t)(colon - text);
}

/* HOST[@INTERFACE][:PORT], or the port alone; a host with colons and a port stands in brackets. */
static int
parse_endpoint(const char *text, struct sa_address *address)
{
    bool bracket = text[0] == '[';
    size_t len;

    if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0')
        return sa_address_port(text, &address->port);
    text += bracket ? 1 : 0;
    len = bracket ? strcspn(text, "]") : host_length(text);
    if (take(address->host, sizeof address->host, text, len) < 0 || (bracket && text[len] != ']'))
        return -EINVAL;
    text += len + (bracket ? 1 : 0);
    if (*text == '@') {
        len = strcspn(++text, ":");
        if (take(address->interface, sizeof address->interface, text, len) < 0)
            return -EINVAL;
        text += len;
    }
    if (*text == ':')
        return sa_address_port(text + 1, &address->port);
    return *text == '\0' ? 0 : -EINVAL;
}

static int
parse_path(const char *text, struct sa_address *address)
{
    address->kind = SA_ADDRESS_UNIX;
    address->family = AF_UNIX;
    if (text[0] == '\0')
        return -EINVAL;
    return take(address->path, sizeof address->path, text, strlen(text)) < 0 ? -ENAMETOOLONG : 0;
}

int
sa_address_parse(const char *text, enum sa_address_kind default_kind, uint16_t default_port,
                 struct sa_address *ret_address)
{
    size_t len = strcspn(text, ":");
    struct sa_address address = {.kind = default_kind, .family = AF_UNSPEC, .port = default_port};
    int r;

    for (size_t i = 0; i < sizeof others / sizeof others[0] && text[len] == ':'; i++)
        if (is_prefix(text, len, others[i]))
            return -EPROTONOSUPPORT;
    for (size_t i = 0; i < sizeof transports / sizeof transports[0] && text[len] == ':'; i++)
        if (is_prefix(text, len, transports[i].prefix)) {
            address.kind = transports[i].kind;
            address.family = transports[i].family;
            text += len + 1;
            break;
        }
    if (address.family == AF_UNIX || (address.family == AF_UNSPEC && text[0] == '/'))
        r = parse_path(text, &address);
    else
        r = parse_endpoint(text, &address);
    if (r == 0)
        *ret_address = address;
    return r;
}

void
sa_address_format(const struct sa_address *address, const char *number, char *dst, size_t size)
{
    const char *six = strchr(number, ':') != NULL ? "6" : "";

    (void)sa_text_format(dst, size, "%s%s:[%s]%s%s:%u", address->kind == SA_ADDRESS_UDP ? "udp" : "tcp", six,
                         number, address->interface[0] != '\0' ? "@" : "", address->interface,
                         (unsigned)address->port);
}
