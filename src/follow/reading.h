/* Reading a slice of what is new in a file, from the file or from its inflater. */
#ifndef SA_FOLLOW_READING_H
#define SA_FOLLOW_READING_H

#include "followed.h"

/* The room of follower->slice: a marker and what is read behind it. */
#define SA_READING_ROOM (MARKER_BYTES + 262144)

/* Takes a slice of what is new in the file, if that goes on where reading ended. */
void sa_reading_take(struct sa_follower *follower, struct source *source, struct file *file);

/* The same of a file that is read through an inflater. */
void sa_reading_take_pipe(struct sa_follower *follower, struct source *source, struct file *file);

#endif
