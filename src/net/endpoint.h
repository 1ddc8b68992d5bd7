/*
 * The socket address of an address: of one that is a number, a path or no host at all without asking anybody.
 */
#ifndef SA_ENDPOINT_H
#define SA_ENDPOINT_H

#include "address.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct sa_endpoint {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } to;
};

/* The endpoint of an address that needs no look-up: a path, a number or no host at all; false: it is a name.
 */
bool sa_endpoint_of_number(const struct sa_address *address, struct sa_endpoint *ret_endpoint);

bool sa_endpoint_equal(const struct sa_endpoint *a, const struct sa_endpoint *b);

/* The host of a UDP or TCP endpoint as a number. */
void sa_endpoint_number(const struct sa_endpoint *endpoint, char *dst, size_t size);

/*
 * Looks the host of a UDP or TCP address up, which waits for DNS unless AI_NUMERICHOST is among the flags of
 * getaddrinfo(3).  Returns its error.
 */
int sa_endpoint_look_up(const struct sa_address *address, int flags, struct sa_endpoint *ret_endpoint);

#endif
