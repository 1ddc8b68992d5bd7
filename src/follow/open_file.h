/* Opening a file that is followed from now on, or going on with it by another descriptor. */
#ifndef SA_FOLLOW_OPEN_FILE_H
#define SA_FOLLOW_OPEN_FILE_H

#include "followed.h"

/* Whether there is a place for one more file of the source, whose descriptor is the newest. */
bool sa_open_file_has_room(const struct source *source, int newest_fd);

/* A file struct for a descriptor, with a stream: of the ghost if there is one, which is then used up,
 * otherwise a new one of the log `origin`.  NULL: out of memory; the descriptor is not closed then. */
struct file *sa_open_file_adopt(struct sa_follower *follower, struct source *source, const char *path,
                                const char *origin, int fd, const struct stat *status, struct ghost *ghost);

/* The file's offset is set: it is watched and read from there. */
void sa_open_file_begin(struct sa_follower *follower, struct source *source, struct file *file);

/* The file goes on with another descriptor, which stays the caller's. */
void sa_open_file_exchange(struct sa_follower *follower, struct source *source, struct file *file, int fd);

#endif
