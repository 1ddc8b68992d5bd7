/* What was rotated while nobody looked. */
#ifndef SA_FOLLOW_HISTORY_H
#define SA_FOLLOW_HISTORY_H

#include "followed.h"

/* After the first scan of a source with a past: opens what was rotated meanwhile. */
void sa_history_backfill(struct sa_follower *follower, struct source *source);

/* Where streams of an earlier life that have no file yet go on: under other names, or in copies. */
void sa_history_find_rests(struct sa_follower *follower, struct source *source);

/*
 * At the first scan of a source without a past: generations that a pattern names are read, oldest first, if
 * it starts at the beginning; the others are not its business.
 */
void sa_history_begin(struct sa_follower *follower, struct source *source);

/* Opens the generations of a log that were made and rotated since a moment; what has its name waits for them.
 */
void sa_history_look(struct sa_follower *follower, struct source *source, const char *log_path,
                     int64_t since_ms);

#endif
