#include "listen.h"
#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

bool
sa_listen_is_address(const char *spec)
{
    const char *port = strrchr(spec, ':');

    if (strncmp(spec, "unix:/", 6) == 0)
        return true;
    return (strncmp(spec, "udp:", 4) == 0 || strncmp(spec, "tcp:", 4) == 0) && port != NULL &&
           port >= spec + 5 && port[1] != '\0' && strspn(port + 1, "0123456789") == strlen(port + 1);
}

bool
sa_listen_is_at_any_address(const char *spec)
{
    static const char any_v4[4];
    const char *port = strrchr(spec, ':'), *start = spec + 4;
    char host[64];
    size_t len;
    struct in6_addr v6;
    struct in_addr v4;

    if (strncmp(spec, "unix:", 5) == 0 || !sa_listen_is_address(spec))
        return false;
    start += *start == '[';
    len = strcspn(start, "]%");
    if (start + len > port)
        len = (size_t)(port - start);
    (void)sa_text_slice(host, sizeof host, start, len);
    if (inet_aton(host, &v4) != 0) /* "0" is one too */
        return v4.s_addr == INADDR_ANY;
    return inet_pton(AF_INET6, host, &v6) == 1 &&
           (IN6_IS_ADDR_UNSPECIFIED(&v6) ||
            (IN6_IS_ADDR_V4MAPPED(&v6) && memcmp(v6.s6_addr + 12, any_v4, sizeof any_v4) == 0));
}
