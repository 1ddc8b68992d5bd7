/* Where a stream goes on whose content is not where it was read any more. */
#ifndef SA_FOLLOW_GOING_ON_H
#define SA_FOLLOW_GOING_ON_H

#include "followed.h"

/* The content of a followed file is gone: goes on with its stream in the copy that holds the rest, if there
 * is one, and gives the file a new stream. */
void sa_going_on_rest(struct sa_follower *follower, struct source *source, struct file *file);

/* The file goes on with the stream of the other, which shows no more and becomes its copy. */
void sa_going_on_take_over(struct sa_follower *follower, struct source *source, struct file *file,
                           struct file *other);

/* The file shows something else than what was read of it: that is kept as a position, and it is judged anew.
 */
void sa_going_on_part(struct sa_follower *follower, struct source *source, struct file *file);

/* The file took the place of another, which is read: perhaps that is deleted, and this has its content. */
void sa_going_on_rewritten(struct sa_follower *follower, const struct source *source, struct file *file);

/* Files whose content is gone, or in doubt, are read first: what may be a copy of them waits for that. */
void sa_going_on_read_lost(struct sa_follower *follower, struct source *source);

#endif
