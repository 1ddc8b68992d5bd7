/*
 * One receiver of our own: finds its address, connects if it has to, and sends what the ring of notifications
 * holds for it.  Nothing here waits: not for DNS, not for a connection, not for an answer.
 * The receivers' thread, once made.
 */
#ifndef SA_RECEIVER_H
#define SA_RECEIVER_H

#include "notify.h"
#include "resolve.h"

#include <poll.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>

struct sa_receiver;

/* What the receivers have in common. */
struct sa_receiver_common {
    struct sa_notify *notify;      /* the channel of a receiver is its number */
    struct sa_resolver *resolver;  /* the tag of a question, too */
    netsnmp_large_fd_set readable; /* for snmp_sess_read2(), which wants one */
    int64_t start_ms;              /* of sysUpTime */
    long request_id;               /* of the last inform */
};

/*
 * Made before there is a second thread that uses net-snmp, freed after there was one (receivers.c says why).
 * NULL: out of memory.
 */
struct sa_receiver *sa_receiver_new(struct sa_receiver_common *common, unsigned number,
                                    const struct sa_agent_receiver *def);
struct sa_receiver *sa_receiver_free(struct sa_receiver *receiver);

/* DNS has answered. */
void sa_receiver_resolved(struct sa_receiver *receiver, const struct sa_resolved *answer, int64_t now_ms);

/* Does what can be done now; returns when it wants to be called again, INT64_MAX: after something happened.
 */
int64_t sa_receiver_turn(struct sa_receiver *receiver, int64_t now_ms);

/* What to poll(2) for; the descriptor is -1 if nothing. */
struct pollfd sa_receiver_poll(const struct sa_receiver *receiver);

/* It can be read from. */
void sa_receiver_read(struct sa_receiver *receiver);

#endif
