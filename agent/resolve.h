/*
 * Host names to socket addresses without waiting: getaddrinfo(3) blocks for as long as DNS is silent, so each
 * look-up has a thread of its own that ends with it, and the answer comes through a mailbox.
 */
#ifndef SA_RESOLVE_H
#define SA_RESOLVE_H

#include "endpoint.h"

/* An answer. */
struct sa_resolved {
    unsigned tag;                /* of the question */
    int error;                   /* 0, or getaddrinfo(3)'s */
    int system_error;            /* errno, if error is EAI_SYSTEM */
    struct sa_endpoint endpoint; /* the first IPv4 address if the family is open, otherwise the first */
};

const char *sa_resolved_reason(const struct sa_resolved *resolved);

struct sa_resolver;

/* capacity: questions that can be open at a time.  NULL: out of memory or descriptors. */
struct sa_resolver *sa_resolver_new(unsigned capacity);

/* Threads that still wait for DNS go on with what they need, and their answers are dropped. */
struct sa_resolver *sa_resolver_free(struct sa_resolver *resolver);

/* Asks; returns 0 or negative errno.  Not again with the same tag before the answer was taken. */
int sa_resolver_ask(struct sa_resolver *resolver, unsigned tag, const struct sa_address *address);

/* Readable when there is an answer. */
int sa_resolver_fd(const struct sa_resolver *resolver);

/* Takes an answer; false: there is none (any more). */
bool sa_resolver_take(struct sa_resolver *resolver, struct sa_resolved *ret_resolved);

#endif
