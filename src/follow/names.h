/* What is done with a name that a scan met. */
#ifndef SA_FOLLOW_NAMES_H
#define SA_FOLLOW_NAMES_H

#include "followed.h"

/* A file that has its configured name now.  Returns 0 or negative errno. */
int sa_names_open(struct sa_follower *follower, struct source *source, const char *path);

/* The file is found under the name. */
void sa_names_give(struct source *source, struct file *file, const char *path);

#endif
