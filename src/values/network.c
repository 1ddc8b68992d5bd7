#include "network.h"
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool
is_mapped(const uint8_t address[16])
{
    return memcmp(address, mapped, sizeof mapped) == 0;
}

static bool
is_v4(const struct sa_network *network)
{
    return network->bits >= MAPPED_BITS && is_mapped(network->address);
}

/* Returns 4 or 6, or 0 if it is no address. */
static int
parse_address(const char *text, uint8_t ret_address[16])
{
    if (inet_pton(AF_INET, text, ret_address + sizeof mapped) == 1) {
        memcpy(ret_address, mapped, sizeof mapped);
        return 4;
    }
    return inet_pton(AF_INET6, text, ret_address) == 1 ? 6 : 0;
}

/* Clears what is behind the prefix; returns whether there was something. */
static bool
cut_to_prefix(struct sa_network *network)
{
    bool more = false;

    for (unsigned bit = network->bits; bit < 128; bit++) {
        uint8_t mask = (uint8_t)(0x80u >> (bit % 8));

        more = more || (network->address[bit / 8] & mask) != 0;
        network->address[bit / 8] &= (uint8_t)~mask;
    }
    return more;
}

int
sa_network_parse(const char *text, struct sa_network *ret_network)
{
    char host[SA_NETWORK_TEXT];
    size_t host_len = strcspn(text, "/"), digits = 0;
    struct sa_network network = {.bits = 128};
    int family;
    unsigned bits;

    if (host_len >= sizeof host)
        return -EINVAL;
    (void)sa_text_slice(host, sizeof host, text, host_len);
    family = parse_address(host, network.address);
    if (family == 0)
        return -EINVAL;
    if (text[host_len] == '/') {
        const char *length = text + host_len + 1;

        digits = strspn(length, "0123456789");
        if (digits == 0 || digits > 3 || length[digits] != '\0')
            return -EINVAL;
        bits = (unsigned)atoi(length) + (family == 4 ? MAPPED_BITS : 0);
        if (bits > 128)
            return -EINVAL;
        network.bits = (uint8_t)bits;
    }
    bits = cut_to_prefix(&network);
    *ret_network = network;
    return bits != 0 ? -ERANGE : 0;
}

void
sa_network_format(const struct sa_network *network, char text[SA_NETWORK_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "";
    bool v4 = is_v4(network);

    (void)inet_ntop(v4 ? AF_INET : AF_INET6, network->address + (v4 ? sizeof mapped : 0), host, sizeof host);
    (void)snprintf(text, SA_NETWORK_TEXT, "%s/%d", host, network->bits - (v4 ? MAPPED_BITS : 0));
}

/* As a network has it; false: another family. */
static bool
take_address(const struct sockaddr *address, uint8_t ret_address[16])
{
    if (address->sa_family == AF_INET6) {
        memcpy(ret_address, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
        return true;
    }
    if (address->sa_family != AF_INET)
        return false;
    memcpy(ret_address, mapped, sizeof mapped);
    memcpy(ret_address + sizeof mapped, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    return true;
}

bool
sa_network_holds(const struct sa_network *network, const struct sockaddr *address)
{
    struct sa_network sender = {.bits = network->bits};

    if (!take_address(address, sender.address) || is_mapped(sender.address) != is_v4(network))
        return false;
    (void)cut_to_prefix(&sender);
    return memcmp(sender.address, network->address, sizeof sender.address) == 0;
}

void
sa_network_address(const struct sockaddr *address, char text[SA_NETWORK_TEXT])
{
    uint8_t bytes[16];
    bool v4;

    (void)sa_text_copy(text, SA_NETWORK_TEXT, "-");
    if (!take_address(address, bytes))
        return;
    v4 = is_mapped(bytes);
    (void)inet_ntop(v4 ? AF_INET : AF_INET6, bytes + (v4 ? sizeof mapped : 0), text, SA_NETWORK_TEXT);
}
