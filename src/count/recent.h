/*
 * Which responses were seen a moment ago, so that a retransmission, or the same message logged twice, can be
 * told from a new one: by Call-ID, method and number of the CSeq, top Via branch, code and direction, for as
 * long as a transaction can retransmit (RFC 3261 section 17.2.1, timer H: 32 s).  Fixed room: among very many
 * the oldest are forgotten first.  Pure, one thread.
 */
#ifndef SA_RECENT_H
#define SA_RECENT_H

#include "types.h"

#define SA_RECENT_MS INT64_C(32000)

struct sa_recent;

struct sa_recent *sa_recent_new(void);
struct sa_recent *sa_recent_free(struct sa_recent *recent);

/* Whether the response was seen before, and remembers it.  One without a Call-ID never was. */
bool sa_recent_again(struct sa_recent *recent, const struct sa_response *response, int64_t now_ms);

#endif
