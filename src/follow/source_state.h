/* The source's state from what its last scan and its files' last reads met. */
#ifndef SA_FOLLOW_SOURCE_STATE_H
#define SA_FOLLOW_SOURCE_STATE_H

#include "followed.h"

void sa_source_state_tell(struct sa_follower *follower, struct source *source);

#endif
