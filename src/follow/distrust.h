/* What is done where a disk was caught: it says of a file what its content contradicts. */
#ifndef SA_FOLLOW_DISTRUST_H
#define SA_FOLLOW_DISTRUST_H

#include "followed.h"

/*
 * What the disk says of a file contradicts its content, or the file cannot be read: from now on the source's
 * files are known by their content.
 */
void sa_distrust_source(struct sa_follower *follower, struct source *source, const char *path);

#endif
