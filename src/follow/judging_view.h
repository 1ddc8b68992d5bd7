/* Judging a file that is known by its content. */
#ifndef SA_FOLLOW_JUDGING_VIEW_H
#define SA_FOLLOW_JUDGING_VIEW_H

#include "followed.h"

/* A file of which nothing was taken: it is new, or goes on with what was read, or shows only that. */
void sa_judging_view(struct sa_follower *follower, struct source *source, struct file *file);

#endif
