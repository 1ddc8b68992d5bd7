/*
 * Sliding windows over one stretch of time: columns of counts that share their clock, each a ring of steps
 * with a running sum, so that adding and asking are O(1).  A column takes memory once something is counted in
 * it: two bytes for each step, and four in a window of which a step was ever more than two can hold.
 *
 * Time is given by the caller in whole seconds of one clock, from 0 on.  An older second than the newest one
 * counts where it belongs, and not at all once it has left the window.
 *
 * With steps of one second a sum is exact: what came in the `seconds` that end now.  With longer steps what
 * was added leaves with the whole step that it fell in: at most one step less a second too late, and never
 * too early, so that a sum is never too small and no limit is missed.  After a change of the clock
 * (sa_window_load()) it can be one step later.  Pure, one thread.
 */
#ifndef SA_WINDOW_H
#define SA_WINDOW_H

#include "buffer.h"

#include <stdbool.h>
#include <stdint.h>

#define SA_WINDOW_STEPS 60 /* what sa_window_step_s() makes at most of a window, whatever its length */

/* Made in many, and counted in for each response: so others have it as it is, and leave alone what is inside.
 */
struct sa_window {
    struct {
        uint64_t *sum;    /* one for each column; owned, the buckets lie behind them */
        void *bucket;     /* columns * steps of uint16_t, or uint32_t if large; step n is at n % steps of its
                             column */
        uint32_t seconds; /* length of the window */
        uint32_t step_s;  /* seconds in a step */
        uint32_t steps;   /* in a column */
        uint32_t columns;
        uint32_t newest_at; /* place of the newest step in each column */
        bool large;
        int64_t newest_s; /* -1: nothing yet */
    } inside;
};

/* The shortest step of which SA_WINDOW_STEPS make up the window: one second up to SA_WINDOW_STEPS seconds. */
uint32_t sa_window_step_s(uint32_t seconds);

/* seconds, step_s: from 1 on.  Without a column it owns no memory. */
void sa_window_init(struct sa_window *window, uint32_t seconds, uint32_t step_s);
void sa_window_done(struct sa_window *window);

/* One more column, empty.  Returns its number, or -ENOMEM. */
int sa_window_widen(struct sa_window *window);

/* Forgets what was added to a column. */
void sa_window_clear(struct sa_window *window, unsigned column);

/* More than a small bucket holds, or into a large one. */
void sa_window_add_large(struct sa_window *window, unsigned column, uint32_t at, uint32_t n);

/* Of another second than the newest. */
void sa_window_add_other(struct sa_window *window, unsigned column, int64_t now_s, uint32_t n);

static inline void
sa_window_add_at(struct sa_window *window, unsigned column, uint32_t at, uint32_t n)
{
    uint16_t *bucket = (uint16_t *)window->inside.bucket + (size_t)column * window->inside.steps + at;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a column that has a number has its steps */
    if (window->inside.large || n > UINT16_MAX - (uint32_t)*bucket) {
        sa_window_add_large(window, column, at, n);
        return;
    }
    *bucket = (uint16_t)(*bucket + n);
    window->inside.sum[column] += n;
}

/* Several times for each response, nearly always in the newest second. */
static inline void
sa_window_add(struct sa_window *window, unsigned column, int64_t now_s, uint32_t n)
{
    if (now_s == window->inside.newest_s && now_s >= 0)
        sa_window_add_at(window, column, window->inside.newest_at, n);
    else
        sa_window_add_other(window, column, now_s, n);
}

/*
 * The steps of a column, step n at n % steps; returns the newest second, of which all older ones are behind,
 * or -1: nothing yet.
 */
int64_t sa_window_copy(const struct sa_window *window, unsigned column, uint32_t *steps);

/* What lies in the step of a second, without moving the window. */
uint32_t sa_window_at(const struct sa_window *window, unsigned column, int64_t s);

/* What was added to a column, for sa_window_load(): few bytes where few steps have something. */
void sa_window_save(const struct sa_window *window, unsigned column, struct sa_buffer *buffer);

/* Into a column that is empty; shift_s is added to the seconds, for a clock that started anew.  The window it
 * was saved from may have had other steps. */
void sa_window_load(struct sa_window *window, unsigned column, struct sa_buffer_reader *reader,
                    int64_t shift_s);

/* Steps over a column as sa_window_save() wrote it.  False if that is none, or tells of seconds after the
 * latest that there can be: those would keep everything of before out of the window. */
bool sa_window_is_sound(struct sa_buffer_reader *reader, int64_t latest_s);

/* Whether something is in a column, as of the newest second. */
static inline bool
sa_window_has(const struct sa_window *window, unsigned column)
{
    return window->inside.sum[column] != 0;
}

/* Sum of the window that ends with now_s. */
uint64_t sa_window_sum(struct sa_window *window, unsigned column, int64_t now_s);

/* Whether nothing is in any column then. */
bool sa_window_is_empty(struct sa_window *window, int64_t now_s);

#endif
