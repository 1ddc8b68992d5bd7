/* Comparing a file with what was read of it, and what is done where that is not there any more. */
#ifndef SA_FOLLOW_CHECKING_H
#define SA_FOLLOW_CHECKING_H

#include "followed.h"

/* Compares the file with what was read of it: it may have been truncated, and begins anew then. */
void sa_checking_compare(struct sa_follower *follower, struct source *source, struct file *file);

/* Looks at the size, which is a hint: more is to be read, less is a reason to compare. */
void sa_checking_size(struct sa_follower *follower, struct source *source, struct file *file);

#endif
