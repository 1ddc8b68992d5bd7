/*
 * A sliding window: a ring of one-second buckets with a running sum, so that adding and asking are O(1).
 * Time is given by the caller in whole seconds of one clock and may not go back; an older second counts as
 * the newest one seen.  Pure, one thread.
 */
#ifndef SA_WINDOW_H
#define SA_WINDOW_H

#include <stdint.h>

struct sa_window {
    uint32_t *bucket; /* seconds entries, owned */
    uint32_t seconds; /* length of the window */
    int64_t newest_s; /* the second that bucket[newest_s % seconds] stands for; -1: nothing yet */
    uint64_t sum;     /* of all buckets */
};

/* Returns 0 or -ENOMEM. */
int sa_window_init(struct sa_window *window, uint32_t seconds);
void sa_window_done(struct sa_window *window);

/* Forgets what was added. */
void sa_window_clear(struct sa_window *window);

void sa_window_add(struct sa_window *window, int64_t now_s, uint32_t n);

/* Sum of the `seconds` buckets that end with now_s. */
uint64_t sa_window_sum(struct sa_window *window, int64_t now_s);

#endif
