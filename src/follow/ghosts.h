/* Positions whose file is not open. */
#ifndef SA_FOLLOW_GHOSTS_H
#define SA_FOLLOW_GHOSTS_H

#include "followed.h"

struct ghost *sa_ghost_find(struct source *source, int64_t dev, int64_t ino, int64_t generation);

/* What was read of the file, whose content is gone, becomes a ghost that is found again only by its content.
 */
void sa_ghost_keep(struct sa_follower *follower, struct source *source, const struct file *file);

/* What was read of a file that was written anew: found again only by its content. */
void sa_ghost_lose(struct ghost *ghost);
int sa_ghost_add(struct source *source, const struct sa_position *position, bool changed);
void sa_ghost_remove(struct source *source, struct ghost *ghost);

/* Forgets the oldest beyond SA_FOLLOW_GHOSTS, and those older than a back-fill goes. */
void sa_ghosts_prune(struct sa_follower *follower, struct source *source, int64_t now_ms);
void sa_position_forget(struct sa_follower *follower, const struct source *source, int64_t id);

#endif
