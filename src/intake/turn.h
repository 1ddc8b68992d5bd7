/*
 * One turn of a source: what it reads before the others, the timers and the control socket have theirs.  It
 * is bounded by the time too, because nobody knows what the lines of strangers cost.
 */
#ifndef SA_INTAKE_TURN_H
#define SA_INTAKE_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct sa_turn {
    int64_t until_ms; /* monotonic */
};

struct sa_turn sa_turn_begin(void);
bool sa_turn_is_over(const struct sa_turn *turn);

#endif
