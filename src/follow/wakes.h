/* What makes the loop come back, and what is told once. */
#ifndef SA_FOLLOW_WAKES_H
#define SA_FOLLOW_WAKES_H

#include "followed.h"

/* Another scan, soon: it waits for a time that grows with what a scan takes. */
void sa_follow_want_scan(struct sa_follower *follower);
void sa_follow_want_reading(struct sa_follower *follower, struct file *file);
void sa_follow_note(struct sa_follower *follower, const struct source *source, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
