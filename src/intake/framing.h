/*
 * A byte stream of syslog messages to single ones (RFC 6587): octet counting where a frame begins with a
 * number, otherwise a line.  Whatever the bytes are, a message is at most the limit long, the rest of a
 * longer one is skipped and counted, and bytes inside a counted frame are never taken for the start of
 * another.  A connection takes no memory before a message comes in pieces, then as much as its longest one.
 * Pure, one object per connection.
 */
#ifndef SA_FRAMING_H
#define SA_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sa_framing {
    char *held; /* the start of a message whose end has not come yet: `room` bytes, owned; NULL for 0 */
    size_t held_len, room, limit;
    enum { SA_FRAME_START, SA_FRAME_LENGTH, SA_FRAME_COUNTED, SA_FRAME_LINE } state;
    uint64_t left; /* of a counted frame; in SA_FRAME_LENGTH: the number so far */
    bool cut;      /* the message is longer than the limit, which was counted */
    uint64_t oversize;
};

/* limit: the bytes of the longest message, above 0. */
void sa_framing_init(struct sa_framing *framing, size_t limit);
void sa_framing_done(struct sa_framing *framing);

/* Gives back the memory that no message is in, of a connection that is quiet. */
void sa_framing_rest(struct sa_framing *framing);

/* The message is valid during the call only; without its line end. */
typedef void (*sa_frame_fn)(void *arg, const char *message, size_t len);
void sa_framing_feed(struct sa_framing *framing, const char *buf, size_t len, sa_frame_fn fn, void *arg);

/*
 * The connection ended: an unfinished line is a message, an unfinished counted frame is not.  Returns whether
 * there was one of those, so that a message is lost.
 */
bool sa_framing_end(struct sa_framing *framing, sa_frame_fn fn, void *arg);

#endif
