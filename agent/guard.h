/*
 * Where messages begin on a stream, so that one that announces more than anybody sends is noticed with its
 * header: net-snmp would keep all that comes until the message is whole, up to 2 GiB.  Any thread, one value
 * for each stream.
 */
#ifndef SA_AGENT_GUARD_H
#define SA_AGENT_GUARD_H

#include <stddef.h>
#include <stdint.h>

enum sa_guard_kind {
    SA_GUARD_AGENTX, /* RFC 2741, section 6.1: 20 bytes, the length in the last four */
    SA_GUARD_SNMP    /* RFC 1157: a BER sequence */
};

#define SA_GUARD_HEADER 20

/* All zero: the next byte begins a message. */
struct sa_guard {
    uint8_t header[SA_GUARD_HEADER]; /* of the message that comes now, as far as it is here */
    unsigned header_len;
    uint32_t left; /* bytes of that message that have still to come, once its header is whole */
};

/*
 * Passes the bytes that came.  Returns 0, or the announced length of the first message that is longer than
 * anybody sends (AgentX 1 MiB, SNMP 64 KiB; UINT32_MAX: one that says no length at all): the stream is of no
 * use after that.
 */
uint32_t sa_guard_pass(struct sa_guard *guard, enum sa_guard_kind kind, const uint8_t *p, size_t len);

#endif
