/*
 * A sliding window: a ring of one-second buckets with a running sum, so that adding and asking are O(1).
 * Time is given by the caller in whole seconds of one clock, from 0 on.  An older second than the newest one
 * counts where it belongs, and not at all once it has left the window.  Pure, one thread.
 */
#ifndef SA_WINDOW_H
#define SA_WINDOW_H

#include "buffer.h"

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

/* What was added, for sa_window_load(): few bytes where few seconds have something. */
void sa_window_save(const struct sa_window *window, struct sa_buffer *buffer);

/* Into a new window; shift_s is added to the seconds, for a clock that started anew. */
void sa_window_load(struct sa_window *window, struct sa_buffer_reader *reader, int64_t shift_s);

/* Steps over a window as sa_window_save() wrote it.  False if that is none, or tells of seconds after the
 * latest that there can be: those would keep everything of before out of the window. */
bool sa_window_is_sound(struct sa_buffer_reader *reader, int64_t latest_s);

/* Sum of the `seconds` buckets that end with now_s. */
uint64_t sa_window_sum(struct sa_window *window, int64_t now_s);

#endif
