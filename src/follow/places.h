/* Which of more files than have a place are open. */
#ifndef SA_FOLLOW_PLACES_H
#define SA_FOLLOW_PLACES_H

#include "listing.h"

/* Keeps of the names those that can be opened now: there is a place, or an idle file gives way. */
void sa_places_choose(struct sa_follower *follower, struct source *source, struct names *names);

#endif
