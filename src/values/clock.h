/*
 * "Now" as a value.  Only clock.c asks the kernel for the time; everything else is told.
 */
#ifndef SA_CLOCK_H
#define SA_CLOCK_H

#include <stdint.h>

struct sa_time {
    int64_t mono_ms; /* CLOCK_MONOTONIC: windows, holds and retries run on it */
    int64_t wall_ms; /* CLOCK_REALTIME: only for showing */
};

/* Any thread. */
struct sa_time sa_clock_now(void);

/* Nanoseconds of CLOCK_MONOTONIC, for measuring; any thread. */
int64_t sa_clock_mono_ns(void);

#endif
