/*
 * The senders of a TCP listener.  There are max_connections places.  When all are taken the connections that
 * have been silent longest are asked to go: our half is closed, which senders take for the end, and what they
 * still say is read all the same.  As many again can be on their way out like this.  Then newcomers wait in
 * the kernel's queue, and the state says so, until one that does not go, or never said a word, can be cut
 * off; after some seconds any has to go.  Every cut that may have lost something is told as a loss.  Without
 * descriptors it is the same.
 */
#ifndef SA_INTAKE_CONNECTIONS_H
#define SA_INTAKE_CONNECTIONS_H

#include "framing.h"
#include "intake.h"
#include "senders.h"

struct sa_connections;

/*
 * Accepts at the listening descriptor, which stays the caller's as the senders do, and hands every message to
 * fn.  Who is not allowed is closed at once, and costs nobody a place.  Tells the host's owner the state of
 * the listener.  NULL: out of memory.
 */
struct sa_connections *sa_connections_new(const struct sa_intake_host *host, int fd,
                                          struct sa_senders *senders, sa_frame_fn fn, void *arg);
struct sa_connections *sa_connections_free(struct sa_connections *connections);

/* Lets in who waits, tells the state, and gives back the memory of quiet connections. */
void sa_connections_look(struct sa_connections *connections);

#endif
