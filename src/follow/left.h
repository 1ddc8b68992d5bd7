/*
 * Of more files than have a place the latest are open, and of the others the position is kept until they
 * grow.
 */
#ifndef SA_FOLLOW_LEFT_H
#define SA_FOLLOW_LEFT_H

#include "followed.h"

/* Whether the file is one of those, and has nothing new. */
bool sa_left_is_done(const struct source *source, const struct stat *status);

/* A scan met the file: if it is one of those, its position is kept. */
void sa_left_meet(struct source *source, const struct stat *status);

/* A file that had no place is opened: its position becomes a ghost. */
void sa_left_take(struct source *source, const char *path, int fd, const struct stat *status);

/* Keeps a position without a path; 0 or -ENOMEM. */
int sa_left_add(struct source *source, const struct sa_position *position);

/* Forgets those whose names are gone. */
void sa_left_sweep(struct sa_follower *follower, struct source *source);
unsigned sa_left_count(const struct source *source);
void sa_left_positions(struct source *source, unsigned number, bool all, const struct sa_position_sink *sink);
void sa_left_free(struct source *source);

/* A name without a place, in its order of the first look: from the offset it will count when it gets one. */
void sa_left_leave(struct sa_follower *follower, struct source *source, const struct stat *status,
                   int64_t offset);

#endif
