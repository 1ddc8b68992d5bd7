/*
 * Time and the loop of a daemon under test: io/loop.h on a clock that stands still until it is told to go on,
 * so that two hours pass in the time that their timers need.  One thread.
 */
#ifndef FAKE_TIME_H
#define FAKE_TIME_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC and CLOCK_REALTIME, as the daemon is told them. */
void fake_time_set(int64_t mono_ms, int64_t wall_ms);
int64_t fake_time_mono_ms(void);

/* Somebody sets the wall clock. */
void fake_time_move_wall(int64_t ms);

/*
 * sa_loop_run() calls this when nothing is left to do at this moment.  Returns the monotonic time until which
 * the loop goes on; what is due by then is done at its own time.
 */
extern int64_t (*fake_time_idle)(void);

/* Delivers a signal to whoever watches for it. */
void fake_time_signal(int number);

#endif
