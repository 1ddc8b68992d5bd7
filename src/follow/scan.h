/* A scan: which files the source's globs name now. */
#ifndef SA_FOLLOW_SCAN_H
#define SA_FOLLOW_SCAN_H

#include "followed.h"

/*
 * Looks which they are: opens new ones, closes what is long gone, judges the state.  Returns 1; 0: it wants
 * another turn before it does; or negative errno, and the next scan tries again.
 */
int sa_follow_scan_go_on(struct sa_follower *follower, struct source *source);

#endif
