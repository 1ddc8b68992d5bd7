/* Judging a file that may be a copy, as logrotate makes one before it truncates a log. */
#ifndef SA_FOLLOW_JUDGING_H
#define SA_FOLLOW_JUDGING_H

#include "followed.h"

/* The file is new, or goes on with what was read, or holds only that and is not read. */
void sa_judging_judge(struct sa_follower *follower, struct source *source, struct file *file);

#endif
