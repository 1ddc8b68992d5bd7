/* A file is closed, or what it holds is counted as read. */
#ifndef SA_FOLLOW_CLOSE_FILE_H
#define SA_FOLLOW_CLOSE_FILE_H

#include "followed.h"

/* Forgets the i-th file of a source; where it was is kept if it may come back. */
void sa_close_file(struct sa_follower *follower, struct source *source, unsigned i);

/* The same by its pointer; ending: what becomes of its position. */
void sa_close_file_as(struct sa_follower *follower, struct source *source, struct file *file,
                      enum ending ending);

/* What the file holds now was counted; what comes to it later is its own. */
void sa_close_file_skip(struct file *file);

/* The file's number is not in the index any more: its watch is removed if no other file shares it. */
void sa_close_file_drop_watch(struct sa_follower *follower, const struct file *gone);

#endif
