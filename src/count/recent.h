/*
 * Which responses were seen a moment ago, so that a retransmission, or the same message logged twice, can be
 * told from a new one: by Call-ID, method and number of the CSeq, top Via branch, code and direction, for as
 * long as a transaction can retransmit (RFC 3261 section 17.2.1, timer H: 32 s).  The room grows with the
 * rate up to SA_RECENT_MAX responses, some 10,800 a second, in at most 13 MB; beyond that the oldest are
 * forgotten and counted.  Pure, one thread.
 */
#ifndef SA_RECENT_H
#define SA_RECENT_H

#include "buffer.h"
#include "types.h"

#define SA_RECENT_MS   INT64_C(32000)
#define SA_RECENT_MAX  346000
#define SA_RECENT_ROWS 65 /* the state in pieces: one for each second of the last 64, and one for all */

struct sa_recent;

struct sa_recent *sa_recent_new(void);
struct sa_recent *sa_recent_free(struct sa_recent *recent);

/* Whether the response was seen before, and remembers it.  One without a Call-ID never was. */
bool sa_recent_again(struct sa_recent *recent, const struct sa_response *response, int64_t now_ms);

/* How many were forgotten for want of room while they could still have come again. */
uint64_t sa_recent_forgotten(const struct sa_recent *recent);

/*
 * Over a restart: adds what came since the last call, or everything, to the buffer.  Returns the number of
 * the row that it replaces, below SA_RECENT_ROWS, or -1 if there is nothing to keep.  wall_s: wall clock,
 * seconds.
 */
int sa_recent_keep(struct sa_recent *recent, bool all, int64_t wall_s, struct sa_buffer *buffer);
void sa_recent_recall(struct sa_recent *recent, const void *kept, size_t len);

/* Whether these are bytes that sa_recent_keep() can have written. */
bool sa_recent_is_sound(const void *kept, size_t len);

#endif
