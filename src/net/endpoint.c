#include "endpoint.h"

#include <netdb.h>
#include <string.h>

static void
set_port(struct sa_endpoint *endpoint, uint16_t port)
{
    if (endpoint->to.any.sa_family == AF_INET)
        endpoint->to.in.sin_port = htons(port);
    else
        endpoint->to.in6.sin6_port = htons(port);
}

static const struct addrinfo *
choose(const struct addrinfo *list)
{
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next)
        if (info->ai_family == AF_INET)
            return info;
    return list;
}

int
sa_endpoint_look_up(const struct sa_address *address, int flags, struct sa_endpoint *ret_endpoint)
{
    const struct addrinfo hints = {
        .ai_family = address->family, .ai_socktype = SOCK_DGRAM, .ai_flags = flags};
    const char *host = address->host[0] != '\0' ? address->host : NULL;
    struct addrinfo *list;
    int error = getaddrinfo(host, host == NULL ? "0" : NULL, &hints, &list);

    if (error != 0)
        return error;
    *ret_endpoint = (struct sa_endpoint){.len = choose(list)->ai_addrlen};
    memcpy(&ret_endpoint->to, choose(list)->ai_addr, ret_endpoint->len);
    set_port(ret_endpoint, address->port);
    freeaddrinfo(list);
    return 0;
}

bool
sa_endpoint_of_number(const struct sa_address *address, struct sa_endpoint *ret_endpoint)
{
    if (address->kind != SA_ADDRESS_UNIX)
        return sa_endpoint_look_up(address, AI_NUMERICHOST, ret_endpoint) == 0;
    *ret_endpoint = (struct sa_endpoint){.len = sizeof(struct sockaddr_un), .to.un.sun_family = AF_UNIX};
    memcpy(ret_endpoint->to.un.sun_path, address->path, sizeof ret_endpoint->to.un.sun_path);
    return true;
}

bool
sa_endpoint_equal(const struct sa_endpoint *a, const struct sa_endpoint *b)
{
    return a->len == b->len && memcmp(&a->to, &b->to, a->len) == 0;
}

void
sa_endpoint_number(const struct sa_endpoint *endpoint, char *dst, size_t size)
{
    if (getnameinfo(&endpoint->to.any, endpoint->len, dst, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        dst[0] = '\0';
}
