/*
 * What is saved, as a whole: the core's rows, the places of the sources and the two clocks, of one moment and
 * in one transaction.  Main thread.
 */
#ifndef SA_STATE_H
#define SA_STATE_H

#include "core.h"
#include "sources.h"
#include "store.h"

#define SA_STATE_LOST_MS 600000 /* how long the alarm of a lost state stays up */

struct sa_state {
    struct sa_core *core;
    struct sa_sources *sources;
    int64_t last_alive_ms;       /* wall clock when the earlier life was last saved; 0: there was none */
    bool has_numbers;            /* the row of the daemon was there */
    unsigned dropped[SA_TABLES]; /* bookmarks that make no sense */
    struct sa_core_past past;
};

/* Fills the core; after sa_core_new().  Returns 0 or negative errno. */
int sa_state_load(struct sa_state *state, struct sa_store *store);

/*
 * Tells the sources where they were; before they start.  Rows of all tables that were left out become a fault
 * and a line of the log; the next save removes them.
 */
int sa_state_load_bookmarks(struct sa_state *state, struct sa_store *store);

/* Adds the counts of an earlier life that could not be read at the start; positions and alarms are ours. */
void sa_state_merge(struct sa_state *state, struct sa_store *store);

/* Puts what changed since the last call, or everything, into the batch. */
void sa_state_save(struct sa_state *state, bool all, struct sa_batch *batch);

#endif
