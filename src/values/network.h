/* Prefixes of IP addresses as people write them ("192.0.2.0/24"), and whether an address is in one. */
#ifndef SA_NETWORK_H
#define SA_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* An IPv4 address stands as IPv6 has it mapped (RFC 4291 section 2.5.5.2), its bits counted from there: 96
 * more. */
struct sa_network {
    uint8_t address[16];
    uint8_t bits;
};

#define SA_NETWORK_TEXT 64

/*
 * "192.0.2.0/24", "2001:db8::/32", or one address.  An IPv4-mapped prefix is one of IPv4.  Returns 0; -EINVAL
 * if it is none; -ERANGE if the address has bits behind the prefix, with the prefix that it is in.
 */
int sa_network_parse(const char *text, struct sa_network *ret_network);

/* As sa_network_parse() reads it, with its length. */
void sa_network_format(const struct sa_network *network, char text[SA_NETWORK_TEXT]);

/*
 * Whether the address is in the network.  An IPv4-mapped address is one of IPv4, and prefixes of IPv6 hold
 * none of these, not even "::/0".  Addresses of other families are in none.
 */
bool sa_network_holds(const struct sa_network *network, const struct sockaddr *address);

/* The address without its port, "-" if it is none. */
void sa_network_address(const struct sockaddr *address, char text[SA_NETWORK_TEXT]);

#endif
