/*
 * A net-snmp transport address ("udp:nms.example.net:162", "tcp6:[2001:db8::5]", "/run/x") in its parts, as
 * snmpcmd(1) describes it: names are looked up where nobody waits for them, and net-snmp itself would do it
 * on the spot.  Pure.
 */
#ifndef SA_ADDRESS_H
#define SA_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sa_address_kind { SA_ADDRESS_UDP, SA_ADDRESS_TCP, SA_ADDRESS_UNIX };

struct sa_address {
    enum sa_address_kind kind;
    int family;         /* AF_INET, AF_INET6 or AF_UNIX; AF_UNSPEC: whatever the host has */
    char host[256];     /* of UDP and TCP: name or number; empty: none was given */
    char interface[16]; /* of UDP and TCP: to be bound to; empty: any */
    uint16_t port;      /* of UDP and TCP */
    char path[108];     /* of UNIX */
};

/*
 * What the text does not say is of the default kind and at the default port.  Returns 0, -EPROTONOSUPPORT (a
 * transport that is none of these), -ERANGE (a port above 65535), -ENAMETOOLONG (the path of a socket that
 * does not fit) or -EINVAL.
 */
int sa_address_parse(const char *text, enum sa_address_kind default_kind, uint16_t default_port,
                     struct sa_address *ret_address);

/* The number of a port and nothing behind it.  Returns 0, -ERANGE (above 65535) or -EINVAL. */
int sa_address_port(const char *text, uint16_t *ret_port);

/* Writes the address back with the host given as a number ("192.0.2.1", "2001:db8::5"). */
void sa_address_format(const struct sa_address *address, const char *number, char *dst, size_t size);

#endif
