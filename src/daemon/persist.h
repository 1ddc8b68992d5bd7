/*
 * The engine as rows of the store, and back: counts, positions, windows, alarms and outbox of one moment in
 * one transaction.  persist.c saves, persist_load.c loads.  Everybody may have written into the database
 * meanwhile: what cannot be true is left out.  Main thread.
 */
#ifndef SA_PERSIST_H
#define SA_PERSIST_H

#include "engine.h"
#include "store.h"

#define SA_STATE_LOST_MS 600000 /* how long the alarm of a lost state stays up */

/* Fills the engine: counts, windows, alarms, outbox.  After sa_engine_init(), before the follower is made.
 * Returns 0 or negative errno. */
int sa_persist_load(struct sa_engine *engine, struct sa_store *store);

/* Adds the counts of an earlier life that could not be read at the start; positions and alarms are ours. */
void sa_persist_merge(struct sa_engine *engine, struct sa_store *store);

/* Tells the follower where it was; after its sources are added, before it starts.  Rows of all tables that
 * were left out become a fault and a line of the log; the next save removes them. */
int sa_persist_load_positions(struct sa_engine *engine, struct sa_store *store);

/* A stream of an earlier life goes on: the message it was in the middle of. */
void sa_persist_resume(struct sa_engine *engine, int64_t id, void *stream);
void sa_persist_done(struct sa_engine *engine);

/* The number of this boot, "" if it cannot be read. */
#define SA_BOOT_ID_SIZE 40
void sa_persist_boot_id(char boot_id[SA_BOOT_ID_SIZE]);

/* Puts what changed since the last call, or everything, into the batch. */
void sa_persist_save(struct sa_engine *engine, bool all, struct sa_batch *batch);

#endif
