/* What makes the loop come back, and what is told once. */
#ifndef SA_FOLLOW_WAKES_H
#define SA_FOLLOW_WAKES_H

#include "followed.h"

/* Another scan, soon: it waits for a time that grows with what a scan takes. */
void sa_follow_want_scan(struct sa_follower *follower);
void sa_follow_want_reading(struct sa_follower *follower, struct file *file);

/* Its pipe has something again, or is another. */
void sa_follow_unblock(struct sa_follower *follower, struct file *file);

/* Not before its pipe has something. */
void sa_follow_block(struct file *file);

/* In one of the next turns: of a file that has its turn now. */
void sa_follow_ask_again(struct file *file);

/* Nothing of it is to be read until something happens. */
void sa_follow_rest(struct file *file);

/* Tells the owner of the bytes something once. */
void sa_follow_note(struct sa_follower *follower, const struct source *source, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
