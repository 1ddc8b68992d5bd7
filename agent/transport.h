/*
 * Sockets for net-snmp sessions that nobody waits for: net-snmp's own connect with connect(2) and write with
 * a blocking send, and then sit there while a peer does not accept or does not read.  One of these outlives
 * its socket: the session stays and the socket is opened anew.  Connections of STRICT ones are to an AgentX
 * master, of LOSSY ones to an SNMP receiver.  The thread of its session only.
 */
#ifndef SA_AGENT_TRANSPORT_H
#define SA_AGENT_TRANSPORT_H

#include "resolve.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

enum sa_transport_loss {
    SA_TRANSPORT_STRICT, /* a message that cannot be sent within SA_TRANSPORT_WAIT_MS is an error */
    SA_TRANSPORT_LOSSY   /* one that cannot be sent at once is lost, as it could be on the way */
};

#define SA_TRANSPORT_WAIT_MS 500

/* Closed at first; freed by net-snmp with its session.  NULL: out of memory. */
netsnmp_transport *sa_transport_new(enum sa_transport_loss loss);

/*
 * Opens the socket; a connection may still have to come about (sa_transport_connect).  Returns 0 or negative
 * errno, and then it is closed.
 */
int sa_transport_open(netsnmp_transport *transport, enum sa_address_kind kind,
                      const struct sa_endpoint *endpoint, const char *interface);

/*
 * 0: messages can be sent.  -EINPROGRESS: not yet; the socket becomes writable when it is decided, which is
 * waited for at most so long.  Otherwise negative errno, and it is closed.
 */
int sa_transport_connect(netsnmp_transport *transport, int wait_ms);

/* Whether a connection has still to come about. */
bool sa_transport_connecting(const netsnmp_transport *transport);

void sa_transport_close(netsnmp_transport *transport);

/*
 * For the f_send of a stream that net-snmp listens at, whose accepted connections inherit it: one whose peer
 * does not read is ended, where net-snmp would wait for it.
 */
int sa_transport_send_or_end(netsnmp_transport *transport, const void *buf, int size, void **opaque,
                             int *olength);

/*
 * What was wrong with the last message that was sent, as errno; 0: nothing.  EMSGSIZE: the peer of a
 * connection announced a message that is longer than anybody sends, which ends the connection.
 */
int sa_transport_error(const netsnmp_transport *transport);

#endif
