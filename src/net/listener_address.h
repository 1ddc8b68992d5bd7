/*
 * Where a syslog source listens: "udp:ADDRESS:PORT", "tcp:[ADDRESS]:PORT", "unix:/PATH".  The address is a
 * number: a listener that waits for DNS would be deaf for as long.  The check of the configuration and the
 * listener read it here, so that neither takes what the other refuses.  Pure.
 */
#ifndef SA_LISTENER_ADDRESS_H
#define SA_LISTENER_ADDRESS_H

#include "endpoint.h"

#define SA_ZONE_SIZE 16 /* IF_NAMESIZE */

struct sa_listener_address {
    int type;                    /* SOCK_DGRAM, or SOCK_STREAM, which listens */
    const char *path;            /* of a unix socket, inside the text; else NULL */
    struct sa_endpoint endpoint; /* its scope is not filled: the interface need not be there yet */
    char zone[SA_ZONE_SIZE];     /* the interface of an IPv6 address, by name or number; "": none is named */
};

/*
 * Returns 0, -EINVAL (not written like one), -ERANGE (a port above 65535), -EADDRNOTAVAIL (the address is not
 * a number) or -ENAMETOOLONG (the path does not fit).
 */
int sa_listener_address_parse(const char *text, struct sa_listener_address *ret_address);

/* Whether it takes what is sent to whatever address of the machine: 0.0.0.0 and ::. */
bool sa_listener_address_is_any(const struct sa_listener_address *address);

#endif
