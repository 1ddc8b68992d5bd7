/*
 * A byte stream of syslog messages to single ones (RFC 6587): octet counting where a frame begins with a
 * number, otherwise a line.  Whatever the bytes are, a message is at most the limit long, the rest of a
 * longer one is skipped and counted, and bytes inside a counted frame are never taken for the start of
 * another. Pure, one object per connection.
 */
#ifndef SA_FRAMING_H
#define SA_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SA_FRAMING_LIMIT 65536

struct sa_framing {
    char *held; /* SA_FRAMING_LIMIT bytes, owned */
    size_t held_len;
    enum { SA_FRAME_START, SA_FRAME_LENGTH, SA_FRAME_COUNTED, SA_FRAME_LINE } state;
    uint64_t left; /* of a counted frame; in SA_FRAME_LENGTH: the number so far */
    bool cut;      /* the message is longer than the limit, which was counted */
    uint64_t oversize;
};

/* Returns 0 or -ENOMEM. */
int sa_framing_init(struct sa_framing *framing);
void sa_framing_done(struct sa_framing *framing);

/* The message is valid during the call only; without its line end. */
typedef void (*sa_frame_fn)(void *arg, const char *message, size_t len);
void sa_framing_feed(struct sa_framing *framing, const char *buf, size_t len, sa_frame_fn fn, void *arg);

/* The connection ended: an unfinished line is a message, an unfinished counted frame is not. */
void sa_framing_end(struct sa_framing *framing, sa_frame_fn fn, void *arg);

#endif
