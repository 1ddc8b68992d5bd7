/* The names that a source's patterns match, collected in turns, since there may be many. */
#ifndef SA_FOLLOW_LISTING_H
#define SA_FOLLOW_LISTING_H

#include "followed.h"

/* A name that a scan met. */
struct name {
    char *path; /* owned */
    struct stat status;
    int error;    /* negative errno: there is no status */
    bool matched; /* by a pattern, so that it may be something else than a log */
};

struct names {
    struct name *at;
    size_t n, room;
};

void sa_names_free(struct names *names);

#define SORTED 4096 /* so many at most come in the order of their paths */

/* Returns 1 with all names, which are the caller's then; 0: there are more, in another turn; or -ENOMEM. */
int sa_listing_go_on(struct sa_follower *follower, struct source *source, struct names *ret_names);
void sa_listing_free(struct source *source);
bool sa_listing_is_pattern(const char *path);

#endif
