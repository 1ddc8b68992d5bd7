/* Opening a file that has not its configured name, or not any more: plain, or through an inflater. */
#ifndef SA_FOLLOW_ROTATED_FILE_H
#define SA_FOLLOW_ROTATED_FILE_H

#include "family.h"

/*
 * Opens a candidate, which is read to its end and then closed: with the stream of the ghost, which is then
 * used up, or with a new one of the log `origin` behind what was read of it elsewhere (from), or from its
 * start.  NULL: it cannot be opened now.
 */
struct file *sa_rotated_file_open(struct sa_follower *follower, struct source *source,
                                  struct candidate *candidate, const char *origin, struct ghost *ghost,
                                  const struct sa_position *from);

/* The file that was cut off or damaged and of which the candidate is a later state, or NULL. */
struct file *sa_rotated_file_find_cut(struct source *source, struct candidate *candidate);

/* Reads on in a compressed file whose rest was missing, if the candidate has changed since. */
void sa_rotated_file_read_rest(struct sa_follower *follower, struct file *file, struct candidate *candidate);

/* Whether a compressed file was cut off so lately that the rest may still come. */
bool sa_rotated_file_awaits_rest(const struct source *source, const struct file *file);

#endif
