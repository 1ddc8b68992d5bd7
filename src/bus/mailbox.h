/*
 * A bounded queue of values between two threads: the one way to cross a thread.  Posting never blocks; what
 * does not fit is refused, and the poster decides what that means.  Any number of posters, one taker.
 */
#ifndef SA_MAILBOX_H
#define SA_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sa_mailbox;

/* Room for `capacity` items of `item_size` bytes.  NULL: out of memory or descriptors. */
struct sa_mailbox *sa_mailbox_new(size_t item_size, unsigned capacity);
struct sa_mailbox *sa_mailbox_free(struct sa_mailbox *mailbox);

/* Copies the item in.  Returns 0, or -ENOBUFS if the box is full (the item is not taken, the refusal
 * counted). */
int sa_mailbox_post(struct sa_mailbox *mailbox, const void *item);

/* Makes the taker look, without an item. */
void sa_mailbox_wake(struct sa_mailbox *mailbox);

/* Copies the oldest item out; false if there is none. */
bool sa_mailbox_take(struct sa_mailbox *mailbox, void *item);

/* Readable while there is something to look at; the taker acknowledges before it takes. */
int sa_mailbox_fd(const struct sa_mailbox *mailbox);
void sa_mailbox_acknowledge(struct sa_mailbox *mailbox);

#endif
